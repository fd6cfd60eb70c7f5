/*
 * store/store_gen.h - generations of index rows: where the rows of a key lie.
 *
 * Within this room only.  Index rows are keyed (generation, key, p), generation being p >> 16, so
 * that inserts stay in a region that fits the cache.  When there are many, the oldest sixteen are
 * merged into one of the next level, piece by piece; it has a negative number.  Generations follow
 * one another in the order of p.
 */
#ifndef JAGA_STORE_STORE_GEN_H
#define JAGA_STORE_STORE_GEN_H

#include "store.h"

struct gen_walk {
    struct store *s;
    int64_t base;   /* next plain generation */
    int64_t merged; /* next merged one, counted from 0 */
};

#define GEN_OF(s, p)  ((int64_t)((p) >> (s)->gen_shift))
#define GEN_MERGED(n) (-1 - (int64_t)(n))  /* the number of the n-th merged one */
#define GEN_NETS      INT64_C(-1000000000) /* values that are networks, of all rows */

/* From the newest to the oldest; *lo to *hi are the p that it can hold. */
struct gen_walk gen_walk(struct store *s);
bool gen_next(struct gen_walk *w, int64_t *gen, uint64_t *lo, uint64_t *hi);

/* Generations that nobody reads, yet or any more: whatever is erased goes from them too. */
#define GEN_HIDDEN_MAX 17
size_t gen_hidden(struct store *s, int64_t out[GEN_HIDDEN_MAX]);

/* A bounded piece of merging in a transaction of its own; outside one. */
int gen_tidy(struct store *s, bool *more, struct err *e);

#endif
