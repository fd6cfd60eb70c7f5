/*
 * Random histories of nodes over their real stores, against a model that keeps nothing but what was
 * said, to whom, and what was taken back: publications, groups that change, withdrawals, cut
 * rounds, lines that are down, restarts.  At no moment does a node show what is not for it; after
 * healing each shows all that is.
 */
#define NODES 4
#include "land.h"

#define GROUPS 2
#define SAID   400
#define ACTS   70
#if defined(__SANITIZE_ADDRESS__)
#define RUNS 6
#else
#define RUNS 20
#endif

struct thing { /* one object */
    char id[80];
    int by, group; /* group -1: the region */
    unsigned era;  /* of the group: rises with each generation */
    uint64_t version;
    bool withdrawn;
};

struct model_group {
    struct group g;
    char name[16];
    unsigned members; /* now */
    unsigned ever;    /* who was in it at any time */
    unsigned left;    /* who was put out at any time */
    unsigned eras;
    uint8_t generation[64][CIRCLE_GENERATION_BYTES]; /* of each era */
    unsigned in[64];                                 /* members at the end of each era */
    unsigned since[64][NODES]; /* the version of the group with which a node came into an era */
};

struct history {
    struct land *l;
    struct check_random r;
    struct thing said[SAID];
    size_t n;
    struct model_group groups[GROUPS];
    unsigned outs[NODES]; /* notices of removal that a node may have been given, and shows */
};

static uint64_t
below(struct history *h, uint64_t n)
{
    return check_next(&h->r) % n;
}

/* -- what must hold at any moment -- */

/* Nobody shows what was never for it. */
static void
no_leak(struct history *h)
{
    for (size_t i = 0; i < h->n; i++) {
        const struct thing *t = &h->said[i];

        for (int node = 0; node < NODES && t->group >= 0; node++)
            if (!(h->groups[t->group].ever >> node & 1) && sees(h->l, node, t->id))
                fail_msg("node %d sees what %d said to group %d", node, t->by, t->group);
        arena_reset(h->l->nodes[0].w->a);
    }
}

/* -- acts -- */

/* The version of its group that a publisher knows is the one that it speaks to. */
static void
known_to(struct history *h, struct thing *t)
{
    const struct model_group *g = &h->groups[t->group];
    struct exchange *x = h->l->nodes[t->by].w->reader;
    const struct membership *m;
    const struct circle_current *c;

    assert_int_equal(store_begin(x->store, NULL), 0);
    m = members_now(x, NULL);
    assert_non_null(m);
    c = membership_current(m, g->g.c.group);
    assert_non_null(c);
    t->version = c->top->version;
    for (unsigned era = 0; era <= g->eras; era++)
        if (memcmp(g->generation[era], c->top->generation, CIRCLE_GENERATION_BYTES) == 0)
            t->era = era;
    store_abort(x->store);
}

static void
act_say(struct history *h)
{
    struct thing *t = &h->said[h->n];
    const int by = (int)below(h, NODES), group = (int)below(h, GROUPS + 1) - 1;
    const unsigned n = (unsigned)h->n + 1;
    const char *id;

    if (h->n == SAID)
        return;
    if (group < 0) {
        id = say(h->l, by, n, below(h, 2) ? "GREEN" : "CLEAR", "");
    } else {
        struct model_group *g = &h->groups[group];
        struct world *w = h->l->nodes[by].w;
        /* A node says to a group what it knows it to be: only once it knows of it, or any more. */
        const char *outcome =
            world_import(w, "AMBER", g->name, world_object(w, "malware", n, MALWARE));

        if (strcmp(outcome, "new") != 0)
            return;
        id = world_id(w, "malware", n);
    }
    *t = (struct thing){.by = by, .group = group};
    if (group >= 0)
        known_to(h, t);
    snprintf(t->id, sizeof t->id, "%s", id);
    h->n++;
}

static void
act_withdraw(struct history *h)
{
    struct thing *t = h->n > 0 ? &h->said[below(h, h->n)] : NULL;
    struct tell w = {.verb = TELL_WITHDRAW};

    if (t == NULL || t->withdrawn)
        return;
    w.id = span_of(t->id);
    if (world_tell(h->l->nodes[t->by].w, NULL, &w) != NULL)
        t->withdrawn = true;
}

/* Only who has not been in the group joins it, and only who has said nothing to it leaves: where
 * streams of those who left end is the model check's matter. */
static void
act_group(struct history *h)
{
    const unsigned which = (unsigned)below(h, GROUPS);
    struct model_group *g = &h->groups[which];
    const unsigned owner = which, node = (unsigned)below(h, NODES);
    unsigned members = g->members ^ 1u << node;
    bool past = below(h, 2) != 0;

    if (node == owner || g->g.c.version > 30)
        return;
    if (members >> node & 1) {
        if (g->ever >> node & 1)
            past = false;
    } else {
        for (size_t i = 0; i < h->n; i++)
            if (h->said[i].by == (int)node && h->said[i].group == (int)which)
                return;
        past = true;
    }
    if (g->g.c.version == 0) {
        members |= 1u << owner;
        past = false;
    }
    group_say_as(h->l, &g->g, owner, members, past, g->name);
    g->eras += !past;
    g->left |= g->members & ~members;
    h->outs[node] += !(members >> node & 1);
    g->members = members;
    g->ever |= members;
    g->in[g->eras] = members;
    memcpy(g->generation[g->eras], g->g.c.generation, sizeof g->generation[0]);
    for (unsigned i = 0; i < NODES; i++)
        if ((members >> i & 1) && g->since[g->eras][i] == 0)
            g->since[g->eras][i] = (unsigned)g->g.c.version;
}

static void
act(struct history *h)
{
    const int i = (int)below(h, NODES), j = (int)below(h, NODES);
    const unsigned what = (unsigned)below(h, 100);

    if (what < 30)
        act_say(h);
    else if (what < 36)
        act_withdraw(h);
    else if (what < 46)
        act_group(h);
    else if (what < 50)
        world_reopen(h->l->nodes[i].w);
    else if (what < 56)
        h->l->nodes[i].cut[j] = !h->l->nodes[i].cut[j];
    else if (what < 70)
        sign_all(&h->l->nodes[i]);
    else if (i != j) {
        /* Some answers are altered on their way, by whoever stands there: nothing of them stays. */
        h->l->lies = below(h, 4) == 0 ? &h->r : NULL;
        (void)play_cut(h->l, i, j, below(h, 3) ? UINT32_MAX : (unsigned)below(h, 5));
        h->l->lies = NULL;
    }
}

/* -- after healing -- */

/* 1: the node must see it, 0: it must not, -1: either, by who knew what when. */
static int
should_see(struct history *h, const struct thing *t, int node)
{
    const struct model_group *g = t->group >= 0 ? &h->groups[t->group] : NULL;

    if (t->withdrawn)
        return 0;
    if (g == NULL)
        return 1;
    if (!(g->members >> node & 1))
        return 0;
    if (g->left >> t->by & 1)
        return -1; /* it may not have known yet, and its streams end where its removal says */
    /* Who was in every era since it was said sees it; who came without the past does not, but a
     * publisher that did not know of a new era yet may have said it to the one before. */
    for (unsigned era = t->era; era <= g->eras; era++)
        if (!(g->in[era] >> node & 1))
            return -1;
    return g->since[t->era][node] != 0 && g->since[t->era][node] <= t->version ? 1 : -1;
}

static void
heal(struct history *h)
{
    for (int i = 0; i < NODES; i++)
        memset(h->l->nodes[i].cut, 0, sizeof h->l->nodes[i].cut);
    settle(h->l);
    for (size_t i = 0; i < h->n; i++)
        for (int node = 0; node < NODES; node++) {
            const int want = should_see(h, &h->said[i], node);
            const bool is = sees(h->l, node, h->said[i].id);

            if (want >= 0 && is != (want == 1))
                fail_msg("node %d %s what %d said to group %d%s (%s), era %u, version %u", node,
                         is ? "sees" : "does not see", h->said[i].by, h->said[i].group,
                         h->said[i].withdrawn ? " and took back" : "", h->said[i].id,
                         h->said[i].era, (unsigned)h->said[i].version);
        }
    no_leak(h);
    whole(h->l);
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < NODES; j++)
            if (i != j &&
                (play(h->l, i, j) || h->l->bytes > 200 + h->outs[i] * (OUT_NOTICE_BYTES + 4)))
                fail_msg("not quiet: %zu bytes, %u notices", h->l->bytes, h->outs[i]);
}

static void
histories(void **state)
{
    const char *given = getenv("JAGA_AMONG_RUNS");
    const unsigned long runs = given != NULL ? strtoul(given, NULL, 10) : RUNS;
    struct check_random seed = check_seed("among");
    unsigned refused = 0, said = 0;
    (void)state;

    for (unsigned long run = 0; run < runs; run++) {
        struct history *h = calloc(1, sizeof *h);

        print_message("# history: JAGA_SEED=%llu\n", (unsigned long long)(seed.state + run));
        h->r = (struct check_random){seed.state + run};
        check_next(&h->r);
        h->l = land_new();
        land_found(h->l);
        for (unsigned g = 0; g < GROUPS; g++)
            snprintf(h->groups[g].name, sizeof h->groups[g].name, "group %u", g);
        for (unsigned i = 0; i < ACTS; i++) {
            act(h);
            if (i % 10 == 9)
                no_leak(h);
        }
        heal(h);
        refused += h->l->refused;
        said += (unsigned)h->n;
        land_free(h->l);
        free(h);
    }
    print_message("# %lu histories, %u objects, %u altered answers refused\n", runs, said, refused);
    assert_true(said > runs && (refused > 0 || runs < 6));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(histories)};
    struct err e = ERR_INIT;

    if (crypto_start(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
