#include "store_source.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "store_block.h"
#include "store_gen.h"
#include "store_index.h"
#include "store_text.h"

#define AHEAD      256 /* rows read at a time */
#define LIST_AHEAD 32  /* ... of each posting list */

void
source_begin(struct source *x)
{
    x->rows = NULL;
    x->n = x->at = x->room = 0;
    x->floor = UINT64_MAX;
    x->nets = NULL;
    x->net_count = 0;
    x->nets_read = false;
    x->work = 0;
}

void
source_rewind(struct source *x)
{
    x->n = x->at = 0;
    x->floor = UINT64_MAX;
}

void
source_end(struct source *x)
{
    mem_free(x->rows);
    mem_free(x->nets);
    x->rows = x->nets = NULL;
}

static int
add_row(struct source *x, uint64_t p, struct err *e)
{
    if (x->n == x->room) {
        const size_t room = x->room ? 2 * x->room : AHEAD;
        uint64_t *more = mem_resize(x->rows, room * sizeof *more);

        if (!more)
            return err_set(e, ERR_MEMORY, "no memory for a search");
        x->rows = more;
        x->room = room;
    }
    x->rows[x->n++] = p;
    return 0;
}

static int
descending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x > y ? -1 : x < y;
}

static void
sort_rows(struct source *x)
{
    size_t kept = 0;

    if (x->n > 1)
        qsort(x->rows, x->n, sizeof *x->rows, descending);
    for (size_t i = 0; i < x->n; i++)
        if (kept == 0 || x->rows[kept - 1] != x->rows[i])
            x->rows[kept++] = x->rows[i];
    x->n = kept;
}

static bool
seen(const struct source *x, uint32_t audience)
{
    const struct view *v = x->view;

    return (audience >> 6) < v->bit_words && (v->bits[audience >> 6] >> (audience & 63) & 1);
}

/* The newest generation that has rows at or below p.  While one is being merged its rows are
 * elsewhere too; gen_walk names every place. */
static bool
gen_of(struct source *x, uint64_t p, int64_t *gen, uint64_t *lo)
{
    struct gen_walk w = gen_walk(x->s);
    uint64_t hi;

    while (gen_next(&w, gen, lo, &hi))
        if (*lo <= p)
            return true;
    return false;
}

/* Takes (p, audience) rows of q; *full: as many as were asked for. */
static int
take_rows(struct source *x, struct db_stmt *q, size_t limit, bool *full, struct err *e)
{
    size_t got = 0;
    int rc;

    while ((rc = sql_step(x->s, q, e)) == 1) {
        const uint64_t p = (uint64_t)sql_int(x->s, q, 0);

        got++;
        if (seen(x, (uint32_t)sql_int(x->s, q, 1))) {
            if (add_row(x, p, e) < 0) {
                sql_end(x->s, q);
                return -1;
            }
        }
        if (got == limit)
            x->floor = p;
    }
    x->work += got + 2;
    *full = got == limit;
    return rc;
}

static int
fill_term(struct source *x, uint64_t p, struct err *e)
{
    struct db_stmt *q;
    uint64_t lo = 0;
    int64_t gen = 0;
    bool full;

    if (!gen_of(x, p, &gen, &lo)) {
        x->floor = 0;
        return 0;
    }
    if (x->kind == SOURCE_TERM)
        q = sql_ask(x->s, e,
                    "SELECT p, audience FROM term WHERE gen = ?1 AND key = ?2 AND p <= ?3 "
                    "ORDER BY p DESC LIMIT ?4",
                    "iiii", gen, x->key, (int64_t)p, (int64_t)AHEAD);
    else
        q = sql_ask(x->s, e,
                    "SELECT p, audience FROM edge WHERE gen = ?1 AND node = ?2 AND kind = ?5 "
                    "AND p <= ?3 ORDER BY p DESC LIMIT ?4",
                    "iiiii", gen, x->key, (int64_t)p, (int64_t)AHEAD, (int64_t)x->edge);
    if (!q || take_rows(x, q, AHEAD, &full, e) < 0)
        return -1;
    if (!full)
        x->floor = lo;
    return 0;
}

/* Edges of any kind: not in the order of p, so a generation is taken whole. */
static int
fill_edges(struct source *x, uint64_t p, struct err *e)
{
    struct db_stmt *q;
    uint64_t lo = 0;
    int64_t gen = 0;
    bool full;

    if (!gen_of(x, p, &gen, &lo)) {
        x->floor = 0;
        return 0;
    }
    q = sql_ask(x->s, e, "SELECT p, audience FROM edge WHERE gen = ?1 AND node = ?2 AND p <= ?3",
                "iii", gen, x->key, (int64_t)p);
    if (!q || take_rows(x, q, SIZE_MAX, &full, e) < 0)
        return -1;
    sort_rows(x);
    x->floor = lo;
    return 0;
}

/* ---- values ---- */

static bool
is_net(const struct store_range *r)
{
    return r->lo.n > 0 && r->hi.n > 0 && r->lo.p[0] == r->hi.p[0] && value_is_net(r->lo);
}

static int
take_range(struct source *x, int64_t gen, const struct store_range *r, uint64_t p, struct err *e)
{
    const bool one = span_eq(r->lo, r->hi);
    struct db_stmt *q =
        one ? sql_ask(x->s, e,
                      "SELECT p, audience FROM value WHERE gen = ?1 AND key = ?2 AND p <= ?3",
                      "ibi", gen, r->lo, (int64_t)p)
            : sql_ask(x->s, e,
                      "SELECT p, audience FROM value WHERE gen = ?1 AND key >= ?2 AND key <= ?4 "
                      "AND p <= ?3",
                      "ibib", gen, r->lo, (int64_t)p, r->hi);
    bool full;

    return q ? take_rows(x, q, SIZE_MAX, &full, e) : -1;
}

/* Networks lie in one generation for all rows: a search for an address asks for 32 of them. */
static int
read_nets(struct source *x, struct err *e)
{
    x->nets_read = true;
    for (size_t i = 0; i < x->range_count; i++)
        if (is_net(&x->ranges[i]) && take_range(x, GEN_NETS, &x->ranges[i], INT64_MAX, e) < 0)
            return -1;
    if (x->n == 0)
        return 0;
    sort_rows(x);
    x->nets = mem_dup(x->rows, x->n * sizeof *x->rows);
    if (!x->nets)
        return err_set(e, ERR_MEMORY, "no memory for a search");
    x->net_count = x->n;
    x->n = 0;
    return 0;
}

static int
fill_values(struct source *x, uint64_t p, struct err *e)
{
    uint64_t lo = 0;
    int64_t gen = 0;

    if (!x->nets_read && read_nets(x, e) < 0)
        return -1;
    if (!gen_of(x, p, &gen, &lo)) {
        x->floor = 0;
        return 0;
    }
    for (size_t i = 0; i < x->range_count; i++)
        if (!is_net(&x->ranges[i]) && take_range(x, gen, &x->ranges[i], p, e) < 0)
            return -1;
    for (size_t i = 0; i < x->net_count; i++)
        if (x->nets[i] <= p && x->nets[i] >= lo && add_row(x, x->nets[i], e) < 0)
            return -1;
    sort_rows(x);
    x->floor = lo;
    return 0;
}

/* ---- text ---- */

static int
fill_text(struct source *x, uint64_t p, struct err *e)
{
    struct text_part *part = mem_alloc(sizeof *part);
    int rc;

    if (!part)
        return err_set(e, ERR_MEMORY, "no memory for a search");
    rc = text_part(x->s, p, x->grams, x->gram_count, part, e);
    if (rc == 0)
        x->floor = 0;
    if (rc == 1) {
        const uint64_t top = p < part->to ? p : part->to;

        rc = 0;
        for (uint64_t at = top; part->any && rc == 0 && at >= part->from; at--)
            if (part->may[(at - part->from) >> 3] >> ((at - part->from) & 7) & 1)
                rc = add_row(x, at, e);
        x->floor = part->from;
        x->work += 8 * x->gram_count + (top - part->from) / 64 + 1;
    }
    mem_free(part);
    return rc;
}

/* ---- batches ---- */

static int
fill_batch(struct source *x, uint64_t p, struct err *e)
{
    struct db_stmt *q = sql_ask(x->s, e,
                                "SELECT p_from, p_to FROM batch_range WHERE batch = ?1 "
                                "AND p_from <= ?2 ORDER BY p_from DESC LIMIT 1",
                                "ii", (int64_t)x->batch, (int64_t)p);
    uint64_t from, to;
    int rc;

    if (!q || (rc = sql_step(x->s, q, e)) < 0)
        return -1;
    x->floor = 0;
    if (rc == 0)
        return 0;
    from = (uint64_t)sql_int(x->s, q, 0);
    to = (uint64_t)sql_int(x->s, q, 1);
    sql_end(x->s, q);
    if (to > p)
        to = p;
    x->floor = to - from >= AHEAD ? to - AHEAD + 1 : from;
    for (uint64_t at = to; at >= x->floor && at > 0; at--)
        if (add_row(x, at, e) < 0)
            return -1;
    x->work += x->n;
    return 0;
}

/* ---- the view itself ---- */

static int
fill_list(struct source *x, int64_t kind, uint32_t audience, uint64_t p, uint64_t *floor,
          struct err *e)
{
    struct db_stmt *q = sql_get(x->s,
                                "SELECT p FROM posting WHERE kind = ?1 AND audience = ?2 "
                                "AND p <= ?3 ORDER BY p DESC LIMIT ?4",
                                e);
    uint64_t last = 0;
    unsigned got = 0;
    int rc;

    if (!q)
        return -1;
    sql_bind(x->s, q, 1, kind);
    sql_bind(x->s, q, 2, audience);
    sql_bind(x->s, q, 3, (int64_t)p);
    sql_bind(x->s, q, 4, LIST_AHEAD);
    while ((rc = sql_step(x->s, q, e)) == 1) {
        last = (uint64_t)sql_int(x->s, q, 0);
        got++;
        if (add_row(x, last, e) < 0) {
            sql_end(x->s, q);
            return -1;
        }
    }
    if (got == LIST_AHEAD && last > *floor)
        *floor = last; /* below, this list has more that was not read */
    x->work += got + 2;
    return rc;
}

static int
fill_lists(struct source *x, uint64_t p, struct err *e)
{
    uint64_t floor = 0;
    size_t kept = 0;

    for (size_t i = 0; i < x->view->count; i++) {
        const struct view_entry *en = &x->view->entries[i];

        for (size_t k = 0; k < (x->types ? x->type_count : 1); k++) {
            const int64_t type = x->types ? x->types[k] : POST_ALL;

            if (fill_list(x, POST_KIND(type, true), en->audience.number, p, &floor, e) < 0)
                return -1;
            /* Where an audience is seen in part its best may be hidden, and another listed. */
            if (en->natural_from > 0 &&
                fill_list(x, POST_KIND(type, false), en->audience.number, p, &floor, e) < 0)
                return -1;
        }
    }
    sort_rows(x);
    while (kept < x->n && x->rows[kept] >= floor)
        kept++;
    x->n = kept;
    x->floor = floor;
    return 0;
}

static bool
type_wanted(const struct source *x, uint32_t type)
{
    for (size_t i = 0; i < x->type_count; i++)
        if (x->types[i] == type)
            return true;
    return x->types == NULL;
}

/* The rows of a block that is not full yet, from the publications. */
static int
fill_tail(struct source *x, uint64_t from, uint64_t p, struct err *e)
{
    struct db_stmt *q = sql_ask(x->s, e,
                                "SELECT p, audience, type FROM publication WHERE p >= ?1 "
                                "AND p <= ?2 ORDER BY p DESC",
                                "ii", (int64_t)from, (int64_t)p);
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(x->s, q, e)) == 1)
        if (seen(x, (uint32_t)sql_int(x->s, q, 1)) &&
            type_wanted(x, (uint32_t)sql_int(x->s, q, 2)) &&
            add_row(x, (uint64_t)sql_int(x->s, q, 0), e) < 0) {
            sql_end(x->s, q);
            return -1;
        }
    x->work += p - from + 1;
    return rc;
}

static int
fill_columns(struct source *x, uint64_t p, struct err *e)
{
    uint64_t from = p >> BLOCK_SHIFT << BLOCK_SHIFT;
    struct db_stmt *q;
    struct span cells;
    int rc = block_get(x->s, p >> BLOCK_SHIFT, &q, &cells, e);

    if (rc < 0)
        return -1;
    if (rc == 0) {
        if (p - from >= AHEAD)
            from = p - AHEAD + 1;
        x->floor = from;
        return fill_tail(x, from, p, e);
    }
    rc = 0;
    for (uint64_t at = p; rc == 0 && at >= from && at > 0; at--) {
        const uint32_t i = (uint32_t)at & (BLOCK_ROWS - 1);

        if (seen(x, block_audience(cells, i)) && type_wanted(x, block_type(cells, i)))
            rc = add_row(x, at, e);
    }
    sql_end(x->s, q);
    x->floor = from;
    x->work += 16;
    return rc;
}

static int
fill(struct source *x, uint64_t p, struct err *e)
{
    x->n = x->at = 0;
    switch (x->kind) {
    case SOURCE_TERM:
        return fill_term(x, p, e);
    case SOURCE_EDGES:
        return x->edge ? fill_term(x, p, e) : fill_edges(x, p, e);
    case SOURCE_VALUES:
        return fill_values(x, p, e);
    case SOURCE_TEXT:
        return fill_text(x, p, e);
    case SOURCE_BATCH:
        return fill_batch(x, p, e);
    case SOURCE_LISTS:
        return fill_lists(x, p, e);
    default:
        return fill_columns(x, p, e);
    }
}

int
source_prev(struct source *x, uint64_t p, uint64_t *out, struct err *e)
{
    for (;;) {
        while (x->at < x->n && x->rows[x->at] > p)
            x->at++;
        if (x->at < x->n) {
            *out = x->rows[x->at];
            return 1;
        }
        if (x->floor <= 1 || p == 0)
            return 0;
        if (fill(x, p < x->floor ? p : x->floor - 1, e) < 0)
            return -1;
    }
}
