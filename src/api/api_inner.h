/*
 * api/api_inner.h - one request's life, shared by the files of this folder and by nobody else.
 *
 *   begin: route, method, headers -> login (or a ticket from before, or nobody) -> work
 *   work:  a question, a tell or a post's body -> answer
 *
 * A call ends in gone; whatever is under way then is cancelled.
 */
#ifndef JAGA_API_API_INNER_H
#define JAGA_API_API_INNER_H

#include <netinet/in.h>
#include "api.h"
#include "arena.h"
#include "backend.h"
#include "buf.h"
#include "crypto.h"
#include "gzip.h"
#include "http.h"
#include "intake_msg.h"
#include "intake_stream.h"
#include "json.h"
#include "route.h"
#include "taxii_print.h"
#include "taxii_query.h"

#define API_CREDENTIAL_MAX 1024                    /* bytes of an Authorization header */
#define API_TICKET_SETS    512                     /* remembered logins of this front: */
#define API_TICKET_WAYS    4                       /* ... places for each set */
#define API_TICKET_LEFT    (10 * INT64_C(1000000)) /* a ticket begins nothing new so near its end */
#define API_POST_LEFT      (35 * INT64_C(1000000)) /* ... nor does it begin a POST */
#define API_RENEW_LEFT                                                                             \
    (25 * INT64_C(1000000)) /* a long POST gets a fresh one: what it has sent                      \
                               waits in the writer's queue for a while */
#define API_QUERY_MAX  (TAXII_QUERY_MAX + TAXII_NEXT_MAX)
#define API_IGNORED    (64u << 10) /* bytes of a body where none is asked for: read and dropped */
#define API_POSTS      16          /* POSTs under way: each may hold an object of 16 MiB */
#define API_ARENA_MAX  (1u << 20)  /* bytes for a request's parameters */
#define API_PAGE_ARENA (64u << 20) /* bytes for an HTML page's answer as a tree */
#define API_PAGE_MAX   (4u << 20)  /* bytes of an HTML page */
#define API_SPARE      32u         /* calls kept for the next requests: some 20 KB each */

/* A credential that was good, known by a keyed hash alone. */
struct ticket_entry {
    uint8_t mark[MAC_BYTES];
    char ticket[ASK_TICKET_MAX];
    size_t ticket_n;
    int64_t expires_us; /* 0: free */
};

struct api {
    struct api_options o;
    const struct backend *b;
    struct key mark_key[2]; /* for TAXII, for persons */
    struct ticket_entry tickets[API_TICKET_SETS][API_TICKET_WAYS];
    struct arena *page_arena;
    struct json_parser *parser;
    struct buf scratch;
    struct call *stuck; /* calls that wait for the writer, as a list */
    struct call *spare; /* wiped, with their arenas; a list by the same link */
    unsigned spares;
    unsigned posts; /* streams under way */
};

enum call_state {
    CALL_NEW,
    CALL_LOGIN,  /* asked auth */
    CALL_ASKED,  /* asked a reader */
    CALL_BEGIN,  /* told the writer of a batch */
    CALL_BODY,   /* sending objects */
    CALL_RENEW,  /* asked auth for a fresh ticket in the middle of that */
    CALL_FLUSH,  /* told the writer of it */
    CALL_ENDING, /* told the writer that the batch is complete */
    CALL_TOLD,   /* another tell */
    CALL_ANSWERED
};

struct post {
    struct intake_stream *stream;
    bool gzip;            /* the body comes in it */
    struct gunzip *coded; /* ... and is decoded by this */
    uint32_t handle;      /* 0: no batch of ours is open at the writer */
    struct buf piece;     /* of the body, until it is used up */
    struct span left;     /* of piece: not given to the stream */
    struct buf plain;     /* decoded from it */
    uint64_t total;       /* bytes decoded */
    bool held;            /* piece is not used up */
    bool ended;           /* the request is complete */
    bool finished;        /* ... and the stream knows */
    bool complete;        /* all objects are sent */
    bool waiting;         /* in api->stuck */
    uint64_t sent;        /* objects */
    struct call *next;
};

struct call {
    struct api *api;
    struct http_request *http;
    enum call_state state;
    struct route route;
    enum http_method method;
    struct arena *arena;
    bool waiting;   /* the backend has our tag */
    bool has_login; /* credentials came */
    bool retried;   /* logged in anew because a ticket had become old */
    bool person;    /* a page, for a person */
    bool html;      /* errors are pages */
    bool exercise;  /* a page of the exercise side */
    struct backend_login login;
    char address[INET6_ADDRSTRLEN];
    char secret[API_CREDENTIAL_MAX]; /* of Basic, decoded; wiped at the end */
    uint8_t mark[MAC_BYTES];
    char ticket_mem[ASK_TICKET_MAX];
    struct span ticket; /* empty: nobody */
    int64_t ticket_ends_us;
    struct span query; /* raw, of the request */
    struct taxii_query q;
    unsigned page_step;  /* which question of a page this is */
    struct buf html_out; /* the page so far */
    struct post post;
};

/* -- api.c ------------------------------------------------------------------------------------- */

/* The call is logged in (or nobody): goes on with what was asked. */
void call_work(struct call *c);
/* Asks a reader; the outcome goes to taxii_asked or page_asked. */
void call_ask(struct call *c, struct ask *q, bool long_read);
/* Tells the writer, with c as the tag: -1 and an answer when it takes nothing. */
int call_tell(struct call *c, const struct tell *t);
void call_login(struct call *c);
/* The ticket is no longer good: once more from the login.  False: it was fresh. */
bool call_login_again(struct call *c);
/* Whatever is under way elsewhere for c is ended. */
void call_drop(struct call *c);

/* -- respond.c --------------------------------------------------------------------------------- */

/* Each ends what is under way for c elsewhere: an answer is the last word. */

/* A TAXII error (section 3.6), or a page where a person asked. */
void respond_error(struct call *c, unsigned status, const char *title, struct span detail);
/* What another process answered, as an HTTP status; 404 for what is missing or hidden alike. */
void respond_err_code(struct call *c, enum err_code code, struct span text);
void respond_busy(struct call *c, unsigned retry_s);
void respond_later(struct call *c, unsigned retry_s); /* 429: too many failed logins */
void respond_login(struct call *c);                   /* 401 with its challenge */
void respond_coding(struct call *c);                  /* 415: another Content-Encoding */
/* JSON that this process has made; its bytes are copied. */
void respond_json(struct call *c, unsigned status, struct span body);
/* The answer of a reader (given): its bytes go out as they are, then the slot is released. */
void respond_taxii(struct call *c, const struct backend_answer *w);
void respond_html(struct call *c, unsigned status, struct span body);
void respond_css(struct call *c, struct span body);

/* -- taxii_api.c ------------------------------------------------------------------------------- */

void taxii_begin(struct call *c); /* what needs no question, or asks it */
void taxii_asked(struct call *c, struct backend_answer *w);

/* -- post.c ------------------------------------------------------------------------------------ */

void post_begin(struct call *c);
void post_told(struct call *c, const struct answer *w); /* NULL: the writer is away */
void post_renewed(struct call *c);                      /* the fresh ticket is there */
void post_body(struct call *c, struct span piece);
void post_end(struct call *c);
void post_go_on(struct call *c); /* the writer has room again */
void post_drop(struct call *c);  /* the batch, the stream and the wait end */

/* -- pages.c ----------------------------------------------------------------------------------- */

void page_begin(struct call *c);
void page_asked(struct call *c, struct backend_answer *w);
void page_error(struct call *c, const char *title, struct span detail, struct buf *out);

#endif
