/* Several processes at one database: what a reader sees beside a writer that works, closes or is
 * killed, that neither opens a file later, and copies made meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "scratch.h"

/* Two tables that every transaction keeps equal in number and sum: a torn view shows. */
#define PAIR                                                                                       \
    "CREATE TABLE a(k INTEGER PRIMARY KEY, v INTEGER, b BLOB);"                                    \
    "CREATE TABLE b(k INTEGER PRIMARY KEY, v INTEGER, b BLOB)"

static int
put_pair(struct db *d, int64_t k, struct err *e)
{
    static const char *const sql[] = {"INSERT INTO a VALUES(?1, ?2, randomblob(2000))",
                                      "INSERT INTO b VALUES(?1, ?2, randomblob(2000))"};
    int rc = D->begin(d, e);

    for (int i = 0; rc == 0 && i < 2; i++) {
        struct db_stmt *s;

        rc = D->prepare(d, sql[i], &s, e);
        if (rc < 0)
            break;
        D->bind_int(s, 1, k);
        D->bind_int(s, 2, k * 7);
        rc = D->step(s, e);
        D->finalise(s);
    }
    return rc == 0 ? D->commit(d, e) : -1;
}

/* ---- agents ----
 *
 * Each connection lives in a process of its own, forked before this one has opened anything: within
 * a process SQLite shares locks and index between connections, which is not what is asked here. */

enum op {
    OP_READER, /* open */
    OP_WRITER,
    OP_CLOSE,
    OP_NUMBER, /* of the query in text */
    OP_EXEC,
    OP_PAIR,
    OP_BEGIN,
    OP_COMMIT,
    OP_TRUNCATE,
    OP_CHECK,
    OP_FORBID_FILES,
    OP_READ_MUCH,
    OP_END,
    OP_HOLDS, /* how many files of the folder it holds open or mapped; -1: one can be written */
};

struct ask {
    enum op op;
    int64_t arg;
    char text[300];
};

struct answer {
    enum err_code code;
    int64_t value;
};

struct agent {
    pid_t pid;
    int fd;
};

static bool
forbid_files(void)
{
    static const int calls[] = {
        SCMP_SYS(open),    SCMP_SYS(openat), SCMP_SYS(openat2),  SCMP_SYS(creat),
        SCMP_SYS(unlink),  SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(mkdir),
        SCMP_SYS(mkdirat), SCMP_SYS(link),   SCMP_SYS(linkat),   SCMP_SYS(unlinkat),
        SCMP_SYS(symlink), SCMP_SYS(socket), SCMP_SYS(execve),
    };
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = c != NULL;

    for (size_t i = 0; ok && i < sizeof calls / sizeof calls[0]; i++)
        ok = seccomp_rule_add(c, SCMP_ACT_KILL_PROCESS, calls[i], 0) == 0;
    ok = ok && seccomp_load(c) == 0;
    seccomp_release(c);
    return ok;
}

/* A sort that outgrows every buffer, a join without index, groups: all want scratch space. */
static void
read_much(struct db *d)
{
    static const char *const queries[] = {
        "SELECT count(*) FROM (SELECT b FROM a ORDER BY b, v LIMIT 100000)",
        "SELECT count(DISTINCT substr(b, 1, 1000)) FROM a",
        "SELECT max(c) FROM (SELECT count(*) AS c FROM a JOIN b ON a.v = b.v GROUP BY a.v)",
        ("WITH RECURSIVE c(i) AS (SELECT 1 UNION SELECT i + 1 FROM c WHERE i < 3000)"
         " SELECT count(*) FROM c WHERE i NOT IN (SELECT v FROM b UNION SELECT v FROM a)"),
    };

    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        CHILD_CHECK(number(d, queries[i]) > 0);
}

static int64_t
files_held(const char *folder)
{
    char link[64], name[PATH_MAX], line[PATH_MAX + 200];
    int64_t n = 0;
    FILE *f;

    for (int fd = 0; fd < 256; fd++) {
        ssize_t len;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        len = readlink(link, name, sizeof name - 1);
        if (len < 0)
            continue;
        name[len] = '\0';
        if (strncmp(name, folder, strlen(folder)) != 0)
            continue;
        n++;
        if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
            return -1;
    }
    f = fopen("/proc/self/maps", "re");
    CHILD_CHECK(f != NULL);
    while (fgets(line, sizeof line, f))
        if (strstr(line, folder)) {
            n += strstr(line, " r--s ") != NULL;
            if (strstr(line, " rw"))
                return -1;
        }
    fclose(f);
    return n;
}

static int
serve_one(const struct scratch *t, struct db **d, const struct ask *q, int64_t *value,
          struct err *e)
{
    struct db_stmt *s;
    int rc;

    switch (q->op) {
    case OP_READER:
        return D->open(t->path, &reader_options, d, e);
    case OP_WRITER:
        return D->open(t->path, &writer_options, d, e);
    case OP_CLOSE:
        D->close(*d);
        *d = NULL;
        return 0;
    case OP_NUMBER:
        if (D->prepare(*d, q->text, &s, e) < 0)
            return -1;
        rc = D->step(s, e);
        if (rc == 1)
            *value = D->get_int(s, 0);
        D->finalise(s);
        return rc == 1 ? 0 : -1;
    case OP_EXEC:
        return D->exec(*d, q->text, e);
    case OP_PAIR:
        return put_pair(*d, q->arg, e);
    case OP_BEGIN:
        return D->begin(*d, e);
    case OP_COMMIT:
        return D->commit(*d, e);
    case OP_TRUNCATE:
        return D->checkpoint(*d, true, e);
    case OP_CHECK:
        return D->check(*d, e);
    case OP_FORBID_FILES:
        return forbid_files() ? 0 : -1;
    case OP_READ_MUCH:
        read_much(*d);
        return 0;
    case OP_END:
        D->close(*d);
        _exit(0);
    case OP_HOLDS:
        *value = files_held(t->folder);
        return 0;
    }
    return -1;
}

static struct agent
start_agent(const struct scratch *t)
{
    int pair[2];
    struct agent a;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    a.pid = fork();
    a.fd = pair[0];
    if (a.pid == 0) {
        struct db *d = NULL;
        struct ask q;

        close(pair[0]);
        while (recv(pair[1], &q, sizeof q, 0) == sizeof q) {
            struct err e = ERR_INIT;
            struct answer r = {0};

            if (serve_one(t, &d, &q, &r.value, &e) < 0)
                r.code = e.code ? e.code : ERR_INTERNAL;
            CHILD_CHECK(send(pair[1], &r, sizeof r, MSG_NOSIGNAL) == sizeof r);
        }
        _exit(1);
    }
    close(pair[1]);
    return a;
}

static struct answer
ask(struct agent a, enum op op, int64_t arg, const char *text)
{
    struct ask q = {.op = op, .arg = arg};
    struct answer r = {0};

    snprintf(q.text, sizeof q.text, "%s", text ? text : "");
    assert_int_equal(send(a.fd, &q, sizeof q, MSG_NOSIGNAL), sizeof q);
    if (recv(a.fd, &r, sizeof r, 0) != sizeof r)
        fail_msg("the agent died in operation %d", (int)op);
    return r;
}

static void
must(struct agent a, enum op op)
{
    const struct answer r = ask(a, op, 0, NULL);

    if (r.code != ERR_NONE)
        fail_msg("operation %d: %s", (int)op, err_name(r.code));
}

static int64_t
count(struct agent a)
{
    const struct answer r = ask(a, OP_NUMBER, 0, "SELECT count(*) FROM a");

    if (r.code != ERR_NONE)
        fail_msg("count: %s", err_name(r.code));
    assert_true(ask(a, OP_NUMBER, 0, "SELECT count(*) FROM b").value >= r.value);
    return r.value;
}

static void
put(struct agent a, int64_t from, int64_t to)
{
    for (; from <= to; from++)
        assert_int_equal(ask(a, OP_PAIR, from, NULL).code, ERR_NONE);
}

static void
end(struct agent a)
{
    const struct ask q = {.op = OP_END};

    assert_int_equal(send(a.fd, &q, sizeof q, MSG_NOSIGNAL), sizeof q);
    close(a.fd);
    must_end_well(a.pid);
}

static void
crash(struct agent a)
{
    kill(a.pid, SIGKILL);
    waitpid(a.pid, NULL, 0);
    close(a.fd);
}

/* A database with the pair of tables, and nobody at it. */
static void
make_pair(const struct scratch *t)
{
    struct agent w = start_agent(t);

    must(w, OP_WRITER);
    assert_int_equal(ask(w, OP_EXEC, 0, PAIR).code, ERR_NONE);
    end(w);
}

/* ---- tests ---- */

static void
a_writer_shows_what_it_committed(void **state)
{
    struct scratch *t = *state;
    struct agent w, r;

    make_pair(t);
    w = start_agent(t);
    r = start_agent(t);
    must(w, OP_WRITER);
    must(r, OP_READER);
    must(w, OP_BEGIN);
    assert_int_equal(ask(w, OP_EXEC, 0, "INSERT INTO a(k) VALUES(1)").code, ERR_NONE);
    assert_int_equal(ask(w, OP_EXEC, 0, "INSERT INTO b(k) VALUES(1)").code, ERR_NONE);
    assert_int_equal(count(r), 0);
    must(w, OP_COMMIT);
    assert_int_equal(count(r), 1);
    must(r, OP_BEGIN);
    assert_int_equal(count(r), 1);
    put(w, 2, 2);
    assert_int_equal(ask(w, OP_TRUNCATE, 0, NULL).code,
                     ERR_BUSY);    /* the reader stands on the log */
    assert_int_equal(count(r), 1); /* one snapshot all along */
    must(r, OP_COMMIT);
    assert_int_equal(count(r), 2);
    must(w, OP_TRUNCATE);
    assert_int_equal(count(r), 2);
    put(w, 3, 3);
    assert_int_equal(count(r), 3);
    end(w);
    assert_int_equal(count(r), 3);
    end(r);
}

/* Readers that come and stay in every order with writers that come and go. */
static void
a_reader_outlives_writers(void **state)
{
    struct scratch *t = *state;
    struct agent w, early, late;

    make_pair(t);
    w = start_agent(t);
    early = start_agent(t);
    late = start_agent(t);
    must(w, OP_WRITER);
    put(w, 1, 1);
    must(early, OP_READER);
    must(w, OP_CLOSE);
    must(late, OP_READER); /* beside another reader, no writer */
    assert_int_equal(count(late), 1);
    assert_int_equal(count(early), 1);
    must(late, OP_CLOSE);
    must(early, OP_CLOSE);
    must(late, OP_READER); /* alone */
    assert_int_equal(count(late), 1);
    must(w, OP_WRITER); /* the writer comes back under it */
    for (int k = 2; k < 100; k++) {
        put(w, k, k);
        assert_int_equal(count(late), k);
    }
    must(w, OP_TRUNCATE);
    assert_int_equal(count(late), 99);
    put(w, 100, 100);
    assert_int_equal(count(late), 100);
    must(w, OP_CLOSE);
    assert_int_equal(count(late), 100);
    end(w);
    end(late);
    end(early);
}

static void
a_copied_file_alone_waits_for_a_writer(void **state)
{
    struct scratch *t = *state;
    struct agent r;
    char side[PATH_MAX + 8];

    make_pair(t);
    r = start_agent(t);
    snprintf(side, sizeof side, "%s-shm", t->path);
    assert_int_equal(unlink(side), 0);
    assert_int_equal(ask(r, OP_READER, 0, NULL).code, ERR_BUSY);
    assert_int_equal(access(side, F_OK), -1); /* and it has made no file */
    snprintf(side, sizeof side, "%s-wal", t->path);
    assert_int_equal(unlink(side), 0);
    assert_int_equal(ask(r, OP_READER, 0, NULL).code, ERR_BUSY);
    assert_int_equal(access(side, F_OK), -1);
    end(r);
}

/* A child that opens the database, writes pairs and says each on the pipe once it is committed. */
static pid_t
start_writer(const char *path, int *from_child)
{
    int pipes[2];
    pid_t pid;

    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    if (pid == 0) {
        struct err e = ERR_INIT;
        struct db *d;
        int64_t k;

        close(pipes[0]);
        CHILD_CHECK(D->open(path, &writer_options, &d, &e) == 0);
        k = number(d, "SELECT coalesce(max(k), 0) FROM a");
        for (;;) {
            k++;
            CHILD_CHECK(put_pair(d, k, &e) == 0);
            if (write(pipes[1], &k, sizeof k) != sizeof k)
                break;
        }
        D->close(d);
        _exit(0);
    }
    close(pipes[1]);
    *from_child = pipes[0];
    return pid;
}

/* The last number the writer has said before its end, or *so_far. */
static void
last_said(int fd, int64_t *so_far)
{
    int64_t k;

    while (read(fd, &k, sizeof k) == sizeof k)
        *so_far = k;
}

/* The log's index begins with its header, twice: a commit that is just ending has changed one. */
static void
half_header(const char *path, bool restore)
{
    char side[PATH_MAX];
    unsigned char *head;
    int fd;

    snprintf(side, sizeof side, "%s-shm", path);
    fd = open(side, O_RDWR);
    assert_true(fd >= 0);
    head = mmap(NULL, 96, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(head != MAP_FAILED);
    if (restore)
        memcpy(head, head + 48, 48);
    else
        head[8] ^= 1;
    munmap(head, 96);
    close(fd);
}

/* A commit that ends just while a reader looks at the header: it looks again, for a while. */
static void
a_reader_comes_in_between(void **state)
{
    struct scratch *t = *state;
    struct agent w, r;
    pid_t pid;

    make_pair(t);
    w = start_agent(t);
    r = start_agent(t);
    must(w, OP_WRITER);
    must(r, OP_READER);
    put(w, 1, 1);
    half_header(t->path, false);
    assert_int_equal(ask(r, OP_NUMBER, 0, "SELECT count(*) FROM a").code, ERR_BUSY);
    pid = fork();
    if (pid == 0) {
        usleep(20000);
        half_header(t->path, true);
        _exit(0);
    }
    assert_int_equal(count(r), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    end(w);
    end(r);
}

static void
a_reader_never_sees_half(void **state)
{
    struct scratch *t = *state;
    struct db *r;
    struct db_stmt *a, *b;
    struct err e = ERR_INIT;
    int64_t last = 0, said = 0;
    int fd, moved = 0;
    pid_t pid;

    make_pair(t);
    pid = start_writer(t->path, &fd);
    assert_int_equal(read(fd, &said, sizeof said), sizeof said);
    r = must_open(t->path, &reader_options);
    assert_int_equal(D->prepare(r, "SELECT count(*), sum(v) FROM a", &a, &e), 0);
    assert_int_equal(D->prepare(r, "SELECT count(*), sum(v) FROM b", &b, &e), 0);
    while (moved < 200) {
        int64_t n;

        assert_int_equal(read(fd, &said, sizeof said), sizeof said);
        assert_int_equal(D->begin(r, &e), 0);
        assert_int_equal(D->step(a, &e), 1);
        assert_int_equal(D->step(b, &e), 1);
        n = D->get_int(a, 0);
        assert_true(D->get_int(b, 0) == n);
        assert_true(D->get_int(a, 1) == 7 * n * (n + 1) / 2);
        assert_true(D->get_int(b, 1) == D->get_int(a, 1));
        assert_true(n >= last && n >= said); /* nothing acknowledged is missing */
        moved += n > last;
        last = n;
        D->reset(a);
        D->reset(b);
        assert_int_equal(D->commit(r, &e), 0);
    }
    close(fd);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    D->close(r);
}

static void
a_killed_writer_loses_nothing(void **state)
{
    struct scratch *t = *state;
    struct agent stays;
    int64_t said = 0, n;

    make_pair(t);
    stays = start_agent(t);
    must(stays, OP_READER);
    for (int round = 0; round < 20; round++) {
        struct agent w, r;
        int fd;
        const pid_t pid = start_writer(t->path, &fd);

        for (int i = 0; i <= round; i++)
            assert_int_equal(read(fd, &said, sizeof said), sizeof said);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        last_said(fd, &said);
        close(fd);
        if (round % 3 == 0) { /* one that comes alone, where nobody vouches for the index */
            end(stays);
            stays = start_agent(t);
            must(stays, OP_READER);
        }
        r = start_agent(t); /* before any writer has come back */
        must(r, OP_READER);
        n = count(r);
        assert_true(n >= said && n <= said + 1); /* one may have come too late to be said */
        assert_int_equal(ask(r, OP_NUMBER, 0, "SELECT count(*) FROM b").value, n);
        assert_int_equal(count(stays), n);
        end(r);
        w = start_agent(t);
        must(w, OP_WRITER);
        assert_int_equal(count(w), n);
        must(w, OP_CHECK);
        end(w);
        assert_int_equal(count(stays), n);
    }
    end(stays);
}

/* A large transaction is cut at random moments, also while it spills into the log. */
static void
a_cut_transaction_leaves_nothing(void **state)
{
    struct scratch *t = *state;

    make_pair(t);
    for (int round = 0; round < 10; round++) {
        struct agent w = start_agent(t), r = start_agent(t);
        struct ask q = {.op = OP_EXEC};

        must(w, OP_WRITER);
        must(r, OP_READER);
        must(w, OP_BEGIN);
        snprintf(q.text, sizeof q.text,
                 "INSERT INTO a(v, b) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
                 "c WHERE i < 20000) SELECT i, zeroblob(3000) FROM c");
        assert_int_equal(send(w.fd, &q, sizeof q, 0), sizeof q);
        for (int i = 0; i < 3 * round; i++)
            assert_int_equal(count(r), 0);
        crash(w);
        assert_int_equal(count(r), 0);
        end(r);
        w = start_agent(t);
        must(w, OP_WRITER);
        assert_int_equal(count(w), 0);
        must(w, OP_CHECK);
        end(w);
    }
}

/* The reader comes with the writer there or gone, which is not the same way in. */
static void
a_reader_opens_no_file_later(void **state)
{
    struct scratch *t = *state;

    make_pair(t);
    for (int with_writer = 0; with_writer < 2; with_writer++) {
        struct agent w = start_agent(t), r = start_agent(t);

        must(w, OP_WRITER);
        put(w, with_writer * 1000 + 1, with_writer * 1000 + 200);
        if (!with_writer)
            must(w, OP_CLOSE);
        must(r, OP_READER);
        must(r, OP_FORBID_FILES);
        must(r, OP_READ_MUCH);
        must(w, with_writer ? OP_CLOSE : OP_WRITER);
        must(r, OP_READ_MUCH);
        if (with_writer)
            must(w, OP_WRITER);
        put(w, with_writer * 1000 + 201, with_writer * 1000 + 400);
        must(r, OP_READ_MUCH);
        must(w, OP_TRUNCATE);
        must(r, OP_READ_MUCH);
        put(w, with_writer * 1000 + 401, with_writer * 1000 + 401);
        assert_int_equal(count(r), (with_writer + 1) * 401);
        crash(w);
        must(r, OP_READ_MUCH);
        w = start_agent(t);
        must(w, OP_WRITER);
        must(r, OP_READ_MUCH);
        end(w);
        must(r, OP_CLOSE);
        end(r);
    }
}

static void
a_writer_opens_no_file_later(void **state)
{
    struct scratch *t = *state;

    for (int again = 0; again < 2; again++) { /* a new file, then one that is there */
        const pid_t pid = fork();

        if (pid == 0) {
            static const char many[] =
                "INSERT INTO a(v, b) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
                "c WHERE i < 6000) SELECT 1, zeroblob(6000) FROM c";
            struct db_options o = writer_options;
            struct db *d;
            struct err e = ERR_INIT;

            o.checkpoint_pages = 100;
            o.cache_kib = 64; /* so that a transaction spills */
            o.mmap_bytes = again ? 64 << 20 : 0;
            CHILD_CHECK(D->open(t->path, &o, &d, &e) == 0);
            CHILD_CHECK(forbid_files());
            CHILD_CHECK(again || D->exec(d, PAIR, &e) == 0);
            for (int k = 0; k < 300; k++)
                CHILD_CHECK(put_pair(d, again * 1000 + k, &e) == 0);
            /* Over 4,096 frames, so that the index needs a second piece; and a rollback of it. */
            for (int keep = 0; keep < 2; keep++) {
                CHILD_CHECK(D->begin(d, &e) == 0);
                CHILD_CHECK(D->exec(d, many, &e) == 0);
                CHILD_CHECK(D->exec(d, "UPDATE a SET v = v + 1 WHERE v = 1", &e) == 0);
                CHILD_CHECK(keep ? D->commit(d, &e) == 0 : (D->rollback(d), true));
            }
            read_much(d);
            CHILD_CHECK(D->exec(d, "DELETE FROM a WHERE v = 2", &e) == 0);
            CHILD_CHECK(D->checkpoint(d, true, &e) == 0);
            CHILD_CHECK(put_pair(d, again * 1000 + 500, &e) == 0);
            CHILD_CHECK(D->check(d, &e) == 0);
            D->close(d);
            _exit(0);
        }
        must_end_well(pid);
    }
}

/* What a reader that was taken over could write to: nothing. */
static void
a_reader_holds_nothing_writable(void **state)
{
    struct scratch *t = *state;
    struct agent w, r;

    make_pair(t);
    for (int with_writer = 0; with_writer < 2; with_writer++) {
        w = start_agent(t);
        r = start_agent(t);
        must(w, OP_WRITER);
        put(w, with_writer * 100 + 1, with_writer * 100 + 100);
        if (!with_writer)
            must(w, OP_CLOSE);
        must(r, OP_READER);
        assert_int_equal(count(r), with_writer * 100 + 100);
        /* Database, log and index open; the database mapped, and the index where a writer
         * vouches for it. */
        assert_int_equal(ask(r, OP_HOLDS, 0, NULL).value, 4 + with_writer);
        assert_int_equal(ask(w, OP_HOLDS, 0, NULL).value, with_writer ? -1 : 0);
        end(w);
        end(r);
    }
}

struct seen {
    int calls, last, total;
};

static void
progress(int done, int total, void *arg)
{
    struct seen *s = arg;

    assert_true(done >= s->last && done <= total);
    s->calls++;
    s->last = done;
    s->total = total;
}

static void
a_copy_made_meanwhile_is_whole(void **state)
{
    struct scratch *t = *state;
    struct db *w = must_open(t->path, &writer_options);
    struct db *r, *copy;
    struct err e = ERR_INIT;
    char to[PATH_MAX + 16], side[PATH_MAX + 32];
    struct seen s = {0};
    int64_t before, first = 0, n, said = 0;
    struct stat st;
    pid_t pid;
    int fd;

    must_exec(w, PAIR ";"
                      "INSERT INTO a(k, v, b) WITH RECURSIVE c(i) AS (SELECT -1 UNION ALL SELECT "
                      "i - 1 FROM c WHERE i > -8000) SELECT i, 0, zeroblob(4000) FROM c;"
                      "INSERT INTO b SELECT * FROM a");
    D->close(w);
    pid = start_writer(t->path, &fd);
    assert_int_equal(read(fd, &said, sizeof said), sizeof said);
    r = must_open(t->path, &reader_options);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    for (int round = 0; round < 3; round++) {
        last_said(fd, &said); /* so that the pipe never fills */
        snprintf(to, sizeof to, "%s/copy%d.db", t->folder, round);
        before = number(r, "SELECT count(*) FROM a");
        first = round == 0 ? before : first;
        s = (struct seen){0};
        if (D->backup(r, to, progress, &s, &e) < 0)
            fail_msg("%s (%s)", e.text, e.place);
        assert_true(s.calls > 3 && s.last == s.total);
        assert_int_equal(stat(to, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        for (int i = 0; i < 3; i++) { /* one file, nothing beside it */
            static const char *const ends[] = {"-wal", "-shm", "-journal"};

            snprintf(side, sizeof side, "%s%s", to, ends[i]);
            assert_int_equal(access(side, F_OK), -1);
        }
        copy = must_open(to, &writer_options);
        assert_int_equal(D->check(copy, &e), 0);
        n = number(copy, "SELECT count(*) FROM a");
        assert_true(n >= before);
        assert_int_equal(number(copy, "SELECT count(*) FROM b"), n);
        assert_int_equal(number(copy, "SELECT count(*) FROM a JOIN b USING(k, v, b)") >= 8000, 1);
        D->close(copy);
        assert_int_equal(D->backup(r, to, NULL, NULL, &e), -1); /* never over another file */
        assert_int_equal(e.code, ERR_CONFLICT);
        copy = must_open(to, &writer_options);
        assert_int_equal(number(copy, "SELECT count(*) FROM a"), n);
        D->close(copy);
    }
    assert_true(number(r, "SELECT count(*) FROM a") > first); /* it did write on meanwhile */
    assert_int_equal(D->begin(r, &e), 0);
    snprintf(to, sizeof to, "%s/within.db", t->folder);
    assert_int_equal(D->backup(r, to, NULL, NULL, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    D->rollback(r);
    snprintf(to, sizeof to, "%s/none/copy.db", t->folder);
    assert_int_equal(D->backup(r, to, NULL, NULL, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_int_equal(e.sys, ENOENT);
    close(fd);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    D->close(r);
}

int
main(void)
{
#define IN_SCRATCH(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_writer_shows_what_it_committed),
        IN_SCRATCH(a_reader_outlives_writers),
        IN_SCRATCH(a_copied_file_alone_waits_for_a_writer),
        IN_SCRATCH(a_reader_comes_in_between),
        IN_SCRATCH(a_reader_never_sees_half),
        IN_SCRATCH(a_killed_writer_loses_nothing),
        IN_SCRATCH(a_cut_transaction_leaves_nothing),
        IN_SCRATCH(a_reader_opens_no_file_later),
        IN_SCRATCH(a_writer_opens_no_file_later),
        IN_SCRATCH(a_reader_holds_nothing_writable),
        IN_SCRATCH(a_copy_made_meanwhile_is_whole),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
