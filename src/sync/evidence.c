#include "round.h"

#include <string.h>

#define EVIDENCE_FORMAT 1u

static void
put_side(const struct sync_side *s, struct buf *out)
{
    (void)head_encode(&s->head, out, NULL); /* out fails with it */
    buf_put(out, s->root.b, sizeof s->root.b);
    buf_u8(out, (unsigned)s->link_n);
    for (size_t i = 0; i < s->link_n; i++) {
        buf_u64(out, s->links[i].size);
        buf_put(out, s->links[i].root.b, sizeof s->links[i].root.b);
        proof_encode(&s->links[i].proof, out);
    }
}

static int
get_side(struct reader *r, struct arena *a, struct sync_side *s, struct err *e)
{
    struct sync_link *links;

    if (head_decode(reader_bytes(r, HEAD_BYTES), &s->head, NULL) != 0)
        r->failed = true;
    reader_copy(r, s->root.b, sizeof s->root.b);
    s->link_n = reader_u8(r);
    if (s->link_n > SYNC_SIDE_LINKS_MAX)
        r->failed = true;
    links = arena_zero(a, r->failed ? 1 : s->link_n + 1, sizeof *links);
    if (links == NULL)
        return err_set(e, ERR_MEMORY, "no memory for evidence");
    for (size_t i = 0; i < s->link_n && !r->failed; i++) {
        links[i].size = reader_u64(r);
        reader_copy(r, links[i].root.b, sizeof links[i].root.b);
        proof_decode(r, &links[i].proof);
    }
    s->links = links;
    return 0;
}

void
sync_evidence_encode(const struct sync_evidence *ev, struct buf *out)
{
    const struct stream_name *n = &ev->name;

    buf_u8(out, EVIDENCE_FORMAT);
    buf_put(out, n->publisher.b, sizeof n->publisher.b);
    buf_put(out, n->incarnation, sizeof n->incarnation);
    buf_u8(out, n->label);
    buf_u8(out, n->exercise);
    buf_put(out, n->generation, sizeof n->generation);
    buf_field(out, n->group);
    buf_u64(out, ev->size);
    buf_u64(out, ev->common);
    put_side(&ev->side[0], out);
    put_side(&ev->side[1], out);
}

int
sync_evidence_decode(struct span s, struct arena *a, struct sync_evidence *out, struct err *e)
{
    struct sync_evidence ev = {0};
    struct reader r = reader_of(s);
    unsigned exercise;

    if (reader_u8(&r) != EVIDENCE_FORMAT)
        return err_set(e, ERR_PROTOCOL, "evidence of an unknown form");
    reader_copy(&r, ev.name.publisher.b, sizeof ev.name.publisher.b);
    reader_copy(&r, ev.name.incarnation, sizeof ev.name.incarnation);
    ev.name.label = reader_u8(&r);
    exercise = reader_u8(&r);
    ev.name.exercise = exercise == 1;
    reader_copy(&r, ev.name.generation, sizeof ev.name.generation);
    ev.name.group = reader_field(&r, LEDGER_GROUP_MAX);
    ev.size = reader_u64(&r);
    ev.common = reader_u64(&r);
    if (exercise > 1 || ev.common >= ev.size)
        r.failed = true;
    if (get_side(&r, a, &ev.side[0], e) != 0 || get_side(&r, a, &ev.side[1], e) != 0 ||
        reader_end(&r, e) != 0)
        return -1;
    *out = ev;
    return 0;
}

static bool
side_ok(const struct sync_side *s, uint64_t size, const struct hash *stream,
        const struct uuid *publisher, const struct sign_public *key)
{
    struct hash root = s->root;

    if (!hash_eq(&s->head.stream, stream) || !head_ok(&s->head, publisher, key))
        return false;
    for (size_t i = 0; i < s->link_n; i++) {
        const struct sync_link *l = &s->links[i];

        if (l->size < size || !merkle_consistency_ok(&l->proof, size, &root, l->size, &l->root))
            return false;
        size = l->size;
        root = l->root;
    }
    return size == s->head.size && hash_eq(&root, &s->head.root);
}

bool
sync_evidence_ok(const struct sync_evidence *ev, const struct sign_public *key)
{
    struct hash stream;

    return ev->size > 0 && stream_id(&ev->name, &stream, NULL) == 0 &&
           !hash_eq(&ev->side[0].root, &ev->side[1].root) &&
           side_ok(&ev->side[0], ev->size, &stream, &ev->name.publisher, key) &&
           side_ok(&ev->side[1], ev->size, &stream, &ev->name.publisher, key);
}
