/*
 * store/store_verify.h - what the parts of verify share.
 *
 * Within this room only.
 */
#ifndef JAGA_STORE_STORE_VERIFY_H
#define JAGA_STORE_STORE_VERIFY_H

#include "store_check.h"
#include "store_impl.h"

struct verify {
    struct store *s;
    struct arena *a; /* of one publication */
    store_problem_fn *fn;
    store_progress_fn *progress;
    void *ctx;
    struct store_check_counts counts;
    bool stop;
    /* Counted while the publications are gone through, compared with the tables afterwards. */
    uint64_t posted, anchors, terms, values, edges, defects;
};

/* Reports a problem.  1 when the caller had enough, else 0. */
int verify_say(struct verify *v, const char *what, const char *place, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether an error says that the check cannot go on, not that something is wrong with a row. */
bool verify_fatal(const struct err *e);

int verify_streams(struct verify *v, struct err *e); /* rows, commitments, trees, blocks */
/* The trees, of which so many entries have rows, by stream number - 1. */
int verify_trees(struct verify *v, const uint64_t *rows, size_t n, struct err *e);
int verify_idents(struct verify *v, struct err *e); /* versions, postings, counters */
int verify_index(struct verify *v, const struct row *r, const struct store_index *x,
                 struct err *e);                       /* the index rows of one publication */
int verify_index_end(struct verify *v, struct err *e); /* and that there are no others */
/* That the generations which are read have so many rows together. */
int verify_total(struct verify *v, const char *sql, uint64_t want, const char *place,
                 struct err *e);
int verify_text(struct verify *v, struct err *e);

#endif
