#include "route.h"

#include <string.h>
#include "utf8.h"

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes into out, which has room for max bytes and a NUL. */
static bool
decode(struct span s, bool plus, char *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '%') {
            if (i + 2 >= s.n)
                return false;
            int high = hex_value(s.p[i + 1]), low = hex_value(s.p[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (unsigned char)(high << 4 | low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        if (c == 0 || n == max)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return utf8_valid(span_from(out, n), NULL);
}

/* One part of a path: what an id, an alias or a name can be made of. */
static bool
part(struct span s, char out[ROUTE_PART_MAX + 1])
{
    if (s.n == 0 || !decode(s, false, out, ROUTE_PART_MAX))
        return false;
    for (const char *p = out; *p; p++)
        if (*p == '/' || (unsigned char)*p < ' ' || (unsigned char)*p == 0x7f)
            return false;
    return true;
}

/* What follows .../collections/{c}/ . */
static enum endpoint
in_collection(struct span rest, struct route *r)
{
    struct span what, id, last;

    if (rest.n == 0)
        return END_COLLECTION;
    (void)span_split(&rest, '/', &what);
    if (span_is(what, "manifest"))
        return rest.n == 0 ? END_MANIFEST : END_NONE;
    if (!span_is(what, "objects"))
        return END_NONE;
    if (rest.n == 0)
        return END_OBJECTS;
    (void)span_split(&rest, '/', &id);
    if (!part(id, r->id))
        return END_NONE;
    if (rest.n == 0)
        return END_OBJECT;
    (void)span_split(&rest, '/', &last);
    return span_is(last, "versions") && rest.n == 0 ? END_VERSIONS : END_NONE;
}

static enum endpoint
in_root(struct span rest, struct route *r)
{
    struct span what, id;

    if (rest.n == 0)
        return END_ROOT;
    (void)span_split(&rest, '/', &what);
    if (span_is(what, "collections")) {
        if (rest.n == 0)
            return END_COLLECTIONS;
        (void)span_split(&rest, '/', &id);
        return part(id, r->collection) ? in_collection(rest, r) : END_NONE;
    }
    if (span_is(what, "status")) {
        return span_split(&rest, '/', &id) && part(id, r->id) && rest.n == 0 ? END_STATUS
                                                                             : END_NONE;
    }
    return END_NONE;
}

static enum endpoint
page(struct span path, struct route *r)
{
    static const struct {
        const char *path;
        enum endpoint end;
    } pages[] = {{"", END_HOME},
                 {"desk", END_DESK},
                 {"search", END_SEARCH},
                 {"settings", END_SETTINGS},
                 {"style.css", END_STYLE}};

    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (span_is(path, pages[i].path))
            return pages[i].end;
    if (span_starts(path, "object/") && part(span_part(path, 7, path.n), r->id))
        return END_SHOW;
    return END_NONE;
}

void
route_read(struct span path, struct route *r)
{
    memset(r, 0, sizeof *r);
    r->taxii = span_is(path, "/taxii2") || span_starts(path, "/taxii2/");
    if (path.n == 0 || path.p[0] != '/')
        return;
    path = span_part(path, 1, path.n);
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path = span_part(path, 0, path.n - 1);
    if (!r->taxii) {
        r->end = page(path, r);
        return;
    }
    struct span first, rest = path;
    (void)span_split(&rest, '/', &first);
    if (rest.n == 0) {
        r->end = END_DISCOVERY;
        return;
    }
    (void)span_split(&rest, '/', &first);
    r->end = span_is(first, "root") ? in_root(rest, r) : END_NONE;
}

const char *
route_methods(enum endpoint end, enum http_method m, bool *ok)
{
    bool read = m == HTTP_GET || m == HTTP_HEAD;

    switch (end) {
    case END_OBJECTS:
        *ok = read || m == HTTP_POST;
        return "GET, HEAD, POST";
    case END_OBJECT:
        *ok = read || m == HTTP_DELETE;
        return "GET, HEAD, DELETE";
    default:
        *ok = read;
        return "GET, HEAD";
    }
}

bool
route_field(struct span query, const char *name, char *out, size_t size)
{
    struct span pair, key;

    out[0] = '\0';
    while (span_split(&query, '&', &pair)) {
        (void)span_split(&pair, '=', &key);
        if (span_is(key, name))
            return decode(pair, true, out, size - 1);
    }
    return true;
}
