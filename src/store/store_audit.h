/*
 * store/store_audit.h - the audit trail, append-only and never shared, and who was served what.
 */
#ifndef JAGA_STORE_STORE_AUDIT_H
#define JAGA_STORE_STORE_AUDIT_H

#include "store.h"

#define STORE_AUDIT_TEXT_MAX 1024 /* bytes of each text; longer ones are cut at a character */

struct store_audit {
    uint64_t n;
    int64_t at_us;
    uint32_t principal; /* 0: not known */
    struct span who;    /* as it called itself: a failed login names nobody we know */
    struct span act;    /* "login", "user add", "withdraw" ... */
    struct span what;   /* the object or name acted on */
    struct span result; /* "done", "refused" ... */
};

int store_audit_put(struct store *s, const struct store_audit *r, struct err *e);
/* Newest first, n < before (0: all). */
int store_audit_list(struct store *s, uint64_t before, uint32_t limit, struct arena *a,
                     struct store_audit **out, size_t *n, struct err *e);

/* A principal has been served rows of an audience up to this date. */
struct store_served {
    uint32_t principal, audience;
    int64_t until_us; /* the furthest date served */
    int64_t when_us;
    int64_t since_us; /* put alone: when this was served first, since the mark put before */
};
/* Marks only rise.  One that comes after an erasure (store_exposed_put) of what it covers, but was
 * served from before that, is kept with the erasure too. */
int store_served_put(struct store *s, const struct store_served *m, struct err *e);
/* Marks of an audience (0: all), by principal; live in a. */
int store_served_list(struct store *s, uint32_t audience, struct arena *a,
                      struct store_served **out, size_t *n, struct err *e);

/* Before rows of an audience are erased, the earliest dated from_us: keeps the marks that reach it,
 * since a mark that rises later says nothing of what is gone by then. */
int store_exposed_put(struct store *s, uint32_t audience, int64_t from_us, struct err *e);
/* Who had been served a row of an audience, dated date_us, when it was erased at erased_us; live in
 * a, by principal. */
int store_exposed_list(struct store *s, uint32_t audience, int64_t date_us, int64_t erased_us,
                       struct arena *a, struct store_served **out, size_t *n, struct err *e);

#endif
