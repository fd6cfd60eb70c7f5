/*
 * node/local.h - the local socket of a process: who may connect, and no more than a few at once.
 *
 * The kernel says who is at the other end (SO_PEERCRED).  The owner of the data folder, and root,
 * are the operator; anybody else is turned away without a word.
 */
#ifndef JAGA_NODE_LOCAL_H
#define JAGA_NODE_LOCAL_H

#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "frame.h"
#include "log.h"
#include "loop.h"

#define LOCAL_MAX 32 /* connections: a person, some scripts */

struct local;

/* Takes over fd (a listening socket).  events get the struct local_conn as their ctx; when closed
 * has returned, the connection is forgotten. */
struct local *local_new(struct loop *l, int fd, uint32_t owner, const struct frame_events *events,
                        const struct frame_options *options, void *self, const struct log *log,
                        struct err *e);
void local_free(struct local *s);

struct local_conn {
    struct local *server;
    void *self;              /* as given to local_new */
    struct frame_conn *conn; /* NULL: free */
    void *user;              /* the process's own */
};

#endif
