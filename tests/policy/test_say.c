/* Who may say what; which audience is narrower; where an edge goes. */
#include "world.h"

#include "publish.h"
#include "say.h"

#define OWN(org) ((uint32_t)(W_OWN0 + (org)))

struct fixture {
    struct world w;
    uint32_t self, b, bank, bport, partner; /* publishers; self's is named for RED */
};

static void
fixture_init(struct fixture *f)
{
    world_init(&f->w);
    f->self = world_person(&f->w, W_SELF, ROLE_PUBLISHER, true);
    f->b = world_person(&f->w, W_B, ROLE_PUBLISHER, true);
    f->bank = world_person(&f->w, W_BANK, ROLE_PUBLISHER, true);
    f->bport = world_person(&f->w, W_BPORT, ROLE_PUBLISHER, true);
    f->partner = world_person(&f->w, W_PARTNER, ROLE_PUBLISHER, true);
}

/* One earlier publication: bytes and modified are small numbers. */
struct before {
    uint8_t bytes; /* 0: none */
    int modified;
    enum tlp label;
    uint32_t group;
    uint32_t publisher;
};

static struct hash
hash_of(uint8_t n)
{
    struct hash h = {{n}};

    return h;
}

static struct audience
place(enum tlp label, uint32_t group, uint32_t person)
{
    return label == TLP_RED ? aud_red(person) : aud(label, group);
}

#define PUBLIC     GROUP_PUBLIC
#define REGION     GROUP_REGION
#define BOUND(org) (org)
#define UNBOUND    0
#define SCO        true

static void
test_table(void **state)
{
    enum poster { SELF, B, BANK, LOCAL };
    static const struct {
        enum poster poster;
        uint32_t creator;
        bool observable;
        uint8_t bytes;
        int modified;
        enum tlp label;
        uint32_t group;
        struct before before[3];
        enum say_outcome outcome;
        enum say_rule rule;
    } cases[] = {
        /* the first of its id */
        {SELF, UNBOUND, false, 1, 1, TLP_GREEN, REGION, {{0}}, SAY_NEW, SAY_RULE_NEW},
        {SELF, BOUND(W_SELF), false, 1, 1, TLP_GREEN, REGION, {{0}}, SAY_NEW, SAY_RULE_CREATOR},
        {LOCAL, BOUND(W_SELF), false, 1, 1, TLP_GREEN, REGION, {{0}}, SAY_NEW, SAY_RULE_CREATOR},
        {SELF, UNBOUND, SCO, 1, 0, TLP_CLEAR, PUBLIC, {{0}}, SAY_NEW, SAY_RULE_NEW},
        /* known: the same bytes, audience and publisher */
        {SELF,
         BOUND(W_SELF),
         false,
         1,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_SELF}},
         SAY_KNOWN,
         SAY_RULE_KNOWN},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_SELF}},
         SAY_KNOWN,
         SAY_RULE_KNOWN},
        {SELF,
         UNBOUND,
         SCO,
         1,
         0,
         TLP_CLEAR,
         PUBLIC,
         {{2, 0, TLP_CLEAR, PUBLIC, W_SELF}, {1, 0, TLP_CLEAR, PUBLIC, W_SELF}},
         SAY_KNOWN,
         SAY_RULE_KNOWN},
        {SELF,
         UNBOUND,
         false,
         1,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_SELF}, {2, 2, TLP_AMBER, REGION, W_SELF}},
         SAY_KNOWN,
         SAY_RULE_KNOWN},
        /* versions and variants of one's own, and of what nobody owns */
        {SELF,
         BOUND(W_SELF),
         false,
         2,
         2,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_SELF}},
         SAY_NEW_VERSION,
         SAY_RULE_CREATOR},
        {SELF,
         UNBOUND,
         false,
         2,
         2,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_NEW_VERSION,
         SAY_RULE_UNBOUND},
        {SELF,
         UNBOUND,
         false,
         2,
         1,
         TLP_GREEN,
         REGION,
         {{1, 2, TLP_GREEN, REGION, W_B}},
         SAY_NEW_VERSION,
         SAY_RULE_UNBOUND},
        {SELF,
         BOUND(W_SELF),
         false,
         2,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_SELF}},
         SAY_VARIANT,
         SAY_RULE_CREATOR},
        {SELF,
         UNBOUND,
         false,
         3,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_SELF}, {2, 2, TLP_GREEN, REGION, W_SELF}},
         SAY_VARIANT,
         SAY_RULE_UNBOUND},
        {SELF,
         UNBOUND,
         SCO,
         2,
         0,
         TLP_GREEN,
         REGION,
         {{1, 0, TLP_GREEN, REGION, W_SELF}},
         SAY_VARIANT,
         SAY_RULE_UNBOUND},
        /* the same bytes for a further audience */
        {SELF,
         BOUND(W_SELF),
         false,
         1,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, OWN(W_SELF), W_SELF}},
         SAY_COPY,
         SAY_RULE_CREATOR},
        {SELF,
         UNBOUND,
         false,
         1,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_COPY,
         SAY_RULE_UNBOUND},
        {SELF,
         UNBOUND,
         false,
         1,
         1,
         TLP_AMBER,
         W_BANKING,
         {{1, 1, TLP_GREEN, REGION, W_SELF}},
         SAY_COPY,
         SAY_RULE_UNBOUND},
        /* relaxed: only over the local socket */
        {SELF,
         BOUND(W_SELF),
         false,
         2,
         2,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_AMBER, OWN(W_SELF), W_SELF}},
         SAY_WAITING,
         SAY_RULE_RELAXED},
        {LOCAL,
         BOUND(W_SELF),
         false,
         2,
         2,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_AMBER, OWN(W_SELF), W_SELF}},
         SAY_NEW_VERSION,
         SAY_RULE_CREATOR},
        {SELF,
         BOUND(W_SELF),
         false,
         1,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_AMBER, OWN(W_SELF), W_SELF}},
         SAY_WAITING,
         SAY_RULE_RELAXED},
        {LOCAL,
         BOUND(W_SELF),
         false,
         1,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_AMBER, OWN(W_SELF), W_SELF}},
         SAY_COPY,
         SAY_RULE_CREATOR},
        {SELF,
         UNBOUND,
         false,
         2,
         2,
         TLP_CLEAR,
         PUBLIC,
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_WAITING,
         SAY_RULE_RELAXED},
        {SELF,
         UNBOUND,
         false,
         2,
         1,
         TLP_CLEAR,
         PUBLIC,
         {{1, 1, TLP_GREEN, REGION, W_SELF}},
         SAY_WAITING,
         SAY_RULE_RELAXED},
        {SELF,
         BOUND(W_SELF),
         false,
         2,
         2,
         TLP_AMBER,
         W_BANKING,
         {{1, 1, TLP_RED, 0, W_SELF}},
         SAY_WAITING,
         SAY_RULE_RELAXED},
        {SELF,
         BOUND(W_SELF),
         false,
         2,
         2,
         TLP_AMBER,
         REGION, /* wider, and no laxer */
         {{1, 1, TLP_AMBER, OWN(W_SELF), W_SELF}},
         SAY_NEW_VERSION,
         SAY_RULE_CREATOR},
        /* ... than the newest, and there than the laxest */
        {SELF,
         BOUND(W_SELF),
         false,
         3,
         3,
         TLP_CLEAR,
         PUBLIC,
         {{1, 1, TLP_CLEAR, PUBLIC, W_SELF}, {2, 2, TLP_AMBER, REGION, W_SELF}},
         SAY_WAITING,
         SAY_RULE_RELAXED},
        {SELF,
         BOUND(W_SELF),
         false,
         3,
         3,
         TLP_CLEAR,
         PUBLIC,
         {{2, 2, TLP_CLEAR, PUBLIC, W_SELF}, {1, 1, TLP_AMBER, REGION, W_SELF}},
         SAY_NEW_VERSION,
         SAY_RULE_CREATOR},
        {SELF,
         BOUND(W_SELF),
         false,
         3,
         3,
         TLP_GREEN,
         REGION,
         {{2, 2, TLP_AMBER, REGION, W_SELF}, {2, 2, TLP_GREEN, REGION, W_SELF}},
         SAY_NEW_VERSION,
         SAY_RULE_CREATOR},
        {SELF,
         BOUND(W_SELF),
         false,
         3,
         3,
         TLP_GREEN,
         REGION,
         {{2, 2, TLP_GREEN, REGION, W_SELF}, {2, 2, TLP_AMBER, REGION, W_SELF}},
         SAY_NEW_VERSION,
         SAY_RULE_CREATOR},
        /* an SCO has no versions: other content is nothing relaxed, the same is */
        {SELF,
         UNBOUND,
         SCO,
         2,
         0,
         TLP_CLEAR,
         PUBLIC,
         {{1, 0, TLP_AMBER, REGION, W_SELF}},
         SAY_VARIANT,
         SAY_RULE_UNBOUND},
        {SELF,
         UNBOUND,
         SCO,
         1,
         0,
         TLP_CLEAR,
         PUBLIC,
         {{1, 0, TLP_AMBER, REGION, W_SELF}},
         SAY_WAITING,
         SAY_RULE_RELAXED},
        {SELF,
         UNBOUND,
         SCO,
         1,
         0,
         TLP_GREEN,
         REGION,
         {{1, 0, TLP_AMBER, REGION, W_SELF}, {1, 0, TLP_CLEAR, PUBLIC, W_B}},
         SAY_COPY,
         SAY_RULE_UNBOUND},
        /* somebody else's: copies where they came from, or narrower */
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_COPY,
         SAY_RULE_NARROWER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         OWN(W_SELF),
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_COPY,
         SAY_RULE_NARROWER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_GREEN,
         OWN(W_BANK),
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_COPY,
         SAY_RULE_NARROWER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_CLEAR,
         PUBLIC,
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         REGION,
         {{1, 1, TLP_AMBER, W_BANKING, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_GREEN,
         W_BANKING,
         {{1, 1, TLP_AMBER, W_BANKING, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_GREEN,
         W_BANKING, /* the partner is not of the region */
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_CLEAR,
         OWN(W_SELF),
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {LOCAL,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         REGION,
         {{1, 1, TLP_AMBER, W_BANKING, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         REGION, /* one of several sources is enough */
         {{1, 1, TLP_AMBER, W_BANKING, W_B}, {1, 1, TLP_AMBER, REGION, W_B}},
         SAY_COPY,
         SAY_RULE_NARROWER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         REGION, /* but of these bytes */
         {{1, 1, TLP_AMBER, W_BANKING, W_B}, {2, 2, TLP_AMBER, REGION, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        /* a member's AMBER release to its constituent, one step */
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         OWN(W_POWER),
         {{1, 1, TLP_AMBER, W_BANKING, W_B}},
         SAY_COPY,
         SAY_RULE_RELEASE},
        {LOCAL,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER_STRICT,
         OWN(W_POWER),
         {{1, 1, TLP_AMBER, W_BANKING, W_B}},
         SAY_COPY,
         SAY_RULE_RELEASE},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         OWN(W_POWER),
         {{1, 1, TLP_AMBER_STRICT, W_BANKING, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_GREEN,
         OWN(W_POWER),
         {{1, 1, TLP_AMBER, W_BANKING, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {SELF,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         OWN(W_BPORT), /* another's constituent */
         {{1, 1, TLP_AMBER, W_BANKING, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {BANK,
         BOUND(W_B),
         false,
         1,
         1,
         TLP_AMBER,
         OWN(W_POWER), /* no second step */
         {{1, 1, TLP_AMBER, W_BANKING, W_B}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        {BANK,
         BOUND(W_SELF),
         false,
         1,
         1,
         TLP_AMBER,
         OWN(W_SELF),
         {{1, 1, TLP_AMBER, OWN(W_BANK), W_SELF}},
         SAY_REFUSED,
         SAY_RULE_WIDER},
        /* proposals: other bytes, or bytes that are not seen */
        {SELF,
         BOUND(W_B),
         false,
         2,
         2,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_PROPOSAL,
         SAY_RULE_PROPOSAL},
        {SELF,
         BOUND(W_B),
         false,
         2,
         1,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_PROPOSAL,
         SAY_RULE_PROPOSAL},
        {SELF,
         BOUND(W_B),
         false,
         2,
         2,
         TLP_CLEAR,
         PUBLIC,
         {{1, 1, TLP_GREEN, REGION, W_B}},
         SAY_PROPOSAL,
         SAY_RULE_PROPOSAL},
        {SELF, BOUND(W_B), false, 1, 1, TLP_GREEN, REGION, {{0}}, SAY_PROPOSAL, SAY_RULE_PROPOSAL},
        {LOCAL, BOUND(W_B), false, 1, 1, TLP_GREEN, REGION, {{0}}, SAY_PROPOSAL, SAY_RULE_PROPOSAL},
        /* a guest on this node does not speak for its member */
        {BANK,
         BOUND(W_SELF),
         false,
         2,
         2,
         TLP_AMBER,
         OWN(W_BANK),
         {{1, 1, TLP_AMBER, OWN(W_BANK), W_SELF}},
         SAY_PROPOSAL,
         SAY_RULE_PROPOSAL},
        {BANK,
         BOUND(W_BANK),
         false,
         2,
         2,
         TLP_AMBER,
         OWN(W_BANK),
         {{1, 1, TLP_AMBER, OWN(W_BANK), W_SELF}},
         SAY_NEW_VERSION,
         SAY_RULE_CREATOR},
        {B,
         BOUND(W_B),
         false,
         2,
         2,
         TLP_GREEN,
         REGION,
         {{1, 1, TLP_GREEN, REGION, W_SELF}},
         SAY_NEW_VERSION,
         SAY_RULE_CREATOR},
    };
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint32_t posters[] = {f.self, f.b, f.bank, PRINCIPAL_OPERATOR};
        struct said seen[3];
        struct say_ask ask = {
            .rights = &f.w.r,
            .poster = asks(posters[cases[i].poster],
                           cases[i].poster == LOCAL ? CHANNEL_LOCAL : CHANNEL_TOKEN),
            .publisher = W_SELF,
            .creator = cases[i].creator,
            .observable = cases[i].observable,
            .hash = hash_of(cases[i].bytes),
            .modified = {cases[i].modified, 0},
            .target = place(cases[i].label, cases[i].group, f.self),
            .seen = seen,
        };
        struct say first;

        for (size_t b = 0; b < 3 && cases[i].before[b].bytes != 0; b++) {
            const struct before *x = &cases[i].before[b];

            seen[ask.seen_count++] = (struct said){place(x->label, x->group, f.self),
                                                   x->publisher,
                                                   hash_of(x->bytes),
                                                   {x->modified, 0}};
        }
        first = say_decide(&ask);
        if (first.outcome != cases[i].outcome || first.rule != cases[i].rule) {
            fail_msg("case %zu: outcome %d, %s", i, (int)first.outcome, say_rule_text(first.rule));
        }
        /* the order of what is seen changes nothing */
        for (size_t b = 0; b + 1 < ask.seen_count; b++) {
            struct said t = seen[b];
            struct say again;

            seen[b] = seen[b + 1];
            seen[b + 1] = t;
            again = say_decide(&ask);
            assert_int_equal(again.outcome, first.outcome);
            assert_int_equal(again.rule, first.rule);
        }
    }
    for (int r = SAY_RULE_NEW; r <= SAY_RULE_WIDER; r++) {
        assert_true(strlen(say_rule_text((enum say_rule)r)) > 10);
    }
    world_clear(&f.w);
}

/* Everybody in every organisation, with the highest rights, so that readers stand for audiences. */
static size_t
crowd(struct fixture *f, uint32_t out[64])
{
    size_t n = 0;

    for (uint32_t org = 1; org <= W_ORGS; org++) {
        out[n++] = world_person(&f->w, org, ROLE_READER, true);
        out[n++] = world_person(&f->w, org, ROLE_READER, false);
    }
    out[n++] = f->self;
    out[n++] = f->bank;
    return n;
}

static bool
all_of_a_read_b(const struct world *w, const uint32_t *people, size_t n, const struct audience *a,
                const struct audience *b)
{
    for (size_t i = 0; i < n; i++) {
        struct asker who = asks(people[i], CHANNEL_SESSION);

        who.exercise = a->exercise;
        if (may_read(&w->r, &who, a).yes && !may_read(&w->r, &who, b).yes) {
            return false;
        }
    }
    return true;
}

static bool
has_readers(const struct world *w, const uint32_t *people, size_t n, const struct audience *a)
{
    for (size_t i = 0; i < n; i++) {
        struct asker who = asks(people[i], CHANNEL_SESSION);

        who.exercise = a->exercise;
        if (may_read(&w->r, &who, a).yes) {
            return true;
        }
    }
    return false;
}

/* audience_narrower is what may_read says of everybody: for all pairs of audiences. */
static void
test_narrower(void **state)
{
    struct fixture f;
    struct audience as[W_AUDIENCES_MAX];
    uint32_t people[64];
    uint32_t named[2];
    size_t n, m;
    size_t yes = 0;

    (void)state;
    fixture_init(&f);
    m = crowd(&f, people);
    named[0] = f.self;
    named[1] = f.bank;
    n = world_audiences(&f.w, named, 2, as);
    for (size_t i = 0; i < n; i++) {
        assert_true(audience_narrower(&f.w.r, &as[i], &as[i]));
        if (!has_readers(&f.w, people, m, &as[i])) {
            continue; /* nothing stricter than CLEAR is for the public */
        }
        for (size_t j = 0; j < n; j++) {
            bool narrower = audience_narrower(&f.w.r, &as[i], &as[j]);
            bool expect = as[i].exercise == as[j].exercise && as[i].label >= as[j].label &&
                          all_of_a_read_b(&f.w, people, m, &as[i], &as[j]);

            if (as[i].label == TLP_CLEAR && as[i].group == GROUP_PUBLIC) {
                /* its readers are also those whom this crowd does not know */
                expect = expect && as[j].group == GROUP_PUBLIC;
            }
            if (narrower != expect) {
                fail_msg("%s %u/%u p%u narrower than %s %u/%u p%u: %d", tlp_name(as[i].label),
                         as[i].group, as[i].generation, as[i].person, tlp_name(as[j].label),
                         as[j].group, as[j].generation, as[j].person, narrower);
            }
            yes += narrower;
            for (size_t k = 0; narrower && k < n; k += 7) { /* and it is transitive */
                assert_true(!audience_narrower(&f.w.r, &as[j], &as[k]) ||
                            audience_narrower(&f.w.r, &as[i], &as[k]));
            }
        }
    }
    assert_true(yes > n);
    world_clear(&f.w);
}

static void
test_edge_table(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    {
        const struct audience clear = aud(TLP_CLEAR, GROUP_PUBLIC);
        const struct audience green = aud(TLP_GREEN, GROUP_REGION);
        const struct audience banking = aud(TLP_AMBER, W_BANKING);
        const struct audience old = aud_old_banking(TLP_AMBER);
        const struct audience own = aud(TLP_AMBER, OWN(W_SELF));
        const struct audience own_strict = aud(TLP_AMBER_STRICT, OWN(W_SELF));
        const struct audience strict = aud(TLP_AMBER_STRICT, W_BANKING);
        const struct audience power = aud(TLP_AMBER, OWN(W_POWER));
        const struct audience red = aud_red(f.self);
        const struct audience red_b = aud_red(f.b);
        const struct {
            struct audience target, end1, end2;
            bool fits;
            struct audience to;
        } cases[] = {
            {clear, clear, clear, true, clear},
            {green, clear, clear, true, green},
            {clear, green, clear, true, green},
            {clear, green, banking, true, own}, /* the group is no part of the region */
            {clear, clear, banking, true, banking},
            {banking, banking, clear, true, banking},
            {green, own, clear, true, own},
            {clear, strict, banking, true, strict},
            {clear, strict, green, true, own_strict},
            {clear, red, clear, true, red},
            {clear, red, banking, true, red},
            {red, clear, red, true, red},
            {clear, red, red_b, false, clear},
            {own, power, own, false, clear},    /* nobody is in both */
            {green, power, clear, true, power}, /* where poster and end meet */
            {clear, old, clear, true, own},     /* that generation takes nothing any more */
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct asker poster = asks(f.self, CHANNEL_SESSION);
            struct edge_end ends[2] = {{&cases[i].end1, 1}, {&cases[i].end2, 1}};
            struct audience out;
            bool fits = edge_narrow(&f.w.r, &poster, &cases[i].target, ends, 2, &out);

            if (fits != cases[i].fits || (fits && !audience_same(&out, &cases[i].to))) {
                fail_msg("case %zu: %d %s group %u person %u", i, fits, tlp_name(out.label),
                         out.group, out.person);
            }
            /* an end that is not seen narrows nothing */
            ends[0].seen_count = ends[1].seen_count = 0;
            assert_true(edge_narrow(&f.w.r, &poster, &cases[i].target, ends, 2, &out));
            assert_true(audience_same(&out, &cases[i].target));
        }
    }
    world_clear(&f.w);
}

/* Whatever comes out, each of its readers reads the target and both ends. */
static void
test_edge_random(void **state)
{
    struct check_random rnd = check_seed("edges");
    struct fixture f;
    struct audience as[W_AUDIENCES_MAX];
    uint32_t people[64];
    uint32_t named[2];
    size_t n, m;
    size_t moved = 0, stayed = 0, refused = 0;

    (void)state;
    fixture_init(&f);
    m = crowd(&f, people);
    named[0] = f.self;
    named[1] = f.bank;
    n = world_audiences(&f.w, named, 2, as) / 2; /* the live half */
    for (int round = 0; round < 20000; round++) {
        struct asker poster = asks(round % 2 ? f.self : f.bank, CHANNEL_SESSION);
        struct audience seen[2][3];
        struct edge_end ends[2];
        struct audience target = as[check_next(&rnd) % n];
        struct audience out;

        for (int e = 0; e < 2; e++) {
            ends[e] = (struct edge_end){seen[e], 1 + check_next(&rnd) % 3};
            for (size_t i = 0; i < ends[e].seen_count; i++) {
                seen[e][i] = as[check_next(&rnd) % n];
            }
        }
        if (!edge_narrow(&f.w.r, &poster, &target, ends, 2, &out)) {
            refused++;
            continue;
        }
        moved += !audience_same(&out, &target);
        stayed += audience_same(&out, &target);
        assert_true(out.label >= target.label);
        assert_true(all_of_a_read_b(&f.w, people, m, &out, &target));
        if (!audience_same(&out, &target)) {
            assert_int_equal(publish_may(&f.w.r, &poster, &out), PUBLISH_YES);
        }
        for (size_t p = 0; p < m; p++) {
            struct asker who = asks(people[p], CHANNEL_SESSION);

            for (int e = 0; e < 2 && may_read(&f.w.r, &who, &out).yes; e++) {
                bool reads = false;

                for (size_t i = 0; i < ends[e].seen_count; i++) {
                    reads = reads || may_read(&f.w.r, &who, &seen[e][i]).yes;
                }
                assert_true(reads);
            }
        }
    }
    assert_true(moved > 100 && stayed > 100 && refused > 100);
    world_clear(&f.w);
}

static void
test_erase(void **state)
{
    struct fixture f;
    uint32_t reader;
    struct asker self, b, op, weak;

    (void)state;
    fixture_init(&f);
    reader = world_person(&f.w, W_SELF, ROLE_READER, true);
    self = asks(f.self, CHANNEL_TOKEN);
    b = asks(f.b, CHANNEL_TOKEN);
    op = asks(PRINCIPAL_OPERATOR, CHANNEL_LOCAL);
    weak = asks(reader, CHANNEL_TOKEN);
    assert_true(say_may_erase(&f.w.r, &self, 0, W_SELF));
    assert_true(say_may_erase(&f.w.r, &op, 0, W_SELF));
    assert_true(say_may_erase(&f.w.r, &self, W_B, W_SELF)); /* its own copy */
    assert_true(say_may_erase(&f.w.r, &b, W_B, W_SELF));    /* a copy of what is its own */
    assert_false(say_may_erase(&f.w.r, &self, W_B, W_B));
    assert_false(say_may_erase(&f.w.r, &b, 0, W_SELF));
    assert_false(say_may_erase(&f.w.r, &b, W_SELF, W_SELF));
    assert_false(say_may_erase(&f.w.r, &self, 0, 0));
    assert_false(say_may_erase(&f.w.r, &weak, 0, W_SELF));
    weak.principal = 9999;
    assert_false(say_may_erase(&f.w.r, &weak, 0, 0));
    world_clear(&f.w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),      cmocka_unit_test(test_narrower),
        cmocka_unit_test(test_edge_table), cmocka_unit_test(test_edge_random),
        cmocka_unit_test(test_erase),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
