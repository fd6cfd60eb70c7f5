/*
 * store/store_index.h - index rows: values, labels and the like, and edges.
 *
 * Within this room only.  A term is a keyed hash of what is looked for, so that nobody outside can
 * choose keys; values keep their bytes, since networks and domains are searched by range.
 */
#ifndef JAGA_STORE_STORE_INDEX_H
#define JAGA_STORE_STORE_INDEX_H

#include "store_impl.h"

enum term_kind { /* of store_key; stored */
                 TERM_LABEL = 2,
                 TERM_CREATOR = 3,
                 TERM_DEFECT = 4,
                 TERM_ANY_DEFECT = 5,
                 TERM_REVOKED = 6,
                 TERM_NODE = 7, /* of an edge */
                 TERM_MARKING = 8
};

#define VALUE_BYTES_MAX 255 /* of a value's key */

enum index_table { INDEX_TERM, INDEX_VALUE, INDEX_EDGE };

/* Every index row that a publication has but those of defects: a key, or a value's bytes, and an
 * edge's kind.  Doubles in *x are given once. */
typedef int index_row_fn(void *ctx, enum index_table table, int64_t key, struct span value,
                         uint32_t kind, struct err *e);
int index_each(struct store *s, const struct row *r, const struct store_index *x, index_row_fn *fn,
               void *ctx, struct err *e);

int index_put(struct store *s, const struct row *r, const struct store_index *x, struct err *e);

/* Whether a value's key is that of a network: these have a generation of their own. */
bool value_is_net(struct span key);

/* Takes every index row of these publications (ascending) out, wherever they came from. */
int index_sweep(struct store *s, const uint64_t *p, size_t n, struct err *e);

#endif
