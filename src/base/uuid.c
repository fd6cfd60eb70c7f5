#include "uuid.h"

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool
uuid_read_any(struct span s, struct uuid *out, bool *lower)
{
    struct uuid u;
    bool is_lower = true;
    size_t at = 0;

    if (s.n != UUID_TEXT)
        return false;
    for (size_t i = 0; i < sizeof u.b; i++) {
        int hi;
        int lo;

        if (i == 4 || i == 6 || i == 8 || i == 10)
            if (s.p[at++] != '-')
                return false;
        hi = hex(s.p[at]);
        lo = hex(s.p[at + 1]);
        if (hi < 0 || lo < 0)
            return false;
        if ((s.p[at] >= 'A' && s.p[at] <= 'F') || (s.p[at + 1] >= 'A' && s.p[at + 1] <= 'F'))
            is_lower = false;
        u.b[i] = (uint8_t)(hi << 4 | lo);
        at += 2;
    }
    *out = u;
    if (lower != NULL)
        *lower = is_lower;
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
