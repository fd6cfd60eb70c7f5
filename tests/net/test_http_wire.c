/*
 * Between TLS and the socket: requests in records of all sizes, cut anywhere, many at once; answers
 * of all sizes to clients that read slowly, through sockets that hold little.
 */
#include "http_fixture.h"

#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define REQUESTS 400u
#define LITTLE   (32 << 10) /* bytes that a socket holds: less than many answers */

static uint64_t seed;

static uint32_t
rnd(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

#define STUCK_US INT64_C(20000000)

/* Rounds that do not wait. */
static void
turns(struct fixture *f, unsigned n)
{
    while (n-- > 0)
        assert_int_equal(loop_round(f->l, 0, NULL), 0);
}

/* -- the server: as many bytes as the path says -- */

static void
sized_end(void *ctx, struct http_request *r)
{
    struct fixture *f = ctx;
    struct span path = http_path(r);
    uint64_t n = 0;

    f->ended++;
    assert_true(span_u64(span_part(path, 1, path.n), BIG, &n));
    {
        const struct http_field fields[] = {{"Content-Type", "text/plain"}};
        const struct http_reply a = {.status = 200,
                                     .fields = fields,
                                     .n_fields = 1,
                                     .body = span_from(f->big, (size_t)n),
                                     .free_body = count_free,
                                     .free_ctx = f};

        assert_int_equal(http_answer(r, &a, NULL), 0);
    }
}

static const struct http_handler sized = {
    .begin = on_begin, .body = on_body, .end = sized_end, .gone = on_gone, .refuse = on_refuse};

static void
start_sized(struct fixture *f, int buffer)
{
    struct http_options o = {.listen_fd = listen_any(&f->port)};
    struct err e = ERR_INIT;

    /* What is accepted inherits it. */
    if (buffer > 0)
        assert_int_equal(setsockopt(o.listen_fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer), 0);
    buf_init(&f->cert, TLS_PEM_MAX);
    buf_init(&f->key, TLS_PEM_MAX);
    assert_int_equal(tls_cert_make(NULL, 0, clock_wall_us(NULL), &f->cert, &f->key, &e), 0);
    o.cert_pem = buf_view(&f->cert);
    o.key_pem = buf_view(&f->key);
    f->s = http_new(f->l, &o, &sized, f, &e);
    assert_non_null(f->s);
}

/* -- the client -- */

struct client {
    struct fixture *f;
    int fd;
    gnutls_session_t s;
    gnutls_certificate_credentials_t cred;
    struct buf in;
};

static void
client_open(struct client *c, struct fixture *f, const char *priorities)
{
    const int on = 1;
    int rc, tries = 0;

    *c = (struct client){.f = f, .fd = dial(f)};
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* rounds cost no time */
    buf_init(&c->in, 64u << 20);
    gnutls_certificate_allocate_credentials(&c->cred);
    gnutls_init(&c->s, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    assert_int_equal(gnutls_priority_set_direct(c->s, priorities, NULL), 0);
    gnutls_credentials_set(c->s, GNUTLS_CRD_CERTIFICATE, c->cred);
    gnutls_transport_set_int(c->s, c->fd);
    while ((rc = gnutls_handshake(c->s)) == GNUTLS_E_AGAIN && tries++ < 10000)
        rounds(f, 1);
    assert_int_equal(rc, 0);
}

static void
client_close(struct client *c)
{
    gnutls_deinit(c->s);
    gnutls_certificate_free_credentials(c->cred);
    buf_clear(&c->in);
    close(c->fd);
    rounds(c->f, 5);
}

/* Takes what has come, at most `most` bytes; false: the other side has closed. */
static bool
client_hear(struct client *c, size_t most)
{
    char bytes[4096];
    ssize_t n;

    while (most > 0) {
        n = gnutls_record_recv(c->s, bytes, most < sizeof bytes ? most : sizeof bytes);
        if (n == 0 || (n < 0 && n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED))
            return false;
        if (n < 0)
            return true;
        buf_put(&c->in, bytes, (size_t)n);
        assert_false(c->in.failed);
        most -= (size_t)n;
    }
    return true;
}

/* -- what is asked, and what has to come -- */

struct asked {
    size_t n;
    bool head;
};

static size_t
a_size(void)
{
    static const size_t edges[] = {0,     1,     2,     700,   768,   769,    1000,  1300,
                                   16000, 16383, 16384, 16385, 32768, 100000, 163000};

    return rnd(3) == 0 ? edges[rnd(sizeof edges / sizeof *edges)] : rnd(rnd(8) ? 2000 : 60000);
}

static void
ask(struct asked *a, size_t n, struct buf *out)
{
    char filler[1200];

    for (size_t i = 0; i < n; i++) {
        const size_t long_by = rnd(5) == 0 ? rnd(sizeof filler - 1) : 0;

        a[i] = (struct asked){.n = a_size(), .head = rnd(20) == 0};
        memset(filler, 'f', long_by);
        filler[long_by] = '\0';
        buf_printf(out, "%s /%zu HTTP/1.1\r\nHost: x\r\nX-Filler: %s\r\n\r\n",
                   a[i].head ? "HEAD" : "GET", a[i].n, filler);
    }
    assert_false(out->failed);
}

static void
check(struct client *c, const struct asked *a, size_t n)
{
    struct span rest = buf_view(&c->in);

    for (size_t i = 0; i < n; i++) {
        char length[64];
        const ptrdiff_t end = span_find_span(rest, SPAN("\r\n\r\n"));
        const size_t body = a[i].head ? 0 : a[i].n;

        assert_true(end > 0);
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", a[i].n);
        assert_true(span_starts(rest, "HTTP/1.1 200 OK\r\n"));
        assert_true(span_find_span(span_part(rest, 0, (size_t)end + 2), span_of(length)) > 0);
        rest = span_part(rest, (size_t)end + 4, rest.n);
        if (rest.n < body || memcmp(rest.p, c->f->big, body) != 0)
            fail_msg("answer %zu of %zu bytes", i, a[i].n);
        rest = span_part(rest, body, rest.n);
    }
    assert_int_equal(rest.n, 0);
}

static size_t
all_bytes(struct client *c, const struct asked *a, size_t n)
{
    struct span rest = buf_view(&c->in);
    size_t whole = 0;

    for (; whole < n; whole++) {
        const ptrdiff_t end = span_find_span(rest, SPAN("\r\n\r\n"));
        const size_t body = a[whole].head ? 0 : a[whole].n;

        if (end < 0 || rest.n - (size_t)end - 4 < body)
            break;
        rest = span_part(rest, (size_t)end + 4 + body, rest.n);
    }
    return whole;
}

/* Everything in one stream of records, cut at random, and read at random. */
static void
converse(struct fixture *f, const char *priorities)
{
    struct asked a[REQUESTS];
    size_t sent = 0, got = 0;
    int64_t moved = clock_mono().us;
    struct client c;
    struct buf out;

    buf_init(&out, 4u << 20);
    ask(a, REQUESTS, &out);
    client_open(&c, f, priorities);
    while (got < REQUESTS && clock_mono().us - moved < STUCK_US) {
        const size_t before = c.in.n + sent;

        if (sent < out.n && rnd(3) > 0) {
            const size_t left = out.n - sent, cut = 1 + rnd(rnd(4) ? 3000 : 20);
            const ssize_t n = gnutls_record_send(c.s, out.p + sent, cut < left ? cut : left);

            assert_true(n > 0 || n == GNUTLS_E_AGAIN);
            sent += n > 0 ? (size_t)n : 0;
            while (n == GNUTLS_E_AGAIN) { /* the same record has to be tried again */
                const ssize_t again = gnutls_record_send(c.s, NULL, 0);

                if (again > 0) {
                    sent += (size_t)again;
                    break;
                }
                assert_int_equal(again, GNUTLS_E_AGAIN);
                assert_true(client_hear(&c, 100000));
                turns(f, 1);
            }
        }
        if (rnd(4) > 0)
            turns(f, 1 + rnd(3));
        if (rnd(3) == 0)
            assert_true(client_hear(&c, 1 + rnd(rnd(3) ? 300 : 50000)));
        if (c.in.n + sent != before)
            moved = clock_mono().us;
        if (sent == out.n)
            got = all_bytes(&c, a, REQUESTS);
    }
    assert_int_equal(sent, out.n);
    assert_int_equal(got, REQUESTS);
    check(&c, a, REQUESTS);
    client_close(&c);
    buf_clear(&out);
}

static void
all_sizes(void **state)
{
    struct fixture *f = *state;

    start_sized(f, 0);
    converse(f, "NORMAL:-VERS-ALL:+VERS-TLS1.3");
    converse(f, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
    assert_int_equal(f->ended, 2 * REQUESTS);
    assert_int_equal(f->sent, 2 * REQUESTS);
}

static void
small_sockets(void **state)
{
    struct fixture *f = *state;

    start_sized(f, LITTLE);
    converse(f, "NORMAL:-VERS-ALL:+VERS-TLS1.3");
    converse(f, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
    assert_int_equal(f->sent, 2 * REQUESTS);
}

/* One request after the other: nothing may wait for what nobody sends. */
static void
one_by_one(void **state)
{
    struct fixture *f = *state;
    struct client c;

    start_sized(f, 0);
    client_open(&c, f, "NORMAL");
    for (unsigned i = 0; i < 300; i++) {
        struct asked a;
        struct buf out;
        const int64_t from = clock_mono().us;

        buf_init(&out, 1u << 16);
        ask(&a, 1, &out);
        assert_int_equal(gnutls_record_send(c.s, out.p, out.n), out.n);
        buf_reset(&c.in);
        while (all_bytes(&c, &a, 1) == 0 && clock_mono().us - from < STUCK_US) {
            turns(f, 1);
            assert_true(client_hear(&c, 1u << 20));
        }
        check(&c, &a, 1);
        buf_clear(&out);
    }
    client_close(&c);
}

/* While another request is under way records wait for those behind them: the last one never does.
 * (What waits is sent by the kernel after 200 ms; the turns here take far less.) */
static void
beside_others(void **state)
{
    static const size_t around[] = {16384, 16406, 32768, 32790, 49152, 65536, 81920, 98304, 163840};
    static const char half[] = "GET /1 HTTP/1.1\r\nHost";
    struct fixture *f = *state;
    struct http_counts counts;
    struct client c, other;

    start_sized(f, 0);
    client_open(&other, f, "NORMAL");
    client_open(&c, f, "NORMAL");
    assert_int_equal(gnutls_record_send(other.s, half, sizeof half - 1), sizeof half - 1);
    rounds(f, 5);
    http_counts(f->s, &counts);
    assert_int_equal(counts.active, 1);
    for (unsigned i = 0; i < 300; i++) {
        struct asked a = {.n = around[rnd(sizeof around / sizeof *around)] - 30 + rnd(60)};
        char text[80];
        const int n = snprintf(text, sizeof text, "GET /%zu HTTP/1.1\r\nHost: x\r\n\r\n", a.n);

        assert_int_equal(gnutls_record_send(c.s, text, (size_t)n), n);
        buf_reset(&c.in);
        for (unsigned k = 0; k < 2000 && all_bytes(&c, &a, 1) == 0; k++) {
            turns(f, 1);
            assert_true(client_hear(&c, 1u << 20));
        }
        check(&c, &a, 1);
    }
    client_close(&c);
    client_close(&other);
}

/* Clients that go away at any moment, some with an answer's head held for a body that is stuck. */
static void
cut_off(void **state)
{
    struct fixture *f = *state;
    struct http_counts counts;

    start_sized(f, LITTLE);
    for (unsigned i = 0; i < 60; i++) {
        struct asked a[20];
        struct client c;
        struct buf out;
        size_t n;

        buf_init(&out, 1u << 20);
        ask(a, 20, &out);
        client_open(&c, f, "NORMAL");
        n = 1 + rnd((uint32_t)(out.n < 16000 ? out.n : 16000));
        (void)gnutls_record_send(c.s, out.p, n);
        rounds(f, (int)rnd(20));
        (void)client_hear(&c, rnd(20000));
        rounds(f, (int)rnd(5));
        client_close(&c);
        buf_clear(&out);
    }
    rounds(f, 200);
    http_counts(f->s, &counts);
    assert_int_equal(counts.connections, 0);
    assert_int_equal(counts.active, 0);
    converse(f, "NORMAL"); /* it goes on */
}

/* What is no TLS at all, in pieces. */
static void
garbage(void **state)
{
    struct fixture *f = *state;
    struct http_counts counts;
    char bytes[5000];

    start_sized(f, 0);
    for (unsigned i = 0; i < 60; i++) {
        const int fd = dial(f);

        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (char)rnd(256);
        if (rnd(2)) /* the head of a record, as long as can be */
            memcpy(bytes, "\x16\x03\x03\xff\xff", 5);
        say(f, fd, bytes, 1 + rnd(sizeof bytes - 1));
        rounds(f, 3);
        close(fd);
        rounds(f, 3);
    }
    rounds(f, 50);
    http_counts(f->s, &counts);
    assert_int_equal(counts.connections, 0);
    converse(f, "NORMAL");
}

/* What the library refuses by itself: the head of its page at most, and nothing of HTML. */
static void
pages(void **state)
{
    static const struct {
        const char *name, *text;
        unsigned status;  /* 0: closed without an answer */
        unsigned before;  /* answers that go ahead of it */
        unsigned fill;    /* bytes between text ... */
        const char *rest; /* ... and this */
    } t[] = {
        {"no version", "GET /\r\n\r\n", 400, 0, 0, ""},
        {"behind answers",
         "GET /5 HTTP/1.1\r\nHost: x\r\n\r\nGET /70 HTTP/1.1\r\nHost: x\r\n\r\nGET /\r\n\r\n", 400,
         2, 0, ""},
        {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, 0, 0, ""},
        {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505, 0, 0, ""},
        {"no method", "nonsense\r\n\r\n", 0, 0, 0, ""},
        {"no colon", "GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400, 0, 0, ""},
        {"no colon, HEAD", "HEAD / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400, 0, 0, ""},
        /* The library writes the head of this one twice, as one record. */
        {"no length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: a\r\n\r\nabc", 0, 0, 0, ""},
        {"long length",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nabc", 0, 0, 0,
         ""},
        {"no chunk", "POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
         0, 0, ""},
        {"no second chunk",
         "POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n", 400,
         0, 0, ""},
        {"long chunk",
         "POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
         "chunked\r\n\r\n99999999999999999\r\nabc",
         413, 0, 0, ""},
        {"no trailer",
         "POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n\r\n",
         400, 0, 0, ""},
        {"long target", "GET /", 414, 0, 13000, " HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"long field", "GET / HTTP/1.1\r\nHost: x\r\nA: ", 431, 0, 13000, "\r\n\r\n"},
    };
    static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3",
                                             "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
    struct fixture *f = *state;

    start_sized(f, 0);
    for (size_t i = 0; i < 2 * (sizeof t / sizeof *t); i++) {
        char fill[13001] = "", text[14000];
        const size_t k = i / 2;
        struct http_counts counts;
        struct client c;
        unsigned heads = 0, status = 0;
        int n, tries = 0;

        memset(fill, 'f', t[k].fill);
        n = snprintf(text, sizeof text, "%s%s%s", t[k].text, fill, t[k].rest);
        client_open(&c, f, priorities[i % 2]);
        assert_int_equal(gnutls_record_send(c.s, text, (size_t)n), n);
        while (client_hear(&c, 1u << 20) && tries++ < 2000)
            rounds(f, 1);
        assert_true(tries < 2000); /* closed */
        buf_u8(&c.in, 0);
        for (const char *p = strstr((char *)c.in.p, "HTTP/1.1 "); p != NULL;
             p = strstr(p + 1, "HTTP/1.1 ")) {
            heads++;
            status = (unsigned)strtoul(p + 9, NULL, 10);
        }
        if (memchr(c.in.p, '<', c.in.n) != NULL || heads != t[k].before + (t[k].status != 0) ||
            (heads > 0 && status != (t[k].status != 0 ? t[k].status : 200)))
            fail_msg("%s: %s", t[k].name, (char *)c.in.p);
        client_close(&c);
        rounds(f, 20);
        http_counts(f->s, &counts);
        assert_int_equal(counts.connections, 0);
        assert_int_equal(counts.active, 0);
    }
    converse(f, "NORMAL"); /* it goes on */
}

/* What of a page did not fit into the socket goes later, and no more than its head then. */
static void
page_to_a_slow_client(void **state)
{
    struct fixture *f = *state;
    struct http_counts counts;

    start_sized(f, LITTLE);
    for (unsigned i = 0; i < 40; i++) {
        const unsigned n = LITTLE / 2 + rnd(4 * LITTLE);
        struct client c;
        char text[200];
        const size_t expect = (size_t)snprintf(
            text, sizeof text, "GET /%u HTTP/1.1\r\nHost: x\r\n\r\nGET /\r\n\r\n", n);
        int tries = 0;

        client_open(&c, f, "NORMAL");
        assert_int_equal(gnutls_record_send(c.s, text, expect), expect);
        rounds(f, (int)rnd(20));
        while (client_hear(&c, 1 + rnd(3000)) && tries++ < 20000)
            turns(f, 1 + rnd(2));
        assert_true(tries < 20000);
        buf_u8(&c.in, 0);
        assert_true(c.in.n > n);
        assert_non_null(strstr((char *)c.in.p + c.in.n - 200, "HTTP/1.1 400 "));
        assert_null(strstr((char *)c.in.p + c.in.n - 200, "<"));
        client_close(&c);
    }
    rounds(f, 200);
    http_counts(f->s, &counts);
    assert_int_equal(counts.connections, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(all_sizes), T(small_sockets), T(one_by_one), T(beside_others),
        T(cut_off),   T(garbage),       T(pages),      T(page_to_a_slow_client),
    };
    const char *given = getenv("JAGA_SEED");

    seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("# JAGA_SEED=%" PRIu64 "\n", seed);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("http_wire", tests, NULL, NULL);
}
