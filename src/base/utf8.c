#include "utf8.h"

#include <string.h>

/* Length of the well-formed sequence at p (Unicode 15, table 3-7), 0 if there is none. */
static size_t
sequence(const unsigned char *p, size_t n)
{
    unsigned char lo = 0x80;
    unsigned char hi = 0xbf;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2)
        return 0; /* a continuation byte, or overlong */
    if (p[0] < 0xe0) {
        len = 2;
    } else if (p[0] < 0xf0) {
        len = 3;
        if (p[0] == 0xe0)
            lo = 0xa0; /* overlong below */
        else if (p[0] == 0xed)
            hi = 0x9f; /* surrogates above */
    } else if (p[0] < 0xf5) {
        len = 4;
        if (p[0] == 0xf0)
            lo = 0x90;
        else if (p[0] == 0xf4)
            hi = 0x8f; /* beyond U+10FFFF */
    } else {
        return 0;
    }
    if (n < len || p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool
utf8_valid(struct span s, size_t *bad)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;

    while (i < s.n) {
        uint64_t eight;
        size_t len;

        while (s.n - i >= 8) { /* most text is ASCII */
            memcpy(&eight, p + i, 8);
            if ((eight & 0x8080808080808080u) != 0)
                break;
            i += 8;
        }
        if (i == s.n)
            break;
        len = sequence(p + i, s.n - i);
        if (len == 0) {
            if (bad != NULL)
                *bad = i;
            return false;
        }
        i += len;
    }
    return true;
}

uint32_t
utf8_next(struct span *s)
{
    const unsigned char *p = (const unsigned char *)s->p;
    size_t len;
    uint32_t cp;

    if (s->n == 0)
        return UTF8_BAD;
    len = sequence(p, s->n);
    switch (len) {
    case 1:
        cp = p[0];
        break;
    case 2:
        cp = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
        break;
    case 3:
        cp = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
        break;
    case 4:
        cp = (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
        break;
    default:
        cp = UTF8_BAD;
        len = 1;
    }
    s->p += len;
    s->n -= len;
    return cp;
}

size_t
utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        if (cp >= 0xd800 && cp <= 0xdfff)
            return 0;
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    if (cp > 0x10ffff)
        return 0;
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

int
utf8_cmp_utf16(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    size_t i = 0;
    unsigned char x;
    unsigned char y;

    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return (a.n > b.n) - (a.n < b.n);
    x = (unsigned char)a.p[i];
    y = (unsigned char)b.p[i];
    /* UTF-8 sorts by code point.  UTF-16 differs from that in one thing: what lies beyond U+FFFF
     * (first byte F0 and up) is written with surrogates, D800 to DFFF, and so comes before
     * U+E000 to U+FFFF (first byte EE or EF).  Continuation bytes are all below C0. */
    if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
        return x >= 0xf0 ? -1 : 1;
    return x < y ? -1 : 1;
}
