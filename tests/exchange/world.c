#include "world.h"

#include <dirent.h>
#include <unistd.h>

#include "intake_msg.h"
#include "mem.h"
#include "ticket.h"

#define ARENA (256u << 20)

static void
must(int rc, const struct err *e)
{
    char line[512];

    if (rc == 0)
        return;
    err_line(e, line, sizeof line);
    fail_msg("%s", line);
}

static void
world_open(struct world *w)
{
    struct exchange_options o = {.path = w->path, .ticket_key = w->key, .clock = &w->clock};
    struct err e = ERR_INIT;

    o.writer = true;
    must(exchange_open(&o, &w->writer, &e), &e);
    o.writer = false;
    must(exchange_open(&o, &w->reader, &e), &e);
    w->local = exchange_link_new(w->writer, &w->local_caller);
    w->front = exchange_link_new(w->writer, &w->front_caller);
    assert_non_null(w->local);
    assert_non_null(w->front);
}

static void
world_close(struct world *w)
{
    exchange_link_free(w->local);
    exchange_link_free(w->front);
    exchange_close(w->reader);
    exchange_close(w->writer);
}

struct world *
world_new(void)
{
    struct exchange_init init = {SPAN("ThaiCERT"), SPAN("TH"), SPAN("soc@example.org")};
    struct world *w = mem_zero(1, sizeof *w);
    struct err e = ERR_INIT;

    must(crypto_start(&e), &e);
    snprintf(w->dir, sizeof w->dir, "%.40s/jaga-exchange-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->path, sizeof w->path, "%s/store", w->dir);
    w->clock.wall_us = WORLD_NOW;
    key_random(&w->key);
    w->local_caller = (struct caller){.kind = CALLER_LOCAL};
    w->front_caller = (struct caller){.kind = CALLER_FRONT, .listener = {1, TLP_RED}};
    w->intake = intake_new();
    w->json = json_parser_new();
    w->a = arena_new(ARENA);
    buf_init(&w->body, 32u << 20);
    must(exchange_make(w->path, &init, &w->clock, &e), &e);
    world_open(w);
    return w;
}

void
world_free(struct world *w)
{
    char path[400];
    struct dirent *f;
    DIR *d;

    world_close(w);
    intake_free(w->intake);
    json_parser_free(w->json);
    arena_free(w->a);
    buf_clear(&w->body);
    d = opendir(w->dir);
    while (d != NULL && (f = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", w->dir, f->d_name);
        (void)unlink(path);
    }
    if (d != NULL)
        closedir(d);
    (void)rmdir(w->dir);
    mem_free(w);
}

void
world_reopen(struct world *w)
{
    world_close(w);
    world_open(w);
}

void
world_pass(struct world *w, int64_t us)
{
    w->clock.wall_us += us;
}

/* -- speaking -------------------------------------------------------------------------------------
 */

static struct span
ticket(struct world *w, const struct someone *who)
{
    struct ticket t = {.principal = who->principal,
                       .channel = who->channel,
                       .listener = 1,
                       .epoch = who->epoch,
                       .expiry_us = w->clock.wall_us + TICKET_LIFE_US / 2};
    uint8_t *b = arena_alloc(w->a, TICKET_BYTES);

    if (who->principal == 0)
        return (struct span){0};
    ticket_make(&w->key, &t, b);
    return span_from(b, TICKET_BYTES);
}

static const struct json *
parsed(struct world *w)
{
    struct err e = ERR_INIT;
    const struct json *o;

    if (w->last.status != ERR_NONE)
        return NULL;
    o = json_parse(w->json, w->last.body, w->a, &e);
    if (o == NULL)
        fail_msg("%s at %zu: %.*s", e.text, e.pos, (int)w->last.body.n, w->last.body.p);
    return o;
}

/* Everything goes through its message form, as between processes. */
const struct json *
world_tell(struct world *w, const struct someone *who, struct tell *t)
{
    struct exchange_link *l = who == NULL ? w->local : w->front;
    struct err e = ERR_INIT;
    struct buf message;
    struct tell got;
    bool answered;

    if (who != NULL)
        t->ticket = ticket(w, who);
    buf_init(&message, TELL_MAX);
    tell_encode(t, &message);
    must(tell_decode(buf_view(&message), w->a, &got, &e), &e);
    buf_reset(&w->body);
    answered = exchange_tell(l, &got, w->a, &w->body, &w->last);
    buf_clear(&message);
    return answered ? parsed(w) : NULL;
}

const struct json *
world_ask(struct world *w, const struct someone *who, struct ask *q)
{
    struct err e = ERR_INIT;
    struct buf message;
    struct ask got;

    if (who != NULL)
        q->ticket = ticket(w, who);
    buf_init(&message, ASK_MAX);
    ask_encode(q, &message);
    must(ask_decode(arena_span(w->a, buf_view(&message)), w->a, &got, &e), &e);
    buf_clear(&message);
    buf_reset(&w->body);
    exchange_ask(w->reader, who == NULL ? &w->local_caller : &w->front_caller, &got, w->a, &w->body,
                 &w->last);
    return parsed(w);
}

/* -- people ---------------------------------------------------------------------------------------
 */

static const struct json *
admin_list(struct world *w, enum tell_kind kind, enum tell_act act, const char *name, va_list ap)
{
    struct tell t = {.verb = TELL_ADMIN, .kind = kind, .act = act, .name = span_of(name)};
    struct tell_pair *pairs = arena_zero(w->a, 16, sizeof *pairs);
    const char *p;

    while ((p = va_arg(ap, const char *)) != NULL) {
        const char *eq = strchr(p, '=');

        pairs[t.pair_n].key = span_from(p, (size_t)(eq - p));
        pairs[t.pair_n++].value = span_of(eq + 1);
    }
    t.pairs = pairs;
    return world_tell(w, NULL, &t);
}

static struct someone
made(struct world *w, const struct json *o, enum channel channel)
{
    if (o == NULL)
        fail_msg("%.*s", (int)w->last.text.n, w->last.text.p);
    return (struct someone){(uint32_t)int_at(o, "principal"), (uint64_t)int_at(o, "epoch"),
                            channel};
}

struct someone
world_user(struct world *w, const char *name, ...)
{
    const struct json *o;
    va_list ap;

    va_start(ap, name);
    o = admin_list(w, TELL_K_USER, TELL_A_ADD, name, ap);
    va_end(ap);
    return made(w, o, CHANNEL_SESSION);
}

struct someone
world_token(struct world *w, const char *name, ...)
{
    const struct json *o;
    va_list ap;

    va_start(ap, name);
    o = admin_list(w, TELL_K_TOKEN, TELL_A_ADD, name, ap);
    va_end(ap);
    return made(w, o, CHANNEL_TOKEN);
}

void
world_admin(struct world *w, enum tell_kind kind, enum tell_act act, const char *name, ...)
{
    const struct json *o;
    va_list ap;

    va_start(ap, name);
    o = admin_list(w, kind, act, name, ap);
    va_end(ap);
    if (o == NULL)
        fail_msg("%s: %.*s", name, (int)w->last.text.n, w->last.text.p);
}

enum err_code
world_try_admin(struct world *w, enum tell_kind kind, enum tell_act act, const char *name, ...)
{
    va_list ap;

    va_start(ap, name);
    (void)admin_list(w, kind, act, name, ap);
    va_end(ap);
    return w->last.status;
}

/* -- objects --------------------------------------------------------------------------------------
 */

static struct span
payload(struct world *w, const char *text, uint64_t index, enum intake_profile profile)
{
    struct arena *a = arena_new(INTAKE_ARENA_MAX);
    struct intake_result r;
    struct err e = ERR_INIT;
    struct span out;
    struct buf b;

    must(intake_object(w->intake, span_of(text), profile, a, &r, &e), &e);
    r.index = index;
    buf_init(&b, INTAKE_MSG_MAX);
    intake_encode(&r, &b);
    assert_false(b.failed);
    out = arena_span(w->a, buf_view(&b));
    buf_clear(&b);
    arena_free(a);
    return out;
}

const struct json *
world_put(struct world *w, const struct someone *who, struct tell *begin, const char *const *texts)
{
    struct tell t = {.verb = TELL_OBJECT};

    begin->verb = TELL_BEGIN;
    begin->handle = t.handle = ++w->handle;
    if (world_tell(w, who, begin) == NULL)
        return NULL;
    for (size_t i = 0; texts[i] != NULL; i++) {
        t.payload = payload(w, texts[i], i,
                            begin->profile == TELL_P_STRICT ? INTAKE_STRICT : INTAKE_NORMAL);
        (void)world_tell(w, who, &t);
    }
    t = (struct tell){.verb = TELL_END, .handle = begin->handle};
    return world_tell(w, who, &t);
}

const char *
world_import(struct world *w, const char *label, const char *group, const char *text)
{
    const char *texts[] = {text, NULL};
    struct tell begin = {
        .items = true, .label = span_of(label), .group = span_of(group), .source = SPAN("test")};
    const struct json *o = world_put(w, NULL, &begin, texts);

    if (o == NULL)
        return arena_dup(w->a, w->last.text);
    return text_at(w, o, "items.0.outcome");
}

const char *
world_id(struct world *w, const char *type, unsigned n)
{
    return arena_printf(w->a, "%s--00000000-0000-4000-8000-%012x", type, n);
}

const char *
world_object(struct world *w, const char *type, unsigned n, const char *members)
{
    return arena_printf(w->a,
                        "{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\","
                        "\"created\":\"2025-01-01T00:00:00.000Z\"%s%s}",
                        type, world_id(w, type, n), *members ? "," : "", members);
}

bool
world_sees(struct world *w, const struct someone *who, const char *id)
{
    struct ask q = {.verb = ASK_GET, .id = span_of(id)};
    const struct json *o = world_ask(w, who, &q);

    if (o == NULL)
        assert_int_equal(w->last.status, ERR_MISSING);
    return o != NULL;
}

/* -- looking --------------------------------------------------------------------------------------
 */

const struct json *
at(const struct json *o, const char *path)
{
    struct span rest = span_of(path), part;
    uint64_t n;

    while (o != NULL && span_split(&rest, '.', &part)) {
        if (o->type == JSON_ARRAY && span_u64(part, 1u << 20, &n)) {
            for (o = o->child; o != NULL && n > 0; n--)
                o = o->next;
        } else {
            o = json_get_span(o, part);
        }
    }
    return o;
}

const char *
text_at(struct world *w, const struct json *o, const char *path)
{
    const struct json *v = at(o, path);

    return v != NULL && v->type == JSON_STRING ? arena_dup(w->a, v->text) : "";
}

int64_t
int_at(const struct json *o, const char *path)
{
    const struct json *v = at(o, path);
    int64_t n;

    return v != NULL && json_is_int(v, &n) ? n : -1;
}
