/*
 * What must last: text segments, erasures to the last byte, damage that verify finds, backup and
 * restore, a kill between any two instructions.
 */
#include "world.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_audit.h"
#include "store_backup.h"
#include "store_impl.h"

/* Puts n samples, numbered from `from`, in commits of at most `each`. */
static void
fill(struct world *w, uint32_t audience, unsigned from, unsigned n, unsigned each)
{
    for (unsigned i = 0; i < n;) {
        MUST(store_begin(w->s, &e));
        for (unsigned k = 0; k < each && i < n; k++, i++) {
            struct sample x = {.ident = from + i, .variant = (from + i) % 3, .modified = 1000 + i};
            struct store_row r = {.type = SPAN("indicator"),
                                  .audience = audience,
                                  .publisher = ORG_SELF,
                                  .order = STORE_OTHER,
                                  .versioned = true,
                                  .modified = {.sec = x.modified},
                                  .confidence = 50,
                                  .batch = 7};
            char bytes[200], id[80];

            sample_print(&x, bytes);
            snprintf(id, sizeof id, "indicator--%08x-0000-4000-8000-000000000000", x.ident);
            r.id = arena_span(w->a, span_of(id));
            r.bytes = arena_span(w->a, span_of(bytes));
            hash_sha256(r.bytes, &r.hash);
            MUST(sample_index(NULL, r.bytes, w->a, &r.index, &e));
            MUST(store_put(w->s, &r, NULL, &e));
        }
        MUST(store_commit(w->s, &e));
        arena_reset(w->a);
    }
}

static uint32_t
one_audience(struct world *w)
{
    uint32_t n;

    MUST(store_begin(w->s, &e));
    n = audience_make(w, TLP_GREEN, GROUP_REGION, false);
    MUST(store_commit(w->s, &e));
    return n;
}

static struct view
view_all(struct world *w, uint32_t audience)
{
    struct view_entry *en = arena_zero(w->a, 1, sizeof *en);
    uint64_t *bits = arena_zero(w->a, 1, sizeof *bits);

    en->audience.number = audience;
    *bits = UINT64_C(1) << audience;
    return (struct view){.entries = en, .count = 1, .bits = bits, .bit_words = 1};
}

static int
count_item(void *ctx, const struct store_item *it, struct err *e)
{
    (void)it;
    (void)e;
    (*(size_t *)ctx)++;
    return 0;
}

static bool
has_word(void *ctx, struct span bytes)
{
    return memmem(bytes.p, bytes.n, ctx, strlen(ctx)) != NULL;
}

static size_t
search_text(struct world *w, uint32_t audience, const char *word)
{
    const struct view v = view_all(w, audience);
    struct store_find_ask ask = {.view = &v, .limit = 1000, .want = STORE_WANT_BYTES};
    struct store_find_end end = {.more = true};
    struct trigram_query q;
    struct store_search s = {.match = has_word, .match_ctx = (void *)(uintptr_t)word};
    size_t n = 0;

    MUST(trigram_query(span_of(word), &q, &e));
    s.grams = q.grams;
    s.gram_count = q.gram_count;
    MUST(store_begin(w->s, &e));
    while (end.more) {
        MUST(store_search(w->s, &ask, &s, count_item, &n, &end, &e));
        ask.before_us = end.next_us;
    }
    MUST(store_commit(w->s, &e));
    trigram_query_clear(&q);
    return n;
}

/* A segment is written in one run, and after a restart from the bytes; erasing takes out of it. */
static void
test_segments(void **state)
{
    struct world *w = *state;
    const uint32_t a = one_audience(w);
    struct store_check_counts c;
    size_t want = 0;

    w->gen_shift = GEN_SHIFT; /* too many rows for small ones */
    world_tune(w);
    for (unsigned i = 0; i < SEG_ROWS + 100; i++)
        want += i % 3 == 0 && (i % 50 == 4 || i % 50 / 10 == 4);
    fill(w, a, 0, SEG_ROWS + 100, 4000);
    c = verify(w);
    assert_int_equal(c.segments, 1);
    assert_int_equal(search_text(w, a, "alpha beacon 4"), want);
    reopen(w);
    fill(w, a, SEG_ROWS + 100, SEG_ROWS, 5000);
    c = verify(w);
    assert_int_equal(c.segments, 2);
    MUST(store_begin(w->s, &e));
    for (uint64_t p = 1; p <= 40; p++)
        MUST(store_erase(w->s, p * 700, &e));
    MUST(store_erase(w->s, 2 * SEG_ROWS + 50, &e)); /* one of the unfinished segment */
    MUST(store_commit(w->s, &e));
    c = verify(w);
    assert_int_equal(c.erased, 41);
    fill(w, a, 3 * SEG_ROWS, SEG_ROWS, 5000);
    assert_int_equal(verify(w).segments, 3);
}

static size_t
occurrences(struct world *w, const char *suffix, struct span what)
{
    char path[PATH_MAX];
    size_t n, hits = 0;
    char *all;
    FILE *f;
    struct stat st;

    snprintf(path, sizeof path, "%s%s", w->path, suffix);
    f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) != 0)
        return 0;
    all = malloc((size_t)st.st_size + 1);
    n = fread(all, 1, (size_t)st.st_size, f);
    fclose(f);
    for (char *p = all; (p = memmem(p, (size_t)(all + n - p), what.p, what.n)) != NULL; p++)
        hits++;
    free(all);
    return hits;
}

/* After an erasure and the tidying the bytes are in no file. */
static void
test_erased_bytes(void **state)
{
    struct world *w = *state;
    const uint32_t a = one_audience(w);
    const struct span secret = SPAN("secretword");
    struct store_row r = {.id = SPAN("malware--00000001-0000-4000-8000-000000000000"),
                          .type = SPAN("malware"),
                          .bytes =
                              SPAN("{\"id\":1,\"modified\":5,\"x\":1,\"text\":\"secretword\"}"),
                          .audience = a,
                          .publisher = ORG_SELF,
                          .versioned = true,
                          .modified = {.sec = 5},
                          .confidence = -1};
    bool more = true;

    fill(w, a, 100, 500, 100);
    hash_sha256(r.bytes, &r.hash);
    MUST(sample_index(NULL, r.bytes, w->a, &r.index, &e));
    MUST(store_begin(w->s, &e));
    MUST(store_put(w->s, &r, NULL, &e));
    MUST(store_commit(w->s, &e));
    fill(w, a, 1000, 500, 100);
    assert_true(occurrences(w, "", secret) + occurrences(w, "-wal", secret) > 0);
    MUST(store_begin(w->s, &e));
    MUST(store_erase(w->s, 501, &e));
    MUST(store_commit(w->s, &e));
    while (more)
        MUST(store_tidy(w->s, &more, &e));
    assert_int_equal(occurrences(w, "", secret) + occurrences(w, "-wal", secret), 0);
    assert_int_equal(verify(w).erased, 1);
    /* The same bytes again are a new publication. */
    MUST(sample_index(NULL, r.bytes, w->a, &r.index, &e));
    MUST(store_begin(w->s, &e));
    MUST(store_put(w->s, &r, NULL, &e));
    MUST(store_commit(w->s, &e));
    verify(w);
}

/* What somebody else did to the file is found. */
static void
test_damage(void **state)
{
    static const char *const damages[] = {
        "UPDATE publication SET bytes = x'7b7d' WHERE p = 3",
        "UPDATE publication SET salt = zeroblob(32) WHERE p = 3",
        "UPDATE publication SET d = zeroblob(32) WHERE p = 3",
        "UPDATE publication SET arrival = 5 WHERE p = 3",
        "UPDATE publication SET seq = 9 WHERE p = 3",
        "UPDATE publication SET entry = 9 WHERE p = 3",
        "UPDATE publication SET flags = flags - 1 WHERE p = 3",
        "UPDATE publication SET flags = flags + 4 WHERE p = 3",
        "UPDATE publication SET flags = 32, bytes = NULL WHERE p = 3",
        "UPDATE publication SET audience = 2 WHERE p = 3",
        "UPDATE publication SET ident = 4 WHERE p = 3",
        "UPDATE publication SET type = 2 WHERE p = 3",
        "DELETE FROM publication WHERE p = 20",
        "UPDATE stream SET size = size + 1",
        "UPDATE stream SET frontier = zeroblob(8)",
        "DELETE FROM posting WHERE p = 3 AND kind = 0",
        "INSERT INTO posting (kind, audience, p) VALUES (7, 1, 3)",
        "DELETE FROM ident WHERE n = 3",
        "DELETE FROM term WHERE p = 3",
        "DELETE FROM value WHERE p = 3",
        "DELETE FROM edge WHERE p = 3",
        "INSERT INTO term (gen, key, p, audience) VALUES (0, 1, 3, 1)",
        "UPDATE text_tail SET data = zeroblob(2560)",
        "UPDATE audience SET next_seq = next_seq + 1 WHERE n = 1",
        "UPDATE counting SET n = n + 1",
        "UPDATE state SET p = p + 1",
        "UPDATE state SET next_us = 7",
    };
    struct world *w = *state;
    const uint32_t a = one_audience(w);

    fill(w, a, 0, 20, 20);
    verify(w);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct store_check_counts c = {0};
        char copy[PATH_MAX];
        struct world bad = *w;

        snprintf(copy, sizeof copy, "%s/bad%zu", w->folder, i);
        MUST(store_backup(w->s, copy, NULL, NULL, &e));
        MUST(store_open(copy, &w->o, &bad.s, &e));
        world_tune(&bad);
        MUST(bad.s->drv->exec(bad.s->d, damages[i], &e));
        MUST(store_check(bad.s, NULL, NULL, NULL, &c, &e));
        if (c.problems == 0)
            fail_msg("not found: %s", damages[i]);
        store_close(bad.s);
    }
}

static void
test_restore(void **state)
{
    struct world *w = *state;
    const uint32_t a = one_audience(w);
    char backup[PATH_MAX];
    struct store_figures before, after;
    struct err bad = ERR_INIT;
    uint64_t erased;

    fill(w, a, 0, 50, 10);
    MUST(store_begin(w->s, &e));
    MUST(store_erase(w->s, 5, &e));
    MUST(store_commit(w->s, &e));
    snprintf(backup, sizeof backup, "%s/backup", w->folder);
    MUST(store_backup(w->s, backup, NULL, NULL, &e));
    assert_int_equal(store_backup(w->s, backup, NULL, NULL, &bad), -1);
    assert_int_equal(bad.code, ERR_CONFLICT);
    fill(w, a, 100, 10, 10);
    MUST(store_begin(w->s, &e));
    MUST(store_erase(w->s, 7, &e));
    MUST(store_erase(w->s, 55, &e)); /* not in the backup */
    MUST(store_figures(w->s, &before, &e));
    MUST(store_commit(w->s, &e));
    store_close(w->s);
    w->s = NULL;
    MUST(store_restore(backup, w->path, &w->o, &erased, &e));
    assert_int_equal(erased, 1);
    MUST(store_open(w->path, &w->o, &w->s, &e));
    world_tune(w);
    MUST(store_begin(w->s, &e));
    MUST(store_figures(w->s, &after, &e));
    MUST(store_commit(w->s, &e));
    assert_int_equal(after.publications, 52);
    assert_int_equal(verify(w).erased, 2);
    fill(w, a, 200, 10, 10); /* a new incarnation: another stream */
    assert_int_equal(verify(w).streams, 2);
    /* What is no store is refused, and nothing is changed. */
    store_close(w->s);
    w->s = NULL;
    snprintf(backup, sizeof backup, "%s.erased", w->path);
    assert_int_equal(store_restore(backup, w->path, &w->o, &erased, &bad), -1);
    MUST(store_open(w->path, &w->o, &w->s, &e));
    world_tune(w);
    verify(w);
}

/* The counter never runs back, whatever the clock does. */
static void
test_clock(void **state)
{
    struct world *w = *state;
    const uint32_t a = one_audience(w);

    fill(w, a, 0, 30, 3);
    w->clock.wall_us -= INT64_C(3600000000);
    fill(w, a, 100, 30, 3);
    reopen(w);
    w->clock.wall_us -= INT64_C(3600000000);
    fill(w, a, 200, 30, 3);
    verify(w);
}

struct poller {
    int64_t last_us;
    size_t n;
};

static int
poll_item(void *ctx, const struct store_item *it, struct err *e)
{
    struct poller *p = ctx;

    (void)e;
    assert_true(it->date_us > p->last_us);
    p->n++;
    return 0;
}

/* All there is after a date; that of the last is rounded up to the millisecond, as TAXII clients
 * get it. */
static void
poll_rounded(struct world *w, const struct view *v, struct poller *p)
{
    const struct store_filter filter = {0};
    struct store_page_ask ask = {.view = v, .filter = &filter, .limit = 10000};
    struct store_page_end end;

    ask.after_us = p->last_us;
    MUST(store_begin(w->s, &e));
    MUST(store_page(w->s, &ask, poll_item, p, &end, &e));
    MUST(store_commit(w->s, &e));
    assert_false(end.more);
    if (end.count > 0)
        p->last_us = (end.last_us + 999) / 1000 * 1000;
}

/* Commits take one millisecond after the other here, since the clock stands still: none of their
 * rows lies on what the date of the one before is rounded to.  Nor do those of grants. */
static void
test_rounded(void **state)
{
    struct world *w = *state;
    const uint32_t a = one_audience(w);
    struct poller p = {0}, q = {0};
    struct view v;

    for (unsigned i = 0; i < 400; i++) {
        fill(w, a, 1000 * i, 1 + below(w, 45), 50);
        v = view_all(w, a);
        poll_rounded(w, &v, &p);
    }
    MUST(store_begin(w->s, &e));
    {
        struct store_figures f;

        MUST(store_figures(w->s, &f, &e));
        assert_int_equal(p.n, f.publications);
    }
    MUST(store_commit(w->s, &e));
    /* Grants begin anew again and again: each time all there is appears behind the date before. */
    for (unsigned i = 0; i < 400; i++) {
        const struct view_grant *g;
        struct view_entry *en;
        uint64_t left, older;
        size_t n;

        MUST(store_begin(w->s, &e));
        MUST(store_grant_begin(w->s, a, GRANT_ORG, 1, &older, &e));
        MUST(store_grant_step(w->s, &left, &e));
        MUST(store_commit(w->s, &e));
        assert_int_equal(left, 0);
        arena_reset(w->a);
        MUST(store_begin(w->s, &e));
        MUST(store_grants_load(w->s, w->a, &g, &n, &e));
        MUST(store_commit(w->s, &e));
        assert_int_equal(n, 1);
        v = view_all(w, a);
        en = (struct view_entry *)(uintptr_t)v.entries;
        en->natural_from = g->natural_from;
        en->slices = g->slices;
        en->slice_count = g->slice_count;
        q.n = 0;
        poll_rounded(w, &v, &q);
        assert_int_equal(q.n, p.n);
    }
    verify(w);
}

/* A writer is killed again and again; what it had said to be on disk is there. */
static void
test_kill(void **state)
{
    struct world *w = *state;
    const uint32_t a = one_audience(w);
    uint64_t sure = 0;

    for (unsigned round = 0; round < 30; round++) {
        struct store_figures f;
        int said[2];
        uint64_t at;
        pid_t pid;

        store_close(w->s);
        w->s = NULL;
        assert_int_equal(pipe(said), 0);
        pid = fork();
        if (pid == 0) {
            struct err e = ERR_INIT;

            if (store_open(w->path, &w->o, &w->s, &e) < 0)
                _exit(1);
            world_tune(w);
            for (unsigned i = 0;; i++) {
                fill(w, a, 1000 * round + 7 * i, 7, 7);
                tidy(w, 1);
                if (store_begin(w->s, &e) < 0 || store_figures(w->s, &f, &e) < 0)
                    _exit(2);
                if (i % 3 == 2 && store_erase(w->s, f.publications - 3, &e) < 0)
                    _exit(3);
                if (store_commit(w->s, &e) < 0 ||
                    write(said[1], &f.publications, sizeof f.publications) < 0)
                    _exit(4);
            }
        }
        close(said[1]);
        usleep(20000 + below(w, 60000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        while (read(said[0], &at, sizeof at) == sizeof at)
            sure = at;
        close(said[0]);
        MUST(store_open(w->path, &w->o, &w->s, &e));
        world_tune(w);
        MUST(store_begin(w->s, &e));
        MUST(store_figures(w->s, &f, &e));
        MUST(store_commit(w->s, &e));
        assert_true(f.publications >= sure);
        verify(w);
    }
    assert_true(sure > 100);
}

/* Whichever allocation fails: the commit is there or it is not, and the store works on. */
static void
test_memory(void **state)
{
    struct world *w = *state;
    const uint32_t a = one_audience(w);
    struct sample x = {.variant = 1, .modified = 5};
    struct store_figures f = {0};
    uint64_t known;

    fill(w, a, 0, 40, 20);
    known = 40;
    for (size_t n = 1; n < 400; n++) {
        struct store_row r = {.type = SPAN("malware"),
                              .audience = a,
                              .publisher = ORG_SELF,
                              .versioned = true,
                              .modified = {.sec = 5},
                              .confidence = -1};
        char bytes[200], id[80];
        struct err bad = ERR_INIT;
        int rc;

        x.ident = 1000 + (unsigned)n;
        sample_print(&x, bytes);
        sample_id(x.ident, id);
        r.id = span_of(id);
        r.bytes = span_of(bytes);
        hash_sha256(r.bytes, &r.hash);
        MUST(sample_index(NULL, r.bytes, w->a, &r.index, &e));
        if (n % 40 == 0)
            reopen(w); /* caches are filled anew, which allocates most */
        mem_fail_at(n % 40 + 1);
        rc = store_begin(w->s, &bad);
        if (rc == 0 && (store_put(w->s, &r, NULL, &bad) < 0 ||
                        (n % 7 == 0 && store_erase(w->s, n / 12 + 1, &bad) < 0))) {
            store_abort(w->s);
            rc = -1;
        } else if (rc == 0) {
            rc = store_commit(w->s, &bad);
        }
        mem_fail_at(0);
        assert_false(store_open_transaction(w->s));
        MUST(store_begin(w->s, &e));
        MUST(store_figures(w->s, &f, &e));
        MUST(store_commit(w->s, &e));
        if (rc == 0)
            assert_true(f.publications > known);
        else
            assert_int_equal(f.publications, known);
        known = f.publications;
        arena_reset(w->a);
    }
    assert_true(known > 100);
    verify(w);
}

/* A reader sees whole commits, and cannot write. */
static void
test_reader(void **state)
{
    struct world *w = *state;
    const uint32_t a = one_audience(w);
    struct store_options o = w->o;
    struct store_figures f;
    struct err bad = ERR_INIT;
    struct store *r;

    fill(w, a, 0, 10, 10);
    o.mode = DB_READ;
    MUST(store_open(w->path, &o, &r, &e));
    r->gen_shift = w->s->gen_shift;
    MUST(store_begin(r, &e));
    MUST(store_figures(r, &f, &e));
    assert_int_equal(f.publications, 10);
    fill(w, a, 10, 10, 10);
    MUST(store_figures(r, &f, &e));
    assert_int_equal(f.publications, 10);
    assert_int_equal(store_setting_put(r, "x", SPAN("y"), &bad), -1);
    assert_int_equal(bad.code, ERR_DENIED);
    MUST(store_commit(r, &e));
    MUST(store_begin(r, &e));
    MUST(store_figures(r, &f, &e));
    assert_int_equal(f.publications, 20);
    store_close(r);
    verify(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_segments, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_erased_bytes, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_damage, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_restore, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_clock, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_rounded, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_kill, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_memory, world_make, world_remove),
        cmocka_unit_test_setup_teardown(test_reader, world_make, world_remove),
    };

    return cmocka_run_group_tests_name("store/keep", tests, NULL, NULL);
}
