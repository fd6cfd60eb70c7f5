#include "password.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include "crypto.h"
#include "mem.h"
#include "utf8.h"

/* OWASP's minimum for Argon2id with one lane, chosen so that 64 MiB suffice for a whole node. */
#define ARGON_KIB    (19u * 1024u)
#define ARGON_PASSES 2u

/* A verifier that asks for more than this is damaged: it would only hang or starve auth. */
#define ARGON_KIB_MOST    (1024u * 1024u)
#define ARGON_PASSES_MOST 32u

#define ARGON_OUT 32 /* bytes of hash, as libsodium's own verifiers have */

_Static_assert(PASSWORD_VERIFIER_MAX >= crypto_pwhash_argon2id_STRBYTES, "a verifier fits");

static size_t
characters(struct span s)
{
    size_t n = 0;

    for (; s.n > 0; n++)
        utf8_next(&s);
    return n;
}

int
password_hash(struct span password, char verifier[PASSWORD_VERIFIER_MAX], struct err *e)
{
    char made[crypto_pwhash_argon2id_STRBYTES];

    if (password.n > PASSWORD_MAX)
        return err_set(e, ERR_LIMIT, "the password is longer than 256 bytes");
    if (!utf8_valid(password, NULL))
        return err_set(e, ERR_ENCODING, "the password is not UTF-8");
    if (characters(password) < PASSWORD_MIN)
        return err_set(e, ERR_RANGE, "the password has fewer than 10 characters");
    if (crypto_pwhash_argon2id_str(made, password.p, password.n, ARGON_PASSES,
                                   (size_t)ARGON_KIB * 1024) != 0)
        return err_set(e, ERR_MEMORY, "no memory to hash a password");
    memcpy(verifier, made, sizeof made);
    return 0;
}

/* Takes "NAME=NUMBER" and the sep behind it off the front. */
static bool
take_number(struct span *s, const char *name, char sep, uint64_t most, uint64_t *out)
{
    struct span part;
    const size_t n = strlen(name);

    if (!span_starts(*s, name) || !span_split(s, sep, &part))
        return false;
    return span_u64(span_part(part, n, part.n - n), most, out);
}

/* The costs in "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH"; false where it is not of that form. */
static bool
costs_read(const char *verifier, uint64_t *kib, uint64_t *passes)
{
    static const char head[] = "$argon2id$v=19$";
    const size_t n = strnlen(verifier, PASSWORD_VERIFIER_MAX);
    struct span s = {verifier, n};

    if (n >= PASSWORD_VERIFIER_MAX || !span_starts(s, head))
        return false;
    s = span_part(s, sizeof head - 1, n);
    return take_number(&s, "m=", ',', ARGON_KIB_MOST, kib) &&
           take_number(&s, "t=", ',', ARGON_PASSES_MOST, passes);
}

bool
password_ok(struct span password, const char *verifier)
{
    uint64_t kib, passes;

    if (password.n > PASSWORD_MAX || !costs_read(verifier, &kib, &passes))
        return false;
    return crypto_pwhash_argon2id_str_verify(verifier, password.p ? password.p : "", password.n) ==
           0;
}

bool
password_stale(const char *verifier)
{
    uint64_t kib, passes;

    return !costs_read(verifier, &kib, &passes) || kib < ARGON_KIB || passes < ARGON_PASSES;
}

void
password_dummy(struct span password)
{
    static const uint8_t salt[crypto_pwhash_argon2id_SALTBYTES] = "no such account";
    uint8_t out[ARGON_OUT];

    if (password.n > PASSWORD_MAX)
        return; /* as password_ok does, so that length tells nothing of the name */
    (void)!crypto_pwhash_argon2id(out, sizeof out, password.p ? password.p : "", password.n, salt,
                                  ARGON_PASSES, (size_t)ARGON_KIB * 1024,
                                  crypto_pwhash_argon2id_ALG_ARGON2ID13);
    sodium_memzero(out, sizeof out);
}

void
password_random(char out[PASSWORD_RANDOM])
{
    /* Without i, l, o and u: nothing looks like 1 or 0.  32 characters, so 5 bits each: 100 in
     * all, and no bias from taking bytes modulo 32. */
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t raw[20];
    size_t at = 0;

    random_bytes(raw, sizeof raw);
    for (size_t i = 0; i < sizeof raw; i++) {
        if (i > 0 && i % 5 == 0)
            out[at++] = '-';
        out[at++] = letters[raw[i] % 32];
    }
    out[at] = '\0';
    mem_wipe(raw, sizeof raw);
}
