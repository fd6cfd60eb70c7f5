#include "json_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "utf8.h"

void
json_out_init(struct json_out *o, struct buf *b)
{
    *o = (struct json_out){.b = b};
}

static bool
in_object(const struct json_out *o)
{
    return o->depth > 0 && (o->object >> (o->depth - 1) & 1) != 0;
}

/* The comma before an element or a name, if it is not the first. */
static void
comma(struct json_out *o)
{
    uint64_t bit;

    if (o->depth == 0)
        return;
    bit = (uint64_t)1 << (o->depth - 1);
    if ((o->some & bit) != 0)
        buf_put(o->b, ",", 1);
    o->some |= bit;
}

static void
before_value(struct json_out *o)
{
    assert(in_object(o) == o->key); /* in an object each value has a name, elsewhere none */
    if (!o->key)
        comma(o);
    o->key = false;
}

static void
begin(struct json_out *o, bool object)
{
    before_value(o);
    assert(o->depth < JSON_DEPTH_MAX);
    if (o->depth >= JSON_DEPTH_MAX) { /* no text rather than a wrong one */
        o->b->failed = true;
        return;
    }
    o->some &= ~((uint64_t)1 << o->depth);
    o->object &= ~((uint64_t)1 << o->depth);
    o->object |= (uint64_t)object << o->depth;
    o->depth++;
    buf_put(o->b, object ? "{" : "[", 1);
}

static void
end(struct json_out *o, bool object)
{
    assert(o->depth > 0 && in_object(o) == object && !o->key);
    if (o->depth == 0)
        return;
    o->depth--;
    buf_put(o->b, object ? "}" : "]", 1);
}

void
json_begin_object(struct json_out *o)
{
    begin(o, true);
}

void
json_end_object(struct json_out *o)
{
    end(o, true);
}

void
json_begin_array(struct json_out *o)
{
    begin(o, false);
}

void
json_end_array(struct json_out *o)
{
    end(o, false);
}

/* In quotes, with U+FFFD for each byte that belongs to no character. */
static void
put_text(struct buf *b, struct span s)
{
    size_t bad;
    struct buf clean;

    if (utf8_valid(s, NULL)) {
        json_put_string(b, s);
        return;
    }
    buf_init(&clean, SIZE_MAX);
    while (!utf8_valid(s, &bad)) {
        buf_put(&clean, s.p, bad);
        buf_put(&clean, "\xef\xbf\xbd", 3);
        s = span_part(s, bad + 1, SIZE_MAX);
    }
    buf_span(&clean, s);
    if (clean.failed)
        b->failed = true;
    else
        json_put_string(b, buf_view(&clean));
    buf_clear(&clean);
}

void
json_name_span(struct json_out *o, struct span name)
{
    assert(in_object(o) && !o->key);
    comma(o);
    put_text(o->b, name);
    buf_put(o->b, ":", 1);
    o->key = true;
}

void
json_name(struct json_out *o, const char *name)
{
    json_name_span(o, span_of(name));
}

void
json_string(struct json_out *o, struct span s)
{
    before_value(o);
    put_text(o->b, s);
}

void
json_str(struct json_out *o, const char *s)
{
    json_string(o, span_of(s));
}

void
json_int(struct json_out *o, int64_t v)
{
    before_value(o);
    if (v < 0)
        buf_put(o->b, "-", 1);
    buf_decimal(o->b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
json_uint(struct json_out *o, uint64_t v)
{
    before_value(o);
    buf_decimal(o->b, v);
}

void
json_double(struct json_out *o, double v)
{
    char text[JSON_NUMBER_MAX];

    before_value(o);
    assert(isfinite(v)); /* JSON has no other */
    if (isfinite(v))
        buf_put(o->b, text, json_number_print(v, text));
    else
        buf_put(o->b, "null", 4);
}

void
json_bool(struct json_out *o, bool v)
{
    before_value(o);
    buf_str(o->b, v ? "true" : "false");
}

void
json_null(struct json_out *o)
{
    before_value(o);
    buf_put(o->b, "null", 4);
}

void
json_raw(struct json_out *o, struct span value)
{
    before_value(o);
    buf_span(o->b, value);
}

void
json_member(struct json_out *o, const char *name, struct span s)
{
    json_name(o, name);
    json_string(o, s);
}

void
json_member_str(struct json_out *o, const char *name, const char *s)
{
    json_name(o, name);
    json_str(o, s);
}

void
json_member_int(struct json_out *o, const char *name, int64_t v)
{
    json_name(o, name);
    json_int(o, v);
}

void
json_member_bool(struct json_out *o, const char *name, bool v)
{
    json_name(o, name);
    json_bool(o, v);
}
