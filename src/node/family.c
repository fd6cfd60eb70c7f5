#include "family.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "mem.h"

#define START_MAX      (1u << 20)
#define READY_WAIT_US  (120 * INT64_C(1000000)) /* recovery of a large store after a crash */
#define PAUSE_FIRST_US INT64_C(100000)
#define PAUSE_MAX_US                                                                               \
    (5 * INT64_C(1000000))              /* whoever can crash a front takes it away for no longer */
#define CALM_US (10 * INT64_C(1000000)) /* after this long up, failures are forgotten */

void
family_init(struct family *f)
{
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++)
        f->listen_fd[i] = -1;
    for (size_t i = 0; i < NODE_ROLES; i++)
        f->local_fd[i] = -1;
    for (size_t r = 0; r < CONFIG_READERS_MAX; r++)
        for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++)
            f->rings[r][i] = RING_FDS_NONE;
}

struct kid *
family_add(struct family *f, enum node_role role, unsigned index)
{
    struct kid *k = &f->kids[f->kid_n++];

    *k = (struct kid){.family = f, .role = role, .index = index};
    return k;
}

struct kid *
family_find(struct family *f, enum node_role role, unsigned index)
{
    for (size_t i = 0; i < f->kid_n; i++)
        if (f->kids[i].role == role && f->kids[i].index == index)
            return &f->kids[i];
    return NULL;
}

bool
family_all(const struct family *f, enum node_role role, enum kid_state state)
{
    for (size_t i = 0; i < f->kid_n; i++)
        if (f->kids[i].role == role && f->kids[i].state != state)
            return false;
    return true;
}

/* -- joining ------------------------------------------------------------------------------------
 */

static void
send_link(struct kid *to, const struct node_link_msg *m, int fd)
{
    char mem[16];
    struct buf b;
    struct err e = ERR_INIT;

    buf_init_fixed(&b, mem, sizeof mem);
    node_link_encode(m, &b);
    struct frame f = {.type = NODE_F_LINK, .body = buf_view(&b), .fd = fd};
    if (!to->control || frame_send(to->control, &f, &e))
        log_err(&to->family->log, LOG_ERROR, "cannot hand on a descriptor", &e);
}

static void
join_pair(struct kid *a, struct kid *b)
{
    int fds[2];
    struct err e = ERR_INIT;
    struct node_link_msg to_a = {.kind = NODE_L_PEER, .role = b->role, .index = b->index};
    struct node_link_msg to_b = {.kind = NODE_L_PEER, .role = a->role, .index = a->index};

    if (frame_pair(fds, &e)) {
        log_err(&a->family->log, LOG_ERROR, "cannot join two processes", &e);
        return;
    }
    send_link(a, &to_a, fds[0]);
    send_link(b, &to_b, fds[1]);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void
send_ring(struct kid *to, const struct kid *other, const struct ring_fds *r)
{
    const int parts[NODE_RING_PARTS] = {r->requests, r->answers, r->wake_front, r->wake_reader};

    for (unsigned i = 0; i < NODE_RING_PARTS; i++) {
        struct node_link_msg m = {NODE_L_RING, other->role, other->index, i};
        send_link(to, &m, parts[i]);
    }
}

static void
join_ring(struct kid *reader, struct kid *front)
{
    struct ring_fds *r = &reader->family->rings[reader->index][front->index], its;
    struct err e = ERR_INIT;

    ring_fds_close(r);
    if (ring_create(r, &its, &e)) {
        log_err(&reader->family->log, LOG_ERROR, "cannot make a ring", &e);
        return;
    }
    send_ring(reader, front, &its);
    ring_fds_close(&its);
}

/* The reader has sealed its side: now the front may have it. */
static void
ring_sealed(struct kid *reader, unsigned front_index)
{
    struct family *f = reader->family;
    struct kid *front = family_find(f, NODE_FRONT, front_index);

    if (!front || reader->index >= CONFIG_READERS_MAX || front_index >= CONFIG_LISTEN_MAX)
        return;
    struct ring_fds *r = &f->rings[reader->index][front_index];
    if (r->requests >= 0 && front->state == KID_UP)
        send_ring(front, reader, r);
    ring_fds_close(r);
}

static void
join(struct kid *a, struct kid *b)
{
    if (a->role == NODE_READER && b->role == NODE_FRONT)
        join_ring(a, b);
    else if (a->role == NODE_FRONT && b->role == NODE_READER)
        join_ring(b, a);
    else if (a->role == NODE_SIGNER || b->role == NODE_SIGNER) {
        if (a->role == NODE_WRITER || b->role == NODE_WRITER)
            join_pair(a, b); /* it hears nobody else */
    } else if (a->role != b->role && !(a->role == NODE_AUTH && b->role == NODE_READER) &&
               !(a->role == NODE_READER && b->role == NODE_AUTH))
        join_pair(a, b);
}

static void
join_all(struct kid *k)
{
    struct family *f = k->family;

    for (size_t i = 0; i < f->kid_n; i++)
        if (&f->kids[i] != k && f->kids[i].state == KID_UP)
            join(k, &f->kids[i]);
}

/* The last reader is the one for long reads: the command line asks it. */
static void
send_local(struct kid *k)
{
    const struct node_link_msg m = {.kind = NODE_L_LOCAL, .role = NODE_PARENT};
    const struct family *f = k->family;

    if (k->role == NODE_FRONT || k->role == NODE_SIGNER ||
        (k->role == NODE_READER && k->index != (unsigned)f->config->readers - 1))
        return;
    if (f->local_fd[k->role] >= 0)
        send_link(k, &m, f->local_fd[k->role]);
}

/* -- a child's life -----------------------------------------------------------------------------
 */

static void
on_frame(void *ctx, struct frame_conn *conn, struct frame *fr)
{
    struct kid *k = ctx;

    (void)conn;
    if (fr->type == NODE_F_READY && k->state == KID_STARTING) {
        k->state = KID_UP;
        k->was_up = true;
        k->since = clock_mono();
        loop_timer_stop(&k->timer);
        join_all(k);
        send_local(k); /* last: it is asked when it can ask and tell its neighbours */
        log_line(&k->family->log, LOG_DEBUG, "up", LOG_T("process", node_role_name(k->role)),
                 LOG_N("index", k->index), LOG_N("pid", k->pid));
        k->family->changed(k->family, k);
    } else if (fr->type == NODE_F_READY && k->role == NODE_READER && fr->id > 0) {
        ring_sealed(k, fr->id - 1);
    } else if (fr->type == NODE_F_FAILED) {
        size_t n = fr->body.n < sizeof k->family->last_words - 1 ? fr->body.n
                                                                 : sizeof k->family->last_words - 1;
        k->family->last_code = fr->id <= ERR_INTERNAL ? (enum err_code)fr->id : ERR_INTERNAL;
        memcpy(k->family->last_words, fr->body.p, n);
        k->family->last_words[n] = '\0';
    }
}

static void
on_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    struct kid *k = ctx;

    (void)conn;
    (void)why;
    k->control = NULL; /* waitpid tells the rest */
}

static const struct frame_events control_events = {.frame = on_frame, .closed = on_closed};

/* Between fork and exec: only what is safe there.  Does not return. */
static void
become(struct kid *k, int control)
{
    char *const argv[] = {(char *)"jaga", (char *)"--role", (char *)node_role_name(k->role), NULL};
    char *keep[8] = {NULL};
    size_t n = 0;
    /* Nothing of our environment but what a sanitizer build needs. */
    static const char *const names[] = {"ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS="};
    sigset_t none;

    for (char **v = environ; *v && n < 7; v++)
        for (size_t i = 0; i < 3; i++)
            if (strncmp(*v, names[i], strlen(names[i])) == 0)
                keep[n++] = *v;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
        _exit(127);
    /* dup2 onto itself would keep the close-on-exec flag. */
    if (control == CHILD_CONTROL_FD ? fcntl(control, F_SETFD, 0) < 0
                                    : dup2(control, CHILD_CONTROL_FD) < 0)
        _exit(127);
    if (close_range(CHILD_CONTROL_FD + 1, ~0u, 0))
        _exit(127);
    (void)execve("/proc/self/exe", argv, keep);
    _exit(127);
}

static void
no_ready(void *ctx)
{
    struct kid *k = ctx;

    log_line(&k->family->log, LOG_ERROR, "did not come up",
             LOG_T("process", node_role_name(k->role)));
    kid_kill(k);
}

static int
send_start(struct kid *k, struct err *e)
{
    struct family *f = k->family;
    struct node_start s = {
        .role = k->role, .index = k->index, .config = *f->config, .owner = f->owner};
    struct buf b;
    int r = -1;

    if (k->role == NODE_FRONT) {
        s.cert_pem = f->cert_pem;
        s.key_pem = f->key_pem;
    } else if (k->role != NODE_SIGNER) {
        s.ticket_key = f->ticket_key;
    }
    buf_init(&b, START_MAX);
    node_start_encode(&s, &b);
    struct frame start = FRAME(NODE_F_START, 0, buf_view(&b));
    if (b.failed)
        (void)err_set(e, ERR_LIMIT, "the configuration does not fit");
    else
        r = frame_send(k->control, &start, e);
    key_wipe(&s.ticket_key);
    if (b.p)
        mem_wipe(b.p, b.n);
    buf_clear(&b);
    return r;
}

int
kid_start(struct kid *k, struct err *e)
{
    const struct frame_options options = {.max_body = 4096, .max_queue = START_MAX};
    const struct node_link_msg listen = {.kind = NODE_L_LISTEN, .role = NODE_PARENT};
    struct frame go = FRAME(NODE_F_READY, 0, ((struct span){NULL, 0}));
    int fds[2];

    if (frame_pair(fds, e))
        return -1;
    pid_t pid = fork();
    if (pid < 0) {
        (void)err_set_sys(e, errno, "cannot fork");
        (void)close(fds[0]);
        (void)close(fds[1]);
        return -1;
    }
    if (pid == 0)
        become(k, fds[1]);
    (void)close(fds[1]);
    k->pid = pid;
    k->state = KID_STARTING;
    k->since = clock_mono();
    k->control = frame_open(k->family->loop, fds[0], &control_events, k, &options, e);
    if (!k->control || send_start(k, e)) {
        kid_kill(k);
        return -1;
    }
    if (k->role == NODE_FRONT)
        send_link(k, &listen, k->family->listen_fd[k->index]);
    if (frame_send(k->control, &go, e)) {
        kid_kill(k);
        return -1;
    }
    loop_timer_set(k->family->loop, &k->timer, READY_WAIT_US, no_ready, k);
    return 0;
}

void
kid_stop(struct kid *k)
{
    struct frame stop = FRAME(NODE_F_STOP, 0, ((struct span){NULL, 0}));

    if (k->state == KID_DOWN) {
        loop_timer_stop(&k->timer);
        return;
    }
    k->state = KID_ENDING;
    if (!k->control || frame_send(k->control, &stop, NULL))
        kid_kill(k);
}

void
kid_kill(struct kid *k)
{
    if (k->pid > 0)
        (void)kill(k->pid, SIGKILL);
}

static void
again(void *ctx)
{
    struct kid *k = ctx;
    struct err e = ERR_INIT;

    if (kid_start(k, &e)) {
        log_err(&k->family->log, LOG_ERROR, "cannot start a process", &e);
        loop_timer_set(k->family->loop, &k->timer, PAUSE_MAX_US, again, k);
    }
}

static void
log_end(const struct kid *k, int status)
{
    int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    log_line(&k->family->log, LOG_ERROR,
             sig == SIGSYS ? "killed by its sandbox" : "ended unexpectedly",
             LOG_T("process", node_role_name(k->role)), LOG_N("index", k->index),
             LOG_N("signal", sig), LOG_N("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0));
}

void
kid_ended(struct kid *k, int status)
{
    bool expected = k->state == KID_ENDING;

    if (!expected)
        log_end(k, status);
    if (k->state == KID_UP && clock_mono().us - k->since.us > CALM_US)
        k->failures = 0;
    k->state = KID_DOWN;
    k->pid = 0;
    frame_close(k->control);
    k->control = NULL;
    loop_timer_stop(&k->timer);
    if (!expected && !k->family->stopping) {
        unsigned steps = k->failures < 12 ? k->failures : 12;
        int64_t pause = PAUSE_FIRST_US << steps;
        k->failures++;
        loop_timer_set(k->family->loop, &k->timer, pause < PAUSE_MAX_US ? pause : PAUSE_MAX_US,
                       again, k);
    }
    k->family->changed(k->family, k);
}
