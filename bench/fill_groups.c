/*
 * Spreads a bundle over many sharing groups, object by object, for one reader who is in all.
 *
 *     fill_groups STORE.db GROUPS < bundle.json
 *
 * Makes three organisations: "whole", a constituent, who reads what is TLP:GREEN for the region;
 * "sparse", a partner outside, who reads what is public alone; "wide", such a partner who is a
 * member of the groups g0, g1, ... too.  Then every object goes to one of the groups as TLP:AMBER,
 * at random, so that neighbours in the store stand in different audiences.  Prints a line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exchange.h"
#include "intake_msg.h"
#include "intake_stream.h"

#define ARENA_MAX (64u << 20)
#define BODY_MAX  (1u << 20)
#define PIECE     (1u << 20)
#define GROUP_MAX 1000

struct fill {
    struct exchange *x;
    struct exchange_link *link;
    struct arena *a;
    struct buf out, msg;
    uint32_t groups;
    uint64_t random, objects;
};

static void
die(const char *what, struct span text, struct span place)
{
    fprintf(stderr, "fill_groups: %s: %.*s (%.*s)\n", what, (int)text.n, text.p ? text.p : "",
            (int)place.n, place.p ? place.p : "");
    exit(1);
}

static void
say(struct fill *f, const struct tell *t)
{
    struct answer w;

    buf_reset(&f->out);
    arena_reset(f->a);
    if (exchange_tell(f->link, t, f->a, &f->out, &w) && w.status != ERR_NONE)
        die("refused", w.text, w.place);
}

static void
admin(struct fill *f, enum tell_kind kind, const char *name, const struct tell_pair *pairs,
      size_t n)
{
    const struct tell t = {.verb = TELL_ADMIN,
                           .kind = kind,
                           .act = TELL_A_ADD,
                           .name = span_of(name),
                           .pairs = pairs,
                           .pair_n = n};

    say(f, &t);
}

static void
begin(struct fill *f)
{
    const struct tell_pair partner[] = {{SPAN("kind"), SPAN("partner")}};
    const struct tell_pair constituent[] = {{SPAN("member_of"), SPAN("own")}};
    const struct tell_pair pairs[] = {{SPAN("title"), SPAN("Bench")},
                                      {SPAN("sees_past"), SPAN("yes")},
                                      {SPAN("member+"), SPAN("own")},
                                      {SPAN("member+"), SPAN("wide")}};
    char name[16];

    admin(f, TELL_K_ORG, "wide", partner, 1);
    admin(f, TELL_K_ORG, "sparse", partner, 1);
    admin(f, TELL_K_ORG, "whole", constituent, 1);
    for (uint32_t i = 0; i < f->groups; i++) {
        const struct tell t = {.verb = TELL_BEGIN,
                               .handle = i,
                               .source = SPAN("bench"),
                               .label = SPAN("TLP:AMBER"),
                               .group = span_of(name)};

        snprintf(name, sizeof name, "g%u", i);
        admin(f, TELL_K_GROUP, name, pairs, 4);
        say(f, &t);
    }
}

static uint32_t
any_group(struct fill *f)
{
    uint64_t *x = &f->random; /* xorshift */

    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (uint32_t)(*x >> 32) % f->groups;
}

static bool
take(struct fill *f, struct intake_stream *s)
{
    struct tell t = {.verb = TELL_OBJECT};
    struct intake_result r;
    struct err e = ERR_INIT;

    for (;;) {
        const enum intake_event got = intake_stream_next(s, &r, &e);

        if (got == INTAKE_MORE)
            return true;
        if (got == INTAKE_END)
            return false;
        if (got != INTAKE_OBJECT)
            die("not a bundle", span_of(e.text), (struct span){0});
        if (!span_is(r.type, "indicator"))
            continue; /* whom they name is there already */
        buf_reset(&f->msg);
        intake_encode(&r, &f->msg);
        t.payload = buf_view(&f->msg);
        t.handle = any_group(f);
        say(f, &t);
        f->objects++;
    }
}

int
main(int argc, char **argv)
{
    static char piece[PIECE];
    struct fill f = {.random = 88172645463325252u};
    struct exchange_options o = {.path = argc > 1 ? argv[1] : "", .writer = true, .bulk = true};
    const struct caller operator= {.kind = CALLER_LOCAL};
    struct intake_stream *s = intake_stream_new(INTAKE_NORMAL);
    struct err e = ERR_INIT;
    bool more = true;
    ssize_t n;

    f.groups = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    if (f.groups == 0 || f.groups > GROUP_MAX) {
        fprintf(stderr, "usage: fill_groups STORE.db GROUPS < bundle.json\n");
        return 2;
    }
    f.a = arena_new(ARENA_MAX);
    buf_init(&f.out, BODY_MAX);
    buf_init(&f.msg, INTAKE_MSG_MAX);
    if (crypto_start(&e) != 0 || !f.a || !s || exchange_open(&o, &f.x, &e) != 0)
        die("cannot open the store", span_of(e.text), span_of(e.place));
    f.link = exchange_link_new(f.x, &operator);
    begin(&f);
    while (more) {
        n = read(STDIN_FILENO, piece, sizeof piece);
        if (n < 0)
            die("cannot read", (struct span){0}, (struct span){0});
        if (n == 0)
            intake_stream_finish(s);
        else
            intake_stream_feed(s, span_from(piece, (size_t)n));
        more = take(&f, s);
    }
    for (uint32_t i = 0; i < f.groups; i++)
        say(&f, &(struct tell){.verb = TELL_END, .handle = i});
    printf("{\"groups\":%u,\"objects\":%llu}\n", f.groups, (unsigned long long)f.objects);
    intake_stream_free(s);
    exchange_link_free(f.link);
    exchange_close(f.x);
    arena_free(f.a);
    buf_clear(&f.out);
    buf_clear(&f.msg);
    return 0;
}
