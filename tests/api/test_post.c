/* POST: a body becomes objects, whoever is slow, away or gone meanwhile. */
#include "fake.h"

#include <errno.h>
#include <sys/socket.h>
#include "crypto.h"
#include "gzip.h"

#define TARGET  "POST /taxii2/root/collections/all/objects/ HTTP/1.1\r\nHost: x\r\n"
#define GOOD    "Authorization: Bearer jaga_good\r\n"
#define TAXII   "Content-Type: application/taxii+json;version=2.1\r\n"
#define SECONDS INT64_C(1000000)

static void
object(struct buf *b, unsigned i)
{
    buf_printf(b,
               "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--00000000-0000-4"
               "000-8000-%012x\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-"
               "01T00:00:00.000Z\",\"name\":\"number %u\"}",
               i, i);
}

static void
envelope(struct buf *b, unsigned n)
{
    buf_init(b, 64u << 20);
    buf_str(b, "{\"objects\":[");
    for (unsigned i = 0; i < n; i++) {
        buf_str(b, i ? "," : "");
        object(b, i);
    }
    buf_str(b, "]}");
}

static void
head(char *out, size_t n, const char *headers, size_t length)
{
    snprintf(out, n, TARGET "%sContent-Length: %zu\r\n\r\n", headers, length);
}

/* Sends it as fast as it is taken. */
static void
post(struct fake *f, int fd, const char *headers, struct span body, struct heard *h)
{
    char text[1000];

    head(text, sizeof text, headers, body.n);
    fake_say(f, fd, text, strlen(text));
    while (body.n > 0) {
        ssize_t k = send(fd, body.p, body.n < 50000 ? body.n : 50000, MSG_NOSIGNAL);

        if (k > 0)
            body = span_part(body, (size_t)k, body.n);
        else if (k < 0 && errno != EAGAIN)
            break;
        fake_rounds(f, 1);
    }
    fake_hear(f, fd, false, h);
}

static void
post_once(struct fake *f, const char *headers, struct span body, struct heard *h)
{
    int fd = fake_dial(f);

    post(f, fd, headers, body, h);
    fake_hang_up(f, fd);
}

/* What bodies and headers lead to. */
static void
bodies(void **state)
{
    static const struct {
        const char *name, *headers, *body;
        unsigned status, objects;
    } t[] = {
        {"empty envelope", GOOD TAXII, "{}", 202, 0},
        {"no objects", GOOD TAXII, "{\"objects\":[]}", 202, 0},
        {"one", GOOD TAXII, "{\"objects\":[{\"type\":\"x-a\",\"id\":\"x-a--1\"}]}", 202, 1},
        {"a bundle", GOOD "Content-Type: application/stix+json;version=2.1\r\n",
         "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000000\","
         "\"objects\":[{},{}]}",
         202, 2},
        {"a bundle without id", GOOD TAXII, "{\"type\":\"bundle\",\"objects\":[{}]}", 202, 1},
        {"type with a space", GOOD "Content-Type: application/taxii+json; version=2.1\r\n", "{}",
         202, 0},
        {"type with charset", GOOD "Content-Type: application/taxii+json;charset=utf-8\r\n", "{}",
         202, 0},
        {"elements that are none", GOOD TAXII, "{\"objects\":[1,null,\"x\"]}", 202, 3},
        {"Expect", GOOD TAXII "Expect: 100-continue\r\n", "{\"objects\":[{}]}", 202, 1},
        {"nothing", GOOD TAXII, "", 422, 0},
        {"white space", GOOD TAXII, "  \n", 422, 0},
        {"not JSON", GOOD TAXII, "hello", 422, 0},
        {"HTML", GOOD TAXII, "<html></html>", 422, 0},
        {"cut off", GOOD TAXII, "{\"objects\":[", 422, 0},
        {"a string", GOOD TAXII, "\"x\"", 422, 0},
        {"objects is none", GOOD TAXII, "{\"objects\":{}}", 422, 0},
        {"another object", GOOD TAXII, "{\"a\":1}", 422, 0},
        {"numbers", GOOD TAXII, "[1,2]", 422, 0},
        {"an object alone", GOOD TAXII,
         "{\"type\":\"x-a\",\"id\":\"x-a--00000000-0000-4000-8000-000000000000\"}", 202, 1},
        {"cut off behind one", GOOD TAXII, "{\"objects\":[{\"a\":1},", 202, 2},
        {"text behind the end", GOOD TAXII, "{\"objects\":[{\"a\":1}]} x", 202, 2},
        {"nobody", TAXII, "{\"objects\":[{}]}", 401, 0},
        {"wrong login", "Authorization: Bearer jaga_bad\r\n" TAXII, "{\"objects\":[{}]}", 401, 0},
        {"broken login", "Authorization: Basic x\r\n" TAXII, "{\"objects\":[{}]}", 401, 0},
        {"wrong type", GOOD "Content-Type: text/plain\r\n", "{\"objects\":[{}]}", 415, 0},
        {"wrong Accept", GOOD TAXII "Accept: text/html\r\n", "{\"objects\":[{}]}", 406, 0},
        {"a coding", GOOD TAXII "Content-Encoding: br\r\n", "{\"objects\":[{}]}", 415, 0},
        {"two codings", GOOD TAXII "Content-Encoding: gzip, gzip\r\n", "x", 415, 0},
        {"two codings in two lines",
         GOOD TAXII "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", "x", 415, 0},
        {"no coding", GOOD TAXII "Content-Encoding: identity\r\n", "{\"objects\":[{}]}", 202, 1},
        {"not gzip", GOOD TAXII "Content-Encoding: gzip\r\n", "{\"objects\":[{}]}", 422, 0},
        {"no gzip at all", GOOD TAXII "Content-Encoding: gzip\r\n", "", 422, 0},
    };
    struct fake *f = *state;

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        unsigned before = f->objects, ended = f->ends;
        struct heard h;

        post_once(f, t[i].headers, span_of(t[i].body), &h);
        if (h.status != t[i].status || f->objects - before != t[i].objects)
            fail_msg("%s: %u, %u objects\n%s", t[i].name, h.status, f->objects - before, h.all.p);
        if (h.status == 202) {
            assert_true(heard_has(&h, "Content-Type", "application/taxii+json;version=2.1\r\n"));
            assert_non_null(strstr(heard_body(&h), "complete"));
            assert_int_equal(f->ends, ended + 1);
            assert_string_equal(f->last_collection, "all");
        } else {
            heard_is_error(&h, h.status);
            assert_int_equal(f->ends, ended);
        }
        assert_int_equal(f->open, 0);
        heard_clear(&h);
    }
}

/* 5,000 objects past a writer that is full again and again; they arrive whole and in order. */
static void
five_thousand(void **state)
{
    static const unsigned fulls[] = {0, 1, 7, 100, 4999};
    struct fake *f = *state;
    struct buf body;

    fake_start(f, 16u << 20, NULL);
    f->auto_drain = true;
    envelope(&body, 5000);
    for (size_t i = 0; i < sizeof fulls / sizeof *fulls; i++) {
        struct span seen, line;
        struct heard h;
        unsigned n = 0;

        f->objects = 0;
        f->drains = 0;
        f->taken = 0;
        f->full_after = fulls[i];
        buf_reset(&f->objects_seen);
        post_once(f, GOOD TAXII, buf_view(&body), &h);
        assert_int_equal(h.status, 202);
        heard_clear(&h);
        assert_int_equal(f->objects, 5000);
        assert_true(fulls[i] == 0 || f->drains >= 5000 / fulls[i] - 1);
        seen = buf_view(&f->objects_seen);
        while (span_split(&seen, '\n', &line)) {
            char name[40];

            if (line.n == 0)
                break; /* behind the last */
            snprintf(name, sizeof name, "\"number %u\"", n++);
            if (span_find_span(line, span_of(name)) < 0)
                fail_msg("no %s in %.*s", name, (int)line.n, line.p);
        }
        assert_int_equal(n, 5000);
    }
    buf_clear(&body);
}

/* Bodies in gzip: as those that are plain, and the limit is for what is meant. */
static void
coded(void **state)
{
    struct fake *f = *state;
    struct buf body, small;
    struct heard h;

    fake_start(f, 1u << 20, NULL);
    envelope(&body, 2000); /* 400 KB, over several pieces of decoded text */
    buf_init(&small, 1u << 20);
    assert_true(gzip_put(buf_view(&body), &small));
    assert_true(small.n < body.n / 5);
    for (unsigned i = 0; i < 3; i++) {
        f->objects = 0;
        f->taken = 0;
        f->full_after = i == 2 ? 10 : 0;
        f->auto_drain = true;
        post_once(f, GOOD TAXII "Content-Encoding: gzip\r\n",
                  i == 1 ? span_part(buf_view(&small), 0, small.n - 9) : buf_view(&small), &h);
        assert_int_equal(h.status, i == 1 ? 422 : 202);
        if (i == 1)
            heard_is_error(&h, 422);
        else
            assert_int_equal(f->objects, 2000);
        heard_clear(&h);
        assert_int_equal(f->open, 0);
    }
    fake_start(f, body.n - 1, NULL); /* it is smaller than that, but not what it means */
    post_once(f, GOOD TAXII "Content-Encoding: gzip\r\n", buf_view(&small), &h);
    assert_int_equal(h.status, 413);
    heard_is_error(&h, 413);
    heard_clear(&h);
    assert_int_equal(f->open, 0);
    buf_clear(&small);
    buf_clear(&body);
}

/* The limit is what the API root says, announced or not. */
static void
limit(void **state)
{
    struct fake *f = *state;
    struct buf body;

    envelope(&body, 10);
    fake_start(f, body.n, NULL);
    for (unsigned over = 0; over < 2; over++) {
        char text[1000];
        struct heard h;
        int fd;

        if (over)
            buf_str(&body, " ");
        post_once(f, GOOD TAXII, buf_view(&body), &h);
        assert_int_equal(h.status, over ? 413 : 202);
        if (over)
            heard_is_error(&h, 413);
        heard_clear(&h);
        fd = fake_dial(f);
        snprintf(text, sizeof text, TARGET GOOD TAXII "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
                 body.n);
        fake_say(f, fd, text, strlen(text));
        fake_say(f, fd, body.p, body.n);
        fake_say(f, fd, "\r\n0\r\n\r\n", 7);
        fake_hear(f, fd, false, &h);
        assert_int_equal(h.status, over ? 413 : 202);
        if (over)
            heard_is_error(&h, 413);
        heard_clear(&h);
        fake_hang_up(f, fd);
        assert_int_equal(f->open, 0);
    }
    buf_clear(&body);
}

/* A large object goes through whole, beyond what a page may have. */
static void
large_object(void **state)
{
    struct fake *f = *state;
    struct buf body;
    struct heard h;
    char *p;

    fake_start(f, 32u << 20, NULL);
    buf_init(&body, 32u << 20);
    buf_str(&body, "{\"objects\":[{\"type\":\"x-a\",\"id\":\"x-a--00000000-0000-4000-8000-"
                   "000000000000\",\"x\":\"");
    p = buf_room(&body, 9u << 20);
    memset(p, 'x', 9u << 20);
    buf_str(&body, "\"}]}");
    post_once(f, GOOD TAXII, buf_view(&body), &h);
    assert_int_equal(h.status, 202);
    assert_int_equal(f->objects, 1);
    assert_true(f->objects_seen.n > 9u << 20);
    heard_clear(&h);
    buf_clear(&body);
}

/* Auth, then the writer, refuse or go away at each step. */
static void
failures(void **state)
{
    static const struct {
        enum err_code code;
        unsigned status;
    } codes[] = {{ERR_DENIED, 403}, {ERR_MISSING, 404}, {ERR_BUSY, 503},
                 {ERR_FULL, 503},   {ERR_LIMIT, 413},   {ERR_RULE, 400}};
    struct fake *f = *state;
    struct span body = SPAN("{\"objects\":[{\"a\":1}]}");
    struct heard h;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        f->status = codes[i].code; /* at the beginning */
        post_once(f, GOOD TAXII, body, &h);
        assert_int_equal(h.status, codes[i].status);
        heard_is_error(&h, h.status);
        heard_clear(&h);
        assert_int_equal(f->objects, 0);
        f->status = ERR_NONE;
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        f->end_status = codes[i].code; /* at the end */
        post_once(f, GOOD TAXII, body, &h);
        assert_int_equal(h.status, codes[i].status);
        heard_clear(&h);
        f->end_status = ERR_NONE;
    }
    for (unsigned k = OUTCOME_LOGIN; k <= OUTCOME_TELL; k += 2) {
        for (unsigned away = 0; away < 2; away++) {
            char login[100];

            snprintf(login, sizeof login, "Authorization: Bearer jaga_good%u%u\r\n" TAXII, k, away);
            (away ? f->away : f->refuse)[k] = true;
            post_once(f, login, body, &h);
            assert_int_equal(h.status, 503);
            assert_true(heard_has(&h, "Retry-After", ""));
            heard_is_error(&h, 503);
            heard_clear(&h);
            f->away[k] = f->refuse[k] = false;
        }
    }
    assert_int_equal(f->open, 0);
}

/* The writer goes away between two objects. */
static void
writer_lost(void **state)
{
    struct fake *f = *state;
    struct buf body;
    char text[500];
    struct heard h;
    int fd = fake_dial(f);

    envelope(&body, 100);
    head(text, sizeof text, GOOD TAXII, body.n);
    fake_say(f, fd, text, strlen(text));
    fake_say(f, fd, body.p, body.n / 2);
    fake_rounds(f, 20);
    assert_true(f->objects > 10);
    f->refuse[OUTCOME_TELL] = true;
    fake_say(f, fd, body.p + body.n / 2, body.n - body.n / 2);
    fake_hear(f, fd, false, &h);
    assert_int_equal(h.status, 503);
    heard_is_error(&h, 503);
    heard_clear(&h);
    fake_hang_up(f, fd);
    assert_int_equal(f->open, 0); /* the fake hears of it; a real one has lost the batch */
    buf_clear(&body);
}

/* The client goes at each stage; no batch stays open, nothing stays waiting. */
static void
clients_that_leave(void **state)
{
    struct fake *f = *state;
    struct buf body;
    char text[500];

    f->any_handle = true;
    envelope(&body, 500);
    head(text, sizeof text, GOOD TAXII, body.n);
    for (unsigned stage = 0; stage < 6; stage++) {
        for (int i = 0; i < 10; i++) {
            int fd = fake_dial(f);

            f->clock.wall_us += 100 * SECONDS;
            f->hold[OUTCOME_LOGIN] = stage == 0;
            f->hold[OUTCOME_TELL] = stage == 1;
            f->full_after = stage == 2 ? 50 : 0;
            f->taken = 0;
            fake_say(f, fd, text, strlen(text));
            if (stage <= 1)
                (void)send(fd, body.p, 1000, MSG_NOSIGNAL);
            if (stage == 2 || stage == 3)
                fake_say(f, fd, body.p, body.n / 2);
            if (stage == 4) { /* all is sent; the writer has not ended the batch */
                fake_rounds(f, 10);
                f->hold[OUTCOME_TELL] = true;
                fake_say(f, fd, body.p, body.n);
            }
            if (stage == 5)
                fake_say(f, fd, body.p, body.n);
            fake_rounds(f, i);
            close(fd);
            fake_rounds(f, i);
            if (f->full)
                fake_drain(f);
            fake_let_go(f, OUTCOME_LOGIN);
            fake_let_go(f, OUTCOME_TELL);
            for (int k = 0; k < 2000 && (f->pending || f->open); k++) {
                fake_rounds(f, 1);
                if (f->full)
                    fake_drain(f);
            }
            assert_null(f->pending);
            assert_int_equal(f->open, 0);
        }
    }
    buf_clear(&body);
}

/* A stale ticket that is remembered: the login is done anew, and the body comes only then. */
static void
stale_ticket(void **state)
{
    struct fake *f = *state;
    struct span body = SPAN("{\"objects\":[{\"a\":1}]}");
    struct heard h;

    f->ticket_old = true;
    fake_once(f, "GET /taxii2/ HTTP/1.1\r\nHost: x\r\n" GOOD "\r\n", &h);
    heard_clear(&h);
    f->ticket_old = false;
    post_once(f, GOOD TAXII, body, &h);
    assert_int_equal(h.status, 202);
    heard_clear(&h);
    assert_int_equal(f->logins, 2);
    assert_int_equal(f->begins, 2);
    assert_int_equal(f->objects, 1);

    f->ticket_old = true; /* and once alone */
    f->clock.wall_us += 100 * SECONDS;
    post_once(f, GOOD TAXII, body, &h);
    assert_int_equal(h.status, 401);
    heard_is_error(&h, 401);
    heard_clear(&h);
    assert_int_equal(f->logins, 4);
    assert_int_equal(f->objects, 1);
}

/* A POST that takes longer than a ticket lives: a fresh one on the way, by a flush, and at the
 * end. */
static void
renewal(void **state)
{
    static const struct {
        bool refused; /* the second login */
        unsigned status;
    } t[] = {{false, 202}, {true, 401}};
    struct fake *f = *state;
    struct buf body;

    envelope(&body, 100);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[500];
        struct heard h;
        int fd = fake_dial(f);
        const char *login = i ? "Authorization: Basic YW5hOnM6Y3JldA==\r\n" TAXII : GOOD TAXII;

        head(text, sizeof text, login, body.n);
        f->logins = f->flushes = f->objects = 0;
        fake_say(f, fd, text, strlen(text));
        for (unsigned part = 0; part < 4; part++) {
            size_t n = body.n / 4;

            if (part == 2 && t[i].refused)
                f->login_state = AUTH_NO;
            fake_say(f, fd, body.p + part * n, part == 3 ? body.n - 3 * n : n);
            fake_rounds(f, 20);
            f->clock.wall_us += 40 * SECONDS;
        }
        fake_hear(f, fd, false, &h);
        assert_int_equal(h.status, t[i].status);
        heard_clear(&h);
        fake_hang_up(f, fd);
        if (!t[i].refused) {
            assert_int_equal(f->logins, 4);
            assert_int_equal(f->flushes, 3);
            assert_int_equal(f->objects, 100);
        }
        assert_int_equal(f->open, 0);
        f->login_state = AUTH_OK;
    }
    buf_clear(&body);
}

/* So many at once and no more; each of the others is told to come again. */
static void
at_once(void **state)
{
    enum { N = 40, TAKEN = 16 };
    struct fake *f = *state;
    char text[500];
    struct span body = SPAN("{\"objects\":[{\"a\":1},{\"a\":2}]}");
    unsigned good = 0, busy = 0;
    int fd[N];

    f->any_handle = true;
    head(text, sizeof text, GOOD TAXII, body.n);
    for (int i = 0; i < N; i++) {
        fd[i] = fake_dial(f);
        fake_say(f, fd[i], text, strlen(text));
        fake_say(f, fd[i], body.p, 20);
        fake_rounds(f, 3);
    }
    fake_rounds(f, 20);
    for (int i = 0; i < N; i++) {
        struct heard h;

        fake_say(f, fd[i], body.p + 20, body.n - 20);
        fake_hear(f, fd[i], false, &h);
        good += h.status == 202;
        busy += h.status == 503 && heard_has(&h, "Retry-After", "");
        heard_clear(&h);
        close(fd[i]);
    }
    assert_int_equal(good, TAKEN);
    assert_int_equal(busy, N - TAKEN);
    assert_int_equal(f->objects, 2 * TAKEN);
}

/* Several are stuck at a full writer; one leaves; the rest go on. */
static void
stuck_together(void **state)
{
    enum { N = 6 };
    struct fake *f = *state;
    struct buf body;
    char text[500];
    int fd[N];

    envelope(&body, 30);
    head(text, sizeof text, GOOD TAXII, body.n);
    f->any_handle = true;
    f->full_after = 5;
    for (int i = 0; i < N; i++) {
        fd[i] = fake_dial(f);
        fake_say(f, fd[i], text, strlen(text));
        fake_say(f, fd[i], body.p, body.n);
        fake_rounds(f, 5);
    }
    assert_true(f->full);
    close(fd[2]);
    fake_rounds(f, 10);
    f->auto_drain = true;
    for (int i = 0; i < N; i++) {
        struct heard h;

        if (i == 2)
            continue;
        fake_hear(f, fd[i], false, &h);
        assert_int_equal(h.status, 202);
        heard_clear(&h);
        close(fd[i]);
    }
    fake_rounds(f, 20);
    assert_int_equal(f->open, 0);
    buf_clear(&body);
}

/* The server ends in the middle of one. */
static void
ended_under_way(void **state)
{
    struct fake *f = *state;
    struct buf body;
    char text[500];

    envelope(&body, 100);
    head(text, sizeof text, GOOD TAXII, body.n);
    for (unsigned stage = 0; stage < 4; stage++) {
        int fd = fake_dial(f);

        f->hold[OUTCOME_LOGIN] = stage == 0;
        f->hold[OUTCOME_TELL] = stage == 1;
        f->full_after = stage == 2 ? 10 : 0;
        f->taken = 0;
        f->full = false;
        fake_say(f, fd, text, strlen(text));
        fake_say(f, fd, body.p, stage == 0 ? 100 : body.n / 2);
        fake_rounds(f, 10);
        fake_start(f, 1u << 20, NULL);
        assert_null(f->pending);
        assert_int_equal(f->open, 0);
        close(fd);
    }
    buf_clear(&body);
}

static void
memory_runs_out(void **state)
{
    struct fake *f = *state;
    struct buf body;
    unsigned good = 0, answered = 0;

    envelope(&body, 20);
    for (size_t n = 1; n < 400; n += n < 80 ? 1 : 7) {
        char text[500];
        struct heard h;
        int fd = fake_dial(f);

        head(text, sizeof text, "Authorization: Basic YW5hOnM6Y3JldA==\r\n" TAXII, body.n);
        f->clock.wall_us += 100 * SECONDS;
        f->objects = 0;
        f->fail_at = n;
        fake_say(f, fd, text, strlen(text));
        fake_say(f, fd, body.p, body.n);
        fake_hear(f, fd, false, &h);
        f->fail_at = 0;
        if (h.status == 202) {
            assert_int_equal(f->ends, ++good);
        } else if (h.status) {
            answered++;
            heard_is_error(&h, h.status);
        }
        heard_clear(&h);
        fake_hang_up(f, fd);
        assert_int_equal(f->open, 0);
    }
    print_message("# %u whole, %u answered with an error\n", good, answered);
    assert_true(good > 10 && answered > 5);
    buf_clear(&body);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        T(bodies),          T(five_thousand),   T(coded),       T(limit),
        T(large_object),    T(failures),        T(writer_lost), T(clients_that_leave),
        T(stale_ticket),    T(renewal),         T(at_once),     T(stuck_together),
        T(ended_under_way), T(memory_runs_out),
    };

    return cmocka_run_group_tests_name("post", tests, NULL, NULL);
}
