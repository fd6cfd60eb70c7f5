/*
 * exchange/served.c - what a reader has to tell the writer: who was served what, and who was
 * refused.
 *
 * One mark for each principal and audience: up to which date its rows were served, and when.
 * Refused are acts on what is visible and tickets that are not good; never what is not there.
 */
#include "inside.h"

#include <stdio.h>

#include "mem.h"

#define REFUSED_MAX                                                                                \
    (TELL_PAIRS_MAX - 1) /* told at once; the last pair says how many more there were */
#define SERVED_MAX 65536 /* marks between two hand-overs; beyond, the oldest asked is not told */

struct refusal {
    char who[16]; /* the principal's number */
    char act[24];
    char what[STIX_ID_MAX + 1];
};

struct served {
    struct refusal *refused; /* REFUSED_MAX */
    size_t refused_n;
    uint64_t refused_more; /* that there was no room for */
    struct map *at;        /* (principal, audience) -> index into marks, from 1 */
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
    mem_free(s->refused);
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
    s->refused = mem_zero(REFUSED_MAX, sizeof *s->refused);
    if (s->at == NULL || s->refused == NULL) {
        served_free(s);
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
    s->marks[s->n++] = (struct tell_mark){principal, audience, until_us, now_us(x), now_us(x)};
}

void
refused_note(struct exchange *x, uint32_t principal, const char *act, struct span what)
{
    struct served *s = served_of(x);
    struct refusal *r;

    if (s == NULL)
        return;
    if (s->refused_n == REFUSED_MAX) {
        s->refused_more++;
        return;
    }
    r = &s->refused[s->refused_n++];
    snprintf(r->who, sizeof r->who, "%u", principal);
    snprintf(r->act, sizeof r->act, "%s", act);
    snprintf(r->what, sizeof r->what, "%.*s", (int)(what.n < STIX_ID_MAX ? what.n : STIX_ID_MAX),
             what.n > 0 ? what.p : "");
}

/* As pairs "NUMBER ACT" = what. */
static void
put_refused(struct served *s, char keys[TELL_PAIRS_MAX][48], struct tell_pair *pairs,
            struct tell *t)
{
    for (size_t i = 0; i < s->refused_n; i++) {
        snprintf(keys[i], 48, "%s %s", s->refused[i].who, s->refused[i].act);
        pairs[i] = (struct tell_pair){span_of(keys[i]), span_of(s->refused[i].what)};
    }
    t->pair_n = s->refused_n;
    if (s->refused_more > 0) {
        snprintf(keys[t->pair_n], 48, "0 and %llu more", (unsigned long long)s->refused_more);
        pairs[t->pair_n] = (struct tell_pair){span_of(keys[t->pair_n]), {0}};
        t->pair_n++;
    }
    t->pairs = pairs;
}

bool
exchange_served(struct exchange *x, struct buf *out)
{
    struct tell_pair pairs[TELL_PAIRS_MAX];
    char keys[TELL_PAIRS_MAX][48];
    struct tell t = {.verb = TELL_SERVED};
    struct served *s = x->served;

    if (s == NULL || (s->n == 0 && s->refused_n == 0))
        return false;
    put_refused(s, keys, pairs, &t);
    t.mark_n = s->n < TELL_MARKS_MAX ? s->n : TELL_MARKS_MAX;
    t.marks = t.mark_n > 0 ? s->marks + (s->n - t.mark_n) : NULL;
    tell_encode(&t, out);
    if (out->failed)
        return true;
    s->refused_n = 0;
    s->refused_more = 0;
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
