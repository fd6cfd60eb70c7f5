/* The front's side of a ring. */
#include <assert.h>
#include <string.h>
#include "clock.h"
#include "mem.h"
#include "ring_inner.h"

#define ID_INDEX (RING_PENDING_MAX - 1u) /* bits of an id that are its place in the table */

#define SPIN_US                                                                                    \
    20 /* sooner than two processes fall asleep and wake: small answers come so fast               \
        */
#define SPIN_MISSES                                                                                \
    4u                 /* in a row, then it is not worth it (long answers, a busy or single core)  \
                        */
#define SPIN_PAUSE 64u /* sleeps before it is tried again */

enum use { FREE, ASKED, CANCELLED };

struct asked {
    uint32_t id;
    enum use use;
    void *tag;
    uint32_t next_free;
};

struct ring_client {
    struct loop *loop;
    struct ring_fds fds;
    const struct ring_client_events *events;
    void *ctx;
    struct loop_hook hook;
    struct loop_watch watch;
    struct loop_defer failing;
    struct front_memory *own;
    const struct reader_memory *theirs;
    /* Our own counters, never read back from where the reader could see us look. */
    uint32_t request_head, return_head, answer_tail;
    uint32_t published_head, published_return, published_tail;
    struct asked asked[RING_PENDING_MAX];
    uint32_t free_first; /* of asked; RING_PENDING_MAX: none */
    unsigned pending;
    bool held[PAIR_SLOTS];
    unsigned n_held, class_held[CLASSES];
    unsigned spin_misses, spin_pause;
    bool wants_room;
    bool closed, freed;
    unsigned busy; /* callbacks under way: not destroyed before they return */
    unsigned char meta[RING_META_MAX];
};

static void client_destroy(struct ring_client *c);

/* -- sleeping and waking -- */

static uint32_t
answers_waiting(const struct ring_client *c)
{
    return atomic_load_explicit(&c->theirs->answer_head, memory_order_acquire) - c->answer_tail;
}

/* Shows the reader what this round has written. */
static void
publish(struct ring_client *c)
{
    bool asked = c->request_head != c->published_head;
    bool returned = c->return_head != c->published_return;
    uint32_t asleep;

    if (c->answer_tail != c->published_tail) {
        atomic_store_explicit(&c->own->answer_tail, c->answer_tail, memory_order_release);
        c->published_tail = c->answer_tail;
    }
    if (!asked && !returned)
        return;
    atomic_store_explicit(&c->own->return_head, c->return_head, memory_order_release);
    atomic_store_explicit(&c->own->request_head, c->request_head, memory_order_release);
    c->published_return = c->return_head;
    c->published_head = c->request_head;
    /* The reader sets its flag, then looks at our counters; we write them, then look at its flag.
     * With a full fence between the two on either side, one of us sees the other. */
    atomic_thread_fence(memory_order_seq_cst);
    asleep = atomic_load_explicit(&c->theirs->asleep, memory_order_relaxed);
    if ((asleep == FOR_REQUESTS && asked) || (asleep == FOR_SLOTS && returned))
        ring_wake(c->fds.wake_reader);
}

static bool
before_wait(void *ctx)
{
    struct ring_client *c = ctx;

    publish(c);
    return !c->closed && answers_waiting(c) != 0;
}

/* Waits awake for a moment; true: an answer is there.  Only while nothing else is to be done. */
static bool
spin(struct ring_client *c)
{
    struct mono from;

    if (c->spin_pause > 0) {
        c->spin_pause--;
        return false;
    }
    from = clock_mono();
    do {
        if (answers_waiting(c) != 0) {
            c->spin_misses = 0;
            return true;
        }
    } while (clock_mono().us - from.us < SPIN_US);
    if (++c->spin_misses >= SPIN_MISSES) {
        c->spin_misses = 0;
        c->spin_pause = SPIN_PAUSE;
    }
    return false;
}

static bool
about_to_sleep(void *ctx)
{
    struct ring_client *c = ctx;

    if (c->closed)
        return false;
    if (c->pending > 0 && spin(c))
        return true;
    atomic_store_explicit(&c->own->asleep, FOR_REQUESTS, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    return answers_waiting(c) != 0;
}

/* Waking is all; the counters say what there is.  The event's own count is never read: each write
 * is an edge, and it could be written for centuries before it is full. */
static void
on_wake(void *ctx, unsigned events)
{
    (void)ctx;
    (void)events;
}

/* -- answers -- */

static void
client_close(struct ring_client *c, const struct err *why)
{
    if (c->closed)
        return;
    c->closed = true;
    for (uint32_t i = 0; i < RING_PENDING_MAX && !c->freed; i++) {
        struct asked *a = &c->asked[i];
        enum use was = a->use;

        a->use = FREE;
        if (was == ASKED)
            c->events->lost(c->ctx, a->tag);
    }
    c->pending = 0;
    if (!c->freed)
        c->events->closed(c->ctx, why);
}

/* Ends a stretch of callbacks, inside which ring_client_free may have been called. */
static void
leave(struct ring_client *c)
{
    c->busy--;
    if (c->freed && c->busy == 0 && c->n_held == 0)
        client_destroy(c);
}

static void
broken(struct ring_client *c, const char *text)
{
    struct err e = ERR_INIT;

    err_set(&e, ERR_PROTOCOL, text);
    client_close(c, &e);
}

static void
forget(struct ring_client *c, struct asked *a)
{
    a->use = FREE;
    a->id += RING_PENDING_MAX; /* the same place, another id: an old answer fits no more */
    a->next_free = c->free_first;
    c->free_first = a->id & ID_INDEX;
    c->pending--;
}

/* Takes one answer.  The cell is read once, field by field; what is checked is our copy. */
static void
take_answer(struct ring_client *c)
{
    const struct ring_cell *cell = &c->theirs->cells[c->answer_tail & (CELLS - 1)];
    uint32_t id = atomic_load_explicit(&cell->id, memory_order_relaxed);
    uint32_t slot = atomic_load_explicit(&cell->slot, memory_order_relaxed);
    uint32_t length = atomic_load_explicit(&cell->length, memory_order_relaxed);
    uint16_t status = atomic_load_explicit(&cell->status, memory_order_relaxed);
    uint16_t meta_n = atomic_load_explicit(&cell->meta_n, memory_order_relaxed);
    struct asked *asked = &c->asked[id & ID_INDEX];
    struct ring_answer a;
    bool wanted;

    c->answer_tail++;
    if (asked->use == FREE || asked->id != id) {
        broken(c, "answer to nothing that was asked");
        return;
    }
    if (meta_n > RING_META_MAX || (slot == RING_NO_SLOT && length != 0)) {
        broken(c, "malformed answer");
        return;
    }
    if (slot != RING_NO_SLOT &&
        (slot >= PAIR_SLOTS || c->held[slot] || length > ring_classes[ring_class_of(slot)].size)) {
        broken(c, "answer in a slot that cannot be");
        return;
    }
    if (slot != RING_NO_SLOT) {
        c->held[slot] = true;
        c->n_held++;
        c->class_held[ring_class_of(slot)]++;
    }
    memcpy(c->meta, cell->meta, meta_n);
    a = (struct ring_answer){
        .tag = asked->tag, .status = status, .meta = span_from(c->meta, meta_n), .slot = slot};
    if (slot != RING_NO_SLOT)
        a.body = span_from((const char *)c->theirs + ring_slot_at(slot), length);
    wanted = asked->use == ASKED;
    forget(c, asked);
    if (wanted)
        c->events->answer(c->ctx, &a);
    else
        ring_release(c, slot);
}

/* Room for one more of the largest, as the reader's counter tells; UINT32_MAX: it lies. */
static uint32_t
used_bytes(const struct ring_client *c)
{
    uint32_t used =
        c->request_head - atomic_load_explicit(&c->theirs->request_tail, memory_order_acquire);

    return used > REQUEST_BYTES ? UINT32_MAX : used;
}

static void
after_wait(void *ctx)
{
    struct ring_client *c = ctx;
    uint32_t n;

    if (c->closed)
        return;
    atomic_store_explicit(&c->own->asleep, AWAKE, memory_order_relaxed);
    n = answers_waiting(c);
    c->busy++;
    if (n > CELLS || used_bytes(c) == UINT32_MAX)
        broken(c, "counters of a ring that cannot be");
    while (n-- > 0 && !c->closed && !c->freed)
        take_answer(c);
    if (c->wants_room && !c->closed && !c->freed && c->pending < RING_PENDING_MAX / 2 &&
        used_bytes(c) <= REQUEST_BYTES / 2) {
        c->wants_room = false;
        c->events->room(c->ctx);
    }
    leave(c);
}

/* -- asking -- */

static void
write_bytes(struct ring_client *c, const void *p, uint32_t n)
{
    uint32_t at = c->request_head & (REQUEST_BYTES - 1);
    uint32_t first = n < REQUEST_BYTES - at ? n : REQUEST_BYTES - at;

    memcpy(c->own->requests + at, p, first);
    memcpy(c->own->requests, (const char *)p + first, n - first);
    c->request_head += n;
}

static int
no_room(struct ring_client *c, struct err *e)
{
    c->wants_room = c->events->room != NULL;
    return err_set(e, ERR_BUSY, "too many requests are under way");
}

int
ring_ask(struct ring_client *c, const struct span *parts, size_t n, void *tag, uint32_t *id,
         struct err *e)
{
    size_t total = 0;
    uint32_t padded, used, head[2];
    struct asked *a;

    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > RING_REQUEST_MAX || total + parts[i].n > RING_REQUEST_MAX)
            return err_set(e, ERR_LIMIT, "request too long");
        total += parts[i].n;
    }
    if (total == 0)
        return err_set(e, ERR_LIMIT, "request without bytes");
    if (c->closed)
        return err_set(e, ERR_CONFLICT, "the reader is gone");
    padded = (REQUEST_HEAD + (uint32_t)total + REQUEST_HEAD - 1) & ~(REQUEST_HEAD - 1);
    used = used_bytes(c); /* a lie is told after the wait; here it is a full ring */
    if (c->free_first == RING_PENDING_MAX || used > REQUEST_BYTES - padded)
        return no_room(c, e);
    a = &c->asked[c->free_first];
    c->free_first = a->next_free;
    a->use = ASKED;
    a->tag = tag;
    c->pending++;
    head[0] = (uint32_t)total;
    head[1] = a->id;
    write_bytes(c, head, sizeof head);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            write_bytes(c, parts[i].p, (uint32_t)parts[i].n);
    }
    c->request_head += padded - REQUEST_HEAD - (uint32_t)total;
    *id = a->id;
    return 0;
}

void
ring_cancel(struct ring_client *c, uint32_t id)
{
    struct asked *a = &c->asked[id & ID_INDEX];

    if (a->use == ASKED && a->id == id)
        a->use = CANCELLED;
}

void
ring_release(struct ring_client *c, uint32_t slot)
{
    if (slot >= PAIR_SLOTS || !c->held[slot])
        return;
    c->held[slot] = false;
    c->n_held--;
    c->class_held[ring_class_of(slot)]--;
    atomic_store_explicit(&c->own->returns[c->return_head & (RETURNS - 1)], slot,
                          memory_order_relaxed);
    c->return_head++;
    if (c->freed && c->busy == 0 && c->n_held == 0)
        client_destroy(c);
}

unsigned
ring_pending(const struct ring_client *c)
{
    return c->pending;
}

bool
ring_scarce(const struct ring_client *c, uint32_t slot)
{
    unsigned k;

    if (slot >= PAIR_SLOTS)
        return false;
    k = ring_class_of(slot);
    return c->class_held[k] > ring_classes[k].count / 2;
}

/* -- life -- */

static void
client_destroy(struct ring_client *c)
{
    ring_unmap(c->own, sizeof *c->own);
    ring_unmap((void *)(uintptr_t)c->theirs, ring_answers_size());
    ring_fds_close(&c->fds);
    mem_free(c);
}

static void
on_failing(void *ctx)
{
    struct ring_client *c = ctx;
    struct err e = ERR_INIT;

    err_set(&e, ERR_IO, "the reader has ended");
    c->busy++;
    client_close(c, &e);
    leave(c);
}

void
ring_client_fail(struct ring_client *c)
{
    loop_defer(c->loop, &c->failing, on_failing, c);
}

struct ring_client *
ring_client_new(struct loop *l, struct ring_fds *fds, const struct ring_client_events *events,
                void *ctx, struct err *e)
{
    struct ring_client *c = mem_zero(1, sizeof *c);

    if (c == NULL) {
        err_set(e, ERR_MEMORY, "no memory for a ring");
        ring_fds_close(fds);
        return NULL;
    }
    c->fds = *fds;
    *fds = RING_FDS_NONE;
    c->loop = l;
    c->events = events;
    c->ctx = ctx;
    for (uint32_t i = 0; i < RING_PENDING_MAX; i++) {
        c->asked[i].id = i;
        c->asked[i].next_free = i + 1;
    }
    c->own = ring_map(c->fds.requests, sizeof *c->own, true, e);
    if (c->own != NULL)
        c->theirs = ring_map(c->fds.answers, ring_answers_size(), false, e);
    if (c->theirs == NULL || loop_watch_start(l, &c->watch, c->fds.wake_front,
                                              LOOP_READ | LOOP_EDGE, on_wake, c, e) < 0) {
        client_destroy(c);
        return NULL;
    }
    loop_hook_start(l, &c->hook, before_wait, about_to_sleep, after_wait, c);
    return c;
}

void
ring_client_free(struct ring_client *c)
{
    if (c == NULL)
        return;
    loop_hook_stop(&c->hook);
    loop_watch_stop(&c->watch);
    loop_defer_stop(&c->failing);
    c->freed = true;
    c->closed = true;
    if (c->busy == 0 && c->n_held == 0)
        client_destroy(c);
}
