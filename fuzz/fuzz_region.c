/* Region files, signed or not, and what a voter keeps and is asked: read back the same. */
#include <stdlib.h>

#include "arena.h"
#include "crypto.h"
#include "region.h"
#include "voter.h"

static struct arena *arena;
static struct buf out;

static void
must_equal(struct span s)
{
    if (out.failed || !span_eq(buf_view(&out), s))
        abort();
    buf_reset(&out);
}

static void
voters(struct span s)
{
    struct voter_ask q;
    struct voter v;

    if (voter_decode(s, &v, NULL) == 0) {
        voter_encode(&v, &out);
        must_equal(s);
    }
    if (voter_ask_decode(s, &q, NULL) == 0) {
        voter_ask_encode(&q, &out);
        must_equal(s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct span s = span_from(data, n);
    struct region_change c;
    struct region_signed x;
    struct region r, next;

    if (arena == NULL) {
        arena = arena_new(16u << 20);
        buf_init(&out, 1u << 20);
        if (arena == NULL || crypto_start(NULL) < 0)
            abort();
    }
    voters(s);
    if (region_read(s, arena, &r, NULL) == 0) {
        if (region_print(&r, &out, NULL) < 0)
            abort();
        must_equal(s);
        if (region_diff(&r, &r, &c, NULL) == 0)
            abort(); /* nothing follows itself */
    }
    if (region_signed_decode(s, arena, &x, NULL) == 0) {
        if (region_signed_encode(&x, &out, NULL) < 0)
            abort();
        must_equal(s);
        region_check_first(&x, arena, &next, NULL);
        if (region_read(x.body, arena, &r, NULL) == 0 &&
            region_check_successor(&r, &x, arena, &next, NULL) == 0)
            abort();
    }
    arena_reset(arena);
    return 0;
}
