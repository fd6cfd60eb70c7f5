/* Any object: what it is found by is listed in order, without doubles and within the limits. */
#include <stdlib.h>
#include "findable.h"
#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct json_parser *jp;
    struct arena *a = arena_new(32u << 20);
    struct err e = ERR_INIT;
    struct findable f;

    if (jp == NULL)
        jp = json_parser_new();
    const struct json *o = json_parse(jp, span_from(data, n), a, &e);
    if (o != NULL && findable_read(o, NULL, a, &f, &e) == 0) {
        struct value v;
        for (size_t i = 0; i < f.value_count; i++) {
            if (!value_from_key(f.values[i].key, &v) ||
                (i > 0 && span_cmp(f.values[i - 1].key, f.values[i].key) >= 0))
                abort();
        }
        for (size_t i = 1; i < f.label_count; i++) {
            if (span_cmp(f.labels[i - 1], f.labels[i]) >= 0)
                abort();
        }
        if (f.value_count > FINDABLE_VALUES_MAX || f.text_count > FINDABLE_TEXTS_MAX)
            abort();
    }
    arena_free(a);
    return 0;
}
