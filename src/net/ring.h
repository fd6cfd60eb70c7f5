/*
 * net/ring.h - requests and answers between a front and a reader over shared memory.
 *
 * A pair has two memory files.  In the first the front writes: a ring of bytes with requests, and a
 * ring of the answer slots it gives back.  In the second the reader writes: a ring of answer
 * descriptors, and the slots with the answers themselves.  Each side gets the other's file by a
 * descriptor that is open for reading only, so it can neither map it writable nor turn a mapping
 * into a writable one; the size of both is sealed.  (Not F_SEAL_FUTURE_WRITE: it would also forbid
 * the owner to give pages back to the kernel.)
 *
 *     front  -- requests, slots given back -->  reader
 *     front  <-- descriptors, slots ----------  reader
 *
 * Either side treats the other as taken over: counters are bounded, records are copied before they
 * are looked at, indices, lengths and ids are checked, nothing of one's own is ever read back from
 * shared memory.  What breaks that ends the pair (closed), and the parent makes a new one.
 *
 * What is written is published once for each round of the loop, and the other side is woken by its
 * eventfd only if it says that it sleeps.
 *
 * Large slots are given back to the kernel after use, others when the pair has been idle for some
 * seconds, so idle pairs cost next to no memory.
 */
#ifndef JAGA_NET_RING_H
#define JAGA_NET_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "loop.h"
#include "span.h"

#define RING_REQUEST_MAX (8u << 10)   /* bytes of one request */
#define RING_META_MAX    512u         /* bytes of an answer's meta part: headers and the like */
#define RING_PENDING_MAX 512u         /* requests under way in one pair */
#define RING_BODY_SMALL  (8u << 10)   /* bytes of body that a small slot holds: one object */
#define RING_BODY_PAGE   (256u << 10) /* ... a page; readers end pages before this */
#define RING_BODY_LARGE  (2u << 20)   /* ... a large object */
#define RING_BODY_MAX    (17u << 20)  /* ... one object of 16 MiB in its envelope */

/* One side's descriptors of a pair.  The parent makes both sets and hands each side its own. */
struct ring_fds {
    int requests;    /* memory file: writable for the front, readable for the reader */
    int answers;     /* memory file: the other way round */
    int wake_front;  /* eventfd */
    int wake_reader; /* eventfd */
};

#define RING_FDS_NONE ((struct ring_fds){-1, -1, -1, -1})

/* All close-on-exec.  Needs /proc.  On failure both are RING_FDS_NONE. */
int ring_create(struct ring_fds *front, struct ring_fds *reader, struct err *e);
void ring_fds_close(struct ring_fds *fds); /* closes what is >= 0, sets -1 */

/* -- front -- */

struct ring_client;

struct ring_answer {
    void *tag;        /* as given to ring_ask */
    uint16_t status;  /* the application's */
    struct span meta; /* a copy, valid during the call */
    struct span body; /* in shared memory: valid until ring_release; may change under a hostile
                         reader, so pass it on, do not parse it */
    uint32_t slot;    /* for ring_release; RING_NO_SLOT where the body is empty */
};
#define RING_NO_SLOT UINT32_MAX

struct ring_client_events {
    void (*answer)(void *ctx, const struct ring_answer *a); /* one for each request not cancelled */
    void (*room)(void *ctx); /* requests can be made again after ERR_BUSY; may be NULL */
    /* The reader broke the rules, or ring_client_fail was called: each request under way comes
     * back through lost, then closed comes once.  Slots that are held stay readable. */
    void (*lost)(void *ctx, void *tag);
    void (*closed)(void *ctx, const struct err *why);
};

/* Takes over the descriptors (given, also on failure: closed, set to -1).  events and ctx are
 * borrowed. */
struct ring_client *ring_client_new(struct loop *l, struct ring_fds *fds,
                                    const struct ring_client_events *events, void *ctx,
                                    struct err *e);
/* Also when requests are under way (nothing is called back), and from inside its callbacks.  Slots
 * that are still held stay readable until they are released; nothing but ring_release may be called
 * from then on. */
void ring_client_free(struct ring_client *c);
/* The parent says that the reader has ended: as if it had broken the rules, in the next round. */
void ring_client_fail(struct ring_client *c);

/* Asks: the record is the parts one after the other.  ERR_BUSY: ring full or RING_PENDING_MAX
 * under way (room tells when to come again); ERR_LIMIT: record over RING_REQUEST_MAX or empty;
 * ERR_CONFLICT: the pair is closed.  *id is for ring_cancel. */
int ring_ask(struct ring_client *c, const struct span *parts, size_t n, void *tag, uint32_t *id,
             struct err *e);
void ring_cancel(struct ring_client *c, uint32_t id); /* its answer will be dropped */
/* Gives an answer's slot back, once; RING_NO_SLOT does nothing. */
void ring_release(struct ring_client *c, uint32_t slot);
unsigned ring_pending(const struct ring_client *c);
/* True when this front holds more than half the slots of this slot's class: whoever may be slow
 * to send should copy the body and release the slot, so that slow readers cannot hold up all. */
bool ring_scarce(const struct ring_client *c, uint32_t slot);

/* -- reader -- */

struct ring_server;

enum ring_took {
    RING_TOOK, /* the request is answered, or will be */
    RING_WAIT  /* no slot was free: bring it again when one comes back; all behind it wait too */
};

struct ring_server_events {
    /* A request; record is a private copy, valid during the call.  ring_reply may be called from
     * inside, or later. */
    enum ring_took (*request)(void *ctx, struct ring_server *s, uint32_t id, struct span record);
    /* Around requests that were all there before begin: one look at what is stored may serve them
     * all, since whatever was acknowledged before one of them was sent is older than begin.  What
     * arrives later comes between another begin and end.  Both or neither; may be NULL; end does
     * not come where ring_server_free was called in between. */
    void (*begin)(void *ctx, struct ring_server *s);
    void (*end)(void *ctx, struct ring_server *s);
    /* The front broke the rules; no more will come. */
    void (*closed)(void *ctx, struct ring_server *s, const struct err *why);
};

struct ring_slot {
    uint32_t index;
    char *body; /* room bytes to fill (buf_init_fixed) */
    size_t room;
};

/* Takes over the descriptors (given, also on failure: closed, set to -1). */
struct ring_server *ring_server_new(struct loop *l, struct ring_fds *fds,
                                    const struct ring_server_events *events, void *ctx,
                                    struct err *e);
void ring_server_free(struct ring_server *s); /* also from inside its callbacks */

/* A free slot whose body holds at least need bytes, from the smallest class that has one.
 * ERR_BUSY: none is free now; ERR_LIMIT: need is over RING_BODY_MAX. */
int ring_slot_take(struct ring_server *s, size_t need, struct ring_slot *out, struct err *e);
void ring_slot_drop(struct ring_server *s, const struct ring_slot *slot);

/* Answers a request once.  With a slot: the first n bytes of its body (the slot is lent to the
 * front then).  Without (NULL): no body.  meta of at most RING_META_MAX bytes is copied, with
 * or without a slot.  -1: ERR_LIMIT, ERR_CONFLICT (unknown id or answered), and the slot
 * stays the caller's. */
int ring_reply(struct ring_server *s, uint32_t id, uint16_t status, struct span meta,
               const struct ring_slot *slot, size_t n, struct err *e);

#endif
