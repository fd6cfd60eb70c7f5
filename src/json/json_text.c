/* Strings: their escapes, both ways. */
#include "json.h"

#include <string.h>
#include "json_room.h"
#include "utf8.h"

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

/* Four hexadecimal digits, or -1. */
static int32_t
hex4(const char *p)
{
    int32_t v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            v = v * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v * 16 + (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            v = v * 16 + (c - 'A' + 10);
        else
            return -1;
    }
    return v;
}

/* \uXXXX at p, or a surrogate pair: its UTF-8 to out, and how much was read.  0: *text says why. */
static size_t
unescape_u(const char *p, size_t left, char **out, const char **text)
{
    int32_t unit = left >= 6 ? hex4(p + 2) : -1;
    uint32_t cp;
    size_t used = 6;

    if (unit < 0) {
        *text = "\\u without four hexadecimal digits";
        return 0;
    }
    cp = (uint32_t)unit;
    if (cp >= 0xd800 && cp <= 0xdfff) {
        int32_t low = left >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : -1;

        if (cp > 0xdbff || low < 0xdc00 || low > 0xdfff) {
            *text = "lone surrogate";
            return 0;
        }
        cp = 0x10000 + ((cp - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        used = 12;
    }
    *out += utf8_put(cp, *out);
    return used;
}

int
text_unescape(struct span raw, char *out, size_t *n, size_t *bad, const char **why)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char means[] = "\"\\/\b\f\n\r\t";
    char *to = out;
    size_t i = 0;

    while (i < raw.n) {
        const char *at = memchr(raw.p + i, '\\', raw.n - i);
        size_t run = at != NULL ? (size_t)(at - raw.p) - i : raw.n - i;
        size_t used = 0;

        memcpy(to, raw.p + i, run);
        to += run;
        i += run;
        if (at == NULL)
            break;
        *why = "bad escape";
        if (raw.n - i >= 2 && raw.p[i + 1] == 'u') {
            used = unescape_u(raw.p + i, raw.n - i, &to, why);
        } else if (raw.n - i >= 2 && raw.p[i + 1] != '\0') {
            const char *letter = strchr(letters, raw.p[i + 1]);

            if (letter != NULL) {
                *to++ = means[letter - letters];
                used = 2;
            }
        }
        if (used == 0) {
            *bad = i;
            return -1;
        }
        i += used;
    }
    *n = (size_t)(to - out);
    return 0;
}
