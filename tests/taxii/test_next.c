/* The sealed next: what it carries, and what opens it. */
#include "check.h"

#include <ctype.h>
#include "crypto.h"
#include "taxii_next.h"

static struct key keys[3];

static int
make(struct taxii_next *n, struct buf *out, struct arena *a, const struct key *k)
{
    struct err e = ERR_INIT;

    *n = (struct taxii_next){.kind = TAXII_N_OBJECTS, .scope = SPAN("c1"), .after = -5, .part = 77};
    if (taxii_query_read(a, SPAN("match[type]=indicator&match[version]=all&limit=9"),
                         TAXII_P_OBJECTS, &n->query, &e) != 0)
        return -1;
    buf_init(out, TAXII_NEXT_MAX);
    taxii_next_put(k, n, out);
    return out->failed ? -1 : 0;
}

static void
test_round_trip(void **state)
{
    struct arena *a = arena_new(1u << 20);
    struct taxii_next n, back;
    struct buf b;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(make(&n, &b, a, &keys[0]), 0);
    assert_int_equal(
        taxii_next_get(keys, 1, buf_view(&b), TAXII_N_OBJECTS, SPAN("c1"), a, &back, &e), 0);
    assert_int_equal(back.after, -5);
    assert_int_equal(back.part, 77);
    assert_int_equal(back.query.type.n, 1);
    assert_true(span_is(back.query.type.v[0], "indicator"));
    assert_int_equal(back.query.version_n, 1);
    assert_int_equal(back.query.limit, 0); /* the limit may change from page to page */
    /* only letters that need no encoding in a URL */
    for (size_t i = 0; i < b.n; i++)
        assert_true(isalnum((unsigned char)b.p[i]) || b.p[i] == '-' || b.p[i] == '_');
    buf_clear(&b);
    arena_free(a);
}

static void
test_keys(void **state)
{
    struct arena *a = arena_new(1u << 20);
    struct taxii_next n, back;
    struct buf b;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(make(&n, &b, a, &keys[1]), 0);
    assert_int_equal(
        taxii_next_get(keys, 2, buf_view(&b), TAXII_N_OBJECTS, SPAN("c1"), a, &back, &e),
        0); /* the older of two */
    assert_int_equal(
        taxii_next_get(keys, 1, buf_view(&b), TAXII_N_OBJECTS, SPAN("c1"), a, &back, &e), -1);
    assert_int_equal(e.code, ERR_SYNTAX);
    assert_int_equal(
        taxii_next_get(&keys[2], 1, buf_view(&b), TAXII_N_OBJECTS, SPAN("c1"), a, &back, &e), -1);
    buf_clear(&b);
    arena_free(a);
}

static void
test_refused(void **state)
{
    static const char *const junk[] = {
        "",          "0",  "abc",      "====",
        "AAAA AAAA", "//", "\xff\xfe", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w"};
    struct arena *a = arena_new(1u << 20);
    struct taxii_next n, back;
    struct buf b;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(make(&n, &b, a, &keys[0]), 0);
    assert_int_equal(
        taxii_next_get(keys, 1, buf_view(&b), TAXII_N_MANIFEST, SPAN("c1"), a, &back, &e), -1);
    assert_int_equal(
        taxii_next_get(keys, 1, buf_view(&b), TAXII_N_OBJECTS, SPAN("c2"), a, &back, &e), -1);
    for (size_t i = 0; i < b.n; i++) {
        char was = b.p[i];

        b.p[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(
            taxii_next_get(keys, 1, buf_view(&b), TAXII_N_OBJECTS, SPAN("c1"), a, &back, &e), -1);
        b.p[i] = was;
        assert_int_equal(
            taxii_next_get(keys, 1, span_from(b.p, i), TAXII_N_OBJECTS, SPAN("c1"), a, &back, &e),
            -1);
    }
    for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++)
        assert_int_equal(
            taxii_next_get(keys, 1, span_of(junk[i]), TAXII_N_OBJECTS, SPAN("c1"), a, &back, &e),
            -1);
    buf_clear(&b);
    arena_free(a);
}

/* The longest query's filters fit in a next, and a next and its ticket in a message. */
static void
test_longest(void **state)
{
    static char text[TAXII_QUERY_MAX + 1];
    struct arena *a = arena_new(1u << 20);
    struct taxii_next n = {.kind = TAXII_N_VERSIONS, .scope = SPAN("c1")}, back;
    struct buf b;
    struct err e = ERR_INIT;
    size_t len;

    (void)state;
    for (size_t each = 1; each < 3; each++) {
        len = (size_t)snprintf(text, sizeof text, "match[id]=");
        if (each == 1) {
            memset(text + len, 'a', sizeof text - 1 - len);
            text[sizeof text - 1] = '\0';
        } else {
            for (size_t i = 0; i < TAXII_VALUES_MAX; i++)
                len += (size_t)snprintf(text + len, sizeof text - len, "abcdefghij,");
        }
        assert_int_equal(taxii_query_read(a, span_of(text), TAXII_P_OBJECTS, &n.query, &e), 0);
        buf_init(&b, TAXII_NEXT_MAX);
        taxii_next_put(&keys[0], &n, &b);
        assert_false(b.failed);
        assert_int_equal(
            taxii_next_get(keys, 1, buf_view(&b), TAXII_N_VERSIONS, SPAN("c1"), a, &back, &e), 0);
        assert_int_equal(back.query.id.n, n.query.id.n);
        buf_clear(&b);
    }
    arena_free(a);
}

static int
setup(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    if (crypto_start(&e) != 0)
        return -1;
    for (size_t i = 0; i < 3; i++)
        key_random(&keys[i]);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
