#include "json_canon.h"

#include <endian.h>
#include <string.h>
#include "utf8.h"

enum {
    ST_START, /* nothing read yet */
    ST_FIRST, /* behind the opening of an array or object: a value, or its end */
    ST_AFTER, /* behind a value: a comma or an end */
    ST_END,   /* complete */
    ST_FAILED
};

static enum json_token
fail(struct json_canon *c, enum err_code code, size_t pos, const char *text)
{
    c->state = ST_FAILED;
    err_set_at(c->e, code, pos, text);
    return JSON_T_FAILED;
}

void
json_canon_init(struct json_canon *c, struct span text, struct err *e)
{
    *c = (struct json_canon){.in = text, .e = e, .state = ST_START};
}

static inline bool
in_object(const struct json_canon *c)
{
    return c->open > 0 && (c->object >> (c->open - 1) & 1) != 0;
}

/* The next byte; '\0', which is none of the grammar's, at the end. */
static inline char
peek(const struct json_canon *c)
{
    return c->pos < c->in.n ? c->in.p[c->pos] : '\0';
}

/* The length of the escape at p if RFC 8785 section 3.2.2.2 would print it so, else 0. */
static size_t
canonical_escape(const char *p, size_t left)
{
    if (left < 2)
        return 0;
    switch (p[1]) {
    case '"':
    case '\\':
    case 'b':
    case 't':
    case 'n':
    case 'f':
    case 'r':
        return 2;
    case 'u':
        if (left < 6 || p[2] != '0' || p[3] != '0')
            return 0;
        if (p[4] == '1')
            return (p[5] >= '0' && p[5] <= '9') || (p[5] >= 'a' && p[5] <= 'f') ? 6 : 0;
        /* 08, 09, 0a, 0c and 0d have short forms. */
        return p[4] == '0' &&
                       ((p[5] >= '0' && p[5] <= '7') || p[5] == 'b' || p[5] == 'e' || p[5] == 'f')
                   ? 6
                   : 0;
    default:
        return 0;
    }
}

/* How many bytes from p on stand in a string as they are; looks at eight at a time, and leaves the
 * last few to the caller. */
static size_t
plain_bytes(const char *p, size_t n)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    size_t i = 0;

    for (; n - i >= 8; i += 8) {
        uint64_t v, quote, slash, found;

        memcpy(&v, p + i, 8);
        v = le64toh(v);
        quote = v ^ ones * '"';
        slash = v ^ ones * '\\';
        /* What is below the subtrahend borrows from its high bit.  A borrow can disturb bytes
         * behind it alone: the first one found is right. */
        found = (((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) &
                high;
        if (found != 0)
            return i + (size_t)__builtin_ctzll(found) / 8;
    }
    return i;
}

/* A string at pos.  That it is UTF-8 is checked for the whole text, at the start. */
static int
read_string(struct json_canon *c, struct span *raw, bool *escaped)
{
    size_t i = c->pos + 1;

    *escaped = false;
    for (;;) {
        unsigned char ch;

        i += plain_bytes(c->in.p + i, c->in.n - i);
        if (i >= c->in.n) {
            fail(c, ERR_SYNTAX, c->pos, "string without an end");
            return -1;
        }
        ch = (unsigned char)c->in.p[i];
        if (ch == '"')
            break;
        if (ch < 0x20) {
            fail(c, ERR_SYNTAX, i, "control character in a string");
            return -1;
        }
        if (ch == '\\') {
            size_t n = canonical_escape(c->in.p + i, c->in.n - i);

            if (n == 0) {
                fail(c, ERR_RULE, i, "escape that is not canonical");
                return -1;
            }
            *escaped = true;
            i += n;
        } else {
            i++;
        }
    }
    *raw = span_from(c->in.p + c->pos + 1, i - c->pos - 1);
    c->pos = i + 1;
    return 0;
}

/* One byte of text off the front of a raw string's; -1 at its end.  All that RFC 8785 escapes is
 * ASCII, so that a string of several bytes is never cut apart wrongly. */
static int
next_byte(struct span *raw)
{
    static const char letters[] = "\"\\btnfr";
    static const char means[] = "\"\\\b\t\n\f\r";
    const char *letter;
    unsigned char ch;

    if (raw->n == 0)
        return -1;
    ch = (unsigned char)raw->p[0];
    if (ch != '\\' || raw->n < 2) {
        *raw = span_part(*raw, 1, SIZE_MAX);
        return ch;
    }
    if (raw->p[1] == 'u' && raw->n >= 6) {
        char low = raw->p[5];

        ch = (unsigned char)((raw->p[4] == '1' ? 16 : 0) +
                             (low <= '9' ? low - '0' : low - 'a' + 10));
        *raw = span_part(*raw, 6, SIZE_MAX);
        return ch;
    }
    letter = raw->p[1] != '\0' ? strchr(letters, raw->p[1]) : NULL;
    if (letter != NULL)
        ch = (unsigned char)means[letter - letters];
    *raw = span_part(*raw, 2, SIZE_MAX);
    return ch;
}

size_t
json_canon_unescape(struct span raw, char *out)
{
    size_t n = 0;
    int ch;

    while ((ch = next_byte(&raw)) >= 0)
        out[n++] = (char)ch;
    return n;
}

bool
json_canon_is(struct span raw, const char *text)
{
    int ch;

    while ((ch = next_byte(&raw)) >= 0) {
        if (*text == '\0' || ch != (unsigned char)*text)
            return false;
        text++;
    }
    return *text == '\0';
}

/* Compares the texts of two raw names by UTF-16 units, as utf8_cmp_utf16 does. */
static int
name_cmp(struct span a, struct span b)
{
    int x;
    int y;

    /* Equal texts have equal raw bytes, for each character has one canonical form. */
    if (memchr(a.p, '\\', a.n) == NULL && memchr(b.p, '\\', b.n) == NULL)
        return utf8_cmp_utf16(a, b);
    do {
        x = next_byte(&a);
        y = next_byte(&b);
    } while (x == y && x >= 0);
    if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
        return x >= 0xf0 ? -1 : 1;
    return (x > y) - (x < y); /* -1, the end, comes first */
}

static int
read_name(struct json_canon *c)
{
    struct span *last = &c->last[c->open - 1];
    size_t pos = c->pos;
    struct span name;
    bool escaped;

    if (peek(c) != '"') {
        fail(c, ERR_SYNTAX, pos, "no name of a member");
        return -1;
    }
    if (read_string(c, &name, &escaped) < 0)
        return -1;
    if (last->p != NULL) {
        int order = name_cmp(*last, name);

        if (order >= 0) {
            fail(c, order == 0 ? ERR_DUPLICATE : ERR_RULE, pos,
                 order == 0 ? "name given twice" : "names out of order");
            return -1;
        }
    }
    if (peek(c) != ':') {
        fail(c, ERR_SYNTAX, c->pos, "no colon behind a name");
        return -1;
    }
    c->pos++;
    *last = name;
    c->key = name;
    return 0;
}

/* Up to 15 digits without a leading zero: an integer that prints as it stands. */
static bool
short_integer(struct span s)
{
    size_t i = s.p[0] == '-';

    if (s.n - i > 15 || s.n == i)
        return false;
    if (s.p[i] == '0' && s.n > 1)
        return false;
    for (; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static enum json_token
read_number(struct json_canon *c)
{
    static const char chars[] = "+-.0123456789Ee";
    size_t i = c->pos;
    struct span s;
    char text[JSON_NUMBER_MAX];
    double v;

    while (i < c->in.n && c->in.p[i] != '\0' && strchr(chars, c->in.p[i]) != NULL)
        i++;
    s = span_from(c->in.p + c->pos, i - c->pos);
    if (!short_integer(s)) {
        /* Nothing longer than the longest that is ever printed needs to be looked at. */
        if (s.n >= JSON_NUMBER_MAX || !json_number_read(s, &v))
            return fail(c, ERR_SYNTAX, c->pos, "not a canonical number");
        if (!span_eq(s, span_from(text, json_number_print(v, text))))
            return fail(c, ERR_RULE, c->pos, "number that RFC 8785 prints differently");
    }
    c->raw = s;
    c->pos = i;
    c->state = ST_AFTER;
    return JSON_T_NUMBER;
}

static enum json_token
read_word(struct json_canon *c, const char *word, enum json_token token)
{
    if (!span_starts(span_part(c->in, c->pos, SIZE_MAX), word))
        return fail(c, ERR_SYNTAX, c->pos, "unknown word");
    c->pos += strlen(word);
    c->state = ST_AFTER;
    return token;
}

static enum json_token
begin(struct json_canon *c, bool object)
{
    if (c->open == JSON_DEPTH_MAX)
        return fail(c, ERR_LIMIT, c->pos, "nested deeper than 64");
    c->object &= ~((uint64_t)1 << c->open);
    c->object |= (uint64_t)object << c->open;
    c->last[c->open] = (struct span){NULL, 0};
    c->open++;
    c->pos++;
    c->state = ST_FIRST;
    return object ? JSON_T_BEGIN_OBJECT : JSON_T_BEGIN_ARRAY;
}

static enum json_token
read_value(struct json_canon *c)
{
    if (in_object(c) && read_name(c) < 0)
        return JSON_T_FAILED;
    c->depth = c->open;
    switch (peek(c)) {
    case '"':
        if (read_string(c, &c->raw, &c->escaped) < 0)
            return JSON_T_FAILED;
        c->state = ST_AFTER;
        return JSON_T_STRING;
    case '{':
        return begin(c, true);
    case '[':
        return begin(c, false);
    case 'n':
        return read_word(c, "null", JSON_T_NULL);
    case 't':
        return read_word(c, "true", JSON_T_TRUE);
    case 'f':
        return read_word(c, "false", JSON_T_FALSE);
    case '-':
    case '0' ... '9':
        return read_number(c);
    default:
        return fail(c, ERR_SYNTAX, c->pos, "no value");
    }
}

static enum json_token
end(struct json_canon *c)
{
    bool object = in_object(c);

    c->open--;
    c->depth = c->open;
    c->pos++;
    c->state = ST_AFTER;
    return object ? JSON_T_END_OBJECT : JSON_T_END_ARRAY;
}

static enum json_token
start(struct json_canon *c)
{
    size_t bad = 0;

    if (c->in.n > JSON_TEXT_MAX)
        return fail(c, ERR_LIMIT, JSON_TEXT_MAX, "document over 16 MiB");
    if (!utf8_valid(c->in, &bad))
        return fail(c, ERR_ENCODING, bad, "not UTF-8");
    return read_value(c);
}

enum json_token
json_canon_next(struct json_canon *c)
{
    bool ends;

    c->key = (struct span){NULL, 0};
    c->raw = (struct span){NULL, 0};
    c->escaped = false;
    switch (c->state) {
    case ST_START:
        return start(c);
    case ST_FIRST:
    case ST_AFTER:
        if (c->open == 0) {
            if (c->pos < c->in.n)
                return fail(c, ERR_SYNTAX, c->pos, "text behind the value");
            c->depth = 0;
            c->state = ST_END;
            return JSON_T_END;
        }
        ends = peek(c) == (in_object(c) ? '}' : ']');
        if (ends)
            return end(c);
        if (c->state == ST_AFTER) {
            if (peek(c) != ',')
                return fail(c, ERR_SYNTAX, c->pos, "neither a comma nor an end");
            c->pos++;
        }
        return read_value(c);
    case ST_END:
        return JSON_T_END;
    default:
        return JSON_T_FAILED;
    }
}

int
json_canon_skip(struct json_canon *c)
{
    unsigned depth = c->depth;

    if (c->state == ST_FAILED)
        return -1;
    if (c->state != ST_FIRST)
        return 0;
    do {
        if (json_canon_next(c) == JSON_T_FAILED)
            return -1;
    } while (c->open > depth);
    return 0;
}

int
json_canon_check(struct span text, struct err *e)
{
    struct json_canon c;
    enum json_token t;

    json_canon_init(&c, text, e);
    do
        t = json_canon_next(&c);
    while (t != JSON_T_END && t != JSON_T_FAILED);
    return t == JSON_T_END ? 0 : -1;
}
