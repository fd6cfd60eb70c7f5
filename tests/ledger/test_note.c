/* Signed notes: the published one verifies, and each other byte is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mem.h"
#include "note.h"

#define DASH "\xe2\x80\x94 "

/* The example of golang.org/x/mod/sumdb/note, which that format comes from. */
static const char published[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n" DASH
    "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngo"
    "tpRZb6KE6RyyBwJnAM=\n";
static const char published_key[] = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

static struct sign_secret secret, other_secret;
static struct sign_public public, other;

static void
published_note_verifies(void **state)
{
    struct err e = ERR_INIT;
    struct sign_public k;
    char mem[64], copy[sizeof published];
    struct note n;
    struct buf b;
    (void)state;

    buf_init_fixed(&b, mem, sizeof mem);
    assert_true(base64_read(SPAN(published_key), &b));
    assert_int_equal(b.n, 33);
    assert_int_equal(b.p[0], 1); /* Ed25519 */
    memcpy(k.b, b.p + 1, sizeof k.b);
    assert_int_equal(note_read(SPAN(published), &n, &e), 0);
    assert_int_equal(n.n, 1);
    assert_true(span_is(n.line[0].name, "PeterNeumann"));
    assert_memory_equal(n.line[0].key_id, "\xc7\x4f\x20\xa3", 4);
    assert_int_equal(note_verify(&n, SPAN("PeterNeumann"), &k, NULL), NOTE_SIGNED);
    assert_int_equal(note_verify(&n, SPAN("PeterNeuman"), &k, NULL), NOTE_UNSIGNED);
    assert_int_equal(note_verify(&n, SPAN("PeterNeumann"), &public, NULL), NOTE_UNSIGNED);
    /* Any bit: another note, or none, but never a signed one. */
    for (size_t bit = 0; bit < 8 * (sizeof published - 1); bit++) {
        memcpy(copy, published, sizeof copy);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        if (note_read(span_from(copy, sizeof copy - 1), &n, &e) == 0)
            assert_int_not_equal(note_verify(&n, SPAN("PeterNeumann"), &k, NULL), NOTE_SIGNED);
    }
    for (size_t cut = 0; cut < sizeof published - 1; cut++)
        assert_int_equal(note_read(span_from(published, cut), &n, &e), -1);
}

/* A signature that is none, of the right length. */
#define SIG                                                                                        \
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
#define LINE DASH "a " SIG "\n"

static const struct {
    const char *name, *text;
    enum err_code code;
    size_t pos;
} bad[] = {
    {"nothing", "", ERR_SYNTAX, 0},
    {"no empty line", "text\n" LINE, ERR_SYNTAX, 0},
    {"no text", "\n" LINE, ERR_SYNTAX, 0},
    {"no signature", "text\n\n", ERR_SYNTAX, 6},
    {"text alone", "text\n", ERR_SYNTAX, 0},
    {"no last line feed", "text\n\n" DASH "a " SIG, ERR_SYNTAX, 104},
    {"an empty line behind", "text\n\n" LINE "\n", ERR_SYNTAX, 106},
    {"an empty line between", "text\n\n" LINE "\nx\n", ERR_SYNTAX, 106},
    {"carriage return", "text\r\n\n" LINE, ERR_SYNTAX, 4},
    {"tab", "te\tt\n\n" LINE, ERR_SYNTAX, 2},
    {"NUL is tested below; escape", "text\x1b\n\n" LINE, ERR_SYNTAX, 4},
    {"not UTF-8", "te\xffxt\n\n" LINE, ERR_ENCODING, 2},
    {"surrogate", "te\xed\xa0\x80\n\n" LINE, ERR_ENCODING, 2},
    {"a hyphen", "text\n\n- a " SIG "\n", ERR_SYNTAX, 6},
    {"an en dash", "text\n\n\xe2\x80\x93 a " SIG "\n", ERR_SYNTAX, 6},
    {"no space behind the dash",
     "text\n\n\xe2\x80\x94"
     "a " SIG "\n",
     ERR_SYNTAX, 6},
    {"a space before the dash", "text\n\n " LINE, ERR_SYNTAX, 6},
    {"no name", "text\n\n" DASH " " SIG "\n", ERR_SYNTAX, 10},
    {"no signature in the line", "text\n\n" DASH "a\n", ERR_SYNTAX, 6},
    {"an empty one", "text\n\n" DASH "a \n", ERR_SYNTAX, 12},
    {"a plus in the name", "text\n\n" DASH "a+b " SIG "\n", ERR_SYNTAX, 11},
    {"a no-break space in the name",
     "text\n\n" DASH "a\xc2\xa0"
     "b " SIG "\n",
     ERR_SYNTAX, 11},
    {"an ideographic space", "text\n\n" DASH "\xe3\x80\x80 " SIG "\n", ERR_SYNTAX, 10},
    {"a line separator", "text\n\n" DASH "a\xe2\x80\xa8 " SIG "\n", ERR_SYNTAX, 11},
    {"two spaces", "text\n\n" DASH "a  " SIG "\n", ERR_SYNTAX, 12},
    {"a space behind", "text\n\n" DASH "a " SIG " \n", ERR_SYNTAX, 12},
    {"not Base64", "text\n\n" DASH "a !!!!AAAA\n", ERR_SYNTAX, 12},
    {"no padding", "text\n\n" DASH "a AAAAAAA\n", ERR_SYNTAX, 12},
    {"bits behind the end", "text\n\n" DASH "a AAAAAAB=\n", ERR_SYNTAX, 12},
    {"url-safe", "text\n\n" DASH "a x08go_ZJ\n", ERR_SYNTAX, 12},
    {"a key id alone", "text\n\n" DASH "a AAAAAA==\n", ERR_SYNTAX, 12},
    {"a bad second line", "text\n\n" LINE "x\n", ERR_SYNTAX, 105},
};

static void
other_forms_are_refused(void **state)
{
    struct note n = {.n = 77};
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e = ERR_INIT;

        if (note_read(span_of(bad[i].text), &n, &e) == 0)
            fail_msg("%s: read", bad[i].name);
        if (e.code != bad[i].code || e.pos != bad[i].pos)
            fail_msg("%s: %s at %zu", bad[i].name, err_name(e.code), e.pos);
        assert_int_equal(note_read(span_of(bad[i].text), &n, NULL), -1);
    }
    assert_int_equal(n.n, 77);
    assert_int_equal(note_read(SPAN("te\0t\n\n" LINE), &n, NULL), -1);
}

static const char *const good[] = {
    "text\n\n" LINE,
    "\n\n" LINE,
    "text\n\nwith an empty line\n\n" LINE,
    "text\n\n" LINE LINE,
    "text\n\n" DASH "a AAAAAAA=\n", /* of a kind unknown here */
    "text\n\n" DASH "\xe6\x97\xa5/x " SIG "\n",
};

static void
good_forms_are_read(void **state)
{
    struct note n;
    (void)state;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (note_read(span_of(good[i]), &n, NULL) != 0)
            fail_msg("%s", good[i]);
    assert_int_equal(note_read(span_of(good[2]), &n, NULL), 0);
    assert_true(span_is(n.text, "text\n\nwith an empty line\n"));
}

static void
first_line_of_a_key_decides(void **state)
{
    struct signature right, wrong, got;
    struct note n;
    struct buf b;
    (void)state;

    sign_make(&secret, SPAN("text\n"), &right);
    sign_make(&secret, SPAN("texT\n"), &wrong);
    buf_init(&b, NOTE_MAX);
    assert_int_equal(note_put(SPAN("text\n"), SPAN("a"), &public, &right, &b, NULL), 0);
    assert_int_equal(note_line(SPAN("a"), &public, &wrong, &b, NULL), 0);
    assert_int_equal(note_line(SPAN("b"), &public, &wrong, &b, NULL), 0);
    assert_int_equal(note_line(SPAN("b"), &public, &right, &b, NULL), 0);
    assert_int_equal(note_line(SPAN("a"), &other, &right, &b, NULL), 0);
    assert_int_equal(note_read(buf_view(&b), &n, NULL), 0);
    assert_int_equal(n.n, 5);
    assert_int_equal(note_verify(&n, SPAN("a"), &public, &got), NOTE_SIGNED);
    assert_memory_equal(got.b, right.b, SIGNATURE_BYTES);
    assert_int_equal(note_verify(&n, SPAN("b"), &public, NULL), NOTE_FALSE);
    assert_int_equal(note_verify(&n, SPAN("a"), &other, NULL), NOTE_FALSE);
    assert_int_equal(note_verify(&n, SPAN("b"), &other, NULL), NOTE_UNSIGNED);
    assert_int_equal(note_verify(&n, SPAN("c"), &public, NULL), NOTE_UNSIGNED);
    buf_clear(&b);
}

/* A line of that key whose signature has another length is no signature of it. */
static void
lengths_of_a_signature(void **state)
{
    for (size_t bytes = 63; bytes <= 65; bytes++) {
        uint8_t blob[4 + 65] = {0};
        struct signature sig;
        struct note n;
        struct buf b;

        sign_make(&secret, SPAN("text\n"), &sig);
        note_key_id(SPAN("a"), &public, blob);
        memcpy(blob + 4, sig.b, SIGNATURE_BYTES);
        buf_init(&b, NOTE_MAX);
        buf_str(&b, "text\n\n" DASH "a ");
        base64_put(&b, blob, 4 + bytes);
        buf_str(&b, "\n");
        assert_int_equal(note_read(buf_view(&b), &n, NULL), 0);
        assert_int_equal(note_verify(&n, SPAN("a"), &public, NULL),
                         bytes == 64 ? NOTE_SIGNED : NOTE_FALSE);
        buf_clear(&b);
    }
    (void)state;
}

static void
limits(void **state)
{
    static char text[NOTE_MAX + 1], name[NOTE_NAME_MAX + 1];
    struct signature sig = {{0}};
    struct err e = ERR_INIT;
    struct note n;
    struct buf b;
    (void)state;

    buf_init(&b, NOTE_MAX + NOTE_LINE_MAX);
    assert_int_equal(note_put(SPAN("text\n"), SPAN("a"), &public, &sig, &b, NULL), 0);
    for (unsigned i = 1; i < NOTE_LINES_MAX; i++)
        assert_int_equal(note_line(SPAN("a"), &public, &sig, &b, NULL), 0);
    assert_int_equal(note_read(buf_view(&b), &n, NULL), 0);
    assert_int_equal(n.n, NOTE_LINES_MAX);
    assert_int_equal(note_line(SPAN("a"), &public, &sig, &b, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    buf_str(&b, LINE);
    assert_int_equal(note_read(buf_view(&b), &n, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);

    memset(name, 'n', sizeof name);
    assert_int_equal(note_name_check(span_from(name, NOTE_NAME_MAX), &e), 0);
    assert_int_equal(note_name_check(span_from(name, NOTE_NAME_MAX + 1), &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(note_name_check(SPAN("a\xff"), &e), -1);
    assert_int_equal(e.code, ERR_ENCODING);
    memset(text, 't', sizeof text);
    text[NOTE_MAX - 1] = text[NOTE_MAX] = '\n';
    assert_int_equal(note_text_check(span_from(text, NOTE_MAX), &e), 0);
    assert_int_equal(note_text_check(span_from(text, NOTE_MAX + 1), &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);

    /* A line: NOTE_LINE_MAX bytes, and four more of Base64. */
    for (unsigned more = 0; more <= 4; more += 4) {
        buf_reset(&b);
        buf_str(&b, "t\n\n" DASH "aaa ");
        for (unsigned i = 0; i < NOTE_LINE_MAX - 8 + more; i++)
            buf_str(&b, "A");
        buf_str(&b, "\n");
        assert_int_equal(note_read(buf_view(&b), &n, &e), more == 0 ? 0 : -1);
    }
    assert_int_equal(e.code, ERR_LIMIT);
    buf_clear(&b);
}

static void
what_cannot_be_put(void **state)
{
    struct signature sig = {{0}};
    char mem[8];
    struct err e = ERR_INIT;
    struct buf b;
    (void)state;

    buf_init(&b, NOTE_MAX);
    assert_int_equal(note_put(SPAN(""), SPAN("a"), &public, &sig, &b, &e), -1);
    assert_int_equal(note_put(SPAN("text"), SPAN("a"), &public, &sig, &b, &e), -1);
    assert_int_equal(note_put(SPAN("t\tt\n"), SPAN("a"), &public, &sig, &b, &e), -1);
    assert_int_equal(note_put(SPAN("text\n"), SPAN(""), &public, &sig, &b, &e), -1);
    assert_int_equal(note_put(SPAN("text\n"), SPAN("a b"), &public, &sig, &b, &e), -1);
    assert_int_equal(note_put(SPAN("text\n"), SPAN("a\n"), &public, &sig, &b, &e), -1);
    assert_int_equal(note_line(SPAN("a"), &public, &sig, &b, &e), -1); /* to no note */
    assert_int_equal(b.n, 0);
    mem_fail_at(1);
    assert_int_equal(note_put(SPAN("text\n"), SPAN("a"), &public, &sig, &b, &e), -1);
    mem_fail_at(0);
    assert_int_equal(e.code, ERR_MEMORY);
    buf_clear(&b);
    buf_init_fixed(&b, mem, sizeof mem);
    assert_int_equal(note_put(SPAN("text\n"), SPAN("a"), &public, &sig, &b, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
}

static int
start(void **state)
{
    (void)state;
    if (crypto_start(NULL) < 0)
        return -1;
    sign_random(&secret, &public);
    sign_random(&other_secret, &other);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_note_verifies), cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(good_forms_are_read),     cmocka_unit_test(first_line_of_a_key_decides),
        cmocka_unit_test(lengths_of_a_signature),  cmocka_unit_test(limits),
        cmocka_unit_test(what_cannot_be_put),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
