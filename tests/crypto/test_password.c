/* Password verifiers: made, checked, limits, and verifiers that are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "crypto.h"
#include "password.h"

static void
made_and_checked(void **state)
{
    char a[PASSWORD_VERIFIER_MAX], b[PASSWORD_VERIFIER_MAX];
    struct err e = ERR_INIT;
    (void)state;

    assert_int_equal(password_hash(SPAN("correct horse"), a, &e), 0);
    assert_int_equal(password_hash(SPAN("correct horse"), b, &e), 0);
    assert_string_not_equal(a, b); /* salted */
    assert_true(span_starts(span_of(a), "$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_true(password_ok(SPAN("correct horse"), a));
    assert_true(password_ok(SPAN("correct horse"), b));
    assert_false(password_ok(SPAN("correct hors"), a));
    assert_false(password_ok(SPAN("correct horse "), a));
    assert_false(password_ok(SPAN("Correct horse"), a));
    assert_false(password_ok(SPAN(""), a));
    assert_false(password_ok((struct span){NULL, 0}, a));
    assert_false(password_ok(SPAN("correct horse\0"), a));
    assert_false(password_stale(a));
}

/* The verifier is the standard's string and no private form: these come from the test suite of the
 * reference implementation (phc-winner-argon2, test.c). */
static void
reads_verifiers_of_others(void **state)
{
    static const char small[] = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                                "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    static const char large[] = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"
                                "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    char changed[sizeof small];
    (void)state;

    assert_true(password_ok(SPAN("password"), small));
    assert_true(password_ok(SPAN("password"), large));
    assert_false(password_ok(SPAN("Password"), small));
    for (size_t i = 0; i < sizeof small - 1; i++) {
        memcpy(changed, small, sizeof small);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(password_ok(SPAN("password"), changed));
    }
}

static void
limits_both_sides(void **state)
{
    char long_one[PASSWORD_MAX + 1], v[PASSWORD_VERIFIER_MAX] = "untouched";
    struct err e = ERR_INIT;
    (void)state;

    memset(long_one, 'x', sizeof long_one);
    assert_int_equal(password_hash(span_from(long_one, PASSWORD_MAX + 1), v, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(password_hash(SPAN("123456789"), v, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    /* Nine characters in 27 bytes are nine characters. */
    assert_int_equal(password_hash(SPAN("กขคงจฉชซฌ"), v, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_int_equal(password_hash(SPAN(""), v, &e), -1);
    assert_int_equal(password_hash((struct span){NULL, 0}, v, &e), -1);
    assert_int_equal(password_hash(SPAN("1234567890\xff"), v, &e), -1);
    assert_int_equal(e.code, ERR_ENCODING);
    assert_string_equal(v, "untouched");

    assert_int_equal(password_hash(span_from(long_one, PASSWORD_MAX), v, &e), 0);
    assert_true(password_ok(span_from(long_one, PASSWORD_MAX), v));
    assert_false(password_ok(span_from(long_one, PASSWORD_MAX - 1), v));
    assert_false(password_ok(span_from(long_one, PASSWORD_MAX + 1), v));
    assert_int_equal(password_hash(SPAN("กขคงจฉชซฌญ"), v, &e), 0);
    assert_true(password_ok(SPAN("กขคงจฉชซฌญ"), v));
}

static void
damaged_verifiers(void **state)
{
#define TAIL "$c29tZXNhbHRzb21lc2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
    static const char *const table[] = {
        "",
        "x",
        "$",
        "$argon2id",
        "$argon2id$v=19$",
        "$argon2id$v=19$m=19456,t=2,p=1",
        "$argon2id$v=19$m=19456,t=2,p=1$",
        "$argon2i$v=19$m=19456,t=2,p=1" TAIL,
        "$argon2d$v=19$m=19456,t=2,p=1" TAIL,
        "$argon2id$v=16$m=19456,t=2,p=1" TAIL,
        "$argon2id$v=19$m=,t=2,p=1" TAIL,
        "$argon2id$v=19$m=-1,t=2,p=1" TAIL,
        "$argon2id$v=19$m=019456,t=2,p=1" TAIL,
        "$argon2id$v=19$m=1048577,t=2,p=1" TAIL, /* a kibibyte over what we would ever spend */
        "$argon2id$v=19$m=4294967295,t=2,p=1" TAIL,
        "$argon2id$v=19$m=99999999999999999999,t=2,p=1" TAIL,
        "$argon2id$v=19$m=19456,t=33,p=1" TAIL,
        "$argon2id$v=19$t=2,m=19456,p=1" TAIL,
        "$argon2id$v=19$m=19456" TAIL,
        "$2b$12$abcdefghijklmnopqrstuuJ1fB7kqv9ZkVw5vQm3q1lJYbq0m0u2e",
        "plain password",
    };
    char unterminated[PASSWORD_VERIFIER_MAX];
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_false(password_ok(SPAN("plain password"), table[i]));
        if (i < 5 || strstr(table[i], "m=19456,t=2,") == NULL || table[i][9] != '$')
            assert_true(password_stale(table[i]));
    }
    memset(unterminated, '$', sizeof unterminated);
    assert_false(password_ok(SPAN("plain password"), unterminated));
    assert_true(password_stale(unterminated));
}

static void
stale_is_weaker_not_other(void **state)
{
    static const struct {
        const char *v;
        bool stale;
    } table[] = {
        {"$argon2id$v=19$m=19456,t=2,p=1" TAIL, false},
        {"$argon2id$v=19$m=19455,t=2,p=1" TAIL, true},
        {"$argon2id$v=19$m=19456,t=1,p=1" TAIL, true},
        {"$argon2id$v=19$m=65536,t=3,p=1" TAIL, false},
        {"$argon2id$v=19$m=65536,t=1,p=1" TAIL, true},
        {"$argon2id$v=19$m=8,t=9,p=1" TAIL, true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(password_stale(table[i].v), table[i].stale);
}

static int64_t
cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* An unknown name must cost what a known one costs, or names can be found out.  The least of five
 * runs, measured in processor time, so that a busy machine does not matter. */
static void
dummy_costs_the_same(void **state)
{
    char v[PASSWORD_VERIFIER_MAX];
    int64_t real = INT64_MAX, dummy = INT64_MAX;
    (void)state;

    assert_int_equal(password_hash(SPAN("correct horse"), v, NULL), 0);
    for (int i = 0; i < 5; i++) {
        int64_t t = cpu_us();

        assert_false(password_ok(SPAN("wrong horse!"), v));
        real = least(real, cpu_us() - t);
        t = cpu_us();
        password_dummy(SPAN("wrong horse!"));
        dummy = least(dummy, cpu_us() - t);
    }
    printf("# verify %ld us, dummy %ld us\n", (long)real, (long)dummy);
    assert_true(dummy * 2 > real && real * 2 > dummy);
    password_dummy((struct span){NULL, 0});
}

static void
random_ones_are_typable(void **state)
{
    char a[PASSWORD_RANDOM], b[PASSWORD_RANDOM], v[PASSWORD_VERIFIER_MAX];
    (void)state;

    password_random(b);
    for (int i = 0; i < 200; i++) {
        password_random(a);
        assert_int_equal(strlen(a), PASSWORD_RANDOM - 1);
        for (size_t j = 0; j < strlen(a); j++)
            if (j % 6 == 5)
                assert_int_equal(a[j], '-');
            else
                assert_non_null(strchr("0123456789abcdefghjkmnpqrstvwxyz", a[j]));
        assert_string_not_equal(a, b);
        memcpy(b, a, sizeof a);
    }
    assert_int_equal(password_hash(span_of(a), v, NULL), 0);
}

static int
start(void **state)
{
    (void)state;
    return crypto_start(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_checked),          cmocka_unit_test(reads_verifiers_of_others),
        cmocka_unit_test(limits_both_sides),         cmocka_unit_test(damaged_verifiers),
        cmocka_unit_test(stale_is_weaker_not_other), cmocka_unit_test(dummy_costs_the_same),
        cmocka_unit_test(random_ones_are_typable),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
