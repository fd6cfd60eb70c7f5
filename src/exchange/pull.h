/*
 * exchange/pull.h - what the process that speaks to members (fetch) and the writer say to one
 * another, beside tell.h.
 *
 *   LIST           -> whom to pull: a pull_list.  The writer sends NEWS when it may have changed.
 *   BEGIN          -> a pull_next: the first question of a round.  A round with that member that
 *                     was under way is forgotten.
 *   PIECE... BODY... TOOK -> a pull_next: the next question, or what the round has brought.  The
 *                     answer in pieces as it came, and the readings of its bodies in any order; one
 *                     answer is told to its end before the next is begun.
 *   FAILED         -> the round ends; why is kept for people.
 *
 * Of an error, ERR_PROTOCOL means that the member is at fault; the round is over with any.
 * Each side checks what the other says by length and range.  Integers are big-endian.
 */
#ifndef JAGA_EXCHANGE_PULL_H
#define JAGA_EXCHANGE_PULL_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "region.h"
#include "round.h"
#include "span.h"
#include "uuid.h"
#include "wire.h"

#define PULL_MEMBERS_MAX REGION_MEMBERS_MAX
/* Bytes: pieces travel beside other things, so that a queue of 1 MiB holds some. */
#define PULL_PIECE_MAX (256u << 10)
/* Bytes of all readings of one answer: of many small objects they are thrice as long as those. */
#define PULL_BODIES_MAX (64u << 20)
#define PULL_BODY_COUNT (SYNC_ENTRIES_MAX > SYNC_BODIES_MAX ? SYNC_ENTRIES_MAX : SYNC_BODIES_MAX)

enum pull_fault {                       /* what a round failed of; kept with its text */
                  PULL_F_UNREACHED = 1, /* no connection, or it ended, or took too long */
                  PULL_F_CERTIFICATE,   /* what answers is not that member's node */
                  PULL_F_LOGIN,         /* it does not let us in */
                  PULL_F_ANSWER,        /* it answers what it should not */
                  PULL_F_HERE,          /* our own: the signer, memory */
                  PULL_FAULTS
};

struct pull_member {
    struct uuid id;
    struct sign_public key;
    struct span address; /* as the region has it, not read; never empty */
};

struct pull_list {
    struct uuid me;
    const struct pull_member *members;
    size_t n;
};

void pull_list_encode(const struct pull_list *l, struct buf *out);
/* The list lives in a, spans in message.  ERR_PROTOCOL, or ERR_MEMORY. */
int pull_list_decode(struct span message, struct arena *a, struct pull_list *out, struct err *e);

struct pull_next {
    bool more;
    struct span question; /* more: as sync/wire.h has it */
    struct sync_counts counts;
};

void pull_next_encode(const struct pull_next *n, struct buf *out);
int pull_next_decode(struct span message, struct pull_next *out, struct err *e);

#endif
