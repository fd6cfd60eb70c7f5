#include "parts.h"

#include <string.h>

#define TAG_KEY    "jaga sync key 1"
#define TAG_PRINT  "jaga sync print 1"
#define TAG_DIGEST "jaga sync digest 1"

#define ENTRY_BARE 1u
#define ENTRY_BODY 2u
#define ENTRY_BITS 3u

/* -- keys and prints -- */

void
sync_key_of(enum sync_kind kind, struct span name, struct sync_key *out)
{
    const char k = (char)kind;
    const struct span parts[] = {SPAN(TAG_KEY), {&k, 1}, name};
    struct hash h;

    hash_sha256_parts(parts, 3, &h);
    memcpy(out->b, h.b, sizeof out->b);
}

void
sync_print_of(enum sync_kind kind, struct span content, struct sync_print *out)
{
    const char k = (char)kind; /* else what is taken for another kind would look the same */
    const struct span parts[] = {SPAN(TAG_PRINT), {&k, 1}, content};
    struct hash h;

    hash_sha256_parts(parts, 3, &h);
    memcpy(out->b, h.b, sizeof out->b);
}

int
sync_key_cmp(const struct sync_key *a, const struct sync_key *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

void
sync_digest(const struct sync_pair *pairs, size_t n, struct hash *out)
{
    _Static_assert(sizeof *pairs == SYNC_KEY_BYTES + SYNC_PRINT_BYTES, "pairs have no gaps");
    const struct span parts[] = {SPAN(TAG_DIGEST), span_from(pairs, n * sizeof *pairs)};

    hash_sha256_parts(parts, 2, out);
}

/* -- small parts -- */

/* A count of at most max, each of at least least bytes: so that a count alone allocates little. */
static size_t
get_count(struct reader *r, size_t max, size_t least)
{
    size_t n = reader_u32(r);

    if (n > max || n > reader_left(r) / least) {
        r->failed = true;
        return 0;
    }
    return n;
}

static void *
list_of(struct arena *a, size_t n, size_t size, struct err *e)
{
    void *list = arena_zero(a, n + 1, size);

    if (list == NULL)
        err_set(e, ERR_MEMORY, "no memory for a message");
    return list;
}

static bool
get_bool(struct reader *r)
{
    unsigned v = reader_u8(r);

    r->failed = r->failed || v > 1;
    return v == 1;
}

/* -- questions -- */

static void
put_hello(const struct sync_ask *q, struct buf *out)
{
    buf_put(out, q->epoch.b, sizeof q->epoch.b);
    buf_u64(out, q->cursor);
    buf_put(out, q->digest.b, sizeof q->digest.b);
    buf_u32(out, q->region);
    buf_u8(out, (unsigned)q->out_n);
    for (size_t i = 0; i < q->out_n; i++)
        buf_field(out, q->outs[i]);
}

void
sync_ask_encode(const struct sync_ask *q, struct buf *out)
{
    buf_u8(out, SYNC_VERSION);
    buf_u8(out, (unsigned)q->verb);
    switch (q->verb) {
    case SYNC_ASK_HELLO:
        put_hello(q, out);
        break;
    case SYNC_ASK_ITEMS:
        buf_u32(out, (uint32_t)q->key_n);
        buf_put(out, q->keys, q->key_n * sizeof *q->keys);
        break;
    case SYNC_ASK_TAIL:
        buf_put(out, q->stream.b, sizeof q->stream.b);
        buf_u64(out, q->from);
        buf_u64(out, q->upto);
        buf_u8(out, q->with_bodies);
        buf_u32(out, q->max_bytes);
        break;
    case SYNC_ASK_BODIES:
        buf_put(out, q->stream.b, sizeof q->stream.b);
        buf_u32(out, q->max_bytes);
        buf_u32(out, (uint32_t)q->index_n);
        for (size_t i = 0; i < q->index_n; i++)
            buf_u64(out, q->indices[i]);
        break;
    }
}

static int
get_hello(struct reader *r, struct arena *a, struct sync_ask *q, struct err *e)
{
    struct span *outs;

    reader_copy(r, q->epoch.b, sizeof q->epoch.b);
    q->cursor = reader_u64(r);
    reader_copy(r, q->digest.b, sizeof q->digest.b);
    q->region = reader_u32(r);
    q->out_n = reader_u8(r);
    if (q->out_n > SYNC_OUTS_MAX)
        r->failed = true;
    if (r->failed)
        return 0;
    outs = list_of(a, q->out_n, sizeof *outs, e);
    if (outs == NULL)
        return -1;
    for (size_t i = 0; i < q->out_n; i++)
        outs[i] = reader_field(r, SYNC_ITEM_MAX);
    q->outs = outs;
    return 0;
}

static int
get_keys(struct reader *r, struct arena *a, struct sync_ask *q, struct err *e)
{
    struct sync_key *keys;

    q->key_n = get_count(r, SYNC_KEYS_MAX, sizeof *keys);
    keys = list_of(a, q->key_n, sizeof *keys, e);
    if (keys == NULL)
        return -1;
    reader_copy(r, keys, q->key_n * sizeof *keys);
    q->keys = keys;
    return 0;
}

static int
get_indices(struct reader *r, struct arena *a, struct sync_ask *q, struct err *e)
{
    uint64_t *list;

    reader_copy(r, q->stream.b, sizeof q->stream.b);
    q->max_bytes = reader_u32(r);
    q->index_n = get_count(r, SYNC_BODIES_MAX, sizeof *list);
    list = list_of(a, q->index_n, sizeof *list, e);
    if (list == NULL)
        return -1;
    for (size_t i = 0; i < q->index_n; i++) {
        list[i] = reader_u64(r);
        if (i > 0 && list[i] <= list[i - 1])
            r->failed = true;
    }
    q->indices = list;
    return 0;
}

int
sync_ask_decode(struct span message, struct arena *a, struct sync_ask *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct sync_ask q = {0};
    int rc = 0;

    if (reader_u8(&r) != SYNC_VERSION)
        return err_set(e, ERR_PROTOCOL, "a question of another version of the protocol");
    q.verb = reader_u8(&r);
    switch (q.verb) {
    case SYNC_ASK_HELLO:
        rc = get_hello(&r, a, &q, e);
        break;
    case SYNC_ASK_ITEMS:
        rc = get_keys(&r, a, &q, e);
        break;
    case SYNC_ASK_TAIL:
        reader_copy(&r, q.stream.b, sizeof q.stream.b);
        q.from = reader_u64(&r);
        q.upto = reader_u64(&r);
        q.with_bodies = get_bool(&r);
        q.max_bytes = reader_u32(&r);
        break;
    case SYNC_ASK_BODIES:
        rc = get_indices(&r, a, &q, e);
        break;
    default:
        return err_set(e, ERR_PROTOCOL, "a question of an unknown kind");
    }
    if (rc != 0 || reader_end(&r, e) != 0)
        return -1;
    *out = q;
    return 0;
}

/* -- answers -- */

size_t
sync_entry_size(const struct sync_entry *en)
{
    return 1 + (en->bare ? HASH_BYTES : ENTRY_SALT_BYTES + 4 + en->header.n) +
           (en->has_body ? 4 + en->body.n : 0);
}

static void
put_entry(const struct sync_entry *en, struct buf *out)
{
    buf_u8(out, (en->bare ? ENTRY_BARE : 0) | (en->has_body ? ENTRY_BODY : 0));
    if (en->bare) {
        buf_put(out, en->d.b, sizeof en->d.b);
    } else {
        buf_put(out, en->salt, sizeof en->salt);
        buf_field(out, en->header);
    }
    if (en->has_body)
        buf_field(out, en->body);
}

static void
get_entry(struct reader *r, struct sync_entry *en)
{
    unsigned bits = reader_u8(r);

    en->bare = bits & ENTRY_BARE;
    en->has_body = bits & ENTRY_BODY;
    if (bits > ENTRY_BITS || (en->bare && en->has_body))
        r->failed = true;
    if (en->bare) {
        reader_copy(r, en->d.b, sizeof en->d.b);
    } else {
        reader_copy(r, en->salt, sizeof en->salt);
        en->header = reader_field(r, ENTRY_HEADER_MAX);
        if (!r->failed)
            entry_commit(en->salt, en->header, &en->d);
    }
    if (en->has_body)
        en->body = reader_field(r, SYNC_MESSAGE_MAX);
}

static void
put_delta(const struct sync_answer *w, struct buf *out)
{
    buf_put(out, w->digest.b, sizeof w->digest.b);
    buf_u8(out, w->asked);
    buf_u32(out, (uint32_t)w->item_n);
    for (size_t i = 0; i < w->item_n; i++) {
        buf_u8(out, (unsigned)w->items[i].kind);
        buf_put(out, w->items[i].key.b, SYNC_KEY_BYTES);
        buf_field(out, w->items[i].content);
    }
    buf_u32(out, (uint32_t)w->gone_n);
    buf_put(out, w->gone, w->gone_n * sizeof *w->gone);
}

static void
put_tail(const struct sync_answer *w, struct buf *out)
{
    buf_put(out, w->stream.b, sizeof w->stream.b);
    buf_field(out, w->head);
    buf_u64(out, w->from);
    buf_u64(out, w->have);
    buf_put(out, w->from_root.b, sizeof w->from_root.b);
    buf_put(out, w->have_root.b, sizeof w->have_root.b);
    proof_encode(&w->from_have, out);
    buf_u32(out, (uint32_t)w->entry_n);
    for (size_t i = 0; i < w->entry_n; i++)
        put_entry(&w->entries[i], out);
    proof_encode(&w->page_have, out);
    links_encode(w->links, w->link_n, out);
}

static void
put_bodies(const struct sync_answer *w, struct buf *out)
{
    buf_put(out, w->stream.b, sizeof w->stream.b);
    buf_u32(out, (uint32_t)w->body_n);
    for (size_t i = 0; i < w->body_n; i++) {
        buf_u64(out, w->bodies[i].index);
        buf_u8(out, w->bodies[i].gone);
        buf_field(out, w->bodies[i].bytes);
    }
}

void
sync_answer_encode(const struct sync_answer *w, struct buf *out)
{
    buf_u8(out, SYNC_VERSION);
    buf_u8(out, (unsigned)w->verb);
    if (w->verb == SYNC_SAME || w->verb == SYNC_DELTA || w->verb == SYNC_PRINTS) {
        buf_put(out, w->epoch.b, sizeof w->epoch.b);
        buf_u64(out, w->cursor);
        buf_u8(out, w->recovering);
    }
    switch (w->verb) {
    case SYNC_DELTA:
        put_delta(w, out);
        break;
    case SYNC_PRINTS:
        buf_put(out, w->digest.b, sizeof w->digest.b);
        buf_u32(out, (uint32_t)w->print_n);
        buf_put(out, w->prints, w->print_n * sizeof *w->prints);
        break;
    case SYNC_TAIL:
        put_tail(w, out);
        break;
    case SYNC_BODIES:
        put_bodies(w, out);
        break;
    case SYNC_SAME:
    case SYNC_NO:
        break;
    }
}

static int
get_delta(struct reader *r, struct arena *a, struct sync_answer *w, struct err *e)
{
    struct sync_item *items;
    struct sync_key *gone;

    reader_copy(r, w->digest.b, sizeof w->digest.b);
    w->asked = get_bool(r);
    w->item_n = get_count(r, SYNC_ITEMS_MAX, 1 + SYNC_KEY_BYTES + 4);
    items = list_of(a, w->item_n, sizeof *items, e);
    if (items == NULL)
        return -1;
    for (size_t i = 0; i < w->item_n; i++) {
        unsigned kind = reader_u8(r);

        /* A kind of a later version is carried on and not understood. */
        items[i].kind = (enum sync_kind)kind;
        reader_copy(r, items[i].key.b, SYNC_KEY_BYTES);
        items[i].content = reader_field(r, SYNC_ITEM_MAX);
        if (kind == 0)
            r->failed = true;
    }
    w->gone_n = get_count(r, SYNC_ITEMS_MAX, SYNC_KEY_BYTES);
    gone = list_of(a, w->gone_n, sizeof *gone, e);
    if (gone == NULL)
        return -1;
    reader_copy(r, gone, w->gone_n * sizeof *gone);
    w->items = items;
    w->gone = gone;
    return 0;
}

static int
get_prints(struct reader *r, struct arena *a, struct sync_answer *w, struct err *e)
{
    struct sync_pair *pairs;

    reader_copy(r, w->digest.b, sizeof w->digest.b);
    w->print_n = get_count(r, SYNC_ITEMS_MAX, sizeof *pairs);
    pairs = list_of(a, w->print_n, sizeof *pairs, e);
    if (pairs == NULL)
        return -1;
    reader_copy(r, pairs, w->print_n * sizeof *pairs);
    for (size_t i = 1; i < w->print_n; i++) {
        if (sync_key_cmp(&pairs[i - 1].key, &pairs[i].key) >= 0)
            r->failed = true;
    }
    w->prints = pairs;
    return 0;
}

static int
get_tail(struct reader *r, struct arena *a, struct sync_answer *w, struct err *e)
{
    struct sync_entry *entries;

    reader_copy(r, w->stream.b, sizeof w->stream.b);
    w->head = reader_field(r, SYNC_HEAD_MAX);
    w->from = reader_u64(r);
    w->have = reader_u64(r);
    reader_copy(r, w->from_root.b, sizeof w->from_root.b);
    reader_copy(r, w->have_root.b, sizeof w->have_root.b);
    proof_decode(r, &w->from_have);
    w->entry_n = get_count(r, SYNC_ENTRIES_MAX, 1 + HASH_BYTES);
    entries = list_of(a, w->entry_n, sizeof *entries, e);
    if (entries == NULL)
        return -1;
    for (size_t i = 0; i < w->entry_n && !r->failed; i++)
        get_entry(r, &entries[i]);
    proof_decode(r, &w->page_have);
    if (links_decode(r, SYNC_LINKS_MAX, w->have, a, &w->links, &w->link_n, e) != 0)
        return -1;
    if (w->have > MERKLE_SIZE_MAX || w->from > w->have || w->entry_n > w->have - w->from)
        r->failed = true;
    w->entries = entries;
    return 0;
}

static int
get_bodies(struct reader *r, struct arena *a, struct sync_answer *w, struct err *e)
{
    struct sync_body *bodies;

    reader_copy(r, w->stream.b, sizeof w->stream.b);
    w->body_n = get_count(r, SYNC_BODIES_MAX, 8 + 1 + 4);
    bodies = list_of(a, w->body_n, sizeof *bodies, e);
    if (bodies == NULL)
        return -1;
    for (size_t i = 0; i < w->body_n && !r->failed; i++) {
        bodies[i].index = reader_u64(r);
        bodies[i].gone = get_bool(r);
        bodies[i].bytes = reader_field(r, SYNC_MESSAGE_MAX);
        if ((i > 0 && bodies[i].index <= bodies[i - 1].index) ||
            (bodies[i].gone && bodies[i].bytes.n > 0))
            r->failed = true;
    }
    w->bodies = bodies;
    return 0;
}

int
sync_answer_decode(struct span message, struct arena *a, struct sync_answer *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct sync_answer w = {0};
    int rc = 0;

    if (message.n > SYNC_MESSAGE_MAX)
        return err_set(e, ERR_LIMIT, "an answer longer than any may be");
    if (reader_u8(&r) != SYNC_VERSION)
        return err_set(e, ERR_PROTOCOL, "an answer of another version of the protocol");
    w.verb = reader_u8(&r);
    if (w.verb == SYNC_SAME || w.verb == SYNC_DELTA || w.verb == SYNC_PRINTS) {
        reader_copy(&r, w.epoch.b, sizeof w.epoch.b);
        w.cursor = reader_u64(&r);
        w.recovering = get_bool(&r);
    }
    switch (w.verb) {
    case SYNC_SAME:
    case SYNC_NO:
        break;
    case SYNC_DELTA:
        rc = get_delta(&r, a, &w, e);
        break;
    case SYNC_PRINTS:
        rc = get_prints(&r, a, &w, e);
        break;
    case SYNC_TAIL:
        rc = get_tail(&r, a, &w, e);
        break;
    case SYNC_BODIES:
        rc = get_bodies(&r, a, &w, e);
        break;
    default:
        return err_set(e, ERR_PROTOCOL, "an answer of an unknown kind");
    }
    if (rc != 0 || reader_end(&r, e) != 0)
        return -1;
    *out = w;
    return 0;
}
