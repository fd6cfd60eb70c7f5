#include "store_sieve.h"

#include "mem.h"
#include "store_gen.h"
#include "store_impl.h"

#define GROUP      16u  /* generations that share words: a bit for each */
#define GROUPS_MAX 6u   /* as many as there are before they are merged: of 1 MiB each */
#define ROW_WORDS  8u   /* words for each row of a generation: */
#define PROBES     4u   /* ... of these many set, two in a hundred look-ups are in vain */
#define FILL_EVERY 4u   /* look-ups between two pieces */
#define FILL_ROWS  1024 /* of a piece: below a tenth of a millisecond */

/* All generations of a group use the same places for the same key, so that one look answers for
 * sixteen. */
struct group {
    int64_t number; /* generations from number * GROUP on */
    uint16_t full;  /* those of which every key is in */
    uint16_t *words;
};

struct sieve {
    struct group groups[GROUPS_MAX];
    size_t count;
    unsigned asked;
    int64_t gen; /* which is being read; -1: none */
    int64_t key; /* ... and the last row that was */
    int64_t n;
};

void
sieve_free(struct sieve *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->count; i++)
        mem_free(v->groups[i].words);
    mem_free(v);
}

static const struct group *
group_of(const struct sieve *v, int64_t gen)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->groups[i].number == gen / (int64_t)GROUP)
            return &v->groups[i];
    return NULL;
}

/* The i-th place of a key: twice hashed, as the halves of one product. */
static uint16_t *
word_of(const struct store *s, const struct group *g, int64_t key, unsigned i)
{
    const uint64_t h = (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t words = (uint64_t)ROW_WORDS << s->gen_shift;
    const uint32_t at = (uint32_t)(h >> 32) + i * (uint32_t)(h | 1);

    return &g->words[(uint64_t)at * words >> 32];
}

bool
sieve_may(const struct store *s, int64_t gen, int64_t key)
{
    const struct group *g = s->sieve && gen >= 0 ? group_of(s->sieve, gen) : NULL;
    const unsigned bit = 1u << (gen & (GROUP - 1));

    if (!g || !(g->full & bit))
        return true;
    for (unsigned i = 0; i < PROBES; i++)
        if (!(*word_of(s, g, key, i) & bit))
            return false;
    return true;
}

/* What has been merged is looked for elsewhere. */
static void
drop_merged(struct store *s, struct sieve *v)
{
    for (size_t i = 0; i < v->count;) {
        if (v->groups[i].number >= (int64_t)s->state.merged) {
            i++;
            continue;
        }
        mem_free(v->groups[i].words);
        v->groups[i] = v->groups[--v->count];
    }
    if (v->gen >= 0 && v->gen / (int64_t)GROUP < (int64_t)s->state.merged)
        v->gen = -1;
}

/* The newest full generation that is not known. */
static bool
next_gen(struct store *s, struct sieve *v)
{
    const int64_t first = (int64_t)(s->state.merged * GROUP);

    for (int64_t gen = GEN_OF(s, s->state.p) - 1; gen >= first; gen--) {
        const struct group *g = group_of(v, gen);

        if (g ? g->full >> (gen & (GROUP - 1)) & 1 : v->count == GROUPS_MAX)
            continue;
        v->gen = gen;
        v->key = v->n = -1;
        return true;
    }
    return false;
}

static struct group *
group_make(struct store *s, struct sieve *v)
{
    struct group *g = (struct group *)(uintptr_t)group_of(v, v->gen);

    if (!g) {
        g = &v->groups[v->count];
        *g = (struct group){.number = v->gen / (int64_t)GROUP,
                            .words = mem_zero((size_t)ROW_WORDS << s->gen_shift, sizeof *g->words)};
        if (!g->words)
            return NULL;
        v->count++;
    }
    return g;
}

static int
read_piece(struct store *s, struct sieve *v, struct group *g, struct err *e)
{
    const uint16_t bit = (uint16_t)(1u << (v->gen & (GROUP - 1)));
    struct db_stmt *q = sql_ask(s, e,
                                "SELECT key, n FROM ident WHERE gen = ?1 AND (key, n) > (?2, ?3) "
                                "ORDER BY key, n LIMIT ?4 /* sieve */",
                                "iiii", v->gen, v->key, v->n, (int64_t)FILL_ROWS);
    unsigned rows = 0;
    int rc;

    if (!q)
        return -1;
    for (; (rc = sql_step(s, q, e)) == 1; rows++) {
        v->key = sql_int(s, q, 0);
        v->n = sql_int(s, q, 1);
        for (unsigned i = 0; i < PROBES; i++)
            *word_of(s, g, v->key, i) |= bit;
    }
    if (rc == 0 && rows < FILL_ROWS) {
        g->full |= bit;
        v->gen = -1;
    }
    return rc;
}

int
sieve_fill(struct store *s, struct err *e)
{
    struct sieve *v = s->sieve;
    struct group *g;

    if (s->mode != DB_READ || GEN_OF(s, s->state.p) < 2)
        return 0; /* one more look costs less */
    if (!v) {
        v = s->sieve = mem_zero(1, sizeof *v);
        if (!v)
            return 0;
        v->gen = -1;
    }
    drop_merged(s, v);
    if (++v->asked % FILL_EVERY != 0 || (v->gen < 0 && !next_gen(s, v)))
        return 0;
    g = group_make(s, v);
    return g ? read_piece(s, v, g, e) : 0;
}
