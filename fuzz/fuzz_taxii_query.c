/* TAXII's query parameters, its media types, and next. */
#include "taxii_next.h"
#include "taxii_query.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct key key;
    struct span s = span_from(data, size);
    struct arena *a = arena_new(1u << 20);
    struct taxii_next n = {.kind = TAXII_N_OBJECTS, .scope = SPAN("c")}, back;
    struct buf b;
    struct err e = ERR_INIT;

    buf_init(&b, TAXII_NEXT_MAX);
    if (taxii_query_read(a, s, TAXII_P_OBJECTS, &n.query, &e) == 0) {
        taxii_next_put(&key, &n, &b);
        if (b.failed || taxii_next_get(&key, 1, buf_view(&b), n.kind, n.scope, a, &back, &e) != 0)
            abort(); /* whatever was taken must fit into a next and come back */
    }
    (void)taxii_next_get(&key, 1, s, TAXII_N_OBJECTS, n.scope, a, &back, &e);
    (void)taxii_accept_ok(s);
    (void)taxii_content_ok(s);
    buf_clear(&b);
    arena_free(a);
    return 0;
}
