#include "keep.h"

#include "exchange.h"
#include "inside.h"
#include "store_backup.h"
#include "store_check.h"

int
exchange_verify(const char *path, int (*problem)(void *ctx, const char *what, const char *place),
                void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                struct exchange_check *out, struct err *e)
{
    const struct exchange_options o = {.path = path};
    struct store_check_counts counts = {0};
    struct exchange *x;
    int r;

    if (exchange_open(&o, &x, e))
        return -1;
    r = store_check(x->store, problem, progress, ctx, &counts, e);
    exchange_close(x);
    if (r == 0)
        *out = (struct exchange_check){.publications = counts.publications,
                                       .erased = counts.erased,
                                       .streams = counts.streams,
                                       .index_rows = counts.index_rows,
                                       .problems = counts.problems};
    return r;
}

/* Of a store that nobody else has open. */
static int
count(const char *path, uint64_t *out, struct err *e)
{
    const struct store_options o = {.mode = DB_WRITE, .busy_ms = 2000};
    struct store_figures figures;
    struct store *s;
    int r;

    if (store_open(path, &o, &s, e))
        return -1;
    r = store_begin(s, e) || store_figures(s, &figures, e) ? -1 : 0;
    store_close(s);
    if (r == 0)
        *out = figures.publications;
    return r;
}

int
exchange_restore(const char *from, const char *path, bool dry, struct exchange_restored *out,
                 struct err *e)
{
    const struct store_options o = {.mode = DB_WRITE, .busy_ms = 2000};
    struct exchange_restored r = {0};

    if (dry ? store_restore_try(from, path, &o, &r.publications, &r.erased, e)
            : store_restore(from, path, &o, &r.erased, e) || count(path, &r.publications, e))
        return -1;
    *out = r;
    return 0;
}
