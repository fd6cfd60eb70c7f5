/*
 * main/cmd.h - one function for each command, and what they share.
 */
#ifndef JAGA_MAIN_CMD_H
#define JAGA_MAIN_CMD_H

#include "client.h"
#include "command.h"
#include "err.h"
#include "json.h"
#include "span.h"

int cmd_init(struct session *s);
int cmd_serve(struct session *s);
int cmd_status(struct session *s);
int cmd_doctor(struct session *s);
int cmd_config(struct session *s);
int cmd_verify(struct session *s);
int cmd_backup(struct session *s);
int cmd_restore(struct session *s);
int cmd_import(struct session *s);
int cmd_report(struct session *s);
int cmd_undo(struct session *s);
int cmd_release(struct session *s);
int cmd_get(struct session *s);
int cmd_show(struct session *s);
int cmd_log(struct session *s);
int cmd_search(struct session *s);
int cmd_related(struct session *s);
int cmd_export(struct session *s);
int cmd_publish(struct session *s);
int cmd_revoke(struct session *s);
int cmd_withdraw(struct session *s);
int cmd_who(struct session *s);
int cmd_why(struct session *s);
int cmd_proof(struct session *s);
int cmd_user(struct session *s);
int cmd_token(struct session *s);
int cmd_group(struct session *s);
int cmd_org(struct session *s);
int cmd_setting(struct session *s);
int cmd_binding(struct session *s);
int cmd_audit(struct session *s);
int cmd_pending(struct session *s);
int cmd_help(struct session *s);
int cmd_completion(struct session *s);

/* -- talk (standard error) and data (standard output)
 * ---------------------------------------------- */

/* Says what went wrong and what to do next, with the table of this program; returns EXIT_FAILED,
 * or EXIT_USAGE for ERR_USAGE. */
int fail(const struct session *s, const struct err *e);
/* A line of talk, unless -q. */
void say(const struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Data. */
void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void put_bytes(struct span s);
/* Text from outside on a terminal: control characters are shown, never sent. */
void put_clean(struct span s);
/* Flushes; EXIT_FAILED with a message when standard output cannot be written. */
int put_end(const struct session *s, int status);
/* The whole JSON answer with --json (true), so that the caller is done. */
bool put_json(const struct session *s, const struct client *c);

/* The plain life of a command: asks or tells, then shows the answer or fails. */
int ask_and_show(struct session *s, struct ask *q, void (*show)(const struct json *a));
int tell_and_show(struct session *s, const struct tell *t, void (*show)(const struct json *a));

/* Readable forms of members of an answer. */
void put_when(struct span rfc3339);    /* "2026-01-31 12:00:00" */
void put_line(const struct json *row); /* one object on one line */
void put_messages(const struct json *list, const char *indent);
/* Who has been served: before NAME (ORGANISATION) between TIME, a line each. */
void put_served(const struct json *list, const char *before, const char *between);
void put_counts(const struct json *counts, const char *between);
int64_t number_of(const struct json *o, const char *name); /* 0 when it is no number */
bool true_of(const struct json *o, const char *name);

/* A password: from --password-file, from standard input ("-"), else by prompt without echo, twice
 * where confirm is set.  The caller wipes it. */
#define PASSWORD_SPACE 512
int read_password(const struct session *s, bool confirm, char out[PASSWORD_SPACE], struct err *e);

/* The time that --since or --until means: RFC 3339, a date, or "2h" ago.  0: not given. */
int time_option(const struct session *s, const char *name, int64_t *us, struct err *e);
/* --limit, else preset. */
int limit_option(const struct session *s, uint32_t preset, uint32_t *out, struct err *e);
int number_operand(const char *text, uint64_t *out, struct err *e);

/* Progress on a terminal: "text  12,345  1,234/s", redrawn at most ten times a second. */
struct progress {
    bool shown;
    int64_t last_us, began_us;
};
void progress_line(const struct session *s, struct progress *p, const char *text, uint64_t done,
                   uint64_t total, const char *unit);
void progress_end(struct progress *p);

#endif
