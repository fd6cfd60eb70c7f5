/* Sealing: what was sealed comes back, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "crypto.h"
#include "mem.h"

#define MOST 4096

static void
comes_back(void **state)
{
    static const size_t lengths[] = {0, 1, 15, 16, 17, 63, 64, 65, 1000, 4000};
    char text[MOST];
    struct key k;
    (void)state;

    key_random(&k);
    random_bytes(text, sizeof text);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const struct span plain = {text, lengths[i]};
        struct buf sealed, back;

        buf_init(&sealed, MOST + SEAL_EXTRA + 4);
        buf_init(&back, MOST + 4);
        buf_str(&sealed, "head");
        buf_str(&back, "tail");
        seal(&k, plain, SPAN("next"), &sealed);
        assert_false(sealed.failed);
        assert_int_equal(sealed.n, 4 + lengths[i] + SEAL_EXTRA);
        assert_int_equal(unseal(&k, span_part(buf_view(&sealed), 4, sealed.n), SPAN("next"), &back),
                         0);
        assert_true(span_starts(buf_view(&back), "tail"));
        assert_true(span_eq(span_part(buf_view(&back), 4, back.n), plain));
        buf_clear(&sealed);
        buf_clear(&back);
    }
}

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1 */
static void
opens_the_published_vector(void **state)
{
    static const char want[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
                               "only one tip for the future, sunscreen would be it.";
    static const char hex[] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                              "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
                              "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
                              "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                              "21f9664c97637da9768812f615c68b13b52e"
                              "c0875924c1c7987947deafd8780acf49";
    uint8_t sealed[sizeof hex / 2];
    struct key k;
    struct buf out;
    (void)state;

    for (unsigned i = 0; i < KEY_BYTES; i++)
        k.b[i] = (uint8_t)(0x80 + i);
    assert_true(hex_read(SPAN(hex), sealed, sizeof sealed));
    buf_init(&out, MOST);
    assert_int_equal(unseal(&k, span_from(sealed, sizeof sealed),
                            SPAN("\x50\x51\x52\x53\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7"), &out),
                     0);
    assert_true(span_is(buf_view(&out), want));
    buf_clear(&out);
}

static void
refuses_any_change(void **state)
{
    static const char text[] = "cursor 1764000000000000";
    char copy[sizeof text + SEAL_EXTRA + 1];
    struct key k, other;
    struct buf sealed, out;
    size_t n;
    (void)state;

    key_random(&k);
    buf_init(&sealed, MOST);
    buf_init(&out, MOST);
    buf_str(&out, "kept");
    seal(&k, SPAN(text), SPAN("ad"), &sealed);
    n = sealed.n;
    memcpy(copy, sealed.p, n);
    copy[n] = 0;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(unseal(&k, span_from(copy, n), SPAN("ad"), &out), -1);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t cut = 0; cut < n; cut++) {
        assert_int_equal(unseal(&k, span_from(copy, cut), SPAN("ad"), &out), -1);
        assert_int_equal(unseal(&k, span_from(copy + n - cut, cut), SPAN("ad"), &out), -1);
    }
    assert_int_equal(unseal(&k, (struct span){NULL, 0}, SPAN("ad"), &out), -1);
    assert_int_equal(unseal(&k, span_from(copy, n + 1), SPAN("ad"), &out), -1);
    assert_int_equal(unseal(&k, span_from(copy, n), SPAN("a"), &out), -1);
    assert_int_equal(unseal(&k, span_from(copy, n), SPAN("adx"), &out), -1);
    assert_int_equal(unseal(&k, span_from(copy, n), SPAN(""), &out), -1);
    for (size_t bit = 0; bit < 8 * KEY_BYTES; bit++) {
        other = k;
        other.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(unseal(&other, span_from(copy, n), SPAN("ad"), &out), -1);
    }
    assert_true(span_is(buf_view(&out), "kept")); /* refusals leave no trace */
    assert_false(out.failed);
    assert_int_equal(unseal(&k, span_from(copy, n), SPAN("ad"), &out), 0);
    buf_clear(&sealed);
    buf_clear(&out);
}

static void
never_the_same_twice(void **state)
{
    struct key k;
    struct buf a, b;
    (void)state;

    key_random(&k);
    buf_init(&a, MOST);
    buf_init(&b, MOST);
    seal(&k, SPAN("same"), SPAN(""), &a);
    seal(&k, SPAN("same"), SPAN(""), &b);
    assert_false(span_eq(buf_view(&a), buf_view(&b)));
    buf_clear(&a);
    buf_clear(&b);
}

static void
no_room_is_an_error(void **state)
{
    char mem[SEAL_EXTRA + 4];
    struct key k;
    struct buf fixed, sealed;
    (void)state;

    key_random(&k);
    buf_init_fixed(&fixed, mem, sizeof mem);
    seal(&k, SPAN("12345"), SPAN(""), &fixed);
    assert_true(fixed.failed);
    buf_init_fixed(&fixed, mem, sizeof mem);
    seal(&k, SPAN("1234"), SPAN(""), &fixed);
    assert_false(fixed.failed);
    seal(&k, (struct span){"", SIZE_MAX - 8}, SPAN(""), &fixed); /* the sum would wrap */
    assert_true(fixed.failed);

    buf_init(&sealed, MOST);
    seal(&k, SPAN("12345"), SPAN(""), &sealed);
    buf_init_fixed(&fixed, mem, 4);
    assert_int_equal(unseal(&k, buf_view(&sealed), SPAN(""), &fixed), -1);
    buf_init_fixed(&fixed, mem, 5);
    assert_int_equal(unseal(&k, buf_view(&sealed), SPAN(""), &fixed), 0);
    buf_clear(&sealed);

    mem_fail_at(1);
    buf_init(&sealed, MOST);
    seal(&k, SPAN("12345"), SPAN(""), &sealed);
    mem_fail_at(0);
    assert_true(sealed.failed);
    buf_clear(&sealed);
}

static void
secrets_compare(void **state)
{
    (void)state;
    assert_true(equal_secret(SPAN(""), (struct span){NULL, 0}));
    assert_true(equal_secret(SPAN("abc"), SPAN("abc")));
    assert_false(equal_secret(SPAN("abc"), SPAN("abd")));
    assert_false(equal_secret(SPAN("abc"), SPAN("bbc")));
    assert_false(equal_secret(SPAN("abc"), SPAN("ab")));
    assert_false(equal_secret(SPAN("abc"), SPAN("abcd")));
    assert_false(equal_secret(SPAN("a\0b"), SPAN("a\0c")));
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
        cmocka_unit_test(comes_back),          cmocka_unit_test(opens_the_published_vector),
        cmocka_unit_test(refuses_any_change),  cmocka_unit_test(never_the_same_twice),
        cmocka_unit_test(no_room_is_an_error), cmocka_unit_test(secrets_compare),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
