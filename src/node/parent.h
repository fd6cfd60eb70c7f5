/*
 * node/parent.h - the parent: reads the configuration, opens the sockets, starts the family and
 * keeps it running.
 *
 * It parses nothing from outside.  A child that ends is started anew after a growing pause and
 * joined again to those that kept running.
 */
#ifndef JAGA_NODE_PARENT_H
#define JAGA_NODE_PARENT_H

#include <stdbool.h>
#include "config.h"
#include "err.h"

struct parent_options {
    const struct config *config;
    bool serve;   /* with listeners; else the local sockets alone, for the length of a command */
    int ready_fd; /* -1, or: a byte is written when all (without serve: the writer) are up, or a
                   * line when they cannot be */
    int guard_fd; /* -1, or: end when its other end is closed and nobody uses the folder */
    /* Called once when all are up: prints the line that serve promises.  May be NULL. */
    void (*ready)(const struct config *c, void *ctx);
    void *ctx;
};

/* Runs until a signal or the guard ends it; the data folder is the current one.  The exit status
 * of the process.  *e says why where it is not 0. */
int parent_run(const struct parent_options *o, struct err *e);

/* Starts a family without listeners in a process of its own, and waits until its writer is up; a
 * reader and auth are started when somebody first connects to them.  *guard is the descriptor whose
 * closing ends it. */
int parent_start_local(const struct config *c, int *guard, struct err *e);

#endif
