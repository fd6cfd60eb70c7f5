/* exchange/ask_proof.c - that a publisher said something, for a stranger: a file that needs no
 * node. */
#include <string.h>

#include "among.h"
#include "commit.h"
#include "inside.h"
#include "members.h"
#include "proof_file.h"
#include "store_sync.h"

/* The key that the stream's publisher signs with: our own, or as the region file has it. */
static int
key_of(struct session *s, const struct store_stream *t, struct sign_public *out, struct err *e)
{
    const struct membership *m = members_now(s->x, e);
    const struct region_member *r;
    struct span hex;
    int rc;

    if (m == NULL)
        return -1;
    if (t->own) {
        rc = store_setting_get(s->x->store, SETTING_SIGN_KEY, s->a, &hex, e);
        if (rc < 0)
            return -1;
        return rc == 1 && hex_read(hex, out->b, sizeof out->b)
                   ? 0
                   : err_set(e, ERR_BUSY, "nothing is signed yet: jaga serve does that");
    }
    r = membership_member(m, &t->name.publisher);
    if (r == NULL)
        return err_set(e, ERR_MISSING, "its publisher is no member of the region that is known");
    *out = r->key;
    return 0;
}

static int
fill(struct session *s, const struct store_item *it, struct proof_file *out, struct err *e)
{
    struct store_stream t;
    struct store_entry x;
    struct merkle_source src;
    uint32_t stream;
    int rc = store_place_of(s->x->store, it->p, &stream, &out->index, e);

    if (rc == 1)
        rc = store_stream_get(s->x->store, NULL, stream, s->a, &t, e);
    if (rc == 1)
        rc = store_entry_get(s->x->store, stream, out->index, true, s->a, &x, e);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(e, ERR_MISSING, "it stands in no stream");
    if (t.name.label >= TLP_RED)
        return err_set(e, ERR_DENIED, "what is for one person is proven to nobody else");
    if (t.own && t.publisher != ORG_SELF)
        return err_set(e, ERR_MISSING, "a constituent's words are not signed: publish it first");
    if (key_of(s, &t, &out->key, e) != 0)
        return -1;
    if (t.head.n == 0 || out->index >= t.head_size)
        return err_set(e, ERR_BUSY,
                       "it is not signed yet: a node that runs does so within moments");
    if (head_decode(t.head, &out->head, e) != 0 ||
        store_stream_source(s->x->store, stream, s->a, &src, e) != 0 ||
        merkle_inclusion(&src, out->index, out->head.size, &out->path, e) != 0)
        return -1;
    out->name = t.name;
    memcpy(out->salt, x.salt, sizeof out->salt);
    out->header = x.header;
    out->object = x.body;
    return 0;
}

int
ask_proof(struct session *s, struct err *e)
{
    struct proof_file file = {0};
    struct kept best = {0};
    struct json_out o;
    struct buf b;
    int rc;

    if (!s->operator)
        return err_set(e, ERR_DENIED, "only the operator makes a proof: it discloses the audience");
    if (s->q->id.n == 0)
        return err_set(e, ERR_USAGE, "no id is given");
    if (keep_best(s, s->q->id, &best, e) != 0)
        return -1;
    if (best.n == 0)
        return err_set(e, ERR_MISSING, "no such object");
    if (fill(s, &best.items[0], &file, e) != 0)
        return -1;
    buf_init(&b, PROOF_FILE_MAX);
    rc = proof_file_write(&file, &b, e);
    if (rc == 0 && proof_file_check(&file) != PROOF_OK)
        rc = err_set(e, ERR_CORRUPT, "the proof does not hold: jaga verify tells what is wrong");
    if (rc == 0) {
        json_out_init(&o, s->out);
        json_begin_object(&o);
        json_member(&o, "id", s->q->id);
        json_member(&o, "proof", buf_view(&b));
        json_end_object(&o);
    }
    buf_clear(&b);
    return rc;
}

int
exchange_own_key(struct exchange *x, const struct sign_public *key, struct err *e)
{
    char mem[2 * sizeof key->b];
    struct span known;
    struct buf hex;
    int rc;

    buf_init_fixed(&hex, mem, sizeof mem);
    hex_put(&hex, key->b, sizeof key->b);
    if (commit_flush(x, e) != 0 || commit_begin(x, e) != 0)
        return -1;
    rc = store_setting_get(x->store, SETTING_SIGN_KEY, x->commit->arena, &known, e);
    if (rc == 1 && span_eq(known, buf_view(&hex))) {
        commit_look(x);
        return 0;
    }
    if (rc < 0 || store_setting_put(x->store, SETTING_SIGN_KEY, buf_view(&hex), e) != 0) {
        commit_drop(x, e);
        return -1;
    }
    return commit_flush(x, e);
}
