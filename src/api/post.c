/*
 * POST of objects (TAXII 2.1 section 5.5): a body of any length becomes checked objects, one by
 * one, for the writer.  Nothing is kept of what has been sent on; where the writer is slower than
 * the client, the client waits.
 *
 *   BEGIN --told--> BODY --all sent--> ENDING --told--> 202
 *                   |  ^
 *     ticket ends   v  | told
 *            RENEW --login--> FLUSH
 *
 * While the state is not BODY the request is paused, so no piece comes.
 */
#include "api_inner.h"

#include <string.h>
#include "clock.h"

#define END_US       (10 * 60 * INT64_C(1000000)) /* for the writer to end a large batch */
#define PLAIN_MAX    (64u << 10) /* bytes that are decoded at once, however small they came */
#define SCRATCH_KEEP (1u << 20)  /* bytes kept for the next object */

void
post_drop(struct call *c)
{
    struct post *p = &c->post;
    struct tell t = {.verb = TELL_ABORT, .handle = p->handle, .ticket = c->ticket};

    if (p->waiting)
        for (struct call **at = &c->api->stuck; *at; at = &(*at)->post.next)
            if (*at == c) {
                *at = p->next;
                break;
            }
    p->waiting = false;
    if (p->handle)
        (void)c->api->b->tell(c->api->b->ctx, &t, NULL, NULL);
    p->handle = 0;
    if (p->stream)
        c->api->posts--;
    intake_stream_free(p->stream);
    p->stream = NULL;
    gunzip_free(p->coded);
    p->coded = NULL;
    buf_clear(&p->piece);
    buf_clear(&p->plain);
}

void
post_begin(struct call *c)
{
    struct tell t = {.verb = TELL_BEGIN,
                     .ticket = c->ticket,
                     .source = SPAN("POST"),
                     .items = true,
                     .collection = span_of(c->route.collection)};

    if (c->api->posts >= API_POSTS) {
        respond_busy(c, 2);
        return;
    }
    c->state = CALL_BEGIN;
    t.handle = c->api->b->handle(c->api->b->ctx);
    if (call_tell(c, &t) == 0)
        c->post.handle = t.handle;
}

/* The ticket of a batch must be good when the writer comes to its last object.  True: a fresh one
 * is being asked for. */
static bool
renew(struct call *c)
{
    if (c->ticket_ends_us - API_RENEW_LEFT > clock_wall_us(c->api->o.clock))
        return false;
    c->state = CALL_RENEW;
    call_login(c);
    return true;
}

static void
finish(struct call *c)
{
    struct tell t = {.verb = TELL_END, .handle = c->post.handle};

    c->post.complete = true;
    if (renew(c))
        return;
    t.ticket = c->ticket;
    c->state = CALL_ENDING;
    http_more_time(c->http, END_US);
    (void)call_tell(c, &t);
}

/* One object goes on; false: the writer is away. */
static bool
send_object(struct call *c, const struct intake_result *r)
{
    struct buf *b = &c->api->scratch;
    struct tell t = {.verb = TELL_OBJECT, .handle = c->post.handle};
    struct err e = ERR_INIT;
    bool sent;

    buf_reset(b);
    intake_encode(r, b);
    t.payload = buf_view(b);
    sent = !b->failed && c->api->b->tell(c->api->b->ctx, &t, NULL, &e) == 0;
    if (b->cap > SCRATCH_KEEP) {
        buf_clear(b);
        buf_init(b, INTAKE_MSG_MAX);
    }
    return sent;
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

/* The outer shape is broken.  What came before stands, and is told of in the status; where nothing
 * came before, the whole request is one that cannot be processed (422). */
static void
broken(struct call *c, const struct intake_result *r)
{
    struct span why = r->defect_count ? r->defects[0].text : SPAN("The body is broken.");

    if (c->post.sent == 0) {
        respond_error(c, 422, "The body is neither an envelope nor a bundle", why);
        return;
    }
    if (send_object(c, r))
        finish(c);
    else
        respond_busy(c, 2);
}

/* The next part of the piece goes to the stream; false: there is none, or it cannot be read, which
 * is answered then. */
static bool
feed(struct call *c)
{
    struct post *p = &c->post;
    struct err e = ERR_INIT;

    if (!p->gzip) {
        if (p->left.n == 0)
            return false;
        intake_stream_feed(p->stream, p->left);
        p->left.n = 0;
        return true;
    }
    buf_reset(&p->plain);
    if (gunzip_step(p->coded, &p->left, &p->plain, &e)) {
        if (e.code == ERR_MEMORY)
            respond_busy(c, 2);
        else
            respond_error(c, 422, "The body cannot be read", span_of(e.text));
        return false;
    }
    p->total += p->plain.n;
    if (p->total > c->api->o.max_content) {
        /* The limit is for what is meant, not for what it was folded into. */
        respond_error(c, 413, "Too large", SPAN("The API root's max_content_length is the limit."));
        return false;
    }
    if (p->plain.n)
        intake_stream_feed(p->stream, buf_view(&p->plain));
    return p->plain.n > 0;
}

/* The stream has used up all that there is. */
static bool
want_more(struct call *c)
{
    struct post *p = &c->post;

    if (feed(c))
        return true;
    if (c->state != CALL_BODY)
        return false;
    buf_reset(&p->piece);
    p->held = false;
    if (!p->ended) {
        http_resume(c->http);
        return false;
    }
    if (p->gzip && !gunzip_whole(p->coded)) {
        respond_error(c, 422, "The body cannot be read", SPAN("Its gzip coding is cut off."));
        return false;
    }
    if (p->finished)
        return false;
    intake_stream_finish(p->stream);
    p->finished = true;
    return true; /* what it has left comes now */
}

/* What the stream gives; true: there is more to do. */
static bool
pump_one(struct call *c)
{
    struct post *p = &c->post;
    struct intake_result r;
    struct err e = ERR_INIT;

    switch (intake_stream_next(p->stream, &r, &e)) {
    case INTAKE_OBJECT:
        if (p->sent == 0 && r.class == INTAKE_REFUSED && !intake_stream_wrapped(p->stream)) {
            broken(c, &r); /* JSON, and yet nothing that TAXII knows */
            return false;
        }
        p->sent++;
        if (send_object(c, &r))
            return true;
        break;
    case INTAKE_MORE:
        return want_more(c);
    case INTAKE_END:
        if (r.defect_count == 0 || send_object(c, &r)) {
            finish(c);
            return false;
        }
        break;
    case INTAKE_BROKEN:
        broken(c, &r);
        return false;
    case INTAKE_FAILED:
        break;
    }
    respond_busy(c, 2);
    return false;
}

/* Sends what the stream has, until it wants more, ends, or the writer is full. */
static void
pump(struct call *c)
{
    while (c->state == CALL_BODY) {
        if (c->api->b->writer_full(c->api->b->ctx)) {
            wait_for_writer(c);
            return;
        }
        if (renew(c) || !pump_one(c))
            return;
    }
}

static void
begun(struct call *c)
{
    struct post *p = &c->post;

    p->stream = intake_stream_new(INTAKE_NORMAL);
    if (p->stream)
        c->api->posts++;
    if (p->gzip) {
        p->coded = gunzip_new();
        buf_init(&p->plain, PLAIN_MAX);
        if (!p->coded || !buf_room(&p->plain, PLAIN_MAX)) {
            respond_busy(c, 2);
            return;
        }
        buf_reset(&p->plain);
    }
    if (!p->stream) {
        respond_busy(c, 2);
        return;
    }
    c->state = CALL_BODY;
    if (c->post.ended)
        pump(c);
    else
        http_resume(c->http);
}

void
post_told(struct call *c, const struct answer *w)
{
    if (!w || (w->status != ERR_NONE && c->state != CALL_FLUSH))
        c->post.handle = 0; /* the batch is no more */
    if (!w) {
        respond_busy(c, 2);
    } else if (w->status == ERR_AUTH) {
        if (c->state != CALL_BEGIN || !call_login_again(c))
            respond_login(c);
    } else if (w->status != ERR_NONE) {
        respond_err_code(c, w->status, w->text);
    } else if (c->state == CALL_BEGIN) {
        begun(c);
    } else if (c->state == CALL_FLUSH) {
        c->state = CALL_BODY;
        pump(c);
    } else {
        c->post.handle = 0;
        respond_json(c, 202, w->body);
    }
}

void
post_renewed(struct call *c)
{
    struct tell t = {.verb = TELL_FLUSH, .handle = c->post.handle, .ticket = c->ticket};

    if (c->post.complete) {
        finish(c);
        return;
    }
    c->state = CALL_FLUSH;
    (void)call_tell(c, &t);
}

void
post_body(struct call *c, struct span piece)
{
    struct post *p = &c->post;

    /* After the pause no piece comes until the resume; the stream borrows this one until then. */
    http_pause(c->http);
    buf_span(&p->piece, piece);
    if (p->piece.failed || p->held || c->state != CALL_BODY) {
        respond_busy(c, 2);
        return;
    }
    p->held = true;
    p->left = buf_view(&p->piece);
    pump(c);
}

void
post_end(struct call *c)
{
    c->post.ended = true;
    if (c->state == CALL_BODY)
        pump(c);
}

void
post_go_on(struct call *c)
{
    pump(c);
}
