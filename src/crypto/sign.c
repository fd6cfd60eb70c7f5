#include "sign.h"

#include <sodium.h>
#include <string.h>

_Static_assert(SIGN_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(SIGN_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519");
_Static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");
_Static_assert(KEY_BYTES == crypto_sign_SEEDBYTES, "a seed is a key");
_Static_assert(BOX_EXTRA == crypto_box_SEALBYTES, "the header promises the overhead");

static const uint8_t *
bytes_of(struct span s)
{
    return s.p ? (const uint8_t *)s.p : (const uint8_t *)"";
}

void
sign_random(struct sign_secret *secret, struct sign_public *public)
{
    crypto_sign_keypair(public->b, secret->b);
}

void
sign_from_seed(const struct key *seed, struct sign_secret *secret, struct sign_public *public)
{
    crypto_sign_seed_keypair(public->b, secret->b, seed->b);
}

void
sign_public_of(const struct sign_secret *secret, struct sign_public *out)
{
    crypto_sign_ed25519_sk_to_pk(out->b, secret->b);
}

void
sign_wipe(struct sign_secret *secret)
{
    sodium_memzero(secret->b, SIGN_SECRET_BYTES);
}

bool
sign_public_eq(const struct sign_public *a, const struct sign_public *b)
{
    return memcmp(a->b, b->b, SIGN_PUBLIC_BYTES) == 0; /* nothing secret about it */
}

bool
sign_public_ok(const struct sign_public *public)
{
    return crypto_core_ed25519_is_valid_point(public->b) == 1;
}

void
sign_make(const struct sign_secret *secret, struct span text, struct signature *out)
{
    crypto_sign_detached(out->b, NULL, bytes_of(text), text.n, secret->b);
}

bool
sign_ok(const struct sign_public *public, struct span text, const struct signature *s)
{
    return crypto_sign_verify_detached(s->b, bytes_of(text), text.n, public->b) == 0;
}

static int
sign_here(void *arg, struct span text, struct signature *out, struct err *e)
{
    (void)e;
    sign_make((const struct sign_secret *)arg, text, out);
    return 0;
}

struct signer
signer_of(const struct sign_secret *secret)
{
    return (struct signer){.arg = (void *)(uintptr_t)secret, .sign = sign_here};
}

int
box_seal(const struct sign_public *to, struct span plain, struct buf *out, struct err *e)
{
    uint8_t x[crypto_box_PUBLICKEYBYTES];
    const size_t before = out->n;
    uint8_t *p;

    if (!sign_public_ok(to) || crypto_sign_ed25519_pk_to_curve25519(x, to->b) != 0)
        return err_set(e, ERR_RANGE, "no Ed25519 public key");
    if (plain.n > SIZE_MAX - BOX_EXTRA) {
        out->failed = true;
        return err_set(e, ERR_LIMIT, "too large to be sealed");
    }
    p = (uint8_t *)buf_room(out, plain.n + BOX_EXTRA);
    if (!p)
        return err_set(e, out->full ? ERR_LIMIT : ERR_MEMORY, "no room for a sealed box");
    if (crypto_box_seal(p, bytes_of(plain), plain.n, x) != 0) {
        buf_cut(out, before);
        return err_set(e, ERR_RANGE, "no Ed25519 public key");
    }
    return 0;
}

int
box_open(const struct sign_secret *secret, struct span sealed, struct buf *out)
{
    uint8_t x[crypto_box_PUBLICKEYBYTES], s[crypto_box_SECRETKEYBYTES];
    const size_t before = out->n;
    struct sign_public mine;
    int result = -1;
    uint8_t *p;

    if (sealed.n < BOX_EXTRA)
        return -1;
    sign_public_of(secret, &mine);
    if (crypto_sign_ed25519_pk_to_curve25519(x, mine.b) != 0 ||
        crypto_sign_ed25519_sk_to_curve25519(s, secret->b) != 0)
        goto out;
    p = (uint8_t *)buf_room(out, sealed.n - BOX_EXTRA);
    if (!p)
        goto out;
    result = crypto_box_seal_open(p, bytes_of(sealed), sealed.n, x, s);
    if (result != 0)
        buf_cut(out, before);
out:
    sodium_memzero(s, sizeof s);
    return result == 0 ? 0 : -1;
}
