/* STIX patterns: what is read, what is told, what is refused. */
#include "check.h"

#include <dirent.h>
#include "mem.h"
#include "pattern.h"

#define ROOM (8u << 20)

/* Patterns that break no rule, and their normal form (NULL: the same). */
static const struct {
    const char *in, *out;
} good[] = {
    {"[ipv4-addr:value = '198.51.100.7']", NULL},
    {"[ ipv4-addr : value='198.51.100.7' ]", "[ipv4-addr:value = '198.51.100.7']"},
    {"\t[ipv4-addr:value\u00a0=\u3000'198.51.100.7'\r\n]\u2028",
     "[ipv4-addr:value = '198.51.100.7']"},
    {"[file:size == 5]", "[file:size = 5]"},
    {"[file:size <> -5]", "[file:size != -5]"},
    {"[file:size NOT != 5]", NULL},
    {"[file:size>=5 AND file:size<=7.50]", "[file:size >= 5 AND file:size <= 7.50]"},
    {"[file:size > .5]", "[file:size > 0.5]"},
    {"[file:size > -.5]", "[file:size > -0.5]"},
    {"[file:size = -0]", "[file:size = 0]"},
    {"[file:size < 9007199254740991]", NULL},
    {"[process:is_hidden = true OR process:is_hidden != false]", NULL},
    {"[file:magic_number_hex = h'ffd8']", NULL},
    {"[file:magic_number_hex = h'']", NULL},
    {"[artifact:payload_bin = b'dGhpcyBpcyBhIHRlc3Q=']", NULL},
    {"[artifact:payload_bin = b'dGhp\ncyBp\r\ncyBhIHRlc3Q=']",
     "[artifact:payload_bin = b'dGhpcyBpcyBhIHRlc3Q=']"},
    {"[file:ctime = t'2014-01-13T07:03:17Z']", NULL},
    {"[file:ctime > t'2014-01-13T07:03:17.123456789Z']", NULL},
    {"[file:name IN ('a', 'b' ,'c')]", "[file:name IN ('a', 'b', 'c')]"},
    {"[file:size NOT IN(1,2)]", "[file:size NOT IN (1, 2)]"},
    {"[directory:path LIKE 'C:\\\\Windows\\\\%\\\\foo']", NULL},
    {"[directory:path MATCHES '^C:\\\\\\\\Windows\\\\w+$']", NULL},
    {"[process:command_line MATCHES'^a$']", "[process:command_line MATCHES '^a$']"},
    {"[file:name = 'it\\'s']", NULL},
    {"[file:name = '']", NULL},
    {"[file:name = 'ตัวอย่าง.txt']", NULL},
    {"[ipv4-addr:value ISSUBSET '198.51.100.0/24']", NULL},
    {"[ipv4-addr:value NOT ISSUPERSET '198.51.100.0/24']", NULL},
    {"[EXISTS windows-registry-key:values]", NULL},
    {"[NOT EXISTS windows-registry-key:values]", NULL},
    {"[file:EXISTS = 'x']", "[file:'EXISTS' = 'x']"},
    {"[exists:name = 'x']", NULL},
    {"[file:'name' = 'x']", "[file:name = 'x']"},
    {"[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
     NULL},
    {"[file:hashes.'MD5' = 'D41D8CD98F00B204E9800998ECF8427E']",
     "[file:hashes.MD5 = 'D41D8CD98F00B204E9800998ECF8427E']"},
    {"[file:hashes.ssdeep = '3:a:b']", NULL},
    {"[x-thing:a.'b.c'[0][*].'d\\'e' = 1]", NULL},
    /* precedence and parentheses inside an observation */
    {"[a-a:x=1 AND a-a:y=2 OR a-a:z=3]", "[a-a:x = 1 AND a-a:y = 2 OR a-a:z = 3]"},
    {"[(a-a:x=1 AND a-a:y=2) OR a-a:z=3]", "[a-a:x = 1 AND a-a:y = 2 OR a-a:z = 3]"},
    {"[a-a:x=1 AND (a-a:y=2 OR a-a:z=3)]", "[a-a:x = 1 AND (a-a:y = 2 OR a-a:z = 3)]"},
    {"[((a-a:x=1 AND ((a-a:y=2 AND a-a:z=3))))]", "[a-a:x = 1 AND a-a:y = 2 AND a-a:z = 3]"},
    {"[(a-a:x=1 OR b-b:y=2) AND a-a:z=3]", "[(a-a:x = 1 OR b-b:y = 2) AND a-a:z = 3]"},
    {"[a-a:x=1 AND a-a:y=2 OR b-b:x=1 AND b-b:y=2]",
     "[a-a:x = 1 AND a-a:y = 2 OR b-b:x = 1 AND b-b:y = 2]"},
    /* between observations */
    {"[a-a:x=1] AND [b-b:y=2] OR [c-c:z=3] FOLLOWEDBY [d-d:w=4]",
     "[a-a:x = 1] AND [b-b:y = 2] OR [c-c:z = 3] FOLLOWEDBY [d-d:w = 4]"},
    {"[a-a:x=1] AND ([b-b:y=2] OR [c-c:z=3])", "[a-a:x = 1] AND ([b-b:y = 2] OR [c-c:z = 3])"},
    {"([a-a:x=1] FOLLOWEDBY [b-b:y=2]) FOLLOWEDBY ([c-c:z=3])",
     "[a-a:x = 1] FOLLOWEDBY [b-b:y = 2] FOLLOWEDBY [c-c:z = 3]"},
    {"([a-a:x=1] FOLLOWEDBY [b-b:y=2]) OR [c-c:z=3]",
     "([a-a:x = 1] FOLLOWEDBY [b-b:y = 2]) OR [c-c:z = 3]"},
    /* qualifiers bind to the nearest */
    {"[a-a:x=1] FOLLOWEDBY [b-b:y=2] WITHIN 300 SECONDS",
     "[a-a:x = 1] FOLLOWEDBY [b-b:y = 2] WITHIN 300 SECONDS"},
    {"([a-a:x=1] FOLLOWEDBY [b-b:y=2]) WITHIN 0.5 SECONDS",
     "([a-a:x = 1] FOLLOWEDBY [b-b:y = 2]) WITHIN 0.5 SECONDS"},
    {"[a-a:x=1] REPEATS 5 TIMES WITHIN 1800 SECONDS",
     "[a-a:x = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS"},
    {"(([a-a:x=1])) REPEATS 5 TIMES", "[a-a:x = 1] REPEATS 5 TIMES"},
    {"([a-a:x=1] REPEATS 2 TIMES) REPEATS 3 TIMES",
     "([a-a:x = 1] REPEATS 2 TIMES) REPEATS 3 TIMES"},
    {"[a-a:x=1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'",
     "[a-a:x = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'"},
};

/* What the standard itself shows (sections 9.3, 9.5, 9.6 and 9.8); its literals shortened nowhere.
 */
static const char *const standard[] = {
    "[ipv4-addr:value = '198.51.100.1/32']",
    "[ipv4-addr:value = '198.51.100.1/32' OR ipv4-addr:value = '203.0.113.33/32' OR "
    "ipv6-addr:value "
    "= '2001:0db8:dead:beef:dead:beef:dead:0001/128'] REPEATS 5 TIMES",
    "([ipv4-addr:value = '198.51.100.1/32' OR ipv4-addr:value = '203.0.113.33/32'] FOLLOWEDBY "
    "[domain-name:value = 'example.com']) WITHIN 600 SECONDS",
    "[ network-traffic:src_ref.value = '203.0.113.10' AND network-traffic:dst_ref.value = "
    "'198.51.100.58' ]",
    "[(type-a:property_j = 'W' AND type-a:property_k = 'X') OR (type-b:property_m = 'Y' AND "
    "type-b:property_n = 'Z')]",
    "[email-message:from_ref.value MATCHES '.+\\\\@example\\\\.com$' AND "
    "email-message:body_multipart[*].body_raw_ref.name MATCHES '^Final Report.+\\\\.exe$']",
    "[file:hashes.'SHA-256' = 'bf07a7fbb825fc0aae7bf4a1177b2b31fcf8a3feeaf7092761e18c859ee52a9c' "
    "OR "
    "file:hashes.MD5 = 'cead3f77f6cda6ec00f57d76c9a6879f'] AND [file:hashes.'SHA-256' = "
    "'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
    "([file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] FOLLOWEDBY [windows-registry-key:key "
    "= "
    "'HKEY_LOCAL_MACHINE\\\\foo\\\\bar']) WITHIN 300 SECONDS",
    "[user-account:account_type = 'unix' AND user-account:user_id = '1007'] AND "
    "[user-account:account_type = 'unix' AND user-account:account_login = 'Mary']",
    "[artifact:mime_type = 'application/vnd.tcpdump.pcap' AND artifact:payload_bin MATCHES "
    "'\\\\xd4\\\\xc3\\\\xb2\\\\xa1\\\\x02\\\\x00\\\\x04\\\\x00']",
    "[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]",
    "[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = "
    "'example.com'] REPEATS 5 TIMES WITHIN 1800 SECONDS",
    "[domain-name:value = 'www.5z8.info' AND domain-name:resolves_to_refs[*].value = "
    "'198.51.100.1/32']",
    "[x509-certificate:issuer = 'CN=WEBMAIL' AND x509-certificate:serial_number = "
    "'4c:0b:1d:19:74:86:a7:66:b4:1a:bf:40:27:21:76:28']",
    "[(file:name = 'pdf.exe' OR file:size = 371712) AND file:created = t'2014-01-13T07:03:17Z']",
    "[x-usb-device:usbdrive.serial_number = '575833314133343231313937']",
    "[process:command_line MATCHES '^.+>-add GlobalSign.cer -c -s -r localMachine Root$'] "
    "FOLLOWEDBY "
    "[process:command_line MATCHES'^.+>-add GlobalSign.cer -c -s -r "
    "localMachineTrustedPublisher$'] WITHIN 300 SECONDS",
    "[network-traffic:dst_ref.value ISSUBSET '2001:0db8:dead:beef:0000:0000:0000:0000/64']",
    "([file:name = 'foo.dll'] AND [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\foo\\\\bar']) "
    "OR "
    "[process:image_ref.name = 'fooproc' OR process:image_ref.name = 'procfoo']",
    "[process:name IN ('proccy', 'proximus', 'badproc')]",
    "[EXISTS windows-registry-key:values]",
    "[network-traffic:protocols[0] = 'tcp']",
    "[directory:contains_refs[*].name = 'x']",
};

/* Read all the same, with these faults (rules without "pattern-", in order) and normal form (NULL:
 * not looked at). */
static const struct {
    const char *in, *rules, *out;
} faulty[] = {
    {"[file:hashes.SHA-256 = "
     "'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
     "unquoted",
     "[file:hashes.'SHA-256' = "
     "'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']"},
    {"[file:hashes.SHA-1='da39a3ee5e6b4b0d3255bfef95601890afd80709']", "unquoted", NULL},
    {"[file:extensions.windows-pebinary-ext.sections[*].entropy > 7.0]", "unquoted",
     "[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]"},
    {"[file:hashes.md5 = '001dd76872d80801692ff942308c64e6']", "hash-name", NULL},
    {"[file:hashes.sha256 = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
     "hash-name", NULL},
    {"[file:hashes.WHIRLPOOL = 'x']", "hash-name", NULL},
    {"[file:hashes.'SHA-256' = 'f00']", "hash", NULL},
    {"[file:hashes.MD5 = 'g01dd76872d80801692ff942308c64e6']", "hash", NULL},
    {"[file:hashes.MD5 IN ('001dd76872d80801692ff942308c64e6', 'x')]", "hash", NULL},
    {"[file:hashes.MD5 LIKE '001dd%']", "", NULL},
    {"[file:name = 'C:\\Windows']", "escape", "[file:name = 'C:\\\\Windows']"},
    {"[file:name = 'a\\nb\\tc']", "escape", NULL},
    {"[file:size = +5]", "plus", "[file:size = 5]"},
    {"[file:size = +0.5]", "plus", "[file:size = 0.5]"},
    {"[file:size = 007]", "number", "[file:size = 7]"},
    {"[file:size = 00]", "number", "[file:size = 0]"},
    {"[file:size = 9007199254740992]", "range", NULL},
    {"[file:size = -9007199254740992]", "range", NULL},
    {"[file:size = 99999999999999999999]", "range", "[file:size = 99999999999999999999]"},
    {"[file:magic_number_hex = h'FFD8']", "hex", "[file:magic_number_hex = h'ffd8']"},
    {"[file:magic_number_hex = h'ffd']", "hex", NULL},
    {"[file:magic_number_hex = h'fg']", "hex", NULL},
    {"[artifact:payload_bin = b'====']", "base64", NULL},
    {"[artifact:payload_bin = b'abc']", "base64", NULL},
    {"[artifact:payload_bin = b'ab=c']", "base64", NULL},
    {"[artifact:payload_bin = b'a_bc']", "base64", NULL},
    {"[artifact:payload_bin = b'ab c']", "base64", NULL},
    {"[x-whatever:detected = t'2457-73-22T32:81:84.1Z']", "timestamp", NULL},
    {"[x-whatever:detected = t'2018-03-22T12:11:14']", "timestamp", NULL},
    {"[file:name IN ('a', 1)]", "set-types", NULL},
    {"[file:name IN (1, 1.5)]", "set-types", NULL},
    {"[file:name IN ()]", "set-empty", NULL},
    {"[file:name LIKE 5]", "operand", NULL},
    {"[file:name MATCHES true]", "operand", NULL},
    {"[ipv4-addr:value ISSUBSET 5]", "operand", NULL},
    {"[process:is_hidden > true]", "order", NULL},
    {"[ipv4-addr:value ISSUBSET 'evil.example']", "network", NULL},
    {"[ipv4-addr:value ISSUBSET '198.51.100.0/33']", "network", NULL},
    {"[ipv4-addr:x_net ISSUBSET '198.51.100.0/24']", "network-path", NULL},
    {"[domain-name:value ISSUBSET '198.51.100.0/24']", "network-path", NULL},
    {"[file:name MATCHES '(']", "regex", NULL},
    {"[file:name MATCHES ')']", "regex", NULL},
    {"[file:name MATCHES '[a']", "regex", NULL},
    {"[file:name MATCHES '[]']", "regex", NULL},
    {"[file:name MATCHES '*a']", "regex", NULL},
    {"[file:name MATCHES 'a**']", "regex", NULL},
    {"[file:name MATCHES 'a|?']", "regex", NULL},
    {"[file:name MATCHES 'a{3,2}']", "regex", NULL},
    {"[file:name MATCHES 'a{70000}']", "regex", NULL},
    {"[file:name MATCHES 'a\\\\']", "regex", NULL},
    {"[file:name MATCHES '(?:a|b)+?[^\\\\]x]{2,}(?i)\\\\d{2}\\\\Q(\\\\E[[:alpha:]]{x}']", "", NULL},
    {"[file:name MATCHES '^[IMPORTANT] Please Review Before']", "", NULL},
    {"[File:name = 'x']", "type", NULL},
    {"[_x:name = 'x']", "type", NULL},
    {"[a--b:name = 'x']", "type", NULL},
    {"[file:x[-1] = 'x']", "index", NULL},
    {"[file:x[1.5] = 'x']", "index", NULL},
    {"[file:x[99999999999] = 'x']", "index", NULL},
    {"[file:name = 'x' AND process:pid = 5]", "and-types", NULL},
    {"[(file:name = 'x' OR process:pid = 5) AND url:value = 'http://h.example/']", "and-types",
     NULL},
    {"[file:name = 'x' AND process:pid = 5 AND url:value = 'y']", "and-types", NULL},
    {"[file:name = 'x' OR process:pid = 5]", "", NULL},
    {"[file:name = 'x'] within 5 seconds", "keyword keyword", "[file:name = 'x'] WITHIN 5 SECONDS"},
    {"[file:name = 'x' and file:size = 1]", "keyword", "[file:name = 'x' AND file:size = 1]"},
    {"[file:name in ('x')]", "keyword", NULL},
    {"[process:is_hidden = TRUE]", "keyword", "[process:is_hidden = true]"},
    {"[not exists file:name]", "keyword keyword", "[NOT EXISTS file:name]"},
    {"[file:name = 'x'] REPEATS 0 TIMES", "repeats", NULL},
    {"[file:name = 'x'] REPEATS -1 TIMES", "repeats", NULL},
    {"[file:name = 'x'] REPEATS 1.5 TIMES", "repeats", NULL},
    {"[file:name = 'x'] WITHIN 0 SECONDS", "within", NULL},
    {"[file:name = 'x'] WITHIN -5 SECONDS", "within", NULL},
    {"[file:name = 'x'] WITHIN 0.0 SECONDS", "within", NULL},
    {"[a-a:x=1] START t'2016-06-01T00:00:00Z' STOP t'2016-06-01T00:00:00.000Z'", "start-stop",
     NULL},
    {"[a-a:x=1] START t'2016-06-02T00:00:00Z' STOP t'2016-06-01T00:00:00Z'", "start-stop", NULL},
    {"[a-a:x=1] START t'2016' STOP t'2016-06-01T00:00:00Z'", "timestamp", NULL},
    {"[a-a:x=1] START '2016-06-01T00:00:00Z' STOP '2016-07-01T00:00:00Z'", "time-type time-type",
     "[a-a:x = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'"},
    {"[file:name = 'x'] WITHIN 5 SECONDS WITHIN 6 SECONDS", "qualifier-twice", NULL},
    {"[file:name = 'x'] REPEATS 2 TIMES WITHIN 5 SECONDS REPEATS 2 TIMES", "qualifier-twice", NULL},
};

/* Not readable: the code and the byte that the error points at. */
static const struct {
    const char *in;
    enum err_code code;
    size_t pos;
} bad[] = {
    {"", ERR_SYNTAX, 0},
    {"   ", ERR_SYNTAX, 3},
    {"file:size = 1280", ERR_SYNTAX, 0},
    {"[]", ERR_SYNTAX, 1},
    {"[file:size = ]", ERR_SYNTAX, 13},
    {"[file:size 5]", ERR_SYNTAX, 11},
    {"[file:size]", ERR_SYNTAX, 10},
    {"[file:size = 5", ERR_SYNTAX, 14},
    {"[file:size = 5]]", ERR_SYNTAX, 15},
    {"[file:size = 5] [file:size = 6]", ERR_SYNTAX, 16},
    {"[file:size = 5] AND", ERR_SYNTAX, 19},
    {"[file:size = 5] AND OR [file:size = 5]", ERR_SYNTAX, 20},
    {"AND [file:size = 5]", ERR_SYNTAX, 0},
    {"([file:size = 5]", ERR_SYNTAX, 16},
    {"[file:size = 5])", ERR_SYNTAX, 15},
    {"()", ERR_SYNTAX, 1},
    {"[(file:size = 5]", ERR_SYNTAX, 15},
    {"[file.size = 1280]", ERR_SYNTAX, 5},
    {"[file: = 1]", ERR_SYNTAX, 7},
    {"[file:a. = 1]", ERR_SYNTAX, 9},
    {"[file:a[ = 1]", ERR_SYNTAX, 9},
    {"[file:a[b] = 1]", ERR_SYNTAX, 8},
    {"[file:a[0 = 1]", ERR_SYNTAX, 10},
    {"[:name = 1]", ERR_SYNTAX, 1},
    {"[file:hashes.MD5 = cead3f77f6cda6ec00f57d76c9a6879f]", ERR_SYNTAX, 19},
    {"[file:name = \"x\"]", ERR_SYNTAX, 13},
    {"[file:name = 'x]", ERR_SYNTAX, 13},
    {"[file:name = 'x\\']", ERR_SYNTAX, 13},
    {"[file:name = h'ff]", ERR_SYNTAX, 14},
    {"[file:name MATCHES /.*\\.dll/]", ERR_SYNTAX, 19},
    {"[file:name =? 'x']", ERR_SYNTAX, 12},
    {"[file:name = 'x' XOR file:size = 1]", ERR_SYNTAX, 17},
    {"[NOT file:name = 'x']", ERR_SYNTAX, 1},
    {"[file:name NOT 'x']", ERR_SYNTAX, 15},
    {"[file:name IN 'x']", ERR_SYNTAX, 14},
    {"[file:name IN ('x' 'y')]", ERR_SYNTAX, 19},
    {"[file:name IN ('x',)]", ERR_SYNTAX, 19},
    {"[file:name IN ('x']", ERR_SYNTAX, 18},
    {"[file:size = 5.]", ERR_SYNTAX, 13},
    {"[file:size = -]", ERR_SYNTAX, 13},
    {"[file:size = 1e5]", ERR_SYNTAX, 13},
    {"[file:size = 5x]", ERR_SYNTAX, 13},
    {"[file:size = 0x10]", ERR_SYNTAX, 13},
    {"[EXISTS]", ERR_SYNTAX, 7},
    {"[EXISTS file]", ERR_SYNTAX, 12},
    {"[a-a:x=1] WITHIN SECONDS", ERR_SYNTAX, 17},
    {"[a-a:x=1] WITHIN 5", ERR_SYNTAX, 18},
    {"[a-a:x=1] WITHIN 5 HOURS", ERR_SYNTAX, 19},
    {"[a-a:x=1] WITHIN '5' SECONDS", ERR_SYNTAX, 17},
    {"[a-a:x=1] REPEATS 5", ERR_SYNTAX, 19},
    {"[a-a:x=1] REPEATS TIMES", ERR_SYNTAX, 18},
    {"[a-a:x=1] START t'2016-06-01T00:00:00Z'", ERR_SYNTAX, 39},
    {"[a-a:x=1] START STOP", ERR_SYNTAX, 16},
    {"[a-a:x=1] START 5 STOP 6", ERR_SYNTAX, 16},
    {"[a-a:x=1] /* no comments */", ERR_SYNTAX, 10},
    {"[a-a:x=1] ;", ERR_SYNTAX, 10},
    {"WITHIN 5 SECONDS", ERR_SYNTAX, 0},
    {"[a-a:x=1\xff]", ERR_ENCODING, 8},
    {"[a-a:x='\xed\xa0\x80']", ERR_ENCODING, 8},
    {"[a-a:x=1]\xc2", ERR_ENCODING, 9},
};

static const struct pattern *
read_ok(struct arena *a, struct span text)
{
    const struct pattern *p = NULL;
    struct err e = ERR_INIT;
    char line[256];

    if (pattern_read(text, a, &p, &e) != 0) {
        err_line(&e, line, sizeof(line));
        fail_msg("<%.*s>: %s", (int)text.n, text.p, line);
    }
    return p;
}

/* Prints p, reads that, and compares; the normal form is its own normal form. */
static void
check_print(struct arena *a, const struct pattern *p, const char *want)
{
    struct buf one, two;

    buf_init(&one, ROOM);
    buf_init(&two, ROOM);
    pattern_print(p, &one);
    assert_false(one.failed);
    if (want != NULL && !span_is(buf_view(&one), want))
        fail_msg("printed <%.*s>, not <%s>", (int)one.n, one.p, want);
    const struct pattern *again = read_ok(a, buf_view(&one));
    assert_true(pattern_equal(p, again));
    pattern_print(again, &two);
    assert_true(span_eq(buf_view(&one), buf_view(&two)));
    buf_clear(&one);
    buf_clear(&two);
}

static void
test_good(void **state)
{
    struct arena *a = arena_new(ROOM);

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const struct pattern *p = read_ok(a, span_of(good[i].in));
        if (p->defects_found != 0)
            fail_msg("row %zu <%s>: %s", i, good[i].in, p->defects[0].rule);
        check_print(a, p, good[i].out != NULL ? good[i].out : good[i].in);
    }
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        const struct pattern *p = read_ok(a, span_of(standard[i]));
        if (p->defects_found != 0)
            fail_msg("<%s>: %s", standard[i], p->defects[0].rule);
        check_print(a, p, NULL);
    }
    arena_free(a);
}

static void
test_faulty(void **state)
{
    struct arena *a = arena_new(ROOM);

    (void)state;
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        char mem[256];
        struct buf b;
        const struct pattern *p = read_ok(a, span_of(faulty[i].in));
        buf_init_fixed(&b, mem, sizeof(mem));
        for (uint32_t k = 0; k < p->defect_count; k++) {
            const struct pattern_defect *d = &p->defects[k];
            assert_memory_equal(d->rule, "pattern-", 8);
            assert_true(strncmp(d->clause, "STIX 2.1 section ", 17) == 0);
            assert_true(d->pos < strlen(faulty[i].in));
            buf_printf(&b, k > 0 ? " %s" : "%s", d->rule + 8);
        }
        assert_int_equal(p->defect_count, p->defects_found);
        if (!span_is(buf_view(&b), faulty[i].rules))
            fail_msg("row %zu <%s>: <%.*s>", i, faulty[i].in, (int)b.n, mem);
        check_print(a, p, faulty[i].out);
    }
    arena_free(a);
}

static void
test_bad(void **state)
{
    struct arena *a = arena_new(ROOM);

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct pattern *p = NULL;
        struct err e = ERR_INIT;
        size_t used = arena_used(a);
        if (pattern_read(span_of(bad[i].in), a, &p, &e) != -1)
            fail_msg("row %zu <%s> was read", i, bad[i].in);
        assert_null(p);
        assert_int_equal(arena_used(a), used);
        if (e.code != bad[i].code || e.pos != bad[i].pos)
            fail_msg("row %zu <%s>: %s at %zu (%s)", i, bad[i].in, err_name(e.code), e.pos, e.text);
    }
    arena_free(a);
}

static void
test_tree(void **state)
{
    struct arena *a = arena_new(ROOM);

    (void)state;
    const struct pattern *p = read_ok(
        a, SPAN("([a-a:x[2].'y-z' NOT IN ('p\\'q', 'r')] AND [b-b:v > 1.50 OR b-b:w = 2]) "
                "START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z' REPEATS 3 TIMES"));
    const struct pattern_node *n = p->root;
    assert_int_equal(n->kind, PATTERN_REPEATS);
    assert_int_equal(n->amount->integer, 3);
    n = n->child;
    assert_int_equal(n->kind, PATTERN_START_STOP);
    assert_true(span_is(n->stop->text, "2016-07-01T00:00:00Z"));
    assert_true(instant_cmp(n->amount->at, n->stop->at) < 0);
    n = n->child;
    assert_int_equal(n->kind, PATTERN_OBS_AND);
    assert_int_equal(n->child->kind, PATTERN_OBSERVATION);
    assert_int_equal(n->child->next->kind, PATTERN_OBSERVATION);
    assert_null(n->child->next->next);
    assert_int_equal(n->child->next->child->kind, PATTERN_OR);
    const struct pattern_test *t = p->tests;
    assert_int_equal(p->test_count, 3);
    assert_ptr_equal(t, n->child->child->test);
    assert_true(t->negated && t->op == PATTERN_IN && t->const_count == 2 && t->step_count == 3);
    assert_true(span_is(t->type, "a-a") && span_is(t->steps[0].name, "x"));
    assert_true(t->steps[1].kind == PATTERN_INDEX && t->steps[1].index == 2);
    assert_true(span_is(t->steps[2].name, "y-z") && span_is(t->consts[0].text, "p'q"));
    t = t->next;
    assert_true(t->op == PATTERN_GT && t->consts[0].kind == PATTERN_FLOAT);
    assert_true(t->consts[0].number > 1.49 && t->consts[0].number < 1.51);
    assert_true(t->next->consts[0].integer == 2 && t->next->next == NULL);
    arena_free(a);
}

static int
read_code(struct arena *a, struct buf *text)
{
    const struct pattern *p;
    struct err e = ERR_INIT;

    assert_false(text->failed);
    return pattern_read(buf_view(text), a, &p, &e) == 0 ? 0 : (int)e.code;
}

static void
test_limits(void **state)
{
    struct arena *a = arena_new(128u << 20);
    struct buf b;

    (void)state;
    buf_init(&b, ROOM);
    for (unsigned over = 0; over < 2; over++) {
        int want = over == 0 ? 0 : ERR_LIMIT;
        /* parentheses, outside and inside */
        for (int inside = 0; inside < 2; inside++) {
            buf_reset(&b);
            if (inside)
                buf_u8(&b, '[');
            for (unsigned i = 0; i < PATTERN_DEPTH_MAX + over; i++)
                buf_u8(&b, '(');
            buf_str(&b, inside ? "a-a:x=1" : "[a-a:x=1]");
            for (unsigned i = 0; i < PATTERN_DEPTH_MAX + over; i++)
                buf_u8(&b, ')');
            if (inside)
                buf_u8(&b, ']');
            assert_int_equal(read_code(a, &b), want);
        }
        buf_reset(&b); /* steps */
        buf_str(&b, "[a-a:x");
        for (unsigned i = 1; i < PATTERN_STEPS_MAX + over; i++)
            buf_str(&b, i % 2 == 0 ? ".y" : "[*]");
        buf_str(&b, "=1]");
        assert_int_equal(read_code(a, &b), want);

        buf_reset(&b); /* tests */
        buf_str(&b, "[");
        for (unsigned i = 0; i < PATTERN_TESTS_MAX + over; i++)
            buf_str(&b, i == 0 ? "a-a:x=1" : " OR a-a:x=1");
        buf_str(&b, "]");
        assert_int_equal(read_code(a, &b), want);
        arena_reset(a);

        buf_reset(&b); /* constants */
        buf_str(&b, "[a-a:x IN (");
        for (unsigned i = 0; i < PATTERN_VALUES_MAX + over; i++)
            buf_str(&b, i == 0 ? "1" : ",1");
        buf_str(&b, ")]");
        assert_int_equal(read_code(a, &b), want);
        arena_reset(a);

        buf_reset(&b); /* qualifiers */
        buf_str(&b, "[a-a:x=1]");
        for (unsigned i = 0; i < PATTERN_QUALIFIERS_MAX + over; i++)
            buf_str(&b, " REPEATS 2 TIMES");
        assert_int_equal(read_code(a, &b), want);

        buf_reset(&b); /* bytes */
        buf_str(&b, "[a-a:x='");
        while (b.n < PATTERN_TEXT_MAX - 2 + over)
            buf_u8(&b, 'y');
        buf_str(&b, "']");
        assert_int_equal(read_code(a, &b), want);
        arena_reset(a);
    }
    buf_clear(&b);
    arena_free(a);
}

static void
test_soft_limits(void **state)
{
    struct arena *a = arena_new(ROOM);
    struct buf b;

    (void)state;
    buf_init(&b, ROOM);
    /* Defects beyond those that are kept are counted. */
    buf_str(&b, "[a-a:x IN (");
    for (unsigned i = 0; i < 3 * PATTERN_DEFECTS_MAX; i++)
        buf_str(&b, i == 0 ? "+1" : ",+1");
    buf_str(&b, ")]");
    const struct pattern *p = read_ok(a, buf_view(&b));
    assert_int_equal(p->defect_count, PATTERN_DEFECTS_MAX);
    assert_int_equal(p->defects_found, 3 * PATTERN_DEFECTS_MAX);
    /* A regular expression over its limit is told and not read. */
    buf_reset(&b);
    buf_str(&b, "[a-a:x MATCHES '");
    for (unsigned i = 0; i < PATTERN_REGEX_MAX + 1; i++)
        buf_u8(&b, '(');
    buf_str(&b, "']");
    p = read_ok(a, buf_view(&b));
    assert_string_equal(p->defects[0].rule, "pattern-regex-long");
    buf_clear(&b);
    arena_free(a);

    /* The arena's ceiling is a limit, and not the machine's memory. */
    a = arena_new(64);
    struct err e = ERR_INIT;
    assert_int_equal(pattern_read(SPAN("[a-a:x = 'yyyyyyyyyyyyyyyyyyyyyyyy']"), a, &p, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    arena_free(a);
}

static void
test_memory(void **state)
{
    struct span text = SPAN("[a-a:x.'b-c' IN ('a\\'b', 'c', 'd', 'e', 'f') AND b-b:y = 1.5] "
                            "START t'2016' STOP t'2017' REPEATS 0 TIMES");

    (void)state;
    for (size_t nth = 1; nth < 200; nth++) {
        const struct pattern *p = NULL;
        struct err e = ERR_INIT;
        mem_fail_at(nth);
        struct arena *a = arena_new(ROOM);
        int rc = a != NULL ? pattern_read(text, a, &p, &e) : -1;
        mem_fail_at(0);
        if (a != NULL && rc != 0)
            assert_int_equal(e.code, ERR_MEMORY);
        arena_free(a);
        if (rc == 0) {
            assert_true(nth > 1);
            return;
        }
        assert_null(p);
    }
    fail();
}

/* --- indicators --- */

static const struct json *
parse(struct json_parser *jp, struct arena *a, const char *text)
{
    struct err e = ERR_INIT;
    const struct json *o = json_parse(jp, span_of(text), a, &e);
    assert_non_null(o);
    return o;
}

static const struct {
    const char *object, *rules;
    bool tree;
} indicators[] = {
    {"{\"pattern_type\":\"stix\",\"pattern\":\"[file:name = 'x']\"}", "", true},
    {"{\"pattern_type\":\"stix\",\"pattern\":\"[file:name = 'x'\"}", "pattern-syntax", false},
    {"{\"pattern_type\":\"stix\",\"pattern\":\"\"}", "pattern-syntax", false},
    {"{\"pattern_type\":\"stix\",\"pattern\":5}", "", false},
    {"{\"pattern_type\":\"stix\"}", "", false},
    {"{\"pattern_type\":\"yara\",\"pattern\":\"[file:name = 'x'\"}", "", false},
    {"{\"pattern\":\"[file:name = 'x'\"}", "", false},
    {"{\"pattern_type\":\"stix\",\"pattern\":\"[file:hashes.SHA-256 = 'f00']\"}",
     "pattern-unquoted pattern-hash", true},
    {"{\"pattern_type\":\"stix\",\"valid_from\":\"2020-01-01T00:00:00Z\",\"pattern\":\"[a-a:x=1] "
     "START t'2019-12-31T00:00:00Z' STOP t'2020-02-01T00:00:00Z'\"}",
     "pattern-valid-from", true},
    {"{\"pattern_type\":\"stix\",\"valid_from\":\"2020-01-01T00:00:00Z\",\"valid_until\":\"2020-01-"
     "31T00:00:00Z\",\"pattern\":\"[a-a:x=1] AND [a-a:x=2] START t'2020-01-01T00:00:00Z' STOP "
     "t'2020-02-01T00:00:00Z'\"}",
     "pattern-valid-until", true},
    {"{\"pattern_type\":\"stix\",\"valid_from\":\"2020-01-01T00:00:00Z\",\"valid_until\":\"2020-02-"
     "01T00:00:00Z\",\"pattern\":\"[a-a:x=1] START t'2020-01-01T00:00:00Z' STOP "
     "t'2020-02-01T00:00:00Z'\"}",
     "", true},
};

static void
test_indicators(void **state)
{
    struct arena *a = arena_new(ROOM);
    struct json_parser *jp = json_parser_new();

    (void)state;
    for (size_t i = 0; i < sizeof(indicators) / sizeof(indicators[0]); i++) {
        struct stix_report r = {0};
        const struct pattern *p;
        struct err e = ERR_INIT;
        char mem[256];
        struct buf b;
        const struct json *o = parse(jp, a, indicators[i].object);
        assert_int_equal(pattern_check(o, a, &r, &p, &e), 0);
        assert_int_equal(p != NULL, indicators[i].tree);
        buf_init_fixed(&b, mem, sizeof(mem));
        for (const struct stix_defect *d = r.first; d != NULL; d = d->next) {
            assert_string_equal(d->pointer, "/pattern");
            assert_non_null(strstr(d->text, "byte"));
            buf_printf(&b, d != r.first ? " %s" : "%s", d->rule);
        }
        if (!span_is(buf_view(&b), indicators[i].rules))
            fail_msg("row %zu: <%.*s>", i, (int)b.n, mem);
    }
    json_parser_free(jp);
    arena_free(a);
}

/* --- real data --- */

/* Patterns that the field has and the standard forbids are defects, and none of them is unreadable:
 * counted by what is in the folder of real data, where there is one. */
static size_t
walk(const struct json *v, struct arena *a, size_t *faults)
{
    size_t n = 0;

    if (v->type == JSON_OBJECT && span_is(json_text(v, "type"), "indicator") &&
        span_is(json_text(v, "pattern_type"), "stix")) {
        const struct pattern *p = read_ok(a, json_text(v, "pattern"));
        for (uint32_t i = 0; i < p->defect_count; i++) {
            if (strcmp(p->defects[i].rule, "pattern-hash-name") != 0)
                fail_msg("%s in a pattern of real data", p->defects[i].rule);
        }
        *faults += p->defects_found > 0;
        check_print(a, p, NULL);
        n++;
    }
    for (const struct json *c = v->child; c != NULL; c = c->next)
        n += walk(c, a, faults);
    return n;
}

static size_t
read_folder(const char *root, const char *sub, size_t *faults)
{
    char path[4096];
    size_t n = 0;
    struct dirent *entry;

    snprintf(path, sizeof(path), "%s/%s", root, sub);
    DIR *d = opendir(path);
    if (d == NULL)
        return 0;
    struct arena *a = arena_new(256u << 20);
    struct json_parser *jp = json_parser_new();
    while ((entry = readdir(d)) != NULL) {
        if (!span_ends(span_of(entry->d_name), ".json"))
            continue;
        snprintf(path, sizeof(path), "%s/%s/%s", root, sub, entry->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        struct buf b;
        size_t got;
        buf_init(&b, 64u << 20);
        char piece[65536];
        while ((got = fread(piece, 1, sizeof(piece), f)) > 0)
            buf_put(&b, piece, got);
        fclose(f);
        struct err e = ERR_INIT;
        arena_reset(a);
        const struct json *o = json_parse(jp, buf_view(&b), a, &e);
        if (o != NULL)
            n += walk(o, a, faults);
        buf_clear(&b);
    }
    json_parser_free(jp);
    arena_free(a);
    closedir(d);
    return n;
}

static void
test_data(void **state)
{
    const char *root = getenv("JAGA_DATA");
    size_t faults = 0, n = 0;

    (void)state;
    if (root == NULL)
        root = JAGA_SOURCE "/../shared/data";
    DIR *d = opendir(root);
    if (d == NULL) {
        fprintf(stderr, "# no folder of real data; set JAGA_DATA\n");
        return; /* said above; cmocka's own skip is a failure in TAP */
    }
    closedir(d);
    n += read_folder(root, "stix-examples", &faults);
    n += read_folder(root, "stix-feeds", &faults);
    fprintf(stderr, "# %zu patterns of real data, %zu of them with a defect\n", n, faults);
    assert_true(n > 30);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_faulty),
        cmocka_unit_test(test_bad),        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_soft_limits),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_data),
        cmocka_unit_test(test_indicators),
    };
    return cmocka_run_group_tests_name("pattern/pattern", tests, NULL, NULL);
}
