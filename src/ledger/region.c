#include "region.h"

#include <string.h>
#include "crypto.h"
#include "fixed.h"
#include "json_write.h"
#include "merkle.h"

_Static_assert(REGION_MEMBERS_MAX <= 64, "a region_set has a bit for each");

static const struct hash no_hash;

static int
id_cmp(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

int
region_place(const struct region *r, const struct uuid *id)
{
    size_t from = 0, to = r->member_n;

    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        const int c = id_cmp(&r->members[mid].id, id);

        if (c == 0)
            return (int)mid;
        if (c < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return -1;
}

const struct region_member *
region_member(const struct region *r, const struct uuid *id)
{
    const int place = region_place(r, id);

    return place < 0 ? NULL : &r->members[place];
}

size_t
region_majority(const struct region *r)
{
    return r->member_n / 2 + 1;
}

/* ---- structure ---- */

static bool
country_ok(struct span s)
{
    return s.n == 0 ||
           (s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z');
}

static bool
address_ok(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~') /* bytes over 0x7f are negative, or over it */
            return false;
    return s.n <= REGION_ADDRESS_MAX;
}

static const char *
members_fault(const struct region *r)
{
    if (r->member_n == 0 || r->member_n > REGION_MEMBERS_MAX)
        return "a region has 1 to 64 members";
    for (size_t i = 0; i < r->member_n; i++) {
        const struct region_member *m = &r->members[i];

        if (i > 0 && id_cmp(&r->members[i - 1].id, &m->id) >= 0)
            return "members are sorted by id, each once";
        if (!fixed_text_ok(m->name, 1, REGION_NAME_MAX, false))
            return "a member's name has 1 to 128 printable bytes";
        if (!country_ok(m->country))
            return "a country is two capital letters, or empty";
        if (!address_ok(m->address))
            return "an address has no white space, and at most 255 bytes";
        if (m->since == 0 || m->since > r->version)
            return "a member joined in a version up to this one";
        if (!sign_public_ok(&m->key))
            return "a member's key is none";
        for (size_t j = 0; j < i; j++)
            if (sign_public_eq(&r->members[j].key, &m->key))
                return "two members with one key";
    }
    return region_place(r, &r->coordinator) < 0 ? "the coordinator is a member" : NULL;
}

static const char *
partner_fault(const struct region *r, size_t i)
{
    const struct region_partner *p = &r->partners[i];

    if (i > 0 && id_cmp(&r->partners[i - 1].id, &p->id) >= 0)
        return "partners are sorted by id, each once";
    if (region_place(r, &p->id) >= 0)
        return "a partner is no member";
    if (!fixed_text_ok(p->name, 1, REGION_NAME_MAX, false))
        return "a partner's name has 1 to 128 printable bytes";
    if (p->ends_us > REGION_TIME_MAX)
        return "a time is at most 2^53-1 microseconds";
    if (p->group_n > REGION_GROUPS_MAX)
        return "a partner is in at most 64 groups";
    for (size_t j = 1; j < p->group_n; j++)
        if (memcmp(p->groups[j - 1].b, p->groups[j].b, GROUP_ID_BYTES) >= 0)
            return "a partner's groups are sorted, each once";
    if (!p->has_key)
        return NULL;
    if (!sign_public_ok(&p->key))
        return "a partner's key is none";
    for (size_t j = 0; j < r->member_n; j++)
        if (sign_public_eq(&r->members[j].key, &p->key))
            return "a partner with a member's key";
    for (size_t j = 0; j < i; j++)
        if (r->partners[j].has_key && sign_public_eq(&r->partners[j].key, &p->key))
            return "two partners with one key";
    return NULL;
}

static const char *
removed_fault(const struct region *r, size_t i)
{
    const struct region_removed *x = &r->removed[i];

    if (i > 0 && id_cmp(&r->removed[i - 1].id, &x->id) >= 0)
        return "who is removed is sorted by id, each once";
    if (region_place(r, &x->id) >= 0)
        return "who is removed is no member";
    if (x->final_n > REGION_FINALS_MAX)
        return "at most 1024 streams end with a member";
    for (size_t j = 0; j < x->final_n; j++) {
        if (j > 0 && memcmp(x->finals[j - 1].stream.b, x->finals[j].stream.b, HASH_BYTES) >= 0)
            return "ends of streams are sorted, each once";
        if (x->finals[j].size > MERKLE_SIZE_MAX)
            return "a stream longer than any";
        if (id_cmp(&x->finals[j].member, &x->id) != 0)
            return "the end of another's stream";
    }
    return NULL;
}

static const char *
region_fault(const struct region *r)
{
    const char *wrong;

    if (r->version == 0 || r->version > VERSION_MAX)
        return "a version is 1 to 2^31-1";
    if ((r->version == 1) != hash_eq(&r->previous, &no_hash))
        return "version 1 alone has none before it";
    if (!fixed_text_ok(r->name, 1, REGION_NAME_MAX, false))
        return "a region's name has 1 to 128 printable bytes";
    if ((wrong = members_fault(r)) != NULL)
        return wrong;
    if (r->partner_n > REGION_PARTNERS_MAX)
        return "a region has at most 256 partners";
    for (size_t i = 0; i < r->partner_n; i++)
        if ((wrong = partner_fault(r, i)) != NULL)
            return wrong;
    if (r->removed_n > REGION_MEMBERS_MAX)
        return "at most 64 members are removed at once";
    for (size_t i = 0; i < r->removed_n; i++)
        if ((wrong = removed_fault(r, i)) != NULL)
            return wrong;
    return NULL;
}

/* ---- reading ---- */

static void
read_members(struct fixed *f, struct region *r)
{
    struct region_member *list = NULL, m;

    fixed_list(f, "members");
    while (fixed_object(f)) {
        memset(&m, 0, sizeof m);
        m.address = fixed_text(f, "address", 0, REGION_ADDRESS_MAX);
        m.country = fixed_text(f, "country", 0, 2);
        fixed_identity(f, "id", &m.id);
        fixed_base64(f, "key", m.key.b, SIGN_PUBLIC_BYTES);
        m.name = fixed_text(f, "name", 1, REGION_NAME_MAX);
        m.since = fixed_number(f, "since", 1, VERSION_MAX);
        fixed_end(f);
        list = fixed_grow(f, list, r->member_n, sizeof m, REGION_MEMBERS_MAX);
        if (list == NULL)
            return;
        list[r->member_n++] = m;
    }
    r->members = list;
}

static void
read_groups(struct fixed *f, struct region_partner *p)
{
    struct region_group *list = NULL;
    struct span text;

    fixed_list(f, "groups");
    while (fixed_item(f, 2 * (size_t)GROUP_ID_BYTES, &text)) {
        list = fixed_grow(f, list, p->group_n, sizeof *list, REGION_GROUPS_MAX);
        if (list == NULL)
            return;
        if (!hex_read(text, list[p->group_n].b, GROUP_ID_BYTES)) {
            fixed_fail(f, ERR_SYNTAX, "not so many bytes in hexadecimal");
            return;
        }
        for (size_t i = 0; i < text.n; i++)
            if (text.p[i] >= 'A' && text.p[i] <= 'F')
                fixed_fail(f, ERR_SYNTAX, "hexadecimal is written in lower case");
        p->group_n++;
    }
    p->groups = list;
}

static void
read_partners(struct fixed *f, struct region *r)
{
    struct region_partner *list = NULL, p;
    char mem[SIGN_PUBLIC_BYTES + 2];
    struct span key;
    struct buf b;

    fixed_list(f, "partners");
    while (fixed_object(f)) {
        memset(&p, 0, sizeof p);
        p.ends_us = fixed_number(f, "ends", 0, REGION_TIME_MAX);
        read_groups(f, &p);
        fixed_identity(f, "id", &p.id);
        key = fixed_text(f, "key", 0, 2 * (size_t)SIGN_PUBLIC_BYTES);
        p.has_key = key.n > 0;
        buf_init_fixed(&b, mem, sizeof mem);
        if (p.has_key && (!base64_read(key, &b) || b.n != SIGN_PUBLIC_BYTES))
            fixed_fail(f, ERR_SYNTAX, "not so many bytes in Base64");
        else if (p.has_key)
            memcpy(p.key.b, mem, SIGN_PUBLIC_BYTES);
        p.name = fixed_text(f, "name", 1, REGION_NAME_MAX);
        fixed_end(f);
        list = fixed_grow(f, list, r->partner_n, sizeof p, REGION_PARTNERS_MAX);
        if (list == NULL)
            return;
        list[r->partner_n++] = p;
    }
    r->partners = list;
}

static void
read_finals(struct fixed *f, struct region_removed *x)
{
    struct stream_end *list = NULL, end;

    fixed_list(f, "finals");
    while (fixed_object(f)) {
        memset(&end, 0, sizeof end);
        fixed_base64(f, "root", end.root.b, HASH_BYTES);
        end.size = fixed_number(f, "size", 0, MERKLE_SIZE_MAX);
        fixed_hex(f, "stream", end.stream.b, HASH_BYTES);
        fixed_end(f);
        list = fixed_grow(f, list, x->final_n, sizeof end, REGION_FINALS_MAX);
        if (list == NULL)
            return;
        list[x->final_n++] = end;
    }
    fixed_identity(f, "id", &x->id);
    for (size_t i = 0; i < x->final_n; i++)
        list[i].member = x->id;
    x->finals = list;
}

static void
read_removed(struct fixed *f, struct region *r)
{
    struct region_removed *list = NULL, x;

    fixed_list(f, "removed");
    while (fixed_object(f)) {
        memset(&x, 0, sizeof x);
        read_finals(f, &x);
        fixed_end(f);
        list = fixed_grow(f, list, r->removed_n, sizeof x, REGION_MEMBERS_MAX);
        if (list == NULL)
            return;
        list[r->removed_n++] = x;
    }
    r->removed = list;
}

int
region_read(struct span body, struct arena *a, struct region *out, struct err *e)
{
    struct region r = {.version = 0};
    struct fixed f;

    fixed_init(&f, body, REGION_BODY_MAX, a, e);
    fixed_begin(&f, NULL);
    fixed_identity(&f, "coordinator", &r.coordinator);
    read_members(&f, &r);
    r.name = fixed_text(&f, "name", 1, REGION_NAME_MAX);
    read_partners(&f, &r);
    fixed_hex(&f, "previous", r.previous.b, HASH_BYTES);
    read_removed(&f, &r);
    r.version = fixed_number(&f, "version", 1, VERSION_MAX);
    fixed_end(&f);
    if (fixed_finish(&f) < 0)
        return -1;
    if (region_fault(&r) != NULL)
        return err_set(e, ERR_RULE, region_fault(&r));
    hash_sha256(body, &r.hash);
    *out = r;
    return 0;
}

/* ---- printing ---- */

static void
print_partner(struct json_out *o, const struct region_partner *p)
{
    json_begin_object(o);
    json_name(o, "ends");
    json_uint(o, p->ends_us);
    json_name(o, "groups");
    json_begin_array(o);
    for (size_t i = 0; i < p->group_n; i++)
        fixed_put_hex(o, NULL, p->groups[i].b, GROUP_ID_BYTES);
    json_end_array(o);
    fixed_put_identity(o, "id", &p->id);
    fixed_put_base64(o, "key", p->key.b, p->has_key ? SIGN_PUBLIC_BYTES : 0);
    json_member(o, "name", p->name);
    json_end_object(o);
}

static void
print_removed(struct json_out *o, const struct region_removed *x)
{
    json_begin_object(o);
    json_name(o, "finals");
    json_begin_array(o);
    for (size_t i = 0; i < x->final_n; i++) {
        json_begin_object(o);
        fixed_put_base64(o, "root", x->finals[i].root.b, HASH_BYTES);
        json_name(o, "size");
        json_uint(o, x->finals[i].size);
        fixed_put_hex(o, "stream", x->finals[i].stream.b, HASH_BYTES);
        json_end_object(o);
    }
    json_end_array(o);
    fixed_put_identity(o, "id", &x->id);
    json_end_object(o);
}

static void
print_members(struct json_out *o, const struct region *r)
{
    json_name(o, "members");
    json_begin_array(o);
    for (size_t i = 0; i < r->member_n; i++) {
        const struct region_member *m = &r->members[i];

        json_begin_object(o);
        json_member(o, "address", m->address);
        json_member(o, "country", m->country);
        fixed_put_identity(o, "id", &m->id);
        fixed_put_base64(o, "key", m->key.b, SIGN_PUBLIC_BYTES);
        json_member(o, "name", m->name);
        json_name(o, "since");
        json_uint(o, m->since);
        json_end_object(o);
    }
    json_end_array(o);
}

int
region_print(const struct region *r, struct buf *out, struct err *e)
{
    const size_t before = out->n;
    struct json_out o;

    if (region_fault(r) != NULL)
        return err_set(e, ERR_RULE, region_fault(r));
    json_out_init(&o, out);
    json_begin_object(&o);
    fixed_put_identity(&o, "coordinator", &r->coordinator);
    print_members(&o, r);
    json_member(&o, "name", r->name);
    json_name(&o, "partners");
    json_begin_array(&o);
    for (size_t i = 0; i < r->partner_n; i++)
        print_partner(&o, &r->partners[i]);
    json_end_array(&o);
    fixed_put_hex(&o, "previous", r->previous.b, HASH_BYTES);
    json_name(&o, "removed");
    json_begin_array(&o);
    for (size_t i = 0; i < r->removed_n; i++)
        print_removed(&o, &r->removed[i]);
    json_end_array(&o);
    json_name(&o, "version");
    json_uint(&o, r->version);
    json_end_object(&o);
    if (out->failed)
        return err_set(e, out->full ? ERR_LIMIT : ERR_MEMORY, "no room for a region's body");
    if (out->n - before > REGION_BODY_MAX)
        return err_set(e, ERR_LIMIT, "a body larger than the limit");
    return 0;
}
