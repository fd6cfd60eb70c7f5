#include "toy.h"

#define CIRCLE_BYTES sizeof(struct t_version)

struct uuid
toy_uuid(int i)
{
    struct uuid u = {{0}};

    u.b[15] = (uint8_t)(i + 1);
    return u;
}

static int
toy_of(const struct uuid *u)
{
    for (int i = 0; i < TOYS; i++) {
        struct uuid x = toy_uuid(i);

        if (memcmp(x.b, u->b, sizeof x.b) == 0)
            return i;
    }
    return -1;
}

void
toy_fill(struct check_random *r, void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)p)[i] = (uint8_t)check_next(r);
}

struct stream_name
toy_name(const struct t_stream *s, char group[32])
{
    struct stream_name n = {.publisher = toy_uuid(s->publisher), .label = s->a.label};

    memcpy(n.incarnation, s->incarnation, sizeof n.incarnation);
    memcpy(n.generation, s->a.generation, sizeof n.generation);
    if (s->a.group == 0)
        snprintf(group, 32, "region");
    else
        snprintf(group, 32, "group:%d", s->a.group);
    n.group = span_of(group);
    return n;
}

static int
group_of(struct span text)
{
    return span_is(text, "region") ? 0 : text.p[text.n - 1] - '0';
}

struct t_stream *
toy_stream(struct toy *t, const struct hash *id)
{
    for (size_t i = 0; i < t->s->stream_n; i++) {
        if (hash_eq(&t->s->streams[i].id, id))
            return &t->s->streams[i];
    }
    return NULL;
}

static int
leaf_of(void *arg, uint64_t i, struct hash *out, struct err *e)
{
    const struct t_stream *s = arg;

    (void)e;
    assert_true(i < s->have);
    entry_leaf(&s->e[i].d, out);
    return 0;
}

void
toy_root(const struct t_stream *s, uint64_t n, struct hash *out)
{
    struct merkle_source src = {(void *)(uintptr_t)s, leaf_of, NULL};

    assert_int_equal(merkle_root(&src, n, out, NULL), 0);
}

const struct t_version *
toy_version(const struct toy *t, int group, const uint8_t *generation)
{
    const struct t_version *best = NULL;

    for (size_t i = 0; i < t->s->version_n; i++) {
        const struct t_version *v = &t->s->versions[i];

        if (v->group == group && memcmp(v->generation, generation, sizeof v->generation) == 0 &&
            (best == NULL || v->order > best->order))
            best = v;
    }
    return best;
}

const struct t_version *
toy_group(const struct toy *t, int group)
{
    const struct t_version *best = NULL;

    for (size_t i = 0; i < t->s->version_n; i++) {
        const struct t_version *v = &t->s->versions[i];

        if (v->group == group && (best == NULL || v->order > best->order))
            best = v;
    }
    return best;
}

/* -- what the protocol reads -- */

static bool
recovering(void *ctx)
{
    return ((struct toy *)ctx)->recovering;
}

static uint64_t
changes(void *ctx)
{
    return ((struct toy *)ctx)->changes;
}

static void
epoch(void *ctx, struct sync_epoch *out)
{
    *out = ((struct toy *)ctx)->epoch;
}

static int
show(const struct t_stream *s, struct arena *a, struct sync_stream *out)
{
    char *group = arena_alloc(a, 32);
    struct sync_stream x = {.id = s->id,
                            .name = toy_name(s, group),
                            .head = s->head,
                            .have = s->have,
                            .links = s->links,
                            .link_n = s->link_n,
                            .frozen = s->frozen,
                            .frozen_at = s->frozen_at,
                            .evidence = {s->evidence, s->evidence_n}};

    toy_root(s, s->have, &x.root);
    for (uint64_t i = 0; i < s->have; i++)
        x.settled += s->e[i].bare || s->e[i].has_body || s->e[i].body_n == 0;
    *out = x;
    return 1;
}

static int
streams(void *ctx, sync_stream_fn *fn, void *arg, struct arena *a, struct err *e)
{
    struct toy *t = ctx;
    struct sync_stream s;
    int rc = 0;

    for (size_t i = 0; i < t->s->stream_n && rc == 0; i++) {
        show(&t->s->streams[i], a, &s);
        rc = fn(arg, &s, e);
    }
    return rc;
}

static int
stream(void *ctx, const struct hash *id, struct arena *a, struct sync_stream *out, struct err *e)
{
    struct t_stream *s = toy_stream(ctx, id);

    (void)e;
    return s == NULL ? 0 : show(s, a, out);
}

static int
leaves(void *ctx, const struct hash *id, struct merkle_source *out, struct err *e)
{
    (void)e;
    *out = (struct merkle_source){toy_stream(ctx, id), leaf_of, NULL};
    assert_non_null(out->arg);
    return 0;
}

static int
entry(void *ctx, const struct hash *id, uint64_t i, bool body, struct arena *a,
      struct sync_entry *out, struct err *e)
{
    struct t_stream *s = toy_stream(ctx, id);
    const struct t_entry *x = &s->e[i];

    (void)a;
    (void)e;
    if (i >= s->have)
        return 0;
    *out = (struct sync_entry){.bare = x->bare, .d = x->d};
    if (x->bare)
        return 1;
    memcpy(out->salt, x->salt, sizeof out->salt);
    out->header = (struct span){x->header, x->header_n};
    if (body && x->has_body) {
        out->has_body = true;
        out->body = (struct span){x->body, x->body_n};
    }
    return 1;
}

static int
version_controls(struct toy *t, sync_control_fn *fn, void *arg, struct err *e)
{
    for (size_t i = 0; i < t->s->version_n; i++) {
        const struct t_version *v = &t->s->versions[i];
        char group[32];
        struct t_stream of = {.a.group = v->group};
        struct sync_control c = {.kind = SYNC_CIRCLE, .content = span_from(v, sizeof *v)};

        memcpy(of.a.generation, v->generation, sizeof v->generation);
        c.audience = toy_name(&of, group);
        c.name = span_from(v, offsetof(struct t_version, members));
        if (fn(arg, &c, e) != 0)
            return -1;
    }
    return 0;
}

static int
own_receipts(struct toy *t, sync_control_fn *fn, void *arg, struct err *e)
{
    for (size_t i = 0; i < t->s->stream_n; i++) {
        const struct t_stream *s = &t->s->streams[i];
        struct t_receipt r = {s->id, t->index, s->have};
        struct sync_control c = {.kind = SYNC_RECEIPT,
                                 .name = span_from(s->id.b, sizeof s->id.b),
                                 .content = span_from(&r, sizeof r),
                                 .stream = s->id,
                                 .member = toy_uuid(s->publisher)};

        if (s->publisher != t->index && s->have > 0 && fn(arg, &c, e) != 0)
            return -1;
    }
    return 0;
}

/* -1: nobody. */
static int
signer_of_notice(const struct toy *t, const struct erase_notice *n)
{
    for (int i = 0; i < TOYS; i++) {
        struct uuid who = toy_uuid(i);

        if (erase_notice_ok(n, &who, &t->all[i].key))
            return i;
    }
    return -1;
}

static int
controls(void *ctx, sync_control_fn *fn, void *arg, struct arena *a, struct err *e)
{
    struct toy *t = ctx;

    (void)a;
    for (size_t i = 0; i < t->s->notice_n; i++) {
        const struct erase_notice *n = &t->s->notices[i];
        struct sync_control c = {.kind = SYNC_ERASE,
                                 .name = span_from(n, offsetof(struct erase_notice, d)),
                                 .content = span_from(n, sizeof *n),
                                 .stream = n->stream,
                                 .index = n->index,
                                 .member = toy_uuid(signer_of_notice(t, n))};

        if (fn(arg, &c, e) != 0)
            return -1;
    }
    for (size_t i = 0; i < t->s->out_n; i++) {
        const struct t_out *o = &t->s->outs[i];
        struct sync_control c = {.kind = SYNC_OUT,
                                 .name = span_from(o, sizeof *o),
                                 .content = span_from(o, sizeof *o),
                                 .member = toy_uuid(o->member)};

        if (fn(arg, &c, e) != 0)
            return -1;
    }
    return version_controls(t, fn, arg, e) != 0 || own_receipts(t, fn, arg, e) != 0 ? -1 : 0;
}

static int
standing(void *ctx, const struct stream_name *audience, const struct uuid *member,
         struct member_standing *out, struct err *e)
{
    struct toy *t = ctx;
    int group = group_of(audience->group), who = toy_of(member);
    const struct t_version *newest = toy_version(t, group, audience->generation);

    (void)e;
    *out = (struct member_standing){0};
    if (group == 0) {
        out->now = out->ever = true;
        return 1;
    }
    if (newest == NULL)
        return 0;
    out->known = newest->order;
    out->now = newest->members >> who & 1;
    out->begins = UINT64_MAX;
    for (size_t i = 0; i < t->s->version_n; i++) {
        const struct t_version *v = &t->s->versions[i];

        if (v->group != group ||
            memcmp(v->generation, audience->generation, sizeof v->generation) != 0 ||
            !(v->members >> who & 1))
            continue;
        out->ever = true;
        if (v->order > out->last_in)
            out->last_in = v->order;
        if (v->order < out->begins)
            out->begins = v->order;
    }
    for (size_t i = 0; i < t->s->out_n; i++) {
        const struct t_out *o = &t->s->outs[i];

        if (o->group == group && o->member == who &&
            memcmp(o->generation, audience->generation, sizeof o->generation) == 0)
            out->now = false;
    }
    return 1;
}

static bool
in_region(void *ctx, const struct uuid *member)
{
    (void)ctx;
    return toy_of(member) >= 0;
}

static int
key_of(void *ctx, const struct uuid *member, struct sign_public *out, struct err *e)
{
    struct toy *t = ctx;
    int i = toy_of(member);

    (void)e;
    if (i < 0)
        return 0;
    *out = t->all[i].key;
    return 1;
}

bool
toy_final(const struct toy *t, const struct t_stream *s, uint64_t *size)
{
    const struct t_version *removes = NULL;
    bool was = false;

    for (size_t i = 0; i < t->s->version_n; i++) {
        const struct t_version *v = &t->s->versions[i];

        if (v->group != s->a.group || s->a.group == 0 ||
            memcmp(v->generation, s->a.generation, sizeof v->generation) != 0)
            continue;
        was = was || (v->members >> s->publisher & 1);
        if (!(v->members >> s->publisher & 1) && (removes == NULL || v->order < removes->order))
            removes = v;
    }
    if (removes == NULL || !was)
        return false;
    *size = 0;
    for (size_t i = 0; i < removes->final_n; i++) {
        if (hash_eq(&removes->finals[i].stream, &s->id))
            *size = removes->finals[i].size;
    }
    return true;
}

static int
final(void *ctx, const struct hash *id, uint64_t *size, struct err *e)
{
    struct t_stream *s = toy_stream(ctx, id);

    (void)e;
    return s != NULL && toy_final(ctx, s, size);
}

static int
receipt(void *ctx, const struct hash *id, const struct uuid *member, uint64_t *size, struct err *e)
{
    struct toy *t = ctx;

    (void)e;
    for (size_t i = 0; i < t->s->receipt_n; i++) {
        const struct t_receipt *r = &t->s->receipts[i];

        if (hash_eq(&r->stream, id) && r->by == toy_of(member)) {
            *size = r->size;
            return 1;
        }
    }
    return 0;
}

/* -- what is known of a peer -- */

static int
peer(void *ctx, const struct uuid *who, struct sync_epoch *ep, uint64_t *cursor,
     struct hash *digest, struct err *e)
{
    struct t_peer *p = &((struct toy *)ctx)->s->peers[toy_of(who)];

    (void)e;
    *ep = p->epoch;
    *cursor = p->cursor;
    sync_digest(p->mirror, p->n, digest);
    return 1;
}

static size_t
mirror_at(const struct t_peer *p, const struct sync_key *key)
{
    size_t i = 0;

    while (i < p->n && sync_key_cmp(&p->mirror[i].key, key) < 0)
        i++;
    return i;
}

static int
mirror_keys(void *ctx, const struct uuid *who, struct arena *a, struct sync_pair **out, size_t *n,
            struct err *e)
{
    struct t_peer *p = &((struct toy *)ctx)->s->peers[toy_of(who)];

    (void)e;
    *out = arena_zero(a, p->n + 1, sizeof **out);
    if (p->n > 0)
        memcpy(*out, p->mirror, p->n * sizeof **out);
    *n = p->n;
    return 0;
}

static int
offered(void *ctx, const struct uuid *who, sync_offered_fn *fn, void *arg, struct arena *a,
        struct err *e)
{
    struct t_peer *p = &((struct toy *)ctx)->s->peers[toy_of(who)];

    (void)a;
    for (size_t i = 0; i < p->offered_n; i++) {
        struct sync_offered o = p->offered[i].o;

        o.name.group = span_of(p->offered[i].group);
        if (fn(arg, &o, e) != 0)
            return -1;
    }
    return 0;
}

static int
owed(void *ctx, const struct hash *id, size_t max, struct arena *a, uint64_t **out, size_t *n,
     struct err *e)
{
    struct t_stream *s = toy_stream(ctx, id);

    (void)e;
    *out = arena_zero(a, T_ENTRIES + 1, sizeof **out);
    *n = 0;
    for (uint64_t i = 0; s != NULL && i < s->have && *n < max; i++) {
        if (!s->e[i].bare && !s->e[i].has_body && s->e[i].body_n > 0)
            (*out)[(*n)++] = i;
    }
    return 0;
}

static uint32_t
region_version(void *ctx)
{
    (void)ctx;
    return 1;
}

/* -- what is taken -- */

static int
begin(void *ctx, struct err *e)
{
    struct toy *t = ctx;

    (void)e;
    assert_false(t->open);
    *t->before = *t->s;
    t->open = true;
    return 0;
}

static int
commit(void *ctx, struct err *e)
{
    struct toy *t = ctx;

    (void)e;
    assert_true(t->open);
    t->open = false;
    t->changes++;
    return 0;
}

static void
undo(void *ctx)
{
    struct toy *t = ctx;

    if (t->open)
        *t->s = *t->before;
    t->open = false;
}

static int
take_version(struct toy *t, struct span content)
{
    struct t_version v;

    memcpy(&v, content.p, sizeof v);
    for (size_t i = 0; i < t->s->version_n; i++) {
        if (memcmp(&t->s->versions[i], &v, offsetof(struct t_version, members)) == 0)
            return 0;
    }
    assert_true(t->s->version_n < T_VERSIONS);
    t->s->versions[t->s->version_n++] = v;
    return 1;
}

static int
take_notice(struct toy *t, struct span content)
{
    struct erase_notice n;

    memcpy(&n, content.p, sizeof n);
    for (size_t i = 0; i < t->s->notice_n; i++) {
        if (hash_eq(&t->s->notices[i].stream, &n.stream) && t->s->notices[i].index == n.index)
            return 0;
    }
    assert_true(t->s->notice_n < T_NOTICES);
    t->s->notices[t->s->notice_n++] = n;
    toy_wipe(t);
    return 1;
}

static int
take_receipt(struct toy *t, struct span content)
{
    struct t_receipt r;

    memcpy(&r, content.p, sizeof r);
    for (size_t i = 0; i < t->s->receipt_n; i++) {
        struct t_receipt *x = &t->s->receipts[i];

        if (hash_eq(&x->stream, &r.stream) && x->by == r.by) {
            if (x->size < r.size)
                x->size = r.size;
            return 0;
        }
    }
    t->s->receipts[t->s->receipt_n++] = r;
    return 1;
}

static int
take_out(struct toy *t, struct span content)
{
    struct t_out o;

    memcpy(&o, content.p, sizeof o);
    for (size_t i = 0; i < t->s->out_n; i++) {
        if (memcmp(&t->s->outs[i], &o, sizeof o) == 0)
            return 0;
    }
    assert_true(t->s->out_n < T_VERSIONS);
    t->s->outs[t->s->out_n++] = o;
    return 1;
}

static int
take_control(void *ctx, enum sync_kind kind, const struct uuid *from, struct span content,
             struct err *e)
{
    static const size_t sizes[SYNC_KINDS] = {[SYNC_CIRCLE] = sizeof(struct t_version),
                                             [SYNC_ERASE] = sizeof(struct erase_notice),
                                             [SYNC_RECEIPT] = sizeof(struct t_receipt),
                                             [SYNC_OUT] = sizeof(struct t_out)};
    struct erase_notice n;

    (void)from;
    if (content.n != sizes[kind])
        return err_set(e, ERR_PROTOCOL, "an item of another length");
    switch (kind) {
    case SYNC_CIRCLE:
        return take_version(ctx, content);
    case SYNC_ERASE:
        memcpy(&n, content.p, sizeof n);
        return signer_of_notice(ctx, &n) >= 0 ? take_notice(ctx, content)
                                              : err_set(e, ERR_PROTOCOL, "a notice nobody signed");
    case SYNC_RECEIPT:
        return take_receipt(ctx, content);
    case SYNC_OUT:
        return take_out(ctx, content);
    default:
        return 0;
    }
}

static int
take_offered(void *ctx, const struct uuid *who, const struct sync_offered *o, struct err *e)
{
    struct t_peer *p = &((struct toy *)ctx)->s->peers[toy_of(who)];
    struct t_offered *x = NULL;

    (void)e;
    for (size_t i = 0; i < p->offered_n; i++) {
        if (hash_eq(&p->offered[i].o.stream, &o->stream))
            x = &p->offered[i];
    }
    if (x == NULL) {
        assert_true(p->offered_n < T_STREAMS);
        x = &p->offered[p->offered_n++];
        x->o.asked = 0;
    }
    {
        uint64_t asked = x->o.asked;

        x->o = *o;
        x->o.asked = asked;
    }
    snprintf(x->group, sizeof x->group, "%.*s", (int)o->name.group.n, o->name.group.p);
    return 0;
}

static int
drop_offered(void *ctx, const struct uuid *who, const struct sync_key *key, struct err *e)
{
    struct t_peer *p = &((struct toy *)ctx)->s->peers[toy_of(who)];

    (void)e;
    for (size_t i = 0; i < p->offered_n; i++) {
        if (sync_key_cmp(&p->offered[i].o.key, key) == 0) {
            p->offered[i] = p->offered[--p->offered_n];
            return 0;
        }
    }
    return 0;
}

static int
take_mirror(void *ctx, const struct uuid *who, const struct sync_key *key,
            const struct sync_print *print, struct err *e)
{
    struct t_peer *p = &((struct toy *)ctx)->s->peers[toy_of(who)];
    size_t i = mirror_at(p, key);
    bool there = i < p->n && sync_key_cmp(&p->mirror[i].key, key) == 0;

    (void)e;
    if (print == NULL) {
        if (there) {
            memmove(&p->mirror[i], &p->mirror[i + 1], (p->n - i - 1) * sizeof p->mirror[0]);
            p->n--;
        }
        return 0;
    }
    if (!there) {
        assert_true(p->n < T_ITEMS);
        memmove(&p->mirror[i + 1], &p->mirror[i], (p->n - i) * sizeof p->mirror[0]);
        p->n++;
    }
    p->mirror[i] = (struct sync_pair){*key, *print};
    return 0;
}

static int
take_peer(void *ctx, const struct uuid *who, const struct sync_epoch *ep, uint64_t cursor,
          struct err *e)
{
    struct t_peer *p = &((struct toy *)ctx)->s->peers[toy_of(who)];

    (void)e;
    p->epoch = *ep;
    p->cursor = cursor;
    return 0;
}

static struct sync_offered *
offered_of(void *ctx, const struct uuid *who, const struct hash *id)
{
    struct t_peer *p = &((struct toy *)ctx)->s->peers[toy_of(who)];

    for (size_t i = 0; i < p->offered_n; i++) {
        if (hash_eq(&p->offered[i].o.stream, id))
            return &p->offered[i].o;
    }
    return NULL;
}

static int
take_asked(void *ctx, const struct uuid *who, const struct hash *id, uint64_t settled,
           struct err *e)
{
    struct sync_offered *o = offered_of(ctx, who, id);

    (void)e;
    if (o != NULL)
        o->asked = settled;
    return 0;
}

static int
take_refused(void *ctx, const struct uuid *who, const struct hash *id, struct err *e)
{
    struct sync_offered *o = offered_of(ctx, who, id);

    (void)e;
    if (o != NULL)
        o->refused = true;
    return 0;
}

struct t_stream *
toy_stream_make(struct toy *t, const struct stream_name *name)
{
    struct t_stream *s = &t->s->streams[t->s->stream_n];

    assert_true(t->s->stream_n < T_STREAMS);
    memset(s, 0, sizeof *s);
    t->s->stream_n++;
    assert_int_equal(stream_id(name, &s->id, NULL), 0);
    s->publisher = toy_of(&name->publisher);
    memcpy(s->incarnation, name->incarnation, sizeof s->incarnation);
    s->a.group = group_of(name->group);
    memcpy(s->a.generation, name->generation, sizeof s->a.generation);
    s->a.label = name->label;
    s->head.stream = s->id;
    hash_sha256((struct span){0}, &s->head.root);
    return s;
}

void
toy_entry_wipe(struct t_entry *x)
{
    struct hash d = x->d;

    memset(x, 0, sizeof *x);
    x->d = d;
    x->bare = true;
}

static void
entry_take(struct toy *t, struct t_stream *s, const struct sync_entry *en)
{
    struct t_entry *x = &s->e[s->have];
    struct entry header;

    assert_true(s->have < T_ENTRIES);
    memset(x, 0, sizeof *x);
    x->d = en->d;
    x->bare = en->bare;
    if (!en->bare) {
        memcpy(x->salt, en->salt, sizeof x->salt);
        memcpy(x->header, en->header.p, en->header.n);
        x->header_n = en->header.n;
        assert_int_equal(entry_decode(en->header, &header, NULL), 0);
        x->body_n = header.kind == ENTRY_PUT ? header.size : 0;
        x->has_body = en->has_body && ++t->dropped % 3 != 0;
        if (x->has_body)
            memcpy(x->body, en->body.p, en->body.n);
        if (header.kind == ENTRY_ERASE && hash_eq(&s->e[header.target].d, &header.target_d))
            toy_entry_wipe(&s->e[header.target]);
    }
    s->have++;
}

static int
take_page(void *ctx, const struct sync_stream *page, const struct sync_entry *entries, size_t n,
          struct err *e)
{
    struct toy *t = ctx;
    struct t_stream *s = toy_stream(t, &page->id);
    struct hash root;

    (void)e;
    if (s == NULL)
        s = toy_stream_make(t, &page->name);
    for (size_t i = 0; i < n; i++)
        entry_take(t, s, &entries[i]);
    assert_int_equal(s->have, page->have);
    toy_root(s, s->have, &root);
    assert_true(hash_eq(&root, &page->root));
    s->head = page->head;
    s->link_n = page->link_n;
    for (size_t i = 0; i < page->link_n; i++)
        s->links[i] = page->links[i];
    toy_wipe(t);
    return 0;
}

static int
take_body(void *ctx, const struct hash *id, uint64_t index, struct span bytes, struct err *e)
{
    struct t_stream *s = toy_stream(ctx, id);
    struct t_entry *x = s != NULL && index < s->have ? &s->e[index] : NULL;
    struct entry header;
    struct hash h;

    (void)e;
    if (x == NULL || x->bare || x->has_body)
        return x != NULL; /* settled in between */
    assert_int_equal(entry_decode((struct span){x->header, x->header_n}, &header, NULL), 0);
    hash_sha256(bytes, &h);
    if (!hash_eq(&h, &header.bytes))
        return 0;
    memcpy(x->body, bytes.p, bytes.n);
    x->has_body = true;
    return 1;
}

static int
take_fork(void *ctx, const struct stream_name *name, uint64_t common, struct span evidence,
          struct err *e)
{
    struct toy *t = ctx;
    struct hash id;
    struct t_stream *s;

    (void)e;
    assert_int_equal(stream_id(name, &id, NULL), 0);
    s = toy_stream(t, &id);
    if (s == NULL)
        s = toy_stream_make(t, name);
    if (s->frozen && s->frozen_at <= common)
        return 0;
    assert_true(evidence.n <= sizeof s->evidence);
    s->frozen = true;
    s->frozen_at = common;
    memcpy(s->evidence, evidence.p, evidence.n);
    s->evidence_n = evidence.n;
    return 0;
}

static int
accuse(void *ctx, const struct uuid *who, const char *why, struct span evidence, struct err *e)
{
    struct toy *t = ctx;

    (void)who;
    (void)evidence;
    (void)e;
    t->accusations++;
    t->last_why = why;
    return 0;
}

/* -- life -- */

void
toy_server_new(struct toy *t)
{
    struct err e = ERR_INIT;

    sync_server_free(t->server);
    random_bytes(&t->epoch, sizeof t->epoch);
    t->server = sync_server_new(&t->r, &e);
    assert_non_null(t->server);
}

void
toys_new(struct toy *all, struct check_random *r)
{
    for (int i = 0; i < TOYS; i++) {
        struct toy *t = &all[i];
        struct key seed;

        *t = (struct toy){.index = i, .all = all};
        toy_fill(r, &seed, sizeof seed);
        sign_from_seed(&seed, &t->secret, &t->key);
        t->s = calloc(1, sizeof *t->s);
        t->before = calloc(1, sizeof *t->before);
        assert_true(t->s != NULL && t->before != NULL);
        toy_fill(r, t->s->incarnation, sizeof t->s->incarnation);
        t->r = (struct replica){.ctx = t,
                                .me = toy_uuid(i),
                                .page_bytes = 1024,
                                .recovering = recovering,
                                .changes = changes,
                                .epoch = epoch,
                                .streams = streams,
                                .stream = stream,
                                .leaves = leaves,
                                .entry = entry,
                                .controls = controls,
                                .standing = standing,
                                .in_region = in_region,
                                .key_of = key_of,
                                .final = final,
                                .receipt = receipt,
                                .peer = peer,
                                .mirror_keys = mirror_keys,
                                .offered = offered,
                                .owed = owed,
                                .region_version = region_version,
                                .begin = begin,
                                .commit = commit,
                                .undo = undo,
                                .take_control = take_control,
                                .take_offered = take_offered,
                                .drop_offered = drop_offered,
                                .take_mirror = take_mirror,
                                .take_peer = take_peer,
                                .take_asked = take_asked,
                                .take_refused = take_refused,
                                .take_page = take_page,
                                .take_body = take_body,
                                .take_fork = take_fork,
                                .accuse = accuse};
        toy_server_new(t);
    }
}

void
toys_free(struct toy *all)
{
    for (int i = 0; i < TOYS; i++) {
        sync_server_free(all[i].server);
        free(all[i].s);
        free(all[i].before);
    }
}
