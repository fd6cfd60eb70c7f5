/*
 * Pages, against a plain model on random histories: audiences, grants, leaves, erasures, variants,
 * future dates, objects without versions, the same bytes in several audiences.
 *
 * The model keeps every publication in one array and computes each page from all of them.
 */
#include "world.h"

#define AUDIENCES 6
#define IDENTS    24
#define READERS   5
#define ROWS_MAX  40000
#define TYPES     3

struct mrow {
    uint64_t p;
    int64_t arrival;
    unsigned audience; /* 1 to AUDIENCES */
    unsigned ident;
    unsigned variant;
    bool versioned, owner;
    int64_t modified_s;
    char bytes[200];
    struct hash hash;
    uint64_t seq;
    bool gone;         /* erased */
    bool erase;        /* an erase row */
    uint64_t seq_then; /* of an erase row: the audience's next seq */
};

struct model {
    struct world *w;
    struct store *r; /* a reader's */
    struct mrow *rows;
    size_t n;
    uint64_t next_seq[AUDIENCES + 1];
    int64_t last_arrival;
};

static struct span
type_of(unsigned ident)
{
    static const char *const types[TYPES] = {"indicator", "malware", "ipv4-addr"};

    return span_of(types[ident % TYPES]);
}

/* ---- making history ---- */

static bool
known(const struct model *m, const struct mrow *r)
{
    for (size_t i = 0; i < m->n; i++)
        if (!m->rows[i].gone && !m->rows[i].erase && m->rows[i].audience == r->audience &&
            m->rows[i].ident == r->ident && strcmp(m->rows[i].bytes, r->bytes) == 0)
            return true;
    return false;
}

static void
make_row(struct model *m, struct mrow *r)
{
    struct world *w = m->w;
    struct sample x;

    memset(r, 0, sizeof *r);
    r->audience = 1 + below(w, AUDIENCES);
    r->ident = below(w, 4) ? below(w, IDENTS) : 1000 + below(w, 100000);
    r->versioned = r->ident % TYPES != 2;
    r->owner = below(w, 8) == 0;
    r->modified_s = START_US / 1000000 - 100 + below(w, 6) + (below(w, 10) == 0 ? 86400 * 3 : 0);
    x = (struct sample){
        .ident = r->ident, .variant = below(w, 3), .modified = r->versioned ? r->modified_s : 0};
    r->variant = x.variant;
    sample_print(&x, r->bytes);
    hash_sha256(span_of(r->bytes), &r->hash);
}

static void
put_row(struct model *m, struct mrow *r)
{
    char id[80];
    struct store_row x = {.bytes = span_of(r->bytes),
                          .type = type_of(r->ident),
                          .hash = r->hash,
                          .audience = r->audience,
                          .publisher = ORG_SELF,
                          .order = (enum store_order)(r->ident % 5),
                          .versioned = r->versioned,
                          .modified = {.sec = r->modified_s},
                          .owner = r->owner,
                          .confidence = -1,
                          .batch = 1 + r->ident % 3};

    sample_id(r->ident, id);
    x.id = span_of(arena_dup(m->w->a, span_of(id)));
    x.bytes = arena_span(m->w->a, x.bytes);
    MUST(sample_index(NULL, x.bytes, m->w->a, &x.index, &e));
    MUST(store_put(m->w->s, &x, NULL, &e));
}

struct erase_found {
    uint64_t target, p;
    int64_t arrival;
};

static int
find_erase(void *ctx, const struct store_held *h, struct err *e)
{
    struct erase_found *f = ctx;

    (void)e;
    if (!h->erased || h->target != f->target)
        return 0;
    f->p = h->p;
    f->arrival = h->arrival_us;
    return 1;
}

static int
by_p(const void *a, const void *b)
{
    const struct mrow *x = a, *y = b;

    return x->p < y->p ? -1 : x->p > y->p;
}

/* Takes a commit's rows into the model once they have numbers. */
static void
settle(struct model *m, size_t from)
{
    qsort(m->rows + from, m->n - from, sizeof *m->rows, by_p);
    for (size_t i = from; i < m->n; i++) {
        struct mrow *r = &m->rows[i];

        assert_int_equal(r->p, i + 1); /* dense, in the order of arrival */
        assert_true(r->arrival > m->last_arrival);
        m->last_arrival = r->arrival;
        if (r->erase)
            r->seq_then = m->next_seq[r->audience];
        else
            r->seq = m->next_seq[r->audience]++;
    }
}

static void
commit_some(struct model *m, unsigned puts, unsigned erases)
{
    struct world *w = m->w;
    const size_t from = m->n;
    uint64_t erased[64];
    size_t put = 0, erased_n = 0;

    w->clock.wall_us += (int64_t)below(w, 3000) * (below(w, 10) ? 1 : -1);
    MUST(store_begin(w->s, &e));
    for (unsigned i = 0; i < erases && from > 0; i++) {
        struct mrow *r = &m->rows[below(w, (unsigned)from)];

        if (r->gone || r->erase)
            continue;
        MUST(store_erase(w->s, r->p, &e));
        erased[erased_n++] = r->p;
        r->gone = true;
    }
    for (unsigned i = 0; i < puts; i++) {
        struct mrow *r = &m->rows[m->n];

        make_row(m, r);
        if (known(m, r))
            continue;
        put_row(m, r);
        m->n++;
        put++;
    }
    MUST(store_commit(w->s, &e));
    for (size_t i = 0; i < put; i++)
        MUST(store_put_result(w->s, erased_n + i, &m->rows[from + i].p, &m->rows[from + i].arrival,
                              &e));
    MUST(store_begin(w->s, &e));
    for (size_t i = 0; i < erased_n; i++) {
        const struct mrow *t = &m->rows[erased[i] - 1];
        struct erase_found f = {.target = erased[i]};
        char id[80];

        sample_id(t->ident, id);
        MUST(store_held_each(w->s, span_of(id), true, find_erase, &f, &e));
        assert_true(f.p > 0);
        m->rows[m->n] = (struct mrow){.p = f.p,
                                      .arrival = f.arrival,
                                      .audience = t->audience,
                                      .ident = t->ident,
                                      .versioned = t->versioned,
                                      .modified_s = t->modified_s,
                                      .erase = true};
        m->n++;
    }
    MUST(store_commit(w->s, &e));
    settle(m, from);
}

/* ---- what a view shows, by the model ---- */

static bool
m_date(const struct view *v, const struct mrow *r, int64_t *date)
{
    const struct view_entry *en = view_find(v, r->audience);

    if (!en || r->gone)
        return false;
    if (r->erase) {
        *date = r->arrival;
        return r->seq_then >= en->natural_from;
    }
    if (r->seq >= en->natural_from) {
        *date = r->arrival;
        return true;
    }
    for (size_t i = 0; i < en->slice_count; i++) {
        const struct view_slice *s = &en->slices[i];

        if (r->seq >= s->from_seq && r->seq < s->from_seq + s->n) {
            *date = s->base_us + 25 * (int64_t)(r->seq - s->from_seq);
            return true;
        }
    }
    return false;
}

static int
m_class(const struct mrow *r)
{
    if (r->modified_s * 1000000 > r->arrival + INT64_C(86400000000))
        return 0;
    return r->owner ? 2 : 1;
}

static int
m_rank(const struct mrow *a, const struct mrow *b)
{
    const int ca = m_class(a), cb = m_class(b);

    if (ca != cb)
        return ca - cb;
    if (a->modified_s != b->modified_s)
        return a->modified_s < b->modified_s ? -1 : 1;
    return memcmp(a->hash.b, b->hash.b, HASH_BYTES);
}

struct mitem {
    int64_t date;
    int64_t own; /* without the erase rows */
    const struct mrow *row;
};

static void
m_add(struct mitem *out, size_t *n, const struct mrow *row, int64_t own, int64_t erased)
{
    const int64_t date = own > erased ? own : erased;

    for (size_t i = 0; i < *n; i++)
        if (strcmp(out[i].row->bytes, row->bytes) == 0) {
            if (out[i].date < date)
                out[i].date = date;
            return;
        }
    out[(*n)++] = (struct mitem){date, own, row};
}

/* All that is listed of one id. */
static size_t
m_ident(const struct mrow *const *rows, size_t n, const struct view *v,
        const struct store_versions *which, struct mitem *out)
{
    const bool last = which->last || (!which->first && !which->all && which->time_count == 0);
    const struct mrow *best = NULL, *first = NULL;
    int64_t erased = 0;
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        const struct mrow *r = rows[i];
        int64_t d;

        if (!m_date(v, r, &d))
            continue;
        if (r->erase) {
            if (r->versioned && d > erased)
                erased = d;
            continue;
        }
        if (!best || m_rank(r, best) > 0)
            best = r;
        if (!first || r->modified_s < first->modified_s ||
            (r->modified_s == first->modified_s && m_rank(r, first) > 0))
            first = r;
    }
    for (size_t i = 0; i < n; i++) {
        const struct mrow *r = rows[i];
        bool top = true;
        int64_t d, least = INT64_MAX, same = 0;

        if (r->erase || !m_date(v, r, &d))
            continue;
        for (size_t k = 0; k < n; k++) {
            const struct mrow *o = rows[k];

            if (!m_date(v, o, &d))
                continue;
            if (o->erase) {
                if (o->versioned && o->modified_s == r->modified_s && d > same)
                    same = d;
                continue;
            }
            if (strcmp(o->bytes, r->bytes) == 0 && (!r->versioned || m_class(o) == m_class(r)) &&
                d < least)
                least = d;
            if (o->modified_s == r->modified_s && m_rank(o, r) > 0)
                top = false;
        }
        if (!r->versioned) {
            if (last || which->first || which->all)
                m_add(out, &count, r, least, 0);
            continue;
        }
        if (last && m_rank(best, r) == 0)
            m_add(out, &count, r, least, erased);
        if (last)
            same = 0;
        if (which->first && m_rank(first, r) == 0) {
            const int64_t e = last ? 0 : which->all || which->time_count > 0 ? same : erased;

            m_add(out, &count, r, least, e);
        }
        for (size_t k = 0; k < which->time_count; k++)
            if (which->times[k].sec == r->modified_s && top)
                m_add(out, &count, r, least, same);
        if (which->all && top)
            m_add(out, &count, r, least, same);
    }
    return count;
}

static int
by_date(const void *a, const void *b)
{
    const struct mitem *x = a, *y = b;

    return x->date < y->date ? -1 : x->date > y->date;
}

static int
by_ident(const void *a, const void *b)
{
    const struct mrow *x = *(const struct mrow *const *)a, *y = *(const struct mrow *const *)b;

    if (x->ident != y->ident)
        return x->ident < y->ident ? -1 : 1;
    return x->p < y->p ? -1 : x->p > y->p;
}

static size_t
m_list(const struct model *m, const struct view *v, const struct store_versions *which, int type,
       struct mitem *out)
{
    const struct mrow **rows = calloc(m->n + 1, sizeof(struct mrow *));
    size_t n = 0, count = 0;

    for (size_t i = 0; i < m->n; i++)
        if (type < 0 || m->rows[i].ident % TYPES == (unsigned)type)
            rows[n++] = &m->rows[i];
    qsort(rows, n, sizeof(struct mrow *), by_ident);
    for (size_t i = 0, to; i < n; i = to) {
        for (to = i + 1; to < n && rows[to]->ident == rows[i]->ident; to++)
            ;
        count += m_ident(rows + i, to - i, v, which, out + count);
    }
    free(rows);
    qsort(out, count, sizeof *out, by_date);
    return count;
}

/* ---- comparing ---- */

/* What is known of an id, for whoever has to find out. */
static void
explain(const struct model *m, const struct view *v, unsigned ident)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct mrow *r = &m->rows[i];
        int64_t d = 0;

        if (r->ident != ident)
            continue;
        if (!m_date(v, r, &d))
            d = 0;
        print_message("# p %" PRIu64 " arrival %" PRId64 " audience %u seq %" PRIu64
                      " owner %d gone %d erase %d date %" PRId64 " %s\n",
                      r->p, r->arrival, r->audience, r->erase ? r->seq_then : r->seq, r->owner,
                      r->gone, r->erase, d, r->bytes);
    }
}

struct got {
    const struct model *m;
    const struct view *view;
    const char *what;
    struct mitem *want;
    size_t n, at;
    size_t fit; /* items until the page is called full */
};

static int
take(void *ctx, const struct store_item *it, struct err *e)
{
    struct got *g = ctx;

    (void)e;
    if (g->fit == 0)
        return 1;
    g->fit--;
    if (g->at >= g->n)
        fail_msg("a row too many: p %" PRIu64, it->p);
    if (it->date_us != g->want[g->at].date) {
        explain(g->m, g->view, g->want[g->at].row->ident);
        print_message("# %s\n", g->what);
        fail_msg("item %zu: date %" PRId64 ", wanted %" PRId64 " (%s), got %.*s", g->at,
                 it->date_us, g->want[g->at].date, g->want[g->at].row->bytes, (int)it->bytes.n,
                 it->bytes.p);
    }
    assert_true(span_is(it->bytes, g->want[g->at].row->bytes));
    g->at++;
    return 0;
}

static void
walk(struct model *m, const struct view *v, const struct store_versions *which, int type, int way)
{
    struct world *w = m->w;
    struct mitem *want = calloc(m->n + 1, sizeof *want);
    char what[140];
    struct got g = {.m = m, .view = v, .what = what, .want = want};
    struct span types[1] = {type_of(type < 0 ? 0 : (unsigned)type)};
    struct store_filter f = {.types = types, .type_count = type >= 0, .versions = *which};
    struct store_page_ask ask = {.view = v, .filter = &f, .want = STORE_WANT_BYTES, .way = way};
    struct store_page_end end = {.more = true};
    struct store *s = below(w, 2) ? m->r : w->s;

    if (below(w, 2))
        ask.want |= STORE_WANT_LITTLE;
    snprintf(what, sizeof what, "last %d first %d all %d times %zu type %d way %d want %u of %s",
             which->last, which->first, which->all, which->time_count, type, way, ask.want,
             s == w->s ? "the writer" : "a reader");
    g.n = m_list(m, v, which, type, want);
    if (g.n > 0 && below(w, 2)) { /* from anywhere */
        ask.after_us = want[below(w, (unsigned)g.n)].date + (int64_t)below(w, 3) - 1;
        while (g.at < g.n && want[g.at].date <= ask.after_us)
            g.at++;
    }
    while (end.more) {
        const size_t before = g.at;

        ask.limit = 1 + below(w, below(w, 4) ? 300 : 7);
        g.fit = below(w, 5) ? ask.limit : 1 + below(w, ask.limit);
        MUST(store_page(s, &ask, take, &g, &end, &e));
        assert_int_equal(end.count, g.at - before);
        assert_int_equal(end.more, g.at < g.n);
        if (end.count == 0) {
            assert_false(end.more);
            break;
        }
        assert_int_equal(end.first_us, want[before].date);
        assert_int_equal(end.last_us, want[g.at - 1].date);
        assert_int_equal(end.more_in_ms,
                         end.more && (want[g.at].date + 999) / 1000 == (end.last_us + 999) / 1000);
        ask.after_us = end.last_us;
    }
    assert_int_equal(g.at, g.n);
    free(want);
}

/* ---- search ---- */

static int
by_own(const void *a, const void *b)
{
    const struct mitem *x = a, *y = b;

    return x->own > y->own ? -1 : x->own < y->own;
}

static bool
holds(void *ctx, struct span bytes)
{
    return memmem(bytes.p, bytes.n, ctx, strlen(ctx)) != NULL;
}

struct wanted { /* a search, and the same for the model */
    struct store_search q;
    struct store_range range;
    struct trigram_query text;
    char word[40], creator[40], label[40], id[80];
    struct span type;
    int ident, mod7, value20, net20, variant, mod3, related;
};

static bool
m_hit(const struct wanted *x, const struct mitem *it)
{
    const struct mrow *r = it->row;

    return (x->ident < 0 || r->ident == (unsigned)x->ident) &&
           (x->mod7 < 0 || r->ident % 7 == (unsigned)x->mod7) &&
           (x->value20 < 0 || (r->ident % 5 && r->ident % 20 == (unsigned)x->value20)) &&
           (x->net20 < 0 || (r->ident % 5 == 0 && r->ident % 20 == (unsigned)x->net20)) &&
           (x->variant < 0 || r->variant == (unsigned)x->variant) &&
           (x->mod3 < 0 || r->ident % 3 == (unsigned)x->mod3) &&
           (x->related < 0 || (r->ident + 1) % 24 == (unsigned)x->related) &&
           (x->type.n == 0 || span_eq(type_of(r->ident), x->type)) &&
           (x->q.batch == 0 || 1 + r->ident % 3 == x->q.batch) &&
           (!x->word[0] || strstr(r->bytes, x->word)) &&
           (x->q.since_us == 0 || it->own >= x->q.since_us) &&
           (x->q.until_us == 0 || it->own <= x->q.until_us);
}

static void
make_range(struct wanted *x, const char *lo, const char *hi)
{
    x->range = (struct store_range){span_of(lo), span_of(hi)};
    x->q.ranges = &x->range;
    x->q.range_count = 1;
}

static void
make_search(struct world *w, struct wanted *x)
{
    static const char *const words[] = {"beacon", "gamma", "alpha beacon", "a b", "\"x\":1"};

    memset(x, 0, sizeof *x);
    x->ident = x->mod7 = x->value20 = x->net20 = x->variant = x->mod3 = x->related = -1;
    if (below(w, 12) == 0) {
        x->related = (int)below(w, 24);
        return;
    }
    if (below(w, 3) == 0) {
        x->variant = (int)below(w, 3);
        snprintf(x->label, sizeof x->label, "label %d", x->variant);
        x->q.label = span_of(x->label);
    } else if (below(w, 3) == 0) {
        x->q.label = span_of("all");
    }
    if (below(w, 4) == 0) {
        x->mod3 = (int)below(w, 3);
        snprintf(x->creator, sizeof x->creator, "identity--%d", x->mod3);
        x->q.creator = span_of(x->creator);
    }
    switch (below(w, 8)) {
    case 0:
        x->mod7 = (int)below(w, 7);
        make_range(x, sample_span(w->a, "\005example.%d.%c", x->mod7, 0).p,
                   sample_span(w->a, "\005example.%d.%c", x->mod7, 0).p);
        break;
    case 1:
        make_range(x, "\005example.", "\005example.~");
        break;
    case 2:
        x->value20 = (int)below(w, 20);
        make_range(x, sample_span(w->a, "\001%c\100\002a%c", 'a' + x->value20, 0).p,
                   sample_span(w->a, "\001%c\100\002a%c", 'a' + x->value20, 0).p);
        break;
    case 3:
        x->net20 = (int)below(w, 20);
        make_range(x, sample_span(w->a, "\002\010%c%c", 'a' + x->net20, 0).p,
                   sample_span(w->a, "\002\010%c%c", 'a' + x->net20, 0).p);
        break;
    default:
        break;
    }
    if (below(w, 3) == 0) {
        snprintf(x->word, sizeof x->word, "%s", words[below(w, 5)]);
        MUST(trigram_query(span_of(x->word), &x->text, &e));
        x->q.grams = x->text.grams;
        x->q.gram_count = x->text.gram_count;
        x->q.match = holds;
        x->q.match_ctx = x->word;
    }
    if (below(w, 4) == 0) {
        x->type = type_of(below(w, TYPES));
        x->q.types = &x->type;
        x->q.type_count = 1;
    }
    if (below(w, 6) == 0)
        x->q.batch = 1 + below(w, 3);
    if (below(w, 8) == 0) {
        x->ident = (int)below(w, IDENTS);
        sample_id((unsigned)x->ident, x->id);
        x->q.id = span_of(x->id);
    }
}

struct hits {
    const struct mitem *want;
    size_t n, at;
};

static int
take_hit(void *ctx, const struct store_item *it, struct err *e)
{
    struct hits *h = ctx;

    (void)e;
    if (h->at >= h->n)
        fail_msg("a hit too many: p %" PRIu64 " %.*s", it->p, (int)it->bytes.n, it->bytes.p);
    if (it->date_us != h->want[h->at].own)
        fail_msg("hit %zu: date %" PRId64 ", wanted %" PRId64 " %s, got %.*s", h->at, it->date_us,
                 h->want[h->at].own, h->want[h->at].row->bytes, (int)it->bytes.n, it->bytes.p);
    assert_true(span_is(it->bytes, h->want[h->at].row->bytes));
    h->at++;
    return 0;
}

static void
seek(struct model *m, const struct view *v)
{
    const struct store_versions last = {.last = true};
    struct world *w = m->w;
    struct mitem *want = calloc(m->n + 1, sizeof *want);
    struct hits h = {.want = want};
    struct store_find_ask ask = {.view = v, .want = STORE_WANT_BYTES};
    struct store_find_end end = {.more = true};
    struct wanted x;
    size_t n = m_list(m, v, &last, -1, want);
    unsigned calls = 0;
    char id[80];

    make_search(w, &x);
    if (n > 0 && x.related < 0 && below(w, 5) == 0)
        x.q.since_us = want[below(w, (unsigned)n)].own;
    if (n > 0 && x.related < 0 && below(w, 5) == 0)
        x.q.until_us = want[below(w, (unsigned)n)].own;
    for (size_t i = 0; i < n; i++)
        if (m_hit(&x, &want[i]))
            want[h.n++] = want[i];
    qsort(want, h.n, sizeof *want, by_own);
    while (end.more) {
        ask.limit = 1 + below(w, 50);
        ask.work = below(w, 2) ? 1 : 0;
        if (x.related >= 0) {
            sample_id((unsigned)x.related, id);
            MUST(store_related(w->s, &ask, span_of(id), 0, take_hit, &h, &end, &e));
        } else {
            MUST(store_search(w->s, &ask, &x.q, take_hit, &h, &end, &e));
        }
        if (end.more)
            assert_true(ask.before_us == 0 || end.next_us < ask.before_us);
        ask.before_us = end.next_us;
        assert_true(++calls < 100000);
    }
    if (h.at != h.n)
        fail_msg("%zu hits, wanted %zu; next %s (label %s, word %s, type %.*s)", h.at, h.n,
                 want[h.at].row->bytes, x.label, x.word, (int)x.type.n, x.type.p);
    trigram_query_clear(&x.text);
    free(want);
}

static void
compare(struct model *m, const struct view *v)
{
    static const struct store_versions kinds[] = {
        {.last = true}, {.first = true}, {.all = true}, {.last = true, .first = true}, {0}};
    const struct instant time = {.sec = START_US / 1000000 - 100 + below(m->w, 6)};
    const struct store_versions timed = {.times = &time, .time_count = 1};

    MUST(store_begin(m->w->s, &e));
    MUST(store_begin(m->r, &e));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (int way = 0; way <= 3; way++)
            walk(m, v, &kinds[i], below(m->w, 3) ? -1 : (int)below(m->w, TYPES), way);
    walk(m, v, &timed, -1, 0);
    for (unsigned i = 0; i < 12; i++)
        seek(m, v);
    MUST(store_commit(m->r, &e));
    MUST(store_commit(m->w->s, &e));
}

/* ---- views ---- */

/* Reader r: some audiences from the beginning, some by a grant of its own. */
static struct view
view_of(struct model *m, unsigned r, uint32_t mask)
{
    struct world *w = m->w;
    struct view_entry *entries = arena_zero(w->a, AUDIENCES, sizeof *entries);
    uint64_t *bits = arena_zero(w->a, 1, sizeof *bits);
    struct view v = {.entries = entries, .bits = bits, .bit_words = 1};
    const struct view_grant *grants;
    size_t n;

    MUST(store_begin(w->s, &e));
    MUST(store_grants_load(w->s, w->a, &grants, &n, &e));
    MUST(store_commit(w->s, &e));
    for (uint32_t a = 1; a <= AUDIENCES; a++) {
        struct view_entry *en = &entries[v.count];

        if (!(mask >> a & 1))
            continue;
        en->audience.number = a;
        for (size_t i = 0; i < n; i++)
            if (grants[i].audience == a && grants[i].number == r + 1) {
                en->natural_from = grants[i].natural_from;
                en->slices = grants[i].slices;
                en->slice_count = grants[i].slice_count;
            }
        *bits |= UINT64_C(1) << a;
        v.count++;
    }
    return v;
}

static void
grant_something(struct model *m, uint32_t *masks)
{
    struct world *w = m->w;
    const unsigned r = below(w, READERS);
    const uint32_t a = 1 + below(w, AUDIENCES);
    uint64_t left = 1, older;

    if (masks[r] >> a & 1) { /* leaves */
        masks[r] &= ~(1u << a);
        MUST(store_begin(w->s, &e));
        MUST(store_grant_end(w->s, a, GRANT_ORG, r + 1, &e));
        MUST(store_commit(w->s, &e));
        return;
    }
    masks[r] |= 1u << a;
    MUST(store_begin(w->s, &e));
    MUST(store_grant_begin(w->s, a, GRANT_ORG, r + 1, &older, &e));
    assert_int_equal(older, m->next_seq[a]);
    if (below(w, 2))
        MUST(store_grant_step(w->s, &left, &e));
    MUST(store_commit(w->s, &e));
    if (below(w, 2))
        commit_some(m, 3, 1); /* something between the grant and its slices */
    while (below(w, 4) && left > 0) {
        MUST(store_begin(w->s, &e));
        MUST(store_grant_step(w->s, &left, &e));
        MUST(store_commit(w->s, &e));
    }
}

/* What a reader keeps between pages stays true from one end of a history to the other. */
static void
reader_open(struct model *m)
{
    struct store_options o = m->w->o;

    o.mode = DB_READ;
    MUST(store_open(m->w->path, &o, &m->r, &e));
    m->r->gen_shift = m->w->gen_shift;
}

static void
history(struct world *w, unsigned commits, unsigned rows)
{
    struct model m = {.w = w, .rows = calloc(ROWS_MAX, sizeof *m.rows)};
    uint32_t masks[READERS];

    reader_open(&m);

    MUST(store_begin(w->s, &e));
    for (uint32_t a = 1; a <= AUDIENCES; a++)
        assert_int_equal(audience_make(w, (enum tlp)(a % 4), 3, a > 3), a);
    MUST(store_commit(w->s, &e));
    for (unsigned r = 0; r < READERS; r++)
        masks[r] = r == 0 ? 0x7e : (uint32_t)rnd(w) & 0x7e;
    for (unsigned i = 0; i < commits; i++) {
        commit_some(&m, below(w, rows), below(w, 3) ? below(w, 4) : 0);
        if (below(w, 6) == 0)
            grant_something(&m, masks);
        if (below(w, 20) == 0)
            reopen(w);
        tidy(w, below(w, 40));
        if (i % 8 == 7 || i + 1 == commits) {
            const unsigned r = below(w, READERS);
            const struct view v = view_of(&m, r, masks[r]);

            compare(&m, &v);
            arena_reset(w->a);
        }
    }
    print_message("# %zu rows\n", m.n);
    store_close(m.r);
    assert_int_equal(verify(w).publications, m.n);
    free(m.rows);
}

static void
test_small(void **state)
{
    history(*state, 250, 8);
}

static void
test_blocks(void **state)
{
    history(*state, 40, 600);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_small, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_blocks, world_make, world_remove),
    };

    return cmocka_run_group_tests_name("store/model", tests, NULL, NULL);
}
