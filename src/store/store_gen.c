#include "store_gen.h"

#include <string.h>

#include "store_impl.h"

#define GROUP_SHIFT 4    /* sixteen generations become one */
#define KEEP_PLAIN  64   /* plain generations that a look-up can well go through: 4 million rows */
#define STEP_ROWS   4096 /* moved in one transaction: some ten milliseconds */
#define MERGE       "store.merge"

/*
 * Merging copies the rows of sixteen generations into one that nobody reads yet, then counts it in
 * (state.merged), then deletes the old rows, which nobody reads any more.  So a row is always read
 * in exactly one place.  Each step commits with the place it has come to.
 */
enum phase { COPY = 1, DROP = 2 };

struct merge {
    uint8_t phase;
    uint8_t table;
    uint8_t part; /* of the sixteen */
    bool begun;   /* the key below was the last one done */
    uint8_t key_n;
    uint8_t key[255]; /* value.key, else eight bytes, big-endian */
    int64_t kind;     /* edge.kind */
    int64_t p;
};

/* The statements of each table: the last of the next STEP_ROWS rows, copying them, dropping them.
 * ?1 generation, ?2 key, ?3 p, ?4 kind begin; ?5, ?6, ?7 end; ?8 the new generation. */
struct table {
    bool blob, kind;
    const char *bound, *copy, *drop;
};

static const struct table tables[] = {
    {false, false,
     "SELECT key, n FROM ident WHERE gen = ?1 AND (key, n) > (?2, ?3) ORDER BY key, n LIMIT ?4",
     "INSERT INTO ident (gen, key, n) SELECT ?6, key, n FROM ident WHERE gen = ?1 AND "
     "(key, n) > (?2, ?3) AND (key, n) <= (?4, ?5)",
     "DELETE FROM ident WHERE gen = ?1 AND (key, n) <= (?2, ?3)"},
    {false, false,
     "SELECT key, p FROM term WHERE gen = ?1 AND (key, p) > (?2, ?3) ORDER BY key, p LIMIT ?4",
     "INSERT INTO term (gen, key, p, audience) SELECT ?6, key, p, audience FROM term WHERE "
     "gen = ?1 AND (key, p) > (?2, ?3) AND (key, p) <= (?4, ?5)",
     "DELETE FROM term WHERE gen = ?1 AND (key, p) <= (?2, ?3)"},
    {true, false,
     "SELECT key, p FROM value WHERE gen = ?1 AND (key, p) > (?2, ?3) ORDER BY key, p LIMIT ?4",
     "INSERT INTO value (gen, key, p, audience) SELECT ?6, key, p, audience FROM value WHERE "
     "gen = ?1 AND (key, p) > (?2, ?3) AND (key, p) <= (?4, ?5)",
     "DELETE FROM value WHERE gen = ?1 AND (key, p) <= (?2, ?3)"},
    {false, true,
     "SELECT node, kind, p FROM edge WHERE gen = ?1 AND (node, kind, p) > (?2, ?3, ?4) "
     "ORDER BY node, kind, p LIMIT ?5",
     "INSERT INTO edge (gen, node, kind, p, audience) SELECT ?8, node, kind, p, audience "
     "FROM edge WHERE gen = ?1 AND (node, kind, p) > (?2, ?3, ?4) AND "
     "(node, kind, p) <= (?5, ?6, ?7)",
     "DELETE FROM edge WHERE gen = ?1 AND (node, kind, p) <= (?2, ?3, ?4)"},
};
#define TABLES (sizeof tables / sizeof tables[0])

struct gen_walk
gen_walk(struct store *s)
{
    return (struct gen_walk){
        .s = s, .base = GEN_OF(s, s->state.p), .merged = (int64_t)s->state.merged - 1};
}

bool
gen_next(struct gen_walk *w, int64_t *gen, uint64_t *lo, uint64_t *hi)
{
    const int64_t first = (int64_t)w->s->state.merged << GROUP_SHIFT;

    if (w->base >= first) {
        *gen = w->base--;
        *lo = (uint64_t)*gen << w->s->gen_shift;
        *hi = *lo + (UINT64_C(1) << w->s->gen_shift) - 1;
        return true;
    }
    if (w->merged < 0)
        return false;
    *gen = GEN_MERGED(w->merged);
    *lo = (uint64_t)w->merged-- << (w->s->gen_shift + GROUP_SHIFT);
    *hi = *lo + (UINT64_C(1) << (w->s->gen_shift + GROUP_SHIFT)) - 1;
    return true;
}

size_t
gen_hidden(struct store *s, int64_t out[GEN_HIDDEN_MAX])
{
    size_t n = 0;

    if (s->state.merging == COPY)
        out[n++] = GEN_MERGED(s->state.merged);
    if (s->state.merging == DROP)
        for (int64_t i = 0; i < 1 << GROUP_SHIFT; i++)
            out[n++] = (((int64_t)s->state.merged - 1) << GROUP_SHIFT) + i;
    return n;
}

/* ---- where merging has come to ---- */

static int
merge_load(struct store *s, struct merge *m, struct err *e)
{
    struct db_stmt *q = sql_ask(s, e, "SELECT value FROM setting WHERE name = '" MERGE "'", "");
    struct reader r;
    struct span key;
    int rc;

    memset(m, 0, sizeof *m);
    m->phase = COPY;
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    r = reader_of(sql_bytes(s, q, 0));
    m->phase = reader_u8(&r);
    m->table = reader_u8(&r);
    m->part = reader_u8(&r);
    m->begun = reader_u8(&r) != 0;
    m->kind = reader_i64(&r);
    m->p = reader_i64(&r);
    key = reader_field(&r, sizeof m->key);
    if (key.n > 0)
        memcpy(m->key, key.p, key.n);
    m->key_n = (uint8_t)key.n;
    rc = reader_end(&r, e);
    sql_end(s, q);
    if (rc == 0 &&
        (m->phase < COPY || m->phase > DROP || m->table >= TABLES || m->part >= 1 << GROUP_SHIFT))
        rc = err_set(e, ERR_CORRUPT, "the place that merging has come to cannot be read");
    return rc;
}

static int
merge_save(struct store *s, const struct merge *m, struct err *e)
{
    char mem[300];
    struct buf b;

    s->state.merging = m->phase;
    s->state_dirty = true;
    if (m->phase == 0)
        return sql_do(s, e, "DELETE FROM setting WHERE name = '" MERGE "'", "");
    buf_init_fixed(&b, mem, sizeof mem);
    buf_u8(&b, m->phase);
    buf_u8(&b, m->table);
    buf_u8(&b, m->part);
    buf_u8(&b, m->begun);
    buf_i64(&b, m->kind);
    buf_i64(&b, m->p);
    buf_field(&b, span_from(m->key, m->key_n));
    return store_setting_put(s, MERGE, buf_view(&b), e);
}

static int64_t
key_number(const struct merge *m)
{
    struct reader r = reader_of(span_from(m->key, m->key_n));

    return m->begun ? reader_i64(&r) : -1;
}

/* Binds a place in a table; returns the next parameter. */
static int
bind_place(struct store *s, struct db_stmt *q, int at, const struct table *t, const struct merge *m)
{
    if (t->blob)
        sql_bind_blob(s, q, at++, span_from(m->key, m->begun ? m->key_n : 0));
    else
        sql_bind(s, q, at++, key_number(m));
    if (t->kind)
        sql_bind(s, q, at++, m->begun ? m->kind : -1);
    sql_bind(s, q, at++, m->begun ? m->p : -1);
    return at;
}

/* ---- one step ---- */

/* The last of the next STEP_ROWS rows.  1, 0: there are none, -1. */
static int
next_bound(struct store *s, const struct table *t, int64_t gen, const struct merge *from,
           struct merge *to, struct err *e)
{
    struct db_stmt *q = sql_get(s, t->bound, e);
    char mem[8];
    struct buf b;
    int rc, any = 0;

    if (!q)
        return -1;
    sql_bind(s, q, 1, gen);
    sql_bind(s, q, bind_place(s, q, 2, t, from), STEP_ROWS);
    *to = *from;
    while ((rc = sql_step(s, q, e)) == 1) {
        struct span key = sql_bytes(s, q, 0);

        any = 1;
        to->begun = true;
        if (!t->blob) {
            buf_init_fixed(&b, mem, sizeof mem);
            buf_i64(&b, sql_int(s, q, 0));
            key = buf_view(&b);
        }
        if (key.n > sizeof to->key) {
            sql_end(s, q);
            return err_set(e, ERR_CORRUPT, "an index key is too long");
        }
        memcpy(to->key, key.p, key.n);
        to->key_n = (uint8_t)key.n;
        if (t->kind)
            to->kind = sql_int(s, q, 1);
        to->p = sql_int(s, q, t->kind ? 2 : 1);
    }
    return rc < 0 ? -1 : any;
}

static int
move_rows(struct store *s, const struct table *t, int64_t gen, const struct merge *from,
          const struct merge *to, struct err *e)
{
    struct db_stmt *q = sql_get(s, from->phase == COPY ? t->copy : t->drop, e);
    int at;

    if (!q)
        return -1;
    sql_bind(s, q, 1, gen);
    if (from->phase == DROP) {
        bind_place(s, q, 2, t, to);
        return sql_run(s, q, e);
    }
    at = bind_place(s, q, 2, t, from);
    at = bind_place(s, q, at, t, to);
    sql_bind(s, q, at, GEN_MERGED(s->state.merged));
    return sql_run(s, q, e);
}

/* On to the next generation, table, phase. */
static void
go_on(struct store *s, struct merge *m)
{
    m->begun = false;
    if (++m->part < 1 << GROUP_SHIFT)
        return;
    m->part = 0;
    if (++m->table < TABLES)
        return;
    m->table = 0;
    if (m->phase == COPY) {
        s->state.merged++;
        m->phase = DROP;
    } else {
        m->phase = 0;
    }
}

static int
merge_step(struct store *s, struct err *e)
{
    struct merge m, to;
    int64_t gen;
    int rc;

    if (merge_load(s, &m, e) < 0)
        return -1;
    gen = (((int64_t)s->state.merged - (m.phase == DROP)) << GROUP_SHIFT) + m.part;
    rc = next_bound(s, &tables[m.table], gen, &m, &to, e);
    if (rc == 1)
        rc = move_rows(s, &tables[m.table], gen, &m, &to, e) < 0 ? -1 : 1;
    if (rc < 0)
        return -1;
    if (rc == 0)
        go_on(s, &m);
    else if (m.phase == COPY)
        m = to;
    return merge_save(s, &m, e);
}

/* Whether there are so many plain generations that the oldest sixteen, which are full, should be
 * merged. */
static bool
due(const struct store *s)
{
    const int64_t plain =
        GEN_OF(s, s->state.p) - ((int64_t)s->state.merged << GROUP_SHIFT); /* full ones */

    return s->state.merging != 0 || plain > (s->keep_plain ? s->keep_plain : KEEP_PLAIN);
}

int
gen_tidy(struct store *s, bool *more, struct err *e)
{
    if (!due(s)) { /* as of the last commit */
        *more = false;
        return 0;
    }
    if (store_begin(s, e) < 0)
        return -1;
    if (due(s) && merge_step(s, e) < 0) {
        store_abort(s);
        return -1;
    }
    if (store_commit(s, e) < 0)
        return -1;
    *more = due(s);
    return 0;
}
