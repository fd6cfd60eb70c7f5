/*
 * Random patterns.  A tree is made first, then written with random spelling and random superfluous
 * parentheses, and read.  What is read must mean what was made: both are computed over random
 * numbers, where AND is &, OR is |, FOLLOWEDBY is ^ and a qualifier a rotation, so that a wrong
 * precedence shows.  And it must come back from its own print.
 */
#include "check.h"

#include "pattern.h"

#define NODES 64

struct made {
    enum pattern_kind kind;
    unsigned value; /* of a test, or of a qualifier */
    unsigned kids[4];
    unsigned count;
};

struct maker {
    struct check_random r;
    struct made n[NODES];
    unsigned used;
    uint64_t salt;
};

static unsigned
pick(struct maker *m, unsigned below)
{
    return (unsigned)(check_next(&m->r) % below);
}

static uint64_t
number(const struct maker *m, unsigned v)
{
    struct check_random r = {m->salt + v * 0x9e3779b97f4a7c15u + 1};
    check_next(&r);
    return check_next(&r);
}

static unsigned
make_leaf(struct maker *m, enum pattern_kind kind)
{
    unsigned i = m->used++;
    m->n[i] = (struct made){.kind = kind, .value = pick(m, 1000)};
    return i;
}

/* A comparison expression; all of one type, so that AND breaks no rule. */
static unsigned
make_comparison(struct maker *m, unsigned depth)
{
    if (depth == 0 || m->used > NODES - 12 || pick(m, 3) == 0)
        return make_leaf(m, PATTERN_TEST);
    unsigned i = make_leaf(m, pick(m, 2) == 0 ? PATTERN_AND : PATTERN_OR);
    unsigned count = 2 + pick(m, 2);
    for (unsigned k = 0; k < count && m->used < NODES - 8; k++) {
        unsigned kid = make_comparison(m, depth - 1);
        m->n[i].kids[m->n[i].count++] = kid;
    }
    return i;
}

static unsigned
make_observation(struct maker *m, unsigned depth)
{
    unsigned what = depth == 0 || m->used > NODES - 14 ? 0 : pick(m, 8);
    unsigned i;

    switch (what) {
    case 1:
    case 2:
    case 3:
        i = make_leaf(m, (enum pattern_kind)(PATTERN_FOLLOWEDBY + (int)what - 1));
        for (unsigned k = 0, count = 2 + pick(m, 2); k < count && m->used < NODES - 10; k++) {
            unsigned kid = make_observation(m, depth - 1);
            m->n[i].kids[m->n[i].count++] = kid;
        }
        return i;
    case 4:
    case 5:
    case 6:
        i = make_leaf(m, (enum pattern_kind)(PATTERN_REPEATS + (int)what - 4));
        m->n[i].value = 1 + m->n[i].value % 50;
        m->n[i].kids[m->n[i].count++] = make_observation(m, depth - 1);
        return i;
    default:
        i = make_leaf(m, PATTERN_OBSERVATION);
        m->n[i].kids[m->n[i].count++] = make_comparison(m, depth);
        return i;
    }
}

static int
strength(enum pattern_kind k)
{
    switch (k) {
    case PATTERN_FOLLOWEDBY:
        return 0;
    case PATTERN_OBS_OR:
    case PATTERN_OR:
        return 1;
    case PATTERN_OBS_AND:
    case PATTERN_AND:
        return 2;
    case PATTERN_REPEATS:
    case PATTERN_WITHIN:
    case PATTERN_START_STOP:
        return 3;
    default:
        return 4;
    }
}

static void
put_gap(struct maker *m, struct buf *b)
{
    static const char *const gaps[] = {" ", "  ", "\n", "\t ", "\xc2\xa0"};
    buf_str(b, gaps[pick(m, 5)]);
}

static void
put_test(struct maker *m, unsigned v, struct buf *b)
{
    static const char *const forms[][2] = {
        {"x-t:a = ", ""},          {"x-t:a.'b-c'[*] != ", ""}, {"x-t : 'a' >= ", ""},
        {"x-t:a[3] IN (", ", 7)"}, {"x-t:d NOT < ", ""},       {"x-t:a IN(", ")"},
    };
    /* The value stands first among the constants: so the number of a test can be read back. */
    unsigned form = pick(m, 6);
    buf_str(b, forms[form][0]);
    buf_decimal(b, v);
    buf_str(b, forms[form][1]);
}

static void write_node(struct maker *m, unsigned i, struct buf *b);

static void
write_inner(struct maker *m, unsigned i, bool need, struct buf *b)
{
    unsigned parens = need ? 1 : 0;
    parens += pick(m, 6) == 0;
    if (m->n[i].kind == PATTERN_TEST && parens > 0 && pick(m, 2) == 0)
        parens = 0;
    for (unsigned k = 0; k < parens; k++)
        buf_str(b, pick(m, 2) ? "( " : "(");
    write_node(m, i, b);
    for (unsigned k = 0; k < parens; k++)
        buf_str(b, ")");
}

static void
write_node(struct maker *m, unsigned i, struct buf *b)
{
    static const char *const words[] = {"FOLLOWEDBY", "OR", "AND"};
    const struct made *n = &m->n[i];
    int mine = strength(n->kind);

    if (n->kind == PATTERN_TEST) {
        put_test(m, n->value, b);
    } else if (n->kind == PATTERN_OBSERVATION) {
        buf_str(b, pick(m, 2) ? "[ " : "[");
        write_inner(m, n->kids[0], false, b);
        buf_str(b, "]");
    } else if (mine == 3) {
        /* always in parentheses: a type of qualifier may come twice */
        write_inner(m, n->kids[0], m->n[n->kids[0]].kind != PATTERN_OBSERVATION, b);
        put_gap(m, b);
        if (n->kind == PATTERN_REPEATS)
            buf_printf(b, "REPEATS %u TIMES", n->value);
        else if (n->kind == PATTERN_WITHIN)
            buf_printf(b, "WITHIN %u SECONDS", n->value);
        else
            buf_printf(b, "START t'2020-01-01T00:00:%02uZ' STOP t'2021-01-01T00:00:00Z'", n->value);
    } else {
        for (unsigned k = 0; k < n->count; k++) {
            if (k > 0) {
                put_gap(m, b);
                buf_str(b, words[mine]);
                put_gap(m, b);
            }
            write_inner(m, n->kids[k], strength(m->n[n->kids[k]].kind) < mine, b);
        }
    }
}

static uint64_t
rotate(uint64_t v, unsigned by)
{
    by %= 63;
    by++;
    return v << by | v >> (64 - by);
}

static uint64_t
join(enum pattern_kind kind, uint64_t a, uint64_t b)
{
    int s = strength(kind);
    return s == 0 ? a ^ b : s == 1 ? a | b : a & b;
}

static uint64_t
meaning_made(const struct maker *m, unsigned i)
{
    const struct made *n = &m->n[i];

    if (n->kind == PATTERN_TEST)
        return number(m, n->value);
    uint64_t v = meaning_made(m, n->kids[0]);
    if (strength(n->kind) == 3)
        return rotate(v, n->value * 3 + (unsigned)n->kind);
    for (unsigned k = 1; k < n->count; k++)
        v = join(n->kind, v, meaning_made(m, n->kids[k]));
    return v;
}

static uint64_t
meaning_read(const struct maker *m, const struct pattern_node *n)
{
    if (n->kind == PATTERN_TEST)
        return number(m, (unsigned)n->test->consts[0].integer);
    uint64_t v = meaning_read(m, n->child);
    if (n->amount != NULL) {
        unsigned value = n->kind == PATTERN_START_STOP ? (unsigned)(n->amount->at.sec % 60)
                                                       : (unsigned)n->amount->integer;
        return rotate(v, value * 3 + (unsigned)n->kind);
    }
    for (const struct pattern_node *c = n->child->next; c != NULL; c = c->next) {
        assert_int_not_equal(c->kind, n->kind); /* chains are taken apart */
        v = join(n->kind, v, meaning_read(m, c));
    }
    return v;
}

static void
test_meaning(void **state)
{
    struct maker m = {.r = check_seed("patterns")};
    struct arena *a = arena_new(1u << 20);
    struct buf text, one, two;

    (void)state;
    buf_init(&text, 1u << 20);
    buf_init(&one, 1u << 20);
    buf_init(&two, 1u << 20);
    for (int round = 0; round < 20000; round++) {
        const struct pattern *p, *q;
        struct err e = ERR_INIT;

        m.used = 0;
        m.salt = check_next(&m.r);
        buf_reset(&text);
        buf_reset(&one);
        buf_reset(&two);
        arena_reset(a);
        unsigned root = make_observation(&m, 4);
        write_inner(&m, root, false, &text);
        assert_false(text.failed);
        if (pattern_read(buf_view(&text), a, &p, &e) != 0)
            fail_msg("round %d <%.*s>: %s at %zu", round, (int)text.n, text.p, e.text, e.pos);
        if (p->defects_found > 0)
            fail_msg("round %d <%.*s>: %s", round, (int)text.n, text.p, p->defects[0].rule);
        if (meaning_made(&m, root) != meaning_read(&m, p->root))
            fail_msg("round %d <%.*s>: means something else", round, (int)text.n, text.p);
        pattern_print(p, &one);
        assert_int_equal(pattern_read(buf_view(&one), a, &q, &e), 0);
        assert_true(pattern_equal(p, q));
        assert_int_equal(q->defects_found, 0);
        pattern_print(q, &two);
        assert_true(span_eq(buf_view(&one), buf_view(&two)));
    }
    buf_clear(&text);
    buf_clear(&one);
    buf_clear(&two);
    arena_free(a);
}

/* Texts with a few bytes changed: read or refused, never anything else; what is read comes back. */
static void
test_damage(void **state)
{
    static const char base[] =
        "([x-t:a.'b-c'[*] != 'it\\'s' AND (x-t:d IN (1, 2.5, +3) OR NOT EXISTS "
        "x-t:e)] FOLLOWEDBY [x-t:f MATCHES '^[a-z]{2}$']) WITHIN 5 SECONDS "
        "START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'";
    struct check_random r = check_seed("damaged patterns");
    struct arena *a = arena_new(1u << 20);
    size_t read = 0;

    (void)state;
    for (int round = 0; round < 50000; round++) {
        char text[sizeof(base)];
        const struct pattern *p, *q;
        struct err e = ERR_INIT;
        size_t n = sizeof(base) - 1;

        memcpy(text, base, sizeof(base));
        for (unsigned k = 0; k <= check_next(&r) % 3; k++) {
            size_t at = check_next(&r) % n;
            switch (check_next(&r) % 3) {
            case 0:
                text[at] = "[]()'\\.:,*=<>+-0a T\n\xc3"[check_next(&r) % 22];
                break;
            case 1:
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
                break;
            default:
                text[at] = text[check_next(&r) % n];
                break;
            }
        }
        arena_reset(a);
        if (pattern_read(span_from(text, n), a, &p, &e) != 0) {
            assert_true(e.code == ERR_SYNTAX || e.code == ERR_ENCODING);
            assert_true(e.pos <= n);
            continue;
        }
        read++;
        struct buf b;
        buf_init(&b, 1u << 16);
        pattern_print(p, &b);
        if (pattern_read(buf_view(&b), a, &q, &e) != 0 || !pattern_equal(p, q))
            fail_msg("<%.*s> printed <%.*s>", (int)n, text, (int)b.n, b.p);
        buf_clear(&b);
    }
    assert_true(read > 1000);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests_name("pattern/random", tests, NULL, NULL);
}
