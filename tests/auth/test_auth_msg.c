#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "auth_msg.h"

static void
messages_come_back(void **state)
{
    char mem[AUTH_MSG_MAX];
    struct buf b;
    struct err e = ERR_INIT;
    struct auth_msg in = {.verb = AUTH_V_LOGIN,
                          .scheme = AUTH_PASSWORD,
                          .person = true,
                          .name = SPAN("somchai"),
                          .secret = SPAN("a secret"),
                          .address = SPAN("198.51.100.7"),
                          .principal = 7,
                          .epoch = -1,
                          .expires_us = INT64_MAX},
                    out;

    (void)state;
    memset(in.session, 9, sizeof in.session);
    buf_init_fixed(&b, mem, sizeof mem);
    auth_msg_encode(&in, &b);
    assert_int_equal(auth_msg_decode(buf_view(&b), &out, &e), 0);
    assert_int_equal(out.verb, in.verb);
    assert_true(out.person);
    assert_true(span_eq(out.name, in.name) && span_eq(out.secret, in.secret) &&
                span_eq(out.address, in.address));
    assert_int_equal(out.principal, 7);
    assert_int_equal(out.epoch, -1);
    assert_true(out.expires_us == INT64_MAX);
    assert_memory_equal(out.session, in.session, 16);
    /* No shorter and no longer text is a message. */
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(auth_msg_decode(span_from(mem, n), &out, &e), -1);
    buf_u8(&b, 0);
    assert_int_equal(auth_msg_decode(buf_view(&b), &out, &e), -1);
}

static void
bad_messages_are_refused(void **state)
{
    static const struct {
        size_t at;
        unsigned char value;
    } cases[] = {{0, 0}, {0, 2}, {1, 0}, {1, 8}, {1, 255}, {2, 0}, {2, 3}, {3, 2}, {3, 255}};
    struct auth_msg in = {.verb = AUTH_V_LOGIN, .scheme = AUTH_TOKEN}, out;
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char mem[AUTH_MSG_MAX];
        struct buf b;
        buf_init_fixed(&b, mem, sizeof mem);
        auth_msg_encode(&in, &b);
        mem[cases[i].at] = (char)cases[i].value;
        assert_int_equal(auth_msg_decode(buf_view(&b), &out, &e), -1);
        assert_int_equal(e.code, ERR_PROTOCOL);
    }
}

static void
a_ticket_comes_with_a_good_login_alone(void **state)
{
    static const struct {
        enum auth_state state;
        const char *ticket;
        int want;
    } cases[] = {{AUTH_OK, "t", 0},    {AUTH_OK, "", -1},           {AUTH_NO, "", 0},
                 {AUTH_NO, "t", -1},   {AUTH_QUEUED, "", -1},       {AUTH_LATER, "", 0},
                 {AUTH_BROKEN, "", 0}, {(enum auth_state)9, "", -1}};
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char mem[AUTH_MSG_MAX];
        struct buf b;
        struct auth_reply in = {.state = cases[i].state,
                                .wait_s = 3,
                                .ticket = span_of(cases[i].ticket),
                                .expires_us = 5},
                          out;
        buf_init_fixed(&b, mem, sizeof mem);
        auth_reply_encode(&in, &b);
        assert_int_equal(auth_reply_decode(buf_view(&b), &out, &e), cases[i].want);
        if (cases[i].want == 0)
            assert_int_equal(out.wait_s, 3);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back),
        cmocka_unit_test(bad_messages_are_refused),
        cmocka_unit_test(a_ticket_comes_with_a_good_login_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
