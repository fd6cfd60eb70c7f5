#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "loop.h"
#include "mem.h"

#define EVENTS_MAX 128 /* taken from the kernel in one round; the rest come in the next */

struct loop {
    int epoll;
    bool stopping;
    struct mono now;
    struct mono (*clock)(void *ctx);
    void *clock_ctx;
    /* Rings with a head that is no member. */
    struct loop_timer timers; /* earliest first */
    struct loop_timer firing; /* due in this round, taken off one by one */
    struct loop_defer defers;
    struct loop_defer running;
    struct loop_hook hooks;
    struct loop_hook *hook_next; /* where a walk over the hooks goes on */
    struct epoll_event events[EVENTS_MAX];
    int n_events; /* of the walk over events under way; data.ptr is NULL for a stopped watch */
    int at_event;
};

struct loop *
loop_new(struct err *e)
{
    struct loop *l = mem_zero(1, sizeof *l);

    if (l == NULL) {
        err_set(e, ERR_MEMORY, "no memory for an event loop");
        return NULL;
    }
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0) {
        err_set_sys(e, errno, "cannot make an epoll descriptor");
        mem_free(l);
        return NULL;
    }
    l->timers.prev = l->timers.next = &l->timers;
    l->firing.prev = l->firing.next = &l->firing;
    l->defers.prev = l->defers.next = &l->defers;
    l->running.prev = l->running.next = &l->running;
    l->hooks.prev = l->hooks.next = &l->hooks;
    l->now = clock_mono();
    return l;
}

void
loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    close(l->epoll);
    mem_free(l);
}

void
loop_stop(struct loop *l)
{
    l->stopping = true;
}

bool
loop_stopping(const struct loop *l)
{
    return l->stopping;
}

struct mono
loop_now(const struct loop *l)
{
    return l->now;
}

void
loop_set_clock(struct loop *l, struct mono (*now)(void *ctx), void *ctx)
{
    l->clock = now;
    l->clock_ctx = ctx;
    l->now = now != NULL ? now(ctx) : clock_mono();
}

/* -- descriptors -- */

static uint32_t
epoll_bits(unsigned want)
{
    return ((want & LOOP_READ) ? (uint32_t)EPOLLIN : 0u) |
           ((want & LOOP_WRITE) ? (uint32_t)EPOLLOUT : 0u) |
           ((want & LOOP_EDGE) ? (uint32_t)EPOLLET : 0u);
}

static int
watch_apply(struct loop_watch *w, unsigned want, struct err *e)
{
    struct epoll_event ev = {.events = epoll_bits(want), .data = {.ptr = w}};
    int op = EPOLL_CTL_MOD;

    if (want == 0)
        op = EPOLL_CTL_DEL; /* else epoll would go on reporting a hang-up, each round */
    else if (w->want == 0)
        op = EPOLL_CTL_ADD;
    if (epoll_ctl(w->loop->epoll, op, w->fd, &ev) < 0)
        return err_set_sys(e, errno, "cannot watch a descriptor");
    w->want = want;
    return 0;
}

int
loop_watch_start(struct loop *l, struct loop_watch *w, int fd, unsigned want, loop_ready_fn *fn,
                 void *ctx, struct err *e)
{
    *w = (struct loop_watch){.loop = l, .fd = fd, .fn = fn, .ctx = ctx};
    if (want != 0 && watch_apply(w, want, e) < 0) {
        w->loop = NULL;
        return -1;
    }
    return 0;
}

int
loop_watch_want(struct loop_watch *w, unsigned want, struct err *e)
{
    if (w->loop == NULL || want == w->want)
        return 0;
    return watch_apply(w, want, e);
}

void
loop_watch_stop(struct loop_watch *w)
{
    struct loop *l = w->loop;

    if (l == NULL)
        return;
    if (w->want != 0)
        watch_apply(w, 0, NULL);
    for (int i = l->at_event; i < l->n_events; i++) {
        if (l->events[i].data.ptr == w)
            l->events[i].data.ptr = NULL;
    }
    w->want = 0;
    w->loop = NULL;
}

static void
run_watches(struct loop *l, int n)
{
    l->n_events = n;
    for (l->at_event = 0; l->at_event < l->n_events && !l->stopping;) {
        const struct epoll_event *ev = &l->events[l->at_event++];
        struct loop_watch *w = ev->data.ptr;
        unsigned got = 0;

        if (w == NULL)
            continue;
        if (ev->events & EPOLLIN)
            got |= LOOP_READ;
        if (ev->events & EPOLLOUT)
            got |= LOOP_WRITE;
        if (ev->events & (EPOLLHUP | EPOLLERR))
            got |= LOOP_HUP;
        /* What was asked for may have changed since the kernel answered. */
        got &= w->want | LOOP_HUP;
        if (got != 0 && w->want != 0)
            w->fn(w->ctx, got);
    }
    l->n_events = 0;
    l->at_event = 0;
}

/* -- timers -- */

static void
timer_unlink(struct loop_timer *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->prev = t->next = NULL;
}

static void
timer_link(struct loop_timer *before, struct loop_timer *t)
{
    t->prev = before;
    t->next = before->next;
    before->next->prev = t;
    before->next = t;
}

void
loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_us, loop_fn *fn, void *ctx)
{
    struct loop_timer *before;

    loop_timer_stop(t);
    if (delay_us < 0)
        delay_us = 0;
    t->loop = l;
    t->fn = fn;
    t->ctx = ctx;
    if (__builtin_add_overflow(l->now.us, delay_us, &t->due.us))
        t->due.us = INT64_MAX;
    before = l->timers.prev; /* most are set later than all others */
    while (before != &l->timers && before->due.us > t->due.us)
        before = before->prev;
    timer_link(before, t);
}

void
loop_timer_stop(struct loop_timer *t)
{
    if (t->loop == NULL)
        return;
    timer_unlink(t);
    t->loop = NULL;
}

static void
run_timers(struct loop *l)
{
    /* First move, then run: a timer that sets itself anew with no delay waits for the next round.
     */
    while (l->timers.next != &l->timers && l->timers.next->due.us <= l->now.us) {
        struct loop_timer *t = l->timers.next;

        timer_unlink(t);
        timer_link(l->firing.prev, t);
    }
    while (l->firing.next != &l->firing) {
        struct loop_timer *t = l->firing.next;

        timer_unlink(t);
        t->loop = NULL;
        t->fn(t->ctx);
    }
}

/* -- work once a round -- */

static void
defer_unlink(struct loop_defer *d)
{
    d->prev->next = d->next;
    d->next->prev = d->prev;
    d->prev = d->next = NULL;
}

static void
defer_link(struct loop_defer *before, struct loop_defer *d)
{
    d->prev = before;
    d->next = before->next;
    before->next->prev = d;
    before->next = d;
}

void
loop_defer(struct loop *l, struct loop_defer *d, loop_fn *fn, void *ctx)
{
    if (d->loop != NULL)
        return;
    d->loop = l;
    d->fn = fn;
    d->ctx = ctx;
    defer_link(l->defers.prev, d);
}

void
loop_defer_stop(struct loop_defer *d)
{
    if (d->loop == NULL)
        return;
    defer_unlink(d);
    d->loop = NULL;
}

static void
run_defers(struct loop *l)
{
    while (l->defers.next != &l->defers) {
        struct loop_defer *d = l->defers.next;

        defer_unlink(d);
        defer_link(l->running.prev, d);
    }
    while (l->running.next != &l->running) {
        struct loop_defer *d = l->running.next;

        defer_unlink(d);
        d->loop = NULL;
        d->fn(d->ctx);
    }
}

void
loop_hook_start(struct loop *l, struct loop_hook *h, bool (*before)(void *ctx),
                bool (*doze)(void *ctx), loop_fn *after, void *ctx)
{
    *h = (struct loop_hook){.loop = l, .before = before, .doze = doze, .after = after, .ctx = ctx};
    h->prev = l->hooks.prev;
    h->next = &l->hooks;
    h->prev->next = h;
    h->next->prev = h;
}

void
loop_hook_stop(struct loop_hook *h)
{
    if (h->loop == NULL)
        return;
    if (h->loop->hook_next == h)
        h->loop->hook_next = h->next;
    h->prev->next = h->next;
    h->next->prev = h->prev;
    h->prev = h->next = NULL;
    h->loop = NULL;
}

static bool
hooks_before(struct loop *l)
{
    bool work = false;

    for (struct loop_hook *h = l->hooks.next; h != &l->hooks; h = l->hook_next) {
        l->hook_next = h->next;
        if (h->before != NULL && h->before(h->ctx))
            work = true;
    }
    l->hook_next = NULL;
    return work;
}

static bool
hooks_doze(struct loop *l)
{
    bool work = false;

    for (struct loop_hook *h = l->hooks.next; h != &l->hooks && !work; h = l->hook_next) {
        l->hook_next = h->next;
        if (h->doze != NULL && h->doze(h->ctx))
            work = true;
    }
    l->hook_next = NULL;
    return work;
}

static void
hooks_after(struct loop *l)
{
    for (struct loop_hook *h = l->hooks.next; h != &l->hooks; h = l->hook_next) {
        l->hook_next = h->next;
        if (h->after != NULL)
            h->after(h->ctx);
    }
    l->hook_next = NULL;
}

/* Milliseconds to wait at most, rounded up so that a timer is never woken for too early. */
static int
wait_ms(const struct loop *l, int64_t max_wait_us)
{
    int64_t us = max_wait_us;

    if (l->defers.next != &l->defers)
        return 0;
    if (l->timers.next != &l->timers) {
        int64_t left = l->timers.next->due.us - l->now.us;

        if (left < 0)
            left = 0;
        if (us < 0 || left < us)
            us = left;
    }
    if (us < 0)
        return -1;
    if (us > INT64_C(3600) * 1000000)
        return 3600 * 1000;
    return (int)((us + 999) / 1000);
}

int
loop_round(struct loop *l, int64_t max_wait_us, struct err *e)
{
    int n, wait;

    l->now = l->clock != NULL ? l->clock(l->clock_ctx) : clock_mono();
    run_timers(l);
    if (l->stopping)
        return 0;
    run_defers(l);
    if (l->stopping)
        return 0;
    wait = hooks_before(l) || l->stopping ? 0 : wait_ms(l, max_wait_us);
    if (wait != 0 && hooks_doze(l))
        wait = 0;
    n = epoll_wait(l->epoll, l->events, EVENTS_MAX, wait);
    if (n < 0 && errno != EINTR)
        return err_set_sys(e, errno, "cannot wait for events");
    l->now = l->clock != NULL ? l->clock(l->clock_ctx) : clock_mono();
    hooks_after(l);
    if (n > 0)
        run_watches(l, n);
    return 0;
}

int
loop_run(struct loop *l, struct err *e)
{
    while (!l->stopping) {
        if (loop_round(l, -1, e) < 0)
            return -1;
    }
    return 0;
}
