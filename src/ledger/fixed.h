/*
 * ledger/fixed.h - reading a body of a fixed shape in canonical JSON (RFC 8785).
 *
 * Private to this room.  Every member is there, in the one order that canonical form allows, so a
 * reader is a straight list of what comes next, and what it accepts is what a printer of the same
 * list would print.  Errors are sticky: after the first every call does nothing, and fixed_finish
 * says so.  Names are NULL within a list.
 */
#ifndef JAGA_LEDGER_FIXED_H
#define JAGA_LEDGER_FIXED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "err.h"
#include "json_canon.h"
#include "json_write.h"
#include "sign.h"
#include "span.h"
#include "uuid.h"

struct fixed {
    struct json_canon c;
    struct arena *a;
    struct err *e;
    bool failed;
};

void fixed_init(struct fixed *f, struct span body, size_t max, struct arena *a, struct err *e);
int fixed_fail(struct fixed *f, enum err_code code, const char *text); /* -1 */
int fixed_finish(struct fixed *f); /* 0: all was there, and nothing else */

void fixed_begin(struct fixed *f, const char *name);
void fixed_end(struct fixed *f);
void fixed_list(struct fixed *f, const char *name);
bool fixed_object(struct fixed *f); /* the next of a list, begun; false at its end */
/* The next of a list of texts; the same limits as fixed_text. */
bool fixed_item(struct fixed *f, size_t max, struct span *out);

/* Text of min to max bytes, without control characters (lines: line feeds are allowed). */
struct span fixed_text(struct fixed *f, const char *name, size_t min, size_t max);
struct span fixed_lines(struct fixed *f, const char *name, size_t max);
uint64_t fixed_number(struct fixed *f, const char *name, uint64_t min, uint64_t max);
bool fixed_bool(struct fixed *f, const char *name);
void fixed_hex(struct fixed *f, const char *name, void *out, size_t n); /* lower case */
void fixed_base64(struct fixed *f, const char *name, void *out, size_t n);
void fixed_identity(struct fixed *f, const char *name, struct uuid *out);

/* Room in the arena for one more behind n of a growing array; NULL: failed, or n is max. */
void *fixed_grow(struct fixed *f, void *old, size_t n, size_t size, size_t max);

/* ---- the same for printing ---- */

bool fixed_text_ok(struct span s, size_t min, size_t max, bool lines);
void fixed_put_hex(struct json_out *o, const char *name, const void *p, size_t n);
void fixed_put_base64(struct json_out *o, const char *name, const void *p, size_t n);
void fixed_put_identity(struct json_out *o, const char *name, const struct uuid *id);

#endif
