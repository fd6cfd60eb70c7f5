/* Rows that are inserted together: as many statements would, and told apart when they cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "scratch.h"

#define TABLES_MAX 16 /* of one connection that the driver keeps statements for */

#define INT(v)                                                                                     \
    {                                                                                              \
        .type = DB_INT, .n = (v)                                                                   \
    }
#define BLOB(v)                                                                                    \
    {                                                                                              \
        .type = DB_BLOB, .bytes = SPAN(v)                                                          \
    }
#define NONE                                                                                       \
    {                                                                                              \
        .type = DB_NULL                                                                            \
    }

/* Rows of a table in this file: count cells each. */
struct list {
    const struct db_cell *cells;
    unsigned count;
};

static void
list_cell(const void *ctx, size_t row, unsigned column, struct db_cell *out)
{
    const struct list *l = ctx;

    assert_true(column < l->count);
    *out = l->cells[row * l->count + column];
}

static int
insert(struct db *d, const struct db_into *into, const struct db_cell *cells, size_t n,
       struct err *e)
{
    const struct list l = {cells, into->count};
    const struct db_rows rows = {n, list_cell, &l};

    return D->insert(d, into, &rows, e);
}

static const struct db_into into_v = {"v", "k, n, b", 3};

static void
values_come_back(void **state)
{
    static const struct db_cell cells[] = {
        INT(1),  INT(0),         BLOB(""),           /* empty is not NULL */
        INT(-5), INT(INT64_MAX), NONE,               /* the order is the caller's */
        INT(7),  INT(INT64_MIN), BLOB("a\0b\xff\""), /* any byte */
        INT(6),  NONE,           {.type = DB_BLOB},  /* empty, without a pointer */
    };
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct err e = ERR_INIT;
    struct db_stmt *get;

    must_exec(d, "CREATE TABLE v(k INTEGER PRIMARY KEY, b BLOB, n INTEGER, other INTEGER)");
    assert_int_equal(D->begin(d, &e), 0);
    assert_int_equal(insert(d, &into_v, cells, 4, &e), 0);
    assert_int_equal(D->changes(d), 4);
    assert_int_equal(D->commit(d, &e), 0);
    assert_int_equal(D->prepare(d, "SELECT n, b, other FROM v WHERE k = ?1", &get, &e), 0);
    for (size_t i = 0; i < 4; i++) {
        const struct db_cell *x = cells + 3 * i;

        D->bind_int(get, 1, x[0].n);
        assert_int_equal(D->step(get, &e), 1);
        assert_int_equal(D->type(get, 0), x[1].type);
        assert_true(x[1].type == DB_NULL || D->get_int(get, 0) == x[1].n);
        assert_int_equal(D->type(get, 1), x[2].type);
        assert_true(span_eq(D->get_bytes(get, 1), x[2].bytes));
        assert_int_equal(D->type(get, 2), DB_NULL); /* what is not named */
        D->reset(get);
    }
    D->close(d);
}

/* Where a table has no key of its own, rows stand in the order in which they were given; again and
 * again, in a transaction or each call in one of its own. */
static void
order_is_kept(void **state)
{
    static const struct db_into into = {"w", "n", 1};
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct db_cell cells[1000];
    struct err e = ERR_INIT;

    must_exec(d, "CREATE TABLE w(n INTEGER)");
    for (int i = 0; i < 1000; i++)
        cells[i] = (struct db_cell)INT(i * 7919 % 1000);
    assert_int_equal(insert(d, &into, cells, 1, &e), 0);
    assert_int_equal(D->begin(d, &e), 0);
    assert_int_equal(insert(d, &into, cells + 1, 0, &e), 0); /* nothing is nothing */
    assert_int_equal(insert(d, &into, cells + 1, 998, &e), 0);
    assert_int_equal(insert(d, &into, cells + 999, 1, &e), 0);
    assert_int_equal(D->commit(d, &e), 0);
    assert_int_equal(number(d, "SELECT count(*) FROM w WHERE n = (rowid - 1) * 7919 % 1000"), 1000);
    assert_int_equal(number(d, "SELECT count(*) FROM w"), 1000);
    D->close(d);
}

static void
bad_rows_are_told_apart(void **state)
{
    static const struct {
        const char *name;
        enum err_code code;
        struct db_cell cells[6]; /* two rows */
    } bad[] = {
        {"a key that stands", ERR_DUPLICATE, {INT(50), INT(1), NONE, INT(1), INT(2), NONE}},
        {"a key given twice", ERR_DUPLICATE, {INT(50), INT(1), NONE, INT(50), INT(2), NONE}},
        {"a unique value", ERR_DUPLICATE, {INT(50), INT(1), NONE, INT(51), INT(-1), NONE}},
        {"none where one must be", ERR_CONFLICT, {INT(50), INT(1), NONE, INT(51), NONE, NONE}},
        {"out of range", ERR_CONFLICT, {INT(50), INT(1), NONE, INT(51), INT(1001), NONE}},
        {"bytes for a key", ERR_TYPE, {BLOB("x"), INT(1), NONE, INT(51), INT(2), NONE}},
        {"too long",
         ERR_LIMIT,
         {INT(50),
          INT(1),
          NONE,
          INT(51),
          INT(2),
          {.type = DB_BLOB, .bytes = {"", (size_t)INT32_MAX + 1}}}},
    };
    static const struct db_cell good[] = {INT(50), INT(1), NONE, INT(51), INT(2), NONE};
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);

    must_exec(d, "CREATE TABLE v(k INTEGER PRIMARY KEY, n INTEGER NOT NULL UNIQUE CHECK (n < 1000),"
                 " b BLOB); INSERT INTO v VALUES(1, -1, NULL)");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e = ERR_INIT;

        assert_int_equal(D->begin(d, &e), 0);
        if (insert(d, &into_v, bad[i].cells, 2, &e) != -1 || e.code != bad[i].code)
            fail_msg("%s: %s (%s)", bad[i].name, e.text, err_name(e.code));
        D->rollback(d);
        assert_int_equal(number(d, "SELECT count(*) FROM v"), 1);
    }
    for (unsigned twice = 0; twice < 2; twice++) { /* nothing is left of what failed */
        struct err e = ERR_INIT;

        assert_int_equal(D->begin(d, &e), 0);
        assert_int_equal(insert(d, &into_v, good, 2, &e), 0);
        assert_int_equal(number(d, "SELECT count(*) FROM v"), 3);
        D->rollback(d);
    }
    D->close(d);
}

static void
bad_places_are_errors(void **state)
{
    static const struct db_into bad[] = {
        {"none", "k, n", 2}, {"v", "k, none", 2}, {"v", "k, n", 3}, {"v", "k, n", 1},
        {"v", "", 0},        {"", "k, n", 2},     {"v", "k n", 2},
    };
    static const struct db_cell cells[] = {INT(1), INT(2), NONE};
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options), *r;
    struct err e = ERR_INIT;
    char name[1000];
    const struct db_into long_name = {name, "k", 1};

    must_exec(d, "CREATE TABLE v(k INTEGER PRIMARY KEY, n INTEGER, b BLOB)");
    memset(name, 'v', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
        const bool last = i == sizeof bad / sizeof bad[0];

        e = ERR_INIT;
        if (insert(d, last ? &long_name : &bad[i], cells, 1, &e) != -1 || e.code != ERR_INTERNAL)
            fail_msg("case %zu: %s", i, err_name(e.code));
    }
    assert_int_equal(number(d, "SELECT count(*) FROM v"), 0);
    /* None of them took a place of the few, and what is there later is found. */
    must_exec(d, "CREATE TABLE none(k, n)");
    assert_int_equal(insert(d, &bad[0], cells, 1, &e), 0);
    assert_int_equal(number(d, "SELECT k + n FROM none"), 3);
    must_exec(d, "DROP TABLE none");
    e = ERR_INIT;
    assert_int_equal(insert(d, &bad[0], cells, 1, &e), -1);
    assert_int_equal(e.code, ERR_INTERNAL);
    r = must_open(t->path, &reader_options);
    e = ERR_INIT;
    assert_int_equal(insert(r, &into_v, cells, 1, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    D->close(r);
    D->close(d);
}

static void
lost_transaction_takes_nothing(void **state)
{
    static const struct db_cell cells[] = {INT(1), INT(2), NONE};
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct err e = ERR_INIT;

    must_exec(d, "CREATE TABLE v(k INTEGER PRIMARY KEY, n INTEGER, b BLOB)");
    assert_int_equal(D->begin(d, &e), 0);
    must_exec(d, "ROLLBACK"); /* as SQLite would do on some errors */
    assert_int_equal(insert(d, &into_v, cells, 1, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    D->rollback(d);
    assert_int_equal(insert(d, &into_v, cells, 1, &e), 0);
    assert_int_equal(number(d, "SELECT k FROM v"), 1);
    D->close(d);
}

/* DB_COLUMNS_MAX columns, and one more. */
static void
columns_have_a_limit(void **state)
{
    static const struct db_into most = {
        "c", "a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13,a14,a15,a16,a17,a18,a19,a20",
        DB_COLUMNS_MAX};
    static const struct db_into over = {
        "c", "a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13,a14,a15,a16,a17,a18,a19,a20,a21",
        DB_COLUMNS_MAX + 1};
    struct db_cell cells[2 * DB_COLUMNS_MAX + 2];
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct err e = ERR_INIT;

    for (int i = 0; i < 2 * DB_COLUMNS_MAX + 2; i++)
        cells[i] = (struct db_cell)INT(i + 1);
    must_exec(d, "CREATE TABLE c(a1,a2,a3,a4,a5,a6,a7,a8,a9,a10,a11,a12,a13,a14,a15,a16,a17,a18,"
                 "a19,a20,a21)");
    assert_int_equal(insert(d, &over, cells, 2, &e), -1);
    assert_int_equal(e.code, ERR_INTERNAL);
    assert_int_equal(insert(d, &most, cells, 2, &e), 0);
    assert_int_equal(number(d, "SELECT count(*) FROM c WHERE a21 IS NULL"), 2);
    assert_int_equal(number(d, "SELECT a1 * 10000 + a20 * 100 + a11 FROM c WHERE rowid = 1"),
                     1 * 10000 + 20 * 100 + 11);
    assert_int_equal(number(d, "SELECT a1 * 10000 + a20 * 100 + a11 FROM c WHERE rowid = 2"),
                     21 * 10000 + 40 * 100 + 31);
    D->close(d);
}

/* As many tables as are kept, and one more: that one is refused, and the others stay. */
static void
tables_have_a_limit(void **state)
{
    static struct db_into into[TABLES_MAX + 1];
    static char names[TABLES_MAX + 1][8];
    static const struct db_cell cells[] = {INT(3)};
    struct scratch *t = *state;
    struct db *d = must_open(t->path, &writer_options);
    struct err e = ERR_INIT;
    char sql[64];

    for (int i = 0; i <= TABLES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "t%d", i);
        into[i] = (struct db_into){names[i], "n", 1};
        snprintf(sql, sizeof sql, "CREATE TABLE t%d(n)", i);
        must_exec(d, sql);
    }
    for (int i = 0; i < TABLES_MAX; i++)
        assert_int_equal(insert(d, &into[i], cells, 1, &e), 0);
    assert_int_equal(insert(d, &into[TABLES_MAX], cells, 1, &e), -1);
    assert_int_equal(e.code, ERR_INTERNAL);
    for (int i = 0; i <= TABLES_MAX; i++) {
        if (i < TABLES_MAX)
            assert_int_equal(insert(d, &into[i], cells, 1, &e), 0);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM t%d", i);
        assert_int_equal(number(d, sql), i < TABLES_MAX ? 2 : 0);
    }
    D->close(d);
}

int
main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(values_come_back),
        IN_SCRATCH(order_is_kept),
        IN_SCRATCH(bad_rows_are_told_apart),
        IN_SCRATCH(bad_places_are_errors),
        IN_SCRATCH(lost_transaction_takes_nothing),
        IN_SCRATCH(columns_have_a_limit),
        IN_SCRATCH(tables_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
