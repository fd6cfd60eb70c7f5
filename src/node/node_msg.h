/*
 * node/node_msg.h - what the members of the family send one another besides ask, tell and auth.
 *
 * The parent speaks to each child over its control socket, which is its lifeline too: START with
 * the values that it works with, then LINK with one descriptor each.  A child answers READY.  A
 * LINK for a place that is taken replaces what stood there: so a restarted process is joined to
 * those that kept running.
 */
#ifndef JAGA_NODE_NODE_MSG_H
#define JAGA_NODE_NODE_MSG_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "config.h"
#include "crypto.h"
#include "err.h"
#include "span.h"

/* Types of frames, on every socket of the family. */
enum node_frame {
    NODE_F_START = 1, /* parent to child */
    NODE_F_LINK,      /* parent to child, with a descriptor */
    NODE_F_READY,     /* child to parent */
    NODE_F_FAILED,    /* child to parent: a line for people; the child ends */
    NODE_F_STOP,      /* parent to child: finish in order */
    NODE_F_ASK = 16,  /* body: exchange/ask.h */
    NODE_F_ANSWER,    /* body: answer_encode */
    NODE_F_TELL,      /* body: exchange/tell.h */
    NODE_F_TOLD,      /* body: answer_encode */
    NODE_F_AUTH,      /* body: auth/auth_msg.h */
    NODE_F_AUTHED,    /* body: auth_reply for LOGIN and RENEW, else an answer */
    NODE_F_SIGN,      /* body: pledge/pledge_msg.h */
    NODE_F_SIGNED,    /* body: pledge_reply */
};

enum node_role {
    NODE_PARENT,
    NODE_WRITER,
    NODE_READER,
    NODE_AUTH,
    NODE_FRONT,
    NODE_SIGNER,
    NODE_ROLES
};

const char *node_role_name(enum node_role r); /* "writer", ... */

#define NODE_CHILDREN_MAX (3 + CONFIG_READERS_MAX + CONFIG_LISTEN_MAX)

/* What a child is told at its start.  Secrets are wiped by whoever held them. */
struct node_start {
    enum node_role role;
    unsigned index;        /* which reader, which listener */
    struct key ticket_key; /* auth, reader, writer; zero for a front */
    struct config config;
    struct span cert_pem, key_pem; /* a front alone */
    uint32_t owner;                /* user id that may speak on the local socket */
};

void node_start_encode(const struct node_start *s, struct buf *out);
int node_start_decode(struct span message, struct node_start *out, struct err *e);

enum node_link {
    NODE_L_LISTEN = 1, /* front: the TCP socket */
    NODE_L_LOCAL,      /* auth, reader, writer: the listening Unix socket */
    NODE_L_PEER,       /* a connected socket to another process */
    NODE_L_RING        /* front and reader: one of the four descriptors of a ring */
};

#define NODE_RING_PARTS 4 /* requests, answers, wake_front, wake_reader */

struct node_link_msg {
    enum node_link kind;
    enum node_role role; /* who is at the other end (PEER, RING) */
    unsigned index;      /* which of them */
    unsigned part;       /* RING */
};

void node_link_encode(const struct node_link_msg *m, struct buf *out);
int node_link_decode(struct span message, struct node_link_msg *out, struct err *e);

#endif
