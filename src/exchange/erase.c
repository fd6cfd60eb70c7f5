/*
 * exchange/erase.c - withdraw, undo, DELETE: what should not have been shared.
 *
 * Bytes, header and salt go; the commitment stays.  What readers have already been served stays
 * with them: so the answer says who has been.
 */
#include "batch.h"

#include "mem.h"
#include "stix_builtin.h"
#include "store_audit.h"
#include "store_find.h"

#define EDGES_MAX 200 /* named in an answer */

static const char note_text[] =
    "Who reads by TAXII alone learns of a mistake only by a revoked version.";

/* Publications that are to go. */
struct going {
    struct exchange *x;
    struct asker who;
    struct target {
        uint64_t p;
        uint32_t audience;
        uint32_t org;        /* that posted it */
        struct span creator; /* whom its own bytes name */
        int64_t date_us;
        bool may;
    } * list;
    size_t n, cap;
    int64_t *first; /* of each audience of the cast, the first date that goes; INT64_MAX: none */
    size_t first_n;
};

static int
going_add(struct going *g, struct target t, struct err *e)
{
    struct target *grown;
    size_t cap;

    if (g->n == g->cap) {
        cap = g->cap == 0 ? 64 : g->cap * 2;
        grown = mem_resize(g->list, cap * sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        g->list = grown;
        g->cap = cap;
    }
    g->list[g->n++] = t;
    return 0;
}

/* The organisation behind a batch; what the node itself said has none. */
static int
posted_by(struct exchange *x, uint64_t batch, uint32_t *org, struct err *e)
{
    const struct right_principal *p;
    struct store_batch b;
    int rc;

    *org = ORG_SELF;
    if (batch == 0)
        return 0;
    rc = store_batch_get(x->store, batch, x->commit->arena, &b, e);
    if (rc < 0)
        return -1;
    p = rc == 1 ? rights_principal(&x->cast.rights, b.principal) : NULL;
    if (p != NULL)
        *org = p->org;
    return 0;
}

/* Who may erase each, once all are known.  Versions of one id can name different creators: each
 * row is its own creator's, so that nobody withdraws others' by a version that names himself. */
static int
going_judge(struct going *g, const uint64_t *batches, struct err *e)
{
    for (size_t i = 0; i < g->n; i++) {
        struct target *t = &g->list[i];
        uint32_t creator = 0;

        if (posted_by(g->x, batches[i], &t->org, e) != 0 ||
            (t->creator.n > 0 && store_bound(g->x->store, t->creator, &creator, e) < 0))
            return -1;
        t->may = say_may_erase(&g->x->cast.rights, &g->who, creator, t->org);
    }
    return 0;
}

/* Once it is known who may erase each. */
static int
find_first(struct going *g, struct err *e)
{
    const struct cast *c = &g->x->cast;

    g->first_n = c->audience_count;
    g->first = mem_zero(g->first_n + 1, sizeof *g->first);
    if (g->first == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < g->first_n; i++)
        g->first[i] = INT64_MAX;
    for (size_t k = 0; k < g->n; k++) {
        const struct target *t = &g->list[k];
        const struct audience *a = t->may ? cast_audience(c, t->audience) : NULL;

        if (a != NULL && t->date_us < g->first[a - c->audiences])
            g->first[a - c->audiences] = t->date_us;
    }
    return 0;
}

/* Principals whose mark lies at or beyond a row that goes, each once for an audience. */
static int
put_served(struct going *g, struct json_out *o, struct arena *a, struct err *e)
{
    const struct cast *c = &g->x->cast;
    struct store_served *marks;
    size_t n;

    json_name(o, "served");
    json_begin_array(o);
    for (size_t i = 0; i < g->first_n; i++) {
        const struct audience *au = &c->audiences[i];

        if (g->first[i] == INT64_MAX)
            continue;
        if (store_served_list(g->x->store, au->number, a, &marks, &n, e) != 0)
            return -1;
        for (size_t k = 0; k < n; k++) {
            if (marks[k].until_us >= g->first[i])
                put_mark(g->x, o, au, &marks[k]);
        }
    }
    json_end_array(o);
    return 0;
}

/* Who has been served is kept, for whoever asks when it is gone. */
static int
note_served(struct going *g, struct err *e)
{
    const struct cast *c = &g->x->cast;

    for (size_t i = 0; i < g->first_n; i++) {
        if (g->first[i] != INT64_MAX &&
            store_exposed_put(g->x->store, c->audiences[i].number, g->first[i], e) != 0)
            return -1;
    }
    return 0;
}

static int
erase_all(struct going *g, uint64_t *erased, uint64_t *copies, struct err *e)
{
    const struct right_principal *p = rights_principal(&g->x->cast.rights, g->who.principal);
    uint32_t org = p != NULL ? p->org : 0;

    if (commit_begin(g->x, e) != 0 || note_served(g, e) != 0)
        return -1;
    for (size_t i = 0; i < g->n; i++) {
        if (!g->list[i].may)
            continue;
        if (commit_begin(g->x, e) != 0 || store_erase(g->x->store, g->list[i].p, e) != 0 ||
            commit_maybe(g->x, e) != 0)
            return -1;
        (*erased)++;
        *copies += g->list[i].org != org;
    }
    return 0;
}

/* -- withdraw -------------------------------------------------------------------------------------
 */

struct finding {
    struct going *g;
    const struct view *view; /* NULL: all, for the operator */
    uint64_t *batches;
    size_t cap;
};

static int
find_held(void *ctx, const struct store_held *h, struct err *e)
{
    struct finding *f = ctx;
    struct going *g = f->g;
    uint64_t *grown;
    size_t cap;
    int64_t date = h->arrival_us;

    if (h->erased || h->p == 0 ||
        (f->view != NULL && !view_date(f->view, h->audience, h->seq, h->arrival_us, &date)))
        return 0;
    if (g->n == f->cap) {
        cap = f->cap == 0 ? 64 : f->cap * 2;
        grown = mem_resize(f->batches, cap * sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        f->batches = grown;
        f->cap = cap;
    }
    f->batches[g->n] = h->batch;
    return going_add(
        g,
        (struct target){.p = h->p,
                        .audience = h->audience,
                        .creator = top_text(h->bytes, "created_by_ref", g->x->commit->arena),
                        .date_us = date},
        e);
}

/* Edges that still name it, as the caller sees them. */
static int
put_edges(struct going *g, struct json_out *o, struct span id, struct arena *a, struct err *e)
{
    struct store_find_ask ask = {.limit = EDGES_MAX, .want = STORE_WANT_BYTES};
    struct store_find_end end = {0};
    struct kept k = {.a = a};

    if (view_of(g->x, &g->who, 0, &ask.view, e) != 0 ||
        store_related(g->x->store, &ask, id, 0, keep_item, &k, &end, e) != 0)
        return -1;
    json_name(o, "edges");
    json_begin_array(o);
    for (size_t i = 0; i < k.n; i++) {
        struct span type = top_text(k.items[i].bytes, "type", a);

        if (span_is(type, "relationship") || span_is(type, "sighting"))
            json_string(o, top_text(k.items[i].bytes, "id", a));
    }
    json_end_array(o);
    return 0;
}

static int
withdraw(struct exchange_link *l, const struct tell *t, struct going *g, struct arena *a,
         struct buf *out, struct err *e)
{
    struct finding f = {.g = g};
    uint64_t erased = 0, copies = 0;
    struct json_out o;
    int rc = -1;

    /* The operator's withdrawal reaches everything of his own, also what he may not read. */
    if ((l->caller.kind != CALLER_LOCAL && view_of(g->x, &g->who, 0, &f.view, e) != 0) ||
        store_held_each(g->x->store, t->id, false, find_held, &f, e) < 0 ||
        going_judge(g, f.batches, e) != 0)
        goto out;
    if (g->n == 0) {
        err_set(e, ERR_MISSING, "no such object");
        goto out;
    }
    for (size_t i = 0; i < g->n; i++)
        erased += g->list[i].may;
    if (erased == 0) {
        err_set(e, ERR_DENIED, "it was published by others, who alone withdraw it");
        goto out;
    }
    erased = 0;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "id", t->id);
    if (find_first(g, e) != 0 || put_served(g, &o, a, e) != 0 ||
        put_edges(g, &o, t->id, a, e) != 0 || erase_all(g, &erased, &copies, e) != 0 ||
        commit_begin(g->x, e) != 0 ||
        audit(g->x, g->who.principal, "withdraw", t->id, "done", e) != 0)
        goto out;
    json_member_int(&o, "erased", (int64_t)erased);
    json_member_int(&o, "copies", (int64_t)copies);
    json_member_str(&o, "note", note_text);
    json_end_object(&o);
    rc = commit_flush(g->x, e);
out:
    mem_free(f.batches);
    return rc;
}

/* -- undo -----------------------------------------------------------------------------------------
 */

static int
find_row(void *ctx, struct span id, const struct store_held *h, struct err *e)
{
    struct going *g = ctx;

    /* A definition that everybody has went along: later batches rely on it, and it tells nothing.
     */
    if (h->erased || builtin_bytes(id).n > 0)
        return 0;
    return going_add(g,
                     (struct target){.p = h->p,
                                     .audience = h->audience,
                                     .date_us = h->arrival_us,
                                     .may = true,
                                     .org = ORG_SELF},
                     e);
}

static int
drop_pending(struct exchange *x, uint64_t batch, struct arena *a, struct err *e)
{
    struct store_pending *list;
    size_t n;

    do {
        if (commit_begin(x, e) != 0 ||
            store_pending_list(x->store, 0, batch, 0, (struct span){0}, 1000, a, &list, &n, e) != 0)
            return -1;
        for (size_t i = 0; i < n; i++) {
            if (store_pending_drop(x->store, list[i].n, e) != 0)
                return -1;
        }
    } while (n > 0);
    return 0;
}

static int
undo_may(struct exchange_link *l, const struct tell *t, struct going *g, struct arena *a,
         struct err *e)
{
    struct store_batch b;
    int rc = store_batch_get(g->x->store, t->number, a, &b, e);

    if (rc < 0)
        return -1;
    if (rc == 0 || (l->caller.kind != CALLER_LOCAL && b.principal != g->who.principal) ||
        g->who.principal == PRINCIPAL_NOBODY)
        return err_set(e, ERR_MISSING, "no such batch");
    if (b.state == STORE_BATCH_UNDONE)
        return err_set(e, ERR_CONFLICT, "that batch is undone already");
    if (b.state == STORE_BATCH_OPEN)
        return err_set(e, ERR_BUSY, "that batch is under way");
    return 0;
}

static int
undo(struct exchange_link *l, const struct tell *t, struct going *g, struct arena *a,
     struct buf *out, struct err *e)
{
    uint64_t erased = 0, copies = 0, *later;
    struct json_out o;
    size_t n;

    if (undo_may(l, t, g, a, e) != 0 ||
        store_batch_rows(g->x->store, t->number, find_row, g, e) < 0 ||
        store_known_later(g->x->store, t->number, a, &later, &n, e) != 0)
        return -1;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_int(&o, "batch", (int64_t)t->number);
    if (find_first(g, e) != 0 || put_served(g, &o, a, e) != 0)
        return -1;
    json_name(&o, "later");
    json_begin_array(&o);
    for (size_t i = 0; i < n; i++)
        json_int(&o, (int64_t)later[i]);
    json_end_array(&o);
    if (drop_pending(g->x, t->number, a, e) != 0 || erase_all(g, &erased, &copies, e) != 0 ||
        commit_begin(g->x, e) != 0 ||
        store_batch_state(g->x->store, t->number, STORE_BATCH_UNDONE, e) != 0 ||
        audit(g->x, g->who.principal, "undo",
              span_of(arena_printf(a, "batch %llu", (unsigned long long)t->number)), "done",
              e) != 0)
        return -1;
    json_member_int(&o, "erased", (int64_t)erased);
    json_member_str(&o, "note", note_text);
    json_end_object(&o);
    return commit_flush(g->x, e);
}

/* -- DELETE ---------------------------------------------------------------------------------------
 */

/* Whether one content is among the versions that the filter names; without one, all are.  best:
 * the bytes that GET gives as the last. */
static bool
version_wanted(const struct taxii_query *q, const struct kept *k, const struct store_item *it,
               struct span best)
{
    bool first = true, last = span_eq(it->bytes, best);

    for (size_t i = 0; it->versioned && i < k->n; i++) {
        int c = k->items[i].versioned ? instant_cmp(it->modified, k->items[i].modified) : 0;

        first &= c <= 0;
    }
    for (size_t i = 0; i < q->version_n; i++) {
        const struct taxii_version *v = &q->version[i];

        if (v->kind == TAXII_V_ALL || (v->kind == TAXII_V_FIRST && first) ||
            (v->kind == TAXII_V_LAST && last) ||
            (v->kind == TAXII_V_TIME && it->versioned && instant_cmp(it->modified, v->at) == 0))
            return true;
    }
    return q->version_n == 0;
}

static bool
spec_wanted(const struct taxii_query *q, const struct store_item *it)
{
    for (size_t i = 0; i < q->spec.n; i++) {
        if (span_is(q->spec.v[i], it->spec20 ? "2.0" : "2.1"))
            return true;
    }
    return q->spec.n == 0;
}

static int
find_matching(struct going *g, const struct tell *t, const struct kept *k, struct span best,
              uint64_t **batches, struct err *e)
{
    *batches = arena_zero(g->x->commit->arena, k->n + 1, sizeof **batches);
    if (*batches == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < k->n; i++) {
        const struct store_item *it = &k->items[i];

        if (!version_wanted(&t->q, k, it, best) || !spec_wanted(&t->q, it))
            continue;
        (*batches)[g->n] = it->batch;
        if (going_add(g,
                      (struct target){
                          .p = it->p,
                          .audience = it->audience,
                          .creator = top_text(it->bytes, "created_by_ref", g->x->commit->arena),
                          .date_us = it->date_us},
                      e) != 0)
            return -1;
    }
    return 0;
}

static int
delete_in(const struct tell *t, struct going *g, struct arena *a, struct buf *out, struct err *e)
{
    struct exchange *x = g->x;
    static const struct store_versions last = {.last = true};
    struct kept k = {.a = a}, best = {.a = a};
    uint64_t erased = 0, copies = 0, *batches;
    const struct view *v;
    struct collection c;
    struct json_out o;
    size_t n = 0;

    if (g->who.channel != CHANNEL_LOCAL)
        g->who.channel = CHANNEL_TOKEN;
    if (collection_find(x, &g->who, t->collection, a, &c, e) != 0)
        return -1;
    g->who.exercise = c.exercise;
    if (view_of(x, &g->who, c.group, &v, e) != 0 ||
        store_shown(x->store, v, t->id, STORE_WANT_BYTES, keep_item, &k, &n, e) != 0 ||
        store_get(x->store, v, t->id, &last, STORE_WANT_BYTES, keep_item, &best, &n, e) != 0)
        return -1;
    if (find_matching(g, t, &k, best.n > 0 ? best.items[0].bytes : (struct span){0}, &batches, e) !=
            0 ||
        going_judge(g, batches, e) != 0)
        return -1;
    if (g->n == 0)
        return err_set(e, ERR_MISSING, "no such object");
    for (size_t i = 0; i < g->n; i++) {
        if (!g->list[i].may)
            return err_set(e, ERR_DENIED, "a version of it was published by others");
    }
    if (find_first(g, e) != 0 || erase_all(g, &erased, &copies, e) != 0 ||
        commit_begin(x, e) != 0 || audit(x, g->who.principal, "delete", t->id, "done", e) != 0)
        return -1;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_int(&o, "erased", (int64_t)erased);
    json_end_object(&o);
    return commit_flush(x, e);
}

int
tell_erase(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
           struct err *e)
{
    struct going g = {.x = l->x};
    int rc = -1;

    if (commit_begin(l->x, e) != 0 || teller_of(l, t, &g.who, NULL, e) != 0)
        return -1;
    if (t->verb == TELL_DELETE)
        rc = delete_in(t, &g, a, out, e);
    else if (t->verb == TELL_UNDO)
        rc = undo(l, t, &g, a, out, e);
    else
        rc = withdraw(l, t, &g, a, out, e);
    mem_free(g.first);
    mem_free(g.list);
    return rc;
}
