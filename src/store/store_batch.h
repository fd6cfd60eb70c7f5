/*
 * store/store_batch.h - batches: what came in together, what became of it, what waits.
 */
#ifndef JAGA_STORE_STORE_BATCH_H
#define JAGA_STORE_STORE_BATCH_H

#include "store.h"

enum store_batch_state {
    STORE_BATCH_OPEN = 1,
    STORE_BATCH_DONE = 2,
    STORE_BATCH_QUARANTINE = 3,
    STORE_BATCH_UNDONE = 4,
    STORE_BATCH_RELEASED = 5,
    STORE_BATCH_CUT = 6 /* its sender went away; what was flushed stays */
};

struct store_batch {
    uint64_t n;
    uint32_t principal;
    struct span source;     /* a file's name, "POST" ... */
    struct span collection; /* TAXII: where it was posted to; else empty */
    struct span token;      /* what the poster knows it by (TAXII's status id); may be empty */
    int64_t begun_us, ended_us;
    enum store_batch_state state;
    uint64_t objects; /* all that were counted */
};

int store_batch_begin(struct store *s, struct store_batch *b,
                      struct err *e); /* fills n, begun_us */
int store_batch_state(struct store *s, uint64_t n, enum store_batch_state state, struct err *e);
int store_batch_get(struct store *s, uint64_t n, struct arena *a, struct store_batch *out,
                    struct err *e); /* 1, 0: none, -1 */
int store_batch_by_token(struct store *s, struct span token, struct arena *a,
                         struct store_batch *out, struct err *e);
/* Newest first, with n < before (0: all). */
int store_batch_list(struct store *s, uint64_t before, uint32_t limit, struct arena *a,
                     struct store_batch **out, size_t *n, struct err *e);
/* At start: batches still open are those of a process that was killed. */
int store_batch_cut_open(struct store *s, struct err *e);

/* Adds to the count of (outcome, cause); outcome and what makes a cause are the caller's. */
struct store_cause {
    uint32_t outcome;
    struct span rule, clause, text; /* may be empty */
    uint64_t count;
};
int store_batch_count(struct store *s, uint64_t batch, const struct store_cause *c, struct err *e);
int store_batch_causes(struct store *s, uint64_t batch, struct arena *a, struct store_cause **out,
                       size_t *n, struct err *e);

/* An item: an object of a batch and what is to be said of it. */
struct store_note {
    struct span pointer, rule, clause, text;
};
struct store_batch_item {
    uint64_t n; /* its number in what was sent, from 0 */
    uint32_t outcome;
    struct span id, version;
    const struct store_note *notes;
    size_t note_count;
};
int store_item_put(struct store *s, uint64_t batch, const struct store_batch_item *it,
                   struct err *e);
/* From number `from` on, at most limit; *more. */
int store_item_list(struct store *s, uint64_t batch, uint64_t from, uint32_t limit, struct arena *a,
                    struct store_batch_item **out, size_t *n, bool *more, struct err *e);

/* The defects that a publication keeps. */
int store_defects_put(struct store *s, size_t at, const struct store_note *notes, size_t n,
                      struct err *e); /* at: from store_put, in this commit; borrowed until then */
int store_defects_get(struct store *s, uint64_t p, struct arena *a, struct store_note **out,
                      size_t *n, struct err *e);

/* A batch reported a row as known that another had stored: undo of the other names it. */
int store_known_put(struct store *s, uint64_t p, uint64_t batch, struct err *e);
/* Batches that reported rows of this one known, each once, ascending. */
int store_known_later(struct store *s, uint64_t batch, struct arena *a, uint64_t **out, size_t *n,
                      struct err *e);

/* What waits: seen by nobody. */
enum store_wait {
    STORE_WAIT_MARKING = 1,
    STORE_WAIT_UNCLEAR = 2,
    STORE_WAIT_QUARANTINE = 3,
    STORE_WAIT_PROPOSAL = 4,
    STORE_WAIT_RELAXED = 5,
    STORE_WAIT_HOLD = 6
};

#define STORE_PENDING_ROWS  100000     /* at most, and */
#define STORE_PENDING_BYTES (1u << 30) /* so many bytes of objects: then ERR_FULL */

struct store_pending {
    uint64_t n;
    uint64_t batch, item;
    uint32_t principal;
    enum store_wait reason;
    struct span marking; /* STORE_WAIT_MARKING: the id that is missing */
    struct span id, type;
    struct span bytes;
    struct span ask; /* what was asked (audience, channel ...), in the caller's own form */
    int64_t at_us;
};

int store_pending_put(struct store *s, const struct store_pending *w, uint64_t *n, struct err *e);
int store_pending_get(struct store *s, uint64_t n, struct arena *a, struct store_pending *out,
                      struct err *e);                               /* 1, 0: none, -1 */
int store_pending_drop(struct store *s, uint64_t n, struct err *e); /* the bytes are wiped */
/* Ascending, n > after; without bytes; batch, reason and marking restrict where they are not 0 or
 * empty. */
int store_pending_list(struct store *s, uint64_t after, uint64_t batch, enum store_wait reason,
                       struct span marking, uint32_t limit, struct arena *a,
                       struct store_pending **out, size_t *n, struct err *e);

#endif
