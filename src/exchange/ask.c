/* exchange/ask.c - questions and answers as bytes. */
#include "ask.h"

#include "taxii_next.h"

#include <string.h>

#define ASK_FORMAT 1

/* Which fields follow, as bits of a mask; they follow in this order. */
enum {
    HAS_TICKET = 1u << 0,
    HAS_AS = 1u << 1,
    HAS_COLLECTION = 1u << 2,
    HAS_ID = 1u << 3,
    HAS_TEXT = 1u << 4,
    HAS_NUMBER = 1u << 5,
    HAS_BYTES = 1u << 6,
    HAS_LIMIT = 1u << 7,
    HAS_NEXT = 1u << 8,
    HAS_ADDED_AFTER = 1u << 9,
    HAS_FILTERS = 1u << 10,
    HAS_SEARCH = 1u << 11,
    IS_EXERCISE = 1u << 12,
    IS_VERSIONS = 1u << 13,
    HAS_ALL = (1u << 14) - 1
};

#define FILTER_SPANS 12

/* The text fields of a search, so that putting and getting cannot come apart. */
static void
filter_spans(struct ask_filter *f, struct span *out[FILTER_SPANS])
{
    out[0] = &f->text;
    out[1] = &f->value;
    out[2] = &f->type;
    out[3] = &f->id;
    out[4] = &f->label;
    out[5] = &f->tlp;
    out[6] = &f->publisher;
    out[7] = &f->creator;
    out[8] = &f->external;
    out[9] = &f->defect;
    out[10] = &f->group;
    out[11] = NULL;
}

static bool
filter_any(const struct ask_filter *f)
{
    struct ask_filter copy = *f;
    struct span *s[FILTER_SPANS];

    filter_spans(&copy, s);
    for (size_t i = 0; s[i] != NULL; i++) {
        if (s[i]->n > 0)
            return true;
    }
    return f->since_us != 0 || f->until_us != 0 || f->batch != 0 || f->confidence || f->revoked;
}

static void
filter_put(const struct ask_filter *f, struct buf *out)
{
    struct ask_filter copy = *f;
    struct span *s[FILTER_SPANS];
    unsigned mask = 0;

    filter_spans(&copy, s);
    for (unsigned i = 0; s[i] != NULL; i++)
        mask |= s[i]->n > 0 ? 1u << i : 0;
    buf_u16(out, mask);
    for (unsigned i = 0; s[i] != NULL; i++) {
        if (s[i]->n > 0)
            buf_field(out, *s[i]);
    }
    buf_i64(out, f->since_us);
    buf_i64(out, f->until_us);
    buf_u64(out, f->batch);
    buf_u8(out, f->confidence ? 1 : 0);
    buf_u8(out, f->confidence_min);
    buf_u8(out, f->confidence_max);
    buf_u8(out, f->revoked ? 1 : 0);
}

/* A field that its bit promises: never empty, so that a message has one form only. */
static struct span
full_field(struct reader *r, size_t max)
{
    struct span s = reader_field(r, max);

    if (s.n == 0)
        r->failed = true;
    return s;
}

static bool
flag(struct reader *r)
{
    uint8_t v = reader_u8(r);

    if (v > 1)
        r->failed = true;
    return v == 1;
}

static void
filter_get(struct reader *r, struct ask_filter *f)
{
    struct span *s[FILTER_SPANS];
    unsigned mask = reader_u16(r);

    filter_spans(f, s);
    for (unsigned i = 0; s[i] != NULL; i++) {
        if (mask & 1u << i)
            *s[i] = full_field(r, ASK_TEXT_MAX);
    }
    if (mask >> (FILTER_SPANS - 1) != 0)
        r->failed = true;
    f->since_us = reader_i64(r);
    f->until_us = reader_i64(r);
    f->batch = reader_u64(r);
    f->confidence = flag(r);
    f->confidence_min = reader_u8(r);
    f->confidence_max = reader_u8(r);
    f->revoked = flag(r);
}

static unsigned
mask_of(const struct ask *q)
{
    unsigned m = 0;

    m |= q->ticket.n > 0 ? HAS_TICKET : 0;
    m |= q->as.n > 0 ? HAS_AS : 0;
    m |= q->collection.n > 0 ? HAS_COLLECTION : 0;
    m |= q->id.n > 0 ? HAS_ID : 0;
    m |= q->text.n > 0 ? HAS_TEXT : 0;
    m |= q->number != 0 ? HAS_NUMBER : 0;
    m |= q->bytes != 0 ? HAS_BYTES : 0;
    m |= q->q.limit != 0 ? HAS_LIMIT : 0;
    m |= q->q.next.n > 0 ? HAS_NEXT : 0;
    m |= q->q.given & TAXII_P_ADDED_AFTER ? HAS_ADDED_AFTER : 0;
    if (q->q.next.n == 0 &&
        (q->q.id.n > 0 || q->q.type.n > 0 || q->q.spec.n > 0 || q->q.version_n > 0))
        m |= HAS_FILTERS;
    m |= filter_any(&q->f) ? HAS_SEARCH : 0;
    m |= q->exercise ? IS_EXERCISE : 0;
    m |= q->versions ? IS_VERSIONS : 0;
    return m;
}

void
ask_encode(const struct ask *q, struct buf *out)
{
    unsigned m = mask_of(q);

    buf_u8(out, ASK_FORMAT);
    buf_u8(out, (unsigned)q->verb);
    buf_u32(out, m);
    if (m & HAS_TICKET)
        buf_field(out, q->ticket);
    if (m & HAS_AS)
        buf_field(out, q->as);
    if (m & HAS_COLLECTION)
        buf_field(out, q->collection);
    if (m & HAS_ID)
        buf_field(out, q->id);
    if (m & HAS_TEXT)
        buf_field(out, q->text);
    if (m & HAS_NUMBER)
        buf_u64(out, q->number);
    if (m & HAS_BYTES)
        buf_u32(out, q->bytes);
    if (m & HAS_LIMIT)
        buf_u32(out, q->q.limit);
    if (m & HAS_NEXT)
        buf_field(out, q->q.next);
    if (m & HAS_ADDED_AFTER) {
        buf_i64(out, q->q.added_after.sec);
        buf_u32(out, q->q.added_after.nsec);
    }
    if (m & HAS_FILTERS)
        taxii_filter_put(&q->q, out);
    if (m & HAS_SEARCH)
        filter_put(&q->f, out);
}

static void
page_get(struct reader *r, unsigned m, struct taxii_query *q)
{
    if (m & HAS_LIMIT) {
        q->limit = reader_u32(r);
        q->given |= TAXII_P_LIMIT;
        if (q->limit == 0 || q->limit > TAXII_LIMIT_MAX)
            r->failed = true;
    }
    if (m & HAS_NEXT) {
        q->next = full_field(r, TAXII_NEXT_MAX);
        q->given |= TAXII_P_NEXT;
    }
    if (m & HAS_ADDED_AFTER) {
        q->added_after.sec = reader_i64(r);
        q->added_after.nsec = reader_u32(r);
        q->given |= TAXII_P_ADDED_AFTER;
        /* Years 1 to 9999: what instant_read can give, so that no arithmetic can overflow. */
        if (q->added_after.nsec > 999999999 || q->added_after.sec < INT64_C(-62135596800) ||
            q->added_after.sec > INT64_C(253402300799))
            r->failed = true;
    }
}

int
ask_decode(struct span message, struct arena *a, struct ask *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct ask q = {0};
    unsigned m;

    if (message.n > ASK_MAX)
        return err_set(e, ERR_PROTOCOL, "question too long");
    if (reader_u8(&r) != ASK_FORMAT)
        return err_set(e, ERR_PROTOCOL, "question of an unknown form");
    q.verb = reader_u8(&r);
    if (q.verb == ASK_NONE || q.verb >= ASK_VERBS)
        return err_set(e, ERR_PROTOCOL, "unknown question");
    m = reader_u32(&r);
    if (m & ~(unsigned)HAS_ALL)
        return err_set(e, ERR_PROTOCOL, "unknown field in a question");
    if (m & HAS_TICKET)
        q.ticket = full_field(&r, ASK_TICKET_MAX);
    if (m & HAS_AS)
        q.as = full_field(&r, ASK_TEXT_MAX);
    if (m & HAS_COLLECTION)
        q.collection = full_field(&r, ASK_TEXT_MAX);
    if (m & HAS_ID)
        q.id = full_field(&r, ASK_TEXT_MAX);
    if (m & HAS_TEXT)
        q.text = full_field(&r, ASK_TEXT_MAX);
    if (m & HAS_NUMBER)
        q.number = reader_u64(&r);
    if (m & HAS_BYTES)
        q.bytes = reader_u32(&r);
    page_get(&r, m, &q.q);
    if (m & HAS_FILTERS && !r.failed && taxii_filter_get(&r, a, &q.q, e) != 0)
        return -1;
    if (m & HAS_SEARCH)
        filter_get(&r, &q.f);
    q.exercise = m & IS_EXERCISE;
    q.versions = m & IS_VERSIONS;
    if (reader_end(&r, e) != 0)
        return -1;
    if (mask_of(&q) != m)
        return err_set(e, ERR_PROTOCOL, "an empty field in a question");
    *out = q;
    return 0;
}

void
answer_encode(const struct answer *w, bool with_body, struct buf *out)
{
    buf_u8(out, ASK_FORMAT);
    buf_u8(out, (unsigned)w->status);
    buf_u8(out, (w->more ? 1u : 0u) | (with_body ? 2u : 0u));
    buf_i64(out, w->first_us);
    buf_i64(out, w->last_us);
    buf_field(out, span_part(w->text, 0, ANSWER_TEXT_MAX));
    buf_field(out, span_part(w->place, 0, ANSWER_TEXT_MAX));
    if (with_body)
        buf_field(out, w->body);
    else
        buf_u32(out, (uint32_t)w->body.n);
}

int
answer_decode(struct span message, struct answer *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct answer w = {0};
    unsigned flags;

    if (reader_u8(&r) != ASK_FORMAT)
        return err_set(e, ERR_PROTOCOL, "answer of an unknown form");
    w.status = reader_u8(&r);
    if (w.status > ERR_INTERNAL)
        return err_set(e, ERR_PROTOCOL, "answer with an unknown status");
    flags = reader_u8(&r);
    if (flags > 3)
        return err_set(e, ERR_PROTOCOL, "answer with unknown flags");
    w.more = flags & 1;
    w.first_us = reader_i64(&r);
    w.last_us = reader_i64(&r);
    w.text = reader_field(&r, ANSWER_TEXT_MAX);
    w.place = reader_field(&r, ANSWER_TEXT_MAX);
    if (flags & 2) {
        w.body = reader_field(&r, SIZE_MAX);
    } else {
        w.body_cut = true;
        w.body.n = reader_u32(&r);
    }
    if (reader_end(&r, e) != 0)
        return -1;
    *out = w;
    return 0;
}
