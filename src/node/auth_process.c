/*
 * node/auth_process.c - the process that alone opens auth.db and mints tickets.
 *
 * It answers fronts (a login becomes a ticket for the front's own listener), the command line over
 * the local socket, and tells the writer of refused logins for the audit.  One Argon2id runs at a
 * time, between two rounds of the loop, so that tokens never wait behind more than one.
 */
#include <string.h>
#include <unistd.h>
#include "auth.h"
#include "auth_msg.h"
#include "child.h"
#include "local.h"
#include "mem.h"
#include "tell.h"
#include "ticket.h"

#define AUTH_LIST_MAX (4u << 20) /* bytes of a list of all logins */
#define FRONTS        CONFIG_LISTEN_MAX

struct front_link {
    struct auth_process *process;
    struct frame_conn *conn;
    unsigned listener;
};

struct auth_process {
    struct child *child;
    struct auth *auth;
    struct local *local;
    struct front_link fronts[FRONTS];
    struct frame_conn *writer;
    struct loop_defer work;
};

/* What waits for its hash is found again by this tag. */
static uint64_t
tag_of(unsigned front, bool person, uint32_t id)
{
    return (uint64_t)front << 40 | (uint64_t)person << 32 | id;
}

static void
audit_refusal(struct auth_process *p, const struct auth_result *r)
{
    char mem[512];
    struct buf b;
    struct tell t = {.verb = TELL_AUDIT,
                     .name = span_of(r->name),
                     .text = SPAN("login"),
                     .id = r->token ? SPAN("token") : SPAN("password"),
                     .label = SPAN("refused")};

    if (!p->writer)
        return;
    buf_init_fixed(&b, mem, sizeof mem);
    tell_encode(&t, &b);
    struct frame f = FRAME(NODE_F_TELL, 0, buf_view(&b));
    if (!b.failed)
        (void)frame_send(p->writer, &f, NULL);
}

static void
reply_login(struct auth_process *p, unsigned front, bool person, uint32_t id,
            const struct auth_result *r)
{
    uint8_t sealed[TICKET_BYTES];
    char mem[1024];
    struct buf b;
    struct auth_reply out = {.state = r->state, .wait_s = r->wait_s};

    if (r->state == AUTH_OK && (r->principal <= 0 || r->principal > UINT32_MAX))
        out.state = AUTH_BROKEN;
    if (out.state == AUTH_OK) {
        struct ticket t = {
            .principal = (uint32_t)r->principal,
            .channel = person && !r->token ? CHANNEL_SESSION : CHANNEL_TOKEN,
            .listener = p->fronts[front].listener,
            .epoch = (uint64_t)r->epoch,
            .expiry_us = clock_wall_us(NULL) + TICKET_LIFE_US,
        };
        memcpy(t.session, r->session, sizeof t.session);
        memcpy(out.session, r->session, sizeof out.session);
        ticket_make(&p->child->start.ticket_key, &t, sealed);
        out.ticket = span_from(sealed, sizeof sealed);
        out.expires_us = t.expiry_us;
    }
    if (r->state == AUTH_NO)
        audit_refusal(p, r);
    buf_init_fixed(&b, mem, sizeof mem);
    auth_reply_encode(&out, &b);
    struct frame f = FRAME(NODE_F_AUTHED, id, buf_view(&b));
    if (p->fronts[front].conn)
        (void)frame_send(p->fronts[front].conn, &f, NULL);
}

static void
work(void *ctx)
{
    struct auth_process *p = ctx;
    struct auth_result r;

    if (auth_work(p->auth, &r))
        reply_login(p, (unsigned)(r.tag >> 40), (r.tag >> 32 & 1) != 0, (uint32_t)r.tag, &r);
    if (auth_waiting(p->auth))
        loop_defer(p->child->loop, &p->work, work, p);
}

static void
login(struct auth_process *p, struct front_link *from, uint32_t id, const struct auth_msg *m)
{
    unsigned front = (unsigned)(from - p->fronts);
    struct auth_login l = {.scheme = m->scheme,
                           .name = m->name,
                           .secret = m->secret,
                           .address = m->address,
                           .tag = tag_of(front, m->person, id)};
    struct auth_result r;

    auth_login(p->auth, &l, &r);
    if (r.state == AUTH_QUEUED)
        loop_defer(p->child->loop, &p->work, work, p);
    else
        reply_login(p, front, m->person, id, &r);
}

static void
renew(struct auth_process *p, struct front_link *from, uint32_t id, const struct auth_msg *m)
{
    struct auth_result r = {.state = AUTH_NO};

    if (auth_renew(p->auth, m->session, &r.principal, &r.epoch, &r.token))
        r.state = AUTH_OK;
    memcpy(r.session, m->session, sizeof r.session);
    reply_login(p, (unsigned)(from - p->fronts), m->person, id, &r);
}

static void
front_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    struct front_link *from = ctx;
    struct auth_process *p = from->process;
    struct auth_msg m;
    struct err e = ERR_INIT;

    (void)conn;
    if (f->type != NODE_F_AUTH || auth_msg_decode(f->body, &m, &e) ||
        (m.verb != AUTH_V_LOGIN && m.verb != AUTH_V_RENEW)) {
        log_err(&p->child->log, LOG_ERROR, "a front broke the protocol", &e);
        frame_close(from->conn);
        from->conn = NULL;
        return;
    }
    if (m.verb == AUTH_V_LOGIN)
        login(p, from, f->id, &m);
    else
        renew(p, from, f->id, &m);
}

static void
front_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct front_link *from = ctx;

    (void)conn;
    (void)why;
    from->conn = NULL;
}

static const struct frame_events front_events = {.frame = front_frame, .closed = front_closed};

/* -- the local socket: administration -----------------------------------------------------------
 */

static int
administer(struct auth_process *p, const struct auth_msg *m, struct json_out *o, struct err *e)
{
    char token[AUTH_TOKEN_TEXT];
    int r = 0;

    switch (m->verb) {
    case AUTH_V_SET_PASSWORD:
        r = auth_set_password(p->auth, m->principal, m->epoch, m->name, m->secret, e);
        break;
    case AUTH_V_MAKE_TOKEN:
        if (auth_make_token(p->auth, m->principal, m->epoch, m->expires_us, token, e))
            return -1;
        json_begin_object(o);
        json_member_str(o, "token", token);
        json_end_object(o);
        mem_wipe(token, sizeof token);
        return 0;
    case AUTH_V_SET_EPOCH:
        r = auth_set_epoch(p->auth, m->principal, m->epoch, e);
        break;
    case AUTH_V_REMOVE:
        r = auth_remove(p->auth, m->principal, e);
        break;
    case AUTH_V_LIST:
        return auth_list(p->auth, o, e);
    case AUTH_V_LOGIN:
    case AUTH_V_RENEW:
        return err_set(e, ERR_PROTOCOL, "logins come from a front");
    }
    if (r == 0) {
        json_begin_object(o);
        json_end_object(o);
    }
    return r;
}

static void
local_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    struct local_conn *c = ctx;
    struct auth_process *p = c->self;
    struct auth_msg m;
    struct answer w = {0};
    struct err e = ERR_INIT;
    struct buf body, out;
    struct json_out o;

    buf_init(&body, AUTH_LIST_MAX);
    buf_init(&out, AUTH_LIST_MAX + 4096);
    json_out_init(&o, &body);
    if (f->type != NODE_F_AUTH || auth_msg_decode(f->body, &m, &e) || administer(p, &m, &o, &e)) {
        w.status = e.code ? e.code : ERR_PROTOCOL;
        w.text = span_of(e.text);
        w.place = span_of(e.place);
    } else {
        w.body = buf_view(&body);
    }
    answer_encode(&w, true, &out);
    struct frame reply = FRAME(NODE_F_AUTHED, f->id, buf_view(&out));
    if (!out.failed)
        (void)frame_send(conn, &reply, NULL);
    if (body.p)
        mem_wipe(body.p, body.n);
    if (out.p)
        mem_wipe(out.p, out.n);
    buf_clear(&body);
    buf_clear(&out);
}

static void
local_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    (void)ctx;
    (void)conn;
    (void)why;
}

static const struct frame_events local_events = {.frame = local_frame, .closed = local_closed};

static void
writer_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    (void)ctx; /* acknowledgements of audit entries */
    (void)conn;
    (void)f;
}

static void
writer_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct auth_process *p = ctx;

    (void)conn;
    (void)why;
    p->writer = NULL;
}

static const struct frame_events writer_events = {.frame = writer_frame, .closed = writer_closed};

/* -- life ---------------------------------------------------------------------------------------
 */

static struct auth_process *
self(struct child *c)
{
    struct auth_process *p = c->self;

    if (!p) {
        p = mem_zero(1, sizeof *p);
        if (!p)
            return NULL;
        p->child = c;
        c->self = p;
    }
    return p;
}

static int
auth_link(struct child *c, const struct node_link_msg *m, int fd, struct err *e)
{
    const struct frame_options small = {.max_body = AUTH_MSG_MAX};
    struct auth_process *p = self(c);

    if (!p) {
        (void)close(fd);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    if (m->kind == NODE_L_LOCAL) {
        local_free(p->local);
        p->local = local_new(c->loop, fd, c->start.owner, &local_events, &small, p, &c->log, e);
        return p->local ? 0 : -1;
    }
    if (m->kind == NODE_L_PEER && m->role == NODE_WRITER) {
        frame_close(p->writer);
        p->writer =
            frame_open(c->loop, fd, &writer_events, p, &(struct frame_options){.asks = true}, e);
        return p->writer ? 0 : -1;
    }
    if (m->kind == NODE_L_PEER && m->role == NODE_FRONT && m->index < FRONTS) {
        struct front_link *f = &p->fronts[m->index];
        frame_close(f->conn);
        *f = (struct front_link){.process = p, .listener = m->index + 1};
        f->conn = frame_open(c->loop, fd, &front_events, f, &small, e);
        return f->conn ? 0 : -1;
    }
    (void)close(fd);
    return err_set(e, ERR_PROTOCOL, "a link that auth does not take");
}

static int
auth_open_files(struct child *c, struct err *e)
{
    struct auth_process *p = self(c);

    if (!p)
        return err_set(e, ERR_MEMORY, "out of memory");
    return auth_open("auth/auth.db", NULL, &p->auth, e);
}

static void
auth_end(struct child *c)
{
    struct auth_process *p = c->self;

    if (!p)
        return;
    local_free(p->local);
    for (size_t i = 0; i < FRONTS; i++)
        frame_close(p->fronts[i].conn);
    frame_close(p->writer);
    auth_close(p->auth);
    mem_free(p);
    c->self = NULL;
}

static const char *const write_paths[] = {"auth", NULL};

const struct child_role child_auth = {
    .role = NODE_AUTH,
    .sandbox = SANDBOX_AUTH,
    .nofile = 128,
    .open = auth_open_files,
    .link = auth_link,
    .close = auth_end,
    .write_paths = write_paths,
};
