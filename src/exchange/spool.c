/*
 * exchange/spool.c - objects that wait within their batch for what they name.
 *
 * A marking that comes last in its bundle must be known before its users are shown to anybody; an
 * edge can only be narrowed once its ends are there.  Each waits for one id at a time.  When that
 * comes it is looked at again, and goes on from the reference where it stopped, so that an order
 * chosen by an enemy costs no more than twice the work.  At the end of the batch what is not in
 * the spool either will not come; what then is left waits for one another in a circle, and is
 * decided by where its partners are expected to go.
 */
#include "batch.h"

#include <stdio.h>

#include "mem.h"

bool
spool_full(const struct batch *b)
{
    return b->spool_bytes > SPOOL_BYTES || b->spool_count > SPOOL_OBJECTS;
}

/* -- lists ----------------------------------------------------------------------------------------
 */

static int
count_id(struct batch *b, const char *id, bool add, struct err *e)
{
    uint64_t n = 0;

    (void)map_get(b->in_spool, span_of(id), &n);
    n = add ? n + 1 : n - 1;
    if (n == 0) {
        map_del(b->in_spool, span_of(id));
        return 0;
    }
    return map_put(b->in_spool, span_of(id), n, NULL) < 0 ? err_set(e, ERR_MEMORY, "out of memory")
                                                          : 0;
}

/* Pointers are kept in a map of numbers. */
static int
wait_for(struct batch *b, struct spooled *s, struct span id, struct err *e)
{
    uint64_t first = 0;

    (void)map_get(b->awaited, id, &first);
    s->chain = (struct spooled *)(uintptr_t)first;
    if (map_put(b->awaited, id, (uint64_t)(uintptr_t)s, NULL) < 0)
        return err_set(e, ERR_MEMORY, "out of memory");
    return 0;
}

/* To the end of a queue. */
static void
append(struct spooled **first, struct spooled **last, struct spooled *s)
{
    s->chain = NULL;
    if (*first == NULL)
        *first = s;
    else
        (*last)->chain = s;
    *last = s;
}

static struct spooled *
take(struct spooled **first)
{
    struct spooled *s = *first;

    if (s != NULL) {
        *first = s->chain;
        s->chain = NULL;
    }
    return s;
}

/* What names much is looked at a few times, and again at the end, or an order chosen by an enemy
 * would have it looked at once for each. */
static void
make_ready(struct batch *b, struct spooled *s)
{
    if (s->put != NULL && s->wakes < SPOOL_WAKES)
        append(&b->soon, &b->soon_last, s);
    else
        append(&b->ready, &b->ready_last, s);
}

void
spool_arrived(struct batch *b, struct span id)
{
    struct spooled *s, *next;
    uint64_t first;

    if (!map_get(b->awaited, id, &first))
        return;
    map_del(b->awaited, id);
    for (s = (struct spooled *)(uintptr_t)first; s != NULL; s = next) {
        next = s->chain;
        make_ready(b, s);
    }
}

static int
remove_one(struct batch *b, struct spooled *s, struct err *e)
{
    int rc = count_id(b, s->id, false, e);

    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        b->spool = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    else
        b->spool_last = s->prev;
    b->spool_bytes -= s->n + sizeof *s;
    b->spool_count--;
    mem_free(s->payload);
    mem_free(s);
    return rc;
}

int
spool_add(struct batch *b, struct span payload, const struct put_block *block,
          const struct intake_result *r, struct putting *put, struct err *e)
{
    struct spooled *s = mem_zero(1, sizeof *s);

    if (s == NULL || (put == NULL && (s->payload = mem_dup(payload.p, payload.n)) == NULL)) {
        mem_free(s);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    s->put = put;
    s->r = put != NULL ? r : NULL;
    s->n = payload.n;
    s->index = r->index;
    s->resume = block->resume;
    s->edge = stix_class_of(r->type) == STIX_SRO;
    snprintf(s->id, sizeof s->id, "%.*s", (int)r->id.n, r->id.p);
    s->prev = b->spool_last;
    if (b->spool_last != NULL)
        b->spool_last->next = s;
    else
        b->spool = s;
    b->spool_last = s;
    b->spool_bytes += s->n + sizeof *s;
    b->spool_count++;
    return count_id(b, s->id, true, e) != 0 || wait_for(b, s, block->id, e) != 0 ? -1 : 0;
}

void
spool_clear(struct batch *b)
{
    struct spooled *s;

    while ((s = b->spool) != NULL) {
        b->spool = s->next;
        mem_free(s->payload);
        mem_free(s);
    }
    b->spool_last = b->ready = b->soon = NULL;
}

/* -- deciding -------------------------------------------------------------------------------------
 */

static int
decide(struct batch *b, struct spooled *s, enum put_when when, enum put_done *done,
       struct put_block *block, struct err *e)
{
    struct arena *a = b->x->commit->arena;
    struct intake_result *r;
    struct putting *p = s->put;

    if (commit_begin(b->x, e) != 0)
        return -1;
    if (p != NULL) {
        b->kept_commit = b->x->commit->serial;
    } else {
        r = arena_zero(a, 1, sizeof *r);
        if (r == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        if (batch_decode(span_from(s->payload, s->n), a, r, e) != 0 ||
            (p = put_new(b->x, b, &b->way, r, a, e)) == NULL)
            return -1;
    }
    return batch_decide(b, s->index, p, when, done, block, e);
}

static int
try_one(struct batch *b, struct spooled *s, enum put_when when, struct err *e)
{
    struct put_block block = {.resume = s->resume};
    struct arena *a = b->x->commit->arena;
    struct arena_mark m = arena_mark(a);
    enum put_done done;

    s->wakes++;
    if (decide(b, s, when, &done, &block, e) != 0)
        return -1;
    if (done == PUT_SPOOL) {
        s->resume = block.resume;
        if (wait_for(b, s, block.id, e) != 0)
            return -1;
        arena_rewind(a, m);
        return 0;
    }
    return remove_one(b, s, e) != 0 ? -1 : commit_maybe(b->x, e);
}

int
spool_soon(struct batch *b, struct err *e)
{
    struct spooled *s;

    while ((s = take(&b->soon)) != NULL) {
        if (try_one(b, s, PUT_NOW, e) != 0)
            return -1;
    }
    return 0;
}

static int
run_ready(struct batch *b, enum put_when when, struct err *e)
{
    struct spooled *s;

    while ((s = take(&b->ready)) != NULL || (s = take(&b->soon)) != NULL) {
        if (try_one(b, s, when, e) != 0)
            return -1;
    }
    return 0;
}

/* All that is left is looked at anew, in the order of the file. */
static void
all_ready(struct batch *b)
{
    map_reset(b->awaited);
    b->ready = b->soon = NULL;
    for (struct spooled *s = b->spool; s != NULL; s = s->next)
        append(&b->ready, &b->ready_last, s);
}

/* What is left waits for one another.  First it is noted where each will go. */
static int
expect_all(struct batch *b, struct err *e)
{
    struct intake_result r;

    for (struct spooled *s = b->spool; s != NULL; s = s->next) {
        if (commit_begin(b->x, e) != 0 ||
            (s->r == NULL &&
             batch_decode(span_from(s->payload, s->n), b->x->commit->arena, &r, e) != 0) ||
            put_expect(b->x, b, s->r != NULL ? s->r : &r, e) != 0 || commit_maybe(b->x, e) != 0)
            return -1;
    }
    return 0;
}

/* Edges last, because they want to know where their ends are. */
static int
force_all(struct batch *b, struct err *e)
{
    map_reset(b->awaited);
    b->ready = b->soon = NULL;
    for (unsigned edges = 0; edges < 2; edges++) {
        struct spooled *s = b->spool, *next;

        for (; s != NULL; s = next) {
            next = s->next;
            if (s->edge != (edges == 1))
                continue;
            if (try_one(b, s, PUT_FINAL, e) != 0)
                return -1;
        }
    }
    return 0;
}

int
spool_run(struct batch *b, bool final, struct err *e)
{
    if (run_ready(b, PUT_NOW, e) != 0)
        return -1;
    if (b->spool == NULL || (!final && !spool_full(b)))
        return 0;
    all_ready(b);
    if (run_ready(b, PUT_LAST, e) != 0)
        return -1;
    if (b->spool == NULL)
        return 0;
    return expect_all(b, e) != 0 || force_all(b, e) != 0 ? -1 : 0;
}
