/* net/http_inner.h - what http.c (server, connections, time) and http_request.c (one request)
 * share; for net itself alone. */
#ifndef JAGA_NET_HTTP_INNER_H
#define JAGA_NET_HTTP_INNER_H

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include "http.h"

/*
 * A request's steps.  The decisions are request_step's, in http_request.c.
 *
 *   HEAD --begin--> BODY --last piece--> WAIT --http_answer--> (queued) SEND --> gone
 *                    |  answered early                            ^
 *                    +----> DROP --last piece---------------------+
 */
enum step {
    STEP_HEAD, /* known by its first line */
    STEP_BODY, /* begin was called; pieces come */
    STEP_DROP, /* answered before the body was complete: the rest is read and thrown away */
    STEP_WAIT, /* end was called, or the answer needs no body */
    STEP_SEND  /* the answer is the library's */
};

#define WIRE_IN  1024u /* bytes: a request's record; longer ones are read as they come */
#define WIRE_OUT 768u  /* an answer's head, as a record; longer ones are sent by themselves */

struct http_conn {
    struct http_server *server;
    struct MHD_Connection *mhd;
    int fd;
    int64_t since; /* idle since, monotonic microseconds */
    bool idle;     /* in the list of idle ones */
    bool shut;     /* shut down by us */
    struct http_conn *prev, *next;
    struct http_request *request;
    gnutls_session_t tls; /* NULL: plain */
    size_t in_at, in_n;   /* of in: read from the socket, not yet taken by TLS */
    size_t out_n;         /* of out: an answer's head, which goes with its body */
    size_t page_left;     /* of the head of a page of the library's */
    bool page;            /* that head was begun, and is the last that is sent */
    unsigned char in[WIRE_IN], out[WIRE_OUT];
};

struct http_request {
    struct http_server *server;
    struct http_conn *conn;
    enum step step;
    bool known;     /* the handler had begin, so it gets gone */
    bool paused;    /* by the handler */
    bool held;      /* ... in begin, before any of its body was read */
    bool suspended; /* in the library */
    bool waits;     /* counted in server->waiting */
    bool aborted;   /* the connection is to be closed without an answer */
    bool refused;   /* the answer is the server's own */
    bool close;     /* end the connection behind the answer */
    bool gave_up;   /* 503 was tried */
    bool head_due;  /* nothing of the answer has gone to TLS */
    enum http_method method;
    const char *method_text;
    uint64_t length; /* announced */
    uint64_t limit;
    uint64_t got;  /* of the body */
    uint64_t drop; /* may still be dropped */
    int64_t began; /* moved on by the time the handler paused */
    int64_t paused_at;
    int64_t wait_since;
    int64_t answer_by;
    int64_t sent_by;
    uint64_t body_bytes; /* of the answer */
    uint64_t wired;      /* bytes that went out behind the answer's head */
    unsigned status;
    struct MHD_Response *response;
    void *user;
    struct http_request *prev, *next; /* in server->active */
    struct span path, query;
    char target[]; /* as sent, with NUL */
};

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    const struct http_handler *h;
    void *ctx;
    struct http_options o;
    struct loop_watch watch; /* the library's epoll descriptor */
    struct loop_hook hook;
    struct loop_defer run;
    struct loop_timer sweep;
    struct loop_timer poll;
    unsigned waiting;    /* requests whose handler has not answered and which are not suspended */
    unsigned quiet_runs; /* runs of the library in which nothing happened */
    bool stopping, stopped, freeing;
    int64_t stop_by;
    struct loop_defer stop_done;
    loop_fn *stop_fn;
    void *stop_ctx;
    struct http_counts counts;
    struct http_conn *holding;  /* whose answer's head waits for its body; NULL: nobody's */
    struct http_conn idle;      /* list head, longest idle first */
    struct http_request active; /* list head */
};

/* http.c */
void server_wake(struct http_server *s); /* the library has something to do */
void server_sweep_soon(struct http_server *s);
void conn_shut(struct http_conn *c);
void conn_set_idle(struct http_conn *c, bool idle);

/* http_wire.c */
void wire_start(struct http_conn *c);
/* Behind each run of the library: nothing stays behind that waits in vain. */
void wire_flush(struct http_server *s);

/* http_head.c */
/* url, version: as the library gives them; 0 or the status to refuse with, and why.  Sets the
 * announced length. */
unsigned head_check(struct http_request *r, const char *url, const char *version, const char **why);

/* http_request.c */
void *request_new(void *ctx, const char *target, struct MHD_Connection *mhd);
enum MHD_Result request_step(void *ctx, struct MHD_Connection *mhd, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *size, void **slot);
void request_done(void *ctx, struct MHD_Connection *mhd, void **slot,
                  enum MHD_RequestTerminationCode how);
void request_refuse(struct http_request *r, unsigned status, const char *why);
void request_abort(struct http_request *r);
/* What time does to it; true: its connection was ended. */
bool request_late(struct http_request *r, int64_t now);

#endif
