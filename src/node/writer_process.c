/*
 * node/writer_process.c - the one process that writes the store.
 *
 * It hears fronts, readers (served marks), auth (audit) and the command line, each on a socket of
 * its own, so that who speaks is known by the socket and by the ticket alone.
 */
#include <string.h>
#include <unistd.h>
#include "arena.h"
#include "child.h"
#include "exchange.h"
#include "folder.h"
#include "local.h"
#include "mem.h"
#include "signing.h"

#define ARENA_MAX  (256u << 20) /* bytes that one message may cost while it is decided */
#define ANSWER_MAX (FRAME_MAX - 4096)
#define TICK_US    INT64_C(1000000)
#define SIGN_US    INT64_C(10000) /* after what was said: many are signed at once */
#define QUEUE_MAX  (4u << 20)     /* bytes of answers waiting for a slow sender */

struct writer;

/* One sender. */
struct sender {
    struct writer *writer;
    struct frame_conn *conn; /* NULL: none */
    struct exchange_link *link;
    struct caller caller;
};

struct writer {
    struct child *child;
    struct exchange *exchange;
    struct arena *arena;
    struct buf body, out;
    struct sender fronts[CONFIG_LISTEN_MAX];
    struct sender readers[CONFIG_READERS_MAX];
    struct sender auth;
    struct local *local;
    struct exchange_link *own; /* for what time asks for */
    struct loop_timer tick, sign;
    struct signing *signing;
    bool sign_due, key_known;
    enum err_code sign_failed; /* the last failure: told once */
};

static void
answer(struct writer *w, struct frame_conn *conn, uint32_t id, struct answer *a)
{
    struct err e = ERR_INIT;

    if (w->body.failed && a->status == ERR_NONE) {
        *a = (struct answer){.status = ERR_LIMIT, .text = SPAN("the answer is too long")};
        buf_reset(&w->body);
    }
    buf_reset(&w->out);
    answer_encode(a, true, &w->out);
    struct frame f = FRAME(NODE_F_TOLD, id, buf_view(&w->out));
    if (w->out.failed || frame_send(conn, &f, &e))
        log_err(&w->child->log, LOG_WARN, "an answer was lost", &e);
}

/* -- signing -------------------------------------------------------------------------------------
 */

static void sign_soon(struct writer *w, int64_t us);

static void
sign(void *ctx)
{
    struct writer *w = ctx;
    struct err e = ERR_INIT;
    bool more = false;

    w->sign_due = false;
    if (!signing_there(w->signing))
        return;                        /* it comes with a link */
    if (!exchange_idle(w->exchange)) { /* what an import has gathered is not cut small for this */
        sign_soon(w, SIGN_US);
        return;
    }
    if (!w->key_known) {
        struct sign_public key;

        if (signing_key(w->signing, &key, &e) || exchange_own_key(w->exchange, &key, &e)) {
            log_err(&w->child->log, LOG_WARN, "nothing is signed", &e);
            return;
        }
        w->key_known = true;
    }
    if (exchange_sign(w->exchange, signing_table(w->signing), &more, &e)) {
        if (w->sign_failed != e.code)
            log_err(&w->child->log, LOG_WARN, "nothing is signed", &e);
        w->sign_failed = e.code;
        return;
    }
    w->sign_failed = ERR_NONE;
    if (more)
        sign_soon(w, 0);
}

static void
sign_soon(struct writer *w, int64_t us)
{
    if (w->sign_due || !w->signing)
        return;
    w->sign_due = true;
    loop_timer_set(w->child->loop, &w->sign, us, sign, w);
}

/* One message of one sender; false: it broke the protocol. */
static bool
hear(struct writer *w, struct exchange_link *link, struct frame_conn *conn, const struct frame *f)
{
    struct tell t;
    struct answer a = {0};
    struct err e = ERR_INIT;

    arena_reset(w->arena);
    buf_reset(&w->body);
    if (f->type != NODE_F_TELL || tell_decode(f->body, w->arena, &t, &e)) {
        log_err(&w->child->log, LOG_ERROR, "a message broke the protocol", &e);
        return false;
    }
    if (exchange_tell(link, &t, w->arena, &w->body, &a))
        answer(w, conn, f->id, &a);
    sign_soon(w, SIGN_US);
    return true;
}

static void
sender_end(struct sender *s)
{
    if (s->conn)
        frame_close(s->conn);
    exchange_link_free(s->link);
    s->conn = NULL;
    s->link = NULL;
}

static void
on_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    struct sender *s = ctx;

    if (!hear(s->writer, s->link, conn, f))
        sender_end(s);
}

static void
on_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct sender *s = ctx;

    (void)conn;
    (void)why;
    s->conn = NULL;
    sender_end(s);
}

static const struct frame_events sender_events = {.frame = on_frame, .closed = on_closed};

/* -- the local socket ----------------------------------------------------------------------------
 */

static void
local_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    struct local_conn *c = ctx;
    struct writer *w = c->self;

    if (!c->user) {
        struct caller operator= {.kind = CALLER_LOCAL};
        c->user = exchange_link_new(w->exchange, &operator);
    }
    if (!c->user || !hear(w, c->user, conn, f))
        frame_finish(conn);
}

static void
local_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct local_conn *c = ctx;

    (void)conn;
    (void)why;
    exchange_link_free(c->user);
}

static const struct frame_events local_events = {.frame = local_frame, .closed = local_closed};

/* -- life ----------------------------------------------------------------------------------------
 */

static void
tick(void *ctx)
{
    struct writer *w = ctx;
    struct tell t = {.verb = TELL_TICK};
    struct answer a = {0};

    arena_reset(w->arena);
    buf_reset(&w->body);
    bool more = exchange_tell(w->own, &t, w->arena, &w->body, &a) && a.more;
    loop_timer_set(w->child->loop, &w->tick, more ? 1000 : TICK_US, tick, w);
}

static struct writer *
self(struct child *c)
{
    if (!c->self) {
        struct writer *w = mem_zero(1, sizeof *w);
        if (!w)
            return NULL;
        w->child = c;
        w->arena = arena_new(ARENA_MAX);
        buf_init(&w->body, ANSWER_MAX);
        buf_init(&w->out, FRAME_MAX);
        c->self = w;
    }
    return c->self;
}

static int
writer_open(struct child *c, struct err *e)
{
    struct writer *w = self(c);
    struct exchange_options o = {.path = FOLDER_STORE,
                                 .writer = true,
                                 .bulk = c->start.config.writer_cache_mib >= 64,
                                 .ticket_key = c->start.ticket_key};
    struct caller own = {.kind = CALLER_LOCAL};

    if (!w || !w->arena)
        return err_set(e, ERR_MEMORY, "out of memory");
    /* One writer at a time, also where the last one has not yet seen that its parent was killed: it
     * keeps counters in memory.  The descriptor is held as long as this process lives. */
    if (folder_lock(FOLDER_WRITING, false, true, e) < 0)
        return -1;
    if (o.bulk) /* it lives as long as an import */
        mem_keep();
    if (exchange_open(&o, &w->exchange, e))
        return -1;
    w->own = exchange_link_new(w->exchange, &own);
    w->signing = signing_new();
    if (!w->own || !w->signing)
        return err_set(e, ERR_MEMORY, "out of memory");
    loop_timer_set(c->loop, &w->tick, TICK_US, tick, w);
    return 0;
}

static int
join(struct writer *w, struct sender *s, int fd, enum caller_kind kind, unsigned listener,
     struct err *e)
{
    const struct frame_options o = {.max_queue = QUEUE_MAX};
    const struct config *conf = &w->child->start.config;

    sender_end(s);
    s->writer = w;
    s->caller = (struct caller){
        .kind = kind,
        .listener = {.number = listener,
                     .ceiling = listener ? (enum tlp)conf->ceiling[listener - 1] : TLP_RED}};
    s->link = exchange_link_new(w->exchange, &s->caller);
    if (!s->link) {
        (void)close(fd);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    s->conn = frame_open(w->child->loop, fd, &sender_events, s, &o, e);
    return s->conn ? 0 : -1;
}

static int
writer_link(struct child *c, const struct node_link_msg *m, int fd, struct err *e)
{
    const struct frame_options o = {.max_queue = QUEUE_MAX};
    struct writer *w = self(c);

    if (!w) {
        (void)close(fd);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    if (m->kind == NODE_L_LOCAL) {
        local_free(w->local);
        w->local = local_new(c->loop, fd, c->start.owner, &local_events, &o, w, &c->log, e);
        return w->local ? 0 : -1;
    }
    if (m->kind == NODE_L_PEER && m->role == NODE_FRONT && m->index < CONFIG_LISTEN_MAX)
        return join(w, &w->fronts[m->index], fd, CALLER_FRONT, m->index + 1, e);
    if (m->kind == NODE_L_PEER && m->role == NODE_READER && m->index < CONFIG_READERS_MAX)
        return join(w, &w->readers[m->index], fd, CALLER_READER, 0, e);
    if (m->kind == NODE_L_PEER && m->role == NODE_AUTH)
        return join(w, &w->auth, fd, CALLER_AUTH, 0, e);
    if (m->kind == NODE_L_PEER && m->role == NODE_SIGNER && w->signing) {
        signing_link(w->signing, fd);
        w->key_known = false;
        sign_soon(w, 0);
        return 0;
    }
    (void)close(fd);
    return err_set(e, ERR_PROTOCOL, "a link that the writer does not take");
}

static void
writer_close(struct child *c)
{
    struct writer *w = c->self;

    if (!w)
        return;
    for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++)
        sender_end(&w->fronts[i]);
    for (size_t i = 0; i < CONFIG_READERS_MAX; i++)
        sender_end(&w->readers[i]);
    sender_end(&w->auth);
    local_free(w->local);
    exchange_link_free(w->own);
    signing_free(w->signing);
    exchange_close(w->exchange);
    arena_free(w->arena);
    buf_clear(&w->body);
    buf_clear(&w->out);
    mem_free(w);
    c->self = NULL;
}

static const char *const write_paths[] = {"data", NULL};

const struct child_role child_writer = {
    .role = NODE_WRITER,
    .sandbox = SANDBOX_WRITER,
    .nofile = 128,
    .open = writer_open,
    .link = writer_link,
    .close = writer_close,
    .write_paths = write_paths,
};
