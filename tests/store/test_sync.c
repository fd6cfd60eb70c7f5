/*
 * Streams whole: one store says things, another takes them as entries, in pages of any size, bytes
 * at once or later or never, erasures by entry or by notice; both prove the same tree at any size.
 */
#include "world.h"

#include "store_backup.h"
#include "store_sync.h"
#include "store_tile.h"

#define THEIRS "identity--aaaaaaaa-0000-4000-8000-000000000001"

/* ---- two stores ---- */

struct pair {
    struct world *a, *b; /* a says, b takes */
    uint32_t a_audience, b_audience;
    uint32_t org;    /* a's, at b */
    uint32_t stream; /* at b; 0: not yet */
    unsigned said;   /* samples so far */
    bool *erased;    /* entries of a's stream that are erased, as a said or noticed */
    size_t erased_n;
};

static struct span
version_of(void *ctx, struct span bytes, struct arena *a)
{
    struct sample x;
    char *text = arena_dup(a, bytes);

    (void)ctx;
    if (!text || sscanf(text, "{\"id\":%u,\"modified\":%lld,", &x.ident, &x.modified) != 2 ||
        !x.modified)
        return (struct span){NULL, 0};
    return sample_span(a, "%lld", x.modified);
}

static struct world *
world_new(const struct world *like)
{
    void *state = NULL;

    assert_int_equal(world_make(&state), 0);
    ((struct world *)state)->seed = like ? like->seed + 1 : ((struct world *)state)->seed;
    ((struct world *)state)->o.version = version_of;
    reopen(state);
    return state;
}

static void
org_identity(struct world *w, uint32_t number, const char *identity, uint32_t *out)
{
    struct store_org o = {.r = {.kind = ORG_MEMBER}, .name = SPAN("them"), .title = SPAN("them")};

    MUST(store_begin(w->s, &e));
    if (number != 0)
        MUST(store_org_get(w->s, number, (struct span){NULL, 0}, w->a, &o, &e));
    o.identity = span_of(identity);
    MUST(store_org_put(w->s, &o, &e));
    MUST(store_commit(w->s, &e));
    *out = o.r.number;
}

static struct pair
pair_new(struct world *a)
{
    struct pair p = {.a = a, .b = world_new(a)};
    uint32_t own;

    a->o.version = version_of;
    reopen(a);
    org_identity(p.a, ORG_SELF, THEIRS, &own);
    org_identity(p.b, 0, THEIRS, &p.org);
    MUST(store_begin(p.a->s, &e));
    p.a_audience = audience_make(p.a, TLP_GREEN, GROUP_REGION, false);
    MUST(store_commit(p.a->s, &e));
    MUST(store_begin(p.b->s, &e));
    p.b_audience = audience_make(p.b, TLP_GREEN, GROUP_REGION, false);
    MUST(store_commit(p.b->s, &e));
    p.erased = calloc(100000, sizeof *p.erased);
    return p;
}

static void
pair_end(struct pair *p)
{
    void *state = p->b;

    free(p->erased);
    world_remove(&state);
}

static struct store_row
sample_row(struct world *w, unsigned n, uint32_t audience, uint32_t publisher)
{
    struct sample x = {.ident = n % 97, .variant = n % 3, .modified = n % 3 == 2 ? 0 : 1000 + n};
    struct store_row r = {.audience = audience,
                          .publisher = publisher,
                          .group_version = n % 5,
                          .order = STORE_OTHER,
                          .versioned = x.modified != 0,
                          .modified = {.sec = x.modified},
                          .confidence = -1};
    char bytes[200], id[80];

    sample_print(&x, bytes);
    sample_id(x.ident, id);
    r.id = arena_span(w->a, span_of(id));
    r.type = span_part(r.id, 0, (size_t)span_find(r.id, '-'));
    r.bytes = arena_span(w->a, span_of(bytes));
    hash_sha256(r.bytes, &r.hash);
    MUST(sample_index(NULL, r.bytes, w->a, &r.index, &e));
    return r;
}

static void
say_some(struct pair *p, unsigned n)
{
    MUST(store_begin(p->a->s, &e));
    for (unsigned i = 0; i < n; i++) {
        const struct store_row r = sample_row(p->a, p->said++, p->a_audience, ORG_SELF);

        MUST(store_put(p->a->s, &r, NULL, &e));
    }
    MUST(store_commit(p->a->s, &e));
    arena_reset(p->a->a);
}

static bool
stream_at(struct world *w, const struct hash *id, uint32_t number, struct store_stream *out)
{
    int rc = 0;

    MUST(rc = store_stream_get(w->s, id, number, w->a, out, &e));
    return rc == 1;
}

static void
erase_one(struct pair *p)
{
    struct store_stream t;
    struct store_entry x;
    int rc;

    MUST(store_begin(p->a->s, &e));
    if (stream_at(p->a, NULL, 1, &t) && t.size > 0) {
        const uint64_t i = rnd(p->a) % t.size;
        struct entry en;

        MUST(rc = store_entry_get(p->a->s, 1, i, true, p->a->a, &x, &e));
        if (!x.bare && entry_decode(x.header, &en, NULL) == 0 && en.kind == ENTRY_PUT) {
            MUST(store_erase(p->a->s, x.p, &e));
            p->erased[i] = true;
        }
    }
    MUST(store_commit(p->a->s, &e));
    arena_reset(p->a->a);
}

/* ---- taking ---- */

static void
take_body(struct pair *p, uint64_t i, const struct store_entry *x)
{
    struct store_from from = {p->stream, i};
    struct store_row r;
    struct sample s;
    struct entry en;

    assert_int_equal(entry_decode(x->header, &en, NULL), 0);
    assert_int_equal(sscanf(arena_dup(p->b->a, x->body), "{\"id\":%u,\"modified\":%lld,\"x\":%u,",
                            &s.ident, &s.modified, &s.variant),
                     3);
    r = sample_row(p->b, 0, p->b_audience, p->org);
    r.id = arena_span(p->b->a, en.id);
    r.type = span_part(r.id, 0, (size_t)span_find(r.id, '-'));
    r.bytes = arena_span(p->b->a, x->body);
    hash_sha256(r.bytes, &r.hash);
    r.versioned = s.modified != 0;
    r.modified.sec = s.modified;
    r.group_version = en.group_version;
    MUST(sample_index(NULL, r.bytes, p->b->a, &r.index, &e));
    r.from = arena_zero(p->b->a, 1, sizeof from);
    memcpy((void *)(uintptr_t)r.from, &from, sizeof from);
    MUST(store_put(p->b->s, &r, NULL, &e));
}

/* Whether an erasure that the taker knows of covers what it is about to take. */
static void
take_erasure(struct pair *p, const struct store_entry *x)
{
    struct entry en;

    assert_int_equal(entry_decode(x->header, &en, NULL), 0);
    if (en.kind == ENTRY_ERASE)
        MUST(store_erase_taken(p->b->s, p->stream, en.target, &e));
}

static void
take_page(struct pair *p, size_t most)
{
    struct store_stream from, to;
    struct store_entry *list;
    uint64_t have;
    size_t n = 0;
    int rc;

    MUST(store_begin(p->a->s, &e));
    MUST(store_begin(p->b->s, &e));
    if (!stream_at(p->a, NULL, 1, &from))
        goto out;
    if (p->stream == 0)
        MUST(store_stream_make(p->b->s, &from.name, p->org, p->b_audience, &p->stream, &e));
    assert_true(stream_at(p->b, NULL, p->stream, &to));
    assert_true(hash_eq(&to.id, &from.id));
    assert_false(to.own);
    have = to.size;
    list = arena_zero(p->a->a, most + 1, sizeof *list);
    while (n < most && have + n < from.size) {
        MUST(rc = store_entry_get(p->a->s, 1, have + n, true, p->a->a, &list[n], &e));
        assert_int_equal(rc, 1);
        n++;
    }
    MUST(store_entries_take(p->b->s, p->stream, list, n, &e));
    for (size_t i = 0; i < n; i++) {
        if (list[i].bare)
            continue;
        take_erasure(p, &list[i]);
        if (list[i].has_body && below(p->b, 3) > 0)
            take_body(p, have + i, &list[i]);
    }
out:
    MUST(store_commit(p->b->s, &e));
    store_abort(p->a->s);
    arena_reset(p->a->a);
    arena_reset(p->b->a);
}

/* Some of what is owed comes, or is told to be erased. */
static void
take_owed(struct pair *p, size_t most)
{
    uint64_t *list;
    size_t n;

    if (p->stream == 0)
        return;
    MUST(store_begin(p->a->s, &e));
    MUST(store_begin(p->b->s, &e));
    MUST(store_owed(p->b->s, p->stream, 0, most, p->b->a, &list, &n, &e));
    for (size_t i = 0; i < n; i++) {
        struct store_entry x;
        int rc;

        if (i > 0)
            assert_true(list[i] > list[i - 1]);
        MUST(rc = store_entry_get(p->a->s, 1, list[i], true, p->a->a, &x, &e));
        assert_int_equal(rc, 1);
        if (x.bare)
            MUST(store_erase_taken(p->b->s, p->stream, list[i], &e));
        else
            take_body(p, list[i], &x);
    }
    MUST(store_commit(p->b->s, &e));
    store_abort(p->a->s);
    arena_reset(p->a->a);
    arena_reset(p->b->a);
}

/* A notice alone: what it erases goes, held or owed or neither. */
static void
take_notice(struct pair *p)
{
    struct store_stream t;

    MUST(store_begin(p->b->s, &e));
    if (p->stream != 0 && stream_at(p->b, NULL, p->stream, &t) && t.size > 0) {
        for (uint64_t i = 0; i < t.size; i++)
            if (p->erased[i] && below(p->b, 2))
                MUST(store_erase_taken(p->b->s, p->stream, i, &e));
    }
    MUST(store_commit(p->b->s, &e));
    arena_reset(p->b->a);
}

static void
say_own(struct pair *p)
{
    MUST(store_begin(p->b->s, &e));
    for (unsigned n = 1 + below(p->b, 5); n > 0; n--) {
        const struct store_row r = sample_row(p->b, below(p->b, 1000), p->b_audience, ORG_SELF);

        MUST(store_put(p->b->s, &r, NULL, &e));
    }
    MUST(store_commit(p->b->s, &e));
    arena_reset(p->b->a);
}

/* ---- what must hold ---- */

static void
same_tree(struct pair *p)
{
    struct store_stream from, to;
    struct merkle_source one, two;
    uint64_t m, n;

    MUST(store_begin(p->a->s, &e));
    MUST(store_begin(p->b->s, &e));
    if (p->stream != 0 && stream_at(p->a, NULL, 1, &from) && stream_at(p->b, &from.id, 0, &to)) {
        struct merkle_proof proof;
        struct hash at_m, at_n;

        MUST(store_stream_source(p->a->s, 1, p->a->a, &one, &e));
        MUST(store_stream_source(p->b->s, p->stream, p->b->a, &two, &e));
        n = to.size;
        m = rnd(p->a) % (n + 1);
        MUST(merkle_root(&one, n, &at_n, &e));
        assert_true(hash_eq(&at_n, &to.root));
        MUST(merkle_root(&two, m, &at_m, &e));
        MUST(merkle_consistency(&two, m, n, &proof, &e));
        assert_true(merkle_consistency_ok(&proof, m, &at_m, n, &at_n));
        MUST(merkle_root(&one, m, &at_n, &e));
        assert_true(hash_eq(&at_n, &at_m));
    }
    store_abort(p->a->s);
    store_abort(p->b->s);
    arena_reset(p->a->a);
    arena_reset(p->b->a);
}

/* Everything was taken: each entry is at both what it is, or bare at both. */
static void
same_entries(struct pair *p)
{
    struct store_stream from, to;

    MUST(store_begin(p->a->s, &e));
    MUST(store_begin(p->b->s, &e));
    assert_true(stream_at(p->a, NULL, 1, &from) && stream_at(p->b, &from.id, 0, &to));
    assert_int_equal(to.size, from.size);
    assert_int_equal(to.settled, to.size);
    for (uint64_t i = 0; i < from.size; i++) {
        struct store_entry x, y;
        int rc;

        MUST(rc = store_entry_get(p->a->s, 1, i, true, p->a->a, &x, &e));
        MUST(rc = store_entry_get(p->b->s, p->stream, i, true, p->b->a, &y, &e));
        assert_true(hash_eq(&x.d, &y.d));
        assert_int_equal(x.bare, y.bare);
        assert_int_equal(x.has_body, y.has_body);
        assert_true(span_eq(x.header, y.header));
        assert_true(span_eq(x.body, y.body));
        if (!x.bare)
            assert_memory_equal(x.salt, y.salt, sizeof x.salt);
        assert_int_equal(p->erased[i], x.bare);
    }
    store_abort(p->a->s);
    store_abort(p->b->s);
    arena_reset(p->a->a);
    arena_reset(p->b->a);
}

static void
histories(void **state)
{
    struct pair p = pair_new(*state);

    for (unsigned act = 0; act < 300; act++) {
        switch (below(p.a, 8)) {
        case 0:
        case 1:
            say_some(&p, below(p.a, 8) ? 1 + below(p.a, 10) : 150);
            break;
        case 2:
            erase_one(&p);
            break;
        case 3:
        case 4:
            take_page(&p, 1 + below(p.b, below(p.b, 4) ? 20 : 300));
            break;
        case 5:
            take_owed(&p, 1 + below(p.b, 30));
            break;
        case 6:
            if (below(p.b, 2))
                take_notice(&p);
            else
                say_own(&p);
            break;
        default:
            same_tree(&p);
            if (below(p.a, 10) == 0)
                reopen(below(p.a, 2) ? p.a : p.b);
        }
    }
    take_page(&p, 100000);
    take_owed(&p, 100000);
    same_tree(&p);
    same_entries(&p);
    verify(p.a);
    verify(p.b);
    reopen(p.b);
    same_entries(&p);
    pair_end(&p);
}

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
    assert_int_equal(store_entries_take(p.b->s, p.stream, &bad, 1, &why), -1);
    assert_int_equal(why.code, ERR_PROTOCOL);
    store_abort(p.b->s);
    MUST(store_begin(p.b->s, &e));
    MUST(store_stream_make(p.b->s, &from.name, p.org, p.b_audience, &p.stream, &e));
    assert_int_equal(store_entries_take(p.b->s, 99, &x, 1, &why), -1);
    MUST(store_entries_take(p.b->s, p.stream, &x, 1, &e));
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

static void
damage(void **state)
{
    static const char *const harm[] = {
        "UPDATE tile SET data = zeroblob(length(data)) WHERE k = (SELECT min(k) FROM tile)",
        "DELETE FROM tile WHERE k = (SELECT max(k) FROM tile)",
        "UPDATE stream SET size = size + 1 WHERE n = 1",
        "UPDATE lack SET header = x'00' WHERE entry = (SELECT min(entry) FROM lack)",
        "UPDATE lack SET salt = zeroblob(32) WHERE entry = (SELECT min(entry) FROM lack)",
        "UPDATE publication SET entry = entry + 1 WHERE p = 3",
        "UPDATE publication SET stream = 1 WHERE p = (SELECT max(p) FROM publication)",
    };
    struct pair p = pair_new(*state);

    say_some(&p, 200);
    take_page(&p, 180);
    say_own(&p);
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
        cmocka_unit_test_setup_teardown(histories, world_make, world_remove),
        cmocka_unit_test_setup_teardown(refusals, world_make, world_remove),
        cmocka_unit_test_setup_teardown(heads, world_make, world_remove),
        cmocka_unit_test_setup_teardown(upgrade, world_make, world_remove),
        cmocka_unit_test_setup_teardown(damage, world_make, world_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
