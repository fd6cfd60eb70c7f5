#include "offer.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "parts.h"

#define ITEM_FORMAT 1u

/* -- the head of a stream as an item -- */

void
sync_head_item_encode(const struct sync_head_item *h, struct buf *out)
{
    buf_u8(out, ITEM_FORMAT);
    name_encode(&h->name, out);
    (void)head_encode(&h->head, out, NULL); /* out fails with it */
    buf_u64(out, h->have);
    buf_u64(out, h->settled);
}

int
sync_head_item_decode(struct span content, struct sync_head_item *out, struct err *e)
{
    struct sync_head_item h = {0};
    struct reader r = reader_of(content);

    if (reader_u8(&r) != ITEM_FORMAT)
        return err_set(e, ERR_PROTOCOL, "a head of an unknown form");
    name_decode(&r, &h.name);
    if (head_decode(reader_bytes(&r, HEAD_BYTES), &h.head, NULL) != 0)
        r.failed = true;
    h.have = reader_u64(&r);
    h.settled = reader_u64(&r);
    if (h.have > h.head.size || h.settled > h.have)
        r.failed = true;
    if (reader_end(&r, e) != 0)
        return -1;
    *out = h;
    return 0;
}

int
sync_frozen_decode(struct span content, struct sync_head_item *out, struct span *evidence,
                   struct err *e)
{
    struct reader r = reader_of(content);
    struct span item = reader_field(&r, SYNC_ITEM_MAX);

    *evidence = reader_field(&r, SYNC_ITEM_MAX);
    return reader_end(&r, e) != 0 ? -1 : sync_head_item_decode(item, out, e);
}

bool
sync_head_item_named(const struct sync_head_item *h)
{
    struct hash id;

    return stream_id(&h->name, &id, NULL) == 0 && hash_eq(&id, &h->head.stream);
}

/* -- who may -- */

int
sync_may_show(const struct replica *r, const struct uuid *peer, const struct sync_stream *s,
              uint64_t *upto, struct err *e)
{
    struct member_standing you, me;
    uint64_t final;
    int rc;

    *upto = s->have;
    if (s->name.label >= LABEL_RED || !r->in_region(r->ctx, peer))
        return 0;
    rc = r->standing(r->ctx, &s->name, peer, &you, e);
    if (rc <= 0 || !you.now || you.known < s->head.group_order)
        return rc < 0 ? -1 : 0;
    rc = r->standing(r->ctx, &s->name, &r->me, &me, e);
    if (rc <= 0 || !me.now)
        return rc < 0 ? -1 : 0;
    if (s->frozen && s->frozen_at < *upto)
        *upto = s->frozen_at;
    rc = r->final(r->ctx, &s->id, &final, e);
    if (rc == 1 && final < *upto)
        *upto = final;
    return rc < 0 ? -1 : 1;
}

int
sync_may_pull(const struct replica *r, const struct uuid *peer, const struct stream_name *name,
              struct err *e)
{
    struct member_standing me, you, publisher;
    int rc;

    if (name->label >= LABEL_RED)
        return 0;
    if ((rc = r->standing(r->ctx, name, &r->me, &me, e)) <= 0 || !me.now)
        return rc < 0 ? -1 : 0;
    if ((rc = r->standing(r->ctx, name, peer, &you, e)) <= 0 || !you.ever)
        return rc < 0 ? -1 : 0;
    rc = r->standing(r->ctx, name, &name->publisher, &publisher, e);
    return rc <= 0 || !publisher.ever ? (rc < 0 ? -1 : 0) : 1;
}

int
sync_may_take(const struct replica *r, const struct stream_name *name, const struct entry *en,
              struct err *e)
{
    struct member_standing me, publisher;
    int rc;

    if (en->kind != ENTRY_PUT)
        return 1; /* it only takes away */
    if ((rc = r->standing(r->ctx, name, &r->me, &me, e)) <= 0 || !me.ever)
        return rc < 0 ? -1 : 0;
    if (me.last_in < en->group_version)
        return 0;
    rc = r->standing(r->ctx, name, &name->publisher, &publisher, e);
    if (rc <= 0 || !publisher.ever)
        return rc < 0 ? -1 : 0;
    /* Said before there was a region, or a version of the group: to whoever would be in it. */
    if (en->group_version == 0)
        return 1;
    return publisher.begins <= en->group_version && en->group_version <= publisher.last_in;
}

/* -- the offer -- */

struct making {
    const struct replica *r;
    const struct uuid *peer;
    struct arena *a;
    struct sync_item *list;
    size_t n, cap;
};

static int
add(struct making *m, enum sync_kind kind, struct span name, struct span content, struct err *e)
{
    struct sync_item *grown;
    size_t cap;

    if (m->n == SYNC_ITEMS_MAX)
        return err_set(e, ERR_LIMIT, "more to offer than a message may hold");
    if (m->n == m->cap) {
        cap = m->cap == 0 ? 64 : m->cap * 2;
        grown = mem_resize(m->list, cap * sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "no memory for an offer");
        m->list = grown;
        m->cap = cap;
    }
    m->list[m->n] = (struct sync_item){.kind = kind, .content = arena_span(m->a, content)};
    if (m->list[m->n].content.p == NULL && content.n > 0)
        return err_set(e, ERR_MEMORY, "no memory for an offer");
    sync_key_of(kind, name, &m->list[m->n++].key);
    return 0;
}

static int
add_stream(void *ctx, const struct sync_stream *s, struct err *e)
{
    struct making *m = ctx;
    struct sync_head_item h = {.name = s->name, .head = s->head};
    const enum sync_kind kind = s->frozen ? SYNC_FROZEN : SYNC_HEAD;
    struct buf item, content;
    uint64_t upto;
    int rc = sync_may_show(m->r, m->peer, s, &upto, e);

    if (rc <= 0)
        return rc;
    h.have = upto;
    h.settled = s->settled < upto ? s->settled : upto;
    buf_init(&item, SYNC_ITEM_MAX);
    buf_init(&content, SYNC_ITEM_MAX);
    sync_head_item_encode(&h, &item);
    if (s->frozen) {
        buf_field(&content, buf_view(&item));
        buf_field(&content, s->evidence);
    }
    rc = item.failed || content.failed ? err_set(e, ERR_MEMORY, "no memory for an offer")
                                       : add(m, kind, span_from(s->id.b, sizeof s->id.b),
                                             buf_view(s->frozen ? &content : &item), e);
    buf_clear(&item);
    buf_clear(&content);
    return rc;
}

/* Whether an erase notice is for this peer. */
static int
erase_for(struct making *m, const struct sync_control *c, struct err *e)
{
    struct member_standing you;
    struct sync_stream s;
    uint64_t size;
    int rc;

    /* Its publisher made it, and may have lost it: it alone knows who acknowledged that entry. */
    if (memcmp(c->member.b, m->peer->b, sizeof m->peer->b) == 0)
        return 1;
    rc = m->r->receipt(m->r->ctx, &c->stream, m->peer, &size, e);
    if (rc < 0 || (rc == 1 && size > c->index))
        return rc;
    rc = m->r->stream(m->r->ctx, &c->stream, m->a, &s, e);
    if (rc <= 0 || s.name.label >= LABEL_RED || !m->r->in_region(m->r->ctx, m->peer))
        return rc < 0 ? -1 : 0;
    rc = m->r->standing(m->r->ctx, &s.name, m->peer, &you, e);
    return rc < 0 ? -1 : rc == 1 && you.now && you.known >= s.head.group_order;
}

static int
circle_for(struct making *m, const struct sync_control *c, struct err *e)
{
    struct member_standing you;
    int rc = m->r->standing(m->r->ctx, &c->audience, m->peer, &you, e);

    return rc < 0 ? -1 : rc == 1 && you.now;
}

static int
add_control(void *ctx, const struct sync_control *c, struct err *e)
{
    struct making *m = ctx;
    int rc = 0;

    switch (c->kind) {
    case SYNC_REGION:
        rc = m->r->in_region(m->r->ctx, m->peer);
        break;
    case SYNC_CIRCLE:
        rc = circle_for(m, c, e);
        break;
    case SYNC_OUT:
    case SYNC_RECEIPT:
        rc = memcmp(c->member.b, m->peer->b, sizeof m->peer->b) == 0;
        break;
    case SYNC_ERASE:
        rc = erase_for(m, c, e);
        break;
    case SYNC_HEAD:
    case SYNC_FROZEN:
    case SYNC_KINDS:
        break;
    }
    return rc <= 0 ? rc : add(m, c->kind, c->name, c->content, e);
}

static int
by_key(const void *x, const void *y)
{
    const struct sync_item *a = x, *b = y;

    return sync_key_cmp(&a->key, &b->key);
}

/* Two names of one key are one in four billion pairs: the digest counts the first, and says so. */
static size_t
without_doubles(struct sync_item *list, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || sync_key_cmp(&list[kept - 1].key, &list[i].key) != 0)
            list[kept++] = list[i];
    }
    return kept;
}

int
sync_offer_make(const struct replica *r, const struct uuid *peer, struct arena *a,
                struct sync_offer *out, struct err *e)
{
    struct making m = {.r = r, .peer = peer, .a = a};
    struct sync_pair *pairs = NULL;
    struct sync_item *items = NULL;
    int rc = -1;

    if (r->controls(r->ctx, add_control, &m, a, e) != 0 ||
        (!r->recovering(r->ctx) && r->streams(r->ctx, add_stream, &m, a, e) != 0))
        goto out;
    if (m.n > 0)
        qsort(m.list, m.n, sizeof *m.list, by_key);
    m.n = without_doubles(m.list, m.n);
    pairs = arena_zero(a, m.n + 1, sizeof *pairs);
    items = arena_zero(a, m.n + 1, sizeof *items);
    if (pairs == NULL || items == NULL) {
        err_set(e, ERR_MEMORY, "no memory for an offer");
        goto out;
    }
    for (size_t i = 0; i < m.n; i++) {
        items[i] = m.list[i];
        pairs[i].key = m.list[i].key;
        sync_print_of(m.list[i].kind, m.list[i].content, &pairs[i].print);
    }
    *out = (struct sync_offer){.pairs = pairs, .items = items, .n = m.n};
    sync_digest(pairs, m.n, &out->digest);
    rc = 0;
out:
    mem_free(m.list);
    return rc;
}
