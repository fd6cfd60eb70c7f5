/* Query parameters and media types of TAXII 2.1. */
#include "check.h"

#include "mem.h"
#include "taxii_query.h"

#define ARENA (1u << 20)

static int
read_query(struct arena *a, const char *text, unsigned allowed, struct taxii_query *q,
           struct err *e)
{
    *e = ERR_INIT;
    return taxii_query_read(a, span_of(text), allowed, q, e);
}

/* An added_after that is taken, and the instant it means. */
static void
test_added_after(void **state)
{
    static const struct {
        const char *text;
        int64_t sec;
        uint32_t nsec;
    } good[] = {
        {"2026-01-31T12:00:00Z", 1769860800, 0},
        {"2026-01-31T12:00:00.1Z", 1769860800, 100000000},
        {"2026-01-31T12:00:00.12Z", 1769860800, 120000000},
        {"2026-01-31T12:00:00.123Z", 1769860800, 123000000},
        {"2026-01-31T12:00:00.123456Z", 1769860800, 123456000},
        {"2026-01-31T12:00:00.123456789Z", 1769860800, 123456789},
        {"2026-01-31T12:00:00+00:00", 1769860800, 0},
        {"2026-01-31T12:00:00%2B00:00", 1769860800, 0},
        {"2026-01-31T12:00:00%2b00%3A00", 1769860800, 0},
        {"2026-01-31T12:00:00%2000:00", 1769860800, 0},
        {"2026-01-31T19:00:00.5+07:00", 1769860800, 500000000},
        {"2026-01-31T12%3A00%3A00.000Z", 1769860800, 0},
    };
    static const char *const bad[] = {
        "x",
        "2026-01-31",
        "2026-01-31T12:00Z",
        "2026-13-31T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T12:00:00",
        "1769860800",
        "2026-01-31T12:00:00ZZ",
        "2026-01-31T12:00:00.Z",
        "-001-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z%00",
        "2026-01-31T12:00:00%",
        "2026-01-31T12:00:00%2",
        "2026-01-31T12:00:00%zz",
        "now",
    };
    struct arena *a = arena_new(ARENA);
    struct taxii_query q;
    struct err e;
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, "added_after=%s", good[i].text);
        if (read_query(a, text, TAXII_P_OBJECTS, &q, &e) != 0)
            fail_msg("%s: %s", text, e.text);
        assert_int_equal(q.given, TAXII_P_ADDED_AFTER);
        assert_int_equal(q.added_after.sec, good[i].sec);
        assert_int_equal(q.added_after.nsec, good[i].nsec);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "added_after=%s", bad[i]);
        if (read_query(a, text, TAXII_P_OBJECTS, &q, &e) == 0)
            fail_msg("taken: %s", text);
        assert_int_equal(e.code, ERR_SYNTAX);
    }
    arena_free(a);
}

static void
test_limit(void **state)
{
    static const struct {
        const char *text;
        uint32_t limit; /* 0: an error */
        enum err_code code;
    } cases[] = {
        {"limit=1", 1, 0},
        {"limit=100", 100, 0},
        {"limit=10000", 10000, 0},
        {"limit=10001", 10000, 0},
        {"limit=4294967297", 10000, 0},
        {"limit=18446744073709551616", 10000, 0},
        {"limit=99999999999999999999999999", 10000, 0},
        {"limit=0", 0, ERR_RANGE},
        {"limit=-1", 0, ERR_SYNTAX},
        {"limit=%2B1", 0, ERR_SYNTAX},
        {"limit=1.0", 0, ERR_SYNTAX},
        {"limit=1e3", 0, ERR_SYNTAX},
        {"limit=0x10", 0, ERR_SYNTAX},
        {"limit=ten", 0, ERR_SYNTAX},
        {"limit=01", 0, ERR_SYNTAX},
        {"limit=1&limit=1", 0, ERR_DUPLICATE},
    };
    struct arena *a = arena_new(ARENA);
    struct taxii_query q;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = read_query(a, cases[i].text, TAXII_P_OBJECTS, &q, &e);

        if ((rc == 0) != (cases[i].limit != 0))
            fail_msg("%s", cases[i].text);
        if (rc == 0) {
            assert_int_equal(q.limit, cases[i].limit);
        } else {
            assert_int_equal(e.code, cases[i].code);
            assert_string_equal(e.place, "limit");
        }
    }
    arena_free(a);
}

static void
test_match(void **state)
{
    struct arena *a = arena_new(ARENA);
    struct taxii_query q;
    struct err e;

    (void)state;
    assert_int_equal(read_query(a,
                                "match[type]=indicator,malware&match%5Bid%5D=a--1&match[id]=b--2,"
                                "&match[version]=first,2026-01-31T12:00:00Z,all,last"
                                "&match[spec_version]=2.0,2.1",
                                TAXII_P_OBJECTS, &q, &e),
                     0);
    assert_int_equal(q.given, TAXII_P_ID | TAXII_P_TYPE | TAXII_P_VERSION | TAXII_P_SPEC);
    assert_int_equal(q.type.n, 2);
    assert_true(span_is(q.type.v[1], "malware"));
    assert_int_equal(q.id.n, 2);
    assert_true(span_is(q.id.v[1], "b--2"));
    assert_int_equal(q.version_n, 4);
    assert_int_equal(q.version[0].kind, TAXII_V_FIRST);
    assert_int_equal(q.version[1].kind, TAXII_V_TIME);
    assert_int_equal(q.version[1].at.sec, 1769860800);
    assert_int_equal(q.version[2].kind, TAXII_V_ALL);
    assert_int_equal(q.version[3].kind, TAXII_V_LAST);
    assert_true(taxii_spec_ok(&q));

    assert_int_equal(read_query(a, "match[spec_version]=2.0", TAXII_P_OBJECTS, &q, &e), 0);
    assert_false(taxii_spec_ok(&q));
    assert_int_equal(read_query(a, "", TAXII_P_OBJECTS, &q, &e), 0);
    assert_true(taxii_spec_ok(&q));

    assert_int_equal(read_query(a, "match[version]=newest", TAXII_P_OBJECTS, &q, &e), -1);
    assert_string_equal(e.place, "match[version]");
    arena_free(a);
}

/* What is passed over: unknown names, names that the endpoint does not take, empty values. */
static void
test_passed_over(void **state)
{
    static const char *const texts[] = {
        "",           "&",           "&&",      "=",
        "=x",         "limit=",      "limit",   "added_after=&next=",
        "match[id]=", "match[id]=,", "foo=bar", "match[foo]=bar",
        "LIMIT=0",    "Limit=x",     "a=%41",
    };
    struct arena *a = arena_new(ARENA);
    struct taxii_query q;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (read_query(a, texts[i], TAXII_P_OBJECTS, &q, &e) != 0)
            fail_msg("%s", texts[i]);
        assert_int_equal(q.given, 0);
    }
    assert_int_equal(read_query(a, "limit=x&added_after=x&match[id]=a", TAXII_P_DELETE, &q, &e), 0);
    assert_int_equal(q.given, 0);
    assert_int_equal(read_query(a, "match[type]=x&limit=3", TAXII_P_OBJECT, &q, &e), 0);
    assert_int_equal(q.given, TAXII_P_LIMIT);
    arena_free(a);
}

static void
test_bounds(void **state)
{
    static char text[TAXII_QUERY_MAX + TAXII_NEXT_MAX + 64];
    struct arena *a = arena_new(ARENA);
    struct taxii_query q;
    struct err e;
    size_t n;

    (void)state;
    for (size_t values = TAXII_VALUES_MAX; values <= TAXII_VALUES_MAX + 1; values++) {
        n = (size_t)snprintf(text, sizeof text, "match[id]=a");
        for (size_t i = 1; i < values; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, ",a");
        assert_int_equal(read_query(a, text, TAXII_P_OBJECTS, &q, &e),
                         values <= TAXII_VALUES_MAX ? 0 : -1);
        if (values > TAXII_VALUES_MAX)
            assert_int_equal(e.code, ERR_LIMIT);
    }
    memset(text, '&', sizeof text - 1);
    text[TAXII_QUERY_MAX + TAXII_NEXT_MAX] = '\0';
    assert_int_equal(read_query(a, text, TAXII_P_OBJECTS, &q, &e), 0);
    text[TAXII_QUERY_MAX + TAXII_NEXT_MAX] = '&';
    text[TAXII_QUERY_MAX + TAXII_NEXT_MAX + 1] = '\0';
    assert_int_equal(read_query(a, text, TAXII_P_OBJECTS, &q, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    /* filters alone beyond what a next can carry */
    n = (size_t)snprintf(text, sizeof text, "match[id]=");
    memset(text + n, 'a', TAXII_QUERY_MAX + 1);
    text[n + TAXII_QUERY_MAX + 1] = '\0';
    assert_int_equal(read_query(a, text, TAXII_P_OBJECTS, &q, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    arena_free(a);
}

static void
test_filter_round_trip(void **state)
{
    struct arena *a = arena_new(ARENA);
    struct taxii_query q, back = {.limit = 7, .given = TAXII_P_LIMIT};
    struct buf b;
    struct reader r;
    struct err e;

    (void)state;
    buf_init(&b, 65536);
    assert_int_equal(read_query(a,
                                "match[id]=x,y&match[type]=t&match[version]=all,2020-01-01T00:00"
                                ":00Z&match[spec_version]=2.1",
                                TAXII_P_OBJECTS, &q, &e),
                     0);
    taxii_filter_put(&q, &b);
    r = reader_of(buf_view(&b));
    assert_int_equal(taxii_filter_get(&r, a, &back, &e), 0);
    assert_int_equal(reader_end(&r, &e), 0);
    assert_int_equal(back.given, q.given | TAXII_P_LIMIT);
    assert_int_equal(back.limit, 7);
    assert_int_equal(back.id.n, 2);
    assert_int_equal(back.version_n, 2);
    assert_int_equal(back.version[1].at.sec, 1577836800);
    for (size_t n = 0; n < b.n; n++) {
        r = reader_of(span_from(b.p, n));
        assert_int_equal(taxii_filter_get(&r, a, &back, &e), -1);
    }
    buf_clear(&b);
    arena_free(a);
}

static void
test_accept(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"", true},
        {"  ", true},
        {"*/*", true},
        {"*", true},
        {"application/*", true},
        {"application/json", true},
        {"application/json, text/plain, */*", true},
        {"application/taxii+json", true},
        {"application/taxii+json;version=2.1", true},
        {"application/taxii+json; version=2.1", true},
        {"application/taxii+json ; version = 2.1", true},
        {"Application/TAXII+JSON; Version=2.1", true},
        {"application/taxii+json; version=\"2.1\"", true},
        {"application/taxii+json;version=2.0, application/taxii+json;version=2.1", true},
        {"application/taxii+json;version=2.0, */*;q=0.1", true},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
        {"text/html, application/json;q=0.001", true},
        {"application/taxii+json;q=1.000", true},
        {"application/taxii+json;q=abc", true},
        {"application/taxii+json;version=2.1;q=0, application/json", false},
        {"application/taxii+json;version=2.1;q=0, application/taxii+json", false},
        {"*/*;q=1, application/*;q=0", false},
        {"application/taxii+json;version=2.0", false},
        {"application/taxii+json;version=2.2", false},
        {"application/taxii+json;version=2.10", false},
        {"application/vnd.oasis.taxii+json", false},
        {"application/stix+json", false},
        {"text/html", false},
        {"text/*", false},
        {"*/*;q=0", false},
        {"*/*;q=0.000", false},
        {";", false},
        {",", false},
        {"application/taxii+jsonx", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (taxii_accept_ok(span_of(cases[i].text)) != cases[i].ok)
            fail_msg("Accept: %s", cases[i].text);
    }
}

static void
test_content(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"application/taxii+json;version=2.1", true},
        {"application/taxii+json; version=2.1", true},
        {"application/taxii+json", true},
        {"application/taxii+json; charset=utf-8", true},
        {"application/stix+json;version=2.1", true},
        {"application/stix+json", true},
        {" application/STIX+json ", true},
        {"", false},
        {"application/json", false},
        {"application/taxii+json;version=2.0", false},
        {"application/stix+json;version=2.0", false},
        {"application/vnd.oasis.stix+json", false},
        {"text/plain", false},
        {"*/*", false},
        {"application/x-www-form-urlencoded", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (taxii_content_ok(span_of(cases[i].text)) != cases[i].ok)
            fail_msg("Content-Type: %s", cases[i].text);
    }
}

static void
test_no_memory(void **state)
{
    const char *text = "match[id]=a,b&match[version]=all&limit=3&added_after=2026-01-01T00:00:00Z";

    (void)state;
    for (size_t n = 1; n < 50; n++) {
        struct arena *a = arena_new(ARENA);
        struct taxii_query q;
        struct err e;
        int rc;

        mem_fail_at(n);
        rc = read_query(a, text, TAXII_P_OBJECTS, &q, &e);
        mem_fail_at(0);
        if (rc != 0)
            assert_int_equal(e.code, ERR_MEMORY);
        arena_free(a);
        if (rc == 0)
            return;
    }
    fail_msg("never succeeded");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added_after), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_match),       cmocka_unit_test(test_passed_over),
        cmocka_unit_test(test_bounds),      cmocka_unit_test(test_filter_round_trip),
        cmocka_unit_test(test_accept),      cmocka_unit_test(test_content),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
