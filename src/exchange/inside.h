/*
 * exchange/inside.h - what the files of this room share; no other room sees it.
 */
#ifndef JAGA_EXCHANGE_INSIDE_H
#define JAGA_EXCHANGE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "audience.h"
#include "exchange.h"
#include "json.h"
#include "json_write.h"
#include "map.h"
#include "rights.h"
#include "stix_facts.h"
#include "stix_object.h"
#include "store.h"
#include "store_page.h"
#include "store_put.h"
#include "store_rights.h"
#include "taxii_next.h"
#include "ticket.h"
#include "view.h"

#define VIEWS_KEPT   64           /* views of different askers that a process remembers */
#define FOUND_KEPT   64           /* collections, each under what it was asked for by */
#define VIEW_KEPT_US 1000000      /* how late an expired account may be noticed */
#define RIGHTS_ARENA (256u << 20) /* ceilings: of all rights ... */
#define VIEW_ARENA   (64u << 20)  /* ... of one view */
#define COMMIT_ARENA (192u << 20) /* ... of the rows of one commit */
#define COMMIT_BYTES (24u << 20)  /* rows of a commit are written when they reach this */
#define PAGE_DEFAULT 100          /* objects of a page where no limit is sent */
#define LIST_DEFAULT 50           /* entries of the other lists */
#define LIST_MAX     1000
#define NEXT_KEYS    2

/* Settings of the store that this room keeps for itself begin with "node." and "key.". */
#define SETTING_NAME     "node.name"
#define SETTING_COUNTRY  "node.country"
#define SETTING_CONTACT  "node.contact"
#define SETTING_IDENTITY "node.identity"
#define SETTING_READY    "node.ready"    /* its first words are said */
#define SETTING_SIGN_KEY "node.sign-key" /* the public key that heads are signed with, hex */
#define SETTING_KEY      "key.next"      /* two keys of taxii_next, the newest first */
#define SETTING_PUBLIC   "public"        /* "open": nobody may read what is CLEAR for the public */
#define SETTING_DEFAULT  "default-label" /* of what has no label; absent: AMBER+STRICT */
#define SETTING_STRICT                                                                             \
    "profile" /* "strict": what comes in must keep every must-rule; also                           \
               * "profile.principal.N", "profile.group.N" */

/* Rights as they stood at a version of the store, with the names that people use. */
struct cast {
    struct arena *arena;
    uint64_t version;
    struct rights rights;
    const struct audience *audiences;
    size_t audience_count;
    const struct view_grant *grants;
    size_t grant_count;
    struct store_org *orgs;
    size_t org_count;
    struct store_principal *principals;
    size_t principal_count;
    struct store_group *groups;
    size_t group_count;
};

struct view_slot {
    bool set;
    struct asker who; /* now_us is not compared */
    uint32_t group;   /* of a collection; 0: all */
    uint64_t version;
    int64_t built_us;
    uint64_t used;
    struct arena *arena;
    struct view view;
};

enum collection_kind { COLLECTION_ALL, COLLECTION_PUBLIC, COLLECTION_GROUP };

struct collection {
    enum collection_kind kind;
    bool exercise;
    uint32_t group; /* 0 for COLLECTION_ALL */
    char id[UUID_TEXT + 1];
    char alias[STORE_NAME_MAX + 16];
    bool can_write;
};

/* A collection that was found: with hundreds of groups looking it up costs more than a page. */
struct found_slot {
    bool set;
    struct asker who; /* now_us is not compared */
    uint64_t version;
    int64_t built_us;
    char name[STORE_NAME_MAX + 16]; /* id or alias, as asked for */
    struct collection collection;
};

struct members;
struct peers;
struct sync_server;

struct exchange {
    struct store *store;
    bool writer;
    bool looking; /* a reader: the store's transaction may outlive a question */
    const struct clock *clock;
    struct key ticket_key;
    struct key next_keys[NEXT_KEYS];
    size_t next_key_count;
    struct uuid identity; /* of the node's own organisation */
    char identity_id[STIX_ID_MAX + 1];
    char *name, *country, *contact; /* owned */
    bool public_open;
    enum tlp way_default;
    struct cast cast;
    struct view_slot views[VIEWS_KEPT];
    uint64_t view_clock;
    struct found_slot found[FOUND_KEPT];
    struct served *served;   /* readers */
    struct commit *commit;   /* the writer */
    struct members *members; /* who is in what; NULL: not asked yet */
    bool news;               /* ... and it may have changed since exchange_news */
    struct peers *peers;     /* the protocol between nodes; NULL: not asked yet */
    struct sync_server *server;
    bool recovering;          /* restored, and what stands outside backups is lost too */
    struct json_parser *json; /* for index rows of what is read again */
};

/* -- exchange.c ----------------------------------------------------------------------------------
 */

int64_t now_us(const struct exchange *x);
/* Brings x->cast up to what the open transaction sees. */
int cast_refresh(struct exchange *x, struct err *e);
int settings_load(struct exchange *x, struct err *e);
/* Whether the node, a principal or a group takes nothing that breaks a must-rule. */
int strict_for(struct exchange *x, uint32_t principal, uint32_t group, bool *out, struct err *e);

/* -- cast.c: names -------------------------------------------------------------------------------
 */

const struct store_org *cast_org(const struct cast *c, uint32_t number);
const struct store_principal *cast_principal(const struct cast *c, uint32_t number);
const struct store_group *cast_group(const struct cast *c, uint32_t number);
const struct store_org *cast_org_named(const struct cast *c, struct span name);
const struct store_principal *cast_principal_named(const struct cast *c, struct span name);
/* A group's name, or an organisation's: its own group. */
const struct store_group *cast_group_named(const struct cast *c, struct span name);
const struct audience *cast_audience(const struct cast *c, uint32_t number);
struct span cast_org_name(const struct cast *c, uint32_t number);   /* "?" where it is gone */
struct span cast_group_name(const struct cast *c, uint32_t number); /* own groups: the org's name */
/* The group's name; RED: the person's. */
struct span cast_audience_name(const struct cast *c, const struct audience *a);

/* -- view.c --------------------------------------------------------------------------------------
 */

/* Who asks: from the ticket, or the local socket.  ERR_AUTH: a bad ticket. */
int asker_of(struct exchange *x, const struct caller *who, struct span ticket, struct asker *out,
             int64_t *expiry_us, struct err *e);
/* Whether e is of a ticket that auth did not give so; one that is only over is no offence. */
bool ticket_forged(const struct err *e);
/* The view of who, or the part of it that is one group's (0: all); good until the next call. */
int view_of(struct exchange *x, const struct asker *who, uint32_t group, const struct view **out,
            struct err *e);
void views_forget(struct exchange *x); /* and which collections were found */
/* Whether views and collections are the same for both; now_us is not compared. */
bool same_asker(const struct asker *a, const struct asker *b);

/* -- collection.c --------------------------------------------------------------------------------
 */

/* Every collection of who, both sides; lives in a. */
int collections_of(struct exchange *x, const struct asker *who, struct arena *a,
                   struct collection **out, size_t *n, struct err *e);
/* By id or alias.  ERR_MISSING; ERR_AUTH where nobody is logged in and it is not the public one. */
int collection_find(struct exchange *x, const struct asker *who, struct span name, struct arena *a,
                    struct collection *out, struct err *e);
struct span collection_title(struct exchange *x, const struct collection *c, struct arena *a);

/* -- ask_*.c: one function for each group of verbs -----------------------------------------------
 */

struct session {
    struct exchange *x;
    const struct caller *caller;
    const struct ask *q;
    struct arena *a;
    struct buf *out;
    struct answer *w;
    struct asker asker;
    struct right_principal rights; /* of the asker, effective */
    bool known;                    /* rights is set: somebody, with an account in force */
    bool operator;                 /* the local caller, not looking as another */
};

int ask_taxii(struct session *s, struct err *e);   /* ask_taxii.c */
int ask_objects(struct session *s, struct err *e); /* ask_object.c: get, show, related, log */
int ask_finding(struct session *s, struct err *e); /* ask_find.c: search, latest, export, counts */
int ask_readers(struct session *s, struct err *e); /* ask_who.c: who, why */
int ask_proof(struct session *s, struct err *e);   /* ask_proof.c */
int ask_node(struct session *s, struct err *e);    /* ask_node.c: reports, lists, health, self */

/* The view of this session on its side (live or exercise). */
int session_view(struct session *s, const struct view **out, struct err *e);
uint32_t session_limit(const struct session *s, uint32_t standard, uint32_t most);
/* The position in q.next, or 0 where none is sent. */
int session_next(struct session *s, enum taxii_next_kind kind, struct span scope, int64_t *after,
                 struct err *e);
void put_next(struct session *s, struct json_out *o, enum taxii_next_kind kind, struct span scope,
              int64_t after);
/* Keeps in mind that the asker has been served a row. */
void served_note(struct exchange *x, uint32_t principal, uint32_t audience, int64_t until_us);
void served_free(struct served *s);
/* Keeps in mind that the asker was refused something that is there, or came with a bad ticket. */
void refused_note(struct exchange *x, uint32_t principal, const char *act, struct span what);

/* Rows kept for after the store's call, since no call of the store may stand inside another. */
#define KEPT_BYTES (48u << 20) /* of one list; it ends early there */
struct kept {
    struct arena *a;
    struct store_item *items; /* with bytes, without id and type */
    size_t n, cap;
    size_t bytes;
};
store_item_fn keep_item; /* ctx is a struct kept */
/* The best version of an id in this session's view; none: nothing is kept. */
int keep_best(struct session *s, struct span id, struct kept *k, struct err *e);

/* -- row.c ---------------------------------------------------------------------------------------
 */

/* One object of a list, as ask.h has it. */
int put_row(struct session *s, struct json_out *o, const struct store_item *it, struct err *e);
void put_time(struct json_out *o, const char *name, int64_t us);
/* A publication's version as TAXII has it: modified as written, else created, else the date. */
struct span version_text(struct span bytes, int64_t date_us, struct arena *a);
/* The values of top-level members of canonical bytes, raw; {NULL, 0}: none. */
void top_members(struct span bytes, const char *const *names, size_t n, struct span *out);
struct span top_member(struct span bytes, const char *name);
/* The text of a top-level string, unescaped into a. */
struct span top_text(struct span bytes, const char *name, struct arena *a);

/* -- index.c -------------------------------------------------------------------------------------
 */

/* The store's callback: index rows from bytes alone.  ctx is the exchange. */
store_index_fn index_rows;
/* Numbers of the properties that refer. */
#define EDGE_EXTENSION 65534u /* no reference: the object uses that extension-definition */
uint32_t edge_kind(struct span property);
int index_edges(const struct stix_facts *f, struct arena *a, struct store_index *out,
                struct err *e);

#endif
