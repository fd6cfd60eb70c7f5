/*
 * policy/may_read.h - who may read what: the table of DESIGN.md section 6, in one function.
 *
 * It starts from no.  A yes names the rule that lets the reader in; a no names the first that
 * stops it.  Exchange asks once for each audience, when it builds a view.
 */
#ifndef JAGA_POLICY_MAY_READ_H
#define JAGA_POLICY_MAY_READ_H

#include <stdbool.h>
#include <stdint.h>
#include "audience.h"
#include "rights.h"

/* How somebody asks.  The numbers are in tickets; never change them.  TAXII is CHANNEL_TOKEN
 * whatever the credential. */
enum channel {
    CHANNEL_SESSION = 1, /* a person's own session */
    CHANNEL_TOKEN = 2,
    CHANNEL_FEED = 3,
    CHANNEL_MAIL = 4,
    CHANNEL_EXPORT = 5,
    CHANNEL_PEER = 6,
    CHANNEL_LOCAL = 7 /* the operator's command line, also when it looks as somebody else */
};
#define CHANNEL_MAX 7

struct listener {
    uint32_t number;  /* the parent's */
    enum tlp ceiling; /* the strictest label that may pass through it */
};

struct asker {
    uint32_t principal;
    enum channel channel;
    struct listener listener;
    bool exercise; /* asks for the exercise side */
    int64_t now_us;
};

enum read_rule {
    READ_NO_PRINCIPAL = 0, /* nobody by that number, or disabled, or its time is over */
    READ_NO_ROLE,          /* admin alone, or no role */
    READ_NO_SCOPE,         /* a token that may only write */
    READ_NO_CHANNEL,       /* that kind of principal does not come on that channel */
    READ_NO_EXERCISE_FLAG, /* takes part in no exercise */
    READ_NO_LIVE,          /* an exercise view holds no live object */
    READ_NO_EXERCISE,      /* a live view holds no exercise object */
    READ_NO_CEILING,       /* stricter than the principal may see */
    READ_NO_LISTENER,      /* stricter than this listener lets through */
    READ_NO_RED_CHANNEL,   /* RED outside a person's own session */
    READ_NO_RED_PERSON,    /* RED for somebody else */
    READ_NO_TOKEN_GROUP,   /* a token that is limited to another group */
    READ_NO_PUBLIC,        /* not logged in, and the public collection is closed */
    READ_NO_GROUP,         /* its organisation is not in the group */
    READ_NO_RELEASE,       /* a constituent of a member of the group, and not released to it */
    READ_NO_STAFF,         /* AMBER+STRICT, and not staff */
    READ_NO_AUDIENCE,      /* no such group or generation */
    READ_YES_PUBLIC,       /* CLEAR for the public */
    READ_YES_MEMBER,       /* its organisation is in the group */
    READ_YES_CONSTITUENT,  /* its organisation is a constituent of one in the group */
    READ_YES_STAFF,        /* AMBER+STRICT: staff of an organisation in the group */
    READ_YES_NAMED         /* RED: the person named, in the person's own session */
};
#define READ_RULE_COUNT (READ_YES_NAMED + 1)

struct verdict {
    bool yes;
    enum read_rule rule;
};

struct verdict may_read(const struct rights *r, const struct asker *who, const struct audience *a);

/* The rule in one sentence, for `why ID PRINCIPAL`. */
const char *read_rule_text(enum read_rule rule);

const char *channel_name(enum channel c); /* "session", ... */

#endif
