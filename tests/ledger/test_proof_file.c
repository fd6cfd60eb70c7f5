/* A proof that a stranger checks: what is written is read back, and every byte of it matters. */
#include "check.h"

#include "proof_file.h"

#define LEAVES 21

struct said {
    struct hash leaf[LEAVES];
    struct arena *a;
    struct sign_secret secret;
    struct proof_file p;
    char header[ENTRY_HEADER_MAX];
};

static int
leaf_of(void *arg, uint64_t i, struct hash *out, struct err *e)
{
    (void)e;
    *out = ((const struct hash *)arg)[i];
    return 0;
}

/* Entry 13 of 21, signed. */
static int
setup(void **state)
{
    static const char object[] = "{\"id\":\"x--1\",\"type\":\"x\"}";
    struct said *s = calloc(1, sizeof *s);
    struct key seed = {{7}};
    struct entry en = {
        .kind = ENTRY_PUT, .id = SPAN("x--1"), .version = SPAN("2025"), .size = sizeof object - 1};
    struct merkle_source src = {s->leaf, leaf_of, NULL};
    struct signer signer;
    struct hash d;
    struct buf b;

    s->a = arena_new(1u << 20);
    s->p.index = 13;
    s->p.name.publisher.b[0] = 1;
    s->p.name.label = 2;
    s->p.name.group = SPAN("group:0a");
    s->p.salt[0] = 9;
    s->p.object = SPAN(object);
    sign_from_seed(&seed, &s->secret, &s->p.key);
    signer = signer_of(&s->secret);
    hash_sha256(s->p.object, &en.bytes);
    buf_init_fixed(&b, s->header, sizeof s->header);
    assert_int_equal(entry_encode(&en, &b, NULL), 0);
    s->p.header = buf_view(&b);
    for (uint64_t i = 0; i < LEAVES; i++)
        hash_sha256(span_from(&i, sizeof i), &s->leaf[i]);
    entry_commit(s->p.salt, s->p.header, &d);
    entry_leaf(&d, &s->leaf[13]);
    assert_int_equal(merkle_inclusion(&src, 13, LEAVES, &s->p.path, NULL), 0);
    s->p.head = (struct head){.size = LEAVES, .time_us = 1};
    assert_int_equal(stream_id(&s->p.name, &s->p.head.stream, NULL), 0);
    assert_int_equal(merkle_root(&src, LEAVES, &s->p.head.root, NULL), 0);
    assert_int_equal(head_sign(&s->p.head, &signer, NULL), 0);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct said *s = *state;

    arena_free(s->a);
    free(s);
    return 0;
}

static struct span
written(struct said *s)
{
    struct err e = ERR_INIT;
    struct span out;
    struct buf b;

    buf_init(&b, PROOF_FILE_MAX);
    if (proof_file_write(&s->p, &b, &e) != 0)
        fail_msg("%s", e.text);
    out = arena_span(s->a, buf_view(&b));
    buf_clear(&b);
    return out;
}

static void
reads_back(void **state)
{
    struct said *s = *state;
    struct span text = written(s);
    struct proof_file p;
    struct err e = ERR_INIT;

    if (proof_file_read(text, s->a, &p, &e) != 0)
        fail_msg("%s at %zu", e.text, e.pos);
    assert_int_equal(proof_file_check(&p), PROOF_OK);
    assert_int_equal(p.index, 13);
    assert_true(span_eq(p.object, s->p.object));
    assert_true(span_eq(p.header, s->p.header));
    s->p = p;
    assert_true(span_eq(text, written(s)));
}

/* Any byte, changed or cut off: it is not read, or proves nothing. */
static void
every_byte_matters(void **state)
{
    struct said *s = *state;
    struct span text = written(s);
    char *bad = arena_dup(s->a, text);
    struct proof_file p;

    for (size_t i = 0; i < text.n; i++) {
        struct arena_mark m = arena_mark(s->a);

        assert_int_equal(proof_file_read(span_part(text, 0, i), s->a, &p, NULL), -1);
        for (int bit = 0; bit < 8; bit++) {
            bad[i] = (char)(text.p[i] ^ (1 << bit));
            if (proof_file_read((struct span){bad, text.n}, s->a, &p, NULL) == 0 &&
                proof_file_check(&p) == PROOF_OK)
                fail_msg("byte %zu (%c) does not matter", i, text.p[i]);
        }
        bad[i] = text.p[i];
        arena_rewind(s->a, m);
    }
}

static void
verdicts(void **state)
{
    struct said *s = *state;
    struct proof_file p = s->p;
    struct entry en = {.kind = ENTRY_ERASE, .target = 1};
    struct signer signer = signer_of(&s->secret);
    char header[ENTRY_HEADER_MAX];
    struct merkle_source src = {s->leaf, leaf_of, NULL};
    struct hash d;
    struct buf b;

    assert_int_equal(proof_file_check(&p), PROOF_OK);
    p.name.label = 1;
    assert_int_equal(proof_file_check(&p), PROOF_STREAM);
    p = s->p;
    p.index = 12;
    assert_int_equal(proof_file_check(&p), PROOF_TREE);
    p.index = LEAVES;
    assert_int_equal(proof_file_check(&p), PROOF_TREE);
    p = s->p;
    p.salt[31] ^= 1;
    assert_int_equal(proof_file_check(&p), PROOF_TREE);
    p = s->p;
    p.object = SPAN("{\"id\":\"x--1\",\"type\":\"y\"}");
    assert_int_equal(proof_file_check(&p), PROOF_OBJECT);
    /* an erasure, well in the tree */
    buf_init_fixed(&b, header, sizeof header);
    assert_int_equal(entry_encode(&en, &b, NULL), 0);
    p = s->p;
    p.header = buf_view(&b);
    entry_commit(p.salt, p.header, &d);
    entry_leaf(&d, &s->leaf[13]);
    assert_int_equal(merkle_inclusion(&src, 13, LEAVES, &p.path, NULL), 0);
    assert_int_equal(merkle_root(&src, LEAVES, &p.head.root, NULL), 0);
    assert_int_equal(head_sign(&p.head, &signer, NULL), 0);
    assert_int_equal(proof_file_check(&p), PROOF_HEADER);
    for (unsigned v = 0; v < PROOF_VERDICTS; v++)
        assert_true(strlen(proof_verdict_text((enum proof_verdict)v)) > 10);
}

/* Signed by another key than the file says: not read. */
static void
other_keys(void **state)
{
    struct said *s = *state;
    struct key seed = {{8}};
    struct sign_secret secret;
    struct sign_public key;
    struct signer signer;
    struct proof_file p;
    struct err e = ERR_INIT;

    sign_from_seed(&seed, &secret, &key);
    signer = signer_of(&secret);
    assert_int_equal(head_sign(&s->p.head, &signer, NULL), 0);
    assert_int_equal(proof_file_read(written(s), s->a, &p, &e), -1);
    assert_int_equal(e.code, ERR_AUTH);
    /* whole and signed by that one: it proves something, of another key */
    s->p.key = key;
    assert_int_equal(proof_file_read(written(s), s->a, &p, &e), 0);
    assert_int_equal(proof_file_check(&p), PROOF_OK);
    assert_true(sign_public_eq(&p.key, &key));
}

static void
no_such_form(void **state)
{
    struct said *s = *state;
    struct buf b;

    buf_init(&b, PROOF_FILE_MAX);
    s->p.name.group = SPAN("a b");
    assert_int_equal(proof_file_write(&s->p, &b, NULL), -1);
    s->p.name.group = SPAN("");
    assert_int_equal(proof_file_write(&s->p, &b, NULL), -1);
    s->p.name.group = SPAN("g");
    s->p.object = SPAN("{\n}");
    assert_int_equal(proof_file_write(&s->p, &b, NULL), -1);
    buf_clear(&b);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {T(reads_back), T(every_byte_matters), T(verdicts),
                                       T(other_keys), T(no_such_form)};
    struct err e = ERR_INIT;

    if (crypto_start(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
