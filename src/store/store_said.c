#include "store_said.h"

#include <string.h>

#include "mem.h"
#include "store_impl.h"

static struct span
id_span(const struct uuid *id)
{
    return span_from(id->b, sizeof id->b);
}

static void
copy_fixed(struct span v, void *out, size_t n)
{
    if (v.n == n)
        memcpy(out, v.p, n);
    else
        memset(out, 0, n);
}

static int
no_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "no memory for what members say");
}

void
store_place_name(const struct hash *stream, uint64_t entry, uint8_t out[STORE_PLACE_NAME])
{
    memcpy(out, stream->b, HASH_BYTES);
    for (int i = 0; i < 8; i++)
        out[HASH_BYTES + i] = (uint8_t)(entry >> (56 - 8 * i));
}

/* ---- what was said ---- */

int
store_said_put(struct store *s, const struct store_said *x, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    if (x->name.n > STORE_SAID_NAME_MAX || x->content.n > STORE_SAID_CONTENT_MAX)
        return err_set(e, ERR_LIMIT, "what was said is too long to be kept");
    s->state_dirty = true;
    return sql_do(s, e,
                  "INSERT INTO said (kind, name, stream, entry, member, content) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kind, name) DO UPDATE SET "
                  "stream = excluded.stream, entry = excluded.entry, member = excluded.member, "
                  "content = excluded.content",
                  "ibbibb", (int64_t)x->kind, x->name, span_from(x->stream.b, sizeof x->stream.b),
                  (int64_t)x->entry, id_span(&x->member), x->content);
}

#define SAID_SELECT "SELECT kind, name, stream, entry, member, content FROM said "

static void
said_read(struct store *s, struct db_stmt *q, struct store_said *out)
{
    *out = (struct store_said){.kind = (unsigned)sql_int(s, q, 0),
                               .name = sql_bytes(s, q, 1),
                               .entry = (uint64_t)sql_int(s, q, 3),
                               .content = sql_bytes(s, q, 5)};
    copy_fixed(sql_bytes(s, q, 2), out->stream.b, sizeof out->stream.b);
    copy_fixed(sql_bytes(s, q, 4), out->member.b, sizeof out->member.b);
}

int
store_said_get(struct store *s, unsigned kind, struct span name, struct arena *a,
               struct store_said *out, struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, SAID_SELECT "WHERE kind = ?1 AND name = ?2", "ib", (int64_t)kind, name);
    if (!q || (rc = sql_step(s, q, e)) <= 0)
        return q ? rc : -1;
    said_read(s, q, out);
    out->name = arena_span(a, out->name);
    rc = out->content.n > 0;
    out->content = arena_span(a, out->content);
    if (rc && !out->content.p)
        rc = no_memory(e);
    sql_end(s, q);
    return rc < 0 ? -1 : 1;
}

int
store_said_drop(struct store *s, unsigned kind, struct span name, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    s->state_dirty = true;
    return sql_do(s, e, "DELETE FROM said WHERE kind = ?1 AND name = ?2", "ib", (int64_t)kind,
                  name);
}

int
store_said_each(struct store *s, unsigned kind, store_said_fn *fn, void *ctx, struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = kind ? sql_ask(s, e, SAID_SELECT "WHERE kind = ?1 ORDER BY name", "i", (int64_t)kind)
             : sql_ask(s, e, SAID_SELECT "ORDER BY kind, name", "");
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        struct store_said x;

        said_read(s, q, &x);
        rc = fn(ctx, &x, e);
        if (rc != 0) {
            sql_end(s, q);
            return rc;
        }
    }
    return rc;
}

int
store_said_count(struct store *s, unsigned kind, uint64_t *out, struct err *e)
{
    int64_t n = 0;

    if (store_need_open(s, e) < 0 ||
        sql_number(s, &n, e, "SELECT count(*) FROM said WHERE kind = ?1", "i", (int64_t)kind) < 0)
        return -1;
    *out = (uint64_t)n;
    return 0;
}

/* ---- peers ---- */

int
store_peer_get(struct store *s, const struct uuid *id, struct arena *a, struct store_peer *out,
               struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT epoch, cursor, ok, failed, failures, why FROM peer WHERE id = ?1",
                "b", id_span(id));
    if (!q || (rc = sql_step(s, q, e)) <= 0)
        return q ? rc : -1;
    *out = (struct store_peer){.id = *id,
                               .cursor = (uint64_t)sql_int(s, q, 1),
                               .ok_us = sql_int(s, q, 2),
                               .failed_us = sql_int(s, q, 3),
                               .failures = (uint64_t)sql_int(s, q, 4),
                               .why = arena_span(a, sql_bytes(s, q, 5))};
    copy_fixed(sql_bytes(s, q, 0), out->epoch, sizeof out->epoch);
    sql_end(s, q);
    return 1;
}

int
store_peer_put(struct store *s, const struct store_peer *p, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    if (p->why.n > STORE_SETTING_MAX)
        return err_set(e, ERR_LIMIT, "a reason is too long");
    return sql_do(s, e,
                  "INSERT INTO peer (id, epoch, cursor, ok, failed, failures, why) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET "
                  "epoch = excluded.epoch, cursor = excluded.cursor, ok = excluded.ok, "
                  "failed = excluded.failed, failures = excluded.failures, why = excluded.why",
                  "bbiiiit", id_span(&p->id), span_from(p->epoch, sizeof p->epoch),
                  (int64_t)p->cursor, p->ok_us, p->failed_us, (int64_t)p->failures, p->why);
}

/* Its number, which rows of what it offers name; made where there is none. */
static int
peer_number(struct store *s, const struct uuid *id, int64_t *out, struct err *e)
{
    const struct store_peer fresh = {.id = *id};
    int rc = sql_number(s, out, e, "SELECT n FROM peer WHERE id = ?1", "b", id_span(id));

    if (rc != 0 || s->mode != DB_WRITE)
        return rc;
    if (store_peer_put(s, &fresh, e) < 0)
        return -1;
    return sql_number(s, out, e, "SELECT n FROM peer WHERE id = ?1", "b", id_span(id));
}

int
store_mirror_list(struct store *s, const struct uuid *peer, struct arena *a,
                  struct store_pair **out, size_t *n, struct err *e)
{
    int64_t number = 0, count = 0;
    struct db_stmt *q;
    int rc;

    *n = 0;
    if (store_need_open(s, e) < 0 || peer_number(s, peer, &number, e) < 0 ||
        sql_number(s, &count, e, "SELECT count(*) FROM mirror WHERE peer = ?1", "i", number) < 0)
        return -1;
    *out = arena_zero(a, (size_t)count + 1, sizeof **out);
    if (!*out)
        return no_memory(e);
    q = sql_ask(s, e, "SELECT key, print FROM mirror WHERE peer = ?1 ORDER BY key", "i", number);
    while (q && (rc = sql_step(s, q, e)) == 1) {
        if (*n == (size_t)count)
            continue;
        copy_fixed(sql_bytes(s, q, 0), (*out)[*n].key, STORE_OFFER_KEY);
        copy_fixed(sql_bytes(s, q, 1), (*out)[(*n)++].print, STORE_OFFER_PRINT);
    }
    return q && rc == 0 ? 0 : -1;
}

int
store_mirror_put(struct store *s, const struct uuid *peer, const struct store_pair *p,
                 struct err *e)
{
    int64_t number = 0;

    if (store_need_write(s, e) < 0 || peer_number(s, peer, &number, e) < 0)
        return -1;
    return sql_do(s, e,
                  "INSERT INTO mirror (peer, key, print) VALUES (?1, ?2, ?3) ON CONFLICT "
                  "(peer, key) DO UPDATE SET print = excluded.print",
                  "ibb", number, span_from(p->key, STORE_OFFER_KEY),
                  span_from(p->print, STORE_OFFER_PRINT));
}

int
store_mirror_drop(struct store *s, const struct uuid *peer, const uint8_t key[STORE_OFFER_KEY],
                  struct err *e)
{
    int64_t number = 0;

    if (store_need_write(s, e) < 0 || peer_number(s, peer, &number, e) < 0)
        return -1;
    return sql_do(s, e, "DELETE FROM mirror WHERE peer = ?1 AND key = ?2", "ib", number,
                  span_from(key, STORE_OFFER_KEY));
}

/* ---- streams that a peer offers ---- */

int
store_offered_each(struct store *s, const struct uuid *peer, store_offered_fn *fn, void *ctx,
                   struct err *e)
{
    int64_t number = 0;
    struct db_stmt *q;
    int rc;

    if (store_need_open(s, e) < 0 || peer_number(s, peer, &number, e) < 0)
        return -1;
    q = sql_ask(s, e,
                "SELECT key, stream, content, asked, refused FROM offered WHERE peer = ?1 "
                "ORDER BY key",
                "i", number);
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        struct store_offered o = {.content = sql_bytes(s, q, 2),
                                  .asked = (uint64_t)sql_int(s, q, 3),
                                  .refused = sql_int(s, q, 4) != 0};

        copy_fixed(sql_bytes(s, q, 0), o.key, sizeof o.key);
        copy_fixed(sql_bytes(s, q, 1), o.stream.b, sizeof o.stream.b);
        rc = fn(ctx, &o, e);
        if (rc != 0) {
            sql_end(s, q);
            return rc;
        }
    }
    return rc;
}

int
store_offered_put(struct store *s, const struct uuid *peer, const struct store_offered *o,
                  struct err *e)
{
    int64_t number = 0;

    if (store_need_write(s, e) < 0 || peer_number(s, peer, &number, e) < 0)
        return -1;
    if (o->content.n > STORE_SAID_CONTENT_MAX)
        return err_set(e, ERR_LIMIT, "an offer is too long");
    return sql_do(s, e,
                  "INSERT INTO offered (peer, key, stream, content, asked, refused) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (peer, key) DO UPDATE SET "
                  "stream = excluded.stream, content = excluded.content, "
                  "refused = excluded.refused",
                  "ibbbii", number, span_from(o->key, STORE_OFFER_KEY),
                  span_from(o->stream.b, sizeof o->stream.b), o->content, (int64_t)o->asked,
                  (int64_t)o->refused);
}

int
store_offered_drop(struct store *s, const struct uuid *peer, const uint8_t key[STORE_OFFER_KEY],
                   struct err *e)
{
    int64_t number = 0;

    if (store_need_write(s, e) < 0 || peer_number(s, peer, &number, e) < 0)
        return -1;
    return sql_do(s, e, "DELETE FROM offered WHERE peer = ?1 AND key = ?2", "ib", number,
                  span_from(key, STORE_OFFER_KEY));
}

int
store_offered_asked(struct store *s, const struct uuid *peer, const struct hash *stream,
                    uint64_t settled, struct err *e)
{
    int64_t number = 0;

    if (store_need_write(s, e) < 0 || peer_number(s, peer, &number, e) < 0)
        return -1;
    return sql_do(s, e, "UPDATE offered SET asked = ?3 WHERE peer = ?1 AND stream = ?2", "ibi",
                  number, span_from(stream->b, sizeof stream->b), (int64_t)settled);
}

int
store_offered_refused(struct store *s, const struct uuid *peer, const struct hash *stream,
                      struct err *e)
{
    int64_t number = 0;

    if (store_need_write(s, e) < 0 || peer_number(s, peer, &number, e) < 0)
        return -1;
    return sql_do(s, e, "UPDATE offered SET refused = 1 WHERE peer = ?1 AND stream = ?2", "ib",
                  number, span_from(stream->b, sizeof stream->b));
}

/* ---- accusations ---- */

int
store_accuse(struct store *s, const struct store_accused *x, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    if (x->why.n > STORE_SETTING_MAX || x->evidence.n > STORE_SAID_CONTENT_MAX)
        return err_set(e, ERR_LIMIT, "evidence is too long");
    if (sql_do(s, e, "INSERT INTO accused (at, peer, why, evidence) VALUES (?1, ?2, ?3, ?4)",
               "ibtb", x->at_us, id_span(&x->peer), x->why, x->evidence) < 0)
        return -1;
    return sql_do(s, e, "DELETE FROM accused WHERE n <= (SELECT max(n) FROM accused) - ?1", "i",
                  (int64_t)STORE_ACCUSED_MAX);
}

int
store_accused_list(struct store *s, uint64_t before, uint32_t limit, struct arena *a,
                   struct store_accused **out, size_t *n, struct err *e)
{
    struct db_stmt *q;
    int rc;

    *n = 0;
    if (store_need_open(s, e) < 0)
        return -1;
    *out = arena_zero(a, (size_t)limit + 1, sizeof **out);
    if (!*out)
        return no_memory(e);
    q = sql_ask(s, e,
                "SELECT n, at, peer, why, evidence FROM accused WHERE n < ?1 ORDER BY n DESC "
                "LIMIT ?2",
                "ii", before ? (int64_t)before : INT64_MAX, (int64_t)limit);
    while (q && (rc = sql_step(s, q, e)) == 1) {
        struct store_accused *x = &(*out)[*n];

        if (*n == limit)
            continue;
        *x = (struct store_accused){.n = (uint64_t)sql_int(s, q, 0),
                                    .at_us = sql_int(s, q, 1),
                                    .why = arena_span(a, sql_bytes(s, q, 3)),
                                    .evidence = arena_span(a, sql_bytes(s, q, 4))};
        copy_fixed(sql_bytes(s, q, 2), x->peer.b, sizeof x->peer.b);
        (*n)++;
    }
    return q && rc == 0 ? 0 : -1;
}
