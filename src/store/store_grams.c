#include "store_grams.h"

#include <string.h>

#include "mem.h"

#define RUN_PAIRS  (1u << 18) /* sorted at a time: 2 MiB, which stays in the cache */
#define RADIX_BITS 11
#define RADIX      (1u << RADIX_BITS)
#define RUN_MAX    (64u << 20) /* bytes of a compressed run: never reached */

/* A pair is the trigram above the row's sixteen bits. */
struct run {
    struct buf b; /* entries: distance of the trigram, count, distances of rows */
    struct reader r;
    uint32_t gram;
    uint32_t count;
    bool over;
};

struct gather {
    uint64_t *pairs, *spare;
    size_t n;
    struct run *runs;
    size_t run_count;
    size_t bytes;
};

#define VARINT_MAX 5 /* bytes of a number */
#define ROW_MAX    3 /* ... of a row's distance, below 65536 */

/* Writes into room that is there; returns what is behind. */
static char *
put_varint(char *p, uint32_t v)
{
    while (v >= 0x80) {
        *p++ = (char)(v | 0x80);
        v >>= 7;
    }
    *p++ = (char)v;
    return p;
}

static uint32_t
get_varint(struct reader *r)
{
    uint32_t v = 0;

    for (unsigned shift = 0; shift < 35; shift += 7) {
        const uint8_t c = reader_u8(r);

        v |= (uint32_t)(c & 0x7f) << shift;
        if (!(c & 0x80))
            return v;
    }
    r->failed = true;
    return 0;
}

struct gather *
gather_new(void)
{
    struct gather *g = mem_zero(1, sizeof *g);

    if (!g)
        return NULL;
    g->pairs = mem_alloc(RUN_PAIRS * sizeof *g->pairs);
    g->spare = mem_alloc(RUN_PAIRS * sizeof *g->spare);
    if (!g->pairs || !g->spare) {
        gather_free(g);
        return NULL;
    }
    return g;
}

void
gather_reset(struct gather *g)
{
    for (size_t i = 0; i < g->run_count; i++)
        buf_clear(&g->runs[i].b);
    mem_free(g->runs);
    g->runs = NULL;
    g->run_count = 0;
    g->bytes = 0;
    g->n = 0;
}

void
gather_free(struct gather *g)
{
    if (!g)
        return;
    gather_reset(g);
    mem_free(g->pairs);
    mem_free(g->spare);
    mem_free(g);
}

size_t
gather_bytes(const struct gather *g)
{
    return g->bytes + g->n * 4;
}

/* By the trigram alone, stably: rows came in order. */
static void
sort_pairs(struct gather *g)
{
    for (unsigned shift = 16; shift < 48; shift += RADIX_BITS) {
        size_t at[RADIX] = {0}, sum = 0;
        uint64_t *t;

        for (size_t i = 0; i < g->n; i++)
            at[g->pairs[i] >> shift & (RADIX - 1)]++;
        if (at[g->pairs[0] >> shift & (RADIX - 1)] == g->n)
            continue; /* all the same here */
        for (size_t i = 0; i < RADIX; i++) {
            const size_t n = at[i];

            at[i] = sum;
            sum += n;
        }
        for (size_t i = 0; i < g->n; i++)
            g->spare[at[g->pairs[i] >> shift & (RADIX - 1)]++] = g->pairs[i];
        t = g->pairs;
        g->pairs = g->spare;
        g->spare = t;
    }
}

/* The pairs from i to `to` have one trigram. */
static void
put_rows(struct gather *g, struct buf *b, size_t i, size_t to, uint32_t distance)
{
    const size_t before = b->n;
    char *from = buf_room(b, 2 * VARINT_MAX + ROW_MAX * (to - i)), *p = from;
    uint32_t row = 0;

    if (!from)
        return;
    p = put_varint(p, distance);
    p = put_varint(p, (uint32_t)(to - i));
    for (; i < to; i++) {
        const uint32_t at = (uint32_t)(g->pairs[i] & 0xffff);

        p = put_varint(p, at - row);
        row = at;
    }
    buf_cut(b, before + (size_t)(p - from));
}

static int
close_run(struct gather *g, struct err *e)
{
    struct run *more = mem_resize(g->runs, (g->run_count + 1) * sizeof *more);
    struct run *run;
    uint32_t last = 0;

    if (!more)
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    g->runs = more;
    run = &more[g->run_count];
    memset(run, 0, sizeof *run);
    buf_init(&run->b, RUN_MAX);
    buf_room(&run->b, 2 * g->n); /* about what it takes: grown once */
    buf_cut(&run->b, 0);
    sort_pairs(g);
    for (size_t i = 0, to; i < g->n; i = to) {
        const uint32_t gram = (uint32_t)(g->pairs[i] >> 16);

        for (to = i + 1; to < g->n && (uint32_t)(g->pairs[to] >> 16) == gram; to++)
            ;
        put_rows(g, &run->b, i, to, gram - last);
        last = gram;
    }
    if (run->b.failed) {
        buf_clear(&run->b);
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    }
    g->run_count++;
    g->bytes += run->b.cap;
    g->n = 0;
    return 0;
}

int
gather_add(struct gather *g, unsigned row, const uint32_t *grams, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (g->n == RUN_PAIRS && close_run(g, e) < 0)
            return -1;
        g->pairs[g->n++] = (uint64_t)grams[i] << 16 | row;
    }
    return 0;
}

/* The next entry's head. */
static void
run_next(struct run *r)
{
    if (reader_left(&r->r) == 0) {
        r->over = true;
        return;
    }
    r->gram += get_varint(&r->r);
    r->count = get_varint(&r->r);
}

static void
run_rows(struct run *r, uint8_t *may)
{
    uint32_t row = 0;

    for (uint32_t i = 0; i < r->count; i++) {
        row += get_varint(&r->r);
        may[row >> 3 & 8191] |= (uint8_t)(1u << (row & 7));
    }
}

/* A heap of runs by (trigram, age). */
static bool
run_before(const struct run *a, const struct run *b)
{
    return a->gram != b->gram ? a->gram < b->gram : a < b;
}

static void
heap_down(struct run **heap, size_t n, size_t at)
{
    for (;;) {
        size_t least = at;
        struct run *t;

        for (size_t kid = 2 * at + 1; kid <= 2 * at + 2 && kid < n; kid++)
            if (run_before(heap[kid], heap[least]))
                least = kid;
        if (least == at)
            return;
        t = heap[at];
        heap[at] = heap[least];
        heap[least] = t;
        at = least;
    }
}

unsigned
chunk_count(const uint8_t *may, unsigned rows)
{
    unsigned n = 0;

    for (unsigned i = 0; i < (rows + 7) / 8; i++)
        for (unsigned bits = may[i]; bits; bits &= bits - 1)
            n++;
    return n;
}

/* Whether an entry is a bitmap. */
static bool
dense(unsigned count, unsigned rows)
{
    return count >= (rows + 7) / 8;
}

void
chunk_put(struct buf *out, uint32_t gram, uint32_t last, const uint8_t *may, unsigned count,
          unsigned rows)
{
    const bool list = count < rows && !dense(count, rows);
    const size_t start = out->n;
    char *from = buf_room(out, 2 * VARINT_MAX + (list ? ROW_MAX * (size_t)count : 0)), *p = from;
    uint32_t before = 0;

    if (!from)
        return;
    p = put_varint(p, gram - last);
    p = put_varint(p, count);
    for (unsigned i = 0, left = list ? count : 0; left > 0 && i < (rows + 7) / 8; i++)
        for (unsigned bits = may[i]; bits; bits &= bits - 1, left--) {
            const uint32_t row = i * 8 + (unsigned)__builtin_ctz(bits);

            p = put_varint(p, row - before);
            before = row;
        }
    buf_cut(out, start + (size_t)(p - from));
    if (!list && count < rows)
        buf_put(out, may, (rows + 7) / 8);
}

struct finish {
    struct buf chunk, entry;
    uint32_t base, last;
    bool begun;
    chunk_fn *fn;
    void *ctx;
};

static int
finish_chunk(struct finish *f, struct err *e)
{
    int rc = 0;

    if (f->chunk.failed || f->entry.failed)
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    if (f->begun)
        rc = f->fn(f->ctx, f->base, buf_view(&f->chunk), e);
    buf_reset(&f->chunk);
    f->begun = false;
    return rc;
}

static int
finish_entry(struct finish *f, uint32_t gram, const uint8_t *may, unsigned count, unsigned rows,
             struct err *e)
{
    buf_reset(&f->entry);
    chunk_put(&f->entry, gram, f->begun ? f->last : gram, may, count, rows);
    if (f->begun && f->chunk.n + f->entry.n > CHUNK_BYTES) {
        if (finish_chunk(f, e) < 0)
            return -1;
        buf_reset(&f->entry);
        chunk_put(&f->entry, gram, gram, may, count, rows);
    }
    if (!f->begun)
        f->base = gram;
    f->begun = true;
    buf_span(&f->chunk, buf_view(&f->entry));
    f->last = gram;
    return 0;
}

static int
merge_runs(struct gather *g, unsigned rows, struct run **heap, struct finish *f, struct err *e)
{
    uint8_t may[8192];
    size_t n = 0;
    int rc = 0;

    for (size_t i = 0; i < g->run_count; i++) {
        g->runs[i].r = reader_of(buf_view(&g->runs[i].b));
        run_next(&g->runs[i]);
        if (!g->runs[i].over)
            heap[n++] = &g->runs[i];
    }
    for (size_t i = n; i-- > 0;)
        heap_down(heap, n, i);
    while (n > 0 && rc == 0) {
        const uint32_t gram = heap[0]->gram;
        unsigned count = 0; /* a row has a trigram in one run alone */

        memset(may, 0, (rows + 7) / 8);
        while (n > 0 && heap[0]->gram == gram) {
            count += heap[0]->count;
            run_rows(heap[0], may);
            run_next(heap[0]);
            if (heap[0]->over)
                heap[0] = heap[--n];
            heap_down(heap, n, 0);
        }
        rc = finish_entry(f, gram, may, count, rows, e);
    }
    return rc < 0 ? -1 : finish_chunk(f, e);
}

int
gather_finish(struct gather *g, unsigned rows, chunk_fn *fn, void *ctx, struct err *e)
{
    struct finish f = {.fn = fn, .ctx = ctx};
    struct run **heap;
    int rc;

    if (g->n > 0 && close_run(g, e) < 0)
        return -1;
    heap = mem_zero(g->run_count + 1, sizeof(struct run *));
    if (!heap)
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    buf_init(&f.chunk, 1u << 20);
    buf_init(&f.entry, 1u << 20);
    rc = merge_runs(g, rows, heap, &f, e);
    buf_clear(&f.chunk);
    buf_clear(&f.entry);
    mem_free(heap);
    gather_reset(g);
    return rc;
}

struct chunk_read
chunk_begin(struct span data, uint32_t base, unsigned rows)
{
    return (struct chunk_read){.r = reader_of(data), .gram = base, .rows = rows};
}

static void
skip_rows(struct chunk_read *c)
{
    if (c->count == c->rows || c->count == 0)
        return;
    if (dense(c->count, c->rows))
        reader_bytes(&c->r, (c->rows + 7) / 8);
    else
        for (unsigned i = 0; i < c->count && !c->r.failed; i++)
            get_varint(&c->r);
}

bool
chunk_next(struct chunk_read *c)
{
    skip_rows(c);
    if (c->r.failed || reader_left(&c->r) == 0) {
        c->failed = c->r.failed;
        return false;
    }
    c->gram += get_varint(&c->r);
    c->count = get_varint(&c->r);
    c->failed = c->r.failed || c->count > c->rows || c->count == 0;
    return !c->failed;
}

void
chunk_rows(struct chunk_read *c, uint8_t *may)
{
    const unsigned bytes = (c->rows + 7) / 8;
    uint32_t row = 0;

    if (c->count == c->rows) {
        memset(may, 0xff, bytes);
        if (c->rows & 7)
            may[bytes - 1] = (uint8_t)((1u << (c->rows & 7)) - 1);
    } else if (dense(c->count, c->rows)) {
        const struct span b = reader_bytes(&c->r, bytes);

        if (b.p)
            memcpy(may, b.p, bytes);
    } else {
        memset(may, 0, bytes);
        for (unsigned i = 0; i < c->count; i++) {
            row += get_varint(&c->r);
            if (c->r.failed || row >= c->rows) {
                c->r.failed = true;
                break;
            }
            may[row >> 3] |= (uint8_t)(1u << (row & 7));
        }
    }
    c->count = 0; /* read */
    c->failed |= c->r.failed;
}
