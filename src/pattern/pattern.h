/*
 * pattern/pattern.h - STIX 2.1 patterns (section 9 of the standard), read into a tree and checked.
 *
 * What can be read without doubt is read, also where a rule is broken: an unquoted
 * hashes.SHA-256, a lone backslash, a keyword in lower case.  Each such fault is a defect with its
 * byte position, rule and clause; what is inside is still found by search.  Only what nobody can
 * read (a missing bracket, an unknown operator) fails.
 *
 * Precedence, from the strongest: parentheses, qualifiers, AND, OR, FOLLOWEDBY; all from left to
 * right (section 9.5.3).
 */
#ifndef JAGA_PATTERN_PATTERN_H
#define JAGA_PATTERN_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "json.h"
#include "span.h"
#include "stix_check.h"

/* Limits; beyond them pattern_read fails with ERR_LIMIT. */
#define PATTERN_TEXT_MAX       (1u << 20) /* bytes; real ones with thousands of hashes stay under it */
#define PATTERN_DEPTH_MAX      64         /* nested parentheses; more than four were never seen */
#define PATTERN_TESTS_MAX      65536      /* comparisons in one pattern */
#define PATTERN_VALUES_MAX     65536      /* constants in one pattern */
#define PATTERN_QUALIFIERS_MAX 8  /* behind one expression; the standard allows one of each type */
#define PATTERN_STEPS_MAX      32 /* steps of one object path; the standard's deepest has 5 */
#define PATTERN_DEFECTS_MAX    32 /* kept; further ones are only counted */
#define PATTERN_REGEX_MAX      4096 /* bytes of one MATCHES; longer: a defect, unchecked */

enum pattern_const_kind {
    PATTERN_STRING,
    PATTERN_INT,
    PATTERN_FLOAT,
    PATTERN_BOOL,
    PATTERN_BINARY, /* b'...' base64 */
    PATTERN_HEX,    /* h'...' */
    PATTERN_TIME    /* t'...' */
};

/* A constant (section 9.2). */
struct pattern_const {
    enum pattern_const_kind kind;
    bool boolean;
    bool broken; /* a timestamp that is none: at means nothing */
    uint32_t pos;
    struct span text; /* string: unescaped; others in normal form, without prefix and quotes */
    int64_t integer;  /* PATTERN_INT; cut to the range of 64 bits where it is beyond */
    double number;    /* PATTERN_INT and PATTERN_FLOAT */
    struct instant at;
};

enum pattern_step_kind {
    PATTERN_NAME,  /* a property or a dictionary's key */
    PATTERN_INDEX, /* [3] */
    PATTERN_ANY    /* [*] */
};

struct pattern_step {
    enum pattern_step_kind kind;
    uint32_t index;
    struct span name; /* without quotes, unescaped */
};

enum pattern_op {
    PATTERN_EQ,
    PATTERN_NE,
    PATTERN_GT,
    PATTERN_LT,
    PATTERN_GE,
    PATTERN_LE,
    PATTERN_IN,
    PATTERN_LIKE,
    PATTERN_MATCHES,
    PATTERN_ISSUBSET,
    PATTERN_ISSUPERSET,
    PATTERN_EXISTS /* no constant */
};

/* One comparison (section 9.6): TYPE:STEPS [NOT] OP CONSTANTS. */
struct pattern_test {
    enum pattern_op op;
    bool negated; /* NOT */
    struct span type;
    const struct pattern_step *steps; /* the first is always a PATTERN_NAME */
    uint32_t step_count;
    uint32_t const_count; /* 1, except for EXISTS (0) and IN (any) */
    const struct pattern_const *consts;
    const struct pattern_test *next; /* the next in the whole pattern, in the order of the text */
};

enum pattern_kind {
    /* between observations */
    PATTERN_FOLLOWEDBY,  /* children, two or more */
    PATTERN_OBS_OR,      /* children, two or more */
    PATTERN_OBS_AND,     /* children, two or more */
    PATTERN_REPEATS,     /* one child, count */
    PATTERN_WITHIN,      /* one child, amount */
    PATTERN_START_STOP,  /* one child, amount (START) and stop */
    PATTERN_OBSERVATION, /* one child: what stands between the brackets */
    /* inside an observation */
    PATTERN_OR,  /* children, two or more */
    PATTERN_AND, /* children, two or more */
    PATTERN_TEST /* test */
};

/* Chains of one operator are one node with many children; parentheses leave no node. */
struct pattern_node {
    enum pattern_kind kind;
    uint32_t pos; /* byte position in the text */
    const struct pattern_node *child;
    const struct pattern_node *next; /* sibling */
    const struct pattern_test *test;
    const struct pattern_const *amount; /* REPEATS: an int; WITHIN: int or float; START: a time */
    const struct pattern_const *stop;   /* STOP: a time */
};

struct pattern_defect {
    enum stix_severity severity;
    uint32_t pos;       /* byte position in the pattern */
    const char *rule;   /* short and stable, all begin with "pattern-" */
    const char *clause; /* "STIX 2.1 section 9.7" */
    const char *text;   /* one constant sentence */
};

struct pattern {
    const struct pattern_node *root;
    const struct pattern_test *tests; /* all of them, as a list */
    const struct pattern_defect *defects;
    uint32_t test_count;
    uint32_t defect_count;  /* kept */
    uint32_t defects_found; /* all */
};

/* Reads and checks one pattern.  All lives in a; text may go away.  -1: not readable (ERR_SYNTAX,
 * ERR_ENCODING), a limit (ERR_LIMIT; arena_full(a) tells whether it was the arena's ceiling) or out
 * of memory, with the byte position in e->pos. */
int pattern_read(struct span text, struct arena *a, const struct pattern **out, struct err *e);

/* The pattern in normal form: one space, quotes where needed, as few parentheses as precedence
 * allows.  Reading it gives an equal tree, and none of the faults of spelling (it may be longer
 * than the text was, and so than PATTERN_TEXT_MAX). */
void pattern_print(const struct pattern *p, struct buf *out);
void pattern_path_print(const struct pattern_test *t, struct buf *out); /* file:hashes.'SHA-256' */
bool pattern_equal(const struct pattern *a, const struct pattern *b);

/* For an indicator: where pattern_type is "stix", reads "pattern" and adds what it finds to the
 * report (an unreadable one as rule "pattern-syntax"; severity STIX_MUST); START and STOP are
 * compared with valid_from and valid_until.  *out is the tree, or NULL where there is none.
 * -1 only when out of memory or at the arena's ceiling. */
int pattern_check(const struct json *indicator, struct arena *a, struct stix_report *report,
                  const struct pattern **out, struct err *e);

#endif
