#include "store_rights.h"

#include <string.h>

#include "ledger.h"
#include "mem.h"
#include "store_impl.h"

static void
changed(struct store *s)
{
    s->state.rights++;
    s->state_dirty = true;
}

int
store_rights_version(struct store *s, uint64_t *out, struct err *e)
{
    if (store_need_open(s, e) < 0)
        return -1;
    *out = s->state.rights;
    return 0;
}

static int
no_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "no memory for rights");
}

/* A list that grows in an arena: room for one more element, or NULL. */
static void *
grow(struct arena *a, void *list, size_t n, size_t size)
{
    void *more;

    if (n > 0 && (n & (n - 1)) != 0)
        return list; /* not a power of two: there is room */
    more = arena_zero(a, n ? 2 * n : 1, size);
    if (more && n > 0)
        memcpy(more, list, n * size);
    return more;
}

/* ---- organisations ---- */

#define ORG_SELECT                                                                                 \
    "SELECT n, kind, member, expires, disabled, removed, created, name, title, identity FROM org "

static void
org_read(struct store *s, struct db_stmt *q, struct store_org *o)
{
    *o = (struct store_org){.r = {.number = (uint32_t)sql_int(s, q, 0),
                                  .kind = (enum org_kind)sql_int(s, q, 1),
                                  .member = (uint32_t)sql_int(s, q, 2),
                                  .expires_us = sql_int(s, q, 3),
                                  .disabled = sql_int(s, q, 4) != 0},
                            .removed = sql_int(s, q, 5) != 0,
                            .created_us = sql_int(s, q, 6),
                            .name = sql_bytes(s, q, 7),
                            .title = sql_bytes(s, q, 8),
                            .identity = sql_bytes(s, q, 9)};
}

/* Copies a text out of a statement; false: no memory. */
static bool
keep(struct arena *a, struct span *t)
{
    const size_t n = t->n;

    *t = arena_span(a, *t);
    return n == 0 || t->p;
}

static bool
org_keep(struct arena *a, struct store_org *o)
{
    return keep(a, &o->name) && keep(a, &o->title) && keep(a, &o->identity);
}

/* Whether another row of that table has the text: a UNIQUE column would end the transaction. */
static int
taken(struct store *s, const char *sql, struct span text, uint32_t but, struct err *e)
{
    int64_t n;
    int rc;

    if (text.n == 0)
        return 0;
    if (text.n > STORE_NAME_MAX)
        return err_set(e, ERR_LIMIT, "the name is too long");
    rc = sql_number(s, &n, e, sql, "ti", text, (int64_t)but);
    if (rc == 1)
        return err_set(e, ERR_DUPLICATE, "the name or identity is taken");
    return rc;
}

static int
next_number(struct store *s, const char *sql, uint32_t *out, struct err *e)
{
    int64_t n = 0;

    if (sql_number(s, &n, e, sql, "") < 0)
        return -1;
    if (n >= UINT32_MAX - 1)
        return err_set(e, ERR_LIMIT, "no number is left");
    *out = (uint32_t)n + 1;
    return 0;
}

static struct db_stmt *
bind_org(struct store *s, const struct store_org *o, const char *sql, struct err *e)
{
    const bool named = !o->removed && o->name.n > 0;

    return sql_ask(s, e, sql,
                   named ? o->identity.n > 0 && !o->removed ? "iiiiiittt" : "iiiiiittn"
                   : o->identity.n > 0 && !o->removed ? "iiiiiintt"
                                                      : "iiiiiintn",
                   (int64_t)o->r.number, (int64_t)o->r.kind, (int64_t)o->r.member, o->r.expires_us,
                   (int64_t)(o->r.disabled || o->removed), (int64_t)o->removed,
                   named ? o->name : o->title, named ? o->title : o->identity, o->identity);
}

int
store_org_put(struct store *s, struct store_org *o, struct err *e)
{
    const bool make = o->r.number == 0;
    uint32_t number = o->r.number;
    struct store_org with = *o;
    struct db_stmt *q;
    int64_t n;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    if (!o->removed &&
        (taken(s, "SELECT n FROM org WHERE name = ?1 AND n <> ?2", o->name, number, e) < 0 ||
         taken(s, "SELECT n FROM org WHERE identity = ?1 AND n <> ?2", o->identity, number, e) < 0))
        return -1;
    if (make && next_number(s, "SELECT max(n) FROM org", &number, e) < 0)
        return -1;
    rc = sql_number(s, &n, e, "SELECT n FROM org WHERE n = ?1", "i", (int64_t)number);
    if (rc < 0)
        return -1;
    if (!make && rc == 0)
        return err_set(e, ERR_MISSING, "there is no such organisation");
    with.r.number = number;
    if (make) {
        if (sql_do(s, e,
                   "INSERT INTO org (n, kind, member, expires, disabled, removed, created, title) "
                   "VALUES (?1, 0, 0, 0, 0, 0, ?2, '')",
                   "ii", (int64_t)number, store_now(s)) < 0)
            return -1;
    }
    q = bind_org(s, &with,
                 "UPDATE org SET kind = ?2, member = ?3, expires = ?4, disabled = ?5, "
                 "removed = ?6, name = ?7, title = ?8, identity = ?9 WHERE n = ?1",
                 e);
    if (!q || sql_run(s, q, e) < 0)
        return -1;
    if (make) {
        struct store_group own = {.r = {.kind = GROUP_KIND_OWN, .org = number, .past = true},
                                  .removed = false};

        if (store_group_put(s, &own, e) < 0 || store_member_add(s, own.r.number, number, e) < 0)
            return -1;
    }
    changed(s);
    o->r.number = number;
    return 0;
}

int
store_org_get(struct store *s, uint32_t number, struct span name, struct arena *a,
              struct store_org *out, struct err *e)
{
    struct db_stmt *q;
    struct store_org o;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = number ? sql_ask(s, e, ORG_SELECT "WHERE n = ?1", "i", (int64_t)number)
               : sql_ask(s, e, ORG_SELECT "WHERE name = ?1", "t", name);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    org_read(s, q, &o);
    rc = org_keep(a, &o) ? 1 : no_memory(e);
    sql_end(s, q);
    if (rc == 1)
        *out = o;
    return rc;
}

int
store_org_list(struct store *s, struct arena *a, struct store_org **out, size_t *n, struct err *e)
{
    struct store_org *list = NULL;
    struct db_stmt *q;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, ORG_SELECT "WHERE removed = 0 ORDER BY n", "");
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        list = grow(a, list, count, sizeof *list);
        if (!list)
            break;
        org_read(s, q, &list[count]);
        if (!org_keep(a, &list[count++]))
            break;
    }
    if (rc == 1) {
        sql_end(s, q);
        return no_memory(e);
    }
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}

/* ---- principals ---- */

#define PRINCIPAL_SELECT                                                                           \
    "SELECT n, kind, org, roles, scope, owner, staff, exercise, quarantine, disabled, ceiling, "   \
    "expires, epoch, grp, removed, created, name, title FROM principal "

static void
principal_read(struct store *s, struct db_stmt *q, struct store_principal *p)
{
    *p = (struct store_principal){.r = {.number = (uint32_t)sql_int(s, q, 0),
                                        .kind = (enum principal_kind)sql_int(s, q, 1),
                                        .org = (uint32_t)sql_int(s, q, 2),
                                        .roles = (unsigned)sql_int(s, q, 3),
                                        .scope = (unsigned)sql_int(s, q, 4),
                                        .owner = (uint32_t)sql_int(s, q, 5),
                                        .staff = sql_int(s, q, 6) != 0,
                                        .exercise = sql_int(s, q, 7) != 0,
                                        .quarantine = sql_int(s, q, 8) != 0,
                                        .disabled = sql_int(s, q, 9) != 0,
                                        .ceiling = (enum tlp)sql_int(s, q, 10),
                                        .expires_us = sql_int(s, q, 11),
                                        .epoch = (uint64_t)sql_int(s, q, 12),
                                        .only_group = (uint32_t)sql_int(s, q, 13)},
                                  .removed = sql_int(s, q, 14) != 0,
                                  .created_us = sql_int(s, q, 15),
                                  .name = sql_bytes(s, q, 16),
                                  .title = sql_bytes(s, q, 17)};
}

static bool
principal_keep(struct arena *a, struct store_principal *p)
{
    return keep(a, &p->name) && keep(a, &p->title);
}

static int
principal_update(struct store *s, const struct store_principal *p, struct err *e)
{
    const struct right_principal *r = &p->r;
    const bool named = !p->removed && p->name.n > 0;

    return sql_do(s, e,
                  "UPDATE principal SET kind = ?2, org = ?3, roles = ?4, scope = ?5, owner = ?6, "
                  "staff = ?7, exercise = ?8, quarantine = ?9, disabled = ?10, ceiling = ?11, "
                  "expires = ?12, epoch = epoch + 1, grp = ?13, removed = ?14, title = ?15, "
                  "name = ?16 WHERE n = ?1",
                  named ? "iiiiiiiiiiiiiitt" : "iiiiiiiiiiiiiitn", (int64_t)r->number,
                  (int64_t)r->kind, (int64_t)r->org, (int64_t)r->roles, (int64_t)r->scope,
                  (int64_t)r->owner, (int64_t)r->staff, (int64_t)r->exercise,
                  (int64_t)r->quarantine, (int64_t)(r->disabled || p->removed), (int64_t)r->ceiling,
                  r->expires_us, (int64_t)r->only_group, (int64_t)p->removed, p->title, p->name);
}

int
store_principal_put(struct store *s, struct store_principal *p, struct err *e)
{
    const bool make = p->r.number == 0;
    struct store_principal with = *p;
    int64_t n = 0;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    if (!p->removed && taken(s, "SELECT n FROM principal WHERE name = ?1 AND n <> ?2", p->name,
                             p->r.number, e) < 0)
        return -1;
    if (make) {
        if (next_number(s, "SELECT max(n) FROM principal", &with.r.number, e) < 0 ||
            sql_do(s, e,
                   "INSERT INTO principal (n, kind, org, roles, scope, owner, staff, exercise, "
                   "quarantine, disabled, ceiling, expires, epoch, grp, removed, created, title) "
                   "VALUES (?1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?2, '')",
                   "ii", (int64_t)with.r.number, store_now(s)) < 0)
            return -1;
    } else {
        rc =
            sql_number(s, &n, e, "SELECT n FROM principal WHERE n = ?1", "i", (int64_t)p->r.number);
        if (rc < 0)
            return -1;
        if (rc == 0)
            return err_set(e, ERR_MISSING, "there is no such principal");
    }
    if (principal_update(s, &with, e) < 0 ||
        sql_number(s, &n, e, "SELECT epoch FROM principal WHERE n = ?1", "i",
                   (int64_t)with.r.number) < 0)
        return -1;
    changed(s);
    p->r.number = with.r.number;
    p->r.epoch = (uint64_t)n;
    return 0;
}

int
store_principal_epoch(struct store *s, uint32_t principal, struct err *e)
{
    if (store_need_write(s, e) < 0 ||
        sql_do(s, e, "UPDATE principal SET epoch = epoch + 1 WHERE n = ?1", "i",
               (int64_t)principal) < 0)
        return -1;
    changed(s);
    return 0;
}

int
store_principal_get(struct store *s, uint32_t number, struct span name, struct arena *a,
                    struct store_principal *out, struct err *e)
{
    struct db_stmt *q;
    struct store_principal p;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = number ? sql_ask(s, e, PRINCIPAL_SELECT "WHERE n = ?1", "i", (int64_t)number)
               : sql_ask(s, e, PRINCIPAL_SELECT "WHERE name = ?1", "t", name);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    principal_read(s, q, &p);
    rc = principal_keep(a, &p) ? 1 : no_memory(e);
    sql_end(s, q);
    if (rc == 1)
        *out = p;
    return rc;
}

int
store_principal_list(struct store *s, struct arena *a, struct store_principal **out, size_t *n,
                     struct err *e)
{
    struct store_principal *list = NULL;
    struct db_stmt *q;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, PRINCIPAL_SELECT "WHERE removed = 0 ORDER BY n", "");
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        list = grow(a, list, count, sizeof *list);
        if (!list)
            break;
        principal_read(s, q, &list[count]);
        if (!principal_keep(a, &list[count++]))
            break;
    }
    if (rc == 1) {
        sql_end(s, q);
        return no_memory(e);
    }
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}

/* ---- groups ---- */

#define GROUP_SELECT                                                                               \
    "SELECT n, kind, org, generation, past, closed, removed, created, name, title, charter "       \
    "FROM grp "

static void
group_read(struct store *s, struct db_stmt *q, struct store_group *g)
{
    *g = (struct store_group){.r = {.number = (uint32_t)sql_int(s, q, 0),
                                    .kind = (enum group_kind)sql_int(s, q, 1),
                                    .org = (uint32_t)sql_int(s, q, 2),
                                    .generation = (uint32_t)sql_int(s, q, 3),
                                    .past = sql_int(s, q, 4) != 0,
                                    .closed = sql_int(s, q, 5) != 0},
                              .removed = sql_int(s, q, 6) != 0,
                              .created_us = sql_int(s, q, 7),
                              .name = sql_bytes(s, q, 8),
                              .title = sql_bytes(s, q, 9),
                              .charter = sql_bytes(s, q, 10)};
}

static bool
group_keep(struct arena *a, struct store_group *g)
{
    return keep(a, &g->name) && keep(a, &g->title) && keep(a, &g->charter);
}

static int
generation_make(struct store *s, uint32_t group, uint32_t *out, struct err *e)
{
    uint8_t id[LEDGER_RANDOM_BYTES];
    uint32_t n = 0;

    random_bytes(id, sizeof id);
    if (next_number(s, "SELECT max(n) FROM generation", &n, e) < 0 ||
        sql_do(s, e, "INSERT INTO generation (n, grp, begun, random) VALUES (?1, ?2, ?3, ?4)",
               "iiib", (int64_t)n, (int64_t)group, store_now(s), span_from(id, sizeof id)) < 0 ||
        sql_do(s, e, "UPDATE grp SET generation = ?2 WHERE n = ?1", "ii", (int64_t)group,
               (int64_t)n) < 0)
        return -1;
    *out = n;
    return 0;
}

int
store_group_put(struct store *s, struct store_group *g, struct err *e)
{
    const bool make = g->r.number == 0;
    const bool named = !g->removed && g->name.n > 0;
    uint32_t number = g->r.number, generation = 0;
    int64_t n = 0;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    if (!g->removed &&
        taken(s, "SELECT n FROM grp WHERE name = ?1 AND n <> ?2", g->name, number, e) < 0)
        return -1;
    if (make) {
        if (next_number(s, "SELECT max(n) FROM grp", &number, e) < 0 ||
            sql_do(s, e,
                   "INSERT INTO grp (n, kind, org, generation, past, closed, removed, created, "
                   "title, charter) VALUES (?1, 0, 0, 0, 0, 0, 0, ?2, '', '')",
                   "ii", (int64_t)number, store_now(s)) < 0 ||
            generation_make(s, number, &generation, e) < 0)
            return -1;
    } else {
        rc = sql_number(s, &n, e, "SELECT generation FROM grp WHERE n = ?1", "i", (int64_t)number);
        if (rc < 0)
            return -1;
        if (rc == 0)
            return err_set(e, ERR_MISSING, "there is no such group");
        generation = (uint32_t)n;
    }
    if (sql_do(s, e,
               "UPDATE grp SET kind = ?2, org = ?3, past = ?4, closed = ?5, removed = ?6, "
               "title = ?7, charter = ?8, name = ?9 WHERE n = ?1",
               named ? "iiiiiittt" : "iiiiiittn", (int64_t)number, (int64_t)g->r.kind,
               (int64_t)g->r.org, (int64_t)g->r.past, (int64_t)(g->r.closed || g->removed),
               (int64_t)g->removed, g->title, g->charter, g->name) < 0)
        return -1;
    changed(s);
    g->r.number = number;
    g->r.generation = generation;
    return 0;
}

int
store_group_get(struct store *s, uint32_t number, struct span name, struct arena *a,
                struct store_group *out, struct err *e)
{
    struct db_stmt *q;
    struct store_group g;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = number ? sql_ask(s, e, GROUP_SELECT "WHERE n = ?1", "i", (int64_t)number)
               : sql_ask(s, e, GROUP_SELECT "WHERE name = ?1", "t", name);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    group_read(s, q, &g);
    rc = group_keep(a, &g) ? 1 : no_memory(e);
    sql_end(s, q);
    if (rc == 1)
        *out = g;
    return rc;
}

int
store_group_list(struct store *s, struct arena *a, struct store_group **out, size_t *n,
                 struct err *e)
{
    struct store_group *list = NULL;
    struct db_stmt *q;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, GROUP_SELECT "WHERE removed = 0 ORDER BY n", "");
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        list = grow(a, list, count, sizeof *list);
        if (!list)
            break;
        group_read(s, q, &list[count]);
        if (!group_keep(a, &list[count++]))
            break;
    }
    if (rc == 1) {
        sql_end(s, q);
        return no_memory(e);
    }
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}

static int
current_generation(struct store *s, uint32_t group, int64_t *out, struct err *e)
{
    const int rc =
        sql_number(s, out, e, "SELECT generation FROM grp WHERE n = ?1", "i", (int64_t)group);

    return rc == 0 ? err_set(e, ERR_MISSING, "there is no such group") : rc < 0 ? -1 : 0;
}

int
store_member_add(struct store *s, uint32_t group, uint32_t org, struct err *e)
{
    int64_t generation;

    if (store_need_write(s, e) < 0 || current_generation(s, group, &generation, e) < 0 ||
        sql_do(s, e,
               "INSERT INTO member (generation, org, since) VALUES (?1, ?2, ?3) "
               "ON CONFLICT (generation, org) DO NOTHING",
               "iii", generation, (int64_t)org, store_now(s)) < 0)
        return -1;
    changed(s);
    return 0;
}

int
store_member_remove(struct store *s, uint32_t group, uint32_t org, struct err *e)
{
    int64_t generation;

    if (store_need_write(s, e) < 0 || current_generation(s, group, &generation, e) < 0)
        return -1;
    /* From the older generations too: who leaves loses the past as well. */
    if (sql_do(s, e,
               "DELETE FROM member WHERE org = ?2 AND generation IN "
               "(SELECT n FROM generation WHERE grp = ?1)",
               "ii", (int64_t)group, (int64_t)org) < 0)
        return -1;
    changed(s);
    return 0;
}

int
store_generation_begin(struct store *s, uint32_t group, uint32_t *out, struct err *e)
{
    int64_t before;
    uint32_t n = 0;

    if (store_need_write(s, e) < 0 || current_generation(s, group, &before, e) < 0 ||
        generation_make(s, group, &n, e) < 0 ||
        sql_do(s, e,
               "INSERT INTO member (generation, org, since) SELECT ?2, org, ?3 FROM member "
               "WHERE generation = ?1",
               "iii", before, (int64_t)n, store_now(s)) < 0)
        return -1;
    changed(s);
    *out = n;
    return 0;
}

/* ---- bound identities ---- */

int
store_bind(struct store *s, struct span identity, uint32_t org, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    if (identity.n == 0 || identity.n > STORE_NAME_MAX)
        return err_set(e, ERR_LIMIT, "the identity's id is too long");
    if (org == 0 ? sql_do(s, e, "DELETE FROM binding WHERE identity = ?1", "t", identity) < 0
                 : sql_do(s, e,
                          "INSERT INTO binding (identity, org) VALUES (?1, ?2) "
                          "ON CONFLICT (identity) DO UPDATE SET org = excluded.org",
                          "ti", identity, (int64_t)org) < 0)
        return -1;
    changed(s);
    return 0;
}

int
store_bound(struct store *s, struct span identity, uint32_t *org, struct err *e)
{
    int64_t n = 0;

    if (store_need_open(s, e) < 0 ||
        sql_number(s, &n, e, "SELECT org FROM binding WHERE identity = ?1", "t", identity) < 0)
        return -1;
    *org = (uint32_t)n;
    return 0;
}

int
store_bind_each(struct store *s, int (*fn)(void *ctx, struct span identity, uint32_t org),
                void *ctx, struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT identity, org FROM binding ORDER BY identity", "");
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1)
        if (fn(ctx, sql_bytes(s, q, 0), (uint32_t)sql_int(s, q, 1)) != 0) {
            sql_end(s, q);
            return 0;
        }
    return rc;
}

/* ---- all at once ---- */

static int
load_orgs(struct store *s, struct arena *a, struct rights *out, struct err *e)
{
    struct right_org *list = NULL;
    struct store_org o;
    struct db_stmt *q = sql_ask(s, e, ORG_SELECT "ORDER BY n", "");
    size_t n = 0;
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        list = grow(a, list, n, sizeof *list);
        if (!list) {
            sql_end(s, q);
            return no_memory(e);
        }
        org_read(s, q, &o);
        list[n++] = o.r;
    }
    out->orgs = list;
    out->org_count = n;
    return rc;
}

static int
load_principals(struct store *s, struct arena *a, struct rights *out, struct err *e)
{
    struct right_principal *list = NULL;
    struct store_principal p;
    struct db_stmt *q = sql_ask(s, e, PRINCIPAL_SELECT "ORDER BY n", "");
    size_t n = 0;
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        list = grow(a, list, n, sizeof *list);
        if (!list) {
            sql_end(s, q);
            return no_memory(e);
        }
        principal_read(s, q, &p);
        list[n++] = p.r;
    }
    out->principals = list;
    out->principal_count = n;
    return rc;
}

static int
load_groups(struct store *s, struct arena *a, struct rights *out, struct err *e)
{
    struct right_group *list = NULL;
    struct store_group g;
    struct db_stmt *q = sql_ask(s, e, GROUP_SELECT "ORDER BY n", "");
    size_t n = 0;
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        list = grow(a, list, n, sizeof *list);
        if (!list) {
            sql_end(s, q);
            return no_memory(e);
        }
        group_read(s, q, &g);
        list[n++] = g.r;
    }
    out->groups = list;
    out->group_count = n;
    return rc;
}

/* Members of all generations, in one array, in the order of (generation, organisation). */
static int
load_members(struct store *s, struct arena *a, struct right_generation *list, size_t n,
             struct err *e)
{
    struct db_stmt *q;
    int64_t total = 0;
    uint32_t *orgs;
    size_t at = 0, used = 0;
    int rc;

    if (sql_number(s, &total, e, "SELECT count(*) FROM member", "") < 0)
        return -1;
    orgs = arena_zero(a, (size_t)total + 1, sizeof *orgs);
    if (!orgs)
        return no_memory(e);
    q = sql_ask(s, e, "SELECT generation, org FROM member ORDER BY generation, org", "");
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1 && used < (size_t)total) {
        const uint32_t generation = (uint32_t)sql_int(s, q, 0);

        while (at < n && list[at].number < generation)
            at++;
        if (at == n)
            continue;
        if (list[at].member_count == 0)
            list[at].members = &orgs[used];
        orgs[used++] = (uint32_t)sql_int(s, q, 1);
        list[at].member_count++;
    }
    if (rc == 1)
        sql_end(s, q);
    return rc < 0 ? -1 : 0;
}

static int
load_generations(struct store *s, struct arena *a, struct rights *out, struct err *e)
{
    struct right_generation *list = NULL;
    struct db_stmt *q = sql_ask(s, e, "SELECT n, grp FROM generation ORDER BY n", "");
    size_t n = 0;
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        list = grow(a, list, n, sizeof *list);
        if (!list) {
            sql_end(s, q);
            return no_memory(e);
        }
        list[n++] = (struct right_generation){.number = (uint32_t)sql_int(s, q, 0),
                                              .group = (uint32_t)sql_int(s, q, 1)};
    }
    if (rc < 0 || load_members(s, a, list, n, e) < 0)
        return -1;
    out->generations = list;
    out->generation_count = n;
    return 0;
}

int
store_rights_load(struct store *s, struct arena *a, struct rights *out, struct err *e)
{
    struct rights r = {0};

    if (store_need_open(s, e) < 0 || load_orgs(s, a, &r, e) < 0 ||
        load_principals(s, a, &r, e) < 0 || load_groups(s, a, &r, e) < 0 ||
        load_generations(s, a, &r, e) < 0)
        return -1;
    *out = r; /* public_open is a setting, which the caller knows */
    return 0;
}

int
store_audiences_load(struct store *s, struct arena *a, const struct audience **out, size_t *n,
                     struct err *e)
{
    struct audience *list;

    if (store_need_open(s, e) < 0 || auds_load(s, e) < 0)
        return -1;
    list = arena_zero(a, s->aud_count + 1, sizeof *list);
    if (!list)
        return no_memory(e);
    for (size_t i = 0; i < s->aud_count; i++)
        list[i] = s->auds[i].a;
    *out = list;
    *n = s->aud_count;
    return 0;
}
