/*
 * db/db.h - one SQL database behind one table of functions.
 *
 * SQL is written once, in a dialect that SQLite and PostgreSQL share, and parameters are always
 * bound, written ?1, ?2, ...  A driver is one const struct and one file; sqlite.c is the first.
 * Statements are prepared once and kept.  Integers are 64 bits.
 *
 * Errors: ERR_BUSY (another writer, or the writer has to start or recover first), ERR_FULL (disk,
 * quota), ERR_MEMORY, ERR_CORRUPT, ERR_DENIED (a write in DB_READ), ERR_DUPLICATE (a unique key),
 * ERR_CONFLICT (another constraint, or the transaction is lost), ERR_LIMIT (a value too large),
 * ERR_MISSING (open: no such file), ERR_IO, ERR_INTERNAL (the SQL or its use is wrong).
 *
 * After any -1 between begin and commit the caller calls rollback.  Where the database has rolled
 * back by itself, every further step, exec and commit is refused with ERR_CONFLICT until then, so
 * that the rest of a transaction is never committed without its beginning.
 *
 * All files are opened in open: later calls (but backup) open, create and remove none.  A process
 * opens one file in one mode only (SQLite shares locks and index within a process), and opens it
 * after any fork.
 */
#ifndef JAGA_DB_DB_H
#define JAGA_DB_DB_H

#include <stdbool.h>
#include <stdint.h>
#include "err.h"
#include "span.h"

struct db;
struct db_stmt;

enum db_mode {
    /* No way to write: every descriptor is read-only, the shared index is mapped so.  Opens once a
     * writer has made the files, and works on when the writer is gone. */
    DB_READ,
    DB_WRITE, /* the one writer; creates the file if there is none */
};

struct db_options {
    enum db_mode mode;
    int cache_kib;        /* page cache */
    int64_t mmap_bytes;   /* 0: none */
    int busy_ms;          /* longest wait for a lock, as when the log is recovered at open */
    bool secure_delete;   /* freed content is overwritten (erase) */
    int page_size;        /* for a new file */
    int checkpoint_pages; /* automatic checkpoint after so many pages of WAL; 0: by hand */
};

/* A column's type as the driver gives it. */
enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB, DB_REAL };

/* A value, and rows of them in memory.  Bytes are borrowed during the call. */
struct db_cell {
    enum db_type type; /* DB_NULL, DB_INT or DB_BLOB */
    int64_t n;
    struct span bytes;
};
struct db_rows {
    size_t n;
    void (*cell)(const void *ctx, size_t row, unsigned column, struct db_cell *out);
    const void *ctx;
};
/* Where they go; a constant, which is known again by its address. */
struct db_into {
    const char *table;
    const char *columns; /* "a, b, c" */
    unsigned count;      /* of them; DB_COLUMNS_MAX at most */
};
#define DB_COLUMNS_MAX 20

struct db_driver {
    const char *name;
    int (*open)(const char *path, const struct db_options *o, struct db **out, struct err *e);
    void (*close)(struct db *d); /* finalises what is left prepared; NULL does nothing */
    int (*exec)(struct db *d, const char *sql, struct err *e); /* one or more statements */
    int (*prepare)(struct db *d, const char *sql, struct db_stmt **out, struct err *e);
    void (*finalise)(struct db_stmt *s);
    /* Parameters from 1.  Spans are borrowed until the next db_reset. */
    void (*bind_int)(struct db_stmt *s, int at, int64_t v);
    void (*bind_text)(struct db_stmt *s, int at, struct span v);
    void (*bind_blob)(struct db_stmt *s, int at, struct span v);
    void (*bind_null)(struct db_stmt *s, int at);
    /* 1 a row, 0 done, -1 failed; after the last two the statement is as after reset. */
    int (*step)(struct db_stmt *s, struct err *e);
    /* Inserts rows in their order, as as many statements would, at less cost for each; cheapest
     * where they come in the order of the table's key.  Some may stand when it fails. */
    int (*insert)(struct db *d, const struct db_into *into, const struct db_rows *rows,
                  struct err *e);
    void (*reset)(struct db_stmt *s); /* forgets parameters too */
    enum db_type (*type)(struct db_stmt *s, int col);
    int64_t (*get_int)(struct db_stmt *s, int col);       /* from 0 */
    struct span (*get_bytes)(struct db_stmt *s, int col); /* until the next step or reset */
    /* Writers take the lock at once; a reader's snapshot is that of its first read. */
    int (*begin)(struct db *d, struct err *e);
    /* On disk, synced, when it returns 0; on failure it is rolled back. */
    int (*commit)(struct db *d, struct err *e);
    void (*rollback)(struct db *d);
    bool (*in_transaction)(struct db *d);
    /* As the first thing in a reader's transaction: fixes its snapshot.  The number differs from
     * that of the transaction before where anybody has committed in between; it may also differ
     * where nobody has. */
    int (*version)(struct db *d, int64_t *out, struct err *e);
    int64_t (*changes)(struct db *d); /* rows changed by the last statement */
    /* Moves the log into the database as far as readers let it; with truncate all of it, waiting
     * for readers up to busy_ms (ERR_BUSY), and leaves an empty log: needed after an erase. */
    int (*checkpoint)(struct db *d, bool truncate, struct err *e);
    /* A consistent copy while others read and write, as a new file (ERR_CONFLICT if there is one),
     * synced with its folder; nothing is left on failure.  progress, in pages, may be NULL.  The
     * log grows meanwhile.  Not within a transaction. */
    int (*backup)(struct db *d, const char *to, void (*progress)(int done, int total, void *arg),
                  void *arg, struct err *e);
    int (*check)(struct db *d, struct err *e); /* the driver's own integrity check */
    bool (*corrupt)(const struct err *e);
};

extern const struct db_driver db_sqlite;

#endif
