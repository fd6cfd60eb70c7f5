#include "parent.h"

#include <errno.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "family.h"
#include "folder.h"
#include "mem.h"
#include "sandbox.h"
#include "tls_cert.h"

#define BACKLOG       1024
#define BIND_TRIES    40
#define BIND_PAUSE_US 50000
#define STOP_GRACE_US (5 * INT64_C(1000000)) /* per stage, then SIGKILL */
#define GUARD_POLL_US 20000
#define FIRST_TRIES   3 /* a child that never came up so often: the node cannot start */

/* Stages of an orderly end: who speaks to the outside first, who writes last. */
enum stage { RUNNING, STOP_FRONTS, STOP_READERS, STOP_WRITER, STOPPED };

struct parent {
    struct family family;
    const struct parent_options *o;
    struct loop_watch signals, guard;
    struct loop_watch wanted[NODE_ROLES]; /* a command's: processes that nobody has asked yet */
    struct loop_timer stop_timer, guard_timer;
    int signal_fd, lock_fd;
    enum stage stage;
    bool ready_said, failed;
    struct buf cert, key;
    struct err *e;
};

static void next_stage(struct parent *p);

static struct parent *
parent_of(struct family *f)
{
    return (struct parent *)((char *)f - offsetof(struct parent, family));
}

/* -- ending -------------------------------------------------------------------------------------
 */

static bool
in_stage(const struct kid *k, enum stage s)
{
    switch (s) {
    case STOP_FRONTS:
        return k->role == NODE_FRONT;
    case STOP_READERS:
        return k->role == NODE_READER || k->role == NODE_AUTH || k->role == NODE_SIGNER;
    case STOP_WRITER:
        return k->role == NODE_WRITER;
    case RUNNING:
    case STOPPED:
        break;
    }
    return false;
}

static void
stage_over(void *ctx)
{
    struct parent *p = ctx;

    for (size_t i = 0; i < p->family.kid_n; i++)
        if (in_stage(&p->family.kids[i], p->stage) && p->family.kids[i].state != KID_DOWN)
            kid_kill(&p->family.kids[i]);
}

static bool
stage_done(const struct parent *p)
{
    for (size_t i = 0; i < p->family.kid_n; i++)
        if (in_stage(&p->family.kids[i], p->stage) && p->family.kids[i].state != KID_DOWN)
            return false;
    return true;
}

static void
next_stage(struct parent *p)
{
    do {
        p->stage++;
        for (size_t i = 0; i < p->family.kid_n; i++)
            if (in_stage(&p->family.kids[i], p->stage))
                kid_stop(&p->family.kids[i]);
        if (p->stage == STOPPED) {
            loop_timer_stop(&p->stop_timer);
            loop_stop(p->family.loop);
            return;
        }
    } while (stage_done(p));
    loop_timer_set(p->family.loop, &p->stop_timer, STOP_GRACE_US, stage_over, p);
}

static void
end(struct parent *p)
{
    if (p->stage != RUNNING)
        return;
    p->family.stopping = true;
    next_stage(p);
}

static void
give_up(struct parent *p)
{
    if (!p->failed) {
        enum err_code code = p->family.last_code;
        (void)err_set(p->e, code ? code : ERR_INTERNAL, "the node cannot start");
        (void)err_place(p->e, "%.150s", p->family.last_words);
    }
    p->failed = true;
    end(p);
}

/* -- starting -----------------------------------------------------------------------------------
 */

static void
start_role(struct parent *p, enum node_role role)
{
    for (size_t i = 0; i < p->family.kid_n; i++) {
        struct kid *k = &p->family.kids[i];
        if (k->role == role && k->state == KID_DOWN && !k->was_up && !k->timer.loop &&
            kid_start(k, p->e)) {
            p->failed = true;
            end(p);
            return;
        }
    }
}

static void
say_ready(struct parent *p)
{
    p->ready_said = true;
    if (p->o->ready_fd >= 0 && write(p->o->ready_fd, "!", 1) != 1)
        log_line(&p->family.log, LOG_WARN, "nobody waited for the start");
    if (p->o->ready)
        p->o->ready(p->o->config, p->o->ctx);
}

/* Somebody has connected to a process that is not there yet. */
static void
on_wanted(void *ctx, unsigned events)
{
    struct parent *p = ctx;
    static const enum node_role roles[] = {NODE_READER, NODE_AUTH};

    (void)events;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        struct loop_watch *w = &p->wanted[roles[i]];
        struct pollfd asked = {.fd = p->family.local_fd[roles[i]], .events = POLLIN};

        if (w->loop == NULL || poll(&asked, 1, 0) <= 0)
            continue;
        loop_watch_stop(w);
        if (p->stage == RUNNING)
            start_role(p, roles[i]);
    }
}

/* A command's family is ready with its writer.  Most commands ask one more process, an import
 * none, so each is started when somebody first connects to its socket. */
static void
ready_to_start(struct parent *p)
{
    static const enum node_role roles[] = {NODE_READER, NODE_AUTH};

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (loop_watch_start(p->family.loop, &p->wanted[roles[i]], p->family.local_fd[roles[i]],
                             LOOP_READ, on_wanted, p, p->e) != 0) {
            p->failed = true;
            end(p);
            return;
        }
    }
    say_ready(p);
}

/* A kid came up or ended: the writer comes first, then who reads it, then who lets others in. */
static void
changed(struct family *f, struct kid *k)
{
    struct parent *p = parent_of(f);

    if (p->stage != RUNNING) {
        if (p->stage != STOPPED && stage_done(p))
            next_stage(p);
        return;
    }
    if (k->state == KID_DOWN) {
        /* Without a signer the node serves on, and signs when it is back. */
        if (k->role != NODE_SIGNER && !k->was_up && (!p->ready_said || !p->o->serve) &&
            k->failures >= FIRST_TRIES)
            give_up(p);
        return;
    }
    if (!p->o->serve) {
        if (!p->ready_said)
            ready_to_start(p);
        return;
    }
    if (family_all(f, NODE_WRITER, KID_UP)) {
        start_role(p, NODE_READER);
        start_role(p, NODE_AUTH);
        start_role(p, NODE_SIGNER);
    }
    if (family_all(f, NODE_WRITER, KID_UP) && family_all(f, NODE_READER, KID_UP) &&
        family_all(f, NODE_AUTH, KID_UP)) {
        start_role(p, NODE_FRONT);
        if (family_all(f, NODE_FRONT, KID_UP) && !p->ready_said)
            say_ready(p);
    }
}

static void
reap(struct parent *p)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < p->family.kid_n; i++)
            if (p->family.kids[i].pid == pid) {
                kid_ended(&p->family.kids[i], status);
                break;
            }
}

static void
on_signal(void *ctx, unsigned events)
{
    struct parent *p = ctx;
    struct signalfd_siginfo info;

    (void)events;
    while (read(p->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            reap(p);
        else
            end(p);
    }
}

/* The command that started us is gone; others may still use the folder. */
static void
guard_check(void *ctx)
{
    struct parent *p = ctx;
    struct err e = ERR_INIT;
    int fd = folder_lock(FOLDER_USERS, false, false, &e);

    if (fd < 0 && e.code == ERR_BUSY) {
        loop_timer_set(p->family.loop, &p->guard_timer, GUARD_POLL_US, guard_check, p);
        return;
    }
    /* fd keeps the lock until this process ends: who comes now waits, and starts anew. */
    end(p);
}

static void
on_guard(void *ctx, unsigned events)
{
    struct parent *p = ctx;

    (void)events;
    loop_watch_stop(&p->guard);
    guard_check(p);
}

/* -- sockets ------------------------------------------------------------------------------------
 */

static int
listen_tcp(const char *text, struct err *e)
{
    char addr[64];
    uint16_t port;
    struct sockaddr_in six4 = {.sin_family = AF_INET};
    struct sockaddr_in6 six6 = {.sin6_family = AF_INET6};
    const struct sockaddr *sa = (const struct sockaddr *)&six4;
    socklen_t len = sizeof six4;
    int one = 1, bad;

    if (!config_listen_parts(span_of(text), addr, &port))
        return err_set(e, ERR_USAGE, "not an address and port");
    if (strchr(addr, ':')) {
        sa = (const struct sockaddr *)&six6;
        len = sizeof six6;
        six6.sin6_port = htons(port);
        (void)inet_pton(AF_INET6, addr, &six6.sin6_addr);
    } else {
        six4.sin_port = htons(port);
        (void)inet_pton(AF_INET, addr, &six4.sin_addr);
    }
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_sys(e, errno, "cannot make a socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (sa->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    /* A parent that was killed leaves children that see it within milliseconds, and hold the socket
     * until then. */
    for (int tries = 0; (bad = bind(fd, sa, len)) && errno == EADDRINUSE && tries < BIND_TRIES;
         tries++)
        (void)usleep(BIND_PAUSE_US);
    if (bad || listen(fd, BACKLOG)) {
        (void)err_set_sys(e, errno, "cannot listen");
        (void)close(fd);
        return err_place(e, "%s", text);
    }
    return fd;
}

static int
open_sockets(struct parent *p, struct err *e)
{
    struct family *f = &p->family;

    for (unsigned i = 0; p->o->serve && i < p->o->config->listen_n; i++)
        if ((f->listen_fd[i] = listen_tcp(p->o->config->listen[i], e)) < 0)
            return -1;
    if ((f->local_fd[NODE_WRITER] = frame_listen(FOLDER_WRITER, e)) < 0 ||
        (f->local_fd[NODE_READER] = frame_listen(FOLDER_READER, e)) < 0 ||
        (f->local_fd[NODE_AUTH] = frame_listen(FOLDER_SIGNIN, e)) < 0)
        return -1;
    return 0;
}

static int
read_certificate(struct parent *p, struct err *e)
{
    const struct config *c = p->o->config;
    struct tls_cert_info info;

    if (folder_read_file(c->certificate[0] ? c->certificate : FOLDER_CERT, TLS_PEM_MAX, &p->cert,
                         e) ||
        folder_read_file(c->key[0] ? c->key : FOLDER_KEY, TLS_PEM_MAX, &p->key, e) ||
        tls_cert_read(buf_view(&p->cert), buf_view(&p->key), clock_wall_us(NULL), &info, e))
        return -1;
    if (info.days_left < 30)
        log_line(&p->family.log, LOG_WARN, "the certificate ends soon",
                 LOG_N("days", info.days_left));
    p->family.cert_pem = buf_view(&p->cert);
    p->family.key_pem = buf_view(&p->key);
    return 0;
}

static int
catch_signals(struct parent *p, struct err *e)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) ||
        (p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return err_set_sys(e, errno, "cannot catch signals");
    return loop_watch_start(p->family.loop, &p->signals, p->signal_fd, LOOP_READ, on_signal, p, e);
}

static int
prepare(struct parent *p, struct err *e)
{
    const struct config *c = p->o->config;
    struct family *f = &p->family;
    struct stat st;

    if (stat("data", &st))
        return err_set_sys(e, errno, "cannot look at the data folder");
    f->config = c;
    f->owner = st.st_uid;
    f->changed = changed;
    f->log = (struct log){.fd = 2, .level = c->log, .who = "parent"};
    if (!p->o->serve && f->log.level == LOG_INFO)
        f->log.level = LOG_WARN;
    if (sandbox_parent(e) || crypto_start(e))
        return -1;
    key_random(&f->ticket_key);
    p->lock_fd = folder_lock(FOLDER_LOCK, false, false, e);
    if (p->lock_fd < 0) {
        if (e->code == ERR_BUSY)
            return err_set(e, ERR_CONFLICT, "a node runs in this folder already");
        return -1;
    }
    if (!(f->loop = loop_new(e)) || catch_signals(p, e) ||
        (p->o->serve && read_certificate(p, e)) || open_sockets(p, e))
        return -1;
    family_add(f, NODE_WRITER, 0);
    family_add(f, NODE_AUTH, 0);
    if (p->o->serve)
        family_add(f, NODE_SIGNER, 0);
    /* A command asks the last reader alone. */
    for (unsigned i = p->o->serve ? 0 : (unsigned)c->readers - 1; i < (unsigned)c->readers; i++)
        family_add(f, NODE_READER, i);
    for (unsigned i = 0; p->o->serve && i < c->listen_n; i++)
        family_add(f, NODE_FRONT, i);
    if (p->o->guard_fd >= 0 &&
        loop_watch_start(f->loop, &p->guard, p->o->guard_fd, LOOP_READ, on_guard, p, e))
        return -1;
    return 0;
}

static void
clean(struct parent *p)
{
    struct family *f = &p->family;

    for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++)
        if (f->listen_fd[i] >= 0)
            (void)close(f->listen_fd[i]);
    for (size_t i = 0; i < NODE_ROLES; i++)
        if (f->local_fd[i] >= 0)
            (void)close(f->local_fd[i]);
    if (p->lock_fd >= 0) {
        (void)unlink(FOLDER_WRITER);
        (void)unlink(FOLDER_READER);
        (void)unlink(FOLDER_SIGNIN);
        (void)close(p->lock_fd);
    }
    loop_free(f->loop); /* what it watches is closed here, and not used again */
    if (p->signal_fd >= 0)
        (void)close(p->signal_fd);
    key_wipe(&f->ticket_key);
    if (p->key.p)
        mem_wipe(p->key.p, p->key.n);
    buf_clear(&p->key);
    buf_clear(&p->cert);
}

int
parent_run(const struct parent_options *o, struct err *e)
{
    struct parent p = {.o = o, .signal_fd = -1, .lock_fd = -1, .e = e};

    family_init(&p.family);
    buf_init(&p.cert, TLS_PEM_MAX + 1);
    buf_init(&p.key, TLS_PEM_MAX + 1);
    if (prepare(&p, e)) {
        p.failed = true;
    } else {
        start_role(&p, NODE_WRITER);
        if (p.stage != STOPPED && loop_run(p.family.loop, e))
            p.failed = true;
    }
    clean(&p);
    if (p.failed && o->ready_fd >= 0) {
        /* The kind of error as one letter from 'A', then what went wrong. */
        char line[512];
        line[0] = (char)('A' + e->code);
        (void)snprintf(line + 1, sizeof line - 1, "%.300s", e->place[0] ? e->place : e->text);
        (void)!write(o->ready_fd, line, strlen(line));
    }
    return p.failed ? 1 : 0;
}

/* Nothing of the command's but its standard streams and these two: a lock that we inherited would
 * be held by us too. */
static void
close_others(int a, int b)
{
    unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

    if (low > 3)
        (void)close_range(3, low - 1, 0);
    if (high > low + 1)
        (void)close_range(low + 1, high - 1, 0);
    (void)close_range(high + 1, ~0u, 0);
}

int
parent_start_local(const struct config *c, int *guard, struct err *e)
{
    int ready[2], line[2];
    char word[400];

    if (pipe2(ready, O_CLOEXEC))
        return err_set_sys(e, errno, "cannot make a pipe");
    if (pipe2(line, O_CLOEXEC)) {
        (void)err_set_sys(e, errno, "cannot make a pipe");
        (void)close(ready[0]);
        (void)close(ready[1]);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct parent_options o = {
            .config = c, .serve = false, .ready_fd = ready[1], .guard_fd = line[0]};
        struct err mine = ERR_INIT;
        close_others(ready[1], line[0]);
        (void)setsid(); /* Ctrl-C ends the command; the guard ends us */
        _exit(parent_run(&o, &mine));
    }
    (void)close(ready[1]);
    (void)close(line[0]);
    ssize_t n = pid < 0 ? -1 : read(ready[0], word, sizeof word - 1);
    (void)close(ready[0]);
    if (n == 1 && word[0] == '!') {
        *guard = line[1];
        return 0;
    }
    (void)close(line[1]);
    word[n > 0 ? n : 0] = '\0';
    int code = n > 0 ? word[0] - 'A' : ERR_INTERNAL;
    (void)err_set(e, code > ERR_NONE && code <= ERR_INTERNAL ? (enum err_code)code : ERR_INTERNAL,
                  "the node's processes cannot start");
    return n > 1 ? err_place(e, "%s", word + 1) : -1;
}
