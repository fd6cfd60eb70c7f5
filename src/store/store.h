/*
 * store/store.h - what is kept, in SQL that is written once: opening, transactions, settings.
 *
 * The store knows mechanics, not policy: it is told to which audience a row goes and through which
 * view somebody reads.  One process opens it for writing; any number for reading.  Every other
 * call of this room belongs between store_begin and store_commit or store_abort; a reader's
 * transaction is short and never spans a wait for messages, since it keeps the log from being
 * truncated.
 *
 *   store_rights.h  organisations, principals, groups, generations, bindings, audiences, grants
 *   store_put.h     publications and erasures: what is appended
 *   store_page.h    pages of a collection, and objects by id
 *   store_find.h    search, related
 *   store_sync.h    streams whole, of our own and of others
 *   store_said.h    what members have signed, what is known of peers
 *   store_batch.h   batches, their items, defects, what waits
 *   store_audit.h   the audit trail, who was served what
 *   store_check.h   verify
 *   store_backup.h  backup and restore
 */
#ifndef JAGA_STORE_STORE_H
#define JAGA_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "db.h"
#include "err.h"
#include "span.h"

struct store;

#define STORE_STEP_US     25      /* neighbours of one audience in one commit lie this far apart */
#define STORE_AHEAD_US    1000000 /* arrivals run this far ahead of the clock */
#define STORE_COMMIT_MAX  20480   /* rows of one commit: its block of arrivals is 0.5 s at most */
#define STORE_COMMIT_GOOD 16384   /* of a large one: those of a text segment */
#define STORE_SLICE_MAX   10000   /* older publications that one commit makes appear */
#define STORE_SETTING_MAX 4096    /* bytes of a setting's value */

/* What a publication can be found by.  Given at put, and recomputed from the bytes by a callback
 * where the store needs it again (verify, a text segment after a restart). */

struct store_edge {
    uint32_t kind;  /* the caller's number for the property that refers: 1 to 65535 */
    struct span id; /* what is referred to */
};

struct store_index {
    const struct span *values; /* value.h keys, no doubles */
    size_t value_count;
    const struct span *labels; /* folded, no doubles */
    size_t label_count;
    const struct span *defects; /* at put: rules of its notes (store_defects_put), no doubles */
    size_t defect_count;
    const struct span *texts; /* as they stand in the object */
    size_t text_count;
    const uint32_t *grams; /* their trigrams (trigram.h), ascending; NULL: made from the texts */
    size_t gram_count;
    const struct store_edge *edges; /* no doubles */
    size_t edge_count;
    struct span creator; /* created_by_ref; empty: none */
    struct span version; /* modified as written; empty where the object has none */
};

/* Fills *out from an object's bytes; lists live in a.  -1: failed. */
typedef int store_index_fn(void *ctx, struct span bytes, struct arena *a, struct store_index *out,
                           struct err *e);

/* The version as written (modified; empty where it has none) of canonical bytes; lives in bytes or
 * a. */
typedef struct span store_version_fn(void *ctx, struct span bytes, struct arena *a);

struct store_options {
    enum db_mode mode;
    int cache_kib;                  /* page cache; 0: 4 MiB */
    int64_t mmap_bytes;             /* readers; 0: none */
    int busy_ms;                    /* wait for recovery at open */
    const struct clock *clock;      /* borrowed; NULL: the machine's */
    const struct db_driver *driver; /* NULL: SQLite */
    store_index_fn *index;          /* NULL: texts after a restart, and verify, do without */
    void *index_ctx;
    store_version_fn *version; /* ctx as index; NULL: entries of streams cannot be told */
    size_t filter_bytes;       /* writer: memory for filters of known ids; 0: 16 MiB */
};

/* Opens path; a writer creates what is not there and takes the schema's missing steps.
 * ERR_CONFLICT: a newer version of this program wrote it. */
int store_open(const char *path, const struct store_options *o, struct store **out, struct err *e);
void store_close(struct store *s); /* aborts what is open; NULL does nothing */

/* Begins a transaction: of a reader on what is committed now; of the writer to change.  On the
 * machine's clock a writer's begin waits (below a millisecond) until the last one's millisecond is
 * over. */
int store_begin(struct store *s, struct err *e);
/* Writer: everything since store_begin is on disk, synced, when it returns 0; on -1 nothing is.
 * Reader: ends the transaction. */
int store_commit(struct store *s, struct err *e);
void store_abort(struct store *s); /* as if store_begin had not been called */
bool store_open_transaction(const struct store *s);

/* Writer, outside a transaction: folds the log back into the file. */
int store_checkpoint(struct store *s, bool truncate, struct err *e);
/* Writer, outside a transaction: a bounded piece of background work (merging old generations of
 * index rows); *more tells that there is more to do. */
int store_tidy(struct store *s, bool *more, struct err *e);

/* Settings of the node: name and value.  1: there, 0: none, -1. */
int store_setting_get(struct store *s, const char *name, struct arena *a, struct span *out,
                      struct err *e);
int store_setting_put(struct store *s, const char *name, struct span value, struct err *e);
int store_setting_each(struct store *s, int (*fn)(void *ctx, struct span name, struct span value),
                       void *ctx, struct err *e);

/* Figures for status; local callers alone may see them. */
struct store_figures {
    uint64_t publications; /* the last p: living, erased and erase rows */
    int64_t next_us;       /* the arrival counter */
    uint64_t pending;
    uint64_t batches;
    uint64_t commits;
};
int store_figures(struct store *s, struct store_figures *out, struct err *e);

#endif
