/* base/utf8.h - UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, at most U+10FFFF. */
#ifndef JAGA_BASE_UTF8_H
#define JAGA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "span.h"

bool utf8_valid(struct span s, size_t *bad); /* *bad, if not NULL: where it breaks */

/* Takes one code point off the front of *s; UTF8_BAD on a broken one (one byte is taken). */
#define UTF8_BAD 0xffffffffu
uint32_t utf8_next(struct span *s);
size_t utf8_put(uint32_t cp, char out[4]); /* bytes written, 0 for what is no scalar value */

/* Compares as RFC 8785 section 3.2.3 sorts: by UTF-16 code units. */
int utf8_cmp_utf16(struct span a, struct span b);

#endif
