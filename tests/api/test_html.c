/* What comes from outside leaves as text, whatever it is. */
#include "check.h"

#include "html.h"
#include "utf8.h"

static void
text(void **state)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        {"plain", "plain"},
        {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"\" onload='x'", "&quot; onload=&#39;x&#39;"},
        {"a&amp;b", "a&amp;amp;b"},
        {"\xe0\xb9\x84\xe0\xb8\x97\xe0\xb8\xa2", "\xe0\xb9\x84\xe0\xb8\x97\xe0\xb8\xa2"},
        {"zero\xe2\x80\x8bwidth", "zero\xe2\x80\x8bwidth"}, /* Khmer and Thai break lines by it */
        {"tab\tline\n", "tab\tline\n"},
        {"bell\a", "bell\xef\xbf\xbd"},
        {"esc\x1b[0m", "esc\xef\xbf\xbd[0m"},
        {"del\x7f", "del\xef\xbf\xbd"},
        {"c1\xc2\x85", "c1\xef\xbf\xbd"},
        {"exe\xe2\x80\xae"
         "fdp",
         "exe\xef\xbf\xbd"
         "fdp"}, /* RLO turns a file's name round */
        {"\xe2\x80\xaa\xe2\x81\xa9", "\xef\xbf\xbd\xef\xbf\xbd"}, /* LRE, PDI */
        {"bad\xff", "bad\xef\xbf\xbd"},
        {"cut\xe0\xb9", "cut\xef\xbf\xbd\xef\xbf\xbd"},
        {"over\xc0\xbc", "over\xef\xbf\xbd\xef\xbf\xbd"}, /* an overlong '<' */
        {"half\xed\xa0\x80", "half\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct buf b;

        buf_init(&b, 1000);
        html_text(&b, span_of(t[i].in));
        buf_u8(&b, 0);
        assert_string_equal(b.p, t[i].out);
        buf_clear(&b);
    }
}

static void
nul(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    html_text(&b, SPAN("a\0b"));
    assert_true(span_is(buf_view(&b), "a\xef\xbf\xbd"
                                      "b"));
    buf_clear(&b);
}

static void
links(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    html_link(&b, "/object/", SPAN("a\"><b>/../?x=1&y#\xe2\x80\xae"), "?exercise=1", SPAN("<i>"));
    assert_true(span_is(buf_view(&b), "<a href=\"/object/a%22%3E%3Cb%3E%2F..%2F%3Fx%3D1%26y%23"
                                      "%E2%80%AE?exercise=1\" dir=\"auto\">&lt;i&gt;</a>"));
    buf_reset(&b);
    html_element(&b, "td", "class=\"v\"", SPAN("\"<"));
    assert_true(span_is(buf_view(&b), "<td class=\"v\" dir=\"auto\">&quot;&lt;</td>"));
    buf_reset(&b);
    html_element(&b, "td", NULL, SPAN(""));
    html_pair(&b, "n", SPAN("<"));
    html_number(&b, -5);
    assert_true(span_is(buf_view(&b), "<td dir=\"auto\"></td><tr><th scope=\"row\">n</th>"
                                      "<td dir=\"auto\">&lt;</td></tr>\n-5"));
    buf_clear(&b);
}

/* Any bytes at all: UTF-8 comes out, and nothing that a browser would take for markup. */
static void
any_bytes(void **state)
{
    struct check_random r = check_seed("html");

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char in[64];
        size_t n = check_next(&r) % sizeof in, bad;
        struct buf b;

        for (size_t k = 0; k < n; k++) {
            uint64_t v = check_next(&r);
            in[k] = v & 1024 ? "<>&\"'\xe2\x80\xae\xc0"[v % 9] : (char)(v >> 20);
        }
        buf_init(&b, 1000);
        html_text(&b, span_from(in, n));
        assert_true(utf8_valid(buf_view(&b), &bad));
        for (size_t k = 0; k < b.n; k++) {
            assert_null(memchr("<>\"'", b.p[k], 4));
            if (b.p[k] == '&')
                assert_true(k + 3 < b.n && memchr("algq#", b.p[k + 1], 5) != NULL);
        }
        buf_reset(&b);
        html_url_part(&b, span_from(in, n));
        for (size_t k = 0; k < b.n; k++)
            assert_true(b.p[k] == '%' || strchr("-._~", b.p[k]) != NULL ||
                        (b.p[k] >= '0' && b.p[k] <= '9') || (b.p[k] >= 'A' && b.p[k] <= 'Z') ||
                        (b.p[k] >= 'a' && b.p[k] <= 'z'));
        buf_clear(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(nul),
        cmocka_unit_test(links),
        cmocka_unit_test(any_bytes),
    };

    return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
