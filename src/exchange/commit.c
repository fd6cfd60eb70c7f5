/* exchange/commit.c - the writer's open transaction. */
#include "commit.h"

#include "batch.h"
#include "mem.h"

int
commit_new(struct exchange *x, struct err *e)
{
    struct commit *c = mem_zero(1, sizeof *c);

    if (c == NULL || (c->arena = arena_new(COMMIT_ARENA)) == NULL) {
        mem_free(c);
        return err_set(e, ERR_MEMORY, "out of memory");
    }
    x->commit = c;
    return 0;
}

void
commit_free(struct exchange *x)
{
    if (x->commit == NULL)
        return;
    if (x->store != NULL && store_open_transaction(x->store))
        store_abort(x->store);
    arena_free(x->commit->arena);
    mem_free(x->commit);
    x->commit = NULL;
}

int
commit_begin(struct exchange *x, struct err *e)
{
    if (store_open_transaction(x->store))
        return 0;
    if (store_begin(x->store, e) != 0)
        return -1;
    if (cast_refresh(x, e) != 0) {
        store_abort(x->store);
        return -1;
    }
    return 0;
}

/* Forgets what belonged to the transaction that has ended. */
static void
clean(struct exchange *x, const struct err *why)
{
    struct commit *c = x->commit;
    struct batch *b;

    while ((b = c->first) != NULL) {
        c->first = b->next_dirty;
        b->next_dirty = NULL;
        b->dirty = false;
        if (why != NULL && b->broken.code == ERR_NONE)
            b->broken = *why;
    }
    c->bytes = 0;
    c->serial++;
    arena_reset(c->arena);
}

void
commit_drop(struct exchange *x, const struct err *why)
{
    if (x->commit == NULL)
        return;
    store_abort(x->store);
    clean(x, why);
    /* Audiences made in it are gone again. */
    arena_free(x->cast.arena);
    x->cast = (struct cast){0};
    views_forget(x);
}

void
commit_look(struct exchange *x)
{
    store_abort(x->store);
    clean(x, NULL);
}

int
commit_flush(struct exchange *x, struct err *e)
{
    struct err why = ERR_INIT;

    if (x->commit == NULL || !store_open_transaction(x->store))
        return 0;
    for (struct batch *b = x->commit->first; b != NULL; b = b->next_dirty) {
        if (batch_write_causes(b, &why) != 0)
            goto fail;
    }
    if (store_commit(x->store, &why) != 0)
        goto fail;
    clean(x, NULL);
    return 0;
fail:
    if (e != NULL)
        *e = why;
    commit_drop(x, &why);
    return -1;
}

int
commit_maybe(struct exchange *x, struct err *e)
{
    if (x->commit->bytes < COMMIT_BYTES && store_put_count(x->store) < store_put_good(x->store))
        return 0;
    return commit_flush(x, e);
}
