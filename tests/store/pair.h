/*
 * tests/store/pair.h - two stores: one says things, the other takes them as entries, in pages of
 * any size, bytes at once or later or never, erasures by entry or by notice; and a plain model of
 * both.
 */
#ifndef JAGA_TESTS_STORE_PAIR_H
#define JAGA_TESTS_STORE_PAIR_H

#include "world.h"

#include "head.h"
#include "store_backup.h"
#include "store_said.h"
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
    /* The plain model, by entry of a's stream. */
    struct said {
        struct store_entry x; /* as it was when it was said: what a third node may still give */
        bool erased;          /* by a, later */
        bool unwanted;        /* its bytes, by b */
        bool held, gone;      /* at b: as a publication, erased */
    } * said_list;
    size_t said_n;
};

#define ENTRIES 20000

static inline struct span
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

static inline struct world *
world_new(const struct world *like)
{
    void *state = NULL;

    assert_int_equal(world_make(&state), 0);
    ((struct world *)state)->seed = like ? like->seed + 1 : ((struct world *)state)->seed;
    ((struct world *)state)->o.version = version_of;
    reopen(state);
    return state;
}

static inline void
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

static inline struct pair
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
    p.said_list = calloc(ENTRIES, sizeof *p.said_list);
    return p;
}

/* Generations as store_restore knows them. */
static inline void
plain_generations(struct world *w)
{
    w->gen_shift = GEN_SHIFT;
    reopen(w);
}

static inline void
pair_end(struct pair *p)
{
    void *state = p->b;

    for (size_t i = 0; i < p->said_n; i++) {
        free((void *)(uintptr_t)p->said_list[i].x.header.p);
        free((void *)(uintptr_t)p->said_list[i].x.body.p);
    }
    free(p->said_list);
    world_remove(&state);
}

static inline struct span
own_copy(struct span s)
{
    char *mem = malloc(s.n + 1);

    memcpy(mem, s.p ? s.p : "", s.n);
    return (struct span){mem, s.n};
}

static inline bool
stream_at(struct world *w, const struct hash *id, uint32_t number, struct store_stream *out)
{
    int rc = 0;

    MUST(rc = store_stream_get(w->s, id, number, w->a, out, &e));
    return rc == 1;
}

/* The model hears what a has said since. */
static inline void
listen(struct pair *p)
{
    struct store_stream t;
    int rc;

    MUST(store_begin(p->a->s, &e));
    if (stream_at(p->a, NULL, 1, &t))
        for (; p->said_n < t.size; p->said_n++) {
            struct store_entry *x = &p->said_list[p->said_n].x;

            assert_true(p->said_n < ENTRIES);
            MUST(rc = store_entry_get(p->a->s, 1, p->said_n, true, p->a->a, x, &e));
            assert_int_equal(rc, 1);
            x->header = own_copy(x->header);
            x->body = own_copy(x->body);
        }
    store_abort(p->a->s);
    arena_reset(p->a->a);
}

static inline struct store_row
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

static inline void
say_some(struct pair *p, unsigned n)
{
    MUST(store_begin(p->a->s, &e));
    for (unsigned i = 0; i < n; i++) {
        const struct store_row r = sample_row(p->a, p->said++, p->a_audience, ORG_SELF);

        MUST(store_put(p->a->s, &r, NULL, &e));
    }
    MUST(store_commit(p->a->s, &e));
    listen(p);
}

static inline void
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
            p->said_list[i].erased = true;
        }
    }
    MUST(store_commit(p->a->s, &e));
    listen(p);
}

/* ---- taking ---- */

static inline void
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

/* Who gives: a itself, or a third node that has not heard of erasures. */
static inline struct store_entry
given(struct pair *p, uint64_t i, bool stale)
{
    struct store_entry x = p->said_list[i].x;

    if (!stale && p->said_list[i].erased)
        x = (struct store_entry){.bare = true, .d = x.d};
    return x;
}

static inline void
goes(struct pair *p, uint64_t i)
{
    MUST(store_erase_taken(p->b->s, p->stream, i, &e));
    p->said_list[i].gone = true;
    p->said_list[i].held = false;
}

/* An entry of a page, and what follows from it. */
static inline void
take_one(struct pair *p, uint64_t i, const struct store_entry *x)
{
    struct entry en;

    if (x->bare) {
        p->said_list[i].gone = true;
        return;
    }
    assert_int_equal(entry_decode(x->header, &en, NULL), 0);
    if (en.kind == ENTRY_ERASE) {
        goes(p, en.target);
    } else if (below(p->b, 3) > 0) {
        take_body(p, i, x);
        p->said_list[i].held = true;
        /* A notice comes at once; or it is not wanted after all. */
        if (p->said_list[i].erased && below(p->b, 3) == 0)
            goes(p, i);
    }
}

/* Some of what may be known already, then what follows, whole or not at all. */
static inline void
take_page(struct pair *p, size_t most)
{
    const bool stale = below(p->b, 2), cut = below(p->b, 8) == 0;
    struct said *before = calloc(ENTRIES, sizeof *before);
    const uint32_t stream = p->stream;
    struct store_stream from, to;
    struct store_entry *list;
    uint64_t have, at;
    size_t n = 0;

    memcpy(before, p->said_list, ENTRIES * sizeof *before);
    MUST(store_begin(p->a->s, &e));
    MUST(store_begin(p->b->s, &e));
    if (!stream_at(p->a, NULL, 1, &from))
        goto out;
    if (p->stream == 0)
        MUST(store_stream_make(p->b->s, &from.name, p->org, p->b_audience, &p->stream, &e));
    assert_true(stream_at(p->b, NULL, p->stream, &to));
    assert_true(hash_eq(&to.id, &from.id));
    assert_false(to.own || to.current);
    have = to.size;
    at = have - below(p->b, 4) * (uint64_t)below(p->b, 9) % (have + 1);
    list = arena_zero(p->a->a, have - at + most + 1, sizeof *list);
    for (; n < have - at + most && at + n < from.size; n++)
        list[n] = given(p, at + n, stale);
    MUST(store_entries_take(p->b->s, p->stream, at, list, n, &e));
    for (uint64_t i = have; i < at + n; i++)
        take_one(p, i, &list[i - at]);
out:
    if (cut) {
        store_abort(p->b->s);
        memcpy(p->said_list, before, ENTRIES * sizeof *before);
        p->stream = stream;
    } else {
        MUST(store_commit(p->b->s, &e));
    }
    store_abort(p->a->s);
    arena_reset(p->a->a);
    arena_reset(p->b->a);
    free(before);
}

/* Some of what is owed comes, or is not wanted, or is told to be erased. */
static inline void
take_owed(struct pair *p, size_t most, bool stale)
{
    uint64_t *list;
    size_t n;

    if (p->stream == 0)
        return;
    MUST(store_begin(p->b->s, &e));
    MUST(store_owed(p->b->s, p->stream, 0, most, p->b->a, &list, &n, &e));
    for (size_t i = 0; i < n; i++) {
        const struct store_entry x = given(p, list[i], stale);

        if (i > 0)
            assert_true(list[i] > list[i - 1]);
        if (x.bare) {
            goes(p, list[i]);
            continue;
        }
        if (below(p->b, 20) > 0) {
            take_body(p, list[i], &x);
            p->said_list[list[i]].held = true;
            if (below(p->b, 20) > 0)
                continue;
        }
        MUST(store_owed_drop(p->b->s, p->stream, list[i], &e)); /* also what came just now */
        p->said_list[list[i]].unwanted = true;
        p->said_list[list[i]].held = false;
    }
    MUST(store_commit(p->b->s, &e));
    arena_reset(p->b->a);
}

/* A notice alone: what it erases goes, held or owed or neither. */
static inline void
take_notice(struct pair *p)
{
    struct store_stream t;

    MUST(store_begin(p->b->s, &e));
    if (p->stream != 0 && stream_at(p->b, NULL, p->stream, &t))
        for (uint64_t i = 0; i < t.size; i++)
            if (p->said_list[i].erased && below(p->b, 2))
                goes(p, i);
    MUST(store_commit(p->b->s, &e));
    arena_reset(p->b->a);
}

static inline void
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

static inline void
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

/* Each entry that b holds is what the model says. */
static inline void
same_entries(struct pair *p)
{
    struct store_stream t;
    uint64_t owed = 0;

    MUST(store_begin(p->b->s, &e));
    if (p->stream == 0 || !stream_at(p->b, NULL, p->stream, &t))
        t.size = 0;
    for (uint64_t i = 0; i < t.size; i++) {
        const struct said *m = &p->said_list[i];
        struct store_entry y;
        struct entry en = {.kind = ENTRY_ERASE};
        int rc;

        MUST(rc = store_entry_get(p->b->s, p->stream, i, true, p->b->a, &y, &e));
        assert_int_equal(rc, 1);
        assert_true(hash_eq(&m->x.d, &y.d));
        assert_int_equal(y.bare, m->gone);
        assert_int_equal(y.has_body, m->held);
        if (y.bare)
            continue;
        assert_true(span_eq(m->x.header, y.header));
        assert_memory_equal(m->x.salt, y.salt, sizeof y.salt);
        if (m->held)
            assert_true(span_eq(m->x.body, y.body));
        assert_int_equal(entry_decode(y.header, &en, NULL), 0);
        owed += en.kind == ENTRY_PUT && !m->held && !m->unwanted;
    }
    if (t.size > 0)
        assert_int_equal(t.settled, t.size - owed);
    store_abort(p->b->s);
    arena_reset(p->b->a);
}

static inline void
take_all(struct pair *p)
{
    struct store_stream from, to;

    do {
        take_page(p, ENTRIES);
        take_owed(p, ENTRIES, false);
        MUST(store_begin(p->a->s, &e));
        MUST(store_begin(p->b->s, &e));
        assert_true(stream_at(p->a, NULL, 1, &from));
        if (p->stream == 0 || !stream_at(p->b, &from.id, 0, &to))
            to.size = 0;
        store_abort(p->a->s);
        store_abort(p->b->s);
    } while (to.size < from.size); /* a page was cut */
    assert_int_equal(to.settled, to.size);
    for (size_t i = 0; i < p->said_n; i++)
        assert_int_equal(p->said_list[i].gone, p->said_list[i].erased);
    same_tree(p);
    same_entries(p);
}

#endif
