/* Sharing and taking back: publish, revoke, withdraw, who, why. */
#include "cmd.h"

static void
put_audience_list(const struct json *list)
{
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        put("  TLP:");
        put_clean(json_text(m, "label"));
        put(" ");
        put_clean(json_text(m, "group"));
        put("\n");
    }
}

static void
show_published(const struct json *a)
{
    put_clean(json_text(a, "id"));
    put("  ");
    put_clean(json_text(a, "outcome"));
    put("\n");
    put_audience_list(json_get(a, "audiences"));
}

int
cmd_publish(struct session *s)
{
    struct tell t = {.verb = TELL_PUBLISH,
                     .id = span_of(s->args.operand[0]),
                     .label = span_of(args_text(s, "tlp")),
                     .group = span_of(args_text(s, "group")),
                     .person = span_of(args_text(s, "person"))};

    if (t.group.n == 0 && t.person.n == 0) {
        struct err e = ERR_INIT;
        (void)err_set(&e, ERR_USAGE, "to whom? --group GROUP or --person USER");
        return fail(s, &e);
    }
    return tell_and_show(s, &t, show_published);
}

static void
show_revoked(const struct json *a)
{
    put("revoked ");
    put_clean(json_text(a, "id"));
    put(", version ");
    put_clean(json_text(a, "version"));
    put("\n");
    put_audience_list(json_get(a, "audiences"));
}

int
cmd_revoke(struct session *s)
{
    struct tell t = {.verb = TELL_REVOKE, .id = span_of(s->args.operand[0])};

    return tell_and_show(s, &t, show_revoked);
}

static void
show_withdrawn(const struct json *a)
{
    const struct json *served = json_get(a, "served"), *edges = json_get(a, "edges");

    put("withdrawn ");
    put_clean(json_text(a, "id"));
    put(": %lld erased, %lld of them copies\n", (long long)number_of(a, "erased"),
        (long long)number_of(a, "copies"));
    put(served && served->child ? "had been served to\n" : "had been served to nobody\n");
    put_served(served, "  ", "  ");
    if (edges && edges->child) {
        put("still named by\n");
        for (const struct json *m = edges->child; m; m = m->next) {
            put("  ");
            put_clean(m->text);
            put("\n");
        }
    }
    if (json_text(a, "note").n) {
        put_clean(json_text(a, "note"));
        put("\n");
    }
}

int
cmd_withdraw(struct session *s)
{
    struct tell t = {.verb = TELL_WITHDRAW, .id = span_of(s->args.operand[0])};

    return tell_and_show(s, &t, show_withdrawn);
}

/* What was withdrawn, each with those who had it by then. */
static void
show_gone(const struct json *list)
{
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        const struct json *served = json_get(m, "served");

        put("withdrawn from TLP:");
        put_clean(json_text(m, "label"));
        put(" ");
        put_clean(json_text(m, "group"));
        put(" at ");
        put_clean(json_text(m, "withdrawn"));
        put(", published at ");
        put_clean(json_text(m, "published"));
        put(served && served->child ? "; had been served by then\n"
                                    : "; nobody had been served it\n");
        put_served(served, "  ", "  ");
    }
}

static void
show_who(const struct json *a)
{
    const struct json *list = json_get(a, "audiences"), *served = json_get(a, "served");

    put(list && list->child ? "can see it\n" : "can see it: nobody, it was withdrawn\n");
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        put("  TLP:");
        put_clean(json_text(m, "label"));
        put(" ");
        put_clean(json_text(m, "group"));
        put("\n");
        const struct json *who = json_get(m, "principals");
        for (const struct json *p = who ? who->child : NULL; p; p = p->next) {
            put("    ");
            put_clean(json_text(p, "name"));
            put(" (");
            put_clean(json_text(p, "organisation"));
            put("%s)\n", true_of(p, "staff") ? ", staff" : "");
        }
    }
    if (list && list->child) {
        put(served && served->child ? "has been served it\n" : "has been served it: nobody\n");
        put_served(served, "  ", "  ");
    }
    show_gone(json_get(a, "withdrawn"));
}

int
cmd_who(struct session *s)
{
    struct ask q = {.verb = ASK_WHO, .id = span_of(s->args.operand[0])};

    return ask_and_show(s, &q, show_who);
}

static void
show_why(const struct json *a)
{
    put_clean(json_text(a, "principal"));
    put(true_of(a, "sees") ? " sees it: " : " does not see it: ");
    put_clean(json_text(a, "why"));
    put("\n");
}

int
cmd_why(struct session *s)
{
    struct ask q = {
        .verb = ASK_WHY, .id = span_of(s->args.operand[0]), .text = span_of(s->args.operand[1])};

    return ask_and_show(s, &q, show_why);
}
