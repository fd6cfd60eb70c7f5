/* A publication as it is kept. */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "store_impl.h"

void
row_read_little(struct store *s, struct db_stmt *q, struct row *out)
{
    *out = (struct row){.p = (uint64_t)sql_int(s, q, 0),
                        .arrival_us = sql_int(s, q, 1),
                        .audience = (uint32_t)sql_int(s, q, 2),
                        .seq = (uint64_t)sql_int(s, q, 3),
                        .flags = (unsigned)sql_int(s, q, 4),
                        .ident = (uint64_t)sql_int(s, q, 5),
                        .type = (uint32_t)sql_int(s, q, 6),
                        .object = (uint64_t)sql_int(s, q, 7),
                        .confidence = -1};
}

void
row_read_lean(struct store *s, struct db_stmt *q, struct row *out)
{
    const uint64_t p = (uint64_t)sql_int(s, q, 0);

    *out = (struct row){.p = p,
                        .arrival_us = sql_int(s, q, 1),
                        .audience = (uint32_t)sql_int(s, q, 2),
                        .flags = (unsigned)sql_int(s, q, 3),
                        .type = (uint32_t)sql_int(s, q, 4),
                        .object = p,
                        .confidence = -1};
}

void
row_read(struct store *s, struct db_stmt *q, struct row *out)
{
    const unsigned flags = (unsigned)sql_int(s, q, 4);

    *out = (struct row){.p = (uint64_t)sql_int(s, q, 0),
                        .arrival_us = sql_int(s, q, 1),
                        .audience = (uint32_t)sql_int(s, q, 2),
                        .seq = (uint64_t)sql_int(s, q, 3),
                        .flags = flags,
                        .ident = (uint64_t)sql_int(s, q, 5),
                        .type = (uint32_t)sql_int(s, q, 6),
                        .object = (uint64_t)sql_int(s, q, 7),
                        .modified = {.sec = sql_int(s, q, 8), .nsec = (uint32_t)sql_int(s, q, 9)},
                        .has_time = !sql_null(s, q, 8),
                        .batch = (uint64_t)sql_int(s, q, 10),
                        .confidence = sql_null(s, q, 11) ? -1 : (int)sql_int(s, q, 11),
                        .stream = (uint32_t)sql_int(s, q, 12),
                        .entry = (uint64_t)sql_int(s, q, 13)};
}

int
row_get(struct store *s, uint64_t p, struct row *out, struct err *e)
{
    struct db_stmt *q = sql_get(s, "SELECT " ROW_COLUMNS " FROM publication WHERE p = ?1", e);
    int rc;

    if (!q)
        return -1;
    sql_bind(s, q, 1, (int64_t)p);
    rc = sql_step(s, q, e);
    if (rc == 1) {
        row_read(s, q, out);
        sql_end(s, q);
    }
    return rc;
}

int
row_bytes(struct store *s, uint64_t object, struct db_stmt **q, struct span *out, struct err *e)
{
    struct db_stmt *b = sql_get(s, "SELECT bytes FROM publication WHERE p = ?1", e);
    int rc;

    if (!b)
        return -1;
    sql_bind(s, b, 1, (int64_t)object);
    rc = sql_step(s, b, e);
    if (rc < 0)
        return -1;
    if (rc == 0 || sql_null(s, b, 0)) {
        sql_end(s, b);
        err_set(e, ERR_CORRUPT, "the bytes of a publication are not there");
        return err_place(e, "publication %llu", (unsigned long long)object);
    }
    *out = sql_bytes(s, b, 0);
    *q = b;
    return 0;
}

bool
row_living(const struct row *r)
{
    return !(r->flags & (F_ERASE | F_ERASED));
}

int
row_class(const struct row *r)
{
    if (!(r->flags & F_VERSIONED))
        return 1; /* no order: the same bytes are one content, whoever said them */
    return r->flags & F_AHEAD ? 0 : r->flags & F_OWNER ? 2 : 1;
}

static int
hash_object(struct store *s, uint64_t object, struct hash *out, struct err *e)
{
    struct db_stmt *q;
    struct span bytes;

    if (row_bytes(s, object, &q, &bytes, e) < 0)
        return -1;
    hash_sha256(bytes, out);
    sql_end(s, q);
    return 0;
}

int
row_rank(struct store *s, const struct row *a, const struct row *b, int *out, struct err *e)
{
    struct hash ha, hb;
    int d = row_class(a) - row_class(b);

    if (d == 0)
        d = instant_cmp(a->modified, b->modified);
    if (d == 0 && a->object != b->object) {
        if (hash_object(s, a->object, &ha, e) < 0 || hash_object(s, b->object, &hb, e) < 0)
            return -1;
        d = memcmp(ha.b, hb.b, sizeof ha.b);
    }
    *out = d;
    return 0;
}

int
row_rank_hash(struct store *s, const struct row *a, const struct hash *hash, const struct row *b,
              int *out, struct err *e)
{
    struct hash hb;
    int d = row_class(a) - row_class(b);

    if (d == 0)
        d = instant_cmp(a->modified, b->modified);
    if (d == 0 && a->object != b->object) {
        if (hash_object(s, b->object, &hb, e) < 0)
            return -1;
        d = memcmp(hash->b, hb.b, sizeof hb.b);
    }
    *out = d;
    return 0;
}

static int
u64_cmp(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

int
row_list(struct store *s, uint64_t ident, uint64_t **out, size_t *n, struct err *e)
{
    uint64_t *list = mem_zero(8, sizeof *list), *more;
    size_t count = 0, room = 8;
    struct db_stmt *q;
    struct row r;
    int rc;

    if (!list)
        return err_set(e, ERR_MEMORY, "no memory for versions");
    rc = ident ? row_get(s, ident, &r, e) : 0;
    if (rc < 0)
        goto failed;
    if (rc == 1 && !(r.flags & F_MULTI)) {
        list[count++] = ident;
    } else if (rc == 1) {
        q = sql_ask(s, e, "SELECT p FROM version WHERE ident = ?1", "i", (int64_t)ident);
        if (!q)
            goto failed;
        while ((rc = sql_step(s, q, e)) == 1) {
            if (count == room) {
                more = mem_resize(list, 2 * room * sizeof *list);
                if (!more) {
                    sql_end(s, q);
                    err_set(e, ERR_MEMORY, "no memory for versions");
                    goto failed;
                }
                list = more;
                room *= 2;
            }
            list[count++] = (uint64_t)sql_int(s, q, 0);
        }
        if (rc < 0)
            goto failed;
        qsort(list, count, sizeof *list, u64_cmp);
    }
    *out = list;
    *n = count;
    return 0;
failed:
    mem_free(list);
    return -1;
}

/* Arrivals rise with p, and those of rows that came together evenly: so a few guesses find most,
 * and halving what guesses do not find. */
#define GUESSES 12u
#define NEAR    128u

struct span_of_rows { /* the row looked for is lo to hi */
    uint64_t lo, hi;
    int64_t lo_us, hi_us; /* arrivals of lo - 1 (INT64_MIN: not known), and of hi */
    bool rising;          /* lo was moved last */
};

/* Where us would lie between lo - 1 and hi if all were even: lo to hi - 1. */
static uint64_t
row_guess(const struct span_of_rows *r, int64_t us)
{
    const double part = (double)(us - r->lo_us) / (double)(r->hi_us - r->lo_us);
    const uint64_t at = (uint64_t)(part * (double)(r->hi - r->lo + 1));

    return at < r->hi - r->lo ? r->lo + at : r->hi - 1;
}

/* The row to look at next, lo to hi - 1; n counts the looks. */
static uint64_t
row_try(const struct span_of_rows *r, int64_t us, unsigned n)
{
    if (n >= GUESSES || r->lo_us == INT64_MIN || us >= r->hi_us)
        return n > 0 ? r->lo + (r->hi - r->lo) / 2 : r->lo;
    /* A guess is mostly near but to one side: then one beyond it bounds the other side. */
    if (n % 2 == 0 && r->hi - r->lo > 2 * NEAR)
        return r->rising ? r->lo + NEAR : r->hi - NEAR;
    return row_guess(r, us);
}

static struct after *
after_slot(struct store *s, int64_t us)
{
    return &s->after[((uint64_t)us * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (AFTER_SLOTS - 1)];
}

/* A row that is committed is never another's again, nor is its arrival.  What a writer sees may
 * still be rolled back, and behind the last row there is none yet. */
void
row_after_is(struct store *s, int64_t us, uint64_t p)
{
    if (s->mode == DB_READ && p > 0 && p <= s->state.p)
        *after_slot(s, us) = (struct after){us, p};
}

int
row_after(struct store *s, int64_t us, uint64_t *p, struct err *e)
{
    const struct after *known = after_slot(s, us);
    struct span_of_rows r = {
        .lo = 1, .hi = s->state.p + 1, .lo_us = INT64_MIN, .hi_us = s->state.next_us};

    if (known->us == us && known->p > 0) {
        *p = known->p;
        return 0;
    }
    for (unsigned n = 0; r.lo < r.hi; n++) {
        const uint64_t mid = row_try(&r, us, n);
        int64_t arrival;
        const int rc = sql_number(s, &arrival, e, "SELECT arrival FROM publication WHERE p = ?1",
                                  "i", (int64_t)mid);

        if (rc < 0)
            return -1;
        if (rc == 0)
            return err_set(e, ERR_CORRUPT, "publications are not numbered one by one");
        r.rising = arrival <= us;
        if (r.rising) {
            r.lo = mid + 1;
            r.lo_us = arrival;
        } else {
            r.hi = mid;
            r.hi_us = arrival;
        }
    }
    row_after_is(s, us, r.lo);
    *p = r.lo;
    return 0;
}
