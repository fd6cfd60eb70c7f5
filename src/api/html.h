/*
 * api/html.h - HTML out: the one place where text is escaped.
 *
 * Tags and attributes' names are literals of this program; everything else goes through
 * html_text, which escapes for element content and for quoted attributes alike, shows control and
 * bidirectional characters as U+FFFD, and sets text apart by direction (dir=auto) where asked.
 */
#ifndef JAGA_API_HTML_H
#define JAGA_API_HTML_H

#include <stdint.h>
#include "buf.h"
#include "span.h"

void html_raw(struct buf *out, const char *literal);
void html_text(struct buf *out, struct span s);
/* <tag attributes dir="auto">text</tag>; attributes: a literal, or NULL */
void html_element(struct buf *out, const char *tag, const char *attributes, struct span text);
/* <a href="before + path-encoded id + after">text</a> */
void html_link(struct buf *out, const char *before, struct span id, const char *after,
               struct span text);
/* A row of a table of two columns, the first of which is its head. */
void html_pair(struct buf *out, const char *name, struct span value);
void html_number(struct buf *out, int64_t v);
/* One part of a path or query, percent-encoded (RFC 3986: all but unreserved). */
void html_url_part(struct buf *out, struct span s);

#endif
