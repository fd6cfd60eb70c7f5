/* Any text as a STIX pattern: what is read prints, and what is printed reads as the same tree. */
#include <stdlib.h>
#include "pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(16u << 20);
    const struct pattern *p, *q;
    struct err e = ERR_INIT;
    struct buf one, two;

    buf_init(&one, 4u << 20);
    buf_init(&two, 4u << 20);
    if (pattern_read(span_from(data, n), a, &p, &e) == 0) {
        pattern_print(p, &one);
        if (one.failed || pattern_read(buf_view(&one), a, &q, &e) != 0 || !pattern_equal(p, q))
            abort();
        pattern_print(q, &two);
        if (!span_eq(buf_view(&one), buf_view(&two)))
            abort();
    } else if (e.pos > n) {
        abort();
    }
    buf_clear(&one);
    buf_clear(&two);
    arena_free(a);
    return 0;
}
