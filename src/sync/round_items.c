/* sync/round_items.c - HELLO, and what a peer offers. */
#include "round_inner.h"

#include <string.h>

#include "mem.h"

/* -- HELLO -- */

struct outs {
    struct sync_round *s;
    struct span *list;
    size_t n;
};

static int
find_out(void *ctx, const struct sync_control *c, struct err *e)
{
    struct outs *o = ctx;

    if (c->kind != SYNC_OUT || memcmp(c->member.b, o->s->r->me.b, sizeof c->member.b) != 0 ||
        o->n == SYNC_OUTS_MAX)
        return 0;
    o->list[o->n] = arena_span(o->s->work, c->content);
    return o->list[o->n++].p != NULL ? 0 : err_set(e, ERR_MEMORY, "no memory for a question");
}

int
round_ask_hello(struct sync_round *s, struct err *e)
{
    struct outs o = {.s = s};

    s->q = (struct sync_ask){.verb = SYNC_ASK_HELLO, .region = s->r->region_version(s->r->ctx)};
    o.list = arena_zero(s->work, SYNC_OUTS_MAX, sizeof *o.list);
    if (o.list == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a question");
    if (s->r->peer(s->r->ctx, &s->peer, &s->q.epoch, &s->q.cursor, &s->q.digest, e) < 0 ||
        s->r->controls(s->r->ctx, find_out, &o, s->work, e) != 0)
        return -1;
    if (s->whole)
        s->q.epoch = (struct sync_epoch){0};
    s->q.outs = o.list;
    s->q.out_n = o.n;
    return 1;
}

/* -- items -- */

/* A signed head of a stream that is held farther: it must lie on the same history. */
static int
compare_head(struct sync_round *s, const struct sync_offered *o, const struct sync_stream *mine,
             struct err *e)
{
    struct merkle_source src;
    struct sign_public key;
    struct hash root;
    int rc;

    if (o->head.size > mine->have)
        return 0;
    if (s->r->leaves(s->r->ctx, &o->stream, &src, e) != 0 ||
        merkle_root(&src, o->head.size, &root, e) != 0)
        return -1;
    if (hash_eq(&root, &o->head.root))
        return 0;
    rc = s->r->key_of(s->r->ctx, &o->name.publisher, &key, e);
    if (rc <= 0)
        return rc;
    if (!head_ok(&o->head, &o->name.publisher, &key))
        return err_set(e, ERR_PROTOCOL, "a head that its publisher has not signed");
    s->fork = (struct fork){.with = *o, .hi = o->head.size, .known = true};
    s->fork.theirs = (struct sync_side){.head = o->head, .root = o->head.root};
    s->fork.with.name.group = arena_span(s->list, o->name.group);
    return s->fork.with.name.group.p != NULL ? 0 : err_set(e, ERR_MEMORY, "no memory for a round");
}

static int
take_head(struct sync_round *s, const struct sync_item *it, struct err *e)
{
    struct sync_offered o = {.key = it->key};
    struct sync_head_item h;
    struct sync_evidence ev;
    struct sync_stream mine;
    struct sign_public key;
    struct span evidence = {0};
    struct sync_key named;
    uint64_t common;
    int rc = it->kind == SYNC_FROZEN ? sync_frozen_decode(it->content, &h, &evidence, e)
                                     : sync_head_item_decode(it->content, &h, e);

    if (rc != 0)
        return -1;
    sync_key_of(it->kind, span_from(h.head.stream.b, sizeof h.head.stream.b), &named);
    if (!sync_head_item_named(&h) || sync_key_cmp(&named, &it->key) != 0)
        return err_set(e, ERR_PROTOCOL, "a head under another's name");
    o.name = h.name;
    o.stream = h.head.stream;
    o.head = h.head;
    o.have = h.have;
    o.settled = h.settled;
    if (s->r->take_offered(s->r->ctx, &s->peer, &o, e) != 0)
        return -1;
    rc = s->r->stream(s->r->ctx, &o.stream, s->work, &mine, e);
    if (rc < 0)
        return -1;
    if (it->kind == SYNC_HEAD)
        return rc == 1 && !mine.frozen ? compare_head(s, &o, &mine, e) : 0;
    if (sync_evidence_decode(evidence, s->work, &ev, e) != 0)
        return -1;
    common = ev.common;
    if (rc == 1 && mine.frozen && mine.frozen_at <= common)
        return 0;
    rc = s->r->key_of(s->r->ctx, &h.name.publisher, &key, e);
    if (rc <= 0)
        return rc;
    if (!hash_eq(&ev.side[0].head.stream, &o.stream) || !sync_evidence_ok(&ev, &key))
        return err_set(e, ERR_PROTOCOL, "evidence that proves nothing");
    return s->r->take_fork(s->r->ctx, &h.name, common, evidence, e);
}

static int
take_item(struct sync_round *s, const struct sync_item *it, struct err *e)
{
    struct sync_print print;
    int rc = 0;

    switch (it->kind) {
    case SYNC_HEAD:
    case SYNC_FROZEN:
        rc = take_head(s, it, e);
        break;
    case SYNC_REGION:
    case SYNC_CIRCLE:
    case SYNC_OUT:
    case SYNC_ERASE:
    case SYNC_RECEIPT:
        rc = s->r->take_control(s->r->ctx, it->kind, &s->peer, it->content, e);
        break;
    case SYNC_KINDS:
    default:
        break; /* of a later version: in the mirror, and nowhere else */
    }
    if (rc < 0)
        return -1;
    s->counts.items++;
    sync_print_of(it->kind, it->content, &print);
    return s->r->take_mirror(s->r->ctx, &s->peer, &it->key, &print, e);
}

static int
take_gone(struct sync_round *s, const struct sync_key *key, struct err *e)
{
    return s->r->drop_offered(s->r->ctx, &s->peer, key, e) != 0 ||
                   s->r->take_mirror(s->r->ctx, &s->peer, key, NULL, e) != 0
               ? -1
               : 0;
}

/* Control items before heads, whatever their order in the message. */
static int
take_items(struct sync_round *s, const struct sync_answer *w, bool last, struct err *e)
{
    if (s->r->begin(s->r->ctx, e) != 0)
        return round_failed(s);
    for (unsigned kind = SYNC_REGION; kind <= SYNC_KINDS; kind++) {
        for (size_t i = 0; i < w->item_n; i++) {
            const unsigned its = w->items[i].kind;

            if (its != kind && !(kind == SYNC_KINDS && its > SYNC_KINDS))
                continue;
            if (take_item(s, &w->items[i], e) != 0)
                return e != NULL && e->code != ERR_PROTOCOL
                           ? round_failed(s)
                           : round_lie(s, e != NULL ? e->text : "?", e);
        }
    }
    for (size_t i = 0; i < w->gone_n; i++) {
        if (take_gone(s, &w->gone[i], e) != 0)
            return round_failed(s);
    }
    if (last && s->r->take_peer(s->r->ctx, &s->peer, &w->epoch, w->cursor, e) != 0)
        return round_failed(s);
    return s->r->commit(s->r->ctx, e) == 0 ? 0 : round_failed(s);
}

/* -- what a peer offers, as a list of this round -- */

static int
add_offered(void *ctx, const struct sync_offered *o, struct err *e)
{
    struct sync_round *s = ctx;
    struct sync_offered *grown;
    size_t cap;

    if (s->n == s->cap) {
        cap = s->cap == 0 ? 64 : s->cap * 2;
        grown = mem_resize(s->offered, cap * sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "no memory for a round");
        s->offered = grown;
        s->cap = cap;
    }
    s->offered[s->n] = *o;
    s->offered[s->n].name.group = arena_span(s->list, o->name.group);
    return s->offered[s->n++].name.group.p != NULL
               ? 0
               : err_set(e, ERR_MEMORY, "no memory for a round");
}

int
round_begin_tails(struct sync_round *s, struct err *e)
{
    s->phase = s->fork.hi > 0 ? SYNC_PHASE_FORK : SYNC_PHASE_TAILS;
    s->n = s->at = 0;
    s->upto = UINT64_MAX;
    return s->r->offered(s->r->ctx, &s->peer, add_offered, s, s->work, e);
}

/* The mirror is what the server has said, or its prints are asked for, once. */
static int
round_after_items(struct sync_round *s, const struct hash *digest, struct err *e)
{
    struct sync_epoch epoch;
    struct hash mine;
    uint64_t cursor;

    if (s->r->peer(s->r->ctx, &s->peer, &epoch, &cursor, &mine, e) < 0)
        return round_failed(s);
    if (hash_eq(&mine, digest))
        return round_begin_tails(s, e);
    if (s->whole) {
        /* It changed while it was told: what was taken stands, the next round has the rest. */
        return round_begin_tails(s, e);
    }
    s->whole = true;
    s->phase = SYNC_PHASE_HELLO;
    return 0;
}

static int
take_prints(struct sync_round *s, const struct sync_answer *w, struct err *e)
{
    struct sync_answer drop = {.epoch = w->epoch, .cursor = w->cursor};
    struct sync_pair *mirror;
    struct sync_key *keys = arena_zero(s->list, w->print_n + 1, sizeof *keys), *gone;
    size_t n, i = 0, k = 0;

    if (s->r->mirror_keys(s->r->ctx, &s->peer, s->work, &mirror, &n, e) != 0)
        return round_failed(s);
    gone = arena_zero(s->work, n + 1, sizeof *gone);
    if (keys == NULL || gone == NULL) {
        err_set(e, ERR_MEMORY, "no memory for a round");
        return round_failed(s);
    }
    s->key_n = s->key_at = 0;
    while (i < w->print_n || k < n) {
        const int c = i == w->print_n ? 1
                      : k == n        ? -1
                                      : sync_key_cmp(&w->prints[i].key, &mirror[k].key);

        if (c > 0) {
            gone[drop.gone_n++] = mirror[k++].key;
            continue;
        }
        if (c < 0 || memcmp(w->prints[i].print.b, mirror[k].print.b, SYNC_PRINT_BYTES) != 0)
            keys[s->key_n++] = w->prints[i].key;
        i++;
        k += c == 0;
    }
    s->keys = keys;
    s->epoch = w->epoch;
    s->cursor = w->cursor;
    s->whole = true;
    drop.gone = gone;
    if (take_items(s, &drop, s->key_n == 0, e) != 0)
        return -1;
    if (s->key_n == 0)
        return round_after_items(s, &w->digest, e);
    s->phase = SYNC_PHASE_ITEMS;
    return 0;
}

int
round_take_hello(struct sync_round *s, const struct sync_answer *w, struct err *e)
{
    s->counts.recovering = w->recovering;
    switch (w->verb) {
    case SYNC_SAME:
        return round_begin_tails(s, e);
    case SYNC_NO:
        s->phase = SYNC_PHASE_DONE;
        return 0;
    case SYNC_PRINTS:
        return take_prints(s, w, e);
    case SYNC_DELTA:
        if (w->asked)
            break;
        return take_items(s, w, true, e) != 0 ? -1 : round_after_items(s, &w->digest, e);
    case SYNC_TAIL:
    case SYNC_BODIES:
        break;
    }
    return round_lie(s, "an answer to another question", e);
}

int
round_ask_items(struct sync_round *s)
{
    size_t n = s->key_n - s->key_at;

    s->q = (struct sync_ask){.verb = SYNC_ASK_ITEMS,
                             .keys = s->keys + s->key_at,
                             .key_n = n < SYNC_KEYS_MAX ? n : SYNC_KEYS_MAX};
    return 1;
}

int
round_take_asked_items(struct sync_round *s, const struct sync_answer *w, struct err *e)
{
    bool last = s->key_at + s->q.key_n == s->key_n;

    if (w->verb == SYNC_NO) {
        s->phase = SYNC_PHASE_DONE;
        return 0;
    }
    if (w->verb != SYNC_DELTA || !w->asked || w->item_n + w->gone_n != s->q.key_n)
        return round_lie(s, "an answer to another question", e);
    for (size_t i = 0; i < w->item_n + w->gone_n; i++) {
        const struct sync_key *key = i < w->item_n ? &w->items[i].key : &w->gone[i - w->item_n];
        bool found = false;

        for (size_t k = 0; k < s->q.key_n && !found; k++)
            found = sync_key_cmp(key, &s->q.keys[k]) == 0;
        if (!found)
            return round_lie(s, "an item that was not asked for", e);
    }
    if (take_items(s, w, last, e) != 0)
        return -1;
    s->key_at += s->q.key_n;
    return last ? round_after_items(s, &w->digest, e) : 0;
}
