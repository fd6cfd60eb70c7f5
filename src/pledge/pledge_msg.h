/*
 * pledge/pledge_msg.h - what is asked of the process that holds the key, and what it answers.
 *
 * Who asks is known by the socket.  Every length is checked and every list bounded, and what is
 * asked for is signed only where pledge.h lets it be: the sender may have been taken over.
 * Integers are big-endian; what is to be signed travels in its compact form (ledger/head.h) with a
 * signature of zeros.
 */
#ifndef JAGA_PLEDGE_PLEDGE_MSG_H
#define JAGA_PLEDGE_PLEDGE_MSG_H

#include "arena.h"
#include "buf.h"
#include "pledge.h"
#include "span.h"

#define PLEDGE_LIST_MAX 256u         /* heads or receipts of one request */
#define PLEDGE_MSG_MAX  (640u << 10) /* bytes: as many of them with the longest proofs */

enum pledge_verb {
    PLEDGE_STATUS = 1, /* the public key, and whether the record is lost */
    PLEDGE_HEADS,
    PLEDGE_RECEIPTS,
    PLEDGE_ERASE, /* one notice */
    PLEDGE_OUT    /* one notice */
};

struct pledge_receipt {
    struct receipt receipt;
    struct merkle_proof proof;
};

struct pledge_ask {
    enum pledge_verb verb;
    struct pledge_head *heads;
    struct pledge_receipt *receipts;
    size_t n; /* of either */
    struct erase_notice erase;
    struct out_notice out;
};

/* out fails where it has no room, or something is out of its range. */
void pledge_ask_encode(const struct pledge_ask *q, struct buf *out);
/* Lists live in a.  ERR_PROTOCOL, or ERR_MEMORY. */
int pledge_ask_decode(struct span message, struct arena *a, struct pledge_ask *out, struct err *e);

struct pledge_reply {
    enum err_code status; /* ERR_NONE: signed */
    struct span text;     /* why not */
    struct sign_public key;
    bool lost;
    struct signature *sigs; /* in the order of what was asked */
    size_t n;
};

void pledge_reply_encode(const struct pledge_reply *r, struct buf *out);
int pledge_reply_decode(struct span message, struct arena *a, struct pledge_reply *out,
                        struct err *e);

/* What the process does with a question: signs all of it, or nothing.  The reply's list lives in
 * a. */
void pledge_answer(struct pledge *p, struct pledge_ask *q, struct arena *a,
                   struct pledge_reply *out);

#endif
