/* exchange/members_apply.c - what region and groups mean for the rows of rights here. */
#include "members.h"

#include <string.h>

#include "batch.h"
#include "opened.h"

static bool
same_id(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

uint32_t
member_org(const struct exchange *x, const struct uuid *id)
{
    char name[SAID_NAME + 1];

    if (same_id(id, &x->identity))
        return ORG_SELF;
    identity_name(id, name);
    for (size_t i = 0; i < x->cast.org_count; i++)
        if (span_is(x->cast.orgs[i].identity, name))
            return x->cast.orgs[i].r.number;
    return 0;
}

/* -- organisations -------------------------------------------------------------------------------
 */

static bool
name_taken(const struct exchange *x, struct span name)
{
    return cast_org_named(&x->cast, name) != NULL || cast_group_named(&x->cast, name) != NULL;
}

/* A name that is free here: as it is, or with a number. */
static struct span
free_name(struct exchange *x, struct span wanted)
{
    struct arena *a = x->commit->arena;
    struct span name =
        span_part(wanted, 0, wanted.n < STORE_NAME_MAX - 8 ? wanted.n : STORE_NAME_MAX - 8);

    for (unsigned i = 2; name.n > 0 && name_taken(x, name); i++)
        name = span_of(
            arena_printf(a, "%.*s %u", (int)(wanted.n < 190 ? wanted.n : 190), wanted.p, i));
    return name;
}

static int
member_put(struct exchange *x, const struct region_member *r, struct err *e)
{
    struct store_org o = {.r = {.kind = ORG_MEMBER}};
    const struct store_org *there = cast_org(&x->cast, member_org(x, &r->id));
    char *identity = arena_alloc(x->commit->arena, SAID_NAME + 1);

    if (identity == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    identity_name(&r->id, identity);
    if (there != NULL && there->r.kind == ORG_MEMBER && !there->r.disabled &&
        span_eq(there->title, r->name))
        return 0;
    if (there != NULL)
        o = *there;
    else
        o.name = free_name(x, r->name);
    o.r.kind = ORG_MEMBER;
    o.r.member = 0;
    o.r.disabled = false;
    o.title = r->name;
    o.identity = span_of(identity);
    if (o.name.n == 0)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (store_org_put(x->store, &o, e) != 0 || store_bind(x->store, o.identity, o.r.number, e) != 0)
        return -1;
    return cast_refresh(x, e);
}

static bool
in_group_now(const struct exchange *x, uint32_t group, uint32_t org)
{
    const struct right_group *g = rights_group(&x->cast.rights, group);
    const struct right_generation *n =
        g != NULL ? rights_generation(&x->cast.rights, g->generation) : NULL;

    return n != NULL && rights_in_generation(n, org);
}

static int
region_members(struct exchange *x, const struct membership *m, struct err *e)
{
    const struct region *now = &m->chain[m->chain_n - 1];

    for (size_t i = 0; i < now->member_n; i++) {
        const struct region_member *r = &now->members[i];
        uint32_t org;

        if (!same_id(&r->id, &x->identity) && member_put(x, r, e) != 0)
            return -1;
        org = member_org(x, &r->id);
        if (!in_group_now(x, GROUP_REGION, org) &&
            store_member_add(x->store, GROUP_REGION, org, e) != 0)
            return -1;
    }
    for (size_t i = 0; i < x->cast.org_count; i++) {
        const struct store_org *o = &x->cast.orgs[i];
        struct uuid id;

        if (o->r.kind != ORG_MEMBER || !identity_read(o->identity, &id) ||
            membership_member(m, &id) == NULL || region_member(now, &id) != NULL ||
            !in_group_now(x, GROUP_REGION, o->r.number))
            continue;
        if (store_member_remove(x->store, GROUP_REGION, o->r.number, e) != 0)
            return -1;
    }
    return cast_refresh(x, e);
}

/* -- groups --------------------------------------------------------------------------------------
 */

static bool
has_member(const struct circle_current *c, const struct uuid *id)
{
    for (size_t i = 0; i < c->member_n; i++)
        if (same_id(&c->members[i], id))
            return true;
    return false;
}

/* The group's row: its number, made where there is none. */
static int
group_row(struct exchange *x, const struct circle *c, uint32_t *number, struct err *e)
{
    struct store_group g = {.r = {.kind = GROUP_KIND_NAMED}};
    int rc = store_group_known(x->store, c->group, number, e);

    if (rc < 0)
        return -1;
    if (rc == 1) {
        const struct store_group *there = cast_group(&x->cast, *number);

        if (there == NULL)
            return err_set(e, ERR_CONFLICT, "the group has been removed here");
        g = *there;
        if (span_eq(g.title, c->name) && span_eq(g.charter, c->charter) &&
            g.r.org == member_org(x, &c->owner))
            return 0;
    } else {
        g.name = free_name(x, c->name);
        g.r.past = true; /* generations begin as versions say, not as members come */
    }
    g.title = c->name;
    g.charter = c->charter;
    g.r.org = member_org(x, &c->owner);
    if ((rc == 1 ? store_group_put(x->store, &g, e) : store_group_as(x->store, &g, c->group, e)) !=
        0)
        return -1;
    *number = g.r.number;
    return cast_refresh(x, e);
}

static int
group_generation(struct exchange *x, uint32_t group, const uint8_t *id, bool current, uint32_t *out,
                 struct err *e)
{
    int rc = store_generation_known(x->store, group, id, out, e);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (store_generation_as(x->store, group, id, current, out, e) != 0)
        return -1;
    return cast_refresh(x, e);
}

/* Organisations that are members of the region; who else is in it here is a local matter. */
static bool
is_peer(const struct store_org *o)
{
    return o->r.kind == ORG_MEMBER || o->r.number == ORG_SELF;
}

static int
group_members(struct exchange *x, const struct circle_current *c, uint32_t group, struct err *e)
{
    for (size_t i = 0; i < x->cast.org_count; i++) {
        const struct store_org *o = &x->cast.orgs[i];
        struct uuid id;
        bool want, is;

        if (!is_peer(o) || !identity_read(o->identity, &id))
            continue;
        want = has_member(c, &id);
        is = in_group_now(x, group, o->r.number);
        if (want == is)
            continue;
        if ((want ? store_member_add(x->store, group, o->r.number, e)
                  : store_group_leave(x->store, group, o->r.number, e)) != 0)
            return -1;
    }
    return cast_refresh(x, e);
}

static int
group_apply(struct exchange *x, const struct membership *m, const struct circle_current *c,
            struct err *e)
{
    struct stream_name name = {.publisher = x->identity};
    char text[GROUP_TEXT + 1];
    struct member_standing me;
    uint32_t number, generation;
    int rc;

    group_text(c->top->group, text);
    name.group = span_from(text, GROUP_TEXT);
    memcpy(name.generation, c->top->generation, sizeof name.generation);
    if (membership_standing(m, &name, &x->identity, &me) == 0 || !me.now) {
        /* Told to be out, or never in: what was received stays received, and is seen no more. */
        rc = store_group_known(x->store, c->top->group, &number, e);
        if (rc <= 0)
            return rc;
        return store_group_leave(x->store, number, ORG_SELF, e) != 0 ? -1 : cast_refresh(x, e);
    }
    return group_row(x, c->top, &number, e) != 0 ||
                   group_generation(x, number, c->top->generation, true, &generation, e) != 0 ||
                   group_members(x, c, number, e) != 0
               ? -1
               : 0;
}

int
members_apply(struct exchange *x, struct err *e)
{
    const struct membership *m = members_now(x, e);
    const struct circle_current *c;
    struct opened o = {0};
    int rc;

    x->news = true;
    if (m == NULL)
        return -1;
    if (m->chain_n == 0)
        return 0;
    if (cast_refresh(x, e) != 0 || opened_begin(x, &o, e) != 0)
        return -1;
    rc = region_members(x, m, e);
    for (size_t i = 0; rc == 0 && (c = membership_group_at(m, i)) != NULL; i++)
        rc = group_apply(x, m, c, e);
    if (rc == 0)
        rc = opened_settle(x, &o, e);
    opened_clear(&o);
    return rc;
}

/* -- audiences -----------------------------------------------------------------------------------
 */

int
member_audience(struct exchange *x, const struct stream_name *name, struct audience *out,
                struct err *e)
{
    struct audience a = {.label = (enum tlp)name->label, .exercise = name->exercise};
    static const uint8_t none[LEDGER_RANDOM_BYTES];
    uint8_t id[GROUP_ID_BYTES];
    const struct right_group *g;
    int rc;

    if (name->label >= TLP_RED)
        return 0;
    if (span_is(name->group, "public") || span_is(name->group, "region")) {
        a.group = span_is(name->group, "public") ? GROUP_PUBLIC : GROUP_REGION;
        if (memcmp(name->generation, none, sizeof none) != 0 ||
            (g = rights_group(&x->cast.rights, a.group)) == NULL)
            return 0;
        a.generation = g->generation;
    } else {
        if (!group_read(name->group, id))
            return 0;
        rc = store_group_known(x->store, id, &a.group, e);
        if (rc <= 0)
            return rc;
        if (group_generation(x, a.group, name->generation, false, &a.generation, e) != 0)
            return -1;
    }
    if (audience_number(x, &a, e) != 0)
        return -1;
    *out = a;
    return 1;
}
