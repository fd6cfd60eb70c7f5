/* tests/exchange/leak_acts.c - one random act, on the product and on the model. */
#include "leak_world.h"

#include "taxii_query.h"

#define HOT       30 /* malware that everybody says something of */
#define BATCH_MAX 6

static const char *const label_names[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};

static const char *const tlp_marks[2][5] = {
    {"94868c89-83c2-464b-929b-a1a8aa3c8487", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
     "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "939a9414-2ddd-4d32-a0cd-375ea402b003",
     "e828b379-4e03-4974-9ac4-e53a884c97c1"},
    {"613f2e26-407d-48c7-9eca-b8e91df99dc9", "34098fce-860f-48ae-8e50-ebd3cc5e41da",
     "f88d31f6-486f-44da-b317-01333bde0b82", "939a9414-2ddd-4d32-a0cd-375ea402b003",
     "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"}};

/* -- objects --------------------------------------------------------------------------------------
 */

static const char *
common(struct leak *l, bool sco, bool exercise)
{
    struct buf b;
    const char *out;
    bool marks = false;

    buf_init(&b, 4096);
    if (one_in(l, 3) || exercise) {
        buf_str(&b, ",\"object_marking_refs\":[");
        if (exercise) {
            buf_str(&b, "\"marking-definition--e26f5832-6095-4b02-9dc1-13eb335d0ff7\"");
            marks = true;
        }
        if (!exercise || one_in(l, 2)) {
            unsigned label = one_in(l, 6) ? 4 : below(l, 4);

            buf_printf(&b, "%s\"marking-definition--%s\"", marks ? "," : "",
                       tlp_marks[below(l, 2)][label]);
        }
        if (one_in(l, 5))
            buf_printf(&b, ",\"%s\"", world_id(l->w, "marking-definition", below(l, 5)));
        buf_str(&b, "]");
    } else if (one_in(l, 8)) {
        buf_printf(&b, ",\"object_marking_refs\":[\"%s\"]",
                   world_id(l->w, "marking-definition", below(l, 5)));
    }
    if (one_in(l, 12))
        buf_printf(&b,
                   ",\"granular_markings\":[{\"marking_ref\":\"marking-definition--%s\","
                   "\"selectors\":[\"%s\"]}]",
                   tlp_marks[0][below(l, 4)], sco ? "value" : "created");
    if (!sco && one_in(l, 10))
        buf_printf(&b, ",\"labels\":[\"tlp:%s\",\"blue\"]",
                   one_in(l, 8)   ? "purple"
                   : one_in(l, 2) ? "amber"
                                  : "green");
    else if (!sco && one_in(l, 5))
        buf_str(&b, ",\"labels\":[\"blue\"]");
    if (!sco && one_in(l, 3))
        buf_printf(&b, ",\"created_by_ref\":\"%s\"",
                   one_in(l, 8) ? "identity--00000000-0000-4000-8000-000000000999"
                                : l->identity[1 + below(l, (unsigned)l->org_n)]);
    out = arena_dup(l->w->a, buf_view(&b));
    buf_clear(&b);
    return out;
}

/* A day of few, so that versions meet; now and then one far ahead of the clock. */
static const char *
modified(struct leak *l)
{
    if (one_in(l, 14))
        return "2026-06-01T00:00:00.000Z";
    return arena_printf(l->w->a, "2025-02-0%uT00:00:00.000Z", 1 + below(l, 5));
}

static const char *
node_id(struct leak *l)
{
    if (one_in(l, 4))
        return world_id(l->w, "ipv4-addr", below(l, HOT / 2));
    return world_id(l->w, "malware", one_in(l, 4) ? 100 + below(l, 200) : below(l, HOT));
}

static const char *
two_words(struct leak *l)
{
    static const char *const words[] = {"alpha", "beacon", "gamma", "omega"};

    return arena_printf(l->w->a, "%s %s", words[below(l, 4)], words[below(l, 4)]);
}

static const char *
any_marking(struct leak *l)
{
    unsigned n = below(l, 5);

    if (n >= 3) /* these mean a label */
        return world_object(l->w, "marking-definition", n,
                            n == 3 ? "\"definition_type\":\"tlp\",\"definition\":{\"tlp\":"
                                     "\"amber\"},\"name\":\"ours\""
                                   : "\"definition_type\":\"tlp\",\"definition\":{\"tlp\":"
                                     "\"green\"},\"name\":\"ours\"");
    return world_object(l->w, "marking-definition", n,
                        "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"x\"}");
}

static const char *
any_object(struct leak *l, bool exercise)
{
    struct world *w = l->w;
    unsigned kind = below(l, 20);

    if (kind < 9)
        return world_object(
            w, "malware", one_in(l, 4) ? 100 + below(l, 200) : below(l, HOT),
            arena_printf(w->a, "\"modified\":\"%s\",\"name\":\"%s\",\"is_family\":false%s",
                         modified(l), two_words(l), common(l, false, exercise)));
    if (kind < 12) {
        unsigned n = below(l, HOT / 2);

        return arena_printf(w->a,
                            "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"%s\","
                            "\"value\":\"198.51.100.%u\",\"x_seen\":\"%s\"%s}",
                            world_id(w, "ipv4-addr", n), n, two_words(l),
                            common(l, true, exercise));
    }
    if (kind < 15)
        return world_object(w, "relationship", below(l, HOT),
                            arena_printf(w->a,
                                         "\"modified\":\"%s\",\"relationship_type\":\"related-to\","
                                         "\"source_ref\":\"%s\",\"target_ref\":\"%s\"%s",
                                         modified(l), node_id(l), node_id(l),
                                         common(l, false, exercise)));
    if (kind < 16)
        return world_object(w, "sighting", below(l, 8),
                            arena_printf(w->a, "\"modified\":\"%s\",\"sighting_of_ref\":\"%s\"%s",
                                         modified(l), world_id(w, "malware", below(l, HOT)),
                                         common(l, false, exercise)));
    if (kind < 19)
        return world_object(
            w, "report", below(l, 12),
            arena_printf(w->a,
                         "\"modified\":\"%s\",\"name\":\"%s\",\"published\":"
                         "\"2025-01-01T00:00:00Z\",\"object_refs\":[\"%s\",\"%s\"]%s",
                         modified(l), two_words(l), world_id(w, "malware", below(l, HOT)),
                         world_id(w, "ipv4-addr", below(l, HOT / 2)), common(l, false, exercise)));
    return any_marking(l);
}

/* -- collections ----------------------------------------------------------------------------------
 */

const char *
leak_alias(struct leak *l, int group, bool exercise)
{
    return arena_printf(l->w->a, "%s%s", exercise ? "exercise-" : "",
                        group == 0 ? "all" : l->group_name[group]);
}

/* What I may see, one for each group that I am in, and the public. */
enum leak_collection
leak_collection(struct leak *l, const struct m_asker *k, int group)
{
    struct m_aud a = {.group = group, .exercise = k->exercise};
    struct m_asker side = *k;
    const struct m_group *g;
    struct m_who p;

    if (!m_in_force(&l->m, k->who, &p))
        return LEAK_NONE;
    if (p.kind == M_NOBODY)
        return group == GROUP_PUBLIC && l->m.open && !k->exercise ? LEAK_READ_ONLY : LEAK_NO_LOGIN;
    if (!(p.roles & (M_READER | M_ANALYST | M_PUBLISHER)) || (k->exercise && !p.exercise) ||
        (p.only_group != 0 && p.only_group != group))
        return LEAK_NONE;
    g = &l->m.groups[group];
    if (group > (int)GROUP_PUBLIC && !l->m.gens[g->gen].in[p.org])
        return LEAK_NONE;
    a.group = group != 0 ? group : l->m.orgs[p.org].own_group;
    a.gen = l->m.groups[a.group].gen;
    side.channel = k->channel == M_BY_LOCAL ? M_BY_LOCAL : M_BY_TOKEN;
    for (a.label = M_CLEAR; a.label < M_RED; a.label++) {
        if (m_may_publish(&l->m, &side, &a))
            return LEAK_WRITES;
    }
    return LEAK_READ_ONLY;
}

/* -- posting --------------------------------------------------------------------------------------
 */

struct parcel {
    int contents[BATCH_MAX];
    struct span payloads[BATCH_MAX];
    enum m_outcome outcomes[BATCH_MAX];
    int n;
};

#define TURNS 4 /* definitions, plain, with references, edges */

static unsigned
turn_of(const struct m_content *c, const struct m_id *id)
{
    return id->bytes != 0 ? 0 : c->edge ? 3 : c->ref_n > 0 ? 2 : 1;
}

/* Whether something in the parcel names another of it, or uses its marking, that the poster sees
 * already: such a one does not wait for the other, and is decided by what came before it. */
static bool
order_counts(struct leak *l, const struct parcel *p, const struct m_asker *k)
{
    for (int i = 0; i < p->n; i++) {
        const struct m_content *c = &l->m.contents[p->contents[i]];

        if (!m_sees(&l->m, k, 0, c->id))
            continue;
        for (int j = 0; j < p->n; j++) {
            const struct m_content *o = &l->m.contents[p->contents[j]];

            for (int r = 0; r < o->ref_n; r++) {
                if (o->refs[r] == c->id)
                    return true;
            }
            for (int r = 0; r < o->mark_n; r++) {
                if (o->marks[r] == c->id)
                    return true;
            }
        }
    }
    return false;
}

static void
put_in_order(struct leak *l, struct parcel *p)
{
    for (int i = 0; i < p->n; i++) {
        for (int j = i + 1; j < p->n; j++) {
            const struct m_content *a = &l->m.contents[p->contents[i]];
            const struct m_content *b = &l->m.contents[p->contents[j]];
            struct span payload = p->payloads[i];
            int c = p->contents[i];

            if (turn_of(a, &l->m.ids[a->id]) <= turn_of(b, &l->m.ids[b->id]))
                continue;
            p->contents[i] = p->contents[j];
            p->payloads[i] = p->payloads[j];
            p->contents[j] = c;
            p->payloads[j] = payload;
        }
    }
}

/* Distinct ids, in any order where that does not count. */
static void
pack(struct leak *l, struct parcel *p, const struct m_asker *k)
{
    int want = 1 + (int)below(l, one_in(l, 3) ? BATCH_MAX : 2);

    p->n = 0;
    for (int tries = 0; tries < 20 && p->n < want; tries++) {
        bool fresh = true;
        struct span payload;
        int c = leak_content(l, any_object(l, k->exercise != one_in(l, 40)), &payload);

        for (int i = 0; i < p->n; i++)
            fresh = fresh && l->m.contents[p->contents[i]].id != l->m.contents[c].id;
        if (!fresh)
            continue;
        p->payloads[p->n] = payload;
        p->contents[p->n++] = c;
    }
    if (order_counts(l, p, k))
        put_in_order(l, p);
}

static unsigned
pending_turn(struct leak *l, const struct m_pending *p)
{
    const struct m_content *c = &l->m.contents[p->content];

    return turn_of(c, &l->m.ids[c->id]);
}

/* What waited for a marking is looked at again when that has come. */
static void
retry_waiting(struct leak *l, int marking, int64_t now)
{
    int n = l->m.pending_n;

    for (int k = 0; k < TURNS * n; k++) {
        int i = k % n;
        struct m_pending p = l->m.pending[i];

        if (!p.there || p.reason != M_WAIT_MARKING || p.marking != marking ||
            pending_turn(l, &p) != (unsigned)(k / n))
            continue;
        l->m.pending[i].there = false;
        (void)m_post(&l->m, &p.way, p.content, p.batch, now);
    }
}

static void
model_post(struct leak *l, const struct m_way *way, struct parcel *p, uint64_t batch)
{
    int64_t now = l->w->clock.wall_us;
    bool came[BATCH_MAX] = {false};

    for (unsigned turn = 0; turn < 4; turn++) {
        for (int i = 0; i < p->n; i++) {
            const struct m_content *c = &l->m.contents[p->contents[i]];
            struct m_said s;

            if (turn_of(c, &l->m.ids[c->id]) != turn)
                continue;
            s = m_post(&l->m, way, p->contents[i], batch, now);
            p->outcomes[i] = s.outcome;
            came[i] = turn == 0 && s.target_n > 0;
            l->outcomes[s.outcome]++;
        }
    }
    for (int i = 0; i < p->n; i++) {
        if (came[i])
            retry_waiting(l, l->m.contents[p->contents[i]].id, now);
    }
}

static const struct json *
send(struct leak *l, const struct m_asker *k, struct tell *begin, const struct parcel *p)
{
    struct tell t = {.verb = TELL_OBJECT};

    begin->verb = TELL_BEGIN;
    begin->handle = t.handle = ++l->w->handle;
    begin->items = true;
    if (leak_tell(l, k, begin) == NULL)
        return NULL;
    for (int i = 0; i < p->n; i++) {
        t.payload = p->payloads[i];
        (void)leak_tell(l, k, &t);
    }
    t = (struct tell){.verb = TELL_END, .handle = begin->handle};
    return leak_tell(l, k, &t);
}

static const char *
id_text(struct leak *l, int content)
{
    return l->m.ids[l->m.contents[content].id].text;
}

static void
check_items(struct leak *l, const struct json *o, const struct parcel *p, const char *how)
{
    const struct json *items = at(o, "items");

    assert_non_null(items);
    if ((int)items->count != p->n)
        leak_fail(l, "%s: %u items of %d: %.*s", how, items->count, p->n, (int)l->w->last.body.n,
                  l->w->last.body.p);
    for (const struct json *it = items->child; it != NULL; it = it->next) {
        for (int i = 0; i < p->n; i++) {
            struct span got = json_text(it, "outcome");

            if (!span_is(json_text(it, "id"), id_text(l, p->contents[i])))
                continue;
            if (!span_is(got, m_outcome_name(p->outcomes[i])))
                leak_fail(l, "%s: %.*s: %.*s, and the model says %s", how,
                          (int)l->m.contents[p->contents[i]].size,
                          l->m.contents[p->contents[i]].text, (int)got.n, got.p,
                          m_outcome_name(p->outcomes[i]));
        }
    }
}

static const char *
status_list(enum m_outcome o)
{
    return o == M_OUT_REFUSED                          ? "failures"
           : o == M_OUT_WAITING || o == M_OUT_PROPOSAL ? "pendings"
                                                       : "successes";
}

static void
check_status(struct leak *l, const struct json *o, const struct parcel *p)
{
    assert_int_equal(int_at(o, "total_count"), p->n);
    for (int i = 0; i < p->n; i++) {
        const struct json *list = at(o, status_list(p->outcomes[i]));
        bool found = false;

        for (const struct json *it = list != NULL ? list->child : NULL; it != NULL; it = it->next)
            found = found || span_is(json_text(it, "id"), id_text(l, p->contents[i]));
        if (!found)
            leak_fail(l, "status: %s is not among the %s (the model says %s)",
                      id_text(l, p->contents[i]), status_list(p->outcomes[i]),
                      m_outcome_name(p->outcomes[i]));
    }
}

/* A status is for its poster alone: for others it is as one that never was. */
static void
check_status_readers(struct leak *l, const struct m_asker *k, const char *id)
{
    static const char none[] = "00000000-0000-4000-8000-000000000000";
    struct ask q = {.verb = ASK_STATUS, .id = span_of(id)};
    struct m_asker other;
    struct answer hidden;

    assert_non_null(leak_ask(l, k, &q));
    assert_string_equal(text_at(l->w, leak_ask(l, k, &q), "id"), id);
    do
        other = leak_any_asker(l);
    while (other.who == k->who);
    q = (struct ask){.verb = ASK_STATUS, .id = span_of(id)};
    assert_null(leak_ask(l, &other, &q));
    hidden = l->w->last;
    q = (struct ask){.verb = ASK_STATUS, .id = span_of(none)};
    assert_null(leak_ask(l, &other, &q));
    assert_int_equal(hidden.status, l->w->last.status);
    assert_true(span_eq(hidden.text, l->w->last.text));
    assert_true(span_eq(hidden.place, l->w->last.place));
}

/* What a dry run says is what then happens. */
static void
dry_run(struct leak *l, const struct m_asker *k, struct tell begin, struct parcel *p,
        const struct json **out)
{
    begin.dry = true;
    *out = send(l, k, &begin, p);
}

static uint64_t
last_batch(struct leak *l)
{
    struct ask q = {.verb = ASK_BATCHES, .q = {.limit = 1, .given = TAXII_P_LIMIT}};

    return (uint64_t)int_at(world_ask(l->w, NULL, &q), "batches.0.batch");
}

/* What may not be named is answered as what is not there: a group that is not the poster's, and
 * for an analyst a person of another organisation. */
static void
probe(struct leak *l, const struct m_asker *k)
{
    struct tell there = {.dry = true, .source = SPAN("x")}, not_there = there;
    int group = 1 + (int)below(l, (unsigned)l->group_n), person = 3;
    struct m_who p = {0};
    struct parcel parcel;
    struct span first;
    const struct json *o;

    if (k->who == PRINCIPAL_OPERATOR || !m_in_force(&l->m, k->who, &p))
        return;
    pack(l, &parcel, k);
    while (l->m.who[person].kind != M_PERSON || l->m.who[person].org == p.org)
        person++;
    if (one_in(l, 2) && !(p.roles & M_PUBLISHER)) {
        there.label = not_there.label = SPAN("RED");
        there.person = span_of(l->people[person].name);
        not_there.person = SPAN("whoever");
    } else if (l->m.groups[group].kind == M_NAMED && !l->m.gens[l->m.groups[group].gen].in[p.org]) {
        there.group = span_of(l->group_name[group]);
        not_there.group = SPAN("nowhere");
    } else {
        return;
    }
    snprintf(l->what, sizeof l->what, "%s names %.*s %.*s", l->people[k->who].name,
             (int)there.group.n, there.group.p, (int)there.person.n, there.person.p);
    o = send(l, k, &there, &parcel);
    first = arena_span(l->w->a, o != NULL ? l->w->last.body : l->w->last.text);
    o = send(l, k, &not_there, &parcel);
    if (!span_eq(first, o != NULL ? l->w->last.body : l->w->last.text))
        leak_fail(l, "there: %.*s; not there: %.*s", (int)first.n, first.p, (int)l->w->last.body.n,
                  l->w->last.body.p);
}

static void
post_plain(struct leak *l, const struct m_asker *k)
{
    struct m_way way = {.asker = *k, .asked = -1};
    struct tell begin = {.source = SPAN("x")};
    const struct json *o, *dry = NULL;
    struct parcel p;

    pack(l, &p, k);
    if (one_in(l, 2)) {
        way.asked = one_in(l, 5) ? M_RED : (int)below(l, 4);
        begin.label = span_of(label_names[way.asked]);
    }
    if (one_in(l, 4)) {
        way.group = 1 + (int)below(l, (unsigned)l->group_n);
        begin.group = span_of(l->group_name[way.group]);
    }
    if (one_in(l, way.asked == M_RED ? 2 : 20)) {
        do
            way.person = 3 + (int)below(l, (unsigned)l->people_n - 2);
        while (l->m.who[way.person].kind != M_PERSON);
        begin.person = span_of(l->people[way.person].name);
    }
    way.quarantine = begin.quarantine = one_in(l, 20);
    way.keep_narrow = begin.keep_narrow = one_in(l, 8);
    snprintf(l->what, sizeof l->what,
             "%s posts %d, label %.*s, group %.*s, person %.*s%s%s; %.100s", l->people[k->who].name,
             p.n, (int)begin.label.n, begin.label.p, (int)begin.group.n, begin.group.p,
             (int)begin.person.n, begin.person.p, k->exercise ? " EXERCISE" : "",
             way.quarantine ? " quarantine" : "", l->m.contents[p.contents[0]].text);
    if (one_in(l, 6))
        dry_run(l, k, begin, &p, &dry);
    o = send(l, k, &begin, &p);
    if (o == NULL)
        leak_fail(l, "%.*s", (int)l->w->last.text.n, l->w->last.text.p);
    leak_fresh(l);
    if (k->who != PRINCIPAL_OPERATOR && l->m.who[k->who].org != ORG_SELF)
        assert_int_equal(int_at(o, "batch"), 0); /* numbers count what others sent */
    model_post(l, &way, &p, last_batch(l));
    check_items(l, o, &p, "posted");
    if (dry != NULL)
        check_items(l, dry, &p, "dry run");
    leak_match(l);
}

static void
post_taxii(struct leak *l, const struct m_asker *k)
{
    struct m_way way = {.asker = *k, .asked = -1};
    int group = one_in(l, 3) ? 0 : 1 + (int)below(l, (unsigned)l->group_n);
    enum leak_collection is = leak_collection(l, k, group);
    struct tell begin = {.source = SPAN("POST"),
                         .collection = span_of(leak_alias(l, group, k->exercise))};
    const struct json *o;
    struct parcel p;
    const char *id;

    pack(l, &p, k);
    snprintf(l->what, sizeof l->what, "%s posts %d to %.*s; %.100s", l->people[k->who].name, p.n,
             (int)begin.collection.n, begin.collection.p, l->m.contents[p.contents[0]].text);
    way.group = group;
    if (k->channel != M_BY_LOCAL)
        way.asker.channel = M_BY_TOKEN;
    o = send(l, k, &begin, &p);
    if (is != LEAK_WRITES) {
        enum err_code want = is == LEAK_NONE       ? ERR_MISSING
                             : is == LEAK_NO_LOGIN ? ERR_AUTH
                                                   : ERR_DENIED;

        if (o != NULL || l->w->last.status != want)
            leak_fail(l, "status %d, wanted %d", l->w->last.status, want);
        return;
    }
    if (o == NULL)
        leak_fail(l, "%.*s", (int)l->w->last.text.n, l->w->last.text.p);
    leak_fresh(l);
    id = text_at(l->w, o, "id");
    model_post(l, &way, &p, last_batch(l));
    check_status(l, o, &p);
    leak_match(l);
    check_status_readers(l, k, id);
}

/* -- acts on what is there ------------------------------------------------------------------------
 */

static int
any_id(struct leak *l)
{
    return 1 + (int)below(l, (unsigned)l->m.id_n);
}

static const struct json *
act(struct leak *l, const struct m_asker *k, enum tell_verb verb, int id, struct tell *t)
{
    t->verb = verb;
    if (id != 0)
        t->id = span_of(l->m.ids[id].text);
    return leak_tell(l, k, t);
}

/* The best version that the actor sees; 0: none. */
static int
best_seen(struct leak *l, const struct m_asker *k, int id, struct m_item *out)
{
    struct m_item list[200];
    int n = m_list_id(&l->m, k, 0, -1, M_LAST, 0, id, list), best = 0;

    for (int i = 1; i < n; i++) {
        if (list[i].plain_us > list[best].plain_us) /* no order: the newest */
            best = i;
    }
    if (n > 0)
        *out = list[best];
    return n > 0;
}

static void
publish(struct leak *l, const struct m_asker *k)
{
    struct m_way way = {.asker = *k};
    int id = any_id(l), group = 1 + (int)below(l, (unsigned)l->group_n);
    struct tell t = {.group = span_of(l->group_name[group])};
    struct m_item best = {0};
    const struct json *o;
    struct m_said s;
    bool sees = best_seen(l, k, id, &best);

    way.group = group;
    way.asked = sees ? l->m.rows[best.row].aud.label : M_RED;
    if (one_in(l, 2)) {
        way.asked = (int)below(l, 4);
        t.label = span_of(label_names[way.asked]);
    }
    snprintf(l->what, sizeof l->what, "%s publishes %s %.*s for %s", l->people[k->who].name,
             l->m.ids[id].text, (int)t.label.n, t.label.p, l->group_name[group]);
    o = act(l, k, TELL_PUBLISH, id, &t);
    leak_fresh(l);
    if (!sees) {
        if (o != NULL || l->w->last.status != ERR_MISSING)
            leak_fail(l, "status %d, wanted missing", l->w->last.status);
        return;
    }
    s = m_post(&l->m, &way, best.content, 0, l->w->clock.wall_us);
    if (s.outcome == M_OUT_DEFECT) /* it was judged when it came in */
        s.outcome = M_OUT_NEW;
    if (s.outcome == M_OUT_REFUSED
            ? o != NULL || l->w->last.status != ERR_DENIED
            : o == NULL || strcmp(text_at(l->w, o, "outcome"), m_outcome_name(s.outcome)) != 0)
        leak_fail(l, "%s (%.*s), and the model says %s",
                  o != NULL ? text_at(l->w, o, "outcome") : "", (int)l->w->last.text.n,
                  l->w->last.text.p, m_outcome_name(s.outcome));
    leak_match(l);
}

/* The bytes that the node is to make, made another way. */
static int
revoked_content(struct leak *l, int content, const char *at_time)
{
    const struct m_content *c = &l->m.contents[content];
    const char *text = arena_dup(l->w->a, span_from(c->text, c->size));
    const char *m = strstr(text, "\"modified\":\""), *tail = strchr(m + 12, '"') + 1;

    return leak_content(l,
                        arena_printf(l->w->a, "%.*s\"modified\":\"%s\"%s%s", (int)(m - text), text,
                                     at_time, c->revoked ? "" : ",\"revoked\":true", tail),
                        NULL);
}

struct newest {
    struct m_aud aud;
    int row;
};

static int
newest_rows(struct leak *l, const struct m_asker *k, int id, struct newest *out)
{
    int n = 0;
    int64_t us;

    for (int i = l->m.ids[id].first; i != 0; i = l->m.rows[i - 1].next) {
        const struct m_row *r = &l->m.rows[i - 1];
        int j = 0;

        if (r->erase || !m_date(&l->m, k, r, &us))
            continue;
        while (j < n && !m_same(&out[j].aud, &r->aud))
            j++;
        if (j == n)
            out[n++] = (struct newest){r->aud, i - 1};
        else if (l->m.contents[r->content].modified_us >
                 l->m.contents[l->m.rows[out[j].row].content].modified_us)
            out[j].row = i - 1;
    }
    return n;
}

static enum err_code
may_revoke(struct leak *l, const struct m_asker *k, const struct newest *list, int n)
{
    int org = l->m.who[k->who].org;
    bool all = true;

    if (n == 0)
        return ERR_MISSING;
    for (int i = 0; i < n; i++) {
        const struct m_content *c = &l->m.contents[l->m.rows[list[i].row].content];

        if (!c->versioned)
            return ERR_RULE;
    }
    for (int i = 0; i < n; i++) {
        const struct m_content *c = &l->m.contents[l->m.rows[list[i].row].content];

        if (c->creator != 0 && c->creator != org)
            return ERR_DENIED;
        if (!m_may_publish(&l->m, k, &list[i].aud))
            return ERR_DENIED;
        all = all && c->revoked;
    }
    return all ? ERR_CONFLICT : ERR_NONE;
}

/* Of two newest in one audience with the same time the product may take either. */
static bool
was_made(struct leak *l, int content, const struct m_aud *a)
{
    return l->m.stands(l->m.stands_ctx, content, a);
}

static void
revoke_it(struct leak *l, const struct m_asker *k)
{
    struct newest list[64];
    int id = any_id(l), n = newest_rows(l, k, id, list);
    enum err_code want = may_revoke(l, k, list, n);
    struct tell t = {0};
    const struct json *o;

    snprintf(l->what, sizeof l->what, "%s revokes %s", l->people[k->who].name, l->m.ids[id].text);
    o = act(l, k, TELL_REVOKE, id, &t);
    leak_fresh(l);
    if (want != ERR_NONE ? o != NULL || l->w->last.status != want : o == NULL)
        leak_fail(l, "status %d (%.*s), wanted %d", l->w->last.status, (int)l->w->last.text.n,
                  l->w->last.text.p, want);
    if (o == NULL)
        return;
    for (int i = 0; i < n; i++) {
        const char *version = text_at(l->w, o, "version");
        int from = l->m.rows[list[i].row].content, content = revoked_content(l, from, version);
        int64_t us;
        struct m_row *r;

        for (int j = l->m.ids[id].first; j != 0; j = l->m.rows[j - 1].next) {
            const struct m_row *x = &l->m.rows[j - 1];

            if (!was_made(l, content, &list[i].aud) && !x->erase && m_same(&x->aud, &list[i].aud) &&
                m_date(&l->m, k, x, &us) &&
                l->m.contents[x->content].modified_us == l->m.contents[from].modified_us)
                content = revoked_content(l, x->content, version);
        }
        r = m_row_add(&l->m, content, &list[i].aud);
        r->org = l->m.who[k->who].org;
        r->who = k->who;
        r->owner = l->m.contents[content].creator != 0;
    }
    leak_match(l);
}

static void
withdraw(struct leak *l, const struct m_asker *k)
{
    int id = any_id(l), seen = 0, may = 0, end = l->m.row_n;
    struct tell t = {0};
    enum err_code want;
    const struct json *o;
    int64_t us;

    for (int i = 0; i < end; i++) {
        const struct m_row *r = &l->m.rows[i];

        if (r->erase || r->gone || l->m.contents[r->content].id != id)
            continue;
        /* The operator's reaches everything of his own, also what he may not read. */
        if (k->channel != M_BY_LOCAL && !m_date(&l->m, k, r, &us))
            continue;
        seen++;
        may += m_may_erase(&l->m, k, r);
    }
    want = seen == 0 ? ERR_MISSING : may == 0 ? ERR_DENIED : ERR_NONE;
    snprintf(l->what, sizeof l->what, "%s withdraws %s", l->people[k->who].name, l->m.ids[id].text);
    o = act(l, k, TELL_WITHDRAW, id, &t);
    leak_fresh(l);
    if (want != ERR_NONE ? o != NULL || l->w->last.status != want
                         : o == NULL || int_at(o, "erased") != may)
        leak_fail(l, "status %d (%.*s), wanted %d; %d of %d rows", l->w->last.status,
                  (int)l->w->last.text.n, l->w->last.text.p, want, may, seen);
    for (int i = 0; o != NULL && i < end; i++) {
        const struct m_row *r = &l->m.rows[i];

        if (r->erase || r->gone || l->m.contents[r->content].id != id ||
            (k->channel != M_BY_LOCAL && !m_date(&l->m, k, r, &us)) || !m_may_erase(&l->m, k, r))
            continue;
        m_erase(&l->m, i);
    }
    leak_match(l);
}

/* DELETE in a collection: what is seen there, and nothing where one of it is somebody else's. */
static void
delete_there(struct leak *l, const struct m_asker *asker)
{
    struct m_asker k = *asker;
    int id = any_id(l), group = one_in(l, 2) ? 0 : 1 + (int)below(l, (unsigned)l->group_n);
    enum leak_collection is = leak_collection(l, &k, group);
    int rows[1000], n = 0;
    struct tell t = {.collection = span_of(leak_alias(l, group, k.exercise))};
    enum err_code want;
    const struct json *o;
    int64_t us;

    if (k.channel != M_BY_LOCAL)
        k.channel = M_BY_TOKEN;
    for (int i = l->m.ids[id].first; i != 0; i = l->m.rows[i - 1].next) {
        const struct m_row *r = &l->m.rows[i - 1];

        if (!r->erase && (group == 0 || r->aud.group == group) && m_date(&l->m, &k, r, &us))
            rows[n++] = i - 1;
    }
    want = is == LEAK_NO_LOGIN ? ERR_AUTH : is == LEAK_NONE || n == 0 ? ERR_MISSING : ERR_NONE;
    for (int i = 0; want == ERR_NONE && i < n; i++) {
        if (!m_may_erase(&l->m, &k, &l->m.rows[rows[i]]))
            want = ERR_DENIED;
    }
    snprintf(l->what, sizeof l->what, "%s deletes %s in %.*s", l->people[k.who].name,
             l->m.ids[id].text, (int)t.collection.n, t.collection.p);
    o = act(l, asker, TELL_DELETE, id, &t);
    leak_fresh(l);
    if (want != ERR_NONE ? o != NULL || l->w->last.status != want : o == NULL)
        leak_fail(l, "status %d (%.*s), wanted %d", l->w->last.status, (int)l->w->last.text.n,
                  l->w->last.text.p, want);
    for (int i = 0; o != NULL && i < n; i++)
        m_erase(&l->m, rows[i]);
    leak_match(l);
}

static void
undo(struct leak *l)
{
    struct m_asker k = leak_asker(l, PRINCIPAL_OPERATOR, false, M_RED);
    const struct m_row *some = &l->m.rows[below(l, (unsigned)l->m.row_n)];
    struct tell t = {.number = some->batch};
    int end = l->m.row_n;
    const struct json *o;

    if (some->batch == 0)
        return;
    snprintf(l->what, sizeof l->what, "undo %lu", (unsigned long)t.number);
    o = act(l, &k, TELL_UNDO, 0, &t);
    leak_fresh(l);
    if (o == NULL) {
        if (l->w->last.status != ERR_CONFLICT) /* undone before */
            leak_fail(l, "%.*s", (int)l->w->last.text.n, l->w->last.text.p);
        return;
    }
    for (int i = 0; i < end; i++) {
        if (l->m.rows[i].batch == t.number && !l->m.rows[i].erase && !l->m.rows[i].gone &&
            !l->m.ids[l->m.contents[l->m.rows[i].content].id].builtin)
            m_erase(&l->m, i);
    }
    for (int i = 0; i < l->m.pending_n; i++) {
        if (l->m.pending[i].batch == t.number)
            l->m.pending[i].there = false;
    }
    leak_match(l);
}

static void
release(struct leak *l)
{
    struct m_asker k = leak_asker(l, PRINCIPAL_OPERATOR, false, M_RED);
    int n = 0, end = l->m.pending_n;
    struct tell t = {0};

    for (int i = 0; i < end && t.number == 0; i++) {
        const struct m_pending *p = &l->m.pending[(i + (int)below(l, 100)) % end];

        if (p->there && p->reason == M_WAIT_QUARANTINE)
            t.number = p->batch;
    }
    if (t.number == 0)
        return;
    snprintf(l->what, sizeof l->what, "release %lu", (unsigned long)t.number);
    if (act(l, &k, TELL_RELEASE, 0, &t) == NULL)
        leak_fail(l, "%.*s", (int)l->w->last.text.n, l->w->last.text.p);
    leak_fresh(l);
    for (int i = 0; i < end; i++)
        l->m.pending[i].way.released |= l->m.pending[i].batch == t.number;
    for (int turn = 0; turn < TURNS * end; turn++) {
        int i = turn % end;
        struct m_pending p = l->m.pending[i];

        if (!p.there || p.batch != t.number || p.reason != M_WAIT_QUARANTINE ||
            pending_turn(l, &p) != (unsigned)(turn / end))
            continue;
        l->m.pending[i].there = false;
        (void)m_post(&l->m, &p.way, p.content, p.batch, l->w->clock.wall_us);
        n++;
    }
    assert_true(n > 0);
    leak_match(l);
}

void
leak_act_keep(struct leak *l)
{
    struct m_asker k = leak_any_asker(l);
    unsigned what = below(l, 100);

    /* Seconds apart, now and then no time at all: acts then share a millisecond. */
    if (!one_in(l, 5))
        world_pass(l->w, 1000 + (int64_t)below(l, 3000000));
    l->acts++;
    if (what < 30 || l->m.row_n < 20)
        k = leak_asker(l, PRINCIPAL_OPERATOR, one_in(l, 8), M_RED);
    if (one_in(l, 10))
        probe(l, &k);
    if (what < 42 || (what < 68 && k.channel == M_BY_LOCAL))
        post_plain(l, &k);
    else if (what < 68)
        post_taxii(l, &k);
    else if (what < 76)
        publish(l, &k);
    else if (what < 80)
        revoke_it(l, &k);
    else if (what < 83)
        withdraw(l, &k);
    else if (what < 86)
        delete_there(l, &k);
    else if (what < 87)
        undo(l);
    else if (what < 88)
        release(l);
    else
        leak_admin(l);
}

void
leak_act(struct leak *l)
{
    leak_act_keep(l);
    arena_reset(l->w->a);
}
