/*
 * store/store_grams.h - the postings of one text segment: gathered, packed, read.
 *
 * Within this room only, and without the database.  A chunk holds entries in the order of their
 * trigrams: the distance from the one before (from the chunk's own first: base), how many rows have
 * it, and which.  Rows are distances, or where an eighth of the segment or more has the trigram a
 * bitmap, or nothing where all have it.
 */
#ifndef JAGA_STORE_STORE_GRAMS_H
#define JAGA_STORE_STORE_GRAMS_H

#include "buf.h"
#include "err.h"

#define CHUNK_BYTES 4000 /* two fit a page of 8 KiB */

struct gather; /* trigrams, each with the rows that have it */

struct gather *gather_new(void);
void gather_free(struct gather *g);
void gather_reset(struct gather *g);
/* grams ascend, without doubles (ERR_INTERNAL; g is of no use then); so do rows, below 65536. */
int gather_add(struct gather *g, unsigned row, const uint32_t *grams, size_t n, struct err *e);
size_t gather_bytes(const struct gather *g); /* memory that it holds */

/* Hands out the whole as chunks, in order; rows is the segment's size.  Leaves g empty. */
typedef int chunk_fn(void *ctx, uint32_t base, struct span data, struct err *e);
int gather_finish(struct gather *g, unsigned rows, chunk_fn *fn, void *ctx, struct err *e);

/* Reads a chunk entry by entry.  may gets the rows of the present entry as bits, (rows + 7) / 8
 * bytes of it. */
struct chunk_read {
    struct reader r;
    uint32_t gram;
    unsigned rows, count;
    bool failed;
};
struct chunk_read chunk_begin(struct span data, uint32_t base, unsigned rows);
bool chunk_next(struct chunk_read *c); /* false: the end, or failed; skips what was not read */
void chunk_rows(struct chunk_read *c, uint8_t *may);

/* Appends one entry; last is the trigram before it (base at the beginning). */
void chunk_put(struct buf *out, uint32_t gram, uint32_t last, const uint8_t *may, unsigned count,
               unsigned rows);
unsigned chunk_count(const uint8_t *may, unsigned rows); /* bits set */

#endif
