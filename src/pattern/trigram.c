#include "trigram.h"

#include <assert.h>
#include <string.h>
#include "fold.h"
#include "mem.h"
#include "utf8.h"

#define CHUNK     256u              /* code points folded at once */
#define RAW_FIRST 2048u             /* entries of the first allocation: a text of 2 KB */
#define RAW_MAX   (4 * TRIGRAM_MAX) /* unsorted entries kept before they are made a set again */
#define SMALL     48u               /* below this insertion beats counting */

/* Folded to words, ASCII is a space, ten digits and 26 letters.  Their trigrams are bits, which
 * need no sorting; all others are a list.  A word of 64 bits holds those that share two letters,
 * and a bit in `some` says whether it holds any: a text sets a few hundred bits of 87,616. */
#define ALPHABET 37u
#define ROW      64u /* words for one first letter */
#define WORDS    (ALPHABET * ROW)
static_assert(ALPHABET * ALPHABET * ALPHABET <= TRIGRAM_MAX, "ASCII alone is never cut");

struct trigram_set {
    uint64_t bits[WORDS];
    uint64_t some[ALPHABET];
    uint32_t all[TRIGRAM_MAX + 1]; /* those of the bits as they came; the one behind is scratch */
    size_t ascii;                  /* bits set */
    uint32_t *raw;  /* the others as they came; the first sorted_n are a sorted set */
    uint32_t *work; /* the other half of the same allocation */
    size_t n, cap;  /* ascii + n <= cap, so that work can hold the whole list */
    size_t sorted_n;
    bool cut;
};

/* Place in the alphabet; it keeps the order of ASCII. */
static unsigned
letter(uint32_t c)
{
    return c == ' ' ? 0 : c <= '9' ? c - '0' + 1 : c - 'a' + 11;
}

static uint32_t
ascii_of(unsigned letter_no)
{
    return letter_no == 0 ? ' ' : letter_no <= 10 ? '0' + letter_no - 1 : 'a' + letter_no - 11;
}

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
    uint32_t at[4][256] = {{0}};

    for (size_t i = 0; i < n; i++) {
        for (unsigned d = 0; d < 4; d++)
            at[d][v[i] >> 8 * d & 255]++;
    }
    for (unsigned d = 0; d < 4; d++) {
        uint32_t sum = 0;
        for (unsigned k = 0; k < 256; k++) {
            uint32_t count = at[d][k];
            at[d][k] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            w[at[d][v[i] >> 8 * d & 255]++] = v[i];
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
    if (k > TRIGRAM_MAX - s->ascii) {
        k = TRIGRAM_MAX - s->ascii;
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
    for (size_t a = 0; a < ALPHABET; a++) {
        for (uint64_t some = s->some[a]; some != 0; some &= some - 1)
            s->bits[a * ROW + (unsigned)__builtin_ctzll(some)] = 0;
        s->some[a] = 0;
    }
    s->ascii = s->n = s->sorted_n = 0;
    s->cut = false;
}

/* Room for n more entries; n is at most a chunk's. */
static int
room(struct trigram_set *s, size_t n)
{
    if (s->ascii + s->n + n <= s->cap)
        return 0;
    if (s->ascii + s->n + n > RAW_MAX) {
        make_set(s);
        if (s->ascii + s->n + n <= s->cap)
            return 0;
    }
    size_t cap = s->cap == 0 ? RAW_FIRST : s->cap * 2;
    assert(s->ascii + s->n + n <= cap && cap <= 2 * RAW_MAX);
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
    uint32_t cps[CHUNK + 1];
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
        for (size_t i = 0; i < n; i++) {
            uint32_t c = cps[i];
            if (a == 0) {
                ;
            } else if ((a | b | c) < 0x80) {
                unsigned la = letter(a), lb = letter(b);
                uint64_t *word = &s->bits[la * ROW + lb], bit = (uint64_t)1 << letter(c);
                s->all[s->ascii] = gram_of(a, b, c);
                s->ascii += (*word & bit) == 0;
                *word |= bit;
                s->some[la] |= (uint64_t)1 << lb;
            } else {
                s->raw[s->n++] = gram_of(a, b, c);
            }
            if (is_dense(c) && is_dense(b))
                s->raw[s->n++] = pair_of(b, c);
            a = b;
            b = c;
        }
    }
    return 0;
}

/* Those that begin with two letters, from the bits of the third. */
static uint32_t *
put_bits(uint32_t *at, uint32_t two, uint64_t bits)
{
    for (; bits != 0; bits &= bits - 1)
        *at++ = two | ascii_of((unsigned)__builtin_ctzll(bits));
    return at;
}

const uint32_t *
trigram_list(struct trigram_set *s, size_t *n)
{
    uint32_t *at;

    make_set(s);
    at = s->work;
    for (unsigned a = 0; a < ALPHABET; a++) {
        for (uint64_t some = s->some[a]; some != 0; some &= some - 1) {
            unsigned b = (unsigned)__builtin_ctzll(some);
            at = put_bits(at, gram_of(ascii_of(a), ascii_of(b), 0), s->bits[a * ROW + b]);
        }
    }
    /* Hashed ones have the top bit set: they stand behind. */
    if (s->n > 0)
        memcpy(at, s->raw, s->n * sizeof(*at));
    *n = s->ascii + s->n;
    return s->work;
}

const uint32_t *
trigram_items(struct trigram_set *s, size_t *n)
{
    make_set(s);
    if (s->n > 0)
        memcpy(s->all + s->ascii, s->raw, s->n * sizeof(*s->all));
    *n = s->ascii + s->n;
    return s->all;
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
