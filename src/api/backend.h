/*
 * api/backend.h - what the HTTP service needs from the other processes, as a table of functions.
 *
 * The service itself opens nothing and connects to nobody: the front process fills this table with
 * its rings and sockets, a test with a model.  Each call is asynchronous: it carries a tag, and its
 * outcome comes back through the function of the same name in struct backend_events, exactly once,
 * later, from the loop; never from inside the call.  Cancelled tags never come back.
 *
 * A batch lives on one connection to the writer.  When that connection ends, each tell under way
 * comes back as NULL, drained is called if somebody was told that the writer is full, and tells
 * with a handle of before are refused with ERR_BUSY, also when there is a new connection.
 */
#ifndef JAGA_API_BACKEND_H
#define JAGA_API_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include "ask.h"
#include "auth_msg.h"
#include "err.h"
#include "span.h"
#include "tell.h"

struct backend_login {
    enum auth_scheme scheme;
    bool person;              /* for the pages: a person's own session; false: TAXII */
    struct span name, secret; /* borrowed during the call */
    struct span address;      /* the client's */
};

struct backend_answer {
    struct answer a; /* a.body is valid until release */
    uint32_t slot;   /* the backend's own: for release */
    void *source;    /* the same */
};

struct backend {
    void *ctx;
    /* Each: 0 taken, -1 refused at once (ERR_BUSY: overload or the other process is away). */
    int (*login)(void *ctx, const struct backend_login *l, void *tag, struct err *e);
    /* long_read: may take more than some milliseconds (search, export); one reader is kept free of
     * those. */
    int (*ask)(void *ctx, const struct ask *q, bool long_read, void *tag, struct err *e);
    /* Tells of one batch are sent in the order given.  tag NULL: nobody wants the outcome.
     * TELL_OBJECT has none: its tag is ignored.  TELL_ABORT is taken however full the writer is. */
    int (*tell)(void *ctx, const struct tell *t, void *tag, struct err *e);
    bool (*writer_full)(void *ctx); /* stop sending objects until events.drained */
    uint32_t (*handle)(void *ctx);  /* a new batch handle, not 0, on the writer's connection */
    void (*release)(void *ctx,
                    const struct backend_answer *w); /* of an answer with or without body */
    bool (*scarce)(void *ctx, const struct backend_answer *w); /* copy the body and release soon */
    void (*cancel)(void *ctx, void *tag);
};

struct backend_events {
    void (*login)(void *ctx, void *tag, const struct auth_reply *r); /* r NULL: auth is away */
    /* w (given: released by the service, once) is valid during the call, its body until release.
     * NULL: the reader is away. */
    void (*ask)(void *ctx, void *tag, struct backend_answer *w);
    void (*tell)(void *ctx, void *tag, const struct answer *w); /* NULL: the writer is away */
    void (*drained)(void *ctx);
};

#endif
