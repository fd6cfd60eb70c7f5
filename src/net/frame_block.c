/* The blocking side of frame.h, and making sockets. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "clock.h"
#include "frame.h"
#include "frame_wire.h"

#define READ_STEP (64u << 10) /* bytes: a length alone makes nobody allocate more than this */

/* The address of a socket file.  The kernel takes 107 characters of path; a longer one goes by way
 * of its folder's descriptor, which the caller closes when the address was used. */
static int
unix_address(const char *path, struct sockaddr_un *a, int *folder, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char name[4096];
    int n;

    *folder = -1;
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) < sizeof a->sun_path) {
        memcpy(a->sun_path, path, strlen(path));
        return 0;
    }
    if (slash == NULL || (size_t)(slash - path) >= sizeof name)
        return err_set(e, ERR_LIMIT, "path of a socket too long");
    memcpy(name, path, (size_t)(slash - path));
    name[slash - path] = '\0';
    *folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return err_set_sys(e, errno, "cannot open the folder of a socket");
    n = snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/%s", *folder, slash + 1);
    if (n < 0 || (size_t)n >= sizeof a->sun_path) {
        close(*folder);
        return err_set(e, ERR_LIMIT, "name of a socket too long");
    }
    return 0;
}

int
frame_connect(const char *path, struct err *e)
{
    struct sockaddr_un a;
    int folder, fd, rc;

    if (unix_address(path, &a, &folder, e) < 0)
        return err_place(e, "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rc = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&a, sizeof a);
    if (rc < 0)
        err_set_sys(e, errno, "cannot connect to a socket");
    if (folder >= 0)
        close(folder);
    if (rc < 0) {
        if (fd >= 0)
            close(fd);
        return err_place(e, "%s", path);
    }
    return fd;
}

int
frame_listen(const char *path, struct err *e)
{
    struct sockaddr_un a;
    int folder, fd, rc = -1;

    if (unix_address(path, &a, &folder, e) < 0)
        return err_place(e, "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The mode of the socket becomes that of the file at bind, so there is no moment at which
     * others could connect. */
    if (fd >= 0 && fchmod(fd, 0600) == 0 && (unlink(path) == 0 || errno == ENOENT) &&
        bind(fd, (const struct sockaddr *)&a, sizeof a) == 0 && listen(fd, SOMAXCONN) == 0)
        rc = 0;
    if (rc < 0)
        err_set_sys(e, errno, "cannot listen on a socket");
    if (folder >= 0)
        close(folder);
    if (rc < 0) {
        if (fd >= 0)
            close(fd);
        return err_place(e, "%s", path);
    }
    return fd;
}

int
frame_pair(int fds[2], struct err *e)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return err_set_sys(e, errno, "cannot make a socket pair");
    return 0;
}

int
frame_peer(int fd, struct frame_peer *out, struct err *e)
{
    struct ucred c;
    socklen_t n = sizeof c;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0 || n != sizeof c)
        return err_set_sys(e, errno, "cannot tell who is on the other side of a socket");
    *out = (struct frame_peer){.pid = c.pid, .uid = c.uid, .gid = c.gid};
    return 0;
}

/* Waits for the socket until end (INT64_MAX: for ever); -1 and ERR_BUSY when that has passed. */
static int
wait_for(int fd, short what, int64_t end, struct err *e)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = what};
        int64_t left = end == INT64_MAX ? -1 : end - clock_mono().us;
        int n;

        if (end != INT64_MAX && left <= 0)
            return err_set(e, ERR_BUSY, "no answer in time");
        n = poll(&p, 1, left < 0 ? -1 : (int)((left + 999) / 1000));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_set_sys(e, errno, "cannot wait for a socket");
    }
}

int
frame_write(int fd, const struct frame *f, struct err *e)
{
    unsigned char head[FRAME_HEADER];
    struct iovec iov[2];
    int pass = f->fd;
    int at = 0;

    if (f->body.n > FRAME_MAX)
        return err_set(e, ERR_LIMIT, "message too long");
    wire_head(head, f);
    iov[0] = (struct iovec){.iov_base = head, .iov_len = FRAME_HEADER};
    iov[1] = (struct iovec){.iov_base = (void *)(uintptr_t)f->body.p, .iov_len = f->body.n};
    while (at < 2) {
        ssize_t n = wire_send(fd, iov + at, 2 - at, pass, 0);
        size_t left;

        if (n < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                return err_set_sys(e, errno, "cannot write to a process");
            if (wait_for(fd, POLLOUT, INT64_MAX, e) < 0)
                return -1;
            continue;
        }
        if (n > 0)
            pass = -1;
        left = (size_t)n;
        while (at < 2 && left >= iov[at].iov_len) {
            left -= iov[at].iov_len;
            at++;
        }
        if (at < 2) {
            iov[at].iov_base = (char *)iov[at].iov_base + left;
            iov[at].iov_len -= left;
        }
    }
    return 0;
}

/* Reads n bytes exactly; 1 done, 0 the end came before the first byte, -1 error. */
static int
read_all(int sock, char *p, size_t n, int *fd, int64_t end, struct err *e)
{
    size_t done = 0;

    while (done < n) {
        struct iovec iov = {.iov_base = p + done, .iov_len = n - done};
        int got = -1;
        ssize_t r;

        if (wait_for(sock, POLLIN, end, e) < 0)
            return -1;
        r = wire_receive(sock, &iov, &got, MSG_DONTWAIT);
        if (r < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK)
                continue;
            if (errno == EPROTO)
                return err_set(e, ERR_PROTOCOL, "unexpected descriptors");
            return err_set_sys(e, errno, "cannot read from a process");
        }
        if (got >= 0) {
            if (fd == NULL || *fd >= 0 || done > 0) {
                close(got);
                return err_set(e, ERR_PROTOCOL, "unexpected descriptor");
            }
            *fd = got;
        }
        if (r == 0) {
            if (done == 0 && fd != NULL)
                return 0;
            return err_set(e, ERR_PROTOCOL, "connection ended within a message");
        }
        done += (size_t)r;
    }
    return 1;
}

int
frame_read(int fd, struct buf *space, struct frame *f, int timeout_ms, struct err *e)
{
    int64_t end = timeout_ms < 0 ? INT64_MAX : clock_mono().us + (int64_t)timeout_ms * 1000;
    char head[FRAME_HEADER];
    struct frame got;
    size_t length;
    bool with_fd;
    int pass = -1;
    int rc = read_all(fd, head, sizeof head, &pass, end, e);

    if (rc <= 0)
        goto out;
    rc = -1;
    if (wire_head_read(head, &got, &length, &with_fd) < 0 || with_fd != (pass >= 0)) {
        err_set(e, ERR_PROTOCOL, "malformed message");
        goto out;
    }
    buf_reset(space);
    if (length > space->max) {
        err_set(e, ERR_LIMIT, "message longer than expected");
        goto out;
    }
    while (space->n < length) {
        size_t step = length - space->n < READ_STEP ? length - space->n : READ_STEP;
        char *room = buf_room(space, step);

        if (room == NULL) {
            err_set(e, ERR_MEMORY, "no memory to read a message");
            goto out;
        }
        if (read_all(fd, room, step, NULL, end, e) < 0)
            goto out;
    }
    got.body = buf_view(space);
    got.fd = pass;
    *f = got;
    return 1;
out:
    if (pass >= 0)
        close(pass);
    return rc;
}
