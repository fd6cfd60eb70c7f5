/*
 * tests/exchange/leak_world.h - a node and the model of it, led through the same history.
 */
#ifndef JAGA_TESTS_LEAK_WORLD_H
#define JAGA_TESTS_LEAK_WORLD_H

#include "world.h"

#include "leak_model.h"
#include "store.h"

#define LEAK_AUDS 400

struct person { /* a user or token, as the test speaks for it */
    char name[32];
    struct someone is;
    int rows_then; /* how many rows there were when it was made */
    struct {
        bool set;
        int rows; /* that were there when the audience was opened to it */
        int64_t last_us;
    } opened[LEAK_AUDS];
};

struct leak {
    struct world *w;
    struct model m;
    struct check_random random;
    struct store *peek;
    struct exchange_link *narrow; /* a front whose listener has a ceiling */
    struct person people[M_WHO];
    int people_n; /* the highest number */
    char org_name[M_ORGS][32], identity[M_ORGS][64];
    int org_n;
    char group_name[M_GROUPS][32];
    int group_n;
    struct m_aud auds[LEAK_AUDS];
    int aud_n;
    uint64_t index;  /* of the next object that is sent */
    int64_t last_us; /* the last arrival */
    uint64_t last_p;
    struct fresh { /* rows that the store has and the model does not know yet */
        uint64_t p, seq, target, batch;
        int64_t arrival_us;
        int content; /* 0: an erase row */
        struct m_aud aud;
        bool owner, taken;
    } * fresh;
    int fresh_n, fresh_cap;
    struct arena *a; /* what lives as long as the history */
    char what[400];  /* the act under way, for messages */
    /* statistics */
    unsigned long pairs, asks, acts;
    unsigned long outcomes[M_OUT_DEFECT + 1];
};

#define NARROW_CEILING M_GREEN

struct leak *leak_new(struct check_random random);
void leak_free(struct leak *l);
void leak_verify(struct leak *l);
unsigned below(struct leak *l, unsigned n);
bool one_in(struct leak *l, unsigned n);

/* An id by its text; made where there is none. */
int leak_id(struct leak *l, const char *text);
/* The content of an object as it is sent; *payload (may be NULL) is what the writer is given. */
int leak_content(struct leak *l, const char *text, struct span *payload);
/* After an act of the product: reads what is new in the store. */
void leak_fresh(struct leak *l);
/* After the model's act: all that is new against all that the model expects.  Of its rows it learns
 * their places and arrivals here. */
void leak_match(struct leak *l);
/* Rights, groups and grants. */
void leak_explain(struct leak *l, int id);
void leak_match_rights(struct leak *l);
int leak_aud(struct leak *l, const struct m_aud *a);

/* Speaks and asks as somebody; NULL or a status in l->w->last. */
const struct json *leak_ask(struct leak *l, const struct m_asker *k, struct ask *q);
const struct json *leak_tell(struct leak *l, const struct m_asker *k, struct tell *t);
struct m_asker leak_asker(struct leak *l, int who, bool exercise, int listener);

#define leak_fail(l, ...)                                                                          \
    do {                                                                                           \
        print_message("# during: %s\n", (l)->what);                                                \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

/* -- leak_people.c: who there is, and what changes about that -----------------------------------
 */
void leak_people(struct leak *l); /* the first organisations, people and groups */
void leak_admin(struct leak *l);  /* one random act of administration on both */

/* -- leak_acts.c: one random act on both --------------------------------------------------------
 */
void leak_act(struct leak *l);
void leak_act_keep(struct leak *l); /* without forgetting what lies in the world's arena */
/* What a TAXII collection is to somebody. */
enum leak_collection { LEAK_NO_LOGIN, LEAK_NONE, LEAK_READ_ONLY, LEAK_WRITES };
enum leak_collection leak_collection(struct leak *l, const struct m_asker *k, int group);
const char *leak_alias(struct leak *l, int group, bool exercise);

/* -- leak_look.c: everything that one reader gets, compared ------------------------------------ */
void leak_look(struct leak *l, const struct m_asker *k);
/* ... while others write between two pages */
void leak_look_while(struct leak *l, const struct m_asker *k);
struct m_asker leak_any_asker(struct leak *l);
const char *leak_aud_text(struct leak *l, const struct m_aud *a);

#endif
