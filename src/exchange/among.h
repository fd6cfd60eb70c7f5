/*
 * exchange/among.h - this node among others: rounds with peers, and what it signs.
 *
 * The door of objects stays exchange.h: what comes here is put as a publication of its publisher's
 * stream, and what goes out is what sync/offer.h lets a member see.  Who is at the other end has
 * been proven before; nothing here is told by a front.
 */
#ifndef JAGA_EXCHANGE_AMONG_H
#define JAGA_EXCHANGE_AMONG_H

#include "circle.h"
#include "exchange.h"
#include "head.h"
#include "merkle.h"
#include "region.h"
#include "round.h"

/* -- signing -- */

struct exchange_head {
    struct head head;          /* all but its signature, which is filled in */
    struct merkle_proof proof; /* from what was signed last of that stream */
};
struct exchange_receipt {
    struct receipt receipt;
    struct merkle_proof proof;
};

/* Whoever holds the node's key: a table, so that it can be another process.  Each returns 0, or -1
 * with e filled; of a list all are signed or none. */
struct exchange_signer {
    void *arg;
    int (*heads)(void *arg, struct exchange_head *list, size_t n, struct err *e);
    int (*receipts)(void *arg, struct exchange_receipt *list, size_t n, struct err *e);
    int (*erase)(void *arg, struct erase_notice *n, struct err *e);
    int (*out)(void *arg, struct out_notice *n, struct err *e);
};

#define SIGN_AT_ONCE 256u /* heads or receipts of one request */

/* The writer: has signed what was said, taken back and received since the last time, and keeps it.
 * *more: there is more to sign.  0 also where there is nothing. */
int exchange_sign(struct exchange *x, const struct exchange_signer *signer, bool *more,
                  struct err *e);

/* The writer: the key that the node signs with, kept so that readers know it. */
int exchange_own_key(struct exchange *x, const struct sign_public *key, struct err *e);
/* Nothing is gathered that a commit now would cut small. */
bool exchange_idle(const struct exchange *x);

/* -- peers -- */

/* A member's question, answered behind what out holds: sync/server.h. */
int exchange_answer(struct exchange *x, const struct uuid *peer, const struct sync_ask *q,
                    struct buf *out, struct err *e);

/* One round with a peer, in the writer. */
struct exchange_round;
struct exchange_round *exchange_round_new(struct exchange *x, const struct uuid *peer,
                                          struct err *e);
void exchange_round_free(struct exchange_round *r);
/* 1: the next question is appended to out; 0: the round is over; -1. */
int exchange_round_ask(struct exchange_round *r, struct buf *out, struct err *e);
/* The answer to it as it came, and what was read from its bodies by who parses: intake_msg.h, in
 * any order.  -1: ERR_PROTOCOL where the peer (or who parsed) is at fault; the round is over. */
int exchange_round_take(struct exchange_round *r, struct span answer, const struct span *bodies,
                        size_t body_n, struct err *e);
const struct sync_counts *exchange_round_counts(const struct exchange_round *r);

/* -- the region -- */

/* By the operator's word the node follows this chain from its first version on. */
int exchange_found(struct exchange *x, const struct region_signed *list, size_t n, struct err *e);
/* A version of a group that this node has signed. */
int exchange_say_circle(struct exchange *x, const struct circle_signed *s, struct err *e);

#endif
