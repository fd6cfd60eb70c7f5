/* Files of every shape, cut anywhere, become the same results. */
#include "check.h"

#include "arena.h"
#include "buf.h"
#include "intake_stream.h"
#include "mem.h"

#define ID(n) "00000000-0000-4000-8000-00000000000" n
#define ADDR(n)                                                                                    \
    "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"ipv4-addr--" ID(                    \
        n) "\",\"value\":\"198.51.100." n "\"}"
#define A                   ADDR("1")
#define B                   ADDR("2")
#define C                   "{\"type\":\"url\",\"id\":\"url--" ID("3") "\",\"value\":7}" /* no string: a defect */
#define BAD                 "{\"type\":\"url\",\"id\":\"no\"}"
#define TORN                "{\"type\":\"url\",\"id\":}"
#define BUNDLE(id, objects) "{\"type\":\"bundle\",\"id\":\"" id "\",\"objects\":[" objects "]}"
#define BID                 "bundle--" ID("9")

/* What came out, one character each: o ok, d defect, r refused, and O, D for duplicates; then E
 * for the end, e where the bundle has a defect, B broken, F failed. */
struct run {
    char seen[256];
    size_t n;
    uint64_t last_index;
    char rule[64];
    char id[64];
};

static void
note(struct run *run, const struct intake_result *r)
{
    char c = r->class == INTAKE_OK ? 'o' : r->class == INTAKE_DEFECT ? 'd' : 'r';

    assert_true(run->n < sizeof run->seen - 2);
    run->seen[run->n++] = r->duplicate ? (char)(c - 'a' + 'A') : c;
    run->last_index = r->index;
}

static struct run
run_pieces(const char *text, size_t len, size_t piece, enum intake_profile profile)
{
    struct intake_stream *s = intake_stream_new(profile);
    struct run run = {.n = 0};
    struct intake_result r;
    struct intake_counts counts;
    struct err e = ERR_INIT;
    size_t at = 0;
    size_t sum = 0;
    bool finished = false;

    assert_non_null(s);
    for (;;) {
        switch (intake_stream_next(s, &r, &e)) {
        case INTAKE_MORE:
            assert_false(finished);
            if (at < len) {
                size_t n = len - at < piece ? len - at : piece;

                intake_stream_feed(s, span_from(text + at, n));
                at += n;
            } else {
                intake_stream_finish(s);
                finished = true;
            }
            continue;
        case INTAKE_OBJECT:
            if (r.class != INTAKE_REFUSED) { /* the position leads to the object */
                assert_true(r.pos < len && text[r.pos] == '{');
            }
            assert_int_equal(intake_stream_wrapped(s),
                             memmem(text, len, "\"objects\":", 10) != NULL);
            note(&run, &r);
            continue;
        case INTAKE_END:
            run.seen[run.n++] = r.class == INTAKE_OK ? 'E' : 'e';
            snprintf(run.id, sizeof run.id, "%.*s", (int)r.id.n, r.id.p);
            break;
        case INTAKE_BROKEN:
            run.seen[run.n++] = 'B';
            assert_true(r.pos <= len);
            assert_int_equal(r.class, INTAKE_REFUSED);
            break;
        case INTAKE_FAILED:
            run.seen[run.n++] = 'F';
            break;
        }
        break;
    }
    if (run.seen[run.n - 1] != 'E' && r.defect_count > 0) {
        snprintf(run.rule, sizeof run.rule, "%.*s", (int)r.defects[0].rule.n, r.defects[0].rule.p);
    }
    counts = intake_stream_counts(s);
    for (int i = INTAKE_OK; i <= INTAKE_REFUSED; i++) {
        sum += counts.class[i];
    }
    assert_int_equal(sum, run.n - 1);
    /* nothing comes behind the end */
    assert_int_equal(intake_stream_next(s, &r, &e), INTAKE_FAILED);
    assert_int_equal(e.code, ERR_CONFLICT);
    intake_stream_free(s);
    return run;
}

static void
test_shapes(void **state)
{
    static const struct {
        const char *text;
        const char *seen;
        const char *strict; /* NULL: the same */
        const char *rule;   /* of e or B */
    } cases[] = {
        {BUNDLE(BID, A), "oE", NULL, NULL},
        {BUNDLE(BID, A "," B "," C), "oodE", "oorE", NULL},
        {BUNDLE(BID, A "," A "," B "," A), "oOoOE", NULL, NULL},
        {BUNDLE(BID, C "," C), "dDE", "rrE", NULL},
        {BUNDLE(BID, A "," BAD "," BAD "," B), "orroE", NULL, NULL},
        {BUNDLE(BID, A "," TORN "," B), "oroE", NULL, NULL},
        {BUNDLE(BID, A ",7,null," B), "orroE", NULL, NULL},
        {BUNDLE(BID, ""), "E", NULL, NULL},
        {"{\"objects\":[" A "],\"id\":\"" BID "\",\"type\":\"bundle\"}", "oE", NULL, NULL},
        {"{\"objects\":[" A "," B "]}", "ooE", NULL, NULL},
        {"{\"more\":false,\"objects\":[" A "]}", "oE", NULL, NULL},
        {"[" A "," B "]", "ooE", NULL, NULL},
        {A, "oE", NULL, NULL},
        {A "\n" B "\n", "ooE", NULL, NULL},
        {A "\n" TORN "\n" A "\n", "orOE", NULL, NULL},
        /* another order of names, other white space: the same bytes in the end */
        {BUNDLE(BID, A ",{ \"value\" : \"198.51.100.1\",\"id\":\"ipv4-addr--" ID(
                         "1") "\",\"spec_version\":\"2.1\",\"type\":\"ipv4-\\u0061ddr\"}"),
         "oOE", NULL, NULL},
        /* bundles that are not as they should be */
        {"{\"type\":\"bundle\",\"objects\":[" A "]}", "oe", NULL, "required"},
        {BUNDLE("bundle--1", A), "oe", NULL, "id"},
        {BUNDLE("report--" ID("9"), A), "oe", NULL, "id"},
        {BUNDLE(BID, BUNDLE(BID, A)), "rE", NULL, NULL},
        /* broken outside */
        {BUNDLE(BID, A) "x", "oB", NULL, "outer-shape"},
        {"{\"type\":\"bundle\",\"id\":\"" BID "\",\"objects\":[" A, "oB", NULL, "outer-shape"},
        {"{\"type\":\"bundle\",\"objects\":[" A "," B "}", NULL, NULL, "outer-shape"},
        {"{\"objects\":[" A "],\"objects\":[" B "]}", NULL, NULL, NULL},
        {"[" A " " B "]", NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].text);
        struct run whole = run_pieces(cases[i].text, len, len, INTAKE_NORMAL);
        struct run strict = run_pieces(cases[i].text, len, len, INTAKE_STRICT);

        if (cases[i].seen != NULL) {
            if (strcmp(whole.seen, cases[i].seen) != 0 ||
                strcmp(strict.seen, cases[i].strict ? cases[i].strict : cases[i].seen) != 0) {
                fail_msg("%s: %s, strict %s", cases[i].text, whole.seen, strict.seen);
            }
        } else {
            assert_true(whole.seen[whole.n - 1] == 'B'); /* how much came before is split's */
        }
        if (cases[i].rule != NULL) {
            assert_string_equal(whole.rule, cases[i].rule);
        }
        for (size_t piece = 1; piece < 40; piece++) {
            struct run cut = run_pieces(cases[i].text, len, piece, INTAKE_NORMAL);

            assert_string_equal(cut.seen, whole.seen);
            assert_int_equal(cut.last_index, whole.last_index);
            assert_string_equal(cut.id, whole.id);
        }
    }
}

/* An object over the limit is passed over and told; the rest goes on. */
static void
test_too_big(void **state)
{
    struct buf b;
    struct run run;

    (void)state;
    buf_init(&b, 64u << 20);
    buf_str(&b, "{\"type\":\"bundle\",\"id\":\"" BID "\",\"objects\":[" A ",{\"x\":\"");
    while (b.n < JSON_TEXT_MAX + 1000) {
        buf_str(&b, "a lot of text, and yet more ");
    }
    buf_str(&b, "\"}," B "]}");
    assert_false(b.failed);
    run = run_pieces(b.p, b.n, 65536, INTAKE_NORMAL);
    assert_string_equal(run.seen, "oroE");
    assert_int_equal(run.last_index, 2);
    buf_clear(&b);
}

/* A duplicate is found across a whole window of others. */
static void
test_window(void **state)
{
    struct intake_stream *s = intake_stream_new(INTAKE_NORMAL);
    struct intake_result r;
    struct err e = ERR_INIT;
    size_t given = 0;
    char line[256];

    (void)state;
    assert_non_null(s);
    for (;;) {
        enum intake_event event = intake_stream_next(s, &r, &e);

        if (event == INTAKE_OBJECT) {
            assert_int_equal(r.class, INTAKE_OK);
            assert_true(r.duplicate == (r.index == INTAKE_WINDOW + 10));
            continue;
        }
        if (event != INTAKE_MORE) {
            assert_int_equal(event, INTAKE_END);
            break;
        }
        if (given > INTAKE_WINDOW + 10) {
            intake_stream_finish(s);
            continue;
        }
        snprintf(line, sizeof line,
                 "{\"type\":\"mutex\",\"id\":\"mutex--%08zx-0000-4000-8000-000000000000\","
                 "\"name\":\"m\"}\n",
                 given == INTAKE_WINDOW + 10 ? 5 : given);
        given++;
        intake_stream_feed(s, span_of(line));
    }
    assert_int_equal(intake_stream_counts(s).duplicates, 1);
    intake_stream_free(s);
}

static void
test_allocations(void **state)
{
    const char *text = BUNDLE("bundle--1", A "," C "," BAD "," A);
    bool done = false;

    (void)state;
    for (size_t n = 1; !done; n++) {
        struct intake_stream *s;
        struct intake_result r;
        struct err e = ERR_INIT;
        enum intake_event event;
        size_t objects = 0;

        mem_fail_at(n);
        s = intake_stream_new(INTAKE_NORMAL);
        if (s == NULL) {
            mem_fail_at(0);
            continue;
        }
        intake_stream_feed(s, span_of(text));
        while ((event = intake_stream_next(s, &r, &e)) == INTAKE_OBJECT) {
            objects++;
        }
        if (event == INTAKE_MORE) {
            intake_stream_finish(s);
            event = intake_stream_next(s, &r, &e);
        }
        done = mem_count() < n;
        mem_fail_at(0);
        if (event == INTAKE_FAILED) {
            assert_int_equal(e.code, ERR_MEMORY);
        } else { /* never a half result without a word */
            assert_int_equal(event, INTAKE_END);
            assert_int_equal(objects, 4);
        }
        intake_stream_free(s);
        assert_true(n < 2000);
    }
}

static int
begin(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    return crypto_start(&e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
