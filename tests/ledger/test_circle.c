/* Groups: one body for each version, who may sign the next, and which of several counts. */
#include "people.h"

#include "arena.h"
#include "circle.h"
#include "mem.h"

#define ARENA (4u << 20)

static struct arena *arena;

#define ID(n) "\"identity--0" n "000000-0000-4000-8000-000000000000\""
#define Z32   "0000000000000000000000000000000000000000000000000000000000000000"

static const char body_text[] =
    "{\"charter\":\"Admits: the owner.\\nPast: yes.\",\"finals\":["
    "{\"member\":" ID(
        "4") ",\"root\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"size\":12,"
             "\"stream\":\"0101010101010101010101010101010101010101010101010101010101010101\"}],"
             "\"generation\":\"303132333435363738393a3b3c3d3e3f\",\"group\":"
             "\"101112131415161718191a1b1c1d1e1f\","
             "\"heirs\":[" ID("2") "," ID("1") "],\"members\":[" ID("0") "," ID("1") "," ID(
                 "2") "],"
                      "\"name\":\"Banks\",\"owner\":" ID("0") ",\"past\":true,"
                                                              "\"previous\":"
                                                              "\"0707070707070707070707070707070707"
                                                              "070707070707070707070707070707\","
                                                              "\"region\":5,\"version\":3}";

static const struct {
    const char *from, *to;
    enum err_code code;
} changes[] = {
    {"Banks", "B", ERR_NONE},
    {"Admits: the owner.\\nPast: yes.", "", ERR_NONE},
    {"\"past\":true", "\"past\":false", ERR_NONE},
    {"\"region\":5", "\"region\":2147483647", ERR_NONE},
    {"\"version\":3", "\"version\":2147483647", ERR_NONE},
    {"\"heirs\":[" ID("2") "," ID("1") "]", "\"heirs\":[]", ERR_NONE},
    {"\"heirs\":[" ID("2") "," ID("1") "]", "\"heirs\":[" ID("1") "," ID("2") "]", ERR_NONE},
    {"\"heirs\":[" ID("2") "," ID("1") "]", "\"heirs\":[" ID("1") "," ID("1") "]", ERR_RULE},
    {"\"heirs\":[" ID("2") "," ID("1") "]", "\"heirs\":[" ID("0") "]", ERR_RULE}, /* the owner */
    {"\"heirs\":[" ID("2") "," ID("1") "]", "\"heirs\":[" ID("5") "]", ERR_RULE}, /* no member */
    {"\"heirs\":[" ID("2"), "\"heirs\":[2", ERR_TYPE},
    {"\"heirs\":[" ID("2"), "\"heirs\":[\"x\"", ERR_SYNTAX},
    {"\"members\":[" ID("0"), "\"members\":[" ID("1"), ERR_RULE},
    {"\"members\":[" ID("0"), "\"members\":[" ID("3"), ERR_RULE},
    {"\"members\":[" ID("0") ",", "\"members\":[", ERR_RULE}, /* the owner is none */
    {"\"members\":[" ID("0") "," ID("1") "," ID("2") "]", "\"members\":[]", ERR_RULE},
    {"\"members\":[" ID("0") "," ID("1") "," ID("2") "]", "\"members\":null", ERR_TYPE},
    {"\"owner\":" ID("0"), "\"owner\":" ID("4"), ERR_RULE},
    {"\"owner\":" ID("0"), "\"owner\":\"\"", ERR_SYNTAX},
    {"\"member\":" ID("4"), "\"member\":" ID("2"), ERR_RULE}, /* is one */
    {"\"size\":12", "\"size\":-1", ERR_RANGE},
    {"\"size\":12", "\"size\":1.5", ERR_RANGE},
    {"\"stream\":\"01", "\"stream\":\"0", ERR_SYNTAX},
    {"\"stream\":\"01", "\"stream\":\"0F", ERR_SYNTAX},
    {"\"root\":\"AAAA", "\"root\":\"AAA", ERR_SYNTAX},
    {"\"finals\":[", "\"finals\":[{},", ERR_MISSING},
    {"\"finals\":[", "\"finals\":[null,", ERR_TYPE},
    {"\"name\":\"Banks\"", "\"name\":\"\"", ERR_RANGE},
    {"\"name\":\"Banks\"", "\"name\":\"a\\nb\"", ERR_RANGE},
    {"Admits", "\\tAdmits", ERR_RANGE},
    {"Admits", "\\u0000Admits", ERR_RANGE},
    {"\"past\":true", "\"past\":1", ERR_TYPE},
    {"\"past\":true", "\"past\":null", ERR_TYPE},
    {"\"past\":true", "\"pass\":true", ERR_TYPE},
    {"\"past\":true,", "", ERR_TYPE},
    {"\"region\":5", "\"region\":0", ERR_RANGE},
    {"\"region\":5", "\"region\":2147483648", ERR_RANGE},
    {"\"version\":3", "\"version\":0", ERR_RANGE},
    {"\"version\":3", "\"version\":2147483648", ERR_RANGE},
    {"\"version\":3", "\"version\":1", ERR_RULE}, /* something before it */
    {"\"version\":3", "\"version\":3,\"x\":0", ERR_RULE},
    {"\"version\":3}", "\"version\":3}\n", ERR_SYNTAX},
    {"{\"charter\"", "{ \"charter\"", ERR_SYNTAX},
    {"{\"charter\"", "{\"a\":1,\"charter\"", ERR_MISSING},
    {"\"generation\":\"30", "\"generation\":\"", ERR_SYNTAX},
    {"\"group\":\"10", "\"group\":\"1g", ERR_SYNTAX},
    {"0707070707070707070707070707070707070707070707070707070707070707", Z32, ERR_RULE},
};

static void
bodies_are_fixed(void **state)
{
    char text[sizeof body_text + 200];
    struct err e = ERR_INIT;
    struct circle c;
    struct hash h;
    struct buf b;
    (void)state;

    assert_int_equal(circle_read(SPAN(body_text), arena, &c, &e), 0);
    assert_int_equal(c.member_n, 3);
    assert_int_equal(c.heir_n, 2);
    assert_int_equal(c.finals[0].size, 12);
    assert_true(span_is(c.charter, "Admits: the owner.\nPast: yes."));
    assert_true(circle_order(&c) == GROUP_ORDER(5, 3));
    assert_true(circle_has(&c, &people[1].id));
    assert_false(circle_has(&c, &people[3].id));
    hash_sha256(SPAN(body_text), &h);
    assert_true(hash_eq(&h, &c.hash));
    buf_init(&b, CIRCLE_BODY_MAX);
    assert_int_equal(circle_print(&c, &b, &e), 0);
    assert_true(span_is(buf_view(&b), body_text));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const char *at = strstr(body_text, changes[i].from);
        int got;

        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - body_text), body_text, changes[i].to,
                 at + strlen(changes[i].from));
        e = ERR_INIT;
        got = circle_read(span_of(text), arena, &c, &e);
        if (e.code != changes[i].code || got != (changes[i].code == ERR_NONE ? 0 : -1))
            fail_msg("%s -> %s: %s, %s", changes[i].from, changes[i].to, err_name(e.code), e.text);
        if (got == 0) {
            buf_reset(&b);
            assert_int_equal(circle_print(&c, &b, &e), 0);
            assert_true(span_is(buf_view(&b), text));
        }
    }
    for (size_t n = 0; n < sizeof body_text - 1; n++)
        assert_int_equal(circle_read(span_from(body_text, n), arena, &c, NULL), -1);
    buf_clear(&b);
}

/* ---- circles of people ---- */

/* A version of a group, with its own lists. */
struct made {
    struct circle c;
    struct uuid members[CIRCLE_MEMBERS_MAX + 1], heirs[CIRCLE_HEIRS_MAX + 1];
    struct stream_end finals[2];
    struct buf b;
    struct circle_mark mark;
};

static struct made made[8];
static struct region_member list[2][PEOPLE];
static struct region at5, at6; /* six members; version 6 without people 0 and 2 */

/* Members by bits; heirs 2, then 1, where they are members and not the owner. */
static void
make(struct made *m, const struct circle *prev, uint64_t region, uint64_t version, unsigned members,
     unsigned owner)
{
    static const unsigned heirs[] = {2, 1};
    struct buf b = m->b;

    memset(m, 0, sizeof *m);
    m->b = b;
    m->c = (struct circle){.version = version,
                           .region = region,
                           .name = SPAN("Banks"),
                           .owner = people[owner].id,
                           .members = m->members,
                           .heirs = m->heirs,
                           .finals = m->finals};
    memset(m->c.group, 1, GROUP_ID_BYTES);
    memset(m->c.generation, 2, CIRCLE_GENERATION_BYTES);
    if (prev != NULL) {
        m->c.previous = prev->hash;
        m->c.past = true;
        memcpy(m->c.generation, prev->generation, CIRCLE_GENERATION_BYTES);
    }
    for (unsigned i = 0; i < 16; i++)
        if ((members >> i & 1) != 0)
            m->members[m->c.member_n++] = people[i].id;
    for (unsigned i = 0; i < 2; i++)
        if (heirs[i] != owner && (members >> heirs[i] & 1) != 0)
            m->heirs[m->c.heir_n++] = people[heirs[i]].id;
}

static void
sign(struct made *m, unsigned by)
{
    const struct signer s = signer_of(&people[by].secret);
    struct err e = ERR_INIT;

    if (m->b.max == 0)
        buf_init(&m->b, CIRCLE_BODY_MAX);
    buf_reset(&m->b);
    if (circle_print(&m->c, &m->b, &e) < 0)
        fail_msg("%s", e.text);
    hash_sha256(buf_view(&m->b), &m->c.hash);
    m->mark = circle_mark_of(&m->c, &(struct circle_signed){.by = people[by].id});
    assert_int_equal(circle_mark_sign(&m->mark, &s, NULL), 0);
}

static void
nothing(struct made *m)
{
    (void)m;
}

static void
new_generation(struct made *m)
{
    m->c.past = false;
    m->c.generation[0] ^= 1;
}

static void
past_with_a_new_one(struct made *m)
{
    m->c.generation[0] ^= 1;
}

static void
no_past_with_the_old_one(struct made *m)
{
    m->c.past = false;
}

static void
another_group(struct made *m)
{
    m->c.group[0] ^= 1;
}

static void
another_previous(struct made *m)
{
    m->c.previous.b[0] ^= 1;
}

static void
final_of_3(struct made *m)
{
    m->finals[0] = (struct stream_end){.member = people[3].id, .size = 7};
    m->c.final_n = 1;
}

static void
final_of_a_stranger(struct made *m)
{
    m->finals[0] = (struct stream_end){.member = people[9].id, .size = 7};
    m->c.final_n = 1;
}

/* The first is version 3 at region 5: members 0 to 3, owner 0, heirs 2 then 1.  Region 6 has lost
 * 0 and 2. */
static const struct {
    const char *name;
    uint64_t region, version;
    unsigned members, owner, by;
    void (*change)(struct made *m);
    enum err_code code;
} steps[] = {
    {"one joins", 5, 4, 0x1f, 0, 0, nothing, ERR_NONE},
    {"the same again", 5, 4, 0x0f, 0, 0, nothing, ERR_NONE},
    {"numbers may jump", 5, 40, 0x0f, 0, 0, nothing, ERR_NONE},
    {"one joins without the past", 5, 4, 0x1f, 0, 0, new_generation, ERR_NONE},
    {"past of a new generation", 5, 4, 0x1f, 0, 0, past_with_a_new_one, ERR_RULE},
    {"no past in the old generation", 5, 4, 0x1f, 0, 0, no_past_with_the_old_one, ERR_RULE},
    {"one leaves", 5, 4, 0x07, 0, 0, nothing, ERR_NONE},
    {"one leaves with its streams", 5, 4, 0x07, 0, 0, final_of_3, ERR_NONE},
    {"streams of a stranger end", 5, 4, 0x07, 0, 0, final_of_a_stranger, ERR_RULE},
    {"handed over", 5, 4, 0x0f, 1, 0, nothing, ERR_NONE},
    {"taken over", 5, 4, 0x0f, 1, 1, nothing, ERR_AUTH},
    {"an heir too early", 5, 4, 0x0f, 2, 2, nothing, ERR_AUTH},
    {"a member", 5, 4, 0x0f, 0, 3, nothing, ERR_AUTH},
    {"a stranger", 5, 4, 0x0f, 0, 9, nothing, ERR_AUTH},
    {"the same number", 5, 3, 0x0f, 0, 0, nothing, ERR_RULE},
    {"a lower number", 5, 2, 0x0f, 0, 0, nothing, ERR_RULE},
    {"an older region", 4, 4, 0x0f, 0, 0, nothing, ERR_MISSING}, /* at4 is not given */
    {"another group", 5, 4, 0x0f, 0, 0, another_group, ERR_RULE},
    {"another chain", 5, 4, 0x0f, 0, 0, another_previous, ERR_RULE},
    {"the owner has left the region", 6, 4, 0x0f, 0, 0, nothing, ERR_RULE},
    {"... and signs for the heir", 6, 4, 0x0f, 1, 0, nothing, ERR_AUTH},
    {"the first heir has left too", 6, 4, 0x0f, 2, 2, nothing, ERR_RULE},
    {"the second heir", 6, 4, 0x0e, 1, 1, nothing, ERR_NONE},
    {"the second heir for another", 6, 4, 0x0f, 3, 1, nothing, ERR_RULE},
    {"the second heir, no member", 6, 4, 0x09, 0, 1, nothing, ERR_RULE},
    {"no heir", 6, 4, 0x0e, 3, 3, nothing, ERR_RULE},
    {"no heir in the heir's name", 6, 4, 0x0e, 1, 3, nothing, ERR_AUTH},
};

static void
successors(void **state)
{
    (void)state;
    make(&made[0], NULL, 5, 3, 0x0f, 0);
    memset(made[0].c.previous.b, 7, HASH_BYTES);
    sign(&made[0], 0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct region *r = steps[i].region == 6 ? &at6 : &at5;
        struct err e = ERR_INIT;
        int got;

        make(&made[1], &made[0].c, steps[i].region, steps[i].version, steps[i].members,
             steps[i].owner);
        steps[i].change(&made[1]);
        sign(&made[1], steps[i].by);
        got = circle_check(&made[0].c, &made[1].c, &made[1].mark, r, &e);
        if (e.code != steps[i].code || got != (steps[i].code == ERR_NONE ? 0 : -1))
            fail_msg("%s: %s, %s", steps[i].name, err_name(e.code), e.text);
    }
    /* Region versions do not fall: the same region, told to be older than prev's. */
    make(&made[1], &made[0].c, 6, 4, 0x0e, 1);
    sign(&made[1], 1);
    make(&made[2], &made[1].c, 5, 5, 0x0e, 1);
    sign(&made[2], 1);
    assert_int_equal(circle_check(&made[1].c, &made[2].c, &made[2].mark, &at5, NULL), -1);
    /* A mark of another body, order, group or signer. */
    for (unsigned what = 0; what < 5; what++) {
        struct circle_mark m;

        make(&made[1], &made[0].c, 5, 4, 0x0f, 0);
        sign(&made[1], 0);
        assert_int_equal(circle_check(&made[0].c, &made[1].c, &made[1].mark, &at5, NULL), 0);
        m = made[1].mark;
        if (what == 0)
            m.body.b[0] ^= 1;
        else if (what == 1)
            m.order++;
        else if (what == 2)
            m.group[0] ^= 1;
        else if (what == 3)
            m.by = people[1].id;
        else
            m.sig.b[0] ^= 1;
        assert_int_equal(circle_check(&made[0].c, &made[1].c, &m, &at5, NULL), -1);
        assert_int_equal(circle_check_alone(&made[1].c, &m, &at5, NULL), -1);
    }
}

static void
beginnings(void **state)
{
    struct err e = ERR_INIT;
    (void)state;

    make(&made[0], NULL, 5, 1, 0x0f, 0);
    sign(&made[0], 0);
    assert_hex(made[0].c.hash.b, HASH_BYTES,
               "7c23980f687e585359fe278dca861e9697ff4137fc6df0746be8135fb02f310e");
    assert_hex(made[0].mark.sig.b, SIGNATURE_BYTES,
               "3b49e265d055a38425a3792c6f33a665022be84a6d892b3282fb2a58fd739a44"
               "ed5f3f3515730f4f6c911271d5df9dca57aa6587278e67f3f910f53df74a3507");
    assert_int_equal(circle_check(NULL, &made[0].c, &made[0].mark, &at5, &e), 0);
    assert_int_equal(circle_check_alone(&made[0].c, &made[0].mark, &at5, &e), 0);
    assert_int_equal(circle_check_alone(&made[0].c, &made[0].mark, &at6, &e), -1);
    assert_int_equal(e.code, ERR_MISSING);
    sign(&made[0], 1); /* not the owner */
    assert_int_equal(circle_check(NULL, &made[0].c, &made[0].mark, &at5, &e), -1);
    assert_int_equal(circle_check_alone(&made[0].c, &made[0].mark, &at5, &e), -1);
    assert_int_equal(e.code, ERR_AUTH);
    make(&made[0], NULL, 6, 1, 0x0f, 0); /* who is not in the region */
    sign(&made[0], 0);
    assert_int_equal(circle_check(NULL, &made[0].c, &made[0].mark, &at6, &e), -1);
    assert_int_equal(e.code, ERR_AUTH);
    make(&made[0], NULL, 5, 3, 0x0f, 0); /* not a beginning */
    memset(made[0].c.previous.b, 7, HASH_BYTES);
    sign(&made[0], 0);
    assert_int_equal(circle_check(NULL, &made[0].c, &made[0].mark, &at5, &e), -1);
    assert_int_equal(e.code, ERR_RULE);
    /* One that has handed over is not taken alone. */
    make(&made[1], &made[0].c, 5, 4, 0x0f, 1);
    sign(&made[1], 0);
    assert_int_equal(circle_check(&made[0].c, &made[1].c, &made[1].mark, &at5, &e), 0);
    assert_int_equal(circle_check_alone(&made[1].c, &made[1].mark, &at5, &e), -1);
    /* Version 1 with a past, or with streams that end. */
    make(&made[0], NULL, 5, 1, 0x0f, 0);
    made[0].c.past = true;
    assert_int_equal(circle_print(&made[0].c, &made[0].b, &e), -1);
    made[0].c.past = false;
    made[0].c.final_n = 1;
    made[0].finals[0].member = people[9].id;
    assert_int_equal(circle_print(&made[0].c, &made[0].b, &e), -1);
}

/* ---- which counts ---- */

/* Versions that are known: who signed, and what must come out. */
struct version {
    uint64_t region, number;
    unsigned members, by;
};

static const struct {
    const char *name;
    struct version v[4];
    unsigned n;
    uint64_t newest; /* 5 or 6 */
    unsigned top;    /* index; 9: not asked (equal orders) */
    bool settled;
    unsigned members;
    uint64_t next;
} sets[] = {
    {"one", {{5, 1, 0x0f, 0}}, 1, 5, 0, true, 0x0f, 2},
    {"a chain", {{5, 1, 0x0f, 0}, {5, 2, 0x07, 0}}, 2, 5, 1, true, 0x07, 3},
    {"a chain, backwards", {{5, 2, 0x07, 0}, {5, 1, 0x0f, 0}}, 2, 5, 0, true, 0x07, 3},
    {"one twice", {{5, 1, 0x0f, 0}, {5, 1, 0x0f, 0}}, 2, 5, 0, true, 0x0f, 2},
    {"two of a number", {{5, 2, 0x07, 0}, {5, 2, 0x0d, 0}}, 2, 5, 9, false, 0x05, 3},
    {"three of a number",
     {{5, 2, 0x07, 0}, {5, 2, 0x0d, 0}, {5, 2, 0x19, 0}},
     3,
     5,
     9,
     false,
     0x01,
     3},
    {"nothing in common", {{5, 2, 0x02, 1}, {5, 2, 0x04, 2}}, 2, 5, 9, false, 0, 3},
    {"mended", {{5, 2, 0x07, 0}, {5, 2, 0x0d, 0}, {5, 3, 0x0f, 0}}, 3, 5, 2, true, 0x0f, 4},
    /* the owner forgot 3 to 7, which removed 3, and began again at 3 in a newer region version */
    {"set back", {{5, 7, 0x07, 1}, {6, 3, 0x1e, 1}}, 2, 6, 1, false, 0x06, 8},
    {"set back and mended",
     {{5, 7, 0x07, 1}, {6, 3, 0x1e, 1}, {6, 8, 0x1e, 1}},
     3,
     6,
     2,
     true,
     0x1e,
     9},
    {"set back, mended too low",
     {{5, 7, 0x07, 1}, {6, 3, 0x1e, 1}, {6, 7, 0x1e, 1}},
     3,
     6,
     2,
     false,
     0x06,
     8},
    /* 0 has left the region and goes on signing */
    {"an owner that has left", {{5, 9, 0x21, 0}, {6, 4, 0x0e, 1}}, 2, 6, 1, true, 0x0e, 5},
    {"... and nobody took over", {{5, 9, 0x21, 0}, {5, 3, 0x0f, 0}}, 2, 6, 0, true, 0x21, 10},
    {"... with two of a number", {{5, 9, 0x21, 0}, {5, 9, 0x0f, 0}}, 2, 6, 9, false, 0x01, 10},
    {"of a number, across regions", {{5, 4, 0x0e, 1}, {6, 4, 0x3a, 1}}, 2, 6, 1, false, 0x0a, 5},
};

static void
which_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        const struct region *newest = sets[i].newest == 6 ? &at6 : &at5;
        /* In every order in which they may have come. */
        for (unsigned turn = 0; turn < sets[i].n; turn++) {
            struct circle_known known[4];
            struct circle_current cur;
            struct err e = ERR_INIT;
            unsigned members = 0;

            for (unsigned j = 0; j < sets[i].n; j++) {
                const struct version *v = &sets[i].v[j];

                make(&made[j], NULL, v->region, v->number, v->members, v->by);
                if (v->number > 1)
                    memset(made[j].c.previous.b, 7, HASH_BYTES);
                sign(&made[j], v->by);
                known[(j + turn) % sets[i].n] =
                    (struct circle_known){.circle = &made[j].c, .by = people[v->by].id};
            }
            assert_int_equal(circle_current(known, sets[i].n, newest, arena, &cur, &e), 0);
            for (size_t j = 0; j < cur.member_n; j++)
                for (unsigned k = 0; k < 16; k++)
                    if (memcmp(&cur.members[j], &people[k].id, sizeof people[k].id) == 0)
                        members |= 1u << k;
            if (cur.settled != sets[i].settled || members != sets[i].members ||
                cur.next != sets[i].next)
                fail_msg("%s: settled %d, members %x, next %llu", sets[i].name, cur.settled,
                         members, (unsigned long long)cur.next);
            if (sets[i].top != 9)
                assert_true(hash_eq(&cur.top->hash, &made[sets[i].top].c.hash));
        }
    }
}

static void
what_cannot_count(void **state)
{
    struct circle_current cur = {.next = 77};
    struct circle_known known[2] = {{.circle = NULL}};
    struct err e = ERR_INIT;
    struct arena *a;
    (void)state;

    assert_int_equal(circle_current(known, 0, &at5, arena, &cur, &e), -1);
    assert_int_equal(e.code, ERR_MISSING);
    make(&made[0], NULL, 6, 1, 0x0e, 1);
    sign(&made[0], 1);
    known[0] = (struct circle_known){&made[0].c, people[1].id};
    assert_int_equal(circle_current(known, 1, &at5, arena, &cur, &e), -1);
    assert_int_equal(e.code, ERR_MISSING);
    make(&made[1], NULL, 6, 1, 0x0e, 1);
    another_group(&made[1]);
    sign(&made[1], 1);
    known[1] = (struct circle_known){&made[1].c, people[1].id};
    assert_int_equal(circle_current(known, 2, &at6, arena, &cur, &e), -1);
    assert_int_equal(e.code, ERR_RULE);
    a = arena_new(16);
    assert_int_equal(circle_current(known, 1, &at6, a, &cur, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    arena_free(a);
    a = arena_new(ARENA);
    mem_fail_at(1);
    assert_int_equal(circle_current(known, 1, &at6, a, &cur, &e), -1);
    mem_fail_at(0);
    assert_int_equal(e.code, ERR_MEMORY);
    arena_free(a);
    assert_int_equal(cur.next, 77);
}

/* 3 is in versions 1 and 2, out in 3, back in 4 (a new generation), out in 5. */
static void
entries_and_ends(void **state)
{
    static const unsigned members[] = {0x0f, 0x0f, 0x07, 0x0f, 0x07};
    struct circle_known known[5];
    struct hash stream = {{0}}, other = {{1}};
    const struct uuid *three = &people[3].id;
    uint64_t size = 99;
    uint8_t old[16], new[16];
    (void)state;

    for (unsigned i = 0; i < 5; i++) {
        make(&made[i], i == 0 ? NULL : &made[i - 1].c, 5, i + 1, members[i], 0);
        if (i == 2 || i == 4)
            final_of_3(&made[i]);
        if (i == 4)
            made[i].finals[0].size = 70;
        if (i == 3)
            new_generation(&made[i]);
        sign(&made[i], 0);
        assert_int_equal(
            circle_check(i == 0 ? NULL : &made[i - 1].c, &made[i].c, &made[i].mark, &at5, NULL), 0);
        known[i] = (struct circle_known){&made[i].c, people[0].id};
    }
    memcpy(old, made[0].c.generation, 16);
    memcpy(new, made[4].c.generation, 16);
    assert_true(circle_may_have(known, 5, old, three, GROUP_ORDER(5, 1)));
    assert_true(circle_may_have(known, 5, old, three, GROUP_ORDER(5, 2)));
    assert_false(circle_may_have(known, 5, old, three, GROUP_ORDER(5, 3)));
    assert_false(circle_may_have(known, 1, old, three, GROUP_ORDER(5, 2))); /* not known so far */
    assert_true(circle_may_have(known, 5, new, three, GROUP_ORDER(5, 4)));
    assert_true(circle_may_have(known, 5, new, three, GROUP_ORDER(5, 1)));
    assert_false(circle_may_have(known, 5, new, three, GROUP_ORDER(5, 5)));
    assert_false(circle_may_have(known, 5, new, &people[9].id, 0));
    assert_true(circle_may_have(known, 5, old, &people[0].id, GROUP_ORDER(5, 3)));
    assert_false(circle_may_have(known, 5, old, &people[0].id, GROUP_ORDER(5, 4)));
    assert_false(circle_may_have(known, 0, old, &people[0].id, 0));

    assert_int_equal(circle_final(known, 5, &made[1].c, three, &stream, &size), 0);
    assert_int_equal(circle_final(known, 5, &made[3].c, three, &stream, &size), 0);
    assert_int_equal(circle_final(known, 5, &made[4].c, &people[9].id, &stream, &size), 0);
    assert_int_equal(size, 99);
    assert_int_equal(circle_final(known, 5, &made[2].c, three, &stream, &size), 1);
    assert_int_equal(size, 7);
    assert_int_equal(circle_final(known, 5, &made[4].c, three, &stream, &size), 1);
    assert_int_equal(size, 70);
    assert_int_equal(circle_final(known, 5, &made[4].c, three, &other, &size), 1);
    assert_int_equal(size, 0); /* not listed */
    assert_int_equal(circle_final(known + 4, 1, &made[4].c, three, &stream, &size), -1);
}

static void
limits(void **state)
{
    static char text[CIRCLE_CHARTER_MAX + 1];
    static struct stream_end ends[CIRCLE_FINALS_MAX + 1];
    struct made *m = &made[0];
    struct err e = ERR_INIT;
    struct circle back;
    struct buf b;
    (void)state;

    buf_init(&b, 2 * CIRCLE_BODY_MAX);
    memset(text, 'a', sizeof text);
    make(m, NULL, 5, 1, 0, 0);
    for (unsigned i = 0; i < CIRCLE_MEMBERS_MAX + 1; i++) {
        m->members[i].b[0] = (uint8_t)(i >> 8);
        m->members[i].b[1] = (uint8_t)i;
        if (i < CIRCLE_HEIRS_MAX + 1)
            m->heirs[i] = m->members[i];
    }
    m->c.owner = m->members[100];
    for (unsigned i = 0; i < 2; i++) {
        buf_reset(&b);
        m->c.heir_n = CIRCLE_HEIRS_MAX;
        m->c.member_n = CIRCLE_MEMBERS_MAX + i;
        assert_int_equal(circle_print(&m->c, &b, &e), i == 0 ? 0 : -1);
        if (i == 0)
            assert_int_equal(circle_read(buf_view(&b), arena, &back, &e), 0);
        m->c.member_n = 200;
        m->c.heir_n = CIRCLE_HEIRS_MAX + i;
        assert_int_equal(circle_print(&m->c, &b, &e), i == 0 ? 0 : -1);
        m->c.heir_n = 0;
        m->c.name = span_from(text, CIRCLE_NAME_MAX + i);
        assert_int_equal(circle_print(&m->c, &b, &e), i == 0 ? 0 : -1);
        m->c.name = SPAN("x");
        m->c.charter = span_from(text, CIRCLE_CHARTER_MAX + i);
        assert_int_equal(circle_print(&m->c, &b, &e), i == 0 ? 0 : -1);
        m->c.charter = SPAN("");
    }
    m->c.version = 2;
    m->c.previous.b[0] = 1;
    m->c.finals = ends;
    for (unsigned i = 0; i < CIRCLE_FINALS_MAX + 1; i++) {
        ends[i].member = people[60].id;
        ends[i].stream.b[0] = (uint8_t)(i >> 8);
        ends[i].stream.b[1] = (uint8_t)i;
    }
    m->c.final_n = CIRCLE_FINALS_MAX;
    buf_reset(&b);
    assert_int_equal(circle_print(&m->c, &b, &e), 0);
    assert_int_equal(circle_read(buf_view(&b), arena, &back, &e), 0);
    m->c.final_n++;
    assert_int_equal(circle_print(&m->c, &b, &e), -1);
    m->c.final_n = 2;
    ends[1].stream = ends[0].stream; /* twice */
    assert_int_equal(circle_print(&m->c, &b, &e), -1);
    buf_clear(&b);
}

static void
signed_versions_as_bytes(void **state)
{
    struct circle_signed s, back;
    struct err e = ERR_INIT;
    struct circle_mark mark;
    struct circle c;
    struct buf b;
    (void)state;

    make(&made[0], NULL, 5, 1, 0x0f, 0);
    sign(&made[0], 0);
    s = (struct circle_signed){buf_view(&made[0].b), people[0].id, made[0].mark.sig};
    buf_init(&b, CIRCLE_BODY_MAX);
    assert_int_equal(circle_signed_encode(&s, &b, &e), 0);
    assert_int_equal(circle_signed_decode(buf_view(&b), &back, &e), 0);
    assert_int_equal(circle_read(back.body, arena, &c, &e), 0);
    mark = circle_mark_of(&c, &back);
    assert_int_equal(circle_check(NULL, &c, &mark, &at5, &e), 0);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(circle_signed_decode(span_from(b.p, n), &back, &e), -1);
    assert_int_equal(e.code, ERR_PROTOCOL);
    buf_put(&b, "", 1);
    assert_int_equal(circle_signed_decode(buf_view(&b), &back, &e), -1);
    s.body.n = CIRCLE_BODY_MAX + 1;
    assert_int_equal(circle_signed_encode(&s, &b, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    buf_clear(&b);
}

static void
memory_may_fail(void **state)
{
    (void)state;
    for (size_t n = 1; n < 4; n++) {
        struct err e = ERR_INIT;
        struct arena *a;
        struct circle c;
        int got = -1;

        mem_fail_at(n);
        a = arena_new(ARENA);
        if (a != NULL)
            got = circle_read(SPAN(body_text), a, &c, &e);
        mem_fail_at(0);
        assert_true(a == NULL || got == 0 || e.code == ERR_MEMORY);
        assert_int_equal(got, n < 3 ? -1 : 0); /* the arena and its only chunk */
        arena_free(a);
    }
}

static int
start(void **state)
{
    struct region_member m;

    arena = arena_new(ARENA);
    if (arena == NULL || people_make(state) < 0)
        return -1;
    at5 = people_region(6, 5, list[0]);
    at6 = people_region(6, 6, list[1]);
    m = list[1][1];
    memmove(&list[1][1], &list[1][3], 3 * sizeof m); /* without 0 and 2 */
    list[1][0] = m;
    at6.member_n = 4;
    at6.coordinator = people[1].id;
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof made / sizeof made[0]; i++)
        buf_clear(&made[i].b);
    arena_free(arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_fixed),
        cmocka_unit_test(successors),
        cmocka_unit_test(beginnings),
        cmocka_unit_test(which_counts),
        cmocka_unit_test(what_cannot_count),
        cmocka_unit_test(entries_and_ends),
        cmocka_unit_test(limits),
        cmocka_unit_test(signed_versions_as_bytes),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
