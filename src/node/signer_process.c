/*
 * node/signer_process.c - the process that alone holds the node's private key.
 *
 * It opens two files, locks itself in, and signs what the writer asks for, where that contradicts
 * nothing it has signed before (pledge/pledge.h).
 */
#include <errno.h>
#include <unistd.h>
#include "child.h"
#include "folder.h"
#include "mem.h"
#include "pledge_msg.h"

#define ARENA_MAX (4u << 20) /* one question with its proofs, and the answer */

struct signer_process {
    struct child *child;
    struct pledge *pledge;
    struct frame_conn *writer;
    struct arena *arena;
    struct buf out;
};

static void
on_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    struct signer_process *p = ctx;
    struct pledge_reply w;
    struct pledge_ask q;
    struct err e = ERR_INIT;

    arena_reset(p->arena);
    if (f->type != NODE_F_SIGN || pledge_ask_decode(f->body, p->arena, &q, &e)) {
        log_err(&p->child->log, LOG_ERROR, "a message broke the protocol", &e);
        frame_close(conn);
        p->writer = NULL;
        return;
    }
    pledge_answer(p->pledge, &q, p->arena, &w);
    buf_reset(&p->out);
    pledge_reply_encode(&w, &p->out);
    struct frame answer = FRAME(NODE_F_SIGNED, f->id, buf_view(&p->out));
    if (p->out.failed || frame_send(conn, &answer, &e))
        log_err(&p->child->log, LOG_WARN, "an answer was lost", &e);
}

static void
on_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    (void)conn;
    (void)why;
    ((struct signer_process *)ctx)->writer = NULL;
}

static const struct frame_events events = {.frame = on_frame, .closed = on_closed};

static struct signer_process *
self(struct child *c)
{
    if (!c->self) {
        struct signer_process *p = mem_zero(1, sizeof *p);
        if (!p)
            return NULL;
        p->child = c;
        p->arena = arena_new(ARENA_MAX);
        buf_init(&p->out, PLEDGE_MSG_MAX);
        c->self = p;
    }
    return c->self;
}

static int
signer_open(struct child *c, struct err *e)
{
    struct signer_process *p = self(c);
    struct sign_public fresh;
    int rc;

    if (!p || !p->arena)
        return err_set(e, ERR_MEMORY, "out of memory");
    rc = pledge_open(FOLDER_SIGN, &p->pledge, e);
    if (rc != 0 && e->code == ERR_MISSING) { /* of a version that signed nothing */
        *e = (struct err)ERR_INIT;
        rc = pledge_create(FOLDER_SIGN, &fresh, e) ? -1 : pledge_open(FOLDER_SIGN, &p->pledge, e);
    }
    return rc;
}

static int
signer_link(struct child *c, const struct node_link_msg *m, int fd, struct err *e)
{
    const struct frame_options o = {.max_body = PLEDGE_MSG_MAX, .max_queue = PLEDGE_MSG_MAX};
    struct signer_process *p = self(c);

    if (!p || m->kind != NODE_L_PEER || m->role != NODE_WRITER) {
        (void)close(fd);
        return p ? err_set(e, ERR_PROTOCOL, "a link that the signer does not take")
                 : err_set(e, ERR_MEMORY, "out of memory");
    }
    frame_close(p->writer);
    p->writer = frame_open(c->loop, fd, &events, p, &o, e);
    return p->writer ? 0 : -1;
}

static void
signer_close(struct child *c)
{
    struct signer_process *p = c->self;

    if (!p)
        return;
    frame_close(p->writer);
    pledge_close(p->pledge);
    arena_free(p->arena);
    buf_clear(&p->out);
    mem_free(p);
    c->self = NULL;
}

const struct child_role child_signer = {
    .role = NODE_SIGNER,
    .sandbox = SANDBOX_SIGNER,
    .nofile = 32,
    .open = signer_open,
    .link = signer_link,
    .close = signer_close,
};
