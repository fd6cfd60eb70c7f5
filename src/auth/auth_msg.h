/*
 * auth/auth_msg.h - what is said to the auth process and what it answers.
 *
 * LOGIN and RENEW come from a front, which is known by its socket: the listener's number is put
 * into the ticket by auth, never read from a message.  The administrative verbs are heard on the
 * local socket alone.
 */
#ifndef JAGA_AUTH_AUTH_MSG_H
#define JAGA_AUTH_AUTH_MSG_H

#include <stdbool.h>
#include <stdint.h>
#include "auth.h"
#include "buf.h"
#include "err.h"
#include "span.h"

#define AUTH_MSG_MAX 4096 /* bytes of a message either way; a list is cut into its own frame */

enum auth_verb {
    AUTH_V_LOGIN = 1,
    AUTH_V_RENEW,
    AUTH_V_SET_PASSWORD, /* principal, epoch, name, secret */
    AUTH_V_MAKE_TOKEN,   /* principal, epoch, expires_us */
    AUTH_V_SET_EPOCH,    /* principal, epoch */
    AUTH_V_REMOVE,       /* principal */
    AUTH_V_LIST
};

struct auth_msg {
    enum auth_verb verb;
    enum auth_scheme scheme;
    bool person; /* LOGIN: for a person's own session (pages), not for TAXII; passwords alone */
    struct span name, secret, address;
    uint8_t session[16];
    int64_t principal, epoch, expires_us;
};

void auth_msg_encode(const struct auth_msg *m, struct buf *out);
int auth_msg_decode(struct span message, struct auth_msg *out, struct err *e);

/* The answer to LOGIN and RENEW. */
struct auth_reply {
    enum auth_state state; /* never AUTH_QUEUED */
    unsigned wait_s;       /* AUTH_LATER */
    struct span ticket;    /* AUTH_OK: sealed, opaque to the front */
    int64_t expires_us;    /* of the ticket, wall time */
    uint8_t session[16];
};

void auth_reply_encode(const struct auth_reply *r, struct buf *out);
int auth_reply_decode(struct span message, struct auth_reply *out, struct err *e);

#endif
