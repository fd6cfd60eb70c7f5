#include "json_split.h"

#include <assert.h>
#include <string.h>
#include "json.h"
#include "json_room.h"
#include "mem.h"
#include "utf8.h"

/*
 * The states.  An outer object is read member by member, an array element by element:
 *
 *   START --{--> MEMBER_FIRST --"--> NAME --> COLON --> VALUE --> (SKIP | SCALAR | TEXT) --> AFTER
 *     |                                                   |                                   |
 *     |                                                   | "objects": [                  , ->
 * MEMBER
 *     +--[-----------------------------------------> ELEMENT_FIRST <-- ,                  } -> TAIL
 *                                          ITEM | ITEM_SCALAR --> ELEMENT_AFTER --]--> AFTER or
 * TAIL
 *
 * Until "objects" has been seen, an outer object may turn out to be the one object that the stream
 * holds, or the first line of many.  So it is kept from its brace on, like an item, while it is
 * read like an outer object ("undecided").  It is decided by a list named "objects", or at its end.
 * If it breaks before, it is passed over by its braces alone (BROKEN) and given as an item.
 */
enum state {
    START,
    MEMBER_FIRST,
    MEMBER,
    NAME,
    COLON,
    VALUE,
    SKIP,   /* within an array, object or string that nobody asks for */
    SCALAR, /* within a number or word that nobody asks for */
    TEXT,   /* within the value of type, id or spec_version */
    AFTER,
    ELEMENT_FIRST,
    ELEMENT,
    ITEM,
    ITEM_SCALAR,
    ELEMENT_AFTER,
    BROKEN,
    BETWEEN, /* behind one object: the end, or more of them */
    LINE,
    TAIL, /* nothing but white space may come */
    FAILED
};

enum member { OTHER, OBJECTS, TYPE, ID, SPEC_VERSION, MORE, NEXT };

/* A short text that is put together over several pieces of input. */
struct piece {
    size_t n;
    bool over; /* longer than there is room: only its length is missing */
    char raw[JSON_SPLIT_NAME_MAX];
};

struct json_split {
    size_t object_max;
    /* the input */
    const char *p;
    const char *end;
    const char *from; /* where the item's bytes in this input begin; NULL: no item is being kept */
    uint64_t end_pos; /* position of end in the stream */
    bool finished;
    unsigned mark; /* bytes of a byte order mark that have been seen */
    /* where we are */
    enum state state;
    enum json_split_kind kind;
    bool undecided; /* see above */
    bool one_line;  /* the first object has no newline within */
    bool newline;   /* one has come since the last object */
    uint64_t depth; /* braces and brackets open within a value */
    bool in_string;
    bool escape; /* the next byte stands behind a backslash */
    enum member member;
    unsigned seen;  /* bit m: member m has been seen */
    bool duplicate; /* one of those we look for came twice */
    bool stranger;  /* a member came that an empty envelope has not */
    struct piece name;
    struct piece value;
    char type[JSON_SPLIT_NAME_MAX];
    char id[JSON_SPLIT_NAME_MAX];
    char spec_version[JSON_SPLIT_NAME_MAX];
    size_t type_n;
    size_t id_n;
    size_t spec_version_n;
    /* the item */
    struct buf buf;   /* its bytes from earlier input */
    uint64_t size;    /* and how many there were, kept or not */
    uint64_t start;   /* position of its first byte */
    uint64_t count;   /* items begun */
    struct err fault; /* once FAILED */
};

struct json_split *
json_split_new(size_t object_max)
{
    struct json_split *s = mem_zero(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->object_max = object_max;
    buf_init(&s->buf, object_max);
    return s;
}

void
json_split_free(struct json_split *s)
{
    if (s == NULL)
        return;
    buf_clear(&s->buf);
    mem_free(s);
}

void
json_split_feed(struct json_split *s, struct span bytes)
{
    assert(s->p == s->end && !s->finished);
    if (bytes.n == 0)
        return;
    s->p = bytes.p;
    s->end = bytes.p + bytes.n;
    s->end_pos += bytes.n;
    if (s->from != NULL)
        s->from = s->p;
}

void
json_split_finish(struct json_split *s)
{
    s->finished = true;
}

/* Position in the stream of a byte of the present input. */
static uint64_t
pos_of(const struct json_split *s, const char *at)
{
    return s->end_pos - (uint64_t)(s->end - at);
}

static enum json_split_event
fail_at(struct json_split *s, enum err_code code, uint64_t pos, const char *text)
{
    s->state = FAILED;
    s->from = NULL;
    buf_clear(&s->buf);
    err_set_at(&s->fault, code, (size_t)pos, text);
    return JSON_SPLIT_FAILED;
}

static enum json_split_event
fail(struct json_split *s, enum err_code code, const char *text)
{
    return fail_at(s, code, pos_of(s, s->p), text);
}

static inline bool
blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Whether the backslashes that end at q, and do not begin before p, are odd in number. */
static bool
odd_backslashes(const char *p, const char *q)
{
    const char *b = q;

    while (b > p && b[-1] == '\\')
        b--;
    return ((q - b) & 1) != 0;
}

/* Behind the quote that ends the string that goes on at p; NULL: not in this input.  A quote is
 * looked for with memchr, and then the backslashes before it are counted. */
static const char *
scan_string(struct json_split *s, const char *p, const char *end)
{
    while (p < end) {
        const char *q;

        if (s->escape) {
            s->escape = false;
            p++;
            continue;
        }
        q = memchr(p, '"', (size_t)(end - p));
        if (q == NULL) {
            s->escape = odd_backslashes(p, end);
            return NULL;
        }
        if (!odd_backslashes(p, q)) {
            s->in_string = false;
            return q + 1;
        }
        p = q + 1;
    }
    return NULL;
}

/* The bytes that mean something outside of strings. */
static const unsigned char special[256] = {['"'] = 1, ['{'] = 1, ['['] = 1, ['}'] = 1, [']'] = 1};

/* Behind the end of the array, object or string that goes on at p; NULL: not in this input. */
static const char *
scan(struct json_split *s, const char *p)
{
    const char *end = s->end;

    for (;;) {
        if (s->in_string) {
            p = scan_string(s, p, end);
            if (p == NULL)
                return NULL;
            if (s->depth == 0)
                return p;
        }
        while (p < end && special[(unsigned char)*p] == 0)
            p++;
        if (p == end)
            return NULL;
        if (*p == '"') {
            s->in_string = true;
        } else if (*p == '{' || *p == '[') {
            s->depth++;
        } else {
            if (s->depth > 0)
                s->depth--;
            if (s->depth == 0)
                return p + 1;
        }
        p++;
    }
}

/* Behind the last byte of a number or word, or of what stands in its place. */
static const char *
scan_scalar(const struct json_split *s, const char *p)
{
    while (p < s->end && !blank(*p) && *p != ',' && *p != ']' && *p != '}')
        p++;
    return p;
}

/* From here on bytes belong to an item. */
static void
begin_item(struct json_split *s)
{
    buf_reset(&s->buf);
    s->from = s->p;
    s->start = pos_of(s, s->p);
    s->size = 0;
    s->count++;
}

/* Keeps what the input has of the item, up to `to`.  -1: out of memory. */
static int
keep(struct json_split *s, const char *to)
{
    size_t n = (size_t)(to - s->from);

    s->size += n;
    s->from = to;
    if (s->size > s->object_max) {
        buf_reset(&s->buf); /* too big: told at its end */
        return 0;
    }
    buf_put(&s->buf, to - n, n);
    return s->buf.failed ? -1 : 0;
}

/* The item ends before s->p. */
static enum json_split_event
end_item(struct json_split *s, struct span *text)
{
    struct span all = span_from(s->from, (size_t)(s->p - s->from));

    if (s->size != 0) {
        if (keep(s, s->p) < 0)
            return fail(s, ERR_MEMORY, "out of memory");
        all = buf_view(&s->buf);
    } else {
        s->size = all.n; /* all of it lies in this input: no copy */
    }
    s->from = NULL;
    if (s->size > s->object_max)
        return JSON_SPLIT_TOO_BIG;
    *text = all;
    return JSON_SPLIT_OBJECT;
}

static void
piece_put(struct piece *t, const char *p, size_t n)
{
    if (n > sizeof t->raw - t->n) {
        t->over = true;
        return;
    }
    memcpy(t->raw + t->n, p, n);
    t->n += n;
}

/* The text of a raw string; false where it has a bad escape or is not UTF-8. */
static bool
piece_text(const struct piece *t, char out[JSON_SPLIT_NAME_MAX], size_t *n)
{
    const char *why;
    size_t bad;

    return !t->over && text_unescape(span_from(t->raw, t->n), out, n, &bad, &why) == 0 &&
           utf8_valid(span_from(out, *n), NULL);
}

static enum member
member_of(const struct piece *name)
{
    static const struct {
        const char *name;
        enum member member;
    } known[] = {{"objects", OBJECTS},           {"type", TYPE}, {"id", ID},
                 {"spec_version", SPEC_VERSION}, {"more", MORE}, {"next", NEXT}};
    char text[JSON_SPLIT_NAME_MAX];
    size_t n;

    if (piece_text(name, text, &n))
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (span_is(span_from(text, n), known[i].name))
                return known[i].member;
    return OTHER;
}

/* The outer object does not follow the grammar, or contradicts itself.  As long as it may be a
 * single object, that is no reason to stop: whoever reads the object will see it. */
static enum json_split_event
broken(struct json_split *s, enum err_code code, const char *text)
{
    if (!s->undecided || span_is(span_from(s->type, s->type_n), "bundle"))
        return fail(s, code, text);
    s->state = BROKEN;
    s->depth = 1;
    s->in_string = false;
    s->escape = false;
    return JSON_SPLIT_MORE;
}

/* "objects" is a list: this is an outer object. */
static enum json_split_event
decide(struct json_split *s)
{
    s->undecided = false;
    s->from = NULL;
    s->count = 0;
    s->kind = s->type_n != 0 ? JSON_SPLIT_BUNDLE : JSON_SPLIT_ENVELOPE;
    if (s->duplicate)
        return fail(s, ERR_DUPLICATE, "name given twice in the outer object");
    return JSON_SPLIT_MORE;
}

static enum json_split_event
on_start(struct json_split *s)
{
    static const char bom[] = "\xef\xbb\xbf";

    if (s->mark < 3 && pos_of(s, s->p) == s->mark && *s->p == bom[s->mark]) {
        s->mark++;
        s->p++;
        return JSON_SPLIT_MORE;
    }
    if (s->mark > 0 && s->mark < 3)
        return fail_at(s, ERR_SYNTAX, 0, "neither an object nor a list");
    if (blank(*s->p)) {
        s->p++;
    } else if (*s->p == '{') {
        begin_item(s);
        s->p++;
        s->undecided = true;
        s->state = MEMBER_FIRST;
    } else if (*s->p == '[') {
        s->p++;
        s->kind = JSON_SPLIT_ARRAY;
        s->state = ELEMENT_FIRST;
    } else {
        return fail(s, ERR_SYNTAX, "neither an object nor a list");
    }
    return JSON_SPLIT_MORE;
}

/* Whether an object without "objects" is an outer one all the same: a bundle or an envelope that
 * holds nothing. */
static bool
empty_outer(const struct json_split *s)
{
    if (span_is(span_from(s->type, s->type_n), "bundle"))
        return true;
    return !s->stranger && (s->seen & (1u << TYPE | 1u << ID | 1u << OBJECTS)) == 0;
}

/* The brace that ends the outer object. */
static enum json_split_event
end_outer(struct json_split *s, struct span *text)
{
    enum json_split_event event;

    s->p++;
    if (!s->undecided) {
        s->state = TAIL;
        return JSON_SPLIT_MORE;
    }
    if (empty_outer(s)) {
        event = decide(s);
        if (event == JSON_SPLIT_MORE)
            s->state = TAIL;
        return event;
    }
    s->state = BETWEEN;
    s->undecided = false;
    s->kind = JSON_SPLIT_ONE;
    s->type_n = s->id_n = s->spec_version_n = 0;
    event = end_item(s, text);
    s->one_line = event == JSON_SPLIT_OBJECT && memchr(text->p, '\n', text->n) == NULL;
    return event;
}

static enum json_split_event
on_member(struct json_split *s, struct span *text)
{
    if (*s->p == '"') {
        s->p++;
        s->name.n = 0;
        s->name.over = false;
        s->in_string = true;
        s->state = NAME;
        return JSON_SPLIT_MORE;
    }
    if (*s->p == '}' && s->state == MEMBER_FIRST)
        return end_outer(s, text);
    return broken(s, ERR_SYNTAX, "no name of a member");
}

/* Goes on with a string of which the raw text is wanted.  True at its end. */
static bool
take_string(struct json_split *s, struct piece *into)
{
    const char *end = scan_string(s, s->p, s->end);
    const char *to = end != NULL ? end - 1 : s->end;

    piece_put(into, s->p, (size_t)(to - s->p));
    s->p = end != NULL ? end : s->end;
    return end != NULL;
}

static void
on_name(struct json_split *s)
{
    if (!take_string(s, &s->name))
        return;
    s->member = member_of(&s->name);
    if (s->member == OTHER || s->member == SPEC_VERSION)
        s->stranger = true;
    if (s->member != OTHER && (s->seen & 1u << s->member) != 0)
        s->duplicate = true;
    s->seen |= 1u << s->member;
    s->state = COLON;
}

static enum json_split_event
on_value(struct json_split *s)
{
    bool is_bundle = span_is(span_from(s->type, s->type_n), "bundle");

    if (!s->undecided && s->duplicate)
        return fail(s, ERR_DUPLICATE, "name given twice in the outer object");
    if (s->member == OBJECTS && *s->p == '[' && (s->type_n == 0 || is_bundle)) {
        s->p++;
        s->state = ELEMENT_FIRST;
        return decide(s);
    }
    if (s->member == OBJECTS && is_bundle)
        return fail(s, ERR_TYPE, "\"objects\" of a bundle is no list");
    s->depth = 0;
    s->escape = false;
    switch (*s->p) {
    case '"':
        s->in_string = true;
        s->p++;
        s->value.n = 0;
        s->value.over = false;
        s->state = s->member == TYPE || s->member == ID || s->member == SPEC_VERSION ? TEXT : SKIP;
        return JSON_SPLIT_MORE;
    case '{':
    case '[':
        s->in_string = false;
        s->state = SKIP;
        return JSON_SPLIT_MORE;
    case ',':
    case '}':
    case ']':
    case ':':
        return broken(s, ERR_SYNTAX, "no value");
    default:
        s->state = SCALAR;
        return JSON_SPLIT_MORE;
    }
}

/* A value of the outer object has been read: what does it say? */
static enum json_split_event
on_text(struct json_split *s)
{
    struct {
        char *out;
        size_t *n;
    } to = {s->spec_version, &s->spec_version_n};
    char text[JSON_SPLIT_NAME_MAX];
    size_t n;

    if (!take_string(s, &s->value))
        return JSON_SPLIT_MORE;
    s->state = AFTER;
    if (!piece_text(&s->value, text, &n))
        return broken(s, s->value.over ? ERR_LIMIT : ERR_ENCODING,
                      "type, id or spec_version of the outer object cannot be read");
    if (s->member == TYPE) {
        to.out = s->type;
        to.n = &s->type_n;
    } else if (s->member == ID) {
        to.out = s->id;
        to.n = &s->id_n;
    }
    memcpy(to.out, text, n);
    *to.n = n;
    if (s->member == TYPE && !s->undecided) { /* it came behind the objects */
        if (!span_is(span_from(text, n), "bundle"))
            return fail(s, ERR_RULE, "the outer object has objects, and is no bundle");
        s->kind = JSON_SPLIT_BUNDLE;
    }
    return JSON_SPLIT_MORE;
}

static enum json_split_event
on_after(struct json_split *s, struct span *text)
{
    if (*s->p == '}')
        return end_outer(s, text);
    if (*s->p != ',')
        return broken(s, ERR_SYNTAX, "neither a comma nor an end in the outer object");
    s->p++;
    s->state = MEMBER;
    return JSON_SPLIT_MORE;
}

static enum json_split_event
end_list(struct json_split *s)
{
    s->p++;
    s->state = s->kind == JSON_SPLIT_ARRAY ? TAIL : AFTER;
    return JSON_SPLIT_MORE;
}

static enum json_split_event
on_element(struct json_split *s)
{
    char c = *s->p;

    if (c == ']' && s->state == ELEMENT_FIRST)
        return end_list(s);
    if (c == ',' || c == ']' || c == '}' || c == ':')
        return fail(s, ERR_SYNTAX, "no value in the list");
    begin_item(s);
    s->depth = 0;
    s->escape = false;
    s->in_string = c == '"';
    if (c == '"')
        s->p++;
    s->state = c == '"' || c == '{' || c == '[' ? ITEM : ITEM_SCALAR;
    return JSON_SPLIT_MORE;
}

static enum json_split_event
on_element_after(struct json_split *s)
{
    if (*s->p == ']')
        return end_list(s);
    if (*s->p != ',')
        return fail(s, ERR_SYNTAX, "neither a comma nor an end in the list");
    s->p++;
    s->state = ELEMENT;
    return JSON_SPLIT_MORE;
}

/* Within an item: to its end, if the input has it. */
static enum json_split_event
on_item(struct json_split *s, struct span *text)
{
    const char *to = s->state == ITEM_SCALAR ? scan_scalar(s, s->p) : scan(s, s->p);

    if (to == NULL || (s->state == ITEM_SCALAR && to == s->end)) {
        s->p = s->end;
        return JSON_SPLIT_MORE;
    }
    s->p = to;
    s->state = s->kind >= JSON_SPLIT_ONE ? BETWEEN : ELEMENT_AFTER;
    return end_item(s, text);
}

static enum json_split_event
on_broken(struct json_split *s, struct span *text)
{
    const char *to = scan(s, s->p);

    if (to == NULL) {
        s->p = s->end;
        return JSON_SPLIT_MORE;
    }
    s->p = to - 1;
    s->stranger = true; /* never an empty envelope */
    return end_outer(s, text);
}

/* Behind an object that stood alone: are there more? */
static enum json_split_event
on_between(struct json_split *s)
{
    if (s->one_line && s->newline) {
        begin_item(s);
        s->state = LINE;
    } else if (*s->p == '{') {
        begin_item(s);
        s->depth = 0;
        s->in_string = false;
        s->escape = false;
        s->state = ITEM;
    } else {
        return fail(s, ERR_SYNTAX, "text behind the object");
    }
    s->kind = JSON_SPLIT_LINES;
    s->newline = false;
    return JSON_SPLIT_MORE;
}

static enum json_split_event
on_line(struct json_split *s, struct span *text)
{
    const char *to = memchr(s->p, '\n', (size_t)(s->end - s->p));
    enum json_split_event event;

    if (to == NULL && !(s->finished && s->p == s->end)) {
        s->p = s->end;
        return JSON_SPLIT_MORE;
    }
    if (to != NULL)
        s->p = to;
    event = end_item(s, text);
    if (event == JSON_SPLIT_OBJECT)
        *text = span_trim(*text);
    if (event != JSON_SPLIT_FAILED)
        s->state = BETWEEN;
    return event;
}

/* One step; MORE means only that nothing is to be told yet. */
static enum json_split_event
step(struct json_split *s, struct span *text)
{
    const char *to;

    switch (s->state) {
    case NAME:
        on_name(s);
        return JSON_SPLIT_MORE;
    case TEXT:
        return on_text(s);
    case SKIP:
        to = scan(s, s->p);
        s->p = to != NULL ? to : s->end;
        if (to != NULL)
            s->state = AFTER;
        return JSON_SPLIT_MORE;
    case SCALAR:
        s->p = scan_scalar(s, s->p);
        if (s->p < s->end)
            s->state = AFTER;
        return JSON_SPLIT_MORE;
    case ITEM:
    case ITEM_SCALAR:
        return on_item(s, text);
    case BROKEN:
        return on_broken(s, text);
    case LINE:
        return on_line(s, text);
    case START:
        return on_start(s);
    default:
        break;
    }
    if (blank(*s->p)) { /* between tokens */
        s->newline |= *s->p == '\n';
        s->p++;
        return JSON_SPLIT_MORE;
    }
    switch (s->state) {
    case MEMBER_FIRST:
    case MEMBER:
        return on_member(s, text);
    case COLON:
        if (*s->p != ':')
            return broken(s, ERR_SYNTAX, "no colon behind a name");
        s->p++;
        s->state = VALUE;
        return JSON_SPLIT_MORE;
    case VALUE:
        return on_value(s);
    case AFTER:
        return on_after(s, text);
    case ELEMENT_FIRST:
    case ELEMENT:
        return on_element(s);
    case ELEMENT_AFTER:
        return on_element_after(s);
    case BETWEEN:
        return on_between(s);
    default: /* TAIL */
        return fail(s, ERR_SYNTAX, "text behind the end");
    }
}

/* All input has been read. */
static enum json_split_event
at_end(struct json_split *s, struct span *text)
{
    if (!s->finished) {
        if (s->from != NULL && keep(s, s->end) < 0)
            return fail(s, ERR_MEMORY, "out of memory");
        return JSON_SPLIT_MORE;
    }
    switch (s->state) {
    case LINE:
        return on_line(s, text);
    case BETWEEN:
    case TAIL:
        return JSON_SPLIT_END;
    case START:
        return fail_at(s, ERR_SYNTAX, s->end_pos, "nothing in it");
    default:
        return fail_at(s, ERR_SYNTAX, s->end_pos, "text ends too early");
    }
}

enum json_split_event
json_split_next(struct json_split *s, struct span *text, struct err *e)
{
    enum json_split_event event = JSON_SPLIT_MORE;

    while (event == JSON_SPLIT_MORE && s->state != FAILED && s->p < s->end)
        event = step(s, text);
    if (event == JSON_SPLIT_MORE && s->state != FAILED) {
        event = at_end(s, text);
        if (event == JSON_SPLIT_MORE)
            return event;
    }
    if (s->state == FAILED) {
        if (e != NULL)
            *e = s->fault;
        return JSON_SPLIT_FAILED;
    }
    return event;
}

uint64_t
json_split_pos(const struct json_split *s)
{
    return s->start;
}

uint64_t
json_split_index(const struct json_split *s)
{
    return s->count != 0 ? s->count - 1 : 0;
}

enum json_split_kind
json_split_kind(const struct json_split *s)
{
    return s->kind;
}

struct span
json_split_type(const struct json_split *s)
{
    return span_from(s->type, s->undecided ? 0 : s->type_n);
}

struct span
json_split_id(const struct json_split *s)
{
    return span_from(s->id, s->undecided ? 0 : s->id_n);
}

struct span
json_split_spec_version(const struct json_split *s)
{
    return span_from(s->spec_version, s->undecided ? 0 : s->spec_version_n);
}
