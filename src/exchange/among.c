/* exchange/among.c - rounds with peers. */
#include "among.h"

#include <string.h>

#include "batch.h"
#include "intake_msg.h"
#include "mem.h"
#include "peers.h"
#include "server.h"

#define ANSWER_ARENA (64u << 20) /* what one answer and the readings of its bodies take */

/* -- answering -----------------------------------------------------------------------------------
 */

/* What the peer was told to be out of comes along: a reader cannot keep it, and its next round with
 * the owner, or the owner's own, tells it too. */
static void
take_outs(struct peers *p, const struct uuid *peer, const struct sync_ask *q)
{
    struct err e = ERR_INIT;

    if (!p->x->writer || q->verb != SYNC_ASK_HELLO || q->out_n == 0 || p->table.begin(p, &e) != 0)
        return;
    for (size_t i = 0; i < q->out_n; i++)
        if (p->table.take_control(p, SYNC_OUT, peer, q->outs[i], &e) < 0)
            e = (struct err)ERR_INIT; /* one that is none says nothing of the others */
    if (p->table.commit(p, &e) != 0)
        p->table.undo(p);
}

int
exchange_answer(struct exchange *x, const struct uuid *peer, const struct sync_ask *q,
                struct buf *out, struct err *e)
{
    struct peers *p = peers_of(x, e);
    int rc;

    if (p == NULL)
        return -1;
    if (x->server == NULL && (x->server = sync_server_new(&p->table, e)) == NULL)
        return -1;
    peers_rest(p);
    take_outs(p, peer, q);
    if (commit_flush(x, e) != 0 || store_begin(x->store, e) != 0)
        return -1;
    rc = cast_refresh(x, e) != 0 ? -1 : sync_server_answer(x->server, peer, q, out, e);
    if (store_open_transaction(x->store))
        store_abort(x->store);
    return rc;
}

/* -- asking --------------------------------------------------------------------------------------
 */

struct exchange_round {
    struct exchange *x;
    struct peers *p;
    struct sync_round *round;
    struct arena *a;
};

struct exchange_round *
exchange_round_new(struct exchange *x, const struct uuid *peer, struct err *e)
{
    struct exchange_round *r = mem_zero(1, sizeof *r);

    if (r != NULL) {
        r->x = x;
        r->p = peers_of(x, e);
        r->a = arena_new(ANSWER_ARENA);
        if (r->p != NULL && r->a != NULL)
            r->round = sync_round_new(&r->p->table, peer, e);
    }
    if (r == NULL || r->round == NULL) {
        exchange_round_free(r);
        err_set(e, ERR_MEMORY, "no memory for a round");
        return NULL;
    }
    return r;
}

void
exchange_round_free(struct exchange_round *r)
{
    if (r == NULL)
        return;
    sync_round_free(r->round);
    arena_free(r->a);
    mem_free(r);
}

/* What is only looked at is not written. */
static void
look_end(struct exchange *x)
{
    if (store_open_transaction(x->store))
        commit_look(x);
}

static int
look_begin(struct exchange *x, struct err *e)
{
    return commit_flush(x, e) != 0 || commit_begin(x, e) != 0 ? -1 : 0;
}

int
exchange_round_ask(struct exchange_round *r, struct buf *out, struct err *e)
{
    struct sync_ask q;
    int rc;

    peers_rest(r->p);
    if (look_begin(r->x, e) != 0)
        return -1;
    rc = sync_round_ask(r->round, &q, e);
    if (rc == 1)
        sync_ask_encode(&q, out);
    look_end(r->x);
    return rc == 1 && out->failed ? err_set(e, ERR_LIMIT, "a question is too long") : rc;
}

static int
read_bodies(struct exchange_round *r, const struct span *bodies, size_t n, struct err *e)
{
    struct intake_result *list = arena_zero(r->a, n + 1, sizeof *list);

    if (list == NULL)
        return err_set(e, ERR_MEMORY, "no memory for an answer");
    for (size_t i = 0; i < n; i++)
        if (intake_decode(bodies[i], r->a, &list[i], e) != 0)
            return -1;
    r->p->bodies = list;
    r->p->body_n = n;
    r->p->body_at = 0;
    return 0;
}

int
exchange_round_take(struct exchange_round *r, struct span answer, const struct span *bodies,
                    size_t body_n, struct err *e)
{
    struct sync_answer w;
    int rc = -1;

    arena_reset(r->a);
    peers_rest(r->p);
    if (sync_answer_decode(answer, r->a, &w, e) == 0 && read_bodies(r, bodies, body_n, e) == 0 &&
        look_begin(r->x, e) == 0)
        rc = sync_round_take(r->round, &w, e);
    look_end(r->x);
    r->p->bodies = NULL;
    r->p->body_n = 0;
    return rc;
}

const struct sync_counts *
exchange_round_counts(const struct exchange_round *r)
{
    return sync_round_counts(r->round);
}

/* -- the region ----------------------------------------------------------------------------------
 */

static int
settle(struct exchange *x, int rc, struct err *e)
{
    if (rc == 0)
        rc = members_apply(x, e);
    if (rc == 0)
        return commit_flush(x, e);
    commit_drop(x, e);
    members_forget(x);
    return -1;
}

int
exchange_found(struct exchange *x, const struct region_signed *list, size_t n, struct err *e)
{
    if (look_begin(x, e) != 0)
        return -1;
    return settle(x, members_found(x, list, n, e), e);
}

int
exchange_say_circle(struct exchange *x, const struct circle_signed *s, struct err *e)
{
    if (look_begin(x, e) != 0)
        return -1;
    return settle(x, members_say_circle(x, s, e), e);
}
