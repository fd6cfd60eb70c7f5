/*
 * Between TLS and the socket.  The TLS library reads a record's head and the rest of it in two
 * calls of the kernel, and the HTTP library gives an answer's head and the beginning of its body as
 * two records, each sent by itself.  Here what is there is read at once, and an answer's head waits
 * for its body: half the calls of the kernel, and half the packets, for an answer that is small.
 *
 * What the HTTP library refuses by itself (what it cannot read as a request) it answers with a page
 * of HTML.  Here that is a sealed record, of which no answer of ours can be made any more; but it
 * comes as two, and the second, the page, is not sent: the client has the status, which tells it
 * not to try again as it would after a mere close, and the connection ends.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "http_inner.h"

#define PARTS_MAX 8 /* of one record, as the TLS library gives them; else they go one by one */
#define PAGE_HEAD_MAX                                                                              \
    200u /* bytes, sealed: status, date, close and length are 160; more holds text */

static ssize_t
failed(struct http_conn *c, int sys)
{
    gnutls_transport_set_errno(c->tls, sys);
    return -1;
}

/* -- reading -- */

static ssize_t
pull(gnutls_transport_ptr_t ptr, void *out, size_t n)
{
    struct http_conn *c = ptr;
    ssize_t got;

    if (c->in_at == c->in_n) {
        if (n >= sizeof c->in) {
            got = recv(c->fd, out, n, 0);
            return got < 0 ? failed(c, errno) : got;
        }
        got = recv(c->fd, c->in, sizeof c->in, 0);
        if (got <= 0)
            return got < 0 ? failed(c, errno) : got;
        c->in_at = 0;
        c->in_n = (size_t)got;
    }
    if (n > c->in_n - c->in_at)
        n = c->in_n - c->in_at;
    memcpy(out, c->in + c->in_at, n);
    c->in_at += n;
    return (ssize_t)n;
}

/* The TLS library asks for it beside pull; nobody here waits. */
static int
pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
    (void)ptr;
    (void)ms;
    return 1;
}

/* -- writing -- */

/* Whether this is an answer's head, with a body right behind it. */
static bool
is_head(struct http_conn *c)
{
    const struct http_request *r = c->request;

    if (r == NULL || r->step != STEP_SEND || !r->head_due)
        return false;
    c->request->head_due = false;
    return r->body_bytes > 0 && r->method != HTTP_HEAD;
}

/* Keeps n bytes in parts back; false: there is no room. */
static bool
hold(struct http_conn *c, const giovec_t *parts, int count, size_t n)
{
    if (n > sizeof c->out - c->out_n)
        return false;
    for (int i = 0; i < count; i++) {
        memcpy(c->out + c->out_n, parts[i].iov_base, parts[i].iov_len);
        c->out_n += parts[i].iov_len;
    }
    c->server->holding = c;
    return true;
}

/* Whether more of the answer's body comes right behind n bytes of it.  Counted in bytes on the
 * wire, which are more than the body's own: so it is never said of the last record. */
static bool
more_behind(const struct http_conn *c, size_t n)
{
    const struct http_request *r = c->request;

    return r != NULL && r->step == STEP_SEND && r->method != HTTP_HEAD &&
           c->server->counts.active > 1 && r->wired + n < r->body_bytes;
}

/* Sends what is held and then parts, n bytes; how much of the parts went out. */
static ssize_t
send_all(struct http_conn *c, const giovec_t *parts, int count, size_t n)
{
    const int flags = n > 0 && more_behind(c, n) ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
    struct iovec v[PARTS_MAX + 1] = {{.iov_base = c->out, .iov_len = c->out_n}};
    struct msghdr m = {.msg_iov = v};
    ssize_t sent;

    for (int i = 0; i < count; i++)
        v[i + 1] = (struct iovec){.iov_base = parts[i].iov_base, .iov_len = parts[i].iov_len};
    m.msg_iovlen = (size_t)count + 1;
    if (c->server->holding == c)
        c->server->holding = NULL;
    sent = sendmsg(c->fd, &m, flags);
    if (sent < 0)
        return failed(c, errno);
    if ((size_t)sent < c->out_n || (count > 0 && (size_t)sent == c->out_n)) {
        memmove(c->out, c->out + sent, c->out_n - (size_t)sent);
        c->out_n -= (size_t)sent;
        return failed(c, EAGAIN); /* nothing of the parts */
    }
    sent -= (ssize_t)c->out_n;
    c->out_n = 0;
    if (c->request != NULL)
        c->request->wired += (uint64_t)sent;
    return sent;
}

/* Whether what is sent is the library's own: it has an answer, and that is none of ours. */
static bool
is_page(const struct http_conn *c)
{
    return (c->request == NULL || c->request->step != STEP_SEND) &&
           MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_HTTP_STATUS) != NULL;
}

/* The head of a page goes, whole or not at all, and then nothing more: an alert behind a record
 * that is missing would be no good to anybody. */
static ssize_t
push_page(struct http_conn *c, const giovec_t *parts, int count, size_t n)
{
    ssize_t sent;

    if (!c->page) {
        c->page = true;
        c->page_left = n <= PAGE_HEAD_MAX ? n : 0;
    }
    if (n > c->page_left)
        return failed(c, EPIPE);
    sent = send_all(c, parts, count, n);
    if (sent > 0)
        c->page_left -= (size_t)sent;
    return sent;
}

static ssize_t
push(gnutls_transport_ptr_t ptr, const giovec_t *parts, int count)
{
    struct http_conn *c = ptr;
    size_t n = 0;

    if (count > PARTS_MAX)
        count = PARTS_MAX;
    for (int i = 0; i < count; i++)
        n += parts[i].iov_len;
    if (c->page || is_page(c))
        return push_page(c, parts, count, n);
    if (is_head(c) && hold(c, parts, count, n))
        return (ssize_t)n;
    return send_all(c, parts, count, n);
}

/* -- life -- */

void
wire_start(struct http_conn *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    if (info == NULL || info->tls_session == NULL)
        return; /* plain HTTP */
    c->tls = info->tls_session;
    gnutls_transport_set_ptr(c->tls, c);
    gnutls_transport_set_pull_function(c->tls, pull);
    gnutls_transport_set_pull_timeout_function(c->tls, pull_timeout);
    gnutls_transport_set_vec_push_function(c->tls, push);
}

void
wire_flush(struct http_server *s)
{
    struct http_conn *c = s->holding;

    /* What does not go out now goes with the body. */
    if (c != NULL)
        (void)send_all(c, NULL, 0, 0);
}
