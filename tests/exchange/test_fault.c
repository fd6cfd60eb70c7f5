/* The n-th allocation fails, for each n: an error, what was acknowledged is there, the store is
 * whole, and both sides go on. */
#include "world.h"

#include "intake_msg.h"
#include "keep.h"
#include "mem.h"

#define ROUNDS 400
#define NIL    ((const char *)NULL)

static int
setup(void **state)
{
    *state = world_new();
    return 0;
}

static int
teardown(void **state)
{
    world_free(*state);
    return 0;
}

static struct span
payload(struct world *w, const char *text, uint64_t index)
{
    struct arena *a = arena_new(INTAKE_ARENA_MAX);
    struct intake_result r;
    struct err e = ERR_INIT;
    struct span out;
    struct buf b;

    assert_int_equal(intake_object(w->intake, span_of(text), INTAKE_NORMAL, a, &r, &e), 0);
    r.index = index;
    buf_init(&b, 1u << 20);
    intake_encode(&r, &b);
    out = arena_span(w->a, buf_view(&b));
    buf_clear(&b);
    arena_free(a);
    return out;
}

/* Says t with the n-th allocation failing; whether it was done. */
static bool
say(struct world *w, struct tell *t, size_t *n)
{
    struct arena *a = arena_new(64u << 20);
    struct answer answer = {0};
    struct buf out;
    size_t used;
    bool done;

    buf_init(&out, 1u << 20);
    mem_fail_at(*n);
    done = !exchange_tell(w->local, t, a, &out, &answer) || answer.status == ERR_NONE;
    used = mem_count();
    mem_fail_at(0);
    *n = *n > used ? *n - used : SIZE_MAX / 2;
    if (!done && answer.status != ERR_MEMORY && answer.status != ERR_IO &&
        answer.status != ERR_PROTOCOL && answer.status != ERR_LIMIT && answer.status != ERR_FULL)
        fail_msg("%d: %.*s", answer.status, (int)answer.text.n, answer.text.p);
    buf_clear(&out);
    arena_free(a);
    return done;
}

/* A batch that makes use of much: a spool, an edge, a marking that goes along, a defect. */
static bool
batch(struct world *w, unsigned round, size_t n)
{
    struct tell t = {
        .verb = TELL_BEGIN, .handle = 100 + round, .label = SPAN("GREEN"), .items = true};
    struct span p[5];
    const char *mod = "\"modified\":\"2025-01-01T00:00:00.000Z\"";
    unsigned at = round * 10;

    p[0] = payload(
        w,
        world_object(w, "relationship", at,
                     arena_printf(w->a,
                                  "%s,\"relationship_type\":\"uses\",\"source_ref\":"
                                  "\"%s\",\"target_ref\":\"%s\"",
                                  mod, world_id(w, "malware", at), world_id(w, "malware", at + 1))),
        0);
    p[1] = payload(w,
                   world_object(w, "malware", at,
                                arena_printf(w->a,
                                             "%s,\"name\":\"n\",\"is_family\":false,"
                                             "\"object_marking_refs\":[\"%s\"]",
                                             mod, world_id(w, "marking-definition", at))),
                   1);
    p[2] = payload(w, world_object(w, "malware", at + 1, arena_printf(w->a, "%s", mod)), 2);
    p[3] = payload(w,
                   world_object(w, "marking-definition", at,
                                "\"definition_type\":\"statement\",\"definition\":{\"statement\":"
                                "\"s\"}"),
                   3);
    p[4] = payload(w, "{\"type\":\"malware\"}", 4);
    if (!say(w, &t, &n))
        return false;
    for (unsigned i = 0; i < 5; i++) {
        t = (struct tell){.verb = TELL_OBJECT, .handle = 100 + round, .payload = p[i]};
        (void)say(w, &t, &n);
    }
    t = (struct tell){.verb = TELL_END, .handle = 100 + round};
    return say(w, &t, &n);
}

static int
problem(void *ctx, const char *what, const char *place)
{
    (void)ctx;
    fail_msg("%s: %s", place, what);
    return 0;
}

static void
test_tell(void **state)
{
    struct world *w = *state;
    bool acknowledged[ROUNDS] = {false};
    struct exchange_check c;
    struct err e = ERR_INIT;
    unsigned done = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        /* one by one at first, then in strides, as far as a batch allocates */
        acknowledged[i] = batch(w, i, i < 200 ? i + 1 : 200 + (i - 200) * 37);
        done += acknowledged[i];
        arena_reset(w->a);
    }
    assert_true(done > 0 && done < ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (acknowledged[i]) {
            assert_true(world_sees(w, NULL, world_id(w, "malware", i * 10)));
            assert_true(world_sees(w, NULL, world_id(w, "relationship", i * 10)));
        }
        arena_reset(w->a);
    }
    if (exchange_verify(w->path, problem, NULL, NULL, &c, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(c.problems, 0);
    /* and nothing of it is still held on to */
    assert_true(batch(w, ROUNDS, SIZE_MAX / 2));
}

static void
test_ask(void **state)
{
    struct world *w = *state;
    struct ask asks[] = {
        {.verb = ASK_COLLECTIONS},
        {.verb = ASK_OBJECTS, .collection = SPAN("all")},
        {.verb = ASK_MANIFEST, .collection = SPAN("own"), .q = {.limit = 2}},
        {.verb = ASK_VERSIONS,
         .collection = SPAN("all"),
         .id = SPAN("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487")},
        {.verb = ASK_SHOW, .id = SPAN("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487")},
        {.verb = ASK_SEARCH, .f = {.text = SPAN("TLP")}},
        {.verb = ASK_SEARCH, .f = {.value = SPAN("198.51.100.0/24")}},
        {.verb = ASK_EXPORT},
        {.verb = ASK_COUNTS},
        {.verb = ASK_BATCHES},
        {.verb = ASK_LIST, .text = SPAN("groups")},
        {.verb = ASK_WHO, .id = SPAN("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487")},
        {.verb = ASK_SELF},
        {.verb = ASK_HEALTH},
    };

    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        bool through = false;

        for (size_t n = 1; n < 5000 && !through; n++) {
            struct arena *a = arena_new(64u << 20);
            struct answer answer;
            struct buf out;
            size_t used;

            if (n % 7 == 0) { /* nothing cached: rights and views are built again */
                world_admin(w, TELL_K_USER, TELL_A_ADD, arena_printf(w->a, "u%zu-%zu", i, n), NIL);
                arena_reset(w->a);
            }
            buf_init(&out, 1u << 20);
            mem_fail_at(n);
            exchange_ask(w->reader, &w->local_caller, &asks[i], a, &out, &answer);
            used = mem_count();
            mem_fail_at(0);
            through = used < n;
            if (through && answer.status != ERR_NONE && answer.status != ERR_MISSING)
                fail_msg("ask %zu: %.*s", i, (int)answer.text.n, answer.text.p);
            buf_clear(&out);
            arena_free(a);
        }
        assert_true(through);
    }
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_tell), T(test_ask)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
