/* The canonical form, RFC 8785. */
#include "json.h"

#include <string.h>

/* 0: a byte stands for itself; 'u': as \u00xx; else the letter behind the backslash. */
static const char escapes[256] = {
    [0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u',  [0x04] = 'u', [0x05] = 'u',
    [0x06] = 'u', [0x07] = 'u', [0x08] = 'b', [0x09] = 't',  [0x0a] = 'n', [0x0b] = 'u',
    [0x0c] = 'f', [0x0d] = 'r', [0x0e] = 'u', [0x0f] = 'u',  [0x10] = 'u', [0x11] = 'u',
    [0x12] = 'u', [0x13] = 'u', [0x14] = 'u', [0x15] = 'u',  [0x16] = 'u', [0x17] = 'u',
    [0x18] = 'u', [0x19] = 'u', [0x1a] = 'u', [0x1b] = 'u',  [0x1c] = 'u', [0x1d] = 'u',
    [0x1e] = 'u', [0x1f] = 'u', ['"'] = '"',  ['\\'] = '\\',
};

#define ONES 0x0101010101010101u
#define HIGH 0x8080808080808080u

/* Whether one of eight bytes may need an escape.  A byte that needs one is never missed; one behind
 * it may be taken for one in vain. */
static inline bool
may_escape(uint64_t v)
{
    uint64_t quote = v ^ ONES * '"';
    uint64_t slash = v ^ ONES * '\\';

    return (((v - ONES * 0x20) & ~v) | ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash)) &
           HIGH;
}

/* The first byte from i on that needs an escape, or s.n. */
static size_t
plain_to(struct span s, size_t i)
{
    uint64_t eight;

    while (s.n - i >= 8) {
        memcpy(&eight, s.p + i, 8);
        if (may_escape(eight))
            break;
        i += 8;
    }
    while (i < s.n && escapes[(unsigned char)s.p[i]] == 0)
        i++;
    return i;
}

static void
put_escape(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', escapes[c], '0', '0', hex[c >> 4], hex[c & 15]};

    buf_put(out, text, escapes[c] == 'u' ? 6 : 2);
}

void
json_put_string(struct buf *out, struct span s)
{
    size_t i = plain_to(s, 0);
    char *p;

    if (i == s.n) { /* nearly always */
        p = buf_room(out, s.n + 2);
        if (p == NULL)
            return;
        p[0] = '"';
        if (s.n != 0)
            memcpy(p + 1, s.p, s.n);
        p[s.n + 1] = '"';
        return;
    }
    buf_put(out, "\"", 1);
    buf_put(out, s.p, i);
    while (i < s.n && !out->failed) {
        size_t to;

        put_escape(out, (unsigned char)s.p[i++]);
        to = plain_to(s, i);
        buf_put(out, s.p + i, to - i);
        i = to;
    }
    buf_put(out, "\"", 1);
}

static void
put_number(struct buf *out, double v)
{
    char text[JSON_NUMBER_MAX];

    buf_put(out, text, json_number_print(v, text));
}

/* One value; of an array or object that has something in it, only its opening. */
static void
put_value(struct buf *out, const struct json *v)
{
    switch (v->type) {
    case JSON_NULL:
        buf_put(out, "null", 4);
        break;
    case JSON_BOOL:
        if (v->boolean)
            buf_put(out, "true", 4);
        else
            buf_put(out, "false", 5);
        break;
    case JSON_NUMBER:
        put_number(out, v->number);
        break;
    case JSON_STRING:
        json_put_string(out, v->text);
        break;
    case JSON_ARRAY:
        buf_put(out, "[]", v->child != NULL ? 1 : 2);
        break;
    case JSON_OBJECT:
        buf_put(out, "{}", v->child != NULL ? 1 : 2);
        break;
    }
}

/* Members already stand in the order of RFC 8785, so this is a walk without a stack. */
void
json_canonical(const struct json *v, struct buf *out)
{
    const struct json *root = v;

    while (!out->failed) {
        if (v != root && v->up->type == JSON_OBJECT) {
            json_put_string(out, v->key);
            buf_put(out, ":", 1);
        }
        put_value(out, v);
        if (v->child != NULL) {
            v = v->child;
            continue;
        }
        while (v != root && v->next == NULL) {
            v = v->up;
            buf_put(out, v->type == JSON_OBJECT ? "}" : "]", 1);
        }
        if (v == root)
            return;
        buf_put(out, ",", 1);
        v = v->next;
    }
}
