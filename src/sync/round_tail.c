/* sync/round_tail.c - entries and bodies of what a peer offers. */
#include "parts.h"
#include "round_inner.h"

#define OWED_MAX 1000u /* bodies asked for at once */

/* -- tails -- */

struct overlay { /* the leaves held, and those of a page behind them */
    struct merkle_source held;
    uint64_t from;
    const struct sync_entry *entries;
};

static int
overlay_leaf(void *arg, uint64_t i, struct hash *out, struct err *e)
{
    struct overlay *o = arg;

    if (i < o->from)
        return o->held.leaf(o->held.arg, i, out, e);
    entry_leaf(&o->entries[i - o->from].d, out);
    return 0;
}

static int
overlay_node(void *arg, unsigned level, uint64_t index, struct hash *out, struct err *e)
{
    struct overlay *o = arg;

    if (o->held.node == NULL || index >= (o->from >> level))
        return 0;
    return o->held.node(o->held.arg, level, index, out, e);
}

/* A stream that is not held yet is an empty one. */
int
round_held(struct sync_round *s, const struct sync_offered *o, struct sync_stream *out,
           struct err *e)
{
    int rc = s->r->stream(s->r->ctx, &o->stream, s->work, out, e);

    if (rc != 0)
        return rc;
    *out = (struct sync_stream){.id = o->stream, .name = o->name};
    hash_sha256((struct span){0}, &out->root);
    return 0;
}

static uint64_t
limit_of(const struct sync_stream *mine)
{
    return mine->frozen ? mine->frozen_at : UINT64_MAX;
}

/* 1: the next question; 0: no stream is left. */
int
round_ask_tail(struct sync_round *s, struct err *e)
{
    for (; s->at < s->n; s->at++, s->upto = UINT64_MAX) {
        const struct sync_offered *o = &s->offered[s->at];
        struct sync_stream mine;
        int rc;

        arena_reset(s->work);
        if (o->refused || round_held(s, o, &mine, e) < 0) {
            if (o->refused)
                continue;
            return -1;
        }
        if (o->have <= mine.have || mine.have >= limit_of(&mine) || mine.have >= s->upto)
            continue;
        rc = sync_may_pull(s->r, &s->peer, &o->name, e);
        if (rc < 0)
            return -1;
        if (rc == 0)
            continue;
        s->q = (struct sync_ask){.verb = SYNC_ASK_TAIL,
                                 .stream = o->stream,
                                 .from = mine.have,
                                 .upto = s->upto < limit_of(&mine) ? s->upto : limit_of(&mine),
                                 .with_bodies = true,
                                 .max_bytes = round_page_bytes(s)};
        return 1;
    }
    return 0;
}

/* Head, chain and roots of an answer are true of themselves.  1: they are, in *head; 0: a lie. */
int
round_tail_true(struct sync_round *s, const struct sync_offered *o, const struct sync_answer *w,
                struct head *head, const char **why, struct err *e)
{
    struct sign_public key;
    int rc;

    *why = "a head that its publisher has not signed";
    if (head_decode(w->head, head, NULL) != 0 || !hash_eq(&head->stream, &o->stream))
        return 0;
    rc = s->r->key_of(s->r->ctx, &o->name.publisher, &key, e);
    if (rc < 0)
        return -1;
    if (rc == 0 || !head_ok(head, &o->name.publisher, &key))
        return 0;
    *why = "a proof that leads elsewhere";
    return merkle_consistency_ok(&w->from_have, w->from, &w->from_root, w->have, &w->have_root) &&
           links_lead(w->links, w->link_n, w->have, &w->have_root, head);
}

/* Entries of a page that may be taken, from the first on; the rest are the publisher's fault, or
 * of a time when this node was out.  -1 with ERR_PROTOCOL: one cannot be read. */
static int
page_taken(struct sync_round *s, const struct sync_offered *o, const struct sync_answer *w,
           size_t *n, struct err *e)
{
    for (*n = 0; *n < w->entry_n; (*n)++) {
        const struct sync_entry *en = &w->entries[*n];
        struct entry header;
        struct hash hash;
        int rc;

        if (en->bare)
            continue;
        if (entry_decode(en->header, &header, NULL) != 0 ||
            (header.kind == ENTRY_ERASE && header.target >= w->from + *n))
            return 0; /* its publisher has signed what means nothing */
        if (en->has_body) {
            hash_sha256(en->body, &hash);
            if (header.kind != ENTRY_PUT || header.size != en->body.n ||
                !hash_eq(&hash, &header.bytes))
                return err_set(e, ERR_PROTOCOL, "a body that its entry does not name");
        }
        rc = sync_may_take(s->r, &o->name, &header, e);
        if (rc <= 0)
            return rc;
    }
    return 0;
}

/* How what is held afterwards is proven in the head. */
static int
links_after(struct sync_round *s, const struct sync_answer *w, struct sync_stream *out,
            struct err *e)
{
    const bool whole = out->have == w->have;
    struct sync_link *links = arena_zero(s->work, w->link_n + 2, sizeof *links);

    if (links == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a round");
    if (!whole)
        links[out->link_n++] =
            (struct sync_link){.size = w->have, .root = w->have_root, .proof = w->page_have};
    for (size_t i = 0; i < w->link_n; i++)
        links[out->link_n++] = w->links[i];
    out->links = links;
    return 0;
}

/* 1: the entries are what the head signs, in *next; 0: they are not. */
static int
page_proven(struct sync_round *s, const struct sync_offered *o, const struct sync_answer *w,
            const struct head *head, struct sync_stream *next, struct err *e)
{
    struct overlay over = {.from = w->from, .entries = w->entries};
    struct merkle_source src = {&over, overlay_leaf, overlay_node};

    *next = (struct sync_stream){.id = o->stream, .name = o->name, .head = *head};
    next->have = w->from + w->entry_n;
    if ((w->from > 0 && s->r->leaves(s->r->ctx, &o->stream, &over.held, e) != 0) ||
        merkle_root(&src, next->have, &next->root, e) != 0)
        return -1;
    return merkle_consistency_ok(&w->page_have, next->have, &next->root, w->have, &w->have_root);
}

static int
take_page(struct sync_round *s, const struct sync_answer *w, struct sync_stream *next,
          struct err *e)
{
    if (links_after(s, w, next, e) != 0)
        return round_failed(s);
    if (next->link_n > SYNC_LINKS_MAX) { /* from somebody else, or later */
        s->at++;
        return 0;
    }
    if (s->r->begin(s->r->ctx, e) != 0 ||
        s->r->take_page(s->r->ctx, next, w->entries, w->entry_n, e) != 0 ||
        s->r->commit(s->r->ctx, e) != 0)
        return round_failed(s);
    s->counts.entries += w->entry_n;
    return 0;
}

static int
refuse_next(struct sync_round *s, const struct sync_offered *o, struct err *e)
{
    s->counts.refused++;
    if (s->r->begin(s->r->ctx, e) != 0 ||
        s->r->take_refused(s->r->ctx, &s->peer, &o->stream, e) != 0 ||
        s->r->commit(s->r->ctx, e) != 0)
        return round_failed(s);
    s->at++;
    s->upto = UINT64_MAX;
    return 0;
}

int
round_begin_fork(struct sync_round *s, const struct sync_offered *o, uint64_t at)
{
    s->fork = (struct fork){.with = *o, .hi = at};
    s->phase = SYNC_PHASE_FORK;
    return 0;
}

int
round_take_tail(struct sync_round *s, const struct sync_answer *w, struct err *e)
{
    const struct sync_offered *o = &s->offered[s->at];
    struct sync_stream mine, next;
    struct head head;
    const char *why;
    size_t n;
    int rc;

    if (w->verb == SYNC_NO) {
        s->at++;
        return 0;
    }
    if (w->verb != SYNC_TAIL || !hash_eq(&w->stream, &o->stream) || w->from != s->q.from ||
        w->entry_n > s->q.upto - s->q.from)
        return round_lie(s, "an answer to another question", e);
    rc = round_tail_true(s, o, w, &head, &why, e);
    if (rc <= 0)
        return rc < 0 ? round_failed(s) : round_lie(s, why, e);
    if (round_held(s, o, &mine, e) < 0)
        return round_failed(s);
    if (!hash_eq(&mine.root, &w->from_root))
        return round_begin_fork(s, o, w->from);
    rc = page_proven(s, o, w, &head, &next, e);
    if (rc <= 0) /* before anything is believed of what the entries say */
        return rc < 0 ? round_failed(s) : round_lie(s, "entries that are not in the tree", e);
    if (page_taken(s, o, w, &n, e) != 0)
        return e != NULL && e->code == ERR_PROTOCOL ? round_lie(s, e->text, e) : round_failed(s);
    if (w->entry_n == 0) {
        s->at++;
        return 0;
    }
    if (n == 0)
        return refuse_next(s, o, e);
    if (n < w->entry_n) { /* once more, up to there: a page is proven as a whole */
        s->upto = w->from + n;
        return 0;
    }
    return take_page(s, w, &next, e);
}

/* -- bodies -- */

int
round_ask_bodies(struct sync_round *s, struct err *e)
{
    for (; s->at < s->n; s->at++) {
        const struct sync_offered *o = &s->offered[s->at];
        struct sync_stream mine;
        uint64_t *list;
        size_t n;
        int rc;

        arena_reset(s->work);
        if (o->settled == o->asked)
            continue;
        rc = sync_may_pull(s->r, &s->peer, &o->name, e);
        if (rc < 0 || s->r->owed(s->r->ctx, &o->stream, OWED_MAX, s->work, &list, &n, e) != 0)
            return -1;
        if (rc == 0 || n == 0 || round_held(s, o, &mine, e) < 1)
            continue;
        /* Beyond a fork each side has bodies of its own, which nobody asks for. */
        while (n > 0 && list[n - 1] >= limit_of(&mine))
            n--;
        if (n == 0)
            continue;
        s->q = (struct sync_ask){.verb = SYNC_ASK_BODIES,
                                 .stream = o->stream,
                                 .indices = list,
                                 .index_n = n,
                                 .max_bytes = round_page_bytes(s)};
        return 1;
    }
    return 0;
}

int
round_take_bodies(struct sync_round *s, const struct sync_answer *w, struct err *e)
{
    struct sync_offered *o = &s->offered[s->at];
    size_t got = 0;
    int rc;

    if (w->verb == SYNC_NO) {
        s->at++;
        return 0;
    }
    if (w->verb != SYNC_BODIES || !hash_eq(&w->stream, &o->stream) || w->body_n == 0 ||
        w->body_n > s->q.index_n)
        return round_lie(s, "an answer to another question", e);
    if (s->r->begin(s->r->ctx, e) != 0)
        return round_failed(s);
    for (size_t i = 0; i < w->body_n; i++) {
        if (w->bodies[i].index != s->q.indices[i])
            return round_lie(s, "a body that was not asked for", e);
        if (w->bodies[i].gone)
            continue;
        rc = s->r->take_body(s->r->ctx, &o->stream, w->bodies[i].index, w->bodies[i].bytes, e);
        if (rc < 0)
            return round_failed(s);
        if (rc == 0)
            return round_lie(s, "a body that its entry does not name", e);
        got++;
    }
    s->counts.bodies += got;
    /* All were answered, or nothing came: this peer has no more of it until it says so. */
    if (w->body_n == s->q.index_n || got == 0) {
        if (s->q.index_n < OWED_MAX || got == 0) {
            if (s->r->take_asked(s->r->ctx, &s->peer, &o->stream, o->settled, e) != 0)
                return round_failed(s);
            s->at++;
        }
    }
    return s->r->commit(s->r->ctx, e) == 0 ? 0 : round_failed(s);
}
