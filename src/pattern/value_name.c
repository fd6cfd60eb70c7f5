/* Domain names, mail addresses, URLs. */
#include <string.h>
#include "fold.h"
#include "utf8.h"
#include "value.h"
#include "value_forms.h"

#define LABEL_MAX  63  /* bytes, RFC 1035 section 2.3.4 */
#define DOMAIN_MAX 253 /* characters without the last dot */
#define LOCAL_MAX  128 /* bytes before the @; RFC 5321 allows 64, the field has longer ones */

/* RFC 3492 section 5. */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, BIAS = 72, FIRST = 128 };

static uint32_t
adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > ((BASE - TMIN) * TMAX) / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t
threshold(uint32_t k, uint32_t bias)
{
    return k <= bias + TMIN ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

bool
punycode_encode(struct span utf8, struct buf *out)
{
    uint32_t cps[LABEL_MAX], n = FIRST, delta = 0, bias = BIAS;
    size_t count = 0, basic = 0;

    while (utf8.n > 0) {
        uint32_t cp = utf8_next(&utf8);
        if (cp == UTF8_BAD || count == LABEL_MAX)
            return false;
        cps[count++] = cp;
        if (cp < FIRST) {
            buf_u8(out, cp);
            basic++;
        }
    }
    if (basic > 0)
        buf_u8(out, '-');
    for (size_t done = basic; done < count;) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < count; i++) {
            if (cps[i] >= n && cps[i] < next)
                next = cps[i];
        }
        /* At most 64 code points below 2^21: no overflow of 32 bits. */
        delta += (next - n) * (uint32_t)(done + 1);
        n = next;
        for (size_t i = 0; i < count; i++) {
            if (cps[i] < n)
                delta++;
            if (cps[i] != n)
                continue;
            uint32_t q = delta;
            for (uint32_t k = BASE;; k += BASE) {
                uint32_t t = threshold(k, bias);
                if (q < t)
                    break;
                uint32_t d = t + (q - t) % (BASE - t);
                buf_u8(out, d < 26 ? 'a' + d : '0' + d - 26);
                q = (q - t) / (BASE - t);
            }
            buf_u8(out, q < 26 ? 'a' + q : '0' + q - 26);
            bias = adapt(delta, (uint32_t)done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        n++;
    }
    return !out->failed;
}

bool
punycode_decode(struct span ascii, struct buf *out)
{
    uint32_t cps[LABEL_MAX], n = FIRST, i = 0, bias = BIAS;
    size_t count = 0, at = 0;

    for (size_t k = ascii.n; k > 0; k--) {
        if (ascii.p[k - 1] == '-') {
            at = k;
            break;
        }
    }
    if (ascii.n > LABEL_MAX)
        return false;
    for (size_t k = 0; k + 1 < at; k++) {
        if ((unsigned char)ascii.p[k] >= FIRST)
            return false;
        cps[count++] = (unsigned char)ascii.p[k];
    }
    while (at < ascii.n) {
        uint32_t old = i, w = 1;
        for (uint32_t k = BASE;; k += BASE) {
            if (at == ascii.n)
                return false;
            char c = ascii.p[at++];
            uint32_t d = c >= 'a' && c <= 'z'   ? (uint32_t)(c - 'a')
                         : c >= 'A' && c <= 'Z' ? (uint32_t)(c - 'A')
                         : c >= '0' && c <= '9' ? (uint32_t)(c - '0' + 26)
                                                : BASE;
            if (d == BASE || d > (UINT32_MAX - i) / w)
                return false;
            i += d * w;
            uint32_t t = threshold(k, bias);
            if (d < t)
                break;
            if (w > UINT32_MAX / (BASE - t))
                return false;
            w *= BASE - t;
        }
        if (count == LABEL_MAX)
            return false;
        bias = adapt(i - old, (uint32_t)count + 1, old == 0);
        uint32_t step = i / (uint32_t)(count + 1);
        if (step > 0x10ffff - n)
            return false;
        n += step;
        i %= (uint32_t)(count + 1);
        memmove(cps + i + 1, cps + i, (count - i) * sizeof(*cps));
        cps[i++] = n;
        count++;
    }
    for (size_t k = 0; k < count; k++) {
        char bytes[4];
        size_t len = utf8_put(cps[k], bytes);
        if (len == 0)
            return false;
        buf_put(out, bytes, len);
    }
    return !out->failed;
}

static bool
form_label(struct span label, struct buf *out)
{
    char mem[4 * LABEL_MAX];
    struct buf b;
    bool ascii = true;

    if (label.n == 0)
        return false;
    struct span rest = label;
    while (rest.n > 0) {
        uint32_t cp = utf8_next(&rest);
        if (cp >= 0x80 ? cp == UTF8_BAD || fold_space(cp)
                       : !(cp == '-' || cp == '_' || !fold_space(cp)))
            return false;
        ascii = ascii && cp < 0x80;
    }
    buf_init_fixed(&b, mem, sizeof(mem));
    bool encoded = span_starts(label, "xn--");
    if (!ascii) {
        if (encoded)
            return false;
        buf_str(&b, "xn--");
        if (!punycode_encode(label, &b))
            return false;
        label = buf_view(&b);
    } else if (encoded && !punycode_decode(span_part(label, 4, label.n), &b)) {
        return false;
    }
    if (label.n > LABEL_MAX)
        return false;
    buf_span(out, label);
    return true;
}

bool
form_domain(struct span s, struct buf *out)
{
    char mem[4 * DOMAIN_MAX];
    struct buf b;
    struct span rest, part = {0};
    size_t start = out->n;

    if (s.n > sizeof(mem))
        return false;
    buf_init_fixed(&b, mem, sizeof(mem));
    fold_text(s, &b);
    if (b.failed)
        return false;
    rest = buf_view(&b);
    /* The ideographic full stops separate labels too (RFC 3490 section 3.1). */
    char dots[sizeof(mem)];
    size_t n = 0;
    while (rest.n > 0) {
        if (span_starts(rest, "\xe3\x80\x82") || span_starts(rest, "\xef\xbd\xa1")) {
            dots[n++] = '.';
            rest = span_part(rest, 3, rest.n);
        } else {
            dots[n++] = *rest.p;
            rest = span_part(rest, 1, rest.n);
        }
    }
    if (n > 0 && dots[n - 1] == '.')
        n--;
    rest = span_from(dots, n);
    if (n == 0)
        return false;
    while (span_split(&rest, '.', &part)) {
        if (out->n > start)
            buf_u8(out, '.');
        if (!form_label(part, out))
            return false;
    }
    /* A name whose last label is a number would be read as an IPv4 address (WHATWG URL, 3.5). */
    bool number = true;
    for (size_t i = 0; i < part.n; i++)
        number = number && part.p[i] >= '0' && part.p[i] <= '9';
    return !number && out->n - start <= DOMAIN_MAX && !out->failed;
}

bool
form_email(struct span s, struct buf *out)
{
    size_t at = s.n;

    while (at > 0 && s.p[at - 1] != '@')
        at--;
    if (at < 2 || at - 1 > LOCAL_MAX)
        return false;
    size_t start = out->n;
    fold_text(span_part(s, 0, at - 1), out);
    if (out->failed || out->n == start)
        return false;
    /* After folding, as there are wide forms of these too. */
    for (size_t i = start; i < out->n; i++) {
        unsigned char c = (unsigned char)out->p[i];
        if (c <= ' ' || c == 0x7f || strchr("<>()[],;:\\@\"", c) != NULL)
            return false;
    }
    buf_u8(out, '@');
    return form_domain(span_part(s, at, s.n), out);
}

static bool
unreserved(unsigned c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* RFC 3986 section 6.2.2.1 and 6.2.2.2; what is no ASCII is written in percent form (RFC 3987). */
static bool
put_path(struct span s, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned c = (unsigned char)s.p[i];
        bool encoded = false;
        if (c < ' ' || c == 0x7f)
            return false;
        if (c == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 && hex_digit(s.p[i + 2]) >= 0) {
            c = (unsigned)(hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2]));
            i += 2;
            encoded = true;
        }
        /* A lone % too: else it might become an escape with what is decoded behind it. */
        if ((encoded && !unreserved(c)) || c >= 0x80 || c == ' ' || c == '%') {
            buf_u8(out, '%');
            buf_u8(out, (unsigned char)hex[c >> 4]);
            buf_u8(out, (unsigned char)hex[c & 15]);
        } else {
            buf_u8(out, c);
        }
    }
    return !out->failed;
}

static bool
put_host(struct span host, struct buf *out)
{
    struct form_net net;

    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        if (!form_net(span_part(host, 1, host.n - 2), &net) || !net.whole)
            return false;
        if (!net.v6) {
            form_print4(net.addr, out);
            return true;
        }
        buf_u8(out, '[');
        form_print6(net.addr, out);
        buf_u8(out, ']');
        return true;
    }
    if (form_net(host, &net)) {
        if (!net.whole || net.v6)
            return false;
        form_print4(net.addr, out);
        return true;
    }
    size_t start = out->n;
    if (form_domain(host, out))
        return true;
    /* Not a name that the DNS could hold: as it stands, so that at least equal texts are equal. */
    buf_cut(out, start);
    if (host.n == 0)
        return false;
    for (size_t i = 0; i < host.n; i++) {
        unsigned c = (unsigned char)host.p[i];
        if (c <= ' ' || c == 0x7f || c == '[' || c == ']')
            return false;
        buf_u8(out, c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return true;
}

static unsigned
default_port(struct span scheme)
{
    static const struct {
        const char *scheme;
        unsigned port;
    } ports[] = {{"http", 80}, {"https", 443}, {"ftp", 21}, {"ws", 80}, {"wss", 443}};

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        if (span_is(scheme, ports[i].scheme))
            return ports[i].port;
    }
    return 0;
}

static bool
put_authority(struct span auth, struct span scheme, struct buf *out, struct span *host)
{
    struct span h = auth, port = {0};
    uint64_t number;

    for (size_t i = auth.n; i > 0; i--) {
        if (auth.p[i - 1] == '@') {
            if (!put_path(span_part(auth, 0, i), out))
                return false;
            h = span_part(auth, i, auth.n);
            break;
        }
    }
    size_t from = h.n > 0 && h.p[0] == '[' ? (size_t)(span_find(h, ']') + 1) : 0;
    ptrdiff_t colon = span_find(span_part(h, from, h.n), ':');
    if (colon >= 0) {
        port = span_part(h, from + (size_t)colon + 1, h.n);
        h = span_part(h, 0, from + (size_t)colon);
    }
    if (!put_host(h, out))
        return false;
    if (host != NULL)
        *host = h;
    if (port.n == 0)
        return true;
    if (!span_u64(port, 65535, &number))
        return false;
    if (number != default_port(scheme)) {
        buf_u8(out, ':');
        buf_decimal(out, number);
    }
    return true;
}

bool
form_url(struct span s, struct buf *out, struct span *host)
{
    char mem[32]; /* the longest registered scheme has 30 characters */
    size_t n = 0;

    if (host != NULL)
        *host = (struct span){NULL, 0};
    while (n < s.n && s.p[n] != ':') {
        char c = s.p[n];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        bool letter = c >= 'a' && c <= 'z';
        if (n == sizeof(mem) ||
            !(letter || (n > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))))
            return false;
        mem[n++] = c;
    }
    if (n == 0 || n + 1 >= s.n)
        return false;
    struct span scheme = span_from(mem, n);
    struct span rest = span_part(s, n + 1, s.n);
    buf_span(out, scheme);
    buf_u8(out, ':');
    if (!span_starts(rest, "//"))
        return put_path(rest, out);
    rest = span_part(rest, 2, rest.n);
    size_t end = 0;
    while (end < rest.n && memchr("/?#", rest.p[end], 3) == NULL)
        end++;
    buf_str(out, "//");
    if (end == 0 ? !span_is(scheme, "file")
                 : !put_authority(span_part(rest, 0, end), scheme, out, host))
        return false;
    rest = span_part(rest, end, rest.n);
    if (rest.n == 0 || rest.p[0] != '/')
        buf_u8(out, '/');
    return put_path(rest, out);
}
