/*
 * ledger/membership.h - who is in what, by all versions of the region and of groups that a node
 * knows.
 *
 * Every question of the form "may this member have that" comes down to one value, a standing, so
 * that nothing else looks into versions.  An audience is named as in a stream's name: "public" and
 * "region" are the members of the region, 32 hexadecimal digits are a group.  What is neither (a
 * person, a group that never leaves its node) has no members here.
 *
 * Pure.  What is handed in has been checked before (region.h, circle.h), is borrowed and must stay
 * as long as the membership.
 */
#ifndef JAGA_LEDGER_MEMBERSHIP_H
#define JAGA_LEDGER_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "circle.h"
#include "err.h"
#include "head.h"
#include "ledger.h"
#include "region.h"

#define GROUP_TEXT (2 * GROUP_ID_BYTES) /* a group's id in a stream's name */

/* How a member stands to an audience, by what is known.  Versions are orders (GROUP_ORDER). */
struct member_standing {
    uint64_t known; /* the newest version known of the audience */
    bool now;       /* is in it: by the newest versions that are known of it and of the region */
    bool ever;
    uint64_t last_in; /* the newest version it was in */
    uint64_t begins;  /* the oldest it was in */
};

struct membership_group; /* one group, or one generation of it */

struct membership {
    const struct region *chain; /* ascending, the newest last */
    size_t chain_n;
    const struct circle_known *circles; /* by group, generation and order */
    size_t circle_n;
    const struct out_notice *outs;
    size_t out_n;
    const struct membership_group *groups, *generations;
    size_t group_n, generation_n;
};

/* All that is known; circles in any order.  Those that rest on a version of the region that is not
 * known yet do not count.  No region (chain_n 0): nobody is in anything.  Lists live in a.  -1:
 * ERR_RULE (the chain does not ascend), ERR_MEMORY or ERR_LIMIT by a. */
int membership_make(const struct region *chain, size_t chain_n, const struct circle_known *circles,
                    size_t circle_n, const struct out_notice *outs, size_t out_n, struct arena *a,
                    struct membership *out, struct err *e);

/* 1, or 0: nothing is known of that audience, or it has no members. */
int membership_standing(const struct membership *m, const struct stream_name *audience,
                        const struct uuid *member, struct member_standing *out);

bool membership_in_region(const struct membership *m, const struct uuid *member); /* now */
/* As the newest version has it that the member is in; NULL: it never was a member. */
const struct region_member *membership_member(const struct membership *m, const struct uuid *id);

/* Where a stream of that name ends because its publisher was removed.  1 and *size; 0: it was not.
 * Where the version that says so is not known, it ends at 0. */
int membership_final(const struct membership *m, const struct stream_name *name,
                     const struct hash *stream, uint64_t *size);

/* What counts of a group; NULL: nothing is known of it. */
const struct circle_current *membership_current(const struct membership *m,
                                                const uint8_t group[GROUP_ID_BYTES]);

/* Whether a version that comes from outside is taken among those that are known, all of which were
 * taken so.  Order does not matter: what cannot be judged yet waits, and is judged again when
 * something has been taken.
 *
 *   its predecessor is known     circle_check decides
 *   it is a known one's          any member of its region version has signed it: the hash binds it
 *     predecessor
 *   nothing of the group is      circle_check_alone decides, where first_word allows it: the word
 *     known                      of the member that handed it on (circle.h)
 *   there is a gap               it is signed by whom a successor of what counts would be
 *
 * 1: taken, 0: it waits (first_word is false, a gap, or its version of the region is not known),
 * -1: never: ERR_RULE, ERR_AUTH. */
int membership_admits(const struct membership *m, const struct circle *c,
                      const struct circle_mark *mark, bool first_word, struct err *e);

/* Whether that member's word counts that somebody is out of the group: its owner, or an heir, who
 * may have become owner by a version that is not known here. */
bool membership_may_tell(const struct circle *top, const struct uuid *by);

/* A version of the region that is known, or NULL. */
const struct region *membership_region(const struct membership *m, uint64_t version);

/* Groups that are known, one after the other: NULL behind the last. */
const struct circle_current *membership_group_at(const struct membership *m, size_t i);

/* A group's id in a stream's name, and back; false: text is none. */
void group_text(const uint8_t group[GROUP_ID_BYTES], char out[GROUP_TEXT + 1]);
bool group_read(struct span text, uint8_t out[GROUP_ID_BYTES]);

#endif
