/*
 * ledger/region.h - the region file: who the members are, as a chain of versions.
 *
 * A version is a body, canonical JSON (RFC 8785) with all of these members and no other:
 *
 *   {"coordinator":ID,
 *    "members":[{"address":TEXT,"country":TEXT,"id":ID,"key":BASE64,"name":TEXT,"since":N},...],
 *    "name":TEXT,
 *    "partners":[{"ends":N,"groups":[HEX,...],"id":ID,"key":BASE64 or "","name":TEXT},...],
 *    "previous":HEX,
 *    "removed":[{"finals":[{"root":BASE64,"size":N,"stream":HEX},...],"id":ID},...],
 *    "version":N}
 *
 * and the votes that made it follow the version before (voter.h).  "previous" is the hash of that
 * version's body.  Every version is decided by a majority of the members of the one before, all in
 * one ballot: that alone keeps two from following one, also where a single member wants to change
 * what is its own.  Whether people must agree is another question, answered by struct
 * region_change: what a member says of itself (its name and address, and a new key signed for with
 * the old one) needs its own vote, and other nodes vote for it unasked; everything else, the key of
 * a member that lost its own among it, needs that people of a majority say yes.
 *
 * Pure: bytes and values.  All lists are sorted by id (streams and groups: by bytes), no doubles.
 */
#ifndef JAGA_LEDGER_REGION_H
#define JAGA_LEDGER_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "head.h"
#include "sign.h"
#include "span.h"
#include "uuid.h"

#define REGION_BODY_MAX     (256u << 10)    /* bytes; 64 members are 30 KB */
#define REGION_MEMBERS_MAX  VOTE_VOTERS_MAX /* ballots and sets of members have that many places */
#define REGION_PARTNERS_MAX 256u
#define REGION_GROUPS_MAX   64u                       /* of one partner */
#define REGION_FINALS_MAX   1024u                     /* streams of one removed member */
#define REGION_NAME_MAX     128u                      /* bytes */
#define REGION_ADDRESS_MAX  255u                      /* bytes: a URL or host:port; not read here */
#define REGION_TIME_MAX     ((UINT64_C(1) << 53) - 1) /* microseconds: what I-JSON has */

struct region_member {
    struct uuid id;
    struct sign_public key; /* no two members or partners share one */
    struct span name;       /* 1 to REGION_NAME_MAX */
    struct span country;    /* two capital letters (ISO 3166-1), or empty */
    struct span address;    /* no white space; may be empty */
    uint64_t since;         /* the version in which it joined (last) */
};

struct region_group {
    uint8_t b[GROUP_ID_BYTES];
};

/* Outside the region, in some of its groups. */
struct region_partner {
    struct uuid id;
    bool has_key;
    struct sign_public key;
    struct span name;
    uint64_t ends_us; /* since 1970; 0: never */
    const struct region_group *groups;
    size_t group_n;
};

/* A member of the version before that is none of this one, and where its streams to the region end:
 * one that is not listed ends at 0. */
struct region_removed {
    struct uuid id;
    const struct stream_end *finals; /* their member is id */
    size_t final_n;
};

struct region {
    struct hash hash;     /* of the body: set by region_read */
    uint64_t version;     /* 1 to VERSION_MAX */
    struct hash previous; /* zero in version 1 and nowhere else */
    struct span name;
    struct uuid coordinator; /* one of the members */
    const struct region_member *members;
    size_t member_n; /* at least 1 */
    const struct region_partner *partners;
    size_t partner_n;
    const struct region_removed *removed;
    size_t removed_n;
};

/* Lists live in a, texts in body or a.  Whatever is not exactly such a body is refused: ERR_SYNTAX,
 * ERR_RULE, ERR_TYPE, ERR_RANGE, ERR_MISSING, ERR_DUPLICATE, ERR_LIMIT, with a position or place.
 */
int region_read(struct span body, struct arena *a, struct region *out, struct err *e);
/* The body, appended to out.  hash is not looked at.  Refuses what region_read would. */
int region_print(const struct region *r, struct buf *out, struct err *e);

/* A member by its id, or NULL; its place among them, or -1. */
const struct region_member *region_member(const struct region *r, const struct uuid *id);
int region_place(const struct region *r, const struct uuid *id);
size_t region_majority(const struct region *r); /* members that decide */
/* Whether a member of r made that vote on what follows r: place, names and signature. */
bool region_vote_ok(const struct region *r, const struct vote *v);

/* ---- what changes ---- */

/* A set of members of the version before: bit i is place i. */
typedef uint64_t region_set;

struct region_change {
    bool people;       /* people of a majority must agree: there is more than the two below */
    region_set own;    /* name or address changed: these must have voted for it themselves */
    region_set rolled; /* key changed: with their own vote it is a roll-over, else people's */
    region_set removed;
    size_t added;
};

/* What next changes.  -1, ERR_RULE: next cannot follow prev whoever votes for it (number, previous,
 * since, removed, or nothing changes). */
int region_diff(const struct region *prev, const struct region *next, struct region_change *out,
                struct err *e);

/* Whether a node may vote for it without asking its people: members change what is their own, and
 * each of them is in voted, the members whose own valid vote for it has been seen. */
bool region_unasked(const struct region_change *c, region_set voted);

/* ---- with its votes ---- */

struct region_voter {
    struct uuid by;
    struct signature sig;
};

/* A body and the accepts that it got in one ballot: what is stored and sent. */
struct region_signed {
    struct span body;
    uint64_t ballot;
    const struct region_voter *voters; /* sorted by id */
    size_t voter_n;
};

int region_signed_encode(const struct region_signed *s, struct buf *out, struct err *e);
/* Exactly that form, else ERR_PROTOCOL.  Voters live in a, body points into bytes. */
int region_signed_decode(struct span bytes, struct arena *a, struct region_signed *out,
                         struct err *e);

/* Version 1: one member, who is coordinator and signed it, in ballot VOTE_VOTERS_MAX. */
int region_check_first(const struct region_signed *s, struct arena *a, struct region *out,
                       struct err *e);
/* Reads s and checks that it follows prev: region_diff, each vote, a majority of prev's members in
 * one ballot of one of them, and the votes of those whose own it changes.  ERR_AUTH: the votes do
 * not suffice, or one is none.  out lives in a and s. */
int region_check_successor(const struct region *prev, const struct region_signed *s,
                           struct arena *a, struct region *out, struct err *e);

/* Two that follow one version.  No honest members do that: a majority voted for each, so at least
 * one of "both" broke its word or was set back.  The last version before them stays. */
struct region_evidence {
    struct region_signed one, two;
    region_set both; /* who voted for both: places in the version before */
};

/* 1: two different successors of prev (of nothing where it is NULL: two founded with one key);
 * 0: they have one body; -1: one of them is none. */
int region_conflict(const struct region *prev, const struct region_signed *one,
                    const struct region_signed *two, struct arena *a, struct region_evidence *out,
                    struct err *e);

#endif
