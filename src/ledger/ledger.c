#include "ledger.h"

#include <string.h>
#include "merkle.h"

/* Each kind of thing that is hashed has its own tag, so that none can be shown as another. */
#define STREAM_TAG "jaga stream v1"
#define ENTRY_TAG  "jaga entry v1"

#define ENTRY_FORMAT 1

#define STREAM_NAME_MAX (LEDGER_GROUP_MAX + 128) /* seven lengths, a tag, 50 fixed bytes */

int
stream_id(const struct stream_name *name, struct hash *out, struct err *e)
{
    char mem[STREAM_NAME_MAX];
    const uint8_t exercise = name->exercise;
    struct buf b;

    if (name->group.n == 0 || name->group.n > LEDGER_GROUP_MAX)
        return err_set(e, ERR_RANGE, "a group's id has 1 to 255 bytes");
    buf_init_fixed(&b, mem, sizeof mem);
    buf_field(&b, SPAN(STREAM_TAG));
    buf_field(&b, span_from(name->publisher.b, sizeof name->publisher.b));
    buf_field(&b, span_from(name->incarnation, LEDGER_RANDOM_BYTES));
    buf_field(&b, span_from(&name->label, 1));
    buf_field(&b, name->group);
    buf_field(&b, span_from(name->generation, LEDGER_RANDOM_BYTES));
    buf_field(&b, span_from(&exercise, 1));
    if (b.failed)
        return err_set(e, ERR_INTERNAL, "the name of a stream is too long");
    hash_sha256(buf_view(&b), out);
    return 0;
}

int
entry_encode(const struct entry *en, struct buf *out, struct err *e)
{
    if (en->kind != ENTRY_PUT && en->kind != ENTRY_ERASE)
        return err_set(e, ERR_RANGE, "no such kind of entry");
    if (en->kind == ENTRY_PUT && (en->id.n == 0 || en->id.n > ENTRY_ID_MAX))
        return err_set(e, ERR_RANGE, "an object's id has 1 to 300 bytes");
    if (en->kind == ENTRY_PUT && en->version.n > ENTRY_VERSION_MAX)
        return err_set(e, ERR_RANGE, "an object's version has at most 255 bytes");
    buf_u8(out, ENTRY_FORMAT);
    buf_u8(out, en->kind);
    buf_u64(out, en->group_version);
    if (en->kind == ENTRY_PUT) {
        buf_field(out, en->id);
        buf_field(out, en->version);
        buf_put(out, en->bytes.b, HASH_BYTES);
        buf_u64(out, en->size);
    } else {
        buf_u64(out, en->target);
        buf_put(out, en->target_d.b, HASH_BYTES);
    }
    return out->failed ? err_set(e, ERR_MEMORY, "no room for the header of an entry") : 0;
}

int
entry_decode(struct span s, struct entry *out, struct err *e)
{
    struct reader r = reader_of(s);
    struct entry en = {0};
    unsigned format, kind;

    format = reader_u8(&r);
    kind = reader_u8(&r);
    if (!r.failed && format != ENTRY_FORMAT)
        return err_set_at(e, ERR_PROTOCOL, 0, "an entry of an unknown version");
    if (!r.failed && kind != ENTRY_PUT && kind != ENTRY_ERASE)
        return err_set_at(e, ERR_PROTOCOL, 1, "an entry of an unknown kind");
    en.kind = (enum entry_kind)kind;
    en.group_version = reader_u64(&r);
    if (kind == ENTRY_PUT) {
        en.id = reader_field(&r, ENTRY_ID_MAX);
        en.version = reader_field(&r, ENTRY_VERSION_MAX);
        reader_copy(&r, en.bytes.b, HASH_BYTES);
        en.size = reader_u64(&r);
        if (!r.failed && en.id.n == 0)
            return err_set_at(e, ERR_PROTOCOL, 10, "an entry without an id");
    } else {
        en.target = reader_u64(&r);
        reader_copy(&r, en.target_d.b, HASH_BYTES);
    }
    if (reader_end(&r, e) < 0)
        return -1;
    *out = en;
    return 0;
}

void
entry_commit(const uint8_t salt[ENTRY_SALT_BYTES], struct span header, struct hash *d)
{
    char mem[64];
    struct buf b;

    /* Tag and salt have fixed lengths; with the header's before it, no two inputs share bytes. */
    buf_init_fixed(&b, mem, sizeof mem);
    buf_field(&b, SPAN(ENTRY_TAG));
    buf_field(&b, span_from(salt, ENTRY_SALT_BYTES));
    buf_u32(&b, (uint32_t)header.n);
    const struct span parts[] = {buf_view(&b), header};
    hash_sha256_parts(parts, 2, d);
}

void
entry_leaf(const struct hash *d, struct hash *leaf)
{
    merkle_leaf(span_from(d->b, HASH_BYTES), leaf);
}
