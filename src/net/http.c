/* The server: the library under our loop, its connections, and time. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "http_inner.h"
#include "mem.h"

#define SWEEP_US   INT64_C(500000) /* how often slow and idle connections are looked for */
#define POLL_US    1000            /* while only answers are waited for */
#define RUNS_TURN  2u              /* runs of the library before others have their turn */
#define QUIET_RUNS 1u  /* runs of the library with nothing to do before the loop may sleep */
#define SPARE      64u /* connections that are let in beyond the limit while others are shut */
#define BACKLOG_RUNS                                                                               \
    100u /* runs of the library at the end, for suspended requests to come back                    \
          */

/* TLS 1.2 and 1.3 alone, and of 1.2 what RFC 9325 section 4.2 leaves: forward secrecy, AEAD. */
static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:"
    "+CHACHA20-POLY1305";

/* -- connections -- */

void
conn_set_idle(struct http_conn *c, bool idle)
{
    struct http_server *s = c->server;

    if (c->idle) {
        c->prev->next = c->next;
        c->next->prev = c->prev;
    }
    c->idle = idle;
    if (!idle)
        return;
    c->since = loop_now(s->loop).us;
    c->prev = s->idle.prev;
    c->next = &s->idle;
    c->prev->next = c;
    c->next->prev = c;
}

void
conn_shut(struct http_conn *c)
{
    if (c->shut)
        return;
    c->shut = true;
    /* The library sees the end of the stream in its next run and cleans up; closing the descriptor
     * under it would not do. */
    shutdown(c->fd, SHUT_RDWR);
}

static void
conn_notify(void *ctx, struct MHD_Connection *mhd, void **slot,
            enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = ctx;
    struct http_conn *c;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        c = *slot;
        *slot = NULL;
        if (c == NULL)
            return;
        conn_set_idle(c, false);
        if (s->holding == c)
            s->holding = NULL;
        s->counts.connections--;
        mem_free(c);
        return;
    }
    c = mem_zero(1, sizeof *c);
    *slot = c;
    if (c == NULL) { /* request_new refuses what has no connection */
        shutdown(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
                 SHUT_RDWR);
        return;
    }
    c->server = s;
    c->mhd = mhd;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    wire_start(c);
    s->counts.connections++;
    if (s->counts.connections > s->o.max_connections) {
        for (struct http_conn *old = s->idle.next; old != &s->idle; old = old->next) {
            if (!old->shut) {
                conn_shut(old);
                s->counts.timeouts++;
                break;
            }
        }
    }
    conn_set_idle(c, true);
}

/* -- the library under the loop -- */

/* Nothing is left to do but to wait for answers. */
static bool
only_waits(const struct http_server *s)
{
    return s->waiting > 0 && s->quiet_runs >= QUIET_RUNS;
}

static void
run_library(struct http_server *s)
{
    MHD_run(s->daemon);
    wire_flush(s);
}

static void
server_run(void *ctx)
{
    struct http_server *s = ctx;

    MHD_UNSIGNED_LONG_LONG ms;

    /* It often needs a second run to go on with what the first began. */
    for (unsigned i = 0; i < RUNS_TURN; i++) {
        s->quiet_runs++; /* whatever happens in it sets this back */
        run_library(s);
        if (only_waits(s) || MHD_get_timeout(s->daemon, &ms) != MHD_YES || ms > 0)
            break;
    }
}

void
server_wake(struct http_server *s)
{
    s->quiet_runs = 0;
    if (!s->freeing)
        loop_defer(s->loop, &s->run, server_run, s);
}

static void
on_ready(void *ctx, unsigned events)
{
    (void)events;
    server_wake(ctx);
}

static void
on_poll(void *ctx)
{
    struct http_server *s = ctx;

    loop_defer(s->loop, &s->run, server_run, s);
}

/*
 * Ahead of each wait.  The library says that it has work whenever a request is not answered yet,
 * and would be called without end.  So once a run has changed nothing, and requests are waiting
 * for answers, the loop may sleep: an answer or the library's own descriptor wakes it, and a short
 * timer in case the library had another reason (bytes left inside TLS).
 */
static bool
before_wait(void *ctx)
{
    struct http_server *s = ctx;
    MHD_UNSIGNED_LONG_LONG ms;

    if (MHD_get_timeout(s->daemon, &ms) != MHD_YES || ms > 0)
        return false;
    if (only_waits(s)) {
        if (s->poll.loop == NULL)
            loop_timer_set(s->loop, &s->poll, POLL_US, on_poll, s);
        return false;
    }
    loop_defer(s->loop, &s->run, server_run, s);
    return true;
}

/* -- time -- */

static void
stop_if_done(struct http_server *s)
{
    if (!s->stopping || s->stopped)
        return;
    if (s->counts.active > 0 && loop_now(s->loop).us < s->stop_by)
        return;
    s->stopped = true;
    if (s->stop_fn != NULL)
        loop_defer(s->loop, &s->stop_done, s->stop_fn, s->stop_ctx);
}

static void
on_sweep(void *ctx)
{
    struct http_server *s = ctx;
    int64_t now = loop_now(s->loop).us;
    struct http_request *next;

    /* Idle connections stand in the order of time.  A client that sends its headers byte by byte
     * is among them: nothing but a complete head takes it out. */
    for (struct http_conn *c = s->idle.next; c != &s->idle; c = c->next) {
        if (!s->stopping && now - c->since < s->o.idle_us)
            break;
        if (!c->shut) {
            conn_shut(c);
            s->counts.timeouts++;
        }
    }
    for (struct http_request *r = s->active.next; r != &s->active; r = next) {
        next = r->next;
        if (request_late(r, now))
            s->counts.timeouts++;
    }
    stop_if_done(s);
    loop_timer_set(s->loop, &s->sweep, SWEEP_US, on_sweep, s);
}

void
server_sweep_soon(struct http_server *s)
{
    loop_timer_set(s->loop, &s->sweep, 0, on_sweep, s);
}

/* -- life -- */

static void
defaults(struct http_options *o)
{
    if (o->max_connections == 0)
        o->max_connections = HTTP_CONNECTIONS;
    if (o->pool_bytes == 0)
        o->pool_bytes = HTTP_POOL;
    if (o->idle_us == 0)
        o->idle_us = HTTP_IDLE_US;
    if (o->answer_us == 0)
        o->answer_us = HTTP_ANSWER_US;
    if (o->grace_us == 0)
        o->grace_us = HTTP_GRACE_US;
    if (o->least_rate == 0)
        o->least_rate = HTTP_LEAST_RATE;
}

/* The library would decode paths and queries in place; handlers get them as they were sent. */
static size_t
no_unescape(void *ctx, struct MHD_Connection *mhd, char *text)
{
    (void)ctx;
    (void)mhd;
    return strlen(text);
}

static void
no_log(void *ctx, const char *format, va_list args)
{
    (void)ctx;
    (void)format;
    (void)args;
}

static struct MHD_Daemon *
start(struct http_server *s, const char *cert, const char *key)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    if (key != NULL)
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(flags, 0, NULL, NULL, request_step, s,    /* no port: its socket */
                            MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL, /* first, so that it counts */
                            MHD_OPTION_LISTEN_SOCKET, s->o.listen_fd, /* */
                            MHD_OPTION_CONNECTION_LIMIT, s->o.max_connections + SPARE,   /* */
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->o.max_per_address,    /* */
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)s->o.pool_bytes, /* */
                            MHD_OPTION_CONNECTION_TIMEOUT, 0u,               /* ours are absolute */
                            MHD_OPTION_STRICT_FOR_CLIENT, 0,                 /* head_check is */
                            MHD_OPTION_NOTIFY_CONNECTION, conn_notify, s,    /* */
                            MHD_OPTION_NOTIFY_COMPLETED, request_done, s,    /* */
                            MHD_OPTION_URI_LOG_CALLBACK, request_new, s,     /* */
                            MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL, /* */
                            MHD_OPTION_ARRAY, key != NULL ? tls : none, MHD_OPTION_END);
}

/* A copy with a NUL behind it, as the library wants PEM. */
static char *
text_of(struct span s)
{
    char *p = mem_alloc(s.n + 1);

    if (p != NULL) {
        memcpy(p, s.p, s.n);
        p[s.n] = '\0';
    }
    return p;
}

static int
start_daemon(struct http_server *s, struct err *e)
{
    bool tls = s->o.key_pem.n > 0;
    char *cert = tls ? text_of(s->o.cert_pem) : NULL;
    char *key = tls ? text_of(s->o.key_pem) : NULL;

    if (!tls || (cert != NULL && key != NULL))
        s->daemon = start(s, cert, key);
    if (key != NULL)
        mem_wipe(key, s->o.key_pem.n);
    mem_free(key);
    mem_free(cert);
    s->o.key_pem = s->o.cert_pem = (struct span){NULL, 0};
    if (s->daemon == NULL)
        return err_set(e, ERR_IO, "cannot start the HTTP server (its key, or its socket)");
    return 0;
}

struct http_server *
http_new(struct loop *l, const struct http_options *o, const struct http_handler *h, void *ctx,
         struct err *e)
{
    struct http_server *s = mem_zero(1, sizeof *s);
    int epoll;

    if (s == NULL) {
        close(o->listen_fd);
        err_set(e, ERR_MEMORY, "no memory for the HTTP server");
        return NULL;
    }
    s->loop = l;
    s->h = h;
    s->ctx = ctx;
    s->o = *o;
    s->idle.prev = s->idle.next = &s->idle;
    s->active.prev = s->active.next = &s->active;
    defaults(&s->o);
    /* It may be shared with a sibling that takes the connection first. */
    if (fcntl(o->listen_fd, F_SETFL, O_NONBLOCK) < 0) {
        err_set_sys(e, errno, "not a listening socket");
        mem_free(s);
        return NULL;
    }
    if (start_daemon(s, e) < 0) {
        close(o->listen_fd);
        mem_free(s);
        return NULL;
    }
    epoll = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (loop_watch_start(l, &s->watch, epoll, LOOP_READ, on_ready, s, e) < 0) {
        MHD_stop_daemon(s->daemon);
        mem_free(s);
        return NULL;
    }
    loop_hook_start(l, &s->hook, before_wait, NULL, NULL, s);
    loop_timer_set(l, &s->sweep, SWEEP_US, on_sweep, s);
    return s;
}

static void
stop_listening(struct http_server *s)
{
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);

    if (fd != MHD_INVALID_SOCKET)
        close(fd);
}

void
http_stop(struct http_server *s, int64_t grace_us, loop_fn *stopped, void *ctx)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->stop_by = loop_now(s->loop).us + grace_us;
    s->stop_fn = stopped;
    s->stop_ctx = ctx;
    stop_listening(s);
    server_sweep_soon(s);
}

void
http_free(struct http_server *s)
{
    if (s == NULL)
        return;
    s->freeing = true;
    loop_watch_stop(&s->watch);
    loop_hook_stop(&s->hook);
    loop_defer_stop(&s->run);
    loop_defer_stop(&s->stop_done);
    loop_timer_stop(&s->sweep);
    loop_timer_stop(&s->poll);
    if (!s->stopping)
        stop_listening(s);
    /* The library must not be stopped with suspended requests, and resumes them in a run only. */
    for (struct http_request *r = s->active.next; r != &s->active; r = r->next)
        request_abort(r);
    for (unsigned i = 0; i < BACKLOG_RUNS && s->counts.active > 0; i++)
        run_library(s);
    MHD_stop_daemon(s->daemon);
    mem_free(s);
}

void
http_counts(const struct http_server *s, struct http_counts *out)
{
    *out = s->counts;
}
