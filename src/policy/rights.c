#include "rights.h"

#include <stdlib.h>

bool
audience_same(const struct audience *a, const struct audience *b)
{
    return a->label == b->label && a->exercise == b->exercise && a->group == b->group &&
           a->generation == b->generation && a->person == b->person;
}

/* Every element of the four tables begins with its number. */
static const void *
find_number(const void *base, size_t n, size_t size, uint32_t number)
{
    size_t lo = 0;

    while (lo < n) {
        size_t mid = lo + (n - lo) / 2;
        const uint32_t *p = (const void *)((const char *)base + mid * size);

        if (*p == number) {
            return p;
        }
        if (*p < number) {
            lo = mid + 1;
        } else {
            n = mid;
        }
    }
    return NULL;
}

const struct right_org *
rights_org(const struct rights *r, uint32_t number)
{
    return find_number(r->orgs, r->org_count, sizeof *r->orgs, number);
}

const struct right_principal *
rights_principal(const struct rights *r, uint32_t number)
{
    return find_number(r->principals, r->principal_count, sizeof *r->principals, number);
}

const struct right_group *
rights_group(const struct rights *r, uint32_t number)
{
    return find_number(r->groups, r->group_count, sizeof *r->groups, number);
}

const struct right_generation *
rights_generation(const struct rights *r, uint32_t number)
{
    return find_number(r->generations, r->generation_count, sizeof *r->generations, number);
}

const struct right_group *
rights_own_group(const struct rights *r, uint32_t org)
{
    for (size_t i = 0; i < r->group_count; i++) {
        if (r->groups[i].kind == GROUP_KIND_OWN && r->groups[i].org == org) {
            return &r->groups[i];
        }
    }
    return NULL;
}

bool
rights_in_generation(const struct right_generation *g, uint32_t org)
{
    return find_number(g->members, g->member_count, sizeof *g->members, org) != NULL;
}

enum standing
rights_standing(const struct rights *r, const struct right_generation *g, uint32_t org)
{
    const struct right_org *o = rights_org(r, org);

    if (o == NULL) {
        return STANDS_OUTSIDE;
    }
    if (rights_in_generation(g, org)) {
        return STANDS_MEMBER;
    }
    return o->kind == ORG_CONSTITUENT && rights_in_generation(g, o->member) ? STANDS_CONSTITUENT
                                                                            : STANDS_OUTSIDE;
}

bool
rights_org_active(const struct rights *r, uint32_t org, int64_t now_us)
{
    const struct right_org *o = rights_org(r, org);

    return o != NULL && !o->disabled && (o->expires_us == 0 || now_us < o->expires_us);
}

unsigned
rights_roles(unsigned roles)
{
    if (roles & ROLE_PUBLISHER) {
        roles |= ROLE_ANALYST;
    }
    if (roles & ROLE_ANALYST) {
        roles |= ROLE_READER;
    }
    return roles & ROLE_ALL;
}

static bool
principal_active(const struct rights *r, const struct right_principal *p, int64_t now_us)
{
    if (p == NULL || p->disabled || (p->expires_us != 0 && now_us >= p->expires_us)) {
        return false;
    }
    return p->kind == PRINCIPAL_ANONYMOUS || rights_org_active(r, p->org, now_us);
}

bool
rights_effective(const struct rights *r, uint32_t principal, int64_t now_us,
                 struct right_principal *out)
{
    const struct right_principal *p = rights_principal(r, principal);
    const struct right_principal *owner;
    struct right_principal is;

    if (!principal_active(r, p, now_us)) {
        return false;
    }
    is = *p;
    is.roles = rights_roles(is.roles);
    if (p->kind == PRINCIPAL_LOCAL) {
        is.roles |= ROLE_READER | ROLE_ANALYST | ROLE_PUBLISHER;
        is.staff = true;
        is.exercise = true;
    } else if (p->kind == PRINCIPAL_ANONYMOUS) {
        is.roles = 0;
        is.staff = false;
        is.exercise = false;
        is.ceiling = TLP_CLEAR;
    }
    if (p->kind == PRINCIPAL_TOKEN && p->owner != 0) {
        owner = rights_principal(r, p->owner);
        if (!principal_active(r, owner, now_us) || owner->kind != PRINCIPAL_PERSON ||
            owner->org != p->org) {
            return false;
        }
        is.roles &= rights_roles(owner->roles);
        is.staff = is.staff && owner->staff;
        is.exercise = is.exercise && owner->exercise;
        is.quarantine = is.quarantine || owner->quarantine;
        is.ceiling = is.ceiling < owner->ceiling ? is.ceiling : owner->ceiling;
    }
    *out = is;
    return true;
}

static bool
sorted(const void *base, size_t n, size_t size)
{
    uint32_t last = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t number = *(const uint32_t *)(const void *)((const char *)base + i * size);

        if (number <= last) { /* 0 is no number */
            return false;
        }
        last = number;
    }
    return true;
}

static int
bad(struct err *e, const char *text, uint32_t number)
{
    err_set(e, ERR_CORRUPT, text);
    return err_place(e, "%u", (unsigned)number);
}

static int
check_orgs(const struct rights *r, struct err *e)
{
    for (size_t i = 0; i < r->org_count; i++) {
        const struct right_org *o = &r->orgs[i];
        const struct right_org *m = rights_org(r, o->member);

        if (o->kind < ORG_OWN || o->kind > ORG_PARTNER ||
            (o->kind == ORG_OWN) != (o->number == ORG_SELF)) {
            return bad(e, "organisation of a wrong kind", o->number);
        }
        if (o->kind == ORG_CONSTITUENT ? m == NULL || (m->kind != ORG_OWN && m->kind != ORG_MEMBER)
                                       : o->member != 0) {
            return bad(e, "organisation with a wrong member", o->number);
        }
    }
    return 0;
}

static int
check_principals(const struct rights *r, struct err *e)
{
    for (size_t i = 0; i < r->principal_count; i++) {
        const struct right_principal *p = &r->principals[i];

        if (p->kind < PRINCIPAL_PERSON || p->kind > PRINCIPAL_ANONYMOUS ||
            (p->kind == PRINCIPAL_LOCAL) != (p->number == PRINCIPAL_OPERATOR) ||
            (p->kind == PRINCIPAL_ANONYMOUS) != (p->number == PRINCIPAL_NOBODY)) {
            return bad(e, "principal of a wrong kind", p->number);
        }
        if ((p->kind == PRINCIPAL_ANONYMOUS) != (p->org == 0) ||
            (p->org != 0 && rights_org(r, p->org) == NULL)) {
            return bad(e, "principal of no organisation", p->number);
        }
        if (p->kind == PRINCIPAL_LOCAL && p->org != ORG_SELF) {
            return bad(e, "the operator is of the own organisation", p->number);
        }
        if ((unsigned)p->ceiling >= TLP_COUNT || (p->roles & ~ROLE_ALL) != 0 ||
            (p->scope & ~(SCOPE_READ | SCOPE_WRITE)) != 0) {
            return bad(e, "principal with rights that do not exist", p->number);
        }
        if ((p->owner != 0 || p->only_group != 0) && p->kind != PRINCIPAL_TOKEN) {
            return bad(e, "principal that is no token, with a token's bounds", p->number);
        }
    }
    return 0;
}

static int
check_groups(const struct rights *r, struct err *e)
{
    for (size_t i = 0; i < r->group_count; i++) {
        const struct right_group *g = &r->groups[i];
        const struct right_generation *n = rights_generation(r, g->generation);

        if (g->kind < GROUP_KIND_PUBLIC || g->kind > GROUP_KIND_NAMED ||
            (g->kind == GROUP_KIND_PUBLIC) != (g->number == GROUP_PUBLIC) ||
            (g->kind == GROUP_KIND_REGION) != (g->number == GROUP_REGION) ||
            (g->kind == GROUP_KIND_OWN && rights_org(r, g->org) == NULL)) {
            return bad(e, "group of a wrong kind", g->number);
        }
        if (n == NULL || n->group != g->number) {
            return bad(e, "group without its generation", g->number);
        }
    }
    for (size_t i = 0; i < r->generation_count; i++) {
        const struct right_generation *n = &r->generations[i];
        const struct right_group *g = rights_group(r, n->group);

        if (g == NULL || !sorted(n->members, n->member_count, sizeof *n->members)) {
            return bad(e, "generation with a wrong group or members", n->number);
        }
        if (g->kind == GROUP_KIND_PUBLIC ? n->member_count != 0
            : g->kind == GROUP_KIND_OWN  ? n->member_count != 1 || n->members[0] != g->org
                                         : false) {
            return bad(e, "generation with members that its kind of group has not", n->number);
        }
    }
    return 0;
}

int
rights_check(const struct rights *r, struct err *e)
{
    if (!sorted(r->orgs, r->org_count, sizeof *r->orgs) ||
        !sorted(r->principals, r->principal_count, sizeof *r->principals) ||
        !sorted(r->groups, r->group_count, sizeof *r->groups) ||
        !sorted(r->generations, r->generation_count, sizeof *r->generations)) {
        return err_set(e, ERR_CORRUPT, "rights are not sorted by number");
    }
    if (check_orgs(r, e) != 0 || check_principals(r, e) != 0) {
        return -1;
    }
    return check_groups(r, e);
}
