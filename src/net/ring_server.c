/* The reader's side of a ring. */
#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "mem.h"
#include "ring_inner.h"

#define TURN_US   100 /* then what is answered is shown, and other fronts have their turn */
#define TURN_MAX  64u /* requests in a turn */
#define GIVE_BACK (512u << 10) /* slots larger than this go back to the kernel after use */
#define TRIM_US   (INT64_C(3) * 1000000) /* idle for so long, all free slots do */

enum lent { AT_HOME, TAKEN, LENT };

struct ring_server {
    struct loop *loop;
    struct ring_fds fds;
    const struct ring_server_events *events;
    void *ctx;
    struct loop_hook hook;
    struct loop_watch watch;
    struct loop_timer trim;
    bool active; /* since the timer was set */
    struct reader_memory *own;
    const struct front_memory *theirs;
    uint32_t request_tail, return_tail, answer_head;
    uint32_t published_tail, published_head;
    uint32_t ids[RING_PENDING_MAX]; /* requests taken and not answered, by place */
    bool busy[RING_PENDING_MAX];
    enum lent lent[PAIR_SLOTS];
    bool touched[PAIR_SLOTS]; /* may have pages */
    /* Free slots of each class as a stack: the one used last is the one still in the caches. */
    uint16_t free_slots[PAIR_SLOTS];
    uint32_t class_first[CLASSES], class_free[CLASSES];
    bool stalled; /* a request waits for a slot */
    bool closed, freed;
    unsigned busy_calls; /* callbacks under way: not destroyed before they return */
    unsigned char record[RING_REQUEST_MAX];
};

static void
server_destroy(struct ring_server *s)
{
    ring_unmap(s->own, ring_answers_size());
    ring_unmap((void *)(uintptr_t)s->theirs, sizeof *s->theirs);
    ring_fds_close(&s->fds);
    mem_free(s);
}

static void
broken(struct ring_server *s, const char *text)
{
    struct err e = ERR_INIT;

    if (s->closed)
        return;
    s->closed = true;
    err_set(&e, ERR_PROTOCOL, text);
    s->events->closed(s->ctx, s, &e);
}

/* -- slots -- */

static void
give_back(struct ring_server *s, uint32_t index)
{
    /* On failure the pages stay: a matter of memory, not of truth. */
    if (fallocate(s->fds.answers, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)ring_slot_at(index), (off_t)ring_classes[ring_class_of(index)].size) == 0)
        s->touched[index] = false;
}

static void
slot_home(struct ring_server *s, uint32_t index)
{
    unsigned k = ring_class_of(index);

    s->lent[index] = AT_HOME;
    s->stalled = false;
    if (ring_classes[k].size > GIVE_BACK && s->touched[index])
        give_back(s, index);
    assert(s->class_free[k] < ring_classes[k].count);
    s->free_slots[s->class_first[k] + s->class_free[k]++] = (uint16_t)index;
}

int
ring_slot_take(struct ring_server *s, size_t need, struct ring_slot *out, struct err *e)
{
    unsigned k = 0;

    while (k < CLASSES && ring_classes[k].size < need)
        k++;
    if (k == CLASSES)
        return err_set(e, ERR_LIMIT, "answer too large");
    /* One class up where the fitting one is used up, no further: many small answers must not take
     * the places of the few large ones. */
    for (unsigned up = k; up < CLASSES && up <= k + 1; up++) {
        uint32_t index;

        if (s->class_free[up] == 0)
            continue;
        index = s->free_slots[s->class_first[up] + --s->class_free[up]];
        s->lent[index] = TAKEN;
        s->touched[index] = true;
        *out = (struct ring_slot){.index = index,
                                  .body = (char *)s->own + ring_slot_at(index),
                                  .room = ring_classes[up].size};
        return 0;
    }
    return err_set(e, ERR_BUSY, "no room for an answer now");
}

void
ring_slot_drop(struct ring_server *s, const struct ring_slot *slot)
{
    if (slot->index < PAIR_SLOTS && s->lent[slot->index] == TAKEN)
        slot_home(s, slot->index);
}

/* Takes back what the front has returned; the number, or -1. */
static int
take_returns(struct ring_server *s)
{
    uint32_t n =
        atomic_load_explicit(&s->theirs->return_head, memory_order_acquire) - s->return_tail;

    if (n > PAIR_SLOTS) {
        broken(s, "counters of a ring that cannot be");
        return -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t index = atomic_load_explicit(&s->theirs->returns[s->return_tail++ & (RETURNS - 1)],
                                              memory_order_relaxed);

        if (index >= PAIR_SLOTS || s->lent[index] != LENT) {
            broken(s, "slot given back that was not lent");
            return -1;
        }
        slot_home(s, index);
    }
    return (int)n;
}

/* -- requests -- */

static uint32_t
bytes_waiting(const struct ring_server *s)
{
    return atomic_load_explicit(&s->theirs->request_head, memory_order_acquire) - s->request_tail;
}

/* Copies n bytes that stand at from. */
static void
copy_out(const struct ring_server *s, uint32_t from, void *out, uint32_t n)
{
    uint32_t at = from & (REQUEST_BYTES - 1);
    uint32_t first = n < REQUEST_BYTES - at ? n : REQUEST_BYTES - at;

    memcpy(out, s->theirs->requests + at, first);
    memcpy((char *)out + first, s->theirs->requests, n - first);
}

/* Takes one request out of the waiting bytes; false when it must wait or the ring broke. */
static bool
take_request(struct ring_server *s, uint32_t waiting)
{
    uint32_t head[2], padded, place;
    enum ring_took took;

    if (waiting < REQUEST_HEAD) {
        broken(s, "half a request");
        return false;
    }
    copy_out(s, s->request_tail, head, sizeof head);
    if (head[0] == 0 || head[0] > RING_REQUEST_MAX) {
        broken(s, "request of impossible length");
        return false;
    }
    padded = (REQUEST_HEAD + head[0] + REQUEST_HEAD - 1) & ~(REQUEST_HEAD - 1);
    if (padded > waiting) {
        broken(s, "half a request");
        return false;
    }
    place = head[1] & (RING_PENDING_MAX - 1);
    if (s->busy[place]) {
        broken(s, "request under an id that is in use");
        return false;
    }
    copy_out(s, s->request_tail + REQUEST_HEAD, s->record, head[0]);
    s->busy[place] = true;
    s->ids[place] = head[1];
    took = s->events->request(s->ctx, s, head[1], span_from(s->record, head[0]));
    if (took == RING_WAIT) {
        s->busy[place] = false;
        s->stalled = true;
        return false;
    }
    s->request_tail += padded;
    return !s->closed;
}

/* Takes what is there now and nothing that comes meanwhile: see begin in ring.h.  True: there may
 * be time for more. */
static bool
take_batch(struct ring_server *s, uint32_t waiting, unsigned *n, struct mono from)
{
    bool more = true;

    if (s->events->begin != NULL)
        s->events->begin(s->ctx, s);
    while (more && waiting > 0) {
        uint32_t before = s->request_tail;

        more = take_request(s, waiting) && ++*n < TURN_MAX && clock_mono().us - from.us < TURN_US;
        waiting -= s->request_tail - before;
    }
    if (s->events->begin != NULL && !s->freed)
        s->events->end(s->ctx, s);
    return more;
}

static void
take_requests(struct ring_server *s)
{
    struct mono from = clock_mono();
    unsigned n = 0;
    bool more = true;

    while (more && !s->closed) {
        uint32_t waiting = bytes_waiting(s);

        if (waiting == 0)
            break;
        if (waiting > REQUEST_BYTES) {
            broken(s, "counters of a ring that cannot be");
            break;
        }
        more = take_batch(s, waiting, &n, from);
    }
}

/* -- answers -- */

int
ring_reply(struct ring_server *s, uint32_t id, uint16_t status, struct span meta,
           const struct ring_slot *slot, size_t n, struct err *e)
{
    uint32_t place = id & (RING_PENDING_MAX - 1);
    struct ring_cell *cell = &s->own->cells[s->answer_head & (CELLS - 1)];
    uint32_t unread;

    if (meta.n > RING_META_MAX || (slot == NULL && n > 0) || (slot != NULL && n > slot->room))
        return err_set(e, ERR_LIMIT, "answer larger than its place");
    if (!s->busy[place] || s->ids[place] != id ||
        (slot != NULL && (slot->index >= PAIR_SLOTS || s->lent[slot->index] != TAKEN)))
        return err_set(e, ERR_CONFLICT, "answer to nothing that was asked");
    unread = s->answer_head - atomic_load_explicit(&s->theirs->answer_tail, memory_order_acquire);
    if (unread >= CELLS) {
        /* A front that keeps to the rules has no more requests under way than there are cells. */
        return err_set(e, ERR_CONFLICT, "the front does not read its answers");
    }
    atomic_store_explicit(&cell->id, id, memory_order_relaxed);
    atomic_store_explicit(&cell->slot, slot != NULL ? slot->index : RING_NO_SLOT,
                          memory_order_relaxed);
    atomic_store_explicit(&cell->length, (uint32_t)n, memory_order_relaxed);
    atomic_store_explicit(&cell->status, status, memory_order_relaxed);
    atomic_store_explicit(&cell->meta_n, (uint16_t)meta.n, memory_order_relaxed);
    if (meta.n > 0)
        memcpy(cell->meta, meta.p, meta.n);
    s->answer_head++;
    s->busy[place] = false;
    if (slot != NULL)
        s->lent[slot->index] = LENT;
    return 0;
}

/* -- the loop -- */

static bool
has_work(const struct ring_server *s)
{
    if (s->stalled)
        return atomic_load_explicit(&s->theirs->return_head, memory_order_acquire) !=
               s->return_tail;
    return bytes_waiting(s) != 0;
}

static bool
before_wait(void *ctx)
{
    struct ring_server *s = ctx;

    if (s->answer_head != s->published_head || s->request_tail != s->published_tail) {
        atomic_store_explicit(&s->own->request_tail, s->request_tail, memory_order_release);
        atomic_store_explicit(&s->own->answer_head, s->answer_head, memory_order_release);
        s->published_tail = s->request_tail;
        s->published_head = s->answer_head;
        atomic_thread_fence(memory_order_seq_cst); /* as in the front's publish */
        if (atomic_load_explicit(&s->theirs->asleep, memory_order_relaxed) != AWAKE)
            ring_wake(s->fds.wake_front);
    }
    return !s->closed && has_work(s);
}

static bool
about_to_sleep(void *ctx)
{
    struct ring_server *s = ctx;

    if (s->closed)
        return false;
    atomic_store_explicit(&s->own->asleep, s->stalled ? FOR_SLOTS : FOR_REQUESTS,
                          memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    return has_work(s);
}

static void
on_trim(void *ctx)
{
    struct ring_server *s = ctx;
    bool out = false;

    if (s->active) {
        s->active = false;
        loop_timer_set(s->loop, &s->trim, TRIM_US, on_trim, s);
        return;
    }
    if (s->closed || take_returns(s) < 0)
        return;
    for (uint32_t i = 0; i < PAIR_SLOTS; i++) {
        if (s->touched[i] && s->lent[i] == AT_HOME)
            give_back(s, i);
        out = out || s->lent[i] != AT_HOME;
    }
    if (out) /* something is still being sent: look again */
        loop_timer_set(s->loop, &s->trim, TRIM_US, on_trim, s);
}

static void
after_wait(void *ctx)
{
    struct ring_server *s = ctx;
    int back;

    if (s->closed)
        return;
    atomic_store_explicit(&s->own->asleep, AWAKE, memory_order_relaxed);
    s->busy_calls++;
    back = take_returns(s);
    if (!s->closed && (back > 0 || bytes_waiting(s) != 0)) {
        s->active = true;
        if (s->trim.loop == NULL)
            loop_timer_set(s->loop, &s->trim, TRIM_US, on_trim, s);
        if (!s->stalled)
            take_requests(s);
    }
    s->busy_calls--;
    if (s->freed)
        server_destroy(s);
}

/* Waking is all; the counters say what there is.  The event's own count is never read: each write
 * is an edge, and it could be written for centuries before it is full. */
static void
on_wake(void *ctx, unsigned events)
{
    (void)ctx;
    (void)events;
}

/* -- life -- */

struct ring_server *
ring_server_new(struct loop *l, struct ring_fds *fds, const struct ring_server_events *events,
                void *ctx, struct err *e)
{
    struct ring_server *s = mem_zero(1, sizeof *s);
    uint32_t first = 0;

    if (s == NULL) {
        err_set(e, ERR_MEMORY, "no memory for a ring");
        ring_fds_close(fds);
        return NULL;
    }
    s->fds = *fds;
    *fds = RING_FDS_NONE;
    s->loop = l;
    s->events = events;
    s->ctx = ctx;
    for (unsigned k = 0; k < CLASSES; k++) {
        s->class_first[k] = first;
        s->class_free[k] = ring_classes[k].count;
        for (uint32_t i = 0; i < ring_classes[k].count; i++) /* the lowest on top */
            s->free_slots[first + i] = (uint16_t)(first + ring_classes[k].count - 1 - i);
        first += ring_classes[k].count;
    }
    assert(first == PAIR_SLOTS);
    s->own = ring_map(s->fds.answers, ring_answers_size(), true, e);
    if (s->own != NULL)
        s->theirs = ring_map(s->fds.requests, sizeof *s->theirs, false, e);
    if (s->theirs == NULL || loop_watch_start(l, &s->watch, s->fds.wake_reader,
                                              LOOP_READ | LOOP_EDGE, on_wake, s, e) < 0) {
        ring_server_free(s);
        return NULL;
    }
    loop_hook_start(l, &s->hook, before_wait, about_to_sleep, after_wait, s);
    return s;
}

void
ring_server_free(struct ring_server *s)
{
    if (s == NULL)
        return;
    loop_hook_stop(&s->hook);
    loop_watch_stop(&s->watch);
    loop_timer_stop(&s->trim);
    s->closed = true;
    s->freed = true;
    if (s->busy_calls == 0)
        server_destroy(s);
}
