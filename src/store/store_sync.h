/*
 * store/store_sync.h - streams whole: entries, trees and signed heads, of our own and of others.
 *
 * A stream of our own grows by store_put and store_erase.  Of another publisher's, entries are
 * taken as they come (store_entries_take), most of them with a header and without bytes: those are
 * owed until store_put is given them with its `from`, or what they committed to is erased.  What an
 * erase row of another's stream erases is told by store_erase_taken; the stream itself stays as its
 * publisher said it.
 *
 * All in a transaction; what looks at a tree in the writer writes first what is gathered.
 */
#ifndef JAGA_STORE_STORE_SYNC_H
#define JAGA_STORE_STORE_SYNC_H

#include "ledger.h"
#include "merkle.h"
#include "store.h"
#include "store_put.h"

#define STORE_HEAD_MAX     512u       /* bytes of a signed head */
#define STORE_EVIDENCE_MAX (1u << 20) /* ... of what proves two histories */

struct store_stream {
    uint32_t number, publisher, audience;
    struct hash id;
    struct stream_name name; /* its group lives in the arena */
    bool own;                /* of this node, also one that came back from others */
    bool current;            /* ... and of the present incarnation: it is said here */
    uint64_t size;           /* entries, from 0 */
    struct hash root;        /* of those */
    uint64_t settled;        /* entries whose bytes are not awaited */
    struct span head;        /* the last that was kept; empty: none */
    uint64_t head_size;      /* entries that it signs */
    struct span links;       /* as they were kept with it */
    bool frozen;
    uint64_t frozen_at;
    struct span evidence;
};

/* By id, or by number where id is NULL; spans live in a.  1, 0: none, -1. */
int store_stream_get(struct store *s, const struct hash *id, uint32_t number, struct arena *a,
                     struct store_stream *out, struct err *e);
/* All, by number.  fn: 0 to go on; spans are good during the call. */
typedef int store_stream_fn(void *ctx, const struct store_stream *st, struct err *e);
int store_stream_each(struct store *s, store_stream_fn *fn, void *ctx, struct err *e);
/* Our own with more entries than their head signs: numbers, in a. */
int store_stream_unsigned(struct store *s, struct arena *a, uint32_t **out, size_t *n,
                          struct err *e);

/* One that others say, or that we said before a restore, empty; its number, also where it is there
 * already.   name must be what its
 * publisher's identity and the audience make it: ERR_CONFLICT. */
int store_stream_make(struct store *s, const struct stream_name *name, uint32_t publisher,
                      uint32_t audience, uint32_t *number, struct err *e);
int store_head_keep(struct store *s, uint32_t stream, uint64_t size, struct span head,
                    struct span links, struct err *e);
/* Two histories are known; the least `at` counts. */
int store_stream_freeze(struct store *s, uint32_t stream, uint64_t at, struct span evidence,
                        struct err *e);

/* Leaves and inner nodes of a stream, good until the transaction ends or something is written;
 * lives in a. */
int store_stream_source(struct store *s, uint32_t stream, struct arena *a,
                        struct merkle_source *out, struct err *e);

struct store_entry {
    bool bare; /* erased, or never told: only d is there */
    struct hash d;
    uint8_t salt[ENTRY_SALT_BYTES];
    struct span header; /* ledger.h */
    bool has_body;
    struct span body; /* canonical; only where it was asked for */
    uint64_t p;       /* the publication that it is; 0: none here */
};
/* Spans live in a.  1, 0: no such entry, -1. */
int store_entry_get(struct store *s, uint32_t stream, uint64_t i, bool body, struct arena *a,
                    struct store_entry *out, struct err *e);

/* Where a publication stands.  1, 0: in no stream, -1. */
int store_place_of(struct store *s, uint64_t p, uint32_t *stream, uint64_t *entry, struct err *e);

/* Entries from `from` on of a stream that is not said here (any more), without their bytes (p,
 * has_body and body are not looked at).  Those that are held are passed over.  ERR_RANGE: they do
 * not follow; ERR_CONFLICT: others are held there; ERR_PROTOCOL: a header that is none, or not what
 * d commits to; ERR_DENIED: a present stream of our own. */
int store_entries_take(struct store *s, uint32_t stream, uint64_t from,
                       const struct store_entry *list, size_t n, struct err *e);
/* What an entry holds goes: its publication (an erase row says so in its audience), or what is
 * known of it, also where its bytes came in this transaction.  0 also where nothing is left. */
int store_erase_taken(struct store *s, uint32_t stream, uint64_t target, struct err *e);
/* Entries whose bytes are owed, ascending, at most max; in a. */
int store_owed(struct store *s, uint32_t stream, uint64_t from, size_t max, struct arena *a,
               uint64_t **out, size_t *n, struct err *e);

/* Bytes that are owed and not wanted: the entry stays as it is known, and counts as settled. */
int store_owed_drop(struct store *s, uint32_t stream, uint64_t entry, struct err *e);

/* Rises with every commit that changed anything. */
uint64_t store_changes(const struct store *s);

#endif
