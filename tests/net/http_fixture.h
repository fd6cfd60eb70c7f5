/*
 * What the tests of the HTTP server share: a server with a handler that does what the path says,
 * under a clock that a test turns, and a client on a plain socket in the same loop.
 */
#ifndef JAGA_TESTS_HTTP_FIXTURE_H
#define JAGA_TESTS_HTTP_FIXTURE_H

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "buf.h"
#include "http.h"
#include "loop.h"
#include "mem.h"
#include "tls_cert.h"

#define S  INT64_C(1000000)
#define MB (1u << 20)

static int64_t turned;

static inline struct mono
turned_clock(void *ctx)
{
    struct mono m = clock_mono();

    (void)ctx;
    m.us += turned;
    return m;
}

struct fixture {
    struct loop *l;
    struct http_server *s;
    int port;
    struct buf cert, key;
    /* what the handler saw and does */
    unsigned begun, ended, gone, sent, refused, pieces, freed;
    uint64_t body_bytes;
    uint32_t body_sum;
    struct http_request *later; /* answered when the test says so */
    char seen[200];
    unsigned last_refusal;
    bool stopped;
    char *big;
};

#define BIG (16u << 20) /* more than sockets hold */

static inline void
answer(struct fixture *f, struct http_request *r, unsigned status, const char *text)
{
    const struct http_field fields[] = {{"Content-Type", "text/plain"}, {"X-Test", "yes"}};
    const struct http_reply a = {
        .status = status, .fields = fields, .n_fields = 2, .body = span_of(text)};

    (void)f;
    assert_int_equal(http_answer(r, &a, NULL), 0);
}

static inline void
count_free(void *ctx)
{
    ((struct fixture *)ctx)->freed++;
}

static inline int
on_begin(void *ctx, struct http_request *r)
{
    struct fixture *f = ctx;
    struct span path = http_path(r);

    f->begun++;
    assert_null(http_user(r));
    http_set(r, f);
    if (span_is(path, "/close"))
        return -1;
    if (span_is(path, "/begin"))
        answer(f, r, 401, "begin");
    if (span_is(path, "/small"))
        http_limit(r, 1000);
    if (span_is(path, "/large"))
        http_limit(r, 100 * MB);
    if (span_is(path, "/hold")) {
        http_pause(r);
        f->later = r;
    }
    return 0;
}

static inline void
on_body(void *ctx, struct http_request *r, struct span piece)
{
    struct fixture *f = ctx;
    struct span path = http_path(r);

    f->pieces++;
    f->body_bytes += piece.n;
    for (size_t i = 0; i < piece.n; i++)
        f->body_sum = f->body_sum * 31 + (unsigned char)piece.p[i];
    if (span_is(path, "/pause")) {
        http_pause(r);
        f->later = r;
    }
    if (span_is(path, "/early"))
        answer(f, r, 422, "early");
}

static inline void
on_end(void *ctx, struct http_request *r)
{
    struct fixture *f = ctx;
    struct span path = http_path(r);
    char text[300];

    f->ended++;
    if (span_is(path, "/later") || span_is(path, "/never")) {
        f->later = r;
    } else if (span_is(path, "/big")) {
        const struct http_reply a = {
            .status = 200, .body = span_from(f->big, BIG), .free_body = count_free, .free_ctx = f};

        assert_int_equal(http_answer(r, &a, NULL), 0);
    } else {
        snprintf(text, sizeof text, "%.*s %.*s ? %.*s %llu", (int)http_method_text(r).n,
                 http_method_text(r).p, (int)path.n, path.p, (int)http_query(r).n, http_query(r).p,
                 (unsigned long long)f->body_bytes);
        answer(f, r, 200, text);
    }
}

static inline void
on_gone(void *ctx, struct http_request *r, bool sent)
{
    struct fixture *f = ctx;

    assert_ptr_equal(http_user(r), f);
    f->gone++;
    f->sent += sent;
    if (f->later == r)
        f->later = NULL;
}

static inline void
on_refuse(void *ctx, struct http_request *r, unsigned status, const char *why)
{
    struct fixture *f = ctx;

    f->refused++;
    f->last_refusal = status;
    answer(f, r, status, why);
}

static const struct http_handler handler = {
    .begin = on_begin, .body = on_body, .end = on_end, .gone = on_gone, .refuse = on_refuse};

static inline int
listen_any(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(fd, 4096), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static inline void
start(struct fixture *f, bool tls, const struct http_options *base)
{
    struct http_options o = base != NULL ? *base : (struct http_options){0};
    struct err e = ERR_INIT;

    o.listen_fd = listen_any(&f->port);
    if (tls) {
        buf_init(&f->cert, TLS_PEM_MAX);
        buf_init(&f->key, TLS_PEM_MAX);
        assert_int_equal(tls_cert_make(NULL, 0, clock_wall_us(NULL), &f->cert, &f->key, &e), 0);
        o.cert_pem = buf_view(&f->cert);
        o.key_pem = buf_view(&f->key);
    }
    f->s = http_new(f->l, &o, &handler, f, &e);
    assert_non_null(f->s);
}

static inline int
setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof *f);

    turned = 0;
    f->l = loop_new(NULL);
    loop_set_clock(f->l, turned_clock, NULL);
    f->big = mem_alloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        f->big[i] = (char)('a' + i % 23);
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;

    http_free(f->s);
    loop_free(f->l);
    buf_clear(&f->cert);
    buf_clear(&f->key);
    mem_free(f->big);
    mem_free(f);
    return 0;
}

static inline int
dial(struct fixture *f)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static inline void
rounds(struct fixture *f, int n)
{
    while (n-- > 0)
        assert_int_equal(loop_round(f->l, 500, NULL), 0);
}

struct answer {
    unsigned status;
    bool ended;   /* the connection was closed by the server */
    size_t bytes; /* all that came */
    char head[4096];
    char *body; /* within head where it is short */
    size_t body_n;
};

/* Reads what comes until a whole answer is there, the other side closes, or some time passes. */
static inline void
hear(struct fixture *f, int fd, struct answer *a)
{
    int quiet = 0;

    *a = (struct answer){0};
    while (quiet < 2500) {
        char bytes[65536];
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);

        if (n > 0) {
            size_t room =
                sizeof a->head - 1 - (a->bytes < sizeof a->head ? a->bytes : sizeof a->head - 1);
            size_t take = (size_t)n < room ? (size_t)n : room;

            memcpy(a->head + (a->bytes < sizeof a->head ? a->bytes : sizeof a->head - 1), bytes,
                   take);
            a->bytes += (size_t)n;
            quiet = 0;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            a->ended = true;
            break;
        } else {
            char *end = strstr(a->head, "\r\n\r\n");
            char *length = strstr(a->head, "Content-Length: ");

            if (end != NULL && strncmp(a->head, "HTTP/1.1 100", 12) == 0) {
                memmove(a->head, end + 4, sizeof a->head - (size_t)(end + 4 - a->head));
                a->bytes -= (size_t)(end + 4 - a->head);
                continue;
            }
            if (end != NULL && length != NULL &&
                a->bytes - (size_t)(end + 4 - a->head) >= strtoull(length + 16, NULL, 10))
                break;
            rounds(f, 1);
            quiet++;
        }
    }
    if (a->bytes > 12)
        a->status = (unsigned)strtoul(a->head + 9, NULL, 10);
    a->body = strstr(a->head, "\r\n\r\n");
    if (a->body != NULL) {
        a->body += 4;
        a->body_n = a->bytes - (size_t)(a->body - a->head);
    }
}

static inline void
say(struct fixture *f, int fd, const char *bytes, size_t n)
{
    int stuck = 0;

    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
            stuck = 0;
        } else {
            if (sent < 0 && errno != EAGAIN)
                return; /* refused in the middle: hear tells */
            if (++stuck > 5000)
                return;
        }
        rounds(f, 1);
    }
}

static inline void
say_text(struct fixture *f, int fd, const char *text)
{
    say(f, fd, text, strlen(text));
}

static inline void
talk(struct fixture *f, int fd, const char *text, struct answer *a)
{
    say(f, fd, text, strlen(text));
    hear(f, fd, a);
}

/* One request on a connection of its own. */
static inline void
once(struct fixture *f, const char *text, struct answer *a)
{
    int fd = dial(f);

    talk(f, fd, text, a);
    close(fd);
    rounds(f, 3);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
