/* Trigrams and queries. */
#include "check.h"

#include "fold.h"
#include "mem.h"
#include "trigram.h"

static bool
has_all(const uint32_t *set, size_t n, const struct trigram_query *q)
{
    for (size_t i = 0; i < q->gram_count; i++) {
        bool found = false;
        for (size_t k = 0; k < n && !found; k++)
            found = set[k] == q->grams[i];
        if (!found)
            return false;
    }
    return q->gram_count > 0;
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* The list, after a look whether the same without an order holds the same. */
static const uint32_t *
same_items(struct trigram_set *s, size_t *n)
{
    const uint32_t *items = trigram_items(s, n);
    uint32_t *copy = malloc((*n + 1) * sizeof(*copy));
    size_t listed;

    assert_non_null(copy);
    memcpy(copy, items, *n * sizeof(*copy));
    qsort(copy, *n, sizeof(*copy), by_number);
    const uint32_t *list = trigram_list(s, &listed);
    assert_int_equal(listed, *n);
    assert_memory_equal(copy, list, *n * sizeof(*copy));
    free(copy);
    return list;
}

/* What an index and the final check would say together. */
static bool
finds(const char *text, const char *query)
{
    struct trigram_set *s = trigram_new();
    struct trigram_query q;
    struct err e = ERR_INIT;
    struct buf b;
    size_t n;

    assert_int_equal(trigram_add(s, span_of(text)), 0);
    assert_int_equal(trigram_query(span_of(query), &q, &e), 0);
    const uint32_t *set = same_items(s, &n);
    bool candidate = has_all(set, n, &q);
    buf_init(&b, 1u << 20);
    bool match = trigram_match(&q, span_of(text), &b);
    /* The index may never lose what the check would find. */
    assert_true(candidate || !match);
    buf_clear(&b);
    trigram_query_clear(&q);
    trigram_free(s);
    return candidate && match;
}

static const struct {
    const char *text, *query;
    bool found;
} rows[] = {
    {"Lazarus Group", "lazarus", true},
    {"Lazarus Group", "ZARUS", true},
    {"Lazarus Group", "us gr", true},
    {"Lazarus Group", "us-gr", true},
    {"Lazarus Group", "usgr", false},
    {"Lazarus Group", "lazarus  group", true},
    {"Lazarus Group", "", false},
    {"Lazarus Group", "...", false},
    {"", "lazarus", false},
    {"hóa_đơn.pdf.exe", "hóa đơn", true},
    {"ho\u0301a_\u0111o\u031bn.pdf.exe", "HÓA ĐƠN", true},
    {"hóa_đơn.pdf.exe", "hoa don", false},
    {"the C2 server", "c2", true},
    {"the C2", "c2", true},
    {"C2", "c2", true},
    {"the CC2x server", "c2", false},
    {"a b c", "b", true},
    {"abc", "b", false},
    {"แจ้งพัสดุตกค้างทางข้อความ", "พัสดุ", true},
    {"แจ้งพัสดุตกค้างทางข้อความ", "ธนาคาร", false},
    {"ការព្រមានអំពីមេរោគ", "មេរោគ", true},
    {"ແຈ້ງເຕືອນໄພຄຸກຄາມ", "ໄພຄຸກຄາມ", true},
    {"ဆိုက်ဘာလုံခြုံရေး", "လုံခြုံရေး", true},
    {"ဆိုက်ဘာလုံခြုံရေး", "မြန်မာ", false},
    {"இணைய பாதுகாப்பு", "பாதுகாப்பு", true},
    {"新加坡钓鱼网站警告", "钓鱼", true},
    {"新加坡钓鱼网站警告", "钓鱼网", true},
    {"新加坡钓鱼网站警告", "网钓", false},
    {"新加坡钓鱼网站警告", "鱼", false},
    {"警 告", "告", true},
    {"198.51.100.7 seen", "198.51.100", true},
    {"evil.example", "evil[.]example", true},
    {"parcel-th.example", "parcel-th", true},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (finds(rows[i].text, rows[i].query) != rows[i].found)
            fail_msg("row %zu: <%s> in <%s>", i, rows[i].query, rows[i].text);
    }
}

static void
test_set(void **state)
{
    struct trigram_set *s = trigram_new();
    size_t n;

    (void)state;
    trigram_list(s, &n);
    assert_int_equal(n, 0);
    assert_int_equal(trigram_add(s, SPAN("aaaa")), 0);
    const uint32_t *g = same_items(s, &n);
    /* " aa", "aaa", "aa " */
    assert_int_equal(n, 3);
    assert_int_equal(g[0], ' ' << 14 | 'a' << 7 | 'a');
    assert_int_equal(g[1], 'a' << 14 | 'a' << 7 | ' ');
    assert_int_equal(g[2], 'a' << 14 | 'a' << 7 | 'a');
    /* Two texts form none across them; adding after listing works. */
    assert_int_equal(trigram_add(s, SPAN("b")), 0);
    assert_int_equal(trigram_add(s, SPAN("aaaa")), 0);
    g = same_items(s, &n);
    assert_int_equal(n, 4);
    trigram_reset(s);
    trigram_list(s, &n);
    assert_int_equal(n, 0);
    trigram_free(s);
    trigram_free(NULL);
}

/* Against a plain reading of the rule: every three code points of the padded folded text. */
static void
test_random(void **state)
{
    static const char *const pool[] = {"a", "B",  " ",  "-",       "ế", "ก",
                                       "ำ", "钓", "鱼", "e\u0301", "7"};
    struct check_random r = check_seed("trigrams");
    struct trigram_set *s = trigram_new();
    char *text = mem_alloc(8u * 3000);

    (void)state;
    for (int round = 0; round < 300; round++) {
        size_t len = check_next(&r) % (round % 10 == 0 ? 3000 : 60), n = 0, count;
        for (size_t i = 0; i < len; i++) {
            const char *c = pool[check_next(&r) % (sizeof(pool) / sizeof(pool[0]))];
            memcpy(text + n, c, strlen(c));
            n += strlen(c);
        }
        trigram_reset(s);
        assert_int_equal(trigram_add(s, span_from(text, n)), 0);
        const uint32_t *g = same_items(s, &count);
        for (size_t i = 1; i < count; i++)
            assert_true(g[i - 1] < g[i]);
        /* Any piece of the text is found. */
        size_t from = n == 0 ? 0 : check_next(&r) % n;
        while (from > 0 && ((unsigned char)text[from] & 0xc0) == 0x80)
            from--;
        size_t to = from;
        for (int i = 0; i < 12 && to < n; i++) {
            to++;
            while (to < n && ((unsigned char)text[to] & 0xc0) == 0x80)
                to++;
        }
        struct trigram_query q;
        struct err e = ERR_INIT;
        struct buf b;
        assert_int_equal(trigram_query(span_from(text + from, to - from), &q, &e), 0);
        buf_init(&b, 1u << 20);
        if (trigram_match(&q, span_from(text, n), &b))
            assert_true(has_all(g, count, &q));
        buf_clear(&b);
        trigram_query_clear(&q);
    }
    mem_free(text);
    trigram_free(s);
}

static void
test_limits(void **state)
{
    struct err e = ERR_INIT;
    struct trigram_query q;
    char text[TRIGRAM_QUERY_MAX + 2];
    struct trigram_set *s = trigram_new();
    size_t n;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(trigram_query(span_from(text, TRIGRAM_QUERY_MAX), &q, &e), 0);
    assert_int_equal(q.gram_count, 1);
    trigram_query_clear(&q);
    assert_int_equal(trigram_query(span_from(text, TRIGRAM_QUERY_MAX + 1), &q, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(trigram_query(SPAN("ab\xff"), &q, &e), -1);
    assert_int_equal(e.code, ERR_ENCODING);
    assert_int_equal(e.pos, 2);

    /* Letters and digits alone have fewer trigrams than are kept; Han at random has more. */
    struct check_random r = check_seed("many trigrams");
    char *big = mem_alloc(400000);
    for (size_t i = 0; i < 400000; i++)
        big[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[check_next(&r) % 36];
    assert_int_equal(trigram_add(s, span_from(big, 400000)), 0);
    trigram_list(s, &n);
    assert_true(n > 40000 && n <= 36 * 36 * 37 + 36 * 36 * 2);
    assert_false(trigram_cut(s));
    for (size_t i = 0; i + 3 <= 400000; i += 3) {
        unsigned cp = 0x4e00 + (unsigned)(check_next(&r) % 20000);
        big[i] = (char)(0xe0 | cp >> 12);
        big[i + 1] = (char)(0x80 | (cp >> 6 & 63));
        big[i + 2] = (char)(0x80 | (cp & 63));
    }
    trigram_reset(s);
    assert_int_equal(trigram_add(s, span_from(big, 399999)), 0);
    trigram_list(s, &n);
    assert_int_equal(n, TRIGRAM_MAX);
    assert_true(trigram_cut(s));
    assert_int_equal(trigram_add(s, SPAN("more")), 0);
    trigram_list(s, &n);
    assert_int_equal(n, TRIGRAM_MAX);
    mem_free(big);
    trigram_free(s);
}

static void
test_memory(void **state)
{
    (void)state;
    for (size_t nth = 1; nth < 20; nth++) {
        struct trigram_query q;
        struct err e = ERR_INIT;
        mem_fail_at(nth);
        struct trigram_set *s = trigram_new();
        bool ok = s != NULL && trigram_add(s, SPAN("some text")) == 0;
        if (ok)
            ok = trigram_query(SPAN("some"), &q, &e) == 0;
        mem_fail_at(0);
        trigram_free(s);
        if (ok) {
            trigram_query_clear(&q);
            assert_true(nth > 3);
            return;
        }
    }
    fail();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),   cmocka_unit_test(test_set),    cmocka_unit_test(test_random),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("pattern/trigram", tests, NULL, NULL);
}
