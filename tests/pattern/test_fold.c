/* Folding: case, composition, gaps. */
#include "check.h"

#include "fold.h"
#include "utf8.h"

struct row {
    const char *in, *text, *words;
};

static const struct row rows[] = {
    {"", "", ""},
    {"   ", "   ", ""},
    {"Hello, World!", "hello, world!", "hello world"},
    {"--a--", "--a--", "a"},
    {"a\tb\nc", "a\tb\nc", "a b c"},
    {"hóa_đơn.PDF.exe", "hóa_đơn.pdf.exe", "hóa đơn pdf exe"},
    {"HÓA ĐƠN", "hóa đơn", "hóa đơn"},
    /* Vietnamese, decomposed in the canonical order and in others */
    {"ho\u0301a \u0111o\u031bn", "hóa đơn", "hóa đơn"},
    {"vie\u0323\u0302t", "việt", "việt"},
    {"vie\u0302\u0323t", "việt", "việt"},
    {"vi\u1eb9\u0302t", "việt", "việt"},
    {"vi\u00ea\u0323t", "việt", "việt"},
    {"VIE\u0302\u0323T", "việt", "việt"},
    {"\u0110u\u031bo\u031b\u0300ng", "đường", "đường"},
    {"\u0110u\u031bo\u0300\u031bng", "đường", "đường"},
    {"Nguye\u0302\u0303n", "nguyễn", "nguyễn"},
    {"a\u0306\u0323", "ặ", "ặ"},
    /* marks of one class keep their order: acute and breve is not breve and acute */
    {"a\u0301\u0306", "á\u0306", "á\u0306"},
    /* a mark with no base, and one that no letter takes */
    {"\u0301a", "\u0301a", "\u0301a"},
    {"q\u0301", "q\u0301", "q\u0301"},
    /* other scripts with case */
    {"ΣΊΣΥΦΟΣ", "σίσυφοσ", "σίσυφοσ"},
    {"σίσυφος", "σίσυφοσ", "σίσυφοσ"},
    {"ЖЁЛТЫЙ", "жёлтый", "жёлтый"},
    {"е\u0308", "ё", "ё"},
    {"ＡＢＣ１２３", "abc123", "abc123"},
    {"ｅｖｉｌ．example", "evil.example", "evil example"},
    {"Straße", "straße", "straße"},
    {"STRAẞE", "straße", "straße"},
    {"İstanbul", "istanbul", "istanbul"},
    {"\u212a\u212b", "kå", "kå"},
    /* scripts without case are untouched */
    {"ธนาคาร พัสดุ", "ธนาคาร พัสดุ", "ธนาคาร พัสดุ"},
    {"น\u0e4d\u0e32", "นำ", "นำ"},
    {"កម្ពុជា។ ភ្នំ", "កម្ពុជា។ ភ្នំ", "កម្ពុជា ភ្នំ"},
    {"မြန်မာ၊ ရန်ကုန်", "မြန်မာ၊ ရန်ကုန်", "မြန်မာ ရန်ကုန်"},
    {"ລາວ", "ລາວ", "ລາວ"},
    {"钓鱼，网站", "钓鱼,网站", "钓鱼 网站"},
    {"钓鱼。网站", "钓鱼。网站", "钓鱼 网站"},
    {"தமிழ்", "தமிழ்", "தமிழ்"},
    {"\u0b95\u0bc6\u0bbe", "\u0b95\u0bca", "\u0b95\u0bca"},
    /* invisible characters */
    {"ev\u200bil", "evil", "evil"},
    {"e\u00advil\ufeff", "evil", "evil"},
    {"क\u200dष", "कष", "कष"},
    {"vie\u200b\u0302\u0323t", "việt", "việt"},
    /* bytes that are no UTF-8 */
    {"a\xff"
     "b",
     "a\ufffdb", "a b"},
    {"\xc3", "\ufffd", ""},
    {"“quoted” — text…", "“quoted” — text…", "quoted text"},
    {"C2:\\Users", "c2:\\users", "c2 users"},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf a, b;
        buf_init(&a, 4096);
        buf_init(&b, 4096);
        fold_text(span_of(rows[i].in), &a);
        fold_words(span_of(rows[i].in), &b);
        if (!span_is(buf_view(&a), rows[i].text) || !span_is(buf_view(&b), rows[i].words))
            fail_msg("row %zu: text <%.*s>, words <%.*s>", i, (int)a.n, a.p, (int)b.n, b.p);
        buf_clear(&a);
        buf_clear(&b);
    }
}

/* Each code point: folding twice is folding once, and lower case exists. */
static void
test_stable(void **state)
{
    size_t changed = 0;

    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        uint32_t f = fold_char(cp);
        char c[4];
        assert_int_equal(fold_char(f), f);
        changed += f != cp;
        if (utf8_put(cp, c) != 0)
            assert_true(utf8_put(f, c) != 0);
        assert_false(fold_ignored(cp) && cp < 0x80);
    }
    /* ASCII 26, full width 94 and its capitals' own, the space, and the table. */
    assert_true(changed > 600 && changed < 900);
    assert_int_equal(fold_compose('a', 'b'), 0);
    assert_int_equal(fold_compose(0x111, 0x301), 0);
    assert_int_equal(fold_compose('o', 0x31b), 0x1a1);
    assert_int_equal(fold_compose(0x1ed9, 0x323), 0);
}

/* Given piece by piece or at once, the same comes out. */
static void
test_pieces(void **state)
{
    struct check_random r = check_seed("fold pieces");

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char text[64];
        size_t n = check_next(&r) % sizeof(text);
        for (size_t i = 0; i < n; i++) {
            static const char pool[] = "aAeo \xcc\x81\xcc\x9b\xcc\xa3_\xe2\x80\x8bK\xc4\x90.";
            text[i] = pool[check_next(&r) % (sizeof(pool) - 1)];
        }
        bool words = check_next(&r) % 2 == 0;
        struct fold a = fold_begin(span_from(text, n), words);
        struct fold b = a;
        uint32_t all[80], one;
        size_t count = fold_fill(&a, all, 80), k = 0;
        while ((one = fold_next(&b)) != FOLD_END) {
            assert_true(k < count);
            assert_int_equal(one, all[k]);
            k++;
        }
        assert_int_equal(k, count);
        assert_int_equal(fold_next(&b), FOLD_END);
        if (words && count > 0) {
            assert_int_not_equal(all[0], ' ');
            assert_int_not_equal(all[count - 1], ' ');
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_stable),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests_name("pattern/fold", tests, NULL, NULL);
}
