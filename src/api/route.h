/*
 * api/route.h - a request's path becomes an endpoint and its parts.  Pure.
 *
 * Paths are taken with and without a slash at the end (TAXII 2.1 section 1.6.9 ends them with one;
 * clients forget it), percent-decoded once, and refused where decoding gives anything but plain
 * ids, so that no second reading of a path exists.
 */
#ifndef JAGA_API_ROUTE_H
#define JAGA_API_ROUTE_H

#include <stdbool.h>
#include "http.h"
#include "span.h"

#define API_ROOT       "/taxii2/root/"
#define ROUTE_PART_MAX 256 /* bytes of a decoded id */

enum endpoint {
    END_NONE,
    /* TAXII 2.1 */
    END_DISCOVERY,   /* /taxii2/ */
    END_ROOT,        /* /taxii2/root/ */
    END_STATUS,      /* .../status/{id}/ */
    END_COLLECTIONS, /* .../collections/ */
    END_COLLECTION,  /* .../collections/{c}/ */
    END_MANIFEST,    /* .../manifest/ */
    END_OBJECTS,     /* .../objects/ */
    END_OBJECT,      /* .../objects/{id}/ */
    END_VERSIONS,    /* .../objects/{id}/versions/ */
    /* pages */
    END_HOME,     /* / */
    END_DESK,     /* /desk */
    END_SEARCH,   /* /search */
    END_SHOW,     /* /object/{id} */
    END_SETTINGS, /* /settings */
    END_STYLE     /* /style.css */
};

struct route {
    enum endpoint end;
    bool taxii;
    char collection[ROUTE_PART_MAX + 1]; /* "" where there is none */
    char id[ROUTE_PART_MAX + 1];
};

/* END_NONE: there is no such place. */
void route_read(struct span path, struct route *out);

/* Methods that the endpoint knows, as an Allow header; *ok: whether m is one. */
const char *route_methods(enum endpoint end, enum http_method m, bool *ok);

/* A query's field, percent- and plus-decoded into out, which has room for size bytes with the NUL;
 * "" where it is absent.  False: broken, too long, with a NUL, or not UTF-8. */
bool route_field(struct span query, const char *name, char *out, size_t size);

#endif
