#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <fcntl.h>
#include "frame.h"
#include "frame_wire.h"
#include "mem.h"

#define READ_STEP  (16u << 10) /* bytes of room at least for a read */
#define KEEP_CAP   (64u << 10) /* bytes of an empty buffer that are kept for the next frame */
#define READS_TURN 8u          /* reads for one connection before others have their turn */
#define FDS_IN                                                                                     \
    2u             /* descriptors that came and whose frame is not complete: a frame under         \
                      way, and one that began in the same read */
#define FDS_OUT 8u /* descriptors that wait in the queue */

/*
 *            frame_send, reading               frame_finish
 *   OPEN ---------------------------> OPEN ----------------> FINISHING
 *     | end or error                                            | queue empty, error
 *     v                                                         v
 *   BROKEN --- end of round: closed() ---> freed  <---------- BROKEN
 *
 * frame_close frees from every state; from inside a callback as soon as that returns.
 */
enum state { OPEN, FINISHING, BROKEN };

struct fd_out {
    uint64_t at; /* position in the stream of the first byte of its frame */
    int fd;
};

struct frame_conn {
    struct loop *loop;
    int fd;
    enum state state;
    bool held;
    bool was_full;
    bool finished; /* frame_finish was called */
    bool closed;   /* frame_close was called from inside a callback */
    unsigned busy; /* callbacks under way */
    struct loop_watch watch;
    struct loop_defer later; /* go on parsing, or tell that it broke */
    const struct frame_events *events;
    void *ctx;
    struct frame_options o;
    struct err why;

    bool busy_in; /* the last read filled its room: the next one gets more */
    char *in;     /* bytes from in_from to in_n are read and not yet consumed */
    size_t in_cap, in_from, in_n;
    int fds_in[FDS_IN];
    unsigned n_fds_in;

    char *out; /* bytes from out_from to out_n wait */
    size_t out_cap, out_from, out_n;
    uint64_t sent; /* position in the stream of the byte at out_from */
    struct fd_out fds_out[FDS_OUT];
    unsigned n_fds_out;
};

static void conn_later(void *ctx);
static void conn_ready(void *ctx, unsigned events);

static size_t
queued(const struct frame_conn *c)
{
    return c->out_n - c->out_from;
}

static void
conn_free(struct frame_conn *c)
{
    loop_watch_stop(&c->watch);
    loop_defer_stop(&c->later);
    close(c->fd);
    for (unsigned i = 0; i < c->n_fds_in; i++)
        close(c->fds_in[i]);
    for (unsigned i = 0; i < c->n_fds_out; i++)
        close(c->fds_out[i].fd);
    mem_free(c->in);
    mem_free(c->out);
    mem_free(c);
}

static void
conn_break(struct frame_conn *c, const struct err *why)
{
    if (c->state == BROKEN)
        return;
    c->state = BROKEN;
    c->why = *why;
    loop_watch_stop(&c->watch);
    loop_defer(c->loop, &c->later, conn_later, c);
}

static void
conn_fail(struct frame_conn *c, enum err_code code, int sys, const char *text)
{
    struct err why = ERR_INIT;

    err_set_sys(&why, sys, text);
    why.code = code;
    conn_break(c, &why);
}

/* May frames be taken now? */
static bool
may_take(const struct frame_conn *c)
{
    return c->state == OPEN && !c->closed && !c->held && (c->o.asks || !frame_full(c));
}

/* Watches for what the state asks for. */
static void
conn_want(struct frame_conn *c)
{
    unsigned want = 0;
    struct err e = ERR_INIT;

    if (c->state == BROKEN)
        return;
    if (may_take(c))
        want |= LOOP_READ;
    if (queued(c) > 0)
        want |= LOOP_WRITE;
    if (loop_watch_want(&c->watch, want, &e) < 0)
        conn_break(c, &e);
}

struct frame_conn *
frame_open(struct loop *l, int fd, const struct frame_events *events, void *ctx,
           const struct frame_options *o, struct err *e)
{
    struct frame_conn *c = mem_zero(1, sizeof *c);

    if (c == NULL) {
        err_set(e, ERR_MEMORY, "no memory for a connection");
        close(fd);
        return NULL;
    }
    c->loop = l;
    c->fd = fd;
    c->events = events;
    c->ctx = ctx;
    if (o != NULL)
        c->o = *o;
    if (c->o.max_body == 0 || c->o.max_body > FRAME_MAX)
        c->o.max_body = FRAME_MAX;
    if (c->o.max_queue == 0)
        c->o.max_queue = FRAME_QUEUE;
    if (loop_watch_start(l, &c->watch, fd, LOOP_READ, conn_ready, c, e) < 0) {
        conn_free(c);
        return NULL;
    }
    return c;
}

void
frame_close(struct frame_conn *c)
{
    if (c == NULL)
        return;
    if (c->busy > 0) {
        c->closed = true;
        loop_watch_stop(&c->watch);
        loop_defer_stop(&c->later);
    } else {
        conn_free(c);
    }
}

void
frame_finish(struct frame_conn *c)
{
    c->finished = true;
    if (c->state != OPEN)
        return;
    c->state = FINISHING;
    if (queued(c) == 0)
        conn_break(c, &ERR_INIT);
    else
        conn_want(c);
}

void
frame_hold(struct frame_conn *c, bool hold)
{
    if (c->held == hold)
        return;
    c->held = hold;
    if (c->state != OPEN)
        return;
    conn_want(c);
    if (!hold) /* whole frames may stand in the buffer already */
        loop_defer(c->loop, &c->later, conn_later, c);
}

bool
frame_full(const struct frame_conn *c)
{
    return queued(c) >= c->o.max_queue;
}

void *
frame_ctx(const struct frame_conn *c)
{
    return c->ctx;
}

void
frame_set(struct frame_conn *c, const struct frame_events *events, void *ctx)
{
    c->events = events;
    c->ctx = ctx;
}

/* Room for n more bytes behind *used; the bytes before *from are given up first. */
static int
make_room(char **p, size_t *cap, size_t *from, size_t *used, size_t n)
{
    size_t need, want;
    char *q;

    if (*from > 0) {
        memmove(*p, *p + *from, *used - *from);
        *used -= *from;
        *from = 0;
    }
    if (__builtin_add_overflow(*used, n, &need))
        return -1;
    if (need <= *cap)
        return 0;
    want = *cap < READ_STEP ? READ_STEP : *cap;
    while (want < need) {
        if (__builtin_mul_overflow(want, (size_t)2, &want))
            return -1;
    }
    q = mem_resize(*p, want);
    if (q == NULL)
        return -1;
    *p = q;
    *cap = want;
    return 0;
}

/* An empty buffer goes back to its start, and a large one to the kernel. */
static void
settle(char **p, size_t *cap, size_t *from, size_t *used)
{
    if (*from < *used)
        return;
    *from = *used = 0;
    if (*cap > KEEP_CAP) {
        mem_free(*p);
        *p = NULL;
        *cap = 0;
    }
}

/* -- writing -- */

static int
queue_fd(struct frame_conn *c, int fd, struct err *e)
{
    int copy;

    if (c->n_fds_out == FDS_OUT)
        return err_set(e, ERR_BUSY, "too many descriptors wait to be sent");
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return err_set_sys(e, errno, "cannot duplicate a descriptor");
    c->fds_out[c->n_fds_out++] = (struct fd_out){.at = c->sent + queued(c), .fd = copy};
    return 0;
}

/* Writes what the socket takes. */
static void
flush(struct frame_conn *c)
{
    while (c->state != BROKEN && queued(c) > 0) {
        struct iovec iov = {.iov_base = c->out + c->out_from, .iov_len = queued(c)};
        int fd = -1;
        ssize_t n;

        /* A descriptor goes with the first byte of its frame, and a write ends before the next one
         * that has a descriptor. */
        if (c->n_fds_out > 0 && c->fds_out[0].at == c->sent)
            fd = c->fds_out[0].fd;
        if (c->n_fds_out > (fd >= 0 ? 1u : 0u)) {
            uint64_t until = c->fds_out[fd >= 0 ? 1 : 0].at - c->sent;

            if (until < iov.iov_len)
                iov.iov_len = (size_t)until;
        }
        n = wire_send(c->fd, &iov, 1, fd, MSG_DONTWAIT);
        if (n < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                break;
            conn_fail(c, ERR_IO, errno, "cannot write to a process");
            return;
        }
        if (fd >= 0 && n > 0) {
            close(fd);
            memmove(c->fds_out, c->fds_out + 1, --c->n_fds_out * sizeof c->fds_out[0]);
        }
        c->out_from += (size_t)n;
        c->sent += (uint64_t)n;
    }
    settle(&c->out, &c->out_cap, &c->out_from, &c->out_n);
}

int
frame_send(struct frame_conn *c, const struct frame *f, struct err *e)
{
    unsigned char head[FRAME_HEADER];
    struct iovec iov[2];
    size_t done = 0, total;

    if (f->body.n > FRAME_MAX)
        return err_set(e, ERR_LIMIT, "message too long");
    if (c->finished)
        return err_set(e, ERR_CONFLICT, "the connection is being closed");
    if (c->state == BROKEN || c->closed)
        return 0;
    if (queued(c) / 2 >= c->o.max_queue)
        return err_set(e, ERR_BUSY, "too much waits to be sent");
    wire_head(head, f);
    total = FRAME_HEADER + f->body.n;
    iov[0] = (struct iovec){.iov_base = head, .iov_len = FRAME_HEADER};
    iov[1] = (struct iovec){.iov_base = (void *)(uintptr_t)f->body.p, .iov_len = f->body.n};
    if (queued(c) == 0) {
        ssize_t n = wire_send(c->fd, iov, 2, f->fd, MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            conn_fail(c, ERR_IO, errno, "cannot write to a process");
            return 0;
        }
        if (n > 0)
            done = (size_t)n;
        c->sent += done;
    }
    if (done == total)
        return 0;
    if (make_room(&c->out, &c->out_cap, &c->out_from, &c->out_n, total - done) < 0) {
        if (done > 0) /* half a frame is out: nothing can follow it */
            conn_fail(c, ERR_MEMORY, 0, "no memory to queue a message");
        return err_set(e, ERR_MEMORY, "no memory to queue a message");
    }
    if (f->fd >= 0 && done == 0 && queue_fd(c, f->fd, e) < 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        size_t skip = done < iov[i].iov_len ? done : iov[i].iov_len;

        if (iov[i].iov_len > skip)
            memcpy(c->out + c->out_n, (char *)iov[i].iov_base + skip, iov[i].iov_len - skip);
        c->out_n += iov[i].iov_len - skip;
        done -= skip;
    }
    if (frame_full(c))
        c->was_full = true;
    conn_want(c);
    return 0;
}

/* -- reading -- */

/* Takes one whole frame off the buffer; 1 taken, 0 not there yet, -1 the connection broke. */
static int
take_frame(struct frame_conn *c)
{
    struct frame f;
    bool with_fd;
    size_t have = c->in_n - c->in_from;
    size_t length;

    if (have < FRAME_HEADER)
        return 0;
    if (wire_head_read(c->in + c->in_from, &f, &length, &with_fd) < 0 || length > c->o.max_body ||
        (with_fd && !c->o.take_fds)) {
        conn_fail(c, ERR_PROTOCOL, 0, "malformed message");
        return -1;
    }
    if (have - FRAME_HEADER < length)
        return 0;
    if (with_fd) {
        if (c->n_fds_in == 0) {
            conn_fail(c, ERR_PROTOCOL, 0, "message without its descriptor");
            return -1;
        }
        f.fd = c->fds_in[0];
        memmove(c->fds_in, c->fds_in + 1, --c->n_fds_in * sizeof c->fds_in[0]);
    }
    f.body = span_from(c->in + c->in_from + FRAME_HEADER, length);
    c->in_from += FRAME_HEADER + length;
    c->events->frame(c->ctx, c, &f);
    return 1;
}

/* Hands out whole frames while they may be; c->busy is held by the caller. */
static void
take_frames(struct frame_conn *c)
{
    while (may_take(c) && take_frame(c) > 0)
        ;
    if (!c->closed)
        settle(&c->in, &c->in_cap, &c->in_from, &c->in_n);
}

/* Bytes that the next read should have room for: the rest of a frame under way, but never more
 * than what has come already, so that a length alone makes nobody allocate.  From a sender who has
 * more than one read takes, a buffer full of small frames. */
static size_t
read_room(const struct frame_conn *c)
{
    size_t have = c->in_n - c->in_from;

    if (c->busy_in && have < KEEP_CAP - READ_STEP)
        return KEEP_CAP - have;
    return have < READ_STEP ? READ_STEP : have;
}

/* One read; false when nothing more is to be had now. */
static bool
read_once(struct frame_conn *c)
{
    struct iovec iov;
    int fd = -1;
    ssize_t n;

    if (make_room(&c->in, &c->in_cap, &c->in_from, &c->in_n, read_room(c)) < 0) {
        conn_fail(c, ERR_MEMORY, 0, "no memory to read a message");
        return false;
    }
    iov = (struct iovec){.iov_base = c->in + c->in_n, .iov_len = c->in_cap - c->in_n};
    n = wire_receive(c->fd, &iov, &fd, MSG_DONTWAIT);
    if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            conn_fail(c, errno == EPROTO ? ERR_PROTOCOL : ERR_IO, errno,
                      "cannot read from a process");
        return false;
    }
    if (fd >= 0) {
        if (!c->o.take_fds || c->n_fds_in == FDS_IN) {
            close(fd);
            conn_fail(c, ERR_PROTOCOL, 0, "unexpected descriptor");
            return false;
        }
        c->fds_in[c->n_fds_in++] = fd;
    }
    if (n == 0) {
        if (c->in_n > c->in_from)
            conn_fail(c, ERR_PROTOCOL, 0, "connection ended within a message");
        else
            conn_break(c, &ERR_INIT);
        return false;
    }
    c->busy_in = (size_t)n == iov.iov_len;
    c->in_n += (size_t)n;
    return true;
}

/* Ends a stretch of callbacks; false when the connection is freed. */
static bool
leave(struct frame_conn *c)
{
    c->busy--;
    if (c->closed && c->busy == 0) {
        conn_free(c);
        return false;
    }
    return true;
}

static void
conn_ready(void *ctx, unsigned events)
{
    struct frame_conn *c = ctx;

    c->busy++;
    if (events & (LOOP_WRITE | LOOP_HUP))
        flush(c);
    if (c->state == FINISHING && queued(c) == 0)
        conn_break(c, &ERR_INIT);
    if (c->state == OPEN && c->was_full && queued(c) == 0) {
        c->was_full = false;
        if (c->events->drained != NULL)
            c->events->drained(c->ctx, c);
        if (!c->closed)
            take_frames(c); /* what stood in the buffer while the queue was full */
    }
    if (events & (LOOP_READ | LOOP_HUP)) {
        for (unsigned i = 0; i < READS_TURN; i++) {
            if (!may_take(c) || !read_once(c))
                break;
            take_frames(c);
        }
    }
    if (!leave(c))
        return;
    if (c->in_n == c->in_from)
        settle(&c->in, &c->in_cap, &c->in_from, &c->in_n);
    conn_want(c);
}

/* At the end of a round: go on with frames that a hold had stopped, or tell the end. */
static void
conn_later(void *ctx)
{
    struct frame_conn *c = ctx;

    c->busy++;
    if (c->state == BROKEN) {
        c->events->closed(c->ctx, c, &c->why);
        c->closed = true;
    } else {
        take_frames(c);
    }
    if (leave(c))
        conn_want(c);
}
