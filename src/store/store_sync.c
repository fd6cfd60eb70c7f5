#include "store_sync.h"

#include <string.h>

#include "mem.h"
#include "store_owed.h"
#include "store_tile.h"

/* What is gathered in the writer is written before it is read. */
static int
settle(struct store *s, struct err *e)
{
    if (store_need_open(s, e) < 0 || strms_load(s, e) < 0 || auds_load(s, e) < 0)
        return -1;
    return s->mode == DB_WRITE ? streams_save(s, e) : 0;
}

static void
dirty(struct store *s)
{
    s->state_dirty = true;
}

uint64_t
store_changes(const struct store *s)
{
    return s->state.commits;
}

/* ---- streams ---- */

#define STREAM_SELECT                                                                              \
    "SELECT t.n, t.publisher, t.audience, t.current, t.own, t.id, t.incarnation, t.frontier, "     \
    "h.size, h.head, h.links, f.at, f.evidence, t.owed FROM stream t "                             \
    "LEFT JOIN head h ON h.stream = t.n LEFT JOIN frozen f ON f.stream = t.n "

/* All but the name. */
static int
read_stream(struct store *s, struct db_stmt *q, struct store_stream *out,
            uint8_t inc[LEDGER_RANDOM_BYTES], struct err *e)
{
    const struct span id = sql_bytes(s, q, 5), in = sql_bytes(s, q, 6);
    struct merkle_frontier f;
    struct store_stream t = {.number = (uint32_t)sql_int(s, q, 0),
                             .publisher = (uint32_t)sql_int(s, q, 1),
                             .audience = (uint32_t)sql_int(s, q, 2),
                             .current = sql_int(s, q, 3) != 0,
                             .own = sql_int(s, q, 4) != 0,
                             .head_size = (uint64_t)sql_int(s, q, 8),
                             .head = sql_bytes(s, q, 9),
                             .links = sql_bytes(s, q, 10),
                             .frozen = !sql_null(s, q, 11),
                             .frozen_at = (uint64_t)sql_int(s, q, 11),
                             .evidence = sql_bytes(s, q, 12)};

    if (id.n != sizeof t.id.b || in.n != LEDGER_RANDOM_BYTES)
        return err_set(e, ERR_CORRUPT, "a stream has no id");
    if (frontier_decode(sql_bytes(s, q, 7), &f, e) < 0)
        return -1;
    memcpy(t.id.b, id.p, id.n);
    memcpy(inc, in.p, in.n);
    t.size = f.size;
    t.settled = f.size - (uint64_t)sql_int(s, q, 13);
    frontier_root(&f, &t.root);
    *out = t;
    return 0;
}

static int
name_of(struct store *s, struct store_stream *t, const uint8_t inc[LEDGER_RANDOM_BYTES], char *mem,
        struct err *e)
{
    const struct aud *a = aud_of(s, t->audience);

    if (!a)
        return err_set(e, ERR_CORRUPT, "a stream has no audience");
    return stream_naming(s, t->publisher, &a->a, inc, mem, &t->name, e);
}

static int
keep_spans(struct arena *a, struct store_stream *t, struct err *e)
{
    struct span *const list[] = {&t->head, &t->links, &t->evidence};

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        const size_t n = list[i]->n;

        *list[i] = arena_span(a, *list[i]);
        if (n > 0 && !list[i]->p)
            return err_set(e, ERR_MEMORY, "no memory for a stream");
    }
    return 0;
}

int
store_stream_get(struct store *s, const struct hash *id, uint32_t number, struct arena *a,
                 struct store_stream *out, struct err *e)
{
    uint8_t inc[LEDGER_RANDOM_BYTES];
    char *mem = arena_alloc(a, LEDGER_GROUP_MAX);
    struct db_stmt *q;
    int rc;

    if (!mem)
        return err_set(e, ERR_MEMORY, "no memory for a stream");
    if (settle(s, e) < 0)
        return -1;
    q = id ? sql_ask(s, e, STREAM_SELECT "WHERE t.id = ?1", "b", span_from(id->b, sizeof id->b))
           : sql_ask(s, e, STREAM_SELECT "WHERE t.n = ?1", "i", (int64_t)number);
    if (!q || (rc = sql_step(s, q, e)) <= 0)
        return q ? rc : -1;
    rc = read_stream(s, q, out, inc, e);
    if (rc == 0)
        rc = keep_spans(a, out, e);
    sql_end(s, q);
    return rc < 0 || name_of(s, out, inc, mem, e) < 0 ? -1 : 1;
}

int
store_stream_each(struct store *s, store_stream_fn *fn, void *ctx, struct err *e)
{
    struct arena *a;
    int rc = 0;

    if (settle(s, e) < 0)
        return -1;
    a = arena_new(STORE_EVIDENCE_MAX * 4);
    if (!a)
        return err_set(e, ERR_MEMORY, "no memory for a stream");
    /* One at a time, since fn may ask the store for other things. */
    for (uint32_t n = 1; rc == 0 && n <= s->strm_count; n++) {
        struct store_stream t;

        arena_reset(a);
        rc = store_stream_get(s, NULL, n, a, &t, e);
        if (rc == 1)
            rc = fn(ctx, &t, e);
    }
    arena_free(a);
    return rc;
}

int
store_stream_unsigned(struct store *s, struct arena *a, uint32_t **out, size_t *n, struct err *e)
{
    struct db_stmt *q;
    int rc;

    *n = 0;
    if (settle(s, e) < 0)
        return -1;
    *out = arena_zero(a, s->strm_count + 1, sizeof **out);
    if (!*out)
        return err_set(e, ERR_MEMORY, "no memory for streams");
    q = sql_ask(s, e,
                "SELECT t.n FROM stream t LEFT JOIN head h ON h.stream = t.n "
                "WHERE t.own = 1 AND t.current = 1 AND t.size > COALESCE(h.size, 0) ORDER BY t.n",
                "");
    while (q && (rc = sql_step(s, q, e)) == 1)
        if (*n < s->strm_count)
            (*out)[(*n)++] = (uint32_t)sql_int(s, q, 0);
    return q && rc == 0 ? 0 : -1;
}

int
store_stream_make(struct store *s, const struct stream_name *name, uint32_t publisher,
                  uint32_t audience, uint32_t *number, struct err *e)
{
    const struct aud *a;
    char mem[LEDGER_GROUP_MAX];
    struct stream_name is;
    struct hash want, id;
    int64_t there;
    int rc;

    if (store_need_write(s, e) < 0 || settle(s, e) < 0)
        return -1;
    if (!(a = aud_of(s, audience)))
        return err_set(e, ERR_MISSING, "there is no such audience");
    if (stream_naming(s, publisher, &a->a, name->incarnation, mem, &is, e) < 0 ||
        stream_id(&is, &id, e) < 0 || stream_id(name, &want, e) < 0)
        return -1;
    if (!hash_eq(&id, &want))
        return err_set(e, ERR_CONFLICT, "a stream's name is not that of its audience");
    rc = sql_number(s, &there, e, "SELECT n FROM stream WHERE id = ?1", "b",
                    span_from(id.b, sizeof id.b));
    if (rc < 0)
        return -1;
    dirty(s);
    *number = (uint32_t)there;
    return rc == 1 ? 0
                   : stream_insert(s, publisher, audience, publisher == ORG_SELF, false, &id,
                                   name->incarnation, number, e);
}

int
store_head_keep(struct store *s, uint32_t stream, uint64_t size, struct span head,
                struct span links, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    if (head.n == 0 || head.n > STORE_HEAD_MAX || links.n > STORE_EVIDENCE_MAX)
        return err_set(e, ERR_LIMIT, "a head is too long");
    dirty(s);
    return sql_do(
        s, e,
        "INSERT INTO head (stream, size, head, links) VALUES (?1, ?2, ?3, ?4) ON CONFLICT "
        "(stream) DO UPDATE SET size = excluded.size, head = excluded.head, "
        "links = excluded.links",
        "iibb", (int64_t)stream, (int64_t)size, head, links);
}

int
store_stream_freeze(struct store *s, uint32_t stream, uint64_t at, struct span evidence,
                    struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    if (evidence.n > STORE_EVIDENCE_MAX)
        return err_set(e, ERR_LIMIT, "evidence is too long");
    dirty(s);
    return sql_do(s, e,
                  "INSERT INTO frozen (stream, at, evidence) VALUES (?1, ?2, ?3) ON CONFLICT "
                  "(stream) DO UPDATE SET at = excluded.at, evidence = excluded.evidence "
                  "WHERE excluded.at < frozen.at",
                  "iib", (int64_t)stream, (int64_t)at, evidence);
}

/* ---- trees ---- */

struct source {
    struct store *s;
    uint32_t stream;
    struct tile_look look;
};

static int
source_leaf(void *arg, uint64_t i, struct hash *out, struct err *e)
{
    struct source *x = arg;
    const uint8_t *kept;
    struct hash d;
    uint64_t p;

    if (tile_look(x->s, x->stream, 0, i, &x->look, &kept, e) < 0)
        return -1;
    if (!kept)
        return err_set(e, ERR_CORRUPT, "the tree of a stream is not whole");
    tile_leaf_read(kept, &d, &p);
    entry_leaf(&d, out);
    return 0;
}

static int
source_node(void *arg, unsigned level, uint64_t index, struct hash *out, struct err *e)
{
    struct source *x = arg;
    const unsigned row = level / TILE_SHIFT;
    const uint8_t *kept;

    if (level % TILE_SHIFT != 0 || row >= TILE_LEVELS)
        return 0;
    if (tile_look(x->s, x->stream, row, index, &x->look, &kept, e) < 0)
        return -1;
    if (!kept)
        return 0;
    memcpy(out->b, kept, HASH_BYTES);
    return 1;
}

int
store_stream_source(struct store *s, uint32_t stream, struct arena *a, struct merkle_source *out,
                    struct err *e)
{
    struct source *x = arena_zero(a, 1, sizeof *x);

    if (!x)
        return err_set(e, ERR_MEMORY, "no memory for a tree");
    if (settle(s, e) < 0)
        return -1;
    *x = (struct source){.s = s, .stream = stream};
    *out = (struct merkle_source){x, source_leaf, source_node};
    return 0;
}

/* ---- entries ---- */

static int
keep_header(struct buf *b, struct arena *a, struct store_entry *out, struct err *e)
{
    out->header = arena_span(a, buf_view(b));
    return out->header.p ? 0 : err_set(e, ERR_MEMORY, "no memory for an entry");
}

static int
erase_entry(struct store *s, const struct row *r, struct arena *a, struct store_entry *out,
            struct err *e)
{
    struct entry en = {.kind = ENTRY_ERASE};
    char mem[ENTRY_HEADER_MAX];
    struct buf header;
    struct db_stmt *q = sql_ask(s, e, "SELECT entry, d FROM publication WHERE p = ?1 /* target */",
                                "i", (int64_t)r->object);
    struct span d;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    d = rc == 1 ? sql_bytes(s, q, 1) : (struct span){NULL, 0};
    if (d.n != sizeof en.target_d.b) {
        if (rc == 1)
            sql_end(s, q);
        return err_set(e, ERR_CORRUPT, "what was erased has left no commitment");
    }
    en.target = (uint64_t)sql_int(s, q, 0);
    memcpy(en.target_d.b, d.p, d.n);
    sql_end(s, q);
    buf_init_fixed(&header, mem, sizeof mem);
    return entry_encode(&en, &header, e) < 0 ? -1 : keep_header(&header, a, out, e);
}

static int
put_entry(struct store *s, const struct row *r, uint64_t group_version, bool body, struct arena *a,
          struct store_entry *out, struct err *e)
{
    struct entry en = {.kind = ENTRY_PUT, .group_version = group_version};
    char mem[ENTRY_HEADER_MAX], id_mem[ENTRY_ID_MAX + 2];
    struct buf header, id;
    struct db_stmt *q;
    struct span bytes;
    int rc;

    buf_init_fixed(&header, mem, sizeof mem);
    buf_init_fixed(&id, id_mem, sizeof id_mem);
    if (id_text(s, r->ident, &id, e) < 0 || row_bytes(s, r->object, &q, &bytes, e) < 0)
        return -1;
    en.id = buf_view(&id);
    en.size = bytes.n;
    en.version = s->version ? s->version(s->index_ctx, bytes, a) : (struct span){NULL, 0};
    hash_sha256(bytes, &en.bytes);
    rc = entry_encode(&en, &header, e) < 0 ? -1 : keep_header(&header, a, out, e);
    out->has_body = true;
    if (rc == 0 && body && !(out->body = arena_span(a, bytes)).p)
        rc = err_set(e, ERR_MEMORY, "no memory for an entry");
    sql_end(s, q);
    return rc;
}

static int
row_entry(struct store *s, uint64_t p, bool body, struct arena *a, struct store_entry *out,
          struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT " ROW_COLUMNS ", salt, gversion FROM publication WHERE p = ?1", "i",
                (int64_t)p);
    uint64_t group_version;
    struct span salt;
    struct row r;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_CORRUPT, "an entry's publication is not there");
    row_read(s, q, &r);
    salt = sql_bytes(s, q, ROW_COLUMN_COUNT);
    group_version = (uint64_t)sql_int(s, q, ROW_COLUMN_COUNT + 1);
    out->bare = (r.flags & F_ERASED) != 0;
    if (!out->bare && salt.n == sizeof out->salt)
        memcpy(out->salt, salt.p, salt.n);
    else if (!out->bare)
        rc = err_set(e, ERR_CORRUPT, "an entry has lost its salt");
    sql_end(s, q);
    if (rc < 0 || out->bare)
        return rc < 0 ? -1 : 0;
    return r.flags & F_ERASE ? erase_entry(s, &r, a, out, e)
                             : put_entry(s, &r, group_version, body, a, out, e);
}

/* One without a publication: what is kept of it, or nothing. */
static int
lacking_entry(struct store *s, uint32_t stream, uint64_t i, struct arena *a,
              struct store_entry *out, struct err *e)
{
    struct lack l;
    int rc = lack_get(s, stream, i, &l, e);

    if (rc < 0)
        return -1;
    out->bare = rc == 0;
    if (rc == 0)
        return 0;
    memcpy(out->salt, l.salt, sizeof out->salt);
    out->header = arena_span(a, lack_header(&l));
    return out->header.p ? 0 : err_set(e, ERR_MEMORY, "no memory for an entry");
}

int
store_entry_get(struct store *s, uint32_t stream, uint64_t i, bool body, struct arena *a,
                struct store_entry *out, struct err *e)
{
    struct store_entry x = {0};
    int rc;

    if (settle(s, e) < 0)
        return -1;
    rc = tile_leaf(s, stream, i, &x.d, &x.p, e);
    if (rc <= 0)
        return rc;
    rc = x.p ? row_entry(s, x.p, body, a, &x, e) : lacking_entry(s, stream, i, a, &x, e);
    if (rc < 0)
        return -1;
    *out = x;
    return 1;
}

int
store_place_of(struct store *s, uint64_t p, uint32_t *stream, uint64_t *entry, struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT stream, entry FROM publication WHERE p = ?1", "i", (int64_t)p);
    if (!q || (rc = sql_step(s, q, e)) <= 0)
        return q ? rc : -1;
    *stream = (uint32_t)sql_int(s, q, 0);
    *entry = (uint64_t)sql_int(s, q, 1);
    sql_end(s, q);
    return *stream != 0;
}

/* ---- what others say ---- */

static int
take_one(struct store *s, uint32_t stream, uint64_t i, const struct store_entry *x, struct err *e)
{
    struct entry en = {0};
    struct hash d;

    if (!x->bare) {
        if (entry_decode(x->header, &en, e) < 0)
            return -1;
        entry_commit(x->salt, x->header, &d);
        if (!hash_eq(&d, &x->d))
            return err_set(e, ERR_PROTOCOL, "an entry is not what was committed to");
        if (lack_add(s, stream, i, en.kind == ENTRY_PUT, x, e) < 0)
            return -1;
    }
    return stream_take(s, stream, &x->d, e);
}

/* How many of the list are held already, as they are. */
static int
known_of(struct store *s, uint32_t stream, uint64_t from, const struct store_entry *list, size_t n,
         size_t *out, struct err *e)
{
    struct merkle_frontier f;
    struct hash d;
    uint64_t p;
    size_t i = 0;
    int rc = 1;

    if (stream_frontier(s, stream, &f, e) < 0)
        return -1;
    if (from > f.size)
        return err_set(e, ERR_RANGE, "entries that do not follow those of a stream");
    for (; i < n && from + i < f.size; i++) {
        rc = tile_leaf(s, stream, from + i, &d, &p, e);
        if (rc <= 0 || !hash_eq(&d, &list[i].d))
            return rc < 0 ? -1 : err_set(e, ERR_CONFLICT, "entries that are others here");
    }
    *out = i;
    return 0;
}

int
store_entries_take(struct store *s, uint32_t stream, uint64_t from, const struct store_entry *list,
                   size_t n, struct err *e)
{
    size_t known;

    if (store_need_write(s, e) < 0 || settle(s, e) < 0 ||
        known_of(s, stream, from, list, n, &known, e) < 0)
        return -1;
    if (s->strms[stream - 1].current)
        return err_set(e, ERR_DENIED, "our own stream is said here alone");
    dirty(s);
    for (size_t i = known; i < n; i++)
        if (take_one(s, stream, from + i, &list[i], e) < 0)
            return -1;
    return 0;
}
