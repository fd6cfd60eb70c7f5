/* The Merkle tree against published vectors, and against RFC 9162's definitions written out as they
 * stand there, for every size up to 130. */
#include "check.h"
#include "merkle.h"

#define SIZES 130

/* ---- the definitions, section 2.1, recursive and slow ---- */

static uint64_t
naive_split(uint64_t n)
{
    uint64_t k = 1;

    while (k * 2 < n)
        k *= 2;
    return k;
}

static struct hash
naive_mth(const struct hash *leaf, uint64_t n)
{
    struct hash left, right, out;
    struct span parts[3];

    if (n == 0) {
        hash_sha256(SPAN(""), &out);
        return out;
    }
    if (n == 1)
        return leaf[0];
    left = naive_mth(leaf, naive_split(n));
    right = naive_mth(leaf + naive_split(n), n - naive_split(n));
    parts[0] = SPAN("\x01");
    parts[1] = span_from(left.b, HASH_BYTES);
    parts[2] = span_from(right.b, HASH_BYTES);
    hash_sha256_parts(parts, 3, &out);
    return out;
}

static void
add(struct merkle_proof *p, struct hash h)
{
    p->h[p->n++] = h;
}

static void
naive_path(const struct hash *leaf, uint64_t m, uint64_t n, struct merkle_proof *p)
{
    const uint64_t k = naive_split(n);

    if (n == 1)
        return;
    if (m < k) {
        naive_path(leaf, m, k, p);
        add(p, naive_mth(leaf + k, n - k));
    } else {
        naive_path(leaf + k, m - k, n - k, p);
        add(p, naive_mth(leaf, k));
    }
}

static void
naive_subproof(const struct hash *leaf, uint64_t m, uint64_t n, bool whole, struct merkle_proof *p)
{
    const uint64_t k = naive_split(n);

    if (m == n) {
        if (!whole)
            add(p, naive_mth(leaf, m));
        return;
    }
    if (m <= k) {
        naive_subproof(leaf, m, k, whole, p);
        add(p, naive_mth(leaf + k, n - k));
    } else {
        naive_subproof(leaf + k, m - k, n - k, false, p);
        add(p, naive_mth(leaf, k));
    }
}

/* ---- a tree of leaves in memory ---- */

struct kept {
    unsigned level;
    uint64_t index;
    struct hash h;
};

struct tree {
    struct hash leaf[2 * SIZES];
    struct kept kept[2 * SIZES]; /* the nodes that an append reported */
    size_t n_kept, asked, read;
    uint64_t fail_at; /* this leaf cannot be read */
};

static int
leaf_of(void *arg, uint64_t i, struct hash *out, struct err *e)
{
    struct tree *t = arg;

    t->read++;
    if (i == t->fail_at)
        return err_set(e, ERR_IO, "a leaf cannot be read");
    *out = t->leaf[i];
    return 0;
}

static int
keep(void *arg, unsigned level, uint64_t index, const struct hash *node, struct err *e)
{
    struct tree *t = arg;

    (void)e;
    if (t->n_kept < 2 * SIZES)
        t->kept[t->n_kept++] = (struct kept){level, index, *node};
    return 0;
}

static int
node_of(void *arg, unsigned level, uint64_t index, struct hash *out, struct err *e)
{
    struct tree *t = arg;

    (void)e;
    assert_true(level > 0);
    t->asked++;
    if (level % 3 != 0) /* a store would not keep every level */
        return 0;
    for (size_t i = 0; i < t->n_kept; i++)
        if (t->kept[i].level == level && t->kept[i].index == index) {
            *out = t->kept[i].h;
            return 1;
        }
    return 0;
}

static int
node_failing(void *arg, unsigned level, uint64_t index, struct hash *out, struct err *e)
{
    (void)arg;
    (void)level;
    (void)index;
    (void)out;
    return err_set(e, ERR_CORRUPT, "a node cannot be read");
}

static struct tree *
make_tree(void)
{
    struct tree *t = calloc(1, sizeof *t);

    t->fail_at = UINT64_MAX;
    for (unsigned i = 0; i < 2 * SIZES; i++) {
        char data[16];

        snprintf(data, sizeof data, "entry %u", i);
        merkle_leaf(span_of(data), &t->leaf[i]);
    }
    return t;
}

static bool
same(const struct merkle_proof *a, const struct merkle_proof *b)
{
    return a->n == b->n && memcmp(a->h, b->h, a->n * sizeof a->h[0]) == 0;
}

/* ---- published vectors ---- */

/* Leaves, roots and proofs of the Certificate Transparency reference implementation's tests. */
static const char *const ct_leaf[] = {
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
};
static const char *const ct_root[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static struct hash
hash_from(const char *hex)
{
    struct hash h;

    assert_true(hex_read(span_of(hex), h.b, HASH_BYTES));
    return h;
}

static void
ct_tree(struct tree *t)
{
    for (size_t i = 0; i < 8; i++) {
        uint8_t data[16];
        const size_t n = strlen(ct_leaf[i]) / 2;

        assert_true(hex_read(span_of(ct_leaf[i]), data, n));
        merkle_leaf(span_from(data, n), &t->leaf[i]);
    }
}

static const struct {
    bool inclusion;
    uint64_t m, n;
    const char *h[3];
} ct_proof[] = {
    {true, 0, 1, {NULL}},
    {true,
     0,
     8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {true,
     5,
     8,
     {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {true, 2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125", NULL, NULL}},
    {true,
     1,
     5,
     {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
    {false, 1, 1, {NULL}},
    {false,
     1,
     8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {false,
     6,
     8,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {false,
     2,
     5,
     {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b", NULL}},
};

static void
published_vectors(void **state)
{
    struct tree *t = *state;
    const struct merkle_source src = {.arg = t, .leaf = leaf_of};
    struct merkle_frontier f;
    struct hash root;
    struct err e = ERR_INIT;

    ct_tree(t);
    frontier_init(&f);
    for (uint64_t n = 0; n <= 8; n++) {
        const struct hash want = hash_from(ct_root[n]);

        frontier_root(&f, &root);
        assert_true(hash_eq(&root, &want));
        assert_int_equal(merkle_root(&src, n, &root, &e), 0);
        assert_true(hash_eq(&root, &want));
        assert_int_equal(frontier_append(&f, &t->leaf[n], NULL, NULL, &e), 0);
    }
    for (size_t i = 0; i < sizeof ct_proof / sizeof ct_proof[0]; i++) {
        const struct hash a = hash_from(ct_root[ct_proof[i].m]),
                          b = hash_from(ct_root[ct_proof[i].n]);
        struct merkle_proof want = {.n = 0}, got;

        while (want.n < 3 && ct_proof[i].h[want.n])
            add(&want, hash_from(ct_proof[i].h[want.n]));
        if (ct_proof[i].inclusion) {
            assert_int_equal(merkle_inclusion(&src, ct_proof[i].m, ct_proof[i].n, &got, &e), 0);
            assert_true(merkle_inclusion_ok(&want, &t->leaf[ct_proof[i].m], ct_proof[i].m,
                                            ct_proof[i].n, &b));
        } else {
            assert_int_equal(merkle_consistency(&src, ct_proof[i].m, ct_proof[i].n, &got, &e), 0);
            assert_true(merkle_consistency_ok(&want, ct_proof[i].m, &a, ct_proof[i].n, &b));
        }
        assert_true(same(&got, &want));
    }
}

/* ---- against the definitions ---- */

static void
all_sizes_agree(void **state)
{
    struct tree *t = *state;
    const struct merkle_source src = {.arg = t, .leaf = leaf_of};
    const struct merkle_source kept = {.arg = t, .leaf = leaf_of, .node = node_of};
    struct hash root[SIZES + 1], got;
    struct merkle_frontier f, back;
    struct err e = ERR_INIT;

    frontier_init(&f);
    for (uint64_t n = 0; n <= SIZES; n++) {
        struct buf b;
        char mem[FRONTIER_BYTES_MAX];

        root[n] = naive_mth(t->leaf, n);
        frontier_root(&f, &got);
        assert_true(hash_eq(&got, &root[n]));
        assert_int_equal(merkle_root(&src, n, &got, &e), 0);
        assert_true(hash_eq(&got, &root[n]));
        /* Through bytes at every size, and on from there. */
        buf_init_fixed(&b, mem, sizeof mem);
        frontier_encode(&f, &b);
        assert_int_equal(b.n, 8 + HASH_BYTES * (size_t)__builtin_popcountll(n));
        assert_int_equal(frontier_decode(buf_view(&b), &back, &e), 0);
        f = back;
        assert_int_equal(frontier_append(&f, &t->leaf[n], keep, t, &e), 0);
        assert_int_equal(f.size, n + 1);
    }
    /* Each complete inner node was reported once, and rightly. */
    for (size_t i = 0; i < t->n_kept; i++) {
        const struct kept *k = &t->kept[i];

        got = naive_mth(t->leaf + (k->index << k->level), UINT64_C(1) << k->level);
        assert_true(hash_eq(&got, &k->h));
        for (size_t j = 0; j < i; j++)
            assert_false(t->kept[j].level == k->level && t->kept[j].index == k->index);
    }
    assert_int_equal(t->n_kept, 65 + 32 + 16 + 8 + 4 + 2 + 1); /* of 131 leaves */
    for (uint64_t n = 0; n <= SIZES; n++) {
        for (uint64_t m = 0; m <= n; m++) {
            struct merkle_proof want = {.n = 0}, p;

            if (m < n) {
                naive_path(t->leaf, m, n, &want);
                assert_int_equal(merkle_inclusion(&src, m, n, &p, &e), 0);
                assert_true(same(&p, &want));
                assert_int_equal(merkle_inclusion(&kept, m, n, &p, &e), 0);
                assert_true(same(&p, &want));
                assert_true(merkle_inclusion_ok(&p, &t->leaf[m], m, n, &root[n]));
            }
            want.n = 0;
            if (m > 0)
                naive_subproof(t->leaf, m, n, true, &want);
            assert_int_equal(merkle_consistency(&src, m, n, &p, &e), 0);
            assert_true(same(&p, &want));
            assert_int_equal(merkle_consistency(&kept, m, n, &p, &e), 0);
            assert_true(same(&p, &want));
            assert_true(merkle_consistency_ok(&p, m, &root[m], n, &root[n]));
        }
    }
    assert_true(t->asked > 0);
}

/* With nodes kept at every third level, a proof reads a handful of leaves. */
static void
kept_nodes_save_reads(void **state)
{
    struct tree *t = *state;
    const struct merkle_source kept = {.arg = t, .leaf = leaf_of, .node = node_of};
    struct merkle_frontier f;
    struct merkle_proof p;
    struct err e = ERR_INIT;

    frontier_init(&f);
    for (uint64_t n = 0; n < 128; n++)
        assert_int_equal(frontier_append(&f, &t->leaf[n], keep, t, &e), 0);
    t->read = 0;
    assert_int_equal(merkle_inclusion(&kept, 77, 128, &p, &e), 0);
    assert_true(t->read <= 8);
}

/* ---- wrong proofs ---- */

static void
wrong_inclusion(const struct merkle_proof *good, const struct tree *t, uint64_t i, uint64_t n,
                const struct hash *root)
{
    struct merkle_proof p = *good;
    struct hash other = t->leaf[i];

    for (size_t at = 0; at < p.n * HASH_BYTES; at++) {
        p.h[at / HASH_BYTES].b[at % HASH_BYTES] ^= 0x10;
        assert_false(merkle_inclusion_ok(&p, &t->leaf[i], i, n, root));
        p.h[at / HASH_BYTES].b[at % HASH_BYTES] ^= 0x10;
    }
    for (size_t at = 0; at < HASH_BYTES; at++) {
        other.b[at] ^= 1;
        assert_false(merkle_inclusion_ok(&p, &other, i, n, root));
        other.b[at] ^= 1;
    }
    for (p.n = 0; p.n < good->n; p.n++) /* cut */
        assert_false(merkle_inclusion_ok(&p, &t->leaf[i], i, n, root));
    for (size_t drop = 0; drop < good->n; drop++) { /* one taken out, or one twice */
        p = *good;
        memmove(&p.h[drop], &p.h[drop + 1], (good->n - 1 - drop) * sizeof p.h[0]);
        p.n = good->n - 1;
        assert_false(merkle_inclusion_ok(&p, &t->leaf[i], i, n, root));
        p = *good;
        memmove(&p.h[drop + 1], &p.h[drop], (good->n - drop) * sizeof p.h[0]);
        p.n = good->n + 1;
        assert_false(merkle_inclusion_ok(&p, &t->leaf[i], i, n, root));
    }
    p = *good;
    add(&p, *root); /* longer */
    assert_false(merkle_inclusion_ok(&p, &t->leaf[i], i, n, root));
    for (uint64_t j = 0; j < n; j++) /* another place, another leaf */
        if (j != i) {
            assert_false(merkle_inclusion_ok(good, &t->leaf[i], j, n, root));
            assert_false(merkle_inclusion_ok(good, &t->leaf[j], i, n, root));
        }
    assert_false(merkle_inclusion_ok(good, &t->leaf[i], n, n, root));
    assert_false(merkle_inclusion_ok(good, &t->leaf[i], UINT64_MAX, n, root));
    assert_false(merkle_inclusion_ok(good, &t->leaf[i], i, 0, root));
    assert_false(merkle_inclusion_ok(good, &t->leaf[i], i, MERKLE_SIZE_MAX + 1, root));
    other = *root;
    other.b[31] ^= 0x80;
    assert_false(merkle_inclusion_ok(good, &t->leaf[i], i, n, &other));
}

static void
wrong_consistency(const struct merkle_proof *good, uint64_t m, const struct hash *root_m,
                  uint64_t n, const struct hash *root_n)
{
    struct merkle_proof p = *good;
    struct hash other;

    for (size_t at = 0; at < p.n * HASH_BYTES; at++) {
        p.h[at / HASH_BYTES].b[at % HASH_BYTES] ^= 0x10;
        assert_false(merkle_consistency_ok(&p, m, root_m, n, root_n));
        p.h[at / HASH_BYTES].b[at % HASH_BYTES] ^= 0x10;
    }
    for (p.n = 0; p.n < good->n; p.n++)
        assert_false(merkle_consistency_ok(&p, m, root_m, n, root_n));
    p = *good;
    add(&p, *root_m);
    assert_false(merkle_consistency_ok(&p, m, root_m, n, root_n));
    p = *good;
    memmove(&p.h[1], &p.h[0], p.n * sizeof p.h[0]);
    p.h[0] = *root_m; /* with the root that a power of two leaves out, before it */
    p.n++;
    assert_false(merkle_consistency_ok(&p, m, root_m, n, root_n));
    if (m != n)
        assert_false(merkle_consistency_ok(good, m, root_n, n, root_m));
    for (size_t at = 0; at < HASH_BYTES; at++) {
        other = *root_m;
        other.b[at] ^= 4;
        assert_false(merkle_consistency_ok(good, m, &other, n, root_n));
        other = *root_n;
        other.b[at] ^= 4;
        /* Any tree extends that of nothing. */
        assert_true(merkle_consistency_ok(good, m, root_m, n, &other) == (m == 0 && n > 0));
    }
    if (m != n)
        assert_false(merkle_consistency_ok(good, n, root_m, m, root_n));
    assert_false(merkle_consistency_ok(good, m, root_m, MERKLE_SIZE_MAX + 1, root_n));
    assert_false(merkle_consistency_ok(good, UINT64_MAX, root_m, n, root_n));
}

static void
wrong_proofs_are_refused(void **state)
{
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 130};
    struct tree *t = *state;
    const struct merkle_source src = {.arg = t, .leaf = leaf_of};
    struct err e = ERR_INIT;

    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const uint64_t n = sizes[s];
        const struct hash root_n = naive_mth(t->leaf, n);

        for (uint64_t m = 0; m <= n; m += m < 20 ? 1 : 7) {
            const struct hash root_m = naive_mth(t->leaf, m);
            struct merkle_proof p;

            if (m < n) {
                assert_int_equal(merkle_inclusion(&src, m, n, &p, &e), 0);
                wrong_inclusion(&p, t, m, n, &root_n);
            }
            assert_int_equal(merkle_consistency(&src, m, n, &p, &e), 0);
            wrong_consistency(&p, m, &root_m, n, &root_n);
        }
    }
}

/* A history that was rewritten has no proof: the honest one of the new tree does not fit. */
static void
rewritten_history_shows(void **state)
{
    struct tree *t = *state;
    const struct merkle_source src = {.arg = t, .leaf = leaf_of};
    struct err e = ERR_INIT;

    for (uint64_t m = 1; m < 40; m++) {
        const struct hash said = naive_mth(t->leaf, m);

        for (uint64_t at = 0; at < m; at++) {
            const struct hash honest = t->leaf[at];
            struct merkle_proof p;
            struct hash root;

            t->leaf[at].b[0] ^= 1;
            root = naive_mth(t->leaf, 40);
            assert_int_equal(merkle_consistency(&src, m, 40, &p, &e), 0);
            assert_false(merkle_consistency_ok(&p, m, &said, 40, &root));
            t->leaf[at] = honest;
        }
    }
}

/* ---- limits and failures ---- */

/* A tree of equal leaves: every complete subtree of a level is the same, so that trees of any size
 * cost nothing. */
struct uniform {
    struct hash level[MERKLE_LEVELS + 1];
};

static int
uniform_leaf(void *arg, uint64_t i, struct hash *out, struct err *e)
{
    const struct uniform *u = arg;

    (void)i;
    (void)e;
    *out = u->level[0];
    return 0;
}

static int
uniform_node(void *arg, unsigned level, uint64_t index, struct hash *out, struct err *e)
{
    const struct uniform *u = arg;

    (void)index;
    (void)e;
    assert_true(level <= MERKLE_LEVELS);
    *out = u->level[level];
    return 1;
}

static void
largest_trees(void **state)
{
    struct uniform u;
    const struct merkle_source src = {.arg = &u, .leaf = uniform_leaf, .node = uniform_node};
    struct merkle_proof p;
    struct hash root_m, root_n;
    struct err e = ERR_INIT;
    size_t longest = 0;
    struct check_random seed = check_seed("merkle");
    (void)state;

    merkle_leaf(SPAN("same"), &u.level[0]);
    for (unsigned k = 0; k < MERKLE_LEVELS; k++)
        merkle_node(&u.level[k], &u.level[k], &u.level[k + 1]);
    for (int i = 0; i < 3000; i++) {
        const uint64_t n = i == 0   ? MERKLE_SIZE_MAX
                           : i == 1 ? MERKLE_SIZE_MAX - 1
                                    : 1 + (check_next(&seed) >> (2 + check_next(&seed) % 61));
        const uint64_t m = i == 1 ? MERKLE_SIZE_MAX / 2 + 1 : check_next(&seed) % n;

        assert_int_equal(merkle_root(&src, m, &root_m, &e), 0);
        assert_int_equal(merkle_root(&src, n, &root_n, &e), 0);
        assert_int_equal(merkle_inclusion(&src, m, n, &p, &e), 0);
        assert_true(merkle_inclusion_ok(&p, &u.level[0], m, n, &root_n));
        assert_true(p.n <= MERKLE_LEVELS);
        assert_int_equal(merkle_consistency(&src, m, n, &p, &e), 0);
        assert_true(merkle_consistency_ok(&p, m, &root_m, n, &root_n));
        longest = p.n > longest ? p.n : longest;
        if (p.n > 0) {
            p.h[check_next(&seed) % p.n].b[0] ^= 1;
            assert_false(merkle_consistency_ok(&p, m, &root_m, n, &root_n));
        }
    }
    assert_int_equal(longest, MERKLE_PROOF_MAX); /* the room is needed, and enough */
    assert_int_equal(merkle_root(&src, MERKLE_SIZE_MAX + 1, &root_n, &e), -1);
    assert_int_equal(merkle_inclusion(&src, 0, MERKLE_SIZE_MAX + 1, &p, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    assert_int_equal(merkle_inclusion(&src, 5, 5, &p, &e), -1);
    assert_int_equal(merkle_inclusion(&src, 0, 0, &p, &e), -1);
    assert_int_equal(merkle_consistency(&src, 6, 5, &p, &e), -1);
    assert_int_equal(merkle_consistency(&src, 1, UINT64_MAX, &p, &e), -1);
    p.n = MERKLE_PROOF_MAX + 1; /* a proof that claims more than it can hold */
    assert_false(merkle_inclusion_ok(&p, &u.level[0], 0, 9, &root_n));
    assert_false(merkle_consistency_ok(&p, 1, &root_m, 9, &root_n));
}

static int
refuse(void *arg, unsigned level, uint64_t index, const struct hash *node, struct err *e)
{
    const unsigned *at = arg;

    (void)index;
    (void)node;
    return level == *at ? err_set(e, ERR_FULL, "no room for a node") : 0;
}

static void
failures_leave_things_alone(void **state)
{
    struct tree *t = *state;
    const struct merkle_source src = {.arg = t, .leaf = leaf_of};
    const struct merkle_source bad = {.arg = t, .leaf = leaf_of, .node = node_failing};
    struct merkle_frontier f, before;
    struct merkle_proof p = {.n = 77};
    struct hash root, same_root;
    struct err e = ERR_INIT;

    frontier_init(&f);
    for (uint64_t n = 0; n < 7; n++)
        assert_int_equal(frontier_append(&f, &t->leaf[n], NULL, NULL, &e), 0);
    frontier_root(&f, &root);
    before = f;
    for (unsigned level = 1; level <= 3; level++) {
        assert_int_equal(frontier_append(&f, &t->leaf[7], refuse, &level, &e), -1);
        assert_int_equal(e.code, ERR_FULL);
        assert_int_equal(f.size, before.size);
        frontier_root(&f, &same_root);
        assert_true(hash_eq(&root, &same_root));
    }
    for (t->fail_at = 0; t->fail_at < 100; t->fail_at++) {
        const uint64_t i = t->fail_at == 0 ? 1 : 0;

        e = ERR_INIT;
        assert_int_equal(merkle_root(&src, 100, &root, &e), -1);
        assert_int_equal(e.code, ERR_IO);
        assert_int_equal(merkle_inclusion(&src, i, 100, &p, &e), -1);
        assert_int_equal(merkle_consistency(&src, 63, 100, &p, &e), -1);
        assert_int_equal(p.n, 77);
    }
    assert_int_equal(merkle_root(&bad, 100, &root, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_int_equal(merkle_inclusion(&bad, 1, 100, &p, &e), -1);
    assert_int_equal(merkle_consistency(&bad, 63, 100, &p, &e), -1);
    assert_int_equal(p.n, 77);
}

static void
frontier_bytes(void **state)
{
    struct tree *t = *state;
    struct merkle_frontier f, back = {.size = 77};
    struct hash root, other;
    struct err e = ERR_INIT;
    char mem[FRONTIER_BYTES_MAX + 1];
    struct buf b;

    frontier_init(&f);
    for (uint64_t n = 0; n < 11; n++) /* 8 + 2 + 1: three peaks */
        assert_int_equal(frontier_append(&f, &t->leaf[n], NULL, NULL, &e), 0);
    buf_init_fixed(&b, mem, sizeof mem);
    frontier_encode(&f, &b);
    assert_int_equal(b.n, 8 + 3 * HASH_BYTES);
    for (size_t n = 0; n <= b.n + 1; n++)
        if (n != b.n) {
            assert_int_equal(frontier_decode(span_from(mem, n), &back, &e), -1);
            assert_int_equal(e.code, ERR_CORRUPT);
        }
    assert_int_equal(back.size, 77);
    mem[7] = 10; /* one peak too many for that size */
    assert_int_equal(frontier_decode(span_from(mem, b.n), &back, &e), -1);
    mem[7] = 15;
    assert_int_equal(frontier_decode(span_from(mem, b.n), &back, &e), -1);
    mem[7] = 7; /* fits, but it is another tree */
    assert_int_equal(frontier_decode(span_from(mem, b.n), &back, &e), 0);
    frontier_root(&f, &root);
    frontier_root(&back, &other);
    assert_true(hash_eq(&root, &other)); /* the root alone does not fix the size: a head has both */

    /* Full: the largest size, with one peak; and one below it, with all. */
    memset(mem, 0, sizeof mem);
    mem[0] = 0x40;
    assert_int_equal(frontier_decode(span_from(mem, 8 + HASH_BYTES), &back, &e), 0);
    assert_true(back.size == MERKLE_SIZE_MAX);
    assert_int_equal(frontier_append(&back, &t->leaf[0], NULL, NULL, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    mem[7] = 1;
    assert_int_equal(frontier_decode(span_from(mem, 8 + 2 * HASH_BYTES), &back, &e), -1);
    memset(mem, 0xff, sizeof mem);
    mem[0] = 0x3f;
    assert_int_equal(frontier_decode(span_from(mem, 8 + 62 * HASH_BYTES), &back, &e), 0);
    assert_int_equal(frontier_append(&back, &t->leaf[0], NULL, NULL, &e), 0);
    assert_true(back.size == MERKLE_SIZE_MAX);
    buf_init_fixed(&b, mem, sizeof mem);
    frontier_encode(&back, &b);
    assert_int_equal(b.n, 8 + HASH_BYTES);
}

static void
proof_bytes(void **state)
{
    struct tree *t = *state;
    char mem[1 + MERKLE_PROOF_MAX * HASH_BYTES + 8];
    struct merkle_proof p = {.n = 0}, back;
    struct reader r;
    struct buf b;

    for (size_t n = 0; n <= MERKLE_PROOF_MAX; n++) {
        buf_init_fixed(&b, mem, sizeof mem);
        proof_encode(&p, &b);
        assert_int_equal(b.n, 1 + n * HASH_BYTES);
        buf_u8(&b, 0x5a);
        r = reader_of(buf_view(&b));
        proof_decode(&r, &back);
        assert_true(same(&p, &back));
        assert_int_equal(reader_u8(&r), 0x5a); /* what follows is left */
        assert_false(r.failed);
        if (n > 0) {
            r = reader_of(span_from(mem, n * HASH_BYTES));
            proof_decode(&r, &back);
            assert_true(r.failed);
        }
        if (n < MERKLE_PROOF_MAX)
            add(&p, t->leaf[n]);
    }
    memset(mem, MERKLE_PROOF_MAX + 1, sizeof mem);
    back.n = 5;
    r = reader_of(span_from(mem, sizeof mem));
    proof_decode(&r, &back);
    assert_true(r.failed);
    assert_int_equal(back.n, 5);
    r = reader_of((struct span){NULL, 0});
    proof_decode(&r, &back);
    assert_true(r.failed);
}

static int
tree_make(void **state)
{
    if (crypto_start(NULL) < 0)
        return -1;
    *state = make_tree();
    return 0;
}

static int
tree_drop(void **state)
{
    free(*state);
    return 0;
}

int
main(void)
{
#define WITH_TREE(f) cmocka_unit_test_setup_teardown(f, tree_make, tree_drop)
    const struct CMUnitTest tests[] = {
        WITH_TREE(published_vectors),
        WITH_TREE(all_sizes_agree),
        WITH_TREE(kept_nodes_save_reads),
        WITH_TREE(wrong_proofs_are_refused),
        WITH_TREE(rewritten_history_shows),
        WITH_TREE(largest_trees),
        WITH_TREE(failures_leave_things_alone),
        WITH_TREE(frontier_bytes),
        WITH_TREE(proof_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
