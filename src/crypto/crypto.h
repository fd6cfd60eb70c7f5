/*
 * crypto/crypto.h - hashes, keyed hashes, random bytes, sealing: thin over Nettle and libsodium.
 *
 * crypto_start must have succeeded once in each process before anything else here is called.
 */
#ifndef JAGA_CRYPTO_CRYPTO_H
#define JAGA_CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "err.h"
#include "span.h"
#include "uuid.h"

#define HASH_BYTES 32 /* SHA-256 */
#define MAC_BYTES  32
#define KEY_BYTES  32
#define SEAL_EXTRA 40 /* XChaCha20-Poly1305: nonce 24 and tag 16 */

struct hash {
    uint8_t b[HASH_BYTES];
};

struct key { /* wiped by its holder */
    uint8_t b[KEY_BYTES];
};

int crypto_start(struct err *e);

void hash_sha256(struct span s, struct hash *out);
void hash_sha256_parts(const struct span *parts, size_t n, struct hash *out);
bool hash_eq(const struct hash *a, const struct hash *b); /* constant time */
void hash_sha1(struct span s, uint8_t out[20]);           /* for UUIDv5 alone (RFC 9562) */

void random_bytes(void *out, size_t n);
uint64_t random_below(uint64_t n); /* without bias */

uint64_t siphash(const struct key *k, struct span s); /* keyed by the first 16 bytes of k */
void mac_make(const struct key *k, struct span s, uint8_t out[MAC_BYTES]);
bool mac_ok(const struct key *k, struct span s, const uint8_t mac[MAC_BYTES]);
/* A key for one purpose from a master key: different labels, unrelated keys. */
void key_derive(const struct key *master, const char *label, struct key *out);
void key_random(struct key *out);
void key_wipe(struct key *k);

/* Sealed: secret and authentic.  ad is authenticated and not sent. */
void seal(const struct key *k, struct span plain, struct span ad, struct buf *out);
/* 0 and the plain text appended to out, or -1: not ours, or altered. */
int unseal(const struct key *k, struct span sealed, struct span ad, struct buf *out);

bool equal_secret(struct span a, struct span b); /* constant time for equal lengths */

void uuid_v4(struct uuid *out);
void uuid_v5(const struct uuid *space, struct span name, struct uuid *out);

void hex_put(struct buf *out, const void *p, size_t n);
bool hex_read(struct span s, uint8_t *out, size_t n);         /* exactly 2 n characters, any case */
void base64_put(struct buf *out, const void *p, size_t n);    /* RFC 4648 section 4, with = */
bool base64_read(struct span s, struct buf *out);             /* strict */
void base64url_put(struct buf *out, const void *p, size_t n); /* section 5, without = */
bool base64url_read(struct span s, struct buf *out);

#endif
