#include "stix_id.h"

#include <string.h>
#include "buf.h"
#include "crypto.h"
#include "mem.h"
#include "stix_spec.h"

#define SEPARATOR 2 /* "--" */

/* Contributing properties are a few short values; larger ones (a registry key's values, a file's
 * extensions, an artifact's payload) take memory from the heap. */
#define ID_STACK 1024

bool
stix_type_usable(struct span s)
{
    if (s.n == 0 || s.n > STIX_TYPE_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
        if (c == '-' && s.p[i + 1] == '-') /* the last is no '-', so i + 1 is inside */
            return false;
    }
    return true;
}

bool
stix_id_read(struct span s, struct stix_id *out)
{
    struct stix_id id;
    if (s.n <= UUID_TEXT + SEPARATOR || s.n > STIX_ID_MAX)
        return false;
    size_t n = s.n - UUID_TEXT - SEPARATOR;
    if (s.p[n] != '-' || s.p[n + 1] != '-')
        return false;
    id.text = s;
    id.type = span_part(s, 0, n);
    if (!stix_type_usable(id.type) ||
        !uuid_read_any(span_part(s, n + SEPARATOR, UUID_TEXT), &id.uuid, &id.lower))
        return false;
    *out = id;
    return true;
}

bool
stix_id_is_marking(struct span id)
{
    return span_starts(id, "marking-definition--");
}

bool
stix_id_is_extension(struct span id)
{
    struct stix_id read;
    return span_starts(id, "extension-definition--") && stix_id_read(id, &read);
}

/* STIX 2.1 section 2.9: the namespace of deterministic ids. */
static const struct uuid id_space = {{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01,
                                      0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}};

/* Section 6.7: one hash, the first present of this order, else the first in canonical order (which
 * is that of the tree). */
static const struct json *
chosen_hash(const struct json *hashes)
{
    static const char *const order[] = {"MD5", "SHA-1", "SHA-256", "SHA-512"};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const struct json *h = json_get(hashes, order[i]);
        if (h != NULL)
            return h;
    }
    return hashes->child;
}

static void
put_name(struct buf *b, bool *some, struct span name)
{
    buf_u8(b, *some ? ',' : '{');
    json_put_string(b, name);
    buf_u8(b, ':');
    *some = true;
}

/* The canonical object of the contributing properties, into b; false: there is none of them. */
static bool
put_contributing(const struct json *o, const char *const *from, struct buf *b)
{
    bool some = false;
    for (const struct json *m = o->child; m != NULL && *from != NULL; m = m->next) {
        int c = 1;
        while (*from != NULL && (c = span_cmp(span_of(*from), m->key)) < 0)
            from++;
        if (*from == NULL)
            break;
        if (c != 0)
            continue;
        if (span_is(m->key, "hashes") && m->type == JSON_OBJECT && m->child != NULL) {
            const struct json *h = chosen_hash(m);
            put_name(b, &some, m->key);
            buf_u8(b, '{');
            json_put_string(b, h->key);
            buf_u8(b, ':');
            json_canonical(h, b);
            buf_u8(b, '}');
        } else {
            put_name(b, &some, m->key);
            json_canonical(m, b);
        }
    }
    if (some)
        buf_u8(b, '}');
    return some;
}

int
stix_sco_uuid(const struct json *o, struct uuid *out, struct err *e)
{
    enum stix_type_no t = stix_type_find(json_text(o, "type"));
    char room[ID_STACK];
    struct buf b;
    bool some;
    int result = 0;

    if (t == STIX_TYPE_OTHER || stix_types[t].id_from == NULL)
        return 0;
    buf_init_fixed(&b, room, sizeof(room));
    some = put_contributing(o, stix_types[t].id_from, &b);
    if (b.failed) {
        buf_clear(&b);
        buf_init(&b, JSON_TEXT_MAX * 2); /* more than the text of o can canonicalise to */
        some = put_contributing(o, stix_types[t].id_from, &b);
    }
    if (b.failed) {
        result = err_set(e, ERR_MEMORY, "no memory for a deterministic id");
    } else if (some) {
        uuid_v5(&id_space, buf_view(&b), out);
        result = 1;
    }
    buf_clear(&b);
    return result;
}
