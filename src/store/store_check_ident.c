/* Verify: what is listed of each id, posting lists, counters. */
#include <string.h>

#include "mem.h"
#include "store_post.h"
#include "store_verify.h"

#define COUNT_AUDIENCES_MAX (1u << 20)

struct tally { /* rows that audiences list, by (audience, type) */
    uint64_t *n;
    size_t types, audiences;
};

struct ident_walk {
    struct verify *v;
    struct tally t;
    struct row *rows; /* of one id */
    size_t n, room;
};

static int
say_row(struct ident_walk *w, uint64_t p, const char *what)
{
    return verify_say(w->v, what, "publication %llu", (unsigned long long)p);
}

static int
take_rows(struct ident_walk *w, uint64_t ident, struct err *e)
{
    uint64_t *list;
    size_t n;
    int rc = 1;

    if (row_list(w->v->s, ident, &list, &n, e) < 0)
        return -1;
    w->n = 0;
    if (n > w->room) {
        struct row *more = mem_resize(w->rows, n * sizeof *more);

        if (!more) {
            mem_free(list);
            return err_set(e, ERR_MEMORY, "no memory to verify");
        }
        w->rows = more;
        w->room = n;
    }
    for (size_t i = 0; i < n && rc == 1; i++) {
        rc = row_get(w->v->s, list[i], &w->rows[w->n], e);
        w->n += rc == 1;
    }
    mem_free(list);
    return rc < 0 ? -1 : 0;
}

static int
count_of(struct ident_walk *w, const char *sql, int64_t a, int64_t b, int64_t *n, struct err *e)
{
    return sql_number(w->v->s, n, e, sql, "ii", a, b) < 0 ? -1 : 0;
}

static int
check_postings(struct ident_walk *w, const struct row *r, struct err *e)
{
    const bool last = r->flags & F_LAST;
    const int64_t kinds[] = {POST_KIND(POST_ALL, last), POST_KIND(r->type, last)};

    for (size_t i = 0; i < 2; i++) {
        int64_t n = 0;

        if (sql_number(w->v->s, &n, e,
                       "SELECT count(*) FROM posting WHERE kind = ?1 AND audience = ?2 "
                       "AND p = ?3",
                       "iii", kinds[i], (int64_t)r->audience, (int64_t)r->p) < 0)
            return -1;
        if (n != 1)
            return say_row(w, r->p, "it is missing from a posting list");
    }
    return 0;
}

/* The state in table version that a row must have, given the best of its audience. */
static int
check_version(struct ident_walk *w, const struct row *r, bool best, struct err *e)
{
    const int64_t state = r->flags & F_ERASE          ? VERSION_OTHER
                          : !(r->flags & F_VERSIONED) ? VERSION_PLAIN
                          : best                      ? VERSION_BEST
                                                      : VERSION_OTHER;
    int64_t n = 0;

    if (!(r->flags & F_MULTI))
        return 0;
    if (sql_number(w->v->s, &n, e,
                   "SELECT count(*) FROM version WHERE ident = ?1 AND audience = ?2 "
                   "AND state = ?3 AND p = ?4",
                   "iiii", (int64_t)r->ident, (int64_t)r->audience, state, (int64_t)r->p) < 0)
        return -1;
    return n == 1 ? 0 : say_row(w, r->p, "its place among the versions is wrong");
}

static int
best_here(struct ident_walk *w, const struct row *r, bool *best, struct err *e)
{
    *best = true;
    for (size_t i = 0; i < w->n && *best; i++) {
        const struct row *o = &w->rows[i];
        int d;

        if (o->p == r->p || o->audience != r->audience || !row_living(o) ||
            !(o->flags & F_VERSIONED))
            continue;
        if (row_rank(w->v->s, o, r, &d, e) < 0)
            return -1;
        *best = d < 0 || (d == 0 && o->p > r->p);
    }
    return 0;
}

static int
check_row(struct ident_walk *w, const struct row *r, unsigned flags, struct err *e)
{
    bool best = true;
    int rc;

    if ((r->flags & F_IDENT) != flags)
        return say_row(w, r->p, "its marks are not those of its id");
    if (row_living(r)) {
        if ((r->flags & F_VERSIONED) && best_here(w, r, &best, e) < 0)
            return -1;
        if (best != !!(r->flags & F_LAST))
            return say_row(w, r->p, "listed, and not the best, or the best, and not listed");
        if (best && r->audience <= w->t.audiences && r->type < w->t.types)
            w->t.n[(r->audience - 1) * w->t.types + r->type]++;
    }
    rc = check_version(w, r, best, e);
    return rc != 0 ? rc : check_postings(w, r, e);
}

/* All rows of one id. */
static int
check_ident(struct ident_walk *w, uint64_t ident, unsigned anchor, struct err *e)
{
    unsigned flags = 0;

    if (take_rows(w, ident, e) < 0)
        return -1;
    for (size_t i = 0; i < w->n; i++) {
        flags |= w->rows[i].flags & F_ERASE ? F_SCAR | F_MULTI : 0;
        flags |= w->rows[i].audience != w->rows[0].audience ? F_MIXED : 0;
    }
    flags |= w->n > 1 ? F_MULTI : 0;
    if ((anchor & F_IDENT) != flags)
        return say_row(w, ident, "its marks are not those of its id");
    for (size_t i = 0; i < w->n; i++) {
        const int rc = check_row(w, &w->rows[i], flags, e);

        if (rc != 0)
            return rc;
    }
    return 0;
}

/* The id itself: readable, and found by its key. */
static int
check_anchor(struct ident_walk *w, uint64_t p, struct err *e)
{
    char mem[ID_BYTES_MAX + 2];
    struct err bad = ERR_INIT;
    struct buf id;
    uint64_t found;
    int rc;

    buf_init_fixed(&id, mem, sizeof mem);
    if (id_text(w->v->s, p, &id, &bad) < 0) {
        if (bad.code == ERR_CORRUPT)
            return say_row(w, p, bad.text);
        *e = bad;
        return -1;
    }
    rc = ident_find(w->v->s, buf_view(&id), ident_key(w->v->s, buf_view(&id)), &found, e);
    if (rc < 0)
        return -1;
    return rc == 1 && found == p ? 0 : say_row(w, p, "its id does not lead to it");
}

static int
check_counters(struct ident_walk *w, struct err *e)
{
    struct store *s = w->v->s;
    const struct tally *t = &w->t;

    for (size_t a = 0; a < t->audiences; a++) {
        uint64_t sum = 0;

        for (size_t k = 0; k < t->types; k++) {
            int64_t n = 0;

            sum += t->n[a * t->types + k];
            if (count_of(w, "SELECT n FROM counting WHERE audience = ?1 AND type = ?2",
                         (int64_t)a + 1, (int64_t)k, &n, e) < 0)
                return -1;
            if ((uint64_t)n != t->n[a * t->types + k] &&
                verify_say(w->v, "a counter is wrong", "audience %zu, type %zu", a + 1, k))
                return 1;
        }
        if (sum != s->auds[a].rows &&
            verify_say(w->v, "the counter of listed rows is wrong", "audience %zu", a + 1))
            return 1;
    }
    return 0;
}

static int
check_totals(struct ident_walk *w, struct err *e)
{
    struct store *s = w->v->s;
    int64_t n = 0;

    if (sql_number(s, &n, e, "SELECT count(*) FROM posting", "") < 0)
        return -1;
    if ((uint64_t)n != 2 * w->v->posted)
        verify_say(w->v, "posting lists have rows that belong nowhere", "table posting");
    if (verify_total(w->v, "SELECT count(*) FROM ident WHERE gen = ?1", w->v->anchors,
                     "table ident", e) < 0)
        return -1;
    if (sql_number(s, &n, e, "SELECT count(*) FROM defect", "") < 0)
        return -1;
    if ((uint64_t)n != w->v->defects)
        verify_say(w->v, "defects have rows that belong nowhere", "table defect");
    return check_counters(w, e);
}

static int
walk_anchors(struct ident_walk *w, struct err *e)
{
    struct verify *v = w->v;
    struct db_stmt *q = sql_ask(v->s, e,
                                "SELECT p, ident, flags FROM publication WHERE ident > 0 "
                                "ORDER BY p",
                                "");
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(v->s, q, e)) == 1 && !v->stop) {
        const uint64_t p = (uint64_t)sql_int(v->s, q, 0);

        if ((uint64_t)sql_int(v->s, q, 1) != p)
            continue;
        if (check_anchor(w, p, e) < 0 || check_ident(w, p, (unsigned)sql_int(v->s, q, 2), e) < 0) {
            sql_end(v->s, q);
            return -1;
        }
    }
    if (rc == 1)
        sql_end(v->s, q);
    return rc < 0 ? -1 : 0;
}

int
verify_idents(struct verify *v, struct err *e)
{
    struct ident_walk w = {.v = v};
    int rc;

    if (auds_load(v->s, e) < 0)
        return -1;
    w.t.types = v->s->type_count + 1;
    w.t.audiences = v->s->aud_count < COUNT_AUDIENCES_MAX ? v->s->aud_count : 0;
    w.t.n = mem_zero(w.t.types * (w.t.audiences + 1), sizeof *w.t.n);
    if (!w.t.n)
        return err_set(e, ERR_MEMORY, "no memory to verify");
    rc = walk_anchors(&w, e);
    if (rc == 0 && !v->stop)
        rc = check_totals(&w, e) < 0 ? -1 : 0;
    mem_free(w.t.n);
    mem_free(w.rows);
    return rc;
}
