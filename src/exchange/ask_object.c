/* exchange/ask_object.c - one object: its bytes, a readable page, what relates to it, its history.
 */
#include "inside.h"

#include <stdlib.h>

#include "batch.h"
#include "stix_builtin.h"
#include "store_find.h"

#define RELATIONS_DEFAULT 50
#define OUT_MAX           200 /* references of one object that a page shows */

struct writing {
    struct session *s;
    struct json_out *o;
};

static int
missing(struct err *e)
{
    return err_set(e, ERR_MISSING, "no such object");
}

static void
serve(struct session *s, const struct store_item *it)
{
    served_note(s->x, s->asker.principal, it->audience, it->date_us);
}

/* -- get ------------------------------------------------------------------------------------------
 */

static int
take_bytes(void *ctx, const struct store_item *it, struct err *e)
{
    struct writing *w = ctx;

    (void)e;
    json_raw(w->o, it->bytes);
    serve(w->s, it);
    return 0;
}

static int
ask_get(struct session *s, struct err *e)
{
    struct store_versions which = {
        .last = !s->q->versions, .all = s->q->versions, .variants = s->q->versions};
    const struct view *v;
    struct json_out o;
    struct writing w = {s, &o};
    size_t n = 0;

    if (session_view(s, &v, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_name(&o, "objects");
    json_begin_array(&o);
    if (store_get(s->x->store, v, s->q->id, &which, STORE_WANT_BYTES, take_bytes, &w, &n, e) != 0)
        return -1;
    json_end_array(&o);
    json_end_object(&o);
    return n > 0 ? 0 : missing(e);
}

/* -- relations ------------------------------------------------------------------------------------
 */

/* What it refers with: for a relationship its type, else the property that names the id. */
static struct span
relation_kind(const struct stix_facts *f, struct span id)
{
    if (f->relationship_type.n > 0)
        return f->relationship_type;
    for (size_t i = 0; i < f->ref_count; i++) {
        if (span_eq(f->refs[i].id, id))
            return f->refs[i].name;
    }
    return stix_id_is_extension(id) ? SPAN("extensions") : SPAN("refers");
}

/* A relationship is shown by its other end, too. */
static struct span
other_end(const struct stix_facts *f, struct span id)
{
    for (size_t i = 0; i < f->ref_count; i++) {
        if (!span_eq(f->refs[i].id, id) &&
            (span_is(f->refs[i].name, "source_ref") || span_is(f->refs[i].name, "target_ref")))
            return f->refs[i].id;
    }
    return (struct span){0};
}

/* The row of an id where the view shows it; nothing where it does not. */
static int
put_row_of(struct session *s, struct json_out *o, struct span id, struct err *e)
{
    struct kept k = {0};

    if (keep_best(s, id, &k, e) != 0)
        return -1;
    if (k.n == 0)
        return 0;
    json_name(o, "row");
    serve(s, &k.items[0]);
    return put_row(s, o, &k.items[0], e);
}

static int
put_relation(struct session *s, struct json_out *o, struct span kind, const char *direction,
             struct span id, struct err *e)
{
    json_begin_object(o);
    json_member(o, "kind", kind);
    json_member_str(o, "direction", direction);
    json_member(o, "id", id);
    if (put_row_of(s, o, id, e) != 0)
        return -1;
    json_end_object(o);
    return 0;
}

/* An object that names id.  A relationship is left out for its other end. */
static int
put_incoming(struct session *s, struct json_out *o, struct span id, struct span bytes,
             struct err *e)
{
    struct stix_facts f;
    struct span end = {0};
    bool out = false;

    if (stix_facts_read(bytes, s->a, &f, e) != 0)
        return -1;
    if (f.relationship_type.n > 0)
        end = other_end(&f, id);
    if (end.n == 0)
        return put_relation(s, o, relation_kind(&f, id), "in", f.id.text, e);
    for (size_t i = 0; i < f.ref_count; i++)
        out |= span_is(f.refs[i].name, "source_ref") && span_eq(f.refs[i].id, id);
    json_begin_object(o);
    json_member(o, "kind", f.relationship_type);
    json_member_str(o, "direction", out ? "out" : "in");
    json_member(o, "id", end);
    json_member(o, "by", f.id.text);
    if (put_row_of(s, o, end, e) != 0)
        return -1;
    json_end_object(o);
    return 0;
}

/* What the object itself names. */
static int
put_outgoing(struct session *s, struct json_out *o, struct span bytes, struct err *e)
{
    struct stix_facts f;

    if (stix_facts_read(bytes, s->a, &f, e) != 0)
        return -1;
    if (f.created_by.n > 0 &&
        put_relation(s, o, SPAN("created_by_ref"), "out", f.created_by, e) != 0)
        return -1;
    for (size_t i = 0; i < f.ref_count && i < OUT_MAX; i++) {
        if (put_relation(s, o, f.refs[i].name, "out", f.refs[i].id, e) != 0)
            return -1;
    }
    return 0;
}

/* What it names, then what names it, newest first. */
static int
put_relations(struct session *s, struct json_out *o, struct span bytes, uint32_t limit,
              struct store_find_end *end, struct err *e)
{
    struct store_find_ask ask = {.limit = limit, .want = STORE_WANT_BYTES};
    struct kept in = {.a = s->a};

    if (session_next(s, TAXII_N_RELATED, s->q->id, &ask.before_us, e) != 0)
        return -1;
    json_name(o, "relations");
    json_begin_array(o);
    if (ask.before_us == 0 && put_outgoing(s, o, bytes, e) != 0)
        return -1;
    if (session_view(s, &ask.view, e) != 0 ||
        store_related(s->x->store, &ask, s->q->id, 0, keep_item, &in, end, e) != 0)
        return -1;
    for (size_t i = 0; i < in.n; i++) {
        if (put_incoming(s, o, s->q->id, in.items[i].bytes, e) != 0)
            return -1;
    }
    json_end_array(o);
    return 0;
}

static int
best_of(struct session *s, struct kept *k, struct err *e)
{
    if (keep_best(s, s->q->id, k, e) != 0)
        return -1;
    if (k->n == 0)
        return missing(e);
    serve(s, &k->items[0]);
    return 0;
}

static int
ask_related(struct session *s, struct err *e)
{
    struct store_find_end end = {0};
    struct kept best = {0};
    struct json_out o;

    if (best_of(s, &best, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_member(&o, "id", s->q->id);
    if (put_relations(s, &o, best.items[0].bytes, session_limit(s, LIST_DEFAULT, LIST_MAX), &end,
                      e) != 0)
        return -1;
    json_member_bool(&o, "more", end.more);
    if (end.more)
        put_next(s, &o, TAXII_N_RELATED, s->q->id, end.next_us);
    json_end_object(&o);
    return 0;
}

/* -- show -----------------------------------------------------------------------------------------
 */

static void
put_version(struct session *s, struct json_out *o, const struct store_item *it, bool best)
{
    const struct audience *a = cast_audience(&s->x->cast, it->audience);

    json_begin_object(o);
    json_member(o, "version", version_text(it->bytes, it->date_us, s->a));
    put_time(o, "date_added", it->date_us);
    json_member_bool(o, "revoked", it->revoked);
    if (a != NULL) {
        json_member_str(o, "label", stix_tlp_name((enum stix_tlp)a->label));
        json_member(o, "group", cast_audience_name(&s->x->cast, a));
    }
    json_member_bool(o, "best", best);
    json_end_object(o);
}

static const char *
readers_sentence(const struct rights *r, const struct audience *a)
{
    const struct right_group *g = rights_group(r, a->group);

    switch (a->label) {
    case TLP_CLEAR:
        if (g != NULL && g->kind == GROUP_KIND_PUBLIC)
            return "Anyone may read it.";
        return "The organisations of the group and their constituents; they may pass it on.";
    case TLP_GREEN:
        return "The organisations of the group and their constituents.";
    case TLP_AMBER:
        return "The organisations of the group.";
    case TLP_AMBER_STRICT:
        return "The organisations of the group, their own staff alone.";
    case TLP_RED:
        break;
    }
    return "One named person, in that person's own session.";
}

static void
put_shown(struct session *s, struct json_out *o, const struct store_item *it)
{
    const struct audience *a = cast_audience(&s->x->cast, it->audience);

    if (a == NULL)
        return;
    json_begin_object(o);
    json_member_str(o, "label", stix_tlp_name((enum stix_tlp)a->label));
    json_member(o, "group", cast_audience_name(&s->x->cast, a));
    json_member(o, "publisher", cast_org_name(&s->x->cast, it->publisher));
    put_time(o, "date_added", it->date_us);
    json_member_str(o, "readers", readers_sentence(&s->x->cast.rights, a));
    json_end_object(o);
}

static int
show_lists(struct session *s, struct json_out *o, uint64_t best, struct err *e)
{
    static const struct store_versions all = {.all = true, .variants = true};
    struct kept versions = {.a = s->a}, shown = {.a = s->a};
    const struct view *v;
    size_t n = 0;

    if (session_view(s, &v, e) != 0 ||
        store_get(s->x->store, v, s->q->id, &all, STORE_WANT_BYTES, keep_item, &versions, &n, e) !=
            0 ||
        store_shown(s->x->store, v, s->q->id, 0, keep_item, &shown, &n, e) != 0)
        return -1;
    json_name(o, "versions");
    json_begin_array(o);
    for (size_t i = 0; i < versions.n; i++)
        put_version(s, o, &versions.items[i], versions.items[i].p == best);
    json_end_array(o);
    json_name(o, "audiences");
    json_begin_array(o);
    for (size_t i = 0; i < shown.n; i++)
        put_shown(s, o, &shown.items[i]);
    json_end_array(o);
    return 0;
}

static int
show_defects(struct session *s, struct json_out *o, uint64_t p, struct err *e)
{
    struct store_note *notes = NULL;
    size_t n = 0;

    if (store_defects_get(s->x->store, p, s->a, &notes, &n, e) != 0)
        return -1;
    json_name(o, "defects");
    json_begin_array(o);
    for (size_t i = 0; i < n; i++)
        put_note(o, &notes[i]);
    json_end_array(o);
    return 0;
}

static int
ask_show(struct session *s, struct err *e)
{
    struct store_find_end end = {0};
    struct kept best = {0};
    struct json_out o;

    if (best_of(s, &best, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_name(&o, "object");
    json_raw(&o, best.items[0].bytes);
    json_name(&o, "row");
    if (put_row(s, &o, &best.items[0], e) != 0 || show_lists(s, &o, best.items[0].p, e) != 0 ||
        show_defects(s, &o, best.items[0].p, e) != 0 ||
        put_relations(s, &o, best.items[0].bytes, session_limit(s, RELATIONS_DEFAULT, LIST_MAX),
                      &end, e) != 0)
        return -1;
    json_member_bool(&o, "relations_more", end.more);
    if (end.more)
        put_next(s, &o, TAXII_N_RELATED, s->q->id, end.next_us);
    json_end_object(&o);
    return 0;
}

/* -- log ------------------------------------------------------------------------------------------
 */

struct event {
    int64_t date_us;
    const struct audience *audience;
    uint32_t publisher;
    uint64_t batch;
    bool erased, revoked;
    struct span version;
};

struct history {
    struct session *s;
    const struct view *view;
    struct event *list;
    size_t n, cap;
};

static int
add_event(struct history *l, const struct event *v, struct err *e)
{
    struct event *grown;

    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 16 : l->cap * 2;
        grown = arena_zero(l->s->a, l->cap, sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        for (size_t i = 0; i < l->n; i++)
            grown[i] = l->list[i];
        l->list = grown;
    }
    l->list[l->n++] = *v;
    return 0;
}

/* Of what was withdrawn, when it had come: its bytes are gone, its place is not. */
static int
add_gone(struct history *l, const struct store_held *h, const struct event *withdrawn,
         struct err *e)
{
    struct event v = *withdrawn;
    struct store_held was;
    int rc = store_held_gone(l->s->x->store, h->target, &was, e);

    if (rc <= 0)
        return rc;
    v.erased = false;
    v.date_us = was.arrival_us;
    v.publisher = was.publisher;
    v.batch = was.batch;
    return add_event(l, &v, e);
}

/* What the view shows; the operator also sees that something was withdrawn, and by which batch it
 * came. */
static int
take_event(void *ctx, const struct store_held *h, struct err *e)
{
    struct history *l = ctx;
    struct session *s = l->s;
    struct event v = {.date_us = h->arrival_us,
                      .audience = cast_audience(&s->x->cast, h->audience),
                      .publisher = h->publisher,
                      .batch = h->batch,
                      .erased = h->erased,
                      .revoked = h->revoked};

    if (v.audience == NULL || !view_has(l->view, h->audience) ||
        (h->erased ? !s->operator
                   : !view_date(l->view, h->audience, h->seq, h->arrival_us, &v.date_us)))
        return 0;
    if (!h->erased)
        v.version = version_text(h->bytes, v.date_us, s->a);
    else if (add_gone(l, h, &v, e) != 0)
        return -1;
    return add_event(l, &v, e);
}

static int
by_date(const void *x, const void *y)
{
    const struct event *a = x, *b = y;

    return a->date_us < b->date_us ? -1 : a->date_us > b->date_us;
}

static int
put_event(struct session *s, struct json_out *o, const struct event *v, struct err *e)
{
    const struct cast *c = &s->x->cast;
    const struct store_principal *p;
    struct store_batch b;
    int rc;

    json_begin_object(o);
    put_time(o, "time", v->date_us);
    json_member_str(o, "what", v->erased ? "withdrawn" : v->revoked ? "revoked" : "published");
    json_member_str(o, "label", stix_tlp_name((enum stix_tlp)v->audience->label));
    json_member(o, "group", cast_audience_name(c, v->audience));
    json_member(o, "publisher", cast_org_name(c, v->publisher));
    if (v->version.n > 0)
        json_member(o, "version", v->version);
    if (s->operator&& v->batch != 0) {
        json_member_int(o, "batch", (int64_t)v->batch);
        rc = store_batch_get(s->x->store, v->batch, s->a, &b, e);
        if (rc < 0)
            return -1;
        p = rc == 1 ? cast_principal(c, b.principal) : NULL;
        if (p != NULL)
            json_member(o, "by", p->name);
    }
    json_end_object(o);
    return 0;
}

static int
ask_log(struct session *s, struct err *e)
{
    struct history l = {.s = s};
    struct json_out o;

    if (session_view(s, &l.view, e) != 0 ||
        store_held_each(s->x->store, s->q->id, false, take_event, &l, e) < 0)
        return -1;
    if (l.n == 0)
        return missing(e);
    qsort(l.list, l.n, sizeof *l.list, by_date); /* no two rows have one date */
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_member(&o, "id", s->q->id);
    json_name(&o, "events");
    json_begin_array(&o);
    for (size_t i = 0; i < l.n; i++) {
        if (put_event(s, &o, &l.list[i], e) != 0)
            return -1;
    }
    json_end_array(&o);
    json_end_object(&o);
    return 0;
}

int
ask_objects(struct session *s, struct err *e)
{
    if (s->q->id.n == 0)
        return err_set(e, ERR_USAGE, "no id is given");
    switch (s->q->verb) {
    case ASK_GET:
        return ask_get(s, e);
    case ASK_SHOW:
        return ask_show(s, e);
    case ASK_RELATED:
        return ask_related(s, e);
    default:
        return ask_log(s, e);
    }
}
