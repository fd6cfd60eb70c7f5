#include "membership.h"

#include <stdlib.h>
#include <string.h>

struct membership_group { /* versions of it are circles[from .. from + n) */
    size_t from, n;
    struct circle_current current;
};

static bool
id_eq(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* ---- names ---- */

void
group_text(const uint8_t group[GROUP_ID_BYTES], char out[GROUP_TEXT + 1])
{
    struct buf b;

    buf_init_fixed(&b, out, GROUP_TEXT);
    hex_put(&b, group, GROUP_ID_BYTES);
    out[GROUP_TEXT] = '\0';
}

bool
group_read(struct span text, uint8_t out[GROUP_ID_BYTES])
{
    char again[GROUP_TEXT + 1];

    if (text.n != GROUP_TEXT || !hex_read(text, out, GROUP_ID_BYTES))
        return false;
    group_text(out, again); /* one form alone: lower case */
    return memcmp(again, text.p, GROUP_TEXT) == 0;
}

static bool
is_region(const struct stream_name *audience)
{
    static const uint8_t none[LEDGER_RANDOM_BYTES];

    return (span_is(audience->group, "public") || span_is(audience->group, "region")) &&
           memcmp(audience->generation, none, sizeof none) == 0;
}

/* ---- making ---- */

static int
by_group(const void *x, const void *y)
{
    const struct circle *a = ((const struct circle_known *)x)->circle;
    const struct circle *b = ((const struct circle_known *)y)->circle;
    const uint64_t p = circle_order(a), q = circle_order(b);
    int c = memcmp(a->group, b->group, GROUP_ID_BYTES);

    if (c == 0)
        c = memcmp(a->generation, b->generation, CIRCLE_GENERATION_BYTES);
    if (c == 0)
        c = p < q ? -1 : p > q;
    return c != 0 ? c : memcmp(a->hash.b, b->hash.b, HASH_BYTES);
}

static bool
together(const struct circle *a, const struct circle *b, bool generation)
{
    return memcmp(a->group, b->group, GROUP_ID_BYTES) == 0 &&
           (!generation || memcmp(a->generation, b->generation, CIRCLE_GENERATION_BYTES) == 0);
}

/* Neighbours of one group, or of one generation, and what counts of them. */
static int
gather(struct membership *m, bool generation, struct arena *a, const struct membership_group **out,
       size_t *n, struct err *e)
{
    const struct region *newest = &m->chain[m->chain_n - 1];
    struct membership_group *list = arena_zero(a, m->circle_n + 1, sizeof *list);

    *n = 0;
    if (list == NULL)
        return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no room for groups");
    for (size_t i = 0; i < m->circle_n; i++) {
        if (i == 0 || !together(m->circles[i - 1].circle, m->circles[i].circle, generation))
            list[(*n)++].from = i;
        list[*n - 1].n++;
    }
    for (size_t i = 0; i < *n; i++)
        if (circle_current(m->circles + list[i].from, list[i].n, newest, a, &list[i].current, e) <
            0)
            return -1;
    *out = list;
    return 0;
}

int
membership_make(const struct region *chain, size_t chain_n, const struct circle_known *circles,
                size_t circle_n, const struct out_notice *outs, size_t out_n, struct arena *a,
                struct membership *out, struct err *e)
{
    struct membership m = {.chain = chain, .chain_n = chain_n, .outs = outs, .out_n = out_n};
    struct circle_known *list;

    for (size_t i = 1; i < chain_n; i++)
        if (chain[i].version <= chain[i - 1].version)
            return err_set(e, ERR_RULE, "versions of a region that do not ascend");
    if (chain_n == 0) {
        *out = m;
        return 0;
    }
    list = arena_zero(a, circle_n + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no room for groups");
    for (size_t i = 0; i < circle_n; i++)
        if (circles[i].circle->region <= chain[chain_n - 1].version)
            list[m.circle_n++] = circles[i];
    qsort(list, m.circle_n, sizeof *list, by_group);
    m.circles = list;
    if (gather(&m, false, a, &m.groups, &m.group_n, e) < 0 ||
        gather(&m, true, a, &m.generations, &m.generation_n, e) < 0)
        return -1;
    *out = m;
    return 0;
}

/* ---- looking ---- */

static const struct membership_group *
find(const struct membership *m, const uint8_t *group, const uint8_t *generation)
{
    const struct membership_group *list = generation != NULL ? m->generations : m->groups;
    size_t lo = 0, hi = generation != NULL ? m->generation_n : m->group_n;

    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const struct circle *c = m->circles[list[mid].from].circle;
        int r = memcmp(c->group, group, GROUP_ID_BYTES);

        if (r == 0 && generation != NULL)
            r = memcmp(c->generation, generation, CIRCLE_GENERATION_BYTES);
        if (r == 0)
            return &list[mid];
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const struct circle_current *
membership_current(const struct membership *m, const uint8_t group[GROUP_ID_BYTES])
{
    const struct membership_group *g = find(m, group, NULL);

    return g != NULL ? &g->current : NULL;
}

const struct circle_current *
membership_group_at(const struct membership *m, size_t i)
{
    return i < m->group_n ? &m->groups[i].current : NULL;
}

const struct region_member *
membership_member(const struct membership *m, const struct uuid *id)
{
    for (size_t i = m->chain_n; i-- > 0;) {
        const struct region_member *r = region_member(&m->chain[i], id);

        if (r != NULL)
            return r;
    }
    return NULL;
}

bool
membership_in_region(const struct membership *m, const struct uuid *member)
{
    return m->chain_n > 0 && region_member(&m->chain[m->chain_n - 1], member) != NULL;
}

static void
was_in(struct member_standing *s, uint64_t order)
{
    if (!s->ever || order < s->begins)
        s->begins = order;
    if (order > s->last_in)
        s->last_in = order;
    s->ever = true;
}

static void
in_region(const struct membership *m, const struct uuid *member, struct member_standing *s)
{
    s->known = GROUP_ORDER(m->chain[m->chain_n - 1].version, 0);
    for (size_t i = 0; i < m->chain_n; i++)
        if (region_member(&m->chain[i], member) != NULL)
            was_in(s, GROUP_ORDER(m->chain[i].version, 0));
    s->now = membership_in_region(m, member);
}

static bool
counts(const struct circle_current *c, const struct uuid *member)
{
    for (size_t i = 0; i < c->member_n; i++)
        if (id_eq(&c->members[i], member))
            return true;
    return false;
}

bool
membership_may_tell(const struct circle *top, const struct uuid *by)
{
    for (size_t i = 0; i < top->heir_n; i++)
        if (id_eq(&top->heirs[i], by))
            return true;
    return id_eq(&top->owner, by);
}

/* It was told to be out by a version that is not known here, by who could have signed one. */
static bool
told_out(const struct membership *m, const struct membership_group *g, const struct uuid *member)
{
    const struct circle *top = g->current.top;

    for (size_t i = 0; i < m->out_n; i++)
        if (memcmp(m->outs[i].group, top->group, GROUP_ID_BYTES) == 0 &&
            id_eq(&m->outs[i].member, member) && m->outs[i].order > circle_order(top) &&
            membership_may_tell(top, &m->outs[i].by))
            return true;
    return false;
}

int
membership_standing(const struct membership *m, const struct stream_name *audience,
                    const struct uuid *member, struct member_standing *out)
{
    const struct membership_group *g, *whole;
    struct member_standing s = {0}, region = {0};
    uint8_t group[GROUP_ID_BYTES];

    *out = s;
    if (m->chain_n == 0)
        return 0;
    in_region(m, member, &region);
    if (is_region(audience)) {
        *out = region;
        return 1;
    }
    if (!group_read(audience->group, group) || (g = find(m, group, audience->generation)) == NULL ||
        (whole = find(m, group, NULL)) == NULL)
        return 0;
    s.known = circle_order(g->current.top);
    for (size_t i = 0; i < g->n; i++)
        if (circle_has(m->circles[g->from + i].circle, member))
            was_in(&s, circle_order(m->circles[g->from + i].circle));
    /* Nobody speaks to a group that has left the region, whatever versions of the group say. */
    if (s.last_in > (region.last_in | VERSION_MAX))
        s.last_in = region.last_in | VERSION_MAX;
    s.now = region.now && counts(&g->current, member) && counts(&whole->current, member) &&
            !told_out(m, whole, member);
    *out = s;
    return 1;
}

/* ---- what comes ---- */

const struct region *
membership_region(const struct membership *m, uint64_t version)
{
    for (size_t i = m->chain_n; i-- > 0;)
        if (m->chain[i].version == version)
            return &m->chain[i];
    return NULL;
}

static bool
signed_by_member(const struct circle *c, const struct circle_mark *mark, const struct region *at)
{
    const struct region_member *by = region_member(at, &mark->by);

    return by != NULL && memcmp(mark->group, c->group, GROUP_ID_BYTES) == 0 &&
           mark->order == circle_order(c) && hash_eq(&mark->body, &c->hash) &&
           circle_mark_ok(mark, &mark->by, &by->key);
}

/* Versions between are not known: who would sign the next one of what counts is believed. */
static int
over_a_gap(const struct membership_group *g, const struct circle *c, const struct circle_mark *mark,
           const struct region *at, struct err *e)
{
    const struct circle *top = g->current.top;
    const struct uuid *signer = circle_signer(top, c, at);

    if (!signed_by_member(c, mark, at))
        return err_set(e, ERR_AUTH, "not signed by who says so");
    if (signer == NULL || !id_eq(signer, &mark->by) || circle_order(c) <= circle_order(top))
        return 0;
    if (!id_eq(signer, &top->owner) && !id_eq(signer, &c->owner))
        return err_set(e, ERR_RULE, "an heir that signs becomes owner");
    return 1;
}

int
membership_admits(const struct membership *m, const struct circle *c,
                  const struct circle_mark *mark, bool first_word, struct err *e)
{
    const struct region *at = membership_region(m, c->region);
    const struct membership_group *g = find(m, c->group, NULL);
    const struct circle *prev = NULL;

    if (at == NULL)
        return 0;
    for (size_t i = 0; g != NULL && i < g->n; i++) {
        const struct circle *known = m->circles[g->from + i].circle;

        if (hash_eq(&known->hash, &c->previous))
            prev = known;
        if (hash_eq(&known->previous, &c->hash))
            return signed_by_member(c, mark, at)
                       ? 1
                       : err_set(e, ERR_AUTH, "not signed by who says so");
    }
    if (prev != NULL)
        return circle_check(prev, c, mark, at, e) < 0 ? -1 : 1;
    if (g != NULL)
        return over_a_gap(g, c, mark, at, e);
    if (!first_word)
        return 0;
    return (c->version == 1 ? circle_check(NULL, c, mark, at, e)
                            : circle_check_alone(c, mark, at, e)) < 0
               ? -1
               : 1;
}

/* ---- where streams end ---- */

/* The version that follows the last one that the member is in says where its streams end. */
static int
region_final(const struct membership *m, const struct uuid *member, const struct hash *stream,
             uint64_t *size)
{
    size_t i = m->chain_n;

    while (i > 0 && region_member(&m->chain[i - 1], member) == NULL)
        i--;
    if (i == 0 || i == m->chain_n)
        return 0;
    *size = 0;
    for (size_t k = 0; k < m->chain[i].removed_n; k++) {
        const struct region_removed *r = &m->chain[i].removed[k];

        for (size_t f = 0; id_eq(&r->id, member) && f < r->final_n; f++)
            if (hash_eq(&r->finals[f].stream, stream))
                *size = r->finals[f].size;
    }
    return 1;
}

int
membership_final(const struct membership *m, const struct stream_name *name,
                 const struct hash *stream, uint64_t *size)
{
    const struct membership_group *g;
    uint8_t group[GROUP_ID_BYTES];
    int rc;

    if (is_region(name))
        return region_final(m, &name->publisher, stream, size);
    if (!group_read(name->group, group) || (g = find(m, group, NULL)) == NULL)
        return 0;
    rc = circle_final(m->circles + g->from, g->n, g->current.top, &name->publisher, stream, size);
    if (rc < 0)
        *size = 0;
    return rc != 0;
}
