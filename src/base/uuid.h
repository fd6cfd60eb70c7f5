/* base/uuid.h - UUIDs as 16 bytes (RFC 9562); making v4 and v5 is crypto's. */
#ifndef JAGA_BASE_UUID_H
#define JAGA_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>
#include "span.h"

#define UUID_TEXT 36 /* characters, without NUL */

struct uuid {
    uint8_t b[16];
};

/* The 8-4-4-4-12 form in lower-case hexadecimal and nothing else. */
bool uuid_read(struct span s, struct uuid *out);
/* The same, and upper case too: *lower tells whether it was all lower case. */
bool uuid_read_any(struct span s, struct uuid *out, bool *lower);
void uuid_print(const struct uuid *u, char out[UUID_TEXT + 1]);
unsigned uuid_version(const struct uuid *u);
bool uuid_variant_ok(const struct uuid *u);

#endif
