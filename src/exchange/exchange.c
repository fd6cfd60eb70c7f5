/* exchange/exchange.c - opening, what every call needs first, and the way of a question. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "mem.h"
#include "peers.h"
#include "server.h"
#include "store_batch.h"

int64_t
now_us(const struct exchange *x)
{
    return clock_wall_us(x->clock);
}

/* -- settings ------------------------------------------------------------------------------------
 */

static int
setting_text(struct exchange *x, const char *name, char **out, struct err *e)
{
    struct arena *a = arena_new(STORE_SETTING_MAX * 4);
    struct span v = {0};
    char *copy;
    int rc = -1;

    if (a == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (store_setting_get(x->store, name, a, &v, e) < 0)
        goto out;
    copy = mem_alloc(v.n + 1);
    if (copy == NULL) {
        err_set(e, ERR_MEMORY, "out of memory");
        goto out;
    }
    if (v.n > 0)
        memcpy(copy, v.p, v.n);
    copy[v.n] = '\0';
    mem_free(*out);
    *out = copy;
    rc = 0;
out:
    arena_free(a);
    return rc;
}

static int
keys_load(struct exchange *x, struct err *e)
{
    struct arena *a = arena_new(STORE_SETTING_MAX * 4);
    struct span v = {0};
    int rc = -1;

    if (a == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (store_setting_get(x->store, SETTING_KEY, a, &v, e) < 0)
        goto out;
    if (v.n == 0 || v.n % (2 * KEY_BYTES) != 0 || v.n / (2 * KEY_BYTES) > NEXT_KEYS) {
        err_set(e, ERR_CORRUPT, "the keys of next are missing in the store");
        goto out;
    }
    x->next_key_count = v.n / (2 * KEY_BYTES);
    for (size_t i = 0; i < x->next_key_count; i++) {
        if (!hex_read(span_part(v, i * 2 * KEY_BYTES, 2 * KEY_BYTES), x->next_keys[i].b,
                      KEY_BYTES)) {
            err_set(e, ERR_CORRUPT, "the keys of next are broken in the store");
            goto out;
        }
    }
    rc = 0;
out:
    arena_free(a);
    return rc;
}

int
settings_load(struct exchange *x, struct err *e)
{
    char *identity = NULL, *label = NULL, *open = NULL;
    struct stix_id id;
    int rc = -1;

    if (setting_text(x, SETTING_NAME, &x->name, e) != 0 ||
        setting_text(x, SETTING_COUNTRY, &x->country, e) != 0 ||
        setting_text(x, SETTING_CONTACT, &x->contact, e) != 0 ||
        setting_text(x, SETTING_IDENTITY, &identity, e) != 0 ||
        setting_text(x, SETTING_DEFAULT, &label, e) != 0 ||
        setting_text(x, SETTING_PUBLIC, &open, e) != 0 || keys_load(x, e) != 0)
        goto out;
    if (!stix_id_read(span_of(identity), &id)) {
        err_set(e, ERR_CORRUPT, "the store does not say whose it is");
        goto out;
    }
    x->identity = id.uuid;
    snprintf(x->identity_id, sizeof x->identity_id, "%s", identity);
    x->public_open = strcmp(open, "open") == 0;
    if (!tlp_read(span_of(label), &x->way_default))
        x->way_default = TLP_AMBER_STRICT;
    rc = 0;
out:
    mem_free(identity);
    mem_free(label);
    mem_free(open);
    return rc;
}

static int
is_strict(struct exchange *x, const char *name, bool *out, struct err *e)
{
    char *text = NULL;

    if (setting_text(x, name, &text, e) != 0)
        return -1;
    *out |= strcmp(text, "strict") == 0;
    mem_free(text);
    return 0;
}

int
strict_for(struct exchange *x, uint32_t principal, uint32_t group, bool *out, struct err *e)
{
    char name[64];

    if (is_strict(x, SETTING_STRICT, out, e) != 0)
        return -1;
    snprintf(name, sizeof name, SETTING_STRICT ".principal.%u", principal);
    if (is_strict(x, name, out, e) != 0)
        return -1;
    snprintf(name, sizeof name, SETTING_STRICT ".group.%u", group);
    return is_strict(x, name, out, e);
}

/* -- rights --------------------------------------------------------------------------------------
 */

int
cast_refresh(struct exchange *x, struct err *e)
{
    struct cast c = {0};

    if (store_rights_version(x->store, &c.version, e) != 0)
        return -1;
    if (x->cast.arena != NULL && x->cast.version == c.version)
        return 0;
    c.arena = arena_new(RIGHTS_ARENA);
    if (c.arena == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (store_rights_load(x->store, c.arena, &c.rights, e) != 0 ||
        store_audiences_load(x->store, c.arena, &c.audiences, &c.audience_count, e) != 0 ||
        store_grants_load(x->store, c.arena, &c.grants, &c.grant_count, e) != 0 ||
        store_org_list(x->store, c.arena, &c.orgs, &c.org_count, e) != 0 ||
        store_principal_list(x->store, c.arena, &c.principals, &c.principal_count, e) != 0 ||
        store_group_list(x->store, c.arena, &c.groups, &c.group_count, e) != 0 ||
        rights_check(&c.rights, e) != 0 || settings_load(x, e) != 0) {
        arena_free(c.arena);
        return -1;
    }
    c.rights.public_open = x->public_open;
    arena_free(x->cast.arena);
    x->cast = c;
    return 0;
}

/* -- opening -------------------------------------------------------------------------------------
 */

/* What an entry's header commits to beside the bytes. */
static struct span
version_of(void *ctx, struct span bytes, struct arena *a)
{
    (void)ctx;
    return top_text(bytes, "modified", a);
}

static int
open_store(struct exchange *x, const struct exchange_options *o, struct err *e)
{
    struct store_options so = {
        .mode = o->writer ? DB_WRITE : DB_READ,
        .cache_kib = o->bulk ? 65536 : 4096,
        .mmap_bytes =
            o->writer ? 0 : INT64_C(1) << 34, /* its pages are the kernel's to take back */
        .busy_ms = 10000,
        .clock = o->clock,
        .index = index_rows,
        .index_ctx = x,
        .version = version_of,
    };

    return store_open(o->path, &so, &x->store, e);
}

int
exchange_open(const struct exchange_options *o, struct exchange **out, struct err *e)
{
    struct exchange *x = mem_zero(1, sizeof *x);

    if (x == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    x->writer = o->writer;
    x->clock = o->clock;
    x->ticket_key = o->ticket_key;
    if (open_store(x, o, e) != 0 || store_begin(x->store, e) != 0)
        goto fail;
    if (settings_load(x, e) != 0 || cast_refresh(x, e) != 0 ||
        (x->writer && store_batch_cut_open(x->store, e) != 0)) {
        store_abort(x->store);
        goto fail;
    }
    if (store_commit(x->store, e) != 0)
        goto fail;
    if (x->writer && (commit_new(x, e) != 0 || make_whole(x, e) != 0))
        goto fail;
    *out = x;
    return 0;
fail:
    exchange_close(x);
    return -1;
}

void
exchange_close(struct exchange *x)
{
    if (x == NULL)
        return;
    commit_free(x);
    members_free(x->members);
    sync_server_free(x->server);
    peers_free(x->peers);
    views_forget(x);
    served_free(x->served);
    store_close(x->store);
    arena_free(x->cast.arena);
    json_parser_free(x->json);
    mem_free(x->name);
    mem_free(x->country);
    mem_free(x->contact);
    key_wipe(&x->ticket_key);
    for (size_t i = 0; i < NEXT_KEYS; i++)
        key_wipe(&x->next_keys[i]);
    mem_free(x);
}

/* -- questions -----------------------------------------------------------------------------------
 */

static int
looks_as(struct session *s, struct err *e)
{
    const struct store_principal *p;

    if (s->q->as.n == 0)
        return 0;
    if (s->caller->kind != CALLER_LOCAL)
        return err_set(e, ERR_DENIED, "only the operator looks as somebody else");
    p = cast_principal_named(&s->x->cast, s->q->as);
    if (p == NULL) {
        err_set(e, ERR_MISSING, "no such principal");
        return err_place(e, "%.*s", (int)s->q->as.n, s->q->as.p);
    }
    s->asker.principal = p->r.number;
    s->operator= false;
    return 0;
}

static bool
is_taxii(enum ask_verb v)
{
    return v >= ASK_COLLECTIONS && v <= ASK_STATUS;
}

static int
route(struct session *s, struct err *e)
{
    switch (s->q->verb) {
    case ASK_COLLECTIONS:
    case ASK_COLLECTION:
    case ASK_OBJECTS:
    case ASK_MANIFEST:
    case ASK_OBJECT:
    case ASK_VERSIONS:
    case ASK_STATUS:
        return ask_taxii(s, e);
    case ASK_GET:
    case ASK_SHOW:
    case ASK_RELATED:
    case ASK_LOG:
        return ask_objects(s, e);
    case ASK_SEARCH:
    case ASK_LATEST:
    case ASK_EXPORT:
    case ASK_COUNTS:
        return ask_finding(s, e);
    case ASK_WHO:
    case ASK_WHY:
        return ask_readers(s, e);
    case ASK_PROOF:
        return ask_proof(s, e);
    default:
        return ask_node(s, e);
    }
}

/* Who asks, and on which channel and side. */
static int
session_begin(struct session *s, struct err *e)
{
    if (cast_refresh(s->x, e) != 0 ||
        asker_of(s->x, s->caller, s->q->ticket, &s->asker, NULL, e) != 0)
        return -1;
    s->operator= s->caller->kind == CALLER_LOCAL;
    if (looks_as(s, e) != 0)
        return -1;
    /* TAXII is a machine's channel whatever the credential, and what is exported leaves. */
    if (is_taxii(s->q->verb) && s->asker.channel != CHANNEL_LOCAL)
        s->asker.channel = CHANNEL_TOKEN;
    if (s->q->verb == ASK_EXPORT && s->asker.channel != CHANNEL_LOCAL)
        s->asker.channel = CHANNEL_EXPORT;
    s->asker.exercise = s->q->exercise;
    s->known =
        rights_effective(&s->x->cast.rights, s->asker.principal, s->asker.now_us, &s->rights) &&
        s->asker.principal != PRINCIPAL_NOBODY;
    return 0;
}

static const char *
verb_name(enum ask_verb v)
{
    static const char *const names[ASK_VERBS] = {
        [ASK_COLLECTIONS] = "collections",
        [ASK_COLLECTION] = "collection",
        [ASK_OBJECTS] = "objects",
        [ASK_MANIFEST] = "manifest",
        [ASK_OBJECT] = "object",
        [ASK_VERSIONS] = "versions",
        [ASK_STATUS] = "status",
        [ASK_GET] = "get",
        [ASK_SEARCH] = "search",
        [ASK_LATEST] = "latest",
        [ASK_EXPORT] = "export",
        [ASK_SHOW] = "show",
        [ASK_RELATED] = "related",
        [ASK_LOG] = "log",
        [ASK_WHO] = "who",
        [ASK_WHY] = "why",
        [ASK_COUNTS] = "counts",
        [ASK_REPORT] = "report",
        [ASK_BATCHES] = "batches",
        [ASK_PENDING] = "pending",
        [ASK_LIST] = "list",
        [ASK_AUDIT] = "audit",
        [ASK_HEALTH] = "health",
        [ASK_SELF] = "self",
        [ASK_PROOF] = "proof",
    };

    return names[v] != NULL ? names[v] : "?";
}

/* A 403 and a bad ticket are for the audit trail; a 404 and a mere lack of login are not. */
static void
note_refusal(struct session *s, const struct err *e)
{
    if (s->caller->kind != CALLER_FRONT)
        return;
    if (e->code == ERR_DENIED)
        refused_note(s->x, s->asker.principal, verb_name(s->q->verb),
                     s->q->id.n > 0 ? s->q->id : s->q->collection);
    else if (ticket_forged(e))
        refused_note(s->x, 0, "ticket", span_of(e->text));
}

void
exchange_look_begin(struct exchange *x)
{
    x->looking = !x->writer;
}

void
exchange_look_end(struct exchange *x)
{
    if (!x->looking)
        return;
    x->looking = false;
    store_abort(x->store);
}

/* Opens a transaction where a look has not left one open. */
static int
ask_begin(struct exchange *x, struct err *e)
{
    if (commit_flush(x, e) != 0) /* a writer that is asked answers from what is on disk */
        return -1;
    if (x->looking && store_open_transaction(x->store))
        return 0;
    return store_begin(x->store, e);
}

void
exchange_ask(struct exchange *x, const struct caller *who, const struct ask *q, struct arena *a,
             struct buf *out, struct answer *w)
{
    struct err e = ERR_INIT;
    struct session s = {.x = x, .caller = who, .q = q, .a = a, .out = out, .w = w};
    size_t before = out->n;
    int rc;

    *w = (struct answer){0};
    rc = ask_begin(x, &e);
    if (rc == 0) {
        rc = session_begin(&s, &e);
        if (rc == 0)
            rc = route(&s, &e);
        /* A reader's commit only ends its look; what went wrong in it changes no answer.  Nothing
         * of a question that failed is carried over to the next. */
        if (store_open_transaction(x->store) && (rc != 0 || !x->looking))
            store_abort(x->store);
    }
    if (rc == 0 && out->failed)
        rc = err_set(&e, ERR_LIMIT, "the answer is longer than what the asker can take");
    if (rc == 0) {
        w->body = span_part(buf_view(out), before, out->n);
        return;
    }
    note_refusal(&s, &e);
    out->failed = false;
    buf_cut(out, before);
    *w = (struct answer){.status = e.code == ERR_NONE ? ERR_INTERNAL : e.code,
                         .text = span_of(e.text),
                         .place = arena_span(a, span_of(e.place))};
}

/* -- what the ask_ files share -------------------------------------------------------------------
 */

int
session_view(struct session *s, const struct view **out, struct err *e)
{
    return view_of(s->x, &s->asker, 0, out, e);
}

uint32_t
session_limit(const struct session *s, uint32_t standard, uint32_t most)
{
    uint32_t n = s->q->q.limit != 0 ? s->q->q.limit : standard;

    return n > most ? most : n;
}

int
session_next(struct session *s, enum taxii_next_kind kind, struct span scope, int64_t *after,
             struct err *e)
{
    struct taxii_next n;

    *after = 0;
    if (s->q->q.next.n == 0)
        return 0;
    if (taxii_next_get(s->x->next_keys, s->x->next_key_count, s->q->q.next, kind, scope, s->a, &n,
                       e) != 0)
        return err_place(e, "next");
    *after = n.after;
    return 0;
}

void
put_next(struct session *s, struct json_out *o, enum taxii_next_kind kind, struct span scope,
         int64_t after)
{
    struct taxii_next n = {.kind = kind, .scope = scope, .after = after};
    struct buf b;

    buf_init(&b, TAXII_NEXT_MAX);
    taxii_next_put(&s->x->next_keys[0], &n, &b);
    if (b.failed)
        o->b->failed = true;
    else
        json_member(o, "next", buf_view(&b));
    buf_clear(&b);
}
