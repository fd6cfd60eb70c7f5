/*
 * store/store_text.h - trigrams in write-once segments, and signatures of what has none yet.
 *
 * Within this room only.  A segment covers at most SEG_ROWS publications in a row.  The writer
 * gathers their trigrams in memory, compressed, and writes the segment when it is full; until
 * then each publication has a small signature, which a search goes through.  After a restart the
 * trigrams are made again from the bytes when they are needed.
 */
#ifndef JAGA_STORE_STORE_TEXT_H
#define JAGA_STORE_STORE_TEXT_H

#include "store_impl.h"

#define SIG_BYTES 128 /* of a signature: three hundred trigrams set a quarter of its bits */

void grams_free(struct grams *g);

/* The row after the last, living (x) or not (NULL); it is inserted already.  x->grams stay until
 * the commit. */
int text_put(struct store *s, uint64_t p, const struct store_index *x, struct err *e);
/* Writes the signatures of this commit. */
int text_flush(struct store *s, struct err *e);
/* Rows that the segment under way still takes; 0: not known. */
uint32_t text_left(const struct store *s);
/* Takes the trigrams of these publications (ascending) out. */
int text_erase(struct store *s, const uint64_t *p, size_t n, struct err *e);

/* A stretch of publications and which of them may hold all of some trigrams. */
struct text_part {
    uint64_t from, to;
    uint8_t may[SEG_ROWS / 8]; /* bit p - from */
    bool any;
};
/* The stretch that ends at or before `to`, newest first.  1, 0: none is left, -1. */
int text_part(struct store *s, uint64_t to, const uint32_t *grams, size_t n, struct text_part *out,
              struct err *e);

/* Whether the signature of a publication without a segment is that of these trigrams. */
int text_sig_right(struct store *s, uint64_t p, const uint32_t *grams, size_t n, bool *out,
                   struct err *e);

/* Calls fn for each posting of a segment, for verify. */
typedef int text_gram_fn(void *ctx, uint32_t gram, uint64_t p, struct err *e);
int text_walk(struct store *s, uint64_t segment, text_gram_fn *fn, void *ctx, struct err *e);

#endif
