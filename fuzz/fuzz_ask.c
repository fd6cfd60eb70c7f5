/* Questions and answers between processes. */
#include "ask.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span s = span_from(data, size);
    struct arena *a = arena_new(1u << 20);
    struct answer w;
    struct ask q;
    struct buf b;
    struct err e = ERR_INIT;

    buf_init(&b, 2 * ASK_MAX);
    if (ask_decode(s, a, &q, &e) == 0) {
        ask_encode(&q, &b);
        if (!span_eq(buf_view(&b), s))
            abort(); /* one form only */
    }
    (void)answer_decode(s, &w, &e);
    buf_clear(&b);
    arena_free(a);
    return 0;
}
