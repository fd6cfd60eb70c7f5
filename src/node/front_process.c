/*
 * node/front_process.c - speaks TLS and HTTP with the network; parses, and holds nothing.
 *
 * It fills the table that the HTTP service works with: rings to the readers, sockets to the writer
 * and to auth.  Reader 0 is kept for short reads, the others take long ones.
 */
#include <string.h>
#include <unistd.h>
#include "api.h"
#include "child.h"
#include "mem.h"
#include "ring.h"
#include "tls_cert.h"

#define WAITING_MAX 8192 /* logins, questions and tells under way */
#define ABORTS_MAX                                                                                 \
    64 /* batches to give up that the writer has no room to be told of: there are                  \
          never more than the service has posts */
#define OUT_KEEP   (1u << 20) /* bytes kept for the next message */
#define TELL_QUEUE (1u << 20)
#define STOP_US    (3 * INT64_C(1000000))

/* A question on its way, found by the number that its answer repeats. */
enum waits_for { FOR_AUTH, FOR_WRITER, FOR_READER };

struct waiting {
    void *tag;
    uint32_t id; /* 0: free */
    enum waits_for what;
    struct source *source; /* FOR_READER: and the ring's own number of it */
    uint32_t ring_id;
};

/* One ring.  It outlives its reader as long as an answer in its memory is still being sent. */
struct source {
    struct front *front;
    struct ring_client *ring;
    unsigned held; /* slots */
    bool retired;  /* no more questions */
    bool ended;    /* and no more answers */
    struct loop_defer end;
};

struct reader_link {
    struct source *source; /* NULL: the reader is not there */
    struct ring_fds fds;   /* while its parts come in */
};

struct front {
    struct child *child;
    struct api *api;
    struct backend backend;
    struct http_server *http;
    int listen_fd;
    struct frame_conn *writer, *auth;
    bool writer_stuck;     /* the service waits for drained */
    uint32_t first_handle; /* of batches on this connection to the writer */
    uint32_t aborts[ABORTS_MAX];
    size_t abort_n;
    struct reader_link readers[CONFIG_READERS_MAX];
    unsigned next_long;
    struct waiting waiting[WAITING_MAX];
    uint32_t next_id, next_handle;
    struct buf out;
    char fingerprint[TLS_FINGERPRINT];
};

/* -- what is on its way ---------------------------------------------------------------------------
 */

static struct waiting *
wait_for(struct front *f, void *tag, enum waits_for what)
{
    for (size_t tries = 0; tries < WAITING_MAX; tries++) {
        uint32_t id = ++f->next_id;
        struct waiting *w = &f->waiting[id % WAITING_MAX];
        if (id != 0 && w->id == 0) {
            *w = (struct waiting){.tag = tag, .id = id, .what = what};
            return w;
        }
    }
    return NULL;
}

static struct waiting *
waiting_find(struct front *f, uint32_t id, enum waits_for what)
{
    struct waiting *w = &f->waiting[id % WAITING_MAX];

    return id != 0 && w->id == id && w->what == what ? w : NULL;
}

/* The other process is gone: everything that was asked of it has no answer. */
static void
lose(struct front *f, enum waits_for what)
{
    for (size_t i = 0; i < WAITING_MAX; i++) {
        struct waiting *w = &f->waiting[i];
        if (w->id == 0 || w->what != what)
            continue;
        void *tag = w->tag;
        w->id = 0;
        if (what == FOR_AUTH)
            api_events()->login(f->api, tag, NULL);
        else
            api_events()->tell(f->api, tag, NULL);
    }
}

/* The connection to the writer has ended: its batches, too. */
static void
writer_lost(struct front *f)
{
    f->first_handle = f->next_handle + 1;
    f->abort_n = 0;
    lose(f, FOR_WRITER);
    if (f->writer_stuck) {
        f->writer_stuck = false;
        api_events()->drained(f->api);
    }
}

/* -- the table ------------------------------------------------------------------------------------
 */

/* tag NULL: nobody waits for an answer. */
static int
send_one(struct front *f, struct frame_conn *conn, uint16_t type, enum waits_for what, void *tag,
         struct err *e)
{
    struct waiting *w = NULL;

    if (f->out.failed)
        return err_set(e, ERR_LIMIT, "the message is too long");
    if (!conn || (tag && !(w = wait_for(f, tag, what))))
        return err_set(e, ERR_BUSY, "another process of the node is busy or starting");
    struct frame fr = FRAME(type, w ? w->id : 0, buf_view(&f->out));
    if (frame_send(conn, &fr, e)) {
        if (w)
            w->id = 0;
        return -1;
    }
    return 0;
}

static int
do_login(void *ctx, const struct backend_login *l, void *tag, struct err *e)
{
    struct front *f = ctx;
    struct auth_msg m = {.verb = AUTH_V_LOGIN,
                         .scheme = l->scheme,
                         .person = l->person,
                         .name = l->name,
                         .secret = l->secret,
                         .address = l->address};

    buf_reset(&f->out);
    auth_msg_encode(&m, &f->out);
    int r = send_one(f, f->auth, NODE_F_AUTH, FOR_AUTH, tag, e);
    mem_wipe(f->out.p, f->out.n);
    return r;
}

/* The reader for this question: one that is there, short ones to the first if it can be. */
static struct source *
choose(struct front *f, bool long_read)
{
    unsigned n = (unsigned)f->child->start.config.readers;
    unsigned first = long_read ? 1 + f->next_long++ % (n - 1) : 0;

    for (unsigned i = 0; i < n; i++) {
        struct source *r = f->readers[(first + i) % n].source;
        if (r)
            return r;
    }
    return NULL;
}

static int
do_ask(void *ctx, const struct ask *q, bool long_read, void *tag, struct err *e)
{
    struct front *f = ctx;
    struct source *r = choose(f, long_read);
    struct waiting *w;

    if (!r)
        return err_set(e, ERR_BUSY, "no reader is up");
    buf_reset(&f->out);
    ask_encode(q, &f->out);
    if (f->out.failed)
        return err_set(e, ERR_LIMIT, "the question is too long");
    if (!(w = wait_for(f, tag, FOR_READER)))
        return err_set(e, ERR_BUSY, "too many requests are under way");
    struct span part = buf_view(&f->out);
    w->source = r;
    if (ring_ask(r->ring, &part, 1, w, &w->ring_id, e)) {
        w->id = 0;
        return -1;
    }
    return 0;
}

/* A batch that nobody goes on with must not stay open, however much waits to be written. */
static int
abort_later(struct front *f, uint32_t handle, struct err *e)
{
    if (f->abort_n == ABORTS_MAX)
        return err_set(e, ERR_BUSY, "the writer is busy");
    f->aborts[f->abort_n++] = handle;
    return 0;
}

static int
do_tell(void *ctx, const struct tell *t, void *tag, struct err *e)
{
    struct front *f = ctx;
    bool object = t->verb == TELL_OBJECT;
    int r;

    if (t->handle && (int32_t)(t->handle - f->first_handle) < 0)
        return err_set(e, ERR_BUSY, "the writer that had this batch is gone");
    if (t->verb == TELL_ABORT && f->abort_n)
        return abort_later(f, t->handle, e); /* behind the others */
    buf_reset(&f->out);
    tell_encode(t, &f->out);
    r = send_one(f, f->writer, NODE_F_TELL, FOR_WRITER, object ? NULL : tag, e);
    if (f->out.cap > OUT_KEEP) {
        buf_clear(&f->out);
        buf_init(&f->out, FRAME_MAX);
    }
    if (r && t->verb == TELL_ABORT && f->writer)
        return abort_later(f, t->handle, e);
    return r;
}

static void
send_aborts(struct front *f)
{
    size_t n = f->abort_n;

    f->abort_n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct tell t = {.verb = TELL_ABORT, .handle = f->aborts[i]};
        (void)do_tell(f, &t, NULL, NULL);
    }
}

static bool
do_full(void *ctx)
{
    struct front *f = ctx;
    bool full = f->writer && frame_full(f->writer);

    f->writer_stuck |= full;
    return full;
}

static uint32_t
do_handle(void *ctx)
{
    struct front *f = ctx;

    if (++f->next_handle == 0)
        f->next_handle = 1;
    return f->next_handle;
}

static void
source_free(void *ctx)
{
    struct source *s = ctx;

    loop_defer_stop(&s->end);
    ring_client_free(s->ring);
    mem_free(s);
}

static void
do_release(void *ctx, const struct backend_answer *w)
{
    struct source *s = w->source;

    (void)ctx;
    if (!s || w->slot == RING_NO_SLOT)
        return;
    ring_release(s->ring, w->slot);
    s->held--;
    if (s->ended && s->held == 0)
        loop_defer(s->front->child->loop, &s->end, source_free, s);
}

static bool
do_scarce(void *ctx, const struct backend_answer *w)
{
    struct source *s = w->source;

    (void)ctx;
    return s && !s->retired && w->slot != RING_NO_SLOT && ring_scarce(s->ring, w->slot);
}

static void
do_cancel(void *ctx, void *tag)
{
    struct front *f = ctx;

    for (size_t i = 0; i < WAITING_MAX; i++) {
        struct waiting *w = &f->waiting[i];
        if (!w->id || w->tag != tag)
            continue;
        w->id = 0;
        if (w->what == FOR_READER)
            ring_cancel(w->source->ring, w->ring_id);
        return; /* a call waits for one thing at a time */
    }
}

/* -- outcomes -------------------------------------------------------------------------------------
 */

static void
auth_frame(void *ctx, struct frame_conn *conn, struct frame *fr)
{
    struct front *f = ctx;
    struct waiting *w = waiting_find(f, fr->id, FOR_AUTH);
    struct auth_reply r;
    struct err e = ERR_INIT;

    (void)conn;
    if (!w)
        return; /* cancelled */
    void *tag = w->tag;
    w->id = 0;
    if (fr->type != NODE_F_AUTHED || auth_reply_decode(fr->body, &r, &e)) {
        log_err(&f->child->log, LOG_ERROR, "auth broke the protocol", &e);
        api_events()->login(f->api, tag, NULL);
        return;
    }
    api_events()->login(f->api, tag, &r);
}

static void
auth_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct front *f = ctx;

    (void)conn;
    (void)why;
    f->auth = NULL;
    lose(f, FOR_AUTH);
}

static const struct frame_events auth_events = {.frame = auth_frame, .closed = auth_closed};

static void
writer_frame(void *ctx, struct frame_conn *conn, struct frame *fr)
{
    struct front *f = ctx;
    struct waiting *w = waiting_find(f, fr->id, FOR_WRITER);
    struct answer a;
    struct err e = ERR_INIT;

    (void)conn;
    if (!w)
        return;
    void *tag = w->tag;
    w->id = 0;
    if (fr->type != NODE_F_TOLD || answer_decode(fr->body, &a, &e)) {
        log_err(&f->child->log, LOG_ERROR, "the writer broke the protocol", &e);
        api_events()->tell(f->api, tag, NULL);
        return;
    }
    api_events()->tell(f->api, tag, &a);
}

static void
writer_drained(void *ctx, struct frame_conn *conn)
{
    struct front *f = ctx;

    (void)conn;
    send_aborts(f);
    if (f->writer_stuck) {
        f->writer_stuck = false;
        api_events()->drained(f->api);
    }
}

static void
writer_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct front *f = ctx;

    (void)conn;
    (void)why;
    f->writer = NULL;
    writer_lost(f);
}

static const struct frame_events writer_events = {
    .frame = writer_frame, .drained = writer_drained, .closed = writer_closed};

static void
ring_answered(void *ctx, const struct ring_answer *ra)
{
    struct source *r = ctx;
    struct front *f = r->front;
    struct waiting *asked = ra->tag;
    void *tag = asked->tag;
    struct backend_answer w = {.slot = ra->slot, .source = r};
    struct err e = ERR_INIT;

    asked->id = 0;
    if (answer_decode(ra->meta, &w.a, &e)) {
        log_err(&f->child->log, LOG_ERROR, "a reader broke the protocol", &e);
        ring_release(r->ring, ra->slot);
        api_events()->ask(f->api, tag, NULL);
        return;
    }
    w.a.body = ra->body;
    if (ra->slot != RING_NO_SLOT)
        r->held++;
    api_events()->ask(f->api, tag, &w);
}

static void
ring_lost(void *ctx, void *tag)
{
    struct source *r = ctx;
    struct waiting *asked = tag;
    void *own = asked->tag;

    asked->id = 0;
    api_events()->ask(r->front->api, own, NULL);
}

static void
ring_ended(void *ctx, const struct err *why)
{
    struct source *r = ctx;

    if (!r->retired) {
        log_err(&r->front->child->log, LOG_WARN, "a reader is gone", why);
        for (size_t i = 0; i < CONFIG_READERS_MAX; i++)
            if (r->front->readers[i].source == r)
                r->front->readers[i].source = NULL;
        r->retired = true;
    }
    r->ended = true;
    if (r->held == 0)
        loop_defer(r->front->child->loop, &r->end, source_free, r);
}

static const struct ring_client_events ring_events = {
    .answer = ring_answered, .lost = ring_lost, .closed = ring_ended};

/* -- life ----------------------------------------------------------------------------------------
 */

static struct front *
self(struct child *c)
{
    if (!c->self) {
        struct front *f = mem_zero(1, sizeof *f);
        if (!f)
            return NULL;
        f->child = c;
        f->listen_fd = -1;
        for (size_t i = 0; i < CONFIG_READERS_MAX; i++) {
            f->readers[i].fds = RING_FDS_NONE;
        }
        f->first_handle = 1;
        f->backend = (struct backend){.ctx = f,
                                      .login = do_login,
                                      .ask = do_ask,
                                      .tell = do_tell,
                                      .writer_full = do_full,
                                      .handle = do_handle,
                                      .release = do_release,
                                      .scarce = do_scarce,
                                      .cancel = do_cancel};
        buf_init(&f->out, FRAME_MAX);
        c->self = f;
    }
    return c->self;
}

/* The reader was started anew: what was asked of the old one has no answer. */
static void
retire(struct source *s)
{
    if (!s)
        return;
    s->retired = true;
    ring_client_fail(s->ring); /* ring_lost for each question, then ring_ended, next round */
}

static int
take_ring(struct front *f, const struct node_link_msg *m, int fd, struct err *e)
{
    struct reader_link *r = &f->readers[m->index];
    int *const parts[NODE_RING_PARTS] = {&r->fds.requests, &r->fds.answers, &r->fds.wake_front,
                                         &r->fds.wake_reader};

    if (m->part == 0)
        ring_fds_close(&r->fds);
    if (*parts[m->part] >= 0)
        (void)close(*parts[m->part]);
    *parts[m->part] = fd;
    if (m->part != NODE_RING_PARTS - 1)
        return 0;
    struct ring_fds fds = r->fds;
    r->fds = RING_FDS_NONE;
    struct source *s = mem_zero(1, sizeof *s);
    if (!s) {
        ring_fds_close(&fds);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    s->front = f;
    s->ring = ring_client_new(f->child->loop, &fds, &ring_events, s, e);
    if (!s->ring) {
        mem_free(s);
        return -1;
    }
    retire(r->source);
    r->source = s;
    return 0;
}

static int
front_link(struct child *c, const struct node_link_msg *m, int fd, struct err *e)
{
    const struct frame_options o = {.max_queue = TELL_QUEUE, .asks = true};
    const struct frame_options asks = {.asks = true};
    struct front *f = self(c);

    if (!f) {
        (void)close(fd);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    if (m->kind == NODE_L_LISTEN && f->listen_fd < 0) {
        f->listen_fd = fd;
        return 0;
    }
    if (m->kind == NODE_L_RING && m->role == NODE_READER && m->index < CONFIG_READERS_MAX)
        return take_ring(f, m, fd, e);
    if (m->kind == NODE_L_PEER && m->role == NODE_WRITER) {
        frame_close(f->writer);
        if (f->writer) {
            f->writer = NULL; /* the service may tell while it loses the old one */
            writer_lost(f);
        }
        f->writer = frame_open(c->loop, fd, &writer_events, f, &o, e);
        return f->writer ? 0 : -1;
    }
    if (m->kind == NODE_L_PEER && m->role == NODE_AUTH) {
        frame_close(f->auth);
        f->auth = NULL;
        lose(f, FOR_AUTH);
        f->auth = frame_open(c->loop, fd, &auth_events, f, &asks, e);
        return f->auth ? 0 : -1;
    }
    (void)close(fd);
    return err_set(e, ERR_PROTOCOL, "a link that a front does not take");
}

static int
front_open(struct child *c, struct err *e)
{
    struct front *f = self(c);
    struct node_start *s = &c->start;
    struct tls_cert_info info;

    if (!f)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (f->listen_fd < 0)
        return err_set(e, ERR_PROTOCOL, "a front was given no socket");
    if (tls_cert_read(s->cert_pem, s->key_pem, clock_wall_us(NULL), &info, e))
        return -1;
    memcpy(f->fingerprint, info.fingerprint, sizeof f->fingerprint);
    struct api_options o = {.name = s->config.name,
                            .country = s->config.country,
                            .contact = s->config.contact,
                            .fingerprint = f->fingerprint,
                            .max_content = (uint64_t)s->config.max_content_mib << 20,
                            .page_objects = (unsigned)s->config.page_objects,
                            .log = &c->log};
    f->api = api_new(&o, &f->backend, e);
    if (!f->api)
        return -1;
    struct http_options h = {.listen_fd = f->listen_fd,
                             .cert_pem = s->cert_pem,
                             .key_pem = s->key_pem,
                             .max_connections = (unsigned)s->config.connections};
    f->http = http_new(c->loop, &h, api_handler(), f->api, e);
    if (!f->http)
        return -1;
    /* GnuTLS keeps its own copy of the key; ours is no longer needed. */
    mem_wipe((void *)(uintptr_t)s->key_pem.p, s->key_pem.n);
    return 0;
}

static void
stopped(void *ctx)
{
    struct front *f = ctx;

    loop_stop(f->child->loop);
}

static void
front_stop(struct child *c)
{
    struct front *f = c->self;

    if (f && f->http)
        http_stop(f->http, STOP_US, stopped, f);
    else
        loop_stop(c->loop);
}

static void
front_close(struct child *c)
{
    struct front *f = c->self;

    if (!f)
        return;
    http_free(f->http);
    api_free(f->api);
    for (size_t i = 0; i < CONFIG_READERS_MAX; i++) {
        if (f->readers[i].source)
            source_free(f->readers[i].source);
        ring_fds_close(&f->readers[i].fds);
    }
    frame_close(f->writer);
    frame_close(f->auth);
    buf_clear(&f->out);
    mem_free(f);
    c->self = NULL;
}

const struct child_role child_front = {
    .role = NODE_FRONT,
    .sandbox = SANDBOX_FRONT,
    .nofile = 70000,
    .open = front_open,
    .link = front_link,
    .stop = front_stop,
    .close = front_close,
};
