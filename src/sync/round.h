/*
 * sync/round.h - one round with one peer: what to ask next, and what an answer changes here.
 *
 * The round is a machine without input or output: ask, send it by whatever medium, take the answer,
 * until there is nothing left to ask.  It may end anywhere: what was taken stands, and the next
 * round goes on from there.  An answer that does not fit its question, or that proves untrue, ends
 * the round and accuses the peer; nothing of it is kept.
 */
#ifndef JAGA_SYNC_ROUND_H
#define JAGA_SYNC_ROUND_H

#include "offer.h"

struct sync_round;

enum sync_phase {
    SYNC_PHASE_HELLO,
    SYNC_PHASE_ITEMS, /* of an offer that was told by its prints */
    SYNC_PHASE_TAILS,
    SYNC_PHASE_FORK, /* looking for what two histories share */
    SYNC_PHASE_BODIES,
    SYNC_PHASE_DONE
};

struct sync_counts {
    unsigned questions;
    uint64_t items, entries, bodies; /* taken */
    uint64_t refused;                /* entries that may not be taken */
    unsigned forks;
    bool recovering; /* the peer is */
};

struct sync_round *sync_round_new(const struct replica *r, const struct uuid *peer, struct err *e);
void sync_round_free(struct sync_round *s);

/* 1: *q is the next question, its lists valid until the next call; 0: the round is over; -1. */
int sync_round_ask(struct sync_round *s, struct sync_ask *q, struct err *e);
/* Of the question asked last.  -1: ERR_PROTOCOL where the peer is at fault, else what the replica
 * said; the round is over then. */
int sync_round_take(struct sync_round *s, const struct sync_answer *w, struct err *e);

const struct sync_counts *sync_round_counts(const struct sync_round *s);
enum sync_phase sync_round_phase(const struct sync_round *s);

/* Two histories of one stream: roots that differ at one size, each proven in a head that the
 * publisher signed.  Anybody who knows its key can check it. */
struct sync_side {
    struct head head;
    struct hash root;              /* at size */
    const struct sync_link *links; /* size -> ... -> head.size */
    size_t link_n;
};
struct sync_evidence {
    struct stream_name name;
    uint64_t size;   /* at which they differ */
    uint64_t common; /* up to which whoever made this saw them agree: less than size, and not
                      * proven; of several the least counts */
    struct sync_side side[2];
};
#define SYNC_SIDE_LINKS_MAX (SYNC_LINKS_MAX + 1)

void sync_evidence_encode(const struct sync_evidence *ev, struct buf *out);
int sync_evidence_decode(struct span s, struct arena *a, struct sync_evidence *out, struct err *e);
/* Whether it proves it, by the publisher's key. */
bool sync_evidence_ok(const struct sync_evidence *ev, const struct sign_public *key);

#endif
