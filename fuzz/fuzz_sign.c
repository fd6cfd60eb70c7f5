/* Questions to the signer and its answers, from processes that may have been taken over: what is
 * read is written back the same, to the byte. */
#include <stdlib.h>

#include "pledge_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct span s = span_from(data, n);
    static struct arena *arena;
    struct pledge_reply w;
    struct pledge_ask q;
    struct buf b;

    if (arena == NULL)
        arena = arena_new(8u << 20);
    buf_init(&b, PLEDGE_MSG_MAX + 1);
    if (pledge_ask_decode(s, arena, &q, NULL) == 0) {
        pledge_ask_encode(&q, &b);
        if (b.failed || !span_eq(buf_view(&b), s))
            abort();
    }
    buf_reset(&b);
    if (pledge_reply_decode(s, arena, &w, NULL) == 0) {
        pledge_reply_encode(&w, &b);
        if (b.failed || !span_eq(buf_view(&b), s))
            abort();
    }
    buf_clear(&b);
    arena_reset(arena);
    return 0;
}
