/* What fetch and the writer say to one another about rounds. */
#include "pull.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span s = span_from(data, size);
    struct arena *a = arena_new(1u << 20);
    struct pull_list l;
    struct pull_next n;
    struct buf b;
    struct err e = ERR_INIT;

    buf_init(&b, 1u << 20);
    if (pull_list_decode(s, a, &l, &e) == 0) {
        pull_list_encode(&l, &b);
        if (!span_eq(buf_view(&b), s))
            abort();
    }
    buf_reset(&b);
    if (pull_next_decode(s, &n, &e) == 0) {
        pull_next_encode(&n, &b);
        if (!span_eq(buf_view(&b), s))
            abort();
    }
    buf_clear(&b);
    arena_free(a);
    return 0;
}
