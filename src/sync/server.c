#include "server.h"

#include <string.h>

#include "mem.h"

#define OFFER_ARENA  (256u << 20) /* 65,536 items of some 300 bytes, and one region file */
#define ANSWER_ARENA (64u << 20)  /* entries with bodies up to the most, and one of the greatest */

struct past { /* an offer that was told */
    uint64_t cursor;
    struct sync_pair *pairs;
    size_t n;
};

struct peer {
    bool used;
    struct uuid who;
    uint64_t changes; /* of the replica, when the offer was made */
    uint64_t cursor;  /* of the offer: rises with each that differs */
    uint64_t asked;   /* for the one that goes */
    struct arena *a;  /* holds the offer */
    struct sync_offer offer;
    struct past past[SYNC_HISTORY];
};

struct sync_server {
    const struct replica *r;
    struct sync_epoch epoch;
    uint64_t clock;
    struct arena *a; /* of one answer */
    struct peer peers[SYNC_PEERS_MAX];
};

/* -- what is remembered -- */

static void
peer_clear(struct peer *p)
{
    arena_free(p->a);
    for (size_t i = 0; i < SYNC_HISTORY; i++)
        mem_free(p->past[i].pairs);
    memset(p, 0, sizeof *p);
}

struct sync_server *
sync_server_new(const struct replica *r, struct err *e)
{
    struct sync_server *s = mem_zero(1, sizeof *s);

    if (s == NULL || (s->a = arena_new(ANSWER_ARENA)) == NULL) {
        mem_free(s);
        err_set(e, ERR_MEMORY, "no memory to answer peers");
        return NULL;
    }
    s->r = r;
    r->epoch(r->ctx, &s->epoch);
    return s;
}

void
sync_server_free(struct sync_server *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++)
        peer_clear(&s->peers[i]);
    arena_free(s->a);
    mem_free(s);
}

static struct peer *
peer_of(struct sync_server *s, const struct uuid *who, struct err *e)
{
    struct peer *p = &s->peers[0];

    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct peer *x = &s->peers[i];

        if (x->used && memcmp(x->who.b, who->b, sizeof who->b) == 0) {
            x->asked = ++s->clock;
            return x;
        }
        if (p->used && (!x->used || x->asked < p->asked))
            p = x;
    }
    peer_clear(p);
    p->a = arena_new(OFFER_ARENA);
    if (p->a == NULL) {
        err_set(e, ERR_MEMORY, "no memory for an offer");
        return NULL;
    }
    p->used = true;
    p->who = *who;
    p->asked = ++s->clock;
    p->changes = UINT64_MAX;
    random_bytes(&p->cursor, 4); /* cursors of before a restart mean nothing, and say nothing */
    return p;
}

static int
remember(struct peer *p, struct err *e)
{
    struct past *old = &p->past[p->cursor % SYNC_HISTORY];
    struct sync_pair *pairs = mem_zero(p->offer.n + 1, sizeof *pairs);

    if (pairs == NULL)
        return err_set(e, ERR_MEMORY, "no memory for an offer");
    if (p->offer.n > 0)
        memcpy(pairs, p->offer.pairs, p->offer.n * sizeof *pairs);
    mem_free(old->pairs);
    *old = (struct past){p->cursor, pairs, p->offer.n};
    return 0;
}

/* The offer of now.  A cursor rises only where the offer differs: nothing else is told by it. */
static int
refresh(struct sync_server *s, struct peer *p, struct err *e)
{
    const uint64_t changes = s->r->changes(s->r->ctx);
    struct hash before = p->offer.digest;
    const bool first = p->changes == UINT64_MAX;

    if (p->changes == changes)
        return 0;
    p->changes = UINT64_MAX;
    arena_reset(p->a);
    if (sync_offer_make(s->r, &p->who, p->a, &p->offer, e) != 0) {
        p->offer = (struct sync_offer){0};
        return -1;
    }
    if (first || !hash_eq(&before, &p->offer.digest)) {
        p->cursor++;
        if (remember(p, e) != 0)
            return -1;
    }
    p->changes = changes;
    return 0;
}

/* -- HELLO, ITEMS -- */

/* What is in the offer and not, or otherwise, in the past one; and the other way round. */
static int
differ(struct sync_server *s, const struct peer *p, const struct past *old, struct sync_answer *w,
       struct err *e)
{
    struct sync_item *items = arena_zero(s->a, p->offer.n + 1, sizeof *items);
    struct sync_key *gone = arena_zero(s->a, old->n + 1, sizeof *gone);
    size_t i = 0, k = 0;

    if (items == NULL || gone == NULL)
        return err_set(e, ERR_MEMORY, "no memory for an answer");
    while (i < p->offer.n || k < old->n) {
        const int c = i == p->offer.n ? 1
                      : k == old->n   ? -1
                                      : sync_key_cmp(&p->offer.pairs[i].key, &old->pairs[k].key);

        if (c > 0) {
            gone[w->gone_n++] = old->pairs[k++].key;
            continue;
        }
        if (c < 0 ||
            memcmp(p->offer.pairs[i].print.b, old->pairs[k].print.b, SYNC_PRINT_BYTES) != 0)
            items[w->item_n++] = p->offer.items[i];
        i++;
        k += c == 0;
    }
    w->verb = SYNC_DELTA;
    w->items = items;
    w->gone = gone;
    return 0;
}

static int
hello(struct sync_server *s, const struct peer *p, const struct sync_ask *q, struct sync_answer *w,
      struct err *e)
{
    const struct past *old = &p->past[q->cursor % SYNC_HISTORY];

    w->epoch = s->epoch;
    w->cursor = p->cursor;
    w->digest = p->offer.digest;
    if (hash_eq(&q->digest, &p->offer.digest)) {
        w->verb = SYNC_SAME;
        return 0;
    }
    if (memcmp(q->epoch.b, s->epoch.b, sizeof s->epoch.b) == 0 && old->pairs != NULL &&
        old->cursor == q->cursor && q->cursor != p->cursor) {
        struct hash then;

        /* Only from just that offer on: a mirror that differs from it needs the whole. */
        sync_digest(old->pairs, old->n, &then);
        if (hash_eq(&q->digest, &then))
            return differ(s, p, old, w, e);
    }
    w->verb = SYNC_PRINTS;
    w->prints = p->offer.pairs;
    w->print_n = p->offer.n;
    return 0;
}

static const struct sync_item *
item_of(const struct sync_offer *o, const struct sync_key *key)
{
    size_t lo = 0, hi = o->n;

    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const int c = sync_key_cmp(&o->pairs[mid].key, key);

        if (c == 0)
            return &o->items[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static int
items_asked(struct sync_server *s, const struct peer *p, const struct sync_ask *q,
            struct sync_answer *w, struct err *e)
{
    struct sync_item *items = arena_zero(s->a, q->key_n + 1, sizeof *items);
    struct sync_key *gone = arena_zero(s->a, q->key_n + 1, sizeof *gone);

    if (items == NULL || gone == NULL)
        return err_set(e, ERR_MEMORY, "no memory for an answer");
    for (size_t i = 0; i < q->key_n; i++) {
        const struct sync_item *it = item_of(&p->offer, &q->keys[i]);

        if (it != NULL)
            items[w->item_n++] = *it;
        else
            gone[w->gone_n++] = q->keys[i];
    }
    w->verb = SYNC_DELTA;
    w->asked = true;
    w->epoch = s->epoch;
    w->cursor = p->cursor;
    w->digest = p->offer.digest;
    w->items = items;
    w->gone = gone;
    return 0;
}

/* -- TAIL, BODIES -- */

/* 1: the peer may be shown it. */
static int
stream_for(struct sync_server *s, const struct uuid *peer, const struct hash *id,
           struct sync_stream *out, uint64_t *upto, struct err *e)
{
    int rc = s->r->recovering(s->r->ctx) ? 0 : s->r->stream(s->r->ctx, id, s->a, out, e);

    return rc <= 0 ? rc : sync_may_show(s->r, peer, out, upto, e);
}

static uint32_t
bytes_of(const struct sync_ask *q)
{
    return q->max_bytes < SYNC_BYTES_LEAST  ? SYNC_BYTES_LEAST
           : q->max_bytes > SYNC_BYTES_MOST ? SYNC_BYTES_MOST
                                            : q->max_bytes;
}

static int
read_page(struct sync_server *s, const struct sync_ask *q, uint64_t upto, struct sync_answer *w,
          struct err *e)
{
    struct sync_entry *list = arena_zero(s->a, SYNC_ENTRIES_MAX, sizeof *list);
    size_t bytes = 0;

    if (list == NULL)
        return err_set(e, ERR_MEMORY, "no memory for an answer");
    while (w->entry_n < SYNC_ENTRIES_MAX && q->from + w->entry_n < upto) {
        struct sync_entry *en = &list[w->entry_n];
        int rc =
            s->r->entry(s->r->ctx, &q->stream, q->from + w->entry_n, q->with_bodies, s->a, en, e);

        if (rc <= 0)
            return rc < 0 ? -1 : err_set(e, ERR_CORRUPT, "an entry of a stream is not there");
        bytes += sync_entry_size(en);
        if (w->entry_n > 0 && bytes > bytes_of(q))
            break;
        w->entry_n++;
    }
    w->entries = list;
    return 0;
}

static struct span
head_bytes(const struct head *h, struct arena *a)
{
    struct buf b;
    struct span out;

    buf_init(&b, SYNC_HEAD_MAX);
    out = head_encode(h, &b, NULL) != 0 ? (struct span){0} : arena_span(a, buf_view(&b));
    buf_clear(&b);
    return out;
}

static int
tail(struct sync_server *s, const struct uuid *peer, const struct sync_ask *q,
     struct sync_answer *w, struct err *e)
{
    struct merkle_source src;
    struct sync_stream st;
    uint64_t upto;
    int rc = stream_for(s, peer, &q->stream, &st, &upto, e);

    if (rc <= 0 || q->from > upto)
        return rc < 0 ? -1 : 0;
    if (q->upto < upto)
        upto = q->upto;
    w->stream = q->stream;
    w->from = q->from;
    w->have = st.have;
    w->have_root = st.root;
    w->links = st.links;
    w->link_n = st.link_n;
    w->head = head_bytes(&st.head, s->a);
    if (w->head.p == NULL)
        return err_set(e, ERR_MEMORY, "no memory for an answer");
    if (s->r->leaves(s->r->ctx, &q->stream, &src, e) != 0 ||
        merkle_root(&src, q->from, &w->from_root, e) != 0 ||
        merkle_consistency(&src, q->from, st.have, &w->from_have, e) != 0 ||
        read_page(s, q, upto, w, e) != 0 ||
        merkle_consistency(&src, q->from + w->entry_n, st.have, &w->page_have, e) != 0)
        return -1;
    w->verb = SYNC_TAIL;
    return 0;
}

static int
bodies(struct sync_server *s, const struct uuid *peer, const struct sync_ask *q,
       struct sync_answer *w, struct err *e)
{
    struct sync_body *list = arena_zero(s->a, q->index_n + 1, sizeof *list);
    struct sync_stream st;
    uint64_t upto;
    size_t bytes = 0;
    int rc;

    if (list == NULL)
        return err_set(e, ERR_MEMORY, "no memory for an answer");
    rc = stream_for(s, peer, &q->stream, &st, &upto, e);
    if (rc <= 0)
        return rc;
    for (size_t i = 0; i < q->index_n; i++) {
        struct sync_body *b = &list[w->body_n];
        struct sync_entry en = {0};

        rc = q->indices[i] < upto
                 ? s->r->entry(s->r->ctx, &q->stream, q->indices[i], true, s->a, &en, e)
                 : 0;
        if (rc < 0)
            return -1;
        *b = (struct sync_body){.index = q->indices[i], .gone = rc == 0 || !en.has_body};
        if (!b->gone)
            b->bytes = en.body;
        bytes += 16 + b->bytes.n;
        if (w->body_n > 0 && bytes > bytes_of(q))
            break;
        w->body_n++;
    }
    w->verb = SYNC_BODIES;
    w->stream = q->stream;
    w->bodies = list;
    return 0;
}

int
sync_server_answer(struct sync_server *s, const struct uuid *peer, const struct sync_ask *q,
                   struct buf *out, struct err *e)
{
    struct sync_answer w = {.verb = SYNC_NO};
    struct peer *p;
    int rc = 0;

    arena_reset(s->a);
    w.recovering = s->r->recovering(s->r->ctx);
    if (s->r->in_region(s->r->ctx, peer)) {
        p = peer_of(s, peer, e);
        if (p == NULL || refresh(s, p, e) != 0)
            return -1;
        switch (q->verb) {
        case SYNC_ASK_HELLO:
            rc = hello(s, p, q, &w, e);
            break;
        case SYNC_ASK_ITEMS:
            rc = items_asked(s, p, q, &w, e);
            break;
        case SYNC_ASK_TAIL:
            rc = tail(s, peer, q, &w, e);
            break;
        case SYNC_ASK_BODIES:
            rc = bodies(s, peer, q, &w, e);
            break;
        }
    }
    if (rc != 0)
        return -1;
    sync_answer_encode(&w, out);
    return out->failed ? err_set(e, ERR_LIMIT, "an answer longer than any may be") : 0;
}
