/*
 * store/store_sieve.h - a reader's memory of which generations an id may be in.
 *
 * Within this room only.  Without it each id is looked for in every generation.  A generation that
 * is full gets no more ids, so what is remembered of it stays true until it is merged; it is read
 * little by little, by those who look for ids.  Merged generations, which are few, are not
 * remembered: sieves are bounded, whatever the store grows to.
 */
#ifndef JAGA_STORE_STORE_SIEVE_H
#define JAGA_STORE_STORE_SIEVE_H

#include "store.h"

struct sieve;

/* Reads a bounded piece, now and then; in a reader's transaction.  What there is no memory for is
 * not remembered. */
int sieve_fill(struct store *s, struct err *e);
/* Whether a generation may hold a key; true where it is not known. */
bool sieve_may(const struct store *s, int64_t gen, int64_t key);
void sieve_free(struct sieve *v); /* NULL does nothing */

#endif
