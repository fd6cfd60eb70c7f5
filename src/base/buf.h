/*
 * base/buf.h - a growing writer with a maximum, and a bounds-checked reader.
 *
 * No code outside these two moves a pointer through bytes.  Errors are sticky: after the first
 * failure every further call does nothing, so straight code checks once, at the end.
 * Integers are big-endian.
 */
#ifndef JAGA_BASE_BUF_H
#define JAGA_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "span.h"

struct buf {
    char *p;
    size_t n; /* bytes written */
    size_t cap;
    size_t max;  /* never grows beyond */
    bool failed; /* memory or max reached; what was written so far must not be used */
    bool full;   /* ... and it was max */
    bool fixed;  /* p is the caller's and never moves */
};

void buf_init(struct buf *b, size_t max);                  /* owns its memory; buf_clear ends it */
void buf_init_fixed(struct buf *b, void *mem, size_t cap); /* writes into the caller's memory */
void buf_clear(struct buf *b);
void buf_reset(struct buf *b);           /* empty again, the memory kept, not failed */
char *buf_room(struct buf *b, size_t n); /* n bytes at the end to fill; counts them; NULL: failed */
void buf_cut(struct buf *b, size_t n);   /* back to n bytes */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_span(struct buf *b, struct span s);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *b, unsigned v);
void buf_u16(struct buf *b, unsigned v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_field(struct buf *b, struct span s); /* u32 length, then the bytes */
void buf_decimal(struct buf *b, uint64_t v);  /* in decimal digits, fast */
struct span buf_view(const struct buf *b);
char *buf_take(struct buf *b, size_t *n); /* hands the memory to the caller (mem_free); empties b */

struct reader {
    const unsigned char *p;
    size_t n;
    size_t pos;
    bool failed;
};

struct reader reader_of(struct span s);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
int64_t reader_i64(struct reader *r);
struct span reader_bytes(struct reader *r, size_t n);
void reader_copy(struct reader *r, void *out, size_t n); /* out untouched where it fails */
struct span reader_field(struct reader *r, size_t max);  /* what buf_field wrote, at most max */
struct reader reader_sub(struct reader *r, size_t n);
size_t reader_left(const struct reader *r);

/* 0 when nothing failed and nothing is left; else -1 and ERR_PROTOCOL at the position. */
int reader_end(const struct reader *r, struct err *e);

#endif
