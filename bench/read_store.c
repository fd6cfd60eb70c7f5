/*
 * What questions cost inside a reader: a store is opened as a reader opens it, and exchange_ask is
 * called with a ticket of a principal, as for a request that came through a front.
 *
 *     read_store STORE.db PRINCIPAL EPOCH walk COLLECTION PAGES [AFTER_US]
 *     read_store STORE.db PRINCIPAL EPOCH lookup COLLECTION < lines of "id<TAB>value"
 *
 * walk takes pages of 100 by `next` and begins again at the end.  lookup asks for each id, then
 * searches for each value.  Both print one line of JSON, times in microseconds; mean_us is
 * processor time, which what else runs on the machine does not change, the others are of the clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "exchange.h"
#include "ticket.h"

#define BODY_MAX  (8u << 20)
#define ARENA_MAX (64u << 20)
#define LINES_MAX 100000
#define PAGE      100

struct bench {
    struct exchange *x;
    struct arena *a;
    struct buf body;
    struct caller who;
    struct key key;
    struct ticket ticket;
    uint8_t text[TICKET_BYTES];
    double *us; /* of each question */
    size_t n;
    double cpu_us; /* of all */
};

static void
die(const char *what, struct span text)
{
    fprintf(stderr, "read_store: %s: %.*s\n", what, (int)text.n, text.p ? text.p : "");
    exit(1);
}

static double
now_us(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* One question, timed; a ticket lives for a minute, so a new one is made when half of it is over.
 */
static void
put(struct bench *b, struct ask *q, struct answer *w)
{
    const int64_t wall = clock_wall_us(NULL);
    double start, cpu;

    if (wall > b->ticket.expiry_us - TICKET_LIFE_US / 2) {
        b->ticket.expiry_us = wall + TICKET_LIFE_US;
        ticket_make(&b->key, &b->ticket, b->text);
    }
    q->ticket = span_from(b->text, sizeof b->text);
    arena_reset(b->a);
    buf_reset(&b->body);
    cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
    start = now_us(CLOCK_MONOTONIC);
    exchange_ask(b->x, &b->who, q, b->a, &b->body, w);
    b->us[b->n++] = now_us(CLOCK_MONOTONIC) - start;
    b->cpu_us += now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    if (w->status != ERR_NONE)
        die("no answer", w->text);
}

static int
by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void
print_times(struct bench *b, const char *name)
{
    qsort(b->us, b->n, sizeof *b->us, by_value);
    printf("\"%s\":{\"n\":%zu,\"mean_us\":%.2f,\"median_us\":%.2f,\"p99_us\":%.2f}", name, b->n,
           b->cpu_us / (double)b->n, b->us[b->n / 2], b->us[b->n * 99 / 100]);
    b->n = 0;
    b->cpu_us = 0;
}

/* `next` stands near one of the ends of the envelope. */
static struct span
next_of(struct span body)
{
    static const char key[] = "\"next\":\"";
    const size_t near = body.n < 2048 ? body.n : 2048;
    const char *p = memmem(body.p, near, key, sizeof key - 1), *end;

    if (!p)
        p = memmem(body.p + body.n - near, near, key, sizeof key - 1);
    if (!p)
        return (struct span){0};
    p += sizeof key - 1;
    end = memchr(p, '"', (size_t)(body.p + body.n - p));
    return span_from(p, end ? (size_t)(end - p) : 0);
}

static void
walk(struct bench *b, struct span collection, size_t pages, int64_t after_us)
{
    static char next[2048];
    struct ask q = {.verb = ASK_OBJECTS, .collection = collection};
    size_t walks = 0;
    struct answer w;
    struct span n;

    q.q.limit = PAGE;
    for (size_t i = 0; i < pages; i++) {
        if (after_us != 0 && q.q.next.n == 0) {
            q.q.added_after = instant_from_us(after_us);
            q.q.given |= TAXII_P_ADDED_AFTER;
        }
        q.q.given |= TAXII_P_LIMIT;
        put(b, &q, &w);
        n = next_of(buf_view(&b->body));
        if (n.n > sizeof next)
            die("next is too long", n);
        if (n.n > 0)
            memcpy(next, n.p, n.n);
        q.q.next = span_from(next, n.n);
        q.q.given = n.n > 0 ? TAXII_P_NEXT : 0;
        walks += n.n == 0;
    }
    printf("{\"walks\":%zu,", walks);
    print_times(b, "page");
    printf("}\n");
}

static void
lookup(struct bench *b, struct span collection)
{
    static char line[4096];
    char **values = calloc(LINES_MAX, sizeof *values);
    size_t n = 0, found = 0;
    struct answer w;

    while (values && n < LINES_MAX && fgets(line, sizeof line, stdin)) {
        struct ask q = {.verb = ASK_OBJECT, .collection = collection};
        char *tab = strchr(line, '\t');

        line[strcspn(line, "\n")] = '\0';
        if (!tab || !(values[n++] = strdup(tab + 1)))
            die("not a line of id and value", span_of(line));
        q.id = span_from(line, (size_t)(tab - line));
        put(b, &q, &w);
        found += memmem(b->body.p, b->body.n, q.id.p, q.id.n) != NULL;
    }
    if (n == 0)
        die("no line came in", (struct span){0});
    printf("{\"found\":%zu,", found);
    print_times(b, "id");
    for (size_t i = found = 0; i < n; i++) {
        struct ask q = {.verb = ASK_SEARCH, .f.value = span_of(values[i])};

        q.q.limit = 10;
        put(b, &q, &w);
        found += memmem(b->body.p, b->body.n, "\"id\":", 5) != NULL;
    }
    printf(",\"values_found\":%zu,", found);
    print_times(b, "value");
    printf("}\n");
}

int
main(int argc, char **argv)
{
    struct bench b = {.who = {.kind = CALLER_FRONT, .listener = {1, TLP_RED}}};
    struct exchange_options o = {.path = argc > 1 ? argv[1] : ""};
    struct err e = ERR_INIT;
    size_t pages;

    if (argc < 6) {
        fprintf(stderr, "usage: read_store STORE.db PRINCIPAL EPOCH walk|lookup COLLECTION ...\n");
        return 2;
    }
    if (crypto_start(&e) != 0)
        die("no cryptography", span_of(e.text));
    key_random(&b.key);
    o.ticket_key = b.key;
    b.ticket = (struct ticket){.principal = (uint32_t)strtoul(argv[2], NULL, 10),
                               .channel = CHANNEL_TOKEN,
                               .listener = 1,
                               .epoch = strtoull(argv[3], NULL, 10)};
    b.a = arena_new(ARENA_MAX);
    buf_init(&b.body, BODY_MAX);
    pages = argc > 6 ? strtoul(argv[6], NULL, 10) : 0;
    b.us = calloc(pages > LINES_MAX ? pages : LINES_MAX, sizeof *b.us);
    if (!b.a || !b.us || exchange_open(&o, &b.x, &e) != 0)
        die("cannot open the store", span_of(e.text));
    if (strcmp(argv[4], "walk") == 0 && pages > 0)
        walk(&b, span_of(argv[5]), pages, argc > 7 ? strtoll(argv[7], NULL, 10) : 0);
    else if (strcmp(argv[4], "lookup") == 0)
        lookup(&b, span_of(argv[5]));
    else
        die("walk or lookup", span_of(argv[4]));
    exchange_close(b.x);
    arena_free(b.a);
    buf_clear(&b.body);
    free(b.us);
    return 0;
}
