/*
 * sync/replica.h - what one node holds, as the protocol sees it: a table of functions.
 *
 * Exchange fills it over the store, the model check with arrays.  The protocol decides what may be
 * shown and what may be taken; a replica decides nothing, it only says what stands and keeps what
 * it is given.  Reads see one moment; what one answer changes is kept in one transaction, so that a
 * cut anywhere leaves a page whole or not there.
 *
 * Functions return 0 or -1 with e filled, those that look something up 1 (there) or 0 (not).  Spans
 * that are given out live in the arena that is passed, or until the next call.
 */
#ifndef JAGA_SYNC_REPLICA_H
#define JAGA_SYNC_REPLICA_H

#include "head.h"
#include "membership.h"
#include "wire.h"

#define SYNC_PAGE (1u << 20) /* bytes: a second on a line of 8 Mbit/s */

/* One publisher's entries for one audience, as far as they are held here. */
struct sync_stream {
    struct hash id;
    struct stream_name name;
    struct head head;              /* signed by the publisher; every entry held is proven in it */
    uint64_t have;                 /* entries held, from 0; at most head.size */
    struct hash root;              /* of those */
    const struct sync_link *links; /* have -> head.size, where have is less */
    size_t link_n;
    uint64_t settled;   /* entries whose body is held, or which are erased: rises as bodies come */
    bool frozen;        /* two histories are known: nothing is taken beyond what both share */
    uint64_t frozen_at; /* ... which is so many entries */
    struct span evidence; /* ... with which anybody can see it (struct sync_evidence) */
};

/* What is offered beside heads. */
struct sync_control {
    enum sync_kind kind; /* REGION to RECEIPT */
    struct span name;    /* its own among those of its kind */
    struct span content;
    struct stream_name audience; /* CIRCLE, OUT: group and generation; the rest is not looked at */
    struct hash stream;          /* ERASE, RECEIPT */
    uint64_t index;              /* ERASE */
    struct uuid member;          /* OUT: who is out; RECEIPT, ERASE: the publisher */
};

/* A peer's offer of a stream, as the client keeps it. */
struct sync_offered {
    struct sync_key key;
    struct stream_name name;
    struct hash stream;
    struct head head;
    uint64_t have, settled;
    uint64_t asked; /* settled when owed bodies were asked of this peer last */
    bool refused;   /* what comes next may not be taken: not asked for again before it changes */
};

typedef int sync_stream_fn(void *ctx, const struct sync_stream *s, struct err *e);
typedef int sync_control_fn(void *ctx, const struct sync_control *c, struct err *e);
typedef int sync_offered_fn(void *ctx, const struct sync_offered *o, struct err *e);

struct replica {
    void *ctx;
    struct uuid me;
    uint32_t page_bytes; /* asked for at once, so that a cut line repeats no more; 0: SYNC_PAGE */

    /* -- what stands -- */
    bool (*recovering)(void *ctx);
    uint64_t (*changes)(void *ctx);                   /* rises with whatever an offer depends on */
    void (*epoch)(void *ctx, struct sync_epoch *out); /* another after each restore */
    int (*streams)(void *ctx, sync_stream_fn *fn, void *arg, struct arena *a, struct err *e);
    int (*stream)(void *ctx, const struct hash *id, struct arena *a, struct sync_stream *out,
                  struct err *e);
    int (*leaves)(void *ctx, const struct hash *id, struct merkle_source *out, struct err *e);
    int (*entry)(void *ctx, const struct hash *id, uint64_t i, bool body, struct arena *a,
                 struct sync_entry *out, struct err *e);
    int (*controls)(void *ctx, sync_control_fn *fn, void *arg, struct arena *a, struct err *e);
    /* Of a member of the region, now or once; 0: never one. */
    int (*standing)(void *ctx, const struct stream_name *audience, const struct uuid *member,
                    struct member_standing *out, struct err *e);
    bool (*in_region)(void *ctx, const struct uuid *member); /* now */
    int (*key_of)(void *ctx, const struct uuid *member, struct sign_public *out, struct err *e);
    /* Where a version that removes its publisher ends a stream; 0: nothing does. */
    int (*final)(void *ctx, const struct hash *stream, uint64_t *size, struct err *e);
    /* How much of a stream a member has acknowledged; 0: nothing is known. */
    int (*receipt)(void *ctx, const struct hash *stream, const struct uuid *member, uint64_t *size,
                   struct err *e);

    /* -- what is known of a peer -- */
    int (*peer)(void *ctx, const struct uuid *peer, struct sync_epoch *epoch, uint64_t *cursor,
                struct hash *digest, struct err *e); /* digest of its mirror */
    int (*mirror_keys)(void *ctx, const struct uuid *peer, struct arena *a, struct sync_pair **out,
                       size_t *n, struct err *e); /* sorted */
    int (*offered)(void *ctx, const struct uuid *peer, sync_offered_fn *fn, void *arg,
                   struct arena *a, struct err *e);
    int (*owed)(void *ctx, const struct hash *stream, size_t max, struct arena *a, uint64_t **out,
                size_t *n, struct err *e); /* ascending: bodies wanted and not held */
    uint32_t (*region_version)(void *ctx);

    /* -- what is taken; between begin and commit, or undo -- */
    int (*begin)(void *ctx, struct err *e);
    int (*commit)(void *ctx, struct err *e);
    void (*undo)(void *ctx);
    /* A control item: checked there by its signatures and what is known.  1: new, 0: known, -1. */
    int (*take_control)(void *ctx, enum sync_kind kind, const struct uuid *from,
                        struct span content, struct err *e);
    int (*take_offered)(void *ctx, const struct uuid *peer, const struct sync_offered *o,
                        struct err *e);
    int (*drop_offered)(void *ctx, const struct uuid *peer, const struct sync_key *key,
                        struct err *e);
    int (*take_mirror)(void *ctx, const struct uuid *peer, const struct sync_key *key,
                       const struct sync_print *print, struct err *e); /* print NULL: gone */
    int (*take_peer)(void *ctx, const struct uuid *peer, const struct sync_epoch *epoch,
                     uint64_t cursor, struct err *e);
    int (*take_asked)(void *ctx, const struct uuid *peer, const struct hash *stream,
                      uint64_t settled, struct err *e);
    int (*take_refused)(void *ctx, const struct uuid *peer, const struct hash *stream,
                        struct err *e);
    /* Entries from have on; afterwards the stream stands as *s says.  It is made where it is new.
     */
    int (*take_page)(void *ctx, const struct sync_stream *s, const struct sync_entry *entries,
                     size_t n, struct err *e);
    int (*take_body)(void *ctx, const struct hash *stream, uint64_t index, struct span bytes,
                     struct err *e); /* 1 taken, 0 not owed or not its body */
    /* Two histories: the stream stops at what both share. */
    int (*take_fork)(void *ctx, const struct stream_name *name, uint64_t common,
                     struct span evidence, struct err *e);
    /* A peer sent what it may not, or what is not true: for people, with its proof. */
    int (*accuse)(void *ctx, const struct uuid *peer, const char *why, struct span evidence,
                  struct err *e);
};

/* How a replica may keep links as bytes; after: the size from which they lead.  ERR_PROTOCOL, or
 * ERR_MEMORY. */
void sync_links_encode(const struct sync_link *list, size_t n, struct buf *out);
int sync_links_decode(struct span s, uint64_t after, struct arena *a, const struct sync_link **out,
                      size_t *n, struct err *e);

#endif
