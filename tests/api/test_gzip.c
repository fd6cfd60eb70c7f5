/* The gzip coding: what asks for it, there and back, and what is no gzip. */
#include "check.h"

#include <zlib.h>
#include "gzip.h"
#include "mem.h"

static void
headers(void **state)
{
    static const struct {
        const char *accept;
        bool welcome;
    } a[] = {
        {"", false},           {"gzip", true},          {"GZip", true},
        {"x-gzip", true},      {"deflate", false},      {"*", true},
        {"gzip;q=0", false},   {"gzip;q=0.000", false}, {"gzip; q=0.001", true},
        {"gzip;Q=0", false},   {"*;q=0", false},        {"gzip;q=0, *;q=1", false},
        {"*;q=0, gzip", true}, {"br, zstd", false},     {"br, gzip;q=0.5 , zstd", true},
        {",,", false},         {"gzipped", false},      {"gzip;x=1;q=0", false},
        {";q=1", false},
    };
    static const struct {
        const char *coding;
        bool ok, gzip;
    } c[] = {
        {"", true, false},
        {"identity", true, false},
        {"IDENTITY ", true, false},
        {"gzip", true, true},
        {"x-gzip", true, true},
        {" GZIP ", true, true},
        {"deflate", false, false},
        {"br", false, false},
        {"gzip, gzip", false, false},
        {"gzip,identity", false, false},
        {"zstd", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        if (gzip_welcome(span_of(a[i].accept)) != a[i].welcome)
            fail_msg("%s", a[i].accept);
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        bool gzip = !c[i].gzip;

        if (gzip_understood(span_of(c[i].coding), &gzip) != c[i].ok || gzip != c[i].gzip)
            fail_msg("%s", c[i].coding);
    }
}

/* Decodes by pieces of in_n into room for out_n; -1, or how much came. */
static long
decode(struct span coded, size_t in_n, size_t out_n, struct buf *all)
{
    struct gunzip *g = gunzip_new();
    struct buf out;
    struct err e = ERR_INIT;
    int r = 0;
    bool whole;

    assert_non_null(g);
    buf_init(&out, out_n);
    assert_non_null(buf_room(&out, out_n));
    while (coded.n && r == 0) {
        struct span piece = span_part(coded, 0, in_n);

        coded = span_part(coded, piece.n, coded.n);
        do {
            buf_reset(&out);
            r = gunzip_step(g, &piece, &out, &e);
            buf_span(all, buf_view(&out));
        } while (r == 0 && out.n > 0);
        assert_true(r != 0 || piece.n == 0);
    }
    whole = gunzip_whole(g);
    gunzip_free(g);
    buf_clear(&out);
    if (r)
        assert_int_equal(e.code, ERR_ENCODING);
    return r || !whole ? -1 : (long)all->n;
}

static void
there_and_back(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 1023, 70000, GZIP_MOST};
    static const size_t pieces[][2] = {{1, 1}, {1, 100000}, {100000, 1}, {7, 13}, {4096, 65536}};
    struct check_random r = check_seed("gzip");

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct buf plain, coded;

        buf_init(&plain, GZIP_MOST + 1);
        buf_init(&coded, 1u << 20);
        for (size_t i = 0; i < sizes[s]; i++)
            buf_u8(&plain, (unsigned)(check_next(&r) % 7) + 'a');
        assert_true(gzip_put(buf_view(&plain), &coded));
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            struct buf all;

            if (sizes[s] > 100000 && pieces[p][1] == 1)
                continue;
            buf_init(&all, 1u << 20);
            assert_int_equal(decode(buf_view(&coded), pieces[p][0], pieces[p][1], &all), sizes[s]);
            assert_true(span_eq(buf_view(&all), buf_view(&plain)));
            buf_clear(&all);
        }
        buf_clear(&plain);
        buf_clear(&coded);
    }
    {
        struct buf plain, coded;

        buf_init(&plain, GZIP_MOST + 1);
        buf_init(&coded, 1u << 20);
        (void)memset(buf_room(&plain, GZIP_MOST + 1), 'a', GZIP_MOST + 1);
        assert_false(gzip_put(buf_view(&plain), &coded));
        buf_clear(&plain);
        buf_clear(&coded);
    }
}

/* Cut anywhere, changed anywhere, with something behind it. */
static void
damaged(void **state)
{
    struct buf coded, all;
    struct check_random r = check_seed("gzip");

    (void)state;
    buf_init(&coded, 10000);
    buf_init(&all, 1u << 20);
    assert_true(gzip_put(SPAN("{\"objects\":[{\"type\":\"x-a\"},{\"type\":\"x-b\"}]}"), &coded));
    for (size_t n = 0; n < coded.n; n++) {
        buf_reset(&all);
        assert_int_equal(decode(span_from(coded.p, n), 100, 100, &all), -1);
    }
    for (int i = 0; i < 3000; i++) { /* no crash, and never more than there was */
        size_t at = check_next(&r) % coded.n;
        char was = coded.p[at];

        coded.p[at] ^= (char)(1 << check_next(&r) % 8);
        buf_reset(&all);
        (void)decode(buf_view(&coded), 5, 64, &all);
        coded.p[at] = was;
    }
    size_t one = coded.n;
    buf_reset(&all);
    buf_span(&coded, span_from(coded.p, 0));
    assert_true(gzip_put(SPAN(" second"), &coded)); /* members one after the other */
    assert_true(decode(buf_view(&coded), 3, 10, &all) > 0);
    buf_reset(&all);
    buf_cut(&coded, one);
    buf_str(&coded, "garbage");
    assert_int_equal(decode(buf_view(&coded), 1000, 1000, &all), -1);
    buf_clear(&coded);
    buf_clear(&all);
}

/* A little that means very much comes out in portions of what there is room for. */
static void
bomb(void **state)
{
    struct buf coded, out;
    struct gunzip *g = gunzip_new();
    struct span in;
    uint64_t total = 0;
    char *zeros = calloc(1, 1u << 20);
    z_stream z = {0};

    (void)state;
    buf_init(&coded, 1u << 20);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, 0), Z_OK);
    z.next_out = (Bytef *)buf_room(&coded, 200000);
    z.avail_out = 200000;
    for (int i = 0; i < 64; i++) {
        z.next_in = (Bytef *)zeros;
        z.avail_in = 1u << 20;
        assert_int_equal(deflate(&z, i == 63 ? Z_FINISH : Z_NO_FLUSH),
                         i == 63 ? Z_STREAM_END : Z_OK);
    }
    buf_cut(&coded, 200000 - z.avail_out);
    deflateEnd(&z);
    free(zeros);
    buf_init(&out, 65536);
    assert_non_null(buf_room(&out, 65536));
    in = buf_view(&coded);
    do {
        buf_reset(&out);
        assert_int_equal(gunzip_step(g, &in, &out, NULL), 0);
        total += out.n;
    } while (out.n);
    assert_true(total == 64u << 20 && gunzip_whole(g) && in.n == 0);
    gunzip_free(g);
    buf_clear(&out);
    buf_clear(&coded);
}

static void
memory_runs_out(void **state)
{
    char text[5000];
    bool done = false;

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t n = 1; n < 100 && !done; n++) {
        struct buf coded, out;
        struct gunzip *g;

        buf_init(&coded, 10000);
        buf_init(&out, 10000);
        assert_non_null(buf_room(&out, 10000));
        buf_reset(&out);
        mem_fail_at(n);
        done = gzip_put(span_from(text, sizeof text), &coded);
        g = gunzip_new();
        if (done && g) {
            struct span in = buf_view(&coded);
            done = gunzip_step(g, &in, &out, NULL) == 0 && out.n == sizeof text;
        }
        done = done && g && mem_count() < n;
        mem_fail_at(0);
        gunzip_free(g);
        buf_clear(&coded);
        buf_clear(&out);
    }
    assert_true(done);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers), cmocka_unit_test(there_and_back),  cmocka_unit_test(damaged),
        cmocka_unit_test(bomb),    cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
