/* exchange/peers_take.c - what an answer of a peer changes here. */
#include <string.h>

#include "batch.h"
#include "label.h"
#include "mem.h"
#include "peers.h"
#include "store_sync.h"

/* -- transactions --------------------------------------------------------------------------------
 */

static int
begin(void *ctx, struct err *e)
{
    struct peers *p = ctx;

    /* What others have put is not to be undone with this. */
    if (commit_flush(p->x, e) != 0)
        return -1;
    p->members_changed = false;
    return commit_begin(p->x, e);
}

static void
undo(void *ctx)
{
    struct peers *p = ctx;
    struct err why = ERR_INIT;

    if (!store_open_transaction(p->x->store))
        return;
    err_set(&why, ERR_CONFLICT, "a round was undone");
    commit_drop(p->x, &why);
    members_forget(p->x);
    p->last_number = 0; /* it may have been made in what is undone */
}

static int
commit(void *ctx, struct err *e)
{
    struct peers *p = ctx;

    if (p->members_changed && members_apply(p->x, e) != 0) {
        undo(p);
        return -1;
    }
    p->members_changed = false;
    members_forget(p->x);
    /* What comes next is looked at in a transaction of its own. */
    return commit_flush(p->x, e) != 0 ? -1 : commit_begin(p->x, e);
}

/* -- control items -------------------------------------------------------------------------------
 */

static int
lie(struct err *e, const char *text)
{
    return err_set(e, ERR_PROTOCOL, text);
}

/* Who has signed it: the stream's publisher, or where the stream is not known any member. */
static int
notice_signer(struct peers *p, const struct erase_notice *n, const struct store_stream *t,
              struct uuid *out, struct err *e)
{
    const struct membership *m = members_now(p->x, e);

    if (m == NULL)
        return -1;
    for (size_t v = m->chain_n; v-- > 0;) {
        const struct region *r = &m->chain[v];

        for (size_t i = 0; i < r->member_n; i++) {
            const struct region_member *x = &r->members[i];

            if (t != NULL && memcmp(x->id.b, t->name.publisher.b, sizeof x->id.b) != 0)
                continue;
            if (erase_notice_ok(n, &x->id, &x->key)) {
                *out = x->id;
                return 0;
            }
        }
    }
    return lie(e, "a notice that its publisher has not signed");
}

/* What a notice names goes, where it is what the notice means. */
static int
erase_named(struct peers *p, const struct store_stream *t, const struct erase_notice *n,
            struct err *e)
{
    struct store_entry x;
    int rc = store_entry_get(p->x->store, t->number, n->index, false, p->x->commit->arena, &x, e);

    if (rc <= 0 || !hash_eq(&x.d, &n->d))
        return rc < 0 ? -1 : 0;
    if (!t->own)
        return store_erase_taken(p->x->store, t->number, n->index, e);
    /* Our own, lost with what a backup did not know. */
    return x.bare || x.p == 0 ? 0 : store_erase(p->x->store, x.p, e);
}

static int
take_erase(struct peers *p, struct span content, struct err *e)
{
    struct store_said said = {.kind = SYNC_ERASE, .content = content}, known;
    uint8_t name[STORE_PLACE_NAME];
    struct erase_notice n;
    struct store_stream t;
    int rc;

    if (erase_notice_decode(content, &n, e) != 0)
        return lie(e, "no erase notice");
    store_place_name(&n.stream, n.index, name);
    said.name = span_from(name, sizeof name);
    said.stream = n.stream;
    said.entry = n.index;
    rc = store_said_get(p->x->store, SYNC_ERASE, said.name, p->trees, &known, e);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    rc = store_stream_get(p->x->store, &n.stream, 0, p->trees, &t, e);
    if (rc < 0 || notice_signer(p, &n, rc == 1 ? &t : NULL, &said.member, e) != 0 ||
        store_said_put(p->x->store, &said, e) != 0)
        return -1;
    return rc == 1 && erase_named(p, &t, &n, e) != 0 ? -1 : 1;
}

static int
take_receipt(struct peers *p, const struct uuid *from, struct span content, struct err *e)
{
    const struct membership *m = members_now(p->x, e);
    const struct region_member *by;
    struct store_said said = {.kind = SYNC_RECEIPT, .content = content}, known;
    uint8_t name[HASH_BYTES + 16];
    struct store_stream t;
    struct receipt r, before;
    int rc;

    if (m == NULL)
        return -1;
    if (receipt_decode(content, &r, e) != 0)
        return lie(e, "no receipt");
    by = membership_member(m, from);
    if (by == NULL || memcmp(r.by.b, from->b, sizeof r.by.b) != 0 ||
        !receipt_ok(&r, from, &by->key))
        return lie(e, "a receipt that is not signed by who gives it");
    rc = store_stream_get(p->x->store, &r.stream, 0, p->trees, &t, e);
    if (rc <= 0 || !t.own)
        return rc < 0 ? -1 : 0;
    memcpy(name, r.stream.b, HASH_BYTES);
    memcpy(name + HASH_BYTES, from->b, 16);
    said.name = span_from(name, sizeof name);
    said.stream = r.stream;
    said.member = *from;
    rc = store_said_get(p->x->store, SYNC_RECEIPT, said.name, p->trees, &known, e);
    if (rc < 0)
        return -1;
    if (rc == 1 && receipt_decode(known.content, &before, NULL) == 0 && before.size >= r.size)
        return 0;
    return store_said_put(p->x->store, &said, e) != 0 ? -1 : 1;
}

static int
take_control(void *ctx, enum sync_kind kind, const struct uuid *from, struct span content,
             struct err *e)
{
    struct peers *p = ctx;
    int rc = 0;

    switch (kind) {
    case SYNC_REGION:
        rc = members_take_region(p->x, content, e);
        break;
    case SYNC_CIRCLE:
        rc = members_take_circle(p->x, from, content, e);
        break;
    case SYNC_OUT:
        rc = members_take_out(p->x, content, e);
        break;
    case SYNC_ERASE:
        return take_erase(p, content, e);
    case SYNC_RECEIPT:
        return take_receipt(p, from, content, e);
    case SYNC_HEAD:
    case SYNC_FROZEN:
    case SYNC_KINDS:
        return 0;
    }
    p->members_changed = p->members_changed || rc == 1;
    return rc;
}

/* -- what a peer offers --------------------------------------------------------------------------
 */

static int
take_offered(void *ctx, const struct uuid *peer, const struct sync_offered *o, struct err *e)
{
    struct peers *p = ctx;
    const struct sync_head_item h = {
        .name = o->name, .head = o->head, .have = o->have, .settled = o->settled};
    struct store_offered x = {.stream = o->stream, .refused = false};
    struct buf b;
    int rc;

    memcpy(x.key, o->key.b, sizeof x.key);
    buf_init(&b, SYNC_ITEM_MAX);
    sync_head_item_encode(&h, &b);
    x.content = buf_view(&b);
    rc = b.failed ? err_set(e, ERR_MEMORY, "no memory for an offer")
                  : store_offered_put(p->x->store, peer, &x, e);
    buf_clear(&b);
    return rc;
}

static int
drop_offered(void *ctx, const struct uuid *peer, const struct sync_key *key, struct err *e)
{
    return store_offered_drop(((struct peers *)ctx)->x->store, peer, key->b, e);
}

static int
take_mirror(void *ctx, const struct uuid *peer, const struct sync_key *key,
            const struct sync_print *print, struct err *e)
{
    struct peers *p = ctx;
    struct store_pair pair;

    if (print == NULL)
        return store_mirror_drop(p->x->store, peer, key->b, e);
    memcpy(pair.key, key->b, sizeof pair.key);
    memcpy(pair.print, print->b, sizeof pair.print);
    return store_mirror_put(p->x->store, peer, &pair, e);
}

static int
take_peer(void *ctx, const struct uuid *peer, const struct sync_epoch *epoch, uint64_t cursor,
          struct err *e)
{
    struct peers *p = ctx;
    struct store_peer x = {.id = *peer};

    if (store_peer_get(p->x->store, peer, p->trees, &x, e) < 0)
        return -1;
    x.id = *peer;
    memcpy(x.epoch, epoch->b, sizeof x.epoch);
    x.cursor = cursor;
    return store_peer_put(p->x->store, &x, e);
}

static int
take_asked(void *ctx, const struct uuid *peer, const struct hash *stream, uint64_t settled,
           struct err *e)
{
    return store_offered_asked(((struct peers *)ctx)->x->store, peer, stream, settled, e);
}

static int
take_refused(void *ctx, const struct uuid *peer, const struct hash *stream, struct err *e)
{
    return store_offered_refused(((struct peers *)ctx)->x->store, peer, stream, e);
}

/* -- bodies --------------------------------------------------------------------------------------
 */

/* What a marking means: by the first bytes for its id. */
struct resolving {
    struct exchange *x;
    struct marking_meaning *out;
    int found;
};

static int
read_meaning(void *ctx, const struct store_held *h, struct err *e)
{
    struct resolving *r = ctx;
    struct stix_facts f;

    if (h->erased)
        return 0;
    if (stix_facts_read(h->bytes, r->x->commit->arena, &f, e) != 0)
        return -1;
    marking_meaning_read(&f, r->out);
    r->found = 1;
    return 1;
}

static int
resolve(void *ctx, struct span id, struct marking_meaning *out, struct err *e)
{
    struct resolving r = {.x = ctx, .out = out};

    return store_held_each(r.x->store, id, false, read_meaning, &r, e) < 0 ? -1 : r.found;
}

/* The audience of a row: what its stream says, narrowed by what its own markings say.  1; 0: it is
 * for one person, and never should have come. */
static int
row_audience(struct peers *p, const struct sync_stream *s, const struct stix_facts *f,
             struct audience *out, struct err *e)
{
    struct label label;
    int rc = member_audience(p->x, &s->name, out, e);

    if (rc <= 0)
        return rc;
    if (label_read(f, resolve, p->x, p->x->commit->arena, &label, e) != 0)
        return -1;
    if (label.unclear || label.unresolved_count > 0)
        label.tlp = TLP_AMBER_STRICT; /* whoever it means is among its organisations' own staff */
    else if (!label.has)
        label.tlp = out->label;
    if (label.tlp >= TLP_RED)
        return 0;
    if (label.tlp > out->label || (label.exercise && !out->exercise)) {
        out->label = label.tlp > out->label ? label.tlp : out->label;
        out->exercise = out->exercise || label.exercise;
        out->number = 0;
        return audience_number(p->x, out, e) != 0 ? -1 : 1;
    }
    return 1;
}

static const struct intake_result *
read_body(struct peers *p, const struct hash *hash)
{
    for (size_t k = 0; k < p->body_n; k++) {
        const size_t i = (p->body_at + k) % p->body_n;

        if (memcmp(p->bodies[i].hash.b, hash->b, sizeof hash->b) == 0) {
            p->body_at = i + 1;
            return p->bodies[i].class != INTAKE_REFUSED ? &p->bodies[i] : NULL;
        }
    }
    return NULL;
}

/* Index rows as the process has read them that parses: they serve search alone. */
static int
row_index(const struct intake_result *r, const struct stix_facts *f, struct arena *a,
          struct store_index *out, struct err *e)
{
    struct span *values = arena_zero(a, r->found.value_count + 1, sizeof *values);
    struct store_index x = {0};

    if (values == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (index_edges(f, a, &x, e) != 0)
        return -1;
    for (size_t i = 0; i < r->found.value_count; i++)
        values[i] = r->found.values[i].key;
    x.values = values;
    x.value_count = r->found.value_count;
    x.labels = r->found.labels;
    x.label_count = r->found.label_count;
    x.texts = r->found.texts;
    x.text_count = r->found.text_count;
    x.grams = r->grams;
    x.gram_count = r->gram_count;
    *out = x;
    return 0;
}

/* 1: put; 0: it is not what may be kept, and nobody owes it any more; -1. */
static int
put_body(struct peers *p, const struct sync_stream *s, uint32_t number, uint64_t i,
         const struct entry *en, struct span bytes, struct err *e)
{
    struct exchange *x = p->x;
    struct arena *a = x->commit->arena;
    struct put_plain plain = {.confidence = -1};
    struct stix_facts *f = arena_zero(a, 1, sizeof *f);
    struct store_index *index = arena_zero(a, 1, sizeof *index);
    struct store_from *from = arena_zero(a, 1, sizeof *from);
    struct audience audience;
    const struct intake_result *r = read_body(p, &en->bytes);
    struct hash *hash = arena_zero(a, 1, sizeof *hash);
    uint32_t creator = 0;
    int rc;

    if (f == NULL || index == NULL || from == NULL || hash == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    plain.bytes = arena_span(a, bytes);
    *hash = en->bytes;
    if (r == NULL || stix_facts_read(plain.bytes, a, f, NULL) != 0 ||
        !span_eq(f->id.text, en->id) || !span_eq(f->modified.text, en->version))
        return store_owed_drop(x->store, number, i, e) != 0 ? -1 : 0;
    rc = row_audience(p, s, f, &audience, e);
    if (rc <= 0)
        return rc < 0 || store_owed_drop(x->store, number, i, e) != 0 ? -1 : 0;
    if (f->created_by.n > 0 && store_bound(x->store, f->created_by, &creator, e) < 0)
        return -1;
    if (row_index(r, f, a, index, e) != 0)
        return -1;
    *from = (struct store_from){number, i};
    plain.facts = f;
    plain.hash = hash;
    plain.index = index;
    plain.audience = &audience;
    plain.publisher = member_org(x, &s->name.publisher);
    plain.owner = creator != 0 && creator == plain.publisher;
    plain.group_version = en->group_version;
    plain.from = from;
    return put_row_plain(x, &plain, NULL, e) != 0 ? -1 : 1;
}

/* A notice came before the entry. */
static int
noticed(struct peers *p, const struct hash *stream, uint64_t i, const struct hash *d, struct err *e)
{
    uint8_t name[STORE_PLACE_NAME];
    struct store_said said;
    struct erase_notice n;
    int rc;

    store_place_name(stream, i, name);
    rc = store_said_get(p->x->store, SYNC_ERASE, span_from(name, sizeof name), p->trees, &said, e);
    if (rc <= 0)
        return rc;
    return erase_notice_decode(said.content, &n, e) != 0 ? -1 : hash_eq(&n.d, d);
}

/* -- pages ---------------------------------------------------------------------------------------
 */

/* Its number here, made where there is none. */
static int
stream_number(struct peers *p, const struct stream_name *name, uint32_t *out, struct err *e)
{
    const uint32_t org = member_org(p->x, &name->publisher);
    struct audience a;
    int rc = member_audience(p->x, name, &a, e);

    if (rc < 0)
        return -1;
    if (rc == 0 || org == 0)
        return err_set(e, ERR_MISSING, "a stream for an audience that is not known here");
    return store_stream_make(p->x->store, name, org, a.number, out, e);
}

static int
take_entry(struct peers *p, const struct sync_stream *s, uint32_t number, uint64_t i,
           const struct sync_entry *en, struct err *e)
{
    struct store_entry target;
    struct entry h;
    int rc;

    if (en->bare)
        return 0;
    if (entry_decode(en->header, &h, e) != 0)
        return -1;
    if (h.kind == ENTRY_ERASE) {
        rc = store_entry_get(p->x->store, number, h.target, false, p->trees, &target, e);
        if (rc <= 0 || !hash_eq(&target.d, &h.target_d))
            return rc < 0 ? -1 : 0;
        return store_erase_taken(p->x->store, number, h.target, e);
    }
    rc = noticed(p, &s->id, i, &en->d, e);
    if (rc != 0)
        return rc < 0 ? -1 : store_erase_taken(p->x->store, number, i, e);
    if (!en->has_body)
        return 0;
    return put_body(p, s, number, i, &h, en->body, e) < 0 ? -1 : 0;
}

static int
take_page(void *ctx, const struct sync_stream *s, const struct sync_entry *entries, size_t n,
          struct err *e)
{
    struct peers *p = ctx;
    struct store_entry *list = arena_zero(p->x->commit->arena, n + 1, sizeof *list);
    struct buf head, links;
    uint32_t number;
    int rc;

    if (list == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a page");
    if (stream_number(p, &s->name, &number, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct store_entry){
            .bare = entries[i].bare, .d = entries[i].d, .header = entries[i].header};
        memcpy(list[i].salt, entries[i].salt, sizeof list[i].salt);
    }
    if (store_entries_take(p->x->store, number, s->have - n, list, n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (take_entry(p, s, number, s->have - n + i, &entries[i], e) != 0)
            return -1;
    buf_init(&head, SYNC_HEAD_MAX);
    buf_init(&links, SYNC_ITEM_MAX);
    sync_links_encode(s->links, s->link_n, &links);
    rc = head_encode(&s->head, &head, e) != 0 || links.failed
             ? -1
             : store_head_keep(p->x->store, number, s->head.size, buf_view(&head), buf_view(&links),
                               e);
    buf_clear(&head);
    buf_clear(&links);
    return rc;
}

static int
take_body(void *ctx, const struct hash *id, uint64_t index, struct span bytes, struct err *e)
{
    struct peers *p = ctx;
    struct store_stream t;
    struct sync_stream s;
    struct store_entry x;
    struct entry h;
    struct hash hash;
    int rc = store_stream_get(p->x->store, id, 0, p->trees, &t, e);

    if (rc <= 0 || peers_stream(&t, p->trees, &s, e) <= 0)
        return rc < 0 ? -1 : 0;
    rc = store_entry_get(p->x->store, t.number, index, false, p->trees, &x, e);
    if (rc <= 0)
        return rc;
    if (x.bare || x.has_body)
        return 1; /* settled in between */
    if (entry_decode(x.header, &h, e) != 0)
        return -1;
    hash_sha256(bytes, &hash);
    if (h.kind != ENTRY_PUT || h.size != bytes.n || !hash_eq(&hash, &h.bytes))
        return 0;
    return put_body(p, &s, t.number, index, &h, bytes, e) < 0 ? -1 : 1;
}

static int
take_fork(void *ctx, const struct stream_name *name, uint64_t common, struct span evidence,
          struct err *e)
{
    struct peers *p = ctx;
    struct store_stream t;
    struct hash id;
    uint32_t number;
    int rc;

    if (stream_id(name, &id, e) != 0)
        return -1;
    rc = store_stream_get(p->x->store, &id, 0, p->trees, &t, e);
    if (rc < 0)
        return -1;
    number = t.number;
    if (rc == 0 && stream_number(p, name, &number, e) != 0)
        return -1;
    return store_stream_freeze(p->x->store, number, common, evidence, e);
}

static int
accuse(void *ctx, const struct uuid *peer, const char *why, struct span evidence, struct err *e)
{
    struct peers *p = ctx;
    const struct store_accused x = {
        .at_us = now_us(p->x), .peer = *peer, .why = span_of(why), .evidence = evidence};

    return store_accuse(p->x->store, &x, e);
}

void
peers_take_table(struct replica *r)
{
    r->begin = begin;
    r->commit = commit;
    r->undo = undo;
    r->take_control = take_control;
    r->take_offered = take_offered;
    r->drop_offered = drop_offered;
    r->take_mirror = take_mirror;
    r->take_peer = take_peer;
    r->take_asked = take_asked;
    r->take_refused = take_refused;
    r->take_page = take_page;
    r->take_body = take_body;
    r->take_fork = take_fork;
    r->accuse = accuse;
}
