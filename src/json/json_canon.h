/*
 * json/json_canon.h - a small reader that accepts nothing but canonical JSON (RFC 8785).
 *
 * For the process that believes only bytes: plain C, no allocation, a few hundred lines, and no
 * second way to read a text.  Any white space, any name out of order or twice, any escape or
 * number that RFC 8785 would print differently, any depth over JSON_DEPTH_MAX is refused.  What
 * it accepts equals its own canonical form; a test proves it against json_canonical.
 *
 * It is a pull parser: json_canon_next gives one token after the other; strings come as their raw,
 * still escaped bytes (json_canon_unescape turns them into text).
 */
#ifndef JAGA_JSON_JSON_CANON_H
#define JAGA_JSON_JSON_CANON_H

#include "err.h"
#include "json.h"
#include "span.h"

enum json_token {
    JSON_T_FAILED = -1,
    JSON_T_END, /* the value is complete and nothing follows */
    JSON_T_NULL,
    JSON_T_TRUE,
    JSON_T_FALSE,
    JSON_T_NUMBER,
    JSON_T_STRING,
    JSON_T_BEGIN_ARRAY,
    JSON_T_END_ARRAY,
    JSON_T_BEGIN_OBJECT,
    JSON_T_END_OBJECT
};

struct json_canon {
    struct span in;
    size_t pos;
    unsigned depth;  /* arrays and objects around the token just given: 0 for the whole
                      * value, 1 for the members of a top object and for its members'
                      * own BEGIN and END tokens, ... */
    unsigned open;   /* the same, with the one that the token just given has begun */
    struct span key; /* raw name of the token just given, when its holder is an object */
    struct span raw; /* raw bytes: a string without its quotes, a number */
    bool escaped;    /* raw holds a backslash */
    uint64_t object; /* bit d: container d is an object */
    struct span last[JSON_DEPTH_MAX]; /* last name in each open object */
    int state;                        /* what may come next: json_canon.c's own */
    struct err *e;
};

/* text and e must outlive c; e may be NULL. */
void json_canon_init(struct json_canon *c, struct span text, struct err *e);
/* END and FAILED are given again and again.  Nothing of a text may be believed before END: until
 * then it may still turn out not to be canonical. */
enum json_token json_canon_next(struct json_canon *c);
/* After a BEGIN token: reads to its END token, checking all; after another: nothing.  -1: failed.
 */
int json_canon_skip(struct json_canon *c);
/* Text of a raw string, as json_canon_next gave it, into out (never longer than raw).  Returns its
 * length. */
size_t json_canon_unescape(struct span raw, char *out);
/* Whether a raw string's text equals a plain one. */
bool json_canon_is(struct span raw, const char *text);
/* 0: the whole text is canonical. */
int json_canon_check(struct span text, struct err *e);

#endif
