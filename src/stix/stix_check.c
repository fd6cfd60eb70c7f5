/*
 * stix/stix_check.c - walks an object and the tables of its type side by side.
 */
#include "stix_check.h"

#include <stdint.h>
#include <string.h>
#include "stix_rules.h"

#define POINTER_MAX 512 /* bytes of a JSON pointer that is shown; longer ones are cut */
#define QUOTED_MAX  80  /* bytes of a value that a sentence quotes */

#define OBJECTS  "STIX 2.1 section 3.1"
#define COMMON   "STIX 2.1 section 3.2"
#define EXTENDED "STIX 2.1 section 7.3"

const char *
stix_severity_name(enum stix_severity s)
{
    static const char *const names[STIX_SEVERITIES] = {"info", "should", "must", "refuse"};
    return (unsigned)s < STIX_SEVERITIES ? names[s] : "refuse";
}

/* --- reporting ------------------------------------------------------------------------------ */

static int
no_room(struct arena *a, struct err *e)
{
    return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no room for an object's defects");
}

int
stix_report_add(struct stix_report *r, struct arena *a, struct stix_defect d, struct err *e)
{
    if (r->kept < STIX_DEFECTS_MAX) {
        struct stix_defect *copy = arena_alloc(a, sizeof(*copy));
        if (copy == NULL)
            return no_room(a, e);
        *copy = d;
        copy->next = NULL;
        if (r->last != NULL)
            r->last->next = copy;
        else
            r->first = copy;
        r->last = copy;
        r->kept++;
    }
    r->count[d.severity]++;
    return 0;
}

static void
give_up(struct stix_check_state *c)
{
    no_room(c->a, c->e);
    c->failed = true;
}

/* True when the fault is not to be told; it is counted where it should be. */
static bool
untold(struct stix_check_state *c, enum stix_severity severity)
{
    if (c->failed || (severity == STIX_INFO && !c->info))
        return true;
    if (c->out->kept < STIX_DEFECTS_MAX)
        return false;
    c->out->count[severity]++;
    return true;
}

/* The node, or the nearest one above it whose pointer can be afforded: the place in a list is found
 * by counting. */
static const struct json *
pointed_at(struct stix_check_state *c, const struct json *at)
{
    for (const struct json *n = at; n->up != NULL; n = n->up) {
        if (n->up->type != JSON_ARRAY)
            continue;
        if (n->up->count > c->steps)
            at = n->up;
        else
            c->steps -= n->up->count;
    }
    return at;
}

void
stix_fault(struct stix_check_state *c, enum stix_severity severity, const char *rule,
           const char *clause, const struct json *at, const char *text)
{
    char room[POINTER_MAX];
    char *pointer;
    if (untold(c, severity))
        return;
    json_pointer(pointed_at(c, at), room, sizeof(room));
    pointer = arena_dup(c->a, span_of(room));
    if (pointer == NULL) {
        give_up(c);
        return;
    }
    struct stix_defect d = {severity, rule, clause, pointer, text, NULL};
    if (stix_report_add(c->out, c->a, d, c->e) < 0)
        c->failed = true;
}

/* n bytes of s, fewer where the n-th lies inside a character. */
static struct span
cut(struct span s, size_t n)
{
    if (s.n <= n)
        return s;
    while (n != 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return span_part(s, 0, n);
}

void
stix_fault_value(struct stix_check_state *c, enum stix_severity severity, const char *rule,
                 const char *clause, const struct json *at, const char *text, struct span value)
{
    const char *mark = strstr(text, "%s");
    struct span shown = cut(value, QUOTED_MAX);
    char *made;
    if (untold(c, severity))
        return;
    if (mark == NULL) {
        stix_fault(c, severity, rule, clause, at, text);
        return;
    }
    made = arena_printf(c->a, "%.*s'%.*s%s'%s", (int)(mark - text), text, (int)shown.n, shown.p,
                        shown.n < value.n ? "..." : "", mark + 2);
    if (made == NULL) {
        give_up(c);
        return;
    }
    stix_fault(c, severity, rule, clause, at, made);
}

/* --- single values -------------------------------------------------------------------------- */

static const char *
wanted(enum stix_kind k)
{
    static const char *const names[] = {
        [STIX_K_ANY] = "this must be a value",
        [STIX_K_STRING] = "this must be a string",
        [STIX_K_BOOL] = "this must be true or false",
        [STIX_K_INT] = "this must be a whole number",
        [STIX_K_NUMBER] = "this must be a number",
        [STIX_K_TIME] = "this must be a timestamp in a string",
        [STIX_K_TIME_MS] = "this must be a timestamp in a string",
        [STIX_K_REF] = "this must be an id in a string",
        [STIX_K_VOCAB] = "this must be a string",
        [STIX_K_SYNTAX] = "this must be a string",
        [STIX_K_BINARY] = "this must be base64 in a string",
        [STIX_K_HEX] = "this must be hexadecimal in a string",
        [STIX_K_HASHES] = "this must be an object of hashes",
        [STIX_K_DICT] = "this must be an object",
        [STIX_K_SHAPE] = "this must be an object",
        [STIX_K_EXTENSIONS] = "this must be an object",
        [STIX_K_CONTAINER] = "this must be an object",
    };
    return names[k];
}

static const char *
clause_of(enum stix_kind k)
{
    static const char *const clauses[] = {
        [STIX_K_ANY] = "STIX 2.1 section 2",          [STIX_K_STRING] = "STIX 2.1 section 2.15",
        [STIX_K_BOOL] = "STIX 2.1 section 2.2",       [STIX_K_INT] = "STIX 2.1 section 2.10",
        [STIX_K_NUMBER] = "STIX 2.1 section 2.6",     [STIX_K_TIME] = "STIX 2.1 section 2.16",
        [STIX_K_TIME_MS] = "STIX 2.1 section 2.16",   [STIX_K_REF] = "STIX 2.1 section 2.9",
        [STIX_K_VOCAB] = "STIX 2.1 section 2.15",     [STIX_K_SYNTAX] = "STIX 2.1 section 2.15",
        [STIX_K_BINARY] = "STIX 2.1 section 2.1",     [STIX_K_HEX] = "STIX 2.1 section 2.8",
        [STIX_K_HASHES] = "STIX 2.1 section 2.7",     [STIX_K_DICT] = "STIX 2.1 section 2.3",
        [STIX_K_SHAPE] = "STIX 2.1 section 2",        [STIX_K_EXTENSIONS] = COMMON,
        [STIX_K_CONTAINER] = "STIX 2.1 section 2.13",
    };
    return clauses[k];
}

static enum json_type
json_type_of(enum stix_kind k)
{
    switch (k) {
    case STIX_K_BOOL:
        return JSON_BOOL;
    case STIX_K_INT:
    case STIX_K_NUMBER:
        return JSON_NUMBER;
    case STIX_K_HASHES:
    case STIX_K_DICT:
    case STIX_K_SHAPE:
    case STIX_K_EXTENSIONS:
    case STIX_K_CONTAINER:
        return JSON_OBJECT;
    default:
        return JSON_STRING;
    }
}

static void
check_number(struct stix_check_state *c, const struct stix_prop *p, const struct json *v)
{
    int64_t n;
    const struct stix_range *r = p->of.range;
    if (p->kind == STIX_K_INT && !json_is_int(v, &n))
        stix_fault_value(c, STIX_MUST, "type", clause_of(STIX_K_INT), v, "%s is no whole number",
                         v->text);
    else if (r != NULL && (v->number < r->min || v->number > r->max))
        stix_fault_value(c, STIX_MUST, "range", clause_of(p->kind), v, "%s is out of range",
                         v->text);
}

static void
check_time(struct stix_check_state *c, const struct stix_prop *p, const struct json *v)
{
    struct instant t;
    unsigned digits;
    if (!instant_read(v->text, false, &t, &digits))
        stix_fault_value(c, STIX_MUST, "timestamp", clause_of(STIX_K_TIME), v,
                         "%s is no timestamp of the form 2026-01-31T23:59:59.999Z", v->text);
    else if (p->kind == STIX_K_TIME_MS && digits < 3)
        stix_fault_value(c, STIX_MUST, "milliseconds", COMMON, v,
                         "%s lacks milliseconds (three digits or more)", v->text);
}

void
stix_fault_unchecked(struct stix_check_state *c, const struct json *at)
{
    if (!c->unchecked)
        stix_fault(c, STIX_SHOULD, "unchecked", OBJECTS, at,
                   "the object is too large to follow this and what comes after it");
    c->unchecked = true;
}

/* Inside an observable container, references are keys of the container. */
static void
check_local_ref(struct stix_check_state *c, const struct stix_prop *p, const struct json *v)
{
    const struct json *to;
    if (c->container->count > c->steps) {
        stix_fault_unchecked(c, v);
        return;
    }
    c->steps -= c->container->count;
    to = json_get_span(c->container, v->text);
    if (to == NULL) {
        stix_fault_value(c, STIX_MUST, "local-ref", "STIX 2.1 section 2.13", v,
                         "%s is no object of this container", v->text);
        return;
    }
    if (!(p->of.types & STIX_BIT(stix_type_find(json_text(to, "type")))))
        stix_fault_value(c, STIX_MUST, "ref-type", "STIX 2.1 section 2.13", v,
                         "%s is an object of a type that this may not refer to", v->text);
}

static void
check_ref(struct stix_check_state *c, const struct stix_prop *p, const struct json *v,
          const char *clause)
{
    struct stix_id id;
    if (c->container != NULL && !(p->of.types & STIX_SET_MARKING)) {
        check_local_ref(c, p, v);
        return;
    }
    if (!stix_id_read(v->text, &id)) {
        stix_fault_value(c, STIX_MUST, "identifier", clause_of(STIX_K_REF), v,
                         "%s is no id of the form type--UUID", v->text);
        return;
    }
    if (!(p->of.types & STIX_BIT(stix_type_find(id.type))))
        stix_fault_value(c, STIX_MUST, "ref-type", clause, v,
                         "%s is of a type that this may not refer to", v->text);
}

static void
check_word(struct stix_check_state *c, const struct stix_vocab *w, const struct json *v)
{
    if (!w->closed && !c->info)
        return; /* an open vocabulary only suggests */
    if (stix_vocab_has(w, v->text))
        return;
    if (w->closed)
        stix_fault_value(c, STIX_MUST, "vocab", w->clause, v,
                         "%s is none of the values that are allowed here", v->text);
    else
        stix_fault_value(c, STIX_INFO, "vocab-open", w->clause, v,
                         "%s is not in the suggested vocabulary", v->text);
}

static void
check_hex(struct stix_check_state *c, const struct json *v)
{
    bool upper;
    if (!stix_hex_ok(v->text, &upper))
        stix_fault_value(c, STIX_MUST, "hex", clause_of(STIX_K_HEX), v,
                         "%s is no even number of hexadecimal digits", v->text);
    else if (upper) /* a must in the text, and broken by the text's own examples */
        stix_fault_value(c, STIX_SHOULD, "hex-case", clause_of(STIX_K_HEX), v,
                         "%s should have its hexadecimal digits in lower case", v->text);
}

static void
check_hashes(struct stix_check_state *c, const struct json *v)
{
    if (v->child == NULL)
        stix_fault(c, STIX_MUST, "empty", clause_of(STIX_K_HASHES), v, "this holds no hash");
    for (const struct json *m = v->child; m != NULL; m = m->next) {
        if (m->type != JSON_STRING)
            stix_fault(c, STIX_MUST, "type", clause_of(STIX_K_HASHES), m, "this must be a string");
        else if (!stix_vocab_has(&stix_hash_algorithm_ov, m->key))
            stix_fault_value(c, STIX_MUST, "hash-name", "STIX 2.1 section 10.7", m,
                             "%s is no hash algorithm that the standard knows", m->key);
        else if (!stix_hash_ok(m->key, m->text))
            stix_fault_value(c, STIX_MUST, "hash-value", "STIX 2.1 section 10.7", m,
                             "the value does not have the form of %s", m->key);
    }
}

static bool
dict_value_ok(enum stix_dict_of of, const struct json *v)
{
    int64_t n;
    switch (of) {
    case STIX_DICT_STRING:
        return v->type == JSON_STRING;
    case STIX_DICT_INT:
        return json_is_int(v, &n);
    case STIX_DICT_INT_OR_STRING:
        return v->type == JSON_STRING || json_is_int(v, &n);
    case STIX_DICT_STRINGS:
        if (v->type != JSON_ARRAY)
            return false;
        for (const struct json *x = v->child; x != NULL; x = x->next)
            if (x->type != JSON_STRING)
                return false;
        return true;
    default:
        return true;
    }
}

static void
check_dict(struct stix_check_state *c, enum stix_dict_of of, const struct json *v)
{
    if (v->child == NULL)
        stix_fault(c, STIX_MUST, "empty", clause_of(STIX_K_DICT), v, "this must not be empty");
    for (const struct json *m = v->child; m != NULL; m = m->next) {
        if (!stix_dict_key_ok(m->key))
            stix_fault_value(c, STIX_MUST, "dict-key", clause_of(STIX_K_DICT), m,
                             "%s has other characters than a-z, A-Z, 0-9, hyphen and underscore",
                             m->key);
        if (!dict_value_ok(of, m) && m->type != JSON_NULL)
            stix_fault(c, STIX_MUST, "dict-value", clause_of(STIX_K_DICT), m,
                       "this is a value of another type than the entries here must have");
        stix_check_unknown(c, m);
    }
}

void
stix_check_unknown(struct stix_check_state *c, const struct json *v)
{
    if (v->type == JSON_NULL)
        stix_fault(c, STIX_MUST, "null", "STIX 2.1 section 2", v, "null is no value in STIX");
    else if (v->type == JSON_ARRAY && v->child == NULL)
        stix_fault(c, STIX_MUST, "empty", "STIX 2.1 section 2.12", v, "a list must not be empty");
    if (v->type != JSON_ARRAY && v->type != JSON_OBJECT)
        return;
    /* As deep as JSON_DEPTH_MAX. */
    for (const struct json *m = v->child; m != NULL; m = m->next)
        stix_check_unknown(c, m);
}

/* --- parts and extensions ------------------------------------------------------------------- */

static void check_shape(struct stix_check_state *c, const struct json *o,
                        const struct stix_shape *common, const struct stix_shape *own);

/* The names and values in an extension that is described elsewhere. */
static void
check_foreign_extension(struct stix_check_state *c, const struct json *x)
{
    for (const struct json *m = x->child; m != NULL; m = m->next) {
        if (!stix_property_name_ok(m->key))
            stix_fault_value(c, STIX_MUST, "name", "STIX 2.1 section 7.3.2", m,
                             "%s is no name of a property (3 to 250 of a-z, 0-9, underscore)",
                             m->key);
        stix_check_unknown(c, m);
    }
}

static void
check_extension(struct stix_check_state *c, const struct json *x)
{
    const struct stix_ext *known = NULL;
    if (c->type != STIX_TYPE_OTHER)
        known = stix_types[c->type].exts;
    while (known != NULL && known->key != NULL && !span_is(x->key, known->key))
        known++;
    if (x->type == JSON_NULL) {
        stix_check_unknown(c, x);
        return;
    }
    if (x->type != JSON_OBJECT) {
        stix_fault(c, STIX_MUST, "type", COMMON, x, "an extension must be an object");
        return;
    }
    if (x->child == NULL)
        stix_fault(c, STIX_MUST, "empty", COMMON, x, "an extension must not be empty");
    if (known != NULL && known->key != NULL) {
        check_shape(c, x, NULL, known->shape);
        return;
    }
    if (stix_id_is_extension(x->key)) {
        const struct json *kind = json_get(x, "extension_type");
        if (kind == NULL)
            stix_fault(c, STIX_MUST, "required", EXTENDED, x, "extension_type is missing");
        else if (kind->type != JSON_STRING)
            stix_fault(c, STIX_MUST, "type", EXTENDED, kind, "this must be a string");
        else
            check_word(c, &stix_extension_type_enum, kind);
    } else if (span_ends(x->key, "-ext") && stix_type_usable(x->key)) {
        stix_fault_value(c, STIX_SHOULD, "custom-extension", "STIX 2.1 section 11.3", x,
                         "%s should be an extension with an extension-definition", x->key);
    } else {
        stix_fault_value(c, STIX_MUST, "extension-key", COMMON, x,
                         "%s is no id of an extension-definition and no predefined extension",
                         x->key);
    }
    check_foreign_extension(c, x);
}

static void
check_extensions(struct stix_check_state *c, const struct json *v)
{
    if (v->child == NULL)
        stix_fault(c, STIX_MUST, "empty", COMMON, v, "this must not be empty");
    for (const struct json *x = v->child; x != NULL; x = x->next)
        check_extension(c, x);
}

/* Observed-data's deprecated objects: SCOs without ids that refer to each other by key. */
static void
check_container(struct stix_check_state *c, const struct json *v)
{
    const struct json *outer = c->container;
    enum stix_type_no outer_type = c->type;
    if (v->child == NULL)
        stix_fault(c, STIX_MUST, "empty", clause_of(STIX_K_CONTAINER), v, "this must not be empty");
    for (const struct json *m = v->child; m != NULL && outer == NULL; m = m->next) {
        enum stix_type_no t = stix_type_find(json_text(m, "type"));
        if (m->type != JSON_OBJECT || json_text(m, "type").n == 0) {
            stix_fault(c, STIX_MUST, "type", clause_of(STIX_K_CONTAINER), m,
                       "this must be an object with a type");
        } else if (t == STIX_TYPE_OTHER) {
            stix_check_unknown(c, m);
        } else if (stix_types[t].class != STIX_SCO) {
            stix_fault(c, STIX_MUST, "ref-type", clause_of(STIX_K_CONTAINER), m,
                       "this must be a cyber-observable object");
        } else {
            c->container = v;
            c->type = t;
            check_shape(c, m, stix_types[t].common, stix_types[t].shape);
        }
        c->container = outer;
        c->type = outer_type;
    }
}

/* One value, not null, of the property p. */
static void
check_one(struct stix_check_state *c, const struct stix_prop *p, const struct json *v,
          const char *clause)
{
    enum stix_kind k = (enum stix_kind)p->kind;
    if (k == STIX_K_ANY) {
        stix_check_unknown(c, v);
        return;
    }
    if (v->type != json_type_of(k)) {
        stix_fault(c, STIX_MUST, v->type == JSON_NULL ? "null" : "type", clause_of(k), v,
                   wanted(k));
        return;
    }
    switch (k) {
    case STIX_K_INT:
    case STIX_K_NUMBER:
        check_number(c, p, v);
        break;
    case STIX_K_TIME:
    case STIX_K_TIME_MS:
        check_time(c, p, v);
        break;
    case STIX_K_REF:
        check_ref(c, p, v, clause);
        break;
    case STIX_K_VOCAB:
        check_word(c, p->of.vocab, v);
        break;
    case STIX_K_SYNTAX:
        if (!p->of.syntax->ok(v->text))
            stix_fault_value(c, p->of.syntax->severity, p->of.syntax->rule, p->of.syntax->clause, v,
                             p->of.syntax->text, v->text);
        break;
    case STIX_K_BINARY:
        if (!stix_base64_ok(v->text))
            stix_fault(c, STIX_MUST, "binary", clause_of(k), v, "this is no base64 of RFC 4648");
        break;
    case STIX_K_HEX:
        check_hex(c, v);
        break;
    case STIX_K_HASHES:
        check_hashes(c, v);
        break;
    case STIX_K_DICT:
        check_dict(c, p->of.dict, v);
        break;
    case STIX_K_SHAPE:
        check_shape(c, v, NULL, p->of.shape);
        break;
    case STIX_K_EXTENSIONS:
        check_extensions(c, v);
        break;
    case STIX_K_CONTAINER:
        check_container(c, v);
        break;
    default:
        break;
    }
}

static void
check_prop(struct stix_check_state *c, const struct stix_prop *p, const struct json *v,
           const char *clause)
{
    if (p->flags & STIX_F_DONE)
        return;
    if (p->flags & STIX_F_FORBIDDEN) {
        bool reserved = !span_is(v->key, "defanged");
        stix_fault_value(c, STIX_MUST, "forbidden", reserved ? "STIX 2.1 section 3.8" : COMMON, v,
                         reserved ? "%s is a reserved name" : "%s is for cyber-observables alone",
                         v->key);
        return;
    }
    if (p->flags & STIX_F_NOT_APPLICABLE) {
        stix_fault_value(c, STIX_SHOULD, "not-applicable", clause, v,
                         "%s has no meaning on objects of this type", v->key);
        return;
    }
    if (p->flags & STIX_F_DEPRECATED)
        stix_fault_value(c, STIX_INFO, "deprecated", clause, v, "%s is deprecated", v->key);
    if (!(p->flags & STIX_F_LIST)) {
        check_one(c, p, v, clause);
        return;
    }
    if (v->type != JSON_ARRAY)
        stix_fault(c, STIX_MUST, v->type == JSON_NULL ? "null" : "type", "STIX 2.1 section 2.12", v,
                   "this must be a list");
    else if (v->child == NULL)
        stix_fault(c, STIX_MUST, "empty", "STIX 2.1 section 2.12", v, "a list must not be empty");
    else
        for (const struct json *x = v->child; x != NULL; x = x->next)
            check_one(c, p, x, clause);
}

/* --- objects -------------------------------------------------------------------------------- */

/* Where in the table the member belongs: passes over lines before it, and reports those among them
 * that had to be there. */
struct cursor {
    const struct stix_prop *p;
    const struct stix_prop *end;
    const char *clause;
};

static inline int
line_cmp(const struct stix_prop *p, struct span key)
{
    size_t n = key.n < p->len ? key.n : p->len;
    int d = memcmp(p->name, key.p, n);
    return d != 0 ? d : (int)p->len - (int)(key.n > INT16_MAX ? INT16_MAX : key.n);
}

static void
missing(struct stix_check_state *c, const struct json *o, const struct stix_prop *p,
        const char *clause)
{
    if (p->flags & STIX_F_REQUIRED)
        stix_fault_value(c, STIX_MUST, "required", clause, o, "%s is missing", span_of(p->name));
}

static const struct stix_prop *
seek(struct stix_check_state *c, struct cursor *at, const struct json *o, struct span key)
{
    for (; at->p != at->end; at->p++) {
        int d = line_cmp(at->p, key);
        if (d == 0)
            return at->p++;
        if (d > 0)
            return NULL;
        missing(c, o, at->p, at->clause);
    }
    return NULL;
}

static struct cursor
cursor_of(const struct stix_shape *s)
{
    if (s == NULL)
        return (struct cursor){NULL, NULL, ""};
    return (struct cursor){s->props, s->props + s->count, s->clause};
}

/* How far unknown properties of one object have been told; one line for each object is enough. */
struct strangers {
    const struct json *first;
    size_t count;
};

static void
check_stranger(struct stix_check_state *c, const struct json *m, struct strangers *s)
{
    if (!stix_property_name_ok(m->key))
        stix_fault_value(c, STIX_MUST, "name", OBJECTS, m,
                         "%s is no name of a property (3 to 250 of a-z, 0-9, underscore)", m->key);
    if (s->count++ == 0)
        s->first = m;
    stix_check_unknown(c, m);
}

static void
tell_strangers(struct stix_check_state *c, const struct strangers *s)
{
    char *text;
    if (s->count == 0 || c->extended || c->failed)
        return;
    text = s->count == 1 ? arena_printf(c->a, "this property is not in the standard and no "
                                              "extension explains it")
                         : arena_printf(c->a,
                                        "this and %zu other properties are not in the standard and "
                                        "no extension explains them",
                                        s->count - 1);
    if (text == NULL) {
        give_up(c);
        return;
    }
    stix_fault(c, STIX_SHOULD, "custom-property", "STIX 2.1 section 11.1", s->first, text);
}

static void
check_order(struct stix_check_state *c, const struct json *o, const struct stix_shape *s)
{
    for (size_t i = 0; i < s->order_count; i++) {
        const struct stix_order *w = &s->order[i];
        const struct json *later = json_get(o, w->later), *earlier;
        struct instant a, b;
        unsigned digits;
        if (later == NULL || later->type != JSON_STRING ||
            !instant_read(later->text, false, &b, &digits))
            continue;
        earlier = json_get(o, w->earlier);
        if (earlier == NULL || earlier->type != JSON_STRING ||
            !instant_read(earlier->text, false, &a, &digits))
            continue;
        int d = instant_cmp(a, b);
        if (d > 0 || (d == 0 && w->strict))
            stix_fault_value(c, STIX_MUST, "time-order", s->clause, later,
                             w->strict ? "this must be later than %s" : "this is earlier than %s",
                             span_of(w->earlier));
    }
}

/* At least one of some properties. */
static void
check_presence(struct stix_check_state *c, const struct json *o, const struct stix_shape *s,
               size_t own, size_t required)
{
    if (s->any_of != NULL) {
        const char *const *name = s->any_of;
        while (*name != NULL && json_get(o, *name) == NULL)
            name++;
        if (*name == NULL)
            stix_fault_value(c, STIX_MUST, "one-of", s->clause, o,
                             "%s or another property that can stand for it is missing",
                             span_of(s->any_of[0]));
    }
    if (s->need == STIX_NEED_NOTHING || json_get(o, "extensions") != NULL)
        return;
    if (own == 0 || (s->need == STIX_NEED_OTHER && own == required))
        stix_fault(c, STIX_MUST, "one-of", s->clause, o,
                   "this must have at least one property of its type");
}

static void
check_shape(struct stix_check_state *c, const struct json *o, const struct stix_shape *common,
            const struct stix_shape *own)
{
    struct cursor shared = cursor_of(common), mine = cursor_of(own);
    struct strangers strangers = {NULL, 0};
    size_t own_count = 0, required = 0;

    for (const struct json *m = o->child; m != NULL && !c->failed; m = m->next) {
        const struct stix_prop *p = seek(c, &mine, o, m->key);
        if (p != NULL) {
            own_count++;
            required += (p->flags & STIX_F_REQUIRED) != 0;
            check_prop(c, p, m, mine.clause);
        } else if ((p = seek(c, &shared, o, m->key)) != NULL) {
            check_prop(c, p, m, shared.clause);
        } else {
            check_stranger(c, m, &strangers);
        }
    }
    for (; shared.p != shared.end; shared.p++)
        missing(c, o, shared.p, shared.clause);
    for (; mine.p != mine.end; mine.p++)
        missing(c, o, mine.p, mine.clause);
    tell_strangers(c, &strangers);
    if (own == NULL)
        return;
    check_order(c, o, own);
    check_presence(c, o, own, own_count, required);
    if (own->rule != NULL)
        own->rule(c, o);
}

/* --- the object as a whole ------------------------------------------------------------------ */

static void
check_id(struct stix_check_state *c, const struct json *o)
{
    const struct json *at = json_get(o, "id");
    const struct stix_id *id = &c->head->id;
    unsigned version = uuid_version(&id->uuid);
    struct uuid right;
    int made;

    if (!id->lower)
        stix_fault(c, STIX_SHOULD, "id-case", "STIX 2.1 section 2.9", at,
                   "the UUID should be in lower case, or it is another id to most readers");
    if (!uuid_variant_ok(&id->uuid) || version < 1 || version > 8)
        stix_fault(c, STIX_MUST, "uuid", "STIX 2.1 section 2.9", at,
                   "this is no UUID of RFC 4122 (its version or variant bits are not defined)");
    if (c->head->class != STIX_SCO) {
        if (version != 4 && c->head->class != STIX_CUSTOM)
            stix_fault(c, STIX_INFO, "uuid-version", "STIX 2.1 section 2.9", at,
                       "the UUID should be a random one (version 4)");
        return;
    }
    if (version != 5 && !c->info)
        return; /* other ways to make the id of an SCO are allowed: section 3.4 */
    made = stix_sco_uuid(o, &right, c->e);
    if (made < 0) {
        c->failed = true;
    } else if (version != 5) {
        if (made == 1)
            stix_fault(c, STIX_INFO, "sco-id-random", "STIX 2.1 section 2.9", at,
                       "the id should be made from the object's values (UUID version 5)");
    } else if (made == 0) {
        stix_fault(c, c->type == STIX_PROCESS ? STIX_SHOULD : STIX_MUST, "sco-id",
                   "STIX 2.1 section 2.9", at,
                   "no value here can make up an id: it must be a random UUID (version 4)");
    } else if (memcmp(right.b, id->uuid.b, sizeof(right.b)) != 0) {
        char text[UUID_TEXT + 1];
        uuid_print(&right, text);
        stix_fault_value(c, STIX_SHOULD, "sco-id", "STIX 2.1 section 2.9", at,
                         "the object's values make up another UUID: %s", span_of(text));
    }
}

/* What the object's extensions say that it is. */
static void
read_extensions(struct stix_check_state *c, bool *new_sdo_or_sro, bool *new_sco)
{
    *new_sdo_or_sro = *new_sco = false;
    if (c->head->extensions == NULL)
        return;
    for (const struct json *x = c->head->extensions->child; x != NULL; x = x->next) {
        struct span kind = json_text(x, "extension_type");
        c->extended |= span_is(kind, "toplevel-property-extension");
        *new_sdo_or_sro |= span_is(kind, "new-sdo") || span_is(kind, "new-sro");
        *new_sco |= span_is(kind, "new-sco");
    }
}

static bool
custom_type_ok(struct span type)
{
    return type.n >= 3 && type.p[0] >= 'a' && type.p[0] <= 'z' && span_find(type, '_') < 0;
}

/* A type that the standard does not know.  It must have the common properties of its class, which
 * only its extension can tell; without one, that it has some of an SDO's. */
static void
check_custom(struct stix_check_state *c, const struct json *o, bool new_sdo_or_sro, bool new_sco)
{
    const struct json *type = json_get(o, "type");
    bool dated = c->head->created.text.p != NULL || c->head->modified.text.p != NULL;

    if (!custom_type_ok(type->text))
        stix_fault_value(c, STIX_MUST, "name", OBJECTS, type,
                         "%s is no name of a type (3 to 250 of a-z, 0-9, hyphen)", type->text);
    if (!new_sdo_or_sro && !new_sco)
        stix_fault_value(c, STIX_SHOULD, "custom-object", "STIX 2.1 section 11.2", type,
                         "%s is not in the standard and no extension explains it", type->text);
    c->extended = true;
    check_shape(c, o, new_sdo_or_sro || (!new_sco && dated) ? &stix_common_core : &stix_common_sco,
                NULL);
}

int
stix_check(const struct json *o, const struct stix_head *head, const struct stix_check_options *opt,
           struct arena *a, struct stix_report *out, struct err *e)
{
    struct stix_report report = {.first = NULL};
    struct stix_check_state c = {.root = o,
                                 .head = head,
                                 .type = stix_type_find(head->id.type),
                                 .info = opt != NULL && opt->info,
                                 .steps = STIX_STEPS_MAX,
                                 .a = a,
                                 .out = &report,
                                 .e = e};
    bool new_sdo_or_sro, new_sco;

    check_id(&c, o);
    read_extensions(&c, &new_sdo_or_sro, &new_sco);
    if (c.type == STIX_TYPE_OTHER)
        check_custom(&c, o, new_sdo_or_sro, new_sco);
    else
        check_shape(&c, o, stix_types[c.type].common, stix_types[c.type].shape);
    if (head->created.text.p != NULL && head->modified.text.p != NULL &&
        instant_cmp(head->modified.at, head->created.at) < 0)
        stix_fault(&c, STIX_MUST, "time-order", "STIX 2.1 section 3.6.1", json_get(o, "modified"),
                   "modified is earlier than created");
    if (c.failed)
        return -1;
    *out = report;
    return 0;
}
