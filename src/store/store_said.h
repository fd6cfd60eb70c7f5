/*
 * store/store_said.h - what members have signed beside heads, and what is known of each peer.
 *
 * Kept as bytes: what they mean, whether they are true and who may see them is not known here.
 * Between store_begin and store_commit or store_abort.
 */
#ifndef JAGA_STORE_STORE_SAID_H
#define JAGA_STORE_STORE_SAID_H

#include "crypto.h"
#include "store.h"
#include "uuid.h"

#define STORE_SAID_NAME_MAX    256u
#define STORE_SAID_CONTENT_MAX (1u << 20) /* a region of 64 members with their votes is 40 KB */

/* One thing that was said: a version of the region or of a group, a notice, a receipt ... */
struct store_said {
    unsigned kind;    /* the caller's; stored, never to be changed */
    struct span name; /* its own among those of its kind */
    struct span content;
    struct hash stream; /* zero where it concerns none */
    uint64_t entry;
    struct uuid member; /* zero where it concerns none */
};

/* Put by the store itself where a publication of a stream of our own is erased, in the same commit:
 * stream and entry of what is erased, content its commitment.  Name: SHA-256 id and big-endian
 * entry.  Whoever has told the others drops it. */
#define STORE_SAID_ERASED 42u
#define STORE_PLACE_NAME  (HASH_BYTES + 8)
void store_place_name(const struct hash *stream, uint64_t entry, uint8_t out[STORE_PLACE_NAME]);

/* Replaces one of that kind and name. */
int store_said_put(struct store *s, const struct store_said *x, struct err *e);
/* 1 (lives in a), 0: none, -1. */
int store_said_get(struct store *s, unsigned kind, struct span name, struct arena *a,
                   struct store_said *out, struct err *e);
int store_said_drop(struct store *s, unsigned kind, struct span name, struct err *e);
/* Those of a kind (0: all), by kind and name; good during the call.  fn: 0 to go on. */
typedef int store_said_fn(void *ctx, const struct store_said *x, struct err *e);
int store_said_each(struct store *s, unsigned kind, store_said_fn *fn, void *ctx, struct err *e);
int store_said_count(struct store *s, unsigned kind, uint64_t *out, struct err *e);

/* ---- peers ---- */

#define STORE_PEER_EPOCH  16
#define STORE_OFFER_KEY   8
#define STORE_OFFER_PRINT 16

struct store_peer {
    struct uuid id;
    uint8_t epoch[STORE_PEER_EPOCH];
    uint64_t cursor;
    int64_t ok_us, failed_us; /* last rounds; 0: none */
    uint64_t failures;        /* since the last good one */
    struct span why;          /* of the last failure; at most STORE_SETTING_MAX bytes */
};

/* 1 (lives in a), 0: none, -1. */
int store_peer_get(struct store *s, const struct uuid *id, struct arena *a, struct store_peer *out,
                   struct err *e);
int store_peer_put(struct store *s, const struct store_peer *p, struct err *e);

/* The offer of a peer as it was kept last: pairs of key and print, by key. */
struct store_pair {
    uint8_t key[STORE_OFFER_KEY], print[STORE_OFFER_PRINT];
};
int store_mirror_list(struct store *s, const struct uuid *peer, struct arena *a,
                      struct store_pair **out, size_t *n, struct err *e);
int store_mirror_put(struct store *s, const struct uuid *peer, const struct store_pair *p,
                     struct err *e);
int store_mirror_drop(struct store *s, const struct uuid *peer, const uint8_t key[STORE_OFFER_KEY],
                      struct err *e);

/* Streams that a peer offers. */
struct store_offered {
    uint8_t key[STORE_OFFER_KEY];
    struct hash stream;
    struct span content; /* as the caller wants it back */
    uint64_t asked;      /* settled entries when owed bytes were asked for last */
    bool refused;
};
typedef int store_offered_fn(void *ctx, const struct store_offered *o, struct err *e);
int store_offered_each(struct store *s, const struct uuid *peer, store_offered_fn *fn, void *ctx,
                       struct err *e);
/* asked stays where there is one; refused is set anew. */
int store_offered_put(struct store *s, const struct uuid *peer, const struct store_offered *o,
                      struct err *e);
int store_offered_drop(struct store *s, const struct uuid *peer, const uint8_t key[STORE_OFFER_KEY],
                       struct err *e);
int store_offered_asked(struct store *s, const struct uuid *peer, const struct hash *stream,
                        uint64_t settled, struct err *e);
int store_offered_refused(struct store *s, const struct uuid *peer, const struct hash *stream,
                          struct err *e);

/* For people: a peer has sent what it may not, or what is not true. */
struct store_accused {
    uint64_t n;
    int64_t at_us;
    struct uuid peer;
    struct span why, evidence;
};
#define STORE_ACCUSED_MAX 10000u /* the oldest go: a peer that lies all day fills no disk */
int store_accuse(struct store *s, const struct store_accused *x, struct err *e);
/* Newest first, n < before (0: all); lives in a. */
int store_accused_list(struct store *s, uint64_t before, uint32_t limit, struct arena *a,
                       struct store_accused **out, size_t *n, struct err *e);

#endif
