/*
 * Plain pages for a browser: no script, a few kilobytes, readable on a bad line and by a screen
 * reader.  What they show is what the readers answer; they know no rights of their own.
 */
#include <stdio.h>
#include <string.h>
#include "api_inner.h"
#include "html.h"
#include "mem.h"

#define FIELD_MAX 512 /* bytes of a search field */
#define LATEST    25  /* rows of the first page after login */
#define FOUND     50  /* rows of a search */

static const char css[] =
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#1b1f23;background:#fff}"
    "header,main,footer{max-width:64rem;margin:0 auto;padding:.75rem 1rem}"
    "header{border-bottom:3px solid #0b5c63}header a{margin-right:1rem;color:#0b5c63}"
    "h1{font-size:1.4rem;margin:.5rem 0}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:start;vertical-align:top;padding:.3rem .75rem .3rem 0;"
    "border-bottom:1px solid #e3e6e8;overflow-wrap:anywhere}th{font-weight:600;white-space:nowrap}"
    "input,select,button{font:inherit;padding:.35rem .5rem;border:1px solid "
    "#7a868c;border-radius:4px}"
    "input[name=q]{width:min(32rem,60%)}button{background:#0b5c63;color:#fff;border-color:#0b5c63}"
    "code{font-size:.9em;overflow-wrap:anywhere}footer{color:#5b666b;font-size:.85rem}"
    ".l{display:inline-block;padding:0 .4rem;border-radius:3px;background:#000;color:#fff;"
    "font-size:.8rem;white-space:nowrap}"
    ".l-RED{color:#ff2b2b}.l-AMBER{color:#ffc000}.l-GREEN{color:#33ff00}.l-CLEAR{color:#fff}"
    ".x{background:#7a2e00;color:#fff;padding:.4rem 1rem;font-weight:700}"
    "@media(prefers-color-scheme:dark){body{background:#15191c;color:#e6e9eb}"
    "th,td{border-color:#333b40}header a,a{color:#6fc7cf}footer{color:#9aa6ab}"
    "input,select{background:#1d2327;color:inherit}}";

/* -- frame ---------------------------------------------------------------------------------------
 */

static void
head(struct call *c, struct buf *b, struct span title, bool logged_in)
{
    html_raw(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    html_text(b, title);
    html_raw(b, " - ");
    html_text(b, span_of(c->api->o.name));
    html_raw(b, "</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body>\n<header>"
                "<strong>");
    html_text(b, span_of(c->api->o.name));
    html_raw(b, "</strong> &nbsp; <a href=\"/\">This node</a><a href=\"/desk\">Desk</a>");
    if (logged_in)
        html_raw(b, "<a href=\"/search\">Search</a><a href=\"/settings\">For your poller</a>");
    html_raw(b, "</header>\n<main>\n");
    html_element(b, "h1", title);
    html_raw(b, "\n");
}

static void
foot(struct buf *b)
{
    html_raw(b, "</main>\n<footer>jaga " JAGA_VERSION "</footer></body></html>\n");
}

static void
finish(struct call *c)
{
    foot(&c->html);
    if (c->html.failed)
        respond_error(c, 500, "The page is too long", (struct span){NULL, 0});
    else
        respond_html(c, 200, buf_view(&c->html));
}

void
page_error(struct call *c, unsigned status, const char *title, struct span detail, struct buf *out)
{
    (void)status;
    head(c, out, span_of(title), false);
    if (detail.n)
        html_element(out, "p", detail);
    foot(out);
}

/* -- parts ---------------------------------------------------------------------------------------
 */

static int64_t
number(const struct json *o, const char *name)
{
    int64_t v = 0;
    const struct json *m = json_get(o, name);

    return m && json_is_int(m, &v) ? v : 0;
}

static bool
flag(const struct json *o, const char *name)
{
    const struct json *m = json_get(o, name);

    return m && m->type == JSON_BOOL && m->boolean;
}

static void
label(struct buf *b, struct span name)
{
    /* The colours of TLP 2.0: the class is one of four literals, never text from outside. */
    const char *class = span_starts(name, "RED")     ? "RED"
                        : span_starts(name, "AMBER") ? "AMBER"
                        : span_starts(name, "GREEN") ? "GREEN"
                                                     : "CLEAR";
    buf_printf(b, "<span class=\"l l-%s\">TLP:", class);
    html_text(b, name);
    html_raw(b, "</span>");
}

static void
search_form(struct buf *b, struct span text)
{
    html_raw(b, "<form action=\"/search\" method=\"get\"><p><input name=\"q\" maxlength=\"500\" "
                "aria-label=\"text, address, domain, hash, CVE\" placeholder=\"text, address, "
                "domain, hash, CVE ...\" value=\"");
    html_text(b, text);
    html_raw(b, "\"> <button>Search</button></p></form>\n");
}

static void
row_of(struct buf *b, const struct json *row)
{
    struct span name = json_text(row, "name"), id = json_text(row, "id");

    html_raw(b, "<tr><td>");
    html_text(b, span_part(json_text(row, "date_added"), 0, 16));
    html_raw(b, "</td><td>");
    label(b, json_text(row, "label"));
    html_raw(b, "</td>");
    html_element(b, "td", json_text(row, "type"));
    html_raw(b, "<td>");
    html_link(b, "/object/", id, name.n ? name : id);
    if (flag(row, "revoked"))
        html_raw(b, " <strong>revoked</strong>");
    if (flag(row, "exercise"))
        html_raw(b, " <strong>EXERCISE</strong>");
    html_raw(b, "</td></tr>\n");
}

static void
rows(struct buf *b, const struct json *list)
{
    if (!list || !list->child) {
        html_raw(b, "<p>None.</p>\n");
        return;
    }
    html_raw(b, "<table><tr><th>arrived (UTC)</th><th>label</th><th>type</th><th>what</th></tr>\n");
    for (const struct json *r = list->child; r; r = r->next)
        row_of(b, r);
    html_raw(b, "</table>\n");
}

/* -- pages ---------------------------------------------------------------------------------------
 */

static void
home(struct call *c, const struct json *a)
{
    struct buf *b = &c->html;
    const struct api_options *o = &c->api->o;

    head(c, b, span_of(o->name), c->ticket.n > 0);
    html_raw(b, "<p>This is a node of a national cyber-security team.  It keeps threat information "
                "and shares each item with exactly those its markings allow, over TAXII 2.1 at "
                "<code>" API_ROOT "</code>.</p>\n<table>\n");
    html_pair(b, "team", json_text(a, "organisation"));
    html_pair(b, "country", span_of(o->country));
    html_pair(b, "contact", span_of(o->contact[0] ? o->contact : "not given"));
    html_pair(b, "state",
              flag(a, "ok") ? SPAN("in order") : SPAN("the operator has something to do"));
    html_raw(b, "<tr><th>certificate</th><td>SHA-256 <code>");
    html_text(b, span_of(o->fingerprint));
    html_raw(b, "</code></td></tr>\n</table>\n<p><a href=\"/desk\">Log in</a></p>\n");
    finish(c);
}

static void
counts(struct buf *b, const struct json *a)
{
    const struct json *labels = json_get(a, "labels");

    html_raw(b, "<h2>What you may see</h2>\n<table><tr><th>label</th><th>objects</th></tr>\n");
    for (const struct json *m = labels ? labels->child : NULL; m; m = m->next) {
        int64_t v = 0;
        (void)json_is_int(m, &v);
        html_raw(b, "<tr><td>");
        label(b, m->key);
        html_raw(b, "</td><td>");
        html_number(b, v);
        html_raw(b, "</td></tr>\n");
    }
    html_raw(b, "<tr><th>in all</th><td>");
    html_number(b, number(a, "total"));
    html_raw(b, "</td></tr></table>\n");
}

static void
properties(struct call *c, const struct json *object)
{
    struct buf *b = &c->html;
    struct buf text;

    html_raw(b, "<h2>Properties</h2>\n<table>\n");
    buf_init(&text, JSON_TEXT_MAX);
    for (const struct json *m = object ? object->child : NULL; m; m = m->next) {
        html_raw(b, "<tr>");
        html_element(b, "th", m->key);
        html_raw(b, "<td dir=\"auto\">");
        if (m->type == JSON_STRING) {
            html_text(b, m->text);
        } else {
            buf_reset(&text);
            json_canonical(m, &text);
            html_raw(b, "<code>");
            html_text(b, buf_view(&text));
            html_raw(b, "</code>");
        }
        html_raw(b, "</td></tr>\n");
    }
    html_raw(b, "</table>\n");
    buf_clear(&text);
}

static void
audiences(struct buf *b, const struct json *list)
{
    html_raw(b, "<h2>Who can see it</h2>\n<table>\n");
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        html_raw(b, "<tr><td>");
        html_text(b, span_part(json_text(m, "date_added"), 0, 16));
        html_raw(b, "</td><td>");
        label(b, json_text(m, "label"));
        html_raw(b, "</td>");
        html_element(b, "td", json_text(m, "group"));
        html_element(b, "td", json_text(m, "publisher"));
        html_element(b, "td", json_text(m, "readers"));
        html_raw(b, "</tr>\n");
    }
    html_raw(b, "</table>\n");
}

static void
relations(struct buf *b, const struct json *a)
{
    const struct json *list = json_get(a, "relations");

    if (!list || !list->child)
        return;
    html_raw(b, "<h2>Relations</h2>\n<table>\n");
    for (const struct json *m = list->child; m; m = m->next) {
        const struct json *row = json_get(m, "row");
        struct span id = json_text(m, "id"), name = json_text(row, "name");
        html_raw(b, span_is(json_text(m, "direction"), "in") ? "<tr><td>from</td>"
                                                             : "<tr><td>to</td>");
        html_element(b, "td", json_text(m, "kind"));
        html_raw(b, "<td>");
        if (row) {
            html_link(b, "/object/", id, name.n ? name : id);
        } else {
            html_text(b, id);
            html_raw(b, " (not here, or not for you)");
        }
        html_raw(b, "</td></tr>\n");
    }
    html_raw(b, flag(a, "relations_more") ? "</table>\n<p>There are more.</p>\n" : "</table>\n");
}

static void
defects(struct buf *b, const struct json *list)
{
    if (!list || !list->child)
        return;
    html_raw(b, "<h2>Defects</h2>\n<table>\n");
    for (const struct json *m = list->child; m; m = m->next) {
        html_raw(b, "<tr><td><code>");
        html_text(b, json_text(m, "pointer"));
        html_raw(b, "</code></td>");
        html_element(b, "td", json_text(m, "text"));
        html_element(b, "td", json_text(m, "clause"));
        html_raw(b, "</tr>\n");
    }
    html_raw(b, "</table>\n");
}

static void
show(struct call *c, const struct json *a)
{
    struct buf *b = &c->html;
    const struct json *row = json_get(a, "row"), *versions = json_get(a, "versions");
    struct span name = json_text(row, "name"), id = json_text(row, "id");

    head(c, b, name.n ? name : id, true);
    if (flag(row, "exercise"))
        html_raw(b, "<p class=\"x\">EXERCISE EXERCISE EXERCISE</p>\n");
    html_raw(b, "<p>");
    label(b, json_text(row, "label"));
    html_raw(b, " <code>");
    html_text(b, id);
    html_raw(b, flag(row, "revoked") ? "</code> <strong>revoked: it is wrong</strong></p>\n"
                                     : "</code></p>\n");
    properties(c, json_get(a, "object"));
    audiences(b, json_get(a, "audiences"));
    relations(b, a);
    defects(b, json_get(a, "defects"));
    if (versions && versions->child && versions->child->next) {
        html_raw(b, "<h2>Versions</h2>\n<table>\n");
        for (const struct json *m = versions->child; m; m = m->next) {
            html_raw(b, "<tr>");
            html_element(b, "td", json_text(m, "version"));
            html_raw(b, "<td>");
            label(b, json_text(m, "label"));
            html_raw(b,
                     flag(m, "best") ? "</td><td>the best</td></tr>\n" : "</td><td></td></tr>\n");
        }
        html_raw(b, "</table>\n");
    }
    finish(c);
}

static void
settings(struct call *c, const struct json *a)
{
    struct buf *b = &c->html;
    const struct json *list = json_get(a, "collections");

    head(c, b, SPAN("For your poller"), true);
    html_raw(b, "<table>\n");
    html_pair(b, "name", json_text(a, "name"));
    html_pair(b, "organisation", json_text(a, "organisation"));
    html_pair(b, "role", json_text(a, "role"));
    html_pair(b, "widest label", json_text(a, "ceiling"));
    html_pair(b, "discovery", SPAN("/taxii2/"));
    html_pair(b, "API root", SPAN(API_ROOT));
    html_raw(b, "</table>\n<h2>Collections</h2>\n<table>\n");
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        html_raw(b, "<tr><td><code>");
        html_text(b, json_text(m, "id"));
        html_raw(b, "</code></td>");
        html_element(b, "td", json_text(m, "title"));
        html_raw(b, "</tr>\n");
    }
    html_raw(b, "</table>\n<p>A program logs in with a token: ask the operator for one.  Poll by "
                "<code>added_after</code>, or follow <code>next</code> while <code>more</code> is "
                "true.</p>\n");
    finish(c);
}

/* -- questions -----------------------------------------------------------------------------------
 */

static bool
needs_login(enum endpoint end)
{
    return end == END_DESK || end == END_SEARCH || end == END_SETTINGS || end == END_SHOW;
}

static void
begin_search(struct call *c)
{
    char text[FIELD_MAX + 1];
    struct ask q = {.verb = ASK_SEARCH};

    head(c, &c->html, SPAN("Search"), true);
    if (!route_field(c->query, "q", text, FIELD_MAX) || text[0] == '\0') {
        search_form(&c->html, (struct span){NULL, 0});
        finish(c);
        return;
    }
    search_form(&c->html, span_of(text));
    q.q.limit = FOUND;
    q.f.text = span_of(text);
    call_ask(c, &q, true);
}

void
page_begin(struct call *c)
{
    struct ask q = {.id = span_of(c->route.id)};

    buf_reset(&c->html);
    c->page_step = 0;
    if (c->route.end == END_STYLE) {
        respond_css(c, span_of(css));
        return;
    }
    if (needs_login(c->route.end) && !c->ticket.n) {
        respond_login(c);
        return;
    }
    switch (c->route.end) {
    case END_HOME:
        q.verb = ASK_HEALTH;
        break;
    case END_DESK:
        q.verb = ASK_COUNTS;
        break;
    case END_SHOW:
        q.verb = ASK_SHOW;
        q.q.limit = 100;
        break;
    case END_SETTINGS:
        q.verb = ASK_SELF;
        break;
    default:
        begin_search(c);
        return;
    }
    call_ask(c, &q, c->route.end != END_HOME);
}

static void
desk(struct call *c, const struct json *a)
{
    if (c->page_step == 0) {
        struct ask q = {.verb = ASK_LATEST};
        head(c, &c->html, SPAN("Desk"), true);
        search_form(&c->html, (struct span){NULL, 0});
        counts(&c->html, a);
        c->page_step = 1;
        q.q.limit = LATEST;
        call_ask(c, &q, true);
        return;
    }
    html_raw(&c->html, "<h2>Latest arrivals</h2>\n");
    rows(&c->html, json_get(a, "objects"));
    finish(c);
}

void
page_asked(struct call *c, struct backend_answer *w)
{
    struct err e = ERR_INIT;
    struct span body = {NULL, 0};

    arena_reset(c->api->page_arena);
    if (w->a.status != ERR_NONE) {
        respond_err_code(c, w->a.status, w->a.text);
        c->api->b->release(c->api->b->ctx, w);
        return;
    }
    /* The body lies in memory that a reader can write: copy it, then read the copy. */
    body = arena_span(c->api->page_arena, w->a.body);
    c->api->b->release(c->api->b->ctx, w);
    const struct json *a = json_parse(c->api->parser, body, c->api->page_arena, &e);
    if (!a) {
        respond_err_code(c, e.code == ERR_MEMORY ? ERR_BUSY : ERR_INTERNAL, span_of(e.text));
        return;
    }
    switch (c->route.end) {
    case END_HOME:
        home(c, a);
        break;
    case END_DESK:
        desk(c, a);
        break;
    case END_SHOW:
        show(c, a);
        break;
    case END_SETTINGS:
        settings(c, a);
        break;
    default:
        rows(&c->html, json_get(a, "objects"));
        if (flag(a, "more"))
            html_raw(&c->html, "<p>There are more: say it more narrowly.</p>\n");
        finish(c);
    }
}
