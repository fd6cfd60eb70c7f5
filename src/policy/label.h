/*
 * policy/label.h - what the markings of an object say about who may read it.
 *
 * The strictest of all wins: object markings, granular markings (a selector marks a part, but an
 * object travels whole), and labels such as "tlp:amber".  A built-in id decides whatever name or
 * definition it is sent under, and only as a whole id: wrong ids that share half of a real one
 * circulate.  Statement markings restrict nobody.  What is not resolved or not understood is said
 * so, and the object has to wait, seen by nobody.
 */
#ifndef JAGA_POLICY_LABEL_H
#define JAGA_POLICY_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include "arena.h"
#include "err.h"
#include "span.h"
#include "tlp.h"

struct stix_facts;

/* What one marking-definition means.  The numbers are stored; never change them. */
enum marking_kind {
    MARKING_UNCLEAR = 0, /* not understood: whoever uses it waits */
    MARKING_FREE = 1,    /* restricts no reader: a statement, a PAP */
    MARKING_TLP = 2,
    MARKING_EXERCISE = 3
};

struct marking_meaning {
    enum marking_kind kind;
    enum tlp tlp; /* MARKING_TLP alone */
};

/* Whether id is one that everybody knows: TLP 1 and 2, OpenCTI's AMBER+STRICT, the exercise mark.
 */
bool marking_builtin(struct span id, struct marking_meaning *out);

/* The meaning of a marking-definition from its own bytes (a built-in id decides first).  Read are
 * the TLP 1 definition (STIX 2.1 section 7.2.1.4), the statement (7.2.1.3), PAP, and the TLP 2.0
 * and IEP 2.0 extensions; where several speak the strictest counts, and one that is not understood
 * makes the whole unclear. */
void marking_meaning_read(const struct stix_facts *f, struct marking_meaning *out);

/* Finds the meaning of a marking that is not built in: from the same bundle or the same publisher,
 * the first bytes for the id.  1: found, 0: not known (yet), -1: failed, e is set. */
typedef int marking_resolve(void *ctx, struct span id, struct marking_meaning *out, struct err *e);

struct label {
    bool has;     /* some marking or label gives a TLP label */
    enum tlp tlp; /* the strictest, where has */
    bool exercise;
    const struct span
        *unresolved; /* markings to wait for, each once; in the arena, the ids borrowed */
    size_t unresolved_count;
    bool unclear;             /* something is not understood */
    struct span unclear_what; /* the first such marking id or label, borrowed */
};

/* Reads the label of an object.  resolve may be NULL: nothing but the built-in ids is known then.
 * -1: out of memory or the resolver failed; *out is untouched. */
int label_read(const struct stix_facts *f, marking_resolve *resolve, void *ctx, struct arena *a,
               struct label *out, struct err *e);

/* The exercise mark: a fixed marking-definition of ours.  Exercise data can never be mistaken for
 * live data; whatever carries this id, in whatever place, is no live object. */
#define EXERCISE_MARK_ID "marking-definition--e26f5832-6095-4b02-9dc1-13eb335d0ff7"
/* Its bytes, in canonical form. */
#define EXERCISE_MARK_BYTES                                                                        \
    "{\"created\":\"2026-01-01T00:00:00.000Z\","                                                   \
    "\"definition\":{\"statement\":\"EXERCISE EXERCISE EXERCISE. This is exercise data and not "   \
    "about real events.\"},"                                                                       \
    "\"definition_type\":\"statement\","                                                           \
    "\"id\":\"" EXERCISE_MARK_ID "\","                                                             \
    "\"name\":\"EXERCISE\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"

#endif
