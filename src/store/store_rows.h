/*
 * store/store_rows.h - the rows of a commit, gathered and inserted together.
 *
 * Within this room only.  Each publication has a wide row, with its bytes, and half a dozen of
 * twenty bytes.  The narrow ones are sorted as their tables are before they are inserted, so that
 * one page of a table after another takes all that is for it; wide ones come in order, and a few
 * are inserted at once.  Whoever reads such a table, or changes rows in it, within a commit calls
 * rows_flush first (of publications alone: rows_flush_wide).
 */
#ifndef JAGA_STORE_STORE_ROWS_H
#define JAGA_STORE_STORE_ROWS_H

#include "store_impl.h"
#include "store_stream.h"

enum rows_table { ROWS_IDENT, ROWS_TERM, ROWS_EDGE, ROWS_POSTING, ROWS_TABLES };

/* A row whose columns are numbers; those that its table has not are 0. */
struct rows_narrow {
    int64_t gen; /* POSTING: its kind */
    int64_t key; /* EDGE: node, POSTING: audience */
    int64_t p;
    uint32_t kind; /* EDGE */
    uint32_t audience;
};

/* Doubles may be added, and are inserted once. */
int rows_add(struct store *s, enum rows_table t, const struct rows_narrow *row, struct err *e);
/* A row of table value.  The key is borrowed until the commit. */
int rows_add_value(struct store *s, int64_t gen, struct span key, int64_t p, uint32_t audience,
                   struct err *e);

/* A row of table publication, above all that were added.  bytes (NULL: none) are borrowed until the
 * commit, the rest is copied.  id: as it is kept; empty: none. */
struct rows_wide {
    struct row row;
    struct stream_place at;
    uint64_t group_version;
    struct span id, bytes;
};
int rows_add_wide(struct store *s, const struct rows_wide *row, struct err *e);

/* Inserts what is gathered of publications alone; nothing: 0. */
int rows_flush_wide(struct store *s, struct err *e);
/* Inserts all that is gathered; nothing: 0. */
int rows_flush(struct store *s, struct err *e);
/* Whether a row of ident with that key may be among what is gathered. */
bool rows_ident_may(const struct store *s, int64_t key);

void rows_drop(struct store *s); /* forgets what is gathered */
void rows_free(struct rows *r);

#endif
