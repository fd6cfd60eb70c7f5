/*
 * A request's head: what is refused before a handler sees it.  The library is laxer than RFC 9112:
 * it takes a length beside a transfer coding, say, by which two servers in a row can be made to see
 * different requests.  It is told to be as lax as it can, since its own refusals are no answers of
 * ours; what it cannot read as a request at all it still refuses by itself (http_wire.c).
 */
#include <string.h>
#include "http_inner.h"

#define HEADER_MAX 100u /* header fields of one request */

struct checked {
    unsigned n, hosts, lengths, codings, content_codings;
    bool bad;
    const char *end; /* of what was given to us of the head so far */
    struct span host, length, coding, content_coding;
};

/* RFC 9110 section 5.6.2.  A space before the colon is none of it: where one server passes over it
 * and the next does not, the two see different requests (RFC 9112 section 5.1). */
static bool
is_token(struct span s)
{
    static const char also[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              memchr(also, c, sizeof also - 1) != NULL))
            return false;
    }
    return s.n > 0;
}

/* RFC 9112 section 3.2: no white space, and no control character that a log would show. */
static bool
is_target(const char *target)
{
    for (const char *p = target; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return false;
    return true;
}

/* RFC 9110 section 5.5: no control character but tab. */
static bool
is_value(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

/*
 * The library reads a head in place and passes over what it cannot place: what stands behind a NUL,
 * a field without a name.  A folded line it appends to its field's name (0.9.75), which makes
 * Transfer-Encoding of two harmless lines.  Whoever reads the same bytes differently in front of us
 * could be made to see other requests than we do, so all of a head must be part of what is given to
 * us: a line begins right behind the end of the one before.  (A name that was appended to has been
 * moved.)
 */
static bool
next_line(const char *end, const char *line)
{
    const uintptr_t gap = (uintptr_t)line - (uintptr_t)end;

    return gap == 1 || gap == 2; /* LF or CRLF (RFC 9112 section 2.2) */
}

/* The same for the request line; url is where the library has its target. */
static const char *
line_end(const struct http_request *r, const char *url, const char *version)
{
    const uintptr_t method = (uintptr_t)r->method_text;

    if ((uintptr_t)url != method + strlen(r->method_text) + 1 ||
        (uintptr_t)version != (uintptr_t)url + strlen(r->target) + 1)
        return NULL;
    return version + strlen(version);
}

/* Bytes of the head, with the empty line behind the last field. */
static size_t
head_size(const struct http_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info != NULL ? info->header_size : 0;
}

/* What follows the last field is that line. */
static bool
is_whole(const struct http_request *r, const struct checked *c)
{
    const uintptr_t left = (uintptr_t)r->method_text + head_size(r) - (uintptr_t)c->end;

    return left >= 2 && left <= 4;
}

static enum MHD_Result
count_header(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
             size_t value_n)
{
    struct checked *c = ctx;
    struct span k = span_from(name, name_n);
    struct span v = span_trim(span_from(value != NULL ? value : "", value_n));

    (void)kind;
    c->n++;
    c->bad = c->bad || !is_token(k) || !is_value(v) || !next_line(c->end, name) || value == NULL;
    c->end = value != NULL ? value + value_n : NULL;
    if (span_eq_nocase(k, SPAN("Host"))) {
        c->hosts++;
        c->host = v;
    } else if (span_eq_nocase(k, SPAN("Content-Length"))) {
        c->lengths++;
        c->length = v;
    } else if (span_eq_nocase(k, SPAN("Transfer-Encoding"))) {
        c->codings++;
        c->coding = v;
    } else if (span_eq_nocase(k, SPAN("Content-Encoding"))) {
        c->content_codings++;
        c->content_coding = v;
    }
    return MHD_YES;
}

unsigned
head_check(struct http_request *r, const char *url, const char *version, const char **why)
{
    struct checked c = {.end = line_end(r, url, version)};
    bool v11 = strcmp(version, "HTTP/1.1") == 0;

    MHD_get_connection_values_n(r->conn->mhd, MHD_HEADER_KIND, count_header, &c);
    /* Whatever announces a body makes it one whose end we do not know, until it is understood. */
    if (c.codings > 0 || c.lengths > 0)
        r->length = UINT64_MAX;
    *why = "malformed request";
    if (!v11 && strcmp(version, "HTTP/1.0") != 0) {
        *why = "HTTP/1.1 is spoken here";
        return 505;
    }
    if (r->path.n == 0 || r->path.p[0] != '/' || !is_target(r->target))
        return 400; /* also the absolute form, which is for proxies */
    if (c.bad || !is_whole(r, &c) || c.hosts > 1 || c.lengths > 1 || c.codings > 1)
        return 400;
    if (head_size(r) > HTTP_HEAD_MAX) {
        *why = "request too long";
        return strlen(r->target) > HTTP_HEAD_MAX / 2 ? 414 : 431;
    }
    if (c.n > HEADER_MAX) {
        *why = "too many header fields";
        return 431;
    }
    if (v11 && c.hosts == 0) {
        *why = "no Host header (RFC 9112 section 3.2)";
        return 400;
    }
    if (c.codings > 0 && c.lengths > 0) {
        *why = "Content-Length beside Transfer-Encoding (RFC 9112 section 6.3)";
        return 400;
    }
    if (c.codings > 0 && !v11)
        return 400;
    if (c.codings > 0 && !span_eq_nocase(c.coding, SPAN("chunked"))) {
        *why = "unknown transfer coding";
        return 501;
    }
    if (c.lengths > 0) {
        uint64_t length;

        if (!span_u64(c.length, INT64_MAX, &length)) {
            *why = "Content-Length is no number";
            return 400;
        }
        r->length = length;
    }
    if (r->length != 0 &&
        (c.content_codings > 1 || (!r->server->h->knows_codings && c.content_coding.n > 0 &&
                                   !span_eq_nocase(c.content_coding, SPAN("identity"))))) {
        *why = "content codings are not understood";
        return 415;
    }
    return 0;
}
