/* Paths and fields of queries. */
#include "check.h"

#include "route.h"

static void
paths(void **state)
{
    static const struct {
        const char *path;
        enum endpoint end;
        const char *collection, *id;
    } t[] = {
        {"/", END_HOME, "", ""},
        {"/desk", END_DESK, "", ""},
        {"/desk/", END_DESK, "", ""},
        {"/search", END_SEARCH, "", ""},
        {"/settings", END_SETTINGS, "", ""},
        {"/style.css", END_STYLE, "", ""},
        {"/object/a--1", END_SHOW, "", "a--1"},
        {"/object/a--1/", END_SHOW, "", "a--1"},
        {"/object/%61%2d-1", END_SHOW, "", "a--1"},
        {"/object/h%C3%B3a", END_SHOW, "",
         "h\xc3\xb3"
         "a"},
        {"/taxii2", END_DISCOVERY, "", ""},
        {"/taxii2/", END_DISCOVERY, "", ""},
        {"/taxii2/root", END_ROOT, "", ""},
        {"/taxii2/root/", END_ROOT, "", ""},
        {"/taxii2/root/status/1", END_STATUS, "", "1"},
        {"/taxii2/root/status/1/", END_STATUS, "", "1"},
        {"/taxii2/root/collections", END_COLLECTIONS, "", ""},
        {"/taxii2/root/collections/", END_COLLECTIONS, "", ""},
        {"/taxii2/root/collections/all", END_COLLECTION, "all", ""},
        {"/taxii2/root/collections/all/", END_COLLECTION, "all", ""},
        {"/taxii2/root/collections/all/manifest", END_MANIFEST, "all", ""},
        {"/taxii2/root/collections/all/manifest/", END_MANIFEST, "all", ""},
        {"/taxii2/root/collections/all/objects", END_OBJECTS, "all", ""},
        {"/taxii2/root/collections/all/objects/", END_OBJECTS, "all", ""},
        {"/taxii2/root/collections/all/objects/a--1", END_OBJECT, "all", "a--1"},
        {"/taxii2/root/collections/all/objects/a--1/", END_OBJECT, "all", "a--1"},
        {"/taxii2/root/collections/all/objects/a--1/versions", END_VERSIONS, "all", "a--1"},
        {"/taxii2/root/collections/all/objects/a--1/versions/", END_VERSIONS, "all", "a--1"},
        {"/taxii2/root/collections/../objects/", END_OBJECTS, "..", ""}, /* a name like any other */
        /* no such place */
        {"", END_NONE, NULL, NULL},
        {"desk", END_NONE, NULL, NULL},
        {"//", END_NONE, NULL, NULL},
        {"//desk", END_NONE, NULL, NULL},
        {"/Desk", END_NONE, NULL, NULL},
        {"/desk/x", END_NONE, NULL, NULL},
        {"/des%6b", END_NONE, NULL, NULL}, /* only ids are decoded */
        {"/object", END_NONE, NULL, NULL},
        {"/object/", END_NONE, NULL, NULL},
        {"/object/a/b", END_NONE, NULL, NULL},
        {"/object/a%2fb", END_NONE, NULL, NULL},
        {"/object/a%00b", END_NONE, NULL, NULL},
        {"/object/a%0ab", END_NONE, NULL, NULL},
        {"/object/a%7fb", END_NONE, NULL, NULL},
        {"/object/a%ffb", END_NONE, NULL, NULL},
        {"/object/a%c0%afb", END_NONE, NULL, NULL},
        {"/object/a%ed%a0%80", END_NONE, NULL, NULL},
        {"/object/a%", END_NONE, NULL, NULL},
        {"/object/a%4", END_NONE, NULL, NULL},
        {"/object/a%4g", END_NONE, NULL, NULL},
        {"/object/a%-1", END_NONE, NULL, NULL},
        {"/taxii", END_NONE, NULL, NULL},
        {"/taxii2x/", END_NONE, NULL, NULL},
        {"/taxii2/roots/", END_NONE, NULL, NULL},
        {"/taxii2/root/status", END_NONE, NULL, NULL},
        {"/taxii2/root/status/", END_NONE, NULL, NULL},
        {"/taxii2/root/status/1/2", END_NONE, NULL, NULL},
        {"/taxii2/root/collections//objects/", END_NONE, NULL, NULL},
        {"/taxii2/root/collections/all/object/", END_NONE, NULL, NULL},
        {"/taxii2/root/collections/all/manifest/x/", END_NONE, NULL, NULL},
        {"/taxii2/root/collections/all/objects/a/version/", END_NONE, NULL, NULL},
        {"/taxii2/root/collections/all/objects/a/versions/x/", END_NONE, NULL, NULL},
        {"/taxii2/root/collections/a%2fb/objects/", END_NONE, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct route r;

        route_read(span_of(t[i].path), &r);
        if (r.end != t[i].end)
            fail_msg("%s: %d", t[i].path, (int)r.end);
        if (t[i].end == END_NONE)
            continue;
        assert_string_equal(r.collection, t[i].collection);
        assert_string_equal(r.id, t[i].id);
        assert_int_equal(r.taxii, strncmp(t[i].path, "/taxii2", 7) == 0);
    }
}

static void
long_ids(void **state)
{
    (void)state;
    for (size_t n = ROUTE_PART_MAX; n <= ROUTE_PART_MAX + 1; n++) {
        char path[1000] = "/object/", coded[1000] = "/object/";
        struct route r;

        memset(path + 8, 'x', n);
        for (size_t i = 0; i < n; i++)
            memcpy(coded + 8 + 3 * i, "%41", 4);
        route_read(span_of(path), &r);
        assert_int_equal(r.end, n == ROUTE_PART_MAX ? END_SHOW : END_NONE);
        route_read(span_of(coded), &r);
        assert_int_equal(r.end, n == ROUTE_PART_MAX ? END_SHOW : END_NONE);
    }
}

static void
methods(void **state)
{
    static const struct {
        enum endpoint end;
        enum http_method m;
        bool ok;
    } t[] = {
        {END_OBJECTS, HTTP_GET, true},    {END_OBJECTS, HTTP_HEAD, true},
        {END_OBJECTS, HTTP_POST, true},   {END_OBJECTS, HTTP_DELETE, false},
        {END_OBJECTS, HTTP_PUT, false},   {END_OBJECT, HTTP_DELETE, true},
        {END_OBJECT, HTTP_POST, false},   {END_OBJECT, HTTP_GET, true},
        {END_DISCOVERY, HTTP_GET, true},  {END_DISCOVERY, HTTP_POST, false},
        {END_HOME, HTTP_GET, true},       {END_HOME, HTTP_POST, false},
        {END_HOME, HTTP_OPTIONS, false},  {END_COLLECTIONS, HTTP_DELETE, false},
        {END_VERSIONS, HTTP_HEAD, true},  {END_VERSIONS, HTTP_OTHER, false},
        {END_MANIFEST, HTTP_POST, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        bool ok;

        assert_non_null(route_methods(t[i].end, t[i].m, &ok));
        assert_int_equal(ok, t[i].ok);
    }
}

static void
fields(void **state)
{
    static const struct {
        const char *query, *name, *value; /* NULL: broken */
    } t[] = {
        {"q=a", "q", "a"},
        {"q=a+b%20c", "q", "a b c"},
        {"q=a%2Bb", "q", "a+b"},
        {"x=1&q=2", "q", "2"},
        {"q=1&q=2", "q", "1"},
        {"q=", "q", ""},
        {"q", "q", ""},
        {"", "q", ""},
        {"Q=1", "q", ""},
        {"qq=1", "q", ""},
        {"q=a=b", "q", "a=b"},
        {"q=%E0%B9%84", "q", "\xe0\xb9\x84"},
        {"q=12345678", "q", "12345678"},
        {"q=123456789", "q", NULL},
        {"q=%00", "q", NULL},
        {"q=%", "q", NULL},
        {"q=%1", "q", NULL},
        {"q=%zz", "q", NULL},
        {"q=%ff", "q", NULL},
        {"q=\xff", "q", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char out[9];
        bool ok = route_field(span_of(t[i].query), t[i].name, out, sizeof out);

        if (ok != (t[i].value != NULL) || (ok && strcmp(out, t[i].value) != 0))
            fail_msg("%s: %s", t[i].query, ok ? out : "broken");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(long_ids),
        cmocka_unit_test(methods),
        cmocka_unit_test(fields),
    };

    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
