/* exchange/row.c - objects in lists, and pieces of JSON that many answers share. */
#include "inside.h"

#include "batch.h"
#include "stix_builtin.h"
#include "json_canon.h"
#include "taxii_print.h"

#define NAME_CHARS 200 /* of what a person would call an object */

void
put_time(struct json_out *o, const char *name, int64_t us)
{
    char t[TAXII_TIME_MAX];

    taxii_time(us, t);
    json_member_str(o, name, t);
}

void
top_members(struct span bytes, const char *const *names, size_t n, struct span *out)
{
    struct err e = ERR_INIT;
    enum json_token t;
    struct json_canon c;

    for (size_t i = 0; i < n; i++)
        out[i] = (struct span){0};
    json_canon_init(&c, bytes, &e);
    if (json_canon_next(&c) != JSON_T_BEGIN_OBJECT)
        return;
    while ((t = json_canon_next(&c)) > JSON_T_END && t != JSON_T_END_OBJECT) {
        /* A value begins behind its name's quote and colon and ends where the reader stands. */
        size_t from = (size_t)(c.key.p + c.key.n + 2 - bytes.p);
        struct span key = c.key;

        if ((t == JSON_T_BEGIN_OBJECT || t == JSON_T_BEGIN_ARRAY) && json_canon_skip(&c) != 0)
            return;
        for (size_t i = 0; i < n; i++) {
            if (json_canon_is(key, names[i]))
                out[i] = span_part(bytes, from, c.pos - from);
        }
    }
}

struct span
top_member(struct span bytes, const char *name)
{
    struct span out;

    top_members(bytes, &name, 1, &out);
    return out;
}

/* The text of a raw string, unescaped into a; {NULL, 0} for anything else. */
static struct span
text_of(struct span raw, struct arena *a)
{
    char *p;

    if (raw.n < 2 || raw.p[0] != '"')
        return (struct span){0};
    raw = span_part(raw, 1, raw.n - 2);
    p = arena_alloc(a, raw.n + 1);
    return p != NULL ? span_from(p, json_canon_unescape(raw, p)) : (struct span){0};
}

struct span
top_text(struct span bytes, const char *name, struct arena *a)
{
    return text_of(top_member(bytes, name), a);
}

static struct span
version_of(struct span modified, struct span created, int64_t date_us, struct arena *a)
{
    struct span v = text_of(modified, a);
    struct instant at;
    char t[TAXII_TIME_MAX];

    if (v.n == 0 || !instant_read(v, false, &at, NULL))
        v = text_of(created, a);
    if (v.n > 0 && instant_read(v, false, &at, NULL))
        return v;
    taxii_time(date_us, t);
    return arena_span(a, span_of(t));
}

struct span
version_text(struct span bytes, int64_t date_us, struct arena *a)
{
    static const char *const names[] = {"modified", "created", "type"};
    struct span v[3];

    top_members(bytes, names, 3, v);
    /* created and modified mean nothing in an SCO */
    if (stix_class_of(text_of(v[2], a)) == STIX_SCO)
        v[0] = v[1] = (struct span){0};
    return version_of(v[0], v[1], date_us, a);
}

/* At most n code points. */
static struct span
cut_chars(struct span s, size_t n)
{
    size_t at = 0;

    while (at < s.n && n > 0) {
        at++;
        while (at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80)
            at++;
        n--;
    }
    return span_part(s, 0, at);
}

/* What a row shows of an object: in this order in wanted. */
enum {
    W_ID,
    W_TYPE,
    W_MODIFIED,
    W_CREATED,
    W_EDGE,              /* what says more of an edge, which has no name */
    W_NAME = W_EDGE + 4, /* what a person would call it: the first that is there */
    W_COUNT = W_NAME + 13
};
static const char *const wanted[W_COUNT] = {
    "id",         "type",       "modified",        "created", "relationship_type",
    "source_ref", "target_ref", "sighting_of_ref", "name",    "value",
    "pattern",    "path",       "display_name",    "key",     "subject",
    "opinion",    "content",    "abstract",        "user_id", "account_login",
    "description"};

static void
put_what(struct json_out *o, const struct span *v, struct arena *a)
{
    for (size_t i = W_NAME; i < W_COUNT; i++) {
        struct span s = text_of(v[i], a);

        if (s.n > 0) {
            json_member(o, "name", cut_chars(s, NAME_CHARS));
            break;
        }
    }
    for (size_t i = W_EDGE; i < W_NAME; i++) {
        struct span s = text_of(v[i], a);

        if (s.n > 0)
            json_member(o, wanted[i], s);
    }
}

/* Whether the asker may know of batches: the operator, and staff of the node's own organisation. */
static bool
knows_batches(const struct session *s)
{
    return s->operator||(s->known && s->rights.org == ORG_SELF && s->rights.staff);
}

int
put_row(struct session *s, struct json_out *o, const struct store_item *it, struct err *e)
{
    const struct audience *aud = cast_audience(&s->x->cast, it->audience);
    struct arena_mark m = arena_mark(s->a);
    struct store_note *notes = NULL;
    struct span v[W_COUNT], type;
    size_t n = 0;

    top_members(it->bytes, wanted, W_COUNT, v);
    type = text_of(v[W_TYPE], s->a);
    if (aud == NULL || v[W_ID].n == 0)
        return err_set(e, ERR_CORRUPT, "a stored object has no id");
    if (store_defects_get(s->x->store, it->p, s->a, &notes, &n, e) != 0)
        return -1;
    if (stix_class_of(type) == STIX_SCO)
        v[W_MODIFIED] = v[W_CREATED] = (struct span){0};
    json_begin_object(o);
    json_member(o, "id", text_of(v[W_ID], s->a));
    json_member(o, "type", type);
    json_member_str(o, "label", stix_tlp_name((enum stix_tlp)aud->label));
    json_member(o, "group", cast_audience_name(&s->x->cast, aud));
    json_member(o, "version", version_of(v[W_MODIFIED], v[W_CREATED], it->date_us, s->a));
    put_time(o, "date_added", it->date_us);
    json_member(o, "publisher", cast_org_name(&s->x->cast, it->publisher));
    json_member_bool(o, "revoked", it->revoked);
    json_member_bool(o, "exercise", aud->exercise);
    if (knows_batches(s) && it->batch != 0)
        json_member_int(o, "batch", (int64_t)it->batch);
    if (n > 0)
        json_member_int(o, "defects", (int64_t)n);
    put_what(o, v, s->a);
    json_end_object(o);
    arena_rewind(s->a, m);
    return 0;
}

void
put_note(struct json_out *o, const struct store_note *note)
{
    json_begin_object(o);
    if (note->pointer.n > 0)
        json_member(o, "pointer", note->pointer);
    if (note->rule.n > 0)
        json_member(o, "rule", note->rule);
    if (note->clause.n > 0)
        json_member(o, "clause", note->clause);
    json_member(o, "text", note->text);
    json_end_object(o);
}

/* -- rows kept ------------------------------------------------------------------------------------
 */

int
keep_item(void *ctx, const struct store_item *it, struct err *e)
{
    struct kept *k = ctx;
    struct store_item *grown;
    size_t cap;

    if (k->n > 0 && k->bytes + it->bytes.n > KEPT_BYTES)
        return 1;
    if (k->n == k->cap) {
        cap = k->cap == 0 ? 16 : k->cap * 2;
        grown = arena_zero(k->a, cap, sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "out of memory");
        for (size_t i = 0; i < k->n; i++)
            grown[i] = k->items[i];
        k->items = grown;
        k->cap = cap;
    }
    k->items[k->n] = *it;
    k->items[k->n].id = k->items[k->n].type = (struct span){0};
    k->items[k->n].bytes = arena_span(k->a, it->bytes);
    if (it->bytes.n > 0 && k->items[k->n].bytes.n == 0)
        return err_set(e, ERR_MEMORY, "out of memory");
    k->bytes += it->bytes.n;
    k->n++;
    return 0;
}

int
keep_best(struct session *s, struct span id, struct kept *k, struct err *e)
{
    static const struct store_versions last = {.last = true};
    const struct view *v;
    size_t n = 0;

    k->a = s->a;
    if (session_view(s, &v, e) != 0)
        return -1;
    return store_get(s->x->store, v, id, &last, STORE_WANT_BYTES, keep_item, k, &n, e);
}

/* -- audiences ------------------------------------------------------------------------------------
 */

/* Whether any of an organisation may read an audience: its own staff, unless it is RED. */
static bool
org_reads(const struct rights *r, const struct audience *a, uint32_t org)
{
    const struct right_generation *g = rights_generation(r, a->generation);
    const struct right_org *o = rights_org(r, org);

    if (g == NULL || o == NULL)
        return false;
    if (rights_in_generation(g, org))
        return true;
    return a->label <= TLP_GREEN && o->kind == ORG_CONSTITUENT &&
           rights_in_generation(g, o->member);
}

static bool
is_public(const struct rights *r, const struct audience *a)
{
    const struct right_group *g = rights_group(r, a->group);

    return a->label == TLP_CLEAR && g != NULL && g->kind == GROUP_KIND_PUBLIC;
}

static bool
org_read_before(const struct rights *r, const struct audience *seen, size_t n, uint32_t org)
{
    for (size_t i = 0; i < n; i++) {
        if (is_public(r, &seen[i]) || org_reads(r, &seen[i], org))
            return true;
    }
    return false;
}

static bool
public_before(const struct rights *r, const struct audience *seen, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_public(r, &seen[i]))
            return true;
    }
    return false;
}

void
put_readers(struct exchange *x, struct json_out *o, const char *name, const struct audience *a,
            const struct audience *seen, size_t n)
{
    const struct cast *c = &x->cast;

    json_name(o, name);
    json_begin_array(o);
    if (a->label == TLP_RED && n == 0)
        json_string(o, cast_audience_name(c, a));
    else if (is_public(&c->rights, a) && !public_before(&c->rights, seen, n))
        json_str(o, "anyone");
    for (size_t i = 0; a->label != TLP_RED && i < c->org_count; i++) {
        uint32_t org = c->orgs[i].r.number;

        if (org_reads(&c->rights, a, org) && !org_read_before(&c->rights, seen, n, org))
            json_string(o, c->orgs[i].name);
    }
    json_end_array(o);
}

void
put_audience(struct exchange *x, struct json_out *o, const struct audience *a,
             const struct audience *seen, size_t n)
{
    json_begin_object(o);
    json_member_str(o, "label", stix_tlp_name((enum stix_tlp)a->label));
    json_member(o, "group", cast_audience_name(&x->cast, a));
    if (a->exercise)
        json_member_bool(o, "exercise", true);
    put_readers(x, o, "readers", a, NULL, 0);
    put_readers(x, o, "newly", a, seen, n);
    json_end_object(o);
}
