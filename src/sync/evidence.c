#include "parts.h"
#include "round.h"

#define EVIDENCE_FORMAT 1u

static void
put_side(const struct sync_side *s, struct buf *out)
{
    (void)head_encode(&s->head, out, NULL); /* out fails with it */
    buf_put(out, s->root.b, sizeof s->root.b);
    links_encode(s->links, s->link_n, out);
}

static int
get_side(struct reader *r, uint64_t size, struct arena *a, struct sync_side *s, struct err *e)
{
    if (head_decode(reader_bytes(r, HEAD_BYTES), &s->head, NULL) != 0)
        r->failed = true;
    reader_copy(r, s->root.b, sizeof s->root.b);
    return links_decode(r, SYNC_SIDE_LINKS_MAX, size, a, &s->links, &s->link_n, e);
}

void
sync_evidence_encode(const struct sync_evidence *ev, struct buf *out)
{
    buf_u8(out, EVIDENCE_FORMAT);
    name_encode(&ev->name, out);
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

    if (reader_u8(&r) != EVIDENCE_FORMAT)
        return err_set(e, ERR_PROTOCOL, "evidence of an unknown form");
    name_decode(&r, &ev.name);
    ev.size = reader_u64(&r);
    ev.common = reader_u64(&r);
    if (ev.common >= ev.size)
        r.failed = true;
    if (get_side(&r, ev.size, a, &ev.side[0], e) != 0 ||
        get_side(&r, ev.size, a, &ev.side[1], e) != 0 || reader_end(&r, e) != 0)
        return -1;
    *out = ev;
    return 0;
}

static bool
side_ok(const struct sync_side *s, uint64_t size, const struct hash *stream,
        const struct uuid *publisher, const struct sign_public *key)
{
    return hash_eq(&s->head.stream, stream) && head_ok(&s->head, publisher, key) &&
           links_lead(s->links, s->link_n, size, &s->root, &s->head);
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
