/*
 * The limit of reads: the HTTP library answering fixed bytes from memory over TLS, and nothing
 * else.
 *
 *     bare_http PORT CERT.pem KEY.pem BODY...
 *
 * GET /N gives the N-th file, from 0, with the media type of TAXII.  Prints "ready" when it listens
 * on 127.0.0.1, and ends with its standard input.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODIES_MAX 10
#define FILE_MAX   (16u << 20)
#define WAIT_MS    1000

struct body {
    char *p;
    size_t n;
};

struct bodies {
    struct body list[BODIES_MAX];
    int n;
};

static void
die(const char *what)
{
    fprintf(stderr, "bare_http: %s\n", what);
    exit(1);
}

/* With a NUL behind it: the library takes PEM as text. */
static struct body
read_file(const char *name)
{
    struct body b = {.p = malloc(FILE_MAX + 1)};
    FILE *f = fopen(name, "rb");

    if (!f || !b.p)
        die(name);
    b.n = fread(b.p, 1, FILE_MAX, f);
    b.p[b.n] = '\0';
    fclose(f);
    return b;
}

static int
listen_on(int port)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1024) < 0)
        die("cannot listen");
    return fd;
}

static enum MHD_Result
answer(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
       const char *version, const char *data, size_t *size, void **slot)
{
    const struct bodies *b = ctx;
    const int n = url[1] - '0';
    struct MHD_Response *r;
    enum MHD_Result ok;

    (void)method;
    (void)version;
    (void)data;
    (void)size;
    if (*slot == NULL) {
        *slot = ctx;
        return MHD_YES;
    }
    if (n < 0 || n >= b->n)
        return MHD_NO;
    r = MHD_create_response_from_buffer(b->list[n].n, b->list[n].p, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "Content-Type", "application/taxii+json;version=2.1");
    ok = MHD_queue_response(c, MHD_HTTP_OK, r);
    MHD_destroy_response(r);
    return ok;
}

/* One thread and one loop, as the front has. */
static void
serve(struct MHD_Daemon *d)
{
    struct epoll_event ev = {.events = EPOLLIN};
    const int ep = epoll_create1(EPOLL_CLOEXEC);

    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD,
                            MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, &ev) < 0)
        die("epoll");
    ev = (struct epoll_event){.events = EPOLLIN, .data.fd = STDIN_FILENO};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &ev) < 0)
        die("standard input has to be a pipe");
    for (;;) {
        MHD_UNSIGNED_LONG_LONG ms;
        int n, wait = WAIT_MS;

        if (MHD_get_timeout(d, &ms) == MHD_YES && ms < WAIT_MS)
            wait = (int)ms;
        n = epoll_wait(ep, &ev, 1, wait);
        if (n == 1 && ev.data.fd == STDIN_FILENO && (ev.events & EPOLLHUP))
            return;
        MHD_run(d);
    }
}

int
main(int argc, char **argv)
{
    static struct bodies b;
    struct MHD_Daemon *d;
    struct body cert, key;

    if (argc < 5 || argc > 4 + BODIES_MAX) {
        fprintf(stderr, "usage: bare_http PORT CERT.pem KEY.pem BODY...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    for (b.n = 0; b.n < argc - 4; b.n++)
        b.list[b.n] = read_file(argv[4 + b.n]);
    cert = read_file(argv[2]);
    key = read_file(argv[3]);
    d = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TLS | MHD_USE_TURBO, 0, NULL, NULL, answer, &b,
                         MHD_OPTION_LISTEN_SOCKET, listen_on((int)strtol(argv[1], NULL, 10)),
                         MHD_OPTION_HTTPS_MEM_CERT, cert.p, MHD_OPTION_HTTPS_MEM_KEY, key.p,
                         MHD_OPTION_CONNECTION_LIMIT, 1000u, MHD_OPTION_END);
    if (!d)
        die("the library does not start");
    puts("ready");
    fflush(stdout);
    serve(d);
    MHD_stop_daemon(d);
    return 0;
}
