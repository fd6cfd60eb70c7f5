/*
 * crypto/password.h - Argon2id verifiers (RFC 9106; 19 MiB, 2 passes, 1 lane: OWASP's minimum).
 *
 * Blocking, some 20 to 40 ms: the auth process runs one at a time from a bounded queue.
 */
#ifndef JAGA_CRYPTO_PASSWORD_H
#define JAGA_CRYPTO_PASSWORD_H

#include <stdbool.h>
#include "err.h"
#include "span.h"

#define PASSWORD_VERIFIER_MAX 128 /* bytes with NUL */
#define PASSWORD_MIN          10  /* characters; NIST SP 800-63B asks for eight at least */
#define PASSWORD_MAX          256 /* bytes: nobody can make auth hash a megabyte */

int password_hash(struct span password, char verifier[PASSWORD_VERIFIER_MAX], struct err *e);
bool password_ok(struct span password, const char *verifier);
bool password_stale(const char *verifier); /* made with weaker parameters than today's */
/* The cost of password_ok without a verifier: for unknown names. */
void password_dummy(struct span password);
/* A random one for people to type: 20 characters of 32 in groups of five. */
#define PASSWORD_RANDOM 24
void password_random(char out[PASSWORD_RANDOM]);

#endif
