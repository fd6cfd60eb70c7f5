/*
 * stix/stix_value.c - the syntax of single values: addresses, languages, hashes, names.
 *
 * Light on purpose: each catches what a reader could not use, and lets pass what feeds send and
 * every tool takes.
 */
#include "stix_rules.h"

#include <arpa/inet.h>
#include <string.h>
#include "stix_select.h"

#define NAME_MAX_CHARS 250 /* of a property or a dictionary key: STIX 2.1 sections 2.3 and 3.1 */

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool
is_alnum(char c)
{
    return is_alpha(c) || is_digit(c);
}

static bool
is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
all_hex(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_hex(s.p[i]))
            return false;
    return true;
}

bool
stix_dict_key_ok(struct span s)
{
    if (s.n == 0 || s.n > NAME_MAX_CHARS)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-')
            return false;
    return true;
}

bool
stix_property_name_ok(struct span s)
{
    if (s.n < 3 || s.n > NAME_MAX_CHARS || !is_lower(s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_lower(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '_')
            return false;
    return true;
}

bool
stix_hash_ok(struct span name, struct span value)
{
    static const struct {
        const char *name;
        size_t digits;
    } sizes[] = {{"MD5", 32},      {"SHA-1", 40},    {"SHA-256", 64},
                 {"SHA-512", 128}, {"SHA3-256", 64}, {"SHA3-512", 128}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (span_is(name, sizes[i].name))
            return value.n == sizes[i].digits && all_hex(value);
    if (span_is(name, "SSDEEP")) {
        /* "96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO/wqWXLcMSx:sF1LjEtHHlZDrJzrhuyZvHYm8tKp";
         * block size, two hashes, each in the alphabet of base64; some tools add a file name. */
        ptrdiff_t first = span_find(value, ':');
        if (first <= 0)
            return false;
        for (ptrdiff_t i = 0; i < first; i++)
            if (!is_digit(value.p[i]))
                return false;
        struct span rest = span_part(value, (size_t)first + 1, value.n);
        return span_find(rest, ':') >= 0;
    }
    if (span_is(name, "TLSH")) {
        /* 35 bytes, in newer versions after "T1". */
        if (value.n == 72 && value.p[0] == 'T' && value.p[1] == '1')
            value = span_part(value, 2, value.n);
        return value.n == 70 && all_hex(value);
    }
    return false;
}

bool
stix_base64_ok(struct span s)
{
    if (s.n == 0 || s.n % 4 != 0)
        return false;
    size_t n = s.n;
    if (s.p[n - 1] == '=')
        n -= s.p[n - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '/')
            return false;
    return true;
}

bool
stix_hex_ok(struct span s, bool *upper)
{
    *upper = false;
    if (s.n == 0 || s.n % 2 != 0 || !all_hex(s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'F')
            *upper = true;
    return true;
}

/* RFC 5646 section 2.1, its outline: a language of 2 to 8 letters (or "x", "i"), then parts of 1 to
 * 8 letters and digits. */
static bool
lang_ok(struct span s)
{
    struct span part;
    bool first = true;
    if (s.n == 0 || s.p[s.n - 1] == '-')
        return false;
    while (span_split(&s, '-', &part)) {
        if (part.n == 0 || part.n > 8)
            return false;
        for (size_t i = 0; i < part.n; i++)
            if (first ? !is_alpha(part.p[i]) : !is_alnum(part.p[i]))
                return false;
        if (first && part.n == 1 && (s.n == 0 || !strchr("xXiI", part.p[0])))
            return false;
        first = false;
    }
    return true;
}

/* The length of "scheme:", or 0: RFC 3986 section 3.1. */
static size_t
scheme_length(struct span s)
{
    if (s.n == 0 || !is_alpha(s.p[0]))
        return 0;
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == ':')
            return i + 1;
        if (!is_alnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '-' && s.p[i] != '.')
            return 0;
    }
    return 0;
}

/* RFC 3986: a scheme and something after it, and no character that ends a URL wherever it is
 * pasted.  Other characters outside of the RFC (letters of any script, '|', '{') are let pass: that
 * is how phishing URLs are seen, and percent-encoding them would change the value. */
static bool
url_ok(struct span s)
{
    size_t at = scheme_length(s);
    if (at == 0 || at == s.n)
        return false;
    for (size_t i = at; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"')
            return false;
    }
    return true;
}

/* The part before "/" and the number of bits after it (all, where there is none). */
static bool
cidr_split(struct span s, unsigned bits, struct span *addr)
{
    ptrdiff_t slash = span_find(s, '/');
    *addr = s;
    if (slash < 0)
        return true;
    uint64_t n;
    *addr = span_part(s, 0, (size_t)slash);
    return span_u64(span_part(s, (size_t)slash + 1, s.n), bits, &n);
}

static bool
address_ok(struct span s, int family, unsigned bits)
{
    struct span addr;
    char text[INET6_ADDRSTRLEN];
    unsigned char out[sizeof(struct in6_addr)];
    if (!cidr_split(s, bits, &addr) || addr.n == 0 || addr.n >= sizeof(text) ||
        memchr(addr.p, 0, addr.n))
        return false;
    memcpy(text, addr.p, addr.n);
    text[addr.n] = 0;
    return inet_pton(family, text, out) == 1;
}

static bool
ipv4_ok(struct span s)
{
    return address_ok(s, AF_INET, 32);
}

static bool
ipv6_ok(struct span s)
{
    return address_ok(s, AF_INET6, 128);
}

static bool
mac_ok(struct span s)
{
    if (s.n != 17)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool hex = is_digit(s.p[i]) || (s.p[i] >= 'a' && s.p[i] <= 'f');
        if (i % 3 == 2 ? s.p[i] != ':' : !hex)
            return false;
    }
    return true;
}

/* RFC 1034 with RFC 5890: labels of 1 to 63 bytes, letters, digits, hyphens, and letters beyond
 * ASCII as they are; underscores too, for DNS knows them where host names do not. */
static bool
domain_ok(struct span s)
{
    struct span label;
    if (s.n != 0 && s.p[s.n - 1] == '.')
        s.n--;
    if (s.n == 0 || s.n > 253 || s.p[s.n - 1] == '.')
        return false;
    while (span_split(&s, '.', &label)) {
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++) {
            unsigned char c = (unsigned char)label.p[i];
            if (c < 0x80 && !is_alnum((char)c) && c != '-' && c != '_')
                return false;
        }
    }
    return true;
}

/* RFC 5322 section 3.4.1, its outline: something, '@', something; no space, no angle brackets. */
static bool
email_ok(struct span s)
{
    size_t at = s.n;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '@')
            at = i;
        if (c < ' ' || c == 0x7f || c == '<' || c == '>')
            return false;
        if (c == ' ' && s.p[0] != '"')
            return false;
    }
    return at != 0 && at + 1 < s.n;
}

static bool
cpe_ok(struct span s)
{
    unsigned colons = 0;
    if (!span_starts(s, "cpe:2.3:"))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == ':')
            colons++;
    }
    return colons == 12;
}

static bool
registry_key_ok(struct span s)
{
    static const char *const hives[] = {"HKLM", "HKCC", "HKCR", "HKCU", "HKU"};
    ptrdiff_t end = span_find(s, '\\');
    struct span hive = end < 0 ? s : span_part(s, 0, (size_t)end);
    for (size_t i = 0; i < sizeof(hives) / sizeof(hives[0]); i++)
        if (span_eq_nocase(hive, span_of(hives[i])))
            return false;
    return true;
}

static bool
no_upper(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return false;
    return true;
}

static bool
lowercase_ok(struct span s)
{
    return no_upper(s) && span_find(s, ' ') < 0 && span_find(s, '_') < 0;
}

static bool
mime_ok(struct span s)
{
    ptrdiff_t slash = span_find(s, '/');
    return slash > 0 && (size_t)slash + 1 < s.n && span_find(s, ' ') != slash + 1;
}

static bool
relationship_type_ok(struct span s)
{
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_lower(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static bool
spec_version_ok(struct span s)
{
    return span_is(s, "2.1");
}

static bool
country_ok(struct span s)
{
    return s.n == 2 && is_alpha(s.p[0]) && is_alpha(s.p[1]);
}

#define SYNTAX(id, rule, severity, section, text, ok)                                              \
    const struct stix_syntax stix_syntax_##id = {rule, severity, "STIX 2.1 section " section,      \
                                                 text, ok};

SYNTAX(lang, "language", STIX_MUST, "3.2", "%s is no language code of RFC 5646", lang_ok)
SYNTAX(url, "url", STIX_MUST, "6.15", "%s is no URL of RFC 3986", url_ok)
SYNTAX(url_light, "url", STIX_SHOULD, "2.5", "%s is no URL of RFC 3986", url_ok)
SYNTAX(ipv4, "ip", STIX_MUST, "6.8", "%s is no IPv4 address and no CIDR range", ipv4_ok)
SYNTAX(ipv6, "ip", STIX_MUST, "6.9", "%s is no IPv6 address and no CIDR range", ipv6_ok)
SYNTAX(mac, "mac", STIX_MUST, "6.10", "%s is no MAC address in lower case with colons", mac_ok)
SYNTAX(email, "email", STIX_MUST, "6.5", "%s is no e-mail address of RFC 5322", email_ok)
SYNTAX(domain, "domain", STIX_MUST, "6.4", "%s is no domain name of RFC 1034", domain_ok)
SYNTAX(cpe, "cpe", STIX_MUST, "6.14", "%s is no CPE 2.3 name", cpe_ok)
SYNTAX(registry_key, "registry-hive", STIX_MUST, "6.17",
       "%s abbreviates its hive, which must be written out, as in HKEY_LOCAL_MACHINE",
       registry_key_ok)
SYNTAX(lowercase, "lowercase", STIX_SHOULD, "2.11",
       "%s should be in lower case with hyphens between words", lowercase_ok)
SYNTAX(lowercase_only, "lowercase", STIX_SHOULD, "6.12.2", "%s should be in lower case", no_upper)
SYNTAX(mime, "mime", STIX_SHOULD, "6.7", "%s is no media type", mime_ok)
SYNTAX(relationship_type, "name", STIX_MUST, "5.1",
       "%s has other characters than a-z, 0-9 and hyphen", relationship_type_ok)
SYNTAX(spec_version, "spec-version", STIX_MUST, "3.2", "spec_version is %s, not '2.1'",
       spec_version_ok)
SYNTAX(country, "country", STIX_SHOULD, "4.10", "%s is no ISO 3166-1 code of two letters",
       country_ok)
SYNTAX(selector, "selector", STIX_MUST, "7.2.3.1", "%s does not have the syntax of a selector",
       stix_selector_ok)
