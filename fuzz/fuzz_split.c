/* A stream, cut into pieces whose size the first byte gives: the same is told as for the whole. */
#include <stdint.h>
#include <stdlib.h>
#include "json_split.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* All that is told of a stream, one after the other. */
static void
run(struct span text, size_t piece, struct buf *told)
{
    struct json_split *s = json_split_new(64);
    struct span object;
    struct err e = ERR_INIT;
    enum json_split_event event;
    char *copy = NULL;

    while ((event = json_split_next(s, &object, &e)) != JSON_SPLIT_END &&
           event != JSON_SPLIT_FAILED) {
        if (event == JSON_SPLIT_MORE) {
            struct span part = span_part(text, 0, piece);

            mem_free(copy);
            copy = mem_dup(part.p, part.n); /* its own memory: a pointer kept too long is found */
            if (part.n == 0)
                json_split_finish(s);
            else
                json_split_feed(s, span_from(copy, part.n));
            text = span_part(text, part.n, SIZE_MAX);
            continue;
        }
        buf_u64(told, json_split_pos(s));
        buf_u64(told, json_split_index(s));
        buf_field(told, event == JSON_SPLIT_OBJECT ? object : SPAN("big"));
    }
    buf_u8(told, (unsigned)event);
    buf_u64(told, event == JSON_SPLIT_FAILED ? e.pos : 0);
    buf_u8(told, json_split_kind(s));
    buf_field(told, json_split_type(s));
    buf_field(told, json_split_id(s));
    buf_field(told, json_split_spec_version(s));
    json_split_free(s);
    mem_free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf whole;
    struct buf pieces;

    if (n == 0)
        return 0;
    buf_init(&whole, 1u << 28);
    buf_init(&pieces, 1u << 28);
    run(span_from(data + 1, n - 1), n, &whole);
    run(span_from(data + 1, n - 1), (size_t)data[0] % 32 + 1, &pieces);
    if (!span_eq(buf_view(&whole), buf_view(&pieces)))
        abort();
    buf_clear(&whole);
    buf_clear(&pieces);
    return 0;
}
