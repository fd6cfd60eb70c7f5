/* tests/exchange/leak_find.c - one reader's searches, relations, counts and histories. */
#include "leak_look.h"

#include "taxii_query.h"

static const char *const labels[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};

static const char *
group_text(struct leak *l, const struct m_aud *a)
{
    return a->label == M_RED ? l->people[a->person].name : l->group_name[a->group];
}

static bool
holds(struct leak *l, int content, const char *what)
{
    const struct m_content *c = &l->m.contents[content];

    return memmem(c->text, c->size, what, strlen(what)) != NULL;
}

/* -- lists of rows --------------------------------------------------------------------------------
 */

static void
check_row(struct leak *l, const struct m_asker *k, const struct json *row, const struct m_item *it,
          const char *how)
{
    const struct m_aud *a = &l->m.rows[it->row].aud;

    if (!span_is(json_text(row, "id"), look_id(l, it->content)) ||
        !span_is(json_text(row, "date_added"), look_time(l, it->plain_us)) ||
        !span_is(json_text(row, "version"), look_version(l, it->content, it->plain_us)) ||
        !span_is(json_text(row, "label"), labels[a->label]) ||
        !span_is(json_text(row, "group"), group_text(l, a)) ||
        (json_get(row, "revoked") != NULL && json_get(row, "revoked")->boolean) !=
            l->m.contents[it->content].revoked)
        look_fail(l, k, how,
                  arena_printf(l->w->a, "row of %.*s %.*s %.*s for %.*s, wanted %s at %s, %s",
                               (int)json_text(row, "id").n, json_text(row, "id").p,
                               (int)json_text(row, "date_added").n, json_text(row, "date_added").p,
                               (int)json_text(row, "label").n, json_text(row, "label").p,
                               (int)json_text(row, "group").n, json_text(row, "group").p,
                               look_text(l, it->content), look_time(l, it->plain_us),
                               leak_aud_text(l, a)));
}

/* Walks a search to its end; want is newest first. */
static void
hunt(struct leak *l, const struct m_asker *k, struct ask q, const struct m_item *want, int n,
     const char *how)
{
    unsigned calls = 0;
    int at_item = 0;

    for (bool more = true; more;) {
        const struct json *o, *list;

        q.q.limit = 1 + below(l, one_in(l, 3) ? 5 : 300);
        q.q.given |= TAXII_P_LIMIT;
        o = leak_ask(l, k, &q);
        if (o == NULL)
            look_fail(l, k, how, arena_dup(l->w->a, l->w->last.text));
        list = at(o, "objects");
        assert_true(list->count <= q.q.limit && ++calls < 1000);
        for (const struct json *row = list->child; row != NULL; row = row->next, at_item++) {
            if (at_item >= n)
                look_fail(l, k, how, arena_dup(l->w->a, l->w->last.body));
            check_row(l, k, row, &want[at_item], how);
        }
        more = at(o, "more")->boolean;
        if (more) {
            q.q.next = span_of(text_at(l->w, o, "next"));
            q.q.given |= TAXII_P_NEXT;
        } else if (at(o, "next") != NULL) {
            look_fail(l, k, how, "next without more");
        }
    }
    if (at_item != n)
        look_fail(l, k, how,
                  arena_printf(l->w->a, "%d of %d, the next would be %s", at_item, n,
                               look_text(l, want[at_item].content)));
}

struct wish { /* a filter, and the same for the model */
    struct ask_filter f;
    const char *type, *id, *text, *holds, *creator;
    int group, label;
    bool nothing;
};

static void
wish_who(struct leak *l, struct wish *w)
{
    if (one_in(l, 5)) {
        int o = 1 + (int)below(l, (unsigned)l->org_n);

        w->creator = arena_printf(l->w->a, "\"created_by_ref\":\"%s\"", l->identity[o]);
        w->f.creator = span_of(one_in(l, 2) ? l->org_name[o] : l->identity[o]);
    }
    if (one_in(l, 8)) {
        int o = 1 + (int)below(l, (unsigned)l->org_n);

        w->f.publisher = span_of(l->org_name[o]);
        w->nothing = o != ORG_SELF; /* this node has no stream but its own */
    }
}

static struct wish
any_wish(struct leak *l, const struct m_item *list, int n)
{
    static const char *const types[] = {"malware", "ipv4-addr", "report", "relationship", "tool"};
    static const char *const words[] = {"alpha", "beacon", "gamma", "omega", "amma om"};
    struct wish w = {.label = -1};

    if (one_in(l, 3)) {
        w.type = types[below(l, 5)];
        w.f.type = span_of(w.type);
    }
    if (one_in(l, 3)) {
        w.text = words[below(l, 5)];
        w.f.text = span_of(w.text);
    } else if (one_in(l, 4)) {
        unsigned v = below(l, 20);

        w.holds = arena_printf(l->w->a, "\"value\":\"198.51.100.%u\"", v);
        w.f.value =
            span_of(arena_printf(l->w->a, one_in(l, 2) ? "198.51.100.%u" : "198[.]51.100.%u", v));
    } else if (one_in(l, 6)) {
        w.holds = "\"blue\"";
        w.f.label = SPAN("blue");
    }
    if (one_in(l, 6)) {
        w.id = l->m.ids[1 + below(l, (unsigned)l->m.id_n)].text;
        w.f.id = span_of(w.id);
    }
    if (one_in(l, 4)) {
        w.label = (int)below(l, 5);
        w.f.tlp = span_of(labels[w.label]);
    }
    if (one_in(l, 5)) {
        w.group = 1 + (int)below(l, (unsigned)l->group_n);
        w.f.group = span_of(l->group_name[w.group]);
    }
    w.f.revoked = one_in(l, 8);
    if (n > 0 && one_in(l, 6))
        w.f.since_us = list[below(l, (unsigned)n)].plain_us + (int)below(l, 3) - 1;
    if (n > 0 && one_in(l, 6))
        w.f.until_us = list[below(l, (unsigned)n)].plain_us + (int)below(l, 3) - 1;
    wish_who(l, &w);
    return w;
}

static bool
text_found(struct leak *l, int content, const char *word)
{
    const char *text = look_text(l, content);
    const char *name = strstr(text, "\"name\":\""), *seen = strstr(text, "\"x_seen\":\"");
    const char *from = name != NULL ? name + 8 : seen != NULL ? seen + 10 : "\"";

    return memmem(from, strcspn(from, "\""), word, strlen(word)) != NULL;
}

static bool
granted_wish(struct leak *l, const struct wish *w, const struct m_item *it)
{
    int64_t us = it->plain_us;

    if (w->nothing || (w->type != NULL && !look_is_type(l, it->content, w->type)) ||
        (w->id != NULL && strcmp(look_id(l, it->content), w->id) != 0) ||
        (w->holds != NULL && !holds(l, it->content, w->holds)) ||
        (w->creator != NULL && !holds(l, it->content, w->creator)) ||
        (w->text != NULL && !text_found(l, it->content, w->text)) ||
        (w->f.revoked && !l->m.contents[it->content].revoked))
        return false;
    return (w->f.since_us == 0 || us >= w->f.since_us) &&
           (w->f.until_us == 0 || us <= w->f.until_us);
}

static void
look_search(struct leak *l, const struct m_asker *k, struct m_item *room)
{
    int n = m_list(&l->m, k, 0, -1, M_LAST, 0, room), count = 0;
    struct ask q = {.verb = one_in(l, 4) ? ASK_LATEST : ASK_SEARCH};
    struct wish w = {.label = -1};

    if (q.verb == ASK_SEARCH) {
        w = any_wish(l, room, n);
        q.f = w.f;
        n = m_list(&l->m, k, w.group, w.label, M_LAST, 0, room);
    }
    for (int i = 0; i < n; i++) {
        if (granted_wish(l, &w, &room[i]))
            room[count++] = room[i];
    }
    look_newest_first(room, count);
    hunt(l, k, q, room, count,
         arena_printf(l->w->a,
                      "search type %s text %s holds %s id %s label %d group %d since %lld "
                      "until %lld revoked %d creator %s nothing %d",
                      w.type, w.text, w.holds, w.id, w.label, w.group, (long long)w.f.since_us,
                      (long long)w.f.until_us, w.f.revoked, w.creator, w.nothing));
}

/* -- export, counts -------------------------------------------------------------------------------
 */

static void
look_export(struct leak *l, const struct m_asker *asker, struct m_item *room)
{
    struct m_asker k = *asker;
    struct ask q = {.verb = ASK_EXPORT};
    int n, at_item = 0;

    if (k.channel != M_BY_LOCAL)
        k.channel = M_BY_EXPORT;
    n = m_list(&l->m, &k, 0, -1, M_LAST, 0, room);
    for (bool more = true; more;) {
        const struct json *o;

        q.q.limit = 1 + below(l, 300);
        q.q.given |= TAXII_P_LIMIT;
        o = leak_ask(l, asker, &q);
        if (o == NULL)
            look_fail(l, asker, "export", arena_dup(l->w->a, l->w->last.text));
        for (const struct json *x = at(o, "objects")->child; x != NULL; x = x->next, at_item++) {
            struct buf b;

            buf_init(&b, 1u << 20);
            json_canonical(x, &b);
            if (at_item >= n || !span_is(buf_view(&b), look_text(l, room[at_item].content)))
                look_fail(l, asker, "export", arena_dup(l->w->a, buf_view(&b)));
            buf_clear(&b);
        }
        more = at(o, "more")->boolean;
        q.q.next = span_of(text_at(l->w, o, "next"));
        q.q.given |= TAXII_P_NEXT;
    }
    if (at_item != n)
        look_fail(l, asker, "export", "something is not there");
}

/* Of each audience its ids with versions, and its contents without. */
static bool
counts_here(struct leak *l, const struct m_asker *k, int row)
{
    const struct m_row *r = &l->m.rows[row];
    const struct m_content *c = &l->m.contents[r->content];
    int64_t us;

    if (r->erase || !m_date(&l->m, k, r, &us))
        return false;
    for (int i = l->m.ids[c->id].first; i != 0; i = l->m.rows[i - 1].next) {
        const struct m_row *o = &l->m.rows[i - 1];

        if (o->erase || i - 1 == row || !m_same(&o->aud, &r->aud) || !m_date(&l->m, k, o, &us))
            continue;
        if (c->versioned && l->m.contents[o->content].versioned &&
            (m_rank(&l->m, o, r) > 0 || (m_rank(&l->m, o, r) == 0 && i - 1 < row)))
            return false;
    }
    return true;
}

static void
look_counts(struct leak *l, const struct m_asker *k)
{
    static const char *const types[] = {"malware", "report", "marking-definition"};
    struct ask q = {.verb = ASK_COUNTS};
    const struct json *o = leak_ask(l, k, &q);
    int64_t total = 0, label[5] = {0}, type[3] = {0};

    assert_non_null(o);
    for (int i = 0; i < l->m.row_n; i++) {
        if (!counts_here(l, k, i))
            continue;
        total++;
        label[l->m.rows[i].aud.label]++;
        for (int t = 0; t < 3; t++)
            type[t] += look_is_type(l, l->m.rows[i].content, types[t]);
    }
    if (int_at(o, "total") != total)
        look_fail(l, k, "counts",
                  arena_printf(l->w->a, "%lld wanted, got %.*s", (long long)total,
                               (int)l->w->last.body.n, l->w->last.body.p));
    for (int i = 0; i < 5; i++) {
        if (json_get(at(o, "labels"), labels[i])->number != (double)label[i])
            look_fail(l, k, "counts", labels[i]);
    }
    for (int i = 0; i < 3; i++) {
        const struct json *n = json_get(at(o, "types"), types[i]);

        if ((n != NULL ? n->number : 0) != (double)type[i])
            look_fail(l, k, "counts", types[i]);
    }
}

/* -- one object -----------------------------------------------------------------------------------
 */

/* What names id, of what the reader sees, newest first. */
static int
naming(struct leak *l, const struct m_asker *k, int id, struct m_item *out)
{
    int n = m_list(&l->m, k, 0, -1, M_LAST, 0, out), count = 0;

    for (int i = 0; i < n; i++) {
        const struct m_content *c = &l->m.contents[out[i].content];
        bool names = false;

        for (int j = 0; j < c->ref_n; j++)
            names = names || c->refs[j] == id;
        if (names)
            out[count++] = out[i];
    }
    look_newest_first(out, count);
    return count;
}

/* A relation shows the row of its other end where the reader sees that, else nothing of it. */
static void
check_relation(struct leak *l, const struct m_asker *k, const struct json *r)
{
    int other = leak_id(l, text_at(l->w, r, "id"));

    if ((json_get(r, "row") != NULL) != m_sees(&l->m, k, 0, other))
        look_fail(l, k, "related", l->m.ids[other].text);
}

static void
look_related(struct leak *l, const struct m_asker *k, int id, struct m_item *room)
{
    struct ask q = {.verb = ASK_RELATED, .id = span_of(l->m.ids[id].text)};
    int n = naming(l, k, id, room), at_item = 0;
    bool sees = m_sees(&l->m, k, 0, id);

    for (bool more = true; more;) {
        const struct json *o, *list;

        q.q.limit = 1 + below(l, 10);
        q.q.given |= TAXII_P_LIMIT;
        o = leak_ask(l, k, &q);
        if (!sees) {
            if (o != NULL)
                look_fail(l, k, "related", "of something hidden");
            look_absent(l, k, &q, "related");
            return;
        }
        if (o == NULL)
            look_fail(l, k, "related", arena_dup(l->w->a, l->w->last.text));
        list = at(o, "relations");
        for (const struct json *r = list->child; r != NULL; r = r->next) {
            const char *by = text_at(l->w, r, "by"), *direct = text_at(l->w, r, "id");
            bool incoming = *by != '\0' || strcmp(text_at(l->w, r, "direction"), "in") == 0;

            check_relation(l, k, r);
            if (!incoming)
                continue;
            if (at_item >= n ||
                strcmp(*by != '\0' ? by : direct, look_id(l, room[at_item].content)) != 0)
                look_fail(l, k, "related", *by != '\0' ? by : direct);
            at_item++;
        }
        more = at(o, "more")->boolean;
        q.q.next = span_of(text_at(l->w, o, "next"));
        q.q.given |= TAXII_P_NEXT;
    }
    if (at_item != n)
        look_fail(l, k, "related", l->m.ids[id].text);
}

/* The publications of an id that the reader sees, by their dates. */
static int
shown(struct leak *l, const struct m_asker *k, int id, struct m_item *out)
{
    int n = 0;

    for (int i = l->m.ids[id].first; i != 0; i = l->m.rows[i - 1].next) {
        const struct m_row *r = &l->m.rows[i - 1];
        int64_t us;

        if (!r->erase && m_date(&l->m, k, r, &us))
            out[n++] = (struct m_item){r->content, i - 1, us, us};
    }
    look_newest_first(out, n);
    return n;
}

static void
look_show(struct leak *l, const struct m_asker *k, int id, struct m_item *room)
{
    struct ask q = {.verb = ASK_SHOW, .id = span_of(l->m.ids[id].text)};
    const struct json *o = leak_ask(l, k, &q), *list;
    int n = shown(l, k, id, room);

    if (n == 0) {
        if (o != NULL)
            look_fail(l, k, "show", "something hidden");
        look_absent(l, k, &q, "show");
        return;
    }
    list = at(o, "audiences");
    if (list == NULL || (int)list->count != n)
        look_fail(l, k, "show", arena_dup(l->w->a, l->w->last.body));
    for (const struct json *a = list->child; a != NULL; a = a->next) {
        const struct m_item *it = &room[--n];
        const struct m_aud *aud = &l->m.rows[it->row].aud;

        if (!span_is(json_text(a, "label"), labels[aud->label]) ||
            !span_is(json_text(a, "group"), group_text(l, aud)) ||
            !span_is(json_text(a, "date_added"), look_time(l, it->plain_us)))
            look_fail(l, k, "show", arena_dup(l->w->a, l->w->last.body));
    }
    n = m_list_id(&l->m, k, 0, -1, M_EVERY, 0, id, room);
    if ((int)at(o, "versions")->count != n)
        look_fail(l, k, "show",
                  arena_printf(l->w->a, "%d versions wanted: %.*s", n, (int)l->w->last.body.n,
                               l->w->last.body.p));
    for (const struct json *r = at(o, "relations")->child; r != NULL; r = r->next)
        check_relation(l, k, r);
}

/* What was withdrawn and the operator would read: nobody else is told. */
static int
withdrawn(struct leak *l, const struct m_asker *k, int id)
{
    int n = 0;

    if (k->who != PRINCIPAL_OPERATOR)
        return 0;
    for (int i = l->m.ids[id].first; i != 0; i = l->m.rows[i - 1].next)
        n += l->m.rows[i - 1].erase && m_reads(&l->m, k, &l->m.rows[i - 1].aud);
    return n;
}

static void
look_log(struct leak *l, const struct m_asker *k, int id, struct m_item *room)
{
    struct ask q = {.verb = ASK_LOG, .id = span_of(l->m.ids[id].text)};
    const struct json *o;
    int n = shown(l, k, id, room) + 2 * withdrawn(l, k, id); /* that it came, and that it went */

    o = leak_ask(l, k, &q);
    if (n == 0) {
        if (o != NULL)
            look_fail(l, k, "log", "of something hidden");
        look_absent(l, k, &q, "log");
    } else if (o == NULL || (int)at(o, "events")->count != n) {
        look_fail(l, k, "log",
                  arena_printf(l->w->a, "%d events wanted: %.*s", n, (int)l->w->last.body.n,
                               l->w->last.body.p));
    }
}

/* -- who and why ----------------------------------------------------------------------------------
 */

static bool
is_staff_here(struct leak *l, const struct m_asker *k)
{
    struct m_who p;

    if (k->who == PRINCIPAL_OPERATOR)
        return true;
    return k->who != PRINCIPAL_NOBODY && m_in_force(&l->m, k->who, &p) && p.org == ORG_SELF &&
           p.staff;
}

static bool
reads_alone(struct leak *l, int who, const struct m_aud *a)
{
    struct m_asker k = leak_asker(l, who, a->exercise, M_RED);

    return m_reads(&l->m, &k, a);
}

static void
check_principals(struct leak *l, const struct m_asker *k, const struct json *entry,
                 const struct m_aud *a)
{
    const struct json *list = at(entry, "principals");
    unsigned want = 0;

    for (int p = 1; p <= l->people_n; p++) {
        bool listed = false;

        for (const struct json *x = list->child; x != NULL; x = x->next)
            listed = listed || span_is(json_text(x, "name"), l->people[p].name);
        want += reads_alone(l, p, a);
        if (listed != reads_alone(l, p, a))
            look_fail(l, k, "who", l->people[p].name);
    }
    assert_int_equal(list->count, want);
}

static void
look_who(struct leak *l, const struct m_asker *k, int id, struct m_item *room)
{
    struct ask q = {.verb = ASK_WHO, .id = span_of(l->m.ids[id].text)};
    const struct json *o = leak_ask(l, k, &q);
    int n = shown(l, k, id, room), gone = withdrawn(l, k, id);

    if (!is_staff_here(l, k)) {
        if (o != NULL || l->w->last.status != ERR_DENIED)
            look_fail(l, k, "who", "is not refused");
        return;
    }
    if (n + gone == 0) {
        if (o != NULL)
            look_fail(l, k, "who", "of something hidden");
        look_absent(l, k, &q, "who");
        return;
    }
    if (o == NULL)
        look_fail(l, k, "who", arena_dup(l->w->a, l->w->last.text));
    if (gone > 0 ? (int)at(o, "withdrawn")->count != gone
                 : at(o, "withdrawn") != NULL && at(o, "withdrawn")->count > 0)
        look_fail(l, k, "who", "what was withdrawn");
    for (const struct json *e = at(o, "audiences")->child; e != NULL; e = e->next) {
        const struct m_aud *a = NULL;
        bool two = false; /* generations of one group, which look the same here */

        for (int i = 0; i < n; i++) {
            const struct m_aud *x = &l->m.rows[room[i].row].aud;

            if (!span_is(json_text(e, "label"), labels[x->label]) ||
                !span_is(json_text(e, "group"), group_text(l, x)))
                continue;
            two = two || (a != NULL && !m_same(a, x));
            a = x;
        }
        if (a == NULL)
            look_fail(l, k, "who", arena_dup(l->w->a, l->w->last.body));
        if (!two)
            check_principals(l, k, e, a);
    }
}

static void
look_why(struct leak *l, const struct m_asker *k, int id, struct m_item *room)
{
    int p = 3 + (int)below(l, (unsigned)l->people_n - 2);
    struct ask q = {
        .verb = ASK_WHY, .id = span_of(l->m.ids[id].text), .text = span_of(l->people[p].name)};
    const struct json *o = leak_ask(l, k, &q);
    int n = shown(l, k, id, room);
    bool sees = false;

    if (k->who != PRINCIPAL_OPERATOR) {
        if (o != NULL || l->w->last.status != ERR_DENIED)
            look_fail(l, k, "why", "is not refused");
        return;
    }
    if (n == 0) {
        assert_null(o);
        look_absent(l, k, &q, "why");
        return;
    }
    for (int i = 0; i < n; i++)
        sees = sees || reads_alone(l, p, &l->m.rows[room[i].row].aud);
    if (o == NULL || at(o, "sees")->boolean != sees)
        look_fail(l, k, "why", l->people[p].name);
}

/* -- what is not for everybody --------------------------------------------------------------------
 */

static void
look_denied(struct leak *l, const struct m_asker *k)
{
    static const enum ask_verb verbs[] = {ASK_BATCHES, ASK_PENDING, ASK_LIST, ASK_AUDIT};
    struct m_who p;
    bool admin =
        k->who == PRINCIPAL_OPERATOR ||
        (k->who != PRINCIPAL_NOBODY && m_in_force(&l->m, k->who, &p) && (p.roles & M_ADMIN) != 0);

    for (size_t i = 0; i < 4; i++) {
        struct ask q = {.verb = verbs[i], .text = SPAN("users")};
        bool may = i < 2 ? k->who == PRINCIPAL_OPERATOR : admin;
        const struct json *o = leak_ask(l, k, &q);

        if (may ? o == NULL : o != NULL || l->w->last.status != ERR_DENIED)
            look_fail(l, k, "settings", may ? "refused" : "not refused");
    }
}

/* A batch is reported to the operator, and to its poster who is staff; for others it never was. */
static void
look_report(struct leak *l, const struct m_asker *k)
{
    const struct m_row *r = &l->m.rows[below(l, (unsigned)l->m.row_n)];
    struct ask q = {.verb = ASK_REPORT, .number = r->batch};
    bool mine = k->who == PRINCIPAL_OPERATOR || (r->who == k->who && is_staff_here(l, k));
    struct span text;
    const struct json *o;

    if (r->batch == 0 || r->who == 0)
        return;
    o = leak_ask(l, k, &q);
    if (mine != (o != NULL))
        look_fail(l, k, "report", mine ? "is refused" : "of another's batch");
    if (mine)
        return;
    text = arena_span(l->w->a, l->w->last.text);
    q.number = 1000000;
    assert_null(leak_ask(l, k, &q));
    assert_int_equal(l->w->last.status, ERR_MISSING);
    assert_true(span_eq(text, l->w->last.text));
}

/* -- the whole ------------------------------------------------------------------------------------
 */

void
look_object(struct leak *l, const struct m_asker *k, int id, struct m_item *room)
{
    switch (below(l, 5)) {
    case 0:
        look_related(l, k, id, room);
        break;
    case 1:
        look_show(l, k, id, room);
        break;
    case 2:
        look_log(l, k, id, room);
        break;
    case 3:
        look_who(l, k, id, room);
        break;
    default:
        look_why(l, k, id, room);
        break;
    }
}

void
look_finds(struct leak *l, const struct m_asker *k, struct m_item *room)
{
    for (unsigned i = 0; i < 4; i++)
        look_search(l, k, room);
    look_export(l, k, room);
    look_counts(l, k);
    look_denied(l, k);
    look_report(l, k);
}
