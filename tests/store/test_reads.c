/*
 * What a reader keeps from one transaction to the next, against a writer that goes on: ids in
 * generations that fill up and are merged, dates, rows of which little is read.
 */
#include "world.h"

#include "store_gen.h"
#include "store_scan.h"
#include "store_sieve.h"

#define IDS 3000u

struct reads {
    struct world *w;
    struct store *r;
    uint32_t audience;
    struct view v;
    struct view_entry entry;
    uint64_t bits;
    unsigned put;   /* samples 0 to put - 1 are there */
    int64_t *dates; /* by p, from 1 */
};

static void
id_of(unsigned n, char out[80])
{
    snprintf(out, 80, "indicator--%08x-0000-4000-8000-000000000000", n);
}

static void
put_sample(struct reads *t, unsigned n, int64_t modified_s, bool owner)
{
    struct world *w = t->w;
    struct sample x = {.ident = n, .variant = n % 3, .modified = modified_s};
    struct store_row r = {.type = SPAN("indicator"),
                          .audience = t->audience,
                          .publisher = ORG_SELF,
                          .order = STORE_OTHER,
                          .versioned = true,
                          .owner = owner,
                          .modified = {.sec = modified_s},
                          .confidence = 50,
                          .batch = 7};
    char bytes[200], id[80];

    sample_print(&x, bytes);
    id_of(n, id);
    r.id = arena_span(w->a, span_of(id));
    r.bytes = arena_span(w->a, span_of(bytes));
    hash_sha256(r.bytes, &r.hash);
    MUST(sample_index(NULL, r.bytes, w->a, &r.index, &e));
    MUST(store_put(w->s, &r, NULL, &e));
}

static void
put(struct reads *t, unsigned n)
{
    MUST(store_begin(t->w->s, &e));
    for (unsigned i = 0; i < n; i++, t->put++)
        put_sample(t, t->put, 1000 + t->put, false);
    MUST(store_commit(t->w->s, &e));
    arena_reset(t->w->a);
}

static int
setup(void **state)
{
    struct reads *t = calloc(1, sizeof *t);
    void *inner = NULL;
    struct store_options o;

    if (world_make(&inner) < 0)
        return -1;
    t->w = inner;
    MUST(store_begin(t->w->s, &e));
    t->audience = audience_make(t->w, TLP_GREEN, GROUP_REGION, false);
    MUST(store_commit(t->w->s, &e));
    t->entry.audience.number = t->audience;
    t->bits = UINT64_C(1) << t->audience;
    t->v = (struct view){.entries = &t->entry, .count = 1, .bits = &t->bits, .bit_words = 1};
    t->dates = calloc(IDS + 500, sizeof *t->dates);
    o = t->w->o;
    o.mode = DB_READ;
    MUST(store_open(t->w->path, &o, &t->r, &e));
    t->r->gen_shift = t->w->gen_shift;
    *state = t;
    return 0;
}

static int
teardown(void **state)
{
    struct reads *t = *state;
    void *inner = t->w;

    store_close(t->r);
    free(t->dates);
    free(t);
    return world_remove(&inner);
}

static bool
knows(struct reads *t, unsigned n)
{
    uint64_t ident = 0;
    char id[80];
    int rc = 0;

    id_of(n, id);
    MUST(rc = ident_find(t->r, span_of(id), ident_key(t->r, span_of(id)), &ident, &e));
    return rc == 1;
}

/* Every id is found, and no other, whatever is remembered of the generations and while they are
 * merged. */
static void
ids(void **state)
{
    struct reads *t = *state;
    struct world *w = t->w;
    bool more;

    while (t->put < IDS) {
        put(t, 1 + below(w, 60));
        MUST(store_tidy(w->s, &more, &e));
        MUST(store_begin(t->r, &e));
        for (unsigned i = 0; i < 40; i++) {
            const unsigned n = below(w, t->put + 20);

            if (knows(t, n) != (n < t->put))
                fail_msg("id %u of %u", n, t->put);
        }
        assert_true(knows(t, t->put - 1)); /* the newest too */
        MUST(store_commit(t->r, &e));
    }
    tidy(w, 100000);
    MUST(store_begin(t->r, &e));
    for (unsigned n = 0; n < t->put + 100; n++)
        assert_int_equal(knows(t, n), n < t->put);
    MUST(store_commit(t->r, &e));
}

/* Once read, full generations let few keys through that they do not hold, and all that they do. */
static void
sieves(void **state)
{
    struct reads *t = *state;
    unsigned through = 0, asked = 0, full = 0;
    int64_t last;

    put(t, 800);
    MUST(store_begin(t->r, &e));
    for (unsigned i = 0; i < 4000; i++)
        (void)knows(t, i % t->put);
    last = GEN_OF(t->r, t->r->state.p);
    for (int64_t gen = 0; gen <= last; gen++) {
        unsigned in = 0;

        for (unsigned n = 0; n < 500; n++) {
            char id[80];

            id_of(100000 + n, id);
            in += sieve_may(t->r, gen, ident_key(t->r, span_of(id)));
        }
        if (gen == last)
            assert_int_equal(in, 500); /* not full: nothing is known of it */
        full += in < 500;
        through += in < 500 ? in : 0;
        asked += in < 500 ? 500 : 0;
    }
    assert_int_equal(full, last); /* all that fit the memory there is for it */
    if (through * 100 > asked * 6)
        fail_msg("%u of %u go through", through, asked);
    MUST(store_commit(t->r, &e));
}

/* A generation that is full is remembered only as of a state in which it was. */
static void
a_generation_that_fills_up(void **state)
{
    struct reads *t = *state;

    put(t, 40); /* two full ones of sixteen, and a part of the third */
    for (unsigned round = 0; round < 200; round++) {
        MUST(store_begin(t->r, &e));
        for (unsigned i = 0; i < 10; i++)
            (void)knows(t, i);
        if (round > 100) {
            for (unsigned n = 0; n < t->put; n++)
                assert_true(knows(t, n));
        }
        MUST(store_commit(t->r, &e));
        put(t, 1);
    }
}

/* No memory for a sieve: everything is found all the same. */
static void
no_memory(void **state)
{
    struct reads *t = *state;

    put(t, 400);
    for (size_t n = 1; n < 12; n++) {
        MUST(store_begin(t->r, &e));
        for (unsigned i = 0; i < 20; i++) {
            struct err bad = ERR_INIT;
            uint64_t ident;
            char id[80];

            id_of(i * 19, id);
            mem_fail_at(n);
            if (ident_find(t->r, span_of(id), ident_key(t->r, span_of(id)), &ident, &bad) < 0)
                assert_int_equal(bad.code, ERR_MEMORY);
            mem_fail_at(0);
            store_abort(t->r);
            MUST(store_begin(t->r, &e));
            assert_true(knows(t, i * 19));
        }
        MUST(store_commit(t->r, &e));
    }
}

/* Commits of all sizes at all distances, so that dates are even here and uneven there. */
static void
put_unevenly(struct reads *t)
{
    struct world *w = t->w;

    while (t->put < IDS) {
        put(t, below(w, 8) ? 1 + below(w, 5) : 1 + below(w, 400));
        w->clock.wall_us +=
            below(w, 3) ? below(w, 100000) : (int64_t)below(w, 1u << 30) * (1 + below(w, 1000));
    }
}

static void
dates_load(struct reads *t)
{
    for (uint64_t p = 1; p <= t->r->state.p; p++) {
        struct row r;

        MUST(row_get(t->r, p, &r, &e));
        assert_true(p == 1 || r.arrival_us > t->dates[p - 1]);
        t->dates[p] = r.arrival_us;
    }
}

static void
check_after(struct reads *t, int64_t us)
{
    uint64_t got = 0, want = 1;

    while (want <= t->r->state.p && t->dates[want] <= us)
        want++;
    MUST(row_after(t->r, us, &got, &e));
    if (got != want)
        fail_msg("after %lld: %llu, not %llu", (long long)us, (unsigned long long)got,
                 (unsigned long long)want);
}

static void
dates(void **state)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    struct reads *t = *state;

    MUST(store_begin(t->r, &e));
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        check_after(t, ends[i]); /* of nothing */
    MUST(store_commit(t->r, &e));
    put_unevenly(t);
    MUST(store_begin(t->r, &e));
    dates_load(t);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        check_after(t, ends[i]);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned p = 1 + below(t->w, t->put);

        check_after(t, t->dates[p] + (int64_t)below(t->w, 5) - 2);
        check_after(t, t->dates[p] + (int64_t)below(t->w, 1u << 20));
    }
    check_after(t, t->r->state.next_us - 1);
    check_after(t, t->r->state.next_us);
    MUST(store_commit(t->r, &e));
}

/* What was behind the last row when it was asked for is not when more have come. */
static void
dates_go_on(void **state)
{
    struct reads *t = *state;

    while (t->put < 300) {
        int64_t asked[8];

        MUST(store_begin(t->r, &e));
        for (unsigned i = 0; i < 8; i++) {
            asked[i] = t->r->state.next_us + (int64_t)below(t->w, 4000) - 2000;
            check_after(t, asked[i]);
        }
        MUST(store_commit(t->r, &e));
        put(t, 1 + below(t->w, 3));
        MUST(store_begin(t->r, &e));
        dates_load(t);
        for (unsigned i = 0; i < 8; i++) {
            check_after(t, asked[i]);
            check_after(t, t->dates[t->put]);
        }
        MUST(store_commit(t->r, &e));
    }
}

/* What a writer has asked for may be rolled back, and other rows stand there then. */
static void
dates_rolled_back(void **state)
{
    struct reads *t = *state;
    struct world *w = t->w;
    uint64_t p = 0;
    int64_t first;

    MUST(store_begin(w->s, &e));
    first = w->s->state.next_us;
    row_after_is(w->s, first, 1);
    MUST(row_after(w->s, first, &p, &e));
    store_abort(w->s);
    assert_int_equal(p, 1);
    w->clock.wall_us += 50000;
    put(t, 2);
    MUST(store_begin(w->s, &e));
    MUST(row_after(w->s, INT64_MAX, &p, &e));
    assert_int_equal(p, 3);
    row_after_is(w->s, INT64_MAX, 2);
    MUST(row_after(w->s, INT64_MAX, &p, &e));
    assert_int_equal(p, 3); /* not believed */
    store_abort(w->s);
}

struct pages {
    struct span bytes[200];
    int64_t dates[200];
    uint64_t p[200];
    size_t n;
    struct arena *a;
};

static int
page_take_one(void *ctx, const struct store_item *it, struct err *e)
{
    struct pages *g = ctx;

    (void)e;
    g->bytes[g->n] = arena_span(g->a, it->bytes);
    g->dates[g->n] = it->date_us;
    g->p[g->n++] = it->p;
    return 0;
}

static void
page(struct reads *t, int64_t after, unsigned want, enum scan_way way, bool all, struct pages *out)
{
    const struct store_filter filter = {.versions = {.last = !all, .all = all}};
    struct store_page_ask ask = {.view = &t->v,
                                 .filter = &filter,
                                 .after_us = after,
                                 .limit = 100,
                                 .want = want,
                                 .way = (int)way};
    struct store_page_end end;

    *out = (struct pages){.a = t->w->a};
    MUST(store_page(t->r, &ask, page_take_one, out, &end, &e));
    assert_int_equal(end.count, out->n);
}

/* A page of which little is read is the same page. */
static void
little(void **state)
{
    static const enum scan_way ways[] = {SCAN_ROWS, SCAN_LISTS, SCAN_COLUMNS};
    struct reads *t = *state;
    struct pages *a = calloc(2, sizeof *a);

    put_unevenly(t);
    MUST(store_begin(t->r, &e));
    dates_load(t);
    for (unsigned i = 0; i < 100; i++) {
        const int64_t after = t->dates[1 + below(t->w, t->put)] - 1;

        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
            page(t, after, STORE_WANT_BYTES, ways[k], i % 2, &a[0]);
            page(t, after, STORE_WANT_BYTES | STORE_WANT_LITTLE, ways[k], i % 2, &a[1]);
            assert_true(a[0].n > 0);
            assert_int_equal(a[0].n, a[1].n);
            for (size_t n = 0; n < a[0].n; n++) {
                assert_int_equal(a[0].p[n], a[1].p[n]);
                assert_int_equal(a[0].dates[n], a[1].dates[n]);
                assert_true(a[0].bytes[n].n > 0 && span_eq(a[0].bytes[n], a[1].bytes[n]));
            }
        }
        arena_reset(t->w->a);
    }
    MUST(store_commit(t->r, &e));
    free(a);
}

/* The same bytes first dated ahead and later the creator's own: two rows that share them, of which
 * the second is listed, in an audience that is shown whole. */
static void
shared_bytes(void **state)
{
    struct reads *t = *state;
    const int64_t ahead_s = t->w->clock.wall_us / 1000000 + 3 * 86400;
    struct pages *a = calloc(2, sizeof *a);
    struct row r;

    for (unsigned i = 0; i < 40; i++) {
        if (i == 20)
            t->w->clock.wall_us += INT64_C(4) * 86400 * 1000000;
        MUST(store_begin(t->w->s, &e));
        put_sample(t, i % 20, ahead_s, i >= 20);
        MUST(store_commit(t->w->s, &e));
    }
    MUST(store_begin(t->r, &e));
    assert_int_equal(t->r->state.p, 40);
    MUST(row_get(t->r, 21, &r, &e));
    assert_int_equal(r.object, 1);
    assert_true(r.flags & F_LAST);
    for (unsigned all = 0; all < 2; all++) {
        page(t, 0, STORE_WANT_BYTES, SCAN_ROWS, all, &a[0]);
        page(t, 0, STORE_WANT_BYTES | STORE_WANT_LITTLE, SCAN_ROWS, all, &a[1]);
        assert_true(a[0].n >= 20);
        assert_int_equal(a[0].n, a[1].n);
        for (size_t n = 0; n < a[0].n; n++) {
            assert_int_equal(a[0].p[n], a[1].p[n]);
            assert_true(a[0].bytes[n].n > 0 && span_eq(a[0].bytes[n], a[1].bytes[n]));
        }
    }
    MUST(store_commit(t->r, &e));
    free(a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(ids),          T(sieves),      T(a_generation_that_fills_up), T(no_memory),
        T(dates),        T(dates_go_on), T(dates_rolled_back),          T(little),
        T(shared_bytes),
    };

    return cmocka_run_group_tests_name("store/reads", tests, NULL, NULL);
}
