#include "store_stream.h"

#include <string.h>

#include "ledger.h"
#include "mem.h"
#include "merkle.h"
#include "store_tile.h"
#include "uuid.h"

#define POOL_BYTES  4096 /* random bytes fetched at a time: a system call for each salt is slow */
#define INCARNATION "store.incarnation"

struct head { /* a stream's tree; at index number - 1 */
    struct merkle_frontier f;
    struct tiles tiles;
    uint64_t owed;
    bool loaded, dirty;
};

struct streams {
    struct head *heads;
    size_t n;
    uint8_t pool[POOL_BYTES];
    size_t left;
};

void
streams_free(struct streams *t)
{
    if (!t)
        return;
    mem_wipe(t->pool, sizeof t->pool);
    for (size_t i = 0; i < t->n; i++)
        tiles_free(&t->heads[i].tiles);
    mem_free(t->heads);
    mem_free(t);
}

static int
streams_open(struct store *s, struct err *e)
{
    if (s->streams)
        return 0;
    s->streams = mem_zero(1, sizeof *s->streams);
    return s->streams ? 0 : err_set(e, ERR_MEMORY, "no memory for streams");
}

/* ---- names ---- */

static int
copy_blob(struct store *s, const char *sql, int64_t n, uint8_t *out, size_t size, struct err *e)
{
    struct db_stmt *q = sql_ask(s, e, sql, "i", n);
    struct span v;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    v = rc == 1 ? sql_bytes(s, q, 0) : (struct span){NULL, 0};
    if (v.n == size)
        memcpy(out, v.p, size);
    sql_end(s, q);
    return v.n == size ? 0 : err_set(e, ERR_CORRUPT, "a random id is not there");
}

/* The publisher's identity; an organisation that has none yet counts by its number. */
static int
publisher_id(struct store *s, uint32_t org, struct uuid *out, struct err *e)
{
    struct db_stmt *q = sql_ask(s, e, "SELECT identity FROM org WHERE n = ?1", "i", (int64_t)org);
    struct span id;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_MISSING, "there is no such organisation");
    id = sql_bytes(s, q, 0);
    if (id.n <= UUID_TEXT || !uuid_read(span_part(id, id.n - UUID_TEXT, UUID_TEXT), out)) {
        memset(out, 0, sizeof *out);
        for (int i = 0; i < 4; i++)
            out->b[15 - i] = (uint8_t)(org >> (8 * i));
    }
    sql_end(s, q);
    return 0;
}

static int
incarnation(struct store *s, uint8_t out[LEDGER_RANDOM_BYTES], struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT value FROM setting WHERE name = '" INCARNATION "'", "");
    struct span v;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    v = rc == 1 ? sql_bytes(s, q, 0) : (struct span){NULL, 0};
    if (v.n == LEDGER_RANDOM_BYTES) {
        memcpy(out, v.p, v.n);
        sql_end(s, q);
        return 0;
    }
    sql_end(s, q);
    random_bytes(out, LEDGER_RANDOM_BYTES);
    return store_setting_put(s, INCARNATION, span_from(out, LEDGER_RANDOM_BYTES), e);
}

/* A group is called by the random id of its first generation, the built-in ones by their names. */
static int
group_id(struct store *s, const struct audience *a, struct buf *out, struct err *e)
{
    uint8_t id[LEDGER_RANDOM_BYTES];
    int64_t first;
    int rc;

    if (a->group == 0) {
        buf_printf(out, "person:%u", (unsigned)a->person);
        return 0;
    }
    if (a->group == GROUP_PUBLIC || a->group == GROUP_REGION) {
        buf_str(out, a->group == GROUP_PUBLIC ? "public" : "region");
        return 0;
    }
    rc = sql_number(s, &first, e, "SELECT min(n) FROM generation WHERE grp = ?1", "i",
                    (int64_t)a->group);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_MISSING, "there is no such group");
    if (copy_blob(s, "SELECT random FROM generation WHERE n = ?1 /* group */", first, id, sizeof id,
                  e) < 0)
        return -1;
    hex_put(out, id, sizeof id);
    return 0;
}

/* What is said to everybody has one generation, the same at all members. */
static int
generation_id(struct store *s, const struct audience *a, uint8_t out[LEDGER_RANDOM_BYTES],
              struct err *e)
{
    int64_t now = 0;

    memset(out, 0, LEDGER_RANDOM_BYTES);
    if (a->generation == 0)
        return 0;
    if ((a->group == GROUP_PUBLIC || a->group == GROUP_REGION) &&
        sql_number(s, &now, e, "SELECT generation FROM grp WHERE n = ?1", "i", (int64_t)a->group) <
            0)
        return -1;
    if (now == (int64_t)a->generation)
        return 0;
    return copy_blob(s, "SELECT random FROM generation WHERE n = ?1", a->generation, out,
                     LEDGER_RANDOM_BYTES, e);
}

int
stream_naming(struct store *s, uint32_t publisher, const struct audience *a,
              const uint8_t inc[LEDGER_RANDOM_BYTES], char *mem, struct stream_name *out,
              struct err *e)
{
    struct stream_name name = {.label = (uint8_t)a->label, .exercise = a->exercise};
    struct buf group;

    buf_init_fixed(&group, mem, LEDGER_GROUP_MAX);
    if (publisher_id(s, publisher, &name.publisher, e) < 0 || group_id(s, a, &group, e) < 0 ||
        generation_id(s, a, name.generation, e) < 0)
        return -1;
    memcpy(name.incarnation, inc, LEDGER_RANDOM_BYTES);
    name.group = buf_view(&group);
    *out = name;
    return 0;
}

/* ---- streams ---- */

int
stream_insert(struct store *s, uint32_t publisher, uint32_t audience, bool own, bool current,
              const struct hash *id, const uint8_t inc[LEDGER_RANDOM_BYTES], uint32_t *out,
              struct err *e)
{
    char mem[FRONTIER_BYTES_MAX];
    struct merkle_frontier f;
    struct strm *more;
    struct buf b;
    const uint32_t number = (uint32_t)s->strm_count + 1;

    frontier_init(&f);
    buf_init_fixed(&b, mem, sizeof mem);
    frontier_encode(&f, &b);
    if (sql_do(s, e,
               "INSERT INTO stream (n, publisher, audience, current, id, incarnation, size, "
               "frontier, own) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)",
               "iiiibbbi", (int64_t)number, (int64_t)publisher, (int64_t)audience, (int64_t)current,
               span_from(id->b, sizeof id->b), span_from(inc, LEDGER_RANDOM_BYTES), buf_view(&b),
               (int64_t)own) < 0)
        return -1;
    more = mem_resize(s->strms, number * sizeof *more);
    if (!more)
        return err_set(e, ERR_MEMORY, "no memory for streams");
    s->strms = more;
    more[s->strm_count++] = (struct strm){.number = number,
                                          .publisher = publisher,
                                          .audience = audience,
                                          .current = current,
                                          .own = own};
    *out = number;
    return 0;
}

static int
stream_make(struct store *s, uint32_t publisher, const struct aud *a, uint32_t *out, struct err *e)
{
    uint8_t inc[LEDGER_RANDOM_BYTES];
    char mem[LEDGER_GROUP_MAX];
    struct stream_name name;
    struct hash id;

    if (incarnation(s, inc, e) < 0 || stream_naming(s, publisher, &a->a, inc, mem, &name, e) < 0 ||
        stream_id(&name, &id, e) < 0)
        return -1;
    return stream_insert(s, publisher, a->a.number, true, true, &id, inc, out, e);
}

int
stream_of(struct store *s, uint32_t publisher, uint32_t audience, uint32_t *out, struct err *e)
{
    const struct aud *a = aud_of(s, audience);

    if (strms_load(s, e) < 0)
        return -1;
    if (!a)
        return err_set(e, ERR_MISSING, "there is no such audience");
    if (a->stream && a->stream <= s->strm_count && s->strms[a->stream - 1].publisher == publisher) {
        *out = a->stream;
        return 0;
    }
    for (size_t i = s->strm_count; i-- > 0;)
        if (s->strms[i].publisher == publisher && s->strms[i].audience == audience &&
            s->strms[i].current) {
            *out = s->strms[i].number;
            return 0;
        }
    return stream_make(s, publisher, a, out, e);
}

static int
head_load(struct store *s, uint32_t stream, struct head **out, struct err *e)
{
    struct streams *t = s->streams;
    struct db_stmt *q;
    struct head *h;
    int rc;

    if (t->n < s->strm_count) {
        struct head *more = mem_resize(t->heads, s->strm_count * sizeof *more);

        if (!more)
            return err_set(e, ERR_MEMORY, "no memory for streams");
        memset(more + t->n, 0, (s->strm_count - t->n) * sizeof *more);
        t->heads = more;
        t->n = s->strm_count;
    }
    h = &t->heads[stream - 1];
    *out = h;
    if (h->loaded)
        return 0;
    q = sql_ask(s, e, "SELECT frontier, owed FROM stream WHERE n = ?1", "i", (int64_t)stream);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    h->owed = rc == 1 ? (uint64_t)sql_int(s, q, 1) : 0;
    rc = rc == 1 ? frontier_decode(sql_bytes(s, q, 0), &h->f, e)
                 : err_set(e, ERR_CORRUPT, "a stream is not there");
    sql_end(s, q);
    h->loaded = rc == 0;
    return rc;
}

static void
take_salt(struct streams *t, uint8_t salt[SALT_BYTES])
{
    if (t->left < SALT_BYTES) {
        random_bytes(t->pool, sizeof t->pool);
        t->left = sizeof t->pool;
    }
    t->left -= SALT_BYTES;
    memcpy(salt, t->pool + t->left, SALT_BYTES);
    memset(t->pool + t->left, 0, SALT_BYTES);
}

/* The next leaf: commitment d, as publication p. */
static int
grow(struct store *s, struct head *h, uint32_t stream, const struct hash *d, uint64_t p,
     struct err *e)
{
    struct tiles_done done = {s, &h->tiles};
    struct hash leaf;

    if (tiles_load(s, &h->tiles, stream, h->f.size, e) < 0 ||
        tiles_leaf(s, &h->tiles, h->f.size, d, p, e) < 0)
        return -1;
    entry_leaf(d, &leaf);
    h->dirty = true;
    return frontier_append(&h->f, &leaf, tiles_node, &done, e);
}

static int
append(struct store *s, uint32_t stream, const struct entry *en, uint64_t p,
       struct stream_place *out, struct err *e)
{
    char mem[ENTRY_HEADER_MAX];
    struct buf header;
    struct head *h = NULL;

    if (streams_open(s, e) < 0 || head_load(s, stream, &h, e) < 0)
        return -1;
    buf_init_fixed(&header, mem, sizeof mem);
    if (entry_encode(en, &header, e) < 0)
        return -1;
    take_salt(s->streams, out->salt);
    entry_commit(out->salt, buf_view(&header), &out->d);
    out->stream = stream;
    out->entry = h->f.size;
    return grow(s, h, stream, &out->d, p, e);
}

/* Of a number that somebody gave. */
static int
head_of(struct store *s, uint32_t stream, struct head **out, struct err *e)
{
    if (strms_load(s, e) < 0)
        return -1;
    if (stream == 0 || stream > s->strm_count)
        return err_set(e, ERR_MISSING, "there is no such stream");
    return streams_open(s, e) < 0 ? -1 : head_load(s, stream, out, e);
}

int
stream_take(struct store *s, uint32_t stream, const struct hash *d, struct err *e)
{
    struct head *h = NULL;

    if (head_of(s, stream, &h, e) < 0)
        return -1;
    return grow(s, h, stream, d, 0, e);
}

int
stream_owe(struct store *s, uint32_t stream, int change, struct err *e)
{
    struct head *h = NULL;

    if (head_of(s, stream, &h, e) < 0)
        return -1;
    if (change < 0 && h->owed < (uint64_t)-change)
        return err_set(e, ERR_CORRUPT, "a stream owes less than nothing");
    h->owed += (uint64_t)(int64_t)change;
    h->dirty = true;
    return 0;
}

int
stream_frontier(struct store *s, uint32_t stream, struct merkle_frontier *out, struct err *e)
{
    struct head *h = NULL;

    if (head_of(s, stream, &h, e) < 0)
        return -1;
    *out = h->f;
    return 0;
}

int
stream_add(struct store *s, const struct store_row *r, uint64_t p, struct stream_place *out,
           struct err *e)
{
    const struct entry en = {.kind = ENTRY_PUT,
                             .group_version = r->group_version,
                             .id = r->id,
                             .version = r->index.version,
                             .bytes = r->hash,
                             .size = r->bytes.n};
    struct aud *a = aud_of(s, r->audience);
    uint32_t stream;

    if (stream_of(s, r->publisher, r->audience, &stream, e) < 0)
        return -1;
    if (a)
        a->stream = stream;
    return append(s, stream, &en, p, out, e);
}

int
stream_add_erase(struct store *s, uint32_t stream, uint64_t erased, const struct hash *d,
                 uint64_t p, struct stream_place *out, struct err *e)
{
    const struct entry en = {.kind = ENTRY_ERASE, .target = erased, .target_d = *d};
    uint32_t current;

    if (strms_load(s, e) < 0)
        return -1;
    if (stream == 0 || stream > s->strm_count)
        return err_set(e, ERR_CORRUPT, "a stream is not there");
    /* A stream of an earlier incarnation takes nothing any more: the commitment says which entry
     * of which stream is meant. */
    if (stream_of(s, s->strms[stream - 1].publisher, s->strms[stream - 1].audience, &current, e) <
        0)
        return -1;
    return append(s, current, &en, p, out, e);
}

int
stream_point(struct store *s, uint32_t stream, uint64_t entry, uint64_t p, struct err *e)
{
    struct head *h = NULL;

    if (head_of(s, stream, &h, e) < 0)
        return -1;
    if (tiles_point(&h->tiles, entry, p)) {
        h->dirty = true;
        return 0;
    }
    return tile_point(s, stream, entry, p, e);
}

int
streams_save(struct store *s, struct err *e)
{
    struct streams *t = s->streams;

    for (size_t i = 0; t && i < t->n; i++) {
        char mem[FRONTIER_BYTES_MAX];
        struct buf b;

        if (!t->heads[i].dirty)
            continue;
        buf_init_fixed(&b, mem, sizeof mem);
        frontier_encode(&t->heads[i].f, &b);
        if (tiles_save(s, &t->heads[i].tiles, e) < 0 ||
            sql_do(s, e, "UPDATE stream SET size = ?2, frontier = ?3, owed = ?4 WHERE n = ?1",
                   "iibi", (int64_t)i + 1, (int64_t)t->heads[i].f.size, buf_view(&b),
                   (int64_t)t->heads[i].owed) < 0)
            return -1;
        t->heads[i].dirty = false;
    }
    return 0;
}

int
streams_renew(struct store *s, struct err *e)
{
    uint8_t inc[LEDGER_RANDOM_BYTES];

    random_bytes(inc, sizeof inc);
    return store_setting_put(s, INCARNATION, span_from(inc, sizeof inc), e) < 0
               ? -1
               : sql_do(s, e, "UPDATE stream SET current = 0", "");
}

/* ---- from schema 1 ---- */

struct old_stream {
    uint32_t n, publisher, audience;
    uint8_t inc[LEDGER_RANDOM_BYTES];
};

static int
old_streams(struct store *s, struct old_stream **out, size_t *n, struct err *e)
{
    struct db_stmt *q =
        sql_ask(s, e, "SELECT n, publisher, audience, incarnation FROM stream ORDER BY n", "");
    struct old_stream *list = NULL;
    int rc = -1;

    *n = 0;
    while (q && (rc = sql_step(s, q, e)) == 1) {
        struct old_stream *more = mem_resize(list, (*n + 1) * sizeof *list);
        const struct span inc = sql_bytes(s, q, 3);

        if (!more || inc.n != LEDGER_RANDOM_BYTES) {
            sql_end(s, q);
            rc = !more ? err_set(e, ERR_MEMORY, "no memory for streams")
                       : err_set(e, ERR_CORRUPT, "a random id is not there");
            list = more ? more : list;
            break;
        }
        list = more;
        list[*n] = (struct old_stream){.n = (uint32_t)sql_int(s, q, 0),
                                       .publisher = (uint32_t)sql_int(s, q, 1),
                                       .audience = (uint32_t)sql_int(s, q, 2)};
        memcpy(list[(*n)++].inc, inc.p, inc.n);
    }
    if (rc < 0) {
        mem_free(list);
        return -1;
    }
    *out = list;
    return 0;
}

static int
rename_stream(struct store *s, const struct old_stream *x, struct err *e)
{
    const struct aud *a = aud_of(s, x->audience);
    char mem[LEDGER_GROUP_MAX];
    struct stream_name name;
    struct hash id;

    if (!a)
        return err_set(e, ERR_CORRUPT, "a stream has no audience");
    return stream_naming(s, x->publisher, &a->a, x->inc, mem, &name, e) < 0 ||
                   stream_id(&name, &id, e) < 0
               ? -1
               : sql_do(s, e, "UPDATE stream SET id = ?2 WHERE n = ?1", "ib", (int64_t)x->n,
                        span_from(id.b, sizeof id.b));
}

/* Trees from the commitments of all entries, in order of p: within a stream that of entries. */
static int
plant(struct store *s, struct err *e)
{
    struct db_stmt *q = sql_ask(s, e, "SELECT p, stream, entry, d FROM publication ORDER BY p", "");
    int rc;

    if (!q || streams_open(s, e) < 0)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        const uint32_t n = (uint32_t)sql_int(s, q, 1);
        const struct span d = sql_bytes(s, q, 3);
        struct head *h = NULL;
        struct hash x;

        if (n == 0 || n > s->strm_count || d.n != sizeof x.b) {
            err_set(e, ERR_CORRUPT, "a publication has no stream or commitment");
            break;
        }
        memcpy(x.b, d.p, d.n);
        if (head_load(s, n, &h, e) < 0)
            break;
        if (!h->dirty) {
            frontier_init(&h->f);
            h->dirty = true;
        }
        if (h->f.size != (uint64_t)sql_int(s, q, 2)) {
            err_set(e, ERR_CORRUPT, "not the next entry of its stream");
            break;
        }
        if (grow(s, h, n, &x, (uint64_t)sql_int(s, q, 0), e) < 0)
            break;
    }
    if (rc == 1)
        sql_end(s, q);
    return rc == 0 ? streams_save(s, e) : -1;
}

int
streams_upgrade(struct store *s, struct err *e)
{
    struct old_stream *list = NULL;
    size_t n = 0;
    int rc =
        auds_load(s, e) < 0 || strms_load(s, e) < 0 || old_streams(s, &list, &n, e) < 0 ? -1 : 0;

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = rename_stream(s, &list[i], e);
    mem_free(list);
    return rc == 0 ? plant(s, e) : -1;
}
