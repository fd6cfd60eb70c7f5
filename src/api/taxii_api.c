/* TAXII 2.1 (OASIS, 10 June 2021), chapters 3 to 5: what each endpoint asks and answers. */
#include "api_inner.h"

#include <stdio.h>
#include <string.h>

/* Which parameters an endpoint takes (the tables of sections 5.3 to 5.8). */
static unsigned
allowed(enum endpoint end, enum http_method m)
{
    switch (end) {
    case END_MANIFEST:
        return TAXII_P_MANIFEST;
    case END_OBJECTS:
        return TAXII_P_OBJECTS;
    case END_OBJECT:
        return m == HTTP_DELETE ? TAXII_P_DELETE : TAXII_P_OBJECT;
    case END_VERSIONS:
        return TAXII_P_VERSIONS;
    default:
        return 0;
    }
}

static enum ask_verb
verb_of(enum endpoint end)
{
    switch (end) {
    case END_STATUS:
        return ASK_STATUS;
    case END_COLLECTIONS:
        return ASK_COLLECTIONS;
    case END_COLLECTION:
        return ASK_COLLECTION;
    case END_MANIFEST:
        return ASK_MANIFEST;
    case END_OBJECTS:
        return ASK_OBJECTS;
    case END_OBJECT:
        return ASK_OBJECT;
    case END_VERSIONS:
        return ASK_VERSIONS;
    default:
        return ASK_NONE;
    }
}

static void
discovery(struct call *c)
{
    const struct api_options *o = &c->api->o;
    const struct taxii_text t = {.title = span_of(o->name), .contact = span_of(o->contact)};
    const struct span root = SPAN(API_ROOT);

    buf_reset(&c->api->scratch);
    taxii_print_discovery(&c->api->scratch, &t, &root, 1);
    respond_json(c, 200, buf_view(&c->api->scratch));
}

static void
root(struct call *c)
{
    const struct api_options *o = &c->api->o;
    const struct taxii_text t = {.title = span_of(o->name)};

    buf_reset(&c->api->scratch);
    taxii_print_root(&c->api->scratch, &t, o->max_content);
    respond_json(c, 200, buf_view(&c->api->scratch));
}

static void
delete_object(struct call *c)
{
    struct tell t = {.verb = TELL_DELETE,
                     .ticket = c->ticket,
                     .collection = span_of(c->route.collection),
                     .id = span_of(c->route.id),
                     .q = c->q};

    c->state = CALL_TOLD;
    (void)call_tell(c, &t);
}

static bool
read_query(struct call *c)
{
    char line[300];
    struct err e = ERR_INIT;

    if (taxii_query_read(c->arena, c->query, allowed(c->route.end, c->method), &c->q, &e)) {
        if (e.code == ERR_MEMORY) {
            respond_busy(c, 1);
            return false;
        }
        err_line(&e, line, sizeof line);
        respond_error(c, 400, "Bad parameter", span_of(line));
        return false;
    }
    /* A reader takes none that is longer, and would think that we had been taken over. */
    if (c->q.next.n > TAXII_NEXT_MAX) {
        respond_error(c, 400, "Bad parameter", SPAN("next is not one of ours"));
        return false;
    }
    return true;
}

void
taxii_begin(struct call *c)
{
    struct ask q = {.verb = verb_of(c->route.end),
                    .collection = span_of(c->route.collection),
                    .id = span_of(c->route.id)};

    if (c->route.end == END_DISCOVERY) {
        discovery(c);
    } else if (c->route.end == END_ROOT) {
        root(c);
    } else if (c->method == HTTP_DELETE && !c->ticket.n) {
        respond_login(c);
    } else if (!read_query(c)) {
        return;
    } else if (c->method == HTTP_DELETE) {
        delete_object(c);
    } else {
        q.q = c->q;
        if (q.q.limit == 0 && (allowed(c->route.end, c->method) & TAXII_P_LIMIT) != 0)
            q.q.limit = c->api->o.page_objects;
        call_ask(c, &q, false);
    }
}

void
taxii_asked(struct call *c, struct backend_answer *w)
{
    if (w->a.status != ERR_NONE) {
        /* The text lives as long as this call: use it before the slot goes back. */
        respond_err_code(c, w->a.status, w->a.text);
        c->api->b->release(c->api->b->ctx, w);
        return;
    }
    respond_taxii(c, w);
}
