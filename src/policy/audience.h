/*
 * policy/audience.h - one label and one group: to whom something is said.
 *
 * To publish is to append an object to an audience.  RED has a person in place of a group.  Numbers
 * are the store's, dense and from 1; 0 means none.
 */
#ifndef JAGA_POLICY_AUDIENCE_H
#define JAGA_POLICY_AUDIENCE_H

#include <stdbool.h>
#include <stdint.h>
#include "tlp.h"

struct audience {
    uint32_t number; /* in the store; 0: not (yet) there */
    enum tlp label;
    bool exercise;       /* live and exercise never mix */
    uint32_t group;      /* 0 for RED */
    uint32_t generation; /* of the group's streams; 0 for RED */
    uint32_t person;     /* RED: the principal named; else 0 */
};

/* Rows that every store has from the start. */
#define GROUP_PUBLIC       1u
#define GROUP_REGION       2u
#define ORG_SELF           1u /* the member behind this node */
#define PRINCIPAL_NOBODY   1u /* who has not logged in */
#define PRINCIPAL_OPERATOR 2u /* the owner of the data folder, over the local socket */

/* All that makes an audience is the same; the number is not looked at. */
bool audience_same(const struct audience *a, const struct audience *b);

#endif
