#include "trigram.h"

#include <assert.h>
#include <string.h>
#include "fold.h"
#include "mem.h"
#include "utf8.h"

#define CHUNK      256u              /* code points folded at once */
#define RAW_FIRST  2048u             /* entries of the first allocation: a text of 2 KB */
#define RAW_MAX    (4 * TRIGRAM_MAX) /* unsorted entries kept before they are made a set again */
#define DIGIT_BITS 11
#define DIGITS     (1u << DIGIT_BITS)
#define SMALL      48u /* below this insertion beats counting */

struct trigram_set {
    uint32_t *raw;  /* entries as they came; the first sorted_n are a sorted set */
    uint32_t *work; /* the other half of the same allocation */
    size_t n, cap;
    size_t sorted_n;
    bool cut;
};

static uint32_t
gram_of(uint32_t a, uint32_t b, uint32_t c)
{
    if ((a | b | c) < 0x80)
        return a << 14 | b << 7 | c;
    uint64_t h = ((uint64_t)a << 42 | (uint64_t)b << 21 | c) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 33) | 0x80000000u;
}

/* Scripts whose words are often two characters long. */
static bool
is_dense(uint32_t cp)
{
    return cp >= 0x2e80 && ((cp >= 0x3040 && cp <= 0x30ff) || (cp >= 0x3400 && cp <= 0x9fff) ||
                            (cp >= 0xac00 && cp <= 0xd7a3) || (cp >= 0xf900 && cp <= 0xfaff) ||
                            (cp >= 0x20000 && cp <= 0x3ffff));
}

/* An entry that no trigram has on purpose: 0 is no folded code point. */
static uint32_t
pair_of(uint32_t a, uint32_t b)
{
    return gram_of(0, a, b);
}

static void
sort_small(uint32_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t x = v[i];
        size_t k = i;
        for (; k > 0 && v[k - 1] > x; k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

/* Sorts v with the help of w; returns the one that holds the result. */
static uint32_t *
sort_radix(uint32_t *v, uint32_t *w, size_t n)
{
    uint32_t all = 0;

    for (size_t i = 0; i < n; i++)
        all |= v[i];
    for (unsigned shift = 0; shift < 32 && all >> shift != 0; shift += DIGIT_BITS) {
        uint32_t at[DIGITS] = {0};
        for (size_t i = 0; i < n; i++)
            at[v[i] >> shift & (DIGITS - 1)]++;
        uint32_t sum = 0;
        for (size_t d = 0; d < DIGITS; d++) {
            uint32_t count = at[d];
            at[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            w[at[v[i] >> shift & (DIGITS - 1)]++] = v[i];
        uint32_t *t = v;
        v = w;
        w = t;
    }
    return v;
}

static void
make_set(struct trigram_set *s)
{
    if (s->sorted_n == s->n)
        return;
    if (s->n < SMALL) {
        sort_small(s->raw, s->n);
    } else {
        uint32_t *r = sort_radix(s->raw, s->work, s->n);
        if (r != s->raw) {
            s->work = s->raw;
            s->raw = r;
        }
    }
    size_t k = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (k == 0 || s->raw[k - 1] != s->raw[i])
            s->raw[k++] = s->raw[i];
    }
    if (k > TRIGRAM_MAX) {
        k = TRIGRAM_MAX;
        s->cut = true;
    }
    s->n = s->sorted_n = k;
}

struct trigram_set *
trigram_new(void)
{
    return mem_zero(1, sizeof(struct trigram_set));
}

/* raw and work lie in one allocation, in either order. */
static uint32_t *
memory(const struct trigram_set *s)
{
    return s->raw == NULL || s->raw < s->work ? s->raw : s->work;
}

void
trigram_free(struct trigram_set *s)
{
    if (s == NULL)
        return;
    mem_free(memory(s));
    mem_free(s);
}

void
trigram_reset(struct trigram_set *s)
{
    s->n = s->sorted_n = 0;
    s->cut = false;
}

/* Room for n more entries; n is at most a chunk's. */
static int
room(struct trigram_set *s, size_t n)
{
    if (n <= s->cap - s->n)
        return 0;
    if (s->n + n > RAW_MAX) {
        make_set(s);
        if (n <= s->cap - s->n)
            return 0;
    }
    size_t cap = s->cap == 0 ? RAW_FIRST : s->cap * 2;
    assert(s->n + n <= cap && cap <= 2 * RAW_MAX);
    uint32_t *p = mem_alloc(2 * cap * sizeof(*p));
    if (p == NULL)
        return -1;
    if (s->n > 0)
        memcpy(p, s->raw, s->n * sizeof(*p));
    mem_free(memory(s));
    s->raw = p;
    s->work = p + cap;
    s->cap = cap;
    return 0;
}

int
trigram_add(struct trigram_set *s, struct span text)
{
    struct fold f = fold_begin(text, true);
    uint32_t cps[CHUNK + 2];
    uint32_t a = 0, b = ' '; /* a == 0: only one code point so far */
    bool more = true, some = false;

    while (more && !s->cut) {
        size_t n = fold_fill(&f, cps, CHUNK);
        some = some || n > 0;
        if (n < CHUNK) {
            more = false;
            if (some)
                cps[n++] = ' ';
        }
        if (room(s, 2 * n) != 0)
            return -1;
        uint32_t *out = s->raw + s->n;
        for (size_t i = 0; i < n; i++) {
            uint32_t c = cps[i];
            if (a != 0)
                *out++ = gram_of(a, b, c);
            if (is_dense(c) && is_dense(b))
                *out++ = pair_of(b, c);
            a = b;
            b = c;
        }
        s->n = (size_t)(out - s->raw);
    }
    return 0;
}

const uint32_t *
trigram_list(struct trigram_set *s, size_t *n)
{
    make_set(s);
    *n = s->n;
    return s->raw;
}

bool
trigram_cut(const struct trigram_set *s)
{
    return s->cut;
}

int
trigram_query(struct span text, struct trigram_query *out, struct err *e)
{
    uint32_t cps[TRIGRAM_QUERY_MAX + 3] = {' '};
    size_t bad;

    if (!utf8_valid(text, &bad))
        return err_set_at(e, ERR_ENCODING, bad, "the search text is not UTF-8");
    struct fold f = fold_begin(text, true);
    size_t n = fold_fill(&f, cps + 1, TRIGRAM_QUERY_MAX + 1);
    if (n > TRIGRAM_QUERY_MAX)
        return err_set(e, ERR_LIMIT, "the search text is too long");

    struct trigram_query q = {0};
    bool pair = n == 2 && is_dense(cps[1]) && is_dense(cps[2]);
    q.whole_word = n > 0 && n < 3 && !pair;
    const uint32_t *from = cps + 1;
    if (q.whole_word) {
        cps[n + 1] = ' ';
        from = cps;
        n += 2;
    }
    uint32_t *grams = mem_alloc((n + 1) * sizeof(*grams) + 4 * n + 1);
    if (grams == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    char *bytes = (char *)(grams + n + 1);
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        used += utf8_put(from[i], bytes + used);
    size_t k = 0;
    if (pair)
        grams[k++] = pair_of(from[0], from[1]);
    for (size_t i = 0; i + 2 < n; i++)
        grams[k++] = gram_of(from[i], from[i + 1], from[i + 2]);
    sort_small(grams, k);
    for (size_t i = 0; i < k; i++) {
        if (q.gram_count == 0 || grams[q.gram_count - 1] != grams[i])
            grams[q.gram_count++] = grams[i];
    }
    q.grams = grams;
    q.folded = span_from(bytes, used);
    q.mem = grams;
    *out = q;
    return 0;
}

void
trigram_query_clear(struct trigram_query *q)
{
    mem_free(q->mem);
    *q = (struct trigram_query){0};
}

bool
trigram_match(const struct trigram_query *q, struct span text, struct buf *scratch)
{
    if (q->folded.n == 0)
        return false;
    buf_reset(scratch);
    buf_u8(scratch, ' ');
    fold_words(text, scratch);
    buf_u8(scratch, ' ');
    return !scratch->failed && span_find_span(buf_view(scratch), q->folded) >= 0;
}
