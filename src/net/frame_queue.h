/*
 * net/frame_queue.h - frames to a process that is busy at times: the sender works on meanwhile.
 *
 * For a blocking sender without a loop.  A socket takes some hundred kilobytes; what is put here
 * waits in memory until the socket has room, and many frames go out in one write.  Only when the
 * queue is full does frame_queue_put wait.
 */
#ifndef JAGA_NET_FRAME_QUEUE_H
#define JAGA_NET_FRAME_QUEUE_H

#include "err.h"
#include "frame.h"

struct frame_queue;

/* The socket is borrowed.  max: bytes that may wait, rounded up to a frame's end.  NULL: out of
 * memory. */
struct frame_queue *frame_queue_new(int fd, size_t max);
void frame_queue_free(struct frame_queue *q); /* what waits is lost; NULL does nothing */

/* Takes a copy of a frame without a descriptor.  ERR_LIMIT: body over FRAME_MAX; ERR_MEMORY;
 * ERR_IO: the other side is gone, as it may have been at an earlier put.  After an error the queue
 * is of no use. */
int frame_queue_put(struct frame_queue *q, const struct frame *f, struct err *e);
/* Writes what the socket takes now. */
int frame_queue_push(struct frame_queue *q, struct err *e);
/* Waits until all is written. */
int frame_queue_flush(struct frame_queue *q, struct err *e);

#endif
