/* Headers of entries, frontiers and proofs from outside: what is read is written back the same. */
#include <stdlib.h>

#include "ledger.h"
#include "merkle.h"

static void
must_equal(const struct buf *b, struct span s)
{
    if (b->failed || !span_eq(buf_view(b), s))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct span s = span_from(data, n);
    char mem[FRONTIER_BYTES_MAX];
    struct merkle_frontier f;
    struct merkle_proof p;
    struct reader r = reader_of(s);
    struct entry en;
    struct hash h;
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    if (entry_decode(s, &en, NULL) == 0) {
        if (entry_encode(&en, &b, NULL) < 0)
            abort();
        must_equal(&b, s);
    }
    buf_reset(&b);
    if (frontier_decode(s, &f, NULL) == 0) {
        frontier_encode(&f, &b);
        must_equal(&b, s);
        frontier_root(&f, &h);
    }
    hash_sha256(s, &h);
    proof_decode(&r, &p);
    if (!r.failed) {
        const uint64_t i = reader_u64(&r), m = reader_u64(&r);

        /* No proof leads to the hash of bytes that contain it. */
        if (merkle_inclusion_ok(&p, &h, i, m, &h) && m != 1)
            abort();
        merkle_consistency_ok(&p, i, &h, m, &h);
    }
    return 0;
}
