#include "throttle.h"

#include <string.h>
#include "auth.h"

#define SECOND INT64_C(1000000)

void
throttle_init(struct throttle *t)
{
    memset(t, 0, sizeof *t);
    key_random(&t->key);
}

static uint64_t
throttle_key(struct throttle *t, char kind, struct span text)
{
    char buf[1 + 128];
    size_t n = text.n < 128 ? text.n : 128;

    buf[0] = kind;
    if (n)
        memcpy(buf + 1, text.p, n);
    uint64_t h = siphash(&t->key, span_from(buf, n + 1));
    return h ? h : 1;
}

static struct throttle_entry *
throttle_find(struct throttle *t, uint64_t key)
{
    for (size_t i = 0; i < THROTTLE_MAX; i++)
        if (t->entries[i].key == key)
            return &t->entries[i];
    return NULL;
}

unsigned
throttle_wait(struct throttle *t, char kind, struct span text, int64_t now_us)
{
    const struct throttle_entry *x = throttle_find(t, throttle_key(t, kind, text));

    if (!x || now_us >= x->until_us)
        return 0;
    /* A clock that was set back must not lock anybody out for longer than the rule says. */
    int64_t left = x->until_us - now_us;
    if (left > AUTH_WAIT_MAX_S * SECOND)
        left = AUTH_WAIT_MAX_S * SECOND;
    return (unsigned)((left + SECOND - 1) / SECOND);
}

void
throttle_failed(struct throttle *t, char kind, struct span text, int64_t now_us)
{
    uint64_t key = throttle_key(t, kind, text);
    struct throttle_entry *x = throttle_find(t, key);

    if (!x) {
        x = &t->entries[0];
        for (size_t i = 0; i < THROTTLE_MAX && x->key; i++)
            if (!t->entries[i].key || t->entries[i].last_us < x->last_us)
                x = &t->entries[i];
        *x = (struct throttle_entry){.key = key};
    }
    if (now_us - x->last_us > THROTTLE_FORGET_US)
        x->failures = 0;
    x->last_us = now_us;
    if (x->failures < UINT32_MAX)
        x->failures++;
    if (x->failures > AUTH_FAILURES_FREE) {
        unsigned over = x->failures - AUTH_FAILURES_FREE - 1;
        int64_t wait = over < 10 ? INT64_C(1) << over : AUTH_WAIT_MAX_S;
        if (wait > AUTH_WAIT_MAX_S)
            wait = AUTH_WAIT_MAX_S;
        x->until_us = now_us + wait * SECOND;
    }
}

void
throttle_passed(struct throttle *t, char kind, struct span text)
{
    struct throttle_entry *x = throttle_find(t, throttle_key(t, kind, text));

    if (x)
        *x = (struct throttle_entry){0};
}
