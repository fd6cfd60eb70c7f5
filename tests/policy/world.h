/*
 * A small region for the tests: two other members, constituents, partners, groups with a past, and
 * a person of every kind in each organisation.
 */
#ifndef JAGA_TESTS_POLICY_WORLD_H
#define JAGA_TESTS_POLICY_WORLD_H

#include "check.h"

#include "audience.h"
#include "may_read.h"
#include "rights.h"

enum {
    W_SELF = ORG_SELF,
    W_B,       /* another member */
    W_C,       /* another member, in no named group */
    W_BANK,    /* a constituent of SELF */
    W_POWER,   /* a constituent of SELF */
    W_BPORT,   /* a constituent of B */
    W_PARTNER, /* outside, in the group */
    W_OUT,     /* outside, in nothing */
    W_ORGS = W_OUT
};
/* Groups: the public, the region, one for each organisation, and "banking": SELF, B and PARTNER,
 * and in its second generation also the constituent BANK. */
enum {
    W_OWN0 = GROUP_REGION, /* the own group of organisation n is W_OWN0 + n */
    W_BANKING = W_OWN0 + W_ORGS + 1,
    W_GROUPS = W_BANKING
};
/* Generations: number = the group's, and one more for banking's second. */
enum { W_BANKING_2 = W_GROUPS + 1, W_GENERATIONS = W_BANKING_2 };

#define W_NOW    1000000000
#define W_PEOPLE 20000

struct world {
    struct right_org orgs[W_ORGS];
    struct right_group groups[W_GROUPS];
    struct right_generation generations[W_GENERATIONS];
    struct right_principal *people;
    size_t count;
    struct rights r;
};

static const uint32_t w_numbers[W_ORGS + 1] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint32_t w_region[] = {W_SELF, W_B, W_C};
static const uint32_t w_banking[] = {W_SELF, W_B, W_PARTNER};
static const uint32_t w_banking_2[] = {W_SELF, W_B, W_BANK, W_PARTNER};

static inline void
world_sync(struct world *w)
{
    w->r = (struct rights){
        .orgs = w->orgs,
        .org_count = W_ORGS,
        .principals = w->people,
        .principal_count = w->count,
        .groups = w->groups,
        .group_count = W_GROUPS,
        .generations = w->generations,
        .generation_count = W_GENERATIONS,
        .public_open = w->r.public_open,
    };
}

static inline uint32_t
world_add(struct world *w, struct right_principal p)
{
    assert_true(w->count < W_PEOPLE);
    p.number = (uint32_t)w->count + 1;
    w->people[w->count++] = p;
    world_sync(w);
    return p.number;
}

static inline uint32_t
world_person(struct world *w, uint32_t org, unsigned roles, bool staff)
{
    return world_add(w, (struct right_principal){.kind = PRINCIPAL_PERSON,
                                                 .org = org,
                                                 .roles = roles,
                                                 .staff = staff,
                                                 .exercise = true,
                                                 .ceiling = TLP_RED});
}

static inline void
world_init(struct world *w)
{
    *w = (struct world){.people = calloc(W_PEOPLE, sizeof *w->people)};
    assert_non_null(w->people);
    for (uint32_t n = 1; n <= W_ORGS; n++) {
        w->orgs[n - 1] = (struct right_org){
            .number = n,
            .kind = n == W_SELF                   ? ORG_OWN
                    : n == W_B || n == W_C        ? ORG_MEMBER
                    : n >= W_BANK && n <= W_BPORT ? ORG_CONSTITUENT
                                                  : ORG_PARTNER,
            .member = n == W_BANK || n == W_POWER ? W_SELF
                      : n == W_BPORT              ? W_B
                                                  : 0,
        };
    }
    for (uint32_t n = 1; n <= W_GROUPS; n++) {
        bool own = n > W_OWN0 && n <= W_OWN0 + W_ORGS;

        w->groups[n - 1] = (struct right_group){
            .number = n,
            .kind = n == GROUP_PUBLIC   ? GROUP_KIND_PUBLIC
                    : n == GROUP_REGION ? GROUP_KIND_REGION
                    : own               ? GROUP_KIND_OWN
                                        : GROUP_KIND_NAMED,
            .org = own              ? n - W_OWN0
                   : n == W_BANKING ? W_SELF
                                    : 0,
            .generation = n == W_BANKING ? W_BANKING_2 : n,
        };
        w->generations[n - 1] = (struct right_generation){
            .number = n,
            .group = n,
            .members = own                 ? &w_numbers[n - W_OWN0]
                       : n == GROUP_REGION ? w_region
                       : n == W_BANKING    ? w_banking
                                           : NULL,
            .member_count = own                                   ? 1
                            : n == GROUP_REGION || n == W_BANKING ? 3
                                                                  : 0,
        };
    }
    w->generations[W_BANKING_2 - 1] = (struct right_generation){
        .number = W_BANKING_2, .group = W_BANKING, .members = w_banking_2, .member_count = 4};
    assert_int_equal(world_add(w, (struct right_principal){.kind = PRINCIPAL_ANONYMOUS}),
                     PRINCIPAL_NOBODY);
    assert_int_equal(world_add(w, (struct right_principal){.kind = PRINCIPAL_LOCAL,
                                                           .org = ORG_SELF,
                                                           .ceiling = TLP_RED}),
                     PRINCIPAL_OPERATOR);
}

static inline void
world_clear(struct world *w)
{
    free(w->people);
}

static inline struct asker
asks(uint32_t principal, enum channel c)
{
    return (struct asker){
        .principal = principal, .channel = c, .listener = {1, TLP_RED}, .now_us = W_NOW};
}

/* The audience of a group's generation that is current. */
static inline struct audience
aud(enum tlp label, uint32_t group)
{
    return (struct audience){
        .label = label, .group = group, .generation = group == W_BANKING ? W_BANKING_2 : group};
}

static inline struct audience
aud_old_banking(enum tlp label)
{
    return (struct audience){.label = label, .group = W_BANKING, .generation = W_BANKING};
}

static inline struct audience
aud_red(uint32_t person)
{
    return (struct audience){.label = TLP_RED, .person = person};
}

/* Every audience that this world can have: all labels of all generations, RED for some. */
#define W_AUDIENCES_MAX 256
static inline size_t
world_audiences(const struct world *w, const uint32_t *persons, size_t person_count,
                struct audience out[W_AUDIENCES_MAX])
{
    size_t n = 0;

    for (int exercise = 0; exercise < 2; exercise++) {
        for (uint32_t g = 1; g <= W_GENERATIONS; g++) {
            for (int t = TLP_CLEAR; t < TLP_RED; t++) {
                out[n++] = (struct audience){.label = (enum tlp)t,
                                             .exercise = exercise != 0,
                                             .group = w->generations[g - 1].group,
                                             .generation = g};
            }
        }
        for (size_t i = 0; i < person_count; i++) {
            out[n] = aud_red(persons[i]);
            out[n++].exercise = exercise != 0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[i].number = (uint32_t)i + 1;
    }
    assert_true(n <= W_AUDIENCES_MAX);
    return n;
}

#endif
