/* exchange/tell.c - what is said to the writer, as bytes. */
#include "tell.h"

#include <string.h>

#define TELL_FORMAT 1

enum {
    IS_EXERCISE = 1u << 0,
    IS_QUARANTINE = 1u << 1,
    IS_DRY = 1u << 2,
    IS_ITEMS = 1u << 3,
    IS_KEEP_NARROW = 1u << 4,
    IS_ALL = (1u << 5) - 1
};

#define TELL_SPANS 11

static void
spans_of(struct tell *t, struct span *out[TELL_SPANS])
{
    out[0] = &t->ticket;
    out[1] = &t->source;
    out[2] = &t->label;
    out[3] = &t->group;
    out[4] = &t->person;
    out[5] = &t->collection;
    out[6] = &t->id;
    out[7] = &t->text;
    out[8] = &t->name;
    out[9] = &t->payload;
    out[10] = NULL;
}

static size_t
span_max(unsigned i)
{
    return i == 0 ? ASK_TICKET_MAX : i == 9 ? TELL_MAX : TELL_TEXT_MAX;
}

static bool
has_filters(const struct tell *t)
{
    return t->q.id.n > 0 || t->q.type.n > 0 || t->q.spec.n > 0 || t->q.version_n > 0;
}

static unsigned
flags_of(const struct tell *t)
{
    return (t->exercise ? IS_EXERCISE : 0) | (t->quarantine ? IS_QUARANTINE : 0) |
           (t->dry ? IS_DRY : 0) | (t->items ? IS_ITEMS : 0) |
           (t->keep_narrow ? IS_KEEP_NARROW : 0);
}

void
tell_encode(const struct tell *t, struct buf *out)
{
    struct tell copy = *t;
    struct span *s[TELL_SPANS];
    unsigned mask = 0;

    spans_of(&copy, s);
    for (unsigned i = 0; s[i] != NULL; i++)
        mask |= s[i]->n > 0 ? 1u << i : 0;
    buf_u8(out, TELL_FORMAT);
    buf_u8(out, (unsigned)t->verb);
    buf_u8(out, flags_of(t));
    buf_u8(out, (unsigned)t->profile);
    buf_u8(out, (unsigned)t->kind);
    buf_u8(out, (unsigned)t->act);
    buf_u32(out, t->handle);
    buf_u64(out, t->number);
    buf_u16(out, mask);
    buf_u8(out, has_filters(t) ? 1 : 0);
    buf_u16(out, (unsigned)t->pair_n);
    buf_u16(out, (unsigned)t->mark_n);
    for (unsigned i = 0; s[i] != NULL; i++) {
        if (s[i]->n > 0)
            buf_field(out, *s[i]);
    }
    if (has_filters(t))
        taxii_filter_put(&t->q, out);
    for (size_t i = 0; i < t->pair_n; i++) {
        buf_field(out, t->pairs[i].key);
        buf_field(out, t->pairs[i].value);
    }
    for (size_t i = 0; i < t->mark_n; i++) {
        buf_u64(out, t->marks[i].principal);
        buf_u64(out, t->marks[i].audience);
        buf_i64(out, t->marks[i].arrival_us);
        buf_i64(out, t->marks[i].when_us);
        buf_i64(out, t->marks[i].since_us);
    }
}

static int
lists_get(struct reader *r, struct arena *a, size_t pairs, size_t marks, struct tell *t,
          struct err *e)
{
    struct tell_pair *pair;
    struct tell_mark *mark;

    if (pairs > TELL_PAIRS_MAX || marks > TELL_MARKS_MAX)
        return err_set(e, ERR_PROTOCOL, "too many entries in a message");
    if (pairs > 0) {
        pair = arena_zero(a, pairs, sizeof *pair);
        if (pair == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        for (size_t i = 0; i < pairs; i++) {
            pair[i].key = reader_field(r, TELL_TEXT_MAX);
            pair[i].value = reader_field(r, TELL_TEXT_MAX);
        }
        t->pairs = pair;
        t->pair_n = pairs;
    }
    if (marks > 0) {
        mark = arena_zero(a, marks, sizeof *mark);
        if (mark == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        for (size_t i = 0; i < marks; i++) {
            mark[i].principal = reader_u64(r);
            mark[i].audience = reader_u64(r);
            mark[i].arrival_us = reader_i64(r);
            mark[i].when_us = reader_i64(r);
            mark[i].since_us = reader_i64(r);
        }
        t->marks = mark;
        t->mark_n = marks;
    }
    return 0;
}

static int
head_get(struct reader *r, struct tell *t, struct err *e)
{
    unsigned flags;

    if (reader_u8(r) != TELL_FORMAT)
        return err_set(e, ERR_PROTOCOL, "message of an unknown form");
    t->verb = reader_u8(r);
    flags = reader_u8(r);
    t->profile = reader_u8(r);
    t->kind = reader_u8(r);
    t->act = reader_u8(r);
    if (t->verb == TELL_NONE || t->verb >= TELL_VERBS || flags & ~(unsigned)IS_ALL ||
        t->profile >= TELL_PROFILES || t->kind >= TELL_KINDS || t->act >= TELL_ACTS)
        return err_set(e, ERR_PROTOCOL, "unknown value in a message");
    t->exercise = flags & IS_EXERCISE;
    t->quarantine = flags & IS_QUARANTINE;
    t->dry = flags & IS_DRY;
    t->items = flags & IS_ITEMS;
    t->keep_narrow = flags & IS_KEEP_NARROW;
    t->handle = reader_u32(r);
    t->number = reader_u64(r);
    return 0;
}

int
tell_decode(struct span message, struct arena *a, struct tell *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct tell t = {0};
    struct span *s[TELL_SPANS];
    unsigned mask, filters;
    size_t pairs, marks;

    if (message.n > TELL_MAX)
        return err_set(e, ERR_PROTOCOL, "message too long");
    if (head_get(&r, &t, e) != 0)
        return -1;
    mask = reader_u16(&r);
    filters = reader_u8(&r);
    pairs = reader_u16(&r);
    marks = reader_u16(&r);
    if (mask >> (TELL_SPANS - 1) != 0 || filters > 1)
        return err_set(e, ERR_PROTOCOL, "unknown field in a message");
    spans_of(&t, s);
    for (unsigned i = 0; s[i] != NULL; i++) {
        if ((mask & 1u << i) == 0)
            continue;
        *s[i] = reader_field(&r, span_max(i));
        if (s[i]->n == 0)
            r.failed = true;
    }
    if (filters && !r.failed && taxii_filter_get(&r, a, &t.q, e) != 0)
        return -1;
    if (!r.failed && lists_get(&r, a, pairs, marks, &t, e) != 0)
        return -1;
    if (reader_end(&r, e) != 0)
        return -1;
    if (filters && !has_filters(&t))
        return err_set(e, ERR_PROTOCOL, "an empty field in a message");
    *out = t;
    return 0;
}

struct span
tell_value(const struct tell *t, const char *key)
{
    for (size_t i = 0; i < t->pair_n; i++) {
        if (span_is(t->pairs[i].key, key))
            return t->pairs[i].value;
    }
    return (struct span){0};
}
