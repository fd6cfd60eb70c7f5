/* tests/sync/toy.h - a node in arrays: the replica that the protocol is checked with. */
#ifndef JAGA_TESTS_SYNC_TOY_H
#define JAGA_TESTS_SYNC_TOY_H

#include "check.h"

#include "round.h"
#include "server.h"

#define TOYS       5
#define T_STREAMS  48
#define T_ENTRIES  60
#define T_VERSIONS 40
#define T_NOTICES  96
#define T_ITEMS    400
#define T_HEADER   160
#define T_BODY     24
#define T_EVIDENCE 4096
#define T_GROUPS   3 /* named ones; group 0 is the region */

struct t_entry {
    bool bare, has_body;
    struct hash d;
    uint8_t salt[ENTRY_SALT_BYTES];
    char header[T_HEADER], body[T_BODY];
    size_t header_n, body_n;
};

struct t_audience {
    int group; /* 0: the region */
    uint8_t generation[LEDGER_RANDOM_BYTES];
    uint8_t label;
};

struct t_stream {
    struct hash id;
    int publisher;
    uint8_t incarnation[LEDGER_RANDOM_BYTES];
    struct t_audience a;
    struct head head;
    uint64_t have;
    struct t_entry e[T_ENTRIES];
    struct sync_link links[SYNC_LINKS_MAX];
    size_t link_n;
    bool frozen;
    uint64_t frozen_at;
    char evidence[T_EVIDENCE];
    size_t evidence_n;
};

/* A version of one generation of a group. */
struct t_version {
    int group;
    uint8_t generation[LEDGER_RANDOM_BYTES];
    uint64_t order;
    unsigned members;
    struct { /* finals of those that it removes; what is not listed ends at 0 */
        struct hash stream;
        uint64_t size;
    } finals[8];
    size_t final_n;
};

struct t_out {
    int group, member;
    uint8_t generation[LEDGER_RANDOM_BYTES];
    uint64_t order;
};

struct t_receipt {
    struct hash stream;
    int by;
    uint64_t size;
};

struct t_offered {
    struct sync_offered o;
    char group[32];
};

struct t_peer {
    struct sync_epoch epoch;
    uint64_t cursor;
    struct sync_pair mirror[T_ITEMS]; /* sorted */
    size_t n;
    struct t_offered offered[T_STREAMS];
    size_t offered_n;
};

struct t_state { /* flat: a copy is a backup, and what undo goes back to */
    struct t_stream streams[T_STREAMS];
    size_t stream_n;
    struct t_version versions[T_VERSIONS];
    size_t version_n;
    struct t_out outs[T_VERSIONS];
    size_t out_n;
    struct erase_notice notices[T_NOTICES];
    size_t notice_n;
    struct t_receipt receipts[T_STREAMS * TOYS];
    size_t receipt_n;
    struct t_peer peers[TOYS];
    uint8_t incarnation[LEDGER_RANDOM_BYTES];
};

struct toy {
    int index;
    struct replica r;
    struct t_state *s, *before; /* before: since begin */
    bool open;
    uint64_t changes;
    struct sync_epoch epoch;
    struct sign_secret secret;
    struct sign_public key;
    struct sync_server *server;
    unsigned accusations;
    bool recovering;  /* restored, and what stands outside backups is lost too */
    unsigned heard;   /* ... bits: peers that have answered since */
    unsigned dropped; /* bodies come: some are not kept at once, as with a subscription */
    struct toy *all;  /* keys of the others */
    const char *last_why;
};

void toys_new(struct toy *all, struct check_random *r);
void toys_free(struct toy *all);
struct uuid toy_uuid(int i);
void toy_server_new(struct toy *t); /* it has restarted: what it remembered is gone */

struct stream_name toy_name(const struct t_stream *s, char group[32]);
struct t_stream *toy_stream(struct toy *t, const struct hash *id);
/* The newest version known of a generation; NULL. */
const struct t_version *toy_version(const struct toy *t, int group, const uint8_t *generation);
/* The newest of a group, of whichever generation. */
const struct t_version *toy_group(const struct toy *t, int group);
bool toy_final(const struct toy *t, const struct t_stream *s, uint64_t *size);
void toy_root(const struct t_stream *s, uint64_t n, struct hash *out);

struct t_stream *toy_stream_make(struct toy *t, const struct stream_name *name);
void toy_entry_wipe(struct t_entry *x); /* only d is left */
void toy_fill(struct check_random *r, void *p, size_t n);

/* The publisher says something; false: it may not, or has no room. */
bool toy_publish(struct toy *t, int group, uint8_t label, struct check_random *r);
bool toy_erase(struct toy *t, struct check_random *r);
/* The owner (the member of the group's number) changes it. */
bool toy_add(struct toy *t, int group, int member, bool past, struct check_random *r);
bool toy_remove(struct toy *t, int group, int member);
void toy_restore(struct toy *t, const struct t_state *backup, struct check_random *r);
/* The same, with all that stands outside the backup lost too. */
void toy_restore_all(struct toy *t, const struct t_state *backup, struct check_random *r);
void toy_wipe(struct toy *t); /* entries that notices say are erased */

#endif
