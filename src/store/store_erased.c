#include "store_erased.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

#define SUFFIX ".erased"

static int
file_name(const char *path, char out[PATH_MAX], struct err *e)
{
    if (snprintf(out, PATH_MAX, "%s" SUFFIX, path) >= PATH_MAX)
        return err_set(e, ERR_LIMIT, "the path of the store is too long");
    return 0;
}

/* A new file is there after a crash only when its folder is synced too. */
static int
sync_folder(const char *path, struct err *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int fd, rc;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set_sys(e, errno, "the folder of the store cannot be opened");
    rc = fsync(fd) == 0 ? 0 : err_set_sys(e, errno, "the folder of the store cannot be synced");
    close(fd);
    return rc;
}

int
erased_open(const char *path, int *out, struct err *e)
{
    char name[PATH_MAX];
    struct stat st;
    int fd;

    if (file_name(path, name, e) < 0)
        return -1;
    fd = open(name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_set_sys(e, errno, "the file of erased positions cannot be opened");
        return err_place(e, "%s", name);
    }
    /* A torn record at the end would hide those behind it. */
    if (fstat(fd, &st) != 0 || (st.st_size % ERASED_BYTES != 0 &&
                                ftruncate(fd, st.st_size - st.st_size % ERASED_BYTES) != 0)) {
        err_set_sys(e, errno, "the file of erased positions cannot be used");
        close(fd);
        return err_place(e, "%s", name);
    }
    if (sync_folder(path, e) < 0) {
        close(fd);
        return -1;
    }
    *out = fd;
    return 0;
}

static void
check_of(struct span record, uint8_t out[8])
{
    struct hash h;

    hash_sha256(record, &h);
    memcpy(out, h.b, 8);
}

static int
put_record(struct span stream, uint64_t entry, struct span d, struct buf *out, struct err *e)
{
    const size_t from = out->n;
    uint8_t check[8];

    buf_span(out, stream);
    buf_u64(out, entry);
    buf_span(out, d);
    if (out->failed)
        return err_set(e, ERR_MEMORY, "no memory for erased positions");
    if (out->n - from != ERASED_BYTES - 8)
        return err_set(e, ERR_CORRUPT, "a commitment is not there");
    check_of(span_from(out->p + from, out->n - from), check);
    buf_put(out, check, sizeof check);
    return 0;
}

static int
record_of(struct store *s, uint64_t p, struct buf *out, struct err *e)
{
    struct db_stmt *q = sql_ask(s, e,
                                "SELECT t.id, p.entry, p.d FROM publication p "
                                "JOIN stream t ON t.n = p.stream WHERE p.p = ?1",
                                "i", (int64_t)p);
    int rc;

    if (!q || (rc = sql_step(s, q, e)) < 0)
        return -1;
    if (rc == 0)
        return err_set(e, ERR_CORRUPT, "a publication is not there");
    rc = put_record(sql_bytes(s, q, 0), (uint64_t)sql_int(s, q, 1), sql_bytes(s, q, 2), out, e);
    sql_end(s, q);
    return rc;
}

int
erased_append(struct store *s, const uint64_t *p, size_t n, const struct erased *places,
              size_t place_n, struct err *e)
{
    struct buf b;
    size_t done = 0;
    int rc = 0;

    buf_init(&b, (size_t)ERASED_BYTES * (n + place_n + 1));
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = record_of(s, p[i], &b, e);
    for (size_t i = 0; i < place_n && rc == 0; i++)
        rc = put_record(span_from(places[i].stream.b, HASH_BYTES), places[i].entry,
                        span_from(places[i].d.b, HASH_BYTES), &b, e);
    while (rc == 0 && done < b.n) {
        const ssize_t w = write(s->erased_fd, b.p + done, b.n - done);

        if (w > 0)
            done += (size_t)w;
        else if (errno != EINTR)
            rc = err_set_sys(e, errno, "erased positions cannot be written");
    }
    if (rc == 0 && fdatasync(s->erased_fd) != 0)
        rc = err_set_sys(e, errno, "erased positions cannot be synced");
    buf_clear(&b);
    return rc;
}

static int
read_record(const uint8_t *p, struct erased *out)
{
    struct reader r = reader_of(span_from(p, ERASED_BYTES));
    uint8_t check[8];

    check_of(span_from(p, ERASED_BYTES - 8), check);
    if (memcmp(check, p + ERASED_BYTES - 8, 8) != 0)
        return -1;
    reader_copy(&r, out->stream.b, HASH_BYTES);
    out->entry = reader_u64(&r);
    reader_copy(&r, out->d.b, HASH_BYTES);
    return 0;
}

int
erased_read(const char *path, erased_fn *fn, void *ctx, struct err *e)
{
    char name[PATH_MAX];
    uint8_t record[ERASED_BYTES];
    struct erased r;
    FILE *f;
    int rc = 0;

    if (file_name(path, name, e) < 0)
        return -1;
    f = fopen(name, "rbe");
    if (!f)
        return errno == ENOENT
                   ? 0
                   : err_set_sys(e, errno, "the file of erased positions cannot be opened");
    while (rc == 0 && fread(record, 1, sizeof record, f) == sizeof record) {
        if (read_record(record, &r) < 0)
            rc = err_set(e, ERR_CORRUPT, "the file of erased positions is damaged");
        else
            rc = fn(ctx, &r, e);
    }
    if (rc == 0 && ferror(f))
        rc = err_set(e, ERR_IO, "the file of erased positions cannot be read");
    fclose(f);
    return rc;
}
