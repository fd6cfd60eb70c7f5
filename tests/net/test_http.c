/*
 * The HTTP server: requests over plain sockets within one loop and under a turned clock, and over
 * TLS with curl.
 */
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

static struct mono
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

static void
answer(struct fixture *f, struct http_request *r, unsigned status, const char *text)
{
    const struct http_field fields[] = {{"Content-Type", "text/plain"}, {"X-Test", "yes"}};
    const struct http_reply a = {
        .status = status, .fields = fields, .n_fields = 2, .body = span_of(text)};

    (void)f;
    assert_int_equal(http_answer(r, &a, NULL), 0);
}

static void
count_free(void *ctx)
{
    ((struct fixture *)ctx)->freed++;
}

static int
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
    return 0;
}

static void
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

static void
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

static void
on_gone(void *ctx, struct http_request *r, bool sent)
{
    struct fixture *f = ctx;

    assert_ptr_equal(http_user(r), f);
    f->gone++;
    f->sent += sent;
    if (f->later == r)
        f->later = NULL;
}

static void
on_refuse(void *ctx, struct http_request *r, unsigned status, const char *why)
{
    struct fixture *f = ctx;

    f->refused++;
    f->last_refusal = status;
    answer(f, r, status, why);
}

static const struct http_handler handler = {
    .begin = on_begin, .body = on_body, .end = on_end, .gone = on_gone, .refuse = on_refuse};

static int
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

static void
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

static int
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

static int
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

static int
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

static void
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
static void
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

static void
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

static void
say_text(struct fixture *f, int fd, const char *text)
{
    say(f, fd, text, strlen(text));
}

static void
talk(struct fixture *f, int fd, const char *text, struct answer *a)
{
    say(f, fd, text, strlen(text));
    hear(f, fd, a);
}

/* One request on a connection of its own. */
static void
once(struct fixture *f, const char *text, struct answer *a)
{
    int fd = dial(f);

    talk(f, fd, text, a);
    close(fd);
    rounds(f, 3);
}

static void
simple(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    struct http_counts counts;
    int fd;

    start(f, false, NULL);
    fd = dial(f);
    for (int i = 0; i < 3; i++) { /* keep-alive */
        talk(f, fd, "GET /a%20b/?x=1+2&y=%2F&z HTTP/1.1\r\nHost: x\r\n\r\n", &a);
        assert_int_equal(a.status, 200);
        assert_string_equal(a.body, "GET /a%20b/ ? x=1+2&y=%2F&z 0");
        assert_non_null(strstr(a.head, "X-Test: yes\r\n"));
        assert_false(a.ended);
    }
    talk(f, fd, "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body_n, 0);
    assert_non_null(strstr(a.head, "Content-Length: 12\r\n")); /* HEAD /h ?  0 */
    talk(f, fd, "DELETE /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &a);
    assert_string_equal(a.body, "DELETE /d ?  0");
    rounds(f, 5);
    assert_int_equal(recv(fd, a.head, 1, 0), 0);
    close(fd);
    rounds(f, 3);
    assert_int_equal(f->gone, 5);
    assert_int_equal(f->sent, 5);
    http_counts(f->s, &counts);
    assert_int_equal(counts.requests, 5);
    assert_int_equal(counts.active, 0);
    assert_int_equal(counts.connections, 0);
}

static void
pipelined(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    int fd;

    start(f, false, NULL);
    fd = dial(f);
    say_text(f, fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 10);
    hear(f, fd, &a);
    close(fd);
    rounds(f, 3);
    assert_int_equal(f->ended, 2);
    assert_int_equal(f->sent, 2);
    assert_true(a.bytes > 200);
}

/* What is refused before a handler sees it, and its neighbours that are not. */
static void
refused(void **state)
{
    static const struct {
        const char *name, *text;
        unsigned status; /* 0: closed without an answer */
        unsigned begun;
    } t[] = {
        {"good", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 200, 1},
        {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 200, 1},
        {"no Host", "GET / HTTP/1.1\r\n\r\n", 400, 0},
        {"no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", 200, 1},
        {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, 0},
        {"length and coding",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\n",
         400, 0},
        {"coding and length",
         "POST / HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH: 3\r\n\r\n"
         "0\r\n\r\n",
         400, 0},
        {"two lengths",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, 0},
        {"two codings",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
         "identity\r\n\r\n0\r\n\r\n",
         400, 0},
        {"unknown coding",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, 0},
        {"obfuscated coding",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, 0},
        {"coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, 0},
        {"length with sign", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400, 0},
        {"negative length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc", 400, 0},
        {"list of lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc", 400,
         0},
        {"hexadecimal length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", 400,
         0},
        {"length beyond 64 bits",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nabc", 413, 0},
        {"gzip body",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
         415, 0},
        {"identity body",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
         200, 1},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505, 0},
        {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, 0},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 0},
        {"absolute target", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"target without slash", "GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 200, 1},
        {"handler closes", "GET /close HTTP/1.1\r\nHost: x\r\n\r\n", 0, 1},
        {"no version", "GET /\r\n\r\n", 400, 0},
        {"binary", "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\r\n\r\n", 0, 0},
        {"space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, 0},
        {"header without colon", "GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400, 0},
    };
    struct fixture *f = *state;
    unsigned gone = 0;

    start(f, false, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        unsigned begun = f->begun;
        struct answer a;

        once(f, t[i].text, &a);
        gone += t[i].begun;
        if (a.status != t[i].status || f->begun - begun != t[i].begun || f->gone != gone)
            fail_msg("%s: %u, begun %u\n%s", t[i].name, a.status, f->begun - begun, a.head);
        if (a.status == 0)
            assert_true(a.ended);
        f->body_bytes = 0;
    }
}

static void
bodies(void **state)
{
    static const struct {
        const char *name, *head;
        size_t n; /* bytes of body sent behind it */
        unsigned status;
        const char *ends; /* of the answer's body */
        bool closes;
    } t[] = {
        {"small", "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", 5, 200, " 5", false},
        {"empty", "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 0, 200, " 0", false},
        {"large", "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n", 5000000,
         200, " 5000000", false},
        {"at the limit", "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", 1000,
         200, " 1000", false},
        {"over the limit", "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 1001,
         413, "too large", false},
        {"far over the limit", "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n",
         0, 413, "too large", true},
        {"refused in begin", "POST /begin HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n", 7, 401,
         "begin", false},
        {"much refused in begin",
         "POST /begin HTTP/1.1\r\nHost: x\r\nContent-Length: 7000000\r\n\r\n", 0, 401, "begin",
         true},
        {"answered early", "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n",
         300000, 422, "early", false},
    };
    struct fixture *f = *state;

    start(f, false, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char *body = mem_zero(1, t[i].n);
        int fd = dial(f);
        struct answer a;
        size_t ends = strlen(t[i].ends);

        f->body_bytes = 0;
        say(f, fd, t[i].head, strlen(t[i].head));
        say(f, fd, body, t[i].n);
        hear(f, fd, &a);
        if (a.status != t[i].status || a.body_n < ends ||
            strcmp(a.body + a.body_n - ends, t[i].ends) != 0)
            fail_msg("%s: %s", t[i].name, a.head);
        rounds(f, 5);
        assert_int_equal(recv(fd, a.head, 1, 0), t[i].closes ? 0 : -1);
        if (!t[i].closes) {
            talk(f, fd, "GET /next HTTP/1.1\r\nHost: x\r\n\r\n", &a);
            assert_int_equal(a.status, 200);
        }
        close(fd);
        rounds(f, 3);
        mem_free(body);
    }
    assert_int_equal(f->gone, f->begun);
}

static void
chunked(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    int fd;

    start(f, false, NULL);
    once(f,
         "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n",
         &a);
    assert_string_equal(a.body, "POST /c ?  8");
    once(f, "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", &a);
    assert_true(a.status == 400 || (a.status == 0 && a.ended));
    /* Over the limit, in pieces of which none is. */
    fd = dial(f);
    say_text(f, fd, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 30; i++) {
        char piece[120];

        snprintf(piece, sizeof piece, "64\r\n%0100d\r\n", i);
        say(f, fd, piece, strlen(piece));
    }
    talk(f, fd, "0\r\n\r\n", &a);
    assert_int_equal(a.status, 413);
    close(fd);
    /* One that never ends is cut off. */
    fd = dial(f);
    say_text(f, fd, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20000; i++) {
        char piece[120];

        snprintf(piece, sizeof piece, "64\r\n%0100d\r\n", i);
        if (send(fd, piece, strlen(piece), MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            break;
        if (i % 20 == 0)
            rounds(f, 1);
    }
    hear(f, fd, &a);
    assert_true(a.ended);
    close(fd);
    rounds(f, 5);
    assert_int_equal(f->gone, f->begun);
}

static void
back_pressure(void **state)
{
    struct fixture *f = *state;
    size_t n = 4 * MB, sent = 0;
    char *body = mem_zero(1, n);
    struct answer a;
    int fd;

    start(f, false, NULL);
    fd = dial(f);
    say_text(f, fd, "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n");
    for (int i = 0; i < 3000; i++) {
        ssize_t k = send(fd, body + sent, n - sent, MSG_NOSIGNAL);

        if (k > 0)
            sent += (size_t)k;
        rounds(f, 1);
        if (f->pieces > 0 && sent == n)
            break;
        if (i > 50 && k < 0)
            break;
    }
    assert_int_equal(f->pieces, 1); /* and nothing more before the test says so */
    assert_true(f->body_bytes <= 65536);
    while (f->ended == 0) {
        ssize_t k = sent < n ? send(fd, body + sent, n - sent, MSG_NOSIGNAL) : 0;

        if (k > 0)
            sent += (size_t)k;
        if (f->later != NULL) {
            struct http_request *r = f->later;

            f->later = NULL;
            http_resume(r);
            http_resume(r);
        }
        rounds(f, 1);
    }
    hear(f, fd, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(f->body_bytes, n);
    assert_true(f->pieces > 50);
    close(fd);
    mem_free(body);
    rounds(f, 3);
}

static void
later(void **state)
{
    static const int waits[] = {0, 1, 2, 3, 5, 50};
    struct fixture *f = *state;
    struct answer a;
    int fd;

    start(f, false, NULL);
    fd = dial(f);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        say_text(f, fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        for (int k = 0; f->later == NULL && k < 100; k++)
            rounds(f, 1);
        assert_non_null(f->later);
        rounds(f, waits[i]);
        if (waits[i] == 50)
            turned += S; /* long asleep by now */
        rounds(f, 3);
        assert_false(http_answered(f->later));
        answer(f, f->later, 200, "at last");
        assert_true(http_answered(f->later));
        {
            const struct http_reply again = {.status = 200, .free_body = count_free, .free_ctx = f};
            struct err e = ERR_INIT;

            assert_int_equal(http_answer(f->later, &again, &e), -1);
            assert_int_equal(e.code, ERR_CONFLICT);
            assert_int_equal(f->freed, i + 1);
        }
        hear(f, fd, &a);
        assert_string_equal(a.body, "at last");
        rounds(f, 3);
        assert_null(f->later);
    }
    close(fd);
    rounds(f, 5);
    assert_int_equal(f->sent, sizeof waits / sizeof *waits);
}

/* Waiting for an answer must not turn the loop: it may poll once a millisecond, then sleeps. */
static void
waiting_does_not_spin(void **state)
{
    struct fixture *f = *state;
    struct mono from;
    int n = 0, fd;

    start(f, false, NULL);
    fd = dial(f);
    say_text(f, fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int k = 0; f->later == NULL && k < 100; k++)
        rounds(f, 1);
    from = clock_mono();
    while (clock_mono().us - from.us < 100000) {
        assert_int_equal(loop_round(f->l, 100000, NULL), 0);
        n++;
    }
    assert_true(n < 60);
    close(fd);
    rounds(f, 3);
}

static void
bad_answers(void **state)
{
    static const struct http_field bad[] = {
        {"", "x"},
        {"A\r\nB", "x"},
        {"A", "x\r\nSet-Cookie: y"},
        {"A", "x\ny"},
        {"A b", "x"},
        {"A:", "x"},
        {"Content-Length", "7"},
        {"DATE", "x"},
        {"Connection", "x"},
        {"transfer-encoding", "chunked"},
        {"A", NULL},
    };
    struct fixture *f = *state;
    struct answer a;
    struct err e = ERR_INIT;
    int fd;

    start(f, false, NULL);
    fd = dial(f);
    say_text(f, fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 5);
    assert_non_null(f->later);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct http_reply r = {.status = 200,
                                     .fields = &bad[i],
                                     .n_fields = 1,
                                     .body = SPAN("x"),
                                     .free_body = count_free,
                                     .free_ctx = f};

        assert_int_equal(http_answer(f->later, &r, &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
        assert_int_equal(f->freed, i + 1);
    }
    {
        static const unsigned statuses[] = {0, 100, 101, 199, 600, 1000};

        for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
            const struct http_reply r = {.status = statuses[i]};

            assert_int_equal(http_answer(f->later, &r, &e), -1);
        }
    }
    answer(f, f->later, 204, "");
    hear(f, fd, &a);
    assert_int_equal(a.status, 204);
    close(fd);
    rounds(f, 3);
}

static void
huge_headers(void **state)
{
    struct fixture *f = *state;
    char *head = mem_alloc(MB);
    struct answer a;
    int fd;

    start(f, false, NULL);
    memset(head, 'a', MB);
    memcpy(head, "GET / HTTP/1.1\r\nHost: x\r\nA: ", 28);
    fd = dial(f);
    say(f, fd, head, MB);
    hear(f, fd, &a);
    assert_true(a.status == 431 || a.ended);
    close(fd);
    memcpy(head, "GET /", 5);
    memset(head + 5, 'a', 60);
    fd = dial(f);
    say(f, fd, head, MB);
    hear(f, fd, &a);
    assert_true(a.status == 414 || a.status == 431 || a.ended);
    close(fd);
    /* Very many small ones. */
    fd = dial(f);
    say_text(f, fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 101; i++)
        say_text(f, fd, "A: b\r\n");
    talk(f, fd, "\r\n", &a);
    assert_int_equal(a.status, 431);
    close(fd);
    once(f, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(f->gone, f->begun);
    mem_free(head);
}

static bool
is_closed(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, MSG_PEEK);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

static void
slow_clients(void **state)
{
    struct fixture *f = *state;
    struct http_counts counts;
    struct answer a;
    int idle, loris, body, reader, good;

    start(f, false, NULL);
    idle = dial(f);
    loris = dial(f);
    say_text(f, loris, "GET / HTTP/1.1\r\nHo");
    body = dial(f);
    say_text(f, body, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc");
    reader = dial(f);
    {
        int small = 2048;

        setsockopt(reader, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    say_text(f, reader, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 20);
    http_counts(f->s, &counts);
    assert_int_equal(counts.connections, 4);
    assert_int_equal(counts.active, 2 + 1); /* a first line makes a request known */
    turned += 29 * S;
    for (int i = 0; i < 3; i++) { /* some bytes now and then help nobody */
        turned += S / 2;
        say_text(f, loris, "x");
        say_text(f, body, "x");
        rounds(f, 3);
    }
    assert_false(is_closed(loris) || is_closed(idle));
    assert_true(is_closed(body)); /* 30 s of grace, 2 KB a second from then on */
    turned += 31 * S;
    rounds(f, 5);
    turned += S;
    rounds(f, 5);
    assert_true(is_closed(loris) && is_closed(idle));
    http_counts(f->s, &counts);
    assert_int_equal(counts.connections, 1); /* the large answer has 8,000 s more */
    assert_int_equal(counts.timeouts, 3);
    assert_int_equal(f->freed, 0);
    turned += 9000 * S;
    rounds(f, 5);
    turned += S;
    rounds(f, 5);
    http_counts(f->s, &counts);
    assert_int_equal(counts.connections, 0);
    assert_int_equal(f->freed, 1);
    assert_int_equal(f->sent, 0);
    good = dial(f);
    talk(f, good, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.status, 200);
    close(good);
    close(idle);
    close(loris);
    close(body);
    close(reader);
    rounds(f, 5);
}

static void
no_answer_in_time(void **state)
{
    struct fixture *f = *state;
    struct answer a;
    int fd;

    start(f, false, NULL);
    fd = dial(f);
    say_text(f, fd, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 10);
    turned += 61 * S;
    rounds(f, 3);
    hear(f, fd, &a);
    assert_int_equal(a.status, 503);
    assert_int_equal(f->last_refusal, 503);
    say_text(f, fd, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 10);
    assert_non_null(f->later);
    http_more_time(f->later, 300 * S);
    turned += 200 * S;
    rounds(f, 5);
    assert_non_null(f->later);
    answer(f, f->later, 200, "took long");
    hear(f, fd, &a);
    assert_int_equal(a.status, 200);
    close(fd);
    rounds(f, 3);
}

/* At the limit the longest idle connection gives way to a new one. */
static void
too_many(void **state)
{
    const struct http_options o = {.max_connections = 10};
    struct fixture *f = *state;
    struct http_counts counts;
    int fds[30], busy;
    struct answer a;

    start(f, false, &o);
    busy = dial(f);
    say_text(f, busy, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 5);
    for (int i = 0; i < 30; i++) {
        fds[i] = dial(f);
        rounds(f, 3);
        talk(f, fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &a);
        assert_int_equal(a.status, 200); /* all are served */
        http_counts(f->s, &counts);
        assert_true(counts.connections <= 10);
    }
    assert_true(is_closed(fds[0]));
    assert_false(is_closed(fds[29]));
    assert_false(is_closed(busy));
    answer(f, f->later, 200, "still here");
    hear(f, busy, &a);
    assert_string_equal(a.body, "still here");
    close(busy);
    for (int i = 0; i < 30; i++)
        close(fds[i]);
    rounds(f, 5);
}

static void
too_many_from_one_address(void **state)
{
    const struct http_options o = {.max_per_address = 3};
    struct fixture *f = *state;
    int fds[5];

    start(f, false, &o);
    for (int i = 0; i < 5; i++)
        fds[i] = dial(f);
    rounds(f, 10);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(is_closed(fds[i]), i >= 3);
        close(fds[i]);
    }
    rounds(f, 5);
}

static void
on_stopped(void *ctx)
{
    ((struct fixture *)ctx)->stopped = true;
}

static void
graceful_stop(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in addr = {.sin_family = AF_INET};
    struct answer a;
    int busy, idle, fresh;

    start(f, false, NULL);
    busy = dial(f);
    idle = dial(f);
    say_text(f, busy, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 5);
    http_stop(f->s, 10 * S, on_stopped, f);
    rounds(f, 10);
    assert_true(is_closed(idle));
    assert_false(f->stopped);
    addr.sin_port = htons((uint16_t)f->port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fresh = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fresh, (struct sockaddr *)&addr, sizeof addr), -1);
    close(fresh);
    answer(f, f->later, 200, "finished");
    hear(f, busy, &a);
    assert_string_equal(a.body, "finished");
    assert_non_null(strstr(a.head, "Connection: close"));
    turned += S;
    rounds(f, 5);
    assert_true(f->stopped);
    close(busy);
    close(idle);
}

static void
stop_after_grace(void **state)
{
    struct fixture *f = *state;
    int busy;

    start(f, false, NULL);
    busy = dial(f);
    say_text(f, busy, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 5);
    http_stop(f->s, 10 * S, on_stopped, f);
    turned += 11 * S;
    rounds(f, 5);
    assert_true(f->stopped);
    http_free(f->s);
    f->s = NULL;
    assert_int_equal(f->gone, 1);
    close(busy);
}

/* Freed at once with requests in every step: none is lost, nothing leaks. */
static void
free_with_requests(void **state)
{
    struct fixture *f = *state;
    int fds[6];

    start(f, false, NULL);
    for (int i = 0; i < 6; i++)
        fds[i] = dial(f);
    say_text(f, fds[0], "GET /never HTTP/1.1\r\nHo");
    say_text(f, fds[1], "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    turned += 10000;
    rounds(f, 5); /* asleep */
    say_text(f, fds[2], "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    say_text(f, fds[3], "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    say_text(f, fds[4], "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    say_text(f, fds[5], "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 3);
    assert_int_equal(f->begun, 5);
    http_free(f->s);
    f->s = NULL;
    assert_int_equal(f->gone, 5);
    assert_int_equal(f->freed, 1);
    for (int i = 0; i < 6; i++)
        close(fds[i]);
}

static void
clients_that_leave(void **state)
{
    struct fixture *f = *state;
    int fd;

    start(f, false, NULL);
    fd = dial(f);
    say_text(f, fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    rounds(f, 5);
    turned += 10000;
    rounds(f, 5);
    close(fd); /* suspended: not noticed before the answer */
    rounds(f, 5);
    assert_non_null(f->later);
    answer(f, f->later, 200, "to nobody");
    rounds(f, 5);
    fd = dial(f);
    say_text(f, fd, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    close(fd);
    rounds(f, 5);
    fd = dial(f);
    say_text(f, fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    close(fd);
    rounds(f, 10);
    assert_int_equal(f->gone, 3);
    assert_int_equal(f->freed, 1);
}

static void
wrong_key(void **state)
{
    struct fixture *f = *state;
    struct http_options o = {.cert_pem = SPAN("nonsense"), .key_pem = SPAN("nonsense")};
    struct err e = ERR_INIT;
    int port;

    o.listen_fd = listen_any(&port);
    assert_null(http_new(f->l, &o, &handler, f, &e));
    assert_true(e.code != ERR_NONE);
    assert_int_equal(fcntl(o.listen_fd, F_GETFD), -1);
    o.listen_fd = -1;
    assert_null(http_new(f->l, &o, &handler, f, &e));
}

static void
memory_runs_out(void **state)
{
    struct fixture *f = *state;
    struct answer a;

    start(f, false, NULL);
    for (size_t n = 1; n < 4; n++) {
        int fd = dial(f);

        mem_fail_at(n);
        talk(f, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &a);
        mem_fail_at(0);
        assert_true(a.status == 200 || a.ended);
        close(fd);
        rounds(f, 5);
    }
    once(f, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    assert_int_equal(a.status, 200);
}

/* -- over TLS, with curl as the client -- */

/* Runs a shell command while the loop serves; its exit status, its output in out. */
static int
shell(struct fixture *f, const char *command, char *out, size_t size)
{
    int fds[2], status = -1;
    size_t n = 0;
    pid_t p;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    p = fork();
    assert_true(p >= 0);
    if (p == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    for (;;) {
        char bytes[4096];
        ssize_t k = read(fds[0], bytes, sizeof bytes);

        if (k == 0)
            break;
        if (k > 0) {
            size_t take = (size_t)k < size - 1 - n ? (size_t)k : size - 1 - n;

            memcpy(out + n, bytes, take);
            n += take;
        }
        assert_int_equal(loop_round(f->l, 1000, NULL), 0);
    }
    out[n] = '\0';
    close(fds[0]);
    waitpid(p, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
have_curl(void)
{
    if (system("curl --version >/dev/null 2>&1") == 0)
        return true;
    print_message("# skipped: no curl here\n");
    return false;
}

/* curl with this node's certificate as the only one it trusts; ^ stands for the address. */
static int
curl(struct fixture *f, const char *args, char *out, size_t size)
{
    char pem[] = "/tmp/jaga-http-XXXXXX";
    char command[1000], with_port[600];
    const char *at = args;
    size_t n = 0;
    int fd = mkstemp(pem), rc;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, f->cert.p, f->cert.n), f->cert.n);
    close(fd);
    while (*at != '\0' && n < sizeof with_port - 64) {
        if (*at == '^') {
            n += (size_t)snprintf(with_port + n, 64, "https://127.0.0.1:%d", f->port);
            at++;
        } else {
            with_port[n++] = *at++;
        }
    }
    with_port[n] = '\0';
    snprintf(command, sizeof command, "curl -sS --max-time 20 --cacert %s %s", pem, with_port);
    rc = shell(f, command, out, size);
    unlink(pem);
    return rc;
}

static void
over_tls(void **state)
{
    static const struct {
        const char *args, *out;
    } t[] = {
        {"'^/x?y=1'", "GET /x ? y=1 0"},
        {"--tlsv1.2 --tls-max 1.2 '^/x'", "GET /x ?  0"},
        {"--tlsv1.3 '^/x'", "GET /x ?  0"},
        {"-w '%{num_connects},' '^/a' '^/b'", "GET /a ?  01,GET /b ?  00,"},
        {"-d hello '^/p'", "POST /p ?  5"},
        {"-o /dev/null -w '%{size_download}' '^/big'", "16777216"},
        {"-o /dev/null -w '%{http_code}' -d hello '^/begin'", "401"},
    };
    struct fixture *f = *state;
    char out[5000];

    if (!have_curl())
        return;
    start(f, true, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        f->body_bytes = 0;
        if (curl(f, t[i].args, out, sizeof out) != 0 || strcmp(out, t[i].out) != 0)
            fail_msg("%s: %s", t[i].args, out);
    }
    rounds(f, 10);
    /* A body that never ends is cut off, and others are served on. */
    f->body_bytes = 0;
    curl(f, "-o /dev/null -w '%{http_code}' -T - '^/small' < /dev/zero", out, sizeof out);
    assert_true(f->body_bytes <= 65536);
    assert_int_equal(f->last_refusal, 413);
    rounds(f, 10);
    f->body_bytes = 0;
    assert_int_equal(curl(f, "--data-binary @/bin/sh '^/p'", out, sizeof out), 0);
    assert_true(f->body_bytes > 10000);
    assert_int_equal(f->gone, f->begun);
}

static void
old_tls_is_refused(void **state)
{
    static const char *const args[] = {"--tlsv1.0 --tls-max 1.0 '^/x'",
                                       "--tlsv1.1 --tls-max 1.1 '^/x'"};
    struct fixture *f = *state;
    char out[1000];

    if (!have_curl())
        return;
    start(f, true, NULL);
    for (size_t i = 0; i < sizeof args / sizeof *args; i++)
        assert_int_not_equal(curl(f, args[i], out, sizeof out), 0);
    assert_int_equal(f->begun, 0);
    /* Plain HTTP on the TLS port, and a handshake that never goes on. */
    {
        struct answer a;
        int silent = dial(f);

        once(f, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &a);
        assert_int_equal(a.status, 0);
        say_text(f, silent, "\x16\x03\x01");
        turned += 62 * S;
        rounds(f, 5);
        turned += S;
        rounds(f, 5);
        assert_true(is_closed(silent));
        close(silent);
    }
    assert_int_equal(curl(f, "'^/x'", out, sizeof out), 0);
}

#define CROWD 5000

/* Five thousand connections that say nothing: the next one is served. */
static void
a_crowd(void **state)
{
    static int fds[CROWD];
    struct fixture *f = *state;
    struct rlimit lim;
    struct http_counts counts;
    char out[1000];
    int n;

    getrlimit(RLIMIT_NOFILE, &lim);
    lim.rlim_cur = lim.rlim_max;
    setrlimit(RLIMIT_NOFILE, &lim);
    if (lim.rlim_cur < CROWD + HTTP_CONNECTIONS + 200 || !have_curl()) {
        print_message("# skipped: %d descriptors are too few for %d idle connections\n",
                      (int)lim.rlim_cur, CROWD);
        return;
    }
    start(f, true, NULL);
    for (n = 0; n < CROWD; n++) {
        fds[n] = dial(f);
        if (n % 16 == 0)
            rounds(f, 1);
    }
    rounds(f, 100);
    http_counts(f->s, &counts);
    print_message("# %u connections are held, %u were let go\n", counts.connections,
                  (unsigned)counts.timeouts);
    assert_true(counts.connections <= HTTP_CONNECTIONS);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(curl(f, "'^/x'", out, sizeof out), 0);
        assert_string_equal(out, "GET /x ?  0");
    }
    for (int i = 0; i < n; i++)
        close(fds[i]);
    rounds(f, 100);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(simple),
        T(pipelined),
        T(refused),
        T(bodies),
        T(chunked),
        T(back_pressure),
        T(later),
        T(waiting_does_not_spin),
        T(bad_answers),
        T(huge_headers),
        T(slow_clients),
        T(no_answer_in_time),
        T(too_many),
        T(too_many_from_one_address),
        T(graceful_stop),
        T(stop_after_grace),
        T(free_with_requests),
        T(clients_that_leave),
        T(wrong_key),
        T(memory_runs_out),
        T(over_tls),
        T(old_tls_is_refused),
        T(a_crowd),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
