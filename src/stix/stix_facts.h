/*
 * stix/stix_facts.h - what can be believed of an object from its canonical bytes alone.
 *
 * For a process that trusts nobody: it uses json_canon and neither tree nor simdjson.  Bytes that
 * are not canonical, or have no usable type, id, created or modified (the same rules as
 * stix_head_read), are refused.
 *
 * Whatever could be a marking and cannot be understood sets marking_odd: the strictest reading
 * wins, so that such an object is shown to nobody until somebody decides.
 */
#ifndef JAGA_STIX_STIX_FACTS_H
#define JAGA_STIX_STIX_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include "arena.h"
#include "err.h"
#include "span.h"
#include "stix_id.h"
#include "stix_object.h"

/* The id of FIRST's IEP 2.0 extension-definition. */
#define STIX_IEP2_EXTENSION "extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a"

/* Upper bounds, beyond which the object is refused with ERR_LIMIT.  Real objects: ATT&CK's
 * collection names 24,000 others, the largest reports seen some 10,000. */
#define STIX_REFS_MAX     262144 /* references; 16 MiB of bytes hold few more */
#define STIX_LABELS_MAX   4096
#define STIX_MARKINGS_MAX 1024
#define STIX_EXTS_MAX     1024 /* keys of extensions */

struct stix_ref {
    struct span name; /* the property: "created_by_ref" never, "source_ref", "object_refs", ... */
    struct span id;   /* a well-formed id */
};

struct stix_marking {
    struct span id; /* as written; need not be a well-formed id */
    bool granular;
};

struct stix_facts {
    enum stix_class class; /* never STIX_BUNDLE: that is refused */
    struct stix_id id;
    struct stix_time created; /* as in struct stix_head */
    struct stix_time modified;
    bool revoked;
    bool spec20;                   /* spec_version is "2.0" */
    struct span created_by;        /* created_by_ref where it is a well-formed id */
    struct span relationship_type; /* of a relationship */
    const struct span *labels;     /* strings of "labels" */
    size_t label_count;

    /* Every string under a name that ends in _ref, and every one in a list under a name that ends
     * in _refs, at any depth, that is a well-formed id; but not the top created_by_ref, and none
     * of a marking-definition: markings are never edges.  In order, repeated where repeated. */
    const struct stix_ref *refs;
    size_t ref_count;

    /* object_marking_refs and marking_ref, at any depth. */
    const struct stix_marking *markings;
    size_t marking_count;
    bool marking_odd;

    const struct span *exts; /* keys of the object's extensions */
    size_t ext_count;

    /* Of a marking-definition; {NULL, 0} where absent or no string. */
    struct span name;            /* also of every other object */
    struct span definition_type; /* "tlp", "statement", ... */
    struct span tlp;             /* definition.tlp */
    struct span statement;       /* definition.statement */
    struct span tlp_2_0;         /* of the TLP 2.0 extension */
    struct span iep_tlp;         /* "tlp" of the IEP 2.0 extension */
};

/* Reads canonical bytes.  Strings borrow from bytes or live in a. */
int stix_facts_read(struct span bytes, struct arena *a, struct stix_facts *out, struct err *e);

/* Same rule as stix_head_version. */
const struct stix_time *stix_facts_version(const struct stix_facts *f);

#endif
