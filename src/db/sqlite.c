#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "buf.h"
#include "mem.h"
#include "sqlite_rows.h"

#define FILE_MODE 0600 /* SQLite gives -wal and -shm the rights of the database */
#define URI_MAX   (3 * PATH_MAX + 64)
#define READ_VFS  "jaga-read"

/* What the log may keep on disk after a checkpoint; it is cut to nothing when the writer closes. */
#define WAL_KEEP_BYTES (INT64_C(64) << 20)

#define LOOKS                                                                                      \
    100 /* a millisecond apart: far longer than a commit takes, and than a new writer's start */
/* A writer's scratch memory: each row is put together in it, of some thousand bytes with an object.
 */
#define LOOKASIDE_BYTES 4096
#define LOOKASIDE_SLOTS 64

#define INTO_MAX 16 /* tables that rows are inserted into together */

#define BACKUP_STEP 1024 /* pages between two calls of progress */

struct db {
    sqlite3 *h;
    enum db_mode mode;
    bool transaction; /* begin has succeeded, neither commit nor rollback was called since */
    struct db_stmt *first;
    sqlite3_stmt *begin, *commit, *rollback, *version;
    struct rows_given given;
    struct {
        const struct db_into *into;
        sqlite3_stmt *s;
    } inserts[INTO_MAX]; /* writer */
    size_t insert_n;
};

struct db_stmt {
    sqlite3_stmt *s;
    struct db *d;
    int bind_rc; /* the first bind that failed since the last reset: step reports it */
    struct db_stmt *prev, *next;
};

/* ---- errors ---- */

struct meaning {
    int rc;
    enum err_code code;
    const char *text;
};

static struct meaning
meaning_of(int rc)
{
    /* Extended codes first, then what their low byte says. */
    static const struct meaning table[] = {
        {SQLITE_READONLY_RECOVERY, ERR_BUSY, "the writer has to recover the log first"},
        {SQLITE_READONLY_CANTINIT, ERR_BUSY, "the writer has to start first"},
        {SQLITE_READONLY_CANTLOCK, ERR_BUSY, "the writer has to start first"},
        {SQLITE_READONLY_DBMOVED, ERR_IO, "the database file was moved or removed"},
        {SQLITE_IOERR_NOMEM, ERR_MEMORY, "no memory in the database"},
        {SQLITE_IOERR_CORRUPTFS, ERR_CORRUPT, "the file system is damaged"},
        {SQLITE_CONSTRAINT_UNIQUE, ERR_DUPLICATE, "the row exists already"},
        {SQLITE_CONSTRAINT_PRIMARYKEY, ERR_DUPLICATE, "the row exists already"},
        {SQLITE_CONSTRAINT_ROWID, ERR_DUPLICATE, "the row exists already"},
        {SQLITE_BUSY, ERR_BUSY, "the database is busy"},
        {SQLITE_LOCKED, ERR_BUSY, "the database is busy"},
        {SQLITE_PROTOCOL, ERR_BUSY, "the database is busy"},
        {SQLITE_FULL, ERR_FULL, "the disk is full"},
        {SQLITE_NOMEM, ERR_MEMORY, "no memory in the database"},
        {SQLITE_CORRUPT, ERR_CORRUPT, "the database is damaged"},
        {SQLITE_NOTADB, ERR_CORRUPT, "the file is no database"},
        {SQLITE_READONLY, ERR_DENIED, "the database is read-only"},
        {SQLITE_PERM, ERR_DENIED, "the database may not be used"},
        {SQLITE_AUTH, ERR_DENIED, "the statement is not allowed"},
        {SQLITE_CONSTRAINT, ERR_CONFLICT, "a constraint of the database is broken"},
        {SQLITE_TOOBIG, ERR_LIMIT, "a value is too large for the database"},
        {SQLITE_MISMATCH, ERR_TYPE, "a value has another type than its column"},
        {SQLITE_CANTOPEN, ERR_IO, "the database cannot be opened"},
        {SQLITE_IOERR, ERR_IO, "the database cannot be read or written"},
    };
    const size_t n = sizeof table / sizeof table[0];

    for (size_t i = 0; i < n; i++)
        if (table[i].rc == rc)
            return table[i];
    for (size_t i = 0; i < n; i++)
        if (table[i].rc == (rc & 0xff))
            return table[i];
    return (struct meaning){rc, ERR_INTERNAL, "a statement is wrong"};
}

/* SQLite reports ENOSPC alone as full; quotas and limits on file size end there as well. */
static bool
full_disk(int sys)
{
    return sys == ENOSPC || sys == EDQUOT || sys == EFBIG;
}

/* errno of the call that failed.  SQLite forgets it when a commit fails; the files remember. */
static int
system_errno(sqlite3 *h, int rc)
{
    int sys = sqlite3_system_errno(h);
    sqlite3_file *log = NULL;

    if (sys == 0 && (rc & 0xff) == SQLITE_IOERR) {
        sqlite3_file_control(h, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
        if (log && log->pMethods)
            log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &sys);
        if (sys == 0)
            sqlite3_file_control(h, "main", SQLITE_FCNTL_LAST_ERRNO, &sys);
    }
    return sys;
}

static int
fail(struct err *e, sqlite3 *h, int rc)
{
    struct meaning m = meaning_of(rc);
    const int low = rc & 0xff;
    int sys = 0;

    if (h && (low == SQLITE_IOERR || low == SQLITE_CANTOPEN))
        sys = system_errno(h, rc);
    if (low == SQLITE_IOERR && full_disk(sys)) {
        m.code = ERR_FULL;
        m.text = "the disk is full";
    }
    err_set_sys(e, sys, m.text);
    if (e)
        e->code = m.code;
    /* These name tables, columns or SQL of ours, never a value. */
    if (h && (m.code == ERR_INTERNAL || low == SQLITE_CONSTRAINT))
        err_place(e, "%s", sqlite3_errmsg(h));
    return -1;
}

static bool
db_corrupt(const struct err *e)
{
    return e->code == ERR_CORRUPT;
}

/* ---- opening ---- */

/* A reader shall have no descriptor that can write, but SQLite opens the log for writing even for
 * a read-only connection.  This VFS is "unix" with that one flag changed. */
static int
open_read_only(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    sqlite3_vfs *base = sqlite3_vfs_find("unix");

    (void)vfs;
    flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    return base->xOpen(base, name, file, flags | SQLITE_OPEN_READONLY, out);
}

static int
register_read_vfs(struct err *e)
{
    sqlite3_vfs *base, *made;

    if (sqlite3_vfs_find(READ_VFS))
        return 0;
    base = sqlite3_vfs_find("unix");
    /* SQLite keeps it for the life of the process. */
    made = base ? mem_dup(base, sizeof *base) : NULL;
    if (!made)
        return err_set(e, ERR_MEMORY, "no memory to open a database");
    made->zName = READ_VFS;
    made->xOpen = open_read_only;
    made->pNext = NULL;
    if (sqlite3_vfs_register(made, 0) != SQLITE_OK) {
        mem_free(made);
        return err_set(e, ERR_INTERNAL, "SQLite takes no VFS");
    }
    return 0;
}

/* The path as a URI: "file:" and every byte that could mean something else percent-encoded. */
static int
uri_of(struct buf *out, const char *path, enum db_mode mode, struct err *e)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-";

    if (!*path)
        return err_set(e, ERR_USAGE, "a database needs a path");
    buf_str(out, *path == '/' ? "file://" : "file:./");
    for (; *path; path++)
        if (strchr(plain, *path))
            buf_put(out, path, 1);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*path);
    if (mode == DB_READ)
        buf_str(out, "?readonly_shm=1");
    buf_u8(out, 0);
    return out->failed ? err_set(e, ERR_LIMIT, "the path of the database is too long") : 0;
}

/* What errno says of a call of our own. */
static int
fail_sys(struct err *e, int sys, const char *text)
{
    err_set_sys(e, sys, text);
    if (e && full_disk(sys)) {
        e->code = ERR_FULL;
        e->text = "the disk is full";
    }
    return -1;
}

/* SQLite would create it readable for everyone.  O_EXCL, because opening and closing a file that
 * another connection of this process has open would drop that one's locks. */
static int
create_file(const char *path, struct err *e)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);

    if (fd < 0)
        return fail_sys(e, errno, "a file cannot be created");
    close(fd);
    return 0;
}

static int
open_handle(const char *path, enum db_mode mode, sqlite3 **out, struct err *e)
{
    char mem[URI_MAX];
    struct buf uri;
    sqlite3 *h = NULL;
    int rc, flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                    SQLITE_OPEN_EXRESCODE;

    buf_init_fixed(&uri, mem, sizeof mem);
    if (uri_of(&uri, path, mode, e) < 0)
        return -1;
    flags |= mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    rc = sqlite3_open_v2(uri.p, &h, flags, mode == DB_READ ? READ_VFS : "unix");
    if (rc != SQLITE_OK) {
        fail(e, h, rc);
        if (e && e->sys == ENOENT)
            e->code = ERR_MISSING;
        err_place(e, "%s", path);
        sqlite3_close(h);
        return -1;
    }
    *out = h;
    return 0;
}

/* The schema is ours, yet the file may be another's: nothing in it may call what has effects, and
 * no statement of ours may damage it by the back ways. */
static int
harden(sqlite3 *h, struct err *e)
{
    static const struct {
        int option, value;
    } table[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                 {SQLITE_DBCONFIG_ENABLE_FKEY, 0},    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                 {SQLITE_DBCONFIG_DQS_DDL, 0},        {SQLITE_DBCONFIG_DQS_DML, 0},
                 {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const int rc = sqlite3_db_config(h, table[i].option, table[i].value, NULL);

        if (rc != SQLITE_OK)
            return fail(e, h, rc);
    }
    sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 0);
    return 0;
}

static int
run(sqlite3 *h, const char *sql, struct err *e)
{
    const int rc = sqlite3_exec(h, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : fail(e, h, rc);
}

static int
set_number(sqlite3 *h, const char *pragma, int64_t v, struct err *e)
{
    char sql[80];

    snprintf(sql, sizeof sql, "PRAGMA %s=%lld", pragma, (long long)v);
    return run(h, sql, e);
}

/* The first column of the first row, as a number or as text of at most n - 1 bytes. */
static int
ask(sqlite3 *h, const char *sql, int64_t *num, char *text, size_t n, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h, sql, -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        if (num)
            *num = sqlite3_column_int64(s, 0);
        if (text) {
            const char *p = (const char *)sqlite3_column_text(s, 0);

            snprintf(text, n, "%s", p ? p : "");
        }
    }
    if (rc != SQLITE_ROW)
        fail(e, h, rc == SQLITE_DONE ? SQLITE_ERROR : rc);
    sqlite3_finalize(s);
    return rc == SQLITE_ROW ? 0 : -1;
}

static int
options_common(sqlite3 *h, const struct db_options *o, struct err *e)
{
    sqlite3_busy_timeout(h, o->busy_ms);
    if (harden(h, e) < 0)
        return -1;
    /* Sorts and statement journals in memory: a sandbox lets nobody open a file later. */
    if (run(h, "PRAGMA temp_store=MEMORY", e) < 0)
        return -1;
    if (o->cache_kib > 0 && set_number(h, "cache_size", -(int64_t)o->cache_kib, e) < 0)
        return -1;
    return set_number(h, "mmap_size", o->mmap_bytes, e);
}

static int
options_write(sqlite3 *h, const struct db_options *o, struct err *e)
{
    char mode[16];
    int persist = 1;

    if (o->page_size > 0 && set_number(h, "page_size", o->page_size, e) < 0)
        return -1;
    if (ask(h, "PRAGMA journal_mode=WAL", NULL, mode, sizeof mode, e) < 0)
        return -1;
    if (strcmp(mode, "wal") != 0)
        return err_set(e, ERR_IO, "the file system does not carry a write-ahead log");
    /* The log and its index stay when the writer goes: readers cannot make them. */
    sqlite3_file_control(h, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    if (run(h, "PRAGMA synchronous=FULL", e) < 0 ||
        set_number(h, "journal_size_limit", WAL_KEEP_BYTES, e) < 0 ||
        set_number(h, "wal_autocheckpoint", o->checkpoint_pages, e) < 0)
        return -1;
    return set_number(h, "secure_delete", o->secure_delete, e);
}

/* The log or its index is not there: a reader cannot make them. */
static bool
side_missing(sqlite3 *h)
{
    const char *path = sqlite3_db_filename(h, "main");
    static const char *const ends[] = {"-wal", "-shm"};
    char side[PATH_MAX + 8];

    for (size_t i = 0; path && i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(side, sizeof side, "%s%s", path, ends[i]);
        if (access(side, F_OK) != 0 && errno == ENOENT)
            return true;
    }
    return false;
}

/* Does once what opens files, so that it is not done in the sandbox: reads a page (opens log and
 * index), and as the writer commits one (the first sync of a log opens its folder to sync that). */
static int
warm(sqlite3 *h, enum db_mode mode, struct err *e)
{
    int64_t v;

    if (ask(h, "SELECT count(*) FROM sqlite_schema", &v, NULL, 0, e) < 0)
        return -1;
    if (mode == DB_READ)
        return run(h, "PRAGMA query_only=ON", e);
    if (ask(h, "PRAGMA user_version", &v, NULL, 0, e) < 0)
        return -1;
    return set_number(h, "user_version", v, e);
}

static int
prepare_own(struct db *d, const char *sql, sqlite3_stmt **out, struct err *e)
{
    const int rc = sqlite3_prepare_v3(d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);

    return rc == SQLITE_OK ? 0 : fail(e, d->h, rc);
}

static void db_close(struct db *d);

static int
db_open(const char *path, const struct db_options *o, struct db **out, struct err *e)
{
    struct err local = ERR_INIT;
    char seed;
    struct db *d;

    if (!e)
        e = &local;
    if (sqlite3_initialize() != SQLITE_OK || register_read_vfs(e) < 0)
        return err_set(e, ERR_MEMORY, "no memory to open a database");
    sqlite3_randomness(sizeof seed, &seed); /* opens /dev/urandom, once in a process */
    d = mem_zero(1, sizeof *d);
    if (!d)
        return err_set(e, ERR_MEMORY, "no memory to open a database");
    d->mode = o->mode;
    if (o->mode == DB_WRITE && access(path, F_OK) != 0 && create_file(path, e) < 0) {
        err_place(e, "%s", path);
        goto failed;
    }
    if (open_handle(path, o->mode, &d->h, e) < 0 || options_common(d->h, o, e) < 0)
        goto failed;
    if (o->mode == DB_WRITE && options_write(d->h, o, e) < 0)
        goto failed;
    if (o->mode == DB_WRITE)
        (void)sqlite3_db_config(d->h, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_BYTES,
                                LOOKASIDE_SLOTS);
    if (o->mode == DB_WRITE && rows_register(d->h, &d->given) != SQLITE_OK) {
        err_set(e, ERR_MEMORY, "no memory to open a database");
        goto failed;
    }
    if (warm(d->h, o->mode, e) < 0 ||
        prepare_own(d, o->mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN", &d->begin, e) < 0 ||
        prepare_own(d, "COMMIT", &d->commit, e) < 0 ||
        prepare_own(d, "ROLLBACK", &d->rollback, e) < 0 ||
        prepare_own(d, "PRAGMA data_version", &d->version, e) < 0)
        goto failed;
    *out = d;
    return 0;
failed:
    if (o->mode == DB_READ && d->h && e->code == ERR_IO && side_missing(d->h))
        err_set(e, ERR_BUSY, "the writer has to start first");
    db_close(d);
    return -1;
}

/* ---- statements ---- */

/* A commit that is just ending has written one copy of the log's header and not yet the other.  A
 * reader that looks at that moment, and then finds the writer's lock free, takes the log for one
 * that a dead writer has left behind, and may not recover it.  A moment later it is whole; where
 * the writer really died, its successor recovers it. */
static bool
look_again(const struct db *d, int rc, int *looks)
{
    if (d->mode != DB_READ || rc != SQLITE_READONLY_RECOVERY || *looks == LOOKS)
        return false;
    if ((*looks)++ > 0)
        sqlite3_sleep(1);
    return true;
}

static void
db_finalise(struct db_stmt *s)
{
    if (!s)
        return;
    if (s->prev)
        s->prev->next = s->next;
    else
        s->d->first = s->next;
    if (s->next)
        s->next->prev = s->prev;
    sqlite3_finalize(s->s);
    mem_free(s);
}

static void
db_close(struct db *d)
{
    if (!d)
        return;
    while (d->first)
        db_finalise(d->first);
    for (size_t i = 0; i < d->insert_n; i++)
        sqlite3_finalize(d->inserts[i].s);
    sqlite3_finalize(d->begin);
    sqlite3_finalize(d->commit);
    sqlite3_finalize(d->rollback);
    sqlite3_finalize(d->version);
    /* Nothing is left prepared, so this rolls back what is open, and checkpoints. */
    sqlite3_close(d->h);
    mem_free(d);
}

/* SQLite has rolled the transaction back by itself (a full disk, no memory).  What would follow
 * would be committed statement by statement: refuse it until the caller has taken note. */
static bool
transaction_lost(const struct db *d)
{
    return d->transaction && sqlite3_get_autocommit(d->h);
}

static int
say_lost(struct err *e)
{
    return err_set(e, ERR_CONFLICT, "the transaction has failed and was rolled back");
}

static int
db_exec(struct db *d, const char *sql, struct err *e)
{
    return transaction_lost(d) ? say_lost(e) : run(d->h, sql, e);
}

static int
db_prepare(struct db *d, const char *sql, struct db_stmt **out, struct err *e)
{
    struct db_stmt *s = mem_zero(1, sizeof *s);
    const char *tail = "";
    int rc, looks = 0;

    if (!s)
        return err_set(e, ERR_MEMORY, "no memory for a statement");
    s->d = d;
    do
        rc = sqlite3_prepare_v3(d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->s, &tail);
    while (look_again(d, rc, &looks));
    if (rc != SQLITE_OK) {
        fail(e, d->h, rc);
        mem_free(s);
        return -1;
    }
    if (!s->s || tail[strspn(tail, " \t\r\n;")] != '\0') {
        sqlite3_finalize(s->s);
        mem_free(s);
        return err_set(e, ERR_INTERNAL, "exactly one statement can be prepared");
    }
    s->next = d->first;
    if (s->next)
        s->next->prev = s;
    d->first = s;
    *out = s;
    return 0;
}

static void
bound(struct db_stmt *s, int rc)
{
    if (rc != SQLITE_OK && s->bind_rc == SQLITE_OK)
        s->bind_rc = rc;
}

static void
db_bind_int(struct db_stmt *s, int at, int64_t v)
{
    bound(s, sqlite3_bind_int64(s->s, at, v));
}

/* An empty span may have no pointer, which SQLite would take for NULL. */
static const char *
start_of(struct span v)
{
    return v.p ? v.p : "";
}

static void
db_bind_text(struct db_stmt *s, int at, struct span v)
{
    bound(s, sqlite3_bind_text64(s->s, at, start_of(v), v.n, SQLITE_STATIC, SQLITE_UTF8));
}

static void
db_bind_blob(struct db_stmt *s, int at, struct span v)
{
    bound(s, sqlite3_bind_blob64(s->s, at, start_of(v), v.n, SQLITE_STATIC));
}

static void
db_bind_null(struct db_stmt *s, int at)
{
    bound(s, sqlite3_bind_null(s->s, at));
}

static void
db_reset(struct db_stmt *s)
{
    sqlite3_reset(s->s);
    sqlite3_clear_bindings(s->s); /* they borrow memory that may go now */
    s->bind_rc = SQLITE_OK;
}

static int
db_step(struct db_stmt *s, struct err *e)
{
    int rc = s->bind_rc, looks = 0;

    if (transaction_lost(s->d)) {
        db_reset(s);
        return say_lost(e);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s->s);
    while (look_again(s->d, rc, &looks)) { /* before any row */
        sqlite3_reset(s->s);               /* keeps what is bound */
        rc = sqlite3_step(s->s);
    }
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        fail(e, s->d->h, rc);
    db_reset(s);
    return rc == SQLITE_DONE ? 0 : -1;
}

static int
step_own(struct db *d, sqlite3_stmt *s, struct err *e)
{
    const int rc = sqlite3_step(s);

    if (rc != SQLITE_DONE)
        fail(e, d->h, rc);
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? 0 : -1;
}

static sqlite3_stmt *
insert_of(struct db *d, const struct db_into *into, struct err *e)
{
    char mem[512];
    struct buf sql;
    size_t i = 0;

    while (i < d->insert_n && d->inserts[i].into != into)
        i++;
    if (i < d->insert_n)
        return d->inserts[i].s;
    buf_init_fixed(&sql, mem, sizeof mem);
    buf_printf(&sql, "INSERT INTO %s (%s) SELECT c0", into->table, into->columns);
    for (unsigned c = 1; c < into->count; c++)
        buf_printf(&sql, ", c%u", c);
    buf_str(&sql, " FROM " ROWS_TABLE);
    buf_u8(&sql, 0);
    if (i == INTO_MAX || into->count > DB_COLUMNS_MAX || sql.failed) {
        err_set(e, ERR_INTERNAL, "rows that cannot be inserted together");
        return NULL;
    }
    if (prepare_own(d, mem, &d->inserts[i].s, e) < 0)
        return NULL;
    d->inserts[i].into = into;
    d->insert_n++;
    return d->inserts[i].s;
}

static int
db_insert(struct db *d, const struct db_into *into, const struct db_rows *rows, struct err *e)
{
    sqlite3_stmt *s;
    int rc;

    if (d->mode != DB_WRITE)
        return err_set(e, ERR_DENIED, "the database is read-only");
    if (transaction_lost(d))
        return say_lost(e);
    if (rows->n == 0)
        return 0;
    s = insert_of(d, into, e);
    if (!s)
        return -1;
    d->given = (struct rows_given){rows, into->count};
    rc = step_own(d, s, e);
    d->given.rows = NULL;
    return rc;
}

static enum db_type
db_type_of(struct db_stmt *s, int col)
{
    switch (sqlite3_column_type(s->s, col)) {
    case SQLITE_INTEGER:
        return DB_INT;
    case SQLITE_TEXT:
        return DB_TEXT;
    case SQLITE_BLOB:
        return DB_BLOB;
    case SQLITE_FLOAT:
        return DB_REAL;
    default:
        return DB_NULL;
    }
}

static int64_t
db_get_int(struct db_stmt *s, int col)
{
    return sqlite3_column_int64(s->s, col);
}

static struct span
db_get_bytes(struct db_stmt *s, int col)
{
    /* In this order: the first call may convert a number to text, the second then counts that. */
    const char *p = sqlite3_column_blob(s->s, col);
    const int n = sqlite3_column_bytes(s->s, col);

    return (struct span){p, p && n > 0 ? (size_t)n : 0};
}

static int
db_version(struct db *d, int64_t *out, struct err *e)
{
    int rc, looks = 0;

    while (look_again(d, rc = sqlite3_step(d->version), &looks))
        sqlite3_reset(d->version);

    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(d->version, 0);
    else
        fail(e, d->h, rc == SQLITE_DONE ? SQLITE_ERROR : rc);
    sqlite3_reset(d->version);
    return rc == SQLITE_ROW ? 0 : -1;
}

static int64_t
db_changes(struct db *d)
{
    return sqlite3_changes64(d->h);
}

/* ---- transactions ---- */

static void
db_rollback(struct db *d)
{
    if (!sqlite3_get_autocommit(d->h))
        step_own(d, d->rollback, NULL);
    d->transaction = false;
}

static int
db_begin(struct db *d, struct err *e)
{
    if (d->transaction)
        return err_set(e, ERR_INTERNAL, "a transaction is open already");
    if (step_own(d, d->begin, e) < 0)
        return -1;
    d->transaction = true;
    return 0;
}

static int
db_commit(struct db *d, struct err *e)
{
    if (!d->transaction)
        return err_set(e, ERR_INTERNAL, "no transaction is open");
    if (transaction_lost(d)) {
        d->transaction = false;
        return say_lost(e);
    }
    if (step_own(d, d->commit, e) < 0) {
        db_rollback(d);
        return -1;
    }
    d->transaction = false;
    return 0;
}

static bool
db_in_transaction(struct db *d)
{
    return d->transaction;
}

static int
db_checkpoint(struct db *d, bool truncate, struct err *e)
{
    const int rc = sqlite3_wal_checkpoint_v2(
        d->h, NULL, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    return rc == SQLITE_OK ? 0 : fail(e, d->h, rc);
}

/* ---- copies and checks ---- */

static int
sync_path(const char *path, int flags, struct err *e)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    int rc = 0;

    if (fd < 0)
        return fail_sys(e, errno, "a file cannot be opened to sync it");
    if (fsync(fd) != 0)
        rc = fail_sys(e, errno, "a file cannot be synced");
    close(fd);
    return rc;
}

static int
sync_with_folder(const char *path, struct err *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (sync_path(path, 0, e) < 0)
        return -1;
    return sync_path(*folder ? folder : "/", O_DIRECTORY, e);
}

static int
copy_pages(sqlite3 *to, sqlite3 *from, void (*progress)(int, int, void *), void *arg, struct err *e)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int rc, done;

    if (!b)
        return fail(e, to, sqlite3_extended_errcode(to));
    do {
        rc = sqlite3_backup_step(b, BACKUP_STEP);
        if (progress && (rc == SQLITE_OK || rc == SQLITE_DONE)) {
            done = sqlite3_backup_pagecount(b) - sqlite3_backup_remaining(b);
            progress(done, sqlite3_backup_pagecount(b), arg);
        }
    } while (rc == SQLITE_OK);
    sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? 0 : fail(e, to, rc);
}

static int
db_backup(struct db *d, const char *to, void (*progress)(int done, int total, void *arg), void *arg,
          struct err *e)
{
    sqlite3 *copy = NULL;
    int64_t n;
    int rc = -1;

    if (d->transaction)
        return err_set(e, ERR_CONFLICT, "a transaction is open");
    if (create_file(to, e) < 0) {
        if (e && e->sys == EEXIST)
            e->code = ERR_CONFLICT;
        return err_place(e, "%s", to);
    }
    /* No journal on disk: a copy that was cut short is removed.  Synced once, at the end. */
    if (open_handle(to, DB_WRITE, &copy, e) < 0 || harden(copy, e) < 0 ||
        run(copy, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF", e) < 0)
        goto out;
    /* One read transaction over all steps: others may write meanwhile, the copy is of this
     * moment, and it need not begin anew at each commit. */
    if (run(d->h, "BEGIN", e) < 0)
        goto out;
    if (ask(d->h, "SELECT count(*) FROM sqlite_schema", &n, NULL, 0, e) == 0)
        rc = copy_pages(copy, d->h, progress, arg, e);
    run(d->h, "ROLLBACK", NULL);
out:
    sqlite3_close(copy);
    if (rc == 0)
        rc = sync_with_folder(to, e);
    if (rc != 0)
        unlink(to);
    return rc;
}

static int
db_check(struct db *d, struct err *e)
{
    char said[ERR_PLACE_MAX];

    if (ask(d->h, "PRAGMA integrity_check(1)", NULL, said, sizeof said, e) < 0)
        return -1;
    if (strcmp(said, "ok") == 0)
        return 0;
    err_set(e, ERR_CORRUPT, "the database's own check found damage");
    return err_place(e, "%s", said);
}

const struct db_driver db_sqlite = {
    .name = "sqlite",
    .open = db_open,
    .close = db_close,
    .exec = db_exec,
    .prepare = db_prepare,
    .finalise = db_finalise,
    .bind_int = db_bind_int,
    .bind_text = db_bind_text,
    .bind_blob = db_bind_blob,
    .bind_null = db_bind_null,
    .step = db_step,
    .insert = db_insert,
    .reset = db_reset,
    .type = db_type_of,
    .get_int = db_get_int,
    .get_bytes = db_get_bytes,
    .begin = db_begin,
    .commit = db_commit,
    .rollback = db_rollback,
    .in_transaction = db_in_transaction,
    .version = db_version,
    .changes = db_changes,
    .checkpoint = db_checkpoint,
    .backup = db_backup,
    .check = db_check,
    .corrupt = db_corrupt,
};
