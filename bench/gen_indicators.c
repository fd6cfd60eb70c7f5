/*
 * Writes a bundle of indicators for the benches: deterministic, streamed, each of 980 bytes.
 *
 *     gen_indicators COUNT [SEED] > bundle.json
 *
 * They look like those of a large feed: addresses, domains, URLs and hashes, a few labels that
 * repeat, twenty makers, a sentence of text.  One in a thousand is TLP:CLEAR, the others are
 * TLP:GREEN, so that who reads what is public alone sees one in a thousand.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_BYTES 980 /* what DESIGN's prototype was measured with */
#define MAKERS       20
#define CLEAR_EVERY  1000
#define FIRST_DAY    1704067200 /* 2024-01-01 */
#define DAYS         640

static const char *const green = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
static const char *const clear = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";

static const char *const words[] = {
    "seen",       "in",         "a",         "campaign",   "against",     "banks",      "of",
    "the",        "region",     "mail",      "with",       "an",          "attached",   "archive",
    "leads",      "to",         "loader",    "which",      "fetches",     "second",     "stage",
    "from",       "server",     "hosted",    "by",         "reseller",    "traffic",    "was",
    "observed",   "at",         "several",   "ministries", "beacon",      "every",      "sixty",
    "seconds",    "over",       "port",      "encrypted",  "channel",     "account",    "stolen",
    "parcel",     "message",    "victim",    "installs",   "package",     "outside",    "store",
    "phishing",   "page",       "copies",    "login",      "form",        "sends",      "password",
    "telegram",   "bot",        "analyst",   "confirmed",  "sandbox",     "report",     "overlaps",
    "earlier",    "cluster",    "operator",  "reuses",     "certificate", "serial",     "number",
    "domain",     "registered", "days",      "before",     "use",         "credential", "theft",
    "ransomware", "affiliate",  "precursor", "scanner",    "exploits",    "gateway",    "appliance",
    "webshell",   "dropped",    "path",      "proxy",
};
static const char *const labels[] = {
    "phishing", "botnet",     "c2",        "loader",   "stealer",    "ransomware",
    "scanner",  "bruteforce", "malspam",   "exploit",  "webshell",   "proxy",
    "miner",    "rat",        "dropper",   "smishing", "credential", "android",
    "skimmer",  "fraud",      "apt",       "hacktool", "worm",       "ddos",
    "sinkhole", "tor",        "vpn-abuse", "iot",      "ics",        "spam",
};
static const char *const syllables[] = {"ka",  "ri",  "mo",  "ta",  "ne",  "su",  "lo",  "ba",
                                        "wi",  "do",  "pe",  "ya",  "ghu", "cho", "fer", "zin",
                                        "tor", "mal", "ven", "qua", "ix",  "ol",  "un",  "esh"};
static const char *const endings[] = {"com", "net",   "org", "info", "xyz",
                                      "top", "in.th", "my",  "vn",   "id"};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static uint64_t state;

/* splitmix64: good enough, and the same everywhere. */
static uint64_t
next(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t
below(size_t n)
{
    return (size_t)(next() % n);
}

struct line {
    char text[4096];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void
add(struct line *l, const char *format, ...)
{
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(l->text + l->n, sizeof l->text - l->n, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= sizeof l->text - l->n)
        abort();
    l->n += (size_t)n;
}

static void
add_uuid(struct line *l)
{
    const uint64_t a = next(), b = next();

    add(l, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64, a >> 32,
        a >> 16 & 0xffff, a & 0xfff, 0x8000 | (b >> 48 & 0x3fff), b & UINT64_C(0xffffffffffff));
}

static void
add_hex(struct line *l, size_t digits)
{
    for (size_t i = 0; i < digits; i++)
        add(l, "%c", "0123456789abcdef"[below(16)]);
}

static void
add_domain(struct line *l)
{
    const size_t n = 2 + below(3);

    if (below(3) == 0)
        add(l, "%s.", below(2) ? "www" : "cdn");
    for (size_t i = 0; i < n; i++)
        add(l, "%s", syllables[below(COUNT(syllables))]);
    add(l, "%zu.%s", below(100000), endings[below(COUNT(endings))]);
}

static void
add_address(struct line *l)
{
    add(l, "%zu.%zu.%zu.%zu", 1 + below(223), below(256), below(256), 1 + below(254));
}

/* A day of the civil calendar and a time in it, from seconds since 1970. */
static void
add_time(struct line *l, int64_t s)
{
    const int64_t days = s / 86400, z = days + 719468, era = z / 146097, doe = z % 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    const int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    const int64_t year = yoe + era * 400 + (month <= 2);

    add(l, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)year, (int)month, (int)day,
        (int)(s % 86400 / 3600), (int)(s % 3600 / 60), (int)(s % 60), (int)below(1000));
}

static void
add_pattern(struct line *l)
{
    const size_t kind = below(100);

    add(l, "\"pattern\":\"[");
    if (kind < 35) {
        add(l, "ipv4-addr:value = '");
        add_address(l);
        add(l, "'");
    } else if (kind < 65) {
        add(l, "domain-name:value = '");
        add_domain(l);
        add(l, "'");
    } else if (kind < 80) {
        add(l, "url:value = 'http://");
        add_domain(l);
        add(l, "/%s/", words[below(COUNT(words))]);
        add_hex(l, 8);
        add(l, ".php'");
    } else {
        add(l, "file:hashes.'SHA-256' = '");
        add_hex(l, 64);
        add(l, "'");
        if (kind >= 90) {
            add(l, " OR file:hashes.MD5 = '");
            add_hex(l, 32);
            add(l, "'");
        }
    }
    add(l, "]\"");
}

static void
add_maker(struct line *l, size_t n)
{
    add(l, "identity--5b0e1f00-0000-4000-8000-%012zx", n);
}

static void
indicator(struct line *l, uint64_t number)
{
    const int64_t day = FIRST_DAY + (int64_t)below((size_t)DAYS * 86400);
    const size_t label = below(COUNT(labels)), second = below(COUNT(labels));
    struct line tail = {.n = 0};

    l->n = 0;
    add(l, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--");
    add_uuid(l);
    add(l, "\",\"created_by_ref\":\"");
    add_maker(l, below(MAKERS));
    add(l, "\",\"created\":\"");
    add_time(l, day);
    add(l, "\",\"modified\":\"");
    add_time(l, day + 3600 + (int64_t)below(86400));
    add(l, "\",\"valid_from\":\"");
    add_time(l, day);
    add(l, "\",\"name\":\"%s%s%s %s\",\"pattern_type\":\"stix\",",
        syllables[below(COUNT(syllables))], syllables[below(COUNT(syllables))],
        syllables[below(COUNT(syllables))], labels[label]);
    add_pattern(l);
    add(l, ",\"indicator_types\":[\"malicious-activity\"],\"confidence\":%zu,\"labels\":[\"%s\"",
        10 + below(90), labels[label]);
    if (second != label)
        add(l, ",\"%s\"", labels[second]);
    add(l,
        "],\"object_marking_refs\":[\"%s\"],\"external_references\":[{\"source_name\":"
        "\"feed\",\"external_id\":\"F-%" PRIu64 "\"}],\"description\":\"",
        number % CLEAR_EVERY == CLEAR_EVERY / 2 ? clear : green, number);
    add(&tail, "\"}");
    while (l->n + tail.n < OBJECT_BYTES) {
        const char *w = words[below(COUNT(words))];
        const size_t room = OBJECT_BYTES - l->n - tail.n;

        if (strlen(w) + 1 > room)
            add(l, "%.*s", (int)room, "................");
        else
            add(l, "%s ", w);
    }
    add(l, "%s", tail.text);
}

int
main(int argc, char **argv)
{
    const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    static struct line l;

    if (count == 0 || argc > 3) {
        fprintf(stderr, "usage: gen_indicators COUNT [SEED]\n");
        return 2;
    }
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    add(&l, "{\"type\":\"bundle\",\"id\":\"bundle--");
    add_uuid(&l);
    add(&l, "\",\"objects\":[");
    for (size_t i = 0; i < MAKERS; i++) {
        add(&l, "%s\n{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"", i ? "," : "");
        add_maker(&l, i);
        add(&l,
            "\",\"created\":\"2020-01-01T00:00:00.000Z\",\"modified\":\"2020-01-01T00:00:00.000Z"
            "\",\"name\":\"Maker %zu\",\"identity_class\":\"organization\","
            "\"object_marking_refs\":[\"%s\"]}",
            i, green);
        fwrite(l.text, 1, l.n, stdout);
        l.n = 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        indicator(&l, i);
        fwrite(",\n", 1, 2, stdout);
        fwrite(l.text, 1, l.n, stdout);
    }
    fwrite("\n]}\n", 1, 4, stdout);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("gen_indicators");
        return 1;
    }
    return 0;
}
