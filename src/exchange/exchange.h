/*
 * exchange/exchange.h - the one door: it alone joins policy, store and ledger.
 *
 * Nothing writes an object except through exchange_tell, nothing reads one except through
 * exchange_ask, which looks through the view of one principal on one channel.  A process has
 * either the writer or a reader; neither has an own clock, socket or thread.
 */
#ifndef JAGA_EXCHANGE_EXCHANGE_H
#define JAGA_EXCHANGE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "ask.h"
#include "buf.h"
#include "clock.h"
#include "crypto.h"
#include "err.h"
#include "may_read.h"
#include "span.h"
#include "tell.h"

struct exchange;

struct exchange_options {
    const char *path;          /* the store's file */
    bool writer;               /* else a reader */
    bool bulk;                 /* a writer that imports much: a larger cache */
    struct key ticket_key;     /* shared with auth by the parent; checks tickets */
    const struct clock *clock; /* borrowed; NULL: the machine's */
};

/* What a new node is told of itself. */
struct exchange_init {
    struct span name;    /* of the team: the title of its organisation */
    struct span country; /* ISO 3166 alpha-2 */
    struct span contact; /* an address for people; may be empty */
};

/* Makes a new store: the node's own organisation with its STIX identity, the groups public and
 * region, its own, the TLP markings and the exercise mark.  ERR_CONFLICT: there is one. */
int exchange_make(const char *path, const struct exchange_init *init, const struct clock *clock,
                  struct err *e);

int exchange_open(const struct exchange_options *o, struct exchange **out, struct err *e);
void exchange_close(struct exchange *x); /* NULL does nothing */

/* Who stands at the other end, as this process knows it without believing a message. */
enum caller_kind {
    CALLER_FRONT,  /* a front: speaks for whoever its tickets name */
    CALLER_LOCAL,  /* the local socket, by peer credentials: the operator */
    CALLER_AUTH,   /* may write audit entries */
    CALLER_READER, /* may hand in served marks */
    CALLER_FETCH   /* has rounds with members, and says nothing else */
};

struct caller {
    enum caller_kind kind;
    struct listener listener; /* a front's: its number and its ceiling, set by the parent */
    bool taxii;               /* decided by the socket where a listener serves TAXII alone */
};

/* Answers a question: body is appended to out (which may be fixed memory; a page ends early with
 * more where it is full).  Never fails: what goes wrong is in the answer, whose text and place
 * live in a. */
void exchange_ask(struct exchange *x, const struct caller *who, const struct ask *q,
                  struct arena *a, struct buf *out, struct answer *w);

/* Around questions that may be answered from one state of the store, which is that of the first of
 * them or later: none of them may have been sent by somebody who could have heard, before sending
 * it, of what was put after begin.  Both are cheap where nothing is asked.  A question that fails
 * ends the look, and the next one takes another.  In a writer they do nothing. */
void exchange_look_begin(struct exchange *x);
void exchange_look_end(struct exchange *x);

/* The connection of one sender to the writer: it holds the sender's batches. */
struct exchange_link;
struct exchange_link *exchange_link_new(struct exchange *x, const struct caller *who);
/* Batches under way end as by TELL_ABORT. */
void exchange_link_free(struct exchange_link *l);

/* Takes what is said.  true: w is the answer, its body in out.  false: no answer is due.  What it
 * did is on disk and synced when it returns. */
bool exchange_tell(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
                   struct answer *w);

/* The writer: whether who is in the region may have changed since this was asked last. */
bool exchange_news(struct exchange *x);

/* A reader's served marks gathered since the last call, as an encoded TELL_SERVED; false: none. */
bool exchange_served(struct exchange *x, struct buf *out);

#endif
