/*
 * Streams whole: random histories of one store that says things and another that takes them, and of
 * copies that are brought back; both prove the same tree at any size.
 */
#include "pair.h"

static void
act(struct pair *p)
{
    switch (below(p->a, 8)) {
    case 0:
    case 1:
        say_some(p, below(p->a, 8) ? 1 + below(p->a, 10) : 150);
        break;
    case 2:
        erase_one(p);
        break;
    case 3:
    case 4:
        take_page(p, 1 + below(p->b, below(p->b, 4) ? 20 : 300));
        break;
    case 5:
        take_owed(p, 1 + below(p->b, 30), below(p->b, 2));
        break;
    case 6:
        if (below(p->b, 2))
            take_notice(p);
        else
            say_own(p);
        break;
    default:
        same_tree(p);
        if (below(p->a, 10) == 0) {
            same_entries(p);
            reopen(below(p->a, 2) ? p->a : p->b);
        }
    }
}

static void
histories(void **state)
{
    struct pair p = pair_new(*state);

    say_some(&p, 1);
    for (unsigned i = 0; i < 300; i++)
        act(&p);
    same_entries(&p);
    verify(p.b);
    take_all(&p);
    verify(p.a);
    verify(p.b);
    reopen(p.b);
    same_entries(&p);
    pair_end(&p);
}

/* ---- restore ---- */

static uint64_t
bring_back(struct world *w, const char *backup)
{
    uint64_t erased = 0;

    store_close(w->s);
    w->s = NULL;
    MUST(store_restore(backup, w->path, &w->o, &erased, &e));
    unlink(backup);
    MUST(store_open(w->path, &w->o, &w->s, &e));
    world_tune(w);
    verify(w);
    return erased;
}

/* An older copy of who takes: what was erased since is not there again, held then or owed, and what
 * came since comes anew. */
static void
restored_taker(void **state)
{
    struct pair p = pair_new(*state);
    struct said *then = calloc(ENTRIES, sizeof *then);
    char backup[PATH_MAX];
    struct store_stream t;
    uint64_t had = 0;

    plain_generations(p.b);
    say_some(&p, 50);
    for (unsigned i = 0; i < 200; i++)
        act(&p);
    snprintf(backup, sizeof backup, "%s/backup", p.b->folder);
    MUST(store_backup(p.b->s, backup, NULL, NULL, &e));
    memcpy(then, p.said_list, ENTRIES * sizeof *then);
    MUST(store_begin(p.b->s, &e));
    if (p.stream != 0 && stream_at(p.b, NULL, p.stream, &t))
        had = t.size;
    store_abort(p.b->s);
    for (unsigned i = 0; i < 200; i++)
        act(&p);
    bring_back(p.b, backup);
    if (had == 0)
        p.stream = 0;
    for (size_t i = 0; i < p.said_n; i++) {
        struct said *m = &p.said_list[i];
        const bool lost = i >= had;

        /* Of what it had: as it was, but for what is noted as erased since. */
        m->held = !lost && then[i].held && !m->gone;
        m->unwanted = !lost && then[i].unwanted;
        m->gone = !lost && m->gone;
    }
    same_entries(&p);
    for (unsigned i = 0; i < 50; i++)
        act(&p);
    take_all(&p);
    verify(p.b);
    free(then);
    pair_end(&p);
}

/* Gives entries of b's copy of a's stream back to a, with their bytes. */
static void
give_back(struct pair *p, uint32_t number, uint64_t from, uint64_t upto)
{
    struct store_entry *list = arena_zero(p->a->a, upto - from + 1, sizeof *list);
    struct pair back = {.b = p->a, .b_audience = p->a_audience, .org = ORG_SELF, .stream = number};

    MUST(store_begin(p->b->s, &e));
    MUST(store_begin(p->a->s, &e));
    for (uint64_t i = from; i < upto; i++)
        MUST(store_entry_get(p->b->s, p->stream, i, true, p->a->a, &list[i - from], &e));
    MUST(store_entries_take(p->a->s, number, from, list, upto - from, &e));
    for (uint64_t i = from; i < upto; i++) {
        struct store_entry x;

        MUST(store_entry_get(p->a->s, number, i, false, p->a->a, &x, &e));
        if (!x.bare && !x.has_body && list[i - from].has_body)
            take_body(&back, i, &list[i - from]);
    }
    MUST(store_commit(p->a->s, &e));
    store_abort(p->b->s);
    arena_reset(p->a->a);
}

/* An older copy of who says: it gets back from others what it said since, and goes on elsewhere. */
static void
restored_sayer(void **state)
{
    struct pair p = pair_new(*state);
    struct store_stream t, was, is;
    struct store_said told;
    struct store_entry x;
    struct err why = ERR_INIT;
    char backup[PATH_MAX];
    uint64_t unwanted = 0, at = 100;
    int rc;

    plain_generations(p.a);
    say_some(&p, 50);
    snprintf(backup, sizeof backup, "%s/backup", p.a->folder);
    MUST(store_backup(p.a->s, backup, NULL, NULL, &e));
    say_some(&p, 100);
    take_all(&p);
    MUST(store_begin(p.b->s, &e));
    assert_true(stream_at(p.b, NULL, p.stream, &was));
    store_abort(p.b->s);
    assert_int_equal(bring_back(p.a, backup), 0);

    MUST(store_begin(p.a->s, &e));
    assert_true(stream_at(p.a, NULL, 1, &t));
    assert_true(t.own && !t.current && t.size == 50 && hash_eq(&t.id, &was.id));
    MUST(rc = store_entry_get(p.a->s, 1, 49, true, p.a->a, &x, &e));
    x.d.b[0] ^= 1; /* it held another: two histories */
    assert_int_equal(store_entries_take(p.a->s, 1, 49, &x, 1, &why), -1);
    assert_int_equal(why.code, ERR_CONFLICT);
    assert_int_equal(store_entries_take(p.a->s, 1, 51, &x, 1, &why), -1);
    assert_int_equal(why.code, ERR_RANGE);
    store_abort(p.a->s);

    give_back(&p, 1, 45, 90); /* it was about to have its last five signed */
    verify(p.a);
    give_back(&p, 1, 60, 150);
    verify(p.a);
    MUST(store_begin(p.a->s, &e));
    assert_true(stream_at(p.a, NULL, 1, &t));
    assert_true(t.own && !t.current && hash_eq(&t.root, &was.root));
    for (uint64_t i = 50; i < 150; i++)
        unwanted += p.said_list[i].unwanted;
    assert_int_equal(t.settled, 150 - unwanted);

    /* What came back is its own to withdraw, in the stream of now and by notice. */
    do
        MUST(rc = store_entry_get(p.a->s, 1, ++at, true, p.a->a, &x, &e));
    while (!x.has_body);
    MUST(store_erase(p.a->s, x.p, &e));
    MUST(store_commit(p.a->s, &e));
    MUST(store_begin(p.a->s, &e));
    assert_true(stream_at(p.a, NULL, 1, &t) && stream_at(p.a, NULL, 2, &is));
    assert_true(is.own && is.current && is.size == 1 && t.size == 150);
    {
        uint8_t name[STORE_PLACE_NAME];

        store_place_name(&t.id, at, name);
        MUST(rc = store_said_get(p.a->s, STORE_SAID_ERASED, span_from(name, sizeof name), p.a->a,
                                 &told, &e));
        assert_int_equal(rc, 1);
    }
    assert_int_equal(store_entries_take(p.a->s, 2, 1, &x, 1, &why), -1); /* said here alone */
    assert_int_equal(why.code, ERR_DENIED);
    store_abort(p.a->s);

    /* A stream that the copy did not know at all. */
    MUST(store_begin(p.a->s, &e));
    was.name = t.name;
    was.name.incarnation[0] ^= 1;
    MUST(store_stream_make(p.a->s, &was.name, ORG_SELF, p.a_audience, &p.stream, &e));
    assert_true(stream_at(p.a, NULL, p.stream, &t));
    assert_true(t.own && !t.current);
    MUST(store_commit(p.a->s, &e));
    verify(p.a);
    pair_end(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(histories, world_make, world_remove),
        cmocka_unit_test_setup_teardown(restored_taker, world_make, world_remove),
        cmocka_unit_test_setup_teardown(restored_sayer, world_make, world_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
