/*
 * exchange/ask.h - a question to a reader, and what comes back.
 *
 * A message says nothing about who is asking but the sealed ticket that auth gave; whether it came
 * over the local socket is known by the socket, not by the message (struct caller, exchange.h).
 * Every length is checked, every list is bounded, nothing is left behind the last field.
 *
 * The answer's body is JSON written straight into the caller's buf (which may be shared memory).
 * For the TAXII verbs it is the complete TAXII 2.1 resource.  For the others the shapes stand
 * beside the verbs; "row" is
 *
 *   {"id","type","name","label":"GREEN","group":"region","version","date_added","publisher",
 *    "revoked":bool,"exercise":bool,"batch":n,"defects":n,"value"?,"external_id"?}
 *
 * where version is modified, else created, else the date added; name is what a person would call
 * the object (its name, value, or pattern; cut at 200 characters); batch is given to the local
 * caller and to staff of the node's own organisation alone.  Members that do not apply are left
 * out.
 */
#ifndef JAGA_EXCHANGE_ASK_H
#define JAGA_EXCHANGE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "span.h"
#include "taxii_query.h"

#define ASK_MAX        8192 /* bytes of an encoded question: what one request of a ring holds */
#define ASK_TEXT_MAX   1024 /* bytes of each short field */
#define ASK_TICKET_MAX 512

enum ask_verb {
    ASK_NONE,

    /* TAXII 2.1.  Missing and hidden are one: ERR_MISSING. */
    ASK_COLLECTIONS, /* {"collections":[collection...]} */
    ASK_COLLECTION,  /* collection: its id, or an alias ("all", "public", a group's name) */
    ASK_OBJECTS,     /* collection, q: an envelope; answer.more, first_us, last_us */
    ASK_MANIFEST,    /* collection, q: {"more"?,"next"?,"objects":[...]} */
    ASK_OBJECT,      /* collection, id, q: an envelope */
    ASK_VERSIONS,    /* collection, id, q: {"more"?,"next"?,"versions":[...]} */
    ASK_STATUS,      /* id: a status resource, for its poster alone */

    /* Objects, for the command line and the pages. */
    ASK_GET,     /* id, versions: {"objects":[the bytes...]}, best version first; versions: all */
    ASK_SEARCH,  /* f, limit, next: {"objects":[row...],"more":bool,"next"?}, newest first */
    ASK_LATEST,  /* limit: as search, without a filter */
    ASK_EXPORT,  /* f, limit, next: {"objects":[the bytes...],"more":bool,"next"?}, oldest first,
                  * what the channel allows to leave; each object at its best version */
    ASK_SHOW,    /* id: {"object":the bytes, "row":row,
                  *   "versions":[{"version","date_added","revoked","label","group","best":bool}],
                  *   "relations":[{"kind","direction":"out"|"in","id","by"?: the relationship,
                  *     "row"?}] (at most limit coming in), "next"?,
                  *   "relations_more":bool,
                  *   "audiences":[{"label","group","publisher","date_added","readers":"sentence"}],
                  *   "defects":[{"pointer","rule","clause","text"}]} */
    ASK_RELATED, /* id, limit, next: {"id","relations":[as above],"more":bool,"next"?} */
    ASK_LOG,     /* id: {"id","events":[{"time","what","label"?,"group"?,"publisher"?,"batch"?,
                  *   "version"?,"by"?}]}, oldest first; local only: erasures and withdrawn ids too */
    ASK_WHO,     /* id; local or staff of the publisher: {"id","audiences":[{"label","group",
                  *   "organisations":[...],"principals":[{"name","organisation","staff"}]}],
                  *   "served":[{"principal","organisation","label","group","until","when"}]} */
    ASK_WHY,     /* id, text = a principal; local only: {"id","principal","sees":bool,"why"} */
    ASK_COUNTS,  /* {"total":n,"labels":{"CLEAR":n,...},"types":{"indicator":n,...}} in the view;
                  * what stands in several audiences counts in each */

    /* The node; local or role admin unless said. */
    ASK_REPORT,  /* number: {"batch":n,"source","by","time","state":"done"|"quarantine"|"undone"|
                  *   "released","counts":{outcome:n},"causes":[{"outcome","rule","clause","text",
                  *   "count"}],"items":[{"n","id"?,"version"?,"outcome","pointer"?,"rule"?,
                  *   "clause"?,"text"?}],"more":bool,"next"?}; also for the poster of the batch
                  *   who is staff of the own organisation: a number counts what others sent */
    ASK_BATCHES, /* limit, next: {"batches":[{as above without causes and items}],"more","next"?} */
    ASK_PENDING, /* limit, next: {"pending":[{"n","id","type","reason","text","time","batch",
                  *   "by","marking"?,"asked_label"?,"asked_group"?}],"more","next"?} */
    ASK_LIST,    /* text = "users"|"tokens"|"groups"|"orgs"|"settings"|"bindings":
                  *   {"users":[{"name","role","organisation","staff","ceiling","exercise"}]}
                  *   {"tokens":[{"name","user"?,"scope","ends"?,"organisation","ceiling","group"?}]}
                  *   {"groups":[{"name","title","charter","sees_past":bool,"generation":n,
                  *     "members":[name...],"builtin":bool}]}
                  *   {"orgs":[{"name","title","identity"?,"member_of"?,"own":bool}]}
                  *   {"settings":{name:value}}   {"bindings":[{"identity","organisation"}]} */
    ASK_AUDIT, /* limit, next: {"audit":[{"n","time","by","act","what","result"}],"more","next"?} */
    ASK_HEALTH, /* anybody: {"node","organisation","country","contact","version","public":bool,
                 *   "ok":bool,"objects":n (for those logged in: in their view)}; local: also
                 *   "problems":[{"text","command"}],"publications","pending","batches" */
    ASK_SELF,   /* {"name","organisation","role","staff":bool,"channel","ceiling","exercise":bool,
                 *   "groups":[...],"collections":[{"id","title","alias","can_write":bool}]} */
    ASK_PROOF,  /* id; local only: {"id","proof": a file as in ledger/proof_file.h}, of the best
                 * version; ERR_BUSY: it is not signed yet */
    ASK_VERBS
};

/* What search and export look for; empty and zero fields do not restrict.  All that are given must
 * hold at once. */
struct ask_filter {
    struct span text;  /* trigrams of a text in any script; under three characters: scanned */
    struct span value; /* an observable's value, also defanged; a network "198.51.100.0/24" */
    struct span type, id, label;    /* label: one of the object's "labels" */
    struct span tlp;                /* "GREEN": at most as strict as the audience that shows it */
    struct span publisher, creator; /* a name or an identity's id */
    struct span external;           /* "CVE-2024-1", "T1566" */
    struct span defect;             /* a rule's name, or "*" */
    struct span group;
    int64_t since_us, until_us; /* by arrival; 0: open */
    uint64_t batch;
    bool confidence;
    uint8_t confidence_min, confidence_max;
    bool revoked; /* list revoked ones alone */
};

struct ask {
    enum ask_verb verb;
    struct span ticket; /* empty: nobody, or a local caller */
    struct span as;     /* local callers only: whose eyes to look through */
    bool exercise;      /* the exercise side, for those who are flagged for it */
    bool versions;
    struct span collection, id, text;
    struct taxii_query
        q; /* TAXII verbs: filters, added_after, limit, next; limit and next for all */
    struct ask_filter f;
    uint64_t number;
    uint32_t bytes; /* longest body that the sender can take; 0: the buffer alone limits */
};

/* Where q.next is given, the filters of q stay behind: next carries its own. */
void ask_encode(const struct ask *q, struct buf *out);
/* Lists live in a; spans borrow from the message.  ERR_PROTOCOL for anything that ask_encode would
 * not have written. */
int ask_decode(struct span message, struct arena *a, struct ask *out, struct err *e);

/* The answer to an ask and to a tell. */
struct answer {
    enum err_code status; /* ERR_NONE: the body is there */
    struct span text;     /* of an error, for people */
    struct span place;
    int64_t first_us, last_us; /* dates of the first and last row of a page; 0: an empty page.
                                * last_us is already rounded as X-TAXII-Date-Added-Last wants it */
    bool more;
    bool body_cut; /* reserved for senders: the body went another way (shared memory) */
    struct span body;
};

#define ANSWER_TEXT_MAX 512

/* With or without the body's bytes (without: its length still travels, in body.n, p is NULL). */
void answer_encode(const struct answer *w, bool with_body, struct buf *out);
int answer_decode(struct span message, struct answer *out, struct err *e);

#endif
