/*
 * base/clock.h - time, with a type, and handed in rather than asked for where a test must turn it.
 *
 * Wall time is microseconds since 1970-01-01T00:00:00Z (no leap seconds) in an int64_t named
 * ..._us. Monotonic time is struct mono and cannot be mixed with it.
 */
#ifndef JAGA_BASE_CLOCK_H
#define JAGA_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "span.h"

struct mono {
    int64_t us;
};

/* A clock that a test can turn: set .wall_us to other than 0 to freeze it. */
struct clock {
    int64_t wall_us;
};

int64_t clock_wall_us(const struct clock *c); /* c may be NULL: the machine's clock */
struct mono clock_mono(void);

/* An instant as written in RFC 3339 with Z, to the nanosecond; finer digits are kept in the text
 * alone and break ties by comparing text.  Valid years: 0001 to 9999. */
struct instant {
    int64_t sec;
    uint32_t nsec;
};

/* STIX 2.1 section 3.2 (timestamp): "YYYY-MM-DDTHH:MM:SS[.digits]Z", any number of digits.
 * With lenient, as TAXII's clients write: also "+00:00", a space or lower-case t and z, and an
 * offset; and a '+' that arrived as a space.  *digits gets the number of fraction digits. */
bool instant_read(struct span s, bool lenient, struct instant *out, unsigned *digits);
int instant_cmp(struct instant a, struct instant b);
struct instant instant_from_us(int64_t us);
int64_t instant_us(struct instant t); /* rounded down to the microsecond */

/* "YYYY-MM-DDTHH:MM:SS.ffffffZ" with 0, 3, 6 or 9 digits; out has room for INSTANT_MAX. */
#define INSTANT_MAX 40
void instant_print(struct instant t, unsigned digits, char *out);

/* "2h", "30m", "7d", "45s", "1w": a length of time in microseconds. */
bool duration_read(struct span s, int64_t *us);

#endif
