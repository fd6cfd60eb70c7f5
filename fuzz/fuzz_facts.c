/* Any bytes: what is read of them lies in them or in the arena, and within the bounds. */
#include <stdint.h>
#include <stdlib.h>
#include "stix_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *a = arena_new(64u << 20);
    struct err e = ERR_INIT;
    struct stix_facts f;
    struct stix_id id;

    if (stix_facts_read(span_from(data, n), a, &f, &e) == 0) {
        if (!stix_id_read(f.id.text, &id) || f.class == STIX_BUNDLE ||
            f.ref_count > STIX_REFS_MAX || f.label_count > STIX_LABELS_MAX ||
            f.marking_count > STIX_MARKINGS_MAX || f.ext_count > STIX_EXTS_MAX)
            abort();
        for (size_t i = 0; i < f.ref_count; i++)
            if (!stix_id_read(f.refs[i].id, &id) || stix_id_is_marking(f.refs[i].id))
                abort();
    } else if (e.code == ERR_NONE) {
        abort();
    }
    arena_free(a);
    return 0;
}
