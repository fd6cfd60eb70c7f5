/* What is believed of canonical bytes, and that it is what the tree says. */
#include "stix_test.h"

#include "crypto.h"
#include "json_canon.h"
#include "mem.h"
#include "stix_builtin.h"
#include "stix_facts.h"

#define MARK "marking-definition--" TEST_UUID
#define EXT  "extension-definition--" TEST_UUID

/* --- the same facts from a tree, written apart ------------------------------------------------ */

struct model {
    struct stix_ref *refs;
    struct stix_marking *markings;
    struct span *labels, *exts;
    size_t ref_count, marking_count, label_count, ext_count;
    bool odd;
};

static void
model_ref(struct model *m, struct span name, struct span text)
{
    struct stix_id id;
    if (stix_id_read(text, &id) && !span_is(id.type, "marking-definition"))
        m->refs[m->ref_count++] = (struct stix_ref){name, text};
}

static void
model_marking(struct model *m, const struct json *v, bool granular)
{
    if (v->type == JSON_STRING)
        m->markings[m->marking_count++] = (struct stix_marking){v->text, granular};
    else
        m->odd = true;
}

static void
model_walk(struct model *m, const struct json *o, bool top)
{
    for (const struct json *v = o->child; v != NULL; v = v->next) {
        bool named = o->type == JSON_OBJECT;
        bool object_marking = named && span_is(v->key, "object_marking_refs");
        bool marking_ref = named && span_is(v->key, "marking_ref");
        if (marking_ref) {
            model_marking(m, v, true);
        } else if (object_marking && v->type == JSON_ARRAY) {
            for (const struct json *x = v->child; x != NULL; x = x->next) {
                model_marking(m, x, false);
                model_walk(m, x, false);
            }
            continue;
        } else if (object_marking) {
            model_marking(m, v, false);
        } else if (named && v->type == JSON_STRING && span_ends(v->key, "_ref") &&
                   !(top && span_is(v->key, "created_by_ref"))) {
            model_ref(m, v->key, v->text);
        } else if (named && v->type == JSON_ARRAY && span_ends(v->key, "_refs")) {
            for (const struct json *x = v->child; x != NULL; x = x->next) {
                if (x->type == JSON_STRING)
                    model_ref(m, v->key, x->text);
                model_walk(m, x, false);
            }
            continue;
        }
        model_walk(m, v, false);
    }
}

static void
model_top(struct model *m, const struct json *o)
{
    const struct json *v = json_get(o, "labels");
    if (v != NULL && v->type == JSON_STRING)
        m->labels[m->label_count++] = v->text;
    for (const struct json *x = v != NULL && v->type == JSON_ARRAY ? v->child : NULL; x != NULL;
         x = x->next)
        if (x->type == JSON_STRING)
            m->labels[m->label_count++] = x->text;
    v = json_get(o, "extensions");
    for (const struct json *x = v != NULL && v->type == JSON_OBJECT ? v->child : NULL; x != NULL;
         x = x->next)
        m->exts[m->ext_count++] = x->key;
    v = json_get(o, "granular_markings");
    if (v != NULL && v->type != JSON_ARRAY)
        m->odd = true;
    for (const struct json *x = v != NULL && v->type == JSON_ARRAY ? v->child : NULL; x != NULL;
         x = x->next)
        if (x->type != JSON_OBJECT ||
            (json_get(x, "marking_ref") == NULL && json_text(x, "lang").p == NULL))
            m->odd = true;
}

static size_t
count_nodes(const struct json *o)
{
    size_t n = 1;
    for (const struct json *v = o->child; v != NULL; v = v->next)
        n += count_nodes(v);
    return n;
}

static void
same_time(const struct stix_time *a, const struct stix_time *b)
{
    assert_true(span_eq(a->text, b->text));
    assert_int_equal(a->text.p == NULL, b->text.p == NULL);
    if (a->text.p != NULL) {
        assert_int_equal(instant_cmp(a->at, b->at), 0);
        assert_int_equal(a->digits, b->digits);
    }
}

/* Compares the facts of o's canonical bytes with o itself.  Returns whether it was refused. */
static bool
compare(struct stix_test *t, const struct json *o)
{
    struct arena_mark here = arena_mark(t->a);
    struct stix_defect why;
    struct stix_head h;
    struct stix_facts f;
    struct model m = {.odd = false};
    struct err e = ERR_INIT;
    struct buf b;
    size_t n = count_nodes(o);

    buf_init(&b, 1u << 26);
    json_canonical(o, &b);
    assert_false(b.failed);
    int refused = stix_head_read(o, &h, &why);
    int failed = stix_facts_read(buf_view(&b), t->a, &f, &e);
    if (refused == 0 && h.class == STIX_BUNDLE)
        refused = -1;
    if (refused != failed)
        fail_msg("%.*s: tree %d, bytes %d (%s)", (int)b.n, b.p, refused, failed, e.text);
    if (refused < 0) {
        buf_clear(&b);
        return true;
    }
    m.refs = calloc(n, sizeof(*m.refs));
    m.markings = calloc(n, sizeof(*m.markings));
    m.labels = calloc(n, sizeof(*m.labels));
    m.exts = calloc(n, sizeof(*m.exts));
    model_walk(&m, o, true);
    model_top(&m, o);
    assert_int_equal(f.class, h.class);
    assert_true(span_eq(f.id.text, h.id.text));
    assert_memory_equal(&f.id.uuid, &h.id.uuid, sizeof(f.id.uuid));
    same_time(&f.created, &h.created);
    same_time(&f.modified, &h.modified);
    assert_int_equal(f.revoked, h.revoked);
    assert_true(span_eq(f.created_by, h.created_by));
    assert_true(span_eq(f.name, h.name));
    assert_true(span_eq(f.relationship_type, json_text(o, "relationship_type")));
    assert_true(span_eq(f.definition_type, json_text(o, "definition_type")));
    assert_true(span_eq(f.tlp, json_text(json_get(o, "definition"), "tlp")));
    assert_true(span_eq(f.statement, json_text(json_get(o, "definition"), "statement")));
    const struct json *exts = json_get(o, "extensions");
    assert_true(span_eq(f.tlp_2_0, json_text(json_get(exts, STIX_TLP2_EXTENSION), "tlp_2_0")));
    assert_true(span_eq(f.iep_tlp, json_text(json_get(exts, STIX_IEP2_EXTENSION), "tlp")));
    assert_int_equal(f.marking_odd, m.odd);
    assert_int_equal(f.ref_count, m.ref_count);
    for (size_t i = 0; i < f.ref_count; i++)
        assert_true(span_eq(f.refs[i].name, m.refs[i].name) && span_eq(f.refs[i].id, m.refs[i].id));
    assert_int_equal(f.marking_count, m.marking_count);
    for (size_t i = 0; i < f.marking_count; i++)
        assert_true(span_eq(f.markings[i].id, m.markings[i].id) &&
                    f.markings[i].granular == m.markings[i].granular);
    assert_int_equal(f.label_count, m.label_count);
    for (size_t i = 0; i < f.label_count; i++)
        assert_true(span_eq(f.labels[i], m.labels[i]));
    assert_int_equal(f.ext_count, m.ext_count);
    for (size_t i = 0; i < f.ext_count; i++)
        assert_true(span_eq(f.exts[i], m.exts[i]));
    free(m.refs);
    free(m.markings);
    free(m.labels);
    free(m.exts);
    buf_clear(&b);
    arena_rewind(t->a, here);
    return false;
}

/* --- tables ------------------------------------------------------------------------------------
 */

static void
print_facts(const struct stix_facts *f, struct buf *b)
{
    for (size_t i = 0; i < f->ref_count; i++)
        buf_printf(b, "%.*s=%.*s ", (int)f->refs[i].name.n, f->refs[i].name.p,
                   (int)f->refs[i].id.n - UUID_TEXT - 2, f->refs[i].id.p);
    for (size_t i = 0; i < f->marking_count; i++)
        buf_printf(b, "%c%.*s ", f->markings[i].granular ? '~' : '!', (int)f->markings[i].id.n,
                   f->markings[i].id.p);
    for (size_t i = 0; i < f->label_count; i++)
        buf_printf(b, "#%.*s ", (int)f->labels[i].n, f->labels[i].p);
    for (size_t i = 0; i < f->ext_count; i++)
        buf_printf(b, "+%.*s ", (int)f->exts[i].n, f->exts[i].p);
    if (f->revoked)
        buf_str(b, "revoked ");
    if (f->marking_odd)
        buf_str(b, "odd ");
    buf_u8(b, 0);
}

static void
test_read(void **state)
{
    static const struct {
        const char *object, *facts; /* NULL: refused */
    } cases[] = {
        {TEST_SDO("incident", ""), ""},
        {TEST_SDO("incident", ",'revoked':true"), "revoked "},
        {TEST_SDO("incident", ",'revoked':'true'"), ""},
        {TEST_SDO("incident", ",'revoked':1"), ""},
        {TEST_SDO("incident", ",'created_by_ref':'identity--" TEST_UUID "'"), ""},
        {TEST_SDO("incident", ",'labels':['a','b',3,['c']]"), "#a #b "},
        {TEST_SDO("incident", ",'labels':'tlp:red'"), "#tlp:red "},
        {TEST_SDO("incident", ",'x_labels':['a']"), ""},
        {TEST_SDO("incident", ",'labels':['a\\nb','\\u0001']"), "#a\nb #\x01 "},
        {TEST_SDO("relationship",
                  ",'source_ref':'tool--" TEST_UUID "','target_ref':'malware--" TEST_UUID "'"),
         "source_ref=tool target_ref=malware "},
        {TEST_SDO("relationship", ",'source_ref':'tool','target_ref':7"), ""},
        {TEST_SDO("note", ",'object_refs':['tool--" TEST_UUID "','x',['url--" TEST_UUID
                          "'],{'a_ref':'url--" TEST_UUID "'},'url--" TEST_UUID "']"),
         "object_refs=tool a_ref=url object_refs=url "},
        {TEST_SDO("note", ",'object_refs':['" MARK "','tool--" TEST_UUID "']"),
         "object_refs=tool "},
        {TEST_SDO("note", ",'object_refs':'tool--" TEST_UUID "'"), ""},
        {TEST_SDO("note", ",'object_ref':['tool--" TEST_UUID "']"), ""},
        {TEST_SDO("note", ",'x':{'y':[{'created_by_ref':'identity--" TEST_UUID "'}]}"),
         "created_by_ref=identity "},
        {TEST_SDO("note", ",'a\\\"_ref':'tool--" TEST_UUID "'"), "a\"_ref=tool "},
        {TEST_SDO("note", ",'_ref':'tool--" TEST_UUID "'"), "_ref=tool "},
        {TEST_SDO("note", ",'reference':'tool--" TEST_UUID "'"), ""},
        /* Markings. */
        {TEST_SDO("note", ",'object_marking_refs':['" MARK "','what?']"), "!" MARK " !what? "},
        {TEST_SDO("note", ",'object_marking_refs':'" MARK "'"), "!" MARK " "},
        {TEST_SDO("note", ",'object_marking_refs':[]"), ""},
        {TEST_SDO("note", ",'object_marking_refs':null"), "odd "},
        {TEST_SDO("note", ",'object_marking_refs':{}"), "odd "},
        {TEST_SDO("note", ",'object_marking_refs':[1]"), "odd "},
        {TEST_SDO("note", ",'object_marking_refs':[['" MARK "']]"), "odd "},
        {TEST_SDO("note", ",'object_marking_refs':[{'a':1}]"), "odd "},
        {TEST_SDO("note", ",'x_y':{'object_marking_refs':['" MARK "']}"), "!" MARK " "},
        {TEST_SDO("note", ",'granular_markings':[{'marking_ref':'" MARK "','selectors':['a']},"
                          "{'lang':'en'}]"),
         "~" MARK " "},
        {TEST_SDO("note", ",'granular_markings':[{'selectors':['a']}]"), "odd "},
        {TEST_SDO("note", ",'granular_markings':[{'lang':null}]"), "odd "},
        {TEST_SDO("note", ",'granular_markings':[{'marking_ref':null}]"), "odd "},
        {TEST_SDO("note", ",'granular_markings':[{'marking_ref':['" MARK "']}]"), "odd "},
        {TEST_SDO("note", ",'granular_markings':['" MARK "']"), "odd "},
        {TEST_SDO("note", ",'granular_markings':[['" MARK "']]"), "odd "},
        {TEST_SDO("note", ",'granular_markings':'" MARK "'"), "odd "},
        {TEST_SDO("note", ",'granular_markings':null"), "odd "},
        {TEST_SDO("note", ",'granular_markings':{'marking_ref':'" MARK "'}"), "~" MARK " odd "},
        {TEST_SDO("note", ",'granular_markings':[]"), ""},
        {TEST_SDO("note", ",'x_y':[{'marking_ref':'" MARK "'}]"), "~" MARK " "},
        {TEST_SDO("note", ",'object_marking_refs':['a\\tb']"), "!a\tb "},
        /* Extensions. */
        {TEST_SDO("note", ",'extensions':{'" EXT "':{'extension_type':'x'},'zz':7}"),
         "+" EXT " +zz "},
        {TEST_SDO("note", ",'extensions':['" EXT "']"), ""},
        {TEST_SDO("note", ",'x_y':{'extensions':{'" EXT "':{}}}"), ""},
        {TEST_SDO("note", ",'extensions':{'a':{'b':{'c':1}}}"), "+a "},
        /* An SCO has no dates, no creator, is never revoked. */
        {TEST_SCO("url", ",'value':'a:b','created':7,'modified':'x','revoked':true,"
                         "'created_by_ref':'identity--" TEST_UUID "'"),
         ""},
        {"{'type':'x-new','id':'x-new--" TEST_UUID "'}", ""},
        /* Refused. */
        {"[]", NULL},
        {"7", NULL},
        {"{}", NULL},
        {"{'type':'note'}", NULL},
        {"{'id':'note--" TEST_UUID "'}", NULL},
        {"{'type':'note','id':'tool--" TEST_UUID "'}", NULL},
        {"{'type':'note','id':'note--1'}", NULL},
        {"{'type':'Note','id':'Note--" TEST_UUID "'}", NULL},
        {"{'type':['note'],'id':'note--" TEST_UUID "'}", NULL},
        {"{'a':{'id':'note--" TEST_UUID "'},'type':'note'}", NULL},
        {"{'type':'note','id':'note--" TEST_UUID "','created':'x'}", NULL},
        {"{'type':'note','id':'note--" TEST_UUID "','created':null}", NULL},
        {"{'type':'note','id':'note--" TEST_UUID "','modified':[]}", NULL},
        {"{'type':'note','id':'note--" TEST_UUID "','modified':{'a':1}}", NULL},
        {"{'type':'bundle','id':'bundle--" TEST_UUID "'}", NULL},
    };
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = ERR_INIT;
        struct stix_facts f;
        struct buf bytes, text;
        const struct json *o = stix_test_parse(&t, cases[i].object);
        buf_init(&bytes, 1u << 20);
        buf_init(&text, 1u << 20);
        json_canonical(o, &bytes);
        int r = stix_facts_read(buf_view(&bytes), t.a, &f, &e);
        if (r != (cases[i].facts != NULL ? 0 : -1))
            fail_msg("%s: %s", cases[i].object, e.text);
        if (r == 0) {
            print_facts(&f, &text);
            if (strcmp(text.p, cases[i].facts) != 0)
                fail_msg("%s: '%s'", cases[i].object, text.p);
        } else {
            assert_true(e.code == ERR_RULE || e.code == ERR_TYPE);
        }
        assert_int_equal(compare(&t, o), cases[i].facts == NULL);
        buf_clear(&bytes);
        buf_clear(&text);
    }
    stix_test_end(&t);
}

/* What is not canonical is not read, whatever it says. */
static void
test_canonical(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "{\"id\":\"url--" TEST_UUID "\",\"type\":\"url\"} ",
        "{ \"id\":\"url--" TEST_UUID "\",\"type\":\"url\"}",
        "{\"type\":\"url\",\"id\":\"url--" TEST_UUID "\"}",
        "{\"id\":\"url--" TEST_UUID "\",\"id\":\"url--" TEST_UUID "\",\"type\":\"url\"}",
        "{\"id\":\"url--" TEST_UUID "\",\"type\":\"\\u0075rl\"}",
        "{\"id\":\"url--" TEST_UUID "\",\"n\":1.0,\"type\":\"url\"}",
        "{\"id\":\"url--" TEST_UUID "\",\"type\":\"url\"}{}",
        "{\"id\":\"url--" TEST_UUID "\",\"type\":\"url\"",
        "{\"id\":\"url--" TEST_UUID "\",\"n\":\"\xff\",\"type\":\"url\"}",
    };
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct stix_facts f = {.ref_count = 77};
        struct err e = ERR_INIT;
        if (stix_facts_read(span_of(texts[i]), t.a, &f, &e) == 0)
            fail_msg("%s", texts[i]);
        assert_int_equal(f.ref_count, 77);
        assert_int_not_equal(e.code, ERR_NONE);
    }
    stix_test_end(&t);
}

/* Both sides of each bound. */
struct bound {
    const char *before, *open, *close, *after; /* n times open, a number, close */
    size_t max;
};

static void
many(const struct bound *c, size_t n, struct buf *b)
{
    buf_reset(b);
    buf_str(b, c->before);
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s%s%012zx%s", i != 0 ? "," : "", c->open, i, c->close);
    buf_str(b, c->after);
    assert_false(b->failed);
}

static void
test_bounds(void **state)
{
#define ID "\"id\":\"note--" TEST_UUID "\""
    static const struct bound cases[] = {
        {"{" ID ",\"object_refs\":[", "\"url--11111111-1111-4111-8111-", "\"",
         "],\"type\":\"note\"}", STIX_REFS_MAX},
        {"{" ID ",\"labels\":[", "\"", "\"", "],\"type\":\"note\"}", STIX_LABELS_MAX},
        {"{" ID ",\"object_marking_refs\":[", "\"", "\"", "],\"type\":\"note\"}",
         STIX_MARKINGS_MAX},
        {"{\"extensions\":{", "\"", "\":0", "}," ID ",\"type\":\"note\"}", STIX_EXTS_MAX},
    };
    struct buf b;
    (void)state;
    buf_init(&b, 64u << 20);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stix_test t;
        struct stix_facts f;
        struct err e = ERR_INIT;
        stix_test_begin(&t);
        many(&cases[i], cases[i].max, &b);
        assert_int_equal(stix_facts_read(buf_view(&b), t.a, &f, &e), 0);
        assert_int_equal(f.ref_count + f.label_count + f.marking_count + f.ext_count, cases[i].max);
        many(&cases[i], cases[i].max + 1, &b);
        assert_int_equal(stix_facts_read(buf_view(&b), t.a, &f, &e), -1);
        assert_int_equal(e.code, ERR_LIMIT);
        stix_test_end(&t);
    }
    buf_clear(&b);
}

static void
test_memory(void **state)
{
    static const char text[] =
        "{\"extensions\":{\"\\na\":1},\"id\":\"note--" TEST_UUID "\",\"labels\":[\"a\\nb\",\"c\"],"
        "\"name\":\"n\\n\",\"object_marking_refs\":[\"m\"],\"object_refs\":[\"url--" TEST_UUID
        "\"],\"type\":\"note\"}";
    size_t failures = 0;
    (void)state;
    for (size_t ceiling = 1; ceiling < 6000; ceiling += 16) {
        struct arena *a = arena_new(ceiling);
        struct stix_facts f = {.ref_count = 77};
        struct err e = ERR_INIT;
        assert_non_null(a);
        if (stix_facts_read(span_of(text), a, &f, &e) < 0) {
            failures++;
            assert_int_equal(e.code, ERR_LIMIT);
            assert_int_equal(f.ref_count, 77);
        }
        arena_free(a);
    }
    assert_true(failures > 5);
    for (size_t n = 1;; n++) {
        struct arena *a = arena_new(1u << 20);
        struct stix_facts f = {.ref_count = 77};
        struct err e = ERR_INIT;
        assert_non_null(a);
        mem_fail_at(n);
        int r = stix_facts_read(span_of(text), a, &f, &e);
        bool reached = mem_count() >= n;
        mem_fail_at(0);
        arena_free(a);
        if (!reached)
            break;
        assert_int_equal(r, -1);
        assert_int_equal(e.code, ERR_MEMORY);
        assert_int_equal(f.ref_count, 77);
    }
}

/* Random objects of words that matter, in random places. */
static void
random_value(struct check_random *r, struct buf *b, unsigned depth)
{
    static const char *const words[] = {"\"" MARK "\"",
                                        "\"url--" TEST_UUID "\"",
                                        "\"identity--" TEST_UUID "\"",
                                        "\"en\"",
                                        "null",
                                        "true",
                                        "7",
                                        "\"2026-01-01T00:00:00.000Z\"",
                                        "\"a\\nb\"",
                                        "\"tlp:red\"",
                                        "\"note\"",
                                        "\"note--" TEST_UUID "\"",
                                        "\"url\""};
    static const char *const names[] = {"type",
                                        "id",
                                        "created",
                                        "modified",
                                        "revoked",
                                        "labels",
                                        "created_by_ref",
                                        "object_refs",
                                        "object_ref",
                                        "marking_ref",
                                        "object_marking_refs",
                                        "granular_markings",
                                        "lang",
                                        "extensions",
                                        "definition",
                                        "tlp",
                                        "statement",
                                        "name",
                                        "definition_type",
                                        "a\\n_ref",
                                        STIX_TLP2_EXTENSION,
                                        "tlp_2_0",
                                        STIX_IEP2_EXTENSION,
                                        "relationship_type"};
    const size_t name_count = sizeof(names) / sizeof(names[0]);
    uint64_t pick = check_next(r) % 8;
    bool used[sizeof(names) / sizeof(names[0])] = {false};
    bool some = false;
    if (depth == 0 || (depth < 5 && pick >= 6)) {
        buf_u8(b, '{');
        if (depth == 0 && check_next(r) % 8 != 0) {
            buf_str(b, "\"type\":\"note\",\"id\":\"note--" TEST_UUID "\"");
            used[0] = used[1] = some = true;
        }
        for (uint64_t n = check_next(r) % (depth == 0 ? 9 : 4); n != 0; n--) {
            size_t name = (size_t)(check_next(r) % name_count);
            if (used[name])
                continue;
            used[name] = true;
            buf_printf(b, "%s\"%s\":", some ? "," : "", names[name]);
            some = true;
            random_value(r, b, depth + 1);
        }
        buf_u8(b, '}');
    } else if (depth < 5 && pick >= 3) {
        buf_u8(b, '[');
        for (uint64_t i = 0, n = check_next(r) % 4; i < n; i++) {
            if (i != 0)
                buf_u8(b, ',');
            random_value(r, b, depth + 1);
        }
        buf_u8(b, ']');
    } else {
        buf_str(b, words[check_next(r) % (sizeof(words) / sizeof(words[0]))]);
    }
}

static void
test_random(void **state)
{
    struct check_random r = check_seed("stix/facts");
    struct stix_test t;
    struct buf b;
    size_t read = 0;
    (void)state;
    stix_test_begin(&t);
    buf_init(&b, 1u << 20);
    for (int i = 0; i < 20000; i++) {
        struct err e = ERR_INIT;
        arena_reset(t.a);
        buf_reset(&b);
        random_value(&r, &b, 0);
        assert_false(b.failed);
        const struct json *o = json_parse(t.parser, buf_view(&b), t.a, &e);
        if (o == NULL)
            fail_msg("%.*s: %s", (int)b.n, b.p, e.text);
        read += !compare(&t, o);
    }
    assert_true(read > 2000);
    buf_clear(&b);
    stix_test_end(&t);
}

/* Real objects, of every feed at hand. */
static void
test_real(void **state)
{
    static const char *const files[] = {
        "stix/ics-attack-18.1.json",
        "stix/mobile-attack-17.1.json",
        "stix-examples/apt1.json",
        "stix-examples/infrastructure.json",
        "stix-examples/poisonivy.json",
        "stix-feeds/misp-test_attributes_collection_stix21.json",
        "stix-feeds/misp-test_event1_stix21.json",
        "stix-feeds/misp-test_events_collection_stix21.json",
        "stix-feeds/misp-test_objects_collection_stix21.json",
        "stix-feeds/opencti-companies.json",
        "stix-feeds/opencti-geography.json",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct stix_test t;
        struct err e = ERR_INIT;
        char path[1000];
        size_t n = 0;
        if (!check_data(files[i], path, sizeof(path))) {
            print_message("# skipped: %s is not at hand (JAGA_DATA)\n", files[i]);
            continue;
        }
        stix_test_begin(&t);
        const struct json *objects = json_get(stix_test_file(&t, path, &e), "objects");
        assert_non_null(objects);
        for (const struct json *o = objects->child; o != NULL; o = o->next, n++)
            assert_false(compare(&t, o));
        assert_true(n != 0);
        stix_test_end(&t);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),   cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_bounds), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_random), cmocka_unit_test(test_real),
    };
    struct err e = ERR_INIT;
    if (crypto_start(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
