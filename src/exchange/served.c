/*
 * exchange/served.c - who was served what: gathered by a reader, written by the writer.
 *
 * One mark for each principal and audience: up to which date its rows were served, and when.
 */
#include "inside.h"

#include "mem.h"

#define SERVED_MAX 65536 /* marks between two hand-overs; beyond, the oldest asked is not told */

struct served {
    struct map *at; /* (principal, audience) -> index into marks, from 1 */
    struct tell_mark *marks;
    size_t n, cap;
};

void
served_free(struct served *s)
{
    if (s == NULL)
        return;
    map_free(s->at);
    mem_free(s->marks);
    mem_free(s);
}

static struct served *
served_of(struct exchange *x)
{
    struct served *s = x->served;

    if (s != NULL)
        return s;
    s = mem_zero(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->at = map_new(SERVED_MAX);
    if (s->at == NULL) {
        mem_free(s);
        return NULL;
    }
    x->served = s;
    return s;
}

/* A mark that cannot be kept for want of memory must not keep the answer from its reader. */
void
served_note(struct exchange *x, uint32_t principal, uint32_t audience, int64_t until_us)
{
    struct served *s = served_of(x);
    struct tell_mark *grown;
    uint32_t key[2] = {principal, audience};
    uint64_t at = 0;
    size_t cap;

    /* The operator's own eyes need no mark. */
    if (s == NULL || principal == PRINCIPAL_OPERATOR)
        return;
    if (map_get(s->at, span_from(key, sizeof key), &at)) {
        if (s->marks[at - 1].arrival_us < until_us)
            s->marks[at - 1].arrival_us = until_us;
        s->marks[at - 1].when_us = now_us(x);
        return;
    }
    if (s->n == SERVED_MAX)
        return;
    if (s->n == s->cap) {
        cap = s->cap == 0 ? 64 : s->cap * 2;
        grown = mem_resize(s->marks, cap * sizeof *grown);
        if (grown == NULL)
            return;
        s->marks = grown;
        s->cap = cap;
    }
    if (map_put(s->at, span_from(key, sizeof key), s->n + 1, NULL) < 0)
        return;
    s->marks[s->n++] = (struct tell_mark){principal, audience, until_us, now_us(x)};
}

bool
exchange_served(struct exchange *x, struct buf *out)
{
    struct tell t = {.verb = TELL_SERVED};
    struct served *s = x->served;

    if (s == NULL || s->n == 0)
        return false;
    t.mark_n = s->n < TELL_MARKS_MAX ? s->n : TELL_MARKS_MAX;
    t.marks = s->marks + (s->n - t.mark_n);
    tell_encode(&t, out);
    if (out->failed)
        return true;
    s->n -= t.mark_n;
    if (s->n == 0) {
        map_reset(s->at);
        return true;
    }
    for (size_t i = 0; i < t.mark_n; i++) {
        uint32_t key[2] = {(uint32_t)t.marks[i].principal, (uint32_t)t.marks[i].audience};

        map_del(s->at, span_from(key, sizeof key));
    }
    return true;
}
