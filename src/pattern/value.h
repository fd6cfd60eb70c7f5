/*
 * pattern/value.h - normal forms of observable values, and the keys by which they are found.
 *
 * Two spellings of one thing have one key: "EVIL[.]example", "evil.example." and "evil.example";
 * 2001:DB8:0::15 and 2001:db8::15; a hash in either case.  Whatever cannot be a value of its kind
 * has no key, and is then found by text alone.
 *
 * Keys.  A key is one byte of kind, then bytes that sort in a useful way, for an index that is
 * ordered by memcmp:
 *
 *   address 198.51.100.7      VALUE_IPV4, 4 bytes          VALUE_IPV6, 16 bytes
 *   network 198.51.100.0/24   VALUE_NET4, 24, 4 bytes      VALUE_NET6, length, 16 bytes
 *   domain a.evil.example     VALUE_DOMAIN, "example.evil.a."     (labels turned round, in ASCII)
 *   hash                      VALUE_HASH, its bytes (the length tells MD5 from SHA-256; algorithms
 *                             of one length share keys, since nobody meets a collision by chance)
 *   number of an AS           VALUE_ASN, 4 bytes big-endian
 *   other                     its kind, the normal text; beyond VALUE_TEXT_MAX bytes the first
 *                             VALUE_HEAD and the SHA-256 of the whole
 *
 * Networks hold no host bits; a network of one address is that address.  So a search for an address
 * is one key, and 32 (128) more for the networks that could hold it; a search for a network is its
 * own and its covering networks' keys, one range of addresses, and one range for each longer
 * length.  A search for a domain and all below it is one range.  value_ranges lists them.
 */
#ifndef JAGA_PATTERN_VALUE_H
#define JAGA_PATTERN_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "span.h"

/* The numbers are stored: never change one, only add. */
enum value_kind {
    VALUE_NONE = 0,
    VALUE_IPV4 = 1,
    VALUE_NET4 = 2,
    VALUE_IPV6 = 3,
    VALUE_NET6 = 4,
    VALUE_DOMAIN = 5,
    VALUE_URL = 6,
    VALUE_EMAIL = 7,
    VALUE_HASH = 8,
    VALUE_FUZZY = 9, /* ssdeep */
    VALUE_FILE_NAME = 10,
    VALUE_PATH = 11, /* of a directory */
    VALUE_MAC = 12,
    VALUE_ASN = 13,
    VALUE_REGISTRY = 14, /* a Windows registry key */
    VALUE_MUTEX = 15,
    VALUE_ACCOUNT = 16,  /* a user's id, login or display name */
    VALUE_SERIAL = 17,   /* of an X.509 certificate */
    VALUE_EXTERNAL = 18, /* CVE-2024-0001, T1566.001, CAPEC-163: what external_references name */
    VALUE_MESSAGE_ID = 19
};
#define VALUE_KINDS 20

const char *value_kind_name(enum value_kind k);    /* "ipv4", "net4", "domain", ... */
enum value_kind value_kind_find(struct span name); /* VALUE_NONE: no such kind */

#define VALUE_INPUT_MAX 8192 /* bytes of one value from outside; longer ones have no key */
#define VALUE_TEXT_MAX  200  /* bytes of normal text that a key holds whole */
#define VALUE_HEAD      168  /* of a longer one; and 32 of hash */
#define VALUE_KEY_MAX   (1 + VALUE_TEXT_MAX)

struct value {
    enum value_kind kind; /* equals key[0] */
    uint8_t n;            /* bytes of key */
    uint8_t key[VALUE_KEY_MAX];
};

/* Reads text as a value of that kind.  VALUE_IPV4 also takes a network (and gives VALUE_NET4, or
 * VALUE_IPV4 for /32), VALUE_IPV6 likewise; VALUE_NET4 and VALUE_NET6 take the same texts.  An
 * IPv4-mapped IPv6 address is the IPv4 address.  Defanged forms are read too.  False: it is none.
 */
bool value_read(enum value_kind kind, struct span text, struct value *out);

/* The host of a URL, as an address or a domain; false: it has none of these. */
bool value_url_host(struct span url, struct value *out);

/* What somebody may have meant who pasted this, most likely first; at most max.  Returns how many.
 * Only kinds that a text shows by its form (an address, a network, a hash, a domain ...), then,
 * for any text, file name, mutex and account. */
#define VALUE_GUESS_MAX 8
size_t value_guess(struct span text, struct value *out, size_t max);

/* Undoes what people do to make an address harmless: hxxp://, [.], (.), {.}, [dot], [at], [:],
 * [://], "\.", and quotes or angle brackets around it.  Writes into out; false when it does not
 * fit. */
bool value_refang(struct span text, struct buf *out);

/* Readable again: "198.51.100.0/24", "evil.example", "AS64500".  A text that was cut for its key
 * ends in "...". */
void value_print(const struct value *v, struct buf *out);

/* From key bytes, for index rows; false when they are none. */
bool value_from_key(struct span key, struct value *out);
struct span value_key(const struct value *v); /* borrows from v */

enum value_width {
    VALUE_EXACT, /* the value alone */
    VALUE_WIDE   /* with networks around and addresses within; with domains below */
};

/* lo <= key <= hi by memcmp (then the shorter first); one key where they are equal. */
struct value_range {
    uint8_t lo_n, hi_n;
    uint8_t lo[VALUE_KEY_MAX], hi[VALUE_KEY_MAX];
};
#define VALUE_RANGES_MAX 130

/* The key ranges to look up, for a search.  VALUE_WIDE gives more than one only for addresses and
 * networks.  Returns how many. */
size_t value_ranges(const struct value *v, enum value_width width,
                    struct value_range out[VALUE_RANGES_MAX]);

/* RFC 3492, for one label without "xn--": decoded text is UTF-8.  False: not valid, or too long. */
bool punycode_encode(struct span utf8, struct buf *out);
bool punycode_decode(struct span ascii, struct buf *out);

#endif
