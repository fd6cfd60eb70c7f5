/*
 * store/store_impl.h - what the files of this room share and nobody else sees.
 *
 * Publications have dense numbers p in the order of arrival.  A row of table publication is either
 * living (it has bytes, or shares those of row `object`), erased (only its position and commitment
 * are left), or an erase row (it says that row `object` was erased).  An id is known by the p of
 * its first publication, its anchor: that number is called ident.  The anchor keeps the id, and
 * the flags that concern the whole id, also when it is erased.
 */
#ifndef JAGA_STORE_STORE_IMPL_H
#define JAGA_STORE_STORE_IMPL_H

#include "audience.h"
#include "crypto.h"
#include "map.h"
#include "store.h"
#include "store_put.h"
#include "store_sql.h"

/* Flags of a publication; stored. */
#define F_LAST      1u   /* what its audience lists for its id; an erase row that may list */
#define F_MIXED     2u   /* the id has rows in several audiences */
#define F_MULTI     4u   /* the id has several rows: they stand in table version */
#define F_SCAR      8u   /* the id has erase rows */
#define F_ERASE     16u  /* this is one; seq is that of the audience's next row */
#define F_ERASED    32u  /* wiped */
#define F_VERSIONED 64u  /* has modified */
#define F_OWNER     128u /* by the bound creator: ranks highest */
#define F_AHEAD     256u /* dated more than a day past its arrival: ranks lowest */
#define F_REVOKED   512u
#define F_SPEC20    1024u
#define F_DEFECT    2048u                        /* has rows in table defect */
#define F_IDENT     (F_MIXED | F_MULTI | F_SCAR) /* the same in all rows of an id */

/* Kinds of posting lists: all types, or one; what is listed, or the other rows. */
#define POST_ALL           0
#define POST_KIND(t, last) ((int64_t)(t)*2 + ((last) ? 0 : 1))

#define GEN_SHIFT   16 /* rows of an index that one generation holds: small enough to stay hot */
#define BLOCK_SHIFT 12 /* publications of one column block */
#define BLOCK_ROWS  (1u << BLOCK_SHIFT)
#define BLOCK_BYTES (BLOCK_ROWS * 6u) /* audiences (4 bytes each), then types (2) */
#define SEG_SHIFT   14                /* publications of one text segment */
#define SEG_ROWS    (1u << SEG_SHIFT)

#define KEY_BITS 47 /* of a keyed hash as index key: SQLite keeps these in six bytes */

#define SQL_SLOTS 512 /* statements kept; a power of two, some twice as many as there are */

struct sql_slot {
    const char *text;
    struct db_stmt *q;
};

struct state {       /* the one row of table state */
    uint64_t p;      /* the last publication */
    int64_t next_us; /* the first arrival not taken */
    uint64_t commits;
    uint64_t rights;  /* version of what store_rights.h loads */
    uint64_t merged;  /* groups of generations merged; see store_gen.h */
    int64_t merging;  /* the phase of what is being merged; 0: nothing is */
    uint64_t waiting; /* objects in table pending, */
    uint64_t waiting_bytes;
    uint64_t waiting_last; /* and the number that was given last: none is used again */
};

struct aud { /* an audience and what its rows have come to; at index number - 1 */
    struct audience a;
    uint64_t next_seq;
    uint64_t newest_p;
    uint64_t rows;   /* that it lists */
    uint32_t stream; /* writer: where the last row went; 0: not known */
    bool dirty;
};

struct strm { /* a stream; at index number - 1 */
    uint32_t number, publisher, audience;
    bool current; /* its publisher's present incarnation */
    bool own;     /* said here */
};

struct type_name {
    char *name; /* owned; at index number - 1 */
    size_t n;
};

struct put;
struct sieve;
struct block;
struct counts;
struct filter;
struct grams;
struct streams;
struct rows;

/* A date, and the first row with a later arrival. */
#define AFTER_SLOTS 64u /* 1 KB; a power of two */
struct after {
    int64_t us;
    uint64_t p; /* 0: none */
};

struct store {
    const struct db_driver *drv;
    struct db *d;
    enum db_mode mode;
    const struct clock *clock;
    store_index_fn *index;
    store_version_fn *version;
    void *index_ctx;
    size_t filter_bytes;
    unsigned gen_shift; /* GEN_SHIFT, but in tests */
    int64_t keep_plain; /* tests: generations that are not merged; 0: the usual */
    char *path;         /* owned */
    int erased_fd;      /* writer: FILE.erased; else -1 */
    bool open;          /* between begin and commit or abort */
    bool failed;        /* a statement failed since begin: only abort is left */
    bool truncate;      /* something was erased: the log has to be emptied */
    int64_t begun_us;
    struct sql_slot sql[SQL_SLOTS];
    size_t sql_count;
    struct key id_key;

    struct state state;
    bool state_dirty;
    bool state_kept;       /* reader: state is that of version, as are types and streams */
    int64_t state_version; /* of the driver */

    struct aud *auds; /* caches below are dropped by an abort and filled again when asked for */
    size_t aud_count;
    uint64_t aud_rights; /* version they were loaded at; 0: not loaded */
    uint64_t aud_commits;
    uint64_t aud_p;
    struct strm *strms;
    size_t strm_count;
    bool strms_loaded;
    struct type_name *types;
    size_t type_count;
    size_t type_last; /* writer: the number that was asked for last; most follow their like */
    bool types_loaded;
    struct map *type_map; /* names to numbers */

    struct sieve *sieve;             /* reader */
    struct after after[AFTER_SLOTS]; /* reader */
    struct arena *look;              /* of one look after another; NULL while one is under way */

    struct put *put;         /* writer */
    struct rows *rows;       /* writer */
    struct counts *counts;   /* writer */
    struct block *block;     /* writer */
    struct filter *filter;   /* writer */
    struct grams *grams;     /* writer */
    struct streams *streams; /* writer */
};

/* store.c */
int store_need_open(struct store *s, struct err *e);  /* ERR_INTERNAL outside a transaction */
int store_need_write(struct store *s, struct err *e); /* and in a reader */
int64_t store_now(const struct store *s);
int state_save(struct store *s, struct err *e);
void store_forget(struct store *s); /* drops every cache */
/* A block of us microseconds (rounded up to whole milliseconds) of arrivals, ahead of the clock.
 * Its rows lie behind its first microsecond and up to the first one of the next: clients get the
 * date of a page's last row rounded up to the millisecond, and nothing that comes later may lie
 * there. */
int64_t store_take_block(struct store *s, int64_t us);
int64_t store_key(const struct store *s, uint8_t kind, struct span bytes);

/* store_schema.c */
int schema_open(struct store *s, struct err *e);

/* store_names.c: small tables that are kept in memory */
int types_load(struct store *s, struct err *e);
int type_number(struct store *s, struct span name, bool make, uint32_t *out, struct err *e);
uint32_t type_find(const struct store *s, struct span name); /* 0: none that is loaded */
struct span type_text(const struct store *s, uint32_t number);
int auds_load(struct store *s, struct err *e);
struct aud *aud_of(struct store *s, uint32_t number); /* NULL: none */
int auds_save(struct store *s, struct err *e);
int strms_load(struct store *s, struct err *e);
uint32_t strm_publisher(struct store *s, uint32_t stream);
bool strm_own(const struct store *s, uint32_t stream); /* once they are loaded */

/* store_ident.c */
#define ID_BYTES_MAX 512 /* of an id as kept: two bytes of type and sixteen of UUID, or text */
int64_t ident_key(const struct store *s, struct span id);
int ident_find(struct store *s, struct span id, int64_t key, uint64_t *ident, struct err *e);
int ident_add(struct store *s, int64_t key, uint64_t ident, struct err *e);
void id_pack(struct store *s, struct span id, struct buf *out);
int id_unpack(struct store *s, struct span kept, struct buf *out, struct err *e);
int id_text(struct store *s, uint64_t ident, struct buf *out, struct err *e);
void filter_free(struct filter *f);

/* store_row.c: a publication as it is kept */
struct row {
    uint64_t p;
    int64_t arrival_us;
    uint32_t audience;
    uint64_t seq;
    unsigned flags;
    uint64_t ident;
    uint32_t type;
    uint64_t object;
    struct instant modified; /* also created of what has no modified; 0 unless has_time */
    bool has_time;
    uint64_t batch;
    int confidence;
    uint32_t stream;
    uint64_t entry;
};
/* The columns of struct row, in this order; more may follow. */
#define ROW_COLUMNS                                                                                \
    "p, arrival, audience, seq, flags, ident, type, object, mod_s, mod_ns, batch, confidence, "    \
    "stream, entry"
#define ROW_COLUMN_COUNT 14
/* The first of them: what says whether and when a row is listed. */
#define ROW_LITTLE       "p, arrival, audience, seq, flags, ident, type, object"
#define ROW_LITTLE_COUNT 8
/* Less still: what says whether a row is listed that needs no look at its id, in an audience that
 * the view shows whole.  Columns cost as much as finding the row. */
#define ROW_LEAN       "p, arrival, audience, flags, type"
#define ROW_LEAN_COUNT 5
void row_read(struct store *s, struct db_stmt *q, struct row *out);
void row_read_little(struct store *s, struct db_stmt *q, struct row *out); /* the rest is 0 */
void row_read_lean(struct store *s, struct db_stmt *q, struct row *out);   /* object is p */
int row_get(struct store *s, uint64_t p, struct row *out, struct err *e);  /* 1, 0, -1 */
/* Bytes of a content, borrowed until *q is ended by sql_end. */
int row_bytes(struct store *s, uint64_t object, struct db_stmt **q, struct span *out,
              struct err *e);
bool row_living(const struct row *r);
/* 0 dated ahead, 2 by the bound creator, else 1: what counts before the dates. */
int row_class(const struct row *r);
/* Rank of versions: <0, 0, >0.  Reads bytes only where all else is equal. */
int row_rank(struct store *s, const struct row *a, const struct row *b, int *out, struct err *e);
/* The same where a is not stored yet. */
int row_rank_hash(struct store *s, const struct row *a, const struct hash *hash,
                  const struct row *b, int *out, struct err *e);
/* The p of every row of an id but wiped ones, ascending; mem_free.  ident 0 gives none. */
int row_list(struct store *s, uint64_t ident, uint64_t **out, size_t *n, struct err *e);
/* The first row whose arrival is beyond us: 1 to state.p + 1. */
int row_after(struct store *s, int64_t us, uint64_t *p, struct err *e);
/* p is the first row that arrived after us: the next question will likely begin there. */
void row_after_is(struct store *s, int64_t us, uint64_t p);

/* store_grant.c */
int seq_bound(struct store *s, uint32_t audience, uint64_t seq, uint64_t lo, uint64_t hi,
              uint64_t *out, struct err *e);

/* store_put.c */
int put_commit(struct store *s, struct err *e);
void put_reset(struct store *s);
void put_free(struct put *p);

#endif
