/*
 * The limit of ingest: the rows of a finished store, inserted anew by SQLite alone.
 *
 *     bare_ingest STORE.db NEW.db [CACHE_KIB]
 *     bare_ingest --plain NEW.db [ROWS]
 *
 * Every table and index of the store is made in a new file with the store's page size, cache,
 * log, checkpoint and synchronous=FULL.  Then each commit of the store is read into memory, and the
 * same rows are inserted, publication by publication, in the order in which the store has them,
 * with prepared statements in one transaction.  Only that second half is timed, and the closing of
 * the file (its checkpoint) too.  Rows that the store wrote and deleted again, and those that it
 * rewrites in every commit, are not done again but for the one of table state: so the limit is a
 * little higher than what is possible.
 *
 * --plain inserts rows of a number and 980 bytes: how fast this machine inserts at all.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CACHE_KIB   65536 /* that of a writer that imports */
#define COMMIT_ROWS 10000
#define PLAIN_ROWS  300000
#define PLAIN_BYTES 980
#define COLUMNS_MAX 32
#define TABLE_NAME  64
#define GEN_SHIFT   16
#define NOT_ROWS_MAX                                                                               \
    5000 /* more rows than that in a table that is copied at once: something is new */

struct table {
    const char *name;
    const char *order; /* a number p that says when the row came: an expression over t */
    const char *join;  /* what the expression needs beside t; or NULL */
    bool gen;          /* the first column is a generation: merged ones are undone */
    sqlite3_stmt *from, *to;
    int64_t next; /* p of the row that `from` stands on; INT64_MAX: at its end */
    int columns;
    uint64_t rows;
};

/* In the order in which the store inserts what belongs to one publication. */
static struct table tables[] = {
    {.name = "ident", .order = "t.n", .gen = true},
    {.name = "publication", .order = "t.p"},
    {.name = "posting", .order = "t.p"},
    {.name = "version", .order = "t.p"},
    {.name = "defect", .order = "t.p"},
    {.name = "term", .order = "t.p", .gen = true},
    {.name = "value", .order = "t.p", .gen = true},
    {.name = "edge", .order = "t.p", .gen = true},
    {.name = "block", .order = "(t.n + 1) << 12"},
    {.name = "text_segment", .order = "t.p_to"},
    {.name = "text_chunk", .order = "s.p_to", .join = "JOIN text_segment s ON s.n = t.k >> 32"},
    {.name = "text_tail", .order = "t.p"},
    {.name = "batch_range", .order = "t.p_to"},
    /* Of a stream that has all publications: when its last leaf came (store_tile.c). */
    {.name = "tile", .order = "((t.k & 137438953471) + 1) << (6 * (((t.k >> 37) & 15) + 1))"},
};
#define TABLES (sizeof tables / sizeof *tables)

struct cell {
    int type;
    int64_t number;
    size_t at; /* of bytes, in the commit's memory */
    int n;
};

/* One commit's rows, in memory. */
struct commit {
    struct cell *cells;
    size_t cell_n, cell_room;
    uint8_t *rows; /* number of its table */
    size_t row_n, row_room;
    char *bytes;
    size_t byte_n, byte_room;
};

static sqlite3 *source, *target;

static void
die(sqlite3 *h, const char *what)
{
    fprintf(stderr, "bare_ingest: %s: %s\n", what, h ? sqlite3_errmsg(h) : "");
    exit(1);
}

static double
now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What is timed: by the clock, and processor time. */
struct watch {
    double since, since_cpu, seconds, cpu;
};

static void
watch_start(struct watch *w)
{
    w->since_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    w->since = now(CLOCK_MONOTONIC);
}

static void
watch_stop(struct watch *w)
{
    w->seconds += now(CLOCK_MONOTONIC) - w->since;
    w->cpu += now(CLOCK_PROCESS_CPUTIME_ID) - w->since_cpu;
}

static void
run(sqlite3 *h, const char *sql)
{
    if (sqlite3_exec(h, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(h, sql);
}

static sqlite3_stmt *
prepare(sqlite3 *h, const char *sql)
{
    sqlite3_stmt *s;

    if (sqlite3_prepare_v3(h, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
        die(h, sql);
    return s;
}

static void
step(sqlite3 *h, sqlite3_stmt *s)
{
    if (sqlite3_step(s) != SQLITE_DONE)
        die(h, "a row cannot be inserted");
    sqlite3_reset(s);
}

static void *
grow(void *p, size_t *room, size_t need, size_t each)
{
    if (need <= *room)
        return p;
    *room = need + need / 2 + 64;
    p = realloc(p, *room * each);
    if (!p)
        die(NULL, "no memory");
    return p;
}

/* The options of the store's writer (src/db/sqlite.c, src/store/store.c). */
static void
open_target(const char *path, int64_t cache_kib)
{
    char sql[80];

    remove(path);
    if (sqlite3_open(path, &target) != SQLITE_OK)
        die(target, path);
    snprintf(sql, sizeof sql, "PRAGMA cache_size=-%lld", (long long)cache_kib);
    run(target, "PRAGMA page_size=8192");
    run(target, "PRAGMA journal_mode=WAL");
    run(target, "PRAGMA synchronous=FULL");
    run(target, "PRAGMA temp_store=MEMORY");
    run(target, "PRAGMA secure_delete=ON");
    run(target, "PRAGMA wal_autocheckpoint=4000");
    run(target, "PRAGMA journal_size_limit=67108864");
    run(target, sql);
}

static void
remove_target(const char *path)
{
    char name[4096];

    remove(path);
    snprintf(name, sizeof name, "%s-wal", path);
    remove(name);
    snprintf(name, sizeof name, "%s-shm", path);
    remove(name);
}

static bool
is_timed(const char *name)
{
    for (size_t i = 0; i < TABLES; i++)
        if (strcmp(tables[i].name, name) == 0)
            return true;
    return false;
}

/* How many columns the statement's table has; the insert for it. */
static sqlite3_stmt *
insert_for(const char *name, int columns)
{
    char sql[TABLE_NAME + 8 * COLUMNS_MAX];
    int n = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?1", name);

    for (int i = 2; i <= columns; i++)
        n += snprintf(sql + n, sizeof sql - (size_t)n, ", ?%d", i);
    snprintf(sql + n, sizeof sql - (size_t)n, ")");
    return prepare(target, sql);
}

static void
copy_row(sqlite3_stmt *from, sqlite3_stmt *to, int columns)
{
    for (int i = 0; i < columns; i++)
        sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
    step(target, to);
}

/* Small tables are copied as they are, before the clock runs. */
static void
copy_small(const char *name)
{
    char sql[TABLE_NAME + 40];
    sqlite3_stmt *from, *to;
    int columns;
    int64_t rows = 0;

    snprintf(sql, sizeof sql, "SELECT * FROM %s", name);
    from = prepare(source, sql);
    columns = sqlite3_column_count(from);
    to = insert_for(name, columns);
    for (; sqlite3_step(from) == SQLITE_ROW; rows++)
        copy_row(from, to, columns);
    if (rows > NOT_ROWS_MAX)
        fprintf(stderr, "bare_ingest: %lld rows of table %s are not timed\n", (long long)rows,
                name);
    sqlite3_finalize(from);
    sqlite3_finalize(to);
}

static void
make_schema(void)
{
    sqlite3_stmt *s = prepare(source, "SELECT type, name, sql FROM sqlite_schema "
                                      "WHERE sql IS NOT NULL ORDER BY rowid");

    run(target, "BEGIN");
    while (sqlite3_step(s) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(s, 0);
        const char *name = (const char *)sqlite3_column_text(s, 1);

        run(target, (const char *)sqlite3_column_text(s, 2));
        if (strcmp(type, "table") == 0 && !is_timed(name) && strncmp(name, "sqlite_", 7) != 0)
            copy_small(name);
    }
    sqlite3_finalize(s);
    run(target, "COMMIT");
}

/* ---- the rows, in the order in which they came ---- */

static void
advance(struct table *t)
{
    const int rc = sqlite3_step(t->from);

    if (rc == SQLITE_ROW)
        t->next = sqlite3_column_int64(t->from, t->columns);
    else if (rc == SQLITE_DONE)
        t->next = INT64_MAX;
    else
        die(source, t->name);
}

static void
open_tables(void)
{
    for (size_t i = 0; i < TABLES; i++) {
        struct table *t = &tables[i];
        char sql[400];

        snprintf(sql, sizeof sql, "SELECT t.*, %s AS came FROM %s t %s ORDER BY came", t->order,
                 t->name, t->join ? t->join : "");
        t->from = prepare(source, sql);
        t->columns = sqlite3_column_count(t->from) - 1;
        if (t->columns > COLUMNS_MAX)
            die(NULL, "a table has too many columns");
        t->to = insert_for(t->name, t->columns);
        advance(t);
    }
}

static void
take_row(struct commit *c, size_t number_of_table)
{
    struct table *t = &tables[number_of_table];

    c->rows = grow(c->rows, &c->row_room, c->row_n + 1, 1);
    c->cells = grow(c->cells, &c->cell_room, c->cell_n + (size_t)t->columns, sizeof *c->cells);
    c->rows[c->row_n++] = (uint8_t)number_of_table;
    for (int i = 0; i < t->columns; i++) {
        struct cell *x = &c->cells[c->cell_n++];

        *x = (struct cell){.type = sqlite3_column_type(t->from, i)};
        if (x->type == SQLITE_INTEGER)
            x->number = sqlite3_column_int64(t->from, i);
        else if (x->type == SQLITE_BLOB || x->type == SQLITE_TEXT) {
            const void *p = sqlite3_column_blob(t->from, i);

            x->n = sqlite3_column_bytes(t->from, i);
            x->at = c->byte_n;
            c->bytes = grow(c->bytes, &c->byte_room, c->byte_n + (size_t)x->n + 1, 1);
            if (x->n > 0)
                memcpy(c->bytes + x->at, p, (size_t)x->n);
            c->byte_n += (size_t)x->n;
        }
    }
    if (t->gen && t->next >= 0) {
        /* As it was when it was inserted: merged generations have numbers from -1 down. */
        struct cell *gen = &c->cells[c->cell_n - (size_t)t->columns];

        if (gen->number < 0 && gen->number > -1000000)
            gen->number = t->next >> GEN_SHIFT;
    }
    t->rows++;
}

/* All rows that came with publications up to `to`. */
static void
read_commit(struct commit *c, int64_t to)
{
    c->cell_n = c->row_n = c->byte_n = 0;
    for (;;) {
        int64_t p = INT64_MAX;

        for (size_t i = 0; i < TABLES; i++)
            if (tables[i].next < p)
                p = tables[i].next;
        if (p > to)
            return;
        for (size_t i = 0; i < TABLES; i++)
            while (tables[i].next == p) {
                take_row(c, i);
                advance(&tables[i]);
            }
    }
}

static void
write_commit(const struct commit *c, sqlite3_stmt *state, int64_t p)
{
    const struct cell *x = c->cells;

    run(target, "BEGIN IMMEDIATE");
    for (size_t r = 0; r < c->row_n; r++) {
        const struct table *t = &tables[c->rows[r]];

        for (int i = 0; i < t->columns; i++, x++) {
            if (x->type == SQLITE_INTEGER)
                sqlite3_bind_int64(t->to, i + 1, x->number);
            else if (x->type == SQLITE_BLOB)
                sqlite3_bind_blob(t->to, i + 1, c->bytes + x->at, x->n, SQLITE_STATIC);
            else if (x->type == SQLITE_TEXT)
                sqlite3_bind_text(t->to, i + 1, c->bytes + x->at, x->n, SQLITE_STATIC);
            else
                sqlite3_bind_null(t->to, i + 1);
        }
        step(target, t->to);
    }
    sqlite3_bind_int64(state, 1, p);
    step(target, state);
    run(target, "COMMIT");
}

static void
replay(const char *from, const char *to, int64_t cache_kib)
{
    static struct commit c;
    sqlite3_stmt *ends, *state;
    uint64_t commits = 0, rows = 0;
    struct watch timed = {0};
    int64_t last = 0;

    if (sqlite3_open_v2(from, &source, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        die(source, from);
    run(source, "PRAGMA mmap_size=17179869184");
    open_target(to, cache_kib);
    make_schema();
    open_tables();
    state = prepare(target, "UPDATE state SET p = ?1");
    /* Where commits ended: batches keep the ranges of p that each commit gave them.  A commit of
     * several batches has several ranges that overlap; what lies between came otherwise. */
    ends = prepare(source, "SELECT p_to FROM batch_range r WHERE NOT EXISTS (SELECT 1 FROM "
                           "batch_range o WHERE o.p_from <= r.p_to AND o.p_to > r.p_to) "
                           "UNION SELECT min(p_from) - 1 FROM batch_range "
                           "UNION SELECT max(p) FROM publication ORDER BY 1");
    while (sqlite3_step(ends) == SQLITE_ROW) {
        last = sqlite3_column_int64(ends, 0);
        read_commit(&c, last);
        watch_start(&timed);
        write_commit(&c, state, last);
        watch_stop(&timed);
        commits++;
    }
    read_commit(&c, INT64_MAX - 1); /* the block that is not full yet */
    watch_start(&timed);
    write_commit(&c, state, last);
    sqlite3_finalize(state);
    for (size_t i = 0; i < TABLES; i++) {
        rows += tables[i].rows;
        sqlite3_finalize(tables[i].to);
    }
    sqlite3_close(target);
    watch_stop(&timed);
    printf(
        "{\"objects\":%lld,\"rows\":%llu,\"commits\":%llu,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n",
        (long long)last, (unsigned long long)rows, (unsigned long long)commits, timed.seconds,
        timed.cpu);
}

static void
plain(const char *to, int64_t rows)
{
    static char bytes[PLAIN_BYTES];
    sqlite3_stmt *s;
    struct watch timed = {0};

    open_target(to, CACHE_KIB);
    memset(bytes, 'x', sizeof bytes);
    run(target, "CREATE TABLE t (n INTEGER PRIMARY KEY, bytes BLOB)");
    s = prepare(target, "INSERT INTO t VALUES (?1, ?2)");
    watch_start(&timed);
    for (int64_t i = 0; i < rows; i++) {
        if (i % COMMIT_ROWS == 0)
            run(target, "BEGIN IMMEDIATE");
        sqlite3_bind_int64(s, 1, i);
        sqlite3_bind_blob(s, 2, bytes, sizeof bytes, SQLITE_STATIC);
        step(target, s);
        if ((i + 1) % COMMIT_ROWS == 0 || i + 1 == rows)
            run(target, "COMMIT");
    }
    sqlite3_finalize(s);
    sqlite3_close(target);
    watch_stop(&timed);
    printf("{\"rows\":%lld,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n", (long long)rows,
           timed.seconds, timed.cpu);
}

int
main(int argc, char **argv)
{
    const char *to = argc > 2 ? argv[2] : NULL;
    int64_t n = argc > 3 ? strtoll(argv[3], NULL, 10) : 0;

    if (!to || argc > 4 || n < 0) {
        fprintf(stderr, "usage: bare_ingest STORE.db NEW.db [CACHE_KIB]\n"
                        "       bare_ingest --plain NEW.db [ROWS]\n");
        return 2;
    }
    remove_target(to);
    if (strcmp(argv[1], "--plain") == 0)
        plain(to, n ? n : PLAIN_ROWS);
    else
        replay(argv[1], to, n ? n : CACHE_KIB);
    remove_target(to);
    return 0;
}
