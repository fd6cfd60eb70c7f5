/* Any text: the strict reader accepts it exactly if it is its own canonical form. */
#include <stdint.h>
#include <stdlib.h>
#include "json.h"
#include "json_canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span text = span_from(data, n);
    struct json_parser *p = json_parser_new();
    struct arena *a = arena_new(64u << 20);
    struct buf b;
    const struct json *v = json_parse(p, text, a, NULL);
    int same = 0;

    buf_init(&b, 1u << 28);
    if (v != NULL) {
        json_canonical(v, &b);
        same = span_eq(buf_view(&b), text);
    }
    if ((json_canon_check(text, NULL) == 0) != same)
        abort();
    buf_clear(&b);
    arena_free(a);
    json_parser_free(p);
    return 0;
}
