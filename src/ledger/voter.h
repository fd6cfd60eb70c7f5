/*
 * ledger/voter.h - the vote on what follows a version of the region: single-decree Paxos, as a pure
 * state machine (L. Lamport, "Paxos Made Simple", section 2.2).
 *
 * One vote is held on each version, among the members of the version before.  Any member may
 * propose, in a ballot of its own:
 *
 *   proposer                              voter
 *     PROMISE version, ballot       ->
 *                                   <-    promise: no lower ballot; what it has accepted, if any
 *   of a majority: its value is the one accepted in the highest ballot, else its own
 *     ACCEPT version, ballot, value ->
 *                                   <-    accept
 *   of a majority: chosen (region_check_successor)
 *
 * However messages are lost, doubled, late or in another order, and whoever stops and comes back,
 * at most one value is chosen for a version, as long as each voter keeps its word.  So its state
 * must be on disk, synced and outside all backups, BEFORE an answer leaves, and the body that it
 * accepts beside it, for a later proposer may have to propose it again.  Whether to agree to a body
 * at all (region_check_successor's rules, people) is decided before voter_answer is asked to
 * accept.
 *
 * Not against members that lie: one that promises or accepts against its word can, with a majority
 * of such, make two successors, and both then stand against it with its signatures
 * (region_conflict).
 */
#ifndef JAGA_LEDGER_VOTER_H
#define JAGA_LEDGER_VOTER_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "err.h"
#include "head.h"
#include "region.h"
#include "span.h"
#include "uuid.h"

/* What a member must never forget. */
struct voter {
    struct hash previous; /* the version that is to be followed */
    uint64_t version;     /* the one voted on; 0: none yet */
    uint64_t promised;    /* answers no ballot below; 0: none yet */
    uint64_t accepted;    /* the ballot in which it accepted last; 0: never */
    struct hash value;    /* ... and what: hash of a body; zero: nothing */
};

#define VOTER_BYTES (2 * HASH_BYTES + 24)
void voter_encode(const struct voter *v, struct buf *out);
/* Exactly that, of a state that can be, else ERR_CORRUPT. */
int voter_decode(struct span s, struct voter *out, struct err *e);

/* Takes part in the vote on what follows current.  0 also where it does already; -1, v unchanged:
 * ERR_CONFLICT where it takes part in a later one, or in one on the same version of another chain
 * (two successors: people must look). */
int voter_begin(struct voter *v, const struct region *current, struct err *e);

/* What a proposer asks: a question, not signed (who asks is known by its login). */
struct voter_ask {
    enum vote_phase phase;
    struct hash previous;
    uint64_t version;
    uint64_t ballot;
    struct hash value; /* VOTE_ACCEPT; else zero */
};

#define VOTER_ASK_BYTES (2 * HASH_BYTES + 17)
void voter_ask_encode(const struct voter_ask *q, struct buf *out);
int voter_ask_decode(struct span s, struct voter_ask *out, struct err *e); /* ERR_PROTOCOL */

/* The answer of me to a question of from.  0: v has changed or stayed; store it, then sign *out
 * (vote_sign) and send it.  The same question again gets the same answer.  -1, v unchanged:
 * ERR_RULE: not a ballot of from's, or another value in one ballot; ERR_CONFLICT: another version,
 * or a higher ballot is promised (v->promised, which from may be told). */
int voter_answer(struct voter *v, const struct region *current, const struct uuid *me,
                 const struct uuid *from, const struct voter_ask *q, struct vote *out,
                 struct err *e);

/* ---- proposing ---- */

enum proposer_state { PROPOSER_PREPARES = 1, PROPOSER_PROPOSES, PROPOSER_CHOSEN };

/* Not kept: after a restart one begins anew, in a higher ballot. */
struct proposer {
    enum proposer_state state;
    struct hash previous;
    uint64_t version;
    uint64_t ballot;
    int place; /* ours among the members */
    size_t majority;
    struct hash value;   /* what is proposed: ours, or the one that had to be taken over */
    uint64_t best;       /* the highest ballot that a promise has named; 0: none, value is ours */
    region_set promised; /* who has */
    region_set accepted;
};

/* Begins a ballot higher than any that own (our voter, which has begun) has promised and than seen
 * (0, or a promise of another that refused us).  ERR_DENIED: we are no member; ERR_CONFLICT: own is
 * at another version; ERR_LIMIT: no ballot is left. */
int proposer_begin(struct proposer *p, const struct region *current, const struct uuid *me,
                   const struct voter *own, uint64_t seen, const struct hash *value, struct err *e);

/* What to ask now.  0: our own voter alone, 1: all members, -1: nothing more (chosen).  Our own
 * voter comes first and is stored, so that a ballot is never begun twice. */
int proposer_ask(const struct proposer *p, struct voter_ask *out);

/* Counts a vote that region_vote_ok has passed.  True when the state has changed.  Votes of other
 * ballots or versions are passed over. */
bool proposer_take(struct proposer *p, const struct region *current, const struct vote *v);

#endif
