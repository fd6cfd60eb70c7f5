/*
 * exchange/members.h - the region and its groups as this node knows them.
 *
 * What members have signed is kept as bytes (store_said.h); from all of it comes who is in what
 * (membership.h), and what that means for the rows of rights here: an organisation for each member
 * of the region, a group for each group that this node is in.  Nothing else writes those rows.
 */
#ifndef JAGA_EXCHANGE_MEMBERS_H
#define JAGA_EXCHANGE_MEMBERS_H

#include "inside.h"
#include "membership.h"
#include "store_said.h"
#include "wire.h"

/* Kinds in store_said: those of sync/wire.h (versions of the region and of groups that count,
 * notices, receipts of others), and these.  The numbers are stored; never change them. */
#define SAID_OWN_RECEIPT 40u  /* ours, for a stream of another; name: the stream */
#define SAID_CONFLICT    41u  /* two successors of one version of the region; name: its number */
#define SAID_WAITING     100u /* + kind: what cannot be judged yet */

#define WAITING_MAX 512u /* versions that wait: of a few groups over a long partition */

void members_free(struct members *m);
/* Drops what was computed, so that it is read anew: after something was taken, or undone. */
void members_forget(struct exchange *x);

/* Who is in what, by what the open transaction sees; good until the next call of this room.
 * chain_n is 0 where the node is in no region.  NULL: failed. */
const struct membership *members_now(struct exchange *x, struct err *e);
/* The order that is stamped on what is said to an audience now (GROUP_ORDER): 0 where there is no
 * version of it.  -1, ERR_CONFLICT: two versions rival, and nothing is said to it until its owner
 * has signed another. */
int members_order(struct exchange *x, const struct audience *a, uint64_t *out, struct err *e);

/* Items of a round: u64 order, then the signed version; a notice.  1: taken, 0: known, or it waits,
 * or it means nothing here; -1: ERR_PROTOCOL where it is not what it should be. */
int members_take_region(struct exchange *x, struct span content, struct err *e);
int members_take_circle(struct exchange *x, const struct uuid *from, struct span content,
                        struct err *e);
int members_take_out(struct exchange *x, struct span content, struct err *e);
/* What a removal notice is kept under. */
#define MEMBERS_OUT_NAME (GROUP_ID_BYTES + 24)
void members_out_name(const struct out_notice *n, uint8_t out[MEMBERS_OUT_NAME]);
/* By the operator's word: the first version of a region, and those that follow it. */
int members_found(struct exchange *x, const struct region_signed *list, size_t n, struct err *e);
/* A version of a group that this node has signed itself. */
int members_say_circle(struct exchange *x, const struct circle_signed *s, struct err *e);

/* Brings organisations and groups up to what members_now says.  In the open transaction; what opens
 * to whom is settled with it. */
int members_apply(struct exchange *x, struct err *e);

/* The organisation of a member, or 0. */
uint32_t member_org(const struct exchange *x, const struct uuid *id);
/* The audience that a stream's name names, made where there is none.  1; 0: its group is not known
 * here, or it is for a person. */
int member_audience(struct exchange *x, const struct stream_name *name, struct audience *out,
                    struct err *e);

#endif
