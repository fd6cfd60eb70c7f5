/*
 * net/loop.h - one epoll loop for each process: descriptors, timers, and work once a round.
 *
 * No threads.  A callback runs from loop_run alone and never from inside another call of ours, so
 * callers need not expect to be called back.  A round is: timers that are due; deferred work;
 * hooks before the wait; the wait; hooks after it; descriptors that are ready.
 *
 * Watches, timers, deferrals and hooks live in the caller's storage (inside the struct that uses
 * them): zero them, start them, and stop them before that storage goes.  Stopping is allowed at
 * any time, from any callback, and twice; nothing fires after it.
 */
#ifndef JAGA_NET_LOOP_H
#define JAGA_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include "clock.h"
#include "err.h"

struct loop;

#define LOOP_READ  1u /* readable, or a listening socket has a connection */
#define LOOP_WRITE 2u
#define LOOP_EDGE  8u /* with LOOP_READ: told once for each arrival, also of what is not read */
#define LOOP_HUP   4u /* error or hang-up; reported with any wish, never asked for alone */

struct loop *loop_new(struct err *e); /* returned; NULL on error */
void loop_free(struct loop *l);       /* all watches must be stopped, or never be used again */

/* Runs rounds until loop_stop.  -1 only when epoll itself fails. */
int loop_run(struct loop *l, struct err *e);
/* One round that waits at most max_wait_us (0: not at all, -1: as long as the timers allow). */
int loop_round(struct loop *l, int64_t max_wait_us, struct err *e);
void loop_stop(struct loop *l); /* loop_run returns after the callback that runs now */
bool loop_stopping(const struct loop *l);

/* Monotonic time, read once a round.  A test may hand in its own clock (NULL: the machine's); the
 * loop then waits in real time still, but timers go by that clock. */
struct mono loop_now(const struct loop *l);
void loop_set_clock(struct loop *l, struct mono (*now)(void *ctx), void *ctx);

/* -- descriptors -- */

typedef void loop_ready_fn(void *ctx, unsigned events);

struct loop_watch {
    struct loop *loop; /* NULL: not started */
    int fd;            /* borrowed: the owner closes it after loop_watch_stop */
    unsigned want;
    loop_ready_fn *fn;
    void *ctx;
};

int loop_watch_start(struct loop *l, struct loop_watch *w, int fd, unsigned want, loop_ready_fn *fn,
                     void *ctx, struct err *e);
/* Cheap where nothing changes.  With 0 nothing at all is reported, not even a hang-up. */
int loop_watch_want(struct loop_watch *w, unsigned want, struct err *e);
void loop_watch_stop(struct loop_watch *w);

/* -- timers: few (tens), kept as a sorted list, so that setting one never fails -- */

typedef void loop_fn(void *ctx);

struct loop_timer {
    struct loop *loop; /* NULL: not set */
    struct mono due;
    loop_fn *fn;
    void *ctx;
    struct loop_timer *prev, *next;
};

/* Fires once, delay_us from now (at least in the next round); set anew, it moves. */
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_us, loop_fn *fn, void *ctx);
void loop_timer_stop(struct loop_timer *t);

/* -- work once a round -- */

struct loop_defer {
    struct loop *loop; /* NULL: not queued */
    loop_fn *fn;
    void *ctx;
    struct loop_defer *prev, *next;
};

/* fn runs once, before the loop next waits, however often it is asked for until then.  What is
 * deferred by deferred work runs in the round after, which does not sleep. */
void loop_defer(struct loop *l, struct loop_defer *d, loop_fn *fn, void *ctx);
void loop_defer_stop(struct loop_defer *d);

/* For what has a queue of its own beside the descriptors (rings, the HTTP library).  Each may be
 * NULL.  before is asked each round ahead of the wait: true means that work is there, so the loop
 * only polls.  doze is asked after all that, and only when the loop is about to sleep: true keeps
 * it awake.  after runs each round behind the wait. */
struct loop_hook {
    struct loop *loop;
    bool (*before)(void *ctx);
    bool (*doze)(void *ctx);
    loop_fn *after;
    void *ctx;
    struct loop_hook *prev, *next;
};

void loop_hook_start(struct loop *l, struct loop_hook *h, bool (*before)(void *ctx),
                     bool (*doze)(void *ctx), loop_fn *after, void *ctx);
void loop_hook_stop(struct loop_hook *h);

#endif
