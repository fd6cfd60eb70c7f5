/* The markings that everybody knows. */
#include "stix_test.h"

#include "crypto.h"
#include "json_canon.h"
#include "stix_builtin.h"
#include "stix_facts.h"

static void
test_bytes(void **state)
{
    struct stix_test t;
    size_t n;
    const struct stix_builtin *all = stix_builtins(&n);
    (void)state;
    stix_test_begin(&t);
    assert_int_equal(n, 10);
    for (size_t i = 0; i < n; i++) {
        struct err e = ERR_INIT;
        struct stix_facts f;
        char found[400];
        enum stix_tlp said;
        assert_ptr_equal(stix_builtin_find(span_of(all[i].id)), &all[i]);
        assert_int_equal(all[i].current, i < STIX_TLPS);
        if (i < STIX_TLPS)
            assert_int_equal(all[i].tlp, i);
        if (all[i].bytes == NULL) {
            assert_int_equal(all[i].tlp, STIX_TLP_AMBER_STRICT);
            continue;
        }
        struct span bytes = span_of(all[i].bytes);
        assert_int_equal(json_canon_check(bytes, &e), 0);
        assert_int_equal(stix_facts_read(bytes, t.a, &f, &e), 0);
        assert_true(span_is(f.id.text, all[i].id));
        assert_true(span_is(f.name, all[i].name));
        assert_true(stix_tlp_read(all[i].current ? f.tlp_2_0 : f.tlp, &said));
        assert_int_equal(said, all[i].tlp);
        if (all[i].current) {
            assert_int_equal(f.ext_count, 1);
            assert_true(span_is(f.exts[0], STIX_TLP2_EXTENSION));
        }
        stix_test_findings(&t, json_parse(t.parser, bytes, t.a, &e), true, found, sizeof(found));
        /* Ids and TLP 2.0's markings are of random UUIDs: nothing to say of any of them. */
        assert_string_equal(found, "");
    }
    stix_test_end(&t);
}

static void
test_find(void **state)
{
    static const char *const wrong[] = {
        "",
        "marking-definition--",
        "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8488",
        "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c848",
        "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c84870",
        "marking-definition--94868C89-83C2-464B-929B-A1A8AA3C8487",
        "94868c89-83c2-464b-929b-a1a8aa3c8487",
        /* Shares half of TLP:RED's of version 1 with it. */
        "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ee",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_null(stix_builtin_find(span_of(wrong[i])));
    assert_int_equal(
        stix_builtin_find(SPAN("marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"))->tlp,
        STIX_TLP_AMBER_STRICT);
    assert_int_equal(
        stix_builtin_find(SPAN("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"))->tlp,
        STIX_TLP_CLEAR);
}

static void
test_words(void **state)
{
    static const struct {
        const char *text;
        int tlp; /* -1: none */
    } cases[] = {
        {"red", STIX_TLP_RED},
        {"TLP:RED", STIX_TLP_RED},
        {"tlp:amber", STIX_TLP_AMBER},
        {"TLP:AMBER+STRICT", STIX_TLP_AMBER_STRICT},
        {"amber-strict", STIX_TLP_AMBER_STRICT},
        {"tlp:amber_strict", STIX_TLP_AMBER_STRICT},
        {" TLP: Amber Strict ", STIX_TLP_AMBER_STRICT},
        {"White", STIX_TLP_CLEAR},
        {"clear", STIX_TLP_CLEAR},
        {"GREEN", STIX_TLP_GREEN},
        {"", -1},
        {"tlp:", -1},
        {"tlp:tlp:red", -1},
        {"reddish", -1},
        {"tlp-red", -1},
        {"amber+", -1},
        {"amber++strict", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum stix_tlp t = STIX_TLP_GREEN;
        bool ok = stix_tlp_read(span_of(cases[i].text), &t);
        if (ok != (cases[i].tlp >= 0) || (ok && (int)t != cases[i].tlp))
            fail_msg("%s", cases[i].text);
    }
    assert_string_equal(stix_tlp_name(STIX_TLP_AMBER_STRICT), "AMBER+STRICT");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_words),
    };
    struct err e = ERR_INIT;
    if (crypto_start(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
