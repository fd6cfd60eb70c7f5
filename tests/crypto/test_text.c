/* Hexadecimal and Base64: one reading for each text, and everything else refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "crypto.h"

#define MOST 8192

static void
hex_table(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        bool ok;
    } table[] = {
        {"", 0, true},       {"00", 1, true},
        {"ff", 1, true},     {"FF", 1, true},
        {"aBcD09", 3, true}, {"0", 0, false},
        {"0", 1, false},     {"00", 0, false},
        {"00", 2, false},    {"000", 1, false},
        {"0000", 1, false},  {"0g", 1, false},
        {"g0", 1, false},    {" 00", 1, false},
        {"0 ", 1, false},    {"0x00", 2, false},
        {"00 0", 2, false},  {"00:00", 2, false},
        {"-1", 1, false},    {"+1", 1, false},
        {"/0", 1, false},    {":0", 1, false},
        {"@0", 1, false},    {"`0", 1, false},
        {"G0", 1, false},    {"0\xef\xbc\x91", 2, false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t out[4] = {9, 9, 9, 9};

        if (hex_read(span_of(table[i].text), out, table[i].n) != table[i].ok)
            fail_msg("\"%s\"", table[i].text);
        if (!table[i].ok)
            assert_memory_equal(out, "\x09\x09\x09\x09", 4); /* nothing is written on failure */
    }
    assert_false(hex_read(SPAN("0\0"), (uint8_t[1]){0}, 1));
    assert_false(hex_read(SPAN("00"), NULL, SIZE_MAX / 2 + 2)); /* twice that is 2 */
}

static void
base64_vectors(void **state)
{
    static const struct {
        const char *plain, *text, *url;
    } table[] = {
        /* RFC 4648 section 10 */
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/", "-_-_"},
        {"user:pass", "dXNlcjpwYXNz", "dXNlcjpwYXNz"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct span plain = span_of(table[i].plain);
        struct buf b;

        buf_init(&b, MOST);
        base64_put(&b, plain.p, plain.n);
        assert_true(span_is(buf_view(&b), table[i].text));
        buf_reset(&b);
        base64url_put(&b, plain.p, plain.n);
        assert_true(span_is(buf_view(&b), table[i].url));
        buf_reset(&b);
        assert_true(base64_read(span_of(table[i].text), &b));
        assert_true(span_eq(buf_view(&b), plain));
        buf_reset(&b);
        assert_true(base64url_read(span_of(table[i].url), &b));
        assert_true(span_eq(buf_view(&b), plain));
        buf_clear(&b);
    }
}

static void
base64_is_strict(void **state)
{
    static const char *const bad[] = {
        "Z",
        "Zg",
        "Zg=",
        "Zg===",
        "Zg====",
        "=",
        "==",
        "====",
        "A===",
        "Zh==",
        "Zm9=",
        "Zm8",
        "Zm8==",
        "Zm9v=",
        "Zm9v==",
        "Zm9v====",
        "Zg==Zg==",
        "Z=g=",
        "=Zg=",
        "Zg=v",
        " Zg==",
        "Zg== ",
        "Zg==\n",
        "Zm\n9v",
        "Zm 9v",
        "Zm9v\r\n",
        "-_-_",
        "+/-_",
        "Zm9*",
        "Zm9.",
        "Zm9\x80",
        "\xff\xff\xff\xff",
        "Zm9v\xe2\x80\x8b",
        "Zm9vZ",
        "Zm9vZ===",
        "/x==",
        "//9=",
    };
    static const char *const bad_url[] = {
        "Z",    "Zg==", "Zg=",  "Zh", "Zm9", "Zm9v=", "+/+/", "-_+/", "Zm9vZ", " Zg",   "Zg ",
        "Zg\n", "Z g",  "Zm9*", "=",  "A",   "A=",    "_x",   "__9",  "Zm8=",  "Zm9v.", "\x80Zg",
    };
    struct buf b;
    (void)state;

    buf_init(&b, MOST);
    buf_str(&b, "kept");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (base64_read(span_of(bad[i]), &b))
            fail_msg("\"%s\" was read", bad[i]);
    for (size_t i = 0; i < sizeof bad_url / sizeof bad_url[0]; i++)
        if (base64url_read(span_of(bad_url[i]), &b))
            fail_msg("\"%s\" was read", bad_url[i]);
    assert_false(base64_read(SPAN("Zm\0v"), &b));
    assert_false(base64_read(SPAN("Zg=\0"), &b));
    assert_false(base64url_read(SPAN("Zg\0"), &b));
    assert_true(span_is(buf_view(&b), "kept"));
    assert_false(b.failed);
    buf_clear(&b);
}

/* Every text of four characters over an alphabet with the troublesome ones: what is read must be
 * written again as the same text. */
static void
base64_has_one_reading(void **state)
{
    static const char letters[] = "AZBgw09+/-_= \n";
    char text[4];
    (void)state;

    for (unsigned v = 0; v < 14 * 14 * 14 * 14; v++) {
        struct buf b, again;
        char mem[8], mem2[8];
        unsigned left = v;

        for (int i = 0; i < 4; i++, left /= 14)
            text[i] = letters[left % 14];
        for (size_t n = 1; n <= 4; n++) {
            buf_init_fixed(&b, mem, sizeof mem);
            buf_init_fixed(&again, mem2, sizeof mem2);
            if (base64_read(span_from(text, n), &b)) {
                base64_put(&again, b.p, b.n);
                assert_true(span_eq(buf_view(&again), span_from(text, n)));
            }
            buf_init_fixed(&b, mem, sizeof mem);
            buf_init_fixed(&again, mem2, sizeof mem2);
            if (base64url_read(span_from(text, n), &b)) {
                base64url_put(&again, b.p, b.n);
                assert_true(span_eq(buf_view(&again), span_from(text, n)));
            }
        }
    }
}

/* Every byte at every place of "Zm9v": only the 64 letters of the alphabet are taken. */
static void
base64_takes_no_other_byte(void **state)
{
    (void)state;

    for (size_t at = 0; at < 4; at++) {
        unsigned taken = 0, taken_url = 0;

        for (unsigned c = 0; c < 256; c++) {
            char text[] = "Zm9v", mem[8];
            struct buf b;

            text[at] = (char)c;
            buf_init_fixed(&b, mem, sizeof mem);
            taken += base64_read(span_from(text, 4), &b);
            buf_init_fixed(&b, mem, sizeof mem);
            taken_url += base64url_read(span_from(text, 4), &b);
        }
        /* In the last place '=' is padding, and "Zm9=" is refused for its left-over bits. */
        assert_int_equal(taken, 64);
        assert_int_equal(taken_url, 64);
    }
}

static void
all_lengths_come_back(void **state)
{
    uint8_t in[2000], hex_back[2000];
    struct buf text, back;
    (void)state;

    random_bytes(in, sizeof in);
    buf_init(&text, MOST);
    buf_init(&back, MOST);
    for (size_t n = 0; n <= sizeof in; n += n < 100 ? 1 : 97) {
        buf_reset(&text);
        buf_reset(&back);
        base64_put(&text, in, n);
        assert_true(base64_read(buf_view(&text), &back));
        assert_true(span_eq(buf_view(&back), span_from(in, n)));
        buf_reset(&text);
        buf_reset(&back);
        base64url_put(&text, in, n);
        assert_true(base64url_read(buf_view(&text), &back));
        assert_true(span_eq(buf_view(&back), span_from(in, n)));
        buf_reset(&text);
        hex_put(&text, in, n);
        assert_int_equal(text.n, 2 * n);
        assert_true(hex_read(buf_view(&text), hex_back, n));
        assert_memory_equal(hex_back, in, n);
    }
    buf_clear(&text);
    buf_clear(&back);
}

/* A buffer that just holds the result is enough; one byte less is an error. */
static void
room_is_counted_exactly(void **state)
{
    char mem[16];
    struct buf b;
    (void)state;

    buf_init_fixed(&b, mem, 4);
    assert_true(base64_read(SPAN("Zm9vYg=="), &b));
    buf_init_fixed(&b, mem, 3);
    assert_false(base64_read(SPAN("Zm9vYg=="), &b));
    buf_init_fixed(&b, mem, 4);
    assert_true(base64url_read(SPAN("Zm9vYg"), &b));
    buf_init_fixed(&b, mem, 8);
    base64_put(&b, "foob", 4);
    assert_false(b.failed);
    buf_init_fixed(&b, mem, 7);
    base64_put(&b, "foob", 4);
    assert_true(b.failed);
    buf_init_fixed(&b, mem, 8);
    hex_put(&b, "foob", 4);
    assert_false(b.failed);
    buf_init_fixed(&b, mem, 7);
    hex_put(&b, "foob", 4);
    assert_true(b.failed);
}

static int
start(void **state)
{
    (void)state;
    return crypto_start(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_table),
        cmocka_unit_test(base64_vectors),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(base64_has_one_reading),
        cmocka_unit_test(base64_takes_no_other_byte),
        cmocka_unit_test(all_lengths_come_back),
        cmocka_unit_test(room_is_counted_exactly),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
