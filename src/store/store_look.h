/*
 * store/store_look.h - what a view lists of one id.
 *
 * Within this room only.
 */
#ifndef JAGA_STORE_STORE_LOOK_H
#define JAGA_STORE_STORE_LOOK_H

#include "store_impl.h"
#include "store_page.h"

#define LOOK_SLOTS                                                                                 \
    256 /* ids whose lists a page remembers: versions of one id lie near each other */

struct listing {    /* one content that is listed, and since when */
    struct row row; /* of the publication with its least date */
    int64_t date_us;
};

struct listings {
    uint64_t ident;
    struct listing *list;
    size_t n;
};

struct look {
    struct store *s;
    const struct view *view;
    const struct store_versions *which;
    struct arena *a;
    struct listings slots[LOOK_SLOTS];
};

int look_begin(struct look *l, struct store *s, const struct view *v,
               const struct store_versions *which, struct err *e);
void look_end(struct look *l);

/* When the view shows a row; false: it does not.  Of an erase row: where it is seen at all. */
bool look_date(const struct look *l, const struct row *r, int64_t *date_us);

/* Whether row_read_lean says all of a row that look_date and look_row need, and whether it is
 * listed
 * (*listed; then its bytes must be its own). */
bool look_lean(const struct look *l, const struct row *r, bool *listed);

/* All listings of an id, in no order; kept until look_end or many others were asked for. */
int look_ident(struct look *l, uint64_t ident, const struct listings **out, struct err *e);

/* Whether, and as what, a row is listed at its date.  1, 0, -1. */
int look_row(struct look *l, const struct row *r, int64_t date_us, struct listing *out,
             struct err *e);

/* Whether only best versions are asked for. */
bool look_last_only(const struct store_versions *which);

/* Gives a listing to the caller's function; q holds the bytes in column `col` where the row was
 * just read and has them itself, else NULL. */
int look_give(struct look *l, const struct listing *at, unsigned want, struct db_stmt *q, int col,
              store_item_fn *fn, void *ctx, struct err *e);

#endif
