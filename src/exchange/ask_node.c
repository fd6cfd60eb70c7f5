/* exchange/ask_node.c - reports, lists, the audit trail, health, and who am I. */
#include "inside.h"

#include <stdio.h>

#include "batch.h"
#include "stix_builtin.h"
#include "store_audit.h"
#include "taxii_print.h"

#define REPORT_ITEMS 200

static bool
is_admin(const struct session *s)
{
    return s->operator||(s->known && (s->rights.roles & ROLE_ADMIN) != 0);
}

static int
need_admin(const struct session *s, struct err *e)
{
    return is_admin(s) ? 0 : err_set(e, ERR_DENIED, "for the operator and the role admin");
}

/* -- batches --------------------------------------------------------------------------------------
 */

static const char *
state_name(enum store_batch_state st)
{
    static const char *const names[] = {
        [STORE_BATCH_OPEN] = "open",
        [STORE_BATCH_DONE] = "done",
        [STORE_BATCH_QUARANTINE] = "quarantine",
        [STORE_BATCH_UNDONE] = "undone",
        [STORE_BATCH_RELEASED] = "released",
        [STORE_BATCH_CUT] = "cut",
    };

    return st >= STORE_BATCH_OPEN && st <= STORE_BATCH_CUT ? names[st] : "?";
}

static int
put_batch(struct session *s, struct json_out *o, const struct store_batch *b,
          const struct store_cause *causes, size_t n)
{
    const struct store_principal *p = cast_principal(&s->x->cast, b->principal);
    uint64_t counts[OUTCOMES] = {0};

    json_member_int(o, "batch", (int64_t)b->n);
    json_member(o, "source", b->source);
    json_member(o, "by", p != NULL ? p->name : SPAN("?"));
    put_time(o, "time", b->begun_us);
    json_member_str(o, "state", state_name(b->state));
    for (size_t i = 0; i < n; i++) {
        if (causes[i].rule.n == 0 && causes[i].outcome < OUTCOMES)
            counts[causes[i].outcome] += causes[i].count;
    }
    json_name(o, "counts");
    json_begin_object(o);
    for (unsigned i = OUT_NEW; i < OUTCOMES; i++) {
        if (counts[i] > 0)
            json_member_int(o, outcome_name(i), (int64_t)counts[i]);
    }
    json_end_object(o);
    return 0;
}

static void
put_causes(struct json_out *o, const struct store_cause *causes, size_t n)
{
    json_name(o, "causes");
    json_begin_array(o);
    for (size_t i = 0; i < n; i++) {
        if (causes[i].rule.n == 0)
            continue;
        json_begin_object(o);
        json_member_str(o, "outcome", outcome_name(causes[i].outcome));
        json_member(o, "rule", causes[i].rule);
        if (causes[i].clause.n > 0)
            json_member(o, "clause", causes[i].clause);
        json_member(o, "text", causes[i].text);
        json_member_int(o, "count", (int64_t)causes[i].count);
        json_end_object(o);
    }
    json_end_array(o);
}

static void
put_item_head(struct json_out *o, const struct store_batch_item *it)
{
    json_begin_object(o);
    json_member_int(o, "n", (int64_t)it->n);
    if (it->id.n > 0)
        json_member(o, "id", it->id);
    if (it->version.n > 0)
        json_member(o, "version", it->version);
    json_member_str(o, "outcome", outcome_name(it->outcome));
}

/* One entry for each message; one without any has one entry. */
static void
put_item(struct json_out *o, const struct store_batch_item *it)
{
    for (size_t i = 0; i < it->note_count; i++) {
        const struct store_note *n = &it->notes[i];

        put_item_head(o, it);
        json_member(o, "pointer", n->pointer);
        json_member(o, "rule", n->rule);
        if (n->clause.n > 0)
            json_member(o, "clause", n->clause);
        json_member(o, "text", n->text);
        json_end_object(o);
    }
    if (it->note_count == 0) {
        put_item_head(o, it);
        json_end_object(o);
    }
}

static struct span
report_scope(struct session *s)
{
    return span_of(arena_printf(s->a, "report %llu", (unsigned long long)s->q->number));
}

static int
put_items(struct session *s, struct json_out *o, struct err *e)
{
    struct store_batch_item *items;
    uint64_t last = 0;
    int64_t from = 0;
    bool more = false;
    size_t n;

    if (session_next(s, TAXII_N_LATEST, report_scope(s), &from, e) != 0 ||
        store_item_list(s->x->store, s->q->number, (uint64_t)from,
                        session_limit(s, REPORT_ITEMS, LIST_MAX), s->a, &items, &n, &more, e) != 0)
        return -1;
    json_name(o, "items");
    json_begin_array(o);
    for (size_t i = 0; i < n; i++) {
        put_item(o, &items[i]);
        last = items[i].n;
    }
    json_end_array(o);
    json_member_bool(o, "more", more);
    if (more)
        put_next(s, o, TAXII_N_LATEST, report_scope(s), (int64_t)last + 1);
    return 0;
}

static int
ask_report(struct session *s, struct err *e)
{
    struct store_cause *causes;
    struct store_batch b;
    struct json_out o;
    size_t n;
    int rc = store_batch_get(s->x->store, s->q->number, s->a, &b, e);

    if (rc < 0)
        return -1;
    /* Others' batches are not there, for whoever is not the operator; and since their numbers
     * count what others sent, outside the own organisation there are none at all. */
    if (rc == 0 || (!s->operator&& b.principal != s->asker.principal) ||
        (!s->operator&& !(s->known && s->rights.org == ORG_SELF && s->rights.staff)))
        return err_set(e, ERR_MISSING, "no such batch");
    if (store_batch_causes(s->x->store, b.n, s->a, &causes, &n, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    put_batch(s, &o, &b, causes, n);
    put_causes(&o, causes, n);
    if (put_items(s, &o, e) != 0)
        return -1;
    json_end_object(&o);
    return 0;
}

static int
ask_batches(struct session *s, struct err *e)
{
    uint32_t limit = session_limit(s, LIST_DEFAULT, LIST_MAX);
    struct store_batch *list;
    struct store_cause *causes;
    struct json_out o;
    int64_t before = 0;
    size_t n, m;

    if (!s->operator)
        return err_set(e, ERR_DENIED, "for the operator");
    if (session_next(s, TAXII_N_LATEST, SPAN("batches"), &before, e) != 0 ||
        store_batch_list(s->x->store, (uint64_t)before, limit, s->a, &list, &n, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_name(&o, "batches");
    json_begin_array(&o);
    for (size_t i = 0; i < n; i++) {
        if (store_batch_causes(s->x->store, list[i].n, s->a, &causes, &m, e) != 0)
            return -1;
        json_begin_object(&o);
        put_batch(s, &o, &list[i], causes, m);
        json_end_object(&o);
    }
    json_end_array(&o);
    json_member_bool(&o, "more", n == limit && list[n - 1].n > 1);
    if (n == limit && list[n - 1].n > 1)
        put_next(s, &o, TAXII_N_LATEST, SPAN("batches"), (int64_t)list[n - 1].n);
    json_end_object(&o);
    return 0;
}

/* -- what waits -----------------------------------------------------------------------------------
 */

static const char *
wait_name(enum store_wait w)
{
    static const char *const names[] = {
        [STORE_WAIT_MARKING] = "marking",       [STORE_WAIT_UNCLEAR] = "unclear",
        [STORE_WAIT_QUARANTINE] = "quarantine", [STORE_WAIT_PROPOSAL] = "proposal",
        [STORE_WAIT_RELAXED] = "relaxed",       [STORE_WAIT_HOLD] = "hold",
    };

    return w >= STORE_WAIT_MARKING && w <= STORE_WAIT_HOLD ? names[w] : "?";
}

static const char *
wait_text(enum store_wait w)
{
    static const char *const texts[] = {
        [STORE_WAIT_MARKING] = "a marking that it names has not arrived",
        [STORE_WAIT_UNCLEAR] = "a marking or label of it is not understood",
        [STORE_WAIT_QUARANTINE] = "it came in quarantine and waits for a release",
        [STORE_WAIT_PROPOSAL] = "its creator has not said it",
        [STORE_WAIT_RELAXED] = "it relaxes a label, and did not come over the local socket",
        [STORE_WAIT_HOLD] = "it is held",
    };

    return w >= STORE_WAIT_MARKING && w <= STORE_WAIT_HOLD ? texts[w] : "?";
}

static void
put_pending(struct session *s, struct json_out *o, const struct store_pending *w)
{
    const struct store_principal *p = cast_principal(&s->x->cast, w->principal);
    struct way way;

    json_begin_object(o);
    json_member_int(o, "n", (int64_t)w->n);
    json_member(o, "id", w->id);
    json_member(o, "type", w->type);
    json_member_str(o, "reason", wait_name(w->reason));
    json_member_str(o, "text", wait_text(w->reason));
    if (w->marking.n > 0)
        json_member(o, "marking", w->marking);
    json_member(o, "by", p != NULL ? p->name : SPAN("?"));
    put_time(o, "time", w->at_us);
    json_member_int(o, "batch", (int64_t)w->batch);
    if (way_decode(w->ask, &way, NULL) == 0) {
        if (way.asked)
            json_member_str(o, "asked_label", stix_tlp_name((enum stix_tlp)way.label));
        if (way.group != 0)
            json_member(o, "asked_group", cast_group_name(&s->x->cast, way.group));
    }
    json_end_object(o);
}

static int
ask_pending(struct session *s, struct err *e)
{
    uint32_t limit = session_limit(s, LIST_DEFAULT, LIST_MAX);
    struct store_pending *list;
    struct json_out o;
    int64_t after = 0;
    size_t n;

    if (!s->operator)
        return err_set(e, ERR_DENIED, "for the operator");
    if (session_next(s, TAXII_N_LATEST, SPAN("pending"), &after, e) != 0 ||
        store_pending_list(s->x->store, (uint64_t)after, s->q->number, 0, (struct span){0}, limit,
                           s->a, &list, &n, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_name(&o, "pending");
    json_begin_array(&o);
    for (size_t i = 0; i < n; i++)
        put_pending(s, &o, &list[i]);
    json_end_array(&o);
    json_member_bool(&o, "more", n == limit);
    if (n == limit)
        put_next(s, &o, TAXII_N_LATEST, SPAN("pending"), (int64_t)list[n - 1].n);
    json_end_object(&o);
    return 0;
}

/* -- lists ----------------------------------------------------------------------------------------
 */

static const char *
role_name(unsigned roles)
{
    if (roles & ROLE_PUBLISHER)
        return roles & ROLE_ADMIN ? "publisher,admin" : "publisher";
    if (roles & ROLE_ANALYST)
        return roles & ROLE_ADMIN ? "analyst,admin" : "analyst";
    if (roles & ROLE_READER)
        return roles & ROLE_ADMIN ? "reader,admin" : "reader";
    return roles & ROLE_ADMIN ? "admin" : "none";
}

static void
put_principal(struct session *s, struct json_out *o, const struct store_principal *p)
{
    const struct cast *c = &s->x->cast;
    const struct store_principal *owner = cast_principal(c, p->r.owner);

    json_begin_object(o);
    json_member(o, "name", p->name);
    json_member_int(o, "principal", p->r.number);
    if (p->r.kind == PRINCIPAL_TOKEN) {
        if (owner != NULL)
            json_member(o, "user", owner->name);
        json_member_str(o, "scope",
                        p->r.scope == (SCOPE_READ | SCOPE_WRITE) ? "read,write"
                        : p->r.scope == SCOPE_WRITE              ? "write"
                                                                 : "read");
        if (p->r.only_group != 0)
            json_member(o, "group", cast_group_name(c, p->r.only_group));
    } else {
        json_member_str(o, "role", role_name(p->r.roles));
    }
    json_member(o, "organisation", cast_org_name(c, p->r.org));
    json_member_bool(o, "staff", p->r.staff);
    json_member_str(o, "ceiling", stix_tlp_name((enum stix_tlp)p->r.ceiling));
    json_member_bool(o, "exercise", p->r.exercise);
    json_member_bool(o, "disabled", p->r.disabled);
    if (p->r.expires_us != 0)
        put_time(o, "ends", p->r.expires_us);
    json_end_object(o);
}

static void
list_principals(struct session *s, struct json_out *o, const char *name, enum principal_kind kind)
{
    const struct cast *c = &s->x->cast;

    json_name(o, name);
    json_begin_array(o);
    for (size_t i = 0; i < c->principal_count; i++) {
        if (c->principals[i].r.kind == kind)
            put_principal(s, o, &c->principals[i]);
    }
    json_end_array(o);
}

static void
list_groups(struct session *s, struct json_out *o)
{
    const struct cast *c = &s->x->cast;

    json_name(o, "groups");
    json_begin_array(o);
    for (size_t i = 0; i < c->group_count; i++) {
        const struct store_group *g = &c->groups[i];
        const struct right_generation *now = rights_generation(&c->rights, g->r.generation);

        json_begin_object(o);
        json_member(o, "name", cast_group_name(c, g->r.number));
        json_member(o, "title", g->title);
        json_member(o, "charter", g->charter);
        json_member_bool(o, "sees_past", g->r.past);
        json_member_int(o, "generation", g->r.generation);
        json_name(o, "members");
        json_begin_array(o);
        for (size_t k = 0; now != NULL && k < now->member_count; k++)
            json_string(o, cast_org_name(c, now->members[k]));
        json_end_array(o);
        json_member_bool(o, "builtin", g->r.kind != GROUP_KIND_NAMED);
        json_end_object(o);
    }
    json_end_array(o);
}

static void
list_orgs(struct session *s, struct json_out *o)
{
    const struct cast *c = &s->x->cast;

    json_name(o, "orgs");
    json_begin_array(o);
    for (size_t i = 0; i < c->org_count; i++) {
        const struct store_org *org = &c->orgs[i];

        json_begin_object(o);
        json_member(o, "name", org->name);
        json_member(o, "title", org->title);
        if (org->identity.n > 0)
            json_member(o, "identity", org->identity);
        if (org->r.member != 0)
            json_member(o, "member_of", cast_org_name(c, org->r.member));
        json_member_str(o, "kind",
                        org->r.kind == ORG_OWN           ? "own"
                        : org->r.kind == ORG_MEMBER      ? "member"
                        : org->r.kind == ORG_CONSTITUENT ? "constituent"
                                                         : "partner");
        json_member_bool(o, "own", org->r.number == ORG_SELF);
        json_end_object(o);
    }
    json_end_array(o);
}

static int
put_setting(void *ctx, struct span name, struct span value)
{
    struct json_out *o = ctx;

    if (span_starts(name, "key."))
        return 0; /* no secret leaves by a list */
    json_name_span(o, name);
    json_string(o, value);
    return 0;
}

struct binding {
    struct session *s;
    struct json_out *o;
};

static int
put_binding(void *ctx, struct span identity, uint32_t org)
{
    struct binding *b = ctx;

    json_begin_object(b->o);
    json_member(b->o, "identity", identity);
    json_member(b->o, "organisation", cast_org_name(&b->s->x->cast, org));
    json_end_object(b->o);
    return 0;
}

static int
ask_list(struct session *s, struct err *e)
{
    struct span what = s->q->text;
    struct json_out o;
    struct binding b = {s, &o};

    if (need_admin(s, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    if (span_is(what, "users")) {
        list_principals(s, &o, "users", PRINCIPAL_PERSON);
    } else if (span_is(what, "tokens")) {
        list_principals(s, &o, "tokens", PRINCIPAL_TOKEN);
    } else if (span_is(what, "groups")) {
        list_groups(s, &o);
    } else if (span_is(what, "orgs")) {
        list_orgs(s, &o);
    } else if (span_is(what, "settings")) {
        json_name(&o, "settings");
        json_begin_object(&o);
        if (store_setting_each(s->x->store, put_setting, &o, e) != 0)
            return -1;
        json_end_object(&o);
    } else if (span_is(what, "bindings")) {
        json_name(&o, "bindings");
        json_begin_array(&o);
        if (store_bind_each(s->x->store, put_binding, &b, e) != 0)
            return -1;
        json_end_array(&o);
    } else {
        return err_set(e, ERR_USAGE, "no such list");
    }
    json_end_object(&o);
    return 0;
}

static int
ask_audit(struct session *s, struct err *e)
{
    uint32_t limit = session_limit(s, LIST_DEFAULT, LIST_MAX);
    struct store_audit *list;
    struct json_out o;
    int64_t before = 0;
    size_t n;

    if (need_admin(s, e) != 0 || session_next(s, TAXII_N_LATEST, SPAN("audit"), &before, e) != 0 ||
        store_audit_list(s->x->store, (uint64_t)before, limit, s->a, &list, &n, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_name(&o, "audit");
    json_begin_array(&o);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(&o);
        json_member_int(&o, "n", (int64_t)list[i].n);
        put_time(&o, "time", list[i].at_us);
        json_member(&o, "by", list[i].who);
        json_member(&o, "act", list[i].act);
        json_member(&o, "what", list[i].what);
        json_member(&o, "result", list[i].result);
        json_end_object(&o);
    }
    json_end_array(&o);
    json_member_bool(&o, "more", n == limit);
    if (n == limit)
        put_next(s, &o, TAXII_N_LATEST, SPAN("audit"), (int64_t)list[n - 1].n);
    json_end_object(&o);
    return 0;
}

/* -- health, self ---------------------------------------------------------------------------------
 */

static int
add_count(void *ctx, uint32_t audience, struct span type, uint64_t n)
{
    uint64_t *total = ctx;

    (void)audience;
    (void)type;
    *total += n;
    return 0;
}

static void
put_problem(struct json_out *o, const char *text, const char *command)
{
    json_begin_object(o);
    json_member_str(o, "text", text);
    json_member_str(o, "command", command);
    json_end_object(o);
}

/* What the operator should look at first. */
static int
put_problems(struct session *s, struct json_out *o, struct err *e)
{
    struct store_figures f;
    struct store_batch *last;
    size_t n;

    if (store_figures(s->x->store, &f, e) != 0 ||
        store_batch_list(s->x->store, 0, LIST_DEFAULT, s->a, &last, &n, e) != 0)
        return -1;
    json_name(o, "problems");
    json_begin_array(o);
    if (f.pending > 0)
        put_problem(o, "objects wait and are seen by nobody", "jaga report --pending");
    for (size_t i = 0; i < n; i++) {
        char command[64];

        snprintf(command, sizeof command, "jaga report %llu", (unsigned long long)last[i].n);
        if (last[i].state == STORE_BATCH_CUT)
            put_problem(o, "a batch ended before its sender was done", command);
        else if (last[i].state == STORE_BATCH_QUARANTINE)
            put_problem(o, "a batch is in quarantine", command);
    }
    json_end_array(o);
    json_member_int(o, "publications", (int64_t)f.publications);
    json_member_int(o, "pending", (int64_t)f.pending);
    json_member_int(o, "batches", (int64_t)f.batches);
    return 0;
}

static int
ask_health(struct session *s, struct err *e)
{
    const struct view *v;
    struct json_out o;
    uint64_t total = 0;

    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_member_str(&o, "node", s->x->identity_id);
    json_member_str(&o, "organisation", s->x->name);
    json_member_str(&o, "country", s->x->country);
    json_member_str(&o, "contact", s->x->contact);
    json_member_str(&o, "version", JAGA_VERSION);
    json_member_bool(&o, "public", s->x->public_open);
    json_member_bool(&o, "ok", true);
    if (s->known) {
        if (session_view(s, &v, e) != 0 || store_counts(s->x->store, v, add_count, &total, e) != 0)
            return -1;
        json_member_int(&o, "objects", (int64_t)total);
    }
    if (s->operator&& put_problems(s, &o, e) != 0)
        return -1;
    json_end_object(&o);
    return 0;
}

static int
put_my_collections(struct session *s, struct json_out *o, struct err *e)
{
    struct asker who = s->asker;
    struct collection *list;
    size_t n;

    if (who.channel != CHANNEL_LOCAL)
        who.channel = CHANNEL_TOKEN;
    if (collections_of(s->x, &who, s->a, &list, &n, e) != 0)
        return -1;
    json_name(o, "collections");
    json_begin_array(o);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(o);
        json_member_str(o, "id", list[i].id);
        json_member(o, "title", collection_title(s->x, &list[i], s->a));
        json_member_str(o, "alias", list[i].alias);
        json_member_bool(o, "can_write", list[i].can_write);
        json_end_object(o);
    }
    json_end_array(o);
    return 0;
}

static int
ask_self(struct session *s, struct err *e)
{
    const struct cast *c = &s->x->cast;
    const struct store_principal *p = cast_principal(c, s->asker.principal);
    struct json_out o;

    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_member(&o, "name", p != NULL ? p->name : SPAN("?"));
    json_member(&o, "organisation", s->known ? cast_org_name(c, s->rights.org) : SPAN(""));
    json_member_str(&o, "role", s->known ? role_name(s->rights.roles) : "none");
    json_member_bool(&o, "staff", s->known && s->rights.staff);
    json_member_str(&o, "channel", channel_name(s->asker.channel));
    json_member_str(&o, "ceiling",
                    stix_tlp_name(s->known ? (enum stix_tlp)s->rights.ceiling : STIX_TLP_CLEAR));
    json_member_bool(&o, "exercise", s->known && s->rights.exercise);
    json_name(&o, "groups");
    json_begin_array(&o);
    for (size_t i = 0; s->known && i < c->group_count; i++) {
        const struct right_generation *g = rights_generation(&c->rights, c->groups[i].r.generation);

        if (g != NULL && rights_in_generation(g, s->rights.org))
            json_string(&o, cast_group_name(c, c->groups[i].r.number));
    }
    json_end_array(&o);
    if (put_my_collections(s, &o, e) != 0)
        return -1;
    json_end_object(&o);
    return 0;
}

int
ask_node(struct session *s, struct err *e)
{
    switch (s->q->verb) {
    case ASK_REPORT:
        return ask_report(s, e);
    case ASK_BATCHES:
        return ask_batches(s, e);
    case ASK_PENDING:
        return ask_pending(s, e);
    case ASK_LIST:
        return ask_list(s, e);
    case ASK_AUDIT:
        return ask_audit(s, e);
    case ASK_HEALTH:
        return ask_health(s, e);
    case ASK_SELF:
        return ask_self(s, e);
    default:
        return err_set(e, ERR_PROTOCOL, "unknown question");
    }
}
