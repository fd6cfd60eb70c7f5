/*
 * taxii/taxii_query.h - what a TAXII 2.1 client asks for: query parameters and the two media types.
 *
 * Pure: text in, checked values out.  What clients in the field really send is taken where the
 * meaning is beyond doubt (README of the tests lists it); all else is a clear 400, 406 or 415.
 */
#ifndef JAGA_TAXII_TAXII_QUERY_H
#define JAGA_TAXII_TAXII_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "span.h"

#define TAXII_QUERY_MAX  4096  /* bytes of a query string without its next */
#define TAXII_NEXT_MAX   6144  /* characters of a next: the filters of a longest query, sealed */
#define TAXII_VALUES_MAX 256   /* values of one match list */
#define TAXII_LIMIT_MAX  10000 /* objects of one page; a larger limit is cut to it (section 3.4) */

/* Parameters, as bits: which an endpoint takes (TAXII 2.1 sections 5.3 to 5.8). */
enum taxii_param {
    TAXII_P_ADDED_AFTER = 1,
    TAXII_P_LIMIT = 2,
    TAXII_P_NEXT = 4,
    TAXII_P_ID = 8,
    TAXII_P_TYPE = 16,
    TAXII_P_VERSION = 32,
    TAXII_P_SPEC = 64
};
#define TAXII_P_PAGE     (TAXII_P_ADDED_AFTER | TAXII_P_LIMIT | TAXII_P_NEXT)
#define TAXII_P_OBJECTS  (TAXII_P_PAGE | TAXII_P_ID | TAXII_P_TYPE | TAXII_P_VERSION | TAXII_P_SPEC)
#define TAXII_P_MANIFEST TAXII_P_OBJECTS
#define TAXII_P_OBJECT   (TAXII_P_PAGE | TAXII_P_VERSION | TAXII_P_SPEC)
#define TAXII_P_VERSIONS (TAXII_P_PAGE | TAXII_P_SPEC)
#define TAXII_P_DELETE   (TAXII_P_VERSION | TAXII_P_SPEC)

struct taxii_list {
    const struct span *v;
    size_t n;
};

enum taxii_version_kind { TAXII_V_LAST, TAXII_V_FIRST, TAXII_V_ALL, TAXII_V_TIME };

struct taxii_version {
    enum taxii_version_kind kind;
    struct instant at; /* TAXII_V_TIME */
    struct span text;  /* as sent */
};

struct taxii_query {
    unsigned given; /* enum taxii_param bits that were sent with a value */
    struct instant added_after;
    uint32_t limit;   /* 0: none sent */
    struct span next; /* as sent; still sealed */
    struct taxii_list id, type, spec;
    const struct taxii_version *version; /* version_n == 0: the default, last */
    size_t version_n;
};

/* Reads the part of the URL after '?' (raw, still percent-encoded; empty for none).  Parameters
 * that the endpoint does not take, or that nobody knows, are passed over; one without a value
 * counts as not sent; match lists sent twice add up, anything else sent twice is an error.
 * ERR_SYNTAX, ERR_RANGE, ERR_DUPLICATE or ERR_LIMIT with the parameter's name as the place. */
int taxii_query_read(struct arena *a, struct span query, unsigned allowed, struct taxii_query *out,
                     struct err *e);

/* The filters (id, type, spec, version) as bytes, for messages and for next. */
void taxii_filter_put(const struct taxii_query *q, struct buf *out);
/* Puts them into q (only those four, and their bits of given). */
int taxii_filter_get(struct reader *r, struct arena *a, struct taxii_query *q, struct err *e);

/* Whether an object of the specification version 2.1 passes q->spec. */
bool taxii_spec_ok(const struct taxii_query *q);

/* Accept (RFC 9110 section 12.5.1): true where application/taxii+json;version=2.1 is acceptable,
 * or application/json stands for it.  An absent or empty header accepts all. */
bool taxii_accept_ok(struct span accept);

/* Content-Type of a POST: application/taxii+json or application/stix+json, without a version or
 * with 2.1; other parameters are ignored. */
bool taxii_content_ok(struct span content_type);

#endif
