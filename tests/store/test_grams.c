/* Postings of a text segment: gathered, handed out as chunks, read back; against a plain table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "mem.h"
#include "store_grams.h"

#define GRAMS 3000
#define ROWS  2000

static uint64_t seed;

static uint32_t
random_u32(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32);
}

struct table {
    uint32_t gram[GRAMS]; /* ascending */
    uint8_t has[GRAMS][(ROWS + 7) / 8];
    unsigned rows;
    size_t at, chunks;
};

static bool
bit(const uint8_t *bits, unsigned i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Trigrams of every frequency: in all rows, in most, in a few, in one, in none. */
static void
make(struct table *t, unsigned rows)
{
    memset(t, 0, sizeof *t);
    t->rows = rows;
    /* Half of them from ASCII's letters, digits and space; of the others some lie between these. */
    for (size_t i = 0; i < GRAMS; i++) {
        static const char letters[] = " 0123456789abcdefghijklmnopqrstuvwxyz";
        const uint32_t rank = (uint32_t)i / 2 * 33 + random_u32() % 33;

        if (i % 2 == 0)
            t->gram[i] = (uint32_t)letters[rank / 1369] << 14 |
                         (uint32_t)letters[rank / 37 % 37] << 7 | (uint32_t)letters[rank % 37];
        else if (i < GRAMS / 10)
            t->gram[i] = (uint32_t)(i % 128) << 14 | (uint32_t)(i / 128 + '[') << 7 | 'X';
        else
            t->gram[i] = (uint32_t)i * 1400000u + random_u32() % 1000000u;
    }
    qsort(t->gram, GRAMS, sizeof t->gram[0], by_number);
    for (size_t i = 0; i < GRAMS; i++) {
        const uint32_t every = 1u << random_u32() % 13;

        for (unsigned r = 0; r < rows; r++)
            if (i % 500 == 0 || random_u32() % every == 0)
                t->has[i][r >> 3] |= (uint8_t)(1u << (r & 7));
    }
}

static int
check_chunk(void *ctx, uint32_t base, struct span data, struct err *e)
{
    struct table *t = ctx;
    struct chunk_read c = chunk_begin(data, base, t->rows);
    uint8_t may[8192];

    (void)e;
    assert_true(data.n <= CHUNK_BYTES + 8192);
    while (chunk_next(&c)) {
        while (t->at < GRAMS && chunk_count(t->has[t->at], t->rows) == 0)
            t->at++;
        assert_true(t->at < GRAMS);
        assert_int_equal(c.gram, t->gram[t->at]);
        assert_int_equal(c.count, chunk_count(t->has[t->at], t->rows));
        chunk_rows(&c, may);
        assert_memory_equal(may, t->has[t->at], (t->rows + 7) / 8);
        t->at++;
    }
    assert_false(c.failed);
    t->chunks++;
    return 0;
}

static int
fill(struct gather *g, const struct table *t, struct err *e)
{
    uint32_t list[GRAMS];

    for (unsigned r = 0; r < t->rows; r++) {
        size_t n = 0;

        for (size_t i = 0; i < GRAMS; i++)
            if (bit(t->has[i], r))
                list[n++] = t->gram[i];
        if (gather_add(g, r, list, n, e) < 0)
            return -1;
    }
    return 0;
}

static void
test_as_a_table(void **state)
{
    static const unsigned sizes[] = {1, 2, 7, 8, 9, 300, ROWS};
    static struct table t;
    struct gather *g = gather_new();
    struct err e = ERR_INIT;

    (void)state;
    assert_non_null(g);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        make(&t, sizes[i]);
        assert_int_equal(fill(g, &t, &e), 0);
        assert_true(gather_bytes(g) > 0);
        assert_int_equal(gather_finish(g, t.rows, check_chunk, &t, &e), 0);
        while (t.at < GRAMS && chunk_count(t.has[t.at], t.rows) == 0)
            t.at++;
        assert_int_equal(t.at, GRAMS);
        assert_true(t.chunks > 0);
        assert_int_equal(gather_bytes(g), 0);
    }
    /* Nothing gathered: nothing handed out. */
    t.chunks = 0;
    assert_int_equal(gather_finish(g, 5, check_chunk, &t, &e), 0);
    assert_int_equal(t.chunks, 0);
    gather_free(g);
    gather_free(NULL);
}

static void
test_no_memory(void **state)
{
    static struct table t;

    (void)state;
    make(&t, 40);
    for (uint64_t n = 1;; n++) {
        struct err e = ERR_INIT;
        struct gather *g;
        int rc = -1;

        mem_fail_at(n);
        g = gather_new();
        if (g) {
            rc = fill(g, &t, &e);
            if (rc == 0)
                rc = gather_finish(g, t.rows, check_chunk, &t, &e);
            gather_free(g);
        }
        mem_fail_at(0);
        t.at = 0;
        if (rc == 0)
            break;
        assert_true(!g || e.code == ERR_MEMORY);
        assert_true(n < 10000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_a_table),
                                       cmocka_unit_test(test_no_memory)};
    const char *given = getenv("JAGA_SEED");

    seed = given ? strtoull(given, NULL, 10) : 88172645463325252u;
    printf("# JAGA_SEED=%llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
