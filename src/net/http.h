/*
 * net/http.h - the HTTPS server: libmicrohttpd under our loop, with the limits that a hostile
 * network asks for.
 *
 * A request has these steps, each a callback from the loop:
 *
 *     begin (headers are complete) -> body ... body -> end -> [answer] -> gone
 *
 * The handler may answer from begin, body or end, or at any later time: http_answer.  The library
 * cannot send an answer while a body comes.  One that is given in begin goes out at once where the
 * body is large, and the connection is closed; else, and when it is given in body, the rest of the
 * body is read and dropped first, up to the request's limit.  gone is the last that is heard of a
 * request that had begin: its answer is sent, or the client or the server has ended it.
 *
 * Refused here, so that no handler sees it: versions other than HTTP/1.0 and 1.1, HTTP/1.1 without
 * Host or with two, Content-Length with Transfer-Encoding (request smuggling, RFC 9112 section
 * 6.3), two Content-Lengths, transfer codings other than chunked, two content codings (415; where
 * the handler does not know any, all of them), names, values and targets with bytes that they may
 * not have, whatever the library would pass over (NUL, folded lines, fields without a name), heads
 * over HTTP_HEAD_MAX (431, 414), bodies over the limit (413), and clients slower than the limits
 * below.
 *
 * What it cannot read as a request at all the library refuses by itself and closes.  Over TLS a
 * client sees no more of that than the head of an answer with the status, and none where that
 * would come as one with a text; plain HTTP, which is for tests, shows the library's page.
 */
#ifndef JAGA_NET_HTTP_H
#define JAGA_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "err.h"
#include "loop.h"
#include "span.h"

struct http_server;
struct http_request;

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER
};

struct http_handler {
    /* Headers are complete.  Set http_limit and http_set here; return 0, or -1 to close the
     * connection without an answer. */
    int (*begin)(void *ctx, struct http_request *r);
    /* The next piece of the body, valid during the call; all of it must be taken.  http_pause
     * stops the flow behind this piece.  NULL: bodies are refused (413). */
    void (*body)(void *ctx, struct http_request *r, struct span piece);
    /* The request is complete. */
    void (*end)(void *ctx, struct http_request *r);
    /* r is freed when this returns.  sent: the answer went out whole, as far as we know. */
    void (*gone)(void *ctx, struct http_request *r, bool sent);
    /* What the server itself refuses or gives up on: fills head and body for status (a TAXII error,
     * say) by http_answer; NULL: an empty answer.  r may not be complete. */
    void (*refuse)(void *ctx, struct http_request *r, unsigned status, const char *why);
    /* It reads Content-Encoding itself. */
    bool knows_codings;
};

struct http_options {
    int listen_fd;        /* given, also on failure: bound and listening, from the parent */
    struct span cert_pem; /* borrowed until http_new returns */
    struct span key_pem;  /* borrowed until http_new returns; empty: plain HTTP (tests, benches) */
    unsigned max_connections; /* 0: HTTP_CONNECTIONS.  At the limit the longest idle one goes */
    unsigned max_per_address; /* 0: no limit of its own */
    size_t pool_bytes;        /* for each connection, bounds the headers; 0: HTTP_POOL */
    int64_t idle_us;          /* between requests, and for a request's headers; 0: HTTP_IDLE_US */
    int64_t answer_us;        /* the handler's time for an answer, then 503; 0: HTTP_ANSWER_US */
    int64_t grace_us;         /* for a body, or an answer, of any size; 0: HTTP_GRACE_US */
    unsigned least_rate;      /* bytes a second, after HTTP_GRACE_US; 0: HTTP_LEAST_RATE */
};

#define HTTP_CONNECTIONS 2000u       /* some 25 KB each while idle: 50 MB at the worst */
#define HTTP_POOL        (12u << 10) /* bytes: a longest query, its "next" and an answer's head */
#define HTTP_HEAD_MAX    (11u << 10) /* bytes; a pool that is fuller has no room for an answer */
#define HTTP_IDLE_US     (60 * INT64_C(1000000))
#define HTTP_ANSWER_US   (60 * INT64_C(1000000))
#define HTTP_GRACE_US    (30 * INT64_C(1000000))
#define HTTP_LEAST_RATE  2000u       /* 16 kbit/s: a bad satellite line still gets through */
#define HTTP_BODY_MAX    (16u << 20) /* default for a request; http_limit changes it */

/* handler and ctx are borrowed until http_free. */
struct http_server *http_new(struct loop *l, const struct http_options *o,
                             const struct http_handler *h, void *ctx, struct err *e);
/* Accepts no more, lets requests under way end for at most grace_us, then calls stopped (once, from
 * the loop; may be NULL). */
void http_stop(struct http_server *s, int64_t grace_us, loop_fn *stopped, void *ctx);
/* Ends all at once; gone is called for each request.  Not from inside a handler's callback. */
void http_free(struct http_server *s);

struct http_counts {
    uint64_t requests;
    uint64_t refused;  /* by the server itself */
    uint64_t timeouts; /* ended for being slow or idle */
    unsigned connections;
    unsigned active; /* requests */
};
void http_counts(const struct http_server *s, struct http_counts *out);

/* -- a request; all spans are valid until gone -- */

enum http_method http_method(const struct http_request *r);
struct span http_method_text(const struct http_request *r);
struct span http_path(const struct http_request *r);  /* as sent: not decoded, starts with '/' */
struct span http_query(const struct http_request *r); /* as sent, without '?' */
/* The first header of that name (any case), trimmed; {NULL, 0} if there is none, {p, 0} if empty.
 */
struct span http_header(const struct http_request *r, const char *name);
bool http_header_next(const struct http_request *r, const char *name, unsigned index,
                      struct span *out); /* the index-th of that name */
/* Announced length; UINT64_MAX: chunked, not known; 0: none. */
uint64_t http_length(const struct http_request *r);
bool http_has_body(const struct http_request *r);
const struct sockaddr *http_peer(const struct http_request *r); /* borrowed */
void *http_user(const struct http_request *r); /* the handler's own, NULL at first */
void http_set(struct http_request *r, void *user);
void http_limit(struct http_request *r, uint64_t max_body); /* in begin */

/* No more body until http_resume; in begin: none at all.  (end of an empty body comes all the
 * same.)  A pause longer than answer_us ends in 503. */
void http_pause(struct http_request *r);
void http_resume(struct http_request *r); /* at any time; without a pause does nothing */
void http_more_time(struct http_request *r, int64_t us); /* for the answer, from now */

/* -- an answer -- */

struct http_field {
    const char *name;
    const char *value; /* no CR, LF or NUL; checked */
};

struct http_reply {
    unsigned status;
    const struct http_field *fields; /* copied */
    size_t n_fields;
    struct span body; /* valid until free_body is called; with free_body NULL: copied now */
    void (*free_body)(void *ctx); /* the body is no longer used; called once, also on failure */
    void *free_ctx;
    bool close; /* end the connection behind it */
};

/* Answers r once.  Length, date and connection headers are the server's.  -1: ERR_CONFLICT when
 * it has been answered, ERR_USAGE for a bad status or field, ERR_MEMORY (the connection is closed
 * then). */
int http_answer(struct http_request *r, const struct http_reply *a, struct err *e);
bool http_answered(const struct http_request *r);

#endif
