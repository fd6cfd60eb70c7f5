#include "say.h"

#include "publish.h"

static const char *const rule_texts[] = {
    [SAY_RULE_NEW] = "No object of this id is seen yet.",
    [SAY_RULE_CREATOR] = "Its creator's own organisation says it.",
    [SAY_RULE_UNBOUND] = "Its creator is bound to no organisation, so nobody owns the id.",
    [SAY_RULE_KNOWN] = "The same bytes are in the same audience already.",
    [SAY_RULE_NARROWER] = "A copy goes where it came from, or to fewer readers.",
    [SAY_RULE_RELEASE] = "A member releases TLP:AMBER to its own constituent.",
    [SAY_RULE_PROPOSAL] =
        ("Its creator is bound to another organisation that is not seen to have said "
         "this: it is a proposal to that one."),
    [SAY_RULE_RELAXED] = "Its label is laxer than before; that is decided over the local socket.",
    [SAY_RULE_WIDER] =
        ("A copy of what another organisation owns may not get readers that it did not "
         "have where it came from."),
};

const char *
say_rule_text(enum say_rule rule)
{
    return rule >= SAY_RULE_NEW && rule <= SAY_RULE_WIDER ? rule_texts[rule] : "?";
}

static struct say
say(enum say_outcome outcome, enum say_rule rule)
{
    return (struct say){outcome, rule};
}

static bool
same_bytes(const struct say_ask *ask, const struct said *s)
{
    return hash_eq(&ask->hash, &s->hash);
}

/* The organisation that the poster speaks for; 0: none. */
static uint32_t
poster_org(const struct rights *r, const struct asker *poster)
{
    struct right_principal p;

    return rights_effective(r, poster->principal, poster->now_us, &p) ? p.org : 0;
}

/* The bytes are there, said by the same publisher to the same audience. */
static bool
is_known(const struct say_ask *ask)
{
    for (size_t i = 0; i < ask->seen_count; i++) {
        const struct said *s = &ask->seen[i];

        if (same_bytes(ask, s) && s->publisher == ask->publisher &&
            audience_same(&s->audience, &ask->target)) {
            return true;
        }
    }
    return false;
}

static bool
sees_bytes(const struct say_ask *ask)
{
    for (size_t i = 0; i < ask->seen_count; i++) {
        if (same_bytes(ask, &ask->seen[i])) {
            return true;
        }
    }
    return false;
}

/* Laxer than the newest that is seen (where it was said several times, than its laxest).  SCOs
 * have no versions: there it is the same bytes alone that can be relaxed. */
static bool
is_relaxed(const struct say_ask *ask)
{
    const struct said *newest = NULL;

    for (size_t i = 0; i < ask->seen_count; i++) {
        const struct said *s = &ask->seen[i];
        int c;

        if (ask->observable && !same_bytes(ask, s)) {
            continue;
        }
        c = newest == NULL ? 1 : ask->observable ? 0 : instant_cmp(s->modified, newest->modified);
        if (c > 0 || (c == 0 && s->audience.label < newest->audience.label)) {
            newest = s;
        }
    }
    return newest != NULL && ask->target.label < newest->audience.label;
}

/* The generation that an audience names; NULL where there is none, and so no reader. */
static const struct right_generation *
generation_of(const struct rights *r, const struct audience *a)
{
    const struct right_generation *g = rights_generation(r, a->generation);

    return g != NULL && g->group == a->group ? g : NULL;
}

/* A member passes AMBER on to its own constituent, one step: what it releases it must have got as
 * a member of the group itself. */
static bool
is_release(const struct rights *r, uint32_t org, const struct audience *from,
           const struct audience *to)
{
    const struct right_group *group = rights_group(r, to->group);
    const struct right_generation *g = generation_of(r, from);
    const struct right_org *constituent;

    if (from->label != TLP_AMBER || to->label < TLP_AMBER || to->label == TLP_RED ||
        from->exercise != to->exercise || group == NULL || group->kind != GROUP_KIND_OWN ||
        g == NULL || !rights_in_generation(g, org)) {
        return false;
    }
    constituent = rights_org(r, group->org);
    return constituent != NULL && constituent->kind == ORG_CONSTITUENT &&
           constituent->member == org;
}

/* Somebody else's object. */
static struct say
decide_copy(const struct say_ask *ask, uint32_t org)
{
    bool release = false;

    if (!sees_bytes(ask)) {
        return say(SAY_PROPOSAL, SAY_RULE_PROPOSAL);
    }
    for (size_t i = 0; i < ask->seen_count; i++) {
        const struct said *s = &ask->seen[i];

        if (!same_bytes(ask, s)) {
            continue;
        }
        if (audience_narrower(ask->rights, &ask->target, &s->audience)) {
            return say(SAY_COPY, SAY_RULE_NARROWER);
        }
        release = release || is_release(ask->rights, org, &s->audience, &ask->target);
    }
    return release ? say(SAY_COPY, SAY_RULE_RELEASE) : say(SAY_REFUSED, SAY_RULE_WIDER);
}

/* What it is to those that are seen, for one who may say it. */
static enum say_outcome
classify(const struct say_ask *ask)
{
    bool variant = false;

    if (ask->seen_count == 0) {
        return SAY_NEW;
    }
    if (sees_bytes(ask)) {
        return SAY_COPY;
    }
    for (size_t i = 0; i < ask->seen_count; i++) {
        variant =
            variant || ask->observable || instant_cmp(ask->modified, ask->seen[i].modified) == 0;
    }
    return variant ? SAY_VARIANT : SAY_NEW_VERSION;
}

struct say
say_decide(const struct say_ask *ask)
{
    uint32_t org = poster_org(ask->rights, &ask->poster);
    bool owner = ask->creator != 0 && ask->creator == org;
    enum say_outcome outcome;

    if (is_known(ask)) {
        return say(SAY_KNOWN, SAY_RULE_KNOWN);
    }
    if (ask->creator != 0 && !owner) {
        return decide_copy(ask, org);
    }
    if (ask->poster.channel != CHANNEL_LOCAL && is_relaxed(ask)) {
        return say(SAY_WAITING, SAY_RULE_RELAXED);
    }
    outcome = classify(ask);
    return say(outcome, owner                ? SAY_RULE_CREATOR
                        : outcome == SAY_NEW ? SAY_RULE_NEW
                                             : SAY_RULE_UNBOUND);
}

static bool
for_public(const struct rights *r, const struct audience *a)
{
    const struct right_group *g = a->label == TLP_CLEAR ? rights_group(r, a->group) : NULL;

    return g != NULL && g->kind == GROUP_KIND_PUBLIC;
}

static bool
person_reads(const struct rights *r, uint32_t person, const struct audience *b)
{
    /* At time 0 nobody's access has ended: this is about membership, not about today. */
    struct asker who = {.principal = person,
                        .channel = CHANNEL_SESSION,
                        .listener = {.ceiling = TLP_RED},
                        .exercise = b->exercise,
                        .now_us = 0};

    return may_read(r, &who, b).yes;
}

bool
audience_narrower(const struct rights *r, const struct audience *a, const struct audience *b)
{
    const struct right_generation *from, *to;

    if (a->exercise != b->exercise || a->label < b->label) {
        return false;
    }
    if (audience_same(a, b)) {
        return true;
    }
    if (a->label == TLP_RED) {
        return person_reads(r, a->person, b);
    }
    if (for_public(r, a) || for_public(r, b)) {
        return for_public(r, b);
    }
    from = generation_of(r, a);
    to = generation_of(r, b);
    if (from == NULL || to == NULL) {
        return false;
    }
    /* Where a lets constituents read, so does b, whose label is no stricter: members tell all. */
    for (size_t i = 0; i < from->member_count; i++) {
        enum standing s = rights_standing(r, to, from->members[i]);

        if (s == STANDS_OUTSIDE || (s == STANDS_CONSTITUENT && b->label > TLP_GREEN)) {
            return false;
        }
    }
    return true;
}

/* The choice of where an edge goes. */
struct edge {
    const struct rights *r;
    const struct asker *poster;
    const struct audience *target;
    const struct edge_end *ends;
    size_t end_count;
    bool found;
    struct audience best;
    size_t best_members;
};

static bool
edge_fits(const struct edge *g, const struct audience *a)
{
    if (!audience_narrower(g->r, a, g->target)) {
        return false;
    }
    for (size_t i = 0; i < g->end_count; i++) {
        bool seen = g->ends[i].seen_count == 0;

        for (size_t j = 0; j < g->ends[i].seen_count && !seen; j++) {
            seen = audience_narrower(g->r, a, &g->ends[i].seen[j]);
        }
        if (!seen) {
            return false;
        }
    }
    return true;
}

static size_t
count_members(const struct rights *r, const struct audience *a)
{
    const struct right_generation *g = generation_of(r, a);

    return for_public(r, a) ? SIZE_MAX : g != NULL ? g->member_count : 0;
}

/* The laxer label is the wider, then the group of more organisations; the first of equals stays. */
static void
edge_try(struct edge *g, struct audience a)
{
    size_t members;

    a.number = 0;
    a.exercise = g->target->exercise;
    if (publish_may(g->r, g->poster, &a) != PUBLISH_YES || !edge_fits(g, &a)) {
        return;
    }
    members = count_members(g->r, &a);
    if (!g->found || a.label < g->best.label ||
        (a.label == g->best.label && members > g->best_members)) {
        g->found = true;
        g->best = a;
        g->best_members = members;
    }
}

/* A group under every label that a group can have, from the target's on; always its generation of
 * now, for nothing new goes to one that is over. */
static void
edge_try_group(struct edge *g, uint32_t group)
{
    const struct right_group *found = rights_group(g->r, group);

    if (found == NULL) {
        return;
    }
    for (int t = TLP_CLEAR; t < TLP_RED; t++) {
        if (t >= (int)g->target->label) {
            edge_try(g, (struct audience){
                            .label = (enum tlp)t, .group = group, .generation = found->generation});
        }
    }
}

bool
edge_narrow(const struct rights *r, const struct asker *poster, const struct audience *target,
            const struct edge_end *ends, size_t end_count, struct audience *out)
{
    struct edge g = {
        .r = r, .poster = poster, .target = target, .ends = ends, .end_count = end_count};
    const struct right_group *own = rights_own_group(r, poster_org(r, poster));

    if (edge_fits(&g, target)) {
        *out = *target;
        return true;
    }
    edge_try_group(&g, target->group);
    for (size_t i = 0; i < end_count; i++) {
        for (size_t j = 0; j < ends[i].seen_count; j++) {
            if (ends[i].seen[j].label == TLP_RED) {
                edge_try(&g, ends[i].seen[j]);
            } else {
                edge_try_group(&g, ends[i].seen[j].group);
            }
        }
    }
    edge_try_group(&g, own != NULL ? own->number : 0);
    if (g.found) {
        *out = g.best;
    }
    return g.found;
}

bool
say_may_erase(const struct rights *r, const struct asker *poster, uint32_t creator,
              uint32_t posted_by_org)
{
    struct right_principal p;

    if (publish_poster(r, poster, &p) != PUBLISH_YES) {
        return false;
    }
    return p.org == posted_by_org || (creator != 0 && p.org == creator);
}
