/*
 * Bytes from the network into the real server and service, over processes that are played: auth
 * knows one token, readers and the writer answer at once or not at all, as the first byte says.
 * Whatever comes, each body that is lent comes back, and each batch that began ends.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "api.h"
#include "crypto.h"
#include "http.h"
#include "loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define TAGS 64

static struct loop *loop;
static struct api *api;
static struct http_server *server;
static int port;
static uint8_t mode; /* 1: auth is slow, 2: readers, 4: the writer; 8: they fail; 16: it is full */
static unsigned lent, begun;
static bool full;
static struct {
    void *tag;
    unsigned kind; /* 0 auth, 1 reader, 2 writer */
} waits[TAGS];
static size_t wait_n;
static char body[] = "{\"objects\":[{\"id\":\"<x>\"}],\"row\":{\"name\":\"<b>\"},\"more\":true}";
static struct loop_defer answering;

static void answer(void *ctx);

static int
take(void *tag, unsigned kind, struct err *e)
{
    if (wait_n == TAGS)
        return err_set(e, ERR_BUSY, "busy");
    waits[wait_n].tag = tag;
    waits[wait_n++].kind = kind;
    loop_defer(loop, &answering, answer, NULL);
    return 0;
}

static int
do_login(void *ctx, const struct backend_login *l, void *tag, struct err *e)
{
    (void)ctx;
    (void)l;
    return take(tag, 0, e);
}

static int
do_ask(void *ctx, const struct ask *q, bool long_read, void *tag, struct err *e)
{
    static char space[ASK_MAX];
    struct buf b;
    struct arena *a = arena_new(1u << 20);
    struct ask back;

    (void)ctx;
    (void)long_read;
    buf_init_fixed(&b, space, sizeof space);
    ask_encode(q, &b);
    assert(!b.failed && ask_decode(buf_view(&b), a, &back, e) == 0);
    arena_free(a);
    return take(tag, 1, e);
}

static int
do_tell(void *ctx, const struct tell *t, void *tag, struct err *e)
{
    (void)ctx;
    if (t->verb == TELL_BEGIN && !(mode & 8))
        begun++;
    if (t->verb == TELL_END || (t->verb == TELL_ABORT && !(mode & 8)))
        begun--;
    if (t->verb == TELL_OBJECT && (full = mode & 16)) /* and soon not any more */
        loop_defer(loop, &answering, answer, NULL);
    return tag ? take(tag, 2, e) : 0;
}

static bool
do_full(void *ctx)
{
    (void)ctx;
    return full;
}

static uint32_t
do_handle(void *ctx)
{
    static uint32_t n;

    (void)ctx;
    return ++n ? n : ++n;
}

static void
do_release(void *ctx, const struct backend_answer *w)
{
    (void)ctx;
    free(w->source);
    lent--;
}

static bool
do_scarce(void *ctx, const struct backend_answer *w)
{
    (void)ctx;
    (void)w;
    return mode & 32;
}

static void
do_cancel(void *ctx, void *tag)
{
    (void)ctx;
    for (size_t i = 0; i < wait_n; i++)
        if (waits[i].tag == tag) {
            waits[i] = waits[--wait_n];
            return;
        }
    abort();
}

static void
give(void *tag, unsigned kind)
{
    static const enum err_code fails[] = {ERR_MISSING, ERR_AUTH, ERR_DENIED, ERR_BUSY};
    enum err_code code = mode & 8 ? fails[mode >> 6] : ERR_NONE;
    char *copy = strdup(body);
    struct answer w = {.status = code, .text = SPAN("why"), .body = span_of(copy)};

    if (kind == 1) {
        struct backend_answer b = {.a = w, .source = copy};
        lent++;
        api_events()->ask(api, tag, &b);
        return;
    }
    if (kind == 0) {
        struct auth_reply r = {.state = code == ERR_AUTH ? AUTH_NO : AUTH_OK,
                               .ticket = SPAN("ticket"),
                               .expires_us = clock_wall_us(NULL) + 60000000};
        api_events()->login(api, tag, &r);
    } else {
        api_events()->tell(api, tag, &w);
    }
    free(copy);
}

static void
answer(void *ctx)
{
    (void)ctx;
    if (full) {
        full = false;
        api_events()->drained(api);
    }
    for (size_t i = 0; i < wait_n; i++) {
        void *tag = waits[i].tag;
        unsigned kind = waits[i].kind;

        if (mode & (1u << kind))
            continue;
        waits[i] = waits[--wait_n];
        give(tag, kind);
        loop_defer(loop, &answering, answer, NULL);
        return;
    }
}

static void
start(void)
{
    static const struct log log = {.fd = -1};
    static const struct backend b = {.login = do_login,
                                     .ask = do_ask,
                                     .tell = do_tell,
                                     .writer_full = do_full,
                                     .handle = do_handle,
                                     .release = do_release,
                                     .scarce = do_scarce,
                                     .cancel = do_cancel};
    const struct api_options o = {.name = "Tim <Siber>",
                                  .country = "TL",
                                  .contact = "",
                                  .fingerprint = "00",
                                  .max_content = 1u << 16,
                                  .page_objects = 100,
                                  .log = &log};
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (crypto_start(NULL) || !(loop = loop_new(NULL)) || !(api = api_new(&o, &b, NULL)) ||
        bind(fd, (struct sockaddr *)&a, size) || listen(fd, 16) ||
        getsockname(fd, (struct sockaddr *)&a, &size))
        abort();
    port = ntohs(a.sin_port);
    const struct http_options h = {.listen_fd = fd};
    server = http_new(loop, &h, api_handler(), api, NULL);
    if (!server)
        abort();
}

static void
rounds(int n)
{
    while (n-- > 0)
        (void)loop_round(loop, 0, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct linger at_once = {1, 0}; /* or the machine runs out of ports */
    struct http_counts counts;
    char sink[4096];

    if (n < 2 || n > 65536)
        return 0;
    if (!loop)
        start();
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
        close(fd);
        return 0;
    }
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    mode = data[0];
    /* in two pieces, and the second byte says where it is cut */
    size_t cut = 2 + (n - 2) * data[1] / 256;
    (void)send(fd, data + 2, cut - 2, MSG_NOSIGNAL);
    rounds(6);
    (void)send(fd, data + cut, n - cut, MSG_NOSIGNAL);
    rounds(8);
    while (recv(fd, sink, sizeof sink, 0) > 0)
        rounds(1);
    mode &= (uint8_t)~7u; /* whoever was slow is not any more */
    loop_defer(loop, &answering, answer, NULL);
    rounds(4);
    close(fd);
    for (int i = 0; i < 5000; i++) {
        (void)loop_round(loop, 100, NULL);
        http_counts(server, &counts);
        if (counts.active == 0 && counts.connections == 0)
            break;
    }
    assert(counts.active == 0 && wait_n == 0 && lent == 0 && begun == 0);
    return 0;
}
