#include "store_owed.h"

#include <string.h>

#include "store_pend.h"
#include "store_tile.h"

/* ---- what is kept ---- */

struct span
lack_header(const struct lack *l)
{
    return (struct span){l->mem, l->n};
}

int
lack_add(struct store *s, uint32_t stream, uint64_t entry, bool owed, const struct store_entry *x,
         struct err *e)
{
    if (sql_do(s, e,
               "INSERT INTO lack (stream, entry, owed, salt, header) VALUES (?1, ?2, ?3, ?4, ?5)",
               "iiibb", (int64_t)stream, (int64_t)entry, (int64_t)owed,
               span_from(x->salt, sizeof x->salt), x->header) < 0)
        return -1;
    return owed ? stream_owe(s, stream, 1, e) : 0;
}

int
lack_get(struct store *s, uint32_t stream, uint64_t entry, struct lack *out, struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT owed, salt, header FROM lack WHERE stream = ?1 AND entry = ?2", "ii",
                (int64_t)stream, (int64_t)entry);
    struct span salt, header;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) <= 0)
        return q ? rc : -1;
    salt = sql_bytes(s, q, 1);
    header = sql_bytes(s, q, 2);
    if (salt.n == sizeof out->salt && header.n <= sizeof out->mem) {
        out->owed = sql_int(s, q, 0) != 0;
        memcpy(out->salt, salt.p, salt.n);
        memcpy(out->mem, header.p, header.n);
        out->n = header.n;
    } else {
        rc = err_set(e, ERR_CORRUPT, "an entry is not kept whole");
    }
    sql_end(s, q);
    return rc;
}

/* Its bytes are not awaited any more; gone: nor is anything known of it. */
static int
lack_end(struct store *s, uint32_t stream, uint64_t entry, bool was_owed, bool gone, struct err *e)
{
    const char *sql = gone ? "DELETE FROM lack WHERE stream = ?1 AND entry = ?2"
                           : "UPDATE lack SET owed = 0 WHERE stream = ?1 AND entry = ?2";

    s->state_dirty = true;
    if (sql_do(s, e, sql, "ii", (int64_t)stream, (int64_t)entry) < 0)
        return -1;
    return was_owed ? stream_owe(s, stream, -1, e) : 0;
}

/* The row of this commit that is to be that entry's publication. */
static struct pend *
gathered(struct store *s, struct span id, uint32_t stream, uint64_t entry)
{
    const int64_t key = ident_key(s, id);
    struct pend *w = NULL;

    while ((w = pend_next(s, key, id, w)) != NULL)
        if (w->r.from && w->r.from->stream == stream && w->r.from->entry == entry)
            return w;
    return NULL;
}

/* Takes back a row of this commit, whose bytes came with what withdraws them. */
static int
take_back(struct store *s, const struct lack *l, uint32_t stream, uint64_t entry, struct entry *out,
          struct err *e)
{
    struct pend *w;

    if (entry_decode(lack_header(l), out, NULL) < 0)
        return err_set(e, ERR_CORRUPT, "an entry is not kept whole");
    w = out->kind == ENTRY_PUT ? gathered(s, out->id, stream, entry) : NULL;
    if (w)
        w->dropped = true;
    return 0;
}

/* ---- what goes, what is wanted ---- */

static int
erase_lacking(struct store *s, uint32_t stream, uint64_t target, const struct hash *d,
              struct err *e)
{
    struct entry en;
    struct lack l;
    int rc = lack_get(s, stream, target, &l, e);

    if (rc <= 0)
        return rc;
    if (take_back(s, &l, stream, target, &en, e) < 0)
        return -1;
    if (en.kind != ENTRY_PUT)
        return 0; /* an erasure cannot be erased */
    return lack_end(s, stream, target, l.owed, true, e) < 0 ||
                   erased_place(s, stream, target, d, e) < 0
               ? -1
               : 0;
}

int
store_erase_taken(struct store *s, uint32_t stream, uint64_t target, struct err *e)
{
    struct hash d;
    struct row r;
    uint64_t p;
    int rc;

    if (store_need_write(s, e) < 0 || streams_save(s, e) < 0)
        return -1;
    rc = tile_leaf(s, stream, target, &d, &p, e);
    if (rc <= 0)
        return rc;
    if (p == 0)
        return erase_lacking(s, stream, target, &d, e);
    s->state_dirty = true;
    rc = row_get(s, p, &r, e);
    if (rc < 0)
        return -1;
    return rc == 1 && row_living(&r) ? store_erase(s, p, e) : 0;
}

int
store_owed(struct store *s, uint32_t stream, uint64_t from, size_t max, struct arena *a,
           uint64_t **out, size_t *n, struct err *e)
{
    struct db_stmt *q;
    int rc;

    *n = 0;
    if (store_need_open(s, e) < 0)
        return -1;
    *out = arena_zero(a, max + 1, sizeof **out);
    if (!*out)
        return err_set(e, ERR_MEMORY, "no memory for what is owed");
    q = sql_ask(s, e,
                "SELECT entry FROM lack WHERE stream = ?1 AND entry >= ?2 AND owed = 1 "
                "ORDER BY entry LIMIT ?3",
                "iii", (int64_t)stream, (int64_t)from, (int64_t)max);
    while (q && (rc = sql_step(s, q, e)) == 1)
        if (*n < max)
            (*out)[(*n)++] = (uint64_t)sql_int(s, q, 0);
    return q && rc == 0 ? 0 : -1;
}

int
store_owed_drop(struct store *s, uint32_t stream, uint64_t entry, struct err *e)
{
    struct entry en;
    struct lack l;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    rc = lack_get(s, stream, entry, &l, e);
    if (rc <= 0 || !l.owed)
        return rc < 0 ? -1 : 0;
    return take_back(s, &l, stream, entry, &en, e) < 0 ||
                   lack_end(s, stream, entry, true, false, e) < 0
               ? -1
               : 0;
}

/* ---- bytes that came ---- */

static int
owed_get(struct store *s, const struct store_from *f, struct lack *out, struct err *e)
{
    const int rc = lack_get(s, f->stream, f->entry, out, e);

    if (rc < 0)
        return -1;
    return rc == 1 && out->owed ? 0 : err_set(e, ERR_MISSING, "nothing is owed there");
}

int
owed_check(struct store *s, const struct store_row *r, struct err *e)
{
    const struct entry en = {.kind = ENTRY_PUT,
                             .group_version = r->group_version,
                             .id = r->id,
                             .version = r->index.version,
                             .bytes = r->hash,
                             .size = r->bytes.n};
    char mem[ENTRY_HEADER_MAX];
    struct lack l;
    struct buf is;

    buf_init_fixed(&is, mem, sizeof mem);
    if (owed_get(s, r->from, &l, e) < 0 || entry_encode(&en, &is, e) < 0)
        return -1;
    if (!span_eq(lack_header(&l), buf_view(&is)))
        return err_set(e, ERR_CONFLICT, "bytes that are not what was committed to");
    return gathered(s, r->id, r->from->stream, r->from->entry)
               ? err_set(e, ERR_MISSING, "what was owed there has come")
               : 0;
}

int
owed_settle(struct store *s, const struct store_row *r, uint64_t p, struct stream_place *out,
            struct err *e)
{
    const struct store_from *f = r->from;
    struct lack l;

    if (owed_get(s, f, &l, e) < 0 || lack_end(s, f->stream, f->entry, true, true, e) < 0)
        return -1;
    *out = (struct stream_place){.stream = f->stream, .entry = f->entry};
    memcpy(out->salt, l.salt, sizeof out->salt);
    entry_commit(out->salt, lack_header(&l), &out->d);
    return stream_point(s, f->stream, f->entry, p, e);
}
