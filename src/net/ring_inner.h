/* net/ring_inner.h - where things lie in a ring's two memory files; for net itself alone. */
#ifndef JAGA_NET_RING_INNER_H
#define JAGA_NET_RING_INNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "ring.h"

/* Counters run freely through 32 bits and are taken modulo a ring's size, a power of two. */
#define REQUEST_BYTES (128u << 10)     /* the ring of requests: sixteen of the largest */
#define REQUEST_HEAD  8u               /* u32 length, u32 id; records are padded to this */
#define CELLS         RING_PENDING_MAX /* answers that are not read; no more are ever under way */
#define RETURNS       256u             /* slots given back; no less than there are slots */
#define CACHE_LINE    64u

#define PAIR_SLOTS 232u
#define CLASSES    4u

struct ring_class {
    uint32_t size;  /* bytes of body */
    uint32_t count; /* slots */
};

/* Pages of memory exist once they are written to, so what is here is address space.  Counts: as
 * many small and page answers as connections are served at once on a small machine; a large object
 * is rare, and the others wait for a few milliseconds. */
static const struct ring_class ring_classes[CLASSES] = {
    {RING_BODY_SMALL, 128},
    {RING_BODY_PAGE, 96},
    {RING_BODY_LARGE, 6},
    {RING_BODY_MAX, 2},
};

/* What a sleeping side waits for.  A front that reads answers and gives slots back need not wake a
 * reader for that, unless a request waits for a slot. */
enum asleep { AWAKE, FOR_REQUESTS, FOR_SLOTS };

/* Written by the front. */
struct front_memory {
    _Alignas(CACHE_LINE) _Atomic uint32_t request_head; /* bytes ever written */
    _Alignas(CACHE_LINE) _Atomic uint32_t return_head;  /* slots ever given back */
    _Alignas(CACHE_LINE) _Atomic uint32_t answer_tail;  /* answers ever read */
    _Alignas(CACHE_LINE) _Atomic uint32_t asleep;
    _Alignas(4096) _Atomic uint32_t returns[RETURNS];
    _Alignas(4096) unsigned char requests[REQUEST_BYTES];
};

/* One answer. */
struct ring_cell {
    _Atomic uint32_t id;
    _Atomic uint32_t slot;
    _Atomic uint32_t length;
    _Atomic uint16_t status;
    _Atomic uint16_t meta_n;
    unsigned char meta[RING_META_MAX];
};

/* Written by the reader; the slots follow. */
struct reader_memory {
    _Alignas(CACHE_LINE) _Atomic uint32_t answer_head;  /* answers ever written */
    _Alignas(CACHE_LINE) _Atomic uint32_t request_tail; /* bytes ever read */
    _Alignas(CACHE_LINE) _Atomic uint32_t asleep;
    _Alignas(4096) struct ring_cell cells[CELLS];
};

#define SLOTS_AT ((sizeof(struct reader_memory) + 4095u) & ~(size_t)4095u)

/* The class and the place in the answers' file of a slot; index < PAIR_SLOTS. */
unsigned ring_class_of(uint32_t index);
size_t ring_slot_at(uint32_t index);
size_t ring_answers_size(void);

/* Maps a memory file after checking its size; NULL on error. */
void *ring_map(int fd, size_t size, bool writable, struct err *e);
void ring_unmap(void *p, size_t size);

void ring_wake(int eventfd);

#endif
