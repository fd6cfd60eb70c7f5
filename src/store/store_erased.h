/*
 * store/store_erased.h - erased positions beside the database, in FILE.erased.
 *
 * Within this room only.  An older copy of the database does not know what was withdrawn after it:
 * this file does.  One record of ERASED_BYTES each, appended and synced: stream id, entry,
 * commitment, and eight bytes of the hash of these, so that a torn tail is recognised.
 */
#ifndef JAGA_STORE_STORE_ERASED_H
#define JAGA_STORE_STORE_ERASED_H

#include "store_impl.h"

#define ERASED_BYTES (HASH_BYTES + 8 + HASH_BYTES + 8)

/* Opens (and makes) the file for appending: a sandbox lets nobody open it later. */
int erased_open(const char *path, int *fd, struct err *e);

struct erased {
    struct hash stream, d;
    uint64_t entry;
};
/* Positions of publications, and others. */
int erased_append(struct store *s, const uint64_t *p, size_t n, const struct erased *places,
                  size_t place_n, struct err *e);
typedef int erased_fn(void *ctx, const struct erased *r, struct err *e);
/* Every whole record of path's file; none where there is no file. */
int erased_read(const char *path, erased_fn *fn, void *ctx, struct err *e);

/* Notes, with the commit, an entry that is erased and has no publication. */
int erased_place(struct store *s, uint32_t stream, uint64_t entry, const struct hash *d,
                 struct err *e);

#endif
