#include <string.h>

#include "ledger.h"
#include "mem.h"
#include "rights.h"
#include "store_impl.h"
#include "store_stream.h"

/*
 * The schema, in numbered steps that are only added.  SQL that SQLite and PostgreSQL share, but for
 * one word: tables marked @ are kept in the order of their primary key, which SQLite has to be
 * told.  What comes from outside is never an index key, but for normal forms of values, which are
 * bounded and searched by range.
 */
static const char *const step_1[] = {
    "CREATE TABLE state (one INTEGER PRIMARY KEY, p INTEGER NOT NULL, next_us INTEGER NOT NULL, "
    "commits INTEGER NOT NULL, rights INTEGER NOT NULL, merged INTEGER NOT NULL, "
    "merging INTEGER NOT NULL, waiting INTEGER NOT NULL, waiting_bytes INTEGER NOT NULL, "
    "waiting_last INTEGER NOT NULL)",
    "INSERT INTO state (one, p, next_us, commits, rights, merged, merging, waiting, "
    "waiting_bytes, waiting_last) VALUES (1, 0, 0, 0, 1, 0, 0, 0, 0, 0)",
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) @",

    /* Rights. */
    "CREATE TABLE org (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, member INTEGER NOT NULL, "
    "expires INTEGER NOT NULL, disabled INTEGER NOT NULL, removed INTEGER NOT NULL, "
    "created INTEGER NOT NULL, name TEXT UNIQUE, title TEXT NOT NULL, identity TEXT UNIQUE)",
    "CREATE TABLE principal (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, org INTEGER NOT NULL, "
    "roles INTEGER NOT NULL, scope INTEGER NOT NULL, owner INTEGER NOT NULL, "
    "staff INTEGER NOT NULL, exercise INTEGER NOT NULL, quarantine INTEGER NOT NULL, "
    "disabled INTEGER NOT NULL, ceiling INTEGER NOT NULL, expires INTEGER NOT NULL, "
    "epoch INTEGER NOT NULL, grp INTEGER NOT NULL, removed INTEGER NOT NULL, "
    "created INTEGER NOT NULL, name TEXT UNIQUE, title TEXT NOT NULL)",
    "CREATE TABLE grp (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, org INTEGER NOT NULL, "
    "generation INTEGER NOT NULL, past INTEGER NOT NULL, closed INTEGER NOT NULL, "
    "removed INTEGER NOT NULL, created INTEGER NOT NULL, name TEXT UNIQUE, title TEXT NOT NULL, "
    "charter TEXT NOT NULL)",
    "CREATE TABLE generation (n INTEGER PRIMARY KEY, grp INTEGER NOT NULL, "
    "begun INTEGER NOT NULL, random BLOB NOT NULL)",
    "CREATE TABLE member (generation INTEGER NOT NULL, org INTEGER NOT NULL, "
    "since INTEGER NOT NULL, PRIMARY KEY (generation, org)) @",
    "CREATE TABLE binding (identity TEXT PRIMARY KEY, org INTEGER NOT NULL) @",
    "CREATE TABLE audience (n INTEGER PRIMARY KEY, label INTEGER NOT NULL, "
    "exercise INTEGER NOT NULL, grp INTEGER NOT NULL, generation INTEGER NOT NULL, "
    "person INTEGER NOT NULL, next_seq INTEGER NOT NULL, newest_p INTEGER NOT NULL, "
    "living INTEGER NOT NULL)",
    "CREATE TABLE grant_ (n INTEGER PRIMARY KEY, audience INTEGER NOT NULL, kind INTEGER NOT NULL, "
    "number INTEGER NOT NULL, natural_from INTEGER NOT NULL, done INTEGER NOT NULL, "
    "UNIQUE (audience, kind, number))",
    "CREATE TABLE slice (base INTEGER PRIMARY KEY, grant_n INTEGER NOT NULL, "
    "audience INTEGER NOT NULL, from_seq INTEGER NOT NULL, n INTEGER NOT NULL, "
    "p_from INTEGER NOT NULL, p_to INTEGER NOT NULL, p_next INTEGER NOT NULL)",

    /* What is published. */
    "CREATE TABLE type (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE stream (n INTEGER PRIMARY KEY, publisher INTEGER NOT NULL, "
    "audience INTEGER NOT NULL, current INTEGER NOT NULL, id BLOB NOT NULL, "
    "incarnation BLOB NOT NULL, size INTEGER NOT NULL, frontier BLOB NOT NULL)",
    "CREATE TABLE publication (p INTEGER PRIMARY KEY, arrival INTEGER NOT NULL, "
    "audience INTEGER NOT NULL, seq INTEGER NOT NULL, flags INTEGER NOT NULL, "
    "ident INTEGER NOT NULL, type INTEGER NOT NULL, object INTEGER NOT NULL, mod_s INTEGER, "
    "mod_ns INTEGER, batch INTEGER, confidence INTEGER, stream INTEGER NOT NULL, "
    "entry INTEGER NOT NULL, d BLOB NOT NULL, salt BLOB, gversion INTEGER, id BLOB, bytes BLOB)",
    "CREATE TABLE ident (gen INTEGER NOT NULL, key INTEGER NOT NULL, n INTEGER NOT NULL, "
    "PRIMARY KEY (gen, key, n)) @",
    "CREATE TABLE version (ident INTEGER NOT NULL, audience INTEGER NOT NULL, "
    "state INTEGER NOT NULL, p INTEGER NOT NULL, PRIMARY KEY (ident, audience, state, p)) @",
    "CREATE TABLE posting (kind INTEGER NOT NULL, audience INTEGER NOT NULL, p INTEGER NOT NULL, "
    "PRIMARY KEY (kind, audience, p)) @",
    "CREATE TABLE block (n INTEGER PRIMARY KEY, cells BLOB NOT NULL)",
    "CREATE TABLE counting (audience INTEGER NOT NULL, type INTEGER NOT NULL, n INTEGER NOT NULL, "
    "PRIMARY KEY (audience, type)) @",

    /* What it is found by. */
    "CREATE TABLE term (gen INTEGER NOT NULL, key INTEGER NOT NULL, p INTEGER NOT NULL, "
    "audience INTEGER NOT NULL, PRIMARY KEY (gen, key, p)) @",
    "CREATE TABLE value (gen INTEGER NOT NULL, key BLOB NOT NULL, p INTEGER NOT NULL, "
    "audience INTEGER NOT NULL, PRIMARY KEY (gen, key, p)) @",
    "CREATE TABLE edge (gen INTEGER NOT NULL, node INTEGER NOT NULL, kind INTEGER NOT NULL, "
    "p INTEGER NOT NULL, audience INTEGER NOT NULL, PRIMARY KEY (gen, node, kind, p)) @",
    "CREATE TABLE text_segment (n INTEGER PRIMARY KEY, p_from INTEGER NOT NULL, "
    "p_to INTEGER NOT NULL)",
    "CREATE TABLE text_chunk (k INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE text_tail (p INTEGER PRIMARY KEY, data BLOB NOT NULL)",

    /* What came in together, and what waits. */
    "CREATE TABLE batch (n INTEGER PRIMARY KEY, principal INTEGER NOT NULL, begun INTEGER NOT "
    "NULL, ended INTEGER NOT NULL, state INTEGER NOT NULL, objects INTEGER NOT NULL, "
    "source TEXT NOT NULL, collection TEXT NOT NULL, token TEXT UNIQUE)",
    "CREATE TABLE batch_range (batch INTEGER NOT NULL, p_from INTEGER NOT NULL, "
    "p_to INTEGER NOT NULL, PRIMARY KEY (batch, p_from)) @",
    "CREATE TABLE cause (batch INTEGER NOT NULL, outcome INTEGER NOT NULL, key INTEGER NOT NULL, "
    "n INTEGER NOT NULL, texts BLOB NOT NULL, PRIMARY KEY (batch, outcome, key)) @",
    "CREATE TABLE item (batch INTEGER NOT NULL, n INTEGER NOT NULL, outcome INTEGER NOT NULL, "
    "data BLOB NOT NULL, PRIMARY KEY (batch, n)) @",
    "CREATE TABLE known (of_batch INTEGER NOT NULL, by_batch INTEGER NOT NULL, "
    "PRIMARY KEY (of_batch, by_batch)) @",
    "CREATE TABLE defect (p INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE pending (n INTEGER PRIMARY KEY, batch INTEGER NOT NULL, item INTEGER NOT NULL, "
    "principal INTEGER NOT NULL, reason INTEGER NOT NULL, marking INTEGER NOT NULL, "
    "at INTEGER NOT NULL, size INTEGER NOT NULL, head BLOB NOT NULL, bytes BLOB NOT NULL)",
    "CREATE INDEX pending_batch ON pending (batch, n)",
    "CREATE INDEX pending_marking ON pending (marking, n)",

    /* Never shared. */
    "CREATE TABLE audit (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, principal INTEGER NOT NULL, "
    "who TEXT NOT NULL, act TEXT NOT NULL, what TEXT NOT NULL, result TEXT NOT NULL)",
    "CREATE TABLE served (audience INTEGER NOT NULL, principal INTEGER NOT NULL, "
    "until INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (audience, principal)) @",
    "CREATE TABLE exposed (audience INTEGER NOT NULL, noted INTEGER NOT NULL, "
    "principal INTEGER NOT NULL, until INTEGER NOT NULL, at INTEGER NOT NULL, "
    "PRIMARY KEY (audience, noted, principal)) @",

    /* The rows that policy counts on (audience.h). */
    "INSERT INTO org (n, kind, member, expires, disabled, removed, created, name, title) VALUES "
    "(1, 1, 0, 0, 0, 0, 0, 'self', '')",
    "INSERT INTO principal (n, kind, org, roles, scope, owner, staff, exercise, quarantine, "
    "disabled, ceiling, expires, epoch, grp, removed, created, name, title) VALUES "
    "(1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'nobody', ''), "
    "(2, 4, 1, 15, 3, 0, 1, 1, 0, 0, 3, 0, 1, 0, 0, 0, 'operator', '')",
    "INSERT INTO grp (n, kind, org, generation, past, closed, removed, created, name, title, "
    "charter) VALUES "
    "(1, 1, 0, 1, 1, 0, 0, 0, 'public', '', ''), (2, 2, 0, 2, 0, 0, 0, 0, 'region', '', ''), "
    "(3, 3, 1, 3, 1, 0, 0, 0, 'own', '', '')",
    "INSERT INTO member (generation, org, since) VALUES (2, 1, 0), (3, 1, 0)", NULL};

/* Streams whole: trees that prove, entries of others, heads, and what is known of peers.  Ids of
 * streams change with it (store_stream.h): the old one is kept, since erased positions beside the
 * database are noted under it. */
static const char *const step_2[] = {
    "UPDATE grp SET past = 1 WHERE n = 2", /* who joins the region sees what was said to it */
    "ALTER TABLE stream ADD COLUMN own INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE stream ADD COLUMN old BLOB",
    "UPDATE stream SET old = id",
    "CREATE TABLE tile (k INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE head (stream INTEGER PRIMARY KEY, size INTEGER NOT NULL, head BLOB NOT NULL, "
    "links BLOB NOT NULL)",
    "CREATE TABLE frozen (stream INTEGER PRIMARY KEY, at INTEGER NOT NULL, "
    "evidence BLOB NOT NULL)",
    "CREATE TABLE lack (stream INTEGER NOT NULL, entry INTEGER NOT NULL, owed INTEGER NOT NULL, "
    "salt BLOB NOT NULL, header BLOB NOT NULL, PRIMARY KEY (stream, entry)) @",
    "CREATE TABLE said (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name BLOB NOT NULL, "
    "stream BLOB, entry INTEGER NOT NULL, member BLOB, content BLOB NOT NULL, "
    "UNIQUE (kind, name))",
    "CREATE TABLE peer (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, epoch BLOB NOT NULL, "
    "cursor INTEGER NOT NULL, ok INTEGER NOT NULL, failed INTEGER NOT NULL, "
    "failures INTEGER NOT NULL, why TEXT NOT NULL)",
    "CREATE TABLE mirror (peer INTEGER NOT NULL, key BLOB NOT NULL, print BLOB NOT NULL, "
    "PRIMARY KEY (peer, key)) @",
    "CREATE TABLE offered (peer INTEGER NOT NULL, key BLOB NOT NULL, stream BLOB NOT NULL, "
    "asked INTEGER NOT NULL, refused INTEGER NOT NULL, content BLOB NOT NULL, "
    "PRIMARY KEY (peer, key)) @",
    "CREATE TABLE accused (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, peer BLOB NOT NULL, "
    "why TEXT NOT NULL, evidence BLOB NOT NULL)",
    NULL};

/* Streams are asked for by id, and how many of their entries owe bytes, for each offer to a peer.
 */
static const char *const step_3[] = {
    "ALTER TABLE stream ADD COLUMN owed INTEGER NOT NULL DEFAULT 0",
    "UPDATE stream SET owed = (SELECT count(*) FROM lack WHERE lack.stream = stream.n AND "
    "lack.owed = 1)",
    "CREATE UNIQUE INDEX stream_id ON stream (id)", NULL};

static const char *const *const steps[] = {step_1, step_2, step_3};
#define STEPS (sizeof steps / sizeof steps[0])

#define KEPT_ORDER " WITHOUT ROWID" /* SQLite's word for @ */

static int
run_one(struct store *s, const char *sql, struct err *e)
{
    const size_t n = strlen(sql);
    struct buf b;
    int rc = -1;

    buf_init(&b, 1u << 16);
    if (sql[n - 1] == '@') {
        buf_put(&b, sql, n - 1);
        if (strcmp(s->drv->name, "sqlite") == 0)
            buf_str(&b, KEPT_ORDER);
    } else {
        buf_put(&b, sql, n);
    }
    buf_u8(&b, 0);
    if (b.failed)
        err_set(e, ERR_MEMORY, "no memory for the schema");
    else
        rc = s->drv->exec(s->d, b.p, e);
    buf_clear(&b);
    return rc;
}

/* What a new store needs and constants cannot give: random keys and ids of generations. */
static int
make_random(struct store *s, struct err *e)
{
    struct key k;
    int rc;

    key_random(&k);
    rc = store_setting_put(s, "store.id-key", span_from(k.b, sizeof k.b), e);
    key_wipe(&k);
    for (int64_t n = 1; rc == 0 && n <= 3; n++) {
        uint8_t id[LEDGER_RANDOM_BYTES];

        random_bytes(id, sizeof id);
        rc = sql_do(s, e, "INSERT INTO generation (n, grp, begun, random) VALUES (?1, ?1, 0, ?2)",
                    "ib", n, span_from(id, sizeof id));
    }
    return rc;
}

static int
schema_number(struct store *s, int64_t *out, struct err *e)
{
    int64_t there;
    int rc;

    /* A catalogue query differs between databases; reading the table and failing does not. */
    struct db_stmt *q;
    struct err quiet = ERR_INIT;

    if (s->drv->prepare(s->d, "SELECT n FROM schema_version WHERE one = 1", &q, &quiet) < 0) {
        if (quiet.code != ERR_INTERNAL) {
            *e = quiet;
            return -1;
        }
        *out = 0;
        return 0;
    }
    rc = s->drv->step(q, e);
    there = rc == 1 ? s->drv->get_int(q, 0) : 0;
    s->drv->finalise(q);
    if (rc < 0)
        return -1;
    *out = there;
    return 0;
}

static int
take_steps(struct store *s, int64_t from, struct err *e)
{
    if (from == 0 &&
        (run_one(s, "CREATE TABLE schema_version (one INTEGER PRIMARY KEY, n INTEGER)", e) < 0 ||
         run_one(s, "INSERT INTO schema_version (one, n) VALUES (1, 0)", e) < 0))
        return -1;
    for (size_t i = (size_t)from; i < STEPS; i++)
        for (const char *const *sql = steps[i]; *sql; sql++)
            if (run_one(s, *sql, e) < 0)
                return err_place(e, "schema step %zu", i + 1);
    if (sql_do(s, e, "UPDATE schema_version SET n = ?1 WHERE one = 1", "i", (int64_t)STEPS) < 0)
        return -1;
    if (from == 0)
        return make_random(s, e);
    return from < 2 ? streams_upgrade(s, e) : 0;
}

int
schema_open(struct store *s, struct err *e)
{
    int64_t n;
    struct span key;
    struct arena *a;
    int rc;

    if (schema_number(s, &n, e) < 0)
        return -1;
    if (n > (int64_t)STEPS)
        return err_set(e, ERR_CONFLICT, "a newer version of this program wrote the store");
    if (n < (int64_t)STEPS) {
        if (s->mode != DB_WRITE)
            return err_set(e, ERR_BUSY, "the writer has to start first");
        if (s->drv->begin(s->d, e) < 0)
            return -1;
        s->open = true;
        rc = take_steps(s, n, e);
        s->open = false;
        store_forget(s);
        if (rc < 0 || s->drv->commit(s->d, e) < 0) {
            s->drv->rollback(s->d);
            return -1;
        }
    }
    a = arena_new(STORE_SETTING_MAX * 2);
    if (!a)
        return err_set(e, ERR_MEMORY, "no memory for a store");
    s->open = true;
    rc = store_setting_get(s, "store.id-key", a, &key, e);
    s->open = false;
    if (rc == 1 && key.n == sizeof s->id_key.b)
        memcpy(s->id_key.b, key.p, key.n);
    else if (rc >= 0)
        rc = err_set(e, ERR_CORRUPT, "the store has lost its key of ids");
    arena_free(a);
    return rc < 0 ? -1 : 0;
}
