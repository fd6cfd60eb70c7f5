/* What may follow a version of the region, and what proves that two did. */
#include "region.h"

#include <string.h>
#include "crypto.h"

_Static_assert(REGION_MEMBERS_MAX < 256, "their number is sent as one byte");

static region_set
bit(int place)
{
    return (region_set)1 << place;
}

bool
region_vote_ok(const struct region *r, const struct vote *v)
{
    const struct region_member *m = region_member(r, &v->by);

    return m != NULL && v->version == r->version + 1 && hash_eq(&v->previous, &r->hash) &&
           v->ballot / VOTE_VOTERS_MAX > 0 && v->ballot % VOTE_VOTERS_MAX < r->member_n &&
           vote_ok(v, &m->id, &m->key);
}

static bool
partners_eq(const struct region *a, const struct region *b)
{
    if (a->partner_n != b->partner_n)
        return false;
    for (size_t i = 0; i < a->partner_n; i++) {
        const struct region_partner *x = &a->partners[i], *y = &b->partners[i];

        if (memcmp(&x->id, &y->id, sizeof x->id) != 0 || x->has_key != y->has_key ||
            (x->has_key && !sign_public_eq(&x->key, &y->key)) || !span_eq(x->name, y->name) ||
            x->ends_us != y->ends_us || x->group_n != y->group_n)
            return false;
        for (size_t j = 0; j < x->group_n; j++)
            if (memcmp(x->groups[j].b, y->groups[j].b, GROUP_ID_BYTES) != 0)
                return false;
    }
    return true;
}

static int
diff_member(const struct region_member *was, int place, const struct region_member *is,
            struct region_change *c, struct err *e)
{
    if (was->since != is->since)
        return err_set(e, ERR_RULE, "a member stays, and joined in another version");
    if (!span_eq(was->name, is->name) || !span_eq(was->address, is->address))
        c->own |= bit(place);
    if (!sign_public_eq(&was->key, &is->key))
        c->rolled |= bit(place);
    if (!span_eq(was->country, is->country))
        c->people = true;
    return 0;
}

int
region_diff(const struct region *prev, const struct region *next, struct region_change *out,
            struct err *e)
{
    struct region_change c = {.people = false};
    size_t gone = 0;

    if (next->version != prev->version + 1 || !hash_eq(&next->previous, &prev->hash))
        return err_set(e, ERR_RULE, "a version that does not follow this one");
    for (size_t i = 0; i < next->member_n; i++) {
        const struct region_member *m = &next->members[i];
        const int place = region_place(prev, &m->id);

        if (place >= 0) {
            if (diff_member(&prev->members[place], place, m, &c, e) < 0)
                return -1;
            continue;
        }
        if (m->since != next->version)
            return err_set(e, ERR_RULE, "who joins does so in the version that says it");
        c.added++;
    }
    for (size_t i = 0; i < prev->member_n; i++) {
        if (region_place(next, &prev->members[i].id) >= 0)
            continue;
        if (gone == next->removed_n ||
            memcmp(&next->removed[gone].id, &prev->members[i].id, sizeof prev->members[i].id) != 0)
            return err_set(e, ERR_RULE, "who is a member no more stands under removed");
        c.removed |= bit((int)i);
        gone++;
    }
    if (gone != next->removed_n)
        return err_set(e, ERR_RULE, "removed was no member");
    if (c.added > 0 || c.removed != 0 || !span_eq(prev->name, next->name) ||
        memcmp(&prev->coordinator, &next->coordinator, sizeof prev->coordinator) != 0 ||
        !partners_eq(prev, next))
        c.people = true;
    if (!c.people && c.own == 0 && c.rolled == 0)
        return err_set(e, ERR_RULE, "a version that changes nothing");
    *out = c;
    return 0;
}

bool
region_unasked(const struct region_change *c, region_set voted)
{
    return !c->people && ((c->own | c->rolled) & ~voted) == 0;
}

/* ---- with votes ---- */

int
region_signed_encode(const struct region_signed *s, struct buf *out, struct err *e)
{
    if (s->body.n > REGION_BODY_MAX || s->voter_n > REGION_MEMBERS_MAX || s->ballot > BALLOT_MAX)
        return err_set(e, ERR_RANGE, "no signed version of a region");
    buf_field(out, s->body);
    buf_u64(out, s->ballot);
    buf_u8(out, (unsigned)s->voter_n);
    for (size_t i = 0; i < s->voter_n; i++) {
        buf_put(out, s->voters[i].by.b, sizeof s->voters[i].by.b);
        buf_put(out, s->voters[i].sig.b, SIGNATURE_BYTES);
    }
    if (out->failed)
        return err_set(e, out->full ? ERR_LIMIT : ERR_MEMORY, "no room for a signed version");
    return 0;
}

int
region_signed_decode(struct span bytes, struct arena *a, struct region_signed *out, struct err *e)
{
    struct region_signed s = {.voter_n = 0};
    struct reader r = reader_of(bytes);
    struct region_voter *voters = NULL;

    s.body = reader_field(&r, REGION_BODY_MAX);
    s.ballot = reader_u64(&r);
    s.voter_n = reader_u8(&r);
    if (!r.failed && (s.voter_n > REGION_MEMBERS_MAX || s.ballot > BALLOT_MAX))
        return err_set_at(e, ERR_PROTOCOL, s.body.n, "a ballot or number of votes over the limit");
    if (!r.failed && s.voter_n > 0) {
        voters = arena_zero(a, s.voter_n, sizeof *voters);
        if (voters == NULL)
            return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no room for votes");
    }
    for (size_t i = 0; i < s.voter_n && !r.failed; i++) {
        reader_copy(&r, voters[i].by.b, sizeof voters[i].by.b);
        reader_copy(&r, voters[i].sig.b, SIGNATURE_BYTES);
    }
    if (reader_end(&r, e) < 0)
        return -1;
    s.voters = voters;
    *out = s;
    return 0;
}

static struct vote
vote_of(const struct region_signed *s, size_t i, const struct region *r)
{
    return (struct vote){.previous = r->previous,
                         .version = r->version,
                         .ballot = s->ballot,
                         .value = r->hash,
                         .phase = VOTE_ACCEPT,
                         .accepted = s->ballot,
                         .by = s->voters[i].by,
                         .sig = s->voters[i].sig};
}

int
region_check_first(const struct region_signed *s, struct arena *a, struct region *out,
                   struct err *e)
{
    struct region r;
    struct vote v;

    if (region_read(s->body, a, &r, e) < 0)
        return -1;
    if (r.version != 1 || r.member_n != 1 || r.removed_n != 0)
        return err_set(e, ERR_RULE, "a region begins at version 1 with its founder alone");
    if (s->voter_n != 1 || s->ballot != VOTE_VOTERS_MAX)
        return err_set(e, ERR_AUTH, "the founder alone signs the first version");
    v = vote_of(s, 0, &r);
    if (!vote_ok(&v, &r.members[0].id, &r.members[0].key))
        return err_set(e, ERR_AUTH, "not signed by its founder");
    *out = r;
    return 0;
}

/* Who voted; -1 where one of the votes is none. */
static int
voters_of(const struct region *prev, const struct region *next, const struct region_signed *s,
          region_set *out, struct err *e)
{
    region_set all = 0;
    int last = -1;

    for (size_t i = 0; i < s->voter_n; i++) {
        const struct vote v = vote_of(s, i, next);
        const int place = region_place(prev, &v.by);

        if (place <= last) /* no member, twice, or out of order */
            return err_set(e, ERR_AUTH, "votes are of members, each once, sorted by id");
        if (!region_vote_ok(prev, &v))
            return err_set(e, ERR_AUTH, "a vote that is not signed by its member");
        all |= bit(place);
        last = place;
    }
    if (s->voter_n < region_majority(prev))
        return err_set(e, ERR_AUTH, "no majority of the members before");
    *out = all;
    return 0;
}

static int
check_successor(const struct region *prev, const struct region_signed *s, struct arena *a,
                struct region *out, region_set *who, struct err *e)
{
    struct region_change c;
    struct region r;

    if (region_read(s->body, a, &r, e) < 0 || region_diff(prev, &r, &c, e) < 0 ||
        voters_of(prev, &r, s, who, e) < 0)
        return -1;
    if ((c.own & ~*who) != 0)
        return err_set(e, ERR_AUTH, "a member's own words without its vote");
    *out = r;
    return 0;
}

int
region_check_successor(const struct region *prev, const struct region_signed *s, struct arena *a,
                       struct region *out, struct err *e)
{
    region_set who;

    return check_successor(prev, s, a, out, &who, e);
}

int
region_conflict(const struct region *prev, const struct region_signed *one,
                const struct region_signed *two, struct arena *a, struct region_evidence *out,
                struct err *e)
{
    region_set who[2] = {1, 1};
    struct region r[2];

    if (prev == NULL) {
        if (region_check_first(one, a, &r[0], e) < 0 || region_check_first(two, a, &r[1], e) < 0)
            return -1;
        if (!sign_public_eq(&r[0].members[0].key, &r[1].members[0].key))
            return err_set(e, ERR_RULE, "two regions of two founders");
    } else if (check_successor(prev, one, a, &r[0], &who[0], e) < 0 ||
               check_successor(prev, two, a, &r[1], &who[1], e) < 0) {
        return -1;
    }
    if (hash_eq(&r[0].hash, &r[1].hash))
        return 0;
    *out = (struct region_evidence){.one = *one, .two = *two, .both = who[0] & who[1]};
    return 1;
}
