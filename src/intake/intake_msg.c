#include "intake_msg.h"

#include <endian.h>
#include <string.h>

#include "trigram.h"
#include "utf8.h"

#define MSG_VERSION 2

#define F_DUPLICATE 1u
#define F_CUT       2u
#define F_ALL       3u

#define DEFECT_TEXT_MAX                                                                            \
    1024 /* bytes of each text of a defect; stix and pattern write shorter ones */
#define FROM_ALL        15u /* all bits of enum findable_from */
#define CONFIDENCE_NONE 255u
#define GRAM_BYTES      4u

/* --- writing -------------------------------------------------------------------------------- */

/* At most max bytes, cut on a whole character. */
static struct span
cut(struct span s, size_t max)
{
    size_t n = s.n < max ? s.n : max;

    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80) {
        n--;
    }
    return span_part(s, 0, n);
}

static void
put_defects(const struct intake_result *r, struct buf *out)
{
    buf_u64(out, r->defects_found);
    buf_u32(out, (uint32_t)r->defect_count);
    for (size_t i = 0; i < r->defect_count; i++) {
        const struct intake_defect *d = &r->defects[i];

        buf_u8(out, (unsigned)d->severity);
        buf_field(out, cut(d->rule, DEFECT_TEXT_MAX));
        buf_field(out, cut(d->clause, DEFECT_TEXT_MAX));
        buf_field(out, cut(d->pointer, DEFECT_TEXT_MAX));
        buf_field(out, cut(d->text, DEFECT_TEXT_MAX));
    }
}

/* Hundreds for each object: in one piece, not number by number. */
static void
put_grams(const uint32_t *grams, size_t n, struct buf *out)
{
    char *p;

    buf_u32(out, (uint32_t)n);
    p = buf_room(out, n * GRAM_BYTES);
    for (size_t i = 0; p != NULL && i < n; i++) {
        uint32_t be = htobe32(grams[i]);

        memcpy(p + i * GRAM_BYTES, &be, sizeof be);
    }
}

/* How many of a list of spans fit into *room, which they use up. */
static size_t
fitting(const struct span *list, size_t count, size_t *room)
{
    size_t n;

    for (n = 0; n < count && *room >= 4 && list[n].n <= *room - 4; n++) {
        *room -= 4 + list[n].n;
    }
    return n;
}

/* Values, then labels, then trigrams, as far as there is room. */
static bool
put_found(const struct intake_result *r, size_t room, struct buf *out)
{
    const struct findable *f = &r->found;
    size_t values, labels, grams;

    room -= 1 + 3 * 4; /* confidence and three counts */
    for (values = 0; values < f->value_count && room >= 2 + f->values[values].key.n; values++) {
        room -= 2 + f->values[values].key.n;
    }
    labels = fitting(f->labels, f->label_count, &room);
    grams = r->gram_count < room / GRAM_BYTES ? r->gram_count : room / GRAM_BYTES;
    buf_u8(out, f->confidence < 0 ? CONFIDENCE_NONE : (unsigned)f->confidence);
    buf_u32(out, (uint32_t)values);
    for (size_t i = 0; i < values; i++) {
        buf_u8(out, f->values[i].from);
        buf_u8(out, (unsigned)f->values[i].key.n);
        buf_span(out, f->values[i].key);
    }
    buf_u32(out, (uint32_t)labels);
    for (size_t i = 0; i < labels; i++) {
        buf_field(out, f->labels[i]);
    }
    put_grams(r->grams, grams, out);
    return values == f->value_count && labels == f->label_count && grams == r->gram_count;
}

void
intake_encode(const struct intake_result *r, struct buf *out)
{
    size_t start = out->n;
    size_t flags;

    buf_u8(out, MSG_VERSION);
    buf_u8(out, (unsigned)r->class);
    flags = out->n;
    buf_u8(out, (r->duplicate ? F_DUPLICATE : 0) | (r->found.cut ? F_CUT : 0));
    buf_u64(out, r->index);
    buf_u64(out, r->pos);
    buf_field(out, cut(r->id, INTAKE_ID_MAX));
    buf_field(out, cut(r->type, INTAKE_ID_MAX));
    buf_field(out, r->canonical);
    put_defects(r, out);
    /* Without the rows it is at most JSON_TEXT_MAX and half a megabyte. */
    if (!put_found(r, INTAKE_MSG_MAX - (out->n - start), out) && !out->failed) {
        out->p[flags] = (char)((unsigned char)out->p[flags] | F_CUT);
    }
}

/* --- reading -------------------------------------------------------------------------------- */

static int
broken(struct err *e, const struct reader *r, const char *text)
{
    return err_set_at(e, ERR_PROTOCOL, r->pos, text);
}

static struct span
read_text(struct reader *r, size_t max)
{
    struct span s = reader_field(r, max);

    if (!r->failed && !utf8_valid(s, NULL)) {
        r->failed = true;
    }
    return s;
}

/* Memory for a list of n entries, of which each takes at least least bytes of the message; the
 * count alone, which the sender picks, reserves nothing. */
static void *
room_for(struct reader *r, struct arena *a, size_t n, size_t max, size_t least, size_t size,
         struct err *e)
{
    void *p;

    if (r->failed || n > max || n * least > reader_left(r)) {
        broken(e, r, "a list is longer than allowed");
        return NULL;
    }
    p = arena_zero(a, n + 1, size);
    if (p == NULL) {
        err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no memory for a message");
    }
    return p;
}

static int
read_defects(struct reader *r, struct arena *a, struct intake_result *out, struct err *e)
{
    struct intake_defect *list;
    size_t n;

    out->defects_found = reader_u64(r);
    n = reader_u32(r);
    list = room_for(r, a, n, STIX_DEFECTS_MAX, 1 + 4 * 4, sizeof *list, e);
    if (list == NULL) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned severity = reader_u8(r);

        list[i] = (struct intake_defect){
            .severity = (enum stix_severity)severity,
            .rule = read_text(r, DEFECT_TEXT_MAX),
            .clause = read_text(r, DEFECT_TEXT_MAX),
            .pointer = read_text(r, DEFECT_TEXT_MAX),
            .text = read_text(r, DEFECT_TEXT_MAX),
        };
        if (r->failed || severity >= STIX_SEVERITIES) {
            return broken(e, r, "a defect is malformed");
        }
    }
    if (out->defects_found < n) {
        return broken(e, r, "fewer defects found than told");
    }
    out->defects = list;
    out->defect_count = n;
    return 0;
}

static int
read_values(struct reader *r, struct arena *a, struct findable *f, struct err *e)
{
    struct findable_value *list;
    size_t n = reader_u32(r);

    list = room_for(r, a, n, FINDABLE_VALUES_MAX, 2, sizeof *list, e);
    if (list == NULL) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        struct value v;

        list[i].from = reader_u8(r);
        list[i].key = reader_bytes(r, reader_u8(r));
        if (r->failed || list[i].from == 0 || list[i].from > FROM_ALL ||
            !value_from_key(list[i].key, &v) ||
            (i > 0 && span_cmp(list[i - 1].key, list[i].key) >= 0)) {
            return broken(e, r, "a value is malformed or out of order");
        }
    }
    f->values = list;
    f->value_count = n;
    return 0;
}

static int
read_labels(struct reader *r, struct arena *a, struct findable *f, struct err *e)
{
    struct span *list;
    size_t n = reader_u32(r);

    list = room_for(r, a, n, FINDABLE_LABELS_MAX, 4, sizeof *list, e);
    if (list == NULL) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        /* folding can lengthen a label that fitted before */
        list[i] = read_text(r, 4 * FINDABLE_LABEL_MAX);
        if (r->failed || (i > 0 && span_cmp(list[i - 1], list[i]) >= 0)) {
            return broken(e, r, "a label is malformed or out of order");
        }
    }
    f->labels = list;
    f->label_count = n;
    return 0;
}

static int
read_grams(struct reader *r, struct arena *a, struct intake_result *out, struct err *e)
{
    size_t n = reader_u32(r);
    uint32_t *list = room_for(r, a, n, TRIGRAM_MAX, GRAM_BYTES, sizeof *list, e);
    struct span bytes;

    if (list == NULL) {
        return -1;
    }
    bytes = reader_bytes(r, n * GRAM_BYTES);
    if (n > 0 && bytes.p != NULL) {
        memcpy(list, bytes.p, bytes.n);
    }
    for (size_t i = 0; i < n; i++) {
        list[i] = be32toh(list[i]);
        if (i > 0 && list[i - 1] >= list[i]) {
            return broken(e, r, "a trigram is out of order");
        }
    }
    out->grams = list;
    out->gram_count = n;
    return 0;
}

static int
read_found(struct reader *r, struct arena *a, struct intake_result *out, struct err *e)
{
    struct findable *f = &out->found;
    unsigned confidence = reader_u8(r);

    if (confidence > 100 && confidence != CONFIDENCE_NONE) {
        return broken(e, r, "a confidence is out of range");
    }
    f->confidence = confidence == CONFIDENCE_NONE ? -1 : (int)confidence;
    if (read_values(r, a, f, e) != 0 || read_labels(r, a, f, e) != 0) {
        return -1;
    }
    return read_grams(r, a, out, e);
}

static int
read_head(struct reader *r, struct intake_result *out, struct err *e)
{
    unsigned version = reader_u8(r);
    unsigned class = reader_u8(r);
    unsigned flags = reader_u8(r);

    out->index = reader_u64(r);
    out->pos = reader_u64(r);
    out->id = read_text(r, INTAKE_ID_MAX);
    out->type = read_text(r, INTAKE_ID_MAX);
    out->canonical = reader_field(r, JSON_TEXT_MAX);
    if (r->failed || version != MSG_VERSION || class < INTAKE_OK || class > INTAKE_REFUSED ||
        (flags & ~F_ALL) != 0) {
        return broken(e, r, "the head of an object's message is malformed");
    }
    out->class = (enum intake_class) class;
    out->duplicate = (flags & F_DUPLICATE) != 0;
    out->found.cut = (flags & F_CUT) != 0;
    return 0;
}

/* What was refused has no bytes and is found by nothing, nor is what is said of the bundle around
 * the objects; all else has bytes. */
static bool
consistent(const struct intake_result *r)
{
    if (r->class != INTAKE_REFUSED && r->canonical.n > 0) {
        return r->id.n > 0 && r->type.n > 0;
    }
    return r->class != INTAKE_OK && r->canonical.n == 0 && !r->duplicate && r->defect_count > 0 &&
           r->found.value_count == 0 && r->found.label_count == 0 && r->gram_count == 0;
}

int
intake_decode(struct span message, struct arena *a, struct intake_result *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct intake_result x = {.class = INTAKE_REFUSED};

    if (message.n > INTAKE_MSG_MAX) {
        return err_set(e, ERR_PROTOCOL, "an object's message is too long");
    }
    if (read_head(&r, &x, e) != 0 || read_defects(&r, a, &x, e) != 0 ||
        read_found(&r, a, &x, e) != 0 || reader_end(&r, e) != 0) {
        return -1;
    }
    if (!consistent(&x)) {
        return broken(e, &r, "the parts of an object's message do not fit together");
    }
    if (x.canonical.n > 0) {
        hash_sha256(x.canonical, &x.hash);
    }
    *out = x;
    return 0;
}
