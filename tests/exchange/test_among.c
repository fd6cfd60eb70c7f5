/*
 * Nodes among one another, over their real stores: what one says is seen by whom it is for at the
 * others, proven, and by nobody else; what is taken back goes; nothing new costs one question.
 */
#include "land.h"

/* -- tests --------------------------------------------------------------------------------------
 */

static void
what_is_for_all(void **state)
{
    struct land *l = land_new();
    const char *before, *clear, *green, *amber;
    (void)state;

    before = say(l, 0, 1, "GREEN", ""); /* said before there was a region */
    land_found(l);
    clear = say(l, 0, 2, "CLEAR", "");
    green = say(l, 1, 3, "GREEN", "");
    amber = say(l, 0, 4, "AMBER", ""); /* of its own organisation */
    settle(l);
    for (int i = 0; i < NODES; i++) {
        assert_true(sees(l, i, before));
        assert_true(sees(l, i, clear));
        assert_true(sees(l, i, green));
        assert_true(sees(l, i, amber) == (i == 0));
    }
    assert_false(play(l, 1, 0)); /* nothing is new */
    if (l->bytes > 300)
        fail_msg("a round with nothing new takes %zu bytes", l->bytes);
    whole(l);
    land_free(l);
}

static void
what_comes_by_others(void **state)
{
    struct land *l = land_new();
    const char *id;
    (void)state;

    land_found(l);
    l->nodes[2].cut[0] = l->nodes[0].cut[2] = true;
    id = say(l, 0, 1, "GREEN", "");
    settle(l);
    assert_true(sees(l, 2, id)); /* by way of 1, with the proof of 0 */
    whole(l);
    land_free(l);
}

static void
what_is_taken_back(void **state)
{
    struct land *l = land_new();
    struct tell t = {.verb = TELL_WITHDRAW};
    const char *id, *other;
    (void)state;

    land_found(l);
    id = say(l, 0, 1, "GREEN", "");
    other = say(l, 0, 2, "GREEN", "");
    settle(l);
    assert_true(sees(l, 1, id) && sees(l, 2, id));
    t.id = span_of(id);
    assert_non_null(world_tell(l->nodes[0].w, NULL, &t));
    l->nodes[2].cut[0] = true;
    settle(l);
    for (int i = 0; i < NODES; i++) {
        assert_false(sees(l, i, id));
        assert_true(sees(l, i, other));
    }
    whole(l);
    land_free(l);
}

/* Receipts come back to who said it. */
static void
what_is_acknowledged(void **state)
{
    struct land *l = land_new();
    struct store *s;
    uint64_t n;
    (void)state;

    land_found(l);
    (void)say(l, 0, 1, "GREEN", "");
    settle(l);
    s = l->nodes[0].w->writer->store;
    assert_int_equal(store_begin(s, NULL), 0);
    assert_int_equal(store_said_count(s, SYNC_RECEIPT, &n, NULL), 0);
    store_abort(s);
    /* Of the public stream, on which a node's first words are, and of the region's. */
    assert_int_equal(n, 2 * (NODES - 1));
    land_free(l);
}

static void
what_is_for_a_group(void **state)
{
    struct land *l = land_new();
    struct group g = {0};
    const char *one, *two, *three, *four;
    (void)state;

    land_found(l);
    group_say(l, &g, 0, 3, false); /* nodes 0 and 1 */
    one = say(l, 0, 1, "AMBER", "banks");
    settle(l);
    assert_true(sees(l, 0, one) && sees(l, 1, one) && !sees(l, 2, one));
    two = say(l, 1, 2, "AMBER", "banks"); /* the group is there under its name */
    settle(l);
    assert_true(sees(l, 0, two) && !sees(l, 2, two));

    group_say(l, &g, 0, 7, true); /* 2 comes, with the past */
    settle(l);
    assert_true(sees(l, 2, one) && sees(l, 2, two));
    group_say(l, &g, 0, 5, true); /* 1 goes */
    settle(l);
    three = say(l, 0, 3, "AMBER", "banks");
    settle(l);
    assert_true(sees(l, 2, three) && !sees(l, 1, three));

    group_say(l, &g, 0, 7, false); /* 1 comes back, without the past */
    settle(l);
    four = say(l, 2, 4, "AMBER", "banks");
    settle(l);
    assert_true(sees(l, 1, four) && sees(l, 0, four));
    assert_false(sees(l, 1, three));
    whole(l);
    land_free(l);
}

/* Restarted nodes go on where they were. */
static void
after_a_restart(void **state)
{
    struct land *l = land_new();
    const char *id, *later;
    (void)state;

    land_found(l);
    id = say(l, 0, 1, "GREEN", "");
    settle(l);
    for (int i = 0; i < NODES; i++)
        world_reopen(l->nodes[i].w);
    later = say(l, 2, 2, "GREEN", "");
    settle(l);
    for (int i = 0; i < NODES; i++)
        assert_true(sees(l, i, id) && sees(l, i, later));
    whole(l);
    land_free(l);
}

/* Nobody is told anything who is not in the region. */
static void
what_strangers_get(void **state)
{
    struct land *l = land_new();
    struct err e = ERR_INIT;
    struct uuid stranger = {{9}};
    struct sync_ask q = {.verb = SYNC_ASK_HELLO};
    struct sync_answer w;
    struct buf told;
    (void)state;

    land_found(l);
    (void)say(l, 0, 1, "CLEAR", "");
    settle(l);
    buf_init(&told, SYNC_MESSAGE_MAX);
    assert_int_equal(exchange_answer(l->nodes[0].w->reader, &stranger, &q, &told, &e), 0);
    assert_int_equal(sync_answer_decode(buf_view(&told), l->a, &w, &e), 0);
    assert_true(w.verb == SYNC_NO || (w.item_n == 0 && w.print_n == 0));
    buf_clear(&told);
    land_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_for_all),     cmocka_unit_test(what_comes_by_others),
        cmocka_unit_test(what_is_taken_back),  cmocka_unit_test(what_is_acknowledged),
        cmocka_unit_test(what_is_for_a_group), cmocka_unit_test(after_a_restart),
        cmocka_unit_test(what_strangers_get),
    };
    struct err e = ERR_INIT;

    if (crypto_start(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
