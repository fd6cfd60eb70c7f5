/* A peer that lies: altered answers, proofs of other trees, forged heads, evidence that is none. */
#include "toy.h"

#define ALTERED 6000 /* answers with a changed byte */

struct pair {
    struct toy toys[TOYS];
    struct check_random r;
    struct arena *a;
};

static struct pair *
pair_new(void)
{
    struct pair *p = calloc(1, sizeof *p);

    assert_non_null(p);
    p->r = check_seed("lies");
    p->a = arena_new(SYNC_MESSAGE_MAX * 2);
    toys_new(p->toys, &p->r);
    (void)toy_add(&p->toys[0], 1, 1, true, &p->r);
    for (int i = 0; i < 20; i++) {
        (void)toy_publish(&p->toys[0], i % 2, 1, &p->r);
        (void)toy_publish(&p->toys[1], 0, 2, &p->r);
    }
    (void)toy_erase(&p->toys[0], &p->r);
    return p;
}

static void
pair_free(struct pair *p)
{
    toys_free(p->toys);
    arena_free(p->a);
    free(p);
}

/* What the client holds is what the publisher said, and no more. */
static void
check_held(struct pair *p, struct toy *t)
{
    for (size_t i = 0; i < t->s->stream_n; i++) {
        const struct t_stream *s = &t->s->streams[i];
        const struct t_stream *at = toy_stream(&p->toys[s->publisher], &s->id);
        struct uuid publisher = toy_uuid(s->publisher);
        struct hash h;

        if (s->have == 0)
            continue;
        assert_non_null(at);
        assert_true(s->have <= at->have);
        assert_false(s->frozen);
        assert_true(head_ok(&s->head, &publisher, &p->toys[s->publisher].key));
        for (uint64_t k = 0; k < s->have; k++) {
            assert_true(hash_eq(&s->e[k].d, &at->e[k].d));
            if (!s->e[k].has_body)
                continue;
            hash_sha256((struct span){s->e[k].body, s->e[k].body_n}, &h);
            assert_memory_equal(s->e[k].body, at->e[k].body, s->e[k].body_n);
        }
    }
}

static bool
quiet(struct pair *p)
{
    struct toy *t = &p->toys[2];

    for (size_t i = 0; i < p->toys[0].s->stream_n; i++) {
        const struct t_stream *s = &p->toys[0].s->streams[i], *mine = toy_stream(t, &s->id);

        if (s->a.group == 0 && (mine == NULL || mine->have < s->have))
            return false;
    }
    return true;
}

typedef void alter_fn(struct pair *p, char *bytes, size_t n, struct sync_answer *w);

/* A round of node 2 with node 0, each answer altered.  What became of it. */
static int
play(struct pair *p, alter_fn *alter, struct err *e)
{
    struct toy *client = &p->toys[2], *server = &p->toys[0];
    struct uuid me = toy_uuid(2), peer = toy_uuid(0);
    struct sync_round *s = sync_round_new(&client->r, &peer, e);
    struct sync_ask q;
    int rc;

    while ((rc = sync_round_ask(s, &q, e)) == 1) {
        struct sync_answer w;
        struct buf b;

        arena_reset(p->a);
        buf_init(&b, SYNC_MESSAGE_MAX);
        assert_int_equal(sync_server_answer(server->server, &me, &q, &b, e), 0);
        if (alter != NULL)
            alter(p, b.p, b.n, NULL);
        rc = sync_answer_decode(buf_view(&b), p->a, &w, e);
        if (rc == 0 && alter != NULL)
            alter(p, NULL, 0, &w);
        if (rc == 0)
            rc = sync_round_take(s, &w, e);
        buf_clear(&b);
        if (rc != 0)
            break;
        if (sync_round_counts(s)->questions > 500)
            fail_msg("a round that does not end");
    }
    sync_round_free(s);
    check_held(p, client);
    return rc;
}

static void
flip(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    size_t at;

    if (w != NULL || n < 3 || check_next(&p->r) % 3 != 0)
        return;
    at = check_next(&p->r) % n;
    bytes[at] = (char)(bytes[at] ^ (1 << check_next(&p->r) % 8));
}

/* Whatever byte is changed, nothing false is kept, and an honest round mends it. */
static void
altered(void **state)
{
    struct pair *p = pair_new();
    unsigned refused = 0, mended = 0;

    (void)state;
    for (int i = 0; i < ALTERED / 20; i++) {
        struct err e = ERR_INIT;

        for (int k = 0; k < 20; k++) {
            if (play(p, flip, &e) != 0) {
                refused++;
                assert_int_equal(e.code, ERR_PROTOCOL);
            }
        }
        for (int k = 0; k < 4; k++)
            (void)play(p, NULL, &e);
        if (!quiet(p))
            fail_msg("what was altered keeps node 2 from the truth: %s", p->toys[2].last_why);
        mended++;
        memset(p->toys[2].s, 0, sizeof *p->toys[2].s);
    }
    assert_true(refused > ALTERED / 20);
    print_message("# %u rounds refused, %u times mended\n", refused, mended);
    pair_free(p);
}

/* -- lies that are well formed -- */

static const struct t_stream *
stream_of(struct pair *p, const struct sync_answer *w)
{
    return toy_stream(&p->toys[0], &w->stream);
}

/* A head of one's own making: signed, by another. */
static void
forged_head(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    struct signer signer = signer_of(&p->toys[3].secret);
    struct head h;
    struct buf b;

    (void)bytes;
    (void)n;
    if (w == NULL || w->verb != SYNC_TAIL)
        return;
    assert_int_equal(head_decode(w->head, &h, NULL), 0);
    assert_int_equal(head_sign(&h, &signer, NULL), 0);
    buf_init(&b, SYNC_HEAD_MAX);
    (void)head_encode(&h, &b, NULL);
    w->head = arena_span(p->a, buf_view(&b));
    buf_clear(&b);
}

/* An entry left out, one twice, one of another stream. */
static void
other_entries(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    struct sync_entry *list;

    (void)bytes;
    (void)n;
    if (w == NULL || w->verb != SYNC_TAIL || w->entry_n < 2)
        return;
    list = arena_zero(p->a, w->entry_n, sizeof *list);
    for (size_t i = 0; i < w->entry_n; i++)
        list[i] = w->entries[i];
    list[1] = list[0];
    w->entries = list;
}

static void
fewer(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    (void)p;
    (void)bytes;
    (void)n;
    if (w != NULL && w->verb == SYNC_TAIL && w->entry_n > 1)
        w->entry_n--; /* the proof is of another size then */
}

/* Bare leaves in place of what was never erased: what is missing is owed, never taken for erased.
 */
static void
other_body(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    struct sync_entry *list;

    (void)bytes;
    (void)n;
    if (w == NULL || w->verb != SYNC_TAIL)
        return;
    list = arena_zero(p->a, w->entry_n + 1, sizeof *list);
    for (size_t i = 0; i < w->entry_n; i++) {
        list[i] = w->entries[i];
        if (list[i].has_body)
            list[i].body = SPAN("something else");
    }
    w->entries = list;
}

/* The head that was true some time ago, with what it proves. */
static void
other_root(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    (void)bytes;
    (void)n;
    if (w != NULL && w->verb == SYNC_TAIL && w->from > 0) {
        const struct t_stream *s = stream_of(p, w);

        toy_root(s, w->from - 1, &w->from_root);
    }
}

static void
another_question(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    (void)p;
    (void)bytes;
    (void)n;
    if (w != NULL && w->verb == SYNC_TAIL)
        w->stream.b[0] ^= 1;
}

static void
unasked(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    (void)p;
    (void)bytes;
    (void)n;
    if (w != NULL && w->verb == SYNC_DELTA)
        w->asked = !w->asked;
}

static void
lies(void **state)
{
    static const struct {
        const char *what;
        alter_fn *alter;
    } list[] = {
        {"a forged head", forged_head}, {"an entry twice", other_entries},
        {"an entry left out", fewer},   {"another body", other_body},
        {"another root", other_root},   {"another stream", another_question},
        {"items unasked", unasked},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct pair *p = pair_new();
        struct err e = ERR_INIT;

        if (play(p, list[i].alter, &e) == 0 || e.code != ERR_PROTOCOL)
            fail_msg("taken: %s (%s)", list[i].what, e.text);
        assert_int_equal(p->toys[2].accusations, 1);
        for (int k = 0; k < 4; k++)
            (void)play(p, NULL, &e);
        if (!quiet(p))
            fail_msg("not mended: %s", list[i].what);
        pair_free(p);
    }
}

/* An offer that never ends: more is promised, and nothing comes. */
static void
promises(struct pair *p, char *bytes, size_t n, struct sync_answer *w)
{
    (void)p;
    (void)bytes;
    (void)n;
    if (w != NULL && w->verb == SYNC_TAIL) {
        w->entry_n = 0;
        w->page_have = w->from_have;
    }
}

static void
endless(void **state)
{
    struct pair *p = pair_new();
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(play(p, promises, &e), 0);
    assert_false(quiet(p));
    pair_free(p);
}

/* -- evidence -- */

static struct sync_evidence
fork_of(struct pair *p, struct arena *a, uint64_t common, uint64_t n)
{
    struct toy *t = &p->toys[0];
    struct t_stream *s = &t->s->streams[0], *x = arena_zero(a, 2, sizeof *x);
    struct sync_evidence ev = {.size = common + 1, .common = common};
    struct signer signer = signer_of(&t->secret);
    char *group = arena_alloc(a, 32);

    assert_true(s->have >= n);
    ev.name = toy_name(s, group);
    for (int side = 0; side < 2; side++) {
        struct sync_link *link = arena_zero(a, 1, sizeof *link);
        struct merkle_source src;

        x[side] = *s;
        x[side].have = n;
        if (side == 1)
            x[side].e[common].d.b[0] ^= 1;
        ev.side[side].head = (struct head){.stream = s->id, .size = n, .time_us = 1};
        toy_root(&x[side], n, &ev.side[side].head.root);
        assert_int_equal(head_sign(&ev.side[side].head, &signer, NULL), 0);
        toy_root(&x[side], ev.size, &ev.side[side].root);
        if (ev.size == n)
            continue;
        assert_int_equal(t->r.leaves(t, &s->id, &src, NULL), 0);
        src.arg = &x[side];
        *link = (struct sync_link){.size = n, .root = ev.side[side].head.root};
        assert_int_equal(merkle_consistency(&src, ev.size, n, &link->proof, NULL), 0);
        ev.side[side].links = link;
        ev.side[side].link_n = 1;
    }
    return ev;
}

static void
evidence(void **state)
{
    struct pair *p = pair_new();
    const struct sign_public *key = &p->toys[0].key;
    struct sync_evidence ev = fork_of(p, p->a, 3, 8), again, bad;
    struct buf b;

    (void)state;
    assert_true(sync_evidence_ok(&ev, key));
    assert_false(sync_evidence_ok(&ev, &p->toys[1].key));
    buf_init(&b, SYNC_ITEM_MAX);
    sync_evidence_encode(&ev, &b);
    assert_int_equal(sync_evidence_decode(buf_view(&b), p->a, &again, NULL), 0);
    assert_true(sync_evidence_ok(&again, key));
    for (size_t i = 0; i < b.n; i++)
        assert_int_equal(sync_evidence_decode(span_part(buf_view(&b), 0, i), p->a, &again, NULL),
                         -1);
    /* any bit: it is not read, or proves nothing; but up to where both agree is a mere word */
    for (size_t i = 1; i < b.n; i++) {
        const size_t common = 1 + 16 + 16 + 1 + 1 + 16 + 4 + ev.name.group.n + 8;

        if (i >= common && i < common + 8)
            continue;
        b.p[i] ^= 1;
        if (sync_evidence_decode(buf_view(&b), p->a, &again, NULL) == 0 &&
            sync_evidence_ok(&again, key))
            fail_msg("byte %zu does not matter", i);
        b.p[i] ^= 1;
    }
    buf_clear(&b);
    /* the same history twice; a size that both share; none at all */
    bad = ev;
    bad.side[1] = bad.side[0];
    assert_false(sync_evidence_ok(&bad, key));
    bad = ev;
    bad.size = 0; /* nor can it be read */
    assert_false(sync_evidence_ok(&bad, key));
    bad = ev;
    bad.side[0].link_n = 0;
    assert_false(sync_evidence_ok(&bad, key));
    bad = ev;
    bad.name.label = 2;
    assert_false(sync_evidence_ok(&bad, key));
    /* without links, where the heads themselves are of that size */
    ev = fork_of(p, p->a, 7, 8);
    assert_true(sync_evidence_ok(&ev, key));
    pair_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(altered), cmocka_unit_test(lies),
                                       cmocka_unit_test(endless), cmocka_unit_test(evidence)};
    struct err e = ERR_INIT;

    if (crypto_start(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
