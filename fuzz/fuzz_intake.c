/* A stream cut into pieces: whatever is kept is canonical, and can be believed from its bytes. */
#include <assert.h>

#include "intake_stream.h"
#include "json_canon.h"
#include "stix_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct intake_stream *s = intake_stream_new(size % 2 ? INTAKE_STRICT : INTAKE_NORMAL);
    struct arena *a = arena_new(1 << 24);
    struct intake_result r;
    struct stix_facts f;
    struct err e = ERR_INIT;
    size_t half = size / 2;
    unsigned fed = 0;
    enum intake_event event;

    assert(s != NULL && a != NULL && crypto_start(&e) == 0);
    while ((event = intake_stream_next(s, &r, &e)) == INTAKE_MORE || event == INTAKE_OBJECT) {
        if (event == INTAKE_OBJECT && r.class != INTAKE_REFUSED) {
            assert(json_canon_check(r.canonical, &e) == 0);
            assert(stix_facts_read(r.canonical, a, &f, &e) == 0 || e.code == ERR_LIMIT);
            assert(e.code == ERR_LIMIT || span_eq(f.id.text, r.id));
        } else if (event == INTAKE_MORE && fed++ < 2) {
            intake_stream_feed(s,
                               span_from(data + (fed - 1) * half, fed == 1 ? half : size - half));
        } else if (event == INTAKE_MORE) {
            assert(fed == 3);
            intake_stream_finish(s);
        }
        arena_reset(a);
    }
    assert(event == INTAKE_END || event == INTAKE_BROKEN);
    intake_stream_free(s);
    arena_free(a);
    return 0;
}
