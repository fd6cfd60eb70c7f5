/* Questions, answers and what is said to the writer: round trips, and what is refused. */
#include "check.h"

#include "ask.h"
#include "mem.h"
#include "tell.h"

#define ARENA (1u << 20)

static struct ask
full_ask(struct arena *a)
{
    struct ask q = {
        .verb = ASK_SEARCH,
        .ticket = SPAN("ticket"),
        .as = SPAN("somebody"),
        .exercise = true,
        .versions = true,
        .collection = SPAN("all"),
        .id = SPAN("indicator--1"),
        .text = SPAN("text"),
        .number = 9,
        .bytes = 1000,
        .f = {.text = SPAN("t"),
              .value = SPAN("198.51.100.7"),
              .type = SPAN("indicator"),
              .id = SPAN("i"),
              .label = SPAN("l"),
              .tlp = SPAN("GREEN"),
              .publisher = SPAN("p"),
              .creator = SPAN("c"),
              .external = SPAN("T1566"),
              .defect = SPAN("*"),
              .group = SPAN("banking"),
              .since_us = -1,
              .until_us = 5,
              .batch = 3,
              .confidence = true,
              .confidence_min = 10,
              .confidence_max = 90,
              .revoked = true},
    };
    struct err e = ERR_INIT;

    assert_int_equal(taxii_query_read(a,
                                      SPAN("limit=7&added_after=2026-01-01T00:00:00.5Z&"
                                           "match[type]=a,b&match[version]=all&match[id]=x&"
                                           "match[spec_version]=2.1"),
                                      TAXII_P_OBJECTS, &q.q, &e),
                     0);
    return q;
}

static void
test_ask_round_trip(void **state)
{
    struct arena *a = arena_new(ARENA);
    struct ask q = full_ask(a), back;
    struct buf b, again;
    struct err e = ERR_INIT;

    (void)state;
    buf_init(&b, ASK_MAX);
    buf_init(&again, ASK_MAX);
    ask_encode(&q, &b);
    assert_false(b.failed);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), 0);
    assert_int_equal(back.verb, ASK_SEARCH);
    assert_true(span_is(back.as, "somebody"));
    assert_true(span_is(back.f.group, "banking"));
    assert_true(span_is(back.q.type.v[1], "b"));
    assert_int_equal(back.q.limit, 7);
    assert_int_equal(back.q.added_after.nsec, 500000000);
    assert_int_equal(back.f.since_us, -1);
    assert_int_equal(back.q.given, q.q.given);
    ask_encode(&back, &again);
    assert_true(span_eq(buf_view(&b), buf_view(&again)));

    /* with a next, the filters stay behind */
    buf_reset(&b);
    q.q.next = SPAN("sealed");
    ask_encode(&q, &b);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), 0);
    assert_true(span_is(back.q.next, "sealed"));
    assert_int_equal(back.q.type.n, 0);

    /* an empty one is short */
    buf_reset(&b);
    ask_encode(&(struct ask){.verb = ASK_HEALTH}, &b);
    assert_int_equal(b.n, 6);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), 0);
    buf_clear(&b);
    buf_clear(&again);
    arena_free(a);
}

/* Each cut, each byte altered and each byte more: an error or another whole question, no harm. */
static void
test_ask_hostile(void **state)
{
    struct arena *a = arena_new(ARENA);
    struct ask q = full_ask(a), back;
    struct buf b, again;
    struct err e = ERR_INIT;

    (void)state;
    buf_init(&b, ASK_MAX + 1);
    buf_init(&again, ASK_MAX);
    ask_encode(&q, &b);
    for (size_t n = 0; n < b.n; n++) {
        struct arena_mark m = arena_mark(a);

        assert_int_equal(ask_decode(span_from(b.p, n), a, &back, &e), -1);
        assert_int_equal(e.code, ERR_PROTOCOL);
        arena_rewind(a, m);
    }
    buf_u8(&b, 0);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), -1);
    buf_cut(&b, b.n - 1);
    for (size_t i = 0; i < b.n; i++) {
        for (unsigned x = 1; x < 256; x = x * 2 + 1) {
            struct arena_mark m = arena_mark(a);

            b.p[i] = (char)(b.p[i] ^ (char)x);
            if (ask_decode(buf_view(&b), a, &back, &e) == 0) {
                buf_reset(&again);
                ask_encode(&back, &again);
                assert_true(span_eq(buf_view(&b), buf_view(&again)));
            }
            b.p[i] = (char)(b.p[i] ^ (char)x);
            arena_rewind(a, m);
        }
    }
    buf_clear(&b);
    buf_clear(&again);
    arena_free(a);
}

static void
test_ask_bounds(void **state)
{
    static char text[ASK_MAX + 2];
    struct arena *a = arena_new(ARENA);
    struct ask back;
    struct buf b;
    struct err e = ERR_INIT;

    (void)state;
    memset(text, 'a', sizeof text);
    buf_init(&b, 2 * ASK_MAX);
    ask_encode(&(struct ask){.verb = ASK_GET, .id = span_from(text, ASK_TEXT_MAX)}, &b);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), 0);
    buf_reset(&b);
    ask_encode(&(struct ask){.verb = ASK_GET, .id = span_from(text, ASK_TEXT_MAX + 1)}, &b);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), -1);
    buf_reset(&b);
    ask_encode(&(struct ask){.verb = ASK_GET, .ticket = span_from(text, ASK_TICKET_MAX + 1)}, &b);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), -1);
    buf_reset(&b);
    ask_encode(&(struct ask){.verb = ASK_VERBS}, &b);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), -1);
    buf_reset(&b);
    ask_encode(&(struct ask){.verb = ASK_GET, .q = {.limit = TAXII_LIMIT_MAX + 1}}, &b);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), -1);
    buf_reset(&b);
    ask_encode(&(struct ask){.verb = ASK_OBJECTS,
                             .q = {.next = span_from(text, TAXII_NEXT_MAX)},
                             .ticket = span_from(text, ASK_TICKET_MAX),
                             .collection = span_from(text, 36),
                             .id = span_from(text, 300)},
               &b);
    assert_int_equal(ask_decode(buf_view(&b), a, &back, &e), 0); /* the longest that occurs */
    buf_clear(&b);
    arena_free(a);
}

static void
test_answer(void **state)
{
    struct answer w = {.status = ERR_MISSING,
                       .text = SPAN("no such object"),
                       .place = SPAN("/id"),
                       .first_us = 5,
                       .last_us = -6,
                       .more = true,
                       .body = SPAN("{}")},
                  back;
    struct buf b;
    struct err e = ERR_INIT;

    (void)state;
    buf_init(&b, 4096);
    answer_encode(&w, true, &b);
    assert_int_equal(answer_decode(buf_view(&b), &back, &e), 0);
    assert_int_equal(back.status, ERR_MISSING);
    assert_true(span_is(back.text, "no such object"));
    assert_true(span_is(back.body, "{}"));
    assert_true(back.more && !back.body_cut);
    assert_int_equal(back.last_us, -6);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(answer_decode(span_from(b.p, n), &back, &e), -1);
    buf_u8(&b, 0);
    assert_int_equal(answer_decode(buf_view(&b), &back, &e), -1);
    buf_reset(&b);
    answer_encode(&w, false, &b);
    assert_int_equal(answer_decode(buf_view(&b), &back, &e), 0);
    assert_true(back.body_cut && back.body.p == NULL && back.body.n == 2);
    b.p[1] = 100;
    assert_int_equal(answer_decode(buf_view(&b), &back, &e), -1);
    b.p[1] = 0;
    b.p[2] = 4;
    assert_int_equal(answer_decode(buf_view(&b), &back, &e), -1);
    buf_clear(&b);
}

static struct tell
full_tell(struct arena *a)
{
    static const struct tell_pair pairs[] = {
        {SPAN("member+"), SPAN("bank")}, {SPAN("title"), SPAN("")}, {SPAN("member+"), SPAN("x")}};
    static const struct tell_mark marks[] = {{1, 2, 3, -4, -5}, {5, 6, 7, 8, 9}};
    struct tell t = {.verb = TELL_ADMIN,
                     .handle = 7,
                     .ticket = SPAN("t"),
                     .exercise = true,
                     .source = SPAN("file.json"),
                     .profile = TELL_P_STRICT,
                     .quarantine = true,
                     .dry = true,
                     .items = true,
                     .keep_narrow = true,
                     .label = SPAN("GREEN"),
                     .group = SPAN("banking"),
                     .person = SPAN("an"),
                     .collection = SPAN("c"),
                     .payload = SPAN("payload"),
                     .id = SPAN("id"),
                     .text = SPAN("text"),
                     .name = SPAN("name"),
                     .number = 11,
                     .kind = TELL_K_GROUP,
                     .act = TELL_A_SET,
                     .pairs = pairs,
                     .pair_n = 3,
                     .marks = marks,
                     .mark_n = 2};
    struct err e = ERR_INIT;

    assert_int_equal(
        taxii_query_read(a, SPAN("match[version]=all,first"), TAXII_P_DELETE, &t.q, &e), 0);
    return t;
}

static void
test_tell_round_trip(void **state)
{
    struct arena *a = arena_new(ARENA);
    struct tell t = full_tell(a), back;
    struct buf b, again;
    struct err e = ERR_INIT;

    (void)state;
    buf_init(&b, 65536);
    buf_init(&again, 65536);
    tell_encode(&t, &b);
    assert_int_equal(tell_decode(buf_view(&b), a, &back, &e), 0);
    assert_int_equal(back.kind, TELL_K_GROUP);
    assert_int_equal(back.handle, 7);
    assert_int_equal(back.pair_n, 3);
    assert_true(span_is(tell_value(&back, "member+"), "bank"));
    assert_true(tell_value(&back, "none").p == NULL);
    assert_int_equal(back.marks[1].when_us, 8);
    assert_int_equal(back.q.version_n, 2);
    tell_encode(&back, &again);
    assert_true(span_eq(buf_view(&b), buf_view(&again)));
    buf_clear(&b);
    buf_clear(&again);
    arena_free(a);
}

static void
test_tell_hostile(void **state)
{
    struct arena *a = arena_new(ARENA);
    struct tell t = full_tell(a), back;
    struct buf b, again;
    struct err e = ERR_INIT;

    (void)state;
    buf_init(&b, 65536);
    buf_init(&again, 65536);
    tell_encode(&t, &b);
    for (size_t n = 0; n < b.n; n++) {
        struct arena_mark m = arena_mark(a);

        assert_int_equal(tell_decode(span_from(b.p, n), a, &back, &e), -1);
        assert_int_equal(e.code, ERR_PROTOCOL);
        arena_rewind(a, m);
    }
    for (size_t i = 0; i < b.n; i++) {
        for (unsigned x = 1; x < 256; x = x * 2 + 1) {
            struct arena_mark m = arena_mark(a);

            b.p[i] = (char)(b.p[i] ^ (char)x);
            if (tell_decode(buf_view(&b), a, &back, &e) == 0) {
                buf_reset(&again);
                tell_encode(&back, &again);
                assert_true(span_eq(buf_view(&b), buf_view(&again)));
            }
            b.p[i] = (char)(b.p[i] ^ (char)x);
            arena_rewind(a, m);
        }
    }
    buf_u8(&b, 0);
    assert_int_equal(tell_decode(buf_view(&b), a, &back, &e), -1);
    buf_clear(&b);
    buf_clear(&again);
    arena_free(a);
}

static void
test_no_memory(void **state)
{
    struct arena *a = arena_new(ARENA);
    struct ask q = full_ask(a), ask_back;
    struct tell t = full_tell(a), tell_back;
    struct buf b, c;
    struct err e = ERR_INIT;

    (void)state;
    buf_init(&b, ASK_MAX);
    buf_init(&c, ASK_MAX);
    ask_encode(&q, &b);
    tell_encode(&t, &c);
    for (size_t n = 1; n < 20; n++) {
        struct arena *small = arena_new(ARENA);
        int one, two;

        mem_fail_at(n);
        one = ask_decode(buf_view(&b), small, &ask_back, &e);
        if (one != 0)
            assert_int_equal(e.code, ERR_MEMORY);
        mem_fail_at(n);
        two = tell_decode(buf_view(&c), small, &tell_back, &e);
        if (two != 0)
            assert_int_equal(e.code, ERR_MEMORY);
        mem_fail_at(0);
        arena_free(small);
        if (n == 19)
            assert_true(one == 0 && two == 0);
    }
    buf_clear(&b);
    buf_clear(&c);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask_round_trip),  cmocka_unit_test(test_ask_hostile),
        cmocka_unit_test(test_ask_bounds),      cmocka_unit_test(test_answer),
        cmocka_unit_test(test_tell_round_trip), cmocka_unit_test(test_tell_hostile),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
