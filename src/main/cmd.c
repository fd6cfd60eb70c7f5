#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "clock.h"
#include "mem.h"
#include "password.h"
#include "utf8.h"

/* The one table that turns an error into advice. */
static const char *
advice(enum err_code code)
{
    switch (code) {
    case ERR_FULL:
        return "free some space, then try again: nothing was half done";
    case ERR_BUSY:
        return "try again in a moment";
    case ERR_CORRUPT:
        return "jaga verify says more; jaga restore brings back a backup";
    case ERR_USAGE:
        return "jaga help COMMAND shows how";
    case ERR_INTERNAL:
    case ERR_PROTOCOL:
        return "this is a fault of jaga: please report it with the log";
    default:
        return NULL;
    }
}

int
fail(const struct session *s, const struct err *e)
{
    char line[600];
    const char *more = advice(e->code);

    err_line(e, line, sizeof line);
    (void)fprintf(stderr, "jaga%s%s: %s\n", s && s->command ? " " : "",
                  s && s->command ? s->command->name : "", line);
    if (more && e->code != ERR_USAGE)
        (void)fprintf(stderr, "  %s\n", more);
    if (e->code == ERR_USAGE && s && s->command)
        (void)fprintf(stderr, "  jaga help %s shows how\n", s->command->name);
    return e->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

void
say(const struct session *s, const char *fmt, ...)
{
    va_list ap;

    if (s->quiet)
        return;
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
}

void
put(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vfprintf(stdout, fmt, ap);
    va_end(ap);
}

void
put_bytes(struct span s)
{
    if (s.n)
        (void)fwrite(s.p, 1, s.n, stdout);
}

void
put_clean(struct span s)
{
    while (s.n) {
        struct span before = s;
        uint32_t cp = utf8_next(&s);
        size_t n = before.n - s.n;
        /* C0, DEL, C1 and bidirectional controls could rewrite what the reader sees. */
        bool bad = cp == UTF8_BAD || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
                   (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
        if (cp == '\n' || cp == '\t')
            put_bytes(SPAN(" "));
        else if (bad)
            put("\\x{%x}", cp == UTF8_BAD ? (unsigned)(unsigned char)before.p[0] : cp);
        else
            put_bytes(span_part(before, 0, n));
    }
}

int
put_end(const struct session *s, int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    struct err e = ERR_INIT;
    /* A closed pipe (| head) is no fault worth a word. */
    if (errno == EPIPE)
        return EXIT_FAILED;
    (void)err_set_sys(&e, errno, "cannot write to standard output");
    return fail(s, &e);
}

bool
put_json(const struct session *s, const struct client *c)
{
    if (!s->json)
        return false;
    put_bytes(client_body(c));
    put("\n");
    return true;
}

int64_t
number_of(const struct json *o, const char *name)
{
    int64_t v = 0;
    const struct json *m = json_get(o, name);

    return m && json_is_int(m, &v) ? v : 0;
}

bool
true_of(const struct json *o, const char *name)
{
    const struct json *m = json_get(o, name);

    return m && m->type == JSON_BOOL && m->boolean;
}

void
put_when(struct span t)
{
    if (t.n >= 19 && t.p[10] == 'T') {
        put_bytes(span_part(t, 0, 10));
        put(" ");
        put_bytes(span_part(t, 11, 8));
    } else {
        put_clean(t);
    }
}

void
put_line(const struct json *row)
{
    put_when(json_text(row, "date_added"));
    put("  %-12.*s ", (int)json_text(row, "label").n, json_text(row, "label").p);
    put_clean(json_text(row, "id"));
    put("  ");
    put_clean(json_text(row, "name"));
    if (true_of(row, "revoked"))
        put("  [revoked]");
    if (true_of(row, "exercise"))
        put("  [EXERCISE]");
    put("\n");
}

void
put_messages(const struct json *list, const char *indent)
{
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        struct span pointer = json_text(m, "pointer"), rule = json_text(m, "rule"),
                    clause = json_text(m, "clause");
        put("%s", indent);
        if (pointer.n) {
            put_clean(pointer);
            put(": ");
        }
        put_clean(json_text(m, "text"));
        if (rule.n || clause.n) {
            put(" (");
            put_clean(rule);
            put("%s", rule.n && clause.n ? "; " : "");
            put_clean(clause);
            put(")");
        }
        put("\n");
    }
}

void
put_served(const struct json *list, const char *before, const char *between)
{
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        put("%s", before);
        put_clean(json_text(m, "principal"));
        put(" (");
        put_clean(json_text(m, "organisation"));
        put(")%s", between);
        put_when(json_text(m, "when"));
        put("\n");
    }
}

void
put_counts(const struct json *counts, const char *between)
{
    bool first = true;

    for (const struct json *m = counts ? counts->child : NULL; m; m = m->next) {
        int64_t v;
        if (!json_is_int(m, &v) || v == 0)
            continue;
        put("%s%lld ", first ? "" : between, (long long)v);
        put_clean(m->key);
        first = false;
    }
    if (first)
        put("nothing");
}

/* -- passwords ------------------------------------------------------------------------------------
 */

static int
read_line(int fd, char out[PASSWORD_SPACE], struct err *e)
{
    size_t n = 0;

    for (;;) {
        char c;
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_sys(e, errno, "cannot read the password");
        if (got == 0 || c == '\n')
            break;
        if (n == PASSWORD_SPACE - 1)
            return err_set(e, ERR_LIMIT, "the password is too long");
        out[n++] = c;
    }
    if (n && out[n - 1] == '\r')
        n--;
    out[n] = '\0';
    return 0;
}

static int
prompt(int tty, const char *text, char out[PASSWORD_SPACE], struct err *e)
{
    struct termios old, quiet;

    if (tcgetattr(tty, &old))
        return err_set_sys(e, errno, "cannot ask for the password");
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(tty, TCSAFLUSH, &quiet);
    (void)!write(tty, text, strlen(text));
    int r = read_line(tty, out, e);
    (void)tcsetattr(tty, TCSAFLUSH, &old);
    (void)!write(tty, "\n", 1);
    return r;
}

int
read_password(const struct session *s, bool confirm, char out[PASSWORD_SPACE], struct err *e)
{
    const char *file = args_text(s, "password-file");
    int fd, r;

    if (file && strcmp(file, "-") == 0)
        return read_line(STDIN_FILENO, out, e);
    fd = open(file ? file : "/dev/tty", file ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        (void)err_set_sys(e, errno,
                          file ? "cannot read the password file"
                               : "no terminal to ask at; --password-file helps");
        return err_place(e, "%s", file ? file : "/dev/tty");
    }
    r = file ? read_line(fd, out, e) : prompt(fd, "password: ", out, e);
    if (r == 0 && !file && confirm) {
        char again[PASSWORD_SPACE];
        r = prompt(fd, "once more: ", again, e);
        if (r == 0 && strcmp(out, again) != 0)
            r = err_set(e, ERR_RULE, "the two are not the same");
        mem_wipe(again, sizeof again);
    }
    (void)close(fd);
    return r;
}

/* -- operands -------------------------------------------------------------------------------------
 */

int
time_option(const struct session *s, const char *name, int64_t *us, struct err *e)
{
    const char *text = args_text(s, name);
    struct instant t;
    int64_t ago;
    char day[64];

    *us = 0;
    if (!text)
        return 0;
    if (duration_read(span_of(text), &ago)) {
        *us = clock_wall_us(NULL) - ago;
        return 0;
    }
    if (strlen(text) == 10) {
        (void)snprintf(day, sizeof day, "%sT00:00:00Z", text);
        text = day;
    }
    if (!instant_read(span_of(text), true, &t, NULL)) {
        (void)err_set(e, ERR_USAGE, "a time is written 2h, 7d, 2026-01-31 or 2026-01-31T08:00:00Z");
        return err_place(e, "--%s", name);
    }
    *us = instant_us(t);
    return 0;
}

int
number_operand(const char *text, uint64_t *out, struct err *e)
{
    if (span_u64(span_of(text), INT64_MAX, out))
        return 0;
    (void)err_set(e, ERR_USAGE, "not a number");
    return err_place(e, "%.100s", text);
}

int
limit_option(const struct session *s, uint32_t preset, uint32_t *out, struct err *e)
{
    const char *text = args_text(s, "limit");
    uint64_t v = preset;

    if (text && (!span_u64(span_of(text), UINT32_MAX, &v) || v == 0)) {
        (void)err_set(e, ERR_USAGE, "a number from 1");
        return err_place(e, "--limit");
    }
    *out = (uint32_t)v;
    return 0;
}

/* -- the plain life of a command ------------------------------------------------------------------
 */

int
ask_and_show(struct session *s, struct ask *q, void (*show)(const struct json *a))
{
    struct err e = ERR_INIT;
    struct client *c = client_open(s, &e);
    const struct json *a = c ? client_ask(c, q, &e) : NULL;
    int status = a ? EXIT_OK : fail(s, &e);

    if (a && !put_json(s, c)) {
        show(a);
        if (true_of(a, "more"))
            say(s, "there is more: --limit N");
    }
    client_close(c);
    return put_end(s, status);
}

int
tell_and_show(struct session *s, const struct tell *t, void (*show)(const struct json *a))
{
    struct err e = ERR_INIT;
    struct client *c = client_open(s, &e);
    const struct json *a = c ? client_tell(c, t, &e) : NULL;
    int status = a ? EXIT_OK : fail(s, &e);

    if (a && !put_json(s, c))
        show(a);
    client_close(c);
    return put_end(s, status);
}

/* -- progress -------------------------------------------------------------------------------------
 */

void
progress_line(const struct session *s, struct progress *p, const char *text, uint64_t done,
              uint64_t total, const char *unit)
{
    int64_t t = clock_mono().us;

    if (s->quiet || !isatty(STDERR_FILENO))
        return;
    if (!p->began_us)
        p->began_us = t;
    if (p->shown && t - p->last_us < 100000)
        return;
    p->last_us = t;
    p->shown = true;
    double seconds = (double)(t - p->began_us) / 1e6;
    unsigned long long rate = seconds > 0.2 ? (unsigned long long)((double)done / seconds) : 0ull;
    (void)fprintf(stderr, "\r\033[K%s  %llu", text, (unsigned long long)done);
    if (total)
        (void)fprintf(stderr, " of %llu %s, %llu %%", (unsigned long long)total, unit,
                      (unsigned long long)(done * 100 / total));
    else
        (void)fprintf(stderr, " %s", unit);
    if (rate)
        (void)fprintf(stderr, "  %llu/s", rate);
    (void)fflush(stderr);
}

void
progress_end(struct progress *p)
{
    if (p->shown)
        (void)fputs("\r\033[K", stderr);
    p->shown = false;
}
