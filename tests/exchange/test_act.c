/* Acts on what is there: publish, revoke, withdraw, undo, DELETE; groups and grants; who and why.
 */
#include "world.h"

#define MOD(day) "\"modified\":\"2025-01-" day "T00:00:00.000Z\""
#define MALWARE  MOD("01") ",\"name\":\"n\",\"is_family\":false"
#define NIL      ((const char *)NULL)
#define AMBER                                                                                      \
    ",\"object_marking_refs\":[\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\"]"
#define GREEN                                                                                      \
    ",\"object_marking_refs\":[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]"

static int
setup(void **state)
{
    *state = world_new();
    return 0;
}

static int
teardown(void **state)
{
    world_free(*state);
    return 0;
}

static const struct json *
act(struct world *w, const struct someone *who, enum tell_verb verb, const char *id)
{
    struct tell t = {.verb = verb, .id = span_of(id)};

    return world_tell(w, who, &t);
}

/* A member of the region beside us, with its users, and a trust circle of both. */
struct region {
    struct someone partner, token, bank;
};

static struct region
region(struct world *w)
{
    struct region r;

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "MyCERT", "kind=member", NIL);
    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NIL);
    r.partner = world_user(w, "partner", "organisation=MyCERT", "staff=yes", "role=publisher", NIL);
    r.token = world_token(w, "partner-feed", "user=partner", NIL);
    r.bank = world_user(w, "teller", "organisation=bank", "role=publisher", NIL);
    return r;
}

/* -- publish, revoke ------------------------------------------------------------------------------
 */

static void
test_publish(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    struct tell t = {.verb = TELL_PUBLISH, .id = span_of(world_id(w, "malware", 1))};
    const struct json *o;

    world_admin(w, TELL_K_GROUP, TELL_A_ADD, "circle", "member+=ThaiCERT", "member+=MyCERT", NIL);
    world_import(w, "AMBER", NULL, world_object(w, "malware", 1, MALWARE));
    assert_false(world_sees(w, &r.partner, world_id(w, "malware", 1)));
    t.group = SPAN("circle");
    o = world_tell(w, NULL, &t);
    assert_string_equal(text_at(w, o, "outcome"), "copy");
    assert_string_equal(text_at(w, o, "audiences.0.label"), "AMBER");
    assert_string_equal(text_at(w, o, "audiences.0.group"), "circle");
    assert_true(world_sees(w, &r.partner, world_id(w, "malware", 1)));
    assert_true(world_sees(w, &r.token, world_id(w, "malware", 1)));
    assert_false(world_sees(w, &r.bank, world_id(w, "malware", 1)));
    assert_string_equal(text_at(w, world_tell(w, NULL, &t), "outcome"), "known");
    /* to one organisation alone */
    t.group = SPAN("bank");
    assert_string_equal(text_at(w, world_tell(w, NULL, &t), "outcome"), "copy");
    assert_true(world_sees(w, &r.bank, world_id(w, "malware", 1)));
    /* an act is a batch of its own: the last is the release to the bank */
    {
        struct ask q = {.verb = ASK_BATCHES};
        struct tell undo = {.verb = TELL_UNDO};

        o = world_ask(w, NULL, &q);
        assert_int_equal(strncmp(text_at(w, o, "batches.0.source"), "publish ", 8), 0);
        undo.number = (uint64_t)int_at(o, "batches.0.batch");
        assert_int_equal(int_at(world_tell(w, NULL, &undo), "erased"), 1);
        assert_false(world_sees(w, &r.bank, world_id(w, "malware", 1)));
        assert_true(world_sees(w, &r.partner, world_id(w, "malware", 1)));
    }
    t.group = SPAN("nowhere");
    assert_null(world_tell(w, NULL, &t));
    assert_int_equal(w->last.status, ERR_MISSING);
    t.group = SPAN("circle");
    t.id = span_of(world_id(w, "malware", 9));
    assert_null(world_tell(w, NULL, &t));
    assert_int_equal(w->last.status, ERR_MISSING);
    /* who may not publish there sees no difference between hidden and absent */
    assert_null(world_tell(w, &r.bank, &t));
    assert_int_equal(w->last.status, ERR_MISSING);
}

static void
test_revoke(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    const char *id = world_id(w, "malware", 1);
    struct ask q = {.verb = ASK_SHOW, .id = span_of(id)};
    const struct json *o;

    world_admin(w, TELL_K_GROUP, TELL_A_SET, "region", "member+=MyCERT", NIL);
    world_import(w, "GREEN", NULL, world_object(w, "malware", 1, MALWARE));
    world_import(w, "AMBER", NULL,
                 world_object(w, "malware", 1, MOD("05") ",\"name\":\"m\",\"is_family\":false"));
    assert_null(act(w, &r.partner, TELL_REVOKE, world_id(w, "malware", 7)));
    assert_int_equal(w->last.status, ERR_MISSING);
    o = act(w, NULL, TELL_REVOKE, id);
    assert_int_equal(at(o, "audiences")->count, 2);
    assert_string_equal(text_at(w, o, "version"), "2026-01-01T00:00:00.000Z");
    o = world_ask(w, NULL, &q);
    assert_true(at(o, "object.revoked") != NULL && at(o, "object.revoked")->boolean);
    assert_string_equal(text_at(w, o, "object.name"), "m");
    /* each audience goes on from the newest that it had */
    o = world_ask(w, &r.partner, &q);
    assert_true(at(o, "object.revoked")->boolean);
    assert_string_equal(text_at(w, o, "object.name"), "n");
    assert_string_equal(text_at(w, o, "object.modified"), "2026-01-01T00:00:00.000Z");
    assert_null(act(w, NULL, TELL_REVOKE, id));
    assert_int_equal(w->last.status, ERR_CONFLICT);
    /* no versions, no revoking */
    world_import(w, "GREEN", NULL,
                 "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":"
                 "\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\",\"value\":\"198.51.100.3\"}");
    assert_null(act(w, NULL, TELL_REVOKE, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"));
    assert_int_equal(w->last.status, ERR_RULE);
}

/* What the reader has noted goes to the writer. */
static void
marks_arrive(struct world *w)
{
    struct caller reader = {.kind = CALLER_READER};
    struct exchange_link *l;
    struct err e = ERR_INIT;
    struct tell served;
    struct buf marks;

    buf_init(&marks, 1u << 20);
    assert_true(exchange_served(w->reader, &marks));
    assert_false(exchange_served(w->reader, &marks));
    assert_int_equal(tell_decode(buf_view(&marks), w->a, &served, &e), 0);
    assert_true(served.mark_n > 0);
    assert_null(world_tell(w, NULL, &served)); /* only a reader says so */
    assert_int_equal(w->last.status, ERR_DENIED);
    l = exchange_link_new(w->writer, &reader);
    assert_true(exchange_tell(l, &served, w->a, &w->body, &w->last));
    assert_int_equal(w->last.status, ERR_NONE);
    exchange_link_free(l);
    buf_clear(&marks);
}

/* Somebody polls, and the reader says so to the writer. */
static void
poll_and_mark(struct world *w, const struct someone *who, struct ask *q)
{
    assert_non_null(world_ask(w, who, q));
    marks_arrive(w);
}

/* -- withdraw, undo
 * -------------------------------------------------------------------------------- */

static void
test_withdraw(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    const char *id = world_id(w, "malware", 1);
    struct ask q = {.verb = ASK_OBJECTS, .collection = SPAN("all")};
    struct ask log = {.verb = ASK_LOG, .id = span_of(id)};
    struct someone late;
    const struct json *o;

    world_admin(w, TELL_K_GROUP, TELL_A_SET, "region", "member+=MyCERT", NIL);
    world_import(w, "GREEN", NULL, world_object(w, "malware", 1, MALWARE));
    world_import(w, "GREEN", NULL,
                 world_object(w, "relationship", 1,
                              arena_printf(w->a,
                                           "%s,\"relationship_type\":\"uses\",\"source_ref\":"
                                           "\"%s\",\"target_ref\":\"%s\"",
                                           MOD("01"), id, world_id(w, "tool", 1))));
    /* the partner polls, and that is kept in mind */
    poll_and_mark(w, &r.token, &q);
    /* those who are not its publisher do not withdraw it */
    assert_null(act(w, &r.partner, TELL_WITHDRAW, id));
    assert_int_equal(w->last.status, ERR_DENIED);
    assert_true(world_sees(w, NULL, id));
    o = act(w, NULL, TELL_WITHDRAW, id);
    assert_int_equal(int_at(o, "erased"), 1);
    assert_string_equal(text_at(w, o, "served.0.principal"), "partner-feed");
    assert_string_equal(text_at(w, o, "edges.0"), world_id(w, "relationship", 1));
    assert_false(world_sees(w, NULL, id));
    assert_false(world_sees(w, &r.partner, id));
    assert_null(act(w, NULL, TELL_WITHDRAW, id));
    assert_int_equal(w->last.status, ERR_MISSING);
    o = world_ask(w, NULL, &log);
    assert_string_equal(text_at(w, o, "events.0.what"), "published");
    assert_string_equal(text_at(w, o, "events.0.by"), "operator");
    assert_string_equal(text_at(w, o, "events.1.what"), "withdrawn");
    assert_null(at(o, "events.2"));
    assert_null(world_ask(w, &r.partner, &log));
    /* who had it by then stays known, and who reads on later has not had it */
    log.verb = ASK_WHO;
    o = world_ask(w, NULL, &log);
    assert_int_equal(at(o, "audiences")->count, 0);
    assert_int_equal(at(o, "withdrawn")->count, 1);
    assert_string_equal(text_at(w, o, "withdrawn.0.served.0.principal"), "partner-feed");
    assert_null(at(o, "withdrawn.0.served.1"));
    world_pass(w, 1000);
    late = world_token(w, "late-feed", "user=partner", NIL);
    poll_and_mark(w, &late, &q);
    o = world_ask(w, NULL, &log);
    assert_null(at(o, "withdrawn.0.served.1"));
    log.verb = ASK_LOG;
    log.id = span_of(world_id(w, "relationship", 1));
    o = world_ask(w, NULL, &log);
    assert_string_equal(text_at(w, o, "events.0.what"), "published");
    assert_string_equal(text_at(w, o, "events.0.by"), "operator");
    assert_null(at(world_ask(w, &r.partner, &log), "events.0.batch"));
    log = (struct ask){.verb = ASK_LOG, .id = span_of(id)};
    assert_null(world_ask(w, &r.partner, &log));
    /* and it may be said again */
    assert_string_equal(world_import(w, "GREEN", NULL, world_object(w, "malware", 1, MALWARE)),
                        "new");
    assert_true(world_sees(w, &r.partner, id));
}

/* Readers tell who was served once a second: one who was served in the last is named too. */
static void
test_withdraw_just_served(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    struct someone late;
    const char *id = world_id(w, "malware", 1);
    struct ask q = {.verb = ASK_OBJECTS, .collection = SPAN("all")};
    struct ask who = {.verb = ASK_WHO, .id = span_of(id)};
    const struct json *o;

    world_admin(w, TELL_K_GROUP, TELL_A_SET, "region", "member+=MyCERT", NIL);
    late = world_token(w, "late-feed", "user=partner", NIL);
    world_import(w, "GREEN", NULL, world_object(w, "malware", 1, MALWARE));
    world_import(w, "GREEN", NULL, world_object(w, "malware", 2, MALWARE));
    world_pass(w, 1000000);
    assert_non_null(world_ask(w, &r.token, &q));
    world_pass(w, 100000);
    o = act(w, NULL, TELL_WITHDRAW, id);
    assert_null(at(o, "served.0"));
    world_pass(w, 100000);
    assert_non_null(world_ask(w, &r.token, &q));
    assert_non_null(world_ask(w, &late, &q)); /* what is left */
    marks_arrive(w);
    o = world_ask(w, NULL, &who);
    assert_string_equal(text_at(w, o, "withdrawn.0.served.0.principal"), "partner-feed");
    assert_null(at(o, "withdrawn.0.served.1"));
}

static void
test_undo(void **state)
{
    struct world *w = *state;
    const char *texts[] = {world_object(w, "malware", 1, MALWARE),
                           world_object(w, "malware", 2, MALWARE), NULL};
    struct tell begin = {.label = SPAN("GREEN")};
    struct tell t = {.verb = TELL_UNDO};
    struct someone other = world_user(w, "other", "role=publisher", NIL);
    int64_t later;
    const struct json *o;

    world_import(w, "GREEN", NULL, texts[0]);
    o = world_put(w, NULL, &begin, texts);
    t.number = (uint64_t)int_at(o, "batch");
    assert_int_equal(int_at(o, "counts.new"), 1);
    assert_int_equal(int_at(o, "counts.known"), 1);
    o = world_put(w, NULL, &begin, texts);
    later = int_at(o, "batch");
    assert_null(world_tell(w, &other, &t));
    assert_int_equal(w->last.status, ERR_MISSING);
    t.ticket = (struct span){0};
    o = world_tell(w, NULL, &t);
    assert_int_equal(int_at(o, "erased"), 1);
    assert_int_equal(int_at(o, "later.0"), later);
    assert_true(world_sees(w, NULL, world_id(w, "malware", 1)));
    assert_false(world_sees(w, NULL, world_id(w, "malware", 2)));
    assert_null(world_tell(w, NULL, &t));
    assert_int_equal(w->last.status, ERR_CONFLICT);
    t.number = 999;
    assert_null(world_tell(w, NULL, &t));
    assert_int_equal(w->last.status, ERR_MISSING);
}

/* A label's definition that went along with what is undone stays for those who came after. */
static void
test_undo_definition(void **state)
{
    struct world *w = *state;
    const char *texts[] = {world_object(w, "malware", 1, MALWARE AMBER), NULL};
    struct tell begin = {0};
    struct tell t = {.verb = TELL_UNDO};
    const char *label = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
    struct ask log = {.verb = ASK_LOG, .id = span_of(label)};
    const struct json *o;
    int64_t stood;

    o = world_put(w, NULL, &begin, texts);
    t.number = (uint64_t)int_at(o, "batch");
    texts[0] = world_object(w, "malware", 2, MALWARE AMBER);
    world_put(w, NULL, &begin, texts);
    stood = at(world_ask(w, NULL, &log), "events")->count;
    assert_true(stood >= 2); /* the node's own, and where it went along */
    o = world_tell(w, NULL, &t);
    assert_int_equal(int_at(o, "erased"), 1);
    assert_false(world_sees(w, NULL, world_id(w, "malware", 1)));
    assert_int_equal(at(world_ask(w, NULL, &log), "events")->count, stood);
}

/* -- TAXII: POST, status, DELETE
 * ------------------------------------------------------------------- */

static void
test_post(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    struct someone writer = world_token(w, "writer", "scope=read,write", "role=publisher", NIL);
    const char *texts[] = {world_object(w, "malware", 1, MALWARE GREEN),
                           "{\"type\":\"malware\"}",
                           world_object(w, "malware", 2, MALWARE ",\"labels\":[\"tlp:purple\"]"),
                           world_object(w, "malware", 3, MOD("01") GREEN),
                           "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":"
                           "\"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4\",\"value\":"
                           "\"198.51.100.3\"}",
                           NULL};
    struct tell begin = {.collection = SPAN("all"), .items = true};
    struct ask q = {.verb = ASK_STATUS};
    const char *id;
    const struct json *o = world_put(w, &writer, &begin, texts);

    if (o == NULL)
        fail_msg("%.*s", (int)w->last.text.n, w->last.text.p);
    assert_string_equal(text_at(w, o, "status"), "complete");
    assert_int_equal(int_at(o, "total_count"), 5);
    assert_int_equal(int_at(o, "success_count"), 3);
    assert_int_equal(int_at(o, "failure_count"), 1);
    assert_int_equal(int_at(o, "pending_count"), 1);
    assert_int_equal(at(o, "successes")->count, 3);
    assert_string_equal(text_at(w, o, "successes.0.version"), "2025-01-01T00:00:00.000Z");
    assert_true(strlen(text_at(w, o, "successes.1.message")) > 0);
    assert_string_equal(text_at(w, o, "successes.0.message"), "");
    assert_true(strlen(text_at(w, o, "failures.0.message")) > 0);
    /* what has no version is named by its date */
    assert_int_equal(strncmp(text_at(w, o, "successes.2.version"), "2026-01-01T00:00:0", 18), 0);
    id = text_at(w, o, "id");
    assert_int_equal(strlen(id), 36);
    q.id = span_of(id);
    o = world_ask(w, &writer, &q);
    assert_int_equal(int_at(o, "success_count"), 3);
    assert_null(world_ask(w, &r.partner, &q));
    assert_int_equal(w->last.status, ERR_MISSING);
    assert_true(world_sees(w, &writer, world_id(w, "malware", 1)));
    /* who may only read is told so, of a collection that he sees */
    assert_null(world_put(w, &r.token, &begin, texts));
    assert_int_equal(w->last.status, ERR_DENIED);
    begin.collection = SPAN("circle");
    assert_null(world_put(w, &writer, &begin, texts));
    assert_int_equal(w->last.status, ERR_MISSING);
}

static void
test_group_collection(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    struct someone writer = world_token(w, "writer", "scope=read,write", "role=publisher", NIL);
    const char *texts[] = {world_object(w, "malware", 1, MALWARE AMBER), NULL};
    struct tell begin = {.collection = SPAN("circle")};
    struct ask q = {.verb = ASK_OBJECTS, .collection = SPAN("circle")};
    const struct json *o;

    world_admin(w, TELL_K_GROUP, TELL_A_ADD, "circle", "member+=ThaiCERT", "member+=MyCERT",
                "title=Trust circle", NIL);
    o = world_put(w, &writer, &begin, texts);
    assert_int_equal(int_at(o, "success_count"), 1);
    o = world_ask(w, &r.token, &q);
    /* the object, and its marking that went along */
    assert_int_equal(at(o, "objects")->count, 2);
    assert_string_equal(text_at(w, o, "objects.1.id"), world_id(w, "malware", 1));
    assert_null(world_ask(w, &r.bank, &q));
    assert_int_equal(w->last.status, ERR_MISSING);
    q.collection = SPAN("public");
    o = world_ask(w, &r.bank, &q);
    assert_int_equal(at(o, "objects")->count, 7);
    /* nobody is asked to log in, for what there is and for what there is not */
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"public", "circle", "nothing"};
        struct someone nobody = {0};

        q = (struct ask){.verb = ASK_OBJECTS, .collection = span_of(names[i])};
        assert_null(world_ask(w, &nobody, &q));
        assert_int_equal(w->last.status, ERR_AUTH);
    }
    world_admin(w, TELL_K_SETTING, TELL_A_SET, "public", "value=open", NIL);
    {
        struct someone nobody = {0};

        q = (struct ask){.verb = ASK_OBJECTS, .collection = SPAN("public")};
        assert_non_null(world_ask(w, &nobody, &q));
        q = (struct ask){.verb = ASK_OBJECTS, .collection = SPAN("all")};
        assert_null(world_ask(w, &nobody, &q));
        assert_int_equal(w->last.status, ERR_AUTH);
    }
}

static const struct json *
delete_at(struct world *w, const struct someone *who, const char *collection, const char *id,
          const char *query)
{
    struct tell t = {.verb = TELL_DELETE, .collection = span_of(collection), .id = span_of(id)};
    struct err e = ERR_INIT;

    assert_int_equal(taxii_query_read(w->a, span_of(query), TAXII_P_DELETE, &t.q, &e), 0);
    return world_tell(w, who, &t);
}

static void
test_delete(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    struct someone writer = world_token(w, "writer", "scope=read,write", "role=publisher", NIL);
    const char *id = world_id(w, "malware", 1);
    const char *first = world_object(w, "malware", 1, MALWARE GREEN);
    const char *second =
        world_object(w, "malware", 1, MOD("02") ",\"name\":\"m\",\"is_family\":false" GREEN);
    const char *texts[] = {first, second, NULL};
    struct tell begin = {.collection = SPAN("all")};
    struct ask q = {.verb = ASK_VERSIONS, .collection = SPAN("all"), .id = span_of(id)};
    const struct json *o;

    world_admin(w, TELL_K_GROUP, TELL_A_SET, "region", "member+=MyCERT", NIL);
    assert_int_equal(int_at(world_put(w, &writer, &begin, texts), "success_count"), 2);
    o = world_ask(w, &r.token, &q);
    assert_int_equal(at(o, "versions")->count, 2);
    /* 403 for what is seen and another's; 404 for what is not there, or no such version */
    assert_null(delete_at(w, &r.partner, "all", id, ""));
    assert_int_equal(w->last.status, ERR_DENIED);
    assert_null(delete_at(w, &r.partner, "all", world_id(w, "malware", 2), ""));
    assert_int_equal(w->last.status, ERR_MISSING);
    assert_null(delete_at(w, &writer, "all", id, "match[version]=2020-01-01T00:00:00Z"));
    assert_int_equal(w->last.status, ERR_MISSING);
    assert_null(delete_at(w, &writer, "all", id, "match[spec_version]=2.0"));
    assert_int_equal(w->last.status, ERR_MISSING);
    o = delete_at(w, &writer, "all", id, "match[version]=2025-01-02T00:00:00Z");
    assert_int_equal(int_at(o, "erased"), 1);
    o = world_ask(w, &r.token, &q);
    assert_int_equal(at(o, "versions")->count, 1);
    assert_string_equal(text_at(w, o, "versions.0"), "2025-01-01T00:00:00.000Z");
    assert_non_null(delete_at(w, &writer, "all", id, ""));
    assert_null(world_ask(w, &r.token, &q));
    assert_int_equal(w->last.status, ERR_MISSING);
}

/* The last version is what GET shows as the last: the creator's, not a later one of somebody else.
 */
static void
test_delete_last(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    struct ask health = {.verb = ASK_HEALTH};
    const char *own = text_at(w, world_ask(w, NULL, &health), "node");
    const char *id = world_id(w, "malware", 1);
    struct ask q = {.verb = ASK_VERSIONS, .collection = SPAN("all"), .id = span_of(id)};
    const struct json *o;

    world_admin(w, TELL_K_GROUP, TELL_A_SET, "region", "member+=MyCERT", NIL);
    {
        const char *texts[] = {
            world_object(w, "malware", 1, MOD("02") ",\"name\":\"m\",\"is_family\":false" GREEN),
            NULL};
        struct tell begin = {.items = true};

        assert_non_null(world_put(w, &r.partner, &begin, texts));
    }
    world_import(w, "GREEN", NULL,
                 world_object(w, "malware", 1,
                              arena_printf(w->a, MALWARE ",\"created_by_ref\":\"%s\"", own)));
    assert_int_equal(at(world_ask(w, &r.token, &q), "versions")->count, 2);
    assert_null(delete_at(w, &r.partner, "all", id, "match[version]=last"));
    assert_int_equal(w->last.status, ERR_DENIED);
    o = delete_at(w, &r.partner, "all", id, "match[version]=2025-01-02T00:00:00Z");
    assert_int_equal(int_at(o, "erased"), 1);
}

/* -- groups ---------------------------------------------------------------------------------------
 */

static int64_t
polled(struct world *w, const struct someone *who, int64_t after, unsigned *count)
{
    struct ask q = {.verb = ASK_OBJECTS, .collection = SPAN("all"), .q = {.limit = 1000}};
    const struct json *o;

    q.q.given = TAXII_P_LIMIT | TAXII_P_ADDED_AFTER;
    q.q.added_after = instant_from_us(after);
    o = world_ask(w, who, &q);
    assert_non_null(o);
    *count = at(o, "objects") != NULL ? at(o, "objects")->count : 0;
    return *count > 0 ? w->last.last_us : after;
}

/* Who joins a group whose charter shows the past is served it at dates of its own; else not. */
static void
test_join(void **state)
{
    for (unsigned past = 0; past < 2; past++) {
        struct world *w = *state;
        const char *group = past ? "open" : "shut";
        char name[32];
        struct someone newcomer;
        int64_t after;
        unsigned n;

        snprintf(name, sizeof name, "org%u", past);
        world_admin(w, TELL_K_ORG, TELL_A_ADD, name, "kind=member", NIL);
        snprintf(name, sizeof name, "user%u", past);
        newcomer = world_user(w, name, arena_printf(w->a, "organisation=org%u", past), NIL);
        world_admin(w, TELL_K_GROUP, TELL_A_ADD, group, "member+=ThaiCERT",
                    past ? "sees_past=yes" : "sees_past=no", NIL);
        for (unsigned i = 0; i < 3; i++)
            assert_string_equal(
                world_import(w, "AMBER", group, world_object(w, "malware", past * 10 + i, MALWARE)),
                "new");
        after = polled(w, &newcomer, 0, &n);
        assert_int_equal(n, 7);
        world_pass(w, 5000000);
        world_admin(w, TELL_K_GROUP, TELL_A_SET, group, arena_printf(w->a, "member+=org%u", past),
                    NIL);
        after = polled(w, &newcomer, after, &n);
        assert_int_equal(n, past ? 3 : 0);
        assert_string_equal(
            world_import(w, "AMBER", group, world_object(w, "malware", past * 10 + 5, MALWARE)),
            "new");
        after = polled(w, &newcomer, after, &n);
        assert_int_equal(n, 1);
        assert_true(world_sees(w, &newcomer, world_id(w, "malware", past * 10)) == (past != 0));
        /* leaving takes all of it away at once */
        world_admin(w, TELL_K_GROUP, TELL_A_SET, group, arena_printf(w->a, "member-=org%u", past),
                    NIL);
        assert_false(world_sees(w, &newcomer, world_id(w, "malware", past * 10 + 5)));
        (void)polled(w, &newcomer, 0, &n);
        assert_int_equal(n, 7);
    }
}

/* A staff flag, a ceiling, the public collection: each opens by a grant. */
static void
test_opened(void **state)
{
    struct world *w = *state;
    struct someone guest = world_user(w, "guest", "staff=no", "ceiling=GREEN", NIL);
    int64_t after;
    unsigned n;

    world_import(w, "AMBER", NULL, world_object(w, "malware", 1, MALWARE));
    world_import(w, "AMBER+STRICT", NULL, world_object(w, "malware", 2, MALWARE));
    after = polled(w, &guest, 0, &n);
    assert_int_equal(n, 7);
    world_pass(w, 5000000);
    world_admin(w, TELL_K_USER, TELL_A_SET, "guest", "ceiling=AMBER+STRICT", NIL);
    guest.epoch++;
    after = polled(w, &guest, after, &n);
    assert_int_equal(n, 1);
    world_pass(w, 5000000);
    world_admin(w, TELL_K_USER, TELL_A_SET, "guest", "staff=yes", NIL);
    guest.epoch++;
    after = polled(w, &guest, after, &n);
    assert_int_equal(n, 1);
    (void)polled(w, &guest, after, &n);
    assert_int_equal(n, 0);
    /* an older ticket is dead */
    guest.epoch--;
    {
        struct ask q = {.verb = ASK_SELF};

        assert_null(world_ask(w, &guest, &q));
        assert_int_equal(w->last.status, ERR_AUTH);
    }
    /* tokens are never widened */
    world_token(w, "feed", "ceiling=GREEN", NIL);
    assert_int_equal(world_try_admin(w, TELL_K_TOKEN, TELL_A_SET, "feed", "ceiling=AMBER", NIL),
                     ERR_RULE);
    assert_int_equal(world_try_admin(w, TELL_K_TOKEN, TELL_A_SET, "feed", "ceiling=CLEAR", NIL),
                     ERR_NONE);
}

static void
test_admin(void **state)
{
    static const struct {
        enum tell_kind kind;
        enum tell_act act;
        const char *name, *pair;
        enum err_code code;
    } bad[] = {
        {TELL_K_USER, TELL_A_ADD, "", NIL, ERR_USAGE},
        {TELL_K_USER, TELL_A_ADD, "a,b", NIL, ERR_USAGE},
        {TELL_K_USER, TELL_A_ADD, "a\n", NIL, ERR_USAGE},
        {TELL_K_USER, TELL_A_ADD, "operator", NIL, ERR_USAGE},
        {TELL_K_USER, TELL_A_ADD, "x", "role=king", ERR_USAGE},
        {TELL_K_USER, TELL_A_ADD, "x", "staff=maybe", ERR_USAGE},
        {TELL_K_USER, TELL_A_ADD, "x", "ceiling=purple", ERR_USAGE},
        {TELL_K_USER, TELL_A_ADD, "x", "organisation=none", ERR_MISSING},
        {TELL_K_USER, TELL_A_SET, "x", "staff=no", ERR_MISSING},
        {TELL_K_USER, TELL_A_REMOVE, "operator", NIL, ERR_MISSING},
        {TELL_K_TOKEN, TELL_A_ADD, "x", "scope=all", ERR_USAGE},
        {TELL_K_TOKEN, TELL_A_ADD, "x", "user=none", ERR_MISSING},
        {TELL_K_TOKEN, TELL_A_ADD, "x", "ends=tomorrow", ERR_USAGE},
        {TELL_K_GROUP, TELL_A_ADD, "all", NIL, ERR_USAGE},
        {TELL_K_GROUP, TELL_A_ADD, "exercise-x", NIL, ERR_USAGE},
        {TELL_K_GROUP, TELL_A_ADD, "x", "member+=none", ERR_MISSING},
        {TELL_K_GROUP, TELL_A_SET, "public", "sees_past=no", ERR_CONFLICT},
        {TELL_K_GROUP, TELL_A_REMOVE, "region", NIL, ERR_CONFLICT},
        {TELL_K_ORG, TELL_A_ADD, "ThaiCERT", NIL, ERR_DUPLICATE},
        {TELL_K_ORG, TELL_A_REMOVE, "ThaiCERT", NIL, ERR_CONFLICT},
        {TELL_K_ORG, TELL_A_ADD, "x", "identity=tool--1", ERR_USAGE},
        {TELL_K_ORG, TELL_A_ADD, "x", "kind=friend", ERR_USAGE},
        {TELL_K_SETTING, TELL_A_SET, "public", "value=ajar", ERR_USAGE},
        {TELL_K_SETTING, TELL_A_SET, "key.next", "value=00", ERR_USAGE},
        {TELL_K_SETTING, TELL_A_SET, "nothing", "value=1", ERR_USAGE},
        {TELL_K_BINDING, TELL_A_ADD, "identity--1", "organisation=ThaiCERT", ERR_USAGE},
    };
    struct world *w = *state;
    struct someone root = world_user(w, "root", "role=admin", NIL);
    struct ask q = {.verb = ASK_LIST, .text = SPAN("users")};
    struct tell t = {.verb = TELL_ADMIN, .kind = TELL_K_USER, .act = TELL_A_ADD, .name = SPAN("x")};
    const struct json *o;

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum err_code c =
            world_try_admin(w, bad[i].kind, bad[i].act, bad[i].name, bad[i].pair, NIL);

        if (c != bad[i].code)
            fail_msg("%s %s: %d", bad[i].name, bad[i].pair != NULL ? bad[i].pair : "", c);
    }
    /* nothing of it stayed, not even a user whose role was wrong */
    o = world_ask(w, NULL, &q);
    assert_int_equal(at(o, "users")->count, 1);
    /* rights are written over the local socket alone, and the role admin reads no object */
    assert_null(world_tell(w, &root, &t));
    assert_int_equal(w->last.status, ERR_DENIED);
    assert_non_null(world_ask(w, &root, &q));
    assert_false(world_sees(w, &root, "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"));
    world_admin(w, TELL_K_USER, TELL_A_REMOVE, "root", NIL);
    assert_null(world_ask(w, &root, &q));
    assert_int_equal(w->last.status, ERR_AUTH);
    q = (struct ask){.verb = ASK_AUDIT};
    o = world_ask(w, NULL, &q);
    assert_string_equal(text_at(w, o, "audit.0.act"), "user remove");
    assert_string_equal(text_at(w, o, "audit.0.what"), "root");
    assert_string_equal(text_at(w, o, "audit.1.act"), "admin");
    assert_string_equal(text_at(w, o, "audit.1.result"), "refused");
    assert_string_equal(text_at(w, o, "audit.2.act"), "user add");
}

/* -- who, why
 * -------------------------------------------------------------------------------------- */

static void
test_who(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    const char *id = world_id(w, "malware", 1);
    struct ask who = {.verb = ASK_WHO, .id = span_of(id)};
    struct ask why = {.verb = ASK_WHY, .id = span_of(id), .text = SPAN("teller")};
    const struct json *o;

    world_user(w, "an", NIL);
    world_import(w, "AMBER", NULL, world_object(w, "malware", 1, MALWARE));
    o = world_ask(w, NULL, &who);
    assert_int_equal(at(o, "audiences")->count, 1);
    assert_string_equal(text_at(w, o, "audiences.0.organisations.0"), "ThaiCERT");
    assert_int_equal(at(o, "audiences.0.principals")->count, 2);
    assert_null(world_ask(w, &r.bank, &who));
    assert_int_equal(w->last.status, ERR_DENIED);
    o = world_ask(w, NULL, &why);
    assert_false(at(o, "sees")->boolean);
    assert_non_null(strstr(text_at(w, o, "why"), "constituent"));
    why.text = SPAN("an");
    o = world_ask(w, NULL, &why);
    assert_true(at(o, "sees")->boolean);
    why.text = SPAN("nobody-here");
    assert_null(world_ask(w, NULL, &why));
    why.text = SPAN("an");
    assert_null(world_ask(w, &r.partner, &why));
    assert_int_equal(w->last.status, ERR_DENIED);
}

static void
test_as(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    struct ask q = {
        .verb = ASK_GET, .id = span_of(world_id(w, "malware", 1)), .as = SPAN("teller")};

    world_import(w, "AMBER", NULL, world_object(w, "malware", 1, MALWARE));
    assert_null(world_ask(w, NULL, &q));
    assert_int_equal(w->last.status, ERR_MISSING);
    q.as = SPAN("operator");
    assert_non_null(world_ask(w, NULL, &q));
    assert_null(world_ask(w, &r.partner, &q));
    assert_int_equal(w->last.status, ERR_DENIED);
}

/* -- next -----------------------------------------------------------------------------------------
 */

static void
test_next(void **state)
{
    struct world *w = *state;
    struct someone token = world_token(w, "feed", NIL);
    struct ask q = {.verb = ASK_MANIFEST, .collection = SPAN("all"), .q = {.limit = 2}};
    struct err e = ERR_INIT;
    const char *next;
    const struct json *o;

    for (unsigned i = 0; i < 6; i++)
        world_import(w, "GREEN", NULL, world_object(w, "malware", i, MALWARE));
    assert_int_equal(
        taxii_query_read(w->a, SPAN("match[type]=malware&limit=2"), TAXII_P_MANIFEST, &q.q, &e), 0);
    o = world_ask(w, &token, &q);
    next = text_at(w, o, "next");
    assert_int_equal(at(o, "objects")->count, 2);
    /* survives a restart and a change of the key; carries its filters; limit may change */
    world_reopen(w);
    world_admin(w, TELL_K_SETTING, TELL_A_SET, "key.next", "value=rotate", NIL);
    q = (struct ask){
        .verb = ASK_MANIFEST,
        .collection = SPAN("all"),
        .q = {.limit = 3, .next = span_of(next), .given = TAXII_P_LIMIT | TAXII_P_NEXT}};
    o = world_ask(w, &token, &q);
    assert_int_equal(at(o, "objects")->count, 3);
    assert_non_null(at(o, "more"));
    for (const struct json *i = at(o, "objects")->child; i != NULL; i = i->next)
        assert_true(span_starts(json_text(i, "id"), "malware--"));
    /* good for that endpoint alone, and for nobody's invention */
    q.verb = ASK_OBJECTS;
    assert_null(world_ask(w, &token, &q));
    assert_int_equal(w->last.status, ERR_SYNTAX);
    assert_true(span_is(w->last.place, "next"));
    q.q.next = SPAN("rubbish");
    assert_null(world_ask(w, &token, &q));
    assert_int_equal(w->last.status, ERR_SYNTAX);
    /* after two changes the first key is gone */
    world_admin(w, TELL_K_SETTING, TELL_A_SET, "key.next", "value=rotate", NIL);
    q.verb = ASK_MANIFEST;
    q.q.next = span_of(next);
    assert_null(world_ask(w, &token, &q));
    assert_int_equal(w->last.status, ERR_SYNTAX);
}

/* Who is refused what is there, or comes with a forged ticket, is in the audit trail; who asks for
 * what is not there is not. */
static void
test_refusals(void **state)
{
    struct world *w = *state;
    struct region r = region(w);
    struct someone forged = {.principal = 2, .epoch = 1, .channel = CHANNEL_SESSION};
    struct caller reader = {.kind = CALLER_READER};
    struct exchange_link *l = exchange_link_new(w->writer, &reader);
    struct ask q = {.verb = ASK_AUDIT};
    struct err e = ERR_INIT;
    struct tell served;
    struct buf marks;
    const struct json *o;

    world_import(w, "CLEAR", NULL, world_object(w, "malware", 1, MALWARE));
    assert_null(world_ask(w, &r.bank, &q));
    assert_int_equal(w->last.status, ERR_DENIED);
    assert_false(world_sees(w, &r.bank, world_id(w, "malware", 2)));
    assert_null(world_ask(w, &forged, &q));
    buf_init(&marks, 1u << 20);
    assert_true(exchange_served(w->reader, &marks));
    assert_int_equal(tell_decode(buf_view(&marks), w->a, &served, &e), 0);
    assert_int_equal(served.pair_n, 2);
    assert_true(exchange_tell(l, &served, w->a, &w->body, &w->last));
    assert_int_equal(w->last.status, ERR_NONE);
    assert_false(exchange_served(w->reader, &marks));
    /* the writer's own */
    assert_null(act(w, &r.bank, TELL_WITHDRAW, world_id(w, "malware", 1)));
    assert_int_equal(w->last.status, ERR_DENIED);
    assert_null(act(w, &r.bank, TELL_WITHDRAW, world_id(w, "malware", 2)));
    assert_int_equal(w->last.status, ERR_MISSING);
    assert_null(act(w, &forged, TELL_WITHDRAW, world_id(w, "malware", 1)));
    q = (struct ask){.verb = ASK_AUDIT};
    o = world_ask(w, NULL, &q);
    assert_string_equal(text_at(w, o, "audit.0.act"), "ticket");
    assert_string_equal(text_at(w, o, "audit.1.act"), "withdraw");
    assert_string_equal(text_at(w, o, "audit.1.by"), "teller");
    assert_string_equal(text_at(w, o, "audit.1.result"), "refused");
    assert_string_equal(text_at(w, o, "audit.1.what"), world_id(w, "malware", 1));
    assert_string_equal(text_at(w, o, "audit.2.act"), "ticket");
    assert_string_equal(text_at(w, o, "audit.3.act"), "audit");
    assert_string_equal(text_at(w, o, "audit.3.by"), "teller");
    buf_clear(&marks);
    exchange_link_free(l);
}

/* What is posted by a token or to a group that is strict must keep every must-rule. */
static void
test_profiles(void **state)
{
    struct world *w = *state;
    struct someone token = world_token(w, "t", "scope=read,write", "role=publisher", NIL);
    const char *texts[] = {world_object(w, "malware", 1, MOD("01") GREEN), NULL};
    struct tell begin = {.collection = SPAN("all")};

    assert_int_equal(int_at(world_put(w, &token, &begin, texts), "success_count"), 1);
    texts[0] = world_object(w, "malware", 2, MOD("01") GREEN);
    world_admin(w, TELL_K_TOKEN, TELL_A_SET, "t", "profile=strict", NIL);
    token.epoch++;
    assert_int_equal(int_at(world_put(w, &token, &begin, texts), "failure_count"), 1);
    world_admin(w, TELL_K_TOKEN, TELL_A_SET, "t", "profile=normal", NIL);
    token.epoch++;
    world_admin(w, TELL_K_GROUP, TELL_A_ADD, "circle", "member+=ThaiCERT", "profile=strict", NIL);
    begin.collection = SPAN("circle");
    assert_int_equal(int_at(world_put(w, &token, &begin, texts), "failure_count"), 1);
    begin.collection = SPAN("all");
    assert_int_equal(int_at(world_put(w, &token, &begin, texts), "success_count"), 1);
    world_admin(w, TELL_K_SETTING, TELL_A_SET, "profile", "value=strict", NIL);
    texts[0] = world_object(w, "malware", 3, MOD("01") GREEN);
    assert_int_equal(int_at(world_put(w, &token, &begin, texts), "failure_count"), 1);
}

/* A ticket that is forged, of another listener, or over is nobody's. */
static void
test_tickets(void **state)
{
    struct world *w = *state;
    struct someone an = world_user(w, "an", NIL), forged = an;
    struct ask q = {.verb = ASK_SELF};

    assert_non_null(world_ask(w, &an, &q));
    forged.principal = 2;
    assert_null(world_ask(w, &forged, &q));
    assert_int_equal(w->last.status, ERR_AUTH);
    forged.principal = 9999;
    assert_null(world_ask(w, &forged, &q));
    assert_int_equal(w->last.status, ERR_AUTH);
    w->front_caller.listener.number = 2;
    assert_null(world_ask(w, &an, &q));
    assert_int_equal(w->last.status, ERR_AUTH);
    w->front_caller.listener.number = 1;
    /* a listener's ceiling bounds whoever comes through it */
    world_import(w, "AMBER", NULL, world_object(w, "malware", 1, MALWARE));
    assert_true(world_sees(w, &an, world_id(w, "malware", 1)));
    w->front_caller.listener.ceiling = TLP_GREEN;
    assert_false(world_sees(w, &an, world_id(w, "malware", 1)));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_publish),  T(test_revoke),
        T(test_withdraw), T(test_withdraw_just_served),
        T(test_undo),     T(test_undo_definition),
        T(test_post),     T(test_group_collection),
        T(test_delete),   T(test_delete_last),
        T(test_join),     T(test_opened),
        T(test_admin),    T(test_who),
        T(test_as),       T(test_next),
        T(test_tickets),  T(test_refusals),
        T(test_profiles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
