/*
 * store/store_source.h - the conditions of a search: rows that fulfil one, newest first.
 *
 * Within this room only.  A source gives the rows of one condition in descending order and can be
 * asked for the next at or below any p; a search lets its sources leap over one another until all
 * stand on the same row.  Rows of audiences outside the view are passed over where the source
 * knows the audience; the caller checks each row all the same.
 */
#ifndef JAGA_STORE_STORE_SOURCE_H
#define JAGA_STORE_STORE_SOURCE_H

#include "store_find.h"
#include "store_impl.h"

enum source_kind {
    SOURCE_TERM,    /* key: of store_key */
    SOURCE_VALUES,  /* ranges */
    SOURCE_EDGES,   /* key: the node; edge: the kind, 0 for any */
    SOURCE_TEXT,    /* grams */
    SOURCE_BATCH,   /* batch */
    SOURCE_LISTS,   /* the view itself, by posting lists */
    SOURCE_COLUMNS, /* the view itself, by columns */
};

struct source {
    enum source_kind kind;
    struct store *s;
    const struct view *view;
    int64_t key;
    uint32_t edge;
    uint64_t batch;
    const struct store_range *ranges;
    size_t range_count;
    const uint32_t *grams;
    size_t gram_count;
    const uint32_t *types; /* SOURCE_LISTS, SOURCE_COLUMNS; NULL: all */
    size_t type_count;

    /* What was read ahead: all rows from `floor` up to where the last fill began. */
    uint64_t *rows;
    size_t n, at, room;
    uint64_t floor;
    uint64_t *nets; /* SOURCE_VALUES: rows of networks, which have one generation */
    size_t net_count;
    bool nets_read;
    uint64_t work; /* rows looked at */
};

void source_begin(struct source *x); /* the fields above the line are set */
void source_end(struct source *x);
/* From the newest row again: dates and p do not fall together where there are grants. */
void source_rewind(struct source *x);
/* The greatest row at or below p.  1, 0: none, -1. */
int source_prev(struct source *x, uint64_t p, uint64_t *out, struct err *e);

#define SOURCE_LISTS_MAX 128 /* posting lists that a search reads side by side */

#endif
