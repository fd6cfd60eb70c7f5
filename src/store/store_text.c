#include "store_text.h"

#include <assert.h>
#include <string.h>

#include "mem.h"
#include "store_grams.h"
#include "store_rows.h"
#include "trigram.h"

#define GATHER_MAX (32u << 20) /* bytes of packed trigrams: then a segment ends early */
#define GATHER_FEW 256         /* rows that the first commit after a start can well gather anew */
#define TAIL_MAX   (SIG_BYTES * (STORE_COMMIT_MAX + 1u))
static_assert(STORE_COMMIT_GOOD == SEG_ROWS, "a large commit ends with a segment");

#define INDEX_ARENA (64u << 20) /* what one object's index rows may take */

struct grams {
    uint64_t from; /* first publication of the unfinished segment */
    uint64_t next; /* segment number */
    bool whole;    /* everything since `from` is gathered */
    struct gather *gather;
    struct trigram_set *set;
    uint64_t tail_from; /* of the signatures not written yet */
    struct buf tail;
    struct late *late; /* of each of these rows */
    size_t late_n, late_room;
};

/* What a row's signature is made of when it is written: most segments end before. */
struct late {
    const uint32_t *grams; /* borrowed until the commit; NULL: the signature stands */
    size_t n;
};

void
grams_free(struct grams *g)
{
    if (!g)
        return;
    gather_free(g->gather);
    trigram_free(g->set);
    buf_clear(&g->tail);
    mem_free(g->late);
    mem_free(g);
}

static int
grams_open(struct store *s, uint64_t p, struct err *e)
{
    struct grams *g = mem_zero(1, sizeof *g);
    int64_t n = 0, to = 0;

    if (g) {
        buf_init(&g->tail, TAIL_MAX);
        g->gather = gather_new();
        g->set = trigram_new();
    }
    if (!g || !g->gather || !g->set) {
        grams_free(g);
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    }
    if (sql_number(s, &n, e, "SELECT max(n) FROM text_segment", "") < 0 ||
        sql_number(s, &to, e, "SELECT max(p_to) FROM text_segment", "") < 0) {
        grams_free(g);
        return -1;
    }
    g->next = (uint64_t)n + 1;
    g->from = (uint64_t)to + 1;
    g->whole = g->from == p;
    g->tail_from = p;
    s->grams = g;
    return 0;
}

static void
sig_set(uint8_t *sig, uint32_t gram)
{
    const uint32_t h = (gram * 0x9e3779b1u) >> 22; /* ten bits: 1,024 of a signature */

    sig[h >> 3] |= (uint8_t)(1u << (h & 7));
}

static bool
sig_may(const uint8_t *sig, const uint32_t *grams, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t h = (grams[i] * 0x9e3779b1u) >> 22;

        if (!(sig[h >> 3] >> (h & 7) & 1))
            return false;
    }
    return true;
}

static int
set_texts(struct grams *g, const struct store_index *x, const uint32_t **list, size_t *n,
          struct err *e)
{
    trigram_reset(g->set);
    for (size_t i = 0; i < x->text_count; i++)
        if (trigram_add(g->set, x->texts[i]) < 0)
            return err_set(e, ERR_MEMORY, "no memory for trigrams");
    *list = trigram_list(g->set, n);
    return 0;
}

/* ---- writing a segment ---- */

struct writing {
    struct store *s;
    uint64_t segment;
};

static int
write_chunk(void *ctx, uint32_t base, struct span data, struct err *e)
{
    const struct writing *w = ctx;

    return sql_do(w->s, e, "INSERT INTO text_chunk (k, data) VALUES (?1, ?2)", "ib",
                  (int64_t)(w->segment << 32 | base), data);
}

static int
close_segment(struct store *s, uint64_t to, struct err *e)
{
    struct grams *g = s->grams;
    struct writing w = {s, g->next};

    if (gather_finish(g->gather, (unsigned)(to - g->from + 1), write_chunk, &w, e) < 0 ||
        sql_do(s, e, "INSERT INTO text_segment (n, p_from, p_to) VALUES (?1, ?2, ?3)", "iii",
               (int64_t)g->next, (int64_t)g->from, (int64_t)to) < 0 ||
        sql_do(s, e, "DELETE FROM text_tail WHERE p <= ?1", "i", (int64_t)to) < 0)
        return -1;
    g->next++;
    g->from = to + 1;
    if (g->tail_from <= to) {
        /* What is not written yet lies in the segment wholly: it is closed at its last row. */
        buf_reset(&g->tail);
        g->late_n = 0;
        g->tail_from = to + 1;
    }
    return 0;
}

/* The trigrams of a stored publication, made anew.  Segments that end early do so here too. */
static int
gather_stored(struct store *s, uint64_t p, struct arena *a, struct err *e)
{
    struct grams *g = s->grams;
    struct store_index x = {0};
    const uint32_t *list = NULL;
    struct db_stmt *q;
    struct span bytes;
    struct row r;
    size_t n;
    int rc = row_get(s, p, &r, e);

    if (rc < 0 || (rc == 1 && !row_living(&r)))
        return rc < 0 ? -1 : 0;
    if (rc == 0)
        return err_set(e, ERR_CORRUPT, "a publication is not there");
    if (row_bytes(s, r.object, &q, &bytes, e) < 0)
        return -1;
    rc = s->index(s->index_ctx, bytes, a, &x, e);
    if (rc == 0)
        rc = set_texts(g, &x, &list, &n, e);
    if (rc == 0)
        rc = gather_add(g->gather, (unsigned)(p - g->from), list, n, e);
    sql_end(s, q);
    return rc;
}

static int
gather_again(struct store *s, uint64_t to, struct err *e)
{
    struct grams *g = s->grams;
    struct arena *a = arena_new(INDEX_ARENA);
    int rc = 0;

    if (!a)
        return err_set(e, ERR_MEMORY, "no memory for trigrams");
    gather_reset(g->gather);
    rc = rows_flush_wide(s, e);
    for (uint64_t p = g->from; p <= to && rc == 0; p++) {
        arena_reset(a);
        rc = gather_stored(s, p, a, e);
        if (rc == 0 && p < to && gather_bytes(g->gather) > GATHER_MAX) {
            const uint64_t tail_from = g->tail_from;

            g->tail_from = to + 1; /* keep what is not written: it lies behind this segment */
            rc = close_segment(s, p, e);
            g->tail_from = tail_from;
        }
    }
    g->whole = rc == 0;
    arena_free(a);
    return rc;
}

/* Where little was stored since the last segment, as before a first import, it is gathered now and
 * not with the whole segment later. */
static int
gather_few(struct store *s, uint64_t p, struct err *e)
{
    struct grams *g = s->grams;
    struct err why = ERR_INIT;

    if (g->whole || !s->index || p - g->from > GATHER_FEW || gather_again(s, p - 1, &why) == 0)
        return 0;
    if (why.code != ERR_MEMORY || s->failed) {
        if (e)
            *e = why;
        return -1;
    }
    gather_reset(g->gather); /* it can be done later */
    return 0;
}

/* A row without a signature yet; grams that stay until the commit are looked at then. */
static int
tail_add(struct grams *g, uint64_t p, const uint32_t *list, size_t n, bool stays, struct err *e)
{
    uint8_t sig[SIG_BYTES] = {0};

    if (g->late_n == g->late_room) {
        const size_t room = g->late_room ? 2 * g->late_room : 64;
        struct late *more = mem_resize(g->late, room * sizeof *more);

        if (!more)
            return err_set(e, ERR_MEMORY, "no memory for signatures");
        g->late = more;
        g->late_room = room;
    }
    if (g->tail.n == 0)
        g->tail_from = p;
    for (size_t i = 0; !stays && i < n; i++)
        sig_set(sig, list[i]);
    g->late[g->late_n++] = (struct late){stays ? list : NULL, n};
    buf_put(&g->tail, sig, sizeof sig);
    return g->tail.failed ? err_set(e, ERR_MEMORY, "no memory for signatures") : 0;
}

int
text_put(struct store *s, uint64_t p, const struct store_index *x, struct err *e)
{
    const bool given = x && x->grams;
    const uint32_t *list = NULL;
    struct grams *g;
    size_t n = 0;

    if (!s->grams && (grams_open(s, p, e) < 0 || gather_few(s, p, e) < 0))
        return -1;
    g = s->grams;
    if (given) {
        list = x->grams;
        n = x->gram_count;
    } else if (x && set_texts(g, x, &list, &n, e) < 0) {
        return -1;
    }
    if (tail_add(g, p, list, n, given, e) < 0)
        return -1;
    if (g->whole && n > 0 && gather_add(g->gather, (unsigned)(p - g->from), list, n, e) < 0)
        return -1;
    if (p - g->from + 1 < SEG_ROWS && (!g->whole || gather_bytes(g->gather) <= GATHER_MAX))
        return 0;
    if (!g->whole) {
        if (!s->index)
            return 0; /* signatures will have to do */
        if (gather_again(s, p, e) < 0)
            return -1;
    }
    return close_segment(s, p, e);
}

int
text_flush(struct store *s, struct err *e)
{
    struct grams *g = s->grams;
    int rc;

    if (!g || g->tail.n == 0)
        return 0;
    for (size_t i = 0; i < g->late_n; i++)
        for (size_t k = 0; g->late[i].grams && k < g->late[i].n; k++)
            sig_set((uint8_t *)g->tail.p + i * SIG_BYTES, g->late[i].grams[k]);
    rc = sql_do(s, e, "INSERT INTO text_tail (p, data) VALUES (?1, ?2)", "ib",
                (int64_t)g->tail_from, buf_view(&g->tail));
    buf_reset(&g->tail);
    g->late_n = 0;
    return rc;
}

uint32_t
text_left(const struct store *s)
{
    const uint64_t next = s->state.p + 1;

    if (!s->grams || next < s->grams->from || next - s->grams->from >= SEG_ROWS)
        return 0;
    return SEG_ROWS - (uint32_t)(next - s->grams->from);
}

/* ---- erasing ---- */

static bool
clear_rows(uint8_t *may, uint64_t from, unsigned rows, const uint64_t *p, size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        const uint64_t at = p[i] - from;

        if (p[i] < from || at >= rows || !(may[at >> 3] >> (at & 7) & 1))
            continue;
        may[at >> 3] &= (uint8_t) ~(1u << (at & 7));
        any = true;
    }
    return any;
}

static bool
none_left(const uint8_t *may, unsigned rows)
{
    for (unsigned i = 0; i < (rows + 7) / 8; i++)
        if (may[i])
            return false;
    return true;
}

/* The chunk without these rows, into out; *changed tells whether it had any. */
static int
chunk_without(struct span data, uint32_t base, uint64_t from, unsigned rows, const uint64_t *p,
              size_t n, struct buf *out, bool *changed, struct err *e)
{
    struct chunk_read c = chunk_begin(data, base, rows);
    uint8_t may[SEG_ROWS / 8];
    uint32_t last = base;

    *changed = false;
    while (chunk_next(&c)) {
        const uint32_t gram = c.gram;

        chunk_rows(&c, may);
        if (c.failed)
            break;
        *changed |= clear_rows(may, from, rows, p, n);
        if (none_left(may, rows))
            continue;
        chunk_put(out, gram, last, may, chunk_count(may, rows), rows);
        last = gram;
    }
    if (c.failed)
        return err_set(e, ERR_CORRUPT, "a text segment cannot be read");
    return out->failed ? err_set(e, ERR_MEMORY, "no memory for trigrams") : 0;
}

static int
erase_segment(struct store *s, uint64_t segment, uint64_t from, uint64_t to, const uint64_t *p,
              size_t n, struct err *e)
{
    uint64_t k = segment << 32;
    struct buf out;
    int rc;

    buf_init(&out, 1u << 20);
    for (;;) {
        struct db_stmt *q = sql_ask(s, e,
                                    "SELECT k, data FROM text_chunk WHERE k >= ?1 AND k < ?2 "
                                    "ORDER BY k LIMIT 1",
                                    "ii", (int64_t)k, (int64_t)((segment + 1) << 32));
        bool changed;

        if (!q || (rc = sql_step(s, q, e)) <= 0) {
            rc = q ? rc : -1;
            break;
        }
        k = (uint64_t)sql_int(s, q, 0);
        buf_reset(&out);
        rc = chunk_without(sql_bytes(s, q, 1), (uint32_t)k, from, (unsigned)(to - from + 1), p, n,
                           &out, &changed, e);
        sql_end(s, q);
        if (rc == 0 && changed)
            rc = sql_do(s, e, "UPDATE text_chunk SET data = ?2 WHERE k = ?1", "ib", (int64_t)k,
                        buf_view(&out));
        if (rc < 0)
            break;
        k++;
    }
    buf_clear(&out);
    return rc;
}

static int
erase_tail(struct store *s, uint64_t p, struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT p, data FROM text_tail WHERE p <= ?1 ORDER BY p DESC LIMIT 1", "i",
                (int64_t)p);
    uint64_t from;
    struct buf b;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    from = (uint64_t)sql_int(s, q, 0);
    buf_init(&b, TAIL_MAX);
    buf_span(&b, sql_bytes(s, q, 1));
    sql_end(s, q);
    rc = 0;
    if (b.failed)
        rc = err_set(e, ERR_MEMORY, "no memory for signatures");
    else if ((p - from + 1) * SIG_BYTES <= b.n) {
        memset(b.p + (p - from) * SIG_BYTES, 0, SIG_BYTES);
        rc = sql_do(s, e, "UPDATE text_tail SET data = ?2 WHERE p = ?1", "ib", (int64_t)from,
                    buf_view(&b));
    }
    buf_clear(&b);
    return rc;
}

int
text_erase(struct store *s, const uint64_t *p, size_t n, struct err *e)
{
    uint64_t done = 0;

    /* What is gathered names them too; it is made anew when it is needed. */
    if (s->grams && n > 0 && p[n - 1] >= s->grams->from) {
        s->grams->whole = false;
        gather_reset(s->grams->gather);
    }
    for (size_t i = 0; i < n; i++) {
        struct db_stmt *q;
        int64_t segment, from, to;
        int rc;

        if (p[i] <= done)
            continue;
        q = sql_ask(s, e,
                    "SELECT n, p_from, p_to FROM text_segment WHERE p_from <= ?1 AND p_to >= ?1",
                    "i", (int64_t)p[i]);
        if (!q || (rc = sql_step(s, q, e)) < 0)
            return -1;
        if (rc == 0) {
            if (erase_tail(s, p[i], e) < 0)
                return -1;
            continue;
        }
        segment = sql_int(s, q, 0);
        from = sql_int(s, q, 1);
        to = sql_int(s, q, 2);
        sql_end(s, q);
        if (erase_segment(s, (uint64_t)segment, (uint64_t)from, (uint64_t)to, p, n, e) < 0)
            return -1;
        done = (uint64_t)to;
    }
    return 0;
}

/* ---- looking up ---- */

/* The rows of one trigram into may; 0: it is not in the segment. */
static int
look_up(struct store *s, uint64_t segment, unsigned rows, uint32_t gram, uint8_t *may,
        struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT k, data FROM text_chunk WHERE k <= ?1 ORDER BY k DESC LIMIT 1", "i",
                (int64_t)(segment << 32 | gram));
    struct chunk_read c;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    rc = 0;
    if ((uint64_t)sql_int(s, q, 0) >> 32 == segment) {
        c = chunk_begin(sql_bytes(s, q, 1), (uint32_t)sql_int(s, q, 0), rows);
        while (chunk_next(&c) && c.gram < gram)
            ;
        if (!c.failed && c.count > 0 && c.gram == gram) {
            chunk_rows(&c, may);
            rc = 1;
        }
        if (c.failed)
            rc = err_set(e, ERR_CORRUPT, "a text segment cannot be read");
    }
    sql_end(s, q);
    return rc;
}

static int
part_of_segment(struct store *s, uint64_t segment, const uint32_t *grams, size_t n,
                struct text_part *out, struct err *e)
{
    const unsigned rows = (unsigned)(out->to - out->from + 1), bytes = (rows + 7) / 8;
    uint8_t may[SEG_ROWS / 8];

    memset(out->may, 0xff, bytes);
    out->any = true;
    for (size_t i = 0; i < n; i++) {
        const int rc = look_up(s, segment, rows, grams[i], may, e);
        uint8_t any = 0;

        if (rc < 0)
            return -1;
        if (rc == 0)
            memset(may, 0, bytes);
        for (unsigned k = 0; k < bytes; k++)
            any |= out->may[k] &= may[k];
        if (!any) {
            out->any = false;
            return 1;
        }
    }
    return 1;
}

/* Rows without a segment: by their signatures; where even these are not there, any row may. */
static int
part_of_tail(struct store *s, uint64_t first, uint64_t to, const uint32_t *grams, size_t n,
             struct text_part *out, struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT p, data FROM text_tail WHERE p <= ?1 ORDER BY p DESC LIMIT 1", "i",
                (int64_t)to);
    struct span sigs;
    uint64_t from;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    memset(out->may, 0, sizeof out->may);
    if (rc == 0) {
        out->from = out->to = to;
        out->may[0] = 1;
        out->any = true;
        return 1;
    }
    from = (uint64_t)sql_int(s, q, 0);
    sigs = sql_bytes(s, q, 1);
    out->from = from < first ? first : from;
    if (out->to - out->from >= SEG_ROWS)
        out->from = out->to - SEG_ROWS + 1;
    for (uint64_t p = out->from; p <= to; p++) {
        const size_t at = (size_t)(p - from) * SIG_BYTES;

        if (at + SIG_BYTES > sigs.n || sig_may((const uint8_t *)sigs.p + at, grams, n)) {
            out->may[(p - out->from) >> 3] |= (uint8_t)(1u << ((p - out->from) & 7));
            out->any = true;
        }
    }
    sql_end(s, q);
    return 1;
}

int
text_part(struct store *s, uint64_t to, const uint32_t *grams, size_t n, struct text_part *out,
          struct err *e)
{
    struct db_stmt *q;
    uint64_t segment, last;
    int rc;

    if (to == 0)
        return 0;
    q = sql_ask(s, e,
                "SELECT n, p_from, p_to FROM text_segment WHERE p_from <= ?1 "
                "ORDER BY n DESC LIMIT 1",
                "i", (int64_t)to);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    out->any = false;
    out->to = to;
    if (rc == 0)
        return part_of_tail(s, 1, to, grams, n, out, e);
    segment = (uint64_t)sql_int(s, q, 0);
    out->from = (uint64_t)sql_int(s, q, 1);
    last = (uint64_t)sql_int(s, q, 2);
    sql_end(s, q);
    if (to > last)
        return part_of_tail(s, last + 1, to, grams, n, out, e);
    out->to =
        last; /* rows that its entries are counted in; the caller passes over those after to */
    return part_of_segment(s, segment, grams, n, out, e);
}

int
text_sig_right(struct store *s, uint64_t p, const uint32_t *grams, size_t n, bool *out,
               struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT p, data FROM text_tail WHERE p <= ?1 ORDER BY p DESC LIMIT 1", "i",
                (int64_t)p);
    uint8_t sig[SIG_BYTES] = {0};
    struct span data;
    size_t at;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        sig_set(sig, grams[i]);
    *out = false;
    if (rc == 0)
        return 0;
    data = sql_bytes(s, q, 1);
    at = (size_t)(p - (uint64_t)sql_int(s, q, 0)) * SIG_BYTES;
    *out = at + SIG_BYTES <= data.n && memcmp(data.p + at, sig, SIG_BYTES) == 0;
    sql_end(s, q);
    return 0;
}

int
text_walk(struct store *s, uint64_t segment, text_gram_fn *fn, void *ctx, struct err *e)
{
    int64_t from, to;
    uint64_t k = segment << 32;
    uint8_t may[SEG_ROWS / 8];
    int rc;

    if (sql_number(s, &from, e, "SELECT p_from FROM text_segment WHERE n = ?1", "i",
                   (int64_t)segment) != 1 ||
        sql_number(s, &to, e, "SELECT p_to FROM text_segment WHERE n = ?1", "i",
                   (int64_t)segment) != 1)
        return -1;
    for (;;) {
        struct db_stmt *q = sql_ask(s, e,
                                    "SELECT k, data FROM text_chunk WHERE k >= ?1 AND k < ?2 "
                                    "ORDER BY k LIMIT 1 /* walk */",
                                    "ii", (int64_t)k, (int64_t)((segment + 1) << 32));
        const unsigned rows = (unsigned)(to - from + 1);
        struct chunk_read c;

        if (!q || (rc = sql_step(s, q, e)) <= 0)
            return q ? rc : -1;
        k = (uint64_t)sql_int(s, q, 0);
        c = chunk_begin(sql_bytes(s, q, 1), (uint32_t)k, rows);
        rc = 0;
        while (rc == 0 && chunk_next(&c)) {
            chunk_rows(&c, may);
            for (unsigned i = 0; i < rows && rc == 0 && !c.failed; i++)
                if (may[i >> 3] >> (i & 7) & 1)
                    rc = fn(ctx, c.gram, (uint64_t)from + i, e);
        }
        sql_end(s, q);
        if (c.failed)
            return err_set(e, ERR_CORRUPT, "a text segment cannot be read");
        if (rc != 0)
            return rc;
        k++;
    }
}
