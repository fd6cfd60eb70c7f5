/* Instants and lengths of time. */
#include "check.h"

#include "clock.h"

static const struct {
    const char *text;
    bool strict;
    bool lenient;
    int64_t sec;
    uint32_t nsec;
    unsigned digits;
} reads[] = {
    {"1970-01-01T00:00:00Z", true, true, 0, 0, 0},
    {"1970-01-01T00:00:00.1Z", true, true, 0, 100000000, 1},
    {"1969-12-31T23:59:59.999999999Z", true, true, -1, 999999999, 9},
    {"2017-01-20T00:00:00.000Z", true, true, 1484870400, 0, 3},
    {"2024-02-29T12:34:56.123456Z", true, true, 1709210096, 123456000, 6},
    {"2000-02-29T00:00:00Z", true, true, 951782400, 0, 0},
    {"0001-01-01T00:00:00Z", true, true, -62135596800, 0, 0},
    {"9999-12-31T23:59:59.9999999999999Z", true, true, 253402300799, 999999999, 13},
    {"2020-01-01t00:00:00z", false, true, 1577836800, 0, 0},
    {"2020-01-01 00:00:00Z", false, true, 1577836800, 0, 0},
    {"2020-01-01T00:00:00+00:00", false, true, 1577836800, 0, 0},
    {"2020-01-01T00:00:00 00:00", false, true, 1577836800, 0, 0},
    {"2020-01-01T07:00:00+07:00", false, true, 1577836800, 0, 0},
    {"2020-01-01T06:30:00.5 06:30", false, true, 1577836800, 500000000, 1},
    {"2019-12-31T19:00:00-05:00", false, true, 1577836800, 0, 0},
    {"2016-12-31T23:59:60Z", false, true, 1483228800, 0, 0},
    {"0001-01-01T00:00:00+00:01", false, false, 0, 0, 0},
    {"9999-12-31T23:59:59-00:01", false, false, 0, 0, 0},
    {"9999-12-31T23:59:60Z", false, false, 0, 0, 0},
    {"0000-01-01T00:00:00Z", false, false, 0, 0, 0},
    {"2023-02-29T00:00:00Z", false, false, 0, 0, 0},
    {"1900-02-29T00:00:00Z", false, false, 0, 0, 0},
    {"2023-04-31T00:00:00Z", false, false, 0, 0, 0},
    {"2023-13-01T00:00:00Z", false, false, 0, 0, 0},
    {"2023-00-01T00:00:00Z", false, false, 0, 0, 0},
    {"2023-01-00T00:00:00Z", false, false, 0, 0, 0},
    {"2023-01-32T00:00:00Z", false, false, 0, 0, 0},
    {"2023-01-01T24:00:00Z", false, false, 0, 0, 0},
    {"2023-01-01T00:60:00Z", false, false, 0, 0, 0},
    {"2023-01-01T00:00:61Z", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00.Z", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00,5Z", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00", false, false, 0, 0, 0},
    {"2023-01-01T00:00Z", false, false, 0, 0, 0},
    {"2023-01-01", false, false, 0, 0, 0},
    {"2023-1-01T00:00:00Z", false, false, 0, 0, 0},
    {"+2023-01-01T00:00:00Z", false, false, 0, 0, 0},
    {"-2023-01-01T00:00:00Z", false, false, 0, 0, 0},
    {"12023-01-01T00:00:00Z", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00ZZ", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00Z ", false, false, 0, 0, 0},
    {" 2023-01-01T00:00:00Z", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00+24:00", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00+01:60", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00+0100", false, false, 0, 0, 0},
    {"2023-01-01T00:00:00+1:00", false, false, 0, 0, 0},
    {"", false, false, 0, 0, 0},
};

static void
test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        for (int lenient = 0; lenient < 2; lenient++) {
            struct instant t = {77, 77};
            unsigned digits = 77;
            bool want = lenient ? reads[i].lenient : reads[i].strict;

            if (instant_read(span_of(reads[i].text), lenient, &t, &digits) != want)
                fail_msg("%s, lenient %d", reads[i].text, lenient);
            if (!want) {
                assert_true(t.sec == 77 && t.nsec == 77 && digits == 77);
                continue;
            }
            if (t.sec != reads[i].sec || t.nsec != reads[i].nsec || digits != reads[i].digits)
                fail_msg("%s: %lld.%09u", reads[i].text, (long long)t.sec, t.nsec);
        }
    }
    struct instant t;
    assert_true(instant_read(SPAN("2020-01-01T00:00:00Z"), false, &t, NULL));
}

/* Every day of the years 0001 to 9999 against the C library's calendar. */
static void
test_calendar(void **state)
{
    char out[INSTANT_MAX];

    (void)state;
    for (int64_t sec = -62135596800; sec <= 253402300799; sec += 86400 * 3 + 3601) {
        time_t when = (time_t)sec;
        struct tm tm;
        char want[INSTANT_MAX];
        struct instant back;

        gmtime_r(&when, &tm);
        snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        instant_print((struct instant){sec, 0}, 0, out);
        assert_string_equal(out, want);
        assert_true(instant_read(span_of(out), false, &back, NULL) && back.sec == sec);
    }
}

static void
test_print(void **state)
{
    struct instant t = {1577836800, 123456789};
    static const char *const want[] = {
        "2020-01-01T00:00:00Z",           "2020-01-01T00:00:00.1Z",
        "2020-01-01T00:00:00.12Z",        "2020-01-01T00:00:00.123Z",
        "2020-01-01T00:00:00.1234Z",      "2020-01-01T00:00:00.12345Z",
        "2020-01-01T00:00:00.123456Z",    "2020-01-01T00:00:00.1234567Z",
        "2020-01-01T00:00:00.12345678Z",  "2020-01-01T00:00:00.123456789Z",
        "2020-01-01T00:00:00.123456789Z",
    };
    char out[INSTANT_MAX];

    (void)state;
    for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++) {
        instant_print(t, i, out);
        assert_string_equal(out, want[i]);
    }
    instant_print((struct instant){INT64_MIN, 5}, 3, out);
    assert_string_equal(out, "0001-01-01T00:00:00.000Z");
    instant_print((struct instant){INT64_MAX, 5}, 3, out);
    assert_string_equal(out, "9999-12-31T23:59:59.999Z");
}

static void
test_us(void **state)
{
    static const int64_t us[] = {0,        1,        -1,        999999,   1000000,
                                 -1000000, -1000001, INT64_MAX, INT64_MIN};
    struct instant a = {5, 6};
    struct clock frozen = {42};
    struct clock live = {0};

    (void)state;
    for (size_t i = 0; i < sizeof us / sizeof us[0]; i++) {
        struct instant t = instant_from_us(us[i]);

        assert_true(t.nsec < 1000000000);
        assert_true(instant_us(t) == us[i] || us[i] == INT64_MIN);
    }
    assert_true(instant_us((struct instant){-1, 999999999}) == -1);
    assert_true(instant_us((struct instant){INT64_MAX, 0}) == INT64_MAX);
    assert_int_equal(instant_cmp(a, a), 0);
    assert_int_equal(instant_cmp(a, (struct instant){5, 7}), -1);
    assert_int_equal(instant_cmp(a, (struct instant){4, 7}), 1);
    assert_int_equal(clock_wall_us(&frozen), 42);
    assert_true(clock_wall_us(&live) > 1600000000000000);
    assert_true(clock_wall_us(NULL) > 1600000000000000);
    struct mono m = clock_mono();
    assert_true(clock_mono().us >= m.us);
}

static void
test_duration(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } t[] = {
        {"45s", 45},
        {"30m", 1800},
        {"2h", 7200},
        {"7d", 604800},
        {"1w", 604800},
        {"0s", 0},
        {"", -1},
        {"s", -1},
        {"5", -1},
        {"5y", -1},
        {"-5s", -1},
        {"+5s", -1},
        {"5 s", -1},
        {"5S", -1},
        {"1h30m", -1},
        {"05s", -1},
        {"1.5h", -1},
        {"9223372036854s", 9223372036854},
        {"9223372036855s", -1},
        {"99999999999999999999w", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        int64_t us = 77;

        if (duration_read(span_of(t[i].text), &us) != (t[i].seconds >= 0))
            fail_msg("%s", t[i].text);
        assert_true(us == (t[i].seconds >= 0 ? t[i].seconds * 1000000 : 77));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read), cmocka_unit_test(test_calendar), cmocka_unit_test(test_print),
        cmocka_unit_test(test_us),   cmocka_unit_test(test_duration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
