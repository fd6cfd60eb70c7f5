/*
 * tests/api/fake.h - the HTTP service on a real server, in one loop with its client, over processes
 * that are played.
 *
 * The played auth, readers and writer answer in the next round, or when the test says so.  Whatever
 * they hand out is freed when it is given back, and counted: a body used too late, given back twice
 * or never is found.
 */
#ifndef JAGA_TESTS_API_FAKE_H
#define JAGA_TESTS_API_FAKE_H

#include "check.h"

#include "api.h"
#include "arena.h"
#include "backend.h"
#include "buf.h"
#include "clock.h"
#include "http.h"
#include "json.h"
#include "loop.h"

#define TICKET_OLD "an old ticket"

enum outcome_kind { OUTCOME_LOGIN, OUTCOME_ASK, OUTCOME_TELL };

struct outcome {
    struct outcome *next;
    enum outcome_kind kind;
    void *tag;
    bool away; /* NULL comes back */
    /* login */
    enum auth_state state;
    /* ask, tell */
    enum err_code status;
    char *body;
    size_t n;
    int64_t first_us, last_us;
};

struct fake {
    struct loop *l;
    struct http_server *s;
    struct api *api;
    struct backend b;
    int port;
    struct clock clock;
    struct log log;
    struct loop_defer run;
    struct outcome *pending, **end;

    /* what the test sets */
    bool hold[3];                  /* outcomes of this kind wait until fake_let_go */
    bool refuse[3];                /* ... are refused at once */
    bool away[3];                  /* ... come back as NULL */
    int64_t ticket_life_us;        /* 0: a minute */
    enum auth_state login_state;   /* of those who are known */
    bool any_handle;               /* objects of several batches come mixed */
    bool ticket_old;               /* auth gives one that readers and the writer refuse */
    enum err_code status;          /* of asks and tells, once the ticket is good */
    enum err_code end_status;      /* of TELL_END alone */
    const char *text;              /* beside it */
    const char *answer[ASK_VERBS]; /* JSON for a verb, over the default */
    struct buf big;                /* where it has bytes: the body of any ask */
    bool scarce;
    size_t fail_at;      /* this allocation of the service or the server fails, once */
    bool auto_drain;     /* each round */
    unsigned full_after; /* objects that the writer takes before it is full; 0: any number */

    /* what it sees */
    unsigned logins, asks, tells, begins, ends, aborts, flushes, objects, drains, cancels;
    unsigned lent, returned;   /* answers of readers */
    unsigned open;             /* batches */
    unsigned taken, in_flight; /* objects since it was full */
    bool full;
    uint32_t last_handle;
    struct ask last_ask; /* without its spans */
    struct tell last_tell;
    char last_text[600], last_id[300], last_collection[300], last_next[200], last_name[100],
        last_secret[200], last_address[60];
    enum auth_scheme last_scheme;
    bool last_person;
    struct buf objects_seen; /* the canonical bytes, a line each */
};

/* The answer as the client has it. */
struct heard {
    unsigned status;
    bool ended; /* the server closed the connection */
    struct buf all;
    size_t body; /* where it begins */
};

int fake_setup(void **state);    /* a struct fake with a server of 1 MB max_content */
int fake_teardown(void **state); /* checks that nothing is left */
/* The same with other numbers; ends what is there first. */
void fake_start(struct fake *f, uint64_t max_content, const struct http_options *h);

void fake_rounds(struct fake *f, int n);
void fake_let_go(struct fake *f, enum outcome_kind kind); /* no longer holds */
void fake_drain(struct fake *f);

int fake_dial(struct fake *f);
void fake_hang_up(struct fake *f, int fd);
void fake_say(struct fake *f, int fd, const char *bytes, size_t n);
void fake_hear(struct fake *f, int fd, bool head, struct heard *h);
void heard_clear(struct heard *h);
/* One request on a connection of its own. */
void fake_once(struct fake *f, const char *text, struct heard *h);
const char *heard_body(const struct heard *h);
/* "Name: value" stands among the headers (value: its beginning). */
bool heard_has(const struct heard *h, const char *name, const char *value);
/* Is it what TAXII 2.1 section 3.6 wants of an error? */
void heard_is_error(const struct heard *h, unsigned status);

#endif
