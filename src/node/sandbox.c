#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define LOOSE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define LOOSE 1
#endif
#endif
#ifndef LOOSE
#define LOOSE 0
#endif

/* -- system calls -- */

#define F   (1u << SANDBOX_FRONT)
#define A   (1u << SANDBOX_AUTH)
#define R   (1u << SANDBOX_READER)
#define W   (1u << SANDBOX_WRITER)
#define I   (1u << SANDBOX_INTAKE)
#define S   (1u << SANDBOX_SIGNER)
#define ALL (F | A | R | W | I | S)

enum arg {
    ANY,
    NO_EXEC, /* memory protection (third argument) without PROT_EXEC: no code comes in by data */
    COMMAND, /* the second argument (fcntl's command) is .value */
    NO_PATH  /* newfstatat as glibc's fstat calls it: of a descriptor */
};

struct rule {
    int call;
    unsigned roles;
    enum arg arg;
    unsigned value;
};

static const struct rule rules[] = {
    /* memory, time, the loop */
    {SCMP_SYS(brk), ALL, ANY, 0},
    {SCMP_SYS(mmap), ALL, NO_EXEC, 0},
    {SCMP_SYS(mprotect), ALL, NO_EXEC, 0},
    {SCMP_SYS(mremap), ALL, ANY, 0},
    {SCMP_SYS(munmap), ALL, ANY, 0},
    {SCMP_SYS(madvise), ALL, ANY, 0},
    {SCMP_SYS(futex), ALL, ANY, 0},
    {SCMP_SYS(getrandom), ALL, ANY, 0},
    {SCMP_SYS(clock_gettime), ALL, ANY, 0},
    {SCMP_SYS(gettimeofday), ALL, ANY, 0},
    {SCMP_SYS(time), ALL, ANY, 0},
    {SCMP_SYS(clock_nanosleep), ALL, ANY, 0}, /* SQLite waits for a lock with it */
    {SCMP_SYS(nanosleep), ALL, ANY, 0},
    {SCMP_SYS(getpid), ALL, ANY, 0},
    {SCMP_SYS(getrusage), ALL, ANY, 0},
    {SCMP_SYS(sysinfo), ALL, ANY, 0}, /* qsort of glibc asks how much memory there is */
    {SCMP_SYS(epoll_wait), ALL, ANY, 0},
    {SCMP_SYS(epoll_pwait), ALL, ANY, 0},
    {SCMP_SYS(epoll_ctl), ALL, ANY, 0},
    {SCMP_SYS(poll), ALL, ANY, 0},
    {SCMP_SYS(ppoll), ALL, ANY, 0},
    {SCMP_SYS(restart_syscall), ALL, ANY, 0},
    {SCMP_SYS(rt_sigreturn), ALL, ANY, 0},
    {SCMP_SYS(rt_sigprocmask), ALL, ANY, 0},
    {SCMP_SYS(exit), ALL, ANY, 0},
    {SCMP_SYS(exit_group), ALL, ANY, 0},
    /* descriptors that are open */
    {SCMP_SYS(read), ALL, ANY, 0},
    {SCMP_SYS(write), ALL, ANY, 0},
    {SCMP_SYS(writev), ALL, ANY, 0},
    {SCMP_SYS(close), ALL, ANY, 0},
    {SCMP_SYS(recvmsg), ALL, ANY, 0},
    {SCMP_SYS(sendmsg), ALL, ANY, 0},
    {SCMP_SYS(recvfrom), ALL, ANY, 0},
    {SCMP_SYS(sendto), ALL, ANY, 0},
    {SCMP_SYS(shutdown), ALL, ANY, 0},
    {SCMP_SYS(accept4), F | A | R | W, ANY, 0},
    {SCMP_SYS(accept), F | A | R | W, ANY, 0},
    {SCMP_SYS(getsockopt), F | A | R | W, ANY, 0}, /* who is on the other side */
    {SCMP_SYS(setsockopt), F, ANY, 0},
    {SCMP_SYS(getsockname), F, ANY, 0},
    {SCMP_SYS(getpeername), F, ANY, 0},
    {SCMP_SYS(fcntl), ALL, COMMAND, F_GETFD},
    {SCMP_SYS(fcntl), ALL, COMMAND, F_SETFD},
    {SCMP_SYS(fcntl), ALL, COMMAND, F_GETFL},
    {SCMP_SYS(fcntl), ALL, COMMAND, F_SETFL},
    {SCMP_SYS(fcntl), ALL, COMMAND, F_DUPFD_CLOEXEC},
    {SCMP_SYS(fstat), ALL, ANY, 0},
    {SCMP_SYS(newfstatat), F | I | S, NO_PATH, 0},
    {SCMP_SYS(newfstatat), A | R | W, ANY, 0},
    {SCMP_SYS(lseek), A | R | W | I, ANY, 0},
    {SCMP_SYS(fallocate), R | A | W, ANY, 0}, /* reader: large answers' pages go back */
    /* a database that is open */
    {SCMP_SYS(pread64), A | R | W | S, ANY, 0},
    {SCMP_SYS(fcntl), A | R | W, COMMAND, F_SETLK},
    {SCMP_SYS(fcntl), A | R | W, COMMAND, F_SETLKW},
    {SCMP_SYS(fcntl), A | R | W, COMMAND, F_GETLK},
    {SCMP_SYS(geteuid), A | R | W, ANY, 0},
    /* a database that is written; which files: Landlock */
    {SCMP_SYS(pwrite64), A | W | S, ANY, 0},
    {SCMP_SYS(fsync), A | W | S, ANY, 0},
    {SCMP_SYS(fdatasync), A | W | S, ANY, 0},
    {SCMP_SYS(ftruncate), A | W, ANY, 0},
    {SCMP_SYS(fadvise64), A | W, ANY, 0},
    {SCMP_SYS(open), A | W, ANY, 0},
    {SCMP_SYS(openat), A | W, ANY, 0},
    {SCMP_SYS(access), A | W, ANY, 0},
    {SCMP_SYS(faccessat), A | W, ANY, 0},
    {SCMP_SYS(faccessat2), A | W, ANY, 0},
    {SCMP_SYS(stat), A | W, ANY, 0},
    {SCMP_SYS(lstat), A | W, ANY, 0},
    {SCMP_SYS(readlink), A | W, ANY, 0},
    {SCMP_SYS(readlinkat), A | W, ANY, 0},
    {SCMP_SYS(getcwd), A | W, ANY, 0},
    {SCMP_SYS(unlink), A | W, ANY, 0},
    {SCMP_SYS(unlinkat), A | W, ANY, 0},
    {SCMP_SYS(rename), A | W, ANY, 0},
    {SCMP_SYS(renameat), A | W, ANY, 0},
    {SCMP_SYS(renameat2), A | W, ANY, 0},
    {SCMP_SYS(fchmod), A | W, ANY, 0},
    {SCMP_SYS(fchown), A | W, ANY, 0},
    {SCMP_SYS(getdents64), A | W, ANY, 0},
    {SCMP_SYS(fstatfs), A | W, ANY, 0}, /* how much room the disk has */
    {SCMP_SYS(statfs), A | W, ANY, 0},
};

/* What a sanitizer's run time asks for besides, to watch and to report; the tests find the same
 * ways out closed. */
static const struct rule loose_rules[] = {
    {SCMP_SYS(sigaltstack), ALL, ANY, 0}, {SCMP_SYS(rt_sigaction), ALL, ANY, 0},
    {SCMP_SYS(gettid), ALL, ANY, 0},      {SCMP_SYS(tgkill), ALL, ANY, 0},
    {SCMP_SYS(sched_yield), ALL, ANY, 0}, {SCMP_SYS(readlink), ALL, ANY, 0},
    {SCMP_SYS(uname), ALL, ANY, 0},       {SCMP_SYS(pipe2), ALL, ANY, 0},
    {SCMP_SYS(pipe), ALL, ANY, 0},        {SCMP_SYS(getuid), ALL, ANY, 0},
    {SCMP_SYS(newfstatat), ALL, ANY, 0},  {SCMP_SYS(set_robust_list), ALL, ANY, 0},
};

static int
add_rule(scmp_filter_ctx ctx, const struct rule *r)
{
    switch (r->arg) {
    case NO_EXEC:
        return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, r->call, 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case COMMAND:
        return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, r->call, 1,
                                SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, r->value));
    case NO_PATH:
        return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, r->call, 1,
                                SCMP_A3(SCMP_CMP_MASKED_EQ, UINT32_MAX, AT_EMPTY_PATH));
    case ANY:
        break;
    }
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, r->call, 0);
}

static int
add_rules(scmp_filter_ctx ctx, enum sandbox_role role, const struct rule *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc;

        if (!(table[i].roles & (1u << role)))
            continue;
        rc = add_rule(ctx, &table[i]);
        /* A call that this architecture does not have needs no permission. */
        if (rc < 0 && rc != -EDOM)
            return rc;
    }
    return 0;
}

static int
filter_calls(enum sandbox_role role, struct err *e)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int rc;

    if (ctx == NULL)
        return err_set(e, ERR_MEMORY, "no memory for the system call filter");
    /* A tree, not a list: some eighty rules are compared for each call otherwise. */
    rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (rc == 0)
        rc = add_rules(ctx, role, rules, sizeof rules / sizeof *rules);
    if (rc == 0 && LOOSE)
        rc = add_rules(ctx, role, loose_rules, sizeof loose_rules / sizeof *loose_rules);
    if (rc == 0)
        rc = seccomp_load(ctx);
    seccomp_release(ctx);
    if (rc < 0)
        return err_set_sys(e, -rc, "cannot set the system call filter");
    return 0;
}

/* -- Landlock -- */

/* As in <linux/landlock.h> of later kernels than Debian 12's headers: a kernel takes the part that
 * it knows (ABI 1: files, 4: network, 6: scopes). */
struct ruleset {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

#define FS_ABI_1     ((UINT64_C(1) << 13) - 1)
#define FS_REFER     (UINT64_C(1) << 13) /* ABI 2 */
#define FS_TRUNCATE  (UINT64_C(1) << 14) /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_TCP      UINT64_C(3)         /* ABI 4: bind and connect */
#define SCOPE_SOCKET                                                                               \
    UINT64_C(1) /* ABI 6: abstract sockets of others.  Not the scope for                           \
                   signals: it would be of no use under seccomp, which                             \
                   allows no kill, and has broken an orderly stop. */

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                                                   \
    (FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                    \
     LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE)

static int
allow_folder(int set, const char *path, uint64_t access, struct err *e)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    int rc;

    rule.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (rule.parent_fd < 0) {
        err_set_sys(e, errno, "cannot open a folder for the sandbox");
        return err_place(e, "%s", path);
    }
    rc = (int)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (rc < 0) {
        err_set_sys(e, errno, "cannot allow a folder in the sandbox");
        err_place(e, "%s", path);
    }
    close(rule.parent_fd);
    return rc;
}

int
sandbox_landlock(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version < 1 ? 0 : (int)version;
}

/* *abi gets the version in force, 0 where the kernel has none or has it switched off. */
static int
restrict_files(const struct sandbox_paths *p, int *abi, struct err *e)
{
    struct ruleset attr = {.fs = FS_ABI_1};
    size_t size = sizeof attr.fs;
    int version = sandbox_landlock(), set, rc = 0;

    *abi = 0;
    if (version < 1)
        return 0;
    if (version >= 2)
        attr.fs |= FS_REFER;
    if (version >= 3)
        attr.fs |= FS_TRUNCATE;
    if (version >= 4) {
        attr.net = NET_TCP;
        size = sizeof attr.fs + sizeof attr.net;
    }
    if (version >= 5)
        attr.fs |= FS_IOCTL_DEV;
    if (version >= 6) {
        attr.scoped = SCOPE_SOCKET;
        size = sizeof attr;
    }
    set = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (set < 0)
        return err_set_sys(e, errno, "cannot make a Landlock rule set");
    for (size_t i = 0; rc == 0 && p != NULL && i < SANDBOX_PATHS_MAX && p->write[i] != NULL; i++)
        rc = allow_folder(set, p->write[i], FS_WRITE & attr.fs, e);
    for (size_t i = 0; rc == 0 && p != NULL && i < SANDBOX_PATHS_MAX && p->read[i] != NULL; i++)
        rc = allow_folder(set, p->read[i], FS_READ, e);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, set, 0) < 0)
        rc = err_set_sys(e, errno, "cannot put Landlock in force");
    close(set);
    if (rc == 0)
        *abi = version;
    return rc;
}

/* -- all of it -- */

static int
limit(int what, rlim_t most, struct err *e)
{
    struct rlimit r = {.rlim_cur = most, .rlim_max = most}, now;

    /* Never more than we were given: raising needs a right that we do not have. */
    if (getrlimit((__rlimit_resource_t)what, &now) == 0 && now.rlim_max < most)
        r.rlim_cur = r.rlim_max = now.rlim_max;
    /* The C library gives the resource a type of its own, which differs between languages. */
    if (setrlimit((__rlimit_resource_t)what, &r) < 0)
        return err_set_sys(e, errno, "cannot set a resource limit");
    return 0;
}

int
sandbox_parent(struct err *e)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_set_sys(e, errno, "cannot give up new privileges");
    /* Nobody of the same user may attach to a process that sees passwords or keys. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_set_sys(e, errno, "cannot become undumpable");
    return limit(RLIMIT_CORE, 0, e);
}

int
sandbox_enter(enum sandbox_role role, const struct sandbox_paths *p, unsigned nofile,
              struct sandbox_result *out, struct err *e)
{
    struct sandbox_result got = {.landlock = 0, .loose = LOOSE};

    if (sandbox_parent(e) < 0)
        return -1;
    if (nofile != 0 && limit(RLIMIT_NOFILE, nofile, e) < 0)
        return -1;
    if (restrict_files(p, &got.landlock, e) < 0)
        return -1;
    if (filter_calls(role, e) < 0)
        return -1;
    if (out != NULL)
        *out = got;
    return 0;
}
