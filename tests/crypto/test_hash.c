/* Hashes, keyed hashes, derived keys and UUIDs against the vectors of their standards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "crypto.h"

static void
from_hex(const char *text, uint8_t *out, size_t n)
{
    assert_true(hex_read(span_of(text), out, n));
}

static void
assert_bytes(const char *name, const uint8_t *got, const char *want_hex, size_t n)
{
    uint8_t want[64];

    from_hex(want_hex, want, n);
    if (memcmp(got, want, n) != 0)
        fail_msg("%s: not %s", name, want_hex);
}

static void
sha256_knows_its_vectors(void **state)
{
    static const struct {
        const char *in, *out;
    } table[] = {
        /* FIPS 180-4 examples */
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    struct hash h;
    struct sha_million {
        char a[1000];
    } m;
    struct span parts[1000];
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        hash_sha256(span_of(table[i].in), &h);
        assert_bytes(table[i].in, h.b, table[i].out, HASH_BYTES);
    }
    memset(m.a, 'a', sizeof m.a);
    for (size_t i = 0; i < 1000; i++)
        parts[i] = span_from(m.a, sizeof m.a);
    hash_sha256_parts(parts, 1000, &h);
    assert_bytes("a million a", h.b,
                 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", HASH_BYTES);
}

static void
sha256_of_parts_is_that_of_the_whole(void **state)
{
    char text[300];
    struct hash whole, parts;
    (void)state;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    for (size_t n = 0; n <= sizeof text; n++) {
        const struct span p[] = {{text, n / 3}, {NULL, 0}, {text + n / 3, n - n / 3}};

        hash_sha256(span_from(text, n), &whole);
        hash_sha256_parts(p, 3, &parts);
        assert_true(hash_eq(&whole, &parts));
    }
    hash_sha256_parts(NULL, 0, &parts);
    hash_sha256((struct span){NULL, 0}, &whole);
    assert_true(hash_eq(&whole, &parts));
}

static void
sha1_knows_its_vectors(void **state)
{
    uint8_t out[20];
    (void)state;

    hash_sha1(SPAN(""), out);
    assert_bytes("empty", out, "da39a3ee5e6b4b0d3255bfef95601890afd80709", 20);
    hash_sha1(SPAN("abc"), out);
    assert_bytes("abc", out, "a9993e364706816aba3e25717850c26c9cd0d89d", 20);
    hash_sha1(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
    assert_bytes("448 bits", out, "84983e441c3bd26ebaae4aa1f95129e5e54670f1", 20);
}

static void
hash_eq_sees_every_bit(void **state)
{
    struct hash a, b;
    (void)state;

    hash_sha256(SPAN("x"), &a);
    for (size_t bit = 0; bit < 8 * HASH_BYTES; bit++) {
        b = a;
        assert_true(hash_eq(&a, &b));
        b.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(hash_eq(&a, &b));
    }
}

/* HMAC pads a key with zeros, so RFC 4231's shorter keys are ours with zeros behind. */
static void
mac_is_hmac_sha256(void **state)
{
    static const struct {
        const char *key, *data, *mac;
    } table[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "dddddddddddddddddddddddddddddddddddddddddddddddddd"
         "dddddddddddddddddddddddddddddddddddddddddddddddddd",
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819",
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct key k = {{0}};
        uint8_t data[64], mac[MAC_BYTES];
        const size_t n = strlen(table[i].data) / 2;

        from_hex(table[i].key, k.b, strlen(table[i].key) / 2);
        from_hex(table[i].data, data, n);
        mac_make(&k, span_from(data, n), mac);
        assert_bytes(table[i].key, mac, table[i].mac, MAC_BYTES);
        assert_true(mac_ok(&k, span_from(data, n), mac));
    }
}

static void
mac_refuses_any_change(void **state)
{
    char text[] = "principal 7, channel token";
    uint8_t mac[MAC_BYTES];
    struct key k;
    (void)state;

    key_random(&k);
    mac_make(&k, SPAN("principal 7, channel token"), mac);
    assert_true(mac_ok(&k, span_of(text), mac));
    for (size_t bit = 0; bit < 8 * MAC_BYTES; bit++) {
        mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(mac_ok(&k, span_of(text), mac));
        mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t i = 0; i < strlen(text); i++) {
        text[i] ^= 1;
        assert_false(mac_ok(&k, span_of(text), mac));
        text[i] ^= 1;
    }
    assert_false(mac_ok(&k, SPAN("principal 7, channel toke"), mac));
    assert_false(mac_ok(&k, SPAN(""), mac));
    for (size_t bit = 0; bit < 8 * KEY_BYTES; bit++) {
        k.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(mac_ok(&k, span_of(text), mac));
        k.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(mac_ok(&k, span_of(text), mac));
}

/* RFC 5869 appendix A.1: its PRK as master, its info as label, the first block of its output. */
static void
key_derive_is_hkdf_expand(void **state)
{
    static const char info[] = "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9";
    struct key master, made, other, zero = {{0}};
    (void)state;

    from_hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5", master.b, 32);
    key_derive(&master, info, &made);
    assert_bytes("A.1", made.b, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
                 KEY_BYTES);
    key_derive(&master, "tickets", &made);
    key_derive(&master, "ticket", &other);
    assert_memory_not_equal(made.b, other.b, KEY_BYTES);
    other = master;
    key_derive(&other, "tickets", &other); /* in place */
    assert_memory_equal(made.b, other.b, KEY_BYTES);
    key_wipe(&other);
    assert_memory_equal(other.b, zero.b, KEY_BYTES);
}

/* The reference vectors of SipHash-2-4: key 00..0f, message 00, 01, ... of each length. */
static void
siphash_knows_its_vectors(void **state)
{
    static const struct {
        size_t n;
        uint64_t out;
    } table[] = {
        {0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu},  {2, 0x0d6c8009d9a94f5au},
        {7, 0xab0200f58b01d137u}, {15, 0xa129ca6149be45e5u},
    };
    struct key k = {{0}};
    uint8_t in[16];
    (void)state;

    for (unsigned i = 0; i < 16; i++)
        k.b[i] = in[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_true(siphash(&k, span_from(in, table[i].n)) == table[i].out);
    k.b[16] = 1; /* only the first half of the key counts */
    assert_true(siphash(&k, span_from(in, 15)) == 0xa129ca6149be45e5u);
    k.b[15] ^= 1;
    assert_false(siphash(&k, span_from(in, 15)) == 0xa129ca6149be45e5u);
}

static void
uuid5_knows_its_vectors(void **state)
{
    static const char sco[] = "00abedb4-aa42-466c-9c01-fed23315a9b7"; /* STIX 2.1 section 2.9 */
    static const struct {
        const char *space, *name, *want;
    } table[] = {
        /* RFC 9562 appendix A.4 */
        {"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com",
         "2ed6657d-e927-568b-95e1-2665a8aea6a2"},
        {sco, "{\"value\":\"example.com\"}", "bedb4899-d24b-5401-bc86-8f6b4cc18ec7"},
        {sco, "{\"value\":\"198.51.100.3\"}", "28bb3599-77cd-5a82-a950-b5bc3caf07c4"},
        {sco, "{\"value\":\"soc@example.org\"}", "aee00bed-a28a-5a6e-8139-9c2172e2a765"},
        {sco, "{\"number\":64496}", "9ad79ee3-2fde-5015-b0cc-7a96404effca"},
        {sco, "{\"name\":\"ตัวอย่าง.txt\"}", "16af782f-17b4-563c-a40c-09acb4276f7e"},
        {sco, "{\"hashes\":{\"MD5\":\"d41d8cd98f00b204e9800998ecf8427e\"},\"name\":\"a\"}",
         "e225bcbd-7d8f-5548-b8c5-6974bf120d56"},
        {sco,
         "{\"dst_port\":443,\"protocols\":[\"tcp\"],"
         "\"src_ref\":\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\","
         "\"start\":\"2026-01-01T00:00:00Z\"}",
         "744e244b-9340-51bc-94b4-c39acfbb4ace"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct uuid space, got;
        char text[UUID_TEXT + 1];

        assert_true(uuid_read(span_of(table[i].space), &space));
        uuid_v5(&space, span_of(table[i].name), &got);
        uuid_print(&got, text);
        assert_string_equal(text, table[i].want);
        assert_int_equal(uuid_version(&got), 5);
        assert_true(uuid_variant_ok(&got));
    }
}

static void
uuid4_is_random_and_stamped(void **state)
{
    struct uuid a, b;
    uint8_t seen_set[16] = {0}, seen_clear[16] = {0};
    (void)state;

    uuid_v4(&b);
    for (int i = 0; i < 400; i++) {
        uuid_v4(&a);
        assert_int_equal(uuid_version(&a), 4);
        assert_true(uuid_variant_ok(&a));
        assert_memory_not_equal(a.b, b.b, 16);
        b = a;
        for (int j = 0; j < 16; j++) {
            seen_set[j] |= a.b[j];
            seen_clear[j] |= (uint8_t)~a.b[j];
        }
    }
    /* Every bit but the six fixed ones was seen both ways (wrong once in 2^390 runs). */
    for (int j = 0; j < 16; j++) {
        assert_int_equal(seen_set[j], j == 6 ? 0x4f : j == 8 ? 0xbf : 0xff);
        assert_int_equal(seen_clear[j], j == 6 ? 0xbf : j == 8 ? 0x7f : 0xff);
    }
}

static void
random_below_stays_below_and_reaches_all(void **state)
{
    unsigned count[7] = {0};
    (void)state;

    assert_int_equal(random_below(0), 0);
    assert_int_equal(random_below(1), 0);
    for (int i = 0; i < 7000; i++) {
        const uint64_t v = random_below(7);

        assert_true(v < 7);
        count[v]++;
    }
    for (int i = 0; i < 7; i++) /* mean 1000, deviation 29: eight of them each side */
        assert_in_range(count[i], 760, 1240);
    /* Just above half of the range, where every second draw has to be thrown away. */
    for (int i = 0; i < 1000; i++)
        assert_true(random_below((UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    for (int i = 0; i < 1000; i++)
        assert_true(random_below(UINT64_MAX) < UINT64_MAX);
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
        cmocka_unit_test(sha256_knows_its_vectors),
        cmocka_unit_test(sha256_of_parts_is_that_of_the_whole),
        cmocka_unit_test(sha1_knows_its_vectors),
        cmocka_unit_test(hash_eq_sees_every_bit),
        cmocka_unit_test(mac_is_hmac_sha256),
        cmocka_unit_test(mac_refuses_any_change),
        cmocka_unit_test(key_derive_is_hkdf_expand),
        cmocka_unit_test(siphash_knows_its_vectors),
        cmocka_unit_test(uuid5_knows_its_vectors),
        cmocka_unit_test(uuid4_is_random_and_stamped),
        cmocka_unit_test(random_below_stays_below_and_reaches_all),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
