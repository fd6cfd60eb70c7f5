/*
 * main/command.h - the commands, their options and their help: one table.
 *
 * The dispatcher, `jaga help`, the manual pages and the shell completion all come from it, so none
 * of them can say something else than the others.
 */
#ifndef JAGA_MAIN_COMMAND_H
#define JAGA_MAIN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include "buf.h"
#include "err.h"
#include "span.h"

/* Exit statuses, the same for each command. */
#define EXIT_OK     0
#define EXIT_FAILED 1
#define EXIT_USAGE  2
#define EXIT_PARTLY 3 /* done, and some of it was refused */

struct option {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    const char *arg;  /* NULL: a flag; else what it takes, as shown: "LABEL" */
    const char *help; /* one line */
};

#define OPTIONS_MAX  48
#define OPERANDS_MAX 65536 /* files of a shell's expansion */

struct args {
    const struct option *set[OPTIONS_MAX]; /* which were given */
    const char *value[OPTIONS_MAX];
    size_t n;
    const char **operand;
    size_t operands;
};

/* What every command is given.  Flags that all commands know are taken out of args. */
struct session {
    const char *dir; /* the data folder, as given */
    bool json;
    bool dry;       /* -n: show what would happen */
    bool quiet;     /* -q */
    bool loud;      /* -v */
    const char *as; /* --as PRINCIPAL, for reading commands */
    bool exercise;
    const struct command *command;
    struct args args;
};

enum command_flags {
    CMD_READS = 1, /* takes --as and --exercise */
    CMD_DRY = 2,   /* takes -n */
    CMD_HIDDEN = 4,
    CMD_SIDE = 8 /* takes --exercise alone */
};

struct command {
    const char *name;
    const char *section;  /* heading in `jaga help` */
    const char *operands; /* "FILE...|-" */
    const char *summary;  /* one line, no full stop */
    const char *text;     /* paragraphs, divided by an empty line */
    const char *examples; /* a line each: command, tab, what it does */
    unsigned flags;
    size_t least, most;           /* operands */
    const struct option *options; /* ends with a NULL name; may be NULL */
    int (*run)(struct session *s);
};

extern const struct command command_table[];
extern const size_t command_count;

const struct command *command_find(const char *name);
/* The name closest to a mistyped one, or NULL. */
const char *command_guess(const char *name);

/* Reads argv behind the command's name.  Operands are kept in the order given; "--" ends options.
 * ERR_USAGE with the option as place. */
int args_read(struct session *s, int argc, char **argv, struct err *e);
bool args_flag(const struct session *s, const char *name);
/* NULL when it was not given. */
const char *args_text(const struct session *s, const char *name);
/* Each value of an option that may be repeated: at starts at 0; NULL ends. */
const char *args_each(const struct session *s, const char *name, size_t *at);

/* The same text in three forms. */
void help_list(struct buf *out); /* all commands by section */
void help_command(const struct command *c, struct buf *out);
void help_manual(const struct command *c, struct buf *out); /* mdoc(7), jaga-NAME(1) */
void help_main_manual(struct buf *out);                     /* mdoc(7), jaga(1) */
void help_config_manual(struct buf *out); /* mdoc(7), jaga.conf(5), from config_table */
int help_completion(const char *shell, struct buf *out); /* bash, zsh, fish; -1: unknown */

#endif
