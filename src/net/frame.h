/*
 * net/frame.h - length-prefixed messages over a Unix stream socket, between sibling processes and
 * to the command line.
 *
 * On the wire, big-endian: u32 length of the body, u16 type, u16 flags, u32 request id, then the
 * body.  One descriptor can travel with a frame (SCM_RIGHTS).  What types mean is the caller's; a
 * frame that is too long, has unknown flags or a descriptor that does not fit ends the connection
 * with ERR_PROTOCOL, as the sender may have been taken over.
 */
#ifndef JAGA_NET_FRAME_H
#define JAGA_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "buf.h"
#include "err.h"
#include "loop.h"
#include "span.h"

#define FRAME_HEADER 12           /* bytes */
#define FRAME_MAX    (17u << 20)  /* bytes of body: one object of 16 MiB and its index rows */
#define FRAME_QUEUE  (256u << 10) /* bytes waiting to be written at which reading stops */

struct frame {
    uint16_t type;
    uint32_t id;      /* the sender's; an answer repeats it */
    struct span body; /* borrowed */
    int fd;           /* -1: none.  Received: given to the callback, which closes it */
};

#define FRAME(t, i, b) ((struct frame){.type = (t), .id = (i), .body = (b), .fd = -1})

/* -- on the loop -- */

struct frame_conn;

struct frame_events {
    /* A whole frame; its body is valid during the call.  frame_send and frame_close may be called
     * from inside.  A frame with a descriptor is refused unless the options allow it. */
    void (*frame)(void *ctx, struct frame_conn *c, struct frame *f);
    /* The write queue is empty again after frame_full had been true; may be NULL. */
    void (*drained)(void *ctx, struct frame_conn *c);
    /* The connection is gone, by the other side (why->code ERR_NONE: an orderly end between two
     * frames) or by an error; called once, never after frame_close, never from inside frame_send;
     * the connection is freed when it returns. */
    void (*closed)(void *ctx, struct frame_conn *c, const struct err *why);
};

struct frame_options {
    size_t max_body;  /* of a received frame; 0: FRAME_MAX */
    size_t max_queue; /* unwritten bytes at which frame_full is true; 0: FRAME_QUEUE.  frame_send
                         refuses once twice as much is waiting */
    bool asks;        /* This side asks and the other answers: it reads on while its queue is full.
                         Else reading stops until there is room for answers.  One side of each
                         connection must have it, or both could wait for each other. */
    bool take_fds;    /* the other side may send descriptors */
};

/* Takes over fd (given, also on failure: closed) and reads from the next round on.  events and ctx
 * are borrowed until the end; o may be NULL. */
struct frame_conn *frame_open(struct loop *l, int fd, const struct frame_events *events, void *ctx,
                              const struct frame_options *o, struct err *e);
/* Ends it without a word; nothing is called back.  May be called from inside c's own callbacks.
 * NULL does nothing. */
void frame_close(struct frame_conn *c);
/* Ends it once the queue is written (nothing more is read or sent); closed is called then. */
void frame_finish(struct frame_conn *c);

/* Sends or queues a copy.  f->fd stays the caller's (it is duplicated while it waits).
 * ERR_BUSY: the queue is full, nothing was sent, try again at drained; ERR_LIMIT: body over
 * FRAME_MAX; ERR_CONFLICT after frame_finish; ERR_MEMORY.  A broken socket is told by closed, not
 * here: what is sent after it broke is lost, as what was on its way is. */
int frame_send(struct frame_conn *c, const struct frame *f, struct err *e);
bool frame_full(const struct frame_conn *c);

/* Stops and goes on reading, for a receiver that cannot take more now. */
void frame_hold(struct frame_conn *c, bool hold);

void *frame_ctx(const struct frame_conn *c);
void frame_set(struct frame_conn *c, const struct frame_events *events, void *ctx);

/* -- blocking, for the command line -- */

/* Connects to the socket at path; the descriptor, or -1. */
int frame_connect(const char *path, struct err *e);
/* A listening socket at path, mode 0600; an old one at the same place is removed. */
int frame_listen(const char *path, struct err *e);
int frame_write(int fd, const struct frame *f, struct err *e);
/* Reads one frame into f, its body into space (reset first; its max is the limit).  1 read, 0 the
 * other side ended between two frames, -1 error.  timeout_ms for the whole frame, -1: none
 * (ERR_BUSY when it passes; the connection is of no use then). */
int frame_read(int fd, struct buf *space, struct frame *f, int timeout_ms, struct err *e);

/* Who is on the other side (SO_PEERCRED): as of its connect, given by the kernel. */
struct frame_peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
int frame_peer(int fd, struct frame_peer *out, struct err *e);

/* A connected pair of sockets, both close-on-exec. */
int frame_pair(int fds[2], struct err *e);

#endif
