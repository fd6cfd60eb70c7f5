/*
 * policy/publish.h - to which audience something that is posted goes, and who may post there.
 */
#ifndef JAGA_POLICY_PUBLISH_H
#define JAGA_POLICY_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "audience.h"
#include "label.h"
#include "may_read.h"
#include "rights.h"

struct publish_ask {
    struct asker poster; /* principal, channel, listener, exercise side, now */
    bool asked;          /* a label was asked for ... */
    enum tlp asked_tlp;  /* ... this one; never relaxes what the bytes say */
    uint32_t group;      /* asked for, as a group's collection does; 0: the label's default */
    uint32_t person;     /* named for RED; 0: the posting user */
    enum tlp
        way_default; /* what has no label gets this; PUBLISH_WAY_DEFAULT where nothing is set */
    bool quarantine; /* asked to wait for a release */
    bool released;   /* which has been given: not even a poster under quarantine waits */
};
#define PUBLISH_WAY_DEFAULT TLP_AMBER_STRICT

/* One that the poster asked for, and a constituent's member's own group. */
#define PUBLISH_TARGETS_MAX 2

enum publish_rule {
    PUBLISH_YES = 0,
    /* The object waits, with the audience known where count is not 0: */
    PUBLISH_WAIT_MARKING,    /* a marking it names has not arrived */
    PUBLISH_WAIT_UNCLEAR,    /* a marking or label is not understood */
    PUBLISH_WAIT_QUARANTINE, /* asked for, or the poster is under it */
    /* Refused: */
    PUBLISH_NO_PRINCIPAL,
    PUBLISH_NO_ROLE,          /* a reader, or admin alone */
    PUBLISH_NO_SCOPE,         /* a token that may only read */
    PUBLISH_NO_CHANNEL,       /* nothing is posted that way, or not by this kind of principal */
    PUBLISH_NO_EXERCISE_FLAG, /* takes part in no exercise */
    PUBLISH_NO_MARK,          /* the exercise side takes nothing without the exercise mark */
    PUBLISH_NO_EXERCISE,      /* the live side takes nothing with it */
    PUBLISH_NO_CEILING,       /* stricter than the poster may see */
    PUBLISH_NO_LISTENER,      /* stricter than this listener lets through */
    PUBLISH_NO_GROUP,         /* no such group, closed, or not one of the poster's */
    PUBLISH_NO_ANALYST,       /* an analyst publishes to the own organisation alone */
    PUBLISH_NO_PUBLIC,        /* the public takes CLEAR alone */
    PUBLISH_NO_NAME,          /* RED from a token or the operator without a person named */
    PUBLISH_NO_PERSON         /* the person named is none, may not read RED, or is no colleague */
};
#define PUBLISH_RULE_COUNT (PUBLISH_NO_PERSON + 1)

struct publish {
    enum publish_rule rule;
    struct audience targets[PUBLISH_TARGETS_MAX]; /* numbers not looked up: 0 */
    size_t count;                                 /* 0 when refused, or the label is not known */
};

/* The label that counts: the stricter of what the bytes say and what was asked.  What says nothing
 * gets what the operator asks for over the local socket, else never less than the way's default. */
enum tlp publish_label(const struct publish_ask *ask, const struct label *l);

void publish_decide(const struct rights *r, const struct publish_ask *ask, const struct label *l,
                    struct publish *out);

/* Whether the poster may write at all; its rights in *out where the answer is PUBLISH_YES. */
enum publish_rule publish_poster(const struct rights *r, const struct asker *poster,
                                 struct right_principal *out);

/* Whether the poster may publish to that one audience at all (publish ID --group, revoke). */
enum publish_rule publish_may(const struct rights *r, const struct asker *poster,
                              const struct audience *a);

bool publish_waits(enum publish_rule rule);
const char *publish_rule_text(enum publish_rule rule); /* one sentence */

#endif
