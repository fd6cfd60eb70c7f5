#include "sqlite_rows.h"

struct rows_table {
    sqlite3_vtab base; /* first: SQLite knows it alone */
    struct rows_given *given;
};

struct rows_cursor {
    sqlite3_vtab_cursor base;
    const struct rows_given *given;
    size_t at;
};

static int
rows_connect(sqlite3 *h, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
             char **error)
{
    struct rows_table *t;
    const int rc = sqlite3_declare_vtab(
        h, "CREATE TABLE x (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, "
           "c16, c17, c18, c19)");

    (void)argc;
    (void)argv;
    (void)error;
    if (rc != SQLITE_OK)
        return rc;
    t = sqlite3_malloc(sizeof *t);
    if (!t)
        return SQLITE_NOMEM;
    *t = (struct rows_table){.given = aux};
    *out = &t->base;
    return SQLITE_OK;
}

static int
rows_disconnect(sqlite3_vtab *t)
{
    sqlite3_free(t);
    return SQLITE_OK;
}

static int
rows_best(sqlite3_vtab *t, sqlite3_index_info *info)
{
    (void)t;
    info->estimatedCost = 1000;
    info->estimatedRows = 1000;
    return SQLITE_OK;
}

static int
rows_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
    struct rows_cursor *c = sqlite3_malloc(sizeof *c);

    if (!c)
        return SQLITE_NOMEM;
    *c = (struct rows_cursor){.given = ((struct rows_table *)t)->given};
    *out = &c->base;
    return SQLITE_OK;
}

static int
rows_close(sqlite3_vtab_cursor *c)
{
    sqlite3_free(c);
    return SQLITE_OK;
}

static int
rows_filter(sqlite3_vtab_cursor *cursor, int n, const char *text, int argc, sqlite3_value **argv)
{
    (void)n;
    (void)text;
    (void)argc;
    (void)argv;
    ((struct rows_cursor *)cursor)->at = 0;
    return SQLITE_OK;
}

static int
rows_next(sqlite3_vtab_cursor *cursor)
{
    ((struct rows_cursor *)cursor)->at++;
    return SQLITE_OK;
}

static int
rows_eof(sqlite3_vtab_cursor *cursor)
{
    const struct rows_cursor *c = (const struct rows_cursor *)cursor;

    return !c->given->rows || c->at >= c->given->rows->n;
}

static int
rows_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int column)
{
    const struct rows_cursor *c = (const struct rows_cursor *)cursor;
    struct db_cell x = {.type = DB_NULL};

    if (column >= 0 && (unsigned)column < c->given->columns)
        c->given->rows->cell(c->given->rows->ctx, c->at, (unsigned)column, &x);
    if (x.type == DB_INT)
        sqlite3_result_int64(out, x.n);
    else if (x.type == DB_BLOB)
        sqlite3_result_blob64(out, x.bytes.p ? x.bytes.p : "", x.bytes.n, SQLITE_STATIC);
    else
        sqlite3_result_null(out);
    return SQLITE_OK;
}

static int
rows_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)((const struct rows_cursor *)cursor)->at;
    return SQLITE_OK;
}

/* Without xCreate the table is there by its name alone, and nothing of it in the schema. */
static const sqlite3_module module = {
    .xConnect = rows_connect,
    .xBestIndex = rows_best,
    .xDisconnect = rows_disconnect,
    .xOpen = rows_open,
    .xClose = rows_close,
    .xFilter = rows_filter,
    .xNext = rows_next,
    .xEof = rows_eof,
    .xColumn = rows_column,
    .xRowid = rows_rowid,
};

int
rows_register(sqlite3 *h, struct rows_given *g)
{
    return sqlite3_create_module_v2(h, ROWS_TABLE, &module, g, NULL);
}
