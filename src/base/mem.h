/*
 * base/mem.h - the only calls of malloc in this program, so that a test can make the n-th fail.
 */
#ifndef JAGA_BASE_MEM_H
#define JAGA_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n);                 /* NULL when it fails; n == 0 gives a valid pointer */
void *mem_zero(size_t count, size_t size); /* zeroed; checks count * size */
void *mem_resize(void *p, size_t n);       /* p is untouched when it fails */
void *mem_dup(const void *p, size_t n);
char *mem_strdup(const char *s);
void mem_free(void *p);
void mem_wipe(void *p, size_t n); /* zeroes, and is not optimised away */

/* From now on freed memory, some hundred MiB at most, stays with the process: for one that takes
 * and frees the same again and again, as each commit of an import does. */
void mem_keep(void);

/* Tests: the n-th allocation from now on fails (1 = the next); 0 switches it off.
 * mem_count says how many allocations have been asked for since the last call of mem_fail_at. */
void mem_fail_at(size_t n);
size_t mem_count(void);

#endif
