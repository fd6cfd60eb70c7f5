#include "view.h"

#include <stdlib.h>
#include <string.h>

/* Levels of grant that can apply to one principal: its organisation's, its own, its owner's.  For
 * nobody there is one. */
#define LEVELS_MAX 3

static int
no_memory(struct arena *a, struct err *e)
{
    return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no memory for a view");
}

static int
cmp_entry(const void *x, const void *y)
{
    const struct view_entry *a = x, *b = y;

    return a->audience.number < b->audience.number   ? -1
           : a->audience.number > b->audience.number ? 1
                                                     : 0;
}

/* By audience, then by level, so that those of one audience stand together. */
static int
cmp_grant(const void *x, const void *y)
{
    const struct view_grant *a = *(const struct view_grant *const *)x;
    const struct view_grant *b = *(const struct view_grant *const *)y;

    if (a->audience != b->audience) {
        return a->audience < b->audience ? -1 : 1;
    }
    if (a->to != b->to) {
        return a->to < b->to ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number ? 1 : 0;
}

static bool
grant_applies(const struct view_grant *g, const struct right_principal *p)
{
    switch (g->to) {
    case GRANT_ORG:
        return p->org != 0 && g->number == p->org;
    case GRANT_PRINCIPAL:
        return g->number == p->number || (p->owner != 0 && g->number == p->owner);
    case GRANT_NOBODY:
        return p->kind == PRINCIPAL_ANONYMOUS;
    }
    return false;
}

/* Slices are sorted, apart, below natural_from, in range, and later ones have later arrivals. */
static bool
grant_ok(const struct view_grant *g)
{
    uint64_t next_seq = 0;
    int64_t next_us = INT64_MIN;

    for (size_t i = 0; i < g->slice_count; i++) {
        const struct view_slice *s = &g->slices[i];

        if (s->n == 0 || s->from_seq < next_seq || s->from_seq > g->natural_from ||
            s->n > g->natural_from - s->from_seq || s->n > (uint64_t)INT64_MAX / VIEW_STEP_US ||
            s->base_us < next_us || s->base_us > INT64_MAX - (int64_t)(s->n * VIEW_STEP_US)) {
            return false;
        }
        next_seq = s->from_seq + s->n;
        next_us = s->base_us + (int64_t)(s->n * VIEW_STEP_US);
    }
    return true;
}

/* Where one level stands while the seqs are walked upwards. */
struct level {
    const struct view_grant *g;
    size_t at; /* first slice that ends behind the present seq */
};

/* What a level says of seq, and up to which seq (exclusive) it says the same. */
enum says { SAYS_NOT, SAYS_SLICE, SAYS_NATURAL };

static enum says
level_says(struct level *l, uint64_t seq, int64_t *date, uint64_t *until)
{
    const struct view_grant *g = l->g;

    if (seq >= g->natural_from) {
        *until = UINT64_MAX;
        return SAYS_NATURAL;
    }
    while (l->at < g->slice_count && g->slices[l->at].from_seq + g->slices[l->at].n <= seq) {
        l->at++;
    }
    if (l->at == g->slice_count) {
        *until = g->natural_from;
        return SAYS_NOT;
    }
    if (seq < g->slices[l->at].from_seq) {
        *until = g->slices[l->at].from_seq;
        return SAYS_NOT;
    }
    *date = g->slices[l->at].base_us + (int64_t)(seq - g->slices[l->at].from_seq) * VIEW_STEP_US;
    *until = g->slices[l->at].from_seq + g->slices[l->at].n;
    return SAYS_SLICE;
}

/* Adds [seq, until) at date; makes one of two that follow each other without a gap. */
static void
put_slice(struct view_slice *out, size_t *n, uint64_t seq, uint64_t until, int64_t date)
{
    struct view_slice *last = *n > 0 ? &out[*n - 1] : NULL;

    if (last != NULL && last->from_seq + last->n == seq &&
        last->base_us + (int64_t)(last->n * VIEW_STEP_US) == date) {
        last->n += until - seq;
        return;
    }
    out[(*n)++] = (struct view_slice){seq, until - seq, date};
}

/* All levels must let a row in, and the latest date counts.  All dates rise by the same step with
 * seq, so between two borders one level's date is the latest throughout. */
static int
merge_levels(struct level *levels, size_t level_count, struct arena *a, struct view_entry *en,
             struct err *e)
{
    struct view_slice *out;
    size_t n = 0;
    size_t borders = 1;
    uint64_t seq = 0;

    for (size_t i = 0; i < level_count; i++) {
        /* each slice has two borders, and natural_from is one */
        borders += 2 * levels[i].g->slice_count + 1;
        if (levels[i].g->natural_from > en->natural_from) {
            en->natural_from = levels[i].g->natural_from;
        }
    }
    out = arena_zero(a, borders, sizeof *out);
    if (out == NULL) {
        return no_memory(a, e);
    }
    while (seq < en->natural_from) {
        uint64_t until = en->natural_from;
        int64_t date = INT64_MIN;
        bool in = true;

        for (size_t i = 0; i < level_count; i++) {
            uint64_t u = 0;
            int64_t d = 0;
            enum says s = level_says(&levels[i], seq, &d, &u);

            until = u < until ? u : until;
            in = in && s != SAYS_NOT;
            if (s == SAYS_SLICE && d > date) {
                date = d;
            }
        }
        if (in) {
            put_slice(out, &n, seq, until, date);
        }
        seq = until;
    }
    en->slices = out;
    en->slice_count = n;
    return 0;
}

static int
open_entry(const struct view_grant *const *grants, size_t count, struct arena *a,
           struct view_entry *en, struct err *e)
{
    struct level levels[LEVELS_MAX];

    if (count > LEVELS_MAX) {
        return err_set(e, ERR_CORRUPT, "two grants of one audience to one holder");
    }
    for (size_t i = 0; i < count; i++) {
        if (!grant_ok(grants[i]) || (i > 0 && grants[i]->to == grants[i - 1]->to &&
                                     grants[i]->number == grants[i - 1]->number)) {
            err_set(e, ERR_CORRUPT, "a grant that contradicts itself");
            return err_place(e, "audience %u", (unsigned)en->audience.number);
        }
        levels[i] = (struct level){grants[i], 0};
    }
    if (count == 1) { /* nearly always */
        en->natural_from = grants[0]->natural_from;
        en->slices = grants[0]->slice_count > 0
                         ? arena_zero(a, grants[0]->slice_count, sizeof *en->slices)
                         : NULL;
        if (grants[0]->slice_count > 0) {
            if (en->slices == NULL) {
                return no_memory(a, e);
            }
            memcpy((void *)(uintptr_t)en->slices, grants[0]->slices,
                   grants[0]->slice_count * sizeof *en->slices);
        }
        en->slice_count = grants[0]->slice_count;
        return 0;
    }
    return merge_levels(levels, count, a, en, e);
}

/* The grants that apply to the principal, sorted by audience. */
static int
pick_grants(const struct right_principal *p, const struct view_grant *grants, size_t count,
            struct arena *a, const struct view_grant ***out, size_t *n, struct err *e)
{
    size_t k = 0;

    for (size_t i = 0; i < count; i++) {
        k += grant_applies(&grants[i], p);
    }
    *out = arena_zero(a, k + 1, sizeof **out);
    if (*out == NULL) {
        return no_memory(a, e);
    }
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        if (grant_applies(&grants[i], p)) {
            (*out)[(*n)++] = &grants[i];
        }
    }
    if (*n > 1) {
        qsort(*out, *n, sizeof **out, cmp_grant);
    }
    return 0;
}

static int
apply_grants(struct view_entry *entries, size_t count, const struct view_grant **grants, size_t n,
             struct arena *a, struct err *e)
{
    size_t g = 0;

    for (size_t i = 0; i < count; i++) {
        size_t end;

        while (g < n && grants[g]->audience < entries[i].audience.number) {
            g++;
        }
        for (end = g; end < n && grants[end]->audience == entries[i].audience.number; end++) {
        }
        if (end > g && open_entry(grants + g, end - g, a, &entries[i], e) != 0) {
            return -1;
        }
        g = end;
    }
    return 0;
}

static int
make_bits(struct arena *a, struct view *v, struct err *e)
{
    uint64_t *bits;

    if (v->count == 0) {
        return 0;
    }
    v->bit_words = v->entries[v->count - 1].audience.number / 64 + 1;
    bits = arena_zero(a, v->bit_words, sizeof *bits);
    if (bits == NULL) {
        return no_memory(a, e);
    }
    for (size_t i = 0; i < v->count; i++) {
        uint32_t number = v->entries[i].audience.number;

        bits[number / 64] |= (uint64_t)1 << (number % 64);
    }
    v->bits = bits;
    return 0;
}

/* The readable ones, sorted by number; ERR_CORRUPT for a number that is none or is there twice. */
static int
pick_audiences(const struct rights *r, const struct asker *who, const struct audience *audiences,
               size_t count, struct arena *a, struct view_entry **out, size_t *n, struct err *e)
{
    size_t k = 0;
    struct view_entry *entries = arena_zero(a, count + 1, sizeof *entries);

    if (entries == NULL) {
        return no_memory(a, e);
    }
    for (size_t i = 0; i < count; i++) {
        if (audiences[i].number == 0 || audiences[i].number > VIEW_AUDIENCE_MAX) {
            return err_set(e, ERR_CORRUPT, "an audience's number is out of range");
        }
        if (may_read(r, who, &audiences[i]).yes) {
            entries[k++].audience = audiences[i];
        }
    }
    if (k > 1) {
        qsort(entries, k, sizeof *entries, cmp_entry);
    }
    for (size_t i = 1; i < k; i++) {
        if (entries[i].audience.number == entries[i - 1].audience.number) {
            return err_set(e, ERR_CORRUPT, "two audiences have one number");
        }
    }
    *out = entries;
    *n = k;
    return 0;
}

int
view_build(const struct rights *r, const struct asker *who, const struct audience *audiences,
           size_t audience_count, const struct view_grant *grants, size_t grant_count,
           struct arena *a, struct view *out, struct err *e)
{
    struct view v = {.exercise = who->exercise};
    struct view_entry *entries = NULL;
    const struct view_grant **picked = NULL;
    struct right_principal p;
    size_t picked_count = 0;

    if (!rights_effective(r, who->principal, who->now_us, &p)) {
        *out = v; /* nothing to see */
        return 0;
    }
    if (pick_audiences(r, who, audiences, audience_count, a, &entries, &v.count, e) != 0 ||
        pick_grants(&p, grants, grant_count, a, &picked, &picked_count, e) != 0 ||
        apply_grants(entries, v.count, picked, picked_count, a, e) != 0) {
        return -1;
    }
    v.entries = entries;
    if (make_bits(a, &v, e) != 0) {
        return -1;
    }
    *out = v;
    return 0;
}

int
view_only_group(const struct view *v, uint32_t group, struct arena *a, struct view *out,
                struct err *e)
{
    struct view part = {.exercise = v->exercise};
    struct view_entry *entries = arena_zero(a, v->count + 1, sizeof *entries);

    if (entries == NULL) {
        return no_memory(a, e);
    }
    for (size_t i = 0; i < v->count; i++) {
        if (group != 0 && v->entries[i].audience.group == group) {
            entries[part.count++] = v->entries[i];
        }
    }
    part.entries = entries;
    if (make_bits(a, &part, e) != 0) {
        return -1;
    }
    *out = part;
    return 0;
}

bool
view_has(const struct view *v, uint32_t audience)
{
    size_t word = audience / 64;

    return word < v->bit_words && (v->bits[word] >> (audience % 64) & 1) != 0;
}

const struct view_entry *
view_find(const struct view *v, uint32_t audience)
{
    struct view_entry key = {.audience.number = audience};

    return view_has(v, audience)
               ? bsearch(&key, v->entries, v->count, sizeof *v->entries, cmp_entry)
               : NULL;
}

bool
view_entry_date(const struct view_entry *en, uint64_t seq, int64_t arrival_us, int64_t *date_us)
{
    size_t lo = 0;
    size_t hi = en->slice_count;

    if (seq >= en->natural_from) {
        *date_us = arrival_us;
        return true;
    }
    while (lo < hi) { /* the last slice that begins at or before seq */
        size_t mid = lo + (hi - lo) / 2;

        if (en->slices[mid].from_seq <= seq) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo == 0 || seq - en->slices[lo - 1].from_seq >= en->slices[lo - 1].n) {
        return false;
    }
    *date_us =
        en->slices[lo - 1].base_us + (int64_t)(seq - en->slices[lo - 1].from_seq) * VIEW_STEP_US;
    return true;
}

bool
view_date(const struct view *v, uint32_t audience, uint64_t seq, int64_t arrival_us,
          int64_t *date_us)
{
    const struct view_entry *en = view_find(v, audience);

    return en != NULL && view_entry_date(en, seq, arrival_us, date_us);
}
