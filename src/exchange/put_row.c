/* exchange/put_row.c - what has been decided becomes a row of the store. */
#include "batch.h"
#include "members.h"

int
audience_number(struct exchange *x, struct audience *a, struct err *e)
{
    for (size_t i = 0; i < x->cast.audience_count; i++) {
        if (audience_same(&x->cast.audiences[i], a)) {
            a->number = x->cast.audiences[i].number;
            return 0;
        }
    }
    if (store_audience_find(x->store, a, true, e) < 0)
        return -1;
    return cast_refresh(x, e);
}

static enum store_order
order_of(const struct stix_facts *f)
{
    static const char *const lists[] = {"report", "grouping", "note", "opinion"};

    if (stix_id_is_marking(f->id.text) || stix_id_is_extension(f->id.text))
        return STORE_MARKING;
    if (span_is(f->id.type, "identity"))
        return STORE_IDENTITY;
    if (f->class == STIX_SRO)
        return STORE_EDGE;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (span_is(f->id.type, lists[i]))
            return STORE_REPORT;
    }
    return STORE_OTHER;
}

bool
put_is_versioned(const struct stix_facts *f)
{
    return f->class != STIX_SCO && f->modified.text.p != NULL && !stix_id_is_marking(f->id.text);
}

int
put_row_plain(struct exchange *x, const struct put_plain *p, size_t *at, struct err *e)
{
    const struct stix_facts *f = p->facts;
    struct audience a = *p->audience;
    struct store_row row;

    if (audience_number(x, &a, e) != 0)
        return -1;
    row = (struct store_row){
        .id = f->id.text,
        .type = f->id.type,
        .bytes = p->bytes,
        .hash = *p->hash,
        .audience = a.number,
        .publisher = p->publisher != 0 ? p->publisher : ORG_SELF,
        .order = order_of(f),
        .versioned = put_is_versioned(f),
        .modified = f->modified.at,
        .owner = p->owner,
        .revoked = f->revoked,
        .spec20 = f->spec20,
        .confidence = p->confidence,
        .batch = p->batch,
        .index = *p->index,
        .group_version = p->group_version,
        .from = p->from,
    };
    if (p->from == NULL && members_order(x, &a, &row.group_version, e) != 0)
        return -1;
    if (store_put(x->store, &row, at, e) != 0)
        return -1;
    x->commit->bytes += p->bytes.n + 512;
    return 0;
}
