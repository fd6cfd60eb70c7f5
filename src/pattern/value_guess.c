/* What somebody pasted into a search box. */
#include <string.h>
#include "value.h"

#define ROOM_GUESS  4096 /* bytes of a text that is worth a guess: a long URL */
#define GENERAL_MAX 255  /* bytes of a file name, mutex or account */
#define LOOK_MAX    64   /* bytes of an external id */

static const struct {
    const char *from, *to;
} marks[] = {
    {"[.]", "."},    {"(.)", "."},    {"{.}", "."},     {"[dot]", "."},  {"(dot)", "."},
    {"{dot}", "."},  {"[:]", ":"},    {"[://]", "://"}, {"[/]", "/"},    {"[at]", "@"},
    {"(at)", "@"},   {"{at}", "@"},   {"[@]", "@"},     {"(@)", "@"},    {"{@}", "@"},
    {"\\.", "."},    {"\u2010", "-"}, {"\u2011", "-"},  {"\u2012", "-"}, {"\u2013", "-"},
    {"\u2212", "-"},
};

static const struct {
    const char *from, *to;
} schemes[] = {{"hxxp", "http"}, {"h**p", "http"}, {"htxp", "http"}, {"fxp", "ftp"}};

static bool
begins(struct span s, const char *with)
{
    struct span w = span_of(with);
    return span_eq_nocase(span_part(s, 0, w.n), w);
}

/* Quotes and angle brackets that surround the whole, and a list's comma behind it. */
static struct span
bare(struct span s)
{
    static const char *const pairs[][2] = {{"\"", "\""},         {"'", "'"},
                                           {"`", "`"},           {"<", ">"},
                                           {"\u201c", "\u201d"}, {"\u2018", "\u2019"}};

    s = span_trim(s);
    while (s.n > 1 && (s.p[s.n - 1] == ',' || s.p[s.n - 1] == ';'))
        s = span_trim(span_part(s, 0, s.n - 1));
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t a = strlen(pairs[i][0]), b = strlen(pairs[i][1]);
        if (s.n > a + b && span_starts(s, pairs[i][0]) && span_ends(s, pairs[i][1]))
            return span_trim(span_part(s, a, s.n - a - b));
    }
    return s;
}

bool
value_refang(struct span text, struct buf *out)
{
    struct span s = bare(text);

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = strlen(schemes[i].from);
        if (!begins(s, schemes[i].from))
            continue;
        struct span rest = span_part(s, n, s.n);
        if (begins(rest, "s"))
            rest = span_part(rest, 1, rest.n);
        if (begins(rest, ":") || begins(rest, "[:")) {
            buf_str(out, schemes[i].to);
            s = span_part(s, n, s.n);
            break;
        }
    }
    while (s.n > 0) {
        unsigned c = (unsigned char)s.p[0];
        size_t i = sizeof(marks) / sizeof(marks[0]);
        if (c == '[' || c == '(' || c == '{' || c == '\\' || c == 0xe2) {
            for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
                if (begins(s, marks[i].from))
                    break;
            }
        }
        if (i < sizeof(marks) / sizeof(marks[0])) {
            buf_str(out, marks[i].to);
            s = span_part(s, strlen(marks[i].from), s.n);
        } else {
            buf_u8(out, c);
            s = span_part(s, 1, s.n);
        }
    }
    return !out->failed;
}

struct guesses {
    struct value *out;
    size_t n, max;
};

static bool
add(struct guesses *g, enum value_kind kind, struct span text)
{
    if (g->n == g->max || !value_read(kind, text, &g->out[g->n]))
        return false;
    for (size_t i = 0; i < g->n; i++) {
        if (span_eq(value_key(&g->out[i]), value_key(&g->out[g->n])))
            return true;
    }
    g->n++;
    return true;
}

/* "CVE-2024-0001", "T1566.001", "CAPEC-163", "GHSA-jfh8-c2jp-5v3q": a letter first, a digit
 * somewhere, groups joined by '-', and a dot only before a digit. */
static bool
looks_external(struct span s)
{
    bool digit = false;

    if (s.n < 3 || s.n > LOOK_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool number = c >= '0' && c <= '9';
        digit = digit || number;
        if (i == 0 ? !letter : !(letter || number || c == '-' || c == '.'))
            return false;
        if (c == '.' && (i + 1 == s.n || s.p[i + 1] < '0' || s.p[i + 1] > '9'))
            return false;
    }
    return digit;
}

/* A dot, and letters after the last one. */
static bool
looks_domain(struct span s)
{
    size_t dot = s.n;

    if (s.n > 0 && s.p[s.n - 1] == '.')
        s.n--;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.')
            dot = i;
    }
    return dot > 0 && dot + 2 < s.n && !(s.p[dot + 1] >= '0' && s.p[dot + 1] <= '9');
}

/* Host, or host and port, with no scheme before it; a path makes it a URL of either scheme. */
static void
guess_host(struct guesses *g, struct span s)
{
    char mem[ROOM_GUESS + 16];
    struct span host = s;
    size_t end = 0;

    while (end < s.n && memchr("/?#", s.p[end], 3) == NULL)
        end++;
    host.n = end;
    if (host.n > 2 && host.p[0] == '[' && span_find(host, ']') > 0) {
        add(g, VALUE_IPV6, span_part(host, 1, (size_t)span_find(host, ']') - 1));
    } else {
        ptrdiff_t colon = span_find(host, ':');
        if (colon > 0)
            host = span_part(host, 0, (size_t)colon);
        if (!add(g, VALUE_IPV4, host) && looks_domain(host))
            add(g, VALUE_DOMAIN, host);
    }
    if (g->n == 0 || end == s.n)
        return;
    for (int i = 0; i < 2; i++) {
        struct buf b;
        buf_init_fixed(&b, mem, sizeof(mem));
        buf_str(&b, i == 0 ? "http://" : "https://");
        buf_span(&b, s);
        if (!b.failed)
            add(g, VALUE_URL, buf_view(&b));
    }
}

static void
guess_form(struct guesses *g, struct span s)
{
    if (add(g, VALUE_IPV4, s) || add(g, VALUE_IPV6, s) || add(g, VALUE_MAC, s) ||
        add(g, VALUE_HASH, s))
        return;
    if (begins(s, "mailto:"))
        s = span_part(s, 7, s.n);
    if (span_find_span(s, SPAN("://")) > 0) {
        if (add(g, VALUE_URL, s) && g->n < g->max && value_url_host(s, &g->out[g->n]))
            g->n++;
        return;
    }
    if (span_find(s, '@') > 0 && add(g, VALUE_EMAIL, s))
        return;
    add(g, VALUE_FUZZY, s);
    if (begins(s, "as") && add(g, VALUE_ASN, s))
        return;
    if (begins(s, "hk") && span_find(s, '\\') > 0) {
        add(g, VALUE_REGISTRY, s);
        return;
    }
    if (looks_external(s))
        add(g, VALUE_EXTERNAL, s);
    guess_host(g, s);
    if (span_find(s, '\\') >= 0 || (s.n > 0 && s.p[0] == '/'))
        add(g, VALUE_PATH, s);
}

size_t
value_guess(struct span text, struct value *out, size_t max)
{
    struct guesses g = {.out = out, .max = max};
    char mem[ROOM_GUESS];
    struct buf b;

    if (text.n > ROOM_GUESS)
        return 0;
    buf_init_fixed(&b, mem, sizeof(mem));
    if (!value_refang(text, &b) || b.n == 0)
        return 0;
    guess_form(&g, buf_view(&b));
    text = span_trim(text);
    if (text.n <= GENERAL_MAX) {
        add(&g, VALUE_FILE_NAME, text);
        add(&g, VALUE_MUTEX, text);
        add(&g, VALUE_ACCOUNT, text);
    }
    return g.n;
}
