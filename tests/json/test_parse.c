/* json_parse: what it refuses, with the place; and the tree that it gives. */
#include "check.h"

#include <sys/mman.h>
#include "json.h"
#include "mem.h"
#include "utf8.h"

static struct json_parser *parser;
static struct arena *arena;

static int
setup(void **state)
{
    (void)state;
    parser = json_parser_new();
    arena = arena_new(256u << 20);
    return parser == NULL || arena == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    json_parser_free(parser);
    json_parser_free(NULL);
    arena_free(arena);
    return 0;
}

static const struct {
    const char *text;
    enum err_code code;
    size_t pos;
    const char *place;
} refused[] = {
    {"", ERR_SYNTAX, 0, ""},
    {" \n ", ERR_SYNTAX, 0, ""},
    {"{", ERR_SYNTAX, 1, ""},
    {"[", ERR_SYNTAX, 1, "/0"},
    {"]", ERR_SYNTAX, 0, ""},
    {",", ERR_SYNTAX, 0, ""},
    {"[1", ERR_SYNTAX, 2, ""},
    {"[1,", ERR_SYNTAX, 3, "/1"},
    {"[1,]", ERR_SYNTAX, 3, "/1"},
    {"[,1]", ERR_SYNTAX, 1, "/0"},
    {"[1 2]", ERR_SYNTAX, 3, ""},
    {"[1}", ERR_SYNTAX, 2, ""},
    {"{\"a\":1]", ERR_SYNTAX, 6, ""},
    {"{\"a\"}", ERR_SYNTAX, 4, ""},
    {"{\"a\" 1}", ERR_SYNTAX, 5, ""},
    {"{\"a\":}", ERR_SYNTAX, 5, "/a"},
    {"{\"a\":1,}", ERR_SYNTAX, 7, ""},
    {"{,}", ERR_SYNTAX, 1, ""},
    {"{1:2}", ERR_SYNTAX, 1, ""},
    {"{a:2}", ERR_SYNTAX, 1, ""},
    {"{\"a\":1 \"b\":2}", ERR_SYNTAX, 7, ""},
    {"{\"a\"::1}", ERR_SYNTAX, 5, "/a"},
    {"[1]]", ERR_SYNTAX, 3, ""},
    {"{} {}", ERR_SYNTAX, 3, ""},
    {"1 x", ERR_SYNTAX, 2, ""},
    {"tru", ERR_SYNTAX, 0, ""},
    {"truee", ERR_SYNTAX, 0, ""},
    {"True", ERR_SYNTAX, 0, ""},
    {"nul l", ERR_SYNTAX, 0, ""},
    {"NaN", ERR_SYNTAX, 0, ""},
    {"'a'", ERR_SYNTAX, 0, ""},
    {"// c\n1", ERR_SYNTAX, 0, ""},
    {"[1] // c", ERR_SYNTAX, 4, ""},
    {"\xef\xbb\xbf{}", ERR_SYNTAX, 0, ""},
    {"\f1", ERR_SYNTAX, 0, ""},
    {"1\v", ERR_SYNTAX, 0, ""},
    {"[\x1a]", ERR_SYNTAX, 1, "/0"}, /* 1a and 0c differ from : and , in one bit */
    {"{\"a\"\x1a"
     "1}",
     ERR_SYNTAX, 4, ""},
    {"\"abc", ERR_SYNTAX, 4, ""},
    {"\"abc\\\"", ERR_SYNTAX, 6, ""},
    {"\"a\"b", ERR_SYNTAX, 3, ""},
    {"\"a\"\"b\"", ERR_SYNTAX, 3, ""},
    {"[\"a\nb\"]", ERR_SYNTAX, 3, ""},
    {"[\"\x1f\"]", ERR_SYNTAX, 2, ""},
    {"01", ERR_SYNTAX, 0, ""},
    {"[-]", ERR_SYNTAX, 1, "/0"},
    {"{\"n\":[0, 1.]}", ERR_SYNTAX, 9, "/n/1"},
    {"+1", ERR_SYNTAX, 0, ""},
    {"0x10", ERR_SYNTAX, 0, ""},
    {"1\"a\"", ERR_SYNTAX, 0, ""},
    {"1e309", ERR_RANGE, 0, ""},
    {"[-1e309]", ERR_RANGE, 1, "/0"},
    {"9007199254740993", ERR_RANGE, 0, ""},
    {"-9007199254740993", ERR_RANGE, 0, ""},
    {"18446744073709551615", ERR_RANGE, 0, ""},
    {"1000000000000000000000", ERR_RANGE, 0, ""},
    {"{\"a\":{\"b/c~\":100000000000000000001}}", ERR_RANGE, 13, "/a/b~1c~0"},
    {"\"\\x\"", ERR_ENCODING, 1, ""},
    {"\"\\'\"", ERR_ENCODING, 1, ""},
    {"\"\\u12\"", ERR_ENCODING, 1, ""},
    {"\"\\u12g4\"", ERR_ENCODING, 1, ""},
    {"\"\\U0041\"", ERR_ENCODING, 1, ""},
    {"[\"ab\\ud800\"]", ERR_ENCODING, 4, "/0"},
    {"\"\\udc00\"", ERR_ENCODING, 1, ""},
    {"\"\\ud800\\ud800\"", ERR_ENCODING, 1, ""},
    {"\"\\ud800\\u0041\"", ERR_ENCODING, 1, ""},
    {"\"\\ud83d\\ude0\"", ERR_ENCODING, 1, ""},
    {"\"\\ud83d ude00\"", ERR_ENCODING, 1, ""},
    {"\"\\udbff\\ue000\"", ERR_ENCODING, 1, ""},
    {"{\"\\ud800\":1}", ERR_ENCODING, 2, ""},
    {"\"\xff\"", ERR_ENCODING, 1, ""},
    {"\"\xc0\x80\"", ERR_ENCODING, 1, ""},
    {"\"\xed\xa0\x80\"", ERR_ENCODING, 1, ""},
    {"\"\xf4\x90\x80\x80\"", ERR_ENCODING, 1, ""},
    {"\"ab\xe0\xb8\"", ERR_ENCODING, 3, ""},
    {"{\"a\":1,\"a\":2}", ERR_DUPLICATE, 11, "/a"},
    {"{\"a\":1,\"b\":0,\"\\u0061\":2}", ERR_DUPLICATE, 22, "/a"},
    {"[{\"x\":{\"\":1,\"\":1}}]", ERR_DUPLICATE, 15, "/0/x/"},
    {"{\"b\":1,\"longer than eight\":1,\"c\":2,\"longer than eight\":1}", ERR_DUPLICATE, 55,
     "/longer than eight"},
};

static void
test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct err e = ERR_INIT;
        size_t used = arena_used(arena);

        if (json_parse(parser, span_of(refused[i].text), arena, &e) != NULL)
            fail_msg("accepted: %s", refused[i].text);
        if (e.code != refused[i].code || e.pos != refused[i].pos ||
            strcmp(e.place, refused[i].place) != 0)
            fail_msg("%s: %s: %s at %s (%zu)", refused[i].text, err_name(e.code), e.text, e.place,
                     e.pos);
        assert_int_equal(arena_used(arena), used);
    }
    struct err e = ERR_INIT;
    assert_null(json_parse(parser, SPAN("[1\f2]"), arena, &e));
    assert_null(json_parse(parser, span_from("[1]\0", 4), arena, &e));
    assert_int_equal(e.pos, 3);
    assert_null(json_parse(parser, span_from("[\0]", 3), arena, &e));
    assert_null(json_parse(parser, span_from("[\"\0\"]", 5), arena, NULL));
}

static const struct {
    const char *text;
    const char *canonical;
} accepted[] = {
    {"null", "null"},
    {" true ", "true"},
    {"\r\n\tfalse\n", "false"},
    {"-0", "0"},
    {"-0.0", "0"},
    {"1.0", "1"},
    {"1E2", "100"},
    {"9007199254740991", "9007199254740991"},
    {"-9007199254740991", "-9007199254740991"},
    {"9007199254740992", "9007199254740992"},
    {"9007199254740994", "9007199254740994"},
    {"100000000000000000000", "100000000000000000000"},
    {"9007199254740993.0", "9007199254740992"}, /* no integer literal */
    {"1e21", "1e+21"},
    {"1e-400", "0"},
    {"[]", "[]"},
    {"{}", "{}"},
    {"[[],{},[{}]]", "[[],{},[{}]]"},
    {"\"\"", "\"\""},
    {"\"\\u0000\"", "\"\\u0000\""},
    {"\"\\u0041\\/\\\\\\\"\\b\\f\\n\\r\\t\\u001F\\u007f\"",
     "\"A/\\\\\\\"\\b\\f\\n\\r\\t\\u001f\x7f\""},
    {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
    {"\"\\ufffe\\uE000\"", "\"\xef\xbf\xbe\xee\x80\x80\""},
    {"\"\\\\ud800\"", "\"\\\\ud800\""},
    {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
    {"{\"\\u0061b\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"ab\":1}"},
    {"{\"a\\u0000\":1,\"a\":2}", "{\"a\":2,\"a\\u0000\":1}"},
    {"{\"\xef\xac\xb3\":1,\"\xf0\x9f\x98\x80\":2,\"a\":3}",
     "{\"a\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}"},
    {"{\"a\":{\"z\":[1,{\"y\":1,\"x\":2}],\"b\":null}}",
     "{\"a\":{\"b\":null,\"z\":[1,{\"x\":2,\"y\":1}]}}"},
    {"{\"abcdefgh2\":1,\"abcdefgh1\":2,\"abcdefgh\":3}",
     "{\"abcdefgh\":3,\"abcdefgh1\":2,\"abcdefgh2\":1}"},
};

static void
test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        struct err e = ERR_INIT;
        struct buf b;
        const struct json *v = json_parse(parser, span_of(accepted[i].text), arena, &e);

        if (v == NULL)
            fail_msg("%s: %s", accepted[i].text, e.text);
        buf_init(&b, 1000);
        json_canonical(v, &b);
        if (!span_is(buf_view(&b), accepted[i].canonical))
            fail_msg("%s gives %.*s", accepted[i].text, (int)b.n, b.p);
        buf_clear(&b);
        arena_reset(arena);
    }
}

/* n arrays or objects in one another. */
static struct span
nested(char *out, unsigned n, bool object)
{
    char *p = out;

    for (unsigned i = 0; i < n; i++) {
        memcpy(p, object ? "{\"a\":" : "[", object ? 5 : 1);
        p += object ? 5 : 1;
    }
    if (object)
        *p++ = '1';
    for (unsigned i = 0; i < n; i++)
        *p++ = object ? '}' : ']';
    return span_from(out, (size_t)(p - out));
}

static void
test_depth(void **state)
{
    char text[6 * (JSON_DEPTH_MAX + 2) + 1];
    struct err e = ERR_INIT;

    (void)state;
    for (int object = 0; object < 2; object++) {
        assert_non_null(json_parse(parser, nested(text, JSON_DEPTH_MAX, object), arena, &e));
        assert_null(json_parse(parser, nested(text, JSON_DEPTH_MAX + 1, object), arena, &e));
        assert_int_equal(e.code, ERR_LIMIT);
        assert_int_equal(e.pos, JSON_DEPTH_MAX * (object ? 5 : 1));
    }
    char *deep = malloc(1 << 20);
    memset(deep, '[', 1 << 20);
    assert_null(json_parse(parser, span_from(deep, 1 << 20), arena, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    free(deep);
    arena_reset(arena);
}

static void
test_size(void **state)
{
    size_t n = JSON_TEXT_MAX;
    char *text = malloc(n + 1);
    struct err e = ERR_INIT;
    const struct json *v;

    (void)state;
    memset(text, 'x', n + 1);
    text[0] = text[n - 1] = '"';
    v = json_parse(parser, span_from(text, n), arena, &e);
    assert_non_null(v);
    assert_int_equal(v->text.n, n - 2);
    text[n - 1] = 'x';
    text[n] = '"';
    assert_null(json_parse(parser, span_from(text, n + 1), arena, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    arena_reset(arena);
    struct arena *small = arena_new(4096);
    assert_non_null(json_parse(parser, SPAN("[1,2,3,4,5,6,7]"), small, &e));
    arena_reset(small);
    assert_null(json_parse(parser, span_from(text, 5000), small, &e));
    memset(text, ' ', 3000);
    for (size_t i = 0; i < 3000; i += 2) {
        text[i] = i == 0 ? '[' : ',';
        text[i + 1] = '1';
    }
    text[3000] = ']';
    assert_null(json_parse(parser, span_from(text, 3001), small, &e));
    assert_int_equal(e.code, ERR_LIMIT); /* the arena's ceiling */
    arena_free(small);
    assert_non_null(json_parse(parser, span_from(text, 3001), arena, &e));
    arena_reset(arena);
    free(text);
}

static void
test_tree(void **state)
{
    static const char text[] = "{\"type\":\"indicator\",\"n\":[1,2.50,-3e0],\"flag\":true,"
                               "\"none\":null,\"big\":9007199254740992,\"e\":\"\"}";
    struct err e = ERR_INIT;
    const struct json *o = json_parse(parser, span_of(text), arena, &e);
    const struct json *n = json_get(o, "n");
    int64_t v = 0;
    char place[40];

    (void)state;
    assert_int_equal(o->type, JSON_OBJECT);
    assert_int_equal(o->count, 6);
    assert_null(o->up);
    assert_true(span_is(o->child->key, "big"));
    assert_true(span_is(json_text(o, "type"), "indicator"));
    assert_true(json_text(o, "e").p != NULL && json_text(o, "e").n == 0);
    assert_null(json_text(o, "n").p);
    assert_null(json_text(o, "nope").p);
    assert_null(json_get(NULL, "x"));
    assert_null(json_get(n, "x"));
    assert_true(json_get(o, "flag")->boolean);
    assert_int_equal(json_get(o, "none")->type, JSON_NULL);
    assert_int_equal(n->count, 3);
    assert_ptr_equal(n->up, o);
    assert_true(span_is(n->child->next->text, "2.50")); /* as written */
    assert_int_equal(n->child->next->pos, strstr(text, "2.50") - text);
    assert_true(json_is_int(n->child, &v) && v == 1);
    assert_false(json_is_int(n->child->next, &v));
    assert_true(json_is_int(n->child->next->next, &v) && v == -3);
    assert_false(json_is_int(json_get(o, "big"), &v));
    assert_false(json_is_int(json_get(o, "type"), &v));
    assert_false(json_is_int(NULL, &v));
    json_pointer(n->child->next->next, place, sizeof place);
    assert_string_equal(place, "/n/2");
    json_pointer(o, place, sizeof place);
    assert_string_equal(place, "");
    arena_reset(arena);
}

static void
test_pointer_cut(void **state)
{
    struct err e = ERR_INIT;
    const struct json *o = json_parse(
        parser, SPAN("{\"\xe0\xb8\x81~\xe0\xb8\x82/\\u0000\":[0,0,0,0,0,0,0,0,0,0,0,1]}"), arena,
        &e);
    const struct json *v = o->child->child;
    static const char full[] = "/\xe0\xb8\x81~0\xe0\xb8\x82~1\xef\xbf\xbd/11";
    char out[64];

    (void)state;
    while (v->next != NULL)
        v = v->next;
    json_pointer(v, out, sizeof out);
    assert_string_equal(out, full);
    for (size_t n = 1; n < sizeof full; n++) {
        memset(out, 'x', sizeof out);
        json_pointer(v, out, n);
        assert_true(strlen(out) < n);
        assert_memory_equal(out, full, strlen(out));
        assert_true(utf8_valid(span_of(out), NULL));
    }
    json_pointer(v, out, 0);
    arena_reset(arena);
}

/* Many members, put in at random, come out in order; one more that is there already is found. */
static void
test_members(void **state)
{
    struct check_random r = check_seed("members");
    struct buf b;
    struct err e = ERR_INIT;

    (void)state;
    for (unsigned n = 1; n < 3000; n = n * 2 + 1) {
        const struct json *o;
        size_t len;

        buf_init(&b, 1 << 20);
        buf_str(&b, "{");
        for (unsigned i = 0; i < n; i++)
            buf_printf(&b, "\"%x%s\":%u,", (unsigned)(check_next(&r) % 0xffffff) * 4096 + i,
                       i % 3 == 0 ? "\xf0\x9f\x98\x80" : "", i);
        len = b.n;
        buf_str(&b, "\"z\":0}");
        o = json_parse(parser, buf_view(&b), arena, &e);
        assert_non_null(o);
        assert_int_equal(o->count, n + 1);
        for (const struct json *m = o->child; m->next != NULL; m = m->next)
            assert_true(utf8_cmp_utf16(m->key, m->next->key) < 0);
        struct span again = o->child->next != NULL ? o->child->next->key : o->child->key;
        buf_cut(&b, len);
        buf_printf(&b, "\"%.*s\":7}", (int)again.n, again.p);
        if (n > 1) {
            assert_null(json_parse(parser, buf_view(&b), arena, &e));
            assert_int_equal(e.code, ERR_DUPLICATE);
        }
        buf_clear(&b);
        arena_reset(arena);
    }
}

/* The text ends where a page ends that may not be read: no byte behind it is touched. */
static void
test_no_read_behind(void **state)
{
    static const char text[] = "{\"a\":[1,\"\\u00e9\",\"0123456789012345678901234567890123456789"
                               "012345678901234567890123456789\"],\"b\":12}";
    size_t page = 4096;
    char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(two != MAP_FAILED);
    assert_int_equal(mprotect(two + page, page, PROT_NONE), 0);
    for (size_t n = 0; n < sizeof text; n++) {
        char *at = two + page - n;

        memcpy(at, text, n);
        assert_true((json_parse(parser, span_from(at, n), arena, NULL) != NULL) ==
                    (n == sizeof text - 1));
        arena_reset(arena);
    }
    munmap(two, 2 * page);
}

static void
test_memory_fails(void **state)
{
    static const char text[] = "{\"b\":[1,\"x\\n\",null],\"a\":{\"c\":true}}";

    (void)state;
    for (size_t n = 1; n < 6; n++) {
        struct err e = ERR_INIT;
        struct json_parser *p;
        struct arena *a;
        const struct json *v = NULL;
        struct buf b;

        mem_fail_at(n);
        buf_init(&b, 1000);
        p = json_parser_new();
        a = arena_new(1 << 20);
        if (p != NULL && a != NULL) {
            v = json_parse(p, span_of(text), a, &e);
            if (v == NULL)
                assert_int_equal(e.code, ERR_MEMORY);
            else
                json_canonical(v, &b);
        }
        mem_fail_at(0);
        assert_true((v != NULL) == (n > 3)); /* parser, arena, its chunk, the buffer */
        assert_true(n == 4 ? b.failed : !b.failed);
        buf_clear(&b);
        json_parser_free(p);
        arena_free(a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_depth),        cmocka_unit_test(test_size),
        cmocka_unit_test(test_tree),         cmocka_unit_test(test_pointer_cut),
        cmocka_unit_test(test_members),      cmocka_unit_test(test_no_read_behind),
        cmocka_unit_test(test_memory_fails),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
