#include "uuid.h"

/* Beside the value of a hexadecimal digit, so that many are checked at once. */
#define DIGIT 0x80u
#define UPPER 0x40u /* one of A to F */

static const uint8_t hex[256] = {
    ['0'] = DIGIT | 0,          ['1'] = DIGIT | 1,          ['2'] = DIGIT | 2,
    ['3'] = DIGIT | 3,          ['4'] = DIGIT | 4,          ['5'] = DIGIT | 5,
    ['6'] = DIGIT | 6,          ['7'] = DIGIT | 7,          ['8'] = DIGIT | 8,
    ['9'] = DIGIT | 9,          ['a'] = DIGIT | 10,         ['b'] = DIGIT | 11,
    ['c'] = DIGIT | 12,         ['d'] = DIGIT | 13,         ['e'] = DIGIT | 14,
    ['f'] = DIGIT | 15,         ['A'] = DIGIT | UPPER | 10, ['B'] = DIGIT | UPPER | 11,
    ['C'] = DIGIT | UPPER | 12, ['D'] = DIGIT | UPPER | 13, ['E'] = DIGIT | UPPER | 14,
    ['F'] = DIGIT | UPPER | 15,
};

bool
uuid_read_any(struct span s, struct uuid *out, bool *lower)
{
    static const uint8_t at[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
    struct uuid u;
    unsigned all = DIGIT, any = 0;

    if (s.n != UUID_TEXT || s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' || s.p[23] != '-')
        return false;
    for (size_t i = 0; i < sizeof u.b; i++) {
        const unsigned hi = hex[(uint8_t)s.p[at[i]]], lo = hex[(uint8_t)s.p[at[i] + 1]];

        all &= hi & lo;
        any |= hi | lo;
        u.b[i] = (uint8_t)((hi & 15) << 4 | (lo & 15));
    }
    if (!(all & DIGIT))
        return false;
    *out = u;
    if (lower != NULL)
        *lower = (any & UPPER) == 0;
    return true;
}

bool
uuid_read(struct span s, struct uuid *out)
{
    struct uuid u;
    bool lower;

    if (!uuid_read_any(s, &u, &lower) || !lower)
        return false;
    *out = u;
    return true;
}

void
uuid_print(const struct uuid *u, char out[UUID_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < sizeof u->b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = digits[u->b[i] >> 4];
        out[at++] = digits[u->b[i] & 15];
    }
    out[at] = '\0';
}

unsigned
uuid_version(const struct uuid *u)
{
    return u->b[6] >> 4;
}

bool
uuid_variant_ok(const struct uuid *u)
{
    return (u->b[8] & 0xc0) == 0x80; /* RFC 9562 section 4.1 */
}
