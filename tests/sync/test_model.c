/*
 * The protocol itself, over a simulated network: five nodes that publish, erase, change groups, are
 * cut off, restored from backups and lie.  After healing every node holds what it should and
 * nothing else; nothing ever arrives where its audience does not reach; then all is quiet.
 *
 * JAGA_MODEL_RUNS says how many histories are played.
 */
#include "toy.h"

#if defined(__SANITIZE_ADDRESS__)
#define RUNS 15
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RUNS 15
#endif
#endif
#ifndef RUNS
#define RUNS 60
#endif
#define ACTS   160
#define SWEEPS 40 /* until it must be quiet */

struct world {
    struct toy toys[TOYS];
    struct t_state *backup[TOYS];
    struct check_random r;
    unsigned cut[TOYS]; /* bits: peers that are out of reach */
    /* One member that says two things: its other self, and to whom that speaks. */
    int forker;
    struct t_state *other;
    unsigned other_to;
    bool forked, healing;
    struct arena *a;
    unsigned rounds, cuts, frozen, erased, removed, restored;
    struct sync_counts counts;
    size_t quiet; /* bytes of a round that has nothing new, at most */
};

static uint64_t
below(struct world *w, uint64_t n)
{
    return check_next(&w->r) % n;
}

/* -- what must hold at any moment -- */

/* Whether a member was in a group's generation at a version or later: by all versions that there
 * are, wherever they are known. */
static bool
was_in(struct world *w, int group, const uint8_t *generation, uint64_t order, int who)
{
    if (group == 0)
        return true;
    for (int o = 0; o < TOYS; o++) {
        for (size_t v = 0; v < w->toys[o].s->version_n; v++) {
            const struct t_version *x = &w->toys[o].s->versions[v];

            if (x->group == group && memcmp(x->generation, generation, sizeof x->generation) == 0 &&
                x->order >= order && (x->members >> who & 1))
                return true;
        }
    }
    return false;
}

/* A stream, whoever has it: its audience is in its name. */
static const struct t_stream *
anywhere(struct world *w, const struct hash *id)
{
    for (int i = 0; i < TOYS; i++) {
        const struct t_stream *s = toy_stream(&w->toys[i], id);

        if (s != NULL)
            return s;
    }
    for (size_t i = 0; w->other != NULL && i < w->other->stream_n; i++) {
        if (hash_eq(&w->other->streams[i].id, id))
            return &w->other->streams[i];
    }
    return NULL;
}

static void
no_control_leak(struct world *w, int to, const struct sync_item *it)
{
    struct t_version v;
    struct t_out o;
    struct t_receipt r;
    struct erase_notice n;
    const struct t_stream *s;

    if (it->kind == SYNC_CIRCLE) {
        memcpy(&v, it->content.p, sizeof v);
        if (!was_in(w, v.group, v.generation, v.order, to))
            fail_msg("node %d is told of group %d", to, v.group);
    } else if (it->kind == SYNC_OUT) {
        memcpy(&o, it->content.p, sizeof o);
        assert_int_equal(o.member, to);
    } else if (it->kind == SYNC_RECEIPT) {
        memcpy(&r, it->content.p, sizeof r);
        s = anywhere(w, &r.stream);
        assert_int_equal(s->publisher, to);
    } else if (it->kind == SYNC_ERASE) {
        memcpy(&n, it->content.p, sizeof n);
        s = anywhere(w, &n.stream);
        if (s != NULL && !was_in(w, s->a.group, s->a.generation, 0, to))
            fail_msg("node %d is told of an erasure for group %d", to, s->a.group);
    }
}

/* Nothing is told to one who is not in its audience, at the version that it names or later. */
static void
no_leak(struct world *w, int from, int to, const struct sync_answer *a,
        const struct t_stream *asked)
{
    uint64_t final;

    for (size_t i = 0; i < a->item_n; i++) {
        struct sync_head_item h;
        struct span evidence, group;
        int rc = a->items[i].kind == SYNC_HEAD
                     ? sync_head_item_decode(a->items[i].content, &h, NULL)
                 : a->items[i].kind == SYNC_FROZEN
                     ? sync_frozen_decode(a->items[i].content, &h, &evidence, NULL)
                     : 1;
        int number;

        assert_true(rc >= 0);
        if (rc == 1) {
            no_control_leak(w, to, &a->items[i]);
            continue;
        }
        group = h.name.group;
        number = span_is(group, "region") ? 0 : group.p[group.n - 1] - '0';
        if (!was_in(w, number, h.name.generation, h.head.group_order, to))
            fail_msg("node %d is told of a stream for group %d", to, number);
    }
    for (size_t i = 0; a->verb == SYNC_TAIL && i < a->entry_n; i++) {
        struct entry en;

        if (asked == NULL)
            fail_msg("node %d is served a stream that there is not", to);
        if (toy_final(&w->toys[from], asked, &final) && a->from + i >= final)
            fail_msg("node %d is served what lies beyond a final", to);
        if (a->entries[i].bare || entry_decode(a->entries[i].header, &en, NULL) != 0 ||
            en.kind != ENTRY_PUT)
            continue;
        if (!was_in(w, asked->a.group, asked->a.generation, en.group_version, to))
            fail_msg("node %d is served an entry for group %d", to, asked->a.group);
    }
}

/* -- rounds -- */

static void
answer(struct world *w, int from, int to, const struct sync_ask *q, struct buf *out)
{
    struct toy *server = &w->toys[from];
    struct err e = ERR_INIT;
    struct t_state *own = server->s;
    struct uuid peer = toy_uuid(to);
    bool other = w->forked && from == w->forker && (w->other_to >> to & 1);

    if (other) {
        server->s = w->other;
        server->changes++; /* so that no offer of the other self is remembered */
    }
    if (sync_server_answer(server->server, &peer, q, out, &e) != 0)
        fail_msg("answer: %s", e.text);
    if (other) {
        server->s = own;
        server->changes++;
    }
}

/* One round, cut after so many questions.  Whether it changed anything. */
static bool
play(struct world *w, int client, int from, unsigned cut)
{
    struct toy *t = &w->toys[client];
    struct uuid peer = toy_uuid(from);
    struct err e = ERR_INIT;
    struct sync_round *s = sync_round_new(&t->r, &peer, &e);
    const struct sync_counts *c = sync_round_counts(s);
    size_t bytes = 0;
    struct sync_ask q;
    bool changed;
    int rc = 1;

    while (c->questions < cut && (rc = sync_round_ask(s, &q, &e)) == 1) {
        struct buf ask, told;
        struct sync_ask asked;
        struct sync_answer w2;

        arena_reset(w->a);
        buf_init(&ask, SYNC_QUESTION_MAX);
        buf_init(&told, SYNC_MESSAGE_MAX);
        sync_ask_encode(&q, &ask);
        if (sync_ask_decode(buf_view(&ask), w->a, &asked, &e) != 0)
            fail_msg("%s", e.text);
        /* What it was told to be out of comes along: the server takes it as an item. */
        for (size_t i = 0; i < asked.out_n; i++)
            (void)w->toys[from].r.take_control(&w->toys[from], SYNC_OUT, &t->r.me, asked.outs[i],
                                               &e);
        answer(w, from, client, &asked, &told);
        bytes += ask.n + told.n;
        if (sync_answer_decode(buf_view(&told), w->a, &w2, &e) != 0)
            fail_msg("%s", e.text);
        no_leak(w, from, client, &w2, anywhere(w, &asked.stream));
        if (!w->healing && below(w, 60) == 0) { /* the line is cut: the answer never comes */
            rc = 0;
            w->cuts++;
        } else if (sync_round_take(s, &w2, &e) != 0) {
            if (e.code != ERR_PROTOCOL)
                fail_msg("take: %s", e.text);
            rc = -1;
        }
        buf_clear(&ask);
        buf_clear(&told);
        if (rc != 1)
            break;
        if (c->questions > 500)
            fail_msg("a round that does not end (phase %d)", sync_round_phase(s));
    }
    w->rounds++;
    /* Who was restored serves again once each peer has told what it holds. */
    if (rc == 0 && t->recovering && sync_round_phase(s) == SYNC_PHASE_DONE) {
        t->heard |= 1u << from;
        t->recovering = t->heard != (1u << TOYS) - 1;
        t->changes += !t->recovering;
    }
    changed = c->items + c->entries + c->bodies + c->forks + c->refused > 0;
    w->counts.items += c->items;
    w->counts.entries += c->entries;
    w->counts.bodies += c->bodies;
    w->counts.refused += c->refused;
    w->counts.forks += c->forks;
    w->quiet = changed || bytes > w->quiet ? bytes : w->quiet; /* since something changed */
    sync_round_free(s);
    return changed;
}

/* -- acts -- */

static void
change_group(struct world *w)
{
    int group = 1 + (int)below(w, T_GROUPS);
    struct toy *owner = &w->toys[group - 1]; /* never the forker */
    int member = (int)below(w, TOYS);

    if (below(w, 3) > 0)
        (void)toy_add(owner, group, member, below(w, 2), &w->r);
    else
        (void)toy_remove(owner, group, member);
}

static void
begin_fork(struct world *w)
{
    if (w->forked || w->other != NULL)
        return;
    w->other = malloc(sizeof *w->other);
    *w->other = *w->toys[w->forker].s;
    w->other_to = (unsigned)below(w, 1u << TOYS);
    w->forked = true;
}

/* The other self says something too. */
static void
publish_other(struct world *w)
{
    struct toy *t;
    struct t_state *own;

    if (!w->forked)
        return;
    t = &w->toys[w->forker];
    own = t->s;
    t->s = w->other;
    (void)toy_publish(t, (int)below(w, T_GROUPS + 1), (uint8_t)(1 + below(w, 2)), &w->r);
    t->s = own;
}

static void
end_fork(struct world *w)
{
    struct toy *t;

    if (!w->forked)
        return;
    t = &w->toys[w->forker];
    w->forked = false;
    for (size_t i = 0; i < sizeof t->s->incarnation; i++)
        t->s->incarnation[i] = (uint8_t)check_next(&w->r);
    toy_server_new(t);
}

static void
act(struct world *w)
{
    int i = (int)below(w, TOYS), j = (int)below(w, TOYS);
    struct toy *t = &w->toys[i];
    unsigned what = (unsigned)below(w, 100);

    if (what < 25) {
        int group = (int)below(w, T_GROUPS + 1);
        uint8_t label = (uint8_t)(1 + below(w, 2));

        for (uint64_t n = below(w, 3) == 0 ? below(w, 20) : 0; n != UINT64_MAX; n--)
            (void)toy_publish(t, group, label, &w->r);
    } else if (what < 30) {
        (void)toy_erase(t, &w->r);
    } else if (what < 40) {
        change_group(w);
    } else if (what < 42) {
        *w->backup[i] = *t->s;
    } else if (what < 44) {
        if (w->forker != i) {
            if (below(w, 3) > 0)
                toy_restore(t, w->backup[i], &w->r);
            else
                toy_restore_all(t, w->backup[i], &w->r);
            w->restored++;
        }
    } else if (what < 48) {
        w->cut[i] ^= 1u << j;
        w->cut[j] ^= 1u << i;
    } else if (what < 50) {
        toy_server_new(t);
    } else if (what < 52 && w->forker >= 0) {
        begin_fork(w);
    } else if (what < 58) {
        publish_other(w);
    } else if (i != j && !(w->cut[i] >> j & 1)) {
        (void)play(w, i, j, below(w, 4) == 0 ? 1 + (unsigned)below(w, 4) : 400);
    }
}

/* -- after healing -- */

static void
heal(struct world *w)
{
    bool busy = true;

    end_fork(w);
    w->healing = true;
    memset(w->cut, 0, sizeof w->cut);
    for (int n = 0; busy && n < SWEEPS; n++) {
        busy = false;
        w->quiet = 0;
        for (int i = 0; i < TOYS; i++) {
            for (int j = 0; j < TOYS; j++) {
                if (i != j && play(w, i, j, 400))
                    busy = true;
            }
        }
    }
    if (busy)
        fail_msg("it does not become quiet");
}

static bool
is_member(const struct world *w, const struct t_stream *s, int who)
{
    const struct t_version *v;

    if (s->a.group == 0)
        return true;
    /* An owner that has lost what it signed still learns from the notice that somebody is out. */
    for (size_t i = 0; i < w->toys[s->a.group - 1].s->out_n; i++) {
        const struct t_out *o = &w->toys[s->a.group - 1].s->outs[i];

        if (o->group == s->a.group && o->member == who &&
            memcmp(o->generation, s->a.generation, sizeof o->generation) == 0)
            return false;
    }
    v = toy_version(&w->toys[s->a.group - 1], s->a.group, s->a.generation);
    return v != NULL && (v->members >> who & 1);
}

/* How much of a stream its members should hold: what anybody who is in it holds, but for what lies
 * beyond a final or a fork. */
static uint64_t
should_hold(struct world *w, const struct hash *id, bool *frozen)
{
    uint64_t most = 0, least = UINT64_MAX, final;

    *frozen = false;
    for (int i = 0; i < TOYS; i++) {
        struct t_stream *s = toy_stream(&w->toys[i], id);

        if (s == NULL || !is_member(w, s, i))
            continue;
        if (s->frozen) {
            *frozen = true;
            if (s->frozen_at < least)
                least = s->frozen_at;
        }
        if (s->have > most)
            most = s->have;
        if (toy_final(&w->toys[s->a.group > 0 ? s->a.group - 1 : 0], s, &final) && final < least)
            least = final;
    }
    return most < least ? most : least;
}

static void
check_stream(struct world *w, struct toy *t, const struct t_stream *like)
{
    struct t_stream *s = toy_stream(t, &like->id);
    bool frozen;
    uint64_t want = should_hold(w, &like->id, &frozen);

    if (!is_member(w, like, t->index))
        return;
    if (want > 0 && (s == NULL || s->have < want))
        fail_msg("node %d holds %lu of %lu entries of a stream of %d for group %d%s", t->index,
                 s == NULL ? 0ul : (unsigned long)s->have, (unsigned long)want, like->publisher,
                 like->a.group, frozen ? ", frozen" : "");
    for (uint64_t k = 0; k < want; k++) {
        if (!s->e[k].bare && !s->e[k].has_body && s->e[k].body_n > 0) {
            for (int i = 0; i < TOYS; i++) {
                const struct t_stream *o = toy_stream(&w->toys[i], &like->id);

                if (o != NULL && is_member(w, o, i) && k < o->have && o->e[k].has_body)
                    fail_msg("node %d waits for a body that node %d has", t->index, i);
            }
        }
    }
    if (frozen && (!s->frozen || s->frozen_at != want) && s->have > want)
        fail_msg("node %d does not know of a fork (%u accusations: %s)", t->index, t->accusations,
                 t->last_why != NULL ? t->last_why : "");
}

static uint64_t
acknowledged(const struct toy *t, const struct hash *stream, int by)
{
    for (size_t i = 0; i < t->s->receipt_n; i++) {
        if (hash_eq(&t->s->receipts[i].stream, stream) && t->s->receipts[i].by == by)
            return t->s->receipts[i].size;
    }
    return 0;
}

/* What its publisher has erased is nowhere that it was in reach of. */
static void
check_erased(struct world *w)
{
    for (int p = 0; p < TOYS; p++) {
        for (size_t i = 0; i < w->toys[p].s->notice_n; i++) {
            const struct erase_notice *n = &w->toys[p].s->notices[i];

            for (int k = 0; k < TOYS; k++) {
                struct t_stream *s = toy_stream(&w->toys[k], &n->stream);

                if (s != NULL && is_member(w, s, k) && n->index < s->have &&
                    hash_eq(&s->e[n->index].d, &n->d) && !s->e[n->index].bare)
                    fail_msg("node %d keeps what %d has erased", k, s->publisher);
                if (s != NULL && acknowledged(&w->toys[s->publisher], &n->stream, k) > n->index &&
                    n->index < s->have && hash_eq(&s->e[n->index].d, &n->d) && !s->e[n->index].bare)
                    fail_msg("node %d keeps what it has acknowledged, and %d has erased", k,
                             s->publisher);
            }
        }
    }
}

static void
check_all(struct world *w)
{
    for (int i = 0; i < TOYS; i++) {
        for (int k = 0; k < TOYS; k++) {
            for (size_t s = 0; s < w->toys[k].s->stream_n; s++)
                check_stream(w, &w->toys[i], &w->toys[k].s->streams[s]);
        }
        if (w->forker < 0 && w->toys[i].accusations > 0)
            fail_msg("node %d accuses an honest one: %s", i, w->toys[i].last_why);
    }
    check_erased(w);
}

static void
add_up(const struct world *w, struct world *sum)
{
    sum->rounds += w->rounds;
    sum->cuts += w->cuts;
    sum->restored += w->restored;
    sum->counts.items += w->counts.items;
    sum->counts.entries += w->counts.entries;
    sum->counts.bodies += w->counts.bodies;
    sum->counts.refused += w->counts.refused;
    sum->counts.forks += w->counts.forks;
    if (w->quiet > sum->quiet)
        sum->quiet = w->quiet;
    for (int i = 0; i < TOYS; i++) {
        sum->removed += (unsigned)w->toys[i].s->out_n;
        for (size_t k = 0; k < w->toys[i].s->stream_n; k++) {
            const struct t_stream *s = &w->toys[i].s->streams[k];

            sum->frozen += s->frozen;
            for (uint64_t n = 0; n < s->have; n++)
                sum->erased += s->e[n].bare;
        }
    }
}

static void
history(uint64_t seed, bool forks, struct world *sum)
{
    struct world w = {.r = {seed}, .forker = -1, .a = arena_new(SYNC_MESSAGE_MAX * 2)};

    check_next(&w.r);
    toys_new(w.toys, &w.r);
    if (forks)
        w.forker = TOYS - 1;
    for (int i = 0; i < TOYS; i++) {
        w.backup[i] = malloc(sizeof *w.backup[i]);
        *w.backup[i] = *w.toys[i].s;
    }
    for (int i = 0; i < ACTS; i++)
        act(&w);
    heal(&w);
    check_all(&w);
    add_up(&w, sum);
    for (int i = 0; i < TOYS; i++)
        free(w.backup[i]);
    free(w.other);
    toys_free(w.toys);
    arena_free(w.a);
}

static void
play_all(bool forks)
{
    const char *given = getenv("JAGA_MODEL_RUNS");
    struct check_random seed = check_seed("model");
    unsigned long runs = given != NULL ? strtoul(given, NULL, 10) : RUNS;
    struct world sum = {.forker = -1};

    for (unsigned long i = 0; i < runs; i++) {
        print_message("# history: JAGA_SEED=%llu\n", (unsigned long long)(seed.state + i));
        history(seed.state + i, forks, &sum);
    }
    print_message(
        "# %lu histories, %u rounds, %u cut, %u restores; taken: %lu items, %lu entries, "
        "%lu bodies; %lu refused, %u forks found; at the end %u streams frozen, %u entries "
        "erased, %u removals known; a quiet round takes %zu bytes at most\n",
        runs, sum.rounds, sum.cuts, sum.restored, (unsigned long)sum.counts.items,
        (unsigned long)sum.counts.entries, (unsigned long)sum.counts.bodies,
        (unsigned long)sum.counts.refused, sum.counts.forks, sum.frozen, sum.erased, sum.removed,
        sum.quiet);
    assert_true(sum.counts.entries > 20 * runs && sum.erased > runs && sum.removed > runs);
    assert_true(!forks || sum.frozen * 5 > runs);
    assert_true(sum.quiet < 300);
}

static void
honest(void **state)
{
    (void)state;
    play_all(false);
}

static void
one_forks(void **state)
{
    (void)state;
    play_all(true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(honest), cmocka_unit_test(one_forks)};
    struct err e = ERR_INIT;

    if (crypto_start(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
