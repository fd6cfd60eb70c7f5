#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "auth.h"

#define S  INT64_C(1000000)
#define T0 (INT64_C(1700000000) * S)

static const char good[] = "correct horse battery";

struct fixture {
    struct clock clock;
    struct auth *auth;
    char dir[64], path[96];
};

static int
setup(void **state)
{
    static struct fixture f;
    struct err e = ERR_INIT;

    f.clock.wall_us = T0;
    (void)strcpy(f.dir, "/tmp/jaga-auth-XXXXXX");
    if (!mkdtemp(f.dir))
        return -1;
    (void)snprintf(f.path, sizeof f.path, "%s/auth.db", f.dir);
    if (crypto_start(&e) || auth_open(f.path, &f.clock, &f.auth, &e) ||
        auth_set_password(f.auth, 10, 1, SPAN("somchai"), span_of(good), &e))
        return -1;
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;
    static const char *const parts[] = {"", "-wal", "-shm"};
    char name[128];

    auth_close(f->auth);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s%s", f->path, parts[i]);
        (void)unlink(name);
    }
    return rmdir(f->dir);
}

/* A whole login, its hash included. */
static struct auth_result
login(struct fixture *f, enum auth_scheme scheme, const char *name, const char *secret)
{
    struct auth_login l = {.scheme = scheme,
                           .name = span_of(name),
                           .secret = span_of(secret),
                           .address = SPAN("198.51.100.7"),
                           .tag = 77};
    struct auth_result r, w;

    auth_login(f->auth, &l, &r);
    if (r.state == AUTH_QUEUED && auth_work(f->auth, &w))
        r = w;
    assert_int_equal(r.tag, 77);
    return r;
}

static void
passwords(void **state)
{
    static const struct {
        const char *name, *secret;
        enum auth_state want;
    } cases[] = {
        {"somchai", "correct horse battery", AUTH_OK},
        {"somchai", "correct horse batterx", AUTH_NO},
        {"somchai", "", AUTH_NO},
        {"Somchai", "correct horse battery", AUTH_NO},
        {"nobody", "correct horse battery", AUTH_NO},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct auth_result r = login(f, AUTH_PASSWORD, cases[i].name, cases[i].secret);
        assert_int_equal(r.state, cases[i].want);
        if (r.state == AUTH_OK) {
            assert_int_equal(r.principal, 10);
            assert_int_equal(r.epoch, 1);
            assert_false(r.token);
        }
    }
}

static void
a_good_login_is_hashed_once_in_a_while(void **state)
{
    struct fixture *f = *state;
    struct auth_login l = {
        .scheme = AUTH_PASSWORD, .name = SPAN("somchai"), .secret = span_of(good)};
    struct auth_result r;

    assert_int_equal(login(f, AUTH_PASSWORD, "somchai", good).state, AUTH_OK);
    auth_login(f->auth, &l, &r);
    assert_int_equal(r.state, AUTH_OK);
    f->clock.wall_us += AUTH_CACHE_US + 1;
    auth_login(f->auth, &l, &r);
    assert_int_equal(r.state, AUTH_QUEUED);
    assert_true(auth_work(f->auth, &r));
    assert_false(auth_work(f->auth, &r));
}

static void
a_new_password_forgets_the_old_one(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;

    assert_int_equal(login(f, AUTH_PASSWORD, "somchai", good).state, AUTH_OK);
    assert_int_equal(
        auth_set_password(f->auth, 10, 2, SPAN("somchai"), SPAN("another good one"), &e), 0);
    assert_int_equal(login(f, AUTH_PASSWORD, "somchai", good).state, AUTH_NO);
    struct auth_result r = login(f, AUTH_PASSWORD, "somchai", "another good one");
    assert_int_equal(r.state, AUTH_OK);
    assert_int_equal(r.epoch, 2);
}

static void
tokens(void **state)
{
    struct fixture *f = *state;
    char text[AUTH_TOKEN_TEXT], bad[AUTH_TOKEN_TEXT];
    struct err e = ERR_INIT;

    assert_int_equal(auth_make_token(f->auth, 11, 5, T0 + 60 * S, text, &e), 0);
    struct auth_result r = login(f, AUTH_TOKEN, "", text);
    assert_int_equal(r.state, AUTH_OK);
    assert_int_equal(r.principal, 11);
    assert_int_equal(r.epoch, 5);
    assert_true(r.token);
    /* Every letter counts. */
    for (size_t i = 0; text[i]; i++) {
        memcpy(bad, text, sizeof bad);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(login(f, AUTH_TOKEN, "", bad).state, AUTH_OK);
        f->clock.wall_us += 1000 * S; /* past the throttle */
        if (f->clock.wall_us > T0 + 50 * S)
            f->clock.wall_us = T0;
    }
    f->clock.wall_us = T0 + 4000 * S;
    assert_int_not_equal(login(f, AUTH_TOKEN, "", text).state, AUTH_OK); /* its time is over */
    assert_int_equal(auth_make_token(f->auth, 11, 5, T0, text, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
}

static void
removed_is_gone(void **state)
{
    struct fixture *f = *state;
    char text[AUTH_TOKEN_TEXT];
    struct err e = ERR_INIT;
    int64_t principal, epoch;
    bool token;

    assert_int_equal(auth_make_token(f->auth, 10, 1, 0, text, &e), 0);
    struct auth_result r = login(f, AUTH_TOKEN, "", text);
    assert_int_equal(r.state, AUTH_OK);
    assert_true(auth_renew(f->auth, r.session, &principal, &epoch, &token));
    assert_int_equal(login(f, AUTH_PASSWORD, "somchai", good).state, AUTH_OK);
    assert_int_equal(auth_remove(f->auth, 10, &e), 0);
    assert_false(auth_renew(f->auth, r.session, &principal, &epoch, &token));
    assert_int_equal(login(f, AUTH_TOKEN, "", text).state, AUTH_NO);
    assert_int_equal(login(f, AUTH_PASSWORD, "somchai", good).state, AUTH_NO);
}

static void
sessions_end(void **state)
{
    struct fixture *f = *state;
    int64_t principal, epoch;
    bool token;
    struct auth_result r = login(f, AUTH_PASSWORD, "somchai", good);

    assert_true(auth_renew(f->auth, r.session, &principal, &epoch, &token));
    r.session[3] ^= 1;
    assert_false(auth_renew(f->auth, r.session, &principal, &epoch, &token));
    r.session[3] ^= 1;
    f->clock.wall_us += AUTH_SESSION_US + 1;
    assert_false(auth_renew(f->auth, r.session, &principal, &epoch, &token));
}

static void
guessing_is_slowed_down(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i <= AUTH_FAILURES_FREE; i++)
        assert_int_equal(login(f, AUTH_PASSWORD, "somchai", "wrong wrong wrong").state, AUTH_NO);
    struct auth_result r = login(f, AUTH_PASSWORD, "somchai", good);
    assert_int_equal(r.state, AUTH_LATER);
    assert_int_equal(r.wait_s, 1);
    f->clock.wall_us += 2 * S;
    assert_int_equal(login(f, AUTH_PASSWORD, "somchai", good).state, AUTH_OK);
}

static void
the_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct auth_login l = {
        .scheme = AUTH_PASSWORD, .name = SPAN("a"), .secret = SPAN("xxxxxxxxxx")};
    struct auth_result r;

    for (int i = 0; i < AUTH_QUEUE_MAX; i++) {
        auth_login(f->auth, &l, &r);
        assert_int_equal(r.state, AUTH_QUEUED);
    }
    auth_login(f->auth, &l, &r);
    assert_int_equal(r.state, AUTH_LATER);
    assert_int_equal(auth_waiting(f->auth), AUTH_QUEUE_MAX);
}

static void
names_and_passwords_have_rules(void **state)
{
    static const struct {
        const char *name, *password;
        int want;
    } cases[] = {
        {"ok", "long enough", 0},
        {"", "long enough", -1},
        {"a:b", "long enough", -1},
        {"a b", "long enough", -1},
        {"a\nb", "long enough", -1},
        {"ok", "short", -1},
        {"ok", "", -1},
        {"สมชาย", "ยาวพอแล้วนะ", 0},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(auth_set_password(f->auth, 20 + (int64_t)i, 1, span_of(cases[i].name),
                                           span_of(cases[i].password), &e),
                         cases[i].want);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(passwords),
        TEST(a_good_login_is_hashed_once_in_a_while),
        TEST(a_new_password_forgets_the_old_one),
        TEST(tokens),
        TEST(removed_is_gone),
        TEST(sessions_end),
        TEST(guessing_is_slowed_down),
        TEST(the_queue_is_bounded),
        TEST(names_and_passwords_have_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
