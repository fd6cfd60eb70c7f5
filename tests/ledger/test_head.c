/* What members sign: fixed texts and bytes for each kind, and no second form of any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "head.h"
#include "ledger.h"
#include "mem.h"
#include "merkle.h"

/* Made by another program from the description in the header (Python, its cryptography module),
 * with the key whose seed is 00 01 ... 1f: a second implementation can check itself by them.  The
 * bytes of hashes count from 0x40 and 0x80, those of the group's id from 0x10. */
static const char key_hex[] = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

static const char text_head[] =
    "jaga/head/1/404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n"
    "300\n"
    "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=\n"
    "group 30064771075\n"
    "time 1764000000000000\n";
static const char hex_head[] =
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f000000000000012c80818283"
    "8485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f00000007000000030006445941624000"
    "1c91b27ca4f650736a445b6ffa4fd14923a67fc079357c908df67164712dde000461b79d431fa580f628687d"
    "6f345f0f1395618c33b8ee003a826c1cc0414a0c";
static const char line_head[] = "\xe2\x80\x94 identity--00112233-4455-4677-8899-aabbccddeeff "
                                "OsNKlhyRsnyk9lBzakRbb/pP0Ukjpn/"
                                "AeTV8kI32cWRxLd4ABGG3nUMfpYD2KGh9bzRfDxOVYYwzuO4AOoJsHMBBSgw=\n";

static const char text_receipt[] =
    "jaga/receipt/1/404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n"
    "300\n"
    "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=\n"
    "group 30064771075\n"
    "time 1764000000000000\n"
    "by identity--00112233-4455-4677-8899-aabbccddeeff\n";
static const char hex_receipt[] =
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f000000000000012c80818283"
    "8485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f00000007000000030006445941624000"
    "00112233445546778899aabbccddeefff92964b552e09ca0fd245df299642090d49d76a71771578e1ac080b4"
    "be1939659df63e02020add4385553119c66c4db332c2baedbdc964562a415fe9752bf902";
static const char line_receipt[] =
    "\xe2\x80\x94 identity--00112233-4455-4677-8899-aabbccddeeff "
    "OsNKlvkpZLVS4Jyg/"
    "SRd8plkIJDUnXanF3FXjhrAgLS+GTllnfY+AgIK3UOFVTEZxmxNszLCuu29yWRWKkFf6XUr+QI=\n";

static const char text_erase[] =
    "jaga/erase/1/404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n"
    "41\n"
    "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=\n"
    "time 1764000000000000\n";
static const char hex_erase[] =
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f000000000000002980818283"
    "8485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f000644594162400070f5bfcc4130962b"
    "dd3c8c0cd8d7574ac1dc70e3ce0160abff41c1a2fab0a4fe13d536e14c2187e216ec1892157b8bcd34441b7f"
    "f74e58d92af8e66b0bcd930f";
static const char line_erase[] = "\xe2\x80\x94 identity--00112233-4455-4677-8899-aabbccddeeff "
                                 "OsNKlnD1v8xBMJYr3TyMDNjXV0rB3HDjzgFgq/"
                                 "9BwaL6sKT+E9U24Uwhh+IW7BiSFXuLzTREG3/3TljZKvjmawvNkw8=\n";

static const char text_accept[] =
    "jaga/vote/1/404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n"
    "8\n"
    "130\n"
    "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=\n"
    "accept\n"
    "accepted 130\n"
    "by identity--00112233-4455-4677-8899-aabbccddeeff\n";
static const char hex_accept[] =
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f000000000000000800000000"
    "00000082808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f0200000000000000"
    "8200112233445546778899aabbccddeeff9410364f5049157de9aaeb700074d1f4540e448546d2beb0316618"
    "b0c71f7e2a2d622dce8864bfe84dab24d240da47b91329c5200ac8cb5f1815464c73924100";
static const char line_accept[] = "\xe2\x80\x94 identity--00112233-4455-4677-8899-aabbccddeeff "
                                  "OsNKlpQQNk9QSRV96arrcAB00fRUDkSFRtK+sDFmGLDHH34qLWItzohkv+"
                                  "hNqyTSQNpHuRMpxSAKyMtfGBVGTHOSQQA=\n";

static const char text_promise[] =
    "jaga/vote/1/404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n"
    "8\n"
    "130\n"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    "promise\n"
    "accepted 0\n"
    "by identity--00112233-4455-4677-8899-aabbccddeeff\n";
static const char hex_promise[] =
    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f000000000000000800000000"
    "0000008200000000000000000000000000000000000000000000000000000000000000000100000000000000"
    "0000112233445546778899aabbccddeeff17203605081de37a9696c92412d13276965b0ce93c99481cda47cb"
    "922a83212a5be6d35a4e41c22d3c3f553730e2792123adbbf500be208de7e91b7e4ebd6802";
static const char line_promise[] = "\xe2\x80\x94 identity--00112233-4455-4677-8899-aabbccddeeff "
                                   "OsNKlhcgNgUIHeN6lpbJJBLRMnaWWwzpPJlIHNpHy5IqgyEqW+"
                                   "bTWk5Bwi08P1U3MOJ5ISOtu/UAviCN5+kbfk69aAI=\n";

static const char text_group[] = "jaga/group/1/101112131415161718191a1b1c1d1e1f\n"
                                 "30064771075\n"
                                 "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=\n"
                                 "by identity--00112233-4455-4677-8899-aabbccddeeff\n";
static const char hex_group[] =
    "101112131415161718191a1b1c1d1e1f0000000700000003808182838485868788898a8b8c8d8e8f90919293"
    "9495969798999a9b9c9d9e9f00112233445546778899aabbccddeeff5c7790c946872b84390964c0ee9e8f1b"
    "a787bf114c863bea6c6892e7c2d656641a8a8e0b0f4d34b7f49092cfed57af270f14b871fdee9f892ef8a8dc"
    "1550c608";
static const char line_group[] = "\xe2\x80\x94 identity--00112233-4455-4677-8899-aabbccddeeff "
                                 "OsNKllx3kMlGhyuEOQlkwO6ejxunh78RTIY76mxokufC1lZkGoqOCw9NNLf0kJLP7"
                                 "VevJw8UuHH97p+JLvio3BVQxgg=\n";

static const char text_out[] = "jaga/out/1/101112131415161718191a1b1c1d1e1f\n"
                               "30064771075\n"
                               "member identity--ffeeddcc-bbaa-4988-8766-554433221100\n"
                               "by identity--00112233-4455-4677-8899-aabbccddeeff\n";
static const char hex_out[] =
    "101112131415161718191a1b1c1d1e1f0000000700000003ffeeddccbbaa4988876655443322110000112233"
    "445546778899aabbccddeeff2e985e118bf153f5d3765e21634433836516e8408a5b191d53676f00912bf2f5"
    "f358b7e042c78a63650a1224f039c9a2af24eb416f40108c2e79240dc2ff870b";
static const char line_out[] = "\xe2\x80\x94 identity--00112233-4455-4677-8899-aabbccddeeff "
                               "OsNKli6YXhGL8VP103ZeIWNEM4NlFuhAilsZHVNnbwCRK/"
                               "L181i34ELHimNlChIk8DnJoq8k60FvQBCMLnkkDcL/hws=\n";

static struct sign_secret secret, other_secret;
static struct sign_public key, other_key;
static struct uuid me, you;
static struct signer signer;

#define ORDER GROUP_ORDER(7, 3)
#define TIME  UINT64_C(1764000000000000)

static struct hash
counted(unsigned from)
{
    struct hash h;

    for (unsigned i = 0; i < HASH_BYTES; i++)
        h.b[i] = (uint8_t)(from + i);
    return h;
}

union any {
    struct head head;
    struct receipt receipt;
    struct erase_notice erase_notice;
    struct vote vote;
    struct circle_mark circle_mark;
    struct out_notice out_notice;
};

/* All kinds by one table of functions. */
struct kind {
    const char *name, *text, *hex, *line;
    size_t bytes;
    bool has_by;
    void (*make)(union any *out);
    int (*put)(const union any *s, struct buf *out, struct err *e);
    int (*parse)(struct span text, union any *out, struct err *e);
    int (*encode)(const union any *s, struct buf *out, struct err *e);
    int (*decode)(struct span bytes, union any *out, struct err *e);
    int (*sign)(union any *s, const struct signer *by, struct err *e);
    bool (*ok)(const union any *s, const struct uuid *by, const struct sign_public *k);
    int (*note)(const union any *s, const struct uuid *by, const struct sign_public *k,
                struct buf *out, struct err *e);
    int (*note_read)(struct span note, const struct uuid *by, const struct sign_public *k,
                     union any *out, struct err *e);
};

#define KIND(T)                                                                                    \
    static int T##_any_text(const union any *s, struct buf *out, struct err *e)                    \
    {                                                                                              \
        return T##_text(&s->T, out, e);                                                            \
    }                                                                                              \
    static int T##_any_parse(struct span text, union any *out, struct err *e)                      \
    {                                                                                              \
        return T##_parse(text, &out->T, e);                                                        \
    }                                                                                              \
    static int T##_any_encode(const union any *s, struct buf *out, struct err *e)                  \
    {                                                                                              \
        return T##_encode(&s->T, out, e);                                                          \
    }                                                                                              \
    static int T##_any_decode(struct span bytes, union any *out, struct err *e)                    \
    {                                                                                              \
        return T##_decode(bytes, &out->T, e);                                                      \
    }                                                                                              \
    static int T##_any_sign(union any *s, const struct signer *by, struct err *e)                  \
    {                                                                                              \
        return T##_sign(&s->T, by, e);                                                             \
    }                                                                                              \
    static bool T##_any_ok(const union any *s, const struct uuid *by, const struct sign_public *k) \
    {                                                                                              \
        return T##_ok(&s->T, by, k);                                                               \
    }                                                                                              \
    static int T##_any_note(const union any *s, const struct uuid *by,                             \
                            const struct sign_public *k, struct buf *out, struct err *e)           \
    {                                                                                              \
        return T##_note(&s->T, by, k, out, e);                                                     \
    }                                                                                              \
    static int T##_any_note_read(struct span note, const struct uuid *by,                          \
                                 const struct sign_public *k, union any *out, struct err *e)       \
    {                                                                                              \
        return T##_note_read(note, by, k, &out->T, e);                                             \
    }
KIND(head)
KIND(receipt)
KIND(erase_notice)
KIND(vote)
KIND(circle_mark)
KIND(out_notice)

static void
make_head(union any *s)
{
    s->head = (struct head){.stream = counted(0x40),
                            .size = 300,
                            .root = counted(0x80),
                            .group_order = ORDER,
                            .time_us = TIME};
}

static void
make_receipt(union any *s)
{
    s->receipt = (struct receipt){.stream = counted(0x40),
                                  .size = 300,
                                  .root = counted(0x80),
                                  .group_order = ORDER,
                                  .time_us = TIME,
                                  .by = me};
}

static void
make_erase(union any *s)
{
    s->erase_notice = (struct erase_notice){
        .stream = counted(0x40), .index = 41, .d = counted(0x80), .time_us = TIME};
}

static void
make_accept(union any *s)
{
    s->vote = (struct vote){.previous = counted(0x40),
                            .version = 8,
                            .ballot = 130,
                            .value = counted(0x80),
                            .phase = VOTE_ACCEPT,
                            .accepted = 130,
                            .by = me};
}

static void
make_promise(union any *s)
{
    s->vote = (struct vote){
        .previous = counted(0x40), .version = 8, .ballot = 130, .phase = VOTE_PROMISE, .by = me};
}

static void
make_group(union any *s)
{
    s->circle_mark = (struct circle_mark){.order = ORDER, .body = counted(0x80), .by = me};
    memcpy(s->circle_mark.group, counted(0x10).b, GROUP_ID_BYTES);
}

static void
make_out(union any *s)
{
    s->out_notice = (struct out_notice){.order = ORDER, .member = you, .by = me};
    memcpy(s->out_notice.group, counted(0x10).b, GROUP_ID_BYTES);
}

#define ROW(n, T, bytes, by, make)                                                                 \
    {                                                                                              \
#n, text_##n, hex_##n, line_##n, bytes, by, make, T##_any_text, T##_any_parse,             \
            T##_any_encode, T##_any_decode, T##_any_sign, T##_any_ok, T##_any_note,                \
            T##_any_note_read                                                                      \
    }

static const struct kind kinds[] = {
    ROW(head, head, HEAD_BYTES, false, make_head),
    ROW(receipt, receipt, RECEIPT_BYTES, true, make_receipt),
    ROW(erase, erase_notice, ERASE_NOTICE_BYTES, false, make_erase),
    ROW(accept, vote, VOTE_BYTES, true, make_accept),
    ROW(promise, vote, VOTE_BYTES, true, make_promise),
    ROW(group, circle_mark, CIRCLE_MARK_BYTES, true, make_group),
    ROW(out, out_notice, OUT_NOTICE_BYTES, true, make_out),
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* By their compact forms: structs have padding. */
static bool
same(const struct kind *k, const union any *x, const union any *y)
{
    char mem[2][256];
    struct buf b[2];

    buf_init_fixed(&b[0], mem[0], sizeof mem[0]);
    buf_init_fixed(&b[1], mem[1], sizeof mem[1]);
    return k->encode(x, &b[0], NULL) == 0 && k->encode(y, &b[1], NULL) == 0 &&
           span_eq(buf_view(&b[0]), buf_view(&b[1]));
}

static void
all_forms_are_fixed(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        uint8_t want[256];
        struct err e = ERR_INIT;
        union any s, back;
        char mem[1024];
        struct buf b;

        memset(&s, 0, sizeof s);
        k->make(&s);
        buf_init_fixed(&b, mem, sizeof mem);
        assert_int_equal(k->put(&s, &b, &e), 0);
        assert_true(b.n <= SAID_TEXT_MAX);
        if (!span_is(buf_view(&b), k->text))
            fail_msg("%s: %.*s", k->name, (int)b.n, b.p);
        assert_int_equal(k->sign(&s, &signer, &e), 0);
        assert_true(k->ok(&s, &me, &key));
        assert_false(k->ok(&s, &me, &other_key));
        assert_int_equal(k->ok(&s, &you, &key), !k->has_by);

        buf_reset(&b);
        assert_int_equal(k->encode(&s, &b, &e), 0);
        assert_int_equal(b.n, k->bytes);
        assert_int_equal(2 * b.n, strlen(k->hex));
        assert_true(hex_read(span_of(k->hex), want, k->bytes));
        assert_memory_equal(b.p, want, b.n);
        memset(&back, 0, sizeof back);
        assert_int_equal(k->decode(buf_view(&b), &back, &e), 0);
        assert_true(same(k, &back, &s));

        buf_reset(&b);
        assert_int_equal(k->note(&s, &me, &key, &b, &e), 0);
        assert_true(span_starts(buf_view(&b), k->text));
        assert_true(span_ends(buf_view(&b), k->line));
        assert_int_equal(b.n, strlen(k->text) + 1 + strlen(k->line));
        memset(&back, 0, sizeof back);
        assert_int_equal(k->note_read(buf_view(&b), &me, &key, &back, &e), 0);
        assert_true(same(k, &back, &s));
        assert_int_equal(k->note_read(buf_view(&b), &you, &key, &back, &e), -1);
        assert_int_equal(e.code, ERR_AUTH);
        assert_int_equal(k->note_read(buf_view(&b), &me, &other_key, &back, &e), -1);
        assert_int_equal(e.code, ERR_AUTH);
        assert_int_equal(k->note(&s, &you, &key, &b, &e), k->has_by ? -1 : 0);
    }
}

/* Every bit of the compact form counts: another one is refused or is not signed. */
static void
any_bit_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        uint8_t bytes[257] = {0};
        struct err e;
        union any s;

        assert_true(hex_read(span_of(k->hex), bytes, k->bytes));
        for (size_t bit = 0; bit < 8 * k->bytes; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(&s, 0, sizeof s);
            if (k->decode(span_from(bytes, k->bytes), &s, &e) == 0)
                assert_false(k->ok(&s, &me, &key));
            else
                assert_int_equal(e.code, ERR_PROTOCOL);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t n = 0; n < k->bytes; n++)
            assert_int_equal(k->decode(span_from(bytes, n), &s, &e), -1);
        assert_int_equal(k->decode(span_from(bytes, k->bytes + 1), &s, &e), -1);
        assert_int_equal(e.code, ERR_PROTOCOL);
    }
}

/* No text of one kind is read as one of another, and none with any byte changed, added or cut is
 * read as what it was. */
static void
one_text_one_reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        const size_t n = strlen(k->text);
        char copy[SAID_TEXT_MAX + 2];
        struct err e;
        union any s, first;
        struct buf b;

        memset(&first, 0, sizeof first);
        assert_int_equal(k->parse(span_of(k->text), &first, &e), 0);
        for (size_t j = 0; j < KINDS; j++)
            if (kinds[j].bytes != k->bytes)
                assert_int_equal(kinds[j].parse(span_of(k->text), &s, &e), -1);
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(k->parse(span_from(k->text, cut), &s, &e), -1);
        for (size_t at = 0; at <= n; at++) {
            memcpy(copy, k->text, at);
            memcpy(copy + at + 1, k->text + at, n - at);
            for (const char *c = "\n 0a=-\r"; *c != '\0'; c++) {
                copy[at] = *c;
                if (k->parse(span_from(copy, n + 1), &s, &e) < 0)
                    continue;
                buf_init_fixed(&b, copy, sizeof copy); /* then it is another's only text */
                assert_int_equal(k->put(&s, &b, &e), 0);
                assert_false(same(k, &s, &first));
                memcpy(copy, k->text, at);
                memcpy(copy + at + 1, k->text + at, n - at);
            }
        }
        memcpy(copy, k->text, n);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
            memset(&s, 0, sizeof s);
            if (k->parse(span_from(copy, n), &s, &e) == 0)
                assert_false(same(k, &s, &first));
            else
                assert_int_equal(e.code, ERR_SYNTAX);
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        }
    }
}

#define H64 "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
#define B64 "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8="
#define Z64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define BY  "by identity--00112233-4455-4677-8899-aabbccddeeff\n"

static const struct {
    size_t kind;
    const char *text;
} bad[] = {
    {0, ""},
    {0, "\n"},
    {0, "jaga/head/2/" H64 "\n1\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/Head/1/" H64 "\n1\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/404142434445464748494A4b4c4d4e4f505152535455565758595a5b5c5d5e5f\n1\n" B64
        "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "00\n1\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n01\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n+1\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n-1\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n4611686018427387905\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n18446744073709551617\n" B64 "\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "=\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n1\nAAAA\ngroup 1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup 1\ntime 9223372036854775808\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup 9223372034707292160\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup  1\ntime 1\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ntime 1\ngroup 1\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup 1\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup 1\ntime 1\nx 1\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup 1\ntime 1\n" BY},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup 1\ntime 1\r\n"},
    {0, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup 1\ntime 1"},
    {1, "jaga/receipt/1/" H64 "\n1\n" B64 "\ngroup 1\ntime 1\n"},
    {1, "jaga/receipt/1/" H64 "\n1\n" B64
        "\ngroup 1\ntime 1\nby 00112233-4455-4677-8899-aabbccddeeff\n"},
    {1, "jaga/receipt/1/" H64 "\n1\n" B64
        "\ngroup 1\ntime 1\nby identity--00112233-4455-4677-8899-AABBCCDDEEFF\n"},
    {1, "jaga/head/1/" H64 "\n1\n" B64 "\ngroup 1\ntime 1\n" BY},
    {2, "jaga/erase/1/" H64 "\n4611686018427387904\n" B64 "\ntime 1\n"},
    {2, "jaga/erase/1/" H64 "\n1\n" B64 "\n"},
    {3, "jaga/vote/1/" H64 "\n0\n64\n" B64 "\naccept\naccepted 64\n" BY},
    {3, "jaga/vote/1/" H64 "\n2147483648\n64\n" B64 "\naccept\naccepted 64\n" BY},
    {3, "jaga/vote/1/" H64 "\n1\n0\n" B64 "\naccept\naccepted 0\n" BY},
    {3, "jaga/vote/1/" H64 "\n1\n64\n" B64 "\naccept\naccepted 63\n" BY},
    {3, "jaga/vote/1/" H64 "\n1\n64\n" Z64 "\naccept\naccepted 64\n" BY},
    {3, "jaga/vote/1/" H64 "\n1\n64\n" B64 "\npromise\naccepted 64\n" BY},
    {3, "jaga/vote/1/" H64 "\n1\n64\n" B64 "\npromise\naccepted 0\n" BY},
    {3, "jaga/vote/1/" H64 "\n1\n64\n" Z64 "\npromise\naccepted 1\n" BY},
    {3, "jaga/vote/1/" H64 "\n1\n64\n" B64 "\nAccept\naccepted 64\n" BY},
    {3, "jaga/vote/1/" H64 "\n1\n64\n" B64 "\n\naccepted 64\n" BY},
    {3,
     "jaga/vote/1/" H64 "\n1\n9007199254740992\n" B64 "\naccept\naccepted 9007199254740992\n" BY},
    {5, "jaga/group/1/" H64 "\n1\n" B64 "\n" BY}, /* the id has 16 bytes */
    {6, "jaga/out/1/101112131415161718191a1b1c1d1e1f\n1\n" BY
        "member identity--00112233-4455-4677-8899-aabbccddeeff\n"},
};

static void
other_texts_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e = ERR_INIT;
        union any s;

        if (kinds[bad[i].kind].parse(span_of(bad[i].text), &s, &e) == 0)
            fail_msg("read: %s", bad[i].text);
        if (e.code != ERR_SYNTAX)
            fail_msg("%s: %s", err_name(e.code), bad[i].text);
        assert_int_equal(kinds[bad[i].kind].parse(span_of(bad[i].text), &s, NULL), -1);
    }
}

/* The largest and smallest that each number may be; one more is no struct and no text. */
static void
limits_of_numbers(void **state)
{
    struct head h = {.size = MERKLE_SIZE_MAX, .group_order = GROUP_ORDER_MAX, .time_us = INT64_MAX};
    struct erase_notice x = {.index = MERKLE_SIZE_MAX - 1};
    struct vote v = {.version = VERSION_MAX, .ballot = BALLOT_MAX, .phase = VOTE_PROMISE};
    const struct head h0 = h;
    char mem[SAID_TEXT_MAX];
    struct err e = ERR_INIT;
    struct buf b;
    (void)state;

    buf_init_fixed(&b, mem, sizeof mem);
    assert_int_equal(head_text(&h, &b, &e), 0);
    assert_int_equal(head_parse(buf_view(&b), &h, &e), 0);
    assert_memory_equal(&h, &h0, sizeof h);
    h.size++;
    assert_int_equal(head_text(&h, &b, &e), -1);
    assert_int_equal(head_encode(&h, &b, &e), -1);
    assert_int_equal(head_sign(&h, &signer, &e), -1);
    assert_int_equal(head_note(&h, &me, &key, &b, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_false(head_ok(&h, &me, &key));
    h = h0;
    h.group_order++;
    assert_int_equal(head_text(&h, &b, &e), -1);
    h = h0;
    h.time_us++;
    assert_int_equal(head_text(&h, &b, &e), -1);
    buf_reset(&b);
    assert_int_equal(erase_notice_text(&x, &b, &e), 0);
    x.index++;
    assert_int_equal(erase_notice_text(&x, &b, &e), -1);
    buf_reset(&b);
    assert_int_equal(vote_text(&v, &b, &e), 0);
    v.version++;
    assert_int_equal(vote_text(&v, &b, &e), -1);
    v.version--;
    v.ballot++;
    assert_int_equal(vote_text(&v, &b, &e), -1);
    v.ballot--;
    v.phase = (enum vote_phase)3;
    assert_int_equal(vote_text(&v, &b, &e), -1);
    assert_int_equal(vote_encode(&v, &b, &e), -1);
}

static int
refuse(void *arg, struct span text, struct signature *out, struct err *e)
{
    (void)arg, (void)text, (void)out;
    return err_set(e, ERR_DENIED, "does not extend what was signed");
}

static void
signers_may_refuse(void **state)
{
    const struct signer no = {.sign = refuse};
    struct err e = ERR_INIT;
    struct head h = {.size = 1}, before = h;
    (void)state;

    assert_int_equal(head_sign(&h, &no, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    assert_memory_equal(&h, &before, sizeof h);
}

static void
no_room_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        char mem[1024];
        struct err e = ERR_INIT;
        union any s;
        struct buf b;

        memset(&s, 0, sizeof s);
        kinds[i].make(&s);
        buf_init_fixed(&b, mem, kinds[i].bytes - 1);
        assert_int_equal(kinds[i].encode(&s, &b, &e), -1);
        assert_int_equal(e.code, ERR_LIMIT);
        buf_init_fixed(&b, mem, strlen(kinds[i].text) - 1);
        assert_int_equal(kinds[i].put(&s, &b, &e), -1);
        assert_int_equal(e.code, ERR_LIMIT);
        buf_init(&b, 1024);
        mem_fail_at(1);
        assert_int_equal(kinds[i].encode(&s, &b, &e), -1);
        mem_fail_at(0);
        assert_int_equal(e.code, ERR_MEMORY);
        buf_clear(&b);
    }
}

static void
names_of_identities(void **state)
{
    static const char *const wrong[] = {
        "",
        "identity--",
        "00112233-4455-4677-8899-aabbccddeeff",
        "Identity--00112233-4455-4677-8899-aabbccddeeff",
        "identity-00112233-4455-4677-8899-aabbccddeeff",
        "identity--00112233-4455-4677-8899-aabbccddeef",
        "identity--00112233-4455-4677-8899-aabbccddeefff",
        "identity--00112233-4455-4677-8899-aabbccddeefF",
        "indicator--00112233-4455-4677-8899-aabbccddeeff",
    };
    char name[SAID_NAME + 1];
    struct uuid id;
    (void)state;

    identity_name(&me, name);
    assert_string_equal(name, "identity--00112233-4455-4677-8899-aabbccddeeff");
    assert_int_equal(strlen(name), SAID_NAME);
    assert_true(identity_read(span_of(name), &id));
    assert_memory_equal(&id, &me, sizeof id);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(identity_read(span_of(wrong[i]), &id));
}

static int
start(void **state)
{
    struct sign_public want;
    struct key seed;
    (void)state;

    if (crypto_start(NULL) < 0)
        return -1;
    for (unsigned i = 0; i < KEY_BYTES; i++)
        seed.b[i] = (uint8_t)i;
    sign_from_seed(&seed, &secret, &key);
    sign_random(&other_secret, &other_key);
    signer = signer_of(&secret);
    if (!hex_read(SPAN(key_hex), want.b, sizeof want.b) || !sign_public_eq(&key, &want))
        return -1;
    if (!uuid_read(SPAN("00112233-4455-4677-8899-aabbccddeeff"), &me) ||
        !uuid_read(SPAN("ffeeddcc-bbaa-4988-8766-554433221100"), &you))
        return -1;
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_are_fixed),  cmocka_unit_test(any_bit_counts),
        cmocka_unit_test(one_text_one_reading), cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(limits_of_numbers),    cmocka_unit_test(signers_may_refuse),
        cmocka_unit_test(no_room_is_an_error),  cmocka_unit_test(names_of_identities),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
