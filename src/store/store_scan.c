#include "store_scan.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "store_block.h"

/* Costs in nanoseconds, measured with rows of 1 KB: only their ratios matter. */
#define COST_ROW   450.0  /* the next row, and that it is passed over */
#define COST_SEEK  1500.0 /* the beginning of a posting list */
#define COST_FETCH 1500.0 /* one row by its number */
#define COST_CELL  1.5    /* one cell of a column */
#define COST_BLOCK 8000.0 /* reading a column */

#define LISTS_MAX  1024 /* posting lists merged at most */
#define LIST_ROOM  32   /* rows read ahead of each */
#define PICK_ROOM  256  /* rows picked from columns before they are fetched */
#define STALE_ROWS 4096 /* a reader's counters may be this much behind: they only guide */

/* What is read of a row, and behind it its bytes. */
struct columns {
    const char *one, *all; /* a row by its number; those of a range */
    int count;             /* then come the bytes */
    void (*read)(struct store *s, struct db_stmt *q, struct row *out);
};

#define ROW_AUDIENCE 2 /* its column in each */

#define ONE(list) "SELECT " list ", bytes FROM publication WHERE p = ?1"
#define ALL(list) "SELECT " list ", bytes FROM publication WHERE p >= ?1 AND p < ?2 ORDER BY p"

static const struct columns whole = {ONE(ROW_COLUMNS), ALL(ROW_COLUMNS), ROW_COLUMN_COUNT,
                                     row_read};
static const struct columns little = {ONE(ROW_LITTLE), ALL(ROW_LITTLE), ROW_LITTLE_COUNT,
                                      row_read_little};
static const struct columns lean = {ONE(ROW_LEAN), ALL(ROW_LEAN), ROW_LEAN_COUNT, row_read_lean};

/* One stretch: rows from p_from to p_to - 1 of one audience's slice (en), or natural ones (NULL).
 */
struct stretch {
    const struct scan *c;
    const struct view_entry *en;
    uint64_t p_from, p_to;
    int64_t after_us;
};

static bool
type_wanted(const struct scan *c, uint32_t type)
{
    if (!c->types)
        return true;
    for (size_t i = 0; i < c->type_count; i++)
        if (c->types[i] == type)
            return true;
    return false;
}

/* A slice's rows are dated by their seq. */
static const struct columns *
columns_of(const struct stretch *t)
{
    if (!t->c->little)
        return &whole;
    return t->en ? &little : &lean;
}

static int
give(const struct stretch *t, const struct row *r, struct db_stmt *q, struct err *e)
{
    const struct look *l = t->c->look;
    int64_t date;

    if (!look_date(l, r, &date))
        return 0;
    /* In a natural stretch a row at its own arrival; in a slice one at another date. */
    if ((date == r->arrival_us) != (t->en == NULL) || date <= t->after_us)
        return 0;
    return t->c->fn(t->c->ctx, r, date, q, columns_of(t)->count, e);
}

/* Gives the row that q stands on, where the stretch shows it. */
static int
give_read(const struct stretch *t, struct db_stmt *q, struct err *e)
{
    const struct columns *k = columns_of(t);
    struct store *s = t->c->look->s;
    bool listed;
    struct row r;
    int rc;

    k->read(s, q, &r);
    if (!type_wanted(t->c, r.type))
        return 0;
    if (k == &lean &&
        (!look_lean(t->c->look, &r, &listed) || (listed && sql_null(s, q, k->count)))) {
        rc = row_get(s, r.p, &r, e);
        if (rc <= 0)
            return rc < 0 ? -1 : err_set(e, ERR_CORRUPT, "a publication is not there");
    }
    return give(t, &r, q, e);
}

static int
fetch(const struct stretch *t, uint64_t p, struct err *e)
{
    struct store *s = t->c->look->s;
    struct db_stmt *q = sql_get(s, columns_of(t)->one, e);
    int rc;

    if (!q)
        return -1;
    sql_bind(s, q, 1, (int64_t)p);
    rc = sql_step(s, q, e);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(e, ERR_CORRUPT, "a publication is not there");
    rc = give_read(t, q, e);
    sql_end(s, q);
    return rc;
}

/* ---- all rows ---- */

static bool
in_view(const struct view *v, uint32_t audience)
{
    return (audience >> 6) < v->bit_words && (v->bits[audience >> 6] >> (audience & 63) & 1);
}

static int
scan_rows(const struct stretch *t, struct err *e)
{
    const struct columns *k = columns_of(t);
    struct store *s = t->c->look->s;
    struct db_stmt *q = sql_get(s, k->all, e);
    int rc;

    if (!q)
        return -1;
    sql_bind(s, q, 1, (int64_t)t->p_from);
    sql_bind(s, q, 2, (int64_t)t->p_to);
    while ((rc = sql_step(s, q, e)) == 1) {
        if (!in_view(t->c->look->view, (uint32_t)sql_int(s, q, ROW_AUDIENCE)))
            continue;
        rc = give_read(t, q, e);
        if (rc != 0) {
            sql_end(s, q);
            return rc;
        }
    }
    return rc;
}

/* ---- posting lists ---- */

struct list {
    int64_t kind;
    uint32_t audience;
    uint64_t rows[LIST_ROOM];
    unsigned at, n;
    unsigned room; /* grows with use: most lists give few rows */
    bool over;
};

struct merge {
    const struct stretch *t;
    struct list *lists;
    struct list **heap;
    size_t n;
};

static int
list_fill(const struct stretch *t, struct list *l, uint64_t from, struct err *e)
{
    struct store *s = t->c->look->s;
    struct db_stmt *q = sql_get(s,
                                "SELECT p FROM posting WHERE kind = ?1 AND audience = ?2 "
                                "AND p >= ?3 AND p < ?4 ORDER BY p LIMIT ?5",
                                e);
    int rc;

    if (!q)
        return -1;
    sql_bind(s, q, 1, l->kind);
    sql_bind(s, q, 2, l->audience);
    sql_bind(s, q, 3, (int64_t)from);
    sql_bind(s, q, 4, (int64_t)t->p_to);
    sql_bind(s, q, 5, l->room);
    l->at = l->n = 0;
    while ((rc = sql_step(s, q, e)) == 1 && l->n < LIST_ROOM)
        l->rows[l->n++] = (uint64_t)sql_int(s, q, 0);
    if (rc == 1)
        sql_end(s, q);
    l->over = l->n < l->room;
    if (l->room < LIST_ROOM)
        l->room *= 2;
    return rc < 0 ? -1 : 0;
}

static uint64_t
list_row(const struct list *l)
{
    return l->rows[l->at];
}

static void
merge_down(struct merge *m, size_t at)
{
    for (;;) {
        size_t least = at;
        struct list *x;

        for (size_t kid = 2 * at + 1; kid <= 2 * at + 2 && kid < m->n; kid++)
            if (list_row(m->heap[kid]) < list_row(m->heap[least]))
                least = kid;
        if (least == at)
            return;
        x = m->heap[at];
        m->heap[at] = m->heap[least];
        m->heap[least] = x;
        at = least;
    }
}

/* Takes the least row off the heap. */
static int
merge_next(struct merge *m, uint64_t *p, struct err *e)
{
    struct list *l = m->heap[0];

    *p = list_row(l);
    if (++l->at == l->n) {
        if (l->over)
            l->n = 0;
        else if (list_fill(m->t, l, *p + 1, e) < 0)
            return -1;
        if (l->n == 0) {
            m->heap[0] = m->heap[--m->n];
            if (m->n == 0)
                return 0;
        }
    }
    merge_down(m, 0);
    return 0;
}

/* The kinds of posting list that an audience is read by. */
static size_t
kinds_of(const struct scan *c, const struct view_entry *en, bool slice, int64_t *out, size_t max)
{
    const bool others = slice || en->natural_from > 0 || !c->last_only;
    size_t n = 0;

    for (size_t i = 0; i < (c->types ? c->type_count : 1) && n + 2 <= max; i++) {
        const int64_t type = c->types ? c->types[i] : POST_ALL;

        out[n++] = POST_KIND(type, true);
        if (others)
            out[n++] = POST_KIND(type, false);
    }
    return n;
}

#define KINDS_MAX 1024

static int
merge_add(struct merge *m, const struct view_entry *en, bool slice, size_t *used, struct err *e)
{
    int64_t kinds[KINDS_MAX];
    const size_t n = kinds_of(m->t->c, en, slice, kinds, KINDS_MAX);

    for (size_t i = 0; i < n && *used < LISTS_MAX; i++) {
        struct list *l = &m->lists[(*used)++];

        l->kind = kinds[i];
        l->audience = en->audience.number;
        l->room = n * m->t->c->look->view->count <= 4 ? LIST_ROOM : 4;
        if (list_fill(m->t, l, m->t->p_from, e) < 0)
            return -1;
        if (l->n > 0)
            m->heap[m->n++] = l;
    }
    return 0;
}

/* An audience whose newest row is older needs no look. */
static bool
may_have(struct store *s, const struct view_entry *en, uint64_t from)
{
    const struct aud *a = aud_of(s, en->audience.number);

    return !a || s->aud_commits != s->state.commits || a->newest_p >= from;
}

static int
scan_lists(const struct stretch *t, struct err *e)
{
    const struct view *v = t->c->look->view;
    struct merge m = {.t = t};
    size_t used = 0;
    int rc = 0;

    m.lists = mem_alloc(LISTS_MAX * sizeof *m.lists);
    m.heap = mem_alloc(LISTS_MAX * sizeof(struct list *));
    if (!m.lists || !m.heap)
        rc = err_set(e, ERR_MEMORY, "no memory for a page");
    if (rc == 0 && t->en)
        rc = merge_add(&m, t->en, true, &used, e);
    for (size_t i = 0; rc == 0 && !t->en && i < v->count; i++)
        if (may_have(t->c->look->s, &v->entries[i], t->p_from))
            rc = merge_add(&m, &v->entries[i], false, &used, e);
    for (size_t i = m.n; rc == 0 && i-- > 0;)
        merge_down(&m, i);
    while (rc == 0 && m.n > 0) {
        uint64_t p;

        rc = merge_next(&m, &p, e);
        if (rc == 0)
            rc = fetch(t, p, e);
    }
    mem_free(m.lists);
    mem_free(m.heap);
    return rc;
}

/* ---- columns ---- */

static int
pick(const struct stretch *t, struct span cells, uint64_t p, uint64_t to, uint64_t *out, size_t *n)
{
    const struct scan *c = t->c;
    const struct view *v = c->look->view;

    *n = 0;
    for (; p < to && *n < PICK_ROOM; p++) {
        const uint32_t at = (uint32_t)(p & (BLOCK_ROWS - 1));

        if (in_view(v, block_audience(cells, at)) &&
            (!c->types || type_wanted(c, block_type(cells, at))))
            out[(*n)++] = p;
    }
    return *n == PICK_ROOM;
}

/* From *p on through whole blocks; *p is then the first row that is in none. */
static int
scan_columns(const struct stretch *t, uint64_t *p, struct err *e)
{
    struct store *s = t->c->look->s;
    uint64_t rows[PICK_ROOM];
    size_t n;

    while (*p < t->p_to) {
        const uint64_t end = ((*p >> BLOCK_SHIFT) + 1) << BLOCK_SHIFT;
        const uint64_t to = end < t->p_to ? end : t->p_to;
        struct db_stmt *q;
        struct span cells;
        int rc = block_get(s, *p >> BLOCK_SHIFT, &q, &cells, e);

        if (rc <= 0)
            return rc;
        while (rc >= 0 && *p < to) {
            const int full = pick(t, cells, *p, to, rows, &n);

            rc = 0;
            for (size_t i = 0; i < n && rc == 0; i++)
                rc = fetch(t, rows[i], e);
            if (rc != 0)
                break;
            *p = full ? rows[n - 1] + 1 : to;
        }
        sql_end(s, q);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- choosing ---- */

static double
least(double a, double b)
{
    return a < b ? a : b;
}

static enum scan_way
choose(const struct stretch *t)
{
    const struct scan *c = t->c;
    struct store *s = c->look->s;
    const struct view *v = c->look->view;
    const double rows = (double)(t->p_to - t->p_from), want = (double)c->limit + 1;
    const double kinds = c->types ? (double)c->type_count : 1;
    double lists = 0, shown = 0, share, through, ways[4];

    if (t->en)
        return SCAN_LISTS;
    for (size_t i = 0; i < v->count; i++) {
        const struct aud *a = aud_of(s, v->entries[i].audience.number);

        if (may_have(s, &v->entries[i], t->p_from))
            lists += c->last_only && v->entries[i].natural_from == 0 ? kinds : 2 * kinds;
        shown += a ? (double)a->rows : 1;
    }
    share = s->state.p > 0 ? least(1, (shown + 1) / (double)s->state.p) : 1;
    if (c->types)
        share /= 8; /* which types an audience has is not known here: some are asked for */
    through = least(rows, want / share);
    ways[SCAN_ROWS] = through * COST_ROW;
    ways[SCAN_LISTS] = lists * COST_SEEK + least(want, rows) * COST_FETCH;
    ways[SCAN_COLUMNS] = through * COST_CELL + (through / BLOCK_ROWS + 1) * COST_BLOCK +
                         least(want, rows) * COST_FETCH;
    if (lists > LISTS_MAX)
        ways[SCAN_LISTS] = ways[SCAN_ROWS] + ways[SCAN_COLUMNS];
    if (ways[SCAN_ROWS] <= ways[SCAN_LISTS] && ways[SCAN_ROWS] <= ways[SCAN_COLUMNS])
        return SCAN_ROWS;
    return ways[SCAN_LISTS] <= ways[SCAN_COLUMNS] ? SCAN_LISTS : SCAN_COLUMNS;
}

static int
scan_stretch(struct stretch *t, struct err *e)
{
    enum scan_way way = t->c->way != SCAN_CHOOSE && !t->en ? t->c->way : choose(t);
    uint64_t p = t->p_from;
    int rc;

    if (t->p_from >= t->p_to)
        return 0;
    if (way == SCAN_COLUMNS) {
        rc = scan_columns(t, &p, e);
        if (rc != 0 || p >= t->p_to)
            return rc;
        t->p_from = p; /* the rows of the last block, which is not full */
        way = t->c->way == SCAN_CHOOSE ? choose(t) : SCAN_ROWS;
        if (way == SCAN_COLUMNS)
            way = SCAN_ROWS;
    }
    return way == SCAN_LISTS ? scan_lists(t, e) : scan_rows(t, e);
}

/* ---- slices ---- */

struct part {
    const struct view_entry *en;
    const struct view_slice *slice;
};

static int
part_cmp(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    return x->slice->base_us < y->slice->base_us ? -1 : x->slice->base_us > y->slice->base_us;
}

static int64_t
slice_last(const struct view_slice *s)
{
    return s->base_us + (int64_t)(s->n - 1) * STORE_STEP_US;
}

/* The slices with dates from `from` to `to`, by date; mem_free. */
static int
parts_of(const struct view *v, int64_t from, int64_t to, struct part **out, size_t *n,
         struct err *e)
{
    struct part *list = NULL;
    size_t count = 0;

    for (int round = 0; round < 2; round++) {
        if (round == 1 && count > 0 && !(list = mem_zero(count, sizeof *list)))
            return err_set(e, ERR_MEMORY, "no memory for a page");
        count = 0;
        for (size_t i = 0; i < v->count; i++)
            for (size_t k = 0; k < v->entries[i].slice_count; k++) {
                const struct view_slice *s = &v->entries[i].slices[k];

                if (s->n == 0 || slice_last(s) < from || s->base_us > to)
                    continue;
                if (list)
                    list[count] = (struct part){&v->entries[i], s};
                count++;
            }
    }
    if (count > 0)
        qsort(list, count, sizeof *list, part_cmp);
    *out = list;
    *n = count;
    return 0;
}

/* Where a slice's rows with dates beyond after_us lie, and the first row whose own arrival is later
 * than the slice's dates.  A view's slice may be a part of the one stored, or several that follow
 * one another. */
static int
part_place(struct store *s, const struct part *at, int64_t after_us, uint64_t *p_from,
           uint64_t *p_to, uint64_t *p_next, struct err *e)
{
    const struct view_slice *v = at->slice;
    const uint32_t audience = at->en->audience.number;
    uint64_t from = v->from_seq, stored_from, stored_n;
    struct db_stmt *q;
    int rc;

    if (after_us >= v->base_us)
        from += (uint64_t)((after_us - v->base_us) / STORE_STEP_US) + 1;
    q = sql_ask(s, e,
                "SELECT audience, p_from, p_to, p_next, from_seq, n FROM slice WHERE base <= ?1 "
                "ORDER BY base DESC LIMIT 1",
                "i", v->base_us);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0 || (uint32_t)sql_int(s, q, 0) != audience) {
        sql_end(s, q);
        return err_set(e, ERR_CONFLICT, "the view is older than the store");
    }
    *p_from = (uint64_t)sql_int(s, q, 1);
    *p_to = (uint64_t)sql_int(s, q, 2);
    *p_next = (uint64_t)sql_int(s, q, 3);
    stored_from = (uint64_t)sql_int(s, q, 4);
    stored_n = (uint64_t)sql_int(s, q, 5);
    sql_end(s, q);
    if (from != stored_from && seq_bound(s, audience, from, *p_from, *p_next, p_from, e) < 0)
        return -1;
    if (v->from_seq + v->n != stored_from + stored_n)
        return seq_bound(s, audience, v->from_seq + v->n, *p_from, *p_next, p_to, e);
    return 0;
}

int
scan_counters(struct store *s, struct err *e)
{
    if (s->mode == DB_READ && s->aud_rights == s->state.rights && s->aud_p <= s->state.p &&
        s->state.p - s->aud_p < STALE_ROWS)
        return 0;
    return auds_load(s, e);
}

int
scan_run(const struct scan *c, int64_t after_us, struct err *e)
{
    struct store *s = c->look->s;
    struct part *parts;
    uint64_t p;
    size_t n;
    int rc;

    if (scan_counters(s, e) < 0 || row_after(s, after_us, &p, e) < 0 ||
        parts_of(c->look->view, after_us + 1, INT64_MAX, &parts, &n, e) < 0)
        return -1;
    rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct stretch granted = {.c = c, .en = parts[i].en, .after_us = after_us};
        struct stretch natural = {.c = c, .p_from = p, .after_us = after_us};
        uint64_t next = 0;

        rc = part_place(s, &parts[i], after_us, &granted.p_from, &granted.p_to, &next, e);
        if (rc < 0)
            break;
        natural.p_to = next;
        rc = scan_stretch(&natural, e);
        if (rc == 0)
            rc = scan_stretch(&granted, e);
        if (next > p)
            p = next;
    }
    mem_free(parts);
    if (rc == 0) {
        struct stretch rest = {.c = c, .p_from = p, .p_to = s->state.p + 1, .after_us = after_us};

        rc = scan_stretch(&rest, e);
    }
    return rc;
}

int
scan_back(const struct look *look, int64_t before_us, stretch_fn *fn, void *ctx, struct err *e)
{
    struct store *s = look->s;
    struct part *parts;
    uint64_t hi;
    size_t n;
    int rc;

    if (row_after(s, before_us - 1, &hi, e) < 0 ||
        parts_of(look->view, INT64_MIN, before_us - 1, &parts, &n, e) < 0)
        return -1;
    rc = 0;
    while (n-- > 0 && rc == 0) {
        uint64_t from = 0, to = 0, next = 0;

        rc = part_place(s, &parts[n], INT64_MIN, &from, &to, &next, e);
        if (rc == 0 && next < hi) {
            rc = fn(ctx, NULL, next, hi, e);
            hi = next;
        }
        if (rc == 0)
            rc = fn(ctx, parts[n].en, from, to, e);
    }
    mem_free(parts);
    return rc != 0 ? rc : fn(ctx, NULL, 1, hi, e);
}
