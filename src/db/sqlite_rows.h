/*
 * db/sqlite_rows.h - rows in memory as a table that SQLite can select from; for db itself alone.
 *
 * INSERT INTO t (...) SELECT c0, c1, ... FROM given costs a fraction of as many statements: the
 * cursor on t stays where the last row went.  Only the connection that registers it has it, and it
 * is empty but during an insert.
 */
#ifndef JAGA_DB_SQLITE_ROWS_H
#define JAGA_DB_SQLITE_ROWS_H

#include <sqlite3.h>
#include "db.h"

#define ROWS_TABLE "given" /* of DB_COLUMNS_MAX columns, c0 and so on */

struct rows_given {
    const struct db_rows *rows; /* NULL: none */
    unsigned columns;
};

/* SQLite's code.  g is borrowed as long as the connection lives. */
int rows_register(sqlite3 *h, struct rows_given *g);

#endif
