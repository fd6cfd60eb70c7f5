/*
 * The ring: round trips in one process and between two, its limits, and hostile counters, lengths,
 * slots and ids from either side.  The tests reach into the shared memory as a process that was
 * taken over would.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "loop.h"
#include "mem.h"
#include "ring.h"
#include "ring_inner.h"

struct fixture {
    struct loop *l;
    struct ring_fds front, reader;
    struct ring_client *c;
    struct ring_server *s;
    struct front_memory *front_mem;   /* as the front may write it */
    struct reader_memory *reader_mem; /* as the reader may write it */
    /* front */
    unsigned answers, lost, closed_c, room;
    struct err why_c, why_s;
    uint32_t last_slot;
    uint16_t last_status;
    size_t last_n;
    char last_meta[RING_META_MAX + 1];
    void *last_tag;
    uint32_t slots[PAIR_SLOTS * 2];
    unsigned n_slots;
    bool keep; /* slots are kept in the list above instead of given back */
    bool free_inside;
    /* reader */
    unsigned requests, waits, closed_s;
    size_t answer_n; /* bytes to answer with */
    bool later;      /* answers are not given at once */
    uint32_t later_ids[RING_PENDING_MAX];
    unsigned n_later;
    size_t last_record_n;
    unsigned char last_record[RING_REQUEST_MAX];
};

static struct mono turned = {1};
static bool turn;

static struct mono
turned_clock(void *ctx)
{
    (void)ctx;
    return turn ? turned : clock_mono();
}

static enum ring_took
on_request(void *ctx, struct ring_server *s, uint32_t id, struct span record)
{
    struct fixture *f = ctx;
    struct ring_slot slot;
    struct err e = ERR_INIT;

    if (f->later) {
        f->later_ids[f->n_later++] = id;
    } else if (f->answer_n == 0) {
        assert_int_equal(ring_reply(s, id, 7, SPAN("meta"), NULL, 0, NULL), 0);
    } else {
        if (ring_slot_take(s, f->answer_n, &slot, &e) < 0) {
            assert_int_equal(e.code, ERR_BUSY);
            f->waits++;
            return RING_WAIT;
        }
        assert_true(slot.room >= f->answer_n);
        memset(slot.body, 'A' + (int)(f->requests % 26), f->answer_n);
        assert_int_equal(ring_reply(s, id, 200, SPAN(""), &slot, f->answer_n, NULL), 0);
        assert_int_equal(ring_reply(s, id, 200, SPAN(""), NULL, 0, &e), -1); /* once */
        assert_int_equal(e.code, ERR_CONFLICT);
    }
    f->requests++;
    f->last_record_n = record.n;
    memcpy(f->last_record, record.p, record.n);
    return RING_TOOK;
}

static void
on_closed_s(void *ctx, struct ring_server *s, const struct err *why)
{
    struct fixture *f = ctx;

    f->closed_s++;
    f->why_s = *why;
    if (f->free_inside) {
        ring_server_free(s);
        f->s = NULL;
    }
}

static void
on_answer(void *ctx, const struct ring_answer *a)
{
    struct fixture *f = ctx;

    f->answers++;
    f->last_slot = a->slot;
    f->last_status = a->status;
    f->last_n = a->body.n;
    f->last_tag = a->tag;
    memcpy(f->last_meta, a->meta.p, a->meta.n);
    f->last_meta[a->meta.n] = '\0';
    for (size_t i = 1; i < a->body.n; i++) {
        if (a->body.p[i] != a->body.p[0])
            fail_msg("an answer is not of one piece");
    }
    if (f->keep)
        f->slots[f->n_slots++] = a->slot;
    else
        ring_release(f->c, a->slot);
    if (f->free_inside) {
        ring_client_free(f->c);
        f->c = NULL;
    }
}

static void
on_room(void *ctx)
{
    ((struct fixture *)ctx)->room++;
}

static void
on_lost(void *ctx, void *tag)
{
    (void)tag;
    ((struct fixture *)ctx)->lost++;
}

static void
on_closed_c(void *ctx, const struct err *why)
{
    struct fixture *f = ctx;

    f->closed_c++;
    f->why_c = *why;
    if (f->free_inside) {
        ring_client_free(f->c);
        f->c = NULL;
    }
}

static const struct ring_client_events client_events = {
    .answer = on_answer, .room = on_room, .lost = on_lost, .closed = on_closed_c};
static const struct ring_server_events server_events = {.request = on_request,
                                                        .closed = on_closed_s};

static int
setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof *f);
    struct err e = ERR_INIT;

    turn = false;
    f->l = loop_new(NULL);
    loop_set_clock(f->l, turned_clock, NULL);
    assert_int_equal(ring_create(&f->front, &f->reader, &e), 0);
    f->front_mem =
        mmap(NULL, sizeof *f->front_mem, PROT_READ | PROT_WRITE, MAP_SHARED, f->front.requests, 0);
    f->reader_mem =
        mmap(NULL, ring_answers_size(), PROT_READ | PROT_WRITE, MAP_SHARED, f->reader.answers, 0);
    assert_true(f->front_mem != MAP_FAILED && f->reader_mem != MAP_FAILED);
    *state = f;
    return 0;
}

static void
open_both(struct fixture *f)
{
    f->c = ring_client_new(f->l, &f->front, &client_events, f, NULL);
    f->s = ring_server_new(f->l, &f->reader, &server_events, f, NULL);
    assert_non_null(f->c);
    assert_non_null(f->s);
    assert_int_equal(f->front.requests, -1);
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < f->n_slots; i++)
        ring_release(f->c, f->slots[i]);
    ring_client_free(f->c);
    ring_server_free(f->s);
    ring_fds_close(&f->front);
    ring_fds_close(&f->reader);
    munmap(f->front_mem, sizeof *f->front_mem);
    munmap(f->reader_mem, ring_answers_size());
    loop_free(f->l);
    mem_free(f);
    return 0;
}

static void
rounds(struct fixture *f, int n)
{
    while (n-- > 0)
        assert_int_equal(loop_round(f->l, 0, NULL), 0);
}

static int
ask(struct fixture *f, const void *p, size_t n, void *tag, struct err *e)
{
    struct span part = span_from(p, n);
    uint32_t id;

    return ring_ask(f->c, &part, 1, tag, &id, e);
}

static void
round_trips(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 9, 100, 4000, RING_REQUEST_MAX - 1, RING_REQUEST_MAX};
    static const size_t bodies[] = {0,
                                    1,
                                    RING_BODY_SMALL,
                                    RING_BODY_SMALL + 1,
                                    RING_BODY_PAGE,
                                    RING_BODY_LARGE,
                                    RING_BODY_LARGE + 1,
                                    RING_BODY_MAX};
    struct fixture *f = *state;
    unsigned n = 0;
    char *body = mem_alloc(RING_REQUEST_MAX);

    open_both(f);
    for (unsigned turns = 0; turns < 20; turns++) { /* around the ring some times */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (size_t j = 0; j < sizes[i]; j++)
                body[j] = (char)(j * 13 + n);
            f->answer_n = turns == 0 ? bodies[i] : bodies[i] % 10000;
            assert_int_equal(ask(f, body, sizes[i], body + i, NULL), 0);
            rounds(f, 3);
            n++;
            assert_int_equal(f->requests, n);
            assert_int_equal(f->answers, n);
            assert_int_equal(f->last_record_n, sizes[i]);
            assert_memory_equal(f->last_record, body, sizes[i]);
            assert_int_equal(f->last_n, f->answer_n);
            assert_ptr_equal(f->last_tag, body + i);
            assert_int_equal(f->last_status, f->answer_n == 0 ? 7 : 200);
            assert_string_equal(f->last_meta, f->answer_n == 0 ? "meta" : "");
        }
    }
    assert_int_equal(ring_pending(f->c), 0);
    mem_free(body);
}

static void
parts_and_limits(void **state)
{
    struct fixture *f = *state;
    char *body = mem_zero(1, RING_REQUEST_MAX + 1);
    const struct span parts[] = {SPAN("ab"), SPAN(""), SPAN("cde")};
    struct ring_slot slot;
    struct err e = ERR_INIT;
    uint32_t id;

    open_both(f);
    assert_int_equal(ring_ask(f->c, parts, 3, NULL, &id, &e), 0);
    rounds(f, 3);
    assert_int_equal(f->last_record_n, 5);
    assert_memory_equal(f->last_record, "abcde", 5);
    assert_int_equal(ask(f, body, 0, NULL, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(ask(f, body, RING_REQUEST_MAX + 1, NULL, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    {
        const struct span two[] = {{body, RING_REQUEST_MAX}, {body, 1}};
        const struct span wrap[] = {{body, SIZE_MAX}, {body, 2}};

        assert_int_equal(ring_ask(f->c, two, 2, NULL, &id, &e), -1);
        assert_int_equal(ring_ask(f->c, wrap, 2, NULL, &id, &e), -1);
    }
    assert_int_equal(ring_slot_take(f->s, RING_BODY_MAX, &slot, &e), 0);
    ring_slot_drop(f->s, &slot);
    ring_slot_drop(f->s, &slot);
    assert_int_equal(ring_slot_take(f->s, RING_BODY_MAX + 1, &slot, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    /* Replies that are refused; the slot stays ours. */
    f->later = true;
    assert_int_equal(ask(f, body, 1, NULL, NULL), 0);
    rounds(f, 3);
    assert_int_equal(f->n_later, 1);
    assert_int_equal(ring_slot_take(f->s, 10, &slot, &e), 0);
    id = f->later_ids[0];
    assert_int_equal(ring_reply(f->s, id, 1, span_from(body, RING_META_MAX + 1), NULL, 0, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(ring_reply(f->s, id, 1, SPAN(""), NULL, 1, &e), -1);
    assert_int_equal(ring_reply(f->s, id, 1, SPAN(""), &slot, slot.room + 1, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(ring_reply(f->s, id + 1, 1, SPAN(""), &slot, 1, &e), -1);
    assert_int_equal(ring_reply(f->s, id + RING_PENDING_MAX, 1, SPAN(""), &slot, 1, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(ring_reply(f->s, id, 1, span_from(body, RING_META_MAX), &slot, 1, &e), 0);
    assert_int_equal(ring_reply(f->s, id, 1, SPAN(""), NULL, 0, &e), -1);
    rounds(f, 3);
    assert_int_equal(f->answers, 2);
    assert_int_equal(f->closed_c + f->closed_s, 0);
    mem_free(body);
}

static void
full_ring(void **state)
{
    struct fixture *f = *state;
    char *body = mem_zero(1, RING_REQUEST_MAX);
    struct err e = ERR_INIT;
    unsigned n = 0;

    open_both(f);
    f->later = true;
    while (ask(f, body, RING_REQUEST_MAX, NULL, &e) == 0) /* bytes run out */
        n++;
    assert_int_equal(e.code, ERR_BUSY);
    assert_int_equal(n, REQUEST_BYTES / (RING_REQUEST_MAX + REQUEST_HEAD));
    rounds(f, 20);
    assert_int_equal(f->n_later, n);
    assert_int_equal(f->room, 1);
    while (ask(f, body, 1, NULL, &e) == 0) /* places run out */
        n++;
    assert_int_equal(n, RING_PENDING_MAX);
    assert_int_equal(ring_pending(f->c), RING_PENDING_MAX);
    rounds(f, 20);
    assert_int_equal(f->n_later, n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(ring_reply(f->s, f->later_ids[i], 1, SPAN("x"), NULL, 0, &e), 0);
    rounds(f, 5);
    assert_int_equal(f->answers, n);
    assert_int_equal(f->room, 2);
    assert_int_equal(ring_pending(f->c), 0);
    f->later = false;
    assert_int_equal(ask(f, body, 1, NULL, &e), 0);
    rounds(f, 3);
    assert_int_equal(f->answers, n + 1);
    mem_free(body);
}

static void
slots_run_out(void **state)
{
    static const struct {
        size_t n;
        unsigned slots; /* of its class and the next */
    } t[] = {{1, 128 + 96}, {RING_BODY_PAGE, 96 + 6}, {RING_BODY_LARGE, 6 + 2}, {RING_BODY_MAX, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        void *inner = NULL;
        struct fixture *f;

        setup(&inner);
        f = inner;
        open_both(f);
        f->keep = true;
        f->answer_n = t[i].n;
        for (unsigned k = 0; k < t[i].slots + 5; k++)
            assert_int_equal(ask(f, "x", 1, NULL, NULL), 0);
        rounds(f, 500);
        assert_int_equal(f->answers, t[i].slots);
        assert_true(f->waits >= 1 && f->waits <= 2); /* it does not try again and again */
        assert_true(ring_scarce(f->c, f->slots[0]));
        f->keep = false;
        ring_release(f->c, f->slots[0]);
        ring_release(f->c, f->slots[0]); /* twice is once */
        rounds(f, 50);
        assert_int_equal(f->answers, t[i].slots + 5); /* one slot serves all that wait */
        for (unsigned k = 1; k < f->n_slots; k++)
            ring_release(f->c, f->slots[k]);
        f->n_slots = 0;
        rounds(f, 20);
        assert_false(ring_scarce(f->c, f->slots[0]));
        assert_int_equal(f->answers, t[i].slots + 5);
        assert_int_equal(f->closed_c + f->closed_s, 0);
        teardown(&inner);
    }
}

static void
cancelled(void **state)
{
    struct fixture *f = *state;
    struct span part = SPAN("x");
    uint32_t ids[3];

    open_both(f);
    f->answer_n = RING_BODY_MAX; /* of which there are two: lost slots would show */
    for (int k = 0; k < 10; k++) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(ring_ask(f->c, &part, 1, NULL, &ids[i], NULL), 0);
        for (int i = 0; i < 3; i++)
            ring_cancel(f->c, ids[i]);
        ring_cancel(f->c, ids[0] + RING_PENDING_MAX); /* not one of ours */
        rounds(f, 20);
    }
    assert_int_equal(f->answers, 0);
    assert_int_equal(ring_pending(f->c), 0);
    assert_int_equal(ring_ask(f->c, &part, 1, NULL, &ids[0], NULL), 0);
    rounds(f, 5);
    assert_int_equal(f->answers, 1);
    ring_cancel(f->c, ids[0]); /* too late: no harm */
}

/* -- batches -- */

/* A store as a reader has it: what is stored goes on, what is looked at is fixed by begin. */
struct looker {
    struct fixture *f;
    unsigned stored, look; /* versions; look 0: none is open */
    unsigned begins, ends;
    unsigned known[8]; /* what each request's sender had heard of when it was sent, by id */
    unsigned n;
    unsigned put_at; /* at this request something is stored, and another is sent by who heard */
    unsigned wait_at, break_at;
    bool free_at_end;
};

static void
send_known(struct looker *k, uint32_t id)
{
    const uint32_t head[2] = {1, id};
    const uint32_t at = atomic_load(&k->f->front_mem->request_head);

    k->known[id] = k->stored;
    memcpy(k->f->front_mem->requests + at, head, sizeof head);
    atomic_store(&k->f->front_mem->request_head, at + 16);
}

static void
on_begin(void *ctx, struct ring_server *s)
{
    struct looker *k = ctx;

    (void)s;
    assert_int_equal(k->look, 0);
    k->look = k->stored;
    k->begins++;
}

static void
on_end(void *ctx, struct ring_server *s)
{
    struct looker *k = ctx;

    (void)s;
    assert_int_not_equal(k->look, 0);
    k->look = 0;
    k->ends++;
}

static enum ring_took
on_look(void *ctx, struct ring_server *s, uint32_t id, struct span record)
{
    struct looker *k = ctx;

    assert_int_equal(record.n, 1);
    if (k->n + 1 == k->wait_at) {
        k->wait_at = 0;
        return RING_WAIT;
    }
    if (k->look < k->known[id])
        fail_msg("request %u is answered from an older state than its sender knows", id);
    k->n++;
    if (k->n == k->put_at) {
        k->stored++; /* acknowledged, and then asked for */
        send_known(k, id + 1);
    }
    if (k->n == k->break_at)
        atomic_store(&k->f->front_mem->request_head, UINT32_MAX / 2);
    assert_int_equal(ring_reply(s, id, 1, SPAN(""), NULL, 0, NULL), 0);
    if (k->free_at_end) {
        ring_server_free(s);
        k->f->s = NULL;
    }
    return RING_TOOK;
}

static void
on_look_closed(void *ctx, struct ring_server *s, const struct err *why)
{
    (void)s;
    ((struct looker *)ctx)->f->why_s = *why;
    ((struct looker *)ctx)->f->closed_s++;
}

static const struct ring_server_events look_events = {
    .request = on_look, .closed = on_look_closed, .begin = on_begin, .end = on_end};

static void
open_looker(struct looker *k, struct fixture *f)
{
    *k = (struct looker){.f = f, .stored = 1};
    f->s = ring_server_new(f->l, &f->reader, &look_events, k, NULL);
    assert_non_null(f->s);
}

/* What comes while a batch is answered is no part of it. */
static void
batches(void **state)
{
    struct fixture *f = *state;
    struct looker k;

    open_looker(&k, f);
    rounds(f, 5);
    assert_int_equal(k.begins, 0); /* nothing is asked: nothing is looked at */
    k.put_at = 2;
    send_known(&k, 0);
    send_known(&k, 1);
    rounds(f, 5);
    assert_int_equal(k.n, 3);
    assert_int_equal(k.begins, 2);
    assert_int_equal(k.ends, 2);
    assert_int_equal(f->closed_s, 0);
}

static void
batches_end_whatever_happens(void **state)
{
    struct fixture *f = *state;
    struct looker k;

    open_looker(&k, f);
    k.wait_at = 2; /* no slot is free for the second */
    send_known(&k, 0);
    send_known(&k, 1);
    rounds(f, 5);
    assert_int_equal(k.n, 1);
    assert_int_equal(k.begins, 1);
    assert_int_equal(k.ends, 1);
    k.stored++;
    atomic_store(&f->front_mem->return_head, 1); /* of a slot that was never lent: broken */
    rounds(f, 5);
    assert_int_equal(f->closed_s, 1);
    assert_int_equal(k.begins, 1);
}

static void
batches_of_a_broken_ring(void **state)
{
    struct fixture *f = *state;
    struct looker k;

    open_looker(&k, f);
    k.break_at = 1;
    send_known(&k, 0);
    rounds(f, 5);
    assert_int_equal(k.n, 1);
    assert_int_equal(k.begins, 1);
    assert_int_equal(k.ends, 1);
    assert_int_equal(f->closed_s, 1);
    assert_int_equal(f->why_s.code, ERR_PROTOCOL);
}

static void
batch_that_frees_its_ring(void **state)
{
    struct fixture *f = *state;
    struct looker k;

    open_looker(&k, f);
    k.free_at_end = true;
    send_known(&k, 0);
    send_known(&k, 1);
    rounds(f, 5);
    assert_int_equal(k.n, 1);
    assert_int_equal(k.begins, 1);
    assert_int_equal(k.ends, 0);
}

/* -- hostile fronts -- */

static void
put_request(struct fixture *f, uint32_t length, uint32_t id, uint32_t head)
{
    memcpy(f->front_mem->requests, &length, 4);
    memcpy(f->front_mem->requests + 4, &id, 4);
    atomic_store(&f->front_mem->request_head, head);
}

static void
hostile_fronts(void **state)
{
    static const struct {
        const char *name;
        uint32_t length, id, head, return_head, returned;
        bool dies;
    } t[] = {
        {"as it should be", 5, 0, 16, 0, 0, false},
        {"another id", 5, 0xfffffe07, 16, 0, 0, false},
        {"longest", RING_REQUEST_MAX, 0, RING_REQUEST_MAX + 8, 0, 0, false},
        {"no bytes", 0, 0, 8, 0, 0, true},
        {"too long", RING_REQUEST_MAX + 1, 0, RING_REQUEST_MAX + 16, 0, 0, true},
        {"length of all ones", UINT32_MAX, 0, 16, 0, 0, true},
        {"length that wraps", UINT32_MAX - 14, 0, 16, 0, 0, true},
        {"half a head", 5, 0, 4, 0, 0, true},
        {"half a record", 9, 0, 16, 0, 0, true},
        {"head beyond the ring", 5, 0, REQUEST_BYTES + 8, 0, 0, true},
        {"head of all ones", 5, 0, UINT32_MAX, 0, 0, true},
        {"slot that was not lent", 0, 0, 0, 1, 0, true},
        {"slot beyond the last", 0, 0, 0, 1, PAIR_SLOTS, true},
        {"slot of all ones", 0, 0, 0, 1, UINT32_MAX, true},
        {"more slots than there are", 0, 0, 0, PAIR_SLOTS + 1, 0, true},
        {"returns of all ones", 0, 0, 0, UINT32_MAX, 0, true},
    };

    (void)state;
    for (int inside = 0; inside < 2; inside++) {
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
            void *inner = NULL;
            struct fixture *f;

            setup(&inner);
            f = inner;
            f->s = ring_server_new(f->l, &f->reader, &server_events, f, NULL);
            f->free_inside = inside != 0;
            atomic_store(&f->front_mem->returns[0], t[i].returned);
            put_request(f, t[i].length, t[i].id, t[i].head);
            atomic_store(&f->front_mem->return_head, t[i].return_head);
            rounds(f, 5);
            if (f->closed_s != (t[i].dies ? 1 : 0))
                fail_msg("%s: closed %u", t[i].name, f->closed_s);
            assert_int_equal(f->requests, t[i].dies ? 0 : 1);
            if (t[i].dies)
                assert_int_equal(f->why_s.code, ERR_PROTOCOL);
            teardown(&inner);
        }
    }
}

static void
hostile_front_ids_and_tails(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;

    f->s = ring_server_new(f->l, &f->reader, &server_events, f, NULL);
    f->later = true;
    put_request(f, 1, 3, 16);
    rounds(f, 3);
    assert_int_equal(f->n_later, 1);
    /* It claims to have read answers that were never written: no cell is given up for that. */
    atomic_store(&f->front_mem->answer_tail, 5);
    assert_int_equal(ring_reply(f->s, 3, 1, SPAN(""), NULL, 0, &e), -1);
    atomic_store(&f->front_mem->answer_tail, 0u - CELLS);
    assert_int_equal(ring_reply(f->s, 3, 1, SPAN(""), NULL, 0, &e), -1);
    atomic_store(&f->front_mem->answer_tail, 0);
    assert_int_equal(f->closed_s, 0);
    memcpy(f->front_mem->requests + 16, f->front_mem->requests, 8); /* the same id again */
    atomic_store(&f->front_mem->request_head, 32);
    rounds(f, 3);
    assert_int_equal(f->closed_s, 1);
}

/* A slot given back twice: the second is not lent. */
static void
hostile_front_returns_twice(void **state)
{
    struct fixture *f = *state;

    f->s = ring_server_new(f->l, &f->reader, &server_events, f, NULL);
    f->answer_n = 10;
    put_request(f, 1, 0, 16);
    rounds(f, 3);
    assert_int_equal(f->requests, 1);
    {
        uint32_t slot = atomic_load(&f->reader_mem->cells[0].slot);

        atomic_store(&f->front_mem->returns[0], slot);
        atomic_store(&f->front_mem->returns[1], slot);
        atomic_store(&f->front_mem->return_head, 1);
        rounds(f, 3);
        assert_int_equal(f->closed_s, 0);
        atomic_store(&f->front_mem->return_head, 2);
        rounds(f, 3);
        assert_int_equal(f->closed_s, 1);
    }
}

/* -- hostile readers -- */

static void
hostile_readers(void **state)
{
    static const struct {
        const char *name;
        uint32_t id, slot, length;
        uint16_t meta_n;
        uint32_t head, tail;
        bool dies;
    } t[] = {
        {"as it should be", 0, 0, 10, 0, 1, 16, false},
        {"a full slot", 0, 0, RING_BODY_SMALL, RING_META_MAX, 1, 16, false},
        {"the last slot, full", 0, PAIR_SLOTS - 1, RING_BODY_MAX, 0, 1, 16, false},
        {"no slot", 0, RING_NO_SLOT, 0, 0, 1, 16, false},
        {"bytes without slot", 0, RING_NO_SLOT, 1, 0, 1, 16, true},
        {"longer than the slot", 0, 0, RING_BODY_SMALL + 1, 0, 1, 16, true},
        {"longer than the last slot", 0, PAIR_SLOTS - 1, RING_BODY_MAX + 1, 0, 1, 16, true},
        {"length of all ones", 0, 0, UINT32_MAX, 0, 1, 16, true},
        {"slot beyond the last", 0, PAIR_SLOTS, 1, 0, 1, 16, true},
        {"slot near all ones", 0, UINT32_MAX - 1, 1, 0, 1, 16, true},
        {"meta too long", 0, 0, 1, RING_META_MAX + 1, 1, 16, true},
        {"meta of all ones", 0, 0, 1, UINT16_MAX, 1, 16, true},
        {"id not asked", 1, 0, 1, 0, 1, 16, true},
        {"id of later", RING_PENDING_MAX, 0, 1, 0, 1, 16, true},
        {"id of all ones", UINT32_MAX, 0, 1, 0, 1, 16, true},
        {"more answers than cells", 0, 0, 1, 0, CELLS + 1, 16, true},
        {"head of all ones", 0, 0, 1, 0, UINT32_MAX, 16, true},
        {"reads what is not written", 0, 0, 10, 0, 1, 17, true},
        {"tail beyond", 0, 0, 10, 0, 1, 0x7fffffff, true},
        {"the same answer twice", 0, RING_NO_SLOT, 0, 0, 2, 16, true},
    };

    (void)state;
    for (int inside = 0; inside < 2; inside++) {
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
            void *inner = NULL;
            struct fixture *f;

            setup(&inner);
            f = inner;
            f->c = ring_client_new(f->l, &f->front, &client_events, f, NULL);
            assert_int_equal(ask(f, "x", 1, NULL, NULL), 0);
            rounds(f, 2);
            for (unsigned k = 0; k < 2; k++) {
                struct ring_cell *cell = &f->reader_mem->cells[k];

                atomic_store(&cell->id, t[i].id);
                atomic_store(&cell->slot, t[i].slot);
                atomic_store(&cell->length, t[i].length);
                atomic_store(&cell->meta_n, t[i].meta_n);
            }
            f->free_inside = inside != 0;
            atomic_store(&f->reader_mem->request_tail, t[i].tail);
            atomic_store(&f->reader_mem->answer_head, t[i].head);
            rounds(f, 3);
            if (inside != 0 && f->answers > 0) { /* the callback has freed it */
                assert_null(f->c);
            } else if (f->closed_c != (t[i].dies ? 1 : 0)) {
                fail_msg("%s: closed %u", t[i].name, f->closed_c);
            } else if (t[i].dies) {
                struct err e = ERR_INIT;

                assert_int_equal(f->why_c.code, ERR_PROTOCOL);
                assert_int_equal(f->lost + f->answers, 1);
                if (f->c != NULL) {
                    assert_int_equal(ask(f, "x", 1, NULL, &e), -1);
                    assert_int_equal(e.code, ERR_CONFLICT);
                }
            }
            teardown(&inner);
        }
    }
}

static void
one_slot_for_two(void **state)
{
    struct fixture *f = *state;

    f->c = ring_client_new(f->l, &f->front, &client_events, f, NULL);
    f->keep = true;
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(ask(f, "x", 1, NULL, NULL), 0);
        atomic_store(&f->reader_mem->cells[i].id, i);
        atomic_store(&f->reader_mem->cells[i].slot, 9);
        atomic_store(&f->reader_mem->cells[i].length, 1);
    }
    rounds(f, 2);
    atomic_store(&f->reader_mem->answer_head, 1);
    rounds(f, 2);
    assert_int_equal(f->answers, 1);
    assert_int_equal(f->closed_c, 0);
    atomic_store(&f->reader_mem->answer_head, 2);
    rounds(f, 2);
    assert_int_equal(f->closed_c, 1);
    assert_int_equal(f->lost, 1);
}

static void
a_reader_that_ends(void **state)
{
    struct fixture *f = *state;
    struct ring_client *c;
    uint32_t slot;

    open_both(f);
    f->keep = true;
    f->answer_n = 5000;
    assert_int_equal(ask(f, "x", 1, NULL, NULL), 0);
    rounds(f, 3);
    f->later = true;
    assert_int_equal(ask(f, "x", 1, NULL, NULL), 0);
    rounds(f, 3);
    ring_server_free(f->s);
    f->s = NULL;
    ring_client_fail(f->c);
    assert_int_equal(f->closed_c, 0);
    rounds(f, 2);
    assert_int_equal(f->closed_c, 1);
    assert_int_equal(f->lost, 1);
    assert_int_equal(f->why_c.code, ERR_IO);
    /* What is held stays readable after the client is freed, until it is released. */
    c = f->c;
    slot = f->slots[0];
    f->n_slots = 0;
    ring_client_free(f->c);
    f->c = NULL;
    ring_release(c, slot);
}

/* -- rights -- */

static void
each_writes_its_own(void **state)
{
    struct fixture *f = *state;
    const int read_only[] = {f->front.answers, f->reader.requests};
    const int own[] = {f->front.requests, f->reader.answers};

    for (int i = 0; i < 2; i++) {
        void *p;

        assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, read_only[i], 0) ==
                    MAP_FAILED);
        assert_int_equal(errno, EACCES);
        p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, read_only[i], 0);
        assert_true(p != MAP_FAILED);
        assert_int_equal(mprotect(p, 4096, PROT_READ | PROT_WRITE), -1);
        munmap(p, 4096);
        assert_int_equal(write(read_only[i], "x", 1), -1);
        assert_int_equal(ftruncate(read_only[i], 0), -1);
        assert_int_equal(ftruncate(own[i], 0), -1); /* not even its owner: it is sealed */
        assert_int_equal(ftruncate(own[i], 1 << 30), -1);
        assert_int_equal(fcntl(own[i], F_ADD_SEALS, F_SEAL_WRITE), -1);
        assert_true(fcntl(own[i], F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(read_only[i], F_GETFD) & FD_CLOEXEC);
    }
}

static void
wrong_files(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    int swap = f->front.requests;
    int before = dup(0), after;

    close(before);
    f->front.requests = f->front.answers;
    f->front.answers = swap;
    assert_null(ring_client_new(f->l, &f->front, &client_events, f, &e));
    assert_int_equal(e.code, ERR_PROTOCOL);
    assert_int_equal(f->front.requests, -1);
    mem_fail_at(1);
    assert_null(ring_server_new(f->l, &f->reader, &server_events, f, &e));
    mem_fail_at(0);
    assert_int_equal(e.code, ERR_MEMORY);
    after = dup(0);
    close(after);
    assert_true(after < before);
}

/* -- memory -- */

static blkcnt_t
blocks(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_blocks;
}

static void
memory_goes_back(void **state)
{
    struct fixture *f = *state;
    int fd = dup(f->reader.answers);
    blkcnt_t fresh, after_large, after_pages;

    open_both(f);
    rounds(f, 2);
    fresh = blocks(fd);
    f->answer_n = RING_BODY_MAX;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ask(f, "x", 1, NULL, NULL), 0);
        rounds(f, 5);
    }
    assert_int_equal(f->answers, 4);
    after_large = blocks(fd);
    assert_true(after_large < fresh + 1024); /* in 512 bytes: half a megabyte */
    f->answer_n = RING_BODY_PAGE;
    f->keep = true;
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask(f, "x", 1, NULL, NULL), 0);
    rounds(f, 60);
    assert_int_equal(f->answers, 24);
    after_pages = blocks(fd);
    assert_true(after_pages >= fresh + 20 * (RING_BODY_PAGE / 512));
    for (unsigned i = 0; i + 1 < f->n_slots; i++)
        ring_release(f->c, f->slots[i]);
    f->slots[0] = f->slots[f->n_slots - 1];
    f->n_slots = 1;
    rounds(f, 5);
    /* Idle for some seconds: the timer looks twice. */
    turned = clock_mono();
    turn = true;
    for (int i = 0; i < 3; i++) {
        turned.us += 4000000;
        rounds(f, 3);
    }
    assert_true(blocks(fd) < fresh + RING_BODY_PAGE / 512 + 64); /* one is still out */
    ring_release(f->c, f->slots[0]);
    f->n_slots = 0;
    rounds(f, 3);
    for (int i = 0; i < 3; i++) {
        turned.us += 4000000;
        rounds(f, 3);
    }
    assert_true(blocks(fd) < fresh + 64);
    f->keep = false;
    assert_int_equal(ask(f, "x", 1, NULL, NULL), 0); /* and it works on */
    rounds(f, 5);
    assert_int_equal(f->answers, 25);
    close(fd);
}

/* -- two processes -- */

struct child_ctx {
    struct loop *l;
    uint64_t n;
};

static uint32_t
mixed(uint32_t x)
{
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

/* Answers with a body that follows from the request. */
static enum ring_took
echo_request(void *ctx, struct ring_server *s, uint32_t id, struct span record)
{
    struct child_ctx *k = ctx;
    uint32_t seed, n;
    struct ring_slot slot;

    memcpy(&seed, record.p, 4);
    n = seed % 20 == 0 ? seed % 200000 : seed % 3000;
    if (n == 0) {
        if (ring_reply(s, id, (uint16_t)seed, SPAN(""), NULL, 0, NULL) < 0)
            _exit(3);
        return RING_TOOK;
    }
    if (ring_slot_take(s, n, &slot, NULL) < 0)
        return RING_WAIT;
    memset(slot.body, (int)(seed >> 24), n);
    if (ring_reply(s, id, (uint16_t)seed, span_part(record, 0, 4), &slot, n, NULL) < 0)
        _exit(4);
    k->n++;
    return RING_TOOK;
}

static void
echo_closed(void *ctx, struct ring_server *s, const struct err *why)
{
    (void)ctx;
    (void)s;
    _exit(why->code == ERR_PROTOCOL ? 5 : 6);
}

struct parent_ctx {
    uint64_t answers;
    struct ring_client *c;
};

static void
echo_answer(void *ctx, const struct ring_answer *a)
{
    struct parent_ctx *p = ctx;
    uint32_t seed = (uint32_t)(uintptr_t)a->tag;
    uint32_t n = seed % 20 == 0 ? seed % 200000 : seed % 3000;

    assert_int_equal(a->status, (uint16_t)seed);
    assert_int_equal(a->body.n, n);
    if (n > 0) {
        assert_memory_equal(a->meta.p, &seed, 4);
        assert_int_equal((unsigned char)a->body.p[0], seed >> 24);
        assert_int_equal((unsigned char)a->body.p[n / 2], seed >> 24);
        assert_int_equal((unsigned char)a->body.p[n - 1], seed >> 24);
    }
    ring_release(p->c, a->slot);
    p->answers++;
}

static const struct ring_client_events echo_client = {
    .answer = echo_answer, .lost = on_lost, .closed = on_closed_c};
static const struct ring_server_events echo_server = {.request = echo_request,
                                                      .closed = echo_closed};

static void
between_processes(void **state)
{
    struct fixture *f = *state;
    const char *text = getenv("JAGA_SEED");
    uint32_t seed =
        text != NULL ? (uint32_t)strtoul(text, NULL, 0) : (uint32_t)getpid() * 2654435761u;
    struct parent_ctx p = {0};
    uint64_t asked = 0;
    int status;
    pid_t child;

    if (seed == 0)
        seed = 1;
    print_message("# JAGA_SEED=%u\n", seed);
    child = fork();
    if (child == 0) {
        struct child_ctx k = {.l = loop_new(NULL)};

        ring_fds_close(&f->front);
        if (ring_server_new(k.l, &f->reader, &echo_server, &k, NULL) == NULL)
            _exit(2);
        for (;;)
            loop_round(k.l, -1, NULL);
    }
    ring_fds_close(&f->reader);
    p.c = ring_client_new(f->l, &f->front, &echo_client, &p, NULL);
    assert_non_null(p.c);
    while (p.answers < 60000) {
        char record[64] = {0};
        unsigned burst = seed % 40;

        for (unsigned i = 0; i < burst && asked < 60000; i++) {
            struct span part;
            uint32_t id;

            seed = mixed(seed);
            memcpy(record, &seed, 4);
            part = span_from(record, 4 + seed % 60);
            if (ring_ask(p.c, &part, 1, (void *)(uintptr_t)seed, &id, NULL) < 0)
                break;
            asked++;
        }
        /* With nothing to do but wait both sides sleep: a lost wake-up would hang here. */
        assert_int_equal(
            loop_round(f->l, ring_pending(p.c) > 0 && seed % 3 == 0 ? 5000000 : 0, NULL), 0);
        seed = mixed(seed);
    }
    assert_int_equal(waitpid(child, &status, WNOHANG), 0);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_int_equal(p.answers, asked);
    assert_int_equal(ring_pending(p.c), 0);
    ring_client_free(p.c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(round_trips),
        T(parts_and_limits),
        T(full_ring),
        T(slots_run_out),
        T(cancelled),
        T(batches),
        T(batches_end_whatever_happens),
        T(batches_of_a_broken_ring),
        T(batch_that_frees_its_ring),
        T(hostile_fronts),
        T(hostile_front_ids_and_tails),
        T(hostile_front_returns_twice),
        T(hostile_readers),
        T(one_slot_for_two),
        T(a_reader_that_ends),
        T(each_writes_its_own),
        T(wrong_files),
        T(memory_goes_back),
        T(between_processes),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
