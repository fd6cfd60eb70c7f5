/*
 * store/store_rights.h - organisations, principals, groups, generations, bound identities,
 * audiences and grants: the rows from which policy's values are loaded.
 *
 * Numbers are dense, from 1, and never used again.  What is removed stays as a disabled row without
 * a name, since publications and the audit trail name its number.
 *
 * A new store has ORG_SELF, PRINCIPAL_NOBODY, PRINCIPAL_OPERATOR, GROUP_PUBLIC, GROUP_REGION (its
 * only member is ORG_SELF) and ORG_SELF's own group.
 */
#ifndef JAGA_STORE_STORE_RIGHTS_H
#define JAGA_STORE_STORE_RIGHTS_H

#include "audience.h"
#include "rights.h"
#include "store.h"
#include "view.h"

#define STORE_NAME_MAX 200 /* bytes of a name */

/* Rises with every change of what is loaded here: whoever caches rights or views compares it. */
int store_rights_version(struct store *s, uint64_t *out, struct err *e);

/* All of it at once, for policy; everything lives in a. */
int store_rights_load(struct store *s, struct arena *a, struct rights *out, struct err *e);
int store_audiences_load(struct store *s, struct arena *a, const struct audience **out, size_t *n,
                         struct err *e);
int store_grants_load(struct store *s, struct arena *a, const struct view_grant **out, size_t *n,
                      struct err *e);

struct store_org {
    struct right_org r; /* .number 0: to be given */
    struct span name;   /* unique among those not removed */
    struct span title;
    struct span identity; /* the id of its STIX identity; may be empty */
    int64_t created_us;
    bool removed;
};

struct store_principal {
    struct right_principal r;
    struct span name; /* unique among those not removed */
    struct span title;
    int64_t created_us;
    bool removed;
};

struct store_group {
    struct right_group r; /* .generation is given by the store */
    struct span name;     /* unique among those not removed */
    struct span title;
    struct span charter;
    int64_t created_us;
    bool removed;
};

/* Adds (number 0; the number is put into it) or replaces the row of that number.  A new
 * organisation gets its own group; a new group its first generation, without members.
 * ERR_DUPLICATE: the name or identity is taken; ERR_MISSING: no such number.  A principal's epoch
 * rises with each call. */
int store_org_put(struct store *s, struct store_org *o, struct err *e);
int store_principal_put(struct store *s, struct store_principal *p, struct err *e);
int store_group_put(struct store *s, struct store_group *g, struct err *e);
int store_principal_epoch(struct store *s, uint32_t principal, struct err *e); /* one more */

/* By number or by name (number 0), removed ones by number alone.  1: there, 0: none, -1. */
int store_org_get(struct store *s, uint32_t number, struct span name, struct arena *a,
                  struct store_org *out, struct err *e);
int store_principal_get(struct store *s, uint32_t number, struct span name, struct arena *a,
                        struct store_principal *out, struct err *e);
int store_group_get(struct store *s, uint32_t number, struct span name, struct arena *a,
                    struct store_group *out, struct err *e);
/* Lists of those not removed, by number; live in a. */
int store_org_list(struct store *s, struct arena *a, struct store_org **out, size_t *n,
                   struct err *e);
int store_principal_list(struct store *s, struct arena *a, struct store_principal **out, size_t *n,
                         struct err *e);
int store_group_list(struct store *s, struct arena *a, struct store_group **out, size_t *n,
                     struct err *e);

/* Membership in a group's current generation.  0 also where nothing changes. */
int store_member_add(struct store *s, uint32_t group, uint32_t org, struct err *e);
int store_member_remove(struct store *s, uint32_t group, uint32_t org, struct err *e);
/* Begins a new generation with the members of the one before; its number in *out. */
int store_generation_begin(struct store *s, uint32_t group, uint32_t *out, struct err *e);

/* Groups that several nodes speak of have random ids: that of the first generation is the group's.
 * Those that look something up: 1, 0: none, -1. */
#define STORE_GROUP_ID 16
int store_group_id(struct store *s, uint32_t group, uint8_t out[STORE_GROUP_ID], struct err *e);
int store_group_known(struct store *s, const uint8_t id[STORE_GROUP_ID], uint32_t *number,
                      struct err *e);
int store_generation_known(struct store *s, uint32_t group, const uint8_t id[STORE_GROUP_ID],
                           uint32_t *number, struct err *e);
/* A new group under that id; a new generation of one under that id, with the members of the present
 * one.  Not current: one that was before the present one. */
int store_group_as(struct store *s, struct store_group *g, const uint8_t id[STORE_GROUP_ID],
                   struct err *e);
int store_generation_as(struct store *s, uint32_t group, const uint8_t id[STORE_GROUP_ID],
                        bool current, uint32_t *out, struct err *e);
/* Out of every generation. */
int store_group_leave(struct store *s, uint32_t group, uint32_t org, struct err *e);

/* The region's directory: which organisation an identity belongs to.  org 0 unbinds. */
int store_bind(struct store *s, struct span identity, uint32_t org, struct err *e);
int store_bound(struct store *s, struct span identity, uint32_t *org, struct err *e); /* 0: none */
int store_bind_each(struct store *s, int (*fn)(void *ctx, struct span identity, uint32_t org),
                    void *ctx, struct err *e);

/* Finds the audience that is the same as *a and puts its number into it.  1: there, 0: none (with
 * make: it is made, and 1), -1. */
int store_audience_find(struct store *s, struct audience *a, bool make, struct err *e);
int store_audience_get(struct store *s, uint32_t number, struct audience *out, struct err *e);

/* A grant: from now on rows are seen at their own arrival, older ones (there are *older) as slices
 * of at most STORE_SLICE_MAX are written, one a commit: store_grant_step, in each commit, until
 * *left is 0.  An older grant of the same audience to the same is replaced: to rejoin is to join.
 */
int store_grant_begin(struct store *s, uint32_t audience, enum view_grant_to to, uint32_t number,
                      uint64_t *older, struct err *e);
int store_grant_step(struct store *s, uint64_t *left, struct err *e);
/* A leaving. */
int store_grant_end(struct store *s, uint32_t audience, enum view_grant_to to, uint32_t number,
                    struct err *e);

#endif
