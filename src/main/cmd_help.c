/* help and completion: from the one table. */
#include <stdio.h>
#include "cmd.h"
#include "command.h"

#define HELP_MAX (1u << 20)

int
cmd_help(struct session *s)
{
    struct buf b;
    const char *name = s->args.operands ? s->args.operand[0] : NULL;
    const struct command *c = name ? command_find(name) : NULL;

    if (name && !c) {
        const char *guess = command_guess(name);
        (void)fprintf(stderr, "jaga: no command '%s'%s%s%s\n", name,
                      guess ? "; did you mean '" : "", guess ? guess : "", guess ? "'?" : "");
        return EXIT_USAGE;
    }
    buf_init(&b, HELP_MAX);
    if (c)
        help_command(c, &b);
    else
        help_list(&b);
    put_bytes(buf_view(&b));
    buf_clear(&b);
    return put_end(s, EXIT_OK);
}

int
cmd_completion(struct session *s)
{
    struct buf b;
    struct err e = ERR_INIT;

    buf_init(&b, HELP_MAX);
    if (help_completion(s->args.operand[0], &b)) {
        (void)err_set(&e, ERR_USAGE, "bash, zsh or fish");
        buf_clear(&b);
        return fail(s, &e);
    }
    put_bytes(buf_view(&b));
    buf_clear(&b);
    return put_end(s, EXIT_OK);
}
