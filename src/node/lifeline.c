#include <errno.h>
#include <sys/socket.h>
#include "lifeline.h"

static void
on_ready(void *ctx, unsigned events)
{
    struct lifeline *line = ctx;
    char c;

    /* Nothing is ever written, so what can be read is the end; a stray byte is thrown away. */
    if (!(events & LOOP_HUP)) {
        ssize_t n = recv(line->watch.fd, &c, 1, MSG_DONTWAIT);

        if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
            return;
    }
    loop_watch_stop(&line->watch);
    if (line->gone != NULL)
        line->gone(line->ctx);
    else
        loop_stop(line->loop);
}

int
lifeline_start(struct loop *l, struct lifeline *line, int fd, loop_fn *gone, void *ctx,
               struct err *e)
{
    *line = (struct lifeline){.loop = l, .gone = gone, .ctx = ctx};
    return loop_watch_start(l, &line->watch, fd, LOOP_READ, on_ready, line, e);
}

void
lifeline_stop(struct lifeline *line)
{
    loop_watch_stop(&line->watch);
}
