/* What is asked of the signer: read whole or refused, and signed only where the record allows. */
#include "check.h"

#include "pledge_msg.h"

#define LEAVES 9

static struct hash leaves[LEAVES];
static struct arena *arena;
static char folder[64];
static struct pledge *pledge;

static int
leaf_of(void *arg, uint64_t i, struct hash *out, struct err *e)
{
    (void)arg;
    (void)e;
    *out = leaves[i];
    return 0;
}

static struct pledge_head
head_of(unsigned stream, uint64_t from, uint64_t size)
{
    const struct merkle_source src = {NULL, leaf_of, NULL};
    struct pledge_head h = {.head = {.stream = {{(uint8_t)stream}}, .size = size, .time_us = 1}};

    assert_int_equal(merkle_root(&src, size, &h.head.root, NULL), 0);
    assert_int_equal(merkle_consistency(&src, from, size, &h.proof, NULL), 0);
    return h;
}

/* Sent, read, answered, sent back and read. */
static struct pledge_reply
through(const struct pledge_ask *q)
{
    struct pledge_ask asked;
    struct pledge_reply w, heard;
    struct buf b;

    buf_init(&b, PLEDGE_MSG_MAX);
    pledge_ask_encode(q, &b);
    assert_false(b.failed);
    assert_int_equal(pledge_ask_decode(buf_view(&b), arena, &asked, NULL), 0);
    pledge_answer(pledge, &asked, arena, &w);
    buf_reset(&b);
    pledge_reply_encode(&w, &b);
    assert_false(b.failed);
    assert_int_equal(pledge_reply_decode(buf_view(&b), arena, &heard, NULL), 0);
    heard.text = arena_span(arena, heard.text);
    buf_clear(&b);
    return heard;
}

static void
answers(void **state)
{
    const struct uuid me = {{1}};
    struct pledge_head heads[2] = {head_of(1, 0, 3), head_of(2, 0, 5)};
    struct pledge_ask q = {.verb = PLEDGE_HEADS, .heads = heads, .n = 2};
    struct pledge_receipt r = {.receipt = {.stream = {{3}}, .size = 4, .by = me}};
    struct pledge_reply w;
    (void)state;

    w = through(&(struct pledge_ask){.verb = PLEDGE_STATUS});
    assert_int_equal(w.status, ERR_NONE);
    assert_true(sign_public_eq(&w.key, pledge_public(pledge)));
    assert_false(w.lost);

    w = through(&q);
    assert_int_equal(w.status, ERR_NONE);
    assert_int_equal(w.n, 2);
    for (size_t i = 0; i < 2; i++) {
        heads[i].head.sig = w.sigs[i];
        assert_true(head_ok(&heads[i].head, &me, pledge_public(pledge)));
    }
    heads[0] = head_of(1, 3, 7); /* goes on */
    heads[1] = head_of(2, 0, 4); /* goes back: neither is signed */
    w = through(&q);
    assert_int_equal(w.status, ERR_CONFLICT);
    assert_int_equal(w.n, 0);
    assert_true(w.text.n > 0);
    q.n = 1;
    assert_int_equal(through(&q).status, ERR_NONE);

    r.receipt.root = head_of(3, 0, 4).head.root;
    q = (struct pledge_ask){.verb = PLEDGE_RECEIPTS, .receipts = &r, .n = 1};
    w = through(&q);
    assert_int_equal(w.status, ERR_NONE);
    r.receipt.sig = w.sigs[0];
    assert_true(receipt_ok(&r.receipt, &me, pledge_public(pledge)));
    r.receipt.size = 3;
    r.receipt.root = head_of(3, 0, 3).head.root;
    assert_int_equal(through(&q).status, ERR_CONFLICT);

    q = (struct pledge_ask){.verb = PLEDGE_ERASE, .erase = {.stream = {{1}}, .index = 2}};
    w = through(&q);
    assert_int_equal(w.status, ERR_NONE);
    assert_int_equal(w.n, 1);
    q.erase.sig = w.sigs[0];
    assert_true(erase_notice_ok(&q.erase, &me, pledge_public(pledge)));

    q = (struct pledge_ask){.verb = PLEDGE_OUT, .out = {.order = 2, .member = {{7}}, .by = me}};
    w = through(&q);
    assert_int_equal(w.status, ERR_NONE);
    q.out.sig = w.sigs[0];
    assert_true(out_notice_ok(&q.out, &me, pledge_public(pledge)));
}

/* Whatever is not exactly a question is refused: cut anywhere, grown, with any other byte that has
 * a meaning. */
static void
questions(void **state)
{
    struct pledge_head heads[1] = {head_of(1, 2, 7)};
    const struct pledge_ask list[] = {{.verb = PLEDGE_STATUS},
                                      {.verb = PLEDGE_HEADS, .heads = heads, .n = 1},
                                      {.verb = PLEDGE_ERASE, .erase = {.index = 1}},
                                      {.verb = PLEDGE_OUT, .out = {.order = 1}}};
    (void)state;

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct pledge_ask out;
        struct buf b;

        buf_init(&b, PLEDGE_MSG_MAX);
        pledge_ask_encode(&list[i], &b);
        for (size_t n = 0; n < b.n; n++)
            assert_int_equal(pledge_ask_decode(span_from(b.p, n), arena, &out, NULL), -1);
        buf_u8(&b, 0);
        assert_int_equal(pledge_ask_decode(buf_view(&b), arena, &out, NULL), -1);
        buf_cut(&b, b.n - 1);
        for (unsigned at = 0; at < 4; at++) { /* form, verb, count */
            const char was = b.p[at];

            for (unsigned v = 0; v < 256; v++) {
                b.p[at] = (char)v;
                if (b.p[at] != was && pledge_ask_decode(buf_view(&b), arena, &out, NULL) == 0)
                    fail_msg("question %zu with byte %u as %u", i, at, v);
            }
            b.p[at] = was;
        }
        buf_clear(&b);
        arena_reset(arena);
    }
}

static void
limits(void **state)
{
    struct pledge_head *heads = calloc(PLEDGE_LIST_MAX + 1, sizeof *heads);
    struct pledge_ask q = {.verb = PLEDGE_HEADS, .heads = heads, .n = PLEDGE_LIST_MAX}, out;
    struct buf b;
    (void)state;

    for (unsigned i = 0; i <= PLEDGE_LIST_MAX; i++) {
        heads[i] = head_of(1, 0, 1);
        heads[i].proof.n = MERKLE_PROOF_MAX; /* the longest message */
    }
    buf_init(&b, 2 * PLEDGE_MSG_MAX);
    pledge_ask_encode(&q, &b);
    assert_true(!b.failed && b.n <= PLEDGE_MSG_MAX);
    assert_int_equal(pledge_ask_decode(buf_view(&b), arena, &out, NULL), 0);
    q.n++;
    buf_reset(&b);
    pledge_ask_encode(&q, &b);
    assert_int_equal(pledge_ask_decode(buf_view(&b), arena, &out, NULL), -1);
    buf_clear(&b);
    free(heads);
}

static int
setup(void **state)
{
    struct sign_public key;
    (void)state;

    if (crypto_start(NULL) < 0)
        return -1;
    strcpy(folder, "/tmp/jaga-signer-XXXXXX");
    arena = arena_new(16u << 20);
    for (uint64_t i = 0; i < LEAVES; i++)
        hash_sha256(span_from(&i, sizeof i), &leaves[i]);
    return arena == NULL || mkdtemp(folder) == NULL || pledge_create(folder, &key, NULL) != 0 ||
                   pledge_open(folder, &pledge, NULL) != 0
               ? -1
               : 0;
}

static int
teardown(void **state)
{
    char path[128];
    (void)state;

    pledge_close(pledge);
    arena_free(arena);
    snprintf(path, sizeof path, "%s/" PLEDGE_KEY_FILE, folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/" PLEDGE_RECORD_FILE, folder);
    unlink(path);
    rmdir(folder);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(questions),
                                       cmocka_unit_test(limits)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
