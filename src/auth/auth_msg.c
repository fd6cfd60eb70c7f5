#include "auth_msg.h"

#include <string.h>

#define VERSION    1
#define FIELD_MAX  1024 /* bytes of a name, secret or address: auth.h has the tighter limits */
#define TICKET_MAX 1024

void
auth_msg_encode(const struct auth_msg *m, struct buf *out)
{
    buf_u8(out, VERSION);
    buf_u8(out, m->verb);
    buf_u8(out, m->scheme);
    buf_u8(out, m->person);
    buf_put(out, m->session, sizeof m->session);
    buf_i64(out, m->principal);
    buf_i64(out, m->epoch);
    buf_i64(out, m->expires_us);
    buf_field(out, m->name);
    buf_field(out, m->secret);
    buf_field(out, m->address);
}

int
auth_msg_decode(struct span message, struct auth_msg *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct auth_msg m = {0};
    unsigned version = reader_u8(&r), verb = reader_u8(&r), scheme = reader_u8(&r),
             person = reader_u8(&r);
    struct span session = reader_bytes(&r, sizeof m.session);

    if (session.n == sizeof m.session)
        memcpy(m.session, session.p, sizeof m.session);
    m.principal = reader_i64(&r);
    m.epoch = reader_i64(&r);
    m.expires_us = reader_i64(&r);
    m.name = reader_field(&r, FIELD_MAX);
    m.secret = reader_field(&r, FIELD_MAX);
    m.address = reader_field(&r, FIELD_MAX);
    if (reader_end(&r, e))
        return -1;
    if (version != VERSION || verb < AUTH_V_LOGIN || verb > AUTH_V_LIST)
        return err_set(e, ERR_PROTOCOL, "unknown message to auth");
    if (scheme > AUTH_TOKEN || (verb == AUTH_V_LOGIN && scheme == 0))
        return err_set(e, ERR_PROTOCOL, "unknown login scheme");
    if (person > 1)
        return err_set(e, ERR_PROTOCOL, "a flag is 0 or 1");
    m.person = person == 1;
    m.verb = (enum auth_verb)verb;
    m.scheme = (enum auth_scheme)scheme;
    *out = m;
    return 0;
}

void
auth_reply_encode(const struct auth_reply *r, struct buf *out)
{
    buf_u8(out, VERSION);
    buf_u8(out, r->state);
    buf_u32(out, r->wait_s);
    buf_i64(out, r->expires_us);
    buf_put(out, r->session, sizeof r->session);
    buf_field(out, r->ticket);
}

int
auth_reply_decode(struct span message, struct auth_reply *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct auth_reply a = {0};
    unsigned version = reader_u8(&r), state = reader_u8(&r);

    a.wait_s = reader_u32(&r);
    a.expires_us = reader_i64(&r);
    struct span session = reader_bytes(&r, sizeof a.session);
    if (session.n == sizeof a.session)
        memcpy(a.session, session.p, sizeof a.session);
    a.ticket = reader_field(&r, TICKET_MAX);
    if (reader_end(&r, e))
        return -1;
    if (version != VERSION || state > AUTH_BROKEN || state == AUTH_QUEUED)
        return err_set(e, ERR_PROTOCOL, "unknown answer from auth");
    if ((state == AUTH_OK) != (a.ticket.n > 0))
        return err_set(e, ERR_PROTOCOL, "a ticket comes with a good login and with no other");
    a.state = (enum auth_state)state;
    *out = a;
    return 0;
}
