/* exchange/act.c - publish and revoke: acts on what is there. */
#include "batch.h"

#include "stix_builtin.h"
#include "utf8.h"
#include "json_canon.h"

#define MS_US 1000

static void
put_audiences(struct exchange *x, struct json_out *o, const struct audience *list, size_t n)
{
    json_name(o, "audiences");
    json_begin_array(o);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(o);
        json_member_str(o, "label", stix_tlp_name((enum stix_tlp)list[i].label));
        json_member(o, "group", cast_audience_name(&x->cast, &list[i]));
        json_end_object(o);
    }
    json_end_array(o);
}

/* What is said by itself gets a batch too: it tells who posted the rows (and so who may withdraw
 * them), and it can be undone. */
static int
act_begin(struct exchange *x, const struct asker *who, const char *what, struct span id,
          uint64_t *n, struct err *e)
{
    struct store_batch b = {
        .principal = who->principal,
        .source = span_of(arena_printf(x->commit->arena, "%s %.*s", what, (int)id.n, id.p))};

    if (store_batch_begin(x->store, &b, e) != 0)
        return -1;
    *n = b.n;
    return 0;
}

static int
act_end(struct exchange *x, const struct asker *who, uint64_t n, enum outcome outcome,
        struct err *e)
{
    struct store_cause cause = {.outcome = (uint32_t)outcome, .count = 1};
    struct right_principal p;
    bool held = outcome == OUT_WAITING &&
                rights_effective(&x->cast.rights, who->principal, who->now_us, &p) && p.quarantine;

    if (store_batch_count(x->store, n, &cause, e) != 0)
        return -1;
    return store_batch_state(x->store, n, held ? STORE_BATCH_QUARANTINE : STORE_BATCH_DONE, e);
}

static int
no_such(struct err *e)
{
    return err_set(e, ERR_MISSING, "no such object");
}

/* -- publish --------------------------------------------------------------------------------------
 */

/* The best version that the caller sees. */
static int
best_seen(struct exchange *x, const struct asker *who, struct span id, struct kept *k,
          struct err *e)
{
    static const struct store_versions last = {.last = true};
    const struct view *v;
    size_t n = 0;

    k->a = x->commit->arena;
    if (view_of(x, who, 0, &v, e) != 0 ||
        store_get(x->store, v, id, &last, STORE_WANT_BYTES, keep_item, k, &n, e) != 0)
        return -1;
    return k->n > 0 ? 0 : no_such(e);
}

static int
publish_way(struct exchange *x, const struct tell *t, const struct asker *who,
            const struct store_item *it, struct way *way, struct err *e)
{
    const struct audience *now = cast_audience(&x->cast, it->audience);
    const struct store_principal *p;
    const struct store_group *g;

    *way = (struct way){.asker = *who, .asked = true, .keep_narrow = t->keep_narrow};
    /* Without a label asked for it keeps the one under which it stands. */
    way->label = now != NULL ? now->label : TLP_RED;
    if (t->label.n > 0 && !tlp_read(t->label, &way->label))
        return err_set(e, ERR_USAGE, "no such label; CLEAR, GREEN, AMBER, AMBER+STRICT or RED");
    if (t->group.n > 0) {
        g = cast_group_named(&x->cast, t->group);
        if (g == NULL && who->channel == CHANNEL_LOCAL)
            return err_set(e, ERR_MISSING, "no such group");
        way->group = g != NULL ? g->r.number : NOT_THERE;
    }
    if (t->person.n > 0) {
        p = cast_principal_named(&x->cast, t->person);
        if ((p == NULL || p->r.kind != PRINCIPAL_PERSON) && who->channel == CHANNEL_LOCAL)
            return err_set(e, ERR_MISSING, "no such person");
        way->person = p != NULL ? p->r.number : NOT_THERE;
    }
    return 0;
}

int
tell_publish(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
             struct err *e)
{
    struct exchange *x = l->x;
    struct intake_result *r;
    struct verdict_item *v;
    struct put_block block;
    struct kept best = {0};
    enum put_done done;
    struct asker who;
    struct json_out o;
    struct way way;

    (void)a;
    if (commit_begin(x, e) != 0 || teller_of(l, t, &who, NULL, e) != 0 ||
        best_seen(x, &who, t->id, &best, e) != 0 ||
        publish_way(x, t, &who, &best.items[0], &way, e) != 0 ||
        act_begin(x, &who, "publish", t->id, &way.batch, e) != 0)
        return -1;
    r = arena_zero(x->commit->arena, 1, sizeof *r);
    v = arena_zero(x->commit->arena, 1, sizeof *v);
    if (r == NULL || v == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (result_of_bytes(x, best.items[0].bytes, best.items[0].p, r, e) != 0 ||
        put_object(x, NULL, &way, r, PUT_FINAL, &done, &block, v, e) != 0)
        return -1;
    if (v->outcome == OUT_REFUSED)
        return err_set(e, ERR_DENIED,
                       v->note_count > 0 ? arena_dup(a, v->notes[v->note_count - 1].text)
                                         : "it may not go there");
    if (act_end(x, &who, way.batch, v->outcome, e) != 0 ||
        audit(x, who.principal, "publish", t->id, outcome_name(v->outcome), e) != 0)
        return -1;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "id", t->id);
    json_member_str(&o, "outcome", outcome_name(v->outcome));
    put_audiences(x, &o, v->targets, v->target_count);
    json_end_object(&o);
    return commit_flush(x, e);
}

/* -- revoke ---------------------------------------------------------------------------------------
 */

/* The canonical bytes with modified set to that time and revoked to true.  Members stay in the
 * order of RFC 8785. */
static int
revoked_bytes(struct span bytes, const char *modified, struct buf *out, struct err *e)
{
    bool put = false, first = true;
    struct json_canon c;
    enum json_token t;

    json_canon_init(&c, bytes, e);
    if (json_canon_next(&c) != JSON_T_BEGIN_OBJECT)
        return err_set(e, ERR_CORRUPT, "a stored object is none");
    buf_u8(out, '{');
    while ((t = json_canon_next(&c)) > JSON_T_END && t != JSON_T_END_OBJECT) {
        struct span key = c.key;
        size_t from = (size_t)(key.p + key.n + 2 - bytes.p);

        if ((t == JSON_T_BEGIN_OBJECT || t == JSON_T_BEGIN_ARRAY) && json_canon_skip(&c) != 0)
            return -1;
        if (!put && utf8_cmp_utf16(SPAN("revoked"), key) <= 0) {
            buf_str(out, first ? "\"revoked\":true" : ",\"revoked\":true");
            put = true;
            first = false;
        }
        if (json_canon_is(key, "revoked"))
            continue;
        if (!first)
            buf_u8(out, ',');
        first = false;
        buf_u8(out, '"');
        buf_span(out, key);
        buf_str(out, "\":");
        if (json_canon_is(key, "modified"))
            buf_printf(out, "\"%s\"", modified);
        else
            buf_span(out, span_part(bytes, from, c.pos - from));
    }
    if (!put)
        buf_str(out, ",\"revoked\":true");
    buf_u8(out, '}');
    return out->failed ? err_set(e, ERR_MEMORY, "out of memory") : 0;
}

struct revoking {
    struct exchange *x;
    struct asker who;
    struct kept shown;
    struct audience audiences[64];
    size_t newest[64];    /* of each audience: index into shown */
    uint32_t creator[64]; /* organisation that its creator is bound to; 0: none */
    size_t n;
    int64_t modified_us;
    uint64_t batch;
};

/* The newest version in each audience, and a time later than all of them. */
static int
revoke_look(struct revoking *r, struct err *e)
{
    const struct cast *c = &r->x->cast;
    int64_t latest = now_us(r->x);

    for (size_t i = 0; i < r->shown.n; i++) {
        const struct store_item *it = &r->shown.items[i];
        const struct audience *a = cast_audience(c, it->audience);
        size_t k = 0;

        if (!it->versioned)
            return err_set(e, ERR_RULE, "an object of this type has no versions to revoke");
        if (a == NULL)
            continue;
        if (instant_us(it->modified) + MS_US > latest)
            latest = instant_us(it->modified) + MS_US;
        while (k < r->n && r->audiences[k].number != a->number)
            k++;
        if (k == r->n) {
            if (r->n == sizeof r->audiences / sizeof r->audiences[0])
                return err_set(e, ERR_LIMIT, "it stands in too many audiences");
            r->audiences[r->n] = *a;
            r->newest[r->n++] = i;
        } else if (instant_cmp(it->modified, r->shown.items[r->newest[k]].modified) > 0) {
            r->newest[k] = i;
        }
    }
    r->modified_us = (latest + MS_US - 1) / MS_US * MS_US;
    return 0;
}

static int
revoke_may(struct revoking *r, struct err *e)
{
    const struct rights *rights = &r->x->cast.rights;
    struct right_principal p;

    if (!rights_effective(rights, r->who.principal, r->who.now_us, &p))
        return err_set(e, ERR_DENIED, "you may not revoke this");
    for (size_t k = 0; k < r->n; k++) {
        /* Of each: versions of one id can name different creators, and none speaks for another. */
        struct span creator =
            top_text(r->shown.items[r->newest[k]].bytes, "created_by_ref", r->x->commit->arena);

        if (creator.n > 0 && store_bound(r->x->store, creator, &r->creator[k], e) < 0)
            return -1;
        if (r->creator[k] != 0 && r->creator[k] != p.org)
            return err_set(e, ERR_DENIED, "only its creator revokes it");
        if (publish_may(rights, &r->who, &r->audiences[k]) != PUBLISH_YES)
            return err_set(e, ERR_DENIED, "you may not publish to all who have it");
    }
    return 0;
}

static int
revoke_one(struct revoking *r, size_t k, const char *modified, struct err *e)
{
    struct exchange *x = r->x;
    struct arena *a = x->commit->arena;
    const struct store_item *it = &r->shown.items[r->newest[k]];
    struct put_plain p = {.audience = &r->audiences[k],
                          .confidence = it->confidence,
                          .owner = r->creator[k] != 0,
                          .batch = r->batch};
    struct stix_facts *facts = arena_zero(a, 1, sizeof *facts);
    struct store_index *index = arena_zero(a, 1, sizeof *index);
    struct hash *hash = arena_zero(a, 1, sizeof *hash);
    struct buf b;
    int rc = -1;

    if (facts == NULL || index == NULL || hash == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    buf_init(&b, it->bytes.n + 256);
    if (revoked_bytes(it->bytes, modified, &b, e) == 0) {
        p.bytes = arena_span(a, buf_view(&b));
        hash_sha256(p.bytes, hash);
        p.hash = hash;
        p.facts = facts;
        p.index = index;
        rc = stix_facts_read(p.bytes, a, facts, e) != 0 ||
                     index_rows(x, p.bytes, a, index, e) != 0 || put_row_plain(x, &p, NULL, e) != 0
                 ? -1
                 : 0;
    }
    buf_clear(&b);
    return rc;
}

static bool
all_revoked(const struct revoking *r)
{
    for (size_t k = 0; k < r->n; k++) {
        if (!r->shown.items[r->newest[k]].revoked)
            return false;
    }
    return true;
}

int
tell_revoke(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
            struct err *e)
{
    struct exchange *x = l->x;
    struct revoking *r = arena_zero(a, 1, sizeof *r);
    const struct view *v;
    char modified[INSTANT_MAX];
    struct json_out o;
    size_t n = 0;

    if (r == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    r->x = x;
    r->shown.a = a;
    if (commit_begin(x, e) != 0 || teller_of(l, t, &r->who, NULL, e) != 0 ||
        view_of(x, &r->who, 0, &v, e) != 0 ||
        store_shown(x->store, v, t->id, STORE_WANT_BYTES, keep_item, &r->shown, &n, e) != 0)
        return -1;
    if (r->shown.n == 0)
        return no_such(e);
    if (revoke_look(r, e) != 0 || revoke_may(r, e) != 0)
        return -1;
    if (all_revoked(r))
        return err_set(e, ERR_CONFLICT, "it is revoked already");
    if (act_begin(x, &r->who, "revoke", t->id, &r->batch, e) != 0)
        return -1;
    instant_print(instant_from_us(r->modified_us), 3, modified);
    for (size_t k = 0; k < r->n; k++) {
        if (revoke_one(r, k, modified, e) != 0)
            return -1;
    }
    if (act_end(x, &r->who, r->batch, OUT_NEW_VERSION, e) != 0 ||
        audit(x, r->who.principal, "revoke", t->id, "done", e) != 0)
        return -1;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "id", t->id);
    json_member_str(&o, "version", modified);
    put_audiences(x, &o, r->audiences, r->n);
    json_end_object(&o);
    return commit_flush(x, e);
}
