/*
 * sync/offer.h - what one member may be shown by this node, and what may be taken from one.
 *
 * The rules of membership, in one place for both sides:
 *
 *   A stream is shown to a member that is in its audience by the newest versions known here, where
 *   a version at least as new as the head's is known; by one that is in it itself.  RED never
 *   leaves.  Beyond the final size that the removal of its publisher names, nothing is shown.
 *   A stream is taken of a publisher that was in its audience at the version that the entry names,
 *   from a member that was in it too, by one that was in it then or later.
 *   An erase notice goes to those in the audience, and to whoever has acknowledged what it erases.
 *   A receipt goes to the publisher alone, a removal notice to the one that is out.
 */
#ifndef JAGA_SYNC_OFFER_H
#define JAGA_SYNC_OFFER_H

#include "replica.h"

/* What an item of the kind HEAD or FROZEN holds. */
struct sync_head_item {
    struct stream_name name;
    struct head head;
    uint64_t have, settled; /* of the server */
};
/* FROZEN: a head item in a field, and the evidence (round.h) in one behind it. */
int sync_frozen_decode(struct span content, struct sync_head_item *out, struct span *evidence,
                       struct err *e);
void sync_head_item_encode(const struct sync_head_item *h, struct buf *out);
int sync_head_item_decode(struct span content, struct sync_head_item *out, struct err *e);
/* The stream that a name names is the one that the head signs. */
bool sync_head_item_named(const struct sync_head_item *h);

/* The offer to one member; sorted by key.  Everything lives in a. */
struct sync_offer {
    const struct sync_pair *pairs;
    const struct sync_item *items; /* in the same order */
    size_t n;
    struct hash digest;
};
int sync_offer_make(const struct replica *r, const struct uuid *peer, struct arena *a,
                    struct sync_offer *out, struct err *e);

/* 1: the peer may be shown the stream, *upto entries of it; 0: not; -1. */
int sync_may_show(const struct replica *r, const struct uuid *peer, const struct sync_stream *s,
                  uint64_t *upto, struct err *e);
/* 1: this node pulls that stream from the peer; 0: not; -1. */
int sync_may_pull(const struct replica *r, const struct uuid *peer, const struct stream_name *name,
                  struct err *e);
/* 1: the entry may be taken; 0: its publisher or this node was not in the audience of then. */
int sync_may_take(const struct replica *r, const struct stream_name *name, const struct entry *en,
                  struct err *e);

#endif
