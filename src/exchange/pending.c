/* exchange/pending.c - what waits, and how it is taken up again. */
#include "batch.h"

#include <stdlib.h>

#include "findable.h"
#include "json.h"
#include "mem.h"

#define WAY_FORMAT  1
#define PENDING_RUN 1000 /* looked up at once */
#define QUEUE_ARENA                                                                                \
    (64u << 20) /* a run of rows, and one object of the greatest size with its tree */

/* -- how it was asked
 * ------------------------------------------------------------------------------ */

void
way_encode(const struct way *w, struct buf *out)
{
    buf_u8(out, WAY_FORMAT);
    buf_u32(out, w->asker.principal);
    buf_u8(out, (unsigned)w->asker.channel);
    buf_u32(out, w->asker.listener.number);
    buf_u8(out, (unsigned)w->asker.listener.ceiling);
    buf_u8(out, w->asker.exercise);
    buf_u8(out, w->asked);
    buf_u8(out, (unsigned)w->label);
    buf_u32(out, w->group);
    buf_u32(out, w->person);
    buf_u8(out, (w->quarantine ? 1u : 0u) | (w->keep_narrow ? 2u : 0u) | (w->strict ? 4u : 0u));
}

static int
way_get(struct reader *r, struct way *out, struct err *e)
{
    struct way w = {0};
    unsigned flags;

    if (reader_u8(r) != WAY_FORMAT)
        return err_set(e, ERR_CORRUPT, "what waits was asked in an unknown form");
    w.asker.principal = reader_u32(r);
    w.asker.channel = reader_u8(r);
    w.asker.listener.number = reader_u32(r);
    w.asker.listener.ceiling = reader_u8(r);
    w.asker.exercise = reader_u8(r);
    w.asked = reader_u8(r);
    w.label = reader_u8(r);
    w.group = reader_u32(r);
    w.person = reader_u32(r);
    flags = reader_u8(r);
    w.quarantine = flags & 1;
    w.keep_narrow = flags & 2;
    w.strict = flags & 4;
    if (r->failed || w.asker.listener.ceiling > TLP_RED || w.label > TLP_RED || flags > 7)
        return err_set(e, ERR_CORRUPT, "what waits was asked in a broken form");
    *out = w;
    return 0;
}

uint64_t
way_batch(const struct batch *b, const struct way *way)
{
    return b != NULL ? b->number : way->batch;
}

int
way_decode(struct span s, struct way *out, struct err *e)
{
    struct reader r = reader_of(s);

    return way_get(&r, out, e);
}

static void
ask_put(const struct way *w, const struct intake_result *r, struct buf *out)
{
    way_encode(w, out);
    buf_u8(out, (unsigned)r->class);
    buf_u16(out, (unsigned)r->defect_count);
    for (size_t i = 0; i < r->defect_count; i++) {
        buf_u8(out, (unsigned)r->defects[i].severity);
        buf_field(out, r->defects[i].rule);
        buf_field(out, r->defects[i].clause);
        buf_field(out, r->defects[i].pointer);
        buf_field(out, r->defects[i].text);
    }
}

static int
ask_get(struct span s, struct arena *a, struct way *w, struct intake_result *r, struct err *e)
{
    struct reader in = reader_of(s);
    struct intake_defect *d;
    size_t n;

    if (way_get(&in, w, e) != 0)
        return -1;
    r->class = reader_u8(&in);
    n = reader_u16(&in);
    d = arena_zero(a, n + 1, sizeof *d);
    if (d == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < n && !in.failed; i++) {
        d[i].severity = reader_u8(&in);
        d[i].rule = reader_field(&in, SIZE_MAX);
        d[i].clause = reader_field(&in, SIZE_MAX);
        d[i].pointer = reader_field(&in, SIZE_MAX);
        d[i].text = reader_field(&in, SIZE_MAX);
    }
    if (reader_end(&in, NULL) != 0)
        return err_set(e, ERR_CORRUPT, "what waits was asked in a broken form");
    r->defects = d;
    r->defect_count = n;
    return 0;
}

/* -- keeping --------------------------------------------------------------------------------------
 */

int
pending_keep(struct exchange *x, struct batch *b, const struct way *way, uint64_t index,
             const struct intake_result *r, enum store_wait reason, struct span marking,
             struct err *e)
{
    struct store_pending w = {
        .batch = way_batch(b, way),
        .item = index,
        .principal = way->asker.principal,
        .reason = reason,
        .marking = marking,
        .id = r->id,
        .type = r->type,
        .bytes = r->canonical,
        .at_us = now_us(x),
    };
    struct buf ask;
    uint64_t n;
    int rc;

    buf_init(&ask, 1u << 20);
    ask_put(way, r, &ask);
    w.ask = buf_view(&ask);
    rc = ask.failed ? err_set(e, ERR_MEMORY, "out of memory")
                    : store_pending_put(x->store, &w, &n, e);
    buf_clear(&ask);
    return rc;
}

/* -- taking up ------------------------------------------------------------------------------------
 */

/* What intake would say of bytes that were kept. */
static int
result_of(struct exchange *x, const struct store_pending *w, struct arena *a,
          struct intake_result *r, struct err *e)
{
    const struct json *tree;

    r->index = w->item;
    r->id = w->id;
    r->type = w->type;
    r->canonical = w->bytes;
    hash_sha256(w->bytes, &r->hash);
    if (x->json == NULL && (x->json = json_parser_new()) == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    tree = json_parse(x->json, w->bytes, a, e);
    if (tree == NULL || findable_read(tree, NULL, a, &r->found, e) != 0)
        return -1;
    return 0;
}

int
result_of_bytes(struct exchange *x, struct span bytes, uint64_t p, struct intake_result *r,
                struct err *e)
{
    struct arena *a = x->commit->arena;
    struct store_pending w = {.bytes = bytes};
    struct intake_defect *d;
    struct store_note *notes;
    size_t n;

    w.id = top_text(bytes, "id", a);
    w.type = top_text(bytes, "type", a);
    if (store_defects_get(x->store, p, a, &notes, &n, e) != 0)
        return -1;
    d = arena_zero(a, n + 1, sizeof *d);
    if (d == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        d[i] = (struct intake_defect){STIX_MUST, notes[i].rule, notes[i].clause, notes[i].pointer,
                                      notes[i].text};
    r->class = INTAKE_OK; /* judged when it came in: its defects travel, its outcome is a copy's */
    r->defects = d;
    r->defect_count = n;
    return result_of(x, &w, a, r, e);
}

/* Adds to the report of the batch that it came in. */
static int
report(struct exchange *x, const struct store_pending *w, const struct verdict_item *v,
       struct err *e)
{
    struct store_cause c = {(uint32_t)v->outcome, SPAN("taken-up"), {0}, {0}, 1};

    if (w->batch == 0)
        return 0;
    if (store_batch_count(x->store, w->batch, &c, e) != 0)
        return -1;
    c.rule = (struct span){0};
    return store_batch_count(x->store, w->batch, &c, e);
}

int
pending_retry(struct exchange *x, uint64_t n, const struct way *way, enum outcome *what,
              struct err *e)
{
    struct intake_result *r;
    struct verdict_item *v;
    struct store_pending w;
    struct store_batch of;
    struct put_block block;
    enum put_done done;
    struct batch *b = NULL;
    struct arena *a;
    struct way kept;
    int rc;

    if (commit_begin(x, e) != 0)
        return -1;
    a = x->commit->arena;
    rc = store_pending_get(x->store, n, a, &w, e);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(e, ERR_MISSING, "nothing of that number waits");
    r = arena_zero(a, 1, sizeof *r);
    v = arena_zero(a, 1, sizeof *v);
    if (r == NULL || v == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (ask_get(w.ask, a, &kept, r, e) != 0 || result_of(x, &w, a, r, e) != 0)
        return -1;
    if (way != NULL)
        kept = *way;
    kept.asker.now_us = now_us(x);
    kept.batch = w.batch; /* so that undo finds it, and its poster may withdraw it */
    rc = w.batch != 0 ? store_batch_get(x->store, w.batch, a, &of, e) : 0;
    if (rc < 0)
        return -1;
    kept.released = kept.released || (rc == 1 && of.state == STORE_BATCH_RELEASED);
    /* It is dropped first: where it has to wait again, it is kept anew. */
    if (store_pending_drop(x->store, n, e) != 0 ||
        put_object(x, b, &kept, r, PUT_FINAL, &done, &block, v, e) != 0 || report(x, &w, v, e) != 0)
        return -1;
    *what = v->outcome;
    return commit_maybe(x, e);
}

/* -- what is taken up together --------------------------------------------------------------------
 */

/* Definitions, then what names nothing, then what names others, edges last: an end that comes after
 * its edge would narrow nothing, and an edge would go further than both of its ends. */
enum turn { TURN_DEFINITION, TURN_PLAIN, TURN_NAMES, TURN_EDGE };

struct waiting {
    uint64_t n;
    enum turn turn;
};

struct queue {
    struct waiting *list;
    size_t n, cap;
};

static int
turn_of(const struct store_pending *w, struct arena *a, enum turn *out, struct err *e)
{
    struct stix_facts f;

    if (stix_facts_read(w->bytes, a, &f, e) != 0)
        return -1;
    *out = TURN_PLAIN;
    if (stix_id_is_marking(f.id.text) || stix_id_is_extension(f.id.text))
        *out = TURN_DEFINITION;
    else if (f.class == STIX_SRO)
        *out = TURN_EDGE;
    for (size_t i = 0; i < f.ref_count && *out == TURN_PLAIN; i++) {
        if (!span_eq(f.refs[i].id, f.id.text))
            *out = TURN_NAMES;
    }
    return 0;
}

static int
queue_add(struct queue *q, struct waiting w, struct err *e)
{
    struct waiting *grown;
    size_t cap;

    if (q->n == q->cap) {
        cap = q->cap == 0 ? 64 : q->cap * 2;
        grown = mem_resize(q->list, cap * sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        q->list = grown;
        q->cap = cap;
    }
    q->list[q->n++] = w;
    return 0;
}

static int
by_turn(const void *x, const void *y)
{
    const struct waiting *a = x, *b = y;

    if (a->turn != b->turn)
        return a->turn < b->turn ? -1 : 1;
    return a->n < b->n ? -1 : a->n > b->n;
}

/* All that waits for this now, in the order in which it is to be taken up. */
static int
queue_fill(struct exchange *x, uint64_t batch, enum store_wait reason, struct span marking,
           struct arena *a, struct queue *q, struct err *e)
{
    struct store_pending *list, w;
    uint64_t after = 0;
    size_t n;

    do {
        arena_reset(a);
        if (store_pending_list(x->store, after, batch, reason, marking, PENDING_RUN, a, &list, &n,
                               e) != 0)
            return -1;
        for (size_t i = 0; i < n; i++) {
            struct arena_mark mark = arena_mark(a);
            struct waiting at = {.n = after = list[i].n};
            int rc = store_pending_get(x->store, at.n, a, &w, e);

            if (rc < 0 ||
                (rc == 1 && (turn_of(&w, a, &at.turn, e) != 0 || queue_add(q, at, e) != 0)))
                return -1;
            arena_rewind(a, mark);
        }
    } while (n == PENDING_RUN);
    if (q->n > 0)
        qsort(q->list, q->n, sizeof *q->list, by_turn);
    return 0;
}

/* marking: a span of the caller's own, that outlives every commit. */
int
pending_marking(struct exchange *x, struct span marking, struct err *e)
{
    struct queue q = {0};
    enum outcome what;
    struct arena *a = arena_new(QUEUE_ARENA);
    int rc = -1;

    if (a == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (commit_begin(x, e) != 0 || queue_fill(x, 0, STORE_WAIT_MARKING, marking, a, &q, e) != 0)
        goto out;
    for (size_t i = 0; i < q.n; i++) {
        if (pending_retry(x, q.list[i].n, NULL, &what, e) != 0)
            goto out;
    }
    rc = 0;
out:
    mem_free(q.list);
    arena_free(a);
    return rc;
}

/* -- release, decide ------------------------------------------------------------------------------
 */

static int
release_all(struct exchange *x, uint64_t batch, uint64_t counts[OUTCOMES], struct err *e)
{
    struct arena *a = arena_new(QUEUE_ARENA);
    struct queue q = {0};
    struct store_pending w;
    struct intake_result r = {0};
    enum outcome what;
    struct way way;
    int rc = -1;

    if (a == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (commit_begin(x, e) != 0 ||
        queue_fill(x, batch, STORE_WAIT_QUARANTINE, (struct span){0}, a, &q, e) != 0)
        goto out;
    for (size_t i = 0; i < q.n; i++) {
        arena_reset(a);
        if (commit_begin(x, e) != 0 || store_pending_get(x->store, q.list[i].n, a, &w, e) != 1 ||
            ask_get(w.ask, a, &way, &r, e) != 0)
            goto out;
        way.released = true;
        if (pending_retry(x, q.list[i].n, &way, &what, e) != 0)
            goto out;
        counts[what]++;
    }
    rc = commit_begin(x, e) != 0 || store_batch_state(x->store, batch, STORE_BATCH_RELEASED, e) != 0
             ? -1
             : 0;
out:
    mem_free(q.list);
    arena_free(a);
    return rc;
}

static int
tell_release(struct exchange_link *l, const struct tell *t, const struct asker *who,
             struct arena *a, struct buf *out, struct err *e)
{
    uint64_t counts[OUTCOMES] = {0};
    struct store_batch b;
    struct json_out o;
    int rc = store_batch_get(l->x->store, t->number, a, &b, e);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_MISSING, "no such batch");
    if (b.state != STORE_BATCH_QUARANTINE)
        return err_set(e, ERR_CONFLICT, "that batch is not in quarantine");
    if (release_all(l->x, t->number, counts, e) != 0 ||
        audit(l->x, who->principal, "release",
              span_of(arena_printf(a, "batch %llu", (unsigned long long)t->number)), "done",
              e) != 0 ||
        commit_flush(l->x, e) != 0)
        return -1;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_int(&o, "batch", (int64_t)t->number);
    json_name(&o, "counts");
    json_begin_object(&o);
    for (unsigned i = OUT_NEW; i < OUTCOMES; i++) {
        if (counts[i] > 0)
            json_member_int(&o, outcome_name(i), (int64_t)counts[i]);
    }
    json_end_object(&o);
    json_end_object(&o);
    return 0;
}

/* The operator decides: with another label or group than was asked, as the operator. */
static int
decide_way(struct exchange *x, const struct tell *t, const struct asker *who, struct way *way,
           struct err *e)
{
    const struct store_group *g;

    way->asker = *who;
    way->released = true;
    way->keep_narrow = true;
    way->decided = t->label.n > 0;
    if (t->label.n > 0) {
        if (!tlp_read(t->label, &way->label))
            return err_set(e, ERR_USAGE, "no such label");
        way->asked = true;
    }
    if (t->group.n > 0) {
        g = cast_group_named(&x->cast, t->group);
        if (g == NULL)
            return err_set(e, ERR_MISSING, "no such group");
        way->group = g->r.number;
    }
    return 0;
}

static int
tell_decide(struct exchange_link *l, const struct tell *t, const struct asker *who, struct arena *a,
            struct buf *out, struct err *e)
{
    struct intake_result r = {0};
    enum outcome what = OUT_REFUSED;
    struct store_pending w;
    struct json_out o;
    struct way way;
    bool accept = span_is(t->text, "accept");
    int rc = store_pending_get(l->x->store, t->number, a, &w, e);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_MISSING, "nothing of that number waits");
    if (!accept && !span_is(t->text, "drop"))
        return err_set(e, ERR_USAGE, "accept or drop");
    if (accept && w.reason == STORE_WAIT_PROPOSAL)
        return err_set(e, ERR_CONFLICT, "only its creator accepts a proposal");
    if (accept) {
        if (ask_get(w.ask, a, &way, &r, e) != 0 || decide_way(l->x, t, who, &way, e) != 0 ||
            pending_retry(l->x, t->number, &way, &what, e) != 0)
            return -1;
    } else if (store_pending_drop(l->x->store, t->number, e) != 0) {
        return -1;
    }
    if (commit_begin(l->x, e) != 0 ||
        audit(l->x, who->principal, accept ? "accept" : "drop", w.id, "done", e) != 0 ||
        commit_flush(l->x, e) != 0)
        return -1;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_int(&o, "n", (int64_t)t->number);
    json_member_str(&o, "outcome", accept ? outcome_name(what) : "dropped");
    json_end_object(&o);
    return 0;
}

int
tell_pending(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
             struct err *e)
{
    struct asker who;

    if (commit_begin(l->x, e) != 0 || teller_of(l, t, &who, NULL, e) != 0)
        return -1;
    if (l->caller.kind != CALLER_LOCAL)
        return err_set(e, ERR_DENIED, "only the operator decides about what waits");
    return t->verb == TELL_RELEASE ? tell_release(l, t, &who, a, out, e)
                                   : tell_decide(l, t, &who, a, out, e);
}
