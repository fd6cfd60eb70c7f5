/* Hashes, numbers and names of the machine. */
#include <string.h>
#include "crypto.h"
#include "fold.h"
#include "value_forms.h"

#define EXTERNAL_MAX 128 /* bytes; real ones stay under 30 */
#define SERIAL_MAX   128 /* hexadecimal digits; RFC 5280 allows 40 */
#define FUZZY_MAX    160 /* characters: 10 digits, 64 and 64 of hash, colons */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool
form_hash(struct span s, uint8_t out[FORM_HASH_MAX], size_t *n)
{
    /* MD5, SHA-1, SHA-224, SHA-256, TLSH, SHA-384, SHA-512, and those of equal length */
    static const size_t lengths[] = {16, 20, 28, 32, 35, 48, 64};

    if (s.n == 72 && (span_starts(s, "T1") || span_starts(s, "t1")))
        s = span_part(s, 2, s.n); /* TLSH names its version */
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        if (s.n == 2 * lengths[i] && hex_read(s, out, lengths[i])) {
            *n = lengths[i];
            return true;
        }
    }
    return false;
}

/* "aa:bb:cc:dd:ee:ff", with '-' too, or "aabb.ccdd.eeff". */
bool
form_mac(struct span s, uint8_t out[6])
{
    char digits[12];
    size_t group = s.n == 14 ? 4 : 2, n = 0;

    if (s.n != 17 && s.n != 14)
        return false;
    char sep = s.p[group];
    if (s.n == 14 ? sep != '.' : sep != ':' && sep != '-')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (i % (group + 1) == group) {
            if (s.p[i] != sep)
                return false;
        } else {
            digits[n++] = s.p[i];
        }
    }
    return hex_read(span_from(digits, n), out, 6);
}

/* "64500", "AS64500", "ASN 64500", and RFC 5396's "AS1.10". */
bool
form_asn(struct span s, uint32_t *out)
{
    uint64_t high, low;
    bool named = false;

    if (s.n > 2 && span_eq_nocase(span_part(s, 0, 2), SPAN("as"))) {
        named = true;
        s = span_part(s, s.p[2] == 'n' || s.p[2] == 'N' ? 3 : 2, s.n);
        s = span_trim(s);
    }
    if (span_u64(s, UINT32_MAX, &low)) {
        *out = (uint32_t)low;
        return true;
    }
    ptrdiff_t dot = span_find(s, '.');
    if (!named || dot < 0 || !span_u64(span_part(s, 0, (size_t)dot), 65535, &high) ||
        !span_u64(span_part(s, (size_t)dot + 1, s.n), 65535, &low))
        return false;
    *out = (uint32_t)(high << 16 | low);
    return true;
}

/* Folds; then makes every run of slashes of either kind one sep, and drops the last ones and spaces
 * at the end, down to keep bytes in all.  (Folded first, as there are wide slashes too.) */
static bool
put_parts(struct span s, char sep, size_t keep, struct buf *out)
{
    size_t start = out->n, n = start;

    fold_text(s, out);
    if (out->failed)
        return false;
    for (size_t i = start; i < out->n; i++) {
        char c = out->p[i];
        bool slash = c == '/' || c == '\\';
        if (slash && n > start && out->p[n - 1] == sep)
            continue;
        out->p[n++] = slash ? sep : c;
    }
    while (n > keep && (out->p[n - 1] == sep || out->p[n - 1] == ' ' || out->p[n - 1] == '\t' ||
                        out->p[n - 1] == '\r' || out->p[n - 1] == '\n'))
        n--;
    buf_cut(out, n);
    return n > 0;
}

bool
form_path(struct span s, struct buf *out)
{
    return put_parts(s, '/', out->n + 1, out);
}

bool
form_registry(struct span s, struct buf *out)
{
    static const char *const hives[][2] = {
        {"HKLM", "HKEY_LOCAL_MACHINE"}, {"HKCU", "HKEY_CURRENT_USER"},   {"HKU", "HKEY_USERS"},
        {"HKCR", "HKEY_CLASSES_ROOT"},  {"HKCC", "HKEY_CURRENT_CONFIG"},
    };
    size_t n = 0;

    while (n < s.n && is_alpha(s.p[n]))
        n++;
    size_t rest = n + (n < s.n && s.p[n] == ':'); /* PowerShell writes "HKLM:\" */
    bool ends = rest == s.n || s.p[rest] == '\\' || s.p[rest] == '/';
    for (size_t i = 0; ends && i < sizeof(hives) / sizeof(hives[0]); i++) {
        if (span_eq_nocase(span_part(s, 0, n), span_of(hives[i][0]))) {
            fold_text(span_of(hives[i][1]), out);
            return put_parts(span_part(s, rest, s.n), '\\', out->n, out);
        }
    }
    return put_parts(s, '\\', out->n + 1, out);
}

/* Hexadecimal, however it is grouped. */
bool
form_serial(struct span s, struct buf *out)
{
    size_t digits = 0;
    bool lead = true;

    if (span_starts(s, "0x") || span_starts(s, "0X"))
        s = span_part(s, 2, s.n);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ':' || c == ' ' || c == '-')
            continue;
        if (!is_hex(c) || ++digits > SERIAL_MAX)
            return false;
        lead = lead && c == '0';
        if (!lead)
            buf_u8(out, (unsigned char)(c >= 'A' && c <= 'F' ? c + 32 : c));
    }
    if (digits > 0 && lead)
        buf_u8(out, '0');
    return digits > 0 && !out->failed;
}

bool
form_external(struct span s, struct buf *out)
{
    if (s.n == 0 || s.n > EXTERNAL_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c <= ' ' || c == 0x7f)
            return false;
        buf_u8(out, (unsigned char)(c >= 'a' && c <= 'z' ? c - 32 : c));
    }
    return !out->failed;
}

/* ssdeep: block size, two parts in base64's alphabet, perhaps a file name after a comma. */
bool
form_fuzzy(struct span s, struct buf *out)
{
    struct span size, one, two, rest;
    uint64_t number;

    ptrdiff_t comma = span_find(s, ',');
    if (comma >= 0)
        s = span_part(s, 0, (size_t)comma);
    rest = s;
    if (s.n > FUZZY_MAX || !span_split(&rest, ':', &size) || !span_split(&rest, ':', &one) ||
        !span_split(&rest, ':', &two) || rest.p != NULL || !span_u64(size, UINT32_MAX, &number) ||
        number < 3 || one.n == 0)
        return false;
    for (size_t i = size.n; i < s.n; i++) {
        char c = s.p[i];
        if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '/' && c != ':')
            return false;
    }
    buf_span(out, s);
    return !out->failed;
}
