/* Who may sign a version of a group, what may follow which, and which of several counts. */
#include "circle.h"

#include <string.h>
#include "crypto.h"

static bool
id_eq(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

const struct uuid *
circle_signer(const struct circle *prev, const struct circle *next, const struct region *region)
{
    if (prev == NULL)
        return region_member(region, &next->owner) != NULL ? &next->owner : NULL;
    if (region_member(region, &prev->owner) != NULL)
        return &prev->owner;
    for (size_t i = 0; i < prev->heir_n; i++)
        if (region_member(region, &prev->heirs[i]) != NULL)
            return &prev->heirs[i];
    return NULL;
}

/* The signature of signer, a member of that region version, on this body. */
static int
mark_check(const struct circle *c, const struct circle_mark *mark, const struct region *region,
           const struct uuid *signer, struct err *e)
{
    const struct region_member *m = region_member(region, signer);

    if (memcmp(mark->group, c->group, GROUP_ID_BYTES) != 0 || mark->order != circle_order(c) ||
        !hash_eq(&mark->body, &c->hash))
        return err_set(e, ERR_AUTH, "signed is another version of a group");
    if (m == NULL || !circle_mark_ok(mark, signer, &m->key))
        return err_set(e, ERR_AUTH, "not signed by the owner of the group, or its heir");
    return 0;
}

static int
follows(const struct circle *prev, const struct circle *next, struct err *e)
{
    if (memcmp(prev->group, next->group, GROUP_ID_BYTES) != 0 ||
        !hash_eq(&next->previous, &prev->hash))
        return err_set(e, ERR_RULE, "a version that does not follow this one");
    if (next->version <= prev->version || next->region < prev->region)
        return err_set(e, ERR_RULE, "versions of a group and of its region rise");
    if (next->past != (memcmp(prev->generation, next->generation, CIRCLE_GENERATION_BYTES) == 0))
        return err_set(e, ERR_RULE, "a new generation is what has no past");
    for (size_t i = 0; i < next->final_n; i++)
        if (!circle_has(prev, &next->finals[i].member))
            return err_set(e, ERR_RULE, "the end of a stream of one who was no member");
    return 0;
}

int
circle_check(const struct circle *prev, const struct circle *next, const struct circle_mark *mark,
             const struct region *region, struct err *e)
{
    const struct uuid *signer;

    if (region->version != next->region)
        return err_set(e, ERR_MISSING, "the group rests on another version of the region");
    if (prev == NULL && next->version != 1)
        return err_set(e, ERR_RULE, "a group begins with version 1");
    if (prev != NULL && follows(prev, next, e) < 0)
        return -1;
    signer = circle_signer(prev, next, region);
    if (signer == NULL)
        return err_set(e, ERR_AUTH, "nobody is left who can sign for the group");
    if (prev != NULL && !id_eq(signer, &prev->owner) && !id_eq(signer, &next->owner))
        return err_set(e, ERR_RULE, "an heir that signs becomes owner");
    return mark_check(next, mark, region, signer, e);
}

int
circle_check_alone(const struct circle *next, const struct circle_mark *mark,
                   const struct region *region, struct err *e)
{
    if (region->version != next->region)
        return err_set(e, ERR_MISSING, "the group rests on another version of the region");
    return mark_check(next, mark, region, &next->owner, e);
}

/* ---- as bytes ---- */

int
circle_signed_encode(const struct circle_signed *s, struct buf *out, struct err *e)
{
    if (s->body.n > CIRCLE_BODY_MAX)
        return err_set(e, ERR_RANGE, "no version of a group");
    buf_field(out, s->body);
    buf_put(out, s->by.b, sizeof s->by.b);
    buf_put(out, s->sig.b, SIGNATURE_BYTES);
    if (out->failed)
        return err_set(e, out->full ? ERR_LIMIT : ERR_MEMORY, "no room for a signed version");
    return 0;
}

int
circle_signed_decode(struct span bytes, struct circle_signed *out, struct err *e)
{
    struct reader r = reader_of(bytes);
    struct circle_signed s = {.body = reader_field(&r, CIRCLE_BODY_MAX)};

    reader_copy(&r, s.by.b, sizeof s.by.b);
    reader_copy(&r, s.sig.b, SIGNATURE_BYTES);
    if (reader_end(&r, e) < 0)
        return -1;
    *out = s;
    return 0;
}

struct circle_mark
circle_mark_of(const struct circle *c, const struct circle_signed *s)
{
    struct circle_mark m = {.order = circle_order(c), .body = c->hash, .by = s->by, .sig = s->sig};

    memcpy(m.group, c->group, GROUP_ID_BYTES);
    return m;
}

/* ---- what counts ---- */

/* By order, then by hash, so that all who know the same agree. */
static bool
above(const struct circle *a, const struct circle *b)
{
    const uint64_t x = circle_order(a), y = circle_order(b);

    return x != y ? x > y : memcmp(a->hash.b, b->hash.b, HASH_BYTES) < 0;
}

static bool
rivals(const struct circle_known *k, const struct circle *top, const struct region *newest)
{
    const struct circle *c = k->circle;

    if (hash_eq(&c->hash, &top->hash) || c->version < top->version)
        return false;
    return circle_order(c) == circle_order(top) || region_member(newest, &k->by) != NULL;
}

int
circle_current(const struct circle_known *known, size_t n, const struct region *newest,
               struct arena *a, struct circle_current *out, struct err *e)
{
    struct circle_current cur = {.settled = true};
    const struct circle *top;

    if (n == 0)
        return err_set(e, ERR_MISSING, "no version of the group is known");
    top = known[0].circle;
    for (size_t i = 0; i < n; i++) {
        const struct circle *c = known[i].circle;

        if (memcmp(c->group, top->group, GROUP_ID_BYTES) != 0)
            return err_set(e, ERR_RULE, "versions of two groups");
        if (c->region > newest->version)
            return err_set(e, ERR_MISSING, "a version of the region is not known yet");
        if (above(c, top))
            top = c;
    }
    cur.members = arena_alloc(a, top->member_n * sizeof *cur.members);
    if (cur.members == NULL)
        return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no room for a group's members");
    memcpy(cur.members, top->members, top->member_n * sizeof *cur.members);
    cur.member_n = top->member_n;
    cur.next = top->version + 1;
    for (size_t i = 0; i < n; i++) {
        size_t kept = 0;

        if (!rivals(&known[i], top, newest))
            continue;
        cur.settled = false;
        if (known[i].circle->version >= cur.next)
            cur.next = known[i].circle->version + 1;
        for (size_t j = 0; j < cur.member_n; j++)
            if (circle_has(known[i].circle, &cur.members[j]))
                cur.members[kept++] = cur.members[j];
        cur.member_n = kept;
    }
    cur.top = top;
    *out = cur;
    return 0;
}

bool
circle_may_have(const struct circle_known *known, size_t n,
                const uint8_t generation[CIRCLE_GENERATION_BYTES], const struct uuid *member,
                uint64_t at)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(known[i].circle->generation, generation, CIRCLE_GENERATION_BYTES) == 0 &&
            circle_order(known[i].circle) >= at && circle_has(known[i].circle, member))
            return true;
    return false;
}

static const struct circle *
before(const struct circle_known *known, size_t n, const struct circle *c)
{
    for (size_t i = 0; i < n; i++)
        if (hash_eq(&known[i].circle->hash, &c->previous))
            return known[i].circle;
    return NULL;
}

int
circle_final(const struct circle_known *known, size_t n, const struct circle *top,
             const struct uuid *member, const struct hash *stream, uint64_t *size)
{
    const struct circle *c = top, *prev;

    if (circle_has(top, member))
        return 0;
    /* Numbers fall on the way, so it ends. */
    while (c->version > 1) {
        prev = before(known, n, c);
        if (prev == NULL || prev->version >= c->version)
            return -1;
        if (circle_has(prev, member)) {
            *size = 0;
            for (size_t i = 0; i < c->final_n; i++)
                if (id_eq(&c->finals[i].member, member) && hash_eq(&c->finals[i].stream, stream))
                    *size = c->finals[i].size;
            return 1;
        }
        c = prev;
    }
    return 0;
}
