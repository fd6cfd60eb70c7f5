#include "proof_file.h"

#include <string.h>

#include "note.h"

#define FIRST "jaga/proof/1"

/* -- writing -- */

static void
put_hex(struct buf *out, const char *name, const void *p, size_t n)
{
    buf_printf(out, "%s ", name);
    hex_put(out, p, n);
    buf_str(out, "\n");
}

static void
put_base64(struct buf *out, const char *name, const void *p, size_t n)
{
    buf_printf(out, "%s ", name);
    base64_put(out, p, n);
    buf_str(out, "\n");
}

static bool
group_ok(struct span g)
{
    for (size_t i = 0; i < g.n; i++) {
        if (g.p[i] < 0x21 || g.p[i] > 0x7e)
            return false;
    }
    return g.n > 0 && g.n <= LEDGER_GROUP_MAX;
}

int
proof_file_write(const struct proof_file *p, struct buf *out, struct err *e)
{
    char id[SAID_NAME + 1];

    if (!group_ok(p->name.group) || p->header.n == 0 || p->header.n > ENTRY_HEADER_MAX ||
        p->path.n > MERKLE_PROOF_MAX || memchr(p->object.p, '\n', p->object.n) != NULL)
        return err_set(e, ERR_RANGE, "a proof that has no such form");
    identity_name(&p->name.publisher, id);
    buf_printf(out, FIRST "\npublisher %s\n", id);
    put_base64(out, "key", p->key.b, sizeof p->key.b);
    put_hex(out, "incarnation", p->name.incarnation, sizeof p->name.incarnation);
    buf_printf(out, "label %u\ngroup %.*s\n", p->name.label, (int)p->name.group.n, p->name.group.p);
    put_hex(out, "generation", p->name.generation, sizeof p->name.generation);
    buf_printf(out, "exercise %u\nindex %llu\n", p->name.exercise, (unsigned long long)p->index);
    put_base64(out, "salt", p->salt, sizeof p->salt);
    put_base64(out, "header", p->header.p, p->header.n);
    for (size_t i = 0; i < p->path.n; i++)
        put_base64(out, "path", p->path.h[i].b, HASH_BYTES);
    buf_str(out, "\n");
    if (head_note(&p->head, &p->name.publisher, &p->key, out, e) != 0)
        return -1;
    buf_str(out, "\n");
    buf_span(out, p->object);
    buf_str(out, "\n");
    return out->failed ? err_set(e, ERR_MEMORY, "no memory for a proof") : 0;
}

/* -- reading -- */

struct lines {
    struct span all; /* what is left */
    size_t pos;
    bool failed;
    struct arena *a;
};

/* The value of the next line, which has that name. */
static struct span
value_of(struct lines *l, const char *name)
{
    struct span line, rest = l->all;
    const size_t n = strlen(name);

    if (l->failed || !span_split(&rest, '\n', &line) || line.n < n + 1 ||
        memcmp(line.p, name, n) != 0 || line.p[n] != ' ') {
        l->failed = true;
        return (struct span){NULL, 0};
    }
    l->pos += line.n + 1;
    l->all = rest;
    return span_part(line, n + 1, line.n);
}

static void
get_hex(struct lines *l, const char *name, uint8_t *out, size_t n)
{
    struct span v = value_of(l, name);

    for (size_t i = 0; i < v.n; i++) /* one form: lower case */
        l->failed = l->failed || (v.p[i] >= 'A' && v.p[i] <= 'F');
    l->failed = l->failed || !hex_read(v, out, n);
}

static struct span
get_base64(struct lines *l, const char *name, size_t max)
{
    struct span v = value_of(l, name), out = {NULL, 0};
    char *room = arena_alloc(l->a, max + 1);
    struct buf b;

    if (room == NULL || v.n > 4 * (max + 2) / 3 + 4) {
        l->failed = true;
        return out;
    }
    buf_init_fixed(&b, room, max);
    if (l->failed || !base64_read(v, &b) || b.failed)
        l->failed = true;
    else
        out = buf_view(&b);
    return out;
}

static void
get_fixed(struct lines *l, const char *name, void *out, size_t n)
{
    struct span v = get_base64(l, name, n);

    if (v.n == n)
        memcpy(out, v.p, n);
    else
        l->failed = true;
}

static uint64_t
get_number(struct lines *l, const char *name, uint64_t max)
{
    uint64_t n = 0;

    if (!span_u64(value_of(l, name), max, &n))
        l->failed = true;
    return n;
}

static void
get_lines(struct lines *l, struct proof_file *p)
{
    struct span id = value_of(l, "publisher");

    l->failed = l->failed || !identity_read(id, &p->name.publisher);
    get_fixed(l, "key", p->key.b, sizeof p->key.b);
    get_hex(l, "incarnation", p->name.incarnation, sizeof p->name.incarnation);
    p->name.label = (uint8_t)get_number(l, "label", 3);
    p->name.group = value_of(l, "group");
    l->failed = l->failed || !group_ok(p->name.group);
    get_hex(l, "generation", p->name.generation, sizeof p->name.generation);
    p->name.exercise = get_number(l, "exercise", 1) == 1;
    p->index = get_number(l, "index", MERKLE_SIZE_MAX);
    get_fixed(l, "salt", p->salt, sizeof p->salt);
    p->header = get_base64(l, "header", ENTRY_HEADER_MAX);
    l->failed = l->failed || p->header.n == 0;
    while (!l->failed && l->all.n > 0 && l->all.p[0] != '\n') {
        if (p->path.n == MERKLE_PROOF_MAX)
            l->failed = true;
        else
            get_fixed(l, "path", p->path.h[p->path.n++].b, HASH_BYTES);
    }
}

/* The part before an empty line, that line taken off too. */
static bool
section(struct lines *l, struct span *out)
{
    ptrdiff_t at = span_find_span(l->all, SPAN("\n\n"));

    if (at < 0)
        return false;
    *out = span_part(l->all, 0, (size_t)at + 1);
    l->pos += (size_t)at + 2;
    l->all = span_part(l->all, (size_t)at + 2, l->all.n);
    return true;
}

int
proof_file_read(struct span s, struct arena *a, struct proof_file *out, struct err *e)
{
    struct lines l = {.all = s, .a = a};
    struct proof_file p = {0};
    struct span first, text, signatures;

    if (s.n > PROOF_FILE_MAX)
        return err_set(e, ERR_LIMIT, "longer than any proof");
    if (!span_split(&l.all, '\n', &first) || !span_is(first, FIRST))
        return err_set_at(e, ERR_SYNTAX, 0, "no proof of this form");
    l.pos = first.n + 1;
    get_lines(&l, &p);
    if (l.failed || l.all.n == 0 || l.all.p[0] != '\n')
        return err_set_at(e, ERR_SYNTAX, l.pos, "a line that is not as it should be");
    l.all = span_part(l.all, 1, l.all.n);
    l.pos++;
    text = l.all;
    if (!section(&l, &signatures) || !section(&l, &signatures))
        return err_set_at(e, ERR_SYNTAX, l.pos, "the signed head is not there");
    text.n = (size_t)(signatures.p + signatures.n - text.p);
    if (head_note_read(text, &p.name.publisher, &p.key, &p.head, e) != 0)
        return -1;
    p.object = l.all;
    if (p.object.n < 2 || p.object.p[p.object.n - 1] != '\n' ||
        memchr(p.object.p, '\n', p.object.n - 1) != NULL)
        return err_set_at(e, ERR_SYNTAX, l.pos, "the object is not one line");
    p.object.n--;
    *out = p;
    return 0;
}

/* -- checking -- */

enum proof_verdict
proof_file_check(const struct proof_file *p)
{
    struct hash stream, d, leaf, bytes;
    struct entry en;

    if (stream_id(&p->name, &stream, NULL) != 0 || !hash_eq(&stream, &p->head.stream))
        return PROOF_STREAM;
    entry_commit(p->salt, p->header, &d);
    entry_leaf(&d, &leaf);
    if (p->index >= p->head.size ||
        !merkle_inclusion_ok(&p->path, &leaf, p->index, p->head.size, &p->head.root))
        return PROOF_TREE;
    if (entry_decode(p->header, &en, NULL) != 0 || en.kind != ENTRY_PUT)
        return PROOF_HEADER;
    hash_sha256(p->object, &bytes);
    return en.size == p->object.n && hash_eq(&bytes, &en.bytes) ? PROOF_OK : PROOF_OBJECT;
}

const char *
proof_verdict_text(enum proof_verdict v)
{
    static const char *const texts[PROOF_VERDICTS] = {
        [PROOF_OK] = "The publisher said these bytes to that audience.",
        [PROOF_STREAM] = "The signed head is of another stream.",
        [PROOF_TREE] = "The entry is not in the tree that was signed.",
        [PROOF_HEADER] = "What was committed to is no publication.",
        [PROOF_OBJECT] = "The bytes are not those that were committed to.",
    };

    return (unsigned)v < PROOF_VERDICTS ? texts[v] : "?";
}
