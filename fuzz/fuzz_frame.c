/* A connection whose other side sends the input: the first byte says how it is cut, bit 0 whether
 * frames are echoed. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "frame.h"
#include "loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct state {
    struct frame_conn *c;
    int echo;
};

static void
on_frame(void *ctx, struct frame_conn *c, struct frame *f)
{
    const struct state *s = ctx;

    if (f->fd >= 0)
        abort(); /* none was sent */
    if (s->echo)
        frame_send(c, f, NULL);
}

static void
on_closed(void *ctx, struct frame_conn *c, const struct err *why)
{
    (void)c;
    (void)why;
    ((struct state *)ctx)->c = NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct frame_events events = {.frame = on_frame, .closed = on_closed};
    const struct frame_options o = {.max_body = 1 << 16, .max_queue = 64, .take_fds = true};
    struct state s = {0};
    struct loop *l = loop_new(NULL);
    int fds[2];
    size_t step;

    if (size == 0 || l == NULL) {
        loop_free(l);
        return 0;
    }
    if (frame_pair(fds, NULL) < 0)
        abort();
    s.echo = data[0] & 1;
    step = (data[0] >> 1) + 1u;
    s.c = frame_open(l, fds[0], &events, &s, &o, NULL);
    for (data++, size--; size > 0 && s.c != NULL;) {
        size_t n = size < step ? size : step;

        if (send(fds[1], data, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n)
            break;
        data += n;
        size -= n;
        loop_round(l, 0, NULL);
    }
    close(fds[1]);
    for (int i = 0; i < 4 && s.c != NULL; i++)
        loop_round(l, 0, NULL);
    frame_close(s.c);
    loop_free(l);
    return 0;
}
