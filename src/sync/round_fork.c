/* sync/round_fork.c - two histories of one stream: what they share, and the evidence. */
#include "round_inner.h"

/* -- forks -- */

int
round_ask_fork(struct sync_round *s, struct err *e)
{
    struct fork *f = &s->fork;
    uint64_t at = f->known ? f->lo + (f->hi - f->lo) / 2 : f->hi;

    (void)e;
    if (f->known && f->with.have < f->hi - 1 && f->lo < f->with.have)
        at = f->with.have < at ? f->with.have : at; /* they hold no more to be asked about */
    s->q = (struct sync_ask){
        .verb = SYNC_ASK_TAIL, .stream = f->with.stream, .from = at, .upto = at, .max_bytes = 0};
    return 1;
}

/* What this node holds, at a size. */
static int
round_own_side(struct sync_round *s, uint64_t size, struct sync_side *out, struct err *e)
{
    struct merkle_source src;
    struct sync_stream mine;
    struct sync_link *links;

    if (round_held(s, &s->fork.with, &mine, e) < 0)
        return -1;
    links = arena_zero(s->work, mine.link_n + 1, sizeof *links);
    if (links == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a round");
    *out = (struct sync_side){.head = mine.head, .links = links};
    if (s->r->leaves(s->r->ctx, &mine.id, &src, e) != 0 ||
        merkle_root(&src, size, &out->root, e) != 0)
        return -1;
    if (size < mine.have) {
        links[0] = (struct sync_link){.size = mine.have, .root = mine.root};
        if (merkle_consistency(&src, size, mine.have, &links[0].proof, e) != 0)
            return -1;
        out->link_n = 1;
    }
    for (size_t i = 0; i < mine.link_n; i++)
        links[out->link_n++] = mine.links[i];
    return 0;
}

static int
end_fork(struct sync_round *s, struct err *e)
{
    struct fork *f = &s->fork;
    struct sync_evidence ev = {.name = f->with.name, .size = f->hi, .common = f->lo};
    struct buf b;
    int rc = -1;

    ev.side[1] = f->theirs;
    buf_init(&b, SYNC_ITEM_MAX);
    if (round_own_side(s, f->hi, &ev.side[0], e) != 0)
        goto out;
    sync_evidence_encode(&ev, &b);
    if (b.failed) {
        err_set(e, ERR_MEMORY, "no memory for evidence");
        goto out;
    }
    if (s->r->begin(s->r->ctx, e) == 0 &&
        s->r->take_fork(s->r->ctx, &f->with.name, f->lo, buf_view(&b), e) == 0 &&
        s->r->commit(s->r->ctx, e) == 0)
        rc = 0;
out:
    buf_clear(&b);
    if (rc != 0)
        return round_failed(s);
    s->counts.forks++;
    s->fork = (struct fork){0};
    return round_begin_tails(s, e);
}

/* Keeps their side at a size, for the evidence: its lists outlive this answer. */
static int
keep_side(struct sync_round *s, const struct sync_answer *w, const struct head *head, struct err *e)
{
    struct sync_link *links = arena_zero(s->list, w->link_n + 2, sizeof *links);
    struct sync_side *side = &s->fork.theirs;

    if (links == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a round");
    *side = (struct sync_side){.head = *head, .root = w->from_root, .links = links};
    if (w->from < w->have)
        links[side->link_n++] =
            (struct sync_link){.size = w->have, .root = w->have_root, .proof = w->from_have};
    for (size_t i = 0; i < w->link_n; i++)
        links[side->link_n++] = w->links[i];
    s->fork.known = true;
    return 0;
}

int
round_take_fork_answer(struct sync_round *s, const struct sync_answer *w, struct err *e)
{
    struct fork *f = &s->fork;
    struct sync_side mine;
    struct head head;
    const char *why;
    int rc;

    if (w->verb == SYNC_NO) {
        /* It shows no more of it.  What is proven already stands; else the next round looks. */
        if (f->known && f->lo + 1 >= f->hi)
            return end_fork(s, e);
        s->fork = (struct fork){0};
        s->phase = SYNC_PHASE_DONE;
        return 0;
    }
    if (w->verb != SYNC_TAIL || !hash_eq(&w->stream, &f->with.stream) || w->from != s->q.from)
        return round_lie(s, "an answer to another question", e);
    rc = round_tail_true(s, &f->with, w, &head, &why, e);
    if (rc <= 0)
        return rc < 0 ? round_failed(s) : round_lie(s, why, e);
    if (round_own_side(s, w->from, &mine, e) != 0)
        return round_failed(s);
    if (hash_eq(&mine.root, &w->from_root)) {
        f->lo = w->from;
        if (!f->known) /* the peer has changed its mind: another round will see */
            return round_begin_tails(s, e);
    } else {
        f->hi = w->from;
        if (keep_side(s, w, &head, e) != 0)
            return round_failed(s);
    }
    /* Where they hold no more, what lies between is not known: both share at least lo. */
    if (f->lo + 1 >= f->hi || (f->lo >= w->have && f->known))
        return end_fork(s, e);
    return 0;
}
