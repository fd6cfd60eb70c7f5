/*
 * bench_store - the store alone: ingest of synthetic indicators with every index, then reading.
 *
 *     bench_store FOLDER OBJECTS [AUDIENCES]
 *
 * Prints name, value and unit, one figure a line.  Objects go round the audiences; the first takes
 * one in a thousand.  FOLDER must exist; the file in it is made new.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "mem.h"
#include "store.h"
#include "store_find.h"
#include "store_page.h"
#include "store_put.h"
#include "store_rights.h"
#include "trigram.h"
#include "value.h"
#include "view.h"

#define COMMIT     10000
#define BYTES      980 /* of an object, as in the design's figures */
#define CACHE_KIB  65536
#define PAGE       100
#define PAGES      300
#define LOOKUPS    2000
#define SPARSE_ONE 1000

struct object {
    char id[64], bytes[BYTES + 200], name[100], text[500], domain[64];
    struct value value;
    struct span values[1], labels[2], texts[3];
    struct store_row row;
};

static void
die(const char *what, const struct err *e)
{
    char line[400];

    err_line(e, line, sizeof line);
    fprintf(stderr, "bench_store: %s: %s\n", what, line);
    exit(1);
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct err e = ERR_INIT;                                                                   \
        if ((call) < 0)                                                                            \
            die(#call, &e);                                                                        \
    } while (0)

/* Seconds of the processor where BENCH_CPU is set (a machine that others use), else of the clock.
 */
static double
now(void)
{
    struct timespec t;

    clock_gettime(getenv("BENCH_CPU") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
say(const char *name, double value, const char *unit)
{
    printf("%-28s %12.2f %s\n", name, value, unit);
    fflush(stdout);
}

static uint64_t
mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void
make_id(uint64_t n, char out[64])
{
    const uint64_t a = mix(n), b = mix(a);

    snprintf(out, 64, "indicator--%08x-%04x-4%03x-8%03x-%012" PRIx64, (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(b >> 52),
             b & UINT64_C(0xffffffffffff));
}

static void
make(struct object *o, uint64_t n, uint32_t audience)
{
    static const char *const words[] = {"dropper", "beacon",   "loader", "parcel", "invoice",
                                        "banking", "tracking", "update", "mirror", "gateway"};
    const uint64_t r = mix(n ^ 0x5555);
    int len;

    make_id(n, o->id);
    snprintf(o->domain, sizeof o->domain, "%s-%06x.%s.example", words[r % 10],
             (unsigned)(r >> 8 & 0xffffff), words[r >> 40 & 7]);
    snprintf(o->name, sizeof o->name, "%s seen with %s", o->domain, words[r >> 50 & 7]);
    snprintf(o->text, sizeof o->text,
             "Seen by sensor %u as %s and %s in traffic of campaign %u, first reported by partner "
             "%u; resolves to hosts that answered on port %u within the last days.",
             (unsigned)(r & 1023), words[r >> 4 & 7], words[r >> 12 & 7], (unsigned)(r >> 20 & 255),
             (unsigned)(r >> 30 & 63), (unsigned)(r >> 33 & 65535));
    len = snprintf(o->bytes, sizeof o->bytes,
                   "{\"confidence\":%u,\"created\":\"2025-01-01T00:00:00.000Z\",\"created_by_ref\":"
                   "\"identity--8c1b2a0e-0000-4000-8000-00000000000%u\",\"description\":\"%s\","
                   "\"id\":\"%s\",\"indicator_types\":[\"malicious-activity\"],\"labels\":["
                   "\"phishing\",\"feed-%u\"],\"modified\":\"2025-01-01T00:00:00.000Z\",\"name\":"
                   "\"%s\",\"pattern\":\"[domain-name:value = '%s']\",\"pattern_type\":\"stix\","
                   "\"spec_version\":\"2.1\",\"type\":\"indicator\",\"valid_from\":"
                   "\"2025-01-01T00:00:00Z\",\"x_pad\":\"",
                   (unsigned)(r % 100), (unsigned)(r % 5), o->text, o->id, (unsigned)(r % 40),
                   o->name, o->domain);
    for (; len < BYTES - 2; len++)
        o->bytes[len] = "0123456789abcdef"[mix(n + (uint64_t)len) & 15];
    memcpy(o->bytes + len, "\"}", 3);
    if (!value_read(VALUE_DOMAIN, span_of(o->domain), &o->value))
        abort();
    o->values[0] = value_key(&o->value);
    o->labels[0] = SPAN("phishing");
    o->labels[1] = span_from(o->text + 15, 4);
    o->texts[0] = span_of(o->text);
    o->texts[1] = span_of(o->name);
    o->texts[2] = span_of(o->domain);
    o->row = (struct store_row){.id = span_of(o->id),
                                .type = SPAN("indicator"),
                                .bytes = span_of(o->bytes),
                                .audience = audience,
                                .publisher = ORG_SELF,
                                .order = STORE_OTHER,
                                .versioned = true,
                                .modified = {.sec = 1735689600},
                                .confidence = (int)(r % 100),
                                .batch = 1,
                                .index = {.values = o->values,
                                          .value_count = 1,
                                          .labels = o->labels,
                                          .label_count = 2,
                                          .texts = o->texts,
                                          .text_count = 3,
                                          .creator = SPAN("identity--8c1b2a0e"),
                                          .version = SPAN("2025-01-01T00:00:00.000Z")}};
    hash_sha256(o->row.bytes, &o->row.hash);
}

static uint32_t
audience_for(uint64_t n, uint32_t audiences)
{
    if (audiences == 1)
        return 1;
    return n % SPARSE_ONE == 0 ? 1 : 2 + (uint32_t)(mix(n) % (audiences - 1));
}

static void
ingest(struct store *s, uint64_t count, uint32_t audiences)
{
    struct object *list = calloc(COMMIT, sizeof *list);
    double spent = 0, before = 0;

    for (uint64_t n = 0; n < count;) {
        const uint64_t from = n;
        double t;

        for (size_t i = 0; i < COMMIT && n < count; i++, n++)
            make(&list[i], n, audience_for(n, audiences));
        t = now();
        MUST(store_begin(s, &e));
        for (uint64_t i = from; i < n; i++)
            MUST(store_put(s, &list[i - from].row, NULL, &e));
        MUST(store_commit(s, &e));
        spent += now() - t;
        if (n % 100000 == 0 || n == count) {
            const uint64_t last = n % 100000 ? n % 100000 : 100000;
            char name[64];

            snprintf(name, sizeof name, "ingest at %" PRIu64, n);
            say(name, (double)last / (spent - before), "objects/s");
            before = spent;
        }
    }
    say("ingest", (double)count / spent, "objects/s");
    free(list);
}

/* ---- reading ---- */

static char sink[1u << 20];
static size_t sunk;

static int
copy_item(void *ctx, const struct store_item *it, struct err *e)
{
    (void)ctx;
    (void)e;
    if (sunk + it->bytes.n > sizeof sink)
        sunk = 0;
    memcpy(sink + sunk, it->bytes.p, it->bytes.n);
    sunk += it->bytes.n;
    return 0;
}

static struct view
make_view(uint32_t from, uint32_t to)
{
    struct view_entry *entries = calloc(to - from + 1, sizeof *entries);
    uint64_t *bits = calloc(to / 64 + 1, sizeof *bits);

    for (uint32_t a = from; a <= to; a++) {
        entries[a - from].audience.number = a;
        bits[a / 64] |= UINT64_C(1) << (a % 64);
    }
    return (struct view){
        .entries = entries, .count = to - from + 1, .bits = bits, .bit_words = to / 64 + 1};
}

/* Consecutive pages from the first on, round and round, each in a transaction of its own. */
static void
walk(struct store *s, const struct view *v, const char *name)
{
    const struct store_filter filter = {0};
    struct store_page_ask ask = {
        .view = v, .filter = &filter, .limit = PAGE, .want = STORE_WANT_BYTES};
    struct store_page_end end;
    size_t items = 0;
    double t;

    t = now();
    for (unsigned i = 0; i < PAGES; i++) {
        MUST(store_begin(s, &e));
        MUST(store_page(s, &ask, copy_item, NULL, &end, &e));
        MUST(store_commit(s, &e));
        items += end.count;
        ask.after_us = end.more ? end.last_us : 0;
    }
    say(name, (now() - t) / (double)items * PAGE * 1e6, "us for 100 objects");
}

/* Pages from random places. */
static void
jump(struct store *s, const struct view *v, const char *name, int64_t first, int64_t last)
{
    const struct store_filter filter = {0};
    struct store_page_ask ask = {
        .view = v, .filter = &filter, .limit = PAGE, .want = STORE_WANT_BYTES};
    struct store_page_end end;
    size_t items = 0;
    double t = now();

    for (unsigned i = 0; i < PAGES; i++) {
        ask.after_us = first + (int64_t)(mix(i) % (uint64_t)(last - first + 1));
        MUST(store_begin(s, &e));
        MUST(store_page(s, &ask, copy_item, NULL, &end, &e));
        MUST(store_commit(s, &e));
        items += end.count;
    }
    say(name, (now() - t) / (double)items * PAGE * 1e6, "us for 100 objects");
}

static void
look_up(struct store *s, const struct view *v, uint64_t count)
{
    const struct store_versions last = {.last = true};
    struct store_find_ask ask = {.view = v, .limit = 10, .want = STORE_WANT_BYTES};
    struct store_find_end end;
    struct object *o = calloc(1, sizeof *o);
    double t = now();
    size_t n;

    for (unsigned i = 0; i < LOOKUPS; i++) {
        char id[64];

        make_id(mix(i) % count, id);
        MUST(store_begin(s, &e));
        MUST(store_get(s, v, span_of(id), &last, STORE_WANT_BYTES, copy_item, NULL, &n, &e));
        MUST(store_commit(s, &e));
    }
    say("get by id", (now() - t) / LOOKUPS * 1e6, "us");
    t = now();
    for (unsigned i = 0; i < LOOKUPS; i++) {
        struct store_range r;
        struct store_search q = {.ranges = &r, .range_count = 1};

        make(o, mix(i) % count, 1);
        r = (struct store_range){o->values[0], o->values[0]};
        MUST(store_begin(s, &e));
        MUST(store_search(s, &ask, &q, copy_item, NULL, &end, &e));
        MUST(store_commit(s, &e));
    }
    say("search by value", (now() - t) / LOOKUPS * 1e6, "us (with making it)");
    t = now();
    for (unsigned i = 0; i < LOOKUPS; i++)
        make(o, mix(i) % count, 1);
    say("making it", (now() - t) / LOOKUPS * 1e6, "us");
    free(o);
}

static bool
has_word(void *ctx, struct span bytes)
{
    return memmem(bytes.p, bytes.n, ctx, strlen(ctx)) != NULL;
}

static void
search_text(struct store *s, const struct view *v, const char *word)
{
    struct store_find_ask ask = {.view = v, .limit = 10, .want = STORE_WANT_BYTES};
    struct store_search q = {.match = has_word, .match_ctx = (void *)(uintptr_t)word};
    struct store_find_end end = {.more = true};
    struct trigram_query t;
    char name[100];
    unsigned calls = 0;
    double from = now();
    size_t items = 0;

    MUST(trigram_query(span_of(word), &t, &e));
    q.grams = t.grams;
    q.gram_count = t.gram_count;
    while (end.more && items < 10) {
        MUST(store_begin(s, &e));
        MUST(store_search(s, &ask, &q, copy_item, NULL, &end, &e));
        MUST(store_commit(s, &e));
        ask.before_us = end.next_us;
        items += end.count;
        calls++;
    }
    snprintf(name, sizeof name, "text '%s'", word);
    say(name, (now() - from) * 1e3, "ms");
    printf("    %zu found, %u calls\n", items, calls);
    trigram_query_clear(&t);
}

int
main(int argc, char **argv)
{
    struct store_options o = {
        .mode = DB_WRITE, .cache_kib = CACHE_KIB, .busy_ms = 1000, .filter_bytes = 16u << 20};
    const uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    const uint32_t audiences = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 301;
    struct store_figures f;
    struct store *s, *w;
    struct view all, sparse, many;
    char path[4096];
    struct stat st;
    int64_t first;

    if (count == 0 || audiences == 0) {
        fprintf(stderr, "usage: bench_store FOLDER OBJECTS [AUDIENCES]\n");
        return 2;
    }
    MUST(crypto_start(&e));
    snprintf(path, sizeof path, "%s/bench.db", argv[1]);
    if (access(path, F_OK) != 0) {
        MUST(store_open(path, &o, &s, &e));
        MUST(store_begin(s, &e));
        for (uint32_t a = 1; a <= audiences; a++) {
            struct store_group g = {.r = {.kind = GROUP_KIND_NAMED, .org = ORG_SELF}};
            struct audience x = {.label = TLP_GREEN};

            MUST(store_group_put(s, &g, &e));
            x.group = g.r.number;
            x.generation = g.r.generation;
            MUST(store_audience_find(s, &x, true, &e));
        }
        MUST(store_commit(s, &e));
        ingest(s, count, audiences);
        MUST(store_checkpoint(s, true, &e));
        store_close(s);
    }
    MUST(store_open(path, &o, &w, &e)); /* as in a node: without it SQLite maps anew each time */
    if (stat(path, &st) == 0)
        say("on disk", (double)st.st_size / (double)count, "bytes an object");
    o.mode = DB_READ;
    o.cache_kib = 4096;
    o.mmap_bytes = INT64_C(1) << 36;
    MUST(store_open(path, &o, &s, &e));
    MUST(store_begin(s, &e));
    MUST(store_figures(s, &f, &e));
    MUST(store_commit(s, &e));
    all = make_view(1, audiences);
    sparse = make_view(1, 1);
    many = make_view(2, audiences > 1 ? audiences : 2);
    first = f.next_us - (int64_t)f.publications * 25 * 2;
    for (int i = 0; i < 2; i++) {
        walk(s, &all, "page, all");
        walk(s, &sparse, "page, one in a thousand");
        walk(s, &many, "page, 300 audiences");
        if (audiences > 100) {
            const struct view few = make_view(2, 11);
            const struct view hundred = make_view(2, 101);

            walk(s, &few, "page, 10 audiences");
            walk(s, &hundred, "page, 100 audiences");
        }
        jump(s, &all, "page from anywhere, all", first, f.next_us);
        look_up(s, &all, count);
    }
    search_text(s, &all, "dropper");
    search_text(s, &all, "sensor 77 as mirror and gateway");
    search_text(s, &all, "no such words at all");
    search_text(s, &sparse, "sensor 77");
    store_close(s);
    store_close(w);
    return 0;
}
