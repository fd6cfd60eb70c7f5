/* exchange/cast.c - organisations, principals and groups by number and by name. */
#include "inside.h"

static const struct span gone = {"?", 1};

/* Lists come sorted by number, which is the first member of every entry. */
static const void *
by_number(const void *base, size_t n, size_t size, uint32_t number)
{
    size_t lo = 0;

    while (lo < n) {
        size_t mid = lo + (n - lo) / 2;
        const uint32_t *at = (const void *)((const char *)base + mid * size);

        if (*at == number)
            return at;
        if (*at < number)
            lo = mid + 1;
        else
            n = mid;
    }
    return NULL;
}

const struct store_org *
cast_org(const struct cast *c, uint32_t number)
{
    return by_number(c->orgs, c->org_count, sizeof *c->orgs, number);
}

const struct store_principal *
cast_principal(const struct cast *c, uint32_t number)
{
    return by_number(c->principals, c->principal_count, sizeof *c->principals, number);
}

const struct store_group *
cast_group(const struct cast *c, uint32_t number)
{
    return by_number(c->groups, c->group_count, sizeof *c->groups, number);
}

const struct audience *
cast_audience(const struct cast *c, uint32_t number)
{
    return by_number(c->audiences, c->audience_count, sizeof *c->audiences, number);
}

const struct store_org *
cast_org_named(const struct cast *c, struct span name)
{
    if (span_is(name, "own"))
        return cast_org(c, ORG_SELF);
    for (size_t i = 0; i < c->org_count; i++) {
        if (span_eq(c->orgs[i].name, name) ||
            (c->orgs[i].identity.n > 0 && span_eq(c->orgs[i].identity, name)))
            return &c->orgs[i];
    }
    return NULL;
}

const struct store_principal *
cast_principal_named(const struct cast *c, struct span name)
{
    for (size_t i = 0; i < c->principal_count; i++) {
        if (span_eq(c->principals[i].name, name))
            return &c->principals[i];
    }
    return NULL;
}

const struct store_group *
cast_group_named(const struct cast *c, struct span name)
{
    const struct store_org *org;
    const struct right_group *own;

    for (size_t i = 0; i < c->group_count; i++) {
        if (c->groups[i].name.n > 0 && span_eq(c->groups[i].name, name))
            return &c->groups[i];
    }
    org = cast_org_named(c, name);
    own = org != NULL ? rights_own_group(&c->rights, org->r.number) : NULL;
    return own != NULL ? cast_group(c, own->number) : NULL;
}

struct span
cast_org_name(const struct cast *c, uint32_t number)
{
    const struct store_org *o = cast_org(c, number);

    return o != NULL ? o->name : gone;
}

struct span
cast_group_name(const struct cast *c, uint32_t number)
{
    const struct store_group *g = cast_group(c, number);

    if (g == NULL)
        return gone;
    return g->r.kind == GROUP_KIND_OWN ? cast_org_name(c, g->r.org) : g->name;
}

struct span
cast_audience_name(const struct cast *c, const struct audience *a)
{
    const struct store_principal *p;

    if (a->label != TLP_RED)
        return cast_group_name(c, a->group);
    p = cast_principal(c, a->person);
    return p != NULL ? p->name : gone;
}
