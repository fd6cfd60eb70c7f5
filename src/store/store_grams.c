#include "store_grams.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define LINE_DATA  60u /* bytes of rows in a line; with the number of the next, a cache line */
#define SLAB_LINES 1024u
#define AT_ONCE    32u
#define TABLE_BITS 12u /* of the first table's size */

/*
 * Two ways of gathering.  Trigrams of ASCII's letters, digits and space, which most texts consist
 * of, are known by their rank among all that there can be: they are kept as they come, those of one
 * first letter together, and counted and distributed when the segment ends, one letter after
 * another, so that what is written to lies in the nearest caches.  All others stand in a hash
 * table, each with its rows.
 */
#define LETTERS    37u
#define RANKS_ONE  (LETTERS * LETTERS) /* of one first letter */
#define BLOCK_ROOM 8190u               /* entries: a block has 32 KiB */

/* Where the rows of a trigram stand: distances, as in a chunk, in lines that form a ring. */
struct line {
    uint32_t next; /* the last one's: the first */
    uint8_t data[LINE_DATA];
};

struct posting {
    uint32_t gram;
    uint32_t count; /* 0: a free place of the table */
    uint32_t tail;  /* line; none yet where there is but one row, which most rare ones have */
    uint16_t row;   /* the last one */
    uint8_t used;   /* bytes of the last line */
};

struct gather {
    struct posting *table; /* by a hash of the trigram; at most half full */
    unsigned bits;         /* of its size */
    size_t n;              /* places taken */
    struct line **slabs;
    size_t slab_count;
    uint32_t lines;

    struct block *blocks[LETTERS]; /* the newest of each first letter */
    size_t block_count;
};

struct block {
    struct block *before, *behind;
    uint32_t n;
    uint32_t entries[BLOCK_ROOM]; /* rank among those of its letter << 16 | row */
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

static int
table_make(struct gather *g, unsigned bits, struct err *e)
{
    struct posting *table = mem_zero((size_t)1 << bits, sizeof *table);

    if (!table)
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    g->table = table;
    g->bits = bits;
    return 0;
}

struct gather *
gather_new(void)
{
    return mem_zero(1, sizeof(struct gather));
}

void
gather_reset(struct gather *g)
{
    for (size_t i = 0; i < g->slab_count; i++)
        mem_free(g->slabs[i]);
    mem_free(g->slabs);
    mem_free(g->table);
    for (size_t i = 0; i < LETTERS; i++)
        for (struct block *b = g->blocks[i], *before; b; b = before) {
            before = b->before;
            mem_free(b);
        }
    *g = (struct gather){0};
}

void
gather_free(struct gather *g)
{
    if (!g)
        return;
    gather_reset(g);
    mem_free(g);
}

size_t
gather_bytes(const struct gather *g)
{
    return g->slab_count * SLAB_LINES * sizeof(struct line) +
           (g->table ? sizeof *g->table << g->bits : 0) + g->block_count * sizeof(struct block);
}

static size_t
hash_of(const struct gather *g, uint32_t gram)
{
    return (gram * 0x9e3779b1u) >> (32 - g->bits);
}

/* The place of a trigram, taken or free. */
static struct posting *
place_of(const struct gather *g, uint32_t gram)
{
    const size_t mask = ((size_t)1 << g->bits) - 1;
    size_t at = hash_of(g, gram);

    while (g->table[at].count != 0 && g->table[at].gram != gram)
        at = (at + 1) & mask;
    return &g->table[at];
}

static int
table_grow(struct gather *g, struct err *e)
{
    const struct gather old = *g;

    if (!old.table)
        return table_make(g, TABLE_BITS, e);
    if (table_make(g, old.bits + 1, e) < 0)
        return -1;
    for (size_t i = 0; i < (size_t)1 << old.bits; i++)
        if (old.table[i].count != 0)
            *place_of(g, old.table[i].gram) = old.table[i];
    mem_free(old.table);
    return 0;
}

static struct line *
line_of(const struct gather *g, uint32_t n)
{
    return &g->slabs[n / SLAB_LINES][n % SLAB_LINES];
}

static int
line_new(struct gather *g, uint32_t *out, struct err *e)
{
    if (g->lines == g->slab_count * SLAB_LINES) {
        struct line **more = mem_resize(g->slabs, (g->slab_count + 1) * sizeof *more);

        if (more)
            g->slabs = more;
        if (!more || !(more[g->slab_count] = mem_alloc(SLAB_LINES * sizeof **more)))
            return err_set(e, ERR_MEMORY, "no memory for trigrams");
        g->slab_count++;
    }
    *out = g->lines++;
    return 0;
}

/* Appends a distance to the rows of p. */
static int
posting_put(struct gather *g, struct posting *p, uint32_t distance, struct err *e)
{
    char bytes[VARINT_MAX];
    const size_t n = (size_t)(put_varint(bytes, distance) - bytes);
    struct line *l = line_of(g, p->tail);

    for (size_t i = 0; i < n; i++) {
        if (p->used == LINE_DATA) {
            uint32_t next = 0;

            if (line_new(g, &next, e) < 0)
                return -1;
            line_of(g, next)->next = l->next;
            l->next = next;
            l = line_of(g, next);
            p->tail = next;
            p->used = 0;
        }
        l->data[p->used++] = (uint8_t)bytes[i];
    }
    return 0;
}

static int
posting_begin(struct gather *g, struct posting *p, struct err *e)
{
    if (line_new(g, &p->tail, e) < 0)
        return -1;
    line_of(g, p->tail)->next = p->tail;
    p->used = 0;
    return posting_put(g, p, p->row, e);
}

/* One row more for the trigram whose place p is. */
static int
posting_add(struct gather *g, struct posting *p, uint32_t gram, unsigned row, struct err *e)
{
    if (p->count == 0) {
        p->gram = gram;
        g->n++;
    } else if (p->count > 1 && p->used < LINE_DATA && row - p->row < 0x80) {
        line_of(g, p->tail)->data[p->used++] = (uint8_t)(row - p->row); /* nearly always */
    } else if ((p->count == 1 && posting_begin(g, p, e) < 0) ||
               posting_put(g, p, row - p->row, e) < 0) {
        return -1;
    }
    p->row = (uint16_t)row;
    p->count++;
    return 0;
}

/* ---- trigrams by rank ---- */

/* Places in the alphabet, plus one so that 0 is none; they keep the order of ASCII. */
static const uint8_t places[128] = {
    [' '] = 1,  ['0'] = 2,  ['1'] = 3,  ['2'] = 4,  ['3'] = 5,  ['4'] = 6,  ['5'] = 7,  ['6'] = 8,
    ['7'] = 9,  ['8'] = 10, ['9'] = 11, ['a'] = 12, ['b'] = 13, ['c'] = 14, ['d'] = 15, ['e'] = 16,
    ['f'] = 17, ['g'] = 18, ['h'] = 19, ['i'] = 20, ['j'] = 21, ['k'] = 22, ['l'] = 23, ['m'] = 24,
    ['n'] = 25, ['o'] = 26, ['p'] = 27, ['q'] = 28, ['r'] = 29, ['s'] = 30, ['t'] = 31, ['u'] = 32,
    ['v'] = 33, ['w'] = 34, ['x'] = 35, ['y'] = 36, ['z'] = 37};

static uint32_t
letter_at(uint32_t place)
{
    return place == 0 ? ' ' : place <= 10 ? '0' + place - 1 : 'a' + place - 11;
}

static uint32_t
gram_at(uint32_t rank)
{
    return letter_at(rank / RANKS_ONE) << 14 | letter_at(rank / LETTERS % LETTERS) << 7 |
           letter_at(rank % LETTERS);
}

static struct block *
block_add(struct gather *g, uint32_t letter, struct err *e)
{
    struct block *b = mem_alloc(sizeof *b);

    if (!b) {
        err_set(e, ERR_MEMORY, "no memory for trigrams");
        return NULL;
    }
    b->n = 0;
    b->behind = NULL;
    b->before = g->blocks[letter];
    if (b->before)
        b->before->behind = b;
    g->blocks[letter] = b;
    g->block_count++;
    return b;
}

/* ---- all others ---- */

static int
others_add(struct gather *g, unsigned row, const uint32_t *grams, size_t n, struct err *e)
{
    /* Table and lines together do not fit the nearest cache: what a trigram will need is fetched
     * while those before it are done. */
    struct posting *p[AT_ONCE];

    while (!g->table || 2 * (g->n + n) > (size_t)1 << g->bits)
        if (table_grow(g, e) < 0)
            return -1;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&g->table[hash_of(g, grams[i])], 1);
    for (size_t i = 0; i < n; i++) {
        p[i] = place_of(g, grams[i]);
        if (p[i]->count > 1)
            __builtin_prefetch(&line_of(g, p[i]->tail)->data[p[i]->used], 1);
        if (p[i]->count == 0) { /* taken at once: no other new one may stand there */
            if (posting_add(g, p[i], grams[i], row, e) < 0)
                return -1;
            p[i] = NULL;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (p[i] && posting_add(g, p[i], grams[i], row, e) < 0)
            return -1;
    return 0;
}

/* Those of the trigrams that begin with one letter (a place plus 1), as long as they have a rank;
 * how many these are, or 0 and *failed. */
static size_t
letter_add(struct gather *g, unsigned row, const uint32_t *grams, size_t n, uint32_t letter,
           bool *failed, struct err *e)
{
    const uint32_t first = grams[0] >> 14;
    struct block *b = g->blocks[letter - 1];
    size_t i = 0;

    for (; i < n && grams[i] >> 14 == first; i++) {
        const uint32_t second = places[grams[i] >> 7 & 127], third = places[grams[i] & 127];
        const uint32_t rank = (second - 1) * LETTERS + third - 1;

        if (second == 0 || third == 0 || (i > 0 && grams[i] <= grams[i - 1]))
            break;
        if ((!b || b->n == BLOCK_ROOM) && !(b = block_add(g, letter - 1, e))) {
            *failed = true;
            return 0;
        }
        b->entries[b->n++] = rank << 16 | row;
    }
    return i;
}

int
gather_add(struct gather *g, unsigned row, const uint32_t *grams, size_t n, struct err *e)
{
    uint32_t others[AT_ONCE];
    size_t other_n = 0;
    bool failed = false;

    for (size_t i = 0; i < n;) {
        const uint32_t letter = grams[i] >> 21 ? 0 : places[grams[i] >> 14];
        size_t some = 0;

        if (i > 0 && grams[i] <= grams[i - 1])
            return err_set(e, ERR_INTERNAL, "trigrams are not in order");
        if (letter > 0)
            some = letter_add(g, row, grams + i, n - i, letter, &failed, e);
        if (failed)
            return -1;
        if (some == 0) {
            others[other_n++] = grams[i];
            some = 1;
        }
        i += some;
        if (other_n == AT_ONCE) {
            if (others_add(g, row, others, other_n, e) < 0)
                return -1;
            other_n = 0;
        }
    }
    return other_n > 0 ? others_add(g, row, others, other_n, e) : 0;
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
    unsigned rows; /* of the segment */
    chunk_fn *fn;
    void *ctx;
    const struct posting *other, *other_end; /* not handed out yet */
    uint16_t *list;                          /* the rows of all ranks of one first letter */
    size_t list_room;
};

static int
finish_chunk(struct finish *f, struct err *e)
{
    int rc = 0;

    if (f->chunk.failed)
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    if (f->begun)
        rc = f->fn(f->ctx, f->base, buf_view(&f->chunk), e);
    buf_reset(&f->chunk);
    f->begun = false;
    return rc;
}

/* The rows of p as a chunk has them: distances, or bits. */
static void
put_rows(struct buf *out, const struct gather *g, const struct posting *p, unsigned rows)
{
    const struct line *tail;
    uint32_t at;

    if (p->count == rows)
        return;
    if (p->count == 1) {
        char bytes[VARINT_MAX];

        buf_put(out, bytes, (size_t)(put_varint(bytes, p->row) - bytes));
        return;
    }
    tail = line_of(g, p->tail);
    at = tail->next;
    for (; at != p->tail; at = line_of(g, at)->next)
        buf_put(out, line_of(g, at)->data, LINE_DATA);
    buf_put(out, tail->data, p->used);
}

static void
put_bitmap(struct buf *out, struct span distances, unsigned rows)
{
    uint8_t may[8192];
    struct reader r = reader_of(distances);
    uint32_t row = 0;

    memset(may, 0, (rows + 7) / 8);
    while (reader_left(&r) > 0) {
        row += get_varint(&r);
        may[row >> 3 & 8191] |= (uint8_t)(1u << (row & 7));
    }
    buf_put(out, may, (rows + 7) / 8);
}

/* Puts f->entry, the rows of gram, behind what the chunk has. */
static int
finish_entry(struct finish *f, uint32_t gram, uint32_t count, struct err *e)
{
    char head[2 * VARINT_MAX], *end;

    if (f->entry.failed)
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    if (f->begun && f->chunk.n + sizeof head + f->entry.n > CHUNK_BYTES && finish_chunk(f, e) < 0)
        return -1;
    if (!f->begun)
        f->base = f->last = gram;
    f->begun = true;
    end = put_varint(put_varint(head, gram - f->last), count);
    buf_put(&f->chunk, head, (size_t)(end - head));
    buf_span(&f->chunk, buf_view(&f->entry));
    f->last = gram;
    return 0;
}

/* The other trigrams before gram, which come first. */
static int
finish_others(struct finish *f, const struct gather *g, uint64_t gram, struct err *e)
{
    for (; f->other < f->other_end && f->other->gram < gram; f->other++) {
        buf_reset(&f->entry);
        put_rows(&f->entry, g, f->other, f->rows);
        if (f->entry.n > 0 && dense(f->other->count, f->rows)) {
            struct buf bits;

            buf_init(&bits, f->entry.max);
            put_bitmap(&bits, buf_view(&f->entry), f->rows);
            buf_clear(&f->entry);
            f->entry = bits;
        }
        if (finish_entry(f, f->other->gram, f->other->count, e) < 0)
            return -1;
    }
    return 0;
}

/* The rows of a rank as a chunk has them. */
static void
put_list(struct buf *out, const uint16_t *list, uint32_t count, unsigned rows)
{
    const size_t start = out->n;
    uint32_t before = 0;
    char *from, *p;

    if (count == rows)
        return;
    if (dense(count, rows)) {
        uint8_t *bits = (uint8_t *)buf_room(out, (rows + 7) / 8);

        if (!bits)
            return;
        memset(bits, 0, (rows + 7) / 8);
        for (uint32_t i = 0; i < count; i++)
            bits[list[i] >> 3] |= (uint8_t)(1u << (list[i] & 7));
        return;
    }
    p = from = buf_room(out, ROW_MAX * (size_t)count);
    if (!from)
        return;
    for (uint32_t i = 0; i < count; i++) {
        p = put_varint(p, list[i] - before);
        before = list[i];
    }
    buf_cut(out, start + (size_t)(p - from));
}

/* Distributes the rows of what begins with one letter, and hands it out. */
static int
finish_letter(struct finish *f, const struct gather *g, uint32_t letter, struct err *e)
{
    const uint32_t first = letter * RANKS_ONE;
    const struct block *b = g->blocks[letter], *oldest = NULL;
    uint32_t counts[RANKS_ONE] = {0}, at[RANKS_ONE], sum = 0;

    for (; b; oldest = b, b = b->before)
        for (uint32_t i = 0; i < b->n; i++)
            counts[b->entries[i] >> 16]++;
    for (uint32_t i = 0; i < RANKS_ONE; i++) {
        at[i] = sum;
        sum += counts[i];
    }
    if (sum == 0)
        return 0;
    if (sum > f->list_room) {
        mem_free(f->list);
        f->list = mem_alloc(sum * sizeof *f->list);
        f->list_room = f->list ? sum : 0;
    }
    if (!f->list)
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    for (b = oldest; b; b = b->behind)
        for (uint32_t i = 0; i < b->n; i++)
            f->list[at[b->entries[i] >> 16]++] = (uint16_t)b->entries[i];
    for (uint32_t i = 0; i < RANKS_ONE; i++) {
        const uint32_t gram = gram_at(first + i);

        if (counts[i] == 0)
            continue;
        if (finish_others(f, g, gram, e) < 0)
            return -1;
        buf_reset(&f->entry);
        put_list(&f->entry, f->list + at[i] - counts[i], counts[i], f->rows);
        if (finish_entry(f, gram, counts[i], e) < 0)
            return -1;
    }
    return 0;
}

static int
by_gram(const void *a, const void *b)
{
    const struct posting *x = a, *y = b;

    return x->gram < y->gram ? -1 : x->gram > y->gram;
}

int
gather_finish(struct gather *g, unsigned rows, chunk_fn *fn, void *ctx, struct err *e)
{
    struct finish f = {.fn = fn, .ctx = ctx, .rows = rows};
    size_t n = 0;
    int rc = 0;

    /* The table is not needed as one any more: its postings move together. */
    for (size_t i = 0; g->table && i < (size_t)1 << g->bits; i++)
        if (g->table[i].count != 0)
            g->table[n++] = g->table[i];
    if (n > 0)
        qsort(g->table, n, sizeof *g->table, by_gram);
    f.other = g->table;
    f.other_end = n > 0 ? g->table + n : g->table;
    buf_init(&f.chunk, 1u << 20);
    buf_init(&f.entry, 1u << 20);
    for (uint32_t letter = 0; letter < LETTERS && rc == 0; letter++)
        rc = finish_letter(&f, g, letter, e);
    if (rc == 0)
        rc = finish_others(&f, g, UINT64_MAX, e);
    if (rc == 0)
        rc = finish_chunk(&f, e);
    buf_clear(&f.chunk);
    buf_clear(&f.entry);
    mem_free(f.list);
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
