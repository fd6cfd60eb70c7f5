/*
 * Nobody sees more or less than the policy allows, on any way out: random histories, led through
 * the product and through a model that was written separately.
 *
 * JAGA_LEAK_PAIRS says how many pairs of a reader and an object are compared.
 */
#include "leak_world.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOW 1
#endif
#endif

#ifdef SLOW
#define PAIRS 15000
#else
#define PAIRS 400000
#endif
#define ACTS 600 /* of one history */

static unsigned long
wanted_pairs(void)
{
    const char *given = getenv("JAGA_LEAK_PAIRS");

    return given != NULL ? strtoul(given, NULL, 10) : PAIRS;
}

/* One history; what it did is added up in *sum. */
static void
history(struct check_random random, struct leak *sum)
{
    struct leak *l = leak_new(random);

    for (unsigned i = 0; i < ACTS; i++) {
        struct m_asker k;

        leak_act(l);
        if (i < 50 || i % 5 != 0)
            continue;
        k = leak_any_asker(l);
        if (i % 10 == 0)
            leak_look(l, &k);
        else
            leak_look_while(l, &k);
    }
    for (int p = 1; p <= l->people_n; p++) { /* at the end everybody */
        struct m_asker k = leak_asker(l, p, one_in(l, 4), one_in(l, 6) ? NARROW_CEILING : M_RED);

        leak_look(l, &k);
    }
    leak_verify(l);
    sum->pairs += l->pairs;
    sum->asks += l->asks;
    sum->acts += l->acts;
    for (int i = 0; i <= M_OUT_DEFECT; i++)
        sum->outcomes[i] += l->outcomes[i];
    leak_free(l);
}

static void
test_all(void **state)
{
    static struct leak sum;
    struct check_random seed = check_seed("leak");
    unsigned n = 0;

    (void)state;
    for (; sum.pairs < wanted_pairs(); n++) {
        struct check_random random = {seed.state + n};

        fprintf(stderr, "# history %u: JAGA_SEED=%llu\n", n, (unsigned long long)random.state);
        history(random, &sum);
    }
    print_message("# %u histories, %lu acts, %lu questions, %lu pairs of reader and object\n", n,
                  sum.acts, sum.asks, sum.pairs);
    for (int i = M_OUT_NEW; i <= M_OUT_DEFECT; i++) {
        print_message("# %s: %lu\n", m_outcome_name((enum m_outcome)i), sum.outcomes[i]);
        if (n > 5) /* the histories have everything in them */
            assert_true(sum.outcomes[i] > 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
    };

    /* What is on disk is not the question here, and every act waits for it. */
    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
