/*
 * intake/intake_stream.h - a file or a request's body of any length becomes checked objects.
 *
 * Pieces go in, results come out one by one, in the order of the file.  Memory does not grow with
 * the file: one object at a time, and a window of hashes that finds duplicates.
 */
#ifndef JAGA_INTAKE_INTAKE_STREAM_H
#define JAGA_INTAKE_INTAKE_STREAM_H

#include <stdbool.h>
#include "err.h"
#include "intake.h"
#include "span.h"

/* An object is called a duplicate where the same bytes stood among at least this many distinct ones
 * before it (some 20 MB of memory when full).  Farther apart the store finds them known. */
#define INTAKE_WINDOW 131072

struct intake_stream;

struct intake_stream *intake_stream_new(enum intake_profile profile);
void intake_stream_free(struct intake_stream *s);

/* Gives bytes; they must stay valid until intake_stream_next returns INTAKE_MORE. */
void intake_stream_feed(struct intake_stream *s, struct span bytes);
void intake_stream_finish(struct intake_stream *s); /* no more bytes will come */

enum intake_event {
    INTAKE_MORE,   /* needs more bytes */
    INTAKE_OBJECT, /* *out is one object, refused ones too; valid until the next call */
    INTAKE_END,    /* complete; *out is what can be said of the wrapping bundle: its id, type and
                    * defects (class INTAKE_OK or INTAKE_DEFECT), no bytes */
    INTAKE_BROKEN, /* the outer shape is broken at out->pos, and *out (INTAKE_REFUSED) says how;
                    * what came before stands, nothing comes after */
    INTAKE_FAILED  /* out of memory: e is set; nothing comes after */
};

enum intake_event intake_stream_next(struct intake_stream *s, struct intake_result *out,
                                     struct err *e);

/* Whether the objects stand in a bundle or an envelope; else it is an array, lines, or one object
 * alone.  Known once something has been given. */
bool intake_stream_wrapped(const struct intake_stream *s);

/* How many objects were given so far, by class (index enum intake_class), and duplicates. */
struct intake_counts {
    uint64_t class[INTAKE_REFUSED + 1];
    uint64_t duplicates;
};
struct intake_counts intake_stream_counts(const struct intake_stream *s);

#endif
