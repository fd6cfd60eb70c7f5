/* The writer: what it puts can be read back. */
#include "check.h"

#include "json.h"
#include "json_write.h"

static void
test_all(void **state)
{
    struct buf b;
    struct json_out o;

    (void)state;
    buf_init(&b, 10000);
    json_out_init(&o, &b);
    json_begin_object(&o);
    json_member(&o, "span", SPAN("a\"b\n"));
    json_member_str(&o, "str", "x");
    json_member_int(&o, "int", INT64_MIN);
    json_member_bool(&o, "yes", true);
    json_name(&o, "list");
    json_begin_array(&o);
    json_int(&o, -1);
    json_uint(&o, UINT64_MAX);
    json_double(&o, 0.5);
    json_null(&o);
    json_bool(&o, false);
    json_begin_array(&o);
    json_end_array(&o);
    json_begin_object(&o);
    json_end_object(&o);
    json_raw(&o, SPAN("{\"r\":1}"));
    json_end_array(&o);
    json_name_span(&o, SPAN("bad\xff"));
    json_string(&o, SPAN("\xe0\xb8\x81\xff\xc2z\xed\xa0\x80"));
    json_name(&o, "last");
    json_str(&o, "");
    json_end_object(&o);
    assert_int_equal(o.depth, 0);
    assert_true(span_is(buf_view(&b),
                        "{\"span\":\"a\\\"b\\n\",\"str\":\"x\",\"int\":-9223372036854775808,"
                        "\"yes\":true,\"list\":[-1,18446744073709551615,0.5,null,false,[],{},"
                        "{\"r\":1}],\"bad\xef\xbf\xbd\":\"\xe0\xb8\x81\xef\xbf\xbd\xef\xbf\xbdz"
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"last\":\"\"}"));
    buf_clear(&b);
}

static void
test_top(void **state)
{
    struct buf b;
    struct json_out o;

    (void)state;
    buf_init(&b, 100);
    json_out_init(&o, &b);
    json_str(&o, "alone");
    assert_true(span_is(buf_view(&b), "\"alone\""));
    buf_clear(&b);
}

/* As deep as our own reader goes, and readable there. */
static void
test_deep(void **state)
{
    struct json_parser *p = json_parser_new();
    struct arena *a = arena_new(1 << 20);
    struct buf b;
    struct json_out o;

    (void)state;
    buf_init(&b, 10000);
    json_out_init(&o, &b);
    for (unsigned i = 0; i < JSON_DEPTH_MAX; i++) {
        if (i % 2 == 0) {
            json_begin_array(&o);
            json_int(&o, i);
        } else {
            json_begin_object(&o);
            json_name(&o, "a");
        }
    }
    json_null(&o);
    for (unsigned i = JSON_DEPTH_MAX; i > 0; i--) {
        if (i % 2 != 0)
            json_end_array(&o);
        else
            json_end_object(&o);
    }
    assert_non_null(json_parse(p, buf_view(&b), a, NULL));
    buf_clear(&b);
    json_parser_free(p);
    arena_free(a);
}

static void
test_full(void **state)
{
    char mem[64];

    (void)state;
    for (size_t cap = 0; cap < 40; cap++) {
        struct buf b;
        struct json_out o;

        buf_init_fixed(&b, mem, cap);
        json_out_init(&o, &b);
        json_begin_object(&o);
        json_member(&o, "name", SPAN("bad\xff text"));
        json_member_int(&o, "n", 12345);
        json_end_object(&o);
        assert_true(b.failed == (cap < 32));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
