/*
 * main/intake_child.h - `import` parses in a sandbox of its own, exactly as a front does.
 *
 * The command opens the files and hands their descriptors over a socket; the child reads, checks
 * and sends the objects straight to the writer, whose socket it was given, and reports how far it
 * is. It can open no file and connect to nobody.
 */
#ifndef JAGA_MAIN_INTAKE_CHILD_H
#define JAGA_MAIN_INTAKE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "err.h"
#include "span.h"
#include "tell.h"

/* In the child: descriptor 3 is the command, 4 the writer.  The exit status. */
int intake_child_main(void);

/* In the command: one batch. */
struct import_job;

struct import_progress {
    uint64_t bytes, objects, refused;
};

/* begin is the TELL_BEGIN of the batch (its handle is set here).  ERR_...: nothing was begun. */
int import_start(int writer_fd, const struct tell *begin, struct import_job **out, struct err *e);
/* Hands one file on; fd stays the caller's.  Calls progress while it is read. */
int import_file(struct import_job *j, int fd, const char *name,
                void (*progress)(void *ctx, const struct import_progress *p), void *ctx,
                struct err *e);
/* Ends the batch; the writer's answer (an encoded answer's body, JSON) is appended to out. */
int import_end(struct import_job *j, struct buf *out, struct err *e);
void import_free(struct import_job *j);

#endif
