/*
 * sync/server.h - answers a member's questions, from what a replica holds.
 *
 * What is kept between questions is a memory and no state: offers as they were last made, so that
 * one who comes back is told what changed since.  After a restart, or for one who was away long,
 * keys and prints of the whole offer are sent instead.  Whoever asks has proven to be that member
 * before.
 */
#ifndef JAGA_SYNC_SERVER_H
#define JAGA_SYNC_SERVER_H

#include "offer.h"

#define SYNC_PEERS_MAX   64u /* members of a region; of more, the one that came longest ago goes */
#define SYNC_HISTORY     8u  /* offers remembered for each */
#define SYNC_BYTES_LEAST 1024u
#define SYNC_BYTES_MOST  (4u << 20) /* of one answer, but for one entry that is larger by itself */

struct sync_server;

struct sync_server *sync_server_new(const struct replica *r, struct err *e);
void sync_server_free(struct sync_server *s);

/* The answer, encoded behind what out holds already.  Whatever may not be shown, is not there or
 * makes no sense is answered by NO: these are never told apart.  -1: memory, or the store. */
int sync_server_answer(struct sync_server *s, const struct uuid *peer, const struct sync_ask *q,
                       struct buf *out, struct err *e);

#endif
