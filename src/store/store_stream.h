/*
 * store/store_stream.h - streams: one publisher's entries for one audience, in a Merkle tree.
 *
 * Within this room only.  What an entry is and how it is hashed is the ledger's; here it is kept.
 * In a stream's name the groups public and region are called so, with a generation of zeros; any
 * other group by the random id of its first generation, a person by "person:" and its number, which
 * means nothing elsewhere.
 */
#ifndef JAGA_STORE_STORE_STREAM_H
#define JAGA_STORE_STORE_STREAM_H

#include "ledger.h"
#include "merkle.h"
#include "store_impl.h"

#define SALT_BYTES ENTRY_SALT_BYTES

struct stream_place { /* where an entry stands */
    uint32_t stream;
    uint64_t entry;
    struct hash d;
    uint8_t salt[SALT_BYTES];
};

void streams_free(struct streams *t);

/* The present stream of a publisher and an audience, made where there is none. */
int stream_of(struct store *s, uint32_t publisher, uint32_t audience, uint32_t *out, struct err *e);
/* Its name; the group's text in mem of LEDGER_GROUP_MAX bytes.  inc: the incarnation. */
int stream_naming(struct store *s, uint32_t publisher, const struct audience *a,
                  const uint8_t inc[LEDGER_RANDOM_BYTES], char *mem, struct stream_name *out,
                  struct err *e);
/* Makes a row for one: current, of this node and of now; own, of this node. */
int stream_insert(struct store *s, uint32_t publisher, uint32_t audience, bool own, bool current,
                  const struct hash *id, const uint8_t inc[LEDGER_RANDOM_BYTES], uint32_t *out,
                  struct err *e);

/* The next entry of (publisher, audience): publication p ... */
int stream_add(struct store *s, const struct store_row *r, uint64_t p, struct stream_place *out,
               struct err *e);
/* ... or, as publication p, the erasure of entry `erased` of the same stream, whose commitment is
 * d. */
int stream_add_erase(struct store *s, uint32_t stream, uint64_t erased, const struct hash *d,
                     uint64_t p, struct stream_place *out, struct err *e);
/* A leaf of a stream that another says; it has no publication yet. */
int stream_take(struct store *s, uint32_t stream, const struct hash *d, struct err *e);
/* ... and its bytes came, as publication p. */
int stream_point(struct store *s, uint32_t stream, uint64_t entry, uint64_t p, struct err *e);
/* So many more entries, or fewer, owe their bytes. */
int stream_owe(struct store *s, uint32_t stream, int change, struct err *e);
/* Where it stands now. */
int stream_frontier(struct store *s, uint32_t stream, struct merkle_frontier *out, struct err *e);
/* Writes sizes, frontiers and trees. */
int streams_save(struct store *s, struct err *e);
/* A new incarnation of every stream of our own (restore). */
int streams_renew(struct store *s, struct err *e);
/* Trees and names of streams of a store that had none: within the step to schema 2. */
int streams_upgrade(struct store *s, struct err *e);

#endif
