/*
 * What our layers cost between a client and bytes that are there: the bare HTTP library answering
 * from memory, net/http.h doing the same, and a front that gets the bytes from a reader process
 * over net/ring.h.  All over TLS, with wrk as the client, on the same cores.
 *
 *     bench_http [turns [row]]   (1 to 60 seconds for each figure, in turns, default 3; a row:
 * page-16)
 *
 * Of the turns the best counts: what else runs on the machine only takes away.  Beside the rates
 * stand the microseconds of processor time that the server's processes spent on a request, which
 * hardly depend on that.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
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
#include "tls_cert.h"

#define PAGE_BYTES  163000u /* a TAXII page of 100 indicators */
#define SMALL_BYTES 1100u   /* one object in its envelope */

static const struct span type = {"application/taxii+json;version=2.1", 34};

struct bench {
    struct buf cert, key;
    char *page, *small;
    struct loop *l;
    struct ring_client *ring;
};

static void
die(const char *what, const struct err *e)
{
    char line[300] = "";

    if (e != NULL)
        err_line(e, line, sizeof line);
    fprintf(stderr, "bench_http: %s %s\n", what, line);
    exit(1);
}

static int
listen_on(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) < 0)
        die("cannot listen", NULL);
    *port = ntohs(a.sin_port);
    return fd;
}

/* -- the bare library -- */

static enum MHD_Result
bare_handler(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
             const char *version, const char *data, size_t *size, void **slot)
{
    struct bench *b = ctx;
    bool page = url[1] == 'p';
    struct MHD_Response *r;
    enum MHD_Result ok;

    (void)method;
    (void)version;
    (void)data;
    (void)size;
    if (*slot == NULL) {
        *slot = b;
        return MHD_YES;
    }
    r = MHD_create_response_from_buffer(page ? PAGE_BYTES : SMALL_BYTES, page ? b->page : b->small,
                                        MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "Content-Type", type.p);
    ok = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return ok;
}

static void
run_bare(struct bench *b, int fd)
{
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TLS | MHD_USE_TURBO, 0, NULL, NULL, bare_handler, b,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_CERT, b->cert.p,
        MHD_OPTION_HTTPS_MEM_KEY, b->key.p, MHD_OPTION_CONNECTION_LIMIT, 1000u, MHD_OPTION_END);
    struct epoll_event ev = {.events = EPOLLIN};
    int ep = epoll_create1(EPOLL_CLOEXEC);

    if (d == NULL)
        die("cannot start the library", NULL);
    epoll_ctl(ep, EPOLL_CTL_ADD, MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, &ev);
    for (;;) {
        MHD_UNSIGNED_LONG_LONG ms;
        int wait = -1;

        if (MHD_get_timeout(d, &ms) == MHD_YES)
            wait = ms > 1000 ? 1000 : (int)ms;
        epoll_wait(ep, &ev, 1, wait);
        MHD_run(d);
    }
}

/* -- ours -- */

static const struct http_field fields[] = {{"Content-Type", "application/taxii+json;version=2.1"}};

struct lease {
    struct ring_client *ring;
    uint32_t slot, id;
    bool asked;
};

static void
lease_end(void *ctx)
{
    struct lease *l = ctx;

    ring_release(l->ring, l->slot);
    l->slot = RING_NO_SLOT;
}

static int
on_begin(void *ctx, struct http_request *r)
{
    (void)ctx;
    (void)r;
    return 0;
}

static void
on_end_memory(void *ctx, struct http_request *r)
{
    struct bench *b = ctx;
    bool page = http_path(r).n > 1 && http_path(r).p[1] == 'p';
    struct http_reply a = {.status = 200, .fields = fields, .n_fields = 1};

    a.body = page ? span_from(b->page, PAGE_BYTES) : span_from(b->small, SMALL_BYTES);
    a.free_body = (void (*)(void *))lease_end; /* so that the body is not copied */
    {
        static struct lease none = {.slot = RING_NO_SLOT};

        none.ring = b->ring;
        a.free_ctx = &none;
    }
    http_answer(r, &a, NULL);
}

static void
on_end_ring(void *ctx, struct http_request *r)
{
    struct bench *b = ctx;
    struct lease *l = mem_zero(1, sizeof *l);
    char ticket[160] = {0}; /* as large as a real question with its ticket */
    const struct span parts[] = {http_path(r), {ticket, sizeof ticket}};

    l->ring = b->ring;
    l->slot = RING_NO_SLOT;
    http_set(r, l);
    if (ring_ask(b->ring, parts, 2, r, &l->id, NULL) == 0)
        l->asked = true;
    else
        http_answer(r, &(struct http_reply){.status = 503}, NULL);
}

static void
free_lease(void *ctx)
{
    lease_end(ctx);
    mem_free(ctx);
}

static void
on_answer(void *ctx, const struct ring_answer *a)
{
    struct http_request *r = a->tag;
    struct lease *l = http_user(r);
    struct http_reply reply = {.status = a->status,
                               .fields = fields,
                               .n_fields = 1,
                               .body = a->body,
                               .free_body = free_lease,
                               .free_ctx = l};

    (void)ctx;
    l->slot = a->slot;
    http_set(r, NULL);
    http_answer(r, &reply, NULL);
}

static void
on_gone(void *ctx, struct http_request *r, bool sent)
{
    struct lease *l = http_user(r);

    (void)ctx;
    (void)sent;
    if (l == NULL)
        return;
    if (l->asked)
        ring_cancel(l->ring, l->id);
    mem_free(l);
}

static void
on_closed(void *ctx, const struct err *why)
{
    (void)ctx;
    die("ring", why);
}

static void
on_lost(void *ctx, void *tag)
{
    (void)ctx;
    (void)tag;
}

static const struct ring_client_events ring_events = {
    .answer = on_answer, .lost = on_lost, .closed = on_closed};

static void
run_front(struct bench *b, int fd, struct ring_fds *fds)
{
    static const struct http_handler memory = {.begin = on_begin, .end = on_end_memory};
    static const struct http_handler ring = {
        .begin = on_begin, .end = on_end_ring, .gone = on_gone};
    struct http_options o = {
        .listen_fd = fd, .cert_pem = buf_view(&b->cert), .key_pem = buf_view(&b->key)};
    struct err e = ERR_INIT;

    b->l = loop_new(&e);
    if (fds != NULL) {
        b->ring = ring_client_new(b->l, fds, &ring_events, b, &e);
        if (b->ring == NULL)
            die("ring", &e);
    }
    if (http_new(b->l, &o, fds != NULL ? &ring : &memory, b, &e) == NULL)
        die("http", &e);
    loop_run(b->l, &e);
}

/* -- the reader -- */

static enum ring_took
on_request(void *ctx, struct ring_server *s, uint32_t id, struct span record)
{
    struct bench *b = ctx;
    bool page = record.n > 1 && record.p[1] == 'p';
    size_t n = page ? PAGE_BYTES : SMALL_BYTES;
    struct ring_slot slot;

    if (ring_slot_take(s, n, &slot, NULL) < 0)
        return RING_WAIT;
    memcpy(slot.body, page ? b->page : b->small, n);
    if (ring_reply(s, id, 200, type, &slot, n, NULL) < 0)
        die("reply", NULL);
    return RING_TOOK;
}

static void
on_server_closed(void *ctx, struct ring_server *s, const struct err *why)
{
    (void)ctx;
    (void)s;
    die("reader", why);
}

static void
run_reader(struct bench *b, struct ring_fds *fds)
{
    static const struct ring_server_events events = {.request = on_request,
                                                     .closed = on_server_closed};
    struct err e = ERR_INIT;

    b->l = loop_new(&e);
    if (ring_server_new(b->l, fds, &events, b, &e) == NULL)
        die("reader", &e);
    loop_run(b->l, &e);
}

/* -- measuring -- */

/* Processor time of a process so far, in microseconds. */
static double
cpu_us(pid_t p)
{
    char path[64], text[1024];
    unsigned long user = 0, sys = 0;
    const char *at;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)p);
    f = fopen(path, "r");
    if (f == NULL || fgets(text, sizeof text, f) == NULL)
        die("cannot read", NULL);
    fclose(f);
    at = strrchr(text, ')'); /* then state and eleven numbers, then user and system time */
    for (int i = 0; at != NULL && i < 12; i++)
        at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, " %lu %lu", &user, &sys) != 2)
        die("cannot understand /proc", NULL);
    return (double)(user + sys) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static double
load(int port, const char *path, int connections, int seconds)
{
    char command[200], line[300];
    double rate = 0;
    FILE *f;

    snprintf(command, sizeof command, "wrk -t1 -c%d -d%ds https://127.0.0.1:%d%s", connections,
             seconds, port, path);
    f = popen(command, "r");
    if (f == NULL)
        die("cannot run wrk", NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "Requests/sec:", 13) == 0)
            rate = strtod(line + 13, NULL);
        if (strstr(line, "Socket errors") != NULL || strstr(line, "Non-2xx") != NULL)
            fprintf(stderr, "%s", line);
    }
    if (pclose(f) != 0 || rate <= 0)
        die("wrk gave no figure (Debian package wrk)", NULL);
    return rate;
}

enum { BARE, MEMORY, RING, KINDS };

static pid_t
start(struct bench *b, int kind, int fd, struct ring_fds *fds)
{
    pid_t p = fork();

    if (p < 0)
        die("fork", NULL);
    if (p > 0)
        return p;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    if (kind == BARE)
        run_bare(b, fd);
    else if (fd >= 0)
        run_front(b, fd, kind == RING ? fds : NULL);
    else
        run_reader(b, fds);
    exit(0);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path, *name;
        int connections;
        double target;
    } t[] = {{"/page", "page", 16, 0.65}, {"/page", "page", 64, 0},
             {"/page", "page", 1, 0.55},  {"/small", "small", 16, 0.7},
             {"/small", "small", 64, 0},  {"/small", "small", 1, 0.55}};
    int turns = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
    struct bench b = {0};
    struct ring_fds front, reader;
    struct err e = ERR_INIT;
    int ports[KINDS], fds[KINDS];
    pid_t pids[KINDS + 1];

    if (turns < 1 || turns > 60)
        die("usage: bench_http [turns]", NULL);
    buf_init(&b.cert, TLS_PEM_MAX);
    buf_init(&b.key, TLS_PEM_MAX);
    if (tls_cert_make(NULL, 0, clock_wall_us(NULL), &b.cert, &b.key, &e) < 0 ||
        ring_create(&front, &reader, &e) < 0)
        die("setup", &e);
    buf_put(&b.cert, "", 1); /* the bare library wants a NUL */
    buf_put(&b.key, "", 1);
    b.cert.n--;
    b.key.n--;
    b.page = mem_alloc(PAGE_BYTES);
    b.small = mem_alloc(SMALL_BYTES);
    memset(b.page, 'p', PAGE_BYTES);
    memset(b.small, 's', SMALL_BYTES);
    pids[KINDS] = start(&b, RING, -1, &reader);
    for (int k = 0; k < KINDS; k++) {
        fds[k] = listen_on(&ports[k]);
        pids[k] = start(&b, k, fds[k], &front);
    }
    usleep(200000);
    printf("%-6s %4s %8s %6s %9s %6s %6s %8s %6s %6s %6s\n", "answer", "conn", "bare/s", "cpu",
           "http.h/s", "cpu", "ratio", "ring/s", "cpu", "ratio", "limit");
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        double rate[KINDS] = {0}, cost[KINDS] = {0};
        char row[40];

        snprintf(row, sizeof row, "%s-%d", t[i].name, t[i].connections);
        if (argc > 2 && strcmp(argv[2], row) != 0)
            continue;

        for (int turn = 0; turn < turns; turn++) {
            for (int k = 0; k < KINDS; k++) {
                double from = cpu_us(pids[k]) + (k == RING ? cpu_us(pids[KINDS]) : 0);
                double r = load(ports[k], t[i].path, t[i].connections, 1);
                double used = cpu_us(pids[k]) + (k == RING ? cpu_us(pids[KINDS]) : 0) - from;

                if (r > rate[k]) {
                    rate[k] = r;
                    cost[k] = used / r;
                }
            }
        }
        printf("%-6s %4d %8.0f %6.1f %9.0f %6.1f %6.2f %8.0f %6.1f %6.2f %6.2f\n", t[i].name,
               t[i].connections, rate[BARE], cost[BARE], rate[MEMORY], cost[MEMORY],
               rate[MEMORY] / rate[BARE], rate[RING], cost[RING], rate[RING] / rate[BARE],
               t[i].target);
        fflush(stdout);
    }
    for (int k = 0; k <= KINDS; k++) {
        kill(pids[k], SIGKILL);
        waitpid(pids[k], NULL, 0);
    }
    return 0;
}
