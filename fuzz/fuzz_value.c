/* Any text as a value of every kind, as a search, and as text: normal forms are their own. */
#include <stdlib.h>
#include <string.h>
#include "fold.h"
#include "trigram.h"
#include "value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_value(const struct value *v)
{
    static struct value_range ranges[VALUE_RANGES_MAX];
    char mem[1024];
    struct value w;
    struct buf b;

    if (v->kind != v->key[0] || !value_from_key(value_key(v), &w))
        abort();
    size_t count = value_ranges(v, VALUE_WIDE, ranges);
    if (count == 0 || count > VALUE_RANGES_MAX)
        abort();
    buf_init_fixed(&b, mem, sizeof(mem));
    value_print(v, &b);
    /* A text defanged twice over is still defanged when it was read once. */
    char again[1024];
    struct buf c;
    buf_init_fixed(&c, again, sizeof(again));
    if (!value_refang(buf_view(&b), &c) || !span_eq(buf_view(&b), buf_view(&c)))
        return;
    if (v->n < VALUE_KEY_MAX &&
        (!value_read(v->kind, buf_view(&b), &w) || !span_eq(value_key(v), value_key(&w))))
        abort();
}

static void
check_text(struct span text)
{
    struct trigram_set *s = trigram_new();
    struct trigram_query q;
    struct err e = ERR_INIT;
    struct buf once, twice;
    size_t count;

    buf_init(&once, 1u << 20);
    buf_init(&twice, 1u << 20);
    fold_words(text, &once);
    fold_words(buf_view(&once), &twice);
    if (!span_eq(buf_view(&once), buf_view(&twice)))
        abort();
    if (s != NULL && trigram_add(s, text) == 0 && trigram_query(text, &q, &e) == 0) {
        /* A text holds all that a query of the same text asks for. */
        const uint32_t *g = trigram_list(s, &count);
        size_t k = 0;
        for (size_t i = 0; i < count && k < q.gram_count; i++)
            k += g[i] == q.grams[k];
        if (k != q.gram_count || (q.gram_count > 0 && !trigram_match(&q, text, &twice)))
            abort();
        trigram_query_clear(&q);
    }
    buf_clear(&once);
    buf_clear(&twice);
    trigram_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span text = span_from(data, n);
    struct value v[VALUE_GUESS_MAX];

    for (unsigned k = 1; k < VALUE_KINDS; k++) {
        if (value_read((enum value_kind)k, text, &v[0]))
            check_value(&v[0]);
    }
    if (value_from_key(text, &v[0])) {
        char mem[1024];
        struct buf b;
        buf_init_fixed(&b, mem, sizeof(mem));
        value_print(&v[0], &b);
    }
    size_t count = value_guess(text, v, VALUE_GUESS_MAX);
    for (size_t i = 0; i < count; i++)
        check_value(&v[i]);
    check_text(text);
    return 0;
}
