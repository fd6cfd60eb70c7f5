/*
 * base/map.h - a hash table from bytes to a 64-bit value, for sets of ids in one file or batch.
 *
 * Keys are copied.  The hash is seeded at random for each table, so that whoever chooses the keys
 * cannot make them collide.
 */
#ifndef JAGA_BASE_MAP_H
#define JAGA_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "span.h"

struct map;

struct map *map_new(size_t max_entries); /* refuses more; NULL when memory is out */
void map_free(struct map *m);
void map_reset(struct map *m);
size_t map_count(const struct map *m);
bool map_get(const struct map *m, struct span key, uint64_t *value);
/* 1 put, 0 replaced (the old value in *old if not NULL), -1 full or out of memory. */
int map_put(struct map *m, struct span key, uint64_t value, uint64_t *old);
bool map_del(struct map *m, struct span key);
/* Walks in no order: *at starts at 0. */
bool map_next(const struct map *m, size_t *at, struct span *key, uint64_t *value);

#endif
