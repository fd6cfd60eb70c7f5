/* tests/exchange/world.h - a node in a temporary folder: a writer, a reader, and people. */
#ifndef JAGA_TESTS_WORLD_H
#define JAGA_TESTS_WORLD_H

#include "check.h"

#include "exchange.h"
#include "intake.h"
#include "json.h"

#define WORLD_NOW 1767225600000000 /* 2026-01-01T00:00:00Z */

struct world {
    char dir[64], path[96];
    struct clock clock;
    struct key key;
    struct exchange *writer, *reader;
    struct exchange_link *local, *front;
    struct caller local_caller, front_caller;
    struct intake *intake;
    struct json_parser *json;
    struct arena *a;    /* of what a test holds; reset by world_forget */
    struct buf body;    /* of the last answer */
    struct answer last; /* ... */
    uint32_t handle;
};

struct world *world_new(void);
void world_free(struct world *w);
void world_reopen(struct world *w); /* both, as after a restart */
void world_pass(struct world *w, int64_t us);

/* Who speaks: NULL is the operator over the local socket; "" is nobody at a front. */
struct someone {
    uint32_t principal;
    uint64_t epoch;
    enum channel channel;
};
/* Makes a user or token over the local socket; pairs "key=value" end with NULL. */
struct someone world_user(struct world *w, const char *name, ...);
struct someone world_token(struct world *w, const char *name, ...);
void world_admin(struct world *w, enum tell_kind kind, enum tell_act act, const char *name, ...);
enum err_code world_try_admin(struct world *w, enum tell_kind kind, enum tell_act act,
                              const char *name, ...);

/* Says t as somebody and returns the parsed body, or NULL: w->last says what. */
const struct json *world_tell(struct world *w, const struct someone *who, struct tell *t);
const struct json *world_ask(struct world *w, const struct someone *who, struct ask *q);

/* One batch of objects (texts end with NULL); the answer to its end. */
const struct json *world_put(struct world *w, const struct someone *who, struct tell *begin,
                             const char *const *texts);
/* One object with a label, as the operator; its outcome. */
const char *world_import(struct world *w, const char *label, const char *group, const char *text);

/* A plain object: the type and a number make its id. */
const char *world_object(struct world *w, const char *type, unsigned n, const char *members);
const char *world_id(struct world *w, const char *type, unsigned n);
bool world_sees(struct world *w, const struct someone *who, const char *id); /* by ASK_GET */

/* "a.b" of nested members; an element of an array by its number. */
const struct json *at(const struct json *o, const char *path);
const char *text_at(struct world *w, const struct json *o, const char *path);
int64_t int_at(const struct json *o, const char *path); /* -1 where there is none */

#endif
