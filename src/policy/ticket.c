#include "ticket.h"

#include <string.h>
#include "buf.h"

#define TICKET_VERSION 1
#define TICKET_SIGNED  (TICKET_BYTES - MAC_BYTES)

void
ticket_make(const struct key *k, const struct ticket *t, uint8_t out[TICKET_BYTES])
{
    struct buf b;

    buf_init_fixed(&b, out, TICKET_SIGNED);
    buf_u8(&b, TICKET_VERSION);
    buf_u8(&b, (unsigned)t->channel);
    buf_u16(&b, t->flags);
    buf_u32(&b, t->principal);
    buf_u32(&b, t->listener);
    buf_u64(&b, t->epoch);
    buf_i64(&b, t->expiry_us);
    buf_put(&b, t->session, sizeof t->session);
    mac_make(k, span_from(out, TICKET_SIGNED), out + TICKET_SIGNED);
}

static enum ticket_fault
read_fields(struct span s, struct ticket *t)
{
    struct reader r = reader_of(s);
    struct span session;
    unsigned version = reader_u8(&r);
    unsigned channel = reader_u8(&r);

    t->flags = reader_u16(&r);
    t->principal = reader_u32(&r);
    t->listener = reader_u32(&r);
    t->epoch = reader_u64(&r);
    t->expiry_us = reader_i64(&r);
    session = reader_bytes(&r, sizeof t->session);
    if (reader_end(&r, NULL) != 0 || version != TICKET_VERSION || channel < CHANNEL_SESSION ||
        channel > CHANNEL_MAX || (t->flags & ~TICKET_FLAGS) != 0 || t->principal == 0) {
        return TICKET_BAD_FIELD;
    }
    t->channel = (enum channel)channel;
    memcpy(t->session, session.p, sizeof t->session);
    return TICKET_OK;
}

enum ticket_fault
ticket_read(const struct key *k, struct span s, uint32_t listener, int64_t now_us,
            struct ticket *out)
{
    struct ticket t = {0};
    enum ticket_fault f;

    if (s.n != TICKET_BYTES) {
        return TICKET_BAD_SIZE;
    }
    /* Before any field is looked at: what is not MACed says nothing. */
    if (!mac_ok(k, span_part(s, 0, TICKET_SIGNED), (const uint8_t *)s.p + TICKET_SIGNED)) {
        return TICKET_BAD_MAC;
    }
    f = read_fields(span_part(s, 0, TICKET_SIGNED), &t);
    if (f != TICKET_OK) {
        return f;
    }
    if (t.expiry_us <= now_us) {
        return TICKET_EXPIRED;
    }
    if (now_us < 0 || t.expiry_us - now_us > TICKET_LIFE_US) {
        return TICKET_TOO_LONG;
    }
    if (t.listener != listener) {
        return TICKET_LISTENER;
    }
    *out = t;
    return TICKET_OK;
}

enum ticket_fault
ticket_current(const struct ticket *t, const struct right_principal *p)
{
    return p != NULL && p->number == t->principal && p->epoch == t->epoch ? TICKET_OK
                                                                          : TICKET_EPOCH;
}

const char *
ticket_fault_text(enum ticket_fault f)
{
    static const char *const texts[] = {
        [TICKET_OK] = "valid",
        [TICKET_BAD_SIZE] = "not of a ticket's size",
        [TICKET_BAD_MAC] = "not made by this node, or altered",
        [TICKET_BAD_FIELD] = "a field is out of its range",
        [TICKET_EXPIRED] = "expired",
        [TICKET_TOO_LONG] = "valid for longer than a minute",
        [TICKET_LISTENER] = "given on another listener",
        [TICKET_EPOCH] = "the rights have changed since it was given",
    };

    return (unsigned)f < sizeof texts / sizeof texts[0] ? texts[f] : "?";
}
