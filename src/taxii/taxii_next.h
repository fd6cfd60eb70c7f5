/*
 * taxii/taxii_next.h - "next": where a page ended and what was asked, sealed and kept nowhere.
 *
 * It names no principal and no rights: whoever brings it gets what his own view has from there on.
 * It is sealed because a position within what others may see would betray how much that is.  It
 * has no age; two keys are accepted, so that a key can be changed under those who are paging.
 */
#ifndef JAGA_TAXII_TAXII_NEXT_H
#define JAGA_TAXII_TAXII_NEXT_H

#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "crypto.h"
#include "err.h"
#include "span.h"
#include "taxii_query.h"

enum taxii_next_kind { /* which endpoint gave it: it is good for that one alone */
                       TAXII_N_OBJECTS = 1,
                       TAXII_N_MANIFEST,
                       TAXII_N_OBJECT,
                       TAXII_N_VERSIONS,
                       TAXII_N_SEARCH, /* for the other lists of this program */
                       TAXII_N_LATEST,
                       TAXII_N_RELATED,
                       TAXII_N_EXPORT
};

struct taxii_next {
    enum taxii_next_kind kind;
    struct span scope;        /* collection and object, or the search asked: compared as bytes */
    int64_t after;            /* the row that ended the page (an arrival, or p) */
    int64_t part;             /* further position within the same row, else 0 */
    struct taxii_query query; /* only its filters */
};

/* Seals n with the newest key; appends base64url text. */
void taxii_next_put(const struct key *k, const struct taxii_next *n, struct buf *out);

/* Opens text with one of the keys.  scope must equal the one that was sealed.  ERR_SYNTAX: not
 * ours, altered, or of another endpoint (never told apart). */
int taxii_next_get(const struct key *keys, size_t key_count, struct span text,
                   enum taxii_next_kind kind, struct span scope, struct arena *a,
                   struct taxii_next *out, struct err *e);

#endif
