/*
 * sync/round_inner.h - what the files of a round share.
 */
#ifndef JAGA_SYNC_ROUND_INNER_H
#define JAGA_SYNC_ROUND_INNER_H

#include "round.h"

struct fork { /* looking for what both histories share, between two sizes */
    struct sync_offered with;
    uint64_t lo, hi;         /* the roots are the same at lo, and not at hi */
    struct sync_side theirs; /* at hi; its lists in the round's arena */
    bool known;              /* ... it is there */
};

struct sync_round {
    const struct replica *r;
    struct uuid peer;
    enum sync_phase phase;
    struct sync_counts counts;
    struct arena *list, *work;
    struct sync_ask q;
    bool whole; /* the offer's prints were asked for already */
    /* ITEMS */
    struct sync_epoch epoch;
    uint64_t cursor;
    const struct sync_key *keys;
    size_t key_n, key_at;
    /* TAILS, BODIES */
    struct sync_offered *offered;
    size_t n, cap, at;
    uint64_t upto; /* of the present stream: where the next entry may not be taken */
    struct fork fork;
};

/* Ends the round: the peer is at fault (for people, and -1 with ERR_PROTOCOL), or the replica has
 * said why in e (-1). */
int round_lie(struct sync_round *s, const char *why, struct err *e);
int round_failed(struct sync_round *s);
uint32_t round_page_bytes(const struct sync_round *s);

/* The stream as held here; one that is not there yet is an empty one (0). */
int round_held(struct sync_round *s, const struct sync_offered *o, struct sync_stream *out,
               struct err *e);
/* Head, chain and roots of a TAIL are true of themselves.  1: they are, in *head; 0: a lie. */
int round_tail_true(struct sync_round *s, const struct sync_offered *o, const struct sync_answer *w,
                    struct head *head, const char **why, struct err *e);
/* On to the streams, once more. */
int round_begin_tails(struct sync_round *s, struct err *e);
/* Roots differ at a size. */
int round_begin_fork(struct sync_round *s, const struct sync_offered *o, uint64_t at);

/* Each phase: its next question (1: it is in s->q; 0: none is left), and its answer. */
int round_ask_hello(struct sync_round *s, struct err *e);
int round_take_hello(struct sync_round *s, const struct sync_answer *w, struct err *e);
int round_ask_items(struct sync_round *s);
int round_take_asked_items(struct sync_round *s, const struct sync_answer *w, struct err *e);
int round_ask_tail(struct sync_round *s, struct err *e);
int round_take_tail(struct sync_round *s, const struct sync_answer *w, struct err *e);
int round_ask_fork(struct sync_round *s, struct err *e);
int round_take_fork_answer(struct sync_round *s, const struct sync_answer *w, struct err *e);
int round_ask_bodies(struct sync_round *s, struct err *e);
int round_take_bodies(struct sync_round *s, const struct sync_answer *w, struct err *e);

#endif
