/* A path, then after the first blank a query: what is read of them obeys its bounds, and what is
 * shown of it is text. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "html.h"
#include "route.h"
#include "taxii_query.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
plain(const char *s)
{
    assert(strlen(s) <= ROUTE_PART_MAX && utf8_valid(span_of(s), NULL));
    for (; *s; s++)
        assert(*s != '/' && (unsigned char)*s >= ' ' && *s != 0x7f);
}

/* An id that was read comes back the same from the link that is made of it. */
static void
link_back(const struct route *r)
{
    struct route again;
    struct buf b;

    buf_init(&b, 4096);
    buf_str(&b, "/object/");
    html_url_part(&b, span_of(r->id));
    route_read(buf_view(&b), &again);
    assert(again.end == END_SHOW && strcmp(again.id, r->id) == 0);
    buf_clear(&b);
}

static void
fields(struct span query)
{
    static const char *const names[] = {"q", "type", "tlp", "since", "next", "exercise"};
    char out[64];
    struct buf b;

    buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        memset(out, 'x', sizeof out);
        bool ok = route_field(query, names[i], out, sizeof out);
        assert(memchr(out, 0, sizeof out) != NULL || !ok);
        if (!ok)
            continue;
        assert(utf8_valid(span_of(out), NULL));
        buf_reset(&b);
        html_text(&b, span_of(out));
        for (size_t k = 0; k < b.n; k++)
            assert(b.p[k] != '<' && b.p[k] != '>' && b.p[k] != '"' && b.p[k] != '\'');
    }
    buf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct span path, query = span_from(data, n);
    struct route r;
    bool ok;

    if (!span_split(&query, ' ', &path))
        return 0;
    route_read(path, &r);
    assert(r.end >= END_NONE && r.end <= END_STYLE);
    if (r.end != END_NONE) {
        plain(r.collection);
        plain(r.id);
        assert((r.end == END_SHOW || r.end == END_STATUS || r.end == END_OBJECT ||
                r.end == END_VERSIONS) == (r.id[0] != '\0'));
        assert(route_methods(r.end, HTTP_GET, &ok) && ok);
        if (r.id[0])
            link_back(&r);
    }
    fields(query);
    return 0;
}
