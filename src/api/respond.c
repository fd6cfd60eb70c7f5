/* What goes back: statuses, headers, errors in the form that the client reads. */
#include <stdio.h>
#include <string.h>
#include "api_inner.h"

#define RETRY_S 2

/* Headers that go with everything: nothing is cached by a shared cache, nothing is guessed. */
#define COMMON                                                                                     \
    {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"},                          \
    {                                                                                              \
        "Strict-Transport-Security", "max-age=31536000"                                            \
    }

static const char csp[] = "default-src 'none'; style-src 'self'; form-action 'self'; "
                          "base-uri 'none'; frame-ancestors 'none'";

static void
send_reply(struct call *c, const struct http_reply *r)
{
    struct err e = ERR_INIT;

    c->state = CALL_ANSWERED;
    if (http_answer(c->http, r, &e))
        log_err(c->api->o.log, LOG_DEBUG, "answer not sent", &e);
}

void
respond_json(struct call *c, unsigned status, struct span body)
{
    const struct http_field fields[] = {{"Content-Type", TAXII_MEDIA}, COMMON};
    const struct http_reply r = {.status = status,
                                 .fields = fields,
                                 .n_fields = sizeof fields / sizeof fields[0],
                                 .body = body};

    send_reply(c, &r);
}

void
respond_html(struct call *c, unsigned status, struct span body)
{
    const struct http_field fields[] = {{"Content-Type", "text/html; charset=utf-8"},
                                        {"Content-Security-Policy", csp},
                                        {"Referrer-Policy", "no-referrer"},
                                        {"X-Frame-Options", "DENY"},
                                        COMMON};
    const struct http_reply r = {.status = status,
                                 .fields = fields,
                                 .n_fields = sizeof fields / sizeof fields[0],
                                 .body = body};

    send_reply(c, &r);
}

void
respond_css(struct call *c, struct span body)
{
    const struct http_field fields[] = {{"Content-Type", "text/css; charset=utf-8"},
                                        {"Cache-Control", "max-age=3600"},
                                        {"X-Content-Type-Options", "nosniff"}};
    const struct http_reply r = {.status = 200,
                                 .fields = fields,
                                 .n_fields = sizeof fields / sizeof fields[0],
                                 .body = body};

    send_reply(c, &r);
}

/* An error with one header of its own. */
static void
error_with(struct call *c, unsigned status, const char *title, struct span detail,
           const struct http_field *own)
{
    bool html = !c->route.taxii;
    struct http_field fields[8] = {
        {"Content-Type", html ? "text/html; charset=utf-8" : TAXII_MEDIA}, COMMON};
    size_t n = 4;
    struct buf *b = &c->api->scratch;

    buf_reset(b);
    if (html) {
        fields[n++] = (struct http_field){"Content-Security-Policy", csp};
        page_error(c, status, title, detail, b);
    } else {
        struct taxii_error t = {
            .title = span_of(title), .description = detail, .http_status = status};
        taxii_print_error(b, &t);
    }
    if (own)
        fields[n++] = *own;
    struct http_reply r = {.status = status, .fields = fields, .n_fields = n, .body = buf_view(b)};
    send_reply(c, &r);
}

void
respond_error(struct call *c, unsigned status, const char *title, struct span detail)
{
    bool ok;
    struct http_field allow = {"Allow", route_methods(c->route.end, c->method, &ok)};

    error_with(c, status, title, detail, status == 405 ? &allow : NULL);
}

void
respond_login(struct call *c)
{
    const struct http_field basic = {"WWW-Authenticate", "Basic realm=\"jaga\", charset=\"UTF-8\""};

    error_with(c, 401, "Login needed",
               SPAN("Give a name and password (Basic), or a token (Bearer)."), &basic);
}

void
respond_busy(struct call *c, unsigned retry_s)
{
    char seconds[16];
    const struct http_field retry = {"Retry-After", seconds};

    (void)snprintf(seconds, sizeof seconds, "%u", retry_s);
    error_with(c, 503, "Try again shortly", SPAN("A part of the node is busy or starting."),
               &retry);
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
        respond_error(c, 413, "Too large", text);
        return;
    case ERR_BUSY:
    case ERR_FULL:
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

static void
release(void *ctx)
{
    struct call *c = ctx;

    c->answer_held = false;
    c->api->b->release(c->api->b->ctx, &c->held);
}

void
respond_taxii(struct call *c, const struct backend_answer *w)
{
    char first[TAXII_TIME_MAX], last[TAXII_TIME_MAX];
    struct http_field fields[8] = {{"Content-Type", TAXII_MEDIA}, COMMON};
    struct http_reply r = {.status = 200, .fields = fields, .n_fields = 4, .body = w->a.body};

    if (w->a.first_us) {
        taxii_time(w->a.first_us, first);
        taxii_time(w->a.last_us, last);
        fields[r.n_fields++] = (struct http_field){"X-TAXII-Date-Added-First", first};
        fields[r.n_fields++] = (struct http_field){"X-TAXII-Date-Added-Last", last};
    }
    /* A slow reader of a body must not hold the memory that all share. */
    if (c->api->b->scarce(c->api->b->ctx, w)) {
        send_reply(c, &r);
        c->api->b->release(c->api->b->ctx, w);
        return;
    }
    c->held = *w;
    c->answer_held = true;
    r.free_body = release;
    r.free_ctx = c;
    send_reply(c, &r);
}
