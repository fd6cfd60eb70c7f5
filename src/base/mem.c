#include "mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEEP_BYTES (128 << 20)
#define KEEP_PIECE (4 << 20) /* larger ones go back at once */
#define KEEP_FIRST (1 << 20) /* more than is free at a start */
#define LARGE_PAGE (2 << 20)

/* The one piece of state here, for tests: how many allocations were asked for, and at which count
 * one has to fail.  The count starts at 1, so fail_at == 0 never matches: one increment and one
 * comparison is all that it costs when it is off. */
static size_t asked;
static size_t fail_at;

static int
must_fail(void)
{
    return ++asked == fail_at;
}

void *
mem_alloc(size_t n)
{
    if (must_fail())
        return NULL;
    return malloc(n != 0 ? n : 1);
}

void *
mem_zero(size_t count, size_t size)
{
    size_t n;

    if (must_fail() || __builtin_mul_overflow(count, size, &n))
        return NULL;
    return calloc(1, n != 0 ? n : 1);
}

void *
mem_resize(void *p, size_t n)
{
    if (must_fail())
        return NULL;
    return realloc(p, n != 0 ? n : 1);
}

void *
mem_dup(const void *p, size_t n)
{
    void *q = mem_alloc(n);

    if (q != NULL && n != 0)
        memcpy(q, p, n);
    return q;
}

char *
mem_strdup(const char *s)
{
    return mem_dup(s, strlen(s) + 1);
}

void
mem_free(void *p)
{
    free(p);
}

void
mem_wipe(void *p, size_t n)
{
    if (n != 0)
        explicit_bzero(p, n);
}

void
mem_fail_at(size_t n)
{
    asked = 0;
    fail_at = n;
}

size_t
mem_count(void)
{
    return asked;
}

void
mem_keep(void)
{
#if defined(M_TRIM_THRESHOLD) && defined(MADV_HUGEPAGE)
    uintptr_t from, to;
    void *p;

    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, KEEP_PIECE);
    /* The heap to come at one stretch, in large pages: a fault for each 4 KiB of it took a fifth
     * of the time of an import that ends soon. */
    (void)mallopt(M_TOP_PAD, KEEP_BYTES);
    p = malloc(KEEP_FIRST);
    from = ((uintptr_t)p + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    to = (uintptr_t)sbrk(0);
    if (p != NULL && from < to && to - from <= KEEP_BYTES + KEEP_PIECE)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE); /* without it all goes on slower */
    free(p);
    (void)mallopt(M_TOP_PAD, KEEP_PIECE);
#endif
}
