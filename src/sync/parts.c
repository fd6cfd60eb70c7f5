#include "parts.h"

#include "replica.h"

void
name_encode(const struct stream_name *n, struct buf *out)
{
    buf_put(out, n->publisher.b, sizeof n->publisher.b);
    buf_put(out, n->incarnation, sizeof n->incarnation);
    buf_u8(out, n->label);
    buf_u8(out, n->exercise);
    buf_put(out, n->generation, sizeof n->generation);
    buf_field(out, n->group);
}

void
name_decode(struct reader *r, struct stream_name *out)
{
    unsigned exercise;

    reader_copy(r, out->publisher.b, sizeof out->publisher.b);
    reader_copy(r, out->incarnation, sizeof out->incarnation);
    out->label = reader_u8(r);
    exercise = reader_u8(r);
    out->exercise = exercise == 1;
    reader_copy(r, out->generation, sizeof out->generation);
    out->group = reader_field(r, LEDGER_GROUP_MAX);
    if (exercise > 1 || out->label > LABEL_RED || out->group.n == 0)
        r->failed = true;
}

void
links_encode(const struct sync_link *list, size_t n, struct buf *out)
{
    buf_u8(out, (unsigned)n);
    for (size_t i = 0; i < n; i++) {
        buf_u64(out, list[i].size);
        buf_put(out, list[i].root.b, sizeof list[i].root.b);
        proof_encode(&list[i].proof, out);
    }
}

int
links_decode(struct reader *r, size_t max, uint64_t after, struct arena *a,
             const struct sync_link **out, size_t *n, struct err *e)
{
    struct sync_link *list;

    *n = reader_u8(r);
    if (*n > max)
        r->failed = true;
    list = arena_zero(a, r->failed ? 1 : *n + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a message");
    for (size_t i = 0; i < *n && !r->failed; i++) {
        list[i].size = reader_u64(r);
        reader_copy(r, list[i].root.b, sizeof list[i].root.b);
        proof_decode(r, &list[i].proof);
        if (list[i].size <= (i > 0 ? list[i - 1].size : after) || list[i].size > MERKLE_SIZE_MAX)
            r->failed = true;
    }
    *out = list;
    return 0;
}

bool
links_lead(const struct sync_link *list, size_t n, uint64_t size, const struct hash *root,
           const struct head *head)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].size < size ||
            !merkle_consistency_ok(&list[i].proof, size, root, list[i].size, &list[i].root))
            return false;
        size = list[i].size;
        root = &list[i].root;
    }
    return size == head->size && hash_eq(root, &head->root);
}

void
sync_links_encode(const struct sync_link *list, size_t n, struct buf *out)
{
    links_encode(list, n, out);
}

int
sync_links_decode(struct span s, uint64_t after, struct arena *a, const struct sync_link **out,
                  size_t *n, struct err *e)
{
    struct reader r = reader_of(s);

    if (links_decode(&r, SYNC_LINKS_MAX, after, a, out, n, e) != 0)
        return -1;
    return reader_end(&r, e);
}
