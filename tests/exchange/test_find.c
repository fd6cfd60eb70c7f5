/* Search, related, export, counts: what is found, by what, and in what order. */
#include "world.h"

#define MOD(day) "\"modified\":\"2025-01-" day "T00:00:00.000Z\""
#define NIL      ((const char *)NULL)

static int
setup(void **state)
{
    struct world *w = world_new();
    static const struct {
        const char *label, *type;
        unsigned n;
        const char *members;
    } objects[] = {
        {"GREEN", "indicator", 1,
         MOD("01") ",\"name\":\"Bad host\",\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\","
                   "\"pattern_type\":\"stix\",\"valid_from\":\"2025-01-01T00:00:00Z\","
                   "\"labels\":[\"Phishing\"],\"confidence\":80"},
        {"AMBER", "indicator", 2,
         MOD("01") ",\"name\":\"Parcel "
                   "\xe0\xb8\x9e\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb8\","
                   "\"pattern\":\"[domain-name:value = 'parcel-th.example']\",\"pattern_type\":"
                   "\"stix\",\"valid_from\":\"2025-01-01T00:00:00Z\",\"confidence\":20"},
        {"GREEN", "vulnerability", 3,
         MOD("01") ",\"name\":\"CVE-2024-1234\",\"external_references\":[{\"source_name\":\"cve\","
                   "\"external_id\":\"CVE-2024-1234\"}]"},
        {"GREEN", "malware", 4, MOD("01") ",\"name\":\"Dropper\""},
        {"GREEN", "relationship", 5,
         MOD("01") ",\"relationship_type\":\"indicates\",\"source_ref\":\"indicator--00000000-0000-"
                   "4000-8000-000000000001\",\"target_ref\":\"malware--00000000-0000-4000-8000-"
                   "000000000004\""},
    };

    for (unsigned i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        const char *got =
            world_import(w, objects[i].label, NULL,
                         world_object(w, objects[i].type, objects[i].n, objects[i].members));

        if (strcmp(got, "new") != 0 && strcmp(got, "kept with defect") != 0)
            return -1;
        world_pass(w, 3000000);
    }
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* The numbers of the objects found, as "4 1". */
static const char *
found(struct world *w, const struct someone *who, struct ask *q)
{
    const struct json *o = world_ask(w, who, q), *list = at(o, "objects");
    struct buf b;
    const char *out;

    if (o == NULL)
        return arena_dup(w->a, w->last.text);
    buf_init(&b, 4096);
    for (const struct json *i = list->child; i != NULL; i = i->next) {
        struct span id = json_text(i, "id");

        if (span_ends(span_part(id, 0, id.n - 1), "00000000000"))
            buf_printf(&b, "%s%c", b.n > 0 ? " " : "", id.p[id.n - 1]);
    }
    out = arena_dup(w->a, buf_view(&b));
    buf_clear(&b);
    return out;
}

static void
test_search(void **state)
{
    static const struct {
        const char *what;
        struct ask_filter f;
        const char *found;
    } cases[] = {
        {"everything, newest first", {.revoked = false}, "5 4 3 2 1"},
        {"type", {.type = SPAN("indicator")}, "2 1"},
        {"no such type", {.type = SPAN("tool")}, ""},
        {"value", {.value = SPAN("198.51.100.7")}, "1"},
        {"a network around it", {.value = SPAN("198.51.100.0/24")}, "1"},
        {"another", {.value = SPAN("198.51.100.8")}, ""},
        {"defanged", {.value = SPAN("198[.]51.100[.]7")}, "1"},
        {"domain", {.value = SPAN("PARCEL-TH[.]example")}, "2"},
        {"URL in the search box", {.text = SPAN("hxxp://parcel-th[.]example")}, "2"},
        {"domain in the search box", {.text = SPAN("parcel-th[.]example")}, "2"},
        {"text", {.text = SPAN("host")}, "1"},
        {"text, any case", {.text = SPAN("BAD HOST")}, "1"},
        {"text, Thai", {.text = SPAN("\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94")}, "2"},
        {"text within a word", {.text = SPAN("roppe")}, "4"},
        {"text that is not there", {.text = SPAN("nothing")}, ""},
        {"external id", {.external = SPAN("cve-2024-1234")}, "3"},
        {"external id in the search box", {.text = SPAN("CVE-2024-1234")}, "3"},
        {"label", {.label = SPAN("phishing")}, "1"},
        {"TLP", {.tlp = SPAN("AMBER")}, "2"},
        {"TLP and type", {.tlp = SPAN("green"), .type = SPAN("indicator")}, "1"},
        {"confidence", {.confidence = true, .confidence_min = 50, .confidence_max = 100}, "1"},
        {"id", {.id = SPAN("malware--00000000-0000-4000-8000-000000000004")}, "4"},
        {"defect", {.defect = SPAN("*")}, "4"},
        {"since", {.since_us = WORLD_NOW + 5500000}, "5 4 3"},
        {"until", {.until_us = WORLD_NOW + 5500000}, "2 1"},
        {"publisher", {.publisher = SPAN("ThaiCERT"), .type = SPAN("malware")}, "4"},
        {"no such publisher", {.publisher = SPAN("nobody")}, ""},
        {"group", {.group = SPAN("own")}, "2"},
        {"no such group", {.group = SPAN("nowhere")}, ""},
        {"revoked", {.revoked = true}, ""},
        {"batch", {.batch = 2}, "2"},
    };
    struct world *w = *state;

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ask q = {.verb = ASK_SEARCH, .f = cases[i].f};
        const char *got;

        if (cases[i].f.type.n == 0 && cases[i].f.until_us == 0 && cases[i].f.publisher.n == 0 &&
            cases[i].f.tlp.n == 0)
            q.f.since_us = cases[i].f.since_us != 0 ? cases[i].f.since_us : WORLD_NOW + 1;
        got = found(w, NULL, &q);
        if (strcmp(got, cases[i].found) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].what, got, cases[i].found);
    }
}

static void
test_refused(void **state)
{
    struct world *w = *state;
    struct someone an;
    struct ask q = {.verb = ASK_SEARCH, .f = {.tlp = SPAN("purple")}};

    assert_null(world_ask(w, NULL, &q));
    assert_int_equal(w->last.status, ERR_USAGE);
    q = (struct ask){.verb = ASK_SEARCH,
                     .f = {.value = SPAN("1.2.3.4"), .external = SPAN("CVE-2024-1")}};
    assert_null(world_ask(w, NULL, &q));
    assert_int_equal(w->last.status, ERR_USAGE);
    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NIL);
    an = world_user(w, "teller", "organisation=bank", NIL);
    q = (struct ask){.verb = ASK_SEARCH, .f = {.batch = 1}};
    assert_null(world_ask(w, &an, &q));
    assert_int_equal(w->last.status, ERR_DENIED);
    /* and rows say nothing of batches */
    q = (struct ask){.verb = ASK_SEARCH, .f = {.type = SPAN("malware")}};
    assert_null(at(world_ask(w, &an, &q), "objects.0.batch"));
    assert_non_null(at(world_ask(w, NULL, &q), "objects.0"));
    assert_string_equal(
        found(w, &an, &(struct ask){.verb = ASK_SEARCH, .f = {.text = SPAN("parcel")}}), "");
}

static void
test_next(void **state)
{
    struct world *w = *state;
    struct ask q = {.verb = ASK_SEARCH, .q = {.limit = 2, .given = TAXII_P_LIMIT}};
    const struct json *o = world_ask(w, NULL, &q);
    const char *next = text_at(w, o, "next");

    assert_true(at(o, "more")->boolean);
    q.q.next = span_of(next);
    q.q.given |= TAXII_P_NEXT;
    assert_string_equal(found(w, NULL, &q), "3 2");
    /* a next is good for the search that gave it */
    q.f.type = SPAN("malware");
    assert_null(world_ask(w, NULL, &q));
    assert_int_equal(w->last.status, ERR_SYNTAX);
}

static void
test_related(void **state)
{
    struct world *w = *state;
    struct ask q = {.verb = ASK_RELATED,
                    .id = SPAN("malware--00000000-0000-4000-8000-000000000004")};
    const struct json *o = world_ask(w, NULL, &q);

    assert_int_equal(at(o, "relations")->count, 1);
    assert_string_equal(text_at(w, o, "relations.0.kind"), "indicates");
    assert_string_equal(text_at(w, o, "relations.0.direction"), "in");
    assert_string_equal(text_at(w, o, "relations.0.id"), world_id(w, "indicator", 1));
    assert_string_equal(text_at(w, o, "relations.0.row.name"), "Bad host");
    q.id = SPAN("relationship--00000000-0000-4000-8000-000000000005");
    o = world_ask(w, NULL, &q);
    assert_int_equal(at(o, "relations")->count, 2);
    assert_string_equal(text_at(w, o, "relations.0.direction"), "out");
    q.id = SPAN("indicator--00000000-0000-4000-8000-000000000001");
    o = world_ask(w, NULL, &q);
    assert_string_equal(text_at(w, o, "relations.0.direction"), "out");
    assert_string_equal(text_at(w, o, "relations.0.by"), world_id(w, "relationship", 5));
}

static void
test_export(void **state)
{
    struct world *w = *state;
    struct ask q = {.verb = ASK_EXPORT, .f = {.since_us = WORLD_NOW + 1500000}};
    struct someone an = world_user(w, "an", NIL);
    const char *next;
    const struct json *o;

    q.f.since_us = 0;
    q.f.type = SPAN("indicator");
    assert_string_equal(found(w, NULL, &q), "1 2");
    assert_string_equal(found(w, &an, &q), "1 2");
    q.q.limit = 1;
    q.q.given = TAXII_P_LIMIT;
    q.ticket = (struct span){0};
    o = world_ask(w, NULL, &q);
    assert_true(w->last.more);
    next = text_at(w, o, "next");
    q.q.next = span_of(next);
    q.q.given |= TAXII_P_NEXT;
    assert_string_equal(found(w, NULL, &q), "2");
    assert_false(w->last.more);
    q = (struct ask){.verb = ASK_EXPORT, .f = {.text = SPAN("host")}};
    assert_string_equal(found(w, NULL, &q), "1");
    q = (struct ask){.verb = ASK_EXPORT,
                     .f = {.type = SPAN("indicator"), .until_us = WORLD_NOW + 3500000}};
    assert_string_equal(found(w, NULL, &q), "1");
    assert_false(w->last.more);
}

/* Small answers: a page ends early with more, and one object too large says so. */
static void
test_small_room(void **state)
{
    struct world *w = *state;
    char mem[16384];
    struct ask q = {.verb = ASK_OBJECTS, .collection = SPAN("all"), .bytes = 8000};
    struct answer a;
    struct buf out;

    buf_init_fixed(&out, mem, sizeof mem);
    exchange_ask(w->reader, &w->local_caller, &q, w->a, &out, &a);
    assert_int_equal(a.status, ERR_NONE);
    assert_true(a.more && a.body.n <= 8000);
    buf_init_fixed(&out, mem, 400);
    exchange_ask(w->reader, &w->local_caller, &q, w->a, &out, &a);
    assert_int_equal(a.status, ERR_LIMIT);
    assert_int_equal(out.n, 0);
    q = (struct ask){.verb = ASK_GET, .id = SPAN("malware--00000000-0000-4000-8000-000000000004")};
    buf_init_fixed(&out, mem, 40);
    exchange_ask(w->reader, &w->local_caller, &q, w->a, &out, &a);
    assert_int_equal(a.status, ERR_LIMIT);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_search),  T(test_refused), T(test_next),
        T(test_related), T(test_export),  T(test_small_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
