/*
 * policy/ticket.h - what auth gives after a login, so that nobody believes a front.
 *
 * A ticket names who asks and how, ends within a minute, and is MACed with a key that auth shares
 * with the reader or the writer alone.  They check it and load the rights themselves.
 */
#ifndef JAGA_POLICY_TICKET_H
#define JAGA_POLICY_TICKET_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto.h"
#include "may_read.h"
#include "span.h"

#define TICKET_LIFE_US 60000000 /* a minute: how long a revoked credential can live on */
#define TICKET_SESSION 16       /* bytes of the handle by which long work renews it at auth */
#define TICKET_BYTES   (1 + 1 + 2 + 4 + 4 + 8 + 8 + TICKET_SESSION + MAC_BYTES)

#define TICKET_FRESH 1u /* the password was given within the last minutes, not a cookie alone */
#define TICKET_FLAGS 1u

struct ticket {
    uint32_t principal;
    enum channel channel;
    uint32_t listener; /* number of the listener it was given on, valid there alone */
    uint64_t epoch;    /* of the principal's rights, when it was given */
    int64_t expiry_us;
    uint8_t session[TICKET_SESSION];
    unsigned flags;
};

enum ticket_fault {
    TICKET_OK = 0,
    TICKET_BAD_SIZE,
    TICKET_BAD_MAC, /* not made with this key, or altered */
    TICKET_BAD_FIELD,
    TICKET_EXPIRED,
    TICKET_TOO_LONG, /* ends more than a minute from now */
    TICKET_LISTENER, /* given on another listener */
    TICKET_EPOCH     /* the rights have changed since */
};

void ticket_make(const struct key *k, const struct ticket *t, uint8_t out[TICKET_BYTES]);

/* *out is set on TICKET_OK alone. */
enum ticket_fault ticket_read(const struct key *k, struct span s, uint32_t listener, int64_t now_us,
                              struct ticket *out);

/* Then, once the principal's rights are loaded: whether they are those that it was given for. */
enum ticket_fault ticket_current(const struct ticket *t, const struct right_principal *p);

const char *ticket_fault_text(enum ticket_fault f);

#endif
