#include <string.h>
#include "command.h"
#include "config.h"

static void
paragraphs(const char *text, struct buf *out, const char *between)
{
    const char *gap;

    while ((gap = strstr(text, "\n\n")) != NULL) {
        buf_put(out, text, (size_t)(gap - text));
        buf_str(out, between);
        text = gap + 2;
    }
    buf_str(out, text);
}

void
help_list(struct buf *out)
{
    const char *section = "";

    buf_str(out, "jaga keeps, guards and serves threat information for a national CERT.\n\n"
                 "usage: jaga [-C DIR] [--json] [-q] [-v] COMMAND [OPTION...] [OPERAND...]\n");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        if (c->flags & CMD_HIDDEN)
            continue;
        if (strcmp(section, c->section) != 0)
            buf_printf(out, "\n%s\n", c->section);
        section = c->section;
        buf_printf(out, "  %-10s %s\n", c->name, c->summary);
    }
    buf_str(out, "\njaga help COMMAND says more.\n");
}

static void
option_line(const struct option *o, struct buf *out)
{
    char left[64];
    struct buf b;

    buf_init_fixed(&b, left, sizeof left);
    if (o->letter)
        buf_printf(&b, "-%c, ", o->letter);
    buf_printf(&b, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
    buf_printf(out, "  %-24.*s %s\n", (int)b.n, left, o->help);
}

void
help_command(const struct command *c, struct buf *out)
{
    buf_printf(out, "jaga %s - %s\n\nusage: jaga %s%s%s%s\n\n", c->name, c->summary, c->name,
               c->options ? " [OPTION...]" : "", c->operands[0] ? " " : "", c->operands);
    paragraphs(c->text, out, "\n\n");
    buf_str(out, "\n");
    if (c->options) {
        buf_str(out, "\noptions:\n");
        for (const struct option *o = c->options; o->name; o++)
            option_line(o, out);
    }
    buf_str(out, "\nas everywhere:\n");
    buf_str(out, "  -C DIR                   the data folder (else $JAGA_DIR, else ./node)\n"
                 "  --json                   print JSON\n");
    if (c->flags & CMD_READS)
        buf_str(out, "  --as PRINCIPAL           read as this user or token would\n");
    if (c->flags & (CMD_READS | CMD_SIDE))
        buf_str(out, "  --exercise               the exercise side instead of the live one\n");
    if (c->flags & CMD_DRY)
        buf_str(out, "  -n, --dry-run            show what would happen, and do nothing\n");
    if (c->examples[0]) {
        struct span all = span_of(c->examples), line, command;
        buf_str(out, "\nexamples:\n");
        while (span_split(&all, '\n', &line)) {
            if (!span_split(&line, '\t', &command))
                continue;
            buf_printf(out, "  %.*s\n      %.*s\n", (int)command.n, command.p, (int)line.n,
                       line.n ? line.p : "");
        }
    }
}

/* -- manual pages --------------------------------------------------------------------------------
 */

/* mdoc takes a leading dot or quote as a request, and a backslash as an escape. */
static void
roff(struct span s, struct buf *out)
{
    bool fresh = true;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ' ' && i > 0 && s.p[i - 1] == '.') {
            /* mdoc wants each sentence on a line of its own. */
            while (i + 1 < s.n && s.p[i + 1] == ' ')
                i++;
            c = '\n';
        }
        if (fresh && (c == '.' || c == '\''))
            buf_str(out, "\\&");
        if (c == '\\')
            buf_str(out, "\\e");
        else if (c == '-')
            buf_str(out, "\\-");
        else
            buf_put(out, &c, 1);
        fresh = c == '\n';
    }
}

static void
roff_paragraphs(const char *text, struct buf *out)
{
    struct span s = span_of(text);
    bool first = true;

    while (s.n) {
        ptrdiff_t gap = span_find_span(s, SPAN("\n\n"));
        struct span p = gap < 0 ? s : span_part(s, 0, (size_t)gap);
        if (!first)
            buf_str(out, ".Pp\n");
        roff(p, out);
        buf_str(out, "\n");
        s = gap < 0 ? (struct span){NULL, 0} : span_part(s, (size_t)gap + 2, s.n);
        first = false;
    }
}

static void
roff_option(const struct option *o, struct buf *out)
{
    buf_str(out, ".It ");
    if (o->letter)
        buf_printf(out, "Fl %c%s%s , ", o->letter, o->arg ? " Ar " : "", o->arg ? o->arg : "");
    buf_printf(out, "Fl \\-%s%s%s\n", o->name, o->arg ? " Ar " : "", o->arg ? o->arg : "");
    roff(span_of(o->help), out);
    buf_str(out, "\n");
}

static void
manual_end(struct buf *out)
{
    buf_str(out, ".Sh EXIT STATUS\n"
                 "0 all is well, 1 failed, 2 wrong usage, 3 done and partly refused.\n");
}

void
help_manual(const struct command *c, struct buf *out)
{
    buf_printf(out, ".Dd November 24, 2026\n.Dt JAGA-%s 1\n.Os\n.Sh NAME\n.Nm jaga-%s\n.Nd ",
               c->name, c->name);
    roff(span_of(c->summary), out);
    buf_printf(out, "\n.Sh SYNOPSIS\n.Nm jaga %s\n%s", c->name,
               c->options ? ".Op Ar option ...\n" : "");
    if (c->operands[0])
        buf_printf(out, ".Ar %s\n", c->operands);
    buf_str(out, ".Sh DESCRIPTION\n");
    if (c->text[0])
        roff_paragraphs(c->text, out);
    else
        buf_printf(out, "In short: %s.\n", c->summary);
    if (c->options) {
        buf_str(out, ".Pp\nThe options are:\n.Bl -tag -width Ds\n");
        for (const struct option *o = c->options; o->name; o++)
            roff_option(o, out);
        buf_str(out, ".El\n");
    }
    buf_str(out, ".Pp\nOptions that all commands know are in\n.Xr jaga 1 .\n");
    manual_end(out);
    if (c->examples[0]) {
        struct span all = span_of(c->examples), line, command;
        buf_str(out, ".Sh EXAMPLES\n");
        while (span_split(&all, '\n', &line)) {
            if (!span_split(&line, '\t', &command))
                continue;
            roff(line, out);
            buf_str(out, ":\n.Dl $ ");
            roff(command, out);
            buf_str(out, "\n");
        }
    }
    buf_str(out, ".Sh SEE ALSO\n.Xr jaga 1\n");
}

void
help_main_manual(struct buf *out)
{
    const char *section = "";

    buf_str(out,
            ".Dd November 24, 2026\n.Dt JAGA 1\n.Os\n.Sh NAME\n.Nm jaga\n"
            ".Nd the node of a national CERT: keeps, guards and serves threat information\n"
            ".Sh SYNOPSIS\n.Nm jaga\n.Op Fl C Ar dir\n.Op Fl \\-json\n.Op Fl q\n.Op Fl v\n"
            ".Ar command\n.Op Ar option ...\n.Op Ar operand ...\n.Sh DESCRIPTION\n"
            "The options of every command are:\n.Bl -tag -width Ds\n"
            ".It Fl C Ar dir , Fl \\-dir Ar dir\n"
            "The data folder; else\n.Ev JAGA_DIR ,\nelse\n.Pa ./node .\n"
            ".It Fl \\-json\nPrint JSON on standard output.\n"
            ".It Fl q , Fl \\-quiet\nSay less.\n.It Fl v , Fl \\-verbose\nSay more.\n"
            ".It Fl n , Fl \\-dry\\-run\nShow what would happen (commands that change something).\n"
            ".It Fl \\-as Ar principal\nRead as that user or token would (commands that read).\n"
            ".It Fl \\-exercise\nThe exercise side instead of the live one.\n.El\n.Pp\n"
            "Data goes to standard output, talk to standard error.\n");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        if (c->flags & CMD_HIDDEN)
            continue;
        if (strcmp(section, c->section) != 0)
            buf_printf(out, "%s.Ss %s\n.Bl -tag -width Ds\n", section[0] ? ".El\n" : "",
                       c->section);
        section = c->section;
        buf_printf(out, ".It Xr jaga-%s 1\n", c->name);
        roff(span_of(c->summary), out);
        buf_str(out, "\n");
    }
    buf_str(out, ".El\n.Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev JAGA_DIR\nThe data folder.\n"
                 ".El\n");
    manual_end(out);
}

void
help_config_manual(struct buf *out)
{
    buf_str(out, ".Dd November 24, 2026\n.Dt JAGA.CONF 5\n.Os\n.Sh NAME\n.Nm jaga.conf\n"
                 ".Nd the configuration of a node\n.Sh DESCRIPTION\n"
                 "The file lies in the data folder.\n"
                 "A line holds a name, white space and a value;\n"
                 ".Sq #\nbegins a comment.\n"
                 "It is read as a whole when the node starts; a bad file changes nothing.\n"
                 ".Ic jaga config\nprints, checks and changes it.\n"
                 "What decides who sees what is no part of it: see\n.Xr jaga-setting 1 .\n"
                 ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < config_count; i++) {
        const struct config_entry *t = &config_table[i];
        buf_printf(out, ".It Ic %s Ar %s\n", t->name, t->type == CONFIG_INT ? "number" : "value");
        roff(span_of(t->help), out);
        buf_str(out, ".\n");
        if (t->type == CONFIG_INT)
            buf_printf(out, "From %lld to %lld%s%s.\n", (long long)t->least, (long long)t->most,
                       t->unit[0] ? " " : "", t->unit);
        if (t->preset[0])
            buf_printf(out, "The default is\n.Ql %s .\n", t->preset);
    }
    buf_str(out, ".El\n.Sh FILES\n.Bl -tag -width Ds\n.It Pa jaga.conf\nThis file.\n"
                 ".It Pa data/ , auth/\nThe stores.\n.It Pa tls/\nCertificate and key.\n.El\n"
                 ".Sh EXAMPLES\n.Bd -literal -offset indent\n"
                 "name     Example CERT\ncountry  TH\n"
                 "listen   192.0.2.10:8443\nlisten   127.0.0.1:8444 TLP:GREEN\n.Ed\n"
                 ".Sh SEE ALSO\n.Xr jaga 1 ,\n.Xr jaga-config 1\n");
}

/* -- completion ----------------------------------------------------------------------------------
 */

static void
names(struct buf *out)
{
    bool first = true;

    for (size_t i = 0; i < command_count; i++)
        if (!(command_table[i].flags & CMD_HIDDEN)) {
            buf_printf(out, "%s%s", first ? "" : " ", command_table[i].name);
            first = false;
        }
}

static void
option_names(const struct command *c, struct buf *out)
{
    buf_str(out, "--json --quiet --verbose");
    if (c->flags & CMD_READS)
        buf_str(out, " --as");
    if (c->flags & (CMD_READS | CMD_SIDE))
        buf_str(out, " --exercise");
    if (c->flags & CMD_DRY)
        buf_str(out, " --dry-run");
    for (const struct option *o = c->options; o && o->name; o++)
        buf_printf(out, " --%s", o->name);
}

static void
completion_bash(struct buf *out)
{
    buf_str(out, "_jaga() {\n    local cur=${COMP_WORDS[COMP_CWORD]} i cmd=\n"
                 "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                 "        case ${COMP_WORDS[i]} in\n        -C) ((i++)) ;;\n        -*) ;;\n"
                 "        *) cmd=${COMP_WORDS[i]}; break ;;\n        esac\n    done\n"
                 "    case $cmd in\n    '') COMPREPLY=($(compgen -W '");
    names(out);
    buf_str(out, "' -- \"$cur\")) ;;\n");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        buf_printf(out, "    %s)\n        [[ $cur == -* ]] && COMPREPLY=($(compgen -W '", c->name);
        option_names(c, out);
        buf_str(out, "' -- \"$cur\")) ;;\n");
    }
    buf_str(out, "    esac\n    return 0\n}\ncomplete -o default -F _jaga jaga\n");
}

static void
completion_zsh(struct buf *out)
{
    buf_str(out,
            "#compdef jaga\n_arguments -C '-C[data folder]:folder:_files -/' '1: :->c' '*::o:->o'\n"
            "case $state in\nc)\n    local -a commands=(\n");
    for (size_t i = 0; i < command_count; i++)
        if (!(command_table[i].flags & CMD_HIDDEN)) {
            buf_printf(out, "        '%s:", command_table[i].name);
            for (const char *p = command_table[i].summary; *p; p++)
                buf_str(out, *p == '\'' ? "'\\''" : (const char[]){*p, 0});
            buf_str(out, "'\n");
        }
    buf_str(out, "    )\n    _describe command commands ;;\no)\n    case $words[1] in\n");
    for (size_t i = 0; i < command_count; i++) {
        buf_printf(out, "    %s) compadd -- ", command_table[i].name);
        option_names(&command_table[i], out);
        buf_str(out, "; _files ;;\n");
    }
    buf_str(out, "    esac ;;\nesac\n");
}

static void
completion_fish(struct buf *out)
{
    buf_str(out, "complete -c jaga -n __fish_use_subcommand -s C -r -d 'data folder'\n");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = &command_table[i];
        if (c->flags & CMD_HIDDEN)
            continue;
        buf_printf(out, "complete -c jaga -n __fish_use_subcommand -a %s -d \"%s\"\n", c->name,
                   c->summary);
        for (const struct option *o = c->options; o && o->name; o++)
            buf_printf(out,
                       "complete -c jaga -n '__fish_seen_subcommand_from %s' -l %s%s -d \"%s\"\n",
                       c->name, o->name, o->arg ? " -r" : "", o->help);
    }
}

int
help_completion(const char *shell, struct buf *out)
{
    if (strcmp(shell, "bash") == 0)
        completion_bash(out);
    else if (strcmp(shell, "zsh") == 0)
        completion_zsh(out);
    else if (strcmp(shell, "fish") == 0)
        completion_fish(out);
    else
        return -1;
    return 0;
}
