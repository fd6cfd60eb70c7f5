/*
 * json/json.h - JSON text (RFC 8259, restricted to I-JSON, RFC 7493) read into a const tree.
 *
 * The reader is simdjson behind this header.  What it refuses, with position and JSON pointer:
 * anything that is not one JSON value and white space; duplicate names; bad UTF-8; lone surrogates;
 * depth over JSON_DEPTH_MAX; integers beyond 2^53-1 unless written exactly as RFC 8785 prints that
 * double; numbers beyond a double.  No half-read tree is ever handed out.
 */
#ifndef JAGA_JSON_JSON_H
#define JAGA_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "span.h"

#define JSON_DEPTH_MAX 64          /* nested arrays and objects; real STIX stays under 12 */
#define JSON_TEXT_MAX  (16u << 20) /* bytes of one object; ATT&CK's largest is 1.3 MB */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_type type;
    uint32_t count; /* elements or members */
    uint32_t pos;   /* byte position of the value in the input */
    bool boolean;
    double number;            /* JSON_NUMBER */
    struct span key;          /* the name, unescaped, when this is a member of an object */
    struct span text;         /* JSON_STRING: unescaped UTF-8; JSON_NUMBER: as written */
    const struct json *child; /* first element or member; members in the order of RFC 8785 */
    const struct json *next;  /* next sibling */
    const struct json *up;    /* the array or object that holds this, NULL at the root */
};

struct json_parser;

/* Holds simdjson's buffers; use one for many documents. */
struct json_parser *json_parser_new(void);
void json_parser_free(struct json_parser *p);

/* Reads one document.  The tree and its spans live in a; text may go away afterwards.  Returns
 * NULL on failure, with e->place a JSON pointer where one is known. */
const struct json *json_parse(struct json_parser *p, struct span text, struct arena *a,
                              struct err *e);

/* The member of that name, or NULL (also when o is NULL or no object). */
const struct json *json_get(const struct json *o, const char *name);
const struct json *json_get_span(const struct json *o, struct span name);
/* Its text when it is a string; else {NULL, 0}. */
struct span json_text(const struct json *o, const char *name);
bool json_is_int(const struct json *v, int64_t *out); /* a number without fraction, within 2^53-1 */

/* RFC 6901 pointer of v from its root, cut at n - 1 bytes on a whole character; "" for the root. */
void json_pointer(const struct json *v, char *out, size_t n);

/* RFC 8785: the canonical form of a tree. */
void json_canonical(const struct json *v, struct buf *out);

/* A double as ECMAScript prints it (RFC 8785 section 3.2.2.3); finite only.  Returns the length. */
#define JSON_NUMBER_MAX 32
size_t json_number_print(double v, char out[JSON_NUMBER_MAX]);
/* The whole of s as a JSON number, correctly rounded; false: no number, or beyond a double. */
bool json_number_read(struct span s, double *out);

/* A string in quotes, escaped as RFC 8785 section 3.2.2.2 has it; s must be valid UTF-8. */
void json_put_string(struct buf *out, struct span s);

#endif
