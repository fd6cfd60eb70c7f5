#include "members.h"

#include <string.h>

#include "commit.h"
#include "mem.h"
#include "store_sync.h"

#define MEMBERS_ARENA (64u << 20) /* a thousand versions of groups, a hundred of the region */
#define ORDER_BYTES   8

struct members {
    struct arena *a;
    bool fresh;
    uint64_t changes; /* of the store, when it was computed */
    struct membership now;
};

void
members_free(struct members *m)
{
    if (m == NULL)
        return;
    arena_free(m->a);
    mem_free(m);
}

void
members_forget(struct exchange *x)
{
    if (x->members != NULL)
        x->members->fresh = false;
}

/* -- as bytes ------------------------------------------------------------------------------------
 */

/* What a peer sends that breaks a rule is its fault, whatever the rule's own code is. */
static int
fault(struct err *e)
{
    if (e != NULL && e->code != ERR_MEMORY && e->code != ERR_IO && e->code != ERR_INTERNAL &&
        e->code != ERR_CORRUPT && e->code != ERR_BUSY && e->code != ERR_FULL)
        e->code = ERR_PROTOCOL;
    return -1;
}

static bool
split(struct span content, uint64_t *order, struct span *rest)
{
    struct reader r = reader_of(content);

    *order = reader_u64(&r);
    if (r.failed)
        return false;
    *rest = span_part(content, ORDER_BYTES, content.n - ORDER_BYTES);
    return true;
}

static struct span
join(uint64_t order, struct span bytes, struct buf *out)
{
    buf_u64(out, order);
    buf_put(out, bytes.p, bytes.n);
    return buf_view(out);
}

static int
region_of(struct span content, struct arena *a, struct region_signed *s, struct region *r,
          struct err *e)
{
    uint64_t order;
    struct span rest;

    if (!split(content, &order, &rest))
        return err_set(e, ERR_PROTOCOL, "a version of the region without its order");
    if (region_signed_decode(rest, a, s, e) != 0 || region_read(s->body, a, r, e) != 0)
        return -1;
    return order == GROUP_ORDER(r->version, 0)
               ? 0
               : err_set(e, ERR_PROTOCOL, "a version of the region under another's order");
}

static int
circle_of(struct span content, struct arena *a, struct circle_signed *s, struct circle *c,
          struct err *e)
{
    uint64_t order;
    struct span rest;

    if (!split(content, &order, &rest))
        return err_set(e, ERR_PROTOCOL, "a version of a group without its order");
    if (circle_signed_decode(rest, s, e) != 0 || circle_read(s->body, a, c, e) != 0)
        return -1;
    return order == circle_order(c)
               ? 0
               : err_set(e, ERR_PROTOCOL, "a version of a group under another's order");
}

static void
region_name(uint64_t version, uint8_t out[ORDER_BYTES])
{
    for (int i = 0; i < ORDER_BYTES; i++)
        out[i] = (uint8_t)(version >> (56 - 8 * i));
}

#define CIRCLE_NAME (GROUP_ID_BYTES + CIRCLE_GENERATION_BYTES + ORDER_BYTES + HASH_BYTES)

static void
circle_name(const struct circle *c, uint8_t out[CIRCLE_NAME])
{
    uint8_t *p = out;

    memcpy(p, c->group, GROUP_ID_BYTES);
    memcpy(p += GROUP_ID_BYTES, c->generation, CIRCLE_GENERATION_BYTES);
    region_name(circle_order(c), p += CIRCLE_GENERATION_BYTES);
    memcpy(p + ORDER_BYTES, c->hash.b, HASH_BYTES);
}

/* -- all that is known ---------------------------------------------------------------------------
 */

struct load {
    struct arena *a;
    struct region *regions;
    size_t region_n;
    struct circle_known *circles;
    size_t circle_n;
    struct out_notice *outs;
    size_t out_n;
    size_t cap[3];
};

static void *
room(struct arena *a, void *list, size_t n, size_t *cap, size_t size)
{
    void *more;

    if (n < *cap)
        return list;
    *cap = *cap == 0 ? 16 : 2 * *cap;
    more = arena_zero(a, *cap, size);
    if (more != NULL && n > 0)
        memcpy(more, list, n * size);
    return more;
}

static int
load_one(void *ctx, const struct store_said *said, struct err *e)
{
    struct load *l = ctx;
    struct span content = arena_span(l->a, said->content);

    if (content.p == NULL)
        return err_set(e, ERR_MEMORY, "no memory for members");
    if (said->kind == SYNC_REGION) {
        struct region_signed s;

        l->regions = room(l->a, l->regions, l->region_n, &l->cap[0], sizeof *l->regions);
        return l->regions == NULL ? err_set(e, ERR_MEMORY, "no memory for members")
                                  : region_of(content, l->a, &s, &l->regions[l->region_n++], e);
    }
    if (said->kind == SYNC_CIRCLE) {
        struct circle *c = arena_zero(l->a, 1, sizeof *c);
        struct circle_signed s;

        l->circles = room(l->a, l->circles, l->circle_n, &l->cap[1], sizeof *l->circles);
        if (l->circles == NULL || c == NULL)
            return err_set(e, ERR_MEMORY, "no memory for members");
        if (circle_of(content, l->a, &s, c, e) != 0)
            return -1;
        l->circles[l->circle_n++] = (struct circle_known){c, s.by};
        return 0;
    }
    l->outs = room(l->a, l->outs, l->out_n, &l->cap[2], sizeof *l->outs);
    return l->outs == NULL ? err_set(e, ERR_MEMORY, "no memory for members")
                           : out_notice_decode(content, &l->outs[l->out_n++], e);
}

static int
load_all(struct exchange *x, struct members *m, struct err *e)
{
    struct load l = {.a = m->a};

    arena_reset(m->a);
    m->now = (struct membership){0};
    if (store_said_each(x->store, SYNC_REGION, load_one, &l, e) != 0 ||
        store_said_each(x->store, SYNC_CIRCLE, load_one, &l, e) != 0 ||
        store_said_each(x->store, SYNC_OUT, load_one, &l, e) != 0)
        return -1;
    return membership_make(l.regions, l.region_n, l.circles, l.circle_n, l.outs, l.out_n, m->a,
                           &m->now, e);
}

const struct membership *
members_now(struct exchange *x, struct err *e)
{
    struct members *m = x->members;

    if (m == NULL) {
        m = mem_zero(1, sizeof *m);
        if (m == NULL || (m->a = arena_new(MEMBERS_ARENA)) == NULL) {
            mem_free(m);
            err_set(e, ERR_MEMORY, "no memory for members");
            return NULL;
        }
        x->members = m;
    }
    if (m->fresh && m->changes == store_changes(x->store))
        return &m->now;
    m->fresh = false;
    if (load_all(x, m, e) != 0)
        return NULL;
    m->fresh = true;
    m->changes = store_changes(x->store);
    return &m->now;
}

int
members_order(struct exchange *x, const struct audience *a, uint64_t *out, struct err *e)
{
    const struct membership *m = members_now(x, e);
    const struct circle_current *c;
    uint8_t id[GROUP_ID_BYTES];
    int rc;

    *out = 0;
    if (m == NULL)
        return -1;
    if (m->chain_n == 0 || a->group == 0)
        return 0;
    if (a->group == GROUP_PUBLIC || a->group == GROUP_REGION) {
        *out = GROUP_ORDER(m->chain[m->chain_n - 1].version, 0);
        return 0;
    }
    rc = store_group_id(x->store, a->group, id, e);
    if (rc < 0)
        return -1;
    c = membership_current(m, id);
    if (c == NULL)
        return 0;
    if (!c->settled)
        return err_set(e, ERR_CONFLICT,
                       "two versions of the group are known: its owner has to sign another first");
    *out = circle_order(c->top);
    return 0;
}

/* -- taking --------------------------------------------------------------------------------------
 */

static int
keep(struct exchange *x, unsigned kind, struct span name, struct span content, struct err *e)
{
    const struct store_said said = {.kind = kind, .name = name, .content = content};

    members_forget(x);
    return store_said_put(x->store, &said, e);
}

/* 1: known, or waits already; 0: not; -1. */
static int
is_kept(struct exchange *x, unsigned kind, struct span name, struct arena *a, struct err *e)
{
    struct store_said said;
    int rc = store_said_get(x->store, kind, name, a, &said, e);

    return rc != 0 ? rc : store_said_get(x->store, SAID_WAITING + kind, name, a, &said, e);
}

static int
wait_for_more(struct exchange *x, unsigned kind, struct span name, struct span content,
              struct err *e)
{
    uint64_t n;

    if (store_said_count(x->store, SAID_WAITING + kind, &n, e) != 0)
        return -1;
    return n >= WAITING_MAX ? 0 : keep(x, SAID_WAITING + kind, name, content, e);
}

/* 1: it follows what is known and is kept; 0: it does not yet; -1. */
static int
follow(struct exchange *x, const struct region_signed *s, const struct region *r,
       struct span content, struct arena *a, struct err *e)
{
    const struct membership *m = members_now(x, e);
    const struct region *newest;
    struct region next;
    uint8_t name[ORDER_BYTES];

    if (m == NULL)
        return -1;
    newest = &m->chain[m->chain_n - 1];
    if (r->version != newest->version + 1)
        return 0;
    if (region_check_successor(newest, s, a, &next, e) != 0)
        return -1;
    region_name(r->version, name);
    return keep(x, SYNC_REGION, span_from(name, sizeof name), content, e) != 0 ? -1 : 1;
}

struct waiting { /* copied, since no call of the store may stand inside another */
    struct arena *a;
    struct store_said list[WAITING_MAX];
    size_t n;
};

static int
note_waiting(void *ctx, const struct store_said *said, struct err *e)
{
    struct waiting *w = ctx;

    if (w->n == WAITING_MAX)
        return 0;
    w->list[w->n] = *said;
    w->list[w->n].name = arena_span(w->a, said->name);
    w->list[w->n].content = arena_span(w->a, said->content);
    return w->list[w->n++].content.p != NULL ? 0 : err_set(e, ERR_MEMORY, "out of memory");
}

/* What waits is judged again.  1: taken, 0: it waits on, -1; one that never will be is dropped. */
static int
judge(struct exchange *x, const struct store_said *said, struct arena *a, struct err *e)
{
    struct err why = ERR_INIT;
    int rc;

    if (said->kind == SAID_WAITING + SYNC_REGION) {
        struct region_signed s;
        struct region r;

        rc = region_of(said->content, a, &s, &r, &why) != 0
                 ? -1
                 : follow(x, &s, &r, said->content, a, &why);
    } else {
        const struct membership *m = members_now(x, e);
        struct circle_signed s;
        struct circle_mark mark;
        struct circle c;

        if (m == NULL)
            return -1;
        rc = circle_of(said->content, a, &s, &c, &why);
        mark = rc == 0 ? circle_mark_of(&c, &s) : (struct circle_mark){0};
        /* Whether it may be the first word of its group was decided when it came. */
        rc = rc != 0 ? -1 : membership_admits(m, &c, &mark, said->entry != 0, &why);
        if (rc == 1 && keep(x, SYNC_CIRCLE, said->name, said->content, e) != 0)
            return -1;
    }
    if (rc < 0 && (fault(&why), why.code != ERR_PROTOCOL)) {
        if (e != NULL)
            *e = why;
        return -1;
    }
    if (rc != 0 && store_said_drop(x->store, said->kind, said->name, e) != 0)
        return -1;
    return rc > 0;
}

static int
judge_again(struct exchange *x, struct err *e)
{
    struct waiting *w = mem_zero(1, sizeof *w);
    bool more = true;
    int rc = 0;

    if (w == NULL || (w->a = arena_new(MEMBERS_ARENA)) == NULL) {
        mem_free(w);
        return err_set(e, ERR_MEMORY, "no memory for members");
    }
    while (rc == 0 && more) {
        more = false;
        w->n = 0;
        arena_reset(w->a);
        rc = store_said_each(x->store, SAID_WAITING + SYNC_REGION, note_waiting, w, e);
        if (rc == 0)
            rc = store_said_each(x->store, SAID_WAITING + SYNC_CIRCLE, note_waiting, w, e);
        for (size_t i = 0; rc == 0 && i < w->n; i++) {
            rc = judge(x, &w->list[i], w->a, e);
            more = more || rc == 1;
            rc = rc < 0 ? -1 : 0;
        }
    }
    arena_free(w->a);
    mem_free(w);
    return rc;
}

/* A version that is known: the same, or another that follows the same one. */
static int
known_region(struct exchange *x, const struct membership *m, const struct region_signed *s,
             const struct region *r, struct span content, struct arena *a, struct err *e)
{
    const struct region *known = membership_region(m, r->version);
    const struct region *prev = membership_region(m, r->version - 1);
    struct region_evidence ev;
    struct store_said said;
    struct region_signed ours;
    struct region mine;
    uint8_t name[ORDER_BYTES];
    int rc;

    if (known == NULL || hash_eq(&known->hash, &r->hash))
        return 0;
    region_name(r->version, name);
    rc = store_said_get(x->store, SYNC_REGION, span_from(name, sizeof name), a, &said, e);
    if (rc <= 0 || region_of(said.content, a, &ours, &mine, e) != 0)
        return rc == 0 ? 0 : -1;
    rc = region_conflict(prev, &ours, s, a, &ev, e);
    if (rc < 0)
        return fault(e);
    /* The last good one stays, and people have to look: the proof is kept. */
    return rc == 0 ? 0 : keep(x, SAID_CONFLICT, span_from(name, sizeof name), content, e);
}

int
members_take_region(struct exchange *x, struct span content, struct err *e)
{
    struct arena *a = x->commit->arena;
    const struct membership *m = members_now(x, e);
    struct region_signed s;
    struct region r;
    uint8_t name[ORDER_BYTES];
    int rc;

    if (m == NULL)
        return -1;
    if (m->chain_n == 0)
        return 0; /* only its people make a node follow a region */
    if (region_of(content, a, &s, &r, e) != 0)
        return fault(e);
    if (r.version <= m->chain[m->chain_n - 1].version)
        return known_region(x, m, &s, &r, content, a, e);
    rc = follow(x, &s, &r, content, a, e);
    if (rc < 0)
        return fault(e);
    region_name(r.version, name);
    if (rc == 0)
        return wait_for_more(x, SYNC_REGION, span_from(name, sizeof name), content, e);
    return judge_again(x, e) != 0 ? -1 : 1;
}

int
members_take_circle(struct exchange *x, const struct uuid *from, struct span content, struct err *e)
{
    struct arena *a = x->commit->arena;
    const struct membership *m = members_now(x, e);
    struct store_said said = {.kind = SAID_WAITING + SYNC_CIRCLE, .content = content};
    uint8_t name[CIRCLE_NAME];
    struct circle_signed s;
    struct circle_mark mark;
    struct circle c;
    uint64_t waiting;
    int rc;

    if (m == NULL)
        return -1;
    if (circle_of(content, a, &s, &c, e) != 0)
        return fault(e);
    circle_name(&c, name);
    said.name = span_from(name, sizeof name);
    rc = is_kept(x, SYNC_CIRCLE, said.name, a, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    mark = circle_mark_of(&c, &s);
    /* Who hands it on must be in it, and so must this node, or it is none of its business. */
    said.entry = circle_has(&c, from) && circle_has(&c, &x->identity);
    rc = membership_admits(m, &c, &mark, said.entry != 0, e);
    if (rc < 0)
        return fault(e);
    if (rc == 0) {
        if (store_said_count(x->store, said.kind, &waiting, e) != 0)
            return -1;
        return waiting >= WAITING_MAX ? 0 : store_said_put(x->store, &said, e);
    }
    if (keep(x, SYNC_CIRCLE, said.name, content, e) != 0)
        return -1;
    return judge_again(x, e) != 0 ? -1 : 1;
}

void
members_out_name(const struct out_notice *n, uint8_t out[MEMBERS_OUT_NAME])
{
    memcpy(out, n->group, GROUP_ID_BYTES);
    memcpy(out + GROUP_ID_BYTES, n->member.b, 16);
    region_name(n->order, out + GROUP_ID_BYTES + 16);
}

int
members_take_out(struct exchange *x, struct span content, struct err *e)
{
    const struct membership *m = members_now(x, e);
    struct store_said said = {.kind = SYNC_OUT, .content = content};
    const struct circle_current *c;
    const struct region_member *by;
    uint8_t name[MEMBERS_OUT_NAME];
    struct out_notice n;
    uint64_t count;
    int rc;

    if (m == NULL)
        return -1;
    if (out_notice_decode(content, &n, e) != 0)
        return fault(e);
    by = membership_member(m, &n.by);
    c = membership_current(m, n.group);
    if (by == NULL)
        return 0;
    if (!out_notice_ok(&n, &n.by, &by->key))
        return err_set(e, ERR_PROTOCOL, "a notice that is not signed by who says so");
    /* Of a group that is not known here only what concerns this node: it may learn of the group
     * later, from who does not know yet that it is out.  Whose word counts is judged then. */
    if (c != NULL ? !membership_may_tell(c->top, &n.by)
                  : memcmp(n.member.b, x->identity.b, sizeof n.member.b) != 0)
        return 0;
    members_out_name(&n, name);
    said.name = span_from(name, sizeof name);
    said.member = n.member;
    if (store_said_count(x->store, SYNC_OUT, &count, e) != 0)
        return -1;
    if (c == NULL && count >= WAITING_MAX)
        return 0;
    rc = is_kept(x, SYNC_OUT, said.name, x->commit->arena, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    members_forget(x);
    return store_said_put(x->store, &said, e) != 0 ? -1 : 1;
}

int
members_found(struct exchange *x, const struct region_signed *list, size_t n, struct err *e)
{
    struct arena *a = x->commit->arena;
    const struct membership *m = members_now(x, e);
    struct region prev, next;

    if (m == NULL)
        return -1;
    if (m->chain_n > 0)
        return err_set(e, ERR_CONFLICT, "the node is in a region already");
    for (size_t i = 0; i < n; i++) {
        uint8_t name[ORDER_BYTES];
        struct buf b, signed_;
        int rc = i == 0 ? region_check_first(&list[i], a, &next, e)
                        : region_check_successor(&prev, &list[i], a, &next, e);

        if (rc != 0)
            return -1;
        buf_init(&b, STORE_SAID_CONTENT_MAX);
        buf_init(&signed_, STORE_SAID_CONTENT_MAX);
        region_name(next.version, name);
        rc = region_signed_encode(&list[i], &signed_, e) != 0
                 ? -1
                 : keep(x, SYNC_REGION, span_from(name, sizeof name),
                        join(GROUP_ORDER(next.version, 0), buf_view(&signed_), &b), e);
        buf_clear(&signed_);
        buf_clear(&b);
        if (rc != 0)
            return -1;
        prev = next;
    }
    return 0;
}

int
members_say_circle(struct exchange *x, const struct circle_signed *s, struct err *e)
{
    struct arena *a = x->commit->arena;
    const struct membership *m = members_now(x, e);
    uint8_t name[CIRCLE_NAME];
    struct circle_mark mark;
    struct buf b, bytes;
    struct circle c;
    int rc;

    if (m == NULL || circle_read(s->body, a, &c, e) != 0)
        return -1;
    mark = circle_mark_of(&c, s);
    rc = membership_admits(m, &c, &mark, true, e);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(e, ERR_CONFLICT, "it does not follow what is known");
    circle_name(&c, name);
    buf_init(&b, STORE_SAID_CONTENT_MAX);
    buf_init(&bytes, STORE_SAID_CONTENT_MAX);
    rc = circle_signed_encode(s, &bytes, e) != 0
             ? -1
             : keep(x, SYNC_CIRCLE, span_from(name, sizeof name),
                    join(circle_order(&c), buf_view(&bytes), &b), e);
    buf_clear(&bytes);
    buf_clear(&b);
    return rc;
}
