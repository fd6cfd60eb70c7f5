/*
 * auth/throttle.h - failed logins slow the next ones down: by name and by address, in memory.
 *
 * Pure arithmetic over a bounded table: after AUTH_FAILURES_FREE failures each further one doubles
 * the wait, up to AUTH_WAIT_MAX_S; a success or a quiet hour forgets.  When the table is full the
 * entry that is closest to being forgotten goes, so that a flood of names cannot make it grow.
 */
#ifndef JAGA_AUTH_THROTTLE_H
#define JAGA_AUTH_THROTTLE_H

#include <stdint.h>
#include "crypto.h"
#include "span.h"

#define THROTTLE_MAX       1024
#define THROTTLE_FORGET_US (3600 * INT64_C(1000000))

struct throttle_entry {
    uint64_t key; /* keyed hash of kind and text; 0: free */
    uint32_t failures;
    int64_t last_us;
    int64_t until_us;
};

struct throttle {
    struct key key;
    struct throttle_entry entries[THROTTLE_MAX];
};

void throttle_init(struct throttle *t);
/* Seconds to wait, 0: none.  kind 'n' for a name, 'a' for an address. */
unsigned throttle_wait(struct throttle *t, char kind, struct span text, int64_t now_us);
void throttle_failed(struct throttle *t, char kind, struct span text, int64_t now_us);
void throttle_passed(struct throttle *t, char kind, struct span text);

#endif
