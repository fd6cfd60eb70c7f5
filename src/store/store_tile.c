#include "store_tile.h"

#include <string.h>

#include "ledger.h"
#include "mem.h"

/* stream, level, number: 22, 4 and 37 bits, so that a stream's tiles lie together. */
#define AT_BITS     37
#define LEVEL_BITS  4
#define STREAMS_MAX (1u << 22)

static size_t
width(unsigned level)
{
    return level == 0 ? TILE_LEAF : HASH_BYTES;
}

static int
key_of(uint32_t stream, unsigned level, uint64_t at, int64_t *out, struct err *e)
{
    if (stream >= STREAMS_MAX || at >> AT_BITS != 0)
        return err_set(e, ERR_LIMIT, "too many streams, or entries of one");
    *out = (int64_t)((uint64_t)stream << (AT_BITS + LEVEL_BITS) | (uint64_t)level << AT_BITS | at);
    return 0;
}

void
tiles_free(struct tiles *t)
{
    for (size_t i = 0; i < TILE_LEVELS; i++)
        mem_free(t->last[i].data);
    memset(t, 0, sizeof *t);
}

int
tile_get(struct store *s, uint32_t stream, unsigned level, uint64_t at, struct db_stmt **q,
         struct span *out, struct err *e)
{
    int64_t key = 0;
    int rc;

    if (key_of(stream, level, at, &key, e) < 0)
        return -1;
    *q = sql_ask(s, e, "SELECT data FROM tile WHERE k = ?1", "i", key);
    if (!*q || (rc = sql_step(s, *q, e)) < 0)
        return -1;
    if (rc == 1)
        *out = sql_bytes(s, *q, 0);
    return rc;
}

static int
tile_load(struct store *s, uint32_t stream, unsigned level, uint64_t count, struct tile *t,
          struct err *e)
{
    const size_t bytes = (count & (TILE_WIDTH - 1)) * width(level);
    struct db_stmt *q;
    struct span v;
    int rc;

    if (!t->data && !(t->data = mem_alloc(TILE_WIDTH * width(level))))
        return err_set(e, ERR_MEMORY, "no memory for streams");
    t->at = count >> TILE_SHIFT;
    t->n = count & (TILE_WIDTH - 1);
    t->dirty = false;
    if (t->n == 0)
        return 0;
    rc = tile_get(s, stream, level, t->at, &q, &v, e);
    if (rc < 0)
        return -1;
    if (rc == 1 && v.n == bytes)
        memcpy(t->data, v.p, bytes);
    else
        rc = err_set(e, ERR_CORRUPT, "the tree of a stream is not whole");
    sql_end(s, q);
    return rc < 0 ? -1 : 0;
}

int
tiles_load(struct store *s, struct tiles *t, uint32_t stream, uint64_t size, struct err *e)
{
    if (t->loaded)
        return 0;
    t->stream = stream;
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        const uint64_t count = size >> (TILE_SHIFT * level);

        if (count == 0 && level > 0)
            break;
        if (tile_load(s, stream, level, count, &t->last[level], e) < 0)
            return -1;
    }
    t->loaded = true;
    return 0;
}

static int
tile_save(struct store *s, uint32_t stream, unsigned level, struct tile *t, struct err *e)
{
    int64_t key = 0;

    if (!t->dirty)
        return 0;
    if (key_of(stream, level, t->at, &key, e) < 0 ||
        sql_do(s, e,
               "INSERT INTO tile (k, data) VALUES (?1, ?2) "
               "ON CONFLICT (k) DO UPDATE SET data = excluded.data",
               "ib", key, span_from(t->data, t->n * width(level))) < 0)
        return -1;
    t->dirty = false;
    return 0;
}

int
tiles_save(struct store *s, struct tiles *t, struct err *e)
{
    for (unsigned level = 0; t->loaded && level < TILE_LEVELS; level++)
        if (tile_save(s, t->stream, level, &t->last[level], e) < 0)
            return -1;
    return 0;
}

/* Room for the next one. */
static uint8_t *
tile_next(struct store *s, uint32_t stream, unsigned level, struct tile *t, struct err *e)
{
    if (!t->data && !(t->data = mem_alloc(TILE_WIDTH * width(level)))) {
        err_set(e, ERR_MEMORY, "no memory for streams");
        return NULL;
    }
    if (t->n == TILE_WIDTH) {
        if (tile_save(s, stream, level, t, e) < 0)
            return NULL;
        t->at++;
        t->n = 0;
    }
    t->dirty = true;
    return t->data + t->n++ * width(level);
}

static void
put_number(uint8_t *b, uint64_t p)
{
    for (int k = 0; k < 8; k++)
        b[k] = (uint8_t)(p >> (56 - 8 * k));
}

int
tiles_leaf(struct store *s, struct tiles *t, uint64_t i, const struct hash *d, uint64_t p,
           struct err *e)
{
    uint8_t *at;

    if (t->last[0].at * TILE_WIDTH + t->last[0].n != i)
        return err_set(e, ERR_INTERNAL, "not the next entry of a stream");
    at = tile_next(s, t->stream, 0, &t->last[0], e);
    if (!at)
        return -1;
    memcpy(at, d->b, HASH_BYTES);
    put_number(at + HASH_BYTES, p);
    return 0;
}

bool
tiles_point(struct tiles *t, uint64_t i, uint64_t p)
{
    struct tile *last = &t->last[0];

    if (!t->loaded || i >> TILE_SHIFT != last->at || (i & (TILE_WIDTH - 1)) >= last->n)
        return false;
    put_number(last->data + (i & (TILE_WIDTH - 1)) * TILE_LEAF + HASH_BYTES, p);
    last->dirty = true;
    return true;
}

int
tiles_node(void *arg, unsigned level, uint64_t index, const struct hash *node, struct err *e)
{
    const struct tiles_done *x = arg;
    const unsigned row = level / TILE_SHIFT;
    uint8_t *at;

    (void)index; /* they complete in order */
    if (level % TILE_SHIFT != 0 || row >= TILE_LEVELS)
        return 0;
    at = tile_next(x->s, x->t->stream, row, &x->t->last[row], e);
    if (!at)
        return -1;
    memcpy(at, node->b, HASH_BYTES);
    return 0;
}

static uint64_t
number_at(const uint8_t *b)
{
    uint64_t p = 0;

    for (int k = 0; k < 8; k++)
        p = p << 8 | b[k];
    return p;
}

void
tile_leaf_read(const uint8_t *leaf, struct hash *d, uint64_t *p)
{
    memcpy(d->b, leaf, HASH_BYTES);
    *p = number_at(leaf + HASH_BYTES);
}

static int
look_into(struct store *s, uint32_t stream, unsigned level, uint64_t at, struct tile_look *x,
          struct err *e)
{
    struct db_stmt *q;
    struct span v;
    int rc;

    if (x->there && x->at == at && x->level == level)
        return 0;
    x->there = false;
    rc = tile_get(s, stream, level, at, &q, &v, e);
    if (rc < 0)
        return -1;
    x->n = 0;
    if (rc == 1 && v.n <= sizeof x->data) {
        memcpy(x->data, v.p, v.n);
        x->n = v.n;
    }
    if (rc == 1)
        sql_end(s, q);
    x->there = true;
    x->at = at;
    x->level = level;
    return 0;
}

int
tile_look(struct store *s, uint32_t stream, unsigned level, uint64_t i, struct tile_look *x,
          const uint8_t **out, struct err *e)
{
    const size_t from = (i & (TILE_WIDTH - 1)) * width(level);

    if (look_into(s, stream, level, i >> TILE_SHIFT, x, e) < 0)
        return -1;
    *out = from + width(level) <= x->n ? x->data + from : NULL;
    return 0;
}

int
tile_leaf(struct store *s, uint32_t stream, uint64_t i, struct hash *d, uint64_t *p, struct err *e)
{
    const size_t from = (i & (TILE_WIDTH - 1)) * TILE_LEAF;
    struct db_stmt *q;
    struct span v;
    int rc = tile_get(s, stream, 0, i >> TILE_SHIFT, &q, &v, e);

    if (rc <= 0)
        return rc;
    if (from + TILE_LEAF <= v.n) {
        memcpy(d->b, v.p + from, HASH_BYTES);
        *p = number_at((const uint8_t *)v.p + from + HASH_BYTES);
    } else {
        rc = 0;
    }
    sql_end(s, q);
    return rc;
}

int
tile_point(struct store *s, uint32_t stream, uint64_t i, uint64_t p, struct err *e)
{
    const size_t from = (i & (TILE_WIDTH - 1)) * TILE_LEAF + HASH_BYTES;
    uint8_t copy[TILE_WIDTH * TILE_LEAF];
    struct db_stmt *q;
    struct span v;
    size_t n = 0;
    int64_t key = 0;
    int rc = tile_get(s, stream, 0, i >> TILE_SHIFT, &q, &v, e);

    if (rc < 0)
        return -1;
    if (rc == 1 && v.n <= sizeof copy && from + 8 <= v.n) {
        memcpy(copy, v.p, v.n);
        n = v.n;
    }
    if (rc == 1)
        sql_end(s, q);
    if (n == 0)
        return err_set(e, ERR_CORRUPT, "the tree of a stream is not whole");
    put_number(copy + from, p);
    if (key_of(stream, 0, i >> TILE_SHIFT, &key, e) < 0)
        return -1;
    return sql_do(s, e, "UPDATE tile SET data = ?2 WHERE k = ?1", "ib", key, span_from(copy, n));
}
