/*
 * ledger/circle.h - a group (trust circle) as a chain of versions, each signed by its owner.
 *
 * A version is a body, canonical JSON (RFC 8785) with all of these members and no other:
 *
 *   {"charter":TEXT,
 *    "finals":[{"member":ID,"root":BASE64,"size":N,"stream":HEX},...],
 *    "generation":HEX,"group":HEX,"heirs":[ID,...],"members":[ID,...],"name":TEXT,"owner":ID,
 *    "past":true or false,"previous":HEX,"region":N,"version":N}
 *
 * and a circle mark (head.h) over its hash.  "previous" is the hash of the version before it,
 * "region" the version of the region file that it rests on.
 *
 * Who signs: the owner that the version before names, while it is a member of that region version;
 * else the first of the heirs that is, and then the new version names it as owner.  So only one
 * member can sign at a time; the owner can hand over to another.
 *
 * Numbers rise; they need not be dense: whoever mends a fork goes past all numbers that were seen.
 * Order is by region version, then number (GROUP_ORDER).
 *
 * A generation is whom the same past is open to.  "past": false begins a new one under a new random
 * id: who is added sees nothing from before; true keeps it.  A removal alone may do either.
 * "finals" say where the streams of those who are removed end; one that is not listed ends at 0.
 *
 * The group's name and members are known to its members alone: a removed member gets an out notice
 * and no body.  Pure: bytes and values.
 */
#ifndef JAGA_LEDGER_CIRCLE_H
#define JAGA_LEDGER_CIRCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "head.h"
#include "region.h"
#include "span.h"
#include "uuid.h"

#define CIRCLE_BODY_MAX         (256u << 10) /* bytes */
#define CIRCLE_MEMBERS_MAX      320u         /* all members and partners that a region may have */
#define CIRCLE_HEIRS_MAX        8u
#define CIRCLE_FINALS_MAX       1024u /* streams of those removed at once */
#define CIRCLE_NAME_MAX         128u  /* bytes */
#define CIRCLE_CHARTER_MAX      8192u /* bytes: a page or two; line feeds are allowed */
#define CIRCLE_GENERATION_BYTES 16    /* as in a stream's name (LEDGER_RANDOM_BYTES) */

struct circle {
    struct hash hash; /* of the body: set by circle_read */
    uint8_t group[GROUP_ID_BYTES];
    uint64_t version;     /* 1 to VERSION_MAX */
    struct hash previous; /* zero in version 1 and nowhere else */
    uint64_t region;      /* 1 to VERSION_MAX */
    uint8_t generation[CIRCLE_GENERATION_BYTES];
    bool past; /* false: the generation begins here; so in version 1 */
    struct span name;
    struct span charter;
    struct uuid owner;        /* one of the members */
    const struct uuid *heirs; /* in the order in which they inherit; not the owner, each once */
    size_t heir_n;
    const struct uuid *members;      /* sorted by id, each once */
    size_t member_n;                 /* at least 1 */
    const struct stream_end *finals; /* sorted by stream, each once */
    size_t final_n;
};

/* As region_read and region_print. */
int circle_read(struct span body, struct arena *a, struct circle *out, struct err *e);
int circle_print(const struct circle *c, struct buf *out, struct err *e);

uint64_t circle_order(const struct circle *c);
bool circle_has(const struct circle *c, const struct uuid *member);

/* ---- the chain ---- */

/* Who must sign what follows prev (NULL: what begins), by that version of the region, which must be
 * next's; NULL: nobody is left who could. */
const struct uuid *circle_signer(const struct circle *prev, const struct circle *next,
                                 const struct region *region);

/* That next is signed with mark by whom it must be, with the key that region (version next->region)
 * has for it; and that it may follow prev: group, previous, number, region not older, generation
 * new where past is false and the same where it is true, finals of those removed alone, an heir
 * becomes owner.  prev NULL: next begins a group.  0, or -1: ERR_RULE, ERR_MISSING (region is
 * another version), ERR_AUTH (the signature). */
int circle_check(const struct circle *prev, const struct circle *next,
                 const struct circle_mark *mark, const struct region *region, struct err *e);

/* Where nothing of the group is known yet, since who is new to it gets only its state: signed by
 * its own owner, a member of that region version.  Whether that owner was entitled is then the word
 * of the member that hands the version on.  A version by which an owner hands over is not taken so:
 * its new owner signs another first. */
int circle_check_alone(const struct circle *next, const struct circle_mark *mark,
                       const struct region *region, struct err *e);

/* A body with its mark, as stored and sent; group, order and hash come from the body. */
struct circle_signed {
    struct span body;
    struct uuid by;
    struct signature sig;
};

int circle_signed_encode(const struct circle_signed *s, struct buf *out, struct err *e);
int circle_signed_decode(struct span bytes, struct circle_signed *out, struct err *e);
struct circle_mark circle_mark_of(const struct circle *c, const struct circle_signed *s);

/* ---- what counts ---- */

/* A version that has been checked, and who signed it. */
struct circle_known {
    const struct circle *circle;
    struct uuid by;
};

struct circle_current {
    const struct circle *top; /* the highest by order */
    bool settled; /* false: another version rivals it, and nothing is published to the group until
                   * its owner (or heir) signs one with the number next */
    struct uuid *members; /* that count: of top, or those common to it and all its rivals; sorted */
    size_t member_n;
    uint64_t next; /* one more than the highest number known: what a successor of top takes */
};

/* Of all known versions of one group (any order, doubles do no harm), by the newest version of the
 * region that is known.  A rival is another version whose number is not below top's and whose
 * signer is still in the region: a second of that number, or what an owner signed before it was set
 * back and has forgotten.  What one signed who has left the region rivals only its own equal.
 * -1: ERR_MISSING: none known, or one rests on a region newer than that; ERR_RULE: of two groups;
 * ERR_MEMORY or ERR_LIMIT by a. */
int circle_current(const struct circle_known *known, size_t n, const struct region *newest,
                   struct arena *a, struct circle_current *out, struct err *e);

/* Whether member may be given an entry that its publisher made at order at (GROUP_ORDER): it is in
 * some known version of that generation at least as new. */
bool circle_may_have(const struct circle_known *known, size_t n,
                     const uint8_t generation[CIRCLE_GENERATION_BYTES], const struct uuid *member,
                     uint64_t at);

/* Where a stream of that member ends, by the chain that leads to top.  1 and *size: the version
 * that removed the member (last) says so; 0: it is in top, or never was in what leads there; -1:
 * the version that removed it, or one on the way there, is not known. */
int circle_final(const struct circle_known *known, size_t n, const struct circle *top,
                 const struct uuid *member, const struct hash *stream, uint64_t *size);

#endif
