/*
 * A client that walks a collection: page after page by `next`, over one TLS connection kept alive.
 *
 *     walk_http PORT TOKEN PATH PAGES
 *
 * PATH holds its query already.  After the last page it begins again, until PAGES pages were taken.
 * Prints one line of JSON.  The certificate is not checked: it is the node's own, and this is a
 * bench.
 */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (64u << 20)
#define NEXT_MAX   1024

static gnutls_session_t session;

static void
die(const char *what)
{
    fprintf(stderr, "walk_http: %s\n", what);
    exit(1);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
dial(int port)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gnutls_certificate_credentials_t cred;
    int rc;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof a) < 0)
        die("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    gnutls_certificate_allocate_credentials(&cred);
    gnutls_init(&session, GNUTLS_CLIENT);
    gnutls_set_default_priority(session);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, cred);
    gnutls_transport_set_int(session, fd);
    do
        rc = gnutls_handshake(session);
    while (rc < 0 && !gnutls_error_is_fatal(rc));
    if (rc < 0)
        die(gnutls_strerror(rc));
}

static size_t
receive(char *p, size_t n)
{
    ssize_t got;

    do
        got = gnutls_record_recv(session, p, n);
    while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
    if (got <= 0)
        die(got == 0 ? "the server has closed the connection" : gnutls_strerror((int)got));
    return (size_t)got;
}

/* The value of a header in a head that ends with NUL. */
static const char *
header(const char *head, const char *name)
{
    const size_t n = strlen(name);

    for (const char *p = head; (p = strstr(p, "\r\n")) != NULL;) {
        p += 2;
        if (strncasecmp(p, name, n) == 0 && p[n] == ':')
            return p + n + 1 + strspn(p + n + 1, " ");
    }
    return NULL;
}

/* One request; the body's place in *text and its length. */
static size_t
ask(const char *request, char *text, const char **body)
{
    const char *length;
    size_t have = 0, head, n;
    char *end = NULL;

    if (gnutls_record_send(session, request, strlen(request)) < 0)
        die("cannot send");
    while (end == NULL) {
        if (have == ANSWER_MAX)
            die("the head is too long");
        have += receive(text + have, ANSWER_MAX - have);
        text[have] = '\0';
        end = strstr(text, "\r\n\r\n");
    }
    head = (size_t)(end - text) + 4;
    *end = '\0';
    if (strncmp(text, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "%s\n", text);
        die("not what was asked for");
    }
    length = header(text, "Content-Length");
    n = length ? strtoul(length, NULL, 10) : 0;
    if (!length || n > ANSWER_MAX - head)
        die("no length, or too much");
    while (have < head + n)
        have += receive(text + have, head + n - have);
    text[have] = '\0';
    *body = text + head;
    return n;
}

/* The member `next` of an envelope, which stands before or behind the objects. */
static bool
next_of(const char *body, size_t n, char out[NEXT_MAX])
{
    static const char key[] = "\"next\":\"";
    const size_t near = 2 * NEXT_MAX;
    const char *p = memmem(body, n < near ? n : near, key, sizeof key - 1), *end;

    if (!p && n > near)
        p = memmem(body + n - near, near, key, sizeof key - 1);
    if (!p)
        return false;
    p += sizeof key - 1;
    end = strchr(p, '"');
    if (!end || (size_t)(end - p) >= NEXT_MAX)
        die("next is too long");
    memcpy(out, p, (size_t)(end - p));
    out[end - p] = '\0';
    return true;
}

static uint64_t
count(const char *body, size_t n, const char *what)
{
    uint64_t k = 0;

    for (const char *p = body, *end = body + n;
         (p = memmem(p, (size_t)(end - p), what, strlen(what))) != NULL; p += strlen(what))
        k++;
    return k;
}

int
main(int argc, char **argv)
{
    static char request[8192], next[NEXT_MAX];
    char *text = malloc(ANSWER_MAX + 1);
    uint64_t pages = 0, objects = 0, bytes = 0, walks = 0, most;
    const char *body;
    bool more = false;
    double start;
    size_t n;

    if (argc != 5 || !text || (most = strtoull(argv[4], NULL, 10)) == 0) {
        fprintf(stderr, "usage: walk_http PORT TOKEN PATH PAGES\n");
        return 2;
    }
    dial((int)strtol(argv[1], NULL, 10));
    start = now();
    for (; pages < most; pages++) {
        snprintf(request, sizeof request,
                 "GET %s%s%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
                 argv[3], more ? "&next=" : "", more ? next : "", argv[2]);
        n = ask(request, text, &body);
        more = next_of(body, n, next);
        bytes += n;
        walks += !more;
        /* Counting costs the client time that the page did not: now and then is enough. */
        if (pages % 64 == 0)
            objects += count(body, n, "\"spec_version\":");
    }
    printf("{\"pages\":%llu,\"walks\":%llu,\"bytes\":%llu,\"objects_of_every_64th\":%llu,"
           "\"seconds\":%.6f}\n",
           (unsigned long long)pages, (unsigned long long)walks, (unsigned long long)bytes,
           (unsigned long long)objects, now() - start);
    return 0;
}
