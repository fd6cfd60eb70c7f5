#include "note.h"

#include <string.h>
#include "crypto.h"
#include "utf8.h"

#define NOTE_DASH    "\xe2\x80\x94 " /* U+2014 and a space */
#define NOTE_DASH_N  4
#define NOTE_ED25519 0x01
#define NOTE_BLOB    (NOTE_KEY_ID_BYTES + SIGNATURE_BYTES)

void
note_key_id(struct span name, const struct sign_public *public, uint8_t out[NOTE_KEY_ID_BYTES])
{
    static const char kind[] = {'\n', NOTE_ED25519};
    const struct span parts[] = {name, {kind, sizeof kind}, {(const char *)public->b, 32}};
    struct hash h;

    hash_sha256_parts(parts, 3, &h);
    memcpy(out, h.b, NOTE_KEY_ID_BYTES);
}

int
note_text_check(struct span text, struct err *e)
{
    size_t bad;

    if (text.n == 0)
        return err_set_at(e, ERR_SYNTAX, 0, "a note without a text");
    if (text.n > NOTE_MAX)
        return err_set_at(e, ERR_LIMIT, NOTE_MAX, "a note larger than the limit");
    if (!utf8_valid(text, &bad))
        return err_set_at(e, ERR_ENCODING, bad, "a note that is not UTF-8");
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\n')
            return err_set_at(e, ERR_SYNTAX, i, "a control character in a note");
    if (text.p[text.n - 1] != '\n')
        return err_set_at(e, ERR_SYNTAX, text.n, "the last line of a note does not end");
    return 0;
}

/* Unicode's White_Space, beyond the control characters, which a note has none of. */
static bool
is_space(uint32_t cp)
{
    return cp == 0x20 || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
           cp == 0x205f || cp == 0x3000;
}

int
note_name_check(struct span name, struct err *e)
{
    struct span left = name;

    if (name.n == 0)
        return err_set_at(e, ERR_SYNTAX, 0, "a key without a name");
    if (name.n > NOTE_NAME_MAX)
        return err_set_at(e, ERR_LIMIT, NOTE_NAME_MAX, "a key's name is longer than the limit");
    while (left.n > 0) {
        const size_t at = name.n - left.n;
        const uint32_t cp = utf8_next(&left);

        if (cp == UTF8_BAD)
            return err_set_at(e, ERR_ENCODING, at, "a key's name that is not UTF-8");
        if (cp < 0x20 || cp == '+' || is_space(cp))
            return err_set_at(e, ERR_SYNTAX, at, "a key's name has no space and no plus");
    }
    return 0;
}

static void
put_line(struct span name, const struct sign_public *public, const struct signature *s,
         struct buf *out)
{
    uint8_t blob[NOTE_BLOB];

    note_key_id(name, public, blob);
    memcpy(blob + NOTE_KEY_ID_BYTES, s->b, SIGNATURE_BYTES);
    buf_put(out, NOTE_DASH, NOTE_DASH_N);
    buf_span(out, name);
    buf_put(out, " ", 1);
    base64_put(out, blob, sizeof blob);
    buf_put(out, "\n", 1);
}

static int
room(const struct buf *out, struct err *e)
{
    if (out->failed)
        return err_set(e, out->full ? ERR_LIMIT : ERR_MEMORY, "no room for a note");
    return 0;
}

int
note_put(struct span text, struct span name, const struct sign_public *public,
         const struct signature *s, struct buf *out, struct err *e)
{
    if (note_text_check(text, e) < 0 || note_name_check(name, e) < 0)
        return -1;
    buf_span(out, text);
    buf_put(out, "\n", 1);
    put_line(name, public, s, out);
    return room(out, e);
}

int
note_line(struct span name, const struct sign_public *public, const struct signature *s,
          struct buf *out, struct err *e)
{
    struct note n;

    if (note_name_check(name, e) < 0 || note_read(buf_view(out), &n, e) < 0)
        return -1;
    if (n.n == NOTE_LINES_MAX)
        return err_set(e, ERR_LIMIT, "a note has at most 16 signatures");
    put_line(name, public, s, out);
    return room(out, e);
}

/* Whether s is Base64 as its own decoder would write it, of NOTE_KEY_ID_BYTES and more; the id. */
static bool
blob_ok(struct span s, uint8_t key_id[NOTE_KEY_ID_BYTES])
{
    char mem[NOTE_LINE_MAX];
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    if (!base64_read(s, &b) || b.n <= NOTE_KEY_ID_BYTES)
        return false;
    memcpy(key_id, b.p, NOTE_KEY_ID_BYTES);
    return true;
}

static int
read_line(struct span line, size_t at, struct note_line *out, struct err *e)
{
    ptrdiff_t space;
    struct span rest;

    if (line.n > NOTE_LINE_MAX)
        return err_set_at(e, ERR_LIMIT, at, "a line of signature is longer than the limit");
    if (!span_starts(line, NOTE_DASH))
        return err_set_at(e, ERR_SYNTAX, at, "a line of signature starts with a dash and a space");
    rest = span_part(line, NOTE_DASH_N, line.n);
    space = span_find(rest, ' ');
    if (space < 0)
        return err_set_at(e, ERR_SYNTAX, at, "a line of signature without a signature");
    out->name = span_part(rest, 0, (size_t)space);
    if (note_name_check(out->name, e) < 0) {
        if (e != NULL)
            e->pos += at + NOTE_DASH_N;
        return -1;
    }
    out->base64 = span_part(rest, (size_t)space + 1, rest.n);
    if (!blob_ok(out->base64, out->key_id))
        return err_set_at(e, ERR_SYNTAX, at + NOTE_DASH_N + (size_t)space + 1,
                          "a signature that is not Base64 of a key id and more");
    return 0;
}

int
note_read(struct span s, struct note *out, struct err *e)
{
    struct note n = {.n = 0};
    size_t at;

    if (note_text_check(s, e) < 0)
        return -1;
    /* The last empty line: the text itself may have some. */
    at = s.n - 1;
    while (at > 0 && !(s.p[at] == '\n' && s.p[at - 1] == '\n'))
        at--;
    if (at == 0)
        return err_set_at(e, ERR_SYNTAX, 0, "a note without an empty line before its signatures");
    n.text = span_part(s, 0, at);
    if (++at == s.n)
        return err_set_at(e, ERR_SYNTAX, at, "a note without a signature");
    while (at < s.n) {
        const char *end = memchr(s.p + at, '\n', s.n - at); /* there is one: the last byte is */
        const size_t len = (size_t)(end - (s.p + at));

        if (n.n == NOTE_LINES_MAX)
            return err_set_at(e, ERR_LIMIT, at, "a note has at most 16 signatures");
        if (read_line(span_part(s, at, len), at, &n.line[n.n], e) < 0)
            return -1;
        n.n++;
        at += len + 1;
    }
    *out = n;
    return 0;
}

enum note_verdict
note_verify(const struct note *n, struct span name, const struct sign_public *public,
            struct signature *sig)
{
    uint8_t id[NOTE_KEY_ID_BYTES];
    char mem[NOTE_LINE_MAX];
    struct signature s;
    struct buf b;

    note_key_id(name, public, id);
    for (size_t i = 0; i < n->n; i++) {
        const struct note_line *l = &n->line[i];

        if (!span_eq(l->name, name) || memcmp(l->key_id, id, NOTE_KEY_ID_BYTES) != 0)
            continue;
        buf_init_fixed(&b, mem, sizeof mem);
        if (!base64_read(l->base64, &b) || b.n != NOTE_BLOB)
            return NOTE_FALSE;
        memcpy(s.b, b.p + NOTE_KEY_ID_BYTES, SIGNATURE_BYTES);
        if (!sign_ok(public, n->text, &s))
            return NOTE_FALSE;
        if (sig != NULL)
            *sig = s;
        return NOTE_SIGNED;
    }
    return NOTE_UNSIGNED;
}
