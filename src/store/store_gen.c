#include "store_gen.h"

#include "store_impl.h"

#define GROUP_SHIFT 4  /* sixteen generations become one */
#define KEEP_PLAIN  64 /* plain generations that a look-up can well go through: 4 million rows */

const char *const gen_tables[GEN_TABLES] = {"ident", "term", "value", "edge"};

struct gen_walk
gen_walk(struct store *s)
{
    return (struct gen_walk){
        .s = s, .base = GEN_OF(s->state.p), .merged = (int64_t)s->state.merged - 1};
}

bool
gen_next(struct gen_walk *w, int64_t *gen, uint64_t *lo, uint64_t *hi)
{
    const int64_t first = (int64_t)w->s->state.merged << GROUP_SHIFT;

    if (w->base >= first) {
        *gen = w->base--;
        *lo = (uint64_t)*gen << GEN_SHIFT;
        *hi = *lo + (1u << GEN_SHIFT) - 1;
        return true;
    }
    if (w->merged < 0)
        return false;
    *gen = GEN_MERGED(w->merged);
    *lo = (uint64_t)w->merged-- << (GEN_SHIFT + GROUP_SHIFT);
    *hi = *lo + (1u << (GEN_SHIFT + GROUP_SHIFT)) - 1;
    return true;
}

int
gen_tidy(struct store *s, bool *more, struct err *e)
{
    (void)s;
    (void)e;
    *more = false;
    return 0;
}
