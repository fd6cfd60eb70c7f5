/* tests/exchange/land.h - nodes over their real stores, a region of them, rounds between them. */
#ifndef JAGA_TESTS_LAND_H
#define JAGA_TESTS_LAND_H

#include "world.h"

#include "among.h"
#include "intake_msg.h"
#include "inside.h"
#include "members.h"
#include "server.h"
#include "store_check.h"
#include "store_sync.h"

#ifndef NODES
#define NODES 3
#endif
#define SWEEPS 12

struct node {
    struct world *w;
    struct uuid id;
    struct sign_secret secret;
    struct sign_public key;
    struct exchange_signer signer;
    bool cut[NODES]; /* from whom it cannot pull */
};

struct land {
    struct node nodes[NODES];
    struct region_member members[NODES];
    struct intake *intake;
    struct arena *a;
    size_t bytes;              /* of the last round */
    struct check_random *lies; /* NULL, or: answers are altered on their way */
    unsigned refused;          /* of those */
};

/* -- signing ------------------------------------------------------------------------------------
 */

static inline int
sign_heads(void *arg, struct exchange_head *list, size_t n, struct err *e)
{
    struct node *x = arg;
    const struct signer s = signer_of(&x->secret);

    for (size_t i = 0; i < n; i++)
        if (head_sign(&list[i].head, &s, e) != 0)
            return -1;
    return 0;
}

static inline int
sign_receipts(void *arg, struct exchange_receipt *list, size_t n, struct err *e)
{
    struct node *x = arg;
    const struct signer s = signer_of(&x->secret);

    for (size_t i = 0; i < n; i++)
        if (receipt_sign(&list[i].receipt, &s, e) != 0)
            return -1;
    return 0;
}

static inline int
sign_erase(void *arg, struct erase_notice *n, struct err *e)
{
    struct node *x = arg;
    const struct signer s = signer_of(&x->secret);

    return erase_notice_sign(n, &s, e);
}

static inline int
sign_out(void *arg, struct out_notice *n, struct err *e)
{
    struct node *x = arg;
    const struct signer s = signer_of(&x->secret);

    return out_notice_sign(n, &s, e);
}

static inline void
sign_all(struct node *x)
{
    struct err e = ERR_INIT;
    bool more = true;

    while (more)
        if (exchange_sign(x->w->writer, &x->signer, &more, &e) != 0)
            fail_msg("signing: %s", e.text);
}

/* -- a region -----------------------------------------------------------------------------------
 */

static inline int
by_id(const void *x, const void *y)
{
    const struct region_member *a = x, *b = y;

    return memcmp(a->id.b, b->id.b, sizeof a->id.b);
}

static inline struct node *
node_of(struct land *l, const struct uuid *id)
{
    for (int i = 0; i < NODES; i++)
        if (memcmp(l->nodes[i].id.b, id->b, sizeof id->b) == 0)
            return &l->nodes[i];
    fail_msg("no such node");
    return NULL;
}

/* Version v of the region, with the first v nodes as they were made; prev's members vote. */
static inline struct region_signed
region_make(struct land *l, const struct region *prev, unsigned v, struct region *out)
{
    struct region r = {.version = v, .name = SPAN("South"), .coordinator = l->nodes[0].id};
    struct region_member *list = arena_zero(l->a, NODES, sizeof *list);
    struct region_voter *voters = arena_zero(l->a, NODES, sizeof *voters);
    struct region_signed s = {.ballot = VOTE_VOTERS_MAX, .voters = voters};
    struct err e = ERR_INIT;
    struct buf b;

    for (unsigned i = 0; i < v; i++)
        list[i] = (struct region_member){.id = l->nodes[i].id,
                                         .key = l->nodes[i].key,
                                         .name = span_of(arena_printf(l->a, "CERT %u", i)),
                                         .country = SPAN("MY"),
                                         .address = SPAN("https://cert.example:8443"),
                                         .since = i + 1};
    qsort(list, v, sizeof *list, by_id);
    r.members = list;
    r.member_n = v;
    if (prev != NULL)
        r.previous = prev->hash;
    buf_init(&b, REGION_BODY_MAX);
    if (region_print(&r, &b, &e) != 0)
        fail_msg("%s", e.text);
    s.body = arena_span(l->a, buf_view(&b));
    buf_clear(&b);
    hash_sha256(s.body, &r.hash);
    for (size_t i = 0; i < (prev != NULL ? prev->member_n : 1); i++) {
        const struct uuid *by = prev != NULL ? &prev->members[i].id : &list[0].id;
        const struct signer signer = signer_of(&node_of(l, by)->secret);
        struct vote vote = {.previous = r.previous,
                            .version = v,
                            .ballot = s.ballot,
                            .value = r.hash,
                            .phase = VOTE_ACCEPT,
                            .accepted = s.ballot,
                            .by = *by};

        assert_int_equal(vote_sign(&vote, &signer, NULL), 0);
        voters[s.voter_n++] = (struct region_voter){vote.by, vote.sig};
    }
    *out = r;
    return s;
}

static inline struct land *
land_new(void)
{
    struct land *l = calloc(1, sizeof *l);

    l->a = arena_new(64u << 20);
    l->intake = intake_new();
    for (int i = 0; i < NODES; i++) {
        struct node *x = &l->nodes[i];

        x->w = world_new();
        x->id = x->w->writer->identity;
        sign_random(&x->secret, &x->key);
        x->signer = (struct exchange_signer){x, sign_heads, sign_receipts, sign_erase, sign_out};
    }
    return l;
}

static inline void
land_free(struct land *l)
{
    for (int i = 0; i < NODES; i++)
        world_free(l->nodes[i].w);
    intake_free(l->intake);
    arena_free(l->a);
    free(l);
}

/* The first node founds; the others join by the word of their operators, and vote. */
static inline void
land_found(struct land *l)
{
    struct region_signed chain[NODES];
    struct region r[NODES];
    struct err e = ERR_INIT;

    for (unsigned v = 1; v <= NODES; v++)
        chain[v - 1] = region_make(l, v > 1 ? &r[v - 2] : NULL, v, &r[v - 1]);
    for (int i = 0; i < NODES; i++)
        if (exchange_found(l->nodes[i].w->writer, chain, NODES, &e) != 0)
            fail_msg("found: %s", e.text);
}

/* -- rounds -------------------------------------------------------------------------------------
 */

/* What the process that parses makes of the bodies of an answer. */
static inline size_t
read_bodies(struct land *l, struct span answer, struct span *out)
{
    struct sync_answer w;
    struct err e = ERR_INIT;
    size_t n = 0;

    if (sync_answer_decode(answer, l->a, &w, &e) != 0) {
        if (l->lies == NULL)
            fail_msg("%s", e.text);
        return 0;
    }
    for (size_t i = 0; i < w.entry_n + w.body_n; i++) {
        const struct span body = i < w.entry_n ? w.entries[i].body : w.bodies[i - w.entry_n].bytes;
        struct arena *a = arena_new(INTAKE_ARENA_MAX);
        struct intake_result r;
        struct buf b;

        if (body.n > 0) {
            assert_int_equal(intake_object(l->intake, body, INTAKE_NORMAL, a, &r, &e), 0);
            buf_init(&b, INTAKE_MSG_MAX);
            intake_encode(&r, &b);
            out[n++] = arena_span(l->a, buf_view(&b));
            buf_clear(&b);
        }
        arena_free(a);
    }
    return n;
}

/* One round of a client with a server, cut after so many questions; whether it changed anything. */
static inline bool
play_cut(struct land *l, int client, int server, unsigned most)
{
    struct node *c = &l->nodes[client], *s = &l->nodes[server];
    struct err e = ERR_INIT;
    struct exchange_round *round = exchange_round_new(c->w->writer, &s->id, &e);
    const struct sync_counts *n;
    bool changed;
    int rc;

    if (c->cut[server])
        goto out;
    l->bytes = 0;
    for (unsigned asked = 0; asked < most; asked++) {
        struct span *bodies;
        struct sync_ask q;
        struct buf ask, told;

        arena_reset(l->a);
        buf_init(&ask, SYNC_QUESTION_MAX);
        buf_init(&told, SYNC_MESSAGE_MAX);
        rc = exchange_round_ask(round, &ask, &e);
        if (rc < 0)
            fail_msg("ask: %s", e.text);
        if (rc == 1) {
            bodies = arena_zero(l->a, SYNC_ENTRIES_MAX, sizeof *bodies);
            if (sync_ask_decode(buf_view(&ask), l->a, &q, &e) != 0 ||
                exchange_answer(s->w->reader, &c->id, &q, &told, &e) != 0)
                fail_msg("answer: %s", e.text);
            l->bytes += ask.n + told.n;
            if (l->lies != NULL && check_next(l->lies) % 2 == 0)
                told.p[check_next(l->lies) % told.n] ^= (char)(1 + check_next(l->lies) % 255);
            if (exchange_round_take(round, buf_view(&told), bodies,
                                    read_bodies(l, buf_view(&told), bodies), &e) != 0) {
                if (l->lies == NULL || e.code != ERR_PROTOCOL)
                    fail_msg("node %d from %d: %s (%s)", client, server, e.text, e.place);
                l->refused++;
                rc = 0;
            }
        }
        buf_clear(&ask);
        buf_clear(&told);
        if (rc == 0)
            break;
    }
out:
    n = exchange_round_counts(round);
    changed = n->items + n->entries + n->bodies + n->forks > 0;
    exchange_round_free(round);
    return changed;
}

static inline bool
play(struct land *l, int client, int server)
{
    return play_cut(l, client, server, UINT32_MAX);
}

/* Everybody with everybody until nothing is new. */
static inline void
settle(struct land *l)
{
    bool busy = true;

    for (int sweep = 0; busy; sweep++) {
        if (sweep == SWEEPS)
            fail_msg("it does not become quiet");
        busy = false;
        for (int i = 0; i < NODES; i++)
            sign_all(&l->nodes[i]);
        for (int i = 0; i < NODES; i++) {
            for (int j = 0; j < NODES; j++)
                if (i != j && play(l, i, j))
                    busy = true;
            sign_all(&l->nodes[i]);
        }
    }
}

static inline bool
sees(struct land *l, int node, const char *id)
{
    return world_sees(l->nodes[node].w, NULL, id);
}

static inline void
whole(struct land *l)
{
    for (int i = 0; i < NODES; i++) {
        struct store_check_counts c;
        struct err e = ERR_INIT;

        if (store_check(l->nodes[i].w->writer->store, NULL, NULL, NULL, &c, &e) != 0)
            fail_msg("%s", e.text);
        assert_int_equal(c.problems, 0);
    }
}

#define MALWARE "\"modified\":\"2025-01-01T00:00:00.000Z\",\"name\":\"m\",\"is_family\":false"

static inline const char *
say(struct land *l, int node, unsigned n, const char *label, const char *group)
{
    struct world *w = l->nodes[node].w;
    const char *id = world_id(w, "malware", n);
    const char *outcome = world_import(w, label, group, world_object(w, "malware", n, MALWARE));

    if (strcmp(outcome, "new") != 0)
        fail_msg("%s", outcome);
    return id;
}

/* -- groups -------------------------------------------------------------------------------------
 */

struct group {
    struct circle c;
    struct uuid members[NODES];
    struct span body;
};

/* A version of a group of nodes (bits), signed by its owner and said there. */
static inline void
group_say_as(struct land *l, struct group *g, unsigned owner, unsigned nodes, bool past,
             const char *name)
{
    const struct signer signer = signer_of(&l->nodes[owner].secret);
    struct circle_signed s = {.by = l->nodes[owner].id};
    struct circle_mark mark;
    struct err e = ERR_INIT;
    struct buf b;

    if (g->c.version > 0)
        g->c.previous = g->c.hash;
    else
        random_bytes(g->c.group, sizeof g->c.group);
    if (!past)
        random_bytes(g->c.generation, sizeof g->c.generation);
    g->c.version++;
    g->c.region = NODES;
    g->c.past = past;
    g->c.name = span_of(name);
    g->c.owner = l->nodes[owner].id;
    g->c.members = g->members;
    g->c.member_n = 0;
    for (unsigned i = 0; i < NODES; i++)
        if (nodes >> i & 1)
            g->members[g->c.member_n++] = l->nodes[i].id;
    qsort(g->members, g->c.member_n, sizeof *g->members,
          (int (*)(const void *, const void *))by_id);
    buf_init(&b, CIRCLE_BODY_MAX);
    if (circle_print(&g->c, &b, &e) != 0)
        fail_msg("%s", e.text);
    s.body = arena_span(l->nodes[owner].w->a, buf_view(&b));
    buf_clear(&b);
    hash_sha256(s.body, &g->c.hash);
    mark = circle_mark_of(&g->c, &s);
    assert_int_equal(circle_mark_sign(&mark, &signer, NULL), 0);
    s.sig = mark.sig;
    if (exchange_say_circle(l->nodes[owner].w->writer, &s, &e) != 0)
        fail_msg("%s", e.text);
}

static inline void
group_say(struct land *l, struct group *g, unsigned owner, unsigned nodes, bool past)
{
    group_say_as(l, g, owner, nodes, past, "banks");
}

#endif
