/* exchange/batch.c - from BEGIN to END. */
#include "batch.h"

#include <stdio.h>
#include <string.h>

#include "intake_msg.h"
#include "mem.h"

#define BATCH_ARENA  (96u << 20)
#define KEPT_ARENA   (2 * SPOOL_KEPT) /* it is asked for less, and what is read takes some more */
#define CAUSE_TEXT   200              /* bytes of a cause's text */
#define CAUSE_TEXTS  8                /* different texts of one rule that are counted apart */
#define UNSEEN_SHOWN 100              /* references that a dry run names of one object */

static const char *const outcome_names[OUTCOMES] = {
    [OUT_NEW] = "new",
    [OUT_NEW_VERSION] = "new version",
    [OUT_KNOWN] = "known",
    [OUT_VARIANT] = "variant",
    [OUT_COPY] = "copy",
    [OUT_PROPOSAL] = "proposal",
    [OUT_DUPLICATE] = "duplicate in the file",
    [OUT_DEFECT] = "kept with defect",
    [OUT_WAITING] = "waiting",
    [OUT_REFUSED] = "refused",
};

static const char other_texts[] = "the same rule, for other values";

const char *
outcome_name(enum outcome o)
{
    return o >= OUT_NEW && o < OUTCOMES ? outcome_names[o] : "?";
}

/* -- one batch ------------------------------------------------------------------------------------
 */

static struct batch *
batch_make(struct exchange *x)
{
    struct batch *b = mem_zero(1, sizeof *b);

    if (b == NULL)
        return NULL;
    b->x = x;
    b->arena = arena_new(BATCH_ARENA);
    b->awaited = map_new(2 * SPOOL_OBJECTS);
    b->in_spool = map_new(2 * SPOOL_OBJECTS);
    b->wanted = map_new(SPOOL_OBJECTS);
    b->overlaid = map_new(OVERLAY_MAX);
    b->meanings = map_new(4096);
    b->went = map_new(SPOOL_OBJECTS);
    b->broken = ERR_INIT;
    buf_init(&b->items_out, ITEMS_BYTES);
    b->kept = arena_new(KEPT_ARENA);
    if (b->arena != NULL)
        b->causes = arena_zero(b->arena, CAUSES_MAX, sizeof *b->causes);
    if (b->causes == NULL || b->kept == NULL || b->awaited == NULL || b->in_spool == NULL ||
        b->wanted == NULL || b->overlaid == NULL || b->meanings == NULL || b->went == NULL) {
        batch_free(b);
        return NULL;
    }
    return b;
}

void
batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    spool_clear(b);
    map_free(b->awaited);
    map_free(b->in_spool);
    map_free(b->wanted);
    map_free(b->overlaid);
    map_free(b->meanings);
    map_free(b->went);
    mem_free(b->overlay);
    mem_free(b->wants);
    mem_free(b->markings);
    buf_clear(&b->items_out);
    arena_free(b->kept);
    arena_free(b->arena);
    mem_free(b);
}

struct batch *
batch_find(struct exchange_link *l, uint32_t handle)
{
    struct batch *b = l->batches;

    while (b != NULL && b->handle != handle)
        b = b->next;
    return b;
}

static void
batch_unlink(struct exchange_link *l, struct batch *b)
{
    struct batch **at = &l->batches;

    while (*at != NULL && *at != b)
        at = &(*at)->next;
    if (*at != NULL)
        *at = b->next;
}

void
batch_dirty(struct batch *b)
{
    if (b->dirty || b->way.dry)
        return;
    b->dirty = true;
    b->next_dirty = b->x->commit->first;
    b->x->commit->first = b;
}

/* Room for one more entry of a list that grows. */
static int
list_grow(void **list, size_t *cap, size_t n, size_t size, struct err *e)
{
    size_t more = *cap == 0 ? 16 : *cap * 2;
    void *p;

    if (n < *cap)
        return 0;
    p = mem_resize(*list, more * size);
    if (p == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    *list = p;
    *cap = more;
    return 0;
}

int
batch_want(struct batch *b, struct span id, const struct audience *target, struct err *e)
{
    uint64_t first = 0;
    void *list = b->wants;

    if (map_get(b->wanted, id, &first)) {
        for (uint64_t at = first; at != 0; at = b->wants[at - 1].next) {
            if (audience_same(&b->wants[at - 1].audience, target))
                return 0;
        }
    }
    if (b->want_count == SPOOL_OBJECTS)
        return 0; /* it will be missing there, as it is for everybody */
    if (list_grow(&list, &b->want_cap, b->want_count, sizeof *b->wants, e) != 0)
        return -1;
    b->wants = list;
    b->wants[b->want_count++] = (struct want){first, *target};
    if (map_put(b->wanted, id, b->want_count, NULL) < 0)
        return err_set(e, ERR_MEMORY, "out of memory");
    return 0;
}

int
batch_went_along(struct batch *b, struct span id, const struct audience *target, bool *fresh,
                 struct err *e)
{
    char key[STIX_ID_MAX + 32];
    struct buf k;
    int rc;

    buf_init_fixed(&k, key, sizeof key);
    buf_u8(&k, (unsigned)target->label * 2 + (target->exercise ? 1 : 0));
    buf_u32(&k, target->group);
    buf_u32(&k, target->generation);
    buf_u32(&k, target->person);
    buf_span(&k, id);
    *fresh = true;
    if (k.failed || map_count(b->went) == SPOOL_OBJECTS)
        return 0; /* looked up each time then */
    rc = map_put(b->went, buf_view(&k), 1, NULL);
    if (rc < 0)
        return err_set(e, ERR_MEMORY, "out of memory");
    *fresh = rc == 1;
    return 0;
}

/* -- what became of it ----------------------------------------------------------------------------
 */

static const char *
keep_text(struct batch *b, struct span s)
{
    char *p = arena_dup(b->arena, span_part(s, 0, CAUSE_TEXT));

    return p != NULL ? p : "";
}

/* The entry to count: of one rule a few different texts are kept apart, the rest together. */
static struct cause *
find_cause(struct batch *b, enum outcome o, const struct store_note *n, bool *crowded)
{
    struct span text = span_part(n->text, 0, CAUSE_TEXT);
    struct cause *others = NULL;
    unsigned texts = 0;

    for (size_t i = 0; i < b->cause_count; i++) {
        struct cause *c = &b->causes[i];

        if (c->outcome != o || !span_is(n->rule, c->rule) || !span_is(n->clause, c->clause))
            continue;
        if (span_is(text, c->text))
            return c;
        if (strcmp(c->text, other_texts) == 0)
            others = c;
        texts++;
    }
    *crowded = texts >= CAUSE_TEXTS;
    return *crowded ? others : NULL;
}

static void
count_cause(struct batch *b, enum outcome o, const struct store_note *note)
{
    static const struct store_note none;
    const struct store_note *n = note != NULL ? note : &none;
    bool crowded = false;
    struct cause *c = find_cause(b, o, n, &crowded);

    if (c == NULL && b->cause_count < CAUSES_MAX) {
        c = &b->causes[b->cause_count++];
        *c = (struct cause){o, keep_text(b, n->rule), keep_text(b, n->clause),
                            crowded ? other_texts : keep_text(b, n->text), 0};
    }
    if (c != NULL)
        c->count++;
}

int
batch_write_causes(struct batch *b, struct err *e)
{
    if (b->number == 0)
        return 0;
    for (size_t i = 0; i < b->cause_count; i++) {
        struct store_cause c = {(uint32_t)b->causes[i].outcome, span_of(b->causes[i].rule),
                                span_of(b->causes[i].clause), span_of(b->causes[i].text),
                                b->causes[i].count};

        if (c.count > 0 && store_batch_count(b->x->store, b->number, &c, e) != 0)
            return -1;
    }
    for (size_t i = 0; i < b->cause_count; i++)
        b->causes[i].count = 0;
    return 0;
}

static void
put_dry(struct batch *b, struct json_out *o, const struct verdict_item *v)
{
    json_name(o, "audiences");
    json_begin_array(o);
    for (size_t i = 0; i < v->target_count; i++)
        put_audience(b->x, o, &v->targets[i], v->seen, v->seen_count);
    json_end_array(o);
    if (v->unseen_count == 0)
        return;
    json_name(o, "unseen_refs");
    json_begin_array(o);
    for (size_t i = 0; i < v->unseen_count && i < UNSEEN_SHOWN; i++) {
        json_begin_object(o);
        json_member(o, "id", v->unseen[i]);
        json_member_str(o, "readers", "some of these readers");
        json_end_object(o);
    }
    json_end_array(o);
}

static void
put_item(struct batch *b, uint64_t index, const struct verdict_item *v)
{
    size_t before = b->items_out.n;
    struct json_out o;

    if (b->items_cut)
        return;
    if (before > 0)
        buf_u8(&b->items_out, ',');
    json_out_init(&o, &b->items_out);
    json_begin_object(&o);
    json_member_int(&o, "n", (int64_t)index);
    if (v->id.n > 0)
        json_member(&o, "id", v->id);
    if (v->version.n > 0)
        json_member(&o, "version", v->version);
    json_member_str(&o, "outcome", outcome_name(v->outcome));
    json_name(&o, "messages");
    json_begin_array(&o);
    for (size_t i = 0; i < v->note_count; i++)
        put_note(&o, &v->notes[i]);
    json_end_array(&o);
    if (b->way.dry)
        put_dry(b, &o, v);
    json_end_object(&o);
    if (b->items_out.failed) { /* what fitted stands, and the answer says that it is not all */
        b->items_out.failed = false;
        buf_cut(&b->items_out, before);
        b->items_cut = true;
    }
}

/* Whether a report has something to say of this one.  Hints alone (a property of somebody's own, a
 * value outside an open vocabulary) are counted and not listed: feeds have them by the million. */
static bool
worth_an_item(const struct verdict_item *v)
{
    return v->broken || v->note_count > v->defect_notes || v->outcome == OUT_VARIANT ||
           v->outcome == OUT_PROPOSAL || v->outcome == OUT_WAITING || v->outcome == OUT_REFUSED;
}

void
verdict_reset(struct verdict_item *v)
{
    v->outcome = 0;
    v->id = v->version = (struct span){0};
    v->note_count = v->defect_notes = v->target_count = v->seen_count = v->unseen_count = 0;
    v->broken = false;
    v->seen = NULL;
    v->unseen = NULL;
}

int
batch_note(struct batch *b, uint64_t index, const struct verdict_item *v, struct err *e)
{
    struct store_batch_item it = {
        .n = index,
        .outcome = (uint32_t)v->outcome,
        .id = v->id,
        .version = v->version,
        .notes = v->notes,
        .note_count = v->note_count,
    };

    b->counts[v->outcome]++;
    /* A row of the report for each defect of the object; an object without any counts once. */
    for (size_t i = 0; i < v->note_count; i++)
        count_cause(b, v->outcome, &v->notes[i]);
    count_cause(b, v->outcome, NULL);
    if (b->items)
        put_item(b, index, v);
    /* TAXII's status names each object. */
    if (b->number == 0 || (!b->taxii && !worth_an_item(v)))
        return 0;
    return store_item_put(b->x->store, b->number, &it, e);
}

/* -- one object -----------------------------------------------------------------------------------
 */

/* Markings that came are remembered for what waits in pending. */
static int
arrived(struct batch *b, const struct verdict_item *v, struct err *e)
{
    void *list = b->markings;

    if (v->id.n == 0 || v->outcome == OUT_REFUSED)
        return 0;
    spool_arrived(b, v->id);
    if (b->way.dry || !stix_id_is_marking(v->id) || v->target_count == 0)
        return 0;
    if (list_grow(&list, &b->marking_cap, b->marking_count, sizeof *b->markings, e) != 0)
        return -1;
    b->markings = list;
    b->markings[b->marking_count] = arena_span(b->arena, v->id);
    if (b->markings[b->marking_count].p == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    b->marking_count++;
    return 0;
}

int
batch_decide(struct batch *b, uint64_t index, struct putting *p, enum put_when when,
             enum put_done *done, struct put_block *block, struct err *e)
{
    struct verdict_item *v = &b->verdict;

    batch_dirty(b);
    verdict_reset(v);
    if (put_go(p, when, done, block, v, e) != 0)
        return -1;
    if (*done == PUT_SPOOL)
        return 0;
    return batch_note(b, index, v, e) != 0 || arrived(b, v, e) != 0 ? -1 : 0;
}

int
batch_decode(struct span payload, struct arena *a, struct intake_result *r, struct err *e)
{
    struct span copy = arena_span(a, payload);

    if (copy.p == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    return intake_decode(copy, a, r, e);
}

/* -- the messages ---------------------------------------------------------------------------------
 */

/* Numbers count what others sent: they are for the operator and the own organisation's staff. */
static int64_t
shown_number(const struct batch *b)
{
    return b->numbered ? (int64_t)b->number : 0;
}

/* What is named and is not there is refused where it is not for the poster, too: so that nobody
 * learns which groups and people there are. */
static int
asked_for(struct batch *b, const struct tell *t, struct err *e)
{
    const struct cast *c = &b->x->cast;
    bool local = b->way.asker.channel == CHANNEL_LOCAL;
    const struct store_principal *p;
    const struct store_group *g;

    if (t->label.n > 0) {
        if (!tlp_read(t->label, &b->way.label))
            return err_set(e, ERR_USAGE, "no such label; CLEAR, GREEN, AMBER, AMBER+STRICT or RED");
        b->way.asked = true;
    }
    if (t->group.n > 0) {
        g = cast_group_named(c, t->group);
        if (g == NULL && local)
            return err_set(e, ERR_MISSING, "no such group");
        b->way.group = g != NULL ? g->r.number : NOT_THERE;
    }
    if (t->person.n > 0) {
        p = cast_principal_named(c, t->person);
        if ((p == NULL || p->r.kind != PRINCIPAL_PERSON) && local)
            return err_set(e, ERR_MISSING, "no such person");
        b->way.person = p != NULL ? p->r.number : NOT_THERE;
    }
    return 0;
}

/* A collection fixes side and group. */
static int
asked_collection(struct batch *b, const struct tell *t, struct arena *a, struct err *e)
{
    struct collection c;

    b->way.asker.channel = CHANNEL_TOKEN;
    if (collection_find(b->x, &b->way.asker, t->collection, a, &c, e) != 0)
        return -1;
    if (!c.can_write)
        return err_set(e, ERR_DENIED, "you may read this collection and not write to it");
    b->way.asker.exercise = c.exercise;
    b->way.group = c.group;
    b->taxii = true;
    return 0;
}

static int
batch_register(struct batch *b, const struct tell *t, struct err *e)
{
    struct store_batch row = {.principal = b->way.asker.principal,
                              .source = span_part(t->source, 0, 1024),
                              .collection = b->taxii ? t->collection : (struct span){0}};
    struct uuid id;

    if (b->way.dry)
        return 0;
    if (b->taxii) {
        uuid_v4(&id);
        uuid_print(&id, b->token);
        row.token = span_of(b->token);
    }
    if (store_batch_begin(b->x->store, &row, e) != 0)
        return -1;
    b->number = row.n;
    b->begun_us = row.begun_us;
    return commit_flush(b->x, e);
}

int
tell_begin(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
           struct err *e)
{
    struct batch *b;
    struct right_principal poster;
    struct json_out o;

    if (batch_find(l, t->handle) != NULL)
        return err_set(e, ERR_PROTOCOL, "a batch of that handle is under way");
    b = batch_make(l->x);
    if (b == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    b->handle = t->handle;
    b->items = t->items;
    b->way.dry = t->dry;
    b->way.quarantine = b->quarantine = t->quarantine;
    b->way.keep_narrow = t->keep_narrow;
    b->way.strict = t->profile == TELL_P_STRICT;
    if (commit_begin(l->x, e) != 0 || teller_of(l, t, &b->way.asker, &b->expiry_us, e) != 0)
        goto fail;
    b->way.asker.exercise = t->exercise;
    b->numbered = l->caller.kind == CALLER_LOCAL;
    if (rights_effective(&l->x->cast.rights, b->way.asker.principal, now_us(l->x), &poster)) {
        b->numbered = b->numbered || (poster.org == ORG_SELF && poster.staff);
        if (poster.quarantine)
            b->way.quarantine = b->quarantine = true; /* so that release finds it */
    }
    if (asked_for(b, t, e) != 0 || (t->collection.n > 0 && asked_collection(b, t, a, e) != 0) ||
        strict_for(l->x, b->way.asker.principal, b->way.group, &b->way.strict, e) != 0 ||
        batch_register(b, t, e) != 0)
        goto fail;
    b->next = l->batches;
    l->batches = b;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_int(&o, "batch", shown_number(b));
    json_end_object(&o);
    return 0;
fail:
    batch_free(b);
    return -1;
}

static int
still_in_force(struct batch *b, struct err *e)
{
    if (now_us(b->x) >= b->expiry_us)
        return err_set(e, ERR_AUTH, "the login has run out under way; renew it at each flush");
    return 0;
}

/* What is said of the bundle itself, which is no object: it is reported and not counted. */
static void
note_wrapper(struct batch *b, const struct intake_result *r)
{
    batch_dirty(b);
    for (size_t i = 0; i < r->defect_count; i++) {
        struct store_note note = {r->defects[i].pointer, r->defects[i].rule, r->defects[i].clause,
                                  r->defects[i].text};

        count_cause(b, OUT_DEFECT, &note);
    }
}

/* Whether what is read from an object will stand until its turn comes: it is likely to wait as the
 * one before it did. */
static bool
may_keep(struct batch *b, size_t n)
{
    if (b->spool == NULL && arena_used(b->kept) > 0 && b->kept_commit != b->x->commit->serial)
        arena_reset(b->kept); /* nothing of it waits, and its rows have been written */
    return b->keeping && n <= SPOOL_KEPT_ONE && arena_used(b->kept) + n < SPOOL_KEPT;
}

static int
take_object(struct batch *b, const struct tell *t, struct err *e)
{
    struct intake_result *r;
    struct putting *p;
    struct put_block block = {0};
    enum put_done done;
    struct arena *a = b->x->commit->arena;
    struct arena_mark m;
    bool keep;

    if (still_in_force(b, e) != 0 || commit_begin(b->x, e) != 0)
        return -1;
    b->way.asker.now_us = now_us(b->x);
    keep = may_keep(b, t->payload.n);
    if (keep) {
        a = b->kept;
        b->kept_commit = b->x->commit->serial;
    }
    m = arena_mark(a);
    r = arena_zero(a, 1, sizeof *r);
    if (r == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    if (batch_decode(t->payload, a, r, e) != 0)
        return -1;
    if (r->canonical.n == 0 && r->class != INTAKE_REFUSED) {
        note_wrapper(b, r);
        return 0;
    }
    b->objects++;
    p = put_new(b->x, b, &b->way, r, a, e);
    if (p == NULL || batch_decide(b, r->index, p, PUT_NOW, &done, &block, e) != 0)
        return -1;
    b->keeping = done == PUT_SPOOL;
    if (done == PUT_SPOOL) {
        if (spool_add(b, t->payload, &block, r, keep ? p : NULL, e) != 0)
            return -1;
        if (!keep)
            arena_rewind(a, m); /* it is read anew when its turn comes */
    }
    if (commit_maybe(b->x, e) != 0 || spool_soon(b, e) != 0)
        return -1;
    return spool_full(b) ? spool_run(b, false, e) : 0;
}

int
tell_object(struct exchange_link *l, const struct tell *t, struct err *e)
{
    struct batch *b = batch_find(l, t->handle);
    struct err why = ERR_INIT;

    if (b == NULL)
        return err_set(e, ERR_PROTOCOL, "no batch of that handle");
    if (b->broken.code != ERR_NONE)
        return 0; /* told at the next flush or end */
    if (take_object(b, t, &why) == 0)
        return 0;
    if (why.code != ERR_AUTH && why.code != ERR_PROTOCOL)
        commit_drop(l->x, &why);
    if (b->broken.code == ERR_NONE)
        b->broken = why;
    return 0;
}

/* A fresh ticket goes on for the same principal. */
static int
renew(struct exchange_link *l, struct batch *b, const struct tell *t, struct err *e)
{
    struct asker who;
    int64_t expiry;

    if (t->ticket.n == 0)
        return still_in_force(b, e);
    if (teller_of(l, t, &who, &expiry, e) != 0)
        return -1;
    if (who.principal != b->way.asker.principal)
        return err_set(e, ERR_AUTH, "another login than the one that began the batch");
    b->expiry_us = expiry;
    b->way.asker.now_us = who.now_us;
    return 0;
}

static int
usable(struct exchange_link *l, const struct tell *t, struct batch **out, struct err *e)
{
    struct batch *b = batch_find(l, t->handle);

    if (b == NULL)
        return err_set(e, ERR_PROTOCOL, "no batch of that handle");
    if (b->broken.code != ERR_NONE) {
        *e = b->broken;
        return -1;
    }
    if (commit_begin(l->x, e) != 0 || renew(l, b, t, e) != 0)
        return -1;
    *out = b;
    return 0;
}

int
tell_flush(struct exchange_link *l, const struct tell *t, struct buf *out, struct err *e)
{
    struct batch *b = NULL;
    struct json_out o;

    if (usable(l, t, &b, e) != 0)
        return -1;
    if (spool_run(b, false, e) != 0) {
        commit_drop(l->x, e);
        return -1;
    }
    if (commit_flush(l->x, e) != 0)
        return -1;
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_int(&o, "batch", shown_number(b));
    json_member_int(&o, "objects", (int64_t)b->objects);
    json_end_object(&o);
    return 0;
}

static const char *
state_name(const struct batch *b)
{
    return b->way.dry ? "dry run" : b->quarantine ? "quarantine" : "done";
}

static int
finish(struct batch *b, struct err *e)
{
    struct exchange *x = b->x;

    if (spool_run(b, true, e) != 0 || commit_begin(x, e) != 0)
        return -1;
    for (size_t i = 0; i < b->marking_count; i++) {
        if (pending_marking(x, b->markings[i], e) != 0 || commit_begin(x, e) != 0)
            return -1;
    }
    if (b->way.dry)
        return commit_flush(x, e);
    batch_dirty(b);
    if (store_batch_state(x->store, b->number,
                          b->quarantine ? STORE_BATCH_QUARANTINE : STORE_BATCH_DONE, e) != 0)
        return -1;
    return commit_flush(x, e);
}

static void
put_counts(struct batch *b, struct json_out *o)
{
    json_name(o, "counts");
    json_begin_object(o);
    for (unsigned i = OUT_NEW; i < OUTCOMES; i++) {
        if (b->counts[i] > 0)
            json_member_int(o, outcome_name(i), (int64_t)b->counts[i]);
    }
    json_end_object(o);
}

static int
answer_taxii(struct batch *b, struct arena *a, struct buf *out, struct err *e)
{
    struct store_batch row;
    int rc;

    if (commit_begin(b->x, e) != 0)
        return -1;
    rc = store_batch_get(b->x->store, b->number, a, &row, e);
    if (rc == 1)
        rc = put_status(b->x, &row, &b->way.asker, a, out, e);
    else if (rc == 0)
        rc = err_set(e, ERR_INTERNAL, "a batch has gone");
    store_abort(b->x->store);
    return rc;
}

/* Ends a batch whose sender went away: what was decided stays. */
static void
cut(struct exchange_link *l, struct batch *b)
{
    struct err e = ERR_INIT;

    if (b->number != 0) {
        if (commit_begin(l->x, &e) != 0 ||
            store_batch_state(l->x->store, b->number, STORE_BATCH_CUT, &e) != 0)
            commit_drop(l->x, &e);
        else if (b->broken.code == ERR_NONE)
            batch_dirty(b);
    }
    (void)commit_flush(l->x, NULL);
    batch_unlink(l, b);
    batch_free(b);
}

static void
put_end(struct batch *b, struct buf *out)
{
    struct json_out o;

    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_int(&o, "batch", shown_number(b));
    put_counts(b, &o);
    json_member_str(&o, "state", state_name(b));
    if (b->items) {
        json_name(&o, "items");
        json_begin_array(&o);
        if (b->items_out.n > 0)
            json_raw(&o, buf_view(&b->items_out));
        json_end_array(&o);
        if (b->items_cut)
            json_member_bool(&o, "items_cut", true);
    }
    json_end_object(&o);
}

int
tell_end(struct exchange_link *l, const struct tell *t, struct arena *a, struct buf *out,
         struct err *e)
{
    struct batch *b = batch_find(l, t->handle);
    int rc;

    if (usable(l, t, &b, e) != 0) {
        if (b != NULL)
            cut(l, b);
        return -1;
    }
    rc = finish(b, e);
    if (rc != 0) {
        commit_drop(l->x, e);
        cut(l, b);
        return -1;
    }
    if (b->taxii && !b->way.dry)
        rc = answer_taxii(b, a, out, e);
    else
        put_end(b, out);
    batch_unlink(l, b);
    batch_free(b);
    return rc;
}

int
tell_abort(struct exchange_link *l, const struct tell *t, struct buf *out, struct err *e)
{
    struct batch *b = batch_find(l, t->handle);
    struct json_out o;

    if (b == NULL)
        return err_set(e, ERR_PROTOCOL, "no batch of that handle");
    json_out_init(&o, out);
    json_begin_object(&o);
    json_member_int(&o, "batch", shown_number(b));
    json_end_object(&o);
    cut(l, b);
    return 0;
}

struct exchange_link *
exchange_link_new(struct exchange *x, const struct caller *who)
{
    struct exchange_link *l = mem_zero(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->x = x;
    l->caller = *who;
    return l;
}

void
exchange_link_free(struct exchange_link *l)
{
    if (l == NULL)
        return;
    while (l->batches != NULL)
        cut(l, l->batches);
    pull_free(l->pull);
    mem_free(l);
}
