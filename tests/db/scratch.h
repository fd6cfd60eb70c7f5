/* tests/db/scratch.h - a folder of its own for each test, and short forms of the driver's calls. */
#ifndef JAGA_TESTS_DB_SCRATCH_H
#define JAGA_TESTS_DB_SCRATCH_H

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db.h"

#define D (&db_sqlite)

struct scratch {
    char folder[PATH_MAX / 2];
    char path[PATH_MAX];
};

static int
scratch_make(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    const char *tmp = getenv("TMPDIR");

    snprintf(s->folder, sizeof s->folder, "%s/jaga-db-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(s->folder))
        return -1;
    snprintf(s->path, sizeof s->path, "%s/test.db", s->folder);
    *state = s;
    return 0;
}

static int
scratch_remove(void **state)
{
    struct scratch *s = *state;
    DIR *d = opendir(s->folder);
    struct dirent *f;
    char path[PATH_MAX];

    while (d && (f = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", s->folder, f->d_name);
        if (f->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(s->folder);
    free(s);
    return 0;
}

static const struct db_options writer_options = {.mode = DB_WRITE,
                                                 .cache_kib = 1024,
                                                 .busy_ms = 2000,
                                                 .secure_delete = true,
                                                 .page_size = 8192,
                                                 .checkpoint_pages = 1000};
static const struct db_options reader_options = {
    .mode = DB_READ, .cache_kib = 1024, .mmap_bytes = 64 << 20, .busy_ms = 2000};

static inline struct db *
must_open(const char *path, const struct db_options *o)
{
    struct err e = ERR_INIT;
    struct db *d = NULL;

    if (D->open(path, o, &d, &e) < 0) {
        char line[300];

        err_line(&e, line, sizeof line);
        fail_msg("open: %s (%s)", line, err_name(e.code));
    }
    return d;
}

static inline void
must_exec(struct db *d, const char *sql)
{
    struct err e = ERR_INIT;

    if (D->exec(d, sql, &e) < 0)
        fail_msg("%s: %s (%s)", sql, e.text, e.place);
}

/* The first column of the first row. */
static inline int64_t
number(struct db *d, const char *sql)
{
    struct db_stmt *s;
    struct err e = ERR_INIT;
    int64_t v;

    if (D->prepare(d, sql, &s, &e) < 0 || D->step(s, &e) != 1)
        fail_msg("%s: %s (%s)", sql, e.text, e.place);
    v = D->get_int(s, 0);
    D->finalise(s);
    return v;
}

/* The code that one statement fails with; ERR_NONE when it does not. */
static inline enum err_code
code_of(struct db *d, const char *sql)
{
    struct err e = ERR_INIT;

    return D->exec(d, sql, &e) < 0 ? e.code : ERR_NONE;
}

/* What a failed assertion would do in a forked child is confusing: children say it by status. */
#define CHILD_CHECK(x)                                                                             \
    do {                                                                                           \
        if (!(x))                                                                                  \
            _exit(__LINE__ % 200 + 1);                                                             \
    } while (0)

static inline void
must_end_well(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("child: status %x (line %d modulo 200)", (unsigned)status,
                 WEXITSTATUS(status) - 1);
}

#endif
