#include "label.h"

#include <string.h>
#include "stix_builtin.h"
#include "stix_facts.h"

/* Extensions of a marking-definition that restrict no reader: PAP says what may be done, and
 * OpenCTI's hold its own bookkeeping. */
static const char *const harmless_extensions[] = {
    "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b", /* PAP, of OASIS' collection */
    "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba", /* OpenCTI, SDO */
};

bool
marking_builtin(struct span id, struct marking_meaning *out)
{
    const struct stix_builtin *b = stix_builtin_find(id);

    if (b != NULL) {
        *out = (struct marking_meaning){MARKING_TLP, (enum tlp)b->tlp};
        return true;
    }
    if (span_is(id, EXERCISE_MARK_ID)) {
        *out = (struct marking_meaning){MARKING_EXERCISE, TLP_CLEAR};
        return true;
    }
    return false;
}

/* Equal to a built-in id but for the case of letters: nobody can mean something else by it, yet
 * it is not that id.  A definition under such an id never counts. */
static bool
marking_lookalike(struct span id)
{
    size_t n;
    const struct stix_builtin *b = stix_builtins(&n);

    for (size_t i = 0; i < n; i++) {
        if (span_eq_nocase(id, span_of(b[i].id))) {
            return true;
        }
    }
    return span_eq_nocase(id, SPAN(EXERCISE_MARK_ID));
}

/* Gathers what the parts of one marking-definition say. */
struct meaning {
    bool tlp_said, free_said, unclear;
    enum tlp tlp;
};

static void
say_tlp(struct meaning *m, struct span word)
{
    enum tlp t;

    if (!tlp_read(word, &t)) {
        m->unclear = true;
    } else if (!m->tlp_said || t > m->tlp) {
        m->tlp_said = true;
        m->tlp = t;
    }
}

static void
read_extension(const struct stix_facts *f, struct span key, struct meaning *m)
{
    if (span_is(key, STIX_TLP2_EXTENSION)) {
        say_tlp(m, f->tlp_2_0);
        return;
    }
    if (span_is(key, STIX_IEP2_EXTENSION)) {
        say_tlp(m, f->iep_tlp);
        return;
    }
    for (size_t i = 0; i < sizeof harmless_extensions / sizeof harmless_extensions[0]; i++) {
        if (span_is(key, harmless_extensions[i])) {
            m->free_said = true;
            return;
        }
    }
    m->unclear = true;
}

static void
read_definition(const struct stix_facts *f, struct meaning *m)
{
    struct span type = f->definition_type;
    enum tlp named;

    if (span_is(type, "tlp") || f->tlp.p != NULL) {
        say_tlp(m, f->tlp);
    } else if (span_is(type, "statement") || span_eq_nocase(type, SPAN("pap"))) {
        m->free_said = true;
    } else if (type.n > 0) {
        m->unclear = true;
    }
    /* A statement that calls itself "TLP:..." is meant as a label. */
    switch (tlp_read_label(f->name, &named)) {
    case TLP_LABEL_READ:
        say_tlp(m, f->name);
        break;
    case TLP_LABEL_UNCLEAR:
        m->unclear = true;
        break;
    case TLP_LABEL_NONE:
        break;
    }
}

void
marking_meaning_read(const struct stix_facts *f, struct marking_meaning *out)
{
    struct meaning m = {0};

    if (marking_builtin(f->id.text, out)) {
        return;
    }
    *out = (struct marking_meaning){MARKING_UNCLEAR, TLP_RED};
    if (!stix_id_is_marking(f->id.text) || marking_lookalike(f->id.text)) {
        return;
    }
    read_definition(f, &m);
    for (size_t i = 0; i < f->ext_count; i++) {
        read_extension(f, f->exts[i], &m);
    }
    if (m.unclear) {
        return;
    }
    if (m.tlp_said) {
        *out = (struct marking_meaning){MARKING_TLP, m.tlp};
    } else if (m.free_said) {
        *out = (struct marking_meaning){MARKING_FREE, TLP_CLEAR};
    }
}

static void
be_unclear(struct label *l, struct span what)
{
    if (!l->unclear) {
        l->unclear = true;
        l->unclear_what = what;
    }
}

static void
be_at_least(struct label *l, enum tlp t)
{
    l->tlp = l->has ? tlp_stricter(l->tlp, t) : t;
    l->has = true;
}

static void
apply_meaning(struct label *l, struct span id, const struct marking_meaning *m)
{
    switch (m->kind) {
    case MARKING_TLP:
        if ((unsigned)m->tlp < TLP_COUNT) {
            be_at_least(l, m->tlp);
            return;
        }
        break;
    case MARKING_EXERCISE:
        l->exercise = true;
        return;
    case MARKING_FREE:
        return;
    case MARKING_UNCLEAR:
        break;
    }
    be_unclear(l, id);
}

static bool
seen_before(const struct stix_facts *f, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (span_eq(f->markings[j].id, f->markings[i].id)) {
            return true;
        }
    }
    return false;
}

/* *list grows at its first use, to the most it can need. */
static int
read_marking(const struct stix_facts *f, size_t i, marking_resolve *resolve, void *ctx,
             struct arena *a, struct span **list, struct label *l, struct err *e)
{
    struct span id = f->markings[i].id;
    struct marking_meaning m;
    int found;

    if (marking_builtin(id, &m)) {
        apply_meaning(l, id, &m);
        return 0;
    }
    if (!stix_id_is_marking(id) || marking_lookalike(id)) {
        be_unclear(l, id);
        return 0;
    }
    found = resolve == NULL ? 0 : resolve(ctx, id, &m, e);
    if (found < 0) {
        return -1;
    }
    if (found > 0) {
        apply_meaning(l, id, &m);
        return 0;
    }
    if (*list == NULL) {
        *list = arena_zero(a, f->marking_count, sizeof **list);
        if (*list == NULL) {
            return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no memory for markings");
        }
        l->unresolved = *list;
    }
    (*list)[l->unresolved_count++] = id;
    return 0;
}

int
label_read(const struct stix_facts *f, marking_resolve *resolve, void *ctx, struct arena *a,
           struct label *out, struct err *e)
{
    struct label l = {.tlp = TLP_CLEAR};
    struct span *unresolved = NULL;
    enum tlp t;

    for (size_t i = 0; i < f->marking_count; i++) {
        if (!seen_before(f, i) && read_marking(f, i, resolve, ctx, a, &unresolved, &l, e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < f->label_count; i++) {
        switch (tlp_read_label(f->labels[i], &t)) {
        case TLP_LABEL_READ:
            be_at_least(&l, t);
            break;
        case TLP_LABEL_UNCLEAR:
            be_unclear(&l, f->labels[i]);
            break;
        case TLP_LABEL_NONE:
            break;
        }
    }
    if (f->marking_odd) {
        be_unclear(&l, SPAN("a marking that cannot be read"));
    }
    if (span_is(f->id.text, EXERCISE_MARK_ID)) {
        l.exercise = true; /* the definition goes where what carries it goes */
    }
    *out = l;
    return 0;
}
