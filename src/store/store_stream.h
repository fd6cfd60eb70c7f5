/*
 * store/store_stream.h - streams: one publisher's entries for one audience, in a Merkle tree.
 *
 * Within this room only.  What an entry is and how it is hashed is the ledger's; here it is kept.
 */
#ifndef JAGA_STORE_STORE_STREAM_H
#define JAGA_STORE_STORE_STREAM_H

#include "store_impl.h"

#define SALT_BYTES 32

struct stream_place { /* where an entry stands */
    uint32_t stream;
    uint64_t entry;
    struct hash d;
    uint8_t salt[SALT_BYTES];
};

void streams_free(struct streams *t);

/* The present stream of a publisher and an audience, made where there is none. */
int stream_of(struct store *s, uint32_t publisher, uint32_t audience, uint32_t *out, struct err *e);

/* The next entry of (publisher, audience): a publication ... */
int stream_add(struct store *s, const struct store_row *r, struct stream_place *out, struct err *e);
/* ... or the erasure of entry `erased` of the same stream, whose commitment is d. */
int stream_add_erase(struct store *s, uint32_t stream, uint64_t erased, const struct hash *d,
                     struct stream_place *out, struct err *e);
/* Writes sizes and frontiers. */
int streams_save(struct store *s, struct err *e);
/* A new incarnation of every stream (restore). */
int streams_renew(struct store *s, struct err *e);

#endif
