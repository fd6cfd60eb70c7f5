#include "fold.h"
#include "fold_tables.h"
#include "utf8.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

uint32_t
fold_char(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    if (cp >= 0xff01 && cp <= 0xff5e) /* full-width forms of ASCII */
        return fold_char(cp - 0xff01 + 0x21);
    if (cp == 0x3000) /* the ideographic space */
        return ' ';
    if (cp > fold_runs[COUNT(fold_runs) - 1].last || (cp >= 0x0588 && cp < 0x1e00))
        return cp; /* no script in between has case here: the usual way out for Asian text */
    size_t lo = 0, hi = COUNT(fold_runs);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (cp > fold_runs[mid].last)
            lo = mid + 1;
        else if (cp < fold_runs[mid].first)
            hi = mid;
        else if ((cp - fold_runs[mid].first) % fold_runs[mid].step != 0)
            return cp;
        else
            return (uint32_t)((int32_t)cp + fold_runs[mid].delta);
    }
    return cp;
}

/* Whether cp can be the second half of a pair in fold_pairs. */
static bool
is_mark(uint32_t cp)
{
    return (cp >= 0x0300 && cp <= 0x0345) || cp == 0x0e32 || cp == 0x0eb2 || cp == 0x0bbe ||
           cp == 0x0bd7 || cp == 0x102e;
}

uint32_t
fold_compose(uint32_t base, uint32_t mark)
{
    size_t lo = 0, hi = COUNT(fold_pairs);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        uint32_t b = fold_pairs[mid].base, m = fold_pairs[mid].mark;
        if (b == base && m == mark)
            return fold_pairs[mid].letter;
        if (b < base || (b == base && m < mark))
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

static bool
in_ranges(uint32_t cp, const uint32_t (*r)[2], size_t n)
{
    size_t lo = 0;

    while (lo < n) {
        size_t mid = (lo + n) / 2;
        if (cp > r[mid][1])
            lo = mid + 1;
        else if (cp < r[mid][0])
            n = mid;
        else
            return true;
    }
    return false;
}

bool
fold_ignored(uint32_t cp)
{
    static const uint32_t r[][2] = {
        {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c},   {0x17b4, 0x17b5},
        {0x180b, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202e},   {0x2060, 0x206f},
        {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xe0000, 0xe0fff},
    };
    return cp >= 0xad && in_ranges(cp, r, COUNT(r));
}

bool
fold_space(uint32_t cp)
{
    static const uint32_t r[][2] = {
        {0x0080, 0x00a9}, {0x00ab, 0x00b1}, {0x00b4, 0x00b4}, {0x00b6, 0x00b8}, {0x00bb, 0x00bb},
        {0x00bf, 0x00bf}, {0x00d7, 0x00d7}, {0x00f7, 0x00f7}, {0x02c2, 0x02c5}, {0x0589, 0x058a},
        {0x05be, 0x05be}, {0x060c, 0x060d}, {0x061b, 0x061b}, {0x061f, 0x061f}, {0x066a, 0x066d},
        {0x06d4, 0x06d4}, {0x0964, 0x0965}, {0x0e4f, 0x0e4f}, {0x0e5a, 0x0e5b}, {0x104a, 0x104f},
        {0x1680, 0x1680}, {0x17d4, 0x17da}, {0x1800, 0x180a}, {0x2000, 0x206f}, {0x20a0, 0x20cf},
        {0x2190, 0x2bff}, {0x2e00, 0x2e7f}, {0x3000, 0x3004}, {0x3008, 0x3020}, {0x3030, 0x3030},
        {0x303d, 0x303f}, {0x30fb, 0x30fb}, {0xe000, 0xf8ff}, {0xfe10, 0xfe1f}, {0xfe30, 0xfe6f},
        {0xff5f, 0xff65}, {0xfffc, 0xfffd},
    };
    if (cp < 0x80)
        return !((cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9') || (cp >= 'A' && cp <= 'Z'));
    return in_ranges(cp, r, COUNT(r));
}

struct fold
fold_begin(struct span text, bool words)
{
    return (struct fold){.in = text, .ahead = FOLD_END, .words = words};
}

/* ASCII folded to words: a space stands for what is a gap. */
static uint32_t
ascii_word(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c
           : c >= 'A' && c <= 'Z'                           ? c + 32
                                                            : ' ';
}

/* The next folded code point of the input; FOLD_END for one that vanishes. */
static uint32_t
take(struct fold *f)
{
    uint32_t cp = utf8_next(&f->in);

    if (cp == UTF8_BAD)
        cp = 0xfffd;
    if (fold_ignored(cp))
        return FOLD_END;
    cp = fold_char(cp);
    if (f->ahead != FOLD_END && is_mark(cp)) {
        uint32_t c = fold_compose(f->ahead, cp);
        if (c != 0) {
            f->ahead = c;
            return FOLD_END;
        }
    }
    return f->words && fold_space(cp) ? ' ' : cp;
}

size_t
fold_fill(struct fold *f, uint32_t *out, size_t max)
{
    size_t n = 0;

    while (n < max && f->in.n > 0) {
        uint32_t cp = (unsigned char)f->in.p[0];
        if (cp < 0x80) {
            f->in.p++;
            f->in.n--;
            cp = f->words ? ascii_word(cp) : fold_char(cp);
        } else if ((cp = take(f)) == FOLD_END) {
            continue;
        }
        if (f->words && cp == ' ') {
            f->gap = f->any;
            if (f->ahead != FOLD_END) {
                out[n++] = f->ahead;
                f->ahead = FOLD_END;
            }
            continue;
        }
        /* A gap is only ever open when nothing is held: so at most one code point comes out. */
        if (f->gap) {
            f->gap = false;
            out[n++] = ' ';
        } else if (f->ahead != FOLD_END) {
            out[n++] = f->ahead;
        }
        f->ahead = cp;
        f->any = true;
    }
    if (n < max && f->in.n == 0 && f->ahead != FOLD_END) {
        out[n++] = f->ahead;
        f->ahead = FOLD_END;
    }
    return n;
}

uint32_t
fold_next(struct fold *f)
{
    uint32_t cp;
    return fold_fill(f, &cp, 1) == 1 ? cp : FOLD_END;
}

static void
fold_all(struct span text, bool words, struct buf *out)
{
    struct fold f = fold_begin(text, words);
    uint32_t cps[128];
    size_t n;

    while ((n = fold_fill(&f, cps, COUNT(cps))) > 0) {
        char bytes[4 * COUNT(cps)];
        size_t used = 0;
        for (size_t i = 0; i < n; i++)
            used += utf8_put(cps[i], bytes + used);
        buf_put(out, bytes, used);
    }
}

void
fold_text(struct span text, struct buf *out)
{
    fold_all(text, false, out);
}

void
fold_words(struct span text, struct buf *out)
{
    fold_all(text, true, out);
}
