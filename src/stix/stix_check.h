/*
 * stix/stix_check.h - STIX 2.1 rules checked over a parsed tree, each fault with place and clause.
 *
 * Three classes.  What cannot be kept at all is refused by stix_head_read.  A broken must-rule is
 * a defect that the object keeps; a broken should-rule is a warning.  Which of them a way in
 * tolerates is decided by the caller.  Patterns inside indicators are not looked into here.
 */
#ifndef JAGA_STIX_STIX_CHECK_H
#define JAGA_STIX_STIX_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include "arena.h"
#include "err.h"
#include "json.h"

enum stix_severity {
    STIX_INFO,   /* a value outside an open vocabulary, a deprecated property */
    STIX_SHOULD, /* a should-rule is broken */
    STIX_MUST,   /* a must-rule is broken */
    STIX_REFUSE  /* not to be kept at all */
};
#define STIX_SEVERITIES 4

const char *stix_severity_name(enum stix_severity s); /* "info", "should", "must", "refuse" */

struct stix_defect {
    enum stix_severity severity;
    const char *rule;    /* short, stable, for search and statistics: "required", "time-order" */
    const char *clause;  /* "STIX 2.1 section 4.7" */
    const char *pointer; /* RFC 6901, from the object; "" is the object itself */
    const char *text;    /* one sentence for people; valid UTF-8 */
    const struct stix_defect *next;
};

/* Defects kept for one object; further ones are only counted.  A broken feed repeats one fault a
 * thousand times, and 100 lines tell its operator all there is to know. */
#define STIX_DEFECTS_MAX 100

struct stix_report {
    const struct stix_defect *first; /* in the order found */
    struct stix_defect *last;
    size_t kept;
    size_t count[STIX_SEVERITIES]; /* all that were found, also those not kept */
};

struct stix_check_options {
    bool info; /* report STIX_INFO too */
};

struct stix_head;

/* Checks an object whose head has been read.  Takes memory from a only when there is a defect.
 * opt may be NULL.  0, or -1 when memory or the arena's ceiling is reached. */
int stix_check(const struct json *o, const struct stix_head *head,
               const struct stix_check_options *opt, struct arena *a, struct stix_report *out,
               struct err *e);

/* For those that add their own findings (patterns, references) to a report. */
int stix_report_add(struct stix_report *r, struct arena *a, struct stix_defect d, struct err *e);

#endif
