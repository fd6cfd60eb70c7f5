/* exchange/view.c - who asks, and what he may see: views are built once and kept a while. */
#include "inside.h"

#include "mem.h"

int
asker_of(struct exchange *x, const struct caller *who, struct span ticket, struct asker *out,
         int64_t *expiry_us, struct err *e)
{
    struct asker a = {.listener = who->listener, .now_us = now_us(x)};
    const struct right_principal *p;
    enum ticket_fault fault;
    struct ticket t;

    if (expiry_us != NULL)
        *expiry_us = INT64_MAX;
    if (who->kind != CALLER_FRONT) {
        a.principal = who->kind == CALLER_LOCAL ? PRINCIPAL_OPERATOR : PRINCIPAL_NOBODY;
        a.channel = CHANNEL_LOCAL;
        a.listener.ceiling = TLP_RED;
        *out = a;
        return 0;
    }
    a.principal = PRINCIPAL_NOBODY;
    a.channel = CHANNEL_SESSION;
    if (ticket.n > 0) {
        fault = ticket_read(&x->ticket_key, ticket, who->listener.number, a.now_us, &t);
        if (fault == TICKET_OK) {
            p = rights_principal(&x->cast.rights, t.principal);
            fault = p == NULL ? TICKET_EPOCH : ticket_current(&t, p);
        }
        if (fault != TICKET_OK)
            return err_set_at(e, ERR_AUTH, (size_t)fault, ticket_fault_text(fault));
        /* What the folder's owner may do, he may do over the local socket alone. */
        if (t.principal == PRINCIPAL_OPERATOR || t.channel == CHANNEL_LOCAL)
            return err_set_at(e, ERR_AUTH, TICKET_BAD_FIELD,
                              "no login by that name comes from a network");
        a.principal = t.principal;
        a.channel = t.channel;
        if (expiry_us != NULL)
            *expiry_us = t.expiry_us;
    }
    *out = a;
    return 0;
}

bool
ticket_forged(const struct err *e)
{
    return e->code == ERR_AUTH && e->pos != TICKET_OK && e->pos != TICKET_EXPIRED &&
           e->pos != TICKET_EPOCH;
}

bool
same_asker(const struct asker *a, const struct asker *b)
{
    return a->principal == b->principal && a->channel == b->channel &&
           a->listener.number == b->listener.number && a->listener.ceiling == b->listener.ceiling &&
           a->exercise == b->exercise;
}

void
views_forget(struct exchange *x)
{
    for (size_t i = 0; i < VIEWS_KEPT; i++) {
        arena_free(x->views[i].arena);
        x->views[i] = (struct view_slot){0};
    }
    for (size_t i = 0; i < FOUND_KEPT; i++)
        x->found[i].set = false;
}

static int
view_make(struct exchange *x, struct view_slot *s, const struct asker *who, uint32_t group,
          struct err *e)
{
    struct view all;

    if (view_build(&x->cast.rights, who, x->cast.audiences, x->cast.audience_count, x->cast.grants,
                   x->cast.grant_count, s->arena, &all, e) != 0)
        return -1;
    if (group != 0 && view_only_group(&all, group, s->arena, &all, e) != 0)
        return -1;
    s->view = all;
    s->who = *who;
    s->group = group;
    s->version = x->cast.version;
    s->built_us = who->now_us;
    s->set = true;
    return 0;
}

int
view_of(struct exchange *x, const struct asker *who, uint32_t group, const struct view **out,
        struct err *e)
{
    struct view_slot *slot = &x->views[0];

    for (size_t i = 0; i < VIEWS_KEPT; i++) {
        struct view_slot *s = &x->views[i];

        if (s->set && s->group == group && same_asker(&s->who, who)) {
            slot = s;
            if (s->version == x->cast.version && who->now_us >= s->built_us &&
                who->now_us - s->built_us < VIEW_KEPT_US) {
                s->used = ++x->view_clock;
                *out = &s->view;
                return 0;
            }
            break;
        }
        if (slot->set && (!s->set || s->used < slot->used))
            slot = s;
    }
    slot->set = false;
    if (slot->arena == NULL && (slot->arena = arena_new(VIEW_ARENA)) == NULL)
        return err_set(e, ERR_MEMORY, "out of memory");
    arena_reset(slot->arena);
    if (view_make(x, slot, who, group, e) != 0)
        return -1;
    slot->used = ++x->view_clock;
    *out = &slot->view;
    return 0;
}
