#include "store_index.h"

#include <stdlib.h>

#include "mem.h"
#include "store_gen.h"
#include "store_rows.h"
#include "value.h"

bool
value_is_net(struct span key)
{
    return key.n > 0 && (key.p[0] == VALUE_NET4 || key.p[0] == VALUE_NET6);
}

/* ---- what there is ---- */

struct each {
    struct store *s;
    index_row_fn *fn;
    void *ctx;
};

static int
each_term(const struct each *x, enum term_kind kind, struct span bytes, struct err *e)
{
    return x->fn(x->ctx, INDEX_TERM, store_key(x->s, (uint8_t)kind, bytes), (struct span){NULL, 0},
                 0, e);
}

int
index_each(struct store *s, const struct row *r, const struct store_index *x, index_row_fn *fn,
           void *ctx, struct err *e)
{
    const struct span none = {NULL, 0};
    const struct each w = {s, fn, ctx};

    for (size_t i = 0; i < x->value_count; i++)
        if (fn(ctx, INDEX_VALUE, 0, span_part(x->values[i], 0, VALUE_BYTES_MAX), 0, e) < 0)
            return -1;
    for (size_t i = 0; i < x->label_count; i++)
        if (each_term(&w, TERM_LABEL, x->labels[i], e) < 0)
            return -1;
    for (size_t i = 0; i < x->defect_count; i++)
        if (each_term(&w, TERM_DEFECT, x->defects[i], e) < 0)
            return -1;
    if (x->defect_count > 0 && each_term(&w, TERM_ANY_DEFECT, none, e) < 0)
        return -1;
    if (x->creator.n > 0 && each_term(&w, TERM_CREATOR, x->creator, e) < 0)
        return -1;
    if ((r->flags & F_REVOKED) && each_term(&w, TERM_REVOKED, none, e) < 0)
        return -1;
    for (size_t i = 0; i < x->edge_count; i++)
        if (fn(ctx, INDEX_EDGE, store_key(s, TERM_NODE, x->edges[i].id), none, x->edges[i].kind,
               e) < 0)
            return -1;
    return 0;
}

/* ---- putting ---- */

struct putting {
    struct store *s;
    const struct row *r;
};

static int
put_one(void *ctx, enum index_table table, int64_t key, struct span value, uint32_t kind,
        struct err *e)
{
    const struct putting *x = ctx;
    const int64_t p = (int64_t)x->r->p, gen = GEN_OF(x->s, x->r->p);
    const struct rows_narrow row = {gen, key, p, kind, x->r->audience};

    if (table == INDEX_VALUE)
        return rows_add_value(x->s, value_is_net(value) ? GEN_NETS : gen, value, p, x->r->audience,
                              e);
    return rows_add(x->s, table == INDEX_TERM ? ROWS_TERM : ROWS_EDGE, &row, e);
}

int
index_put(struct store *s, const struct row *r, const struct store_index *x, struct err *e)
{
    struct putting w = {s, r};

    return index_each(s, r, x, put_one, &w, e);
}

/* ---- taking rows out ---- */

static int
u64_cmp(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static bool
among(const uint64_t *p, size_t n, uint64_t x)
{
    return bsearch(&x, p, n, sizeof *p, u64_cmp) != NULL;
}

struct sweep {
    const char *select; /* of a generation: p, then the rest of the key */
    const char *delete; /* by generation, p, and the rest of the key */
    const char *keys;   /* its types, as sql_do has them */
};

static const struct sweep sweeps[] = {
    {"SELECT p, key FROM term WHERE gen = ?1",
     "DELETE FROM term WHERE gen = ?1 AND p = ?2 AND key = ?3", "i"},
    {"SELECT p, key FROM value WHERE gen = ?1",
     "DELETE FROM value WHERE gen = ?1 AND p = ?2 AND key = ?3", "b"},
    {"SELECT p, node, kind FROM edge WHERE gen = ?1",
     "DELETE FROM edge WHERE gen = ?1 AND p = ?2 AND node = ?3 AND kind = ?4", "ii"},
};

/* What is found is noted first: rows are not taken out from under a running statement. */
static int
sweep_find(struct store *s, const struct sweep *w, int64_t gen, const uint64_t *p, size_t n,
           struct buf *found, struct err *e)
{
    struct db_stmt *q = sql_ask(s, e, w->select, "i", gen);
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        const uint64_t at = (uint64_t)sql_int(s, q, 0);

        if (!among(p, n, at))
            continue;
        buf_u64(found, at);
        for (int i = 0; w->keys[i]; i++)
            if (w->keys[i] == 'i')
                buf_i64(found, sql_int(s, q, 1 + i));
            else
                buf_field(found, sql_bytes(s, q, 1 + i));
    }
    if (rc == 0 && found->failed)
        return err_set(e, ERR_MEMORY, "no memory to take index rows out");
    return rc;
}

static int
sweep_delete(struct store *s, const struct sweep *w, int64_t gen, struct span found, struct err *e)
{
    struct db_stmt *q = sql_get(s, w->delete, e);
    struct reader r = reader_of(found);

    while (q && reader_left(&r) > 0) {
        sql_bind(s, q, 1, gen);
        sql_bind(s, q, 2, reader_i64(&r));
        for (int i = 0; w->keys[i]; i++)
            if (w->keys[i] == 'i')
                sql_bind(s, q, 3 + i, reader_i64(&r));
            else
                sql_bind_blob(s, q, 3 + i, reader_field(&r, VALUE_BYTES_MAX));
        if (sql_run(s, q, e) < 0)
            return -1;
    }
    return q ? 0 : -1;
}

static int
sweep_gen(struct store *s, int64_t gen, const uint64_t *p, size_t n, struct buf *found,
          struct err *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof sweeps / sizeof sweeps[0]; i++) {
        buf_reset(found);
        rc = sweep_find(s, &sweeps[i], gen, p, n, found, e);
        if (rc == 0)
            rc = sweep_delete(s, &sweeps[i], gen, buf_view(found), e);
    }
    return rc;
}

int
index_sweep(struct store *s, const uint64_t *p, size_t n, struct err *e)
{
    struct gen_walk w = gen_walk(s);
    uint64_t lo, hi;
    struct buf found;
    int64_t gen, hidden[GEN_HIDDEN_MAX];
    int rc;

    if (n == 0)
        return 0;
    buf_init(&found, SIZE_MAX / 2);
    rc = sweep_gen(s, GEN_NETS, p, n, &found, e);
    for (size_t i = gen_hidden(s, hidden); rc == 0 && i-- > 0;)
        rc = sweep_gen(s, hidden[i], p, n, &found, e);
    while (rc == 0 && gen_next(&w, &gen, &lo, &hi)) {
        bool any = false;

        for (size_t i = 0; i < n && !any; i++)
            any = p[i] >= lo && p[i] <= hi;
        if (any)
            rc = sweep_gen(s, gen, p, n, &found, e);
    }
    buf_clear(&found);
    return rc;
}
