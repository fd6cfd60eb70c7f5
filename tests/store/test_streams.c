/* Streams whole: what is refused, heads, stores of the first schema, damage that verify finds. */
#include "pair.h"

/* ---- refusals ---- */

static enum err_code
put_code(struct pair *p, const struct store_row *r)
{
    struct err e = ERR_INIT;

    return store_put(p->b->s, r, NULL, &e) < 0 ? e.code : ERR_NONE;
}

static void
refusals(void **state)
{
    struct pair p = pair_new(*state);
    struct store_stream from;
    struct store_entry x, bad;
    struct store_from at;
    struct store_row r;
    struct stream_name name;
    struct err why = ERR_INIT;
    uint32_t n;
    int rc;

    say_some(&p, 3);
    MUST(store_begin(p.a->s, &e));
    assert_true(stream_at(p.a, NULL, 1, &from));
    MUST(rc = store_entry_get(p.a->s, 1, 0, true, p.a->a, &x, &e));
    MUST(rc = store_entry_get(p.a->s, 1, 3, true, p.a->a, &bad, &e));
    assert_int_equal(rc, 0);
    MUST(rc = store_entry_get(p.a->s, 99, 0, true, p.a->a, &bad, &e));
    assert_int_equal(rc, 0);

    MUST(store_begin(p.b->s, &e));
    name = from.name; /* not what the audience makes it */
    name.label++;
    assert_int_equal(store_stream_make(p.b->s, &name, p.org, p.b_audience, &n, &why), -1);
    assert_int_equal(why.code, ERR_CONFLICT);
    name = from.name;
    name.publisher.b[0] ^= 1;
    assert_int_equal(store_stream_make(p.b->s, &name, p.org, p.b_audience, &n, &why), -1);
    assert_int_equal(store_stream_make(p.b->s, &from.name, p.org, 99, &n, &why), -1);
    assert_int_equal(store_stream_make(p.b->s, &from.name, 99, p.b_audience, &n, &why), -1);
    MUST(store_stream_make(p.b->s, &from.name, p.org, p.b_audience, &p.stream, &e));
    MUST(store_stream_make(p.b->s, &from.name, p.org, p.b_audience, &n, &e));
    assert_int_equal(n, p.stream);

    bad = x; /* another salt, header or commitment */
    bad.salt[3] ^= 1;
    assert_int_equal(store_entries_take(p.b->s, p.stream, 0, &bad, 1, &why), -1);
    assert_int_equal(why.code, ERR_PROTOCOL);
    store_abort(p.b->s);
    MUST(store_begin(p.b->s, &e));
    MUST(store_stream_make(p.b->s, &from.name, p.org, p.b_audience, &p.stream, &e));
    assert_int_equal(store_entries_take(p.b->s, 99, 0, &x, 1, &why), -1);
    MUST(store_entries_take(p.b->s, p.stream, 0, &x, 1, &e));
    MUST(store_commit(p.b->s, &e));

    MUST(store_begin(p.b->s, &e));
    at = (struct store_from){p.stream, 0};
    r = sample_row(p.b, 0, p.b_audience, p.org);
    r.from = &at;
    r.group_version = 1; /* it was 0 */
    assert_int_equal(put_code(&p, &r), ERR_CONFLICT);
    r = sample_row(p.b, 1, p.b_audience, p.org);
    r.from = &at;
    assert_int_equal(put_code(&p, &r), ERR_CONFLICT);
    r = sample_row(p.b, 0, p.b_audience, p.org);
    at.entry = 1;
    r.from = &at;
    assert_int_equal(put_code(&p, &r), ERR_MISSING);
    at = (struct store_from){99, 0};
    assert_int_equal(put_code(&p, &r), ERR_MISSING);
    at = (struct store_from){p.stream, 0};
    assert_int_equal(put_code(&p, &r), ERR_NONE);
    MUST(store_commit(p.b->s, &e));
    MUST(store_begin(p.b->s, &e));
    assert_int_equal(put_code(&p, &r), ERR_MISSING); /* it is there */
    store_abort(p.b->s);
    store_abort(p.a->s);
    verify(p.b);
    pair_end(&p);
}

/* ---- heads ---- */

static void
heads(void **state)
{
    struct pair p = pair_new(*state);
    struct store_stream t;
    uint32_t *list;
    size_t n;

    say_some(&p, 5);
    MUST(store_begin(p.a->s, &e));
    MUST(store_stream_unsigned(p.a->s, p.a->a, &list, &n, &e));
    assert_int_equal(n, 1);
    assert_int_equal(list[0], 1);
    MUST(store_head_keep(p.a->s, 1, 3, SPAN("head of 3"), SPAN("links"), &e));
    MUST(store_commit(p.a->s, &e));
    MUST(store_begin(p.a->s, &e));
    MUST(store_stream_unsigned(p.a->s, p.a->a, &list, &n, &e));
    assert_int_equal(n, 1);
    MUST(store_head_keep(p.a->s, 1, 5, SPAN("head of 5"), SPAN(""), &e));
    MUST(store_stream_unsigned(p.a->s, p.a->a, &list, &n, &e));
    assert_int_equal(n, 0);
    MUST(store_stream_freeze(p.a->s, 1, 4, SPAN("proof"), &e));
    MUST(store_stream_freeze(p.a->s, 1, 5, SPAN("later"), &e)); /* the least counts */
    assert_true(stream_at(p.a, NULL, 1, &t));
    assert_true(span_is(t.head, "head of 5") && t.links.n == 0 && t.head_size == 5);
    assert_true(t.frozen && t.frozen_at == 4 && span_is(t.evidence, "proof"));
    MUST(store_stream_freeze(p.a->s, 1, 2, SPAN("earlier"), &e));
    assert_true(stream_at(p.a, NULL, 1, &t));
    assert_int_equal(t.frozen_at, 2);
    MUST(store_commit(p.a->s, &e));
    pair_end(&p);
}

/* ---- a store of the first schema ---- */

static void
make_old(struct world *w)
{
    static const char *const back[] = {
        "DROP TABLE tile",
        "DROP TABLE head",
        "DROP TABLE frozen",
        "DROP TABLE lack",
        "DROP TABLE said",
        "DROP TABLE peer",
        "DROP TABLE mirror",
        "DROP TABLE offered",
        "DROP TABLE accused",
        "DROP INDEX stream_id",
        "ALTER TABLE stream DROP COLUMN owed",
        "ALTER TABLE stream DROP COLUMN own",
        "ALTER TABLE stream DROP COLUMN old",
        "UPDATE stream SET id = randomblob(32)", /* as it was called then */
        "UPDATE grp SET past = 0 WHERE n = 2",
        "UPDATE schema_version SET n = 1"};

    MUST(store_begin(w->s, &e));
    for (size_t i = 0; i < sizeof back / sizeof back[0]; i++)
        MUST(w->s->drv->exec(w->s->d, back[i], &e));
    w->s->open = false;
    MUST(w->s->drv->commit(w->s->d, &e));
}

static void
upgrade(void **state)
{
    struct pair p = pair_new(*state);
    struct world *w = p.a;
    struct store_stream before, after;
    char backup[PATH_MAX];
    uint64_t erased = 0;
    int rc;

    say_some(&p, 300);
    for (unsigned i = 0; i < 20; i++)
        erase_one(&p);
    MUST(store_begin(w->s, &e));
    assert_true(stream_at(w, NULL, 1, &before));
    store_abort(w->s);
    make_old(w);
    snprintf(backup, sizeof backup, "%s/backup", w->folder);
    MUST(store_backup(w->s, backup, NULL, NULL, &e));
    reopen(w);
    verify(w);
    MUST(store_begin(w->s, &e));
    assert_true(stream_at(w, NULL, 1, &after));
    assert_true(hash_eq(&before.id, &after.id) && hash_eq(&before.root, &after.root));
    assert_int_equal(before.size, after.size);
    store_abort(w->s);
    say_some(&p, 10); /* it goes on */
    verify(w);
    reopen(w);
    verify(w);

    /* Erased under its old name, restored from an old copy, both of the first schema. */
    make_old(w);
    unlink(backup);
    MUST(store_backup(w->s, backup, NULL, NULL, &e));
    w->o.mode = DB_WRITE;
    {
        struct store_entry x;
        struct entry en;

        store_close(w->s); /* an erasure as the old program noted it: under the old id */
        w->s = NULL;
        reopen(w);
        MUST(store_begin(w->s, &e));
        MUST(w->s->drv->exec(w->s->d, "UPDATE stream SET id = old", &e));
        for (uint64_t i = 0;; i++) {
            MUST(rc = store_entry_get(w->s, 1, i, false, w->a, &x, &e));
            assert_int_equal(rc, 1);
            if (!x.bare && entry_decode(x.header, &en, NULL) == 0 && en.kind == ENTRY_PUT)
                break;
        }
        MUST(store_erase(w->s, x.p, &e));
        MUST(store_commit(w->s, &e));
    }
    store_close(w->s);
    w->s = NULL;
    MUST(store_restore(backup, w->path, &w->o, &erased, &e));
    assert_int_equal(erased, 1);
    MUST(store_open(w->path, &w->o, &w->s, &e));
    world_tune(w);
    verify(w);
    unlink(backup);
    pair_end(&p);
}

/* ---- damage ---- */

static int
count_problem(void *ctx, const char *what, const char *place)
{
    (void)what;
    (void)place;
    (*(unsigned *)ctx)++;
    return 0;
}

/* The first tile of inner nodes of stream 1. */
#define INNER "(1 << 41) + (1 << 37)"

static void
keep_head(struct world *w, uint32_t number, uint64_t size, const uint8_t *root)
{
    struct store_stream t;
    struct merkle_source src;
    struct head h = {.size = size};
    struct buf b;

    assert_true(stream_at(w, NULL, number, &t));
    h.stream = t.id;
    MUST(store_stream_source(w->s, number, w->a, &src, &e));
    MUST(merkle_root(&src, size, &h.root, &e));
    if (root)
        memcpy(h.root.b, root, sizeof h.root.b);
    buf_init(&b, HEAD_BYTES);
    MUST(head_encode(&h, &b, &e));
    MUST(store_head_keep(w->s, number, size, buf_view(&b), (struct span){0}, &e));
    buf_clear(&b);
}

static void
damage(void **state)
{
    static const char *const harm[] = {
        "UPDATE tile SET data = zeroblob(length(data)) WHERE k = (SELECT min(k) FROM tile)",
        "DELETE FROM tile WHERE k = (SELECT max(k) FROM tile)",
        "UPDATE stream SET size = size + 1 WHERE n = 1",
        "UPDATE tile SET data = zeroblob(length(data)) WHERE k = " INNER,
        "DELETE FROM tile WHERE k = " INNER,
        "UPDATE tile SET data = substr(CAST(data AS BLOB), 1, 32) WHERE k = " INNER,
        "INSERT INTO tile (k, data) SELECT (SELECT max(k) FROM tile WHERE k < (1 << 41) + (1 << "
        "37)) + 1, data FROM tile WHERE k = (SELECT min(k) FROM tile)",
        "UPDATE lack SET header = x'00' WHERE entry = (SELECT min(entry) FROM lack)",
        "UPDATE lack SET salt = zeroblob(32) WHERE entry = (SELECT min(entry) FROM lack)",
        "UPDATE lack SET salt = x'00' WHERE entry = (SELECT min(entry) FROM lack)",
        "UPDATE lack SET owed = 0 WHERE entry = (SELECT min(entry) FROM lack)",
        "UPDATE lack SET entry = entry + 1000 WHERE entry = (SELECT min(entry) FROM lack)",
        "UPDATE lack SET stream = 99 WHERE entry = (SELECT min(entry) FROM lack)",
        "INSERT INTO lack SELECT stream, (SELECT min(entry) FROM publication WHERE stream = 1), "
        "0, salt, header FROM lack LIMIT 1",
        "UPDATE stream SET owed = owed + 1 WHERE n = 1",
        "UPDATE stream SET current = 1 WHERE n = 1", /* entries without rows, and said here? */
        "UPDATE stream SET id = zeroblob(32) WHERE n = 1",
        "UPDATE stream SET incarnation = zeroblob(16) WHERE n = 1",
        "UPDATE head SET head = zeroblob(length(head))",
        "UPDATE head SET head = x'00'",
        "UPDATE head SET size = size - 1",
        "UPDATE head SET stream = 99",
        "UPDATE head SET stream = 2",
        "UPDATE frozen SET evidence = x''",
        "UPDATE frozen SET stream = 99",
        "UPDATE publication SET entry = entry + 1 WHERE p = 3",
        "UPDATE publication SET stream = 1 WHERE p = (SELECT max(p) FROM publication)",
    };
    struct pair p = pair_new(*state);

    say_some(&p, 200);
    while (p.stream == 0) /* not cut */
        take_page(&p, 180);
    say_own(&p);
    MUST(store_begin(p.b->s, &e));
    keep_head(p.b, 1, 150, NULL);
    MUST(store_stream_freeze(p.b->s, 1, 170, SPAN("evidence"), &e));
    MUST(store_commit(p.b->s, &e));
    verify(p.b);
    for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
        struct store_check_counts c;
        struct err why = ERR_INIT;
        unsigned found = 0;
        int rc;

        {
            char copy[PATH_MAX];
            struct store *s;

            snprintf(copy, sizeof copy, "%s/copy%zu", p.b->folder, i);
            MUST(store_backup(p.b->s, copy, NULL, NULL, &e));
            MUST(store_open(copy, &p.b->o, &s, &e));
            s->gen_shift = p.b->gen_shift;
            s->keep_plain = 17;
            MUST(s->drv->begin(s->d, &e));
            MUST(s->drv->exec(s->d, harm[i], &e));
            MUST(s->drv->commit(s->d, &e));
            rc = store_check(s, count_problem, NULL, &found, &c, &why);
            if (rc == 0 && found == 0)
                fail_msg("not found: %s", harm[i]);
            store_close(s);
        }
    }
    pair_end(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refusals, world_make, world_remove),
        cmocka_unit_test_setup_teardown(heads, world_make, world_remove),
        cmocka_unit_test_setup_teardown(upgrade, world_make, world_remove),
        cmocka_unit_test_setup_teardown(damage, world_make, world_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
