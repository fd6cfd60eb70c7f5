/* exchange/make.c - a new node: its organisation, and what every node holds from the start. */
#include "batch.h"

#include <stdio.h>
#include <unistd.h>

#include "findable.h"
#include "json_canon.h"
#include "mem.h"
#include "stix_builtin.h"

static int
put_setting(struct store *s, const char *name, struct span v, struct err *e)
{
    return store_setting_put(s, name, v, e);
}

static int
put_keys(struct store *s, struct err *e)
{
    struct key k;
    struct buf hex;
    int rc;

    key_random(&k);
    buf_init(&hex, 4 * KEY_BYTES);
    hex_put(&hex, k.b, KEY_BYTES);
    key_wipe(&k);
    rc = hex.failed ? err_set(e, ERR_MEMORY, "out of memory")
                    : put_setting(s, SETTING_KEY, buf_view(&hex), e);
    buf_clear(&hex);
    return rc;
}

/* The identity of an organisation, as its own node says it. */
static int
make_identity(struct span id, struct span name, int64_t us, struct buf *out)
{
    char at[INSTANT_MAX];
    struct json_out o;

    instant_print(instant_from_us(us), 3, at);
    json_out_init(&o, out); /* in the order of RFC 8785 */
    json_begin_object(&o);
    json_member_str(&o, "created", at);
    json_member(&o, "id", id);
    json_member_str(&o, "identity_class", "organization");
    json_member_str(&o, "modified", at);
    json_member(&o, "name", name);
    json_member_str(&o, "spec_version", "2.1");
    json_member_str(&o, "type", "identity");
    json_end_object(&o);
    return out->failed ? -1 : 0;
}

/* Says bytes of the node's own to the public. */
static int
say_own(struct exchange *x, struct span bytes, struct err *e)
{
    const struct right_group *g = rights_group(&x->cast.rights, GROUP_PUBLIC);
    struct audience a = {.label = TLP_CLEAR, .group = GROUP_PUBLIC};
    struct put_plain p = {.bytes = bytes, .audience = &a, .confidence = -1, .owner = true};
    struct arena *at = x->commit->arena;
    struct stix_facts *facts = arena_zero(at, 1, sizeof *facts);
    struct store_index *index = arena_zero(at, 1, sizeof *index);
    struct hash *hash = arena_zero(at, 1, sizeof *hash);

    if (g == NULL || facts == NULL || index == NULL || hash == NULL)
        return err_set(e, ERR_INTERNAL, "no group of that name in a new store");
    a.generation = g->generation;
    p.bytes = arena_span(at, bytes);
    hash_sha256(p.bytes, hash);
    if (stix_facts_read(p.bytes, at, facts, e) != 0 || index_rows(x, p.bytes, at, index, e) != 0)
        return -1;
    p.facts = facts;
    p.hash = hash;
    p.index = index;
    return put_row_plain(x, &p, NULL, e);
}

static int
say_builtins(struct exchange *x, struct err *e)
{
    const struct stix_builtin *list;
    size_t n;

    list = stix_builtins(&n);
    for (size_t i = 0; i < n; i++) {
        if (list[i].current && list[i].bytes != NULL && say_own(x, span_of(list[i].bytes), e) != 0)
            return -1;
    }
    return say_own(x, SPAN(EXERCISE_MARK_BYTES), e);
}

/* What the store must hold before it can be opened as an exchange. */
static int
fill(struct store *s, const struct exchange_init *init, struct span identity, struct err *e)
{
    struct arena *a = arena_new(1u << 20);
    struct store_org own = {0};
    int rc = -1;

    if (a == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (store_begin(s, e) != 0)
        goto out;
    if (store_org_get(s, ORG_SELF, (struct span){0}, a, &own, e) < 0)
        goto undo;
    own.name = init->name;
    own.title = init->name;
    own.identity = identity;
    if (store_org_put(s, &own, e) != 0 || store_bind(s, identity, ORG_SELF, e) != 0 ||
        put_setting(s, SETTING_NAME, init->name, e) != 0 ||
        put_setting(s, SETTING_COUNTRY, init->country, e) != 0 ||
        put_setting(s, SETTING_CONTACT, init->contact, e) != 0 ||
        put_setting(s, SETTING_IDENTITY, identity, e) != 0 || put_keys(s, e) != 0)
        goto undo;
    rc = store_commit(s, e);
    goto out;
undo:
    store_abort(s);
out:
    arena_free(a);
    return rc;
}

int
make_whole(struct exchange *x, struct err *e)
{
    struct arena *a = arena_new(STORE_SETTING_MAX * 4);
    struct span done = {0};
    struct buf b;
    int rc = -1;

    buf_init(&b, 65536);
    if (a == NULL) {
        err_set(e, ERR_MEMORY, "out of memory");
        goto out;
    }
    if (commit_begin(x, e) != 0 || store_setting_get(x->store, SETTING_READY, a, &done, e) < 0)
        goto out;
    if (done.n > 0) {
        commit_look(x);
        rc = 0;
        goto out;
    }
    if (make_identity(span_of(x->identity_id), span_of(x->name), now_us(x), &b) != 0) {
        err_set(e, ERR_MEMORY, "out of memory");
        goto out;
    }
    if (say_builtins(x, e) != 0 || say_own(x, buf_view(&b), e) != 0 ||
        audit(x, PRINCIPAL_OPERATOR, "init", span_of(x->name), "done", e) != 0 ||
        put_setting(x->store, SETTING_READY, SPAN("yes"), e) != 0)
        goto out;
    rc = commit_flush(x, e);
out:
    arena_free(a);
    buf_clear(&b);
    return rc;
}

int
exchange_make(const char *path, const struct exchange_init *init, const struct clock *clock,
              struct err *e)
{
    struct exchange_options o = {.path = path, .writer = true, .clock = clock};
    struct store_options so = {.mode = DB_WRITE, .busy_ms = 10000, .clock = clock};
    char text[UUID_TEXT + 1], identity[STIX_ID_MAX + 1];
    struct exchange *x = NULL;
    struct store *s = NULL;
    struct uuid id;
    int rc;

    if (access(path, F_OK) == 0)
        return err_set(e, ERR_CONFLICT, "there is a node here already");
    if (init->name.n == 0 || init->name.n > STORE_NAME_MAX)
        return err_set(e, ERR_USAGE, "a node needs a name of at most 200 bytes");
    uuid_v4(&id);
    uuid_print(&id, text);
    snprintf(identity, sizeof identity, "identity--%s", text);
    if (store_open(path, &so, &s, e) != 0)
        return -1;
    rc = fill(s, init, span_of(identity), e);
    store_close(s);
    if (rc != 0 || exchange_open(&o, &x, e) != 0)
        return -1;
    exchange_close(x);
    return 0;
}
