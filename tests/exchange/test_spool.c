/* What waits within its batch: chains, circles, definitions that come late, and what never comes.
 */
#include "world.h"

#define MOD(day) "\"modified\":\"2025-01-" day "T00:00:00.000Z\""
#define MALWARE  MOD("01") ",\"name\":\"n\",\"is_family\":false"
#define NIL      ((const char *)NULL)
#define AMBER                                                                                      \
    ",\"object_marking_refs\":[\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\"]"

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

static const char *
outcome(struct world *w, const struct json *o, unsigned n)
{
    for (const struct json *i = at(o, "items") != NULL ? at(o, "items")->child : NULL; i != NULL;
         i = i->next) {
        if (int_at(i, "n") == n)
            return text_at(w, i, "outcome");
    }
    return "?";
}

static const struct json *
put(struct world *w, const char *label, const char *const *texts)
{
    struct tell begin = {.items = true, .label = span_of(label)};
    const struct json *o = world_put(w, NULL, &begin, texts);

    if (o == NULL)
        fail_msg("%.*s", (int)w->last.text.n, w->last.text.p);
    return o;
}

static const char *
note(struct world *w, unsigned n, const char *names, const char *more)
{
    return world_object(w, "note", n,
                        arena_printf(w->a, "%s,\"content\":\"c\",\"object_refs\":[\"%s\"]%s",
                                     MOD("01"), names, more));
}

/* Each names the next, and they come the wrong way round. */
static void
test_chain(void **state)
{
    struct world *w = *state;
    enum { LINKS = 200 };
    const char *texts[LINKS + 1];
    const struct json *o;

    for (unsigned i = 0; i < LINKS; i++)
        texts[i] = i + 1 < LINKS ? note(w, i, world_id(w, "note", i + 1), "")
                                 : world_object(w, "note", i,
                                                MOD("01") ",\"content\":\"c\",\"object_refs\":[]");
    texts[LINKS] = NULL;
    o = put(w, "GREEN", texts);
    assert_int_equal(int_at(o, "counts.new") + int_at(o, "counts.kept with defect"), LINKS);
    for (unsigned i = 0; i < LINKS; i += 50)
        assert_true(world_sees(w, NULL, world_id(w, "note", i)));
}

/* Our own objects that name one another: neither may show the other's id to more readers than the
 * other itself has. */
static void
test_circle(void **state)
{
    struct world *w = *state;
    struct ask q = {.verb = ASK_HEALTH};
    const char *own = text_at(w, world_ask(w, NULL, &q), "node");
    const char *mine = arena_printf(w->a, ",\"created_by_ref\":\"%s\"", own);
    const char *texts[] = {note(w, 1, world_id(w, "note", 2), mine),
                           note(w, 2, world_id(w, "note", 1), arena_printf(w->a, "%s" AMBER, mine)),
                           /* two of one label, and one that names itself */
                           note(w, 3, world_id(w, "note", 4), mine),
                           note(w, 4, world_id(w, "note", 3), mine),
                           note(w, 5, world_id(w, "note", 5), mine), NULL};
    const struct json *o = put(w, "GREEN", texts);

    assert_string_equal(outcome(w, o, 0), "refused");
    assert_string_equal(outcome(w, o, 1), "new");
    assert_string_equal(outcome(w, o, 2), "new");
    assert_string_equal(outcome(w, o, 3), "new");
    assert_string_equal(outcome(w, o, 4), "new");
}

/* A marking that is itself marked by one that comes later still. */
static void
test_marked_marking(void **state)
{
    struct world *w = *state;
    const char *m1 = world_id(w, "marking-definition", 1),
               *m2 = world_id(w, "marking-definition", 2);
    const char *statement =
        "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"s\"}";
    const char *texts[] = {
        world_object(w, "malware", 1,
                     arena_printf(w->a, "%s,\"object_marking_refs\":[\"%s\"]", MALWARE, m1)),
        world_object(w, "marking-definition", 1,
                     arena_printf(w->a, "%s,\"object_marking_refs\":[\"%s\"]", statement, m2)),
        world_object(w, "marking-definition", 2, statement), NULL};
    const struct json *o = put(w, "GREEN", texts);

    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(outcome(w, o, i), "new");
}

/* Two that need one another never resolve: they wait, seen by nobody. */
static void
test_marked_in_a_circle(void **state)
{
    struct world *w = *state;
    const char *m1 = world_id(w, "marking-definition", 1),
               *m2 = world_id(w, "marking-definition", 2);
    const char *body = "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"s\"},"
                       "\"object_marking_refs\":[\"";
    const char *texts[] = {
        world_object(w, "marking-definition", 1, arena_printf(w->a, "%s%s\"]", body, m2)),
        world_object(w, "marking-definition", 2, arena_printf(w->a, "%s%s\"]", body, m1)),
        world_object(w, "malware", 1,
                     arena_printf(w->a, "%s,\"object_marking_refs\":[\"%s\"]", MALWARE, m1)),
        NULL};
    const struct json *o = put(w, "GREEN", texts);

    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(outcome(w, o, i), "waiting");
    }
    assert_false(world_sees(w, NULL, m1));
    assert_false(world_sees(w, NULL, world_id(w, "malware", 1)));
}

/* An extension-definition goes along into every audience that uses it, before or after it. */
static void
test_extension(void **state)
{
    struct world *w = *state;
    const char *ext = world_id(w, "extension-definition", 1);
    const char *uses = arena_printf(
        w->a, "%s,\"extensions\":{\"%s\":{\"extension_type\":\"property-extension\",\"x\":1}}",
        MALWARE, ext);
    const char *texts[] = {
        world_object(w, "malware", 1, uses),
        world_object(w, "extension-definition", 1,
                     MOD("01") ",\"name\":\"e\",\"schema\":\"s\",\"version\":\"1.0.0\","
                               "\"extension_types\":[\"property-extension\"]" AMBER),
        world_object(w, "malware", 2, uses), NULL};
    struct someone bank;

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NIL);
    bank = world_user(w, "teller", "organisation=bank", NIL);
    put(w, "GREEN", texts);
    assert_true(world_sees(w, &bank, world_id(w, "malware", 1)));
    assert_true(world_sees(w, &bank, world_id(w, "malware", 2)));
    assert_true(world_sees(w, &bank, ext));
    /* and when it comes in a later batch */
    ext = world_id(w, "extension-definition", 2);
    uses = arena_printf(
        w->a, "%s,\"extensions\":{\"%s\":{\"extension_type\":\"property-extension\",\"x\":1}}",
        MALWARE, ext);
    world_import(w, "GREEN", NULL, world_object(w, "malware", 3, uses));
    assert_false(world_sees(w, &bank, ext));
    world_import(w, "AMBER", NULL,
                 world_object(w, "extension-definition", 2,
                              MOD("01") ",\"name\":\"e\",\"schema\":\"s\",\"version\":\"1.0.0\","
                                        "\"extension_types\":[\"property-extension\"]"));
    assert_true(world_sees(w, &bank, ext));
}

/* What was decided stays when the sender goes away; what waited is dropped. */
static void
test_cut(void **state)
{
    struct world *w = *state;
    struct tell t = {.verb = TELL_BEGIN, .handle = 5000, .label = SPAN("GREEN")};
    struct ask q = {.verb = ASK_BATCHES};
    const char *texts[] = {world_object(w, "malware", 1, MALWARE), NULL};
    struct tell other = {.label = SPAN("GREEN"), .items = true};
    const struct json *o;

    assert_non_null(world_tell(w, NULL, &t));
    /* another batch of the same sender goes on beside it */
    assert_string_equal(outcome(w, world_put(w, NULL, &other, texts), 0), "new");
    exchange_link_free(w->local);
    w->local = exchange_link_new(w->writer, &w->local_caller);
    o = world_ask(w, NULL, &q);
    assert_string_equal(text_at(w, o, "batches.0.state"), "done");
    assert_string_equal(text_at(w, o, "batches.1.state"), "cut");
    /* closing does the same */
    t.handle++;
    assert_non_null(world_tell(w, NULL, &t));
    world_reopen(w);
    o = world_ask(w, NULL, &q);
    assert_string_equal(text_at(w, o, "batches.0.state"), "cut");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_chain),     T(test_circle), T(test_marked_marking), T(test_marked_in_a_circle),
        T(test_extension), T(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
