/*
 * node/reader_process.c - answers under a view, from a connection that cannot write.
 *
 * Fronts ask over rings, and the answer is written straight into the memory that the front sends
 * from; the command line asks over the local socket.  Once a second the writer is told who has been
 * served what.
 */
#include <string.h>
#include <unistd.h>
#include "arena.h"
#include "child.h"
#include "exchange.h"
#include "folder.h"
#include "local.h"
#include "mem.h"
#include "ring.h"

#define ARENA_MAX   (64u << 20) /* bytes that one question may cost */
#define BODY_MAX    (FRAME_MAX - 4096)
#define SERVED_US   INT64_C(1000000)
#define META_TEXT   160 /* bytes of an error's text over a ring, whose meta part is small */
#define LOCAL_QUEUE (4u << 20)

struct reader_process;

struct front_ring {
    struct reader_process *reader;
    struct ring_server *ring;
    struct ring_fds fds; /* while its parts come in */
    struct caller caller;
};

struct reader_process {
    struct child *child;
    struct exchange *exchange;
    struct arena *arena;
    struct buf body, out;
    struct front_ring fronts[CONFIG_LISTEN_MAX];
    struct local *local;
    struct frame_conn *writer;
    struct loop_timer served;
};

/* -- fronts --------------------------------------------------------------------------------------
 */

/* What a slot must hold at least; an answer that proves longer is asked for again with more. */
static size_t
first_room(enum ask_verb v)
{
    switch (v) {
    case ASK_OBJECTS:
    case ASK_MANIFEST:
    case ASK_VERSIONS:
    case ASK_SEARCH:
    case ASK_LATEST:
    case ASK_EXPORT:
    case ASK_REPORT:
        return RING_BODY_PAGE;
    default:
        return RING_BODY_SMALL;
    }
}

static size_t
more_room(size_t room)
{
    static const size_t classes[] = {RING_BODY_SMALL, RING_BODY_PAGE, RING_BODY_LARGE,
                                     RING_BODY_MAX};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (classes[i] > room)
            return classes[i];
    return 0;
}

static void
reply(struct reader_process *p, struct ring_server *s, uint32_t id, struct answer *a,
      const struct ring_slot *slot, size_t n)
{
    struct err e = ERR_INIT;

    a->text = span_part(a->text, 0, META_TEXT);
    a->place = span_part(a->place, 0, META_TEXT);
    a->body = span_from(NULL, n);
    buf_reset(&p->out);
    answer_encode(a, false, &p->out);
    if (ring_reply(s, id, (uint16_t)a->status, buf_view(&p->out), n ? slot : NULL, n, &e)) {
        log_err(&p->child->log, LOG_WARN, "an answer was lost", &e);
        n = 0;
    }
    if (slot && n == 0)
        ring_slot_drop(s, slot);
}

static enum ring_took
on_request(void *ctx, struct ring_server *s, uint32_t id, struct span record)
{
    struct front_ring *f = ctx;
    struct reader_process *p = f->reader;
    struct ask q;
    struct err e = ERR_INIT;

    arena_reset(p->arena);
    if (ask_decode(record, p->arena, &q, &e)) {
        struct answer bad = {.status = ERR_PROTOCOL, .text = span_of(e.text)};
        reply(p, s, id, &bad, NULL, 0);
        return RING_TOOK;
    }
    for (size_t room = first_room(q.verb);;) {
        struct ring_slot slot;
        struct answer a = {0};
        struct buf body;
        if (ring_slot_take(s, room, &slot, &e))
            return RING_WAIT;
        buf_init_fixed(&body, slot.body, slot.room);
        struct arena_mark mark = arena_mark(p->arena);
        exchange_ask(p->exchange, &f->caller, &q, p->arena, &body, &a);
        size_t bigger = more_room(slot.room);
        if ((a.status == ERR_LIMIT || (a.status == ERR_NONE && body.failed)) && bigger) {
            ring_slot_drop(s, &slot);
            arena_rewind(p->arena, mark);
            room = bigger;
            continue;
        }
        reply(p, s, id, &a, &slot, a.status == ERR_NONE ? body.n : 0);
        return RING_TOOK;
    }
}

static void
on_ring_closed(void *ctx, struct ring_server *s, const struct err *why)
{
    struct front_ring *f = ctx;

    (void)s;
    log_err(&f->reader->child->log, LOG_ERROR, "a front broke its ring", why);
}

static void
on_batch(void *ctx, struct ring_server *s)
{
    struct front_ring *f = ctx;

    (void)s;
    exchange_look_begin(f->reader->exchange);
}

static void
on_batch_end(void *ctx, struct ring_server *s)
{
    struct front_ring *f = ctx;

    (void)s;
    exchange_look_end(f->reader->exchange);
}

static const struct ring_server_events ring_events = {
    .request = on_request, .closed = on_ring_closed, .begin = on_batch, .end = on_batch_end};

static int
take_ring(struct reader_process *p, const struct node_link_msg *m, int fd, struct err *e)
{
    struct front_ring *f = &p->fronts[m->index];
    int *const parts[NODE_RING_PARTS] = {&f->fds.requests, &f->fds.answers, &f->fds.wake_front,
                                         &f->fds.wake_reader};

    if (!f->reader)
        f->fds = RING_FDS_NONE;
    f->reader = p;
    if (m->part == 0)
        ring_fds_close(&f->fds);
    if (*parts[m->part] >= 0)
        (void)close(*parts[m->part]);
    *parts[m->part] = fd;
    if (m->part != NODE_RING_PARTS - 1)
        return 0;
    ring_server_free(f->ring);
    f->caller = (struct caller){
        .kind = CALLER_FRONT,
        .listener = {.number = m->index + 1,
                     .ceiling = (enum tlp)p->child->start.config.ceiling[m->index]}};
    struct ring_fds fds = f->fds;
    f->fds = RING_FDS_NONE;
    f->ring = ring_server_new(p->child->loop, &fds, &ring_events, f, e);
    if (!f->ring)
        return -1;
    /* The parent may hand the other half to the front now: our side is sealed. */
    struct frame sealed = FRAME(NODE_F_READY, m->index + 1, ((struct span){NULL, 0}));
    return frame_send(p->child->parent, &sealed, e);
}

/* -- the command line ----------------------------------------------------------------------------
 */

static void
local_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    struct local_conn *c = ctx;
    struct reader_process *p = c->self;
    const struct caller operator= {.kind = CALLER_LOCAL};
    struct answer a = {0};
    struct ask q;
    struct err e = ERR_INIT;

    arena_reset(p->arena);
    buf_reset(&p->body);
    buf_reset(&p->out);
    if (f->type != NODE_F_ASK || ask_decode(f->body, p->arena, &q, &e)) {
        a = (struct answer){.status = ERR_PROTOCOL, .text = span_of(e.text)};
    } else {
        exchange_ask(p->exchange, &operator, & q, p->arena, &p->body, &a);
        if (p->body.failed && a.status == ERR_NONE)
            a = (struct answer){.status = ERR_LIMIT, .text = SPAN("the answer is too long")};
        else if (a.status == ERR_NONE)
            a.body = buf_view(&p->body);
    }
    answer_encode(&a, true, &p->out);
    struct frame reply_frame = FRAME(NODE_F_ANSWER, f->id, buf_view(&p->out));
    if (p->out.failed || frame_send(conn, &reply_frame, &e))
        log_err(&p->child->log, LOG_WARN, "an answer was lost", &e);
}

static void
local_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    (void)ctx;
    (void)conn;
    (void)why;
}

static const struct frame_events local_events = {.frame = local_frame, .closed = local_closed};

/* -- who was served what --------------------------------------------------------------------------
 */

static void
tell_served(void *ctx)
{
    struct reader_process *p = ctx;

    buf_reset(&p->out);
    if (p->writer && !frame_full(p->writer) && exchange_served(p->exchange, &p->out)) {
        struct frame f = FRAME(NODE_F_TELL, 0, buf_view(&p->out));
        if (!p->out.failed)
            (void)frame_send(p->writer, &f, NULL);
    }
    loop_timer_set(p->child->loop, &p->served, SERVED_US, tell_served, p);
}

static void
writer_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    (void)ctx; /* acknowledgements */
    (void)conn;
    (void)f;
}

static void
writer_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct reader_process *p = ctx;

    (void)conn;
    (void)why;
    p->writer = NULL;
}

static const struct frame_events writer_events = {.frame = writer_frame, .closed = writer_closed};

/* -- life ----------------------------------------------------------------------------------------
 */

static struct reader_process *
self(struct child *c)
{
    if (!c->self) {
        struct reader_process *p = mem_zero(1, sizeof *p);
        if (!p)
            return NULL;
        p->child = c;
        p->arena = arena_new(ARENA_MAX);
        buf_init(&p->body, BODY_MAX);
        buf_init(&p->out, FRAME_MAX);
        c->self = p;
    }
    return c->self;
}

static int
reader_open(struct child *c, struct err *e)
{
    struct reader_process *p = self(c);
    struct exchange_options o = {.path = FOLDER_STORE, .ticket_key = c->start.ticket_key};

    if (!p || !p->arena)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (exchange_open(&o, &p->exchange, e))
        return -1;
    loop_timer_set(c->loop, &p->served, SERVED_US, tell_served, p);
    return 0;
}

static int
reader_link(struct child *c, const struct node_link_msg *m, int fd, struct err *e)
{
    const struct frame_options o = {.max_body = ASK_MAX, .max_queue = LOCAL_QUEUE};
    struct reader_process *p = self(c);

    if (!p) {
        (void)close(fd);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    if (m->kind == NODE_L_RING && m->role == NODE_FRONT && m->index < CONFIG_LISTEN_MAX)
        return take_ring(p, m, fd, e);
    if (m->kind == NODE_L_LOCAL) {
        local_free(p->local);
        p->local = local_new(c->loop, fd, c->start.owner, &local_events, &o, p, &c->log, e);
        return p->local ? 0 : -1;
    }
    if (m->kind == NODE_L_PEER && m->role == NODE_WRITER) {
        frame_close(p->writer);
        p->writer =
            frame_open(c->loop, fd, &writer_events, p, &(struct frame_options){.asks = true}, e);
        return p->writer ? 0 : -1;
    }
    (void)close(fd);
    return err_set(e, ERR_PROTOCOL, "a link that a reader does not take");
}

static void
reader_close(struct child *c)
{
    struct reader_process *p = c->self;

    if (!p)
        return;
    for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++) {
        ring_server_free(p->fronts[i].ring);
        if (p->fronts[i].reader)
            ring_fds_close(&p->fronts[i].fds);
    }
    local_free(p->local);
    frame_close(p->writer);
    exchange_close(p->exchange);
    arena_free(p->arena);
    buf_clear(&p->body);
    buf_clear(&p->out);
    mem_free(p);
    c->self = NULL;
}

static const char *const read_paths[] = {"data", NULL};

const struct child_role child_reader = {
    .role = NODE_READER,
    .sandbox = SANDBOX_READER,
    .nofile = 128,
    .open = reader_open,
    .link = reader_link,
    .close = reader_close,
    .read_paths = read_paths,
};
