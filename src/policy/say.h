/*
 * policy/say.h - who may say what: what a new object is to those that its poster already sees.
 *
 * Decided once, when it is put, from what the poster may see and nothing else: what is held but
 * hidden changes no outcome.
 */
#ifndef JAGA_POLICY_SAY_H
#define JAGA_POLICY_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "audience.h"
#include "clock.h"
#include "crypto.h"
#include "may_read.h"
#include "rights.h"

/* A publication of the same id that the poster may see. */
struct said {
    struct audience audience;
    uint32_t publisher; /* organisation whose stream carries it */
    struct hash hash;
    struct instant modified; /* or created, where the type has no modified; unused for SCOs */
};

struct say_ask {
    const struct rights *rights;
    struct asker poster;
    uint32_t publisher; /* organisation whose stream would carry it: ORG_SELF on this node */
    uint32_t creator;   /* organisation to which created_by_ref is bound; 0: none, or absent */
    bool observable;    /* an SCO: no author, no versions */
    struct hash hash;
    struct instant modified; /* as in struct said */
    struct audience target;  /* from publish_decide */
    const struct said *seen; /* all publications of the id that the poster may see, any order */
    size_t seen_count;
};

enum say_outcome {
    SAY_NEW = 1,
    SAY_NEW_VERSION,
    SAY_KNOWN,    /* these bytes are in that audience already: nothing is stored */
    SAY_VARIANT,  /* same id and modified (SCOs: same id), other bytes */
    SAY_COPY,     /* the same bytes for a further audience */
    SAY_PROPOSAL, /* somebody else's object: listed when its creator publishes it */
    SAY_WAITING,  /* until the operator decides */
    SAY_REFUSED
};

enum say_rule {
    SAY_RULE_NEW = 1,  /* no object of this id is seen */
    SAY_RULE_CREATOR,  /* by its bound creator */
    SAY_RULE_UNBOUND,  /* nobody owns the id */
    SAY_RULE_KNOWN,    /* the same bytes in the same audience */
    SAY_RULE_NARROWER, /* a copy where the copier got it from, or narrower */
    SAY_RULE_RELEASE,  /* a member's AMBER release to its constituent */
    SAY_RULE_PROPOSAL, /* bytes that the bound creator is not seen to have said */
    SAY_RULE_RELAXED,  /* a laxer label, not over the local socket */
    SAY_RULE_WIDER     /* a copy to readers that the copier did not get it with */
};

struct say {
    enum say_outcome outcome;
    enum say_rule rule;
};

struct say say_decide(const struct say_ask *ask);
const char *say_rule_text(enum say_rule rule); /* one sentence */

/* Whether everybody who may read a may read b, as membership stands now, and a is no laxer. */
bool audience_narrower(const struct rights *r, const struct audience *a, const struct audience *b);

/* An end of an edge: the audiences in which the poster sees it.  None: the reference dangles or
 * the end is hidden, which are never told apart, and it narrows nothing. */
struct edge_end {
    const struct audience *seen;
    size_t seen_count;
};

/* Where a relationship or sighting of ours may go: *target itself when each of its readers may
 * read every end; else the widest narrower audience of those that suggest themselves (the ends',
 * the target's group under the ends' labels, the poster's own organisation).  false: none fits. */
bool edge_narrow(const struct rights *r, const struct asker *poster, const struct audience *target,
                 const struct edge_end *ends, size_t end_count, struct audience *out);

/* Whether the poster may erase this publication: its bound creator everywhere (copies go along),
 * else who published it. */
bool say_may_erase(const struct rights *r, const struct asker *poster, uint32_t creator,
                   uint32_t posted_by_org);

#endif
