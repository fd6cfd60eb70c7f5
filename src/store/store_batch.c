#include "store_batch.h"

#include "mem.h"
#include "store_index.h"
#include "store_pend.h"

#define TEXT_MAX  4096 /* bytes of each text of a note or cause */
#define NOTES_MAX 65536
#define DATA_MAX  (16u << 20)

static int
no_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "no memory for a batch");
}

static bool
keep(struct arena *a, struct span *t, struct span from)
{
    *t = arena_span(a, from);
    return from.n == 0 || t->p;
}

/* ---- batches ---- */

#define BATCH_SELECT                                                                               \
    "SELECT n, principal, begun, ended, state, objects, source, collection, token FROM batch "

static bool
batch_read(struct store *s, struct db_stmt *q, struct arena *a, struct store_batch *b)
{
    *b = (struct store_batch){.n = (uint64_t)sql_int(s, q, 0),
                              .principal = (uint32_t)sql_int(s, q, 1),
                              .begun_us = sql_int(s, q, 2),
                              .ended_us = sql_int(s, q, 3),
                              .state = (enum store_batch_state)sql_int(s, q, 4),
                              .objects = (uint64_t)sql_int(s, q, 5)};
    return keep(a, &b->source, sql_bytes(s, q, 6)) && keep(a, &b->collection, sql_bytes(s, q, 7)) &&
           keep(a, &b->token, sql_bytes(s, q, 8));
}

int
store_batch_begin(struct store *s, struct store_batch *b, struct err *e)
{
    const int64_t now = store_now(s);
    int64_t n = 0;

    if (store_need_write(s, e) < 0 || sql_number(s, &n, e, "SELECT max(n) FROM batch", "") < 0 ||
        sql_do(s, e,
               "INSERT INTO batch (n, principal, begun, ended, state, objects, source, "
               "collection, token) VALUES (?1, ?2, ?3, 0, ?4, 0, ?5, ?6, ?7)",
               b->token.n > 0 ? "iiiittt" : "iiiittn", n + 1, (int64_t)b->principal, now,
               (int64_t)STORE_BATCH_OPEN, b->source, b->collection, b->token) < 0)
        return -1;
    b->n = (uint64_t)n + 1;
    b->begun_us = now;
    b->state = STORE_BATCH_OPEN;
    return 0;
}

int
store_batch_state(struct store *s, uint64_t n, enum store_batch_state state, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    return sql_do(s, e,
                  "UPDATE batch SET state = ?2, ended = CASE WHEN ended = 0 THEN ?3 ELSE ended END "
                  "WHERE n = ?1",
                  "iii", (int64_t)n, (int64_t)state, store_now(s));
}

static int
batch_one(struct store *s, struct db_stmt *q, struct arena *a, struct store_batch *out,
          struct err *e)
{
    struct store_batch b;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    rc = batch_read(s, q, a, &b) ? 1 : no_memory(e);
    sql_end(s, q);
    if (rc == 1)
        *out = b;
    return rc;
}

int
store_batch_get(struct store *s, uint64_t n, struct arena *a, struct store_batch *out,
                struct err *e)
{
    if (store_need_open(s, e) < 0)
        return -1;
    return batch_one(s, sql_ask(s, e, BATCH_SELECT "WHERE n = ?1", "i", (int64_t)n), a, out, e);
}

int
store_batch_by_token(struct store *s, struct span token, struct arena *a, struct store_batch *out,
                     struct err *e)
{
    if (store_need_open(s, e) < 0)
        return -1;
    return batch_one(s, sql_ask(s, e, BATCH_SELECT "WHERE token = ?1", "t", token), a, out, e);
}

int
store_batch_list(struct store *s, uint64_t before, uint32_t limit, struct arena *a,
                 struct store_batch **out, size_t *n, struct err *e)
{
    struct store_batch *list;
    struct db_stmt *q;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    list = arena_zero(a, (size_t)limit + 1, sizeof *list);
    if (!list)
        return no_memory(e);
    q = sql_ask(s, e, BATCH_SELECT "WHERE n < ?1 ORDER BY n DESC LIMIT ?2", "ii",
                before ? (int64_t)before : INT64_MAX, (int64_t)limit);
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1 && count < limit)
        if (!batch_read(s, q, a, &list[count++])) {
            sql_end(s, q);
            return no_memory(e);
        }
    if (rc == 1)
        sql_end(s, q);
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}

int
store_batch_cut_open(struct store *s, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    return sql_do(s, e, "UPDATE batch SET state = ?1, ended = ?2 WHERE state = ?3", "iii",
                  (int64_t)STORE_BATCH_CUT, store_now(s), (int64_t)STORE_BATCH_OPEN);
}

/* ---- causes ---- */

int
store_batch_count(struct store *s, uint64_t batch, const struct store_cause *c, struct err *e)
{
    struct buf b;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    buf_init(&b, 4 * TEXT_MAX);
    buf_field(&b, span_part(c->rule, 0, TEXT_MAX));
    buf_field(&b, span_part(c->clause, 0, TEXT_MAX));
    buf_field(&b, span_part(c->text, 0, TEXT_MAX));
    if (b.failed)
        rc = no_memory(e);
    else
        rc = sql_do(s, e,
                    "INSERT INTO cause (batch, outcome, key, n, texts) VALUES (?1, ?2, ?3, ?4, "
                    "?5) ON CONFLICT (batch, outcome, key) DO UPDATE SET n = cause.n + excluded.n",
                    "iiiib", (int64_t)batch, (int64_t)c->outcome, store_key(s, 0, buf_view(&b)),
                    (int64_t)c->count, buf_view(&b));
    buf_clear(&b);
    if (rc < 0)
        return -1;
    return sql_do(s, e, "UPDATE batch SET objects = objects + ?2 WHERE n = ?1", "ii",
                  (int64_t)batch, (int64_t)c->count);
}

int
store_batch_causes(struct store *s, uint64_t batch, struct arena *a, struct store_cause **out,
                   size_t *n, struct err *e)
{
    struct store_cause *list;
    int64_t total = 0;
    struct db_stmt *q;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0 ||
        sql_number(s, &total, e, "SELECT count(*) FROM cause WHERE batch = ?1", "i",
                   (int64_t)batch) < 0)
        return -1;
    list = arena_zero(a, (size_t)total + 1, sizeof *list);
    if (!list)
        return no_memory(e);
    q = sql_ask(s, e,
                "SELECT outcome, n, texts FROM cause WHERE batch = ?1 ORDER BY outcome, n DESC",
                "i", (int64_t)batch);
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1 && count < (size_t)total) {
        struct store_cause *c = &list[count++];
        struct reader r = reader_of(sql_bytes(s, q, 2));

        c->outcome = (uint32_t)sql_int(s, q, 0);
        c->count = (uint64_t)sql_int(s, q, 1);
        if (!keep(a, &c->rule, reader_field(&r, TEXT_MAX)) ||
            !keep(a, &c->clause, reader_field(&r, TEXT_MAX)) ||
            !keep(a, &c->text, reader_field(&r, TEXT_MAX))) {
            sql_end(s, q);
            return no_memory(e);
        }
    }
    if (rc == 1)
        sql_end(s, q);
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}

/* ---- notes: of items, and the defects of a publication ---- */

static void
notes_put(struct buf *b, const struct store_note *notes, size_t n)
{
    buf_u32(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        buf_field(b, span_part(notes[i].pointer, 0, TEXT_MAX));
        buf_field(b, span_part(notes[i].rule, 0, TEXT_MAX));
        buf_field(b, span_part(notes[i].clause, 0, TEXT_MAX));
        buf_field(b, span_part(notes[i].text, 0, TEXT_MAX));
    }
}

static int
notes_get(struct reader *r, struct arena *a, struct store_note **out, size_t *n, struct err *e)
{
    const uint32_t count = reader_u32(r);
    struct store_note *list;

    if (r->failed || count > NOTES_MAX)
        return err_set(e, ERR_CORRUPT, "the notes of an item cannot be read");
    list = arena_zero(a, (size_t)count + 1, sizeof *list);
    if (!list)
        return no_memory(e);
    for (uint32_t i = 0; i < count; i++)
        if (!keep(a, &list[i].pointer, reader_field(r, TEXT_MAX)) ||
            !keep(a, &list[i].rule, reader_field(r, TEXT_MAX)) ||
            !keep(a, &list[i].clause, reader_field(r, TEXT_MAX)) ||
            !keep(a, &list[i].text, reader_field(r, TEXT_MAX)))
            return no_memory(e);
    if (r->failed)
        return err_set(e, ERR_CORRUPT, "the notes of an item cannot be read");
    *out = list;
    *n = count;
    return 0;
}

int
store_item_put(struct store *s, uint64_t batch, const struct store_batch_item *it, struct err *e)
{
    struct buf b;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    if (it->note_count > NOTES_MAX)
        return err_set(e, ERR_LIMIT, "too much is said of one object");
    buf_init(&b, DATA_MAX);
    buf_field(&b, span_part(it->id, 0, TEXT_MAX));
    buf_field(&b, span_part(it->version, 0, TEXT_MAX));
    notes_put(&b, it->notes, it->note_count);
    if (b.failed)
        rc = no_memory(e);
    else
        rc = sql_do(s, e,
                    "INSERT INTO item (batch, n, outcome, data) VALUES (?1, ?2, ?3, ?4) "
                    "ON CONFLICT (batch, n) DO UPDATE SET outcome = excluded.outcome, "
                    "data = excluded.data",
                    "iiib", (int64_t)batch, (int64_t)it->n, (int64_t)it->outcome, buf_view(&b));
    buf_clear(&b);
    return rc;
}

static int
item_read(struct store *s, struct db_stmt *q, struct arena *a, struct store_batch_item *it,
          struct err *e)
{
    struct reader r = reader_of(sql_bytes(s, q, 2));
    struct store_note *notes;

    it->n = (uint64_t)sql_int(s, q, 0);
    it->outcome = (uint32_t)sql_int(s, q, 1);
    if (!keep(a, &it->id, reader_field(&r, TEXT_MAX)) ||
        !keep(a, &it->version, reader_field(&r, TEXT_MAX)))
        return no_memory(e);
    if (notes_get(&r, a, &notes, &it->note_count, e) < 0)
        return -1;
    it->notes = notes;
    return 0;
}

int
store_item_list(struct store *s, uint64_t batch, uint64_t from, uint32_t limit, struct arena *a,
                struct store_batch_item **out, size_t *n, bool *more, struct err *e)
{
    struct store_batch_item *list;
    struct db_stmt *q;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    list = arena_zero(a, (size_t)limit + 1, sizeof *list);
    if (!list)
        return no_memory(e);
    q = sql_ask(s, e,
                "SELECT n, outcome, data FROM item WHERE batch = ?1 AND n >= ?2 ORDER BY n "
                "LIMIT ?3",
                "iii", (int64_t)batch, (int64_t)from, (int64_t)limit + 1);
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1 && count < limit)
        if (item_read(s, q, a, &list[count++], e) < 0) {
            sql_end(s, q);
            return -1;
        }
    if (rc < 0)
        return -1;
    if (rc == 1)
        sql_end(s, q);
    *more = rc == 1;
    *out = list;
    *n = count;
    return 0;
}

int
defects_save(struct store *s, uint64_t p, const struct store_note *notes, size_t n, struct err *e)
{
    struct buf b;
    int rc;

    buf_init(&b, DATA_MAX);
    notes_put(&b, notes, n < NOTES_MAX ? n : NOTES_MAX);
    rc = b.failed ? no_memory(e)
                  : sql_do(s, e, "INSERT INTO defect (p, data) VALUES (?1, ?2)", "ib", (int64_t)p,
                           buf_view(&b));
    buf_clear(&b);
    return rc;
}

int
store_defects_get(struct store *s, uint64_t p, struct arena *a, struct store_note **out, size_t *n,
                  struct err *e)
{
    struct db_stmt *q;
    struct reader r;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT data FROM defect WHERE p = ?1", "i", (int64_t)p);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0) {
        *out = NULL;
        *n = 0;
        return 0;
    }
    r = reader_of(sql_bytes(s, q, 0));
    rc = notes_get(&r, a, out, n, e);
    sql_end(s, q);
    return rc;
}

/* ---- known ---- */

int
store_known_put(struct store *s, uint64_t p, uint64_t batch, struct err *e)
{
    struct row r;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    rc = row_get(s, p, &r, e);
    if (rc < 0)
        return -1;
    if (rc == 0 || r.batch == 0 || r.batch == batch)
        return 0;
    return sql_do(s, e,
                  "INSERT INTO known (of_batch, by_batch) VALUES (?1, ?2) "
                  "ON CONFLICT (of_batch, by_batch) DO NOTHING",
                  "ii", (int64_t)r.batch, (int64_t)batch);
}

int
store_known_later(struct store *s, uint64_t batch, struct arena *a, uint64_t **out, size_t *n,
                  struct err *e)
{
    int64_t total = 0;
    uint64_t *list;
    struct db_stmt *q;
    size_t count = 0;
    int rc;

    if (store_need_open(s, e) < 0 ||
        sql_number(s, &total, e, "SELECT count(*) FROM known WHERE of_batch = ?1", "i",
                   (int64_t)batch) < 0)
        return -1;
    list = arena_zero(a, (size_t)total + 1, sizeof *list);
    if (!list)
        return no_memory(e);
    q = sql_ask(s, e, "SELECT by_batch FROM known WHERE of_batch = ?1 ORDER BY by_batch", "i",
                (int64_t)batch);
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1 && count < (size_t)total)
        list[count++] = (uint64_t)sql_int(s, q, 0);
    if (rc == 1)
        sql_end(s, q);
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}

/* ---- what waits ---- */

static int64_t
marking_key(const struct store *s, struct span marking)
{
    return marking.n ? store_key(s, TERM_MARKING, marking) : 0;
}

int
store_pending_put(struct store *s, const struct store_pending *w, uint64_t *n, struct err *e)
{
    struct state *st = &s->state;
    struct buf head;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    if (st->waiting >= STORE_PENDING_ROWS || st->waiting_bytes + w->bytes.n > STORE_PENDING_BYTES)
        return err_set(e, ERR_FULL, "too much waits already");
    buf_init(&head, DATA_MAX);
    buf_field(&head, w->id);
    buf_field(&head, w->type);
    buf_field(&head, w->marking);
    buf_field(&head, w->ask);
    if (head.failed)
        rc = no_memory(e);
    else
        rc = sql_do(s, e,
                    "INSERT INTO pending (n, batch, item, principal, reason, marking, at, size, "
                    "head, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    "iiiiiiiibb", (int64_t)st->waiting_last + 1, (int64_t)w->batch,
                    (int64_t)w->item, (int64_t)w->principal, (int64_t)w->reason,
                    marking_key(s, w->marking), w->at_us ? w->at_us : store_now(s),
                    (int64_t)w->bytes.n, buf_view(&head), w->bytes);
    buf_clear(&head);
    if (rc < 0)
        return -1;
    st->waiting++;
    st->waiting_bytes += w->bytes.n;
    *n = ++st->waiting_last;
    s->state_dirty = true;
    return 0;
}

#define PENDING_SELECT "SELECT n, batch, item, principal, reason, at, head "

static int
pending_read(struct store *s, struct db_stmt *q, struct arena *a, struct store_pending *w,
             struct err *e)
{
    struct reader r = reader_of(sql_bytes(s, q, 6));

    *w = (struct store_pending){.n = (uint64_t)sql_int(s, q, 0),
                                .batch = (uint64_t)sql_int(s, q, 1),
                                .item = (uint64_t)sql_int(s, q, 2),
                                .principal = (uint32_t)sql_int(s, q, 3),
                                .reason = (enum store_wait)sql_int(s, q, 4),
                                .at_us = sql_int(s, q, 5)};
    if (!keep(a, &w->id, reader_field(&r, DATA_MAX)) ||
        !keep(a, &w->type, reader_field(&r, DATA_MAX)) ||
        !keep(a, &w->marking, reader_field(&r, DATA_MAX)) ||
        !keep(a, &w->ask, reader_field(&r, DATA_MAX)))
        return no_memory(e);
    return r.failed ? err_set(e, ERR_CORRUPT, "a waiting object cannot be read") : 0;
}

int
store_pending_get(struct store *s, uint64_t n, struct arena *a, struct store_pending *out,
                  struct err *e)
{
    struct store_pending w;
    struct db_stmt *q;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, PENDING_SELECT ", bytes FROM pending WHERE n = ?1", "i", (int64_t)n);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    rc = pending_read(s, q, a, &w, e);
    if (rc == 0 && !keep(a, &w.bytes, sql_bytes(s, q, 7)))
        rc = no_memory(e);
    sql_end(s, q);
    if (rc < 0)
        return -1;
    *out = w;
    return 1;
}

int
store_pending_drop(struct store *s, uint64_t n, struct err *e)
{
    int64_t size;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    rc = sql_number(s, &size, e, "SELECT size FROM pending WHERE n = ?1", "i", (int64_t)n);
    if (rc <= 0)
        return rc;
    s->state.waiting--;
    s->state.waiting_bytes -= (uint64_t)size;
    s->state_dirty = true;
    s->truncate = true; /* out of the log too */
    return sql_do(s, e, "DELETE FROM pending WHERE n = ?1", "i", (int64_t)n);
}

int
store_pending_list(struct store *s, uint64_t after, uint64_t batch, enum store_wait reason,
                   struct span marking, uint32_t limit, struct arena *a, struct store_pending **out,
                   size_t *n, struct err *e)
{
    struct store_pending *list;
    struct db_stmt *q;
    size_t count = 0;
    int rc = 0;

    if (store_need_open(s, e) < 0)
        return -1;
    list = arena_zero(a, (size_t)limit + 1, sizeof *list);
    if (!list)
        return no_memory(e);
    if (batch)
        q = sql_ask(s, e, PENDING_SELECT "FROM pending WHERE batch = ?1 AND n > ?2 ORDER BY n",
                    "ii", (int64_t)batch, (int64_t)after);
    else if (marking.n > 0)
        q = sql_ask(s, e, PENDING_SELECT "FROM pending WHERE marking = ?1 AND n > ?2 ORDER BY n",
                    "ii", marking_key(s, marking), (int64_t)after);
    else
        q = sql_ask(s, e, PENDING_SELECT "FROM pending WHERE n > ?1 ORDER BY n", "i",
                    (int64_t)after);
    if (!q)
        return -1;
    while (count < limit && (rc = sql_step(s, q, e)) == 1) {
        struct store_pending *w = &list[count];

        if (pending_read(s, q, a, w, e) < 0) {
            sql_end(s, q);
            return -1;
        }
        if ((reason == 0 || w->reason == reason) &&
            (marking.n == 0 || span_eq(w->marking, marking)))
            count++;
    }
    if (rc < 0)
        return -1;
    sql_end(s, q);
    *out = list;
    *n = count;
    return 0;
}
