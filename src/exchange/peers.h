/*
 * exchange/peers.h - what this node holds, as the protocol between nodes sees it
 * (sync/replica.h), over the store.
 *
 * Reads see the open transaction.  What one answer changes is one transaction of the writer, with
 * what it means for the rights here.  Bytes that came from outside are put as a front's are: read
 * by a process that has nothing worth stealing, and believed as bytes alone.
 */
#ifndef JAGA_EXCHANGE_PEERS_H
#define JAGA_EXCHANGE_PEERS_H

#include "inside.h"
#include "intake.h"
#include "members.h"
#include "replica.h"
#include "offer.h"
#include "store_sync.h"

struct peers {
    struct exchange *x;
    struct replica table;
    struct sync_epoch epoch; /* of this process */
    struct arena *trees;     /* sources of trees, until peers_rest */
    bool members_changed;    /* in the open transaction */
    struct hash last_id;     /* a stream that was asked for, since most questions are of one ... */
    uint32_t last_number;    /* ... and its number, which is its own for ever; 0: none */
    /* What was read from the bodies of the answer that is being taken: found by hash. */
    const struct intake_result *bodies;
    size_t body_n;
    size_t body_at; /* where the next one is, if they come in the order of the answer */
};

/* The one of this exchange, made where there is none; NULL: no memory. */
struct peers *peers_of(struct exchange *x, struct err *e);
void peers_free(struct peers *p);
/* Before each question and each answer: forgets the trees of the last. */
void peers_rest(struct peers *p);

/* -- peers_take.c: what an answer changes -------------------------------------------------------
 */
void peers_take_table(struct replica *r);
/* A stream as sync has it; 0: it has no signed head yet. */
int peers_stream(const struct store_stream *t, struct arena *a, struct sync_stream *out,
                 struct err *e);

#endif
