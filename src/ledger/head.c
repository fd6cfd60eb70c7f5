#include "head.h"

#include <stddef.h>
#include <string.h>
#include "merkle.h"
#include "note.h"

#define IDENTITY "identity--"

enum field_kind { FIELD_NUMBER, FIELD_HASH, FIELD_IDENTITY, FIELD_PHASE };

struct field {
    enum field_kind kind;
    const char *tag; /* what stands before it in its line */
    size_t at;       /* in the struct */
    uint64_t max;    /* FIELD_NUMBER */
};

/* What makes one kind differ from another: everything else is written once. */
struct form {
    const char *name; /* in the first line */
    size_t id_bytes;  /* of what it is said, at the struct's start */
    size_t field_n;
    struct field field[6];
    size_t by;   /* the signer in the struct; 0: it follows from the stream */
    size_t sig;  /* the signature in the struct */
    size_t size; /* of the struct */
    bool vote;   /* has rules between its fields */
};

#define NUMBER(S, f, tag, max)                                                                     \
    {                                                                                              \
        FIELD_NUMBER, tag, offsetof(S, f), max                                                     \
    }
#define HASH(S, f)                                                                                 \
    {                                                                                              \
        FIELD_HASH, "", offsetof(S, f), 0                                                          \
    }
#define WHO(S, f)                                                                                  \
    {                                                                                              \
        FIELD_IDENTITY, #f " ", offsetof(S, f), 0                                                  \
    }

static const struct form form_head = {
    "head",
    HASH_BYTES,
    4,
    {NUMBER(struct head, size, "", MERKLE_SIZE_MAX), HASH(struct head, root),
     NUMBER(struct head, group_order, "group ", GROUP_ORDER_MAX),
     NUMBER(struct head, time_us, "time ", INT64_MAX)},
    0,
    offsetof(struct head, sig),
    sizeof(struct head),
    false,
};

static const struct form form_receipt = {
    "receipt",
    HASH_BYTES,
    5,
    {NUMBER(struct receipt, size, "", MERKLE_SIZE_MAX), HASH(struct receipt, root),
     NUMBER(struct receipt, group_order, "group ", GROUP_ORDER_MAX),
     NUMBER(struct receipt, time_us, "time ", INT64_MAX), WHO(struct receipt, by)},
    offsetof(struct receipt, by),
    offsetof(struct receipt, sig),
    sizeof(struct receipt),
    false,
};

static const struct form form_erase_notice = {
    "erase",
    HASH_BYTES,
    3,
    {NUMBER(struct erase_notice, index, "", MERKLE_SIZE_MAX - 1), HASH(struct erase_notice, d),
     NUMBER(struct erase_notice, time_us, "time ", INT64_MAX)},
    0,
    offsetof(struct erase_notice, sig),
    sizeof(struct erase_notice),
    false,
};

static const struct form form_vote = {
    "vote",
    HASH_BYTES,
    6,
    {NUMBER(struct vote, version, "", VERSION_MAX),
     NUMBER(struct vote, ballot, "", BALLOT_MAX),
     HASH(struct vote, value),
     {FIELD_PHASE, "", offsetof(struct vote, phase), 0},
     NUMBER(struct vote, accepted, "accepted ", BALLOT_MAX),
     WHO(struct vote, by)},
    offsetof(struct vote, by),
    offsetof(struct vote, sig),
    sizeof(struct vote),
    true,
};

static const struct form form_circle_mark = {
    "group",
    GROUP_ID_BYTES,
    3,
    {NUMBER(struct circle_mark, order, "", GROUP_ORDER_MAX), HASH(struct circle_mark, body),
     WHO(struct circle_mark, by)},
    offsetof(struct circle_mark, by),
    offsetof(struct circle_mark, sig),
    sizeof(struct circle_mark),
    false,
};

static const struct form form_out_notice = {
    "out",
    GROUP_ID_BYTES,
    3,
    {NUMBER(struct out_notice, order, "", GROUP_ORDER_MAX), WHO(struct out_notice, member),
     WHO(struct out_notice, by)},
    offsetof(struct out_notice, by),
    offsetof(struct out_notice, sig),
    sizeof(struct out_notice),
    false,
};

/* Room for any of the structs. */
union any {
    struct head head;
    struct receipt receipt;
    struct erase_notice erase_notice;
    struct vote vote;
    struct circle_mark circle_mark;
    struct out_notice out_notice;
};

static uint64_t
number_at(const void *s, const struct field *f)
{
    uint64_t v;

    memcpy(&v, (const char *)s + f->at, sizeof v);
    return v;
}

static void
number_set(void *s, const struct field *f, uint64_t v)
{
    memcpy((char *)s + f->at, &v, sizeof v);
}

void
identity_name(const struct uuid *id, char out[SAID_NAME + 1])
{
    memcpy(out, IDENTITY, sizeof IDENTITY - 1);
    uuid_print(id, out + sizeof IDENTITY - 1);
}

bool
identity_read(struct span s, struct uuid *out)
{
    return span_starts(s, IDENTITY) && uuid_read(span_part(s, sizeof IDENTITY - 1, s.n), out);
}

/* What holds between the fields of a vote: an accept names its own ballot, a promise an earlier
 * one, or none and then no value. */
static const char *
vote_fault(const struct vote *v)
{
    static const struct hash none;
    const bool empty = hash_eq(&v->value, &none);

    if (v->phase != VOTE_PROMISE && v->phase != VOTE_ACCEPT)
        return "a vote of no phase";
    if (v->version == 0 || v->ballot == 0)
        return "versions and ballots start at 1";
    if (v->phase == VOTE_ACCEPT && (v->accepted != v->ballot || empty))
        return "an accept is of a value, in its own ballot";
    if (v->phase == VOTE_PROMISE && (v->accepted >= v->ballot || (v->accepted == 0) != empty))
        return "a promise tells of an earlier ballot with its value, or of none";
    return NULL;
}

static const char *
fault(const struct form *form, const void *s)
{
    for (size_t i = 0; i < form->field_n; i++) {
        const struct field *f = &form->field[i];

        if (f->kind == FIELD_NUMBER && number_at(s, f) > f->max)
            return "a number over its limit";
    }
    return form->vote ? vote_fault((const struct vote *)s) : NULL;
}

static int
room(const struct buf *out, struct err *e)
{
    if (out->failed)
        return err_set(e, out->full ? ERR_LIMIT : ERR_MEMORY, "no room for what is signed");
    return 0;
}

/* ---- text ---- */

static void
put_field(const struct field *f, const void *s, struct buf *out)
{
    const char *at = (const char *)s + f->at;
    char name[SAID_NAME + 1];
    struct uuid id;

    buf_str(out, f->tag);
    switch (f->kind) {
    case FIELD_NUMBER:
        buf_decimal(out, number_at(s, f));
        break;
    case FIELD_HASH:
        base64_put(out, at, HASH_BYTES);
        break;
    case FIELD_IDENTITY:
        memcpy(&id, at, sizeof id);
        identity_name(&id, name);
        buf_str(out, name);
        break;
    case FIELD_PHASE:
        buf_str(out, ((const struct vote *)s)->phase == VOTE_ACCEPT ? "accept" : "promise");
        break;
    }
    buf_put(out, "\n", 1);
}

static int
said_text(const struct form *form, const void *s, struct buf *out, struct err *e)
{
    const char *wrong = fault(form, s);

    if (wrong != NULL)
        return err_set(e, ERR_RANGE, wrong);
    buf_str(out, "jaga/");
    buf_str(out, form->name);
    buf_str(out, "/1/");
    hex_put(out, s, form->id_bytes);
    buf_put(out, "\n", 1);
    for (size_t i = 0; i < form->field_n; i++)
        put_field(&form->field[i], s, out);
    return room(out, e);
}

static bool
hash_read(struct span s, void *out)
{
    char mem[HASH_BYTES + 2];
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    if (!base64_read(s, &b) || b.n != HASH_BYTES)
        return false;
    memcpy(out, mem, HASH_BYTES);
    return true;
}

static bool
field_read(const struct field *f, struct span line, void *s)
{
    char *at = (char *)s + f->at;
    struct uuid id;
    uint64_t v;

    if (!span_starts(line, f->tag))
        return false;
    line = span_part(line, strlen(f->tag), line.n);
    switch (f->kind) {
    case FIELD_NUMBER:
        if (!span_u64(line, f->max, &v))
            return false;
        number_set(s, f, v);
        return true;
    case FIELD_HASH:
        return hash_read(line, at);
    case FIELD_IDENTITY:
        if (!identity_read(line, &id))
            return false;
        memcpy(at, &id, sizeof id);
        return true;
    case FIELD_PHASE:
        ((struct vote *)s)->phase = span_is(line, "accept") ? VOTE_ACCEPT : VOTE_PROMISE;
        return span_is(line, "accept") || span_is(line, "promise");
    }
    return false;
}

/* Each line is read strictly, and then the whole is printed and compared: whatever a reader of one
 * line let pass, what is accepted is what is signed. */
static int
said_parse(const struct form *form, struct span text, void *out, struct err *e)
{
    char mem[SAID_TEXT_MAX];
    struct span left = text, line;
    size_t i = 0, at = 0;
    union any any;
    struct buf b;
    ptrdiff_t end;

    memset(&any, 0, sizeof any);
    buf_init_fixed(&b, mem, sizeof mem);
    buf_str(&b, "jaga/");
    buf_str(&b, form->name);
    buf_str(&b, "/1/");
    while ((end = span_find(left, '\n')) >= 0 && i <= form->field_n) {
        line = span_part(left, 0, (size_t)end);
        if (i > 0) {
            if (!field_read(&form->field[i - 1], line, &any))
                return err_set_at(e, ERR_SYNTAX, at, "a line that does not stand there");
        } else if (line.n < b.n || memcmp(line.p, b.p, b.n) != 0 ||
                   !hex_read(span_part(line, b.n, line.n), (uint8_t *)&any, form->id_bytes)) {
            return err_set_at(e, ERR_SYNTAX, 0, "a first line of another kind");
        }
        at += (size_t)end + 1;
        left = span_part(text, at, text.n);
        i++;
    }
    if (i != form->field_n + 1 || left.n != 0)
        return err_set_at(e, ERR_SYNTAX, at, "lines are missing, or too many");
    if (fault(form, &any) != NULL)
        return err_set_at(e, ERR_SYNTAX, 0, fault(form, &any));
    buf_reset(&b);
    if (said_text(form, &any, &b, e) < 0)
        return -1;
    if (!span_eq(buf_view(&b), text))
        return err_set_at(e, ERR_SYNTAX, 0, "not the one form of this text");
    memcpy(out, &any, form->size);
    return 0;
}

/* ---- compact ---- */

static int
said_encode(const struct form *form, const void *s, struct buf *out, struct err *e)
{
    const char *wrong = fault(form, s), *at = s;

    if (wrong != NULL)
        return err_set(e, ERR_RANGE, wrong);
    buf_put(out, s, form->id_bytes);
    for (size_t i = 0; i < form->field_n; i++) {
        const struct field *f = &form->field[i];

        if (f->kind == FIELD_NUMBER)
            buf_u64(out, number_at(s, f));
        else if (f->kind == FIELD_PHASE)
            buf_u8(out, ((const struct vote *)s)->phase);
        else
            buf_put(out, at + f->at, f->kind == FIELD_HASH ? HASH_BYTES : sizeof(struct uuid));
    }
    buf_put(out, at + form->sig, SIGNATURE_BYTES);
    return room(out, e);
}

static int
said_decode(const struct form *form, struct span bytes, void *out, struct err *e)
{
    struct reader r = reader_of(bytes);
    union any any;
    char *at = (char *)&any;

    memset(&any, 0, sizeof any);
    reader_copy(&r, at, form->id_bytes);
    for (size_t i = 0; i < form->field_n; i++) {
        const struct field *f = &form->field[i];

        if (f->kind == FIELD_NUMBER)
            number_set(&any, f, reader_u64(&r));
        else if (f->kind == FIELD_PHASE)
            any.vote.phase = (enum vote_phase)reader_u8(&r);
        else
            reader_copy(&r, at + f->at, f->kind == FIELD_HASH ? HASH_BYTES : sizeof(struct uuid));
    }
    reader_copy(&r, at + form->sig, SIGNATURE_BYTES);
    if (reader_end(&r, e) < 0)
        return -1;
    if (fault(form, &any) != NULL)
        return err_set_at(e, ERR_PROTOCOL, 0, fault(form, &any));
    memcpy(out, &any, form->size);
    return 0;
}

/* ---- signatures ---- */

static int
said_sign(const struct form *form, void *s, const struct signer *signer, struct err *e)
{
    char mem[SAID_TEXT_MAX];
    struct signature sig;
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    if (said_text(form, s, &b, e) < 0 || signer->sign(signer->arg, buf_view(&b), &sig, e) < 0)
        return -1;
    memcpy((char *)s + form->sig, &sig, sizeof sig);
    return 0;
}

static bool
by_ok(const struct form *form, const void *s, const struct uuid *signer)
{
    return form->by == 0 || memcmp((const char *)s + form->by, signer, sizeof *signer) == 0;
}

static bool
said_ok(const struct form *form, const void *s, const struct uuid *signer,
        const struct sign_public *key)
{
    char mem[SAID_TEXT_MAX];
    struct signature sig;
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    if (!by_ok(form, s, signer) || said_text(form, s, &b, NULL) < 0)
        return false;
    memcpy(&sig, (const char *)s + form->sig, sizeof sig);
    return sign_ok(key, buf_view(&b), &sig);
}

static int
said_note(const struct form *form, const void *s, const struct uuid *signer,
          const struct sign_public *key, struct buf *out, struct err *e)
{
    char mem[SAID_TEXT_MAX], name[SAID_NAME + 1];
    struct signature sig;
    struct buf b;

    buf_init_fixed(&b, mem, sizeof mem);
    if (said_text(form, s, &b, e) < 0)
        return -1;
    if (!by_ok(form, s, signer))
        return err_set(e, ERR_RANGE, "signed by another than it says");
    identity_name(signer, name);
    memcpy(&sig, (const char *)s + form->sig, sizeof sig);
    return note_put(buf_view(&b), span_of(name), key, &sig, out, e);
}

static int
said_note_read(const struct form *form, struct span note, const struct uuid *signer,
               const struct sign_public *key, void *out, struct err *e)
{
    char name[SAID_NAME + 1];
    struct signature sig;
    struct note n;
    union any any;

    if (note_read(note, &n, e) < 0 || said_parse(form, n.text, &any, e) < 0)
        return -1;
    identity_name(signer, name);
    if (!by_ok(form, &any, signer) || note_verify(&n, span_of(name), key, &sig) != NOTE_SIGNED)
        return err_set(e, ERR_AUTH, "not signed by that member");
    memcpy((char *)&any + form->sig, &sig, sizeof sig);
    memcpy(out, &any, form->size);
    return 0;
}

/* The functions that the header promises, of one kind. */
#define SAID_DEFINE(T, S)                                                                          \
    int T##_text(const S *s, struct buf *out, struct err *e)                                       \
    {                                                                                              \
        return said_text(&form_##T, s, out, e);                                                    \
    }                                                                                              \
    int T##_parse(struct span text, S *out, struct err *e)                                         \
    {                                                                                              \
        return said_parse(&form_##T, text, out, e);                                                \
    }                                                                                              \
    int T##_encode(const S *s, struct buf *out, struct err *e)                                     \
    {                                                                                              \
        return said_encode(&form_##T, s, out, e);                                                  \
    }                                                                                              \
    int T##_decode(struct span bytes, S *out, struct err *e)                                       \
    {                                                                                              \
        return said_decode(&form_##T, bytes, out, e);                                              \
    }                                                                                              \
    int T##_sign(S *s, const struct signer *signer, struct err *e)                                 \
    {                                                                                              \
        return said_sign(&form_##T, s, signer, e);                                                 \
    }                                                                                              \
    bool T##_ok(const S *s, const struct uuid *signer, const struct sign_public *key)              \
    {                                                                                              \
        return said_ok(&form_##T, s, signer, key);                                                 \
    }                                                                                              \
    int T##_note(const S *s, const struct uuid *signer, const struct sign_public *key,             \
                 struct buf *out, struct err *e)                                                   \
    {                                                                                              \
        return said_note(&form_##T, s, signer, key, out, e);                                       \
    }                                                                                              \
    int T##_note_read(struct span note, const struct uuid *signer, const struct sign_public *key,  \
                      S *out, struct err *e)                                                       \
    {                                                                                              \
        return said_note_read(&form_##T, note, signer, key, out, e);                               \
    }                                                                                              \
    _Static_assert(offsetof(S, sig) + sizeof(struct signature) <= sizeof(union any), #T)

SAID_DEFINE(head, struct head);
SAID_DEFINE(receipt, struct receipt);
SAID_DEFINE(erase_notice, struct erase_notice);
SAID_DEFINE(vote, struct vote);
SAID_DEFINE(circle_mark, struct circle_mark);
SAID_DEFINE(out_notice, struct out_notice);
