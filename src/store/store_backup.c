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

static const struct erased *
find_place(const struct noted *x, struct span id, uint64_t entry)
{
    struct erased key = {.entry = entry};

    if (id.n != sizeof key.stream.b || x->n == 0)
        return NULL;
    memcpy(key.stream.b, id.p, id.n);
    return bsearch(&key, x->list, x->n, sizeof *x->list, by_place);
}

/* Publications of the copy that have been erased since; in `out`, mem_free. */
static int
find_erased(struct store *s, const struct noted *x, uint64_t **out, size_t *n, struct err *e)
{
    struct db_stmt *q = sql_ask(s, e,
                                "SELECT x.p, x.entry, x.flags, x.d, t.id, t.old FROM publication x "
                                "JOIN stream t ON t.n = x.stream ORDER BY x.p",
                                "");
    uint64_t *list = mem_zero(x->n + 1, sizeof *list);
    size_t count = 0;
    int rc = 0;

    if (!q || !list) {
        mem_free(list);
        return q ? err_set(e, ERR_MEMORY, "no memory for erased positions") : -1;
    }
    while ((rc = sql_step(s, q, e)) == 1) {
        const struct span d = sql_bytes(s, q, 3);
        const uint64_t entry = (uint64_t)sql_int(s, q, 1);
        const struct erased *hit;

        if (sql_int(s, q, 2) & (F_ERASE | F_ERASED))
            continue;
        hit = find_place(x, sql_bytes(s, q, 4), entry);
        if (!hit)
            hit = find_place(x, sql_bytes(s, q, 5), entry); /* noted before streams were renamed */
        /* The commitment too: a position alone could mean another entry after a fork. */
        if (hit && d.n == sizeof hit->d.b && memcmp(hit->d.b, d.p, d.n) == 0 && count < x->n)
            list[count++] = (uint64_t)sql_int(s, q, 0);
    }
    if (rc < 0) {
        mem_free(list);
        return -1;
    }
    *out = list;
    *n = count;
    return 0;
}

static int
apply(struct store *s, const uint64_t *list, size_t n, struct err *e)
{
    for (size_t i = 0; i < n;) {
        if (store_begin(s, e) < 0)
            return -1;
        if (i == 0 && streams_renew(s, e) < 0)
            return -1;
        for (size_t k = 0; k < STORE_COMMIT_MAX / 2 && i < n; k++, i++)
            if (store_erase(s, list[i], e) < 0)
                return -1;
        if (store_commit(s, e) < 0)
            return -1;
    }
    if (n == 0) {
        if (store_begin(s, e) < 0 || streams_renew(s, e) < 0 || store_commit(s, e) < 0)
            return -1;
    }
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
    uint64_t *list = NULL;
    size_t n = 0;
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
        rc = store_begin(s, e);
    if (rc == 0) {
        rc = find_erased(s, &x, &list, &n, e);
        store_abort(s);
    }
    if (rc == 0)
        rc = apply(s, list, n, e);
    mem_free(list);
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
