#include "client.h"

#include <stdlib.h>
#include <unistd.h>
#include "folder.h"
#include "frame.h"
#include "mem.h"
#include "node_msg.h"
#include "parent.h"

#define TREE_MAX (1u << 30)       /* bytes of an answer's tree: our own node has made it */
#define WAIT_MS  (30 * 60 * 1000) /* an undo of a million objects takes its time */

struct client {
    const struct session *session;
    struct config config;
    int users_fd;             /* says that the folder is in use */
    int guard;                /* closing it ends the processes that we started */
    int reader, writer, auth; /* -1: not connected yet */
    uint32_t next_id;
    struct buf in, out;
    struct arena *arena;
    struct json_parser *parser;
    struct span body;
};

const char *
data_dir(const struct session *s)
{
    const char *env = getenv("JAGA_DIR");

    return s->dir ? s->dir : env && env[0] ? env : "./node";
}

static bool
running(void)
{
    struct err e = ERR_INIT;
    int fd = frame_connect(FOLDER_WRITER, &e); /* a command's reader would be started by it */

    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

struct client *
client_open(const struct session *s, struct err *e)
{
    struct client *c = mem_zero(1, sizeof *c);

    if (!c) {
        (void)err_set(e, ERR_MEMORY, "out of memory");
        return NULL;
    }
    c->session = s;
    c->users_fd = c->guard = c->reader = c->writer = c->auth = -1;
    buf_init(&c->in, FRAME_MAX);
    buf_init(&c->out, FRAME_MAX);
    c->arena = arena_new(TREE_MAX);
    c->parser = json_parser_new();
    if (!c->arena || !c->parser) {
        (void)err_set(e, ERR_MEMORY, "out of memory");
        goto fail;
    }
    if (folder_enter(data_dir(s), e) || folder_read_config(&c->config, e))
        goto fail;
    /* Waits while processes that another command started are ending. */
    if ((c->users_fd = folder_lock(FOLDER_USERS, true, true, e)) < 0)
        goto fail;
    if (!running() && parent_start_local(&c->config, &c->guard, e))
        goto fail;
    return c;
fail:
    client_close(c);
    return NULL;
}

void
client_close(struct client *c)
{
    if (!c)
        return;
    const int fds[] = {c->reader, c->writer, c->auth, c->users_fd, c->guard};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    if (c->in.p)
        mem_wipe(c->in.p, c->in.cap);
    if (c->out.p)
        mem_wipe(c->out.p, c->out.cap);
    buf_clear(&c->in);
    buf_clear(&c->out);
    json_parser_free(c->parser);
    arena_free(c->arena);
    mem_free(c);
}

const struct config *
client_config(const struct client *c)
{
    return &c->config;
}

bool
client_started(const struct client *c)
{
    return c->guard >= 0;
}

static int
connect_to(int *fd, const char *path, struct err *e)
{
    if (*fd < 0)
        *fd = frame_connect(path, e);
    return *fd < 0 ? -1 : 0;
}

/* Sends what is in c->out and reads the answer that repeats its number. */
static int
exchange_frames(struct client *c, int fd, uint16_t type, struct answer *out, struct err *e)
{
    struct frame f = FRAME(type, ++c->next_id, buf_view(&c->out));

    if (c->out.failed)
        return err_set(e, ERR_LIMIT, "the message is too long");
    if (frame_write(fd, &f, e))
        return -1;
    do {
        int got = frame_read(fd, &c->in, &f, WAIT_MS, e);
        if (got < 0)
            return -1;
        if (got == 0)
            return err_set(e, ERR_IO, "a process of the node has ended; jaga status shows more");
        if (f.fd >= 0)
            (void)close(f.fd);
    } while (f.id != c->next_id);
    if (answer_decode(f.body, out, e))
        return -1;
    if (out->status != ERR_NONE) {
        /* The texts live in c->in, which lives as long as the client. */
        char *text = arena_dup(c->arena, out->text);
        (void)err_set(e, out->status, text && text[0] ? text : "the node refuses");
        if (out->place.n)
            (void)err_place(e, "%.*s", (int)out->place.n, out->place.p);
        return -1;
    }
    c->body = out->body;
    return 0;
}

static const struct json *
parsed(struct client *c, const struct answer *a, struct err *e)
{
    return json_parse(c->parser, a->body, c->arena, e);
}

int
client_ask_raw(struct client *c, struct ask *q, struct answer *out, struct err *e)
{
    q->as = span_of(c->session->as);
    q->exercise = c->session->exercise;
    arena_reset(c->arena);
    buf_reset(&c->out);
    ask_encode(q, &c->out);
    if (connect_to(&c->reader, FOLDER_READER, e))
        return -1;
    return exchange_frames(c, c->reader, NODE_F_ASK, out, e);
}

const struct json *
client_ask(struct client *c, struct ask *q, struct err *e)
{
    struct answer a;

    return client_ask_raw(c, q, &a, e) ? NULL : parsed(c, &a, e);
}

const struct json *
client_tell(struct client *c, const struct tell *t, struct err *e)
{
    struct answer a;

    arena_reset(c->arena);
    buf_reset(&c->out);
    tell_encode(t, &c->out);
    if (connect_to(&c->writer, FOLDER_WRITER, e))
        return NULL;
    return exchange_frames(c, c->writer, NODE_F_TELL, &a, e) ? NULL : parsed(c, &a, e);
}

int
client_writer_fd(struct client *c, struct err *e)
{
    return connect_to(&c->writer, FOLDER_WRITER, e) ? -1 : c->writer;
}

const struct json *
client_auth(struct client *c, const struct auth_msg *m, struct err *e)
{
    struct answer a;

    arena_reset(c->arena);
    buf_reset(&c->out);
    auth_msg_encode(m, &c->out);
    if (connect_to(&c->auth, FOLDER_SIGNIN, e))
        return NULL;
    int r = exchange_frames(c, c->auth, NODE_F_AUTH, &a, e);
    mem_wipe(c->out.p, c->out.n);
    return r ? NULL : parsed(c, &a, e);
}

struct span
client_body(const struct client *c)
{
    return c->body;
}
