/*
 * Random histories of posts, groups, accounts and withdrawals; then every way out is compared with
 * a plain model of who may see what, written here anew and knowing nothing of policy's code.
 */
#include "world.h"

#include "keep.h"
#include "tlp.h"

#define IDS      12
#define VERSIONS 2
#define VARIANTS 2
#define LABELS   5 /* CLEAR .. AMBER+STRICT as markings, and none */
#define CONTENTS (IDS * VERSIONS * VARIANTS * LABELS)
#define ORGS     6
#define GROUPS   3
#define GENS     64
#define PEOPLE   14
#define PUBS     4000
#define NIL      ((const char *)NULL)

enum { SELF, MEMBER, CLIENT, MCLIENT, PARTNER, OTHER };
static const char *const org_names[ORGS] = {"ThaiCERT", "MyCERT", "bank",
                                            "mbank",    "vendor", "VNCERT"};
static const char *const org_pairs[ORGS] = {
    "", "kind=member", "member_of=ThaiCERT", "member_of=MyCERT", "kind=partner", "kind=member"};
/* whose constituent an organisation is; -1: nobody's */
static const int client_of[ORGS] = {-1, -1, SELF, MEMBER, -1, -1};

/* groups: public, region, an own one for each organisation, named ones */
enum { G_PUBLIC, G_REGION, G_OWN, G_NAMED = G_OWN + ORGS, G_ALL = G_NAMED + GROUPS };

struct person {
    char name[24];
    struct someone who;
    bool token, removed;
    int owner; /* of a token: a person's index, or -1 */
    int org;
    int role; /* 0 reader, 1 analyst, 2 publisher, 3 admin */
    bool staff, exercise;
    bool read, write; /* scope of a token */
    int ceiling;
    int64_t polled;     /* up to where it has polled by added_after, as a client does */
    bool got[CONTENTS]; /* and what it has by that */
};

struct pub {
    unsigned content;
    int label;
    int group, gen; /* RED: group -1 */
    int person;
    int org; /* of the poster */
    bool exercise, alive;
    unsigned order;
    uint64_t batch;
};

struct model {
    struct world *w;
    struct check_random rnd;
    struct person people[PEOPLE];
    unsigned people_n;
    bool member[GENS][ORGS];
    int gen[G_ALL]; /* the one that takes what is new */
    int gens;
    int gen_group[GENS];
    bool past[G_ALL];
    bool used[GENS];
    struct pub pubs[PUBS];
    unsigned pub_n;
    unsigned long pairs;
};

static unsigned
pick(struct model *m, unsigned n)
{
    return (unsigned)(check_next(&m->rnd) >> 33) % n;
}

/* -- contents -------------------------------------------------------------------------------------
 */

static unsigned
content_id(unsigned c)
{
    return c % IDS;
}

static unsigned
content_version(unsigned c)
{
    return c / IDS % VERSIONS;
}

static unsigned
content_label(unsigned c)
{
    return c / IDS / VERSIONS / VARIANTS;
}

static const char *const marks[LABELS] = {
    "94868c89-83c2-464b-929b-a1a8aa3c8487", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "939a9414-2ddd-4d32-a0cd-375ea402b003", NULL};

static const char *
content_text(struct model *m, unsigned c, bool exercise)
{
    const char *mark = marks[content_label(c)];
    char refs[200] = "";

    if (mark != NULL || exercise)
        snprintf(refs, sizeof refs, ",\"object_marking_refs\":[%s%s%s%s%s]",
                 mark != NULL ? "\"marking-definition--" : "", mark != NULL ? mark : "",
                 mark != NULL ? "\"" : "", mark != NULL && exercise ? "," : "",
                 exercise ? "\"marking-definition--e26f5832-6095-4b02-9dc1-13eb335d0ff7\"" : "");
    return world_object(m->w, "malware", content_id(c) + (exercise ? 1000 : 0),
                        arena_printf(m->w->a,
                                     "\"modified\":\"2025-01-%02uT00:00:00.000Z\",\"name\":\"c%u\","
                                     "\"is_family\":false%s",
                                     content_version(c) + 1, c, refs));
}

/* -- the model of who may see what
 * ----------------------------------------------------------------- */

struct eyes {
    const struct person *p;
    bool session; /* the channel is a person's own session */
    bool exercise;
};

/* A token reads no more than its owner. */
static bool
can_read(const struct model *m, const struct person *p, int *ceiling, bool *staff, bool *exercise)
{
    const struct person *o = p->token && p->owner >= 0 ? &m->people[p->owner] : NULL;

    *ceiling = p->ceiling;
    *staff = p->staff;
    *exercise = p->exercise;
    if (o != NULL) {
        if (o->ceiling < *ceiling)
            *ceiling = o->ceiling;
        *staff = *staff && o->staff;
        *exercise = *exercise && o->exercise;
    }
    return !p->removed && p->role != 3 && (!p->token || p->read) &&
           (o == NULL || (!o->removed && o->role != 3));
}

static bool
may_see(const struct model *m, const struct eyes *e, const struct pub *b)
{
    const struct person *p = e->p;
    bool staff, exercise, in, client;
    int ceiling;

    if (!b->alive || !can_read(m, p, &ceiling, &staff, &exercise))
        return false;
    if (e->exercise && !exercise)
        return false;
    if (b->exercise != e->exercise || b->label > ceiling)
        return false;
    if (b->label == TLP_RED)
        return e->session && !p->token && b->person == (int)(p - m->people);
    if (b->group == G_PUBLIC && b->label == TLP_CLEAR)
        return true;
    in = m->member[b->gen][p->org];
    client = client_of[p->org] >= 0 && m->member[b->gen][client_of[p->org]];
    switch (b->label) {
    case TLP_CLEAR:
    case TLP_GREEN:
        return in || client;
    case TLP_AMBER:
        return in;
    default:
        return in && staff;
    }
}

static bool
sees_content(const struct model *m, const struct eyes *e, unsigned c)
{
    for (unsigned i = 0; i < m->pub_n; i++) {
        if (m->pubs[i].content == c && may_see(m, e, &m->pubs[i]))
            return true;
    }
    return false;
}

/* -- what should become of a post
 * ------------------------------------------------------------------- */

struct post {
    const struct person *p; /* NULL: the operator */
    int group;              /* asked for; -1: none */
    bool session, exercise;
    bool asked;
    int asked_label;
};

static int
label_of(const struct post *o, unsigned c)
{
    int marked = (int)content_label(c), strict = TLP_AMBER_STRICT;

    if (marked < 4)
        return o->asked && o->asked_label > marked ? o->asked_label : marked;
    if (!o->asked)
        return strict;
    if (o->p == NULL)
        return o->asked_label;
    return o->asked_label > strict ? o->asked_label : strict;
}

static bool
may_post(const struct model *m, const struct post *o, int group, int label)
{
    int org = o->p != NULL ? o->p->org : SELF;
    bool publisher = o->p == NULL || o->p->role == 2;

    if (group == G_OWN + org)
        return true;
    if (!publisher)
        return false;
    if (group == G_PUBLIC)
        return label == TLP_CLEAR;
    if (group == G_REGION)
        return m->member[m->gen[G_REGION]][org] ||
               (client_of[org] >= 0 && m->member[m->gen[G_REGION]][client_of[org]]);
    if (group < G_NAMED)
        return client_of[org] == group - G_OWN || client_of[group - G_OWN] == org;
    return m->member[m->gen[group]][org];
}

static struct pub *
add_pub(struct model *m, unsigned c, int label, int group, int org, bool exercise, uint64_t batch)
{
    struct pub b = {.content = c,
                    .label = label,
                    .group = group,
                    .gen = m->gen[group],
                    .person = -1,
                    .org = org,
                    .exercise = exercise,
                    .alive = true,
                    .order = m->pub_n,
                    .batch = batch};

    for (unsigned i = 0; i < m->pub_n; i++) { /* stands there already */
        if (m->pubs[i].alive && m->pubs[i].content == c && m->pubs[i].label == label &&
            m->pubs[i].gen == b.gen && m->pubs[i].exercise == exercise)
            return NULL;
    }
    assert_true(m->pub_n < PUBS);
    m->used[b.gen] = true;
    m->pubs[m->pub_n] = b;
    return &m->pubs[m->pub_n++];
}

/* What the poster should be told, from what he sees; the publications are made where told. */
static const char *
expect(struct model *m, const struct post *o, unsigned c, uint64_t batch)
{
    static const struct person operator_person = {.org = SELF,
                                                  .role = 2,
                                                  .staff = true,
                                                  .exercise = true,
                                                  .ceiling = TLP_AMBER_STRICT,
                                                  .owner = -1};
    const struct person *p = o->p != NULL ? o->p : &operator_person;
    struct eyes e = {p, o->session, o->exercise};
    int label = label_of(o, c), group = o->group, newest = -1, newest_label = 0;
    bool any = false, same = false, version = false, here = false;

    if (o->p != NULL) {
        int ceiling;
        bool staff, exercise;

        if (p->role == 0 || p->role == 3)
            return "refused";
        (void)can_read(m, p, &ceiling, &staff, &exercise);
        if (label > ceiling)
            return "refused";
    }
    if (label == TLP_RED)
        return "refused"; /* nobody is named */
    if (group < 0)
        group = p->role != 2         ? G_OWN + p->org
                : label == TLP_CLEAR ? G_PUBLIC
                : label == TLP_GREEN ? G_REGION
                                     : G_OWN + p->org;
    if (!may_post(m, o, group, label))
        return "refused";
    for (unsigned i = 0; i < m->pub_n; i++) {
        const struct pub *b = &m->pubs[i];
        int v;

        if (content_id(b->content) != content_id(c) || b->exercise != o->exercise ||
            !may_see(m, &e, b))
            continue;
        v = (int)content_version(b->content);
        any = true;
        same |= b->content == c;
        version |= v == (int)content_version(c);
        here |= b->content == c && b->label == label && b->gen == m->gen[group];
        if (v > newest || (v == newest && b->label < newest_label)) {
            newest = v;
            newest_label = b->label;
        }
    }
    if (!here && o->p != NULL && any && label < newest_label)
        return "waiting";
    if (!here)
        add_pub(m, c, label, group, p->org, o->exercise, batch);
    /* its member's copy; what is laxer than the newest waits there too */
    if (client_of[p->org] >= 0 && !(any && label < newest_label)) {
        int up = G_OWN + client_of[p->org];

        if (up != group)
            add_pub(m, c, label, up, p->org, o->exercise, batch);
    }
    return here ? "known" : !any ? "new" : same ? "copy" : version ? "variant" : "new version";
}

/* -- acts -----------------------------------------------------------------------------------------
 */

static const char *
group_name(struct model *m, int g)
{
    if (g == G_PUBLIC)
        return "public";
    if (g == G_REGION)
        return "region";
    if (g < G_NAMED)
        return org_names[g - G_OWN];
    return arena_printf(m->w->a, "group%d", g - G_NAMED);
}

static void
do_post(struct model *m)
{
    struct post o = {.group = -1, .exercise = pick(m, 5) == 0};
    struct tell begin = {.items = true, .exercise = o.exercise};
    unsigned c = pick(m, CONTENTS), who = pick(m, m->people_n + 4);
    const char *texts[2] = {NULL, NULL}, *want, *got;
    const struct json *a;

    if (who < m->people_n) {
        o.p = &m->people[who];
        if (o.p->removed ||
            (o.p->token && (!o.p->write || (o.p->owner >= 0 && m->people[o.p->owner].removed))))
            return;
        o.session = !o.p->token;
    }
    if (o.exercise && o.p != NULL) {
        int ceiling;
        bool staff, exercise;

        (void)can_read(m, o.p, &ceiling, &staff, &exercise);
        if (!exercise)
            return;
    }
    if (pick(m, 3) == 0) {
        o.group = (int)pick(m, G_ALL);
        begin.group = span_of(group_name(m, o.group));
    }
    if (pick(m, 3) == 0) {
        o.asked = true;
        o.asked_label = (int)pick(m, 4);
        begin.label = span_of(tlp_code((enum tlp)o.asked_label));
    }
    texts[0] = content_text(m, c, o.exercise);
    a = world_put(m->w, o.p != NULL ? &o.p->who : NULL, &begin, texts);
    if (a == NULL)
        fail_msg("%.*s", (int)m->w->last.text.n, m->w->last.text.p);
    got = text_at(m->w, a, "items.0.outcome");
    want = expect(m, &o, c, (uint64_t)int_at(a, "batch"));
    if (strcmp(got, want) != 0)
        fail_msg("%s posts c%u (label %u) to %s%s: \"%s\", the model says \"%s\" (%s)",
                 o.p != NULL ? o.p->name : "operator", c, content_label(c),
                 o.group >= 0 ? group_name(m, o.group) : "the default",
                 o.exercise ? ", exercise" : "", got, want,
                 text_at(m->w, a, "items.0.messages.0.text"));
}

static void
do_red(struct model *m)
{
    struct tell begin = {.items = true, .label = SPAN("red")};
    unsigned who = pick(m, m->people_n), c = pick(m, CONTENTS);
    const struct person *p = &m->people[who];
    const char *texts[2] = {content_text(m, c, false), NULL}, *got;
    struct pub *b;
    const struct json *a;

    if (p->token || p->removed)
        return;
    begin.person = span_of(p->name);
    a = world_put(m->w, NULL, &begin, texts);
    assert_non_null(a);
    got = text_at(m->w, a, "items.0.outcome");
    if (p->role == 3 || p->ceiling < TLP_RED) {
        assert_string_equal(got, "refused");
        return;
    }
    assert_string_not_equal(got, "refused");
    for (unsigned i = 0; i < m->pub_n; i++) {
        b = &m->pubs[i];
        if (b->alive && b->content == c && b->label == TLP_RED && b->person == (int)who &&
            !b->exercise)
            return;
    }
    b = &m->pubs[m->pub_n++];
    *b = (struct pub){.content = c,
                      .label = TLP_RED,
                      .group = -1,
                      .gen = 0,
                      .person = (int)who,
                      .org = SELF,
                      .alive = true,
                      .order = m->pub_n,
                      .batch = (uint64_t)int_at(a, "batch")};
}

/* Time passes for the writer, until all that newly appears has appeared. */
static void
settle(struct model *m)
{
    struct tell t = {.verb = TELL_TICK};

    do {
        assert_non_null(world_tell(m->w, NULL, &t));
    } while (m->w->last.more);
}

static int
new_gen(struct model *m, int group)
{
    assert_true(m->gens < GENS);
    m->gen_group[m->gens] = group;
    m->gen[group] = m->gens;
    return m->gens++;
}

static void
do_member(struct model *m)
{
    int g = pick(m, 4) == 0 ? G_REGION : G_NAMED + (int)pick(m, GROUPS);
    int org = (int)pick(m, ORGS), old = m->gen[g];
    bool in = m->member[old][org];

    if (m->gens > GENS - 2 || (g == G_REGION && org == SELF))
        return;
    world_admin(m->w, TELL_K_GROUP, TELL_A_SET, group_name(m, g),
                arena_printf(m->w->a, "member%s=%s", in ? "-" : "+", org_names[org]), NIL);
    if (in) {
        for (int i = 0; i < m->gens; i++) {
            if (m->gen_group[i] == g)
                m->member[i][org] = false;
        }
    } else {
        if (!m->past[g] && m->used[old]) {
            int n = new_gen(m, g);

            memcpy(m->member[n], m->member[old], sizeof m->member[n]);
        }
        m->member[m->gen[g]][org] = true;
    }
}

static void
do_account(struct model *m)
{
    struct person *p = &m->people[pick(m, m->people_n)];

    if (p->removed)
        return;
    if (p->token) { /* only ever narrowed */
        if (p->ceiling == 0 || pick(m, 2) == 0)
            return;
        p->ceiling--;
        world_admin(m->w, TELL_K_TOKEN, TELL_A_SET, p->name,
                    arena_printf(m->w->a, "ceiling=%s", tlp_code((enum tlp)p->ceiling)), NIL);
    } else {
        switch (pick(m, 4)) {
        case 0:
            p->ceiling = (int)pick(m, TLP_COUNT);
            world_admin(m->w, TELL_K_USER, TELL_A_SET, p->name,
                        arena_printf(m->w->a, "ceiling=%s", tlp_code((enum tlp)p->ceiling)), NIL);
            break;
        case 1:
            p->staff = !p->staff;
            world_admin(m->w, TELL_K_USER, TELL_A_SET, p->name, p->staff ? "staff=yes" : "staff=no",
                        NIL);
            break;
        case 2:
            p->exercise = !p->exercise;
            world_admin(m->w, TELL_K_USER, TELL_A_SET, p->name,
                        p->exercise ? "exercise=yes" : "exercise=no", NIL);
            break;
        default:
            if (pick(m, 8) != 0)
                return;
            p->removed = true;
            world_admin(m->w, TELL_K_USER, TELL_A_REMOVE, p->name, NIL);
            return;
        }
    }
    p->who.epoch++;
}

static void
do_withdraw(struct model *m)
{
    unsigned id = pick(m, IDS);
    bool exercise = pick(m, 5) == 0, any = false, mine = false;
    struct tell t = {.verb = TELL_WITHDRAW,
                     .id = span_of(world_id(m->w, "malware", id + (exercise ? 1000 : 0)))};

    for (unsigned i = 0; i < m->pub_n; i++) {
        struct pub *b = &m->pubs[i];

        if (!b->alive || content_id(b->content) != id || b->exercise != exercise)
            continue;
        any = true;
        mine |= b->org == SELF;
    }
    (void)world_tell(m->w, NULL, &t);
    assert_int_equal(m->w->last.status, mine ? ERR_NONE : any ? ERR_DENIED : ERR_MISSING);
    for (unsigned i = 0; i < m->pub_n; i++) {
        struct pub *b = &m->pubs[i];

        if (content_id(b->content) == id && b->exercise == exercise && b->org == SELF)
            b->alive = false;
    }
}

static void
do_undo(struct model *m)
{
    uint64_t batch = m->pub_n > 0 ? m->pubs[pick(m, m->pub_n)].batch : 0;
    struct tell t = {.verb = TELL_UNDO, .number = batch};

    if (batch == 0)
        return;
    (void)world_tell(m->w, NULL, &t);
    assert_true(m->w->last.status == ERR_NONE || m->w->last.status == ERR_CONFLICT);
    for (unsigned i = 0; i < m->pub_n; i++) {
        if (m->pubs[i].batch == batch)
            m->pubs[i].alive = false;
    }
}

/* -- every way out --------------------------------------------------------------------------------
 */

/* Contents of a list of objects, -1 for those that are not of this test. */
static int
content_of(struct model *m, const struct json *o)
{
    const char *name = text_at(m->w, o, "name");

    return name[0] == 'c' && name[1] >= '0' && name[1] <= '9' ? atoi(name + 1) : -1;
}

static void
listed_once(struct model *m, const struct eyes *e, const bool *listed, bool last, const char *where)
{
    for (unsigned id = 0; id < IDS; id++) {
        int newest = -1;
        unsigned n[VERSIONS] = {0}, all = 0;

        for (unsigned c = 0; c < CONTENTS; c++) {
            if (content_id(c) != id)
                continue;
            if (listed[c] && !sees_content(m, e, c))
                fail_msg("%s shows %s c%u", where, e->p->name, c);
            if (sees_content(m, e, c) && (int)content_version(c) > newest)
                newest = (int)content_version(c);
            n[content_version(c)] += listed[c];
            all += listed[c];
        }
        if (last) {
            assert_int_equal(all, newest >= 0);
            assert_true(newest < 0 || n[newest] == 1);
            continue;
        }
        for (unsigned v = 0; v < VERSIONS; v++) {
            bool any = false;

            for (unsigned c = 0; c < CONTENTS; c++)
                any |= content_id(c) == id && content_version(c) == v && sees_content(m, e, c);
            if (n[v] != any)
                fail_msg("%s lists %u of version %u of id %u for %s", where, n[v], v, id,
                         e->p->name);
        }
    }
}

/* Pages of the collection, three at a time. */
static void
check_pages(struct model *m, const struct eyes *e, bool last)
{
    struct someone who = e->p->who;
    struct ask q = {.verb = ASK_OBJECTS,
                    .collection = e->exercise ? SPAN("exercise-all") : SPAN("all")};
    bool listed[CONTENTS] = {false};
    struct eyes token_eyes = *e;
    int64_t before = 0;
    const struct json *o, *list;
    struct err err = ERR_INIT;

    token_eyes.session = false;
    assert_int_equal(taxii_query_read(m->w->a,
                                      last ? SPAN("limit=7&match[type]=malware")
                                           : SPAN("limit=7&match[type]=malware&match[version]=all"),
                                      TAXII_P_OBJECTS, &q.q, &err),
                     0);
    for (;;) {
        o = world_ask(m->w, &who, &q);
        if (o == NULL)
            fail_msg("%s: %.*s", e->p->name, (int)m->w->last.text.n, m->w->last.text.p);
        list = at(o, "objects");
        if (list == NULL)
            break;
        assert_true(m->w->last.first_us > before);
        before = m->w->last.last_us / 1000 * 1000; /* it may be rounded up */
        for (const struct json *i = list->child; i != NULL; i = i->next) {
            int c = content_of(m, i);

            assert_true(c >= 0 && !listed[c]);
            listed[c] = true;
        }
        if (at(o, "more") == NULL)
            break;
        assert_int_equal(list->count, 7);
        q.q = (struct taxii_query){.limit = 7,
                                   .given = TAXII_P_LIMIT | TAXII_P_NEXT,
                                   .next = span_of(text_at(m->w, o, "next"))};
        before = 0;
    }
    listed_once(m, &token_eyes, listed, last, "a page");
}

/* A client that polls by the dates that it was given misses nothing, whatever was opened to it in
 * between: of each version that it may see now it has one content at least. */
static void
poll(struct model *m, struct person *p)
{
    struct eyes e = {p, false, false};
    struct ask q = {.verb = ASK_OBJECTS, .collection = SPAN("all")};
    struct err err = ERR_INIT;
    bool staff, exercise, more = true;
    int ceiling;

    if (!can_read(m, p, &ceiling, &staff, &exercise))
        return;
    assert_int_equal(taxii_query_read(m->w->a,
                                      SPAN("limit=5&match[type]=malware&match[version]=all"),
                                      TAXII_P_OBJECTS, &q.q, &err),
                     0);
    q.q.given |= TAXII_P_ADDED_AFTER;
    while (more) {
        struct someone who = p->who;
        const struct json *o;

        q.q.added_after = instant_from_us(p->polled);
        o = world_ask(m->w, &who, &q);
        assert_non_null(o);
        for (const struct json *i = at(o, "objects") != NULL ? at(o, "objects")->child : NULL;
             i != NULL; i = i->next)
            p->got[content_of(m, i)] = true;
        more = at(o, "more") != NULL;
        if (at(o, "objects") != NULL)
            p->polled = m->w->last.last_us;
    }
    for (unsigned c = 0; c < CONTENTS; c++) {
        bool any = !sees_content(m, &e, c);

        for (unsigned k = 0; k < CONTENTS && !any; k++)
            any = p->got[k] && content_id(k) == content_id(c) &&
                  content_version(k) == content_version(c);
        if (!any)
            fail_msg("%s polls and has never got c%u", p->name, c);
    }
}

/* One answer, with the id cut out: hidden and absent must be the same. */
static void
check_hidden(struct model *m, const struct eyes *e, enum ask_verb verb, const char *id)
{
    static const char absent[] = "malware--00000000-0000-4000-8000-ffffffffffff";
    struct ask q = {.verb = verb,
                    .exercise = e->exercise,
                    .collection = e->exercise ? SPAN("exercise-all") : SPAN("all"),
                    .id = span_of(absent)};
    struct answer none;
    struct someone who = e->p->who;

    assert_null(world_ask(m->w, &who, &q));
    none = m->w->last;
    q.id = span_of(id);
    assert_null(world_ask(m->w, &who, &q));
    assert_int_equal(m->w->last.status, none.status);
    assert_true(span_eq(m->w->last.text, none.text));
    assert_true(span_eq(m->w->last.place, none.place));
    assert_true(none.first_us == m->w->last.first_us && none.more == m->w->last.more);
}

static void
check_ids(struct model *m, const struct eyes *e)
{
    static const enum ask_verb verbs[] = {ASK_GET, ASK_SHOW,   ASK_RELATED,
                                          ASK_LOG, ASK_OBJECT, ASK_VERSIONS};
    struct eyes token_eyes = *e;
    struct someone who = e->p->who;

    token_eyes.session = false;
    for (unsigned id = 0; id < IDS; id++) {
        const char *name = world_id(m->w, "malware", id + (e->exercise ? 1000 : 0));
        struct ask q = {
            .verb = ASK_GET, .id = span_of(name), .versions = true, .exercise = e->exercise};
        bool any = false, any_token = false, listed[CONTENTS] = {false};
        const struct json *o = world_ask(m->w, &who, &q), *list = at(o, "objects");

        for (const struct json *i = list != NULL ? list->child : NULL; i != NULL; i = i->next)
            listed[content_of(m, i)] = true;
        for (unsigned c = 0; c < CONTENTS; c++) {
            bool see;

            if (content_id(c) != id)
                continue;
            see = sees_content(m, e, c);
            any |= see;
            any_token |= sees_content(m, &token_eyes, c);
            m->pairs++;
            if (see != listed[c])
                fail_msg("%s %s c%u, the model says otherwise", e->p->name,
                         listed[c] ? "sees" : "does not see", c);
        }
        for (unsigned v = 0; v < sizeof verbs / sizeof verbs[0]; v++) {
            bool taxii = verbs[v] == ASK_OBJECT || verbs[v] == ASK_VERSIONS;

            if (!(taxii ? any_token : any))
                check_hidden(m, e, verbs[v], name);
        }
    }
}

static unsigned
visible_ids(struct model *m, const struct eyes *e)
{
    unsigned n = 0;

    for (unsigned id = 0; id < IDS; id++) {
        bool any = false;

        for (unsigned c = 0; c < CONTENTS; c++)
            any |= content_id(c) == id && sees_content(m, e, c);
        n += any;
    }
    return n;
}

/* An object that stands in several audiences counts in each. */
static unsigned
visible_places(struct model *m, const struct eyes *e)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->pub_n; i++) {
        const struct pub *b = &m->pubs[i];
        bool first = may_see(m, e, b);

        for (unsigned k = 0; k < i && first; k++) {
            const struct pub *o = &m->pubs[k];

            first = !(may_see(m, e, o) && content_id(o->content) == content_id(b->content) &&
                      o->label == b->label && o->gen == b->gen && o->person == b->person);
        }
        n += first;
    }
    return n;
}

/* Search, the latest, export: each visible id once. */
static void
check_lists(struct model *m, const struct eyes *e)
{
    struct eyes export_eyes = *e;
    struct someone who = e->p->who;

    export_eyes.session = false;
    for (unsigned i = 0; i < 4; i++) {
        struct ask q = {.exercise = e->exercise, .q = {.limit = 500}};
        const struct eyes *eyes = i == 2 ? &export_eyes : e;
        const struct json *o;

        q.q.given = TAXII_P_LIMIT;
        q.verb = i == 0 ? ASK_SEARCH : i == 1 ? ASK_LATEST : i == 2 ? ASK_EXPORT : ASK_SEARCH;
        if (i != 1)
            q.f.type = SPAN("malware");
        if (i == 3)
            q.f.text = SPAN("c1");
        o = world_ask(m->w, &who, &q);
        if (o == NULL)
            fail_msg("%.*s", (int)m->w->last.text.n, m->w->last.text.p);
        {
            unsigned n = 0;

            for (const struct json *r = at(o, "objects")->child; r != NULL; r = r->next) {
                int c = content_of(m, r);

                if (c < 0)
                    continue;
                n++;
                if (!sees_content(m, eyes, (unsigned)c))
                    fail_msg("list %u shows %s c%d", i, e->p->name, c);
            }
            if (i != 3 && n != visible_ids(m, eyes))
                fail_msg("list %u has %u ids for %s, the model %u", i, n, e->p->name,
                         visible_ids(m, eyes));
        }
    }
    {
        struct ask q = {.verb = ASK_COUNTS, .exercise = e->exercise};
        const struct json *o = world_ask(m->w, &who, &q);
        int64_t n = int_at(o, "types.malware");

        if ((unsigned)(n < 0 ? 0 : n) != visible_places(m, e))
            fail_msg("%lld counted for %s on side %d, the model has %u", (long long)n, e->p->name,
                     e->exercise, visible_places(m, e));
    }
}

static void
check_all(struct model *m)
{
    for (unsigned i = 0; i < m->people_n; i++) {
        for (unsigned side = 0; side < 2; side++) {
            struct eyes e = {&m->people[i], !m->people[i].token, side == 1};
            bool staff, exercise;
            int ceiling;

            if (!can_read(m, e.p, &ceiling, &staff, &exercise) || (side == 1 && !exercise))
                continue;
            check_ids(m, &e);
            check_pages(m, &e, true);
            check_pages(m, &e, false);
            check_lists(m, &e);
            arena_reset(m->w->a);
        }
    }
}

/* -- a history ------------------------------------------------------------------------------------
 */

static void
add_person(struct model *m, bool token)
{
    static const char *const roles[] = {"reader", "analyst", "publisher", "admin"};
    struct person p = {.token = token,
                       .owner = -1,
                       .org = (int)pick(m, ORGS),
                       .role = (int)pick(m, token ? 3 : 4),
                       .staff = pick(m, 2) == 0,
                       .exercise = pick(m, 2) == 0,
                       .ceiling = (int)pick(m, TLP_COUNT),
                       .read = true,
                       .write = true};
    struct world *w = m->w;
    const char *org, *role, *staff, *exercise, *ceiling, *owner = "title=none";

    if (p.ceiling < 2)
        p.ceiling = TLP_RED;
    if (token) {
        p.read = pick(m, 4) != 0;
        p.write = !p.read || pick(m, 2) == 0;
        if (pick(m, 2) == 0 && m->people_n > 0 && !m->people[0].token) {
            p.owner = 0;
            p.org = m->people[0].org;
            p.role = m->people[0].role == 3 ? 0 : m->people[0].role;
            owner = arena_printf(w->a, "user=%s", m->people[0].name);
        }
    }
    snprintf(p.name, sizeof p.name, "%s%u", token ? "token" : "person", m->people_n);
    org = arena_printf(w->a, "organisation=%s", org_names[p.org]);
    role = arena_printf(w->a, "role=%s", roles[p.role]);
    staff = p.staff ? "staff=yes" : "staff=no";
    exercise = p.exercise ? "exercise=yes" : "exercise=no";
    ceiling = arena_printf(w->a, "ceiling=%s", tlp_code((enum tlp)p.ceiling));
    if (token)
        p.who = world_token(w, p.name, owner, org, role, staff, exercise, ceiling,
                            p.read && p.write ? "scope=read,write"
                            : p.read          ? "scope=read"
                                              : "scope=write",
                            NIL);
    else
        p.who = world_user(w, p.name, org, role, staff, exercise, ceiling, NIL);
    if (token && p.owner >= 0 && m->people[0].role == 3)
        p.role = 3; /* an admin's token reads nothing either */
    m->people[m->people_n++] = p;
}

static void
begin_world(struct model *m)
{
    for (int o = 1; o < ORGS; o++)
        world_admin(m->w, TELL_K_ORG, TELL_A_ADD, org_names[o], org_pairs[o], NIL);
    for (int g = 0; g < G_ALL; g++) {
        int n = new_gen(m, g);

        if (g == G_REGION)
            m->member[n][SELF] = true;
        else if (g >= G_OWN && g < G_NAMED)
            m->member[n][g - G_OWN] = true;
        m->used[n] = g < G_NAMED;
        m->past[g] = g >= G_NAMED ? pick(m, 2) == 0 : true;
    }
    for (int g = G_NAMED; g < G_ALL; g++)
        world_admin(m->w, TELL_K_GROUP, TELL_A_ADD, group_name(m, g),
                    m->past[g] ? "sees_past=yes" : "sees_past=no", NIL);
    m->used[m->gen[G_REGION]] = false;
    for (unsigned i = 0; i < PEOPLE; i++)
        add_person(m, i >= PEOPLE - 5);
}

static int
problem(void *ctx, const char *what, const char *place)
{
    (void)ctx;
    fail_msg("%s: %s", place, what);
    return 0;
}

/* After all that, what is stored still proves itself. */
static void
check_store(struct model *m)
{
    struct exchange_check c;
    struct err e = ERR_INIT;

    if (exchange_verify(m->w->path, problem, NULL, NULL, &c, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(c.problems, 0);
    assert_true(c.publications > 0 && c.streams > 0);
}

static void
history(struct check_random *rnd, unsigned steps, unsigned long *pairs)
{
    struct model *m = calloc(1, sizeof *m);

    assert_non_null(m);
    m->w = world_new();
    m->rnd = *rnd;
    begin_world(m);
    for (unsigned i = 1; i <= steps; i++) {
        switch (pick(m, 16)) {
        case 0:
        case 1:
            do_member(m);
            settle(m);
            break;
        case 2:
            do_account(m);
            settle(m);
            break;
        case 3:
            do_red(m);
            break;
        case 4:
            if (pick(m, 3) == 0)
                do_withdraw(m);
            break;
        case 5:
            if (pick(m, 3) == 0)
                do_undo(m);
            break;
        default:
            do_post(m);
            break;
        }
        world_pass(m->w, 1 + pick(m, 2000000));
        for (unsigned k = pick(m, 3); k > 0; k--)
            poll(m, &m->people[pick(m, m->people_n)]);
        arena_reset(m->w->a);
        if (i % 60 == 0)
            check_all(m);
    }
    check_store(m);
    *rnd = m->rnd;
    *pairs += m->pairs;
    world_free(m->w);
    free(m);
}

static void
test_histories(void **state)
{
    struct check_random rnd = check_seed("exchange/leak");
    const char *given = getenv("JAGA_LEAK_PAIRS");
    unsigned long pairs = 0, want = given != NULL ? strtoul(given, NULL, 10) : 100000;

    (void)state;
    while (pairs < want)
        history(&rnd, 240, &pairs);
    fprintf(stderr, "# %lu pairs of a principal and an object\n", pairs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_histories)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
