/* The HTTP server: requests, bodies, answers, and what it refuses. */
#include "http_fixture.h"

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
    enum { LIBRARY = 2 }; /* what cannot be read as a request it answers by itself */
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
        {"length with sign", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400,
         LIBRARY},
        {"negative length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc", 400,
         LIBRARY},
        {"list of lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc", 400,
         LIBRARY},
        {"hexadecimal length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", 400,
         LIBRARY},
        {"length beyond 64 bits",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nabc", 413,
         LIBRARY},
        {"gzip body",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
         415, 0},
        {"identity body",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
         200, 1},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505, 0},
        {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, LIBRARY},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, LIBRARY},
        {"absolute target", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"target without slash", "GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 200, 1},
        {"handler closes", "GET /close HTTP/1.1\r\nHost: x\r\n\r\n", 0, 1},
        {"no version", "GET /\r\n\r\n", 400, LIBRARY},
        {"binary", "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\r\n\r\n", 0, 0},
        {"space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, 0},
        {"space before another's colon", "GET / HTTP/1.1\r\nHost: x\r\nA : x\r\n\r\n", 400, 0},
        {"tab before the colon", "GET / HTTP/1.1\r\nHost: x\r\nA\t: x\r\n\r\n", 400, 0},
        {"length with a space", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc", 400,
         0},
        {"coding with a space",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, 0},
        {"field without a name", "GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", 400, 0},
        {"field with a name of UTF-8", "GET / HTTP/1.1\r\nHost: x\r\n\xc3\xa9: y\r\n\r\n", 400, 0},
        {"field with all that a name may have",
         "GET / HTTP/1.1\r\nHost: x\r\n!#$%&'*+-.^_`|~09azAZ: y\r\n\r\n", 200, 1},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"a version twice", "GET / HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"tab in the target", "GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"control in the target", "GET /a\x7f HTTP/1.1\r\nHost: x\r\n\r\n", 400, 0},
        {"header without colon", "GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400, LIBRARY},
    };
    struct fixture *f = *state;
    unsigned gone = 0;

    start(f, false, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const bool ours = t[i].status >= 400 && t[i].begun == 0;
        const unsigned handled = t[i].begun == 1;
        unsigned begun = f->begun, own = f->refused;
        struct answer a;

        once(f, t[i].text, &a);
        gone += handled;
        if (f->refused - own != ours)
            fail_msg("%s: %s", t[i].name, ours ? "the library answers" : "it was refused");
        if (a.status != t[i].status || f->begun - begun != handled || f->gone != gone)
            fail_msg("%s: %u, begun %u\n%s", t[i].name, a.status, f->begun - begun, a.head);
        if (a.status == 0)
            assert_true(a.ended);
        f->body_bytes = 0;
    }
}

/* What the library would pass over, so that another server could read another request. */
static void
every_byte(void **state)
{
#define B(name, text, status)                                                                      \
    {                                                                                              \
        name, text, sizeof text - 1, status                                                        \
    }
    static const struct {
        const char *name, *text;
        size_t n;
        unsigned status;
    } t[] = {
        B("lines that end in LF", "GET /a HTTP/1.1\nHost: x\nA: b\n\n", 200),
        B("some that end in LF", "GET /a HTTP/1.1\r\nHost: x\nA: b\r\n\n", 200),
        B("lines before the request", "\r\n\r\nGET /a?b=c&d HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        B("no fields", "GET /a HTTP/1.0\r\n\r\n", 200),
        B("blanks around a value", "GET / HTTP/1.1\r\nHost:  \t x \t \r\nA:b\r\nC: \r\n\r\n", 200),
        B("text of UTF-8", "GET / HTTP/1.1\r\nHost: x\r\nA: \xc3\xa9\r\n\r\n", 200),
        B("tab in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\tc\r\n\r\n", 200),
        B("two blanks before the target", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        B("NUL in the method", "G\0ET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        B("NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        B("NUL in the query", "GET /a?b\0c HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        B("NUL in a value", "GET / HTTP/1.1\r\nA: b\0c\r\nHost: x\r\n\r\n", 400),
        B("NUL in the last value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400),
        B("NUL behind a value", "GET / HTTP/1.1\r\nA: b\0\r\nHost: x\r\n\r\n", 400),
        B("NUL in a length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\0 4\r\n\r\nabc", 400),
        B("NUL in Host", "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n", 400),
        B("CR in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400),
        B("CR for CRLF", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400),
        B("control in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n", 400),
        B("delete in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\x7f\r\n\r\n", 400),
        B("a folded value", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
        B("folded with a tab", "GET / HTTP/1.1\r\nA: b\r\n\tc\r\nHost: x\r\n\r\n", 400),
        B("folded twice", "GET / HTTP/1.1\r\nA: b\r\n c\r\n d\r\nHost: x\r\n\r\n", 400),
        B("folded, nothing more", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n \r\n\r\n", 400),
        B("folded into a coding",
          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-: chunked\r\n Encoding\r\n\r\n0\r\n\r\n", 400),
        B("folded first", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    };
#undef B
    struct fixture *f = *state;
    struct answer a;

    start(f, false, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const unsigned begun = f->begun, refused = f->refused;
        const int fd = dial(f);

        say(f, fd, t[i].text, t[i].n);
        hear(f, fd, &a);
        if (a.status != t[i].status || f->begun - begun != (a.status == 200) ||
            f->refused - refused != (a.status == 400))
            fail_msg("%s: %u", t[i].name, a.status);
        rounds(f, 5);
        if (a.status == 400)
            assert_int_equal(recv(fd, a.head, 1, 0), 0);
        close(fd);
        rounds(f, 3);
    }
}

/* Heads up to what a pool holds, however they come: the library may not have moved any of them. */
static void
heads_in_pieces(void **state)
{
    static const size_t pieces[] = {1, 3, 100, 1000, 20000};
    struct fixture *f = *state;
    char text[HTTP_POOL];
    struct answer a;

    start(f, false, NULL);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        const int fd = dial(f);

        for (unsigned i = 0; i < 24; i += pieces[p] < 7 ? 11 : 1) { /* on one connection */
            size_t n =
                (size_t)snprintf(text, sizeof text, "GET /%0*u?x=%0*u HTTP/1.1\r\nHost: x\r\n",
                                 (int)(i * 180), i, (int)(i * 180), i);

            for (unsigned k = 0; k < i; k++)
                n += (size_t)snprintf(text + n, sizeof text - n, "Field-%u:%*s%0*u\r\n", k,
                                      (int)(k % 3), "", (int)(k * 5), k);
            n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
            for (size_t at = 0; at < n; at += pieces[p])
                say(f, fd, text + at, n - at < pieces[p] ? n - at : pieces[p]);
            hear(f, fd, &a);
            if (a.status != 200)
                fail_msg("%zu bytes, %u fields, in pieces of %zu: %u", n, i + 1, pieces[p],
                         a.status);
        }
        close(fd);
        rounds(f, 3);
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

/* A handler that wants to know first who sends it: nothing of the body before it says so, and a
 * refusal reaches the client. */
static void
held_in_begin(void **state)
{
    static const struct {
        size_t n;
        bool expect, refuse, chunked;
    } t[] = {{3, false, false, false},       {3, false, true, false},
             {3000000, false, false, false}, {3000000, false, true, false},
             {3000000, true, false, false},  {3000000, true, true, false},
             {3000000, false, false, true},  {3000000, false, true, true}};
    struct fixture *f = *state;
    char *body = mem_zero(1, 4 * MB);

    start(f, false, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char head[300];
        struct answer a;
        int fd = dial(f);
        unsigned pieces = f->pieces;
        size_t first = t[i].n < 1000 ? t[i].n : 1000;

        snprintf(head, sizeof head, "POST /hold HTTP/1.1\r\nHost: x\r\n%s%s\r\n\r\n%s",
                 t[i].expect ? "Expect: 100-continue\r\n" : "",
                 t[i].chunked  ? "Transfer-Encoding: chunked"
                 : t[i].n == 3 ? "Content-Length: 3"
                               : "Content-Length: 3000000",
                 t[i].chunked ? "2dc6c0\r\n" : "");
        f->body_bytes = 0;
        say_text(f, fd, head);
        assert_int_equal(send(fd, body, first, MSG_NOSIGNAL), first);
        rounds(f, 20);
        assert_non_null(f->later);
        assert_int_equal(f->pieces, pieces);
        if (t[i].refuse)
            answer(f, f->later, 403, "not you");
        else
            http_resume(f->later);
        f->later = NULL;
        if (t[i].refuse && t[i].n > MB) { /* told at once, whatever is still to come */
            hear(f, fd, &a);
            assert_int_equal(a.status, 403);
            close(fd);
            rounds(f, 5);
            continue;
        }
        say(f, fd, body, t[i].n - first);
        if (t[i].chunked)
            say_text(f, fd, "\r\n0\r\n\r\n");
        hear(f, fd, &a);
        assert_int_equal(a.status, t[i].refuse ? 403 : 200);
        assert_int_equal(f->body_bytes, t[i].refuse ? 0 : t[i].n);
        talk(f, fd, "GET /next HTTP/1.1\r\nHost: x\r\n\r\n", &a);
        assert_int_equal(a.status, 200);
        close(fd);
        rounds(f, 5);
    }
    assert_int_equal(f->gone, f->begun);
    mem_free(body);
}

/* Answered between two pieces, gone while it is held, and held for too long. */
static void
answered_while_paused(void **state)
{
    struct fixture *f = *state;
    char *body = mem_zero(1, MB);
    struct answer a;
    int fd;

    start(f, false, NULL);
    fd = dial(f);
    say_text(f, fd, "POST /pause HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n");
    say(f, fd, body, 1000);
    for (int i = 0; f->later == NULL && i < 100; i++)
        rounds(f, 1);
    assert_non_null(f->later);
    answer(f, f->later, 422, "broken");
    f->later = NULL;
    say(f, fd, body, 899000);
    hear(f, fd, &a);
    assert_int_equal(a.status, 422);
    assert_int_equal(f->pieces, 1);
    close(fd);
    rounds(f, 5);
    for (unsigned i = 0; i < 2; i++) {
        fd = dial(f);
        say_text(f, fd, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
        rounds(f, 20);
        assert_non_null(f->later);
        if (i == 1) {
            f->later = NULL;
            turned += HTTP_ANSWER_US + 2 * S;
            say(f, fd, body, 1000);
            hear(f, fd, &a);
            assert_int_equal(f->last_refusal, 503);
            assert_int_equal(a.status, 503);
        }
        close(fd);
        if (i == 0)
            http_resume(f->later);
        rounds(f, 20);
        assert_null(f->later);
    }
    assert_int_equal(f->gone, f->begun);
    mem_free(body);
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

/* The limit is ours, so that the answer is. */
static void
long_heads(void **state)
{
    static const struct {
        const char *begin, *end;
        size_t over; /* bytes beyond the limit */
        unsigned status;
    } t[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\nA: ", "\r\n\r\n", 0, 200},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: ", "\r\n\r\n", 1, 431},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: ", "\r\n\r\n", 300, 431},
        {"GET /", " HTTP/1.1\r\nHost: x\r\n\r\n", 0, 200},
        {"GET /", " HTTP/1.1\r\nHost: x\r\n\r\n", 1, 414},
        {"GET /?", " HTTP/1.1\r\nHost: x\r\n\r\n", 300, 414},
    };
    struct fixture *f = *state;
    char text[HTTP_POOL];
    struct answer a;

    start(f, false, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const unsigned refused = f->refused;
        const size_t n = HTTP_HEAD_MAX + t[i].over, k = strlen(t[i].begin), e = strlen(t[i].end);

        memset(text, 'a', n);
        memcpy(text, t[i].begin, k);
        memcpy(text + n - e, t[i].end, e + 1);
        once(f, text, &a);
        if (a.status != t[i].status || f->refused - refused != (a.status != 200))
            fail_msg("%zu: %u", i, a.status);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(simple),          T(pipelined),
        T(refused),         T(every_byte),
        T(heads_in_pieces), T(bodies),
        T(chunked),         T(back_pressure),
        T(held_in_begin),   T(answered_while_paused),
        T(later),           T(waiting_does_not_spin),
        T(bad_answers),     T(huge_headers),
        T(long_heads),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
