/* The HTTP server under slow, many and leaving clients, at its end, and over TLS with curl. */
#include "http_fixture.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(slow_clients),  T(no_answer_in_time), T(too_many),           T(too_many_from_one_address),
        T(graceful_stop), T(stop_after_grace),  T(free_with_requests), T(clients_that_leave),
        T(wrong_key),     T(memory_runs_out),   T(over_tls),           T(old_tls_is_refused),
        T(a_crowd),
    };

    return cmocka_run_group_tests_name("http_limits", tests, NULL, NULL);
}
