/* exchange/status.c - TAXII's status: what became of each object of one POST. */
#include "batch.h"

#include "taxii_print.h"

#define STATUS_RUN 1000

/* The version that TAXII names for an object without modified and created: its date. */
struct dated {
    int64_t us;
};

static int
date_of(void *ctx, const struct store_item *it, struct err *e)
{
    struct dated *d = ctx;

    (void)e;
    d->us = it->date_us;
    return 0;
}

static int
find_version(struct exchange *x, const struct view *v, const struct store_batch_item *it,
             int64_t begun_us, struct arena *a, struct span *out, struct err *e)
{
    static const struct store_versions last = {.last = true};
    struct dated d = {begun_us};
    char t[TAXII_TIME_MAX];
    size_t n = 0;

    *out = it->version;
    if (out->n > 0)
        return 0;
    if (it->id.n > 0 && v != NULL &&
        store_get(x->store, v, it->id, &last, 0, date_of, &d, &n, e) != 0)
        return -1;
    taxii_time(d.us, t);
    *out = arena_span(a, span_of(t));
    return out->n > 0 ? 0 : err_set(e, ERR_MEMORY, "out of memory");
}

/* The messages of an object in one line: the place, the rule, what it says. */
static struct span
message_of(const struct store_batch_item *it, struct arena *a)
{
    struct buf b;
    struct span s;

    buf_init(&b, 4096);
    for (size_t i = 0; i < it->note_count && b.n < 2000; i++) {
        const struct store_note *n = &it->notes[i];

        if (b.n > 0)
            buf_str(&b, "; ");
        if (n->pointer.n > 0) {
            buf_span(&b, span_part(n->pointer, 0, 200));
            buf_str(&b, ": ");
        }
        buf_span(&b, span_part(n->text, 0, 300));
        if (n->rule.n > 0) {
            buf_str(&b, " (");
            buf_span(&b, span_part(n->rule, 0, 100));
            if (n->clause.n > 0) {
                buf_str(&b, ", ");
                buf_span(&b, span_part(n->clause, 0, 100));
            }
            buf_u8(&b, ')');
        }
    }
    s = b.failed ? (struct span){0} : arena_span(a, buf_view(&b));
    buf_clear(&b);
    return s;
}

struct three {
    struct taxii_item *list[3]; /* successes, failures, pendings */
    size_t n[3], cap[3];
};

static int
three_add(struct three *t, unsigned which, struct taxii_item it, struct arena *a, struct err *e)
{
    if (t->n[which] == t->cap[which]) {
        size_t cap = t->cap[which] == 0 ? 64 : t->cap[which] * 2;
        struct taxii_item *p = arena_zero(a, cap, sizeof *p);

        if (p == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        for (size_t i = 0; i < t->n[which]; i++)
            p[i] = t->list[which][i];
        t->list[which] = p;
        t->cap[which] = cap;
    }
    t->list[which][t->n[which]++] = it;
    return 0;
}

static int
add_item(struct exchange *x, const struct view *v, const struct store_batch *b,
         const struct store_batch_item *it, struct three *t, struct arena *a, struct err *e)
{
    struct taxii_item out = {.id = it->id, .message = message_of(it, a)};
    unsigned which = it->outcome == OUT_REFUSED                                  ? 1
                     : it->outcome == OUT_WAITING || it->outcome == OUT_PROPOSAL ? 2
                                                                                 : 0;

    if (find_version(x, v, it, b->begun_us, a, &out.version, e) != 0)
        return -1;
    if (out.id.n == 0)
        out.id = SPAN("unknown");
    return three_add(t, which, out, a, e);
}

int
put_status(struct exchange *x, const struct store_batch *b, const struct asker *poster,
           struct arena *a, struct buf *out, struct err *e)
{
    struct taxii_status status = {
        .id = b->token, .requested_us = b->begun_us, .complete = b->state != STORE_BATCH_OPEN};
    const struct view *v = NULL;
    struct store_batch_item *items;
    struct three t = {0};
    uint64_t from = 0;
    bool more = true;
    size_t n;

    if (view_of(x, poster, 0, &v, e) != 0)
        return -1;
    while (more) {
        if (store_item_list(x->store, b->n, from, STATUS_RUN, a, &items, &n, &more, e) != 0)
            return -1;
        for (size_t i = 0; i < n; i++) {
            if (add_item(x, v, b, &items[i], &t, a, e) != 0)
                return -1;
            from = items[i].n + 1;
        }
    }
    status.successes = t.list[0];
    status.success_n = t.n[0];
    status.failures = t.list[1];
    status.failure_n = t.n[1];
    status.pendings = t.list[2];
    status.pending_n = t.n[2];
    taxii_print_status(out, &status);
    return 0;
}
