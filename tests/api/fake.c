#include "fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "crypto.h"
#include "intake_msg.h"
#include "mem.h"

#define MINUTE   (60 * INT64_C(1000000))
#define FIRST_US INT64_C(1764000000000000)

/* -- what is played -------------------------------------------------------------------------------
 */

static void run(void *ctx);

static struct outcome *
outcome_add(struct fake *f, enum outcome_kind kind, void *tag)
{
    struct outcome *o = calloc(1, sizeof *o); /* not among those that fail */

    assert_non_null(o);
    for (const struct outcome *p = f->pending; p != NULL; p = p->next)
        assert_ptr_not_equal(p->tag, tag); /* a call waits for one thing at a time */
    o->kind = kind;
    o->tag = tag;
    o->away = f->away[kind];
    *f->end = o;
    f->end = &o->next;
    loop_defer(f->l, &f->run, run, f);
    return o;
}

static void
copy(char *out, size_t n, struct span s)
{
    snprintf(out, n, "%.*s", (int)s.n, s.p);
}

static int
do_login(void *ctx, const struct backend_login *l, void *tag, struct err *e)
{
    struct fake *f = ctx;
    struct outcome *o;

    f->logins++;
    copy(f->last_name, sizeof f->last_name, l->name);
    copy(f->last_secret, sizeof f->last_secret, l->secret);
    copy(f->last_address, sizeof f->last_address, l->address);
    f->last_scheme = l->scheme;
    f->last_person = l->person;
    if (f->refuse[OUTCOME_LOGIN])
        return err_set(e, ERR_BUSY, "auth is away");
    o = outcome_add(f, OUTCOME_LOGIN, tag);
    o->state = AUTH_NO;
    if (l->scheme == AUTH_TOKEN ? span_starts(l->secret, "jaga_good")
                                : span_is(l->name, "ana") && span_is(l->secret, "s:cret"))
        o->state = f->login_state; /* AUTH_OK */
    if (span_is(l->name, "later"))
        o->state = AUTH_LATER;
    if (span_is(l->name, "broken"))
        o->state = AUTH_BROKEN;
    return 0;
}

static const char *
default_answer(enum ask_verb verb)
{
    switch (verb) {
    case ASK_COLLECTIONS:
        return "{\"collections\":[]}";
    case ASK_OBJECTS:
    case ASK_OBJECT:
        return "{\"more\":true,\"next\":\"abc\",\"objects\":[{\"id\":\"x\"}]}";
    case ASK_STATUS:
        return "{\"id\":\"1\",\"status\":\"complete\"}";
    default:
        return "{}";
    }
}

/* A reader must be able to read whatever a client brings us to send. */
static void
can_be_read(const struct ask *q)
{
    struct buf encoded;
    struct arena *a = arena_new(1u << 20);
    struct ask back;
    struct err e = ERR_INIT;

    buf_init(&encoded, ASK_MAX);
    ask_encode(q, &encoded);
    assert_false(encoded.failed);
    assert_int_equal(ask_decode(buf_view(&encoded), a, &back, &e), 0);
    arena_free(a);
    buf_clear(&encoded);
}

static int
do_ask(void *ctx, const struct ask *q, bool long_read, void *tag, struct err *e)
{
    struct fake *f = ctx;
    struct outcome *o;
    const char *body;

    (void)long_read;
    f->asks++;
    f->last_ask = *q;
    copy(f->last_text, sizeof f->last_text, q->f.text);
    copy(f->last_id, sizeof f->last_id, q->id);
    copy(f->last_collection, sizeof f->last_collection, q->collection);
    copy(f->last_next, sizeof f->last_next, q->q.next);
    if (f->refuse[OUTCOME_ASK])
        return err_set(e, ERR_BUSY, "no reader");
    if (!f->fail_at)
        can_be_read(q);
    o = outcome_add(f, OUTCOME_ASK, tag);
    o->status = f->status;
    if (span_is(q->ticket, TICKET_OLD))
        o->status = ERR_AUTH;
    if (o->status != ERR_NONE || o->away)
        return 0;
    body = f->answer[q->verb] ? f->answer[q->verb] : default_answer(q->verb);
    o->n = f->big.n ? f->big.n : strlen(body);
    o->body = malloc(o->n);
    memcpy(o->body, f->big.n ? f->big.p : body, o->n);
    if (q->verb == ASK_OBJECTS || q->verb == ASK_MANIFEST) {
        o->first_us = FIRST_US;
        o->last_us = FIRST_US + 1500;
    }
    return 0;
}

static void
see_object(struct fake *f, struct span payload)
{
    struct arena *a = arena_new(64u << 20);
    struct intake_result r;
    struct err e = ERR_INIT;

    if (intake_decode(payload, a, &r, &e))
        fail_msg("not a message: %s", e.text);
    if (r.canonical.n || r.class == INTAKE_REFUSED) {
        f->objects++;
        buf_span(&f->objects_seen, r.canonical);
        buf_str(&f->objects_seen, "\n");
    }
    arena_free(a);
}

static enum err_code
play_tell(struct fake *f, const struct tell *t, struct err *e)
{
    switch (t->verb) {
    case TELL_BEGIN:
        f->begins++;
        if (f->status == ERR_NONE && !span_is(t->ticket, TICKET_OLD) && !f->away[OUTCOME_TELL])
            f->open++;
        break;
    case TELL_END:
        f->ends++;
        f->open--;
        return f->end_status;
    case TELL_ABORT:
        f->aborts++;
        f->open--;
        break;
    case TELL_FLUSH:
        f->flushes++;
        break;
    default:
        break;
    }
    (void)e;
    return span_is(t->ticket, TICKET_OLD) ? ERR_AUTH : f->status;
}

static int
do_tell(void *ctx, const struct tell *t, void *tag, struct err *e)
{
    struct fake *f = ctx;
    enum err_code status;
    struct outcome *o;

    if (t->verb == TELL_OBJECT) {
        if (f->refuse[OUTCOME_TELL])
            return err_set(e, ERR_BUSY, "the writer is away");
        assert_true(f->any_handle || t->handle == f->last_handle);
        assert_false(f->full);
        if (f->fail_at)
            f->objects++;
        else
            see_object(f, t->payload);
        f->taken++;
        f->full = f->full_after && f->taken >= f->full_after;
        return 0;
    }
    f->tells++;
    f->last_tell = *t;
    if (t->verb == TELL_BEGIN)
        copy(f->last_collection, sizeof f->last_collection, t->collection);
    if (f->refuse[OUTCOME_TELL] && t->verb != TELL_ABORT)
        return err_set(e, ERR_BUSY, "the writer is away");
    status = play_tell(f, t, e);
    if (tag == NULL) {
        assert_int_equal(t->verb, TELL_ABORT);
        return 0;
    }
    o = outcome_add(f, OUTCOME_TELL, tag);
    o->status = status;
    o->body = strdup(t->verb == TELL_END ? "{\"status\":\"complete\"}" : "{}");
    o->n = strlen(o->body);
    return 0;
}

static bool
do_full(void *ctx)
{
    return ((struct fake *)ctx)->full;
}

static uint32_t
do_handle(void *ctx)
{
    return ++((struct fake *)ctx)->last_handle;
}

static void
do_release(void *ctx, const struct backend_answer *w)
{
    struct fake *f = ctx;
    struct outcome *o = w->source;

    f->returned++;
    assert_true(f->returned <= f->lent);
    free(o->body); /* whoever still reads it is found by the sanitizer */
    free(o);
}

static bool
do_scarce(void *ctx, const struct backend_answer *w)
{
    (void)w;
    return ((struct fake *)ctx)->scarce;
}

static void
do_cancel(void *ctx, void *tag)
{
    struct fake *f = ctx;

    for (struct outcome **at = &f->pending; *at != NULL; at = &(*at)->next) {
        struct outcome *o = *at;

        if (o->tag != tag)
            continue;
        *at = o->next;
        if (f->end == &o->next)
            f->end = at;
        free(o->body);
        free(o);
        f->cancels++;
        return;
    }
    fail_msg("cancelled what does not wait");
}

static void
give(struct fake *f, struct outcome *o)
{
    const struct backend_events *v = api_events();
    void *tag = o->tag;

    if (o->kind == OUTCOME_ASK && !o->away) {
        struct backend_answer w = {.a = {.status = o->status,
                                         .text = span_of(f->text ? f->text : "why"),
                                         .first_us = o->first_us,
                                         .last_us = o->last_us,
                                         .body = span_from(o->body, o->n)},
                                   .source = o};
        f->lent++;
        v->ask(f->api, tag, &w);
        return; /* o is freed when it is given back */
    }
    if (o->kind == OUTCOME_LOGIN && !o->away) {
        struct auth_reply r = {.state = o->state,
                               .wait_s = 7,
                               .ticket = f->ticket_old ? SPAN(TICKET_OLD) : SPAN("a ticket"),
                               .expires_us = f->clock.wall_us +
                                             (f->ticket_life_us ? f->ticket_life_us : MINUTE)};
        v->login(f->api, tag, &r);
    } else if (o->kind == OUTCOME_TELL && !o->away) {
        struct answer w = {.status = o->status,
                           .text = span_of(f->text ? f->text : "why"),
                           .body = span_from(o->body, o->n)};
        v->tell(f->api, tag, &w);
    } else if (o->kind == OUTCOME_LOGIN) {
        v->login(f->api, tag, NULL);
    } else if (o->kind == OUTCOME_ASK) {
        v->ask(f->api, tag, NULL);
    } else {
        v->tell(f->api, tag, NULL);
    }
    free(o->body);
    free(o);
}

static void
run(void *ctx)
{
    struct fake *f = ctx;
    struct outcome **at = &f->pending;

    while (*at != NULL && f->hold[(*at)->kind])
        at = &(*at)->next;
    if (*at == NULL)
        return;
    struct outcome *o = *at;
    *at = o->next;
    if (f->end == &o->next)
        f->end = at;
    give(f, o);
    if (f->pending != NULL)
        loop_defer(f->l, &f->run, run, f);
}

void
fake_let_go(struct fake *f, enum outcome_kind kind)
{
    f->hold[kind] = false;
    loop_defer(f->l, &f->run, run, f);
}

void
fake_drain(struct fake *f)
{
    f->full = false;
    f->taken = 0;
    f->drains++;
    api_events()->drained(f->api);
}

/* -- life -----------------------------------------------------------------------------------------
 */

static int
listen_any(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(fd, 4096), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void
end(struct fake *f)
{
    http_free(f->s);
    api_free(f->api);
    f->s = NULL;
    f->api = NULL;
}

void
fake_start(struct fake *f, uint64_t max_content, const struct http_options *h)
{
    struct http_options ho = h ? *h : (struct http_options){0};
    const struct api_options o = {.name = "Tim <Siber>",
                                  .country = "TL",
                                  .contact = "ops@cert.example",
                                  .fingerprint = "00:11",
                                  .max_content = max_content,
                                  .page_objects = 100,
                                  .clock = &f->clock,
                                  .log = &f->log};
    struct err e = ERR_INIT;

    end(f);
    f->api = api_new(&o, &f->b, &e);
    assert_non_null(f->api);
    ho.listen_fd = listen_any(&f->port);
    f->s = http_new(f->l, &ho, api_handler(), f->api, &e);
    assert_non_null(f->s);
}

int
fake_setup(void **state)
{
    struct fake *f = mem_zero(1, sizeof *f);
    struct err e = ERR_INIT;

    assert_int_equal(crypto_start(&e), 0);
    f->l = loop_new(NULL);
    f->end = &f->pending;
    f->clock.wall_us = FIRST_US;
    f->log = (struct log){.fd = -1};
    buf_init(&f->objects_seen, 64u << 20);
    buf_init(&f->big, 64u << 20);
    f->b = (struct backend){.ctx = f,
                            .login = do_login,
                            .ask = do_ask,
                            .tell = do_tell,
                            .writer_full = do_full,
                            .handle = do_handle,
                            .release = do_release,
                            .scarce = do_scarce,
                            .cancel = do_cancel};
    fake_start(f, 1u << 20, NULL);
    *state = f;
    return 0;
}

int
fake_teardown(void **state)
{
    struct fake *f = *state;
    bool clean;

    fake_rounds(f, 5);
    end(f);
    loop_defer_stop(&f->run);
    clean = f->pending == NULL && f->lent == f->returned && f->open == 0;
    if (!clean)
        fprintf(stderr, "# left: %s pending, %u lent, %u returned, %u batches open\n",
                f->pending ? "some" : "none", f->lent, f->returned, f->open);
    buf_clear(&f->objects_seen);
    buf_clear(&f->big);
    loop_free(f->l);
    mem_free(f);
    return clean ? 0 : -1;
}

/* -- the client -----------------------------------------------------------------------------------
 */

void
fake_rounds(struct fake *f, int n)
{
    while (n-- > 0) {
        if (f->fail_at)
            mem_fail_at(f->fail_at);
        assert_int_equal(loop_round(f->l, 200, NULL), 0);
        if (f->fail_at) {
            size_t used = mem_count();
            mem_fail_at(0);
            f->fail_at = used >= f->fail_at ? 0 : f->fail_at - used;
        }
        while (f->auto_drain && f->full)
            fake_drain(f);
    }
}

int
fake_dial(struct fake *f)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

void
fake_hang_up(struct fake *f, int fd)
{
    close(fd);
    fake_rounds(f, 5);
}

void
fake_say(struct fake *f, int fd, const char *bytes, size_t n)
{
    int stuck = 0;

    while (n > 0 && stuck < 2000) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
            stuck = 0;
        } else if (sent < 0 && errno != EAGAIN) {
            return; /* refused in the middle: hear tells */
        } else {
            stuck++;
        }
        fake_rounds(f, 1);
    }
}

/* A whole answer is there. */
static bool
complete(struct heard *h, bool head)
{
    char *start, *end, *length;

    buf_u8(&h->all, 0); /* for strstr */
    buf_cut(&h->all, h->all.n - 1);
    start = h->all.p;
    end = strstr(start, "\r\n\r\n");
    if (end == NULL)
        return false;
    if (strncmp(start, "HTTP/1.1 100", 12) == 0) {
        size_t cut = (size_t)(end + 4 - start);

        memmove(start, end + 4, h->all.n - cut);
        buf_cut(&h->all, h->all.n - cut);
        return false;
    }
    h->body = (size_t)(end + 4 - start);
    length = strcasestr(start, "\r\nContent-Length: ");
    return head || (length != NULL && h->all.n - h->body >= strtoull(length + 18, NULL, 10));
}

void
fake_hear(struct fake *f, int fd, bool head, struct heard *h)
{
    int quiet = 0;

    *h = (struct heard){0};
    buf_init(&h->all, 64u << 20);
    while (quiet < 2000) {
        char bytes[65536];
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);

        if (n > 0) {
            buf_put(&h->all, bytes, (size_t)n);
            quiet = 0;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            h->ended = true;
            break;
        } else if (h->all.n > 0 && complete(h, head)) {
            break;
        } else {
            fake_rounds(f, 1);
            quiet++;
        }
    }
    if (h->all.n > 12 && complete(h, head))
        h->status = (unsigned)strtoul(h->all.p + 9, NULL, 10);
    if (head)
        fake_rounds(f, 3);
}

void
heard_clear(struct heard *h)
{
    buf_clear(&h->all);
}

void
fake_once(struct fake *f, const char *text, struct heard *h)
{
    int fd = fake_dial(f);

    fake_say(f, fd, text, strlen(text));
    fake_hear(f, fd, strncmp(text, "HEAD ", 5) == 0, h);
    fake_hang_up(f, fd);
}

const char *
heard_body(const struct heard *h)
{
    return h->all.p ? h->all.p + h->body : "";
}

bool
heard_has(const struct heard *h, const char *name, const char *value)
{
    char line[400];
    const char *at;

    snprintf(line, sizeof line, "\r\n%s: %s", name, value);
    at = h->all.p ? strcasestr(h->all.p, line) : NULL;
    return at != NULL && at < h->all.p + h->body;
}

void
heard_is_error(const struct heard *h, unsigned status)
{
    struct json_parser *p = json_parser_new();
    struct arena *a = arena_new(1u << 20);
    struct err e = ERR_INIT;
    char number[16];
    const struct json *o;

    assert_true(heard_has(h, "Content-Type", "application/taxii+json;version=2.1\r\n"));
    o = json_parse(p, span_from(heard_body(h), h->all.n - h->body), a, &e);
    if (o == NULL)
        fail_msg("no JSON: %s", heard_body(h));
    assert_true(json_text(o, "title").n > 0);
    snprintf(number, sizeof number, "%u", status);
    assert_true(span_is(json_text(o, "http_status"), number));
    arena_free(a);
    json_parser_free(p);
}
