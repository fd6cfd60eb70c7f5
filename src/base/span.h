/*
 * base/span.h - bytes that somebody else owns: a pointer and a length.
 *
 * Text from outside is always a span, never a bare char *.  A span borrows; its holder says how
 * long.  The empty span is {NULL, 0} or {p, 0}; both are equal.
 */
#ifndef JAGA_BASE_SPAN_H
#define JAGA_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};

/* A span over a string literal, without its NUL. */
#define SPAN(lit) ((struct span){(lit), sizeof(lit) - 1})

struct span span_part(struct span s, size_t from, size_t n); /* cut to what s has */
bool span_eq(struct span a, struct span b);

/* In the header so that a literal's length and a short comparison are the compiler's. */

/* NUL-terminated; NULL gives the empty span. */
static inline struct span
span_of(const char *s)
{
    return (struct span){s, s != NULL ? strlen(s) : 0};
}

static inline struct span
span_from(const void *p, size_t n)
{
    return (struct span){(const char *)p, n};
}

static inline bool
span_is(struct span a, const char *s)
{
    size_t n = s != NULL ? strlen(s) : 0;

    return a.n == n && (n == 0 || memcmp(a.p, s, n) == 0);
}

static inline bool
span_starts(struct span a, const char *s)
{
    const size_t n = s != NULL ? strlen(s) : 0;

    return a.n >= n && (n == 0 || memcmp(a.p, s, n) == 0);
}

static inline bool
span_ends(struct span a, const char *s)
{
    const size_t n = s != NULL ? strlen(s) : 0;

    return a.n >= n && (n == 0 || memcmp(a.p + a.n - n, s, n) == 0);
}

bool span_eq_nocase(struct span a, struct span b); /* ASCII letters alone are folded */
int span_cmp(struct span a, struct span b);        /* memcmp order, then the shorter first */
struct span span_trim(struct span a);       /* without ASCII space, \t, \r, \n at both ends */
ptrdiff_t span_find(struct span a, char c); /* index, or -1 */
ptrdiff_t span_find_span(struct span a, struct span what);

/* Takes the part before the first sep off the front of *s; false when *s is used up. */
bool span_split(struct span *s, char sep, struct span *part);

/* A whole decimal number in range, nothing before or after it, no sign, no leading zeros. */
bool span_u64(struct span s, uint64_t max, uint64_t *out);

#endif
