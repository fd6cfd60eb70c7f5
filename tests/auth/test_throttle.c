#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <stdio.h>
#include "auth.h"
#include "throttle.h"

#define S  INT64_C(1000000)
#define T0 (INT64_C(1700000000) * S)

static int
setup(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    return crypto_start(&e);
}

static void
the_first_failures_are_free(void **state)
{
    static struct throttle t;

    (void)state;
    throttle_init(&t);
    for (int i = 0; i < AUTH_FAILURES_FREE; i++) {
        throttle_failed(&t, 'n', SPAN("somchai"), T0);
        assert_int_equal(throttle_wait(&t, 'n', SPAN("somchai"), T0), 0);
    }
    throttle_failed(&t, 'n', SPAN("somchai"), T0);
    assert_int_equal(throttle_wait(&t, 'n', SPAN("somchai"), T0), 1);
    assert_int_equal(throttle_wait(&t, 'n', SPAN("somchai"), T0 + S), 0);
}

static void
waits_double_to_a_ceiling(void **state)
{
    static struct throttle t;
    unsigned last = 0;

    (void)state;
    throttle_init(&t);
    for (int i = 0; i < AUTH_FAILURES_FREE; i++)
        throttle_failed(&t, 'n', SPAN("x"), T0);
    for (int i = 0; i < 30; i++) {
        throttle_failed(&t, 'n', SPAN("x"), T0);
        unsigned w = throttle_wait(&t, 'n', SPAN("x"), T0);
        assert_true(w >= last && w <= AUTH_WAIT_MAX_S);
        if (last && w < AUTH_WAIT_MAX_S)
            assert_int_equal(w, last * 2);
        last = w;
    }
    assert_int_equal(last, AUTH_WAIT_MAX_S);
}

static void
names_and_addresses_are_apart(void **state)
{
    static struct throttle t;

    (void)state;
    throttle_init(&t);
    for (int i = 0; i < 10; i++)
        throttle_failed(&t, 'n', SPAN("same"), T0);
    assert_true(throttle_wait(&t, 'n', SPAN("same"), T0) > 0);
    assert_int_equal(throttle_wait(&t, 'a', SPAN("same"), T0), 0);
    assert_int_equal(throttle_wait(&t, 'n', SPAN("sam"), T0), 0);
    assert_int_equal(throttle_wait(&t, 'n', SPAN(""), T0), 0);
}

static void
success_and_a_quiet_hour_forget(void **state)
{
    static struct throttle t;

    (void)state;
    throttle_init(&t);
    for (int i = 0; i < 8; i++)
        throttle_failed(&t, 'n', SPAN("a"), T0);
    throttle_passed(&t, 'n', SPAN("a"));
    assert_int_equal(throttle_wait(&t, 'n', SPAN("a"), T0), 0);
    for (int i = 0; i < 8; i++)
        throttle_failed(&t, 'n', SPAN("b"), T0);
    throttle_failed(&t, 'n', SPAN("b"), T0 + THROTTLE_FORGET_US + 1);
    assert_int_equal(throttle_wait(&t, 'n', SPAN("b"), T0 + THROTTLE_FORGET_US + 1), 0);
}

static void
a_clock_set_back_locks_nobody_out(void **state)
{
    static struct throttle t;

    (void)state;
    throttle_init(&t);
    for (int i = 0; i < 40; i++)
        throttle_failed(&t, 'n', SPAN("a"), T0);
    assert_true(throttle_wait(&t, 'n', SPAN("a"), T0 - 86400 * S) <= AUTH_WAIT_MAX_S);
}

static void
a_flood_of_names_does_not_grow_it(void **state)
{
    static struct throttle t;
    char name[32];

    (void)state;
    throttle_init(&t);
    for (int i = 0; i < 3 * THROTTLE_MAX; i++) {
        int n = snprintf(name, sizeof name, "user%d", i);
        throttle_failed(&t, 'n', span_from(name, (size_t)n), T0 + i);
    }
    /* Who fails now is still counted. */
    for (int i = 0; i <= AUTH_FAILURES_FREE; i++)
        throttle_failed(&t, 'n', SPAN("late"), T0 + 5 * THROTTLE_MAX);
    assert_true(throttle_wait(&t, 'n', SPAN("late"), T0 + 5 * THROTTLE_MAX) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_failures_are_free),
        cmocka_unit_test(waits_double_to_a_ceiling),
        cmocka_unit_test(names_and_addresses_are_apart),
        cmocka_unit_test(success_and_a_quiet_hour_forget),
        cmocka_unit_test(a_clock_set_back_locks_nobody_out),
        cmocka_unit_test(a_flood_of_names_does_not_grow_it),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
