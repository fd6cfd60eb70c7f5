/* Results as messages: round trips, and everything that a sender that was taken over could send. */
#include "check.h"

#include "arena.h"
#include "buf.h"
#include "intake_msg.h"
#include "mem.h"
#include "trigram.h"

#define ID "indicator--00000000-0000-4000-8000-000000000001"
#define TEXT                                                                                       \
    "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" ID                                \
    "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\","       \
    "\"confidence\":75,\"labels\":[\"parcel\",\"Smishing\"],\"name\":"                             \
    "\"\xe0\xb8\x9e\xe0\xb8\xb1\","                                                                \
    "\"pattern\":\"[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'evil.example']\","    \
    "\"pattern_type\":\"stix\"}"

static struct intake *in;
static struct arena *arena, *other;

static int
begin(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    in = intake_new();
    arena = arena_new(INTAKE_ARENA_MAX);
    other = arena_new(INTAKE_ARENA_MAX);
    return crypto_start(&e) != 0 || in == NULL || arena == NULL || other == NULL;
}

static int
end(void **state)
{
    (void)state;
    intake_free(in);
    arena_free(arena);
    arena_free(other);
    return 0;
}

static struct intake_result
sample(const char *text)
{
    struct intake_result r;
    struct err e = ERR_INIT;

    arena_reset(arena);
    assert_int_equal(intake_object(in, span_of(text), INTAKE_NORMAL, arena, &r, &e), 0);
    r.index = 0x123456789;
    r.pos = 0xabcdef0123;
    return r;
}

static void
assert_same(const struct intake_result *a, const struct intake_result *b)
{
    assert_int_equal(a->class, b->class);
    assert_int_equal(a->duplicate, b->duplicate);
    assert_true(a->index == b->index && a->pos == b->pos);
    assert_true(span_eq(a->id, b->id) && span_eq(a->type, b->type));
    assert_true(span_eq(a->canonical, b->canonical));
    assert_true(hash_eq(&a->hash, &b->hash));
    assert_true(a->defects_found == b->defects_found);
    assert_int_equal(a->defect_count, b->defect_count);
    for (size_t i = 0; i < a->defect_count; i++) {
        assert_int_equal(a->defects[i].severity, b->defects[i].severity);
        assert_true(span_eq(a->defects[i].rule, b->defects[i].rule));
        assert_true(span_eq(a->defects[i].clause, b->defects[i].clause));
        assert_true(span_eq(a->defects[i].pointer, b->defects[i].pointer));
        assert_true(span_eq(a->defects[i].text, b->defects[i].text));
    }
    assert_int_equal(a->found.confidence, b->found.confidence);
    assert_int_equal(a->found.cut, b->found.cut);
    assert_int_equal(a->found.value_count, b->found.value_count);
    for (size_t i = 0; i < a->found.value_count; i++) {
        assert_int_equal(a->found.values[i].from, b->found.values[i].from);
        assert_true(span_eq(a->found.values[i].key, b->found.values[i].key));
    }
    assert_int_equal(a->found.label_count, b->found.label_count);
    for (size_t i = 0; i < a->found.label_count; i++) {
        assert_true(span_eq(a->found.labels[i], b->found.labels[i]));
    }
    assert_int_equal(a->gram_count, b->gram_count);
    if (a->gram_count > 0) {
        assert_memory_equal(a->grams, b->grams, a->gram_count * sizeof *a->grams);
    }
}

static void
test_round(void **state)
{
    static const char *const texts[] = {
        TEXT, "{", "{\"type\":\"indicator\",\"id\":\"x\"}",
        "{\"type\":\"mutex\",\"id\":\"mutex--00000000-0000-4000-8000-000000000001\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct intake_result r = sample(texts[i]);
        struct intake_result back;
        struct err e = ERR_INIT;
        struct buf b;

        r.duplicate = r.class != INTAKE_REFUSED;
        buf_init(&b, INTAKE_MSG_MAX);
        intake_encode(&r, &b);
        assert_false(b.failed);
        arena_reset(other);
        if (intake_decode(buf_view(&b), other, &back, &e) != 0) {
            fail_msg("%s at %zu", e.text, e.pos);
        }
        assert_same(&r, &back);
        /* each shorter message is refused, and each longer one */
        for (size_t n = 0; n < b.n; n++) {
            back.class = (enum intake_class)77;
            assert_int_equal(intake_decode(span_from(b.p, n), other, &back, &e), -1);
            assert_int_equal(e.code, ERR_PROTOCOL);
            assert_int_equal(back.class, 77);
        }
        buf_u8(&b, 0);
        assert_int_equal(intake_decode(buf_view(&b), other, &back, &e), -1);
        buf_clear(&b);
    }
}

static int
decode_changed(const struct intake_result *r, struct err *e)
{
    struct intake_result back;
    struct buf b;
    int got;

    buf_init(&b, 64u << 20);
    intake_encode(r, &b);
    assert_false(b.failed);
    arena_reset(other);
    got = intake_decode(buf_view(&b), other, &back, e);
    buf_clear(&b);
    return got;
}

/* Parts that are each well-formed and cannot be together, or are out of range. */
static void
test_hostile(void **state)
{
    static const struct intake_defect defect = {STIX_MUST, {"r", 1}, {"c", 1}, {"", 0}, {"t", 1}};
    static const char key1[] = {VALUE_IPV4, 1, 2, 3, 4};
    static const char key2[] = {VALUE_IPV4, 1, 2, 3, 5};
    static const char odd[] = {VALUE_IPV4, 1, 2, 3};
    struct intake_defect bad_defect = defect;
    struct findable_value values[2] = {{{key1, 5}, 1}, {{key2, 5}, 2}};
    struct span labels[2] = {{"a", 1}, {"b", 1}};
    uint32_t grams[3] = {0, 7, UINT32_MAX};
    struct intake_result good = sample(TEXT);
    struct intake_result r;
    struct err e = ERR_INIT;

    (void)state;
    good.found = (struct findable){
        .values = values, .value_count = 2, .labels = labels, .label_count = 2, .confidence = 100};
    good.grams = grams;
    good.gram_count = 3;
    good.defects = &defect;
    good.defect_count = 1;
    good.defects_found = 1;
    r = good;
    assert_int_equal(decode_changed(&r, &e), 0);
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        r = good;                                                                                  \
        change;                                                                                    \
        e = ERR_INIT;                                                                              \
        assert_int_equal(decode_changed(&r, &e), -1);                                              \
        assert_int_equal(e.code, ERR_PROTOCOL);                                                    \
    } while (0)
    REFUSED(r.class = (enum intake_class)0);
    REFUSED(r.class = (enum intake_class)4);
    REFUSED(r.class = INTAKE_REFUSED); /* and yet bytes */
    REFUSED(r.canonical.n = 0);
    REFUSED(r.id.n = 0);
    REFUSED(r.type.n = 0);
    REFUSED(r.id = SPAN("indicator--\xff"));
    REFUSED(r.type = SPAN("\xed\xa0\x80"));
    REFUSED(r.defects_found = 0);
    REFUSED(r.found.confidence = 101);
    REFUSED(r.found.confidence = 254);
    grams[1] = 0; /* twice the same */
    REFUSED(r.grams = grams);
    grams[0] = 8; /* not ascending */
    grams[1] = 7;
    REFUSED(r.grams = grams);
    grams[0] = 0;
    REFUSED((labels[0] = SPAN("b"), r.found.labels = labels)); /* twice the same */
    labels[0] = SPAN("c");                                     /* not sorted */
    REFUSED(r.found.labels = labels);
    labels[0] = SPAN("a");
    values[0].from = 0;
    REFUSED(r.found.values = values);
    values[0].from = 16;
    REFUSED(r.found.values = values);
    values[0] = values[1];
    REFUSED(r.found.values = values);
    values[0].key = (struct span){odd, sizeof odd};
    REFUSED(r.found.values = values);
    values[0].key = (struct span){NULL, 0};
    REFUSED(r.found.values = values);
    bad_defect.severity = (enum stix_severity)STIX_SEVERITIES;
    REFUSED(r.defects = &bad_defect);
    bad_defect = defect;
    bad_defect.text = SPAN("\xc0\x80");
    REFUSED(r.defects = &bad_defect);
    /* a refusal has a reason, and no rows */
    r = sample("{");
    assert_int_equal(decode_changed(&r, &e), 0);
    r.defect_count = 0;
    assert_int_equal(decode_changed(&r, &e), -1);
    r = sample("{");
    r.found.labels = labels + 1;
    r.found.label_count = 1;
    assert_int_equal(decode_changed(&r, &e), -1);
    r = sample("{");
    r.duplicate = true;
    assert_int_equal(decode_changed(&r, &e), -1);
#undef REFUSED
    /* what is said of a bundle around the objects: no bytes, a defect, and no rows either */
    r = (struct intake_result){.class = INTAKE_DEFECT,
                               .type = SPAN("bundle"),
                               .defects = &defect,
                               .defect_count = 1,
                               .defects_found = 1,
                               .found.confidence = -1};
    assert_int_equal(decode_changed(&r, &e), 0);
    r.class = INTAKE_OK;
    assert_int_equal(decode_changed(&r, &e), -1);
    r.class = INTAKE_DEFECT;
    r.found.labels = labels + 1;
    r.found.label_count = 1;
    assert_int_equal(decode_changed(&r, &e), -1);
}

/* Lists and texts at their limits, and one beyond. */
static void
test_limits(void **state)
{
    struct intake_defect *defects = calloc(STIX_DEFECTS_MAX + 1, sizeof *defects);
    uint32_t *grams = calloc(TRIGRAM_MAX + 1, sizeof *grams);
    char *big = malloc(FINDABLE_BYTES_MAX + 1);
    struct intake_result r = sample(TEXT);
    struct err e = ERR_INIT;

    (void)state;
    assert_true(defects != NULL && grams != NULL && big != NULL);
    memset(big, 'x', FINDABLE_BYTES_MAX + 1);
    r.defects = defects;
    r.defects_found = 1000;
    r.defect_count = STIX_DEFECTS_MAX;
    assert_int_equal(decode_changed(&r, &e), 0);
    r.defect_count++;
    assert_int_equal(decode_changed(&r, &e), -1);
    r = sample(TEXT);
    for (uint32_t i = 0; i <= TRIGRAM_MAX; i++) {
        grams[i] = 3 * i;
    }
    r.grams = grams;
    r.gram_count = TRIGRAM_MAX;
    assert_int_equal(decode_changed(&r, &e), 0);
    r.gram_count++;
    assert_int_equal(decode_changed(&r, &e), -1);
    /* a long id is cut on a whole character when it is sent */
    r = sample("{\"type\":\"x\"}");
    memset(big, 'x', INTAKE_ID_MAX + 10);
    memcpy(big + INTAKE_ID_MAX - 1, "\xc3\xa9", 2);
    r.id = span_from(big, INTAKE_ID_MAX + 10);
    assert_int_equal(decode_changed(&r, &e), 0);
    free(defects);
    free(grams);
    free(big);
}

/* Rows that do not fit beside a large object are left out, trigrams first, and that is said. */
#define LABELS 800
#define LONG   1000

static void
test_cut(void **state)
{
    char *bytes = malloc(JSON_TEXT_MAX + 1);
    uint32_t *grams = calloc(TRIGRAM_MAX, sizeof *grams);
    char(*long_label)[LONG] = malloc(LABELS * LONG);
    struct intake_result r = sample(TEXT);
    struct intake_result back;
    struct span labels[LABELS];
    struct err e = ERR_INIT;
    struct buf b;

    (void)state;
    assert_true(bytes != NULL && grams != NULL && long_label != NULL);
    memset(bytes, ' ', JSON_TEXT_MAX + 1);
    for (size_t i = 0; i < LABELS; i++) {
        memset(long_label[i], 'x', LONG);
        long_label[i][0] = (char)('0' + i / 64);
        long_label[i][1] = (char)('0' + i % 64);
        labels[i] = span_from(long_label[i], LONG);
    }
    for (uint32_t i = 0; i < TRIGRAM_MAX; i++) {
        grams[i] = i;
    }
    r.found.labels = labels;
    r.found.label_count = LABELS;
    r.grams = grams;
    r.gram_count = TRIGRAM_MAX;
    r.canonical = span_from(bytes, JSON_TEXT_MAX);
    buf_init(&b, INTAKE_MSG_MAX);
    intake_encode(&r, &b);
    assert_false(b.failed);
    assert_int_equal(intake_decode(buf_view(&b), other, &back, &e), 0);
    assert_true(back.found.cut);
    assert_in_range(back.gram_count, 1, TRIGRAM_MAX - 1);
    assert_int_equal(back.found.value_count, r.found.value_count);
    assert_int_equal(back.found.label_count, r.found.label_count);
    /* beside a smaller one they fit */
    buf_reset(&b);
    r.canonical.n = JSON_TEXT_MAX / 2;
    intake_encode(&r, &b);
    arena_reset(other);
    assert_int_equal(intake_decode(buf_view(&b), other, &back, &e), 0);
    assert_false(back.found.cut);
    assert_int_equal(back.gram_count, TRIGRAM_MAX);
    /* too large an object cannot be sent */
    r.canonical.n = JSON_TEXT_MAX + 1;
    arena_reset(other);
    assert_int_equal(decode_changed(&r, &e), -1);
    buf_clear(&b);
    free(bytes);
    free(grams);
    free(long_label);
}

/* Bytes changed at random: no crash, no memory by the sender's count alone. */
static void
test_random(void **state)
{
    struct check_random rnd = check_seed("messages");
    struct intake_result r = sample(TEXT);
    struct buf b;
    char *copy;
    size_t good = 0;

    (void)state;
    buf_init(&b, INTAKE_MSG_MAX);
    intake_encode(&r, &b);
    copy = malloc(b.n);
    assert_non_null(copy);
    for (int round = 0; round < 100000; round++) {
        struct intake_result back;
        struct err e = ERR_INIT;

        memcpy(copy, b.p, b.n);
        for (size_t k = 1 + check_next(&rnd) % 4; k > 0; k--) {
            copy[check_next(&rnd) % b.n] = (char)check_next(&rnd);
        }
        arena_reset(other);
        good += intake_decode(span_from(copy, b.n), other, &back, &e) == 0;
        assert_true(arena_used(other) < 100000);
    }
    assert_true(good > 0);
    free(copy);
    buf_clear(&b);
}

static void
test_allocations(void **state)
{
    struct intake_result r = sample(TEXT);
    struct buf b;
    bool done = false;

    (void)state;
    buf_init(&b, INTAKE_MSG_MAX);
    intake_encode(&r, &b);
    for (size_t n = 1; !done; n++) {
        struct intake_result back = {.class = (enum intake_class)77};
        struct err e = ERR_INIT;
        struct arena *a;
        int got;

        mem_fail_at(n);
        a = arena_new(1 << 20);
        if (a == NULL) {
            mem_fail_at(0);
            continue;
        }
        got = intake_decode(buf_view(&b), a, &back, &e);
        done = mem_count() < n;
        mem_fail_at(0);
        assert_true(got == 0 || (e.code == ERR_MEMORY && back.class == 77));
        arena_free(a);
        assert_true(n < 100);
    }
    /* an arena that is too small is no fault of the message */
    {
        struct arena *a = arena_new(64);
        struct intake_result back;
        struct err e = ERR_INIT;

        assert_int_equal(intake_decode(buf_view(&b), a, &back, &e), -1);
        assert_int_equal(e.code, ERR_LIMIT);
        arena_free(a);
    }
    buf_clear(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),  cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_random), cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
