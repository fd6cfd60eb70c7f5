/*
 * tests/exchange/leak_model.h - who may see what, once more and as plainly as possible.
 *
 * Written from the text of the policy alone, not from the product's code, and without its headers:
 * everything stands in arrays, every question goes through all of them.  The leak test leads a
 * random history through the product and through this, and compares.
 *
 * Organisations, principals, groups and generations are named by the product's numbers.
 */
#ifndef JAGA_TESTS_LEAK_MODEL_H
#define JAGA_TESTS_LEAK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { M_CLEAR, M_GREEN, M_AMBER, M_STRICT, M_RED };
enum m_org_kind { M_NO_ORG, M_OWN, M_MEMBER, M_CONSTITUENT, M_PARTNER };
enum m_who_kind { M_NO_WHO, M_PERSON, M_TOKEN, M_OPERATOR, M_NOBODY };
enum m_group_kind { M_NO_GROUP, M_PUBLIC, M_REGION, M_ORG_GROUP, M_NAMED };
enum m_channel { M_BY_SESSION, M_BY_TOKEN, M_BY_EXPORT, M_BY_LOCAL };

#define M_READER    1u
#define M_ANALYST   2u
#define M_PUBLISHER 4u
#define M_ADMIN     8u

#define M_ORGS    16
#define M_WHO     64
#define M_GROUPS  32
#define M_GENS    128
#define M_IDS     700
#define M_MARKS   8
#define M_REFS    4
#define M_TARGETS 2

struct m_org {
    enum m_org_kind kind;
    int member; /* a constituent's member */
    bool gone;
    int own_group;
};

struct m_who {
    enum m_who_kind kind;
    int org;
    unsigned roles;
    bool read, write; /* a token's scope */
    int owner;        /* a token's */
    int only_group;   /* a token's */
    bool staff, exercise, quarantine, disabled;
    int ceiling;
};

struct m_group {
    enum m_group_kind kind;
    int org; /* M_ORG_GROUP */
    int gen; /* the present one */
    bool past;
    bool closed;
};

struct m_gen {
    int group;
    bool in[M_ORGS];
};

struct m_aud {
    int label, group, gen, person;
    bool exercise;
};

/* One content: an id, and bytes. */
struct m_content {
    int id;
    char *text; /* canonical */
    size_t size;
    uint8_t hash[32];
    bool versioned; /* has modified */
    bool sco;       /* has neither modified nor created */
    bool edge;      /* a relationship or sighting */
    bool defect;
    bool revoked;
    int64_t modified_us; /* or created */
    int creator;         /* organisation that created_by_ref is bound to; 0: none */
    int label;           /* the strictest that it says itself; -1: none */
    bool unclear, exercise;
    int marks[M_MARKS]; /* ids of the marking-definitions that it names, known ones too */
    int mark_n;
    int refs[M_REFS]; /* ids */
    int ref_n;
};

struct m_id {
    char *text;
    bool builtin; /* a marking that everybody knows */
    int means;    /* marking-definitions: a label, or -1: restricts nobody */
    int bytes;    /* ... and its only content */
    int first;    /* row, from 1 */
};

/* A publication, or the erasure of one. */
struct m_row {
    int content;
    struct m_aud aud;
    int org, who; /* that posted it */
    uint64_t batch;
    bool owner; /* by the bound creator */
    bool gone;
    bool erase;
    uint64_t target; /* ... of that publication */
    int next;        /* row of the same id, from 1; 0: none */
    bool matched;    /* found in the store: what stands below is known, else guessed */
    uint64_t p, seq;
    int64_t arrival_us;
};

/* What opened an audience later: rows before `from` appear at dates of their own. */
struct m_slice {
    uint64_t from, n;
    int64_t base_us;
};
enum { M_TO_ORG = 1, M_TO_WHO = 2, M_TO_NOBODY = 3 };
struct m_grant {
    struct m_aud aud;
    int to, number;
    uint64_t from;
    struct m_slice slices[8];
    int slice_n;
};

struct m_asker {
    int who;
    enum m_channel channel;
    int listener; /* its ceiling */
    bool exercise;
};

struct m_way { /* how something is posted */
    struct m_asker asker;
    int asked; /* a label; -1: none */
    int group, person;
    bool quarantine, keep_narrow, decided, released;
};

struct m_pending {
    bool there;
    int content;
    struct m_way way;
    int reason;
    int marking; /* id waited for; 0: none */
    uint64_t batch;
};

struct model {
    struct m_org orgs[M_ORGS];
    struct m_who who[M_WHO];
    struct m_group groups[M_GROUPS];
    struct m_gen gens[M_GENS];
    bool open; /* the public collection, for nobody */
    int way_default;
    struct m_id ids[M_IDS]; /* from 1 */
    int id_n;
    struct m_content *contents; /* from 1 */
    int content_n, content_cap;
    struct m_row *rows; /* in the order of their making */
    int row_n, row_cap;
    struct m_grant *grants;
    int grant_n;
    struct m_pending *pending;
    int pending_n, pending_cap;
    /* Whether a content stands in an audience already, as the store has it: breaks ties between
     * audiences that are equally good for an edge. */
    bool (*stands)(void *ctx, int content, const struct m_aud *a);
    void *stands_ctx;
};

enum m_outcome {
    M_OUT_NEW = 1,
    M_OUT_NEW_VERSION,
    M_OUT_KNOWN,
    M_OUT_VARIANT,
    M_OUT_COPY,
    M_OUT_PROPOSAL,
    M_OUT_WAITING,
    M_OUT_REFUSED,
    M_OUT_DEFECT
};
const char *m_outcome_name(enum m_outcome o);

enum { M_WAIT_MARKING = 1, M_WAIT_UNCLEAR, M_WAIT_QUARANTINE, M_WAIT_PROPOSAL, M_WAIT_RELAXED };

/* -- who may read --------------------------------------------------------------------------- */

bool m_same(const struct m_aud *a, const struct m_aud *b);
/* What somebody may do now; false: nothing at all. */
bool m_in_force(const struct model *m, int who, struct m_who *out);
bool m_reads(const struct model *m, const struct m_asker *k, const struct m_aud *a);
/* When a row appears to that reader; false: never. */
bool m_date(const struct model *m, const struct m_asker *k, const struct m_row *r, int64_t *us);
/* Any living publication of an id. */
bool m_sees(const struct model *m, const struct m_asker *k, int group, int id);

/* -- what is listed ------------------------------------------------------------------------- */

enum m_which { M_LAST, M_FIRST, M_ALL, M_AT, M_EVERY /* variants too */ };

struct m_item {
    int content;
    int row;          /* one of those that show it, at its least date */
    int64_t date_us;  /* in a list of pages */
    int64_t plain_us; /* without what erasures do to it */
};

/* What a reader has of one id, or of all; group 0: everything, label -1: every label.  In the
 * order of dates.  at_us: M_AT alone.  Returns the number; out has room for all contents. */
int m_list_id(const struct model *m, const struct m_asker *k, int group, int label,
              enum m_which which, int64_t at_us, int id, struct m_item *out);
int m_list(const struct model *m, const struct m_asker *k, int group, int label, enum m_which which,
           int64_t at_us, struct m_item *out);
/* > 0: row a ranks above row b. */
int m_rank(const struct model *m, const struct m_row *a, const struct m_row *b);

/* -- who may say what ----------------------------------------------------------------------- */

struct m_said {
    enum m_outcome outcome;
    struct m_aud targets[M_TARGETS];
    int target_n;
};

/* Posts one content as part of a batch: rows and what waits are added to the model. */
struct m_said m_post(struct model *m, const struct m_way *way, int content, uint64_t batch,
                     int64_t now_us);
/* Whether somebody may publish to that audience; whether he may post at all. */
bool m_may_post(const struct model *m, const struct m_asker *k);
bool m_may_publish(const struct model *m, const struct m_asker *k, const struct m_aud *a);
bool m_may_erase(const struct model *m, const struct m_asker *k, const struct m_row *r);
bool m_narrower(const struct model *m, const struct m_aud *a, const struct m_aud *b);

struct m_row *m_row_add(struct model *m, int content, const struct m_aud *a);
void m_erase(struct model *m, int row);
void m_free(struct model *m);

#endif
