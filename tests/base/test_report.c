/* Errors and log lines. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "clock.h"
#include "err.h"
#include "log.h"
#include "utf8.h"

static void
test_err(void **state)
{
    struct err e = ERR_INIT;
    char line[400];
    char tiny[5];

    (void)state;
    assert_int_equal(err_set(NULL, ERR_RULE, "x"), -1);
    assert_int_equal(err_place(NULL, "x"), -1);
    assert_int_equal(err_set_at(&e, ERR_SYNTAX, 17, "no value"), -1);
    assert_int_equal(err_place(&e, "/objects/%d", 3), -1);
    err_place(&e, "/other");
    assert_string_equal(e.place, "/objects/3"); /* the finder knows best */
    err_line(&e, line, sizeof line);
    assert_string_equal(line, "no value at /objects/3 (byte 17)");
    err_line(&e, tiny, sizeof tiny);
    assert_string_equal(tiny, "no v");
    err_set_sys(&e, ENOENT, "cannot open");
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.place, "");
    err_place(&e, "%s", "/tmp/x");
    err_line(&e, line, sizeof line);
    assert_string_equal(line, "cannot open at /tmp/x: No such file or directory");
    for (unsigned c = 0; c <= ERR_INTERNAL; c++)
        assert_non_null(err_name((enum err_code)c));
    assert_string_equal(err_name(ERR_DUPLICATE), "duplicate");
    assert_string_equal(err_name((enum err_code)99), "unknown");
    assert_string_equal(err_name((enum err_code) - 1), "unknown");
}

static void
test_place(void **state)
{
    char text[ERR_PLACE_MAX + 20];
    struct err e;

    (void)state;
    /* Thai KO KAI, three bytes, shifted so that the cut falls on each of them. */
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'a', sizeof text);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe0\xb8\x81", 3);
        text[sizeof text - 1] = '\0';
        err_set(&e, ERR_RULE, "x");
        err_place(&e, "%s", text);
        assert_true(utf8_valid(span_of(e.place), NULL));
        assert_true(strlen(e.place) >= ERR_PLACE_MAX - 3);
        assert_null(strchr(e.place, '?'));
    }
    memset(text, 'a', sizeof text);
    text[ERR_PLACE_MAX - 1] = '\0';
    err_set(&e, ERR_RULE, "x");
    err_place(&e, "%s", text); /* fits to the byte */
    assert_string_equal(e.place, text);
    err_set(&e, ERR_RULE, "x");
    err_place(&e, "a\xff\xfe"
                  "b");
    assert_string_equal(e.place, "a??b");
}

/* What a call wrote, read back through a pipe. */
static int fds[2];
static char got[4096];

static const char *
lines(void)
{
    ssize_t n = read(fds[0], got, sizeof got - 1);

    got[n > 0 ? n : 0] = '\0';
    return got;
}

static void
test_log(void **state)
{
    struct log l = {.level = LOG_INFO, .who = "front"};
    struct err e = ERR_INIT;
    struct instant t;

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    l.fd = fds[1];
    log_line(&l, LOG_INFO, "started", LOG_N("pid", -7), LOG_T("name", "th"), LOG_S("x", SPAN("")));
    lines();
    assert_true(instant_read(span_from(got, 24), false, &t, NULL));
    assert_string_equal(got + 24, " info front started pid=-7 name=th x=\"\"\n");
    log_line(&l, LOG_WARN, "nothing");
    assert_string_equal(lines() + 24, " warning front nothing\n");
    log_line(&l, LOG_DEBUG, "hidden");
    assert_string_equal(lines(), "");
    l.fd = -1;
    log_line(&l, LOG_ERROR, "hidden");
    l.fd = fds[1];
    log_line(&l, LOG_ERROR, "odd",
             LOG_S("v", SPAN("a b\n\x1b[2J\"\\\x7f\xff\xe0\xb8\x81\xe2\x80\xae\xc2\x9b"
                             "2J\0")));
    assert_string_equal(lines() + 24, " error front odd v=\"a b\\x0a\\x1b[2J\\\"\\\\\\x7f\\xff"
                                      "\xe0\xb8\x81\\u{202e}\\u{9b}2J\\x00\"\n");
    log_line(&l, LOG_ERROR, "odd", LOG_T("v", "a=b"));
    assert_string_equal(lines() + 24, " error front odd v=\"a=b\"\n");
    err_set_sys(&e, EACCES, "cannot open");
    err_place(&e, "/x y");
    log_err(&l, LOG_ERROR, "open failed", &e);
    assert_string_equal(lines() + 24, " error front open failed error=io text=\"cannot open\" "
                                      "place=\"/x y\" errno=\"Permission denied\"\n");
    close(fds[0]);
    close(fds[1]);
}

static void
test_log_long(void **state)
{
    struct log l = {.level = LOG_INFO, .who = "reader"};
    char text[1200];

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    l.fd = fds[1];
    memset(text, 'x', sizeof text);
    for (size_t n = 900; n < sizeof text; n++) {
        size_t len;

        log_line(&l, LOG_INFO, "long", LOG_N("a", 1), LOG_S("v", span_from(text, n)),
                 LOG_N("b", 2));
        lines();
        len = strlen(got);
        assert_true(len <= 1024);
        assert_int_equal(got[len - 1], '\n');
        if (strstr(got, "cut=yes") != NULL) /* no half a value, and nothing after the gap */
            assert_true(strstr(got, " b=2") == NULL);
        else
            assert_true(strstr(got, " b=2\n") != NULL);
        assert_true((strstr(got, "cut=yes") != NULL) == (n > 1024 - 9 - 24 - 24 - 4));
    }
    close(fds[0]);
    close(fds[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_log_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
