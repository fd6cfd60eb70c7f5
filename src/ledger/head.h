/*
 * ledger/head.h - what members sign: heads, receipts, erase notices, votes, versions of groups and
 * notices of removal.
 *
 * Each is a struct, a text and a compact form.  The text is what is signed, as a signed note
 * (note.h; a head's is a C2SP tlog-checkpoint too: origin, size, root, extension lines).  Its first
 * line says what it is and of what, so that no signature of one kind passes for one of another;
 * where the signer does not follow from that, the last line says who it is.  The compact form is
 * what is stored and sent: the fields, big-endian, without lengths, then the signature; from it the
 * text is made again to the byte.
 *
 *   jaga/head/1/STREAM      size, root, "group " order, "time " time
 *   jaga/receipt/1/STREAM   size, root, "group " order, "time " time, "by " ID
 *   jaga/erase/1/STREAM     index, d, "time " time
 *   jaga/vote/1/PREVIOUS    version, ballot, value, phase, "accepted " ballot, "by " ID
 *   jaga/group/1/GROUP      order, hash of the body, "by " ID
 *   jaga/out/1/GROUP        order, "member " ID, "by " ID
 *
 * Each of these stands in a line of its own, in the order of the struct's fields.  The first line
 * ends in lower-case hexadecimal; other hashes are Base64 with its =, numbers are decimal, a phase
 * is "promise" or "accept", an ID is "identity--" and a UUID.  Every line ends with a line feed.
 */
#ifndef JAGA_LEDGER_HEAD_H
#define JAGA_LEDGER_HEAD_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "crypto.h"
#include "err.h"
#include "sign.h"
#include "span.h"
#include "uuid.h"

#define GROUP_ID_BYTES 16 /* random; in a stream's name a group is its 32 hexadecimal digits */

/* Versions of the region file, and of one group: so that both fit the order below. */
#define VERSION_MAX INT32_MAX
/* How a version of a group stands to others (SYNC: by region version, then number): one number that
 * heads and entries carry.  The region's own audience has number 0. */
#define GROUP_ORDER(region, number) ((uint64_t)(region) << 32 | (uint64_t)(number))
#define GROUP_ORDER_MAX             GROUP_ORDER(VERSION_MAX, VERSION_MAX)

/* A ballot is round * VOTE_VOTERS_MAX + the proposer's place among the members (region.h). */
#define VOTE_VOTERS_MAX 64u
#define BALLOT_MAX      ((UINT64_C(1) << 53) - 1)

/* I, the publisher of that stream, have said so much and no other. */
struct head {
    struct hash stream; /* binds publisher and incarnation: ledger.h */
    uint64_t size;      /* entries, at most MERKLE_SIZE_MAX */
    struct hash root;
    uint64_t group_order; /* of the group, as the publisher knows it */
    uint64_t time_us;     /* since 1970, by the signer's clock: for people */
    struct signature sig;
};

/* I hold that much of that stream. */
struct receipt {
    struct hash stream;
    uint64_t size;
    struct hash root;
    uint64_t group_order;
    uint64_t time_us;
    struct uuid by;
    struct signature sig;
};

/* I, the publisher, withdraw that entry: valid by itself, whatever becomes of the stream. */
struct erase_notice {
    struct hash stream;
    uint64_t index;
    struct hash d; /* the entry's commitment */
    uint64_t time_us;
    struct signature sig;
};

/* The numbers of both are stored and sent. */
enum vote_phase { VOTE_PROMISE = 1, VOTE_ACCEPT = 2 };

/* One member's answer in the vote on what follows a version of the region file (region.h). */
struct vote {
    struct hash previous; /* of the version before; zero before the first */
    uint64_t version;     /* that is voted on */
    uint64_t ballot;
    struct hash value; /* hash of a body: accepted now, or earlier (promise); zero: none yet */
    enum vote_phase phase;
    uint64_t accepted; /* the ballot in which value was accepted: accept: this one; 0: none */
    struct uuid by;
    struct signature sig;
};

/* I, the owner or an heir, made that version of the group (circle.h). */
struct circle_mark {
    uint8_t group[GROUP_ID_BYTES];
    uint64_t order;
    struct hash body;
    struct uuid by;
    struct signature sig;
};

/* That member is in the group no more, from that version on: all that a removed member is told. */
struct out_notice {
    uint8_t group[GROUP_ID_BYTES];
    uint64_t order;
    struct uuid member;
    struct uuid by;
    struct signature sig;
};

/* Where a stream of a removed member ends: what lies beyond is hidden (region.h, circle.h). */
struct stream_end {
    struct uuid member;
    struct hash stream;
    uint64_t size;
    struct hash root;
};

#define HEAD_BYTES         (2 * HASH_BYTES + 24 + SIGNATURE_BYTES)
#define RECEIPT_BYTES      (HEAD_BYTES + 16)
#define ERASE_NOTICE_BYTES (2 * HASH_BYTES + 16 + SIGNATURE_BYTES)
#define VOTE_BYTES         (2 * HASH_BYTES + 24 + 1 + 16 + SIGNATURE_BYTES)
#define CIRCLE_MARK_BYTES  (GROUP_ID_BYTES + 8 + HASH_BYTES + 16 + SIGNATURE_BYTES)
#define OUT_NOTICE_BYTES   (GROUP_ID_BYTES + 8 + 16 + 16 + SIGNATURE_BYTES)
#define SAID_TEXT_MAX      512 /* bytes of the longest text */
#define SAID_NAME          46  /* bytes of "identity--UUID" */

/*
 * For each kind T of the six, with s of its struct:
 *
 * T_text       the text, appended to out
 * T_parse      the text and nothing else, to the byte; sig is left zero
 * T_encode     the compact form, appended to out
 * T_decode     exactly that form; the signature is not checked
 * T_sign       fills s->sig; -1 too where the signer refuses
 * T_ok         whether it is signed with that key, and its "by", where it has one, is signer.
 *              Where it has none the caller must know the stream to be signer's
 * T_note       the signed note with signer's line, appended to out
 * T_note_read  a note that signer signed with that key; lines of others are passed over.
 *              ERR_AUTH: not signed so
 *
 * Those that return int: 0, or -1 and nothing is to be used of what was written.  ERR_RANGE: a
 * field out of its range (in a struct), ERR_PROTOCOL: not that form (compact), ERR_SYNTAX: (text),
 * at the position; ERR_LIMIT or ERR_MEMORY: out has no room.
 */
#define SAID_FUNCTIONS(T, S)                                                                       \
    int T##_text(const S *s, struct buf *out, struct err *e);                                      \
    int T##_parse(struct span text, S *out, struct err *e);                                        \
    int T##_encode(const S *s, struct buf *out, struct err *e);                                    \
    int T##_decode(struct span bytes, S *out, struct err *e);                                      \
    int T##_sign(S *s, const struct signer *signer, struct err *e);                                \
    bool T##_ok(const S *s, const struct uuid *signer, const struct sign_public *key);             \
    int T##_note(const S *s, const struct uuid *signer, const struct sign_public *key,             \
                 struct buf *out, struct err *e);                                                  \
    int T##_note_read(struct span note, const struct uuid *signer, const struct sign_public *key,  \
                      S *out, struct err *e)

SAID_FUNCTIONS(head, struct head);
SAID_FUNCTIONS(receipt, struct receipt);
SAID_FUNCTIONS(erase_notice, struct erase_notice);
SAID_FUNCTIONS(vote, struct vote);
SAID_FUNCTIONS(circle_mark, struct circle_mark);
SAID_FUNCTIONS(out_notice, struct out_notice);

/* "identity--UUID", and back; false: nothing but that form. */
void identity_name(const struct uuid *id, char out[SAID_NAME + 1]);
bool identity_read(struct span s, struct uuid *out);

#endif
