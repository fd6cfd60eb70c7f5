/* Canonical form: published vectors, the strict reader, and that the two agree. */
#include "check.h"

#include "json.h"
#include "json_canon.h"
#include "mem.h"

static struct json_parser *parser;
static struct arena *arena;

static int
setup(void **state)
{
    (void)state;
    parser = json_parser_new();
    arena = arena_new(64u << 20);
    return parser == NULL || arena == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    json_parser_free(parser);
    arena_free(arena);
    return 0;
}

static const char *const canonical[] = {
    "null",
    "true",
    "false",
    "0",
    "-1",
    "12345678901234568",
    "123456789012345",
    "0.1",
    "1e+21",
    "1e-7",
    "-5e-324",
    "\"\"",
    "\"\\\\\\\"\\b\\t\\n\\f\\r\\u0000\\u0007\\u000b\\u000e\\u001f/\x7f\"",
    "\"\xe0\xb8\x81\xf0\x9f\x98\x80\xef\xbf\xbf\"",
    "[]",
    "{}",
    "[1,\"a\",[],{},null]",
    "{\"\":1,\"\\n\":0,\" \":2,\"a\":{\"b\":[{}]},\"a\\u0000\":3,\"ab\":4}",
    "{\"a\\\"\":1,\"a#\":2}",
    "{\"\xf0\x9f\x98\x80\":1,\"\xee\x80\x80\":2}",
    "{\"\\t\xf0\x9f\x98\x80\":1,\"\\t\xee\x80\x80\":2}",
    "{\"a\":{\"z\":1},\"b\":{\"a\":1}}",
};

static const struct {
    const char *text;
    enum err_code code;
    size_t pos;
} refused[] = {
    {"", ERR_SYNTAX, 0},
    {" 1", ERR_SYNTAX, 0},
    {"1 ", ERR_SYNTAX, 1},
    {"1\n", ERR_SYNTAX, 1},
    {"[1, 2]", ERR_SYNTAX, 3},
    {"[ ]", ERR_SYNTAX, 1},
    {"{\"a\": 1}", ERR_SYNTAX, 5},
    {"{\"a\" :1}", ERR_SYNTAX, 4},
    {"[1,]", ERR_SYNTAX, 3},
    {"[,1]", ERR_SYNTAX, 1},
    {"[1", ERR_SYNTAX, 2},
    {"[", ERR_SYNTAX, 1},
    {"[}", ERR_SYNTAX, 1},
    {"{]", ERR_SYNTAX, 1},
    {"[1}", ERR_SYNTAX, 2},
    {"{\"a\":1]", ERR_SYNTAX, 6},
    {"{\"a\"}", ERR_SYNTAX, 4},
    {"{\"a\":1,}", ERR_SYNTAX, 7},
    {"{1:1}", ERR_SYNTAX, 1},
    {"[]]", ERR_SYNTAX, 2},
    {"{}{}", ERR_SYNTAX, 2},
    {"nul", ERR_SYNTAX, 0},
    {"nulll", ERR_SYNTAX, 4},
    {"-", ERR_SYNTAX, 0},
    {"01", ERR_SYNTAX, 0},
    {"1.", ERR_SYNTAX, 0},
    {"1e309", ERR_SYNTAX, 0},
    {"\"a", ERR_SYNTAX, 0},
    {"\"\n\"", ERR_SYNTAX, 1},
    {"-0", ERR_RULE, 0},
    {"1.0", ERR_RULE, 0},
    {"1e2", ERR_RULE, 0},
    {"1E+21", ERR_RULE, 0},
    {"1e21", ERR_RULE, 0},
    {"0.10", ERR_RULE, 0},
    {"9007199254740993", ERR_RULE, 0},
    {"0.1000000000000000055", ERR_RULE, 0},
    {"1e-400", ERR_RULE, 0},
    {"0.0000001", ERR_RULE, 0},
    {"\"\\/\"", ERR_RULE, 1},
    {"\"\\u0041\"", ERR_RULE, 1},
    {"\"\\u0008\"", ERR_RULE, 1},
    {"\"\\u0009\"", ERR_RULE, 1},
    {"\"\\u000a\"", ERR_RULE, 1},
    {"\"\\u000c\"", ERR_RULE, 1},
    {"\"\\u000d\"", ERR_RULE, 1},
    {"\"\\u001F\"", ERR_RULE, 1},
    {"\"\\u000B\"", ERR_RULE, 1},
    {"\"\\u0020\"", ERR_RULE, 1},
    {"\"\\u007f\"", ERR_RULE, 1},
    {"\"\\u0022\"", ERR_RULE, 1},
    {"\"\\ud83d\\ude00\"", ERR_RULE, 1},
    {"\"\\u00e9\"", ERR_RULE, 1},
    {"\"\\x\"", ERR_RULE, 1},
    {"\"\\u00", ERR_RULE, 1},
    {"\"\\", ERR_RULE, 1},
    {"{\"b\":1,\"a\":1}", ERR_RULE, 7},
    {"{\"a\":1,\"\":1}", ERR_RULE, 7},
    {"{\"\xee\x80\x80\":1,\"\xf0\x9f\x98\x80\":1}", ERR_RULE, 9},
    {"{\"\\t\xee\x80\x80\":1,\"\\t\xf0\x9f\x98\x80\":1}", ERR_RULE, 11},
    {"{\"a#\":1,\"a\\\"\":1}", ERR_RULE, 8},
    {"{\"a\":1,\"a\":1}", ERR_DUPLICATE, 7},
    {"{\"\":1,\"\":1}", ERR_DUPLICATE, 6},
    {"{\"\\n\":1,\"\\n\":1}", ERR_DUPLICATE, 8},
    {"{\"x\":{\"a\":1,\"a\":1}}", ERR_DUPLICATE, 12},
    {"\"\xff\"", ERR_ENCODING, 1},
    {"\"\xed\xa0\x80\"", ERR_ENCODING, 1},
    {"\"\xc3\"", ERR_ENCODING, 1},
};

static void
test_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof canonical / sizeof canonical[0]; i++) {
        struct err e = ERR_INIT;

        if (json_canon_check(span_of(canonical[i]), &e) < 0)
            fail_msg("%s: %s (%zu)", canonical[i], e.text, e.pos);
        /* and no part of it is accepted, except of a number */
        for (size_t n = 0; n < strlen(canonical[i]); n++)
            if (strchr("-0123456789", canonical[i][0]) == NULL)
                assert_int_equal(json_canon_check(span_from(canonical[i], n), &e), -1);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct err e = ERR_INIT;

        if (json_canon_check(span_of(refused[i].text), &e) == 0)
            fail_msg("accepted: %s", refused[i].text);
        if (e.code != refused[i].code || e.pos != refused[i].pos)
            fail_msg("%s: %s: %s (%zu)", refused[i].text, err_name(e.code), e.text, e.pos);
        assert_int_equal(json_canon_check(span_of(refused[i].text), NULL), -1);
    }
    assert_int_equal(json_canon_check(span_from("1\0", 2), NULL), -1);
    assert_int_equal(json_canon_check(span_from("[\0]", 3), NULL), -1);
}

static void
test_limits(void **state)
{
    char text[2 * JSON_DEPTH_MAX + 3];
    struct err e = ERR_INIT;
    char *big;

    (void)state;
    for (unsigned n = JSON_DEPTH_MAX; n <= JSON_DEPTH_MAX + 1; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        assert_int_equal(json_canon_check(span_from(text, 2 * n), &e),
                         n <= JSON_DEPTH_MAX ? 0 : -1);
    }
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(e.pos, JSON_DEPTH_MAX);
    big = malloc(JSON_TEXT_MAX + 1);
    memset(big, 'x', JSON_TEXT_MAX + 1);
    big[0] = big[JSON_TEXT_MAX - 1] = '"';
    assert_int_equal(json_canon_check(span_from(big, JSON_TEXT_MAX), &e), 0);
    big[JSON_TEXT_MAX - 1] = 'x';
    big[JSON_TEXT_MAX] = '"';
    assert_int_equal(json_canon_check(span_from(big, JSON_TEXT_MAX + 1), &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    free(big);
}

static void
test_pull(void **state)
{
    static const struct {
        enum json_token token;
        unsigned depth;
        const char *key;
        const char *raw;
        bool escaped;
    } want[] = {
        {JSON_T_BEGIN_OBJECT, 0, NULL, NULL, false},
        {JSON_T_BEGIN_ARRAY, 1, "a", NULL, false},
        {JSON_T_NUMBER, 2, NULL, "1.5", false},
        {JSON_T_BEGIN_OBJECT, 2, NULL, NULL, false},
        {JSON_T_END_OBJECT, 2, NULL, NULL, false},
        {JSON_T_TRUE, 2, NULL, NULL, false},
        {JSON_T_END_ARRAY, 1, NULL, NULL, false},
        {JSON_T_STRING, 1, "b\\n", "x\\u0001y\\\"", true},
        {JSON_T_STRING, 1, "c", "", false},
        {JSON_T_NULL, 1, "d", NULL, false},
        {JSON_T_FALSE, 1, "e", NULL, false},
        {JSON_T_END_OBJECT, 0, NULL, NULL, false},
        {JSON_T_END, 0, NULL, NULL, false},
        {JSON_T_END, 0, NULL, NULL, false},
    };
    static const char text[] = "{\"a\":[1.5,{},true],\"b\\n\":\"x\\u0001y\\\"\",\"c\":\"\","
                               "\"d\":null,\"e\":false}";
    struct json_canon c;
    char plain[20];

    (void)state;
    json_canon_init(&c, span_of(text), NULL);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_int_equal(json_canon_next(&c), want[i].token);
        assert_int_equal(c.depth, want[i].depth);
        assert_true((c.key.p != NULL) == (want[i].key != NULL));
        assert_true(want[i].key == NULL || span_is(c.key, want[i].key));
        assert_true((c.raw.p != NULL) == (want[i].raw != NULL));
        assert_true(want[i].raw == NULL || span_is(c.raw, want[i].raw));
        assert_true(c.escaped == want[i].escaped);
    }
    json_canon_init(&c, span_of(text), NULL);
    assert_int_equal(json_canon_skip(&c), 0); /* before the first token: nothing */
    json_canon_next(&c);
    json_canon_next(&c);
    assert_int_equal(json_canon_skip(&c), 0); /* "a" */
    assert_int_equal(json_canon_skip(&c), 0); /* behind an END token: nothing */
    assert_int_equal(json_canon_next(&c), JSON_T_STRING);
    assert_int_equal(json_canon_unescape(c.raw, plain), 4);
    assert_memory_equal(plain, "x\1y\"", 4);
    assert_true(json_canon_is(c.key, "b\n"));
    assert_false(json_canon_is(c.key, "b"));
    assert_false(json_canon_is(c.key, "b\nx"));
    json_canon_init(&c, SPAN("[[1,[2]],3]"), NULL);
    json_canon_next(&c);
    assert_int_equal(json_canon_skip(&c), 0);
    assert_int_equal(json_canon_next(&c), JSON_T_END);
    json_canon_init(&c, SPAN("[[1,[ 2]],3]"), NULL);
    json_canon_next(&c);
    json_canon_next(&c);
    assert_int_equal(json_canon_skip(&c), -1);
    assert_int_equal(json_canon_next(&c), JSON_T_FAILED);
    assert_int_equal(json_canon_skip(&c), -1);
}

/* A random value, written with random white space and escapes, names in any order. */
static void
put_random(struct check_random *r, struct buf *b, unsigned depth)
{
    static const char *const scalars[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.50",
        "1E3",
        "123456789012345680",
        "5e-324",
        "1e21",
        "\"\"",
        "\"a\"",
        "\"\\u0000\\/\\u00e9\"",
        "\"\xe0\xb8\x81\"",
        "\"\\ud83d\\ude00\"",
        "\"\\\\\\\"\\n\"",
    };
    static const char *const names[] = {
        "\"a\"",
        "\"b\"",
        "\"\\u0063\"",
        "\"\"",
        "\"ab\"",
        "\"\\n\"",
        "\"\xf0\x9f\x98\x80\"",
        "\"\xef\xac\xb3\"",
        "\"\\u0000\"",
        "\"a long name of a member\"",
        "\"a long name of another\"",
    };
    static const char *const gaps[] = {"", "", "", " ", "\n\t"};
    uint64_t x = check_next(r);
    unsigned n = (unsigned)(x >> 8 & 3);
    bool object = (x >> 16 & 1) != 0;

    if (depth == 0 || x % 3 == 0) {
        buf_str(b, scalars[(x >> 20) % (sizeof scalars / sizeof scalars[0])]);
        return;
    }
    buf_str(b, object ? "{" : "[");
    for (unsigned i = 0; i < n; i++) {
        buf_str(b, i > 0 ? "," : "");
        buf_str(b, gaps[check_next(r) % 5]);
        if (object) {
            /* a step that divides no part of the number of names: never the same one twice */
            buf_str(b, names[((x >> 30) + i * 3) % (sizeof names / sizeof names[0])]);
            buf_str(b, gaps[check_next(r) % 5]);
            buf_str(b, ":");
        }
        put_random(r, b, depth - 1);
        buf_str(b, gaps[check_next(r) % 5]);
    }
    buf_str(b, object ? "}" : "]");
}

static bool
is_own_canonical_form(struct span text)
{
    struct buf b;
    const struct json *v = json_parse(parser, text, arena, NULL);
    bool same = false;

    buf_init(&b, 1 << 20);
    if (v != NULL) {
        json_canonical(v, &b);
        same = !b.failed && span_eq(buf_view(&b), text);
    }
    buf_clear(&b);
    arena_reset(arena);
    return same;
}

/* The canonical form of anything is accepted by the strict reader; and of all its neighbours at
 * the distance of one byte, it accepts exactly those that are their own canonical form. */
static void
test_agree(void **state)
{
    static const char bytes[] = "\0 \t\n\"\\/,:[]{}-+.eE019au\x7f\x80\xc3\xe0\xed\xf0\xff";
    struct check_random r = check_seed("canonical");
    unsigned accepted = 0;

    (void)state;
    for (int round = 0; round < 1500; round++) {
        struct err e = ERR_INIT;
        struct buf in;
        struct buf out;
        const struct json *v;

        buf_init(&in, 1 << 20);
        buf_init(&out, 1 << 20);
        put_random(&r, &in, 4);
        v = json_parse(parser, buf_view(&in), arena, &e);
        if (v == NULL)
            fail_msg("%.*s: %s", (int)in.n, in.p, e.text);
        json_canonical(v, &out);
        arena_reset(arena);
        if (json_canon_check(buf_view(&out), &e) < 0)
            fail_msg("%.*s: %s (%zu)", (int)out.n, out.p, e.text, e.pos);
        for (int m = 0; m < 60; m++) {
            uint64_t x = check_next(&r);
            size_t at = (x >> 8) % out.n;
            char was = out.p[at];
            bool ok;

            out.p[at] = (x & 1) != 0 ? (char)(x >> 40) : bytes[(x >> 40) % (sizeof bytes - 1)];
            ok = json_canon_check(buf_view(&out), NULL) == 0;
            if (ok != is_own_canonical_form(buf_view(&out)))
                fail_msg("%.*s: %d", (int)out.n, out.p, ok);
            accepted += ok && out.p[at] != was;
            out.p[at] = was;
        }
        buf_clear(&in);
        buf_clear(&out);
    }
    assert_true(accepted > 1000); /* the test looks at both sides */
}

static char *
slurp(const char *sub, const char *name, size_t *n)
{
    char path[1200];
    char file[300];
    char *text;
    FILE *f;

    snprintf(file, sizeof file, "jcs/%s/%s", sub, name);
    assert_true(check_data(file, path, sizeof path));
    f = fopen(path, "rb");
    assert_non_null(f);
    text = malloc(1 << 20);
    *n = fread(text, 1, 1 << 20, f);
    fclose(f);
    return text;
}

/* The vectors of the RFC's author, where they are at hand. */
static void
test_vectors(void **state)
{
    static const char *const names[] = {"arrays.json",  "french.json", "structures.json",
                                        "unicode.json", "values.json", "weird.json"};
    char path[1200];

    (void)state;
    if (!check_data("jcs/input/arrays.json", path, sizeof path)) {
        print_message("# skipped: no published vectors at hand (JAGA_DATA)\n");
        return; /* cmocka 1.1.5 prints "not ok # SKIP", which counts as failed */
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf out;
        size_t n;
        size_t want_n;
        char *text = slurp("input", names[i], &n);
        char *want = slurp("output", names[i], &want_n);
        const struct json *v = json_parse(parser, span_from(text, n), arena, NULL);

        while (want_n > 0 && (want[want_n - 1] == '\n' || want[want_n - 1] == '\r'))
            want_n--;
        assert_non_null(v);
        buf_init(&out, 1 << 20);
        json_canonical(v, &out);
        if (!span_eq(buf_view(&out), span_from(want, want_n)))
            fail_msg("%s", names[i]);
        assert_int_equal(json_canon_check(buf_view(&out), NULL), 0);
        buf_clear(&out);
        free(text);
        free(want);
        arena_reset(arena);
    }
}

static void
test_put_string(void **state)
{
    struct buf b;

    (void)state;
    /* Each byte that needs an escape, at each place of a longer text. */
    for (unsigned c = 0; c < 0x80; c++) {
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            char back[20];
            struct json_canon k;

            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            buf_init(&b, 200);
            json_put_string(&b, span_from(text, sizeof text));
            json_canon_init(&k, buf_view(&b), NULL);
            assert_int_equal(json_canon_next(&k), JSON_T_STRING);
            assert_true(k.escaped == (c < 0x20 || c == '"' || c == '\\'));
            assert_int_equal(json_canon_unescape(k.raw, back), sizeof text);
            assert_memory_equal(back, text, sizeof text);
            assert_int_equal(json_canon_next(&k), JSON_T_END);
            buf_clear(&b);
        }
    }
    for (size_t cap = 0; cap < 12;
         cap++) { /* a buffer that ends anywhere fails, and never overflows */
        char mem[16];

        buf_init_fixed(&b, mem, cap);
        json_put_string(&b, SPAN("ab\ncd\x01"));
        assert_true(b.failed);
        buf_init_fixed(&b, mem, cap);
        json_put_string(&b, SPAN("abcdefgh"));
        assert_true(b.failed == (cap < 10));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_pull),    cmocka_unit_test(test_agree),
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_put_string),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
