/* exchange/sign.c - what this node signs: heads of its streams, receipts, erase notices. */
#include <string.h>

#include "among.h"
#include "batch.h"
#include "mem.h"
#include "peers.h"

/* -- what is to be signed ------------------------------------------------------------------------
 */

struct signing {
    struct exchange *x;
    struct peers *p;
    const struct exchange_signer *signer;
    struct arena *a;
    bool more;
};

/* The order that is known of a stream's audience. */
static uint64_t
order_of(struct signing *s, const struct stream_name *name)
{
    const struct membership *m = members_now(s->x, NULL);
    struct member_standing st;

    return m != NULL && membership_standing(m, name, &s->x->identity, &st) == 1 ? st.known : 0;
}

static int
proof_of(struct signing *s, uint32_t stream, uint64_t from, uint64_t to, struct merkle_proof *out,
         struct err *e)
{
    struct merkle_source src;

    return store_stream_source(s->x->store, stream, s->a, &src, e) != 0
               ? -1
               : merkle_consistency(&src, from, to, out, e);
}

/* -- heads ---------------------------------------------------------------------------------------
 */

static int
keep_head(struct signing *s, uint32_t number, const struct head *h, struct err *e)
{
    char mem[HEAD_BYTES];
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    return head_encode(h, &b, e) != 0
               ? -1
               : store_head_keep(s->x->store, number, h->size, buf_view(&b), (struct span){0}, e);
}

static int
sign_heads(struct signing *s, struct err *e)
{
    struct exchange_head *list = arena_zero(s->a, SIGN_AT_ONCE, sizeof *list);
    uint32_t *numbers, signed_n[SIGN_AT_ONCE];
    size_t n, count = 0;

    if (list == NULL)
        return err_set(e, ERR_MEMORY, "no memory to sign");
    if (store_stream_unsigned(s->x->store, s->a, &numbers, &n, e) != 0)
        return -1;
    s->more = s->more || n > SIGN_AT_ONCE;
    for (size_t i = 0; i < n && count < SIGN_AT_ONCE; i++) {
        struct exchange_head *h = &list[count];
        struct store_stream t;
        int rc = store_stream_get(s->x->store, NULL, numbers[i], s->a, &t, e);

        if (rc < 0)
            return -1;
        /* A constituent's stream is not ours to sign: its member says on what is to go on. */
        if (rc == 0 || t.publisher != ORG_SELF)
            continue;
        h->head = (struct head){.stream = t.id,
                                .size = t.size,
                                .root = t.root,
                                .group_order = order_of(s, &t.name),
                                .time_us = (uint64_t)now_us(s->x)};
        if (proof_of(s, t.number, t.head_size, t.size, &h->proof, e) != 0)
            return -1;
        signed_n[count++] = t.number;
    }
    if (count == 0)
        return 0;
    if (s->signer->heads(s->signer->arg, list, count, e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (keep_head(s, signed_n[i], &list[i].head, e) != 0)
            return -1;
    return 0;
}

/* -- receipts ------------------------------------------------------------------------------------
 */

struct due { /* streams of others */
    struct signing *s;
    struct exchange_receipt *list;
    uint32_t numbers[SIGN_AT_ONCE];
    size_t n;
};

static int
find_due(void *ctx, const struct store_stream *t, struct err *e)
{
    struct due *d = ctx;
    struct signing *s = d->s;
    struct receipt before = {0};
    struct store_said said;
    int rc;

    if (t->own || t->size == 0)
        return 0;
    rc = store_said_get(s->x->store, SAID_OWN_RECEIPT, span_from(t->id.b, sizeof t->id.b), s->a,
                        &said, e);
    if (rc < 0 || (rc == 1 && receipt_decode(said.content, &before, e) != 0))
        return -1;
    if (before.size >= t->size)
        return 0;
    if (d->n == SIGN_AT_ONCE) {
        s->more = true;
        return 0;
    }
    d->list[d->n].receipt = (struct receipt){.stream = t->id,
                                             .size = t->size,
                                             .root = t->root,
                                             .group_order = order_of(s, &t->name),
                                             .time_us = (uint64_t)now_us(s->x),
                                             .by = s->x->identity};
    if (proof_of(s, t->number, before.size, t->size, &d->list[d->n].proof, e) != 0)
        return -1;
    d->numbers[d->n++] = t->number;
    return 0;
}

static int
keep_receipt(struct signing *s, uint32_t number, const struct receipt *r, struct err *e)
{
    char mem[RECEIPT_BYTES];
    struct store_said said = {.kind = SAID_OWN_RECEIPT,
                              .name = span_from(r->stream.b, sizeof r->stream.b),
                              .stream = r->stream};
    struct store_stream t;
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    if (receipt_encode(r, &b, e) != 0 ||
        store_stream_get(s->x->store, NULL, number, s->a, &t, e) != 1)
        return -1;
    said.content = buf_view(&b);
    said.member = t.name.publisher; /* it is for the publisher alone */
    return store_said_put(s->x->store, &said, e);
}

static int
sign_receipts(struct signing *s, struct err *e)
{
    struct due d = {.s = s, .list = arena_zero(s->a, SIGN_AT_ONCE, sizeof *d.list)};

    if (d.list == NULL)
        return err_set(e, ERR_MEMORY, "no memory to sign");
    if (store_stream_each(s->x->store, find_due, &d, e) != 0)
        return -1;
    if (d.n == 0)
        return 0;
    if (s->signer->receipts(s->signer->arg, d.list, d.n, e) != 0)
        return -1;
    for (size_t i = 0; i < d.n; i++)
        if (keep_receipt(s, d.numbers[i], &d.list[i].receipt, e) != 0)
            return -1;
    return 0;
}

/* -- erase notices -------------------------------------------------------------------------------
 */

struct erased {
    struct arena *a;
    struct store_said list[SIGN_AT_ONCE];
    size_t n;
    bool more;
};

static int
find_erased(void *ctx, const struct store_said *said, struct err *e)
{
    struct erased *x = ctx;

    if (x->n == SIGN_AT_ONCE) {
        x->more = true;
        return 0;
    }
    x->list[x->n] = *said;
    x->list[x->n].name = arena_span(x->a, said->name);
    x->list[x->n].content = arena_span(x->a, said->content);
    return x->list[x->n++].content.p != NULL ? 0 : err_set(e, ERR_MEMORY, "no memory to sign");
}

static int
sign_erased(struct signing *s, struct err *e)
{
    struct erased *x = arena_zero(s->a, 1, sizeof *x);

    if (x == NULL)
        return err_set(e, ERR_MEMORY, "no memory to sign");
    x->a = s->a;
    if (store_said_each(s->x->store, STORE_SAID_ERASED, find_erased, x, e) != 0)
        return -1;
    s->more = s->more || x->more;
    for (size_t i = 0; i < x->n; i++) {
        struct erase_notice n = {.stream = x->list[i].stream,
                                 .index = x->list[i].entry,
                                 .time_us = (uint64_t)now_us(s->x)};
        struct store_said said = {.kind = SYNC_ERASE,
                                  .name = x->list[i].name,
                                  .stream = n.stream,
                                  .entry = n.index,
                                  .member = s->x->identity};
        char mem[ERASE_NOTICE_BYTES];
        struct buf b;

        if (x->list[i].content.n != sizeof n.d.b)
            return err_set(e, ERR_CORRUPT, "what was erased has left no commitment");
        memcpy(n.d.b, x->list[i].content.p, sizeof n.d.b);
        buf_init_fixed(&b, mem, sizeof mem);
        if (s->signer->erase(s->signer->arg, &n, e) != 0 || erase_notice_encode(&n, &b, e) != 0)
            return -1;
        said.content = buf_view(&b);
        if (store_said_put(s->x->store, &said, e) != 0 ||
            store_said_drop(s->x->store, STORE_SAID_ERASED, x->list[i].name, e) != 0)
            return -1;
    }
    return 0;
}

bool
exchange_idle(const struct exchange *x)
{
    return !store_open_transaction(x->store);
}

/* -- removal notices ----------------------------------------------------------------------------
 */

static int
sign_out(struct signing *s, const struct circle *c, const struct uuid *member, struct err *e)
{
    struct out_notice n = {.order = circle_order(c), .member = *member, .by = s->x->identity};
    struct store_said said = {.kind = SYNC_OUT, .member = *member}, known;
    uint8_t name[MEMBERS_OUT_NAME];
    char mem[OUT_NOTICE_BYTES];
    struct buf b;
    int rc;

    memcpy(n.group, c->group, sizeof n.group);
    members_out_name(&n, name);
    said.name = span_from(name, sizeof name);
    rc = store_said_get(s->x->store, SYNC_OUT, said.name, s->a, &known, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    buf_init_fixed(&b, mem, sizeof mem);
    if (s->signer->out(s->signer->arg, &n, e) != 0 || out_notice_encode(&n, &b, e) != 0)
        return -1;
    said.content = buf_view(&b);
    members_forget(s->x);
    return store_said_put(s->x->store, &said, e);
}

/* Whoever a version of ours puts out of a group is told so, and nothing else. */
static int
sign_outs(struct signing *s, struct err *e)
{
    const struct membership *m = members_now(s->x, e);
    struct left { /* copied, since what is signed changes what is known */
        const struct circle *c;
        struct uuid member;
    } * list;
    size_t n = 0;

    if (m == NULL || (list = arena_zero(s->a, SIGN_AT_ONCE, sizeof *list)) == NULL)
        return m == NULL ? -1 : err_set(e, ERR_MEMORY, "no memory to sign");
    for (size_t i = 0; i < m->circle_n; i++) {
        const struct circle *c = m->circles[i].circle, *prev = NULL;

        if (memcmp(m->circles[i].by.b, s->x->identity.b, sizeof s->x->identity.b) != 0)
            continue;
        for (size_t k = 0; k < m->circle_n && prev == NULL; k++)
            if (hash_eq(&m->circles[k].circle->hash, &c->previous))
                prev = m->circles[k].circle;
        for (size_t k = 0; prev != NULL && k < prev->member_n && n < SIGN_AT_ONCE; k++)
            if (!circle_has(c, &prev->members[k]))
                list[n++] = (struct left){c, prev->members[k]};
    }
    for (size_t i = 0; i < n; i++)
        if (sign_out(s, list[i].c, &list[i].member, e) != 0)
            return -1;
    return 0;
}

/* -- all of it -----------------------------------------------------------------------------------
 */

int
exchange_sign(struct exchange *x, const struct exchange_signer *signer, bool *more, struct err *e)
{
    struct signing s = {.x = x, .signer = signer};
    int rc;

    *more = false;
    if (commit_flush(x, e) != 0 || commit_begin(x, e) != 0)
        return -1;
    s.p = peers_of(x, e);
    s.a = x->commit->arena;
    if (s.p == NULL || members_now(x, e) == NULL) {
        commit_look(x);
        return -1;
    }
    rc = sign_heads(&s, e) != 0 || sign_receipts(&s, e) != 0 || sign_erased(&s, e) != 0 ||
                 sign_outs(&s, e) != 0
             ? -1
             : 0;
    if (rc != 0) {
        commit_drop(x, e);
        return -1;
    }
    *more = s.more;
    return commit_flush(x, e);
}
