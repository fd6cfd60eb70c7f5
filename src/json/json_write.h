/*
 * json/json_write.h - JSON out, for answers that this program makes itself.
 *
 * Commas and nesting are kept here, so that a caller cannot get them wrong: an assert stops a test
 * build that closes what it has not opened.  Members appear in the order in which they are put.
 * Bytes of objects that are stored are put with json_raw: they are never printed anew.
 */
#ifndef JAGA_JSON_JSON_WRITE_H
#define JAGA_JSON_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "json.h"
#include "span.h"

struct json_out {
    struct buf *b;
    unsigned depth;
    uint64_t some;   /* bit d: something has been put at depth d */
    uint64_t object; /* bit d: depth d is an object */
    bool key;        /* a name has been put and waits for its value */
};

void json_out_init(struct json_out *o, struct buf *b);
void json_begin_object(struct json_out *o);
void json_end_object(struct json_out *o);
void json_begin_array(struct json_out *o);
void json_end_array(struct json_out *o);
void json_name(struct json_out *o, const char *name);
void json_name_span(struct json_out *o, struct span name);
void json_string(struct json_out *o, struct span s); /* bytes that are no UTF-8 become U+FFFD */
void json_str(struct json_out *o, const char *s);
void json_int(struct json_out *o, int64_t v);
void json_uint(struct json_out *o, uint64_t v);
void json_double(struct json_out *o, double v);
void json_bool(struct json_out *o, bool v);
void json_null(struct json_out *o);
void json_raw(struct json_out *o, struct span value); /* one whole JSON value, already checked */

/* name and value in one call */
void json_member(struct json_out *o, const char *name, struct span s);
void json_member_str(struct json_out *o, const char *name, const char *s);
void json_member_int(struct json_out *o, const char *name, int64_t v);
void json_member_bool(struct json_out *o, const char *name, bool v);

#endif
