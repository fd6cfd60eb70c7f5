/*
 * store/store_check.h - verify: everything that can be computed anew is, and compared.
 */
#ifndef JAGA_STORE_STORE_CHECK_H
#define JAGA_STORE_STORE_CHECK_H

#include "store.h"

struct store_check_counts {
    uint64_t publications, erased, erases, streams, audiences, index_rows, segments, problems;
};

/* Called for each problem: what is wrong, and where ("publication 12", "stream 3 entry 7").  Not 0:
 * stop. */
typedef int store_problem_fn(void *ctx, const char *what, const char *place);
/* May be NULL. */
typedef void store_progress_fn(void *ctx, uint64_t done, uint64_t total);

/* Hashes, commitments, leaves and frontiers; density of p, seq and entries; flags, latest rows,
 * postings, counters; index rows against the callback of store_options.  0 also where problems were
 * found (counts.problems); -1 when the check itself failed.  Not within a transaction. */
int store_check(struct store *s, store_problem_fn *fn, store_progress_fn *progress, void *ctx,
                struct store_check_counts *out, struct err *e);

#endif
