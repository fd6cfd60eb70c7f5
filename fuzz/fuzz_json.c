/* Any text: what is read has a canonical form, which the strict reader accepts, and which reads and
 * prints the same again. */
#include <stdint.h>
#include <stdlib.h>
#include "json.h"
#include "json_canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct json_parser *p = json_parser_new();
    struct arena *a = arena_new(64u << 20);
    struct err e = ERR_INIT;
    struct buf first;
    struct buf second;
    const struct json *v = json_parse(p, span_from(data, n), a, &e);

    buf_init(&first, 1u << 28);
    buf_init(&second, 1u << 28);
    if (v != NULL) {
        json_canonical(v, &first);
        if (first.n <= JSON_TEXT_MAX) {
            if (json_canon_check(buf_view(&first), &e) < 0)
                abort();
            v = json_parse(p, buf_view(&first), a, &e);
            if (v == NULL)
                abort();
            json_canonical(v, &second);
            if (!span_eq(buf_view(&first), buf_view(&second)))
                abort();
        }
    } else if (e.code == ERR_NONE || e.pos > n) {
        abort();
    }
    buf_clear(&first);
    buf_clear(&second);
    arena_free(a);
    json_parser_free(p);
    return 0;
}
