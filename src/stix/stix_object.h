/*
 * stix/stix_object.h - what every STIX object has in common, read from a parsed tree.
 *
 * All spans and nodes borrow from the tree.  The tree is never changed.
 */
#ifndef JAGA_STIX_STIX_OBJECT_H
#define JAGA_STIX_STIX_OBJECT_H

#include <stdbool.h>
#include "clock.h"
#include "json.h"
#include "span.h"
#include "stix_check.h"
#include "stix_id.h"

enum stix_class {
    STIX_CUSTOM, /* a type that the standard does not define */
    STIX_SDO,
    STIX_SRO,
    STIX_SCO, /* has no created or modified, no creator and no order of versions */
    STIX_META,
    STIX_BUNDLE /* no object: a container */
};

/* The class of a type by its name alone, and its name in messages: "sdo", "sro", ... */
enum stix_class stix_class_of(struct span type);
const char *stix_class_name(enum stix_class c);

struct stix_time {
    struct span text; /* as written; {NULL, 0}: absent */
    struct instant at;
    unsigned digits; /* of the fraction, as written */
};

struct stix_head {
    enum stix_class class;
    struct stix_id id; /* id.type equals the object's type */
    struct span spec_version;
    struct stix_time created;  /* never set for SCOs and bundles, where a property of that */
    struct stix_time modified; /* name is a custom one */
    bool revoked;
    struct span created_by; /* created_by_ref if it is an id, else {NULL, 0} */
    struct span name;       /* if it is a string */
    struct span lang;
    int confidence;            /* 0 to 100; -1: absent or no such number */
    const struct json *labels; /* each of these: NULL unless it is a list ... */
    const struct json *marking_refs;
    const struct json *granular_markings;
    const struct json *external_references;
    const struct json *extensions; /* ... and this unless it is an object */
};

/* Reads o.  -1: refused, as o is no object, has no usable type or id, or an id of another type, or
 * a created or modified that cannot be read; *why then says so (constant texts, nothing to free),
 * with severity STIX_REFUSE.  Absent created and modified are no refusal. */
int stix_head_read(const struct json *o, struct stix_head *out, struct stix_defect *why);

/* When this version was made, as TAXII's "version" has it: modified, else created, else absent. */
const struct stix_time *stix_head_version(const struct stix_head *h);

#endif
