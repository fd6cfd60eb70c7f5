#include "voter.h"

#include <assert.h>
#include <string.h>
#include "crypto.h"

static const struct hash no_hash;

static bool
ballot_ok(uint64_t ballot)
{
    return ballot >= VOTE_VOTERS_MAX && ballot <= BALLOT_MAX;
}

/* A state that answers can lead to. */
static bool
voter_ok(const struct voter *v)
{
    if (v->version > VERSION_MAX || (v->promised != 0 && !ballot_ok(v->promised)) ||
        (v->accepted != 0 && !ballot_ok(v->accepted)))
        return false;
    if (v->version == 0 && (v->promised != 0 || !hash_eq(&v->previous, &no_hash)))
        return false;
    return v->accepted <= v->promised && (v->accepted == 0) == hash_eq(&v->value, &no_hash);
}

void
voter_encode(const struct voter *v, struct buf *out)
{
    assert(voter_ok(v));
    buf_put(out, v->previous.b, HASH_BYTES);
    buf_u64(out, v->version);
    buf_u64(out, v->promised);
    buf_u64(out, v->accepted);
    buf_put(out, v->value.b, HASH_BYTES);
}

int
voter_decode(struct span s, struct voter *out, struct err *e)
{
    struct reader r = reader_of(s);
    struct voter v = {.version = 0};

    reader_copy(&r, v.previous.b, HASH_BYTES);
    v.version = reader_u64(&r);
    v.promised = reader_u64(&r);
    v.accepted = reader_u64(&r);
    reader_copy(&r, v.value.b, HASH_BYTES);
    if (reader_end(&r, NULL) < 0 || !voter_ok(&v))
        return err_set(e, ERR_CORRUPT, "what was promised in a vote cannot be read");
    *out = v;
    return 0;
}

int
voter_begin(struct voter *v, const struct region *current, struct err *e)
{
    const uint64_t version = current->version + 1;

    if (version > VERSION_MAX)
        return err_set(e, ERR_LIMIT, "no version is left");
    if (v->version > version)
        return err_set(e, ERR_CONFLICT, "takes part in a later vote");
    if (v->version == version) {
        if (!hash_eq(&v->previous, &current->hash))
            return err_set(e, ERR_CONFLICT, "takes part in this vote on another chain");
        return 0;
    }
    *v = (struct voter){.previous = current->hash, .version = version};
    return 0;
}

void
voter_ask_encode(const struct voter_ask *q, struct buf *out)
{
    buf_u8(out, q->phase);
    buf_put(out, q->previous.b, HASH_BYTES);
    buf_u64(out, q->version);
    buf_u64(out, q->ballot);
    buf_put(out, q->value.b, HASH_BYTES);
}

int
voter_ask_decode(struct span s, struct voter_ask *out, struct err *e)
{
    struct reader r = reader_of(s);
    struct voter_ask q = {.version = 0};

    q.phase = (enum vote_phase)reader_u8(&r);
    reader_copy(&r, q.previous.b, HASH_BYTES);
    q.version = reader_u64(&r);
    q.ballot = reader_u64(&r);
    reader_copy(&r, q.value.b, HASH_BYTES);
    if (reader_end(&r, e) < 0)
        return -1;
    if ((q.phase != VOTE_PROMISE && q.phase != VOTE_ACCEPT) || q.version == 0 ||
        q.version > VERSION_MAX || !ballot_ok(q.ballot) ||
        (q.phase == VOTE_PROMISE) != hash_eq(&q.value, &no_hash))
        return err_set_at(e, ERR_PROTOCOL, 0, "no question of a vote");
    *out = q;
    return 0;
}

static int
promise(struct voter *v, const struct voter_ask *q, struct err *e)
{
    /* In a ballot in which something is accepted the promises have been counted long ago. */
    if (q->ballot < v->promised || q->ballot == v->accepted)
        return err_set(e, ERR_CONFLICT, "a later ballot is promised");
    v->promised = q->ballot;
    return 0;
}

static int
accept(struct voter *v, const struct voter_ask *q, struct err *e)
{
    if (hash_eq(&q->value, &no_hash))
        return err_set(e, ERR_RULE, "nothing to accept");
    if (q->ballot < v->promised)
        return err_set(e, ERR_CONFLICT, "a later ballot is promised");
    if (q->ballot == v->accepted && !hash_eq(&q->value, &v->value))
        return err_set(e, ERR_RULE, "two values in one ballot");
    v->promised = v->accepted = q->ballot;
    v->value = q->value;
    return 0;
}

int
voter_answer(struct voter *v, const struct region *current, const struct uuid *me,
             const struct uuid *from, const struct voter_ask *q, struct vote *out, struct err *e)
{
    const int place = region_place(current, from);

    if (region_place(current, me) < 0 || place < 0)
        return err_set(e, ERR_DENIED, "a vote is among members");
    if (v->version != current->version + 1 || !hash_eq(&v->previous, &current->hash) ||
        q->version != v->version || !hash_eq(&q->previous, &v->previous))
        return err_set(e, ERR_CONFLICT, "a vote on another version");
    if (!ballot_ok(q->ballot) || q->ballot % VOTE_VOTERS_MAX != (uint64_t)place)
        return err_set(e, ERR_RULE, "not a ballot of who asks");
    if (q->phase == VOTE_PROMISE ? promise(v, q, e) < 0 : accept(v, q, e) < 0)
        return -1;
    *out = (struct vote){.previous = v->previous,
                         .version = v->version,
                         .ballot = q->ballot,
                         .value = v->value,
                         .phase = q->phase,
                         .accepted = v->accepted,
                         .by = *me};
    return 0;
}

int
proposer_begin(struct proposer *p, const struct region *current, const struct uuid *me,
               const struct voter *own, uint64_t seen, const struct hash *value, struct err *e)
{
    const int place = region_place(current, me);
    const uint64_t high = seen > own->promised ? seen : own->promised;
    uint64_t ballot;

    if (place < 0)
        return err_set(e, ERR_DENIED, "a vote is among members");
    if (own->version != current->version + 1 || !hash_eq(&own->previous, &current->hash))
        return err_set(e, ERR_CONFLICT, "our own voter is at another version");
    if (high > BALLOT_MAX - 2 * (uint64_t)VOTE_VOTERS_MAX)
        return err_set(e, ERR_LIMIT, "no ballot is left");
    ballot = (high / VOTE_VOTERS_MAX + 1) * VOTE_VOTERS_MAX + (uint64_t)place;
    *p = (struct proposer){.state = PROPOSER_PREPARES,
                           .previous = own->previous,
                           .version = own->version,
                           .ballot = ballot,
                           .place = place,
                           .majority = region_majority(current),
                           .value = *value};
    return 0;
}

int
proposer_ask(const struct proposer *p, struct voter_ask *out)
{
    if (p->state == PROPOSER_CHOSEN)
        return -1;
    *out = (struct voter_ask){.phase = p->state == PROPOSER_PREPARES ? VOTE_PROMISE : VOTE_ACCEPT,
                              .previous = p->previous,
                              .version = p->version,
                              .ballot = p->ballot};
    if (p->state == PROPOSER_PROPOSES)
        out->value = p->value;
    return (p->promised >> p->place & 1) != 0;
}

static size_t
count(region_set s)
{
    return (size_t)__builtin_popcountll(s);
}

bool
proposer_take(struct proposer *p, const struct region *current, const struct vote *v)
{
    const int place = region_place(current, &v->by);

    if (place < 0 || v->version != p->version || !hash_eq(&v->previous, &p->previous) ||
        v->ballot != p->ballot)
        return false;
    if (v->phase == VOTE_PROMISE && p->state == PROPOSER_PREPARES) {
        p->promised |= (region_set)1 << place;
        if (v->accepted > p->best) {
            p->best = v->accepted;
            p->value = v->value;
        }
        /* Ours among them: nobody else has been asked before. */
        if (count(p->promised) < p->majority || (p->promised >> p->place & 1) == 0)
            return false;
        p->state = PROPOSER_PROPOSES;
        return true;
    }
    if (v->phase == VOTE_ACCEPT && p->state == PROPOSER_PROPOSES && hash_eq(&v->value, &p->value)) {
        p->accepted |= (region_set)1 << place;
        if (count(p->accepted) < p->majority)
            return false;
        p->state = PROPOSER_CHOSEN;
        return true;
    }
    return false;
}
