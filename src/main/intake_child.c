#include "intake_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ask.h"
#include "clock.h"
#include "crypto.h"
#include "frame.h"
#include "frame_queue.h"
#include "intake_msg.h"
#include "intake_stream.h"
#include "mem.h"
#include "node_msg.h"
#include "sandbox.h"

#define COMMAND_FD  3
#define PIECE       (1u << 20)
#define PROGRESS_US 100000
#define HANDLE      1
/* What waits for the writer while it commits: some fifteen thousand objects with their trigrams. */
#define QUEUE_BYTES (40u << 20)
#define WRITER_WAIT (60 * 60 * 1000) /* ms: the end of a batch of many millions */

enum job_frame {
    JOB_BEGIN = 1, /* body: an encoded TELL_BEGIN */
    JOB_FILE,      /* body: its name; with the descriptor */
    JOB_WRITER,    /* with the descriptor of its socket; once */
    JOB_END,
    JOB_PROGRESS, /* three u64: bytes, objects, refused */
    JOB_DONE,     /* of JOB_FILE */
    JOB_ANSWER,   /* of JOB_WRITER and JOB_END: the writer's, as it came */
    JOB_FAILED    /* body: a line */
};

/* -- the child ------------------------------------------------------------------------------------
 */

struct job {
    struct intake_stream *stream;
    enum intake_profile profile;
    struct frame_queue *queue; /* to the writer */
    int writer;                /* its socket; -1: not given yet */
    struct buf early;          /* tells that were made before: each its length and its bytes */
    bool refused;              /* the writer does not want the batch: the command knows */
    struct buf begin;          /* an encoded TELL_BEGIN */
    struct buf msg, tell, in;
    struct import_progress done;
    int64_t told_us;
    char piece[PIECE];
};

static int
send_command(uint16_t type, struct span body)
{
    struct frame f = FRAME(type, 0, body);

    return frame_write(COMMAND_FD, &f, NULL);
}

/* Relays the writer's answer to the command. */
static int
relay(struct job *j, uint32_t id, struct answer *a, struct err *e)
{
    struct frame f;
    int got;

    do {
        got = frame_read(j->writer, &j->in, &f, WRITER_WAIT, e);
        if (got == 0)
            return err_set(e, ERR_IO, "the writer has ended; what it acknowledged is kept");
        if (got < 0)
            return -1;
    } while (f.id != id);
    return answer_decode(f.body, a, e) != 0 ? -1 : send_command(JOB_ANSWER, f.body);
}

/* What was found before there was a writer. */
static int
send_early(struct job *j, struct err *e)
{
    struct reader r = reader_of(buf_view(&j->early));

    j->queue = frame_queue_new(j->writer, QUEUE_BYTES);
    if (j->queue == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    while (reader_left(&r) > 0) {
        size_t n = reader_u32(&r);
        struct frame f = FRAME(NODE_F_TELL, 0, reader_bytes(&r, n));
        if (frame_queue_put(j->queue, &f, e))
            return -1;
    }
    buf_clear(&j->early);
    return 0;
}

/* Takes the writer's socket, and tells the writer of the batch. */
static int
join_writer(struct job *j, const struct frame *f, struct err *e)
{
    struct frame begin = FRAME(NODE_F_TELL, 1, buf_view(&j->begin));
    struct answer a;

    if (f->fd < 0 || j->writer >= 0 || j->begin.n == 0)
        return err_set(e, ERR_PROTOCOL, "unexpected word from the command");
    j->writer = f->fd;
    if (frame_write(j->writer, &begin, e) != 0 || relay(j, 1, &a, e) != 0)
        return -1;
    j->refused = a.status != ERR_NONE;
    if (j->refused)
        return err_set(e, a.status, "the writer does not take the batch");
    return send_early(j, e);
}

/* While there is no writer: looks whether it has come, and waits for it where no more can wait.
 * The command sends nothing else until the file has been read. */
static int
look_for_writer(struct job *j, struct err *e)
{
    struct pollfd p = {.fd = COMMAND_FD, .events = POLLIN};
    struct frame f;

    if (j->early.n + j->tell.n + 4 < j->early.max && poll(&p, 1, 0) <= 0)
        return 0;
    int got = frame_read(COMMAND_FD, &j->in, &f, -1, e);
    if (got < 0)
        return -1;
    if (got == 0 || f.type != JOB_WRITER) {
        if (got > 0 && f.fd >= 0)
            (void)close(f.fd);
        return err_set(e, ERR_PROTOCOL, "the command has ended");
    }
    return join_writer(j, &f, e);
}

static int
send_tell(struct job *j, const struct tell *t, uint32_t id, struct err *e)
{
    buf_reset(&j->tell);
    tell_encode(t, &j->tell);
    if (j->tell.failed)
        return err_set(e, ERR_LIMIT, "an object and its index rows are too long");
    struct frame f = FRAME(NODE_F_TELL, id, buf_view(&j->tell));
    if (j->writer < 0 && look_for_writer(j, e))
        return -1;
    if (j->writer < 0) {
        buf_u32(&j->early, (uint32_t)j->tell.n);
        buf_span(&j->early, buf_view(&j->tell));
        return j->early.failed ? err_set(e, ERR_MEMORY, "out of memory") : 0;
    }
    return frame_queue_put(j->queue, &f, e);
}

static void
progress(struct job *j, bool now)
{
    char mem[24];
    struct buf b;
    int64_t t = clock_mono().us;

    if (!now && t - j->told_us < PROGRESS_US)
        return;
    j->told_us = t;
    buf_init_fixed(&b, mem, sizeof mem);
    buf_u64(&b, j->done.bytes);
    buf_u64(&b, j->done.objects);
    buf_u64(&b, j->done.refused);
    (void)send_command(JOB_PROGRESS, buf_view(&b));
}

static int
send_result(struct job *j, const struct intake_result *r, struct err *e)
{
    struct tell t = {.verb = TELL_OBJECT, .handle = HANDLE};

    buf_reset(&j->msg);
    intake_encode(r, &j->msg);
    if (j->msg.failed)
        return err_set(e, ERR_MEMORY, "out of memory");
    t.payload = buf_view(&j->msg);
    j->done.objects++;
    j->done.refused += r->class == INTAKE_REFUSED;
    return send_tell(j, &t, 0, e);
}

/* What the stream has now.  1: it wants more, 0: it has ended, -1. */
static int
drain(struct job *j, struct err *e)
{
    struct intake_result r;

    for (;;) {
        switch (intake_stream_next(j->stream, &r, e)) {
        case INTAKE_MORE:
            return 1;
        case INTAKE_OBJECT:
            if (send_result(j, &r, e))
                return -1;
            progress(j, false);
            break;
        case INTAKE_END:
            if (r.defect_count && send_result(j, &r, e))
                return -1;
            return 0;
        case INTAKE_BROKEN:
            return send_result(j, &r, e) ? -1 : 0;
        case INTAKE_FAILED:
            return -1;
        }
    }
}

static int
take_file(struct job *j, int fd, struct err *e)
{
    int state = 1;

    intake_stream_free(j->stream);
    j->stream = intake_stream_new(j->profile);
    if (!j->stream)
        return err_set(e, ERR_MEMORY, "out of memory");
    while (state == 1) {
        ssize_t n = read(fd, j->piece, sizeof j->piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_sys(e, errno, "cannot read the file");
        if (n == 0)
            intake_stream_finish(j->stream);
        else
            intake_stream_feed(j->stream, span_from(j->piece, (size_t)n));
        j->done.bytes += (uint64_t)n;
        state = drain(j, e);
        if (n == 0 && state == 1)
            return err_set(e, ERR_INTERNAL, "a finished stream asks for more");
    }
    progress(j, true);
    return state;
}

static int
begin(struct job *j, struct span body, struct arena *a, struct err *e)
{
    struct tell t;

    if (tell_decode(body, a, &t, e))
        return -1;
    t.handle = HANDLE;
    j->profile = t.profile == TELL_P_STRICT ? INTAKE_STRICT : INTAKE_NORMAL;
    buf_reset(&j->begin);
    tell_encode(&t, &j->begin);
    return j->begin.failed ? err_set(e, ERR_LIMIT, "the words of the batch are too long") : 0;
}

static int
finish(struct job *j, struct err *e)
{
    struct tell end = {.verb = TELL_END, .handle = HANDLE};
    struct answer a;

    if (j->writer < 0)
        return err_set(e, ERR_PROTOCOL, "the end of a batch that has no writer");
    return send_tell(j, &end, 2, e) || frame_queue_flush(j->queue, e) < 0 || relay(j, 2, &a, e) ? -1
                                                                                                : 0;
}

static int
serve(struct job *j, struct err *e)
{
    struct buf space;
    struct arena *a = arena_new(1u << 20);
    int result = -1;

    buf_init(&space, 1u << 20);
    for (;;) {
        struct frame f;
        int got = a ? frame_read(COMMAND_FD, &space, &f, -1, e) : -1;
        if (got <= 0) {
            result = got;
            break;
        }
        int bad = 0;
        if (f.type == JOB_WRITER) {
            if (join_writer(j, &f, e))
                break;
            continue; /* its descriptor stays */
        }
        if (f.type == JOB_BEGIN)
            bad = begin(j, f.body, a, e);
        else if (f.type == JOB_FILE && f.fd >= 0)
            bad = take_file(j, f.fd, e) || send_command(JOB_DONE, ((struct span){NULL, 0}));
        else if (f.type == JOB_END)
            bad = finish(j, e);
        else
            bad = err_set(e, ERR_PROTOCOL, "unexpected word from the command");
        if (f.fd >= 0)
            (void)close(f.fd);
        if (bad)
            break;
    }
    buf_clear(&space);
    arena_free(a);
    return result;
}

int
intake_child_main(void)
{
    struct job *j = mem_zero(1, sizeof *j);
    struct err e = ERR_INIT;
    int status = 1;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_NAME, "jaga intake");
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!j)
        return 1;
    buf_init(&j->msg, INTAKE_MSG_MAX);
    buf_init(&j->tell, FRAME_MAX);
    buf_init(&j->in, FRAME_MAX);
    buf_init(&j->begin, FRAME_MAX);
    buf_init(&j->early, QUEUE_BYTES);
    j->writer = -1;
    if (crypto_start(&e) == 0 && sandbox_enter(SANDBOX_INTAKE, NULL, 64, NULL, &e) == 0 &&
        serve(j, &e) == 0)
        status = 0;
    if (status && !j->refused) {
        char line[400];
        err_line(&e, line, sizeof line);
        (void)send_command(JOB_FAILED, span_of(line));
    }
    intake_stream_free(j->stream);
    frame_queue_free(j->queue);
    buf_clear(&j->begin);
    buf_clear(&j->early);
    buf_clear(&j->msg);
    buf_clear(&j->tell);
    buf_clear(&j->in);
    mem_free(j);
    return status;
}

/* -- the command ----------------------------------------------------------------------------------
 */

struct import_job {
    int fd;
    pid_t pid;
    struct buf in;
    struct import_progress done;
    bool joined; /* to a writer */
    bool read;   /* the file that was handed on, while something else was awaited */
};

static void
become_child(int control)
{
    char *const argv[] = {(char *)"jaga", (char *)"--role", (char *)"intake", NULL};
    char *const env[] = {NULL};
    int c = fcntl(control, F_DUPFD, 10); /* out of the way of 3 first */

    if (c < 0 || dup2(c, COMMAND_FD) < 0 || close_range(COMMAND_FD + 1, ~0u, 0))
        _exit(127);
    (void)execve("/proc/self/exe", argv, env);
    _exit(127);
}

/* Reads frames until one of the wanted type; progress goes to fn. */
static int
await(struct import_job *j, uint16_t type, struct frame *f,
      void (*fn)(void *ctx, const struct import_progress *p), void *ctx, struct err *e)
{
    for (;;) {
        int got = frame_read(j->fd, &j->in, f, -1, e);
        if (got < 0)
            return -1;
        if (got == 0)
            return err_set(e, ERR_INTERNAL, "the parser has ended; its sandbox may have killed it");
        if (f->type == type)
            return 0;
        j->read = j->read || f->type == JOB_DONE;
        if (f->type == JOB_FAILED) {
            (void)err_set(e, ERR_IO, "the import broke off");
            return err_place(e, "%.*s", (int)(f->body.n < 150 ? f->body.n : 150), f->body.p);
        }
        if (f->type == JOB_PROGRESS) {
            struct reader r = reader_of(f->body);
            j->done.bytes = reader_u64(&r);
            j->done.objects = reader_u64(&r);
            j->done.refused = reader_u64(&r);
            if (fn)
                fn(ctx, &j->done);
        }
    }
}

static int
take_answer(struct import_job *j, struct buf *out, struct err *e)
{
    struct frame f;
    struct answer a;

    if (await(j, JOB_ANSWER, &f, NULL, NULL, e) || answer_decode(f.body, &a, e))
        return -1;
    if (a.status != ERR_NONE) {
        (void)err_set(e, a.status, "not imported");
        return err_place(e, "%.*s", (int)(a.text.n < 150 ? a.text.n : 150), a.text.p);
    }
    if (out)
        buf_span(out, a.body);
    return 0;
}

int
import_start(const struct tell *t, struct import_job **out, struct err *e)
{
    struct import_job *j = mem_zero(1, sizeof *j);
    int fds[2];
    struct buf b;

    if (!j)
        return err_set(e, ERR_MEMORY, "out of memory");
    j->fd = -1;
    buf_init(&j->in, FRAME_MAX);
    buf_init(&b, 1u << 20);
    if (frame_pair(fds, e))
        goto fail;
    j->pid = fork();
    if (j->pid == 0)
        become_child(fds[1]);
    (void)close(fds[1]);
    j->fd = fds[0];
    if (j->pid < 0) {
        (void)err_set_sys(e, errno, "cannot fork");
        goto fail;
    }
    tell_encode(t, &b);
    struct frame f = FRAME(JOB_BEGIN, 0, buf_view(&b));
    if (frame_write(j->fd, &f, e))
        goto fail;
    buf_clear(&b);
    *out = j;
    return 0;
fail:
    buf_clear(&b);
    import_free(j);
    return -1;
}

int
import_writer(struct import_job *j, int writer_fd, struct err *e)
{
    struct frame f = {.type = JOB_WRITER, .fd = writer_fd};

    if (frame_write(j->fd, &f, e) || take_answer(j, NULL, e))
        return -1;
    j->joined = true;
    return 0;
}

int
import_file(struct import_job *j, int fd, const char *name, struct err *e)
{
    struct frame f = {.type = JOB_FILE, .body = span_of(name), .fd = fd};

    j->read = false;
    return frame_write(j->fd, &f, e);
}

int
import_wait(struct import_job *j, void (*progress_fn)(void *ctx, const struct import_progress *p),
            void *ctx, struct err *e)
{
    struct frame f;

    return j->read ? 0 : await(j, JOB_DONE, &f, progress_fn, ctx, e);
}

int
import_end(struct import_job *j, struct buf *out, struct err *e)
{
    struct frame f = FRAME(JOB_END, 0, ((struct span){NULL, 0}));

    return frame_write(j->fd, &f, e) || take_answer(j, out, e) ? -1 : 0;
}

void
import_free(struct import_job *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        (void)close(j->fd);
    if (j->pid > 0 && !j->joined)
        (void)kill(j->pid, SIGKILL); /* what it has parsed is for nobody */
    if (j->pid > 0)
        (void)waitpid(j->pid, NULL, 0);
    buf_clear(&j->in);
    mem_free(j);
}
