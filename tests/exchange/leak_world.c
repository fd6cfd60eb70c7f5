#include "leak_world.h"

#include "intake_msg.h"
#include "keep.h"
#include "mem.h"
#include "store_put.h"
#include "store_rights.h"

static void
must(int rc, const struct err *e)
{
    char line[512];

    if (rc >= 0)
        return;
    err_line(e, line, sizeof line);
    fail_msg("%s", line);
}

unsigned
below(struct leak *l, unsigned n)
{
    return (unsigned)(check_next(&l->random) >> 33) % n;
}

bool
one_in(struct leak *l, unsigned n)
{
    return below(l, n) == 0;
}

/* -- contents -------------------------------------------------------------------------------------
 */

static const struct {
    const char *id;
    int label;
} tlp_ids[] = {
    {"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", M_CLEAR},
    {"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", M_GREEN},
    {"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", M_AMBER},
    {"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", M_STRICT},
    {"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", M_RED},
    {"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", M_CLEAR},
    {"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", M_GREEN},
    {"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", M_AMBER},
    {"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", M_RED},
};
#define EXERCISE_ID "marking-definition--e26f5832-6095-4b02-9dc1-13eb335d0ff7"

static int
label_word(struct span s)
{
    static const char *const words[] = {"clear", "green", "amber", "amber+strict", "red"};

    for (int i = 0; i < 5; i++) {
        if (span_is(s, words[i]))
            return i;
    }
    return -1;
}

int
leak_id(struct leak *l, const char *text)
{
    struct m_id *id;

    for (int i = 1; i <= l->m.id_n; i++) {
        if (strcmp(l->m.ids[i].text, text) == 0)
            return i;
    }
    assert_true(l->m.id_n + 1 < M_IDS);
    id = &l->m.ids[++l->m.id_n];
    *id = (struct m_id){.text = strdup(text), .means = -1};
    for (size_t i = 0; i < sizeof tlp_ids / sizeof tlp_ids[0]; i++)
        id->builtin = id->builtin || strcmp(text, tlp_ids[i].id) == 0;
    id->builtin = id->builtin || strcmp(text, EXERCISE_ID) == 0;
    return l->m.id_n;
}

static void
read_mark(struct leak *l, struct m_content *c, struct span id)
{
    int n = leak_id(l, arena_dup(l->w->a, id));

    if (span_is(id, EXERCISE_ID))
        c->exercise = true;
    for (size_t i = 0; i < sizeof tlp_ids / sizeof tlp_ids[0]; i++) {
        if (span_is(id, tlp_ids[i].id) && tlp_ids[i].label > c->label)
            c->label = tlp_ids[i].label;
    }
    assert_true(c->mark_n < M_MARKS);
    c->marks[c->mark_n++] = n;
}

static void
read_marks(struct leak *l, struct m_content *c, const struct json *o)
{
    const struct json *list = json_get(o, "object_marking_refs");

    for (const struct json *x = list != NULL ? list->child : NULL; x != NULL; x = x->next)
        read_mark(l, c, x->text);
    list = json_get(o, "granular_markings");
    for (const struct json *x = list != NULL ? list->child : NULL; x != NULL; x = x->next)
        read_mark(l, c, json_text(x, "marking_ref"));
    list = json_get(o, "labels");
    for (const struct json *x = list != NULL ? list->child : NULL; x != NULL; x = x->next) {
        int label;

        if (!span_starts(x->text, "tlp:"))
            continue;
        label = label_word(span_from(x->text.p + 4, x->text.n - 4));
        c->unclear = c->unclear || label < 0;
        c->label = label > c->label ? label : c->label;
    }
}

static void
read_refs(struct leak *l, struct m_content *c, const struct json *o)
{
    for (const struct json *v = o->child; v != NULL; v = v->next) {
        const struct json *x = v->type == JSON_ARRAY ? v->child : v;

        if (span_is(v->key, "created_by_ref") || span_is(v->key, "object_marking_refs"))
            continue;
        if (!(v->key.n > 5 && memcmp(v->key.p + v->key.n - 4, "_ref", 4) == 0) &&
            !(v->key.n > 5 && memcmp(v->key.p + v->key.n - 5, "_refs", 5) == 0))
            continue;
        for (; x != NULL; x = v->type == JSON_ARRAY ? x->next : NULL) {
            assert_true(c->ref_n < M_REFS);
            c->refs[c->ref_n++] = leak_id(l, arena_dup(l->w->a, x->text));
        }
    }
}

static void
read_content(struct leak *l, struct m_content *c)
{
    struct err e = ERR_INIT;
    const struct json *o = json_parse(l->w->json, span_from(c->text, c->size), l->w->a, &e);
    struct span type, by, at;
    struct instant t;
    char *id;

    assert_non_null(o);
    type = json_text(o, "type");
    id = arena_dup(l->w->a, json_text(o, "id"));
    c->id = leak_id(l, id);
    c->label = -1;
    c->edge = span_is(type, "relationship") || span_is(type, "sighting");
    c->versioned = json_get(o, "modified") != NULL && !span_is(type, "marking-definition");
    at = json_text(o, c->versioned ? "modified" : "created");
    c->sco = at.n == 0;
    if (!c->sco) {
        assert_true(instant_read(at, false, &t, NULL));
        c->modified_us = instant_us(t);
    }
    c->revoked = json_get(o, "revoked") != NULL && json_get(o, "revoked")->boolean;
    by = json_text(o, "created_by_ref");
    for (int i = 1; i <= l->org_n; i++) {
        if (by.n > 0 && span_is(by, l->identity[i]))
            c->creator = i;
    }
    read_marks(l, c, o);
    read_refs(l, c, o);
    if (span_is(type, "marking-definition")) {
        l->m.ids[c->id].bytes = (int)(c - l->m.contents);
        if (span_is(json_text(o, "definition_type"), "tlp"))
            l->m.ids[c->id].means = label_word(json_text(json_get(o, "definition"), "tlp"));
        if (strcmp(id, EXERCISE_ID) == 0)
            c->exercise = true;
    }
}

static int
content_of(struct leak *l, struct span bytes, const struct hash *hash, bool defect)
{
    struct model *m = &l->m;
    struct m_content *c;

    for (int i = m->content_n; i > 0; i--) {
        if (memcmp(m->contents[i].hash, hash->b, sizeof hash->b) == 0)
            return i;
    }
    if (m->content_n + 1 >= m->content_cap) {
        m->content_cap = m->content_cap == 0 ? 1024 : m->content_cap * 2;
        m->contents = realloc(m->contents, (size_t)m->content_cap * sizeof *m->contents);
        assert_non_null(m->contents);
    }
    c = &m->contents[++m->content_n];
    *c = (struct m_content){.text = strndup(bytes.p, bytes.n), .size = bytes.n, .defect = defect};
    memcpy(c->hash, hash->b, sizeof c->hash);
    read_content(l, c);
    return m->content_n;
}

int
leak_content(struct leak *l, const char *text, struct span *payload)
{
    struct arena *a = arena_new(INTAKE_ARENA_MAX);
    struct intake_result r;
    struct err e = ERR_INIT;
    struct buf b;
    int n;

    must(intake_object(l->w->intake, span_of(text), INTAKE_NORMAL, a, &r, &e), &e);
    if (r.class == INTAKE_REFUSED)
        fail_msg("the test's own object is refused: %s", text);
    n = content_of(l, r.canonical, &r.hash, r.class == INTAKE_DEFECT);
    if (payload != NULL) {
        r.index = l->index++; /* a batch only wants them to differ */
        buf_init(&b, INTAKE_MSG_MAX);
        intake_encode(&r, &b);
        assert_false(b.failed);
        *payload = arena_span(l->w->a, buf_view(&b));
        buf_clear(&b);
    }
    arena_free(a);
    return n;
}

/* -- what the store holds -------------------------------------------------------------------------
 */

static struct m_aud
aud_of_store(struct leak *l, uint32_t number)
{
    struct err e = ERR_INIT;
    struct audience a;

    must(store_audience_get(l->peek, number, &a, &e), &e);
    return (struct m_aud){(int)a.label, (int)a.group, (int)a.generation, (int)a.person, a.exercise};
}

int
leak_aud(struct leak *l, const struct m_aud *a)
{
    for (int i = 0; i < l->aud_n; i++) {
        if (m_same(&l->auds[i], a))
            return i;
    }
    assert_true(l->aud_n < LEAK_AUDS);
    l->auds[l->aud_n] = *a;
    return l->aud_n++;
}

void
leak_fresh(struct leak *l)
{
    struct arena *a = arena_new(64u << 20);
    struct store_figures f;
    struct err e = ERR_INIT;

    must(store_begin(l->peek, &e), &e);
    must(store_figures(l->peek, &f, &e), &e);
    l->fresh_n = 0;
    for (uint64_t p = l->last_p + 1; p <= f.publications; p++) {
        struct store_held h;
        struct fresh *r;
        struct span id;

        arena_reset(a);
        if (l->fresh_n == l->fresh_cap) {
            l->fresh_cap = l->fresh_cap == 0 ? 64 : l->fresh_cap * 2;
            l->fresh = realloc(l->fresh, (size_t)l->fresh_cap * sizeof *l->fresh);
            assert_non_null(l->fresh);
        }
        assert_int_equal(store_held_get(l->peek, p, a, &id, &h, &e), 1);
        r = &l->fresh[l->fresh_n++];
        *r = (struct fresh){.p = p,
                            .seq = h.seq,
                            .batch = h.batch,
                            .arrival_us = h.arrival_us,
                            .owner = h.owner,
                            .aud = aud_of_store(l, h.audience)};
        if (h.erased)
            r->target = h.target;
        else
            r->content = content_of(l, h.bytes, &h.hash, false);
        if (h.arrival_us <= l->last_us)
            leak_fail(l, "an arrival goes back");
        l->last_us = h.arrival_us;
        (void)leak_aud(l, &r->aud);
    }
    l->last_p = f.publications;
    must(store_commit(l->peek, &e), &e);
    arena_free(a);
}

static bool
stands(void *ctx, int content, const struct m_aud *a)
{
    struct leak *l = ctx;

    for (int i = 0; i < l->fresh_n; i++) {
        if (l->fresh[i].content == content && m_same(&l->fresh[i].aud, a))
            return true;
    }
    for (int i = l->m.ids[l->m.contents[content].id].first; i != 0; i = l->m.rows[i - 1].next) {
        const struct m_row *r = &l->m.rows[i - 1];

        if (!r->erase && !r->gone && r->content == content && m_same(&r->aud, a))
            return true;
    }
    return false;
}

const char *
leak_aud_text(struct leak *l, const struct m_aud *a)
{
    static const char *const labels[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};

    return arena_printf(l->w->a, "%s for %s (generation %d, person %s)%s", labels[a->label],
                        l->group_name[a->group], a->gen, l->people[a->person].name,
                        a->exercise ? " EXERCISE" : "");
}

/* What the model knows of an id, for whoever has to find out. */
void
leak_explain(struct leak *l, int id)
{
    for (int i = l->m.ids[id].first; i != 0; i = l->m.rows[i - 1].next) {
        const struct m_row *r = &l->m.rows[i - 1];
        const struct m_content *c = &l->m.contents[r->content];

        print_message("# p %lu seq %lu at %lld batch %lu by %s%s%s%s, %s: %.*s\n",
                      (unsigned long)r->p, (unsigned long)r->seq, (long long)r->arrival_us,
                      (unsigned long)r->batch, l->people[r->who].name, r->erase ? " ERASURE" : "",
                      r->gone ? " gone" : "", r->owner ? " owner" : "", leak_aud_text(l, &r->aud),
                      (int)c->size, c->text);
    }
}

static void
explain_content(struct leak *l, int content)
{
    const struct m_content *c = &l->m.contents[content];

    leak_explain(l, c->id);
    for (int i = 0; i < c->ref_n; i++)
        leak_explain(l, c->refs[i]);
    for (int i = 0; i < l->fresh_n; i++) {
        struct fresh *f = &l->fresh[i];

        print_message("# new in the store%s: %s: %.*s\n", f->taken ? ", expected" : "",
                      leak_aud_text(l, &f->aud), (int)l->m.contents[f->content].size,
                      f->content == 0 ? "erasure" : l->m.contents[f->content].text);
    }
}

static void
learn(struct m_row *r, struct fresh *f)
{
    f->taken = true;
    r->matched = true;
    r->p = f->p;
    r->seq = f->seq;
    r->arrival_us = f->arrival_us;
    if (!r->erase)
        r->batch = f->batch;
}

static void
match_one(struct leak *l, struct m_row *r)
{
    const struct m_content *c = &l->m.contents[r->content];

    for (int i = 0; i < l->fresh_n; i++) {
        struct fresh *f = &l->fresh[i];

        if (f->taken || !m_same(&f->aud, &r->aud) ||
            (r->erase ? f->target != r->target : f->content != r->content))
            continue;
        if (!r->erase && r->batch != 0 && f->batch != r->batch)
            leak_fail(l, "%.*s stands under batch %lu, not %lu", (int)c->size, c->text,
                      (unsigned long)f->batch, (unsigned long)r->batch);
        if (!r->erase && c->versioned && f->owner != r->owner)
            leak_fail(l, "%.*s ranks as the creator's: %d", (int)c->size, c->text, f->owner);
        learn(r, f);
        return;
    }
    explain_content(l, r->content);
    leak_fail(l, "not in the store: %s%.*s, %s", r->erase ? "erasure of " : "", (int)c->size,
              c->text, leak_aud_text(l, &r->aud));
}

void
leak_match(struct leak *l)
{
    for (int i = 0; i < l->m.row_n; i++) {
        if (!l->m.rows[i].matched)
            match_one(l, &l->m.rows[i]);
    }
    for (int i = 0; i < l->fresh_n; i++) {
        struct fresh *f = &l->fresh[i];

        if (f->taken)
            continue;
        for (int k = 0; k < l->fresh_n; k++) {
            if (l->fresh[k].content != 0)
                leak_explain(l, l->m.contents[l->fresh[k].content].id);
        }
        explain_content(l, f->content);
        leak_fail(l, "in the store and not expected: %s%.*s, %s",
                  f->content == 0 ? "an erasure" : "", (int)l->m.contents[f->content].size,
                  f->content == 0 ? "" : l->m.contents[f->content].text, leak_aud_text(l, &f->aud));
    }
    l->fresh_n = 0;
}

/* -- rights ---------------------------------------------------------------------------------------
 */

static void
take_grants(struct leak *l, struct arena *a)
{
    const struct view_grant *list;
    struct err e = ERR_INIT;
    size_t n;

    must(store_grants_load(l->peek, a, &list, &n, &e), &e);
    free(l->m.grants);
    l->m.grants = calloc(n + 1, sizeof *l->m.grants);
    assert_non_null(l->m.grants);
    l->m.grant_n = 0;
    for (size_t i = 0; i < n; i++) {
        struct m_grant *g = &l->m.grants[l->m.grant_n++];

        *g = (struct m_grant){.aud = aud_of_store(l, list[i].audience),
                              .to = (int)list[i].to,
                              .number = (int)list[i].number,
                              .from = list[i].natural_from};
        for (size_t k = 0; k < list[i].slice_count; k++) {
            assert_true(g->slice_n < 8);
            g->slices[g->slice_n++] = (struct m_slice){
                list[i].slices[k].from_seq, list[i].slices[k].n, list[i].slices[k].base_us};
            if (list[i].slices[k].base_us + 25 * (int64_t)list[i].slices[k].n > l->last_us)
                l->last_us = list[i].slices[k].base_us + 25 * (int64_t)list[i].slices[k].n - 25;
        }
    }
}

static bool
gen_used(struct leak *l, int gen)
{
    for (int i = 0; i < l->aud_n; i++) {
        if (l->auds[i].gen == gen)
            return true;
    }
    return false;
}

static void
match_group(struct leak *l, const struct right_group *g)
{
    struct m_group *mine = &l->m.groups[g->number];

    assert_true(g->number < M_GROUPS && g->generation < M_GENS);
    if (mine->kind == M_NO_GROUP) { /* an organisation's own */
        assert_int_equal(g->kind, GROUP_KIND_OWN);
        *mine = (struct m_group){.kind = M_ORG_GROUP, .org = (int)g->org};
        mine->gen = (int)g->generation;
        l->m.gens[mine->gen].group = (int)g->number;
        l->m.gens[mine->gen].in[g->org] = true;
        l->m.orgs[g->org].own_group = (int)g->number;
        memcpy(l->group_name[g->number], l->org_name[g->org], sizeof l->group_name[0]);
    }
    if (mine->gen < 0) { /* a new generation is due, unless nobody said anything to the old one */
        mine->gen = -mine->gen;
        if ((int)g->generation == mine->gen) {
            if (gen_used(l, mine->gen))
                leak_fail(l, "group %s: a new generation does not begin", l->group_name[g->number]);
        } else {
            memcpy(l->m.gens[g->generation].in, l->m.gens[mine->gen].in, sizeof l->m.gens[0].in);
            l->m.gens[g->generation].group = (int)g->number;
            mine->gen = (int)g->generation;
        }
    }
    if ((int)g->generation != mine->gen)
        leak_fail(l, "group %s: a new generation begins", l->group_name[g->number]);
}

void
leak_match_rights(struct leak *l)
{
    struct arena *a = arena_new(64u << 20);
    struct err e = ERR_INIT;
    struct rights r;

    must(store_begin(l->peek, &e), &e);
    must(store_rights_load(l->peek, a, &r, &e), &e);
    for (size_t i = 0; i < r.group_count; i++)
        match_group(l, &r.groups[i]);
    take_grants(l, a);
    must(store_commit(l->peek, &e), &e);
    arena_free(a);
}

/* -- speaking -------------------------------------------------------------------------------------
 */

struct m_asker
leak_asker(struct leak *l, int who, bool exercise, int listener)
{
    enum m_who_kind kind = l->m.who[who].kind;

    return (struct m_asker){.who = who,
                            .channel = kind == M_OPERATOR ? M_BY_LOCAL
                                       : kind == M_TOKEN  ? M_BY_TOKEN
                                                          : M_BY_SESSION,
                            .listener = kind == M_OPERATOR ? M_RED : listener,
                            .exercise = exercise};
}

static struct someone *
someone_of(struct leak *l, const struct m_asker *k)
{
    static struct someone nobody = {0, 0, CHANNEL_SESSION};

    if (k->who == PRINCIPAL_OPERATOR)
        return NULL;
    return k->who == PRINCIPAL_NOBODY ? &nobody : &l->people[k->who].is;
}

/* A principal that comes over the local socket is the operator looking as that one. */
const struct json *
leak_ask(struct leak *l, const struct m_asker *k, struct ask *q)
{
    const struct json *o;

    q->exercise = k->exercise;
    l->asks++;
    if (k->channel == M_BY_LOCAL && k->who != PRINCIPAL_OPERATOR) {
        q->as = span_of(l->people[k->who].name);
        return world_ask(l->w, NULL, q);
    }
    l->w->front_caller.listener.ceiling = (enum tlp)k->listener;
    o = world_ask(l->w, someone_of(l, k), q);
    l->w->front_caller.listener.ceiling = TLP_RED;
    return o;
}

const struct json *
leak_tell(struct leak *l, const struct m_asker *k, struct tell *t)
{
    struct exchange_link *wide = l->w->front;
    const struct json *o;

    t->exercise = k->exercise;
    if (k->listener == NARROW_CEILING)
        l->w->front = l->narrow;
    o = world_tell(l->w, someone_of(l, k), t);
    l->w->front = wide;
    return o;
}

/* -- the whole ------------------------------------------------------------------------------------
 */

static int
problem(void *ctx, const char *what, const char *place)
{
    (void)ctx;
    print_message("# verify: %s, %s\n", what, place);
    return 0;
}

void
leak_verify(struct leak *l)
{
    struct exchange_check c;
    struct err e = ERR_INIT;

    must(exchange_verify(l->w->path, problem, NULL, NULL, &c, &e), &e);
    if (c.problems > 0)
        leak_fail(l, "verify finds %lu problems", (unsigned long)c.problems);
}

struct leak *
leak_new(struct check_random random)
{
    struct leak *l = mem_zero(1, sizeof *l);
    struct store_options o = {.mode = DB_READ, .busy_ms = 1000};
    struct caller narrow = {.kind = CALLER_FRONT, .listener = {1, (enum tlp)NARROW_CEILING}};
    struct err e = ERR_INIT;

    l->random = random;
    l->w = world_new();
    l->a = arena_new(64u << 20);
    l->m.stands = stands;
    l->m.stands_ctx = l;
    l->m.way_default = M_STRICT;
    l->narrow = exchange_link_new(l->w->writer, &narrow);
    o.clock = &l->w->clock;
    must(store_open(l->w->path, &o, &l->peek, &e), &e);
    snprintf(l->what, sizeof l->what, "the beginning");
    leak_people(l);
    return l;
}

void
leak_free(struct leak *l)
{
    store_close(l->peek);
    exchange_link_free(l->narrow);
    world_free(l->w);
    arena_free(l->a);
    m_free(&l->m);
    free(l->fresh);
    mem_free(l);
}
