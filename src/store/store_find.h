/*
 * store/store_find.h - search and related, inside a view, newest first.
 *
 * An object is found once, by its best version in the view.  All conditions that are given must
 * hold at once.  A call does a bounded amount of work; where that ends before the page is full it
 * says from where to go on.
 */
#ifndef JAGA_STORE_STORE_FIND_H
#define JAGA_STORE_STORE_FIND_H

#include "store_page.h"

#define STORE_RANGES_MAX 130 /* of keys in one search, as value.h gives them */

struct store_range { /* lo <= key <= hi, both value.h keys */
    struct span lo, hi;
};

struct store_search {
    const struct store_range *ranges; /* any of them; NULL: no value is asked for */
    size_t range_count;
    const uint32_t *grams; /* trigrams, all of which the text must have; with match */
    size_t gram_count;
    /* Whether the object's text holds what is looked for; NULL: no text is asked for. */
    bool (*match)(void *ctx, struct span bytes);
    void *match_ctx;
    const struct span *types;
    size_t type_count;
    struct span id;
    struct span label;          /* folded */
    struct span creator;        /* an identity's id */
    struct span defect;         /* a rule's name; "*": any */
    uint32_t publisher;         /* organisation; 0: any */
    int64_t since_us, until_us; /* dates; 0: open */
    uint64_t batch;
    bool confidence;
    int confidence_min, confidence_max;
    bool revoked; /* revoked ones alone */
};

struct store_find_ask {
    const struct view *view;
    int64_t before_us; /* dates below this one; 0: from the newest */
    uint32_t limit;
    uint32_t work; /* rows looked at, at most; 0: the default */
    unsigned want;
};

struct store_find_end {
    size_t count;
    bool more;       /* there is, or may be, more */
    int64_t next_us; /* before_us to go on with, where more */
};

int store_search(struct store *s, const struct store_find_ask *ask, const struct store_search *q,
                 store_item_fn *fn, void *ctx, struct store_find_end *out, struct err *e);

/* The objects that refer to id by one kind of property (0: any), newest first. */
int store_related(struct store *s, const struct store_find_ask *ask, struct span id, uint32_t kind,
                  store_item_fn *fn, void *ctx, struct store_find_end *out, struct err *e);

#endif
