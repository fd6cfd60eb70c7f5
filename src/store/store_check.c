#include "store_check.h"

#include <stdarg.h>
#include <stdio.h>

#include "store_verify.h"

#define VERIFY_ARENA (64u << 20) /* what the index rows of one object may take */
#define PLACE_MAX    120

int
verify_say(struct verify *v, const char *what, const char *place, ...)
{
    char text[PLACE_MAX];
    va_list ap;

    va_start(ap, place);
    vsnprintf(text, sizeof text, place, ap);
    va_end(ap);
    v->counts.problems++;
    if (v->fn && v->fn(v->ctx, what, text) != 0)
        v->stop = true;
    return v->stop;
}

bool
verify_fatal(const struct err *e)
{
    return e->code == ERR_MEMORY || e->code == ERR_IO || e->code == ERR_BUSY ||
           e->code == ERR_FULL || e->code == ERR_INTERNAL;
}

int
store_check(struct store *s, store_problem_fn *fn, store_progress_fn *progress, void *ctx,
            struct store_check_counts *out, struct err *e)
{
    struct verify v = {.s = s, .fn = fn, .progress = progress, .ctx = ctx};
    struct err found = ERR_INIT;
    int rc;

    if (s->open)
        return err_set(e, ERR_INTERNAL, "a transaction is open");
    if (s->drv->check(s->d, &found) < 0) {
        if (!s->drv->corrupt(&found)) {
            *e = found;
            return -1;
        }
        verify_say(&v, found.text, "%s", found.place);
    }
    v.a = arena_new(VERIFY_ARENA);
    if (!v.a)
        return err_set(e, ERR_MEMORY, "no memory to verify");
    if (store_begin(s, e) < 0) {
        arena_free(v.a);
        return -1;
    }
    rc = types_load(s, e);
    if (rc == 0)
        rc = verify_streams(&v, e);
    if (rc == 0 && !v.stop)
        rc = verify_idents(&v, e);
    if (rc == 0 && !v.stop)
        rc = verify_index_end(&v, e);
    if (rc == 0 && !v.stop && s->index)
        rc = verify_text(&v, e);
    store_abort(s);
    arena_free(v.a);
    if (rc < 0)
        return -1;
    *out = v.counts;
    return 0;
}
