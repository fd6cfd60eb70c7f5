/*
 * auth/auth_db.h - the tables of auth.db: verifiers of passwords, hashes of tokens.
 *
 * A token's secret has 256 random bits, so a plain SHA-256 of it is a good verifier; a password's
 * is Argon2id.  Every change is on disk when the call returns.
 */
#ifndef JAGA_AUTH_AUTH_DB_H
#define JAGA_AUTH_AUTH_DB_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto.h"
#include "db.h"
#include "err.h"
#include "json_write.h"
#include "password.h"
#include "span.h"

struct auth_db;

struct auth_password {
    int64_t principal;
    int64_t epoch;
    char verifier[PASSWORD_VERIFIER_MAX];
};

struct auth_token {
    int64_t principal;
    int64_t epoch;
    int64_t expires_us; /* 0: no end */
    struct hash hash;
};

int auth_db_open(const char *path, struct auth_db **out, struct err *e);
void auth_db_close(struct auth_db *d);
/* 1 found, 0 not, -1 failed */
int auth_db_password(struct auth_db *d, struct span name, struct auth_password *out, struct err *e);
int auth_db_token(struct auth_db *d, struct span id, struct auth_token *out, struct err *e);
int auth_db_set_password(struct auth_db *d, struct span name, const struct auth_password *p,
                         struct err *e);
int auth_db_set_token(struct auth_db *d, struct span id, const struct auth_token *t, struct err *e);
int auth_db_set_epoch(struct auth_db *d, int64_t principal, int64_t epoch, struct err *e);
int auth_db_remove(struct auth_db *d, int64_t principal, struct err *e);
/* 1 and the epoch of any verifier of that principal, 0 none, -1 failed */
int auth_db_epoch(struct auth_db *d, int64_t principal, int64_t *epoch, struct err *e);
int auth_db_list(struct auth_db *d, struct json_out *o, struct err *e);

#endif
