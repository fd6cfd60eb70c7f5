/* Frames: round trips under short reads and writes, malformed ones, back-pressure, descriptors.
 * sendmsg and recvmsg are wrapped at link time, so that a test sets how much goes at once. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "frame.h"
#include "frame_queue.h"
#include "loop.h"
#include "mem.h"

static size_t step = SIZE_MAX; /* bytes that one call moves at most */
static unsigned interrupt_every, calls;
static int send_error; /* errno of the next send, once */

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);

static bool
disturbed(void)
{
    if (interrupt_every != 0 && ++calls % interrupt_every == 0) {
        errno = EINTR;
        return true;
    }
    return false;
}

/* Cuts the vector to step bytes in all. */
static struct msghdr
cut(const struct msghdr *m, struct iovec *iov)
{
    struct msghdr c = *m;
    size_t left = step;

    for (size_t i = 0; i < m->msg_iovlen; i++) {
        iov[i] = m->msg_iov[i];
        if (iov[i].iov_len > left)
            iov[i].iov_len = left;
        left -= iov[i].iov_len;
    }
    c.msg_iov = iov;
    return c;
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct iovec iov[4];
    struct msghdr c;

    if (disturbed())
        return -1;
    if (send_error != 0) {
        errno = send_error;
        send_error = 0;
        return -1;
    }
    c = cut(m, iov);
    return __real_sendmsg(fd, &c, flags);
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
    struct iovec iov[4];
    struct msghdr c;
    ssize_t n;

    if (disturbed())
        return -1;
    c = cut(m, iov);
    n = __real_recvmsg(fd, &c, flags);
    m->msg_flags = c.msg_flags;
    m->msg_controllen = c.msg_controllen;
    return n;
}

struct side {
    struct frame_conn *c;
    unsigned got, drained, closed;
    uint64_t bytes;
    uint32_t sum; /* of all bodies, in order */
    uint32_t last_id;
    uint16_t last_type;
    int last_fd;
    struct err why;
    enum { TAKE, ECHO, CLOSE, HOLD, FINISH, FLOOD } act;
    unsigned busy; /* sends refused in FLOOD */
};

static uint32_t
sum_of(uint32_t sum, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        sum = sum * 31 + (unsigned char)s.p[i];
    return sum;
}

static void
on_frame(void *ctx, struct frame_conn *c, struct frame *f)
{
    struct side *s = ctx;

    assert_ptr_equal(frame_ctx(c), s);
    s->got++;
    s->bytes += f->body.n;
    s->sum = sum_of(s->sum, f->body);
    s->last_id = f->id;
    s->last_type = f->type;
    if (f->fd >= 0) {
        if (s->last_fd >= 0)
            close(s->last_fd);
        s->last_fd = f->fd;
    }
    switch (s->act) {
    case ECHO:
        f->fd = -1;
        assert_int_equal(frame_send(c, f, NULL), 0);
        break;
    case CLOSE:
        frame_close(c);
        assert_int_equal(frame_send(c, &FRAME(1, 1, SPAN("")), NULL), 0);
        s->c = NULL;
        break;
    case HOLD:
        frame_hold(c, true);
        break;
    case FINISH:
        f->fd = -1;
        frame_send(c, f, NULL);
        frame_finish(c);
        break;
    case FLOOD:
        for (int i = 0; i < 4; i++) {
            struct err e = ERR_INIT;

            f->fd = -1;
            if (frame_send(c, f, &e) < 0) {
                assert_int_equal(e.code, ERR_BUSY);
                s->busy++;
            }
        }
        break;
    case TAKE:
        break;
    }
}

static void
on_drained(void *ctx, struct frame_conn *c)
{
    struct side *s = ctx;

    (void)c;
    s->drained++;
}

static void
on_closed(void *ctx, struct frame_conn *c, const struct err *why)
{
    struct side *s = ctx;

    (void)c;
    s->closed++;
    s->why = *why;
    s->c = NULL;
}

static const struct frame_events events = {
    .frame = on_frame, .drained = on_drained, .closed = on_closed};

struct fixture {
    struct loop *l;
    struct side a, b;
    int fd; /* the raw other end where b is not a connection */
};

static int
setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof *f);

    step = SIZE_MAX;
    interrupt_every = 0;
    send_error = 0;
    f->l = loop_new(NULL);
    f->fd = -1;
    f->a.last_fd = f->b.last_fd = -1;
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    step = SIZE_MAX;
    interrupt_every = 0;
    frame_close(f->a.c);
    frame_close(f->b.c);
    if (f->a.last_fd >= 0)
        close(f->a.last_fd);
    if (f->b.last_fd >= 0)
        close(f->b.last_fd);
    if (f->fd >= 0)
        close(f->fd);
    loop_free(f->l);
    mem_free(f);
    return 0;
}

/* a is a connection; b is one too, or a bare descriptor in f->fd. */
static void
open_pair(struct fixture *f, bool both, const struct frame_options *o)
{
    int fds[2];

    assert_int_equal(frame_pair(fds, NULL), 0);
    f->a.c = frame_open(f->l, fds[0], &events, &f->a, o, NULL);
    assert_non_null(f->a.c);
    if (both) {
        struct frame_options other = o != NULL ? *o : (struct frame_options){0};

        other.asks = !other.asks;
        f->b.c = frame_open(f->l, fds[1], &events, &f->b, &other, NULL);
        assert_non_null(f->b.c);
    } else {
        f->fd = fds[1];
    }
}

static void
rounds(struct fixture *f, int n)
{
    while (n-- > 0)
        assert_int_equal(loop_round(f->l, 0, NULL), 0);
}

static void
round_trips(void **state)
{
    static const size_t steps[] = {SIZE_MAX, 1, 3, 11, 12, 13, 4096};
    static const size_t sizes[] = {0, 1, 2, 11, 12, 13, 100, 5000, 300000};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct fixture *f;
        void *inner = NULL;
        uint32_t sum = 0;
        unsigned sent = 0;

        setup(&inner);
        f = inner;
        open_pair(f, true, NULL);
        step = steps[i];
        interrupt_every = 3;
        f->b.act = ECHO;
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            char *body = mem_alloc(sizes[k]);

            if (steps[i] < 16 && sizes[k] > 5000) {
                mem_free(body);
                continue;
            }
            for (size_t j = 0; j < sizes[k]; j++)
                body[j] = (char)(j * 7 + k);
            assert_int_equal(
                frame_send(f->a.c,
                           &FRAME((uint16_t)k, (uint32_t)(k << 20), span_from(body, sizes[k])),
                           NULL),
                0);
            sum = sum_of(sum, span_from(body, sizes[k]));
            sent++;
            mem_free(body);
        }
        for (int n = 0; f->a.got < sent && n < 100000; n++)
            rounds(f, 1);
        assert_int_equal(f->a.got, sent);
        assert_int_equal(f->b.got, sent);
        assert_int_equal(f->a.sum, sum);
        assert_int_equal(f->a.last_type, f->b.last_type);
        assert_int_equal(f->a.last_id, f->b.last_id);
        teardown(&inner);
    }
    (void)state;
}

static void
the_largest_frame(void **state)
{
    struct fixture *f = *state;
    char *body = mem_zero(1, FRAME_MAX + 1);
    struct err e = ERR_INIT;

    open_pair(f, true, NULL);
    assert_int_equal(frame_send(f->a.c, &FRAME(1, 1, span_from(body, FRAME_MAX + 1)), &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(frame_send(f->a.c, &FRAME(1, 1, span_from(body, FRAME_MAX)), &e), 0);
    for (int n = 0; f->b.got < 1 && n < 100000; n++)
        rounds(f, 1);
    assert_int_equal(f->b.bytes, FRAME_MAX);
    assert_int_equal(f->a.drained, 1);
    mem_free(body);
}

static void
malformed(void **state)
{
    static const struct {
        const char *name;
        struct span bytes;
        enum err_code code;
        unsigned got;
        bool end; /* the other side closes behind the bytes */
    } t[] = {
        {"orderly end", {"", 0}, ERR_NONE, 0, true},
        {"one good, then the end", SPAN("\0\0\0\0\0\1\0\0\0\0\0\1"), ERR_NONE, 1, true},
        {"end in the header", SPAN("\0\0\0\0\0\1\0\0\0\0\0"), ERR_PROTOCOL, 0, true},
        {"end in the body", SPAN("\0\0\0\2\0\1\0\0\0\0\0\1x"), ERR_PROTOCOL, 0, true},
        {"unknown flag", SPAN("\0\0\0\0\0\1\0\2\0\0\0\1"), ERR_PROTOCOL, 0, false},
        {"all flags", SPAN("\0\0\0\0\0\1\xff\xff\0\0\0\1"), ERR_PROTOCOL, 0, false},
        {"length 2^32-1", SPAN("\xff\xff\xff\xff\0\1\0\0\0\0\0\1"), ERR_PROTOCOL, 0, false},
        {"length over 17 MiB", SPAN("\x01\x10\0\x01\0\1\0\0\0\0\0\1"), ERR_PROTOCOL, 0, false},
        {"length over this side's own", SPAN("\0\0\x10\x01\0\1\0\0\0\0\0\1"), ERR_PROTOCOL, 0,
         false},
        {"descriptor announced", SPAN("\0\0\0\0\0\1\0\1\0\0\0\1"), ERR_PROTOCOL, 0, false},
        {"good, then bad", SPAN("\0\0\0\1\0\1\0\0\0\0\0\1x\0\0\0\0\0\1\x80\0\0\0\0\1"),
         ERR_PROTOCOL, 1, false},
    };

    (void)state;
    for (int fds = 0; fds < 2; fds++) {
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
            const struct frame_options o = {.max_body = 4096, .take_fds = fds != 0};
            void *inner = NULL;
            struct fixture *f;

            setup(&inner);
            f = inner;
            open_pair(f, false, &o);
            print_message("# %s\n", t[i].name);
            assert_int_equal(write(f->fd, t[i].bytes.p, t[i].bytes.n), t[i].bytes.n);
            if (t[i].end) {
                close(f->fd);
                f->fd = -1;
            }
            rounds(f, 3);
            assert_int_equal(f->a.closed, 1);
            assert_int_equal(f->a.why.code, t[i].code);
            assert_int_equal(f->a.got, t[i].got);
            teardown(&inner);
        }
    }
}

static void
the_longest_allowed_is_taken(void **state)
{
    struct fixture *f = *state;
    const struct frame_options o = {.max_body = 4096};
    char body[4096] = {0};

    open_pair(f, true, &o);
    frame_send(f->a.c, &FRAME(1, 1, span_from(body, sizeof body)), NULL);
    rounds(f, 3);
    assert_int_equal(f->b.got, 1);
    assert_int_equal(f->b.closed, 0);
}

/* A length alone must not make the receiver allocate it. */
static void
a_claim_costs_nothing(void **state)
{
    struct fixture *f = *state;

    open_pair(f, false, NULL);
    assert_int_equal(write(f->fd, "\x01\x0f\xff\xff\0\1\0\0\0\0\0\1", 12), 12);
    rounds(f, 2);
    mem_fail_at(0);
    assert_int_equal(write(f->fd, "x", 1), 1);
    rounds(f, 2);
    assert_true(mem_count() == 0); /* the first buffer of 16 KB is still all there is */
    assert_int_equal(f->a.closed, 0);
}

static void
back_pressure(void **state)
{
    struct fixture *f = *state;
    const struct frame_options o = {.max_queue = 4096, .asks = true};
    char body[2000] = {0};
    unsigned sent = 0;

    open_pair(f, true, &o);
    f->b.act = FLOOD; /* answers each with four of the same size */
    frame_hold(f->a.c, true);
    for (int i = 0; i < 2000; i++) {
        if (!frame_full(f->a.c) &&
            frame_send(f->a.c, &FRAME(1, 1, span_from(body, sizeof body)), NULL) == 0)
            sent++;
        rounds(f, 1);
    }
    /* b's queue is full, so it reads no more, so a's is full too; nothing grows beyond. */
    assert_true(frame_full(f->a.c));
    assert_true(frame_full(f->b.c));
    assert_true(sent < 2000);
    assert_true(f->b.got < sent);
    frame_hold(f->a.c, false);
    for (int i = 0; i < 20000 && f->b.got < sent; i++)
        rounds(f, 1);
    rounds(f, 2000);
    assert_int_equal(f->b.got, sent);
    assert_int_equal(f->a.got, sent * 4 - f->b.busy);
    assert_true(f->a.drained > 0 && f->b.drained > 0);
    assert_false(frame_full(f->b.c));
}

static void
a_full_queue_refuses(void **state)
{
    struct fixture *f = *state;
    const struct frame_options o = {.max_queue = 1000};
    char body[100] = {0};
    unsigned sent = 0;
    struct err e = ERR_INIT;

    open_pair(f, false, &o);
    while (frame_send(f->a.c, &FRAME(1, 1, span_from(body, sizeof body)), &e) == 0)
        assert_true(++sent < 100000);
    assert_int_equal(e.code, ERR_BUSY);
    assert_true(frame_full(f->a.c));
}

static void
hold_keeps_whole_frames(void **state)
{
    struct fixture *f = *state;

    open_pair(f, true, NULL);
    f->b.act = HOLD;
    for (int i = 0; i < 3; i++)
        frame_send(f->a.c, &FRAME(1, 1, SPAN("x")), NULL);
    rounds(f, 5);
    assert_int_equal(f->b.got, 1);
    frame_hold(f->b.c, false);
    rounds(f, 2);
    assert_int_equal(f->b.got, 2);
    f->b.act = TAKE;
    frame_hold(f->b.c, false);
    rounds(f, 2);
    assert_int_equal(f->b.got, 3);
}

static void
close_inside_a_callback(void **state)
{
    struct fixture *f = *state;

    open_pair(f, true, NULL);
    f->b.act = CLOSE;
    frame_send(f->a.c, &FRAME(1, 1, SPAN("x")), NULL);
    frame_send(f->a.c, &FRAME(1, 1, SPAN("y")), NULL);
    rounds(f, 3);
    assert_int_equal(f->b.got, 1);
    assert_int_equal(f->b.closed, 0);
    assert_int_equal(f->a.closed, 1);
}

static void
finish_writes_what_waits(void **state)
{
    struct fixture *f = *state;
    char *body = mem_zero(1, 1 << 20);
    struct err e = ERR_INIT;

    open_pair(f, true, NULL);
    f->b.act = FINISH;
    frame_send(f->a.c, &FRAME(7, 9, span_from(body, 1 << 20)), NULL);
    for (int i = 0; i < 1000 && f->b.closed == 0; i++) {
        rounds(f, 1);
        if (f->b.c != NULL && f->b.got > 0 && f->b.closed == 0) {
            assert_int_equal(frame_send(f->b.c, &FRAME(1, 1, SPAN("")), &e), -1);
            assert_int_equal(e.code, ERR_CONFLICT);
        }
    }
    rounds(f, 100);
    assert_int_equal(f->a.got, 1);
    assert_int_equal(f->a.bytes, 1 << 20);
    assert_int_equal(f->a.closed, 1);
    assert_int_equal(f->a.why.code, ERR_NONE);
    mem_free(body);
}

static void
a_broken_socket_is_told_later(void **state)
{
    struct fixture *f = *state;

    open_pair(f, true, NULL);
    send_error = EPIPE;
    assert_int_equal(frame_send(f->a.c, &FRAME(1, 1, SPAN("x")), NULL), 0);
    assert_int_equal(f->a.closed, 0);
    assert_int_equal(frame_send(f->a.c, &FRAME(1, 1, SPAN("x")), NULL), 0);
    rounds(f, 1);
    assert_int_equal(f->a.closed, 1);
    assert_int_equal(f->a.why.code, ERR_IO);
    assert_int_equal(f->a.why.sys, EPIPE);
}

static int
marked_file(char mark)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], &mark, 1), 1);
    close(fds[1]);
    return fds[0];
}

static void
descriptors(void **state)
{
    static const size_t steps[] = {SIZE_MAX, 1, 12, 100};

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct frame_options o = {.take_fds = true};
        char body[300] = {0};
        void *inner = NULL;
        struct fixture *f;

        setup(&inner);
        f = inner;
        open_pair(f, true, &o);
        step = steps[i];
        for (int k = 0; k < 6; k++) {
            int fd = k % 3 == 2 ? -1 : marked_file((char)('a' + k));
            struct frame out = FRAME(1, (uint32_t)k, span_from(body, sizeof body));
            char mark = 0;
            unsigned before = f->b.got;

            out.fd = fd;
            assert_int_equal(frame_send(f->a.c, &out, NULL), 0);
            assert_int_equal(frame_send(f->a.c, &FRAME(2, 0, SPAN("between")), NULL), 0);
            if (fd >= 0)
                close(fd);
            for (int n = 0; n < 2000 && f->b.got < before + 2; n++)
                rounds(f, 1);
            assert_int_equal(f->b.got, before + 2);
            if (fd >= 0) {
                assert_true(f->b.last_fd >= 0);
                assert_int_equal(read(f->b.last_fd, &mark, 1), 1);
                assert_int_equal(mark, 'a' + k);
                assert_true(fcntl(f->b.last_fd, F_GETFD) & FD_CLOEXEC);
                close(f->b.last_fd);
                f->b.last_fd = -1;
            }
            assert_int_equal(f->b.last_fd, -1);
        }
        teardown(&inner);
    }
}

static void
queued_descriptors_stay_with_their_frames(void **state)
{
    struct fixture *f = *state;
    const struct frame_options o = {.take_fds = true, .max_queue = 1 << 20};
    char *body = mem_zero(1, 400000);
    struct frame out = FRAME(1, 1, SPAN("first"));

    open_pair(f, true, &o);
    frame_hold(f->b.c, true);
    frame_send(f->a.c, &FRAME(1, 0, span_from(body, 400000)), NULL); /* fills the socket */
    for (int k = 0; k < 2; k++) {
        out.fd = marked_file((char)('p' + k));
        assert_int_equal(frame_send(f->a.c, &out, NULL), 0);
        close(out.fd);
    }
    frame_hold(f->b.c, false);
    for (int n = 0; n < 1000 && f->b.got < 3; n++)
        rounds(f, 1);
    assert_int_equal(f->b.got, 3);
    assert_true(f->b.last_fd >= 0);
    {
        char mark = 0;

        assert_int_equal(read(f->b.last_fd, &mark, 1), 1);
        assert_int_equal(mark, 'q');
    }
    mem_free(body);
}

/* Sends bytes with n descriptors by hand. */
static void
send_raw(int sock, struct span bytes, int n)
{
    union {
        char space[CMSG_SPACE(8 * sizeof(int))];
        struct cmsghdr align;
    } u;
    struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes.p, .iov_len = bytes.n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    int fds[8];

    memset(&u, 0, sizeof u);
    if (n > 0) {
        struct cmsghdr *c;

        for (int i = 0; i < n; i++)
            fds[i] = STDIN_FILENO;
        m.msg_control = u.space;
        m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
    }
    assert_int_equal(__real_sendmsg(sock, &m, 0), bytes.n);
}

static void
hostile_descriptors(void **state)
{
    static const struct {
        bool take;
        int n;
        struct span bytes;
        int times;
        bool dies;
    } t[] = {
        {false, 1, SPAN("\0\0\0\0\0\1\0\0\0\0\0\1"), 1, true}, /* nobody takes them */
        {false, 1, SPAN("\0\0\0\0\0\1\0\1\0\0\0\1"), 1, true}, /* even if announced */
        {true, 1, SPAN("\0\0\0\0\0\1\0\1\0\0\0\1"), 5, false}, /* as it should be */
        {true, 2, SPAN("\0\0\0\0\0\1\0\1\0\0\0\1"), 1, true},  /* two at once */
        {true, 8, SPAN("\0\0\0\0\0\1\0\1\0\0\0\1"), 1, true},  /* eight */
        {true, 0, SPAN("\0\0\0\0\0\1\0\1\0\0\0\1"), 1, true},  /* announced and missing */
        {true, 1, SPAN("\0\0\0\0\0\1\0\0\0\0\0\1"), 3, true},  /* not announced, three times */
        {true, 1, SPAN("\0"), 3, true},                        /* one with each byte */
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const struct frame_options o = {.take_fds = t[i].take};
        void *inner = NULL;
        struct fixture *f;
        int before = dup(0), after;

        close(before);
        setup(&inner);
        f = inner;
        open_pair(f, false, &o);
        for (int k = 0; k < t[i].times && f->a.closed == 0; k++) {
            send_raw(f->fd, t[i].bytes, t[i].n);
            rounds(f, 2);
        }
        assert_int_equal(f->a.closed, t[i].dies ? 1 : 0);
        if (t[i].dies)
            assert_int_equal(f->a.why.code, ERR_PROTOCOL);
        teardown(&inner);
        after = dup(0);
        close(after);
        assert_int_equal(before, after); /* none is left open */
    }
}

static void
memory_runs_out(void **state)
{
    (void)state;
    for (size_t n = 1; n < 12; n++) {
        void *inner = NULL;
        struct fixture *f;
        char *body = mem_zero(1, 300000);
        int fds[2];

        setup(&inner);
        f = inner;
        assert_int_equal(frame_pair(fds, NULL), 0);
        mem_fail_at(n);
        f->a.c = frame_open(f->l, fds[0], &events, &f->a, NULL, NULL);
        f->b.c = frame_open(f->l, fds[1], &events, &f->b, NULL, NULL);
        if (f->a.c != NULL) {
            frame_send(f->a.c, &FRAME(1, 1, span_from(body, 300000)), NULL);
            for (int i = 0; i < 100 && f->b.got == 0 && f->a.closed == 0 && f->b.closed == 0; i++)
                rounds(f, 1);
            if (f->b.got > 0)
                assert_int_equal(f->b.bytes, 300000);
        }
        mem_fail_at(0);
        mem_free(body);
        teardown(&inner);
    }
}

/* -- blocking -- */

static void
blocking_round_trip(void **state)
{
    static const size_t steps[] = {SIZE_MAX, 1, 7, 12};

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int fds[2];
        struct buf space;
        struct frame got;
        struct frame out = FRAME(3, 4, SPAN("some words that are sent"));
        struct err e = ERR_INIT;

        step = steps[i];
        interrupt_every = 2;
        assert_int_equal(frame_pair(fds, NULL), 0);
        buf_init(&space, 1000);
        out.fd = marked_file('m');
        assert_int_equal(frame_write(fds[0], &out, &e), 0);
        close(out.fd);
        assert_int_equal(frame_write(fds[0], &FRAME(5, 6, SPAN("")), &e), 0);
        assert_int_equal(frame_read(fds[1], &space, &got, 1000, &e), 1);
        assert_true(span_eq(got.body, out.body));
        assert_true(got.fd >= 0 && got.type == 3 && got.id == 4);
        close(got.fd);
        assert_int_equal(frame_read(fds[1], &space, &got, -1, &e), 1);
        assert_true(got.fd == -1 && got.body.n == 0 && got.type == 5);
        assert_int_equal(frame_read(fds[1], &space, &got, 0, &e), -1);
        assert_int_equal(e.code, ERR_BUSY);
        close(fds[0]);
        assert_int_equal(frame_read(fds[1], &space, &got, 1000, &e), 0);
        close(fds[1]);
        buf_clear(&space);
        interrupt_every = 0;
        step = SIZE_MAX;
    }
}

static void
blocking_refuses(void **state)
{
    static const struct {
        struct span bytes;
        int fds;
        enum err_code code;
    } t[] = {
        {SPAN("\0\0\0\x0b\0\1\0\0\0\0\0\1"), 0,
         ERR_LIMIT}, /* eleven bytes where ten are expected */
        {SPAN("\xff\0\0\0\0\1\0\0\0\0\0\1"), 0, ERR_PROTOCOL},
        {SPAN("\0\0\0\0\0\1\0\4\0\0\0\1"), 0, ERR_PROTOCOL},
        {SPAN("\0\0\0\0\0\1\0\1\0\0\0\1"), 0, ERR_PROTOCOL},
        {SPAN("\0\0\0\0\0\1\0\0\0\0\0\1"), 1, ERR_PROTOCOL},
        {SPAN("\0\0\0\0\0\1\0\1\0\0\0\1"), 2, ERR_PROTOCOL},
        {SPAN("\0\0\0"), 0, ERR_PROTOCOL},
        {SPAN("\0\0\0\2\0\1\0\0\0\0\0\1x"), 0, ERR_PROTOCOL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int fds[2];
        struct buf space;
        struct frame got;
        struct err e = ERR_INIT;

        assert_int_equal(frame_pair(fds, NULL), 0);
        buf_init(&space, 10);
        send_raw(fds[0], t[i].bytes, t[i].fds);
        close(fds[0]);
        assert_int_equal(frame_read(fds[1], &space, &got, 1000, &e), -1);
        assert_int_equal(e.code, t[i].code);
        close(fds[1]);
        buf_clear(&space);
    }
}

static void
sockets_on_disk(void **state)
{
    char dir[] = "/tmp/jaga-frame-XXXXXX";
    char path[600], deep[400] = "";
    struct frame_peer peer;
    struct stat st;
    struct err e = ERR_INIT;
    int l, c, a;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    l = frame_listen(path, &e);
    assert_true(l >= 0);
    close(l);
    l = frame_listen(path, &e); /* the old file gives way */
    assert_true(l >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    c = frame_connect(path, &e);
    assert_true(c >= 0);
    a = accept(l, NULL, NULL);
    assert_int_equal(frame_peer(a, &peer, &e), 0);
    assert_int_equal(peer.pid, getpid());
    assert_int_equal(peer.uid, geteuid());
    assert_int_equal(peer.gid, getegid());
    assert_int_equal(frame_peer(STDIN_FILENO, &peer, &e), -1);
    close(a);
    close(c);
    close(l);
    unlink(path);
    assert_int_equal(frame_connect(path, &e), -1);
    assert_int_equal(e.sys, ENOENT);
    /* A folder deeper than a socket address is long. */
    memset(deep, 'd', 150);
    snprintf(path, sizeof path, "%s/%s", dir, deep);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/%s/s", dir, deep);
    l = frame_listen(path, &e);
    assert_true(l >= 0);
    c = frame_connect(path, &e);
    assert_true(c >= 0);
    close(c);
    close(l);
    unlink(path);
    snprintf(path, sizeof path, "%s/%s/%.140s", dir, deep, deep);
    assert_int_equal(frame_connect(path, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    snprintf(path, sizeof path, "%s/%s", dir, deep);
    rmdir(path);
    rmdir(dir);
}

/* More than a socket takes, then all of it, in order, whatever one write takes. */
static void
a_queue_keeps_frames(void **state)
{
    static const size_t steps[] = {SIZE_MAX, 7, 5000};
    char body[3000];

    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i * 13);
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        struct fixture *f;
        void *inner = NULL;
        struct frame_queue *q;
        const unsigned n = steps[k] < 100 ? 10 : 700; /* 1 MiB, or what 7 bytes a call can do */
        uint32_t sum = 0;
        pid_t pid;
        int status;

        setup(&inner);
        f = inner;
        open_pair(f, false, NULL);
        interrupt_every = 5;
        step = steps[k];
        q = frame_queue_new(f->fd, SIZE_MAX);
        assert_non_null(q);
        for (unsigned i = 0; i < n; i++) {
            struct span s = span_from(body, (i * 37) % sizeof body);

            assert_int_equal(frame_queue_put(q, &FRAME(1, i, s), NULL), 0);
            sum = sum_of(sum, s);
        }
        /* The rest is written by another process, since flush waits for the reader. */
        pid = fork();
        if (pid == 0)
            _exit(frame_queue_flush(q, NULL) == 0 ? 0 : 1);
        step = SIZE_MAX;
        for (int i = 0; f->a.got < n && i < 1000000; i++)
            rounds(f, 1);
        assert_int_equal(f->a.got, n);
        assert_int_equal(f->a.sum, sum);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        frame_queue_free(q);
        teardown(&inner);
    }
    (void)state;
}

static void
a_queue_refuses(void **state)
{
    struct fixture *f = *state;
    char *body = mem_zero(1, FRAME_MAX + 1);
    struct frame with_fd = {.type = 1, .fd = 0};
    struct err e = ERR_INIT;
    struct frame_queue *q;
    int rc = 0;

    open_pair(f, false, NULL);
    q = frame_queue_new(f->fd, 1u << 20);
    assert_int_equal(frame_queue_put(q, &FRAME(1, 1, span_from(body, FRAME_MAX + 1)), &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(frame_queue_put(q, &with_fd, &e), -1);
    assert_int_equal(frame_queue_flush(q, &e), 0); /* nothing of them was kept */
    frame_close(f->a.c);
    f->a.c = NULL;
    for (int i = 0; rc == 0 && i < 100; i++)
        rc = frame_queue_put(q, &FRAME(1, 1, span_from(body, 100000)), &e);
    assert_int_equal(rc, -1);
    assert_int_equal(e.code, ERR_IO);
    frame_queue_free(q);
    frame_queue_free(NULL);
    mem_free(body);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(round_trips),
        T(the_largest_frame),
        T(malformed),
        T(the_longest_allowed_is_taken),
        T(a_claim_costs_nothing),
        T(back_pressure),
        T(a_full_queue_refuses),
        T(hold_keeps_whole_frames),
        T(close_inside_a_callback),
        T(finish_writes_what_waits),
        T(a_broken_socket_is_told_later),
        T(descriptors),
        T(queued_descriptors_stay_with_their_frames),
        T(hostile_descriptors),
        T(memory_runs_out),
        T(blocking_round_trip),
        T(blocking_refuses),
        T(sockets_on_disk),
        T(a_queue_keeps_frames),
        T(a_queue_refuses),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
