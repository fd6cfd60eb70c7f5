/*
 * The table of who may read what, against a second, plain reading of the same rules.  The model
 * below shares no code with policy: it looks into the world's own lists.
 */
#include "world.h"

static bool
in_list(const uint32_t *list, size_t n, uint32_t what)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == what) {
            return true;
        }
    }
    return false;
}

/* Organisations of a generation, by the story in world.h. */
static bool
m_member(uint32_t generation, uint32_t org)
{
    if (generation == GROUP_PUBLIC || org == 0) {
        return false;
    }
    if (generation == GROUP_REGION) {
        return org == W_SELF || org == W_B || org == W_C;
    }
    if (generation == W_BANKING) {
        return org == W_SELF || org == W_B || org == W_PARTNER;
    }
    if (generation == W_BANKING_2) {
        return org == W_SELF || org == W_B || org == W_PARTNER || org == W_BANK;
    }
    return generation - W_OWN0 == org;
}

static uint32_t
m_served_by(uint32_t org)
{
    return org == W_BANK || org == W_POWER ? W_SELF : org == W_BPORT ? W_B : 0;
}

/* DESIGN.md, section 6, line by line. */
static bool
model(const struct world *w, const struct asker *who, const struct audience *a)
{
    const struct right_principal *p = &w->people[who->principal - 1];
    bool anybody = p->kind == PRINCIPAL_ANONYMOUS;
    bool local = p->kind == PRINCIPAL_LOCAL;
    bool member, served;

    /* Role admin reads settings and audit, and no object. */
    if (!anybody && !local && (p->roles & (ROLE_READER | ROLE_ANALYST | ROLE_PUBLISHER)) == 0) {
        return false;
    }
    if (p->kind == PRINCIPAL_TOKEN && (p->scope & SCOPE_READ) == 0) {
        return false;
    }
    /* Live views never contain exercise objects, exercise views nothing else. */
    if (a->exercise != who->exercise || (who->exercise && !p->exercise && !local)) {
        return false;
    }
    /* The ceilings. */
    if ((!anybody && a->label > p->ceiling) || a->label > who->listener.ceiling) {
        return false;
    }
    /* Who comes by which channel. */
    switch (who->channel) {
    case CHANNEL_SESSION:
        if (p->kind != PRINCIPAL_PERSON && !anybody) {
            return false;
        }
        break;
    case CHANNEL_TOKEN:
    case CHANNEL_FEED:
        if (p->kind == PRINCIPAL_PEER || local) {
            return false;
        }
        break;
    case CHANNEL_MAIL:
        if (p->kind != PRINCIPAL_PERSON) {
            return false;
        }
        break;
    case CHANNEL_EXPORT:
        if (p->kind == PRINCIPAL_PEER || anybody) {
            return false;
        }
        break;
    case CHANNEL_PEER:
        if (p->kind != PRINCIPAL_PEER) {
            return false;
        }
        break;
    case CHANNEL_LOCAL:
        break;
    }
    /* RED: one named person each, in that person's own session. */
    if (a->label == TLP_RED) {
        return p->kind == PRINCIPAL_PERSON && who->channel == CHANNEL_SESSION &&
               a->person == who->principal;
    }
    /* CLEAR: where G is public anyone, also without login once the operator has opened that. */
    if (a->label == TLP_CLEAR && a->group == GROUP_PUBLIC) {
        return !anybody || w->r.public_open;
    }
    member = m_member(a->generation, p->org);
    served = m_member(a->generation, m_served_by(p->org));
    switch (a->label) {
    case TLP_CLEAR: /* at least the readers that GREEN would have */
    case TLP_GREEN: /* the organisations of G and their constituents */
        return member || served;
    case TLP_AMBER: /* the organisations of G */
        return member;
    case TLP_AMBER_STRICT: /* own staff only */
        return member && (p->staff || local);
    default:
        return false;
    }
}

/* A principal of every organisation, kind, role, flag and some ceilings. */
static void
fill(struct world *w)
{
    static const unsigned roles[] = {
        0, ROLE_READER, ROLE_ANALYST, ROLE_PUBLISHER, ROLE_ADMIN, ROLE_ADMIN | ROLE_READER};
    static const enum tlp ceilings[] = {TLP_GREEN, TLP_AMBER_STRICT, TLP_RED};
    static const struct {
        enum principal_kind kind;
        unsigned scope;
    } kinds[] = {{PRINCIPAL_PERSON, 0},
                 {PRINCIPAL_TOKEN, SCOPE_READ},
                 {PRINCIPAL_TOKEN, SCOPE_WRITE},
                 {PRINCIPAL_PEER, 0}};

    for (uint32_t org = 1; org <= W_ORGS; org++) {
        for (size_t k = 0; k < 4; k++) {
            for (size_t ro = 0; ro < 6; ro++) {
                for (size_t c = 0; c < 3; c++) {
                    for (unsigned flags = 0; flags < 4; flags++) {
                        world_add(w, (struct right_principal){.kind = kinds[k].kind,
                                                              .org = org,
                                                              .roles = roles[ro],
                                                              .scope = kinds[k].scope,
                                                              .staff = flags & 1,
                                                              .exercise = (flags & 2) != 0,
                                                              .ceiling = ceilings[c]});
                    }
                }
            }
        }
    }
}

static void
test_table(void **state)
{
    static const enum tlp listeners[] = {TLP_CLEAR, TLP_AMBER, TLP_RED};
    struct world w;
    struct audience as[W_AUDIENCES_MAX];
    uint32_t persons[4];
    size_t n;
    size_t seen = 0, asked = 0;
    size_t rules[READ_RULE_COUNT] = {0};
    struct err e = ERR_INIT;

    (void)state;
    world_init(&w);
    fill(&w);
    assert_int_equal(rights_check(&w.r, &e), 0);
    persons[0] = world_person(&w, W_SELF, ROLE_READER, true);
    persons[1] = world_person(&w, W_BANK, ROLE_READER, false);
    persons[2] = world_person(&w, W_B, ROLE_ADMIN, false); /* named, and yet reads nothing */
    persons[3] = PRINCIPAL_OPERATOR;
    n = world_audiences(&w, persons, 4, as);
    for (int open = 0; open < 2; open++) {
        w.r.public_open = open != 0;
        for (uint32_t p = 1; p <= w.count; p++) {
            if (open && p > 20) {
                break; /* it is about nobody, and a few others */
            }
            for (int c = CHANNEL_SESSION; c <= CHANNEL_MAX; c++) {
                for (size_t l = 0; l < 6; l++) {
                    struct asker who = asks(p, (enum channel)c);

                    who.listener.ceiling = listeners[l % 3];
                    who.exercise = l >= 3;
                    for (size_t i = 0; i < n; i++) {
                        struct verdict v = may_read(&w.r, &who, &as[i]);

                        asked++;
                        seen += v.yes;
                        rules[v.rule]++;
                        if (v.yes != model(&w, &who, &as[i]) ||
                            v.yes != (v.rule >= READ_YES_PUBLIC)) {
                            fail_msg("principal %u channel %s listener %d exercise %d audience "
                                     "%s group %u generation %u person %u: %s",
                                     p, channel_name(who.channel), who.listener.ceiling,
                                     who.exercise, tlp_name(as[i].label), as[i].group,
                                     as[i].generation, as[i].person, read_rule_text(v.rule));
                        }
                    }
                }
            }
        }
    }
    assert_true(seen > 10000 && seen < asked / 2);
    for (int i = 0; i < READ_RULE_COUNT; i++) {
        /* three rules need a broken or bounded principal, which test_bounds has */
        if (i != READ_NO_PRINCIPAL && i != READ_NO_TOKEN_GROUP && i != READ_NO_AUDIENCE) {
            assert_true(rules[i] > 0);
        }
        assert_true(strlen(read_rule_text((enum read_rule)i)) > 10);
    }
    world_clear(&w);
}

/* What the table leaves out: those who are gone, tokens bound by their owner, broken numbers. */
static void
test_bounds(void **state)
{
    struct world w;
    struct right_principal t;
    struct audience strict = aud(TLP_AMBER_STRICT, W_BANKING);
    struct audience green = aud(TLP_GREEN, GROUP_REGION);
    struct audience other;
    struct asker who, owner_asks;
    uint32_t owner, token;

    (void)state;
    world_init(&w);
    owner = world_person(&w, W_SELF, ROLE_ANALYST, true);
    token = world_add(&w, (struct right_principal){.kind = PRINCIPAL_TOKEN,
                                                   .org = W_SELF,
                                                   .roles = ROLE_PUBLISHER,
                                                   .scope = SCOPE_READ,
                                                   .owner = owner,
                                                   .staff = true,
                                                   .ceiling = TLP_RED});
    who = asks(token, CHANNEL_TOKEN);
    owner_asks = asks(owner, CHANNEL_SESSION);
    assert_int_equal(may_read(&w.r, &who, &strict).rule, READ_YES_STAFF);
    assert_true(rights_effective(&w.r, token, W_NOW, &t));
    assert_int_equal(t.roles, ROLE_READER | ROLE_ANALYST); /* publisher is not the owner's */

#define WITH(lvalue, value, rule_)                                                                 \
    do {                                                                                           \
        __typeof__(lvalue) saved = (lvalue);                                                       \
        (lvalue) = (value);                                                                        \
        assert_int_equal(may_read(&w.r, &who, &strict).rule, (rule_));                             \
        (lvalue) = saved;                                                                          \
    } while (0)
    WITH(w.people[owner - 1].staff, false, READ_NO_STAFF);
    WITH(w.people[owner - 1].ceiling, TLP_AMBER, READ_NO_CEILING);
    WITH(w.people[owner - 1].disabled, true, READ_NO_PRINCIPAL);
    WITH(w.people[owner - 1].expires_us, W_NOW, READ_NO_PRINCIPAL);
    WITH(w.people[owner - 1].expires_us, W_NOW + 1, READ_YES_STAFF);
    WITH(w.people[owner - 1].roles, ROLE_ADMIN, READ_NO_ROLE);
    WITH(w.people[owner - 1].org, W_B, READ_NO_PRINCIPAL);
    WITH(w.people[owner - 1].kind, PRINCIPAL_TOKEN, READ_NO_PRINCIPAL);
    WITH(w.people[token - 1].owner, 9999u, READ_NO_PRINCIPAL);
    WITH(w.people[token - 1].disabled, true, READ_NO_PRINCIPAL);
    WITH(w.people[token - 1].expires_us, W_NOW, READ_NO_PRINCIPAL);
    WITH(w.people[token - 1].expires_us, W_NOW + 1, READ_YES_STAFF);
    WITH(w.people[token - 1].scope, SCOPE_WRITE, READ_NO_SCOPE);
    WITH(w.people[token - 1].scope, SCOPE_WRITE | SCOPE_READ, READ_YES_STAFF);
    WITH(w.people[token - 1].only_group, (uint32_t)W_BANKING, READ_YES_STAFF);
    WITH(w.people[token - 1].only_group, (uint32_t)GROUP_REGION, READ_NO_TOKEN_GROUP);
    WITH(w.people[token - 1].only_group, 9999u, READ_NO_TOKEN_GROUP);
    WITH(w.orgs[W_SELF - 1].disabled, true, READ_NO_PRINCIPAL);
    WITH(w.orgs[W_SELF - 1].expires_us, W_NOW, READ_NO_PRINCIPAL);
    WITH(w.orgs[W_SELF - 1].expires_us, W_NOW + 1, READ_YES_STAFF);
    WITH(who.principal, 0u, READ_NO_PRINCIPAL);
    WITH(who.principal, 9999u, READ_NO_PRINCIPAL);
    WITH(who.channel, (enum channel)0, READ_NO_CHANNEL);
    WITH(who.channel, (enum channel)8, READ_NO_CHANNEL);
    WITH(strict.generation, 9999u, READ_NO_AUDIENCE);
    WITH(strict.generation, (uint32_t)GROUP_REGION, READ_NO_AUDIENCE);
    WITH(strict.group, 9999u, READ_NO_AUDIENCE);
    WITH(strict.label, (enum tlp)7, READ_NO_CEILING);
#undef WITH
    /* RED for nobody in particular is for nobody. */
    other = aud_red(0);
    assert_int_equal(may_read(&w.r, &owner_asks, &other).rule, READ_NO_RED_PERSON);
    /* Nobody stays nobody, whatever the row says. */
    w.r.public_open = true;
    w.people[PRINCIPAL_NOBODY - 1].roles = ROLE_ALL;
    w.people[PRINCIPAL_NOBODY - 1].staff = true;
    w.people[PRINCIPAL_NOBODY - 1].ceiling = TLP_RED;
    who = asks(PRINCIPAL_NOBODY, CHANNEL_TOKEN);
    assert_false(may_read(&w.r, &who, &green).yes);
    assert_false(may_read(&w.r, &who, &strict).yes);
    green = aud(TLP_GREEN, GROUP_PUBLIC); /* cannot be published, and has no reader */
    assert_false(may_read(&w.r, &who, &green).yes);
    assert_false(may_read(&w.r, &owner_asks, &green).yes);
    world_clear(&w);
}

/* To relax a label never takes a reader away: of the same group, and from any to the public. */
static void
test_relaxing(void **state)
{
    struct world w;
    struct audience as[W_AUDIENCES_MAX];
    struct audience public = aud(TLP_CLEAR, GROUP_PUBLIC);
    size_t n;
    size_t checked = 0;

    (void)state;
    world_init(&w);
    fill(&w);
    n = world_audiences(&w, NULL, 0, as);
    for (uint32_t p = 1; p <= w.count; p++) {
        for (int c = CHANNEL_SESSION; c <= CHANNEL_MAX; c++) {
            struct asker who = asks(p, (enum channel)c);

            for (size_t i = 0; i < n; i++) {
                struct audience laxer = as[i];

                if (as[i].exercise || !may_read(&w.r, &who, &as[i]).yes) {
                    continue;
                }
                checked++;
                assert_true(may_read(&w.r, &who, &public).yes || p == PRINCIPAL_NOBODY);
                while (laxer.label > TLP_CLEAR) {
                    laxer.label = (enum tlp)(laxer.label - 1);
                    assert_true(may_read(&w.r, &who, &laxer).yes);
                }
            }
        }
    }
    assert_true(checked > 1000);
    world_clear(&w);
}

/* What rights_check refuses. */
static void
test_rights_check(void **state)
{
    struct world w;
    struct err e = ERR_INIT;
    uint32_t person, token;

    (void)state;
    world_init(&w);
    person = world_person(&w, W_B, ROLE_READER, false);
    token = world_add(&w, (struct right_principal){
                              .kind = PRINCIPAL_TOKEN, .org = W_B, .owner = person, .scope = 3});
    assert_int_equal(rights_check(&w.r, &e), 0);
#define BREAKS(lvalue, value)                                                                      \
    do {                                                                                           \
        __typeof__(lvalue) saved = (lvalue);                                                       \
        (lvalue) = (value);                                                                        \
        e = ERR_INIT;                                                                              \
        assert_int_equal(rights_check(&w.r, &e), -1);                                              \
        assert_int_equal(e.code, ERR_CORRUPT);                                                     \
        (lvalue) = saved;                                                                          \
        assert_int_equal(rights_check(&w.r, &e), 0);                                               \
    } while (0)
    BREAKS(w.orgs[2].number, 2u);
    BREAKS(w.orgs[2].number, 0u);
    BREAKS(w.orgs[0].kind, ORG_MEMBER);
    BREAKS(w.orgs[1].kind, ORG_OWN);
    BREAKS(w.orgs[1].kind, (enum org_kind)9);
    BREAKS(w.orgs[1].member, 1u);
    BREAKS(w.orgs[W_BANK - 1].member, 0u);
    BREAKS(w.orgs[W_BANK - 1].member, 99u);
    BREAKS(w.orgs[W_BANK - 1].member, (uint32_t)W_POWER);
    BREAKS(w.orgs[W_BANK - 1].member, (uint32_t)W_PARTNER);
    BREAKS(w.people[person - 1].kind, (enum principal_kind)0);
    BREAKS(w.people[person - 1].kind, PRINCIPAL_LOCAL);
    BREAKS(w.people[person - 1].kind, PRINCIPAL_ANONYMOUS);
    BREAKS(w.people[person - 1].org, 0u);
    BREAKS(w.people[person - 1].org, 99u);
    BREAKS(w.people[person - 1].roles, 16u);
    BREAKS(w.people[person - 1].scope, 4u);
    BREAKS(w.people[person - 1].ceiling, (enum tlp)5);
    BREAKS(w.people[person - 1].owner, token);
    BREAKS(w.people[person - 1].only_group, 1u);
    BREAKS(w.people[person - 1].number, token);
    BREAKS(w.people[PRINCIPAL_NOBODY - 1].org, 1u);
    BREAKS(w.people[PRINCIPAL_OPERATOR - 1].org, 2u);
    BREAKS(w.groups[0].kind, GROUP_KIND_NAMED);
    BREAKS(w.groups[5].kind, GROUP_KIND_REGION);
    BREAKS(w.groups[5].org, 99u);
    BREAKS(w.groups[5].org, 1u);
    BREAKS(w.groups[5].generation, 99u);
    BREAKS(w.groups[5].generation, 1u);
    BREAKS(w.generations[5].group, 99u);
    BREAKS(w.generations[0].member_count, ((w.generations[0].members = w_region), (size_t)1));
    BREAKS(w.generations[5].member_count, (size_t)0);
    BREAKS(w.generations[1].members, w_numbers); /* begins with 0, which is no number */
#undef BREAKS
    world_clear(&w);
}

/* The plain lists of the story agree with the world's own. */
static void
test_model(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    for (uint32_t g = 1; g <= W_GENERATIONS; g++) {
        for (uint32_t o = 1; o <= W_ORGS; o++) {
            assert_int_equal(m_member(g, o), in_list(w.generations[g - 1].members,
                                                     w.generations[g - 1].member_count, o));
        }
    }
    world_clear(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),        cmocka_unit_test(test_table),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_relaxing),
        cmocka_unit_test(test_rights_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
