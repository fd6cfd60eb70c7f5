/* taxii/taxii_next.c - sealing and opening "next". */
#include "taxii_next.h"

#define NEXT_FORMAT 1
#define SCOPE_MAX   4096

static struct span
tag(void)
{
    return SPAN("jaga next v1");
}

void
taxii_next_put(const struct key *k, const struct taxii_next *n, struct buf *out)
{
    struct buf plain, sealed;

    buf_init(&plain, TAXII_NEXT_MAX);
    buf_init(&sealed, TAXII_NEXT_MAX);
    buf_u8(&plain, NEXT_FORMAT);
    buf_u8(&plain, (unsigned)n->kind);
    buf_field(&plain, n->scope);
    buf_i64(&plain, n->after);
    buf_i64(&plain, n->part);
    taxii_filter_put(&n->query, &plain);
    seal(k, buf_view(&plain), tag(), &sealed);
    if (plain.failed || sealed.failed)
        out->failed = true;
    else
        base64url_put(out, sealed.p, sealed.n);
    buf_clear(&sealed);
    buf_clear(&plain);
}

/* The sealed bytes are ours, so only the endpoint can be wrong; a broken form cannot happen
 * unless an older or newer program sealed it, and gets the same answer. */
static int
open_with(const struct key *keys, size_t key_count, struct span sealed, struct buf *plain)
{
    for (size_t i = 0; i < key_count; i++) {
        if (unseal(&keys[i], sealed, tag(), plain) == 0 && !plain->failed)
            return 0;
        buf_reset(plain);
    }
    return -1;
}

int
taxii_next_get(const struct key *keys, size_t key_count, struct span text,
               enum taxii_next_kind kind, struct span scope, struct arena *a,
               struct taxii_next *out, struct err *e)
{
    struct taxii_next n = {.kind = kind, .scope = scope};
    struct buf sealed, plain;
    struct reader r;
    int rc = -1;

    buf_init(&sealed, TAXII_NEXT_MAX);
    buf_init(&plain, TAXII_NEXT_MAX);
    if (text.n > TAXII_NEXT_MAX || !base64url_read(text, &sealed) ||
        open_with(keys, key_count, buf_view(&sealed), &plain) != 0) {
        err_set(e, ERR_SYNTAX, "next is not one that this server gave");
        goto out;
    }
    r = reader_of(arena_span(a, buf_view(&plain)));
    if (reader_u8(&r) != NEXT_FORMAT || reader_u8(&r) != (uint8_t)kind ||
        !span_eq(reader_field(&r, SCOPE_MAX), scope)) {
        err_set(e, ERR_SYNTAX, "next is not one that this server gave");
        goto out;
    }
    n.after = reader_i64(&r);
    n.part = reader_i64(&r);
    if (taxii_filter_get(&r, a, &n.query, e) != 0 || reader_end(&r, e) != 0)
        goto out;
    *out = n;
    rc = 0;
out:
    buf_clear(&plain);
    buf_clear(&sealed);
    return rc;
}
