#include "store_put.h"

#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "mem.h"
#include "store_batch.h"
#include "store_block.h"
#include "store_erased.h"
#include "store_index.h"
#include "store_owed.h"
#include "store_pend.h"
#include "store_post.h"
#include "store_rows.h"
#include "store_said.h"
#include "store_stream.h"
#include "store_text.h"
#include "trigram.h"

#define US_PER_MS  1000
#define STEPS_A_MS (US_PER_MS / STORE_STEP_US)
#define CHAINS     32768u /* heads of the table of ids: more than STORE_COMMIT_MAX */

/* ---- what is collected ---- */

static struct put *
put_of(struct store *s, struct err *e)
{
    if (!s->put) {
        s->put = mem_zero(1, sizeof *s->put);
        if (s->put)
            s->put->heads = mem_zero(CHAINS, sizeof *s->put->heads);
        if (!s->put || !s->put->heads) {
            put_free(s->put);
            s->put = NULL;
            err_set(e, ERR_MEMORY, "no memory for a commit");
        }
    }
    return s->put;
}

void
put_free(struct put *p)
{
    if (!p)
        return;
    mem_free(p->rows);
    mem_free(p->heads);
    mem_free(p->erased);
    mem_free(p->places);
    mem_free(p);
}

void
put_reset(struct store *s)
{
    if (!s->put)
        return;
    if (s->put->n > 0)
        memset(s->put->heads, 0, CHAINS * sizeof *s->put->heads);
    s->put->n = 0;
    s->put->erased_n = 0;
    s->put->place_n = 0;
}

static struct pend *
pend_add(struct store *s, struct err *e)
{
    struct put *put = put_of(s, e);

    if (!put)
        return NULL;
    if (put->n >= STORE_COMMIT_MAX) {
        err_set(e, ERR_LIMIT, "too many rows for one commit");
        return NULL;
    }
    if (put->n == put->room) {
        const size_t room = put->room ? 2 * put->room : 64;
        struct pend *more = mem_resize(put->rows, room * sizeof *more);

        if (!more) {
            err_set(e, ERR_MEMORY, "no memory for a commit");
            return NULL;
        }
        put->rows = more;
        put->room = room;
    }
    memset(&put->rows[put->n], 0, sizeof put->rows[put->n]);
    return &put->rows[put->n++];
}

static uint32_t *
chain_of(struct put *put, int64_t key)
{
    return &put->heads[(uint64_t)key & (CHAINS - 1)];
}

struct pend *
pend_next(struct store *s, int64_t key, struct span id, const struct pend *after)
{
    struct put *put = s->put;
    uint32_t at;

    if (!put || put->n == 0)
        return NULL;
    for (at = after ? after->chain : *chain_of(put, key); at; at = put->rows[at - 1].chain)
        if (put->rows[at - 1].key == key && !put->rows[at - 1].dropped &&
            span_eq(put->rows[at - 1].r.id, id))
            return &put->rows[at - 1];
    return NULL;
}

/* They come from where strangers' bytes are parsed. */
static bool
grams_rise(const struct store_index *x)
{
    if (!x->grams)
        return true;
    for (size_t i = 1; i < x->gram_count; i++)
        if (x->grams[i - 1] >= x->grams[i])
            return false;
    return x->gram_count <= TRIGRAM_MAX;
}

int
store_put(struct store *s, const struct store_row *r, size_t *at, struct err *e)
{
    struct pend *w;
    uint32_t n;

    if (store_need_write(s, e) < 0 || auds_load(s, e) < 0)
        return -1;
    /* What could fail for this row alone fails now, and not in the commit of all. */
    if (!aud_of(s, r->audience))
        return err_set(e, ERR_MISSING, "there is no such audience");
    if (r->id.n == 0 || r->id.n > ENTRY_ID_MAX || r->bytes.n == 0)
        return err_set(e, ERR_LIMIT, "an id is too long, or an object is empty");
    if (r->index.version.n > ENTRY_VERSION_MAX)
        return err_set(e, ERR_LIMIT, "a version is too long");
    if (!grams_rise(&r->index))
        return err_set(e, ERR_PROTOCOL, "trigrams are not in order");
    if (type_number(s, r->type, true, &n, e) < 0 ||
        (r->from ? owed_check(s, r, e) : stream_of(s, r->publisher, r->audience, &n, e)) < 0)
        return -1;
    w = pend_add(s, e);
    if (!w)
        return -1;
    w->r = *r;
    w->audience = r->audience;
    w->key = ident_key(s, r->id);
    w->order = (unsigned)r->order + 1;
    w->chain = *chain_of(s->put, w->key);
    *chain_of(s->put, w->key) = (uint32_t)s->put->n;
    if (at)
        *at = s->put->n - 1;
    return 0;
}

int
store_erase(struct store *s, uint64_t p, struct err *e)
{
    struct pend *w;
    struct row r;
    int rc;

    if (store_need_write(s, e) < 0 || auds_load(s, e) < 0)
        return -1;
    rc = row_get(s, p, &r, e);
    if (rc < 0)
        return -1;
    if (rc == 0 || !row_living(&r))
        return err_set(e, ERR_MISSING, "there is no such publication");
    w = pend_add(s, e);
    if (!w)
        return -1;
    w->erase = true;
    w->target = p;
    w->audience = r.audience;
    w->order = 0; /* before what is said anew */
    return 0;
}

size_t
store_put_count(const struct store *s)
{
    return s->put ? s->put->n : 0;
}

size_t
store_put_good(const struct store *s)
{
    const size_t left = text_left(s);

    return left ? left : STORE_COMMIT_GOOD;
}

int
store_put_result(struct store *s, size_t at, uint64_t *p, int64_t *arrival_us, struct err *e)
{
    const struct put *put = s->put;

    if (s->open || !put || at >= put->n || put->rows[at].p == 0)
        return err_set(e, ERR_INTERNAL, "the last commit has no such row");
    *p = put->rows[at].p;
    *arrival_us = put->rows[at].arrival_us;
    return 0;
}

int
store_defects_put(struct store *s, size_t at, const struct store_note *notes, size_t n,
                  struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    if (!s->put || at >= s->put->n || s->put->rows[at].erase)
        return err_set(e, ERR_INTERNAL, "this commit has no such row");
    s->put->rows[at].notes = notes;
    s->put->rows[at].note_count = n;
    return 0;
}

/* ---- arrivals ---- */

static int
by_target(const void *a, const void *b)
{
    const struct pend *x = *(struct pend *const *)a, *y = *(struct pend *const *)b;

    if (x->erase != y->erase)
        return x->erase ? -1 : 1;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int
by_audience(const void *a, const void *b)
{
    const struct pend *x = *(struct pend *const *)a, *y = *(struct pend *const *)b;

    if (x->audience != y->audience)
        return x->audience < y->audience ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int
by_arrival(const void *a, const void *b)
{
    const struct pend *x = *(struct pend *const *)a, *y = *(struct pend *const *)b;

    return x->arrival_us < y->arrival_us ? -1 : x->arrival_us > y->arrival_us;
}

struct run { /* an audience's rows */
    size_t from, n;
};

static void
shuffle_runs(struct run *runs, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t k = (size_t)random_below(i);
        const struct run t = runs[i - 1];

        runs[i - 1] = runs[k];
        runs[k] = t;
    }
}

static int
u64_cmp(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Runs that share a remainder of STORE_STEP_US microseconds lie in one line of `slots` places, one
 * behind the other with random gaps: so no two rows meet, and a lone run may begin anywhere. */
static void
place_line(struct pend **rows, const struct run *runs, size_t n, uint64_t slots, int64_t first,
           uint64_t *gaps)
{
    uint64_t used = 0, at = 0;

    for (size_t i = 0; i < n; i++)
        used += runs[i].n;
    for (size_t i = 0; i < n; i++)
        gaps[i] = random_below(slots - used + 1);
    qsort(gaps, n, sizeof *gaps, u64_cmp);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < runs[i].n; k++)
            rows[runs[i].from + k]->arrival_us =
                first + (int64_t)(gaps[i] + at + k) * STORE_STEP_US;
        at += runs[i].n;
    }
}

static int
place_all(struct store *s, struct pend **rows, size_t n, struct err *e)
{
    const int64_t ms = ((int64_t)n * STORE_STEP_US + US_PER_MS - 1) / US_PER_MS;
    const int64_t base = store_take_block(s, ms * US_PER_MS);
    struct run *runs = mem_zero(n, sizeof *runs);
    uint64_t *gaps = mem_zero(n, sizeof *gaps);
    int64_t residues[STORE_STEP_US] = {0}; /* 1 to 25: see store_take_block */
    size_t count = 0;

    if (!runs || !gaps) {
        mem_free(runs);
        mem_free(gaps);
        return err_set(e, ERR_MEMORY, "no memory for a commit");
    }
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || rows[i]->audience != rows[i - 1]->audience)
            runs[count++].from = i;
        runs[count - 1].n++;
    }
    shuffle_runs(runs, count);
    for (size_t i = 0; i < STORE_STEP_US; i++) {
        const size_t k = (size_t)random_below(i + 1);

        residues[i] = residues[k];
        residues[k] = (int64_t)i;
    }
    /* Runs go to the 25 lines in turn: line i has runs [i * count / 25, (i + 1) * count / 25). */
    for (size_t i = 0; i < STORE_STEP_US; i++) {
        const size_t from = i * count / STORE_STEP_US, to = (i + 1) * count / STORE_STEP_US;

        place_line(rows, runs + from, to - from, (uint64_t)ms * STEPS_A_MS, base + 1 + residues[i],
                   gaps);
    }
    mem_free(runs);
    mem_free(gaps);
    return 0;
}

/* ---- writing ---- */

static int
insert_row(struct store *s, const struct row *r, const struct stream_place *at,
           const struct store_row *x, struct span id, struct err *e)
{
    struct rows_wide w = {.row = *r, .at = *at, .id = id};

    w.row.stream = at->stream;
    w.row.entry = at->entry;
    if (x) {
        w.group_version = x->group_version;
        if (r->object == r->p)
            w.bytes = x->bytes;
    }
    return rows_add_wide(s, &w, e);
}

static unsigned
flags_of(const struct store_row *r, int64_t arrival_us, size_t notes)
{
    unsigned f = (r->owner ? F_OWNER : 0) | (r->revoked ? F_REVOKED : 0) |
                 (r->spec20 ? F_SPEC20 : 0) | (notes ? F_DEFECT : 0);

    if (r->versioned) {
        f |= F_VERSIONED;
        if (instant_cmp(r->modified, instant_from_us(arrival_us + STORE_DATED_AHEAD_US)) > 0)
            f |= F_AHEAD;
    }
    return f;
}

/* The new row's place in batches: ranges of p, a few for each commit. */
static int
batch_note(struct store *s, uint64_t batch, uint64_t p, struct err *e)
{
    struct put *put = s->put;
    size_t i;

    for (i = 0; i < put->range_n; i++)
        if (put->ranges[i].batch == batch) {
            put->ranges[i].to = p;
            return 0;
        }
    if (put->range_n == sizeof put->ranges / sizeof put->ranges[0] && put_ranges_save(s, e) < 0)
        return -1;
    put->ranges[put->range_n++] = (struct batch_range){batch, p, p};
    return 0;
}

int
put_ranges_save(struct store *s, struct err *e)
{
    struct put *put = s->put;

    for (size_t i = 0; i < put->range_n; i++)
        if (sql_do(s, e, "INSERT INTO batch_range (batch, p_from, p_to) VALUES (?1, ?2, ?3)", "iii",
                   (int64_t)put->ranges[i].batch, (int64_t)put->ranges[i].from,
                   (int64_t)put->ranges[i].to) < 0)
            return -1;
    put->range_n = 0;
    return 0;
}

static int
write_new(struct store *s, struct pend *w, struct err *e)
{
    struct aud *a = aud_of(s, w->audience);
    struct row r = {.p = w->p,
                    .arrival_us = w->arrival_us,
                    .audience = w->audience,
                    .seq = a->next_seq,
                    .flags = flags_of(&w->r, w->arrival_us, w->note_count),
                    .modified = w->r.modified,
                    .has_time = w->r.versioned || w->r.created,
                    .batch = w->r.batch,
                    .confidence = w->r.confidence};
    struct stream_place at;
    char mem[ID_BYTES_MAX + 2];
    struct buf id;
    int known;

    if (!r.has_time)
        r.modified = (struct instant){0, 0};
    buf_init_fixed(&id, mem, sizeof mem);
    if (type_number(s, w->r.type, true, &r.type, e) < 0)
        return -1;
    known = ident_find(s, w->r.id, w->key, &r.ident, e);
    if (known < 0)
        return -1;
    if (known == 0) {
        r.ident = r.p;
        id_pack(s, w->r.id, &id);
        if (ident_add(s, w->key, r.p, e) < 0)
            return -1;
    }
    if ((w->r.from ? owed_settle(s, &w->r, r.p, &at, e) : stream_add(s, &w->r, r.p, &at, e)) < 0 ||
        post_place(s, &r, w->r.bytes, &w->r.hash, e) < 0 ||
        insert_row(s, &r, &at, &w->r, buf_view(&id), e) < 0 || post_settle(s, &r, e) < 0)
        return -1;
    a->next_seq++;
    a->newest_p = r.p;
    a->dirty = true;
    if (w->note_count && defects_save(s, r.p, w->notes, w->note_count, e) < 0)
        return -1;
    if ((r.batch && batch_note(s, r.batch, r.p, e) < 0) || index_put(s, &r, &w->r.index, e) < 0 ||
        block_put(s, r.p, r.audience, r.type, e) < 0)
        return -1;
    return text_put(s, r.p, &w->r.index, e);
}

/* ---- erasing ---- */

/* Other publications share the bytes: the oldest of them takes them over. */
static int
hand_over(struct store *s, const struct row *r, struct err *e)
{
    uint64_t *list, heir = 0;
    struct row o;
    size_t n;
    int rc = 0;

    if (row_list(s, r->ident, &list, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && rc >= 0; i++) {
        if (list[i] == r->p)
            continue;
        rc = row_get(s, list[i], &o, e);
        if (rc != 1 || !row_living(&o) || o.object != r->p)
            continue;
        if (!heir) {
            heir = o.p;
            rc = sql_do(s, e,
                        "UPDATE publication SET bytes = (SELECT h.bytes FROM publication h "
                        "WHERE h.p = ?1) WHERE p = ?2",
                        "ii", (int64_t)r->p, (int64_t)heir);
        }
        if (rc >= 0)
            rc = sql_do(s, e, "UPDATE publication SET object = ?2 WHERE p = ?1", "ii", (int64_t)o.p,
                        (int64_t)heir);
    }
    mem_free(list);
    return rc < 0 ? -1 : 0;
}

/* Only the position and the commitment stay; of an anchor the id and what concerns it too. */
static int
wipe(struct store *s, const struct row *r, struct err *e)
{
    const bool anchor = r->ident == r->p;
    struct row now = *r;

    if (anchor && row_get(s, r->p, &now, e) < 0)
        return -1;
    if (sql_do(s, e, "DELETE FROM defect WHERE p = ?1", "i", (int64_t)r->p) < 0)
        return -1;
    return sql_do(s, e,
                  "UPDATE publication SET flags = ?2, ident = ?3, type = 0, object = 0, "
                  "mod_s = NULL, mod_ns = NULL, confidence = NULL, salt = NULL, gversion = NULL, "
                  "bytes = NULL WHERE p = ?1",
                  "iii", (int64_t)r->p, (int64_t)(F_ERASED | (anchor ? now.flags & F_IDENT : 0)),
                  (int64_t)(anchor ? r->p : 0));
}

static int
commitment_of(struct store *s, uint64_t p, struct hash *out, struct err *e)
{
    struct db_stmt *q = sql_ask(s, e, "SELECT d FROM publication WHERE p = ?1", "i", (int64_t)p);
    struct span d;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    d = rc == 1 ? sql_bytes(s, q, 0) : (struct span){NULL, 0};
    if (d.n == sizeof out->b)
        memcpy(out->b, d.p, d.n);
    sql_end(s, q);
    return d.n == sizeof out->b ? 0 : err_set(e, ERR_CORRUPT, "a commitment is not there");
}

static int
write_erase_row(struct store *s, struct pend *w, const struct row *t, const struct hash *d,
                struct err *e)
{
    struct aud *a = aud_of(s, w->audience);
    struct row r = {.p = w->p,
                    .arrival_us = w->arrival_us,
                    .audience = w->audience,
                    .seq = a->next_seq,
                    .flags = F_ERASE | (t->flags & F_VERSIONED),
                    .ident = t->ident,
                    .type = t->type,
                    .object = t->p,
                    .modified = t->modified,
                    .has_time = t->has_time,
                    .confidence = -1};
    struct stream_place at;
    struct row anchor;
    const struct span none = {NULL, 0};
    const int left = post_any_left(s, t->ident, e);

    /* Another's stream is for its publisher to append to: the row stands here alone. */
    memset(&at, 0, sizeof at);
    if (left < 0 || strms_load(s, e) < 0 ||
        (strm_own(s, t->stream) && stream_add_erase(s, t->stream, t->entry, d, r.p, &at, e) < 0) ||
        row_get(s, t->ident, &anchor, e) < 0)
        return -1;
    r.flags |= anchor.flags & F_IDENT;
    if (left && (r.flags & F_VERSIONED))
        r.flags |= F_LAST; /* it may bring an older version back */
    if (insert_row(s, &r, &at, NULL, none, e) < 0 || post_settle(s, &r, e) < 0)
        return -1;
    a->newest_p = r.p;
    a->dirty = true;
    if (block_put(s, r.p, r.audience, r.type, e) < 0)
        return -1;
    return text_put(s, r.p, NULL, e);
}

/* What we said and take back has to be told to whoever has it. */
static int
tell_erased(struct store *s, const struct row *t, const struct hash *d, struct err *e)
{
    struct store_said said = {.kind = STORE_SAID_ERASED, .entry = t->entry};
    uint8_t name[STORE_PLACE_NAME];
    struct db_stmt *q;
    struct span id;
    int rc;

    if (!strm_own(s, t->stream))
        return 0;
    q = sql_ask(s, e, "SELECT id FROM stream WHERE n = ?1", "i", (int64_t)t->stream);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    id = rc == 1 ? sql_bytes(s, q, 0) : (struct span){NULL, 0};
    if (id.n == sizeof said.stream.b)
        memcpy(said.stream.b, id.p, id.n);
    if (rc == 1)
        sql_end(s, q);
    store_place_name(&said.stream, t->entry, name);
    said.name = span_from(name, sizeof name);
    said.content = span_from(d->b, sizeof d->b);
    return store_said_put(s, &said, e);
}

static int
erased_note(struct store *s, uint64_t p, struct err *e)
{
    struct put *put = s->put;

    if (put->erased_n == put->erased_room) {
        const size_t room = put->erased_room ? 2 * put->erased_room : 64;
        uint64_t *more = mem_resize(put->erased, room * sizeof *more);

        if (!more)
            return err_set(e, ERR_MEMORY, "no memory for a commit");
        put->erased = more;
        put->erased_room = room;
    }
    put->erased[put->erased_n++] = p;
    return 0;
}

int
erased_place(struct store *s, uint32_t stream, uint64_t entry, const struct hash *d, struct err *e)
{
    struct put *put = put_of(s, e);
    struct erased x = {.entry = entry, .d = *d};
    struct db_stmt *q;
    struct span id;
    int rc;

    if (!put)
        return -1;
    if (put->place_n == put->place_room) {
        const size_t room = put->place_room ? 2 * put->place_room : 64;
        struct erased *more = mem_resize(put->places, room * sizeof *more);

        if (!more)
            return err_set(e, ERR_MEMORY, "no memory for a commit");
        put->places = more;
        put->place_room = room;
    }
    q = sql_ask(s, e, "SELECT id FROM stream WHERE n = ?1", "i", (int64_t)stream);
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    id = rc == 1 ? sql_bytes(s, q, 0) : (struct span){NULL, 0};
    if (id.n == sizeof x.stream.b)
        memcpy(x.stream.b, id.p, id.n);
    if (rc == 1)
        sql_end(s, q);
    if (id.n != sizeof x.stream.b)
        return err_set(e, ERR_CORRUPT, "a stream has no id");
    put->places[put->place_n++] = x;
    return 0;
}

static int
write_erase(struct store *s, struct pend *w, struct err *e)
{
    struct row t, anchor;
    struct hash d;
    int rc;

    if (rows_flush_wide(s, e) < 0 || (rc = row_get(s, w->target, &t, e)) < 0)
        return -1;
    if (rc == 0 || !row_living(&t) || t.p >= w->p)
        return err_set(e, ERR_INTERNAL, "what is to be erased is gone");
    if (row_get(s, t.ident, &anchor, e) < 0 || commitment_of(s, t.p, &d, e) < 0)
        return -1;
    if (!(anchor.flags & F_MULTI) && post_multi(s, &anchor, e) < 0)
        return -1;
    if (t.object == t.p && hand_over(s, &t, e) < 0)
        return -1;
    t.flags |= F_MULTI;
    if (post_remove(s, &t, e) < 0 || wipe(s, &t, e) < 0 ||
        post_mark(s, t.ident, F_MULTI | F_SCAR, e) < 0 ||
        ((t.flags & F_LAST) && (t.flags & F_VERSIONED) &&
         post_relist(s, t.ident, t.audience, e) < 0) ||
        write_erase_row(s, w, &t, &d, e) < 0 || tell_erased(s, &t, &d, e) < 0)
        return -1;
    rc = t.flags & F_VERSIONED ? post_has_best(s, t.ident, t.audience, e) : 0;
    if (rc < 0 || (rc == 0 && count_add(s, t.audience, t.type, -1, e) < 0))
        return -1;
    return erased_note(s, t.p, e);
}

/* ---- the commit ---- */

/* Most commits have what they need in order: one audience, nothing erased. */
static void
sort_rows(struct pend **rows, size_t n, int (*by)(const void *a, const void *b))
{
    for (size_t i = 1; i < n; i++)
        if (by(&rows[i - 1], &rows[i]) > 0) {
            qsort(rows, n, sizeof *rows, by);
            return;
        }
}

static size_t
drop_doubles(struct pend **rows, size_t n)
{
    size_t kept = 0;

    sort_rows(rows, n, by_target);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !rows[i]->erase || rows[i]->target != rows[i - 1]->target)
            rows[kept++] = rows[i];
    return kept;
}

static int
write_all(struct store *s, struct pend **rows, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        rows[i]->p = ++s->state.p;
        s->state_dirty = true;
        if (rows[i]->erase ? write_erase(s, rows[i], e) < 0 : write_new(s, rows[i], e) < 0)
            return -1;
    }
    return 0;
}

static int
finish_erased(struct store *s, struct err *e)
{
    struct put *put = s->put;

    if (put->erased_n > 0) {
        qsort(put->erased, put->erased_n, sizeof *put->erased, u64_cmp);
        if (index_sweep(s, put->erased, put->erased_n, e) < 0 ||
            text_erase(s, put->erased, put->erased_n, e) < 0)
            return -1;
    }
    if (put->erased_n + put->place_n == 0)
        return 0;
    if (erased_append(s, put->erased, put->erased_n, put->places, put->place_n, e) < 0)
        return -1;
    s->truncate = true;
    return 0;
}

static int
commit_rows(struct store *s, struct pend **rows, struct err *e)
{
    struct put *put = s->put;
    size_t n = 0;

    for (size_t i = 0; i < put->n; i++)
        if (!put->rows[i].dropped)
            rows[n++] = &put->rows[i];
    if (n == 0)
        return finish_erased(s, e);
    n = drop_doubles(rows, n);
    sort_rows(rows, n, by_audience);
    if (place_all(s, rows, n, e) < 0)
        return -1;
    sort_rows(rows, n, by_arrival);
    if (write_all(s, rows, n, e) < 0 || rows_flush(s, e) < 0 || text_flush(s, e) < 0 ||
        finish_erased(s, e) < 0)
        return -1;
    return put_ranges_save(s, e) < 0 || count_save(s, e) < 0 ? -1 : 0;
}

int
put_commit(struct store *s, struct err *e)
{
    struct pend **rows;
    int rc = 0;

    if (s->put && s->put->n + s->put->place_n > 0) {
        rows = mem_zero(s->put->n + 1, sizeof(struct pend *));
        if (!rows)
            return err_set(e, ERR_MEMORY, "no memory for a commit");
        rc = commit_rows(s, rows, e);
        mem_free(rows);
    }
    return rc < 0 || streams_save(s, e) < 0 ? -1 : auds_save(s, e);
}
