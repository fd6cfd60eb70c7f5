/* tests/base/check.h - cmocka with the includes it asks for, and a seed that can be given back. */
#ifndef JAGA_TESTS_CHECK_H
#define JAGA_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/* xorshift64*: the same numbers everywhere for one seed. */
struct check_random {
    uint64_t state;
};

static inline uint64_t
check_next(struct check_random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1du;
}

/* JAGA_SEED, or the clock; printed, so that a failure can be had again. */
static inline struct check_random
check_seed(const char *what)
{
    const char *given = getenv("JAGA_SEED");
    struct timespec t;
    uint64_t seed;

    clock_gettime(CLOCK_REALTIME, &t);
    seed = given != NULL ? strtoull(given, NULL, 10)
                         : (uint64_t)t.tv_sec * 1000000007u + (uint64_t)t.tv_nsec;
    if (seed == 0)
        seed = 1;
    fprintf(stderr, "# %s: JAGA_SEED=%llu\n", what, (unsigned long long)seed);
    return (struct check_random){seed};
}

/* The path of a piece of the real data that tests may use, if it is at hand: under JAGA_DATA, else
 * beside the source tree (whose place the build gives in JAGA_SOURCE_ROOT).  false: skip the test.
 */
static inline bool
check_data(const char *name, char *path, size_t n)
{
    const char *data = getenv("JAGA_DATA");
    const char *root = getenv("JAGA_SOURCE_ROOT");

    if (data != NULL)
        snprintf(path, n, "%s/%s", data, name);
    else
        snprintf(path, n, "%s/../shared/data/%s", root != NULL ? root : ".", name);
    return access(path, R_OK) == 0;
}

#endif
