/*
 * node/lifeline.h - a child notices that its parent is gone, and ends.
 *
 * The parent holds one end of a socket pair for each child and never writes; the child watches the
 * other end.  The kernel closes the parent's end however it dies.
 */
#ifndef JAGA_NODE_LIFELINE_H
#define JAGA_NODE_LIFELINE_H

#include "err.h"
#include "loop.h"

struct lifeline {
    struct loop_watch watch;
    struct loop *loop;
    loop_fn *gone;
    void *ctx;
};

/* fd stays the caller's.  gone (NULL: loop_stop) is called once when the other end is closed. */
int lifeline_start(struct loop *l, struct lifeline *line, int fd, loop_fn *gone, void *ctx,
                   struct err *e);
void lifeline_stop(struct lifeline *line);

#endif
