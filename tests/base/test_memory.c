/* Allocation, arenas and the hash table. */
#include "check.h"

#include "arena.h"
#include "map.h"
#include "mem.h"

static void
test_mem(void **state)
{
    char *p;
    char *q;

    (void)state;
    mem_fail_at(2);
    p = mem_alloc(0);
    assert_non_null(p);
    assert_null(mem_alloc(1));
    q = mem_zero(3, 4);
    assert_non_null(q);
    assert_memory_equal(q, "\0\0\0\0\0\0\0\0\0\0\0", 12);
    assert_int_equal(mem_count(), 3);
    mem_fail_at(0);
    assert_null(mem_zero(SIZE_MAX / 2, 3));
    p = mem_resize(p, 10);
    memcpy(p, "secret", 7);
    mem_wipe(p, 6);
    assert_memory_equal(p, "\0\0\0\0\0\0", 6);
    mem_free(p);
    mem_free(q);
    mem_free(NULL);
    p = mem_strdup("abc");
    assert_string_equal(p, "abc");
    mem_free(p);
    p = mem_dup(NULL, 0);
    assert_non_null(p);
    mem_free(p);
}

static void
test_arena(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct span s;

    (void)state;
    for (size_t n = 0; n < 5000; n += 7) {
        char *p = arena_alloc(a, n);

        if (p == NULL) {
            assert_true(arena_full(a));
            break;
        }
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, 0x55, n);
    }
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    assert_string_equal(arena_dup(a, SPAN("abc")), "abc");
    s = arena_span(a, SPAN("xyz"));
    assert_true(span_is(s, "xyz"));
    assert_null(arena_span(a, SPAN("")).p);
    assert_string_equal(arena_printf(a, "%d-%s", 7, "seven"), "7-seven");
    assert_memory_equal(arena_zero(a, 2, 3), "\0\0\0\0\0", 6);
    assert_null(arena_zero(a, SIZE_MAX, 2));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, SIZE_MAX - 100));
    assert_true(arena_full(a));
    arena_free(a);
    arena_free(NULL);
}

static void
test_arena_ceiling(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling < 70000; ceiling = ceiling * 3 + 16) {
        struct arena *a = arena_new(ceiling);
        size_t got = 0;

        while (arena_alloc(a, 16) != NULL)
            got += 16;
        assert_true(arena_full(a));
        assert_int_equal(got, ceiling / 16 * 16);
        assert_int_equal(arena_used(a), got);
        arena_free(a);
        a = arena_new(ceiling);
        assert_null(arena_alloc(a, ceiling + 1));
        assert_true(arena_full(a));
        if (ceiling >= 16)
            assert_non_null(arena_alloc(a, ceiling / 16 * 16));
        arena_free(a);
    }
}

static void
test_arena_memory(void **state)
{
    struct arena *a;

    (void)state;
    mem_fail_at(1);
    assert_null(arena_new(100));
    mem_fail_at(2);
    a = arena_new(100000);
    assert_null(arena_alloc(a, 5));
    assert_false(arena_full(a)); /* memory, not the ceiling */
    mem_fail_at(0);
    assert_non_null(arena_alloc(a, 5));
    arena_free(a);
}

/* Random requests, large and small, with marks that are come back to in the order of a stack; what
 * was taken before a mark keeps its bytes. */
static void
test_arena_marks(void **state)
{
    struct check_random r = check_seed("arena marks");
    struct {
        struct arena_mark m;
        unsigned char *p;
        size_t n;
        unsigned char fill;
    } stack[64];
    struct arena *a = arena_new(64 << 20);
    size_t depth = 0;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        uint64_t x = check_next(&r);

        if (depth == 64 || (depth > 0 && x % 3 == 0)) {
            depth--;
            for (size_t i = 0; i < stack[depth].n; i++)
                assert_int_equal(stack[depth].p[i], stack[depth].fill);
            arena_rewind(a, stack[depth].m);
            assert_int_equal(arena_used(a), stack[depth].m.total);
            continue;
        }
        stack[depth].m = arena_mark(a);
        stack[depth].n = (x >> 8) % ((x >> 40) % 8 == 0 ? 100000 : 300);
        stack[depth].fill = (unsigned char)(x >> 50);
        stack[depth].p = arena_alloc(a, stack[depth].n);
        assert_non_null(stack[depth].p);
        memset(stack[depth].p, stack[depth].fill, stack[depth].n);
        depth++;
    }
    arena_free(a);
}

static struct span
key_of(char *out, uint64_t k)
{
    /* Of several lengths, NUL bytes inside. */
    size_t n = 1 + k % 30;

    memset(out, 0, 32);
    memcpy(out, &k, n < 8 ? n : 8);
    return span_from(out, n);
}

static void
test_map_table(void **state)
{
    struct map *m = map_new(3);
    uint64_t v = 0;

    (void)state;
    assert_false(map_get(m, SPAN("a"), &v));
    assert_false(map_del(m, SPAN("a")));
    assert_int_equal(map_put(m, SPAN("a"), 1, NULL), 1);
    assert_int_equal(map_put(m, SPAN(""), 2, NULL), 1);
    assert_int_equal(map_put(m, SPAN("a\0"), 3, NULL), 1);
    assert_int_equal(map_put(m, SPAN("b"), 4, NULL), -1); /* full */
    assert_int_equal(map_put(m, SPAN("a"), 5, &v), 0);
    assert_int_equal(v, 1);
    assert_int_equal(map_count(m), 3);
    assert_true(map_get(m, (struct span){NULL, 0}, &v) && v == 2);
    assert_true(map_del(m, SPAN("a")));
    assert_false(map_get(m, SPAN("a"), NULL));
    assert_true(map_get(m, SPAN("a\0"), &v) && v == 3);
    assert_int_equal(map_put(m, SPAN("b"), 4, NULL), 1);
    map_reset(m);
    assert_int_equal(map_count(m), 0);
    assert_false(map_get(m, SPAN("b"), NULL));
    map_free(m);
    map_free(NULL);
}

/* Against a plain array, with many deletions, so that holes are filled and keys are compacted. */
static void
test_map_random(void **state)
{
    enum { KEYS = 4000 };
    struct check_random r = check_seed("map");
    struct map *m = map_new(KEYS);
    static uint64_t model[KEYS]; /* 0: absent */
    size_t count = 0;
    char text[32];

    (void)state;
    for (int step = 0; step < 300000; step++) {
        uint64_t x = check_next(&r);
        size_t k = x % KEYS;
        struct span key = key_of(text, k + (1u << 20));
        uint64_t v = 0;

        /* keys of fewer than 3 bytes would be equal */
        if (key.n < 3)
            continue;
        switch (x >> 32 & 3) {
        case 0:
            assert_true(map_get(m, key, &v) == (model[k] != 0));
            assert_true(v == model[k]);
            break;
        case 1:
            assert_true(map_del(m, key) == (model[k] != 0));
            count -= model[k] != 0;
            model[k] = 0;
            break;
        default:
            assert_int_equal(map_put(m, key, x | 1, NULL), model[k] == 0);
            count += model[k] == 0;
            model[k] = x | 1;
        }
        assert_int_equal(map_count(m), count);
    }
    size_t at = 0;
    size_t seen = 0;
    struct span key;
    uint64_t v;
    while (map_next(m, &at, &key, &v)) {
        assert_true(map_get(m, key, NULL));
        seen++;
    }
    assert_int_equal(seen, count);
    map_free(m);
}

static void
test_map_memory(void **state)
{
    char text[32];

    (void)state;
    for (size_t n = 1; n < 12; n++) {
        struct map *m;
        size_t put = 0;

        mem_fail_at(n);
        m = map_new(1000);
        if (m == NULL) {
            mem_fail_at(0);
            assert_true(n <= 2);
            continue;
        }
        for (uint64_t k = 0; k < 1000; k++)
            put += map_put(m, key_of(text, k * 30 + 29), k, NULL) == 1;
        mem_fail_at(0);
        assert_int_equal(map_count(m), put);
        for (uint64_t k = 0; k < 1000; k++) {
            uint64_t v = k;

            put -= map_get(m, key_of(text, k * 30 + 29), &v);
            assert_int_equal(v, k);
        }
        assert_int_equal(put, 0);
        map_free(m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mem),           cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_ceiling), cmocka_unit_test(test_arena_memory),
        cmocka_unit_test(test_arena_marks),   cmocka_unit_test(test_map_table),
        cmocka_unit_test(test_map_random),    cmocka_unit_test(test_map_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
