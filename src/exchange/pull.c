/* exchange/pull.c - rounds with members, as fetch tells them. */
#include "pull.h"

#include <string.h>

#include "among.h"
#include "batch.h"
#include "mem.h"
#include "members.h"
#include "store_said.h"
#include "utf8.h"

#define OK_EVERY_US                                                                                \
    INT64_C(300000000) /* that all is well with a member is not written more often */

#define WHY_MAX 400 /* bytes of what fetch says of a failure */

struct pull_round {
    struct uuid peer;
    struct exchange_round *round; /* NULL: free */
};

/* Of one link. */
struct pull {
    struct pull_round rounds[PULL_MEMBERS_MAX];
    /* The answer that is being told. */
    bool telling;
    struct uuid from;
    struct buf answer;
    struct buf bodies; /* fields, one behind the other */
    size_t body_n;
    struct err broken; /* told at TOOK */
};

static bool
same(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static struct pull *
pull_of(struct exchange_link *l, struct err *e)
{
    if (l->pull == NULL && (l->pull = mem_zero(1, sizeof *l->pull)) != NULL) {
        buf_init(&l->pull->answer, SYNC_MESSAGE_MAX);
        buf_init(&l->pull->bodies, PULL_BODIES_MAX);
    }
    if (l->pull == NULL)
        err_set(e, ERR_MEMORY, "no memory for rounds");
    return l->pull;
}

static void
round_end(struct pull_round *r)
{
    exchange_round_free(r->round);
    r->round = NULL;
}

/* What was told of an answer is given back whole: an answer can take 80 MiB. */
static void
forget_answer(struct pull *p)
{
    buf_clear(&p->answer);
    buf_clear(&p->bodies);
    buf_init(&p->answer, SYNC_MESSAGE_MAX);
    buf_init(&p->bodies, PULL_BODIES_MAX);
    p->telling = false;
    p->body_n = 0;
    p->broken = (struct err)ERR_INIT;
}

void
pull_free(struct pull *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < PULL_MEMBERS_MAX; i++)
        round_end(&p->rounds[i]);
    buf_clear(&p->answer);
    buf_clear(&p->bodies);
    mem_free(p);
}

static struct pull_round *
round_of(struct pull *p, const struct uuid *peer)
{
    for (size_t i = 0; i < PULL_MEMBERS_MAX; i++)
        if (p->rounds[i].round != NULL && same(&p->rounds[i].peer, peer))
            return &p->rounds[i];
    return NULL;
}

/* -- an answer, piece by piece -------------------------------------------------------------------
 */

void
tell_pull_part(struct exchange_link *l, const struct tell *t)
{
    struct pull *p = pull_of(l, NULL);
    struct uuid peer;

    if (p == NULL)
        return; /* TOOK finds nothing told */
    if (t->id.n != sizeof peer.b) {
        err_set(&p->broken, ERR_PROTOCOL, "a part of an answer from nobody");
        return;
    }
    memcpy(peer.b, t->id.p, sizeof peer.b);
    if (p->telling && !same(&p->from, &peer))
        err_set(&p->broken, ERR_PROTOCOL, "two answers at once");
    p->telling = true;
    p->from = peer;
    if (p->broken.code != ERR_NONE)
        return;
    if (t->verb == TELL_PULL_PIECE) {
        buf_span(&p->answer, t->payload);
    } else if (p->body_n < PULL_BODY_COUNT) {
        buf_field(&p->bodies, t->payload);
        p->body_n++;
    } else {
        p->bodies.failed = true;
    }
    if (p->answer.failed || p->bodies.failed)
        err_set(&p->broken, ERR_LIMIT, "an answer is too long, or there is no memory for it");
}

static int
take(struct pull *p, struct exchange_round *round, const struct uuid *peer, struct arena *a,
     struct err *e)
{
    struct reader r = reader_of(buf_view(&p->bodies));
    struct span *list;

    if (p->broken.code != ERR_NONE) {
        *e = p->broken;
        return -1;
    }
    if (!p->telling || !same(&p->from, peer))
        return err_set(e, ERR_CONFLICT, "no answer of that member was told");
    list = arena_zero(a, p->body_n + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, ERR_MEMORY, "no memory for an answer");
    for (size_t i = 0; i < p->body_n; i++)
        list[i] = reader_field(&r, TELL_MAX);
    return exchange_round_take(round, buf_view(&p->answer), list, p->body_n, e);
}

/* -- for people ----------------------------------------------------------------------------------
 */

/* How the last round went; why is empty where it went well. */
static int
note(struct exchange *x, const struct uuid *peer, struct span why, struct arena *a, struct err *e)
{
    struct store_peer s = {.id = *peer};
    const int64_t now = now_us(x);

    if (commit_flush(x, e) != 0 || commit_begin(x, e) != 0 ||
        store_peer_get(x->store, peer, a, &s, e) < 0)
        return -1;
    s.id = *peer;
    if (why.n > 0) {
        s.failed_us = now;
        s.failures++;
        s.why = span_part(why, 0, STORE_SETTING_MAX);
    } else {
        if (s.failures == 0 && s.ok_us != 0 && now - s.ok_us < OK_EVERY_US && now >= s.ok_us)
            return 0;
        s.ok_us = now;
        s.failures = 0;
    }
    if (store_peer_put(x->store, &s, e) != 0) {
        commit_drop(x, e);
        return -1;
    }
    return commit_flush(x, e);
}

/* -- questions -----------------------------------------------------------------------------------
 */

static int
put_question(struct exchange_link *l, struct pull_round *r, struct arena *a, struct buf *out,
         struct err *e)
{
    struct pull_next n = {.more = false};
    struct buf b;
    int rc;

    buf_init(&b, SYNC_QUESTION_MAX);
    rc = exchange_round_ask(r->round, &b, e);
    n.more = rc == 1;
    n.question = buf_view(&b);
    n.counts = *exchange_round_counts(r->round);
    if (rc == 0)
        rc = note(l->x, &r->peer, (struct span){0}, a, e);
    if (rc >= 0)
        pull_next_encode(&n, out);
    buf_clear(&b);
    if (!n.more)
        round_end(r);
    return rc < 0 ? -1 : 0;
}

static int
begin(struct exchange_link *l, struct pull *p, const struct uuid *peer, struct arena *a,
      struct buf *out, struct err *e)
{
    const struct membership *m;
    struct pull_round *r = round_of(p, peer);

    if (r != NULL)
        round_end(r);
    if (commit_flush(l->x, e) != 0 || commit_begin(l->x, e) != 0 ||
        (m = members_now(l->x, e)) == NULL)
        return -1;
    if (same(peer, &l->x->identity) || m->chain_n == 0 || !membership_in_region(m, peer))
        return err_set(e, ERR_MISSING, "not a member of the region");
    for (size_t i = 0; r == NULL && i < PULL_MEMBERS_MAX; i++)
        if (p->rounds[i].round == NULL)
            r = &p->rounds[i];
    if (r == NULL)
        return err_set(e, ERR_LIMIT, "too many rounds at once");
    r->peer = *peer;
    r->round = exchange_round_new(l->x, peer, e);
    return r->round == NULL ? -1 : put_question(l, r, a, out, e);
}

static int
took(struct exchange_link *l, struct pull *p, const struct uuid *peer, struct arena *a,
     struct buf *out, struct err *e)
{
    struct pull_round *r = round_of(p, peer);
    int rc;

    if (r == NULL)
        rc = err_set(e, ERR_CONFLICT, "no round with that member is under way");
    else if ((rc = take(p, r->round, peer, a, e)) != 0)
        round_end(r);
    forget_answer(p);
    return rc != 0 ? -1 : put_question(l, r, a, out, e);
}

static int
failed(struct exchange_link *l, struct pull *p, const struct uuid *peer, const struct tell *t,
       struct arena *a, struct err *e)
{
    static const char *const faults[PULL_FAULTS] = {[PULL_F_UNREACHED] = "not reached",
                                                    [PULL_F_CERTIFICATE] = "not the member's node",
                                                    [PULL_F_LOGIN] = "does not let us in",
                                                    [PULL_F_ANSWER] = "answers what it should not",
                                                    [PULL_F_HERE] = "failed on our own side"};
    struct pull_round *r = round_of(p, peer);
    const struct membership *m;
    struct span text;
    const char *why;

    if (r != NULL)
        round_end(r);
    if (t->number == 0 || t->number >= PULL_FAULTS)
        return err_set(e, ERR_PROTOCOL, "an unknown fault");
    if (commit_flush(l->x, e) != 0 || commit_begin(l->x, e) != 0 ||
        (m = members_now(l->x, e)) == NULL)
        return -1;
    if (membership_member(m, peer) == NULL)
        return err_set(e, ERR_MISSING, "not a member of the region");
    text = utf8_valid(t->text, NULL) && t->text.n <= WHY_MAX ? t->text : SPAN("?");
    why = arena_printf(a, "%s: %.*s", faults[t->number], (int)text.n, text.n > 0 ? text.p : "");
    if (why == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    return note(l->x, peer, span_of(why), a, e);
}

static int
list(struct exchange_link *l, struct arena *a, struct buf *out, struct err *e)
{
    struct pull_member *members = arena_zero(a, PULL_MEMBERS_MAX, sizeof *members);
    struct pull_list x = {.me = l->x->identity, .members = members};
    const struct membership *m;
    const struct region *r;

    if (members == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (commit_flush(l->x, e) != 0 || commit_begin(l->x, e) != 0 ||
        (m = members_now(l->x, e)) == NULL)
        return -1;
    r = m->chain_n > 0 ? &m->chain[m->chain_n - 1] : NULL;
    if (r != NULL && region_member(r, &x.me) != NULL)
        for (size_t i = 0; i < r->member_n; i++)
            if (!same(&r->members[i].id, &x.me) && r->members[i].address.n > 0)
                members[x.n++] = (struct pull_member){r->members[i].id, r->members[i].key,
                                                      r->members[i].address};
    pull_list_encode(&x, out);
    return 0;
}

int
tell_pull(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
          struct err *e)
{
    struct pull *p = pull_of(l, e);
    struct uuid peer;

    if (p == NULL)
        return -1;
    if (t->verb == TELL_PULL_LIST)
        return list(l, a, out, e);
    if (t->id.n != sizeof peer.b)
        return err_set(e, ERR_PROTOCOL, "a member without its identity");
    memcpy(peer.b, t->id.p, sizeof peer.b);
    if (t->verb == TELL_PULL_BEGIN)
        return begin(l, p, &peer, a, out, e);
    if (t->verb == TELL_PULL_TOOK)
        return took(l, p, &peer, a, out, e);
    if (failed(l, p, &peer, t, a, e) != 0)
        return -1;
    buf_str(out, "{}");
    return 0;
}

bool
exchange_news(struct exchange *x)
{
    const bool news = x->news;

    x->news = false;
    return news;
}
