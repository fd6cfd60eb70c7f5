/* Every type: a good object of each, and each of its values spoilt in turn. */
#include "good.h"

#include "crypto.h"
#include "stix_spec.h"

static void
test_good(void **state)
{
    uint64_t seen = 0;
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct json *o = stix_test_parse(&t, good_objects[i]);
        char found[2000];
        stix_test_findings(&t, o, false, found, sizeof(found));
        if (found[0] != 0)
            fail_msg("%s\n%s", good_objects[i], found);
        seen |= STIX_BIT(stix_type_find(json_text(o, "type")));
    }
    assert_true(seen == (STIX_SET_ALL | STIX_SET_OTHER));
    stix_test_end(&t);
}

/* The text of o with the value at target replaced, or left out where by is NULL. */
static void
print_spoilt(const struct json *o, const struct json *target, const char *by, struct buf *out)
{
    bool some = false;
    if (o == target) {
        buf_str(out, by);
        return;
    }
    if (o->type != JSON_ARRAY && o->type != JSON_OBJECT) {
        json_canonical(o, out);
        return;
    }
    buf_u8(out, o->type == JSON_ARRAY ? '[' : '{');
    for (const struct json *m = o->child; m != NULL; m = m->next) {
        if (m == target && by == NULL)
            continue;
        if (some)
            buf_u8(out, ',');
        some = true;
        if (o->type == JSON_OBJECT) {
            json_put_string(out, m->key);
            buf_u8(out, ':');
        }
        print_spoilt(m, target, by, out);
    }
    buf_u8(out, o->type == JSON_ARRAY ? ']' : '}');
}

static void
findings_spoilt(struct stix_test *t, const struct json *o, const struct json *at, const char *by,
                char *found, size_t n)
{
    struct err e = ERR_INIT;
    struct buf b;
    const struct json *spoilt;
    buf_init(&b, 1u << 20);
    print_spoilt(o, at, by, &b);
    assert_false(b.failed);
    spoilt = json_parse(t->parser, buf_view(&b), t->a, &e);
    if (spoilt == NULL)
        fail_msg("%.*s: %s", (int)b.n, b.p, e.text);
    stix_test_findings(t, spoilt, false, found, n);
    buf_clear(&b);
}

/* Values of which the standard says nothing: any but null and the empty list will do. */
static bool
is_free(const char *pointer, struct span type)
{
    static const char *const prefixes[] = {"/extensions/extension-definition--",
                                           "/extensions/windows-process-ext/startup_info/", "/rank",
                                           "/toxicity", "/contents/"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(pointer, prefixes[i], strlen(prefixes[i])) == 0 &&
            strstr(pointer, "extension_type") == NULL)
            return true;
    return span_is(type, "bundle") || strstr(pointer, "/objects/") == pointer ||
           strcmp(pointer, "/definition") == 0;
}

static const char *
wrong_for(enum json_type t)
{
    return t == JSON_NUMBER ? "true" : t == JSON_STRING || t == JSON_BOOL ? "1.5" : "\"%\"";
}

/* Whether a must-rule is said to be broken at the place or at what holds it. */
static bool
told(const char *found, const char *pointer)
{
    char holder[300];
    snprintf(holder, sizeof(holder), "%s", pointer);
    *strrchr(holder, '/') = 0;
    return strncmp(found, "refuse ", 7) == 0 ||
           (strstr(found, "must ") != NULL && strstr(found, holder) != NULL);
}

static void
spoil_all(struct stix_test *t, const struct json *o, const struct json *at, size_t *count)
{
    static const char *const wrong[] = {"null", "[]"};
    char found[4000], pointer[300];
    for (const struct json *m = at->child; m != NULL; m = m->next) {
        json_pointer(m, pointer, sizeof(pointer));
        bool head = strcmp(pointer, "/id") == 0 || span_is(m->key, "type");
        bool bundle = span_is(json_text(o, "type"), "bundle");
        if (head)
            continue;
        for (size_t i = 0; i < 2 && !bundle; i++, (*count)++) {
            findings_spoilt(t, o, m, wrong[i], found, sizeof(found));
            if (!told(found, pointer))
                fail_msg("%s of %.*s as %s: '%s'", pointer, (int)json_text(o, "type").n,
                         json_text(o, "type").p, wrong[i], found);
        }
        if (!is_free(pointer, json_text(o, "type"))) {
            findings_spoilt(t, o, m, wrong_for(m->type), found, sizeof(found));
            if (!told(found, pointer))
                fail_msg("%s of %.*s spoilt: '%s'", pointer, (int)json_text(o, "type").n,
                         json_text(o, "type").p, found);
            (*count)++;
        }
        spoil_all(t, o, m, count);
    }
}

static void
test_spoilt(void **state)
{
    size_t count = 0;
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        arena_reset(t.a);
        const struct json *o = stix_test_parse(&t, good_objects[i]);
        spoil_all(&t, o, o, &count);
    }
    fprintf(stderr, "# %zu spoilt objects\n", count);
    assert_true(count > 1500);
    stix_test_end(&t);
}

static void
lacking(struct stix_test *t, const struct json *o, const struct stix_shape *s, size_t *count)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        const struct json *m = json_get(o, s->props[i].name);
        char found[2000];
        if (!(s->props[i].flags & STIX_F_REQUIRED))
            continue;
        assert_non_null(m);
        findings_spoilt(t, o, m, NULL, found, sizeof(found));
        if (strstr(found, "must required ") == NULL)
            fail_msg("%s: '%s'", s->props[i].name, found);
        (*count)++;
    }
}

static void
test_required(void **state)
{
    size_t count = 0;
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        const struct json *o = stix_test_parse(&t, good_objects[i]);
        enum stix_type_no no = stix_type_find(json_text(o, "type"));
        if (no == STIX_TYPE_OTHER)
            continue;
        lacking(&t, o, stix_types[no].common, &count);
        lacking(&t, o, stix_types[no].shape, &count);
    }
    assert_true(count > 100);
    stix_test_end(&t);
}

/* --- the tables themselves ------------------------------------------------------------------- */

static void
check_table(const struct stix_shape *s, unsigned depth)
{
    assert_true(strncmp(s->clause, "STIX 2.1 section ", 17) == 0);
    assert_true(depth < 5);
    for (size_t i = 0; i < s->count; i++) {
        const struct stix_prop *p = &s->props[i];
        assert_int_equal(strlen(p->name), p->len);
        if (i != 0 && strcmp(s->props[i - 1].name, p->name) >= 0)
            fail_msg("%s is not in order", p->name);
        if (strcmp(p->name, "id") != 0)
            assert_true(p->len >= 3);
        if (p->kind == STIX_K_SHAPE)
            check_table(p->of.shape, depth + 1);
        if (p->kind == STIX_K_VOCAB)
            assert_non_null(p->of.vocab);
        if (p->kind == STIX_K_REF) {
            bool list = (p->flags & STIX_F_LIST) != 0;
            assert_true(span_ends(span_of(p->name), list ? "_refs" : "_ref"));
            assert_true(p->of.types != 0);
        }
        if (p->kind == STIX_K_HEX)
            assert_true(span_ends(span_of(p->name), "_hex"));
        if (p->kind == STIX_K_BINARY)
            assert_true(span_ends(span_of(p->name), "_bin"));
    }
}

static void
test_tables(void **state)
{
    unsigned classes[STIX_BUNDLE + 1] = {0};
    (void)state;
    for (size_t i = 0; i < STIX_TYPES; i++) {
        const struct stix_type *ty = &stix_types[i];
        assert_int_equal(strlen(ty->name), ty->len);
        if (i != 0)
            assert_true(strcmp(stix_types[i - 1].name, ty->name) < 0);
        assert_int_equal(stix_type_find(span_of(ty->name)), i);
        assert_int_equal(stix_class_of(span_of(ty->name)), ty->class);
        classes[ty->class]++;
        check_table(ty->common, 0);
        check_table(ty->shape, 0);
        for (const struct stix_ext *x = ty->exts; x != NULL && x->key != NULL; x++)
            check_table(x->shape, 0);
        assert_int_equal(ty->id_from != NULL, ty->class == STIX_SCO);
        for (const char *const *f = ty->id_from; f != NULL && f[0] != NULL && f[1] != NULL; f++)
            assert_true(strcmp(f[0], f[1]) < 0);
        uint64_t sets[] = {STIX_SET_SDO, STIX_SET_SRO, STIX_SET_SCO, STIX_SET_META};
        for (int s = 0; s < 4; s++)
            assert_int_equal((sets[s] & STIX_BIT(i)) != 0, ty->class == s + STIX_SDO);
    }
    assert_int_equal(classes[STIX_SDO], 19);
    assert_int_equal(classes[STIX_SRO], 2);
    assert_int_equal(classes[STIX_SCO], 18);
    assert_int_equal(classes[STIX_META], 3);
    assert_int_equal(classes[STIX_BUNDLE], 1);
    assert_int_equal(stix_type_find(SPAN("")), STIX_TYPE_OTHER);
    assert_int_equal(stix_type_find((struct span){NULL, 0}), STIX_TYPE_OTHER);
    assert_int_equal(stix_type_find(SPAN("malwar")), STIX_TYPE_OTHER);
    assert_int_equal(stix_type_find(SPAN("malware-")), STIX_TYPE_OTHER);
    assert_int_equal(stix_type_find(SPAN("zzz")), STIX_TYPE_OTHER);
    for (size_t i = 0; i < stix_vocab_count; i++) {
        const struct stix_vocab *v = stix_vocabs[i];
        for (size_t w = 0; w < v->count; w++) {
            if (w != 0)
                assert_true(strcmp(v->words[w - 1], v->words[w]) < 0);
            assert_true(stix_vocab_has(v, span_of(v->words[w])));
        }
        assert_false(stix_vocab_has(v, SPAN("")));
        assert_false(stix_vocab_has(v, SPAN("zzz")));
        assert_int_equal(v->closed, span_ends(span_of(v->name), "-enum"));
    }
    for (size_t i = 1; i < stix_relation_count; i++)
        assert_true(stix_relations[i - 1].source < stix_relations[i].source ||
                    strcmp(stix_relations[i - 1].name, stix_relations[i].name) < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_spoilt),
    };
    struct err e = ERR_INIT;
    if (crypto_start(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
