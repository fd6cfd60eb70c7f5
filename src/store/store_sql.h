/*
 * store/store_sql.h - statements: prepared once, kept by the address of their text.
 *
 * Within this room only.  A parameter list is one letter for each value: i an int64_t, t and b a
 * struct span as text and blob, n nothing (NULL, takes no argument).
 */
#ifndef JAGA_STORE_STORE_SQL_H
#define JAGA_STORE_STORE_SQL_H

#include <stdarg.h>
#include "store.h"

/* The prepared statement of a string constant; NULL: failed. */
struct db_stmt *sql_get(struct store *s, const char *text, struct err *e);

/* Runs a statement that gives no rows. */
int sql_do(struct store *s, struct err *e, const char *text, const char *types, ...);

/* Binds and hands out a statement to step; NULL: failed. */
struct db_stmt *sql_ask(struct store *s, struct err *e, const char *text, const char *types, ...);

int sql_step(struct store *s, struct db_stmt *q, struct err *e); /* 1 a row, 0 done, -1 */
void sql_end(struct store *s, struct db_stmt *q);                /* before the rows are used up */
int64_t sql_int(struct store *s, struct db_stmt *q, int col);
struct span sql_bytes(struct store *s, struct db_stmt *q, int col);
bool sql_null(struct store *s, struct db_stmt *q, int col);

/* One number: 1 there, 0 no row or NULL, -1. */
int sql_number(struct store *s, int64_t *out, struct err *e, const char *text, const char *types,
               ...);

/* For hot paths: bind by hand, then sql_step.  A statement that gives no rows: */
int sql_run(struct store *s, struct db_stmt *q, struct err *e);
void sql_bind(struct store *s, struct db_stmt *q, int at, int64_t v);
void sql_bind_blob(struct store *s, struct db_stmt *q, int at, struct span v);
void sql_bind_null(struct store *s, struct db_stmt *q, int at);

#endif
