/*
 * intake/intake.h - bytes from outside become a checked object.
 *
 * One text goes through everything that can be said of it alone: JSON, the rules of STIX 2.1, the
 * pattern inside an indicator, the canonical form (RFC 8785), its hash, and what it can be found
 * by.  Pure: no file, no clock, no store.  Runs where nothing is worth stealing; whoever receives
 * the result believes only its bytes.
 */
#ifndef JAGA_INTAKE_INTAKE_H
#define JAGA_INTAKE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "crypto.h"
#include "err.h"
#include "findable.h"
#include "json.h"
#include "span.h"
#include "stix_check.h"

/* Bytes of an arena for one object: the tree of a hostile 16 MiB text would take a gigabyte, that
 * of a real one of that size 60 MiB.  Beyond it the object is refused as too large. */
#define INTAKE_ARENA_MAX (128u << 20)

#define INTAKE_ID_MAX 512 /* bytes of an id or type that is shown of a refused object */

enum intake_profile {
    INTAKE_NORMAL, /* a broken must-rule is a defect that the object keeps */
    INTAKE_STRICT  /* ... is a refusal */
};

enum intake_class {
    INTAKE_OK = 1, /* no must-rule is broken; there may be defects of lower severity */
    INTAKE_DEFECT, /* kept, with at least one broken must-rule */
    INTAKE_REFUSED /* no bytes; the defects say why */
};

struct intake_defect {
    enum stix_severity severity;
    struct span rule, clause, pointer, text;
};

struct intake_result {
    enum intake_class class;
    bool duplicate;        /* the same bytes stood earlier in this stream (intake_stream) */
    uint64_t index;        /* number in the stream, from 0 */
    uint64_t pos;          /* byte position in the stream */
    struct span id, type;  /* where they could be read; of a refused object cut at INTAKE_ID_MAX */
    struct span canonical; /* RFC 8785, what json_canon accepts, at most JSON_TEXT_MAX */
    struct hash hash;      /* of canonical */
    const struct intake_defect *defects; /* at most STIX_DEFECTS_MAX */
    size_t defect_count;
    uint64_t defects_found; /* also those not kept */
    struct findable found;  /* empty where refused */
    const uint32_t *grams;  /* of found.texts (trigram.h), ascending, no doubles */
    size_t gram_count;
};

struct intake;

/* One for many objects; NULL when memory is out. */
struct intake *intake_new(void);
void intake_free(struct intake *in);

/* Takes one object's text.  The result lives in a (which should have INTAKE_ARENA_MAX) and borrows
 * nothing from text.  -1 when memory is out, and only then: whatever is wrong with the object,
 * a full arena too, is a result of class INTAKE_REFUSED. */
int intake_object(struct intake *in, struct span text, enum intake_profile profile, struct arena *a,
                  struct intake_result *out, struct err *e);

const char *intake_class_name(enum intake_class c); /* "ok", "kept with defect", "refused" */

#endif
