/*
 * The sandbox: what each process must not do kills it or is refused, what it has to do goes on.
 * Each case runs in a child of its own.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "sandbox.h"

#define N_ROLES 6
static const char *const role_names[N_ROLES] = {"front",  "auth",   "reader",
                                                "writer", "intake", "signer"};
#define FRONT  (1u << SANDBOX_FRONT)
#define AUTH   (1u << SANDBOX_AUTH)
#define READER (1u << SANDBOX_READER)
#define WRITER (1u << SANDBOX_WRITER)
#define INTAKE (1u << SANDBOX_INTAKE)
#define SIGNER (1u << SANDBOX_SIGNER)
#define ALL    63u

static char own[64], other[64]; /* two folders; the first is the sandbox's */
static int pair[2];             /* a socket that the process has */
static int file_fd;             /* a file that the process has open for reading */

/* -- what must not work: each gives 0 if it worked, else errno -- */

static int
rc_of(long rc)
{
    return rc < 0 ? errno : 0;
}

static int
open_passwd(void)
{
    return rc_of(open("/etc/passwd", O_RDONLY));
}

static int
open_other(void)
{
    char path[100];

    snprintf(path, sizeof path, "%s/f", other);
    return rc_of(open(path, O_RDWR));
}

static int
make_other(void)
{
    char path[100];

    snprintf(path, sizeof path, "%s/new", other);
    return rc_of(open(path, O_RDWR | O_CREAT, 0600));
}

static int
open_own_for_writing(void)
{
    char path[100];

    snprintf(path, sizeof path, "%s/f", own);
    return rc_of(open(path, O_RDWR));
}

static int
rename_out(void)
{
    char from[100], to[100];

    snprintf(from, sizeof from, "%s/f", own);
    snprintf(to, sizeof to, "%s/stolen", other);
    return rc_of(rename(from, to));
}

static int
truncate_other(void)
{
    char path[100];

    snprintf(path, sizeof path, "%s/f", other);
    return rc_of(open(path, O_WRONLY | O_TRUNC));
}

static int
make_socket(void)
{
    return rc_of(socket(AF_INET, SOCK_STREAM, 0));
}

static int
make_unix_socket(void)
{
    return rc_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
connect_out(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9)};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return rc_of(connect(pair[0], (struct sockaddr *)&a, sizeof a));
}

static int
bind_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};

    return rc_of(bind(pair[0], (struct sockaddr *)&a, sizeof a));
}

static int
exec_shell(void)
{
    char *const argv[] = {(char *)(uintptr_t) "/bin/true", NULL};
    char *const env[] = {NULL};

    return rc_of(execve("/bin/true", argv, env));
}

static int
fork_one(void)
{
    pid_t p = fork();

    if (p == 0)
        _exit(0);
    return rc_of(p);
}

static int
ptrace_parent(void)
{
    return rc_of(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int
read_parent(void)
{
    return rc_of(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
}

static int
kill_parent(void)
{
    return rc_of(syscall(SYS_kill, 1, 0));
}

static int
map_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED
               ? errno
               : 0;
}

static int
make_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return rc_of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
write_file(void)
{
    return rc_of(pwrite(file_fd, "x", 1, 0));
}

static int
memfd_exec(void)
{
    return rc_of(syscall(SYS_memfd_create, "x", 0));
}

static int
undo_dumpable(void)
{
    return rc_of(syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
raise_limit(void)
{
    struct rlimit r = {.rlim_cur = 5000, .rlim_max = 5000};

    return rc_of(setrlimit(RLIMIT_NOFILE, &r));
}

static int
io_uring(void)
{
    return rc_of(syscall(SYS_io_uring_setup, 1, NULL));
}

static int
mount_it(void)
{
    return rc_of(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
}

static int
make_link(void)
{
    char path[100];

    snprintf(path, sizeof path, "%s/l", own);
    return rc_of(symlink("/etc/passwd", path));
}

static int
accept_one(void)
{
    return rc_of(accept4(pair[0], NULL, NULL, 0));
}

enum how {
    KILLED,
    REFUSED /* by Landlock, with EACCES or EXDEV; without Landlock this is not tested */
};

static const struct attack {
    const char *name;
    int (*act)(void);
    unsigned killed, refused; /* roles */
} attacks[] = {
    {"open /etc/passwd", open_passwd, FRONT | READER | INTAKE | SIGNER, AUTH | WRITER},
    {"open another's file", open_other, FRONT | READER | INTAKE | SIGNER, AUTH | WRITER},
    {"make a file elsewhere", make_other, FRONT | READER | INTAKE | SIGNER, AUTH | WRITER},
    {"open the database for writing", open_own_for_writing, FRONT | READER | INTAKE | SIGNER, 0},
    {"move a file out", rename_out, FRONT | READER | INTAKE | SIGNER, AUTH | WRITER},
    {"truncate another's file", truncate_other, FRONT | READER | INTAKE | SIGNER, AUTH | WRITER},
    {"socket", make_socket, ALL, 0},
    {"unix socket", make_unix_socket, ALL, 0},
    {"connect", connect_out, ALL, 0},
    {"bind", bind_port, ALL, 0},
    {"execve", exec_shell, ALL, 0},
    {"fork", fork_one, ALL, 0},
    {"ptrace", ptrace_parent, ALL, 0},
    {"process_vm_readv", read_parent, ALL, 0},
    {"kill", kill_parent, ALL, 0},
    {"map memory as code", map_code, ALL, 0},
    {"turn memory into code", make_code, ALL, 0},
    {"write an open file", write_file, FRONT | READER | INTAKE, 0},
    {"memfd_create", memfd_exec, ALL, 0},
    {"prctl", undo_dumpable, ALL, 0},
    {"setrlimit", raise_limit, ALL, 0},
    {"io_uring", io_uring, ALL, 0},
    {"mount", mount_it, ALL, 0},
    {"symlink", make_link, ALL, 0},
    {"accept", accept_one, INTAKE | SIGNER, 0},
};

static int landlock_abi;

static void
enter(enum sandbox_role role)
{
    struct sandbox_paths p = {0};
    struct sandbox_result r;
    struct err e = ERR_INIT;

    if (role == SANDBOX_AUTH || role == SANDBOX_WRITER)
        p.write[0] = own;
    if (role == SANDBOX_READER)
        p.read[0] = own;
    if (sandbox_enter(role, &p, 64, &r, &e) < 0) {
        char line[300];

        err_line(&e, line, sizeof line);
        fprintf(stderr, "%s\n", line);
        _exit(99);
    }
    if (r.landlock != landlock_abi)
        _exit(98);
}

/* Runs act in a child under role; the wait status. */
static int
in_child(enum sandbox_role role, int (*act)(void))
{
    int status;
    pid_t p = fork();

    assert_true(p >= 0);
    if (p == 0) {
        enter(role);
        _exit(act());
    }
    assert_int_equal(waitpid(p, &status, 0), p);
    return status;
}

static void
attacks_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        const struct attack *a = &attacks[i];

        for (unsigned role = 0; role < N_ROLES; role++) {
            int status;

            if (!((a->killed | a->refused) & (1u << role)))
                continue;
            if ((a->refused & (1u << role)) && landlock_abi == 0) {
                print_message("# %s, %s: not tested, this kernel has no Landlock\n",
                              role_names[role], a->name);
                continue;
            }
            status = in_child(role, a->act);
            if (a->killed & (1u << role)) {
                if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
                    fail_msg("%s, %s: status %x", role_names[role], a->name, (unsigned)status);
            } else {
                int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

                if (code != EACCES && code != EXDEV)
                    fail_msg("%s, %s: status %x", role_names[role], a->name, (unsigned)status);
            }
        }
    }
}

/* -- what must work -- */

static int
common_work(void)
{
    struct epoll_event ev = {.events = EPOLLIN};
    char byte = 'x';
    void *p;

    if (write(pair[0], &byte, 1) != 1 || read(pair[1], &byte, 1) != 1)
        return 1;
    if (send(pair[0], &byte, 1, MSG_NOSIGNAL) != 1 || recv(pair[1], &byte, 1, 0) != 1)
        return 2;
    if (epoll_ctl(3000, EPOLL_CTL_ADD, 0, &ev) == 0 || errno != EBADF)
        return 3;
    p = mem_alloc(10 << 20);
    if (p == NULL)
        return 4;
    memset(p, 1, 10 << 20);
    p = mem_resize(p, 20 << 20);
    if (p == NULL)
        return 5;
    mem_free(p);
    if (clock_mono().us == 0 || clock_wall_us(NULL) == 0)
        return 6;
    return 0;
}

static sqlite3 *db;

static int
read_db(void)
{
    sqlite3_stmt *st = NULL;
    int n = -1;

    if (sqlite3_prepare_v2(db, "SELECT count(*), max(length(b)) FROM t", -1, &st, NULL) ==
            SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return n;
}

static int
reader_work(void)
{
    int rc = common_work();

    if (rc != 0)
        return rc;
    return read_db() >= 100 ? 0 : 20;
}

static int
writer_work(void)
{
    char path[100], path2[100];
    int fd, rc = common_work();

    if (rc != 0)
        return rc;
    for (int i = 0; i < 3000; i++) { /* enough for a checkpoint */
        if (sqlite3_exec(db, "INSERT INTO t(b) VALUES (randomblob(4000))", NULL, NULL, NULL) !=
            SQLITE_OK)
            return 30;
    }
    if (sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) != SQLITE_OK)
        return 31;
    if (read_db() < 3100)
        return 32;
    /* A small file beside the database: written, synced, put in place. */
    snprintf(path, sizeof path, "%s/new", own);
    snprintf(path2, sizeof path2, "%s/erased", own);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) < 0 || close(fd) < 0 ||
        rename(path, path2) < 0 || unlink(path2) < 0)
        return 33;
    return 0;
}

static void
open_db(int flags, const char *pragma)
{
    char path[100];

    snprintf(path, sizeof path, "%s/t.db", own);
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK ||
        sqlite3_exec(db, pragma, NULL, NULL, NULL) != SQLITE_OK || read_db() < 100)
        _exit(97);
}

static int
under(enum sandbox_role role, int (*act)(void))
{
    int status;
    pid_t p = fork();

    assert_true(p >= 0);
    if (p == 0) {
        if (role == SANDBOX_WRITER || role == SANDBOX_AUTH)
            open_db(SQLITE_OPEN_READWRITE, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                           "PRAGMA temp_store=MEMORY");
        if (role == SANDBOX_READER)
            open_db(SQLITE_OPEN_READONLY, "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456");
        enter(role);
        _exit(act());
    }
    assert_int_equal(waitpid(p, &status, 0), p);
    if (WIFSIGNALED(status))
        fail_msg("%s: killed by signal %d", role_names[role], WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void
work_goes_on(void **state)
{
    (void)state;
    assert_int_equal(under(SANDBOX_FRONT, common_work), 0);
    assert_int_equal(under(SANDBOX_INTAKE, common_work), 0);
    assert_int_equal(under(SANDBOX_SIGNER, common_work), 0);
    assert_int_equal(under(SANDBOX_READER, reader_work), 0);
    assert_int_equal(under(SANDBOX_AUTH, writer_work), 0);
    assert_int_equal(under(SANDBOX_WRITER, writer_work), 0);
}

static int
is_hidden(void)
{
    struct rlimit r;

    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 1;
    if (getrlimit(RLIMIT_CORE, &r) < 0 || r.rlim_max != 0)
        return 2;
    return 0;
}

static void
parent_is_not_dumpable(void **state)
{
    int status;
    pid_t p = fork();

    (void)state;
    if (p == 0) {
        if (sandbox_parent(NULL) < 0)
            _exit(50);
        _exit(is_hidden());
    }
    assert_int_equal(waitpid(p, &status, 0), p);
    assert_int_equal(status, 0);
}

static void
a_missing_folder_is_an_error(void **state)
{
    int status;
    pid_t p = fork();

    (void)state;
    if (p == 0) {
        const struct sandbox_paths paths = {.write = {"/nonexistent/folder"}};
        struct err e = ERR_INIT;
        int rc = sandbox_enter(SANDBOX_WRITER, &paths, 0, NULL, &e);

        _exit(landlock_abi == 0                                       ? rc == 0 ? 0 : 1
              : rc < 0 && strcmp(e.place, "/nonexistent/folder") == 0 ? 0
                                                                      : 2);
    }
    assert_int_equal(waitpid(p, &status, 0), p);
    assert_int_equal(status, 0);
}

static int
group_setup(void **state)
{
    char path[100];
    int fd;

    (void)state;
    landlock_abi =
        (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (landlock_abi < 0)
        landlock_abi = 0;
    print_message("# Landlock version %d\n", landlock_abi);
    strcpy(own, "/tmp/jaga-sandbox-XXXXXX");
    strcpy(other, "/tmp/jaga-sandbox-XXXXXX");
    if (mkdtemp(own) == NULL || mkdtemp(other) == NULL)
        return -1;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/f", i == 0 ? own : other);
        fd = open(path, O_WRONLY | O_CREAT, 0600);
        if (fd < 0 || write(fd, "secret", 6) != 6)
            return -1;
        close(fd);
    }
    snprintf(path, sizeof path, "%s/f", own);
    file_fd = open(path, O_RDONLY);
    snprintf(path, sizeof path, "%s/t.db", own);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA journal_mode=WAL; CREATE TABLE t(b);"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<100)"
                     "INSERT INTO t SELECT randomblob(100) FROM n",
                     NULL, NULL, NULL) != SQLITE_OK)
        return -1;
    sqlite3_close(db);
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int
group_teardown(void **state)
{
    static const char *const files[] = {"f", "t.db", "t.db-wal", "t.db-shm", "l", "new", "stolen"};
    char path[100];

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", own, files[i]);
        unlink(path);
        snprintf(path, sizeof path, "%s/%s", other, files[i]);
        unlink(path);
    }
    close(file_fd);
    close(pair[0]);
    close(pair[1]);
    return rmdir(own) | rmdir(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attacks_fail),
        cmocka_unit_test(work_goes_on),
        cmocka_unit_test(parent_is_not_dumpable),
        cmocka_unit_test(a_missing_folder_is_an_error),
    };

    return cmocka_run_group_tests_name("sandbox", tests, group_setup, group_teardown);
}
