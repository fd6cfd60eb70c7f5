/* taxii/taxii_media.c - Accept and Content-Type as clients in the field write them. */
#include "taxii_query.h"

/* One media range taken apart: "type/subtype; version=2.1; q=0.5". */
struct range {
    struct span type;
    struct span version; /* as sent, without quotes; {NULL, 0} for none */
    unsigned q;          /* in thousandths */
};

static struct span
unquote(struct span s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        return span_part(s, 1, s.n - 2);
    return s;
}

/* RFC 9110 section 12.4.2: "0" to "1" with up to three digits.  What is no weight counts as 1. */
static unsigned
weight(struct span s)
{
    unsigned q = 0, unit = 100;

    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
        return 1000;
    if (s.p[0] == '1')
        return 1000;
    for (size_t i = 2; i < s.n; i++, unit /= 10) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return 1000;
        q += (unsigned)(s.p[i] - '0') * unit;
    }
    return q;
}

static struct range
range_of(struct span s)
{
    struct range r = {.q = 1000};
    struct span part, name, value;
    ptrdiff_t eq;

    if (!span_split(&s, ';', &part))
        return r;
    r.type = span_trim(part);
    while (span_split(&s, ';', &part)) {
        eq = span_find(part, '=');
        if (eq < 0)
            continue;
        name = span_trim(span_part(part, 0, (size_t)eq));
        value = unquote(span_trim(span_part(part, (size_t)eq + 1, part.n)));
        if (span_eq_nocase(name, SPAN("version")))
            r.version = value;
        else if (span_eq_nocase(name, SPAN("q")))
            r.q = weight(value);
    }
    return r;
}

/* How closely a range names what we send; 0: not at all. */
static unsigned
closeness(const struct range *r)
{
    bool right_version = r->version.p == NULL || span_is(r->version, "2.1");

    if (span_eq_nocase(r->type, SPAN("application/taxii+json")) && right_version)
        return r->version.p != NULL ? 5 : 4;
    if (span_eq_nocase(r->type, SPAN("application/json")))
        return 3;
    if (span_eq_nocase(r->type, SPAN("application/*")))
        return 2;
    return span_is(r->type, "*/*") || span_is(r->type, "*") ? 1 : 0;
}

bool
taxii_accept_ok(struct span accept)
{
    unsigned best = 0, q = 0;
    struct span part;

    if (span_trim(accept).n == 0)
        return true;
    while (span_split(&accept, ',', &part)) {
        struct range r = range_of(part);
        unsigned c = closeness(&r);

        /* The closest range decides; of equals, the kinder. */
        if (c > best || (c == best && c > 0 && r.q > q)) {
            best = c;
            q = r.q;
        }
    }
    return best > 0 && q > 0;
}

bool
taxii_content_ok(struct span content_type)
{
    struct range r = range_of(content_type);

    if (!span_eq_nocase(r.type, SPAN("application/taxii+json")) &&
        !span_eq_nocase(r.type, SPAN("application/stix+json")))
        return false;
    return r.version.p == NULL || span_is(r.version, "2.1");
}
