/* Notes and what is signed, from outside: what is read is written back the same, to the byte. */
#include <stdlib.h>

#include "head.h"
#include "note.h"

static const struct uuid nobody;
static const struct sign_public no_key;

static void
note_of(struct span s)
{
    char mem[NOTE_MAX + 1];
    struct note n;
    struct buf b;

    if (note_read(s, &n, NULL) < 0)
        return;
    buf_init_fixed(&b, mem, sizeof mem);
    buf_span(&b, n.text);
    buf_str(&b, "\n");
    for (size_t i = 0; i < n.n; i++) {
        buf_str(&b, "\xe2\x80\x94 ");
        buf_span(&b, n.line[i].name);
        buf_str(&b, " ");
        buf_span(&b, n.line[i].base64);
        buf_str(&b, "\n");
        note_verify(&n, n.line[i].name, &no_key, NULL);
    }
    if (b.failed || !span_eq(buf_view(&b), s))
        abort();
}

#define BOTH(T)                                                                                    \
    do {                                                                                           \
        struct T s;                                                                                \
                                                                                                   \
        buf_reset(&b);                                                                             \
        if (T##_parse(text, &s, NULL) == 0 &&                                                      \
            (T##_text(&s, &b, NULL) < 0 || !span_eq(buf_view(&b), text)))                          \
            abort();                                                                               \
        buf_reset(&b);                                                                             \
        if (T##_decode(text, &s, NULL) == 0) {                                                     \
            if (T##_encode(&s, &b, NULL) < 0 || !span_eq(buf_view(&b), text))                      \
                abort();                                                                           \
            buf_reset(&b);                                                                         \
            if (T##_text(&s, &b, NULL) < 0 || T##_parse(buf_view(&b), &s, NULL) < 0)               \
                abort();                                                                           \
        }                                                                                          \
        if (T##_note_read(text, &nobody, &no_key, &s, NULL) == 0)                                  \
            abort(); /* nobody's key signs nothing */                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct span text = span_from(data, n);
    char mem[SAID_TEXT_MAX];
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    note_of(text);
    BOTH(head);
    BOTH(receipt);
    BOTH(erase_notice);
    BOTH(vote);
    BOTH(circle_mark);
    BOTH(out_notice);
    return 0;
}
