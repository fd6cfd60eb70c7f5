/* net/frame_wire.h - the bytes of a frame, and one write or read that may carry a descriptor;
 * for net itself alone. */
#ifndef JAGA_NET_FRAME_WIRE_H
#define JAGA_NET_FRAME_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>
#include "frame.h"

#define FRAME_HAS_FD 1u /* flag: a descriptor came with the first byte */

void wire_head(unsigned char out[FRAME_HEADER], const struct frame *f);
/* Fills type and id, no body, no descriptor; -1 for unknown flags or a length over FRAME_MAX. */
int wire_head_read(const void *p, struct frame *f, size_t *length, bool *with_fd);

/* As sendmsg and recvmsg with at most one descriptor (-1: none); interrupted calls are repeated.
 * More than one descriptor received: -1 and EPROTO, all of them closed. */
ssize_t wire_send(int sock, const struct iovec *iov, int n, int fd, int flags);
ssize_t wire_receive(int sock, struct iovec *iov, int *fd, int flags);

#endif
