/* To which audience what is posted goes, and who may post there. */
#include "world.h"

#include "publish.h"

/* Posters, by what they are. */
enum who {
    READER,
    ANALYST,
    PUBLISHER,
    ADMIN,
    B_PUBLISHER,
    BANK_ANALYST,
    BANK_PUBLISHER,
    PARTNER_PUBLISHER,
    OUT_PUBLISHER,
    LOW, /* a publisher who may see GREEN at most */
    T_WRITE,
    T_READ,
    T_BANKING, /* limited to that group */
    T_QUARANTINE,
    LIVE_ONLY, /* takes part in no exercise */
    PEER,
    WHO_COUNT
};

struct fixture {
    struct world w;
    uint32_t n[WHO_COUNT];
};

static uint32_t
token(struct world *w, struct right_principal p)
{
    p.kind = PRINCIPAL_TOKEN;
    p.org = W_SELF;
    p.roles = ROLE_PUBLISHER;
    p.ceiling = p.ceiling == TLP_CLEAR ? TLP_RED : p.ceiling;
    p.exercise = true;
    return world_add(w, p);
}

static void
fixture_init(struct fixture *f)
{
    struct world *w = &f->w;
    struct err e = ERR_INIT;

    world_init(w);
    f->n[READER] = world_person(w, W_SELF, ROLE_READER, true);
    f->n[ANALYST] = world_person(w, W_SELF, ROLE_ANALYST, true);
    f->n[PUBLISHER] = world_person(w, W_SELF, ROLE_PUBLISHER, true);
    f->n[ADMIN] = world_person(w, W_SELF, ROLE_ADMIN, true);
    f->n[B_PUBLISHER] = world_person(w, W_B, ROLE_PUBLISHER, true);
    f->n[BANK_ANALYST] = world_person(w, W_BANK, ROLE_ANALYST, true);
    f->n[BANK_PUBLISHER] = world_person(w, W_BANK, ROLE_PUBLISHER, true);
    f->n[PARTNER_PUBLISHER] = world_person(w, W_PARTNER, ROLE_PUBLISHER, true);
    f->n[OUT_PUBLISHER] = world_person(w, W_OUT, ROLE_PUBLISHER, true);
    f->n[LOW] = world_person(w, W_SELF, ROLE_PUBLISHER, true);
    w->people[f->n[LOW] - 1].ceiling = TLP_GREEN;
    f->n[T_WRITE] = token(w, (struct right_principal){.scope = SCOPE_WRITE});
    f->n[T_READ] = token(w, (struct right_principal){.scope = SCOPE_READ});
    f->n[T_BANKING] =
        token(w, (struct right_principal){.scope = SCOPE_WRITE, .only_group = W_BANKING});
    f->n[T_QUARANTINE] =
        token(w, (struct right_principal){.scope = SCOPE_WRITE, .quarantine = true});
    f->n[LIVE_ONLY] = world_person(w, W_SELF, ROLE_PUBLISHER, true);
    w->people[f->n[LIVE_ONLY] - 1].exercise = false;
    f->n[PEER] = world_add(
        w, (struct right_principal){
               .kind = PRINCIPAL_PEER, .org = W_B, .roles = ROLE_PUBLISHER, .ceiling = TLP_RED});
    assert_int_equal(rights_check(&w->r, &e), 0);
}

#define OWN(org) ((uint32_t)(W_OWN0 + (org)))
#define NONE     (-1) /* no label */

static void
test_targets(void **state)
{
    static const struct {
        enum who who;
        enum channel channel;
        int bytes; /* label of the bytes, or NONE */
        int asked; /* label asked, or NONE */
        uint32_t group;
        enum publish_rule rule;
        enum tlp label; /* where published */
        uint32_t to, to2;
    } cases[] = {
        /* the defaults of the table */
        {PUBLISHER, CHANNEL_SESSION, TLP_CLEAR, NONE, 0, PUBLISH_YES, TLP_CLEAR, GROUP_PUBLIC, 0},
        {PUBLISHER, CHANNEL_SESSION, TLP_GREEN, NONE, 0, PUBLISH_YES, TLP_GREEN, GROUP_REGION, 0},
        {PUBLISHER, CHANNEL_SESSION, TLP_AMBER, NONE, 0, PUBLISH_YES, TLP_AMBER, OWN(W_SELF), 0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER_STRICT, NONE, 0, PUBLISH_YES, TLP_AMBER_STRICT,
         OWN(W_SELF), 0},
        {PUBLISHER, CHANNEL_TOKEN, NONE, NONE, 0, PUBLISH_YES, TLP_AMBER_STRICT, OWN(W_SELF), 0},
        {B_PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, 0, PUBLISH_YES, TLP_AMBER, OWN(W_B), 0},
        /* asked: the stricter counts, and a default never relaxes */
        {PUBLISHER, CHANNEL_TOKEN, TLP_CLEAR, TLP_GREEN, 0, PUBLISH_YES, TLP_GREEN, GROUP_REGION,
         0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, TLP_CLEAR, 0, PUBLISH_YES, TLP_AMBER, OWN(W_SELF), 0},
        {PUBLISHER, CHANNEL_TOKEN, NONE, TLP_CLEAR, 0, PUBLISH_YES, TLP_AMBER_STRICT, OWN(W_SELF),
         0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, TLP_CLEAR, W_BANKING, PUBLISH_YES, TLP_AMBER,
         W_BANKING, 0},
        {PUBLISHER, CHANNEL_TOKEN, NONE, NONE, GROUP_PUBLIC, PUBLISH_NO_PUBLIC, 0, 0, 0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_GREEN, NONE, GROUP_PUBLIC, PUBLISH_NO_PUBLIC, 0, 0, 0},
        /* a group's collection fixes the group */
        {PUBLISHER, CHANNEL_TOKEN, TLP_CLEAR, NONE, W_BANKING, PUBLISH_YES, TLP_CLEAR, W_BANKING,
         0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_CLEAR, NONE, OWN(W_SELF), PUBLISH_YES, TLP_CLEAR,
         OWN(W_SELF), 0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER_STRICT, NONE, GROUP_REGION, PUBLISH_YES,
         TLP_AMBER_STRICT, GROUP_REGION, 0},
        {PARTNER_PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, W_BANKING, PUBLISH_YES, TLP_AMBER,
         W_BANKING, 0},
        {PARTNER_PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, 0, PUBLISH_YES, TLP_AMBER,
         OWN(W_PARTNER), 0},
        {PARTNER_PUBLISHER, CHANNEL_TOKEN, TLP_GREEN, NONE, 0, PUBLISH_NO_GROUP, 0, 0, 0},
        {OUT_PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, W_BANKING, PUBLISH_NO_GROUP, 0, 0, 0},
        {OUT_PUBLISHER, CHANNEL_TOKEN, TLP_CLEAR, NONE, 0, PUBLISH_YES, TLP_CLEAR, GROUP_PUBLIC, 0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, 999, PUBLISH_NO_GROUP, 0, 0, 0},
        /* others' own groups: a member's release to its constituent, a constituent's report */
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, OWN(W_BANK), PUBLISH_YES, TLP_AMBER,
         OWN(W_BANK), 0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, OWN(W_BPORT), PUBLISH_NO_GROUP, 0, 0, 0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, OWN(W_B), PUBLISH_NO_GROUP, 0, 0, 0},
        {PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, OWN(W_PARTNER), PUBLISH_NO_GROUP, 0, 0, 0},
        {BANK_PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, OWN(W_SELF), PUBLISH_YES, TLP_AMBER,
         OWN(W_SELF), 0},
        {BANK_PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, OWN(W_POWER), PUBLISH_NO_GROUP, 0, 0, 0},
        /* what a constituent posts, its member gets too */
        {BANK_PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, 0, PUBLISH_YES, TLP_AMBER, OWN(W_BANK),
         OWN(W_SELF)},
        {BANK_ANALYST, CHANNEL_TOKEN, NONE, NONE, 0, PUBLISH_YES, TLP_AMBER_STRICT, OWN(W_BANK),
         OWN(W_SELF)},
        {BANK_PUBLISHER, CHANNEL_TOKEN, TLP_GREEN, NONE, 0, PUBLISH_YES, TLP_GREEN, GROUP_REGION,
         OWN(W_SELF)},
        {BANK_PUBLISHER, CHANNEL_TOKEN, TLP_AMBER, NONE, W_BANKING, PUBLISH_YES, TLP_AMBER,
         W_BANKING, OWN(W_SELF)},
        /* roles */
        {READER, CHANNEL_SESSION, TLP_CLEAR, NONE, 0, PUBLISH_NO_ROLE, 0, 0, 0},
        {ADMIN, CHANNEL_SESSION, TLP_CLEAR, NONE, 0, PUBLISH_NO_ROLE, 0, 0, 0},
        {ANALYST, CHANNEL_SESSION, TLP_CLEAR, NONE, 0, PUBLISH_YES, TLP_CLEAR, OWN(W_SELF), 0},
        {ANALYST, CHANNEL_SESSION, TLP_GREEN, NONE, 0, PUBLISH_YES, TLP_GREEN, OWN(W_SELF), 0},
        {ANALYST, CHANNEL_SESSION, TLP_AMBER, NONE, OWN(W_SELF), PUBLISH_YES, TLP_AMBER,
         OWN(W_SELF), 0},
        {ANALYST, CHANNEL_SESSION, TLP_CLEAR, NONE, GROUP_PUBLIC, PUBLISH_NO_ANALYST, 0, 0, 0},
        {ANALYST, CHANNEL_SESSION, TLP_GREEN, NONE, GROUP_REGION, PUBLISH_NO_ANALYST, 0, 0, 0},
        {ANALYST, CHANNEL_SESSION, TLP_AMBER, NONE, W_BANKING, PUBLISH_NO_ANALYST, 0, 0, 0},
        {ANALYST, CHANNEL_SESSION, TLP_AMBER, NONE, OWN(W_BANK), PUBLISH_NO_ANALYST, 0, 0, 0},
        {BANK_ANALYST, CHANNEL_SESSION, TLP_AMBER, NONE, OWN(W_SELF), PUBLISH_NO_ANALYST, 0, 0, 0},
        /* tokens, channels, ceilings */
        {T_WRITE, CHANNEL_TOKEN, TLP_GREEN, NONE, 0, PUBLISH_YES, TLP_GREEN, GROUP_REGION, 0},
        {T_READ, CHANNEL_TOKEN, TLP_GREEN, NONE, 0, PUBLISH_NO_SCOPE, 0, 0, 0},
        {T_WRITE, CHANNEL_SESSION, TLP_GREEN, NONE, 0, PUBLISH_NO_CHANNEL, 0, 0, 0},
        {T_WRITE, CHANNEL_LOCAL, TLP_GREEN, NONE, 0, PUBLISH_NO_CHANNEL, 0, 0, 0},
        {PUBLISHER, CHANNEL_LOCAL, TLP_GREEN, NONE, 0, PUBLISH_NO_CHANNEL, 0, 0, 0},
        {PUBLISHER, CHANNEL_FEED, TLP_GREEN, NONE, 0, PUBLISH_NO_CHANNEL, 0, 0, 0},
        {PUBLISHER, CHANNEL_MAIL, TLP_GREEN, NONE, 0, PUBLISH_NO_CHANNEL, 0, 0, 0},
        {PUBLISHER, CHANNEL_EXPORT, TLP_GREEN, NONE, 0, PUBLISH_NO_CHANNEL, 0, 0, 0},
        {PEER, CHANNEL_PEER, TLP_GREEN, NONE, 0, PUBLISH_NO_CHANNEL, 0, 0, 0},
        {T_BANKING, CHANNEL_TOKEN, TLP_AMBER, NONE, W_BANKING, PUBLISH_YES, TLP_AMBER, W_BANKING,
         0},
        {T_BANKING, CHANNEL_TOKEN, TLP_AMBER, NONE, 0, PUBLISH_NO_GROUP, 0, 0, 0},
        {T_BANKING, CHANNEL_TOKEN, TLP_CLEAR, NONE, 0, PUBLISH_NO_GROUP, 0, 0, 0},
        {LOW, CHANNEL_TOKEN, TLP_GREEN, NONE, 0, PUBLISH_YES, TLP_GREEN, GROUP_REGION, 0},
        {LOW, CHANNEL_TOKEN, TLP_AMBER, NONE, 0, PUBLISH_NO_CEILING, 0, 0, 0},
        {LOW, CHANNEL_TOKEN, NONE, NONE, 0, PUBLISH_NO_CEILING, 0, 0, 0},
        {T_QUARANTINE, CHANNEL_TOKEN, TLP_GREEN, NONE, 0, PUBLISH_WAIT_QUARANTINE, TLP_GREEN,
         GROUP_REGION, 0},
    };
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct publish_ask ask = {.poster = asks(f.n[cases[i].who], cases[i].channel),
                                  .asked = cases[i].asked != NONE,
                                  .group = cases[i].group,
                                  .way_default = PUBLISH_WAY_DEFAULT};
        struct label l = {.has = cases[i].bytes != NONE};
        struct publish p;
        size_t count = cases[i].to == 0 ? 0 : cases[i].to2 == 0 ? 1 : 2;

        ask.asked_tlp = cases[i].asked != NONE ? (enum tlp)cases[i].asked : TLP_CLEAR;
        l.tlp = cases[i].bytes != NONE ? (enum tlp)cases[i].bytes : TLP_CLEAR;
        publish_decide(&f.w.r, &ask, &l, &p);
        if (p.rule != cases[i].rule || p.count != count) {
            fail_msg("case %zu: %s (%zu)", i, publish_rule_text(p.rule), p.count);
        }
        for (size_t t = 0; t < p.count; t++) {
            struct audience want = aud(cases[i].label, t == 0 ? cases[i].to : cases[i].to2);

            if (!audience_same(&p.targets[t], &want)) {
                fail_msg("case %zu: %s to group %u", i, tlp_name(p.targets[t].label),
                         p.targets[t].group);
            }
        }
        /* the listener lets nothing stricter through */
        if (p.count > 0 && cases[i].label > TLP_CLEAR) {
            ask.poster.listener.ceiling = (enum tlp)(cases[i].label - 1);
            publish_decide(&f.w.r, &ask, &l, &p);
            assert_int_equal(p.rule, PUBLISH_NO_LISTENER);
            assert_int_equal(p.count, 0);
        }
        /* whoever is disabled posts nothing */
        f.w.people[ask.poster.principal - 1].disabled = true;
        publish_decide(&f.w.r, &ask, &l, &p);
        assert_int_equal(p.rule, PUBLISH_NO_PRINCIPAL);
        f.w.people[ask.poster.principal - 1].disabled = false;
    }
    world_clear(&f.w);
}

static void
test_operator(void **state)
{
    struct fixture f;
    struct publish_ask ask = {.poster = asks(PRINCIPAL_OPERATOR, CHANNEL_LOCAL),
                              .way_default = PUBLISH_WAY_DEFAULT};
    struct label none = {.has = false};
    struct label amber = {.has = true, .tlp = TLP_AMBER};
    struct publish p;

    (void)state;
    fixture_init(&f);
    publish_decide(&f.w.r, &ask, &none, &p);
    assert_int_equal(p.rule, PUBLISH_YES);
    assert_int_equal(p.targets[0].label, TLP_AMBER_STRICT);
    assert_int_equal(p.targets[0].group, OWN(W_SELF));
    /* over the local socket what has no label gets what is asked, and no more than that */
    ask.asked = true;
    ask.asked_tlp = TLP_CLEAR;
    publish_decide(&f.w.r, &ask, &none, &p);
    assert_int_equal(p.targets[0].label, TLP_CLEAR);
    assert_int_equal(p.targets[0].group, GROUP_PUBLIC);
    publish_decide(&f.w.r, &ask, &amber, &p);
    assert_int_equal(p.targets[0].label, TLP_AMBER);
    assert_int_equal(p.targets[0].group, OWN(W_SELF));
    ask.asked = false;
    ask.way_default = TLP_GREEN; /* a default of the way in, set by the operator */
    publish_decide(&f.w.r, &ask, &none, &p);
    assert_int_equal(p.targets[0].label, TLP_GREEN);
    publish_decide(&f.w.r, &ask, &amber, &p);
    assert_int_equal(p.targets[0].label, TLP_AMBER);
    ask.quarantine = true;
    publish_decide(&f.w.r, &ask, &amber, &p);
    assert_int_equal(p.rule, PUBLISH_WAIT_QUARANTINE);
    assert_true(publish_waits(p.rule));
    /* a closed group takes nothing */
    ask.quarantine = false;
    ask.group = W_BANKING;
    publish_decide(&f.w.r, &ask, &amber, &p);
    assert_int_equal(p.rule, PUBLISH_YES);
    f.w.groups[W_BANKING - 1].closed = true;
    publish_decide(&f.w.r, &ask, &amber, &p);
    assert_int_equal(p.rule, PUBLISH_NO_GROUP);
    /* nobody posts nothing */
    ask.poster = asks(PRINCIPAL_NOBODY, CHANNEL_TOKEN);
    publish_decide(&f.w.r, &ask, &amber, &p);
    assert_int_equal(p.rule, PUBLISH_NO_CHANNEL);
    ask.poster.principal = 9999;
    publish_decide(&f.w.r, &ask, &amber, &p);
    assert_int_equal(p.rule, PUBLISH_NO_PRINCIPAL);
    world_clear(&f.w);
}

static void
test_red(void **state)
{
    struct fixture f;
    struct label red = {.has = true, .tlp = TLP_RED};
    uint32_t low, blind;

    (void)state;
    fixture_init(&f);
    low = f.n[LOW];
    blind = f.n[ADMIN];
    {
        const struct {
            uint32_t who;
            enum channel channel;
            uint32_t person;
            enum publish_rule rule;
            uint32_t to;
        } cases[] = {
            {f.n[PUBLISHER], CHANNEL_SESSION, 0, PUBLISH_YES, f.n[PUBLISHER]},
            {f.n[ANALYST], CHANNEL_SESSION, 0, PUBLISH_YES, f.n[ANALYST]},
            {f.n[ANALYST], CHANNEL_SESSION, f.n[READER], PUBLISH_YES, f.n[READER]},
            {f.n[PUBLISHER], CHANNEL_SESSION, f.n[B_PUBLISHER], PUBLISH_YES, f.n[B_PUBLISHER]},
            {f.n[ANALYST], CHANNEL_SESSION, f.n[B_PUBLISHER], PUBLISH_NO_PERSON, 0},
            {f.n[BANK_PUBLISHER], CHANNEL_SESSION, 0, PUBLISH_YES, f.n[BANK_PUBLISHER]},
            /* TAXII is a token's channel whatever the credential */
            {f.n[PUBLISHER], CHANNEL_TOKEN, 0, PUBLISH_NO_NAME, 0},
            {f.n[T_WRITE], CHANNEL_TOKEN, 0, PUBLISH_NO_NAME, 0},
            {PRINCIPAL_OPERATOR, CHANNEL_LOCAL, 0, PUBLISH_NO_NAME, 0},
            {PRINCIPAL_OPERATOR, CHANNEL_LOCAL, f.n[READER], PUBLISH_YES, f.n[READER]},
            {f.n[T_WRITE], CHANNEL_TOKEN, f.n[READER], PUBLISH_YES, f.n[READER]},
            /* who cannot be shown it is not named */
            {f.n[PUBLISHER], CHANNEL_SESSION, low, PUBLISH_NO_PERSON, 0},
            {f.n[PUBLISHER], CHANNEL_SESSION, blind, PUBLISH_NO_PERSON, 0},
            {f.n[PUBLISHER], CHANNEL_SESSION, f.n[T_READ], PUBLISH_NO_PERSON, 0},
            {f.n[PUBLISHER], CHANNEL_SESSION, PRINCIPAL_OPERATOR, PUBLISH_NO_PERSON, 0},
            {f.n[PUBLISHER], CHANNEL_SESSION, PRINCIPAL_NOBODY, PUBLISH_NO_PERSON, 0},
            {f.n[PUBLISHER], CHANNEL_SESSION, 9999, PUBLISH_NO_PERSON, 0},
            {low, CHANNEL_SESSION, 0, PUBLISH_NO_CEILING, 0},
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            for (uint32_t group = 0; group <= W_BANKING; group += W_BANKING) {
                struct publish_ask ask = {.poster = asks(cases[i].who, cases[i].channel),
                                          .person = cases[i].person,
                                          .group = group, /* RED has none */
                                          .way_default = PUBLISH_WAY_DEFAULT};
                struct publish p;

                publish_decide(&f.w.r, &ask, &red, &p);
                if (p.rule != cases[i].rule || p.count != (cases[i].to != 0)) {
                    fail_msg("case %zu: %s", i, publish_rule_text(p.rule));
                }
                if (p.count > 0) {
                    struct audience want = aud_red(cases[i].to);
                    struct asker reads = asks(cases[i].to, CHANNEL_SESSION);

                    assert_true(audience_same(&p.targets[0], &want));
                    assert_int_equal(may_read(&f.w.r, &reads, &want).rule, READ_YES_NAMED);
                }
            }
        }
    }
    world_clear(&f.w);
}

/* The exercise mark and the side must agree; what waits, waits. */
static void
test_exercise_and_waits(void **state)
{
    static const struct {
        bool side, mark;
        enum who who;
        size_t unresolved;
        bool unclear;
        enum publish_rule rule;
    } cases[] = {
        {false, false, PUBLISHER, 0, false, PUBLISH_YES},
        {true, true, PUBLISHER, 0, false, PUBLISH_YES},
        {true, false, PUBLISHER, 0, false, PUBLISH_NO_MARK},
        {false, true, PUBLISHER, 0, false, PUBLISH_NO_EXERCISE},
        {true, true, LIVE_ONLY, 0, false, PUBLISH_NO_EXERCISE_FLAG},
        {false, true, LIVE_ONLY, 0, false, PUBLISH_NO_EXERCISE},
        {false, false, LIVE_ONLY, 0, false, PUBLISH_YES},
        {false, false, PUBLISHER, 1, false, PUBLISH_WAIT_MARKING},
        {false, false, PUBLISHER, 1, true, PUBLISH_WAIT_MARKING},
        {false, false, PUBLISHER, 0, true, PUBLISH_WAIT_UNCLEAR},
        {true, true, PUBLISHER, 2, false, PUBLISH_WAIT_MARKING},
        {false, true, PUBLISHER, 2, false, PUBLISH_NO_EXERCISE},
        {false, false, READER, 2, false, PUBLISH_NO_ROLE},
    };
    struct fixture f;
    struct span id = SPAN("marking-definition--00000000-0000-4000-8000-000000000001");

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct publish_ask ask = {.poster = asks(f.n[cases[i].who], CHANNEL_TOKEN),
                                  .way_default = PUBLISH_WAY_DEFAULT};
        struct label l = {.has = true,
                          .tlp = TLP_GREEN,
                          .exercise = cases[i].mark,
                          .unresolved = &id,
                          .unresolved_count = cases[i].unresolved,
                          .unclear = cases[i].unclear};
        struct publish p;

        ask.poster.exercise = cases[i].side;
        publish_decide(&f.w.r, &ask, &l, &p);
        if (p.rule != cases[i].rule) {
            fail_msg("case %zu: %s", i, publish_rule_text(p.rule));
        }
        assert_int_equal(p.count, p.rule == PUBLISH_YES);
        if (p.count > 0) {
            assert_int_equal(p.targets[0].exercise, cases[i].side);
        }
    }
    for (int r = 0; r < PUBLISH_RULE_COUNT; r++) {
        assert_true(strlen(publish_rule_text((enum publish_rule)r)) > 10);
    }
    world_clear(&f.w);
}

/* Over every poster, label, ask and group: nothing is laxer than the bytes or the way's default,
 * nothing passes a ceiling, publish_may agrees, and no reader of what an analyst posts is outside
 * the own organisation and those it serves (or, for a constituent, its member). */
static void
test_properties(void **state)
{
    struct fixture f;
    size_t published = 0;

    (void)state;
    fixture_init(&f);
    for (int who = 0; who < WHO_COUNT; who++) {
        for (int bits = 0; bits < 6 * 6 * 3 * 7; bits++) {
            int bytes = bits % 6 - 1;
            int asked = bits / 6 % 6 - 1;
            struct asker poster =
                asks(f.n[who], bits / 36 % 3 == 0 ? CHANNEL_SESSION : CHANNEL_TOKEN);
            struct publish_ask ask = {.poster = poster,
                                      .asked = asked >= 0,
                                      .asked_tlp = asked >= 0 ? (enum tlp)asked : TLP_CLEAR,
                                      .way_default = PUBLISH_WAY_DEFAULT};
            struct label l = {.has = bytes >= 0, .tlp = bytes >= 0 ? (enum tlp)bytes : TLP_CLEAR};
            struct publish p;

            ask.poster.listener.ceiling = bits / 36 % 3 == 2 ? TLP_AMBER : TLP_RED;
            ask.group = (uint32_t[]){0,           GROUP_PUBLIC, GROUP_REGION,  W_BANKING,
                                     OWN(W_SELF), OWN(W_BANK),  OWN(W_PARTNER)}[bits / 108 % 7];
            publish_decide(&f.w.r, &ask, &l, &p);
            for (size_t t = 0; t < p.count; t++) {
                const struct audience *a = &p.targets[t];

                published++;
                assert_true((int)a->label >= bytes && (int)a->label >= asked);
                assert_true(bytes >= 0 || a->label >= PUBLISH_WAY_DEFAULT);
                assert_true(a->label <= ask.poster.listener.ceiling);
                assert_true(a->label <= f.w.people[f.n[who] - 1].ceiling);
                if (t == 0) {
                    assert_int_equal(publish_may(&f.w.r, &ask.poster, a), PUBLISH_YES);
                }
                if (a->label != TLP_RED && ask.group != 0 && t == 0) {
                    assert_int_equal(a->group, ask.group);
                }
                for (uint32_t n = 1; n <= f.w.count && (who == ANALYST || who == BANK_ANALYST);
                     n++) {
                    struct asker reads = asks(n, CHANNEL_SESSION);
                    uint32_t org = f.w.people[n - 1].org;

                    if (may_read(&f.w.r, &reads, a).yes) {
                        assert_true(org == W_SELF || org == W_BANK || org == W_POWER);
                    }
                }
            }
        }
    }
    assert_true(published > 500);
    world_clear(&f.w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),    cmocka_unit_test(test_operator),
        cmocka_unit_test(test_red),        cmocka_unit_test(test_exercise_and_waits),
        cmocka_unit_test(test_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
