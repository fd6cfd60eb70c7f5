/*
 * pledge/pledge.h - the node's private key, and the record of what it has signed.
 *
 * A signature cannot be taken back, so nothing is signed that contradicts what was signed before: a
 * head or receipt only of a tree that extends the last one (proven by a consistency proof, RFC 9162
 * section 2.1.4), a version of a group only once for each order, a vote only as the voter's own
 * rules allow (the caller's).  What is about to be signed is written and synced first, and only
 * then signed.  The record stands outside every backup of the store: with a store that was put back
 * the node cannot contradict itself.
 *
 * Two files in one folder: the key (a line of text), and the record, append-only, each entry with a
 * check of its own.  A torn entry at the end was never signed and is cut off; a damaged one in the
 * middle is an error, for nobody knows then what was signed.
 */
#ifndef JAGA_PLEDGE_PLEDGE_H
#define JAGA_PLEDGE_PLEDGE_H

#include <stdbool.h>
#include "err.h"
#include "head.h"
#include "merkle.h"
#include "sign.h"

#define PLEDGE_KEY_FILE    "sign.key"
#define PLEDGE_RECORD_FILE "signed"
/* Streams, receipts and groups that one node ever signs for: 81 bytes each in the record. */
#define PLEDGES_MAX      1000000u
#define PLEDGE_HEADS_MAX 4096u /* signed after one sync */

struct pledge;

/* Makes a key in the folder; ERR_CONFLICT where there is one. */
int pledge_create(const char *folder, struct sign_public *out, struct err *e);
/* Opens both files; afterwards no other is touched until pledge_close, so that the process can lock
 * itself in.  ERR_MISSING: no key; ERR_BUSY: another process has them; ERR_CORRUPT. */
int pledge_open(const char *folder, struct pledge **out, struct err *e);
void pledge_close(struct pledge *p); /* wipes the key */

const struct sign_public *pledge_public(const struct pledge *p);
/* There is a key and no record: it was lost, and with it what must not be contradicted.  Nothing is
 * signed until pledge_anew, which the operator asks for once peers have answered. */
bool pledge_lost(const struct pledge *p);
int pledge_anew(struct pledge *p, struct err *e);

/* What was signed last of a stream; size 0: nothing. */
void pledge_last_head(const struct pledge *p, const struct hash *stream, uint64_t *size,
                      struct hash *root);

/* Heads to be signed together.  proof: from what was signed last of that stream (empty after
 * nothing).  All or none: ERR_CONFLICT and its place names the first that does not extend. */
struct pledge_head {
    struct head head; /* all but sig */
    struct merkle_proof proof;
};
int pledge_heads(struct pledge *p, struct pledge_head *list, size_t n, struct err *e);
/* The same for one receipt. */
int pledge_receipt(struct pledge *p, struct receipt *r, const struct merkle_proof *proof,
                   struct err *e);
/* A version of a group: once for each order; the same again is signed again. */
int pledge_circle(struct pledge *p, struct circle_mark *m, struct err *e);
/* What contradicts nothing. */
int pledge_erase(struct pledge *p, struct erase_notice *n, struct err *e);
int pledge_out(struct pledge *p, struct out_notice *n, struct err *e);
/* Of a login at a peer: over a text that names both sides and the peer's nonce. */
int pledge_login(struct pledge *p, struct span nonce, const struct uuid *me,
                 const struct uuid *peer, struct signature *out, struct err *e);
#define PLEDGE_NONCE_BYTES 32
bool pledge_login_ok(const struct sign_public *key, struct span nonce, const struct uuid *me,
                     const struct uuid *peer, const struct signature *s);

#endif
