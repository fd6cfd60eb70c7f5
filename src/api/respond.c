/* What goes back: statuses, headers, errors in the form that the client reads. */
#include "api_inner.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "mem.h"

#define RETRY_S    2
#define FIELDS_MAX 12

static const char csp[] = "default-src 'none'; style-src 'self'; form-action 'self'; "
                          "base-uri 'none'; frame-ancestors 'none'";

struct head {
    struct http_field f[FIELDS_MAX];
    size_t n;
};

static void
put(struct head *h, const char *name, const char *value)
{
    assert(h->n < FIELDS_MAX);
    h->f[h->n++] = (struct http_field){name, value};
}

/* What goes with everything: nothing is kept by a cache, nothing is guessed, nothing is framed or
 * read by another site.  A browser heeds the last one only where it trusts the certificate. */
static void
common(struct head *h, const char *type)
{
    put(h, "Content-Type", type);
    put(h, "Cache-Control", "no-store");
    put(h, "X-Content-Type-Options", "nosniff");
    put(h, "Cross-Origin-Resource-Policy", "same-origin");
    put(h, "Strict-Transport-Security", "max-age=31536000");
}

static void
common_html(struct head *h)
{
    common(h, "text/html; charset=utf-8");
    put(h, "Content-Security-Policy", csp);
    put(h, "Referrer-Policy", "no-referrer");
}

static void
send_reply(struct call *c, unsigned status, const struct head *h, struct span body,
           void (*free_body)(void *), void *free_ctx)
{
    const struct http_reply r = {.status = status,
                                 .fields = h->f,
                                 .n_fields = h->n,
                                 .body = body,
                                 .free_body = free_body,
                                 .free_ctx = free_ctx};
    struct err e = ERR_INIT;

    c->state = CALL_ANSWERED;
    if (http_answer(c->http, &r, &e))
        log_err(c->api->o.log, LOG_DEBUG, "answer not sent", &e);
    call_drop(c); /* after the body's last use: it may live in what is dropped */
}

void
respond_json(struct call *c, unsigned status, struct span body)
{
    struct head h = {.n = 0};

    common(&h, TAXII_MEDIA);
    send_reply(c, status, &h, body, NULL, NULL);
}

void
respond_html(struct call *c, unsigned status, struct span body)
{
    struct head h = {.n = 0};

    common_html(&h);
    send_reply(c, status, &h, body, NULL, NULL);
}

void
respond_css(struct call *c, struct span body)
{
    struct head h = {.n = 0};

    put(&h, "Content-Type", "text/css; charset=utf-8");
    put(&h, "Cache-Control", "max-age=3600");
    put(&h, "X-Content-Type-Options", "nosniff");
    send_reply(c, 200, &h, body, NULL, NULL);
}

/* An error with headers of its own, at most two. */
static void
error_with(struct call *c, unsigned status, const char *title, struct span detail,
           const struct http_field *own, size_t own_n)
{
    struct head h = {.n = 0};
    struct buf *b = &c->api->scratch;

    buf_reset(b);
    if (c->html) {
        common_html(&h);
        page_error(c, title, detail, b);
    } else {
        struct taxii_error t = {
            .title = span_of(title), .description = detail, .http_status = status};
        common(&h, TAXII_MEDIA);
        taxii_print_error(b, &t);
    }
    for (size_t i = 0; i < own_n; i++)
        put(&h, own[i].name, own[i].value);
    send_reply(c, status, &h, buf_view(b), NULL, NULL);
}

void
respond_error(struct call *c, unsigned status, const char *title, struct span detail)
{
    bool ok;
    struct http_field allow = {"Allow", route_methods(c->route.end, c->method, &ok)};

    error_with(c, status, title, detail, &allow, status == 405 ? 1 : 0);
}

void
respond_login(struct call *c)
{
    /* Bearer is for programs: a browser would not know what to ask for. */
    static const struct http_field challenge[] = {
        {"WWW-Authenticate", "Basic realm=\"jaga\", charset=\"UTF-8\""},
        {"WWW-Authenticate", "Bearer realm=\"jaga\""}};

    error_with(c, 401, "Login needed",
               c->html ? SPAN("Give your name and password.")
                       : SPAN("Give a name and password (Basic), or a token (Bearer)."),
               challenge, c->html ? 1 : 2);
}

void
respond_coding(struct call *c)
{
    static const struct http_field field = {"Accept-Encoding", "gzip"};

    error_with(c, 415, "Unsupported content coding", SPAN("A POST may come in gzip, or plain."),
               &field, 1);
}

static void
retry(struct call *c, unsigned status, const char *title, struct span detail, unsigned seconds)
{
    char text[16];
    const struct http_field field = {"Retry-After", text};

    (void)snprintf(text, sizeof text, "%u", seconds);
    error_with(c, status, title, detail, &field, 1);
}

void
respond_busy(struct call *c, unsigned retry_s)
{
    retry(c, 503, "Try again shortly", SPAN("A part of the node is busy or starting."), retry_s);
}

void
respond_later(struct call *c, unsigned retry_s)
{
    retry(c, 429, "Too many logins", SPAN("Wait as long as Retry-After says."), retry_s);
}

void
respond_err_code(struct call *c, enum err_code code, struct span text)
{
    switch (code) {
    case ERR_AUTH:
        respond_login(c);
        return;
    case ERR_MISSING:
        /* One text for what is not there and for what may not be seen. */
        respond_error(c, 404, "Not found", SPAN("There is none, or none that you may see."));
        return;
    case ERR_DENIED:
        respond_error(c, 403, "Not allowed", text);
        return;
    case ERR_CONFLICT:
        respond_error(c, 409, "Conflict", text);
        return;
    case ERR_LIMIT:
        respond_error(c, c->method == HTTP_POST ? 413 : 400, "Too large", text);
        return;
    case ERR_BUSY:
    case ERR_FULL:
    case ERR_MEMORY:
        respond_busy(c, RETRY_S);
        return;
    case ERR_SYNTAX:
    case ERR_RANGE:
    case ERR_RULE:
    case ERR_TYPE:
    case ERR_ENCODING:
    case ERR_DUPLICATE:
    case ERR_USAGE:
        respond_error(c, 400, "Bad request", text);
        return;
    default:
        log_line(c->api->o.log, LOG_ERROR, "a request failed", LOG_T("code", err_name(code)),
                 LOG_S("text", text));
        respond_error(c, 500, "The node failed", SPAN("The operator's log says more."));
    }
}

/* For a client that can read it and a body that gains by it: coded into the scratch buffer. */
static bool
coded(struct call *c, struct span body)
{
    struct buf *b = &c->api->scratch;

    buf_reset(b);
    return body.n >= GZIP_LEAST && body.n <= GZIP_MOST && c->method != HTTP_HEAD &&
           gzip_welcome(http_header(c->http, "Accept-Encoding")) && gzip_put(body, b);
}

/* An answer's body on its way out.  It outlives the call: the library may let go of it later. */
struct held {
    const struct backend *b;
    struct backend_answer w;
};

static void
release(void *ctx)
{
    struct held *h = ctx;

    h->b->release(h->b->ctx, &h->w);
    mem_free(h);
}

void
respond_taxii(struct call *c, const struct backend_answer *w)
{
    const struct backend *b = c->api->b;
    char first[TAXII_TIME_MAX], last[TAXII_TIME_MAX];
    struct head h = {.n = 0};
    struct held *held;

    common(&h, TAXII_MEDIA);
    if (w->a.first_us) {
        taxii_time(w->a.first_us, first);
        taxii_time(w->a.last_us, last);
        put(&h, "X-TAXII-Date-Added-First", first);
        put(&h, "X-TAXII-Date-Added-Last", last);
    }
    put(&h, "Vary", "Accept-Encoding");
    if (coded(c, w->a.body)) {
        b->release(b->ctx, w);
        put(&h, "Content-Encoding", "gzip");
        send_reply(c, 200, &h, buf_view(&c->api->scratch), NULL, NULL);
        return;
    }
    /* A slow reader of a body must not hold the memory that all share. */
    held = b->scarce(b->ctx, w) ? NULL : mem_alloc(sizeof *held);
    if (held) {
        *held = (struct held){b, *w};
        send_reply(c, 200, &h, w->a.body, release, held);
    } else {
        send_reply(c, 200, &h, w->a.body, NULL, NULL);
        b->release(b->ctx, w);
    }
}
