#include "store_page.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "store_impl.h"
#include "store_look.h"
#include "store_scan.h"

#define US_PER_MS 1000
#define IDS_MAX   10000 /* of one filter */
#define TYPES_MAX 512

struct page {
    struct look look;
    const struct store_page_ask *ask;
    uint32_t types[TYPES_MAX];
    size_t type_count;
    store_item_fn *fn;
    void *ctx;
    struct store_page_end end;
    uint64_t last_p; /* the row listed last, where it stands at its own arrival; else 0 */
};

static bool
spec_wanted(const struct page *g, const struct row *r)
{
    const unsigned specs = g->ask->filter->specs;

    return specs == 0 || (specs & (r->flags & F_SPEC20 ? STORE_SPEC_20 : STORE_SPEC_21));
}

/* The millisecond that a date is rounded up to. */
static int64_t
ms_of(int64_t us)
{
    return (us + US_PER_MS - 1) / US_PER_MS;
}

/* The next listing of the page: taken, or the proof that there is more. */
static int
page_take(struct page *g, const struct listing *at, struct db_stmt *q, int col, struct err *e)
{
    int rc = 1;

    if (g->end.count < g->ask->limit)
        rc = look_give(&g->look, at, g->ask->want, q, col, g->fn, g->ctx, e);
    if (rc < 0)
        return -1;
    if (rc > 0) {
        g->end.more = true;
        g->end.more_in_ms = g->end.count > 0 && ms_of(at->date_us) == ms_of(g->end.last_us);
        return 1;
    }
    if (g->end.count++ == 0)
        g->end.first_us = at->date_us;
    g->end.last_us = at->date_us;
    g->last_p = at->date_us == at->row.arrival_us ? at->row.p : 0;
    return 0;
}

static int
page_row(void *ctx, const struct row *r, int64_t date_us, struct db_stmt *q, int col, struct err *e)
{
    struct page *g = ctx;
    struct listing at;
    int rc = look_row(&g->look, r, date_us, &at, e);

    if (rc != 1 || !spec_wanted(g, &at.row))
        return rc < 0 ? -1 : 0;
    return page_take(g, &at, at.row.p == r->p ? q : NULL, col, e);
}

/* ---- by id ---- */

static int
date_cmp(const void *a, const void *b)
{
    const struct listing *x = a, *y = b;

    return x->date_us < y->date_us ? -1 : x->date_us > y->date_us;
}

static bool
type_wanted(const struct page *g, uint32_t type)
{
    for (size_t i = 0; i < g->type_count; i++)
        if (g->types[i] == type)
            return true;
    return g->ask->filter->type_count == 0;
}

struct gathered {
    struct listing *list;
    size_t n, room;
};

static int
gather_id(struct page *g, struct span id, struct gathered *to, struct err *e)
{
    struct store *s = g->look.s;
    const struct listings *all;
    uint64_t ident;
    int rc = ident_find(s, id, ident_key(s, id), &ident, e);

    if (rc <= 0 || look_ident(&g->look, ident, &all, e) < 0)
        return rc == 0 ? 0 : -1;
    for (size_t i = 0; i < all->n; i++) {
        const struct listing *at = &all->list[i];

        if (at->date_us <= g->ask->after_us || !type_wanted(g, at->row.type) ||
            !spec_wanted(g, &at->row))
            continue;
        if (to->n == to->room) {
            const size_t room = to->room ? 2 * to->room : 16;
            struct listing *more = mem_resize(to->list, room * sizeof *more);

            if (!more)
                return err_set(e, ERR_MEMORY, "no memory for a page");
            to->list = more;
            to->room = room;
        }
        to->list[to->n++] = *at;
    }
    return 0;
}

static int
page_ids(struct page *g, struct err *e)
{
    const struct store_filter *f = g->ask->filter;
    struct gathered to = {0};
    int rc = 0;

    if (f->id_count > IDS_MAX)
        return err_set(e, ERR_LIMIT, "too many ids");
    for (size_t i = 0; i < f->id_count && rc == 0; i++)
        rc = gather_id(g, f->ids[i], &to, e);
    if (to.n > 0)
        qsort(to.list, to.n, sizeof *to.list, date_cmp);
    for (size_t i = 0; i < to.n && rc == 0; i++)
        if (i == 0 || to.list[i].date_us != to.list[i - 1].date_us) /* an id given twice */
            rc = page_take(g, &to.list[i], NULL, 0, e);
    mem_free(to.list);
    return rc < 0 ? -1 : 0;
}

/* ---- pages ---- */

static int
page_types(struct page *g, struct err *e)
{
    const struct store_filter *f = g->ask->filter;

    if (f->type_count > TYPES_MAX)
        return err_set(e, ERR_LIMIT, "too many types");
    for (size_t i = 0; i < f->type_count; i++) {
        uint32_t n;
        bool twice = false;
        const int rc = type_number(g->look.s, f->types[i], false, &n, e);

        if (rc < 0)
            return -1;
        for (size_t k = 0; rc == 1 && k < g->type_count; k++)
            twice |= g->types[k] == n;
        if (rc == 1 && !twice)
            g->types[g->type_count++] = n;
    }
    return 0;
}

int
store_page(struct store *s, const struct store_page_ask *ask, store_item_fn *fn, void *ctx,
           struct store_page_end *out, struct err *e)
{
    struct page g = {.ask = ask, .fn = fn, .ctx = ctx};
    int rc;

    if (store_need_open(s, e) < 0 ||
        look_begin(&g.look, s, ask->view, &ask->filter->versions, e) < 0)
        return -1;
    rc = page_types(&g, e);
    if (rc == 0 && ask->filter->id_count > 0) {
        rc = page_ids(&g, e);
    } else if (rc == 0 && (ask->filter->type_count == 0 || g.type_count > 0)) {
        const struct scan c = {.look = &g.look,
                               .types = g.type_count ? g.types : NULL,
                               .type_count = g.type_count,
                               .little = (ask->want & STORE_WANT_LITTLE) != 0,
                               .last_only = look_last_only(&ask->filter->versions),
                               .limit = ask->limit,
                               .way = (enum scan_way)ask->way,
                               .fn = page_row,
                               .ctx = &g};

        rc = scan_run(&c, ask->after_us, e);
    }
    look_end(&g.look);
    if (rc < 0)
        return -1;
    if (g.last_p > 0)
        row_after_is(s, g.end.last_us, g.last_p + 1);
    *out = g.end;
    return 0;
}

/* ---- one id ---- */

struct ranking {
    struct store *s;
    struct err *e;
    bool failed;
};

/* Best first; those without versions by date, the newest first. */
static int
rank_cmp(const void *a, const void *b, void *ctx)
{
    const struct listing *x = a, *y = b;
    struct ranking *k = ctx;
    const bool vx = x->row.flags & F_VERSIONED, vy = y->row.flags & F_VERSIONED;
    int d = 0;

    if (vx != vy)
        return vx ? -1 : 1;
    if (!vx)
        return x->date_us > y->date_us ? -1 : x->date_us < y->date_us;
    if (row_rank(k->s, &y->row, &x->row, &d, k->e) < 0)
        k->failed = true;
    return d;
}

int
store_get(struct store *s, const struct view *v, struct span id, const struct store_versions *which,
          unsigned want, store_item_fn *fn, void *ctx, size_t *n, struct err *e)
{
    struct ranking k = {.s = s, .e = e};
    const struct listings *all;
    struct look l;
    uint64_t ident;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0 || look_begin(&l, s, v, which, e) < 0)
        return -1;
    rc = ident_find(s, id, ident_key(s, id), &ident, e);
    if (rc == 1)
        rc = look_ident(&l, ident, &all, e) < 0 ? -1 : 1;
    if (rc == 1) {
        qsort_r(all->list, all->n, sizeof *all->list, rank_cmp, &k);
        rc = k.failed ? -1 : 0;
        for (size_t i = 0; i < all->n && rc == 0; i++) {
            rc = look_give(&l, &all->list[i], want, NULL, 0, fn, ctx, e);
            count += rc == 0;
        }
    }
    look_end(&l);
    if (rc < 0)
        return -1;
    *n = count;
    return 0;
}

int
store_shown(struct store *s, const struct view *v, struct span id, unsigned want, store_item_fn *fn,
            void *ctx, size_t *n, struct err *e)
{
    const struct store_versions which = {.all = true};
    struct listing *shown = NULL;
    uint64_t ident, *list = NULL;
    size_t rows = 0, count = 0;
    struct look l;
    int rc;

    if (store_need_open(s, e) < 0 || look_begin(&l, s, v, &which, e) < 0)
        return -1;
    rc = ident_find(s, id, ident_key(s, id), &ident, e);
    if (rc == 1)
        rc = row_list(s, ident, &list, &rows, e);
    if (rc == 0 && rows > 0 && !(shown = mem_zero(rows, sizeof *shown)))
        rc = err_set(e, ERR_MEMORY, "no memory for publications");
    for (size_t i = 0; i < rows && rc >= 0; i++) {
        struct listing *at = &shown[count];

        rc = row_get(s, list[i], &at->row, e);
        count += rc == 1 && row_living(&at->row) && look_date(&l, &at->row, &at->date_us);
    }
    if (count > 0)
        qsort(shown, count, sizeof *shown, date_cmp);
    rc = rc < 0 ? -1 : 0;
    *n = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = look_give(&l, &shown[i], want, NULL, 0, fn, ctx, e);
        *n += rc == 0;
    }
    mem_free(shown);
    mem_free(list);
    look_end(&l);
    return rc < 0 ? -1 : 0;
}

/* ---- counts ---- */

struct tally {
    struct store *s;
    store_count_fn *fn;
    void *ctx;
};

static int
count_whole(const struct tally *t, uint32_t audience, struct err *e)
{
    struct db_stmt *q =
        sql_ask(t->s, e, "SELECT type, n FROM counting WHERE audience = ?1 AND n > 0", "i",
                (int64_t)audience);
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(t->s, q, e)) == 1)
        if (t->fn(t->ctx, audience, type_text(t->s, (uint32_t)sql_int(t->s, q, 0)),
                  (uint64_t)sql_int(t->s, q, 1)) != 0) {
            sql_end(t->s, q);
            return 1;
        }
    return rc;
}

/* Of an audience that is seen in part: its listed rows one by one. */
static int
count_part(const struct tally *t, const struct look *l, uint32_t audience, struct err *e)
{
    uint64_t *by_type = mem_zero(t->s->type_count + 1, sizeof *by_type);
    struct db_stmt *q;
    int rc;

    if (!by_type)
        return err_set(e, ERR_MEMORY, "no memory for counts");
    q = sql_ask(t->s, e,
                "SELECT " ROW_COLUMNS " FROM publication WHERE p IN "
                "(SELECT x.p FROM posting x WHERE x.kind = 0 AND x.audience = ?1)",
                "i", (int64_t)audience);
    rc = q ? 0 : -1;
    while (q && (rc = sql_step(t->s, q, e)) == 1) {
        int64_t date;
        struct row r;

        row_read(t->s, q, &r);
        if (row_living(&r) && look_date(l, &r, &date) && r.type <= t->s->type_count)
            by_type[r.type]++;
    }
    for (uint32_t i = 1; rc == 0 && i <= t->s->type_count; i++)
        if (by_type[i] > 0)
            rc = t->fn(t->ctx, audience, type_text(t->s, i), by_type[i]) != 0;
    mem_free(by_type);
    return rc;
}

int
store_counts(struct store *s, const struct view *v, store_count_fn *fn, void *ctx, struct err *e)
{
    const struct store_versions which = {.last = true};
    const struct tally t = {s, fn, ctx};
    struct look l;
    int rc = 0;

    if (store_need_open(s, e) < 0 || look_begin(&l, s, v, &which, e) < 0)
        return -1;
    for (size_t i = 0; i < v->count && rc == 0; i++) {
        const uint32_t n = v->entries[i].audience.number;

        rc = v->entries[i].natural_from == 0 ? count_whole(&t, n, e) : count_part(&t, &l, n, e);
    }
    look_end(&l);
    return rc < 0 ? -1 : 0;
}
