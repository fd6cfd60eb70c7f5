#include "auth_db.h"

#include <string.h>
#include "mem.h"

static const struct db_driver *const drv = &db_sqlite;

enum {
    S_PASSWORD,
    S_TOKEN,
    S_DROP_NAME,
    S_DROP_PRINCIPAL_PASSWORD,
    S_PUT_PASSWORD,
    S_PUT_TOKEN,
    S_EPOCH_PASSWORD,
    S_EPOCH_TOKEN,
    S_DROP_TOKENS,
    S_GET_EPOCH,
    S_LIST,
    S_COUNT
};

static const char *const sql[S_COUNT] = {
    [S_PASSWORD] = "SELECT principal, epoch, verifier FROM password WHERE name = ?1",
    [S_TOKEN] = "SELECT principal, epoch, expires, hash FROM token WHERE id = ?1",
    [S_DROP_NAME] = "DELETE FROM password WHERE name = ?1",
    [S_DROP_PRINCIPAL_PASSWORD] = "DELETE FROM password WHERE principal = ?1",
    [S_PUT_PASSWORD] =
        "INSERT INTO password (name, principal, epoch, verifier) VALUES (?1, ?2, ?3, ?4)",
    [S_PUT_TOKEN] =
        "INSERT INTO token (id, principal, epoch, expires, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
    [S_EPOCH_PASSWORD] = "UPDATE password SET epoch = ?2 WHERE principal = ?1",
    [S_EPOCH_TOKEN] = "UPDATE token SET epoch = ?2 WHERE principal = ?1",
    [S_DROP_TOKENS] = "DELETE FROM token WHERE principal = ?1",
    [S_GET_EPOCH] = "SELECT epoch FROM password WHERE principal = ?1 "
                    "UNION SELECT epoch FROM token WHERE principal = ?1",
    [S_LIST] = "SELECT principal, 'password', name, 0 FROM password "
               "UNION ALL SELECT principal, 'token', id, expires FROM token ORDER BY 1, 2, 3",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS password (name TEXT PRIMARY KEY, principal INTEGER NOT NULL, "
    "epoch INTEGER NOT NULL, verifier TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS token (id TEXT PRIMARY KEY, principal INTEGER NOT NULL, "
    "epoch INTEGER NOT NULL, expires INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID;";

struct auth_db {
    struct db *db;
    struct db_stmt *stmt[S_COUNT];
};

int
auth_db_open(const char *path, struct auth_db **out, struct err *e)
{
    const struct db_options o = {
        .mode = DB_WRITE,
        .cache_kib = 512,
        .busy_ms = 2000,
        .secure_delete = true,
        .page_size = 4096,
        .checkpoint_pages = 100,
    };
    struct auth_db *d = mem_zero(1, sizeof *d);

    if (!d)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (drv->open(path, &o, &d->db, e) || drv->exec(d->db, schema, e))
        goto fail;
    for (int i = 0; i < S_COUNT; i++)
        if (drv->prepare(d->db, sql[i], &d->stmt[i], e))
            goto fail;
    *out = d;
    return 0;
fail:
    auth_db_close(d);
    return -1;
}

void
auth_db_close(struct auth_db *d)
{
    if (!d)
        return;
    for (int i = 0; i < S_COUNT; i++)
        if (d->stmt[i])
            drv->finalise(d->stmt[i]);
    drv->close(d->db);
    mem_free(d);
}

int
auth_db_password(struct auth_db *d, struct span name, struct auth_password *out, struct err *e)
{
    struct db_stmt *s = d->stmt[S_PASSWORD];
    int r;

    drv->bind_text(s, 1, name);
    r = drv->step(s, e);
    if (r == 1) {
        struct span v = drv->get_bytes(s, 2);
        if (v.n >= sizeof out->verifier) {
            drv->reset(s);
            return err_set(e, ERR_CORRUPT, "a password verifier is too long");
        }
        out->principal = drv->get_int(s, 0);
        out->epoch = drv->get_int(s, 1);
        memcpy(out->verifier, v.p, v.n);
        out->verifier[v.n] = '\0';
    }
    drv->reset(s);
    return r;
}

int
auth_db_token(struct auth_db *d, struct span id, struct auth_token *out, struct err *e)
{
    struct db_stmt *s = d->stmt[S_TOKEN];
    int r;

    drv->bind_text(s, 1, id);
    r = drv->step(s, e);
    if (r == 1) {
        struct span h = drv->get_bytes(s, 3);
        if (h.n != sizeof out->hash) {
            drv->reset(s);
            return err_set(e, ERR_CORRUPT, "a token's hash has a wrong length");
        }
        out->principal = drv->get_int(s, 0);
        out->epoch = drv->get_int(s, 1);
        out->expires_us = drv->get_int(s, 2);
        memcpy(&out->hash, h.p, h.n);
    }
    drv->reset(s);
    return r;
}

/* Runs a statement whose parameters are bound; rows are not expected. */
static int
run(struct auth_db *d, int which, struct err *e)
{
    int r = drv->step(d->stmt[which], e);

    drv->reset(d->stmt[which]);
    return r < 0 ? -1 : 0;
}

static int
run_for(struct auth_db *d, int which, int64_t principal, struct err *e)
{
    drv->bind_int(d->stmt[which], 1, principal);
    return run(d, which, e);
}

int
auth_db_set_password(struct auth_db *d, struct span name, const struct auth_password *p,
                     struct err *e)
{
    struct db_stmt *s = d->stmt[S_PUT_PASSWORD];

    if (drv->begin(d->db, e))
        return -1;
    if (run_for(d, S_DROP_PRINCIPAL_PASSWORD, p->principal, e))
        goto fail;
    drv->bind_text(d->stmt[S_DROP_NAME], 1, name);
    if (run(d, S_DROP_NAME, e))
        goto fail;
    drv->bind_text(s, 1, name);
    drv->bind_int(s, 2, p->principal);
    drv->bind_int(s, 3, p->epoch);
    drv->bind_text(s, 4, span_of(p->verifier));
    if (run(d, S_PUT_PASSWORD, e) || drv->commit(d->db, e))
        goto fail;
    return 0;
fail:
    drv->rollback(d->db);
    return -1;
}

int
auth_db_set_token(struct auth_db *d, struct span id, const struct auth_token *t, struct err *e)
{
    struct db_stmt *s = d->stmt[S_PUT_TOKEN];

    drv->bind_text(s, 1, id);
    drv->bind_int(s, 2, t->principal);
    drv->bind_int(s, 3, t->epoch);
    drv->bind_int(s, 4, t->expires_us);
    drv->bind_blob(s, 5, span_from(&t->hash, sizeof t->hash));
    return run(d, S_PUT_TOKEN, e);
}

int
auth_db_set_epoch(struct auth_db *d, int64_t principal, int64_t epoch, struct err *e)
{
    static const int both[] = {S_EPOCH_PASSWORD, S_EPOCH_TOKEN};

    if (drv->begin(d->db, e))
        return -1;
    for (size_t i = 0; i < 2; i++) {
        drv->bind_int(d->stmt[both[i]], 2, epoch);
        if (run_for(d, both[i], principal, e))
            goto fail;
    }
    if (drv->commit(d->db, e))
        goto fail;
    return 0;
fail:
    drv->rollback(d->db);
    return -1;
}

int
auth_db_remove(struct auth_db *d, int64_t principal, struct err *e)
{
    if (drv->begin(d->db, e))
        return -1;
    if (run_for(d, S_DROP_PRINCIPAL_PASSWORD, principal, e) ||
        run_for(d, S_DROP_TOKENS, principal, e) || drv->commit(d->db, e)) {
        drv->rollback(d->db);
        return -1;
    }
    return 0;
}

int
auth_db_epoch(struct auth_db *d, int64_t principal, int64_t *epoch, struct err *e)
{
    struct db_stmt *s = d->stmt[S_GET_EPOCH];
    int r;

    drv->bind_int(s, 1, principal);
    r = drv->step(s, e);
    if (r == 1)
        *epoch = drv->get_int(s, 0);
    drv->reset(s);
    return r;
}

int
auth_db_list(struct auth_db *d, struct json_out *o, struct err *e)
{
    struct db_stmt *s = d->stmt[S_LIST];
    int r;

    json_begin_array(o);
    while ((r = drv->step(s, e)) == 1) {
        json_begin_object(o);
        json_member_int(o, "principal", drv->get_int(s, 0));
        json_member(o, "kind", drv->get_bytes(s, 1));
        json_member(o, "name", drv->get_bytes(s, 2));
        json_member_int(o, "expires_us", drv->get_int(s, 3));
        json_end_object(o);
    }
    drv->reset(s);
    json_end_array(o);
    return r;
}
