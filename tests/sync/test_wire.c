/* Questions and answers as bytes: what is written is read back, and nothing else is taken. */
#include "check.h"

#include "wire.h"

#define ROUNDS 3000

static uint64_t
below(struct check_random *r, uint64_t n)
{
    return check_next(r) % n;
}

static void
fill(struct check_random *r, void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)p)[i] = (uint8_t)check_next(r);
}

static struct span
some(struct check_random *r, struct arena *a, size_t max)
{
    size_t n = below(r, max + 1);
    char *p = arena_alloc(a, n + 1);

    fill(r, p, n);
    return (struct span){p, n};
}

static void
proof(struct check_random *r, struct merkle_proof *p)
{
    p->n = below(r, 4) == 0 ? MERKLE_PROOF_MAX : below(r, 5);
    fill(r, p->h, p->n * sizeof p->h[0]);
}

static struct sync_ask
any_ask(struct check_random *r, struct arena *a)
{
    struct sync_ask q = {.verb = (enum sync_ask_verb)(1 + below(r, 4))};
    struct span *outs = arena_zero(a, SYNC_OUTS_MAX, sizeof *outs);
    struct sync_key *keys = arena_zero(a, 8, sizeof *keys);
    uint64_t *list = arena_zero(a, 8, sizeof *list);

    switch (q.verb) {
    case SYNC_ASK_HELLO:
        fill(r, &q.epoch, sizeof q.epoch);
        fill(r, &q.digest, sizeof q.digest);
        q.cursor = check_next(r);
        q.region = (uint32_t)check_next(r);
        q.out_n = below(r, 8) == 0 ? SYNC_OUTS_MAX : below(r, 3);
        for (size_t i = 0; i < q.out_n; i++)
            outs[i] = some(r, a, 40);
        q.outs = outs;
        break;
    case SYNC_ASK_ITEMS:
        q.key_n = below(r, 8);
        fill(r, keys, q.key_n * sizeof *keys);
        q.keys = keys;
        break;
    case SYNC_ASK_TAIL:
        q.from = check_next(r);
        q.upto = check_next(r);
        q.with_bodies = below(r, 2);
        break;
    case SYNC_ASK_BODIES:
        q.index_n = below(r, 8);
        for (size_t i = 0; i < q.index_n; i++)
            list[i] = (i > 0 ? list[i - 1] + 1 : 0) + below(r, 100);
        q.indices = list;
        break;
    }
    if (q.verb == SYNC_ASK_TAIL || q.verb == SYNC_ASK_BODIES) {
        fill(r, &q.stream, sizeof q.stream);
        q.max_bytes = (uint32_t)check_next(r);
    }
    return q;
}

static void
any_delta(struct check_random *r, struct arena *a, struct sync_answer *w)
{
    struct sync_item *items = arena_zero(a, 8, sizeof *items);
    struct sync_key *gone = arena_zero(a, 8, sizeof *gone);

    w->asked = below(r, 2);
    w->item_n = below(r, 8);
    for (size_t i = 0; i < w->item_n; i++) {
        items[i].kind = (enum sync_kind)(1 + below(r, 255)); /* unknown ones pass too */
        fill(r, &items[i].key, sizeof items[i].key);
        items[i].content = some(r, a, 100);
    }
    w->gone_n = below(r, 8);
    fill(r, gone, w->gone_n * sizeof *gone);
    w->items = items;
    w->gone = gone;
}

static void
any_tail(struct check_random *r, struct arena *a, struct sync_answer *w)
{
    struct sync_entry *en = arena_zero(a, 8, sizeof *en);
    struct sync_link *links = arena_zero(a, 8, sizeof *links);

    fill(r, &w->stream, sizeof w->stream);
    fill(r, &w->from_root, sizeof w->from_root);
    fill(r, &w->have_root, sizeof w->have_root);
    proof(r, &w->from_have);
    proof(r, &w->page_have);
    w->head = some(r, a, 200);
    w->entry_n = below(r, 8);
    w->from = below(r, 100);
    w->have = w->from + w->entry_n + below(r, 3);
    w->link_n = below(r, 3);
    for (size_t i = 0; i < w->link_n; i++) {
        links[i].size = (i > 0 ? links[i - 1].size : w->have) + 1 + below(r, 9);
        fill(r, &links[i].root, sizeof links[i].root);
        proof(r, &links[i].proof);
    }
    w->links = links;
    for (size_t i = 0; i < w->entry_n; i++) {
        en[i].bare = below(r, 3) == 0;
        if (en[i].bare) {
            fill(r, &en[i].d, sizeof en[i].d);
            continue;
        }
        fill(r, en[i].salt, sizeof en[i].salt);
        en[i].header = some(r, a, 60);
        en[i].has_body = below(r, 2);
        if (en[i].has_body)
            en[i].body = some(r, a, 100);
        entry_commit(en[i].salt, en[i].header, &en[i].d);
    }
    w->entries = en;
}

static struct sync_answer
any_answer(struct check_random *r, struct arena *a)
{
    struct sync_answer w = {.verb = (enum sync_answer_verb)(1 + below(r, SYNC_NO))};
    struct sync_pair *pairs = arena_zero(a, 8, sizeof *pairs);
    struct sync_body *bodies = arena_zero(a, 8, sizeof *bodies);

    if (w.verb <= SYNC_PRINTS) {
        fill(r, &w.epoch, sizeof w.epoch);
        w.cursor = check_next(r);
        w.recovering = below(r, 2);
    }
    if (w.verb == SYNC_DELTA || w.verb == SYNC_PRINTS)
        fill(r, &w.digest, sizeof w.digest);
    if (w.verb == SYNC_DELTA) {
        any_delta(r, a, &w);
    } else if (w.verb == SYNC_PRINTS) {
        w.print_n = below(r, 8);
        fill(r, pairs, w.print_n * sizeof *pairs);
        for (size_t i = 0; i < w.print_n; i++)
            pairs[i].key.b[0] = (uint8_t)i;
        w.prints = pairs;
    } else if (w.verb == SYNC_TAIL) {
        any_tail(r, a, &w);
    } else if (w.verb == SYNC_BODIES) {
        fill(r, &w.stream, sizeof w.stream);
        w.body_n = below(r, 8);
        for (size_t i = 0; i < w.body_n; i++) {
            bodies[i].index = i * 10 + below(r, 10);
            bodies[i].gone = below(r, 3) == 0;
            if (!bodies[i].gone)
                bodies[i].bytes = some(r, a, 100);
        }
        w.bodies = bodies;
    }
    return w;
}

static struct span
encoded(struct arena *a, const struct sync_ask *q, const struct sync_answer *w)
{
    struct buf b;
    struct span s;

    buf_init(&b, SYNC_MESSAGE_MAX);
    if (q != NULL)
        sync_ask_encode(q, &b);
    else
        sync_answer_encode(w, &b);
    assert_false(b.failed);
    s = arena_span(a, buf_view(&b));
    buf_clear(&b);
    return s;
}

static int
decode(struct arena *a, bool ask, struct span s, struct span *again, struct err *e)
{
    struct sync_ask q;
    struct sync_answer w;

    if (ask ? sync_ask_decode(s, a, &q, e) != 0 : sync_answer_decode(s, a, &w, e) != 0)
        return -1;
    *again = encoded(a, ask ? &q : NULL, &w);
    return 0;
}

static void
round_trips(void **state)
{
    struct check_random r = check_seed("wire");
    struct arena *a = arena_new(1u << 24);
    unsigned taken = 0;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        bool ask = below(&r, 2);
        struct sync_ask q = any_ask(&r, a);
        struct sync_answer w = any_answer(&r, a);
        struct span s = encoded(a, ask ? &q : NULL, &w), again;
        struct err e = ERR_INIT;
        size_t at;
        char *bad;

        if (decode(a, ask, s, &again, &e) != 0)
            fail_msg("%s", e.text);
        assert_true(span_eq(s, again));
        /* one byte less, or one more */
        at = below(&r, s.n);
        assert_int_equal(decode(a, ask, span_part(s, 0, at), &again, &e), -1);
        bad = arena_alloc(a, s.n + 1);
        memcpy(bad, s.p, s.n);
        bad[s.n] = 0;
        assert_int_equal(decode(a, ask, (struct span){bad, s.n + 1}, &again, &e), -1);
        /* another byte: refused, or it says just that */
        bad[at] = (char)(bad[at] ^ (1 << below(&r, 8)));
        if (decode(a, ask, (struct span){bad, s.n}, &again, &e) == 0) {
            assert_true(span_eq((struct span){bad, s.n}, again));
            taken++;
        } else {
            assert_int_equal(e.code, ERR_PROTOCOL);
        }
        arena_reset(a);
    }
    assert_true(taken > ROUNDS / 4);
    arena_free(a);
}

static void
refused(void **state)
{
    static const struct {
        const char *why;
        unsigned char b[40];
        size_t n;
        bool ask;
    } bad[] = {
        {"nothing", {0}, 0, true},
        {"version 0", {0, 3}, 2, true},
        {"version 2", {2, 3}, 2, true},
        {"verb 0", {1, 0}, 2, true},
        {"verb 5", {1, 5}, 2, true},
        {"a count of 4097 keys", {1, 2, 0, 0, 0x10, 1}, 6, true},
        {"a count beyond the bytes", {1, 2, 0, 0, 0, 1, 1, 2, 3}, 9, true},
        {"nothing", {0}, 0, false},
        {"version 2", {2, 1}, 2, false},
        {"verb 0", {1, 0}, 2, false},
        {"verb 7", {1, 7}, 2, false},
        {"no more behind NO", {1, 6, 0}, 3, false},
        {"SAME without epoch", {1, 1}, 2, false},
    };
    struct arena *a = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e = ERR_INIT;
        struct span again;

        if (decode(a, bad[i].ask, span_from(bad[i].b, bad[i].n), &again, &e) == 0)
            fail_msg("taken: %s", bad[i].why);
        assert_int_equal(e.code, ERR_PROTOCOL);
    }
    arena_free(a);
}

/* What is said by lists is checked beyond their bytes. */
static void
rules(void **state)
{
    struct arena *a = arena_new(1u << 20);
    struct sync_pair pairs[2] = {{.key = {{1}}}, {.key = {{1}}}};
    const uint64_t twice[] = {4, 4};
    struct sync_body bodies[] = {{.index = 4}, {.index = 3}};
    struct sync_body gone = {.index = 1, .gone = true, .bytes = SPAN("x")};
    struct sync_entry en = {.bare = true, .has_body = true, .body = SPAN("x")};
    struct sync_ask q = {.verb = SYNC_ASK_BODIES, .indices = twice, .index_n = 2};
    struct sync_answer prints = {.verb = SYNC_PRINTS, .prints = pairs, .print_n = 2};
    struct sync_answer order = {.verb = SYNC_BODIES, .bodies = bodies, .body_n = 2};
    struct sync_answer not_gone = {.verb = SYNC_BODIES, .bodies = &gone, .body_n = 1};
    struct sync_link link = {.size = 2};
    struct sync_answer bare = {.verb = SYNC_TAIL, .have = 1, .entries = &en, .entry_n = 1};
    struct sync_answer over = {.verb = SYNC_TAIL, .from = 3, .have = 2};
    struct sync_answer beyond = {.verb = SYNC_TAIL, .have = 2, .links = &link, .link_n = 1};
    const struct sync_answer *const list[] = {&prints, &order, &not_gone, &bare, &over, &beyond};
    struct span again;

    (void)state;
    assert_int_equal(decode(a, true, encoded(a, &q, NULL), &again, NULL), -1);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (decode(a, false, encoded(a, NULL, list[i]), &again, NULL) == 0)
            fail_msg("taken: %zu", i);
    }
    pairs[1].key.b[0] = 2;
    assert_int_equal(decode(a, false, encoded(a, NULL, &prints), &again, NULL), 0);
    arena_free(a);
}

/* Before TLS, with nothing new: what a round costs. */
static void
quiet(void **state)
{
    struct arena *a = arena_new(1u << 20);
    struct sync_ask q = {.verb = SYNC_ASK_HELLO};
    struct sync_answer w = {.verb = SYNC_SAME};

    (void)state;
    assert_true(encoded(a, &q, NULL).n < 100);
    assert_true(encoded(a, NULL, &w).n < 42);
    arena_free(a);
}

static void
must_be(const void *p, size_t n, const char *hex)
{
    uint8_t want[HASH_BYTES];

    assert_true(hex_read(span_of(hex), want, n));
    assert_memory_equal(p, want, n);
}

/* The values that doc/sync.md gives to check an implementation by. */
static void
vectors(void **state)
{
    struct sync_pair pair = {.key = {{1}}};
    struct sync_print print;
    struct sync_key key;
    struct hash h;

    (void)state;
    sync_key_of(SYNC_HEAD, SPAN("n"), &key);
    must_be(key.b, sizeof key.b, "ae7a52d422ead3d0");
    sync_print_of(SYNC_HEAD, SPAN("a"), &print);
    must_be(print.b, sizeof print.b, "2c1741cdad8b42172a2fd5fe1178bec1");
    sync_digest(NULL, 0, &h);
    must_be(h.b, sizeof h.b, "d1b9bb795d74e0317fce46a95d336fd60ab378132dc9d89f664f1ac71ea7ed94");
    sync_digest(&pair, 1, &h);
    must_be(h.b, sizeof h.b, "0c9fb312b3aa3be9da2f1bc57669b8b3e1ca74cbcd771fa2d70cc89d8ac6b60e");
}

static void
digests(void **state)
{
    struct sync_pair pairs[2] = {{.key = {{1}}}, {.key = {{2}}}};
    struct sync_key head, erase;
    struct sync_print x, y;
    struct hash none, one, two;

    (void)state;
    sync_key_of(SYNC_HEAD, SPAN("n"), &head);
    sync_key_of(SYNC_ERASE, SPAN("n"), &erase);
    assert_true(sync_key_cmp(&head, &erase) != 0);
    sync_print_of(SYNC_HEAD, SPAN("a"), &x);
    sync_print_of(SYNC_HEAD, SPAN("b"), &y);
    assert_memory_not_equal(x.b, y.b, sizeof x.b);
    sync_digest(NULL, 0, &none);
    sync_digest(pairs, 1, &one);
    sync_digest(pairs, 2, &two);
    assert_false(hash_eq(&none, &one));
    assert_false(hash_eq(&one, &two));
    pairs[0].print = x;
    sync_digest(pairs, 1, &two);
    assert_false(hash_eq(&one, &two));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trips), cmocka_unit_test(refused),
                                       cmocka_unit_test(rules),       cmocka_unit_test(quiet),
                                       cmocka_unit_test(vectors),     cmocka_unit_test(digests)};
    struct err e = ERR_INIT;

    if (crypto_start(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
