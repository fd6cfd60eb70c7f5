/*
 * What one may not see changes nothing of what he gets.
 *
 * The same history is led through two nodes.  In the second everything is left out that the reader
 * may not see: what others say to their own, on the very ids that he speaks of too, what they
 * withdraw, the groups that he is not in.  Then every answer that he got in the first is compared
 * with the second, byte for byte.  By design only these differ: where in its millisecond a commit's
 * rows lie, what is sealed or random (next, status ids), and the secret names of new identities.
 */
#include "world.h"

#include "taxii_query.h"

#define ACTS   220
#define SHARED 12 /* ids of which both sides speak */
#define NIL    ((const char *)NULL)

struct side {
    struct world *w;
    struct someone rita, token, bob, spy, other;
    struct buf got; /* all that the reader's side was answered */
};

struct twice {
    struct side a, b; /* everything; only what the reader may see */
    struct check_random random;
    unsigned hidden, seen;
};

static unsigned
below(struct twice *t, unsigned n)
{
    return (unsigned)(check_next(&t->random) >> 33) % n;
}

/* -- what is by design not the same ---------------------------------------------------------------
 */

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The length of a UUID at p, or 0. */
static size_t
uuid_at(const char *p, const char *end)
{
    for (size_t i = 0; i < 36; i++) {
        if (p + i >= end || (i == 8 || i == 13 || i == 18 || i == 23 ? p[i] != '-' : !is_hex(p[i])))
            return 0;
    }
    return 36;
}

/* Skips a string's value behind its name. */
static const char *
past_value(const char *p, const char *end, const char *name, struct buf *b)
{
    size_t n = strlen(name);

    if ((size_t)(end - p) <= n || memcmp(p, name, n) != 0)
        return p;
    buf_printf(b, "%s*", name);
    for (p += n; p < end && *p != '"';)
        p++;
    return p;
}

/* Times to the millisecond; next, and UUIDs but those of the test's own ids, without their value.
 * one_of: what is said to several audiences at once; which of them comes first in the millisecond,
 * and so which one a row or a version names, is random. */
static const char *
plain(struct world *w, struct span s, bool one_of)
{
    const char *p = s.p, *end = s.p + s.n;
    struct buf b;
    const char *out;

    buf_init(&b, 64u << 20);
    while (p < end) {
        const char *from = p;

        p = past_value(p, end, "\"next\":\"", &b);
        if (one_of) {
            p = past_value(p, end, "\"group\":\"", &b);
            p = past_value(p, end, "\"label\":\"", &b);
        }
        if (p != from)
            continue;
        if (end - p > 8 && *p == '.' && p[7] == 'Z' && memchr(p + 1, '"', 6) == NULL) {
            /* a block's rows lie behind its first microsecond and up to the next one's */
            buf_printf(&b, ".%d", (atoi(p + 1) + 999) / 1000);
            p += 7;
        } else if (uuid_at(p, end) > 0 && memcmp(p, "00000000-0000-4000-8000", 23) != 0) {
            buf_str(&b, "UUID");
            p += 36;
        } else {
            buf_u8(&b, (unsigned char)*p++);
        }
    }
    out = arena_dup(w->a, buf_view(&b));
    buf_clear(&b);
    return out;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A list's elements sorted: within a millisecond their order is random, and the order of dates is
 * another test's. */
static void
note_list(struct side *s, const struct json *list)
{
    const char *lines[5000];
    unsigned n = 0;

    for (const struct json *x = list->child; x != NULL && n < 5000; x = x->next) {
        struct buf b;

        buf_init(&b, 1u << 20);
        json_canonical(x, &b);
        lines[n++] = plain(s->w, buf_view(&b),
                           json_get(x, "readers") == NULL && json_get(x, "what") == NULL);
        buf_clear(&b);
    }
    qsort(lines, n, sizeof lines[0], by_text);
    for (unsigned i = 0; i < n; i++)
        buf_printf(&s->got, "  %s\n", lines[i]);
}

static void
note(struct side *s, const char *what, const struct json *o)
{
    const struct answer *w = &s->w->last;

    buf_printf(&s->got, "%s: %d %.*s %.*s %lld %d\n", what, (int)w->status, (int)w->text.n,
               w->text.p, (int)w->place.n, w->place.p, ((long long)w->first_us + 999) / 1000,
               w->more);
    for (const struct json *v = o != NULL ? o->child : NULL; v != NULL; v = v->next) {
        buf_printf(&s->got, " %.*s\n", (int)v->key.n, v->key.p);
        if (v->type == JSON_ARRAY) {
            note_list(s, v);
        } else {
            struct buf b;

            buf_init(&b, 1u << 20);
            json_canonical(v, &b);
            buf_printf(&s->got, "  %s\n", plain(s->w, buf_view(&b), true));
            buf_clear(&b);
        }
    }
}

/* -- the two nodes --------------------------------------------------------------------------------
 */

static void
make(struct side *s)
{
    struct world *w = s->w = world_new();

    buf_init(&s->got, 256u << 20);
    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank",
                "identity=identity--00000000-0000-4000-8000-0000000000b1", NIL);
    world_admin(w, TELL_K_ORG, TELL_A_ADD, "one", "kind=member",
                "identity=identity--00000000-0000-4000-8000-0000000000b2", NIL);
    world_admin(w, TELL_K_GROUP, TELL_A_ADD, "circle", "sees_past=yes", "member+=ThaiCERT",
                "member+=bank", NIL);
    world_admin(w, TELL_K_GROUP, TELL_A_ADD, "secret", "sees_past=no", "member+=ThaiCERT",
                "member+=one", NIL);
    s->rita = world_user(w, "rita", "organisation=bank", "role=publisher", "staff=yes", NIL);
    s->bob = world_user(w, "bob", "organisation=bank", "role=analyst", "exercise=yes", NIL);
    s->token = world_token(w, "feed", "user=rita", "scope=read,write", NIL);
    s->spy = world_user(w, "spy", "organisation=one", "role=publisher", "staff=yes", NIL);
    s->other = world_user(w, "chief", "role=publisher", "exercise=yes", NIL);
}

/* The same words on both, or on the first alone. */
struct act {
    struct tell tell;
    const char *texts[4];
    int who; /* 0 the operator, 1 rita, 2 her token, 3 bob, 4 the spy, 5 the chief */
};

static struct someone *
actor(struct side *s, int who)
{
    struct someone *all[] = {NULL, &s->rita, &s->token, &s->bob, &s->spy, &s->other};

    return all[who];
}

static void
perform(struct side *s, const struct act *act, bool noted)
{
    struct tell t = act->tell;
    const struct json *o;

    if (act->texts[0] != NULL)
        o = world_put(s->w, actor(s, act->who), &t, act->texts);
    else
        o = world_tell(s->w, actor(s, act->who), &t);
    if (noted)
        note(s, "act", o);
}

static const char *
object(struct twice *t, struct world *w, unsigned first, unsigned ids)
{
    unsigned n = first + below(t, ids), day = 1 + below(t, 4), word = below(t, 3);
    static const char *const words[] = {"alpha", "beacon", "gamma"};
    static const char *const creators[] = {
        "", "", ",\"created_by_ref\":\"identity--00000000-0000-4000-8000-0000000000b1\"",
        ",\"created_by_ref\":\"identity--00000000-0000-4000-8000-0000000000b2\""};

    if (below(t, 5) == 0)
        return arena_printf(w->a,
                            "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"%s\","
                            "\"value\":\"198.51.100.%u\",\"x_seen\":\"%s\"}",
                            world_id(w, "ipv4-addr", n), n, words[word]);
    if (below(t, 4) == 0)
        return world_object(
            w, "relationship", n,
            arena_printf(w->a,
                         "\"modified\":\"2025-02-0%uT00:00:00.000Z\",\"relationship_type\":"
                         "\"related-to\",\"source_ref\":\"%s\",\"target_ref\":\"%s\"",
                         day, world_id(w, "malware", first + below(t, ids)),
                         world_id(w, "ipv4-addr", first + below(t, ids))));
    return world_object(w, "malware", n,
                        arena_printf(w->a,
                                     "\"modified\":\"2025-02-0%uT00:00:00.000Z\",\"name\":\"%s\","
                                     "\"is_family\":false%s",
                                     day, words[word], creators[below(t, 4)]));
}

/* Said to those among whom the reader is not. */
static struct act
hidden_act(struct twice *t)
{
    static const char *const labels[] = {"AMBER", "AMBER+STRICT"};
    struct world *w = t->a.w;
    struct act act = {.who = below(t, 3) == 0 ? 4 : below(t, 2) == 0 ? 5 : 0};
    unsigned kind = below(t, 12);

    if (kind == 0) { /* each erases what his own organisation said */
        act.tell = (struct tell){
            .verb = TELL_WITHDRAW,
            .id = span_of(world_id(w, below(t, 3) ? "malware" : "relationship", below(t, SHARED)))};
        return act;
    }
    if (kind == 1) {
        static struct tell_pair pair[2][1];
        static unsigned which;

        which ^= 1;
        pair[which][0] =
            (struct tell_pair){below(t, 2) ? SPAN("member-") : SPAN("member+"), SPAN("one")};
        act.who = 0;
        act.tell = (struct tell){.verb = TELL_ADMIN,
                                 .kind = TELL_K_GROUP,
                                 .act = TELL_A_SET,
                                 .name = SPAN("secret"),
                                 .pairs = pair[which],
                                 .pair_n = 1};
        return act;
    }
    act.tell =
        (struct tell){.items = true, .source = SPAN("x"), .label = span_of(labels[below(t, 2)])};
    if (below(t, 2) == 0)
        act.tell.group = SPAN("secret");
    else if (act.who == 5 && below(t, 3) == 0) {
        act.tell.label = SPAN("RED");
        act.tell.person = SPAN("chief");
    }
    for (unsigned i = 0, n = 1 + below(t, 3); i < n; i++)
        act.texts[i] = object(t, w, 0, SHARED);
    return act;
}

/* Said by the reader's own side, or to the reader on ids that nobody hides anything of. */
static struct act
seen_act(struct twice *t)
{
    static const char *const labels[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", NULL};
    static const char *const collections[] = {"all", "circle", "public", "region", "secret"};
    struct world *w = t->a.w;
    unsigned kind = below(t, 10);
    struct act act = {.who = 1 + (int)below(t, 3)};
    const char *id = world_id(w, below(t, 3) ? "malware" : "ipv4-addr", below(t, SHARED));

    if (kind == 0)
        act.tell = (struct tell){.verb = TELL_WITHDRAW, .id = span_of(id)};
    else if (kind == 1)
        act.tell = (struct tell){.verb = TELL_REVOKE, .id = span_of(id)};
    else if (kind == 2)
        act.tell = (struct tell){.verb = TELL_DELETE,
                                 .id = span_of(id),
                                 .collection = span_of(collections[below(t, 5)])};
    else if (kind == 3)
        act.tell = (struct tell){.verb = TELL_PUBLISH,
                                 .id = span_of(id),
                                 .group = span_of(collections[1 + below(t, 4)])};
    if (kind <= 3)
        return act;
    act.tell = (struct tell){.items = true, .source = SPAN("y")};
    if (kind <= 5)
        act.tell.collection = span_of(collections[below(t, 5)]);
    else
        act.tell.label = span_of(labels[below(t, 5)]);
    if (kind == 9) { /* the operator speaks to all, of other things */
        act.who = 0;
        act.tell.label = span_of(labels[below(t, 2)]);
        act.texts[0] = object(t, w, 100, 20);
        return act;
    }
    if (act.who == 3 && below(t, 2))
        act.tell.group = SPAN("nowhere");
    act.texts[0] = object(t, w, 0, SHARED);
    return act;
}

/* -- what the reader gets -------------------------------------------------------------------------
 */

static void
question(struct side *s, const struct someone *who, struct ask q, const char *what)
{
    q.q.limit = 1000;
    q.q.given |= TAXII_P_LIMIT;
    note(s, what, world_ask(s->w, who, &q));
}

static void
look_id(struct side *s, const struct someone *who, const char *id)
{
    static const enum ask_verb verbs[] = {ASK_SHOW, ASK_RELATED, ASK_LOG, ASK_WHO, ASK_WHY};
    static const enum ask_verb taxii[] = {ASK_OBJECT, ASK_VERSIONS};

    question(s, who, (struct ask){.verb = ASK_GET, .id = span_of(id), .versions = true}, id);
    for (size_t i = 0; i < 5; i++)
        question(s, who, (struct ask){.verb = verbs[i], .id = span_of(id), .text = SPAN("bob")},
                 arena_printf(s->w->a, "verb %d %s", verbs[i], id));
    for (size_t i = 0; i < 2; i++)
        question(s, who,
                 (struct ask){.verb = taxii[i], .id = span_of(id), .collection = SPAN("all")},
                 arena_printf(s->w->a, "verb %d %s", taxii[i], id));
}

static void
look(struct side *s, const struct someone *who)
{
    static const char *const collections[] = {"all", "public", "circle", "secret", "region"};
    static const char *const filters[] = {"", "match[version]=all", "match[version]=first",
                                          "match[type]=malware"};
    static const enum ask_verb verbs[] = {ASK_COLLECTIONS, ASK_LATEST,  ASK_COUNTS,
                                          ASK_EXPORT,      ASK_HEALTH,  ASK_SELF,
                                          ASK_BATCHES,     ASK_PENDING, ASK_AUDIT};
    struct err e = ERR_INIT;

    for (unsigned c = 0; c < 5; c++) {
        for (unsigned f = 0; f < 4; f++) {
            struct ask q = {.verb = f % 2 ? ASK_OBJECTS : ASK_MANIFEST,
                            .collection = span_of(collections[c])};

            assert_int_equal(
                taxii_query_read(s->w->a, span_of(filters[f]), TAXII_P_OBJECTS, &q.q, &e), 0);
            question(s, who, q, collections[c]);
        }
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        question(s, who, (struct ask){.verb = verbs[i]},
                 arena_printf(s->w->a, "verb %d", verbs[i]));
    for (unsigned n = 1; n < 60; n += 7)
        question(s, who, (struct ask){.verb = ASK_REPORT, .number = n}, "report");
    question(s, who, (struct ask){.verb = ASK_SEARCH, .f = {.text = SPAN("beacon")}}, "text");
    question(s, who, (struct ask){.verb = ASK_SEARCH, .f = {.value = SPAN("198.51.100.3")}},
             "value");
    question(s, who, (struct ask){.verb = ASK_SEARCH, .f = {.group = SPAN("secret")}}, "group");
    for (unsigned n = 0; n < SHARED + 1; n++) {
        look_id(s, who, world_id(s->w, "malware", n));
        look_id(s, who, world_id(s->w, "ipv4-addr", n));
        look_id(s, who, world_id(s->w, "relationship", n));
    }
}

static void
print_line(const char *what, const struct buf *b, size_t from)
{
    const char *end = memchr(b->p + from, '\n', b->n - from);

    print_message("# %s %.*s\n", what, end != NULL ? (int)(end - b->p - (ptrdiff_t)from) : 0,
                  b->p + from);
}

static void
compare(struct twice *t, const char *when)
{
    const struct buf *a = &t->a.got, *b = &t->b.got;
    size_t i = 0, question = 0, line = 0;

    while (i < a->n && i < b->n && a->p[i] == b->p[i]) {
        if (a->p[i++] != '\n')
            continue;
        line = i;
        if (i < a->n && a->p[i] != ' ')
            question = i;
    }
    if (i < a->n || i < b->n) {
        print_line("asked  ", a, question);
        print_line("with   ", a, line);
        print_line("without", b, line);
        fail_msg("%s: the answers differ", when);
    }
    t->seen += (unsigned)i / 1000;
    buf_reset(&t->a.got);
    buf_reset(&t->b.got);
}

/* -- the whole ------------------------------------------------------------------------------------
 */

static void
step(struct twice *t, unsigned n)
{
    bool hidden = below(t, 2) == 0;
    struct act act = hidden ? hidden_act(t) : seen_act(t);
    char when[100];

    snprintf(when, sizeof when, "act %u, verb %d by %d%s", n, act.tell.verb, act.who,
             hidden ? ", hidden" : "");
    perform(&t->a, &act, !hidden && act.who != 0);
    if (!hidden)
        perform(&t->b, &act, act.who != 0);
    t->hidden += hidden;
    /* Commits never meet: how much others say pushes nobody's dates on by more than their rows. */
    world_pass(t->a.w, 2000000);
    world_pass(t->b.w, 2000000);
    if (n % 20 == 19 || n + 1 == ACTS) {
        look(&t->a, &t->a.rita);
        look(&t->b, &t->b.rita);
        look(&t->a, &t->a.token);
        look(&t->b, &t->b.token);
        look(&t->a, &t->a.bob);
        look(&t->b, &t->b.bob);
    }
    compare(t, when);
    if (n % 20 == 19) {
        arena_reset(t->a.w->a);
        arena_reset(t->b.w->a);
    }
}

static void
test_twice(void **state)
{
    struct check_random seed = check_seed("leak twice");

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        struct twice t = {.random = {seed.state + round}};

        make(&t.a);
        make(&t.b);
        for (unsigned n = 0; n < ACTS; n++)
            step(&t, n);
        print_message("# seed %llu: %u hidden acts, %u KB of answers compared\n",
                      (unsigned long long)(seed.state + round), t.hidden, t.seen);
        assert_true(t.hidden > ACTS / 4 && t.seen > 100);
        world_free(t.a.w);
        world_free(t.b.w);
        buf_clear(&t.a.got);
        buf_clear(&t.b.got);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twice),
    };

    if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
