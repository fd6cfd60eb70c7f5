/* Verify: streams; their trees, names and heads, and what is kept of entries without rows. */
#include <string.h>

#include "audience.h"
#include "head.h"
#include "ledger.h"
#include "store_owed.h"
#include "store_sync.h"
#include "store_tile.h"
#include "store_verify.h"

struct tree { /* one that is gone through */
    struct verify *v;
    uint32_t n;
    uint64_t size;
    struct merkle_frontier f;
    struct tile_look nodes[TILE_LEVELS]; /* where the next inner node of each level is */
    uint64_t rows, lacking, owed;
    bool wrong; /* an inner node */
};

static int
say_stream(struct verify *v, uint32_t n, const char *what)
{
    return verify_say(v, what, "stream %u", n);
}

/* ---- trees ---- */

/* An entry that has no row: kept without its bytes, or a bare commitment; never one that is said
 * here. */
static int
check_lacking(struct tree *t, uint64_t i, const struct hash *d, struct err *e)
{
    struct entry en;
    struct hash is;
    struct lack l;
    int rc;

    if (t->v->s->strms[t->n - 1].current)
        return say_stream(t->v, t->n, "an entry has no publication");
    rc = lack_get(t->v->s, t->n, i, &l, e);
    if (rc <= 0)
        return rc < 0 && verify_fatal(e) ? -1 : rc < 0 ? say_stream(t->v, t->n, e->text) : 0;
    t->lacking++;
    t->owed += l.owed;
    entry_commit(l.salt, lack_header(&l), &is);
    if (!hash_eq(&is, d))
        return say_stream(t->v, t->n, "a header is not what was committed to");
    if (entry_decode(lack_header(&l), &en, NULL) < 0 || (l.owed && en.kind != ENTRY_PUT))
        return say_stream(t->v, t->n, "a header is none, or owes what it has not");
    return 0;
}

/* Is told of each inner node that the leaves come to. */
static int
check_node(void *arg, unsigned level, uint64_t index, const struct hash *node, struct err *e)
{
    struct tree *t = arg;
    const unsigned row = level / TILE_SHIFT;
    const uint8_t *kept;

    if (level % TILE_SHIFT != 0 || row >= TILE_LEVELS)
        return 0;
    if (tile_look(t->v->s, t->n, row, index, &t->nodes[row], &kept, e) < 0)
        return -1;
    t->wrong |= !kept || memcmp(kept, node->b, sizeof node->b) != 0;
    return 0;
}

static int
check_leaves(struct tree *t, struct err *e)
{
    for (uint64_t i = 0; i < t->size && !t->v->stop; i++) {
        const uint8_t *kept;
        struct hash d, leaf;
        uint64_t p;

        if (tile_look(t->v->s, t->n, 0, i, &t->nodes[0], &kept, e) < 0)
            return -1;
        if (!kept)
            return say_stream(t->v, t->n, "its tree is not whole");
        tile_leaf_read(kept, &d, &p);
        t->rows += p != 0;
        if (p == 0 && check_lacking(t, i, &d, e) < 0)
            return -1;
        entry_leaf(&d, &leaf);
        if (frontier_append(&t->f, &leaf, check_node, t, e) < 0)
            return -1;
    }
    return 0;
}

/* Nothing lies behind the last leaf, or the last node of a level. */
static int
check_ends(struct tree *t, struct err *e)
{
    for (unsigned row = 0; row < TILE_LEVELS; row++) {
        const uint64_t count = t->size >> (TILE_SHIFT * row);
        const uint8_t *kept;

        if (tile_look(t->v->s, t->n, row, count, &t->nodes[row], &kept, e) < 0)
            return -1;
        t->wrong |= kept != NULL;
    }
    return 0;
}

/* That what is counted of it is what was found. */
static int
check_counts(struct tree *t, uint64_t rows, uint64_t owed, struct err *e)
{
    int64_t lacking = 0;

    if (sql_number(t->v->s, &lacking, e, "SELECT count(*) FROM lack WHERE stream = ?1", "i",
                   (int64_t)t->n) < 0)
        return -1;
    if (rows != t->rows)
        say_stream(t->v, t->n, "the tree is not that of its entries");
    if ((uint64_t)lacking != t->lacking)
        say_stream(t->v, t->n, "what is kept of entries is not of its entries");
    if (owed != t->owed)
        say_stream(t->v, t->n, "it owes another number of entries");
    return 0;
}

static int64_t
tiles_of(uint64_t size)
{
    uint64_t n = 0;

    for (unsigned row = 0; row < TILE_LEVELS; row++)
        n += ((size >> (TILE_SHIFT * row)) + TILE_WIDTH - 1) >> TILE_SHIFT;
    return (int64_t)n;
}

static int
check_tree(struct verify *v, uint32_t n, struct span frontier, uint64_t size, uint64_t owed,
           uint64_t rows, struct err *e)
{
    struct tree t = {.v = v, .n = n, .size = size};
    char mem[FRONTIER_BYTES_MAX];
    struct buf b;

    frontier_init(&t.f);
    buf_init_fixed(&b, mem, sizeof mem);
    if (check_leaves(&t, e) < 0 || v->stop)
        return v->stop ? 0 : -1;
    if (t.f.size == size && check_ends(&t, e) < 0)
        return -1;
    frontier_encode(&t.f, &b);
    if (!span_eq(frontier, buf_view(&b)))
        say_stream(v, n, "the tree is not that of its leaves");
    else if (t.wrong)
        say_stream(v, n, "its inner nodes are not those of its leaves");
    return check_counts(&t, rows, owed, e);
}

/* ---- names and heads ---- */

/* What its publisher has signed, as far as it is held, is what is held. */
static int
check_head(struct verify *v, const struct store_stream *t, struct err *e)
{
    struct merkle_source src;
    struct hash root;
    struct head h;

    if (t->head.n == 0)
        return 0;
    if (head_decode(t->head, &h, NULL) < 0 || !hash_eq(&h.stream, &t->id) || h.size != t->head_size)
        return say_stream(v, t->number, "its head is another's, or none");
    if (h.size > t->size)
        return 0;
    if (store_stream_source(v->s, t->number, v->a, &src, e) < 0 ||
        merkle_root(&src, h.size, &root, e) < 0)
        return verify_fatal(e) ? -1 : 0; /* said before, of the tree */
    return hash_eq(&root, &h.root) ? 0 : say_stream(v, t->number, "its head signs other entries");
}

static int
check_stream(void *ctx, const struct store_stream *t, struct err *e)
{
    struct verify *v = ctx;
    struct hash id;

    arena_reset(v->a);
    if (stream_id(&t->name, &id, e) < 0)
        return -1;
    /* Streams of our constituents stay here; who they are to others may still change. */
    if (!hash_eq(&id, &t->id) && (!t->own || t->publisher == ORG_SELF))
        say_stream(v, t->number, "its id is not that of its name");
    if (t->frozen && t->evidence.n == 0)
        say_stream(v, t->number, "it is frozen without evidence");
    return check_head(v, t, e) < 0 ? -1 : v->stop;
}

/* ---- all ---- */

static int
check_orphans(struct verify *v, int64_t tiles, struct err *e)
{
    int64_t there = 0;

    static const char *const what[] = {"lack", "head", "frozen"};
    static const char *const sql[] = {
        "SELECT count(*) FROM lack x WHERE NOT EXISTS (SELECT 1 FROM stream t WHERE t.n = "
        "x.stream)",
        "SELECT count(*) FROM head x WHERE NOT EXISTS (SELECT 1 FROM stream t WHERE t.n = "
        "x.stream)",
        "SELECT count(*) FROM frozen x WHERE NOT EXISTS (SELECT 1 FROM stream t WHERE t.n = "
        "x.stream)"};

    for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++) {
        int64_t n = 0;

        if (sql_number(v->s, &n, e, sql[i], "") < 0)
            return -1;
        if (n > 0)
            verify_say(v, "rows of no stream", "table %s", what[i]);
    }
    if (sql_number(v->s, &there, e, "SELECT count(*) FROM tile", "") < 0)
        return -1;
    if (there != tiles)
        verify_say(v, "tiles of no tree", "%s", "table tile");
    return 0;
}

int
verify_trees(struct verify *v, const uint64_t *rows, size_t n, struct err *e)
{
    struct store *s = v->s;
    struct db_stmt *q =
        sql_ask(s, e, "SELECT n, size, frontier, owed FROM stream ORDER BY n /* verify */", "");
    int64_t tiles = 0;
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        const uint32_t number = (uint32_t)sql_int(s, q, 0);

        v->counts.streams++;
        tiles += tiles_of((uint64_t)sql_int(s, q, 1));
        if (number == 0 || number > n) {
            say_stream(v, number, "its number is not that of its place");
            continue;
        }
        if (check_tree(v, number, sql_bytes(s, q, 2), (uint64_t)sql_int(s, q, 1),
                       (uint64_t)sql_int(s, q, 3), rows[number - 1], e) < 0 ||
            v->stop) {
            sql_end(s, q);
            return v->stop ? 0 : -1;
        }
    }
    if (rc < 0 || check_orphans(v, tiles, e) < 0)
        return -1;
    rc = store_stream_each(s, check_stream, v, e);
    return rc < 0 && (v->counts.problems == 0 || verify_fatal(e)) ? -1 : 0;
}
