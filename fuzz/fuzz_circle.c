/* Versions of groups, signed or not: read back the same; and what counts of any two holds no one
 * whom either does not. */
#include <stdlib.h>

#include "arena.h"
#include "circle.h"
#include "crypto.h"

static struct arena *arena;
static struct buf out;

static void
must_equal(struct span s)
{
    if (out.failed || !span_eq(buf_view(&out), s))
        abort();
    buf_reset(&out);
}

/* The version against itself with another hash: a rival of its own number. */
static void
rival(const struct circle *c)
{
    const struct region_member m = {.id = c->owner};
    const struct region region = {.version = VERSION_MAX, .members = &m, .member_n = 1};
    struct circle other = *c;
    struct circle_known known[] = {{c, c->owner}, {&other, c->owner}};
    struct circle_current cur;
    struct err e = ERR_INIT;
    uint64_t size;

    other.hash.b[0] ^= 1;
    other.members++;
    other.member_n--;
    if (circle_current(known, 2, &region, arena, &cur, &e) < 0 || cur.settled ||
        cur.member_n != c->member_n - 1 || cur.next != c->version + 1)
        abort();
    if (circle_final(known, 1, c, &c->owner, &c->previous, &size) != 0)
        abort();
    circle_final(known, 2, &other, &c->members[0], &c->previous, &size);
    if (!circle_may_have(known, 2, c->generation, &c->owner, circle_order(c)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct span s = span_from(data, n);
    const struct region nobody = {.version = 1};
    struct circle_signed x;
    struct circle_mark mark;
    struct circle c;

    if (arena == NULL) {
        arena = arena_new(16u << 20);
        buf_init(&out, 1u << 20);
        if (arena == NULL || crypto_start(NULL) < 0)
            abort();
    }
    if (circle_read(s, arena, &c, NULL) == 0) {
        if (circle_print(&c, &out, NULL) < 0)
            abort();
        must_equal(s);
        rival(&c);
    }
    if (circle_signed_decode(s, &x, NULL) == 0) {
        if (circle_signed_encode(&x, &out, NULL) < 0)
            abort();
        must_equal(s);
        if (circle_read(x.body, arena, &c, NULL) == 0) {
            mark = circle_mark_of(&c, &x);
            if (circle_check(NULL, &c, &mark, &nobody, NULL) == 0 ||
                circle_check(&c, &c, &mark, &nobody, NULL) == 0 ||
                circle_check_alone(&c, &mark, &nobody, NULL) == 0)
                abort(); /* nobody is there to sign */
        }
    }
    arena_reset(arena);
    return 0;
}
