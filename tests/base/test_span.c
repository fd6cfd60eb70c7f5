/* Spans, UTF-8, UUIDs. */
#include "check.h"

#include "span.h"
#include "utf8.h"
#include "uuid.h"

static void
test_compare(void **state)
{
    struct span none = {NULL, 0};

    (void)state;
    assert_true(span_eq(none, SPAN("")));
    assert_true(span_eq(SPAN("a"), SPAN("a")));
    assert_false(span_eq(SPAN("a"), SPAN("b")));
    assert_false(span_eq(SPAN("a"), SPAN("aa")));
    assert_true(span_is(SPAN("id"), "id"));
    assert_false(span_is(SPAN("id\0"), "id"));
    assert_true(span_starts(SPAN("indicator--1"), "indicator--"));
    assert_false(span_starts(SPAN("ind"), "indicator--"));
    assert_true(span_starts(none, ""));
    assert_true(span_ends(SPAN("a_refs"), "_refs"));
    assert_false(span_ends(SPAN("refs"), "_refs"));
    assert_true(span_eq_nocase(SPAN("TLP:Red"), SPAN("tlp:rED")));
    assert_false(span_eq_nocase(SPAN("@"), SPAN("`")));
    assert_false(span_eq_nocase(SPAN("ab"), SPAN("abc")));
    assert_int_equal(span_cmp(SPAN("a"), SPAN("ab")), -1);
    assert_int_equal(span_cmp(SPAN("b"), SPAN("ab")), 1);
    assert_int_equal(span_cmp(SPAN("\xff"), SPAN("a")), 1);
    assert_int_equal(span_cmp(none, SPAN("")), 0);
    assert_true(span_of(NULL).p == NULL && span_of(NULL).n == 0);
}

static void
test_cut(void **state)
{
    struct span s = SPAN("a,,b,");
    struct span part;

    (void)state;
    assert_true(span_is(span_part(SPAN("hello"), 1, 3), "ell"));
    assert_true(span_is(span_part(SPAN("hello"), 4, SIZE_MAX), "o"));
    assert_int_equal(span_part(SPAN("hello"), 6, 1).n, 0);
    assert_int_equal(span_part((struct span){NULL, 0}, 3, 3).n, 0);
    assert_true(span_is(span_trim(SPAN(" \t a b\r\n")), "a b"));
    assert_int_equal(span_trim(SPAN(" \n ")).n, 0);
    assert_int_equal(span_find(SPAN("abc"), 'c'), 2);
    assert_int_equal(span_find(SPAN("abc"), 'd'), -1);
    assert_int_equal(span_find_span(SPAN("abcabd"), SPAN("abd")), 3);
    assert_int_equal(span_find_span(SPAN("ab"), SPAN("abd")), -1);
    assert_int_equal(span_find_span(SPAN("ab"), SPAN("")), 0);
    assert_true(span_split(&s, ',', &part) && span_is(part, "a"));
    assert_true(span_split(&s, ',', &part) && span_is(part, ""));
    assert_true(span_split(&s, ',', &part) && span_is(part, "b"));
    assert_true(span_split(&s, ',', &part) && span_is(part, ""));
    assert_false(span_split(&s, ',', &part));
}

static void
test_u64(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool ok;
        uint64_t value;
    } t[] = {
        {"0", 0, true, 0},
        {"7", 9, true, 7},
        {"100", 100, true, 100},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999", UINT64_MAX, false, 0},
        {"111111111111111111111", UINT64_MAX, false, 0},
        {"101", 100, false, 0},
        {"", 9, false, 0},
        {"00", 9, false, 0},
        {"01", 9, false, 0},
        {"+1", 9, false, 0},
        {"-1", 9, false, 0},
        {" 1", 9, false, 0},
        {"1 ", 9, false, 0},
        {"1a", 99, false, 0},
        {"1.0", 99, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        uint64_t v = 12345;

        if (span_u64(span_of(t[i].text), t[i].max, &v) != t[i].ok)
            fail_msg("%s", t[i].text);
        assert_int_equal(v, t[i].ok ? t[i].value : 12345); /* out is untouched on failure */
    }
}

static void
test_utf8(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        int bad; /* -1: valid */
    } t[] = {
        {"", 0, -1},
        {"plain ascii, longer than eight", 30, -1},
        {"\xc2\x80", 2, -1},
        {"\xdf\xbf", 2, -1},
        {"\xe0\xa0\x80", 3, -1},
        {"\xed\x9f\xbf", 3, -1},
        {"\xee\x80\x80", 3, -1},
        {"\xf0\x90\x80\x80", 4, -1},
        {"\xf4\x8f\xbf\xbf", 4, -1},
        {"\0", 1, -1},
        {"12345678\x80", 9, 8},
        {"\xc0\x80", 2, 0},         /* overlong NUL */
        {"\xc1\xbf", 2, 0},         /* overlong */
        {"\xe0\x9f\xbf", 3, 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong */
        {"\xed\xa0\x80", 3, 0},     /* surrogate */
        {"\xed\xbf\xbf", 3, 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 4, 0}, /* U+110000 */
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xff", 1, 0},
        {"a\xc2", 2, 1},
        {"a\xe1\x80", 3, 1},
        {"a\xf1\x80\x80", 4, 1},
        {"a\xf1\x80\x80z", 5, 1},
        {"\xc2\xc2\x80", 3, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        size_t bad = 99;
        bool ok = utf8_valid(span_from(t[i].text, t[i].n), &bad);

        if (ok != (t[i].bad < 0) || (!ok && bad != (size_t)t[i].bad))
            fail_msg("case %zu", i);
    }
}

static void
test_utf8_round(void **state)
{
    char out[4];

    (void)state;
    for (uint32_t cp = 0; cp <= 0x110000; cp++) {
        size_t n = utf8_put(cp, out);
        struct span s = span_from(out, n);

        if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
            assert_int_equal(n, 0);
            continue;
        }
        if (!utf8_valid(s, NULL) || utf8_next(&s) != cp || s.n != 0)
            fail_msg("U+%04X", cp);
    }
    struct span broken = SPAN("\x80"
                              "a");
    assert_int_equal(utf8_next(&broken), UTF8_BAD);
    assert_int_equal(utf8_next(&broken), 'a');
    assert_int_equal(utf8_next(&broken), UTF8_BAD);
}

/* The order by UTF-16 units, by way of the units. */
static int
slow_cmp(uint32_t a, uint32_t b)
{
    uint32_t x = a > 0xffff ? 0xd800 + ((a - 0x10000) >> 10) : a;
    uint32_t y = b > 0xffff ? 0xd800 + ((b - 0x10000) >> 10) : b;

    if (x != y)
        return x < y ? -1 : 1;
    x = a > 0xffff ? 0xdc00 + ((a - 0x10000) & 0x3ff) : 0;
    y = b > 0xffff ? 0xdc00 + ((b - 0x10000) & 0x3ff) : 0;
    return (x > y) - (x < y);
}

static void
test_utf16_order(void **state)
{
    static const uint32_t cps[] = {0,      'a',    0x7f,     0x80,   0x7ff,   0x800,
                                   0xd7ff, 0xe000, 0xfb33,   0xffff, 0x10000, 0x1f600,
                                   0xfffd, 0xeeee, 0x10ffff, 0x20ac};
    char x[5] = "p";
    char y[5] = "p";

    (void)state;
    for (size_t i = 0; i < sizeof cps / sizeof cps[0]; i++) {
        for (size_t j = 0; j < sizeof cps / sizeof cps[0]; j++) {
            size_t n = utf8_put(cps[i], x + 1);
            size_t m = utf8_put(cps[j], y + 1);

            assert_int_equal(utf8_cmp_utf16(span_from(x, n + 1), span_from(y, m + 1)),
                             slow_cmp(cps[i], cps[j]));
        }
    }
    assert_int_equal(utf8_cmp_utf16(SPAN("a"), SPAN("ab")), -1);
    assert_int_equal(utf8_cmp_utf16(SPAN("ab"), SPAN("a")), 1);
    assert_int_equal(utf8_cmp_utf16(SPAN(""), SPAN("")), 0);
}

static void
test_uuid(void **state)
{
    static const struct {
        const char *text;
        bool strict;
        bool any;
    } t[] = {
        {"00abedb4-aa42-466c-9c01-fed23315a9b7", true, true},
        {"00000000-0000-0000-0000-000000000000", true, true},
        {"00ABEDB4-aa42-466c-9c01-fed23315a9b7", false, true},
        {"00abedb4-aa42-466c-9c01-fed23315a9b", false, false},
        {"00abedb4-aa42-466c-9c01-fed23315a9b70", false, false},
        {"00abedb4aaa42-466c-9c01-fed23315a9b7", false, false},
        {"00abedb-4aa42-466c-9c01-fed23315a9b7", false, false},
        {"{0abedb4-aa42-466c-9c01-fed23315a9b}", false, false},
        {"g0abedb4-aa42-466c-9c01-fed23315a9b7", false, false},
        {"00abedb4-aa42-466c-9c01-fed23315a9b ", false, false},
        {"", false, false},
    };
    struct uuid u;
    char out[UUID_TEXT + 1];

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        bool lower = false;

        if (uuid_read(span_of(t[i].text), &u) != t[i].strict)
            fail_msg("%s", t[i].text);
        if (uuid_read_any(span_of(t[i].text), &u, &lower) != t[i].any)
            fail_msg("%s", t[i].text);
        if (t[i].any)
            assert_true(lower == t[i].strict);
        if (t[i].strict) {
            uuid_print(&u, out);
            assert_string_equal(out, t[i].text);
        }
    }
    assert_true(uuid_read(SPAN("00abedb4-aa42-466c-9c01-fed23315a9b7"), &u));
    assert_int_equal(uuid_version(&u), 4);
    assert_true(uuid_variant_ok(&u));
    assert_true(uuid_read(SPAN("00abedb4-aa42-566c-cc01-fed23315a9b7"), &u));
    assert_int_equal(uuid_version(&u), 5);
    assert_false(uuid_variant_ok(&u));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),    cmocka_unit_test(test_cut),
        cmocka_unit_test(test_u64),        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_round), cmocka_unit_test(test_utf16_order),
        cmocka_unit_test(test_uuid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
