/* Who may: user, token, group, org, setting, audit. */
#include <stdio.h>
#include <string.h>
#include "clock.h"
#include "cmd.h"
#include "crypto.h"
#include "json_write.h"
#include "mem.h"
#include "password.h"

#define PAIRS_MAX 48

struct change {
    struct tell tell;
    struct tell_pair pairs[PAIRS_MAX];
};

static int
act_of(const struct session *s, enum tell_act *act, struct err *e)
{
    static const char *const acts[] = {"add", "set", "remove"};
    const char *word = s->args.operand[0];

    for (size_t i = 0; i < 3; i++)
        if (strcmp(word, acts[i]) == 0) {
            if (s->args.operands < 2)
                return err_set(e, ERR_USAGE, "which one? A name is missing");
            *act = (enum tell_act)(TELL_A_ADD + (int)i);
            return 0;
        }
    (void)err_set(e, ERR_USAGE, "add, set, remove or list");
    return err_place(e, "%.100s", word);
}

static void
pair(struct change *c, const char *key, const char *value)
{
    if (value && c->tell.pair_n < PAIRS_MAX)
        c->pairs[c->tell.pair_n++] = (struct tell_pair){span_of(key), span_of(value)};
    c->tell.pairs = c->pairs;
}

/* What stands now. */
static int
list(struct session *s, const char *what, void (*show)(const struct json *row))
{
    struct err e = ERR_INIT;
    struct client *c = client_open(s, &e);
    struct ask q = {.verb = ASK_LIST, .text = span_of(what)};
    const struct json *a = c ? client_ask(c, &q, &e) : NULL;
    int status = a ? EXIT_OK : fail(s, &e);

    if (a && !put_json(s, c)) {
        const struct json *rows = json_get(a, what);
        for (const struct json *r = rows ? rows->child : NULL; r; r = r->next)
            show(r);
    }
    client_close(c);
    return put_end(s, status);
}

static void
column(struct span s, int width)
{
    /* Names are ASCII as a rule; where they are not the columns shift, and nothing is cut. */
    put_clean(s);
    for (int i = (int)s.n; i < width; i++)
        put(" ");
    put("  ");
}

/* -- users
 * ----------------------------------------------------------------------------------------- */

static void
show_user(const struct json *r)
{
    column(json_text(r, "name"), 16);
    column(json_text(r, "role"), 10);
    column(json_text(r, "organisation"), 16);
    column(json_text(r, "ceiling"), 13);
    put("%s%s\n", true_of(r, "staff") ? "staff " : "", true_of(r, "exercise") ? "exercise" : "");
}

static int
set_password(struct client *c, int64_t principal, int64_t epoch, const char *name,
             const char *password, struct err *e)
{
    struct auth_msg m = {.verb = AUTH_V_SET_PASSWORD,
                         .principal = principal,
                         .epoch = epoch,
                         .name = span_of(name),
                         .secret = span_of(password)};

    return client_auth(c, &m, e) ? 0 : -1;
}

static void
put_credentials(const struct session *s, const char *user, const char *password, bool made)
{
    if (s->json) {
        char mem[2048];
        struct buf b;
        struct json_out o;
        buf_init_fixed(&b, mem, sizeof mem);
        json_out_init(&o, &b);
        json_begin_object(&o);
        json_member_str(&o, "user", user);
        if (made)
            json_member_str(&o, "password", password);
        json_end_object(&o);
        put_bytes(buf_view(&b));
        put("\n");
        mem_wipe(mem, sizeof mem);
    } else {
        put("user      %s\n", user);
        if (made)
            put("password  %s   (shown once)\n", password);
    }
}

/* The password that is wanted: given, asked for, or made. */
static int
user_password(const struct session *s, char out[PASSWORD_SPACE], bool *made, struct err *e)
{
    *made = !args_text(s, "password-file") && !args_flag(s, "prompt");
    if (!*made)
        return read_password(s, true, out, e);
    if (crypto_start(e))
        return -1;
    password_random(out);
    return 0;
}

static int
user_change(struct session *s, enum tell_act act, struct client *c, struct err *e)
{
    struct change ch = {.tell = {.verb = TELL_ADMIN,
                                 .kind = TELL_K_USER,
                                 .act = act,
                                 .name = span_of(s->args.operand[1])}};
    char password[PASSWORD_SPACE];
    bool made = false;
    bool secret = act == TELL_A_ADD || args_text(s, "password-file") || args_flag(s, "prompt");

    pair(&ch, "role", args_text(s, "role"));
    pair(&ch, "organisation", args_text(s, "org"));
    pair(&ch, "staff", args_text(s, "staff"));
    pair(&ch, "ceiling", args_text(s, "ceiling"));
    pair(&ch, "exercise", args_text(s, "exercise"));
    /* The password is read before anything is changed: a wrong one must not leave half a user. */
    if (secret && user_password(s, password, &made, e))
        return -1;
    const struct json *a = client_tell(c, &ch.tell, e);
    int r = a ? 0 : -1;
    if (r == 0) {
        int64_t principal = number_of(a, "principal"), epoch = number_of(a, "epoch");
        struct auth_msg m = {.verb = act == TELL_A_REMOVE ? AUTH_V_REMOVE : AUTH_V_SET_EPOCH,
                             .principal = principal,
                             .epoch = epoch};
        if (!secret && !client_auth(c, &m, e))
            r = -1;
        if (secret && (r = set_password(c, principal, epoch, s->args.operand[1], password, e)) &&
            act == TELL_A_ADD) {
            struct change undo = {.tell = {.verb = TELL_ADMIN,
                                           .kind = TELL_K_USER,
                                           .act = TELL_A_REMOVE,
                                           .name = span_of(s->args.operand[1])}};
            struct err ignored = ERR_INIT;
            (void)client_tell(c, &undo.tell, &ignored);
        }
        if (r == 0 && act == TELL_A_REMOVE)
            say(s, "removed %s", s->args.operand[1]);
        else if (r == 0 && secret)
            put_credentials(s, s->args.operand[1], password, made);
        else if (r == 0)
            say(s, "changed %s", s->args.operand[1]);
    }
    mem_wipe(password, sizeof password);
    return r;
}

int
cmd_user(struct session *s)
{
    struct err e = ERR_INIT;
    enum tell_act act = TELL_A_NONE;

    if (strcmp(s->args.operand[0], "list") == 0)
        return list(s, "users", show_user);
    if (act_of(s, &act, &e))
        return fail(s, &e);
    struct client *c = client_open(s, &e);
    int status = c && user_change(s, act, c, &e) == 0 ? EXIT_OK : fail(s, &e);
    client_close(c);
    return put_end(s, status);
}

/* -- tokens
 * ---------------------------------------------------------------------------------------- */

static void
show_token(const struct json *r)
{
    column(json_text(r, "name"), 16);
    column(json_text(r, "scope"), 10);
    column(json_text(r, "user"), 16);
    column(json_text(r, "ceiling"), 13);
    put("%s", json_text(r, "ends").n ? "until " : "no end");
    put_when(json_text(r, "ends"));
    put("\n");
}

static void
put_token(const struct session *s, const struct config *c, const char *token,
          const char *collection)
{
    const char *at = c->listen[0];

    put("token       %s   (shown once)\n\n", token);
    put("curl        curl -k -H 'Authorization: Bearer %s' \\\n", token);
    put("              -H 'Accept: application/taxii+json;version=2.1' \\\n");
    put("              https://%s/taxii2/root/collections/%s/objects/\n", at, collection);
    put("Sentinel    API root URL  https://%s/taxii2/root/\n", at);
    put("            Collection ID %s\n", collection);
    put("            Username taxii, Password: the token\n");
    put("OpenCTI     TAXII2_DISCOVERY_URL=https://%s/taxii2/\n", at);
    put("            TAXII2_USE_TOKEN=true  TAXII2_TOKEN: the token\n");
    put("            TAXII2_COLLECTIONS=root.%s\n", collection);
    put("Elastic     url: https://%s/taxii2/root/collections/%s/objects/\n", at, collection);
    put("            auth.basic.user: taxii  auth.basic.password: the token\n");
    (void)s;
}

/* The collection "all I may see", as the token would find it. */
static int
first_collection(struct session *s, struct client *c, const char *name, char out[64], struct err *e)
{
    struct ask q = {.verb = ASK_COLLECTIONS};
    const char *was = s->as;

    s->as = name;
    const struct json *a = client_ask(c, &q, e);
    s->as = was;
    if (!a)
        return -1;
    const struct json *list_of = json_get(a, "collections");
    struct span id = json_text(list_of ? list_of->child : NULL, "id");
    (void)snprintf(out, 64, "%.*s", (int)(id.n < 63 ? id.n : 63), id.n ? id.p : "");
    return 0;
}

/* --ends: a time from now, or a time.  when is empty where it is not given. */
static int
ends_option(const struct session *s, int64_t *us, char when[INSTANT_MAX], struct err *e)
{
    const char *ends = args_text(s, "ends");
    int64_t length;

    *us = 0;
    when[0] = '\0';
    if (ends && duration_read(span_of(ends), &length))
        *us = clock_wall_us(NULL) + length;
    else if (ends && time_option(s, "ends", us, e))
        return -1;
    if (*us)
        instant_print(instant_from_us(*us), 6, when);
    return 0;
}

static int
token_add(struct session *s, struct client *c, struct err *e)
{
    const char *name = s->args.operand[1];
    struct change ch = {
        .tell = {
            .verb = TELL_ADMIN, .kind = TELL_K_TOKEN, .act = TELL_A_ADD, .name = span_of(name)}};
    char when[INSTANT_MAX] = "", token[256], collection[64] = "";
    int64_t ends_us;

    if (ends_option(s, &ends_us, when, e))
        return -1;
    const char *scope = args_text(s, "scope"), *staff = args_text(s, "staff");
    const char *ceiling = args_text(s, "ceiling");
    pair(&ch, "user", args_text(s, "user"));
    pair(&ch, "scope", scope ? scope : "read");
    pair(&ch, "ends", when[0] ? when : NULL);
    pair(&ch, "ceiling", ceiling ? ceiling : "TLP:AMBER");
    pair(&ch, "staff", staff ? staff : "no");
    pair(&ch, "exercise", args_text(s, "exercise"));
    pair(&ch, "group", args_text(s, "group"));
    pair(&ch, "profile", args_text(s, "profile"));
    const struct json *a = client_tell(c, &ch.tell, e);
    if (!a)
        return -1;
    struct auth_msg m = {.verb = AUTH_V_MAKE_TOKEN,
                         .principal = number_of(a, "principal"),
                         .epoch = number_of(a, "epoch"),
                         .expires_us = ends_us};
    a = client_auth(c, &m, e);
    if (!a)
        return -1;
    struct span text = json_text(a, "token");
    (void)snprintf(token, sizeof token, "%.*s", (int)text.n, text.p);
    if (first_collection(s, c, name, collection, e))
        return -1;
    if (s->json)
        put("{\"token\":\"%s\",\"collection\":\"%s\"}\n", token, collection);
    else
        put_token(s, client_config(c), token, collection);
    mem_wipe(token, sizeof token);
    return 0;
}

static int
remove_principal(struct session *s, enum tell_kind kind, struct client *c, struct err *e)
{
    struct tell t = {.verb = TELL_ADMIN,
                     .kind = kind,
                     .act = TELL_A_REMOVE,
                     .name = span_of(s->args.operand[1])};
    const struct json *a = client_tell(c, &t, e);

    if (!a)
        return -1;
    struct auth_msg m = {.verb = AUTH_V_REMOVE, .principal = number_of(a, "principal")};
    if (!client_auth(c, &m, e))
        return -1;
    say(s, "removed %s", s->args.operand[1]);
    return 0;
}

int
cmd_token(struct session *s)
{
    struct err e = ERR_INIT;
    enum tell_act act = TELL_A_NONE;

    if (strcmp(s->args.operand[0], "list") == 0)
        return list(s, "tokens", show_token);
    if (act_of(s, &act, &e))
        return fail(s, &e);
    if (act == TELL_A_SET) {
        (void)err_set(&e, ERR_USAGE, "a token is never widened: remove it and add another");
        return fail(s, &e);
    }
    struct client *c = client_open(s, &e);
    int bad =
        !c || (act == TELL_A_ADD ? token_add(s, c, &e) : remove_principal(s, TELL_K_TOKEN, c, &e));
    int status = bad ? fail(s, &e) : EXIT_OK;
    client_close(c);
    return put_end(s, status);
}

/* -- groups, organisations, settings
 * --------------------------------------------------------------- */

static void
show_group(const struct json *r)
{
    const struct json *members = json_get(r, "members");

    column(json_text(r, "name"), 16);
    put("generation %lld, newcomers %s the past: ", (long long)number_of(r, "generation"),
        true_of(r, "sees_past") ? "see" : "do not see");
    for (const struct json *m = members ? members->child : NULL; m; m = m->next) {
        put_clean(m->text);
        put("%s", m->next ? ", " : "");
    }
    put("\n");
}

static void
show_org(const struct json *r)
{
    column(json_text(r, "name"), 16);
    column(json_text(r, "title"), 28);
    if (true_of(r, "own"))
        put("this node's own  ");
    if (json_text(r, "member_of").n) {
        put("constituent of ");
        put_clean(json_text(r, "member_of"));
        put("  ");
    }
    put_clean(json_text(r, "identity"));
    put("\n");
}

static int
admin(struct session *s, struct change *ch)
{
    struct err e = ERR_INIT;
    struct client *c = client_open(s, &e);
    const struct json *a = c ? client_tell(c, &ch->tell, &e) : NULL;
    int status = a ? EXIT_OK : fail(s, &e);

    if (a && !put_json(s, c)) {
        put_clean(json_text(a, "kind"));
        put(" ");
        put_clean(json_text(a, "name"));
        put(ch->tell.act == TELL_A_REMOVE ? " removed\n" : " stands\n");
        if (number_of(a, "appears"))
            put("  %lld older publications appear to the new members\n",
                (long long)number_of(a, "appears"));
    }
    client_close(c);
    return put_end(s, status);
}

static int
change_begin(struct session *s, enum tell_kind kind, struct change *ch, struct err *e)
{
    *ch = (struct change){.tell = {.verb = TELL_ADMIN, .kind = kind}};
    if (act_of(s, &ch->tell.act, e))
        return -1;
    ch->tell.name = span_of(s->args.operand[1]);
    return 0;
}

int
cmd_group(struct session *s)
{
    struct err e = ERR_INIT;
    struct change ch;
    const char *v;
    size_t at = 0;

    if (strcmp(s->args.operand[0], "list") == 0)
        return list(s, "groups", show_group);
    if (change_begin(s, TELL_K_GROUP, &ch, &e))
        return fail(s, &e);
    pair(&ch, "title", args_text(s, "title"));
    pair(&ch, "charter", args_text(s, "charter"));
    pair(&ch, "sees_past", args_text(s, "past"));
    while ((v = args_each(s, "add", &at)) != NULL)
        pair(&ch, "member+", v);
    at = 0;
    while ((v = args_each(s, "drop", &at)) != NULL)
        pair(&ch, "member-", v);
    return admin(s, &ch);
}

int
cmd_org(struct session *s)
{
    struct err e = ERR_INIT;
    struct change ch;
    char when[INSTANT_MAX];
    int64_t ends_us;

    if (strcmp(s->args.operand[0], "list") == 0)
        return list(s, "orgs", show_org);
    if (change_begin(s, TELL_K_ORG, &ch, &e) || ends_option(s, &ends_us, when, &e))
        return fail(s, &e);
    pair(&ch, "title", args_text(s, "title"));
    pair(&ch, "identity", args_text(s, "identity"));
    pair(&ch, "member_of", args_text(s, "member"));
    pair(&ch, "kind", args_text(s, "kind"));
    pair(&ch, "ends", when[0] ? when : NULL);
    return admin(s, &ch);
}

static void
show_setting(const struct json *m)
{
    column(m->key, 16);
    put_clean(m->text);
    put("\n");
}

int
cmd_setting(struct session *s)
{
    struct err e = ERR_INIT;

    if (strcmp(s->args.operand[0], "list") == 0)
        return list(s, "settings", show_setting);
    if (s->args.operands < 2) {
        (void)err_set(&e, ERR_USAGE, "a name and its value, or list");
        return fail(s, &e);
    }
    struct change ch = {.tell = {.verb = TELL_ADMIN,
                                 .kind = TELL_K_SETTING,
                                 .act = TELL_A_SET,
                                 .name = span_of(s->args.operand[0])}};
    pair(&ch, "value", s->args.operand[1]);
    return admin(s, &ch);
}

static void
show_binding(const struct json *r)
{
    put_clean(json_text(r, "identity"));
    put("  ");
    put_clean(json_text(r, "organisation"));
    put("\n");
}

int
cmd_binding(struct session *s)
{
    struct err e = ERR_INIT;
    struct change ch;

    if (strcmp(s->args.operand[0], "list") == 0)
        return list(s, "bindings", show_binding);
    if (change_begin(s, TELL_K_BINDING, &ch, &e))
        return fail(s, &e);
    pair(&ch, "organisation", args_text(s, "org"));
    return admin(s, &ch);
}

static void
show_audit(const struct json *a)
{
    const struct json *rows = json_get(a, "audit");

    for (const struct json *r = rows ? rows->child : NULL; r; r = r->next) {
        put_when(json_text(r, "time"));
        put("  ");
        column(json_text(r, "by"), 12);
        column(json_text(r, "act"), 12);
        put_clean(json_text(r, "what"));
        put("  ");
        put_clean(json_text(r, "result"));
        put("\n");
    }
}

int
cmd_audit(struct session *s)
{
    struct err e = ERR_INIT;
    struct ask q = {.verb = ASK_AUDIT};

    if (limit_option(s, 50, &q.q.limit, &e))
        return fail(s, &e);
    return ask_and_show(s, &q, show_audit);
}
