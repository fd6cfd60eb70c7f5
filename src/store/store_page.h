/*
 * store/store_page.h - what a view shows: pages of a collection, objects by id.
 *
 * An object is listed once for each version selected, at its date: the least arrival of its bytes
 * in the view; where a later erase row of that id is seen, the best version left is dated there.
 * The order is by date, oldest first, and a date names one row.  Nothing that the view does not
 * show changes what is listed, its date, or whether there is more.
 */
#ifndef JAGA_STORE_STORE_PAGE_H
#define JAGA_STORE_STORE_PAGE_H

#include "store.h"
#include "view.h"

/* Which versions; a version selected twice is listed once. */
struct store_versions {
    bool last, first, all;
    bool variants; /* with all: every content, not only the best of each modified */
    const struct instant *times;
    size_t time_count;
};

#define STORE_SPEC_20 1u
#define STORE_SPEC_21 2u

struct store_filter { /* empty lists do not restrict */
    const struct span *types;
    size_t type_count;
    const struct span *ids;
    size_t id_count;
    unsigned specs;                 /* STORE_SPEC_ bits; 0: all */
    struct store_versions versions; /* none set: last */
};

struct store_item {
    uint64_t p; /* of the publication that holds it */
    uint32_t audience;
    uint32_t publisher;
    uint64_t seq;
    int64_t date_us;   /* in this view */
    struct span bytes; /* all spans are borrowed during the call */
    struct span id;    /* only where asked for (STORE_WANT_ID) */
    struct span type;
    bool versioned, revoked, spec20;
    struct instant modified;
    uint64_t batch;
    int confidence; /* -1: none */
};

#define STORE_WANT_BYTES 1u
#define STORE_WANT_ID    2u
/* A page whose taker uses p, audience, seq, date_us, type, spec20, revoked, bytes and id alone: the
 * rest need not be read and may be missing. */
#define STORE_WANT_LITTLE 4u

/* 0: taken; 1: it does not fit, the page ends before it; -1: failed. */
typedef int store_item_fn(void *ctx, const struct store_item *it, struct err *e);

struct store_page_ask {
    const struct view *view;
    const struct store_filter *filter;
    int64_t after_us; /* dates beyond this one */
    uint32_t limit;   /* 1 to 10,000 */
    unsigned want;
    int way; /* how rows are found: 0 chooses the cheapest; tests ask for each (store_scan.h) */
};

struct store_page_end {
    size_t count;
    int64_t first_us, last_us; /* 0 on an empty page */
    bool more;                 /* another row of this view matches; after last_us */
    bool more_in_ms;           /* and it is rounded up to the same millisecond as last_us */
};

int store_page(struct store *s, const struct store_page_ask *ask, store_item_fn *fn, void *ctx,
               struct store_page_end *out, struct err *e);

/* The versions of one id that the view shows, best first.  *n counts them; 0: none that this view
 * shows, for whatever reason.  fn may be NULL where only the count matters. */
int store_get(struct store *s, const struct view *v, struct span id,
              const struct store_versions *which, unsigned want, store_item_fn *fn, void *ctx,
              size_t *n, struct err *e);

/* Every publication of an id that the view shows (the same bytes once for each audience), oldest
 * date first: for "audiences" and "who". */
int store_shown(struct store *s, const struct view *v, struct span id, unsigned want,
                store_item_fn *fn, void *ctx, size_t *n, struct err *e);

/* How many rows a view lists, by audience and type: fn gets each count that is not 0. */
typedef int store_count_fn(void *ctx, uint32_t audience, struct span type, uint64_t n);
int store_counts(struct store *s, const struct view *v, store_count_fn *fn, void *ctx,
                 struct err *e);

#endif
