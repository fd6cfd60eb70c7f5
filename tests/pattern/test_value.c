/* Normal forms and keys of values. */
#include "check.h"

#include "value.h"

/* Read and printed again; NULL: it is none of that kind. */
static const struct {
    enum value_kind kind;
    const char *in, *out;
} forms[] = {
    {VALUE_IPV4, "198.51.100.7", "198.51.100.7"},
    {VALUE_IPV4, " 198.51.100.7\n", "198.51.100.7"},
    {VALUE_IPV4, "0.0.0.0", "0.0.0.0"},
    {VALUE_IPV4, "255.255.255.255", "255.255.255.255"},
    {VALUE_IPV4, "198[.]51[.]100[.]7", "198.51.100.7"},
    {VALUE_IPV4, "198.51.100[.]7", "198.51.100.7"},
    {VALUE_IPV4, "198(.)51(dot)100{.}7", "198.51.100.7"},
    {VALUE_IPV4, "198\\.51\\.100\\.7", "198.51.100.7"},
    {VALUE_IPV4, "\"198.51.100.7\"", "198.51.100.7"},
    {VALUE_IPV4, "198.51.100.7,", "198.51.100.7"},
    {VALUE_IPV4, "198.51.100.7/32", "198.51.100.7"},
    {VALUE_IPV4, "198.51.100.7/24", "198.51.100.0/24"},
    {VALUE_NET4, "198.51.100.255/31", "198.51.100.254/31"},
    {VALUE_IPV4, "198.51.100.7/0", "0.0.0.0/0"},
    {VALUE_IPV4, "::ffff:198.51.100.7", "198.51.100.7"},
    {VALUE_IPV4, "198.51.100", NULL},
    {VALUE_IPV4, "198.51.100.7.1", NULL},
    {VALUE_IPV4, "198.51.100.256", NULL},
    {VALUE_IPV4, "198.51.100.07", NULL},
    {VALUE_IPV4, "198.51.100.", NULL},
    {VALUE_IPV4, ".198.51.100.7", NULL},
    {VALUE_IPV4, "198.51.100.7/33", NULL},
    {VALUE_IPV4, "198.51.100.7/", NULL},
    {VALUE_IPV4, "198.51.100.7/-1", NULL},
    {VALUE_IPV4, "198.51.100.7/024", NULL},
    {VALUE_IPV4, "198.51.100.7/24/24", NULL},
    {VALUE_IPV4, "198.51.100.7 198.51.100.8", NULL},
    {VALUE_IPV4, "0xc6.51.100.7", NULL},
    {VALUE_IPV4, "", NULL},
    {VALUE_IPV4, " ", NULL},
    {VALUE_IPV4, "2001:db8::1", NULL},
    {VALUE_IPV4, "198.51.100.\xff", NULL},

    {VALUE_IPV6, "2001:db8::15", "2001:db8::15"},
    {VALUE_IPV6, "2001:DB8:0:0:0:0:0:15", "2001:db8::15"},
    {VALUE_IPV6, "2001:0db8:0000:0000:0000:0000:0000:0015", "2001:db8::15"},
    {VALUE_IPV6, "::", "::"},
    {VALUE_IPV6, "::1", "::1"},
    {VALUE_IPV6, "1::", "1::"},
    {VALUE_IPV6, "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {VALUE_IPV6, "2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {VALUE_IPV6, "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {VALUE_IPV6, "::1.2.3.4", "::102:304"},
    {VALUE_IPV6, "64:ff9b::198.51.100.7", "64:ff9b::c633:6407"},
    {VALUE_IPV6, "::ffff:198.51.100.7", "198.51.100.7"},
    {VALUE_IPV6, "::FFFF:c633:6407", "198.51.100.7"},
    {VALUE_IPV6, "::ffff:198.51.100.7/120", "198.51.100.0/24"},
    {VALUE_IPV6, "::ffff:0:0/90", "::ffc0:0:0/90"},
    {VALUE_IPV6, "2001:db8:dead:beef::1/64", "2001:db8:dead:beef::/64"},
    {VALUE_NET6, "2001:db8::/32", "2001:db8::/32"},
    {VALUE_IPV6, "2001:db8::1/128", "2001:db8::1"},
    {VALUE_IPV6, "2001:db8[:]:1", "2001:db8::1"},
    {VALUE_IPV6, "2001:db8[:][:]1", "2001:db8::1"},
    {VALUE_IPV6, "2001:db8::1::2", NULL},
    {VALUE_IPV6, "2001:db8:1", NULL},
    {VALUE_IPV6, "1:2:3:4:5:6:7:8:9", NULL},
    {VALUE_IPV6, "1:2:3:4:5:6:7::8", NULL},
    {VALUE_IPV6, "12345::", NULL},
    {VALUE_IPV6, ":1::", NULL},
    {VALUE_IPV6, "1:2:3:4:5:6:7:", NULL},
    {VALUE_IPV6, ":::", NULL},
    {VALUE_IPV6, "1.2.3.4::", NULL},
    {VALUE_IPV6, "::1.2.3", NULL},
    {VALUE_IPV6, "::1.2.3.4.5", NULL},
    {VALUE_IPV6, "::1.2.3.4:5", NULL},
    {VALUE_IPV6, "fe80::1%eth0", NULL},
    {VALUE_IPV6, "2001:db8::g", NULL},
    {VALUE_IPV6, "2001:db8::1/129", NULL},
    {VALUE_IPV6, "198.51.100.7", NULL},

    {VALUE_DOMAIN, "evil.example", "evil.example"},
    {VALUE_DOMAIN, "EVIL.Example.", "evil.example"},
    {VALUE_DOMAIN, "evil[.]example", "evil.example"},
    {VALUE_DOMAIN, "evil[dot]example", "evil.example"},
    {VALUE_DOMAIN, "evil[DOT]example", "evil.example"},
    {VALUE_DOMAIN, "a.b.c.d.example", "a.b.c.d.example"},
    {VALUE_DOMAIN, "_dmarc.evil.example", "_dmarc.evil.example"},
    {VALUE_DOMAIN, "localhost", "localhost"},
    {VALUE_DOMAIN, "évil.example", "xn--vil-9la.example"},
    {VALUE_DOMAIN, "ÉVIL.example", "xn--vil-9la.example"},
    {VALUE_DOMAIN, "e\u0301vil.example", "xn--vil-9la.example"},
    {VALUE_DOMAIN, "XN--VIL-9LA.example", "xn--vil-9la.example"},
    {VALUE_DOMAIN, "ไทย.example", "xn--o3cw4h.example"},
    {VALUE_DOMAIN, "bücher.example", "xn--bcher-kva.example"},
    {VALUE_DOMAIN, "例え。example", "xn--r8jz45g.example"},
    {VALUE_DOMAIN, "ｅｖｉｌ．example", "evil.example"},
    {VALUE_DOMAIN, "evil\u2011site.example", "evil-site.example"},
    {VALUE_DOMAIN, "", NULL},
    {VALUE_DOMAIN, ".", NULL},
    {VALUE_DOMAIN, "..", NULL},
    {VALUE_DOMAIN, ".evil.example", NULL},
    {VALUE_DOMAIN, "evil..example", NULL},
    {VALUE_DOMAIN, "evil.example..", NULL},
    {VALUE_DOMAIN, "evil example", NULL},
    {VALUE_DOMAIN, "domain autuo.xicp.example", NULL},
    {VALUE_DOMAIN, "evil.example/x", NULL},
    {VALUE_DOMAIN, "evil.example:80", NULL},
    {VALUE_DOMAIN, "*.evil.example", NULL},
    {VALUE_DOMAIN, "198.51.100.7", NULL},
    {VALUE_DOMAIN, "evil.123", NULL},
    {VALUE_DOMAIN, "xn--a-\xc3\xa9.example", NULL},
    {VALUE_DOMAIN, "xn--99999999.example", NULL},
    {VALUE_DOMAIN, "a@evil.example", NULL},

    {VALUE_EMAIL, "Soc@Example.ORG", "soc@example.org"},
    {VALUE_EMAIL, "soc[at]example[.]org", "soc@example.org"},
    {VALUE_EMAIL, "<soc@example.org>", "soc@example.org"},
    {VALUE_EMAIL, "a.b+c@example.org", "a.b+c@example.org"},
    {VALUE_EMAIL, "น@ไทย.example", "น@xn--o3cw4h.example"},
    {VALUE_EMAIL, "soc", NULL},
    {VALUE_EMAIL, "@example.org", NULL},
    {VALUE_EMAIL, "soc@", NULL},
    {VALUE_EMAIL, "a@b@example.org", NULL},
    {VALUE_EMAIL, "Soc Team <soc@example.org>", NULL},
    {VALUE_EMAIL, "soc team@example.org", NULL},
    {VALUE_EMAIL, "soc@example..org", NULL},
    {VALUE_EMAIL, "soc\uff1b1@example.org", NULL},
    {VALUE_EMAIL, "\u200b@example.org", NULL},

    {VALUE_URL, "http://evil.example/", "http://evil.example/"},
    {VALUE_URL, "http://evil.example", "http://evil.example/"},
    {VALUE_URL, "HTTP://EVIL.example:80/A/b", "http://evil.example/A/b"},
    {VALUE_URL, "https://evil.example:443/", "https://evil.example/"},
    {VALUE_URL, "https://evil.example:80/", "https://evil.example:80/"},
    {VALUE_URL, "http://evil.example:/", "http://evil.example/"},
    {VALUE_URL, "ftp://evil.example:21/x", "ftp://evil.example/x"},
    {VALUE_URL, "hxxp://evil[.]example/a", "http://evil.example/a"},
    {VALUE_URL, "hXXps://evil[.]example/a", "https://evil.example/a"},
    {VALUE_URL, "h**p://evil.example/", "http://evil.example/"},
    {VALUE_URL, "hxxp[://]evil.example", "http://evil.example/"},
    {VALUE_URL, "hxxp[:]//evil.example", "http://evil.example/"},
    {VALUE_URL, "fxp://evil.example/x", "ftp://evil.example/x"},
    {VALUE_URL, "http://evil.example?q=1", "http://evil.example/?q=1"},
    {VALUE_URL, "http://evil.example#f", "http://evil.example/#f"},
    {VALUE_URL, "http://evil.example/%7euser/%2f%3a", "http://evil.example/~user/%2F%3A"},
    {VALUE_URL, "http://evil.example/%zz%%41", "http://evil.example/%25zz%25A"},
    {VALUE_URL, "http://evil.example/ก", "http://evil.example/%E0%B8%81"},
    {VALUE_URL, "http://evil.example/%e0%b8%81", "http://evil.example/%E0%B8%81"},
    {VALUE_URL, "http://evil.example/a b", "http://evil.example/a%20b"},
    {VALUE_URL, "http://User:pw@evil.example/", "http://User:pw@evil.example/"},
    {VALUE_URL, "http://198.51.100.7:8080/x", "http://198.51.100.7:8080/x"},
    {VALUE_URL, "http://[2001:DB8::1]:80/x", "http://[2001:db8::1]/x"},
    {VALUE_URL, "http://[::ffff:198.51.100.7]/x", "http://198.51.100.7/x"},
    {VALUE_URL, "http://BÜCHER.example/", "http://xn--bcher-kva.example/"},
    {VALUE_URL, "http://!odd!/x", "http://!odd!/x"},
    {VALUE_URL, "mailto:soc@example.org", "mailto:soc@example.org"},
    {VALUE_URL, "file:///etc/passwd", "file:///etc/passwd"},
    {VALUE_URL, "evil.example/a", NULL},
    {VALUE_URL, "://evil.example", NULL},
    {VALUE_URL, "http://", NULL},
    {VALUE_URL, "http:///x", NULL},
    {VALUE_URL, "http://evil.example:70000/", NULL},
    {VALUE_URL, "http://evil.example:8a/", NULL},
    {VALUE_URL, "http://evil .example/", NULL},
    {VALUE_URL, "http://[2001:db8::1/x", NULL},
    {VALUE_URL, "http://[evil]/x", NULL},
    {VALUE_URL, "1http://evil.example/", NULL},
    {VALUE_URL, "http://evil.example/\x01", NULL},
    {VALUE_URL, "http:", NULL},

    {VALUE_HASH, "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e"},
    {VALUE_HASH, "da39a3ee5e6b4b0d3255bfef95601890afd80709",
     "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {VALUE_HASH, "d41d8cd98f00b204e9800998ecf8427", NULL},
    {VALUE_HASH, "d41d8cd98f00b204e9800998ecf8427eaa", NULL},
    {VALUE_HASH, "g41d8cd98f00b204e9800998ecf8427e", NULL},
    {VALUE_HASH, "f00", NULL},
    {VALUE_HASH, "", NULL},
    {VALUE_FUZZY, "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C",
     "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C"},
    {VALUE_FUZZY, "3:AXG:B,\"file.txt\"", "3:AXG:B"},
    {VALUE_FUZZY, "AXG:B:C", NULL},
    {VALUE_FUZZY, "3:AXG", NULL},
    {VALUE_FUZZY, "3:A-G:B", NULL},
    {VALUE_FUZZY, "3:A:B:C", NULL},

    {VALUE_MAC, "D2:fb:49:24:37:18", "d2:fb:49:24:37:18"},
    {VALUE_MAC, "D2-FB-49-24-37-18", "d2:fb:49:24:37:18"},
    {VALUE_MAC, "d2fb.4924.3718", "d2:fb:49:24:37:18"},
    {VALUE_MAC, "d2:fb:49:24:37", NULL},
    {VALUE_MAC, "d2:fb-49:24:37:18", NULL},
    {VALUE_MAC, "d2:fb:49:24:37:1g", NULL},
    {VALUE_MAC, "d2fb49243718", NULL},
    {VALUE_MAC, "d2fb:4924:3718", NULL},

    {VALUE_ASN, "64500", "AS64500"},
    {VALUE_ASN, "as64500", "AS64500"},
    {VALUE_ASN, "ASN 64500", "AS64500"},
    {VALUE_ASN, "AS1.10", "AS65546"},
    {VALUE_ASN, "4294967295", "AS4294967295"},
    {VALUE_ASN, "4294967296", NULL},
    {VALUE_ASN, "1.10", NULL},
    {VALUE_ASN, "AS", NULL},
    {VALUE_ASN, "AS-1", NULL},
    {VALUE_ASN, "AS65536.1", NULL},
    {VALUE_ASN, "64500.0", NULL},

    {VALUE_REGISTRY, "HKLM\\Software\\Run", "hkey_local_machine\\software\\run"},
    {VALUE_REGISTRY, "HKLM:\\Software\\Run\\", "hkey_local_machine\\software\\run"},
    {VALUE_REGISTRY, "hkey_local_machine\\\\SOFTWARE\\Run", "hkey_local_machine\\software\\run"},
    {VALUE_REGISTRY, "HKCU", "hkey_current_user"},
    {VALUE_REGISTRY, "HKCU:\\ \\", "hkey_current_user"},
    {VALUE_REGISTRY, "HKLM1\\x", "hklm1\\x"},
    {VALUE_REGISTRY, "Software\\Run", "software\\run"},
    {VALUE_PATH, "C:\\Windows\\System32\\", "c:/windows/system32"},
    {VALUE_PATH, "/usr//LIB/", "/usr/lib"},
    {VALUE_PATH, "/", "/"},
    {VALUE_PATH, "/a / /", "/a"},
    {VALUE_FILE_NAME, "\u3000a\u3000", "a"},
    {VALUE_FILE_NAME, "\u3000", NULL},
    {VALUE_MESSAGE_ID, "< a >", "a"},
    {VALUE_FILE_NAME, "HÓA_ĐƠN.pdf.EXE", "hóa_đơn.pdf.exe"},
    {VALUE_FILE_NAME, "ho\u0301a_đo\u031bn.pdf.exe", "hóa_đơn.pdf.exe"},
    {VALUE_FILE_NAME, "a[.]b", "a[.]b"},
    {VALUE_MUTEX, "Global\\MyMutex", "Global\\MyMutex"},
    {VALUE_ACCOUNT, "DOMAIN\\User", "domain\\user"},
    {VALUE_SERIAL, "00:4C:0b:1d", "4c0b1d"},
    {VALUE_SERIAL, "4c 0b 1d", "4c0b1d"},
    {VALUE_SERIAL, "00", "0"},
    {VALUE_SERIAL, "xyz", NULL},
    {VALUE_SERIAL, ":", NULL},
    {VALUE_EXTERNAL, "cve-2024-0001", "CVE-2024-0001"},
    {VALUE_EXTERNAL, "T1566.001", "T1566.001"},
    {VALUE_EXTERNAL, "two words", NULL},
    {VALUE_MESSAGE_ID, "<CAF@mail.example>", "CAF@mail.example"},
    {VALUE_NONE, "x", NULL},
    {(enum value_kind)99, "x", NULL},
};

static void
test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct value v, w;
        char mem[512];
        struct buf b;
        bool ok = value_read(forms[i].kind, span_of(forms[i].in), &v);
        buf_init_fixed(&b, mem, sizeof(mem));
        if (ok)
            value_print(&v, &b);
        if (ok != (forms[i].out != NULL) || (ok && !span_is(buf_view(&b), forms[i].out)))
            fail_msg("row %zu <%s>: %s<%.*s>", i, forms[i].in, ok ? "" : "refused ", (int)b.n, mem);
        if (!ok)
            continue;
        assert_int_equal(v.kind, v.key[0]);
        /* What is printed is read as the same; keys go both ways. */
        assert_true(value_read(v.kind, buf_view(&b), &w));
        assert_true(span_eq(value_key(&v), value_key(&w)));
        assert_true(value_from_key(value_key(&v), &w));
        assert_memory_equal(w.key, v.key, v.n);
    }
}

static void
test_kinds(void **state)
{
    (void)state;
    for (unsigned k = 1; k < VALUE_KINDS; k++)
        assert_int_equal(value_kind_find(span_of(value_kind_name((enum value_kind)k))), k);
    assert_int_equal(value_kind_find(SPAN("none")), VALUE_NONE);
    assert_int_equal(value_kind_find(SPAN("IPV4")), VALUE_NONE);
    assert_string_equal(value_kind_name((enum value_kind)77), "none");
}

static void
test_long(void **state)
{
    static char text[VALUE_INPUT_MAX + 2];
    struct value a, b;
    char mem[512];
    struct buf out;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_true(value_read(VALUE_FILE_NAME, span_from(text, VALUE_TEXT_MAX), &a));
    assert_int_equal(a.n, VALUE_KEY_MAX);
    assert_true(value_read(VALUE_FILE_NAME, span_from(text, VALUE_TEXT_MAX + 1), &b));
    assert_int_equal(b.n, VALUE_KEY_MAX);
    assert_memory_not_equal(a.key, b.key, VALUE_KEY_MAX);
    assert_memory_equal(a.key, b.key, 1 + VALUE_HEAD);
    buf_init_fixed(&out, mem, sizeof(mem));
    value_print(&b, &out);
    assert_int_equal(out.n, VALUE_HEAD + 3);
    assert_true(value_read(VALUE_FILE_NAME, span_from(text, VALUE_INPUT_MAX), &a));
    assert_false(value_read(VALUE_FILE_NAME, span_from(text, VALUE_INPUT_MAX + 1), &a));

    /* Domain: labels of 63 bytes, 253 in all. */
    for (size_t i = 63; i < 256; i += 64)
        text[i] = '.';
    assert_true(value_read(VALUE_DOMAIN, span_from(text, 63), &a));
    text[63] = 'a';
    assert_false(value_read(VALUE_DOMAIN, span_from(text, 64), &a));
    text[63] = '.';
    assert_true(value_read(VALUE_DOMAIN, span_from(text, 253), &a));
    assert_false(value_read(VALUE_DOMAIN, span_from(text, 254), &a));

    /* The longest URL triples. */
    memcpy(text, "http://h.example/", 17);
    memset(text + 17, ' ', VALUE_INPUT_MAX - 18);
    text[VALUE_INPUT_MAX - 1] = 'x';
    assert_true(value_read(VALUE_URL, span_from(text, VALUE_INPUT_MAX), &a));
}

static bool
in_ranges(const struct value_range *r, size_t n, const struct value *v)
{
    for (size_t i = 0; i < n; i++) {
        struct span k = value_key(v);
        if (span_cmp(span_from(r[i].lo, r[i].lo_n), k) <= 0 &&
            span_cmp(k, span_from(r[i].hi, r[i].hi_n)) <= 0)
            return true;
    }
    return false;
}

static const struct {
    enum value_kind kind;
    const char *query, *stored;
    bool wide, exact;
} found[] = {
    {VALUE_IPV4, "198.51.100.7", "198.51.100.7", true, true},
    {VALUE_IPV4, "198.51.100.7", "198.51.100.0/24", true, false},
    {VALUE_IPV4, "198.51.100.7", "0.0.0.0/0", true, false},
    {VALUE_IPV4, "198.51.100.7", "198.51.100.6/31", true, false},
    {VALUE_IPV4, "198.51.100.7", "198.51.100.8/31", false, false},
    {VALUE_IPV4, "198.51.100.7", "198.51.101.0/24", false, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.100.0", true, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.100.255", true, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.101.0", false, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.99.255", false, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.100.0/24", true, true},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.100.128/25", true, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.101.0/25", false, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.100.254/31", true, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.51.0.0/16", true, false},
    {VALUE_IPV4, "198.51.100.0/24", "198.50.0.0/16", false, false},
    {VALUE_IPV4, "0.0.0.0/0", "255.255.255.255", true, false},
    {VALUE_IPV4, "0.0.0.0/0", "128.0.0.0/1", true, false},
    {VALUE_IPV6, "2001:db8::15", "2001:db8::/32", true, false},
    {VALUE_IPV6, "2001:db8::15", "::/0", true, false},
    {VALUE_IPV6, "2001:db8::15", "2001:db8::14/127", true, false},
    {VALUE_IPV6, "2001:db8::15", "2001:db8::16/127", false, false},
    {VALUE_IPV6, "2001:db8::/32", "2001:db8:ffff::1", true, false},
    {VALUE_IPV6, "2001:db8::/32", "2001:db9::", false, false},
    {VALUE_IPV6, "2001:db8::/32", "2001:db8:1::/48", true, false},
    {VALUE_IPV6, "::ffff:198.51.100.7", "198.51.100.0/24", true, false},
    {VALUE_DOMAIN, "evil.example", "evil.example", true, true},
    {VALUE_DOMAIN, "evil.example", "www.evil.example", true, false},
    {VALUE_DOMAIN, "evil.example", "a.b.evil.example", true, false},
    {VALUE_DOMAIN, "evil.example", "notevil.example", false, false},
    {VALUE_DOMAIN, "evil.example", "evil.example2", false, false},
    {VALUE_DOMAIN, "evil.example", "example", false, false},
    {VALUE_DOMAIN, "www.evil.example", "evil.example", false, false},
    {VALUE_URL, "http://evil.example/", "http://evil.example/a", false, false},
};

static void
test_ranges(void **state)
{
    static struct value_range r[VALUE_RANGES_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        struct value q, s;
        assert_true(value_read(found[i].kind, span_of(found[i].query), &q));
        assert_true(value_read(found[i].kind, span_of(found[i].stored), &s) ||
                    value_read(VALUE_IPV4, span_of(found[i].stored), &s));
        size_t n = value_ranges(&q, VALUE_WIDE, r);
        assert_true(n >= 1 && n <= VALUE_RANGES_MAX);
        if (in_ranges(r, n, &s) != found[i].wide)
            fail_msg("row %zu: wide", i);
        n = value_ranges(&q, VALUE_EXACT, r);
        assert_int_equal(n, 1);
        if (in_ranges(r, n, &s) != found[i].exact)
            fail_msg("row %zu: exact", i);
    }
}

/* Random networks against plain arithmetic. */
static void
test_random_nets(void **state)
{
    static struct value_range r[VALUE_RANGES_MAX];
    struct check_random rnd = check_seed("networks");

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint32_t a[2];
        unsigned len[2];
        struct value v[2];
        for (int i = 0; i < 2; i++) {
            char text[32];
            /* Few bits, so that they meet. */
            a[i] = (uint32_t)(check_next(&rnd) % 64) << (check_next(&rnd) % 3 * 13);
            len[i] = (unsigned)(check_next(&rnd) % 33);
            if (check_next(&rnd) % 2 == 0)
                len[i] = 32;
            snprintf(text, sizeof(text), "%u.%u.%u.%u/%u", a[i] >> 24, a[i] >> 16 & 255,
                     a[i] >> 8 & 255, a[i] & 255, len[i]);
            assert_true(value_read(VALUE_IPV4, span_of(text), &v[i]));
        }
        unsigned both = len[0] < len[1] ? len[0] : len[1];
        uint32_t mask = both == 0 ? 0 : UINT32_MAX << (32 - both);
        bool overlap = (a[0] & mask) == (a[1] & mask);
        size_t n = value_ranges(&v[0], VALUE_WIDE, r);
        assert_int_equal(in_ranges(r, n, &v[1]), overlap);
    }
}

static const struct {
    const char *in;
    const char *first; /* kind and form of the first guess; NULL: none at all */
    const char *also;  /* one that must be among them; NULL: none asked for */
    const char *never; /* a kind that must not be */
} guesses[] = {
    {"198.51.100.7", "ipv4 198.51.100.7", NULL, "domain"},
    {"198[.]51[.]100[.]7", "ipv4 198.51.100.7", NULL, "domain"},
    {"198.51.100.0/24", "net4 198.51.100.0/24", NULL, "url"},
    {"198.51.100.7:8080", "ipv4 198.51.100.7", NULL, "domain"},
    {"[2001:db8::1]:443", "ipv6 2001:db8::1", NULL, "domain"},
    {"2001:DB8::1", "ipv6 2001:db8::1", NULL, "mac"},
    {"hxxps://evil[.]example/a?b", "url https://evil.example/a?b", "domain evil.example", NULL},
    {"http://198.51.100.7/x", "url http://198.51.100.7/x", "ipv4 198.51.100.7", "domain"},
    {"http://[2001:db8::1]/x", "url http://[2001:db8::1]/x", "ipv6 2001:db8::1", NULL},
    {"evil.example", "domain evil.example", NULL, "ipv4"},
    {"evil[.]example", "domain evil.example", NULL, NULL},
    {"evil.example:8080", "domain evil.example", NULL, "url"},
    {"evil.example/gate.php", "domain evil.example", "url https://evil.example/gate.php", NULL},
    {"invoice.exe", "domain invoice.exe", "file-name invoice.exe", NULL},
    {"hóa_đơn.pdf.exe", "domain xn--ha_n-qqa6pu2b.pdf.exe", "file-name hóa_đơn.pdf.exe", NULL},
    {"soc@example.org", "email soc@example.org", NULL, "domain"},
    {"mailto:soc@example.org", "email soc@example.org", NULL, NULL},
    {"soc[at]example[.]org", "email soc@example.org", NULL, NULL},
    {"d41d8cd98f00b204e9800998ecf8427e", "hash d41d8cd98f00b204e9800998ecf8427e", NULL, "external"},
    {"AS64500", "asn AS64500", NULL, "external"},
    {"64500", "file-name 64500", NULL, "asn"},
    {"cve-2024-0001", "external CVE-2024-0001", NULL, "domain"},
    {"CVE\u20112024\u20110001", "external CVE-2024-0001", NULL, NULL},
    {"T1566.001", "external T1566.001", NULL, "domain"},
    {"GHSA-jfh8-c2jp-5v3q", "external GHSA-JFH8-C2JP-5V3Q", NULL, NULL},
    {"HKLM\\Software\\Run", "registry hkey_local_machine\\software\\run", NULL, NULL},
    {"C:\\Temp\\x.dll", "path c:/temp/x.dll", NULL, "domain"},
    {"/etc/cron.d", "path /etc/cron.d", NULL, "url"},
    {"d2:fb:49:24:37:18", "mac d2:fb:49:24:37:18", NULL, "ipv6"},
    {"Lazarus", "file-name lazarus", "account lazarus", "domain"},
    {"two words.txt", "file-name two words.txt", NULL, "domain"},
    {"...", "file-name ...", NULL, "domain"},
    {"", NULL, NULL, NULL},
    {"   ", NULL, NULL, NULL},
    {"\xff\xfe", NULL, NULL, NULL},
};

static void
test_guess(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
        struct value v[VALUE_GUESS_MAX];
        bool also = guesses[i].also == NULL;
        size_t n = value_guess(span_of(guesses[i].in), v, VALUE_GUESS_MAX);
        if ((n == 0) != (guesses[i].first == NULL))
            fail_msg("row %zu <%s>: %zu guesses", i, guesses[i].in, n);
        for (size_t k = 0; k < n; k++) {
            char mem[512];
            struct buf b;
            buf_init_fixed(&b, mem, sizeof(mem));
            buf_printf(&b, "%s ", value_kind_name(v[k].kind));
            value_print(&v[k], &b);
            if (k == 0 && !span_is(buf_view(&b), guesses[i].first))
                fail_msg("row %zu: first is <%.*s>", i, (int)b.n, mem);
            also = also || span_is(buf_view(&b), guesses[i].also);
            if (guesses[i].never != NULL && v[k].kind == value_kind_find(span_of(guesses[i].never)))
                fail_msg("row %zu: <%.*s>", i, (int)b.n, mem);
            for (size_t l = 0; l < k; l++)
                assert_false(span_eq(value_key(&v[k]), value_key(&v[l])));
        }
        if (!also)
            fail_msg("row %zu: no <%s>", i, guesses[i].also);
        assert_true(value_guess(span_of(guesses[i].in), v, 1) <= 1);
    }
}

static const char *const bad_keys[] = {
    "",
    "\x01",
    "\x01"
    "123",
    "\x01"
    "12345",
    "\x02"
    "\x20"
    "1234",
    "\x02"
    "1234",
    "\x03"
    "123456789",
    "\x0c"
    "12345",
    "\x0d"
    "12345",
    "\x14"
    "x",
    "\x63"
    "abc",
};

static void
test_keys(void **state)
{
    char big[VALUE_KEY_MAX + 2];
    struct value v;

    (void)state;
    for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++)
        assert_false(value_from_key(span_of(bad_keys[i]), &v));
    assert_false(value_from_key(SPAN("\0abc"), &v));
    memset(big, VALUE_URL, sizeof(big));
    assert_true(value_from_key(span_from(big, VALUE_KEY_MAX), &v));
    assert_false(value_from_key(span_from(big, VALUE_KEY_MAX + 1), &v));
    big[0] = VALUE_HASH;
    assert_true(value_from_key(span_from(big, 65), &v));
    assert_false(value_from_key(span_from(big, 66), &v));
}

/* RFC 3492 section 7.1, and others. */
static const struct {
    const char *text, *code;
} puny[] = {
    {"他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"},
    {"Pročprostěnemluvíčesky", "Proprostnemluvesky-uyb24dma41a"},
    {"TạisaohọkhôngthểchỉnóitiếngViệt", "TisaohkhngthchnitingVit-kjcr8268qyxafd2f1b9g"},
    {"ひとつ屋根の下2", "2-u9tlzr9756bt3uc0v"},
    {"-> $1.00 <-", "-> $1.00 <--"},
    {"ไทย", "o3cw4h"},
    {"", ""},
};

static void
test_punycode(void **state)
{
    static const char *const bad[] = {"é", "a-!", "99999999", "a-9", "aa-zzzz!", "0"};
    struct check_random r = check_seed("punycode");

    (void)state;
    for (size_t i = 0; i < sizeof(puny) / sizeof(puny[0]); i++) {
        char mem[256], back[256];
        struct buf a, b;
        buf_init_fixed(&a, mem, sizeof(mem));
        buf_init_fixed(&b, back, sizeof(back));
        assert_true(punycode_encode(span_of(puny[i].text), &a));
        if (!span_is(buf_view(&a), puny[i].code))
            fail_msg("%s: %.*s", puny[i].text, (int)a.n, mem);
        assert_true(punycode_decode(span_of(puny[i].code), &b));
        assert_true(span_is(buf_view(&b), puny[i].text));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char mem[256];
        struct buf b;
        buf_init_fixed(&b, mem, sizeof(mem));
        if (punycode_decode(span_of(bad[i]), &b))
            fail_msg("%s decodes to %.*s", bad[i], (int)b.n, mem);
    }
    /* What decodes is what its own encoding decodes to. */
    for (int round = 0; round < 50000; round++) {
        char text[24], one[256], two[256], three[256];
        struct buf a, b, c;
        size_t n = check_next(&r) % sizeof(text);
        for (size_t i = 0; i < n; i++)
            text[i] = "abcxyz0189-"[check_next(&r) % 11];
        buf_init_fixed(&a, one, sizeof(one));
        if (!punycode_decode(span_from(text, n), &a))
            continue;
        buf_init_fixed(&b, two, sizeof(two));
        buf_init_fixed(&c, three, sizeof(three));
        assert_true(punycode_encode(buf_view(&a), &b));
        assert_true(punycode_decode(buf_view(&b), &c));
        assert_true(span_eq(buf_view(&a), buf_view(&c)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_long),  cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_guess), cmocka_unit_test(test_random_nets),
        cmocka_unit_test(test_keys),  cmocka_unit_test(test_punycode),
    };
    return cmocka_run_group_tests_name("pattern/value", tests, NULL, NULL);
}
