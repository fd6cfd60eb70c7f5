/* Views: they hold what may_read says, from when the grants say; compared row by row. */
#include "world.h"

#include "arena.h"
#include "mem.h"
#include "view.h"

/* A commit takes whole milliseconds, so grants' dates are far apart. */
#define BASE(n) ((int64_t)(n)*1000000)

struct fixture {
    struct world w;
    struct arena *a;
    struct audience as[W_AUDIENCES_MAX];
    size_t n;
    uint32_t person, token, other;
};

static void
fixture_init(struct fixture *f)
{
    world_init(&f->w);
    f->person = world_person(&f->w, W_BANK, ROLE_READER, true);
    f->token = world_add(&f->w, (struct right_principal){.kind = PRINCIPAL_TOKEN,
                                                         .org = W_BANK,
                                                         .roles = ROLE_READER,
                                                         .scope = SCOPE_READ,
                                                         .owner = f->person,
                                                         .staff = true,
                                                         .ceiling = TLP_AMBER_STRICT});
    f->other = world_person(&f->w, W_B, ROLE_READER, true);
    f->n = world_audiences(&f->w, &f->person, 1, f->as);
    f->a = arena_new(1 << 24);
    assert_non_null(f->a);
}

static void
fixture_clear(struct fixture *f)
{
    arena_free(f->a);
    world_clear(&f->w);
}

static struct view
build(struct fixture *f, struct asker who, const struct view_grant *grants, size_t n)
{
    struct view v;
    struct err e = ERR_INIT;

    if (view_build(&f->w.r, &who, f->as, f->n, grants, n, f->a, &v, &e) != 0) {
        fail_msg("%s", e.text);
    }
    return v;
}

/* A view holds exactly what may_read lets through, live or exercise. */
static void
test_what(void **state)
{
    struct fixture f;
    uint32_t principals[5];

    (void)state;
    fixture_init(&f);
    f.w.r.public_open = true;
    principals[0] = PRINCIPAL_NOBODY;
    principals[1] = PRINCIPAL_OPERATOR;
    principals[2] = f.person;
    principals[3] = f.token;
    principals[4] = 9999; /* unknown: an empty view, no error */
    /* audiences come in any order */
    for (size_t i = 0; i < f.n / 2; i++) {
        struct audience t = f.as[i];

        f.as[i] = f.as[f.n - 1 - i];
        f.as[f.n - 1 - i] = t;
    }
    for (size_t p = 0; p < 5; p++) {
        for (int c = CHANNEL_SESSION; c <= CHANNEL_MAX; c++) {
            for (int exercise = 0; exercise < 2; exercise++) {
                struct asker who = asks(principals[p], (enum channel)c);
                struct view v;
                size_t count = 0;

                who.exercise = exercise != 0;
                v = build(&f, who, NULL, 0);
                for (size_t i = 0; i < f.n; i++) {
                    bool yes = may_read(&f.w.r, &who, &f.as[i]).yes;
                    const struct view_entry *en = view_find(&v, f.as[i].number);
                    int64_t date = 0;

                    count += yes;
                    assert_int_equal(view_has(&v, f.as[i].number), yes);
                    assert_int_equal(en != NULL, yes);
                    assert_int_equal(view_date(&v, f.as[i].number, 0, 42, &date), yes);
                    if (yes) {
                        assert_true(audience_same(&en->audience, &f.as[i]));
                        assert_true(date == 42);
                    }
                }
                assert_int_equal(v.count, count);
                assert_int_equal(v.exercise, exercise);
                for (size_t i = 1; i < v.count; i++) {
                    assert_true(v.entries[i - 1].audience.number < v.entries[i].audience.number);
                }
                assert_false(view_has(&v, 0));
                assert_false(view_has(&v, UINT32_MAX));
                assert_null(view_find(&v, UINT32_MAX));
                arena_reset(f.a);
            }
        }
    }
    fixture_clear(&f);
}

static void
test_group(void **state)
{
    struct fixture f;
    struct view v, part;
    struct err e = ERR_INIT;
    size_t sum = 0;

    (void)state;
    fixture_init(&f);
    v = build(&f, asks(f.person, CHANNEL_SESSION), NULL, 0);
    for (uint32_t g = 1; g <= W_GROUPS; g++) {
        assert_int_equal(view_only_group(&v, g, f.a, &part, &e), 0);
        for (size_t i = 0; i < part.count; i++) {
            assert_int_equal(part.entries[i].audience.group, g);
            assert_true(view_has(&part, part.entries[i].audience.number));
        }
        sum += part.count;
    }
    assert_int_equal(sum + 1, v.count); /* RED is of no group */
    assert_int_equal(view_only_group(&v, 0, f.a, &part, &e), 0);
    assert_int_equal(part.count, 0);
    assert_int_equal(view_only_group(&v, 999, f.a, &part, &e), 0);
    assert_int_equal(part.count, 0);
    fixture_clear(&f);
}

/* The audience that these tests open late: GREEN for the region, which BANK sees as a constituent.
 */
static uint32_t
green_region(const struct fixture *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (!f->as[i].exercise && f->as[i].label == TLP_GREEN && f->as[i].group == GROUP_REGION) {
            return f->as[i].number;
        }
    }
    fail();
    return 0;
}

static void
test_grant_table(void **state)
{
    static const struct view_slice two[] = {{0, 10, BASE(10)}, {10, 5, BASE(11)}};
    static const struct view_slice gap[] = {{2, 3, BASE(20)}};
    struct fixture f;
    struct view v;
    uint32_t g;
    struct view_grant grants[4];
    int64_t date = 0;

    (void)state;
    fixture_init(&f);
    g = green_region(&f);
    grants[0] = (struct view_grant){g, GRANT_ORG, W_BANK, 20, two, 2};
    grants[1] = (struct view_grant){g, GRANT_ORG, W_POWER, 99, NULL, 0};       /* another's */
    grants[2] = (struct view_grant){g, GRANT_PRINCIPAL, f.other, 99, NULL, 0}; /* another's */
    grants[3] = (struct view_grant){g, GRANT_PRINCIPAL, f.person, 5, gap, 1};
    v = build(&f, asks(f.person, CHANNEL_SESSION), grants, 3);
#define SEES(seq, when)                                                                            \
    do {                                                                                           \
        assert_true(view_date(&v, g, (seq), 7, &date));                                            \
        assert_true(date == (when));                                                               \
    } while (0)
#define HIDES(seq) assert_false(view_date(&v, g, (seq), 7, &date))
    SEES(0, BASE(10));
    SEES(1, BASE(10) + VIEW_STEP_US);
    SEES(9, BASE(10) + 9 * VIEW_STEP_US);
    SEES(10, BASE(11));
    SEES(14, BASE(11) + 4 * VIEW_STEP_US);
    HIDES(15); /* the slice is not written yet */
    HIDES(19);
    SEES(20, 7);
    SEES(UINT64_MAX, 7);
    /* a second level: both must let a row in, and the later date counts */
    for (int token = 0; token < 2; token++) {
        v = build(&f, asks(token ? f.token : f.person, CHANNEL_TOKEN), grants, 4);
        HIDES(0);
        HIDES(1);
        SEES(2, BASE(20));
        SEES(4, BASE(20) + 2 * VIEW_STEP_US);
        SEES(5, BASE(10) + 5 * VIEW_STEP_US);
        SEES(14, BASE(11) + 4 * VIEW_STEP_US);
        HIDES(15);
        SEES(20, 7);
    }
    /* nobody's grants are nobody's alone */
    f.w.r.public_open = true;
    for (size_t i = 0; i < f.n; i++) {
        if (!f.as[i].exercise && f.as[i].label == TLP_CLEAR && f.as[i].group == GROUP_PUBLIC) {
            g = f.as[i].number;
        }
    }
    grants[0] = (struct view_grant){g, GRANT_NOBODY, 0, 20, two, 2};
    v = build(&f, asks(PRINCIPAL_NOBODY, CHANNEL_TOKEN), grants, 1);
    SEES(3, BASE(10) + 3 * VIEW_STEP_US);
    HIDES(15);
    v = build(&f, asks(f.person, CHANNEL_SESSION), grants, 1);
    SEES(3, 7);
    SEES(15, 7);
#undef SEES
#undef HIDES
    fixture_clear(&f);
}

/* What the grants alone say, by the words of view.h and nothing else. */
static bool
model_date(const struct view_grant *g, size_t n, uint64_t seq, int64_t arrival, int64_t *date)
{
    *date = arrival;
    for (size_t i = 0; i < n; i++) {
        bool in = seq >= g[i].natural_from;

        for (size_t s = 0; s < g[i].slice_count && !in; s++) {
            const struct view_slice *sl = &g[i].slices[s];

            if (seq >= sl->from_seq && seq < sl->from_seq + sl->n) {
                int64_t d = sl->base_us + (int64_t)(seq - sl->from_seq) * VIEW_STEP_US;

                in = true;
                *date = d > *date ? d : *date;
            }
        }
        if (!in) {
            return false;
        }
    }
    return true;
}

static void
test_grant_random(void **state)
{
    struct check_random rnd = check_seed("views");
    struct fixture f;
    struct view_slice slices[3][8];
    uint32_t g;

    (void)state;
    fixture_init(&f);
    g = green_region(&f);
    for (int round = 0; round < 3000; round++) {
        struct view_grant grants[3];
        size_t n = check_next(&rnd) % 4;
        uint64_t last = 0;
        struct view v;

        for (size_t i = 0; i < n; i++) {
            uint64_t seq = 0;
            int64_t base = BASE(1 + check_next(&rnd) % 5);
            size_t k = check_next(&rnd) % 8;

            for (size_t s = 0; s < k; s++) {
                seq += check_next(&rnd) % 3 == 0 ? check_next(&rnd) % 5 : 0;
                slices[i][s] = (struct view_slice){seq, 1 + check_next(&rnd) % 9, base};
                seq += slices[i][s].n;
                /* sometimes without a gap, as one block written in two commits */
                base += (int64_t)slices[i][s].n * VIEW_STEP_US;
                base += check_next(&rnd) % 2 ? (int64_t)(check_next(&rnd) % 5) * 1000 : 0;
            }
            seq += check_next(&rnd) % 6;
            grants[i] = (struct view_grant){g,
                                            i == 0 ? GRANT_ORG : GRANT_PRINCIPAL,
                                            i == 0   ? W_BANK
                                            : i == 1 ? f.token
                                                     : f.person,
                                            seq,
                                            slices[i],
                                            k};
            last = seq > last ? seq : last;
        }
        v = build(&f, asks(f.token, CHANNEL_TOKEN), grants, n);
        for (uint64_t seq = 0; seq <= last + 2; seq++) {
            int64_t got = 0, want = 0;
            bool in = view_date(&v, g, seq, 5, &got);

            assert_int_equal(in, model_date(grants, n, seq, 5, &want));
            assert_true(!in || got == want);
        }
        for (size_t i = 1; n > 0 && i < view_find(&v, g)->slice_count; i++) {
            const struct view_slice *sl = view_find(&v, g)->slices;

            assert_true(sl[i].from_seq >= sl[i - 1].from_seq + sl[i - 1].n);
        }
        arena_reset(f.a);
    }
    fixture_clear(&f);
}

static void
test_corrupt(void **state)
{
    static const struct {
        struct view_slice slices[2];
        size_t n;
        uint64_t natural_from;
    } cases[] = {
        {{{0, 0, BASE(1)}}, 1, 10},  /* empty */
        {{{0, 11, BASE(1)}}, 1, 10}, /* beyond natural_from */
        {{{11, 1, BASE(1)}}, 1, 10},
        {{{5, UINT64_MAX, BASE(1)}}, 1, UINT64_MAX}, /* wraps */
        {{{0, UINT64_MAX, BASE(1)}}, 1, UINT64_MAX},
        {{{0, 5, INT64_MAX - 100}}, 1, 10},          /* a date beyond the end of time */
        {{{0, 5, BASE(1)}, {4, 2, BASE(2)}}, 2, 10}, /* overlap */
        {{{5, 2, BASE(1)}, {0, 2, BASE(2)}}, 2, 10}, /* not sorted */
        {{{0, 5, BASE(2)}, {5, 2, BASE(1)}}, 2, 10}, /* dates go back */
        {{{0, 5, BASE(1)}, {5, 2, BASE(1) + 4 * VIEW_STEP_US}}, 2, 10},
    };
    struct fixture f;
    struct asker who;
    struct view v = {.count = 7};
    struct view_grant grants[2];
    uint32_t g;
    struct err e;

    (void)state;
    fixture_init(&f);
    g = green_region(&f);
    who = asks(f.person, CHANNEL_SESSION);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        grants[0] = (struct view_grant){
            g, GRANT_ORG, W_BANK, cases[i].natural_from, cases[i].slices, cases[i].n};
        e = ERR_INIT;
        assert_int_equal(view_build(&f.w.r, &who, f.as, f.n, grants, 1, f.a, &v, &e), -1);
        assert_int_equal(e.code, ERR_CORRUPT);
        assert_int_equal(v.count, 7);
    }
    /* the same grant twice */
    grants[0] = grants[1] = (struct view_grant){g, GRANT_ORG, W_BANK, 5, NULL, 0};
    assert_int_equal(view_build(&f.w.r, &who, f.as, f.n, grants, 2, f.a, &v, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    /* audiences that cannot be */
    f.as[3].number = 0;
    assert_int_equal(view_build(&f.w.r, &who, f.as, f.n, NULL, 0, f.a, &v, &e), -1);
    f.as[3].number = VIEW_AUDIENCE_MAX + 1;
    assert_int_equal(view_build(&f.w.r, &who, f.as, f.n, NULL, 0, f.a, &v, &e), -1);
    f.as[3].number = VIEW_AUDIENCE_MAX;
    assert_int_equal(view_build(&f.w.r, &who, f.as, f.n, NULL, 0, f.a, &v, &e), 0);
    for (size_t i = 0; i < f.n; i++) {
        f.as[i].number = 1; /* all one */
    }
    assert_int_equal(view_build(&f.w.r, &who, f.as, f.n, NULL, 0, f.a, &v, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    fixture_clear(&f);
}

static void
test_memory(void **state)
{
    static const struct view_slice one[] = {{0, 10, BASE(10)}};
    struct fixture f;
    struct asker who;
    struct view_grant grants[2];
    struct err e;
    bool done = false;

    (void)state;
    fixture_init(&f);
    who = asks(f.person, CHANNEL_SESSION);
    grants[0] = (struct view_grant){green_region(&f), GRANT_ORG, W_BANK, 20, one, 1};
    grants[1] = (struct view_grant){green_region(&f), GRANT_PRINCIPAL, f.person, 20, one, 1};
    for (size_t ceiling = 1; !done; ceiling += 64) {
        struct arena *small = arena_new(ceiling);
        struct view v = {.count = 7};

        assert_non_null(small);
        e = ERR_INIT;
        if (view_build(&f.w.r, &who, f.as, f.n, grants, 2, small, &v, &e) == 0) {
            assert_true(v.count > 5);
            done = true;
        } else {
            assert_int_equal(e.code, ERR_LIMIT);
            assert_int_equal(v.count, 7);
        }
        arena_free(small);
    }
    fixture_clear(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what),        cmocka_unit_test(test_group),
        cmocka_unit_test(test_grant_table), cmocka_unit_test(test_grant_random),
        cmocka_unit_test(test_corrupt),     cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
