/* Region files: one body for each, and what may follow which with whose votes. */
#include "people.h"

#include "arena.h"
#include "mem.h"

#define ARENA  (4u << 20)
#define BALLOT (5 * VOTE_VOTERS_MAX) /* of the member at place 0 */

static struct arena *arena;

/* Two members, a partner of each kind, one removed: one text for ever. */
static const char body_text[] =
    "{\"coordinator\":\"identity--01000000-0000-4000-8000-000000000000\",\"members\":["
    "{\"address\":\"https://"
    "cert.example:8443\",\"country\":\"MY\",\"id\":\"identity--00000000-0000-4000-8000-"
    "000000000000\","
    "\"key\":\"zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Pw=\",\"name\":\"CERT\",\"since\":1},"
    "{\"address\":\"\",\"country\":\"\",\"id\":\"identity--01000000-0000-4000-8000-000000000000\","
    "\"key\":\"a3nFfmoJUjkoLASBjpYRLz8DpAAbqXpWTCOFKj8epfw=\",\"name\":\"\xe6\x97\xa5 "
    "\\\"x\\\"\",\"since\":4}"
    "],\"name\":\"South\",\"partners\":["
    "{\"ends\":0,\"groups\":[],\"id\":\"identity--03000000-0000-4000-8000-000000000000\",\"key\":"
    "\"\",\"name\":\"P\"},"
    "{\"ends\":9007199254740991,\"groups\":[\"00000000000000000000000000000001\","
    "\"00000000000000000000000000000002\"],"
    "\"id\":\"identity--04000000-0000-4000-8000-000000000000\","
    "\"key\":\"9L1GUhzntXiZrm9MoJ7d7GiTJ6hqIjLUo/Kk85rGip4=\",\"name\":\"Q\"}],"
    "\"previous\":\"0707070707070707070707070707070707070707070707070707070707070707\","
    "\"removed\":[{\"finals\":[{\"root\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"size\":"
    "12,"
    "\"stream\":\"0000000000000000000000000000000000000000000000000000000000000001\"}],"
    "\"id\":\"identity--02000000-0000-4000-8000-000000000000\"}],\"version\":4}";

/* One place of that text changed: is it then still a region? */
static const struct {
    const char *from, *to;
    enum err_code code; /* ERR_NONE: yes */
} changes[] = {
    {"South", "North", ERR_NONE},
    {"https://cert.example:8443", "", ERR_NONE},
    {"\"since\":4", "\"since\":1", ERR_NONE},
    {"\"size\":12", "\"size\":0", ERR_NONE},
    {"\"version\":4", "\"version\":2147483647", ERR_NONE},
    {"\"country\":\"MY\"", "\"country\":\"\"", ERR_NONE},
    {"\"version\":4", "\"version\":2147483648", ERR_RANGE},
    {"\"version\":4", "\"version\":0", ERR_RANGE},
    {"\"version\":4", "\"version\":-4", ERR_RANGE},
    {"\"version\":4", "\"version\":4.5", ERR_RANGE},
    {"\"version\":4", "\"version\":1", ERR_RULE}, /* has a previous; since 4 */
    {"\"version\":4", "\"version\":3", ERR_RULE}, /* since 4 */
    {"\"version\":4", "\"version\":\"4\"", ERR_TYPE},
    {"\"version\":4", "\"version\":4,\"x\":1", ERR_RULE},
    {"\"version\":4", "\"w\":4", ERR_MISSING},
    {",\"version\":4", "", ERR_MISSING},
    {"\"version\":4}", "\"version\":4} ", ERR_SYNTAX},
    {"\"version\":4}", "\"version\":4}{}", ERR_SYNTAX},
    {"\"version\":4}", "\"version\":4", ERR_SYNTAX},
    {"{\"coordinator\"", "[{\"coordinator\"", ERR_TYPE},
    {"{\"coordinator\"", " {\"coordinator\"", ERR_SYNTAX},
    {"{\"coordinator\"", "{\"b\":1,\"coordinator\"", ERR_MISSING},
    {"\"coordinator\":\"identity--01", "\"coordinator\":\"identity--02", ERR_RULE},
    {"\"coordinator\":\"identity--01", "\"coordinator\":\"01", ERR_SYNTAX},
    {"\"coordinator\":\"identity--01000000-0000-4000-8000-000000000000\"", "\"coordinator\":null",
     ERR_TYPE},
    {"\"id\":\"identity--00", "\"id\":\"identity--01", ERR_RULE}, /* twice */
    {"\"id\":\"identity--00", "\"id\":\"identity--09", ERR_RULE}, /* not sorted */
    {"\"id\":\"identity--03", "\"id\":\"identity--01", ERR_RULE}, /* a member too */
    {"\"id\":\"identity--03", "\"id\":\"identity--05", ERR_RULE},
    {"\"id\":\"identity--02", "\"id\":\"identity--01", ERR_RULE}, /* not removed */
    {"zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Pw=", "a3nFfmoJUjkoLASBjpYRLz8DpAAbqXpWTCOFKj8epfw=",
     ERR_RULE}, /* one key for two */
    {"9L1GUhzntXiZrm9MoJ7d7GiTJ6hqIjLUo/Kk85rGip4=", "a3nFfmoJUjkoLASBjpYRLz8DpAAbqXpWTCOFKj8epfw=",
     ERR_RULE},
    {"zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Pw=", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
     ERR_RULE}, /* of small order */
    {"zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Pw=", "", ERR_SYNTAX},
    {"zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Pw=", "zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Px=",
     ERR_SYNTAX},
    {"zswVB9wd3XKVlRwpCIjwla25BE0bc9aW5t8GXWg71Pw=", "zswQnyRZ7XyDJk0YdkB05A==", ERR_SYNTAX},
    {"9L1GUhzntXiZrm9MoJ7d7GiTJ6hqIjLUo/Kk85rGip4=", "YXKH", ERR_SYNTAX},
    {"\"country\":\"MY\"", "\"country\":\"my\"", ERR_RULE},
    {"\"country\":\"MY\"", "\"country\":\"M\"", ERR_RULE},
    {"\"country\":\"MY\"", "\"country\":\"MYS\"", ERR_LIMIT},
    {"https://cert.example:8443", "https://cert example:8443", ERR_RULE},
    {"https://cert.example:8443", "https://cert.ex\xc3\xa4mple", ERR_RULE},
    {"\"name\":\"CERT\"", "\"name\":\"\"", ERR_RANGE},
    {"\"name\":\"CERT\"", "\"name\":\"C\\nT\"", ERR_RANGE},
    {"\"name\":\"CERT\"", "\"name\":\"C\xc2\x85T\"", ERR_RANGE},
    {"\"name\":\"CERT\"", "\"name\":\"C\x7fT\"", ERR_RANGE},
    {"\"name\":\"CERT\"", "\"name\":\"C\xff\"", ERR_ENCODING},
    {"\"name\":\"CERT\"", "\"name\":\"C\\/T\"", ERR_RULE}, /* not canonical */
    {"\"since\":1", "\"since\":0", ERR_RANGE},
    {"\"since\":1", "\"since\":5", ERR_RULE},
    {"\"ends\":0", "\"ends\":9007199254740992", ERR_RANGE},
    {"\"groups\":[]", "\"groups\":[\"0\"]", ERR_SYNTAX},
    {"\"groups\":[]", "\"groups\":[0]", ERR_TYPE},
    {"\"groups\":[]", "\"groups\":{}", ERR_TYPE},
    {"\"groups\":[]", "\"groups\":[\"0000000000000000000000000000000A\"]", ERR_SYNTAX},
    {"00000000000000000000000000000001\",", "00000000000000000000000000000002\",", ERR_RULE},
    {"\"previous\":\"0707", "\"previous\":\"07", ERR_SYNTAX},
    {"\"previous\":\"0707", "\"previous\":\"07AA", ERR_SYNTAX},
    {"\"previous\":\"07070707070707070707070707070707070707070707070707070707070707",
     "\"previous\":\"00000000000000000000000000000000000000000000000000000000000000", ERR_NONE},
    {"0707070707070707070707070707070707070707070707070707070707070707",
     "0000000000000000000000000000000000000000000000000000000000000000", ERR_RULE},
    {"\"size\":12", "\"size\":4611686018427387905", ERR_RULE}, /* no such double: not canonical */
    {"\"size\":12", "\"size\":-1", ERR_RANGE},
    {"\"removed\":[{", "\"removed\":[1,{", ERR_TYPE},
    {"\"finals\":[{\"root\"", "\"finals\":[{\"loot\"", ERR_MISSING},
    {"\"members\":[", "\"members\":[[],", ERR_TYPE},
};

static void
bodies_are_fixed(void **state)
{
    char text[sizeof body_text + 200];
    struct err e = ERR_INIT;
    struct region r;
    struct hash h;
    struct buf b;
    (void)state;

    assert_int_equal(region_read(SPAN(body_text), arena, &r, &e), 0);
    assert_int_equal(r.member_n, 2);
    assert_int_equal(r.partner_n, 2);
    assert_int_equal(r.removed_n, 1);
    assert_memory_equal(&r.members[1].key, &people[1].key, sizeof people[1].key);
    assert_true(span_is(r.members[1].name, "\xe6\x97\xa5 \"x\""));
    assert_int_equal(r.partners[1].groups[1].b[15], 2);
    assert_int_equal(r.removed[0].finals[0].size, 12);
    hash_sha256(SPAN(body_text), &h);
    assert_true(hash_eq(&h, &r.hash));
    buf_init(&b, REGION_BODY_MAX);
    assert_int_equal(region_print(&r, &b, &e), 0);
    assert_true(span_is(buf_view(&b), body_text));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const char *at = strstr(body_text, changes[i].from);
        int got;

        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - body_text), body_text, changes[i].to,
                 at + strlen(changes[i].from));
        e = ERR_INIT;
        got = region_read(span_of(text), arena, &r, &e);
        if (e.code != changes[i].code || got != (changes[i].code == ERR_NONE ? 0 : -1))
            fail_msg("%s -> %s: %s, %s", changes[i].from, changes[i].to, err_name(e.code), e.text);
        if (got == 0) {
            buf_reset(&b);
            assert_int_equal(region_print(&r, &b, &e), 0);
            assert_true(span_is(buf_view(&b), text));
        }
    }
    for (size_t n = 0; n < sizeof body_text - 1; n++)
        assert_int_equal(region_read(span_from(body_text, n), arena, &r, NULL), -1);
    buf_clear(&b);
}

static void
limits(void **state)
{
    static struct region_member list[PEOPLE];
    static struct region_partner partners[REGION_PARTNERS_MAX + 1];
    static struct region_group groups[REGION_GROUPS_MAX + 1];
    static struct region_removed removed;
    static struct stream_end ends[REGION_FINALS_MAX + 1];
    static char text[REGION_ADDRESS_MAX + 1];
    struct err e = ERR_INIT;
    struct region r, back;
    struct buf b;
    (void)state;

    buf_init(&b, 2 * REGION_BODY_MAX);
    memset(text, 'a', sizeof text);
    r = people_region(REGION_MEMBERS_MAX, 2, list);
    region_body(&r, &b);
    assert_int_equal(region_read(buf_view(&b), arena, &back, &e), 0);
    assert_int_equal(back.member_n, REGION_MEMBERS_MAX);
    r = people_region(REGION_MEMBERS_MAX + 1, 2, list);
    assert_int_equal(region_print(&r, &b, &e), -1);
    r.member_n = 0;
    assert_int_equal(region_print(&r, &b, &e), -1);
    r = people_region(2, 2, list);
    for (unsigned i = 0; i < 2; i++) {
        list[0].name = span_from(text, REGION_NAME_MAX + i);
        assert_int_equal(region_print(&r, &b, &e), i == 0 ? 0 : -1);
        list[0].name = SPAN("x");
        list[0].address = span_from(text, REGION_ADDRESS_MAX + i);
        assert_int_equal(region_print(&r, &b, &e), i == 0 ? 0 : -1);
        list[0].address = SPAN("");
        r.name = span_from(text, REGION_NAME_MAX + i);
        assert_int_equal(region_print(&r, &b, &e), i == 0 ? 0 : -1);
        r.name = SPAN("x");
        buf_reset(&b);
    }
    for (unsigned i = 0; i < REGION_PARTNERS_MAX + 1; i++) {
        partners[i] = (struct region_partner){.name = SPAN("p")};
        partners[i].id.b[0] = 0xff;
        partners[i].id.b[1] = (uint8_t)(i >> 8);
        partners[i].id.b[2] = (uint8_t)i;
    }
    for (unsigned i = 0; i < REGION_GROUPS_MAX + 1; i++)
        groups[i].b[0] = (uint8_t)i;
    partners[0].groups = groups;
    r.partners = partners;
    for (unsigned i = 0; i < 2; i++) {
        r.partner_n = REGION_PARTNERS_MAX + i;
        partners[0].group_n = 0;
        assert_int_equal(region_print(&r, &b, &e), i == 0 ? 0 : -1);
        r.partner_n = 1;
        partners[0].group_n = REGION_GROUPS_MAX + i;
        assert_int_equal(region_print(&r, &b, &e), i == 0 ? 0 : -1);
        buf_reset(&b);
    }
    r.partner_n = 0;
    removed.id = people[5].id;
    removed.finals = ends;
    for (unsigned i = 0; i < REGION_FINALS_MAX + 1; i++) {
        ends[i].member = people[5].id;
        ends[i].stream.b[0] = (uint8_t)(i >> 8);
        ends[i].stream.b[1] = (uint8_t)i;
    }
    r.removed = &removed;
    r.removed_n = 1;
    removed.final_n = REGION_FINALS_MAX;
    buf_reset(&b);
    region_body(&r, &b);
    assert_int_equal(region_read(buf_view(&b), arena, &back, &e), 0);
    removed.final_n++;
    assert_int_equal(region_print(&r, &b, &e), -1);
    assert_int_equal(e.code, ERR_RULE);
    /* A body of the limit's size is looked at, a larger one is not. */
    buf_reset(&b);
    memset(buf_room(&b, REGION_BODY_MAX + 1), ' ', REGION_BODY_MAX + 1);
    assert_int_equal(region_read(span_part(buf_view(&b), 0, REGION_BODY_MAX), arena, &back, &e),
                     -1);
    assert_int_equal(e.code, ERR_SYNTAX);
    assert_int_equal(region_read(buf_view(&b), arena, &back, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    buf_clear(&b);
}

/* ---- what follows what ---- */

struct step {
    struct region_member was[PEOPLE], is[PEOPLE];
    struct region_removed removed[2];
    struct region_partner partner;
    struct region prev, next;
    struct region_voter voters[PEOPLE];
    struct region_signed s;
    struct buf b, unused;
};

/* Five members at version 3, and version 4, nothing changed yet. */
static void
step_init(struct step *t)
{
    memset(t, 0, sizeof *t);
    buf_init(&t->b, REGION_BODY_MAX);
    buf_init(&t->unused, REGION_BODY_MAX);
    t->prev = people_region(5, 3, t->was);
    region_body(&t->prev, &t->unused);
    t->next = people_region(5, 4, t->is);
    t->next.previous = t->prev.hash;
    t->next.removed = t->removed;
}

/* With votes of those in who (bits), in that ballot. */
static void
step_sign(struct step *t, unsigned who, uint64_t ballot)
{
    size_t n = 0;

    region_body(&t->next, &t->b);
    for (unsigned i = 0; i < 32; i++) {
        if ((who >> i & 1) == 0)
            continue;
        const struct vote v = person_vote(i, &t->next, ballot);
        t->voters[n++] = (struct region_voter){v.by, v.sig};
    }
    t->s = (struct region_signed){
        .body = buf_view(&t->b), .ballot = ballot, .voters = t->voters, .voter_n = n};
}

static void
step_clear(struct step *t)
{
    buf_clear(&t->b);
    buf_clear(&t->unused);
}

static void
rename_two(struct step *t)
{
    t->is[2].name = SPAN("New name");
}

static void
move_two(struct step *t)
{
    t->is[2].address = SPAN("other.example:1");
}

static void
key_of_two(struct step *t)
{
    t->is[2].key = people[40].key;
}

static void
country_of_two(struct step *t)
{
    t->is[2].country = SPAN("SG");
}

static void
coordinator(struct step *t)
{
    t->next.coordinator = people[3].id;
}

static void
region_name(struct step *t)
{
    t->next.name = SPAN("North");
}

static void
partner(struct step *t)
{
    t->partner = (struct region_partner){.id = people[50].id, .name = SPAN("P")};
    t->next.partners = &t->partner;
    t->next.partner_n = 1;
}

static void
join(struct step *t)
{
    t->is[5] = person_member(5, 4);
    t->next.member_n = 6;
}

static void
join_since_3(struct step *t)
{
    join(t);
    t->is[5].since = 3;
}

static void
leave_in_silence(struct step *t)
{
    t->next.member_n = 4;
}

static void
leave(struct step *t)
{
    t->next.member_n = 4;
    t->removed[0] = (struct region_removed){.id = people[4].id};
    t->next.removed_n = 1;
}

static void
leave_and_rename(struct step *t)
{
    leave(t);
    rename_two(t);
}

static void
remove_a_stranger(struct step *t)
{
    leave(t);
    t->removed[1] = (struct region_removed){.id = people[9].id};
    t->next.removed_n = 2;
}

static void
since_changes(struct step *t)
{
    t->is[2].since = 2;
}

static void
nothing(struct step *t)
{
    (void)t;
}

static void
skips_one(struct step *t)
{
    region_name(t);
    t->next.version = 5;
}

static void
of_another_chain(struct step *t)
{
    region_name(t);
    t->next.previous.b[0] ^= 1;
}

/* Bits of people: 0x1f all five, 0x07 a majority with 2, 0x0b one without. */
static const struct {
    const char *name;
    void (*change)(struct step *t);
    unsigned who;
    uint64_t ballot;
    enum err_code code;
    bool people;
    region_set own, rolled, removed;
    size_t added;
} steps[] = {
    {"own name", rename_two, 0x07, BALLOT, ERR_NONE, false, 4, 0, 0, 0},
    {"own address", move_two, 0x07, BALLOT, ERR_NONE, false, 4, 0, 0, 0},
    {"another's name", rename_two, 0x0b, BALLOT, ERR_AUTH, false, 4, 0, 0, 0},
    {"another's name, by all but it", rename_two, 0x1b, BALLOT, ERR_AUTH, false, 4, 0, 0, 0},
    {"own name, alone", rename_two, 0x04, BALLOT, ERR_AUTH, false, 4, 0, 0, 0},
    {"own key, signed with the old", key_of_two, 0x07, BALLOT, ERR_NONE, false, 0, 4, 0, 0},
    {"a lost key, by the others", key_of_two, 0x0b, BALLOT, ERR_NONE, false, 0, 4, 0, 0},
    {"own key, alone", key_of_two, 0x04, BALLOT, ERR_AUTH, false, 0, 4, 0, 0},
    {"a country", country_of_two, 0x07, BALLOT, ERR_NONE, true, 0, 0, 0, 0},
    {"coordinator without consent", coordinator, 0x07, BALLOT, ERR_NONE, true, 0, 0, 0, 0},
    {"coordinator, two of five", coordinator, 0x03, BALLOT, ERR_AUTH, true, 0, 0, 0, 0},
    {"coordinator, all", coordinator, 0x1f, BALLOT, ERR_NONE, true, 0, 0, 0, 0},
    {"coordinator, nobody", coordinator, 0x00, BALLOT, ERR_AUTH, true, 0, 0, 0, 0},
    {"ballot of another's", coordinator, 0x07, BALLOT + 4, ERR_NONE, true, 0, 0, 0, 0},
    {"ballot of nobody's", coordinator, 0x07, BALLOT + 5, ERR_AUTH, true, 0, 0, 0, 0},
    {"first ballot", coordinator, 0x07, VOTE_VOTERS_MAX, ERR_NONE, true, 0, 0, 0, 0},
    {"below the first ballot", coordinator, 0x07, 1, ERR_AUTH, true, 0, 0, 0, 0},
    {"the region's name", region_name, 0x07, BALLOT, ERR_NONE, true, 0, 0, 0, 0},
    {"a partner", partner, 0x07, BALLOT, ERR_NONE, true, 0, 0, 0, 0},
    {"a partner, by two", partner, 0x18, BALLOT, ERR_AUTH, true, 0, 0, 0, 0},
    {"one joins", join, 0x07, BALLOT, ERR_NONE, true, 0, 0, 0, 1},
    {"one joins and votes", join, 0x23, BALLOT, ERR_AUTH, true, 0, 0, 0, 1},
    {"one joins from earlier", join_since_3, 0x07, BALLOT, ERR_RULE, false, 0, 0, 0, 0},
    {"one leaves", leave, 0x07, BALLOT, ERR_NONE, true, 0, 0, 16, 0},
    {"one leaves by its own vote", leave, 0x13, BALLOT, ERR_NONE, true, 0, 0, 16, 0},
    {"one leaves unnamed", leave_in_silence, 0x1f, BALLOT, ERR_RULE, false, 0, 0, 0, 0},
    {"a stranger leaves too", remove_a_stranger, 0x1f, BALLOT, ERR_RULE, false, 0, 0, 0, 0},
    {"both kinds", leave_and_rename, 0x07, BALLOT, ERR_NONE, true, 4, 0, 16, 0},
    {"both kinds without its own", leave_and_rename, 0x0b, BALLOT, ERR_AUTH, true, 4, 0, 16, 0},
    {"since", since_changes, 0x1f, BALLOT, ERR_RULE, false, 0, 0, 0, 0},
    {"nothing", nothing, 0x1f, BALLOT, ERR_RULE, false, 0, 0, 0, 0},
    {"a version too many", skips_one, 0x1f, BALLOT, ERR_RULE, false, 0, 0, 0, 0},
    {"another chain", of_another_chain, 0x1f, BALLOT, ERR_RULE, false, 0, 0, 0, 0},
};

static void
successors(void **state)
{
    static struct step t;
    (void)state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct region_change c = {.added = 99};
        struct err e = ERR_INIT;
        struct region out;
        int got;

        step_init(&t);
        steps[i].change(&t);
        step_sign(&t, steps[i].who, steps[i].ballot);
        got = region_check_successor(&t.prev, &t.s, arena, &out, &e);
        if (e.code != steps[i].code || got != (steps[i].code == ERR_NONE ? 0 : -1))
            fail_msg("%s: %s, %s", steps[i].name, err_name(e.code), e.text);
        if (got == 0)
            assert_true(hash_eq(&out.hash, &t.next.hash));
        if (region_diff(&t.prev, &t.next, &c, NULL) == 0) {
            if (c.people != steps[i].people || c.own != steps[i].own ||
                c.rolled != steps[i].rolled || c.removed != steps[i].removed ||
                c.added != steps[i].added)
                fail_msg("%s: another change", steps[i].name);
            assert_int_equal(region_unasked(&c, steps[i].who),
                             !steps[i].people &&
                                 (steps[i].who & (steps[i].own | steps[i].rolled)) == 4);
        } else {
            assert_int_equal(steps[i].code, ERR_RULE);
            assert_int_equal(c.added, 99);
        }
        step_clear(&t);
        arena_reset(arena);
    }
}

static void
votes_are_checked(void **state)
{
    static struct step t;
    const struct signer signer_2 = signer_of(&people[2].secret);
    const struct signer signer_40 = signer_of(&people[40].secret);
    struct region_voter swap;
    struct region out;
    struct vote v;
    (void)state;

    step_init(&t);
    coordinator(&t);
    step_sign(&t, 0x07, BALLOT);
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), 0);
    t.s.ballot++; /* signed in another */
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), -1);
    t.s.ballot--;
    swap = t.voters[0]; /* not sorted */
    t.voters[0] = t.voters[1];
    t.voters[1] = swap;
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), -1);
    t.voters[0] = t.voters[1]; /* one twice */
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), -1);
    step_sign(&t, 0x07, BALLOT);
    t.voters[1].sig.b[3] ^= 1;
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), -1);
    step_sign(&t, 0x0f, BALLOT); /* enough without it, and yet it is false */
    t.voters[1].sig = t.voters[2].sig;
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), -1);
    step_sign(&t, 0x07, BALLOT);
    t.voters[2].by = people[9].id;
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), -1);

    /* A roll-over is signed for with the old key, not with the new one. */
    t.next.coordinator = people[0].id;
    key_of_two(&t);
    step_sign(&t, 0x07, BALLOT);
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), 0);
    v = person_vote(2, &t.next, BALLOT);
    assert_int_equal(vote_sign(&v, &signer_40, NULL), 0);
    t.voters[2].sig = v.sig;
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), -1);
    t.is[2].key = people[2].key;
    coordinator(&t);

    /* A promise that names the value is no accept of it. */
    step_sign(&t, 0x07, BALLOT);
    v = person_vote(2, &t.next, BALLOT);
    v.phase = VOTE_PROMISE;
    v.accepted = VOTE_VOTERS_MAX;
    assert_int_equal(vote_sign(&v, &signer_2, NULL), 0);
    assert_true(region_vote_ok(&t.prev, &v));
    t.voters[2].sig = v.sig;
    assert_int_equal(region_check_successor(&t.prev, &t.s, arena, &out, NULL), -1);
    v.version++;
    assert_false(region_vote_ok(&t.prev, &v));
    step_clear(&t);
}

static void
the_first_version(void **state)
{
    struct region_member list[2];
    struct region r = people_region(1, 1, list), out;
    struct region_voter voter;
    struct err e = ERR_INIT;
    struct region_signed s;
    struct vote v;
    struct buf b;
    (void)state;

    buf_init(&b, REGION_BODY_MAX);
    region_body(&r, &b);
    v = person_vote(0, &r, VOTE_VOTERS_MAX);
    voter = (struct region_voter){v.by, v.sig};
    assert_hex(r.hash.b, HASH_BYTES,
               "0eed3025e86e78fb63b49324c0393cdae7bafee1f1849eb6c814bb714cd42b85");
    assert_hex(v.sig.b, SIGNATURE_BYTES,
               "6c1c006e0fbd49eb043dfbf8c24e3466b5024c287692e0131ec6d68f8de7f6eb"
               "adb2d65101795926c66453715997f277c4223904370036cffe5565ca0fd75f0f");
    s = (struct region_signed){buf_view(&b), VOTE_VOTERS_MAX, &voter, 1};
    assert_int_equal(region_check_first(&s, arena, &out, &e), 0);
    assert_int_equal(out.version, 1);
    s.ballot++;
    assert_int_equal(region_check_first(&s, arena, &out, &e), -1);
    s.ballot--;
    s.voter_n = 0;
    assert_int_equal(region_check_first(&s, arena, &out, &e), -1);
    s.voter_n = 1;
    v = person_vote(1, &r, VOTE_VOTERS_MAX);
    voter.sig = v.sig;
    assert_int_equal(region_check_first(&s, arena, &out, &e), -1);
    voter.by = v.by;
    assert_int_equal(region_check_first(&s, arena, &out, &e), -1);
    assert_int_equal(e.code, ERR_AUTH);
    r = people_region(2, 1, list);
    region_body(&r, &b);
    v = person_vote(0, &r, VOTE_VOTERS_MAX);
    voter = (struct region_voter){v.by, v.sig};
    s.body = buf_view(&b);
    assert_int_equal(region_check_first(&s, arena, &out, &e), -1);
    assert_int_equal(e.code, ERR_RULE);
    r = people_region(1, 2, list);
    region_body(&r, &b);
    s.body = buf_view(&b);
    assert_int_equal(region_check_first(&s, arena, &out, &e), -1);
    assert_int_equal(e.code, ERR_RULE);
    buf_clear(&b);
}

static void
two_successors_are_evidence(void **state)
{
    static struct step one, two;
    struct region_evidence ev;
    struct err e = ERR_INIT;
    (void)state;

    step_init(&one);
    step_init(&two);
    coordinator(&one);
    region_name(&two);
    step_sign(&one, 0x07, BALLOT);
    step_sign(&two, 0x1c, BALLOT + VOTE_VOTERS_MAX);
    assert_int_equal(region_conflict(&one.prev, &one.s, &two.s, arena, &ev, &e), 1);
    assert_int_equal(ev.both, 0x04);
    assert_int_equal(region_conflict(&one.prev, &one.s, &one.s, arena, &ev, &e), 0);
    step_sign(&two, 0x18, BALLOT); /* no majority: no evidence */
    assert_int_equal(region_conflict(&one.prev, &one.s, &two.s, arena, &ev, &e), -1);
    assert_int_equal(region_conflict(&one.prev, &two.s, &one.s, arena, &ev, &e), -1);
    assert_int_equal(region_conflict(NULL, &one.s, &two.s, arena, &ev, &e), -1);
    step_clear(&one);
    step_clear(&two);
}

static void
signed_versions_as_bytes(void **state)
{
    static struct step t;
    struct region_signed back;
    struct err e = ERR_INIT;
    struct region out;
    struct buf b, again;
    char *copy;
    (void)state;

    step_init(&t);
    join(&t);
    step_sign(&t, 0x07, BALLOT);
    buf_init(&b, 2 * REGION_BODY_MAX);
    buf_init(&again, 2 * REGION_BODY_MAX);
    assert_int_equal(region_signed_encode(&t.s, &b, &e), 0);
    assert_int_equal(region_signed_decode(buf_view(&b), arena, &back, &e), 0);
    assert_int_equal(region_check_successor(&t.prev, &back, arena, &out, &e), 0);
    assert_int_equal(region_signed_encode(&back, &again, &e), 0);
    assert_true(span_eq(buf_view(&b), buf_view(&again)));
    copy = mem_dup(b.p, b.n);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(region_signed_decode(span_from(copy, n), arena, &back, &e), -1);
    assert_int_equal(e.code, ERR_PROTOCOL);
    copy[4 + t.s.body.n + 8] = REGION_MEMBERS_MAX + 1;
    assert_int_equal(region_signed_decode(span_from(copy, b.n), arena, &back, &e), -1);
    copy[4 + t.s.body.n + 8] = 3;
    copy[4 + t.s.body.n] = 1; /* a ballot over the limit */
    assert_int_equal(region_signed_decode(span_from(copy, b.n), arena, &back, &e), -1);
    buf_put(&b, "", 1);
    assert_int_equal(region_signed_decode(buf_view(&b), arena, &back, &e), -1);
    t.s.voter_n = REGION_MEMBERS_MAX + 1;
    assert_int_equal(region_signed_encode(&t.s, &b, &e), -1);
    assert_int_equal(e.code, ERR_RANGE);
    mem_free(copy);
    buf_clear(&b);
    buf_clear(&again);
    step_clear(&t);
}

static void
memory_may_fail(void **state)
{
    (void)state;
    for (size_t n = 1; n < 4; n++) {
        struct err e = ERR_INIT;
        struct arena *a;
        struct region r;
        int got = -1;

        mem_fail_at(n);
        a = arena_new(ARENA);
        if (a != NULL)
            got = region_read(SPAN(body_text), a, &r, &e);
        mem_fail_at(0);
        assert_true(a == NULL || got == 0 || e.code == ERR_MEMORY);
        assert_int_equal(got, n < 3 ? -1 : 0); /* the arena and its only chunk */
        arena_free(a);
    }
    struct arena *small = arena_new(64);
    struct err e = ERR_INIT;
    struct region r;

    assert_int_equal(region_read(SPAN(body_text), small, &r, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    arena_free(small);
}

static int
start(void **state)
{
    arena = arena_new(ARENA);
    return arena == NULL ? -1 : people_make(state);
}

static int
stop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_fixed),
        cmocka_unit_test(limits),
        cmocka_unit_test(successors),
        cmocka_unit_test(votes_are_checked),
        cmocka_unit_test(the_first_version),
        cmocka_unit_test(two_successors_are_evidence),
        cmocka_unit_test(signed_versions_as_bytes),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
