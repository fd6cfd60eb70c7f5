#include "round_inner.h"

#include <string.h>

#include "mem.h"

#define LIST_ARENA (64u << 20) /* prints of the largest offer, and what a peer offers */
#define WORK_ARENA (64u << 20) /* of one answer */

/* -- life -- */

struct sync_round *
sync_round_new(const struct replica *r, const struct uuid *peer, struct err *e)
{
    struct sync_round *s = mem_zero(1, sizeof *s);

    if (s != NULL) {
        s->list = arena_new(LIST_ARENA);
        s->work = arena_new(WORK_ARENA);
    }
    if (s == NULL || s->list == NULL || s->work == NULL) {
        sync_round_free(s);
        err_set(e, ERR_MEMORY, "no memory for a round");
        return NULL;
    }
    s->r = r;
    s->peer = *peer;
    s->upto = UINT64_MAX;
    return s;
}

void
sync_round_free(struct sync_round *s)
{
    if (s == NULL)
        return;
    mem_free(s->offered);
    arena_free(s->list);
    arena_free(s->work);
    mem_free(s);
}

const struct sync_counts *
sync_round_counts(const struct sync_round *s)
{
    return &s->counts;
}

enum sync_phase
sync_round_phase(const struct sync_round *s)
{
    return s->phase;
}

uint32_t
round_page_bytes(const struct sync_round *s)
{
    return s->r->page_bytes != 0 ? s->r->page_bytes : SYNC_PAGE;
}

/* The peer is at fault: for people, and the round is over. */
int
round_lie(struct sync_round *s, const char *why, struct err *e)
{
    s->phase = SYNC_PHASE_DONE;
    s->r->undo(s->r->ctx);
    if (s->r->begin(s->r->ctx, e) != 0 ||
        s->r->accuse(s->r->ctx, &s->peer, why, (struct span){0}, e) != 0 ||
        s->r->commit(s->r->ctx, e) != 0)
        return -1;
    return err_set(e, ERR_PROTOCOL, why);
}

int
round_failed(struct sync_round *s)
{
    s->phase = SYNC_PHASE_DONE;
    s->r->undo(s->r->ctx);
    return -1;
}

/* -- the machine -- */

int
sync_round_ask(struct sync_round *s, struct sync_ask *q, struct err *e)
{
    int rc = 0;

    arena_reset(s->work);
    if (s->phase == SYNC_PHASE_HELLO)
        rc = round_ask_hello(s, e);
    else if (s->phase == SYNC_PHASE_ITEMS)
        rc = round_ask_items(s);
    else if (s->phase == SYNC_PHASE_FORK)
        rc = round_ask_fork(s, e);
    if (s->phase == SYNC_PHASE_TAILS && (rc = round_ask_tail(s, e)) == 0) {
        s->phase = SYNC_PHASE_BODIES;
        s->at = 0;
    }
    if (s->phase == SYNC_PHASE_BODIES && (rc = round_ask_bodies(s, e)) == 0)
        s->phase = SYNC_PHASE_DONE;
    if (rc < 0)
        s->phase = SYNC_PHASE_DONE;
    if (rc == 1) {
        s->counts.questions++;
        *q = s->q;
    }
    return rc;
}

int
sync_round_take(struct sync_round *s, const struct sync_answer *w, struct err *e)
{
    struct err own = ERR_INIT;

    if (e == NULL)
        e = &own;
    switch (s->phase) {
    case SYNC_PHASE_HELLO:
        return round_take_hello(s, w, e);
    case SYNC_PHASE_ITEMS:
        return round_take_asked_items(s, w, e);
    case SYNC_PHASE_TAILS:
        return round_take_tail(s, w, e);
    case SYNC_PHASE_FORK:
        return round_take_fork_answer(s, w, e);
    case SYNC_PHASE_BODIES:
        return round_take_bodies(s, w, e);
    case SYNC_PHASE_DONE:
        break;
    }
    return err_set(e, ERR_PROTOCOL, "an answer to no question");
}
