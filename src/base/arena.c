#include "arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ALIGN       16u
#define CHUNK_FIRST (16u << 10) /* bytes: a small request fits, an idle one costs little */
#define CHUNK_LAST  (1u << 20)  /* bytes: beyond this, larger chunks save nothing more */

/*
 * Chunks form a stack, newest on top.  Small requests are cut from one of them, the current chunk.
 * A large request gets a chunk of its own on top of the stack while the current chunk stays in
 * use; each chunk therefore remembers which one was current from its coming on.  So a mark is the
 * top of the stack and the fill of the chunk that is current there.
 */
struct chunk {
    struct chunk *below;
    struct chunk *current; /* itself, unless it was made for one large request */
    size_t size;
    size_t used;
    _Alignas(ALIGN) char data[];
};

struct arena {
    struct chunk *top;
    size_t ceiling;
    size_t held; /* bytes in all chunks; never over ceiling */
    size_t used; /* bytes handed out, rounded up */
    size_t grow; /* size of the next chunk for small requests */
    bool full;
};

struct arena *
arena_new(size_t ceiling)
{
    struct arena *a = mem_zero(1, sizeof *a);

    if (a != NULL) {
        a->ceiling = ceiling;
        a->grow = CHUNK_FIRST;
    }
    return a;
}

static void
pop(struct arena *a)
{
    struct chunk *c = a->top;

    a->top = c->below;
    a->held -= c->size;
    UNPOISON(c->data, c->size);
    mem_free(c);
}

void
arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    while (a->top != NULL)
        pop(a);
    mem_free(a);
}

static struct chunk *
push(struct arena *a, size_t n, bool own)
{
    size_t left = a->ceiling - a->held;
    size_t size = own || n > a->grow ? n : a->grow;
    struct chunk *c;

    if (n > left) {
        a->full = true;
        return NULL;
    }
    if (size > left)
        size = left / ALIGN * ALIGN; /* still >= n, which is a multiple of ALIGN */
    if (size > SIZE_MAX - sizeof *c || (c = mem_alloc(sizeof *c + size)) == NULL) {
        a->full = false;
        return NULL;
    }
    c->below = a->top;
    c->current = own && a->top != NULL ? a->top->current : c;
    c->size = size;
    c->used = 0;
    POISON(c->data, size);
    a->top = c;
    a->held += size;
    if (!own && a->grow < CHUNK_LAST)
        a->grow *= 2;
    return c;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    struct chunk *c = a->top != NULL ? a->top->current : NULL;
    size_t take = n != 0 ? n : 1;
    char *p;

    if (take > SIZE_MAX - (ALIGN - 1)) {
        a->full = true;
        return NULL;
    }
    take = (take + ALIGN - 1) / ALIGN * ALIGN;
    if (c == NULL || take > c->size - c->used) {
        /* A request of a quarter chunk and more would waste too much of the current one. */
        c = push(a, take, take >= a->grow / 4);
        if (c == NULL)
            return NULL;
    }
    p = c->data + c->used;
    c->used += take;
    a->used += take;
    UNPOISON(p, n);
    return p;
}

void *
arena_zero(struct arena *a, size_t count, size_t size)
{
    size_t n;
    void *p;

    if (__builtin_mul_overflow(count, size, &n)) {
        a->full = true;
        return NULL;
    }
    p = arena_alloc(a, n);
    if (p != NULL && n != 0)
        memset(p, 0, n);
    return p;
}

char *
arena_dup(struct arena *a, struct span s)
{
    char *p;

    if (s.n == SIZE_MAX) {
        a->full = true;
        return NULL;
    }
    p = arena_alloc(a, s.n + 1);
    if (p != NULL) {
        if (s.n != 0)
            memcpy(p, s.p, s.n);
        p[s.n] = '\0';
    }
    return p;
}

struct span
arena_span(struct arena *a, struct span s)
{
    char *p;

    if (s.n == 0)
        return (struct span){NULL, 0};
    p = arena_alloc(a, s.n);
    if (p == NULL)
        return (struct span){NULL, 0};
    memcpy(p, s.p, s.n);
    return (struct span){p, s.n};
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    int n;
    char *p;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return NULL;
    p = arena_alloc(a, (size_t)n + 1);
    if (p == NULL)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

bool
arena_full(const struct arena *a)
{
    return a->full;
}

size_t
arena_used(const struct arena *a)
{
    return a->used;
}

static void
empty_to(struct chunk *c, size_t used)
{
    assert(used <= c->used);
    c->used = used;
    POISON(c->data + used, c->size - used);
}

void
arena_reset(struct arena *a)
{
    while (a->top != NULL && a->top->below != NULL)
        pop(a);
    /* A first chunk that was made for one large request may be as large as the ceiling: holding
     * it from one request to the next would make an idle process look like a busy one. */
    if (a->top != NULL && a->top->size > CHUNK_LAST)
        pop(a);
    if (a->top != NULL)
        empty_to(a->top, 0);
    a->used = 0;
    a->full = false;
}

struct arena_mark
arena_mark(const struct arena *a)
{
    return (struct arena_mark){
        .chunk = a->top,
        .used = a->top != NULL ? a->top->current->used : 0,
        .total = a->used,
    };
}

void
arena_rewind(struct arena *a, struct arena_mark m)
{
    if (m.chunk == NULL) {
        arena_reset(a);
        return;
    }
    while (a->top != NULL && a->top != m.chunk)
        pop(a);
    assert(a->top != NULL); /* the mark was of this arena, and not rewound past */
    empty_to(a->top->current, m.used);
    a->used = m.total;
    a->full = false;
}
