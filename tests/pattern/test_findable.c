/* What objects can be found by. */
#include "check.h"

#include "findable.h"
#include "mem.h"

#define ROOM (8u << 20)

/* The values (sorted by key), then the number of texts, and one text that must be among them. */
static const struct {
    const char *object, *values;
    size_t texts;
    const char *text;
} rows[] = {
    {"{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\",\"value\":"
     "\"198.51.100.3\"}",
     "ipv4 198.51.100.3", 1, "198.51.100.3"},
    {"{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.3/24\"}", "net4 198.51.100.0/24", 1, NULL},
    {"{\"type\":\"ipv4-addr\",\"value\":\"2001:DB8::1\"}", "ipv6 2001:db8::1", 1, NULL},
    {"{\"type\":\"ipv6-addr\",\"value\":\"2001:DB8::1\"}", "ipv6 2001:db8::1", 1, NULL},
    {"{\"type\":\"domain-name\",\"value\":\"EVIL.example\",\"resolves_to_refs\":[\"ipv4-addr--"
     "28bb3599-77cd-5a82-a950-b5bc3caf07c4\"]}",
     "domain evil.example", 1, "EVIL.example"},
    {"{\"type\":\"domain-name\",\"value\":\"not a domain\"}", "", 1, "not a domain"},
    {"{\"type\":\"url\",\"value\":\"http://Evil.example/a\"}",
     "domain evil.example, url http://evil.example/a", 1, NULL},
    {"{\"type\":\"url\",\"value\":\"http://198.51.100.3/a\"}",
     "ipv4 198.51.100.3, url http://198.51.100.3/a", 1, NULL},
    {"{\"type\":\"email-addr\",\"value\":\"A@b.example\",\"display_name\":\"An Ng\"}",
     "email a@b.example", 2, "An Ng"},
    {"{\"type\":\"mac-addr\",\"value\":\"D2:FB:49:24:37:18\"}", "mac d2:fb:49:24:37:18", 1, NULL},
    {"{\"type\":\"autonomous-system\",\"number\":64500,\"name\":\"Example Net\"}", "asn AS64500", 1,
     "Example Net"},
    {"{\"type\":\"file\",\"name\":\"H\u00d3A.exe\",\"hashes\":{\"MD5\":"
     "\"D41D8CD98F00B204E9800998ECF8427E\",\"SSDEEP\":\"3:a:b\",\"x\":\"?\"},\"mime_type\":\"a/"
     "b\"}",
     "hash d41d8cd98f00b204e9800998ecf8427e, fuzzy 3:a:b, file-name h\u00f3a.exe", 1,
     "H\u00d3A.exe"},
    {"{\"type\":\"file\",\"extensions\":{\"windows-pebinary-ext\":{\"imphash\":"
     "\"d41d8cd98f00b204e9800998ecf8427e\",\"sections\":[{\"name\":\".text\",\"hashes\":{\"SHA-1\":"
     "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"}}]}}}",
     "hash d41d8cd98f00b204e9800998ecf8427e, hash da39a3ee5e6b4b0d3255bfef95601890afd80709", 1,
     ".text"},
    {"{\"type\":\"directory\",\"path\":\"C:\\\\Temp\\\\\"}", "path c:/temp", 1, NULL},
    {"{\"type\":\"mutex\",\"name\":\"Global\\\\X\"}", "mutex Global\\X", 1, NULL},
    {"{\"type\":\"windows-registry-key\",\"key\":\"HKLM\\\\Run\",\"values\":[{\"name\":\"v\"}]}",
     "registry hkey_local_machine\\run", 2, "v"},
    {"{\"type\":\"user-account\",\"user_id\":\"1001\",\"account_login\":\"Root\"}",
     "account 1001, account root", 2, NULL},
    {"{\"type\":\"x509-certificate\",\"serial_number\":\"00:A1\",\"issuer\":\"CN=X\"}", "serial a1",
     2, "CN=X"},
    {"{\"type\":\"email-message\",\"message_id\":\"<1@b.example>\",\"subject\":\"Pay\"}",
     "message-id 1@b.example", 2, "Pay"},
    {"{\"type\":\"artifact\",\"url\":\"http://h.example/x\",\"payload_bin\":\"AAAA\"}",
     "domain h.example, url http://h.example/x", 1, NULL},
    {"{\"type\":\"network-traffic\",\"src_port\":80,\"protocols\":[\"tcp\"],\"src_ref\":\"ipv4-"
     "addr--"
     "28bb3599-77cd-5a82-a950-b5bc3caf07c4\"}",
     "", 1, "tcp"},
    {"{\"type\":\"process\",\"command_line\":\"x.exe -a\"}", "", 1, "x.exe -a"},
    {"{\"type\":\"software\",\"name\":\"Office\",\"cpe\":\"cpe:2.3:a:b\"}", "", 2, "Office"},
    /* the deprecated objects of observed-data */
    {"{\"type\":\"observed-data\",\"objects\":{\"0\":{\"type\":\"domain-name\",\"value\":"
     "\"a.example\"},\"1\":{\"type\":\"mutex\",\"name\":\"m\"},\"2\":5}}",
     "domain a.example, mutex m", 2, NULL},
    /* named */
    {"{\"type\":\"attack-pattern\",\"name\":\"Phishing\",\"external_references\":[{\"source_name\":"
     "\"mitre-attack\",\"external_id\":\"t1566\",\"url\":\"https://a.example/T1566\"},"
     "{\"source_name\":\"capec\",\"external_id\":\"CAPEC-163\"},{\"external_id\":\"\"},7]}",
     "external CAPEC-163, external T1566", 6, "Phishing"},
    {"{\"type\":\"vulnerability\",\"name\":\"cve-2024-0001\"}", "external CVE-2024-0001", 1, NULL},
    {"{\"type\":\"vulnerability\",\"name\":\"CVE-2024-0001\",\"external_references\":[{\"source_"
     "name\":\"cve\",\"external_id\":\"CVE-2024-0001\"}]}",
     "external CVE-2024-0001", 3, NULL},
    {"{\"type\":\"malware\",\"name\":\"CVE-2024-0001\"}", "", 1, NULL},
    /* translations, custom properties; no ids, times, references, selectors */
    {"{\"type\":\"language-content\",\"id\":\"language-content--b86bd89f-98bb-4fa9-8cb2-"
     "9ad421da981d\",\"object_ref\":\"campaign--12a111f0-b824-4baf-a224-83b80237a094\","
     "\"object_modified\":\"2017-02-08T21:31:22.007Z\",\"contents\":{\"th\":{\"name\":\"ไทย\"}}}",
     "", 1, "ไทย"},
    {"{\"type\":\"malware\",\"x_note\":\"abc\",\"x_list\":[\"a\",{\"b\":\"c\"}],\"x_when\":"
     "\"2017-02-08T21:31:22Z\",\"x_who\":\"campaign--12a111f0-b824-4baf-a224-83b80237a094\","
     "\"granular_markings\":[{\"marking_ref\":\"x\",\"selectors\":[\"name\"]}]}",
     "", 3, "c"},
    /* patterns */
    {"{\"type\":\"indicator\",\"name\":\"N\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:"
     "value "
     "= '198.51.100.7' OR ipv4-addr:value IN ('198.51.100.8', '198.51.100.7') OR ipv4-addr:value "
     "ISSUBSET '203.0.113.0/24']\"}",
     "ipv4 198.51.100.7, ipv4 198.51.100.8, net4 203.0.113.0/24", 1, "N"},
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[file:hashes.SHA-1 = "
     "'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709' AND file:name = 'A.exe']\"}",
     "hash da39a3ee5e6b4b0d3255bfef95601890afd80709, file-name a.exe", 1, "A.exe"},
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[url:value = "
     "'http://h.example/x'] FOLLOWEDBY [domain-name:value = 'd.example']\"}",
     "domain d.example, domain h.example, url http://h.example/x", 2, NULL},
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[network-traffic:dst_ref."
     "value "
     "= '203.0.113.33/32' AND network-traffic:src_ref.value = 'c2.example']\"}",
     "ipv4 203.0.113.33, domain c2.example", 2, NULL},
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[email-message:from_ref."
     "value = "
     "'A@b.example' AND email-message:subject = 'Pay' AND "
     "email-message:body_multipart[*].body_raw_ref.name = 'Bill.exe']\"}",
     "email a@b.example, file-name bill.exe", 3, "Pay"},
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[domain-name:value = "
     "'d.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.1/32']\"}",
     "ipv4 198.51.100.1, domain d.example", 2, NULL},
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[autonomous-system:number = "
     "64500 OR ipv4-addr:belongs_to_refs[*].number = 64501]\"}",
     "asn AS64500, asn AS64501", 0, NULL},
    /* what is not meant, or only alike, is no value */
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value != "
     "'198.51.100.7' AND ipv4-addr:value NOT = '198.51.100.8' AND ipv4-addr:value > '1.1.1.1']\"}",
     "", 0, NULL},
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[domain-name:value LIKE "
     "'%.evil.example' OR domain-name:value MATCHES 'evil']\"}",
     "", 2, "%.evil.example"},
    /* not readable, or another language: text as it stands */
    {"{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:value = "
     "'198.51.100.7'\"}",
     "", 1, "[ipv4-addr:value = '198.51.100.7'"},
    {"{\"type\":\"indicator\",\"pattern_type\":\"yara\",\"pattern\":\"rule a { condition: true "
     "}\"}",
     "", 1, "rule a { condition: true }"},
    {"{\"type\":\"indicator\",\"pattern_type\":\"snort\",\"pattern\":\"[ipv4-addr:value = "
     "'198.51.100.7']\"}",
     "", 1, NULL},
    /* nothing, or of wrong types */
    {"{}", "", 0, NULL},
    {"{\"type\":5,\"labels\":5,\"external_references\":{},\"confidence\":\"x\",\"pattern\":{}}", "",
     1, "x"},
    {"{\"type\":\"ipv4-addr\",\"value\":5}", "", 0, NULL},
    {"{\"type\":\"file\",\"name\":[\"a\"],\"hashes\":[\"d41d8cd98f00b204e9800998ecf8427e\"]}", "",
     1, NULL},
    {"{\"type\":\"autonomous-system\",\"number\":-1}", "", 0, NULL},
    {"{\"type\":\"autonomous-system\",\"number\":1.5}", "", 0, NULL},
};

static struct findable
find(struct json_parser *jp, struct arena *a, struct span text)
{
    struct err e = ERR_INIT;
    struct findable f = {0};
    const struct json *o = json_parse(jp, text, a, &e);

    assert_non_null(o);
    assert_int_equal(findable_read(o, NULL, a, &f, &e), 0);
    return f;
}

static void
test_rows(void **state)
{
    struct arena *a = arena_new(ROOM);
    struct json_parser *jp = json_parser_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct findable f = find(jp, a, span_of(rows[i].object));
        char mem[1024];
        struct buf b;
        bool has = rows[i].text == NULL;

        buf_init_fixed(&b, mem, sizeof(mem));
        for (size_t k = 0; k < f.value_count; k++) {
            struct value v;
            assert_true(value_from_key(f.values[k].key, &v));
            assert_int_not_equal(f.values[k].from, 0);
            if (k > 0) {
                assert_true(span_cmp(f.values[k - 1].key, f.values[k].key) < 0);
                buf_str(&b, ", ");
            }
            buf_printf(&b, "%s ", value_kind_name(v.kind));
            value_print(&v, &b);
        }
        if (!span_is(buf_view(&b), rows[i].values))
            fail_msg("row %zu: <%.*s>", i, (int)b.n, mem);
        for (size_t k = 0; k < f.text_count; k++)
            has = has || span_is(f.texts[k], rows[i].text);
        if (f.text_count != rows[i].texts || !has)
            fail_msg("row %zu: %zu texts%s", i, f.text_count, has ? "" : ", not the one");
        assert_int_equal(f.confidence, -1);
        assert_false(f.cut);
    }
    json_parser_free(jp);
    arena_free(a);
}

static void
test_labels(void **state)
{
    struct arena *a = arena_new(ROOM);
    struct json_parser *jp = json_parser_new();

    (void)state;
    struct findable f = find(jp, a,
                             SPAN("{\"type\":\"x-a\",\"confidence\":100,\"labels\":[\"Phishing\","
                                  "\"tlp:RED\",\"phishing\",5,\"\",\"H\u00d3A\"]}"));
    assert_int_equal(f.label_count, 3);
    assert_true(span_is(f.labels[0], "h\u00f3a"));
    assert_true(span_is(f.labels[1], "phishing"));
    assert_true(span_is(f.labels[2], "tlp:red"));
    assert_int_equal(f.confidence, 100);
    assert_int_equal(find(jp, a, SPAN("{\"confidence\":0}")).confidence, 0);
    assert_int_equal(find(jp, a, SPAN("{\"confidence\":101}")).confidence, -1);
    assert_int_equal(find(jp, a, SPAN("{\"confidence\":-1}")).confidence, -1);
    assert_int_equal(find(jp, a, SPAN("{\"confidence\":50.5}")).confidence, -1);
    json_parser_free(jp);
    arena_free(a);
}

static void
test_limits(void **state)
{
    struct arena *a = arena_new(64u << 20);
    struct json_parser *jp = json_parser_new();
    struct buf b;

    (void)state;
    buf_init(&b, ROOM);
    for (unsigned over = 0; over < 2; over++) {
        buf_reset(&b); /* values */
        buf_str(&b, "{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[ipv4-addr:"
                    "value IN (");
        for (unsigned i = 0; i < FINDABLE_VALUES_MAX + over; i++)
            buf_printf(&b, i == 0 ? "'10.%u.%u.%u'" : ",'10.%u.%u.%u'", i >> 16, i >> 8 & 255,
                       i & 255);
        buf_str(&b, ")]\"}");
        struct findable f = find(jp, a, buf_view(&b));
        assert_int_equal(f.value_count, FINDABLE_VALUES_MAX);
        assert_int_equal(f.cut, over == 1);
        arena_reset(a);

        buf_reset(&b); /* labels and texts */
        buf_str(&b, "{\"labels\":[");
        for (unsigned i = 0; i < FINDABLE_LABELS_MAX + over; i++)
            buf_printf(&b, i == 0 ? "\"l%u\"" : ",\"l%u\"", i);
        buf_str(&b, "],\"x\":[");
        for (unsigned i = 0; i < FINDABLE_TEXTS_MAX - FINDABLE_LABELS_MAX; i++)
            buf_str(&b, i == 0 ? "\"a\"" : ",\"a\"");
        buf_str(&b, "]}");
        f = find(jp, a, buf_view(&b));
        assert_int_equal(f.label_count, FINDABLE_LABELS_MAX);
        assert_int_equal(f.text_count, FINDABLE_TEXTS_MAX);
        assert_int_equal(f.cut, over == 1);
        arena_reset(a);

        buf_reset(&b); /* bytes of text */
        buf_str(&b, "{\"x\":\"");
        for (unsigned i = 0; i < FINDABLE_BYTES_MAX + over; i++)
            buf_u8(&b, 'a');
        buf_str(&b, "\"}");
        f = find(jp, a, buf_view(&b));
        assert_int_equal(f.text_count, 1 - over);
        assert_int_equal(f.cut, over == 1);
        arena_reset(a);
    }
    buf_clear(&b);
    json_parser_free(jp);
    arena_free(a);
}

static void
test_given_pattern(void **state)
{
    struct arena *a = arena_new(ROOM);
    struct json_parser *jp = json_parser_new();
    struct err e = ERR_INIT;
    struct findable f;
    const struct pattern *p;

    (void)state;
    const struct json *o = json_parse(
        jp, SPAN("{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"pattern\":\"[a-a:x=1]\"}"), a,
        &e);
    assert_int_equal(pattern_read(SPAN("[mutex:name = 'given']"), a, &p, &e), 0);
    assert_int_equal(findable_read(o, p, a, &f, &e), 0);
    assert_int_equal(f.value_count, 1);
    assert_int_equal(f.values[0].from, FINDABLE_PATTERN);
    assert_int_equal(f.text_count, 1);
    json_parser_free(jp);
    arena_free(a);
}

static void
test_memory(void **state)
{
    struct json_parser *jp = json_parser_new();
    struct arena *tree = arena_new(ROOM);
    struct err e = ERR_INIT;
    const struct json *o = json_parse(
        jp,
        SPAN("{\"type\":\"indicator\",\"labels\":[\"a\",\"b\"],\"name\":\"n\",\"pattern_type\":"
             "\"stix\","
             "\"pattern\":\"[url:value IN ('http://a.example/', 'http://b.example/')]\"}"),
        tree, &e);
    struct findable f;

    (void)state;
    assert_non_null(o);
    size_t want = 0;
    for (size_t nth = 1; nth < 100; nth++) {
        mem_fail_at(nth);
        struct arena *a = arena_new(ROOM);
        int rc = a != NULL ? findable_read(o, NULL, a, &f, &e) : -1;
        mem_fail_at(0);
        arena_free(a);
        if (rc == 0) {
            want = nth;
            break;
        }
    }
    assert_true(want > 1);
    /* Every ceiling of the arena: all, or a clear refusal. */
    for (size_t ceiling = 16; ceiling < 8192; ceiling += 16) {
        struct arena *a = arena_new(ceiling);
        e = ERR_INIT;
        int rc = findable_read(o, NULL, a, &f, &e);
        if (rc != 0) {
            assert_int_equal(e.code, ERR_LIMIT);
            assert_true(arena_full(a));
        } else {
            assert_int_equal(f.value_count, 4);
            assert_int_equal(f.label_count, 2);
        }
        arena_free(a);
    }
    json_parser_free(jp);
    arena_free(tree);
}

static void
test_kinds(void **state)
{
    (void)state;
    assert_int_equal(findable_kind(SPAN("domain-name"), SPAN("value")), VALUE_DOMAIN);
    assert_int_equal(findable_kind(SPAN("file"), SPAN("name")), VALUE_FILE_NAME);
    assert_int_equal(findable_kind(SPAN("file"), SPAN("value")), VALUE_NONE);
    assert_int_equal(findable_kind(SPAN("malware"), SPAN("name")), VALUE_NONE);
    assert_int_equal(findable_kind(SPAN(""), SPAN("")), VALUE_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),   cmocka_unit_test(test_labels),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_given_pattern),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests_name("pattern/findable", tests, NULL, NULL);
}
