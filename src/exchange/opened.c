/*
 * exchange/opened.c - what an administrative act opens and closes.
 *
 * Whatever lets an organisation, a principal or nobody read an audience that it could not read
 * before is a grant: the older publications then appear at dates of their own, so that one who
 * polls misses nothing.  Whatever closes it is a leaving.  So an act is compared by its effect:
 * who could read what before, and who can after.
 */
#include "opened.h"

#include "mem.h"

/* Principals that come by themselves; a token reads with its organisation and its owner. */
static bool
counts(const struct right_principal *p)
{
    return p->kind == PRINCIPAL_PERSON || p->kind == PRINCIPAL_PEER ||
           p->kind == PRINCIPAL_ANONYMOUS || (p->kind == PRINCIPAL_TOKEN && p->owner == 0);
}

static bool
reads(const struct rights *r, const struct right_principal *p, const struct audience *a,
      int64_t now)
{
    struct asker who = {.principal = p->number,
                        .channel = p->kind == PRINCIPAL_TOKEN  ? CHANNEL_TOKEN
                                   : p->kind == PRINCIPAL_PEER ? CHANNEL_PEER
                                                               : CHANNEL_SESSION,
                        .listener = {0, TLP_RED},
                        .exercise = a->exercise,
                        .now_us = now};

    return may_read(r, &who, a).yes;
}

int
opened_begin(struct exchange *x, struct opened *o, struct err *e)
{
    const struct cast *c = &x->cast;
    size_t n;

    *o = (struct opened){.audiences = c->audience_count};
    o->principals = mem_zero(c->rights.principal_count + 1, sizeof *o->principals);
    n = c->rights.principal_count * c->audience_count;
    o->bits = mem_zero(n / 8 + 1, 1);
    if (o->principals == NULL || o->bits == NULL) {
        opened_clear(o);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < c->rights.principal_count; i++) {
        const struct right_principal *p = &c->rights.principals[i];

        o->principals[i] = p->number;
        for (size_t k = 0; counts(p) && k < c->audience_count; k++) {
            size_t bit = i * c->audience_count + k;

            if (reads(&c->rights, p, &c->audiences[k], now_us(x)))
                o->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
        }
    }
    o->principal_count = c->rights.principal_count;
    return 0;
}

void
opened_clear(struct opened *o)
{
    mem_free(o->principals);
    mem_free(o->bits);
    *o = (struct opened){0};
}

/* Audiences and principals are only ever added, in the order of their numbers. */
static bool
read_before(const struct opened *o, size_t principal, size_t audience)
{
    size_t bit = principal * o->audiences + audience;

    return (o->bits[bit / 8] & 1u << bit % 8) != 0;
}

static bool
find_before(const struct opened *o, uint32_t principal, size_t *at)
{
    for (size_t i = 0; i < o->principal_count; i++) {
        if (o->principals[i] == principal) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* How one organisation stood and stands to one audience. */
struct change {
    size_t was, is, gained, lost; /* principals */
};

static struct change
change_of(struct exchange *x, const struct opened *o, uint32_t org, size_t k)
{
    const struct rights *r = &x->cast.rights;
    struct change ch = {0};
    size_t at;

    for (size_t i = 0; i < r->principal_count; i++) {
        const struct right_principal *p = &r->principals[i];
        bool before, after;

        if (p->org != org || !counts(p) || !find_before(o, p->number, &at))
            continue;
        before = read_before(o, at, k);
        after = reads(r, p, &x->cast.audiences[k], now_us(x));
        ch.was += before;
        ch.is += after;
        ch.gained += after && !before;
        ch.lost += before && !after;
    }
    return ch;
}

static int
begin_grant(struct exchange *x, struct opened *o, uint32_t audience, enum view_grant_to to,
            uint32_t number, struct err *e)
{
    uint64_t older = 0;

    if (store_grant_begin(x->store, audience, to, number, &older, e) != 0)
        return -1;
    o->appears += older;
    return 0;
}

static int
settle_principals(struct exchange *x, struct opened *o, uint32_t org, size_t k, bool whole,
                  struct err *e)
{
    const struct rights *r = &x->cast.rights;
    const struct audience *a = &x->cast.audiences[k];
    size_t at;

    for (size_t i = 0; i < r->principal_count; i++) {
        const struct right_principal *p = &r->principals[i];
        bool nobody = p->kind == PRINCIPAL_ANONYMOUS;
        bool before, after;

        if (p->org != org || !counts(p) || !find_before(o, p->number, &at))
            continue;
        before = read_before(o, at, k);
        after = reads(r, p, a, now_us(x));
        if (after && !before && !whole &&
            begin_grant(x, o, a->number, nobody ? GRANT_NOBODY : GRANT_PRINCIPAL,
                        nobody ? 0 : p->number, e) != 0)
            return -1;
        if (before && !after &&
            store_grant_end(x->store, a->number, nobody ? GRANT_NOBODY : GRANT_PRINCIPAL,
                            nobody ? 0 : p->number, e) != 0)
            return -1;
    }
    return 0;
}

static int
settle(struct exchange *x, struct opened *o, uint32_t org, size_t k, struct err *e)
{
    struct change ch = change_of(x, o, org, k);
    uint32_t audience = x->cast.audiences[k].number;
    bool whole = org != 0 && ch.was == 0 && ch.gained > 0;

    if (ch.gained == 0 && ch.lost == 0)
        return 0;
    if (whole && begin_grant(x, o, audience, GRANT_ORG, org, e) != 0)
        return -1;
    if (org != 0 && ch.was > 0 && ch.is == 0 &&
        store_grant_end(x->store, audience, GRANT_ORG, org, e) != 0)
        return -1;
    return settle_principals(x, o, org, k, whole, e);
}

int
opened_settle(struct exchange *x, struct opened *o, struct err *e)
{
    struct cast *c = &x->cast;
    size_t n;

    if (cast_refresh(x, e) != 0)
        return -1;
    n = o->audiences < c->audience_count ? o->audiences : c->audience_count;
    for (size_t k = 0; k < n; k++) {
        if (settle(x, o, 0, k, e) != 0)
            return -1;
        for (size_t i = 0; i < c->rights.org_count; i++) {
            if (settle(x, o, c->rights.orgs[i].number, k, e) != 0)
                return -1;
        }
    }
    return 0;
}
