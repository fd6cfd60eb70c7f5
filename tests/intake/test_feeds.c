/* Real feeds through the whole way in: nothing is refused, what is kept can be believed from its
 * bytes alone, and arrives unchanged as a message. */
#include "check.h"

#include "arena.h"
#include "intake_msg.h"
#include "intake_stream.h"
#include "json_canon.h"
#include "stix_facts.h"

#define PIECE 4096 /* bytes at a time */

static const char *const files[] = {
    "stix/mobile-attack-17.1.json",
    "stix/ics-attack-18.1.json",
    "stix-examples/apt1.json",
    "stix-examples/indicator-for-c2-ip-address.json",
    "stix-examples/indicator-to-campaign-relationship.json",
    "stix-examples/indicators-for-C2-with-COA.json",
    "stix-examples/infrastructure.json",
    "stix-examples/interop-objectmarking-test.json",
    "stix-examples/malicious-email-indicator-with-attachment.json",
    "stix-examples/poisonivy.json",
    "stix-feeds/misp-test_attributes_collection_stix21.json",
    "stix-feeds/misp-test_event1_stix21.json",
    "stix-feeds/misp-test_events_collection_stix21.json",
    "stix-feeds/misp-test_objects_collection_stix21.json",
    "stix-feeds/opencti-companies.json",
    "stix-feeds/opencti-geography.json",
};

static void
check_object(const struct intake_result *r, struct arena *a, struct buf *b, const char *file)
{
    struct stix_facts f;
    struct intake_result back;
    struct err e = ERR_INIT;

    if (r->class == INTAKE_REFUSED) {
        fail_msg("%s: object %llu refused: %.*s", file, (unsigned long long)r->index,
                 (int)r->defects[0].text.n, r->defects[0].text.p);
    }
    assert_int_equal(json_canon_check(r->canonical, &e), 0);
    arena_reset(a);
    assert_int_equal(stix_facts_read(r->canonical, a, &f, &e), 0);
    assert_true(span_eq(f.id.text, r->id));
    buf_reset(b);
    intake_encode(r, b);
    assert_false(b->failed);
    if (intake_decode(buf_view(b), a, &back, &e) != 0) {
        fail_msg("%s: object %llu: %s at %zu", file, (unsigned long long)r->index, e.text, e.pos);
    }
    assert_true(hash_eq(&back.hash, &r->hash));
    assert_int_equal(back.found.value_count, r->found.value_count);
    assert_int_equal(back.gram_count, r->gram_count);
    assert_false(back.found.cut);
}

static void
take_file(const char *path, const char *file)
{
    struct intake_stream *s = intake_stream_new(INTAKE_NORMAL);
    struct arena *a = arena_new(64u << 20);
    FILE *in = fopen(path, "rb");
    char piece[PIECE];
    struct intake_result r;
    struct intake_counts counts;
    struct err e = ERR_INIT;
    struct buf b;
    enum intake_event event;

    assert_true(s != NULL && a != NULL && in != NULL);
    buf_init(&b, INTAKE_MSG_MAX);
    while ((event = intake_stream_next(s, &r, &e)) == INTAKE_MORE || event == INTAKE_OBJECT) {
        size_t n;

        if (event == INTAKE_OBJECT) {
            check_object(&r, a, &b, file);
            continue;
        }
        n = fread(piece, 1, sizeof piece, in);
        if (n > 0) {
            intake_stream_feed(s, span_from(piece, n));
        } else {
            intake_stream_finish(s);
        }
    }
    if (event != INTAKE_END) {
        fail_msg("%s: %s", file, event == INTAKE_BROKEN ? r.defects[0].text.p : e.text);
    }
    counts = intake_stream_counts(s);
    print_message("# %s: %llu ok, %llu with defects, %llu duplicates\n", file,
                  (unsigned long long)counts.class[INTAKE_OK],
                  (unsigned long long)counts.class[INTAKE_DEFECT],
                  (unsigned long long)counts.duplicates);
    assert_true(counts.class[INTAKE_OK] + counts.class[INTAKE_DEFECT] > 0);
    fclose(in);
    buf_clear(&b);
    arena_free(a);
    intake_stream_free(s);
}

static void
test_feeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[1000];

        if (!check_data(files[i], path, sizeof path)) {
            print_message("# skipped: %s is not at hand (JAGA_DATA)\n", files[i]);
            continue;
        }
        take_file(path, files[i]);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_feeds)};

    return cmocka_run_group_tests(tests, begin, NULL);
}
