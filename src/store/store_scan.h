/*
 * store/store_scan.h - rows of a view in the order of their dates: how a page finds them.
 *
 * Within this room only.  The dates of a view fall into stretches: rows at their own arrival, and
 * between these the slices of grants, each in a block of arrivals of its own.  Within a stretch
 * rows are found in one of three ways, whichever is likely the cheapest: reading all rows, merging
 * the posting lists of the view's audiences, or going through the columns of audiences.
 */
#ifndef JAGA_STORE_STORE_SCAN_H
#define JAGA_STORE_STORE_SCAN_H

#include "store_look.h"

enum scan_way { SCAN_CHOOSE, SCAN_ROWS, SCAN_LISTS, SCAN_COLUMNS };

struct scan {
    struct look *look;
    const uint32_t *types; /* NULL: all */
    size_t type_count;
    bool little;       /* fn gets rows as by row_read_little */
    bool last_only;    /* rows that no whole audience lists need not be given */
    uint32_t limit;    /* rows that the caller hopes to list */
    enum scan_way way; /* SCAN_CHOOSE, but in tests */
    /* A row that the view shows, at its date; q holds its bytes in column col.  0 go on, 1 enough,
     * -1 failed. */
    int (*fn)(void *ctx, const struct row *r, int64_t date_us, struct db_stmt *q, int col,
              struct err *e);
    void *ctx;
};

/* All rows with dates after `after_us`.  1: fn had enough, 0: no more rows, -1. */
int scan_run(const struct scan *c, int64_t after_us, struct err *e);

/* Loads the counters of audiences, where a reader's are too old to guide a choice. */
int scan_counters(struct store *s, struct err *e);

/* The stretches of a view with dates below before_us, the newest first: rows lo to hi - 1 at their
 * own arrival, or (slice not NULL) as its slices date them.  fn as above. */
typedef int stretch_fn(void *ctx, const struct view_entry *slice, uint64_t lo, uint64_t hi,
                       struct err *e);
int scan_back(const struct look *look, int64_t before_us, stretch_fn *fn, void *ctx, struct err *e);

#endif
