/* What another node says: what is read is written back the same. */
#include <stdlib.h>

#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct span s = span_from(data, n);
    struct arena *a = arena_new(1u << 24);
    struct sync_answer w;
    struct sync_ask q;
    struct buf b;

    if (a == NULL)
        return 0;
    buf_init(&b, SYNC_MESSAGE_MAX);
    if (sync_ask_decode(s, a, &q, NULL) == 0) {
        sync_ask_encode(&q, &b);
        if (b.failed || !span_eq(buf_view(&b), s))
            abort();
    }
    buf_reset(&b);
    if (sync_answer_decode(s, a, &w, NULL) == 0) {
        sync_answer_encode(&w, &b);
        if (b.failed || !span_eq(buf_view(&b), s))
            abort();
    }
    buf_clear(&b);
    arena_free(a);
    return 0;
}
