/* tests/store/world.h - a store in a folder of its own, and short forms of its calls. */
#ifndef JAGA_TESTS_STORE_WORLD_H
#define JAGA_TESTS_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto.h"
#include "mem.h"
#include "store.h"
#include "store_batch.h"
#include "store_check.h"
#include "store_find.h"
#include "store_impl.h"
#include "store_page.h"
#include "store_put.h"
#include "store_rights.h"
#include "trigram.h"
#include "view.h"

#define START_US INT64_C(1800000000000000)

struct world {
    char folder[PATH_MAX / 2];
    char path[PATH_MAX - 64];
    struct clock clock;
    struct store_options o;
    struct store *s;
    struct arena *a;
    uint64_t seed;
    unsigned gen_shift; /* small generations, so that there are enough of them to merge */
};

static inline void
say(const char *what, const struct err *e)
{
    char line[400];

    err_line(e, line, sizeof line);
    fail_msg("%s: %s (%s)", what, line, err_name(e->code));
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct err e = ERR_INIT;                                                                   \
        if ((call) < 0)                                                                            \
            say(#call, &e);                                                                        \
    } while (0)

/* splitmix64: the test's own numbers, so that a seed gives the same history again. */
static inline uint64_t
rnd(struct world *w)
{
    uint64_t z = (w->seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline unsigned
below(struct world *w, unsigned n)
{
    return (unsigned)(rnd(w) % n);
}

/* An object of these tests: three numbers say all of it. */
struct sample {
    unsigned ident, variant;
    long long modified; /* seconds; 0: none */
};

static inline void
sample_print(const struct sample *x, char out[200])
{
    static const char *const words[] = {"alpha beacon", "gamma beacon", "gamma \u0e1e\u0e31\u0e2a"};

    snprintf(out, 200, "{\"id\":%u,\"modified\":%lld,\"x\":%u,\"text\":\"%s %u\"}", x->ident,
             x->modified, x->variant, words[x->variant % 3], x->ident % 50);
}

static inline void
sample_id(unsigned ident, char out[80])
{
    static const char *const types[] = {"indicator", "malware", "ipv4-addr"};

    snprintf(out, 80, "%s--%08x-0000-4000-8000-000000000000", types[ident % 3], ident);
}

static inline struct span __attribute__((format(printf, 2, 3)))
sample_span(struct arena *a, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return arena_span(a, span_from(text, (size_t)n));
}

/* What a sample is found by, made from its bytes alone. */
static inline int
sample_index(void *ctx, struct span bytes, struct arena *a, struct store_index *out, struct err *e)
{
    struct span *texts = arena_zero(a, 1, sizeof *texts);
    struct span *labels = arena_zero(a, 2, sizeof *labels);
    struct span *values = arena_zero(a, 2, sizeof *values);
    struct store_edge *edges = arena_zero(a, 1, sizeof *edges);
    struct sample x;
    char id[80], *text = arena_dup(a, bytes);

    (void)ctx;
    if (!texts || !labels || !values || !edges || !text)
        return err_set(e, ERR_MEMORY, "no memory");
    if (sscanf(text, "{\"id\":%u,\"modified\":%lld,\"x\":%u,", &x.ident, &x.modified, &x.variant) !=
        3)
        return err_set(e, ERR_SYNTAX, "no sample");
    texts[0] = bytes;
    labels[0] = sample_span(a, "label %u", x.variant);
    labels[1] = sample_span(a, "all");
    values[0] = sample_span(a, "\005example.%u.", x.ident % 7); /* a domain */
    values[1] = x.ident % 5 ? sample_span(a, "\001%c\100\002%c", 'a' + x.ident % 20, 'a')
                            : sample_span(a, "\002\010%c", 'a' + x.ident % 20); /* a network */
    sample_id((x.ident + 1) % 24, id);
    edges[0] = (struct store_edge){1 + x.variant, sample_span(a, "%s", id)};
    *out = (struct store_index){.texts = texts,
                                .text_count = 1,
                                .labels = labels,
                                .label_count = 2,
                                .values = values,
                                .value_count = 2,
                                .edges = edges,
                                .edge_count = 1,
                                .creator = sample_span(a, "identity--%u", x.ident % 3)};
    if (x.modified)
        out->version = sample_span(a, "%lld", x.modified);
    return 0;
}

static inline void
world_tune(struct world *w)
{
    w->s->gen_shift = w->gen_shift;
    w->s->keep_plain = 17;
}

/* Background work, as much as the test's numbers say. */
static inline void
tidy(struct world *w, unsigned steps)
{
    bool more = true;

    while (steps-- > 0 && more)
        MUST(store_tidy(w->s, &more, &e));
}

static inline int
world_make(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    const char *tmp = getenv("TMPDIR"), *seed = getenv("JAGA_SEED");
    struct err e = ERR_INIT;

    snprintf(w->folder, sizeof w->folder, "%s/jaga-store-XXXXXX", tmp ? tmp : "/tmp");
    if (crypto_start(&e) < 0 || !mkdtemp(w->folder))
        return -1;
    snprintf(w->path, sizeof w->path, "%s/test.db", w->folder);
    w->clock.wall_us = START_US;
    w->gen_shift = 4;
    w->o = (struct store_options){.mode = DB_WRITE, .clock = &w->clock, .index = sample_index};
    random_bytes(&w->seed, sizeof w->seed);
    if (seed)
        w->seed = strtoull(seed, NULL, 0);
    print_message("# JAGA_SEED=%" PRIu64 "\n", w->seed);
    if (store_open(w->path, &w->o, &w->s, &e) < 0)
        say("store_open", &e);
    world_tune(w);
    w->a = arena_new(1u << 30);
    *state = w;
    return 0;
}

static inline int
world_remove(void **state)
{
    struct world *w = *state;
    DIR *d = getenv("JAGA_KEEP") ? NULL : opendir(w->folder);
    struct dirent *f;
    char path[PATH_MAX];

    store_close(w->s);
    arena_free(w->a);
    while (d && (f = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", w->folder, f->d_name);
        if (f->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(w->folder);
    free(w);
    return 0;
}

static inline void
reopen(struct world *w)
{
    store_close(w->s);
    w->s = NULL;
    MUST(store_open(w->path, &w->o, &w->s, &e));
    world_tune(w);
}

static inline int
print_problem(void *ctx, const char *what, const char *place)
{
    (void)ctx;
    print_message("# problem: %s at %s\n", what, place);
    return 0;
}

/* Everything that can be computed anew is as it should be. */
static inline struct store_check_counts
verify(struct world *w)
{
    struct store_check_counts c = {0};

    MUST(store_check(w->s, print_problem, NULL, NULL, &c, &e));
    assert_int_equal(c.problems, 0);
    return c;
}

static inline uint32_t
audience_make(struct world *w, enum tlp label, uint32_t group, bool exercise)
{
    struct audience a = {.label = label, .group = group, .generation = group, .exercise = exercise};

    MUST(store_audience_find(w->s, &a, true, &e));
    return a.number;
}

#endif
