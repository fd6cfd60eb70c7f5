/*
 * exchange/keep.h - what an operator does with a store that is not about objects: verify, restore.
 */
#ifndef JAGA_EXCHANGE_KEEP_H
#define JAGA_EXCHANGE_KEEP_H

#include <stdbool.h>
#include <stdint.h>
#include "err.h"

struct exchange_check {
    uint64_t publications, erased, streams, index_rows, problems;
};

/* Everything that can be computed anew is, and compared: hashes, streams, index rows, counters.
 * Reads only; a node runs (ERR_BUSY where none does).  problem is called for each fault with its
 * place; 0: go on.  progress may be NULL.  0 also where problems were found; -1 when the check
 * itself failed. */
int exchange_verify(const char *path,
                    int (*problem)(void *ctx, const char *what, const char *place),
                    void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                    struct exchange_check *out, struct err *e);

struct exchange_restored {
    uint64_t publications; /* in the copy */
    uint64_t erased;       /* erasures newer than the copy, applied to it */
};

/* Puts the backup from in place of the store at path, which no process has open.  What was erased
 * since stays erased; every stream goes on in a new incarnation.  dry: only looks at the copy. */
int exchange_restore(const char *from, const char *path, bool dry, struct exchange_restored *out,
                     struct err *e);

#endif
