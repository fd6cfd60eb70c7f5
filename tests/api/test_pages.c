/* The pages: what they ask, what they show, and that hostile text stays text. */
#include "fake.h"

#include <ctype.h>
#include "utf8.h"

#define GOOD "Authorization: Basic YW5hOnM6Y3JldA==\r\n"

/* In a JSON text: markup, quotes, controls, and what turns writing round. */
#define EVIL                                                                                       \
    "\\u003cscript\\u003ealert(1)\\u003c/"                                                         \
    "script\\u003e\\\"'\\u003e\\u0000\\u0007\\u202e\\u2066&lt;"
/* In a query. */
#define EVIL_Q "%3Cscript%3Ealert(1)%3C/script%3E%22'%3E%07%E2%80%AE&tlp=%3Cb%3E"

#define ROW                                                                                        \
    "{\"id\":\"" EVIL "\",\"type\":\"" EVIL "\",\"name\":\"" EVIL "\",\"label\":\"" EVIL           \
    "\",\"group\":\"" EVIL "\",\"version\":\"" EVIL "\",\"date_added\":\"" EVIL                    \
    "\",\"publisher\":\"" EVIL "\",\"revoked\":true,\"exercise\":false}"
#define EDGE                                                                                       \
    "{\"id\":\"" EVIL "\",\"type\":\"relationship\",\"relationship_type\":\"" EVIL                 \
    "\",\"source_ref\":\"" EVIL "--1\",\"target_ref\":\"" EVIL "\",\"label\":\"RED\"}"

static void
get(struct fake *f, const char *target, const char *headers, struct heard *h)
{
    char text[4000];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: node.example:8443\r\n%s\r\n", target,
             headers);
    fake_once(f, text, h);
}

static unsigned
count(const char *in, const char *what)
{
    unsigned n = 0;

    for (const char *p = in; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

/* Every tag is one of ours, is closed in its order, and nothing of what is hostile is in it. */
static void
well_formed(const struct heard *h)
{
    static const char *const alone[] = {"!DOCTYPE", "meta", "link", "input", "br"};
    const char *p = heard_body(h);
    char open[64][16];
    size_t depth = 0, bad;

    assert_true(utf8_valid(span_of(p), &bad));
    assert_int_equal(strlen(p), h->all.n - h->body); /* no NUL */
    for (const char *c = p; *c; c++)
        assert_true((unsigned char)*c >= ' ' || *c == '\n' || *c == '\t');
    assert_null(strcasestr(p, "<script"));
    assert_null(strstr(p, "\xe2\x80\xae"));
    assert_null(strstr(p, "\xe2\x81\xa6"));
    assert_null(strcasestr(p, "javascript:"));
    assert_null(strcasestr(p, " style="));
    while ((p = strchr(p, '<')) != NULL) {
        bool closing = p[1] == '/', single = false;
        char name[16];
        size_t n = 0;

        p += closing ? 2 : 1;
        while (n < sizeof name - 1 && (isalnum((unsigned char)p[n]) || p[n] == '!'))
            n++;
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        assert_true(n > 0);
        /* the end of the tag, past quoted values */
        bool quoted = false;
        for (p += n; *p && (quoted || *p != '>'); p++) {
            if (*p == '"')
                quoted = !quoted;
            assert_true(quoted || *p != '<');
        }
        assert_true(*p == '>' && !quoted);
        for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
            single = single || strcmp(name, alone[i]) == 0;
        if (single)
            continue;
        if (!closing) {
            assert_true(depth < 64);
            memcpy(open[depth++], name, sizeof name);
        } else if (depth == 0 || strcmp(open[--depth], name) != 0) {
            fail_msg("</%s> closes <%s>", name, open[depth]);
        }
    }
    assert_int_equal(depth, 0);
}

static void
is_page(const struct heard *h, unsigned status)
{
    if (h->status != status)
        fail_msg("%u, not %u\n%s", h->status, status, h->all.p);
    assert_true(heard_has(h, "Content-Type", "text/html; charset=utf-8\r\n"));
    assert_true(heard_has(h, "Content-Security-Policy", "default-src 'none'; style-src 'self'"));
    assert_true(heard_has(h, "X-Content-Type-Options", "nosniff"));
    assert_true(heard_has(h, "Cache-Control", "no-store"));
    well_formed(h);
}

static void
hostile(struct fake *f)
{
    f->answer[ASK_HEALTH] = "{\"organisation\":\"" EVIL "\",\"ok\":false}";
    f->answer[ASK_SELF] = "{\"name\":\"" EVIL "\",\"organisation\":\"" EVIL "\",\"role\":\"" EVIL
                          "\",\"ceiling\":\"" EVIL "\",\"exercise\":true,\"collections\":[{\"id\":"
                          "\"" EVIL "\",\"title\":\"" EVIL "\",\"alias\":\"" EVIL "\"},7,null]}";
    f->answer[ASK_COUNTS] = "{\"total\":3,\"labels\":{\"" EVIL "\":1,\"RED\":2,\"GREEN\":\"x\"}}";
    f->answer[ASK_LATEST] =
        "{\"objects\":[" ROW "," EDGE ",7,[]],\"more\":true,\"next\":\"" EVIL "\"}";
    f->answer[ASK_SEARCH] = f->answer[ASK_LATEST];
    f->answer[ASK_SHOW] =
        "{\"object\":{\"name\":\"" EVIL "\",\"" EVIL "\":\"" EVIL "\",\"a_ref\":\"" EVIL
        "\",\"b_refs\":[\"" EVIL "\",\"x\"],\"list\":[\"" EVIL "\"],\"o\":{\"" EVIL "\":[\"" EVIL
        "\"]},\"n\":1},\"row\":" ROW ",\"versions\":[{\"version\":\"" EVIL
        "\",\"best\":true},{\"version\":\"" EVIL "\",\"revoked\":true,\"label\":\"" EVIL
        "\"}],\"relations\":[{\"kind\":\"" EVIL "\",\"direction\":\"in\",\"id\":\"" EVIL
        "\"},{\"kind\":\"" EVIL "\",\"direction\":\"out\",\"id\":\"" EVIL "\",\"row\":" ROW
        "},{\"row\":" EDGE "},5],\"relations_more\":true,\"audiences\":[{\"label\":\"" EVIL
        "\",\"group\":\"" EVIL "\",\"publisher\":\"" EVIL "\",\"date_added\":\"" EVIL
        "\",\"readers\":\"" EVIL "\"}],\"defects\":[{\"pointer\":\"" EVIL "\",\"rule\":\"" EVIL
        "\",\"clause\":\"" EVIL "\",\"text\":\"" EVIL "\"}]}";
}

static void
hostile_text(void **state)
{
    static const char *const targets[] = {
        "/",
        "/desk",
        "/desk?exercise=1",
        "/search",
        "/search?q=" EVIL_Q,
        "/search?q=" EVIL_Q "&type=" EVIL_Q "&exercise=1",
        "/object/"
        "x%22%3E%3Cscript%3E",
        "/object/x?exercise=1",
        "/settings",
        "/settings?exercise=%3Cscript%3E",
        "/search?since=%3Cb%3E%22",
    };
    struct fake *f = *state;

    hostile(f);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct heard h;

        get(f, targets[i], GOOD, &h);
        is_page(&h, 200);
        if (strstr(targets[i], "/object/"))
            assert_true(count(heard_body(&h), "&lt;script&gt;alert(1)&lt;/script&gt;") > 20);
        heard_clear(&h);
    }
    { /* a Host that is none is not shown */
        struct heard h;

        fake_once(f, "GET /settings HTTP/1.1\r\nHost: \"><script>alert(1)</script>\r\n" GOOD "\r\n",
                  &h);
        is_page(&h, 200);
        assert_non_null(strstr(heard_body(&h), "<code>/taxii2/</code>"));
        heard_clear(&h);
        get(f, "/settings", GOOD, &h);
        assert_non_null(strstr(heard_body(&h), "<code>https://node.example:8443/taxii2/</code>"));
        heard_clear(&h);
    }
}

/* Errors are pages for people, TAXII errors for programs, and hostile as little. */
static void
errors(void **state)
{
    static const struct {
        const char *target, *headers;
        unsigned status;
        bool html;
    } t[] = {
        {"/nowhere", "", 404, true},
        {"/nowhere/%3Cscript%3E", "", 404, true},
        {"/nowhere", "Accept: text/html,*/*\r\n", 404, true},
        {"/nowhere", "Accept: application/taxii+json;version=2.1\r\n", 404, false},
        {"/nowhere", "Accept: application/json\r\n", 404, false},
        {"/taxii2/nowhere/", "Accept: text/html\r\n", 404, false},
        {"/desk", "", 401, true},
        {"/search?q=x", "", 401, true},
        {"/object/x", "", 401, true},
        {"/settings", "", 401, true},
        {"/desk", "Authorization: Basic eA==\r\n", 401, true},
        {"/", "Authorization: Bearer jaga_bad\r\n", 401, true},
        {"/search?q=%ff", GOOD, 400, true},
        {"/search?type=%00", GOOD, 400, true},
        {"/search?next=%zz", GOOD, 400, true},
    };
    struct fake *f = *state;
    struct heard h;

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        get(f, t[i].target, t[i].headers, &h);
        if (h.status != t[i].status)
            fail_msg("%s: %u", t[i].target, h.status);
        if (t[i].html)
            is_page(&h, t[i].status);
        else
            heard_is_error(&h, t[i].status);
        if (h.status == 401) {
            assert_true(heard_has(&h, "WWW-Authenticate", "Basic"));
            assert_null(strstr(h.all.p, "Bearer"));
        }
        heard_clear(&h);
    }
    f->text = "<script>alert(1)</script>\"'";
    static const struct {
        enum err_code code;
        unsigned status;
    } codes[] = {
        {ERR_MISSING, 404}, {ERR_DENIED, 403}, {ERR_USAGE, 400}, {ERR_BUSY, 503}, {ERR_IO, 500}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        f->status = codes[i].code;
        get(f, "/object/x", GOOD, &h);
        is_page(&h, codes[i].status);
        heard_clear(&h);
        get(f, "/desk", GOOD, &h); /* in the middle of one */
        is_page(&h, codes[i].status);
        heard_clear(&h);
    }
    f->status = ERR_NONE;
    f->away[OUTCOME_ASK] = true;
    get(f, "/", "", &h);
    is_page(&h, 503);
    heard_clear(&h);
    f->away[OUTCOME_ASK] = false;
    { /* what a reader sends is no JSON, or nothing */
        static const char *const bad[] = {"", "{", "[", "{\"a\":1}x", "nonsense"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            f->answer[ASK_SHOW] = bad[i];
            get(f, "/object/x", GOOD, &h);
            is_page(&h, bad[i][0] ? 500 : 413);
            heard_clear(&h);
        }
        static const char *const odd[] = {"[]",
                                          "7",
                                          "null",
                                          "\"x\"",
                                          "{\"row\":7,\"object\":[]}",
                                          "{\"objects\":{},\"labels\":[],\"versions\":7}"};
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            for (enum ask_verb v = ASK_NONE; v < ASK_VERBS; v++)
                f->answer[v] = odd[i];
            get(f, "/object/x", GOOD, &h);
            is_page(&h, 200);
            heard_clear(&h);
            get(f, "/desk", GOOD, &h);
            is_page(&h, 200);
            heard_clear(&h);
            get(f, "/search", GOOD, &h);
            is_page(&h, 200);
            heard_clear(&h);
            get(f, "/settings", GOOD, &h);
            is_page(&h, 200);
            heard_clear(&h);
        }
    }
}

/* What is asked on whose behalf. */
static void
questions(void **state)
{
    struct fake *f = *state;
    struct heard h;

    get(f, "/", "", &h);
    is_page(&h, 200);
    assert_int_equal(f->last_ask.verb, ASK_HEALTH);
    assert_int_equal(f->logins, 0);
    assert_non_null(strstr(heard_body(&h), "ops@cert.example"));
    assert_non_null(strstr(heard_body(&h), "00:11"));
    assert_non_null(strstr(heard_body(&h), "Tim &lt;Siber&gt;"));
    assert_null(strstr(heard_body(&h), "/search"));
    heard_clear(&h);

    get(f, "/desk", GOOD, &h);
    is_page(&h, 200);
    assert_true(f->last_person);
    assert_int_equal(f->asks, 4);
    assert_int_equal(f->last_ask.verb, ASK_LATEST);
    assert_false(f->last_ask.exercise);
    assert_null(strstr(heard_body(&h), "EXERCISE"));
    heard_clear(&h);

    get(f, "/desk?exercise=1", GOOD, &h);
    is_page(&h, 200);
    assert_true(f->last_ask.exercise);
    assert_non_null(strstr(heard_body(&h), "EXERCISE - EXERCISE"));
    assert_non_null(strstr(heard_body(&h), "href=\"/search?exercise=1\""));
    assert_non_null(strstr(heard_body(&h), "name=\"exercise\" value=\"1\""));
    heard_clear(&h);
    get(f, "/desk?exercise=2", GOOD, &h);
    assert_false(f->last_ask.exercise);
    heard_clear(&h);

    get(f, "/search?q=+hxxp%3A%2F%2Fevil%5B.%5Dexample&tlp=GREEN&type=url&since=2h", GOOD, &h);
    is_page(&h, 200);
    assert_int_equal(f->last_ask.verb, ASK_SEARCH);
    assert_string_equal(f->last_text, "hxxp://evil[.]example");
    assert_true(f->last_ask.f.since_us == f->clock.wall_us - 7200 * INT64_C(1000000));
    assert_int_equal(f->last_ask.f.tlp.n, 5);
    assert_int_equal(f->last_ask.f.type.n, 3);
    assert_non_null(strstr(heard_body(&h), "value=\"GREEN\" selected"));
    heard_clear(&h);
    get(f, "/search?q=indicator--ee764c14-ee1d-4a4d-b400-b4a27f0af11c", GOOD, &h);
    assert_int_equal(f->last_ask.f.text.n, 0);
    assert_int_equal(f->last_ask.f.id.n, 47);
    heard_clear(&h);
    get(f, "/search", GOOD, &h);
    assert_int_equal(f->last_ask.verb, ASK_LATEST);
    heard_clear(&h);

    f->answer[ASK_SEARCH] = "{\"objects\":[],\"more\":true,\"next\":\"n_1-x\"}";
    get(f, "/search?q=a%26b+c&exercise=1", GOOD, &h);
    assert_non_null(
        strstr(heard_body(&h), "href=\"/search?next=n_1-x&amp;q=a%26b%20c&amp;exercise=1\">Older"));
    heard_clear(&h);
    get(f, "/search?next=n_1-x&q=a", GOOD, &h);
    assert_string_equal(f->last_next, "n_1-x");
    heard_clear(&h);

    get(f, "/object/a%2d-1", GOOD, &h);
    assert_string_equal(f->last_id, "a--1");
    heard_clear(&h);
    get(f, "/style.css", "Authorization: Bearer jaga_bad\r\n", &h); /* no login is asked for it */
    assert_int_equal(h.status, 200);
    assert_true(heard_has(&h, "Content-Type", "text/css"));
    assert_null(strchr(heard_body(&h), '<'));
    heard_clear(&h);
    fake_once(f, "HEAD /desk HTTP/1.1\r\nHost: x\r\n" GOOD "\r\n", &h);
    assert_int_equal(h.status, 200);
    assert_int_equal(h.all.n, h.body);
    heard_clear(&h);
}

/* A ticket that gets old between two questions of one page: the page begins anew, once. */
static void
stale_in_the_middle(void **state)
{
    struct fake *f = *state;
    struct heard h;

    f->ticket_old = true;
    f->hold[OUTCOME_ASK] = true;
    int fd = fake_dial(f);
    const char *text = "GET /desk HTTP/1.1\r\nHost: x\r\n" GOOD "\r\n";
    fake_say(f, fd, text, strlen(text));
    fake_rounds(f, 20);
    f->ticket_old = false;
    fake_let_go(f, OUTCOME_ASK);
    fake_hear(f, fd, false, &h);
    is_page(&h, 200);
    assert_int_equal(count(heard_body(&h), "<h1"), 1);
    assert_int_equal(f->logins, 2);
    heard_clear(&h);
    fake_hang_up(f, fd);
}

/* Large objects are cut, never a failure, and the page stays small. */
static void
large(void **state)
{
    struct fake *f = *state;
    struct heard h;

    buf_str(&f->big, "{\"row\":{\"id\":\"x\"},\"object\":{");
    for (int i = 0; i < 200; i++) {
        buf_printf(&f->big, "%s\"p%d\":\"", i ? "," : "", i);
        for (int k = 0; k < 10000; k++)
            buf_str(&f->big, "<\xe0\xb9\x84");
        buf_str(&f->big, "\"");
    }
    buf_str(&f->big, ",\"x_refs\":[");
    for (int i = 0; i < 20000; i++)
        buf_printf(&f->big, "%s\"identity--%d\"", i ? "," : "", i);
    buf_str(&f->big, "]}}");
    get(f, "/object/x", GOOD, &h);
    is_page(&h, 200);
    assert_non_null(strstr(heard_body(&h), "(cut here)"));
    assert_non_null(strstr(heard_body(&h), "over TAXII it is whole"));
    assert_true(h.all.n < 700000);
    heard_clear(&h);
    /* more than a page's memory can hold as a tree */
    buf_reset(&f->big);
    buf_str(&f->big, "{\"a\":[0");
    for (int i = 0; i < 4000000; i++)
        buf_str(&f->big, ",0");
    buf_str(&f->big, "]}");
    get(f, "/object/x", GOOD, &h);
    is_page(&h, 413);
    heard_clear(&h);
}

static void
memory_runs_out(void **state)
{
    struct fake *f = *state;
    unsigned good = 0;

    hostile(f);
    for (size_t n = 1; n < 60; n++) {
        const char *text = "GET /object/x HTTP/1.1\r\nHost: x\r\n" GOOD "\r\n";
        int fd = fake_dial(f);
        struct heard h;

        f->clock.wall_us += 100 * INT64_C(1000000);
        f->fail_at = n;
        fake_say(f, fd, text, strlen(text));
        fake_hear(f, fd, false, &h);
        f->fail_at = 0;
        if (h.status)
            well_formed(&h);
        good += h.status == 200;
        heard_clear(&h);
        fake_hang_up(f, fd);
    }
    print_message("# %u of 59 were shown\n", good);
    assert_true(good > 10);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        T(hostile_text),        T(errors), T(questions),
        T(stale_in_the_middle), T(large),  T(memory_runs_out),
    };

    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
