#include "auth.h"

#include <string.h>
#include "auth_db.h"
#include "map.h"
#include "mem.h"
#include "throttle.h"

#define TOKEN_PREFIX "jaga_"
#define TOKEN_SECRET 32 /* random bytes in a token: nobody guesses 256 bits */

/* A password login that waits for its hash. */
struct waiting {
    struct auth_result out;
    char secret[PASSWORD_MAX];
    size_t secret_n;
    char address[64];
    size_t address_n;
};

/* A login that was good a short while ago. */
struct remembered {
    uint8_t mark[MAC_BYTES]; /* keyed by a key that dies with this process */
    int64_t principal;
    int64_t epoch;
    int64_t until_us;
};

struct session {
    uint8_t handle[16];
    int64_t principal;
    int64_t epoch;
    int64_t until_us;
    bool token;
};

struct auth {
    struct auth_db *db;
    const struct clock *clock;
    struct key mark_key;
    struct throttle throttle;
    struct waiting queue[AUTH_QUEUE_MAX];
    size_t head, waiting;
    struct remembered cache[AUTH_CACHE_MAX];
    struct session sessions[AUTH_SESSION_MAX];
    size_t next_session;
};

int
auth_open(const char *path, const struct clock *c, struct auth **out, struct err *e)
{
    struct auth *a = mem_zero(1, sizeof *a);

    if (!a)
        return err_set(e, ERR_MEMORY, "out of memory");
    a->clock = c;
    key_random(&a->mark_key);
    throttle_init(&a->throttle);
    if (auth_db_open(path, &a->db, e)) {
        mem_free(a);
        return -1;
    }
    *out = a;
    return 0;
}

void
auth_close(struct auth *a)
{
    if (!a)
        return;
    auth_db_close(a->db);
    mem_wipe(a, sizeof *a);
    mem_free(a);
}

static int64_t
now(const struct auth *a)
{
    return clock_wall_us(a->clock);
}

/* One name and password as a mark that reveals neither. */
static void
mark_of(const struct auth *a, struct span name, struct span secret, uint8_t mark[MAC_BYTES])
{
    char text[8 + AUTH_NAME_MAX + PASSWORD_MAX];
    struct buf b;

    buf_init_fixed(&b, text, sizeof text);
    buf_field(&b, name);
    buf_field(&b, secret);
    mac_make(&a->mark_key, buf_view(&b), mark);
    mem_wipe(text, sizeof text);
}

/* Four places for each mark: the oldest of them gives way. */
static struct remembered *
cache_place(struct auth *a, const uint8_t mark[MAC_BYTES], bool find)
{
    size_t at = ((size_t)mark[0] << 8 | mark[1]) * 4 % AUTH_CACHE_MAX;
    struct remembered *old = &a->cache[at];

    for (size_t i = 0; i < 4; i++) {
        struct remembered *r = &a->cache[at + i];
        if (equal_secret(span_from(r->mark, MAC_BYTES), span_from(mark, MAC_BYTES)) && r->until_us)
            return r;
        if (r->until_us < old->until_us)
            old = r;
    }
    return find ? NULL : old;
}

static void
session_new(struct auth *a, struct auth_result *out)
{
    struct session *s = &a->sessions[a->next_session];

    a->next_session = (a->next_session + 1) % AUTH_SESSION_MAX;
    random_bytes(s->handle, sizeof s->handle);
    s->principal = out->principal;
    s->epoch = out->epoch;
    s->token = out->token;
    s->until_us = now(a) + AUTH_SESSION_US;
    memcpy(out->session, s->handle, sizeof out->session);
}

static void
refuse(struct auth *a, struct auth_result *out, struct span name, struct span address)
{
    int64_t t = now(a);

    throttle_failed(&a->throttle, 'n', name, t);
    throttle_failed(&a->throttle, 'a', address, t);
    out->state = AUTH_NO;
}

/* "jaga_ID_SECRET" taken apart; false when it is none. */
static bool
token_parts(struct span text, struct span *id, uint8_t secret[TOKEN_SECRET])
{
    char raw[TOKEN_SECRET + 8];
    struct buf b;
    bool ok;

    if (!span_starts(text, TOKEN_PREFIX) || text.n >= AUTH_TOKEN_TEXT)
        return false;
    struct span rest = span_part(text, sizeof TOKEN_PREFIX - 1, text.n);
    if (rest.n < AUTH_TOKEN_ID + 1 || rest.p[AUTH_TOKEN_ID] != '_')
        return false;
    *id = span_part(rest, 0, AUTH_TOKEN_ID);
    buf_init_fixed(&b, raw, sizeof raw);
    ok = base64url_read(span_part(rest, AUTH_TOKEN_ID + 1, rest.n), &b) && b.n == TOKEN_SECRET;
    if (ok)
        memcpy(secret, raw, TOKEN_SECRET);
    mem_wipe(raw, sizeof raw);
    return ok;
}

static void
login_token(struct auth *a, const struct auth_login *l, struct auth_result *out)
{
    uint8_t secret[TOKEN_SECRET];
    struct span id;
    struct auth_token t;
    struct hash h;
    struct err e = ERR_INIT;
    int r;

    out->token = true;
    if (!token_parts(l->secret, &id, secret)) {
        refuse(a, out, span_of("token"), l->address);
        return;
    }
    hash_sha256(span_from(secret, sizeof secret), &h);
    mem_wipe(secret, sizeof secret);
    memcpy(out->name, id.p, id.n);
    r = auth_db_token(a->db, id, &t, &e);
    if (r < 0) {
        out->state = AUTH_BROKEN;
        return;
    }
    if (r == 0 || !hash_eq(&h, &t.hash) || (t.expires_us && t.expires_us <= now(a))) {
        refuse(a, out, id, l->address);
        return;
    }
    out->state = AUTH_OK;
    out->principal = t.principal;
    out->epoch = t.epoch;
    throttle_passed(&a->throttle, 'a', l->address);
    session_new(a, out);
}

static void
login_password(struct auth *a, const struct auth_login *l, struct auth_result *out)
{
    uint8_t mark[MAC_BYTES];
    struct remembered *r;

    if (l->name.n == 0 || l->name.n > AUTH_NAME_MAX || l->secret.n == 0 ||
        l->secret.n > PASSWORD_MAX) {
        refuse(a, out, l->name, l->address);
        return;
    }
    memcpy(out->name, l->name.p, l->name.n);
    mark_of(a, l->name, l->secret, mark);
    r = cache_place(a, mark, true);
    if (r && r->until_us > now(a)) {
        out->state = AUTH_OK;
        out->principal = r->principal;
        out->epoch = r->epoch;
        session_new(a, out);
        return;
    }
    out->wait_s = throttle_wait(&a->throttle, 'n', l->name, now(a));
    if (out->wait_s || a->waiting == AUTH_QUEUE_MAX) {
        out->wait_s = out->wait_s ? out->wait_s : 2;
        out->state = AUTH_LATER;
        return;
    }
    struct waiting *w = &a->queue[(a->head + a->waiting) % AUTH_QUEUE_MAX];
    a->waiting++;
    w->out = *out;
    memcpy(w->secret, l->secret.p, l->secret.n);
    w->secret_n = l->secret.n;
    w->address_n = l->address.n < sizeof w->address ? l->address.n : sizeof w->address;
    if (w->address_n)
        memcpy(w->address, l->address.p, w->address_n);
    out->state = AUTH_QUEUED;
}

void
auth_login(struct auth *a, const struct auth_login *l, struct auth_result *out)
{
    memset(out, 0, sizeof *out);
    out->tag = l->tag;
    out->wait_s = throttle_wait(&a->throttle, 'a', l->address, now(a));
    if (out->wait_s)
        out->state = AUTH_LATER;
    else if (l->scheme == AUTH_TOKEN)
        login_token(a, l, out);
    else
        login_password(a, l, out);
}

bool
auth_work(struct auth *a, struct auth_result *out)
{
    struct auth_password p;
    struct err e = ERR_INIT;
    bool good = false;
    int r;

    if (a->waiting == 0)
        return false;
    struct waiting *w = &a->queue[a->head];
    struct span name = span_of(w->out.name);
    struct span secret = span_from(w->secret, w->secret_n);
    struct span address = span_from(w->address, w->address_n);

    *out = w->out;
    r = auth_db_password(a->db, name, &p, &e);
    if (r == 1)
        good = password_ok(secret, p.verifier);
    else
        password_dummy(secret);
    if (r < 0) {
        out->state = AUTH_BROKEN;
    } else if (!good) {
        refuse(a, out, name, address);
    } else {
        uint8_t mark[MAC_BYTES];
        mark_of(a, name, secret, mark);
        struct remembered *m = cache_place(a, mark, false);
        memcpy(m->mark, mark, sizeof mark);
        m->principal = out->principal = p.principal;
        m->epoch = out->epoch = p.epoch;
        m->until_us = now(a) + AUTH_CACHE_US;
        out->state = AUTH_OK;
        throttle_passed(&a->throttle, 'n', name);
        throttle_passed(&a->throttle, 'a', address);
        session_new(a, out);
    }
    mem_wipe(&p, sizeof p);
    mem_wipe(w, sizeof *w);
    a->head = (a->head + 1) % AUTH_QUEUE_MAX;
    a->waiting--;
    return true;
}

size_t
auth_waiting(const struct auth *a)
{
    return a->waiting;
}

bool
auth_renew(struct auth *a, const uint8_t session[16], int64_t *principal, int64_t *epoch,
           bool *token)
{
    for (size_t i = 0; i < AUTH_SESSION_MAX; i++) {
        const struct session *s = &a->sessions[i];
        if (s->until_us > now(a) &&
            equal_secret(span_from(s->handle, 16), span_from(session, 16))) {
            *principal = s->principal;
            *epoch = s->epoch;
            *token = s->token;
            return true;
        }
    }
    return false;
}

/* What was remembered of a principal is forgotten: its next login is looked up anew. */
static void
forget(struct auth *a, int64_t principal)
{
    for (size_t i = 0; i < AUTH_CACHE_MAX; i++)
        if (a->cache[i].principal == principal)
            a->cache[i] = (struct remembered){0};
    for (size_t i = 0; i < AUTH_SESSION_MAX; i++)
        if (a->sessions[i].principal == principal)
            a->sessions[i] = (struct session){0};
}

static int
check_name(struct span name, struct err *e)
{
    if (name.n == 0 || name.n > AUTH_NAME_MAX)
        return err_set(e, ERR_RANGE, "a login name has 1 to 64 bytes");
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        /* A colon would end the name in HTTP's Basic scheme (RFC 7617 section 2). */
        if (c <= ' ' || c == 0x7f || c == ':')
            return err_set_at(e, ERR_SYNTAX, i, "a login name has no spaces, colons or controls");
    }
    return 0;
}

int
auth_set_password(struct auth *a, int64_t principal, int64_t epoch, struct span name,
                  struct span password, struct err *e)
{
    struct auth_password p = {.principal = principal, .epoch = epoch};
    int r;

    if (check_name(name, e))
        return -1;
    if (password_hash(password, p.verifier, e))
        return -1;
    r = auth_db_set_password(a->db, name, &p, e);
    mem_wipe(&p, sizeof p);
    if (r == 0)
        forget(a, principal);
    return r;
}

int
auth_make_token(struct auth *a, int64_t principal, int64_t epoch, int64_t expires_us,
                char text[AUTH_TOKEN_TEXT], struct err *e)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32, none alike */
    struct auth_token t = {.principal = principal, .epoch = epoch, .expires_us = expires_us};
    uint8_t secret[TOKEN_SECRET], pick[AUTH_TOKEN_ID];
    char id[AUTH_TOKEN_ID + 1];
    struct buf b;

    if (expires_us && expires_us <= now(a))
        return err_set(e, ERR_RANGE, "the token's end lies in the past");
    random_bytes(secret, sizeof secret);
    random_bytes(pick, sizeof pick);
    for (size_t i = 0; i < AUTH_TOKEN_ID; i++)
        id[i] = letters[pick[i] & 31];
    id[AUTH_TOKEN_ID] = '\0';
    hash_sha256(span_from(secret, sizeof secret), &t.hash);
    if (auth_db_set_token(a->db, span_of(id), &t, e)) {
        mem_wipe(secret, sizeof secret);
        return -1;
    }
    buf_init_fixed(&b, text, AUTH_TOKEN_TEXT);
    buf_printf(&b, TOKEN_PREFIX "%s_", id);
    base64url_put(&b, secret, sizeof secret);
    buf_u8(&b, 0);
    mem_wipe(secret, sizeof secret);
    return b.failed ? err_set(e, ERR_INTERNAL, "a token does not fit its buffer") : 0;
}

int
auth_set_epoch(struct auth *a, int64_t principal, int64_t epoch, struct err *e)
{
    if (auth_db_set_epoch(a->db, principal, epoch, e))
        return -1;
    forget(a, principal);
    return 0;
}

int
auth_remove(struct auth *a, int64_t principal, struct err *e)
{
    if (auth_db_remove(a->db, principal, e))
        return -1;
    forget(a, principal);
    return 0;
}

int
auth_list(struct auth *a, struct json_out *o, struct err *e)
{
    int r;

    json_begin_object(o);
    json_name(o, "logins");
    r = auth_db_list(a->db, o, e);
    json_end_object(o);
    return r;
}
