/* The normal form of a pattern, and equality. */
#include <string.h>
#include "pattern_impl.h"

static const char *const op_words[] = {
    [PATTERN_EQ] = "=",
    [PATTERN_NE] = "!=",
    [PATTERN_GT] = ">",
    [PATTERN_LT] = "<",
    [PATTERN_GE] = ">=",
    [PATTERN_LE] = "<=",
    [PATTERN_IN] = "IN",
    [PATTERN_LIKE] = "LIKE",
    [PATTERN_MATCHES] = "MATCHES",
    [PATTERN_ISSUBSET] = "ISSUBSET",
    [PATTERN_ISSUPERSET] = "ISSUPERSET",
    [PATTERN_EXISTS] = "EXISTS",
};

bool
pattern_is_keyword(struct span word)
{
    static const char *const words[] = {
        "AND",      "OR",     "NOT",    "FOLLOWEDBY", "LIKE",  "MATCHES", "ISSUPERSET",
        "ISSUBSET", "EXISTS", "LAST",   "IN",         "START", "STOP",    "SECONDS",
        "true",     "false",  "WITHIN", "REPEATS",    "TIMES",
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (span_is(word, words[i]))
            return true;
    }
    return false;
}

bool
pattern_is_identifier(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.n > 0;
}

static void
put_string(struct span s, struct buf *out)
{
    buf_u8(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'' || s.p[i] == '\\')
            buf_u8(out, '\\');
        buf_u8(out, (unsigned char)s.p[i]);
    }
    buf_u8(out, '\'');
}

static void
put_const(const struct pattern_const *c, struct buf *out)
{
    switch (c->kind) {
    case PATTERN_STRING:
        put_string(c->text, out);
        return;
    case PATTERN_BINARY:
    case PATTERN_HEX:
    case PATTERN_TIME:
        buf_u8(out, c->kind == PATTERN_BINARY ? 'b' : c->kind == PATTERN_HEX ? 'h' : 't');
        buf_u8(out, '\'');
        buf_span(out, c->text);
        buf_u8(out, '\'');
        return;
    case PATTERN_INT:
    case PATTERN_FLOAT:
    case PATTERN_BOOL:
        buf_span(out, c->text);
        return;
    }
}

void
pattern_path_print(const struct pattern_test *t, struct buf *out)
{
    buf_span(out, t->type);
    for (uint32_t i = 0; i < t->step_count; i++) {
        const struct pattern_step *s = &t->steps[i];
        if (s->kind == PATTERN_NAME) {
            buf_u8(out, i == 0 ? ':' : '.');
            if (pattern_is_identifier(s->name) && !pattern_is_keyword(s->name))
                buf_span(out, s->name);
            else
                put_string(s->name, out);
        } else if (s->kind == PATTERN_ANY) {
            buf_str(out, "[*]");
        } else {
            buf_u8(out, '[');
            buf_decimal(out, s->index);
            buf_u8(out, ']');
        }
    }
}

static void
put_test(const struct pattern_test *t, struct buf *out)
{
    if (t->op == PATTERN_EXISTS) {
        buf_str(out, t->negated ? "NOT EXISTS " : "EXISTS ");
        pattern_path_print(t, out);
        return;
    }
    pattern_path_print(t, out);
    buf_str(out, t->negated ? " NOT " : " ");
    buf_str(out, op_words[t->op]);
    buf_u8(out, ' ');
    if (t->op == PATTERN_IN)
        buf_u8(out, '(');
    for (uint32_t i = 0; i < t->const_count; i++) {
        if (i > 0)
            buf_str(out, ", ");
        put_const(&t->consts[i], out);
    }
    if (t->op == PATTERN_IN)
        buf_u8(out, ')');
}

static bool
is_qualifier(const struct pattern_node *n)
{
    return n->kind == PATTERN_REPEATS || n->kind == PATTERN_WITHIN || n->kind == PATTERN_START_STOP;
}

/* How strongly a node holds together: a weaker one inside a stronger needs parentheses. */
static int
strength(const struct pattern_node *n)
{
    switch (n->kind) {
    case PATTERN_FOLLOWEDBY:
        return 0;
    case PATTERN_OBS_OR:
    case PATTERN_OR:
        return 1;
    case PATTERN_OBS_AND:
    case PATTERN_AND:
        return 2;
    default:
        return 3;
    }
}

/* A second qualifier of one type on the same expression is forbidden, but not on a group. */
static bool
repeats_kind(const struct pattern_node *n)
{
    for (const struct pattern_node *c = n->child; is_qualifier(c); c = c->child) {
        if (c->kind == n->kind)
            return true;
    }
    return false;
}

static void put_node(const struct pattern_node *n, struct buf *out);

static void
put_inner(const struct pattern_node *n, bool parens, struct buf *out)
{
    if (parens)
        buf_u8(out, '(');
    put_node(n, out);
    if (parens)
        buf_u8(out, ')');
}

static void
put_qualified(const struct pattern_node *n, struct buf *out)
{
    put_inner(n->child, strength(n->child) < 3 || repeats_kind(n), out);
    if (n->kind == PATTERN_REPEATS) {
        buf_str(out, " REPEATS ");
        put_const(n->amount, out);
        buf_str(out, " TIMES");
    } else if (n->kind == PATTERN_WITHIN) {
        buf_str(out, " WITHIN ");
        put_const(n->amount, out);
        buf_str(out, " SECONDS");
    } else {
        buf_str(out, " START ");
        put_const(n->amount, out);
        buf_str(out, " STOP ");
        put_const(n->stop, out);
    }
}

static void
put_node(const struct pattern_node *n, struct buf *out)
{
    if (n->kind == PATTERN_TEST) {
        put_test(n->test, out);
    } else if (n->kind == PATTERN_OBSERVATION) {
        buf_u8(out, '[');
        put_node(n->child, out);
        buf_u8(out, ']');
    } else if (is_qualifier(n)) {
        put_qualified(n, out);
    } else {
        for (const struct pattern_node *c = n->child; c != NULL; c = c->next) {
            if (c != n->child)
                buf_str(out, strength(n) == 0   ? " FOLLOWEDBY "
                             : strength(n) == 1 ? " OR "
                                                : " AND ");
            put_inner(c, strength(c) <= strength(n), out);
        }
    }
}

void
pattern_print(const struct pattern *p, struct buf *out)
{
    put_node(p->root, out);
}

static bool
const_equal(const struct pattern_const *a, const struct pattern_const *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->kind == b->kind && span_eq(a->text, b->text);
}

static bool
test_equal(const struct pattern_test *a, const struct pattern_test *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->op != b->op || a->negated != b->negated || !span_eq(a->type, b->type) ||
        a->step_count != b->step_count || a->const_count != b->const_count)
        return false;
    for (uint32_t i = 0; i < a->step_count; i++) {
        const struct pattern_step *s = &a->steps[i], *t = &b->steps[i];
        if (s->kind != t->kind || s->index != t->index || !span_eq(s->name, t->name))
            return false;
    }
    for (uint32_t i = 0; i < a->const_count; i++) {
        if (!const_equal(&a->consts[i], &b->consts[i]))
            return false;
    }
    return true;
}

static bool
node_equal(const struct pattern_node *a, const struct pattern_node *b)
{
    if (a->kind != b->kind || !test_equal(a->test, b->test) || !const_equal(a->amount, b->amount) ||
        !const_equal(a->stop, b->stop))
        return false;
    a = a->child;
    b = b->child;
    while (a != NULL && b != NULL) {
        if (!node_equal(a, b))
            return false;
        a = a->next;
        b = b->next;
    }
    return a == b;
}

bool
pattern_equal(const struct pattern *a, const struct pattern *b)
{
    return node_equal(a->root, b->root);
}
