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

/* The same with a budget of members and elements to pass over, which a list of a million and a
 * hundred thousand selectors into its end would else multiply.  *steps is counted down; when it
 * does not suffice it becomes 0 and NULL is returned. */
const struct json *stix_select_within(const struct json *o, struct span selector, size_t *steps);

#endif
