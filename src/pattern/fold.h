/*
 * pattern/fold.h - texts that look the same to a reader made the same for search.
 *
 * Case: Unicode's simple folding for Latin (with Vietnamese), Greek, Cyrillic, Armenian and
 * full-width letters; other scripts have none.  Composition: a base letter and combining marks
 * become the one composed letter for Latin, as Vietnamese writes it, whichever order the marks came
 * in; Thai and Lao sara am likewise.  Invisible characters (zero-width space and joiners, soft
 * hyphen) vanish. Not done, as it would need the whole of Unicode's tables: composition in other
 * scripts, Zawgyi.
 */
#ifndef JAGA_PATTERN_FOLD_H
#define JAGA_PATTERN_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "span.h"

uint32_t fold_char(uint32_t cp);                     /* case alone */
uint32_t fold_compose(uint32_t base, uint32_t mark); /* both folded; 0: there is no such letter */
bool fold_ignored(uint32_t cp);                      /* invisible, left out */
bool fold_space(uint32_t cp); /* white space, punctuation, symbols: a gap between words */

/* A source of folded code points: FOLD_END at the end.  In words mode every run of gaps is one
 * space, with none at either end. */
#define FOLD_END 0xfffffffeu
struct fold {
    struct span in;
    uint32_t ahead; /* one folded code point read and not yet given, or FOLD_END */
    bool words;
    bool gap;
    bool any;
};
struct fold fold_begin(struct span text, bool words);
uint32_t fold_next(struct fold *f); /* bytes that are no UTF-8 are U+FFFD, which is a gap */
/* Up to max code points at once; fewer only at the end. */
size_t fold_fill(struct fold *f, uint32_t *out, size_t max);

/* The whole text folded, as UTF-8.  fold_text keeps punctuation and space; fold_words does not. */
void fold_text(struct span text, struct buf *out);
void fold_words(struct span text, struct buf *out);

#endif
