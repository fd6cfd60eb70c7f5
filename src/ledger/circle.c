#include "circle.h"

#include <string.h>
#include "crypto.h"
#include "fixed.h"
#include "json_write.h"
#include "merkle.h"

static const struct hash no_hash;

static int
id_cmp(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

bool
circle_has(const struct circle *c, const struct uuid *member)
{
    size_t from = 0, to = c->member_n;

    while (from < to) {
        const size_t mid = from + (to - from) / 2;
        const int order = id_cmp(&c->members[mid], member);

        if (order == 0)
            return true;
        if (order < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return false;
}

uint64_t
circle_order(const struct circle *c)
{
    return GROUP_ORDER(c->region, c->version);
}

/* ---- structure ---- */

static const char *
people_fault(const struct circle *c)
{
    if (c->member_n == 0 || c->member_n > CIRCLE_MEMBERS_MAX)
        return "a group has 1 to 320 members";
    for (size_t i = 1; i < c->member_n; i++)
        if (id_cmp(&c->members[i - 1], &c->members[i]) >= 0)
            return "members are sorted by id, each once";
    if (!circle_has(c, &c->owner))
        return "the owner is a member";
    if (c->heir_n > CIRCLE_HEIRS_MAX)
        return "a group has at most 8 heirs";
    for (size_t i = 0; i < c->heir_n; i++) {
        if (!circle_has(c, &c->heirs[i]) || id_cmp(&c->heirs[i], &c->owner) == 0)
            return "an heir is a member, and not the owner";
        for (size_t j = 0; j < i; j++)
            if (id_cmp(&c->heirs[j], &c->heirs[i]) == 0)
                return "an heir stands once";
    }
    return NULL;
}

static const char *
circle_fault(const struct circle *c)
{
    const char *wrong;

    if (c->version == 0 || c->version > VERSION_MAX || c->region == 0 || c->region > VERSION_MAX)
        return "a version is 1 to 2^31-1";
    if ((c->version == 1) != hash_eq(&c->previous, &no_hash))
        return "version 1 alone has none before it";
    if (c->version == 1 && (c->past || c->final_n > 0))
        return "version 1 begins a generation and removes nobody";
    if (!fixed_text_ok(c->name, 1, CIRCLE_NAME_MAX, false))
        return "a group's name has 1 to 128 printable bytes";
    if (!fixed_text_ok(c->charter, 0, CIRCLE_CHARTER_MAX, true))
        return "a charter has at most 8192 printable bytes";
    if ((wrong = people_fault(c)) != NULL)
        return wrong;
    if (c->final_n > CIRCLE_FINALS_MAX)
        return "at most 1024 streams end at once";
    for (size_t i = 0; i < c->final_n; i++) {
        if (i > 0 && memcmp(c->finals[i - 1].stream.b, c->finals[i].stream.b, HASH_BYTES) >= 0)
            return "ends of streams are sorted, each once";
        if (c->finals[i].size > MERKLE_SIZE_MAX)
            return "a stream longer than any";
        if (circle_has(c, &c->finals[i].member))
            return "a member's streams do not end";
    }
    return NULL;
}

/* ---- reading and printing ---- */

static void
read_ids(struct fixed *f, const char *name, size_t max, const struct uuid **out, size_t *n)
{
    struct uuid *list = NULL;
    struct span text;

    fixed_list(f, name);
    while (fixed_item(f, SAID_NAME, &text)) {
        list = fixed_grow(f, list, *n, sizeof *list, max);
        if (list == NULL)
            return;
        if (!identity_read(text, &list[*n])) {
            fixed_fail(f, ERR_SYNTAX, "no identity's id");
            return;
        }
        ++*n;
    }
    *out = list;
}

static void
read_finals(struct fixed *f, struct circle *c)
{
    struct stream_end *list = NULL, end;

    fixed_list(f, "finals");
    while (fixed_object(f)) {
        memset(&end, 0, sizeof end);
        fixed_identity(f, "member", &end.member);
        fixed_base64(f, "root", end.root.b, HASH_BYTES);
        end.size = fixed_number(f, "size", 0, MERKLE_SIZE_MAX);
        fixed_hex(f, "stream", end.stream.b, HASH_BYTES);
        fixed_end(f);
        list = fixed_grow(f, list, c->final_n, sizeof end, CIRCLE_FINALS_MAX);
        if (list == NULL)
            return;
        list[c->final_n++] = end;
    }
    c->finals = list;
}

int
circle_read(struct span body, struct arena *a, struct circle *out, struct err *e)
{
    struct circle c = {.version = 0};
    struct fixed f;

    fixed_init(&f, body, CIRCLE_BODY_MAX, a, e);
    fixed_begin(&f, NULL);
    c.charter = fixed_lines(&f, "charter", CIRCLE_CHARTER_MAX);
    read_finals(&f, &c);
    fixed_hex(&f, "generation", c.generation, CIRCLE_GENERATION_BYTES);
    fixed_hex(&f, "group", c.group, GROUP_ID_BYTES);
    read_ids(&f, "heirs", CIRCLE_HEIRS_MAX, &c.heirs, &c.heir_n);
    read_ids(&f, "members", CIRCLE_MEMBERS_MAX, &c.members, &c.member_n);
    c.name = fixed_text(&f, "name", 1, CIRCLE_NAME_MAX);
    fixed_identity(&f, "owner", &c.owner);
    c.past = fixed_bool(&f, "past");
    fixed_hex(&f, "previous", c.previous.b, HASH_BYTES);
    c.region = fixed_number(&f, "region", 1, VERSION_MAX);
    c.version = fixed_number(&f, "version", 1, VERSION_MAX);
    fixed_end(&f);
    if (fixed_finish(&f) < 0)
        return -1;
    if (circle_fault(&c) != NULL)
        return err_set(e, ERR_RULE, circle_fault(&c));
    hash_sha256(body, &c.hash);
    *out = c;
    return 0;
}

static void
print_ids(struct json_out *o, const char *name, const struct uuid *ids, size_t n)
{
    json_name(o, name);
    json_begin_array(o);
    for (size_t i = 0; i < n; i++)
        fixed_put_identity(o, NULL, &ids[i]);
    json_end_array(o);
}

static void
print_finals(struct json_out *o, const struct circle *c)
{
    json_name(o, "finals");
    json_begin_array(o);
    for (size_t i = 0; i < c->final_n; i++) {
        const struct stream_end *end = &c->finals[i];

        json_begin_object(o);
        fixed_put_identity(o, "member", &end->member);
        fixed_put_base64(o, "root", end->root.b, HASH_BYTES);
        json_name(o, "size");
        json_uint(o, end->size);
        fixed_put_hex(o, "stream", end->stream.b, HASH_BYTES);
        json_end_object(o);
    }
    json_end_array(o);
}

int
circle_print(const struct circle *c, struct buf *out, struct err *e)
{
    const size_t before = out->n;
    struct json_out o;

    if (circle_fault(c) != NULL)
        return err_set(e, ERR_RULE, circle_fault(c));
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member(&o, "charter", c->charter);
    print_finals(&o, c);
    fixed_put_hex(&o, "generation", c->generation, CIRCLE_GENERATION_BYTES);
    fixed_put_hex(&o, "group", c->group, GROUP_ID_BYTES);
    print_ids(&o, "heirs", c->heirs, c->heir_n);
    print_ids(&o, "members", c->members, c->member_n);
    json_member(&o, "name", c->name);
    fixed_put_identity(&o, "owner", &c->owner);
    json_member_bool(&o, "past", c->past);
    fixed_put_hex(&o, "previous", c->previous.b, HASH_BYTES);
    json_name(&o, "region");
    json_uint(&o, c->region);
    json_name(&o, "version");
    json_uint(&o, c->version);
    json_end_object(&o);
    if (out->failed)
        return err_set(e, out->full ? ERR_LIMIT : ERR_MEMORY, "no room for a group's body");
    if (out->n - before > CIRCLE_BODY_MAX)
        return err_set(e, ERR_LIMIT, "a body larger than the limit");
    return 0;
}
