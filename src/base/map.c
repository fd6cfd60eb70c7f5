#include "map.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "arena.h"
#include "mem.h"

#define SLOTS_FIRST 64u         /* a power of two, as every size here is */
#define DEAD_MIN    (64u << 10) /* bytes of deleted keys that are not worth a copy of the rest */

struct slot {
    uint64_t hash;
    const char *key; /* NULL: empty */
    size_t len;
    uint64_t value;
};

/* Open addressing with linear steps; at most three quarters full.  A deleted entry is filled by
 * those that had to step over it, so that there are no tombstones. */
struct map {
    struct slot *slots;
    size_t size;
    size_t count;
    size_t max;
    struct arena *keys;
    size_t dead; /* bytes in keys that belong to no entry any more */
    uint64_t seed[2];
};

static inline uint64_t
rotl(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static inline void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* SipHash-1-3: keyed, made for this use, and fast on short keys. */
static uint64_t
hash_of(const struct map *m, struct span key)
{
    uint64_t k0 = m->seed[0];
    uint64_t k1 = m->seed[1];
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    uint64_t word;
    size_t i = 0;

    for (; key.n - i >= 8; i += 8) {
        memcpy(&word, key.p + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)key.n << 56;
    for (size_t j = 0; i + j < key.n; j++)
        word |= (uint64_t)(unsigned char)key.p[i + j] << (8 * j);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct map *
map_new(size_t max_entries)
{
    struct map *m = mem_zero(1, sizeof *m);
    ssize_t n;

    if (m == NULL)
        return NULL;
    m->max = max_entries;
    m->keys = arena_new(SIZE_MAX);
    if (m->keys == NULL)
        goto fail;
    do
        n = getrandom(m->seed, sizeof m->seed, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof m->seed)
        goto fail;
    return m;
fail:
    map_free(m);
    return NULL;
}

void
map_free(struct map *m)
{
    if (m == NULL)
        return;
    arena_free(m->keys);
    mem_free(m->slots);
    mem_free(m);
}

void
map_reset(struct map *m)
{
    mem_free(m->slots);
    m->slots = NULL;
    m->size = 0;
    m->count = 0;
    m->dead = 0;
    arena_reset(m->keys);
}

size_t
map_count(const struct map *m)
{
    return m->count;
}

/* The slot of key, or the empty one where it belongs.  There is always an empty one. */
static size_t
find(const struct map *m, struct span key, uint64_t hash)
{
    size_t i = (size_t)hash & (m->size - 1);

    while (m->slots[i].key != NULL) {
        if (m->slots[i].hash == hash && m->slots[i].len == key.n &&
            (key.n == 0 || memcmp(m->slots[i].key, key.p, key.n) == 0))
            break;
        i = (i + 1) & (m->size - 1);
    }
    return i;
}

bool
map_get(const struct map *m, struct span key, uint64_t *value)
{
    size_t i;

    if (m->count == 0)
        return false;
    i = find(m, key, hash_of(m, key));
    if (m->slots[i].key == NULL)
        return false;
    if (value != NULL)
        *value = m->slots[i].value;
    return true;
}

static int
enlarge(struct map *m)
{
    size_t size = m->size != 0 ? m->size * 2 : SLOTS_FIRST;
    struct slot *slots = mem_zero(size, sizeof *slots);

    if (slots == NULL)
        return -1;
    for (size_t i = 0; i < m->size; i++) {
        size_t at;

        if (m->slots[i].key == NULL)
            continue;
        at = (size_t)m->slots[i].hash & (size - 1);
        while (slots[at].key != NULL)
            at = (at + 1) & (size - 1);
        slots[at] = m->slots[i];
    }
    mem_free(m->slots);
    m->slots = slots;
    m->size = size;
    return 0;
}

/* Copies the living keys together, once the dead ones take more room than they.  All in one block,
 * so that it either happens as a whole or not at all; without memory for it the old pool serves. */
static void
compact(struct map *m)
{
    struct arena *keys;
    size_t live = 0;
    char *at;

    if (m->dead < DEAD_MIN || m->dead < arena_used(m->keys) / 2)
        return;
    for (size_t i = 0; i < m->size; i++)
        if (m->slots[i].key != NULL)
            live += m->slots[i].len;
    keys = arena_new(SIZE_MAX);
    at = keys != NULL ? arena_alloc(keys, live) : NULL;
    if (at == NULL) {
        arena_free(keys);
        return;
    }
    for (size_t i = 0; i < m->size; i++) {
        if (m->slots[i].key == NULL)
            continue;
        if (m->slots[i].len != 0)
            memcpy(at, m->slots[i].key, m->slots[i].len);
        m->slots[i].key = at;
        at += m->slots[i].len;
    }
    arena_free(m->keys);
    m->keys = keys;
    m->dead = 0;
}

int
map_put(struct map *m, struct span key, uint64_t value, uint64_t *old)
{
    uint64_t hash = hash_of(m, key);
    size_t i;
    char *copy;

    if (m->size != 0) {
        i = find(m, key, hash);
        if (m->slots[i].key != NULL) {
            if (old != NULL)
                *old = m->slots[i].value;
            m->slots[i].value = value;
            return 0;
        }
    }
    if (m->count >= m->max)
        return -1;
    if (m->count + 1 > m->size / 4 * 3 && enlarge(m) < 0)
        return -1;
    copy = arena_alloc(m->keys, key.n);
    if (copy == NULL)
        return -1;
    if (key.n != 0)
        memcpy(copy, key.p, key.n);
    i = find(m, key, hash);
    m->slots[i] = (struct slot){.hash = hash, .key = copy, .len = key.n, .value = value};
    m->count++;
    return 1;
}

bool
map_del(struct map *m, struct span key)
{
    size_t hole;
    size_t i;

    if (m->count == 0)
        return false;
    hole = find(m, key, hash_of(m, key));
    if (m->slots[hole].key == NULL)
        return false;
    m->dead += (m->slots[hole].len | 15) + 1; /* as the pool rounds, or a little more */
    m->count--;
    /* Whoever stands behind the hole and started at or before it moves into it, and leaves a hole
     * of its own. */
    for (i = (hole + 1) & (m->size - 1); m->slots[i].key != NULL; i = (i + 1) & (m->size - 1)) {
        size_t home = (size_t)m->slots[i].hash & (m->size - 1);

        if (((i - home) & (m->size - 1)) >= ((i - hole) & (m->size - 1))) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct slot){0};
    compact(m);
    return true;
}

bool
map_next(const struct map *m, size_t *at, struct span *key, uint64_t *value)
{
    while (*at < m->size) {
        const struct slot *s = &m->slots[(*at)++];

        if (s->key == NULL)
            continue;
        if (key != NULL)
            *key = span_from(s->key, s->len);
        if (value != NULL)
            *value = s->value;
        return true;
    }
    return false;
}
