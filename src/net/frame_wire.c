#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "buf.h"
#include "frame_wire.h"

union control {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

void
wire_head(unsigned char out[FRAME_HEADER], const struct frame *f)
{
    struct buf b;

    buf_init_fixed(&b, out, FRAME_HEADER);
    buf_u32(&b, (uint32_t)f->body.n);
    buf_u16(&b, f->type);
    buf_u16(&b, f->fd >= 0 ? FRAME_HAS_FD : 0u);
    buf_u32(&b, f->id);
}

int
wire_head_read(const void *p, struct frame *f, size_t *length, bool *with_fd)
{
    struct reader r = reader_of(span_from(p, FRAME_HEADER));
    uint32_t n = reader_u32(&r);
    uint16_t type = reader_u16(&r);
    uint16_t flags = reader_u16(&r);
    uint32_t id = reader_u32(&r);

    if (n > FRAME_MAX || (flags & ~FRAME_HAS_FD) != 0)
        return -1;
    *f = (struct frame){.type = type, .id = id, .fd = -1};
    *length = n;
    *with_fd = (flags & FRAME_HAS_FD) != 0;
    return 0;
}

ssize_t
wire_send(int sock, const struct iovec *iov, int n, int fd, int flags)
{
    union control control;
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    ssize_t done;

    if (fd >= 0) {
        struct cmsghdr *c;

        memset(&control, 0, sizeof control);
        m.msg_control = control.space;
        m.msg_controllen = sizeof control.space;
        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    do {
        done = sendmsg(sock, &m, flags | MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    return done;
}

ssize_t
wire_receive(int sock, struct iovec *iov, int *fd, int flags)
{
    union control control;
    struct msghdr m = {.msg_iov = iov,
                       .msg_iovlen = 1,
                       .msg_control = control.space,
                       /* not the padded size: that would let a second one in */
                       .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t done;
    int got = -1;

    do {
        done = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
    } while (done < 0 && errno == EINTR);
    if (done < 0)
        return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof got))
            memcpy(&got, CMSG_DATA(c), sizeof got);
    }
    if (m.msg_flags & MSG_CTRUNC) { /* more than one: the kernel closed what had no room */
        if (got >= 0)
            close(got);
        errno = EPROTO;
        return -1;
    }
    *fd = got;
    return done;
}
