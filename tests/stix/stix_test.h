/*
 * tests/stix/stix_test.h - what the tests of this module share: objects written readably, and
 * findings as one line of text.
 */
#ifndef JAGA_TESTS_STIX_TEST_H
#define JAGA_TESTS_STIX_TEST_H

#include "check.h"

#include "arena.h"
#include "buf.h"
#include "json.h"
#include "stix_check.h"
#include "stix_object.h"

#define TEST_UUID  "11111111-1111-4111-8111-111111111111"
#define TEST_OTHER "22222222-2222-4222-8222-222222222222"
#define TEST_CORE                                                                                  \
    "'spec_version':'2.1','created':'2026-01-01T00:00:00.000Z',"                                   \
    "'modified':'2026-01-01T00:00:00.000Z'"

/* Objects of the tests are written with ' for ".  An object of a type with the common properties,
 * and an SCO with a random id. */
#define TEST_SDO(type, rest) "{'type':'" type "','id':'" type "--" TEST_UUID "'," TEST_CORE rest "}"
#define TEST_SCO(type, rest) "{'type':'" type "','id':'" type "--" TEST_UUID "'" rest "}"

struct stix_test {
    struct arena *a;
    struct json_parser *parser;
    struct buf text;
};

static inline void
stix_test_begin(struct stix_test *t)
{
    t->a = arena_new(256u << 20);
    t->parser = json_parser_new();
    assert_non_null(t->a);
    assert_non_null(t->parser);
    buf_init(&t->text, 64u << 20);
}

static inline void
stix_test_end(struct stix_test *t)
{
    arena_free(t->a);
    json_parser_free(t->parser);
    buf_clear(&t->text);
}

/* Parses what is written with ' for ". */
static inline const struct json *
stix_test_parse(struct stix_test *t, const char *quoted)
{
    struct err e = ERR_INIT;
    const struct json *o;
    buf_reset(&t->text);
    buf_str(&t->text, quoted);
    for (size_t i = 0; i < t->text.n; i++)
        if (t->text.p[i] == '\'')
            t->text.p[i] = '"';
    o = json_parse(t->parser, buf_view(&t->text), t->a, &e);
    if (o == NULL)
        fail_msg("%s: %s at %zu", quoted, e.text, e.pos);
    return o;
}

/* Parses a file. */
static inline const struct json *
stix_test_file(struct stix_test *t, const char *path, struct err *e)
{
    FILE *f = fopen(path, "rb");
    char chunk[65536];
    size_t n;
    assert_non_null(f);
    buf_reset(&t->text);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) != 0)
        buf_put(&t->text, chunk, n);
    fclose(f);
    assert_false(t->text.failed);
    return json_parse(t->parser, buf_view(&t->text), t->a, e);
}

/* The findings about o, "severity rule pointer" each, joined by "; "; "" when there are none. */
static inline void
stix_test_findings(struct stix_test *t, const struct json *o, bool info, char *out, size_t n)
{
    struct stix_check_options opt = {.info = info};
    struct stix_report report;
    struct stix_defect why;
    struct stix_head head;
    struct err e = ERR_INIT;
    struct buf b;
    buf_init_fixed(&b, out, n);
    if (stix_head_read(o, &head, &why) < 0) {
        buf_printf(&b, "%s %s %s", stix_severity_name(why.severity), why.rule, why.pointer);
        assert_non_null(why.text);
        assert_non_null(why.clause);
    } else {
        assert_int_equal(stix_check(o, &head, &opt, t->a, &report, &e), 0);
        for (const struct stix_defect *d = report.first; d != NULL; d = d->next) {
            buf_printf(&b, "%s%s %s %s", d == report.first ? "" : "; ",
                       stix_severity_name(d->severity), d->rule, d->pointer);
            assert_true(strlen(d->text) > 5);
            assert_null(strstr(d->text, "%s"));
            assert_true(strncmp(d->clause, "STIX 2.1 section ", 17) == 0 ||
                        strncmp(d->clause, "OASIS ", 6) == 0);
        }
    }
    buf_u8(&b, 0);
    assert_false(b.failed);
}

#endif
