/* One request: the steps, the answer. */
#include <stdio.h>
#include <string.h>
#include "http_inner.h"
#include "mem.h"

#define SUSPEND_US  INT64_C(5000) /* an answer that takes longer than this is waited for asleep */
#define WAITING_MAX 128u          /* requests that are asked for their answer in each run */
#define DROP_MAX    (64u << 10)   /* bytes of an unwanted body that are read to keep a connection */

static int64_t
now_us(const struct http_request *r)
{
    return loop_now(r->server->loop).us;
}

/* -- what a request says -- */

static enum http_method
method_of(const char *text)
{
    static const struct {
        const char *name;
        enum http_method method;
    } t[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
             {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS}};

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        if (strcmp(text, t[i].name) == 0)
            return t[i].method;
    }
    return HTTP_OTHER;
}

enum http_method
http_method(const struct http_request *r)
{
    return r->method;
}

struct span
http_method_text(const struct http_request *r)
{
    return span_of(r->method_text);
}

struct span
http_path(const struct http_request *r)
{
    return r->path;
}

struct span
http_query(const struct http_request *r)
{
    return r->query;
}

struct wanted {
    const char *name;
    size_t name_n;
    unsigned index; /* how many to pass over */
    bool found;
    struct span value;
};

static enum MHD_Result
look(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
     size_t value_n)
{
    struct wanted *w = ctx;

    (void)kind;
    if (name_n != w->name_n || !span_eq_nocase(span_from(name, name_n), span_from(w->name, name_n)))
        return MHD_YES;
    if (w->index > 0) {
        w->index--;
        return MHD_YES;
    }
    w->found = true;
    w->value = span_trim(span_from(value != NULL ? value : "", value_n));
    return MHD_NO;
}

bool
http_header_next(const struct http_request *r, const char *name, unsigned index, struct span *out)
{
    struct wanted w = {.name = name, .name_n = strlen(name), .index = index};

    if (r->conn == NULL)
        return false;
    MHD_get_connection_values_n(r->conn->mhd, MHD_HEADER_KIND, look, &w);
    if (w.found)
        *out = w.value;
    return w.found;
}

struct span
http_header(const struct http_request *r, const char *name)
{
    struct span s = {NULL, 0};

    http_header_next(r, name, 0, &s);
    return s;
}

uint64_t
http_length(const struct http_request *r)
{
    return r->length;
}

bool
http_has_body(const struct http_request *r)
{
    return r->length != 0;
}

const struct sockaddr *
http_peer(const struct http_request *r)
{
    return MHD_get_connection_info(r->conn->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

void *
http_user(const struct http_request *r)
{
    return r->user;
}

void
http_set(struct http_request *r, void *user)
{
    r->user = user;
}

void
http_limit(struct http_request *r, uint64_t max_body)
{
    r->limit = max_body;
}

void
http_more_time(struct http_request *r, int64_t us)
{
    if (__builtin_add_overflow(now_us(r), us, &r->answer_by))
        r->answer_by = INT64_MAX;
}

/* -- life -- */

void *
request_new(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    struct http_server *s = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_conn *c = info != NULL ? info->socket_context : NULL;
    size_t n = strlen(target);
    struct http_request *r;
    struct span rest;

    if (c == NULL)
        return NULL;
    r = mem_zero(1, sizeof *r + n + 1);
    if (r == NULL)
        return NULL;
    memcpy(r->target, target, n + 1);
    r->server = s;
    r->conn = c;
    r->step = STEP_HEAD;
    r->limit = HTTP_BODY_MAX;
    rest = span_from(r->target, n);
    span_split(&rest, '?', &r->path);
    r->query = rest;
    c->request = r;
    r->prev = s->active.prev;
    r->next = &s->active;
    r->prev->next = r;
    r->next->prev = r;
    s->counts.active++;
    s->counts.requests++;
    return r;
}

static void
set_waits(struct http_request *r, bool waits)
{
    if (r->waits == waits)
        return;
    r->waits = waits;
    if (waits)
        r->server->waiting++;
    else
        r->server->waiting--;
}

void
request_done(void *ctx, struct MHD_Connection *mhd, void **slot,
             enum MHD_RequestTerminationCode how)
{
    struct http_request *r = *slot;
    struct http_server *s = ctx;

    (void)mhd;
    *slot = NULL;
    if (r == NULL)
        return;
    s->quiet_runs = 0;
    set_waits(r, false);
    r->suspended = false;
    if (r->known && s->h->gone != NULL)
        s->h->gone(s->ctx, r, how == MHD_REQUEST_TERMINATED_COMPLETED_OK && r->step == STEP_SEND);
    if (r->response != NULL)
        MHD_destroy_response(r->response);
    r->prev->next = r->next;
    r->next->prev = r->prev;
    s->counts.active--;
    r->conn->request = NULL;
    conn_set_idle(r->conn, true);
    if (s->stopping && !s->freeing)
        server_sweep_soon(s);
    mem_free(r);
}

/* Makes the library come back to a suspended request. */
static void
wake(struct http_request *r)
{
    if (r->suspended) {
        r->suspended = false;
        MHD_resume_connection(r->conn->mhd);
    }
    server_wake(r->server);
}

void
request_abort(struct http_request *r)
{
    r->aborted = true;
    wake(r);
}

static void
suspend(struct http_request *r)
{
    set_waits(r, false);
    r->suspended = true;
    MHD_suspend_connection(r->conn->mhd);
}

void
request_refuse(struct http_request *r, unsigned status, const char *why)
{
    struct http_server *s = r->server;

    r->refused = true;
    s->counts.refused++;
    if (s->h->refuse != NULL)
        s->h->refuse(s->ctx, r, status, why);
    if (!http_answered(r)) {
        const struct http_reply empty = {.status = status, .close = true};

        if (http_answer(r, &empty, NULL) < 0)
            r->aborted = true;
    }
}

/* -- the steps, as the library calls -- */

/* Hands the answer to the library. */
static enum MHD_Result
queue(struct http_request *r)
{
    enum MHD_Result ok = MHD_queue_response(r->conn->mhd, r->status, r->response);
    uint64_t bytes = r->body_bytes;

    MHD_destroy_response(r->response);
    r->response = NULL;
    r->step = STEP_SEND;
    r->head_due = true;
    r->sent_by =
        now_us(r) + r->server->o.grace_us + (int64_t)(bytes * 1000000 / r->server->o.least_rate);
    set_waits(r, false);
    r->server->quiet_runs = 0;
    return ok;
}

/* The head is dealt with, or a pause that began there is over: what comes next. */
static enum MHD_Result
head_done(struct http_request *r)
{
    if (r->aborted)
        return MHD_NO;
    r->held = !http_answered(r) && r->paused && r->length != 0;
    if (r->held) {
        suspend(r); /* or its body would come all the same */
        return MHD_YES;
    }
    if (!http_answered(r) || r->length == 0)
        return MHD_YES; /* without a body: queued in the next call, or the library would close */
    if (!r->close && r->length <= DROP_MAX) {
        r->step = STEP_DROP; /* cheaper than a new connection for the next try */
        r->drop = r->length;
        return MHD_YES;
    }
    return queue(r); /* the library closes behind an answer that comes before the body */
}

/* The first call: headers are complete. */
static enum MHD_Result
step_head(struct http_request *r, const char *url, const char *method, const char *version)
{
    struct http_server *s = r->server;
    const char *why;
    unsigned status;

    conn_set_idle(r->conn, false);
    r->method_text = method;
    r->method = method_of(method);
    r->began = now_us(r);
    r->answer_by = r->began + s->o.answer_us;
    r->step = STEP_BODY;
    status = head_check(r, url, version, &why);
    if (status != 0) {
        r->close = true;
        request_refuse(r, status, why);
    } else {
        r->known = true;
        if (s->h->begin(s->ctx, r) < 0)
            return MHD_NO;
        if (!http_answered(r) && r->length != 0 && s->h->body == NULL)
            request_refuse(r, 413, "no body is taken here");
        else if (!http_answered(r) && r->length != UINT64_MAX && r->length > r->limit)
            request_refuse(r, 413, "body too large");
    }
    if (!r->aborted && r->length != 0)
        s->quiet_runs = 0; /* its body may have been read already */
    return head_done(r);
}

/* It is answered, and the rest of its body is still to come: as much as would have been taken. */
static void
begin_drop(struct http_request *r)
{
    r->step = STEP_DROP;
    r->drop = r->got < r->limit ? r->limit - r->got : 0;
    if (r->drop < DROP_MAX)
        r->drop = DROP_MAX;
    r->paused = false;
}

static enum MHD_Result
step_body(struct http_request *r, const char *data, size_t *size)
{
    struct http_server *s = r->server;
    size_t n = *size;

    *size = 0;
    s->quiet_runs = 0;
    if (r->step == STEP_BODY && http_answered(r))
        begin_drop(r); /* while it was paused */
    if (r->step == STEP_DROP) {
        if (n > r->drop)
            return MHD_NO;
        r->drop -= n;
        return MHD_YES;
    }
    r->got += n;
    if (r->got > r->limit) {
        request_refuse(r, 413, "body too large");
    } else {
        s->h->body(s->ctx, r, span_from(data, n));
    }
    if (r->aborted)
        return MHD_NO;
    if (http_answered(r)) {
        begin_drop(r);
        return MHD_YES;
    }
    if (r->paused)
        suspend(r);
    return MHD_YES;
}

/* Nothing more comes.  Waits a little awake, then asleep. */
static enum MHD_Result
step_wait(struct http_request *r)
{
    struct http_server *s = r->server;

    if (r->step == STEP_BODY) {
        r->step = STEP_WAIT;
        r->wait_since = now_us(r);
        if (!http_answered(r)) {
            r->answer_by = r->wait_since + s->o.answer_us;
            s->h->end(s->ctx, r);
        }
    }
    if (r->aborted)
        return MHD_NO;
    if (r->response != NULL)
        return queue(r);
    if (s->waiting >= WAITING_MAX || now_us(r) - r->wait_since >= SUSPEND_US)
        suspend(r);
    else
        set_waits(r, true);
    return MHD_YES;
}

enum MHD_Result
request_step(void *ctx, struct MHD_Connection *mhd, const char *url, const char *method,
             const char *version, const char *data, size_t *size, void **slot)
{
    struct http_request *r = *slot;

    (void)ctx;
    (void)mhd;
    if (r == NULL || r->aborted || r->step == STEP_SEND)
        return MHD_NO;
    if (r->step == STEP_HEAD)
        return step_head(r, url, method, version);
    /* Resumed after a suspension in its first call, the library makes that call once more. */
    if (r->held && *size == 0)
        return head_done(r);
    if (*size > 0)
        return step_body(r, data, size);
    return step_wait(r);
}

/* -- flow -- */

void
http_pause(struct http_request *r)
{
    if (r->step != STEP_BODY || r->paused || http_answered(r))
        return;
    r->paused = true;
    r->paused_at = now_us(r);
}

void
http_resume(struct http_request *r)
{
    if (!r->paused)
        return;
    r->paused = false;
    r->began += now_us(r) - r->paused_at; /* the handler's time, not the client's */
    if (r->suspended)
        wake(r);
}

bool
request_late(struct http_request *r, int64_t now)
{
    const struct http_options *o = &r->server->o;
    bool late = false;

    switch (r->step) {
    case STEP_HEAD: /* its connection is among the idle ones */
        break;
    case STEP_BODY:
        if (r->paused) {
            if (now - r->paused_at <= o->answer_us || http_answered(r))
                return false;
            request_refuse(r, 503, "no answer in time");
            return true;
        }
        /* fallthrough */
    case STEP_DROP:
        late = now - r->began > o->grace_us + (int64_t)(r->got * 1000000 / o->least_rate);
        break;
    case STEP_WAIT:
        if (now > r->answer_by && !http_answered(r) && !r->gave_up) {
            r->gave_up = true;
            request_refuse(r, 503, "no answer in time");
            return true;
        }
        return false;
    case STEP_SEND:
        late = now > r->sent_by;
        break;
    }
    if (late && !r->conn->shut) {
        conn_shut(r->conn);
        return true;
    }
    return false;
}

/* -- answers -- */

bool
http_answered(const struct http_request *r)
{
    return r->response != NULL || r->step == STEP_SEND;
}

static bool
good_field(const struct http_field *f)
{
    static const char *const own[] = {"Content-Length", "Transfer-Encoding", "Date", "Connection"};
    struct span name = span_of(f->name);

    if (name.n == 0 || f->value == NULL || strpbrk(f->value, "\r\n") != NULL ||
        strpbrk(f->name, "\r\n\t :") != NULL)
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (span_eq_nocase(name, span_of(own[i])))
            return false;
    }
    return true;
}

static struct MHD_Response *
make_response(const struct http_reply *a)
{
    void *body = (void *)(uintptr_t)a->body.p;

    if (a->free_body != NULL && a->body.n > 0)
        return MHD_create_response_from_buffer_with_free_callback_cls(a->body.n, body, a->free_body,
                                                                      a->free_ctx);
    if (a->body.n == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    return MHD_create_response_from_buffer(a->body.n, body, MHD_RESPMEM_MUST_COPY);
}

int
http_answer(struct http_request *r, const struct http_reply *a, struct err *e)
{
    struct MHD_Response *response = NULL;
    bool close = a->close || r->close || r->server->stopping;
    bool held = a->free_body != NULL; /* the body is still ours to free */
    int rc = -1;

    if (http_answered(r)) {
        err_set(e, ERR_CONFLICT, "the request is answered already");
        goto out;
    }
    if (a->status < 200 || a->status > 599) {
        err_set(e, ERR_USAGE, "not the status of an answer");
        goto out;
    }
    for (size_t i = 0; i < a->n_fields; i++) {
        if (!good_field(&a->fields[i])) {
            err_set(e, ERR_USAGE, "bad header field in an answer");
            goto out;
        }
    }
    response = make_response(a);
    if (response == NULL) {
        err_set(e, ERR_MEMORY, "no memory for an answer");
        request_abort(r);
        goto out;
    }
    if (a->body.n > 0)
        held = false;
    for (size_t i = 0; i < a->n_fields; i++) {
        if (MHD_add_response_header(response, a->fields[i].name, a->fields[i].value) != MHD_YES) {
            err_set(e, ERR_USAGE, "bad header field in an answer");
            goto out;
        }
    }
    if (close && MHD_add_response_header(response, "Connection", "close") != MHD_YES) {
        err_set(e, ERR_MEMORY, "no memory for an answer");
        request_abort(r);
        goto out;
    }
    r->response = response;
    response = NULL;
    r->status = a->status;
    r->close = close;
    r->body_bytes = a->body.n;
    http_resume(r); /* what is left of its body comes and is dropped */
    wake(r);
    rc = 0;
out:
    if (response != NULL)
        MHD_destroy_response(response);
    if (held)
        a->free_body(a->free_ctx);
    return rc;
}
