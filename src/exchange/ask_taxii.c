/* exchange/ask_taxii.c - the TAXII verbs: the complete bodies of TAXII 2.1. */
#include "inside.h"

#include "batch.h"
#include "taxii_print.h"

#define TAIL_ROOM (TAXII_NEXT_MAX + 64) /* what an envelope needs behind its last object */
#define TIMES_MAX TAXII_VALUES_MAX

/* -- collections ----------------------------------------------------------------------------------
 */

static int
put_collection(struct session *s, struct json_out *o, const struct collection *c, struct err *e)
{
    struct taxii_collection t = {
        .id = span_of(c->id),
        .title = collection_title(s->x, c, s->a),
        .alias = span_of(c->alias),
        .can_read = s->rights.kind != PRINCIPAL_TOKEN || (s->rights.scope & SCOPE_READ) != 0,
        .can_write = c->can_write,
    };

    if (t.title.n == 0)
        return err_set(e, ERR_MEMORY, "out of memory");
    taxii_put_collection(o, &t);
    return 0;
}

static int
need_login(const struct session *s, struct err *e)
{
    if (s->asker.principal == PRINCIPAL_NOBODY && !s->x->public_open)
        return err_set(e, ERR_AUTH, "log in to read this");
    return 0;
}

static int
ask_collections(struct session *s, struct err *e)
{
    struct collection *list;
    struct json_out o;
    size_t n;

    if (need_login(s, e) != 0 || collections_of(s->x, &s->asker, s->a, &list, &n, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    if (n > 0) {
        json_name(&o, "collections");
        json_begin_array(&o);
        for (size_t i = 0; i < n; i++) {
            if (put_collection(s, &o, &list[i], e) != 0)
                return -1;
        }
        json_end_array(&o);
    }
    json_end_object(&o);
    return 0;
}

static int
ask_collection(struct session *s, struct err *e)
{
    struct collection c;
    struct json_out o;

    if (collection_find(s->x, &s->asker, s->q->collection, s->a, &c, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    return put_collection(s, &o, &c, e);
}

/* -- pages ----------------------------------------------------------------------------------------
 */

struct page {
    struct session *s;
    struct collection collection;
    const struct view *view;
    enum taxii_next_kind kind;
    struct taxii_query q; /* its filters: those of next, where one was sent */
    struct span scope;
    int64_t after;
    struct store_filter filter;
    struct instant times[TIMES_MAX];
    struct json_out o;  /* manifest and versions */
    size_t limit_bytes; /* of the body */
    size_t begun;       /* where the body begins in out */
    size_t count;
    uint32_t last_audience; /* served marks: written when the audience changes */
    int64_t last_date;
};

static void
versions_of(struct page *p, bool every)
{
    struct store_versions *v = &p->filter.versions;

    v->all = every;
    for (size_t i = 0; i < p->q.version_n; i++) {
        const struct taxii_version *t = &p->q.version[i];

        v->last |= t->kind == TAXII_V_LAST;
        v->first |= t->kind == TAXII_V_FIRST;
        v->all |= t->kind == TAXII_V_ALL;
        if (t->kind == TAXII_V_TIME)
            p->times[v->time_count++] = t->at;
    }
    v->times = p->times;
    if (!v->last && !v->first && !v->all && v->time_count == 0)
        v->last = true;
}

/* false: no object can match. */
static bool
specs_of(struct page *p)
{
    for (size_t i = 0; i < p->q.spec.n; i++) {
        if (span_is(p->q.spec.v[i], "2.1"))
            p->filter.specs |= STORE_SPEC_21;
        else if (span_is(p->q.spec.v[i], "2.0"))
            p->filter.specs |= STORE_SPEC_20;
    }
    return p->q.spec.n == 0 || p->filter.specs != 0;
}

/* Where the page starts and what it holds.  next carries its filters; where an added_after is sent
 * too, whichever lies later counts. */
static int
page_begin(struct page *p, struct err *e)
{
    struct session *s = p->s;
    const struct taxii_query *q = &s->q->q;
    struct taxii_next n;
    int64_t after;

    if (collection_find(s->x, &s->asker, s->q->collection, s->a, &p->collection, e) != 0)
        return -1;
    s->asker.exercise = p->collection.exercise;
    if (view_of(s->x, &s->asker, p->collection.group, &p->view, e) != 0)
        return -1;
    p->scope = span_of(
        arena_printf(s->a, "%s %.*s", p->collection.id,
                     p->kind == TAXII_N_OBJECT || p->kind == TAXII_N_VERSIONS ? (int)s->q->id.n : 0,
                     s->q->id.p));
    p->q = *q;
    p->after = INT64_MIN;
    if (q->given & TAXII_P_NEXT) {
        if (taxii_next_get(s->x->next_keys, s->x->next_key_count, q->next, p->kind, p->scope, s->a,
                           &n, e) != 0)
            return err_place(e, "next");
        p->q = n.query;
        p->after = n.after;
    }
    if (q->given & TAXII_P_ADDED_AFTER) {
        after = instant_us(q->added_after);
        p->after = after > p->after ? after : p->after;
    }
    p->begun = s->out->n;
    p->limit_bytes = s->q->bytes != 0 ? s->q->bytes : s->out->max;
    return 0;
}

static void
note_served(struct page *p, const struct store_item *it)
{
    if (p->last_audience != 0 && p->last_audience != it->audience)
        served_note(p->s->x, p->s->asker.principal, p->last_audience, p->last_date);
    p->last_audience = it->audience;
    p->last_date = it->date_us;
}

/* Whether so much more fits; the first entry of a page is taken whatever its size. */
static bool
fits(struct page *p, size_t n)
{
    struct buf *out = p->s->out;

    if (p->count == 0)
        return out->fixed ? out->cap - out->n > n + TAIL_ROOM : true;
    return out->n - p->begun + n + TAIL_ROOM <= p->limit_bytes &&
           (!out->fixed || out->cap - out->n > n + TAIL_ROOM);
}

static int
take_object(void *ctx, const struct store_item *it, struct err *e)
{
    struct page *p = ctx;
    struct buf *out = p->s->out;

    (void)e;
    if (!fits(p, it->bytes.n + 16))
        return 1;
    if (p->count++ == 0)
        buf_str(out, "{\"objects\":[");
    else
        buf_u8(out, ',');
    buf_span(out, it->bytes);
    note_served(p, it);
    return 0;
}

static struct span
item_version(struct page *p, const struct store_item *it)
{
    return version_text(it->bytes, it->date_us, p->s->a);
}

static int
take_manifest(void *ctx, const struct store_item *it, struct err *e)
{
    struct page *p = ctx;
    struct arena_mark m = arena_mark(p->s->a);
    struct span id = it->id.n > 0 ? it->id : top_text(it->bytes, "id", p->s->a);

    if (!fits(p, id.n + 256))
        return 1;
    if (p->count++ == 0) {
        json_begin_object(&p->o);
        json_name(&p->o, "objects");
        json_begin_array(&p->o);
    }
    if (id.n == 0)
        return err_set(e, ERR_CORRUPT, "a stored object has no id");
    taxii_put_manifest(&p->o, id, it->date_us, item_version(p, it));
    arena_rewind(p->s->a, m);
    return 0;
}

static int
take_version(void *ctx, const struct store_item *it, struct err *e)
{
    struct page *p = ctx;
    struct arena_mark m = arena_mark(p->s->a);

    (void)e;
    if (!fits(p, 64))
        return 1;
    if (p->count++ == 0) {
        json_begin_object(&p->o);
        json_name(&p->o, "versions");
        json_begin_array(&p->o);
    }
    json_string(&p->o, item_version(p, it));
    arena_rewind(p->s->a, m);
    return 0;
}

static int
page_end(struct page *p, const struct store_page_end *end, struct err *e)
{
    struct session *s = p->s;
    struct taxii_next n = {.kind = p->kind, .scope = p->scope, .query = p->q};
    struct buf *out = s->out;

    if (p->last_audience != 0)
        served_note(s->x, s->asker.principal, p->last_audience, p->last_date);
    if (p->count == 0) {
        if (end->more)
            return err_set(e, ERR_LIMIT, "the next object is longer than what the asker can take");
        buf_str(out, "{}");
        return 0;
    }
    buf_u8(out, ']');
    s->w->more = end->more;
    s->w->first_us = end->first_us;
    s->w->last_us = taxii_date_last(end->last_us, end->more && end->more_in_ms);
    if (end->more) {
        n.after = end->last_us;
        buf_str(out, ",\"more\":true,\"next\":\"");
        taxii_next_put(&s->x->next_keys[0], &n, out);
        buf_u8(out, '"');
    }
    buf_u8(out, '}');
    return 0;
}

static int
count_only(void *ctx, const struct store_item *it, struct err *e)
{
    (void)ctx;
    (void)it;
    (void)e;
    return 0;
}

/* Whether the collection shows anything of that id at all: else it is 404, whatever the filters. */
static int
must_exist(struct page *p, struct err *e)
{
    static const struct store_versions any = {.last = true};
    size_t n = 0;

    if (store_get(p->s->x->store, p->view, p->s->q->id, &any, 0, count_only, NULL, &n, e) != 0)
        return -1;
    return n > 0 ? 0 : err_set(e, ERR_MISSING, "no such object");
}

static int
page_run(struct page *p, store_item_fn *fn, struct err *e)
{
    struct session *s = p->s;
    struct store_page_ask ask = {
        .view = p->view,
        .filter = &p->filter,
        .after_us = p->after,
        .limit = session_limit(s, PAGE_DEFAULT, TAXII_LIMIT_MAX),
        .want = STORE_WANT_BYTES | STORE_WANT_LITTLE,
    };
    struct store_page_end end = {0};

    json_out_init(&p->o, s->out);
    if (specs_of(p) && store_page(s->x->store, &ask, fn, p, &end, e) != 0)
        return -1;
    /* An id of which nothing is shown is 404; one of which the filters show nothing is not. */
    if (p->count == 0 && !end.more && p->filter.id_count == 1 && p->filter.ids == &s->q->id &&
        must_exist(p, e) != 0)
        return -1;
    return page_end(p, &end, e);
}

static int
ask_pages(struct session *s, enum taxii_next_kind kind, struct err *e)
{
    struct page *p = arena_zero(s->a, 1, sizeof *p);

    if (p == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    p->s = s;
    p->kind = kind;
    if (page_begin(p, e) != 0)
        return -1;
    p->filter.types = p->q.type.v;
    p->filter.type_count = p->q.type.n;
    p->filter.ids = p->q.id.v;
    p->filter.id_count = p->q.id.n;
    versions_of(p, false);
    return page_run(p, kind == TAXII_N_OBJECTS ? take_object : take_manifest, e);
}

static int
ask_by_id(struct session *s, enum taxii_next_kind kind, struct err *e)
{
    struct page *p = arena_zero(s->a, 1, sizeof *p);

    if (p == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    p->s = s;
    p->kind = kind;
    if (page_begin(p, e) != 0)
        return -1;
    p->filter.ids = &s->q->id;
    p->filter.id_count = 1;
    if (kind == TAXII_N_VERSIONS)
        p->q.version_n = 0; /* the endpoint lists them all */
    versions_of(p, kind == TAXII_N_VERSIONS);
    return page_run(p, kind == TAXII_N_OBJECT ? take_object : take_version, e);
}

/* -- status ---------------------------------------------------------------------------------------
 */

static int
ask_status(struct session *s, struct err *e)
{
    struct store_batch b;
    int rc;

    if (s->asker.principal == PRINCIPAL_NOBODY)
        return err_set(e, ERR_AUTH, "log in to read this");
    rc = store_batch_by_token(s->x->store, s->q->id, s->a, &b, e);
    if (rc < 0)
        return -1;
    /* For its poster alone: of others' nobody learns that there are any. */
    if (rc == 0 || b.token.n == 0 || b.principal != s->asker.principal)
        return err_set(e, ERR_MISSING, "no such status");
    return put_status(s->x, &b, &s->asker, s->a, s->out, e);
}

int
ask_taxii(struct session *s, struct err *e)
{
    switch (s->q->verb) {
    case ASK_COLLECTIONS:
        return ask_collections(s, e);
    case ASK_COLLECTION:
        return ask_collection(s, e);
    case ASK_OBJECTS:
        return ask_pages(s, TAXII_N_OBJECTS, e);
    case ASK_MANIFEST:
        return ask_pages(s, TAXII_N_MANIFEST, e);
    case ASK_OBJECT:
        return ask_by_id(s, TAXII_N_OBJECT, e);
    case ASK_VERSIONS:
        return ask_by_id(s, TAXII_N_VERSIONS, e);
    default:
        return ask_status(s, e);
    }
}
