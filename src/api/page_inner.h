/* api/page_inner.h - what the files of the pages share: their frame and pieces. */
#ifndef JAGA_API_PAGE_INNER_H
#define JAGA_API_PAGE_INNER_H

#include "api_inner.h"
#include "html.h"
#include "json.h"

extern const char page_css[]; /* page_style.c */

/* Who looks, for the frame around a page. */
enum page_who { PAGE_NOBODY, PAGE_PERSON };

void page_head(struct call *c, struct buf *b, struct span title, enum page_who who);
void page_foot(struct buf *b);
void page_finish(struct call *c); /* foot and answer */

int64_t page_number(const struct json *o, const char *name);
bool page_flag(const struct json *o, const char *name);
/* "2026-11-25 00:06" of a date as the readers print it */
void page_time(struct buf *b, struct span date);
void page_label(struct buf *b, struct span name); /* "TLP:GREEN" in its colours */
/* What a person would call the object of a row. */
struct span page_name(struct call *c, const struct json *row);
/* A link to an object's page, on the side that c is on. */
void page_object_link(struct call *c, struct buf *b, struct span id, struct span text);

void page_object(struct call *c, const struct json *a); /* page_object.c: ASK_SHOW as a page */

#endif
