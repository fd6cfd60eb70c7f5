/* Audiences and grants. */
#include <string.h>

#include "store_impl.h"
#include "store_rights.h"

int
store_audience_find(struct store *s, struct audience *a, bool make, struct err *e)
{
    uint32_t number;

    if (store_need_open(s, e) < 0 || auds_load(s, e) < 0)
        return -1;
    for (size_t i = 0; i < s->aud_count; i++)
        if (audience_same(&s->auds[i].a, a)) {
            a->number = s->auds[i].a.number;
            return 1;
        }
    if (!make)
        return 0;
    if (store_need_write(s, e) < 0)
        return -1;
    if (s->aud_count >= VIEW_AUDIENCE_MAX - 1)
        return err_set(e, ERR_LIMIT, "there are too many audiences");
    number = (uint32_t)s->aud_count + 1;
    if (auds_save(s, e) < 0 ||
        sql_do(s, e,
               "INSERT INTO audience (n, label, exercise, grp, generation, person, next_seq, "
               "newest_p, living) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0)",
               "iiiiii", (int64_t)number, (int64_t)a->label, (int64_t)a->exercise,
               (int64_t)a->group, (int64_t)a->generation, (int64_t)a->person) < 0)
        return -1;
    s->state.rights++;
    s->state_dirty = true;
    s->aud_rights = 0;
    if (auds_load(s, e) < 0)
        return -1;
    a->number = number;
    return 1;
}

int
store_audience_get(struct store *s, uint32_t number, struct audience *out, struct err *e)
{
    const struct aud *a;

    if (store_need_open(s, e) < 0 || auds_load(s, e) < 0)
        return -1;
    a = aud_of(s, number);
    if (!a)
        return err_set(e, ERR_MISSING, "there is no such audience");
    *out = a->a;
    return 0;
}

/* ---- grants ---- */

static int
grant_drop(struct store *s, int64_t n, struct err *e)
{
    if (sql_do(s, e, "DELETE FROM slice WHERE grant_n = ?1", "i", n) < 0 ||
        sql_do(s, e, "DELETE FROM grant_ WHERE n = ?1", "i", n) < 0)
        return -1;
    s->state.rights++;
    s->state_dirty = true;
    return 0;
}

static int
grant_number(struct store *s, uint32_t audience, enum view_grant_to to, uint32_t number,
             int64_t *out, struct err *e)
{
    return sql_number(s, out, e,
                      "SELECT n FROM grant_ WHERE audience = ?1 AND kind = ?2 AND number = ?3",
                      "iii", (int64_t)audience, (int64_t)to, (int64_t)number);
}

int
store_grant_end(struct store *s, uint32_t audience, enum view_grant_to to, uint32_t number,
                struct err *e)
{
    int64_t n;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    rc = grant_number(s, audience, to, number, &n, e);
    return rc < 0 ? -1 : rc == 0 ? 0 : grant_drop(s, n, e);
}

int
store_grant_begin(struct store *s, uint32_t audience, enum view_grant_to to, uint32_t number,
                  uint64_t *older, struct err *e)
{
    const struct aud *a;
    int64_t n = 0;

    if (store_need_write(s, e) < 0 || auds_load(s, e) < 0)
        return -1;
    if (store_put_count(s) > 0) /* rows of this very commit have no seq yet */
        return err_set(e, ERR_INTERNAL, "a grant begins in a commit without publications");
    a = aud_of(s, audience);
    if (!a)
        return err_set(e, ERR_MISSING, "there is no such audience");
    if (store_grant_end(s, audience, to, number, e) < 0 ||
        sql_number(s, &n, e, "SELECT max(n) FROM grant_", "") < 0 ||
        sql_do(s, e,
               "INSERT INTO grant_ (n, audience, kind, number, natural_from, done) "
               "VALUES (?1, ?2, ?3, ?4, ?5, 0)",
               "iiiii", n + 1, (int64_t)audience, (int64_t)to, (int64_t)number,
               (int64_t)a->next_seq) < 0)
        return -1;
    s->state.rights++;
    s->state_dirty = true;
    *older = a->next_seq;
    return 0;
}

/* The next row of an audience at or after p that has a posting.  1, 0: none below `end`, -1. */
static int
next_posted(struct store *s, uint32_t audience, uint64_t p, uint64_t end, uint64_t *out,
            struct err *e)
{
    int64_t best = 0, at;
    int found = 0;

    for (int64_t kind = POST_ALL; kind <= POST_ALL + 1; kind++) {
        const int rc = sql_number(s, &at, e,
                                  "SELECT p FROM posting WHERE kind = ?1 AND audience = ?2 "
                                  "AND p >= ?3 AND p < ?4 ORDER BY p LIMIT 1",
                                  "iiii", kind, (int64_t)audience, (int64_t)p, (int64_t)end);

        if (rc < 0)
            return -1;
        if (rc == 1 && (!found || at < best)) {
            best = at;
            found = 1;
        }
    }
    *out = (uint64_t)best;
    return found;
}

/* Rows of an audience below *out have a lesser seq, those from there on have not: found by halving,
 * since p rises with seq.  Erase rows carry the seq of the row that follows. */
int
seq_bound(struct store *s, uint32_t audience, uint64_t seq, uint64_t lo, uint64_t hi, uint64_t *out,
          struct err *e)
{
    while (lo < hi) {
        const uint64_t mid = lo + (hi - lo) / 2;
        uint64_t at;
        struct row r;
        int rc = next_posted(s, audience, mid, hi, &at, e);

        if (rc == 1)
            rc = row_get(s, at, &r, e);
        if (rc < 0)
            return -1;
        if (rc == 0 || r.seq >= seq)
            hi = mid;
        else
            lo = at + 1;
    }
    *out = lo;
    return 0;
}

static int
slice_put(struct store *s, int64_t grant, uint32_t audience, uint64_t from, uint64_t n,
          struct err *e)
{
    const int64_t base =
        store_take_block(s, (int64_t)n * STORE_STEP_US) + 1 + (int64_t)random_below(STORE_STEP_US);
    uint64_t p_from, p_to;

    if (seq_bound(s, audience, from, 1, s->state.p + 1, &p_from, e) < 0 ||
        seq_bound(s, audience, from + n, p_from, s->state.p + 1, &p_to, e) < 0 ||
        sql_do(s, e,
               "INSERT INTO slice (base, grant_n, audience, from_seq, n, p_from, p_to, p_next) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
               "iiiiiiii", base, grant, (int64_t)audience, (int64_t)from, (int64_t)n,
               (int64_t)p_from, (int64_t)p_to, (int64_t)s->state.p + 1) < 0)
        return -1;
    return sql_do(s, e, "UPDATE grant_ SET done = ?2 WHERE n = ?1", "ii", grant,
                  (int64_t)(from + n));
}

int
store_grant_step(struct store *s, uint64_t *left, struct err *e)
{
    struct db_stmt *q;
    int64_t grant, audience, natural, done;
    uint64_t n;
    int rc;

    if (store_need_write(s, e) < 0)
        return -1;
    q = sql_ask(s, e,
                "SELECT n, audience, natural_from, done FROM grant_ WHERE done < natural_from "
                "ORDER BY n LIMIT 1",
                "");
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0) {
        *left = 0;
        return 0;
    }
    grant = sql_int(s, q, 0);
    audience = sql_int(s, q, 1);
    natural = sql_int(s, q, 2);
    done = sql_int(s, q, 3);
    sql_end(s, q);
    n = (uint64_t)(natural - done);
    if (n > STORE_SLICE_MAX)
        n = STORE_SLICE_MAX;
    if (slice_put(s, grant, (uint32_t)audience, (uint64_t)done, n, e) < 0)
        return -1;
    s->state.rights++;
    s->state_dirty = true;
    if (sql_number(s, &done, e, "SELECT sum(natural_from - done) FROM grant_", "") < 0)
        return -1;
    *left = (uint64_t)done;
    return 0;
}

int
store_grants_load(struct store *s, struct arena *a, const struct view_grant **out, size_t *n,
                  struct err *e)
{
    int64_t grants = 0, slices = 0;
    struct view_grant *list;
    struct view_slice *all;
    struct db_stmt *q;
    size_t count = 0, used = 0;
    int64_t last = -1;
    int rc;

    if (store_need_open(s, e) < 0 ||
        sql_number(s, &grants, e, "SELECT count(*) FROM grant_", "") < 0 ||
        sql_number(s, &slices, e, "SELECT count(*) FROM slice", "") < 0)
        return -1;
    list = arena_zero(a, (size_t)grants + 1, sizeof *list);
    all = arena_zero(a, (size_t)slices + 1, sizeof *all);
    if (!list || !all)
        return err_set(e, ERR_MEMORY, "no memory for grants");
    q = sql_ask(s, e,
                "SELECT g.n, g.audience, g.kind, g.number, g.natural_from, s.from_seq, s.n, s.base "
                "FROM grant_ g LEFT JOIN slice s ON s.grant_n = g.n ORDER BY g.n, s.from_seq",
                "");
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        struct view_grant *g;

        if (sql_int(s, q, 0) != last) {
            last = sql_int(s, q, 0);
            if (count == (size_t)grants)
                break;
            list[count++] = (struct view_grant){.audience = (uint32_t)sql_int(s, q, 1),
                                                .to = (enum view_grant_to)sql_int(s, q, 2),
                                                .number = (uint32_t)sql_int(s, q, 3),
                                                .natural_from = (uint64_t)sql_int(s, q, 4),
                                                .slices = &all[used]};
        }
        if (sql_null(s, q, 5))
            continue;
        if (used == (size_t)slices)
            break;
        g = &list[count - 1];
        all[used++] = (struct view_slice){.from_seq = (uint64_t)sql_int(s, q, 5),
                                          .n = (uint64_t)sql_int(s, q, 6),
                                          .base_us = sql_int(s, q, 7)};
        g->slice_count++;
    }
    if (rc == 1) {
        sql_end(s, q);
        return err_set(e, ERR_CORRUPT, "grants changed while they were read");
    }
    if (rc < 0)
        return -1;
    *out = list;
    *n = count;
    return 0;
}
