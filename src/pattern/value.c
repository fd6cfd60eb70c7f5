#include "value.h"

#include <assert.h>
#include <string.h>
#include "crypto.h"
#include "fold.h"
#include "utf8.h"
#include "value_forms.h"

static const char *const names[VALUE_KINDS] = {
    "none",     "ipv4",  "net4",    "ipv6",      "net6",     "domain",     "url",
    "email",    "hash",  "fuzzy",   "file-name", "path",     "mac",        "asn",
    "registry", "mutex", "account", "serial",    "external", "message-id",
};

const char *
value_kind_name(enum value_kind k)
{
    return (unsigned)k < VALUE_KINDS ? names[k] : names[VALUE_NONE];
}

enum value_kind
value_kind_find(struct span name)
{
    for (unsigned k = 1; k < VALUE_KINDS; k++) {
        if (span_is(name, names[k]))
            return (enum value_kind)k;
    }
    return VALUE_NONE;
}

/* Bytes of a key after its kind, where they are fixed; 0: not. */
static size_t
fixed_length(unsigned kind)
{
    switch (kind) {
    case VALUE_IPV4:
    case VALUE_ASN:
        return 4;
    case VALUE_NET4:
        return 5;
    case VALUE_IPV6:
        return 16;
    case VALUE_NET6:
        return 17;
    case VALUE_MAC:
        return 6;
    default:
        return 0;
    }
}

static void
set_bytes(struct value *v, enum value_kind kind, const void *p, size_t n)
{
    assert(n < VALUE_KEY_MAX);
    v->kind = kind;
    v->key[0] = (uint8_t)kind;
    memcpy(v->key + 1, p, n);
    v->n = (uint8_t)(n + 1);
}

static bool
set_text(struct value *v, enum value_kind kind, struct span text)
{
    uint8_t cut[VALUE_TEXT_MAX];
    struct hash h;

    text = span_trim(text); /* folding may have made a space of a wider one */
    if (text.n == 0)
        return false;
    if (text.n <= VALUE_TEXT_MAX) {
        set_bytes(v, kind, text.p, text.n);
        return true;
    }
    static_assert(VALUE_HEAD + HASH_BYTES == VALUE_TEXT_MAX, "a cut key is as long as the longest");
    hash_sha256(text, &h);
    memcpy(cut, text.p, VALUE_HEAD);
    memcpy(cut + VALUE_HEAD, h.b, HASH_BYTES);
    set_bytes(v, kind, cut, sizeof(cut));
    return true;
}

/* "a.evil.example" to "example.evil.a." */
static bool
set_domain(struct value *v, struct span name)
{
    char turned[256];
    size_t n = 0;

    assert(name.n < sizeof(turned));
    for (size_t end = name.n; end > 0;) {
        size_t from = end;
        while (from > 0 && name.p[from - 1] != '.')
            from--;
        memcpy(turned + n, name.p + from, end - from);
        n += end - from;
        turned[n++] = '.';
        end = from > 0 ? from - 1 : 0;
    }
    return set_text(v, VALUE_DOMAIN, span_from(turned, n));
}

static void
set_net(struct value *v, const struct form_net *net)
{
    uint8_t bytes[17];
    size_t n = net->v6 ? 16 : 4;

    if (net->whole) {
        set_bytes(v, net->v6 ? VALUE_IPV6 : VALUE_IPV4, net->addr, n);
        return;
    }
    bytes[0] = net->len;
    memcpy(bytes + 1, net->addr, n);
    set_bytes(v, net->v6 ? VALUE_NET6 : VALUE_NET4, bytes, n + 1);
}

/* Kinds that are kept as bytes. */
static bool
read_binary(enum value_kind kind, struct span s, struct value *out)
{
    struct form_net net;
    uint8_t bytes[FORM_HASH_MAX];
    uint32_t number;
    size_t n;

    switch (kind) {
    case VALUE_IPV4:
    case VALUE_NET4:
    case VALUE_IPV6:
    case VALUE_NET6:
        if (!form_net(s, &net))
            return false;
        if (net.v6 != (kind == VALUE_IPV6 || kind == VALUE_NET6) && span_find(s, ':') < 0)
            return false;
        if (net.v6 && (kind == VALUE_IPV4 || kind == VALUE_NET4))
            return false;
        set_net(out, &net);
        return true;
    case VALUE_HASH:
        if (!form_hash(s, bytes, &n))
            return false;
        set_bytes(out, kind, bytes, n);
        return true;
    case VALUE_MAC:
        if (!form_mac(s, bytes))
            return false;
        set_bytes(out, kind, bytes, 6);
        return true;
    case VALUE_ASN:
        if (!form_asn(s, &number))
            return false;
        for (int i = 0; i < 4; i++)
            bytes[i] = (uint8_t)(number >> (24 - 8 * i));
        set_bytes(out, kind, bytes, 4);
        return true;
    default:
        return false;
    }
}

static bool
form_other(enum value_kind kind, struct span s, struct buf *b)
{
    switch (kind) {
    case VALUE_DOMAIN:
        return form_domain(s, b);
    case VALUE_URL:
        return form_url(s, b, NULL);
    case VALUE_EMAIL:
        return form_email(s, b);
    case VALUE_FUZZY:
        return form_fuzzy(s, b);
    case VALUE_PATH:
        return form_path(s, b);
    case VALUE_REGISTRY:
        return form_registry(s, b);
    case VALUE_SERIAL:
        return form_serial(s, b);
    case VALUE_EXTERNAL:
        return form_external(s, b);
    case VALUE_FILE_NAME:
    case VALUE_ACCOUNT:
        fold_text(s, b);
        return !b->failed;
    case VALUE_MUTEX:
        buf_span(b, s);
        return !b->failed;
    case VALUE_MESSAGE_ID:
        if (s.n > 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
            s = span_part(s, 1, s.n - 2);
        buf_span(b, s);
        return !b->failed;
    default:
        return false;
    }
}

/* What people defang; in the others brackets and quotes are part of the value. */
static bool
is_defanged(enum value_kind kind)
{
    return kind == VALUE_DOMAIN || kind == VALUE_URL || kind == VALUE_EMAIL || kind == VALUE_IPV4 ||
           kind == VALUE_IPV6 || kind == VALUE_NET4 || kind == VALUE_NET6;
}

/* Percent forms triple a byte, at most; folding and "xn--" add less.  No memory is asked for, so
 * that running out of it can never look like "not a value". */
#define FORM_ROOM (3 * VALUE_INPUT_MAX + 256)

bool
value_read(enum value_kind kind, struct span text, struct value *out)
{
    char form[FORM_ROOM], clean[VALUE_INPUT_MAX];
    struct buf b, c;
    struct value v;

    if (text.n == 0 || text.n > VALUE_INPUT_MAX || !utf8_valid(text, NULL))
        return false;
    text = span_trim(text);
    if (is_defanged(kind)) {
        buf_init_fixed(&c, clean, sizeof(clean));
        if (!value_refang(text, &c))
            return false;
        text = buf_view(&c);
    }
    if (text.n == 0)
        return false;
    if (!read_binary(kind, text, &v)) {
        buf_init_fixed(&b, form, sizeof(form));
        if (!form_other(kind, text, &b) || b.failed)
            return false;
        if (!(kind == VALUE_DOMAIN ? set_domain(&v, buf_view(&b))
                                   : set_text(&v, kind, buf_view(&b))))
            return false;
    }
    *out = v;
    return true;
}

bool
value_url_host(struct span url, struct value *out)
{
    char form[FORM_ROOM], clean[VALUE_INPUT_MAX];
    struct buf b, c;
    struct span host;

    if (url.n == 0 || url.n > VALUE_INPUT_MAX || !utf8_valid(url, NULL))
        return false;
    buf_init_fixed(&b, form, sizeof(form));
    buf_init_fixed(&c, clean, sizeof(clean));
    if (!value_refang(url, &c) || !form_url(buf_view(&c), &b, &host) || host.n == 0)
        return false;
    if (host.n > 2 && host.p[0] == '[')
        return value_read(VALUE_IPV6, span_part(host, 1, host.n - 2), out);
    return value_read(VALUE_IPV4, host, out) || value_read(VALUE_DOMAIN, host, out);
}

struct span
value_key(const struct value *v)
{
    return span_from(v->key, v->n);
}

bool
value_from_key(struct span key, struct value *out)
{
    if (key.n < 2 || key.n > VALUE_KEY_MAX)
        return false;
    unsigned kind = (unsigned char)key.p[0];
    if (kind == VALUE_NONE || kind >= VALUE_KINDS)
        return false;
    size_t want = fixed_length(kind);
    if (want != 0 && key.n != want + 1)
        return false;
    if ((kind == VALUE_NET4 && (unsigned char)key.p[1] > 31) ||
        (kind == VALUE_NET6 && (unsigned char)key.p[1] > 127) ||
        (kind == VALUE_HASH && key.n > FORM_HASH_MAX + 1))
        return false;
    out->kind = (enum value_kind)kind;
    out->n = (uint8_t)key.n;
    memcpy(out->key, key.p, key.n);
    return true;
}

static void
print_domain(struct span turned, struct buf *out)
{
    size_t end = turned.n;
    bool first = true;

    if (end > 0 && turned.p[end - 1] == '.')
        end--;
    while (end > 0) {
        size_t from = end;
        while (from > 0 && turned.p[from - 1] != '.')
            from--;
        if (!first)
            buf_u8(out, '.');
        first = false;
        buf_span(out, span_part(turned, from, end - from));
        end = from > 0 ? from - 1 : 0;
    }
}

void
value_print(const struct value *v, struct buf *out)
{
    const uint8_t *p = v->key + 1;
    size_t n = v->n > 0 ? v->n - 1u : 0;
    struct span text = span_from(p, n);

    switch (v->kind) {
    case VALUE_IPV4:
        form_print4(p, out);
        return;
    case VALUE_IPV6:
        form_print6(p, out);
        return;
    case VALUE_NET4:
    case VALUE_NET6:
        if (v->kind == VALUE_NET4)
            form_print4(p + 1, out);
        else
            form_print6(p + 1, out);
        buf_u8(out, '/');
        buf_decimal(out, p[0]);
        return;
    case VALUE_ASN:
        buf_str(out, "AS");
        buf_decimal(out, (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3]);
        return;
    case VALUE_MAC:
        for (size_t i = 0; i < n; i++)
            buf_printf(out, i > 0 ? ":%02x" : "%02x", p[i]);
        return;
    case VALUE_HASH:
        hex_put(out, p, n);
        return;
    default:
        break;
    }
    bool cut = n == VALUE_TEXT_MAX && !utf8_valid(text, NULL);
    if (cut) {
        size_t bad;
        text = span_part(text, 0, VALUE_HEAD);
        if (!utf8_valid(text, &bad))
            text = span_part(text, 0, bad);
    }
    if (v->kind == VALUE_DOMAIN)
        print_domain(text, out);
    else
        buf_span(out, text);
    if (cut)
        buf_str(out, "...");
}

static void
range_set(struct value_range *r, const uint8_t *lo, const uint8_t *hi, size_t n)
{
    memcpy(r->lo, lo, n);
    memcpy(r->hi, hi, n);
    r->lo_n = r->hi_n = (uint8_t)n;
}

/* addr with the bits from len on cleared, or set. */
static void
mask(const uint8_t *addr, size_t bytes, unsigned len, bool set, uint8_t *out)
{
    memcpy(out, addr, bytes);
    for (size_t bit = len; bit < 8 * bytes; bit++) {
        uint8_t m = (uint8_t)(0x80u >> bit % 8);
        out[bit / 8] = (uint8_t)(set ? out[bit / 8] | m : out[bit / 8] & ~m);
    }
}

static size_t
ranges_net(const struct value *v, struct value_range *out)
{
    bool v6 = v->kind == VALUE_IPV6 || v->kind == VALUE_NET6;
    bool net = v->kind == VALUE_NET4 || v->kind == VALUE_NET6;
    size_t bytes = v6 ? 16 : 4, n = 0;
    unsigned max = (unsigned)(8 * bytes);
    unsigned len = net ? v->key[1] : max;
    const uint8_t *addr = v->key + (net ? 2 : 1);
    uint8_t lo[18], hi[18];

    /* The addresses: one, or all in the network. */
    lo[0] = hi[0] = v6 ? VALUE_IPV6 : VALUE_IPV4;
    mask(addr, bytes, len, false, lo + 1);
    mask(addr, bytes, len, true, hi + 1);
    range_set(&out[n++], lo, hi, bytes + 1);
    /* The networks: those around and itself, one key each; those within, one range each. */
    lo[0] = hi[0] = v6 ? VALUE_NET6 : VALUE_NET4;
    for (unsigned q = 0; q < max; q++) {
        lo[1] = hi[1] = (uint8_t)q;
        mask(addr, bytes, q < len ? q : len, false, lo + 2);
        if (q <= len) {
            range_set(&out[n++], lo, lo, bytes + 2);
        } else {
            mask(addr, bytes, len, true, hi + 2);
            mask(hi + 2, bytes, q, false, hi + 2);
            range_set(&out[n++], lo, hi, bytes + 2);
        }
    }
    return n;
}

size_t
value_ranges(const struct value *v, enum value_width width,
             struct value_range out[VALUE_RANGES_MAX])
{
    bool net = v->kind == VALUE_NET4 || v->kind == VALUE_NET6;

    if (width == VALUE_WIDE && (net || v->kind == VALUE_IPV4 || v->kind == VALUE_IPV6))
        return ranges_net(v, out);
    range_set(&out[0], v->key, v->key, v->n);
    if (width == VALUE_WIDE && v->kind == VALUE_DOMAIN && v->n < VALUE_KEY_MAX)
        out[0].hi[out[0].hi_n++] = 0xff; /* above every byte of a name: all that begin with it */
    return 1;
}
