/*
 * exchange/collection.c - TAXII collections: what I may see, one for each of my groups, the public.
 *
 * A collection is no thing that is kept but a part of a view, so its id must come out the same
 * every time: a UUIDv5 over the node's identity, the kind, the group's number and the side.
 */
#include "inside.h"

#include <stdio.h>
#include <string.h>

#include "publish.h"

static void
collection_name(struct exchange *x, struct collection *c)
{
    static const char *const kinds[] = {"all", "public", "group"};
    char name[64];
    struct uuid id;

    snprintf(name, sizeof name, "collection %s %u %s", kinds[c->kind], c->group,
             c->exercise ? "exercise" : "live");
    uuid_v5(&x->identity, span_of(name), &id);
    uuid_print(&id, c->id);
    if (c->kind == COLLECTION_GROUP) {
        struct span g = cast_group_name(&x->cast, c->group);

        snprintf(c->alias, sizeof c->alias, "%s%.*s", c->exercise ? "exercise-" : "", (int)g.n,
                 g.p);
    } else {
        snprintf(c->alias, sizeof c->alias, "%s%s", c->exercise ? "exercise-" : "", kinds[c->kind]);
    }
}

struct span
collection_title(struct exchange *x, const struct collection *c, struct arena *a)
{
    const char *side = c->exercise ? "EXERCISE: " : "";
    const struct store_group *g;
    struct span name;

    if (c->kind == COLLECTION_ALL)
        return span_of(arena_printf(a, "%sAll that you may see at %s", side, x->name));
    if (c->kind == COLLECTION_PUBLIC)
        return span_of(arena_printf(a, "%sPublic, from %s", side, x->name));
    g = cast_group(&x->cast, c->group);
    name = g != NULL && g->title.n > 0 ? g->title : cast_group_name(&x->cast, c->group);
    return span_of(arena_printf(a, "%sGroup %.*s", side, (int)name.n, name.p));
}

/* Whether who may post to some audience of that group: the label comes with the object. */
static bool
may_write(struct exchange *x, const struct asker *who, const struct collection *c)
{
    const struct store_principal *p = cast_principal(&x->cast, who->principal);
    const struct right_group *g;
    struct asker side = *who;
    struct audience a = {.exercise = c->exercise};

    if (p == NULL)
        return false;
    g = c->group != 0 ? rights_group(&x->cast.rights, c->group)
                      : rights_own_group(&x->cast.rights, p->r.org);
    if (g == NULL)
        return false;
    side.exercise = c->exercise;
    a.group = g->number;
    a.generation = g->generation;
    for (enum tlp t = TLP_CLEAR; t < TLP_RED; t++) {
        a.label = t;
        if (publish_may(&x->cast.rights, &side, &a) == PUBLISH_YES)
            return true;
    }
    return false;
}

static void
collection_add(struct exchange *x, const struct asker *who, enum collection_kind kind,
               uint32_t group, struct collection *list, size_t *n)
{
    struct collection c = {.kind = kind, .exercise = who->exercise, .group = group};

    c.can_write = may_write(x, who, &c);
    collection_name(x, &c);
    list[(*n)++] = c;
}

/* One side of what who has. */
static void
collections_side(struct exchange *x, const struct asker *who, const struct right_principal *p,
                 uint32_t only, struct collection *list, size_t *n)
{
    const struct rights *r = &x->cast.rights;

    if (only == 0)
        collection_add(x, who, COLLECTION_ALL, 0, list, n);
    for (size_t i = 0; i < r->group_count; i++) {
        const struct right_group *g = &r->groups[i];
        const struct right_generation *now = rights_generation(r, g->generation);

        if (cast_group(&x->cast, g->number) == NULL || (only != 0 && g->number != only))
            continue;
        if (g->kind == GROUP_KIND_PUBLIC)
            collection_add(x, who, COLLECTION_PUBLIC, g->number, list, n);
        else if (now != NULL && rights_in_generation(now, p->org))
            collection_add(x, who, COLLECTION_GROUP, g->number, list, n);
    }
}

int
collections_of(struct exchange *x, const struct asker *who, struct arena *a,
               struct collection **out, size_t *n, struct err *e)
{
    struct asker side = *who;
    struct right_principal p;

    *n = 0;
    *out = arena_zero(a, 2 * (x->cast.rights.group_count + 1), sizeof **out);
    if (*out == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (!rights_effective(&x->cast.rights, who->principal, who->now_us, &p))
        return 0;
    side.exercise = false;
    if (p.kind == PRINCIPAL_ANONYMOUS) {
        if (x->public_open)
            collection_add(x, &side, COLLECTION_PUBLIC, GROUP_PUBLIC, *out, n);
        return 0;
    }
    if (!(p.roles & (ROLE_READER | ROLE_ANALYST | ROLE_PUBLISHER)))
        return 0;
    collections_side(x, &side, &p, p.only_group, *out, n);
    if (p.exercise) {
        side.exercise = true;
        collections_side(x, &side, &p, p.only_group, *out, n);
    }
    return 0;
}

/* Where a collection that was asked for by that name may be kept; NULL: the name is none. */
static struct found_slot *
found_at(struct exchange *x, const struct asker *who, struct span name)
{
    uint32_t h = who->principal;

    if (name.n == 0 || name.n >= sizeof x->found[0].name)
        return NULL;
    for (size_t i = 0; i < name.n; i++)
        h = h * 31 + (unsigned char)name.p[i];
    return &x->found[h % FOUND_KEPT];
}

static bool
found_is(const struct exchange *x, const struct found_slot *f, const struct asker *who,
         struct span name)
{
    return f != NULL && f->set && f->version == x->cast.version && same_asker(&f->who, who) &&
           who->now_us >= f->built_us && who->now_us - f->built_us < VIEW_KEPT_US &&
           span_is(name, f->name);
}

static void
found_keep(struct exchange *x, struct found_slot *f, const struct asker *who, struct span name,
           const struct collection *c)
{
    if (f == NULL)
        return;
    *f = (struct found_slot){.set = true,
                             .who = *who,
                             .version = x->cast.version,
                             .built_us = who->now_us,
                             .collection = *c};
    memcpy(f->name, name.p, name.n); /* an id or an alias: without NUL */
}

int
collection_find(struct exchange *x, const struct asker *who, struct span name, struct arena *a,
                struct collection *out, struct err *e)
{
    struct found_slot *kept = found_at(x, who, name);
    struct collection *list;
    size_t n;

    if (found_is(x, kept, who, name)) {
        *out = kept->collection;
        return 0;
    }
    if (collections_of(x, who, a, &list, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (span_is(name, list[i].id) || span_is(name, list[i].alias)) {
            *out = list[i];
            found_keep(x, kept, who, name, out);
            return 0;
        }
    }
    /* Whether there is such a collection is for those who are logged in, and for them alone. */
    if (who->principal == PRINCIPAL_NOBODY)
        return err_set(e, ERR_AUTH, "log in to read this");
    return err_set(e, ERR_MISSING, "no such collection");
}
