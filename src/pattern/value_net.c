/* Addresses and networks. */
#include <string.h>
#include "value_forms.h"

/* Four decimal numbers; no leading zeros, which some read as octal. */
static bool
read4(struct span s, uint8_t out[4])
{
    struct span part;
    uint64_t v;

    for (int i = 0; i < 4; i++) {
        if (!span_split(&s, '.', &part) || !span_u64(part, 255, &v))
            return false;
        out[i] = (uint8_t)v;
    }
    return s.p == NULL;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Groups of one side of "::", or of the whole; the last may be an IPv4 address (RFC 4291 2.2). */
static bool
read_groups(struct span s, uint8_t *out, size_t max, size_t *n)
{
    struct span part;

    *n = 0;
    if (s.n == 0)
        return true;
    while (span_split(&s, ':', &part)) {
        if (s.p == NULL && span_find(part, '.') >= 0) {
            if (*n + 4 > max || !read4(part, out + *n))
                return false;
            *n += 4;
            return true;
        }
        if (part.n < 1 || part.n > 4 || *n + 2 > max)
            return false;
        unsigned v = 0;
        for (size_t i = 0; i < part.n; i++) {
            int d = hex_digit(part.p[i]);
            if (d < 0)
                return false;
            v = v << 4 | (unsigned)d;
        }
        out[(*n)++] = (uint8_t)(v >> 8);
        out[(*n)++] = (uint8_t)v;
    }
    return true;
}

static bool
read6(struct span s, uint8_t out[16])
{
    uint8_t head[16], tail[16];
    size_t hn, tn;
    ptrdiff_t gap = span_find_span(s, SPAN("::"));

    if (gap < 0)
        return read_groups(s, out, 16, &hn) && hn == 16;
    if (!read_groups(span_part(s, 0, (size_t)gap), head, 16, &hn) || hn % 2 != 0 ||
        !read_groups(span_part(s, (size_t)gap + 2, s.n), tail, 16, &tn) || hn + tn > 14)
        return false;
    /* An IPv4 tail may not stand before the gap. */
    if (span_find(span_part(s, 0, (size_t)gap), '.') >= 0)
        return false;
    memset(out, 0, 16);
    memcpy(out, head, hn);
    memcpy(out + 16 - tn, tail, tn);
    return true;
}

bool
form_net(struct span s, struct form_net *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct form_net net = {0};
    struct span addr = s;
    uint64_t len = 0;
    ptrdiff_t slash = span_find(s, '/');

    if (slash >= 0)
        addr = span_part(s, 0, (size_t)slash);
    net.v6 = span_find(addr, ':') >= 0;
    if (!(net.v6 ? read6(addr, net.addr) : read4(addr, net.addr)))
        return false;
    uint64_t max = net.v6 ? 128 : 32;
    if (slash < 0)
        len = max;
    else if (!span_u64(span_part(s, (size_t)slash + 1, s.n), max, &len))
        return false;
    if (net.v6 && len >= 96 && memcmp(net.addr, mapped, sizeof(mapped)) == 0) {
        memmove(net.addr, net.addr + 12, 4);
        memset(net.addr + 4, 0, 12);
        net.v6 = false;
        len -= 96;
        max = 32;
    }
    for (size_t bit = len; bit < max; bit++)
        net.addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    net.len = (uint8_t)len;
    net.whole = len == max;
    *out = net;
    return true;
}

void
form_print4(const uint8_t a[4], struct buf *out)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            buf_u8(out, '.');
        buf_decimal(out, a[i]);
    }
}

void
form_print6(const uint8_t a[16], struct buf *out)
{
    unsigned g[8];
    int best = -1, best_n = 1; /* one group of zeros is not shortened */

    for (int i = 0; i < 8; i++)
        g[i] = (unsigned)a[2 * i] << 8 | a[2 * i + 1];
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && g[i + n] == 0)
            n++;
        if (n > best_n) {
            best = i;
            best_n = n;
        }
    }
    bool colon = false;
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            buf_str(out, "::");
            i += best_n - 1;
            colon = false;
            continue;
        }
        if (colon)
            buf_u8(out, ':');
        buf_printf(out, "%x", g[i]);
        colon = true;
    }
}
