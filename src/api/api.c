#include "api_inner.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "clock.h"
#include "mem.h"

#define CREDENTIAL_MAX 1024 /* bytes of an Authorization header */

/* -- tickets of before ---------------------------------------------------------------------------
 */

static struct ticket_entry *
ticket_place(struct api *a, const uint8_t mark[MAC_BYTES])
{
    return &a->tickets[((size_t)mark[0] << 8 | mark[1]) % API_TICKETS];
}

static bool
ticket_known(struct call *c)
{
    struct ticket_entry *t = ticket_place(c->api, c->mark);

    if (t->expires_us - API_TICKET_LEFT < clock_wall_us(c->api->o.clock) ||
        !equal_secret(span_from(t->mark, MAC_BYTES), span_from(c->mark, MAC_BYTES)))
        return false;
    c->ticket = arena_span(c->arena, span_from(t->ticket, t->ticket_n));
    return c->ticket.n > 0;
}

static void
ticket_keep(struct call *c, const struct auth_reply *r)
{
    struct ticket_entry *t = ticket_place(c->api, c->mark);

    if (r->ticket.n > sizeof t->ticket)
        return;
    memcpy(t->mark, c->mark, MAC_BYTES);
    memcpy(t->ticket, r->ticket.p, r->ticket.n);
    t->ticket_n = r->ticket.n;
    t->expires_us = r->expires_us;
}

/* -- credentials ---------------------------------------------------------------------------------
 */

static struct span
address_of(struct call *c)
{
    const struct sockaddr *sa = http_peer(c->http);
    char text[INET6_ADDRSTRLEN] = "";

    if (sa && sa->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, text,
                        sizeof text);
    else if (sa && sa->sa_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, text,
                        sizeof text);
    return arena_span(c->arena, span_of(text));
}

/* "Basic ..." (RFC 7617): name and password, or any name and a token as the password. */
static bool
basic(struct call *c, struct span value)
{
    struct buf b;
    struct span pair, name;

    buf_init(&b, CREDENTIAL_MAX);
    bool ok = base64_read(value, &b) && memchr(b.p, ':', b.n) != NULL;
    if (ok) {
        pair = arena_span(c->arena, buf_view(&b));
        ok = span_split(&pair, ':', &name);
        c->login.name = name;
        c->login.secret = pair;
        c->login.scheme = span_starts(pair, "jaga_") ? AUTH_TOKEN : AUTH_PASSWORD;
    }
    if (b.p)
        mem_wipe(b.p, b.n);
    buf_clear(&b);
    return ok;
}

/* False: the header is broken, which is told as a failed login. */
static bool
credentials(struct call *c, struct span header)
{
    struct span scheme, value = span_trim(header);

    if (header.n > CREDENTIAL_MAX || !span_split(&value, ' ', &scheme))
        return false;
    value = span_trim(value);
    mac_make(&c->api->mark_key, header, c->mark);
    c->mark[MAC_BYTES - 1] ^= c->person ? 1 : 0;
    c->login.person = c->person;
    c->login.address = address_of(c);
    if (span_eq_nocase(scheme, SPAN("basic")))
        return basic(c, value);
    if (span_eq_nocase(scheme, SPAN("bearer")) || span_eq_nocase(scheme, SPAN("token"))) {
        c->login.scheme = AUTH_TOKEN;
        c->login.secret = arena_span(c->arena, value);
        return c->login.secret.n > 0;
    }
    return false;
}

static void
start_login(struct call *c)
{
    struct err e = ERR_INIT;

    c->state = CALL_LOGIN;
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
    ticket_place(c->api, c->mark)->expires_us = 0;
    start_login(c);
    return true;
}

static void
on_login(void *ctx, void *tag, const struct auth_reply *r)
{
    struct call *c = tag;

    (void)ctx;
    c->waiting = false;
    if (!r || r->state == AUTH_BROKEN) {
        respond_busy(c, 2);
    } else if (r->state == AUTH_LATER) {
        respond_busy(c, r->wait_s);
    } else if (r->state != AUTH_OK) {
        respond_login(c);
    } else {
        ticket_keep(c, r);
        c->ticket = arena_span(c->arena, r->ticket);
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

static struct call *
call_new(struct api *a, struct http_request *r)
{
    struct call *c = mem_zero(1, sizeof *c);

    if (!c)
        return NULL;
    c->api = a;
    c->http = r;
    c->method = http_method(r);
    c->arena = arena_new(API_ARENA_MAX);
    buf_init(&c->post.piece, HTTP_BODY_MAX);
    buf_init(&c->html, API_PAGE_MAX);
    if (!c->arena) {
        mem_free(c);
        return NULL;
    }
    http_set(r, c);
    return c;
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
    } else if (c->route.taxii && !taxii_accept_ok(http_header(r, "Accept"))) {
        respond_error(c, 406, "Not acceptable",
                      SPAN("Only application/taxii+json;version=2.1 is served here."));
    } else if (c->method == HTTP_POST && !taxii_content_ok(http_header(r, "Content-Type"))) {
        respond_error(c, 415, "Unsupported media type",
                      SPAN("A POST takes application/taxii+json;version=2.1 or "
                           "application/stix+json;version=2.1."));
    } else if (c->method == HTTP_POST && http_length(r) != UINT64_MAX &&
               http_length(r) > c->api->o.max_content) {
        respond_error(c, 413, "Too large", SPAN("The API root's max_content_length is the limit."));
    } else {
        return false;
    }
    return true;
}

static int
on_begin(void *ctx, struct http_request *r)
{
    struct api *a = ctx;
    struct call *c = call_new(a, r);
    struct span header;

    if (!c)
        return -1;
    route_read(http_path(r), &c->route);
    c->person = !c->route.taxii;
    http_limit(r, c->method == HTTP_POST ? a->o.max_content : 0);
    if (refused(c))
        return 0;
    if (http_query(r).n > API_QUERY_MAX) {
        respond_error(c, 414, "The request is too long", (struct span){NULL, 0});
        return 0;
    }
    c->query = arena_span(c->arena, http_query(r));
    header = http_header(r, "Authorization");
    if (header.p) {
        c->has_login = true;
        if (!credentials(c, header)) {
            respond_login(c);
            return 0;
        }
    }
    if (c->method == HTTP_POST) {
        /* The body waits until we know who sends it. */
        http_pause(r);
        if (!c->has_login)
            respond_login(c);
        else if (ticket_known(c))
            call_work(c);
        else
            start_login(c);
    }
    return 0;
}

static void
on_body(void *ctx, struct http_request *r, struct span piece)
{
    struct call *c = http_user(r);

    (void)ctx;
    if (c && c->state != CALL_ANSWERED)
        post_body(c, piece);
}

static void
on_end(void *ctx, struct http_request *r)
{
    struct call *c = http_user(r);

    (void)ctx;
    if (!c || c->state == CALL_ANSWERED)
        return;
    if (c->method == HTTP_POST)
        post_end(c);
    else if (!c->has_login || ticket_known(c))
        call_work(c);
    else
        start_login(c);
}

static void
on_gone(void *ctx, struct http_request *r, bool sent)
{
    struct call *c = http_user(r);

    (void)ctx;
    (void)sent;
    if (!c)
        return;
    if (c->waiting)
        c->api->b->cancel(c->api->b->ctx, c);
    post_gone(c);
    if (c->answer_held)
        c->api->b->release(c->api->b->ctx, &c->held);
    buf_clear(&c->post.piece);
    buf_clear(&c->html);
    arena_free(c->arena);
    mem_free(c);
}

/* What the server itself refuses: the same form as our own errors. */
static void
on_refuse(void *ctx, struct http_request *r, unsigned status, const char *why)
{
    struct call *c = http_user(r);

    if (!c && !(c = call_new(ctx, r)))
        return;
    if (c->state == CALL_NEW)
        route_read(http_path(r), &c->route);
    if (c->state != CALL_ANSWERED)
        respond_error(c, status, why, (struct span){NULL, 0});
}

const struct http_handler *
api_handler(void)
{
    static const struct http_handler h = {
        .begin = on_begin, .body = on_body, .end = on_end, .gone = on_gone, .refuse = on_refuse};
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
    key_random(&a->mark_key);
    buf_init(&a->scratch, API_PAGE_MAX);
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
    json_parser_free(a->parser);
    arena_free(a->page_arena);
    buf_clear(&a->scratch);
    mem_wipe(a, sizeof *a);
    mem_free(a);
}
