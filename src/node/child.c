#include "child.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "crypto.h"
#include "mem.h"

#define START_MAX  (1u << 20) /* bytes: configuration, certificate and key */
#define START_WAIT 30000      /* ms: the parent sends at once, or never */

static const struct child_role *const roles[NODE_ROLES] = {
    [NODE_WRITER] = &child_writer, [NODE_READER] = &child_reader, [NODE_AUTH] = &child_auth,
    [NODE_FRONT] = &child_front,   [NODE_SIGNER] = &child_signer,
};

struct running {
    struct child child;
    const struct child_role *role;
};

static int
take_link(struct running *r, struct frame *f, struct err *e)
{
    struct node_link_msg m;

    if (f->fd < 0)
        return err_set(e, ERR_PROTOCOL, "a link without a descriptor");
    if (node_link_decode(f->body, &m, e)) {
        (void)close(f->fd);
        return -1;
    }
    return r->role->link(&r->child, &m, f->fd, e);
}

static void
on_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    struct running *r = ctx;
    struct err e = ERR_INIT;

    (void)conn;
    if (f->type == NODE_F_LINK) {
        if (take_link(r, f, &e))
            log_err(&r->child.log, LOG_ERROR, "link failed", &e);
        return;
    }
    if (f->fd >= 0)
        (void)close(f->fd);
    if (f->type == NODE_F_STOP) {
        if (r->role->stop)
            r->role->stop(&r->child);
        else
            loop_stop(r->child.loop);
    }
}

/* The parent is gone: nobody would restart us or hear of us. */
static void
on_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct running *r = ctx;

    (void)conn;
    (void)why;
    r->child.parent = NULL;
    loop_stop(r->child.loop);
}

static const struct frame_events control_events = {.frame = on_frame, .closed = on_closed};

/* START, then any number of LINKs, then READY as "go". */
static int
be_told(struct running *r, struct buf *space, struct err *e)
{
    bool started = false;

    for (;;) {
        struct frame f;
        int got = frame_read(CHILD_CONTROL_FD, space, &f, START_WAIT, e);
        if (got < 0)
            return -1;
        if (got == 0)
            return err_set(e, ERR_PROTOCOL, "the parent ended before it said what to do");
        if (f.type == NODE_F_START && !started) {
            if (node_start_decode(f.body, &r->child.start, e))
                return -1;
            /* The certificate's bytes must outlive the frame; open wipes them. */
            if (r->child.start.cert_pem.n) {
                struct node_start *s = &r->child.start;
                s->cert_pem.p = mem_dup(s->cert_pem.p, s->cert_pem.n);
                s->key_pem.p = mem_dup(s->key_pem.p, s->key_pem.n);
                if (!s->cert_pem.p || !s->key_pem.p)
                    return err_set(e, ERR_MEMORY, "out of memory");
            }
            r->child.log.level = r->child.start.config.log;
            started = true;
        } else if (f.type == NODE_F_LINK && started) {
            if (take_link(r, &f, e))
                return -1;
        } else if (f.type == NODE_F_READY && started) {
            return 0;
        } else {
            return err_set(e, ERR_PROTOCOL, "unexpected word from the parent");
        }
    }
}

static int
lock_in(struct running *r, struct err *e)
{
    struct sandbox_paths paths = {0};
    struct sandbox_result result;

    for (size_t i = 0; r->role->write_paths && r->role->write_paths[i]; i++)
        paths.write[i] = r->role->write_paths[i];
    for (size_t i = 0; r->role->read_paths && r->role->read_paths[i]; i++)
        paths.read[i] = r->role->read_paths[i];
    tzset();
    if (sandbox_enter(r->role->sandbox, &paths, r->role->nofile, &result, e))
        return -1;
    log_line(&r->child.log, LOG_DEBUG, "sandboxed", LOG_N("landlock", result.landlock));
    return 0;
}

static int
work(struct running *r, struct err *e)
{
    const struct frame_options options = {.max_body = START_MAX, .take_fds = true};
    struct frame ready = FRAME(NODE_F_READY, 0, ((struct span){NULL, 0}));

    if (r->role->open && r->role->open(&r->child, e))
        return -1;
    if (lock_in(r, e))
        return -1;
    r->child.parent = frame_open(r->child.loop, CHILD_CONTROL_FD, &control_events, r, &options, e);
    if (!r->child.parent || frame_send(r->child.parent, &ready, e))
        return -1;
    return loop_run(r->child.loop, e);
}

int
child_main(enum node_role role)
{
    struct running r = {.role = role < NODE_ROLES ? roles[role] : NULL};
    struct err e = ERR_INIT;
    struct buf space;
    char title[16] = "jaga ";
    int status = 1;

    if (!r.role)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    /* Ctrl-C reaches the whole group, and a service manager ends the whole family: the parent
     * decides in which order. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    strncat(title, node_role_name(role), sizeof title - strlen(title) - 1);
    (void)prctl(PR_SET_NAME, title);
    r.child.log = (struct log){.fd = 2, .level = LOG_INFO};
    strncat(r.child.log.who, node_role_name(role), sizeof r.child.log.who - 1);
    buf_init(&space, START_MAX);
    r.child.loop = loop_new(&e);
    if (r.child.loop && crypto_start(&e) == 0 && be_told(&r, &space, &e) == 0 && work(&r, &e) == 0)
        status = 0;
    if (status) {
        char line[512];
        err_line(&e, line, sizeof line);
        struct frame failed = FRAME(NODE_F_FAILED, (uint32_t)e.code, span_of(line));
        log_err(&r.child.log, LOG_ERROR, "cannot go on", &e);
        if (!r.child.parent)
            (void)frame_write(CHILD_CONTROL_FD, &failed, NULL);
    }
    if (r.role->close)
        r.role->close(&r.child);
    frame_close(r.child.parent);
    mem_wipe(space.p, space.cap);
    buf_clear(&space);
    mem_wipe(&r.child.start.ticket_key, sizeof r.child.start.ticket_key);
    return status;
}
