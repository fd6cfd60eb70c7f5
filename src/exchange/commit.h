/*
 * exchange/commit.h - the writer's open transaction: what many senders put, synced at once.
 *
 * Rows are borrowed by the store until the commit, so they live in the arena here.  The transaction
 * begins with the first thing to write and ends when an answer is due, or when it has grown large.
 * If the commit fails, nothing in it has happened; every batch that was in it is told.
 */
#ifndef JAGA_EXCHANGE_COMMIT_H
#define JAGA_EXCHANGE_COMMIT_H

#include "inside.h"

struct batch;

struct commit {
    struct arena *arena; /* of the rows of the open transaction */
    size_t bytes;        /* of those rows, roughly */
    uint64_t serial;     /* of the transaction, or of the next */
    struct batch *first; /* batches that have something in it */
};

int commit_new(struct exchange *x, struct err *e);
void commit_free(struct exchange *x);
/* Makes sure that a transaction is open, and that x->cast is what it sees. */
int commit_begin(struct exchange *x, struct err *e);
/* Ends it, synced.  Nothing open: 0. */
int commit_flush(struct exchange *x, struct err *e);
/* The same where it has grown large enough. */
int commit_maybe(struct exchange *x, struct err *e);
/* Ends a transaction in which nothing was written. */
void commit_look(struct exchange *x);
/* Undoes what is open, as if it had failed. */
void commit_drop(struct exchange *x, const struct err *why);

#endif
