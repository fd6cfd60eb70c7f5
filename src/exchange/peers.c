/* exchange/peers.c - what stands here, for questions of the protocol. */
#include <assert.h>
#include <string.h>

#include "mem.h"
#include "store_sync.h"
#include "peers.h"

#define TREES_ARENA (16u << 20)

/* -- streams -------------------------------------------------------------------------------------
 */

int
peers_stream(const struct store_stream *t, struct arena *a, struct sync_stream *out, struct err *e)
{
    struct sync_stream s = {.id = t->id,
                            .name = t->name,
                            .have = t->size,
                            .root = t->root,
                            .settled = t->settled,
                            .frozen = t->frozen,
                            .frozen_at = t->frozen_at,
                            .evidence = t->evidence};

    if (t->head.n == 0) {
        s.head.stream = t->id; /* of two histories alone is known */
        s.have = 0;
        *out = s;
        return t->frozen;
    }
    if (head_decode(t->head, &s.head, e) != 0)
        return -1;
    if (t->own && s.have > s.head.size) { /* the rest waits for its signature */
        s.settled = s.settled < s.head.size ? s.settled : s.head.size;
        s.have = s.head.size;
        s.root = s.head.root;
    }
    if (t->links.n > 0 && sync_links_decode(t->links, s.have, a, &s.links, &s.link_n, e) != 0)
        return err_set(e, ERR_CORRUPT, "the proofs of a stream cannot be read");
    *out = s;
    return 1;
}

struct each {
    sync_stream_fn *fn;
    void *arg;
    struct arena *a;
};

static int
each_stream(void *ctx, const struct store_stream *t, struct err *e)
{
    struct each *x = ctx;
    struct sync_stream s;
    int rc = peers_stream(t, x->a, &s, e);

    return rc <= 0 ? rc : x->fn(x->arg, &s, e);
}

static int
streams(void *ctx, sync_stream_fn *fn, void *arg, struct arena *a, struct err *e)
{
    struct peers *p = ctx;
    struct each x = {fn, arg, a};

    return store_stream_each(p->x->store, each_stream, &x, e);
}

static int
stream(void *ctx, const struct hash *id, struct arena *a, struct sync_stream *out, struct err *e)
{
    struct peers *p = ctx;
    struct store_stream t;
    int rc = store_stream_get(p->x->store, id, 0, a, &t, e);

    return rc <= 0 ? rc : peers_stream(&t, a, out, e);
}

/* 1 and its number, or 0. */
static int
number_of(struct peers *p, const struct hash *id, uint32_t *out, struct err *e)
{
    struct store_stream t;
    int rc;

    if (p->last_number != 0 && hash_eq(&p->last_id, id)) {
        *out = p->last_number;
        return 1;
    }
    rc = store_stream_get(p->x->store, id, 0, p->trees, &t, e);
    *out = rc == 1 ? t.number : 0;
    if (rc == 1) {
        p->last_id = *id;
        p->last_number = t.number;
    }
    return rc;
}

static int
leaves(void *ctx, const struct hash *id, struct merkle_source *out, struct err *e)
{
    struct peers *p = ctx;
    uint32_t n;
    int rc = number_of(p, id, &n, e);

    if (rc <= 0)
        return rc < 0 ? -1 : err_set(e, ERR_MISSING, "there is no such stream");
    return store_stream_source(p->x->store, n, p->trees, out, e);
}

static int
entry(void *ctx, const struct hash *id, uint64_t i, bool body, struct arena *a,
      struct sync_entry *out, struct err *e)
{
    struct peers *p = ctx;
    struct store_entry x;
    uint32_t n;
    int rc = number_of(p, id, &n, e);

    if (rc == 1)
        rc = store_entry_get(p->x->store, n, i, body, a, &x, e);
    if (rc <= 0)
        return rc;
    *out = (struct sync_entry){.bare = x.bare, .d = x.d};
    if (x.bare)
        return 1;
    memcpy(out->salt, x.salt, sizeof out->salt);
    out->header = x.header;
    out->has_body = body && x.has_body;
    out->body = x.body;
    return 1;
}

/* -- what is offered beside heads ----------------------------------------------------------------
 */

struct gather { /* copied first: no call of the store may stand inside another */
    struct arena *a;
    struct store_said *list;
    size_t n, cap;
};

static int
gather_one(void *ctx, const struct store_said *said, struct err *e)
{
    struct gather *g = ctx;

    if (g->n == g->cap) {
        const size_t cap = g->cap == 0 ? 64 : 2 * g->cap;
        struct store_said *more = mem_resize(g->list, cap * sizeof *more);

        if (more == NULL)
            return err_set(e, ERR_MEMORY, "no memory for an offer");
        g->list = more;
        g->cap = cap;
    }
    g->list[g->n] = *said;
    g->list[g->n].name = arena_span(g->a, said->name);
    g->list[g->n].content = arena_span(g->a, said->content);
    return g->list[g->n++].content.p != NULL ? 0 : err_set(e, ERR_MEMORY, "no memory for an offer");
}

/* The audience that a version of a group is of: its name holds group and generation. */
static int
audience_of(const struct store_said *said, struct arena *a, struct stream_name *out, struct err *e)
{
    char *text = arena_alloc(a, GROUP_TEXT + 1);

    if (text == NULL || said->name.n < GROUP_ID_BYTES + CIRCLE_GENERATION_BYTES)
        return err_set(e, ERR_CORRUPT, "a version of a group without its name");
    group_text((const uint8_t *)said->name.p, text);
    out->group = span_from(text, GROUP_TEXT);
    memcpy(out->generation, said->name.p + GROUP_ID_BYTES, CIRCLE_GENERATION_BYTES);
    return 0;
}

static const struct {
    unsigned said;
    enum sync_kind kind;
} offered_kinds[] = {{SYNC_REGION, SYNC_REGION},
                     {SYNC_CIRCLE, SYNC_CIRCLE},
                     {SYNC_OUT, SYNC_OUT},
                     {SYNC_ERASE, SYNC_ERASE},
                     {SAID_OWN_RECEIPT, SYNC_RECEIPT}};

static int
controls(void *ctx, sync_control_fn *fn, void *arg, struct arena *a, struct err *e)
{
    struct peers *p = ctx;
    struct gather g = {.a = a};
    int rc = 0;

    for (size_t k = 0; rc == 0 && k < sizeof offered_kinds / sizeof offered_kinds[0]; k++)
        rc = store_said_each(p->x->store, offered_kinds[k].said, gather_one, &g, e);
    for (size_t i = 0; rc == 0 && i < g.n; i++) {
        const struct store_said *said = &g.list[i];
        struct sync_control c = {
            .kind = said->kind == SAID_OWN_RECEIPT ? SYNC_RECEIPT : (enum sync_kind)said->kind,
            .name = said->name,
            .content = said->content,
            .stream = said->stream,
            .index = said->entry,
            .member = said->member};

        if (c.kind == SYNC_CIRCLE)
            rc = audience_of(said, a, &c.audience, e);
        if (rc == 0)
            rc = fn(arg, &c, e);
    }
    mem_free(g.list);
    return rc;
}

/* -- who is in what ------------------------------------------------------------------------------
 */

static int
standing(void *ctx, const struct stream_name *audience, const struct uuid *member,
         struct member_standing *out, struct err *e)
{
    const struct membership *m = members_now(((struct peers *)ctx)->x, e);

    return m == NULL ? -1 : membership_standing(m, audience, member, out);
}

static bool
in_region(void *ctx, const struct uuid *member)
{
    const struct membership *m = members_now(((struct peers *)ctx)->x, NULL);

    return m != NULL && membership_in_region(m, member);
}

static int
key_of(void *ctx, const struct uuid *member, struct sign_public *out, struct err *e)
{
    const struct membership *m = members_now(((struct peers *)ctx)->x, e);
    const struct region_member *r = m != NULL ? membership_member(m, member) : NULL;

    if (m == NULL)
        return -1;
    if (r != NULL)
        *out = r->key;
    return r != NULL;
}

static int
final(void *ctx, const struct hash *id, uint64_t *size, struct err *e)
{
    struct peers *p = ctx;
    const struct membership *m = members_now(p->x, e);
    struct store_stream t;
    int rc = m == NULL ? -1 : store_stream_get(p->x->store, id, 0, p->trees, &t, e);

    return rc <= 0 ? rc : membership_final(m, &t.name, id, size);
}

static int
receipt_of(void *ctx, const struct hash *id, const struct uuid *member, uint64_t *size,
           struct err *e)
{
    struct peers *p = ctx;
    uint8_t name[HASH_BYTES + 16];
    struct store_said said;
    struct receipt r;
    int rc;

    memcpy(name, id->b, HASH_BYTES);
    memcpy(name + HASH_BYTES, member->b, 16);
    rc =
        store_said_get(p->x->store, SYNC_RECEIPT, span_from(name, sizeof name), p->trees, &said, e);
    if (rc <= 0)
        return rc;
    if (receipt_decode(said.content, &r, e) != 0)
        return -1;
    *size = r.size;
    return 1;
}

static uint32_t
region_version(void *ctx)
{
    const struct membership *m = members_now(((struct peers *)ctx)->x, NULL);

    return m == NULL || m->chain_n == 0 ? 0 : (uint32_t)m->chain[m->chain_n - 1].version;
}

/* -- what is known of a peer ---------------------------------------------------------------------
 */

static int
mirror_keys(void *ctx, const struct uuid *peer, struct arena *a, struct sync_pair **out, size_t *n,
            struct err *e)
{
    struct peers *p = ctx;
    struct store_pair *list;

    static_assert(sizeof *list == sizeof **out, "both are a key and a print");
    if (store_mirror_list(p->x->store, peer, a, &list, n, e) != 0)
        return -1;
    *out = arena_zero(a, *n + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a peer");
    for (size_t i = 0; i < *n; i++) {
        memcpy((*out)[i].key.b, list[i].key, SYNC_KEY_BYTES);
        memcpy((*out)[i].print.b, list[i].print, SYNC_PRINT_BYTES);
    }
    return 0;
}

static int
peer(void *ctx, const struct uuid *who, struct sync_epoch *epoch, uint64_t *cursor,
     struct hash *digest, struct err *e)
{
    struct peers *p = ctx;
    struct store_peer x = {0};
    struct sync_pair *pairs;
    size_t n;
    int rc = store_peer_get(p->x->store, who, p->trees, &x, e);

    if (rc < 0 || mirror_keys(p, who, p->trees, &pairs, &n, e) != 0)
        return -1;
    memcpy(epoch->b, x.epoch, sizeof epoch->b);
    *cursor = x.cursor;
    sync_digest(pairs, n, digest);
    return 1;
}

struct offers {
    struct arena *a;
    struct store_offered *list;
    size_t n, cap;
};

static int
gather_offer(void *ctx, const struct store_offered *o, struct err *e)
{
    struct offers *x = ctx;

    if (x->n == x->cap) {
        const size_t cap = x->cap == 0 ? 64 : 2 * x->cap;
        struct store_offered *more = mem_resize(x->list, cap * sizeof *more);

        if (more == NULL)
            return err_set(e, ERR_MEMORY, "no memory for a peer");
        x->list = more;
        x->cap = cap;
    }
    x->list[x->n] = *o;
    x->list[x->n].content = arena_span(x->a, o->content);
    return x->list[x->n++].content.p != NULL ? 0 : err_set(e, ERR_MEMORY, "no memory for a peer");
}

static int
offered(void *ctx, const struct uuid *who, sync_offered_fn *fn, void *arg, struct arena *a,
        struct err *e)
{
    struct peers *p = ctx;
    struct offers x = {.a = a};
    int rc = store_offered_each(p->x->store, who, gather_offer, &x, e);

    for (size_t i = 0; rc == 0 && i < x.n; i++) {
        const struct store_offered *s = &x.list[i];
        struct sync_offered o = {.stream = s->stream, .asked = s->asked, .refused = s->refused};
        struct sync_head_item h;

        memcpy(o.key.b, s->key, SYNC_KEY_BYTES);
        rc = sync_head_item_decode(s->content, &h, e);
        if (rc != 0)
            break;
        o.name = h.name;
        o.head = h.head;
        o.have = h.have;
        o.settled = h.settled;
        rc = fn(arg, &o, e);
    }
    mem_free(x.list);
    return rc;
}

static int
owed(void *ctx, const struct hash *id, size_t max, struct arena *a, uint64_t **out, size_t *n,
     struct err *e)
{
    struct peers *p = ctx;
    uint32_t number;
    int rc = number_of(p, id, &number, e);

    *n = 0;
    *out = NULL;
    if (rc <= 0)
        return rc;
    return store_owed(p->x->store, number, 0, max, a, out, n, e);
}

/* -- life ----------------------------------------------------------------------------------------
 */

static bool
recovering(void *ctx)
{
    return ((struct peers *)ctx)->x->recovering;
}

static uint64_t
changes(void *ctx)
{
    return store_changes(((struct peers *)ctx)->x->store);
}

static void
epoch_of(void *ctx, struct sync_epoch *out)
{
    *out = ((struct peers *)ctx)->epoch;
}

void
peers_free(struct peers *p)
{
    if (p == NULL)
        return;
    arena_free(p->trees);
    mem_free(p);
}

void
peers_rest(struct peers *p)
{
    arena_reset(p->trees);
}

struct peers *
peers_of(struct exchange *x, struct err *e)
{
    struct peers *p = x->peers;

    if (p != NULL)
        return p;
    p = mem_zero(1, sizeof *p);
    if (p == NULL || (p->trees = arena_new(TREES_ARENA)) == NULL) {
        mem_free(p);
        err_set(e, ERR_MEMORY, "no memory for peers");
        return NULL;
    }
    p->x = x;
    random_bytes(p->epoch.b, sizeof p->epoch.b);
    p->table = (struct replica){.ctx = p,
                                .me = x->identity,
                                .recovering = recovering,
                                .changes = changes,
                                .epoch = epoch_of,
                                .streams = streams,
                                .stream = stream,
                                .leaves = leaves,
                                .entry = entry,
                                .controls = controls,
                                .standing = standing,
                                .in_region = in_region,
                                .key_of = key_of,
                                .final = final,
                                .receipt = receipt_of,
                                .peer = peer,
                                .mirror_keys = mirror_keys,
                                .offered = offered,
                                .owed = owed,
                                .region_version = region_version};
    peers_take_table(&p->table);
    x->peers = p;
    return p;
}
