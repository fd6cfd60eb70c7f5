/*
 * node/family.h - the children as the parent knows them, and how they are joined.
 *
 * Once a child is up it is joined to each of its kind of neighbours that is up: by a socket pair,
 * or by a ring between a front and a reader (the reader takes its side first and says so, because a
 * front accepts only sealed memory).
 */
#ifndef JAGA_NODE_FAMILY_H
#define JAGA_NODE_FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "frame.h"
#include "log.h"
#include "loop.h"
#include "node_msg.h"
#include "ring.h"

enum kid_state {
    KID_DOWN,
    KID_STARTING, /* started, has not said READY */
    KID_UP,
    KID_ENDING /* told to stop */
};

struct family;

struct kid {
    struct family *family;
    enum node_role role;
    unsigned index;
    enum kid_state state;
    pid_t pid;
    struct frame_conn *control;
    struct loop_timer timer; /* start again, or give up waiting for READY */
    struct mono since;
    unsigned failures; /* in a row */
    bool was_up;
};

struct family {
    struct loop *loop;
    struct log log;
    const struct config *config;
    struct key ticket_key;
    struct span cert_pem, key_pem;
    uint32_t owner;
    int listen_fd[CONFIG_LISTEN_MAX];
    int local_fd[NODE_ROLES]; /* writer, reader, auth */
    struct kid kids[NODE_CHILDREN_MAX];
    size_t kid_n;
    struct ring_fds rings[CONFIG_READERS_MAX][CONFIG_LISTEN_MAX]; /* a front's, kept until the
                                                                   * reader has sealed its side */
    bool stopping;
    char last_words[256];                             /* of a child that could not start ... */
    enum err_code last_code;                          /* ... and the kind of its error */
    void (*changed)(struct family *f, struct kid *k); /* a kid is up, or has ended */
};

void family_init(struct family *f);
struct kid *family_add(struct family *f, enum node_role role, unsigned index);
struct kid *family_find(struct family *f, enum node_role role, unsigned index);
bool family_all(const struct family *f, enum node_role role, enum kid_state state);

int kid_start(struct kid *k, struct err *e);
void kid_stop(struct kid *k);              /* asks */
void kid_kill(struct kid *k);              /* does not ask */
void kid_ended(struct kid *k, int status); /* waitpid has told */

#endif
