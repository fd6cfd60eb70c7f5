#include "fixed.h"

#include <string.h>
#include "crypto.h"
#include "head.h"
#include "utf8.h"

#define LIST_FIRST  4  /* entries of a list to begin with */
#define FIXED_BYTES 64 /* of the longest value in hexadecimal or Base64 */

int
fixed_fail(struct fixed *f, enum err_code code, const char *text)
{
    if (!f->failed)
        err_set_at(f->e, code, f->c.pos, text);
    f->failed = true;
    return -1;
}

void
fixed_init(struct fixed *f, struct span body, size_t max, struct arena *a, struct err *e)
{
    *f = (struct fixed){.a = a, .e = e};
    json_canon_init(&f->c, body, e);
    if (body.n > max)
        fixed_fail(f, ERR_LIMIT, "a body larger than the limit");
}

static enum json_token
next(struct fixed *f)
{
    enum json_token t;

    if (f->failed)
        return JSON_T_FAILED;
    t = json_canon_next(&f->c);
    if (t == JSON_T_FAILED)
        f->failed = true; /* json_canon has said why */
    return t;
}

static bool
expect(struct fixed *f, const char *name, enum json_token want)
{
    const enum json_token t = next(f);

    if (f->failed)
        return false;
    if (t == JSON_T_END || t == JSON_T_END_OBJECT || t == JSON_T_END_ARRAY ||
        (name != NULL && !span_is(f->c.key, name))) {
        fixed_fail(f, ERR_MISSING, "a member that is not there, or one too many");
        err_place(f->e, "%s", name != NULL ? name : "");
    } else if (t != want) {
        fixed_fail(f, ERR_TYPE, "a value of another type");
        err_place(f->e, "%s", name != NULL ? name : "");
    }
    return !f->failed;
}

int
fixed_finish(struct fixed *f)
{
    if (next(f) != JSON_T_END)
        return fixed_fail(f, ERR_SYNTAX, "more behind the end");
    return 0;
}

void
fixed_begin(struct fixed *f, const char *name)
{
    expect(f, name, JSON_T_BEGIN_OBJECT);
}

void
fixed_end(struct fixed *f)
{
    const enum json_token t = next(f);

    if (!f->failed && t != JSON_T_END_OBJECT)
        fixed_fail(f, ERR_RULE, "a member that does not belong there");
}

void
fixed_list(struct fixed *f, const char *name)
{
    expect(f, name, JSON_T_BEGIN_ARRAY);
}

bool
fixed_object(struct fixed *f)
{
    const enum json_token t = next(f);

    if (f->failed || t == JSON_T_END_ARRAY)
        return false;
    if (t != JSON_T_BEGIN_OBJECT)
        fixed_fail(f, ERR_TYPE, "a list of objects holds something else");
    return !f->failed;
}

bool
fixed_text_ok(struct span s, size_t min, size_t max, bool lines)
{
    if (s.n < min || s.n > max)
        return false;
    while (s.n > 0) {
        const uint32_t cp = utf8_next(&s);

        if (cp == UTF8_BAD || (cp < 0x20 && !(lines && cp == '\n')) || (cp >= 0x7f && cp < 0xa0))
            return false;
    }
    return true;
}

/* The text of the string token just given: in the body, or in the arena where it has escapes. */
static struct span
text_of(struct fixed *f, size_t min, size_t max, bool lines)
{
    struct span s = f->c.raw;
    char *p;

    if (f->c.escaped) {
        p = s.n > 6 * max ? NULL : arena_alloc(f->a, s.n); /* six bytes escape one */
        if (p == NULL) {
            fixed_fail(f, s.n > 6 * max || arena_full(f->a) ? ERR_LIMIT : ERR_MEMORY,
                       "a text that is too long");
            return (struct span){NULL, 0};
        }
        s = span_from(p, json_canon_unescape(s, p));
    }
    if (!fixed_text_ok(s, min, max, lines)) {
        fixed_fail(f, s.n > max ? ERR_LIMIT : ERR_RANGE,
                   "a text too short, too long or unprintable");
        return (struct span){NULL, 0};
    }
    return s;
}

bool
fixed_item(struct fixed *f, size_t max, struct span *out)
{
    const enum json_token t = next(f);

    if (f->failed || t == JSON_T_END_ARRAY)
        return false;
    if (t != JSON_T_STRING)
        fixed_fail(f, ERR_TYPE, "a list of texts holds something else");
    else
        *out = text_of(f, 1, max, false);
    return !f->failed;
}

struct span
fixed_text(struct fixed *f, const char *name, size_t min, size_t max)
{
    if (!expect(f, name, JSON_T_STRING))
        return (struct span){NULL, 0};
    return text_of(f, min, max, false);
}

struct span
fixed_lines(struct fixed *f, const char *name, size_t max)
{
    if (!expect(f, name, JSON_T_STRING))
        return (struct span){NULL, 0};
    return text_of(f, 0, max, true);
}

uint64_t
fixed_number(struct fixed *f, const char *name, uint64_t min, uint64_t max)
{
    uint64_t v;

    if (!expect(f, name, JSON_T_NUMBER))
        return 0;
    if (!span_u64(f->c.raw, max, &v) || v < min) {
        fixed_fail(f, ERR_RANGE, "a number out of its range");
        return 0;
    }
    return v;
}

bool
fixed_bool(struct fixed *f, const char *name)
{
    const enum json_token t = next(f);

    if (f->failed)
        return false;
    if ((t != JSON_T_TRUE && t != JSON_T_FALSE) || !span_is(f->c.key, name))
        fixed_fail(f, ERR_TYPE, "no true or false where one belongs");
    return t == JSON_T_TRUE;
}

void
fixed_hex(struct fixed *f, const char *name, void *out, size_t n)
{
    if (!expect(f, name, JSON_T_STRING))
        return;
    for (size_t i = 0; i < f->c.raw.n; i++)
        if (f->c.raw.p[i] >= 'A' && f->c.raw.p[i] <= 'F')
            fixed_fail(f, ERR_SYNTAX, "hexadecimal is written in lower case");
    if (!f->failed && !hex_read(f->c.raw, out, n))
        fixed_fail(f, ERR_SYNTAX, "not so many bytes in hexadecimal");
}

void
fixed_base64(struct fixed *f, const char *name, void *out, size_t n)
{
    char mem[FIXED_BYTES + 2];
    struct buf b;

    if (!expect(f, name, JSON_T_STRING))
        return;
    buf_init_fixed(&b, mem, sizeof mem);
    if (!base64_read(f->c.raw, &b) || b.n != n)
        fixed_fail(f, ERR_SYNTAX, "not so many bytes in Base64");
    else
        memcpy(out, mem, n);
}

void
fixed_identity(struct fixed *f, const char *name, struct uuid *out)
{
    if (expect(f, name, JSON_T_STRING) && !identity_read(f->c.raw, out))
        fixed_fail(f, ERR_SYNTAX, "no identity's id");
}

void *
fixed_grow(struct fixed *f, void *old, size_t n, size_t size, size_t max)
{
    void *p;

    if (f->failed)
        return NULL;
    if (n == max) {
        fixed_fail(f, ERR_LIMIT, "a list longer than its limit");
        return NULL;
    }
    if (n != 0 && (n < LIST_FIRST || (n & (n - 1)) != 0)) /* full at each power of two */
        return old;
    p = arena_zero(f->a, n == 0 ? LIST_FIRST : 2 * n, size);
    if (p == NULL) {
        fixed_fail(f, arena_full(f->a) ? ERR_LIMIT : ERR_MEMORY, "no room for a body's lists");
        return NULL;
    }
    if (n != 0)
        memcpy(p, old, n * size);
    return p;
}

void
fixed_put_hex(struct json_out *o, const char *name, const void *p, size_t n)
{
    char mem[2 * FIXED_BYTES];
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    hex_put(&b, p, n);
    if (name != NULL)
        json_name(o, name);
    json_string(o, buf_view(&b));
}

void
fixed_put_base64(struct json_out *o, const char *name, const void *p, size_t n)
{
    char mem[2 * FIXED_BYTES];
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    base64_put(&b, p, n);
    json_member(o, name, buf_view(&b));
}

void
fixed_put_identity(struct json_out *o, const char *name, const struct uuid *id)
{
    char text[SAID_NAME + 1];

    identity_name(id, text);
    if (name != NULL)
        json_name(o, name);
    json_str(o, text);
}
