/*
 * auth/auth.h - who proves to be whom: verifiers, tokens, sessions and the throttle, in auth.db.
 *
 * Only the auth process opens auth.db, and auth.db is all that it opens.  It knows principals by
 * number alone: what they may do are rows of the main store, which it never reads.  A verifier
 * carries the principal's epoch as the store had it when the verifier was set; whoever checks a
 * ticket compares that with the store's, so a removed or changed principal is dead at once.
 *
 * A password costs an Argon2id run, so it is never checked where it arrives: auth_login answers
 * AUTH_QUEUED and auth_work does one at a time.  Tokens and recently checked passwords are
 * answered at once.  An unknown name costs the same as a known one.
 */
#ifndef JAGA_AUTH_AUTH_H
#define JAGA_AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>
#include "clock.h"
#include "crypto.h"
#include "err.h"
#include "json_write.h"
#include "span.h"

#define AUTH_QUEUE_MAX     64 /* logins waiting for their hash: 64 * 30 ms is what one waits for */
#define AUTH_CACHE_US      (5 * 60 * INT64_C(1000000)) /* a password is hashed again after this */
#define AUTH_CACHE_MAX     4096                        /* remembered good logins */
#define AUTH_SESSION_US    (12 * 3600 * INT64_C(1000000)) /* the longest piece of work that renews */
#define AUTH_SESSION_MAX   4096
#define AUTH_NAME_MAX      64  /* bytes of a login name */
#define AUTH_TOKEN_ID      12  /* bytes of a token's public part, in text */
#define AUTH_TOKEN_TEXT    80  /* bytes of a whole token with NUL: "jaga_ID_SECRET" */
#define AUTH_FAILURES_FREE 5   /* failures before anything is slowed down */
#define AUTH_WAIT_MAX_S    900 /* the longest wait that the throttle asks for */

struct auth;

enum auth_scheme {
    AUTH_PASSWORD = 1, /* name and password */
    AUTH_TOKEN = 2     /* a token, as bearer or as the password of Basic */
};

enum auth_state {
    AUTH_OK,
    AUTH_NO,     /* wrong, unknown, expired: never told apart */
    AUTH_LATER,  /* throttled or the queue is full: wait_s says for how long */
    AUTH_QUEUED, /* the answer comes from auth_work */
    AUTH_BROKEN  /* auth.db failed; the error says how */
};

struct auth_login {
    enum auth_scheme scheme;
    struct span name; /* empty for a token */
    struct span secret;
    struct span address; /* the client's, as the listener saw it: for the throttle alone */
    uint64_t tag;        /* the caller's own mark, given back */
};

struct auth_result {
    enum auth_state state;
    uint64_t tag;
    int64_t principal;
    int64_t epoch;
    bool token; /* the credential was a token */
    uint8_t session[16];
    unsigned wait_s;
    char name[AUTH_NAME_MAX + 1]; /* as given, for the audit; not for a token's secret */
};

/* Makes the file where there is none.  c may be NULL: the machine's clock. */
int auth_open(const char *path, const struct clock *c, struct auth **out, struct err *e);
void auth_close(struct auth *a);

/* Checks what can be checked at once.  Everything in l is copied before it returns. */
void auth_login(struct auth *a, const struct auth_login *l, struct auth_result *out);
/* Hashes one waiting password; false when none waits. */
bool auth_work(struct auth *a, struct auth_result *out);
size_t auth_waiting(const struct auth *a);

/* Long work: the principal of a session that is still good, with its epoch. */
bool auth_renew(struct auth *a, const uint8_t session[16], int64_t *principal, int64_t *epoch,
                bool *token);

/* Administration, over the local socket alone.  A name belongs to one principal. */
int auth_set_password(struct auth *a, int64_t principal, int64_t epoch, struct span name,
                      struct span password, struct err *e);
/* Makes a token and prints it once; expires_us 0: no end. */
int auth_make_token(struct auth *a, int64_t principal, int64_t epoch, int64_t expires_us,
                    char text[AUTH_TOKEN_TEXT], struct err *e);
/* The new epoch for all that this principal has. */
int auth_set_epoch(struct auth *a, int64_t principal, int64_t epoch, struct err *e);
/* All verifiers, sessions and cached logins of a principal. */
int auth_remove(struct auth *a, int64_t principal, struct err *e);
/* {"logins":[{"principal":N,"kind":"password"|"token","name":...,"expires_us":N,}]} */
int auth_list(struct auth *a, struct json_out *o, struct err *e);

#endif
