#include "html.h"

#include <string.h>
#include "utf8.h"

void
html_raw(struct buf *out, const char *literal)
{
    buf_str(out, literal);
}

static bool
unsafe(uint32_t cp)
{
    return cp == UTF8_BAD || (cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7f && cp < 0xa0) ||
           (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

void
html_text(struct buf *out, struct span s)
{
    while (s.n) {
        struct span before = s;
        uint32_t cp = utf8_next(&s);
        if (unsafe(cp))
            buf_str(out, "\xef\xbf\xbd");
        else if (cp == '&')
            buf_str(out, "&amp;");
        else if (cp == '<')
            buf_str(out, "&lt;");
        else if (cp == '>')
            buf_str(out, "&gt;");
        else if (cp == '"')
            buf_str(out, "&quot;");
        else if (cp == '\'')
            buf_str(out, "&#39;");
        else
            buf_span(out, span_part(before, 0, before.n - s.n));
    }
}

void
html_element(struct buf *out, const char *tag, const char *attributes, struct span text)
{
    buf_str(out, "<");
    buf_str(out, tag);
    if (attributes) {
        buf_str(out, " ");
        buf_str(out, attributes);
    }
    buf_str(out, " dir=\"auto\">");
    html_text(out, text);
    buf_str(out, "</");
    buf_str(out, tag);
    buf_str(out, ">");
}

void
html_url_part(struct buf *out, struct span s)
{
    static const char keep[] = "-._~";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr(keep, c));
        if (plain)
            buf_u8(out, c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

void
html_link(struct buf *out, const char *before, struct span id, const char *after, struct span text)
{
    buf_str(out, "<a href=\"");
    buf_str(out, before);
    html_url_part(out, id);
    buf_str(out, after);
    buf_str(out, "\" dir=\"auto\">");
    html_text(out, text);
    buf_str(out, "</a>");
}

void
html_pair(struct buf *out, const char *name, struct span value)
{
    buf_str(out, "<tr><th scope=\"row\">");
    buf_str(out, name);
    buf_str(out, "</th>");
    html_element(out, "td", NULL, value);
    buf_str(out, "</tr>\n");
}

void
html_number(struct buf *out, int64_t v)
{
    buf_printf(out, "%lld", (long long)v);
}
