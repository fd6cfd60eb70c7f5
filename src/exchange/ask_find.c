/* exchange/ask_find.c - search, the latest, export, counts. */
#include "inside.h"

#include "batch.h"
#include "findable.h"
#include "fold.h"
#include "stix_builtin.h"
#include "store_find.h"
#include "trigram.h"
#include "value.h"

#define COUNT_TYPES 1024 /* types counted apart; more are counted as "other" */

/* -- what is looked for ---------------------------------------------------------------------------
 */

struct hunt {
    struct session *s;
    const struct view *view;
    struct store_search q;
    struct store_range *ranges;
    struct trigram_query text;
    bool has_text;
    bool nothing; /* what was named does not exist: nothing can match */
    struct buf scratch;
    struct arena *match_arena;
};

/* The part of a view with one label. */
static int
view_label(const struct view *v, enum tlp label, struct arena *a, struct view *out, struct err *e)
{
    struct view_entry *entries = arena_zero(a, v->count + 1, sizeof *entries);
    uint64_t *bits = arena_zero(a, v->bit_words + 1, sizeof *bits);
    size_t n = 0;

    if (entries == NULL || bits == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < v->count; i++) {
        uint32_t number = v->entries[i].audience.number;

        if (v->entries[i].audience.label != label)
            continue;
        entries[n++] = v->entries[i];
        bits[number / 64] |= UINT64_C(1) << number % 64;
    }
    *out = *v;
    out->entries = entries;
    out->count = n;
    out->bits = bits;
    return 0;
}

static int
hunt_view(struct hunt *h, struct err *e)
{
    const struct ask_filter *f = &h->s->q->f;
    const struct store_group *g = NULL;
    struct view *part;
    enum tlp label;

    if (f->group.n > 0 && (g = cast_group_named(&h->s->x->cast, f->group)) == NULL)
        h->nothing = true;
    if (view_of(h->s->x, &h->s->asker, g != NULL ? g->r.number : 0, &h->view, e) != 0)
        return -1;
    if (f->tlp.n == 0)
        return 0;
    if (!tlp_read(f->tlp, &label))
        return err_set(e, ERR_USAGE, "no such label; CLEAR, GREEN, AMBER, AMBER+STRICT or RED");
    part = arena_zero(h->s->a, 1, sizeof *part);
    if (part == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (view_label(h->view, label, h->s->a, part, e) != 0)
        return -1;
    h->view = part;
    return 0;
}

static void
add_ranges(struct hunt *h, const struct value *v)
{
    struct value_range *r = arena_zero(h->s->a, VALUE_RANGES_MAX, sizeof *r);
    size_t n = r != NULL ? value_ranges(v, VALUE_WIDE, r) : 0;

    for (size_t i = 0; i < n && h->q.range_count < STORE_RANGES_MAX; i++)
        h->ranges[h->q.range_count++] =
            (struct store_range){span_from(r[i].lo, r[i].lo_n), span_from(r[i].hi, r[i].hi_n)};
}

/* Whether a text shows by its form that it is an address, a hash, a domain ... */
static bool
shows_value(const struct value *v)
{
    return v->kind != VALUE_FILE_NAME && v->kind != VALUE_MUTEX && v->kind != VALUE_ACCOUNT &&
           v->kind != VALUE_PATH && v->kind != VALUE_REGISTRY && v->kind != VALUE_NONE;
}

static int
hunt_value(struct hunt *h, struct span text, bool by_form, struct err *e)
{
    struct value *guess = arena_zero(h->s->a, VALUE_GUESS_MAX, sizeof *guess);
    size_t n;

    h->ranges = arena_zero(h->s->a, STORE_RANGES_MAX, sizeof *h->ranges);
    if (guess == NULL || h->ranges == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    n = value_guess(text, guess, VALUE_GUESS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!by_form || shows_value(&guess[i]))
            add_ranges(h, &guess[i]);
    }
    h->q.ranges = h->ranges;
    return 0;
}

static int
hunt_external(struct hunt *h, struct span text, struct err *e)
{
    struct value *v = arena_zero(h->s->a, 1, sizeof *v);

    h->ranges = arena_zero(h->s->a, STORE_RANGES_MAX, sizeof *h->ranges);
    if (v == NULL || h->ranges == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (!value_read(VALUE_EXTERNAL, text, v))
        h->nothing = true;
    else
        add_ranges(h, v);
    h->q.ranges = h->ranges;
    return 0;
}

/* The trigrams found candidates; the object's own texts decide. */
static bool
match(void *ctx, struct span bytes)
{
    struct hunt *h = ctx;
    struct exchange *x = h->s->x;
    struct arena_mark m = arena_mark(h->match_arena);
    struct findable found;
    struct err e = ERR_INIT;
    const struct json *tree;
    bool hit = false;

    tree = json_parse(x->json, bytes, h->match_arena, &e);
    if (tree != NULL && findable_read(tree, NULL, h->match_arena, &found, &e) == 0) {
        for (size_t i = 0; i < found.text_count && !hit; i++)
            hit = trigram_match(&h->text, found.texts[i], &h->scratch);
    }
    arena_rewind(h->match_arena, m);
    return hit;
}

static int
hunt_text(struct hunt *h, struct span text, struct err *e)
{
    struct exchange *x = h->s->x;

    if (trigram_query(text, &h->text, e) != 0)
        return -1;
    h->has_text = true;
    if (h->text.gram_count == 0)
        h->nothing = true;
    if (x->json == NULL && (x->json = json_parser_new()) == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    h->match_arena = arena_new(128u << 20);
    if (h->match_arena == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    h->q.grams = h->text.grams;
    h->q.gram_count = h->text.gram_count;
    h->q.match = match;
    h->q.match_ctx = h;
    return 0;
}

static void
hunt_people(struct hunt *h)
{
    const struct ask_filter *f = &h->s->q->f;
    const struct cast *c = &h->s->x->cast;
    const struct store_org *o;

    if (f->publisher.n > 0) {
        o = cast_org_named(c, f->publisher);
        h->q.publisher = o != NULL ? o->r.number : 0;
        h->nothing |= o == NULL;
    }
    if (f->creator.n > 0) {
        o = cast_org_named(c, f->creator);
        h->q.creator = o != NULL && o->identity.n > 0 ? o->identity : f->creator;
    }
}

static int
hunt_begin(struct hunt *h, bool as_value, struct err *e)
{
    struct session *s = h->s;
    const struct ask_filter *f = &s->q->f;
    struct buf folded;

    if (f->value.n > 0 && f->external.n > 0)
        return err_set(e, ERR_USAGE,
                       "look for a value or for an external id, not for both at once");
    if (f->batch != 0 && !s->operator&& !(s->known && s->rights.org == ORG_SELF && s->rights.staff))
        return err_set(e, ERR_DENIED, "batches are for the node's own staff");
    buf_init(&h->scratch, 4u << 20);
    if (hunt_view(h, e) != 0)
        return -1;
    hunt_people(h);
    if ((f->value.n > 0 && hunt_value(h, f->value, false, e) != 0) ||
        (f->external.n > 0 && hunt_external(h, f->external, e) != 0) ||
        (f->text.n > 0 &&
         (as_value ? hunt_value(h, f->text, true, e) : hunt_text(h, f->text, e)) != 0))
        return -1;
    if (f->type.n > 0) {
        h->q.types = &f->type;
        h->q.type_count = 1;
    }
    if (f->label.n > 0) {
        buf_init(&folded, 4096);
        fold_text(f->label, &folded);
        h->q.label = arena_span(s->a, buf_view(&folded));
        buf_clear(&folded);
    }
    h->q.id = f->id;
    h->q.defect = f->defect;
    h->q.since_us = f->since_us;
    h->q.until_us = f->until_us;
    h->q.batch = f->batch;
    h->q.confidence = f->confidence;
    h->q.confidence_min = f->confidence_min;
    h->q.confidence_max = f->confidence_max;
    h->q.revoked = f->revoked;
    h->nothing |= h->q.ranges != NULL && h->q.range_count == 0;
    return 0;
}

static void
hunt_end(struct hunt *h)
{
    if (h->has_text)
        trigram_query_clear(&h->text);
    arena_free(h->match_arena);
    buf_clear(&h->scratch);
}

/* A next is good for the search that gave it. */
static struct span
scope_of(struct session *s, bool as_value)
{
    struct ask only = {.verb = s->q->verb, .f = s->q->f, .exercise = s->q->exercise};
    struct hash h;
    struct buf b;

    buf_init(&b, ASK_MAX);
    ask_encode(&only, &b);
    buf_u8(&b, as_value);
    hash_sha256(buf_view(&b), &h);
    buf_clear(&b);
    return arena_span(s->a, span_from(h.b, sizeof h.b));
}

/* -- search ---------------------------------------------------------------------------------------
 */

static void
serve_all(struct session *s, const struct kept *k)
{
    for (size_t i = 0; i < k->n; i++)
        served_note(s->x, s->asker.principal, k->items[i].audience, k->items[i].date_us);
}

static int
hunt_run(struct session *s, bool as_value, int64_t before, uint32_t limit, struct kept *k,
         struct store_find_end *end, struct err *e)
{
    struct hunt h = {.s = s};
    struct store_find_ask ask = {.before_us = before, .limit = limit, .want = STORE_WANT_BYTES};
    int rc = -1;

    if (hunt_begin(&h, as_value, e) != 0)
        goto out;
    ask.view = h.view;
    rc = h.nothing ? 0 : store_search(s->x->store, &ask, &h.q, keep_item, k, end, e);
out:
    hunt_end(&h);
    return rc;
}

/* A text that shows by its form that it is a value is looked for as one first, so that a pasted
 * address finds its networks and its defanged spellings; where that finds nothing, as a text. */
static int
search(struct session *s, uint32_t limit, struct kept *k, struct store_find_end *end,
       bool *as_value, struct err *e)
{
    struct value *v = arena_zero(s->a, 1, sizeof *v);
    struct err not_this = ERR_INIT;
    int64_t before = 0;
    bool maybe = s->q->f.text.n > 0 && s->q->f.value.n == 0 && s->q->f.external.n == 0;

    if (v == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    maybe = maybe && value_guess(s->q->f.text, v, 1) > 0 && shows_value(v);
    k->a = s->a;
    *as_value = false;
    if (maybe && session_next(s, TAXII_N_SEARCH, scope_of(s, true), &before, &not_this) == 0) {
        if (hunt_run(s, true, before, limit, k, end, e) != 0)
            return -1;
        *as_value = true;
        if (k->n > 0 || end->more || before != 0)
            return 0;
    }
    *as_value = false;
    if (session_next(s, TAXII_N_SEARCH, scope_of(s, false), &before, e) != 0)
        return -1;
    *end = (struct store_find_end){0};
    return hunt_run(s, false, before, limit, k, end, e);
}

static int
ask_search(struct session *s, struct err *e)
{
    struct store_find_end end = {0};
    struct kept k = {0};
    struct json_out o;
    bool as_value;

    if (search(s, session_limit(s, LIST_DEFAULT, LIST_MAX), &k, &end, &as_value, e) != 0)
        return -1;
    serve_all(s, &k);
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_name(&o, "objects");
    json_begin_array(&o);
    for (size_t i = 0; i < k.n; i++) {
        if (put_row(s, &o, &k.items[i], e) != 0)
            return -1;
    }
    json_end_array(&o);
    json_member_bool(&o, "more", end.more);
    if (end.more)
        put_next(s, &o, TAXII_N_SEARCH, scope_of(s, as_value), end.next_us);
    json_end_object(&o);
    return 0;
}

/* -- export ---------------------------------------------------------------------------------------
 */

/* Whether pages of the view can answer it, oldest first. */
static bool
plain_export(const struct ask_filter *f)
{
    return f->text.n == 0 && f->value.n == 0 && f->label.n == 0 && f->publisher.n == 0 &&
           f->creator.n == 0 && f->external.n == 0 && f->defect.n == 0 && f->batch == 0 &&
           !f->confidence && !f->revoked;
}

struct exporting {
    struct session *s;
    struct json_out *o;
    size_t begun, most;
    size_t n;
    bool late; /* the rows beyond "until" begin */
};

static int
take_export(void *ctx, const struct store_item *it, struct err *e)
{
    struct exporting *x = ctx;
    struct buf *out = x->s->out;

    (void)e;
    if (x->s->q->f.until_us != 0 && it->date_us > x->s->q->f.until_us) {
        x->late = true;
        return 1;
    }
    if (x->n > 0 && (out->n - x->begun + it->bytes.n + TAXII_NEXT_MAX > x->most ||
                     (out->fixed && out->cap - out->n < it->bytes.n + TAXII_NEXT_MAX)))
        return 1;
    x->n++;
    json_raw(x->o, it->bytes);
    served_note(x->s->x, x->s->asker.principal, it->audience, it->date_us);
    return 0;
}

static int
export_pages(struct session *s, struct exporting *x, struct err *e)
{
    struct store_filter filter = {.versions = {.last = true}};
    struct store_page_ask ask = {.filter = &filter,
                                 .limit = session_limit(s, 1000, TAXII_LIMIT_MAX),
                                 .want = STORE_WANT_BYTES};
    struct store_page_end end = {0};
    struct hunt h = {.s = s};
    struct span scope = scope_of(s, false);
    const struct ask_filter *f = &s->q->f;

    if (hunt_view(&h, e) != 0 || session_next(s, TAXII_N_EXPORT, scope, &ask.after_us, e) != 0)
        return -1;
    ask.view = h.view;
    if (f->since_us - 1 > ask.after_us)
        ask.after_us = f->since_us - 1;
    filter.types = &f->type;
    filter.type_count = f->type.n > 0;
    filter.ids = &f->id;
    filter.id_count = f->id.n > 0;
    if (!h.nothing && store_page(s->x->store, &ask, take_export, x, &end, e) != 0)
        return -1;
    json_end_array(x->o);
    s->w->more = end.more && !x->late;
    s->w->first_us = end.first_us;
    s->w->last_us = end.last_us;
    json_member_bool(x->o, "more", s->w->more);
    if (s->w->more)
        put_next(s, x->o, TAXII_N_EXPORT, scope, end.last_us);
    return 0;
}

static int
export_search(struct session *s, struct exporting *x, struct err *e)
{
    struct store_find_end end = {0};
    struct kept k = {0};
    bool as_value;

    if (search(s, session_limit(s, 1000, LIST_MAX), &k, &end, &as_value, e) != 0)
        return -1;
    for (size_t i = 0; i < k.n; i++)
        json_raw(x->o, k.items[i].bytes);
    serve_all(s, &k);
    json_end_array(x->o);
    s->w->more = end.more;
    json_member_bool(x->o, "more", end.more);
    if (end.more)
        put_next(s, x->o, TAXII_N_SEARCH, scope_of(s, as_value), end.next_us);
    return 0;
}

static int
ask_export(struct session *s, struct err *e)
{
    struct json_out o;
    struct exporting x = {.s = s, .o = &o, .begun = s->out->n};
    int rc;

    x.most = s->q->bytes != 0 ? s->q->bytes : s->out->max;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_name(&o, "objects");
    json_begin_array(&o);
    rc = plain_export(&s->q->f) ? export_pages(s, &x, e) : export_search(s, &x, e);
    if (rc == 0)
        json_end_object(&o);
    return rc;
}

/* -- counts ---------------------------------------------------------------------------------------
 */

struct tally {
    struct session *s;
    uint64_t labels[TLP_COUNT];
    struct span types[COUNT_TYPES];
    uint64_t of_type[COUNT_TYPES];
    size_t type_count;
    uint64_t other, total;
};

static int
take_count(void *ctx, uint32_t audience, struct span type, uint64_t n)
{
    struct tally *t = ctx;
    const struct audience *a = cast_audience(&t->s->x->cast, audience);
    size_t i = 0;

    t->total += n;
    if (a != NULL)
        t->labels[a->label] += n;
    while (i < t->type_count && !span_eq(t->types[i], type))
        i++;
    if (i == t->type_count) {
        struct span copy = i < COUNT_TYPES ? arena_span(t->s->a, type) : (struct span){0};

        if (copy.n == 0) {
            t->other += n;
            return 0;
        }
        t->types[t->type_count++] = copy;
    }
    t->of_type[i] += n;
    return 0;
}

static int
ask_counts(struct session *s, struct err *e)
{
    struct tally *t = arena_zero(s->a, 1, sizeof *t);
    const struct view *v;
    struct json_out o;

    if (t == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    t->s = s;
    if (session_view(s, &v, e) != 0 || store_counts(s->x->store, v, take_count, t, e) != 0)
        return -1;
    json_out_init(&o, s->out);
    json_begin_object(&o);
    json_member_int(&o, "total", (int64_t)t->total);
    json_name(&o, "labels");
    json_begin_object(&o);
    for (unsigned i = 0; i < TLP_COUNT; i++)
        json_member_int(&o, stix_tlp_name(i), (int64_t)t->labels[i]);
    json_end_object(&o);
    json_name(&o, "types");
    json_begin_object(&o);
    for (size_t i = 0; i < t->type_count; i++) {
        json_name_span(&o, t->types[i]);
        json_uint(&o, t->of_type[i]);
    }
    if (t->other > 0)
        json_member_int(&o, "other", (int64_t)t->other);
    json_end_object(&o);
    json_end_object(&o);
    return 0;
}

int
ask_finding(struct session *s, struct err *e)
{
    switch (s->q->verb) {
    case ASK_SEARCH:
    case ASK_LATEST:
        return ask_search(s, e);
    case ASK_EXPORT:
        return ask_export(s, e);
    default:
        return ask_counts(s, e);
    }
}
