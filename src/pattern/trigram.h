/*
 * pattern/trigram.h - which trigrams a text has, in any script, and whether a query occurs in it.
 *
 * A text is folded to words (fold.h) with one space put at both ends; each three consecutive code
 * points are a trigram.  Code points, not bytes: so Thai, Khmer, Lao and Burmese, which put no
 * spaces between words, work like the others.  A trigram is 32 bits: three ASCII characters are
 * packed (7 bits each, below 2^21); all others are hashed with the top bit set.  Two trigrams may
 * share a number; so an index gives candidates, and trigram_match decides.
 *
 * A query of three code points or more is looked up by its own trigrams and found inside words too.
 * A shorter one is put between spaces, and so finds whole words alone ("C2", "TH").  Han, Kana and
 * Hangul have words of two: for each two such code points in a row a text has one more entry,
 * and a query of just two of them is looked up by that.
 */
#ifndef JAGA_PATTERN_TRIGRAM_H
#define JAGA_PATTERN_TRIGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "err.h"
#include "span.h"

/* Different trigrams kept of one object; a text with more is told as cut, and not all of it found.
 */
#define TRIGRAM_MAX 65536

struct trigram_set; /* reused from text to text */

struct trigram_set *trigram_new(void); /* NULL: out of memory */
void trigram_free(struct trigram_set *s);
void trigram_reset(struct trigram_set *s);
/* Adds a text's trigrams; different texts form no trigram across them.  -1: out of memory. */
int trigram_add(struct trigram_set *s, struct span text);
/* Sorted, without doubles; valid until the next call with s. */
const uint32_t *trigram_list(struct trigram_set *s, size_t *n);
/* The same in no order, which costs less. */
const uint32_t *trigram_items(struct trigram_set *s, size_t *n);
bool trigram_cut(const struct trigram_set *s); /* TRIGRAM_MAX was reached */

#define TRIGRAM_QUERY_MAX 256 /* code points of a folded query; longer ones are refused */

/* A query, ready to look up and to verify. */
struct trigram_query {
    struct span folded;    /* owned; with a space at both ends where only whole words count */
    const uint32_t *grams; /* sorted, without doubles; all must be in the object */
    size_t gram_count;     /* 0 only when the query is empty: it then matches nothing */
    bool whole_word;
    void *mem;
};

/* -1: ERR_LIMIT, ERR_ENCODING or ERR_MEMORY. */
int trigram_query(struct span text, struct trigram_query *out, struct err *e);
void trigram_query_clear(struct trigram_query *q);

/* Whether the query occurs in text (raw, not folded).  scratch is reset and used; a text that does
 * not fit in it matches nothing. */
bool trigram_match(const struct trigram_query *q, struct span text, struct buf *scratch);

#endif
