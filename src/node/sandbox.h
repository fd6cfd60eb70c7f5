/*
 * node/sandbox.h - what a process of the family may still ask of the kernel once it is up.
 *
 * One call for each process, after its descriptors are open and its first work is done (the first
 * read of the database, tzset, the first TLS context): no new privileges, not dumpable, no core, an
 * allow-list of system calls (anything else kills the process), and Landlock where the kernel has
 * it.  There is no way back.
 */
#ifndef JAGA_NODE_SANDBOX_H
#define JAGA_NODE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include "err.h"

enum sandbox_role {
    SANDBOX_FRONT,  /* sockets that it has, accept, shared memory; no file, no connect */
    SANDBOX_AUTH,   /* its one folder, sockets that it has */
    SANDBOX_READER, /* reads files that are open; no open, no write to files */
    SANDBOX_WRITER, /* its folders */
    SANDBOX_INTAKE, /* parses what comes by descriptors; read, write, memory */
    SANDBOX_SIGNER  /* its two files that are open; no other, no socket but those it has */
};

#define SANDBOX_PATHS_MAX 4

struct sandbox_paths {
    const char *write[SANDBOX_PATHS_MAX]; /* folders that auth and writer may use; NULL ends */
    const char *read[SANDBOX_PATHS_MAX];  /* folders that may be read */
};

struct sandbox_result {
    int landlock; /* ABI version in force; 0: the kernel has none */
    bool loose;   /* built with a sanitizer: more system calls are allowed than in the product */
};

/* p may be NULL (no paths).  nofile: most descriptors that may be open (0: as it is).  On failure
 * the process must not go on.  out may be NULL. */
int sandbox_enter(enum sandbox_role role, const struct sandbox_paths *p, unsigned nofile,
                  struct sandbox_result *out, struct err *e);

/* Landlock's ABI version on this kernel; 0: there is none. */
int sandbox_landlock(void);

/* For the parent and the command line, which must start others and open files: not dumpable, no
 * core, no new privileges. */
int sandbox_parent(struct err *e);

#endif
