#include "pledge_msg.h"

#include <string.h>

#define FORMAT   1u
#define TEXT_MAX 512u

/* ---- questions ---- */

void
pledge_ask_encode(const struct pledge_ask *q, struct buf *out)
{
    buf_u8(out, FORMAT);
    buf_u8(out, q->verb);
    buf_u16(out, (unsigned)q->n);
    for (size_t i = 0; i < q->n; i++) {
        const int bad = q->verb == PLEDGE_HEADS
                            ? head_encode(&q->heads[i].head, out, NULL)
                            : receipt_encode(&q->receipts[i].receipt, out, NULL);

        if (bad != 0)
            out->failed = true;
        proof_encode(q->verb == PLEDGE_HEADS ? &q->heads[i].proof : &q->receipts[i].proof, out);
    }
    if ((q->verb == PLEDGE_ERASE && erase_notice_encode(&q->erase, out, NULL) != 0) ||
        (q->verb == PLEDGE_OUT && out_notice_encode(&q->out, out, NULL) != 0))
        out->failed = true;
}

static void
heads_get(struct reader *r, struct pledge_ask *q)
{
    for (size_t i = 0; i < q->n && !r->failed; i++) {
        if (head_decode(reader_bytes(r, HEAD_BYTES), &q->heads[i].head, NULL) != 0)
            r->failed = true;
        proof_decode(r, &q->heads[i].proof);
    }
}

static void
receipts_get(struct reader *r, struct pledge_ask *q)
{
    for (size_t i = 0; i < q->n && !r->failed; i++) {
        if (receipt_decode(reader_bytes(r, RECEIPT_BYTES), &q->receipts[i].receipt, NULL) != 0)
            r->failed = true;
        proof_decode(r, &q->receipts[i].proof);
    }
}

int
pledge_ask_decode(struct span message, struct arena *a, struct pledge_ask *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct pledge_ask q = {0};
    unsigned verb;

    if (message.n > PLEDGE_MSG_MAX || reader_u8(&r) != FORMAT)
        return err_set(e, ERR_PROTOCOL, "a message of an unknown form");
    verb = reader_u8(&r);
    q.n = reader_u16(&r);
    if (verb < PLEDGE_STATUS || verb > PLEDGE_OUT || q.n > PLEDGE_LIST_MAX ||
        (q.n > 0) != (verb == PLEDGE_HEADS || verb == PLEDGE_RECEIPTS))
        return err_set(e, ERR_PROTOCOL, "unknown value in a message");
    q.verb = (enum pledge_verb)verb;
    q.heads = arena_zero(a, q.n + 1, sizeof *q.heads);
    q.receipts = arena_zero(a, q.n + 1, sizeof *q.receipts);
    if (q.heads == NULL || q.receipts == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a message");
    if (q.verb == PLEDGE_HEADS)
        heads_get(&r, &q);
    else if (q.verb == PLEDGE_RECEIPTS)
        receipts_get(&r, &q);
    else if (q.verb == PLEDGE_ERASE &&
             erase_notice_decode(reader_bytes(&r, ERASE_NOTICE_BYTES), &q.erase, NULL) != 0)
        r.failed = true;
    else if (q.verb == PLEDGE_OUT &&
             out_notice_decode(reader_bytes(&r, OUT_NOTICE_BYTES), &q.out, NULL) != 0)
        r.failed = true;
    if (reader_end(&r, e) != 0)
        return -1;
    *out = q;
    return 0;
}

/* ---- answers ---- */

void
pledge_reply_encode(const struct pledge_reply *r, struct buf *out)
{
    buf_u8(out, FORMAT);
    buf_u8(out, r->status);
    buf_u8(out, r->lost);
    buf_put(out, r->key.b, sizeof r->key.b);
    buf_field(out, span_part(r->text, 0, r->text.n < TEXT_MAX ? r->text.n : TEXT_MAX));
    buf_u16(out, (unsigned)r->n);
    for (size_t i = 0; i < r->n; i++)
        buf_put(out, r->sigs[i].b, sizeof r->sigs[i].b);
}

int
pledge_reply_decode(struct span message, struct arena *a, struct pledge_reply *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct pledge_reply w = {0};
    unsigned status, lost;

    if (reader_u8(&r) != FORMAT)
        return err_set(e, ERR_PROTOCOL, "a message of an unknown form");
    status = reader_u8(&r);
    lost = reader_u8(&r);
    reader_copy(&r, w.key.b, sizeof w.key.b);
    w.text = reader_field(&r, TEXT_MAX);
    w.n = reader_u16(&r);
    if (status > ERR_INTERNAL || lost > 1 || w.n > PLEDGE_LIST_MAX)
        return err_set(e, ERR_PROTOCOL, "unknown value in a message");
    w.status = (enum err_code)status;
    w.lost = lost == 1;
    w.sigs = arena_zero(a, w.n + 1, sizeof *w.sigs);
    if (w.sigs == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a message");
    for (size_t i = 0; i < w.n; i++)
        reader_copy(&r, w.sigs[i].b, sizeof w.sigs[i].b);
    if (reader_end(&r, e) != 0)
        return -1;
    *out = w;
    return 0;
}

/* ---- what is done ---- */

static int
sign_all(struct pledge *p, struct pledge_ask *q, struct signature *sigs, struct err *e)
{
    switch (q->verb) {
    case PLEDGE_STATUS:
        return 0;
    case PLEDGE_HEADS:
        if (pledge_heads(p, q->heads, q->n, e) != 0)
            return -1;
        for (size_t i = 0; i < q->n; i++)
            sigs[i] = q->heads[i].head.sig;
        return 0;
    case PLEDGE_RECEIPTS:
        for (size_t i = 0; i < q->n; i++) {
            if (pledge_receipt(p, &q->receipts[i].receipt, &q->receipts[i].proof, e) != 0)
                return -1;
            sigs[i] = q->receipts[i].receipt.sig;
        }
        return 0;
    case PLEDGE_ERASE:
        if (pledge_erase(p, &q->erase, e) != 0)
            return -1;
        sigs[0] = q->erase.sig;
        return 0;
    case PLEDGE_OUT:
        if (pledge_out(p, &q->out, e) != 0)
            return -1;
        sigs[0] = q->out.sig;
        return 0;
    }
    return err_set(e, ERR_PROTOCOL, "an unknown question");
}

void
pledge_answer(struct pledge *p, struct pledge_ask *q, struct arena *a, struct pledge_reply *out)
{
    const size_t n = q->verb == PLEDGE_ERASE || q->verb == PLEDGE_OUT ? 1 : q->n;
    struct pledge_reply w = {.key = *pledge_public(p), .lost = pledge_lost(p)};
    struct err e = ERR_INIT;

    w.sigs = arena_zero(a, n + 1, sizeof *w.sigs);
    if (w.sigs == NULL) {
        w.status = ERR_MEMORY;
    } else if (sign_all(p, q, w.sigs, &e) != 0) {
        w.status = e.code;
        w.text = arena_span(a, span_of(e.text));
    } else {
        w.n = n;
    }
    *out = w;
}
