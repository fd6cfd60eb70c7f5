/* Verify: index rows and text, made anew from the bytes. */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "store_batch.h"
#include "store_gen.h"
#include "store_index.h"
#include "store_text.h"
#include "store_verify.h"
#include "trigram.h"

/* ---- index rows ---- */

struct expect {
    struct verify *v;
    const struct row *r;
    uint64_t n;
};

static int
expect_row(void *ctx, enum index_table table, int64_t key, struct span value, uint32_t kind,
           struct err *e)
{
    struct expect *x = ctx;
    struct store *s = x->v->s;
    struct gen_walk w = gen_walk(s);
    int64_t gen = 0, n = 0;
    uint64_t lo, hi;
    int rc = -1;

    while (gen_next(&w, &gen, &lo, &hi) && !(x->r->p >= lo && x->r->p <= hi))
        ;
    switch (table) {
    case INDEX_TERM:
        x->v->terms++;
        rc =
            sql_number(s, &n, e, "SELECT audience FROM term WHERE gen = ?1 AND key = ?2 AND p = ?3",
                       "iii", gen, key, (int64_t)x->r->p);
        break;
    case INDEX_VALUE:
        x->v->values++;
        rc = sql_number(s, &n, e,
                        "SELECT audience FROM value WHERE gen = ?1 AND key = ?2 AND p = ?3", "ibi",
                        value_is_net(value) ? GEN_NETS : gen, value, (int64_t)x->r->p);
        break;
    case INDEX_EDGE:
        x->v->edges++;
        rc = sql_number(s, &n, e,
                        "SELECT audience FROM edge WHERE gen = ?1 AND node = ?2 AND kind = ?4 "
                        "AND p = ?3",
                        "iiii", gen, key, (int64_t)x->r->p, (int64_t)kind);
        break;
    }
    x->v->counts.index_rows++;
    if (rc < 0)
        return -1;
    if (rc == 0 || (uint32_t)n != x->r->audience)
        verify_say(x->v, "an index row is missing", "publication %llu",
                   (unsigned long long)x->r->p);
    return 0;
}

int
verify_index(struct verify *v, const struct row *r, const struct store_index *x, struct err *e)
{
    struct expect w = {.v = v, .r = r};
    struct store_index with = *x;
    struct store_note *notes;
    struct span *rules;
    size_t n;

    /* Defects were found on the way in: those kept with the object count, each rule once. */
    with.defects = NULL;
    with.defect_count = 0;
    if (r->flags & F_DEFECT) {
        if (store_defects_get(v->s, r->p, v->a, &notes, &n, e) < 0)
            return -1;
        rules = arena_zero(v->a, n + 1, sizeof *rules);
        if (!rules)
            return err_set(e, ERR_MEMORY, "no memory to verify");
        for (size_t i = 0; i < n; i++) {
            bool known = false;

            for (size_t k = 0; k < with.defect_count && !known; k++)
                known = span_eq(rules[k], notes[i].rule);
            if (!known)
                rules[with.defect_count++] = notes[i].rule;
        }
        with.defects = rules;
    }
    return index_each(v->s, r, &with, expect_row, &w, e);
}

int
verify_total(struct verify *v, const char *sql, uint64_t want, const char *place, struct err *e)
{
    struct gen_walk w = gen_walk(v->s);
    uint64_t sum = 0, lo, hi;
    int64_t n = 0, gen;

    while (gen_next(&w, &gen, &lo, &hi)) {
        if (sql_number(v->s, &n, e, sql, "i", gen) < 0)
            return -1;
        sum += (uint64_t)n;
    }
    if (sql_number(v->s, &n, e, sql, "i", GEN_NETS) < 0)
        return -1;
    if (sum + (uint64_t)n != want)
        verify_say(v, "index rows that belong nowhere", "%s", place);
    return 0;
}

int
verify_index_end(struct verify *v, struct err *e)
{
    if (!v->s->index)
        return 0;
    if (verify_total(v, "SELECT count(*) FROM value WHERE gen = ?1", v->values, "table value", e) <
            0 ||
        verify_total(v, "SELECT count(*) FROM edge WHERE gen = ?1", v->edges, "table edge", e) < 0)
        return -1;
    return verify_total(v, "SELECT count(*) FROM term WHERE gen = ?1", v->terms, "table term", e);
}

/* ---- text ---- */

/* Postings are compared as sums of hashes: order does not matter, and one missing or too many
 * shows. */
struct sum {
    uint64_t n, x;
};

static void
sum_add(struct sum *s, uint32_t gram, uint64_t p)
{
    uint64_t z = (p << 32 | gram) + UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    s->x += z ^ (z >> 31);
    s->n++;
}

static int
sum_gram(void *ctx, uint32_t gram, uint64_t p, struct err *e)
{
    (void)e;
    sum_add(ctx, gram, p);
    return 0;
}

/* The trigrams of a publication, from its bytes; none of what is not living. */
static int
grams_of(struct verify *v, uint64_t p, struct trigram_set *set, const uint32_t **list, size_t *n,
         struct err *e)
{
    struct store *s = v->s;
    struct store_index x = {0};
    struct db_stmt *q;
    struct span bytes;
    struct row r;
    int rc = row_get(s, p, &r, e);

    trigram_reset(set);
    *n = 0;
    if (rc < 0)
        return -1;
    if (rc == 0 || !row_living(&r))
        return 0;
    if (row_bytes(s, r.object, &q, &bytes, e) < 0)
        return -1;
    arena_reset(v->a);
    rc = s->index(s->index_ctx, bytes, v->a, &x, e);
    if (rc < 0 && !verify_fatal(e)) {
        sql_end(s, q);
        return 0; /* told already, with its row */
    }
    for (size_t i = 0; rc == 0 && i < x.text_count; i++)
        if (trigram_add(set, x.texts[i]) < 0)
            rc = err_set(e, ERR_MEMORY, "no memory to verify");
    sql_end(s, q);
    if (rc == 0)
        *list = trigram_list(set, n);
    return rc;
}

static int
check_segment(struct verify *v, uint64_t n, uint64_t from, uint64_t to, struct trigram_set *set,
              struct err *e)
{
    struct sum is = {0}, want = {0};
    const uint32_t *list;
    size_t count;

    if (text_walk(v->s, n, sum_gram, &is, e) < 0)
        return -1;
    for (uint64_t p = from; p <= to; p++) {
        if (grams_of(v, p, set, &list, &count, e) < 0)
            return -1;
        for (size_t i = 0; i < count; i++)
            sum_add(&want, list[i], p);
    }
    v->counts.segments++;
    if (is.n != want.n || is.x != want.x)
        verify_say(v, "the text segment is not that of its objects", "segment %llu",
                   (unsigned long long)n);
    return 0;
}

static int
check_tail(struct verify *v, uint64_t from, struct trigram_set *set, struct err *e)
{
    for (uint64_t p = from; p <= v->s->state.p && !v->stop; p++) {
        const uint32_t *list;
        bool right;
        size_t n;

        if (grams_of(v, p, set, &list, &n, e) < 0 ||
            text_sig_right(v->s, p, list, n, &right, e) < 0)
            return -1;
        if (!right)
            verify_say(v, "the signature is not that of its object", "publication %llu",
                       (unsigned long long)p);
    }
    return 0;
}

int
verify_text(struct verify *v, struct err *e)
{
    struct trigram_set *set = trigram_new();
    uint64_t next = 1, n = 0;
    int rc = 0;

    if (!set)
        return err_set(e, ERR_MEMORY, "no memory to verify");
    while (rc == 0 && !v->stop) {
        struct db_stmt *q =
            sql_ask(v->s, e, "SELECT p_from, p_to FROM text_segment WHERE n = ?1 /* verify */", "i",
                    (int64_t)n + 1);
        uint64_t from, to;

        rc = q ? sql_step(v->s, q, e) : -1;
        if (rc <= 0)
            break;
        from = (uint64_t)sql_int(v->s, q, 0);
        to = (uint64_t)sql_int(v->s, q, 1);
        sql_end(v->s, q);
        n++;
        if (from != next)
            verify_say(v, "text segments do not follow one another", "segment %llu",
                       (unsigned long long)n);
        next = to + 1;
        rc = check_segment(v, n, from, to, set, e);
    }
    if (rc == 0 && !v->stop)
        rc = check_tail(v, next, set, e);
    trigram_free(set);
    return rc;
}
