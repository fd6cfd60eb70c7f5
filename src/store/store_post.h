/*
 * store/store_post.h - what an audience lists: posting lists, versions of an id, counters.
 *
 * Within this room only.  An audience lists one living row for an id with versions: its best;
 * and the erase rows that may bring an older version back.  An id without versions is listed at
 * every content's row.  All other rows stand in the second list of each kind.
 */
#ifndef JAGA_STORE_STORE_POST_H
#define JAGA_STORE_STORE_POST_H

#include "store_impl.h"

/* Places a new row, whose p, audience, type, ident and flags are set (F_LAST and F_IDENT are not),
 * among the rows of its id.  Called before the row is inserted; sets r->flags and r->object. */
int post_place(struct store *s, struct row *r, struct span bytes, const struct hash *hash,
               struct err *e);
/* After the row was inserted. */
int post_settle(struct store *s, const struct row *r, struct err *e);

/* Takes a living row out of every list, before it is wiped. */
int post_remove(struct store *s, const struct row *r, struct err *e);
/* After the best was removed: the best of what is left takes its place. */
int post_relist(struct store *s, uint64_t ident, uint32_t audience, struct err *e);
/* The second row of an id: from now on its rows stand in table version. */
int post_multi(struct store *s, struct row *anchor, struct err *e);
/* Sets flags of F_IDENT in every row of an id. */
int post_mark(struct store *s, uint64_t ident, unsigned flags, struct err *e);

/* Whether any audience has a living row of the id.  1, 0, -1. */
int post_any_left(struct store *s, uint64_t ident, struct err *e);
/* Whether the audience has a living row, with versions, of the id.  1, 0, -1. */
int post_has_best(struct store *s, uint64_t ident, uint32_t audience, struct err *e);

/* Changes of table counting, kept until the end of the commit. */
int count_add(struct store *s, uint32_t audience, uint32_t type, int64_t n, struct err *e);
int count_save(struct store *s, struct err *e);
void counts_free(struct counts *c);

/* States in table version. */
#define VERSION_BEST  0 /* of its audience, living, with versions */
#define VERSION_OTHER 1 /* superseded, or an erase row */
#define VERSION_PLAIN 2 /* without versions */

#endif
