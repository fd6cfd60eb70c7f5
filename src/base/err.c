#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "span.h"
#include "utf8.h"

static const char *const names[] = {
    [ERR_NONE] = "none",         [ERR_MEMORY] = "memory",
    [ERR_LIMIT] = "limit",       [ERR_ENCODING] = "encoding",
    [ERR_SYNTAX] = "syntax",     [ERR_DUPLICATE] = "duplicate",
    [ERR_TYPE] = "type",         [ERR_RANGE] = "range",
    [ERR_RULE] = "rule",         [ERR_MISSING] = "missing",
    [ERR_DENIED] = "denied",     [ERR_AUTH] = "auth",
    [ERR_CONFLICT] = "conflict", [ERR_BUSY] = "busy",
    [ERR_FULL] = "full",         [ERR_IO] = "io",
    [ERR_PROTOCOL] = "protocol", [ERR_CORRUPT] = "corrupt",
    [ERR_USAGE] = "usage",       [ERR_INTERNAL] = "internal",
};

static int
set(struct err *e, enum err_code code, int sys, size_t pos, const char *text)
{
    if (e != NULL) {
        e->code = code;
        e->sys = sys;
        e->pos = pos;
        e->text = text != NULL ? text : "";
        e->place[0] = '\0';
    }
    return -1;
}

int
err_set(struct err *e, enum err_code code, const char *text)
{
    return set(e, code, 0, 0, text);
}

int
err_set_at(struct err *e, enum err_code code, size_t pos, const char *text)
{
    return set(e, code, 0, pos, text);
}

int
err_set_sys(struct err *e, int sys, const char *text)
{
    return set(e, ERR_IO, sys, 0, text);
}

/* A place may quote text from outside that was cut in the middle of a character, or was never
 * UTF-8: whoever prints the error later must be able to rely on it. */
static void
make_utf8(char *s)
{
    size_t len = strlen(s);
    size_t bad;

    while (!utf8_valid(span_from(s, len), &bad))
        s[bad] = '?';
}

int
err_place(struct err *e, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (e == NULL || e->place[0] != '\0')
        return -1;
    va_start(ap, fmt);
    n = vsnprintf(e->place, sizeof e->place, fmt, ap);
    va_end(ap);
    if (n < 0) {
        e->place[0] = '\0';
        return -1;
    }
    if ((size_t)n >= sizeof e->place) {
        /* Cut on a whole character: drop the continuation bytes and the lead byte before them if
         * the character is not complete. */
        size_t len = sizeof e->place - 1;
        size_t from = len;

        while (from > 0 && len - from < 3 && ((unsigned char)e->place[from - 1] & 0xc0) == 0x80)
            from--;
        if (from > 0 && !utf8_valid(span_from(e->place + from - 1, len - from + 1), NULL))
            e->place[from - 1] = '\0';
    }
    make_utf8(e->place);
    return -1;
}

const char *
err_name(enum err_code code)
{
    if ((unsigned)code >= sizeof names / sizeof names[0])
        return "unknown";
    return names[code];
}

void
err_line(const struct err *e, char *out, size_t n)
{
    char pos[40] = "";
    const char *sys = NULL;

    if (n == 0)
        return;
    if (e->pos != 0)
        snprintf(pos, sizeof pos, " (byte %zu)", e->pos);
    if (e->sys != 0) {
        sys = strerrordesc_np(e->sys);
        if (sys == NULL)
            sys = "unknown error";
    }
    snprintf(out, n, "%s%s%s%s%s%s", e->text != NULL ? e->text : "",
             e->place[0] != '\0' ? " at " : "", e->place, pos, sys != NULL ? ": " : "",
             sys != NULL ? sys : "");
}
