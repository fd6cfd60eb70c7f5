/*
 * POST of objects (TAXII 2.1 section 5.5): a body of any length becomes checked objects, one by
 * one, for the writer.  Nothing is kept of what has been sent on; where the writer is slower than
 * the client, the client waits.
 */
#include <string.h>
#include "api_inner.h"
#include "intake_msg.h"

static void
stop(struct call *c)
{
    struct tell t = {.verb = TELL_ABORT, .handle = c->post.handle, .ticket = c->ticket};

    if (c->post.handle)
        (void)c->api->b->tell(c->api->b->ctx, &t, NULL, NULL);
    c->post.handle = 0;
}

static void
give_up(struct call *c)
{
    stop(c);
    respond_busy(c, 2);
}

void
post_begin(struct call *c)
{
    struct tell t = {.verb = TELL_BEGIN,
                     .ticket = c->ticket,
                     .source = SPAN("POST"),
                     .items = true,
                     .collection = span_of(c->route.collection)};
    struct err e = ERR_INIT;

    c->post.handle = t.handle = c->api->b->handle(c->api->b->ctx);
    c->state = CALL_BEGIN;
    c->post.stream = intake_stream_new(INTAKE_NORMAL);
    if (!c->post.stream || c->api->b->tell(c->api->b->ctx, &t, c, &e)) {
        c->post.handle = 0;
        respond_busy(c, 2);
        return;
    }
    c->waiting = true;
}

static void
finish(struct call *c)
{
    struct tell t = {.verb = TELL_END, .handle = c->post.handle, .ticket = c->ticket};
    struct err e = ERR_INIT;

    c->state = CALL_ENDING;
    http_more_time(c->http, 10 * 60 * INT64_C(1000000));
    if (c->api->b->tell(c->api->b->ctx, &t, c, &e))
        give_up(c);
    else
        c->waiting = true;
}

/* One object goes on; false: the writer is away. */
static bool
send_object(struct call *c, const struct intake_result *r)
{
    struct buf *b = &c->api->scratch;
    struct tell t = {.verb = TELL_OBJECT, .handle = c->post.handle};
    struct err e = ERR_INIT;

    buf_reset(b);
    intake_encode(r, b);
    if (b->failed)
        return false;
    t.payload = buf_view(b);
    return c->api->b->tell(c->api->b->ctx, &t, NULL, &e) == 0;
}

static void
wait_for_writer(struct call *c)
{
    if (c->post.waiting)
        return;
    c->post.waiting = true;
    c->post.next = c->api->stuck;
    c->api->stuck = c;
}

/* Sends what the stream has, until it wants more, ends, or the writer is full. */
static void
pump(struct call *c)
{
    struct intake_result r;
    struct err e = ERR_INIT;

    for (;;) {
        if (c->api->b->writer_full(c->api->b->ctx)) {
            wait_for_writer(c);
            return;
        }
        switch (intake_stream_next(c->post.stream, &r, &e)) {
        case INTAKE_OBJECT:
            if (!send_object(c, &r)) {
                give_up(c);
                return;
            }
            break;
        case INTAKE_MORE:
            buf_reset(&c->post.piece);
            c->post.held = false;
            if (c->post.ended) {
                intake_stream_finish(c->post.stream);
                c->post.ended = false; /* asked once: what it has left comes now */
                break;
            }
            http_resume(c->http);
            return;
        case INTAKE_END:
            if (r.defect_count && !send_object(c, &r))
                give_up(c);
            else
                finish(c);
            return;
        case INTAKE_BROKEN:
            if (!send_object(c, &r))
                give_up(c);
            else
                finish(c);
            return;
        case INTAKE_FAILED:
            give_up(c);
            return;
        }
    }
}

void
post_told(struct call *c, const struct answer *w)
{
    if (!w) {
        c->post.handle = 0;
        respond_busy(c, 2);
    } else if (w->status == ERR_AUTH && c->state == CALL_BEGIN) {
        c->post.handle = 0;
        intake_stream_free(c->post.stream);
        c->post.stream = NULL;
        if (!call_login_again(c))
            respond_login(c);
    } else if (w->status != ERR_NONE) {
        c->post.handle = 0;
        respond_err_code(c, w->status, w->text);
    } else if (c->state == CALL_BEGIN) {
        c->state = CALL_BODY;
        http_resume(c->http);
        if (c->post.held || c->post.ended)
            pump(c);
    } else {
        c->post.handle = 0; /* the batch has ended */
        respond_json(c, 202, w->body);
    }
}

void
post_body(struct call *c, struct span piece)
{
    /* After the pause no piece comes until the resume; the stream borrows this one until then. */
    http_pause(c->http);
    buf_span(&c->post.piece, piece);
    if (c->post.piece.failed || c->post.held || c->state != CALL_BODY) {
        give_up(c);
        return;
    }
    c->post.held = true;
    intake_stream_feed(c->post.stream, buf_view(&c->post.piece));
    pump(c);
}

void
post_end(struct call *c)
{
    c->post.ended = true;
    if (c->state == CALL_BODY && !c->post.held)
        pump(c);
}

void
post_go_on(struct call *c)
{
    if (c->state == CALL_BODY)
        pump(c);
}

void
post_gone(struct call *c)
{
    if (c->post.waiting)
        for (struct call **at = &c->api->stuck; *at; at = &(*at)->post.next)
            if (*at == c) {
                *at = c->post.next;
                break;
            }
    stop(c);
    intake_stream_free(c->post.stream);
}
