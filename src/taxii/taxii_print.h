/*
 * taxii/taxii_print.h - the resources of TAXII 2.1 as JSON texts.
 *
 * Each function writes one resource, or one entry of a list that the caller has open.
 */
#ifndef JAGA_TAXII_TAXII_PRINT_H
#define JAGA_TAXII_TAXII_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "json_write.h"
#include "span.h"

#define TAXII_MEDIA    "application/taxii+json;version=2.1"
#define STIX_MEDIA     "application/stix+json;version=2.1"
#define TAXII_TIME_MAX 40

/* "2026-01-31T12:00:00.000000Z": microseconds, as our cursor has them. */
void taxii_time(int64_t us, char out[TAXII_TIME_MAX]);
/* For X-TAXII-Date-Added-Last: rounded up to the millisecond (still printed with six digits),
 * because clients cut to it, unless more rows that match lie within that millisecond: then exact.
 */
int64_t taxii_date_last(int64_t last_us, bool more_in_it);

struct taxii_text { /* spans may be empty: the member is left out, as the standard wants */
    struct span title, description, contact;
};

/* Section 4.1.1.  roots: absolute or relative URLs; the first is the default. */
void taxii_print_discovery(struct buf *out, const struct taxii_text *t, const struct span *roots,
                           size_t n);
/* Section 4.2.1. */
void taxii_print_root(struct buf *out, const struct taxii_text *t, uint64_t max_content_length);

/* Section 5.2.1. */
struct taxii_collection {
    struct span id, title, description, alias;
    bool can_read, can_write;
};
void taxii_put_collection(struct json_out *o, const struct taxii_collection *c);

/* Section 5.3.1: an entry of a manifest. */
void taxii_put_manifest(struct json_out *o, struct span id, int64_t added_us, struct span version);

/* Section 4.3.1.  Counts are the lengths of the lists: they cannot differ. */
struct taxii_item {
    struct span id, version;
    struct span message; /* may be empty */
};
struct taxii_status {
    struct span id;
    int64_t requested_us; /* 0: left out */
    bool complete;
    const struct taxii_item *successes, *failures, *pendings;
    size_t success_n, failure_n, pending_n;
};
void taxii_print_status(struct buf *out, const struct taxii_status *s);

/* Section 3.6.1.  title must not be empty; the rest may be. */
struct taxii_error {
    struct span title, description, error_id, error_code;
    unsigned http_status; /* 0: left out */
};
void taxii_print_error(struct buf *out, const struct taxii_error *t);

#endif
