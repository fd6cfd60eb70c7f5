#include "span.h"

#include <string.h>

struct span
span_part(struct span s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    /* NULL + 0 is undefined in C. */
    return (struct span){s.p != NULL ? s.p + from : NULL, n};
}

bool
span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static unsigned char
fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool
span_eq_nocase(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (fold(a.p[i]) != fold(b.p[i]))
            return false;
    return true;
}

int
span_cmp(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n != 0 ? memcmp(a.p, b.p, n) : 0;

    if (c != 0)
        return c < 0 ? -1 : 1;
    return (a.n > b.n) - (a.n < b.n);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span a)
{
    size_t from = 0;
    size_t to = a.n;

    while (from < to && is_blank(a.p[from]))
        from++;
    while (to > from && is_blank(a.p[to - 1]))
        to--;
    return span_part(a, from, to - from);
}

ptrdiff_t
span_find(struct span a, char c)
{
    const char *at = a.n != 0 ? memchr(a.p, c, a.n) : NULL;

    return at != NULL ? at - a.p : -1;
}

ptrdiff_t
span_find_span(struct span a, struct span what)
{
    const char *at;

    if (what.n == 0)
        return 0;
    if (a.n < what.n)
        return -1;
    at = memmem(a.p, a.n, what.p, what.n);
    return at != NULL ? at - a.p : -1;
}

bool
span_split(struct span *s, char sep, struct span *part)
{
    ptrdiff_t at;

    /* NULL marks "used up": after the last part s is {NULL, 0}, so "a," gives "a" and "", while
     * an empty span gives nothing. */
    if (s->p == NULL)
        return false;
    at = span_find(*s, sep);
    if (at < 0) {
        *part = *s;
        *s = (struct span){NULL, 0};
    } else {
        *part = span_part(*s, 0, (size_t)at);
        *s = span_part(*s, (size_t)at + 1, SIZE_MAX);
    }
    return true;
}

bool
span_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0 || s.n > 20 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9 || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)digit, &v))
            return false;
    }
    if (v > max)
        return false;
    *out = v;
    return true;
}
