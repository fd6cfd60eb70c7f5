/* Numbers: ECMAScript's printing, JSON's grammar, exact reading. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <unistd.h>
#include "json.h"

static const struct {
    uint64_t bits;
    const char *text;
} prints[] = {
    /* the table of RFC 8785, appendix B */
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
    /* more */
    {0x3ff0000000000000, "1"},
    {0xbff8000000000000, "-1.5"},
    {0x3fb999999999999a, "0.1"},
    {0x4059000000000000, "100"},
    {0x433fffffffffffff, "9007199254740991"},
    {0x0010000000000000, "2.2250738585072014e-308"},
    {0x000fffffffffffff, "2.225073858507201e-308"},
    {0x4415af1d78b58c40, "100000000000000000000"},
};

static double
of_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static void
test_print(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
        char out[JSON_NUMBER_MAX + 1];
        double back;
        size_t n = json_number_print(of_bits(prints[i].bits), out);

        out[n] = '\0';
        assert_string_equal(out, prints[i].text);
        assert_true(json_number_read(span_from(out, n), &back));
        assert_true(back == of_bits(prints[i].bits));
    }
}

static void
test_read(void **state)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"-0.0e-0", 0},
        {"10", 10},
        {"1E2", 100},
        {"1e+2", 100},
        {"1.5e-1", 0.15},
        {"9007199254740993", 9007199254740992.0},
        {"123456789012345", 123456789012345.0},
        {"1234567890123456", 1234567890123456.0},
        {"-123456789012345", -123456789012345.0},
        {"1e-400", 0},
        {"1e-99999999999999999999", 0},
        {"0.000000000000000000000000000000000000000001e-300", 0},
        {"2.4703282292062327e-324", 0}, /* just under half of the smallest */
        {"2.4703282292062328e-324", 5e-324},
        {"1.7976931348623158e308", DBL_MAX}, /* rounds down to the largest */
        {"17976931348623157000000000000000000000000000000000000000000000000000000000000000"
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000000000000"
         ".999",
         DBL_MAX},
    };
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        "01",
        "-01",
        "00",
        ".5",
        "5.",
        "1.e1",
        "1e",
        "1e+",
        "1e1.",
        "0x1",
        "1_0",
        "1 ",
        " 1",
        "NaN",
        "inf",
        "-Inf",
        "1f",
        "--1",
        "1e++1",
        "1,5",
        "Infinity",
        "1e309",
        "-1e309",
        "1e99999999999999999999",
        "1.7976931348623159e308",
        "123456789012345a",
        "nan",
        "0e",
        "-e1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double v = NAN;

        if (!json_number_read(span_of(good[i].text), &v) || v != good[i].value)
            fail_msg("%s gives %.17g", good[i].text, v);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double v = 7;

        if (json_number_read(span_of(bad[i]), &v) || v != 7)
            fail_msg("%s was read", bad[i]);
    }
    double v;
    assert_false(json_number_read(span_from("1\0", 2), &v));
}

static double
random_double(struct check_random *r)
{
    double v;

    do {
        uint64_t x = check_next(r);

        switch (x & 7) {
        case 0: /* integers around the limits of exactness */
            v = (double)(int64_t)(check_next(r) >> (x >> 3 & 63));
            break;
        case 1: /* few decimal digits */
            v = (double)(check_next(r) % 1000000) / pow(10, (double)(x >> 3 & 15));
            break;
        case 2: /* powers of two and their neighbours */
            v = of_bits(((x >> 3 & 0x7ff) << 52) + (x >> 20 & 3) - 1);
            break;
        default:
            v = of_bits(check_next(r));
        }
    } while (!isfinite(v));
    return v;
}

static void
test_round(void **state)
{
    struct check_random r = check_seed("numbers");

    (void)state;
    for (int i = 0; i < 200000; i++) {
        double v = random_double(&r);
        double back;
        char out[JSON_NUMBER_MAX];
        char again[JSON_NUMBER_MAX];
        size_t n = json_number_print(v, out);

        assert_true(n < JSON_NUMBER_MAX);
        if (!json_number_read(span_from(out, n), &back) || back != v)
            fail_msg("%.17g", v);
        assert_int_equal(json_number_print(back, again), n);
        assert_memory_equal(again, out, n);
    }
}

/* ECMAScript itself is the judge, where there is one. */
static void
test_node(void **state)
{
    static const char script[] =
        "node -e 'const f=require(\"fs\").readFileSync(process.argv[1]);"
        "for(let i=0;i<f.length;i+=8)console.log(String(f.readDoubleLE(i)))' %s";
    struct check_random r = check_seed("numbers against node");
    char path[] = "/tmp/jaga-number-XXXXXX";
    enum { N = 20000 };
    static double v[N];
    char line[128];
    FILE *f;
    int fd;

    (void)state;
    if (system("command -v node >/dev/null 2>&1") != 0) {
        print_message("# skipped: no nodejs here\n");
        return; /* cmocka 1.1.5 prints "not ok # SKIP", which counts as failed */
    }
    for (int i = 0; i < N; i++)
        v[i] = random_double(&r);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, v, sizeof v), sizeof v);
    close(fd);
    snprintf(line, sizeof line, "%s", path);
    char command[sizeof script + sizeof path];
    snprintf(command, sizeof command, script, path);
    f = popen(command, "r");
    assert_non_null(f);
    for (int i = 0; i < N; i++) {
        char out[JSON_NUMBER_MAX + 1];

        out[json_number_print(v[i], out)] = '\0';
        if (fgets(line, sizeof line, f) == NULL)
            fail_msg("node ended at %d", i);
        line[strcspn(line, "\n")] = '\0';
        assert_string_equal(out, line);
    }
    assert_int_equal(pclose(f), 0);
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
