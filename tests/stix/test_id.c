/* Identifiers, and the deterministic ones of cyber-observables. */
#include "stix_test.h"

#include "crypto.h"
#include "mem.h"
#include "stix_id.h"

static void
test_read(void **state)
{
    static const struct {
        const char *text;
        bool ok, lower;
        const char *type;
    } cases[] = {
        {"indicator--" TEST_UUID, true, true, "indicator"},
        {"x-a-b--" TEST_UUID, true, true, "x-a-b"},
        {"x_a--" TEST_UUID, true, true, "x_a"},
        {"a--" TEST_UUID, true, true, "a"},
        {"relationship--81f12913-1372-4c96-85ec-E9034ac98aba", true, false, "relationship"},
        {"", false, 0, 0},
        {"indicator", false, 0, 0},
        {TEST_UUID, false, 0, 0},
        {"--" TEST_UUID, false, 0, 0},
        {"indicator-" TEST_UUID, false, 0, 0},
        {"indicator---" TEST_UUID, false, 0, 0},
        {"-indicator--" TEST_UUID, false, 0, 0},
        {"indi--cator--" TEST_UUID, false, 0, 0},
        {"Indicator--" TEST_UUID, false, 0, 0},
        {"indi cator--" TEST_UUID, false, 0, 0},
        {"indicator--" TEST_UUID " ", false, 0, 0},
        {" indicator--" TEST_UUID, false, 0, 0},
        {"indicator--" TEST_UUID "0", false, 0, 0},
        {"indicator--1111111-1111-4111-8111-111111111111", false, 0, 0},
        {"indicator--11111111-1111-4111-8111-11111111111g", false, 0, 0},
        {"indicator--11111111111-1-4111-8111-111111111111", false, 0, 0},
        {"indicator--{1111111-1111-4111-8111-11111111111}", false, 0, 0},
        {"ผู้--" TEST_UUID, false, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stix_id id = {.lower = false};
        if (stix_id_read(span_of(cases[i].text), &id) != cases[i].ok)
            fail_msg("%s", cases[i].text);
        if (!cases[i].ok) {
            assert_null(id.text.p); /* untouched */
            continue;
        }
        assert_true(span_is(id.type, cases[i].type));
        assert_true(span_is(id.text, cases[i].text));
        assert_int_equal(id.lower, cases[i].lower);
    }
}

static void
test_type_length(void **state)
{
    char text[STIX_TYPE_MAX + 2 + UUID_TEXT + 2];
    struct stix_id id;
    (void)state;
    memset(text, 'a', STIX_TYPE_MAX);
    snprintf(text + STIX_TYPE_MAX, sizeof(text) - STIX_TYPE_MAX, "--%s", TEST_UUID);
    assert_int_equal(strlen(text), STIX_ID_MAX);
    assert_true(stix_id_read(span_of(text), &id));
    memset(text, 'a', STIX_TYPE_MAX + 1);
    snprintf(text + STIX_TYPE_MAX + 1, sizeof(text) - STIX_TYPE_MAX - 1, "--%s", TEST_UUID);
    assert_false(stix_id_read(span_of(text), &id));
}

static void
test_kind(void **state)
{
    (void)state;
    assert_true(stix_id_is_marking(SPAN("marking-definition--" TEST_UUID)));
    assert_true(stix_id_is_marking(SPAN("marking-definition--broken")));
    assert_false(stix_id_is_marking(SPAN("marking-definitio--" TEST_UUID)));
    assert_true(stix_id_is_extension(SPAN("extension-definition--" TEST_UUID)));
    assert_false(stix_id_is_extension(SPAN("extension-definition--broken")));
    assert_false(stix_id_is_extension(SPAN("archive-ext")));
}

/* NULL: none can be made. */
static void
test_sco(void **state)
{
    static const struct {
        const char *object;
        const char *uuid;
    } cases[] = {
        {TEST_SCO("domain-name", ",'value':'example.com'"), "bedb4899-d24b-5401-bc86-8f6b4cc18ec7"},
        {TEST_SCO("ipv4-addr", ",'value':'198.51.100.3'"), "28bb3599-77cd-5a82-a950-b5bc3caf07c4"},
        {TEST_SCO("email-addr", ",'value':'soc@example.org'"),
         "aee00bed-a28a-5a6e-8139-9c2172e2a765"},
        {TEST_SCO("autonomous-system", ",'number':64496"), "9ad79ee3-2fde-5015-b0cc-7a96404effca"},
        {TEST_SCO("file", ",'name':'ตัวอย่าง.txt'"), "16af782f-17b4-563c-a40c-09acb4276f7e"},
        {TEST_SCO("file", ",'name':'a','hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427e'}"),
         "e225bcbd-7d8f-5548-b8c5-6974bf120d56"},
        {TEST_SCO("network-traffic",
                  ",'start':'2026-01-01T00:00:00Z','protocols':['tcp'],'dst_port':443,"
                  "'src_ref':'ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4'"),
         "744e244b-9340-51bc-94b4-c39acfbb4ace"},
        /* One hash alone counts, by the order of the standard ... */
        {TEST_SCO("file", ",'name':'a','hashes':{'SHA-256':'00','SHA-1':'11',"
                          "'MD5':'d41d8cd98f00b204e9800998ecf8427e'},'size':5,'x_more':1"),
         "e225bcbd-7d8f-5548-b8c5-6974bf120d56"},
        /* ... and what does not contribute changes nothing. */
        {TEST_SCO("domain-name", ",'value':'example.com','defanged':true,'x_a':[1]"),
         "bedb4899-d24b-5401-bc86-8f6b4cc18ec7"},
        {TEST_SCO("process", ",'pid':1,'extensions':{'windows-process-ext':{'priority':'X'}}"),
         NULL},
        {TEST_SCO("file", ",'size':1"), NULL},
        {TEST_SCO("x-custom", ",'value':'a'"), NULL},
        {TEST_SDO("indicator", ",'value':'a'"), NULL},
        {"{}", NULL},
        {"{'type':1,'value':'a'}", NULL},
    };
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = ERR_INIT;
        struct uuid u;
        char text[UUID_TEXT + 1];
        int r = stix_sco_uuid(stix_test_parse(&t, cases[i].object), &u, &e);
        assert_int_equal(r, cases[i].uuid != NULL);
        if (r == 1) {
            uuid_print(&u, text);
            assert_string_equal(text, cases[i].uuid);
        }
    }
    stix_test_end(&t);
}

/* Which hash: two objects get the same id exactly when the chosen one is the same. */
static void
test_hash_choice(void **state)
{
    static const struct {
        const char *all, *chosen;
    } cases[] = {
        {"'SHA-512':'d','SHA-256':'c','SHA-1':'b','MD5':'a'", "'MD5':'a'"},
        {"'SHA-512':'d','SHA-256':'c','SHA-1':'b'", "'SHA-1':'b'"},
        {"'SHA-512':'d','SHA-256':'c','AAA':'z'", "'SHA-256':'c'"},
        {"'SHA-512':'d','AAA':'z'", "'SHA-512':'d'"},
        {"'TLSH':'x','SSDEEP':'y'", "'SSDEEP':'y'"},
        {"'x':'1','SHA3-256':'y'", "'SHA3-256':'y'"},
    };
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uuid a, b;
        struct err e = ERR_INIT;
        char text[400];
        snprintf(text, sizeof(text), TEST_SCO("artifact", ",'hashes':{%s}"), cases[i].all);
        assert_int_equal(stix_sco_uuid(stix_test_parse(&t, text), &a, &e), 1);
        snprintf(text, sizeof(text), TEST_SCO("artifact", ",'hashes':{%s}"), cases[i].chosen);
        assert_int_equal(stix_sco_uuid(stix_test_parse(&t, text), &b, &e), 1);
        assert_memory_equal(a.b, b.b, sizeof(a.b));
    }
    stix_test_end(&t);
}

/* Larger than the room on the stack: the same id by way of the heap, or a clean failure. */
static void
test_large(void **state)
{
    struct stix_test t;
    struct err e = ERR_INIT;
    struct uuid u, again;
    char *text = malloc(5000);
    const struct json *o;
    (void)state;
    stix_test_begin(&t);
    memset(text, 'a', 4999);
    memcpy(text, "{'type':'mutex','name':'", 24);
    memcpy(text + 4990, "'}", 3);
    o = stix_test_parse(&t, text);
    assert_int_equal(stix_sco_uuid(o, &u, &e), 1);
    for (size_t n = 1;; n++) {
        mem_fail_at(n);
        int r = stix_sco_uuid(o, &again, &e);
        bool reached = mem_count() >= n;
        mem_fail_at(0);
        if (!reached)
            break;
        assert_int_equal(r, -1);
        assert_int_equal(e.code, ERR_MEMORY);
    }
    assert_int_equal(stix_sco_uuid(o, &again, &e), 1);
    assert_memory_equal(u.b, again.b, sizeof(u.b));
    stix_test_end(&t);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),        cmocka_unit_test(test_type_length),
        cmocka_unit_test(test_kind),        cmocka_unit_test(test_sco),
        cmocka_unit_test(test_hash_choice), cmocka_unit_test(test_large),
    };
    struct err e = ERR_INIT;
    if (crypto_start(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
