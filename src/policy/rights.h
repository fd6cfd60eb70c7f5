/*
 * policy/rights.h - the values that decide: organisations, principals, groups and their
 * generations.
 *
 * Exchange fills them from the store; policy only reads.  Each array is sorted by number, without
 * doubles (rights_check).  What a number refers to and is not there denies.
 */
#ifndef JAGA_POLICY_RIGHTS_H
#define JAGA_POLICY_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "audience.h"
#include "err.h"
#include "tlp.h"

/* The numbers of all enums here are stored or sent; never change them. */
enum org_kind {
    ORG_OWN = 1,         /* ORG_SELF alone */
    ORG_MEMBER = 2,      /* another member of the region */
    ORG_CONSTITUENT = 3, /* an operator, ministry, bank ... that a member serves */
    ORG_PARTNER = 4      /* outside the region */
};

struct right_org {
    uint32_t number;
    enum org_kind kind;
    uint32_t member;    /* a constituent's member; else 0 */
    int64_t expires_us; /* a partner's access ends; 0: never */
    bool disabled;
};

enum principal_kind {
    PRINCIPAL_PERSON = 1,
    PRINCIPAL_TOKEN = 2,
    PRINCIPAL_PEER = 3,     /* a node of another member */
    PRINCIPAL_LOCAL = 4,    /* PRINCIPAL_OPERATOR alone */
    PRINCIPAL_ANONYMOUS = 5 /* PRINCIPAL_NOBODY alone */
};

/* Roles, as bits.  Publisher includes analyst includes reader; admin includes none of them and
 * reads no object. */
#define ROLE_READER    1u
#define ROLE_ANALYST   2u
#define ROLE_PUBLISHER 4u
#define ROLE_ADMIN     8u
#define ROLE_ALL       15u

/* What a token may be used for, as bits. */
#define SCOPE_READ  1u
#define SCOPE_WRITE 2u

struct right_principal {
    uint32_t number;
    enum principal_kind kind;
    uint32_t org; /* 0: none (nobody) */
    unsigned roles;
    unsigned scope;      /* tokens; others may do what their roles say */
    uint32_t only_group; /* tokens: limited to that group; 0: not */
    uint32_t owner;      /* tokens: the person it was made for, whose rights bound it; 0: none */
    bool staff;          /* of its organisation: may read AMBER+STRICT */
    bool exercise;       /* takes part in exercises */
    bool quarantine;     /* whatever it posts waits for a release */
    bool disabled;
    enum tlp ceiling;   /* the strictest label it may read or post */
    int64_t expires_us; /* 0: never */
    uint64_t epoch;     /* rises when its rights change; older tickets are dead */
};

enum group_kind {
    GROUP_KIND_PUBLIC = 1,
    GROUP_KIND_REGION = 2,
    GROUP_KIND_OWN = 3, /* one organisation alone */
    GROUP_KIND_NAMED = 4
};

struct right_group {
    uint32_t number;
    enum group_kind kind;
    uint32_t org;        /* GROUP_KIND_OWN: that organisation; NAMED: the one that admits */
    uint32_t generation; /* the one that takes what is published now */
    bool past;           /* charter: newcomers see what was said before */
    bool closed;         /* takes nothing any more */
};

struct right_generation {
    uint32_t number;
    uint32_t group;
    const uint32_t *members; /* organisations, sorted, without doubles */
    size_t member_count;
};

struct rights {
    const struct right_org *orgs;
    size_t org_count;
    const struct right_principal *principals;
    size_t principal_count;
    const struct right_group *groups;
    size_t group_count;
    const struct right_generation *generations;
    size_t generation_count;
    bool public_open; /* the operator lets nobody read CLEAR for the public */
};

/* 0 when all arrays are sorted, all enums in range and all numbers in use lead somewhere. */
int rights_check(const struct rights *r, struct err *e);

/* NULL when there is none. */
const struct right_org *rights_org(const struct rights *r, uint32_t number);
const struct right_principal *rights_principal(const struct rights *r, uint32_t number);
const struct right_group *rights_group(const struct rights *r, uint32_t number);
const struct right_generation *rights_generation(const struct rights *r, uint32_t number);
const struct right_group *rights_own_group(const struct rights *r, uint32_t org);

bool rights_in_generation(const struct right_generation *g, uint32_t org);

/* How an organisation stands to a group: in it, served by one that is (one step, for a constituent
 * has none of its own), or neither. */
enum standing { STANDS_OUTSIDE, STANDS_CONSTITUENT, STANDS_MEMBER };
enum standing rights_standing(const struct rights *r, const struct right_generation *g,
                              uint32_t org);

/* Whether the organisation can take part at all: there, not disabled, not expired. */
bool rights_org_active(const struct rights *r, uint32_t org, int64_t now_us);

/* What a principal may do now: its own rights, and for a token never more than its owner's; for
 * the operator always those of the own organisation's staff, for nobody always none but CLEAR.
 * false: none (unknown, disabled, expired, its organisation or owner is). */
bool rights_effective(const struct rights *r, uint32_t principal, int64_t now_us,
                      struct right_principal *out);

/* The roles that these bits include: publisher, analyst and reader imply one another downwards. */
unsigned rights_roles(unsigned roles);

#endif
