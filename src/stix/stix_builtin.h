/*
 * stix/stix_builtin.h - objects that the world knows by their id: the TLP markings.
 *
 * Here is only what they are.  What a label lets whom see is policy's.
 */
#ifndef JAGA_STIX_STIX_BUILTIN_H
#define JAGA_STIX_STIX_BUILTIN_H

#include <stdbool.h>
#include <stddef.h>
#include "span.h"

/* From the widest to the strictest; comparing numbers compares strictness. */
enum stix_tlp {
    STIX_TLP_CLEAR,
    STIX_TLP_GREEN,
    STIX_TLP_AMBER,
    STIX_TLP_AMBER_STRICT,
    STIX_TLP_RED
};
#define STIX_TLPS 5

/* The id of the TLP 2.0 extension-definition. */
#define STIX_TLP2_EXTENSION "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

struct stix_builtin {
    const char *id;
    enum stix_tlp tlp;
    bool current;      /* TLP 2.0, which we emit; others are only understood */
    const char *name;  /* as its owner names it, "TLP:AMBER+STRICT" */
    const char *bytes; /* canonical form; NULL for OpenCTI's, which has no fixed one */
};

/* By the whole id; NULL: not a built-in one.  (Wrong ids that share half of a real one are in
 * public code.) */
const struct stix_builtin *stix_builtin_find(struct span id);

/* All of them, n entries: TLP 2.0 first in the order of enum stix_tlp. */
const struct stix_builtin *stix_builtins(size_t *n);

/* "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED". */
const char *stix_tlp_name(enum stix_tlp t);

/* Reads a word, any case, with or without "tlp:": "red", "TLP:AMBER+STRICT", "white".  As labels,
 * tlp_2_0 and definition.tlp write it; '_', '-' or a space may stand for the '+'. */
bool stix_tlp_read(struct span s, enum stix_tlp *out);

#endif
