/* Real feeds: which rules they break, each of which was looked at and is a rule of the standard. */
#include "stix_test.h"

#include "crypto.h"

struct feed {
    const char *file;
    /* Objects, and the findings of each kind over all of them. */
    const char *found;
};

static const struct feed feeds[] = {
    /* Six assets have empty lists (section 2.12); nearly everything carries properties or is of a
     * type without an extension-definition (section 11). */
    {"stix/ics-attack-18.1.json",
     "1826 objects; must empty 6; should custom-object 250; should custom-property 1575; "},
    /* Tools that use attack patterns, which the tables of section 4 do not name. */
    {"stix/mobile-attack-17.1.json",
     "2148 objects; should custom-object 40; should custom-property 2107; "
     "should relationship-ends 22; "},
    {"stix-examples/apt1.json", "76 objects; "},
    {"stix-examples/indicators-for-C2-with-COA.json", "8 objects; "},
    {"stix-examples/indicator-to-campaign-relationship.json", "3 objects; "},
    {"stix-examples/malicious-email-indicator-with-attachment.json", "6 objects; "},
    {"stix-examples/poisonivy.json", "155 objects; "},
    /* One id has an upper-case letter in its UUID. */
    {"stix-examples/infrastructure.json", "10 objects; should id-case 1; "},
    /* "Network activity" as the name of a phase (section 2.11). */
    {"stix-feeds/misp-test_attributes_collection_stix21.json", "15 objects; should lowercase 3; "},
    {"stix-feeds/misp-test_event1_stix21.json", "9 objects; should lowercase 1; "},
    {"stix-feeds/misp-test_events_collection_stix21.json", "20 objects; should lowercase 3; "},
    {"stix-feeds/misp-test_objects_collection_stix21.json",
     "18 objects; should custom-property 1; "},
    {"stix-feeds/opencti-companies.json", "63 objects; should custom-property 32; "},
    /* Countries of three letters, and "located-at" between two locations. */
    {"stix-feeds/opencti-geography.json",
     "539 objects; should country 250; should custom-property 273; should relationship-ends 266; "},
};

#define KINDS_MAX 32

struct kind {
    char name[64];
    size_t count;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct kind *)a)->name, ((const struct kind *)b)->name);
}

static void
count(struct kind *kinds, size_t *n, const struct stix_defect *d)
{
    char name[64];
    size_t i = 0;
    snprintf(name, sizeof(name), "%s %s", stix_severity_name(d->severity), d->rule);
    while (i < *n && strcmp(kinds[i].name, name) != 0)
        i++;
    assert_true(i < KINDS_MAX);
    if (i == *n) {
        memcpy(kinds[i].name, name, sizeof(name));
        kinds[(*n)++].count = 0;
    }
    kinds[i].count++;
}

static void
test_feeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++) {
        struct kind kinds[KINDS_MAX];
        struct stix_test t;
        struct err e = ERR_INIT;
        struct buf b;
        char path[1000];
        size_t n = 0, objects = 0;
        if (!check_data(feeds[i].file, path, sizeof(path))) {
            print_message("# skipped: %s is not at hand (JAGA_DATA)\n", feeds[i].file);
            continue;
        }
        stix_test_begin(&t);
        const struct json *all = json_get(stix_test_file(&t, path, &e), "objects");
        assert_non_null(all);
        for (const struct json *o = all->child; o != NULL; o = o->next, objects++) {
            struct stix_report r;
            struct stix_defect why;
            struct stix_head h;
            if (stix_head_read(o, &h, &why) < 0)
                fail_msg("%s: object %zu refused: %s", feeds[i].file, objects, why.text);
            assert_int_equal(stix_check(o, &h, NULL, t.a, &r, &e), 0);
            for (const struct stix_defect *d = r.first; d != NULL; d = d->next)
                count(kinds, &n, d);
        }
        qsort(kinds, n, sizeof(kinds[0]), by_name);
        buf_init(&b, 4096);
        buf_printf(&b, "%zu objects; ", objects);
        for (size_t k = 0; k < n; k++)
            buf_printf(&b, "%s %zu; ", kinds[k].name, kinds[k].count);
        buf_u8(&b, 0);
        if (strcmp(b.p, feeds[i].found) != 0)
            fail_msg("%s\n  wanted %s\n  found  %s", feeds[i].file, feeds[i].found, b.p);
        buf_clear(&b);
        stix_test_end(&t);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_feeds)};
    struct err e = ERR_INIT;
    if (crypto_start(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
