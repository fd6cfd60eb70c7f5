#include "store.h"

#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "store_block.h"
#include "store_erased.h"
#include "store_gen.h"
#include "store_impl.h"
#include "store_post.h"
#include "store_rows.h"
#include "store_sieve.h"
#include "store_stream.h"
#include "store_text.h"

#define PAGE_SIZE        8192
#define CACHE_KIB        4096
#define FILTER_BYTES     (16u << 20)
#define CHECKPOINT_PAGES 4000 /* 32 MiB of log: larger ones make commits stall longer */
#define MS               1000

int64_t
store_now(const struct store *s)
{
    return clock_wall_us(s->clock);
}

int
store_need_open(struct store *s, struct err *e)
{
    if (!s->open)
        return err_set(e, ERR_INTERNAL, "no transaction is open");
    return 0;
}

int
store_need_write(struct store *s, struct err *e)
{
    if (s->mode != DB_WRITE)
        return err_set(e, ERR_DENIED, "the store is open for reading");
    return store_need_open(s, e);
}

int64_t
store_key(const struct store *s, uint8_t kind, struct span bytes)
{
    struct key k = s->id_key;

    k.b[0] ^= kind; /* siphash is keyed by the first 16 bytes: each kind has a key of its own */
    return (int64_t)(siphash(&k, bytes) >> (64 - KEY_BITS));
}

void
store_forget(struct store *s)
{
    mem_free(s->auds);
    s->auds = NULL;
    s->aud_count = 0;
    s->aud_rights = 0;
    mem_free(s->strms);
    s->strms = NULL;
    s->strm_count = 0;
    s->strms_loaded = false;
    for (size_t i = 0; i < s->type_count; i++)
        mem_free(s->types[i].name);
    mem_free(s->types);
    s->types = NULL;
    s->type_count = 0;
    s->type_last = 0;
    map_free(s->type_map);
    s->type_map = NULL;
    s->types_loaded = false;
    s->state_kept = false;
    block_free(s->block);
    s->block = NULL;
    counts_free(s->counts);
    s->counts = NULL;
    filter_free(s->filter);
    s->filter = NULL;
    sieve_free(s->sieve);
    s->sieve = NULL;
    grams_free(s->grams);
    s->grams = NULL;
    streams_free(s->streams);
    s->streams = NULL;
}

/* A reader's transaction that sees what the last one saw has nothing to read anew. */
static int
state_changed(struct store *s, bool *changed, struct err *e)
{
    int64_t version;

    *changed = true;
    if (s->mode != DB_READ)
        return 0;
    if (s->drv->version(s->d, &version, e) < 0)
        return -1;
    *changed = !s->state_kept || version != s->state_version;
    if (*changed) {
        s->state_kept = false; /* until it is loaded */
        s->types_loaded = s->strms_loaded = false;
        s->state_version = version;
    }
    return 0;
}

static int
state_load(struct store *s, struct err *e)
{
    struct db_stmt *q;
    bool changed;
    int rc;

    if (state_changed(s, &changed, e) < 0)
        return -1;
    if (!changed)
        return 0;
    q = sql_ask(s, e,
                "SELECT p, next_us, commits, rights, merged, merging, waiting, waiting_bytes, "
                "waiting_last FROM state WHERE one = 1",
                "");
    if (!q)
        return -1;
    rc = sql_step(s, q, e);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_CORRUPT, "the store has lost its state");
    s->state.p = (uint64_t)sql_int(s, q, 0);
    s->state.next_us = sql_int(s, q, 1);
    s->state.commits = (uint64_t)sql_int(s, q, 2);
    s->state.rights = (uint64_t)sql_int(s, q, 3);
    s->state.merged = (uint64_t)sql_int(s, q, 4);
    s->state.merging = sql_int(s, q, 5);
    s->state.waiting = (uint64_t)sql_int(s, q, 6);
    s->state.waiting_bytes = (uint64_t)sql_int(s, q, 7);
    s->state.waiting_last = (uint64_t)sql_int(s, q, 8);
    s->state_dirty = false;
    s->state_kept = true;
    sql_end(s, q);
    return 0;
}

int
state_save(struct store *s, struct err *e)
{
    if (!s->state_dirty)
        return 0;
    s->state_dirty = false;
    return sql_do(s, e,
                  "UPDATE state SET p = ?1, next_us = ?2, commits = ?3, rights = ?4, merged = ?5, "
                  "merging = ?6, waiting = ?7, waiting_bytes = ?8, waiting_last = ?9 WHERE one = 1",
                  "iiiiiiiii", (int64_t)s->state.p, s->state.next_us, (int64_t)s->state.commits,
                  (int64_t)s->state.rights, (int64_t)s->state.merged, s->state.merging,
                  (int64_t)s->state.waiting, (int64_t)s->state.waiting_bytes,
                  (int64_t)s->state.waiting_last);
}

int64_t
store_take_block(struct store *s, int64_t us)
{
    int64_t from = store_now(s) + STORE_AHEAD_US;

    from = (from + MS - 1) / MS * MS;
    if (from < s->state.next_us)
        from = s->state.next_us;
    us = us < MS ? MS : (us + MS - 1) / MS * MS;
    s->state.next_us = from + us;
    s->state_dirty = true;
    return from;
}

int
store_open(const char *path, const struct store_options *o, struct store **out, struct err *e)
{
    struct db_options d = {.mode = o->mode,
                           .cache_kib = o->cache_kib ? o->cache_kib : CACHE_KIB,
                           .mmap_bytes = o->mmap_bytes,
                           .busy_ms = o->busy_ms,
                           .secure_delete = true,
                           .page_size = PAGE_SIZE,
                           .checkpoint_pages = CHECKPOINT_PAGES};
    struct store *s = mem_zero(1, sizeof *s);

    if (!s)
        return err_set(e, ERR_MEMORY, "no memory for a store");
    s->drv = o->driver ? o->driver : &db_sqlite;
    s->mode = o->mode;
    s->clock = o->clock;
    s->index = o->index;
    s->version = o->version;
    s->index_ctx = o->index_ctx;
    s->filter_bytes = o->filter_bytes ? o->filter_bytes : FILTER_BYTES;
    s->erased_fd = -1;
    s->gen_shift = GEN_SHIFT;
    s->path = mem_strdup(path);
    if (!s->path) {
        err_set(e, ERR_MEMORY, "no memory for a store");
        goto failed;
    }
    if (s->drv->open(path, &d, &s->d, e) < 0 || schema_open(s, e) < 0)
        goto failed;
    if (s->mode == DB_WRITE && erased_open(path, &s->erased_fd, e) < 0)
        goto failed;
    *out = s;
    return 0;
failed:
    store_close(s);
    return -1;
}

void
store_close(struct store *s)
{
    if (!s)
        return;
    if (s->open)
        store_abort(s);
    store_forget(s);
    put_free(s->put);
    arena_free(s->look);
    rows_free(s->rows);
    if (s->d)
        s->drv->close(s->d);
    if (s->erased_fd >= 0)
        close(s->erased_fd);
    key_wipe(&s->id_key);
    mem_free(s->path);
    mem_free(s);
}

/* Each commit has a millisecond of its own, so that nobody can count them by their dates. */
static void
wait_for_millisecond(struct store *s)
{
    if (s->clock && s->clock->wall_us != 0)
        return; /* a test's clock stands still */
    while (store_now(s) / MS == s->begun_us / MS)
        ;
}

int
store_begin(struct store *s, struct err *e)
{
    if (s->open)
        return err_set(e, ERR_INTERNAL, "a transaction is open already");
    if (s->mode == DB_WRITE)
        wait_for_millisecond(s);
    if (s->drv->begin(s->d, e) < 0)
        return -1;
    s->open = true;
    s->failed = false;
    s->begun_us = store_now(s);
    put_reset(s);
    if (state_load(s, e) < 0) {
        store_abort(s);
        return -1;
    }
    return 0;
}

int
store_commit(struct store *s, struct err *e)
{
    if (store_need_open(s, e) < 0)
        return -1;
    if (s->mode != DB_WRITE) {
        store_abort(s);
        return 0;
    }
    if (s->failed) {
        store_abort(s);
        return err_set(e, ERR_CONFLICT, "a statement of this transaction has failed");
    }
    if (put_commit(s, e) < 0)
        goto failed;
    if (s->state_dirty)
        s->state.commits++;
    if (state_save(s, e) < 0 || s->drv->commit(s->d, e) < 0)
        goto failed;
    s->open = false;
    return 0;
failed:
    store_abort(s);
    return -1;
}

void
store_abort(struct store *s)
{
    if (!s->open)
        return;
    s->open = false;
    s->drv->rollback(s->d);
    rows_drop(s);
    put_reset(s);
    if (s->mode == DB_WRITE || s->failed)
        store_forget(s);
}

bool
store_open_transaction(const struct store *s)
{
    return s->open;
}

int
store_checkpoint(struct store *s, bool truncate, struct err *e)
{
    if (s->open)
        return err_set(e, ERR_INTERNAL, "a transaction is open");
    return s->drv->checkpoint(s->d, truncate, e);
}

int
store_tidy(struct store *s, bool *more, struct err *e)
{
    struct err busy = ERR_INIT;
    bool again = false;

    if (s->truncate) { /* readers may be in the way: then the next time */
        if (store_checkpoint(s, true, &busy) == 0)
            s->truncate = false;
        else if (busy.code != ERR_BUSY) {
            *e = busy;
            return -1;
        }
    }
    if (gen_tidy(s, &again, e) < 0)
        return -1;
    *more = again;
    return 0;
}

int
store_setting_get(struct store *s, const char *name, struct arena *a, struct span *out,
                  struct err *e)
{
    struct db_stmt *q;
    struct span v;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT value FROM setting WHERE name = ?1", "t", span_of(name));
    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return 0;
    v = arena_span(a, sql_bytes(s, q, 0));
    if (!v.p && sql_bytes(s, q, 0).n > 0)
        rc = err_set(e, ERR_MEMORY, "no memory for a setting");
    else
        *out = v;
    sql_end(s, q);
    return rc;
}

int
store_setting_put(struct store *s, const char *name, struct span value, struct err *e)
{
    if (store_need_write(s, e) < 0)
        return -1;
    if (value.n > STORE_SETTING_MAX)
        return err_set(e, ERR_LIMIT, "the setting is too long");
    return sql_do(s, e,
                  "INSERT INTO setting (name, value) VALUES (?1, ?2) "
                  "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                  "tb", span_of(name), value);
}

int
store_setting_each(struct store *s, int (*fn)(void *ctx, struct span name, struct span value),
                   void *ctx, struct err *e)
{
    struct db_stmt *q;
    int rc;

    if (store_need_open(s, e) < 0)
        return -1;
    q = sql_ask(s, e, "SELECT name, value FROM setting ORDER BY name", "");
    if (!q)
        return -1;
    while ((rc = sql_step(s, q, e)) == 1) {
        const struct span name = sql_bytes(s, q, 0);

        if (span_starts(name, "store.")) /* the store's own */
            continue;
        if (fn(ctx, name, sql_bytes(s, q, 1)) != 0) {
            sql_end(s, q);
            return 0;
        }
    }
    return rc;
}

int
store_figures(struct store *s, struct store_figures *out, struct err *e)
{
    struct store_figures f = {0};
    int64_t n = 0;

    if (store_need_open(s, e) < 0)
        return -1;
    f.publications = s->state.p;
    f.next_us = s->state.next_us;
    f.commits = s->state.commits;
    f.pending = s->state.waiting;
    if (sql_number(s, &n, e, "SELECT count(*) FROM batch", "") < 0)
        return -1;
    f.batches = (uint64_t)n;
    *out = f;
    return 0;
}
