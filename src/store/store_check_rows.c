/* Verify: publications one by one, their commitments and places. */
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "mem.h"
#include "store_block.h"
#include "store_tile.h"
#include "store_verify.h"

#define PROGRESS_ROWS 4096

struct erasure {
    uint64_t target;
    bool notice; /* an erase row, else a wiped one */
};

struct walk {
    struct verify *v;
    uint64_t *entries; /* that have rows, of stream number - 1 */
    size_t tree_count;
    uint64_t *seqs; /* next, of audience number - 1 */
    size_t seq_count;
    struct erasure *erasures;
    size_t erasure_count, erasure_room;
    int64_t arrival_us;
    uint64_t next_p;
    struct db_stmt *block; /* the block of the present row */
    struct span cells;
    uint64_t block_n;
};

static int
say_row(struct walk *w, const struct row *r, const char *what)
{
    return verify_say(w->v, what, "publication %llu", (unsigned long long)r->p);
}

static int
note_erasure(struct walk *w, uint64_t target, bool notice, struct err *e)
{
    if (w->erasure_count == w->erasure_room) {
        const size_t room = w->erasure_room ? 2 * w->erasure_room : 64;
        struct erasure *more = mem_resize(w->erasures, room * sizeof *more);

        if (!more)
            return err_set(e, ERR_MEMORY, "no memory to verify");
        w->erasures = more;
        w->erasure_room = room;
    }
    w->erasures[w->erasure_count++] = (struct erasure){target, notice};
    return 0;
}

/* The header that a living row's commitment must be of. */
static int
put_header(struct walk *w, struct db_stmt *q, const struct row *r, struct buf *out, struct err *e)
{
    struct store *s = w->v->s;
    struct entry en = {.kind = ENTRY_PUT, .group_version = (uint64_t)sql_int(s, q, 16)};
    struct store_index x = {0};
    char mem[ID_BYTES_MAX + 2];
    struct db_stmt *b;
    struct span bytes;
    struct buf id;
    int rc;

    buf_init_fixed(&id, mem, sizeof mem);
    if (id_text(s, r->ident, &id, e) < 0 || row_bytes(s, r->object, &b, &bytes, e) < 0)
        return -1;
    arena_reset(w->v->a);
    rc = s->index ? s->index(s->index_ctx, bytes, w->v->a, &x, e) : 0;
    en.id = buf_view(&id);
    en.size = bytes.n;
    en.version = x.version;
    hash_sha256(bytes, &en.bytes);
    if (rc == 0 && s->index)
        rc = verify_index(w->v, r, &x, e);
    if (rc == 0)
        rc = entry_encode(&en, out, e);
    sql_end(s, b);
    return rc;
}

static int
erase_header(struct walk *w, const struct row *r, struct buf *out, struct err *e)
{
    struct store *s = w->v->s;
    struct entry en = {.kind = ENTRY_ERASE};
    struct db_stmt *q = sql_ask(s, e, "SELECT entry, d FROM publication WHERE p = ?1 /* target */",
                                "i", (int64_t)r->object);
    struct span d;
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    d = rc == 1 ? sql_bytes(s, q, 1) : (struct span){NULL, 0};
    if (d.n == sizeof en.target_d.b) {
        en.target = (uint64_t)sql_int(s, q, 0);
        memcpy(en.target_d.b, d.p, d.n);
    }
    sql_end(s, q);
    return entry_encode(&en, out, e);
}

/* Whether d is the commitment that the row must have; a wiped row's is all that is left. */
static int
check_commitment(struct walk *w, struct db_stmt *q, const struct row *r, const struct hash *d,
                 struct err *e)
{
    struct store *s = w->v->s;
    const struct span salt = sql_bytes(s, q, 15);
    char mem[ENTRY_HEADER_MAX];
    struct buf header;
    struct hash is;
    int rc;

    if (r->flags & F_ERASED)
        return 0;
    if (salt.n != ENTRY_SALT_BYTES)
        return say_row(w, r, "the salt is not there");
    buf_init_fixed(&header, mem, sizeof mem);
    rc = r->flags & F_ERASE ? erase_header(w, r, &header, e) : put_header(w, q, r, &header, e);
    if (rc < 0) {
        if (verify_fatal(e))
            return -1;
        return say_row(w, r, e->text);
    }
    if (!s->index && !(r->flags & F_ERASE))
        return 0; /* the version as written is not known here */
    entry_commit((const uint8_t *)salt.p, buf_view(&header), &is);
    return memcmp(is.b, d->b, sizeof is.b) == 0
               ? 0
               : say_row(w, r, "bytes or header are not what was committed to");
}

/* What an erase row of another's stream says stands here alone. */
static bool
has_entry(const struct row *r)
{
    return r->stream != 0 || !(r->flags & F_ERASE);
}

static int
check_entry(struct walk *w, struct db_stmt *q, const struct row *r, struct err *e)
{
    const struct span d = sql_bytes(w->v->s, q, 14);
    struct hash h, kept;
    uint64_t p = 0;
    int rc;

    if (!has_entry(r))
        return 0;
    if (d.n != sizeof h.b)
        return say_row(w, r, "the commitment is not there");
    memcpy(h.b, d.p, d.n);
    if (r->stream == 0 || r->stream > w->tree_count)
        return say_row(w, r, "there is no such stream");
    rc = tile_leaf(w->v->s, r->stream, r->entry, &kept, &p, e);
    if (rc < 0)
        return -1;
    if (rc == 0 || p != r->p || !hash_eq(&kept, &h))
        return say_row(w, r, "not the entry of its stream");
    w->entries[r->stream - 1]++;
    return check_commitment(w, q, r, &h, e);
}

static int
check_cell(struct walk *w, const struct row *r, struct err *e)
{
    struct store *s = w->v->s;
    const uint64_t n = r->p >> BLOCK_SHIFT;
    const uint32_t at = (uint32_t)r->p & (BLOCK_ROWS - 1);
    int rc;

    if (n != w->block_n) {
        sql_end(s, w->block);
        w->block = NULL;
        w->block_n = n;
        rc = block_get(s, n, &w->block, &w->cells, e);
        if (rc < 0)
            return -1;
        if (rc == 0)
            w->block = NULL;
        if (rc == 0 && n < s->state.p >> BLOCK_SHIFT)
            return verify_say(w->v, "a column is not there", "block %llu", (unsigned long long)n);
    }
    if (!w->block)
        return 0;
    if (block_audience(w->cells, at) != r->audience ||
        (!(r->flags & F_ERASED) && block_type(w->cells, at) != r->type))
        return say_row(w, r, "its cell says otherwise");
    return 0;
}

/* The row's place: p, arrival and seq are dense or rise. */
static int
check_place(struct walk *w, const struct row *r)
{
    if (r->p != w->next_p)
        return say_row(w, r, "publications are not numbered one by one");
    if (r->arrival_us <= w->arrival_us)
        return say_row(w, r, "its arrival is not later than the one before");
    if (r->audience == 0 || r->audience > w->seq_count)
        return say_row(w, r, "there is no such audience");
    if (r->seq != w->seqs[r->audience - 1])
        return say_row(w, r, "not the next seq of its audience");
    return 0;
}

static int
check_row(struct walk *w, struct db_stmt *q, struct err *e)
{
    struct verify *v = w->v;
    struct row r;
    int rc;

    row_read(v->s, q, &r);
    rc = check_place(w, &r);
    w->next_p = r.p + 1;
    w->arrival_us = r.arrival_us;
    if (r.audience > 0 && r.audience <= w->seq_count && !(r.flags & F_ERASE))
        w->seqs[r.audience - 1] = r.seq + 1;
    v->counts.publications++;
    if (r.flags & F_ERASED) {
        v->counts.erased++;
        rc = rc != 0 ? rc : note_erasure(w, r.p, false, e);
    } else {
        v->posted++;
    }
    if (r.flags & F_ERASE) {
        v->counts.erases++;
        rc = rc != 0 ? rc : note_erasure(w, r.object, true, e);
    }
    v->anchors += r.ident == r.p;
    v->defects += (r.flags & F_DEFECT) != 0;
    if (rc == 0)
        rc = check_cell(w, &r, e);
    return rc != 0 ? rc : check_entry(w, q, &r, e);
}

static int
erasure_cmp(const void *a, const void *b)
{
    const struct erasure *x = a, *y = b;

    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (int)x->notice - (int)y->notice;
}

/* A bare commitment is accepted only with its erase entry, and the other way round. */
static int
check_erasures(struct walk *w)
{
    size_t i = 0;

    if (w->erasure_count > 0)
        qsort(w->erasures, w->erasure_count, sizeof *w->erasures, erasure_cmp);
    while (i < w->erasure_count) {
        const struct erasure *x = &w->erasures[i];
        const bool pair = !x->notice && i + 1 < w->erasure_count && x[1].target == x->target;

        if (!pair && verify_say(w->v,
                                x->notice ? "an erase row of what is not erased, or a second one"
                                          : "erased without an erase row",
                                "publication %llu", (unsigned long long)x->target))
            return 1;
        i += pair ? 2 : 1;
    }
    return 0;
}

static int
check_audiences(struct walk *w, struct err *e)
{
    struct store *s = w->v->s;

    if (auds_load(s, e) < 0)
        return -1;
    w->v->counts.audiences = s->aud_count;
    for (size_t i = 0; i < s->aud_count && i < w->seq_count; i++)
        if (s->auds[i].next_seq != w->seqs[i] &&
            verify_say(w->v, "the next seq is wrong", "audience %zu", i + 1))
            break;
    if (w->next_p != s->state.p + 1)
        verify_say(w->v, "the last publication is not the one counted", "publication %llu",
                   (unsigned long long)s->state.p);
    if (s->state.p > 0 && s->state.next_us < w->arrival_us)
        verify_say(w->v, "the arrival counter ran back", "publication %llu",
                   (unsigned long long)s->state.p);
    return 0;
}

static int
walk_rows(struct walk *w, struct err *e)
{
    struct verify *v = w->v;
    struct db_stmt *q = sql_ask(
        v->s, e, "SELECT " ROW_COLUMNS ", d, salt, gversion FROM publication ORDER BY p", "");
    int rc;

    if (!q)
        return -1;
    while ((rc = sql_step(v->s, q, e)) == 1 && !v->stop) {
        if (check_row(w, q, e) < 0) {
            sql_end(v->s, q);
            return -1;
        }
        if (v->progress && v->counts.publications % PROGRESS_ROWS == 0)
            v->progress(v->ctx, v->counts.publications, v->s->state.p);
    }
    if (rc == 1)
        sql_end(v->s, q);
    return rc < 0 ? -1 : 0;
}

int
verify_streams(struct verify *v, struct err *e)
{
    struct walk w = {.v = v, .next_p = 1, .block_n = UINT64_MAX};
    int rc;

    if (strms_load(v->s, e) < 0 || auds_load(v->s, e) < 0)
        return -1;
    w.tree_count = v->s->strm_count;
    w.seq_count = v->s->aud_count;
    w.entries = mem_zero(w.tree_count + 1, sizeof *w.entries);
    w.seqs = mem_zero(w.seq_count + 1, sizeof *w.seqs);
    rc = w.entries && w.seqs ? 0 : err_set(e, ERR_MEMORY, "no memory to verify");
    if (rc == 0)
        rc = walk_rows(&w, e);
    sql_end(v->s, w.block);
    if (rc == 0 && !v->stop)
        rc = check_erasures(&w) || verify_trees(v, w.entries, w.tree_count, e) < 0 ||
                     check_audiences(&w, e) < 0
                 ? -1
                 : 0;
    if (rc < 0 && v->stop)
        rc = 0;
    mem_free(w.entries);
    mem_free(w.seqs);
    mem_free(w.erasures);
    return rc;
}
