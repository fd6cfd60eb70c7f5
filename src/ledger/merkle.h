/*
 * ledger/merkle.h - append-only Merkle trees and their proofs, as in RFC 9162 section 2.1.
 *
 * The tree of n leaves splits at the largest power of two below n; a leaf is SHA-256(0x00 || data),
 * a node SHA-256(0x01 || left || right), the root of no leaves SHA-256 of nothing.  A frontier is
 * what is needed to append and to know the root: one hash for each bit that is set in the size.
 * Proofs are made from leaves that the caller hands in, and checked from the proof alone.
 */
#ifndef JAGA_LEDGER_MERKLE_H
#define JAGA_LEDGER_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "crypto.h"
#include "err.h"
#include "span.h"

/* Levels of nodes above the leaves, and leaves at most: so that sizes fit a signed integer too. */
#define MERKLE_LEVELS    62
#define MERKLE_SIZE_MAX  (UINT64_C(1) << MERKLE_LEVELS)
#define MERKLE_PROOF_MAX (MERKLE_LEVELS + 1) /* hashes: consistency may need one more */

void merkle_leaf(struct span data, struct hash *out);
void merkle_node(const struct hash *left, const struct hash *right, struct hash *out);

/* The leaves and inner nodes that the caller keeps. */
struct merkle_source {
    void *arg;
    /* The hash of leaf i.  0, or -1 with e filled, which ends the work. */
    int (*leaf)(void *arg, uint64_t i, struct hash *out, struct err *e);
    /* The root of the complete subtree over the leaves from index << level, 1 << level of them:
     * 1 found, 0 not kept (it is computed from those below), -1 failed.  level is 1 or more.  May
     * be NULL; with it a proof over a large tree costs a few reads, not one for each leaf. */
    int (*node)(void *arg, unsigned level, uint64_t index, struct hash *out, struct err *e);
};

/* ---- appending ---- */

struct merkle_frontier {
    uint64_t size;
    struct hash peak[MERKLE_LEVELS + 1]; /* [k] counts where bit k of size is set */
};

/* Is told of each inner node that an append completes, from below; as in merkle_source.  -1 refuses
 * the append. */
typedef int merkle_done_fn(void *arg, unsigned level, uint64_t index, const struct hash *node,
                           struct err *e);

void frontier_init(struct merkle_frontier *f);
/* 0, or -1 with f unchanged: ERR_LIMIT when full, or what done (may be NULL) has said. */
int frontier_append(struct merkle_frontier *f, const struct hash *leaf, merkle_done_fn *done,
                    void *arg, struct err *e);
void frontier_root(const struct merkle_frontier *f, struct hash *out);

/* As bytes: u64 size, then the peaks that count, the largest subtree's first. */
#define FRONTIER_BYTES_MAX (8 + (MERKLE_LEVELS + 1) * HASH_BYTES)
void frontier_encode(const struct merkle_frontier *f, struct buf *out);
/* Exactly what frontier_encode writes, else ERR_CORRUPT. */
int frontier_decode(struct span s, struct merkle_frontier *out, struct err *e);

/* ---- proofs ---- */

struct merkle_proof {
    size_t n;
    struct hash h[MERKLE_PROOF_MAX];
};

/* The root of the first n leaves. */
int merkle_root(const struct merkle_source *src, uint64_t n, struct hash *out, struct err *e);

/* That leaf i is in the tree of n leaves (section 2.1.3).  i < n, else ERR_RANGE. */
int merkle_inclusion(const struct merkle_source *src, uint64_t i, uint64_t n,
                     struct merkle_proof *out, struct err *e);
bool merkle_inclusion_ok(const struct merkle_proof *proof, const struct hash *leaf, uint64_t i,
                         uint64_t n, const struct hash *root);

/* That the tree of n leaves extends the one of m (section 2.1.4).  m <= n, else ERR_RANGE.  The
 * RFC leaves out m = 0 and m = n: their proof is empty here, and the check asks that the roots are
 * that of the empty tree, or equal. */
int merkle_consistency(const struct merkle_source *src, uint64_t m, uint64_t n,
                       struct merkle_proof *out, struct err *e);
bool merkle_consistency_ok(const struct merkle_proof *proof, uint64_t m, const struct hash *root_m,
                           uint64_t n, const struct hash *root_n);

/* As bytes: u8 count, then the hashes in order. */
void proof_encode(const struct merkle_proof *p, struct buf *out);
/* Takes a proof off the reader; a count over MERKLE_PROOF_MAX or missing bytes fail the reader. */
void proof_decode(struct reader *r, struct merkle_proof *out);

#endif
