/*
 * exchange/batch.h - what comes in together: from BEGIN to END, and what became of each object.
 */
#ifndef JAGA_EXCHANGE_BATCH_H
#define JAGA_EXCHANGE_BATCH_H

#include "commit.h"
#include "inside.h"
#include "intake.h"
#include "label.h"
#include "publish.h"
#include "say.h"
#include "store_audit.h"
#include "store_batch.h"

/* The numbers are stored: never change one, only add. */
enum outcome {
    OUT_NEW = 1,
    OUT_NEW_VERSION = 2,
    OUT_KNOWN = 3,
    OUT_VARIANT = 4,
    OUT_COPY = 5,
    OUT_PROPOSAL = 6,
    OUT_DUPLICATE = 7,
    OUT_DEFECT = 8,
    OUT_WAITING = 9,
    OUT_REFUSED = 10
};
#define OUTCOMES 11

const char *outcome_name(enum outcome o);

#define SPOOL_BYTES    (64u << 20) /* of objects that wait within one batch for what they name */
#define SPOOL_OBJECTS  50000
#define SPOOL_KEPT     (16u << 20) /* of them and what was read from them, so that it is read once */
#define SPOOL_KEPT_ONE (64u << 10) /* a longer message is read anew: few are so long */
#define SPOOL_WAKES    8      /* an object that names more is decided at the end of the batch */
#define OVERLAY_MAX    200000 /* objects that a dry run keeps in mind */
#define ITEMS_BYTES    (12u << 20) /* of the items in one answer */
#define CAUSES_MAX     512         /* different causes that one batch counts apart */
#define NOTES_MAX      96          /* of one object, the writer's own among them */

/* How a batch's objects are to be put; kept with what waits. */
#define NOT_THERE UINT32_MAX /* a number that no group and no person has */

struct way {
    struct asker asker;
    bool asked; /* a label was asked for */
    enum tlp label;
    uint32_t group, person;
    uint64_t batch; /* what it belongs to where none is under way; not kept */
    bool quarantine, keep_narrow, strict, dry;
    bool released; /* out of quarantine, with its batch; not kept */
    bool decided;  /* the operator has read it: what its markings leave open stops it no more */
};

void way_encode(const struct way *w, struct buf *out);
int way_decode(struct span s, struct way *out, struct err *e);
struct batch;
uint64_t way_batch(const struct batch *b, const struct way *way);

/* Waits within its batch for what it names: a marking, or an object that it refers to. */
struct spooled {
    struct spooled *prev, *next; /* in the order of the file */
    struct spooled *chain;       /* others that wait for the same id, or the queue of the ready */
    uint64_t index;
    char *payload; /* owned; NULL: put and r are kept */
    size_t n;
    struct putting *put;
    const struct intake_result *r;
    unsigned wakes; /* how often it was looked at before the end */
    char id[STIX_ID_MAX + 1];
    size_t resume; /* references before this one are here */
    bool edge;
};

/* What the store does not hold: put earlier in a dry run, or expected. */
struct overlay {
    size_t next; /* the next one of the same id, from 1; 0: none */
    struct audience audience;
    struct hash hash;
    struct instant modified;
    bool owner;
    bool expected;     /* not put yet: it waits in the spool, and this is where it will go */
    struct span bytes; /* of markings and extensions alone */
};

struct cause {
    enum outcome outcome;
    const char *rule, *clause, *text; /* in the batch's arena */
    uint64_t count;
};

/* What is to be said of one object. */
struct verdict_item {
    enum outcome outcome;
    struct span id, version;
    struct store_note notes[NOTES_MAX];
    size_t note_count;
    size_t defect_notes; /* the first of them, which intake made */
    bool broken;         /* a must-rule is: the object is kept with its defects */
    /* dry runs */
    struct audience targets[PUBLISH_TARGETS_MAX];
    size_t target_count;
    const struct audience *seen;
    size_t seen_count;
    const struct span *unseen;
    size_t unseen_count;
};
/* Forgets the last object; lists that are counted keep what they hold. */
void verdict_reset(struct verdict_item *v);

struct batch {
    struct batch *next;       /* of the link */
    struct batch *next_dirty; /* of the commit */
    bool dirty;
    struct exchange *x;
    struct arena *arena;
    uint32_t handle;
    uint64_t number; /* 0: a dry run */
    struct way way;
    int64_t expiry_us; /* of the ticket */
    bool taxii, items, quarantine;
    bool numbered;             /* the poster may know the batch's number */
    char token[UUID_TEXT + 1]; /* TAXII's status id */
    int64_t begun_us;
    uint64_t objects;
    uint64_t counts[OUTCOMES];
    struct verdict_item verdict; /* of the object being decided: large, and so not on the stack */
    struct cause *causes;        /* not yet written */
    size_t cause_count;
    struct spooled *spool, *spool_last;
    struct spooled *ready, *ready_last; /* what they waited for has come */
    struct spooled *soon, *soon_last;   /* ... and they are kept: decided with the next message */
    struct arena *kept;                 /* what was read from objects that wait */
    uint64_t kept_commit;               /* the commit that took the last of them */
    bool keeping;                       /* the last object had to wait */
    size_t spool_bytes, spool_count;
    struct map *awaited;  /* id -> the first that waits for it (a pointer) */
    struct map *in_spool; /* ids of what waits -> how many */
    struct map *wanted;   /* definitions that went into an audience before they came: id -> first
                           * entry of wants */
    struct want *wants;
    size_t want_count, want_cap;
    struct map *overlaid; /* id -> first entry of overlay, from 1 */
    struct overlay *overlay;
    size_t overlay_count, overlay_cap;
    struct map *meanings;  /* markings already resolved: kind | tlp << 8 */
    struct map *went;      /* (definition, audience) that went along already */
    struct span *markings; /* ids of marking-definitions put in this batch */
    size_t marking_count, marking_cap;
    struct buf items_out; /* JSON, without brackets */
    bool items_cut;
    struct err broken; /* a commit failed: nothing more is taken */
};

struct want {
    size_t next;
    struct audience audience;
};

struct pull;

struct exchange_link {
    struct exchange *x;
    struct caller caller;
    struct batch *batches;
    struct pull *pull; /* fetch's; NULL: nothing was pulled yet */
};

void note_add(struct verdict_item *v, const char *rule, const char *clause, struct span pointer,
              struct span text);

/* -- put.c: one object ----------------------------------------------------------------------- */

enum put_when {
    PUT_NOW,  /* more may come: PUT_SPOOL where it would help */
    PUT_LAST, /* nothing more comes but what is in the spool */
    PUT_FINAL /* decide, or let it wait in pending */
};
enum put_done {
    PUT_DONE,
    PUT_SPOOL /* not decided: *block says what it waits for */
};
struct put_block {
    struct span id;
    size_t resume; /* in and out: references before this one have been found */
};

struct putting;

/* Decides about one object and puts it.  r and all in it live in the commit's arena.  batch may be
 * NULL for what the node itself says.  -1: the transaction is of no use any more. */
int put_object(struct exchange *x, struct batch *b, const struct way *way,
               const struct intake_result *r, enum put_when when, enum put_done *done,
               struct put_block *block, struct verdict_item *v, struct err *e);

/* The same in two steps, the second as often as it ends with PUT_SPOOL.  r, way and keep live until
 * the commit after the last; what is read from the object lies in keep. */
struct putting *put_new(struct exchange *x, struct batch *b, const struct way *way,
                        const struct intake_result *r, struct arena *keep, struct err *e);
int put_go(struct putting *p, enum put_when when, enum put_done *done, struct put_block *block,
           struct verdict_item *v, struct err *e);

/* Where an object that waits in the spool will go, as far as its labels say. */
int put_expect(struct exchange *x, struct batch *b, const struct intake_result *r, struct err *e);

/* Appends bytes to an audience without asking anybody: for what has been decided already. */
struct put_plain {
    const struct stix_facts *facts;
    struct span bytes;
    const struct hash *hash;
    const struct store_index *index;
    const struct audience *audience;
    int confidence;
    bool owner;
    uint64_t batch;
    /* Of another's stream (store_put.h): */
    uint32_t publisher; /* 0: said here */
    uint64_t group_version;
    const struct store_from *from;
};
/* Whether versions of it have an order; others are contents, each listed. */
bool put_is_versioned(const struct stix_facts *f);
int put_row_plain(struct exchange *x, const struct put_plain *p, size_t *at, struct err *e);
/* The audience's number, made where there is none. */
int audience_number(struct exchange *x, struct audience *a, struct err *e);

/* The bytes of a definition that every node knows; {NULL, 0}: none. */
struct span builtin_bytes(struct span id);

/* -- seen.c: what the poster sees of an id ----------------------------------------------------- */

struct seen {
    struct said *said; /* publications that he sees, those of a dry run too */
    uint64_t *p;       /* of each; 0: of this commit, or a dry run's */
    uint64_t *batch;
    bool *owner;
    uint32_t *creator; /* of those that rank as the creator's own: its organisation */
    size_t n, cap;
    struct span bytes; /* of the oldest, where asked for; copied into the arena */
};
#define SEEN_BYTES    1u /* the bytes of the oldest */
#define SEEN_EXPECTED 2u /* what waits in the batch's spool, too */
#define SEEN_PLACES   4u /* audiences alone: neither hashes nor creators are read */
int seen_find(struct exchange *x, struct batch *b, const struct asker *who, struct span id,
              unsigned want, struct arena *a, struct seen *out, struct err *e);
/* Audiences of what is seen, as an array in a. */
const struct audience *seen_audiences(const struct seen *s, struct arena *a);
int overlay_add(struct batch *b, struct span id, const struct overlay *o, struct err *e);

/* -- spool.c ----------------------------------------------------------------------------------- */

/* put: what is kept of it with r, or NULL: it will be read anew from a copy of its payload. */
int spool_add(struct batch *b, struct span payload, const struct put_block *block,
              const struct intake_result *r, struct putting *put, struct err *e);
/* Decides about those that are ready and have been read already. */
int spool_soon(struct batch *b, struct err *e);
/* An id has come: who waits for it is ready. */
void spool_arrived(struct batch *b, struct span id);
/* Decides about those that are ready; final: about all. */
int spool_run(struct batch *b, bool final, struct err *e);
bool spool_full(const struct batch *b);
void spool_clear(struct batch *b);
/* Decides about one object (batch.c), for the spool. */
int batch_decide(struct batch *b, uint64_t index, struct putting *p, enum put_when when,
                 enum put_done *done, struct put_block *block, struct err *e);
/* A copy of the payload in a, and what it says. */
int batch_decode(struct span payload, struct arena *a, struct intake_result *r, struct err *e);

/* -- batch.c ----------------------------------------------------------------------------------- */

/* Counts and notes what became of an object. */
int batch_note(struct batch *b, uint64_t index, const struct verdict_item *v, struct err *e);
/* Writes what has been counted since the last time; in the open transaction. */
int batch_write_causes(struct batch *b, struct err *e);
struct batch *batch_find(struct exchange_link *l, uint32_t handle);
/* A definition that is not here yet is wanted in an audience, should it come. */
int batch_want(struct batch *b, struct span id, const struct audience *target, struct err *e);
/* *fresh: this is the first time that the batch takes id along into target. */
int batch_went_along(struct batch *b, struct span id, const struct audience *target, bool *fresh,
                     struct err *e);
void batch_free(struct batch *b);
void batch_dirty(struct batch *b);

int tell_begin(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
               struct err *e);
int tell_object(struct exchange_link *l, const struct tell *t, struct err *e);
int tell_flush(struct exchange_link *l, const struct tell *t, struct buf *out, struct err *e);
int tell_end(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
             struct err *e);
int tell_abort(struct exchange_link *l, const struct tell *t, struct buf *out, struct err *e);

/* -- status.c: TAXII's status resource ----------------------------------------------------------
 */

int put_status(struct exchange *x, const struct store_batch *b, const struct asker *poster,
               struct arena *a, struct buf *out, struct err *e);

/* -- pending.c -----------------------------------------------------------------------------------
 */

int pending_keep(struct exchange *x, struct batch *b, const struct way *way, uint64_t index,
                 const struct intake_result *r, enum store_wait reason, struct span marking,
                 struct err *e);
/* What intake would say of the bytes of the publication p, in the commit's arena. */
int result_of_bytes(struct exchange *x, struct span bytes, uint64_t p, struct intake_result *r,
                    struct err *e);
/* Puts what waits again.  way: over the one it was kept with (NULL: that one). */
int pending_retry(struct exchange *x, uint64_t n, const struct way *way, enum outcome *what,
                  struct err *e);
/* A marking has come: all that waits for it. */
int pending_marking(struct exchange *x, struct span marking, struct err *e);

/* -- act.c, erase.c, admin.c: the other tells ---------------------------------------------------
 */

int tell_publish(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
                 struct err *e);
int tell_revoke(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
                struct err *e);
int tell_erase(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
               struct err *e); /* delete, withdraw, undo */
int tell_pending(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
                 struct err *e); /* release, decide */
int tell_admin(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
               struct err *e);

/* {"pointer"?,"rule"?,"clause"?,"text"} */
void put_note(struct json_out *o, const struct store_note *note);
/* name: organisations that may read a and could read none of seen. */
/* Who was served, up to what and when; as an object. */
void put_mark(struct exchange *x, struct json_out *o, const struct audience *a,
              const struct store_served *m);
void put_readers(struct exchange *x, struct json_out *o, const char *name, const struct audience *a,
                 const struct audience *seen, size_t n);
/* {"label","group","exercise"?,"readers":[...],"newly":[those who read none of seen]} */
void put_audience(struct exchange *x, struct json_out *o, const struct audience *a,
                  const struct audience *seen, size_t n);

/* -- make.c ----------------------------------------------------------------------------------- */

/* The first words of a new node: what every node holds from the start, and its own identity.  Said
 * at the first opening, so that one that was cut short while it was made is made whole. */
int make_whole(struct exchange *x, struct err *e);

/* Who speaks; ERR_AUTH for a bad ticket. */
int teller_of(struct exchange_link *l, const struct tell *t, struct asker *out, int64_t *expiry_us,
              struct err *e);
int audit(struct exchange *x, uint32_t principal, const char *act, struct span what,
          const char *result, struct err *e);

/* -- pull.c: rounds with members --------------------------------------------------------------- */

int tell_pull(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
              struct err *e);
/* PIECE and BODY: what is wrong with them is told at TOOK. */
void tell_pull_part(struct exchange_link *l, const struct tell *t);
void pull_free(struct pull *p);

#endif
