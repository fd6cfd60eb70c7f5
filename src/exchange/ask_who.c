/* exchange/ask_who.c - who can see an object, who was served it, and why somebody does or not. */
#include "inside.h"

#include "batch.h"
#include "stix_builtin.h"
#include "store_audit.h"

/* How a principal comes when it comes by itself. */
static enum channel
own_channel(const struct right_principal *p)
{
    switch (p->kind) {
    case PRINCIPAL_TOKEN:
        return CHANNEL_TOKEN;
    case PRINCIPAL_PEER:
        return CHANNEL_PEER;
    case PRINCIPAL_LOCAL:
        return CHANNEL_LOCAL;
    default:
        return CHANNEL_SESSION;
    }
}

static struct asker
asker_for(struct session *s, const struct right_principal *p, bool exercise)
{
    return (struct asker){.principal = p->number,
                          .channel = own_channel(p),
                          .listener = {0, TLP_RED},
                          .exercise = exercise,
                          .now_us = s->asker.now_us};
}

static struct verdict
verdict_of(struct session *s, const struct store_principal *p, const struct audience *a)
{
    struct asker who = asker_for(s, &p->r, a->exercise);

    return may_read(&s->x->cast.rights, &who, a);
}

static void
put_principals(struct session *s, struct json_out *o, const struct audience *a)
{
    const struct cast *c = &s->x->cast;

    json_name(o, "principals");
    json_begin_array(o);
    for (size_t i = 0; i < c->principal_count; i++) {
        const struct store_principal *p = &c->principals[i];

        if (!verdict_of(s, p, a).yes)
            continue;
        json_begin_object(o);
        json_member(o, "name", p->name);
        json_member(o, "organisation", cast_org_name(c, p->r.org));
        json_member_bool(o, "staff", p->r.staff);
        json_end_object(o);
    }
    json_end_array(o);
}

void
put_mark(struct exchange *x, struct json_out *o, const struct audience *a,
         const struct store_served *m)
{
    const struct store_principal *p = cast_principal(&x->cast, m->principal);

    json_begin_object(o);
    json_member(o, "principal", p != NULL ? p->name : SPAN("?"));
    json_member(o, "organisation", p != NULL ? cast_org_name(&x->cast, p->r.org) : SPAN("?"));
    json_member_str(o, "label", stix_tlp_name((enum stix_tlp)a->label));
    json_member(o, "group", cast_audience_name(&x->cast, a));
    put_time(o, "until", m->until_us);
    put_time(o, "when", m->when_us);
    json_end_object(o);
}

/* Those whose mark in that audience lies at or beyond the row. */
static int
put_served(struct session *s, struct json_out *o, const struct store_item *it, struct err *e)
{
    const struct audience *a = cast_audience(&s->x->cast, it->audience);
    struct store_served *marks;
    size_t n;

    if (store_served_list(s->x->store, it->audience, s->a, &marks, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (marks[i].until_us >= it->date_us && a != NULL)
            put_mark(s->x, o, a, &marks[i]);
    }
    return 0;
}

/* What was withdrawn, for the operator: when it stood, and who had it by then. */
struct gone {
    struct session *s;
    const struct view *view;
    struct json_out *o;
    bool any;
};

static int
put_gone(void *ctx, const struct store_held *h, struct err *e)
{
    struct gone *g = ctx;
    struct session *s = g->s;
    const struct audience *a = cast_audience(&s->x->cast, h->audience);
    struct store_served *marks;
    struct store_held was;
    size_t n;
    int rc;

    if (!h->erased || a == NULL || !view_has(g->view, h->audience))
        return 0;
    rc = store_held_gone(s->x->store, h->target, &was, e);
    if (rc <= 0)
        return rc;
    if (store_exposed_list(s->x->store, h->audience, was.arrival_us, h->arrival_us, s->a, &marks,
                           &n, e) != 0)
        return -1;
    g->any = true;
    json_begin_object(g->o);
    json_member_str(g->o, "label", stix_tlp_name((enum stix_tlp)a->label));
    json_member(g->o, "group", cast_audience_name(&s->x->cast, a));
    put_time(g->o, "published", was.arrival_us);
    put_time(g->o, "withdrawn", h->arrival_us);
    if (was.batch != 0)
        json_member_int(g->o, "batch", (int64_t)was.batch);
    json_name(g->o, "served");
    json_begin_array(g->o);
    for (size_t i = 0; i < n; i++)
        put_mark(s->x, g->o, a, &marks[i]);
    json_end_array(g->o);
    json_end_object(g->o);
    return 0;
}

static int
shown(struct session *s, struct kept *k, struct err *e)
{
    const struct view *v;
    size_t n = 0;

    k->a = s->a;
    if (session_view(s, &v, e) != 0 ||
        store_shown(s->x->store, v, s->q->id, 0, keep_item, k, &n, e) != 0)
        return -1;
    return 0;
}

/* Of several rows in one audience the newest says who was served. */
static bool
later_in_same(const struct kept *k, size_t i)
{
    for (size_t j = i + 1; j < k->n; j++) {
        if (k->items[j].audience == k->items[i].audience)
            return true;
    }
    return false;
}

static int
ask_who(struct session *s, struct err *e)
{
    const struct cast *c = &s->x->cast;
    struct kept k = {0};
    struct json_out o;
    struct gone gone = {.s = s, .o = &o};

    if (!s->operator&& !(s->known && s->rights.org == ORG_SELF && s->rights.staff))
        return err_set(e, ERR_DENIED, "who can see it is for the staff of its publisher");
    if (shown(s, &k, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_member(&o, "id", s->q->id);
    json_name(&o, "audiences");
    json_begin_array(&o);
    for (size_t i = 0; i < k.n; i++) {
        const struct audience *a = cast_audience(c, k.items[i].audience);

        if (a == NULL || later_in_same(&k, i))
            continue;
        json_begin_object(&o);
        json_member_str(&o, "label", stix_tlp_name((enum stix_tlp)a->label));
        json_member(&o, "group", cast_audience_name(c, a));
        put_readers(s->x, &o, "organisations", a, NULL, 0);
        put_principals(s, &o, a);
        json_end_object(&o);
    }
    json_end_array(&o);
    json_name(&o, "served");
    json_begin_array(&o);
    for (size_t i = 0; i < k.n; i++) {
        if (put_served(s, &o, &k.items[i], e) != 0)
            return -1;
    }
    json_end_array(&o);
    if (s->operator) {
        json_name(&o, "withdrawn");
        json_begin_array(&o);
        if (session_view(s, &gone.view, e) != 0 ||
            store_held_each(s->x->store, s->q->id, true, put_gone, &gone, e) < 0)
            return -1;
        json_end_array(&o);
    }
    json_end_object(&o);
    return k.n > 0 || gone.any ? 0 : err_set(e, ERR_MISSING, "no such object");
}

/* The yes that lets it in, else the no that comes nearest: the last rule in the order of the
 * table that still says no. */
static struct verdict
decide(struct session *s, const struct store_principal *p, const struct kept *k)
{
    struct verdict best = {false, READ_NO_PRINCIPAL};

    for (size_t i = 0; i < k->n; i++) {
        const struct audience *a = cast_audience(&s->x->cast, k->items[i].audience);
        struct verdict v;

        if (a == NULL)
            continue;
        v = verdict_of(s, p, a);
        if (v.yes)
            return v;
        if (v.rule > best.rule)
            best = v;
    }
    return best;
}

static int
ask_why(struct session *s, struct err *e)
{
    const struct store_principal *p;
    struct verdict v;
    struct kept k = {0};
    struct json_out o;

    if (!s->operator)
        return err_set(e, ERR_DENIED, "only the operator asks why");
    p = cast_principal_named(&s->x->cast, s->q->text);
    if (p == NULL)
        return err_set(e, ERR_MISSING, "no such principal");
    if (shown(s, &k, e) != 0)
        return -1;
    if (k.n == 0)
        return err_set(e, ERR_MISSING, "no such object");
    v = decide(s, p, &k);
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_member(&o, "id", s->q->id);
    json_member(&o, "principal", p->name);
    json_member_bool(&o, "sees", v.yes);
    json_member_str(&o, "why", read_rule_text(v.rule));
    json_end_object(&o);
    return 0;
}

int
ask_readers(struct session *s, struct err *e)
{
    if (s->q->id.n == 0)
        return err_set(e, ERR_USAGE, "no id is given");
    return s->q->verb == ASK_WHO ? ask_who(s, e) : ask_why(s, e);
}
