/* tests/exchange/leak_say.c - the model's second half: who may say what, and where it goes. */
#include "leak_model.h"

#include <stdlib.h>
#include <string.h>

const char *
m_outcome_name(enum m_outcome o)
{
    static const char *const names[] = {
        "?",    "new",      "new version", "known",   "variant",
        "copy", "proposal", "waiting",     "refused", "kept with defect"};

    return names[o];
}

/* -- who may post ---------------------------------------------------------------------------------
 */

static bool
poster(const struct model *m, const struct m_asker *k, struct m_who *out)
{
    struct m_who p;

    if (!m_in_force(m, k->who, &p))
        return false;
    if (k->channel == M_BY_LOCAL ? p.kind != M_OPERATOR
        : k->channel == M_BY_SESSION
            ? p.kind != M_PERSON
            : k->channel != M_BY_TOKEN || (p.kind != M_PERSON && p.kind != M_TOKEN))
        return false;
    if (p.kind == M_TOKEN && !p.write)
        return false;
    if (!(p.roles & M_ANALYST) || (k->exercise && !p.exercise))
        return false;
    *out = p;
    return true;
}

bool
m_may_post(const struct model *m, const struct m_asker *k)
{
    struct m_who p;

    return poster(m, k, &p);
}

static bool
serves(const struct model *m, int member, int constituent)
{
    return m->orgs[constituent].kind == M_CONSTITUENT && m->orgs[constituent].member == member;
}

bool
m_may_publish(const struct model *m, const struct m_asker *k, const struct m_aud *a)
{
    const struct m_group *g = &m->groups[a->group];
    const struct m_gen *gen = &m->gens[a->gen];
    struct m_who p, to;

    if (!poster(m, k, &p) || a->exercise != k->exercise)
        return false;
    if (a->label > p.ceiling || a->label > k->listener)
        return false;
    if (a->label == M_RED) {
        if (!m_in_force(m, a->person, &to) || to.kind != M_PERSON || !(to.roles & M_READER) ||
            to.ceiling < M_RED || (k->exercise && !to.exercise))
            return false;
        return (p.roles & M_PUBLISHER) || to.org == p.org;
    }
    if (g->kind == M_NO_GROUP || g->closed || gen->group != a->group ||
        (p.only_group != 0 && p.only_group != a->group))
        return false;
    if (g->kind == M_ORG_GROUP && g->org == p.org)
        return true;
    if (!(p.roles & M_PUBLISHER))
        return false;
    if (g->kind == M_PUBLIC)
        return a->label == M_CLEAR;
    if (g->kind == M_ORG_GROUP)
        return serves(m, p.org, g->org) || serves(m, g->org, p.org);
    if (gen->in[p.org])
        return true;
    return g->kind == M_REGION && m->orgs[p.org].kind == M_CONSTITUENT &&
           gen->in[m->orgs[p.org].member];
}

bool
m_may_erase(const struct model *m, const struct m_asker *k, const struct m_row *r)
{
    int creator = m->contents[r->content].creator;
    struct m_who p;

    return poster(m, k, &p) && (r->org == p.org || (creator != 0 && creator == p.org));
}

/* -- narrower -------------------------------------------------------------------------------------
 */

static bool
org_reads(const struct model *m, const struct m_aud *a, int org)
{
    const struct m_gen *g = &m->gens[a->gen];

    if (g->in[org])
        return true;
    return a->label <= M_GREEN && m->orgs[org].kind == M_CONSTITUENT && g->in[m->orgs[org].member];
}

static bool
is_public(const struct model *m, const struct m_aud *a)
{
    return a->label == M_CLEAR && m->groups[a->group].kind == M_PUBLIC;
}

/* All who may read a may read b, and a is as strict. */
bool
m_narrower(const struct model *m, const struct m_aud *a, const struct m_aud *b)
{
    if (a->exercise != b->exercise || a->label < b->label)
        return false;
    if (m_same(a, b))
        return true;
    if (a->label == M_RED) {
        struct m_asker k = {a->person, M_BY_SESSION, M_RED, b->exercise};

        return m_reads(m, &k, b);
    }
    if (is_public(m, b))
        return true;
    if (is_public(m, a) || b->label == M_RED)
        return false;
    for (int o = 1; o < M_ORGS; o++) {
        if (m->orgs[o].kind != M_NO_ORG && org_reads(m, a, o) && !org_reads(m, b, o))
            return false;
    }
    return true;
}

/* -- labels ---------------------------------------------------------------------------------------
 */

struct labelled {
    int label; /* -1: none */
    int missing;
};

/* The strictest; markings that are not built in count by what the poster sees of them. */
static struct labelled
label_of(const struct model *m, const struct m_way *way, const struct m_content *c)
{
    struct labelled l = {c->label, 0};

    for (int i = 0; i < c->mark_n; i++) {
        const struct m_id *id = &m->ids[c->marks[i]];

        if (id->builtin)
            continue;
        if (!m_sees(m, &way->asker, 0, c->marks[i])) {
            if (l.missing == 0)
                l.missing = c->marks[i];
        } else if (id->means > l.label) {
            l.label = id->means;
        }
    }
    return l;
}

/* The label that counts, by what is said and what is asked. */
static int
label_for(const struct model *m, const struct m_way *way, int said)
{
    int way_default = m->way_default;

    if (said >= 0)
        return way->asked > said ? way->asked : said;
    if (way->asked < 0)
        return way_default;
    if (way->asker.channel == M_BY_LOCAL)
        return way->asked;
    return way->asked > way_default ? way->asked : way_default;
}

/* -- where it goes --------------------------------------------------------------------------------
 */

struct plan {
    enum m_outcome stop; /* M_OUT_REFUSED or M_OUT_WAITING; else 0 */
    int reason, marking;
    struct m_aud targets[M_TARGETS];
    int n;
};

static struct m_aud
of_group(const struct model *m, int group, int label, bool exercise)
{
    return (struct m_aud){label, group, m->groups[group].gen, 0, exercise};
}

static struct plan
stop(enum m_outcome o, int reason, int marking)
{
    return (struct plan){.stop = o, .reason = reason, .marking = marking};
}

static struct m_aud
asked_audience(const struct model *m, const struct m_way *way, const struct m_who *p, int label,
               bool exercise)
{
    int group = m->orgs[p->org].own_group;

    if (label == M_RED)
        return (struct m_aud){M_RED, 0, 0, way->person != 0 ? way->person : way->asker.who,
                              exercise};
    if (way->group != 0)
        group = way->group;
    else if (p->roles & M_PUBLISHER)
        group = label == M_CLEAR ? 1 : label == M_GREEN ? 2 : group;
    return of_group(m, group, label, exercise);
}

static struct plan
plan_of(const struct model *m, const struct m_way *way, const struct m_content *c)
{
    struct labelled l = label_of(m, way, c);
    struct plan out = {0};
    struct m_who p;
    int label, own;

    if (!poster(m, &way->asker, &p) || c->exercise != way->asker.exercise)
        return stop(M_OUT_REFUSED, 0, 0);
    if (!way->decided && l.missing != 0)
        return stop(M_OUT_WAITING, M_WAIT_MARKING, l.missing);
    if (!way->decided && c->unclear)
        return stop(M_OUT_WAITING, M_WAIT_UNCLEAR, 0);
    label = label_for(m, way, l.label);
    if (label == M_RED && way->person == 0 &&
        (p.kind != M_PERSON || way->asker.channel != M_BY_SESSION))
        return stop(M_OUT_REFUSED, 0, 0);
    out.targets[out.n++] = asked_audience(m, way, &p, label, c->exercise);
    if (!m_may_publish(m, &way->asker, &out.targets[0]))
        return stop(M_OUT_REFUSED, 0, 0);
    own = m->orgs[m->orgs[p.org].member].own_group;
    if (m->orgs[p.org].kind == M_CONSTITUENT && label != M_RED && own != out.targets[0].group)
        out.targets[out.n++] = of_group(m, own, label, c->exercise);
    if (!way->released && (way->quarantine || p.quarantine)) {
        out.stop = M_OUT_WAITING;
        out.reason = M_WAIT_QUARANTINE;
    }
    return out;
}

/* -- references -----------------------------------------------------------------------------------
 */

/* Whether all readers of a see id by something that the poster sees.  Hidden and absent are one:
 * what the poster does not see narrows nothing. */
static bool
shown_to(const struct model *m, const struct m_way *way, const struct m_aud *a, int id)
{
    bool seen = false;
    int64_t us;

    for (int i = m->ids[id].first; i != 0; i = m->rows[i - 1].next) {
        const struct m_row *r = &m->rows[i - 1];

        if (r->erase || !m_date(m, &way->asker, r, &us))
            continue;
        seen = true;
        if (m_narrower(m, a, &r->aud))
            return true;
    }
    return !seen;
}

static bool
ends_shown(const struct model *m, const struct m_way *way, const struct m_content *c,
           const struct m_aud *a)
{
    for (int i = 0; i < c->ref_n; i++) {
        if (c->refs[i] != c->id && !shown_to(m, way, a, c->refs[i]))
            return false;
    }
    return true;
}

struct best {
    struct m_aud list[64];
    int n, members;
};

static int
member_count(const struct model *m, const struct m_aud *a)
{
    int n = 0;

    if (is_public(m, a))
        return 1000;
    for (int o = 1; a->label != M_RED && o < M_ORGS; o++)
        n += m->gens[a->gen].in[o];
    return n;
}

static void
try_audience(const struct model *m, const struct m_way *way, const struct m_content *c,
             const struct m_aud *target, struct m_aud a, struct best *b)
{
    int members;

    if (!m_may_publish(m, &way->asker, &a) || !m_narrower(m, &a, target) ||
        !ends_shown(m, way, c, &a))
        return;
    members = member_count(m, &a);
    if (b->n > 0 &&
        (a.label > b->list[0].label || (a.label == b->list[0].label && members < b->members)))
        return;
    if (b->n > 0 && (a.label < b->list[0].label || members > b->members))
        b->n = 0;
    b->members = members;
    if (b->n < 64)
        b->list[b->n++] = a;
}

static void
try_group(const struct model *m, const struct m_way *way, const struct m_content *c,
          const struct m_aud *target, int group, struct best *b)
{
    for (int t = target->label; t < M_RED; t++)
        try_audience(m, way, c, target, of_group(m, group, t, target->exercise), b);
}

static bool
stands_already(const struct model *m, int content, const struct m_aud *a)
{
    for (int i = m->ids[m->contents[content].id].first; i != 0; i = m->rows[i - 1].next) {
        const struct m_row *r = &m->rows[i - 1];

        if (!r->erase && !r->gone && r->content == content && m_same(&r->aud, a))
            return true;
    }
    return false;
}

/* An edge is narrowed to where its poster sees both ends.  false: nowhere. */
static bool
narrow_edge(const struct model *m, const struct m_way *way, int content, struct m_aud *target)
{
    const struct m_content *c = &m->contents[content];
    struct best b = {.n = 0};
    struct m_who p;
    int64_t us;

    if (ends_shown(m, way, c, target))
        return true;
    try_group(m, way, c, target, target->group, &b);
    for (int i = 0; i < c->ref_n; i++) {
        for (int j = c->refs[i] == c->id ? 0 : m->ids[c->refs[i]].first; j != 0;
             j = m->rows[j - 1].next) {
            const struct m_row *r = &m->rows[j - 1];

            if (r->erase || !m_date(m, &way->asker, r, &us))
                continue;
            if (r->aud.label == M_RED)
                try_audience(m, way, c, target, r->aud, &b);
            else
                try_group(m, way, c, target, r->aud.group, &b);
        }
    }
    if (m_in_force(m, way->asker.who, &p))
        try_group(m, way, c, target, m->orgs[p.org].own_group, &b);
    if (b.n == 0)
        return false;
    *target = b.list[0];
    for (int i = b.n - 1; i >= 0; i--) { /* of equals the first that was taken just now */
        if (m->stands(m->stands_ctx, content, &b.list[i]) &&
            (!stands_already(m, content, &b.list[i]) || stands_already(m, content, target)))
            *target = b.list[i];
    }
    return true;
}

/* -- what it is to those that are seen ------------------------------------------------------------
 */

struct sight {
    int rows[4000];
    int n;
};

static void
look(const struct model *m, const struct m_way *way, int id, struct sight *s)
{
    int64_t us;

    s->n = 0;
    for (int i = m->ids[id].first; i != 0; i = m->rows[i - 1].next) {
        const struct m_row *r = &m->rows[i - 1];

        if (!r->erase && s->n < 4000 && m_date(m, &way->asker, r, &us))
            s->rows[s->n++] = i - 1;
    }
}

/* A member releases AMBER that it got as a member of the group to its own constituent. */
static bool
releases(const struct model *m, int org, const struct m_aud *from, const struct m_aud *to)
{
    const struct m_group *g = &m->groups[to->group];

    return from->label == M_AMBER && to->label >= M_AMBER && to->label != M_RED &&
           from->exercise == to->exercise && g->kind == M_ORG_GROUP && serves(m, org, g->org) &&
           m->gens[from->gen].in[org];
}

static enum m_outcome
copy_or_proposal(const struct model *m, int org, const struct sight *s, int content,
                 const struct m_aud *target)
{
    bool has = false, may = false;

    for (int i = 0; i < s->n; i++) {
        const struct m_row *r = &m->rows[s->rows[i]];

        if (r->content != content)
            continue;
        has = true;
        may = may || m_narrower(m, target, &r->aud) || releases(m, org, &r->aud, target);
    }
    return !has ? M_OUT_PROPOSAL : may ? M_OUT_COPY : M_OUT_REFUSED;
}

/* Laxer than the newest that the poster sees; what has no versions, than the same bytes. */
static bool
relaxed(const struct model *m, const struct sight *s, int content, const struct m_aud *target)
{
    const struct m_content *c = &m->contents[content];
    int64_t newest = INT64_MIN;
    int label = -1;

    for (int i = 0; i < s->n; i++) {
        const struct m_row *r = &m->rows[s->rows[i]];
        int64_t at = c->sco ? 0 : m->contents[r->content].modified_us;

        if (c->sco && r->content != content)
            continue;
        if (at > newest || (at == newest && r->aud.label < label)) {
            newest = at;
            label = r->aud.label;
        }
    }
    return label >= 0 && target->label < label;
}

/* Whose the id is to the poster: another's that he sees own it, unless he does himself. */
static int
owner_seen(const struct model *m, int org, const struct sight *s, int named)
{
    int other = 0;

    for (int i = 0; i < s->n; i++) {
        const struct m_row *r = &m->rows[s->rows[i]];
        const struct m_content *c = &m->contents[r->content];

        if (!r->owner || !c->versioned)
            continue;
        if (c->creator == org)
            return named;
        if (other == 0)
            other = c->creator;
    }
    return other != 0 ? other : named;
}

static enum m_outcome
decide(const struct model *m, const struct m_way *way, int org, const struct sight *s, int content,
       const struct m_aud *target)
{
    const struct m_content *c = &m->contents[content];
    int creator = owner_seen(m, org, s, c->creator);
    bool same = false, sibling = false;

    for (int i = 0; i < s->n; i++) {
        const struct m_row *r = &m->rows[s->rows[i]];

        if (r->content == content && m_same(&r->aud, target))
            return M_OUT_KNOWN;
        same = same || r->content == content;
        sibling = sibling || c->sco || m->contents[r->content].modified_us == c->modified_us;
    }
    if (creator != 0 && creator != org)
        return copy_or_proposal(m, org, s, content, target);
    if (way->asker.channel != M_BY_LOCAL && relaxed(m, s, content, target))
        return M_OUT_WAITING;
    return s->n == 0 ? M_OUT_NEW : same ? M_OUT_COPY : sibling ? M_OUT_VARIANT : M_OUT_NEW_VERSION;
}

/* -- the whole ------------------------------------------------------------------------------------
 */

static void
wait_for(struct model *m, const struct m_way *way, int content, int reason, int marking,
         uint64_t batch)
{
    if (m->pending_n == m->pending_cap) {
        m->pending_cap = m->pending_cap == 0 ? 256 : m->pending_cap * 2;
        m->pending = realloc(m->pending, (size_t)m->pending_cap * sizeof *m->pending);
        if (m->pending == NULL)
            abort();
    }
    m->pending[m->pending_n++] = (struct m_pending){true, content, *way, reason, marking, batch};
}

static bool
ranks_as_owner(const struct model *m, int org, const struct sight *s, int content)
{
    if (m->contents[content].creator != 0 && m->contents[content].creator == org)
        return true;
    for (int i = 0; i < s->n; i++) {
        if (m->rows[s->rows[i]].content == content && m->rows[s->rows[i]].owner)
            return true;
    }
    return false;
}

static void
add_row(struct model *m, const struct m_way *way, int org, int content, const struct m_aud *a,
        uint64_t batch, bool owner, int64_t now_us)
{
    struct m_row *r = m_row_add(m, content, a);

    r->org = org;
    r->who = way->asker.who;
    r->batch = batch;
    r->owner = owner;
    r->arrival_us = now_us + 1000000; /* until the store says which */
}

/* Definitions go along into every audience that uses them. */
static void
go_along(struct model *m, const struct m_way *way, int org, int content, const struct m_aud *a,
         uint64_t batch, int64_t now_us)
{
    for (int i = 0; i < m->contents[content].mark_n; i++) {
        int bytes = m->ids[m->contents[content].marks[i]].bytes;

        if (bytes != 0 && !stands_already(m, bytes, a))
            add_row(m, way, org, bytes, a, batch, false, now_us);
    }
}

static enum m_outcome
say_one(struct model *m, const struct m_way *way, int org, const struct sight *s, int content,
        struct m_aud *target, uint64_t batch, int64_t now_us)
{
    const struct m_content *c = &m->contents[content];
    enum m_outcome o;

    if (c->edge && !narrow_edge(m, way, content, target))
        return M_OUT_REFUSED;
    if (!c->edge && org != 0 && owner_seen(m, org, s, c->creator) == org && !way->keep_narrow &&
        !ends_shown(m, way, c, target))
        return M_OUT_REFUSED;
    o = decide(m, way, org, s, content, target);
    if (o == M_OUT_KNOWN || o == M_OUT_PROPOSAL || o == M_OUT_WAITING || o == M_OUT_REFUSED)
        return o;
    go_along(m, way, org, content, target, batch, now_us);
    if (!stands_already(m, content, target))
        add_row(m, way, org, content, target, batch, ranks_as_owner(m, org, s, content), now_us);
    return o;
}

struct m_said
m_post(struct model *m, const struct m_way *way, int content, uint64_t batch, int64_t now_us)
{
    static struct sight s;
    struct plan plan;
    struct m_said out = {.outcome = M_OUT_REFUSED};
    int org = m->who[way->asker.who].org;

    if (m->ids[m->contents[content].id].builtin) {
        out.outcome = M_OUT_KNOWN;
        return out;
    }
    plan = plan_of(m, way, &m->contents[content]);
    if (plan.stop != 0) {
        out.outcome = plan.stop;
        if (plan.stop == M_OUT_WAITING)
            wait_for(m, way, content, plan.reason, plan.marking, batch);
        return out;
    }
    look(m, way, m->contents[content].id, &s);
    for (int i = 0; i < plan.n; i++) {
        enum m_outcome o = say_one(m, way, org, &s, content, &plan.targets[i], batch, now_us);

        if (i == 0)
            out.outcome = o;
        if (i == 0 && o == M_OUT_PROPOSAL)
            wait_for(m, way, content, M_WAIT_PROPOSAL, 0, batch);
        if (i == 0 && o == M_OUT_WAITING)
            wait_for(m, way, content, M_WAIT_RELAXED, 0, batch);
        if (o == M_OUT_REFUSED || o == M_OUT_WAITING || o == M_OUT_PROPOSAL) {
            if (i == 0)
                return out;
            continue;
        }
        if (o != M_OUT_KNOWN)
            out.targets[out.target_n++] = plan.targets[i];
    }
    if (m->contents[content].defect &&
        (out.outcome == M_OUT_NEW || out.outcome == M_OUT_NEW_VERSION))
        out.outcome = M_OUT_DEFECT;
    return out;
}
