/* exchange/seen.c - what a poster sees of an id: decisions rest on that and on nothing else. */
#include "batch.h"

#include <string.h>

#include "mem.h"

struct looking {
    struct exchange *x;
    const struct view *view;
    struct arena *a;
    unsigned want;
    struct seen *out;
};

static int
seen_grow(struct seen *s, struct arena *a, struct err *e)
{
    size_t cap = s->cap == 0 ? 1 : s->cap * 2; /* mostly it is said once */
    struct said *said = arena_zero(a, cap, sizeof *said);
    uint64_t *p = arena_zero(a, cap, sizeof *p);
    uint64_t *batch = arena_zero(a, cap, sizeof *batch);
    bool *owner = arena_zero(a, cap, sizeof *owner);
    uint32_t *creator = arena_zero(a, cap, sizeof *creator);

    if (said == NULL || p == NULL || batch == NULL || owner == NULL || creator == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (s->n > 0) {
        memcpy(said, s->said, s->n * sizeof *said);
        memcpy(p, s->p, s->n * sizeof *p);
        memcpy(batch, s->batch, s->n * sizeof *batch);
        memcpy(owner, s->owner, s->n * sizeof *owner);
        memcpy(creator, s->creator, s->n * sizeof *creator);
    }
    s->said = said;
    s->p = p;
    s->batch = batch;
    s->owner = owner;
    s->creator = creator;
    s->cap = cap;
    return 0;
}

static int
take_bytes(struct seen *s, struct span bytes, struct arena *a, struct err *e)
{
    s->bytes = arena_span(a, bytes);
    if (s->bytes.p == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    return 0;
}

static int
look(void *ctx, const struct store_held *h, struct err *e)
{
    struct looking *l = ctx;
    const struct audience *a = cast_audience(&l->x->cast, h->audience);
    struct seen *s = l->out;
    int64_t date;

    if (h->erased || a == NULL || !view_has(l->view, h->audience))
        return 0;
    /* A row of this very transaction has no place yet; it appears at its own. */
    if (h->p != 0 && !view_date(l->view, h->audience, h->seq, h->arrival_us, &date))
        return 0;
    if (s->n == s->cap && seen_grow(s, l->a, e) != 0)
        return -1;
    s->said[s->n] = (struct said){*a, h->publisher, h->hash, h->modified};
    s->p[s->n] = h->p;
    s->batch[s->n] = h->batch;
    s->owner[s->n] = h->owner;
    if ((l->want & SEEN_PLACES) == 0 && h->owner && h->versioned &&
        store_bound(l->x->store, top_text(h->bytes, "created_by_ref", l->a), &s->creator[s->n], e) <
            0)
        return -1;
    s->n++;
    return (l->want & SEEN_BYTES) != 0 && s->bytes.p == NULL ? take_bytes(s, h->bytes, l->a, e) : 0;
}

/* What a dry run has put so far, and what is expected. */
static int
look_overlay(struct exchange *x, const struct batch *b, const struct asker *who, struct span id,
             unsigned want, struct arena *a, struct seen *s, struct err *e)
{
    uint64_t at = 0;

    if (!map_get(b->overlaid, id, &at))
        return 0;
    for (; at != 0; at = b->overlay[at - 1].next) {
        const struct overlay *o = &b->overlay[at - 1];

        if ((o->expected && (want & SEEN_EXPECTED) == 0) ||
            !may_read(&x->cast.rights, who, &o->audience).yes)
            continue;
        if (s->n == s->cap && seen_grow(s, a, e) != 0)
            return -1;
        s->said[s->n] = (struct said){o->audience, ORG_SELF, o->hash, o->modified};
        s->p[s->n] = 0;
        s->batch[s->n] = 0;
        s->owner[s->n] = o->owner;
        s->n++;
        if ((want & SEEN_BYTES) != 0 && s->bytes.p == NULL && o->bytes.n > 0 &&
            take_bytes(s, o->bytes, a, e) != 0)
            return -1;
    }
    return 0;
}

int
seen_find(struct exchange *x, struct batch *b, const struct asker *who, struct span id,
          unsigned want, struct arena *a, struct seen *out, struct err *e)
{
    struct looking l = {.x = x, .a = a, .want = want, .out = out};

    *out = (struct seen){0};
    if (view_of(x, who, 0, &l.view, e) != 0 ||
        store_held_each(x->store, id, (want & SEEN_PLACES) != 0, look, &l, e) < 0)
        return -1;
    if (b != NULL && b->overlay_count > 0)
        return look_overlay(x, b, who, id, want, a, out, e);
    return 0;
}

const struct audience *
seen_audiences(const struct seen *s, struct arena *a)
{
    struct audience *list = arena_zero(a, s->n + 1, sizeof *list);

    for (size_t i = 0; list != NULL && i < s->n; i++)
        list[i] = s->said[i].audience;
    return list;
}

int
overlay_add(struct batch *b, struct span id, const struct overlay *o, struct err *e)
{
    struct overlay *grown;
    uint64_t first = 0;
    size_t cap;

    if (b->overlay_count == OVERLAY_MAX)
        return err_set(e, ERR_LIMIT, "too many objects for a dry run");
    if (b->overlay_count == b->overlay_cap) {
        cap = b->overlay_cap == 0 ? 256 : b->overlay_cap * 2;
        grown = mem_resize(b->overlay, cap * sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        b->overlay = grown;
        b->overlay_cap = cap;
    }
    (void)map_get(b->overlaid, id, &first);
    b->overlay[b->overlay_count] = *o;
    b->overlay[b->overlay_count].next = first;
    b->overlay[b->overlay_count].bytes = (struct span){0};
    if (o->bytes.n > 0) {
        b->overlay[b->overlay_count].bytes = arena_span(b->arena, o->bytes);
        if (b->overlay[b->overlay_count].bytes.p == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
    }
    b->overlay_count++;
    if (map_put(b->overlaid, id, b->overlay_count, NULL) < 0)
        return err_set(e, ERR_MEMORY, "out of memory");
    return 0;
}
