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
#include "store_page.h"
#include "store_put.h"
#include "store_rights.h"
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

/* What an object of these tests is found by: its text is all of it. */
static inline int
index_bytes(void *ctx, struct span bytes, struct arena *a, struct store_index *out, struct err *e)
{
    struct span *text = arena_dup(a, bytes) ? arena_alloc(a, sizeof *text) : NULL;

    (void)ctx;
    if (!text)
        return err_set(e, ERR_MEMORY, "no memory");
    *text = bytes;
    *out = (struct store_index){.texts = text, .text_count = 1};
    return 0;
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
    w->o = (struct store_options){.mode = DB_WRITE, .clock = &w->clock, .index = index_bytes};
    random_bytes(&w->seed, sizeof w->seed);
    if (seed)
        w->seed = strtoull(seed, NULL, 0);
    print_message("# JAGA_SEED=%" PRIu64 "\n", w->seed);
    if (store_open(w->path, &w->o, &w->s, &e) < 0)
        say("store_open", &e);
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
}

static inline uint32_t
audience_make(struct world *w, enum tlp label, uint32_t group, bool exercise)
{
    struct audience a = {.label = label, .group = group, .generation = group, .exercise = exercise};

    MUST(store_audience_find(w->s, &a, true, &e));
    return a.number;
}

#endif
