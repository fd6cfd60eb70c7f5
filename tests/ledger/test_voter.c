/* The vote on one version: whatever the network does and whoever stops, one value or none. */
#include "people.h"

#include "voter.h"

#define NODES    7
#define MESSAGES 4096
#define BALLOTS  (1u << 14) /* of one run, for the judge */

/* ---- single answers ---- */

static struct region_member list[PEOPLE];
static struct region region;

static struct hash
value_of(unsigned i)
{
    struct hash h = {{1}};

    h.b[1] = (uint8_t)i;
    return h;
}

/* A question in a ballot of place on the version after region's. */
static struct voter_ask
question(enum vote_phase phase, uint64_t round, unsigned place, unsigned value)
{
    struct voter_ask q = {.phase = phase,
                          .previous = region.hash,
                          .version = region.version + 1,
                          .ballot = round * VOTE_VOTERS_MAX + place};

    if (phase == VOTE_ACCEPT)
        q.value = value_of(value);
    return q;
}

/* One after the other, to one voter (place 1). */
static const struct {
    const char *name;
    enum vote_phase phase;
    uint64_t round;
    unsigned place, from, value;
    enum err_code code;
    uint64_t promised, accepted; /* afterwards, as round * 10 + place */
} talk[] = {
    {"round 0", VOTE_PROMISE, 0, 2, 2, 0, ERR_RULE, 0, 0},
    {"another's ballot", VOTE_PROMISE, 1, 2, 3, 0, ERR_RULE, 0, 0},
    {"nobody's ballot", VOTE_PROMISE, 1, 9, 9, 0, ERR_DENIED, 0, 0},
    {"first", VOTE_PROMISE, 1, 2, 2, 0, ERR_NONE, 12, 0},
    {"the same again", VOTE_PROMISE, 1, 2, 2, 0, ERR_NONE, 12, 0},
    {"a lower one", VOTE_PROMISE, 1, 0, 0, 0, ERR_CONFLICT, 12, 0},
    {"a lower accept", VOTE_ACCEPT, 1, 1, 1, 5, ERR_CONFLICT, 12, 0},
    {"accept by another", VOTE_ACCEPT, 1, 2, 0, 5, ERR_RULE, 12, 0},
    {"accept", VOTE_ACCEPT, 1, 2, 2, 5, ERR_NONE, 12, 12},
    {"the same accept", VOTE_ACCEPT, 1, 2, 2, 5, ERR_NONE, 12, 12},
    {"another value in it", VOTE_ACCEPT, 1, 2, 2, 6, ERR_RULE, 12, 12},
    {"promise of what is accepted", VOTE_PROMISE, 1, 2, 2, 0, ERR_CONFLICT, 12, 12},
    {"a higher one", VOTE_PROMISE, 2, 0, 0, 0, ERR_NONE, 20, 12},
    {"the older accept comes late", VOTE_ACCEPT, 1, 2, 2, 5, ERR_CONFLICT, 20, 12},
    {"accept unasked, higher", VOTE_ACCEPT, 3, 4, 4, 7, ERR_NONE, 34, 34},
    {"accept, lower", VOTE_ACCEPT, 2, 0, 0, 5, ERR_CONFLICT, 34, 34},
};

static void
one_voter(void **state)
{
    struct voter v = {.version = 0};
    (void)state;

    assert_int_equal(voter_begin(&v, &region, NULL), 0);
    for (size_t i = 0; i < sizeof talk / sizeof talk[0]; i++) {
        const struct voter_ask q =
            question(talk[i].phase, talk[i].round, talk[i].place, talk[i].value);
        const struct voter before = v;
        struct err e = ERR_INIT;
        struct vote out = {.ballot = 77};
        int got = voter_answer(&v, &region, &people[1].id, &people[talk[i].from].id, &q, &out, &e);

        if (e.code != talk[i].code || got != (talk[i].code == ERR_NONE ? 0 : -1))
            fail_msg("%s: %s", talk[i].name, err_name(e.code));
        if (got < 0) {
            assert_memory_equal(&v, &before, sizeof v);
            assert_int_equal(out.ballot, 77);
        } else {
            assert_int_equal(out.ballot, q.ballot);
            assert_int_equal(out.phase, q.phase);
            assert_int_equal(out.accepted, v.accepted);
            assert_true(hash_eq(&out.value, &v.value));
            assert_memory_equal(&out.by, &people[1].id, sizeof out.by);
        }
        assert_int_equal(v.promised,
                         talk[i].promised / 10 * VOTE_VOTERS_MAX + talk[i].promised % 10);
        assert_int_equal(v.accepted,
                         talk[i].accepted / 10 * VOTE_VOTERS_MAX + talk[i].accepted % 10);
    }
}

static void
other_votes(void **state)
{
    struct voter v = {.version = 0}, before;
    struct voter_ask q = question(VOTE_PROMISE, 1, 2, 0);
    struct region later = region, fork = region;
    struct err e = ERR_INIT;
    struct vote out;
    (void)state;

    assert_int_equal(voter_answer(&v, &region, &people[1].id, &people[2].id, &q, &out, &e), -1);
    assert_int_equal(voter_begin(&v, &region, &e), 0);
    assert_int_equal(voter_answer(&v, &region, &people[1].id, &people[2].id, &q, &out, &e), 0);
    before = v;
    assert_int_equal(voter_begin(&v, &region, &e), 0); /* again: what is promised stays */
    assert_memory_equal(&v, &before, sizeof v);
    q.version++;
    assert_int_equal(voter_answer(&v, &region, &people[1].id, &people[2].id, &q, &out, &e), -1);
    q.version--;
    q.previous.b[0] ^= 1;
    assert_int_equal(voter_answer(&v, &region, &people[1].id, &people[2].id, &q, &out, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    q.previous.b[0] ^= 1;
    q.ballot = BALLOT_MAX + 3;
    assert_int_equal(voter_answer(&v, &region, &people[1].id, &people[2].id, &q, &out, &e), -1);
    assert_int_equal(voter_answer(&v, &region, &people[9].id, &people[2].id, &q, &out, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    fork.hash.b[0] ^= 1;
    assert_int_equal(voter_begin(&v, &fork, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_memory_equal(&v, &before, sizeof v);
    later.version++;
    assert_int_equal(voter_begin(&v, &later, &e), 0);
    assert_int_equal(v.promised, 0);
    assert_int_equal(voter_begin(&v, &region, &e), -1); /* never back */
    assert_int_equal(e.code, ERR_CONFLICT);
    later.version = VERSION_MAX;
    assert_int_equal(voter_begin(&v, &later, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
}

static void
states_as_bytes(void **state)
{
    struct voter v = {.previous = value_of(1),
                      .version = 9,
                      .promised = 3 * VOTE_VOTERS_MAX + 1,
                      .accepted = 2 * VOTE_VOTERS_MAX,
                      .value = value_of(2)},
                 back;
    struct voter_ask q = question(VOTE_ACCEPT, 3, 2, 5), q_back;
    char mem[VOTER_BYTES + 1] = {0};
    struct err e;
    struct buf b;
    (void)state;

    buf_init_fixed(&b, mem, VOTER_BYTES);
    voter_encode(&v, &b);
    assert_int_equal(b.n, VOTER_BYTES);
    assert_int_equal(voter_decode(buf_view(&b), &back, &e), 0);
    assert_memory_equal(&back, &v, sizeof v);
    for (size_t n = 0; n < VOTER_BYTES; n++)
        assert_int_equal(voter_decode(span_from(mem, n), &back, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_int_equal(voter_decode(span_from(mem, VOTER_BYTES + 1), &back, &e), -1);
    mem[HASH_BYTES + 23] = 0x7f; /* accepted in 127, promised 193; then over it */
    assert_int_equal(voter_decode(buf_view(&b), &back, &e), 0);
    mem[HASH_BYTES + 22] = 1;
    assert_int_equal(voter_decode(buf_view(&b), &back, &e), -1);
    mem[HASH_BYTES + 22] = 0;
    mem[HASH_BYTES + 23] = 0; /* never, and yet a value */
    assert_int_equal(voter_decode(buf_view(&b), &back, &e), -1);

    buf_init_fixed(&b, mem, VOTER_ASK_BYTES);
    voter_ask_encode(&q, &b);
    assert_int_equal(b.n, VOTER_ASK_BYTES);
    assert_int_equal(voter_ask_decode(buf_view(&b), &q_back, &e), 0);
    assert_true(q_back.ballot == q.ballot && hash_eq(&q_back.value, &q.value));
    for (size_t n = 0; n < VOTER_ASK_BYTES; n++)
        assert_int_equal(voter_ask_decode(span_from(mem, n), &q_back, &e), -1);
    mem[0] = 1; /* a promise with a value */
    assert_int_equal(voter_ask_decode(buf_view(&b), &q_back, &e), -1);
    mem[0] = 3;
    assert_int_equal(voter_ask_decode(buf_view(&b), &q_back, &e), -1);
    assert_int_equal(e.code, ERR_PROTOCOL);
}

static void
who_may_propose(void **state)
{
    struct voter own = {.version = 0};
    struct hash value = value_of(1);
    struct err e = ERR_INIT;
    struct proposer p;
    struct voter_ask q;
    (void)state;

    assert_int_equal(proposer_begin(&p, &region, &people[2].id, &own, 0, &value, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(voter_begin(&own, &region, NULL), 0);
    assert_int_equal(proposer_begin(&p, &region, &people[9].id, &own, 0, &value, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    assert_int_equal(proposer_begin(&p, &region, &people[2].id, &own, 0, &value, &e), 0);
    assert_int_equal(p.ballot, VOTE_VOTERS_MAX + 2);
    assert_int_equal(proposer_ask(&p, &q), 0); /* our own first */
    own.promised = p.ballot;
    assert_int_equal(proposer_begin(&p, &region, &people[2].id, &own, 0, &value, &e), 0);
    assert_int_equal(p.ballot, 2 * VOTE_VOTERS_MAX + 2);
    assert_int_equal(
        proposer_begin(&p, &region, &people[2].id, &own, 7 * VOTE_VOTERS_MAX + 5, &value, &e), 0);
    assert_int_equal(p.ballot, 8 * VOTE_VOTERS_MAX + 2);
    assert_int_equal(proposer_begin(&p, &region, &people[2].id, &own, BALLOT_MAX, &value, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
}

/* ---- many, with everything that goes wrong ---- */

struct message {
    bool used;
    unsigned from, to;
    bool answer;
    struct voter_ask q;
    struct vote v;
};

struct world {
    struct check_random r;
    unsigned n;
    struct voter disk[NODES]; /* what is durable */
    bool proposing[NODES];
    struct proposer p[NODES];
    uint64_t seen[NODES]; /* highest ballot that refused us */
    struct message m[MESSAGES];
    unsigned lose, twice; /* in 100 */
    bool forgetful;       /* the judge's own test: a restart loses what was promised */
    /* The judge: who has accepted what in which ballot, ever. */
    struct {
        region_set who;
        struct hash value;
    } ballot[BALLOTS];
    bool decided;
    struct hash chosen;
    bool two; /* two values were chosen */
};

static unsigned
below(struct world *w, unsigned n)
{
    return (unsigned)((check_next(&w->r) >> 33) % n);
}

static void
post(struct world *w, struct message m)
{
    const unsigned copies = below(w, 100) < w->lose ? 0 : below(w, 100) < w->twice ? 2 : 1;

    for (unsigned c = 0; c < copies; c++) {
        const unsigned at = below(w, MESSAGES); /* what stood there is lost */

        w->m[at] = m;
        w->m[at].used = true;
    }
}

static void
judge(struct world *w, const struct vote *v)
{
    size_t who;

    assert_true(v->ballot < BALLOTS);
    w->ballot[v->ballot].who |= (region_set)1 << region_place(&region, &v->by);
    w->ballot[v->ballot].value = v->value;
    who = (size_t)__builtin_popcountll(w->ballot[v->ballot].who);
    if (who < w->n / 2 + 1)
        return;
    if (w->decided && !hash_eq(&w->chosen, &v->value))
        w->two = true;
    w->decided = true;
    w->chosen = v->value;
}

/* A voter answers: first the disk, then the message (which may be lost with a crash between). */
static void
answer(struct world *w, unsigned me, unsigned from, const struct voter_ask *q)
{
    struct voter v = w->disk[me];
    struct vote out;

    if (voter_answer(&v, &region, &people[me].id, &people[from].id, q, &out, NULL) < 0) {
        if (v.promised > w->seen[from]) /* told, somehow */
            w->seen[from] = v.promised;
        return;
    }
    w->disk[me] = v;
    if (out.phase == VOTE_ACCEPT)
        judge(w, &out);
    post(w, (struct message){.from = me, .to = from, .answer = true, .v = out});
}

/* Our own voter answers at once; the others by messages. */
static void
ask(struct world *w, unsigned me)
{
    struct voter_ask q;
    struct vote own;
    struct voter v;
    int whom = proposer_ask(&w->p[me], &q);

    if (whom < 0)
        return;
    v = w->disk[me];
    if (voter_answer(&v, &region, &people[me].id, &people[me].id, &q, &own, NULL) < 0) {
        w->proposing[me] = false; /* it has promised another meanwhile */
        return;
    }
    w->disk[me] = v;
    if (own.phase == VOTE_ACCEPT)
        judge(w, &own);
    proposer_take(&w->p[me], &region, &own);
    if (proposer_ask(&w->p[me], &q) != 1)
        return;
    for (unsigned to = 0; to < w->n; to++)
        if (to != me)
            post(w, (struct message){.from = me, .to = to, .q = q});
}

static void
propose(struct world *w, unsigned me)
{
    const struct hash value = value_of(me);

    if (proposer_begin(&w->p[me], &region, &people[me].id, &w->disk[me], w->seen[me], &value,
                       NULL) < 0)
        return;
    w->proposing[me] = true;
    ask(w, me);
}

static void
deliver(struct world *w, struct message *m)
{
    const struct message got = *m;

    m->used = false;
    if (!got.answer) {
        answer(w, got.to, got.from, &got.q);
    } else if (w->proposing[got.to] && proposer_take(&w->p[got.to], &region, &got.v)) {
        ask(w, got.to);
    }
}

static void
restart(struct world *w, unsigned me)
{
    w->proposing[me] = false;
    w->seen[me] = 0;
    if (w->forgetful) {
        w->disk[me] = (struct voter){.version = 0};
        voter_begin(&w->disk[me], &region, NULL);
    }
}

static void
world_init(struct world *w, struct check_random *r)
{
    memset(w, 0, sizeof *w);
    w->r.state = check_next(r) | 1;
    w->n = 3 + below(w, 5);
    w->lose = below(w, 40);
    w->twice = below(w, 40);
    region = people_region(w->n, 4, list);
    memset(region.hash.b, 9, HASH_BYTES);
    for (unsigned i = 0; i < w->n; i++)
        assert_int_equal(voter_begin(&w->disk[i], &region, NULL), 0);
}

static void
storm(struct world *w, unsigned steps)
{
    for (unsigned i = 0; i < steps && !w->two; i++) {
        const unsigned what = below(w, 100), who = below(w, w->n);

        if (what < 3)
            propose(w, who);
        else if (what < 5)
            restart(w, who);
        else if (what < 15 && w->proposing[who])
            ask(w, who);
        else
            for (unsigned tries = 0; tries < 64; tries++) {
                struct message *m = &w->m[below(w, MESSAGES)];

                if (!m->used)
                    continue;
                if (below(w, 100) < w->twice) /* it stays and comes again, much later */
                    post(w, *m);
                deliver(w, m);
                break;
            }
    }
}

/* A majority is up, one proposes, nothing is lost: it is decided. */
static void
calm(struct world *w)
{
    const unsigned up = w->n / 2 + 1, first = below(w, w->n);

    memset(w->m, 0, sizeof w->m);
    for (unsigned tries = 0; tries < 64; tries++) {
        struct voter_ask q;

        propose(w, first);
        for (unsigned rounds = 0; rounds < 2 && proposer_ask(&w->p[first], &q) == 1; rounds++)
            for (unsigned i = 0; i < up; i++) {
                const unsigned to = (first + i) % w->n;
                struct voter v = w->disk[to];
                struct vote out;

                if (voter_answer(&v, &region, &people[to].id, &people[first].id, &q, &out, NULL) <
                    0) {
                    if (v.promised > w->seen[first])
                        w->seen[first] = v.promised;
                    continue;
                }
                w->disk[to] = v;
                if (out.phase == VOTE_ACCEPT)
                    judge(w, &out);
                proposer_take(&w->p[first], &region, &out);
            }
        if (w->p[first].state == PROPOSER_CHOSEN)
            break;
    }
    assert_int_equal(w->p[first].state, PROPOSER_CHOSEN);
    assert_true(w->decided);
    assert_true(hash_eq(&w->chosen, &w->p[first].value));
}

static struct world world;

static void
one_value_or_none(void **state)
{
    struct check_random r = check_seed("voter");
    unsigned decided = 0;
    (void)state;

    for (unsigned run = 0; run < 400; run++) {
        world_init(&world, &r);
        storm(&world, 1500);
        decided += world.decided;
        calm(&world);
        if (world.two)
            fail_msg("run %u of %u members: two values", run, world.n);
    }
    /* The storm itself decides often enough for the judge to have something to judge. */
    assert_true(decided > 100);
}

/* The judge sees it where a restart loses what was promised. */
static void
forgetting_elects_two(void **state)
{
    struct check_random r = {12345};
    unsigned two = 0;
    (void)state;

    for (unsigned run = 0; run < 200 && two == 0; run++) {
        world_init(&world, &r);
        world.forgetful = true;
        storm(&world, 1500);
        two += world.two;
    }
    assert_true(two > 0);
}

/* Accepts of one value by a majority in different ballots are not a choice: another value can
 * still win, so region_check_successor asks for one ballot. */
static void
one_ballot_it_must_be(void **state)
{
    struct voter v[3];
    struct vote out;
    struct voter_ask q;
    (void)state;

    region = people_region(3, 4, list);
    memset(region.hash.b, 9, HASH_BYTES);
    for (unsigned i = 0; i < 3; i++) {
        v[i] = (struct voter){.version = 0};
        assert_int_equal(voter_begin(&v[i], &region, NULL), 0);
    }
#define SAY(to, phase, round, place, value)                                                        \
    do {                                                                                           \
        q = question(phase, round, place, value);                                                  \
        assert_int_equal(                                                                          \
            voter_answer(&v[to], &region, &people[to].id, &people[place].id, &q, &out, NULL), 0);  \
    } while (0)
    SAY(0, VOTE_PROMISE, 1, 0, 0);
    SAY(1, VOTE_PROMISE, 1, 0, 0);
    SAY(0, VOTE_ACCEPT, 1, 0, 1); /* 0 accepts 1 in round 1 */
    SAY(1, VOTE_PROMISE, 2, 2, 0);
    SAY(2, VOTE_PROMISE, 2, 2, 0);
    SAY(2, VOTE_ACCEPT, 2, 2, 2); /* 2 accepts 2 in round 2 */
    SAY(0, VOTE_PROMISE, 3, 1, 0);
    SAY(1, VOTE_PROMISE, 3, 1, 0);
    SAY(1, VOTE_ACCEPT, 3, 1, 1); /* 1 accepts 1 in round 3: a majority, over two ballots */
    SAY(0, VOTE_PROMISE, 4, 2, 0);
    SAY(2, VOTE_PROMISE, 4, 2, 0);
    assert_int_equal(out.accepted, 2 * VOTE_VOTERS_MAX + 2); /* and 2 is the highest here */
    SAY(0, VOTE_ACCEPT, 4, 2, 2);
    SAY(2, VOTE_ACCEPT, 4, 2, 2); /* chosen: 2 */
#undef SAY
}

static int
start(void **state)
{
    if (people_make(state) < 0)
        return -1;
    region = people_region(5, 4, list);
    memset(region.hash.b, 9, HASH_BYTES);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_voter),
        cmocka_unit_test(other_votes),
        cmocka_unit_test(states_as_bytes),
        cmocka_unit_test(who_may_propose),
        cmocka_unit_test(one_value_or_none),
        cmocka_unit_test(forgetting_elects_two),
        cmocka_unit_test(one_ballot_it_must_be),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
