/* Ed25519 and sealed boxes: the published vectors, and nothing else verifies or opens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mem.h"
#include "sign.h"

#define MOST 4096

static void
unhex(const char *hex, void *out, size_t n)
{
    assert_true(hex_read(span_of(hex), out, n));
}

/* RFC 8032 section 7.1, tests 1, 2 and 3 */
static const struct {
    const char *seed, *public, *text, *sig;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
};

static void
signs_the_published_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const size_t n = strlen(vectors[i].text) / 2;
        struct sign_public want, public, again;
        struct signature sig, made, asked;
        struct sign_secret secret;
        struct signer who;
        uint8_t text[8];
        struct key seed;

        unhex(vectors[i].seed, seed.b, sizeof seed.b);
        unhex(vectors[i].public, want.b, sizeof want.b);
        unhex(vectors[i].sig, sig.b, sizeof sig.b);
        unhex(vectors[i].text, text, n);
        sign_from_seed(&seed, &secret, &public);
        assert_true(sign_public_eq(&public, &want));
        assert_true(sign_public_ok(&public));
        sign_public_of(&secret, &again);
        assert_true(sign_public_eq(&public, &again));
        sign_make(&secret, span_from(text, n), &made);
        assert_memory_equal(made.b, sig.b, SIGNATURE_BYTES);
        who = signer_of(&secret);
        assert_int_equal(who.sign(who.arg, span_from(text, n), &asked, NULL), 0);
        assert_memory_equal(asked.b, sig.b, SIGNATURE_BYTES);
        assert_true(sign_ok(&public, span_from(text, n), &sig));
        sign_wipe(&secret);
        assert_memory_equal(secret.b, (uint8_t[SIGN_SECRET_BYTES]){0}, SIGN_SECRET_BYTES);
    }
}

static void
refuses_any_change(void **state)
{
    static const char text[] = "jaga/head/1/00\n";
    struct sign_public public, other;
    struct sign_secret secret;
    struct signature sig;
    char copy[sizeof text];
    (void)state;

    sign_random(&secret, &public);
    sign_make(&secret, SPAN(text), &sig);
    assert_true(sign_ok(&public, SPAN(text), &sig));
    memcpy(copy, text, sizeof text);
    for (size_t bit = 0; bit < 8 * (sizeof text - 1); bit++) {
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        assert_false(sign_ok(&public, span_from(copy, sizeof text - 1), &sig));
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t n = 0; n < sizeof text - 1; n++)
        assert_false(sign_ok(&public, span_from(text, n), &sig));
    assert_false(sign_ok(&public, span_from(text, sizeof text), &sig)); /* the NUL behind it */
    assert_false(sign_ok(&public, (struct span){NULL, 0}, &sig));
    for (size_t bit = 0; bit < 8 * SIGNATURE_BYTES; bit++) {
        sig.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(sign_ok(&public, SPAN(text), &sig));
        sig.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * SIGN_PUBLIC_BYTES; bit++) {
        other = public;
        other.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(sign_public_eq(&public, &other));
        assert_false(sign_ok(&other, SPAN(text), &sig));
    }
    sign_random(&secret, &other);
    assert_false(sign_ok(&other, SPAN(text), &sig));
    sign_wipe(&secret);
}

/* The same signature with the group's order added to S: the second form that RFC 8032 forbids. */
static void
refuses_the_second_form(void **state)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct sign_public public;
    struct sign_secret secret;
    struct signature sig;
    unsigned carry = 0;
    (void)state;

    sign_random(&secret, &public);
    sign_make(&secret, SPAN("x"), &sig);
    for (size_t i = 0; i < 32; i++) {
        carry += sig.b[32 + i] + order[i];
        sig.b[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
    assert_false(sign_ok(&public, SPAN("x"), &sig));
}

/* Keys that are none: of small order (they would verify anything), in a second form, no point. */
static const char *const bad_keys[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0200000000000000000000000000000000000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void
refuses_bad_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++) {
        struct signature zero = {{0}};
        struct sign_public bad;
        struct err e = ERR_INIT;
        struct buf out;

        unhex(bad_keys[i], bad.b, sizeof bad.b);
        buf_init(&out, MOST);
        assert_false(sign_public_ok(&bad));
        assert_false(sign_ok(&bad, SPAN(""), &zero));
        zero.b[0] = 1; /* R the neutral point, S 0: valid for every text under such a key */
        assert_false(sign_ok(&bad, SPAN("x"), &zero));
        assert_int_equal(box_seal(&bad, SPAN("x"), &out, &e), -1);
        assert_int_equal(e.code, ERR_RANGE);
        assert_int_equal(out.n, 0);
        buf_clear(&out);
    }
}

static void
boxes_open_for_one(void **state)
{
    static const size_t lengths[] = {0, 1, 31, 32, 33, 1000, MOST};
    struct sign_public public, other_public;
    struct sign_secret secret, other;
    static char text[MOST];
    (void)state;

    sign_random(&secret, &public);
    sign_random(&other, &other_public);
    random_bytes(text, sizeof text);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const struct span plain = {text, lengths[i]};
        struct buf sealed, twice, back;

        buf_init(&sealed, MOST + BOX_EXTRA);
        buf_init(&twice, MOST + BOX_EXTRA);
        buf_init(&back, MOST + 4);
        buf_str(&back, "tail");
        assert_int_equal(box_seal(&public, plain, &sealed, NULL), 0);
        assert_int_equal(sealed.n, lengths[i] + BOX_EXTRA);
        assert_int_equal(box_seal(&public, plain, &twice, NULL), 0);
        assert_false(span_eq(buf_view(&sealed), buf_view(&twice)));
        assert_int_equal(box_open(&other, buf_view(&sealed), &back), -1);
        assert_int_equal(back.n, 4);
        assert_int_equal(box_open(&secret, buf_view(&sealed), &back), 0);
        assert_true(span_eq(span_part(buf_view(&back), 4, back.n), plain));
        buf_clear(&sealed);
        buf_clear(&twice);
        buf_clear(&back);
    }
}

static void
boxes_refuse_any_change(void **state)
{
    char copy[5 + BOX_EXTRA + 1] = {0};
    struct sign_public public;
    struct sign_secret secret;
    struct buf fixed, out;
    struct err e = ERR_INIT;
    const size_t n = 5 + BOX_EXTRA;
    (void)state;

    sign_random(&secret, &public);
    buf_init(&out, MOST);
    buf_init_fixed(&fixed, copy, n - 1);
    assert_int_equal(box_seal(&public, SPAN("12345"), &fixed, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    buf_init_fixed(&fixed, copy, n);
    assert_int_equal(box_seal(&public, SPAN("12345"), &fixed, &e), 0);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        /* The passing key's top bit is masked by RFC 7748, but the nonce covers it too. */
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(box_open(&secret, span_from(copy, n), &out), -1);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(box_open(&secret, span_from(copy, cut), &out), -1);
    assert_int_equal(box_open(&secret, span_from(copy, n + 1), &out), -1);
    assert_int_equal(box_open(&secret, (struct span){NULL, 0}, &out), -1);
    assert_int_equal(out.n, 0);
    assert_false(out.failed);
    assert_int_equal(box_seal(&public, (struct span){"", SIZE_MAX - 8}, &out, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);

    buf_reset(&out);
    buf_clear(&out);
    buf_init(&out, MOST);
    mem_fail_at(1);
    assert_int_equal(box_seal(&public, SPAN("12345"), &out, &e), -1);
    mem_fail_at(0);
    assert_int_equal(e.code, ERR_MEMORY);
    buf_reset(&out);
    mem_fail_at(1);
    assert_int_equal(box_open(&secret, span_from(copy, n), &out), -1);
    mem_fail_at(0);
    assert_true(out.failed);
    buf_reset(&out);
    assert_int_equal(box_open(&secret, span_from(copy, n), &out), 0);
    assert_true(span_is(buf_view(&out), "12345"));
    buf_clear(&out);
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
        cmocka_unit_test(signs_the_published_vectors), cmocka_unit_test(refuses_any_change),
        cmocka_unit_test(refuses_the_second_form),     cmocka_unit_test(refuses_bad_keys),
        cmocka_unit_test(boxes_open_for_one),          cmocka_unit_test(boxes_refuse_any_change),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
