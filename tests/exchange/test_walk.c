/* The thin path: a node is made, objects come in under labels, and each reader sees his part. */
#include "world.h"

#include <unistd.h>

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

#define SDO "\"modified\":\"2025-01-01T00:00:00.000Z\",\"name\":\"n\",\"is_family\":false"

static void
test_init(void **state)
{
    struct world *w = *state;
    struct exchange_init init = {.name = SPAN("x")};
    struct ask q = {.verb = ASK_HEALTH};
    struct err e = ERR_INIT;
    const struct json *o;

    assert_int_equal(exchange_make(w->path, &init, &w->clock, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    o = world_ask(w, NULL, &q);
    assert_string_equal(text_at(w, o, "organisation"), "ThaiCERT");
    assert_string_equal(text_at(w, o, "contact"), "soc@example.org");
    assert_int_equal(int_at(o, "objects"), 7); /* five TLP markings, the exercise mark, itself */
    assert_true(world_sees(w, NULL, "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"));
    assert_true(world_sees(w, NULL, text_at(w, o, "node")));
    q = (struct ask){.verb = ASK_COUNTS};
    o = world_ask(w, NULL, &q);
    assert_int_equal(int_at(o, "types.marking-definition"), 6);
    assert_int_equal(int_at(o, "labels.CLEAR"), 7);
}

/* Who sees what was imported under each label. */
static void
test_labels(void **state)
{
    static const char *const labels[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT"};
    struct world *w = *state;
    struct someone staff = world_user(w, "staff", NULL);
    struct someone guest = world_user(w, "guest", "staff=no", NULL);
    struct someone token, bank, admin;

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NULL);
    bank = world_user(w, "teller", "organisation=bank", NULL);
    admin = world_user(w, "root", "role=admin", NULL);
    token = world_token(w, "feed", NULL);
    for (unsigned i = 0; i < 4; i++) {
        static const bool see[4][5] = {
            /* staff, guest, bank, token, admin */
            {true, true, true, true, false},
            {true, true, true, true, false},
            {true, true, false, true, false},
            {true, false, false, false, false},
        };
        const struct someone *who[] = {&staff, &guest, &bank, &token, &admin};
        const char *id = world_id(w, "malware", i);

        assert_string_equal(world_import(w, labels[i], NULL, world_object(w, "malware", i, SDO)),
                            "new");
        assert_true(world_sees(w, NULL, id));
        for (unsigned k = 0; k < 5; k++) {
            if (world_sees(w, who[k], id) != see[i][k])
                fail_msg("%s, reader %u", labels[i], k);
        }
    }
}

static void
test_page(void **state)
{
    struct world *w = *state;
    struct someone token = world_token(w, "feed", NULL);
    struct ask q = {.verb = ASK_COLLECTIONS};
    const struct json *o = world_ask(w, &token, &q), *list;
    const char *all, *next;
    unsigned seen = 0;

    all = text_at(w, o, "collections.0.id");
    assert_string_equal(text_at(w, o, "collections.0.alias"), "all");
    assert_int_equal(strlen(all), 36);
    for (unsigned i = 0; i < 25; i++)
        assert_string_equal(world_import(w, "GREEN", NULL, world_object(w, "malware", i, SDO)),
                            "new");
    q = (struct ask){.verb = ASK_OBJECTS, .collection = span_of(all), .q = {.limit = 10}};
    q.q.given = TAXII_P_LIMIT;
    for (unsigned page = 0;; page++) {
        assert_true(page < 5);
        o = world_ask(w, &token, &q);
        assert_non_null(o);
        list = at(o, "objects");
        seen += list->count;
        assert_true(w->last.first_us > 0 && w->last.last_us >= w->last.first_us);
        if (at(o, "more") == NULL)
            break;
        assert_int_equal(list->count, 10);
        next = text_at(w, o, "next");
        q.q.next = span_of(next);
        q.q.given = TAXII_P_LIMIT | TAXII_P_NEXT;
    }
    assert_int_equal(seen, 25 + 7);
    /* nothing newer */
    q.q.next = (struct span){0};
    q.q.given = TAXII_P_ADDED_AFTER;
    q.q.added_after = instant_from_us(w->last.last_us);
    o = world_ask(w, &token, &q);
    assert_int_equal(o->count, 0);
    assert_int_equal(w->last.first_us, 0);
    assert_int_equal(w->last.body.n, 2);
}

static void
test_restart(void **state)
{
    struct world *w = *state;
    struct ask q = {.verb = ASK_COLLECTIONS};
    char id[UUID_TEXT + 1];

    world_import(w, "GREEN", NULL, world_object(w, "malware", 1, SDO));
    snprintf(id, sizeof id, "%s", text_at(w, world_ask(w, NULL, &q), "collections.0.id"));
    world_reopen(w);
    assert_true(world_sees(w, NULL, world_id(w, "malware", 1)));
    q = (struct ask){.verb = ASK_COLLECTIONS};
    assert_string_equal(text_at(w, world_ask(w, NULL, &q), "collections.0.id"), id);
    assert_string_equal(world_import(w, "GREEN", NULL, world_object(w, "malware", 1, SDO)),
                        "known");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_init, setup, teardown),
        cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
