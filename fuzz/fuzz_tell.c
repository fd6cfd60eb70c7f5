/* What is said to the writer. */
#include "tell.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span s = span_from(data, size);
    struct arena *a = arena_new(1u << 20);
    struct tell t;
    struct buf b;
    struct err e = ERR_INIT;

    buf_init(&b, 1u << 20);
    if (tell_decode(s, a, &t, &e) == 0) {
        tell_encode(&t, &b);
        if (!b.failed && !span_eq(buf_view(&b), s))
            abort();
    }
    buf_clear(&b);
    arena_free(a);
    return 0;
}
