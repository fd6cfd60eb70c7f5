/*
 * Rounds with members as fetch tells them: whom to pull, question and answer in pieces, what went
 * wrong; and a fetch that has been taken over.
 */
#include "land.h"

#include "pull.h"

/* -- messages ------------------------------------------------------------------------------------
 */

static void
list_messages(void **state)
{
    struct pull_member members[PULL_MEMBERS_MAX + 1];
    struct pull_list l = {.me = {{9}}, .members = members}, back;
    struct arena *a = arena_new(1u << 20);
    struct err e = ERR_INIT;
    struct buf b, again;
    (void)state;

    for (size_t i = 0; i <= PULL_MEMBERS_MAX; i++)
        members[i] = (struct pull_member){
            .id = {{(uint8_t)i}}, .key = {{(uint8_t)(i + 1)}}, .address = SPAN("cert.example:1")};
    buf_init(&b, 1u << 20);
    buf_init(&again, 1u << 20);
    for (l.n = 0; l.n <= PULL_MEMBERS_MAX; l.n += 32) {
        buf_reset(&b);
        buf_reset(&again);
        pull_list_encode(&l, &b);
        assert_false(b.failed);
        assert_int_equal(pull_list_decode(buf_view(&b), a, &back, &e), 0);
        assert_int_equal(back.n, l.n);
        pull_list_encode(&back, &again);
        assert_true(span_eq(buf_view(&b), buf_view(&again)));
    }
    l.n = PULL_MEMBERS_MAX + 1;
    buf_reset(&b);
    pull_list_encode(&l, &b);
    assert_true(b.failed);

    l.n = 3;
    buf_reset(&b);
    pull_list_encode(&l, &b);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(pull_list_decode(span_from(b.p, n), a, &back, &e), -1);
    buf_u8(&b, 0);
    assert_int_equal(pull_list_decode(buf_view(&b), a, &back, &e), -1);
    members[2].id = members[1].id; /* twice */
    buf_reset(&b);
    pull_list_encode(&l, &b);
    assert_int_equal(pull_list_decode(buf_view(&b), a, &back, &e), -1);
    members[2].id.b[0] = 2;
    members[2].address.n = 0;
    buf_reset(&b);
    pull_list_encode(&l, &b);
    assert_int_equal(pull_list_decode(buf_view(&b), a, &back, &e), -1);
    buf_clear(&b);
    buf_clear(&again);
    arena_free(a);
}

static void
next_messages(void **state)
{
    struct pull_next n = {.more = true,
                          .question = SPAN("question"),
                          .counts = {.questions = 1,
                                     .items = 2,
                                     .entries = 3,
                                     .bodies = 4,
                                     .refused = 5,
                                     .forks = 6,
                                     .recovering = true}},
                     back;
    struct err e = ERR_INIT;
    struct buf b, again;
    (void)state;

    buf_init(&b, 1u << 20);
    buf_init(&again, 1u << 20);
    for (int more = 1; more >= 0; more--) {
        n.more = more == 1;
        buf_reset(&b);
        buf_reset(&again);
        pull_next_encode(&n, &b);
        assert_int_equal(pull_next_decode(buf_view(&b), &back, &e), 0);
        assert_true(back.more == n.more && back.counts.forks == 6 && back.counts.recovering);
        pull_next_encode(&back, &again);
        assert_true(span_eq(buf_view(&b), buf_view(&again)));
        for (size_t i = 0; i < b.n; i++)
            assert_int_equal(pull_next_decode(span_from(b.p, i), &back, &e), -1);
        b.p[1] ^= 2;
        assert_int_equal(pull_next_decode(buf_view(&b), &back, &e), -1);
        b.p[1] ^= 2;
        buf_u8(&b, 0);
        assert_int_equal(pull_next_decode(buf_view(&b), &back, &e), -1);
    }
    n.more = true;
    n.question.n = 0;
    buf_reset(&b);
    pull_next_encode(&n, &b);
    assert_int_equal(pull_next_decode(buf_view(&b), &back, &e), -1);
    buf_clear(&b);
    buf_clear(&again);
}

/* -- rounds --------------------------------------------------------------------------------------
 */

struct puller {
    struct land *l;
    struct caller caller;
    struct exchange_link *link;
    struct answer w;
    struct buf body;
};

static struct puller
puller_new(struct land *l, enum caller_kind kind)
{
    struct puller p = {.l = l, .caller = {.kind = kind, .listener = {.ceiling = TLP_RED}}};

    p.link = exchange_link_new(l->nodes[0].w->writer, &p.caller);
    buf_init(&p.body, TELL_MAX);
    return p;
}

static void
puller_free(struct puller *p)
{
    exchange_link_free(p->link);
    buf_clear(&p->body);
}

/* Says it as bytes; whether an answer came. */
static bool
tells(struct puller *p, struct tell *t)
{
    struct err e = ERR_INIT;
    struct tell got;
    struct buf b;
    bool answered;

    buf_init(&b, TELL_MAX);
    tell_encode(t, &b);
    assert_false(b.failed);
    if (tell_decode(buf_view(&b), p->l->a, &got, &e) != 0)
        fail_msg("%s", e.text);
    buf_reset(&p->body);
    answered = exchange_tell(p->link, &got, p->l->a, &p->body, &p->w);
    buf_clear(&b);
    return answered;
}

static enum err_code
verb(struct puller *p, enum tell_verb v, const struct uuid *peer, struct span payload)
{
    struct tell t = {.verb = v, .id = span_from(peer->b, sizeof peer->b), .payload = payload};

    return tells(p, &t) ? p->w.status : ERR_NONE;
}

/* One round with node 1, its answers in pieces of so many bytes. */
static struct sync_counts
pull_all(struct puller *p, size_t piece)
{
    struct node *s = &p->l->nodes[1];
    struct pull_next n;
    struct err e = ERR_INIT;

    assert_int_equal(verb(p, TELL_PULL_BEGIN, &s->id, (struct span){0}), ERR_NONE);
    for (;;) {
        struct span *bodies = arena_zero(p->l->a, SYNC_ENTRIES_MAX, sizeof *bodies);
        struct sync_ask q;
        struct buf told;
        size_t k;

        assert_int_equal(pull_next_decode(p->w.body, &n, &e), 0);
        if (!n.more)
            return n.counts;
        buf_init(&told, SYNC_MESSAGE_MAX);
        if (sync_ask_decode(arena_span(p->l->a, n.question), p->l->a, &q, &e) != 0 ||
            exchange_answer(s->w->reader, &p->l->nodes[0].id, &q, &told, &e) != 0)
            fail_msg("%s", e.text);
        k = read_bodies(p->l, buf_view(&told), bodies);
        for (size_t i = 0; i < k; i++)
            (void)verb(p, TELL_PULL_BODY, &s->id, bodies[i]);
        for (size_t at = 0; at < told.n; at += piece)
            (void)verb(p, TELL_PULL_PIECE, &s->id, span_part(buf_view(&told), at, piece));
        if (verb(p, TELL_PULL_TOOK, &s->id, (struct span){0}) != ERR_NONE)
            fail_msg("%.*s", (int)p->w.text.n, p->w.text.p);
        buf_clear(&told);
    }
}

static struct store_peer
peer_of(struct land *l, const struct uuid *id)
{
    struct store *s = l->nodes[0].w->writer->store;
    struct store_peer p = {0};

    assert_int_equal(store_begin(s, NULL), 0);
    assert_true(store_peer_get(s, id, l->a, &p, NULL) >= 0);
    store_abort(s);
    return p;
}

static void
a_round(void **state)
{
    struct land *l = land_new();
    struct puller p = puller_new(l, CALLER_FETCH);
    struct exchange *x = l->nodes[0].w->writer;
    struct err e = ERR_INIT;
    struct pull_list list;
    struct sync_counts n;
    const char *id;
    (void)state;

    (void)exchange_news(x);
    assert_int_equal(verb(&p, TELL_PULL_LIST, &l->nodes[1].id, (struct span){0}), ERR_NONE);
    assert_int_equal(pull_list_decode(p.w.body, l->a, &list, &e), 0);
    assert_int_equal(list.n, 0); /* no region */
    assert_false(exchange_news(x));
    assert_int_equal(verb(&p, TELL_PULL_BEGIN, &l->nodes[1].id, (struct span){0}), ERR_MISSING);
    land_found(l);
    assert_true(exchange_news(x));
    assert_false(exchange_news(x));
    assert_int_equal(verb(&p, TELL_PULL_LIST, &l->nodes[1].id, (struct span){0}), ERR_NONE);
    assert_int_equal(pull_list_decode(p.w.body, l->a, &list, &e), 0);
    assert_int_equal(list.n, NODES - 1);
    assert_memory_equal(list.me.b, l->nodes[0].id.b, 16);
    for (size_t i = 0; i < list.n; i++)
        assert_true(sign_public_eq(&list.members[i].key, &node_of(l, &list.members[i].id)->key));

    for (unsigned i = 0; i < 20; i++)
        id = say(l, 1, i, "GREEN", "");
    sign_all(&l->nodes[1]);
    n = pull_all(&p, 7); /* in very small pieces */
    assert_true(n.entries >= 20 && n.questions >= 2);
    assert_true(sees(l, 0, id));
    assert_true(peer_of(l, &l->nodes[1].id).ok_us == WORLD_NOW);
    n = pull_all(&p, 1 << 16);
    assert_int_equal(n.questions, 1); /* nothing new */
    assert_false(exchange_news(x));
    whole(l);
    puller_free(&p);
    land_free(l);
}

static void
a_failure(void **state)
{
    struct land *l = land_new();
    struct puller p = puller_new(l, CALLER_FETCH);
    const struct uuid *peer = &l->nodes[1].id;
    struct tell t = {.verb = TELL_PULL_FAILED,
                     .id = span_from(peer->b, 16),
                     .number = PULL_F_UNREACHED,
                     .text = SPAN("no route")};
    (void)state;

    assert_true(tells(&p, &t) && p.w.status == ERR_MISSING); /* not a member */
    land_found(l);
    assert_true(tells(&p, &t) && p.w.status == ERR_NONE);
    assert_true(tells(&p, &t) && p.w.status == ERR_NONE);
    assert_int_equal(peer_of(l, peer).failures, 2);
    assert_true(span_is(peer_of(l, peer).why, "not reached: no route"));
    t.number = PULL_F_ANSWER;
    t.text = SPAN("\xff\xfe");
    assert_true(tells(&p, &t) && p.w.status == ERR_NONE);
    assert_true(span_is(peer_of(l, peer).why, "answers what it should not: ?"));
    for (uint64_t k = 0; k < 2; k++) {
        t.number = k * PULL_FAULTS;
        assert_true(tells(&p, &t) && p.w.status == ERR_PROTOCOL);
    }
    (void)pull_all(&p, 100000);
    assert_int_equal(peer_of(l, peer).failures, 0);
    puller_free(&p);
    land_free(l);
}

/* -- a fetch that has been taken over ------------------------------------------------------------
 */

static void
what_fetch_may_not(void **state)
{
    struct land *l = land_new();
    struct puller p = puller_new(l, CALLER_FETCH);
    const struct uuid *one = &l->nodes[1].id, *two = &l->nodes[2].id;
    struct pull_next n;
    struct err e = ERR_INIT;
    (void)state;

    land_found(l);
    for (int v = TELL_NONE + 1; v < TELL_VERBS; v++) { /* nothing else */
        struct tell t = {.verb = (enum tell_verb)v, .id = SPAN("x"), .text = SPAN("x")};

        if (v < TELL_PULL_LIST)
            assert_true(tells(&p, &t) && p.w.status == ERR_DENIED);
    }
    for (int k = CALLER_FRONT; k < CALLER_FETCH; k++) { /* and nobody else these */
        struct puller other = puller_new(l, (enum caller_kind)k);

        for (int v = TELL_PULL_LIST; v <= TELL_PULL_FAILED; v++) {
            assert_int_equal(verb(&other, (enum tell_verb)v, one, SPAN("x")), ERR_DENIED);
        }
        puller_free(&other);
    }
    /* Answers to no question, of nobody, of two at once. */
    assert_int_equal(verb(&p, TELL_PULL_TOOK, one, SPAN("x")), ERR_CONFLICT);
    (void)verb(&p, TELL_PULL_PIECE, one, SPAN("x"));
    assert_int_equal(verb(&p, TELL_PULL_TOOK, one, SPAN("")), ERR_CONFLICT);
    assert_int_equal(verb(&p, TELL_PULL_BEGIN, &l->nodes[0].id, SPAN("")), ERR_MISSING);
    assert_int_equal(verb(&p, TELL_PULL_BEGIN, one, SPAN("")), ERR_NONE);
    assert_int_equal(verb(&p, TELL_PULL_TOOK, one, SPAN("")), ERR_CONFLICT); /* nothing told */
    assert_int_equal(verb(&p, TELL_PULL_BEGIN, one, SPAN("")), ERR_NONE);
    (void)verb(&p, TELL_PULL_PIECE, one, SPAN("x"));
    (void)verb(&p, TELL_PULL_PIECE, two, SPAN("x"));
    assert_int_equal(verb(&p, TELL_PULL_TOOK, one, SPAN("")), ERR_PROTOCOL);
    assert_int_equal(verb(&p, TELL_PULL_BEGIN, one, SPAN("")), ERR_NONE);
    (void)verb(&p, TELL_PULL_PIECE, one, SPAN("no answer"));
    assert_int_equal(verb(&p, TELL_PULL_TOOK, one, SPAN("")), ERR_PROTOCOL);
    assert_int_equal(verb(&p, TELL_PULL_BEGIN, one, SPAN("")), ERR_NONE);
    (void)verb(&p, TELL_PULL_BODY, one, SPAN("no reading"));
    (void)verb(&p, TELL_PULL_PIECE, one, SPAN("no answer"));
    assert_int_equal(verb(&p, TELL_PULL_TOOK, one, SPAN("")), ERR_PROTOCOL);
    /* And a good one goes on. */
    assert_int_equal(verb(&p, TELL_PULL_BEGIN, one, SPAN("")), ERR_NONE);
    assert_int_equal(pull_next_decode(p.w.body, &n, &e), 0);
    assert_true(n.more);
    (void)pull_all(&p, 5000);
    puller_free(&p);
    land_free(l);
}

/* More than an answer can be. */
static void
floods(void **state)
{
    struct land *l = land_new();
    struct puller p = puller_new(l, CALLER_FETCH);
    const struct uuid *one = &l->nodes[1].id;
    char *much = calloc(1, 16u << 20);
    (void)state;

    land_found(l);
    for (int v = TELL_PULL_PIECE; v <= TELL_PULL_BODY; v++) {
        assert_int_equal(verb(&p, TELL_PULL_BEGIN, one, SPAN("")), ERR_NONE);
        for (int i = 0; i < 8; i++)
            (void)verb(&p, (enum tell_verb)v, one, span_from(much, 16u << 20));
        assert_int_equal(verb(&p, TELL_PULL_TOOK, one, SPAN("")), ERR_LIMIT);
    }
    assert_int_equal(verb(&p, TELL_PULL_BEGIN, one, SPAN("")), ERR_NONE);
    for (unsigned i = 0; i <= PULL_BODY_COUNT; i++)
        (void)verb(&p, TELL_PULL_BODY, one, SPAN("x"));
    assert_int_equal(verb(&p, TELL_PULL_TOOK, one, SPAN("")), ERR_LIMIT);
    (void)pull_all(&p, 5000);
    free(much);
    puller_free(&p);
    land_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_messages),
        cmocka_unit_test(next_messages),
        cmocka_unit_test(a_round),
        cmocka_unit_test(a_failure),
        cmocka_unit_test(what_fetch_may_not),
        cmocka_unit_test(floods),
    };
    struct err e = ERR_INIT;

    if (crypto_start(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
