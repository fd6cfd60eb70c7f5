/* tests/ledger/people.h - members with fixed keys, and regions made of them. */
#ifndef JAGA_TESTS_PEOPLE_H
#define JAGA_TESTS_PEOPLE_H

#include "check.h"

#include "buf.h"
#include "crypto.h"
#include "region.h"
#include "sign.h"

#define PEOPLE 66 /* two more than a region may have */

struct person {
    struct uuid id;
    struct sign_secret secret;
    struct sign_public key;
};

static struct person people[PEOPLE];

/* Person i: id ii000000-0000-4000-8000-000000000000 (so they are sorted), key from a seed of i. */
static inline int
people_make(void **state)
{
    (void)state;
    if (crypto_start(NULL) < 0)
        return -1;
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct key seed = {{0}};

        seed.b[0] = (uint8_t)(i + 1);
        people[i].id = (struct uuid){{(uint8_t)i, 0, 0, 0, 0, 0, 0x40, 0, 0x80}};
        sign_from_seed(&seed, &people[i].secret, &people[i].key);
    }
    return 0;
}

/* Against a value that another program made (Python, its cryptography module). */
static inline void
assert_hex(const void *p, size_t n, const char *hex)
{
    uint8_t want[SIGNATURE_BYTES];

    assert_true(n <= sizeof want && hex_read(span_of(hex), want, n));
    assert_memory_equal(p, want, n);
}

static inline struct region_member
person_member(unsigned i, uint64_t since)
{
    return (struct region_member){.id = people[i].id,
                                  .key = people[i].key,
                                  .name = SPAN("CERT"),
                                  .country = SPAN("MY"),
                                  .address = SPAN("https://cert.example:8443"),
                                  .since = since};
}

/* A region of the first n people at a version, as if it had come so far; list has room. */
static inline struct region
people_region(unsigned n, uint64_t version, struct region_member *list)
{
    struct region r = {.version = version, .name = SPAN("South"), .members = list, .member_n = n};

    for (unsigned i = 0; i < n; i++)
        list[i] = person_member(i, 1);
    r.coordinator = people[0].id;
    if (version > 1)
        memset(r.previous.b, 7, HASH_BYTES);
    return r;
}

/* The body in out, and hash set as region_read would. */
static inline void
region_body(struct region *r, struct buf *out)
{
    struct err e = ERR_INIT;

    buf_reset(out);
    if (region_print(r, out, &e) < 0)
        fail_msg("%s", e.text);
    hash_sha256(buf_view(out), &r->hash);
}

/* An accept of person i for next. */
static inline struct vote
person_vote(unsigned i, const struct region *next, uint64_t ballot)
{
    const struct signer s = signer_of(&people[i].secret);
    struct vote v = {.previous = next->previous,
                     .version = next->version,
                     .ballot = ballot,
                     .value = next->hash,
                     .phase = VOTE_ACCEPT,
                     .accepted = ballot,
                     .by = people[i].id};

    assert_int_equal(vote_sign(&v, &s, NULL), 0);
    return v;
}

#endif
