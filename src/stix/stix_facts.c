#include "stix_facts.h"

#include <stdint.h>
#include <string.h>
#include "json_canon.h"
#include "stix_builtin.h"

#define LIST_FIRST 16 /* entries of a list to begin with; most objects have fewer */

/* What an open container is to us. */
enum role {
    R_PLAIN,
    R_REFS,           /* the list under a name that ends in _refs */
    R_MARKINGS,       /* the list object_marking_refs */
    R_LABELS,         /* the list labels */
    R_GRANULAR,       /* the list granular_markings */
    R_GRANULAR_ENTRY, /* an entry of it */
    R_EXTENSIONS,     /* the object extensions */
    R_TLP2,           /* an extension of a marking-definition that says something of TLP */
    R_IEP2,
    R_DEFINITION /* the object definition */
};

struct level {
    enum role role;
    struct span name; /* R_REFS: the property's name */
    bool spoken;      /* R_GRANULAR_ENTRY: it has a marking_ref or a lang */
};

struct list {
    void *p;
    size_t n;
    size_t cap;
};

struct facts_state {
    struct json_canon canon;
    struct arena *a;
    struct err *e;
    struct stix_facts f;
    struct level level[JSON_DEPTH_MAX + 1];
    unsigned depth;
    struct span type;                      /* raw */
    struct span id, created, modified, by; /* raw; p NULL: absent */
    bool created_odd, modified_odd;        /* present, and no string */
    struct list refs, markings, labels, exts;
};

/* Room for one more entry, or NULL with *e set. */
static void *
list_add(struct facts_state *s, struct list *l, size_t size, size_t max)
{
    if (l->n == max) {
        err_set(s->e, ERR_LIMIT, "more references, markings, labels or extensions than the limit");
        return NULL;
    }
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? LIST_FIRST : l->cap * 2; /* max bounds it far below SIZE_MAX */
        void *p = arena_alloc(s->a, cap * size);
        if (p == NULL) {
            err_set(s->e, arena_full(s->a) ? ERR_LIMIT : ERR_MEMORY,
                    "no room for an object's facts");
            return NULL;
        }
        if (l->n != 0)
            memcpy(p, l->p, l->n * size);
        l->p = p;
        l->cap = cap;
    }
    return (char *)l->p + size * l->n++;
}

/* The text of a raw string: as it stands where nothing is escaped, else a copy in the arena. */
static int
text_of(struct facts_state *s, struct span raw, struct span *out)
{
    char *p;
    if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL) {
        *out = raw;
        return 0;
    }
    p = arena_alloc(s->a, raw.n);
    if (p == NULL)
        return err_set(s->e, arena_full(s->a) ? ERR_LIMIT : ERR_MEMORY,
                       "no room for an object's facts");
    *out = span_from(p, json_canon_unescape(raw, p));
    return 0;
}

static int
add_text(struct facts_state *s, struct list *l, size_t max, struct span raw)
{
    struct span text, *slot;
    if (text_of(s, raw, &text) < 0 || (slot = list_add(s, l, sizeof(*slot), max)) == NULL)
        return -1;
    *slot = text;
    return 0;
}

static int
add_marking(struct facts_state *s, struct span raw, bool granular)
{
    struct stix_marking *slot;
    struct span text;
    if (text_of(s, raw, &text) < 0 ||
        (slot = list_add(s, &s->markings, sizeof(*slot), STIX_MARKINGS_MAX)) == NULL)
        return -1;
    *slot = (struct stix_marking){text, granular};
    return 0;
}

/* No well-formed id has an escape in it, so the raw string can be read. */
static int
add_ref(struct facts_state *s, struct span name, struct span raw)
{
    struct stix_ref *slot;
    struct stix_id id;
    if (!stix_id_read(raw, &id) || stix_id_is_marking(raw))
        return 0;
    if (text_of(s, name, &name) < 0 ||
        (slot = list_add(s, &s->refs, sizeof(*slot), STIX_REFS_MAX)) == NULL)
        return -1;
    *slot = (struct stix_ref){name, raw};
    return 0;
}

/* A string of the object itself. */
static int
top_string(struct facts_state *s, struct span key, struct span raw)
{
    if (span_is(key, "type"))
        s->type = raw;
    else if (span_is(key, "id"))
        s->id = raw;
    else if (span_is(key, "created"))
        s->created = raw;
    else if (span_is(key, "modified"))
        s->modified = raw;
    else if (span_is(key, "created_by_ref"))
        s->by = raw;
    else if (span_is(key, "labels")) /* no list, and yet it is meant: strictly read */
        return add_text(s, &s->labels, STIX_LABELS_MAX, raw);
    else if (span_is(key, "relationship_type"))
        return text_of(s, raw, &s->f.relationship_type);
    else if (span_is(key, "name"))
        return text_of(s, raw, &s->f.name);
    else if (span_is(key, "definition_type"))
        return text_of(s, raw, &s->f.definition_type);
    else if (span_is(key, "spec_version"))
        s->f.spec20 = span_is(raw, "2.0");
    return 0;
}

/* A value that is no container: what it is in its holder. */
static int
take_value(struct facts_state *s, enum json_token t)
{
    struct level *in = &s->level[s->depth];
    struct span key = s->canon.key, raw = s->canon.raw;
    bool string = t == JSON_T_STRING, top = s->depth == 1;

    switch (in->role) {
    case R_REFS:
        return string ? add_ref(s, in->name, raw) : 0;
    case R_MARKINGS:
        if (string)
            return add_marking(s, raw, false);
        s->f.marking_odd = true;
        return 0;
    case R_LABELS:
        return string ? add_text(s, &s->labels, STIX_LABELS_MAX, raw) : 0;
    case R_GRANULAR:
        s->f.marking_odd = true;
        return 0;
    default:
        break;
    }
    if (span_is(key, "marking_ref") || span_is(key, "object_marking_refs")) {
        in->spoken |= span_is(key, "marking_ref");
        if (string)
            return add_marking(s, raw, span_is(key, "marking_ref"));
        s->f.marking_odd = true;
        return 0;
    }
    if (top && span_is(key, "granular_markings"))
        s->f.marking_odd = true;
    if (top && !string) {
        s->created_odd |= span_is(key, "created");
        s->modified_odd |= span_is(key, "modified");
        s->f.revoked |= t == JSON_T_TRUE && span_is(key, "revoked");
    }
    if (!string)
        return 0;
    if (in->role == R_GRANULAR_ENTRY && span_is(key, "lang"))
        in->spoken = true;
    if (in->role == R_TLP2 && span_is(key, "tlp_2_0"))
        return text_of(s, raw, &s->f.tlp_2_0);
    if (in->role == R_IEP2 && span_is(key, "tlp"))
        return text_of(s, raw, &s->f.iep_tlp);
    if (in->role == R_DEFINITION && span_is(key, "tlp"))
        return text_of(s, raw, &s->f.tlp);
    if (in->role == R_DEFINITION && span_is(key, "statement"))
        return text_of(s, raw, &s->f.statement);
    if (top && top_string(s, key, raw) < 0)
        return -1;
    if (span_ends(key, "_ref") && !(top && span_is(key, "created_by_ref")))
        return add_ref(s, key, raw);
    return 0;
}

/* An opening bracket or brace: what the new container is. */
static int
take_begin(struct facts_state *s, bool object)
{
    struct level *in = &s->level[s->depth];
    struct span key = s->canon.key;
    struct level next = {.role = R_PLAIN};
    bool top = s->depth == 1;

    if (top && span_is(key, "created"))
        s->created_odd = true;
    if (top && span_is(key, "modified"))
        s->modified_odd = true;
    if (in->role == R_MARKINGS || (in->role == R_GRANULAR && !object))
        s->f.marking_odd = true;
    else if (in->role == R_GRANULAR)
        next.role = R_GRANULAR_ENTRY;
    else if (span_is(key, "marking_ref") || (object && span_is(key, "object_marking_refs")) ||
             (top && object && span_is(key, "granular_markings")))
        s->f.marking_odd = true;
    else if (!object && span_is(key, "object_marking_refs"))
        next.role = R_MARKINGS;
    else if (!object && top && span_is(key, "granular_markings"))
        next.role = R_GRANULAR;
    else if (!object && top && span_is(key, "labels"))
        next.role = R_LABELS;
    else if (!object && span_ends(key, "_refs"))
        next = (struct level){.role = R_REFS, .name = key};
    else if (object && top && span_is(key, "extensions"))
        next.role = R_EXTENSIONS;
    else if (object && top && span_is(key, "definition"))
        next.role = R_DEFINITION;
    else if (object && in->role == R_EXTENSIONS && span_is(key, STIX_TLP2_EXTENSION))
        next.role = R_TLP2;
    else if (object && in->role == R_EXTENSIONS && span_is(key, STIX_IEP2_EXTENSION))
        next.role = R_IEP2;
    if (span_is(key, "marking_ref"))
        in->spoken = true;
    /* json_canon gives nothing deeper than JSON_DEPTH_MAX. */
    if (s->depth + 1 >= sizeof(s->level) / sizeof(s->level[0]))
        return err_set(s->e, ERR_LIMIT, "nested deeper than the limit");
    s->level[++s->depth] = next;
    return 0;
}

static int
take_end(struct facts_state *s)
{
    if (s->level[s->depth].role == R_GRANULAR_ENTRY && !s->level[s->depth].spoken)
        s->f.marking_odd = true;
    s->depth--;
    return 0;
}

static int
walk(struct facts_state *s)
{
    for (;;) {
        enum json_token t = json_canon_next(&s->canon);
        if (t == JSON_T_FAILED)
            return -1;
        if (t == JSON_T_END)
            return 0;
        if (s->depth == 0 && t != JSON_T_BEGIN_OBJECT)
            return err_set(s->e, ERR_TYPE, "this is no JSON object");
        if (t == JSON_T_END_OBJECT || t == JSON_T_END_ARRAY) {
            take_end(s);
            if (s->depth == 0)
                continue; /* JSON_T_END must follow */
        } else {
            if (s->level[s->depth].role == R_EXTENSIONS &&
                add_text(s, &s->exts, STIX_EXTS_MAX, s->canon.key) < 0)
                return -1;
            bool begin = t == JSON_T_BEGIN_OBJECT || t == JSON_T_BEGIN_ARRAY;
            if ((begin ? take_begin(s, t == JSON_T_BEGIN_OBJECT) : take_value(s, t)) < 0)
                return -1;
        }
    }
}

static int
time_of(struct span raw, bool odd, struct stix_time *out)
{
    if (odd)
        return -1;
    if (raw.p == NULL)
        return 0;
    if (!instant_read(raw, false, &out->at, &out->digits))
        return -1;
    out->text = raw;
    return 0;
}

/* The same rules as stix_head_read: a test holds the two together. */
static int
judge(struct facts_state *s)
{
    struct stix_id by;
    if (!stix_type_usable(s->type))
        return err_set(s->e, ERR_RULE, "the object has no usable type");
    if (!stix_id_read(s->id, &s->f.id) || !span_eq(s->f.id.type, s->type))
        return err_set(s->e, ERR_RULE, "the object has no usable id");
    s->f.class = stix_class_of(s->type);
    if (s->f.class == STIX_BUNDLE)
        return err_set(s->e, ERR_RULE, "a bundle is no object");
    if (s->f.class == STIX_SCO) {
        s->f.revoked = false;
        return 0;
    }
    if (time_of(s->created, s->created_odd, &s->f.created) < 0)
        return err_set(s->e, ERR_RULE, "created is no timestamp");
    if (time_of(s->modified, s->modified_odd, &s->f.modified) < 0)
        return err_set(s->e, ERR_RULE, "modified is no timestamp");
    if (stix_id_read(s->by, &by))
        s->f.created_by = s->by;
    return 0;
}

int
stix_facts_read(struct span bytes, struct arena *a, struct stix_facts *out, struct err *e)
{
    struct facts_state s;
    memset(&s, 0, offsetof(struct facts_state, level)); /* the levels are set as they are opened */
    s.level[0] = (struct level){.role = R_PLAIN};
    s.depth = 0;
    s.type = s.id = s.created = s.modified = s.by = (struct span){NULL, 0};
    s.created_odd = s.modified_odd = false;
    s.refs = s.markings = s.labels = s.exts = (struct list){NULL, 0, 0};
    s.a = a;
    s.e = e;
    json_canon_init(&s.canon, bytes, e);
    if (walk(&s) < 0 || judge(&s) < 0)
        return -1;
    s.f.refs = s.refs.p;
    s.f.ref_count = s.refs.n;
    s.f.markings = s.markings.p;
    s.f.marking_count = s.markings.n;
    s.f.labels = s.labels.p;
    s.f.label_count = s.labels.n;
    s.f.exts = s.exts.p;
    s.f.ext_count = s.exts.n;
    *out = s.f;
    return 0;
}

const struct stix_time *
stix_facts_version(const struct stix_facts *f)
{
    return f->modified.text.p != NULL ? &f->modified : &f->created;
}
