/* exchange/pull_msg.c - what fetch and the writer say to one another, as bytes. */
#include "pull.h"

#include <string.h>

#define PULL_FORMAT 1

void
pull_list_encode(const struct pull_list *l, struct buf *out)
{
    buf_u8(out, PULL_FORMAT);
    buf_put(out, l->me.b, sizeof l->me.b);
    buf_u16(out, (unsigned)l->n);
    for (size_t i = 0; i < l->n; i++) {
        buf_put(out, l->members[i].id.b, sizeof l->members[i].id.b);
        buf_put(out, l->members[i].key.b, sizeof l->members[i].key.b);
        buf_field(out, l->members[i].address);
    }
    if (l->n > PULL_MEMBERS_MAX)
        out->failed = true;
}

int
pull_list_decode(struct span message, struct arena *a, struct pull_list *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct pull_list l = {.n = 0};
    struct pull_member *list;

    if (reader_u8(&r) != PULL_FORMAT)
        r.failed = true;
    reader_copy(&r, l.me.b, sizeof l.me.b);
    l.n = reader_u16(&r);
    if (r.failed || l.n > PULL_MEMBERS_MAX)
        return err_set(e, ERR_PROTOCOL, "no list of members");
    list = arena_zero(a, l.n + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, ERR_MEMORY, "no memory for a list of members");
    for (size_t i = 0; i < l.n; i++) {
        reader_copy(&r, list[i].id.b, sizeof list[i].id.b);
        reader_copy(&r, list[i].key.b, sizeof list[i].key.b);
        list[i].address = reader_field(&r, REGION_ADDRESS_MAX);
        /* Ascending, so that nobody is there twice. */
        if (list[i].address.n == 0 ||
            (i > 0 && memcmp(list[i - 1].id.b, list[i].id.b, sizeof list[i].id.b) >= 0))
            r.failed = true;
    }
    l.members = list;
    if (reader_end(&r, e) != 0)
        return -1;
    *out = l;
    return 0;
}

void
pull_next_encode(const struct pull_next *n, struct buf *out)
{
    const struct sync_counts *c = &n->counts;

    buf_u8(out, PULL_FORMAT);
    buf_u8(out, n->more ? 1 : 0);
    buf_u8(out, c->recovering ? 1 : 0);
    buf_u32(out, c->questions);
    buf_u32(out, c->forks);
    buf_u64(out, c->items);
    buf_u64(out, c->entries);
    buf_u64(out, c->bodies);
    buf_u64(out, c->refused);
    if (n->more)
        buf_field(out, n->question);
}

int
pull_next_decode(struct span message, struct pull_next *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct pull_next n = {.more = false};
    unsigned more, recovering;

    if (reader_u8(&r) != PULL_FORMAT)
        r.failed = true;
    more = reader_u8(&r);
    recovering = reader_u8(&r);
    n.counts.questions = reader_u32(&r);
    n.counts.forks = reader_u32(&r);
    n.counts.items = reader_u64(&r);
    n.counts.entries = reader_u64(&r);
    n.counts.bodies = reader_u64(&r);
    n.counts.refused = reader_u64(&r);
    if (more == 1) {
        n.question = reader_field(&r, SYNC_QUESTION_MAX);
        if (n.question.n == 0)
            r.failed = true;
    }
    if (more > 1 || recovering > 1)
        r.failed = true;
    if (reader_end(&r, e) != 0)
        return -1;
    n.more = more == 1;
    n.counts.recovering = recovering == 1;
    *out = n;
    return 0;
}
