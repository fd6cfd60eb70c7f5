#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const parts[] = {"data", "auth", "tls", "sign", "run"};

static int
make_dir(const char *path, struct err *e)
{
    if (mkdir(path, 0700) && errno != EEXIST) {
        (void)err_set_sys(e, errno, "cannot make the folder");
        return err_place(e, "%s", path);
    }
    return 0;
}

int
folder_create(const char *dir, struct err *e)
{
    char path[4096];
    struct stat st;

    if (make_dir(dir, e))
        return -1;
    if ((size_t)snprintf(path, sizeof path, "%s/" FOLDER_CONFIG, dir) >= sizeof path)
        return err_set(e, ERR_LIMIT, "the folder's name is too long");
    if (stat(path, &st) == 0) {
        (void)err_set(e, ERR_CONFLICT, "there is a node here already");
        return err_place(e, "%s", dir);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, parts[i]);
        if (make_dir(path, e))
            return -1;
    }
    if (chdir(dir)) {
        (void)err_set_sys(e, errno, "cannot enter the folder");
        return err_place(e, "%s", dir);
    }
    return 0;
}

int
folder_enter(const char *dir, struct err *e)
{
    struct stat st;

    if (chdir(dir)) {
        (void)err_set_sys(e, errno, "cannot enter the data folder; jaga init makes one");
        return err_place(e, "%s", dir);
    }
    if (stat(FOLDER_CONFIG, &st) || stat("data", &st)) {
        (void)err_set(e, ERR_MISSING, "no node here; jaga init makes one");
        return err_place(e, "%s", dir);
    }
    if (st.st_mode & 077) {
        (void)err_set(e, ERR_DENIED, "others may enter the data folder; chmod -R go= helps");
        return err_place(e, "%s/data", dir);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (make_dir(parts[i], e))
            return -1;
    return 0;
}

int
folder_read_file(const char *path, size_t max, struct buf *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result = -1;
    ssize_t n = -1;

    if (fd < 0) {
        (void)err_set_sys(e, errno, "cannot read");
        return err_place(e, "%s", path);
    }
    for (;;) {
        char piece[16384];
        n = read(fd, piece, sizeof piece);
        if (n <= 0)
            break;
        if (out->n + (size_t)n > max) {
            (void)err_set(e, ERR_LIMIT, "the file is too large");
            goto out;
        }
        buf_put(out, piece, (size_t)n);
    }
    if (n < 0)
        (void)err_set_sys(e, errno, "cannot read");
    else if (out->failed)
        (void)err_set(e, ERR_MEMORY, "out of memory");
    else
        result = 0;
out:
    (void)close(fd);
    return result ? err_place(e, "%s", path) : 0;
}

static int
write_all(int fd, struct span s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        s = span_part(s, (size_t)n, s.n);
    }
    return 0;
}

/* The rename itself must be on disk too: sync the folder that holds it. */
static int
sync_parent(const char *path)
{
    char dir[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 1;

    if (n >= sizeof dir)
        return -1;
    memcpy(dir, slash ? path : ".", n);
    dir[n] = '\0';
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int r = fsync(fd);
    (void)close(fd);
    return r;
}

int
folder_write_file(const char *path, struct span text, struct err *e)
{
    char tmp[4096];
    int fd;

    if ((size_t)snprintf(tmp, sizeof tmp, "%s.new", path) >= sizeof tmp)
        return err_set(e, ERR_LIMIT, "the file's name is too long");
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        (void)err_set_sys(e, errno, "cannot write");
        return err_place(e, "%s", tmp);
    }
    int bad = write_all(fd, text) || fsync(fd);
    int sys = errno;
    if (close(fd) && !bad) {
        bad = 1;
        sys = errno;
    }
    if (!bad && (rename(tmp, path) || sync_parent(path))) {
        bad = 1;
        sys = errno;
    }
    if (bad) {
        (void)unlink(tmp);
        (void)err_set_sys(e, sys, "cannot write");
        return err_place(e, "%s", path);
    }
    return 0;
}

/* A copy for another file system, finished by a rename there. */
static int
copy_file(const char *from, const char *to, struct err *e)
{
    char piece[65536], tmp[4096];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, bad = 1, sys = 0;
    ssize_t n = -1;

    if ((size_t)snprintf(tmp, sizeof tmp, "%s.new", to) < sizeof tmp && in >= 0)
        out = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out >= 0) {
        while ((n = read(in, piece, sizeof piece)) > 0)
            if (write_all(out, span_from(piece, (size_t)n)))
                break;
        bad = n != 0 || fsync(out);
    }
    sys = errno;
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    if (!bad && rename(tmp, to) == 0 && sync_parent(to) == 0)
        return 0;
    if (out >= 0)
        (void)unlink(tmp);
    (void)err_set_sys(e, sys ? sys : EIO, "cannot write");
    return err_place(e, "%s", to);
}

int
folder_move_file(const char *from, const char *to, struct err *e)
{
    struct stat st;

    if (stat(to, &st) == 0) {
        (void)err_set(e, ERR_CONFLICT, "there is such a file already");
        return err_place(e, "%s", to);
    }
    if (rename(from, to) == 0)
        return sync_parent(to) ? err_set_sys(e, errno, "cannot sync") : 0;
    if (errno != EXDEV) {
        (void)err_set_sys(e, errno, "cannot write");
        return err_place(e, "%s", to);
    }
    if (copy_file(from, to, e))
        return -1;
    (void)unlink(from);
    return 0;
}

int
folder_read_config(struct config *c, struct err *e)
{
    struct buf b;
    int r;

    buf_init(&b, CONFIG_FILE_MAX + 1);
    r = folder_read_file(FOLDER_CONFIG, CONFIG_FILE_MAX, &b, e);
    if (r == 0)
        r = config_read(buf_view(&b), c, e);
    buf_clear(&b);
    return r;
}

int
folder_write_config(const struct config *c, struct err *e)
{
    struct buf b;
    int r;

    buf_init(&b, CONFIG_FILE_MAX);
    config_print(c, true, &b);
    r = b.failed ? err_set(e, ERR_LIMIT, "the configuration is too long")
                 : folder_write_file(FOLDER_CONFIG, buf_view(&b), e);
    buf_clear(&b);
    return r;
}

int
folder_lock(const char *path, bool shared, bool wait, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        (void)err_set_sys(e, errno, "cannot open the lock");
        return err_place(e, "%s", path);
    }
    while (flock(fd, (shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB))) {
        if (errno == EINTR)
            continue;
        int sys = errno;
        (void)close(fd);
        if (sys == EWOULDBLOCK)
            (void)err_set(e, ERR_BUSY, "held by another process");
        else
            (void)err_set_sys(e, sys, "cannot lock");
        return err_place(e, "%s", path);
    }
    return fd;
}
