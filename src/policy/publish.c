#include "publish.h"

static const char *const rule_texts[PUBLISH_RULE_COUNT] = {
    [PUBLISH_YES] = "The poster may publish it there.",
    [PUBLISH_WAIT_MARKING] = "A marking that it names has not arrived.",
    [PUBLISH_WAIT_UNCLEAR] = "A marking or label of it is not understood.",
    [PUBLISH_WAIT_QUARANTINE] = "It is in quarantine until it is released.",
    [PUBLISH_NO_PRINCIPAL] = "No such principal, or it is disabled, or its time is over.",
    [PUBLISH_NO_ROLE] = "Only the roles analyst and publisher may post.",
    [PUBLISH_NO_SCOPE] = "This token may read and not write.",
    [PUBLISH_NO_CHANNEL] = "This kind of principal does not post on this channel.",
    [PUBLISH_NO_EXERCISE_FLAG] = "The poster takes part in no exercise.",
    [PUBLISH_NO_MARK] = "The exercise side takes nothing without the exercise mark.",
    [PUBLISH_NO_EXERCISE] =
        "It carries the exercise mark, and the live side takes nothing with it.",
    [PUBLISH_NO_CEILING] = "The label is stricter than the poster may see.",
    [PUBLISH_NO_LISTENER] = "The label is stricter than this listener lets through.",
    [PUBLISH_NO_GROUP] = "There is no such group that the poster may publish to.",
    [PUBLISH_NO_ANALYST] = "An analyst publishes to the own organisation alone.",
    [PUBLISH_NO_PUBLIC] = "Only TLP:CLEAR goes to the public.",
    [PUBLISH_NO_NAME] = "TLP:RED needs a person named, except from a person's own session.",
    [PUBLISH_NO_PERSON] = "The person named for TLP:RED does not exist, or may not be shown it.",
};

const char *
publish_rule_text(enum publish_rule rule)
{
    return (unsigned)rule < PUBLISH_RULE_COUNT ? rule_texts[rule] : "?";
}

bool
publish_waits(enum publish_rule rule)
{
    return rule == PUBLISH_WAIT_MARKING || rule == PUBLISH_WAIT_UNCLEAR ||
           rule == PUBLISH_WAIT_QUARANTINE;
}

enum tlp
publish_label(const struct publish_ask *ask, const struct label *l)
{
    if (l->has) {
        return ask->asked ? tlp_stricter(l->tlp, ask->asked_tlp) : l->tlp;
    }
    if (!ask->asked) {
        return ask->way_default;
    }
    /* A front that was taken over could ask for CLEAR; the local socket is the operator's. */
    return ask->poster.channel == CHANNEL_LOCAL ? ask->asked_tlp
                                                : tlp_stricter(ask->way_default, ask->asked_tlp);
}

static bool
channel_fits(enum principal_kind kind, enum channel c)
{
    switch (c) {
    case CHANNEL_SESSION:
        return kind == PRINCIPAL_PERSON;
    case CHANNEL_TOKEN:
        return kind == PRINCIPAL_PERSON || kind == PRINCIPAL_TOKEN;
    case CHANNEL_LOCAL:
        return kind == PRINCIPAL_LOCAL;
    case CHANNEL_FEED:
    case CHANNEL_MAIL:
    case CHANNEL_EXPORT:
    case CHANNEL_PEER:
        break;
    }
    return false;
}

enum publish_rule
publish_poster(const struct rights *r, const struct asker *poster, struct right_principal *out)
{
    struct right_principal p;

    if (!rights_effective(r, poster->principal, poster->now_us, &p)) {
        return PUBLISH_NO_PRINCIPAL;
    }
    if (!channel_fits(p.kind, poster->channel)) {
        return PUBLISH_NO_CHANNEL;
    }
    if (p.kind == PRINCIPAL_TOKEN && !(p.scope & SCOPE_WRITE)) {
        return PUBLISH_NO_SCOPE;
    }
    if (!(p.roles & ROLE_ANALYST)) {
        return PUBLISH_NO_ROLE;
    }
    if (poster->exercise && !p.exercise) {
        return PUBLISH_NO_EXERCISE_FLAG;
    }
    *out = p;
    return PUBLISH_YES;
}

static enum publish_rule
check_ceilings(const struct right_principal *p, const struct asker *poster, enum tlp label)
{
    /* The operator reads no RED, but may hand it to the person that it names. */
    if (label > p->ceiling && !(label == TLP_RED && p->kind == PRINCIPAL_LOCAL)) {
        return PUBLISH_NO_CEILING;
    }
    return label > poster->listener.ceiling ? PUBLISH_NO_LISTENER : PUBLISH_YES;
}

/* RED goes to one person, who must be able to read it. */
static enum publish_rule
check_person(const struct rights *r, const struct right_principal *p, const struct asker *poster,
             uint32_t person)
{
    struct right_principal to;

    if (!rights_effective(r, person, poster->now_us, &to) || to.kind != PRINCIPAL_PERSON ||
        !(to.roles & ROLE_READER) || to.ceiling < TLP_RED || (poster->exercise && !to.exercise)) {
        return PUBLISH_NO_PERSON;
    }
    /* An analyst names colleagues alone, and learns of nobody else whether he is there. */
    return (p->roles & ROLE_PUBLISHER) || to.org == p->org ? PUBLISH_YES : PUBLISH_NO_PERSON;
}

/* One step down (a release to a constituent) or up (a constituent's report to its member). */
static bool
one_step(const struct rights *r, uint32_t a, uint32_t b)
{
    const struct right_org *x = rights_org(r, a);
    const struct right_org *y = rights_org(r, b);

    return (x != NULL && x->kind == ORG_CONSTITUENT && x->member == b) ||
           (y != NULL && y->kind == ORG_CONSTITUENT && y->member == a);
}

static enum publish_rule
check_group(const struct rights *r, const struct right_principal *p, const struct audience *a)
{
    const struct right_group *group = rights_group(r, a->group);
    const struct right_generation *g = rights_generation(r, a->generation);

    /* One who may publish to no other group is told the same of those that are not there, also
     * where a token is for one of them alone. */
    if (!(p->roles & ROLE_PUBLISHER) &&
        !(group != NULL && group->kind == GROUP_KIND_OWN && group->org == p->org)) {
        return PUBLISH_NO_ANALYST;
    }
    if (p->only_group != 0 && p->only_group != a->group) {
        return PUBLISH_NO_GROUP;
    }
    if (group == NULL || g == NULL || g->group != group->number || group->closed) {
        return PUBLISH_NO_GROUP;
    }
    if (group->kind == GROUP_KIND_OWN && group->org == p->org) {
        return PUBLISH_YES;
    }
    switch (group->kind) {
    case GROUP_KIND_PUBLIC:
        return a->label == TLP_CLEAR ? PUBLISH_YES : PUBLISH_NO_PUBLIC;
    case GROUP_KIND_REGION:
        return rights_standing(r, g, p->org) != STANDS_OUTSIDE ? PUBLISH_YES : PUBLISH_NO_GROUP;
    case GROUP_KIND_OWN:
        return one_step(r, p->org, group->org) ? PUBLISH_YES : PUBLISH_NO_GROUP;
    case GROUP_KIND_NAMED:
        return rights_in_generation(g, p->org) ? PUBLISH_YES : PUBLISH_NO_GROUP;
    }
    return PUBLISH_NO_GROUP;
}

static enum publish_rule
check_target(const struct rights *r, const struct right_principal *p, const struct asker *poster,
             const struct audience *a)
{
    enum publish_rule rule = check_ceilings(p, poster, a->label);

    if (rule != PUBLISH_YES) {
        return rule;
    }
    return a->label == TLP_RED ? check_person(r, p, poster, a->person) : check_group(r, p, a);
}

enum publish_rule
publish_may(const struct rights *r, const struct asker *poster, const struct audience *a)
{
    struct right_principal p;
    enum publish_rule rule = publish_poster(r, poster, &p);

    if (rule != PUBLISH_YES) {
        return rule;
    }
    if (a->exercise != poster->exercise) {
        return a->exercise ? PUBLISH_NO_EXERCISE : PUBLISH_NO_MARK;
    }
    return check_target(r, &p, poster, a);
}

/* The group of a label that comes without one.  An analyst's is always the own organisation: a
 * default may narrow and never relaxes. */
static uint32_t
default_group(const struct rights *r, const struct right_principal *p, enum tlp label)
{
    const struct right_group *own = rights_own_group(r, p->org);

    if (p->roles & ROLE_PUBLISHER) {
        if (label == TLP_CLEAR) {
            return GROUP_PUBLIC;
        }
        if (label == TLP_GREEN) {
            return GROUP_REGION;
        }
    }
    return own != NULL ? own->number : 0;
}

static struct audience
group_audience(const struct rights *r, uint32_t group, enum tlp label, bool exercise)
{
    const struct right_group *g = rights_group(r, group);

    return (struct audience){.label = label,
                             .exercise = exercise,
                             .group = group,
                             .generation = g != NULL ? g->generation : 0};
}

/* What a constituent posts, its member's own group gets too. */
static void
add_member(const struct rights *r, const struct right_principal *p, struct publish *out)
{
    const struct right_org *o = rights_org(r, p->org);
    const struct right_group *own;

    if (o == NULL || o->kind != ORG_CONSTITUENT || out->targets[0].label == TLP_RED) {
        return;
    }
    own = rights_own_group(r, o->member);
    if (own == NULL || own->number == out->targets[0].group) {
        return;
    }
    out->targets[out->count++] =
        group_audience(r, own->number, out->targets[0].label, out->targets[0].exercise);
}

static enum publish_rule
decide(const struct rights *r, const struct publish_ask *ask, const struct label *l,
       struct publish *out)
{
    struct right_principal p;
    struct audience *a = &out->targets[0];
    enum publish_rule rule = publish_poster(r, &ask->poster, &p);
    enum tlp label;

    if (rule != PUBLISH_YES) {
        return rule;
    }
    if (l->exercise != ask->poster.exercise) {
        return l->exercise ? PUBLISH_NO_EXERCISE : PUBLISH_NO_MARK;
    }
    if (l->unresolved_count > 0) {
        return PUBLISH_WAIT_MARKING;
    }
    if (l->unclear) {
        return PUBLISH_WAIT_UNCLEAR;
    }
    label = publish_label(ask, l);
    if (label == TLP_RED) {
        *a = (struct audience){.label = TLP_RED, .exercise = l->exercise, .person = ask->person};
        if (a->person == 0) {
            if (p.kind != PRINCIPAL_PERSON || ask->poster.channel != CHANNEL_SESSION) {
                return PUBLISH_NO_NAME;
            }
            a->person = p.number;
        }
    } else {
        *a = group_audience(r, ask->group != 0 ? ask->group : default_group(r, &p, label), label,
                            l->exercise);
    }
    rule = check_target(r, &p, &ask->poster, a);
    if (rule != PUBLISH_YES) {
        return rule;
    }
    out->count = 1;
    add_member(r, &p, out);
    return !ask->released && (ask->quarantine || p.quarantine) ? PUBLISH_WAIT_QUARANTINE
                                                               : PUBLISH_YES;
}

void
publish_decide(const struct rights *r, const struct publish_ask *ask, const struct label *l,
               struct publish *out)
{
    *out = (struct publish){.count = 0};
    out->rule = decide(r, ask, l, out);
}
