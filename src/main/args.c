#include <stdlib.h>
#include <string.h>
#include "command.h"

/* Options of every command; the two groups below belong to some. */
static const struct option common[] = {
    {"dir", 'C', "DIR", "the data folder (else $JAGA_DIR, else ./node)"},
    {"json", 0, NULL, "print JSON"},
    {"quiet", 'q', NULL, "say less"},
    {"verbose", 'v', NULL, "say more"},
    {"help", 'h', NULL, "show help"},
    {"as", 0, "PRINCIPAL", "read as this user or token would"},
    {"exercise", 0, NULL, "the exercise side instead of the live one"},
    {"dry-run", 'n', NULL, "show what would happen, and do nothing"},
};
#define COMMON_N (sizeof common / sizeof common[0])

static bool
allowed(const struct command *c, const struct option *o)
{
    if (strcmp(o->name, "as") == 0)
        return (c->flags & CMD_READS) != 0;
    if (strcmp(o->name, "exercise") == 0)
        return (c->flags & (CMD_READS | CMD_SIDE)) != 0;
    if (strcmp(o->name, "dry-run") == 0)
        return (c->flags & CMD_DRY) != 0;
    return true;
}

static const struct option *
find_long(const struct command *c, const char *name, size_t n)
{
    for (const struct option *o = c->options; o && o->name; o++)
        if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
            return o;
    for (size_t i = 0; i < COMMON_N; i++)
        if (strlen(common[i].name) == n && memcmp(common[i].name, name, n) == 0 &&
            allowed(c, &common[i]))
            return &common[i];
    return NULL;
}

static const struct option *
find_short(const struct command *c, char letter)
{
    for (const struct option *o = c->options; o && o->name; o++)
        if (o->letter == letter)
            return o;
    for (size_t i = 0; i < COMMON_N; i++)
        if (common[i].letter == letter && allowed(c, &common[i]))
            return &common[i];
    return NULL;
}

static int
keep(struct session *s, const struct option *o, const char *value, struct err *e)
{
    if (o >= common && o < common + COMMON_N) {
        switch (o - common) {
        case 0:
            s->dir = value;
            return 0;
        case 1:
            s->json = true;
            return 0;
        case 2:
            s->quiet = true;
            return 0;
        case 3:
            s->loud = true;
            return 0;
        case 5:
            s->as = value;
            return 0;
        case 6:
            s->exercise = true;
            return 0;
        case 7:
            s->dry = true;
            return 0;
        default:
            break;
        }
    }
    if (s->args.n == OPTIONS_MAX)
        return err_set(e, ERR_USAGE, "too many options");
    s->args.set[s->args.n] = o;
    s->args.value[s->args.n++] = value;
    return 0;
}

static int
unknown(struct err *e, const char *arg)
{
    (void)err_set(e, ERR_USAGE, "unknown option");
    return err_place(e, "%s", arg);
}

static int
take_long(struct session *s, char **argv, int argc, int *at, struct err *e)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    const struct option *o =
        find_long(s->command, name, equals ? (size_t)(equals - name) : strlen(name));
    const char *value = equals ? equals + 1 : NULL;

    if (!o)
        return unknown(e, argv[*at]);
    if (!o->arg && equals) {
        (void)err_set(e, ERR_USAGE, "this option takes no value");
        return err_place(e, "--%s", o->name);
    }
    if (o->arg && !equals) {
        if (*at + 1 >= argc) {
            (void)err_set(e, ERR_USAGE, "this option needs a value");
            return err_place(e, "--%s %s", o->name, o->arg);
        }
        value = argv[++*at];
    }
    return keep(s, o, value, e);
}

static int
take_short(struct session *s, char **argv, int argc, int *at, struct err *e)
{
    for (const char *p = argv[*at] + 1; *p; p++) {
        const struct option *o = find_short(s->command, *p);
        if (!o)
            return unknown(e, argv[*at]);
        if (!o->arg) {
            if (keep(s, o, NULL, e))
                return -1;
            continue;
        }
        if (p[1])
            return keep(s, o, p + 1, e);
        if (*at + 1 >= argc) {
            (void)err_set(e, ERR_USAGE, "this option needs a value");
            return err_place(e, "-%c %s", o->letter, o->arg);
        }
        return keep(s, o, argv[++*at], e);
    }
    return 0;
}

int
args_read(struct session *s, int argc, char **argv, struct err *e)
{
    bool options = true;

    s->args = (struct args){.operand = (const char **)argv};
    for (int i = 0; i < argc; i++) {
        const char *a = argv[i];
        if (options && strcmp(a, "--") == 0) {
            options = false;
        } else if (options && a[0] == '-' && a[1] == '-') {
            if (take_long(s, argv, argc, &i, e))
                return -1;
        } else if (options && a[0] == '-' && a[1]) {
            if (take_short(s, argv, argc, &i, e))
                return -1;
        } else {
            /* Operands move to the front of argv: always at or before where we read. */
            s->args.operand[s->args.operands++] = a;
        }
    }
    if (s->args.operands < s->command->least)
        return err_set(e, ERR_USAGE, "something is missing");
    if (s->args.operands > s->command->most) {
        (void)err_set(e, ERR_USAGE, "one too many");
        return err_place(e, "%s", s->args.operand[s->command->most]);
    }
    return 0;
}

bool
args_flag(const struct session *s, const char *name)
{
    for (size_t i = 0; i < s->args.n; i++)
        if (strcmp(s->args.set[i]->name, name) == 0)
            return true;
    return false;
}

const char *
args_each(const struct session *s, const char *name, size_t *at)
{
    while (*at < s->args.n) {
        size_t i = (*at)++;
        if (strcmp(s->args.set[i]->name, name) == 0)
            return s->args.value[i];
    }
    return NULL;
}

const char *
args_text(const struct session *s, const char *name)
{
    const char *found = NULL, *v;
    size_t at = 0;

    /* The last one counts, so that an alias of a shell can be overridden. */
    while ((v = args_each(s, name, &at)) != NULL)
        found = v;
    return found;
}
