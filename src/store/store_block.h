/*
 * store/store_block.h - the audience and type of each publication, as columns of 4,096.
 *
 * Within this room only.  A reader with hundreds of audiences goes through these instead of the
 * rows.  A block is written once, when it is full.
 */
#ifndef JAGA_STORE_STORE_BLOCK_H
#define JAGA_STORE_STORE_BLOCK_H

#include "store_impl.h"

struct block;

void block_free(struct block *b);
/* The next publication's cell; p's row may or may not be inserted already. */
int block_put(struct store *s, uint64_t p, uint32_t audience, uint32_t type, struct err *e);

/* A full block's cells, borrowed until sql_end(*q).  1, 0: not written (yet), -1. */
int block_get(struct store *s, uint64_t n, struct db_stmt **q, struct span *cells, struct err *e);
uint32_t block_audience(struct span cells, uint32_t at);
uint32_t block_type(struct span cells, uint32_t at);

#endif
