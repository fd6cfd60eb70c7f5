#include "store_look.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define LOOK_ARENA (32u << 20)
#define LOOK_RESET (16u << 20) /* then what was remembered is forgotten */

int
look_begin(struct look *l, struct store *s, const struct view *v,
           const struct store_versions *which, struct err *e)
{
    memset(l, 0, sizeof *l);
    l->s = s;
    l->view = v;
    l->which = which;
    if (types_load(s, e) < 0 || strms_load(s, e) < 0)
        return -1;
    l->a = s->look ? s->look : arena_new(LOOK_ARENA);
    s->look = NULL;
    return l->a ? 0 : err_set(e, ERR_MEMORY, "no memory for a view");
}

void
look_end(struct look *l)
{
    if (l->s->look) {
        arena_free(l->a);
    } else if (l->a) {
        arena_reset(l->a);
        l->s->look = l->a;
    }
    l->a = NULL;
}

bool
look_last_only(const struct store_versions *w)
{
    return !w->first && !w->all && w->time_count == 0;
}

bool
look_date(const struct look *l, const struct row *r, int64_t *date_us)
{
    const struct view_entry *en;

    if (r->flags & F_ERASED)
        return false;
    en = view_find(l->view, r->audience);
    if (!en)
        return false;
    if (r->seq >= en->natural_from) {
        *date_us = r->arrival_us;
        return true;
    }
    /* An erasure before somebody joined is none of his. */
    return !(r->flags & F_ERASE) && view_entry_date(en, r->seq, r->arrival_us, date_us);
}

/* ---- the rows of an id that are seen ---- */

struct seen {
    struct row row;
    int64_t date_us;
};

/* The same bytes in whatever audiences, and of the same class.  What was stored as lowest and later
 * comes again as the best is another content: else it would be dated before those who poll. */
struct content {
    struct row row; /* of the least date */
    int64_t date_us;
    bool earliest;     /* no other class of these bytes is dated before */
    bool best;         /* of all */
    bool best_of_time; /* of those of the same modified */
    bool first_of_all; /* and no modified is earlier */
};

struct weigh {
    struct store *s;
    struct content *list; /* living, by modified and then rank once sorted */
    size_t n;
    struct seen *erases;
    size_t erase_count;
};

static int
seen_cmp(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;

    if (x->row.object != y->row.object)
        return x->row.object < y->row.object ? -1 : 1;
    if (row_class(&x->row) != row_class(&y->row))
        return row_class(&x->row) - row_class(&y->row);
    return x->date_us < y->date_us ? -1 : x->date_us > y->date_us;
}

static int
time_cmp(const void *a, const void *b)
{
    const struct content *x = a, *y = b;
    const bool vx = x->row.flags & F_VERSIONED, vy = y->row.flags & F_VERSIONED;

    return vx != vy ? (vx ? -1 : 1) : instant_cmp(x->row.modified, y->row.modified);
}

/* Marks the best of each modified, the first and the best of all. */
static int
weigh_order(struct weigh *w, struct err *e)
{
    struct content *best = NULL;
    int d;

    qsort(w->list, w->n, sizeof *w->list, time_cmp);
    for (size_t i = 0, to; i < w->n && (w->list[i].row.flags & F_VERSIONED); i = to) {
        struct content *top = &w->list[i];

        for (to = i + 1; to < w->n && time_cmp(&w->list[i], &w->list[to]) == 0; to++) {
            if (row_rank(w->s, &w->list[to].row, &top->row, &d, e) < 0)
                return -1;
            if (d > 0)
                top = &w->list[to];
        }
        top->best_of_time = true;
        top->first_of_all = i == 0;
        if (best && row_rank(w->s, &top->row, &best->row, &d, e) < 0)
            return -1;
        if (!best || d > 0)
            best = top;
    }
    if (best)
        best->best = true;
    return 0;
}

/* Splits what is seen of an id into contents and erase rows. */
static int
weigh_rows(struct look *l, uint64_t ident, struct weigh *w, struct err *e)
{
    uint64_t *list = NULL;
    size_t n = 1, living = 0;
    struct seen *seen;
    struct row first;
    int rc = row_get(l->s, ident, &first, e);

    /* Nearly all ids have one row. */
    if (rc < 0 || ((rc == 0 || first.flags & F_MULTI) && row_list(l->s, ident, &list, &n, e) < 0))
        return -1;
    rc = 0;
    seen = arena_alloc(l->a, (n + 1) * sizeof *seen);
    w->erases = arena_alloc(l->a, (n + 1) * sizeof *seen);
    w->list = arena_alloc(l->a, (n + 1) * sizeof *w->list);
    if (!seen || !w->erases || !w->list)
        rc = err_set(e, ERR_MEMORY, "no memory for versions");
    for (size_t i = 0; i < n && rc >= 0; i++) {
        struct seen at;

        if (list)
            rc = row_get(l->s, list[i], &at.row, e);
        else
            at.row = first;
        if ((list && rc != 1) || !look_date(l, &at.row, &at.date_us))
            continue;
        if (at.row.flags & F_ERASE)
            w->erases[w->erase_count++] = at;
        else
            seen[living++] = at;
    }
    mem_free(list);
    if (rc < 0)
        return -1;
    qsort(seen, living, sizeof *seen, seen_cmp);
    for (size_t i = 0; i < living; i++) {
        struct content *c = w->n > 0 ? &w->list[w->n - 1] : NULL;
        const bool same = c && c->row.object == seen[i].row.object;

        if (same && row_class(&c->row) == row_class(&seen[i].row))
            continue;
        w->list[w->n++] =
            (struct content){.row = seen[i].row, .date_us = seen[i].date_us, .earliest = true};
        for (size_t k = w->n - 1; same && k-- > 0 && w->list[k].row.object == c->row.object;) {
            if (w->list[k].date_us < seen[i].date_us)
                w->list[w->n - 1].earliest = false;
            else
                w->list[k].earliest = false;
        }
    }
    return weigh_order(w, e);
}

/* ---- which of them are listed ---- */

/* The last erasure that is seen, of one version (NULL: of any). */
static int64_t
last_erase(const struct weigh *w, const struct instant *modified)
{
    int64_t last = 0;

    for (size_t i = 0; i < w->erase_count; i++) {
        const struct seen *x = &w->erases[i];

        if (!(x->row.flags & F_VERSIONED) || x->date_us <= last)
            continue;
        if (!modified || instant_cmp(x->row.modified, *modified) == 0)
            last = x->date_us;
    }
    return last;
}

static void
list_add(struct listings *out, const struct content *c, int64_t not_before)
{
    const int64_t date = c->date_us > not_before ? c->date_us : not_before;

    if (out->n > 0 && out->list[out->n - 1].row.p == c->row.p) {
        if (out->list[out->n - 1].date_us < date) /* selected twice: listed once */
            out->list[out->n - 1].date_us = date;
        return;
    }
    out->list[out->n++] = (struct listing){.row = c->row, .date_us = date};
}

static bool
time_asked(const struct store_versions *which, const struct content *c)
{
    const struct instant at = c->row.has_time ? c->row.modified : instant_from_us(c->date_us);

    for (size_t i = 0; i < which->time_count; i++)
        if (instant_cmp(which->times[i], at) == 0)
            return true;
    return false;
}

static void
select_one(const struct look *l, const struct weigh *w, size_t at, struct listings *out)
{
    const struct store_versions *which = l->which;
    const struct content *c = &w->list[at];
    const bool last = which->last || look_last_only(which);
    const bool plain = last || which->first || which->all;
    const bool timed = which->all || which->time_count > 0;

    if (!(c->row.flags & F_VERSIONED)) { /* no order: every content is listed */
        if (plain || time_asked(which, c))
            list_add(out, c, 0);
        return;
    }
    if (which->all && which->variants && c->earliest)
        list_add(out, c, 0);
    /* An erase row lists one version: the best that is left, where that is asked for; else the best
     * of the same modified as was erased. */
    if (last && c->best)
        list_add(out, c, last_erase(w, NULL));
    if (which->first && c->first_of_all)
        list_add(out, c, last ? 0 : last_erase(w, timed ? &c->row.modified : NULL));
    if ((which->all || time_asked(which, c)) && c->best_of_time)
        list_add(out, c, last ? 0 : last_erase(w, &c->row.modified));
}

int
look_ident(struct look *l, uint64_t ident, const struct listings **out, struct err *e)
{
    struct listings *slot = &l->slots[ident % LOOK_SLOTS];
    struct weigh w = {.s = l->s};
    struct listings found = {.ident = ident};

    if (slot->ident == ident) {
        *out = slot;
        return 0;
    }
    if (arena_used(l->a) > LOOK_RESET) {
        memset(l->slots, 0, sizeof l->slots);
        arena_reset(l->a);
    }
    if (weigh_rows(l, ident, &w, e) < 0)
        return -1;
    found.list = arena_alloc(l->a, (w.n + 1) * sizeof *found.list);
    if (!found.list)
        return err_set(e, ERR_MEMORY, "no memory for versions");
    for (size_t i = 0; i < w.n; i++)
        select_one(l, &w, i, &found);
    *slot = found;
    *out = slot;
    return 0;
}

/* ---- one row ---- */

/* Whether the row's own flags say what is listed: 1 yes, 0 it is not, -1 look at the whole id. */
static int
by_flags(const struct look *l, const struct row *r)
{
    const struct view_entry *en = view_find(l->view, r->audience);
    const bool partly = !en || en->natural_from > 0;

    if (r->flags & F_ERASE)
        return r->flags & F_LAST ? -1 : 0; /* else nothing of the id was left */
    if (!look_last_only(l->which))
        return r->flags & F_MULTI || l->which->time_count > 0 ? -1 : 1;
    if (partly && (r->flags & F_MULTI))
        return -1;
    if (!(r->flags & F_VERSIONED))
        return r->flags & F_MIXED ? -1 : 1;
    if (!(r->flags & F_LAST))
        return 0; /* its audience, which is seen whole, lists a better one */
    return r->flags & (F_MIXED | F_SCAR) ? -1 : 1;
}

bool
look_lean(const struct look *l, const struct row *r, bool *listed)
{
    const struct view_entry *en = view_find(l->view, r->audience);
    const int is = by_flags(l, r);

    *listed = is == 1 && !(r->flags & F_ERASED);
    return en && en->natural_from == 0 && is >= 0;
}

int
look_row(struct look *l, const struct row *r, int64_t date_us, struct listing *out, struct err *e)
{
    const struct listings *all;
    const int is = by_flags(l, r);

    if (is == 1)
        *out = (struct listing){.row = *r, .date_us = date_us};
    if (is >= 0)
        return is;
    if (look_ident(l, r->ident, &all, e) < 0)
        return -1;
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].date_us == date_us) {
            *out = all->list[i];
            return 1;
        }
    return 0;
}

int
look_give(struct look *l, const struct listing *at, unsigned want, struct db_stmt *q, int col,
          store_item_fn *fn, void *ctx, struct err *e)
{
    struct store *s = l->s;
    const struct row *r = &at->row;
    char mem[ID_BYTES_MAX + 2];
    struct db_stmt *b = NULL;
    struct buf id;
    struct store_item it = {.p = r->p,
                            .audience = r->audience,
                            .publisher = strm_publisher(s, r->stream),
                            .seq = r->seq,
                            .date_us = at->date_us,
                            .type = type_text(s, r->type),
                            .versioned = (r->flags & F_VERSIONED) != 0,
                            .revoked = (r->flags & F_REVOKED) != 0,
                            .spec20 = (r->flags & F_SPEC20) != 0,
                            .modified = r->modified,
                            .batch = r->batch,
                            .confidence = r->confidence};
    int rc;

    buf_init_fixed(&id, mem, sizeof mem);
    if (want & STORE_WANT_ID) {
        if (id_text(s, r->ident, &id, e) < 0)
            return -1;
        it.id = buf_view(&id);
    }
    if (want & STORE_WANT_BYTES) {
        if (q && r->object == r->p)
            it.bytes = sql_bytes(s, q, col);
        else if (row_bytes(s, r->object, &b, &it.bytes, e) < 0)
            return -1;
    }
    rc = fn ? fn(ctx, &it, e) : 0;
    sql_end(s, b);
    return rc;
}
