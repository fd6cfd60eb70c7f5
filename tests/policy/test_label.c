/* How labels are written, what marking-definitions mean, and the label of an object. */
#include "check.h"

#include "arena.h"
#include "json_canon.h"
#include "label.h"
#include "mem.h"
#include "stix_facts.h"
#include "tlp.h"

#define CLEAR_ID  "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
#define GREEN_ID  "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define AMBER_ID  "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
#define STRICT_ID "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
#define RED_ID    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
#define OPENCTI   "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"
#define WHITE_1   "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
#define GREEN_1   "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
#define AMBER_1   "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
#define RED_1     "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
#define FREE_ID   "marking-definition--00000000-0000-4000-8000-000000000001"
#define OWN_RED   "marking-definition--00000000-0000-4000-8000-000000000002"
#define UNCLEAR   "marking-definition--00000000-0000-4000-8000-000000000003"
#define UNKNOWN   "marking-definition--00000000-0000-4000-8000-000000000004"
#define UNKNOWN_2 "marking-definition--00000000-0000-4000-8000-000000000005"
#define BROKEN    "marking-definition--00000000-0000-4000-8000-00000000000f"

static void
test_words(void **state)
{
    static const struct {
        const char *text;
        int tlp; /* -1: no label */
        enum tlp_label as_label;
    } cases[] = {
        {"TLP:CLEAR", TLP_CLEAR, TLP_LABEL_READ},
        {"TLP:WHITE", TLP_CLEAR, TLP_LABEL_READ},
        {"tlp:white", TLP_CLEAR, TLP_LABEL_READ},
        {"tlp:green", TLP_GREEN, TLP_LABEL_READ},
        {"Tlp:Amber", TLP_AMBER, TLP_LABEL_READ},
        {"tlp:amber+strict", TLP_AMBER_STRICT, TLP_LABEL_READ},
        {"TLP:AMBER-STRICT", TLP_AMBER_STRICT, TLP_LABEL_READ},
        {"tlp:amber_strict", TLP_AMBER_STRICT, TLP_LABEL_READ},
        {"TLP AMBER STRICT", TLP_AMBER_STRICT, TLP_LABEL_READ},
        {"tlp-red", TLP_RED, TLP_LABEL_READ},
        {"TLP_RED", TLP_RED, TLP_LABEL_READ},
        {"tlp=red", TLP_RED, TLP_LABEL_READ},
        {"TLP: RED", TLP_RED, TLP_LABEL_READ},
        {"  tlp:red\t", TLP_RED, TLP_LABEL_READ},
        {"tlpred", TLP_RED, TLP_LABEL_READ},
        /* alone they are labels where one is asked for, and mere words among an object's labels */
        {"white", TLP_CLEAR, TLP_LABEL_NONE},
        {"AMBER+STRICT", TLP_AMBER_STRICT, TLP_LABEL_NONE},
        {"red", TLP_RED, TLP_LABEL_NONE},
        /* claims to be one */
        {"tlp:", -1, TLP_LABEL_UNCLEAR},
        {"tlp", -1, TLP_LABEL_UNCLEAR},
        {"tlp:ex:chr", -1, TLP_LABEL_UNCLEAR},
        {"tlp:unclear", -1, TLP_LABEL_UNCLEAR},
        {"tlp:amber+", -1, TLP_LABEL_UNCLEAR},
        {"tlp:amber+strict+", -1, TLP_LABEL_UNCLEAR},
        {"tlp:red,green", -1, TLP_LABEL_UNCLEAR},
        {"tlp:gr\xc3\xa9"
         "en",
         -1, TLP_LABEL_UNCLEAR},
        {"tlp:clear\xe2\x80\x8b", -1, TLP_LABEL_UNCLEAR}, /* a zero-width space */
        {"TLP/RED", -1, TLP_LABEL_UNCLEAR},
        {"tlp.red", -1, TLP_LABEL_UNCLEAR},
        /* none at all */
        {"", -1, TLP_LABEL_NONE},
        {"greenish", -1, TLP_LABEL_NONE},
        {"tl", -1, TLP_LABEL_NONE},
        {"tlpd-driver", -1, TLP_LABEL_NONE},
        {"malicious-activity", -1, TLP_LABEL_NONE},
        {"not tlp:red", -1, TLP_LABEL_NONE},
        {"\xd1\x82lp:red", -1, TLP_LABEL_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum tlp t = TLP_GREEN;
        struct span s = span_of(cases[i].text);
        bool ok = tlp_read(s, &t);

        if (ok != (cases[i].tlp >= 0) || (ok && (int)t != cases[i].tlp) ||
            tlp_read_label(s, &t) != cases[i].as_label) {
            fail_msg("\"%s\"", cases[i].text);
        }
    }
    for (int t = TLP_CLEAR; t <= TLP_RED; t++) {
        enum tlp back;

        assert_true(tlp_read(span_of(tlp_name((enum tlp)t)), &back) && (int)back == t);
        assert_true(tlp_read(span_of(tlp_code((enum tlp)t)), &back) && (int)back == t);
        for (int u = TLP_CLEAR; u <= TLP_RED; u++) {
            enum tlp s = tlp_stricter((enum tlp)t, (enum tlp)u);

            assert_true((int)s == (t > u ? t : u));
            assert_true(s == tlp_stricter((enum tlp)u, (enum tlp)t));
        }
    }
    assert_string_equal(tlp_name(TLP_AMBER_STRICT), "TLP:AMBER+STRICT");
    assert_string_equal(tlp_marking_id(TLP_CLEAR), CLEAR_ID);
    assert_string_equal(tlp_marking_id(TLP_GREEN), GREEN_ID);
    assert_string_equal(tlp_marking_id(TLP_AMBER), AMBER_ID);
    assert_string_equal(tlp_marking_id(TLP_AMBER_STRICT), STRICT_ID);
    assert_string_equal(tlp_marking_id(TLP_RED), RED_ID);
}

static void
test_builtin(void **state)
{
    static const struct {
        const char *id;
        int tlp; /* -1: not built in; 9: the exercise mark */
    } cases[] = {
        {CLEAR_ID, TLP_CLEAR},
        {GREEN_ID, TLP_GREEN},
        {AMBER_ID, TLP_AMBER},
        {STRICT_ID, TLP_AMBER_STRICT},
        {RED_ID, TLP_RED},
        {OPENCTI, TLP_AMBER_STRICT},
        {WHITE_1, TLP_CLEAR},
        {GREEN_1, TLP_GREEN},
        {AMBER_1, TLP_AMBER},
        {RED_1, TLP_RED},
        {EXERCISE_MARK_ID, 9},
        /* half of a real one, as found in public code */
        {"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8488", -1},
        {"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc8", -1},
        {"marking-definition--613f2e26-0000-48c7-9eca-b8e91df99dc9", -1},
        {"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bc", -1},
        {"marking-definition--94868C89-83C2-464B-929B-A1A8AA3C8487", -1},
        {"Marking-Definition--94868c89-83c2-464b-929b-a1a8aa3c8487", -1},
        {"marking-definition-94868c89-83c2-464b-929b-a1a8aa3c8487", -1},
        {"94868c89-83c2-464b-929b-a1a8aa3c8487", -1},
        {" " CLEAR_ID, -1},
        {CLEAR_ID " ", -1},
        {CLEAR_ID "0", -1},
        {"", -1},
        {"marking-definition--", -1},
        {"TLP:CLEAR", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct marking_meaning m;
        bool found = marking_builtin(span_of(cases[i].id), &m);

        if (found != (cases[i].tlp >= 0) ||
            (found && cases[i].tlp == 9 && m.kind != MARKING_EXERCISE) ||
            (found && cases[i].tlp != 9 && (m.kind != MARKING_TLP || (int)m.tlp != cases[i].tlp))) {
            fail_msg("\"%s\"", cases[i].id);
        }
    }
}

static struct stix_facts
facts(struct arena *a, const char *json)
{
    struct stix_facts f;
    struct err e = ERR_INIT;

    if (stix_facts_read(span_of(json), a, &f, &e) != 0) {
        fail_msg("%s at %zu: %s", e.text, e.pos, json);
    }
    return f;
}

#define DEF(id, inner) "{" inner "\"id\":\"" id "\",\"type\":\"marking-definition\"}"
#define AT             "\"created\":\"2026-01-01T00:00:00.000Z\","
#define TLP2           "\"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d\":"
#define IEP2           "\"extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a\":"
#define PAP            "\"extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b\":"
#define OTHER          "\"extension-definition--00000000-0000-4000-8000-000000000009\":"
#define STATEMENT      "\"definition\":{\"statement\":\"(c) us\"},\"definition_type\":\"statement\","

static void
test_meaning(void **state)
{
    static const struct {
        const char *json;
        enum marking_kind kind;
        enum tlp tlp;
    } cases[] = {
        {DEF(FREE_ID, AT STATEMENT), MARKING_FREE, 0},
        {DEF(FREE_ID, AT "\"definition\":{\"statement\":\"TLP:RED\"},"
                         "\"definition_type\":\"statement\","),
         MARKING_FREE, 0},
        {DEF(OWN_RED, AT "\"definition\":{\"tlp\":\"red\"},\"definition_type\":\"tlp\","),
         MARKING_TLP, TLP_RED},
        {DEF(OWN_RED, AT "\"definition\":{\"tlp\":\"white\"},\"definition_type\":\"tlp\","),
         MARKING_TLP, TLP_CLEAR},
        {DEF(OWN_RED, AT "\"definition\":{\"tlp\":\"red\"},\"definition_type\":\"statement\","),
         MARKING_TLP, TLP_RED},
        {DEF(OWN_RED, AT "\"definition\":{\"tlp\":\"purple\"},\"definition_type\":\"tlp\","),
         MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT "\"definition\":{\"tlp\":\"\"},\"definition_type\":\"tlp\","),
         MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT "\"definition\":{},\"definition_type\":\"tlp\","), MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT "\"definition\":{\"tlp\":4},\"definition_type\":\"tlp\","),
         MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT "\"definition\":{\"x\":\"1\"},\"definition_type\":\"house-rule\","),
         MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT "\"definition\":{\"pap\":\"red\"},\"definition_type\":\"pap\","),
         MARKING_FREE, 0},
        {DEF(OWN_RED, AT), MARKING_UNCLEAR, 0},
        /* the two extensions, and what stands beside them */
        {DEF(OWN_RED, AT "\"extensions\":{" TLP2 "{\"tlp_2_0\":\"amber+strict\"}},"), MARKING_TLP,
         TLP_AMBER_STRICT},
        {DEF(OWN_RED, AT "\"extensions\":{" TLP2 "{\"tlp_2_0\":\"ultra\"}},"), MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT "\"extensions\":{" TLP2 "{}},"), MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT "\"extensions\":{" IEP2 "{\"tlp\":\"amber\"}},"), MARKING_TLP, TLP_AMBER},
        {DEF(OWN_RED, AT "\"extensions\":{" IEP2 "{\"tlp\":\"white\"}},"), MARKING_TLP, TLP_CLEAR},
        {DEF(OWN_RED, AT "\"extensions\":{" IEP2 "{\"encrypt_in_transit\":\"may\"}},"),
         MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT "\"extensions\":{" IEP2 "{\"tlp\":null}},"), MARKING_UNCLEAR, 0},
        {DEF(OWN_RED,
             AT "\"extensions\":{" TLP2 "{\"tlp_2_0\":\"green\"}," IEP2 "{\"tlp\":\"red\"}},"),
         MARKING_TLP, TLP_RED},
        {DEF(OWN_RED, AT "\"extensions\":{" PAP "{\"pap\":\"red\"}},"), MARKING_FREE, 0},
        {DEF(OWN_RED, AT "\"extensions\":{" OTHER "{}},"), MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT STATEMENT "\"extensions\":{" OTHER "{}},"), MARKING_UNCLEAR, 0},
        {DEF(OWN_RED, AT STATEMENT "\"extensions\":{" TLP2 "{\"tlp_2_0\":\"red\"}},"), MARKING_TLP,
         TLP_RED},
        /* names */
        {"{" AT STATEMENT "\"id\":\"" FREE_ID
         "\",\"name\":\"TLP:RED\",\"type\":\"marking-definition\"}",
         MARKING_TLP, TLP_RED},
        {"{" AT STATEMENT "\"id\":\"" FREE_ID
         "\",\"name\":\"TLP:EX:CHR\",\"type\":\"marking-definition\"}",
         MARKING_UNCLEAR, 0},
        {"{" AT STATEMENT "\"id\":\"" FREE_ID
         "\",\"name\":\"RED\",\"type\":\"marking-definition\"}",
         MARKING_FREE, 0},
        {"{" AT "\"extensions\":{" TLP2 "{\"tlp_2_0\":\"red\"}},\"id\":\"" OWN_RED
         "\",\"name\":\"TLP:CLEAR\",\"type\":\"marking-definition\"}",
         MARKING_TLP, TLP_RED},
        /* a built-in id decides, under whatever it is sent */
        {"{" AT STATEMENT "\"id\":\"" RED_ID
         "\",\"name\":\"TLP:CLEAR\",\"type\":\"marking-definition\"}",
         MARKING_TLP, TLP_RED},
        {"{" AT "\"extensions\":{" TLP2 "{\"tlp_2_0\":\"clear\"}},\"id\":\"" AMBER_ID
         "\",\"name\":\"TLP:CLEAR\",\"type\":\"marking-definition\"}",
         MARKING_TLP, TLP_AMBER},
        {DEF(OPENCTI, AT "\"definition\":{\"statement\":\"custom\"},"
                         "\"definition_type\":\"statement\","),
         MARKING_TLP, TLP_AMBER_STRICT},
        {EXERCISE_MARK_BYTES, MARKING_EXERCISE, 0},
        /* and what only looks like one says nothing */
        {DEF("marking-definition--E828B379-4e03-4974-9ac4-e53a884c97c1", AT STATEMENT),
         MARKING_UNCLEAR, 0},
        {"{" AT "\"id\":\"identity--00000000-0000-4000-8000-000000000001\",\"modified\":"
         "\"2026-01-01T00:00:00.000Z\",\"name\":\"TLP:CLEAR\",\"type\":\"identity\"}",
         MARKING_UNCLEAR, 0},
    };
    struct arena *a = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stix_facts f = facts(a, cases[i].json);
        struct marking_meaning m;

        marking_meaning_read(&f, &m);
        if (m.kind != cases[i].kind || (m.kind == MARKING_TLP && m.tlp != cases[i].tlp)) {
            fail_msg("kind %d tlp %d: %s", (int)m.kind, (int)m.tlp, cases[i].json);
        }
    }
    arena_free(a);
}

/* The definitions that the tests' resolver knows; it counts how often it is asked. */
static int
resolve(void *ctx, struct span id, struct marking_meaning *out, struct err *e)
{
    (*(unsigned *)ctx)++;
    if (span_is(id, FREE_ID)) {
        *out = (struct marking_meaning){MARKING_FREE, TLP_CLEAR};
    } else if (span_is(id, OWN_RED)) {
        *out = (struct marking_meaning){MARKING_TLP, TLP_RED};
    } else if (span_is(id, UNCLEAR)) {
        *out = (struct marking_meaning){MARKING_UNCLEAR, TLP_CLEAR};
    } else if (span_is(id, BROKEN)) {
        return err_set(e, ERR_IO, "the disk is gone");
    } else {
        return 0;
    }
    return 1;
}

#define OBJ(labels, marks, granular)                                                               \
    "{" AT granular "\"id\":\"indicator--00000000-0000-4000-8000-000000000001\"," labels           \
    "\"modified\":\"2026-01-01T00:00:00.000Z\"," marks "\"type\":\"indicator\"}"
#define MARKS(...)    "\"object_marking_refs\":[" __VA_ARGS__ "],"
#define LABELS(...)   "\"labels\":[" __VA_ARGS__ "],"
#define Q(id)         "\"" id "\""
#define GRANULAR(...) "\"granular_markings\":[" __VA_ARGS__ "],"
#define PART(id)      "{\"marking_ref\":\"" id "\",\"selectors\":[\"name\"]}"
#define LANG          "{\"lang\":\"th\",\"selectors\":[\"name\"]}"

static void
test_label(void **state)
{
    static const struct {
        const char *json;
        int tlp; /* -1: none */
        size_t unresolved;
        bool unclear, exercise;
    } cases[] = {
        {OBJ("", "", ""), -1, 0, false, false},
        {OBJ("", MARKS(), ""), -1, 0, false, false},
        {OBJ("", MARKS(Q(CLEAR_ID)), ""), TLP_CLEAR, 0, false, false},
        {OBJ("", MARKS(Q(WHITE_1)), ""), TLP_CLEAR, 0, false, false},
        {OBJ("", MARKS(Q(CLEAR_ID) "," Q(AMBER_1) "," Q(GREEN_ID)), ""), TLP_AMBER, 0, false,
         false},
        {OBJ("", MARKS(Q(OPENCTI) "," Q(AMBER_ID)), ""), TLP_AMBER_STRICT, 0, false, false},
        {OBJ("", MARKS(Q(CLEAR_ID)), GRANULAR(PART(RED_ID))), TLP_RED, 0, false, false},
        {OBJ("", "", GRANULAR(PART(GREEN_ID))), TLP_GREEN, 0, false, false},
        {OBJ("", "", GRANULAR(LANG)), -1, 0, false, false},
        {OBJ(LABELS(Q("tlp:amber+strict")), MARKS(Q(CLEAR_ID)), ""), TLP_AMBER_STRICT, 0, false,
         false},
        {OBJ(LABELS(Q("tlp:clear")), MARKS(Q(RED_1)), ""), TLP_RED, 0, false, false},
        {OBJ(LABELS(Q("red") "," Q("TLP:GREEN")), "", ""), TLP_GREEN, 0, false, false},
        {OBJ(LABELS(Q("red") "," Q("amber")), "", ""), -1, 0, false, false},
        {OBJ(LABELS(Q("tlp:ex:chr")), MARKS(Q(GREEN_ID)), ""), TLP_GREEN, 0, true, false},
        {OBJ("", MARKS(Q(FREE_ID)), ""), -1, 0, false, false},
        {OBJ("", MARKS(Q(FREE_ID) "," Q(GREEN_ID)), ""), TLP_GREEN, 0, false, false},
        {OBJ("", MARKS(Q(GREEN_ID) "," Q(OWN_RED)), ""), TLP_RED, 0, false, false},
        {OBJ("", MARKS(Q(UNCLEAR)), ""), -1, 0, true, false},
        {OBJ("", MARKS(Q(CLEAR_ID) "," Q(UNKNOWN)), ""), TLP_CLEAR, 1, false, false},
        {OBJ("", MARKS(Q(UNKNOWN) "," Q(UNKNOWN_2) "," Q(UNKNOWN)), GRANULAR(PART(UNKNOWN))), -1, 2,
         false, false},
        {OBJ("", "", GRANULAR(LANG "," PART(UNKNOWN))), -1, 1, false, false},
        /* half a known id is an unknown one; another case of letters is nothing */
        {OBJ("", MARKS(Q("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8488")), ""), -1, 1,
         false, false},
        {OBJ("", MARKS(Q("marking-definition--94868C89-83C2-464B-929B-A1A8AA3C8487")), ""), -1, 0,
         true, false},
        {OBJ("", MARKS(Q("TLP:RED")), ""), -1, 0, true, false},
        {OBJ("", MARKS(Q("")), ""), -1, 0, true, false},
        {OBJ("", MARKS(Q("identity--00000000-0000-4000-8000-000000000001")), ""), -1, 0, true,
         false},
        {OBJ("", MARKS("7"), ""), -1, 0, true, false},
        {OBJ("", "\"object_marking_refs\":\"" RED_ID "\",", ""), TLP_RED, 0, false, false},
        {OBJ("", "\"object_marking_refs\":null,", ""), -1, 0, true, false},
        {OBJ("", "", GRANULAR("{\"selectors\":[\"name\"]}")), -1, 0, true, false},
        {OBJ("", "", "\"granular_markings\":\"" RED_ID "\","), -1, 0, true, false},
        /* the exercise mark, wherever it stands */
        {OBJ("", MARKS(Q(EXERCISE_MARK_ID)), ""), -1, 0, false, true},
        {OBJ("", MARKS(Q(GREEN_ID) "," Q(EXERCISE_MARK_ID)), ""), TLP_GREEN, 0, false, true},
        {OBJ("", "", GRANULAR(PART(EXERCISE_MARK_ID))), -1, 0, false, true},
        {EXERCISE_MARK_BYTES, -1, 0, false, true},
    };
    struct arena *a = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stix_facts f = facts(a, cases[i].json);
        struct label l;
        struct err e = ERR_INIT;
        unsigned asked = 0;

        assert_int_equal(label_read(&f, resolve, &asked, a, &l, &e), 0);
        if (l.has != (cases[i].tlp >= 0) || (l.has && (int)l.tlp != cases[i].tlp) ||
            l.unresolved_count != cases[i].unresolved || l.unclear != cases[i].unclear ||
            l.exercise != cases[i].exercise) {
            fail_msg("has %d tlp %d unresolved %zu unclear %d exercise %d: %s", l.has, (int)l.tlp,
                     l.unresolved_count, l.unclear, l.exercise, cases[i].json);
        }
        assert_true(asked <= 2); /* once for each id, never for a built-in one */
        if (l.unresolved_count == 2) {
            assert_true(span_is(l.unresolved[0], UNKNOWN));
            assert_true(span_is(l.unresolved[1], UNKNOWN_2));
        }
    }
    arena_free(a);
}

static void
test_failures(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct stix_facts f = facts(a, OBJ("", MARKS(Q(GREEN_ID) "," Q(BROKEN)), ""));
    struct stix_facts many = facts(a, OBJ("", MARKS(Q(UNKNOWN)), ""));
    struct label l = {.exercise = true};
    struct err e = ERR_INIT;
    unsigned asked = 0;
    struct arena *small;

    (void)state;
    assert_int_equal(label_read(&f, resolve, &asked, a, &l, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_true(l.exercise && !l.has); /* untouched */
    /* without a resolver nothing but the built-in ids is known */
    assert_int_equal(label_read(&f, NULL, NULL, a, &l, &e), 0);
    assert_int_equal(l.unresolved_count, 1);
    assert_true(l.has && l.tlp == TLP_GREEN);
    /* no memory: an error, and no label */
    small = arena_new(1);
    assert_non_null(small);
    l = (struct label){.exercise = true};
    assert_int_equal(label_read(&many, NULL, NULL, small, &l, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_true(l.exercise);
    arena_free(small);
    arena_free(a);
}

/* The mark's bytes are an object that everybody else can read too. */
static void
test_mark(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct stix_facts f = facts(a, EXERCISE_MARK_BYTES);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(json_canon_check(span_of(EXERCISE_MARK_BYTES), &e), 0);
    assert_true(span_is(f.id.text, EXERCISE_MARK_ID));
    assert_int_equal(uuid_version(&f.id.uuid), 4);
    assert_true(uuid_variant_ok(&f.id.uuid));
    assert_true(span_is(f.definition_type, "statement"));
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),    cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_meaning),  cmocka_unit_test(test_label),
        cmocka_unit_test(test_failures), cmocka_unit_test(test_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
