/* Who is in what: standings by versions of region and groups, and where streams end. */
#include "people.h"

#include "arena.h"
#include "membership.h"

#define ARENA (4u << 20)

static struct arena *arena;

/* ---- a region of six, which 0 and 2 leave, and where 2 comes back ---- */

static struct region chain[3]; /* versions 5, 6 and 7 */
static struct region_member lists[3][PEOPLE];
static const struct hash stream_a = {{0xa}}, stream_b = {{0xb}};
static struct stream_end region_finals[1];
static struct region_removed removed[2];

static void
without(struct region *r, struct region_member *list, unsigned person)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->member_n; i++)
        if (memcmp(list[i].id.b, people[person].id.b, sizeof list[i].id.b) != 0)
            list[kept++] = list[i];
    r->member_n = kept;
}

static void
regions_make(void)
{
    for (unsigned i = 0; i < 3; i++)
        chain[i] = people_region(6, 5 + i, lists[i]);
    without(&chain[1], lists[1], 0);
    without(&chain[1], lists[1], 2);
    without(&chain[2], lists[2], 0);
    lists[2][1].key = people[40].key; /* person 2 comes back with another key */
    region_finals[0] = (struct stream_end){.member = people[0].id, .stream = stream_a, .size = 9};
    removed[0] = (struct region_removed){.id = people[0].id, .finals = region_finals, .final_n = 1};
    removed[1] = (struct region_removed){.id = people[2].id};
    chain[1].removed = removed;
    chain[1].removed_n = 2;
}

/* ---- versions of groups ---- */

struct version {
    unsigned group, generation; /* one byte each */
    uint64_t region, number;
    unsigned members, by;
    int before; /* index of the version that it follows; -1: none */
    unsigned ends;
    uint64_t end; /* of the stream a of that member */
};

#define VERSIONS_MAX 8
static struct circle circles[VERSIONS_MAX];
static struct uuid members[VERSIONS_MAX][8];
static struct stream_end finals[VERSIONS_MAX];
static struct circle_known known[VERSIONS_MAX];

static void
circles_make(const struct version *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct circle *c = &circles[i];

        *c = (struct circle){.version = v[i].number,
                             .region = v[i].region,
                             .name = SPAN("Banks"),
                             .owner = people[v[i].by].id,
                             .members = members[i],
                             .finals = &finals[i],
                             .final_n = v[i].end > 0};
        memset(c->group, (int)v[i].group, sizeof c->group);
        memset(c->generation, (int)v[i].generation, sizeof c->generation);
        memset(c->hash.b, (int)i + 1, sizeof c->hash.b);
        if (v[i].before >= 0) {
            c->previous = circles[v[i].before].hash;
            c->past = v[i].generation == v[v[i].before].generation;
        }
        for (unsigned k = 0; k < 8; k++)
            if ((v[i].members >> k & 1) != 0)
                members[i][c->member_n++] = people[k].id;
        finals[i] = (struct stream_end){
            .member = people[v[i].ends].id, .stream = stream_a, .size = v[i].end};
        known[i] = (struct circle_known){c, people[v[i].by].id};
    }
}

static struct stream_name
audience(const char *group, unsigned generation, unsigned publisher)
{
    struct stream_name n = {.publisher = people[publisher].id, .group = span_of(group)};

    memset(n.generation, (int)generation, sizeof n.generation);
    return n;
}

#define G1      "01010101010101010101010101010101"
#define G2      "02020202020202020202020202020202"
#define O(r, n) GROUP_ORDER(r, n)

/* Group 1: 0 to 3; 2 is put out with 7 entries; then 4 joins without the past.  Group 2: two
 * versions of one number. */
static const struct version standard[] = {
    {1, 0xa, 5, 1, 0x0f, 1, -1, 0, 0}, {1, 0xa, 5, 2, 0x0b, 1, 0, 2, 7},
    {1, 0xb, 6, 3, 0x1b, 1, 1, 0, 0},  {2, 0xc, 5, 1, 0x0e, 1, -1, 0, 0},
    {2, 0xc, 5, 2, 0x1a, 1, 3, 0, 0},  {2, 0xc, 5, 2, 0x0e, 1, 3, 0, 0},
};
#define STANDARD (sizeof standard / sizeof standard[0])

static const struct {
    const char *name, *group;
    unsigned generation, member;
    size_t chain_n;
    int rc;
    struct member_standing want;
} standings[] = {
    {"region", "region", 0, 1, 1, 1, {O(5, 0), true, true, O(5, 0), O(5, 0)}},
    {"public", "public", 0, 1, 3, 1, {O(7, 0), true, true, O(7, 0), O(5, 0)}},
    {"who left", "region", 0, 0, 3, 1, {O(7, 0), false, true, O(5, 0), O(5, 0)}},
    {"who came back", "region", 0, 2, 3, 1, {O(7, 0), true, true, O(7, 0), O(5, 0)}},
    {"who has not yet", "region", 0, 2, 2, 1, {O(6, 0), false, true, O(5, 0), O(5, 0)}},
    {"a stranger", "region", 0, 9, 3, 1, {O(7, 0), false, false, 0, 0}},
    {"no region", "region", 0, 1, 0, 0, {0}},
    {"a generation that a region has not", "region", 1, 1, 3, 0, {0}},
    {"a group, a member", G1, 0xa, 1, 3, 1, {O(5, 2), true, true, O(5, 2), O(5, 1)}},
    {"who was put out", G1, 0xa, 2, 3, 1, {O(5, 2), false, true, O(5, 1), O(5, 1)}},
    {"who left the region", G1, 0xa, 0, 3, 1, {O(5, 2), false, true, O(5, 2), O(5, 1)}},
    {"... before that is known", G1, 0xa, 0, 1, 1, {O(5, 2), true, true, O(5, 2), O(5, 1)}},
    {"... in what follows", G1, 0xb, 0, 3, 1, {O(6, 3), false, true, O(5, VERSION_MAX), O(6, 3)}},
    {"a newcomer without the past", G1, 0xa, 4, 3, 1, {O(5, 2), false, false, 0, 0}},
    {"... in its own", G1, 0xb, 4, 3, 1, {O(6, 3), true, true, O(6, 3), O(6, 3)}},
    {"a version on a region not known", G1, 0xb, 4, 1, 0, {0}},
    {"in one of two rivals", G2, 0xc, 4, 3, 1, {O(5, 2), false, true, O(5, 2), O(5, 2)}},
    {"in the other", G2, 0xc, 2, 3, 1, {O(5, 2), false, true, O(5, 2), O(5, 1)}},
    {"in both", G2, 0xc, 3, 3, 1, {O(5, 2), true, true, O(5, 2), O(5, 1)}},
    {"a group nobody knows", "03030303030303030303030303030303", 1, 1, 3, 0, {0}},
    {"a generation nobody knows", G1, 0xc, 1, 3, 0, {0}},
    {"a group's id in capitals", "0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A", 1, 1, 3, 0, {0}},
    {"a person", "person:3", 0, 1, 3, 0, {0}},
    {"nothing", "", 0, 1, 3, 0, {0}},
};

static void
standing_of(const char *name, const struct membership *m, const char *group, unsigned generation,
            unsigned member, int rc, const struct member_standing *want)
{
    const struct stream_name a = audience(group, generation, 1);
    struct member_standing got;

    if (membership_standing(m, &a, &people[member].id, &got) != rc)
        fail_msg("%s: not %d", name, rc);
    if (got.known != want->known || got.now != want->now || got.ever != want->ever ||
        got.last_in != want->last_in || got.begins != want->begins)
        fail_msg("%s: known %llx now %d ever %d last in %llx begins %llx", name,
                 (unsigned long long)got.known, got.now, got.ever, (unsigned long long)got.last_in,
                 (unsigned long long)got.begins);
}

static void
standings_hold(void **state)
{
    struct membership m;
    struct err e = ERR_INIT;
    (void)state;

    circles_make(standard, STANDARD);
    for (size_t i = 0; i < sizeof standings / sizeof standings[0]; i++) {
        if (membership_make(chain, standings[i].chain_n, known, STANDARD, NULL, 0, arena, &m, &e) !=
            0)
            fail_msg("%s: %s", standings[i].name, e.text);
        standing_of(standings[i].name, &m, standings[i].group, standings[i].generation,
                    standings[i].member, standings[i].rc, &standings[i].want);
    }
    arena_reset(arena);
}

/* All say the same in whatever order they came. */
static void
order_is_nothing(void **state)
{
    struct check_random r;
    struct membership m;
    (void)state;

    r = check_seed("membership");
    circles_make(standard, STANDARD);
    for (unsigned run = 0; run < 200; run++) {
        for (size_t i = STANDARD; i > 1; i--) {
            const size_t k = (size_t)(check_next(&r) % i);
            const struct circle_known t = known[i - 1];

            known[i - 1] = known[k];
            known[k] = t;
        }
        assert_int_equal(membership_make(chain, 3, known, STANDARD, NULL, 0, arena, &m, NULL), 0);
        for (size_t i = 0; i < sizeof standings / sizeof standings[0]; i++)
            if (standings[i].chain_n == 3)
                standing_of(standings[i].name, &m, standings[i].group, standings[i].generation,
                            standings[i].member, standings[i].rc, &standings[i].want);
        arena_reset(arena);
    }
}

/* ---- notices ---- */

static void
notices_put_out(void **state)
{
    static const struct {
        const char *name;
        unsigned group, member;
        uint64_t order;
        unsigned by;
        bool now;
    } table[] = {
        {"newer than what is known", 1, 3, O(6, 4), 1, false},
        {"of what is known", 1, 3, O(6, 3), 1, true},
        {"older", 1, 3, O(5, 9), 1, true},
        {"of another member", 1, 1, O(6, 4), 1, true},
        {"of another group", 2, 3, O(6, 4), 1, true},
        {"by who is not its owner", 1, 3, O(6, 4), 4, true},
        {"by itself", 1, 3, O(6, 4), 3, true},
    };
    (void)state;

    circles_make(standard, STANDARD);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct out_notice out = {.order = table[i].order,
                                 .member = people[table[i].member].id,
                                 .by = people[table[i].by].id};
        const struct stream_name a = audience(G1, 0xb, 1);
        struct membership m;
        struct member_standing s;

        memset(out.group, (int)table[i].group, sizeof out.group);
        assert_int_equal(membership_make(chain, 3, known, STANDARD, &out, 1, arena, &m, NULL), 0);
        assert_int_equal(membership_standing(&m, &a, &people[3].id, &s), 1);
        if (s.now != table[i].now || !s.ever)
            fail_msg("%s", table[i].name);
        arena_reset(arena);
    }
}

/* ---- where streams end ---- */

static void
streams_end(void **state)
{
    static const struct {
        const char *name, *group;
        unsigned generation, publisher;
        const struct hash *stream;
        size_t chain_n, circle_n;
        int rc;
        uint64_t size;
    } table[] = {
        {"of a member", "region", 0, 1, &stream_a, 3, STANDARD, 0, 0},
        {"of who left", "region", 0, 0, &stream_a, 3, STANDARD, 1, 9},
        {"... public too", "public", 0, 0, &stream_a, 3, STANDARD, 1, 9},
        {"... that is not listed", "region", 0, 0, &stream_b, 3, STANDARD, 1, 0},
        {"... before that is known", "region", 0, 0, &stream_a, 1, STANDARD, 0, 0},
        {"of who came back", "region", 0, 2, &stream_a, 3, STANDARD, 0, 0},
        {"... before that is known", "region", 0, 2, &stream_a, 2, STANDARD, 1, 0},
        {"of a stranger", "region", 0, 9, &stream_a, 3, STANDARD, 0, 0},
        {"no region", "region", 0, 0, &stream_a, 0, 0, 0, 0},
        {"of a group's member", G1, 0xa, 1, &stream_a, 3, STANDARD, 0, 0},
        {"of who was put out", G1, 0xa, 2, &stream_a, 3, STANDARD, 1, 7},
        {"... that is not listed", G1, 0xa, 2, &stream_b, 3, STANDARD, 1, 0},
        {"... before that is known", G1, 0xa, 2, &stream_a, 3, 1, 0, 0},
        {"of who never was in it", G1, 0xa, 5, &stream_a, 3, STANDARD, 0, 0},
        {"of a group nobody knows", G1, 0xa, 2, &stream_a, 3, 0, 0, 0},
        {"of a person", "person:2", 0, 2, &stream_a, 3, STANDARD, 0, 0},
    };
    (void)state;

    circles_make(standard, STANDARD);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct stream_name n =
            audience(table[i].group, table[i].generation, table[i].publisher);
        struct membership m;
        uint64_t size = 99;
        int rc;

        assert_int_equal(membership_make(chain, table[i].chain_n, known, table[i].circle_n, NULL, 0,
                                         arena, &m, NULL),
                         0);
        rc = membership_final(&m, &n, table[i].stream, &size);
        if (rc != table[i].rc || (rc == 1 && size != table[i].size))
            fail_msg("%s: %d, %llu", table[i].name, rc, (unsigned long long)size);
        arena_reset(arena);
    }
    /* The version that put 2 out is not known, only what came of it. */
    known[1] = known[2];
    {
        const struct stream_name n = audience(G1, 0xa, 2);
        struct membership m;
        uint64_t size = 99;

        assert_int_equal(membership_make(chain, 3, known, 2, NULL, 0, arena, &m, NULL), 0);
        assert_int_equal(membership_final(&m, &n, &stream_a, &size), 1);
        assert_int_equal(size, 0);
        arena_reset(arena);
    }
}

static void
who_is_a_member(void **state)
{
    struct region wrong[2] = {chain[1], chain[0]};
    struct membership m;
    uint8_t group[GROUP_ID_BYTES];
    struct err e = ERR_INIT;
    (void)state;

    circles_make(standard, STANDARD);
    assert_int_equal(membership_make(chain, 3, known, STANDARD, NULL, 0, arena, &m, &e), 0);
    assert_true(membership_in_region(&m, &people[1].id));
    assert_false(membership_in_region(&m, &people[0].id));
    assert_non_null(membership_member(&m, &people[0].id)); /* once */
    assert_null(membership_member(&m, &people[9].id));
    assert_true(sign_public_eq(&membership_member(&m, &people[2].id)->key, &people[40].key));
    assert_true(group_read(SPAN(G1), group));
    assert_true(membership_current(&m, group)->settled);
    assert_int_equal(membership_current(&m, group)->member_n, 4);
    assert_true(group_read(SPAN(G2), group));
    assert_false(membership_current(&m, group)->settled);
    assert_int_equal(membership_current(&m, group)->member_n, 2);
    group[0] ^= 1;
    assert_null(membership_current(&m, group));
    assert_int_equal(membership_make(wrong, 2, NULL, 0, NULL, 0, arena, &m, &e), -1);
    assert_int_equal(e.code, ERR_RULE);
    wrong[0] = wrong[1];
    assert_int_equal(membership_make(wrong, 2, NULL, 0, NULL, 0, arena, &m, NULL), -1);
    arena_reset(arena);
    for (unsigned n = 0; n < 2; n++) { /* no room: refused, nothing half made */
        struct arena *small = arena_new(n * 600 + 1);

        assert_int_equal(membership_make(chain, 3, known, STANDARD, NULL, 0, small, &m, &e), -1);
        arena_free(small);
    }
}

/* ---- what comes ---- */

/* Signed, with the hash of its body, by a person; sig_by: whose key. */
static struct circle_mark
mark_of(struct circle *c, unsigned by, unsigned sig_by)
{
    const struct signer s = signer_of(&people[sig_by].secret);
    struct circle_signed as = {.by = people[by].id};
    struct circle_mark m = circle_mark_of(c, &as);

    m.by = people[sig_by].id;
    assert_int_equal(circle_mark_sign(&m, &s, NULL), 0);
    m.by = people[by].id;
    return m;
}

/* Group 1 as it is known: versions 2 and 3, of owner 1 with the heir 3; version 1 came before. */
static const struct version come[] = {
    {1, 0xa, 5, 1, 0x0f, 1, -1, 0, 0}, /* 0 */
    {1, 0xa, 5, 2, 0x0b, 1, 0, 2, 7},  /* 1: known */
    {1, 0xa, 5, 3, 0x1b, 1, 1, 0, 0},  /* 2: known */
    {1, 0xa, 6, 4, 0x1a, 1, 2, 0, 0},  /* 3: follows */
    {1, 0xa, 6, 9, 0x1a, 1, -1, 0, 0}, /* 4: over a gap */
    {1, 0xa, 6, 9, 0x1a, 3, -1, 0, 0}, /* 5: over a gap, by another */
    {1, 0xa, 6, 1, 0x08, 3, -1, 0, 0}, /* 6: another beginning */
    {4, 0xd, 6, 1, 0x0a, 1, -1, 0, 0}, /* 7: a new group */
};

static void
versions_come(void **state)
{
    static const struct {
        const char *name;
        unsigned version, by, sig_by;
        size_t chain_n;
        bool known, first_word;
        int rc;
        enum err_code code;
    } table[] = {
        {"follows", 3, 1, 1, 3, true, false, 1, ERR_NONE},
        {"follows, by another", 3, 3, 3, 3, true, true, -1, ERR_AUTH},
        {"follows, with another's key", 3, 1, 3, 3, true, true, -1, ERR_AUTH},
        {"its region is not known yet", 3, 1, 1, 1, true, true, 0, ERR_NONE},
        {"what came before", 0, 1, 1, 3, true, false, 1, ERR_NONE},
        {"... signed by another member, as who hands over", 0, 3, 3, 3, true, false, 1, ERR_NONE},
        {"... with another's key", 0, 1, 3, 3, true, true, -1, ERR_AUTH},
        {"... signed by a stranger", 0, 9, 9, 3, true, true, -1, ERR_AUTH},
        {"over a gap", 4, 1, 1, 3, true, false, 1, ERR_NONE},
        {"over a gap, with another's key", 4, 1, 3, 3, true, true, -1, ERR_AUTH},
        {"over a gap, by who makes himself owner", 5, 3, 3, 3, true, true, 0, ERR_NONE},
        {"another beginning of what is known", 6, 3, 3, 3, true, true, 0, ERR_NONE},
        {"a beginning", 7, 1, 1, 3, true, true, 1, ERR_NONE},
        {"a beginning by another", 7, 3, 3, 3, true, true, -1, ERR_AUTH},
        {"a beginning that nobody vouches for", 7, 1, 1, 3, true, false, 0, ERR_NONE},
        {"a group met in the middle", 4, 1, 1, 3, false, true, 1, ERR_NONE},
        {"... not by its owner", 4, 3, 3, 3, false, true, -1, ERR_AUTH},
        {"... that nobody vouches for", 4, 1, 1, 3, false, false, 0, ERR_NONE},
        {"no region", 7, 1, 1, 0, false, true, 0, ERR_NONE},
    };
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct circle_known two[2];
        struct membership m;
        struct circle_mark mark;
        struct err e = ERR_INIT;
        int rc;

        circles_make(come, sizeof come / sizeof come[0]);
        if (table[i].version == 4 || table[i].version == 5)
            memset(circles[table[i].version].previous.b, 0x77, HASH_BYTES);
        memcpy(two, known + 1, sizeof two);
        assert_int_equal(membership_make(chain, table[i].chain_n, two, table[i].known ? 2 : 0, NULL,
                                         0, arena, &m, NULL),
                         0);
        mark = mark_of(&circles[table[i].version], table[i].by, table[i].sig_by);
        rc = membership_admits(&m, &circles[table[i].version], &mark, table[i].first_word, &e);
        if (rc != table[i].rc || (rc < 0 && e.code != table[i].code))
            fail_msg("%s: %d, %s", table[i].name, rc, e.text);
        arena_reset(arena);
    }
}

static int
setup(void **state)
{
    if (people_make(state) < 0)
        return -1;
    regions_make();
    arena = arena_new(ARENA);
    return arena == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standings_hold),  cmocka_unit_test(order_is_nothing),
        cmocka_unit_test(notices_put_out), cmocka_unit_test(streams_end),
        cmocka_unit_test(who_is_a_member), cmocka_unit_test(versions_come),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
