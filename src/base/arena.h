/*
 * base/arena.h - memory that is taken piece by piece and given back at once.
 *
 * One arena for each request, page or file.  It has a ceiling, so a hostile document ends in
 * "too large" and not in the machine's last page.  A pointer from an arena is never stored in
 * anything that lives longer.
 */
#ifndef JAGA_BASE_ARENA_H
#define JAGA_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include "span.h"

struct arena;

/* An arena of at most ceiling bytes; NULL when memory is out.  The caller frees it. */
struct arena *arena_new(size_t ceiling);
void arena_free(struct arena *a);

/* n bytes, aligned to 16; NULL when the ceiling or the memory is reached (arena_full tells which:
 * true for the ceiling). */
void *arena_alloc(struct arena *a, size_t n);
void *arena_zero(struct arena *a, size_t count, size_t size);
char *arena_dup(struct arena *a, struct span s);        /* a copy with a NUL behind it */
struct span arena_span(struct arena *a, struct span s); /* a copy; {NULL,0} on failure or empty */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool arena_full(const struct arena *a);
size_t arena_used(const struct arena *a);

/* Forgets everything; keeps the first chunk, so a loop over small requests allocates nothing. */
void arena_reset(struct arena *a);

/* A place to come back to: all taken after the mark is forgotten by arena_rewind. */
struct arena_mark {
    void *chunk;
    size_t used;
    size_t total;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);

#endif
