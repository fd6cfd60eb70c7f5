#include "log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "buf.h"
#include "clock.h"
#include "utf8.h"

#define LOG_LINE_MAX 1024 /* bytes with the newline: one write of it to a pipe is atomic */

static const char cut_mark[] = " cut=yes\n";

/* Code points that could end the line, move the cursor, or turn the reading direction of what
 * follows, and so make a log show what never happened. */
static bool
dangerous(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x61c ||
           (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2060 && cp <= 0x2069) || cp == 0xfeff;
}

static bool
plain(struct span s)
{
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return true;
}

static void
put_value(struct buf *b, struct span s)
{
    if (plain(s)) {
        buf_span(b, s);
        return;
    }
    buf_str(b, "\"");
    while (s.n > 0 && !b->failed) {
        const char *at = s.p;
        uint32_t cp = utf8_next(&s);

        if (cp == UTF8_BAD)
            buf_printf(b, "\\x%02x", (unsigned char)*at);
        else if (cp == '"' || cp == '\\')
            buf_printf(b, "\\%c", (char)cp);
        else if (cp < 0x80 && dangerous(cp))
            buf_printf(b, "\\x%02x", (unsigned)cp);
        else if (dangerous(cp))
            buf_printf(b, "\\u{%x}", (unsigned)cp);
        else
            buf_put(b, at, (size_t)(s.p - at));
    }
    buf_str(b, "\"");
}

static void
put_head(struct buf *b, const struct log *l, enum log_level level, const char *what)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    char when[INSTANT_MAX];

    instant_print(instant_from_us(clock_wall_us(NULL)), 3, when);
    buf_printf(b, "%s %s %.*s %s", when, levels[level], (int)sizeof l->who, l->who, what);
}

void
log_fields(const struct log *l, enum log_level level, const char *what,
           const struct log_field *fields)
{
    char line[LOG_LINE_MAX];
    struct buf b;
    size_t whole = 0;

    if (l == NULL || l->fd < 0 || level > l->level)
        return;
    buf_init_fixed(&b, line, sizeof line - (sizeof cut_mark - 1));
    put_head(&b, l, level, what);
    if (b.failed) { /* "what" is a constant of ours, and short */
        buf_reset(&b);
        buf_str(&b, "log line too long");
    }
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        whole = b.n;
        buf_printf(&b, " %s=", f->key);
        if (f->kind == LOG_F_INT)
            buf_printf(&b, "%" PRId64, f->num);
        else
            put_value(&b, f->span);
        if (b.failed) { /* half a field could mislead: leave it out and say so */
            b.n = whole;
            break;
        }
    }
    if (b.failed) {
        memcpy(line + b.n, cut_mark, sizeof cut_mark - 1);
        b.n += sizeof cut_mark - 1;
    } else {
        line[b.n++] = '\n';
    }
    /* Nobody can be told that the log could not be written. */
    if (write(l->fd, line, b.n) < 0)
        return;
}

void
log_err(const struct log *l, enum log_level level, const char *what, const struct err *e)
{
    struct log_field f[6];
    size_t n = 0;

    f[n++] = LOG_T("error", err_name(e->code));
    f[n++] = LOG_T("text", e->text);
    if (e->place[0] != '\0')
        f[n++] = LOG_T("place", e->place);
    if (e->pos != 0)
        f[n++] = LOG_N("pos", e->pos);
    if (e->sys != 0) {
        const char *sys = strerrordesc_np(e->sys);

        f[n++] = LOG_T("errno", sys != NULL ? sys : "unknown");
    }
    f[n] = LOG_END;
    log_fields(l, level, what, f);
}
