/*
 * store/store_owed.h - entries of others that have no publication here.
 *
 * Within this room only.  One row of table lack for each whose salt and header are known: an
 * erasure, or an object whose bytes are owed, or are not wanted.  Bare entries have none.
 */
#ifndef JAGA_STORE_STORE_OWED_H
#define JAGA_STORE_STORE_OWED_H

#include "store_stream.h"
#include "store_sync.h"

struct lack {
    bool owed;
    uint8_t salt[SALT_BYTES];
    char mem[ENTRY_HEADER_MAX];
    size_t n;
};

struct span lack_header(const struct lack *l);
int lack_add(struct store *s, uint32_t stream, uint64_t entry, bool owed,
             const struct store_entry *x, struct err *e);
/* 1, 0: there is none, -1. */
int lack_get(struct store *s, uint32_t stream, uint64_t entry, struct lack *out, struct err *e);

/* Whether a row is what its entry owes: ERR_MISSING, ERR_CONFLICT. */
int owed_check(struct store *s, const struct store_row *r, struct err *e);
/* It is publication p now; where it stands. */
int owed_settle(struct store *s, const struct store_row *r, uint64_t p, struct stream_place *out,
                struct err *e);

#endif
