/*
 * stix/stix_select.h - selectors of granular markings and of language-content.
 *
 * STIX 2.1 section 7.2.3.1: property names and list indexes ("[0]"), joined by dots.
 */
#ifndef JAGA_STIX_STIX_SELECT_H
#define JAGA_STIX_STIX_SELECT_H

#include <stdbool.h>
#include "json.h"
#include "span.h"

/* Whether s has the syntax of a selector. */
bool stix_selector_ok(struct span s);

/* The node that it selects in o, or NULL: nothing there, or no selector. */
const struct json *stix_select(const struct json *o, struct span selector);

#endif
