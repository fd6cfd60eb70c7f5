#include "merkle.h"

#include <assert.h>
#include <string.h>

/* Domain separation of leaves and nodes, RFC 9162 section 2.1.1: else a node could be shown as a
 * leaf. */
#define LEAF_TAG "\x00"
#define NODE_TAG "\x01"

_Static_assert(MERKLE_PROOF_MAX < 256, "the count of a proof is one byte");

void
merkle_leaf(struct span data, struct hash *out)
{
    const struct span parts[] = {SPAN(LEAF_TAG), data};

    hash_sha256_parts(parts, 2, out);
}

void
merkle_node(const struct hash *left, const struct hash *right, struct hash *out)
{
    /* In one piece: this is most of the work of a large tree. */
    char both[1 + 2 * HASH_BYTES];

    both[0] = NODE_TAG[0];
    memcpy(both + 1, left->b, HASH_BYTES);
    memcpy(both + 1 + HASH_BYTES, right->b, HASH_BYTES);
    hash_sha256(span_from(both, sizeof both), out);
}

static bool
bit(uint64_t v, unsigned k)
{
    return v >> k & 1;
}

/* The largest power of two below n; n > 1. */
static uint64_t
split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* ---- appending ---- */

void
frontier_init(struct merkle_frontier *f)
{
    f->size = 0;
}

int
frontier_append(struct merkle_frontier *f, const struct hash *leaf, merkle_done_fn *done, void *arg,
                struct err *e)
{
    struct hash carry = *leaf;
    unsigned k = 0;

    if (f->size >= MERKLE_SIZE_MAX)
        return err_set(e, ERR_LIMIT, "the stream is full");
    /* Counting up by one in binary: each carry joins two complete subtrees of equal size. */
    for (; bit(f->size, k); k++) {
        merkle_node(&f->peak[k], &carry, &carry);
        if (done && done(arg, k + 1, f->size >> (k + 1), &carry, e) < 0)
            return -1;
    }
    f->peak[k] = carry;
    f->size++;
    return 0;
}

void
frontier_root(const struct merkle_frontier *f, struct hash *out)
{
    struct hash root;
    bool any = false;

    if (f->size == 0) {
        hash_sha256((struct span){NULL, 0}, out);
        return;
    }
    for (unsigned k = 0; k <= MERKLE_LEVELS; k++) {
        if (!bit(f->size, k))
            continue;
        if (any)
            merkle_node(&f->peak[k], &root, &root);
        else
            root = f->peak[k];
        any = true;
    }
    *out = root;
}

void
frontier_encode(const struct merkle_frontier *f, struct buf *out)
{
    buf_u64(out, f->size);
    for (unsigned k = MERKLE_LEVELS + 1; k-- > 0;)
        if (bit(f->size, k))
            buf_put(out, f->peak[k].b, HASH_BYTES);
}

int
frontier_decode(struct span s, struct merkle_frontier *out, struct err *e)
{
    struct reader r = reader_of(s);
    struct merkle_frontier f;

    f.size = reader_u64(&r);
    if (f.size <= MERKLE_SIZE_MAX)
        for (unsigned k = MERKLE_LEVELS + 1; k-- > 0;)
            if (bit(f.size, k))
                reader_copy(&r, f.peak[k].b, HASH_BYTES);
    if (f.size > MERKLE_SIZE_MAX || r.failed || reader_left(&r) > 0)
        return err_set_at(e, ERR_CORRUPT, r.pos, "the frontier of a stream is damaged");
    out->size = f.size;
    for (unsigned k = 0; k <= MERKLE_LEVELS; k++)
        if (bit(f.size, k))
            out->peak[k] = f.peak[k];
    return 0;
}

/* ---- proofs ---- */

/* The root of a complete subtree: kept by the caller, or joined from its halves.  At most
 * MERKLE_LEVELS calls deep. */
static int
subtree(const struct merkle_source *src, unsigned level, uint64_t index, struct hash *out,
        struct err *e)
{
    struct hash left, right;
    int kept;

    if (level == 0)
        return src->leaf(src->arg, index, out, e);
    kept = src->node ? src->node(src->arg, level, index, out, e) : 0;
    if (kept != 0)
        return kept < 0 ? -1 : 0;
    if (subtree(src, level - 1, 2 * index, &left, e) < 0 ||
        subtree(src, level - 1, 2 * index + 1, &right, e) < 0)
        return -1;
    merkle_node(&left, &right, out);
    return 0;
}

/* The root of n leaves from start.  Every range that a tree is split into starts at a multiple of
 * a power of two that is at least n, so it is a row of complete subtrees, the largest first. */
static int
range(const struct merkle_source *src, uint64_t start, uint64_t n, struct hash *out, struct err *e)
{
    struct hash root, left;
    bool any = false;

    if (n == 0) {
        hash_sha256((struct span){NULL, 0}, out);
        return 0;
    }
    for (unsigned k = 0; k <= MERKLE_LEVELS; k++) {
        /* From the smallest, the last in the row: its larger neighbours come on its left. */
        const uint64_t before = k < MERKLE_LEVELS ? n >> (k + 1) << (k + 1) : 0;

        if (!bit(n, k))
            continue;
        assert(((start + before) & ((UINT64_C(1) << k) - 1)) == 0);
        if (subtree(src, k, (start + before) >> k, &left, e) < 0)
            return -1;
        if (any)
            merkle_node(&left, &root, &root);
        else
            root = left;
        any = true;
    }
    *out = root;
    return 0;
}

int
merkle_root(const struct merkle_source *src, uint64_t n, struct hash *out, struct err *e)
{
    if (n > MERKLE_SIZE_MAX)
        return err_set(e, ERR_RANGE, "no stream is that long");
    return range(src, 0, n, out, e);
}

static int
push_range(struct merkle_proof *p, const struct merkle_source *src, uint64_t start, uint64_t n,
           struct err *e)
{
    assert(p->n < MERKLE_PROOF_MAX);
    if (range(src, start, n, &p->h[p->n], e) < 0)
        return -1;
    p->n++;
    return 0;
}

/* Proofs are found from the root down and written from the leaf up. */
static void
hand_out_reversed(const struct merkle_proof *p, struct merkle_proof *out)
{
    out->n = p->n;
    for (size_t i = 0; i < p->n; i++)
        out->h[i] = p->h[p->n - 1 - i];
}

int
merkle_inclusion(const struct merkle_source *src, uint64_t i, uint64_t n, struct merkle_proof *out,
                 struct err *e)
{
    struct merkle_proof p = {.n = 0};
    uint64_t start = 0;

    if (n > MERKLE_SIZE_MAX || i >= n)
        return err_set(e, ERR_RANGE, "no such entry in the stream");
    while (n > 1) {
        const uint64_t k = split(n);

        if (i - start < k) {
            if (push_range(&p, src, start + k, n - k, e) < 0)
                return -1;
            n = k;
        } else {
            if (push_range(&p, src, start, k, e) < 0)
                return -1;
            start += k;
            n -= k;
        }
    }
    hand_out_reversed(&p, out);
    return 0;
}

int
merkle_consistency(const struct merkle_source *src, uint64_t m, uint64_t n,
                   struct merkle_proof *out, struct err *e)
{
    struct merkle_proof p = {.n = 0};
    uint64_t start = 0;
    bool whole = true; /* the m leaves looked at are the old tree, whose root is known */

    if (n > MERKLE_SIZE_MAX || m > n)
        return err_set(e, ERR_RANGE, "the stream is not that long");
    if (m == 0) {
        out->n = 0;
        return 0;
    }
    while (m != n) {
        const uint64_t k = split(n);

        if (m <= k) {
            if (push_range(&p, src, start + k, n - k, e) < 0)
                return -1;
            n = k;
        } else {
            if (push_range(&p, src, start, k, e) < 0)
                return -1;
            start += k;
            m -= k;
            n -= k;
            whole = false;
        }
    }
    if (!whole && push_range(&p, src, start, n, e) < 0)
        return -1;
    hand_out_reversed(&p, out);
    return 0;
}

/* Section 2.1.3.2, names as there. */
bool
merkle_inclusion_ok(const struct merkle_proof *proof, const struct hash *leaf, uint64_t i,
                    uint64_t n, const struct hash *root)
{
    struct hash r = *leaf;
    uint64_t fn = i, sn = n - 1;

    if (n > MERKLE_SIZE_MAX || i >= n || proof->n > MERKLE_PROOF_MAX)
        return false;
    for (size_t at = 0; at < proof->n; at++) {
        const struct hash *p = &proof->h[at];

        if (sn == 0)
            return false;
        if (bit(fn, 0) || fn == sn) {
            merkle_node(p, &r, &r);
            while (!bit(fn, 0) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(&r, p, &r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && hash_eq(&r, root);
}

/* Section 2.1.4.2 for 0 < m < n: both roots are rebuilt from the same hashes. */
static bool
consistency_ok(const struct merkle_proof *proof, uint64_t m, const struct hash *root_m, uint64_t n,
               const struct hash *root_n)
{
    /* Where m is a power of two its root is a node of the larger tree, and left out. */
    const bool power = (m & (m - 1)) == 0;
    uint64_t fn = m - 1, sn = n - 1;
    struct hash fr, sr;

    if (proof->n == 0)
        return false;
    while (bit(fn, 0)) {
        fn >>= 1;
        sn >>= 1;
    }
    fr = sr = power ? *root_m : proof->h[0];
    for (size_t at = power ? 0 : 1; at < proof->n; at++) {
        const struct hash *c = &proof->h[at];

        if (sn == 0)
            return false;
        if (bit(fn, 0) || fn == sn) {
            merkle_node(c, &fr, &fr);
            merkle_node(c, &sr, &sr);
            while (!bit(fn, 0) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(&sr, c, &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && hash_eq(&fr, root_m) && hash_eq(&sr, root_n);
}

bool
merkle_consistency_ok(const struct merkle_proof *proof, uint64_t m, const struct hash *root_m,
                      uint64_t n, const struct hash *root_n)
{
    struct hash empty;

    if (n > MERKLE_SIZE_MAX || m > n || proof->n > MERKLE_PROOF_MAX)
        return false;
    hash_sha256((struct span){NULL, 0}, &empty);
    if (n == 0 && !hash_eq(root_n, &empty))
        return false;
    if (m == 0)
        return proof->n == 0 && hash_eq(root_m, &empty);
    if (m == n)
        return proof->n == 0 && hash_eq(root_m, root_n);
    return consistency_ok(proof, m, root_m, n, root_n);
}

void
proof_encode(const struct merkle_proof *p, struct buf *out)
{
    buf_u8(out, (unsigned)p->n);
    for (size_t i = 0; i < p->n; i++)
        buf_put(out, p->h[i].b, HASH_BYTES);
}

void
proof_decode(struct reader *r, struct merkle_proof *out)
{
    struct merkle_proof p;

    p.n = reader_u8(r);
    if (p.n > MERKLE_PROOF_MAX)
        r->failed = true;
    for (size_t i = 0; i < p.n && !r->failed; i++)
        reader_copy(r, p.h[i].b, HASH_BYTES);
    if (r->failed)
        return;
    out->n = p.n;
    memcpy(out->h, p.h, p.n * sizeof p.h[0]);
}
