/* The resources of TAXII 2.1, letter by letter. */
#include "check.h"

#include "taxii_print.h"

#define IS(b, text)                                                                                \
    do {                                                                                           \
        assert_false((b)->failed);                                                                 \
        buf_u8((b), 0);                                                                            \
        assert_string_equal((b)->p, (text));                                                       \
        buf_reset(b);                                                                              \
    } while (0)

static void
test_resources(void **state)
{
    const struct span roots[] = {SPAN("/api/"), SPAN("/x/")};
    const struct taxii_item item[] = {
        {SPAN("indicator--1"), SPAN("2026-01-01T00:00:00.000Z"), {NULL, 0}},
        {SPAN("a\"b"), SPAN("2026-01-01T00:00:00Z"), SPAN("why")},
    };
    struct taxii_text t = {SPAN("A \"node\""), {NULL, 0}, SPAN("soc@example.org")};
    struct taxii_status s = {.id = SPAN("u"), .complete = true, .requested_us = 1};
    struct buf b;

    (void)state;
    buf_init(&b, 65536);
    taxii_print_discovery(&b, &t, roots, 2);
    IS(&b, "{\"title\":\"A \\\"node\\\"\",\"contact\":\"soc@example.org\",\"default\":\"/api/\","
           "\"api_roots\":[\"/api/\",\"/x/\"]}");
    taxii_print_discovery(&b, &t, NULL, 0);
    IS(&b, "{\"title\":\"A \\\"node\\\"\",\"contact\":\"soc@example.org\"}");
    taxii_print_root(&b, &t, 100);
    IS(&b, "{\"title\":\"A \\\"node\\\"\",\"versions\":[\"application/taxii+json;version=2.1\"],"
           "\"max_content_length\":100}");
    taxii_print_status(&b, &s);
    IS(&b, "{\"id\":\"u\",\"status\":\"complete\",\"request_timestamp\":"
           "\"1970-01-01T00:00:00.000001Z\",\"total_count\":0,\"success_count\":0,"
           "\"failure_count\":0,\"pending_count\":0}");
    s.complete = false;
    s.requested_us = 0;
    s.successes = item;
    s.success_n = 1;
    s.failures = item + 1;
    s.failure_n = 1;
    s.pendings = item;
    s.pending_n = 2;
    taxii_print_status(&b, &s);
    IS(&b, "{\"id\":\"u\",\"status\":\"pending\",\"total_count\":4,\"success_count\":1,"
           "\"successes\":[{\"id\":\"indicator--1\",\"version\":\"2026-01-01T00:00:00.000Z\"}],"
           "\"failure_count\":1,\"failures\":[{\"id\":\"a\\\"b\",\"version\":"
           "\"2026-01-01T00:00:00Z\",\"message\":\"why\"}],\"pending_count\":2,\"pendings\":["
           "{\"id\":\"indicator--1\",\"version\":\"2026-01-01T00:00:00.000Z\"},{\"id\":\"a\\\"b\","
           "\"version\":\"2026-01-01T00:00:00Z\",\"message\":\"why\"}]}");
    taxii_print_error(&b, &(struct taxii_error){.title = SPAN("No"), .http_status = 404});
    IS(&b, "{\"title\":\"No\",\"http_status\":\"404\"}");
    taxii_print_error(&b, &(struct taxii_error){SPAN("No"), SPAN("d"), SPAN("i"), SPAN("c"), 0});
    IS(&b, "{\"title\":\"No\",\"description\":\"d\",\"error_id\":\"i\",\"error_code\":\"c\"}");
    buf_clear(&b);
}

static void
test_entries(void **state)
{
    const struct taxii_collection c = {.id = SPAN("u"), .title = SPAN("T"), .can_read = true};
    struct json_out o;
    struct buf b;

    (void)state;
    buf_init(&b, 65536);
    json_out_init(&o, &b);
    taxii_put_collection(&o, &c);
    IS(&b, "{\"id\":\"u\",\"title\":\"T\",\"can_read\":true,\"can_write\":false,\"media_types\":["
           "\"application/stix+json;version=2.1\"]}");
    json_out_init(&o, &b);
    taxii_put_manifest(&o, SPAN("a--1"), 1500000, SPAN("2026-01-01T00:00:00Z"));
    IS(&b, "{\"id\":\"a--1\",\"date_added\":\"1970-01-01T00:00:01.500000Z\",\"version\":"
           "\"2026-01-01T00:00:00Z\",\"media_type\":\"application/stix+json;version=2.1\"}");
    buf_clear(&b);
}

static void
test_dates(void **state)
{
    static const struct {
        int64_t us;
        bool more;
        int64_t out;
    } cases[] = {
        {1000, false, 1000}, {1001, false, 2000}, {1999, false, 2000}, {2000, false, 2000},
        {1001, true, 1001},  {1999, true, 1999},  {2000, true, 2000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(taxii_date_last(cases[i].us, cases[i].more), cases[i].out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
