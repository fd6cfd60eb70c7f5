#include "store_find.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "store_index.h"
#include "store_look.h"
#include "store_scan.h"
#include "store_source.h"

#define WORK_DEFAULT 20000 /* rows looked at in one call: some ten milliseconds */
#define WORK_LEAST   1000
#define WORK_FETCH   4  /* what reading a row counts */
#define SPARSE       64 /* a view with less than one row in so many is a condition of its own */
#define TYPES_MAX    512
#define SOURCES_MAX  8

struct find {
    struct look look;
    const struct store_find_ask *ask;
    const struct store_search *q;
    store_item_fn *fn;
    void *ctx;
    struct source sources[SOURCES_MAX];
    size_t n;
    uint32_t types[TYPES_MAX];
    size_t type_count;
    int64_t before_us;
    uint64_t work;  /* rows read by number */
    uint64_t first; /* the row that this call began at; 0: not yet */
    struct store_find_end end;
};

static uint64_t
work_done(const struct find *f)
{
    uint64_t w = f->work * WORK_FETCH;

    for (size_t i = 0; i < f->n; i++)
        w += f->sources[i].work;
    return w;
}

static bool
tired(const struct find *f)
{
    const uint64_t most = f->ask->work ? f->ask->work : WORK_DEFAULT;

    return work_done(f) > (most > WORK_LEAST ? most : WORK_LEAST);
}

/* ---- conditions ---- */

static struct source *
add_source(struct find *f, enum source_kind kind)
{
    struct source *x = &f->sources[f->n++];

    x->kind = kind;
    x->s = f->look.s;
    x->view = f->ask->view;
    source_begin(x);
    return x;
}

static void
add_term(struct find *f, enum term_kind kind, struct span text)
{
    add_source(f, SOURCE_TERM)->key = store_key(f->look.s, (uint8_t)kind, text);
}

static void
add_conditions(struct find *f)
{
    const struct store_search *q = f->q;
    const struct span none = {NULL, 0};
    struct source *x;

    if (q->label.n > 0)
        add_term(f, TERM_LABEL, q->label);
    if (q->creator.n > 0)
        add_term(f, TERM_CREATOR, q->creator);
    if (q->defect.n > 0)
        add_term(f, span_is(q->defect, "*") ? TERM_ANY_DEFECT : TERM_DEFECT,
                 span_is(q->defect, "*") ? none : q->defect);
    if (q->revoked)
        add_term(f, TERM_REVOKED, none);
    if (q->range_count > 0) {
        x = add_source(f, SOURCE_VALUES);
        x->ranges = q->ranges;
        x->range_count = q->range_count;
    }
    if (q->batch) {
        x = add_source(f, SOURCE_BATCH);
        x->batch = q->batch;
    }
    if (q->match && q->gram_count > 0) {
        x = add_source(f, SOURCE_TEXT);
        x->grams = q->grams;
        x->gram_count = q->gram_count;
    }
}

/* The view is a condition where there is no other, or where it shows so little that looking for
 * its rows is quicker than passing over those of others. */
static int
add_view(struct find *f, struct err *e)
{
    struct store *s = f->look.s;
    const struct view *v = f->ask->view;
    const size_t kinds = f->type_count ? f->type_count : 1;
    size_t lists = 0;
    uint64_t shown = 0;
    struct source *x;

    if (scan_counters(s, e) < 0)
        return -1;
    for (size_t i = 0; i < v->count; i++) {
        const struct aud *a = aud_of(s, v->entries[i].audience.number);

        lists += v->entries[i].natural_from > 0 ? 2 * kinds : kinds;
        shown += a ? a->rows : 0;
    }
    if (f->n > 0 && shown > s->state.p / SPARSE)
        return 0;
    x = add_source(f, lists <= SOURCE_LISTS_MAX ? SOURCE_LISTS : SOURCE_COLUMNS);
    x->types = f->type_count ? f->types : NULL;
    x->type_count = f->type_count;
    return 0;
}

static int
read_types(struct find *f, struct err *e)
{
    if (f->q->type_count > TYPES_MAX)
        return err_set(e, ERR_LIMIT, "too many types");
    for (size_t i = 0; i < f->q->type_count; i++) {
        uint32_t n;
        const int rc = type_number(f->look.s, f->q->types[i], false, &n, e);

        if (rc < 0)
            return -1;
        if (rc == 1)
            f->types[f->type_count++] = n;
    }
    return 0;
}

/* ---- one row ---- */

static bool
plain_conditions(const struct find *f, const struct row *r)
{
    const struct store_search *q = f->q;
    bool type = f->type_count == 0;

    for (size_t i = 0; i < f->type_count && !type; i++)
        type = f->types[i] == r->type;
    if (!type || (q->publisher && strm_publisher(f->look.s, r->stream) != q->publisher) ||
        (q->batch && r->batch != q->batch) || (q->revoked && !(r->flags & F_REVOKED)))
        return false;
    return !q->confidence || (r->confidence >= 0 && r->confidence >= q->confidence_min &&
                              r->confidence <= q->confidence_max);
}

/* Whether the row is where its id's best version has its least date. */
static int
is_best(struct find *f, const struct row *r, int64_t date_us, struct err *e)
{
    const struct listings *all;
    struct listing at;
    int rc;

    if (!(r->flags & F_MULTI))
        return look_row(&f->look, r, date_us, &at, e);
    rc = look_ident(&f->look, r->ident, &all, e);
    if (rc < 0)
        return -1;
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].row.p == r->p)
            return 1;
    return 0;
}

static int
text_matches(struct find *f, const struct row *r, struct err *e)
{
    struct db_stmt *q;
    struct span bytes;
    int rc;

    if (!f->q->match)
        return 1;
    if (row_bytes(f->look.s, r->object, &q, &bytes, e) < 0)
        return -1;
    rc = f->q->match(f->q->match_ctx, bytes);
    sql_end(f->look.s, q);
    return rc;
}

/* A row that fulfils what the sources stand for.  0 go on, 1 enough, -1. */
static int
consider(struct find *f, uint64_t p, const struct view_entry *slice, struct err *e)
{
    struct listing at;
    int rc;

    f->work++;
    rc = row_get(f->look.s, p, &at.row, e);
    if (rc <= 0)
        return rc;
    if (!row_living(&at.row) || !look_date(&f->look, &at.row, &at.date_us) ||
        (at.date_us == at.row.arrival_us) != (slice == NULL) || at.date_us >= f->before_us)
        return 0;
    if (slice && slice->audience.number != at.row.audience)
        return 0;
    f->end.next_us = at.date_us; /* all that is newer has been looked at */
    if (at.date_us < f->q->since_us)
        return 1; /* and so is all that follows */
    if (!plain_conditions(f, &at.row))
        return 0;
    rc = is_best(f, &at.row, at.date_us, e);
    if (rc == 1)
        rc = text_matches(f, &at.row, e);
    if (rc <= 0)
        return rc;
    if (f->end.count == f->ask->limit) {
        f->end.more = true;
        f->end.next_us = at.date_us + 1;
        return 1;
    }
    rc = look_give(&f->look, &at, f->ask->want, NULL, 0, f->fn, f->ctx, e);
    if (rc == 0)
        f->end.count++;
    if (rc == 1) {
        f->end.more = true;
        f->end.next_us = at.date_us + 1;
    }
    return rc;
}

/* The greatest row at or below p on which all sources stand.  2: too much work so far, and it lies
 * at or below *p. */
static int
agree(struct find *f, uint64_t lo, bool may_rest, uint64_t *p, struct err *e)
{
    size_t same = 0;

    for (size_t i = 0; same < f->n; i = (i + 1) % f->n) {
        uint64_t at;
        const int rc = source_prev(&f->sources[i], *p, &at, e);

        if (rc <= 0 || at < lo)
            return rc < 0 ? -1 : 0;
        f->sources[i].work++;
        same = at == *p && same > 0 ? same + 1 : 1;
        *p = at;
        /* Not before there is something to show for it: the next call begins here. */
        if (may_rest && same < f->n && at < f->first && tired(f))
            return 2;
    }
    return 1;
}

/* Where to go on after rows from p on have been looked at. */
static int
rest_at(struct find *f, uint64_t p, const struct view_entry *slice, struct err *e)
{
    struct row r;
    int rc;

    f->end.more = true;
    if (slice)
        return 1; /* next_us is the date of the last row that was seen */
    rc = row_get(f->look.s, p, &r, e);
    if (rc == 1 && r.arrival_us + 1 < f->before_us)
        f->end.next_us = r.arrival_us + 1;
    return rc < 0 ? -1 : 1;
}

/* Rows from hi - 1 down to lo, of one slice or at their own arrivals. */
static int
find_rows(void *ctx, const struct view_entry *slice, uint64_t lo, uint64_t hi, struct err *e)
{
    struct find *f = ctx;
    const int64_t before = f->end.next_us;
    uint64_t p = hi;

    /* A slice's rows are older than those around it in date. */
    for (size_t i = 0; i < f->n; i++)
        source_rewind(&f->sources[i]);
    if (f->first == 0)
        f->first = hi > lo ? hi - 1 : 0;
    while (p-- > lo) {
        /* Within a slice a date to go on from is needed first. */
        const bool may_rest = !slice || f->end.next_us != before;
        int rc = agree(f, lo, may_rest, &p, e);

        if (rc <= 0)
            return rc;
        if (rc == 2)
            return rest_at(f, p, slice, e);
        rc = consider(f, p, slice, e);
        if (rc != 0)
            return rc;
        if (p > lo && tired(f) && (!slice || f->end.next_us != before))
            return rest_at(f, p - 1, slice, e);
    }
    return 0;
}

static int
find_begin(struct find *f, struct store *s, const struct store_versions *which, struct err *e)
{
    if (store_need_open(s, e) < 0 || look_begin(&f->look, s, f->ask->view, which, e) < 0)
        return -1;
    f->before_us = f->ask->before_us ? f->ask->before_us : INT64_MAX;
    if (f->q->until_us && f->q->until_us < f->before_us - 1)
        f->before_us = f->q->until_us + 1;
    f->end.next_us = f->before_us;
    return 0;
}

static void
find_end(struct find *f)
{
    for (size_t i = 0; i < f->n; i++)
        source_end(&f->sources[i]);
    look_end(&f->look);
}

/* Whether every source stands for this very row too. */
static int
all_name(struct find *f, uint64_t p, struct err *e)
{
    for (size_t i = 0; i < f->n; i++) {
        uint64_t at = 0;
        int rc;

        source_rewind(&f->sources[i]);
        rc = source_prev(&f->sources[i], p, &at, e);
        if (rc <= 0 || at != p)
            return rc < 0 ? -1 : 0;
    }
    return 1;
}

static int
newest_first(const void *a, const void *b)
{
    const struct listing *x = a, *y = b;

    return x->date_us > y->date_us ? -1 : x->date_us < y->date_us;
}

/* By id: the few rows that are listed of it. */
static int
find_id(struct find *f, struct err *e)
{
    struct store *s = f->look.s;
    const struct listings *all;
    uint64_t ident;
    int rc = ident_find(s, f->q->id, ident_key(s, f->q->id), &ident, e);

    if (rc <= 0)
        return rc;
    if (look_ident(&f->look, ident, &all, e) < 0)
        return -1;
    qsort(all->list, all->n, sizeof *all->list, newest_first);
    rc = 0;
    for (size_t i = 0; i < all->n && rc == 0; i++) {
        const struct row *r = &all->list[i].row;
        int64_t date;

        rc = all_name(f, r->p, e);
        if (rc == 1)
            rc = look_date(&f->look, r, &date) && date == r->arrival_us
                     ? consider(f, r->p, NULL, e)
                     : consider(f, r->p, view_find(f->ask->view, r->audience), e);
    }
    return rc;
}

int
store_search(struct store *s, const struct store_find_ask *ask, const struct store_search *q,
             store_item_fn *fn, void *ctx, struct store_find_end *out, struct err *e)
{
    const struct store_versions which = {.last = true};
    struct find f = {.ask = ask, .q = q, .fn = fn, .ctx = ctx};
    int rc = find_begin(&f, s, &which, e);

    if (rc < 0)
        return -1;
    rc = read_types(&f, e);
    if (rc == 0 && (q->type_count == 0 || f.type_count > 0)) {
        add_conditions(&f);
        if (q->id.n > 0)
            rc = find_id(&f, e);
        else if ((rc = add_view(&f, e)) == 0)
            rc = scan_back(&f.look, f.before_us, find_rows, &f, e);
    }
    find_end(&f);
    if (rc < 0)
        return -1;
    *out = f.end;
    return 0;
}

int
store_related(struct store *s, const struct store_find_ask *ask, struct span id, uint32_t kind,
              store_item_fn *fn, void *ctx, struct store_find_end *out, struct err *e)
{
    const struct store_versions which = {.last = true};
    const struct store_search none = {0};
    struct find f = {.ask = ask, .q = &none, .fn = fn, .ctx = ctx};
    struct source *x;
    int rc = find_begin(&f, s, &which, e);

    if (rc < 0)
        return -1;
    x = add_source(&f, SOURCE_EDGES);
    x->key = store_key(s, TERM_NODE, id);
    x->edge = kind;
    rc = add_view(&f, e);
    if (rc == 0)
        rc = scan_back(&f.look, f.before_us, find_rows, &f, e);
    find_end(&f);
    if (rc < 0)
        return -1;
    *out = f.end;
    return 0;
}
