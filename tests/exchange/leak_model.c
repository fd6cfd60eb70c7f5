#include "leak_model.h"

#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)

/* -- who may read ---------------------------------------------------------------------------------
 */

bool
m_same(const struct m_aud *a, const struct m_aud *b)
{
    return a->label == b->label && a->group == b->group && a->gen == b->gen &&
           a->person == b->person && a->exercise == b->exercise;
}

static unsigned
with_lower_roles(unsigned roles)
{
    if (roles & M_PUBLISHER)
        roles |= M_ANALYST;
    if (roles & M_ANALYST)
        roles |= M_READER;
    return roles;
}

static bool
there(const struct model *m, int who)
{
    const struct m_who *p = &m->who[who];

    if (p->kind == M_NO_WHO || p->disabled)
        return false;
    return p->kind == M_NOBODY || !m->orgs[p->org].gone;
}

bool
m_in_force(const struct model *m, int who, struct m_who *out)
{
    struct m_who p = m->who[who];

    if (!there(m, who))
        return false;
    p.roles = with_lower_roles(p.roles);
    if (p.kind == M_OPERATOR) {
        p.roles |= M_READER | M_ANALYST | M_PUBLISHER;
        p.staff = p.exercise = true;
    }
    if (p.kind == M_NOBODY) {
        p.roles = 0;
        p.ceiling = M_CLEAR;
    }
    if (p.kind == M_TOKEN && p.owner != 0) {
        const struct m_who *o = &m->who[p.owner];

        if (!there(m, p.owner))
            return false;
        p.roles &= with_lower_roles(o->roles);
        p.staff = p.staff && o->staff;
        p.exercise = p.exercise && o->exercise;
        p.quarantine = p.quarantine || o->quarantine;
        p.ceiling = o->ceiling < p.ceiling ? o->ceiling : p.ceiling;
    }
    *out = p;
    return true;
}

static bool
comes_by(enum m_who_kind kind, enum m_channel c)
{
    switch (c) {
    case M_BY_SESSION:
        return kind == M_PERSON || kind == M_NOBODY;
    case M_BY_TOKEN:
        return kind == M_PERSON || kind == M_TOKEN || kind == M_NOBODY;
    case M_BY_EXPORT:
        return kind == M_PERSON || kind == M_TOKEN || kind == M_OPERATOR;
    case M_BY_LOCAL:
        return true;
    }
    return false;
}

bool
m_reads(const struct model *m, const struct m_asker *k, const struct m_aud *a)
{
    const struct m_gen *g = &m->gens[a->gen];
    const struct m_org *org;
    struct m_who p;

    if (!m_in_force(m, k->who, &p) || !comes_by(p.kind, k->channel))
        return false;
    if (p.kind == M_TOKEN && !p.read)
        return false;
    if (p.kind != M_NOBODY && !(p.roles & M_READER))
        return false;
    if (a->exercise != k->exercise || (k->exercise && !p.exercise))
        return false;
    if (a->label > p.ceiling || a->label > k->listener)
        return false;
    if (p.only_group != 0 && p.only_group != a->group)
        return false;
    if (a->label == M_RED)
        return p.kind == M_PERSON && k->channel == M_BY_SESSION && a->person == k->who;
    if (a->label == M_CLEAR && m->groups[a->group].kind == M_PUBLIC)
        return p.kind != M_NOBODY || m->open;
    if (p.kind == M_NOBODY)
        return false;
    if (g->in[p.org])
        return a->label != M_STRICT || p.staff;
    org = &m->orgs[p.org];
    return a->label <= M_GREEN && org->kind == M_CONSTITUENT && g->in[org->member];
}

/* -- when -----------------------------------------------------------------------------------------
 */

static bool
grant_is_for(const struct model *m, const struct m_grant *g, int who)
{
    const struct m_who *p = &m->who[who];

    switch (g->to) {
    case M_TO_ORG:
        return p->kind != M_NOBODY && g->number == p->org;
    case M_TO_WHO:
        return g->number == who || (p->owner != 0 && g->number == p->owner);
    default:
        return p->kind == M_NOBODY;
    }
}

bool
m_date(const struct model *m, const struct m_asker *k, const struct m_row *r, int64_t *us)
{
    int64_t date = r->arrival_us;

    if (r->gone || !m_reads(m, k, &r->aud))
        return false;
    for (int i = 0; r->matched && i < m->grant_n; i++) {
        const struct m_grant *g = &m->grants[i];
        bool in = false;

        if (r->seq >= g->from || !m_same(&g->aud, &r->aud) || !grant_is_for(m, g, k->who))
            continue;
        if (r->erase) /* what was erased before he came is nothing to him */
            return false;
        for (int j = 0; j < g->slice_n && !in; j++) {
            const struct m_slice *s = &g->slices[j];

            if (r->seq < s->from || r->seq >= s->from + s->n)
                continue;
            in = true;
            if (s->base_us + 25 * (int64_t)(r->seq - s->from) > date)
                date = s->base_us + 25 * (int64_t)(r->seq - s->from);
        }
        if (!in)
            return false;
    }
    *us = date;
    return true;
}

static bool
in_part(const struct m_row *r, int group, int label)
{
    return (group == 0 || r->aud.group == group) && (label < 0 || r->aud.label == label);
}

bool
m_sees(const struct model *m, const struct m_asker *k, int group, int id)
{
    int64_t us;

    for (int i = m->ids[id].first; i != 0; i = m->rows[i - 1].next) {
        const struct m_row *r = &m->rows[i - 1];

        if (!r->erase && in_part(r, group, -1) && m_date(m, k, r, &us))
            return true;
    }
    return false;
}

/* -- what is listed -------------------------------------------------------------------------------
 */

/* Dated more than a day past its arrival: the lowest.  The bound creator's own: the highest. */
static int
class_of(const struct model *m, const struct m_row *r)
{
    if (m->contents[r->content].modified_us > r->arrival_us + DAY_US)
        return 0;
    return r->owner ? 2 : 1;
}

int
m_rank(const struct model *m, const struct m_row *a, const struct m_row *b)
{
    const struct m_content *x = &m->contents[a->content], *y = &m->contents[b->content];
    int ca = class_of(m, a), cb = class_of(m, b);

    if (ca != cb)
        return ca - cb;
    if (x->modified_us != y->modified_us)
        return x->modified_us < y->modified_us ? -1 : 1;
    return memcmp(x->hash, y->hash, sizeof x->hash);
}

/* What a reader sees of an id, with the dates. */
struct seen_row {
    int row;
    int64_t us;
};

static int
rows_seen(const struct model *m, const struct m_asker *k, int group, int label, int id,
          struct seen_row **out)
{
    static struct seen_row list[20000];
    int n = 0;

    for (int i = m->ids[id].first; i != 0; i = m->rows[i - 1].next) {
        const struct m_row *r = &m->rows[i - 1];

        if (in_part(r, group, label) && m_date(m, k, r, &list[n].us))
            list[n++].row = i - 1;
    }
    *out = list;
    return n;
}

/* The last erasure that is seen: of that modified, or (INT64_MIN) of any. */
static int64_t
last_erasure(const struct model *m, const struct seen_row *list, int n, int64_t modified)
{
    int64_t last = 0;

    for (int i = 0; i < n; i++) {
        const struct m_row *r = &m->rows[list[i].row];

        if (r->erase && list[i].us > last &&
            (modified == INT64_MIN || m->contents[r->content].modified_us == modified))
            last = list[i].us;
    }
    return last;
}

/* The least date of these bytes at this rank; without versions, of these bytes. */
static int
least_of(const struct model *m, const struct seen_row *list, int n, int row)
{
    const struct m_row *r = &m->rows[row];
    int best = -1;

    for (int i = 0; i < n; i++) {
        const struct m_row *o = &m->rows[list[i].row];

        if (o->erase || o->content != r->content)
            continue;
        if (m->contents[r->content].versioned && class_of(m, o) != class_of(m, r))
            continue;
        if (best < 0 || list[i].us < list[best].us)
            best = i;
    }
    return best;
}

/* Whether nothing that is seen beats the row among those that compete with it. */
static bool
wins(const struct model *m, const struct seen_row *list, int n, int row, enum m_which which)
{
    const struct m_row *r = &m->rows[row];
    int64_t modified = m->contents[r->content].modified_us;

    for (int i = 0; i < n; i++) {
        const struct m_row *o = &m->rows[list[i].row];
        int64_t at = m->contents[o->content].modified_us;

        if (o->erase)
            continue;
        if (which == M_FIRST && at < modified)
            return false;
        if ((which == M_LAST || at == modified) && m_rank(m, o, r) > 0)
            return false;
    }
    return true;
}

static bool
is_listed(const struct model *m, const struct seen_row *list, int n, int row, enum m_which which,
          int64_t at_us)
{
    const struct m_content *c = &m->contents[m->rows[row].content];

    if (which == M_AT && (c->sco || c->modified_us != at_us))
        return false;
    if (!c->versioned || which == M_EVERY)
        return true;
    return wins(m, list, n, row, which);
}

int
m_list_id(const struct model *m, const struct m_asker *k, int group, int label, enum m_which which,
          int64_t at_us, int id, struct m_item *out)
{
    struct seen_row *list;
    int n = rows_seen(m, k, group, label, id, &list), count = 0;

    for (int i = 0; i < n; i++) {
        const struct m_row *r = &m->rows[list[i].row];
        const struct m_content *c = &m->contents[r->content];
        struct m_item it;
        int64_t erased = 0;
        int least, j = 0;

        if (r->erase || !is_listed(m, list, n, list[i].row, which, at_us))
            continue;
        least = least_of(m, list, n, list[i].row);
        it = (struct m_item){r->content, list[least].row, list[least].us, list[least].us};
        if (c->versioned && which != M_EVERY)
            erased = last_erasure(m, list, n,
                                  which == M_ALL || which == M_AT ? c->modified_us : INT64_MIN);
        if (erased > it.date_us)
            it.date_us = erased;
        while (j < count && out[j].content != it.content)
            j++;
        if (j == count)
            out[count++] = it;
        else if (which == M_EVERY && it.date_us < out[j].date_us)
            out[j] = it; /* once as the lowest, once again later: listed at its first date */
    }
    return count;
}

static int
by_date(const void *a, const void *b)
{
    const struct m_item *x = a, *y = b;

    return x->date_us < y->date_us ? -1 : x->date_us > y->date_us;
}

int
m_list(const struct model *m, const struct m_asker *k, int group, int label, enum m_which which,
       int64_t at_us, struct m_item *out)
{
    int n = 0;

    for (int id = 1; id <= m->id_n; id++)
        n += m_list_id(m, k, group, label, which, at_us, id, out + n);
    qsort(out, (size_t)n, sizeof *out, by_date);
    return n;
}

/* -- rows -----------------------------------------------------------------------------------------
 */

struct m_row *
m_row_add(struct model *m, int content, const struct m_aud *a)
{
    struct m_id *id = &m->ids[m->contents[content].id];
    struct m_row *r;
    int *end = &id->first;

    if (m->row_n == m->row_cap) {
        m->row_cap = m->row_cap == 0 ? 1024 : m->row_cap * 2;
        m->rows = realloc(m->rows, (size_t)m->row_cap * sizeof *m->rows);
        if (m->rows == NULL)
            abort();
    }
    while (*end != 0)
        end = &m->rows[*end - 1].next;
    r = &m->rows[m->row_n];
    *r = (struct m_row){.content = content, .aud = *a};
    *end = ++m->row_n;
    return r;
}

void
m_erase(struct model *m, int row)
{
    struct m_row was = m->rows[row], *r;

    m->rows[row].gone = true;
    r = m_row_add(m, was.content, &was.aud);
    r->erase = true;
    r->target = was.p;
}

void
m_free(struct model *m)
{
    for (int i = 1; i <= m->id_n; i++)
        free(m->ids[i].text);
    for (int i = 1; i <= m->content_n; i++)
        free(m->contents[i].text);
    free(m->contents);
    free(m->rows);
    free(m->grants);
    free(m->pending);
}
