/*
 * json/json_split.h - objects out of a stream of any length, in constant memory.
 *
 * Fed with pieces of a file or of a request's body, it gives the raw text of each object of a STIX
 * bundle ({"type":"bundle",...,"objects":[...]}), a TAXII envelope ({"objects":[...]}), an array of
 * objects, newline-delimited objects, or one object alone; it tells which from the first bytes.  It
 * checks the outer shape (one "objects", no text after the end, braces and quotes) and leaves what
 * is inside an object to json_parse.  A broken object is given as it stands if its end can be
 * found, so that one bad object does not stop the rest.  An object over its limit is skipped and
 * told with its position; the stream goes on.
 *
 * An element that is no object is given too, so that it can be reported.  Lines: when the first
 * object stands on one line, each further line is one object, and a broken one spoils only itself.
 * A byte order mark at the start is passed over.
 */
#ifndef JAGA_JSON_JSON_SPLIT_H
#define JAGA_JSON_JSON_SPLIT_H

#include <stdint.h>
#include "buf.h"
#include "err.h"
#include "span.h"

enum json_split_event {
    JSON_SPLIT_MORE,    /* needs more bytes */
    JSON_SPLIT_OBJECT,  /* text holds one object; valid until the next call */
    JSON_SPLIT_TOO_BIG, /* one object over the limit was passed over */
    JSON_SPLIT_END,     /* complete */
    JSON_SPLIT_FAILED   /* the outer shape is broken: e tells where; what came before stands */
};

enum json_split_kind {
    JSON_SPLIT_UNKNOWN,  /* not told yet */
    JSON_SPLIT_BUNDLE,   /* {"type":"bundle",...} */
    JSON_SPLIT_ENVELOPE, /* {"objects":[...]} that has not said its type, or {} or {"more":...} */
    JSON_SPLIT_ARRAY,
    JSON_SPLIT_ONE,
    JSON_SPLIT_LINES
};

#define JSON_SPLIT_NAME_MAX 256 /* bytes of the outer object's type, id, spec_version */

struct json_split;

/* object_max: bytes of one object. NULL when memory is out. */
struct json_split *json_split_new(size_t object_max);
void json_split_free(struct json_split *s);

/* Gives bytes, at the start and after each JSON_SPLIT_MORE; they must stay valid until
 * json_split_next returns JSON_SPLIT_MORE again. */
void json_split_feed(struct json_split *s, struct span bytes);
void json_split_finish(struct json_split *s); /* no more bytes will come */
/* text and e are set for OBJECT and FAILED alone.  END and FAILED are given again and again. */
enum json_split_event json_split_next(struct json_split *s, struct span *text, struct err *e);
/* Byte position in the stream and number (from 0) of the object given last. */
uint64_t json_split_pos(const struct json_split *s);
uint64_t json_split_index(const struct json_split *s);
/* What the outer object says of itself, once seen: "bundle", or "" (type), its id, and the
 * spec_version that bundles of STIX 2.0 had.  They may stand behind the objects, and are final only
 * at JSON_SPLIT_END.  Of a kind other than bundle and envelope, nothing. */
enum json_split_kind json_split_kind(const struct json_split *s);
struct span json_split_type(const struct json_split *s);
struct span json_split_id(const struct json_split *s);
struct span json_split_spec_version(const struct json_split *s);

#endif
