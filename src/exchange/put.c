/*
 * exchange/put.c - one object: from what was sent to where it stands.
 *
 * The order: its facts from its bytes; its label; the audience asked for; what the poster already
 * sees of the id; what it refers to; then the row.  Nothing that the poster cannot see changes any
 * of it.
 */
#include "batch.h"

#include "stix_builtin.h"
#include "store_find.h"

#define USERS_PAGE  1000 /* users of a new extension-definition that are looked at at once */
#define USERS_PAGES 20   /* and how often; audiences where older ones alone use it do without */

struct putting {
    struct exchange *x;
    struct batch *b; /* or NULL */
    const struct way *way;
    const struct intake_result *r;
    struct verdict_item *v;
    enum put_when when;
    struct arena *a;    /* the commit's */
    struct arena *keep; /* of facts and index, which stand also when it is put in a later commit */
    bool looked, indexed;
    struct stix_facts facts;
    struct label label;
    struct publish pub;
    struct store_index index;
    uint32_t creator;       /* organisation that the creator is bound to; 0: none */
    uint32_t org;           /* of the poster */
    struct seen seen;       /* of the object's own id */
    struct edge_end *found; /* of each edge: .seen_count 0: not looked for, or not seen */
    struct edge_end *ends;
    struct span *end_ids;
    size_t end_count;
};

void
note_add(struct verdict_item *v, const char *rule, const char *clause, struct span pointer,
         struct span text)
{
    if (v->note_count == NOTES_MAX)
        return;
    v->notes[v->note_count++] = (struct store_note){pointer, span_of(rule), span_of(clause), text};
}

static int
refuse(struct putting *p, const char *rule, const char *text)
{
    p->v->outcome = OUT_REFUSED;
    note_add(p->v, rule, "", (struct span){0}, span_of(text));
    return 0;
}

/* -- labels ---------------------------------------------------------------------------------------
 */

/* policy's resolver: a marking that the poster sees, by its oldest bytes. */
static int
resolve(void *ctx, struct span id, struct marking_meaning *out, struct err *e)
{
    struct putting *p = ctx;
    struct stix_facts facts;
    struct seen s;
    uint64_t kept;

    if (p->b != NULL && map_get(p->b->meanings, id, &kept)) {
        out->kind = (enum marking_kind)(kept & 0xff);
        out->tlp = (enum tlp)(kept >> 8);
        return 1;
    }
    if (seen_find(p->x, p->b, &p->way->asker, id, SEEN_BYTES, p->a, &s, e) != 0)
        return -1;
    if (s.n == 0 || s.bytes.n == 0)
        return 0;
    if (stix_facts_read(s.bytes, p->a, &facts, e) != 0)
        return -1;
    marking_meaning_read(&facts, out);
    kept = (uint64_t)out->kind | (uint64_t)out->tlp << 8;
    if (p->b != NULL && map_put(p->b->meanings, id, kept, NULL) < 0)
        return err_set(e, ERR_MEMORY, "out of memory");
    return 1;
}

static enum store_wait
wait_of(enum publish_rule rule)
{
    return rule == PUBLISH_WAIT_MARKING   ? STORE_WAIT_MARKING
           : rule == PUBLISH_WAIT_UNCLEAR ? STORE_WAIT_UNCLEAR
                                          : STORE_WAIT_QUARANTINE;
}

static int
keep_waiting(struct putting *p, enum store_wait reason, enum outcome outcome, const char *rule,
             struct span text, struct err *e)
{
    struct span marking = {0};
    struct err full = ERR_INIT;

    p->v->outcome = outcome;
    if (reason == STORE_WAIT_MARKING && p->label.unresolved_count > 0)
        marking = p->label.unresolved[0];
    note_add(p->v, rule, "", (struct span){0}, text);
    if (p->way->dry)
        return 0;
    if (pending_keep(p->x, p->b, p->way, p->r->index, p->r, reason, marking, &full) == 0)
        return 0;
    if (full.code == ERR_FULL)
        return refuse(p, "waiting-full", "too much is waiting already; nothing more can wait");
    if (e != NULL)
        *e = full;
    return -1;
}

static struct publish_ask
ask_of(const struct putting *p)
{
    return (struct publish_ask){
        .poster = p->way->asker,
        .asked = p->way->asked,
        .asked_tlp = p->way->label,
        .group = p->way->group,
        .person = p->way->person,
        .way_default = p->x->way_default,
    };
}

/* Where it goes.  1: decided, and it goes nowhere. */
static int
decide_audience(struct putting *p, struct err *e)
{
    struct publish_ask ask = ask_of(p);
    const char *text;

    ask.quarantine = p->way->quarantine;
    ask.released = p->way->released;
    publish_decide(&p->x->cast.rights, &ask, &p->label, &p->pub);
    if (p->pub.rule == PUBLISH_YES)
        return 0;
    text = publish_rule_text(p->pub.rule);
    if (!publish_waits(p->pub.rule))
        return refuse(p, "publish", text) == 0 ? 1 : -1;
    if (keep_waiting(
            p, wait_of(p->pub.rule), OUT_WAITING, "waiting",
            p->pub.rule == PUBLISH_WAIT_UNCLEAR && p->label.unclear_what.n > 0
                ? span_of(arena_printf(p->a, "%s (%.*s)", text, (int)p->label.unclear_what.n,
                                       p->label.unclear_what.p))
                : span_of(text),
            e) != 0)
        return -1;
    return 1;
}

/* -- references -----------------------------------------------------------------------------------
 */

/* Whether it helps to wait for an id that is not seen. */
static bool
may_come(const struct putting *p, struct span id)
{
    uint64_t n;

    if (p->when == PUT_NOW)
        return true;
    return p->when == PUT_LAST && p->b != NULL && map_get(p->b->in_spool, id, &n) && n > 0;
}

/* An edge that could disclose its end: not to itself, and not to an extension that it uses. */
static bool
refers(const struct putting *p, const struct store_edge *edge)
{
    return edge->kind != EDGE_EXTENSION && !span_eq(edge->id, p->facts.id.text);
}

/* Whether it helps to ask again for an end that was looked for in find_missing: what is expected
 * is no end there. */
static bool
may_be_expected(const struct putting *p)
{
    return p->b != NULL && p->b->overlay_count > 0;
}

/* Where the poster sees what a reference names: one after another, with what was found. */
static int
find_end(struct putting *p, size_t i, unsigned want, struct err *e)
{
    const struct audience *list;
    struct seen s;

    if (seen_find(p->x, p->b, &p->way->asker, p->index.edges[i].id, want | SEEN_PLACES, p->a, &s,
                  e) != 0)
        return -1;
    if (s.n == 0)
        return 0;
    list = seen_audiences(&s, p->a);
    if (list == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    p->found[i] = (struct edge_end){list, s.n};
    return 0;
}

/* 1: something that it refers to is not seen and may come; *block says what. */
static int
find_missing(struct putting *p, struct put_block *block, struct err *e)
{
    const struct store_index *ix = &p->index;

    if (ix->edge_count == 0)
        return 0;
    p->found = arena_zero(p->a, ix->edge_count, sizeof *p->found);
    if (p->found == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (p->when == PUT_FINAL)
        return 0;
    for (size_t i = block->resume; i < ix->edge_count; i++) {
        if (!refers(p, &ix->edges[i]) || !may_come(p, ix->edges[i].id))
            continue;
        if (find_end(p, i, 0, e) != 0)
            return -1;
        if (p->found[i].seen_count == 0) {
            *block = (struct put_block){ix->edges[i].id, i};
            return 1;
        }
    }
    return 0;
}

/* Where the poster sees what the object refers to. */
static int
find_ends(struct putting *p, struct err *e)
{
    const struct store_index *ix = &p->index;

    if (ix->edge_count == 0)
        return 0;
    p->ends = arena_zero(p->a, ix->edge_count, sizeof *p->ends);
    p->end_ids = arena_zero(p->a, ix->edge_count, sizeof *p->end_ids);
    if (p->ends == NULL || p->end_ids == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < ix->edge_count; i++) {
        if (!refers(p, &ix->edges[i]))
            continue;
        if ((p->found[i].seen_count == 0 || may_be_expected(p)) &&
            find_end(p, i, SEEN_EXPECTED, e) != 0)
            return -1;
        if (p->found[i].seen_count == 0)
            continue;
        p->ends[p->end_count] = p->found[i];
        p->end_ids[p->end_count++] = ix->edges[i].id;
    }
    return 0;
}

static bool
end_shown(const struct rights *r, const struct audience *target, const struct edge_end *end)
{
    for (size_t i = 0; i < end->seen_count; i++) {
        if (audience_narrower(r, target, &end->seen[i]))
            return true;
    }
    return false;
}

/* Narrows an edge; says of anything else whether it names what its readers may not see.
 * 1: refused. */
static int
check_ends(struct putting *p, struct audience *target, bool edge, struct err *e)
{
    const struct rights *r = &p->x->cast.rights;
    struct audience narrowed;
    struct span *unseen;
    size_t n = 0;

    if (p->end_count == 0)
        return 0;
    if (edge) {
        if (!edge_narrow(r, &p->way->asker, target, p->ends, p->end_count, &narrowed)) {
            refuse(p, "edge-nowhere",
                   "no audience may see both of its ends, and naming one would disclose it");
            return 1;
        }
        if (!audience_same(target, &narrowed))
            note_add(p->v, "edge-narrowed", "", (struct span){0},
                     SPAN("goes to those who may see both of its ends"));
        *target = narrowed;
        return 0;
    }
    unseen = arena_zero(p->a, p->end_count, sizeof *unseen);
    if (unseen == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < p->end_count; i++) {
        if (!end_shown(r, target, &p->ends[i]))
            unseen[n++] = p->end_ids[i];
    }
    if (n == 0)
        return 0;
    p->v->unseen = unseen;
    p->v->unseen_count = n;
    if (p->creator != 0 && p->creator == p->org && !p->way->keep_narrow) {
        for (size_t i = 0; i < n && i < 8; i++)
            note_add(p->v, "reference-narrower", "", (struct span){0}, unseen[i]);
        refuse(p, "reference-narrower", "it names what not all of its readers may see");
        return 1;
    }
    for (size_t i = 0; i < n && i < 8; i++)
        note_add(p->v, "reference-narrower", "", unseen[i],
                 SPAN("names what not all of its readers may see"));
    return 0;
}

struct span
builtin_bytes(struct span id)
{
    const struct stix_builtin *t = stix_builtin_find(id);

    if (span_is(id, EXERCISE_MARK_ID))
        return SPAN(EXERCISE_MARK_BYTES);
    return t != NULL && t->bytes != NULL ? span_of(t->bytes) : (struct span){0};
}

/* -- rows -----------------------------------------------------------------------------------------
 */

/* Looking for the same bytes in an audience, whoever sees it. */
struct unseen {
    const struct hash *hash;
    uint32_t audience;
    uint64_t p;
    bool found;
};

static int
look_unseen(void *ctx, const struct store_held *h, struct err *e)
{
    struct unseen *u = ctx;

    (void)e;
    if (h->erased || h->audience != u->audience || !hash_eq(&h->hash, u->hash))
        return 0;
    u->found = true;
    u->p = h->p;
    return 1;
}

/* 1: the same bytes stand there, as publication *p (0: of this transaction). */
static int
stands_in(struct exchange *x, struct span id, const struct hash *hash,
          const struct audience *target, uint64_t *p, struct err *e)
{
    struct unseen u = {.hash = hash};

    for (size_t i = 0; i < x->cast.audience_count && u.audience == 0; i++) {
        if (audience_same(&x->cast.audiences[i], target))
            u.audience = x->cast.audiences[i].number;
    }
    if (u.audience == 0)
        return 0;
    if (store_held_each(x->store, id, false, look_unseen, &u, e) < 0)
        return -1;
    *p = u.p;
    return u.found;
}

/* What another organisation owns goes along only where its readers have it, or fewer. */
static int
may_go_along(struct putting *p, const struct stix_facts *def, const struct seen *s,
             const struct audience *target, struct err *e)
{
    uint32_t creator = 0;

    if (def->created_by.n == 0)
        return 1;
    if (store_bound(p->x->store, def->created_by, &creator, e) < 0)
        return -1;
    if (creator == 0 || creator == p->org)
        return 1;
    for (size_t i = 0; i < s->n; i++) {
        if (audience_narrower(&p->x->cast.rights, target, &s->said[i].audience))
            return 1;
    }
    return 0;
}

/* A definition that the object uses goes along into its audience. */
static int
along_put(struct putting *p, const struct stix_facts *facts, struct span bytes,
          const struct hash *hash, bool owner, const struct audience *target, struct err *e)
{
    struct put_plain plain = {
        .facts = facts,
        .bytes = bytes,
        .hash = hash,
        .audience = target,
        .confidence = -1,
        .owner = owner,
        .batch = way_batch(p->b, p->way),
    };
    struct overlay o = {.audience = *target, .hash = *hash, .bytes = bytes};
    struct store_index index = {0};

    if (p->way->dry)
        return overlay_add(p->b, facts->id.text, &o, e);
    if (index_rows(p->x, bytes, p->a, &index, e) != 0)
        return -1;
    plain.index = &index;
    return put_row_plain(p->x, &plain, NULL, e);
}

static int
along_one(struct putting *p, struct span id, const struct audience *target, struct err *e)
{
    struct stix_facts facts;
    struct hash hash;
    struct seen s;
    uint64_t at;
    int rc;

    if (seen_find(p->x, p->b, &p->way->asker, id, SEEN_BYTES, p->a, &s, e) != 0)
        return -1;
    for (size_t i = 0; i < s.n; i++) {
        if (audience_same(&s.said[i].audience, target))
            return 0;
    }
    if (s.bytes.n == 0)
        s.bytes = builtin_bytes(id);
    if (s.bytes.n == 0)
        return p->b != NULL ? batch_want(p->b, id, target, e) : 0;
    hash_sha256(s.bytes, &hash);
    rc = stands_in(p->x, id, &hash, target, &at, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (stix_facts_read(s.bytes, p->a, &facts, e) != 0)
        return -1;
    rc = may_go_along(p, &facts, &s, target, e);
    if (rc <= 0)
        return rc;
    return along_put(p, &facts, s.bytes, &hash, s.n > 0 && s.owner[0], target, e);
}

static int
along(struct putting *p, const struct audience *target, struct err *e)
{
    const struct stix_facts *f = &p->facts;

    for (size_t i = 0; i < f->marking_count + f->ext_count; i++) {
        struct span id = i < f->marking_count ? f->markings[i].id : f->exts[i - f->marking_count];
        bool fresh = true;

        if (!stix_id_is_marking(id) && !stix_id_is_extension(id))
            continue;
        if (p->b != NULL && batch_went_along(p->b, id, target, &fresh, e) != 0)
            return -1;
        if (fresh && along_one(p, id, target, e) != 0)
            return -1;
    }
    return 0;
}

static int
put_defects(struct putting *p, size_t at, struct err *e)
{
    const struct intake_result *r = p->r;
    struct store_note *notes;

    if (r->defect_count == 0)
        return 0;
    notes = arena_zero(p->a, r->defect_count, sizeof *notes);
    if (notes == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < r->defect_count; i++)
        notes[i] = (struct store_note){r->defects[i].pointer, r->defects[i].rule,
                                       r->defects[i].clause, r->defects[i].text};
    return store_defects_put(p->x->store, at, notes, r->defect_count, e);
}

/* Whether bytes of the same hash that the poster sees rank as the creator's own. */
static bool
owner_of(const struct putting *p, const struct say *say)
{
    if (say->rule == SAY_RULE_CREATOR)
        return true;
    for (size_t i = 0; i < p->seen.n; i++) {
        if (p->seen.owner[i] && hash_eq(&p->seen.said[i].hash, &p->r->hash))
            return true;
    }
    return false;
}

/* What stands there already is not stored twice.  The poster is told what he would be told
 * otherwise: the outcome is decided, and his readers there have it.  1: it stands. */
static int
stands_unseen(struct putting *p, const struct audience *target, struct err *e)
{
    const struct view *v;
    uint64_t at = 0;
    int rc;

    if (p->way->dry)
        return 0;
    if (view_of(p->x, &p->way->asker, 0, &v, e) != 0)
        return -1;
    for (size_t i = 0; i < p->x->cast.audience_count; i++) {
        if (audience_same(&p->x->cast.audiences[i], target) &&
            view_has(v, p->x->cast.audiences[i].number))
            return 0;
    }
    rc = stands_in(p->x, p->facts.id.text, &p->r->hash, target, &at, e);
    if (rc == 1 && at != 0 && p->b != NULL &&
        store_known_put(p->x->store, at, p->b->number, e) != 0)
        return -1;
    return rc;
}

static int
put_target(struct putting *p, const struct audience *target, const struct say *say, struct err *e)
{
    struct put_plain plain = {
        .facts = &p->facts,
        .bytes = p->r->canonical,
        .hash = &p->r->hash,
        .index = &p->index,
        .audience = target,
        .confidence = p->r->found.confidence,
        .owner = owner_of(p, say),
        .batch = way_batch(p->b, p->way),
    };
    bool keep = stix_id_is_marking(p->facts.id.text) || stix_id_is_extension(p->facts.id.text);
    struct overlay o = {
        .audience = *target,
        .hash = p->r->hash,
        .modified = p->facts.modified.at,
        .owner = plain.owner,
        .bytes = keep ? p->r->canonical : (struct span){0},
    };
    size_t at;
    int stands;

    if (along(p, target, e) != 0)
        return -1;
    stands = stands_unseen(p, target, e);
    if (stands != 0)
        return stands < 0 ? -1 : 0;
    if (p->way->dry)
        return overlay_add(p->b, p->facts.id.text, &o, e);
    if (put_row_plain(p->x, &plain, &at, e) != 0)
        return -1;
    return put_defects(p, at, e);
}

/* The batch that stored what is known learns, at an undo, of those who relied on it. */
static int
note_known(struct putting *p, const struct audience *target, struct err *e)
{
    if (p->b == NULL || p->way->dry)
        return 0;
    for (size_t i = 0; i < p->seen.n; i++) {
        if (p->seen.p[i] != 0 && p->seen.batch[i] != p->b->number &&
            audience_same(&p->seen.said[i].audience, target) &&
            hash_eq(&p->seen.said[i].hash, &p->r->hash))
            return store_known_put(p->x->store, p->seen.p[i], p->b->number, e);
    }
    return 0;
}

static enum outcome
outcome_of(const struct putting *p, enum say_outcome o)
{
    bool defect = p->r->class == INTAKE_DEFECT;

    switch (o) {
    case SAY_NEW:
        return defect ? OUT_DEFECT : OUT_NEW;
    case SAY_NEW_VERSION:
        return defect ? OUT_DEFECT : OUT_NEW_VERSION;
    case SAY_KNOWN:
        return OUT_KNOWN;
    case SAY_VARIANT:
        return OUT_VARIANT;
    case SAY_COPY:
        return OUT_COPY;
    case SAY_PROPOSAL:
        return OUT_PROPOSAL;
    case SAY_WAITING:
        return OUT_WAITING;
    case SAY_REFUSED:
        break;
    }
    return OUT_REFUSED;
}

/* An id that another organisation is seen to own stays its own, whatever creator other bytes name
 * for it, or none. */
static void
owned_by_other(struct putting *p)
{
    uint32_t other = 0;

    for (size_t i = 0; i < p->seen.n; i++) {
        if (p->seen.creator[i] == p->org && p->org != 0)
            return;
        if (other == 0)
            other = p->seen.creator[i];
    }
    if (other != 0)
        p->creator = other;
}

/* One target.  first: its outcome is the object's. */
static int
say_target(struct putting *p, struct audience target, bool first, struct err *e)
{
    struct verdict_item *v = p->v;
    enum outcome outcome = first ? OUT_REFUSED : v->outcome;
    bool edge = p->facts.class == STIX_SRO;
    struct say_ask ask;
    struct say say;
    int rc;

    rc = check_ends(p, &target, edge, e);
    if (rc != 0) {
        v->outcome = outcome; /* of the first, where this is not */
        return rc < 0 ? -1 : 0;
    }
    for (size_t i = 0; i < v->target_count; i++) {
        if (audience_same(&v->targets[i], &target)) /* both were narrowed to it */
            return 0;
    }
    ask = (struct say_ask){
        .rights = &p->x->cast.rights,
        .poster = p->way->asker,
        .publisher = ORG_SELF,
        .creator = p->creator,
        .observable = !put_is_versioned(&p->facts) && p->facts.created.text.p == NULL,
        .hash = p->r->hash,
        .modified = put_is_versioned(&p->facts) ? p->facts.modified.at : p->facts.created.at,
        .target = target,
        .seen = p->seen.said,
        .seen_count = p->seen.n,
    };
    say = say_decide(&ask);
    if (first)
        v->outcome = outcome_of(p, say.outcome);
    switch (say.outcome) {
    case SAY_KNOWN:
        return note_known(p, &target, e);
    case SAY_PROPOSAL:
        return first ? keep_waiting(p, STORE_WAIT_PROPOSAL, OUT_PROPOSAL, "proposal",
                                    span_of(say_rule_text(say.rule)), e)
                     : 0;
    case SAY_WAITING:
        return first ? keep_waiting(p, STORE_WAIT_RELAXED, OUT_WAITING, "waiting",
                                    span_of(say_rule_text(say.rule)), e)
                     : 0;
    case SAY_REFUSED:
        return first ? refuse(p, "say", say_rule_text(say.rule)) : 0;
    default:
        break;
    }
    v->targets[v->target_count++] = target;
    return put_target(p, &target, &say, e);
}

/* Objects of earlier batches that use an extension whose definition comes only now. */
static int
serve_users(struct putting *p, struct err *e)
{
    struct store_find_ask ask = {.limit = USERS_PAGE};
    struct store_find_end end = {.more = true};
    struct map *served = map_new(USERS_PAGE * USERS_PAGES);
    int rc = -1;

    if (served == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (unsigned page = 0; page < USERS_PAGES && end.more; page++) {
        struct kept k = {.a = p->a};

        if (view_of(p->x, &p->way->asker, 0, &ask.view, e) != 0 ||
            store_related(p->x->store, &ask, p->facts.id.text, EDGE_EXTENSION, keep_item, &k, &end,
                          e) != 0)
            goto out;
        ask.before_us = end.next_us;
        for (size_t i = 0; i < k.n; i++) {
            const struct audience *a = cast_audience(&p->x->cast, k.items[i].audience);
            uint32_t number = k.items[i].audience;
            int put = map_put(served, span_from(&number, sizeof number), 1, NULL);

            if (put < 0) {
                err_set(e, ERR_MEMORY, "out of memory");
                goto out;
            }
            if (put == 1 && a != NULL && along_one(p, p->facts.id.text, a, e) != 0)
                goto out;
        }
    }
    rc = 0;
out:
    map_free(served);
    return rc;
}

/* A definition has come: it goes to the audiences that use it already. */
static int
serve_wants(struct putting *p, struct err *e)
{
    struct span id = p->facts.id.text;
    uint64_t at = 0;

    if (p->v->target_count == 0)
        return 0;
    if (p->b != NULL && map_get(p->b->wanted, id, &at)) {
        for (; at != 0; at = p->b->wants[at - 1].next) {
            if (along_one(p, id, &p->b->wants[at - 1].audience, e) != 0)
                return -1;
        }
        map_del(p->b->wanted, id);
    }
    return stix_id_is_extension(id) && !p->way->dry ? serve_users(p, e) : 0;
}

/* -- the whole ------------------------------------------------------------------------------------
 */

static int
index_of(struct putting *p, struct err *e)
{
    const struct intake_result *r = p->r;
    struct span *values, *rules;
    size_t n = 0;

    if (p->indexed)
        return 0;
    values = arena_zero(p->keep, r->found.value_count + 1, sizeof *values);
    rules = arena_zero(p->keep, r->defect_count + 1, sizeof *rules);
    if (values == NULL || rules == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < r->found.value_count; i++)
        values[i] = r->found.values[i].key;
    for (size_t i = 0; i < r->defect_count; i++) {
        size_t k = 0;

        while (k < n && !span_eq(rules[k], r->defects[i].rule))
            k++;
        if (k == n)
            rules[n++] = r->defects[i].rule;
    }
    p->index.values = values;
    p->index.value_count = r->found.value_count;
    p->index.labels = r->found.labels;
    p->index.label_count = r->found.label_count;
    p->index.defects = rules;
    p->index.defect_count = n;
    p->index.texts = r->found.texts; /* of what waited here; what comes in has trigrams instead */
    p->index.text_count = r->found.text_count;
    p->index.grams = r->grams;
    p->index.gram_count = r->gram_count;
    if (index_edges(&p->facts, p->keep, &p->index, e) != 0)
        return -1;
    p->indexed = true;
    return 0;
}

static void
note_defects(struct putting *p)
{
    for (size_t i = 0; i < p->r->defect_count && p->v->note_count < NOTES_MAX - 16; i++)
        p->v->notes[p->v->note_count++] =
            (struct store_note){p->r->defects[i].pointer, p->r->defects[i].rule,
                                p->r->defects[i].clause, p->r->defects[i].text};
    p->v->defect_notes = p->v->note_count;
    p->v->broken = p->r->class == INTAKE_DEFECT;
}

/* What can be said before anything is looked up.  1: decided. */
static int
first_look(struct putting *p, struct err *e)
{
    struct marking_meaning builtin;
    struct err bad = ERR_INIT;

    p->v->id = p->r->id;
    note_defects(p);
    if (p->r->class == INTAKE_REFUSED || (p->r->class == INTAKE_DEFECT && p->way->strict)) {
        p->v->outcome = OUT_REFUSED;
        return 1;
    }
    if (!p->looked && stix_facts_read(p->r->canonical, p->keep, &p->facts, &bad) != 0) {
        if (bad.code == ERR_MEMORY) {
            *e = bad;
            return -1;
        }
        refuse(p, "bytes", bad.text);
        return 1;
    }
    p->looked = true;
    p->v->id = p->facts.id.text;
    if (stix_facts_version(&p->facts) != NULL)
        p->v->version = stix_facts_version(&p->facts)->text;
    if (p->r->duplicate) {
        p->v->outcome = OUT_DUPLICATE;
        return 1;
    }
    if (marking_builtin(p->facts.id.text, &builtin)) {
        p->v->outcome = OUT_KNOWN; /* every node has it, and its own bytes stand */
        return 1;
    }
    return 0;
}

/* 1: a marking that it cannot do without may still come. */
static bool
awaits_marking(const struct putting *p, struct put_block *block)
{
    for (size_t i = 0; i < p->label.unresolved_count; i++) {
        if (may_come(p, p->label.unresolved[i])) {
            block->id = p->label.unresolved[i];
            return true;
        }
    }
    return false;
}

struct putting *
put_new(struct exchange *x, struct batch *b, const struct way *way, const struct intake_result *r,
        struct arena *keep, struct err *e)
{
    struct putting *p = arena_zero(keep, 1, sizeof *p);

    if (p == NULL) {
        (void)err_set(e, ERR_MEMORY, "out of memory");
        return NULL;
    }
    *p = (struct putting){.x = x, .b = b, .way = way, .r = r, .a = x->commit->arena, .keep = keep};
    return p;
}

int
put_expect(struct exchange *x, struct batch *b, const struct intake_result *r, struct err *e)
{
    struct putting *p = put_new(x, b, &b->way, r, x->commit->arena, e);
    struct verdict_item *v = arena_zero(x->commit->arena, 1, sizeof *v);
    struct publish_ask ask;
    int rc;

    if (p == NULL)
        return -1;
    if (v == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    p->v = v;
    p->when = PUT_FINAL;
    rc = first_look(p, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (label_read(&p->facts, resolve, p, p->a, &p->label, e) != 0)
        return -1;
    ask = ask_of(p);
    publish_decide(&x->cast.rights, &ask, &p->label, &p->pub);
    if (p->pub.rule != PUBLISH_YES)
        return 0;
    for (size_t i = 0; i < p->pub.count; i++) {
        struct overlay o = {.audience = p->pub.targets[i], .hash = r->hash, .expected = true};

        if (overlay_add(b, p->facts.id.text, &o, e) != 0)
            return -1;
    }
    return 0;
}

/* What an earlier look at it found that may be otherwise now. */
static void
look_anew(struct putting *p, enum put_when when, struct verdict_item *v)
{
    const struct right_principal *poster;

    v->note_count = v->target_count = v->unseen_count = v->seen_count = 0;
    p->v = v;
    p->when = when;
    p->label = (struct label){0};
    p->pub = (struct publish){0};
    p->creator = 0;
    p->seen = (struct seen){0};
    p->found = p->ends = NULL;
    p->end_ids = NULL;
    p->end_count = 0;
    poster = rights_principal(&p->x->cast.rights, p->way->asker.principal);
    p->org = poster != NULL ? poster->org : 0;
}

int
put_go(struct putting *p, enum put_when when, enum put_done *done, struct put_block *block,
       struct verdict_item *v, struct err *e)
{
    const struct way *way = p->way;
    int rc;

    *done = PUT_DONE;
    look_anew(p, when, v);
    rc = first_look(p, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (label_read(&p->facts, resolve, p, p->a, &p->label, e) != 0)
        return -1;
    if (way->decided) {
        p->label.unresolved_count = 0;
        p->label.unclear = false;
    }
    if (awaits_marking(p, block)) {
        *done = PUT_SPOOL;
        return 0;
    }
    rc = decide_audience(p, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (index_of(p, e) != 0)
        return -1;
    rc = find_missing(p, block, e);
    if (rc != 0) {
        *done = PUT_SPOOL;
        return rc < 0 ? -1 : 0;
    }
    if (find_ends(p, e) != 0)
        return -1;
    if (p->facts.created_by.n > 0 &&
        store_bound(p->x->store, p->facts.created_by, &p->creator, e) < 0)
        return -1;
    if (seen_find(p->x, p->b, &way->asker, p->facts.id.text, 0, p->a, &p->seen, e) != 0)
        return -1;
    owned_by_other(p);
    for (size_t i = 0; i < p->pub.count; i++) {
        if (i > 0 &&
            (v->outcome == OUT_REFUSED || v->outcome == OUT_WAITING || v->outcome == OUT_PROPOSAL))
            break;
        if (say_target(p, p->pub.targets[i], i == 0, e) != 0)
            return -1;
    }
    v->seen = way->dry ? seen_audiences(&p->seen, p->a) : NULL;
    v->seen_count = v->seen != NULL ? p->seen.n : 0;
    return serve_wants(p, e);
}

int
put_object(struct exchange *x, struct batch *b, const struct way *way,
           const struct intake_result *r, enum put_when when, enum put_done *done,
           struct put_block *block, struct verdict_item *v, struct err *e)
{
    struct putting *p = put_new(x, b, way, r, x->commit->arena, e);

    *done = PUT_DONE;
    return p != NULL ? put_go(p, when, done, block, v, e) : -1;
}
