#include "store_post.h"

#include <string.h>

#include "mem.h"
#include "store_rows.h"

/* ---- statements ---- */

static int
posting_one(struct store *s, int64_t kind, const struct row *r, bool add, struct err *e)
{
    const struct rows_narrow row = {.gen = kind, .key = r->audience, .p = (int64_t)r->p};

    if (add)
        return rows_add(s, ROWS_POSTING, &row, e);
    if (rows_flush(s, e) < 0) /* it may be of this commit */
        return -1;
    return sql_do(s, e, "DELETE FROM posting WHERE kind = ?1 AND audience = ?2 AND p = ?3", "iii",
                  kind, (int64_t)r->audience, (int64_t)r->p);
}

static int
posting_set(struct store *s, const struct row *r, bool last, bool add, struct err *e)
{
    if (posting_one(s, POST_KIND(POST_ALL, last), r, add, e) < 0)
        return -1;
    return posting_one(s, POST_KIND(r->type, last), r, add, e);
}

static int
version_set(struct store *s, const struct row *r, int64_t state, bool add, struct err *e)
{
    struct db_stmt *q =
        add ? sql_get(s, "INSERT INTO version (ident, audience, state, p) VALUES (?1, ?2, ?3, ?4)",
                      e)
            : sql_get(s,
                      "DELETE FROM version WHERE ident = ?1 AND audience = ?2 AND state = ?3 "
                      "AND p = ?4",
                      e);

    if (!q)
        return -1;
    sql_bind(s, q, 1, (int64_t)r->ident);
    sql_bind(s, q, 2, r->audience);
    sql_bind(s, q, 3, state);
    sql_bind(s, q, 4, (int64_t)r->p);
    return sql_run(s, q, e);
}

static int
flags_set(struct store *s, uint64_t p, unsigned flags, struct err *e)
{
    return sql_do(s, e, "UPDATE publication SET flags = ?2 WHERE p = ?1", "ii", (int64_t)p,
                  (int64_t)flags);
}

static int
row_must(struct store *s, uint64_t p, struct row *out, struct err *e)
{
    const int rc = row_get(s, p, out, e);

    if (rc == 0) {
        err_set(e, ERR_CORRUPT, "a publication is not there");
        return err_place(e, "publication %llu", (unsigned long long)p);
    }
    return rc < 0 ? -1 : 0;
}

/* ---- counters ---- */

struct count {
    uint32_t audience, type;
    int64_t n;
};

struct counts {
    struct count *list;
    size_t n, room, last;
};

int
count_add(struct store *s, uint32_t audience, uint32_t type, int64_t n, struct err *e)
{
    struct counts *c = s->counts;
    struct aud *a = aud_of(s, audience);
    size_t i;

    if (!c && !(c = s->counts = mem_zero(1, sizeof *c)))
        return err_set(e, ERR_MEMORY, "no memory for counters");
    if (a) {
        a->rows = (uint64_t)((int64_t)a->rows + n);
        a->dirty = true;
    }
    i = c->last;
    if (i >= c->n || c->list[i].audience != audience || c->list[i].type != type)
        for (i = 0; i < c->n; i++)
            if (c->list[i].audience == audience && c->list[i].type == type)
                break;
    if (i == c->n) {
        if (c->n == c->room) {
            struct count *more = mem_resize(c->list, (2 * c->room + 16) * sizeof *more);

            if (!more)
                return err_set(e, ERR_MEMORY, "no memory for counters");
            c->list = more;
            c->room = 2 * c->room + 16;
        }
        c->list[c->n++] = (struct count){audience, type, 0};
    }
    c->list[i].n += n;
    c->last = i;
    return 0;
}

int
count_save(struct store *s, struct err *e)
{
    struct counts *c = s->counts;

    for (size_t i = 0; c && i < c->n; i++)
        if (c->list[i].n != 0 &&
            sql_do(s, e,
                   "INSERT INTO counting (audience, type, n) VALUES (?1, ?2, ?3) "
                   "ON CONFLICT (audience, type) DO UPDATE SET n = counting.n + excluded.n",
                   "iii", (int64_t)c->list[i].audience, (int64_t)c->list[i].type, c->list[i].n) < 0)
            return -1;
    if (c)
        c->n = 0;
    return 0;
}

void
counts_free(struct counts *c)
{
    if (c)
        mem_free(c->list);
    mem_free(c);
}

/* ---- a new row ---- */

int
post_mark(struct store *s, uint64_t ident, unsigned flags, struct err *e)
{
    uint64_t *list;
    struct row r;
    size_t n;
    int rc = 0;

    if (row_list(s, ident, &list, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = row_must(s, list[i], &r, e);
        if (rc == 0 && (r.flags & flags) != flags)
            rc = flags_set(s, r.p, r.flags | flags, e);
    }
    mem_free(list);
    /* The anchor keeps them also when it is wiped, and is then in no list. */
    if (rc == 0)
        rc = row_must(s, ident, &r, e);
    if (rc == 0 && (r.flags & flags) != flags)
        rc = flags_set(s, r.p, r.flags | flags, e);
    return rc;
}

static int64_t
state_of(const struct row *r)
{
    if (r->flags & F_ERASE)
        return VERSION_OTHER;
    if (!(r->flags & F_VERSIONED))
        return VERSION_PLAIN;
    return r->flags & F_LAST ? VERSION_BEST : VERSION_OTHER;
}

int
post_multi(struct store *s, struct row *anchor, struct err *e)
{
    anchor->flags |= F_MULTI;
    if (version_set(s, anchor, state_of(anchor), true, e) < 0)
        return -1;
    return flags_set(s, anchor->p, anchor->flags, e);
}

/* A living row of the id with these very bytes: both share them. */
static int
same_content(struct store *s, const struct row *r, struct span bytes, uint64_t *object,
             struct err *e)
{
    uint64_t *list;
    struct row o;
    size_t n;
    int rc = 0;

    *object = r->p;
    if (row_list(s, r->ident, &list, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct db_stmt *q;
        struct span there;
        bool same;

        rc = row_must(s, list[i], &o, e);
        if (rc < 0 || !row_living(&o) || o.object != o.p ||
            instant_cmp(o.modified, r->modified) != 0)
            continue;
        rc = row_bytes(s, o.p, &q, &there, e);
        if (rc < 0)
            break;
        same = span_eq(there, bytes);
        sql_end(s, q);
        if (same) {
            *object = o.p;
            break;
        }
    }
    mem_free(list);
    return rc;
}

/* What was listed until now gives way to r. */
static int
supersede(struct store *s, struct row *old, struct err *e)
{
    if (version_set(s, old, VERSION_BEST, false, e) < 0 ||
        version_set(s, old, VERSION_OTHER, true, e) < 0)
        return -1;
    if (!(old->flags & F_LAST))
        return 0;
    old->flags &= ~F_LAST;
    if (posting_set(s, old, true, false, e) < 0 || posting_set(s, old, false, true, e) < 0)
        return -1;
    return flags_set(s, old->p, old->flags, e);
}

static int
best_of(struct store *s, uint64_t ident, uint32_t audience, struct row *out, struct err *e)
{
    int64_t p;
    const int rc = sql_number(s, &p, e,
                              "SELECT p FROM version WHERE ident = ?1 AND audience = ?2 "
                              "AND state = 0 LIMIT 1",
                              "ii", (int64_t)ident, (int64_t)audience);

    if (rc != 1)
        return rc;
    return row_must(s, (uint64_t)p, out, e) < 0 ? -1 : 1;
}

int
post_has_best(struct store *s, uint64_t ident, uint32_t audience, struct err *e)
{
    struct row best;

    return best_of(s, ident, audience, &best, e);
}

/* Whether a new row with versions is its audience's best; the old best gives way. */
static int
contest(struct store *s, struct row *r, const struct hash *hash, struct err *e)
{
    struct row best;
    int d, rc = best_of(s, r->ident, r->audience, &best, e);

    if (rc < 0)
        return -1;
    if (rc == 0) { /* the audience's first living row of the id */
        r->flags |= F_LAST;
        return count_add(s, r->audience, r->type, 1, e);
    }
    if (row_rank_hash(s, r, hash, &best, &d, e) < 0) /* r's bytes are not stored yet */
        return -1;
    if (d <= 0)
        return 0;
    r->flags |= F_LAST;
    return supersede(s, &best, e);
}

int
post_place(struct store *s, struct row *r, struct span bytes, const struct hash *hash,
           struct err *e)
{
    struct row anchor;

    r->object = r->p;
    if (r->ident == r->p) { /* a new id */
        r->flags |= F_LAST;
        return count_add(s, r->audience, r->type, 1, e);
    }
    if (rows_flush_wide(s, e) < 0 || /* its rows may be of this commit */
        row_must(s, r->ident, &anchor, e) < 0)
        return -1;
    if (!(anchor.flags & F_MULTI) && post_multi(s, &anchor, e) < 0)
        return -1;
    if (!(anchor.flags & F_MIXED) && anchor.audience != r->audience) {
        if (post_mark(s, r->ident, F_MIXED, e) < 0)
            return -1;
        anchor.flags |= F_MIXED;
    }
    r->flags |= anchor.flags & F_IDENT;
    if (same_content(s, r, bytes, &r->object, e) < 0)
        return -1;
    if (!(r->flags & F_VERSIONED)) {
        r->flags |= F_LAST;
        return count_add(s, r->audience, r->type, 1, e);
    }
    return contest(s, r, hash, e);
}

int
post_settle(struct store *s, const struct row *r, struct err *e)
{
    if (posting_set(s, r, r->flags & F_LAST, true, e) < 0)
        return -1;
    if (!(r->flags & F_MULTI))
        return 0;
    return version_set(s, r, state_of(r), true, e);
}

/* ---- after an erasure ---- */

int
post_remove(struct store *s, const struct row *r, struct err *e)
{
    if (posting_set(s, r, r->flags & F_LAST, false, e) < 0)
        return -1;
    if (r->flags & F_MULTI)
        return sql_do(s, e, "DELETE FROM version WHERE ident = ?1 AND audience = ?2 AND p = ?3",
                      "iii", (int64_t)r->ident, (int64_t)r->audience, (int64_t)r->p);
    return 0;
}

/* The best living row with versions that an audience has left; none: .p is 0. */
static int
best_left(struct store *s, uint64_t ident, uint32_t audience, struct row *best, struct err *e)
{
    uint64_t *list;
    struct row r;
    size_t n;
    int rc = 0, d;

    best->p = 0;
    if (row_list(s, ident, &list, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = row_must(s, list[i], &r, e);
        if (rc < 0 || r.audience != audience || !row_living(&r) || !(r.flags & F_VERSIONED))
            continue;
        d = 1;
        if (best->p != 0)
            rc = row_rank(s, &r, best, &d, e);
        if (rc == 0 && d > 0) /* the first of equal ones stays */
            *best = r;
    }
    mem_free(list);
    return rc;
}

int
post_relist(struct store *s, uint64_t ident, uint32_t audience, struct err *e)
{
    struct row r;

    if (best_left(s, ident, audience, &r, e) < 0)
        return -1;
    if (r.p == 0 || (r.flags & F_LAST))
        return 0;
    if (version_set(s, &r, VERSION_OTHER, false, e) < 0 ||
        version_set(s, &r, VERSION_BEST, true, e) < 0 || posting_set(s, &r, false, false, e) < 0 ||
        posting_set(s, &r, true, true, e) < 0)
        return -1;
    return flags_set(s, r.p, r.flags | F_LAST, e);
}

int
post_any_left(struct store *s, uint64_t ident, struct err *e)
{
    uint64_t *list;
    struct row r;
    size_t n;
    int rc = 0;

    if (row_list(s, ident, &list, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = row_must(s, list[i], &r, e);
        if (rc == 0)
            rc = row_living(&r);
    }
    mem_free(list);
    return rc;
}
