/* The loop: order of a round, timers under a turned clock, stopping from inside callbacks. */
#include "check.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "loop.h"
#include "mem.h"

#define W(s) ((void *)(uintptr_t)(s)) /* a constant text as a context */

static struct mono turned;

static struct mono
turned_clock(void *ctx)
{
    (void)ctx;
    return turned;
}

struct fixture {
    struct loop *l;
    int fds[2];
    char log[128]; /* a letter for each thing that ran */
    struct loop_timer t[4];
    struct loop_defer d[2];
    struct loop_hook h[2];
    struct loop_watch w[2];
    bool work;
};

static int
setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof *f);

    f->l = loop_new(NULL);
    assert_non_null(f->l);
    turned = (struct mono){1000};
    loop_set_clock(f->l, turned_clock, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, f->fds), 0);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    loop_free(f->l);
    close(f->fds[0]);
    close(f->fds[1]);
    mem_free(f);
    return 0;
}

static struct fixture *now_in; /* the fixture that callbacks without one write to */

static void
say(const char *what)
{
    strncat(now_in->log, what, sizeof now_in->log - strlen(now_in->log) - 1);
}

static void
say_ctx(void *ctx)
{
    say(ctx);
}

static bool
before(void *ctx)
{
    (void)ctx;
    say("<");
    return now_in->work;
}

static void
ready(void *ctx, unsigned events)
{
    (void)ctx;
    say(events & LOOP_READ ? "r" : "");
    say(events & LOOP_WRITE ? "w" : "");
    say(events & LOOP_HUP ? "h" : "");
}

static void
round_of(struct fixture *f, const char *expect)
{
    f->log[0] = '\0';
    now_in = f;
    assert_int_equal(loop_round(f->l, 0, NULL), 0);
    assert_string_equal(f->log, expect);
}

static void
order_of_a_round(void **state)
{
    struct fixture *f = *state;

    loop_timer_set(f->l, &f->t[0], 0, say_ctx, W("t"));
    loop_defer(f->l, &f->d[0], say_ctx, W("d"));
    loop_defer(f->l, &f->d[0], say_ctx, W("d")); /* asked twice, runs once */
    loop_hook_start(f->l, &f->h[0], before, NULL, say_ctx, W(">"));
    assert_int_equal(
        loop_watch_start(f->l, &f->w[0], f->fds[0], LOOP_READ | LOOP_WRITE, ready, NULL, NULL), 0);
    assert_int_equal(write(f->fds[1], "x", 1), 1);
    round_of(f, "td<>rw");
    assert_int_equal(loop_watch_want(&f->w[0], LOOP_READ, NULL), 0);
    round_of(f, "<>r"); /* nothing else comes back by itself; reading is level-triggered */
    assert_int_equal(loop_watch_want(&f->w[0], 0, NULL), 0);
    close(f->fds[1]);
    f->fds[1] = -1;
    round_of(f, "<>"); /* wants nothing: not even the hang-up */
    assert_int_equal(loop_watch_want(&f->w[0], LOOP_READ, NULL), 0);
    round_of(f, "<>rh");
    loop_watch_stop(&f->w[0]);
    loop_watch_stop(&f->w[0]);
    loop_hook_stop(&f->h[0]);
    loop_hook_stop(&f->h[0]);
    round_of(f, "");
}

static void
timers_fire_in_order_of_time(void **state)
{
    struct fixture *f = *state;

    loop_timer_set(f->l, &f->t[0], 3000, say_ctx, W("3"));
    loop_timer_set(f->l, &f->t[1], 1000, say_ctx, W("1"));
    loop_timer_set(f->l, &f->t[2], 2000, say_ctx, W("2"));
    loop_timer_set(f->l, &f->t[3], 2000, say_ctx, W("b"));
    round_of(f, "");
    turned.us = 1999;
    round_of(f, "");
    turned.us = 2000;
    round_of(f, "1");
    loop_timer_set(f->l, &f->t[0], INT64_MAX, say_ctx, W("3")); /* moved beyond the end of time */
    turned.us = INT64_C(7) * 24 * 3600 * 1000000;
    round_of(f, "2b");
    round_of(f, "");
    loop_timer_stop(&f->t[0]);
    loop_timer_stop(&f->t[0]);
    turned.us = INT64_MAX;
    round_of(f, "");
}

static void
again(void *ctx)
{
    struct fixture *f = ctx;

    say("a");
    loop_timer_set(f->l, &f->t[0], 0, again, f);
    loop_defer(f->l, &f->d[0], say_ctx, W("d"));
}

static void
a_timer_that_sets_itself_lets_others_run(void **state)
{
    struct fixture *f = *state;

    loop_timer_set(f->l, &f->t[0], 0, again, f);
    round_of(f, "ad");
    round_of(f, "ad");
    loop_timer_stop(&f->t[0]);
}

static void
stop_all(void *ctx)
{
    struct fixture *f = ctx;

    say("s");
    loop_timer_stop(&f->t[0]);
    loop_timer_stop(&f->t[1]);
    loop_defer_stop(&f->d[0]);
    loop_defer_stop(&f->d[1]);
    loop_hook_stop(&f->h[0]);
    loop_hook_stop(&f->h[1]);
}

static bool
stop_hooks(void *ctx)
{
    stop_all(ctx);
    return false;
}

static void
what_is_stopped_does_not_fire(void **state)
{
    struct fixture *f = *state;

    loop_timer_set(f->l, &f->t[0], 0, stop_all, f);
    loop_timer_set(f->l, &f->t[1], 0, say_ctx, W("t")); /* due in the same round */
    loop_defer(f->l, &f->d[0], say_ctx, W("d"));
    round_of(f, "s");
    loop_defer(f->l, &f->d[0], stop_all, f);
    loop_defer(f->l, &f->d[1], say_ctx, W("d"));
    round_of(f, "s");
    loop_hook_start(f->l, &f->h[0], stop_hooks, NULL, say_ctx, f);
    loop_hook_start(f->l, &f->h[1], before, NULL, say_ctx, W(">"));
    round_of(f, "s");
}

static void
stop_watches(void *ctx, unsigned events)
{
    struct fixture *f = ctx;

    (void)events;
    say("s");
    loop_watch_stop(&f->w[0]);
    loop_watch_stop(&f->w[1]);
}

static void
a_watch_stopped_in_its_round_does_not_fire(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(loop_watch_start(f->l, &f->w[0], f->fds[0], LOOP_WRITE, stop_watches, f, NULL),
                     0);
    assert_int_equal(loop_watch_start(f->l, &f->w[1], f->fds[1], LOOP_WRITE, stop_watches, f, NULL),
                     0);
    round_of(f, "s");
    round_of(f, "");
}

static void
stop_loop(void *ctx)
{
    loop_stop(ctx);
}

static void
run_ends_by_stop(void **state)
{
    struct fixture *f = *state;

    loop_set_clock(f->l, NULL, NULL);
    loop_timer_set(f->l, &f->t[0], 2000, stop_loop, f->l);
    assert_int_equal(loop_run(f->l, NULL), 0);
    assert_true(loop_stopping(f->l));
}

static void
errors(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;

    assert_int_equal(loop_watch_start(f->l, &f->w[0], -1, LOOP_READ, ready, NULL, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    loop_watch_stop(&f->w[0]);
    mem_fail_at(1);
    assert_null(loop_new(&e));
    mem_fail_at(0);
    assert_int_equal(e.code, ERR_MEMORY);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(order_of_a_round),
        T(timers_fire_in_order_of_time),
        T(a_timer_that_sets_itself_lets_others_run),
        T(what_is_stopped_does_not_fire),
        T(a_watch_stopped_in_its_round_does_not_fire),
        T(run_ends_by_stop),
        T(errors),
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
