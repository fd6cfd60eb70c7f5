/*
 * store/store_pend.h - the rows of a commit before they have numbers.
 *
 * Within this room only.
 */
#ifndef JAGA_STORE_STORE_PEND_H
#define JAGA_STORE_STORE_PEND_H

#include "store_batch.h"
#include "store_erased.h"
#include "store_impl.h"

struct pend {
    struct store_row r; /* borrowed from the caller until the commit */
    bool erase;
    bool dropped;    /* taken back before the commit: as if it had never been gathered */
    uint64_t target; /* what is erased */
    uint32_t audience;
    int64_t key;    /* of the id */
    uint32_t chain; /* the next row of the same head, plus 1 */
    unsigned order; /* within the audience */
    const struct store_note *notes;
    size_t note_count;
    uint64_t p;
    int64_t arrival_us;
};

struct batch_range {
    uint64_t batch, from, to;
};

struct put {
    struct pend *rows;
    size_t n, room;
    uint32_t *heads; /* of ids, by their keys */
    uint64_t *erased;
    size_t erased_n, erased_room;
    struct erased *places; /* erased before there was a publication */
    size_t place_n, place_room;
    struct batch_range ranges[64]; /* batches that share a commit; more make more rows */
    size_t range_n;
};

/* The rows of this commit with that id: the first (after NULL), the next ...; the newest first. */
struct pend *pend_next(struct store *s, int64_t key, struct span id, const struct pend *after);

int put_ranges_save(struct store *s, struct err *e);

/* store_batch.c */
int defects_save(struct store *s, uint64_t p, const struct store_note *notes, size_t n,
                 struct err *e);

#endif
