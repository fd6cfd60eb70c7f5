/*
 * exchange/tell.h - what is said to the writer.
 *
 * Whoever says it may have been taken over: the writer believes the sealed ticket (or the local
 * socket) about who speaks, and the bytes about what is said.  Each tell but TELL_OBJECT is
 * answered by a struct answer (ask.h) with a JSON body.  An answer without error means: on disk,
 * synced.
 *
 * A batch is named by a handle that its sender picks; handles are the connection's own.
 *
 *   BEGIN  -> {"batch":n}                       (n = 0 for a dry run, and where the poster is
 *                                              neither the operator nor own staff)
 *   OBJECT -> no answer
 *   FLUSH  -> {"batch":n,"objects":n}           all objects so far are decided and on disk, except
 *             those in the spool that wait for a marking later in the same bundle
 *   END    -> {"batch":n,"counts":{outcome:n},"state":"done"|"quarantine"|"dry run",
 *             "items":[item...]?}; for a batch with a collection: a TAXII status resource
 *   ABORT  -> {"batch":n}                       what was flushed stays; the rest is dropped
 *
 *   item = {"n","id"?,"version"?,"outcome","messages":[{"pointer"?,"rule"?,"clause"?,"text"}],
 *           dry runs: "audiences":[{"label","group","exercise"?,"readers":[organisation...],
 *           "newly":[those who could read no earlier publication of it]}],
 *           "unseen_refs":[{"id","readers":who may not see it}]}
 *   outcome = "new" | "new version" | "known" | "variant" | "copy" | "proposal" |
 *             "duplicate in the file" | "kept with defect" | "waiting" | "refused"
 *
 *   DELETE   -> {"erased":n}; for a collection's DELETE the body is not shown to the client
 *   PUBLISH  -> {"id","audiences":[{"label","group"}],"outcome"}
 *   REVOKE   -> {"id","version","audiences":[...]}
 *   WITHDRAW -> {"id","erased":n,"copies":n,"served":[{"principal","organisation","when"}],
 *                "edges":[id...],"note"}
 *   UNDO     -> {"batch":n,"erased":n,"served":[...],"later":[n...],"note"}
 *   RELEASE  -> {"batch":n,"counts":{outcome:n}}
 *   DECIDE   -> {"n","outcome"}
 *   PULL_*   -> what pull.h has, as bytes, and nothing but {} for FAILED; none for PIECE and BODY
 *   ADMIN    -> {"kind","name"}, "principal":n and "epoch":n for users and tokens, which auth
 * needs; "appears":n where a grant makes n older publications appear SERVED, AUDIT -> {} BACKUP ->
 * {"file","bytes":n} TICK     -> {"more":bool}: slices of grants are left to do
 */
#ifndef JAGA_EXCHANGE_TELL_H
#define JAGA_EXCHANGE_TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "ask.h"
#include "buf.h"
#include "err.h"
#include "span.h"
#include "taxii_query.h"

#define TELL_MAX       (17u << 20) /* bytes of a message: an object of 16 MiB and its index rows */
#define TELL_TEXT_MAX  4096        /* bytes of each short field */
#define TELL_PAIRS_MAX 64
#define TELL_MARKS_MAX 4096

enum tell_verb {
    TELL_NONE,
    TELL_BEGIN,
    TELL_OBJECT,
    TELL_FLUSH,
    TELL_END,
    TELL_ABORT,
    TELL_DELETE,   /* collection, id, q (version and spec filters) */
    TELL_PUBLISH,  /* id, label?, group, person?: its best version that the caller sees */
    TELL_REVOKE,   /* id */
    TELL_WITHDRAW, /* id */
    TELL_UNDO,     /* number: a batch */
    TELL_RELEASE,  /* number: a batch in quarantine */
    TELL_DECIDE,   /* number: a pending row; text "accept" | "drop"; label, group; local only */
    TELL_ADMIN,    /* kind, act, name, pairs; local only */
    TELL_SERVED,   /* marks, from a reader */
    TELL_AUDIT,    /* name = who, text = act, id = what; result in label: "refused" | "done" */
    TELL_BACKUP,   /* text: a path; local only */
    TELL_TICK,     /* from the writer's own loop: time has passed, go on with slices */

    /* From fetch, and from nobody else: rounds with members (pull.h).  id is the member, its 16
     * bytes. */
    TELL_PULL_LIST,
    TELL_PULL_BEGIN,
    TELL_PULL_PIECE,  /* payload: the next bytes of the answer to the last question */
    TELL_PULL_BODY,   /* payload: an intake_msg, of one body in that answer */
    TELL_PULL_TOOK,   /* that was all of it */
    TELL_PULL_FAILED, /* number: enum pull_fault; text: why */
    TELL_VERBS
};

enum tell_kind {
    TELL_K_NONE,
    TELL_K_ORG,   /* title, identity (a STIX id; made when absent), member_of (a constituent's
                   * member) */
    TELL_K_GROUP, /* title, charter, sees_past ("yes" | "no"), member+ / member- (an organisation;
                   * repeated), profile ("normal" | "strict": of what is posted there) */
    TELL_K_USER,  /* title, role, organisation, staff, ceiling (a label), exercise, quarantine,
                   * disabled, ends, profile */
    TELL_K_TOKEN, /* user, scope ("read" | "write" | "read,write"), ends (RFC 3339), ceiling, staff,
                   * exercise, group (limits it to one) */
    TELL_K_SETTING, /* value */
    TELL_K_BINDING, /* organisation; the name is the identity's STIX id */
    TELL_KINDS
};

enum tell_act { TELL_A_NONE, TELL_A_ADD, TELL_A_SET, TELL_A_REMOVE, TELL_ACTS };

struct tell_pair {
    struct span key, value;
};

struct tell_mark { /* a principal was served rows of an audience up to this arrival */
    uint64_t principal, audience;
    int64_t arrival_us, when_us;
    int64_t since_us; /* the first time since the mark that was told before */
};

enum tell_profile { TELL_P_NORMAL, TELL_P_STRICT, TELL_PROFILES };

struct tell {
    enum tell_verb verb;
    uint32_t handle;    /* batch verbs */
    struct span ticket; /* empty: nobody, or a local caller */
    bool exercise;

    /* BEGIN */
    struct span source; /* a file's name, "POST", ...: for reports */
    enum tell_profile profile;
    bool quarantine, dry, items;
    bool keep_narrow;                 /* keep own objects that refer to something narrower */
    struct span label, group, person; /* asked; empty: the defaults */
    struct span collection;           /* TAXII: its id */

    /* OBJECT */
    struct span payload; /* an intake_msg */

    /* the other verbs, as said beside them */
    struct span id, text, name;
    uint64_t number;
    struct taxii_query q;
    enum tell_kind kind;
    enum tell_act act;
    const struct tell_pair *pairs;
    size_t pair_n;
    const struct tell_mark *marks;
    size_t mark_n;
};

void tell_encode(const struct tell *t, struct buf *out);
/* Lists live in a; spans borrow from the message. */
int tell_decode(struct span message, struct arena *a, struct tell *out, struct err *e);

/* The first value of that key; {NULL, 0} where there is none. */
struct span tell_value(const struct tell *t, const char *key);

#endif
