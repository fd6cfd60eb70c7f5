#include "json.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include "json_room.h"
#include "mem.h"
#include "simd.h"
#include "utf8.h"

#define KEY_SLACK 8 /* bytes behind the text pool, so that eight can be loaded from any name */

struct json_parser {
    struct simd *simd;
};

/* One document being read.  Tokens are taken from at[i], from the front. */
struct walk {
    const char *text;
    size_t n;
    const uint32_t *at;
    size_t count;
    size_t i;
    struct arena *a;
    char *pool; /* where unescaped text goes: never more than the document has bytes */
    struct err *e;
    struct json *open[JSON_DEPTH_MAX]; /* arrays and objects not yet ended, and ... */
    struct json *last[JSON_DEPTH_MAX]; /* ... what was put into each last */
    unsigned depth;
};

struct json_parser *
json_parser_new(void)
{
    struct json_parser *p = mem_zero(1, sizeof *p);

    if (p == NULL)
        return NULL;
    p->simd = simd_new();
    if (p->simd == NULL) {
        mem_free(p);
        return NULL;
    }
    return p;
}

void
json_parser_free(struct json_parser *p)
{
    if (p == NULL)
        return;
    simd_free(p->simd);
    mem_free(p);
}

/* near: the value or, where there is none yet, the array or object in which it went wrong. */
static int
fail(struct walk *w, enum err_code code, size_t pos, const char *text, const struct json *near)
{
    char place[ERR_PLACE_MAX];

    err_set_at(w->e, code, pos, text);
    if (near != NULL) {
        json_pointer(near, place, sizeof place);
        err_place(w->e, "%s", place);
    }
    return -1;
}

static int
fail_alloc(struct walk *w)
{
    if (arena_full(w->a))
        return err_set(w->e, ERR_LIMIT, "document needs more memory than it may have");
    return err_set(w->e, ERR_MEMORY, "out of memory");
}

/* The first byte of the next token; '\0', which starts none, at the end. */
static inline char
peek(const struct walk *w)
{
    return w->i < w->count ? w->text[w->at[w->i]] : '\0';
}

static inline size_t
where(const struct walk *w)
{
    return w->i < w->count ? w->at[w->i] : w->n;
}

static inline bool
blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The end of the token at i: what lies before the next one is white space. */
static inline size_t
token_end(const struct walk *w)
{
    size_t from = w->at[w->i];
    size_t end = w->i + 1 < w->count ? w->at[w->i + 1] : w->n;

    while (end > from + 1 && blank(w->text[end - 1]))
        end--;
    return end;
}

/* The string token at i. */
static int
read_string(struct walk *w, struct span *out, const struct json *near)
{
    size_t from = w->at[w->i] + 1;
    size_t end = token_end(w);
    const char *why;
    struct span raw;
    size_t bad;

    if (end <= from || w->text[end - 1] != '"')
        return fail(w, ERR_SYNTAX, w->at[w->i], "string without an end", near);
    raw = span_from(w->text + from, end - 1 - from);
    w->i++;
    *out = span_from(w->pool, raw.n);
    if (memchr(raw.p, '\\', raw.n) == NULL)
        memcpy(w->pool, raw.p, raw.n);
    else if (text_unescape(raw, w->pool, &out->n, &bad, &why) < 0)
        return fail(w, ERR_ENCODING, from + bad, why, near);
    w->pool += out->n;
    return 0;
}

static int
read_number(struct walk *w, struct json *v)
{
    size_t from = w->at[w->i];
    struct span s = span_from(w->text + from, token_end(w) - from);

    switch (number_read(s, &v->number)) {
    case NUMBER_SYNTAX:
        return fail(w, ERR_SYNTAX, from, "not a number", v);
    case NUMBER_TOO_LARGE:
        return fail(w, ERR_RANGE, from, "number beyond a double", v);
    case NUMBER_INEXACT:
        return fail(w, ERR_RANGE, from, "integer beyond 2^53-1", v);
    case NUMBER_OK:
        break;
    }
    memcpy(w->pool, s.p, s.n);
    v->text = span_from(w->pool, s.n);
    w->pool += s.n;
    w->i++;
    return 0;
}

static int
read_word(struct walk *w, struct json *v)
{
    size_t from = w->at[w->i];
    struct span s = span_from(w->text + from, token_end(w) - from);

    if (span_eq(s, SPAN("null"))) {
        v->type = JSON_NULL;
    } else if (span_eq(s, SPAN("true")) || span_eq(s, SPAN("false"))) {
        v->type = JSON_BOOL;
        v->boolean = s.n == 4;
    } else {
        return fail(w, ERR_SYNTAX, from, "unknown word", v);
    }
    w->i++;
    return 0;
}

/* A value, or the opening of an array or object. */
static int
read_value(struct walk *w, struct json *v)
{
    v->pos = (uint32_t)where(w);
    switch (peek(w)) {
    case '"':
        v->type = JSON_STRING;
        return read_string(w, &v->text, v);
    case '{':
    case '[':
        v->type = peek(w) == '{' ? JSON_OBJECT : JSON_ARRAY;
        if (w->depth == JSON_DEPTH_MAX)
            return fail(w, ERR_LIMIT, v->pos, "nested deeper than 64", v);
        w->open[w->depth] = v;
        w->last[w->depth] = NULL;
        w->depth++;
        w->i++;
        return 0;
    case '-':
    case '0' ... '9':
        v->type = JSON_NUMBER;
        return read_number(w, v);
    case 't':
    case 'f':
    case 'n':
        return read_word(w, v);
    default:
        if (w->i >= w->count)
            return fail(w, ERR_SYNTAX, w->n, "text ends where a value should come", v);
        return fail(w, ERR_SYNTAX, v->pos, "no value", v);
    }
}

/* A new value in the innermost open array or object; with its name, if that is an object. */
static struct json *
new_value(struct walk *w)
{
    struct json *up = w->depth > 0 ? w->open[w->depth - 1] : NULL;
    struct json *v = arena_alloc(w->a, sizeof *v);

    if (v == NULL) {
        fail_alloc(w);
        return NULL;
    }
    *v = (struct json){.up = up};
    if (up == NULL)
        return v;
    if (up->type == JSON_OBJECT) {
        if (peek(w) != '"') {
            fail(w, ERR_SYNTAX, where(w), "no name of a member", up);
            return NULL;
        }
        if (read_string(w, &v->key, up) < 0)
            return NULL;
        if (peek(w) != ':') {
            fail(w, ERR_SYNTAX, where(w), "no colon behind a name", up);
            return NULL;
        }
        w->i++;
    }
    if (w->last[w->depth - 1] != NULL)
        w->last[w->depth - 1]->next = v;
    else
        up->child = v;
    w->last[w->depth - 1] = v;
    up->count++;
    return v;
}

/* Eight bytes of a name as a number, the first the most significant, zeros behind the end. */
static inline uint64_t
prefix(struct span key)
{
    uint64_t v;

    memcpy(&v, key.p, sizeof v); /* KEY_SLACK makes this safe */
    v = __builtin_bswap64(v);
    if (key.n < 8)
        v = key.n == 0 ? 0 : v & ~(uint64_t)0 << (64 - 8 * key.n);
    return v;
}

static int
key_cmp(const struct json *a, const struct json *b)
{
    uint64_t x = prefix(a->key);
    uint64_t y = prefix(b->key);

    /* Among ASCII the orders of bytes, code points and UTF-16 units are the same. */
    if (x != y && ((x | y) & 0x8080808080808080u) == 0)
        return x < y ? -1 : 1;
    return utf8_cmp_utf16(a->key, b->key);
}

static struct json *
merge(struct json *a, struct json *b)
{
    struct json head = {0};
    struct json *tail = &head;

    while (a != NULL && b != NULL) {
        struct json **from = key_cmp(a, b) <= 0 ? &a : &b;

        tail->next = *from;
        tail = *from;
        *from = (struct json *)(*from)->next;
    }
    tail->next = a != NULL ? a : b;
    return (struct json *)head.next;
}

/* Merge sort from the bottom up: runs[i] holds 2^i members or none. */
static struct json *
sort(struct json *list)
{
    struct json *runs[32] = {0};
    struct json *all = NULL;
    size_t i;

    while (list != NULL) {
        struct json *one = list;

        list = (struct json *)list->next;
        one->next = NULL;
        for (i = 0; runs[i] != NULL; i++) { /* at most 2^24 members in JSON_TEXT_MAX */
            one = merge(runs[i], one);
            runs[i] = NULL;
        }
        runs[i] = one;
    }
    for (i = 0; i < sizeof runs / sizeof runs[0]; i++)
        if (runs[i] != NULL)
            all = merge(runs[i], all);
    return all;
}

/* Puts the members of an object that has just ended into order, and refuses a name given twice. */
static int
end_object(struct walk *w, struct json *o)
{
    const struct json *m = o->child;

    while (m != NULL && m->next != NULL && key_cmp(m, m->next) < 0)
        m = m->next;
    if (m == NULL || m->next == NULL)
        return 0;
    o->child = sort((struct json *)o->child);
    for (m = o->child; m->next != NULL; m = m->next)
        if (key_cmp(m, m->next) == 0)
            return fail(w, ERR_DUPLICATE, m->pos > m->next->pos ? m->pos : m->next->pos,
                        "name given twice", m);
    return 0;
}

/* Whether the innermost open array or object ends here; -1: it does, and is not right. */
static int
try_end(struct walk *w)
{
    struct json *up = w->open[w->depth - 1];

    if (peek(w) != (up->type == JSON_OBJECT ? '}' : ']'))
        return 0;
    if (up->type == JSON_OBJECT && end_object(w, up) < 0)
        return -1;
    w->i++;
    w->depth--;
    return 1;
}

/* Behind a value: ends what ends, and takes the comma.  1: all is read; 0: a value follows. */
static int
after_value(struct walk *w)
{
    while (w->depth > 0) {
        int r = try_end(w);

        if (r < 0)
            return -1;
        if (r > 0)
            continue;
        if (peek(w) == ',') {
            w->i++;
            return 0;
        }
        return fail(w, ERR_SYNTAX, where(w),
                    w->i < w->count ? "neither a comma nor an end" : "text ends too early",
                    w->open[w->depth - 1]);
    }
    if (w->i < w->count)
        return fail(w, ERR_SYNTAX, where(w), "text behind the value", NULL);
    return 1;
}

static const struct json *
read_document(struct walk *w)
{
    struct json *root = NULL;

    for (;;) {
        struct json *v = new_value(w);
        unsigned depth = w->depth;
        int r = 0;

        if (v == NULL)
            return NULL;
        if (root == NULL)
            root = v;
        if (read_value(w, v) < 0)
            return NULL;
        if (w->depth > depth) { /* opened: is it empty? */
            r = try_end(w);
            if (r < 0)
                return NULL;
            if (r == 0)
                continue;
        }
        r = after_value(w);
        if (r < 0)
            return NULL;
        if (r > 0)
            return root;
    }
}

/* Where the control character is that simdjson has found within a string. */
static size_t
find_control(struct span text)
{
    bool in = false;

    for (size_t i = 0; i < text.n; i++) {
        if (in && text.p[i] == '\\')
            i++;
        else if (text.p[i] == '"')
            in = !in;
        else if (in && (unsigned char)text.p[i] < 0x20)
            return i;
    }
    return 0;
}

static int
index_tokens(struct json_parser *p, struct span text, struct walk *w)
{
    size_t bad = 0;

    switch (simd_index(p->simd, text.p, text.n, &w->at, &w->count)) {
    case SIMD_OK:
        return 0;
    case SIMD_MEMORY:
        return err_set(w->e, ERR_MEMORY, "out of memory");
    case SIMD_EMPTY:
        return err_set(w->e, ERR_SYNTAX, "no value");
    case SIMD_UTF8:
        (void)utf8_valid(text, &bad);
        return err_set_at(w->e, ERR_ENCODING, bad, "not UTF-8");
    case SIMD_CONTROL:
        return err_set_at(w->e, ERR_SYNTAX, find_control(text), "control character in a string");
    case SIMD_UNCLOSED:
        return err_set_at(w->e, ERR_SYNTAX, text.n, "string without an end");
    case SIMD_OTHER:
        break;
    }
    return err_set(w->e, ERR_SYNTAX, "not JSON");
}

const struct json *
json_parse(struct json_parser *p, struct span text, struct arena *a, struct err *e)
{
    struct walk w = {.text = text.p, .n = text.n, .a = a, .e = e};
    struct arena_mark mark = arena_mark(a);
    const struct json *root = NULL;

    if (text.n > JSON_TEXT_MAX) {
        err_set_at(e, ERR_LIMIT, JSON_TEXT_MAX, "document over 16 MiB");
        return NULL;
    }
    if (text.n == 0) {
        err_set(e, ERR_SYNTAX, "no value");
        return NULL;
    }
    if (index_tokens(p, text, &w) == 0) {
        w.pool = arena_alloc(a, text.n + KEY_SLACK);
        if (w.pool == NULL)
            fail_alloc(&w);
        else
            root = read_document(&w);
    }
    if (root == NULL)
        arena_rewind(a, mark);
    simd_shrink(p->simd);
    return root;
}

const struct json *
json_get_span(const struct json *o, struct span name)
{
    if (o == NULL || o->type != JSON_OBJECT)
        return NULL;
    for (const struct json *m = o->child; m != NULL; m = m->next)
        if (span_eq(m->key, name))
            return m;
    return NULL;
}

const struct json *
json_get(const struct json *o, const char *name)
{
    return json_get_span(o, span_of(name));
}

struct span
json_text(const struct json *o, const char *name)
{
    const struct json *m = json_get(o, name);

    return m != NULL && m->type == JSON_STRING ? m->text : (struct span){NULL, 0};
}

bool
json_is_int(const struct json *v, int64_t *out)
{
    if (v == NULL || v->type != JSON_NUMBER || v->number != trunc(v->number) ||
        fabs(v->number) > 9007199254740991.0)
        return false;
    if (out != NULL)
        *out = (int64_t)v->number;
    return true;
}

/* Adds a piece of a pointer if all of it fits; a place that is cut ends on a whole character. */
static bool
put_piece(char *out, size_t n, size_t *at, const char *p, size_t len)
{
    if (len > n - 1 - *at)
        return false;
    memcpy(out + *at, p, len);
    *at += len;
    return true;
}

static bool
put_name(char *out, size_t n, size_t *at, struct span key)
{
    while (key.n > 0) {
        const char *p = key.p;
        uint32_t cp = utf8_next(&key);
        bool fits;

        if (cp == '~')
            fits = put_piece(out, n, at, "~0", 2);
        else if (cp == '/')
            fits = put_piece(out, n, at, "~1", 2);
        else if (cp == 0) /* would end a C string: shown as U+FFFD */
            fits = put_piece(out, n, at, "\xef\xbf\xbd", 3);
        else
            fits = put_piece(out, n, at, p, (size_t)(key.p - p));
        if (!fits)
            return false;
    }
    return true;
}

static bool
put_index(char *out, size_t n, size_t *at, const struct json *v)
{
    char digits[20];
    size_t i = sizeof digits;
    uint32_t index = 0;

    for (const struct json *s = v->up->child; s != NULL && s != v; s = s->next)
        index++;
    do {
        digits[--i] = (char)('0' + index % 10);
        index /= 10;
    } while (index != 0);
    return put_piece(out, n, at, digits + i, sizeof digits - i);
}

void
json_pointer(const struct json *v, char *out, size_t n)
{
    const struct json *path[JSON_DEPTH_MAX + 1];
    size_t depth = 0;
    size_t at = 0;

    if (n == 0)
        return;
    for (; v->up != NULL && depth < sizeof path / sizeof path[0]; v = v->up)
        path[depth++] = v;
    while (depth > 0) {
        v = path[--depth];
        if (!put_piece(out, n, &at, "/", 1))
            break;
        if (!(v->up->type == JSON_OBJECT ? put_name(out, n, &at, v->key)
                                         : put_index(out, n, &at, v)))
            break;
    }
    out[at] = '\0';
}
