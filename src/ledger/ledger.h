/*
 * ledger/ledger.h - what a stream is called, and what one entry of it commits to.
 *
 * A stream is what one publisher said to one audience: an append-only Merkle tree (merkle.h).  An
 * entry's header is written here, committed to with a random salt, and only the commitment enters
 * the tree: when an object is withdrawn, bytes, header and salt go, and what is left tells nothing
 * even to one who guesses.  Everything here is pure: no clock, no input or output.
 */
#ifndef JAGA_LEDGER_LEDGER_H
#define JAGA_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "crypto.h"
#include "err.h"
#include "span.h"
#include "uuid.h"

#define LEDGER_RANDOM_BYTES 16  /* an incarnation or generation */
#define LEDGER_GROUP_MAX    255 /* bytes of a group's id */

/* All that makes one stream differ from another. */
struct stream_name {
    struct uuid publisher;                    /* its identity's id, made at init */
    uint8_t incarnation[LEDGER_RANDOM_BYTES]; /* a restore begins a new one */
    uint8_t label;                            /* policy's number of the TLP label */
    struct span group;                        /* the group's id, or the person's; not empty */
    uint8_t generation[LEDGER_RANDOM_BYTES];
    bool exercise;
};

/* SHA-256 over a tag and each part with its length before it.  ERR_RANGE: group empty or longer
 * than LEDGER_GROUP_MAX. */
int stream_id(const struct stream_name *name, struct hash *out, struct err *e);

#define ENTRY_ID_MAX      300 /* a STIX id: type of at most 250, "--", UUID */
#define ENTRY_VERSION_MAX 255 /* a timestamp as written, any precision */
#define ENTRY_HEADER_MAX  (ENTRY_ID_MAX + ENTRY_VERSION_MAX + 64)
#define ENTRY_SALT_BYTES  32

enum entry_kind {
    ENTRY_PUT = 1,  /* an object version is published */
    ENTRY_ERASE = 2 /* an earlier entry is withdrawn */
};

/* An erase names what it withdraws by position and commitment alone.  An id here would outlive the
 * erase, and a deterministic id is its value to whoever guesses; a position without the commitment
 * would hit another entry where the stream was forked. */
struct entry {
    enum entry_kind kind;
    uint64_t group_version; /* of the group, as the publisher knew it */
    /* put */
    struct span id;      /* borrowed */
    struct span version; /* "modified" as written, "" for objects without; borrowed */
    struct hash bytes;   /* SHA-256 of the canonical bytes */
    uint64_t size;       /* of the bytes */
    /* erase */
    uint64_t target;      /* the index of the withdrawn entry in this stream */
    struct hash target_d; /* its commitment */
};

/* The header as bytes, appended to out: version u8, kind u8, group version, then the kind's fields.
 * ERR_RANGE: a field is empty or too long; ERR_MEMORY: out has failed. */
int entry_encode(const struct entry *en, struct buf *out, struct err *e);
/* Exactly what entry_encode writes, else ERR_PROTOCOL at the position.  id and version point into
 * s; fields of the other kind are zero. */
int entry_decode(struct span s, struct entry *out, struct err *e);

/* d = SHA-256 over a tag, the salt and the header, each with its length before it.  The salt is 32
 * random bytes, new for each entry: nothing else keeps a guess at the header from being checked. */
void entry_commit(const uint8_t salt[ENTRY_SALT_BYTES], struct span header, struct hash *d);
/* The leaf of a commitment: SHA-256(0x00 || d). */
void entry_leaf(const struct hash *d, struct hash *leaf);

#endif
