#include "store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "store_erased.h"
#include "store_impl.h"
#include "store_stream.h"
#include "store_sync.h"
#include "store_tile.h"

#define SUFFIX ".restore" /* the copy, until it is whole */

int
store_backup(struct store *s, const char *to, void (*progress)(int done, int total, void *arg),
             void *arg, struct err *e)
{
    if (s->open)
        return err_set(e, ERR_INTERNAL, "a transaction is open");
    return s->drv->backup(s->d, to, progress, arg, e);
}

/* ---- restore ---- */

struct noted { /* the records of FILE.erased */
    struct erased *list;
    size_t n, room;
};

static int
note(void *ctx, const struct erased *r, struct err *e)
{
    struct noted *x = ctx;

    if (x->n == x->room) {
        const size_t room = x->room ? 2 * x->room : 64;
        struct erased *more = mem_resize(x->list, room * sizeof *more);

        if (!more)
            return err_set(e, ERR_MEMORY, "no memory for erased positions");
        x->list = more;
        x->room = room;
    }
    x->list[x->n++] = *r;
    return 0;
}

static int
by_place(const void *a, const void *b)
{
    const struct erased *x = a, *y = b;
    const int d = memcmp(x->stream.b, y->stream.b, sizeof x->stream.b);

    if (d != 0)
        return d;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* The stream of that id, or of that id before streams were renamed; 0: none. */
static int
stream_noted(struct store *s, const struct hash *id, uint32_t *out, struct err *e)
{
    int64_t n = 0;
    int rc = sql_number(s, &n, e, "SELECT n FROM stream WHERE id = ?1 OR old = ?1", "b",
                        span_from(id->b, sizeof id->b));

    *out = rc == 1 ? (uint32_t)n : 0;
    return rc < 0 ? -1 : 0;
}

/* The commitment too: a position alone could mean another entry after a fork. */
static int
erase_noted(struct store *s, uint32_t stream, const struct erased *x, struct err *e)
{
    struct hash d;
    uint64_t p;
    int rc = stream ? tile_leaf(s, stream, x->entry, &d, &p, e) : 0;

    if (rc <= 0 || !hash_eq(&d, &x->d))
        return rc < 0 ? -1 : 0;
    return store_erase_taken(s, stream, x->entry, e);
}

/* What has been erased since the copy was made goes from it too; its streams are not ours to go on
 * with. */
static int
apply(struct store *s, const struct noted *x, uint64_t *erased, struct err *e)
{
    uint32_t stream = 0;
    size_t i = 0;

    do {
        if (store_begin(s, e) < 0 || (i == 0 && streams_renew(s, e) < 0))
            return -1;
        for (size_t k = 0; k < STORE_COMMIT_MAX / 2 && i < x->n; k++, i++) {
            const struct erased *at = &x->list[i];

            if (i > 0 && by_place(at - 1, at) == 0 && hash_eq(&at[-1].d, &at->d))
                continue;
            if ((i == 0 || !hash_eq(&at[-1].stream, &at->stream)) &&
                stream_noted(s, &at->stream, &stream, e) < 0)
                return -1;
            if (erase_noted(s, stream, at, e) < 0)
                return -1;
        }
        *erased += store_put_count(s);
        if (store_commit(s, e) < 0)
            return -1;
    } while (i < x->n);
    return store_checkpoint(s, true, e);
}

/* Makes the copy what it has to be while it is still beside its place. */
static int
prepare(const char *copy, const char *path, const struct store_options *o, uint64_t *erased,
        struct err *e)
{
    struct store_options with = *o;
    struct noted x = {0};
    struct store *s;
    uint64_t n = 0;
    int rc;

    with.mode = DB_WRITE;
    if (store_open(copy, &with, &s, e) < 0)
        return -1;
    rc = s->drv->check(s->d, e);
    if (rc == 0)
        rc = erased_read(path, note, &x, e);
    if (rc == 0 && x.n > 0)
        qsort(x.list, x.n, sizeof *x.list, by_place);
    if (rc == 0)
        rc = apply(s, &x, &n, e);
    mem_free(x.list);
    store_close(s);
    if (rc == 0)
        *erased = n;
    return rc;
}

static int
copy_bytes(int in, int out, struct err *e)
{
    char *block = mem_alloc(1u << 16);
    ssize_t n = 0;
    int rc = block ? 0 : err_set(e, ERR_MEMORY, "no memory for a copy");

    while (rc == 0 && (n = read(in, block, 1u << 16)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        for (ssize_t done = 0; n > 0 && rc == 0 && done < n;) {
            const ssize_t w = write(out, block + done, (size_t)(n - done));

            if (w > 0)
                done += w;
            else if (errno != EINTR)
                rc = err_set_sys(e, errno, "the copy cannot be written");
        }
        if (n < 0)
            rc = err_set_sys(e, errno, "the backup cannot be read");
    }
    mem_free(block);
    return rc;
}

static int
copy_file(const char *from, const char *to, struct err *e)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    int out, rc;

    if (in < 0) {
        err_set_sys(e, errno, "the backup cannot be opened");
        return err_place(e, "%s", from);
    }
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0) {
        rc = err_set_sys(e, errno, "the copy cannot be made");
        err_place(e, "%s", to);
    } else {
        rc = copy_bytes(in, out, e);
        if (rc == 0 && fsync(out) != 0)
            rc = err_set_sys(e, errno, "the copy cannot be synced");
        close(out);
    }
    close(in);
    return rc;
}

static void
remove_side_files(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".erased"};
    char name[PATH_MAX];

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (snprintf(name, sizeof name, "%s%s", path, suffixes[i]) < (int)sizeof name)
            unlink(name);
}

/* The log of what was there before must not be taken for that of the copy: it goes first.  A crash
 * between leaves the old file without the log's last commits, and the restore is begun again. */
static int
put_in_place(const char *copy, const char *path, struct err *e)
{
    char name[PATH_MAX];

    for (const char *const *x = (const char *const[]){"-wal", "-shm", NULL}; *x; x++) {
        if (snprintf(name, sizeof name, "%s%s", path, *x) >= (int)sizeof name)
            return err_set(e, ERR_LIMIT, "the path of the store is too long");
        if (unlink(name) != 0 && errno != ENOENT)
            return err_set_sys(e, errno, "the old log cannot be removed");
    }
    if (rename(copy, path) != 0)
        return err_set_sys(e, errno, "the copy cannot be put in its place");
    return 0;
}

/* The backup beside its place, made what it has to be there. */
static int
bring(const char *from, const char *path, const struct store_options *o, char copy[PATH_MAX],
      uint64_t *erased, struct err *e)
{
    if (snprintf(copy, PATH_MAX, "%s" SUFFIX, path) >= PATH_MAX)
        return err_set(e, ERR_LIMIT, "the path of the store is too long");
    remove_side_files(copy);
    return copy_file(from, copy, e) < 0 ? -1 : prepare(copy, path, o, erased, e);
}

int
store_restore_try(const char *from, const char *path, const struct store_options *o,
                  uint64_t *publications, uint64_t *erased, struct err *e)
{
    struct store_options with = *o;
    struct store_figures figures = {0};
    struct store *s = NULL;
    char copy[PATH_MAX] = "";
    uint64_t n = 0;
    int rc = bring(from, path, o, copy, &n, e);

    with.mode = DB_WRITE;
    if (rc == 0)
        rc = store_open(copy, &with, &s, e);
    if (rc == 0 && (rc = store_begin(s, e)) == 0) {
        rc = store_figures(s, &figures, e);
        store_abort(s);
    }
    store_close(s);
    if (copy[0] != '\0')
        remove_side_files(copy);
    if (rc < 0)
        return -1;
    *publications = figures.publications;
    *erased = n;
    return 0;
}

int
store_restore(const char *from, const char *path, const struct store_options *o, uint64_t *erased,
              struct err *e)
{
    char copy[PATH_MAX] = "";
    uint64_t n = 0;
    int fd, rc;

    rc = bring(from, path, o, copy, &n, e);
    if (rc == 0)
        rc = put_in_place(copy, path, e);
    remove_side_files(copy);
    /* Syncs the folder too, and makes the file of erased positions where there is none. */
    if (rc == 0 && (rc = erased_open(path, &fd, e)) == 0)
        close(fd);
    if (rc < 0)
        return -1;
    *erased = n;
    return 0;
}
