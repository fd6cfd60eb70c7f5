/*
 * store/store_tile.h - the trees of streams, kept so that a proof costs a few reads.
 *
 * Within this room only.  A row holds the hashes of TILE_WIDTH neighbours: at level 0 commitments
 * of entries, each with the number of its publication (0: it has none here), at level L roots of
 * complete subtrees of 1 << TILE_SHIFT * L leaves.  The last tile of each level is rewritten by
 * each commit that adds to it; the others are written once, but for numbers of publications whose
 * bytes came later.
 */
#ifndef JAGA_STORE_STORE_TILE_H
#define JAGA_STORE_STORE_TILE_H

#include "merkle.h"
#include "store_impl.h"

#define TILE_SHIFT                                                                                 \
    6 /* three leaf tiles fill a page of 8 KB; of 128 one would, and waste a third                 \
       */
#define TILE_WIDTH  (1u << TILE_SHIFT)
#define TILE_LEVELS 10               /* 2^60 entries: more than a number of a tile has room for */
#define TILE_LEAF   (HASH_BYTES + 8) /* commitment, publication */

struct tile { /* one that is written */
    uint8_t *data;
    uint64_t at; /* its number in its level */
    size_t n;    /* hashes in it */
    bool dirty;
};

struct tiles { /* the last of each level */
    uint32_t stream;
    bool loaded;
    struct tile last[TILE_LEVELS];
};

void tiles_free(struct tiles *t);
/* Of a stream with so many entries. */
int tiles_load(struct store *s, struct tiles *t, uint32_t stream, uint64_t size, struct err *e);
/* Entry number i, the next one; inner nodes come by tiles_node (a merkle_done_fn, arg: t's). */
int tiles_leaf(struct store *s, struct tiles *t, uint64_t i, const struct hash *d, uint64_t p,
               struct err *e);
struct tiles_done {
    struct store *s;
    struct tiles *t;
};
merkle_done_fn tiles_node;
int tiles_save(struct store *s, struct tiles *t, struct err *e);

/* What is written.  1: there, 0: no such entry, -1.  Streams are saved before. */
int tile_leaf(struct store *s, uint32_t stream, uint64_t i, struct hash *d, uint64_t *p,
              struct err *e);
/* Of the bytes of one that tile_look gives. */
void tile_leaf_read(const uint8_t *leaf, struct hash *d, uint64_t *p);

struct tile_look { /* a tile that is read; all zero: none */
    bool there;
    unsigned level;
    uint64_t at;
    size_t n; /* bytes */
    uint8_t data[TILE_WIDTH * TILE_LEAF];
};
/* Leaf or node number i of a level, one of a stream for all calls with x; *out NULL: not kept. */
int tile_look(struct store *s, uint32_t stream, unsigned level, uint64_t i, struct tile_look *x,
              const uint8_t **out, struct err *e);

/* The bytes of a tile, borrowed until sql_end(*q). */
int tile_get(struct store *s, uint32_t stream, unsigned level, uint64_t at, struct db_stmt **q,
             struct span *out, struct err *e);
/* The publication of an entry: true where its tile is among the last ones, and changed there. */
bool tiles_point(struct tiles *t, uint64_t i, uint64_t p);
/* ... and of one that is written. */
int tile_point(struct store *s, uint32_t stream, uint64_t i, uint64_t p, struct err *e);

#endif
