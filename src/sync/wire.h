/*
 * sync/wire.h - what two nodes say to one another, as bytes.
 *
 * The client asks, the server answers, one answer for each question; neither keeps a connection's
 * state, so that a question can be asked again, of another relay or from a file.  A question:
 *
 *   HELLO   where the client stands: the server's epoch and cursor as it knows them, the digest of
 *           its mirror, the version of the region that it has, and what it was told to be out of
 *   ITEMS   items of the server's offer, by key
 *   TAIL    entries of one stream from an index on, with bodies or without
 *   BODIES  bodies of entries of one stream
 *
 * An answer:
 *
 *   SAME    the mirror is what the server may show this client
 *   DELTA   items that changed since the cursor (or were asked for), and keys that are gone
 *   PRINTS  the whole offer as keys and prints, where the server does not know the cursor
 *   TAIL, BODIES
 *   NO      there is nothing of that kind for this client, for whatever reason
 *
 * An offer is a set of items, each with a key (8 bytes of a hash of its kind and name) and a print
 * (16 bytes of a hash of its content).  The client's mirror of a server is the offer as it last
 * stored it: key and print of each.  Both digests are SHA-256 over the pairs in the order of keys.
 *
 * Everything is checked by length and range and borrowed from the message.  What the fields mean,
 * and whether they are true, is not known here.  Integers are big-endian.
 */
#ifndef JAGA_SYNC_WIRE_H
#define JAGA_SYNC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "crypto.h"
#include "err.h"
#include "ledger.h"
#include "merkle.h"
#include "span.h"

#define SYNC_VERSION 1 /* of this page; a server answers N and N-1 */

#define SYNC_KEY_BYTES   8
#define SYNC_PRINT_BYTES 16
#define SYNC_EPOCH_BYTES 16

/* An object has at most 16 MiB; a message carries one of that size with its entry. */
#define SYNC_MESSAGE_MAX  (17u << 20)
#define SYNC_QUESTION_MAX (64u << 10)
/* A group of eleven members with three labels each, for a thousand groups. */
#define SYNC_ITEMS_MAX   65536u
#define SYNC_ITEM_MAX    (1u << 20) /* a region of 64 members with their votes is 40 KB */
#define SYNC_ENTRIES_MAX 4096u      /* of one TAIL */
#define SYNC_BODIES_MAX  4096u      /* of one BODIES */
#define SYNC_KEYS_MAX    4096u      /* asked for at once */
#define SYNC_LINKS_MAX   8u         /* members who passed on what they had of a stream, in a row */
#define SYNC_HEAD_MAX    512u       /* bytes of a signed head; HEAD_BYTES in this version */
#define SYNC_OUTS_MAX    64u        /* groups that a client shows it was told to be out of */

struct sync_key {
    uint8_t b[SYNC_KEY_BYTES];
};

struct sync_print {
    uint8_t b[SYNC_PRINT_BYTES];
};

struct sync_epoch {
    uint8_t b[SYNC_EPOCH_BYTES];
};

enum sync_kind { /* control items come before heads, in this order */
                 SYNC_REGION = 1,
                 SYNC_CIRCLE,  /* a version of a group */
                 SYNC_OUT,     /* a removal notice */
                 SYNC_ERASE,   /* an erase notice */
                 SYNC_RECEIPT, /* the server's, for the publisher alone */
                 SYNC_HEAD,
                 SYNC_FROZEN, /* a stream of which two histories are known, up to where both agree
                               */
                 SYNC_KINDS
};

struct sync_item {
    enum sync_kind kind;
    struct sync_key key;
    struct span content;
};

struct sync_pair {
    struct sync_key key;
    struct sync_print print;
};

/* The key of an item of that name, and the print of a content. */
void sync_key_of(enum sync_kind kind, struct span name, struct sync_key *out);
void sync_print_of(enum sync_kind kind, struct span content, struct sync_print *out);
int sync_key_cmp(const struct sync_key *a, const struct sync_key *b);
/* Of pairs that are sorted by key, without doubles. */
void sync_digest(const struct sync_pair *pairs, size_t n, struct hash *out);

/* ---- questions ---- */

enum sync_ask_verb { SYNC_ASK_HELLO = 1, SYNC_ASK_ITEMS, SYNC_ASK_TAIL, SYNC_ASK_BODIES };

struct sync_ask {
    enum sync_ask_verb verb;
    /* HELLO */
    struct sync_epoch epoch; /* zero: not known */
    uint64_t cursor;
    struct hash digest;
    uint32_t region;         /* version of the region file; 0: none */
    const struct span *outs; /* removal notices, as their items hold them */
    size_t out_n;
    /* ITEMS */
    const struct sync_key *keys;
    size_t key_n;
    /* TAIL, BODIES */
    struct hash stream;
    uint64_t from, upto;     /* TAIL: the first index wanted, and the first not */
    bool with_bodies;        /* TAIL */
    uint32_t max_bytes;      /* of the answer; one entry or body is always sent */
    const uint64_t *indices; /* BODIES: ascending */
    size_t index_n;
};

void sync_ask_encode(const struct sync_ask *q, struct buf *out);
/* Lists live in a, spans point into message.  ERR_PROTOCOL, or ERR_MEMORY. */
int sync_ask_decode(struct span message, struct arena *a, struct sync_ask *out, struct err *e);

/* ---- answers ---- */

enum sync_answer_verb { SYNC_SAME = 1, SYNC_DELTA, SYNC_PRINTS, SYNC_TAIL, SYNC_BODIES, SYNC_NO };

struct sync_entry {
    bool bare;     /* erased: only d is left */
    struct hash d; /* computed from salt and header where those are there */
    uint8_t salt[ENTRY_SALT_BYTES];
    struct span header; /* ledger/ledger.h */
    bool has_body;
    struct span body;
};

/* One who holds fewer entries than the head signs has kept how they are proven in it: a chain of
 * consistency proofs, since one who was served by such a one has only that. */
struct sync_link {
    uint64_t size; /* to which the proof leads */
    struct hash root;
    struct merkle_proof proof;
};

struct sync_body {
    uint64_t index;
    bool gone; /* asked for and not held (any more): it was erased, or never had */
    struct span bytes;
};

struct sync_answer {
    enum sync_answer_verb verb;
    /* SAME, DELTA, PRINTS */
    struct sync_epoch epoch;
    uint64_t cursor;
    bool recovering; /* the server was restored, and shows no stream before each of its peers has
                      * told what it holds: two that recover can tell one another all else */
    /* DELTA, PRINTS */
    struct hash digest; /* of the whole offer */
    bool asked;         /* DELTA: what ITEMS asked for; the mirror is not whole yet where digest
                         * differs */
    const struct sync_item *items;
    size_t item_n;
    const struct sync_key *gone;
    size_t gone_n;
    const struct sync_pair *prints;
    size_t print_n;
    /* TAIL */
    struct hash stream; /* BODIES too */
    struct span head;   /* signed by the publisher (ledger/head.h) */
    uint64_t from, have;
    struct hash from_root, have_root; /* the server's own: one that differs from the client's is
                                       * evidence against whoever is at fault */
    struct merkle_proof from_have;    /* from -> have */
    const struct sync_entry *entries;
    size_t entry_n;
    struct merkle_proof page_have; /* from + entry_n -> have */
    const struct sync_link *links; /* have -> ... -> the head's size; none where they are equal */
    size_t link_n;
    const struct sync_body *bodies;
    size_t body_n;
};

void sync_answer_encode(const struct sync_answer *w, struct buf *out);
int sync_answer_decode(struct span message, struct arena *a, struct sync_answer *out,
                       struct err *e);

/* One entry appended to a message under construction (a server that stops at max_bytes). */
size_t sync_entry_size(const struct sync_entry *en);

#endif
