#include "may_read.h"

#include <stddef.h>

static const char *const channel_names[CHANNEL_MAX + 1] = {
    [CHANNEL_SESSION] = "session", [CHANNEL_TOKEN] = "token",   [CHANNEL_FEED] = "feed",
    [CHANNEL_MAIL] = "mail",       [CHANNEL_EXPORT] = "export", [CHANNEL_PEER] = "peer",
    [CHANNEL_LOCAL] = "local",
};

const char *
channel_name(enum channel c)
{
    return c >= CHANNEL_SESSION && c <= CHANNEL_LOCAL ? channel_names[c] : "?";
}

static const char *const rule_texts[READ_RULE_COUNT] = {
    [READ_NO_PRINCIPAL] = "No such principal, or it is disabled, or its time is over.",
    [READ_NO_ROLE] = "It has no role that reads objects; the role admin alone reads none.",
    [READ_NO_SCOPE] = "This token may write and not read.",
    [READ_NO_CHANNEL] = "This kind of principal does not come on this channel.",
    [READ_NO_EXERCISE_FLAG] = "It takes part in no exercise.",
    [READ_NO_LIVE] = "The exercise side shows nothing that is live.",
    [READ_NO_EXERCISE] = "This is exercise data, and the live side shows none.",
    [READ_NO_CEILING] = "The label is stricter than this principal may see.",
    [READ_NO_LISTENER] = "The label is stricter than this listener lets through.",
    [READ_NO_RED_CHANNEL] = "TLP:RED is shown in a person's own session alone.",
    [READ_NO_RED_PERSON] = "TLP:RED is for the person named, and that is somebody else.",
    [READ_NO_TOKEN_GROUP] = "This token is limited to another group.",
    [READ_NO_PUBLIC] = "The operator has not opened what is public to those without a login.",
    [READ_NO_GROUP] = "Its organisation is not in the group.",
    [READ_NO_RELEASE] = ("Its organisation is a constituent of a member of the group, and that "
                         "member has not released this to it."),
    [READ_NO_STAFF] =
        "TLP:AMBER+STRICT is for an organisation's own staff, and it is not flagged so.",
    [READ_NO_AUDIENCE] = "There is no such group any more.",
    [READ_YES_PUBLIC] = "TLP:CLEAR for the public: anyone may read it.",
    [READ_YES_MEMBER] = "Its organisation is in the group.",
    [READ_YES_CONSTITUENT] = "Its organisation is a constituent of one that is in the group.",
    [READ_YES_STAFF] = "It is staff of an organisation that is in the group.",
    [READ_YES_NAMED] = "It is the person named.",
};

const char *
read_rule_text(enum read_rule rule)
{
    return (unsigned)rule < READ_RULE_COUNT ? rule_texts[rule] : "?";
}

static struct verdict
no(enum read_rule rule)
{
    return (struct verdict){false, rule};
}

static struct verdict
yes(enum read_rule rule)
{
    return (struct verdict){true, rule};
}

/* Which channels a kind of principal can come on.  A feed, mail or export is made for a person or
 * a token; the operator may look as anybody over the local socket, and sees no RED so. */
static bool
channel_fits(enum principal_kind kind, enum channel c)
{
    switch (c) {
    case CHANNEL_SESSION:
        return kind == PRINCIPAL_PERSON || kind == PRINCIPAL_ANONYMOUS;
    case CHANNEL_TOKEN: /* TAXII, also with a person's password or without a login */
    case CHANNEL_FEED:
        return kind == PRINCIPAL_PERSON || kind == PRINCIPAL_TOKEN || kind == PRINCIPAL_ANONYMOUS;
    case CHANNEL_MAIL:
        return kind == PRINCIPAL_PERSON;
    case CHANNEL_EXPORT:
        return kind == PRINCIPAL_PERSON || kind == PRINCIPAL_TOKEN || kind == PRINCIPAL_LOCAL;
    case CHANNEL_PEER:
        return kind == PRINCIPAL_PEER;
    case CHANNEL_LOCAL:
        return true;
    }
    return false;
}

/* Who asks, before any audience is looked at. */
static bool
may_read_at_all(const struct right_principal *p, const struct asker *who, enum read_rule *rule)
{
    if (!channel_fits(p->kind, who->channel)) {
        *rule = READ_NO_CHANNEL;
    } else if (p->kind == PRINCIPAL_TOKEN && !(p->scope & SCOPE_READ)) {
        *rule = READ_NO_SCOPE;
    } else if (p->kind != PRINCIPAL_ANONYMOUS && !(p->roles & ROLE_READER)) {
        *rule = READ_NO_ROLE;
    } else if (who->exercise && !p->exercise) {
        *rule = READ_NO_EXERCISE_FLAG;
    } else {
        return true;
    }
    return false;
}

static struct verdict
read_red(const struct right_principal *p, const struct asker *who, const struct audience *a)
{
    if (p->kind != PRINCIPAL_PERSON || who->channel != CHANNEL_SESSION) {
        return no(READ_NO_RED_CHANNEL);
    }
    if (a->person == 0 || a->person != p->number) {
        return no(READ_NO_RED_PERSON);
    }
    return yes(READ_YES_NAMED);
}

static struct verdict
read_group(const struct rights *r, const struct right_principal *p, const struct audience *a)
{
    const struct right_group *group = rights_group(r, a->group);
    const struct right_generation *g = rights_generation(r, a->generation);
    enum standing s;

    if (group == NULL || g == NULL || g->group != a->group) {
        return no(READ_NO_AUDIENCE);
    }
    if (group->kind == GROUP_KIND_PUBLIC && a->label == TLP_CLEAR) {
        return p->kind == PRINCIPAL_ANONYMOUS && !r->public_open ? no(READ_NO_PUBLIC)
                                                                 : yes(READ_YES_PUBLIC);
    }
    s = rights_standing(r, g, p->org);
    if (s == STANDS_OUTSIDE) {
        return no(READ_NO_GROUP);
    }
    switch (a->label) {
    case TLP_CLEAR: /* to relax a label never takes a reader away: at least GREEN's */
    case TLP_GREEN:
        return yes(s == STANDS_MEMBER ? READ_YES_MEMBER : READ_YES_CONSTITUENT);
    case TLP_AMBER:
        return s == STANDS_MEMBER ? yes(READ_YES_MEMBER) : no(READ_NO_RELEASE);
    case TLP_AMBER_STRICT:
        if (s != STANDS_MEMBER) {
            return no(READ_NO_GROUP);
        }
        return p->staff ? yes(READ_YES_STAFF) : no(READ_NO_STAFF);
    case TLP_RED:
        break;
    }
    return no(READ_NO_AUDIENCE);
}

struct verdict
may_read(const struct rights *r, const struct asker *who, const struct audience *a)
{
    struct right_principal p;
    enum read_rule rule;

    if (!rights_effective(r, who->principal, who->now_us, &p)) {
        return no(READ_NO_PRINCIPAL);
    }
    if (!may_read_at_all(&p, who, &rule)) {
        return no(rule);
    }
    if (a->exercise != who->exercise) {
        return no(who->exercise ? READ_NO_LIVE : READ_NO_EXERCISE);
    }
    if (a->label > p.ceiling) {
        return no(READ_NO_CEILING);
    }
    if (a->label > who->listener.ceiling) {
        return no(READ_NO_LISTENER);
    }
    if (p.only_group != 0 && a->group != p.only_group) {
        return no(READ_NO_TOKEN_GROUP);
    }
    return a->label == TLP_RED ? read_red(&p, who, a) : read_group(r, &p, a);
}
