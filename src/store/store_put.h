/*
 * store/store_put.h - what is appended: publications and erasures, in the writer.
 *
 * Rows are collected until store_commit, which gives them arrivals and then, in the order of
 * arrival, their numbers p.  A commit takes whole milliseconds of its own, one second ahead of the
 * clock; within them, but not at their very beginning, each audience's rows lie 25 us apart in one
 * run at a random place.  Markings come before identities, identities before other objects, these
 * before relationships and sightings, and reports last, whatever the order of the calls.
 */
#ifndef JAGA_STORE_STORE_PUT_H
#define JAGA_STORE_STORE_PUT_H

#include "crypto.h"
#include "store.h"

#define STORE_DATED_AHEAD_US                                                                       \
    86400000000 /* dated more than a day past its arrival: ranks lowest                            \
                 */

enum store_order { /* within an audience: clients want ends before edges */
                   STORE_MARKING,
                   STORE_IDENTITY,
                   STORE_OTHER,
                   STORE_EDGE,  /* relationships and sightings */
                   STORE_REPORT /* what lists others: report, grouping, note, opinion */
};

struct store_from { /* an entry of another's stream whose bytes are owed (store_sync.h) */
    uint32_t stream;
    uint64_t entry;
};

struct store_row {
    struct span id;
    struct span type;
    struct span bytes; /* canonical */
    struct hash hash;  /* of bytes */
    uint32_t audience;
    uint32_t publisher;     /* organisation whose stream carries it */
    uint64_t group_version; /* for the entry's header; 0 where there is none yet */
    enum store_order order;
    bool versioned; /* has modified; SCOs and markings have none: every content is listed */
    struct instant modified; /* or created where it is not versioned and has that */
    bool created;            /* ... which is so */
    bool owner;              /* by the creator to whom the id is bound: ranks highest */
    bool revoked;
    bool spec20;    /* of STIX 2.0 */
    int confidence; /* 0 to 100; -1: none */
    uint64_t batch; /* 0: none */
    struct store_index index;
    const struct store_from *from; /* NULL: said here; else publisher and group_version are those of
                                    * the stream and the entry */
};

/* Everything in *r is borrowed until store_commit or store_abort.  *at (may be NULL) is the row's
 * number in this commit, from 0.  ERR_LIMIT: STORE_COMMIT_MAX is reached, commit first.  With from:
 * ERR_MISSING: nothing is owed there, ERR_CONFLICT: it is not what was committed to. */
int store_put(struct store *s, const struct store_row *r, size_t *at, struct err *e);

/* After store_commit has returned 0 and until the next store_begin: what row at became. */
int store_put_result(struct store *s, size_t at, uint64_t *p, int64_t *arrival_us, struct err *e);
size_t store_put_count(const struct store *s); /* rows and erasures of this commit so far */
/* How many there should be when a large commit ends: then a text segment ends with it, and no row
 * needs a signature of its own.  At most STORE_COMMIT_GOOD. */
size_t store_put_good(const struct store *s);

/* Erases a publication: its bytes, header, salt, index rows and trigrams go, its commitment stays,
 * and an erase row is appended to its audience and its stream.  Its position is noted, synced,
 * beside the database before the commit ends.  Of another's stream nothing is appended to it: that
 * is for its publisher to say.  ERR_MISSING: no living publication has that p. */
int store_erase(struct store *s, uint64_t p, struct err *e);

/* A publication as it stands, whoever may see it: for the decisions of exchange alone. */
struct store_held {
    uint64_t p; /* 0: put in this very commit */
    size_t at;  /* its number in this commit, where p is 0 */
    uint32_t audience;
    uint32_t publisher;
    uint64_t seq; /* unused where p is 0 */
    int64_t arrival_us;
    uint64_t batch;
    bool versioned, owner, ahead, revoked;
    bool erased;     /* an erase row of this id: no bytes; modified is that of what was erased */
    uint64_t target; /* ... which was this publication */
    struct instant modified;
    struct span bytes; /* borrowed during the call */
    struct hash hash;
};

/* Every publication of an id, oldest first, then those put in this commit.  fn returns 0 to go on,
 * else what this returns (1: enough; -1: failed).  bytes and hash are left out with light. */
typedef int store_held_fn(void *ctx, const struct store_held *h, struct err *e);
int store_held_each(struct store *s, struct span id, bool light, store_held_fn *fn, void *ctx,
                    struct err *e);
/* What is left of an erased one (by the target of its erase row): place, arrival, publisher and
 * batch.  1, 0: p is no erased row, -1. */
int store_held_gone(struct store *s, uint64_t p, struct store_held *out, struct err *e);
/* One by p, with its id (in a).  1, 0: none, -1. */
int store_held_get(struct store *s, uint64_t p, struct arena *a, struct span *id,
                   struct store_held *out, struct err *e);
/* Those of a batch, oldest first; id is borrowed during the call. */
typedef int store_batch_row_fn(void *ctx, struct span id, const struct store_held *h,
                               struct err *e);
int store_batch_rows(struct store *s, uint64_t batch, store_batch_row_fn *fn, void *ctx,
                     struct err *e);

#endif
