/* tests/sync/toy_act.c - what a member does: it says, erases, changes its groups, is restored. */
#include "toy.h"

/* -- acts -- */

static void
sign_head(struct toy *t, struct t_stream *s, uint64_t order)
{
    struct signer signer = signer_of(&t->secret);
    struct err e = ERR_INIT;

    s->head = (struct head){
        .stream = s->id, .size = s->have, .group_order = order, .time_us = 1000 + s->have};
    toy_root(s, s->have, &s->head.root);
    if (head_sign(&s->head, &signer, &e) != 0)
        fail_msg("%s", e.text);
    s->link_n = 0;
    t->changes++;
}

/* A present stream of this node's own for an audience. */
static struct t_stream *
own_stream(struct toy *t, int group, const uint8_t *generation, uint8_t label)
{
    struct t_stream like = {.publisher = t->index, .a = {.group = group, .label = label}};
    struct stream_name name;
    struct t_stream *s;
    char text[32];
    struct hash id;

    memcpy(like.incarnation, t->s->incarnation, sizeof like.incarnation);
    if (generation != NULL)
        memcpy(like.a.generation, generation, sizeof like.a.generation);
    name = toy_name(&like, text);
    assert_int_equal(stream_id(&name, &id, NULL), 0);
    s = toy_stream(t, &id);
    if (s == NULL && t->s->stream_n < T_STREAMS - 8)
        s = toy_stream_make(t, &name);
    return s;
}

static bool
append(struct toy *t, struct t_stream *s, const struct entry *en, struct span body, uint64_t order,
       struct check_random *r)
{
    struct t_entry *x = &s->e[s->have];
    struct buf b;

    if (s->have == T_ENTRIES || s->frozen)
        return false;
    memset(x, 0, sizeof *x);
    toy_fill(r, x->salt, sizeof x->salt);
    buf_init_fixed(&b, x->header, sizeof x->header);
    assert_int_equal(entry_encode(en, &b, NULL), 0);
    x->header_n = b.n;
    entry_commit(x->salt, buf_view(&b), &x->d);
    if (body.n > 0)
        memcpy(x->body, body.p, body.n);
    x->body_n = body.n;
    x->has_body = body.n > 0;
    s->have++;
    sign_head(t, s, order);
    return true;
}

bool
toy_publish(struct toy *t, int group, uint8_t label, struct check_random *r)
{
    const struct t_version *v = group > 0 ? toy_group(t, group) : NULL;
    struct t_stream *s;
    struct entry en = {.kind = ENTRY_PUT, .id = SPAN("x--1")};
    char body[T_BODY];

    if (t->recovering)
        return false;
    if (group > 0 && (v == NULL || !(v->members >> t->index & 1)))
        return false;
    for (size_t i = 0; v != NULL && i < t->s->out_n; i++) {
        if (t->s->outs[i].group == group && t->s->outs[i].member == t->index &&
            memcmp(t->s->outs[i].generation, v->generation, sizeof v->generation) == 0)
            return false; /* it was told that it is out */
    }
    s = own_stream(t, group, v != NULL ? v->generation : NULL, label);
    if (s == NULL)
        return false;
    en.group_version = v != NULL ? v->order : 0;
    en.size = 1 + check_next(r) % T_BODY;
    toy_fill(r, body, en.size);
    hash_sha256((struct span){body, en.size}, &en.bytes);
    return append(t, s, &en, (struct span){body, en.size}, en.group_version, r);
}

/* Marks what is erased by its notice, and says so in its stream where that goes on. */
bool
toy_erase(struct toy *t, struct check_random *r)
{
    struct signer signer = signer_of(&t->secret);

    if (t->recovering)
        return false;
    for (int tries = 0; tries < 20 && t->s->stream_n > 0; tries++) {
        struct t_stream *s = &t->s->streams[check_next(r) % t->s->stream_n];
        uint64_t i = s->have > 0 ? check_next(r) % s->have : 0;
        struct erase_notice n = {.index = i, .time_us = 1};
        struct entry en = {.kind = ENTRY_ERASE, .target = i};

        if (s->publisher != t->index || s->have == 0 || s->e[i].bare || s->e[i].body_n == 0 ||
            t->s->notice_n == T_NOTICES)
            continue;
        n.stream = s->id;
        n.d = s->e[i].d;
        if (erase_notice_sign(&n, &signer, NULL) != 0)
            fail_msg("not signed");
        t->s->notices[t->s->notice_n++] = n;
        en.target_d = s->e[i].d;
        if (memcmp(s->incarnation, t->s->incarnation, sizeof s->incarnation) == 0)
            (void)append(t, s, &en, (struct span){0}, s->head.group_order, r);
        toy_wipe(t);
        t->changes++;
        return true;
    }
    return false;
}

void
toy_wipe(struct toy *t)
{
    for (size_t i = 0; i < t->s->notice_n; i++) {
        const struct erase_notice *n = &t->s->notices[i];
        struct t_stream *s = toy_stream(t, &n->stream);

        if (s != NULL && n->index < s->have && !s->e[n->index].bare &&
            hash_eq(&s->e[n->index].d, &n->d))
            toy_entry_wipe(&s->e[n->index]);
    }
}

bool
toy_add(struct toy *t, int group, int member, bool past, struct check_random *r)
{
    const struct t_version *now = toy_group(t, group);
    struct t_version v = {.group = group};

    if (t->recovering || t->s->version_n == T_VERSIONS)
        return false;
    if (now == NULL) {
        v.members = 1u << t->index;
        v.order = GROUP_ORDER(1, 1);
        past = false;
    } else {
        if (now->members >> member & 1)
            return false;
        v.members = now->members;
        v.order = now->order + 1;
    }
    v.members |= 1u << member;
    /* Who was in this generation before comes back to another one: its streams have ended here. */
    for (size_t i = 0; now != NULL && i < t->s->version_n; i++) {
        if (t->s->versions[i].group == group && (t->s->versions[i].members >> member & 1))
            past = false;
    }
    if (past)
        memcpy(v.generation, now->generation, sizeof v.generation);
    else
        toy_fill(r, v.generation, sizeof v.generation);
    t->s->versions[t->s->version_n++] = v;
    t->changes++;
    return true;
}

bool
toy_remove(struct toy *t, int group, int member)
{
    const struct t_version *now = toy_group(t, group);
    struct t_version v;
    struct t_out o = {.group = group, .member = member};

    if (t->recovering || now == NULL || member == t->index || !(now->members >> member & 1) ||
        t->s->version_n == T_VERSIONS || t->s->out_n == T_VERSIONS)
        return false;
    v = *now;
    v.order++;
    v.members &= ~(1u << member);
    v.final_n = 0;
    for (size_t i = 0; i < t->s->stream_n && v.final_n < 8; i++) {
        const struct t_stream *s = &t->s->streams[i];

        if (s->publisher != member || s->a.group != group ||
            memcmp(s->a.generation, v.generation, sizeof v.generation) != 0)
            continue;
        v.finals[v.final_n].stream = s->id;
        v.finals[v.final_n++].size = s->frozen && s->frozen_at < s->have ? s->frozen_at : s->have;
    }
    memcpy(o.generation, v.generation, sizeof o.generation);
    o.order = v.order;
    t->s->versions[t->s->version_n++] = v;
    t->s->outs[t->s->out_n++] = o;
    t->changes++;
    return true;
}

/* From a backup: what stands outside it is as it was. */
void
toy_restore(struct toy *t, const struct t_state *backup, struct check_random *r)
{
    struct t_state *now = t->before;

    *now = *t->s;
    *t->s = *backup;
    memcpy(t->s->versions, now->versions, sizeof now->versions);
    t->s->version_n = now->version_n;
    memcpy(t->s->outs, now->outs, sizeof now->outs);
    t->s->out_n = now->out_n;
    memcpy(t->s->notices, now->notices, sizeof now->notices);
    t->s->notice_n = now->notice_n;
    toy_fill(r, t->s->incarnation, sizeof t->s->incarnation);
    toy_wipe(t);
    t->changes++;
    toy_server_new(t);
}

void
toy_restore_all(struct toy *t, const struct t_state *backup, struct check_random *r)
{
    *t->s = *backup;
    toy_fill(r, t->s->incarnation, sizeof t->s->incarnation);
    t->recovering = true;
    t->heard = 1u << t->index;
    toy_wipe(t);
    t->changes++;
    toy_server_new(t);
}
