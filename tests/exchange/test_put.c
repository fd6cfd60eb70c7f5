/* What becomes of what is put: outcomes, labels, markings, references, copies and proposals. */
#include "world.h"

#define MOD(day) "\"modified\":\"2025-01-" day "T00:00:00.000Z\""
#define MALWARE  MOD("01") ",\"name\":\"n\",\"is_family\":false"
#define NIL      ((const char *)NULL)
#define AMBER                                                                                      \
    ",\"object_marking_refs\":[\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\"]"

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

/* The outcome of object i of a batch. */
static const char *
outcome(struct world *w, const struct json *o, unsigned n)
{
    for (const struct json *i = at(o, "items") != NULL ? at(o, "items")->child : NULL; i != NULL;
         i = i->next) {
        if (int_at(i, "n") == n)
            return text_at(w, i, "outcome");
    }
    return "?";
}

static const struct json *
put(struct world *w, const struct someone *who, const char *label, const char *group,
    const char *const *texts)
{
    struct tell begin = {.items = true, .label = span_of(label), .group = span_of(group)};
    const struct json *o = world_put(w, who, &begin, texts);

    if (o == NULL)
        fail_msg("%.*s", (int)w->last.text.n, w->last.text.p);
    return o;
}

static const char *
put_one(struct world *w, const struct someone *who, const char *label, const char *text)
{
    const char *texts[] = {text, NULL};

    return outcome(w, put(w, who, label, NULL, texts), 0);
}

/* Where an object stands in the operator's view: "GREEN region, AMBER ThaiCERT". */
static const char *
stands(struct world *w, const char *id)
{
    struct ask q = {.verb = ASK_SHOW, .id = span_of(id)};
    const struct json *o = world_ask(w, NULL, &q), *list = at(o, "audiences");
    struct buf b;
    const char *out;

    buf_init(&b, 4096);
    for (const struct json *a = list != NULL ? list->child : NULL; a != NULL; a = a->next)
        buf_printf(&b, "%s%s %s", b.n > 0 ? ", " : "", text_at(w, a, "label"),
                   text_at(w, a, "group"));
    out = arena_dup(w->a, buf_view(&b));
    buf_clear(&b);
    return out;
}

static void
test_outcomes(void **state)
{
    struct world *w = *state;
    const char *first = world_object(w, "malware", 1, MALWARE);
    const char *second =
        world_object(w, "malware", 1, MOD("02") ",\"name\":\"m\",\"is_family\":false");
    const char *variant =
        world_object(w, "malware", 1, MOD("02") ",\"name\":\"x\",\"is_family\":false");
    const char *defect = world_object(w, "malware", 2, MOD("01") ",\"name\":\"no is_family\"");
    struct ask q = {.verb = ASK_GET, .id = span_of(world_id(w, "malware", 1))};
    const struct json *o;

    assert_string_equal(put_one(w, NULL, "GREEN", first), "new");
    assert_string_equal(put_one(w, NULL, "GREEN", first), "known");
    assert_string_equal(put_one(w, NULL, "GREEN", second), "new version");
    assert_string_equal(put_one(w, NULL, "GREEN", variant), "variant");
    assert_string_equal(put_one(w, NULL, "AMBER", second), "copy");
    assert_string_equal(put_one(w, NULL, "GREEN", defect), "kept with defect");
    assert_string_equal(put_one(w, NULL, "GREEN", "{\"type\":\"malware\"}"), "refused");
    assert_string_equal(put_one(w, NULL, "GREEN", "{\"a\":1,\"a\":2}"), "refused");
    o = world_ask(w, NULL, &q);
    assert_int_equal(at(o, "objects")->count, 1);
    q.versions = true;
    o = world_ask(w, NULL, &q);
    assert_int_equal(at(o, "objects")->count, 3);
    q = (struct ask){.verb = ASK_SHOW, .id = span_of(world_id(w, "malware", 2))};
    o = world_ask(w, NULL, &q);
    assert_true(at(o, "defects")->count > 0);
    assert_true(strlen(text_at(w, o, "defects.0.rule")) > 0);
}

static void
test_strict(void **state)
{
    struct world *w = *state;
    const char *texts[] = {world_object(w, "malware", 2, MOD("01") ",\"name\":\"n\""),
                           world_object(w, "malware", 3, MALWARE), NULL};
    struct tell begin = {.items = true, .profile = TELL_P_STRICT, .label = SPAN("GREEN")};
    const struct json *o = world_put(w, NULL, &begin, texts);

    assert_string_equal(outcome(w, o, 0), "refused");
    assert_string_equal(outcome(w, o, 1), "new");
    assert_int_equal(int_at(o, "counts.refused"), 1);
    assert_int_equal(int_at(o, "counts.new"), 1);
}

/* What has no label gets the default, and what is asked never relaxes what is marked. */
static void
test_label(void **state)
{
    static const struct {
        const char *asked, *marked, *stands;
    } cases[] = {
        {NULL, "", "AMBER+STRICT ThaiCERT"},
        {"CLEAR", "", "CLEAR public"},
        {"GREEN", "", "GREEN region"},
        {"AMBER", "", "AMBER ThaiCERT"},
        {NULL, "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "GREEN region"},
        {"CLEAR", "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "AMBER ThaiCERT"},
        {"AMBER+STRICT", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "AMBER+STRICT ThaiCERT"},
        {NULL, "34098fce-860f-48ae-8e50-ebd3cc5e41da", "GREEN region"},
        {NULL, "826578e1-40ad-459f-bc73-ede076f81f37", "AMBER+STRICT ThaiCERT"},
    };
    struct world *w = *state;

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = world_object(
            w, "malware", i,
            *cases[i].marked
                ? arena_printf(w->a, "%s,\"object_marking_refs\":[\"marking-definition--%s\"]",
                               MALWARE, cases[i].marked)
                : MALWARE);

        assert_string_equal(put_one(w, NULL, cases[i].asked, text), "new");
        assert_string_equal(stands(w, world_id(w, "malware", i)), cases[i].stands);
    }
    /* RED needs a person, and the operator does not read it. */
    assert_string_equal(put_one(w, NULL, "RED", world_object(w, "malware", 100, MALWARE)),
                        "refused");
}

static void
test_red(void **state)
{
    struct world *w = *state;
    struct someone an = world_user(w, "an", NULL), binh = world_user(w, "binh", NULL);
    struct someone token = world_token(w, "feed", "user=an", NULL);
    const char *texts[] = {world_object(w, "malware", 1, MALWARE), NULL};
    struct tell begin = {.items = true, .label = SPAN("RED"), .person = SPAN("an")};
    const char *id = world_id(w, "malware", 1);

    assert_string_equal(outcome(w, world_put(w, NULL, &begin, texts), 0), "new");
    assert_true(world_sees(w, &an, id));
    assert_false(world_sees(w, &binh, id));
    assert_false(world_sees(w, &token, id));
    assert_false(world_sees(w, NULL, id));
}

/* A marking from the same bundle, also when it comes last; one that never comes. */
static void
test_markings(void **state)
{
    struct world *w = *state;
    const char *mark = world_id(w, "marking-definition", 1),
               *lost = world_id(w, "marking-definition", 9);
    const char *uses = arena_printf(w->a, "%s,\"object_marking_refs\":[\"%s\"]", MALWARE, mark);
    const char *waits = arena_printf(w->a, "%s,\"object_marking_refs\":[\"%s\"]", MALWARE, lost);
    const char *statement =
        world_object(w, "marking-definition", 1,
                     "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"(c) us\"}");
    const char *late =
        world_object(w, "marking-definition", 9,
                     "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"late\"}");
    const char *texts[] = {world_object(w, "malware", 1, uses),
                           world_object(w, "malware", 2, waits), statement, NULL};
    struct someone reader = world_token(w, "feed", NULL);
    const struct json *o = put(w, NULL, "GREEN", NULL, texts);
    struct ask q = {.verb = ASK_PENDING};

    assert_string_equal(outcome(w, o, 0), "new");
    assert_string_equal(outcome(w, o, 1), "waiting");
    assert_string_equal(outcome(w, o, 2), "new");
    assert_true(world_sees(w, NULL, world_id(w, "malware", 1)));
    assert_false(world_sees(w, NULL, world_id(w, "malware", 2)));
    o = world_ask(w, NULL, &q);
    assert_string_equal(text_at(w, o, "pending.0.reason"), "marking");
    assert_string_equal(text_at(w, o, "pending.0.marking"), lost);
    /* a token of the region reads GREEN, and the statement went along */
    assert_true(world_sees(w, &reader, world_id(w, "malware", 1)));
    assert_true(world_sees(w, &reader, mark));
    /* the definition arrives */
    assert_string_equal(put_one(w, NULL, "AMBER", late), "new");
    assert_true(world_sees(w, &reader, world_id(w, "malware", 2)));
    assert_true(world_sees(w, &reader, lost));
    q = (struct ask){.verb = ASK_PENDING};
    o = world_ask(w, NULL, &q);
    assert_int_equal(at(o, "pending")->count, 0);
}

/* Something that looks like a label and is not understood waits until the operator decides. */
static void
test_decide(void **state)
{
    struct world *w = *state;
    struct tell t = {.verb = TELL_DECIDE, .text = SPAN("accept"), .label = SPAN("GREEN")};
    struct ask q = {.verb = ASK_PENDING};
    const struct json *o;

    assert_string_equal(
        put_one(w, NULL, NULL,
                world_object(w, "malware", 1, MALWARE ",\"labels\":[\"tlp:purple\"]")),
        "waiting");
    assert_string_equal(
        put_one(w, NULL, NULL,
                world_object(w, "malware", 2, MALWARE ",\"labels\":[\"tlp:purple\"]")),
        "waiting");
    o = world_ask(w, NULL, &q);
    assert_int_equal(at(o, "pending")->count, 2);
    t.number = (uint64_t)int_at(o, "pending.0.n");
    o = world_tell(w, NULL, &t);
    assert_string_equal(text_at(w, o, "outcome"), "new");
    assert_string_equal(stands(w, world_id(w, "malware", 1)), "GREEN region");
    t.number++;
    t.text = SPAN("drop");
    assert_non_null(world_tell(w, NULL, &t));
    q = (struct ask){.verb = ASK_PENDING};
    assert_int_equal(at(world_ask(w, NULL, &q), "pending")->count, 0);
    assert_null(world_tell(w, NULL, &t));
    assert_int_equal(w->last.status, ERR_MISSING);
}

static const char *
edge(struct world *w, unsigned n, const char *from, const char *to)
{
    return world_object(w, "relationship", n,
                        arena_printf(w->a,
                                     "%s,\"relationship_type\":\"uses\",\"source_ref\":\"%s\","
                                     "\"target_ref\":\"%s\"",
                                     MOD("01"), from, to));
}

/* An edge goes to those who see both ends, whichever came first in the bundle. */
static void
test_edges(void **state)
{
    struct world *w = *state;
    const char *a = world_id(w, "malware", 1), *b = world_id(w, "malware", 2);
    const char *texts[] = {edge(w, 1, a, b), edge(w, 2, a, a),
                           edge(w, 3, a, world_id(w, "tool", 9)), NULL};
    const char *bundle[] = {edge(w, 4, world_id(w, "malware", 3), world_id(w, "malware", 4)),
                            world_object(w, "malware", 3, MALWARE),
                            world_object(w, "malware", 4, MALWARE AMBER), NULL};
    struct someone bank;
    const struct json *o;

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NIL);
    bank = world_user(w, "teller", "organisation=bank", NIL);

    put_one(w, NULL, "GREEN", world_object(w, "malware", 1, MALWARE));
    put_one(w, NULL, "AMBER", world_object(w, "malware", 2, MALWARE));
    o = put(w, NULL, "CLEAR", NULL, texts);
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(outcome(w, o, i), "new");
    assert_true(world_sees(w, NULL, world_id(w, "relationship", 1)));
    assert_false(world_sees(w, &bank, world_id(w, "relationship", 1)));
    assert_string_equal(stands(w, world_id(w, "relationship", 2)), "GREEN region");
    /* a dangling end narrows nothing: hidden and absent are never told apart */
    assert_string_equal(stands(w, world_id(w, "relationship", 3)), "GREEN region");
    o = put(w, NULL, "GREEN", NULL, bundle);
    assert_string_equal(outcome(w, o, 0), "new");
    assert_string_equal(stands(w, world_id(w, "malware", 3)), "GREEN region");
    assert_string_equal(stands(w, world_id(w, "malware", 4)), "AMBER ThaiCERT");
    assert_true(world_sees(w, NULL, world_id(w, "relationship", 4)));
    assert_false(world_sees(w, &bank, world_id(w, "relationship", 4)));
    assert_true(world_sees(w, &bank, world_id(w, "malware", 3)));
}

/* Our own object that names something narrower is refused, unless told; others' are kept. */
static void
test_references(void **state)
{
    struct world *w = *state;
    struct ask q = {.verb = ASK_HEALTH};
    const char *own = text_at(w, world_ask(w, NULL, &q), "node");
    const char *named = world_id(w, "malware", 1);
    const char *theirs = arena_printf(
        w->a, "%s,\"name\":\"r\",\"published\":\"2025-01-01T00:00:00Z\",\"object_refs\":[\"%s\"]",
        MOD("01"), named);
    const char *mine = arena_printf(w->a, "%s,\"created_by_ref\":\"%s\"", theirs, own);
    const char *texts[] = {world_object(w, "report", 1, mine), NULL};
    struct tell begin = {.items = true, .label = SPAN("GREEN"), .keep_narrow = true};

    put_one(w, NULL, "AMBER", world_object(w, "malware", 1, MALWARE));
    assert_string_equal(put_one(w, NULL, "GREEN", texts[0]), "refused");
    assert_string_equal(put_one(w, NULL, "AMBER", texts[0]), "new");
    assert_string_equal(put_one(w, NULL, "GREEN", world_object(w, "report", 2, theirs)), "new");
    texts[0] = world_object(w, "report", 3, mine);
    assert_string_equal(outcome(w, world_put(w, NULL, &begin, texts), 0), "new");
    assert_string_equal(stands(w, world_id(w, "report", 3)), "GREEN region");
}

/* Somebody else's object: copies and proposals. */
static void
test_others(void **state)
{
    struct world *w = *state;
    struct ask health = {.verb = ASK_HEALTH};
    const char *own = text_at(w, world_ask(w, NULL, &health), "node");
    const char *who = world_id(w, "identity", 5);
    const char *members = arena_printf(w->a, "%s,\"created_by_ref\":\"%s\"", MALWARE AMBER, who);
    const char *text = world_object(w, "malware", 1, members);
    const char *changed = world_object(
        w, "malware", 1,
        arena_printf(w->a, "%s,\"name\":\"m\",\"is_family\":false,\"created_by_ref\":\"%s\"" AMBER,
                     MOD("03"), who));
    const char *wide[] = {text, NULL};
    struct tell begin = {.items = true, .group = SPAN("banking")};
    struct someone bank, analyst;

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", arena_printf(w->a, "identity=%s", who), NIL);
    world_admin(w, TELL_K_ORG, TELL_A_ADD, "vendor", "kind=partner", NIL);
    world_admin(w, TELL_K_GROUP, TELL_A_ADD, "banking", "member+=ThaiCERT", "member+=vendor", NIL);
    bank = world_user(w, "teller", "organisation=bank", "role=publisher", NIL);
    analyst = world_user(w, "analyst", "role=publisher", NIL);
    /* the creator posts: to its own group and to its member's */
    assert_string_equal(put_one(w, &bank, "AMBER", text), "new");
    assert_true(world_sees(w, &bank, world_id(w, "malware", 1)));
    assert_true(world_sees(w, &analyst, world_id(w, "malware", 1)));
    /* others pass it on no further, and other bytes are proposals */
    assert_string_equal(outcome(w, world_put(w, &analyst, &begin, wide), 0), "refused");
    assert_string_equal(put_one(w, &analyst, "AMBER", text), "known");
    assert_string_equal(put_one(w, &analyst, "AMBER", changed), "proposal");
    assert_string_equal(put_one(w, &bank, "AMBER", changed), "new version");
    /* nor does it help to name no creator, or oneself: whose it is has been seen */
    assert_string_equal(
        put_one(
            w, &analyst, "AMBER",
            world_object(w, "malware", 1, MOD("04") ",\"name\":\"x\",\"is_family\":false" AMBER)),
        "proposal");
    assert_string_equal(put_one(w, &analyst, "AMBER",
                                world_object(w, "malware", 1,
                                             arena_printf(w->a,
                                                          "%s,\"name\":\"x\",\"is_family\":false,"
                                                          "\"created_by_ref\":\"%s\"" AMBER,
                                                          MOD("04"), own))),
                        "proposal");
}

/* A label relaxed from a network waits; over the local socket it is done. */
static void
test_relaxed(void **state)
{
    struct world *w = *state;
    struct someone an = world_user(w, "an", "role=publisher", NIL);
    const char *text = world_object(w, "malware", 1, MALWARE AMBER);
    const char *green = ",\"object_marking_refs\":[\"marking-definition--"
                        "bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]";
    const char *newer = world_object(
        w, "malware", 1,
        arena_printf(w->a, "%s,\"name\":\"n\",\"is_family\":false%s", MOD("02"), green));

    assert_string_equal(put_one(w, &an, "AMBER", text), "new");
    assert_string_equal(put_one(w, &an, NULL, newer), "waiting");
    assert_string_equal(put_one(w, NULL, NULL, newer), "new version");
    assert_string_equal(stands(w, world_id(w, "malware", 1)), "AMBER ThaiCERT, GREEN region");
}

/* Held and hidden is the same as absent, for who posts. */
static void
test_hidden_is_new(void **state)
{
    struct world *w = *state;
    struct someone bank;
    const char *text = world_object(w, "malware", 1, MALWARE AMBER);

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NIL);
    bank = world_user(w, "teller", "organisation=bank", "role=analyst", NIL);
    assert_string_equal(put_one(w, NULL, "AMBER", text), "new");
    assert_false(world_sees(w, &bank, world_id(w, "malware", 1)));
    assert_string_equal(put_one(w, &bank, "AMBER", text), "new");
    assert_string_equal(put_one(w, &bank, "AMBER", text), "known");
    assert_string_equal(stands(w, world_id(w, "malware", 1)), "AMBER ThaiCERT");
}

static void
test_dry_run(void **state)
{
    struct world *w = *state;
    const char *a = world_id(w, "malware", 1), *b = world_id(w, "malware", 2);
    const char *texts[] = {world_object(w, "malware", 1, MALWARE), edge(w, 1, a, b),
                           world_object(w, "malware", 2, MALWARE),
                           world_object(w, "malware", 1, MALWARE), NULL};
    struct tell begin = {.items = true, .dry = true, .label = SPAN("GREEN")};
    struct ask q = {.verb = ASK_BATCHES};
    const struct json *o, *item;

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NIL);
    put_one(w, NULL, "AMBER", world_object(w, "malware", 2, MALWARE));
    o = world_put(w, NULL, &begin, texts);
    assert_int_equal(int_at(o, "batch"), 0);
    assert_string_equal(text_at(w, o, "state"), "dry run");
    assert_string_equal(outcome(w, o, 0), "new");
    assert_string_equal(outcome(w, o, 1), "new");
    assert_string_equal(outcome(w, o, 2), "copy");
    assert_string_equal(outcome(w, o, 3), "known");
    item = at(o, "items.0");
    assert_string_equal(text_at(w, item, "audiences.0.label"), "GREEN");
    assert_string_equal(text_at(w, item, "audiences.0.group"), "region");
    assert_int_equal(at(item, "audiences.0.readers")->count, 2);
    assert_int_equal(at(item, "audiences.0.newly")->count, 2);
    for (item = at(o, "items")->child; int_at(item, "n") != 2; item = item->next)
        ;
    assert_string_equal(text_at(w, item, "audiences.0.newly.0"), "bank");
    assert_int_equal(at(item, "audiences.0.newly")->count, 1);
    assert_false(world_sees(w, NULL, a));
    o = world_ask(w, NULL, &q);
    assert_int_equal(at(o, "batches")->count, 1);
}

static void
test_quarantine(void **state)
{
    struct world *w = *state;
    const char *texts[] = {world_object(w, "malware", 1, MALWARE),
                           world_object(w, "malware", 2, MALWARE), NULL};
    struct tell begin = {.items = true, .quarantine = true, .label = SPAN("GREEN")};
    struct tell release = {.verb = TELL_RELEASE};
    const struct json *o = world_put(w, NULL, &begin, texts);

    assert_string_equal(text_at(w, o, "state"), "quarantine");
    assert_int_equal(int_at(o, "counts.waiting"), 2);
    assert_false(world_sees(w, NULL, world_id(w, "malware", 1)));
    release.number = (uint64_t)int_at(o, "batch");
    o = world_tell(w, NULL, &release);
    assert_int_equal(int_at(o, "counts.new"), 2);
    assert_true(world_sees(w, NULL, world_id(w, "malware", 1)));
    assert_string_equal(stands(w, world_id(w, "malware", 2)), "GREEN region");
    assert_null(world_tell(w, NULL, &release));
    assert_int_equal(w->last.status, ERR_CONFLICT);
}

/* On release an edge finds its ends, although it came before them. */
static void
test_quarantine_order(void **state)
{
    struct world *w = *state;
    const char *a = world_id(w, "malware", 1), *b = world_id(w, "malware", 2);
    const char *texts[] = {edge(w, 1, a, b), world_object(w, "malware", 1, MALWARE),
                           world_object(w, "malware", 2, MALWARE AMBER), NULL};
    struct tell begin = {.items = true, .quarantine = true, .label = SPAN("GREEN")};
    struct tell release = {.verb = TELL_RELEASE};
    struct someone bank;
    const struct json *o;

    world_admin(w, TELL_K_ORG, TELL_A_ADD, "bank", NIL);
    bank = world_user(w, "teller", "organisation=bank", NIL);
    o = world_put(w, NULL, &begin, texts);
    assert_int_equal(int_at(o, "counts.waiting"), 3);
    release.number = (uint64_t)int_at(o, "batch");
    o = world_tell(w, NULL, &release);
    assert_int_equal(int_at(o, "counts.new"), 3);
    assert_true(world_sees(w, &bank, a));
    assert_false(world_sees(w, &bank, b));
    assert_true(world_sees(w, NULL, world_id(w, "relationship", 1)));
    assert_false(world_sees(w, &bank, world_id(w, "relationship", 1)));
}

/* Live and exercise never mix. */
static void
test_exercise(void **state)
{
    struct world *w = *state;
    const char *marked =
        MALWARE ",\"object_marking_refs\":[\"marking-definition--e26f5832-6095-4b02"
                "-9dc1-13eb335d0ff7\"]";
    const char *texts[] = {world_object(w, "malware", 1, marked),
                           world_object(w, "malware", 2, MALWARE), NULL};
    struct tell begin = {.items = true, .exercise = true, .label = SPAN("GREEN")};
    struct someone player = world_user(w, "player", "exercise=yes", NIL);
    struct someone other = world_user(w, "other", NIL);
    struct ask q = {.verb = ASK_GET, .exercise = true};
    const char *id = world_id(w, "malware", 1);
    const struct json *o = world_put(w, NULL, &begin, texts);

    assert_string_equal(outcome(w, o, 0), "new");
    assert_string_equal(outcome(w, o, 1), "refused");
    assert_string_equal(put_one(w, NULL, "GREEN", texts[0]), "refused");
    assert_false(world_sees(w, NULL, id));
    assert_false(world_sees(w, &player, id));
    q.id = span_of(id);
    assert_non_null(world_ask(w, NULL, &q));
    assert_non_null(world_ask(w, &player, &q));
    assert_null(world_ask(w, &other, &q));
    assert_int_equal(w->last.status, ERR_MISSING);
    /* the mark itself went along to the exercise side */
    q.id = SPAN("marking-definition--e26f5832-6095-4b02-9dc1-13eb335d0ff7");
    assert_non_null(world_ask(w, &player, &q));
}

static void
test_report(void **state)
{
    struct world *w = *state;
    const char *texts[] = {world_object(w, "malware", 1, MALWARE), "{\"type\":\"malware\"}",
                           "{\"type\":\"malware\"}", world_object(w, "malware", 2, MOD("01")),
                           NULL};
    struct tell begin = {.label = SPAN("GREEN"), .source = SPAN("file.json")};
    const struct json *o = world_put(w, NULL, &begin, texts);
    struct someone other = world_user(w, "other", NIL);
    struct ask q = {.verb = ASK_REPORT, .number = (uint64_t)int_at(o, "batch")};

    assert_null(at(o, "items"));
    assert_null(world_ask(w, &other, &q));
    assert_int_equal(w->last.status, ERR_MISSING);
    q.ticket = (struct span){0};
    o = world_ask(w, NULL, &q);
    assert_string_equal(text_at(w, o, "source"), "file.json");
    assert_string_equal(text_at(w, o, "state"), "done");
    assert_int_equal(int_at(o, "counts.new"), 1);
    assert_int_equal(int_at(o, "counts.refused"), 2);
    assert_int_equal(int_at(o, "counts.kept with defect"), 1);
    assert_true(at(o, "causes")->count >= 2);
    for (const struct json *c = at(o, "causes")->child; c != NULL; c = c->next) {
        assert_true(strlen(text_at(w, c, "rule")) > 0);
        if (strcmp(text_at(w, c, "outcome"), "refused") == 0)
            assert_int_equal(int_at(c, "count"), 2);
    }
    assert_int_equal(int_at(at(o, "items")->child, "n"), 1);
}

static void
test_hostile(void **state)
{
    struct world *w = *state;
    struct tell begin = {.verb = TELL_BEGIN, .handle = 1000};
    struct tell t = {.verb = TELL_OBJECT, .handle = 1000, .payload = SPAN("rubbish")};

    assert_non_null(world_tell(w, NULL, &begin));
    assert_null(world_tell(w, NULL, &begin));
    assert_int_equal(w->last.status, ERR_PROTOCOL);
    assert_null(world_tell(w, NULL, &t));
    t = (struct tell){.verb = TELL_END, .handle = 1000};
    assert_null(world_tell(w, NULL, &t));
    assert_int_equal(w->last.status, ERR_PROTOCOL);
    assert_null(world_tell(w, NULL, &t));
    assert_int_equal(w->last.status, ERR_PROTOCOL);
    t = (struct tell){.verb = TELL_OBJECT, .handle = 77, .payload = SPAN("x")};
    assert_null(world_tell(w, NULL, &t));
    assert_int_equal(w->last.status, ERR_PROTOCOL);
    /* and the writer goes on */
    assert_string_equal(put_one(w, NULL, "GREEN", world_object(w, "malware", 1, MALWARE)), "new");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_outcomes),   T(test_strict),           T(test_label),         T(test_red),
        T(test_markings),   T(test_decide),           T(test_edges),         T(test_references),
        T(test_others),     T(test_relaxed),          T(test_hidden_is_new), T(test_dry_run),
        T(test_quarantine), T(test_quarantine_order), T(test_exercise),      T(test_report),
        T(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
