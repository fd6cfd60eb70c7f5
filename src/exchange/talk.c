/* exchange/talk.c - the way of what is said to the writer. */
#include "batch.h"

#include "store_audit.h"
#include "store_backup.h"

int
teller_of(struct exchange_link *l, const struct tell *t, struct asker *out, int64_t *expiry_us,
          struct err *e)
{
    if (asker_of(l->x, &l->caller, t->ticket, out, expiry_us, e) != 0)
        return -1;
    out->exercise = t->exercise;
    return 0;
}

int
audit(struct exchange *x, uint32_t principal, const char *act, struct span what, const char *result,
      struct err *e)
{
    const struct store_principal *p = cast_principal(&x->cast, principal);
    struct store_audit r = {
        .at_us = now_us(x),
        .principal = principal,
        .who = p != NULL ? p->name : (struct span){0},
        .act = span_of(act),
        .what = what,
        .result = span_of(result),
    };

    return store_audit_put(x->store, &r, e);
}

/* -- from the siblings ----------------------------------------------------------------------------
 */

static void
put_empty(struct buf *out)
{
    buf_str(out, "{}");
}

/* "NUMBER ACT" = what, as refused_note has it. */
static int
put_refusal(struct exchange *x, const struct tell_pair *p, struct err *e)
{
    struct store_audit r = {.at_us = now_us(x), .what = p->value, .result = SPAN("refused")};
    const struct store_principal *named;
    struct span rest = p->key, number;
    uint64_t n = 0;

    if (!span_split(&rest, ' ', &number) || !span_u64(number, UINT32_MAX, &n))
        return 0;
    named = cast_principal(&x->cast, (uint32_t)n);
    r.principal = (uint32_t)n;
    r.who = named != NULL ? named->name : (struct span){0};
    r.act = rest;
    return store_audit_put(x->store, &r, e);
}

static int
tell_served(struct exchange_link *l, const struct tell *t, struct buf *out, struct err *e)
{
    const struct cast *c = &l->x->cast;

    if (l->caller.kind != CALLER_READER)
        return err_set(e, ERR_DENIED, "only a reader says who was served");
    if (commit_begin(l->x, e) != 0)
        return -1;
    for (size_t i = 0; i < t->mark_n; i++) {
        struct store_served m = {(uint32_t)t->marks[i].principal, (uint32_t)t->marks[i].audience,
                                 t->marks[i].arrival_us, t->marks[i].when_us, t->marks[i].since_us};

        if (t->marks[i].principal > UINT32_MAX || t->marks[i].audience > UINT32_MAX ||
            cast_principal(c, m.principal) == NULL || cast_audience(c, m.audience) == NULL)
            continue; /* gone in between, or made up */
        if (store_served_put(l->x->store, &m, e) != 0)
            return -1;
    }
    for (size_t i = 0; i < t->pair_n; i++) {
        if (put_refusal(l->x, &t->pairs[i], e) != 0)
            return -1;
    }
    if (commit_flush(l->x, e) != 0)
        return -1;
    put_empty(out);
    return 0;
}

/* Who acted is what the sender says: auth knows no principal for a failed login. */
static int
tell_audit(struct exchange_link *l, const struct tell *t, struct buf *out, struct err *e)
{
    struct store_audit r = {
        .at_us = now_us(l->x),
        .who = t->name,
        .act = t->text,
        .what = t->id,
        .result = t->label.n > 0 ? t->label : SPAN("refused"),
    };
    const struct store_principal *p;

    if (l->caller.kind != CALLER_AUTH && l->caller.kind != CALLER_FRONT &&
        l->caller.kind != CALLER_LOCAL)
        return err_set(e, ERR_DENIED, "not for the audit trail");
    if (commit_begin(l->x, e) != 0)
        return -1;
    p = cast_principal_named(&l->x->cast, t->name);
    r.principal = p != NULL ? p->r.number : 0;
    if (store_audit_put(l->x->store, &r, e) != 0 || commit_flush(l->x, e) != 0)
        return -1;
    put_empty(out);
    return 0;
}

/* -- from the node --------------------------------------------------------------------------------
 */

static int
tell_backup(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
            struct err *e)
{
    struct json_out o;
    char *path = arena_dup(a, t->text);

    if (l->caller.kind != CALLER_LOCAL)
        return err_set(e, ERR_DENIED, "only the operator makes a backup");
    if (path == NULL || t->text.n == 0)
        return err_set(e, ERR_USAGE, "a backup needs the name of a file");
    if (commit_flush(l->x, e) != 0 || store_backup(l->x->store, path, NULL, NULL, e) != 0 ||
        commit_begin(l->x, e) != 0 ||
        audit(l->x, PRINCIPAL_OPERATOR, "backup", t->text, "done", e) != 0 ||
        commit_flush(l->x, e) != 0)
        return -1;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "file", t->text);
    json_end_object(&o);
    return 0;
}

/* Grants' slices first, one a commit, so that newcomers are served; then the store's own work. */
static int
tell_tick(struct exchange_link *l, struct buf *out, struct answer *w, struct err *e)
{
    struct json_out o;
    uint64_t left = 0;
    bool more = false;

    if (commit_flush(l->x, e) != 0 || commit_begin(l->x, e) != 0 ||
        store_grant_step(l->x->store, &left, e) != 0 || commit_flush(l->x, e) != 0)
        return -1;
    if (left == 0 && store_tidy(l->x->store, &more, e) != 0)
        return -1;
    w->more = left > 0 || more;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_bool(&o, "more", w->more);
    json_end_object(&o);
    return 0;
}

/* -- the way --------------------------------------------------------------------------------------
 */

static int
route(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
      struct answer *w, struct err *e)
{
    switch (t->verb) {
    case TELL_BEGIN:
        return tell_begin(l, t, a, out, e);
    case TELL_FLUSH:
        return tell_flush(l, t, out, e);
    case TELL_END:
        return tell_end(l, t, a, out, e);
    case TELL_ABORT:
        return tell_abort(l, t, out, e);
    case TELL_DELETE:
    case TELL_WITHDRAW:
    case TELL_UNDO:
        return tell_erase(l, t, a, out, e);
    case TELL_PUBLISH:
        return tell_publish(l, t, a, out, e);
    case TELL_REVOKE:
        return tell_revoke(l, t, a, out, e);
    case TELL_RELEASE:
    case TELL_DECIDE:
        return tell_pending(l, t, a, out, e);
    case TELL_ADMIN:
        return tell_admin(l, t, a, out, e);
    case TELL_SERVED:
        return tell_served(l, t, out, e);
    case TELL_AUDIT:
        return tell_audit(l, t, out, e);
    case TELL_BACKUP:
        return tell_backup(l, t, a, out, e);
    case TELL_TICK:
        return tell_tick(l, out, w, e);
    case TELL_PULL_LIST:
    case TELL_PULL_BEGIN:
    case TELL_PULL_TOOK:
    case TELL_PULL_FAILED:
        return tell_pull(l, t, a, out, e);
    default:
        return err_set(e, ERR_PROTOCOL, "unknown message");
    }
}

static bool
is_pull(enum tell_verb v)
{
    return v >= TELL_PULL_LIST && v <= TELL_PULL_FAILED;
}

static bool
is_act(enum tell_verb v)
{
    return v >= TELL_DELETE && v != TELL_SERVED && v != TELL_AUDIT && !is_pull(v);
}

/* An act decides on what is on disk, and what it leaves half done is undone. */
static void
end_act(struct exchange *x, enum tell_verb verb, const struct err *why)
{
    if (!store_open_transaction(x->store))
        return;
    if (why != NULL && is_act(verb))
        commit_drop(x, why);
    else if (x->commit->first == NULL)
        commit_look(x); /* opened to look: nothing was written */
}

static const char *
verb_name(enum tell_verb v)
{
    static const char *const names[TELL_VERBS] = {
        [TELL_BEGIN] = "post",        [TELL_FLUSH] = "post",      [TELL_END] = "post",
        [TELL_DELETE] = "delete",     [TELL_PUBLISH] = "publish", [TELL_REVOKE] = "revoke",
        [TELL_WITHDRAW] = "withdraw", [TELL_UNDO] = "undo",       [TELL_RELEASE] = "release",
        [TELL_DECIDE] = "decide",     [TELL_ADMIN] = "admin",     [TELL_BACKUP] = "backup",
    };

    return names[v] != NULL ? names[v] : "?";
}

/* A 403 and a bad ticket are for the audit trail. */
static void
note_refusal(struct exchange_link *l, const struct tell *t, const struct err *why)
{
    struct err e = ERR_INIT;
    struct asker who;
    bool ticket = ticket_forged(why);

    if (l->caller.kind != CALLER_FRONT || (why->code != ERR_DENIED && !ticket) ||
        commit_begin(l->x, &e) != 0)
        return;
    if (teller_of(l, t, &who, NULL, &e) != 0)
        who.principal = 0;
    if (audit(l->x, who.principal, ticket ? "ticket" : verb_name(t->verb),
              ticket        ? span_of(why->text)
              : t->id.n > 0 ? t->id
                            : t->collection,
              "refused", &e) != 0)
        commit_drop(l->x, &e);
    else
        (void)commit_flush(l->x, &e);
}

bool
exchange_tell(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
              struct answer *w)
{
    struct err e = ERR_INIT;
    size_t before = out->n;
    int rc = 0;

    *w = (struct answer){0};
    if (is_pull(t->verb) != (l->caller.kind == CALLER_FETCH))
        rc = err_set(&e, ERR_DENIED, "rounds with members are for one process alone");
    if (rc == 0 && (t->verb == TELL_PULL_PIECE || t->verb == TELL_PULL_BODY)) {
        tell_pull_part(l, t);
        return false;
    }
    if (rc == 0 && t->verb == TELL_OBJECT) {
        if (tell_object(l, t, &e) == 0)
            return false;
        rc = -1;
    }
    if (rc == 0 && is_act(t->verb))
        rc = commit_flush(l->x, &e);
    if (rc == 0)
        rc = route(l, t, a, out, w, &e);
    end_act(l->x, t->verb, rc == 0 ? NULL : &e);
    if (rc == 0 && out->failed)
        rc = err_set(&e, ERR_LIMIT, "done, but the answer is longer than what can be sent");
    if (rc == 0) {
        w->body = span_part(buf_view(out), before, out->n);
        return true;
    }
    note_refusal(l, t, &e);
    out->failed = false;
    buf_cut(out, before);
    *w = (struct answer){.status = e.code == ERR_NONE ? ERR_INTERNAL : e.code,
                         .text = span_of(e.text),
                         .place = arena_span(a, span_of(e.place))};
    return true;
}
