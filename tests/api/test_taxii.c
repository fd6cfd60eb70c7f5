/* TAXII's endpoints: method, path, headers and login against status, headers and body. */
#include "fake.h"

#include "crypto.h"
#include "gzip.h"

#define HOST  "Host: x\r\n"
#define GOOD  "Authorization: Bearer jaga_good\r\n"
#define ROOT  "/taxii2/root/"
#define ALL   "/taxii2/root/collections/all/"
#define ID    "indicator--0e0b1b1a-6b1b-4b1b-8b1b-0b1b1b1b1b1b"
#define TAXII "Accept: application/taxii+json;version=2.1\r\n"

struct request {
    const char *name, *method, *target, *headers;
    unsigned status;
    const char *header, *value; /* one of the answer's, or NULL */
    const char *body;           /* a part of it, or NULL */
};

static void
ask(struct fake *f, const struct request *r, struct heard *h)
{
    char text[12000];

    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\n" HOST "%s\r\n", r->method, r->target,
             r->headers);
    fake_once(f, text, h);
    if (h->status != r->status)
        fail_msg("%s: %u\n%s", r->name, h->status, h->all.p);
    if (r->status >= 400 && strcmp(r->method, "HEAD") != 0)
        heard_is_error(h, r->status);
    if (r->header && !heard_has(h, r->header, r->value))
        fail_msg("%s: no %s: %s\n%s", r->name, r->header, r->value, h->all.p);
    if (r->body && !strstr(heard_body(h), r->body))
        fail_msg("%s: %s", r->name, heard_body(h));
}

static void
run_all(struct fake *f, const struct request *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct heard h;

        ask(f, &t[i], &h);
        heard_clear(&h);
    }
}

static void
endpoints(void **state)
{
    static const struct request t[] = {
        {"discovery", "GET", "/taxii2/", TAXII, 200, "Content-Type",
         "application/taxii+json;version=2.1\r\n", "\"api_roots\":[\"" ROOT "\"]"},
        {"discovery, no slash", "GET", "/taxii2", "", 200, NULL, NULL, "\"title\":\"Tim <Siber>\""},
        {"discovery, logged in", "GET", "/taxii2/", GOOD, 200, NULL, NULL, "\"contact\":\"ops@"},
        {"discovery, wrong login", "GET", "/taxii2/", "Authorization: Bearer jaga_bad\r\n", 401,
         "WWW-Authenticate", "Basic realm=", NULL},
        {"root", "GET", ROOT, "", 200, NULL, NULL, "\"max_content_length\":1048576"},
        {"no such root", "GET", "/taxii2/other/", "", 404, NULL, NULL, NULL},
        {"status", "GET", ROOT "status/1/", GOOD, 200, NULL, NULL, "complete"},
        {"collections", "GET", ROOT "collections/", GOOD, 200, "Cache-Control", "no-store",
         "collections"},
        {"collection", "GET", ALL, GOOD, 200, NULL, NULL, NULL},
        {"manifest", "GET", ALL "manifest/", GOOD, 200, NULL, NULL, NULL},
        {"objects", "GET", ALL "objects/", GOOD, 200, "X-TAXII-Date-Added-First",
         "2025-11-24T16:00:00.000000Z\r\n", "\"objects\":["},
        {"objects, last", "GET", ALL "objects", GOOD, 200, "X-TAXII-Date-Added-Last",
         "2025-11-24T16:00:00.001500Z\r\n", NULL},
        {"object", "GET", ALL "objects/" ID "/", GOOD, 200, "X-Content-Type-Options", "nosniff",
         NULL},
        {"versions", "GET", ALL "objects/" ID "/versions/", GOOD, 200, NULL, NULL, NULL},
        {"delete", "DELETE", ALL "objects/" ID "/", GOOD, 200, NULL, NULL, NULL},
        {"delete, nobody", "DELETE", ALL "objects/" ID "/", "", 401, NULL, NULL, NULL},
        {"post, nobody", "POST", ALL "objects/",
         "Content-Type: application/taxii+json;version=2.1\r\nContent-Length: 0\r\n", 401, NULL,
         NULL, NULL},
        {"HEAD", "HEAD", ALL "objects/", GOOD, 200, "X-TAXII-Date-Added-First", "2025-", NULL},
        {"HEAD of nothing", "HEAD", "/taxii2/x/", "", 404, NULL, NULL, NULL},
        {"a GET with a body", "GET", ROOT, "Content-Length: 2\r\nContent-Type: x/y\r\n\r\n{}", 200,
         NULL, NULL, NULL},
    };

    run_all(*state, t, sizeof t / sizeof *t);
}

static void
methods(void **state)
{
    static const struct request t[] = {
        {"put", "PUT", ALL "objects/", GOOD, 405, "Allow", "GET, HEAD, POST\r\n", NULL},
        {"delete all", "DELETE", ALL "objects/", GOOD, 405, "Allow", "GET, HEAD, POST\r\n", NULL},
        {"post one", "POST", ALL "objects/x/", GOOD, 405, "Allow", "GET, HEAD, DELETE\r\n", NULL},
        {"patch", "PATCH", ALL "objects/x/", GOOD, 405, "Allow", "GET, HEAD, DELETE\r\n", NULL},
        {"post root", "POST", ROOT, "", 405, "Allow", "GET, HEAD\r\n", NULL},
        {"options", "OPTIONS", "/taxii2/", "", 405, NULL, NULL, NULL},
        {"trace", "TRACE", "/taxii2/", "", 405, NULL, NULL, NULL},
        {"delete a version list", "DELETE", ALL "objects/x/versions/", GOOD, 405, NULL, NULL, NULL},
        {"put nowhere", "PUT", "/taxii2/x/", GOOD, 404, NULL, NULL, NULL},
    };

    run_all(*state, t, sizeof t / sizeof *t);
}

static void
media(void **state)
{
    static const struct request t[] = {
        {"exact", "GET", ROOT, TAXII, 200, NULL, NULL, NULL},
        {"with a space", "GET", ROOT, "Accept: application/taxii+json; version=2.1\r\n", 200, NULL,
         NULL, NULL},
        {"without version", "GET", ROOT, "Accept: application/taxii+json\r\n", 200, NULL, NULL,
         NULL},
        {"a library's", "GET", ROOT, "Accept: application/json, text/plain, */*\r\n", 200, NULL,
         NULL, NULL},
        {"any", "GET", ROOT, "Accept: */*\r\n", 200, NULL, NULL, NULL},
        {"empty", "GET", ROOT, "Accept:\r\n", 200, NULL, NULL, NULL},
        {"two lines", "GET", ROOT, "Accept: text/html\r\n" TAXII, 200, NULL, NULL, NULL},
        {"STIX accepted only", "GET", ROOT, "Accept: application/stix+json;version=2.1\r\n", 406,
         NULL, NULL, NULL},
        {"2.0", "GET", ROOT, "Accept: application/vnd.oasis.taxii+json; version=2.0\r\n", 406, NULL,
         NULL, NULL},
        {"2.2", "GET", ROOT, "Accept: application/taxii+json;version=2.2\r\n", 406, NULL, NULL,
         NULL},
        {"HTML", "GET", ALL "objects/", "Accept: text/html\r\n", 406, NULL, NULL, NULL},
        {"not at all", "GET", ROOT, "Accept: application/taxii+json;q=0\r\n", 406, NULL, NULL,
         NULL},
        {"before the login", "GET", ALL "objects/",
         "Accept: text/html\r\nAuthorization: Bearer bad\r\n", 406, NULL, NULL, NULL},
        {"no type", "POST", ALL "objects/", GOOD "Content-Length: 0\r\n", 415, NULL, NULL, NULL},
        {"a form", "POST", ALL "objects/",
         GOOD "Content-Length: 0\r\nContent-Type: application/x-www-form-urlencoded\r\n", 415, NULL,
         NULL, NULL},
        {"plain JSON", "POST", ALL "objects/",
         GOOD "Content-Length: 0\r\nContent-Type: application/json\r\n", 415, NULL, NULL, NULL},
        {"another version", "POST", ALL "objects/",
         GOOD "Content-Length: 0\r\nContent-Type: application/taxii+json;version=2.0\r\n", 415,
         NULL, NULL, NULL},
    };

    run_all(*state, t, sizeof t / sizeof *t);
}

static void
parameters(void **state)
{
    static const struct request t[] = {
        {"limit", "GET", ALL "objects/?limit=5", GOOD, 200, NULL, NULL, NULL},
        {"limit over the maximum", "GET", ALL "objects/?limit=99999999999999999999999", GOOD, 200,
         NULL, NULL, NULL},
        {"limit 0", "GET", ALL "objects/?limit=0", GOOD, 400, NULL, NULL, "limit"},
        {"limit -1", "GET", ALL "objects/?limit=-1", GOOD, 400, NULL, NULL, "limit"},
        {"limit x", "GET", ALL "objects/?limit=1x", GOOD, 400, NULL, NULL, NULL},
        {"limit twice", "GET", ALL "objects/?limit=1&limit=2", GOOD, 400, NULL, NULL, NULL},
        {"added_after", "GET", ALL "objects/?added_after=2025-01-01T00:00:00.123456789Z", GOOD, 200,
         NULL, NULL, NULL},
        {"a plus", "GET", ALL "objects/?added_after=2025-01-01T00:00:00+00:00", GOOD, 200, NULL,
         NULL, NULL},
        {"no date", "GET", ALL "objects/?added_after=yesterday", GOOD, 400, NULL, NULL,
         "added_after"},
        {"a date that is none", "GET", ALL "manifest/?added_after=2025-02-30T00:00:00Z", GOOD, 400,
         NULL, NULL, NULL},
        {"matches", "GET",
         ALL "objects/?match[id]=" ID "&match%5Btype%5D=indicator,malware&match[version]=all"
             "&match[spec_version]=2.1",
         GOOD, 200, NULL, NULL, NULL},
        {"no version", "GET", ALL "objects/?match[version]=newest", GOOD, 400, NULL, NULL,
         "match[version]"},
        {"broken percent", "GET", ALL "objects/?match[id]=%zz", GOOD, 400, NULL, NULL, NULL},
        {"NUL", "GET", ALL "objects/?match[id]=%00", GOOD, 400, NULL, NULL, NULL},
        {"no UTF-8", "GET", ALL "objects/?match[id]=%ff%fe", GOOD, 200, NULL, NULL, NULL},
        {"unknown", "GET", ALL "objects/?colour=blue&&=&x", GOOD, 200, NULL, NULL, NULL},
        {"not of this endpoint", "GET", ROOT "collections/?limit=0", GOOD, 200, NULL, NULL, NULL},
        {"nothing said", "GET", ALL "objects/?", GOOD, 200, NULL, NULL, NULL},
        {"bad id in the path", "GET", ALL "objects/%ff/", GOOD, 404, NULL, NULL, NULL},
        {"delete, bad version", "DELETE", ALL "objects/" ID "/?match[version]=x", GOOD, 400, NULL,
         NULL, NULL},
    };
    struct fake *f = *state;
    struct heard h;

    run_all(f, t, sizeof t / sizeof *t);
    ask(f, &t[0], &h);
    heard_clear(&h);
    assert_int_equal(f->last_ask.q.limit, 5);
    ask(f, &t[1], &h);
    heard_clear(&h);
    assert_int_equal(f->last_ask.q.limit, TAXII_LIMIT_MAX);
    ask(f, &t[17], &h);
    heard_clear(&h);
    assert_int_equal(f->last_ask.q.limit, 100); /* where the client says nothing */
}

/* Whatever length a client gives next and its lists, a reader can read what is sent on. */
static void
long_queries(void **state)
{
    static const struct {
        const char *name;
        size_t n;
        unsigned status;
    } t[] = {{"next", 1000, 200},
             {"next", TAXII_NEXT_MAX, 200},
             {"next", TAXII_NEXT_MAX + 1, 400},
             {"next", 7000, 400},
             {"match[id]", 3000, 200},
             {"match[id]", TAXII_QUERY_MAX - 4, 200},
             {"match[id]", TAXII_QUERY_MAX, 400},
             {"x", 7400, 200},
             {"match[type]", 7400, 400}};
    struct fake *f = *state;

    fake_start(f, 1u << 20, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[20000];
        struct heard h;
        int n = snprintf(text, sizeof text, "GET " ALL "objects/?%s=", t[i].name);

        memset(text + n, 'a', t[i].n);
        snprintf(text + n + t[i].n, 200, " HTTP/1.1\r\n" HOST GOOD "\r\n");
        fake_once(f, text, &h);
        if (h.status != t[i].status)
            fail_msg("%s %zu: %u", t[i].name, t[i].n, h.status);
        if (h.status != 200)
            heard_is_error(&h, h.status);
        heard_clear(&h);
    }
    for (size_t n = TAXII_QUERY_MAX + TAXII_NEXT_MAX; n <= TAXII_QUERY_MAX + TAXII_NEXT_MAX + 1;
         n++) {
        char text[20000];
        struct heard h;
        int at = snprintf(text, sizeof text, "GET " ALL "objects/?");

        memset(text + at, 'x', n);
        snprintf(text + at + n, 200, " HTTP/1.1\r\n" HOST GOOD "\r\n");
        fake_once(f, text, &h);
        assert_int_equal(h.status, n == TAXII_QUERY_MAX + TAXII_NEXT_MAX ? 200 : 414);
        heard_clear(&h);
    }
}

static void
logins(void **state)
{
    static const struct {
        const char *header;
        unsigned status;
        enum auth_scheme scheme;
        const char *name, *secret;
    } t[] = {
        {"Bearer jaga_good", 200, AUTH_TOKEN, "", "jaga_good"},
        {"bearer   jaga_good  ", 200, AUTH_TOKEN, "", "jaga_good"},
        {"Token jaga_good", 200, AUTH_TOKEN, "", "jaga_good"},
        {"Basic OmphZ2FfZ29vZA==", 200, AUTH_TOKEN, "", "jaga_good"},         /* :jaga_good */
        {"Basic YW55Ym9keTpqYWdhX2dvb2Q=", 200, AUTH_TOKEN, "", "jaga_good"}, /* anybody:... */
        {"Basic YW5hOnM6Y3JldA==", 200, AUTH_PASSWORD, "ana", "s:cret"},
        {"bAsIc YW5hOnM6Y3JldA==", 200, AUTH_PASSWORD, "ana", "s:cret"},
        {"Basic YW5hOndyb25n", 401, AUTH_PASSWORD, "ana", "wrong"},
        {"Bearer jaga_bad", 401, AUTH_TOKEN, "", "jaga_bad"},
        /* not even asked */
        {"Basic YW5h", 401, 0, NULL, NULL}, /* no colon */
        {"Basic !!!", 401, 0, NULL, NULL},
        {"Basic", 401, 0, NULL, NULL},
        {"Basic ", 401, 0, NULL, NULL},
        {"Bearer", 401, 0, NULL, NULL},
        {"", 401, 0, NULL, NULL},
        {"jaga_good", 401, 0, NULL, NULL},
        {"Digest username=\"a\"", 401, 0, NULL, NULL},
        {"Negotiate abc", 401, 0, NULL, NULL},
    };
    struct fake *f = *state;

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[500];
        unsigned before = f->logins;
        struct heard h;

        snprintf(text, sizeof text,
                 "GET " ROOT "collections/ HTTP/1.1\r\n" HOST "Authorization: %s\r\n\r\n",
                 t[i].header);
        fake_once(f, text, &h);
        if (h.status != t[i].status || (f->logins > before) != (t[i].name != NULL))
            fail_msg("%s: %u", t[i].header, h.status);
        if (t[i].name) {
            assert_int_equal(f->last_scheme, t[i].scheme);
            assert_string_equal(f->last_name, t[i].name);
            assert_string_equal(f->last_secret, t[i].secret);
            assert_string_equal(f->last_address, "127.0.0.1");
            assert_false(f->last_person);
        }
        if (h.status == 401) {
            heard_is_error(&h, 401);
            assert_true(heard_has(&h, "WWW-Authenticate", "Basic realm="));
        }
        heard_clear(&h);
    }
    {
        char text[3000] = "GET /taxii2/ HTTP/1.1\r\n" HOST "Authorization: Bearer ";
        size_t n = strlen(text);
        struct heard h;

        memset(text + n, 'x', 1100);
        memcpy(text + n + 1100, "\r\n\r\n", 5);
        fake_once(f, text, &h);
        assert_int_equal(h.status, 401);
        heard_clear(&h);
    }
}

/* How auth and readers fail, and what comes of it. */
static void
failures(void **state)
{
    static const struct {
        enum err_code code;
        unsigned status;
    } codes[] = {{ERR_MISSING, 404},  {ERR_DENIED, 403},   {ERR_CONFLICT, 409}, {ERR_LIMIT, 400},
                 {ERR_BUSY, 503},     {ERR_FULL, 503},     {ERR_MEMORY, 503},   {ERR_SYNTAX, 400},
                 {ERR_RANGE, 400},    {ERR_RULE, 400},     {ERR_TYPE, 400},     {ERR_ENCODING, 400},
                 {ERR_USAGE, 400},    {ERR_AUTH, 401},     {ERR_IO, 500},       {ERR_INTERNAL, 500},
                 {ERR_PROTOCOL, 500}, {ERR_DUPLICATE, 400}};
    static const struct request get = {"get", "GET", ALL "objects/", GOOD, 0, NULL, NULL, NULL};
    struct fake *f = *state;
    struct request r = get;
    struct heard h;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        f->status = codes[i].code;
        f->text = "\"quoted\" <b> \n \x01";
        r.status = codes[i].status;
        ask(f, &r, &h);
        if (r.status == 404) /* one text, whatever the reader says */
            assert_null(strstr(heard_body(&h), "quoted"));
        heard_clear(&h);
        r.method = "DELETE";
        r.target = ALL "objects/x/";
        ask(f, &r, &h);
        heard_clear(&h);
        r = get;
    }
    f->status = ERR_NONE;
    for (unsigned k = 0; k < 3; k++) {
        r.headers = k == OUTCOME_LOGIN ? "Authorization: Bearer jaga_good2\r\n" : GOOD;
        r.method = k == OUTCOME_TELL ? "DELETE" : "GET";
        r.target = k == OUTCOME_TELL ? ALL "objects/x/" : ALL "objects/";
        r.status = 503;
        r.header = "Retry-After";
        r.value = "";
        f->refuse[k] = true;
        ask(f, &r, &h);
        heard_clear(&h);
        f->refuse[k] = false;
        f->away[k] = true;
        ask(f, &r, &h);
        heard_clear(&h);
        f->away[k] = false;
    }
    r = get;
    r.headers = "Authorization: Basic bGF0ZXI6eA==\r\n";
    r.status = 429;
    r.header = "Retry-After";
    r.value = "7\r\n";
    ask(f, &r, &h);
    heard_clear(&h);
    r.headers = "Authorization: Basic YnJva2VuOng=\r\n";
    r.status = 503;
    r.value = "";
    ask(f, &r, &h);
    heard_clear(&h);
}

/* The cost of a login is paid once, and what it bought is given up when it is no longer good. */
static void
tickets(void **state)
{
    static const struct request get = {"get", "GET", ALL "objects/", GOOD, 200, NULL, NULL, NULL};
    struct fake *f = *state;
    struct request r = get;
    struct heard h;

    for (int i = 0; i < 5; i++) {
        ask(f, &r, &h);
        heard_clear(&h);
    }
    assert_int_equal(f->logins, 1);
    f->clock.wall_us += 49 * INT64_C(1000000);
    ask(f, &r, &h);
    heard_clear(&h);
    assert_int_equal(f->logins, 1);
    f->clock.wall_us += 2 * INT64_C(1000000); /* under ten seconds left */
    ask(f, &r, &h);
    heard_clear(&h);
    assert_int_equal(f->logins, 2);

    /* The same words for a person are another login. */
    r.target = "/desk";
    r.status = 401; /* the desk asks for a password, and no reader is asked */
    fake_once(f, "GET /settings HTTP/1.1\r\n" HOST GOOD "\r\n", &h);
    heard_clear(&h);
    assert_int_equal(f->logins, 3);
    assert_true(f->last_person);

    /* Readers refuse the one we remember (rights have changed): once more, unseen by the client. */
    r = get;
    f->ticket_old = true;
    r.headers = "Authorization: Bearer jaga_good3\r\n";
    r.status = 401; /* and where the fresh one is no good either, that is the answer */
    ask(f, &r, &h);
    heard_clear(&h);
    assert_int_equal(f->logins, 5);
    f->hold[OUTCOME_ASK] = true;
    int fd = fake_dial(f);
    const char *text =
        "GET " ALL "objects/ HTTP/1.1\r\n" HOST "Authorization: Bearer jaga_good4\r\n\r\n";
    fake_say(f, fd, text, strlen(text));
    fake_rounds(f, 20);
    f->ticket_old = false;
    fake_let_go(f, OUTCOME_ASK);
    fake_hear(f, fd, false, &h);
    assert_int_equal(h.status, 200);
    heard_clear(&h);
    fake_hang_up(f, fd);
    assert_int_equal(f->logins, 7);
}

/* Thousands of credentials do not grow anything, and none gets another's ticket. */
static void
many_tickets(void **state)
{
    struct fake *f = *state;
    int fd = fake_dial(f);

    for (int i = 0; i < 6000; i++) {
        char text[200];
        struct heard h;
        int n = snprintf(text, sizeof text,
                         "GET " ROOT "status/1/ HTTP/1.1\r\n" HOST
                         "Authorization: Bearer jaga_%s%d\r\n\r\n",
                         i % 2 ? "good" : "evil", i % 3000);

        fake_say(f, fd, text, (size_t)n);
        fake_hear(f, fd, false, &h);
        assert_int_equal(h.status, i % 2 ? 200 : 401);
        heard_clear(&h);
    }
    /* 1,500 good ones: most of them were remembered the second time. */
    print_message("# %u logins for 6000 requests\n", f->logins);
    assert_true(f->logins < 5000);
    fake_hang_up(f, fd);
}

/* A client goes while it waits for auth, for a reader, for the writer, for its answer.  The library
 * does not look at a connection that waits, so it is noticed when there is something to send. */
static void
clients_that_leave(void **state)
{
    struct fake *f = *state;

    for (unsigned k = 0; k < 3; k++) {
        const char *text = k == OUTCOME_TELL ? "DELETE " ALL "objects/x/ HTTP/1.1\r\n" HOST GOOD
                                               "\r\n"
                                             : "GET " ALL "objects/ HTTP/1.1\r\n" HOST GOOD "\r\n";

        f->hold[k] = true;
        for (int i = 0; i < 20; i++) {
            int fd = fake_dial(f);

            fake_say(f, fd, text, strlen(text));
            fake_rounds(f, 10);
            close(fd);
        }
        fake_let_go(f, k);
        for (int i = 0; i < 3000 && f->pending; i++)
            fake_rounds(f, 1);
        assert_null(f->pending);
    }
    /* In the middle of a large answer. */
    char *p = buf_room(&f->big, 8u << 20);
    memset(p, ' ', 8u << 20);
    for (int i = 0; i < 10; i++) {
        const char *text = "GET " ALL "objects/ HTTP/1.1\r\n" HOST GOOD "\r\n";
        int fd = fake_dial(f);

        fake_say(f, fd, text, strlen(text));
        fake_rounds(f, 10 + i);
        fake_hang_up(f, fd);
        f->scarce = i % 2;
    }
    for (int i = 0; i < 3000 && f->returned < f->lent; i++)
        fake_rounds(f, 1);
    assert_int_equal(f->returned, f->lent);
}

/* The answer was given and is not on its way yet when the client goes: the body is let go of after
 * the request. */
static void
answered_and_gone(void **state)
{
    struct fake *f = *state;

    for (int i = 0; i < 30; i++) {
        const char *text = "GET " ALL "objects/ HTTP/1.1\r\n" HOST GOOD "\r\n";
        int fd = fake_dial(f);

        f->hold[OUTCOME_ASK] = true;
        fake_say(f, fd, text, strlen(text));
        fake_rounds(f, 40); /* asleep */
        close(fd);
        fake_let_go(f, OUTCOME_ASK);
        fake_rounds(f, 1 + i % 4);
    }
    for (int i = 0; i < 3000 && f->returned < f->lent; i++)
        fake_rounds(f, 1);
}

/* An answer that does not come in time: 503, and what comes then is not waited for. */
static void
no_answer_in_time(void **state)
{
    static const char *const text[] = {
        "GET " ALL "objects/ HTTP/1.1\r\n" HOST GOOD "\r\n",
        "GET " ALL "objects/ HTTP/1.1\r\n" HOST GOOD "\r\n",
        "DELETE " ALL "objects/x/ HTTP/1.1\r\n" HOST GOOD "\r\n",
    };
    const struct http_options o = {.answer_us = 20000};
    struct fake *f = *state;

    fake_start(f, 1u << 20, &o);
    for (unsigned k = 0; k < 3; k++) {
        struct heard h;

        f->hold[k] = true;
        fake_once(f, text[k], &h);
        assert_int_equal(h.status, 503);
        assert_true(heard_has(&h, "Retry-After", ""));
        heard_is_error(&h, 503);
        heard_clear(&h);
        assert_int_equal(f->cancels, k + 1);
        assert_null(f->pending);
        fake_let_go(f, k);
    }
}

/* The server ends with answers on their way and questions under way. */
static void
ended_under_way(void **state)
{
    struct fake *f = *state;
    const char *text = "GET " ALL "objects/ HTTP/1.1\r\n" HOST GOOD "\r\n";
    int fd[3];
    char *p = buf_room(&f->big, 8u << 20);

    memset(p, ' ', 8u << 20);
    for (int i = 0; i < 3; i++) {
        fd[i] = fake_dial(f);
        f->hold[OUTCOME_ASK] = i == 1;
        fake_say(f, fd[i], text, strlen(text));
        fake_rounds(f, 20);
    }
    fake_start(f, 1u << 20, NULL);
    assert_int_equal(f->returned, f->lent);
    assert_null(f->pending);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
}

/* Answers in gzip, for whoever can read it, of what gains by it. */
static void
coded(void **state)
{
    static const struct {
        const char *accept;
        size_t n;
        bool gzip;
    } t[] = {
        {"Accept-Encoding: gzip, deflate\r\n", 100000, true},
        {"Accept-Encoding: br;q=1.0, GZIP;q=0.1\r\n", 100000, true},
        {"Accept-Encoding: *\r\n", 100000, true},
        {"Accept-Encoding: gzip\r\n", GZIP_LEAST, true},
        {"Accept-Encoding: gzip\r\n", GZIP_LEAST - 1, false},
        {"Accept-Encoding: gzip\r\n", GZIP_MOST, true},
        {"Accept-Encoding: gzip\r\n", GZIP_MOST + 1, false},
        {"Accept-Encoding: gzip;q=0, *\r\n", 100000, false},
        {"Accept-Encoding: identity\r\n", 100000, false},
        {"", 100000, false},
    };
    struct fake *f = *state;

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char text[400];
        struct heard h;
        struct buf plain;
        char *p;

        buf_reset(&f->big);
        p = buf_room(&f->big, t[i].n);
        for (size_t k = 0; k < t[i].n; k++)
            p[k] = (char)('a' + (k * k >> 7) % 23);
        snprintf(text, sizeof text, "GET " ALL "objects/ HTTP/1.1\r\n" HOST GOOD "%s\r\n",
                 t[i].accept);
        fake_once(f, text, &h);
        assert_int_equal(h.status, 200);
        assert_true(heard_has(&h, "Vary", "Accept-Encoding"));
        assert_true(heard_has(&h, "X-TAXII-Date-Added-First", ""));
        if (heard_has(&h, "Content-Encoding", "gzip\r\n") != t[i].gzip)
            fail_msg("%s %zu", t[i].accept, t[i].n);
        struct span body = span_from(heard_body(&h), h.all.n - h.body);
        buf_init(&plain, 1u << 20);
        if (t[i].gzip) {
            struct gunzip *g = gunzip_new();

            (void)buf_room(&plain, 1u << 20);
            buf_reset(&plain);
            assert_int_equal(gunzip_step(g, &body, &plain, NULL), 0);
            assert_true(gunzip_whole(g));
            gunzip_free(g);
            body = buf_view(&plain);
        }
        assert_true(span_eq(body, buf_view(&f->big)));
        buf_clear(&plain);
        heard_clear(&h);
    }
}

/* What the server refuses before we see it has our form too. */
static void
refused_by_the_server(void **state)
{
    static const struct {
        const char *name, *text;
        unsigned status;
    } t[] = {
        {"two Hosts", "GET /taxii2/ HTTP/1.1\r\n" HOST HOST "\r\n", 400},
        {"length beside coding",
         "POST " ALL "objects/ HTTP/1.1\r\n" HOST
         "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"unknown coding",
         "POST " ALL "objects/ HTTP/1.1\r\n" HOST "Transfer-Encoding: x\r\n\r\n0\r\n\r\n", 501},
        {"body of a GET too large",
         "GET /taxii2/ HTTP/1.1\r\n" HOST "Content-Length: 10000000\r\n\r\n", 413},
    };
    struct fake *f = *state;

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct heard h;

        fake_once(f, t[i].text, &h);
        if (h.status != t[i].status || !heard_has(&h, "Content-Type", "application/taxii+json"))
            fail_msg("%s: %u\n%s", t[i].name, h.status, h.all.p);
        heard_is_error(&h, t[i].status);
        heard_clear(&h);
    }
}

/* Many at once, answered in another order. */
static void
at_once(void **state)
{
    enum { N = 300 };
    struct fake *f = *state;
    int fd[N];
    struct heard h;

    f->hold[OUTCOME_ASK] = true;
    for (int i = 0; i < N; i++) {
        char text[200];
        int n =
            snprintf(text, sizeof text, "GET " ALL "objects/%d/ HTTP/1.1\r\n" HOST GOOD "\r\n", i);
        fd[i] = fake_dial(f);
        fake_say(f, fd[i], text, (size_t)n);
    }
    for (int i = 0; i < 1000 && f->asks < N; i++)
        fake_rounds(f, 1);
    assert_int_equal(f->asks, N);
    fake_let_go(f, OUTCOME_ASK);
    for (int i = N - 1; i >= 0; i--) {
        fake_hear(f, fd[i], false, &h);
        assert_int_equal(h.status, 200);
        heard_clear(&h);
        close(fd[i]);
    }
    assert_true(f->logins <= N);
}

/* Any allocation may fail: no crash, no leak, and whoever gets an answer gets a whole one. */
static void
memory_runs_out(void **state)
{
    struct fake *f = *state;
    unsigned good = 0;

    for (size_t n = 1; n < 60; n++) {
        const char *text = "GET " ALL "objects/?match[type]=a HTTP/1.1\r\n" HOST
                           "Authorization: Basic YW5hOnM6Y3JldA==\r\n\r\n";
        int fd = fake_dial(f);
        struct heard h;

        f->clock.wall_us += 100 * INT64_C(1000000);
        f->fail_at = n;
        fake_say(f, fd, text, strlen(text));
        fake_hear(f, fd, false, &h);
        if (h.status == 200)
            good++;
        else if (h.status >= 400)
            heard_is_error(&h, h.status);
        heard_clear(&h);
        fake_hang_up(f, fd);
    }
    print_message("# %u of 59 were answered\n", good);
    assert_true(good > 20);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        T(endpoints),
        T(methods),
        T(media),
        T(parameters),
        T(long_queries),
        T(logins),
        T(failures),
        T(tickets),
        T(many_tickets),
        T(clients_that_leave),
        T(answered_and_gone),
        T(no_answer_in_time),
        T(ended_under_way),
        T(refused_by_the_server),
        T(at_once),
        T(coded),
        T(memory_runs_out),
    };

    return cmocka_run_group_tests_name("taxii", tests, NULL, NULL);
}
