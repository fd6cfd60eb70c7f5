/* Ids: how they are kept, and how one is found. */
#include <string.h>

#include "mem.h"
#include "store_gen.h"
#include "store_rows.h"
#include "store_sieve.h"
#include "uuid.h"

#define KIND_ID      1       /* of store_key */
#define ID_PLAIN     0xffffu /* in place of a type's number: the id follows as text */
#define PATIENCE     256     /* look-ups without a filter before one is built */
#define SHARE_SHIFT  20      /* publications of one part of the filter */
#define SHARE_BLOCKS 20480u  /* of 64 bytes: ten bits for each */
#define BLOCK_BITS   512u
#define PROBES       6u /* bits for each: one in a hundred is looked up in vain */

/* Which keys there may be: a blocked Bloom filter for each million publications.  Without it each
 * new object costs a look into every generation. */
struct filter {
    uint64_t *shares[256]; /* NULL: not covered */
    size_t count;
    unsigned asked;
    bool built;
};

void
filter_free(struct filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < sizeof f->shares / sizeof f->shares[0]; i++)
        mem_free(f->shares[i]);
    mem_free(f);
}

/* The key is a keyed hash already; a multiplication spreads its bits over what is needed. */
static uint64_t *
block_of(uint64_t *share, int64_t key, uint64_t *bits)
{
    const uint64_t h = (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);

    *bits = h * UINT64_C(0xd6e8feb86659fd93);
    return share + ((h >> 32) * SHARE_BLOCKS >> 32) * (BLOCK_BITS / 64);
}

static bool
share_has(uint64_t *share, int64_t key)
{
    uint64_t bits;
    const uint64_t *b = block_of(share, key, &bits);

    for (unsigned i = 0; i < PROBES; i++, bits >>= 9)
        if (!(b[(bits & 511) >> 6] >> (bits & 63) & 1))
            return false;
    return true;
}

static void
share_add(uint64_t *share, int64_t key)
{
    uint64_t bits;
    uint64_t *b = block_of(share, key, &bits);

    for (unsigned i = 0; i < PROBES; i++, bits >>= 9)
        b[(bits & 511) >> 6] |= UINT64_C(1) << (bits & 63);
}

static uint64_t **
share_of(struct store *s, uint64_t p)
{
    struct filter *f = s->filter;
    const size_t at = (size_t)(p >> SHARE_SHIFT);

    return at < sizeof f->shares / sizeof f->shares[0] ? &f->shares[at] : NULL;
}

/* A part that cannot be had is not covered: nothing fails for want of it. */
static uint64_t *
share_make(struct store *s, uint64_t p)
{
    const size_t bytes = SHARE_BLOCKS * (BLOCK_BITS / 8);
    uint64_t **at = share_of(s, p);

    if (!at)
        return NULL;
    if (!*at && (s->filter->count + 1) * bytes <= s->filter_bytes) {
        *at = mem_zero(1, bytes);
        if (*at)
            s->filter->count++;
    }
    return *at;
}

static int
filter_fill(struct store *s, struct err *e)
{
    struct gen_walk w = gen_walk(s);
    uint64_t lo, hi;
    int64_t gen;

    s->filter->built = true;
    if (rows_flush(s, e) < 0)
        return -1;
    while (gen_next(&w, &gen, &lo, &hi)) {
        uint64_t *share = share_make(s, lo);
        struct db_stmt *q;
        int rc;

        if (!share)
            break;
        q = sql_ask(s, e, "SELECT key FROM ident WHERE gen = ?1", "i", gen);
        if (!q)
            return -1;
        while ((rc = sql_step(s, q, e)) == 1)
            share_add(share, sql_int(s, q, 0));
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* false: no publication of that generation has the key. */
static bool
filter_may(struct store *s, uint64_t p, int64_t key)
{
    uint64_t **share;

    if (!s->filter || !s->filter->built)
        return true;
    share = share_of(s, p);
    return !share || !*share || share_has(*share, key);
}

static int
filter_ready(struct store *s, struct err *e)
{
    if (s->mode != DB_WRITE)
        return 0;
    if (!s->filter && !(s->filter = mem_zero(1, sizeof *s->filter)))
        return err_set(e, ERR_MEMORY, "no memory for a filter");
    if (!s->filter->built && ++s->filter->asked > PATIENCE)
        return filter_fill(s, e);
    return 0;
}

int64_t
ident_key(const struct store *s, struct span id)
{
    return store_key(s, KIND_ID, id);
}

void
id_pack(struct store *s, struct span id, struct buf *out)
{
    struct uuid u;
    uint32_t type;

    if (id.n > UUID_TEXT + 2 && memcmp(id.p + id.n - UUID_TEXT - 2, "--", 2) == 0 &&
        uuid_read(span_part(id, id.n - UUID_TEXT, UUID_TEXT), &u)) {
        type = type_find(s, span_part(id, 0, id.n - UUID_TEXT - 2));
        if (type) {
            buf_u16(out, type);
            buf_put(out, u.b, sizeof u.b);
            return;
        }
    }
    buf_u16(out, ID_PLAIN);
    buf_span(out, id);
}

int
id_unpack(struct store *s, struct span kept, struct buf *out, struct err *e)
{
    struct reader r = reader_of(kept);
    const unsigned type = reader_u16(&r);
    char text[UUID_TEXT + 1];
    struct uuid u;
    struct span name;

    if (type == ID_PLAIN) {
        buf_span(out, span_part(kept, 2, kept.n - 2));
        return out->failed ? err_set(e, ERR_MEMORY, "no memory for an id") : 0;
    }
    name = type_text(s, type);
    if (r.failed || reader_left(&r) != sizeof u.b || !name.p)
        return err_set(e, ERR_CORRUPT, "an id is kept in no form that we know");
    memcpy(u.b, kept.p + 2, sizeof u.b);
    uuid_print(&u, text);
    buf_span(out, name);
    buf_str(out, "--");
    buf_put(out, text, UUID_TEXT);
    return out->failed ? err_set(e, ERR_MEMORY, "no memory for an id") : 0;
}

int
id_text(struct store *s, uint64_t ident, struct buf *out, struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (types_load(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT id FROM publication WHERE p = ?1 /* id */", "i", (int64_t)ident);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_CORRUPT, "an id has lost its first publication");
    rc = id_unpack(s, sql_bytes(s, q, 0), out, e);
    sql_end(s, q);
    return rc;
}

/* 1: this row is the anchor of that id. */
static int
anchor_is(struct store *s, uint64_t p, struct span packed, struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT id FROM publication WHERE p = ?1 /* anchor */", "i", (int64_t)p);
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 1) {
        rc = span_eq(sql_bytes(s, q, 0), packed);
        sql_end(s, q);
    }
    return rc;
}

static int
find_in(struct store *s, int64_t gen, int64_t key, struct span packed, uint64_t *ident,
        struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT n FROM ident WHERE gen = ?1 AND key = ?2", "ii", gen, key);
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        const uint64_t n = (uint64_t)sql_int(s, q, 0);
        const int is = anchor_is(s, n, packed, e);

        if (is != 0) {
            sql_end(s, q);
            *ident = n;
            return is;
        }
    }
    return rc;
}

/* 1: *ident is the number; 0: the id is not known. */
int
ident_find(struct store *s, struct span id, int64_t key, uint64_t *ident, struct err *e)
{
    struct gen_walk w = gen_walk(s);
    char mem[ID_BYTES_MAX + 2];
    struct buf packed;
    uint64_t lo, hi, part = UINT64_MAX;
    bool may = false;
    int64_t gen;

    if (id.n > ID_BYTES_MAX)
        return 0;
    if (filter_ready(s, e) < 0 || sieve_fill(s, e) < 0 || types_load(s, e) < 0 ||
        (rows_ident_may(s, key) && rows_flush(s, e) < 0))
        return -1;
    buf_init_fixed(&packed, mem, sizeof mem);
    while (gen_next(&w, &gen, &lo, &hi)) {
        int rc;

        if (lo >> SHARE_SHIFT != part) { /* many generations have one part of the filter */
            part = lo >> SHARE_SHIFT;
            may = filter_may(s, lo, key);
        }
        if (!may || !sieve_may(s, gen, key))
            continue;
        if (packed.n == 0)
            id_pack(s, id, &packed);
        rc = find_in(s, gen, key, buf_view(&packed), ident, e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int
ident_add(struct store *s, int64_t key, uint64_t ident, struct err *e)
{
    const struct rows_narrow row = {.gen = GEN_OF(s, ident), .key = key, .p = (int64_t)ident};

    if (rows_add(s, ROWS_IDENT, &row, e) < 0)
        return -1;
    if (s->filter && s->filter->built) {
        uint64_t *share = share_make(s, ident);

        if (share)
            share_add(share, key);
    }
    return 0;
}
