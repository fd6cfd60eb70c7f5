#include "crypto.h"

#include <nettle/hmac.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <sodium.h>
#include <string.h>

#define SEAL_NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SEAL_TAG   crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(SEAL_EXTRA == SEAL_NONCE + SEAL_TAG, "the header promises the overhead");
_Static_assert(KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one key size for all");
_Static_assert(KEY_BYTES >= crypto_shorthash_KEYBYTES, "siphash takes the first bytes of a key");
_Static_assert(HASH_BYTES == SHA256_DIGEST_SIZE && MAC_BYTES == SHA256_DIGEST_SIZE, "SHA-256");

/* Text is made in pieces of this many bytes, a multiple of 3 so that Base64 needs no carry. */
#define TEXT_PIECE 768

static const uint8_t *
bytes_of(struct span s)
{
    /* Both libraries may hand a NULL to memcpy, which C forbids even for no bytes. */
    return s.p ? (const uint8_t *)s.p : (const uint8_t *)"";
}

int
crypto_start(struct err *e)
{
    if (sodium_init() < 0)
        return err_set(e, ERR_INTERNAL, "libsodium did not start");
    return 0;
}

void
hash_sha256_parts(const struct span *parts, size_t n, struct hash *out)
{
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    for (size_t i = 0; i < n; i++)
        sha256_update(&ctx, parts[i].n, bytes_of(parts[i]));
    sha256_digest(&ctx, HASH_BYTES, out->b);
}

void
hash_sha256(struct span s, struct hash *out)
{
    hash_sha256_parts(&s, 1, out);
}

bool
hash_eq(const struct hash *a, const struct hash *b)
{
    return sodium_memcmp(a->b, b->b, HASH_BYTES) == 0;
}

void
hash_sha1(struct span s, uint8_t out[20])
{
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    sha1_update(&ctx, s.n, bytes_of(s));
    sha1_digest(&ctx, SHA1_DIGEST_SIZE, out);
}

void
random_bytes(void *out, size_t n)
{
    randombytes_buf(out, n);
}

uint64_t
random_below(uint64_t n)
{
    uint64_t v;

    if (n < 2)
        return 0;
    /* The 2^64 mod n smallest values are thrown away: what is left is a multiple of n. */
    const uint64_t least = (0 - n) % n;
    do
        random_bytes(&v, sizeof v);
    while (v < least);
    return v % n;
}

uint64_t
siphash(const struct key *k, struct span s)
{
    uint8_t out[crypto_shorthash_BYTES];
    uint64_t v = 0;

    crypto_shorthash(out, bytes_of(s), s.n, k->b);
    for (size_t i = sizeof out; i-- > 0;)
        v = v << 8 | out[i];
    return v;
}

void
mac_make(const struct key *k, struct span s, uint8_t out[MAC_BYTES])
{
    struct hmac_sha256_ctx ctx;

    hmac_sha256_set_key(&ctx, KEY_BYTES, k->b);
    hmac_sha256_update(&ctx, s.n, bytes_of(s));
    hmac_sha256_digest(&ctx, MAC_BYTES, out);
    sodium_memzero(&ctx, sizeof ctx);
}

bool
mac_ok(const struct key *k, struct span s, const uint8_t mac[MAC_BYTES])
{
    uint8_t want[MAC_BYTES];
    bool ok;

    mac_make(k, s, want);
    ok = sodium_memcmp(want, mac, MAC_BYTES) == 0;
    sodium_memzero(want, sizeof want);
    return ok;
}

void
key_derive(const struct key *master, const char *label, struct key *out)
{
    /* RFC 5869 section 2.3, HKDF-Expand, first and only block.  No extract step: a master key is
     * uniformly random already.  Through a local, since master and out may be one. */
    static const uint8_t block = 1;
    struct hmac_sha256_ctx ctx;
    struct key made;

    hmac_sha256_set_key(&ctx, KEY_BYTES, master->b);
    hmac_sha256_update(&ctx, strlen(label), (const uint8_t *)label);
    hmac_sha256_update(&ctx, 1, &block);
    hmac_sha256_digest(&ctx, KEY_BYTES, made.b);
    *out = made;
    sodium_memzero(&ctx, sizeof ctx);
    key_wipe(&made);
}

void
key_random(struct key *out)
{
    random_bytes(out->b, KEY_BYTES);
}

void
key_wipe(struct key *k)
{
    sodium_memzero(k->b, KEY_BYTES);
}

void
seal(const struct key *k, struct span plain, struct span ad, struct buf *out)
{
    uint8_t *p;

    if (plain.n > SIZE_MAX - SEAL_EXTRA) {
        out->failed = true;
        return;
    }
    p = (uint8_t *)buf_room(out, plain.n + SEAL_EXTRA);
    if (!p)
        return;
    /* 24 random bytes: no two messages under one key ever meet, so no counter has to be kept. */
    random_bytes(p, SEAL_NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(p + SEAL_NONCE, NULL, bytes_of(plain), plain.n,
                                               bytes_of(ad), ad.n, NULL, p, k->b);
}

int
unseal(const struct key *k, struct span sealed, struct span ad, struct buf *out)
{
    const uint8_t *in = bytes_of(sealed);
    const size_t before = out->n;
    uint8_t *p;

    if (sealed.n < SEAL_EXTRA)
        return -1;
    p = (uint8_t *)buf_room(out, sealed.n - SEAL_EXTRA);
    if (!p)
        return -1;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(p, NULL, NULL, in + SEAL_NONCE,
                                                   sealed.n - SEAL_NONCE, bytes_of(ad), ad.n, in,
                                                   k->b) != 0) {
        buf_cut(out, before);
        return -1;
    }
    return 0;
}

bool
equal_secret(struct span a, struct span b)
{
    return a.n == b.n && sodium_memcmp(bytes_of(a), bytes_of(b), a.n) == 0;
}

/* RFC 9562 section 4: version in the high half of byte 6, variant 10 in the top bits of byte 8. */
static void
uuid_stamp(struct uuid *u, unsigned version)
{
    u->b[6] = (uint8_t)((u->b[6] & 0x0f) | version << 4);
    u->b[8] = (uint8_t)((u->b[8] & 0x3f) | 0x80);
}

void
uuid_v4(struct uuid *out)
{
    random_bytes(out->b, sizeof out->b);
    uuid_stamp(out, 4);
}

void
uuid_v5(const struct uuid *space, struct span name, struct uuid *out)
{
    uint8_t sum[SHA1_DIGEST_SIZE];
    struct sha1_ctx ctx;

    sha1_init(&ctx);
    sha1_update(&ctx, sizeof space->b, space->b);
    sha1_update(&ctx, name.n, bytes_of(name));
    sha1_digest(&ctx, sizeof sum, sum);
    memcpy(out->b, sum, sizeof out->b);
    uuid_stamp(out, 5);
}

void
hex_put(struct buf *out, const void *p, size_t n)
{
    const uint8_t *in = p;
    char text[2 * TEXT_PIECE + 1];

    while (n > 0) {
        const size_t take = n < TEXT_PIECE ? n : TEXT_PIECE;

        sodium_bin2hex(text, sizeof text, in, take);
        buf_put(out, text, 2 * take);
        in += take;
        n -= take;
    }
    sodium_memzero(text, sizeof text);
}

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool
hex_read(struct span s, uint8_t *out, size_t n)
{
    if (s.n % 2 != 0 || s.n / 2 != n)
        return false;
    /* Looked at first, so that out is written only on success. */
    for (size_t i = 0; i < s.n; i++)
        if (!is_hex(s.p[i]))
            return false;
    return n == 0 || sodium_hex2bin(out, n, s.p, s.n, NULL, NULL, NULL) == 0;
}

static void
base64_write(struct buf *out, const uint8_t *in, size_t n, int variant)
{
    char text[TEXT_PIECE / 3 * 4 + 1];

    while (n > 0) {
        const size_t take = n < TEXT_PIECE ? n : TEXT_PIECE;

        sodium_bin2base64(text, sizeof text, in, take, variant);
        buf_str(out, text);
        in += take;
        n -= take;
    }
    sodium_memzero(text, sizeof text);
}

/* One reading for each text: no white space, no padding too much or too little, and the bits that
 * are left over in the last character are zero (RFC 4648 section 3.5; libsodium checks them). */
static bool
base64_take(struct span s, size_t decoded, int variant, struct buf *out)
{
    const size_t before = out->n;
    size_t got;
    char *p;

    if (s.n == 0)
        return !out->failed;
    /* libsodium 1.0.18 takes some bytes above 0x7f, as negative characters, for letters. */
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] & 0x80)
            return false;
    p = buf_room(out, decoded);
    if (!p)
        return false;
    if (sodium_base642bin((uint8_t *)p, decoded, s.p, s.n, NULL, &got, NULL, variant) != 0 ||
        got != decoded) {
        buf_cut(out, before);
        return false;
    }
    return true;
}

void
base64_put(struct buf *out, const void *p, size_t n)
{
    base64_write(out, p, n, sodium_base64_VARIANT_ORIGINAL);
}

bool
base64_read(struct span s, struct buf *out)
{
    size_t pad = 0;

    if (s.n % 4 != 0)
        return false;
    while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
        pad++;
    return base64_take(s, s.n / 4 * 3 - pad, sodium_base64_VARIANT_ORIGINAL, out);
}

void
base64url_put(struct buf *out, const void *p, size_t n)
{
    base64_write(out, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool
base64url_read(struct span s, struct buf *out)
{
    static const uint8_t tail[4] = {0, 0, 1, 2}; /* bytes in a last group of so many characters */

    if (s.n % 4 == 1)
        return false;
    return base64_take(s, s.n / 4 * 3 + tail[s.n % 4], sodium_base64_VARIANT_URLSAFE_NO_PADDING,
                       out);
}
