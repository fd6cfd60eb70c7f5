/*
 * main/intake_child.h - `import` parses in a sandbox of its own, exactly as a front does.
 *
 * The command opens the files and hands their descriptors over a socket; the child reads, checks
 * and sends the objects straight to the writer, whose socket it is given, and reports how far it
 * is. It can open no file and connect to nobody.  It begins to parse before there is a writer:
 * what it has found waits in its queue until then.
 */
#ifndef JAGA_MAIN_INTAKE_CHILD_H
#define JAGA_MAIN_INTAKE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "err.h"
#include "span.h"
#include "tell.h"

/* In the child: descriptor 3 is the command.  The exit status. */
int intake_child_main(void);

/* In the command: one batch. */
struct import_job;

struct import_progress {
    uint64_t bytes, objects, refused;
};

/* begin is the TELL_BEGIN of the batch (its handle is set here).  Nobody is told it yet. */
int import_start(const struct tell *begin, struct import_job **out, struct err *e);
/* The writer is told of the batch, and is sent what has been parsed and will be.  Once, before the
 * first import_wait.  ERR_...: nothing was begun. */
int import_writer(struct import_job *j, int writer_fd, struct err *e);
/* Hands one file on; fd stays the caller's.  The next one only after import_wait. */
int import_file(struct import_job *j, int fd, const char *name, struct err *e);
/* Waits until the file has been read and calls progress meanwhile. */
int import_wait(struct import_job *j, void (*progress)(void *ctx, const struct import_progress *p),
                void *ctx, struct err *e);
/* Ends the batch; the writer's answer (an encoded answer's body, JSON) is appended to out. */
int import_end(struct import_job *j, struct buf *out, struct err *e);
void import_free(struct import_job *j);

#endif
