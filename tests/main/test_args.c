#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "command.h"

/* A command line behind the command's name, cut at spaces. */
static int
read_line(struct session *s, const char *command, const char *line, struct err *e)
{
    static char text[1000];
    static char *argv[100];
    int argc = 0;

    (void)snprintf(text, sizeof text, "%s", line);
    for (char *p = strtok(text, " "); p; p = strtok(NULL, " "))
        argv[argc++] = p;
    *s = (struct session){.command = command_find(command)};
    assert_non_null(s->command);
    return args_read(s, argc, argv, e);
}

static void
good_lines(void **state)
{
    struct session s;
    struct err e = ERR_INIT;
    size_t at = 0;

    (void)state;
    assert_int_equal(read_line(&s, "import", "a.json --tlp TLP:GREEN b.json -n", &e), 0);
    assert_int_equal(s.args.operands, 2);
    assert_string_equal(s.args.operand[0], "a.json");
    assert_string_equal(s.args.operand[1], "b.json");
    assert_string_equal(args_text(&s, "tlp"), "TLP:GREEN");
    assert_true(s.dry);
    assert_null(args_text(&s, "group"));
    assert_int_equal(read_line(&s, "import", "--tlp=TLP:RED -gbanking --quarantine -", &e), 0);
    assert_string_equal(args_text(&s, "tlp"), "TLP:RED");
    assert_string_equal(args_text(&s, "group"), "banking");
    assert_true(args_flag(&s, "quarantine"));
    assert_string_equal(s.args.operand[0], "-");
    assert_int_equal(read_line(&s, "search", "-C /x --json -qv -- --odd", &e), 0);
    assert_string_equal(s.dir, "/x");
    assert_true(s.json && s.quiet && s.loud);
    assert_string_equal(s.args.operand[0], "--odd");
    assert_int_equal(read_line(&s, "group", "add g --add a --add b --add c", &e), 0);
    assert_string_equal(args_each(&s, "add", &at), "a");
    assert_string_equal(args_each(&s, "add", &at), "b");
    assert_string_equal(args_each(&s, "add", &at), "c");
    assert_null(args_each(&s, "add", &at));
    assert_int_equal(read_line(&s, "search", "--type a --type b", &e), 0);
    assert_string_equal(args_text(&s, "type"), "b");
}

static void
bad_lines(void **state)
{
    static const struct {
        const char *command, *line, *place;
    } cases[] = {
        {"import", "", ""},
        {"import", "a --tlp", "--tlp LABEL"},
        {"import", "a --nonsense", "--nonsense"},
        {"import", "a --quarantine=yes", "--quarantine"},
        {"import", "a -Z", "-Z"},
        {"import", "a -g", "-g GROUP"},
        {"import", "a --as bob", "--as"}, /* import reads for nobody else */
        {"get", "", ""},
        {"get", "a b", "b"},
        {"get", "a -n", "-n"}, /* changes nothing, so has nothing to show */
        {"why", "a", ""},
        {"init", "extra", "extra"},
        {"search", "--limi 3", "--limi"}, /* no abbreviations: scripts would break later */
        {"status", "-", "-"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct session s;
        struct err e = ERR_INIT;
        assert_int_equal(read_line(&s, cases[i].command, cases[i].line, &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
        assert_string_equal(e.place, cases[i].place);
    }
}

static void
guesses(void **state)
{
    (void)state;
    assert_string_equal(command_guess("improt"), "import");
    assert_string_equal(command_guess("serach"), "search");
    assert_string_equal(command_guess("withdra"), "withdraw");
    assert_null(command_guess("frobnicate"));
    assert_null(command_guess(""));
    assert_null(command_find("Import"));
}

/* What the table says of each command can be shown in each form. */
static void
the_table_is_whole(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1u << 20);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        assert_non_null(c->run);
        assert_true(c->least <= c->most);
        assert_true(strlen(c->summary) > 8 && strlen(c->summary) < 70);
        assert_true(c->summary[strlen(c->summary) - 1] != '.');
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(command_table[j].name, c->name);
        for (const struct option *o = c->options; o && o->name; o++) {
            assert_non_null(o->help);
            for (const struct option *p = c->options; p < o; p++) {
                assert_string_not_equal(p->name, o->name);
                assert_true(!o->letter || p->letter != o->letter);
            }
        }
        /* Every example is a line of this program, with its meaning behind a tab. */
        assert_non_null(strchr(c->examples, '\t'));
        buf_reset(&b);
        help_command(c, &b);
        assert_true(!b.failed && b.n > 100);
        buf_reset(&b);
        help_manual(c, &b);
        assert_true(!b.failed && b.n > 200 && memcmp(b.p, ".Dd ", 4) == 0);
    }
    buf_reset(&b);
    assert_int_equal(help_completion("bash", &b), 0);
    assert_int_equal(help_completion("zsh", &b), 0);
    assert_int_equal(help_completion("fish", &b), 0);
    assert_int_equal(help_completion("csh", &b), -1);
    assert_false(b.failed);
    buf_clear(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(guesses),
        cmocka_unit_test(the_table_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
