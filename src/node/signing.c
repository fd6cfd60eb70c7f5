#include "signing.h"

#include <string.h>
#include <unistd.h>
#include "frame.h"
#include "mem.h"
#include "node_msg.h"
#include "pledge_msg.h"

#define WAIT_MS   5000 /* a slow disk under the signer; the writer waits meanwhile */
#define ARENA_MAX (4u << 20)

struct signing {
    int fd; /* -1: no signer */
    uint32_t id;
    struct arena *arena;
    struct buf out, in;
    struct exchange_signer table;
};

static void
gone(struct signing *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

/* One question and its answer.  Whatever goes wrong between ends the connection. */
static int
ask(struct signing *s, const struct pledge_ask *q, struct pledge_reply *w, struct err *e)
{
    struct frame f;

    if (s->fd < 0)
        return err_set(e, ERR_BUSY, "there is no signer");
    buf_reset(&s->out);
    pledge_ask_encode(q, &s->out);
    if (s->out.failed)
        return err_set(e, ERR_INTERNAL, "what is to be signed has no such form");
    f = FRAME(NODE_F_SIGN, ++s->id, buf_view(&s->out));
    if (frame_write(s->fd, &f, e) || frame_read(s->fd, &s->in, &f, WAIT_MS, e) != 1 ||
        f.type != NODE_F_SIGNED || f.id != s->id || pledge_reply_decode(f.body, s->arena, w, e)) {
        gone(s);
        return err_set(e, ERR_BUSY, "the signer does not answer");
    }
    if (w->status != ERR_NONE) {
        (void)err_set(e, w->status, "the signer refuses");
        return err_place(e, "%.*s", (int)w->text.n, w->text.p);
    }
    return 0;
}

static int
heads(void *arg, struct exchange_head *list, size_t n, struct err *e)
{
    struct signing *s = arg;
    struct pledge_ask q = {.verb = PLEDGE_HEADS, .n = n};
    struct pledge_reply w;

    arena_reset(s->arena);
    q.heads = arena_zero(s->arena, n + 1, sizeof *q.heads);
    if (!q.heads)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        q.heads[i] = (struct pledge_head){.head = list[i].head, .proof = list[i].proof};
    if (ask(s, &q, &w, e))
        return -1;
    if (w.n != n)
        return err_set(e, ERR_PROTOCOL, "the signer has signed something else");
    for (size_t i = 0; i < n; i++)
        list[i].head.sig = w.sigs[i];
    return 0;
}

static int
receipts(void *arg, struct exchange_receipt *list, size_t n, struct err *e)
{
    struct signing *s = arg;
    struct pledge_ask q = {.verb = PLEDGE_RECEIPTS, .n = n};
    struct pledge_reply w;

    arena_reset(s->arena);
    q.receipts = arena_zero(s->arena, n + 1, sizeof *q.receipts);
    if (!q.receipts)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        q.receipts[i] = (struct pledge_receipt){.receipt = list[i].receipt, .proof = list[i].proof};
    if (ask(s, &q, &w, e))
        return -1;
    if (w.n != n)
        return err_set(e, ERR_PROTOCOL, "the signer has signed something else");
    for (size_t i = 0; i < n; i++)
        list[i].receipt.sig = w.sigs[i];
    return 0;
}

static int
erase(void *arg, struct erase_notice *n, struct err *e)
{
    struct signing *s = arg;
    struct pledge_ask q = {.verb = PLEDGE_ERASE, .erase = *n};
    struct pledge_reply w;

    arena_reset(s->arena);
    if (ask(s, &q, &w, e))
        return -1;
    if (w.n != 1)
        return err_set(e, ERR_PROTOCOL, "the signer has signed something else");
    n->sig = w.sigs[0];
    return 0;
}

static int
out(void *arg, struct out_notice *n, struct err *e)
{
    struct signing *s = arg;
    struct pledge_ask q = {.verb = PLEDGE_OUT, .out = *n};
    struct pledge_reply w;

    arena_reset(s->arena);
    if (ask(s, &q, &w, e))
        return -1;
    if (w.n != 1)
        return err_set(e, ERR_PROTOCOL, "the signer has signed something else");
    n->sig = w.sigs[0];
    return 0;
}

struct signing *
signing_new(void)
{
    struct signing *s = mem_zero(1, sizeof *s);

    if (!s || !(s->arena = arena_new(ARENA_MAX))) {
        mem_free(s);
        return NULL;
    }
    s->fd = -1;
    buf_init(&s->out, PLEDGE_MSG_MAX);
    buf_init(&s->in, PLEDGE_MSG_MAX);
    s->table = (struct exchange_signer){s, heads, receipts, erase, out};
    return s;
}

void
signing_free(struct signing *s)
{
    if (!s)
        return;
    gone(s);
    arena_free(s->arena);
    buf_clear(&s->out);
    buf_clear(&s->in);
    mem_free(s);
}

void
signing_link(struct signing *s, int fd)
{
    gone(s);
    s->fd = fd;
}

bool
signing_there(const struct signing *s)
{
    return s->fd >= 0;
}

const struct exchange_signer *
signing_table(const struct signing *s)
{
    return &s->table;
}

int
signing_key(struct signing *s, struct sign_public *out, struct err *e)
{
    const struct pledge_ask q = {.verb = PLEDGE_STATUS};
    struct pledge_reply w;

    arena_reset(s->arena);
    if (ask(s, &q, &w, e))
        return -1;
    *out = w.key;
    return 0;
}
