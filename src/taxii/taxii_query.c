/* taxii/taxii_query.c - query parameters of TAXII 2.1. */
#include "taxii_query.h"

#include <string.h>

static const struct {
    const char *name;
    enum taxii_param param;
} params[] = {
    {"added_after", TAXII_P_ADDED_AFTER},
    {"limit", TAXII_P_LIMIT},
    {"next", TAXII_P_NEXT},
    {"match[id]", TAXII_P_ID},
    {"match[type]", TAXII_P_TYPE},
    {"match[version]", TAXII_P_VERSION},
    {"match[spec_version]", TAXII_P_SPEC},
};
#define PARAMS (sizeof params / sizeof params[0])

/* While reading: lists that grow, and what has been seen. */
struct state {
    struct arena *a;
    struct taxii_query q;
    struct span *values[3]; /* id, type, spec */
    size_t count[3];
    struct taxii_version *version;
    size_t version_n;
    size_t bytes; /* of all values, as taxii_filter_put writes them */
};

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

/* RFC 3986 percent-decoding.  '+' stays: a date with an offset is what holds one here, and no
 * value of TAXII holds a space. */
static int
decode(struct arena *a, struct span in, struct span *out, struct err *e)
{
    char *p = arena_alloc(a, in.n + 1);
    size_t n = 0;

    if (p == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];

        if (c == '%') {
            int hi = in.n - i > 2 ? hex_digit(in.p[i + 1]) : -1;
            int lo = in.n - i > 2 ? hex_digit(in.p[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return err_set_at(e, ERR_SYNTAX, i, "a broken percent-encoding in the URL");
            c = (char)(hi * 16 + lo);
            i += 2;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return err_set_at(e, ERR_SYNTAX, i, "a control character in the URL");
        p[n++] = c;
    }
    *out = span_from(p, n);
    return 0;
}

static int
add_value(struct state *s, unsigned list, struct span v, struct err *e)
{
    if (s->count[list] >= TAXII_VALUES_MAX)
        return err_set(e, ERR_LIMIT, "too many values in a match list");
    if (s->values[list] == NULL) {
        s->values[list] = arena_zero(s->a, TAXII_VALUES_MAX, sizeof(struct span));
        if (s->values[list] == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
    }
    s->values[list][s->count[list]++] = v;
    return 0;
}

static int
add_version(struct state *s, struct span v, struct err *e)
{
    struct taxii_version t = {.text = v};

    if (span_is(v, "last")) {
        t.kind = TAXII_V_LAST;
    } else if (span_is(v, "first")) {
        t.kind = TAXII_V_FIRST;
    } else if (span_is(v, "all")) {
        t.kind = TAXII_V_ALL;
    } else {
        t.kind = TAXII_V_TIME;
        if (!instant_read(v, true, &t.at, NULL))
            return err_set(e, ERR_SYNTAX, "a version is last, first, all or a timestamp");
    }
    if (s->version_n >= TAXII_VALUES_MAX)
        return err_set(e, ERR_LIMIT, "too many values in a match list");
    if (s->version == NULL) {
        s->version = arena_zero(s->a, TAXII_VALUES_MAX, sizeof *s->version);
        if (s->version == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
    }
    s->version[s->version_n++] = t;
    return 0;
}

static int
take_list(struct state *s, enum taxii_param p, struct span value, struct err *e)
{
    struct span part;

    while (span_split(&value, ',', &part)) {
        int bad;

        part = span_trim(part);
        if (part.n == 0)
            continue;
        s->bytes += part.n + 4;
        if (s->bytes > TAXII_QUERY_MAX)
            return err_set(e, ERR_LIMIT, "the match lists are too long");
        if (p == TAXII_P_VERSION)
            bad = add_version(s, part, e);
        else
            bad = add_value(s, p == TAXII_P_ID ? 0 : p == TAXII_P_TYPE ? 1 : 2, part, e);
        if (bad != 0)
            return -1;
        s->q.given |= (unsigned)p;
    }
    return 0;
}

static int
take_limit(struct taxii_query *q, struct span v, struct err *e)
{
    uint64_t n = 0;
    bool big = v.n > 18; /* more digits than a number that we read: "as many as you have" */

    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return err_set(e, ERR_SYNTAX, "limit is not a whole number");
    }
    if (!big && !span_u64(v, UINT64_MAX, &n))
        return err_set(e, ERR_SYNTAX, "limit is not a whole number");
    if (!big && n == 0)
        return err_set(e, ERR_RANGE, "limit must be greater than zero");
    q->limit = big || n > TAXII_LIMIT_MAX ? TAXII_LIMIT_MAX : (uint32_t)n;
    return 0;
}

static int
take(struct state *s, enum taxii_param p, struct span value, struct err *e)
{
    if (p & (TAXII_P_ID | TAXII_P_TYPE | TAXII_P_VERSION | TAXII_P_SPEC))
        return take_list(s, p, value, e);
    if (s->q.given & (unsigned)p)
        return err_set(e, ERR_DUPLICATE, "a parameter was sent twice");
    s->q.given |= (unsigned)p;
    switch (p) {
    case TAXII_P_ADDED_AFTER:
        if (!instant_read(value, true, &s->q.added_after, NULL))
            return err_set(e, ERR_SYNTAX, "added_after is not a timestamp");
        return 0;
    case TAXII_P_LIMIT:
        return take_limit(&s->q, value, e);
    default:
        s->q.next = value;
        return 0;
    }
}

static void
lists_into(struct state *s)
{
    s->q.id = (struct taxii_list){s->values[0], s->count[0]};
    s->q.type = (struct taxii_list){s->values[1], s->count[1]};
    s->q.spec = (struct taxii_list){s->values[2], s->count[2]};
    s->q.version = s->version;
    s->q.version_n = s->version_n;
}

int
taxii_query_read(struct arena *a, struct span query, unsigned allowed, struct taxii_query *out,
                 struct err *e)
{
    struct state s = {.a = a};
    struct span pair, name, value;
    ptrdiff_t eq;

    if (query.n > TAXII_QUERY_MAX + TAXII_NEXT_MAX)
        return err_set(e, ERR_LIMIT, "the query string is too long");
    while (span_split(&query, '&', &pair)) {
        eq = span_find(pair, '=');
        if (eq < 0 || (size_t)eq + 1 == pair.n)
            continue;
        if (decode(a, span_part(pair, 0, (size_t)eq), &name, e) != 0 ||
            decode(a, span_part(pair, (size_t)eq + 1, pair.n), &value, e) != 0)
            return -1;
        for (size_t i = 0; i < PARAMS; i++) {
            if (!span_is(name, params[i].name) || (allowed & (unsigned)params[i].param) == 0)
                continue;
            if (take(&s, params[i].param, value, e) != 0)
                return err_place(e, "%s", params[i].name);
        }
    }
    lists_into(&s);
    *out = s.q;
    return 0;
}

static void
list_put(struct taxii_list l, struct buf *out)
{
    buf_u16(out, (unsigned)l.n);
    for (size_t i = 0; i < l.n; i++)
        buf_field(out, l.v[i]);
}

void
taxii_filter_put(const struct taxii_query *q, struct buf *out)
{
    list_put(q->id, out);
    list_put(q->type, out);
    list_put(q->spec, out);
    buf_u16(out, (unsigned)q->version_n);
    for (size_t i = 0; i < q->version_n; i++)
        buf_field(out, q->version[i].text);
}

int
taxii_filter_get(struct reader *r, struct arena *a, struct taxii_query *q, struct err *e)
{
    static const enum taxii_param order[] = {TAXII_P_ID, TAXII_P_TYPE, TAXII_P_SPEC,
                                             TAXII_P_VERSION};
    struct state s = {.a = a, .q = *q};

    s.q.given &= ~(unsigned)(TAXII_P_ID | TAXII_P_TYPE | TAXII_P_SPEC | TAXII_P_VERSION);
    for (unsigned l = 0; l < 4; l++) {
        unsigned n = reader_u16(r);

        if (n > TAXII_VALUES_MAX)
            return err_set(e, ERR_PROTOCOL, "too many values in a match list");
        for (unsigned i = 0; i < n && !r->failed; i++) {
            struct span v = reader_field(r, TAXII_QUERY_MAX);

            if (r->failed || v.n == 0)
                return err_set(e, ERR_PROTOCOL, "a broken match list");
            if (l == 3 ? add_version(&s, v, e) : add_value(&s, l, v, e))
                return -1;
            s.q.given |= (unsigned)order[l];
        }
    }
    if (r->failed)
        return err_set(e, ERR_PROTOCOL, "a broken match list");
    lists_into(&s);
    *q = s.q;
    return 0;
}

bool
taxii_spec_ok(const struct taxii_query *q)
{
    for (size_t i = 0; i < q->spec.n; i++) {
        if (span_is(q->spec.v[i], "2.1"))
            return true;
    }
    return q->spec.n == 0;
}
