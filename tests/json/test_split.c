/* The stream splitter: every case is fed whole and in pieces of every size. */
#include "check.h"

#include "buf.h"
#include "json_split.h"
#include "mem.h"

#define MAX 40 /* bytes of one object here */

/* What was told, one line for a stream: "0@12:{...}" an object with number and position,
 * "1@30:big" one that was passed over, "end", or "CODE@pos"; then kind, type, id, spec_version. */
static const struct {
    const char *text;
    const char *told;
} cases[] = {
    /* bundles */
    {"{\"type\":\"bundle\",\"id\":\"b--1\",\"objects\":[{\"a\":1},{\"b\":[{}]}]}",
     "0@40:{\"a\":1} 1@48:{\"b\":[{}]} end bundle bundle b--1"},
    {" { \"type\" : \"bundle\" ,\n \"objects\" : [ {\"a\":1} ,\n{\"b\":2} ] , \"id\":\"x\" } \n",
     "0@38:{\"a\":1} 1@48:{\"b\":2} end bundle bundle x"},
    {"{\"id\":\"b--1\",\"objects\":[{\"a\":1}],\"type\":\"bundle\"}",
     "0@24:{\"a\":1} end bundle bundle b--1"},
    {"{\"type\":\"bundle\",\"spec_version\":\"2.0\",\"objects\":[]}", "end bundle bundle  2.0"},
    {"{\"type\":\"bundle\",\"id\":\"b--1\"}", "end bundle bundle b--1"},
    {"\xef\xbb\xbf{\"type\":\"bundle\",\"objects\":[{}]}", "0@31:{} end bundle bundle "},
    {"{\"\\u0074ype\":\"bundl\\u0065\",\"o\\u0062jects\":[{}]}", "0@43:{} end bundle bundle "},
    /* members that nobody knows, of any size and depth, are passed over */
    {"{\"type\":\"bundle\",\"x\":{\"objects\":[{\"no\":1}],\"type\":\"y\"},\"objects\":[{}]}",
     "0@66:{} end bundle bundle "},
    {"{\"x\":\"a string longer than forty bytes, with \\\" and ] and } and "
     "\\\\\",\"objects\":[{}]}",
     "0@79:{} end envelope  "},
    {"{\"type\":\"bundle\",\"x\":1e5,\"y\":null,\"z\":\"\\\\\",\"objects\":[{}],\"w\":-1}",
     "0@54:{} end bundle bundle "},
    /* envelopes */
    {"{\"objects\":[{\"a\":1}],\"more\":true,\"next\":\"n\"}", "0@12:{\"a\":1} end envelope  "},
    {"{\"objects\":[]}", "end envelope  "},
    {"{}", "end envelope  "},
    {"{\"more\":false}", "end envelope  "},
    {"{\"type\":5,\"objects\":[{}]}", "0@21:{} end envelope  "},
    /* arrays */
    {"[{\"a\":1},{\"b\":2}]", "0@1:{\"a\":1} 1@9:{\"b\":2} end array  "},
    {"[]", "end array  "},
    {" [ ] ", "end array  "},
    {"[1, \"a,]\\\"\" ,true,[{}],{}]",
     "0@1:1 1@4:\"a,]\\\"\" 2@13:true 3@18:[{}] 4@23:{} end array  "},
    /* one object; its members named type and id are its own */
    {"{\"type\":\"x\",\"id\":\"x--1\"}", "0@0:{\"type\":\"x\",\"id\":\"x--1\"} end one  "},
    {"\n{\"id\":1}\n", "0@1:{\"id\":1} end one  "},
    {"{\"a\":{\"objects\":[1]}}", "0@0:{\"a\":{\"objects\":[1]}} end one  "},
    {"{\"objects\":{\"0\":{}}}", "0@0:{\"objects\":{\"0\":{}}} end one  "},
    {"{\"type\":\"x\",\"objects\":[1]}", "0@0:{\"type\":\"x\",\"objects\":[1]} end one  "},
    {"{\"more\":1,\"x\":2}", "0@0:{\"more\":1,\"x\":2} end one  "},
    {"{\"a\":\"\\\\\\\"}{\"}", "0@0:{\"a\":\"\\\\\\\"}{\"} end one  "},
    /* lines */
    {"{\"a\":1}\n{\"b\":2}\n\n{\"c\":3}", "0@0:{\"a\":1} 1@8:{\"b\":2} 2@17:{\"c\":3} end lines  "},
    {"{\"a\":1}\r\n {\"b\":2} \r\n", "0@0:{\"a\":1} 1@10:{\"b\":2} end lines  "},
    {"{\"a\":1}\n{\"b\":\n{\"c\":3}\nzzz\n{\"d\":4}",
     "0@0:{\"a\":1} 1@8:{\"b\": 2@14:{\"c\":3} 3@22:zzz 4@26:{\"d\":4} end lines  "},
    {"{\"a\":\n1}\n{\"b\":\n2}", "0@0:{\"a\":\n1} 1@9:{\"b\":\n2} end lines  "},
    {"{\"a\":1}{\"b\":2}", "0@0:{\"a\":1} 1@7:{\"b\":2} end lines  "},
    {"{\"a\":1,,}\n{\"b\":2}", "0@0:{\"a\":1,,} 1@10:{\"b\":2} end lines  "},
    {"{x}\n{\"b\":2}", "0@0:{x} 1@4:{\"b\":2} end lines  "},
    {"{\"a\" 1}", "0@0:{\"a\" 1} end one  "},
    {"{\"a\":}", "0@0:{\"a\":} end one  "},
    {"{\"type\":\"\\x\",\"b\":[1}", "syntax@20 unknown  "},
    /* too big, and on; the limit is 40 bytes */
    {"[{\"a\":\"01234567890123456789012345678901\"},{\"b\":1}]",
     "0@1:{\"a\":\"01234567890123456789012345678901\"} 1@42:{\"b\":1} end array  "},
    {"[{\"a\":\"012345678901234567890123456789012\"},{\"b\":1}]",
     "0@1:big 1@43:{\"b\":1} end array  "},
    {"{\"a\":\"01234567890123456789012345678901234\"}\n{\"b\":1}",
     "0@0:big 1@44:{\"b\":1} end lines  "},
    {"{\"a\":1}\n{\"a\":\"01234567890123456789012345678901234\"}\n{\"b\":1}",
     "0@0:{\"a\":1} 1@8:big 2@52:{\"b\":1} end lines  "},
    /* a broken object whose end can be found */
    {"[{\"a\":},{b},{\"c\":\"\n\"}]", "0@1:{\"a\":} 1@8:{b} 2@12:{\"c\":\"\n\"} end array  "},
    /* a broken outer shape; what came before stands */
    {"", "syntax@0 unknown  "},
    {" \n", "syntax@2 unknown  "},
    {"\xef\xbb", "syntax@2 unknown  "},
    {"\xef\xbb{}", "syntax@0 unknown  "},
    {" \xef\xbb\xbf{}", "syntax@1 unknown  "},
    {"hello", "syntax@0 unknown  "},
    {"5", "syntax@0 unknown  "},
    {"]", "syntax@0 unknown  "},
    {"[{\"a\":1}", "0@1:{\"a\":1} syntax@8 array  "},
    {"[{\"a\":1},", "0@1:{\"a\":1} syntax@9 array  "},
    {"[{\"a\":1},]", "0@1:{\"a\":1} syntax@9 array  "},
    {"[,]", "syntax@1 array  "},
    {"[}", "syntax@1 array  "},
    {"[{} {}]", "0@1:{} syntax@4 array  "},
    {"[{}}", "0@1:{} syntax@3 array  "},
    {"[{}] x", "0@1:{} syntax@5 array  "},
    {"[{}][", "0@1:{} syntax@4 array  "},
    {"[{\"a\":\"", "syntax@7 array  "},
    {"[5", "syntax@2 array  "},
    {"{", "syntax@1 unknown  "},
    {"{\"a\":1", "syntax@6 unknown  "},
    {"{\"a\":1} x", "0@0:{\"a\":1} syntax@8 one  "},
    {"{\"a\":\n1}\nx", "0@0:{\"a\":\n1} syntax@9 one  "},
    {"{\"objects\":[{}", "0@12:{} syntax@14 envelope  "},
    {"{\"objects\":[{}]", "0@12:{} syntax@15 envelope  "},
    {"{\"objects\":[{}]]", "0@12:{} syntax@15 envelope  "},
    {"{\"objects\":[{}],}", "0@12:{} syntax@16 envelope  "},
    {"{\"objects\":[{}],5:1}", "0@12:{} syntax@16 envelope  "},
    {"{\"objects\":[{}],\"a\"}", "0@12:{} syntax@19 envelope  "},
    {"{\"objects\":[{}],\"a\":}", "0@12:{} syntax@20 envelope  "},
    {"{\"objects\":[{}]} {}", "0@12:{} syntax@17 envelope  "},
    {"{\"objects\":[{}]}\n{}", "0@12:{} syntax@17 envelope  "},
    {"{\"objects\":[{}],\"objects\":[{}]}", "0@12:{} duplicate@26 envelope  "},
    {"{\"objects\":[{}],\"objects\":1}", "0@12:{} duplicate@26 envelope  "},
    {"{\"objects\":[{}],\"\\u006fbjects\":1}", "0@12:{} duplicate@31 envelope  "},
    {"{\"type\":\"bundle\",\"type\":\"bundle\",\"objects\":[{}]}", "duplicate@44 bundle bundle "},
    {"{\"objects\":[{}],\"type\":\"bundle\",\"type\":\"bundle\"}",
     "0@12:{} duplicate@39 bundle bundle "},
    {"{\"id\":\"a\",\"id\":\"b\",\"objects\":[{}]}", "duplicate@30 envelope  b"},
    {"{\"objects\":[{}],\"type\":\"x\"}", "0@12:{} rule@26 envelope x "},
    {"{\"type\":\"bundle\",\"objects\":{}}", "type@27 unknown  "},
    {"{\"type\":\"bundle\" \"objects\":[]}", "syntax@17 unknown  "},
    {"{\"objects\":[],\"id\":\"\\ud800\"}", "encoding@27 envelope  "},
    {"{\"objects\":[],\"id\":\"\xff\"}", "encoding@22 envelope  "},
};

static const char *const kinds[] = {"unknown", "bundle", "envelope", "array", "one", "lines"};

/* Runs a stream through s in pieces of `piece` bytes, each in memory of its own, so that a byte
 * kept past its piece is found. */
static void
run(struct span text, size_t piece, size_t max, struct buf *told)
{
    struct json_split *s = json_split_new(max);
    struct span object;
    struct err e = ERR_INIT;
    char *copy = NULL;
    size_t at = 0;
    bool done = false;

    assert_non_null(s);
    while (!done) {
        enum json_split_event event = json_split_next(s, &object, &e);

        switch (event) {
        case JSON_SPLIT_MORE:
            free(copy);
            copy = NULL;
            if (at == text.n) {
                json_split_finish(s);
                break;
            }
            struct span part = span_part(text, at, piece);
            copy = malloc(part.n);
            memcpy(copy, part.p, part.n);
            json_split_feed(s, span_from(copy, part.n));
            at += part.n;
            break;
        case JSON_SPLIT_OBJECT:
        case JSON_SPLIT_TOO_BIG:
            buf_printf(told, "%u@%u:", (unsigned)json_split_index(s), (unsigned)json_split_pos(s));
            buf_span(told, event == JSON_SPLIT_OBJECT ? object : SPAN("big"));
            buf_str(told, " ");
            break;
        case JSON_SPLIT_END:
            buf_str(told, "end");
            done = true;
            break;
        case JSON_SPLIT_FAILED:
            assert_int_equal(json_split_next(s, &object, &e), JSON_SPLIT_FAILED);
            buf_printf(told, "%s@%zu", err_name(e.code), e.pos);
            done = true;
        }
    }
    buf_printf(told, " %s ", kinds[json_split_kind(s)]);
    buf_span(told, json_split_type(s));
    buf_str(told, " ");
    buf_span(told, json_split_id(s));
    if (json_split_spec_version(s).n != 0) {
        buf_str(told, " ");
        buf_span(told, json_split_spec_version(s));
    }
    json_split_free(s);
    free(copy);
}

static void
test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span text = span_of(cases[i].text);

        for (size_t piece = 1; piece <= text.n + 1; piece++) {
            struct buf told;

            buf_init(&told, 100000);
            run(text, piece, MAX, &told);
            if (!span_is(buf_view(&told), cases[i].told))
                fail_msg("%s\nin pieces of %zu: %.*s\nnot %s", cases[i].text, piece, (int)told.n,
                         told.p, cases[i].told);
            buf_clear(&told);
        }
    }
}

static void
test_names(void **state)
{
    char text[JSON_SPLIT_NAME_MAX + 200];
    struct buf told;

    (void)state;
    for (size_t n = JSON_SPLIT_NAME_MAX - 1; n <= JSON_SPLIT_NAME_MAX + 1; n++) {
        memset(text, 'x', sizeof text);
        memcpy(text, "{\"objects\":[],\"id\":\"", 20);
        memcpy(text + 20 + n, "\"}", 2);
        for (size_t piece = 1; piece < 400; piece += 133) {
            buf_init(&told, 1000);
            run(span_from(text, 22 + n), piece, MAX, &told);
            assert_true(span_starts(buf_view(&told), n <= JSON_SPLIT_NAME_MAX ? "end " : "limit@"));
            buf_clear(&told);
        }
    }
}

/* Random bundles: what goes in comes out, wherever the pieces are cut. */
static void
test_random(void **state)
{
    static const char *const values[] = {"1",       "\"\\\\\"",      "\"\\\"{[\"",
                                         "[[],{}]", "{\"y\":\"}\"}", "\"\xe0\xb8\x81\\\\\\\"]\"",
                                         "null",    "\"\""};
    struct check_random r = check_seed("split");

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct buf in;
        struct buf want;
        struct buf told;
        unsigned n = (unsigned)(check_next(&r) % 20);

        buf_init(&in, 1 << 20);
        buf_init(&want, 1 << 20);
        buf_init(&told, 1 << 20);
        buf_str(&in, "{\"type\":\"bundle\",\"objects\":[");
        for (unsigned i = 0; i < n; i++) {
            size_t from;

            buf_str(&in, i > 0 ? " ,\n" : "\n");
            from = in.n;
            buf_str(&in, "{\"a\":0");
            for (unsigned m = (unsigned)(check_next(&r) % 8); m > 0; m--)
                buf_printf(&in, ",\"k%u\": %s", m, values[check_next(&r) % 8]);
            buf_str(&in, "}");
            buf_printf(&want, "%u@%zu:%.*s ", i, from, (int)(in.n - from), in.p + from);
        }
        buf_str(&in, "]}");
        buf_str(&want, "end bundle bundle ");
        run(buf_view(&in), 1 + check_next(&r) % 97, 1000, &told);
        assert_true(span_eq(buf_view(&told), buf_view(&want)));
        buf_clear(&in);
        buf_clear(&want);
        buf_clear(&told);
    }
}

static void
test_memory_fails(void **state)
{
    static const char text[] = "[{\"a\":1}, {\"a\":2}]";

    (void)state;
    for (size_t n = 1; n < 4; n++) {
        struct json_split *s;
        struct span object;
        struct err e = ERR_INIT;
        enum json_split_event event;
        size_t at = 0;

        mem_fail_at(n);
        s = json_split_new(1000);
        if (s == NULL) {
            assert_int_equal(n, 1);
            continue;
        }
        while ((event = json_split_next(s, &object, &e)) != JSON_SPLIT_END &&
               event != JSON_SPLIT_FAILED) {
            if (event != JSON_SPLIT_MORE)
                continue;
            if (at == sizeof text - 1)
                json_split_finish(s);
            else
                json_split_feed(s, span_from(text + at++, 1));
        }
        mem_fail_at(0);
        assert_int_equal(event, n == 2 ? JSON_SPLIT_FAILED : JSON_SPLIT_END);
        if (n == 2)
            assert_int_equal(e.code, ERR_MEMORY);
        json_split_free(s);
    }
    mem_fail_at(0);
    json_split_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
