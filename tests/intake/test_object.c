/* One object's text: its class, defects, canonical bytes, and what it is found by. */
#include "check.h"

#include "arena.h"
#include "intake.h"
#include "json_canon.h"
#include "mem.h"
#include "stix_facts.h"

#define IND_ID "indicator--00000000-0000-4000-8000-000000000001"
#define AT     "\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\""
#define HEAD   "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" IND_ID "\"," AT ","
#define GOOD                                                                                       \
    HEAD "\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\",\"pattern_type\":\"stix\","           \
         "\"valid_from\":\"2026-01-01T00:00:00Z\",\"indicator_types\":[\"malicious-activity\"]}"

static struct intake *in;
static struct arena *arena;

static int
begin(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    in = intake_new();
    arena = arena_new(INTAKE_ARENA_MAX);
    return crypto_start(&e) != 0 || in == NULL || arena == NULL;
}

static int
end(void **state)
{
    (void)state;
    intake_free(in);
    arena_free(arena);
    return 0;
}

static struct intake_result
take(struct span text, enum intake_profile profile)
{
    struct intake_result r;
    struct err e = ERR_INIT;

    arena_reset(arena);
    if (intake_object(in, text, profile, arena, &r, &e) != 0) {
        fail_msg("%s", e.text);
    }
    return r;
}

/* What holds for every result. */
static void
check_sound(const struct intake_result *r)
{
    struct err e = ERR_INIT;
    struct hash h;

    assert_true(r->class >= INTAKE_OK && r->class <= INTAKE_REFUSED);
    assert_true(r->defects_found >= r->defect_count);
    if (r->class == INTAKE_REFUSED) {
        assert_int_equal(r->canonical.n, 0);
        assert_true(r->defect_count > 0);
        assert_int_equal(r->found.value_count + r->gram_count, 0);
        return;
    }
    if (json_canon_check(r->canonical, &e) != 0) {
        fail_msg("not canonical: %s at %zu: %.*s", e.text, e.pos, (int)r->canonical.n,
                 r->canonical.p);
    }
    hash_sha256(r->canonical, &h);
    assert_true(hash_eq(&h, &r->hash));
}

static void
test_classes(void **state)
{
    static const struct {
        const char *text;
        enum intake_class normal, strict;
        const char *rule; /* of the first defect that matters; NULL: none is a must */
        const char *pointer;
    } cases[] = {
        {GOOD, INTAKE_OK, INTAKE_OK, NULL, NULL},
        {" \n" GOOD "\r\n ", INTAKE_OK, INTAKE_OK, NULL, NULL},
        {"{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":"
         "\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\",\"value\":\"198.51.100.7\"}",
         INTAKE_OK, INTAKE_OK, NULL, NULL},
        /* broken must-rules: kept, or refused where strict */
        {HEAD "\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\",\"pattern_type\":\"stix\"}",
         INTAKE_DEFECT, INTAKE_REFUSED, "required", ""},
        {HEAD "\"pattern\":\"[ipv4-addr:value = \",\"pattern_type\":\"stix\","
              "\"valid_from\":\"2026-01-01T00:00:00Z\"}",
         INTAKE_DEFECT, INTAKE_REFUSED, "pattern-syntax", "/pattern"},
        {HEAD "\"pattern\":\"[file:hashes.SHA-256 = 'aa']\",\"pattern_type\":\"stix\","
              "\"valid_from\":\"2026-01-01T00:00:00Z\"}",
         INTAKE_DEFECT, INTAKE_REFUSED, NULL, "/pattern"},
        {HEAD "\"pattern\":\"alert tcp any any\",\"pattern_type\":\"snort\","
              "\"valid_from\":\"2026-01-01T00:00:00Z\"}",
         INTAKE_OK, INTAKE_OK, NULL, NULL},
        {"{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":"
         "\"identity--00000000-0000-4000-8000-000000000001\"," AT ",\"name\":\"x\",\"labels\":[]}",
         INTAKE_DEFECT, INTAKE_REFUSED, NULL, "/labels"},
        /* refused */
        {"", INTAKE_REFUSED, INTAKE_REFUSED, "json-syntax", ""},
        {"nonsense", INTAKE_REFUSED, INTAKE_REFUSED, "json-syntax", ""},
        {"{\"type\":\"indicator\"", INTAKE_REFUSED, INTAKE_REFUSED, "json-syntax", NULL},
        {GOOD "x", INTAKE_REFUSED, INTAKE_REFUSED, "json-syntax", NULL},
        {GOOD GOOD, INTAKE_REFUSED, INTAKE_REFUSED, "json-syntax", NULL},
        {"{\"type\":\"a\",\"type\":\"b\"}", INTAKE_REFUSED, INTAKE_REFUSED, "json-duplicate",
         "/type"},
        {"{\"a\":\"\xff\"}", INTAKE_REFUSED, INTAKE_REFUSED, "json-encoding", NULL},
        {"{\"a\":\"\\ud800\"}", INTAKE_REFUSED, INTAKE_REFUSED, "json-encoding", NULL},
        {"{\"a\":9007199254740993}", INTAKE_REFUSED, INTAKE_REFUSED, "json-number", "/a"},
        {"{\"a\":1e999}", INTAKE_REFUSED, INTAKE_REFUSED, "json-number", "/a"},
        {"[]", INTAKE_REFUSED, INTAKE_REFUSED, "object", ""},
        {"\"indicator\"", INTAKE_REFUSED, INTAKE_REFUSED, "object", ""},
        {"{}", INTAKE_REFUSED, INTAKE_REFUSED, "type", ""},
        {"{\"type\":7}", INTAKE_REFUSED, INTAKE_REFUSED, "type", "/type"},
        {"{\"type\":\"indicator\"}", INTAKE_REFUSED, INTAKE_REFUSED, "id", ""},
        {"{\"type\":\"indicator\",\"id\":\"malware--00000000-0000-4000-8000-000000000001\"}",
         INTAKE_REFUSED, INTAKE_REFUSED, "id", "/id"},
        {"{\"type\":\"indicator\",\"id\":\"" IND_ID "\",\"modified\":\"yesterday\"}",
         INTAKE_REFUSED, INTAKE_REFUSED, "modified", "/modified"},
        {"{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\","
         "\"objects\":[" GOOD "]}",
         INTAKE_REFUSED, INTAKE_REFUSED, "nested-bundle", "/type"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int strict = 0; strict < 2; strict++) {
            struct intake_result r =
                take(span_of(cases[i].text), strict ? INTAKE_STRICT : INTAKE_NORMAL);
            enum intake_class want = strict ? cases[i].strict : cases[i].normal;
            bool told = cases[i].rule == NULL && cases[i].pointer == NULL;

            check_sound(&r);
            for (size_t d = 0; d < r.defect_count; d++) {
                told =
                    told ||
                    (r.defects[d].severity >= STIX_MUST &&
                     (cases[i].rule == NULL || span_is(r.defects[d].rule, cases[i].rule)) &&
                     (cases[i].pointer == NULL || span_is(r.defects[d].pointer, cases[i].pointer)));
                assert_true(r.defects[d].text.n > 0 && r.defects[d].clause.n > 0);
            }
            if (r.class != want || !told) {
                fail_msg("%s, strict %d: %s; first defect %.*s at %.*s", cases[i].text, strict,
                         intake_class_name(r.class),
                         r.defect_count > 0 ? (int)r.defects[0].rule.n : 0,
                         r.defect_count > 0 ? r.defects[0].rule.p : "",
                         r.defect_count > 0 ? (int)r.defects[0].pointer.n : 0,
                         r.defect_count > 0 ? r.defects[0].pointer.p : "");
            }
        }
    }
}

static void
test_content(void **state)
{
    struct intake_result r = take(SPAN(GOOD), INTAKE_NORMAL);
    static const char key[] = {VALUE_IPV4, (char)198, 51, 100, 7};
    bool found = false;

    (void)state;
    assert_true(span_is(r.id, IND_ID));
    assert_true(span_is(r.type, "indicator"));
    assert_true(span_starts(r.canonical, "{\"created\":\"2026-01-01T00:00:00.000Z\",\"id\":"));
    assert_int_equal(r.found.confidence, -1);
    for (size_t i = 0; i < r.found.value_count; i++) {
        found = found || span_eq(r.found.values[i].key, span_from(key, sizeof key));
    }
    assert_true(found); /* inside the pattern */
    /* what was refused still says who it was, as far as that could be read */
    r = take(SPAN("{\"type\":\"indicator\",\"id\":\"" IND_ID "\",\"modified\":1}"), INTAKE_NORMAL);
    assert_int_equal(r.class, INTAKE_REFUSED);
    assert_true(span_is(r.id, IND_ID));
    assert_true(span_is(r.type, "indicator"));
}

/* Pads the indicator with a name so that text or canonical form come to a wanted size. */
static char *
padded(size_t n, const char *fill, size_t *len)
{
    size_t unit = strlen(fill);
    char *p = malloc(n + strlen(GOOD) + 64);
    char *q = p;

    assert_non_null(p);
    q += sprintf(q, "%.*s,\"x_pad\":[", (int)(strlen(GOOD) - 1), GOOD);
    for (size_t used = 0; used + unit <= n; used += unit) {
        memcpy(q, fill, unit);
        q += unit;
    }
    q += sprintf(q, "0]}");
    *len = (size_t)(q - p);
    return p;
}

static void
test_limits(void **state)
{
    static const struct {
        size_t n;
        const char *fill;
        enum intake_class class;
    } cases[] = {
        {1000, "0,", INTAKE_OK},
        {100000, "\"abcdefghijklmnopqrstuvwxyz\",", INTAKE_OK},
        {JSON_TEXT_MAX + 1, "\"abcdefghijklmnopqrstuvwxyz\",", INTAKE_REFUSED}, /* too long */
        {JSON_TEXT_MAX - 4096, "0,", INTAKE_REFUSED}, /* a tree beyond the arena */
        {JSON_TEXT_MAX / 8, "1e20,", INTAKE_OK},      /* four times as long when printed */
    };
    char *text;
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct intake_result r;

        text = padded(cases[i].n, cases[i].fill, &n);
        r = take(span_from(text, n), INTAKE_NORMAL);
        assert_int_equal(r.class, cases[i].class);
        if (r.class == INTAKE_REFUSED) {
            assert_true(span_is(r.defects[0].rule, "limit"));
        }
        check_sound(&r);
        free(text);
    }
    /* an object's canonical form is bounded too: 21 bytes for five */
    text = padded(JSON_TEXT_MAX / 3, "1e20,", &n);
    {
        struct intake_result r = take(span_from(text, n), INTAKE_NORMAL);

        assert_int_equal(r.class, INTAKE_REFUSED);
        assert_true(span_is(r.defects[0].rule, "limit"));
    }
    free(text);
    arena_reset(arena);
}

/* A small arena refuses and never fails, down to where even that does not fit. */
static void
test_small_arena(void **state)
{
    bool refused = false, taken = false;

    (void)state;
    for (size_t ceiling = 256; ceiling < 65536 && !taken; ceiling += 128) {
        struct arena *a = arena_new(ceiling);
        struct intake_result r;
        struct err e = ERR_INIT;

        assert_non_null(a);
        if (intake_object(in, SPAN(GOOD), INTAKE_NORMAL, a, &r, &e) == 0) {
            refused = refused || r.class == INTAKE_REFUSED;
            taken = r.class == INTAKE_OK;
            check_sound(&r);
        } else {
            assert_int_equal(e.code, ERR_MEMORY);
            assert_false(refused);
        }
        arena_free(a);
    }
    assert_true(refused && taken);
}

static void
test_allocations(void **state)
{
    static const char *const texts[] = {GOOD, "{\"type\":\"indicator\"}", "{",
                                        HEAD "\"pattern\":\"[a\",\"pattern_type\":\"stix\"}"};

    (void)state;
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        bool done = false;

        for (size_t n = 1; !done; n++) {
            struct intake_result r = {.class = (enum intake_class)77};
            struct err e = ERR_INIT;
            struct arena *a;
            struct intake *i;
            int got;

            mem_fail_at(n);
            i = intake_new();
            a = arena_new(INTAKE_ARENA_MAX);
            if (i == NULL || a == NULL) {
                mem_fail_at(0);
                intake_free(i);
                arena_free(a);
                continue;
            }
            got = intake_object(i, span_of(texts[t]), INTAKE_NORMAL, a, &r, &e);
            done = mem_count() < n;
            mem_fail_at(0);
            if (got == 0) {
                check_sound(&r); /* an allocation that failed may have been spared */
            } else {
                assert_int_equal(e.code, ERR_MEMORY);
                assert_int_equal(r.class, 77);
                /* and it goes on as if nothing had been */
                arena_reset(a);
                e = ERR_INIT;
                assert_int_equal(intake_object(i, span_of(texts[t]), INTAKE_NORMAL, a, &r, &e), 0);
                check_sound(&r);
            }
            intake_free(i);
            arena_free(a);
            assert_true(n < 1000);
        }
    }
}

/* Whatever single byte is changed: no crash, a sound result, and what is kept can be believed from
 * its bytes alone. */
static void
test_mutations(void **state)
{
    struct check_random rnd = check_seed("intake");
    struct arena *a = arena_new(INTAKE_ARENA_MAX);
    size_t kept = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[sizeof GOOD];
        struct intake_result r;

        memcpy(text, GOOD, sizeof text);
        for (size_t k = 1 + check_next(&rnd) % 3; k > 0; k--) {
            text[check_next(&rnd) % (sizeof text - 1)] =
                check_next(&rnd) % 3 ? "\"\\{}[]:,0-eE.u '"[check_next(&rnd) % 16]
                                     : (char)check_next(&rnd);
        }
        r = take(span_from(text, sizeof text - 1), INTAKE_NORMAL);
        check_sound(&r);
        if (r.class != INTAKE_REFUSED) {
            struct stix_facts f;
            struct err e = ERR_INIT;

            kept++;
            arena_reset(a);
            if (stix_facts_read(r.canonical, a, &f, &e) != 0) {
                fail_msg("%s: %.*s", e.text, (int)r.canonical.n, r.canonical.p);
            }
            assert_true(span_eq(f.id.text, r.id));
            assert_true(span_eq(f.id.type, r.type));
        }
    }
    assert_true(kept > 1000);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),     cmocka_unit_test(test_content),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_small_arena),
        cmocka_unit_test(test_allocations), cmocka_unit_test(test_mutations),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
