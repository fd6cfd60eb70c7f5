/* Selectors of granular markings. */
#include "stix_test.h"

#include "stix_select.h"

static void
test_syntax(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"id", true},
        {"description", true},
        {"labels.[0]", true},
        {"external_references.[12].source_name", true},
        {"extensions.extension-definition--" TEST_UUID ".tlp_2_0", true},
        {"hashes.SHA-256", true},
        {"a.[0].[1]", true},
        {"labels.[4294967295]", true},
        {"", false},
        {".", false},
        {"a.", false},
        {".a", false},
        {"a..b", false},
        {"[0]", false},
        {"[0].a", false},
        {"a.[]", false},
        {"a.[-1]", false},
        {"a.[01]", false},
        {"a.[1", false},
        {"a.1]", false},
        {"a[0]", false},
        {"a.[99999999999999999999]", false},
        {"a b", false},
        {"a.*", false},
        {"ชื่อ", false},
    };
    char longest[260];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (stix_selector_ok(span_of(cases[i].text)) != cases[i].ok)
            fail_msg("%s", cases[i].text);
    memset(longest, 'a', sizeof(longest));
    assert_true(stix_selector_ok(span_from(longest, 250)));
    assert_false(stix_selector_ok(span_from(longest, 251)));
}

static void
test_target(void **state)
{
    static const struct {
        const char *selector, *text; /* NULL: nothing there */
    } cases[] = {
        {"name", "CVE-2014-0160"},
        {"labels.[0]", "heartbleed"},
        {"labels.[1]", "has-logo"},
        {"external_references.[0].source_name", "cve"},
        {"hashes.SHA-256", "00"},
        {"labels.[2]", NULL},
        {"labels.name", NULL},
        {"name.[0]", NULL},
        {"name.x", NULL},
        {"external_references.[3]", NULL},
        {"pattern", NULL},
        {"hashes.[0]", NULL},
        {"name.", NULL},
    };
    struct stix_test t;
    const struct json *o;
    (void)state;
    stix_test_begin(&t);
    o = stix_test_parse(&t, "{'name':'CVE-2014-0160','labels':['heartbleed','has-logo'],"
                            "'external_references':[{'source_name':'cve'}],"
                            "'hashes':{'SHA-256':'00'}}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct json *v = stix_select(o, span_of(cases[i].selector));
        if ((v != NULL) != (cases[i].text != NULL))
            fail_msg("%s", cases[i].selector);
        if (v != NULL)
            assert_true(span_is(v->text, cases[i].text));
    }
    assert_int_equal(stix_select(o, SPAN("labels"))->count, 2);
    assert_null(stix_select(NULL, SPAN("labels")));
    stix_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
