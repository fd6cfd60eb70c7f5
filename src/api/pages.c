/*
 * Plain pages for a browser: no script, a few kilobytes, readable on a bad line and by a screen
 * reader.  What they show is what the readers answer; they know no rights of their own.
 */
#include "page_inner.h"

#include <string.h>
#include "clock.h"
#include "stix_id.h"

#define FIELD_MAX 512 /* bytes of a search field */
#define LATEST    25  /* rows of the first page after login */
#define FOUND     50  /* rows of a search */
#define RELATIONS 100 /* of an object's page */

/* -- frame ---------------------------------------------------------------------------------------
 */

static void
nav(struct call *c, struct buf *b, const char *path, enum endpoint end, const char *text)
{
    html_raw(b, "<a href=\"");
    html_raw(b, path);
    html_raw(b, c->exercise && end != END_HOME ? "?exercise=1\"" : "\"");
    html_raw(b, c->route.end == end ? " aria-current=\"page\">" : ">");
    html_raw(b, text);
    html_raw(b, "</a>");
}

void
page_head(struct call *c, struct buf *b, struct span title, enum page_who who)
{
    struct span name = span_of(c->api->o.name);

    html_raw(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    html_text(b, title);
    html_raw(b, " - ");
    html_text(b, name);
    html_raw(b, "</title><link rel=\"stylesheet\" href=\"/style.css\"></head><body>\n"
                "<a class=\"skip\" href=\"#main\">To the content</a>\n");
    if (c->exercise)
        html_raw(b, "<div class=\"drill\" role=\"note\">EXERCISE - EXERCISE - EXERCISE</div>\n");
    html_raw(b, "<header>");
    html_element(b, "strong", NULL, name);
    html_raw(b, "<nav aria-label=\"Pages\">");
    nav(c, b, "/", END_HOME, "This node");
    nav(c, b, "/desk", END_DESK, who == PAGE_PERSON ? "Desk" : "Log in");
    if (who == PAGE_PERSON) {
        nav(c, b, "/search", END_SEARCH, "Search");
        nav(c, b, "/settings", END_SETTINGS, "For your poller");
    }
    html_raw(b, "</nav></header>\n<main id=\"main\">\n");
    html_element(b, "h1", NULL, title);
    html_raw(b, "\n");
}

void
page_foot(struct buf *b)
{
    html_raw(b, "</main>\n<footer>jaga " JAGA_VERSION "</footer></body></html>\n");
}

void
page_finish(struct call *c)
{
    page_foot(&c->html_out);
    if (c->html_out.failed)
        respond_busy(c, 2);
    else
        respond_html(c, 200, buf_view(&c->html_out));
}

void
page_error(struct call *c, const char *title, struct span detail, struct buf *out)
{
    page_head(c, out, span_of(title), c->ticket.n ? PAGE_PERSON : PAGE_NOBODY);
    if (detail.n)
        html_element(out, "p", NULL, detail);
    html_raw(out, "\n");
    page_foot(out);
}

/* -- pieces --------------------------------------------------------------------------------------
 */

int64_t
page_number(const struct json *o, const char *name)
{
    int64_t v = 0;
    const struct json *m = json_get(o, name);

    return m && json_is_int(m, &v) ? v : 0;
}

bool
page_flag(const struct json *o, const char *name)
{
    const struct json *m = json_get(o, name);

    return m && m->type == JSON_BOOL && m->boolean;
}

void
page_time(struct buf *b, struct span date)
{
    html_text(b, span_part(date, 0, 10));
    html_raw(b, " ");
    html_text(b, span_part(date, 11, 5));
}

void
page_label(struct buf *b, struct span name)
{
    /* The class is one of four literals, never text from outside. */
    const char *class = span_starts(name, "RED")     ? "RED"
                        : span_starts(name, "AMBER") ? "AMBER"
                        : span_starts(name, "GREEN") ? "GREEN"
                                                     : "CLEAR";

    html_raw(b, "<span class=\"tlp ");
    html_raw(b, class);
    html_raw(b, "\">TLP:");
    html_text(b, name);
    html_raw(b, "</span>");
}

void
page_object_link(struct call *c, struct buf *b, struct span id, struct span text)
{
    html_link(b, "/object/", id, c->exercise ? "?exercise=1" : "", text);
}

static struct span
type_of(struct span id)
{
    ptrdiff_t dashes = span_find_span(id, SPAN("--"));

    return dashes < 0 ? id : span_part(id, 0, (size_t)dashes);
}

/* A relationship has no name of its own: "indicator indicates malware". */
static struct span
edge_name(struct call *c, const struct json *row)
{
    struct span from = type_of(json_text(row, "source_ref"));
    struct span to = type_of(json_text(row, "target_ref"));
    struct span kind = json_text(row, "relationship_type");
    struct span seen = type_of(json_text(row, "sighting_of_ref"));
    char *text = NULL;

    if (kind.n && from.n && to.n)
        text = arena_printf(c->arena, "%.*s %.*s %.*s", (int)from.n, from.p, (int)kind.n, kind.p,
                            (int)to.n, to.p);
    else if (seen.n)
        text = arena_printf(c->arena, "%.*s seen", (int)seen.n, seen.p);
    return text ? span_of(text) : json_text(row, "id");
}

struct span
page_name(struct call *c, const struct json *row)
{
    struct span name = json_text(row, "name");

    return name.n ? name : edge_name(c, row);
}

static void
row_of(struct call *c, struct buf *b, const struct json *row)
{

    html_raw(b, "<tr><td class=\"t\">");
    page_time(b, json_text(row, "date_added"));
    html_raw(b, "</td><td class=\"l\">");
    page_label(b, json_text(row, "label"));
    html_raw(b, "</td>");
    html_element(b, "td", "class=\"k\"", json_text(row, "type"));
    html_raw(b, "<td>");
    page_object_link(c, b, json_text(row, "id"), page_name(c, row));
    html_raw(b, page_flag(row, "revoked") ? " <span class=\"bad\">revoked</span>" : "");
    html_raw(b, "</td>");
    html_element(b, "td", NULL, json_text(row, "publisher"));
    html_raw(b, "</tr>\n");
}

static void
rows(struct call *c, struct buf *b, const struct json *list)
{
    if (!list || !list->child) {
        html_raw(b, "<p>None.</p>\n");
        return;
    }
    html_raw(b, "<div class=\"wide\"><table><thead><tr><th>arrived (UTC)</th><th>label</th>"
                "<th>type</th><th>what</th><th>from</th></tr></thead><tbody>\n");
    for (const struct json *r = list->child; r; r = r->next)
        row_of(c, b, r);
    html_raw(b, "</tbody></table></div>\n");
}

/* -- this node -----------------------------------------------------------------------------------
 */

static void
home(struct call *c, const struct json *a)
{
    struct buf *b = &c->html_out;
    const struct api_options *o = &c->api->o;

    page_head(c, b, span_of(o->name), c->ticket.n ? PAGE_PERSON : PAGE_NOBODY);
    html_raw(b, "<p>This is a node of a national cyber-security team.  It keeps threat information "
                "and shares each item with exactly those whom its marking allows.</p>\n"
                "<table class=\"pairs\"><tbody>\n");
    html_pair(b, "Team", json_text(a, "organisation"));
    html_pair(b, "Country", span_of(o->country));
    html_pair(b, "Contact", span_of(o->contact[0] ? o->contact : "not given"));
    html_pair(b, "State",
              page_flag(a, "ok") ? SPAN("in order") : SPAN("the operator has something to do"));
    html_raw(b, "<tr><th scope=\"row\">TAXII 2.1</th><td><code>/taxii2/</code></td></tr>\n"
                "<tr><th scope=\"row\">Certificate</th><td>SHA-256 <code class=\"fp\">");
    html_text(b, span_of(o->fingerprint));
    html_raw(b, "</code></td></tr>\n</tbody></table>\n<p class=\"soft\">Compare the fingerprint "
                "with what the team told you by another way before you give a password.</p>\n");
    page_finish(c);
}

/* -- search --------------------------------------------------------------------------------------
 */

struct choice {
    const char *value, *text;
};

static const struct choice labels[] = {{"", "any"},
                                       {"CLEAR", "CLEAR"},
                                       {"GREEN", "GREEN"},
                                       {"AMBER", "AMBER"},
                                       {"AMBER+STRICT", "AMBER+STRICT"},
                                       {"RED", "RED"},
                                       {NULL, NULL}};
static const struct choice times[] = {{"", "any time"}, {"2h", "2 hours"},  {"1d", "a day"},
                                      {"7d", "a week"}, {"30d", "30 days"}, {NULL, NULL}};

/* What a search page was asked. */
struct asked {
    char q[FIELD_MAX + 1], type[FIELD_MAX + 1], tlp[32], since[16];
    char next[TAXII_NEXT_MAX + 1];
};

static bool
asked_read(struct call *c, struct asked *w)
{
    return route_field(c->query, "q", w->q, sizeof w->q) &&
           route_field(c->query, "type", w->type, sizeof w->type) &&
           route_field(c->query, "tlp", w->tlp, sizeof w->tlp) &&
           route_field(c->query, "since", w->since, sizeof w->since) &&
           route_field(c->query, "next", w->next, sizeof w->next);
}

static void
field(struct buf *b, const char *label, const char *name, const char *value)
{
    html_raw(b, "<label>");
    html_raw(b, label);
    html_raw(b, "<input dir=\"auto\" maxlength=\"500\" name=\"");
    html_raw(b, name);
    html_raw(b, "\" value=\"");
    html_text(b, span_of(value));
    html_raw(b, "\"></label>\n");
}

static void
choices(struct buf *b, const char *label, const char *name, const struct choice *list,
        const char *value)
{
    html_raw(b, "<label>");
    html_raw(b, label);
    html_raw(b, "<select name=\"");
    html_raw(b, name);
    html_raw(b, "\">");
    for (; list->value; list++) {
        html_raw(b, "<option value=\"");
        html_raw(b, list->value);
        html_raw(b, strcmp(list->value, value) == 0 ? "\" selected>" : "\">");
        html_raw(b, list->text);
        html_raw(b, "</option>");
    }
    html_raw(b, "</select></label>\n");
}

static void
search_form(struct call *c, const struct asked *w)
{
    struct buf *b = &c->html_out;

    html_raw(b, "<form action=\"/search\" method=\"get\" role=\"search\">\n");
    field(b, "Text, address, domain, hash, CVE, id", "q", w->q);
    field(b, "Type", "type", w->type);
    choices(b, "Label", "tlp", labels, w->tlp);
    choices(b, "Arrived within", "since", times, w->since);
    if (c->exercise)
        html_raw(b, "<input type=\"hidden\" name=\"exercise\" value=\"1\">\n");
    html_raw(b, "<button>Search</button></form>\n");
}

static void
link_field(struct buf *b, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    html_raw(b, "&amp;");
    html_raw(b, name);
    html_raw(b, "=");
    html_url_part(b, span_of(value));
}

/* The way to what is older than this list. */
static void
older(struct call *c, const struct asked *w, struct span next)
{
    struct buf *b = &c->html_out;

    html_raw(b, "<p><a rel=\"next\" href=\"/search?next=");
    html_url_part(b, next);
    link_field(b, "q", w->q);
    link_field(b, "type", w->type);
    link_field(b, "tlp", w->tlp);
    link_field(b, "since", w->since);
    html_raw(b, c->exercise ? "&amp;exercise=1\">Older</a></p>\n" : "\">Older</a></p>\n");
}

static bool
is_id(struct span text)
{
    struct stix_id id;

    return stix_id_read(text, &id);
}

static void
search(struct call *c)
{
    struct asked *w = arena_zero(c->arena, 1, sizeof *w);
    struct ask q = {.verb = ASK_SEARCH, .exercise = c->exercise, .q.limit = FOUND};
    int64_t back;

    if (!w || !asked_read(c, w)) {
        respond_error(c, w ? 400 : 503, "Not understood", SPAN("A field is too long or broken."));
        return;
    }
    page_head(c, &c->html_out, SPAN("Search"), PAGE_PERSON);
    search_form(c, w);
    if (is_id(span_trim(span_of(w->q))))
        q.f.id = span_trim(span_of(w->q));
    else
        q.f.text = span_trim(span_of(w->q));
    q.f.type = span_trim(span_of(w->type));
    q.f.tlp = span_of(w->tlp);
    if (w->since[0] && duration_read(span_of(w->since), &back))
        q.f.since_us = clock_wall_us(c->api->o.clock) - back;
    q.q.next = span_of(w->next);
    if (q.f.text.n + q.f.id.n + q.f.type.n + q.f.tlp.n == 0 && q.f.since_us == 0)
        q.verb = ASK_LATEST;
    call_ask(c, &q, true);
}

static void
found(struct call *c, const struct json *a)
{
    struct asked *w = arena_zero(c->arena, 1, sizeof *w);
    struct span next = json_text(a, "next");

    rows(c, &c->html_out, json_get(a, "objects"));
    if (w && page_flag(a, "more") && next.n && asked_read(c, w))
        older(c, w, next);
    page_finish(c);
}

/* -- desk ----------------------------------------------------------------------------------------
 */

static void
count_row(struct buf *b, struct span label, const struct json *n)
{
    int64_t v = 0;

    if (!n || !json_is_int(n, &v))
        return;
    html_raw(b, "<tr><td>");
    page_label(b, label);
    html_raw(b, "</td><td class=\"n\">");
    html_number(b, v);
    html_raw(b, "</td></tr>\n");
}

static void
counts(struct buf *b, const struct json *a)
{
    const struct json *by = json_get(a, "labels");

    html_raw(b, "<h2>What you may see</h2>\n<table class=\"short\"><tbody>\n");
    for (size_t i = 1; labels[i].value; i++) /* the widest first */
        count_row(b, span_of(labels[i].value), json_get(by, labels[i].value));
    html_raw(b, "<tr><th scope=\"row\">in all</th><td class=\"n\">");
    html_number(b, page_number(a, "total"));
    html_raw(b, "</td></tr></tbody></table>\n");
}

static void
greeting(struct call *c, const struct json *a)
{
    struct buf *b = &c->html_out;
    struct asked none = {.q = ""};

    page_head(c, b, SPAN("Desk"), PAGE_PERSON);
    html_raw(b, "<p>");
    html_element(b, "b", NULL, json_text(a, "name"));
    html_raw(b, ", ");
    html_element(b, "span", NULL, json_text(a, "organisation"));
    html_raw(b, "</p>\n");
    if (c->exercise)
        html_raw(b, "<p><a href=\"/desk\">Leave the exercise: go to the live side</a></p>\n");
    else if (page_flag(a, "exercise"))
        html_raw(b, "<p><a href=\"/desk?exercise=1\">Go to the exercise side</a></p>\n");
    search_form(c, &none);
}

/* Three questions, one after the other. */
static void
desk(struct call *c, const struct json *a)
{
    static const enum ask_verb step[] = {ASK_SELF, ASK_COUNTS, ASK_LATEST};
    struct ask q = {.exercise = c->exercise};

    switch (c->page_step) {
    case 0:
        greeting(c, a);
        break;
    case 1:
        counts(&c->html_out, a);
        break;
    default:
        html_raw(&c->html_out, "<h2>Latest arrivals</h2>\n");
        rows(c, &c->html_out, json_get(a, "objects"));
        page_finish(c);
        return;
    }
    q.verb = step[++c->page_step];
    q.q.limit = q.verb == ASK_LATEST ? LATEST : 0;
    call_ask(c, &q, true);
}

/* -- settings for a poller ------------------------------------------------------------------------
 */

/* The address as this browser knows it; what is no host's name is left out. */
static void
base_url(struct call *c, struct buf *b)
{
    static const char good[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    struct span host = http_header(c->http, "Host");

    for (size_t i = 0; i < host.n; i++)
        if (!memchr(good, host.p[i], sizeof good - 1))
            host.n = 0;
    if (host.n == 0)
        return;
    html_raw(b, "https://");
    html_text(b, host);
}

static void
address_row(struct call *c, const char *name, const char *path)
{
    struct buf *b = &c->html_out;

    html_raw(b, "<tr><th scope=\"row\">");
    html_raw(b, name);
    html_raw(b, "</th><td><code>");
    base_url(c, b);
    html_raw(b, path);
    html_raw(b, "</code></td></tr>\n");
}

static void
collections(struct buf *b, const struct json *list)
{
    html_raw(b, "<h2>Collections</h2>\n<div class=\"wide\"><table><thead><tr><th>title</th>"
                "<th>id</th><th>alias</th></tr></thead><tbody>\n");
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        html_raw(b, "<tr>");
        html_element(b, "td", NULL, json_text(m, "title"));
        html_raw(b, "<td><code>");
        html_text(b, json_text(m, "id"));
        html_raw(b, "</code></td><td><code>");
        html_text(b, json_text(m, "alias"));
        html_raw(b, "</code></td></tr>\n");
    }
    html_raw(b, "</tbody></table></div>\n");
}

static void
settings(struct call *c, const struct json *a)
{
    struct buf *b = &c->html_out;

    page_head(c, b, SPAN("For your poller"), PAGE_PERSON);
    html_raw(b, "<table class=\"pairs\"><tbody>\n");
    address_row(c, "Discovery", "/taxii2/");
    address_row(c, "API root", API_ROOT);
    html_pair(b, "Version", SPAN("TAXII 2.1, STIX 2.1"));
    html_pair(b, "Login", SPAN("a token: as Bearer, or as the password of Basic with any name"));
    html_raw(b, "<tr><th scope=\"row\">Certificate</th><td>SHA-256 <code class=\"fp\">");
    html_text(b, span_of(c->api->o.fingerprint));
    html_raw(b, "</code></td></tr>\n</tbody></table>\n<p class=\"soft\">Tokens are made by the "
                "operator.  They never carry RED.</p>\n");
    collections(b, json_get(a, "collections"));
    html_raw(b, "<h2>Try it</h2>\n<pre><code>curl -H 'Authorization: Bearer TOKEN' \\\n  '");
    base_url(c, b);
    html_raw(b, API_ROOT
             "collections/all/objects/?limit=10'</code></pre>\n"
             "<p>Ask again from the <code>X-TAXII-Date-Added-Last</code> of the last page by "
             "<code>added_after</code>, or follow <code>next</code> while <code>more</code> is "
             "true.  Every five minutes is often enough.</p>\n<h2>You</h2>\n<table "
             "class=\"pairs\"><tbody>\n");
    html_pair(b, "Name", json_text(a, "name"));
    html_pair(b, "Organisation", json_text(a, "organisation"));
    html_pair(b, "Role", json_text(a, "role"));
    html_pair(b, "Widest label", json_text(a, "ceiling"));
    html_raw(b, "</tbody></table>\n");
    page_finish(c);
}

/* -- questions -----------------------------------------------------------------------------------
 */

void
page_begin(struct call *c)
{
    struct ask q = {.id = span_of(c->route.id)};
    char exercise[8];

    buf_reset(&c->html_out);
    c->page_step = 0;
    c->exercise = route_field(c->query, "exercise", exercise, sizeof exercise) &&
                  strcmp(exercise, "1") == 0 && c->route.end != END_HOME;
    q.exercise = c->exercise;
    switch (c->route.end) {
    case END_STYLE:
        respond_css(c, span_of(page_css));
        return;
    case END_HOME:
        q.verb = ASK_HEALTH;
        break;
    case END_DESK:
    case END_SETTINGS:
        q.verb = ASK_SELF;
        break;
    case END_SHOW:
        q.verb = ASK_SHOW;
        q.q.limit = RELATIONS;
        break;
    default:
        break;
    }
    if (c->route.end != END_HOME && !c->ticket.n)
        respond_login(c);
    else if (q.verb == ASK_NONE)
        search(c);
    else
        call_ask(c, &q, c->route.end != END_HOME);
}

static void
show(struct call *c, const struct json *a)
{
    switch (c->route.end) {
    case END_HOME:
        home(c, a);
        break;
    case END_DESK:
        desk(c, a);
        break;
    case END_SHOW:
        page_object(c, a);
        break;
    case END_SETTINGS:
        settings(c, a);
        break;
    default:
        found(c, a);
    }
}

void
page_asked(struct call *c, struct backend_answer *w)
{
    struct api *api = c->api;
    struct err e = ERR_INIT;
    const struct json *a;
    struct span body;

    if (w->a.status != ERR_NONE) {
        respond_err_code(c, w->a.status, w->a.text);
        api->b->release(api->b->ctx, w);
        return;
    }
    /* The body lies in memory that a reader can write: copy it, then read the copy. */
    arena_reset(api->page_arena);
    body = arena_span(api->page_arena, w->a.body);
    api->b->release(api->b->ctx, w);
    a = body.n ? json_parse(api->parser, body, api->page_arena, &e) : NULL;
    if (a)
        show(c, a);
    else if (!body.n || e.code == ERR_LIMIT || e.code == ERR_MEMORY)
        respond_error(c, 413, "Too large for a page", SPAN("Over TAXII it can be had whole."));
    else
        respond_err_code(c, ERR_INTERNAL, span_of(e.text));
}
