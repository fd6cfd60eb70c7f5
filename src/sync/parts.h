/*
 * sync/parts.h - forms that stand in more than one message; within this room only.
 */
#ifndef JAGA_SYNC_PARTS_H
#define JAGA_SYNC_PARTS_H

#include "head.h"
#include "wire.h"

#define LABEL_RED 4u /* policy's number; what is for one person never leaves a node */

void name_encode(const struct stream_name *n, struct buf *out);
/* Fails the reader; group is borrowed from it. */
void name_decode(struct reader *r, struct stream_name *out);

void links_encode(const struct sync_link *list, size_t n, struct buf *out);
/* At most max, rising from after on; fails the reader.  -1: no memory. */
int links_decode(struct reader *r, size_t max, uint64_t after, struct arena *a,
                 const struct sync_link **out, size_t *n, struct err *e);
/* Whether they lead from the root of so many entries to the one that the head signs. */
bool links_lead(const struct sync_link *list, size_t n, uint64_t size, const struct hash *root,
                const struct head *head);

#endif
