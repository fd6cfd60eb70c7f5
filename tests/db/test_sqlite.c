/* The driver by itself: values, transactions, and what each kind of failure is reported as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "mem.h"
#include "scratch.h"

static void
values_come_back(void **state)
{
    static const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 53};
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct db_stmt *put, *get;
    struct err e = ERR_INIT;

    must_exec(d, "CREATE TABLE v(k INTEGER PRIMARY KEY, n INTEGER, t TEXT, b BLOB)");
    assert_int_equal(D->prepare(d, "INSERT INTO v VALUES(?1, ?2, ?3, ?4)", &put, &e), 0);
    assert_int_equal(D->prepare(d, "SELECT n, t, b FROM v WHERE k = ?1", &get, &e), 0);
    for (int i = 0; i < 6; i++) {
        D->bind_int(put, 1, i);
        D->bind_int(put, 2, numbers[i]);
        D->bind_text(put, 3, i % 2 ? SPAN("ຂໍ້ຄວາມ") : (struct span){NULL, 0});
        D->bind_blob(put, 4, i % 2 ? SPAN("a\0b\xff") : SPAN(""));
        assert_int_equal(D->step(put, &e), 0);
        assert_int_equal(D->changes(d), 1);
    }
    D->bind_int(put, 1, 6); /* what is not bound again is NULL: nothing is left of the row before */
    assert_int_equal(D->step(put, &e), 0);
    for (int i = 0; i < 6; i++) {
        D->bind_int(get, 1, i);
        assert_int_equal(D->step(get, &e), 1);
        assert_int_equal(D->type(get, 0), DB_INT);
        assert_true(D->get_int(get, 0) == numbers[i]);
        assert_int_equal(D->type(get, 1), DB_TEXT);
        assert_int_equal(D->type(get, 2), DB_BLOB);
        assert_true(span_is(D->get_bytes(get, 1), i % 2 ? "ຂໍ້ຄວາມ" : ""));
        assert_true(span_eq(D->get_bytes(get, 2), i % 2 ? SPAN("a\0b\xff") : SPAN("")));
        assert_int_equal(D->step(get, &e), 0);
    }
    D->bind_int(get, 1, 6);
    assert_int_equal(D->step(get, &e), 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(D->type(get, i), DB_NULL);
    D->reset(get);
    assert_int_equal(D->step(get, &e), 0); /* k = NULL */
    D->finalise(put);
    D->close(d); /* get is left to it */
    D->finalise(NULL);
    D->close(NULL);
}

static void
misuse_is_an_error(void **state)
{
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct db_stmt *s = NULL;
    struct err e = ERR_INIT;
    static const char *const bad[] = {
        "",
        " ;",
        "-- nothing",
        "SELECT",
        "SELECT 1; SELECT 2",
        "SELECT nothing",
        "x",
        "SELECT \"a\"",
        "SELECT 1 FROM",
        "SELECT 'a",
        "INSERT INTO none VALUES(1)",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        e = ERR_INIT;
        assert_int_equal(D->prepare(d, bad[i], &s, &e), -1);
        assert_int_equal(e.code, ERR_INTERNAL);
        assert_null(s);
    }
    assert_int_equal(D->prepare(d, "SELECT ?1 ;\n", &s, &e), 0);
    D->bind_int(s, 2, 1); /* there is no second */
    D->bind_int(s, 1, 1);
    assert_int_equal(D->step(s, &e), -1);
    assert_int_equal(e.code, ERR_INTERNAL);
    D->bind_int(s, 0, 1);
    assert_int_equal(D->step(s, &e), -1);
    D->bind_int(s, 1, 7); /* the error is gone with the step that told it */
    assert_int_equal(D->step(s, &e), 1);
    assert_int_equal(D->get_int(s, 0), 7);
    D->bind_int(s, 1, 8); /* in the middle of its rows */
    assert_int_equal(D->step(s, &e), -1);
    D->bind_blob(s, 1, (struct span){"", (size_t)INT32_MAX + 1});
    assert_int_equal(D->step(s, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(D->commit(d, &e), -1);
    assert_int_equal(e.code, ERR_INTERNAL);
    assert_int_equal(D->begin(d, &e), 0);
    assert_int_equal(D->begin(d, &e), -1);
    assert_int_equal(e.code, ERR_INTERNAL);
    D->rollback(d);
    D->rollback(d);
    assert_false(D->in_transaction(d));
    D->close(d);
}

static void
constraints_are_told_apart(void **state)
{
    static const struct {
        const char *sql;
        enum err_code code;
    } table[] = {
        {"INSERT INTO c VALUES(1, 1, 1)", ERR_NONE},
        {"INSERT INTO c VALUES(1, 2, 2)", ERR_DUPLICATE},
        {"INSERT INTO c VALUES(2, 1, 2)", ERR_DUPLICATE},
        {"INSERT INTO c VALUES(2, NULL, 2)", ERR_CONFLICT},
        {"INSERT INTO c VALUES(2, 2, -1)", ERR_CONFLICT},
        {"INSERT INTO c VALUES('x', 2, 2)", ERR_TYPE},
        {"INSERT INTO c VALUES(2, 2, 2)", ERR_NONE},
        {"INSERT INTO w VALUES(1)", ERR_NONE},
        {"INSERT INTO w VALUES(1)", ERR_DUPLICATE},
        {"SELECT zeroblob(2000000000)", ERR_LIMIT},
    };
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);

    must_exec(d, "CREATE TABLE c(k INTEGER PRIMARY KEY, u INTEGER UNIQUE NOT NULL,"
                 " p INTEGER CHECK(p > 0));"
                 "CREATE TABLE w(k INTEGER PRIMARY KEY) WITHOUT ROWID");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (code_of(d, table[i].sql) != table[i].code)
            fail_msg("%s: %s", table[i].sql, err_name(code_of(d, table[i].sql)));
    assert_int_equal(number(d, "SELECT count(*) FROM c"), 2);
    D->close(d);
}

static void
transactions_hold_or_go(void **state)
{
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct db *other = must_open(t->path, &(struct db_options){.mode = DB_WRITE});
    struct err e = ERR_INIT;

    must_exec(d, "CREATE TABLE n(v INTEGER)");
    assert_int_equal(D->begin(d, &e), 0);
    assert_true(D->in_transaction(d));
    must_exec(d, "INSERT INTO n VALUES(1)");
    assert_int_equal(D->begin(other, &e), -1); /* the lock is taken at once */
    assert_int_equal(e.code, ERR_BUSY);
    assert_int_equal(code_of(other, "INSERT INTO n VALUES(9)"), ERR_BUSY);
    assert_int_equal(number(other, "SELECT count(*) FROM n"), 0);
    D->rollback(d);
    assert_int_equal(number(d, "SELECT count(*) FROM n"), 0);
    assert_int_equal(D->begin(d, &e), 0);
    must_exec(d, "INSERT INTO n VALUES(1)");
    assert_int_equal(D->commit(d, &e), 0);
    assert_false(D->in_transaction(d));
    assert_int_equal(number(other, "SELECT count(*) FROM n"), 1);
    assert_int_equal(D->begin(d, &e), 0);
    must_exec(d, "INSERT INTO n VALUES(2)");
    D->close(d); /* an open transaction is not kept */
    assert_int_equal(number(other, "SELECT count(*) FROM n"), 1);
    D->close(other);
}

static void
file_is_ours_alone_whatever_its_name(void **state)
{
    static const char *const names[] = {"a?mode=memory", "b#c",        "d%20e",  "f&g=h",
                                        "ไทย.db",        "with space", "file:x", ":memory:"};
    struct scratch *t = *state;
    char path[PATH_MAX + 8], here[PATH_MAX];
    struct stat st;

    assert_non_null(getcwd(here, sizeof here));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (int relative = 0; relative < 2; relative++) {
            struct db *d;
            struct db *r;

            assert_int_equal(chdir(relative ? t->folder : here), 0);
            snprintf(path, sizeof path, "%s/%s", t->folder, names[i]);
            d = must_open(relative ? names[i] : path, &writer_options);
            must_exec(d, "CREATE TABLE IF NOT EXISTS n(v INTEGER); INSERT INTO n VALUES(1)");
            r = must_open(relative ? names[i] : path, &reader_options);
            assert_int_equal(number(r, "SELECT count(*) FROM n"), relative + 1);
            for (int side = 0; side < 3; side++) {
                snprintf(path, sizeof path, "%s/%s%s", t->folder, names[i],
                         side == 0   ? ""
                         : side == 1 ? "-wal"
                                     : "-shm");
                assert_int_equal(stat(path, &st), 0);
                assert_int_equal(st.st_mode & 0777, 0600);
            }
            D->close(r);
            D->close(d);
        }
    }
    assert_int_equal(chdir(here), 0);
}

static void
options_are_set(void **state)
{
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct db *r = must_open(t->path, &reader_options);

    assert_int_equal(number(d, "PRAGMA page_size"), 8192);
    assert_int_equal(number(d, "PRAGMA synchronous"), 2);
    assert_int_equal(number(d, "PRAGMA foreign_keys"), 0);
    assert_int_equal(number(d, "PRAGMA trusted_schema"), 0);
    assert_int_equal(number(d, "PRAGMA temp_store"), 2);
    assert_int_equal(number(d, "PRAGMA cache_size"), -1024);
    assert_int_equal(number(d, "PRAGMA mmap_size"), 0);
    assert_int_equal(number(d, "PRAGMA secure_delete"), 1);
    assert_int_equal(number(d, "PRAGMA wal_autocheckpoint"), 1000);
    assert_int_equal(number(r, "PRAGMA mmap_size"), 64 << 20);
    assert_int_equal(number(r, "PRAGMA query_only"), 1);
    D->close(r);
    D->close(d);
    d = must_open(t->path, &(struct db_options){.mode = DB_WRITE, .page_size = 4096});
    assert_int_equal(number(d, "PRAGMA page_size"), 8192); /* for a new file alone */
    assert_int_equal(number(d, "PRAGMA secure_delete"), 0);
    assert_int_equal(number(d, "PRAGMA wal_autocheckpoint"), 0);
    /* The back ways are shut. */
    assert_int_not_equal(code_of(d, "SELECT load_extension('x')"), ERR_NONE);
    assert_int_not_equal(code_of(d, "ATTACH ':memory:' AS x"), ERR_NONE);
    must_exec(d, "CREATE TABLE n(v)");
    must_exec(d, "PRAGMA writable_schema=ON");
    assert_int_not_equal(code_of(d, "DELETE FROM sqlite_schema"), ERR_NONE);
    must_exec(d, "PRAGMA journal_mode=OFF"); /* answers that it did not */
    must_exec(d, "INSERT INTO n VALUES(1)");
    assert_int_equal(number(d, "SELECT count(*) FROM n"), 1);
    D->close(d);
}

static void
reader_cannot_write(void **state)
{
    static const char *const tries[] = {
        "INSERT INTO n VALUES(2)",
        "DELETE FROM n",
        "UPDATE n SET v = 3",
        "DROP TABLE n",
        "CREATE TABLE m(v)",
        "CREATE INDEX i ON n(v)",
        "PRAGMA user_version=7",
        "PRAGMA application_id=7",
        "ANALYZE",
        "REINDEX",
    };
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct db *r;
    struct err e = ERR_INIT;

    must_exec(d, "CREATE TABLE n(v); CREATE INDEX j ON n(v); INSERT INTO n VALUES(1)");
    r = must_open(t->path, &reader_options);
    for (int lifted = 0; lifted < 2; lifted++) {
        for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
            const enum err_code code = code_of(r, tries[i]);

            if (code != ERR_DENIED)
                fail_msg("%s: %s", tries[i], err_name(code));
        }
        must_exec(r, "PRAGMA query_only=OFF"); /* below it the files are read-only */
    }
    assert_int_equal(D->checkpoint(r, true, &e), -1);
    assert_int_equal(D->begin(r, &e), 0);
    assert_int_equal(number(r, "SELECT v FROM n"), 1);
    assert_int_equal(D->commit(r, &e), 0);
    assert_int_equal(number(d, "SELECT count(*) FROM n"), 1);
    D->close(r);
    D->close(d);
}

static enum err_code
open_code(const char *path, const struct db_options *o, int *sys)
{
    struct err e = ERR_INIT;
    struct db *d = NULL;

    if (D->open(path, o, &d, &e) == 0) {
        D->close(d);
        return ERR_NONE;
    }
    assert_null(d);
    assert_true(e.text[0] != '\0');
    if (sys)
        *sys = e.sys;
    return e.code;
}

static void
spoil(const char *path, off_t at, const char *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, at), (ssize_t)n);
    close(fd);
}

static void
open_fails_clearly(void **state)
{
    struct scratch *t = *state;
    char path[PATH_MAX + 16];
    char garbage[4096];
    int sys = 0;

    assert_int_equal(open_code(t->path, &reader_options, &sys), ERR_MISSING);
    assert_int_equal(sys, ENOENT);
    assert_int_equal(open_code("", &reader_options, NULL), ERR_USAGE);
    assert_int_equal(open_code("", &writer_options, NULL), ERR_IO);
    snprintf(path, sizeof path, "%s/none/test.db", t->folder);
    assert_int_equal(open_code(path, &writer_options, &sys), ERR_IO);
    assert_int_equal(sys, ENOENT);
    assert_int_equal(open_code(t->folder, &writer_options, NULL), ERR_IO); /* a folder */
    memset(garbage, 'x', sizeof garbage);
    spoil(t->path, 0, garbage, sizeof garbage);
    assert_int_equal(open_code(t->path, &writer_options, NULL), ERR_CORRUPT);
    assert_int_equal(open_code(t->path, &reader_options, NULL), ERR_CORRUPT);
    assert_int_equal(unlink(t->path), 0);
    assert_int_equal(open_code(t->path, &writer_options, NULL), ERR_NONE);
    assert_int_equal(open_code(t->path, &reader_options, NULL), ERR_NONE);
    for (size_t n = 1; n < 50; n++) {
        struct err e = ERR_INIT;
        struct db *d = NULL;

        mem_fail_at(n);
        if (D->open(t->path, &writer_options, &d, &e) == 0) {
            mem_fail_at(0);
            assert_true(n > 1);
            mem_fail_at(1);
            assert_int_equal(D->prepare(d, "SELECT 1", &(struct db_stmt *){NULL}, &e), -1);
            mem_fail_at(0);
            assert_int_equal(e.code, ERR_MEMORY);
            D->close(d);
            return;
        }
        mem_fail_at(0);
        assert_int_equal(e.code, ERR_MEMORY);
    }
    fail_msg("open never succeeds");
}

static void
damage_is_found(void **state)
{
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct db_stmt *s;
    struct err e = ERR_INIT;
    char garbage[8192];
    int rc = 1;

    must_exec(d, "CREATE TABLE n(v INTEGER PRIMARY KEY, b BLOB);"
                 "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000)"
                 " INSERT INTO n SELECT i, randomblob(100) FROM c");
    assert_int_equal(D->check(d, &e), 0);
    D->close(d);
    memset(garbage, 0xfe, sizeof garbage);
    spoil(t->path, 10 * 8192, garbage, sizeof garbage);
    d = must_open(t->path, &writer_options);
    assert_int_equal(D->check(d, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_true(D->corrupt(&e));
    assert_true(e.place[0] != '\0');
    e = ERR_INIT;
    assert_int_equal(D->prepare(d, "SELECT b FROM n", &s, &e), 0);
    while (rc == 1)
        rc = D->step(s, &e);
    assert_int_equal(rc, -1);
    assert_true(D->corrupt(&e));
    err_set(&e, ERR_BUSY, "");
    assert_false(D->corrupt(&e));
    D->close(d);
}

static void
allow_file_size(rlim_t most)
{
    struct rlimit l;

    getrlimit(RLIMIT_FSIZE, &l);
    l.rlim_cur = most;
    setrlimit(RLIMIT_FSIZE, &l);
}

/* Rows until it fails; the code it fails with. */
static enum err_code
fill(struct db *d, int each, struct err *e)
{
    struct db_stmt *s;
    int rc = 0;

    if (D->prepare(d, "INSERT INTO n(b) VALUES(randomblob(3000))", &s, e) < 0)
        return e->code;
    for (int i = 0; rc == 0 && i < 20000; i++) {
        if (each > 0 && i % each == 0 && D->begin(d, e) < 0)
            rc = -1;
        if (rc == 0)
            rc = D->step(s, e);
        if (rc == 0 && each > 0 && i % each == each - 1)
            rc = D->commit(d, e);
    }
    D->finalise(s);
    return rc < 0 ? e->code : ERR_NONE;
}

/* The log cannot grow: what was committed stays, the rest is gone, and when there is room again
 * all goes on. */
static void
full_disk_keeps_what_was_committed(void **state)
{
    struct scratch *t = *state;
    const pid_t pid = fork();

    if (pid == 0) {
        struct err e = ERR_INIT;
        struct db *d, *copy;
        char to[PATH_MAX + 8];
        int64_t n;

        signal(SIGXFSZ, SIG_IGN);
        CHILD_CHECK(D->open(t->path, &writer_options, &d, &e) == 0);
        CHILD_CHECK(D->exec(d, "CREATE TABLE n(k INTEGER PRIMARY KEY, b BLOB)", &e) == 0);
        for (int each = 0; each <= 700; each += 350) {
            allow_file_size((rlim_t)(4 + each / 50) << 20);
            CHILD_CHECK(fill(d, each, &e) == ERR_FULL);
            D->rollback(d);
            n = number(d, "SELECT count(*) FROM n");
            CHILD_CHECK(each == 0 || n > 0);
            CHILD_CHECK(code_of(d, "INSERT INTO n(b) VALUES(zeroblob(9000000))") == ERR_FULL);
            CHILD_CHECK(number(d, "SELECT count(*) FROM n") == n);
        }
        n = number(d, "SELECT count(*) FROM n");
        snprintf(to, sizeof to, "%s/copy.db", t->folder);
        allow_file_size(1 << 20);
        CHILD_CHECK(D->backup(d, to, NULL, NULL, &e) == -1 && e.code == ERR_FULL);
        CHILD_CHECK(access(to, F_OK) != 0); /* no half of a copy is left */
        allow_file_size(RLIM_INFINITY);
        CHILD_CHECK(number(d, "SELECT count(*) FROM n") == n);
        CHILD_CHECK(code_of(d, "INSERT INTO n(b) VALUES(zeroblob(5000000))") == ERR_NONE);
        CHILD_CHECK(D->check(d, &e) == 0);
        D->close(d);
        CHILD_CHECK(D->open(t->path, &writer_options, &copy, &e) == 0);
        CHILD_CHECK(number(copy, "SELECT count(*) FROM n") == n + 1);
        D->close(copy);
        _exit(0);
    }
    must_end_well(pid);
}

/* SQLite rolls back by itself when a page cannot be had; what follows must not slip in alone. */
static void
lost_transaction_stays_lost(void **state)
{
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct err e = ERR_INIT;
    struct db_stmt *s;

    must_exec(d, "CREATE TABLE n(k INTEGER PRIMARY KEY, b BLOB); PRAGMA max_page_count=64");
    assert_int_equal(code_of(d, "INSERT INTO n(b) VALUES(zeroblob(1000000))"), ERR_FULL);
    assert_int_equal(D->prepare(d, "INSERT INTO n(k) VALUES(?1)", &s, &e), 0);
    assert_int_equal(D->begin(d, &e), 0);
    D->bind_int(s, 1, 1);
    assert_int_equal(D->step(s, &e), 0);
    must_exec(d, "ROLLBACK"); /* as SQLite would do on some errors */
    assert_true(D->in_transaction(d));
    D->bind_int(s, 1, 2);
    assert_int_equal(D->step(s, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(code_of(d, "INSERT INTO n(k) VALUES(3)"), ERR_CONFLICT);
    assert_int_equal(D->commit(d, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_false(D->in_transaction(d));
    assert_int_equal(number(d, "SELECT count(*) FROM n"), 0);
    D->bind_int(s, 1, 4);
    assert_int_equal(D->step(s, &e), 0);
    assert_int_equal(number(d, "SELECT k FROM n"), 4);
    D->close(d);
}

static void
no_memory_is_said(void **state)
{
    struct scratch *t = *state;
    const pid_t pid = fork(); /* the limit is the process's, and is never raised again */

    if (pid == 0) {
        struct err e = ERR_INIT;
        struct db *d;

        CHILD_CHECK(D->open(t->path, &writer_options, &d, &e) == 0);
        CHILD_CHECK(D->exec(d, "CREATE TABLE n(v); PRAGMA hard_heap_limit=8000000", &e) == 0);
        CHILD_CHECK(code_of(d, "SELECT hex(zeroblob(20000000))") == ERR_MEMORY);
        CHILD_CHECK(code_of(d, "INSERT INTO n VALUES(hex(zeroblob(20000000)))") == ERR_MEMORY);
        CHILD_CHECK(number(d, "SELECT count(*) FROM n") == 0);
        CHILD_CHECK(code_of(d, "INSERT INTO n VALUES(1)") == ERR_NONE);
        D->close(d);
        _exit(0);
    }
    must_end_well(pid);
}

static bool
file_holds(const char *path, const char *what)
{
    FILE *f = fopen(path, "rb");
    char *all;
    size_t n;
    bool found;

    if (!f)
        return false;
    fseek(f, 0, SEEK_END);
    n = (size_t)ftell(f);
    rewind(f);
    all = malloc(n + 1);
    n = fread(all, 1, n, f);
    fclose(f);
    found = memmem(all, n, what, strlen(what)) != NULL;
    free(all);
    return found;
}

/* An erase leaves no bytes behind: secure_delete and a truncating checkpoint. */
static void
erased_is_erased(void **state)
{
    static const char secret[] = "the-shared-too-widely-secret";
    struct scratch *t = *state;
    char wal[PATH_MAX + 8];
    struct db *d = must_open(t->path, &writer_options);
    struct err e = ERR_INIT;
    struct stat st;

    snprintf(wal, sizeof wal, "%s-wal", t->path);
    must_exec(d, "CREATE TABLE n(k INTEGER PRIMARY KEY, b BLOB); CREATE INDEX i ON n(b)");
    must_exec(d, "INSERT INTO n VALUES(1, 'the-shared-too-widely-secret'), (2, 'kept')");
    assert_true(file_holds(wal, secret));
    assert_int_equal(D->checkpoint(d, false, &e), 0);
    assert_true(file_holds(t->path, secret));
    must_exec(d, "DELETE FROM n WHERE k = 1");
    assert_int_equal(D->checkpoint(d, true, &e), 0);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_false(file_holds(t->path, secret));
    assert_int_equal(number(d, "SELECT count(*) FROM n"), 1);
    D->close(d);
}

int
main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(values_come_back),
        IN_SCRATCH(misuse_is_an_error),
        IN_SCRATCH(constraints_are_told_apart),
        IN_SCRATCH(transactions_hold_or_go),
        IN_SCRATCH(file_is_ours_alone_whatever_its_name),
        IN_SCRATCH(options_are_set),
        IN_SCRATCH(reader_cannot_write),
        IN_SCRATCH(open_fails_clearly),
        IN_SCRATCH(damage_is_found),
        IN_SCRATCH(full_disk_keeps_what_was_committed),
        IN_SCRATCH(lost_transaction_stays_lost),
        IN_SCRATCH(no_memory_is_said),
        IN_SCRATCH(erased_is_erased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
