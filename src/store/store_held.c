/* Publications as they stand, whoever may see them: for the decisions of exchange alone. */
#include <string.h>

#include "mem.h"
#include "store_pend.h"
#include "store_put.h"

static int
held_read(struct store *s, const struct row *r, struct store_held *h, struct err *e)
{
    if (strms_load(s, e) < 0)
        return -1;
    *h = (struct store_held){.p = r->p,
                             .audience = r->audience,
                             .publisher = strm_publisher(s, r->stream),
                             .seq = r->seq,
                             .arrival_us = r->arrival_us,
                             .batch = r->batch,
                             .versioned = (r->flags & F_VERSIONED) != 0,
                             .owner = (r->flags & F_OWNER) != 0,
                             .ahead = (r->flags & F_AHEAD) != 0,
                             .revoked = (r->flags & F_REVOKED) != 0,
                             .erased = (r->flags & F_ERASE) != 0,
                             .target = r->flags & F_ERASE ? r->object : 0,
                             .modified = r->modified};
    return 0;
}

/* Calls fn with the row's bytes and hash (not of erase rows, nor where light). */
static int
held_give(struct store *s, const struct row *r, bool light, store_held_fn *fn, void *ctx,
          struct err *e)
{
    struct db_stmt *q = NULL;
    struct store_held h;
    int rc;

    if (held_read(s, r, &h, e) < 0)
        return -1;
    if (!light && row_living(r)) {
        if (row_bytes(s, r->object, &q, &h.bytes, e) < 0)
            return -1;
        hash_sha256(h.bytes, &h.hash);
    }
    rc = fn(ctx, &h, e);
    sql_end(s, q);
    return rc;
}

static int
held_stored(struct store *s, uint64_t ident, bool light, store_held_fn *fn, void *ctx,
            struct err *e)
{
    uint64_t *list;
    struct row r;
    size_t n;
    int rc = 0;

    if (row_list(s, ident, &list, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = row_get(s, list[i], &r, e);
        if (rc == 1)
            rc = held_give(s, &r, light, fn, ctx, e);
    }
    mem_free(list);
    return rc;
}

static int
held_pending(struct store *s, int64_t key, struct span id, store_held_fn *fn, void *ctx,
             struct err *e)
{
    const struct pend *w = NULL, **all;
    size_t count = 0, i = 0;
    int rc = 0;

    while ((w = pend_next(s, key, id, w)) != NULL)
        count++;
    if (count == 0)
        return 0;
    all = mem_zero(count, sizeof *all);
    if (!all)
        return err_set(e, ERR_MEMORY, "no memory for publications");
    while (i < count)
        all[i++] = w = pend_next(s, key, id, w);
    while (i-- > 0 && rc == 0) { /* the chain has the newest first */
        struct store_held h;

        w = all[i];
        h = (struct store_held){.at = (size_t)(w - s->put->rows),
                                .audience = w->audience,
                                .publisher = w->r.publisher,
                                .batch = w->r.batch,
                                .versioned = w->r.versioned,
                                .owner = w->r.owner,
                                .revoked = w->r.revoked,
                                .modified = w->r.modified,
                                .bytes = w->r.bytes,
                                .hash = w->r.hash};
        rc = fn(ctx, &h, e);
    }
    mem_free(all);
    return rc;
}

int
store_held_each(struct store *s, struct span id, bool light, store_held_fn *fn, void *ctx,
                struct err *e)
{
    const int64_t key = ident_key(s, id);
    uint64_t ident;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    rc = ident_find(s, id, key, &ident, e);
    if (rc == 1)
        rc = held_stored(s, ident, light, fn, ctx, e);
    if (rc == 0)
        rc = held_pending(s, key, id, fn, ctx, e);
    return rc;
}

int
store_held_gone(struct store *s, uint64_t p, struct store_held *out, struct err *e)
{
    struct row r;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    rc = row_get(s, p, &r, e);
    if (rc <= 0 || !(r.flags & F_ERASED))
        return rc < 0 ? -1 : 0;
    return held_read(s, &r, out, e) < 0 ? -1 : 1;
}

int
store_held_get(struct store *s, uint64_t p, struct arena *a, struct span *id,
               struct store_held *out, struct err *e)
{
    char mem[ID_BYTES_MAX + 2];
    struct store_held h;
    struct span bytes = {NULL, 0}, text;
    struct buf b;
    struct row r;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    rc = row_get(s, p, &r, e);
    if (rc <= 0 || (r.flags & F_ERASED))
        return rc < 0 ? -1 : 0;
    buf_init_fixed(&b, mem, sizeof mem);
    if (held_read(s, &r, &h, e) < 0 || id_text(s, r.ident, &b, e) < 0)
        return -1;
    text = arena_span(a, buf_view(&b));
    if (row_living(&r)) {
        struct db_stmt *q;

        if (row_bytes(s, r.object, &q, &bytes, e) < 0)
            return -1;
        hash_sha256(bytes, &h.hash);
        h.bytes = arena_span(a, bytes);
        sql_end(s, q);
    }
    if (!text.p || (bytes.n > 0 && !h.bytes.p))
        return err_set(e, ERR_MEMORY, "no memory for a publication");
    *id = text;
    *out = h;
    return 1;
}

static int
batch_row(struct store *s, uint64_t p, uint64_t batch, store_batch_row_fn *fn, void *ctx,
          struct err *e)
{
    char mem[ID_BYTES_MAX + 2];
    struct store_held h;
    struct buf b;
    struct row r;
    int rc = row_get(s, p, &r, e);

    if (rc <= 0 || r.batch != batch || !row_living(&r))
        return rc < 0 ? -1 : 0;
    buf_init_fixed(&b, mem, sizeof mem);
    if (id_text(s, r.ident, &b, e) < 0 || held_read(s, &r, &h, e) < 0)
        return -1;
    return fn(ctx, buf_view(&b), &h, e);
}

int
store_batch_rows(struct store *s, uint64_t batch, store_batch_row_fn *fn, void *ctx, struct err *e)
{
    uint64_t from = 0;
    int rc = 0;

    if (store_need_open(s, e) < 0)
        return -1;
    while (rc == 0) {
        struct db_stmt *q = sql_ask(s, e,
                                    "SELECT p_from, p_to FROM batch_range WHERE batch = ?1 "
                                    "AND p_from > ?2 ORDER BY p_from LIMIT 1",
                                    "ii", (int64_t)batch, (int64_t)from);
        uint64_t to;

        if (!q || (rc = sql_step(s, q, e)) <= 0)
            return q ? rc : -1;
        from = (uint64_t)sql_int(s, q, 0);
        to = (uint64_t)sql_int(s, q, 1);
        sql_end(s, q);
        rc = 0;
        for (uint64_t p = from; p <= to && rc == 0; p++)
            rc = batch_row(s, p, batch, fn, ctx, e);
    }
    return rc;
}
