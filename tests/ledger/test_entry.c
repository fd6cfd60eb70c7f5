/* Names of streams and headers of entries: fixed forms, one reading, and what each commits to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ledger.h"

static void
assert_hash(const struct hash *h, const char *hex)
{
    uint8_t want[HASH_BYTES];

    assert_true(hex_read(span_of(hex), want, HASH_BYTES));
    assert_memory_equal(h->b, want, HASH_BYTES);
}

static struct stream_name
a_name(void)
{
    struct stream_name s = {.label = 3, .group = SPAN("banking")};

    for (unsigned i = 0; i < 16; i++) {
        s.publisher.b[i] = (uint8_t)i;
        s.incarnation[i] = (uint8_t)(16 + i);
        s.generation[i] = (uint8_t)(32 + i);
    }
    return s;
}

/* Made once by another program from the description in the header: it must never change, for other
 * nodes know streams by it. */
static void
stream_id_is_fixed(void **state)
{
    struct stream_name s = a_name();
    struct hash h;
    struct err e = ERR_INIT;
    (void)state;

    assert_int_equal(stream_id(&s, &h, &e), 0);
    assert_hash(&h, "9da9649711106c00e01168e86d70d72ca84d0cb6bca00844c7d97733c8e08566");
}

static void
every_part_makes_another_stream(void **state)
{
    struct hash seen[80];
    size_t n = 0;
    struct err e = ERR_INIT;
    char longest[LEDGER_GROUP_MAX + 1];
    (void)state;

    memset(longest, 'g', sizeof longest);
    assert_int_equal(stream_id(&(struct stream_name){.group = SPAN("x")}, &seen[n++], &e), 0);
    for (unsigned what = 0; what < 56; what++) {
        struct stream_name s = a_name();

        if (what < 16)
            s.publisher.b[what] ^= 1;
        else if (what < 32)
            s.incarnation[what - 16] ^= 1;
        else if (what < 48)
            s.generation[what - 32] ^= 1;
        else if (what == 48)
            s.label = 4;
        else if (what == 49)
            s.label = 0;
        else if (what == 50)
            s.exercise = true;
        else if (what == 51)
            s.group = SPAN("bankin");
        else if (what == 52)
            s.group = SPAN("banking\0");
        else if (what == 53)
            s.group = span_from(longest, LEDGER_GROUP_MAX);
        else if (what == 54) /* what stands in two parts, moved from one to the other */
            memcpy(s.incarnation, s.generation, 16);
        assert_int_equal(stream_id(&s, &seen[n++], &e), 0);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(hash_eq(&seen[i], &seen[j]));

    struct stream_name s = a_name();
    const struct hash before = seen[0];

    s.group = span_from(longest, LEDGER_GROUP_MAX + 1);
    assert_int_equal(stream_id(&s, &seen[0], &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    s.group = SPAN("");
    assert_int_equal(stream_id(&s, &seen[0], &e), -1);
    assert_true(hash_eq(&before, &seen[0]));
}

static const char put_hex[] =
    "010100000000000000070000002f696e64696361746f722d2d30303030303030302d303030302d343030302d3830"
    "30302d30303030303030303030303100000018323032362d30312d30315430303a30303a30302e3030305a44136f"
    "a355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a0000000000000002";
static const char erase_hex[] = "010200000000000000080000000000000029"
                                "721c853160f5f28b3f89d17d1daf07dd68e9ef1996b0b79a190d924d40c4d9e4";

static struct entry
a_put(void)
{
    struct entry en = {.kind = ENTRY_PUT,
                       .group_version = 7,
                       .id = SPAN("indicator--00000000-0000-4000-8000-000000000001"),
                       .version = SPAN("2026-01-01T00:00:00.000Z"),
                       .size = 2};

    hash_sha256(SPAN("{}"), &en.bytes);
    return en;
}

static void
salt_make(uint8_t salt[ENTRY_SALT_BYTES])
{
    for (unsigned i = 0; i < ENTRY_SALT_BYTES; i++)
        salt[i] = (uint8_t)i;
}

static bool
same(const struct entry *a, const struct entry *b)
{
    return a->kind == b->kind && a->group_version == b->group_version && span_eq(a->id, b->id) &&
           span_eq(a->version, b->version) && hash_eq(&a->bytes, &b->bytes) && a->size == b->size &&
           a->target == b->target && hash_eq(&a->target_d, &b->target_d);
}

static void
entries_are_fixed(void **state)
{
    struct entry put = a_put(), erase = {.kind = ENTRY_ERASE, .group_version = 8, .target = 41};
    uint8_t salt[ENTRY_SALT_BYTES], want[256];
    char mem[ENTRY_HEADER_MAX];
    struct err e = ERR_INIT;
    struct entry back;
    struct hash leaf;
    struct buf b;
    (void)state;

    salt_make(salt);
    buf_init_fixed(&b, mem, sizeof mem);
    assert_int_equal(entry_encode(&put, &b, &e), 0);
    assert_int_equal(b.n, (sizeof put_hex - 1) / 2);
    assert_true(hex_read(SPAN(put_hex), want, b.n));
    assert_memory_equal(b.p, want, b.n);
    assert_int_equal(entry_decode(buf_view(&b), &back, &e), 0);
    assert_true(same(&put, &back));
    entry_commit(salt, buf_view(&b), &erase.target_d);
    assert_hash(&erase.target_d,
                "721c853160f5f28b3f89d17d1daf07dd68e9ef1996b0b79a190d924d40c4d9e4");
    entry_leaf(&erase.target_d, &leaf);
    assert_hash(&leaf, "78aa46cf4bd2124da9b9d1b7c065ed5a9fa07dc216e093b21a80f25731b5a2dc");

    buf_reset(&b);
    assert_int_equal(entry_encode(&erase, &b, &e), 0);
    assert_int_equal(b.n, (sizeof erase_hex - 1) / 2);
    assert_true(hex_read(SPAN(erase_hex), want, b.n));
    assert_memory_equal(b.p, want, b.n);
    assert_int_equal(entry_decode(buf_view(&b), &back, &e), 0);
    assert_true(same(&erase, &back));
    entry_commit(salt, buf_view(&b), &leaf);
    assert_hash(&leaf, "10a6e368dddf9911d4716ce94aba382db24f2d0fa6e951a3dad7f9740ee4c56b");
}

static void
the_commitment_covers_everything(void **state)
{
    uint8_t salt[ENTRY_SALT_BYTES];
    char header[] = "0123456789";
    struct hash d, other;
    (void)state;

    salt_make(salt);
    entry_commit(salt, SPAN("0123456789"), &d);
    for (size_t i = 0; i < ENTRY_SALT_BYTES; i++) {
        salt[i] ^= 1;
        entry_commit(salt, SPAN("0123456789"), &other);
        assert_false(hash_eq(&d, &other));
        salt[i] ^= 1;
    }
    for (size_t i = 0; i < 10; i++) {
        header[i] ^= 1;
        entry_commit(salt, span_from(header, 10), &other);
        assert_false(hash_eq(&d, &other));
        header[i] ^= 1;
        entry_commit(salt, span_from(header, i), &other);
        assert_false(hash_eq(&d, &other));
    }
    entry_commit(salt, span_from(header, 10), &other);
    assert_true(hash_eq(&d, &other));
}

static void
limits_both_sides(void **state)
{
    char text[ENTRY_ID_MAX + 1], mem[ENTRY_HEADER_MAX];
    struct entry put = a_put(), back;
    struct err e = ERR_INIT;
    struct buf b;
    (void)state;

    memset(text, 'x', sizeof text);
    put.id = span_from(text, ENTRY_ID_MAX);
    put.version = span_from(text, ENTRY_VERSION_MAX);
    put.size = UINT64_MAX;
    put.group_version = UINT64_MAX;
    buf_init_fixed(&b, mem, sizeof mem); /* the largest header fits in what the name promises */
    assert_int_equal(entry_encode(&put, &b, &e), 0);
    assert_int_equal(entry_decode(buf_view(&b), &back, &e), 0);
    assert_true(same(&put, &back));
    put.version = SPAN("");
    put.id = SPAN("x");
    buf_reset(&b);
    assert_int_equal(entry_encode(&put, &b, &e), 0);
    assert_int_equal(entry_decode(buf_view(&b), &back, &e), 0);
    assert_true(same(&put, &back));

    buf_reset(&b);
    put.id = span_from(text, ENTRY_ID_MAX + 1);
    assert_int_equal(entry_encode(&put, &b, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    put.id = SPAN("");
    assert_int_equal(entry_encode(&put, &b, &e), -1);
    put.id = SPAN("x");
    put.version = span_from(text, ENTRY_VERSION_MAX + 1);
    assert_int_equal(entry_encode(&put, &b, &e), -1);
    put.version = SPAN("");
    put.kind = (enum entry_kind)0;
    assert_int_equal(entry_encode(&put, &b, &e), -1);
    put.kind = (enum entry_kind)3;
    assert_int_equal(entry_encode(&put, &b, &e), -1);
    assert_int_equal(b.n, 0);
    put = a_put();
    buf_init_fixed(&b, mem, (sizeof put_hex - 1) / 2 - 1);
    assert_int_equal(entry_encode(&put, &b, &e), -1);
    assert_int_equal(e.code, ERR_MEMORY);
}

/* Whatever is read must be written again as the same bytes: there is one form for each entry. */
static void
one_reading(const char *p, size_t n, bool must_fail)
{
    struct entry en = {.size = 77};
    struct err e = ERR_INIT;
    char mem[ENTRY_HEADER_MAX];
    struct buf b;

    if (entry_decode(span_from(p, n), &en, &e) < 0) {
        assert_int_equal(e.code, ERR_PROTOCOL);
        assert_true(e.pos <= n);
        assert_int_equal(en.size, 77);
        return;
    }
    assert_false(must_fail);
    buf_init_fixed(&b, mem, sizeof mem);
    assert_int_equal(entry_encode(&en, &b, &e), 0);
    assert_true(span_eq(buf_view(&b), span_from(p, n)));
}

static void
damaged_headers(void **state)
{
    static const char *const hex[] = {put_hex, erase_hex};
    (void)state;

    for (int h = 0; h < 2; h++) {
        const size_t n = strlen(hex[h]) / 2;
        char mem[256];

        assert_true(hex_read(span_of(hex[h]), (uint8_t *)mem, n));
        one_reading(mem, n, false);
        for (size_t cut = 0; cut < n; cut++)
            one_reading(mem, cut, true);
        mem[n] = 0;
        one_reading(mem, n + 1, true);
        for (size_t at = 0; at < n; at++)
            for (unsigned v = 0; v < 256; v++) {
                const char good = mem[at];

                mem[at] = (char)v;
                one_reading(mem, n, at < 1 && v != 1);
                mem[at] = good;
            }
        for (unsigned kind = 0; kind < 256; kind++) {
            mem[1] = (char)kind;
            one_reading(mem, n, kind != (unsigned)(h + 1));
        }
    }
    one_reading(NULL, 0, true);
    /* An id of no bytes, and one longer than any. */
    {
        char mem[400] = {1, 1};

        one_reading(mem, 2 + 8 + 4 + 4 + 32 + 8, true);
        mem[12] = 1;
        mem[13] = 45; /* 301 */
        one_reading(mem, 14 + 301 + 4 + 32 + 8, true);
        mem[13] = 44;
        one_reading(mem, 14 + 300 + 4 + 32 + 8, false);
    }
}

static int
start(void **state)
{
    (void)state;
    return crypto_start(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_id_is_fixed), cmocka_unit_test(every_part_makes_another_stream),
        cmocka_unit_test(entries_are_fixed),  cmocka_unit_test(the_commitment_covers_everything),
        cmocka_unit_test(limits_both_sides),  cmocka_unit_test(damaged_headers),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
