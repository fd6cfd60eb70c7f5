/* The growing writer and the bounds-checked reader. */
#include "check.h"

#include "buf.h"
#include "mem.h"

static void
test_round(void **state)
{
    struct buf b;
    struct reader r;
    struct reader sub;
    struct err e = ERR_INIT;

    (void)state;
    buf_init(&b, 1000);
    buf_u8(&b, 0xfe);
    buf_u16(&b, 0xfffe);
    buf_u32(&b, 0x01020304);
    buf_u64(&b, 0x0102030405060708);
    buf_i64(&b, INT64_MIN);
    buf_field(&b, SPAN("hello"));
    buf_field(&b, SPAN(""));
    buf_put(&b, "xyz", 3);
    assert_false(b.failed);
    assert_memory_equal(b.p + 3, "\1\2\3\4", 4); /* big-endian */
    r = reader_of(buf_view(&b));
    assert_int_equal(reader_u8(&r), 0xfe);
    assert_int_equal(reader_u16(&r), 0xfffe);
    assert_int_equal(reader_u32(&r), 0x01020304);
    assert_true(reader_u64(&r) == 0x0102030405060708);
    assert_true(reader_i64(&r) == INT64_MIN);
    assert_true(span_is(reader_field(&r, 5), "hello"));
    assert_int_equal(reader_field(&r, 0).n, 0);
    sub = reader_sub(&r, 2);
    assert_int_equal(reader_left(&r), 1);
    assert_int_equal(reader_u16(&sub), 'x' << 8 | 'y');
    assert_int_equal(reader_end(&sub, &e), 0);
    assert_int_equal(reader_end(&r, &e), -1); /* one byte is left */
    assert_int_equal(e.code, ERR_PROTOCOL);
    assert_int_equal(e.pos, b.n - 1);
    reader_u8(&r);
    assert_int_equal(reader_end(&r, &e), 0);
    buf_clear(&b);
}

static void
test_reader_refuses(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    for (size_t n = 0; n < 8; n++) {
        struct reader r = reader_of(span_from("\1\1\1\1\1\1\1\1", n));

        assert_true(reader_u64(&r) == 0);
        assert_true(r.failed);
        assert_int_equal(reader_u8(&r), 0); /* sticky: even what is there is not given */
        assert_int_equal(reader_left(&r), 0);
        assert_int_equal(reader_end(&r, &e), -1);
    }
    struct reader r = reader_of(span_from("\xff\xff\xff\xff", 4));
    assert_int_equal(reader_field(&r, SIZE_MAX).n, 0);
    assert_true(r.failed);
    r = reader_of(span_from("\0\0\0\3abc", 7));
    assert_int_equal(reader_field(&r, 2).n, 0);
    assert_true(r.failed);
    r = reader_of(span_from("abc", 3));
    assert_int_equal(reader_bytes(&r, SIZE_MAX).n, 0);
    assert_true(r.failed);
    r = reader_of(span_from("abc", 3));
    struct reader sub = reader_sub(&r, 4);
    assert_true(sub.failed && r.failed);
    assert_int_equal(reader_end(&sub, NULL), -1);
    r = reader_of((struct span){NULL, 0});
    assert_int_equal(reader_bytes(&r, 0).n, 0);
    assert_int_equal(reader_end(&r, NULL), 0);
}

static void
test_max(void **state)
{
    struct buf b;

    (void)state;
    for (size_t n = 998; n <= 1002; n++) {
        buf_init(&b, 1000);
        for (size_t i = 0; i < n; i++)
            buf_u8(&b, 'x');
        assert_true(b.failed == (n > 1000) && b.full == b.failed);
        assert_true(b.cap <= 1000);
        buf_reset(&b);
        buf_str(&b, "ok");
        assert_true(!b.failed && !b.full && span_is(buf_view(&b), "ok"));
        buf_clear(&b);
    }
    buf_init(&b, 10);
    assert_null(buf_room(&b, 11));
    assert_true(b.failed);
    assert_null(buf_room(&b, 1)); /* sticky */
    buf_clear(&b);
    buf_init(&b, SIZE_MAX);
    buf_str(&b, "x");
    assert_null(buf_room(&b, SIZE_MAX));
    assert_true(b.failed);
    buf_clear(&b);
}

static void
test_fixed(void **state)
{
    char mem[4];
    struct buf b;

    (void)state;
    buf_init_fixed(&b, mem, sizeof mem);
    buf_u32(&b, 7);
    assert_false(b.failed);
    buf_u8(&b, 7);
    assert_true(b.failed);
    assert_int_equal(b.n, 4);
    buf_clear(&b);
}

static void
test_text(void **state)
{
    struct buf b;
    char big[600];
    size_t n;
    char *p;

    (void)state;
    memset(big, 'y', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    buf_init(&b, 1 << 20);
    assert_non_null(buf_room(&b, 0));
    buf_printf(&b, "%s-%d ", "a", 5);
    buf_decimal(&b, 0);
    buf_decimal(&b, UINT64_MAX);
    assert_true(span_is(buf_view(&b), "a-5 018446744073709551615"));
    buf_cut(&b, 3);
    buf_cut(&b, 99);
    assert_true(span_is(buf_view(&b), "a-5"));
    buf_printf(&b, "%s", big);
    assert_int_equal(b.n, 3 + sizeof big - 1);
    p = buf_take(&b, &n);
    assert_int_equal(n, 3 + sizeof big - 1);
    assert_memory_equal(p + 3, big, sizeof big - 1);
    mem_free(p);
    assert_int_equal(b.n, 0);
    buf_printf(&b, "%.*s", 256, big);
    assert_int_equal(b.n, 256);
    buf_clear(&b);
    buf_init(&b, 599); /* the text fits to the byte, its NUL would not */
    buf_printf(&b, "%s", big);
    assert_false(b.failed);
    buf_clear(&b);
}

static void
test_memory_fails(void **state)
{
    struct buf b;

    (void)state;
    for (size_t n = 1; n < 6; n++) {
        size_t len;

        mem_fail_at(n);
        buf_init(&b, 1 << 20);
        for (int i = 0; i < 3000; i++)
            buf_u8(&b, 1);
        mem_fail_at(0);
        assert_true(b.failed == (n <= 5) && !b.full); /* 256, 512, 1024, 2048, 4096 */
        assert_null(buf_take(&b, &len));
        buf_clear(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round), cmocka_unit_test(test_reader_refuses),
        cmocka_unit_test(test_max),   cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_text),  cmocka_unit_test(test_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
