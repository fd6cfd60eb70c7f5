/*
 * A front that has been taken over: it stands in the place of the real one, in the same sandbox and
 * with the same sockets, and tries what a front may not.  What it tries is named by the node's
 * "contact" setting; what came of it goes to standard error as "EVIL name outcome".
 *
 * usage: evil_front DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <netinet/in.h>
#include <unistd.h>
#include "ask.h"
#include "auth_msg.h"
#include "child.h"
#include "crypto.h"
#include "folder.h"
#include "parent.h"
#include "tell.h"
#include "ticket.h"

static struct evil {
    struct child *child;
    struct frame_conn *writer, *auth;
    struct loop_timer timer;
    bool reported;
} evil;

static void
report(const char *outcome)
{
    char line[200];
    int n = snprintf(line, sizeof line, "EVIL %.60s %.100s\n", evil.child->start.config.contact,
                     outcome);

    if (evil.reported)
        return;
    evil.reported = true;
    (void)!write(2, line, (size_t)n);
}

/* -- what a front may not ask the kernel for
 * -------------------------------------------------------- */

static void
try_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);

    report(fd < 0 ? "refused" : "OPENED");
}

static void
try_connect(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        report("refused");
    else
        report(connect(fd, (struct sockaddr *)&a, sizeof a) == 0 || errno == ECONNREFUSED
                   ? "CONNECTED"
                   : "refused");
}

static void
try_kernel(const char *what)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)&evil, 1};

    if (strcmp(what, "open-store") == 0)
        try_open("data/store.db", O_RDONLY);
    else if (strcmp(what, "open-auth") == 0)
        try_open("auth/auth.db", O_RDWR);
    else if (strcmp(what, "write-file") == 0)
        try_open("run/planted", O_WRONLY | O_CREAT);
    else if (strcmp(what, "read-key") == 0)
        try_open("tls/key.pem", O_RDONLY);
    else if (strcmp(what, "connect") == 0)
        try_connect();
    else if (strcmp(what, "fork") == 0)
        report(fork() < 0 ? "refused" : "FORKED");
    else if (strcmp(what, "exec") == 0)
        report(execl("/bin/true", "true", (char *)NULL) < 0 ? "refused" : "EXECUTED");
    else if (strcmp(what, "ptrace") == 0)
        report(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 ? "refused" : "ATTACHED");
    else if (strcmp(what, "kill") == 0)
        report(kill(getppid(), SIGTERM) < 0 ? "refused" : "KILLED");
    else if (strcmp(what, "memory") == 0)
        report(process_vm_readv(getppid(), &here, 1, &there, 1, 0) < 0 ? "refused" : "READ");
}

/* -- what a front may not say
 * ------------------------------------------------------------------------ */

static void
say(const struct tell *t)
{
    char mem[8192];
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    tell_encode(t, &b);
    struct frame f = FRAME(NODE_F_TELL, 1, buf_view(&b));
    if (b.failed || !evil.writer || frame_send(evil.writer, &f, NULL))
        report("could not say it");
}

static void
try_words(const char *what)
{
    uint8_t forged[TICKET_BYTES];
    struct key guess;
    struct ticket t = {.principal = PRINCIPAL_OPERATOR,
                       .channel = CHANNEL_LOCAL,
                       .listener = 1,
                       .expiry_us = clock_wall_us(NULL) + 1000000};
    const struct tell_pair role = {SPAN("role"), SPAN("publisher")};

    key_random(&guess);
    ticket_make(&guess, &t, forged);
    if (strcmp(what, "forge-ticket") == 0)
        say(&(struct tell){.verb = TELL_BEGIN,
                           .handle = 1,
                           .ticket = span_from(forged, sizeof forged),
                           .source = SPAN("evil")});
    else if (strcmp(what, "no-ticket") == 0)
        say(&(struct tell){.verb = TELL_UNDO, .number = 1});
    else if (strcmp(what, "admin") == 0)
        say(&(struct tell){.verb = TELL_ADMIN,
                           .kind = TELL_K_USER,
                           .act = TELL_A_ADD,
                           .name = SPAN("mallory"),
                           .pairs = &role,
                           .pair_n = 1});
    else if (strcmp(what, "open-public") == 0)
        say(&(struct tell){.verb = TELL_ADMIN,
                           .kind = TELL_K_SETTING,
                           .act = TELL_A_SET,
                           .name = SPAN("public"),
                           .pairs = &(struct tell_pair){SPAN("value"), SPAN("open")},
                           .pair_n = 1});
    else if (strcmp(what, "decide") == 0)
        say(&(struct tell){.verb = TELL_DECIDE, .number = 1, .text = SPAN("accept")});
    else if (strcmp(what, "backup") == 0)
        say(&(struct tell){.verb = TELL_BACKUP, .text = SPAN("data/stolen.db")});
    else if (strcmp(what, "served") == 0)
        say(&(struct tell){
            .verb = TELL_SERVED, .marks = &(struct tell_mark){1, 1, 1, 1, 1}, .mark_n = 1});
}

static void
try_garbage(const char *what)
{
    char junk[600];

    if (strcmp(what, "garbage-writer") == 0) {
        for (int i = 0; i < 50 && evil.writer; i++) {
            random_bytes(junk, sizeof junk);
            struct frame f =
                FRAME(NODE_F_TELL, 2, span_from(junk, 1 + (size_t)random_below(sizeof junk - 1)));
            (void)frame_send(evil.writer, &f, NULL);
        }
    } else if (strcmp(what, "wrong-type") == 0) {
        struct frame f = FRAME(NODE_F_START, 2, SPAN("x"));
        (void)frame_send(evil.writer, &f, NULL);
    } else if (strcmp(what, "auth-admin") == 0) {
        struct auth_msg m = {.verb = AUTH_V_SET_PASSWORD,
                             .principal = 3,
                             .epoch = 1,
                             .name = SPAN("victim"),
                             .secret = SPAN("chosen by mallory")};
        struct buf b;
        buf_init_fixed(&b, junk, sizeof junk);
        auth_msg_encode(&m, &b);
        struct frame f = FRAME(NODE_F_AUTH, 3, buf_view(&b));
        (void)frame_send(evil.auth, &f, NULL);
    }
}

static void
act(void *ctx)
{
    const char *what = evil.child->start.config.contact;

    (void)ctx;
    try_kernel(what);
    try_words(what);
    try_garbage(what);
}

/* -- in the place of the front
 * ----------------------------------------------------------------------- */

static void
on_frame(void *ctx, struct frame_conn *conn, struct frame *f)
{
    struct answer a;
    char line[120];

    (void)ctx;
    (void)conn;
    if (answer_decode(f->body, &a, NULL)) {
        report("odd answer");
        return;
    }
    (void)snprintf(line, sizeof line, "answer %s", a.status ? err_name(a.status) : "ALLOWED");
    report(line);
}

static void
on_closed(void *ctx, struct frame_conn *conn, const struct err *why)
{
    (void)why;
    if (conn == evil.writer)
        evil.writer = NULL;
    if (conn == evil.auth)
        evil.auth = NULL;
    (void)ctx;
    report("closed");
}

static const struct frame_events events = {.frame = on_frame, .closed = on_closed};

static int
evil_link(struct child *c, const struct node_link_msg *m, int fd, struct err *e)
{
    evil.child = c;
    if (m->kind == NODE_L_PEER && m->role == NODE_WRITER) {
        evil.writer = frame_open(c->loop, fd, &events, &evil, NULL, e);
        return evil.writer ? 0 : -1;
    }
    if (m->kind == NODE_L_PEER && m->role == NODE_AUTH) {
        evil.auth = frame_open(c->loop, fd, &events, &evil, NULL, e);
        return evil.auth ? 0 : -1;
    }
    (void)close(fd);
    return 0;
}

static int
evil_open(struct child *c, struct err *e)
{
    (void)e;
    evil.child = c;
    /* Once the parent has joined us to the others. */
    loop_timer_set(c->loop, &evil.timer, 300000, act, NULL);
    return 0;
}

const struct child_role child_front = {
    .role = NODE_FRONT,
    .sandbox = SANDBOX_FRONT,
    .nofile = 100,
    .open = evil_open,
    .link = evil_link,
};

static void
ready(const struct config *c, void *ctx)
{
    (void)c;
    (void)ctx;
    (void)!write(1, "ready\n", 6);
}

int
main(int argc, char **argv)
{
    struct config c;
    struct err e = ERR_INIT;
    char line[300];

    if (argc == 3 && strcmp(argv[1], "--role") == 0)
        for (int r = NODE_PARENT + 1; r < NODE_ROLES; r++)
            if (strcmp(argv[2], node_role_name((enum node_role)r)) == 0)
                return child_main((enum node_role)r);
    if (argc != 2)
        return 2;
    if (folder_enter(argv[1], &e) || folder_read_config(&c, &e))
        return 1;
    struct parent_options o = {
        .config = &c, .serve = true, .ready_fd = -1, .guard_fd = -1, .ready = ready};
    if (parent_run(&o, &e) == 0)
        return 0;
    err_line(&e, line, sizeof line);
    (void)fprintf(stderr, "%s\n", line);
    return 1;
}
