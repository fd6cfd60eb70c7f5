/* A request's life: who asks, what is refused by the headers alone, and what waits for whom. */
#include "api_inner.h"

#include <arpa/inet.h>
#include <string.h>
#include "clock.h"
#include "mem.h"

/* -- tickets of before ---------------------------------------------------------------------------
 */

static int64_t
now_us(const struct call *c)
{
    return clock_wall_us(c->api->o.clock);
}

static struct ticket_entry *
ticket_set(struct api *a, const uint8_t mark[MAC_BYTES])
{
    return a->tickets[((size_t)mark[0] << 8 | mark[1]) % API_TICKET_SETS];
}

static struct ticket_entry *
ticket_find(struct call *c)
{
    struct ticket_entry *t = ticket_set(c->api, c->mark);

    for (size_t i = 0; i < API_TICKET_WAYS; i++)
        if (t[i].expires_us != 0 &&
            equal_secret(span_from(t[i].mark, MAC_BYTES), span_from(c->mark, MAC_BYTES)))
            return &t[i];
    return NULL;
}

static void
ticket_take(struct call *c, struct span ticket, int64_t ends_us)
{
    memcpy(c->ticket_mem, ticket.p, ticket.n);
    c->ticket = span_from(c->ticket_mem, ticket.n);
    c->ticket_ends_us = ends_us;
}

static bool
ticket_known(struct call *c)
{
    struct ticket_entry *t = ticket_find(c);
    int64_t left = c->method == HTTP_POST ? API_POST_LEFT : API_TICKET_LEFT;

    if (t == NULL || t->expires_us - left < now_us(c))
        return false;
    ticket_take(c, span_from(t->ticket, t->ticket_n), t->expires_us);
    return true;
}

/* Its own place, else the one that ends first. */
static void
ticket_keep(struct call *c)
{
    struct ticket_entry *set = ticket_set(c->api, c->mark), *t = ticket_find(c);

    for (size_t i = 0; t == NULL && i < API_TICKET_WAYS; i++)
        if (set[i].expires_us == 0)
            t = &set[i];
    if (t == NULL) {
        t = &set[0];
        for (size_t i = 1; i < API_TICKET_WAYS; i++)
            if (set[i].expires_us < t->expires_us)
                t = &set[i];
    }
    memcpy(t->mark, c->mark, MAC_BYTES);
    memcpy(t->ticket, c->ticket.p, c->ticket.n);
    t->ticket_n = c->ticket.n;
    t->expires_us = c->ticket_ends_us;
}

static void
ticket_forget(struct call *c)
{
    struct ticket_entry *t = ticket_find(c);

    if (t != NULL)
        mem_wipe(t, sizeof *t);
    c->ticket = (struct span){NULL, 0};
}

/* -- credentials ---------------------------------------------------------------------------------
 */

static void
read_address(struct call *c)
{
    const struct sockaddr *sa = http_peer(c->http);

    if (sa && sa->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
                        c->address, sizeof c->address);
    else if (sa && sa->sa_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
                        c->address, sizeof c->address);
    c->login.address = span_of(c->address);
}

/* "Basic ..." (RFC 7617): name and password, or any name and a token as the password. */
static bool
basic(struct call *c, struct span value)
{
    struct buf b;
    ptrdiff_t colon;

    buf_init_fixed(&b, c->secret, sizeof c->secret);
    if (!base64_read(value, &b) || (colon = span_find(buf_view(&b), ':')) < 0)
        return false;
    c->login.name = span_part(buf_view(&b), 0, (size_t)colon);
    c->login.secret = span_part(buf_view(&b), (size_t)colon + 1, b.n);
    c->login.scheme = AUTH_PASSWORD;
    if (span_starts(c->login.secret, "jaga_")) {
        c->login.scheme = AUTH_TOKEN;
        c->login.name = (struct span){NULL, 0};
    }
    return true;
}

/* False: the header is broken, which is told as a failed login. */
static bool
credentials(struct call *c, struct span header)
{
    struct span scheme, value = header;

    if (header.n > API_CREDENTIAL_MAX || !span_split(&value, ' ', &scheme))
        return false;
    value = span_trim(value);
    mac_make(&c->api->mark_key[c->person], header, c->mark);
    c->login.person = c->person;
    if (span_eq_nocase(scheme, SPAN("basic")))
        return basic(c, value);
    if (span_eq_nocase(scheme, SPAN("bearer")) || span_eq_nocase(scheme, SPAN("token"))) {
        c->login.scheme = AUTH_TOKEN;
        c->login.secret = value;
        return value.n > 0;
    }
    return false;
}

void
call_login(struct call *c)
{
    struct err e = ERR_INIT;

    if (c->api->b->login(c->api->b->ctx, &c->login, c, &e))
        respond_busy(c, 2);
    else
        c->waiting = true;
}

bool
call_login_again(struct call *c)
{
    if (!c->has_login || c->retried)
        return false;
    c->retried = true;
    ticket_forget(c);
    c->state = CALL_LOGIN;
    call_login(c);
    return true;
}

static void
on_login(void *ctx, void *tag, const struct auth_reply *r)
{
    struct call *c = tag;

    (void)ctx;
    c->waiting = false;
    if (!r || r->state == AUTH_BROKEN || r->ticket.n > sizeof c->ticket_mem) {
        respond_busy(c, 2);
    } else if (r->state == AUTH_LATER) {
        respond_later(c, r->wait_s);
    } else if (r->state != AUTH_OK || r->ticket.n == 0) {
        respond_login(c);
    } else {
        ticket_take(c, r->ticket, r->expires_us);
        ticket_keep(c);
        if (c->state == CALL_RENEW)
            post_renewed(c);
        else
            call_work(c);
    }
}

/* -- work ----------------------------------------------------------------------------------------
 */

void
call_work(struct call *c)
{
    if (c->route.taxii && c->method == HTTP_POST)
        post_begin(c);
    else if (c->route.taxii)
        taxii_begin(c);
    else
        page_begin(c);
}

void
call_ask(struct call *c, struct ask *q, bool long_read)
{
    struct err e = ERR_INIT;

    q->ticket = c->ticket;
    c->state = CALL_ASKED;
    if (c->api->b->ask(c->api->b->ctx, q, long_read, c, &e) == 0)
        c->waiting = true;
    else if (e.code == ERR_LIMIT)
        respond_error(c, 414, "The request is too long", span_of(e.text));
    else
        respond_busy(c, 1);
}

int
call_tell(struct call *c, const struct tell *t)
{
    struct err e = ERR_INIT;

    if (c->api->b->tell(c->api->b->ctx, t, c, &e)) {
        respond_busy(c, 2);
        return -1;
    }
    c->waiting = true;
    return 0;
}

void
call_drop(struct call *c)
{
    if (c->waiting)
        c->api->b->cancel(c->api->b->ctx, c);
    c->waiting = false;
    post_drop(c);
}

static void
on_ask(void *ctx, void *tag, struct backend_answer *w)
{
    struct call *c = tag;
    struct api *a = ctx;

    c->waiting = false;
    if (!w) {
        respond_busy(c, 1);
        return;
    }
    if (w->a.status == ERR_AUTH && c->ticket.n) {
        a->b->release(a->b->ctx, w);
        if (!call_login_again(c))
            respond_login(c);
    } else if (c->route.taxii) {
        taxii_asked(c, w);
    } else {
        page_asked(c, w);
    }
}

static void
on_tell(void *ctx, void *tag, const struct answer *w)
{
    struct call *c = tag;

    (void)ctx;
    c->waiting = false;
    if (c->method == HTTP_POST) {
        post_told(c, w);
    } else if (!w) {
        respond_busy(c, 1);
    } else if (w->status == ERR_AUTH && call_login_again(c)) {
        return;
    } else if (w->status != ERR_NONE) {
        respond_err_code(c, w->status, w->text);
    } else {
        respond_json(c, 200, SPAN("{}"));
    }
}

static void
on_drained(void *ctx)
{
    struct api *a = ctx;
    struct call *c = a->stuck;

    /* None of these can go away in here: callers are never called back. */
    a->stuck = NULL;
    while (c) {
        struct call *next = c->post.next;
        c->post.waiting = false;
        post_go_on(c);
        c = next;
    }
}

/* -- a request's steps ---------------------------------------------------------------------------
 */

/* Whether errors are to be read by a person: on the pages, unless the client names JSON. */
static bool
wants_html(const struct call *c)
{
    struct span accept = http_header(c->http, "Accept");

    return !c->route.taxii && span_find_span(accept, SPAN("json")) < 0;
}

static struct call *
call_spare(struct api *a)
{
    struct call *c = a->spare;

    if (!c)
        return mem_zero(1, sizeof *c);
    a->spare = c->post.next;
    a->spares--;
    c->post.next = NULL;
    return c;
}

static struct call *
call_new(struct api *a, struct http_request *r)
{
    struct call *c = call_spare(a);

    if (!c)
        return NULL;
    c->api = a;
    c->http = r;
    c->method = http_method(r);
    c->query = http_query(r);
    if (!c->arena)
        c->arena = arena_new(API_ARENA_MAX);
    buf_init(&c->post.piece, HTTP_BODY_MAX);
    buf_init(&c->html_out, API_PAGE_MAX);
    if (!c->arena) {
        mem_free(c);
        return NULL;
    }
    route_read(http_path(r), &c->route);
    c->person = !c->route.taxii;
    c->html = wants_html(c);
    return c;
}

/* Nothing of one request is left for the next. */
static void
call_free(struct call *c)
{
    struct api *a = c->api;
    struct arena *arena = c->arena;

    buf_clear(&c->post.piece);
    buf_clear(&c->html_out);
    mem_wipe(c, sizeof *c);
    if (a->spares == API_SPARE) {
        arena_free(arena);
        mem_free(c);
        return;
    }
    arena_reset(arena);
    c->arena = arena;
    c->post.next = a->spare;
    a->spare = c;
    a->spares++;
}

/* Accept lines add up to one list (RFC 9110 section 5.3). */
static bool
accept_ok(struct http_request *r)
{
    struct span line;
    unsigned i = 0;

    while (http_header_next(r, "Accept", i, &line)) {
        if (taxii_accept_ok(line))
            return true;
        i++;
    }
    return i == 0;
}

/* What can be refused by the headers alone; true: it was. */
static bool
refused(struct call *c)
{
    bool ok;
    struct http_request *r = c->http;

    (void)route_methods(c->route.end, c->method, &ok);
    if (c->route.end == END_NONE) {
        respond_error(c, 404, "Not found", SPAN("There is none, or none that you may see."));
    } else if (!ok) {
        respond_error(c, 405, "Method not allowed", (struct span){NULL, 0});
    } else if (c->route.taxii && !accept_ok(r)) {
        respond_error(c, 406, "Not acceptable",
                      SPAN("Only application/taxii+json;version=2.1 is served here."));
    } else if (c->method == HTTP_POST && !taxii_content_ok(http_header(r, "Content-Type"))) {
        respond_error(c, 415, "Unsupported media type",
                      SPAN("A POST takes application/taxii+json;version=2.1 or "
                           "application/stix+json;version=2.1."));
    } else if (c->method == HTTP_POST &&
               !gzip_understood(http_header(r, "Content-Encoding"), &c->post.gzip)) {
        respond_coding(c);
    } else if (c->method == HTTP_POST && http_length(r) != UINT64_MAX &&
               http_length(r) > c->api->o.max_content) {
        respond_error(c, 413, "Too large", SPAN("The API root's max_content_length is the limit."));
    } else if (c->query.n > API_QUERY_MAX) {
        respond_error(c, 414, "The request is too long", (struct span){NULL, 0});
    } else {
        return false;
    }
    return true;
}

static void
start(struct call *c)
{
    if (!c->has_login || ticket_known(c)) {
        call_work(c);
    } else {
        c->state = CALL_LOGIN;
        call_login(c);
    }
}

static int
on_begin(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct call *c = call_new(a, r);
    struct span header;

    if (!c)
        return -1;
    http_set(r, c);
    http_limit(r, c->method == HTTP_POST ? a->o.max_content : API_IGNORED);
    if (refused(c))
        return 0;
    header = http_header(r, "Authorization");
    if (header.p && c->route.end != END_STYLE) {
        c->has_login = true;
        read_address(c);
        if (!credentials(c, header)) {
            respond_login(c);
            return 0;
        }
    }
    if (c->method != HTTP_POST)
        return 0;
    if (!c->has_login) {
        respond_login(c);
        return 0;
    }
    http_pause(r); /* the body waits until we know who sends it */
    start(c);
    return 0;
}

static void
on_body(void *ctx, struct http_request *r, struct span piece)
{
    struct call *c = http_user(r);

    (void)ctx;
    /* A body where none is asked for means nothing (RFC 9110 section 9.3.1). */
    if (c->method == HTTP_POST && c->state != CALL_ANSWERED)
        post_body(c, piece);
}

static void
on_end(void *ctx, struct http_request *r)
{
    struct call *c = http_user(r);

    (void)ctx;
    if (c->state == CALL_ANSWERED)
        return;
    if (c->method == HTTP_POST)
        post_end(c);
    else
        start(c);
}

static void
on_gone(void *ctx, struct http_request *r, bool sent)
{
    struct call *c = http_user(r);

    (void)ctx;
    (void)sent;
    if (!c)
        return;
    call_drop(c);
    call_free(c);
}

/* What the server itself refuses: the same form as our own errors. */
static void
on_refuse(void *ctx, struct http_request *r, unsigned status, const char *why)
{
    struct call *own = http_user(r), *c = own;

    /* A request that has not begun is never gone either. */
    if (!c && !(c = call_new(ctx, r)))
        return;
    if (c->state != CALL_ANSWERED) {
        if (status == 503)
            respond_busy(c, 2);
        else
            respond_error(c, status, why, (struct span){NULL, 0});
    }
    if (!own)
        call_free(c);
}

const struct http_handler *
api_handler(void)
{
    static const struct http_handler h = {.begin = on_begin,
                                          .body = on_body,
                                          .end = on_end,
                                          .gone = on_gone,
                                          .refuse = on_refuse,
                                          .knows_codings = true};
    return &h;
}

const struct backend_events *
api_events(void)
{
    static const struct backend_events v = {
        .login = on_login, .ask = on_ask, .tell = on_tell, .drained = on_drained};
    return &v;
}

struct api *
api_new(const struct api_options *o, const struct backend *b, struct err *e)
{
    struct api *a = mem_zero(1, sizeof *a);

    if (!a) {
        (void)err_set(e, ERR_MEMORY, "out of memory");
        return NULL;
    }
    a->o = *o;
    a->b = b;
    key_random(&a->mark_key[0]);
    key_random(&a->mark_key[1]);
    buf_init(&a->scratch, INTAKE_MSG_MAX);
    a->page_arena = arena_new(API_PAGE_ARENA);
    a->parser = json_parser_new();
    if (!a->page_arena || !a->parser) {
        (void)err_set(e, ERR_MEMORY, "out of memory");
        api_free(a);
        return NULL;
    }
    return a;
}

void
api_free(struct api *a)
{
    if (!a)
        return;
    for (struct call *c = a->spare, *next; c; c = next) {
        next = c->post.next;
        arena_free(c->arena);
        mem_free(c);
    }
    json_parser_free(a->parser);
    arena_free(a->page_arena);
    buf_clear(&a->scratch);
    mem_wipe(a, sizeof *a);
    mem_free(a);
}
