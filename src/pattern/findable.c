#include "findable.h"

#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "fold.h"
#include "stix_id.h"

struct finder {
    struct arena *a;
    struct err *e;
    struct findable_value *values;
    size_t value_count, value_cap;
    struct span *texts;
    size_t text_count, text_cap, text_bytes;
    bool pattern_read; /* the pattern's strings are listed from its tree, not as one text */
    bool cut, failed;
};

static const struct {
    const char *type, *property;
    enum value_kind kind;
} kinds[] = {
    {"ipv4-addr", "value", VALUE_IPV4},
    {"ipv6-addr", "value", VALUE_IPV6},
    {"domain-name", "value", VALUE_DOMAIN},
    {"url", "value", VALUE_URL},
    {"email-addr", "value", VALUE_EMAIL},
    {"mac-addr", "value", VALUE_MAC},
    {"file", "name", VALUE_FILE_NAME},
    {"directory", "path", VALUE_PATH},
    {"mutex", "name", VALUE_MUTEX},
    {"autonomous-system", "number", VALUE_ASN},
    {"windows-registry-key", "key", VALUE_REGISTRY},
    {"win-registry-key", "key", VALUE_REGISTRY}, /* an old name that the standard's examples kept */
    {"user-account", "user_id", VALUE_ACCOUNT},
    {"user-account", "account_login", VALUE_ACCOUNT},
    {"user-account", "display_name", VALUE_ACCOUNT},
    {"x509-certificate", "serial_number", VALUE_SERIAL},
    {"email-message", "message_id", VALUE_MESSAGE_ID},
    {"artifact", "url", VALUE_URL},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

enum value_kind
findable_kind(struct span type, struct span property)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (span_is(property, kinds[i].property) && span_is(type, kinds[i].type))
            return kinds[i].kind;
    }
    return VALUE_NONE;
}

/* --- lists --- */

/* One more place in a list in the arena; NULL at max (and cut), or when memory is out (failed). */
static void *
grow(struct finder *f, void **list, size_t *count, size_t *cap, size_t size, size_t max)
{
    if (*count == max) {
        f->cut = true;
        return NULL;
    }
    if (*count == *cap) {
        size_t more = *cap == 0 ? 8 : 2 * *cap;
        void *grown = arena_alloc(f->a, more * size);
        if (grown == NULL) {
            f->failed = true;
            return NULL;
        }
        if (*count > 0)
            memcpy(grown, *list, *count * size);
        *list = grown;
        *cap = more;
    }
    return (char *)*list + (*count)++ * size;
}

static void
put_value(struct finder *f, const struct value *v, unsigned from)
{
    void *list = f->values;
    struct span key = arena_span(f->a, value_key(v));
    struct findable_value *to = NULL;

    if (key.n == 0)
        f->failed = true;
    else
        to = grow(f, &list, &f->value_count, &f->value_cap, sizeof(*to), FINDABLE_VALUES_MAX);
    f->values = list;
    if (to != NULL)
        *to = (struct findable_value){.key = key, .from = from};
}

static void
put_text(struct finder *f, struct span s)
{
    void *list = f->texts;
    struct span *to;

    if (s.n == 0)
        return;
    if (s.n > FINDABLE_BYTES_MAX - f->text_bytes) {
        f->cut = true;
        return;
    }
    to = grow(f, &list, &f->text_count, &f->text_cap, sizeof(*to), FINDABLE_TEXTS_MAX);
    f->texts = list;
    if (to != NULL) {
        *to = s;
        f->text_bytes += s.n;
    }
}

static bool
find_value(struct finder *f, enum value_kind kind, struct span text, unsigned from)
{
    struct value v;

    if (!value_read(kind, text, &v)) {
        /* An address of the other version under the wrong type is an address all the same. */
        enum value_kind other = kind == VALUE_IPV4   ? VALUE_IPV6
                                : kind == VALUE_IPV6 ? VALUE_IPV4
                                                     : VALUE_NONE;
        if (other == VALUE_NONE || !value_read(other, text, &v))
            return false;
    }
    put_value(f, &v, from);
    if (kind == VALUE_URL && value_url_host(text, &v))
        put_value(f, &v, FINDABLE_DERIVED);
    return true;
}

static void
find_hash(struct finder *f, struct span text, unsigned from)
{
    if (!find_value(f, VALUE_HASH, text, from))
        find_value(f, VALUE_FUZZY, text, from);
}

/* --- patterns --- */

static bool
is_ref(struct span name)
{
    return span_ends(name, "_ref") || span_ends(name, "_refs");
}

/* The property "value" of an object of unknown type. */
static bool
find_any_value(struct finder *f, struct span text)
{
    static const enum value_kind tries[] = {VALUE_IPV4, VALUE_IPV6, VALUE_MAC};

    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        if (find_value(f, tries[i], text, FINDABLE_PATTERN))
            return true;
    }
    if (span_find_span(text, SPAN("://")) > 0)
        return find_value(f, VALUE_URL, text, FINDABLE_PATTERN);
    if (span_find(text, '@') > 0)
        return find_value(f, VALUE_EMAIL, text, FINDABLE_PATTERN);
    return find_value(f, VALUE_DOMAIN, text, FINDABLE_PATTERN);
}

enum place { PLACE_NONE, PLACE_KIND, PLACE_HASH, PLACE_ANY_VALUE };

/* What the path of a comparison leads to. */
static enum place
place_of(const struct pattern_test *t, enum value_kind *kind)
{
    const struct pattern_step *last = &t->steps[t->step_count - 1], *before = last;

    *kind = VALUE_NONE;
    if (last->kind == PATTERN_ANY && t->step_count > 1 && span_is(last[-1].name, "hashes"))
        return PLACE_HASH;
    if (last->kind != PATTERN_NAME)
        return PLACE_NONE;
    if (span_is(last->name, "imphash"))
        return PLACE_HASH;
    if (t->step_count == 1) {
        *kind = findable_kind(t->type, last->name);
        return *kind != VALUE_NONE ? PLACE_KIND : PLACE_NONE;
    }
    do
        before--;
    while (before > t->steps && before->kind != PATTERN_NAME);
    if (span_is(before->name, "hashes"))
        return PLACE_HASH;
    if (!is_ref(before->name))
        return PLACE_NONE;
    if (span_is(last->name, "value"))
        return PLACE_ANY_VALUE;
    for (size_t i = 0; i < KINDS; i++) {
        if (span_is(last->name, kinds[i].property)) {
            *kind = kinds[i].kind;
            return PLACE_KIND;
        }
    }
    return PLACE_NONE;
}

/* Whether a comparison names what is meant, and not what is not, or only something like it. */
static bool
names_it(const struct pattern_test *t)
{
    return !t->negated && (t->op == PATTERN_EQ || t->op == PATTERN_IN ||
                           t->op == PATTERN_ISSUBSET || t->op == PATTERN_ISSUPERSET);
}

static void
find_pattern(struct finder *f, const struct pattern *p)
{
    for (const struct pattern_test *t = p->tests; t != NULL && !f->failed; t = t->next) {
        enum value_kind kind;
        enum place place = place_of(t, &kind);
        bool as_text = place != PLACE_HASH && kind != VALUE_IPV4 && kind != VALUE_IPV6 &&
                       kind != VALUE_MAC && kind != VALUE_ASN;
        for (uint32_t i = 0; i < t->const_count; i++) {
            const struct pattern_const *c = &t->consts[i];
            if (as_text && c->kind == PATTERN_STRING)
                put_text(f, c->text);
            if (!names_it(t) || (c->kind != PATTERN_STRING && c->kind != PATTERN_HEX &&
                                 !(c->kind == PATTERN_INT && kind == VALUE_ASN)))
                continue;
            if (place == PLACE_HASH)
                find_hash(f, c->text, FINDABLE_PATTERN);
            else if (place == PLACE_ANY_VALUE)
                find_any_value(f, c->text);
            else if (place == PLACE_KIND)
                find_value(f, kind, c->text, FINDABLE_PATTERN);
        }
    }
}

/* --- objects --- */

/* Names whose strings are read by machines alone. */
static bool
is_machine_name(struct span name)
{
    static const char *const names[] = {
        "id",      "type",           "spec_version",      "created",   "modified",
        "lang",    "pattern_type",   "pattern_version",   "hashes",    "payload_bin",
        "imphash", "extension_type", "granular_markings", "mime_type", "selectors",
    };

    if (name.n == 0)
        return false;
    if (is_ref(name) || span_ends(name, "_hex") || span_ends(name, "_bin"))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (span_is(name, names[i]))
            return true;
    }
    return false;
}

static bool
is_machine_text(struct span s)
{
    struct stix_id id;
    struct instant t;
    unsigned digits;

    if (s.n >= 20 && s.n <= 40 && s.p[s.n - 1] == 'Z' && instant_read(s, false, &t, &digits))
        return true;
    return s.n > 38 && s.n <= STIX_ID_MAX && span_is(span_part(s, s.n - 38, 2), "--") &&
           stix_id_read(s, &id);
}

static void
find_hashes(struct finder *f, const struct json *hashes)
{
    for (const struct json *h = hashes->child; h != NULL; h = h->next) {
        if (h->type == JSON_STRING)
            find_hash(f, h->text, FINDABLE_OBSERVED);
    }
}

static void
walk(struct finder *f, const struct json *v)
{
    if (f->failed)
        return;
    if (v->type == JSON_STRING) {
        if (!is_machine_text(v->text))
            put_text(f, v->text);
        return;
    }
    for (const struct json *c = v->child; c != NULL; c = c->next) {
        if (span_is(c->key, "hashes") && c->type == JSON_OBJECT)
            find_hashes(f, c);
        else if (span_is(c->key, "imphash") && c->type == JSON_STRING)
            find_hash(f, c->text, FINDABLE_OBSERVED);
        if (is_machine_name(c->key))
            continue;
        if (f->pattern_read && span_is(c->key, "pattern") && c->up->up == NULL)
            continue;
        walk(f, c);
    }
}

/* Values of an SCO's own properties. */
static void
find_observed(struct finder *f, const struct json *o)
{
    struct span type = json_text(o, "type");

    for (size_t i = 0; i < KINDS; i++) {
        const struct json *v;
        if (!span_is(type, kinds[i].type) || (v = json_get(o, kinds[i].property)) == NULL)
            continue;
        if (v->type == JSON_STRING || (v->type == JSON_NUMBER && kinds[i].kind == VALUE_ASN))
            find_value(f, kinds[i].kind, v->text, FINDABLE_OBSERVED);
    }
}

static void
find_named(struct finder *f, const struct json *o)
{
    const struct json *refs = json_get(o, "external_references");

    if (refs != NULL && refs->type == JSON_ARRAY) {
        for (const struct json *r = refs->child; r != NULL; r = r->next) {
            struct span id = json_text(r, "external_id");
            if (id.n > 0)
                find_value(f, VALUE_EXTERNAL, id, FINDABLE_NAMED);
        }
    }
    struct span name = json_text(o, "name");
    if (span_is(json_text(o, "type"), "vulnerability") &&
        span_eq_nocase(span_part(name, 0, 4), SPAN("CVE-")))
        find_value(f, VALUE_EXTERNAL, name, FINDABLE_NAMED);
}

/* --- the whole --- */

static int
by_key(const void *a, const void *b)
{
    return span_cmp(((const struct findable_value *)a)->key,
                    ((const struct findable_value *)b)->key);
}

static int
by_bytes(const void *a, const void *b)
{
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static size_t
unique_values(struct findable_value *v, size_t n)
{
    size_t k = 0;

    if (n > 1)
        qsort(v, n, sizeof(*v), by_key);
    for (size_t i = 0; i < n; i++) {
        if (k > 0 && span_eq(v[k - 1].key, v[i].key))
            v[k - 1].from |= v[i].from;
        else
            v[k++] = v[i];
    }
    return k;
}

static size_t
find_labels(struct finder *f, const struct json *labels, struct span **out)
{
    size_t n = 0, cap = 0, k = 0;
    void *list = NULL;
    char mem[4 * FINDABLE_LABEL_MAX];

    if (labels == NULL || labels->type != JSON_ARRAY)
        return 0;
    for (const struct json *l = labels->child; l != NULL && !f->failed; l = l->next) {
        struct buf b;
        if (l->type != JSON_STRING || l->text.n == 0 || l->text.n > FINDABLE_LABEL_MAX)
            continue;
        buf_init_fixed(&b, mem, sizeof(mem));
        fold_text(l->text, &b);
        if (b.failed || b.n == 0)
            continue;
        struct span *to = grow(f, &list, &n, &cap, sizeof(*to), FINDABLE_LABELS_MAX);
        if (to == NULL)
            break;
        *to = arena_span(f->a, buf_view(&b));
        f->failed = f->failed || to->n == 0;
    }
    *out = list;
    if (n > 1)
        qsort(*out, n, sizeof(**out), by_bytes);
    for (size_t i = 0; i < n; i++) {
        if (k == 0 || !span_eq((*out)[k - 1], (*out)[i]))
            (*out)[k++] = (*out)[i];
    }
    return k;
}

int
findable_read(const struct json *object, const struct pattern *p, struct arena *a,
              struct findable *out, struct err *e)
{
    struct arena_mark start = arena_mark(a);
    struct finder f = {.a = a, .e = e};
    struct findable r = {.confidence = -1};
    struct span *labels = NULL, type = json_text(object, "type");
    int64_t confidence;

    const struct json *pattern = json_get(object, "pattern");
    if (p == NULL && pattern != NULL && pattern->type == JSON_STRING &&
        span_is(type, "indicator") && span_is(json_text(object, "pattern_type"), "stix")) {
        struct err why = ERR_INIT;
        if (pattern_read(pattern->text, a, &p, &why) != 0 &&
            (why.code == ERR_MEMORY || arena_full(a))) {
            f.failed = true;
            goto out;
        }
    }
    if (p != NULL) {
        f.pattern_read = true;
        find_pattern(&f, p);
    }
    find_observed(&f, object);
    const struct json *objects = json_get(object, "objects");
    if (span_is(type, "observed-data") && objects != NULL && objects->type == JSON_OBJECT) {
        for (const struct json *o = objects->child; o != NULL && !f.failed; o = o->next)
            find_observed(&f, o);
    }
    find_named(&f, object);
    walk(&f, object);
    r.label_count = find_labels(&f, json_get(object, "labels"), &labels);
    const struct json *c = json_get(object, "confidence");
    if (c != NULL && json_is_int(c, &confidence) && confidence >= 0 && confidence <= 100)
        r.confidence = (int)confidence;
out:
    if (f.failed) {
        if (arena_full(a))
            return err_set(e, ERR_LIMIT, "no memory for the index");
        arena_rewind(a, start);
        return err_set(e, ERR_MEMORY, "no memory for the index");
    }
    r.value_count = unique_values(f.values, f.value_count);
    r.values = f.values;
    r.labels = labels;
    r.texts = f.texts;
    r.text_count = f.text_count;
    r.cut = f.cut;
    *out = r;
    return 0;
}
