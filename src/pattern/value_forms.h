/*
 * pattern/value_forms.h - the normal form of each kind of value, for value.c and value_guess.c
 * alone.
 *
 * Each takes text that is already refanged and trimmed, and appends the normal text to out, or says
 * that it is none.  out is not to be used after a false.
 */
#ifndef JAGA_PATTERN_VALUE_FORMS_H
#define JAGA_PATTERN_VALUE_FORMS_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "span.h"

struct form_net {
    uint8_t addr[16]; /* 4 bytes used where !v6; no bits beyond len are set */
    uint8_t len;      /* of the prefix */
    bool v6;
    bool whole; /* one address: len is 32 or 128 */
};

/* An address or a network, of either version; ::ffff:a.b.c.d is the IPv4 address. */
bool form_net(struct span s, struct form_net *out);
void form_print4(const uint8_t a[4], struct buf *out);
void form_print6(const uint8_t a[16], struct buf *out); /* RFC 5952 */

bool form_domain(struct span s, struct buf *out); /* in ASCII, without a dot at the end */
bool form_email(struct span s, struct buf *out);
/* host, if not NULL, gets the host as it stands in s, {NULL, 0} where there is none. */
bool form_url(struct span s, struct buf *out, struct span *host);

bool form_mac(struct span s, uint8_t out[6]);
bool form_asn(struct span s, uint32_t *out);
bool form_registry(struct span s, struct buf *out);
bool form_path(struct span s, struct buf *out);
bool form_serial(struct span s, struct buf *out);
bool form_external(struct span s, struct buf *out);
bool form_fuzzy(struct span s, struct buf *out);
#define FORM_HASH_MAX 64
bool form_hash(struct span s, uint8_t out[FORM_HASH_MAX],
               size_t *n); /* hexadecimal, a known length */

#endif
