/* tests/exchange/leak_people.c - organisations, users, tokens, groups: made and changed. */
#include "leak_world.h"

static const char *const label_names[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};

static void
say(struct leak *l, enum tell_kind kind, enum tell_act act, const char *name,
    const char *const *pairs, int n)
{
    struct tell t = {.verb = TELL_ADMIN, .kind = kind, .act = act, .name = span_of(name)};
    struct tell_pair list[16];

    snprintf(l->what, sizeof l->what, "admin kind %d act %d %s %s %s", kind, act, name,
             n > 0 ? pairs[0] : "", n > 1 ? pairs[1] : "");
    for (int i = 0; i < n; i++) {
        const char *eq = strchr(pairs[i], '=');

        list[i] = (struct tell_pair){span_from(pairs[i], (size_t)(eq - pairs[i])), span_of(eq + 1)};
    }
    t.pairs = list;
    t.pair_n = (size_t)n;
    if (world_tell(l->w, NULL, &t) == NULL)
        leak_fail(l, "%.*s", (int)l->w->last.text.n, l->w->last.text.p);
}

static int64_t
answer_int(struct leak *l, const char *name)
{
    struct err e = ERR_INIT;
    const struct json *o = json_parse(l->w->json, l->w->last.body, l->w->a, &e);

    return int_at(o, name);
}

/* -- organisations --------------------------------------------------------------------------------
 */

static int
add_org(struct leak *l, const char *name, enum m_org_kind kind, int member)
{
    const char *pairs[2];
    int n, number;

    n = l->org_n + 1;
    snprintf(l->org_name[n], sizeof l->org_name[0], "%s", name);
    snprintf(l->identity[n], sizeof l->identity[0], "identity--00000000-0000-4000-8000-%012d", n);
    pairs[0] = arena_printf(l->w->a, "identity=%s", l->identity[n]);
    pairs[1] = kind == M_MEMBER    ? "kind=member"
               : kind == M_PARTNER ? "kind=partner"
                                   : arena_printf(l->w->a, "member_of=%s", l->org_name[member]);
    say(l, TELL_K_ORG, TELL_A_ADD, name, pairs, 2);
    number = (int)answer_int(l, "number");
    assert_int_equal(number, n);
    l->org_n = n;
    l->m.orgs[n] = (struct m_org){.kind = kind, .member = member};
    leak_match_rights(l);
    return n;
}

/* -- people ---------------------------------------------------------------------------------------
 */

static void
register_person(struct leak *l, const char *name, struct m_who who)
{
    int n = (int)answer_int(l, "principal");
    struct person *p;

    assert_true(n > 0 && n < M_WHO);
    p = &l->people[n];
    snprintf(p->name, sizeof p->name, "%s", name);
    p->is = (struct someone){(uint32_t)n, (uint64_t)answer_int(l, "epoch"),
                             who.kind == M_TOKEN ? CHANNEL_TOKEN : CHANNEL_SESSION};
    p->rows_then = l->m.row_n;
    l->m.who[n] = who;
    if (n > l->people_n)
        l->people_n = n;
}

static const char *
role_word(unsigned roles)
{
    return roles & M_ADMIN       ? "admin"
           : roles & M_PUBLISHER ? "publisher"
           : roles & M_ANALYST   ? "analyst"
                                 : "reader";
}

static unsigned
any_role(struct leak *l)
{
    static const unsigned roles[] = {M_READER,    M_READER,    M_ANALYST,   M_ANALYST,
                                     M_PUBLISHER, M_PUBLISHER, M_PUBLISHER, M_ADMIN};

    return roles[below(l, 8)];
}

static int
any_ceiling(struct leak *l)
{
    return one_in(l, 2) ? M_RED : (int)below(l, 5);
}

static void
add_user(struct leak *l, int org)
{
    struct m_who u = {.kind = M_PERSON,
                      .org = org,
                      .roles = any_role(l),
                      .ceiling = any_ceiling(l),
                      .staff = !one_in(l, 3),
                      .exercise = one_in(l, 3),
                      .quarantine = one_in(l, 12)};
    const char *name = arena_printf(l->w->a, "user%d", l->people_n + 1);
    const char *pairs[] = {
        arena_printf(l->w->a, "organisation=%s", l->org_name[org]),
        arena_printf(l->w->a, "role=%s", role_word(u.roles)),
        arena_printf(l->w->a, "ceiling=%s", label_names[u.ceiling]),
        u.staff ? "staff=yes" : "staff=no",
        u.exercise ? "exercise=yes" : "exercise=no",
        u.quarantine ? "quarantine=yes" : "quarantine=no",
    };

    say(l, TELL_K_USER, TELL_A_ADD, name, pairs, 6);
    register_person(l, name, u);
}

static void
add_token(struct leak *l, int owner, int org)
{
    static const char *const scopes[] = {"scope=read", "scope=write", "scope=read,write"};
    const struct m_who *o = &l->m.who[owner];
    struct m_who t = {.kind = M_TOKEN, .org = org, .owner = owner};
    const char *name = arena_printf(l->w->a, "token%d", l->people_n + 1);
    unsigned scope = below(l, 3);
    const char *pairs[8];
    int n = 0;

    t.read = scope != 1;
    t.write = scope != 0;
    t.ceiling = any_ceiling(l);
    t.roles = owner != 0 ? o->roles & ~M_ADMIN : any_role(l);
    t.staff = owner != 0 ? o->staff : one_in(l, 2);
    t.exercise = one_in(l, 2);
    if (owner != 0)
        pairs[n++] = arena_printf(l->w->a, "user=%s", l->people[owner].name);
    else
        pairs[n++] = arena_printf(l->w->a, "organisation=%s", l->org_name[org]);
    if (owner == 0) {
        pairs[n++] = arena_printf(l->w->a, "role=%s", role_word(t.roles));
        pairs[n++] = t.staff ? "staff=yes" : "staff=no";
    }
    pairs[n++] = t.exercise ? "exercise=yes" : "exercise=no";
    pairs[n++] = scopes[scope];
    pairs[n++] = arena_printf(l->w->a, "ceiling=%s", label_names[t.ceiling]);
    if (one_in(l, 4)) {
        t.only_group = 1 + (int)below(l, (unsigned)l->group_n);
        if (l->m.groups[t.only_group].kind == M_NO_GROUP)
            t.only_group = 2;
        pairs[n++] = arena_printf(l->w->a, "group=%s", l->group_name[t.only_group]);
    }
    say(l, TELL_K_TOKEN, TELL_A_ADD, name, pairs, n);
    register_person(l, name, t);
}

/* -- groups ---------------------------------------------------------------------------------------
 */

static void
join(struct leak *l, int group, int org)
{
    const char *pair = arena_printf(l->w->a, "member+=%s", l->org_name[org]);
    struct m_group *g = &l->m.groups[group];

    say(l, TELL_K_GROUP, TELL_A_SET, l->group_name[group], &pair, 1);
    if (l->m.gens[g->gen].in[org])
        return;
    if (!g->past)
        g->gen = -g->gen;
    leak_match_rights(l);
    l->m.gens[g->gen].in[org] = true;
}

static void
leave(struct leak *l, int group, int org)
{
    const char *pair = arena_printf(l->w->a, "member-=%s", l->org_name[org]);

    say(l, TELL_K_GROUP, TELL_A_SET, l->group_name[group], &pair, 1);
    for (int i = 0; i < M_GENS; i++) {
        if (l->m.gens[i].group == group)
            l->m.gens[i].in[org] = false;
    }
}

static void
add_group(struct leak *l, const char *name, bool past)
{
    const char *pair = past ? "sees_past=yes" : "sees_past=no";
    int n;

    say(l, TELL_K_GROUP, TELL_A_ADD, name, &pair, 1);
    n = (int)answer_int(l, "number");
    assert_true(n > 0 && n < M_GROUPS);
    l->m.groups[n] = (struct m_group){.kind = M_NAMED, .past = past};
    snprintf(l->group_name[n], sizeof l->group_name[0], "%s", name);
    l->group_n = n > l->group_n ? n : l->group_n;
}

/* Generations of the groups that were made just now. */
static void
first_generations(struct leak *l)
{
    struct ask q = {.verb = ASK_LIST, .text = SPAN("groups")};
    const struct json *list = at(world_ask(l->w, NULL, &q), "groups");

    for (const struct json *g = list->child; g != NULL; g = g->next) {
        for (int i = 1; i < M_GROUPS; i++) {
            if (span_is(json_text(g, "name"), l->group_name[i]) && l->m.groups[i].gen == 0) {
                l->m.groups[i].gen = (int)int_at(g, "generation");
                l->m.gens[l->m.groups[i].gen].group = i;
            }
        }
    }
}

void
leak_people(struct leak *l)
{
    struct ask q = {.verb = ASK_HEALTH};
    const struct json *o = world_ask(l->w, NULL, &q);
    int one, two, bank, post, grid;

    l->org_n = ORG_SELF;
    snprintf(l->org_name[1], sizeof l->org_name[0], "ThaiCERT");
    snprintf(l->identity[1], sizeof l->identity[0], "%s", text_at(l->w, o, "node"));
    l->m.orgs[1] = (struct m_org){.kind = M_OWN};
    l->m.who[PRINCIPAL_NOBODY] = (struct m_who){.kind = M_NOBODY};
    l->m.who[PRINCIPAL_OPERATOR] = (struct m_who){.kind = M_OPERATOR, .org = 1, .ceiling = M_RED};
    l->people_n = PRINCIPAL_OPERATOR;
    snprintf(l->people[1].name, sizeof l->people[1].name, "nobody");
    snprintf(l->people[2].name, sizeof l->people[2].name, "operator");
    l->m.groups[1] = (struct m_group){.kind = M_PUBLIC};
    l->m.groups[2] = (struct m_group){.kind = M_REGION, .past = true};
    snprintf(l->group_name[1], sizeof l->group_name[0], "public");
    snprintf(l->group_name[2], sizeof l->group_name[0], "region");
    l->group_n = 2;
    first_generations(l);
    l->m.gens[l->m.groups[2].gen].in[1] = true;
    leak_match_rights(l);
    l->m.orgs[1].own_group = 0;
    for (int i = 1; i < M_GROUPS; i++) {
        if (l->m.groups[i].kind == M_ORG_GROUP && l->m.groups[i].org == 1)
            l->m.orgs[1].own_group = i;
        l->group_n = l->m.groups[i].kind != M_NO_GROUP ? i : l->group_n;
    }
    one = add_org(l, "one", M_MEMBER, 0);
    two = add_org(l, "two", M_MEMBER, 0);
    bank = add_org(l, "bank", M_CONSTITUENT, 1);
    post = add_org(l, "post", M_CONSTITUENT, 1);
    grid = add_org(l, "grid", M_CONSTITUENT, one);
    (void)add_org(l, "vendor", M_PARTNER, 0);
    add_group(l, "circle", true);
    add_group(l, "closed", false);
    add_group(l, "banking", one_in(l, 2));
    first_generations(l);
    for (int i = 1; i < M_GROUPS; i++)
        l->group_n = l->m.groups[i].kind != M_NO_GROUP ? i : l->group_n;
    join(l, 2, one);
    for (int i = 1; i <= l->group_n; i++) {
        if (l->m.groups[i].kind != M_NAMED)
            continue;
        join(l, i, 1);
        join(l, i, i % 2 == 0 ? two : bank);
    }
    (void)post;
    (void)grid;
    for (int i = 1; i <= l->org_n; i++) {
        add_user(l, i);
        add_user(l, i);
        add_token(l, l->people_n, i);
    }
    add_token(l, 0, 1);
    add_token(l, 0, bank);
    leak_fresh(l);
    for (int i = 0; i < l->fresh_n; i++) { /* what every node says of itself */
        struct m_row *r = m_row_add(&l->m, l->fresh[i].content, &l->fresh[i].aud);

        r->org = 1;
        r->owner = l->fresh[i].owner;
    }
    leak_match(l);
}

/* -- changes --------------------------------------------------------------------------------------
 */

static bool
any_reads(struct leak *l, int who, const struct m_aud *a)
{
    struct m_asker k = leak_asker(l, who, a->exercise, M_RED);

    return m_reads(&l->m, &k, a);
}

static int
any_person(struct leak *l, enum m_who_kind kind)
{
    int n;

    do
        n = 3 + (int)below(l, (unsigned)l->people_n - 2);
    while (l->m.who[n].kind != kind);
    return n;
}

static void
change_user(struct leak *l)
{
    int n = any_person(l, M_PERSON);
    struct m_who *u = &l->m.who[n];
    const char *pair;

    switch (below(l, 5)) {
    case 0:
        u->staff = !u->staff;
        pair = u->staff ? "staff=yes" : "staff=no";
        break;
    case 1:
        u->exercise = !u->exercise;
        pair = u->exercise ? "exercise=yes" : "exercise=no";
        break;
    case 2:
        u->ceiling = any_ceiling(l);
        pair = arena_printf(l->w->a, "ceiling=%s", label_names[u->ceiling]);
        break;
    case 3:
        u->roles = any_role(l);
        pair = arena_printf(l->w->a, "role=%s", role_word(u->roles));
        break;
    default:
        u->disabled = !u->disabled;
        pair = u->disabled ? "disabled=yes" : "disabled=no";
        break;
    }
    say(l, TELL_K_USER, TELL_A_SET, l->people[n].name, &pair, 1);
    l->people[n].is.epoch = (uint64_t)answer_int(l, "epoch");
}

static void
change_token(struct leak *l)
{
    int n = any_person(l, M_TOKEN);
    struct m_who *t = &l->m.who[n];
    const char *pair;

    if (one_in(l, 2)) {
        t->ceiling = t->ceiling > 0 ? t->ceiling - 1 : 0;
        pair = arena_printf(l->w->a, "ceiling=%s", label_names[t->ceiling]);
    } else {
        t->disabled = true;
        pair = "disabled=yes";
    }
    say(l, TELL_K_TOKEN, TELL_A_SET, l->people[n].name, &pair, 1);
    l->people[n].is.epoch = (uint64_t)answer_int(l, "epoch");
}

static void
change_group(struct leak *l)
{
    int org = 1 + (int)below(l, (unsigned)l->org_n), group;
    struct m_group *g;

    do {
        group = 1 + (int)below(l, (unsigned)l->group_n);
        g = &l->m.groups[group];
    } while (g->kind != M_NAMED && g->kind != M_REGION);
    if (g->kind == M_NAMED && one_in(l, 8)) {
        const char *pair;

        g->past = !g->past;
        pair = g->past ? "sees_past=yes" : "sees_past=no";
        say(l, TELL_K_GROUP, TELL_A_SET, l->group_name[group], &pair, 1);
    } else if (l->m.gens[g->gen].in[org]) {
        leave(l, group, org);
    } else {
        join(l, group, org);
    }
}

static void
change(struct leak *l)
{
    const char *pair;

    switch (below(l, 12)) {
    case 0:
        l->m.open = !l->m.open;
        pair = l->m.open ? "value=open" : "value=closed";
        say(l, TELL_K_SETTING, TELL_A_SET, "public", &pair, 1);
        break;
    case 1:
        if (l->people_n < M_WHO - 2)
            add_user(l, 1 + (int)below(l, (unsigned)l->org_n));
        break;
    case 2:
        if (l->people_n < M_WHO - 2) {
            int owner = any_person(l, M_PERSON);

            add_token(l, owner, l->m.who[owner].org);
        }
        break;
    case 3:
        change_token(l);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        change_user(l);
        break;
    default:
        change_group(l);
        break;
    }
}

/* Whatever opens an audience to somebody is a grant: what stood there appears from now on. */
void
leak_admin(struct leak *l)
{
    static bool before[M_WHO][LEAK_AUDS];
    int people = l->people_n, auds = l->aud_n, rows = l->m.row_n;
    int64_t last = l->last_us;

    for (int p = 1; p <= people; p++) {
        for (int i = 0; i < auds; i++)
            before[p][i] = any_reads(l, p, &l->auds[i]);
    }
    change(l);
    leak_fresh(l);
    leak_match(l);
    leak_match_rights(l);
    for (int p = 1; p <= people; p++) {
        for (int i = 0; i < auds; i++) {
            if (!before[p][i] && any_reads(l, p, &l->auds[i])) {
                l->people[p].opened[i].set = true;
                l->people[p].opened[i].rows = rows;
                l->people[p].opened[i].last_us = last;
            }
        }
    }
}
