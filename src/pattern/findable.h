/*
 * pattern/findable.h - what an object can be found by: values, external ids, labels, text.
 *
 * Pure: a parsed tree in, lists out.  What it gives fills index rows and serves search alone; no
 * decision about who may see an object rests on it.
 *
 * Values: from SCOs (all 18 standard types; hashes wherever a "hashes" dictionary stands; SCOs
 * inside the deprecated "objects" of observed-data), from the constants of = and IN, ISSUBSET and
 * ISSUPERSET in STIX patterns, from external_references (external_id), a vulnerability's name where
 * it is a CVE.  The host of a URL is a value too, for whoever searches for a domain wants its URLs.
 * A negated comparison, != and the like give none: they name what is not meant.
 *
 * Text: every string of the object but ids, references, times, types, hashes and encoded bytes; so
 * names, descriptions, aliases, translations, custom x_* strings, and the string constants of
 * patterns.  Patterns of another type than "stix" are text as they stand.
 */
#ifndef JAGA_PATTERN_FINDABLE_H
#define JAGA_PATTERN_FINDABLE_H

#include <stdbool.h>
#include <stddef.h>
#include "arena.h"
#include "err.h"
#include "json.h"
#include "pattern.h"
#include "span.h"
#include "value.h"

#define FINDABLE_VALUES_MAX 16384 /* of one object; lists of addresses hold a few thousand */
#define FINDABLE_LABELS_MAX 1024
#define FINDABLE_LABEL_MAX  250 /* bytes of one; longer ones are text alone */
#define FINDABLE_TEXTS_MAX  8192
#define FINDABLE_BYTES_MAX  (1u << 20) /* of all texts together */

enum findable_from {
    FINDABLE_OBSERVED = 1, /* a property of an SCO */
    FINDABLE_PATTERN = 2,
    FINDABLE_NAMED = 4,  /* an external reference or a name */
    FINDABLE_DERIVED = 8 /* the host of a URL */
};

struct findable_value {
    struct span key; /* as value.h has it; key.p[0] is the kind */
    unsigned from;   /* enum findable_from, or-ed where it was found more than once */
};

struct findable {
    const struct findable_value *values; /* sorted by key, no doubles */
    size_t value_count;
    const struct span *labels; /* folded (fold_text), sorted, no doubles */
    size_t label_count;
    const struct span *texts; /* as they stand in the object, in its order */
    size_t text_count;
    int confidence; /* 0 to 100; -1: none */
    bool cut;       /* a limit was reached: what is listed is not all */
};

/* p: the object's pattern where the caller has read it already; NULL: it is read here, and one that
 * cannot be read is text.  Values and lists live in a; texts borrow from the tree and from p.
 * -1: out of memory or at the arena's ceiling. */
int findable_read(const struct json *object, const struct pattern *p, struct arena *a,
                  struct findable *out, struct err *e);

/* The kind of value that a standard SCO's property holds ("domain-name", "value"); VALUE_NONE: none
 * that is searched for. */
enum value_kind findable_kind(struct span type, struct span property);

#endif
