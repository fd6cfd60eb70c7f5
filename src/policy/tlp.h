/*
 * policy/tlp.h - the Traffic Light Protocol 2.0: five labels in one order, and how they are
 * written.
 */
#ifndef JAGA_POLICY_TLP_H
#define JAGA_POLICY_TLP_H

#include <stdbool.h>
#include "span.h"

/* In order of strictness: a larger value has fewer readers.  The numbers are stored; never change
 * them. */
enum tlp { TLP_CLEAR = 0, TLP_GREEN = 1, TLP_AMBER = 2, TLP_AMBER_STRICT = 3, TLP_RED = 4 };
#define TLP_COUNT 5

/* "TLP:AMBER+STRICT", as FIRST writes it. */
const char *tlp_name(enum tlp t);

/* "amber+strict", as the TLP 2.0 extension's tlp_2_0 has it. */
const char *tlp_code(enum tlp t);

/* The id of the TLP 2.0 marking-definition, for what this node itself writes. */
const char *tlp_marking_id(enum tlp t);

/* A label as people and feeds write it, alone in s: any case, with or without "TLP" and ':', '-',
 * '_', '=' or a space behind it; WHITE is CLEAR; "amber-strict", "AMBER STRICT".  False: no label.
 */
bool tlp_read(struct span s, enum tlp *out);

/* One entry of an object's labels property. */
enum tlp_label {
    TLP_LABEL_NONE,   /* says nothing about TLP: "green" alone is a colour, no label */
    TLP_LABEL_READ,   /* *out is set */
    TLP_LABEL_UNCLEAR /* begins with "tlp" and is not understood: "tlp:ex:chr", "tlp:purple" */
};
enum tlp_label tlp_read_label(struct span label, enum tlp *out);

enum tlp tlp_stricter(enum tlp a, enum tlp b);

#endif
