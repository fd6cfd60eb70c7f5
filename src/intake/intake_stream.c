#include "intake_stream.h"

#include "json_split.h"
#include "map.h"
#include "mem.h"
#include "stix_id.h"

#define WINDOW_KEY                                                                                 \
    16 /* bytes of SHA-256 that tell contents apart; nobody finds 2^64 to collide                  \
        */

struct intake_stream {
    enum intake_profile profile;
    struct json_split *split;
    struct intake *intake;
    struct arena *arena;
    /* What was seen: young fills up, then becomes old, and the old is forgotten. */
    struct map *young, *old;
    struct intake_counts counts;
    bool over; /* END, BROKEN or FAILED was given */
};

struct intake_stream *
intake_stream_new(enum intake_profile profile)
{
    struct intake_stream *s = mem_zero(1, sizeof *s);

    if (s == NULL) {
        return NULL;
    }
    s->profile = profile;
    s->split = json_split_new(JSON_TEXT_MAX);
    s->intake = intake_new();
    s->arena = arena_new(INTAKE_ARENA_MAX);
    s->young = map_new(INTAKE_WINDOW);
    s->old = map_new(INTAKE_WINDOW);
    if (s->split == NULL || s->intake == NULL || s->arena == NULL || s->young == NULL ||
        s->old == NULL) {
        intake_stream_free(s);
        return NULL;
    }
    return s;
}

void
intake_stream_free(struct intake_stream *s)
{
    if (s == NULL) {
        return;
    }
    json_split_free(s->split);
    intake_free(s->intake);
    arena_free(s->arena);
    map_free(s->young);
    map_free(s->old);
    mem_free(s);
}

void
intake_stream_feed(struct intake_stream *s, struct span bytes)
{
    json_split_feed(s->split, bytes);
}

void
intake_stream_finish(struct intake_stream *s)
{
    json_split_finish(s->split);
}

bool
intake_stream_wrapped(const struct intake_stream *s)
{
    enum json_split_kind k = json_split_kind(s->split);

    return k == JSON_SPLIT_BUNDLE || k == JSON_SPLIT_ENVELOPE;
}

struct intake_counts
intake_stream_counts(const struct intake_stream *s)
{
    return s->counts;
}

/* 1: seen among the last ones; 0: not, and remembered; -1: out of memory. */
static int
seen(struct intake_stream *s, const struct hash *h, struct err *e)
{
    struct span key = span_from(h->b, WINDOW_KEY);
    uint64_t unused;

    if (map_get(s->young, key, &unused) || map_get(s->old, key, &unused)) {
        return 1;
    }
    if (map_count(s->young) == INTAKE_WINDOW) {
        struct map *t = s->old;

        s->old = s->young;
        s->young = t;
        map_reset(t);
    }
    if (map_put(s->young, key, 0, NULL) < 0) {
        return err_set(e, ERR_MEMORY, "no memory for the hashes of a file");
    }
    return 0;
}

static enum intake_event
failed(struct intake_stream *s)
{
    s->over = true;
    return INTAKE_FAILED;
}

/* A result without bytes that says one thing. */
static int
tell(struct intake_stream *s, enum intake_class class, enum stix_severity severity,
     const char *rule, const char *clause, const char *pointer, const char *text,
     struct intake_result *out, struct err *e)
{
    struct intake_defect *d = arena_alloc(s->arena, sizeof *d);

    if (d == NULL) {
        return err_set(e, ERR_MEMORY, "no memory to take an object");
    }
    *d = (struct intake_defect){severity, span_of(rule), span_of(clause), span_of(pointer),
                                span_of(text)};
    out->class = class;
    out->defects = d;
    out->defect_count = 1;
    out->defects_found = 1;
    return 0;
}

static enum intake_event
take_object(struct intake_stream *s, struct span text, struct intake_result *out, struct err *e)
{
    if (intake_object(s->intake, text, s->profile, s->arena, out, e) != 0) {
        return failed(s);
    }
    if (out->class != INTAKE_REFUSED) {
        int known = seen(s, &out->hash, e);

        if (known < 0) {
            return failed(s);
        }
        out->duplicate = known > 0;
    }
    return INTAKE_OBJECT;
}

static enum intake_event
take_end(struct intake_stream *s, struct intake_result *out, struct err *e)
{
    struct span id = json_split_id(s->split);
    struct stix_id read;

    s->over = true;
    out->class = INTAKE_OK;
    if (json_split_kind(s->split) != JSON_SPLIT_BUNDLE) {
        return INTAKE_END;
    }
    out->type = json_split_type(s->split);
    out->id = id;
    if (id.n == 0) {
        if (tell(s, INTAKE_DEFECT, STIX_MUST, "required", "STIX 2.1 section 8.1", "",
                 "the bundle has no id", out, e) != 0) {
            return INTAKE_FAILED;
        }
    } else if (!stix_id_read(id, &read) || !span_is(read.type, "bundle")) {
        if (tell(s, INTAKE_DEFECT, STIX_MUST, "id", "STIX 2.1 section 2.9", "/id",
                 "the bundle's id does not have the form bundle--UUID", out, e) != 0) {
            return INTAKE_FAILED;
        }
    }
    return INTAKE_END;
}

static enum intake_event
take_broken(struct intake_stream *s, const struct err *why, struct intake_result *out,
            struct err *e)
{
    char *text;

    s->over = true;
    if (why->code == ERR_MEMORY) {
        err_set(e, ERR_MEMORY, why->text);
        return INTAKE_FAILED;
    }
    out->pos = why->pos;
    text = arena_printf(s->arena, "%s (byte %zu); nothing behind it is read", why->text, why->pos);
    if (text == NULL) {
        err_set(e, ERR_MEMORY, "no memory to take an object");
        return INTAKE_FAILED;
    }
    if (tell(s, INTAKE_REFUSED, STIX_REFUSE,
             why->code == ERR_DUPLICATE ? "json-duplicate" : "outer-shape", "RFC 8259", "", text,
             out, e) != 0) {
        return INTAKE_FAILED;
    }
    return INTAKE_BROKEN;
}

static enum intake_event
next(struct intake_stream *s, struct intake_result *r, struct err *e)
{
    struct err why = ERR_INIT;
    struct span text = {NULL, 0};
    enum intake_event event;

    switch (json_split_next(s->split, &text, &why)) {
    case JSON_SPLIT_MORE:
        return INTAKE_MORE;
    case JSON_SPLIT_END:
        return take_end(s, r, e);
    case JSON_SPLIT_FAILED:
        return take_broken(s, &why, r, e);
    case JSON_SPLIT_TOO_BIG:
        if (tell(s, INTAKE_REFUSED, STIX_REFUSE, "limit", "RFC 8259 section 9", "",
                 "object is over 16 MiB", r, e) != 0) {
            return failed(s);
        }
        event = INTAKE_OBJECT;
        break;
    case JSON_SPLIT_OBJECT:
    default:
        event = take_object(s, text, r, e);
        break;
    }
    r->index = json_split_index(s->split);
    r->pos = json_split_pos(s->split);
    if (event == INTAKE_OBJECT) {
        s->counts.class[r->class]++;
        s->counts.duplicates += r->duplicate;
    }
    return event;
}

enum intake_event
intake_stream_next(struct intake_stream *s, struct intake_result *out, struct err *e)
{
    struct intake_result r = {.found.confidence = -1};
    enum intake_event event;

    if (s->over) {
        err_set(e, ERR_CONFLICT, "the stream is over");
        return INTAKE_FAILED;
    }
    arena_reset(s->arena);
    event = next(s, &r, e);
    if (event != INTAKE_MORE && event != INTAKE_FAILED) {
        *out = r;
    }
    return event;
}
