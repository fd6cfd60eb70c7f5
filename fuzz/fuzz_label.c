/* The label of whatever can be stored: an id that everybody knows to be RED is never read as less,
 * and what does not resolve or is not understood is always said. */
#include <assert.h>

#include "label.h"
#include "stix_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 24);
    struct stix_facts f;
    struct marking_meaning m;
    struct label l;
    struct err e = ERR_INIT;

    assert(a != NULL);
    if (stix_facts_read(span_from(data, size), a, &f, &e) == 0 &&
        label_read(&f, NULL, NULL, a, &l, &e) == 0) {
        for (size_t i = 0; i < f.marking_count; i++) {
            if (marking_builtin(f.markings[i].id, &m)) {
                assert(m.kind != MARKING_TLP || (l.has && l.tlp >= m.tlp));
                assert(m.kind != MARKING_EXERCISE || l.exercise);
            } else {
                assert(l.unclear || l.unresolved_count > 0);
            }
        }
        marking_meaning_read(&f, &m);
        assert(m.kind == MARKING_UNCLEAR || stix_id_is_marking(f.id.text));
    }
    arena_free(a);
    return 0;
}
