/*
 * node/child.h - what every child of the parent does alike: be told, open, lock itself in, work.
 *
 * A child is started by fork and exec with its control socket as descriptor 3.  It reads START and
 * the first LINKs, opens what its role needs, enters its sandbox, says READY and runs its loop
 * until it is told to stop or the parent is gone.
 */
#ifndef JAGA_NODE_CHILD_H
#define JAGA_NODE_CHILD_H

#include <stdbool.h>
#include "err.h"
#include "frame.h"
#include "log.h"
#include "loop.h"
#include "node_msg.h"
#include "sandbox.h"

#define CHILD_CONTROL_FD 3

struct child {
    struct loop *loop;
    struct frame_conn *parent;
    struct log log;
    struct node_start start;
    void *self; /* the role's own */
};

struct child_role {
    enum node_role role;
    enum sandbox_role sandbox;
    unsigned nofile; /* descriptors it may have open */
    /* Opens files, before the sandbox.  Links given so far have gone through link. */
    int (*open)(struct child *c, struct err *e);
    /* fd is given.  May be called before open. */
    int (*link)(struct child *c, const struct node_link_msg *m, int fd, struct err *e);
    /* Finish in order; the loop ends when loop_stop is called. */
    void (*stop)(struct child *c);
    void (*close)(struct child *c);
    const char *const *write_paths; /* NULL-terminated lists for the sandbox; may be NULL */
    const char *const *read_paths;
};

extern const struct child_role child_writer, child_reader, child_auth, child_front, child_signer;

/* The whole life of a child; the exit status of the process.  The data folder is the current
 * one. */
int child_main(enum node_role role);

#endif
