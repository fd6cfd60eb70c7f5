/* A reader whose front writes whatever it likes into the shared memory: the input is that memory.
 * Sealed by nothing but the checks in ring_server.c, it must answer or end the pair, no more. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "loop.h"
#include "ring.h"
#include "ring_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum ring_took
on_request(void *ctx, struct ring_server *s, uint32_t id, struct span record)
{
    struct ring_slot slot;
    size_t need = record.n * (unsigned char)record.p[0] * 13;

    (void)ctx;
    if (record.p[0] == 0)
        return RING_TOOK; /* answered never */
    if (ring_slot_take(s, need, &slot, NULL) < 0)
        return RING_WAIT;
    if (ring_reply(s, id, 200, record.n < 100 ? record : SPAN(""), &slot, need < 100 ? need : 100,
                   NULL) < 0)
        ring_slot_drop(s, &slot);
    return RING_TOOK;
}

static void
on_closed(void *ctx, struct ring_server *s, const struct err *why)
{
    (void)why;
    *(struct ring_server **)ctx = NULL;
    ring_server_free(s);
}

/* Steps of: which counter, its value, then bytes of the ring, between rounds of the loop. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ring_server_events events = {.request = on_request, .closed = on_closed};
    struct ring_fds front, reader;
    struct ring_server *s;
    struct loop *l = loop_new(NULL);
    struct front_memory *m;
    uint32_t at = 0;

    if (l == NULL || ring_create(&front, &reader, NULL) < 0)
        abort();
    m = mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED, front.requests, 0);
    s = ring_server_new(l, &reader, &events, &s, NULL);
    if (m == MAP_FAILED || s == NULL)
        abort();
    while (size >= 6 && s != NULL) {
        uint32_t value;
        size_t n = data[1];

        memcpy(&value, data + 2, 4);
        switch (data[0] % 6) {
        case 0:
            atomic_store(&m->request_head, value);
            break;
        case 1:
            atomic_store(&m->return_head, value % 512);
            break;
        case 2:
            atomic_store(&m->returns[n], value);
            break;
        case 3:
            atomic_store(&m->answer_tail, value);
            break;
        case 4: /* an honest record, to come further than the first check */
            n = n % 64 + 1;
            memcpy(m->requests + at % REQUEST_BYTES, &(uint32_t){(uint32_t)n}, 4);
            memcpy(m->requests + at % REQUEST_BYTES + 4, &value, 4);
            memset(m->requests + at % REQUEST_BYTES + 8, data[1], n);
            at += (8 + (uint32_t)n + 7) & ~7u;
            if (at % REQUEST_BYTES > REQUEST_BYTES - 100)
                at += REQUEST_BYTES - at % REQUEST_BYTES;
            atomic_store(&m->request_head, at);
            break;
        default:
            memcpy(m->requests + value % (REQUEST_BYTES - 8), data + 2, 4);
            break;
        }
        data += 6;
        size -= 6;
        loop_round(l, 0, NULL);
    }
    ring_server_free(s);
    ring_fds_close(&front);
    munmap(m, sizeof *m);
    loop_free(l);
    return 0;
}
