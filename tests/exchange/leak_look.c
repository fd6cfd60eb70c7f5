/* tests/exchange/leak_look.c - one reader's TAXII pages and objects by id, compared with the model.
 */
#include "leak_world.h"

#include "leak_look.h"
#include "taxii_query.h"

/* -- who looks ------------------------------------------------------------------------------------
 */

struct m_asker
leak_any_asker(struct leak *l)
{
    int who = 1 + (int)below(l, (unsigned)l->people_n);

    return leak_asker(l, who, one_in(l, 6), one_in(l, 6) ? NARROW_CEILING : M_RED);
}

/* The operator looks through somebody's eyes: whatever that one sees, but RED. */
static struct m_asker
through_eyes_of(int who, bool exercise)
{
    return (struct m_asker){who, M_BY_LOCAL, M_RED, exercise};
}

struct m_asker
look_taxii(const struct m_asker *k)
{
    struct m_asker t = *k;

    if (t.channel != M_BY_LOCAL)
        t.channel = M_BY_TOKEN;
    return t;
}

const char *
look_text(struct leak *l, int content)
{
    const struct m_content *c = &l->m.contents[content];

    return arena_dup(l->w->a, span_from(c->text, c->size));
}

const char *
look_id(struct leak *l, int content)
{
    return l->m.ids[l->m.contents[content].id].text;
}

bool
look_is_type(struct leak *l, int content, const char *type)
{
    const char *id = look_id(l, content);
    size_t n = strlen(type);

    return strncmp(id, type, n) == 0 && id[n] == '-' && id[n + 1] == '-';
}

const char *
look_time(struct leak *l, int64_t us)
{
    char t[INSTANT_MAX];

    instant_print(instant_from_us(us), 6, t);
    return arena_dup(l->w->a, span_of(t));
}

/* modified as written, else created, else the date. */
const char *
look_version(struct leak *l, int content, int64_t date_us)
{
    const struct m_content *c = &l->m.contents[content];
    const char *text = look_text(l, content), *key, *at;

    if (c->sco)
        return look_time(l, date_us);
    key = c->versioned ? "\"modified\":\"" : "\"created\":\"";
    at = strstr(text, key);
    assert_non_null(at);
    at += strlen(key);
    return arena_dup(l->w->a, span_from(at, (size_t)(strchr(at, '"') - at)));
}

void
look_fail(struct leak *l, const struct m_asker *k, const char *how, const char *what)
{
    leak_fail(l, "%s (listener %d, channel %d%s) by %s: %s", l->people[k->who].name, k->listener,
              k->channel, k->exercise ? ", EXERCISE" : "", how, what);
}

static int64_t
sort_date(const void *p)
{
    return ((const struct m_item *)p)->plain_us;
}

static int
newest_first(const void *a, const void *b)
{
    int64_t x = sort_date(a), y = sort_date(b);

    return x > y ? -1 : x < y;
}

void
look_newest_first(struct m_item *list, int n)
{
    qsort(list, (size_t)n, sizeof *list, newest_first);
}

/* -- hidden and absent ----------------------------------------------------------------------------
 */

void
look_absent(struct leak *l, const struct m_asker *k, struct ask *q, const char *how)
{
    const char *id = arena_dup(l->w->a, q->id);
    struct answer hidden = l->w->last;
    struct span text = arena_span(l->w->a, hidden.text), place = arena_span(l->w->a, hidden.place);
    const char *dash = strstr(id, "--");

    if (hidden.status != ERR_MISSING)
        look_fail(l, k, how, "what is hidden is not missing");
    q->id = span_of(
        arena_printf(l->w->a, "%.*s--ffffffff-0000-4000-8000-000000000000", (int)(dash - id), id));
    if (leak_ask(l, k, q) != NULL || l->w->last.status != hidden.status ||
        !span_eq(text, l->w->last.text) || !span_eq(place, l->w->last.place))
        look_fail(l, k, how, arena_printf(l->w->a, "%s: hidden and absent differ", id));
}

/* -- pages ----------------------------------------------------------------------------------------
 */

struct walk {
    const struct m_asker *k;
    enum ask_verb verb;
    int group, id;
    enum m_which which;
    int64_t at_us;
    const char *type; /* or NULL */
    const char *collection, *filter;
    struct m_item *want;
    int n, at;
};

static void
walk_want(struct leak *l, struct walk *w)
{
    struct m_asker t = look_taxii(w->k);
    int n = 0;

    w->n = w->id != 0 ? m_list_id(&l->m, &t, w->group, -1, w->which, w->at_us, w->id, w->want)
                      : m_list(&l->m, &t, w->group, -1, w->which, w->at_us, w->want);
    for (int i = 0; i < w->n; i++) {
        if (w->type == NULL || look_is_type(l, w->want[i].content, w->type))
            w->want[n++] = w->want[i];
    }
    w->n = n;
    if (w->id != 0) { /* in the order of dates */
        for (int i = 0; i < n; i++) {
            for (int j = i + 1; j < n; j++) {
                if (w->want[j].date_us < w->want[i].date_us) {
                    struct m_item x = w->want[i];

                    w->want[i] = w->want[j];
                    w->want[j] = x;
                }
            }
        }
    }
}

static void
put_entry(struct leak *l, const struct walk *w, const struct m_item *it, struct buf *b)
{
    const struct m_content *c = &l->m.contents[it->content];

    if (w->verb == ASK_MANIFEST)
        buf_printf(b,
                   "{\"id\":\"%s\",\"date_added\":\"%s\",\"version\":\"%s\","
                   "\"media_type\":\"application/stix+json;version=2.1\"}",
                   look_id(l, it->content), look_time(l, it->date_us),
                   look_version(l, it->content, it->date_us));
    else if (w->verb == ASK_VERSIONS)
        buf_printf(b, "\"%s\"", look_version(l, it->content, it->date_us));
    else
        buf_span(b, span_from(c->text, c->size));
}

/* The body byte for byte; only next, which is sealed, stands for itself. */
static void
check_body(struct leak *l, struct walk *w, int from, int to)
{
    struct span got = l->w->last.body;
    bool more = to < w->n, ok;
    size_t same = 0;
    struct buf b;

    buf_init(&b, 64u << 20);
    if (to > from)
        buf_printf(&b, "{\"%s\":[", w->verb == ASK_VERSIONS ? "versions" : "objects");
    for (int i = from; i < to; i++) {
        if (i > from)
            buf_u8(&b, ',');
        put_entry(l, w, &w->want[i], &b);
    }
    buf_str(&b, to == from ? "{}" : more ? "],\"more\":true,\"next\":\"" : "]}");
    ok = more ? got.n > b.n + 2 && memcmp(got.p, b.p, b.n) == 0 &&
                    memcmp(got.p + got.n - 2, "\"}", 2) == 0
              : span_eq(got, buf_view(&b));
    if (!ok) {
        while (same < got.n && same < b.n && got.p[same] == b.p[same])
            same++;
        for (int i = from; i < to; i++) {
            const struct m_content *c = &l->m.contents[w->want[i].content];
            const char *where = memmem(b.p, b.n, c->text, c->size);

            if (where != NULL && where + c->size > b.p + same) {
                leak_explain(l, c->id);
                break;
            }
        }
        for (int i = 1; i <= l->m.id_n && same < got.n; i++) {
            const char *where = memmem(got.p + same, got.n - same, "\"id\":\"", 6);
            size_t n = strlen(l->m.ids[i].text);

            if (where != NULL && (size_t)(got.p + got.n - where) > n + 6 &&
                memcmp(where + 6, l->m.ids[i].text, n) == 0)
                leak_explain(l, i);
        }
        leak_verify(l);
        look_fail(
            l, w->k, "page",
            arena_printf(
                l->w->a,
                "%s %s verb %d which %d: entries %d to %d of %d\n# got  ...%.400s"
                "\n# want ...%.400s",
                w->collection, w->filter, w->verb, w->which, from, to, w->n,
                arena_dup(l->w->a, span_part(got, same > 200 ? same - 200 : 0, got.n)),
                arena_dup(l->w->a, span_part(buf_view(&b), same > 200 ? same - 200 : 0, b.n))));
    }
    buf_clear(&b);
}

/* The millisecond that a date is rounded up to. */
static int64_t
ms_of(int64_t us)
{
    return (us + 999) / 1000;
}

static void
check_heads(struct leak *l, const struct walk *w, int from, int to)
{
    const struct answer *got = &l->w->last;
    bool more = to < w->n;
    int64_t last, first;

    if (to == from) {
        if (got->first_us != 0 || got->last_us != 0 || got->more)
            look_fail(l, w->k, "page", "an empty page has dates");
        return;
    }
    first = w->want[from].date_us;
    last = w->want[to - 1].date_us;
    if (!(more && ms_of(w->want[to].date_us) == ms_of(last)))
        last = ms_of(last) * 1000;
    if (got->first_us != first || got->last_us != last || got->more != more)
        look_fail(l, w->k, "page",
                  arena_printf(l->w->a,
                               "%s: dates %lld to %lld more %d, wanted %lld to %lld more %d",
                               w->collection, (long long)got->first_us, (long long)got->last_us,
                               got->more, (long long)first, (long long)last, more));
}

static struct ask
walk_ask(struct leak *l, const struct walk *w, unsigned limit)
{
    struct ask q = {.verb = w->verb, .collection = span_of(w->collection)};
    unsigned allowed = w->verb == ASK_OBJECT     ? TAXII_P_OBJECT
                       : w->verb == ASK_VERSIONS ? TAXII_P_VERSIONS
                                                 : TAXII_P_OBJECTS;
    struct err e = ERR_INIT;
    const char *text = arena_printf(l->w->a, "limit=%u%s", limit, w->filter);

    if (w->id != 0)
        q.id = span_of(l->m.ids[w->id].text);
    assert_int_equal(taxii_query_read(l->w->a, span_of(text), allowed, &q.q, &e), 0);
    return q;
}

/* Where a walk by added_after goes on: what the last page's header said. */
static void
start_after(struct walk *w, struct ask *q, int64_t us)
{
    q->q.added_after = instant_from_us(us);
    q->q.given |= TAXII_P_ADDED_AFTER;
    while (w->at < w->n && w->want[w->at].date_us <= us)
        w->at++;
}

/* between (may be NULL) is called once, after the first page. */
static void
walk(struct leak *l, struct walk *w, void (*between)(struct leak *l))
{
    bool by_next = one_in(l, 2), tiny = one_in(l, 4);
    const char *next = NULL;
    int64_t last = INT64_MIN;

    walk_want(l, w);
    for (unsigned page = 0;; page++) {
        unsigned limit = 1 + below(l, tiny ? 7 : 200);
        struct ask q = walk_ask(l, w, limit);
        int from, to;

        if (page == 0 && w->n > 0 && one_in(l, 4))
            start_after(w, &q, w->want[below(l, (unsigned)w->n)].date_us + (int)below(l, 3) - 1);
        if (page > 0 && next != NULL) {
            q.q.next = span_of(next);
            q.q.given |= TAXII_P_NEXT;
        } else if (page > 0 && last != INT64_MIN) {
            if (w->at < w->n && w->want[w->at].date_us <= last)
                look_fail(l, w->k, "page",
                          arena_printf(l->w->a, "who goes on from the header loses %s",
                                       look_text(l, w->want[w->at].content)));
            start_after(w, &q, last);
        }
        if (leak_ask(l, w->k, &q) == NULL)
            look_fail(l, w->k, "page", arena_dup(l->w->a, l->w->last.text));
        from = w->at;
        to = from + (int)limit < w->n ? from + (int)limit : w->n;
        check_body(l, w, from, to);
        check_heads(l, w, from, to);
        w->at = to;
        if (to == w->n && (page > 0 || between == NULL))
            break;
        last = l->w->last.last_us != 0 ? l->w->last.last_us : last;
        next = NULL;
        if (by_next && to < w->n) {
            const char *body = arena_dup(l->w->a, l->w->last.body), *at = strrchr(body, ':');

            next = arena_dup(l->w->a, span_from(at + 2, strlen(at) - 4));
        }
        if (between != NULL && page == 0) {
            int64_t after = to > 0 ? next != NULL ? w->want[to - 1].date_us : last : last;
            int rows = l->m.row_n;

            between(l);
            if (leak_collection(l, w->k, w->group) < LEAK_READ_ONLY)
                return; /* the reader has lost it meanwhile */
            walk_want(l, w);
            for (w->at = 0; w->at < w->n && w->want[w->at].date_us <= after; w->at++) {
                if (w->want[w->at].row >= rows)
                    look_fail(l, w->k, "page", "what came meanwhile lies before the cursor");
            }
        }
    }
}

/* A collection that is not there, or not for the reader, is answered as one that never was. */
static bool
collection_there(struct leak *l, const struct m_asker *k, int group, const char *alias)
{
    enum leak_collection is = leak_collection(l, k, group);
    struct ask q = {.verb = ASK_COLLECTION, .collection = span_of(alias)};
    const struct json *o = leak_ask(l, k, &q);
    enum err_code status = l->w->last.status;
    struct span text = arena_span(l->w->a, l->w->last.text);

    if (is == LEAK_READ_ONLY || is == LEAK_WRITES) {
        if (o == NULL || !span_is(json_text(o, "alias"), alias) ||
            at(o, "can_write")->boolean != (is == LEAK_WRITES))
            look_fail(l, k, "collection", alias);
        return true;
    }
    if (o != NULL || status != (is == LEAK_NONE ? ERR_MISSING : ERR_AUTH))
        look_fail(l, k, "collection", arena_printf(l->w->a, "%s: status %d", alias, status));
    q = (struct ask){.verb = ASK_COLLECTION, .collection = SPAN("nowhere")};
    assert_null(leak_ask(l, k, &q));
    if (l->w->last.status != status || !span_eq(text, l->w->last.text))
        look_fail(l, k, "collection", "hidden and absent differ");
    return false;
}

static const char *const which_text[] = {
    [M_LAST] = "&match[version]=last",
    [M_FIRST] = "&match[version]=first",
    [M_ALL] = "&match[version]=all",
};

static void
walk_filter(struct leak *l, struct walk *w)
{
    static const char *const types[] = {"malware", "ipv4-addr", "report", "relationship", "tool"};

    w->which = (enum m_which)below(l, 4);
    w->filter = w->which == M_AT ? "" : which_text[w->which];
    if (w->which == M_AT) {
        unsigned day = 1 + below(l, 5);

        w->filter = arena_printf(l->w->a, "&match[version]=2025-02-0%uT00:00:00.000Z", day);
        w->at_us = INT64_C(1738281600000000) + day * INT64_C(86400000000);
    } else if (w->which == M_LAST && one_in(l, 2)) {
        w->filter = "";
    }
    if (w->id == 0 && one_in(l, 4)) {
        w->type = types[below(l, 5)];
        w->filter = arena_printf(l->w->a, "%s&match[type]=%s", w->filter, w->type);
    }
    if (one_in(l, 10))
        w->filter = arena_printf(l->w->a, "%s&match[spec_version]=2.1", w->filter);
}

static void
look_pages(struct leak *l, const struct m_asker *k, struct m_item *room)
{
    int groups[] = {0, 1, 2, 1 + (int)below(l, (unsigned)l->group_n),
                    1 + (int)below(l, (unsigned)l->group_n)};

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        struct walk w = {.k = k,
                         .verb = one_in(l, 2) ? ASK_OBJECTS : ASK_MANIFEST,
                         .group = groups[i],
                         .want = room,
                         .collection = leak_alias(l, groups[i], k->exercise)};

        if (i > 2 && l->m.groups[w.group].kind == M_NO_GROUP)
            continue;
        if (!collection_there(l, k, w.group, w.collection))
            continue;
        walk_filter(l, &w);
        walk(l, &w, NULL);
    }
}

static void
look_collections(struct leak *l, const struct m_asker *k)
{
    struct ask q = {.verb = ASK_COLLECTIONS};
    const struct json *o = leak_ask(l, k, &q), *list;
    struct m_asker side = *k;
    unsigned want = 0;

    if (k->who == PRINCIPAL_NOBODY && !l->m.open) {
        if (o != NULL || l->w->last.status != ERR_AUTH)
            look_fail(l, k, "collections", "without a login");
        return;
    }
    if (o == NULL)
        look_fail(l, k, "collections", arena_dup(l->w->a, l->w->last.text));
    list = at(o, "collections");
    for (int ex = 0; ex < 2; ex++) {
        side.exercise = ex != 0;
        for (int g = 0; g <= l->group_n; g++) {
            enum leak_collection is;
            bool found = false;

            if (g > 0 && l->m.groups[g].kind == M_NO_GROUP)
                continue;
            is = leak_collection(l, &side, g);
            if (is != LEAK_READ_ONLY && is != LEAK_WRITES)
                continue;
            want++;
            for (const struct json *c = list != NULL ? list->child : NULL; c != NULL; c = c->next)
                found = found || span_is(json_text(c, "alias"), leak_alias(l, g, ex != 0));
            if (!found)
                look_fail(l, k, "collections", leak_alias(l, g, ex != 0));
        }
    }
    if (want != (list != NULL ? list->count : 0))
        look_fail(l, k, "collections", arena_dup(l->w->a, l->w->last.body));
}

/* -- by id ----------------------------------------------------------------------------------------
 */

static void
taxii_id(struct leak *l, const struct m_asker *k, int id, struct m_item *room)
{
    int group = one_in(l, 2) ? 0 : 1 + (int)below(l, (unsigned)l->group_n);
    struct m_asker t = look_taxii(k);
    struct walk w = {.k = k,
                     .verb = one_in(l, 2) ? ASK_OBJECT : ASK_VERSIONS,
                     .group = group,
                     .id = id,
                     .want = room,
                     .collection = leak_alias(l, group, k->exercise)};
    enum leak_collection is = leak_collection(l, k, group);
    struct ask q;

    if ((group > 0 && l->m.groups[group].kind == M_NO_GROUP) ||
        (is != LEAK_READ_ONLY && is != LEAK_WRITES))
        return;
    walk_filter(l, &w);
    if (w.verb == ASK_VERSIONS) {
        w.which = M_ALL;
        w.filter = "";
    }
    if (m_sees(&l->m, &t, group, id)) {
        walk(l, &w, NULL);
        return;
    }
    q = walk_ask(l, &w, 10);
    if (leak_ask(l, k, &q) != NULL)
        look_fail(l, k, "object", arena_printf(l->w->a, "%s is shown", l->m.ids[id].text));
    look_absent(l, k, &q, "object");
}

/* GET: the best version; of what has no order every content. */
static void
get_id(struct leak *l, const struct m_asker *k, int id, bool versions, struct m_item *room)
{
    struct ask q = {.verb = ASK_GET, .id = span_of(l->m.ids[id].text), .versions = versions};
    int n = m_list_id(&l->m, k, 0, -1, versions ? M_EVERY : M_LAST, 0, id, room);
    const struct json *o = leak_ask(l, k, &q);
    struct span body = l->w->last.body;
    size_t size = strlen("{\"objects\":[]}");

    l->pairs++;
    if ((n > 0) != (o != NULL))
        look_fail(l, k, "get",
                  arena_printf(l->w->a, "%s: %s", l->m.ids[id].text,
                               n > 0 ? "is not shown" : "is shown and should not be"));
    if (o == NULL) {
        if (one_in(l, 8))
            look_absent(l, k, &q, "get");
        return;
    }
    for (int i = 0; i < n; i++) {
        const struct m_content *c = &l->m.contents[room[i].content];

        size += c->size + (i > 0);
        if (memmem(body.p, body.n, c->text, c->size) == NULL)
            look_fail(l, k, "get", arena_printf(l->w->a, "not there: %.*s", (int)c->size, c->text));
    }
    if (size != body.n)
        look_fail(l, k, "get",
                  arena_printf(l->w->a, "%d wanted, got %.*s", n, (int)body.n, body.p));
}

static void
look_ids(struct leak *l, const struct m_asker *k, struct m_item *room)
{
    for (int id = 1; id <= l->m.id_n; id++) {
        struct arena_mark mark = arena_mark(l->w->a);

        get_id(l, k, id, one_in(l, 6), room);
        if (one_in(l, 12))
            taxii_id(l, k, id, room);
        if (one_in(l, 12))
            look_object(l, k, id, room);
        arena_rewind(l->w->a, mark);
    }
}

/* -- dates ----------------------------------------------------------------------------------------
 */

/* What was opened to somebody later appears from then on, and everything else when it came: who
 * polls by added_after misses nothing. */
static void
look_dates(struct leak *l, const struct m_asker *k)
{
    const struct person *p = &l->people[k->who];

    for (int i = 0; i < l->m.row_n; i++) {
        const struct m_row *r = &l->m.rows[i];
        int a = leak_aud(l, &r->aud);
        int64_t us;

        if (r->erase || !m_date(&l->m, k, r, &us))
            continue;
        if (p->opened[a].set && i < p->opened[a].rows ? us <= p->opened[a].last_us
            : i >= p->rows_then                       ? us != r->arrival_us
                                                      : us < r->arrival_us)
            look_fail(l, k, "dates",
                      arena_printf(l->w->a,
                                   "%s in %s appears at %lld, arrived at %lld, opened "
                                   "after %lld",
                                   look_text(l, r->content), leak_aud_text(l, &r->aud),
                                   (long long)us, (long long)r->arrival_us,
                                   (long long)p->opened[a].last_us));
    }
}

/* -- the whole ------------------------------------------------------------------------------------
 */

void
leak_look(struct leak *l, const struct m_asker *k)
{
    struct m_item *room = calloc((size_t)l->m.content_n + 1, sizeof *room);

    assert_non_null(room);
    if (k->who != PRINCIPAL_OPERATOR && k->channel != M_BY_LOCAL)
        look_dates(l, k);
    look_collections(l, k);
    arena_reset(l->w->a);
    look_pages(l, k, room);
    arena_reset(l->w->a);
    look_ids(l, k, room);
    arena_reset(l->w->a);
    look_finds(l, k, room);
    arena_reset(l->w->a);
    if (k->who > (int)PRINCIPAL_OPERATOR && k->channel != M_BY_LOCAL && one_in(l, 3)) {
        struct m_asker eyes = through_eyes_of(k->who, k->exercise);

        look_ids(l, &eyes, room);
        look_finds(l, &eyes, room);
        arena_reset(l->w->a);
    }
    free(room);
}

static void
others_write(struct leak *l)
{
    for (unsigned i = 0; i < 3; i++)
        leak_act_keep(l);
}

void
leak_look_while(struct leak *l, const struct m_asker *k)
{
    int most = l->m.content_n + 200;
    struct m_item *room = calloc((size_t)most, sizeof *room);
    struct walk w = {.k = k,
                     .verb = one_in(l, 2) ? ASK_OBJECTS : ASK_MANIFEST,
                     .want = room,
                     .collection = leak_alias(l, 0, k->exercise),
                     .filter = ""};
    enum leak_collection is = leak_collection(l, k, 0);

    assert_non_null(room);
    if (is == LEAK_READ_ONLY || is == LEAK_WRITES)
        walk(l, &w, others_write);
    arena_reset(l->w->a);
    free(room);
}
