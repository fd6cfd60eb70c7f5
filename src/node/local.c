#include "local.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "mem.h"

struct local {
    struct loop *loop;
    struct loop_watch watch;
    int fd;
    uint32_t owner;
    const struct frame_events *events;
    struct frame_events wrapped;
    struct frame_options options;
    const struct log *log;
    struct local_conn conns[LOCAL_MAX];
};

static void
on_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct local_conn *c = ctx;

    c->server->events->closed(ctx, conn, why);
    c->conn = NULL;
    c->user = NULL;
}

static struct local_conn *
free_place(struct local *s)
{
    for (size_t i = 0; i < LOCAL_MAX; i++)
        if (!s->conns[i].conn)
            return &s->conns[i];
    return NULL;
}

static void
on_ready(void *ctx, unsigned events)
{
    struct local *s = ctx;
    struct frame_peer peer;
    struct err e = ERR_INIT;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd < 0)
        return;
    struct local_conn *c = free_place(s);
    if (!c || frame_peer(fd, &peer, &e) || (peer.uid != s->owner && peer.uid != 0)) {
        log_line(s->log, LOG_WARN, c ? "local connection refused" : "too many local connections");
        (void)close(fd);
        return;
    }
    c->conn = frame_open(s->loop, fd, &s->wrapped, c, &s->options, &e);
    if (!c->conn)
        log_err(s->log, LOG_WARN, "local connection failed", &e);
}

struct local *
local_new(struct loop *l, int fd, uint32_t owner, const struct frame_events *events,
          const struct frame_options *options, void *self, const struct log *log, struct err *e)
{
    struct local *s = mem_zero(1, sizeof *s);

    if (!s) {
        (void)close(fd);
        (void)err_set(e, ERR_MEMORY, "out of memory");
        return NULL;
    }
    *s = (struct local){.loop = l, .fd = fd, .owner = owner, .events = events, .log = log};
    if (options)
        s->options = *options;
    s->wrapped = *events;
    s->wrapped.closed = on_closed;
    for (size_t i = 0; i < LOCAL_MAX; i++)
        s->conns[i] = (struct local_conn){.server = s, .self = self};
    if (loop_watch_start(l, &s->watch, fd, LOOP_READ, on_ready, s, e)) {
        (void)close(fd);
        mem_free(s);
        return NULL;
    }
    return s;
}

void
local_free(struct local *s)
{
    if (!s)
        return;
    loop_watch_stop(&s->watch);
    for (size_t i = 0; i < LOCAL_MAX; i++)
        frame_close(s->conns[i].conn);
    (void)close(s->fd);
    mem_free(s);
}
