/*
 * A front and a reader under their sandboxes, with TLS before them and the ring between: what the
 * allow-lists leave is enough for all that they do, and a front that a client talks badly to goes
 * on.  curl is the client.
 */
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "buf.h"
#include "clock.h"
#include "http.h"
#include "loop.h"
#include "mem.h"
#include "ring.h"
#include "sandbox.h"
#include "tls_cert.h"

static int port;
static pid_t front, reader;
static char pem[] = "/tmp/jaga-serving-XXXXXX";

/* -- the reader: answers with as many bytes as the path says -- */

static enum ring_took
on_request(void *ctx, struct ring_server *s, uint32_t id, struct span record)
{
    struct ring_slot slot;
    uint64_t n = 0;
    struct err e = ERR_INIT;

    (void)ctx;
    span_u64(span_part(record, 1, record.n), RING_BODY_MAX, &n);
    if (n == 0)
        return ring_reply(s, id, 204, SPAN(""), NULL, 0, NULL) == 0 ? RING_TOOK : RING_WAIT;
    if (ring_slot_take(s, (size_t)n, &slot, &e) < 0)
        return RING_WAIT;
    memset(slot.body, 'x', (size_t)n);
    if (ring_reply(s, id, 200, SPAN("yes"), &slot, (size_t)n, NULL) < 0)
        _exit(40);
    return RING_TOOK;
}

static void
on_broken(void *ctx, struct ring_server *s, const struct err *why)
{
    (void)ctx;
    (void)s;
    (void)why;
    _exit(41);
}

static void
run_reader(struct ring_fds *fds)
{
    static const struct ring_server_events events = {.request = on_request, .closed = on_broken};
    struct loop *l = loop_new(NULL);
    struct ring_server *s = ring_server_new(l, fds, &events, NULL, NULL);

    if (s == NULL || sandbox_enter(SANDBOX_READER, NULL, 64, NULL, NULL) < 0)
        _exit(42);
    loop_run(l, NULL);
    _exit(0);
}

/* -- the front -- */

struct asked {
    struct ring_client *ring;
    uint32_t slot;
};

static void
release(void *ctx)
{
    struct asked *a = ctx;

    ring_release(a->ring, a->slot);
    mem_free(a);
}

static int
on_begin(void *ctx, struct http_request *r)
{
    (void)ctx;
    http_limit(r, 50u << 20);
    return 0;
}

static void
on_body(void *ctx, struct http_request *r, struct span piece)
{
    (void)ctx;
    (void)r;
    (void)piece;
}

static void
on_end(void *ctx, struct http_request *r)
{
    struct ring_client *ring = *(struct ring_client **)ctx;
    struct span path = http_path(r);
    uint32_t id;

    if (ring_ask(ring, &path, 1, r, &id, NULL) < 0)
        http_answer(r, &(struct http_reply){.status = 503}, NULL);
}

static void
on_answer(void *ctx, const struct ring_answer *a)
{
    struct asked *asked = mem_alloc(sizeof *asked);
    struct http_reply reply = {
        .status = a->status, .body = a->body, .free_body = release, .free_ctx = asked};

    if (asked == NULL)
        _exit(43);
    *asked = (struct asked){.ring = *(struct ring_client **)ctx, .slot = a->slot};
    http_answer(a->tag, &reply, NULL);
}

static void
on_lost(void *ctx, void *tag)
{
    (void)ctx;
    http_answer(tag, &(struct http_reply){.status = 503}, NULL);
}

static void
on_closed(void *ctx, const struct err *why)
{
    (void)ctx;
    (void)why;
}

static void
run_front(int fd, struct ring_fds *fds, const struct buf *cert, const struct buf *key)
{
    static const struct ring_client_events events = {
        .answer = on_answer, .lost = on_lost, .closed = on_closed};
    static const struct http_handler handler = {.begin = on_begin, .body = on_body, .end = on_end};
    static struct ring_client *ring;
    struct loop *l = loop_new(NULL);
    struct http_options o = {.listen_fd = fd, .cert_pem = buf_view(cert), .key_pem = buf_view(key)};

    signal(SIGPIPE, SIG_IGN);
    ring = ring_client_new(l, fds, &events, &ring, NULL);
    if (ring == NULL || http_new(l, &o, &handler, &ring, NULL) == NULL ||
        sandbox_enter(SANDBOX_FRONT, NULL, 200, NULL, NULL) < 0)
        _exit(44);
    loop_run(l, NULL);
    _exit(0);
}

/* -- the test -- */

/* Runs curl; its exit status, its output in out. */
static int
curl(const char *args, const char *path, char *out, size_t size)
{
    char command[1000];
    FILE *f;
    size_t n;

    snprintf(command, sizeof command, "curl -sS --cacert %s %s https://127.0.0.1:%d%s 2>&1", pem,
             args, port, path);
    f = popen(command, "r");
    assert_non_null(f);
    n = fread(out, 1, size - 1, f);
    out[n] = '\0';
    return pclose(f);
}

static void
alive(void)
{
    int status = 0;

    if (waitpid(front, &status, WNOHANG) != 0)
        fail_msg("the front ended, status %x", (unsigned)status);
    if (waitpid(reader, &status, WNOHANG) != 0)
        fail_msg("the reader ended, status %x", (unsigned)status);
}

static void
serves(void **state)
{
    static const struct {
        const char *args, *path, *out;
    } t[] = {
        {"-o /dev/null -w '%{http_code} %{size_download}'", "/1000", "200 1000"},
        {"-o /dev/null -w '%{http_code} %{size_download}'", "/0", "204 0"},
        {"-o /dev/null -w '%{http_code} %{size_download}'", "/200000", "200 200000"},
        {"-o /dev/null -w '%{http_code} %{size_download}'", "/16800000", "200 16800000"},
        {"--tls-max 1.2 -o /dev/null -w '%{http_code} %{size_download}'", "/10", "200 10"},
        {"-o /dev/null -w '%{http_code} %{size_download}' --data-binary @/bin/sh", "/7", "200 7"},
        {"-o /dev/null -w '%{http_code}' -H 'Content-Length: 3' -H 'Transfer-Encoding: chunked' "
         "-d abc",
         "/7", "400"},
    };

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
            char out[1000];

            if (curl(t[i].args, t[i].path, out, sizeof out) != 0 || strcmp(out, t[i].out) != 0)
                fail_msg("%s %s: %s", t[i].args, t[i].path, out);
            alive();
        }
    }
}

/* What is no TLS, a client that leaves, one that is cut: the front goes on. */
static void
goes_on(void **state)
{
    char out[1000];

    (void)state;
    for (int i = 0; i < 20; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
        if (i % 2 == 0)
            assert_int_equal(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
        if (i % 3 == 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    assert_int_not_equal(
        curl("--max-time 1 --limit-rate 10000 -o /dev/null", "/16000000", out, sizeof out), 0);
    assert_int_equal(curl("", "/5", out, sizeof out), 0);
    assert_string_equal(out, "xxxxx");
    alive();
}

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Proportional set size in KB; -1 where the kernel does not tell. */
static long
proportional(pid_t p)
{
    char path[64], line[200];
    long pss = -1;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)p);
    f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "Pss: %ld", &pss) == 1)
            break;
    }
    if (f != NULL)
        fclose(f);
    return pss;
}

/* After answers of 16 MB each: what large answers took has gone back. */
static void
memory(void **state)
{
    long f = proportional(front), r = proportional(reader);

    (void)state;
    print_message("# front %ld KB, reader %ld KB\n", f, r);
#ifndef SANITIZED
    assert_true(f < 8192);
    assert_true(r < 4096);
#endif
    alive();
}

static int
group_setup(void **state)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    struct ring_fds f, r;
    struct buf cert, key;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) < 0 || ring_create(&f, &r, NULL) < 0)
        return -1;
    port = ntohs(a.sin_port);
    buf_init(&cert, TLS_PEM_MAX);
    buf_init(&key, TLS_PEM_MAX);
    if (tls_cert_make(NULL, 0, clock_wall_us(NULL), &cert, &key, NULL) < 0)
        return -1;
    {
        int out = mkstemp(pem);

        if (write(out, cert.p, cert.n) != (ssize_t)cert.n)
            return -1;
        close(out);
    }
    fflush(stdout);
    reader = fork();
    if (reader == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        ring_fds_close(&f);
        run_reader(&r);
    }
    front = fork();
    if (front == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        ring_fds_close(&r);
        run_front(fd, &f, &cert, &key);
    }
    ring_fds_close(&f);
    ring_fds_close(&r);
    close(fd);
    buf_clear(&cert);
    buf_clear(&key);
    return 0;
}

static int
group_teardown(void **state)
{
    (void)state;
    kill(front, SIGKILL);
    kill(reader, SIGKILL);
    waitpid(front, NULL, 0);
    waitpid(reader, NULL, 0);
    unlink(pem);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves),
        cmocka_unit_test(goes_on),
        cmocka_unit_test(memory),
    };

    if (system("curl --version >/dev/null 2>&1") != 0) {
        printf("1..0 # SKIP no curl here\n");
        return 0;
    }
    return cmocka_run_group_tests_name("serving", tests, group_setup, group_teardown);
}
