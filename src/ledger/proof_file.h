/*
 * ledger/proof_file.h - that a publisher said something to an audience, in a file that a stranger
 * can check without a node.
 *
 * It says which stream, where in it, what was committed to and how that leads to a head which the
 * publisher signed; behind that stand the head as a signed note and the object's bytes.  Text, one
 * line for each value, in this order and no other:
 *
 *   jaga/proof/1
 *   publisher identity--UUID
 *   key BASE64              its key as the file claims: compare it with what you know
 *   incarnation HEX         16 bytes
 *   label N                 0 CLEAR, 1 GREEN, 2 AMBER, 3 AMBER+STRICT
 *   group TEXT              bytes from 0x21 to 0x7e
 *   generation HEX          16 bytes
 *   exercise N              0 or 1
 *   index N                 of the entry
 *   salt BASE64             32 bytes
 *   header BASE64           what was committed to (ledger.h)
 *   path BASE64             as often as the proof has hashes (RFC 9162 section 2.1.3)
 *                           (an empty line)
 *   the head, a signed note (head.h, note.h)
 *                           (an empty line)
 *   the object's canonical bytes and a line feed
 *
 * Whoever holds such a file can show it to anybody: it discloses the object and the audience.
 */
#ifndef JAGA_LEDGER_PROOF_FILE_H
#define JAGA_LEDGER_PROOF_FILE_H

#include "arena.h"
#include "head.h"
#include "ledger.h"
#include "merkle.h"

#define PROOF_FILE_MAX (20u << 20) /* bytes: an object of 16 MiB, and some 10 KB */

struct proof_file {
    struct stream_name name;
    struct sign_public key;
    uint64_t index;
    uint8_t salt[ENTRY_SALT_BYTES];
    struct span header;
    struct merkle_proof path;
    struct head head;
    struct span object; /* canonical bytes */
};

/* Appended to out.  ERR_RANGE: a value that has no such form. */
int proof_file_write(const struct proof_file *p, struct buf *out, struct err *e);
/* Strict; what it points to lives in s and in a.  ERR_SYNTAX at the position.  The head is only
 * there where the key of the file has signed it: ERR_AUTH. */
int proof_file_read(struct span s, struct arena *a, struct proof_file *out, struct err *e);

enum proof_verdict {
    PROOF_OK,
    PROOF_STREAM, /* the head is of another stream */
    PROOF_TREE,   /* the entry is not in the tree that the head signs */
    PROOF_HEADER, /* what was committed to cannot be read, or is an erasure */
    PROOF_OBJECT, /* the bytes are not those that were committed to */
    PROOF_VERDICTS
};
/* Of one that was read.  Whether the key is the publisher's, the caller has to know. */
enum proof_verdict proof_file_check(const struct proof_file *p);
const char *proof_verdict_text(enum proof_verdict v);

#endif
