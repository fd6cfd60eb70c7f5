/*
 * crypto/sign.h - Ed25519 signatures (RFC 8032) and boxes sealed to who holds such a key.
 *
 * One key for both: a box is sealed to the X25519 form of an identity's key (RFC 7748 section 4.1,
 * the birational map), so that a member needs no second one.  What is signed must say what it is
 * in its own first line (ledger/head.h): nothing is mixed in here.  crypto_start first.
 */
#ifndef JAGA_CRYPTO_SIGN_H
#define JAGA_CRYPTO_SIGN_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "crypto.h"
#include "err.h"
#include "span.h"

#define SIGN_PUBLIC_BYTES 32
#define SIGN_SECRET_BYTES 64 /* RFC 8032's 32-byte private key, then the public key */
#define SIGNATURE_BYTES   64
#define BOX_EXTRA         48 /* of a box: a passing public key 32, tag 16 */

struct sign_public {
    uint8_t b[SIGN_PUBLIC_BYTES];
};

struct sign_secret { /* wiped by its holder */
    uint8_t b[SIGN_SECRET_BYTES];
};

struct signature {
    uint8_t b[SIGNATURE_BYTES];
};

void sign_random(struct sign_secret *secret, struct sign_public *public);
/* RFC 8032 section 5.1.5: seed is what that page calls the private key. */
void sign_from_seed(const struct key *seed, struct sign_secret *secret, struct sign_public *public);
void sign_public_of(const struct sign_secret *secret, struct sign_public *out);
void sign_wipe(struct sign_secret *secret);

bool sign_public_eq(const struct sign_public *a, const struct sign_public *b);
/* A point of the main subgroup in its one encoding: no key that is valid for any text at all
 * (small order) and none that has two forms.  Checked once, where a key comes from outside. */
bool sign_public_ok(const struct sign_public *public);

void sign_make(const struct sign_secret *secret, struct span text, struct signature *out);
/* RFC 8032 section 5.1.7, strict: S below the group's order, R and the key not of small order. */
bool sign_ok(const struct sign_public *public, struct span text, const struct signature *s);

/* Who signs: this process with a secret of its own, or a table that asks the one that holds it.
 * sign returns 0, or -1 with e filled: a signer may refuse. */
struct signer {
    void *arg;
    int (*sign)(void *arg, struct span text, struct signature *out, struct err *e);
};
/* Signs with that secret and never refuses; borrows it. */
struct signer signer_of(const struct sign_secret *secret);

/* To whoever holds the secret of that key, from nobody: it says nothing of its sender, who signs
 * what is inside where that matters.  BOX_EXTRA bytes more than plain.  -1: ERR_RANGE for a key
 * that is none, ERR_LIMIT or ERR_MEMORY where out has no room. */
int box_seal(const struct sign_public *to, struct span plain, struct buf *out, struct err *e);
/* 0 and the plain text appended to out, or -1 and out as it was: not ours, altered, or no room
 * (then out has failed). */
int box_open(const struct sign_secret *secret, struct span sealed, struct buf *out);

#endif
