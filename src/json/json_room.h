/* json/json_room.h - what the files of this room share, and nobody else sees a use for. */
#ifndef JAGA_JSON_JSON_ROOM_H
#define JAGA_JSON_JSON_ROOM_H

#include <stddef.h>
#include "span.h"

enum number_result {
    NUMBER_OK,
    NUMBER_SYNTAX,
    NUMBER_TOO_LARGE, /* beyond a double */
    NUMBER_INEXACT    /* an integer beyond 2^53-1 that RFC 8785 prints differently */
};

/* The whole of s as a number.  *out is set for NUMBER_OK and NUMBER_INEXACT. */
enum number_result number_read(struct span s, double *out);

/* The text of a string's raw bytes, which stand between its quotes, into out: never longer than
 * they are.  -1: *why says what is wrong at raw.p[*bad]. */
int text_unescape(struct span raw, char *out, size_t *n, size_t *bad, const char **why);

#endif
