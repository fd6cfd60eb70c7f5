#include "frame_queue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "frame_wire.h"
#include "mem.h"

#define PIECE_BYTES (256u << 10)
#define WRITE_BYTES (64u << 10) /* what is worth a system call */

struct piece {
    struct piece *next;
    size_t from, n; /* bytes from `from` to n wait */
    char data[PIECE_BYTES];
};

struct frame_queue {
    int fd;
    size_t max;
    size_t waiting; /* bytes */
    size_t fresh;   /* of them, put since the last write */
    struct piece *first, *last;
    struct piece *spare; /* pieces are used again: new memory costs more than the copying */
};

struct frame_queue *
frame_queue_new(int fd, size_t max)
{
    struct frame_queue *q = mem_zero(1, sizeof *q);

    if (q != NULL) {
        q->fd = fd;
        q->max = max;
    }
    return q;
}

static void
pieces_free(struct piece *p)
{
    while (p != NULL) {
        struct piece *next = p->next;

        mem_free(p);
        p = next;
    }
}

void
frame_queue_free(struct frame_queue *q)
{
    if (q == NULL)
        return;
    pieces_free(q->first);
    pieces_free(q->spare);
    mem_free(q);
}

static struct piece *
piece_add(struct frame_queue *q, struct err *e)
{
    struct piece *p = q->spare;

    if (p != NULL)
        q->spare = p->next;
    else
        p = mem_alloc(sizeof *p);
    if (p == NULL) {
        err_set(e, ERR_MEMORY, "no memory to queue a message");
        return NULL;
    }
    p->next = NULL;
    p->from = p->n = 0;
    if (q->last != NULL)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
    return p;
}

static int
put_bytes(struct frame_queue *q, const void *from, size_t n, struct err *e)
{
    const char *at = from;

    while (n > 0) {
        struct piece *p = q->last;
        size_t some;

        if ((p == NULL || p->n == PIECE_BYTES) && (p = piece_add(q, e)) == NULL)
            return -1;
        some = PIECE_BYTES - p->n < n ? PIECE_BYTES - p->n : n;
        memcpy(p->data + p->n, at, some);
        p->n += some;
        at += some;
        n -= some;
        q->waiting += some;
        q->fresh += some;
    }
    return 0;
}

/* One write; 1: some went, 0: the socket is full (or, with wait, it was interrupted), -1. */
static int
write_some(struct frame_queue *q, bool wait, struct err *e)
{
    struct piece *p = q->first;
    struct iovec iov = {.iov_base = p->data + p->from, .iov_len = p->n - p->from};
    ssize_t n = wire_send(q->fd, &iov, 1, -1, MSG_DONTWAIT);

    if (n < 0) {
        struct pollfd poll_for = {.fd = q->fd, .events = POLLOUT};

        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return err_set_sys(e, errno, "cannot write to a process");
        if (wait && poll(&poll_for, 1, -1) < 0 && errno != EINTR)
            return err_set_sys(e, errno, "cannot wait for a socket");
        return 0;
    }
    p->from += (size_t)n;
    q->waiting -= (size_t)n;
    if (p->from == p->n) {
        q->first = p->next;
        if (q->first == NULL)
            q->last = NULL;
        p->next = q->spare;
        q->spare = p;
    }
    return 1;
}

/* Until no more than `left` waits. */
static int
drain(struct frame_queue *q, size_t left, struct err *e)
{
    q->fresh = 0;
    while (q->waiting > left)
        if (write_some(q, true, e) < 0)
            return -1;
    return 0;
}

int
frame_queue_push(struct frame_queue *q, struct err *e)
{
    int rc = 1;

    q->fresh = 0;
    while (q->waiting > 0 && rc > 0)
        rc = write_some(q, false, e);
    return rc < 0 ? -1 : 0;
}

int
frame_queue_put(struct frame_queue *q, const struct frame *f, struct err *e)
{
    unsigned char head[FRAME_HEADER];

    if (f->fd >= 0)
        return err_set(e, ERR_INTERNAL, "no descriptor goes through a queue");
    if (f->body.n > FRAME_MAX)
        return err_set(e, ERR_LIMIT, "message too long");
    wire_head(head, f);
    if (put_bytes(q, head, sizeof head, e) < 0 || put_bytes(q, f->body.p, f->body.n, e) < 0)
        return -1;
    if (q->waiting > q->max)
        return drain(q, q->max, e);
    return q->fresh >= WRITE_BYTES ? frame_queue_push(q, e) : 0;
}

int
frame_queue_flush(struct frame_queue *q, struct err *e)
{
    return drain(q, 0, e);
}
