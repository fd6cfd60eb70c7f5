#include "intake.h"

#include <string.h>
#include "json_canon.h"
#include "mem.h"
#include "pattern.h"
#include "stix_object.h"
#include "trigram.h"

struct intake {
    struct json_parser *parser;
    struct buf canonical; /* kept from object to object */
    struct trigram_set *grams;
};

struct intake *
intake_new(void)
{
    struct intake *in = mem_zero(1, sizeof *in);

    if (in == NULL) {
        return NULL;
    }
    buf_init(&in->canonical, JSON_TEXT_MAX);
    in->parser = json_parser_new();
    in->grams = trigram_new();
    if (in->parser == NULL || in->grams == NULL) {
        intake_free(in);
        return NULL;
    }
    return in;
}

void
intake_free(struct intake *in)
{
    if (in == NULL) {
        return;
    }
    json_parser_free(in->parser);
    trigram_free(in->grams);
    buf_clear(&in->canonical);
    mem_free(in);
}

const char *
intake_class_name(enum intake_class c)
{
    static const char *const names[] = {
        [INTAKE_OK] = "ok", [INTAKE_DEFECT] = "kept with defect", [INTAKE_REFUSED] = "refused"};

    return c >= INTAKE_OK && c <= INTAKE_REFUSED ? names[c] : "?";
}

/* What the JSON reader calls an error of that kind, and where that is written. */
static void
json_rule(enum err_code code, const char **rule, const char **clause)
{
    switch (code) {
    case ERR_ENCODING:
        *rule = "json-encoding";
        *clause = "RFC 7493 section 2.1";
        break;
    case ERR_DUPLICATE:
        *rule = "json-duplicate";
        *clause = "RFC 7493 section 2.3";
        break;
    case ERR_RANGE:
        *rule = "json-number";
        *clause = "RFC 7493 section 2.2";
        break;
    case ERR_LIMIT:
        *rule = "limit";
        *clause = "RFC 8259 section 9";
        break;
    default:
        *rule = "json-syntax";
        *clause = "RFC 8259";
        break;
    }
}

/* id and type as far as they are there, cut on a whole character. */
static struct span
shown(struct span s)
{
    size_t n = s.n < INTAKE_ID_MAX ? s.n : INTAKE_ID_MAX;

    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80) {
        n--;
    }
    return span_part(s, 0, n);
}

static int
out_of_memory(struct err *e)
{
    return err_set(e, ERR_MEMORY, "no memory to take an object");
}

/* The list of a report as an array, and those that came before it in the array (none or one). */
static int
put_defects(const struct stix_report *report, struct arena *a, struct intake_result *r,
            struct err *e)
{
    const struct stix_defect *d;
    struct intake_defect *out;
    size_t n = 0;

    for (d = report->first; d != NULL; d = d->next) {
        n++;
    }
    for (int i = 0; i < STIX_SEVERITIES; i++) {
        r->defects_found += report->count[i];
    }
    if (n == 0) {
        return 0;
    }
    out = arena_alloc(a, n * sizeof *out); /* n is at most STIX_DEFECTS_MAX */
    if (out == NULL) {
        return out_of_memory(e);
    }
    r->defects = out;
    for (d = report->first; d != NULL; d = d->next) {
        out[r->defect_count++] = (struct intake_defect){
            .severity = d->severity,
            .rule = span_of(d->rule),
            .clause = span_of(d->clause),
            .pointer = span_of(d->pointer),
            .text = span_of(d->text),
        };
    }
    return 0;
}

/* One defect that refuses the object; id and type stay as they are in *r. */
static int
refuse(struct intake_result *r, struct arena *a, const char *rule, const char *clause,
       struct span pointer, struct span text, struct err *e)
{
    struct intake_defect *d = arena_alloc(a, sizeof *d);

    if (d == NULL) {
        return out_of_memory(e);
    }
    *d = (struct intake_defect){STIX_REFUSE, span_of(rule), span_of(clause), pointer, text};
    *r = (struct intake_result){.class = INTAKE_REFUSED,
                                .id = r->id,
                                .type = r->type,
                                .defects = d,
                                .defect_count = 1,
                                .defects_found = 1,
                                .found.confidence = -1};
    return 0;
}

static int
refuse_json(const struct err *why, struct intake_result *r, struct arena *a, struct err *e)
{
    const char *rule, *clause;
    char *text = arena_printf(a, "%s (byte %zu)", why->text, why->pos);
    char *pointer = arena_dup(a, span_of(why->place));

    if (text == NULL || pointer == NULL) {
        return out_of_memory(e);
    }
    json_rule(why->code, &rule, &clause);
    return refuse(r, a, rule, clause, span_of(pointer), span_of(text), e);
}

/* The rules of the model and of the pattern inside; what it can be found by. */
static int
examine(const struct json *o, const struct stix_head *head, enum intake_profile profile,
        struct arena *a, struct intake_result *r, struct err *e)
{
    struct stix_report report = {0};
    const struct pattern *pattern = NULL;

    if (stix_check(o, head, NULL, a, &report, e) != 0 ||
        (span_is(head->id.type, "indicator") && pattern_check(o, a, &report, &pattern, e) != 0) ||
        put_defects(&report, a, r, e) != 0) {
        return -1;
    }
    if (report.count[STIX_REFUSE] > 0) {
        r->class = INTAKE_REFUSED;
    } else if (report.count[STIX_MUST] > 0) {
        r->class = profile == INTAKE_STRICT ? INTAKE_REFUSED : INTAKE_DEFECT;
    } else {
        r->class = INTAKE_OK;
    }
    if (r->class == INTAKE_REFUSED) {
        return 0;
    }
    return findable_read(o, pattern, a, &r->found, e);
}

static int
canonicalise(struct intake *in, const struct json *o, struct arena *a, struct intake_result *r,
             struct err *e)
{
    buf_reset(&in->canonical);
    json_canonical(o, &in->canonical);
    if (in->canonical.failed) {
        return err_set(e, in->canonical.full ? ERR_LIMIT : ERR_MEMORY,
                       "object is over 16 MiB in canonical form");
    }
    r->canonical = arena_span(a, buf_view(&in->canonical));
    if (r->canonical.p == NULL) {
        return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY,
                       "object needs more memory than it may have");
    }
    hash_sha256(r->canonical, &r->hash);
    return 0;
}

/* Made here, since whoever stores the object has the least time. */
static int
make_grams(struct intake *in, struct arena *a, struct intake_result *r, struct err *e)
{
    const uint32_t *list;
    uint32_t *copy;
    size_t n;

    trigram_reset(in->grams);
    for (size_t i = 0; i < r->found.text_count; i++) {
        if (trigram_add(in->grams, r->found.texts[i]) != 0) {
            return out_of_memory(e);
        }
    }
    list = trigram_list(in->grams, &n);
    copy = arena_alloc(a, (n + 1) * sizeof *copy);
    if (copy == NULL) {
        return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY,
                       "object needs more memory than it may have");
    }
    if (n > 0) {
        memcpy(copy, list, n * sizeof *copy);
    }
    r->grams = copy;
    r->gram_count = n;
    r->found.cut = r->found.cut || trigram_cut(in->grams);
    return 0;
}

/* 0, or -1 with *e: ERR_MEMORY, or ERR_LIMIT where the arena or the canonical form is full. */
static int
take(struct intake *in, struct span text, enum intake_profile profile, struct arena *a,
     struct intake_result *r, struct err *e)
{
    struct err why = ERR_INIT;
    struct stix_defect defect = {0};
    struct stix_head head;
    const struct json *o;

    if (text.n > JSON_TEXT_MAX) {
        return err_set(e, ERR_LIMIT, "object is over 16 MiB");
    }
    o = json_parse(in->parser, text, a, &why);
    if (o == NULL) {
        if (why.code == ERR_MEMORY || (why.code == ERR_LIMIT && arena_full(a))) {
            return err_set(e, why.code, "object needs more memory than it may have");
        }
        return refuse_json(&why, r, a, e);
    }
    r->id = shown(json_text(o, "id"));
    r->type = shown(json_text(o, "type"));
    if (stix_head_read(o, &head, &defect) != 0) {
        return refuse(r, a, defect.rule, defect.clause, span_of(defect.pointer),
                      span_of(defect.text), e);
    }
    if (head.class == STIX_BUNDLE) {
        return refuse(r, a, "nested-bundle", "STIX 2.1 section 8", SPAN("/type"),
                      SPAN("a bundle is no object and cannot stand among them"), e);
    }
    if (examine(o, &head, profile, a, r, e) != 0) {
        return -1;
    }
    if (r->class == INTAKE_REFUSED) {
        return 0;
    }
    return make_grams(in, a, r, e) != 0 ? -1 : canonicalise(in, o, a, r, e);
}

int
intake_object(struct intake *in, struct span text, enum intake_profile profile, struct arena *a,
              struct intake_result *out, struct err *e)
{
    struct arena_mark mark = arena_mark(a);
    struct intake_result r = {.found.confidence = -1};
    struct err why = ERR_INIT;

    if (take(in, text, profile, a, &r, &why) != 0) {
        if (why.code != ERR_LIMIT) {
            return err_set(e, why.code, why.text);
        }
        /* All that was read of it is given back, so that there is room to say so. */
        arena_rewind(a, mark);
        r = (struct intake_result){.found.confidence = -1};
        if (refuse(&r, a, "limit", "RFC 8259 section 9", SPAN(""), span_of(why.text), e) != 0) {
            return -1;
        }
    }
    *out = r;
    return 0;
}
