/* Proofs: made from the store, checked by anybody. */
#include <string.h>
#include "cmd.h"
#include "clock.h"
#include "folder.h"
#include "json_write.h"
#include "proof_file.h"
#include "tlp.h"

#define PROOF_ARENA (64u << 20)

static int
make(struct session *s, const char *id)
{
    struct err e = ERR_INIT;
    struct client *c = client_open(s, &e);
    struct ask q = {.verb = ASK_PROOF, .id = span_of(id)};
    const struct json *a = c ? client_ask(c, &q, &e) : NULL;
    int status = EXIT_OK;

    if (!a) {
        status = fail(s, &e);
    } else if (!put_json(s, c)) {
        put_bytes(json_text(a, "proof"));
    }
    client_close(c);
    return put_end(s, status);
}

static void
put_time_us(uint64_t us)
{
    char text[INSTANT_MAX];

    instant_print(instant_from_us((int64_t)us), 3, text);
    put("%s", text);
}

static void
put_proof(const struct proof_file *p, const struct entry *en)
{
    char id[SAID_NAME + 1];
    char mem[256];
    struct buf b;

    identity_name(&p->name.publisher, id);
    put("object     ");
    put_clean(en->id);
    if (en->version.n > 0) {
        put("  ");
        put_clean(en->version);
    }
    put("\nsaid by    ");
    put("%s", id);
    put("\nto         ");
    put("%s", tlp_name((enum tlp)p->name.label));
    put(" for ");
    put_clean(p->name.group);
    put("%s\n", p->name.exercise ? " (EXERCISE)" : "");
    buf_init_fixed(&b, mem, sizeof mem);
    buf_printf(&b, "entry      %llu of %llu, signed ", (unsigned long long)p->index,
               (unsigned long long)p->head.size);
    put_bytes(buf_view(&b));
    put_time_us(p->head.time_us);
    put("\nkey        ");
    buf_reset(&b);
    base64_put(&b, p->key.b, sizeof p->key.b);
    put_bytes(buf_view(&b));
    put("\n");
}

static int
check(struct session *s, const char *path)
{
    struct arena *a = arena_new(PROOF_ARENA);
    struct proof_file p;
    enum proof_verdict v = PROOF_VERDICTS;
    struct entry en = {0};
    struct err e = ERR_INIT;
    struct buf text;
    int status = EXIT_OK;

    buf_init(&text, PROOF_FILE_MAX + 1);
    if (!a)
        (void)err_set(&e, ERR_MEMORY, "out of memory");
    if (!a || folder_read_file(path, PROOF_FILE_MAX, &text, &e) ||
        proof_file_read(buf_view(&text), a, &p, &e)) {
        status = fail(s, &e);
    } else if ((v = proof_file_check(&p)) != PROOF_OK || entry_decode(p.header, &en, &e)) {
        (void)err_set(&e, ERR_AUTH, proof_verdict_text(v));
        status = fail(s, &e);
    } else if (s->json) {
        struct json_out o;
        struct buf b;
        char id[SAID_NAME + 1], key[64];
        struct buf k;

        buf_init(&b, 1u << 16);
        buf_init_fixed(&k, key, sizeof key);
        base64_put(&k, p.key.b, sizeof p.key.b);
        identity_name(&p.name.publisher, id);
        json_out_init(&o, &b);
        json_begin_object(&o);
        json_member_bool(&o, "holds", true);
        json_member(&o, "id", en.id);
        json_member(&o, "version", en.version);
        json_member_str(&o, "publisher", id);
        json_member(&o, "key", buf_view(&k));
        json_member_str(&o, "label", tlp_name((enum tlp)p.name.label));
        json_member(&o, "group", p.name.group);
        json_member_int(&o, "entry", (int64_t)p.index);
        json_member_int(&o, "entries", (int64_t)p.head.size);
        json_end_object(&o);
        put_bytes(buf_view(&b));
        put("\n");
        buf_clear(&b);
    } else {
        put_proof(&p, &en);
        say(s, "The proof holds, if that key is its publisher's: compare it with what you know.");
    }
    buf_clear(&text);
    arena_free(a);
    return put_end(s, status);
}

int
cmd_proof(struct session *s)
{
    const char *what = s->args.operand[0];
    struct err e = ERR_INIT;

    if (strcmp(what, "make") == 0)
        return make(s, s->args.operand[1]);
    if (strcmp(what, "check") == 0)
        return check(s, s->args.operand[1]);
    (void)err_set(&e, ERR_USAGE, "make or check");
    (void)err_place(&e, "%s", what);
    return fail(s, &e);
}
