/* A message from a sibling that was taken over: what is read is written as the same bytes again. */
#include <assert.h>
#include <string.h>

#include "intake_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 24);
    struct intake_result r;
    struct buf b;
    struct err e = ERR_INIT;

    assert(a != NULL);
    if (intake_decode(span_from(data, size), a, &r, &e) == 0) {
        buf_init(&b, INTAKE_MSG_MAX);
        intake_encode(&r, &b);
        assert(!b.failed && b.n == size && memcmp(b.p, data, size) == 0);
        buf_clear(&b);
    } else {
        assert(e.code == ERR_PROTOCOL || e.code == ERR_LIMIT);
    }
    arena_free(a);
    return 0;
}
