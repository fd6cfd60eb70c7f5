/*
 * main/main.c - the program's entry: a command from the table, or a child of the parent.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "child.h"
#include "cmd.h"
#include "command.h"
#include "intake_child.h"

static int
child(const char *role)
{
    if (strcmp(role, "intake") == 0)
        return intake_child_main();
    for (int r = NODE_PARENT + 1; r < NODE_ROLES; r++)
        if (strcmp(role, node_role_name((enum node_role)r)) == 0)
            return child_main((enum node_role)r);
    return EXIT_USAGE;
}

static int
print_help(void (*what)(struct buf *out))
{
    struct buf b;

    buf_init(&b, 1u << 20);
    what(&b);
    put_bytes(buf_view(&b));
    buf_clear(&b);
    return put_end(NULL, EXIT_OK);
}

/* For the build: every manual page, from the table. */
static int
print_manual(const char *name)
{
    const struct command *c = command_find(name);
    struct buf b;

    if (strcmp(name, "jaga") == 0)
        return print_help(help_main_manual);
    if (strcmp(name, "jaga.conf") == 0)
        return print_help(help_config_manual);
    if (!c)
        return EXIT_USAGE;
    buf_init(&b, 1u << 20);
    help_manual(c, &b);
    put_bytes(buf_view(&b));
    buf_clear(&b);
    return put_end(NULL, EXIT_OK);
}

/* Options before the command's name; the index of the name, or argc. */
static int
before_command(struct session *s, int argc, char **argv)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-C") == 0 && i + 1 < argc)
            s->dir = argv[++i];
        else if (strncmp(argv[i], "-C", 2) == 0 && argv[i][2])
            s->dir = argv[i] + 2;
        else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc)
            s->dir = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            s->json = true;
        else if (strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0)
            s->quiet = true;
        else if (strcmp(argv[i], "-v") == 0 || strcmp(argv[i], "--verbose") == 0)
            s->loud = true;
        else
            return -i;
    }
    return i;
}

int
main(int argc, char **argv)
{
    struct session s = {0};
    struct err e = ERR_INIT;

    if (argc == 3 && strcmp(argv[1], "--role") == 0)
        return child(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--manual") == 0)
        return print_manual(argv[2]);
    if (argc >= 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        put("jaga " JAGA_VERSION "\n");
        return put_end(NULL, EXIT_OK);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    int at = before_command(&s, argc, argv);
    if (at < 0 && (strcmp(argv[-at], "-h") == 0 || strcmp(argv[-at], "--help") == 0))
        return print_help(help_list);
    if (at < 0) {
        (void)fprintf(stderr, "jaga: unknown option %s; jaga help shows more\n", argv[-at]);
        return EXIT_USAGE;
    }
    if (at == argc) {
        (void)print_help(help_list);
        return EXIT_USAGE;
    }
    s.command = command_find(argv[at]);
    if (!s.command) {
        const char *guess = command_guess(argv[at]);
        (void)fprintf(stderr, "jaga: no command '%s'", argv[at]);
        if (guess)
            (void)fprintf(stderr, "; did you mean '%s'?\n", guess);
        else
            (void)fprintf(stderr, "; jaga help lists them\n");
        return EXIT_USAGE;
    }
    if (args_read(&s, argc - at - 1, argv + at + 1, &e))
        return fail(&s, &e);
    if (args_flag(&s, "help")) {
        s.args.operands = 1;
        s.args.operand[0] = s.command->name;
        return cmd_help(&s);
    }
    return s.command->run(&s);
}
