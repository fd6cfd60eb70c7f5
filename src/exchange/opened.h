/* exchange/opened.h - what an administrative act opens and closes, found by comparing before and
 * after. */
#ifndef JAGA_EXCHANGE_OPENED_H
#define JAGA_EXCHANGE_OPENED_H

#include "inside.h"

struct opened {
    size_t audiences;     /* how many there were */
    uint32_t *principals; /* numbers, in the order of the rights before */
    size_t principal_count;
    uint8_t *bits;    /* principal * audiences + audience: could read it */
    uint64_t appears; /* older publications that are made to appear */
};

/* Before the act.  opened_clear in any case afterwards. */
int opened_begin(struct exchange *x, struct opened *o, struct err *e);
/* After it, in the same transaction: grants and leavings. */
int opened_settle(struct exchange *x, struct opened *o, struct err *e);
void opened_clear(struct opened *o);

#endif
