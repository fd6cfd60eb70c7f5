/* Looks: questions that share one state of the store, and where one ends. */
#include "world.h"

#include "mem.h"

#define SDO "\"modified\":\"2025-01-01T00:00:00.000Z\",\"name\":\"n\",\"is_family\":false"

static int
setup(void **state)
{
    struct world *w = world_new();

    world_import(w, "CLEAR", "", world_object(w, "malware", 1, SDO));
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    world_free(*state);
    return 0;
}

static bool
sees(struct world *w, unsigned n)
{
    return world_sees(w, NULL, world_id(w, "malware", n));
}

static void
put(struct world *w, unsigned n)
{
    assert_string_equal(world_import(w, "CLEAR", "", world_object(w, "malware", n, SDO)), "new");
}

static void
one_look_one_state(void **state)
{
    struct world *w = *state;
    struct ask count = {.verb = ASK_HEALTH};
    int64_t before;

    before = int_at(world_ask(w, NULL, &count), "objects");
    exchange_look_begin(w->reader);
    assert_true(sees(w, 1));
    put(w, 2);
    assert_int_equal(int_at(world_ask(w, NULL, &count), "objects"), before);
    exchange_look_end(w->reader);
    assert_int_equal(int_at(world_ask(w, NULL, &count), "objects"), before + 1);
    assert_true(sees(w, 2));
}

/* The next look sees all that was acknowledged before it began, and each question outside of one
 * what was acknowledged before it. */
static void
next_look_sees_what_came(void **state)
{
    struct world *w = *state;

    for (unsigned i = 2; i < 40; i++) {
        exchange_look_begin(w->reader);
        assert_true(sees(w, i - 1));
        put(w, i);
        exchange_look_end(w->reader);
        if (i % 3 == 0) {
            put(w, 1000 + i);
            assert_true(sees(w, 1000 + i));
        }
    }
    exchange_look_begin(w->reader); /* a look begins with its first question */
    put(w, 40);
    assert_true(sees(w, 40));
    exchange_look_end(w->reader);
    exchange_look_end(w->reader); /* once too often does nothing */
    assert_true(sees(w, 40));
}

/* Types and streams are kept as long as nothing is committed: new ones show all the same. */
static void
kept_names_are_brought_up_to_date(void **state)
{
    struct world *w = *state;
    struct ask q = {.verb = ASK_COUNTS};
    const struct json *o;

    for (unsigned i = 0; i < 20; i++) {
        const char *type = arena_printf(w->a, "x-type-%c", 'a' + (int)i);
        const char *path = arena_printf(w->a, "types.%s", type);

        exchange_look_begin(w->reader);
        o = world_ask(w, NULL, &q);
        assert_null(at(o, path));
        world_import(w, "GREEN", "", world_object(w, type, i, SDO));
        exchange_look_end(w->reader);
        exchange_look_begin(w->reader);
        o = world_ask(w, NULL, &q);
        assert_int_equal(int_at(o, path), 1);
        exchange_look_end(w->reader);
    }
}

static void
rights_of_the_next_look(void **state)
{
    struct world *w = *state;
    struct someone bank;

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NULL);
    bank = world_user(w, "teller", "organisation=bank", NULL);
    world_import(w, "GREEN", "", world_object(w, "malware", 2, SDO));
    exchange_look_begin(w->reader);
    assert_true(world_sees(w, &bank, world_id(w, "malware", 1)));
    world_admin(w, TELL_K_USER, TELL_A_REMOVE, "teller", NULL);
    exchange_look_end(w->reader);
    exchange_look_begin(w->reader);
    {
        struct ask q = {.verb = ASK_GET, .id = span_of(world_id(w, "malware", 1))};

        assert_null(world_ask(w, &bank, &q));
        assert_int_equal(w->last.status, ERR_AUTH);
    }
    exchange_look_end(w->reader);
}

/* What goes wrong with one question is not the next one's matter. */
static void
errors_stay_with_their_question(void **state)
{
    static const enum ask_verb verbs[] = {ASK_GET,    ASK_SHOW,       ASK_STATUS,
                                          ASK_REPORT, ASK_COLLECTION, ASK_OBJECTS};
    struct world *w = *state;

    exchange_look_begin(w->reader);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        struct ask q = {.verb = verbs[i],
                        .id = SPAN("malware--00000000-0000-4000-8000-00000000ffff"),
                        .collection = SPAN("nothing"),
                        .number = 999};

        assert_null(world_ask(w, NULL, &q));
        assert_int_not_equal(w->last.status, ERR_NONE);
        put(w, 10 + (unsigned)i); /* its failure ended the look */
        assert_true(sees(w, 10 + (unsigned)i));
    }
    exchange_look_end(w->reader);
}

/* Each allocation in turn fails for the first of two questions; the second is answered. */
static void
no_memory_for_one(void **state)
{
    struct world *w = *state;
    struct arena *a = arena_new(16u << 20);
    unsigned failed = 0;

    for (size_t n = 1; n < 200; n++) {
        struct ask q = {.verb = ASK_SHOW, .id = span_of(world_id(w, "malware", 1))};
        struct answer answer;
        struct buf out;

        buf_init(&out, 1u << 20);
        exchange_look_begin(w->reader);
        mem_fail_at(n);
        exchange_ask(w->reader, &w->local_caller, &q, a, &out, &answer);
        mem_fail_at(0);
        failed += answer.status != ERR_NONE;
        buf_reset(&out);
        exchange_ask(w->reader, &w->local_caller, &q, a, &out, &answer);
        assert_int_equal(answer.status, ERR_NONE);
        exchange_look_end(w->reader);
        buf_clear(&out);
        arena_reset(a);
    }
    assert_true(failed > 0);
    arena_free(a);
}

/* A writer that is asked answers from what is on disk, look or not. */
static void
nothing_in_a_writer(void **state)
{
    struct world *w = *state;
    struct ask q = {.verb = ASK_GET, .id = span_of(world_id(w, "malware", 2))};
    struct answer answer;

    exchange_look_begin(w->writer);
    put(w, 2);
    buf_reset(&w->body);
    exchange_ask(w->writer, &w->local_caller, &q, w->a, &w->body, &answer);
    assert_int_equal(answer.status, ERR_NONE);
    put(w, 3);
    exchange_look_end(w->writer);
    assert_true(sees(w, 3));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_look_one_state),
        T(next_look_sees_what_came),
        T(kept_names_are_brought_up_to_date),
        T(rights_of_the_next_look),
        T(errors_stay_with_their_question),
        T(no_memory_for_one),
        T(nothing_in_a_writer),
    };

    return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
