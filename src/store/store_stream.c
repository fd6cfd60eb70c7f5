#include "store_stream.h"

#include <string.h>

#include "ledger.h"
#include "mem.h"
#include "merkle.h"
#include "uuid.h"

#define POOL_BYTES  4096 /* random bytes fetched at a time: a system call for each salt is slow */
#define INCARNATION "store.incarnation"

struct head { /* a stream's tree; at index number - 1 */
    struct merkle_frontier f;
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

    if (a->group == 0) {
        buf_printf(out, "person:%u", (unsigned)a->person);
    } else if (a->group == GROUP_PUBLIC) {
        buf_str(out, "public");
    } else if (a->group == GROUP_REGION) {
        buf_str(out, "region");
    } else {
        const int rc = sql_number(s, &first, e, "SELECT min(n) FROM generation WHERE grp = ?1", "i",
                                  (int64_t)a->group);

        if (rc < 0)
            return -1;
        if (rc == 0)
            return err_set(e, ERR_MISSING, "there is no such group");
        if (copy_blob(s, "SELECT random FROM generation WHERE n = ?1 /* group */", first, id,
                      sizeof id, e) < 0)
            return -1;
        buf_str(out, "group:");
        hex_put(out, id, sizeof id);
    }
    return 0;
}

static int
name_stream(struct store *s, uint32_t publisher, const struct audience *a, struct hash *id,
            uint8_t inc[LEDGER_RANDOM_BYTES], struct err *e)
{
    struct stream_name name = {.label = (uint8_t)a->label, .exercise = a->exercise};
    char mem[LEDGER_GROUP_MAX];
    struct buf group;

    buf_init_fixed(&group, mem, sizeof mem);
    if (publisher_id(s, publisher, &name.publisher, e) < 0 || incarnation(s, inc, e) < 0 ||
        group_id(s, a, &group, e) < 0)
        return -1;
    if (a->generation && copy_blob(s, "SELECT random FROM generation WHERE n = ?1", a->generation,
                                   name.generation, sizeof name.generation, e) < 0)
        return -1;
    memcpy(name.incarnation, inc, LEDGER_RANDOM_BYTES);
    name.group = buf_view(&group);
    return stream_id(&name, id, e);
}

/* ---- streams ---- */

static int
stream_make(struct store *s, uint32_t publisher, const struct aud *a, uint32_t *out, struct err *e)
{
    uint8_t inc[LEDGER_RANDOM_BYTES];
    char mem[FRONTIER_BYTES_MAX];
    struct merkle_frontier f;
    struct strm *more;
    struct hash id;
    struct buf b;
    const uint32_t number = (uint32_t)s->strm_count + 1;

    frontier_init(&f);
    buf_init_fixed(&b, mem, sizeof mem);
    frontier_encode(&f, &b);
    if (name_stream(s, publisher, &a->a, &id, inc, e) < 0 ||
        sql_do(s, e,
               "INSERT INTO stream (n, publisher, audience, current, id, incarnation, size, "
               "frontier) VALUES (?1, ?2, ?3, 1, ?4, ?5, 0, ?6)",
               "iiibbb", (int64_t)number, (int64_t)publisher, (int64_t)a->a.number,
               span_from(id.b, sizeof id.b), span_from(inc, sizeof inc), buf_view(&b)) < 0)
        return -1;
    more = mem_resize(s->strms, number * sizeof *more);
    if (!more)
        return err_set(e, ERR_MEMORY, "no memory for streams");
    s->strms = more;
    more[s->strm_count++] = (struct strm){
        .number = number, .publisher = publisher, .audience = a->a.number, .current = true};
    *out = number;
    return 0;
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
    q = sql_ask(s, e, "SELECT frontier FROM stream WHERE n = ?1", "i", (int64_t)stream);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
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

static int
append(struct store *s, uint32_t stream, const struct entry *en, struct stream_place *out,
       struct err *e)
{
    char mem[ENTRY_HEADER_MAX];
    struct buf header;
    struct hash leaf;
    struct head *h = NULL;

    if (streams_open(s, e) < 0 || head_load(s, stream, &h, e) < 0)
        return -1;
    buf_init_fixed(&header, mem, sizeof mem);
    if (entry_encode(en, &header, e) < 0)
        return -1;
    take_salt(s->streams, out->salt);
    entry_commit(out->salt, buf_view(&header), &out->d);
    entry_leaf(&out->d, &leaf);
    out->stream = stream;
    out->entry = h->f.size;
    h->dirty = true;
    return frontier_append(&h->f, &leaf, NULL, NULL, e);
}

int
stream_add(struct store *s, const struct store_row *r, struct stream_place *out, struct err *e)
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
    return append(s, stream, &en, out, e);
}

int
stream_add_erase(struct store *s, uint32_t stream, uint64_t erased, const struct hash *d,
                 struct stream_place *out, struct err *e)
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
    return append(s, current, &en, out, e);
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
        if (sql_do(s, e, "UPDATE stream SET size = ?2, frontier = ?3 WHERE n = ?1", "iib",
                   (int64_t)i + 1, (int64_t)t->heads[i].f.size, buf_view(&b)) < 0)
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
