/* One object as a page: what it says, who can see it, what it is related to. */
#include "page_inner.h"

#include <string.h>

#define SHOWN_MAX 8192         /* bytes of one property's value */
#define PAGE_FULL (512u << 10) /* bytes of page after which properties are left out */

/* -- properties ----------------------------------------------------------------------------------
 */

/* s up to SHOWN_MAX bytes, ending on a whole character. */
static struct span
cut(struct span s)
{
    size_t n = SHOWN_MAX;

    if (s.n <= n)
        return s;
    while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return span_part(s, 0, n);
}

static bool
names_objects(struct span key)
{
    return span_ends(key, "_ref") || span_ends(key, "_refs");
}

static void
text_value(struct call *c, struct buf *b, struct span key, struct span text)
{
    if (names_objects(key)) {
        page_object_link(c, b, text, text);
        return;
    }
    /* Never a link: an address in an object is as likely as not a hostile one. */
    html_text(b, cut(text));
    if (text.n > SHOWN_MAX)
        html_raw(b, " ... (cut here)");
}

/* Texts one below the other; false: there is something else in it. */
static bool
list_value(struct call *c, struct buf *b, const struct json *m)
{
    size_t from = b->n;

    for (const struct json *v = m->child; v; v = v->next)
        if (v->type != JSON_STRING)
            return false;
    for (const struct json *v = m->child; v; v = v->next) {
        if (b->n - from > SHOWN_MAX) {
            html_raw(b, "... (cut here)");
            break;
        }
        text_value(c, b, m->key, v->text);
        if (v->next)
            html_raw(b, "<br>");
    }
    return true;
}

static void
json_value(struct buf *b, const struct json *m)
{
    struct buf text;

    buf_init(&text, JSON_TEXT_MAX);
    json_canonical(m, &text);
    html_raw(b, "<code>");
    html_text(b, cut(buf_view(&text)));
    html_raw(b, text.n > SHOWN_MAX ? "</code> ... (cut here)" : "</code>");
    buf_clear(&text);
}

static void
properties(struct call *c, const struct json *object)
{
    struct buf *b = &c->html_out;

    html_raw(b, "<h2>Properties</h2>\n<table class=\"pairs\"><tbody>\n");
    for (const struct json *m = object ? object->child : NULL; m; m = m->next) {
        if (b->n > PAGE_FULL) {
            html_raw(b, "<tr><td colspan=\"2\">The rest is left out here; over TAXII it is "
                        "whole.</td></tr>\n");
            break;
        }
        html_raw(b, "<tr>");
        html_element(b, "th", "scope=\"row\"", cut(m->key));
        html_raw(b, "<td class=\"v\" dir=\"auto\">");
        if (m->type == JSON_STRING)
            text_value(c, b, m->key, m->text);
        else if (m->type != JSON_ARRAY || !list_value(c, b, m))
            json_value(b, m);
        html_raw(b, "</td></tr>\n");
    }
    html_raw(b, "</tbody></table>\n");
}

/* -- lists ---------------------------------------------------------------------------------------
 */

static void
audiences(struct buf *b, const struct json *list)
{
    html_raw(b, "<h2>Who can see it</h2>\n<div class=\"wide\"><table><thead><tr>"
                "<th>arrived (UTC)</th><th>label</th><th>group</th><th>from</th><th>read by</th>"
                "</tr></thead><tbody>\n");
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        html_raw(b, "<tr><td class=\"t\">");
        page_time(b, json_text(m, "date_added"));
        html_raw(b, "</td><td class=\"l\">");
        page_label(b, json_text(m, "label"));
        html_raw(b, "</td>");
        html_element(b, "td", NULL, json_text(m, "group"));
        html_element(b, "td", NULL, json_text(m, "publisher"));
        html_element(b, "td", NULL, json_text(m, "readers"));
        html_raw(b, "</tr>\n");
    }
    html_raw(b, "</tbody></table></div>\n");
}

static void
relation(struct call *c, const struct json *m)
{
    struct buf *b = &c->html_out;
    const struct json *row = json_get(m, "row");
    struct span id = json_text(m, "id");

    html_raw(b, span_is(json_text(m, "direction"), "in") ? "<tr><td>from</td>" : "<tr><td>to</td>");
    html_element(b, "td", "class=\"k\"", json_text(m, "kind"));
    html_raw(b, "<td class=\"l\">");
    if (row)
        page_label(b, json_text(row, "label"));
    html_raw(b, "</td>");
    html_element(b, "td", "class=\"k\"", json_text(row, "type"));
    html_raw(b, "<td>");
    if (row) {
        page_object_link(c, b, id, page_name(c, row));
        html_raw(b, page_flag(row, "revoked") ? " <span class=\"bad\">revoked</span>" : "");
    } else {
        html_raw(b, "<code>");
        html_text(b, id);
        html_raw(b, "</code> <span class=\"soft\">not here, or not for you</span>");
    }
    html_raw(b, "</td></tr>\n");
}

static void
relations(struct call *c, const struct json *a)
{
    struct buf *b = &c->html_out;
    const struct json *list = json_get(a, "relations");

    if (!list || !list->child)
        return;
    html_raw(b, "<h2>Relations</h2>\n<div class=\"wide\"><table><thead><tr><th></th><th>how</th>"
                "<th>label</th><th>type</th><th>what</th></tr></thead><tbody>\n");
    for (const struct json *m = list->child; m; m = m->next)
        relation(c, m);
    html_raw(b, "</tbody></table></div>\n");
    if (page_flag(a, "relations_more"))
        html_raw(b, "<p class=\"soft\">There are more than these.</p>\n");
}

static void
defects(struct buf *b, const struct json *list)
{
    if (!list || !list->child)
        return;
    html_raw(b, "<h2>Defects</h2>\n<div class=\"wide\"><table><thead><tr><th>where</th>"
                "<th>what</th><th>clause</th></tr></thead><tbody>\n");
    for (const struct json *m = list->child; m; m = m->next) {
        html_raw(b, "<tr><td><code>");
        html_text(b, json_text(m, "pointer"));
        html_raw(b, "</code></td>");
        html_element(b, "td", NULL, json_text(m, "text"));
        html_element(b, "td", NULL, json_text(m, "clause"));
        html_raw(b, "</tr>\n");
    }
    html_raw(b, "</tbody></table></div>\n");
}

static void
versions(struct buf *b, const struct json *list)
{
    if (!list || !list->child || !list->child->next)
        return;
    html_raw(b, "<h2>Versions</h2>\n<div class=\"wide\"><table><thead><tr><th>version</th>"
                "<th>arrived (UTC)</th><th>label</th><th></th></tr></thead><tbody>\n");
    for (const struct json *m = list->child; m; m = m->next) {
        html_raw(b, "<tr>");
        html_element(b, "td", NULL, json_text(m, "version"));
        html_raw(b, "<td class=\"t\">");
        page_time(b, json_text(m, "date_added"));
        html_raw(b, "</td><td>");
        page_label(b, json_text(m, "label"));
        html_raw(b, "</td><td>");
        html_raw(b, page_flag(m, "best") ? "the one shown above" : "");
        html_raw(b, page_flag(m, "revoked") ? " <span class=\"bad\">revoked</span>" : "");
        html_raw(b, "</td></tr>\n");
    }
    html_raw(b, "</tbody></table></div>\n");
}

void
page_object(struct call *c, const struct json *a)
{
    struct buf *b = &c->html_out;
    const struct json *row = json_get(a, "row");
    struct span id = json_text(row, "id");

    page_head(c, b, page_name(c, row), PAGE_PERSON);
    html_raw(b, "<p>");
    page_label(b, json_text(row, "label"));
    html_raw(b, " ");
    html_text(b, json_text(row, "type"));
    html_raw(b, " &nbsp; <code>");
    html_text(b, id);
    html_raw(b, "</code></p>\n");
    if (page_flag(row, "revoked"))
        html_raw(b, "<p class=\"bad\">Revoked: its creator says that it is wrong.</p>\n");
    properties(c, json_get(a, "object"));
    audiences(b, json_get(a, "audiences"));
    relations(c, a);
    defects(b, json_get(a, "defects"));
    versions(b, json_get(a, "versions"));
    page_finish(c);
}
