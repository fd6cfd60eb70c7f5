/* exchange/admin.c - organisations, groups, users, tokens, settings, bindings: over the local
 * socket alone. */
#include "batch.h"
#include "opened.h"

#include <string.h>

#include "stix_builtin.h"

#define GRANT_SLICES_NOW 32 /* written at once; the writer's own loop does the rest */

struct act {
    struct exchange *x;
    const struct tell *t;
    struct arena *a;
    struct asker who;
    uint32_t number; /* of what was acted on */
};

static int
usage(struct err *e, const char *text, struct span what)
{
    err_set(e, ERR_USAGE, text);
    return err_place(e, "%.*s", (int)(what.n < 100 ? what.n : 100), what.p);
}

static bool
has(const struct tell *t, const char *key)
{
    return tell_value(t, key).p != NULL;
}

static int
yes_no(const struct tell *t, const char *key, bool *out, struct err *e)
{
    struct span v = tell_value(t, key);

    if (v.p == NULL)
        return 0;
    if (!span_is(v, "yes") && !span_is(v, "no"))
        return usage(e, "yes or no", span_of(key));
    *out = span_is(v, "yes");
    return 0;
}

static int
label_value(const struct tell *t, const char *key, enum tlp *out, struct err *e)
{
    struct span v = tell_value(t, key);

    if (v.p != NULL && !tlp_read(v, out))
        return usage(e, "no such label; CLEAR, GREEN, AMBER, AMBER+STRICT or RED", v);
    return 0;
}

static int
org_value(struct act *c, const char *key, uint32_t *out, struct err *e)
{
    struct span v = tell_value(c->t, key);
    const struct store_org *o;

    if (v.p == NULL)
        return 0;
    o = cast_org_named(&c->x->cast, v);
    if (o == NULL) {
        err_set(e, ERR_MISSING, "no such organisation");
        return err_place(e, "%.*s", (int)(v.n < 100 ? v.n : 100), v.p);
    }
    *out = o->r.number;
    return 0;
}

static int
ends_value(const struct tell *t, int64_t *out, struct err *e)
{
    struct span v = tell_value(t, "ends");
    struct instant at;

    if (v.p == NULL)
        return 0;
    if (span_is(v, "never")) {
        *out = 0;
        return 0;
    }
    if (!instant_read(v, true, &at, NULL))
        return usage(e, "an end is a date such as 2027-01-31T00:00:00Z, or never", v);
    *out = instant_us(at);
    return 0;
}

/* "profile": what this one posts, or what is posted there, must keep every must-rule. */
static int
profile_put(struct act *c, const char *what, struct err *e)
{
    struct span v = tell_value(c->t, "profile");
    const char *name = arena_printf(c->a, SETTING_STRICT ".%s.%u", what, c->number);

    if (v.p == NULL)
        return 0;
    if (!span_is(v, "normal") && !span_is(v, "strict"))
        return usage(e, "normal or strict", v);
    return name != NULL ? store_setting_put(c->x->store, name, v, e)
                        : err_set(e, ERR_MEMORY, "out of memory");
}

/* Names go into aliases, messages and files. */
static int
name_ok(struct span name, struct err *e)
{
    static const char *const taken[] = {"all", "public", "region", "own", "nobody", "operator"};

    if (name.n == 0 || name.n > STORE_NAME_MAX)
        return usage(e, "a name has 1 to 200 bytes", name);
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f || name.p[i] == ',' ||
            name.p[i] == '/')
            return usage(e, "a name has no control characters, commas or slashes", name);
    }
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (span_is(name, taken[i]))
            return usage(e, "that name is taken", name);
    }
    return span_starts(name, "exercise-") ? usage(e, "that name is taken", name) : 0;
}

static int
absent(struct err *e, const char *text)
{
    return err_set(e, ERR_MISSING, text);
}

/* -- organisations --------------------------------------------------------------------------------
 */

static int
org_fields(struct act *c, struct store_org *o, struct err *e)
{
    const struct tell *t = c->t;
    struct span kind = tell_value(t, "kind");
    struct stix_id id;

    if (has(t, "title"))
        o->title = tell_value(t, "title");
    if (org_value(c, "member_of", &o->r.member, e) != 0 || ends_value(t, &o->r.expires_us, e) != 0)
        return -1;
    if (has(t, "identity")) {
        if (!stix_id_read(tell_value(t, "identity"), &id) || !span_is(id.type, "identity"))
            return usage(e, "no id of an identity", tell_value(t, "identity"));
        o->identity = tell_value(t, "identity");
    }
    if (has(t, "member_of")) {
        const struct store_org *m = cast_org(&c->x->cast, o->r.member);
        if (m == NULL || (m->r.kind != ORG_OWN && m->r.kind != ORG_MEMBER))
            return usage(e, "a constituent belongs to a member", tell_value(t, "member_of"));
        o->r.kind = ORG_CONSTITUENT;
    } else if (span_is(kind, "member"))
        o->r.kind = ORG_MEMBER;
    else if (span_is(kind, "partner"))
        o->r.kind = ORG_PARTNER;
    else if (kind.p != NULL && !span_is(kind, "constituent"))
        return usage(e, "member, constituent or partner", kind);
    return 0;
}

/* An organisation has an identity that its objects can name as their creator. */
static int
org_identity(struct act *c, struct store_org *o, struct err *e)
{
    char text[UUID_TEXT + 1];
    struct uuid id;

    if (o->identity.n > 0)
        return 0;
    uuid_v4(&id);
    uuid_print(&id, text);
    o->identity = span_of(arena_printf(c->a, "identity--%s", text));
    return o->identity.n > 0 ? 0 : err_set(e, ERR_MEMORY, "out of memory");
}

static int
act_org(struct act *c, struct err *e)
{
    const struct store_org *old = cast_org_named(&c->x->cast, c->t->name);
    struct store_org o = {.r = {.kind = ORG_CONSTITUENT, .member = ORG_SELF}};

    if (c->t->act == TELL_A_ADD) {
        if (name_ok(c->t->name, e) != 0)
            return -1;
        if (old != NULL)
            return err_set(e, ERR_DUPLICATE, "there is an organisation of that name");
        o.name = c->t->name;
        o.title = c->t->name;
        if (org_fields(c, &o, e) != 0 || org_identity(c, &o, e) != 0)
            return -1;
        if (o.r.kind != ORG_CONSTITUENT)
            o.r.member = 0;
        if (store_org_put(c->x->store, &o, e) != 0 ||
            store_bind(c->x->store, o.identity, o.r.number, e) != 0)
            return -1;
        c->number = o.r.number;
        return 0;
    }
    if (old == NULL)
        return absent(e, "no such organisation");
    if (old->r.number == ORG_SELF && c->t->act == TELL_A_REMOVE)
        return err_set(e, ERR_CONFLICT, "the node's own organisation stays");
    o = *old;
    c->number = o.r.number;
    if (c->t->act == TELL_A_REMOVE) {
        o.removed = o.r.disabled = true;
        return store_org_put(c->x->store, &o, e);
    }
    if (org_fields(c, &o, e) != 0)
        return -1;
    if (old->r.number == ORG_SELF)
        o.r = old->r;
    return store_org_put(c->x->store, &o, e);
}

/* -- groups ---------------------------------------------------------------------------------------
 */

static bool
used(const struct cast *c, uint32_t generation)
{
    for (size_t i = 0; i < c->audience_count; i++) {
        if (c->audiences[i].generation == generation)
            return true;
    }
    return false;
}

static bool
in_group(const struct cast *c, const struct store_group *g, uint32_t org)
{
    const struct right_generation *now = rights_generation(&c->rights, g->r.generation);

    return now != NULL && rights_in_generation(now, org);
}

/* Newcomers see the past only where the charter lets them; else a new generation begins. */
static int
group_members(struct act *c, const struct store_group *g, struct err *e)
{
    const struct tell *t = c->t;
    const struct cast *cast = &c->x->cast;
    bool began = g->r.past || !used(cast, g->r.generation);
    const struct store_org *o;
    uint32_t generation;

    for (size_t i = 0; i < t->pair_n; i++) {
        bool in = span_is(t->pairs[i].key, "member+");

        if (!in && !span_is(t->pairs[i].key, "member-"))
            continue;
        o = cast_org_named(cast, t->pairs[i].value);
        if (o == NULL) {
            absent(e, "no such organisation");
            return err_place(e, "%.*s", (int)t->pairs[i].value.n, t->pairs[i].value.p);
        }
        if (in && in_group(cast, g, o->r.number))
            continue;
        if (in && !began) {
            if (store_generation_begin(c->x->store, g->r.number, &generation, e) != 0)
                return -1;
            began = true;
        }
        if ((in ? store_member_add(c->x->store, g->r.number, o->r.number, e)
                : store_member_remove(c->x->store, g->r.number, o->r.number, e)) != 0)
            return -1;
    }
    return 0;
}

static int
group_fields(struct act *c, struct store_group *g, struct err *e)
{
    if (has(c->t, "title"))
        g->title = tell_value(c->t, "title");
    if (has(c->t, "charter"))
        g->charter = tell_value(c->t, "charter");
    return yes_no(c->t, "sees_past", &g->r.past, e);
}

static int
act_group(struct act *c, struct err *e)
{
    const struct store_group *old = cast_group_named(&c->x->cast, c->t->name);
    struct store_group g = {.r = {.kind = GROUP_KIND_NAMED, .org = ORG_SELF}};

    if (c->t->act == TELL_A_ADD) {
        if (name_ok(c->t->name, e) != 0)
            return -1;
        if (old != NULL)
            return err_set(e, ERR_DUPLICATE, "there is a group or organisation of that name");
        g.name = g.title = c->t->name;
        if (group_fields(c, &g, e) != 0 || store_group_put(c->x->store, &g, e) != 0 ||
            cast_refresh(c->x, e) != 0)
            return -1;
        c->number = g.r.number;
        old = cast_group(&c->x->cast, g.r.number);
        return old != NULL ? group_members(c, old, e)
                           : err_set(e, ERR_INTERNAL, "a new group is not there");
    }
    if (old == NULL)
        return absent(e, "no such group");
    g = *old;
    c->number = g.r.number;
    if (old->r.kind == GROUP_KIND_PUBLIC || old->r.kind == GROUP_KIND_OWN)
        return err_set(e, ERR_CONFLICT, "a built-in group stays as it is");
    if (c->t->act == TELL_A_REMOVE) {
        if (old->r.kind != GROUP_KIND_NAMED)
            return err_set(e, ERR_CONFLICT, "a built-in group stays as it is");
        g.removed = g.r.closed = true;
        return store_group_put(c->x->store, &g, e);
    }
    if (group_fields(c, &g, e) != 0 || store_group_put(c->x->store, &g, e) != 0)
        return -1;
    return group_members(c, &g, e);
}

/* -- users and tokens -----------------------------------------------------------------------------
 */

static int
roles_value(const struct tell *t, unsigned *out, struct err *e)
{
    static const struct {
        const char *name;
        unsigned role;
    } roles[] = {{"reader", ROLE_READER},
                 {"analyst", ROLE_ANALYST},
                 {"publisher", ROLE_PUBLISHER},
                 {"admin", ROLE_ADMIN}};
    struct span v = tell_value(t, "role"), part;
    unsigned bits = 0;

    if (v.p == NULL)
        return 0;
    while (span_split(&v, ',', &part)) {
        size_t i = 0;

        while (i < 4 && !span_is(span_trim(part), roles[i].name))
            i++;
        if (i == 4)
            return usage(e, "a role is reader, analyst, publisher or admin", part);
        bits |= roles[i].role;
    }
    *out = rights_roles(bits);
    return 0;
}

static int
user_fields(struct act *c, struct store_principal *p, struct err *e)
{
    const struct tell *t = c->t;

    if (has(t, "title"))
        p->title = tell_value(t, "title");
    if (roles_value(t, &p->r.roles, e) != 0 || org_value(c, "organisation", &p->r.org, e) != 0 ||
        yes_no(t, "staff", &p->r.staff, e) != 0 || yes_no(t, "exercise", &p->r.exercise, e) != 0 ||
        yes_no(t, "quarantine", &p->r.quarantine, e) != 0 ||
        yes_no(t, "disabled", &p->r.disabled, e) != 0 ||
        label_value(t, "ceiling", &p->r.ceiling, e) != 0 || ends_value(t, &p->r.expires_us, e) != 0)
        return -1;
    return 0;
}

static int
act_user(struct act *c, struct err *e)
{
    const struct store_principal *old = cast_principal_named(&c->x->cast, c->t->name);
    struct store_principal p = {
        .r = {.kind = PRINCIPAL_PERSON, .org = ORG_SELF, .roles = ROLE_READER, .ceiling = TLP_RED}};

    if (c->t->act == TELL_A_ADD) {
        if (name_ok(c->t->name, e) != 0)
            return -1;
        if (old != NULL)
            return err_set(e, ERR_DUPLICATE, "there is a user or token of that name");
        p.name = c->t->name;
        if (org_value(c, "organisation", &p.r.org, e) != 0)
            return -1;
        p.r.staff = p.r.org == ORG_SELF; /* a colleague, unless it is said otherwise */
        if (user_fields(c, &p, e) != 0 || store_principal_put(c->x->store, &p, e) != 0)
            return -1;
        c->number = p.r.number;
        return 0;
    }
    if (old == NULL || old->r.kind != PRINCIPAL_PERSON)
        return absent(e, "no such user");
    p = *old;
    c->number = p.r.number;
    if (c->t->act == TELL_A_REMOVE)
        p.removed = p.r.disabled = true;
    else if (user_fields(c, &p, e) != 0)
        return -1;
    return store_principal_put(c->x->store, &p, e);
}

static int
scope_value(const struct tell *t, unsigned *out, struct err *e)
{
    struct span v = tell_value(t, "scope");

    if (v.p == NULL)
        return 0;
    if (span_is(v, "read"))
        *out = SCOPE_READ;
    else if (span_is(v, "write"))
        *out = SCOPE_WRITE;
    else if (span_is(v, "read,write") || span_is(v, "write,read"))
        *out = SCOPE_READ | SCOPE_WRITE;
    else
        return usage(e, "a scope is read, write or read,write", v);
    return 0;
}

/* A token's rights never grow: what it should be able to do beyond that takes a new one. */
static int
never_wider(const struct right_principal *old, const struct right_principal *new, struct err *e)
{
    if ((new->scope & ~old->scope) != 0 || (new->staff && !old->staff) ||
        (new->exercise && !old->exercise) || new->ceiling > old->ceiling ||
        new->only_group != old->only_group || new->org != old->org ||
        (rights_roles(new->roles) & ~rights_roles(old->roles)) != 0 ||
        (old->expires_us != 0 && (new->expires_us == 0 || new->expires_us > old->expires_us)))
        return err_set(e, ERR_RULE, "a token is never widened; make a new one");
    return 0;
}

static int
token_fields(struct act *c, struct store_principal *p, struct err *e)
{
    const struct tell *t = c->t;
    const struct store_group *g;

    if (user_fields(c, p, e) != 0 || scope_value(t, &p->r.scope, e) != 0)
        return -1;
    if (has(t, "group")) {
        g = cast_group_named(&c->x->cast, tell_value(t, "group"));
        if (g == NULL)
            return absent(e, "no such group");
        p->r.only_group = g->r.number;
    }
    return 0;
}

static int
token_add(struct act *c, struct err *e)
{
    struct store_principal p = {.r = {.kind = PRINCIPAL_TOKEN,
                                      .org = ORG_SELF,
                                      .roles = ROLE_READER,
                                      .scope = SCOPE_READ,
                                      .ceiling = TLP_AMBER_STRICT}};
    const struct store_principal *owner;

    if (name_ok(c->t->name, e) != 0)
        return -1;
    if (has(c->t, "user")) {
        owner = cast_principal_named(&c->x->cast, tell_value(c->t, "user"));
        if (owner == NULL || owner->r.kind != PRINCIPAL_PERSON)
            return absent(e, "no such user");
        p.r.owner = owner->r.number;
        p.r.org = owner->r.org;
        p.r.roles = owner->r.roles & ~ROLE_ADMIN;
        p.r.staff = owner->r.staff;
        p.r.exercise = owner->r.exercise;
        if (owner->r.ceiling < p.r.ceiling)
            p.r.ceiling = owner->r.ceiling;
    }
    p.name = c->t->name;
    if (token_fields(c, &p, e) != 0)
        return -1;
    if (p.r.scope & SCOPE_WRITE && !has(c->t, "role") && p.r.owner == 0)
        p.r.roles = rights_roles(ROLE_ANALYST);
    if (store_principal_put(c->x->store, &p, e) != 0)
        return -1;
    c->number = p.r.number;
    return 0;
}

static int
act_token(struct act *c, struct err *e)
{
    const struct store_principal *old = cast_principal_named(&c->x->cast, c->t->name);
    struct store_principal p;

    if (c->t->act == TELL_A_ADD)
        return old != NULL ? err_set(e, ERR_DUPLICATE, "there is a user or token of that name")
                           : token_add(c, e);
    if (old == NULL || old->r.kind != PRINCIPAL_TOKEN)
        return absent(e, "no such token");
    p = *old;
    c->number = p.r.number;
    if (c->t->act == TELL_A_REMOVE)
        p.removed = p.r.disabled = true;
    else if (token_fields(c, &p, e) != 0 || never_wider(&old->r, &p.r, e) != 0)
        return -1;
    return store_principal_put(c->x->store, &p, e);
}

/* -- settings and bindings ------------------------------------------------------------------------
 */

static int
setting_ok(struct span name, struct span value, struct err *e)
{
    enum tlp label;

    if (span_is(name, SETTING_PUBLIC))
        return span_is(value, "open") || span_is(value, "closed")
                   ? 0
                   : usage(e, "open or closed", value);
    if (span_is(name, SETTING_DEFAULT))
        return tlp_read(value, &label) ? 0 : usage(e, "no such label", value);
    if (span_is(name, SETTING_STRICT))
        return span_is(value, "normal") || span_is(value, "strict")
                   ? 0
                   : usage(e, "normal or strict", value);
    if (span_is(name, SETTING_CONTACT) || span_is(name, SETTING_NAME) ||
        span_is(name, SETTING_COUNTRY))
        return 0;
    return usage(e, "no such setting", name);
}

/* A new key in front; the one before it is still accepted. */
static int
rotate(struct act *c, struct err *e)
{
    struct exchange *x = c->x;
    struct key fresh;
    struct buf hex;
    int rc;

    key_random(&fresh);
    buf_init(&hex, 1024);
    hex_put(&hex, fresh.b, KEY_BYTES);
    hex_put(&hex, x->next_keys[0].b, KEY_BYTES);
    rc = hex.failed ? err_set(e, ERR_MEMORY, "out of memory")
                    : store_setting_put(x->store, SETTING_KEY, buf_view(&hex), e);
    key_wipe(&fresh);
    buf_clear(&hex);
    return rc;
}

static int
act_setting(struct act *c, struct err *e)
{
    struct span value = tell_value(c->t, "value");
    char *name = arena_dup(c->a, c->t->name);

    if (name == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (span_is(c->t->name, SETTING_KEY)) {
        if (!span_is(value, "rotate"))
            return usage(e, "a key is only ever rotated", c->t->name);
        if (rotate(c, e) != 0)
            return -1;
    } else {
        if (c->t->act == TELL_A_REMOVE && span_is(c->t->name, SETTING_PUBLIC))
            value = SPAN("closed");
        else if (c->t->act == TELL_A_REMOVE)
            return err_set(e, ERR_USAGE, "a setting is set, not removed");
        if (value.n > STORE_SETTING_MAX || setting_ok(c->t->name, value, e) != 0 ||
            store_setting_put(c->x->store, name, value, e) != 0)
            return -1;
    }
    /* Readers load settings with the rights: their version rises. */
    return store_principal_epoch(c->x->store, PRINCIPAL_NOBODY, e);
}

static int
act_binding(struct act *c, struct err *e)
{
    struct stix_id id;
    uint32_t org = 0;

    if (!stix_id_read(c->t->name, &id) || !span_is(id.type, "identity"))
        return usage(e, "no id of an identity", c->t->name);
    if (c->t->act != TELL_A_REMOVE) {
        if (!has(c->t, "organisation"))
            return err_set(e, ERR_USAGE, "a binding names an organisation");
        if (org_value(c, "organisation", &org, e) != 0)
            return -1;
    }
    return store_bind(c->x->store, c->t->name, org, e);
}

/* -- the act --------------------------------------------------------------------------------------
 */

static const char *const kind_names[TELL_KINDS] = {
    [TELL_K_ORG] = "org",     [TELL_K_GROUP] = "group",     [TELL_K_USER] = "user",
    [TELL_K_TOKEN] = "token", [TELL_K_SETTING] = "setting", [TELL_K_BINDING] = "binding",
};
static const char *const act_names[TELL_ACTS] = {
    [TELL_A_ADD] = "add", [TELL_A_SET] = "set", [TELL_A_REMOVE] = "remove"};

static int
act_run(struct act *c, struct err *e)
{
    switch (c->t->kind) {
    case TELL_K_ORG:
        return act_org(c, e);
    case TELL_K_GROUP:
        return act_group(c, e) != 0 ? -1 : profile_put(c, "group", e);
    case TELL_K_USER:
        return act_user(c, e) != 0 ? -1 : profile_put(c, "principal", e);
    case TELL_K_TOKEN:
        return act_token(c, e) != 0 ? -1 : profile_put(c, "principal", e);
    case TELL_K_SETTING:
        return act_setting(c, e);
    case TELL_K_BINDING:
        return act_binding(c, e);
    default:
        return err_set(e, ERR_PROTOCOL, "unknown act");
    }
}

/* A few slices of what newly appears are written at once, one a commit. */
static int
first_slices(struct exchange *x, struct err *e)
{
    uint64_t left = 1;

    for (unsigned i = 0; i < GRANT_SLICES_NOW && left > 0; i++) {
        if (commit_begin(x, e) != 0 || store_grant_step(x->store, &left, e) != 0 ||
            commit_flush(x, e) != 0)
            return -1;
    }
    return 0;
}

static void
put_act(struct act *c, const struct opened *o, struct buf *out)
{
    const struct right_principal *p = rights_principal(&c->x->cast.rights, c->number);
    struct json_out j;

    json_out_init(&j, out);
    json_begin_object(&j);
    json_member_str(&j, "kind", kind_names[c->t->kind]);
    json_member(&j, "name", c->t->name);
    if (c->t->kind == TELL_K_USER || c->t->kind == TELL_K_TOKEN) {
        json_member_int(&j, "principal", c->number);
        json_member_int(&j, "epoch", p != NULL ? (int64_t)p->epoch : 0);
    } else if (c->number != 0) {
        json_member_int(&j, "number", c->number);
    }
    if (o->appears > 0)
        json_member_int(&j, "appears", (int64_t)o->appears);
    json_end_object(&j);
}

int
tell_admin(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
           struct err *e)
{
    struct act c = {.x = l->x, .t = t, .a = a};
    struct opened o = {0};
    int rc = -1;

    if (l->caller.kind != CALLER_LOCAL)
        return err_set(e, ERR_DENIED, "only the operator administers, over the local socket");
    if (t->kind == TELL_K_NONE || t->act == TELL_A_NONE)
        return err_set(e, ERR_PROTOCOL, "unknown act");
    if (commit_begin(l->x, e) != 0 || teller_of(l, t, &c.who, NULL, e) != 0 ||
        opened_begin(l->x, &o, e) != 0)
        return -1;
    if (act_run(&c, e) != 0 || opened_settle(l->x, &o, e) != 0 ||
        audit(l->x, c.who.principal,
              arena_printf(a, "%s %s", kind_names[t->kind], act_names[t->act]), t->name, "done",
              e) != 0 ||
        commit_flush(l->x, e) != 0 || first_slices(l->x, e) != 0)
        goto out;
    put_act(&c, &o, out);
    rc = 0;
out:
    opened_clear(&o);
    return rc;
}
