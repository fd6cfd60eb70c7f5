#include "buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "mem.h"

#define BUF_FIRST 256u /* bytes of the first allocation: most answers' headers fit */

void
buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void
buf_init_fixed(struct buf *b, void *mem, size_t cap)
{
    *b = (struct buf){.p = mem, .cap = cap, .max = cap, .fixed = true};
}

void
buf_clear(struct buf *b)
{
    if (!b->fixed)
        mem_free(b->p);
    *b = (struct buf){0};
}

void
buf_reset(struct buf *b)
{
    b->n = 0;
    b->failed = false;
    b->full = false;
}

/* Makes room for n more bytes; false, and failed, where that is not allowed or possible. */
static bool
grow(struct buf *b, size_t n)
{
    size_t cap;
    char *p;

    if (b->failed)
        return false;
    if (n <= b->cap - b->n)
        return true;
    if (b->fixed || n > b->max - b->n) {
        b->failed = true;
        b->full = true;
        return false;
    }
    cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
    while (cap < b->n + n)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap > b->max)
        cap = b->max;
    p = mem_resize(b->p, cap);
    if (p == NULL) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

char *
buf_room(struct buf *b, size_t n)
{
    char *p;

    if (!grow(b, n))
        return NULL;
    if (b->p == NULL && !grow(b, 1)) /* n == 0 into a buffer that has no memory yet */
        return NULL;
    p = b->p + b->n;
    b->n += n;
    return p;
}

void
buf_cut(struct buf *b, size_t n)
{
    if (n < b->n)
        b->n = n;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || !grow(b, n))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void
buf_span(struct buf *b, struct span s)
{
    buf_put(b, s.p, s.n);
}

void
buf_str(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    int n;

    if (b->failed)
        return;
    va_start(ap, fmt);
    n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)n < sizeof small) {
        buf_put(b, small, (size_t)n);
        return;
    }
    /* vsnprintf writes a NUL too, for which a buffer that ends exactly here has no room. */
    char *big = mem_alloc((size_t)n + 1);
    if (big == NULL) {
        b->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(big, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf_put(b, big, (size_t)n);
    mem_free(big);
}

void
buf_u8(struct buf *b, unsigned v)
{
    unsigned char c = (unsigned char)v;

    assert(v <= 0xff);
    buf_put(b, &c, 1);
}

void
buf_u16(struct buf *b, unsigned v)
{
    unsigned char c[2] = {(unsigned char)(v >> 8), (unsigned char)v};

    assert(v <= 0xffff);
    buf_put(b, c, sizeof c);
}

void
buf_u32(struct buf *b, uint32_t v)
{
    uint32_t be = __builtin_bswap32(v);

    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "written for little-endian hosts");
    buf_put(b, &be, sizeof be);
}

void
buf_u64(struct buf *b, uint64_t v)
{
    uint64_t be = __builtin_bswap64(v);

    buf_put(b, &be, sizeof be);
}

void
buf_i64(struct buf *b, int64_t v)
{
    buf_u64(b, (uint64_t)v);
}

void
buf_field(struct buf *b, struct span s)
{
    if (s.n > UINT32_MAX) {
        b->failed = true;
        return;
    }
    buf_u32(b, (uint32_t)s.n);
    buf_span(b, s);
}

void
buf_decimal(struct buf *b, uint64_t v)
{
    char digits[20]; /* 2^64 - 1 has 20 */
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    buf_put(b, digits + at, sizeof digits - at);
}

struct span
buf_view(const struct buf *b)
{
    return (struct span){b->p, b->n};
}

char *
buf_take(struct buf *b, size_t *n)
{
    char *p = NULL;

    assert(!b->fixed); /* the memory is not ours to give */
    if (!b->failed && !b->fixed) {
        p = b->p != NULL ? b->p : mem_alloc(0);
        if (p != NULL && n != NULL)
            *n = b->n;
        b->p = NULL;
    }
    mem_free(b->fixed ? NULL : b->p);
    *b = (struct buf){.max = b->max};
    return p;
}

struct reader
reader_of(struct span s)
{
    return (struct reader){.p = (const unsigned char *)s.p, .n = s.n};
}

/* The next n bytes, or NULL and a reader that has failed for good. */
static const unsigned char *
take(struct reader *r, size_t n)
{
    const unsigned char *p;

    if (r->failed || n > r->n - r->pos) {
        r->failed = true;
        return NULL;
    }
    p = r->p + r->pos;
    r->pos += n;
    return p;
}

uint8_t
reader_u8(struct reader *r)
{
    const unsigned char *p = take(r, 1);

    return p != NULL ? *p : 0;
}

uint16_t
reader_u16(struct reader *r)
{
    const unsigned char *p = take(r, 2);
    unsigned v = p != NULL ? (unsigned)p[0] << 8 | p[1] : 0;

    return (uint16_t)v;
}

uint32_t
reader_u32(struct reader *r)
{
    const unsigned char *p = take(r, 4);
    uint32_t be = 0;

    if (p != NULL)
        memcpy(&be, p, sizeof be);
    return __builtin_bswap32(be);
}

uint64_t
reader_u64(struct reader *r)
{
    const unsigned char *p = take(r, 8);
    uint64_t be = 0;

    if (p != NULL)
        memcpy(&be, p, sizeof be);
    return __builtin_bswap64(be);
}

int64_t
reader_i64(struct reader *r)
{
    return (int64_t)reader_u64(r);
}

struct span
reader_bytes(struct reader *r, size_t n)
{
    const unsigned char *p;

    if (n == 0)
        return (struct span){NULL, 0};
    p = take(r, n);
    return (struct span){(const char *)p, p != NULL ? n : 0};
}

void
reader_copy(struct reader *r, void *out, size_t n)
{
    const struct span s = reader_bytes(r, n);

    if (!r->failed && n > 0)
        memcpy(out, s.p, n);
}

struct span
reader_field(struct reader *r, size_t max)
{
    uint32_t n = reader_u32(r);

    if (n > max)
        r->failed = true;
    return reader_bytes(r, n);
}

struct reader
reader_sub(struct reader *r, size_t n)
{
    struct reader sub = reader_of(reader_bytes(r, n));

    sub.failed = r->failed;
    return sub;
}

size_t
reader_left(const struct reader *r)
{
    return r->failed ? 0 : r->n - r->pos;
}

int
reader_end(const struct reader *r, struct err *e)
{
    if (r->failed)
        return err_set_at(e, ERR_PROTOCOL, r->pos, "message is shorter than it says");
    if (r->pos != r->n)
        return err_set_at(e, ERR_PROTOCOL, r->pos, "bytes after the end of the message");
    return 0;
}
