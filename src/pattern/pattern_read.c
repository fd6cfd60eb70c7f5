/*
 * The reader: a scanner with one token ahead, and one function for each level of precedence.
 *
 *   pattern      = followed END
 *   followed     = or *( FOLLOWEDBY or )
 *   or           = and *( OR and )
 *   and          = qualified *( AND qualified )
 *   qualified    = ( "[" any "]" / "(" followed ")" ) *qualifier
 *   qualifier    = REPEATS int TIMES / WITHIN number SECONDS / START time STOP time
 *   any          = all *( OR all )
 *   all          = test *( AND test )
 *   test         = "(" any ")" / [ NOT ] EXISTS path / path [ NOT ] operator constant
 */
#include <assert.h>
#include <string.h>
#include "pattern_impl.h"
#include "pattern_scan.h"
#include "stix_id.h"
#include "utf8.h"

struct parser {
    struct pattern_scanner s;
    struct arena *a;
    unsigned depth;
    uint32_t tests, consts;
    struct pattern_test *first, *last;
    struct defect_list defects;
};

typedef struct pattern_node node;

static node *
fail(struct parser *p, enum err_code code, size_t pos, const char *text)
{
    err_set_at(p->s.e, code, pos, text);
    return NULL;
}

static void *
take(struct parser *p, size_t n)
{
    void *m = arena_alloc(p->a, n);

    if (m == NULL)
        fail(p, arena_full(p->a) ? ERR_LIMIT : ERR_MEMORY, p->s.pos, "no memory for the pattern");
    return m;
}

static void
defect(struct parser *p, enum pattern_rule rule, size_t pos)
{
    pattern_defect_add(&p->defects, rule, pos);
}

static int
expect(struct parser *p, enum token_kind kind, const char *text)
{
    if (p->s.tok.kind != kind)
        return err_set_at(p->s.e, ERR_SYNTAX, p->s.tok.pos, text);
    return pattern_next(&p->s);
}

/* Whether the token is that keyword; in another case it is taken too, and reported. */
static bool
is_keyword(struct parser *p, const char *word)
{
    if (p->s.tok.kind != T_WORD || !span_eq_nocase(p->s.tok.text, span_of(word)))
        return false;
    if (!span_is(p->s.tok.text, word))
        defect(p, RULE_KEYWORD_CASE, p->s.tok.pos);
    return true;
}

static int
expect_keyword(struct parser *p, const char *word, const char *text)
{
    if (!is_keyword(p, word))
        return err_set_at(p->s.e, ERR_SYNTAX, p->s.tok.pos, text);
    return pattern_next(&p->s);
}

/* --- constants --- */

/* The text of a string token.  A backslash before another character stands for itself. */
static int
unescape(struct parser *p, const struct pattern_token *t, struct span *out)
{
    if (!t->escapes) {
        *out = t->text;
        return 0;
    }
    char *to = take(p, t->text.n);
    if (to == NULL)
        return -1;
    size_t n = 0;
    bool lone = false;
    for (size_t i = 0; i < t->text.n; i++) {
        char c = t->text.p[i];
        if (c == '\\') {
            char follows = i + 1 < t->text.n ? t->text.p[i + 1] : '\0';
            if (follows == '\\' || follows == '\'') {
                c = follows;
                i++;
            } else if (!lone) {
                lone = true;
                defect(p, RULE_ESCAPE, t->pos);
            }
        }
        to[n++] = c;
    }
    *out = span_from(to, n);
    return 0;
}

static void
read_integer(struct parser *p, struct span digits, bool minus, struct pattern_const *c, size_t pos)
{
    const int64_t exact = (int64_t)1 << 53; /* I-JSON's range, section 2.8 */
    uint64_t v;

    if (!span_u64(digits, INT64_MAX, &v)) {
        v = INT64_MAX;
    }
    c->kind = PATTERN_INT;
    c->integer = minus ? -(int64_t)v : (int64_t)v;
    c->number = (double)c->integer;
    if (c->integer >= exact || c->integer <= -exact)
        defect(p, RULE_RANGE, pos);
}

/* Normal form: no plus, no superfluous zeros in front, a digit before the point, "0" for "-0". */
static int
read_number(struct parser *p, struct pattern_const *c)
{
    struct span s = p->s.tok.text;
    size_t pos = p->s.tok.pos;
    bool minus = s.p[0] == '-';

    if (s.p[0] == '+')
        defect(p, RULE_PLUS, pos);
    if (s.p[0] == '+' || minus)
        s = span_part(s, 1, s.n);
    ptrdiff_t dot = span_find(s, '.');
    size_t whole = dot < 0 ? s.n : (size_t)dot, zeros = 0;
    while (zeros + 1 < whole && s.p[zeros] == '0')
        zeros++;
    if (zeros > 0)
        defect(p, RULE_NUMBER, pos);
    s = span_part(s, zeros, s.n);
    bool integer = dot < 0;
    minus = minus && !(integer && s.n == 1 && s.p[0] == '0');
    char *to = take(p, s.n + 2);
    if (to == NULL)
        return -1;
    size_t n = 0;
    if (minus)
        to[n++] = '-';
    if (whole == 0)
        to[n++] = '0';
    memcpy(to + n, s.p, s.n);
    c->text = span_from(to, n + s.n);
    if (integer) {
        read_integer(p, s, minus, c, pos);
        return 0;
    }
    c->kind = PATTERN_FLOAT;
    if (!json_number_read(c->text, &c->number)) {
        c->number = 0;
        defect(p, RULE_RANGE, pos);
    }
    return 0;
}

static int
read_hex(struct parser *p, struct pattern_const *c)
{
    struct span s = p->s.tok.text;
    char *to = take(p, s.n + 1);
    bool bad = s.n % 2 != 0;

    if (to == NULL)
        return -1;
    for (size_t i = 0; i < s.n; i++) {
        char h = s.p[i];
        if (h >= 'A' && h <= 'F') {
            bad = true; /* section 9.2 names small letters alone */
            h = (char)(h + 32);
        } else if (!pattern_is_digit(h) && !(h >= 'a' && h <= 'f')) {
            bad = true;
        }
        to[i] = h;
    }
    if (bad)
        defect(p, RULE_HEX, p->s.tok.pos);
    c->kind = PATTERN_HEX;
    c->text = span_from(to, s.n);
    return 0;
}

static int
read_base64(struct parser *p, struct pattern_const *c)
{
    struct span s = p->s.tok.text;
    char *to = take(p, s.n + 1);
    size_t n = 0, pad = 0;
    bool bad = false;

    if (to == NULL)
        return -1;
    for (size_t i = 0; i < s.n; i++) {
        char b = s.p[i];
        if (b == '\n' || b == '\r')
            continue; /* section 9.2: supported and ignored */
        if (b == '=')
            pad++;
        else if (pad > 0 ||
                 !(pattern_is_letter(b) || pattern_is_digit(b) || b == '+' || b == '/') || b == '_')
            bad = true;
        to[n++] = b;
    }
    if (bad || n % 4 != 0 || pad > 2)
        defect(p, RULE_BASE64, p->s.tok.pos);
    c->kind = PATTERN_BINARY;
    c->text = span_from(to, n);
    return 0;
}

static int
read_const(struct parser *p, struct pattern_const *c)
{
    unsigned digits;

    *c = (struct pattern_const){.pos = (uint32_t)p->s.tok.pos};
    if (++p->consts > PATTERN_VALUES_MAX)
        return err_set_at(p->s.e, ERR_LIMIT, p->s.tok.pos, "too many constants in one pattern");
    switch (p->s.tok.kind) {
    case T_STRING:
        c->kind = PATTERN_STRING;
        if (unescape(p, &p->s.tok, &c->text) != 0)
            return -1;
        break;
    case T_NUMBER:
        if (read_number(p, c) != 0)
            return -1;
        break;
    case T_HEX:
        if (read_hex(p, c) != 0)
            return -1;
        break;
    case T_BINARY:
        if (read_base64(p, c) != 0)
            return -1;
        break;
    case T_TIME:
        c->kind = PATTERN_TIME;
        c->text = p->s.tok.text;
        c->broken = !instant_read(c->text, false, &c->at, &digits);
        if (c->broken)
            defect(p, RULE_TIMESTAMP, p->s.tok.pos);
        break;
    case T_WORD:
        if (is_keyword(p, "true") || is_keyword(p, "false")) {
            c->kind = PATTERN_BOOL;
            c->boolean = p->s.tok.text.n == 4;
            c->text = c->boolean ? SPAN("true") : SPAN("false");
            break;
        }
        /* fall through */
    default:
        return err_set_at(p->s.e, ERR_SYNTAX, p->s.tok.pos, "a constant is missing here");
    }
    return pattern_next(&p->s);
}

/* --- object paths --- */

static int
add_step(struct parser *p, struct pattern_test *t, struct pattern_step *steps,
         const struct pattern_step *s)
{
    if (t->step_count == PATTERN_STEPS_MAX)
        return err_set_at(p->s.e, ERR_LIMIT, p->s.tok.pos, "an object path has too many steps");
    steps[t->step_count++] = *s;
    return pattern_next(&p->s);
}

static int
read_name(struct parser *p, struct pattern_test *t, struct pattern_step *steps)
{
    struct pattern_step s = {.kind = PATTERN_NAME, .name = p->s.tok.text};

    if (p->s.tok.kind == T_STRING) {
        if (unescape(p, &p->s.tok, &s.name) != 0)
            return -1;
    } else if (p->s.tok.kind != T_WORD) {
        return err_set_at(p->s.e, ERR_SYNTAX, p->s.tok.pos, "a property name is missing here");
    } else if (span_find(s.name, '-') >= 0) {
        defect(p, RULE_UNQUOTED, p->s.tok.pos);
    }
    return add_step(p, t, steps, &s);
}

static int
read_index(struct parser *p, struct pattern_test *t, struct pattern_step *steps)
{
    struct pattern_step s = {.kind = PATTERN_ANY};
    uint64_t v;

    if (p->s.tok.kind == T_NUMBER) {
        s.kind = PATTERN_INDEX;
        if (!span_u64(p->s.tok.text, UINT32_MAX, &v)) {
            /* Negative, or too large: no list has such an element. */
            defect(p, RULE_INDEX, p->s.tok.pos);
            v = UINT32_MAX;
        }
        s.index = (uint32_t)v;
    } else if (p->s.tok.kind != T_STAR) {
        return err_set_at(p->s.e, ERR_SYNTAX, p->s.tok.pos, "a list index must be a number or *");
    }
    if (add_step(p, t, steps, &s) != 0)
        return -1;
    return expect(p, T_RBRACK, "a list index has no closing bracket");
}

/* After the type: ":" and the steps. */
static int
read_path(struct parser *p, struct pattern_test *t, struct pattern_token type)
{
    struct pattern_step steps[PATTERN_STEPS_MAX];

    t->type = type.text;
    if (!stix_type_usable(t->type) || span_find(t->type, '_') >= 0)
        defect(p, RULE_TYPE_NAME, type.pos);
    if (expect(p, T_COLON, "a colon is missing after the object type") != 0 ||
        read_name(p, t, steps) != 0)
        return -1;
    for (;;) {
        if (p->s.tok.kind == T_DOT) {
            if (pattern_next(&p->s) != 0 || read_name(p, t, steps) != 0)
                return -1;
        } else if (p->s.tok.kind == T_LBRACK) {
            if (pattern_next(&p->s) != 0 || read_index(p, t, steps) != 0)
                return -1;
        } else {
            break;
        }
    }
    struct pattern_step *kept = take(p, t->step_count * sizeof(*kept));
    if (kept == NULL)
        return -1;
    memcpy(kept, steps, t->step_count * sizeof(*kept));
    t->steps = kept;
    return 0;
}

/* --- comparisons --- */

static int
read_set(struct parser *p, struct pattern_test *t)
{
    struct pattern_const one, *list = NULL;
    size_t cap = 0;

    if (expect(p, T_LPAREN, "IN needs a list in parentheses") != 0)
        return -1;
    while (p->s.tok.kind != T_RPAREN) {
        if (t->const_count > 0 && expect(p, T_COMMA, "a comma is missing in the list") != 0)
            return -1;
        if (read_const(p, &one) != 0)
            return -1;
        if (t->const_count == cap) {
            size_t more = cap == 0 ? 4 : 2 * cap;
            struct pattern_const *grown = take(p, more * sizeof(*grown));
            if (grown == NULL)
                return -1;
            if (cap > 0)
                memcpy(grown, list, cap * sizeof(*grown));
            list = grown;
            cap = more;
        }
        list[t->const_count++] = one;
    }
    t->consts = list;
    return pattern_next(&p->s);
}

static int
read_operator(struct parser *p, struct pattern_test *t)
{
    static const struct {
        const char *word;
        enum pattern_op op;
    } words[] = {{"IN", PATTERN_IN},
                 {"LIKE", PATTERN_LIKE},
                 {"MATCHES", PATTERN_MATCHES},
                 {"ISSUBSET", PATTERN_ISSUBSET},
                 {"ISSUPERSET", PATTERN_ISSUPERSET}};

    if (is_keyword(p, "NOT")) {
        t->negated = true;
        if (pattern_next(&p->s) != 0)
            return -1;
    }
    if (p->s.tok.kind == T_OP) {
        t->op = p->s.tok.op;
        return pattern_next(&p->s);
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (is_keyword(p, words[i].word)) {
            t->op = words[i].op;
            return pattern_next(&p->s);
        }
    }
    return err_set_at(p->s.e, ERR_SYNTAX, p->s.tok.pos, "a comparison operator is missing here");
}

static int
read_comparison(struct parser *p, struct pattern_test *t)
{
    if (p->s.tok.kind != T_WORD)
        return err_set_at(p->s.e, ERR_SYNTAX, p->s.tok.pos, "a comparison is missing here");
    struct pattern_token type = p->s.tok;
    if (pattern_next(&p->s) != 0)
        return -1;
    if (p->s.tok.kind != T_COLON && span_eq_nocase(type.text, SPAN("NOT"))) {
        if (!span_is(type.text, "NOT"))
            defect(p, RULE_KEYWORD_CASE, type.pos);
        if (!is_keyword(p, "EXISTS"))
            return err_set_at(p->s.e, ERR_SYNTAX, type.pos,
                              "NOT stands before an operator or EXISTS alone");
        t->negated = true;
        type = p->s.tok;
        if (pattern_next(&p->s) != 0)
            return -1;
    }
    if (p->s.tok.kind != T_COLON && span_eq_nocase(type.text, SPAN("EXISTS"))) {
        if (!span_is(type.text, "EXISTS") && !t->negated)
            defect(p, RULE_KEYWORD_CASE, type.pos);
        t->op = PATTERN_EXISTS;
        type = p->s.tok;
        if (expect(p, T_WORD, "EXISTS needs an object path") != 0)
            return -1;
        return read_path(p, t, type);
    }
    if (read_path(p, t, type) != 0 || read_operator(p, t) != 0)
        return -1;
    if (t->op == PATTERN_IN)
        return read_set(p, t);
    struct pattern_const *c = take(p, sizeof(*c));
    if (c == NULL || read_const(p, c) != 0)
        return -1;
    t->consts = c;
    t->const_count = 1;
    return 0;
}

static node *
new_node(struct parser *p, enum pattern_kind kind, size_t pos)
{
    node *n = take(p, sizeof(*n));
    if (n != NULL)
        *n = (node){.kind = kind, .pos = (uint32_t)pos};
    return n;
}

static node *
read_test(struct parser *p)
{
    size_t pos = p->s.tok.pos;

    if (++p->tests > PATTERN_TESTS_MAX)
        return fail(p, ERR_LIMIT, pos, "too many comparisons in one pattern");
    node *n = new_node(p, PATTERN_TEST, pos);
    struct pattern_test *t = n != NULL ? take(p, sizeof(*t)) : NULL;
    if (t == NULL)
        return NULL;
    *t = (struct pattern_test){.op = PATTERN_EQ};
    if (read_comparison(p, t) != 0)
        return NULL;
    n->test = t;
    if (p->last != NULL)
        p->last->next = t;
    else
        p->first = t;
    p->last = t;
    return n;
}

/* --- chains --- */

struct chain {
    node *head; /* the only operand so far, or the node of the chain */
    node *last; /* its last child */
    bool many;
};

static node *
last_of(const node *list)
{
    while (list->next != NULL)
        list = list->next;
    return (node *)(uintptr_t)list; /* made here as not const; const to all others */
}

/* Puts one more operand behind.  A chain of the same operator in parentheses is taken apart: the
 * operators are associative. */
static int
chain_add(struct parser *p, struct chain *c, enum pattern_kind kind, node *operand)
{
    if (c->head == NULL) {
        c->head = operand;
        return 0;
    }
    if (!c->many) {
        node *first = c->head;
        if (first->kind == kind) {
            c->last = last_of(first->child);
        } else {
            node *n = new_node(p, kind, first->pos);
            if (n == NULL)
                return -1;
            n->child = first;
            c->head = n;
            c->last = first;
        }
        c->many = true;
    }
    if (operand->kind == kind) {
        c->last->next = operand->child;
        c->last = last_of(operand->child);
    } else {
        c->last->next = operand;
        c->last = operand;
    }
    return 0;
}

static node *
read_chain(struct parser *p, enum pattern_kind kind, const char *word,
           node *(*operand)(struct parser *))
{
    struct chain c = {0};

    for (;;) {
        node *n = operand(p);
        if (n == NULL || chain_add(p, &c, kind, n) != 0)
            return NULL;
        if (!is_keyword(p, word))
            return c.head;
        if (pattern_next(&p->s) != 0)
            return NULL;
    }
}

/* "(" inner ")", with the depth counted. */
static node *
read_parens(struct parser *p, node *(*inner)(struct parser *))
{
    if (++p->depth > PATTERN_DEPTH_MAX)
        return fail(p, ERR_LIMIT, p->s.tok.pos, "parentheses are nested too deep");
    if (pattern_next(&p->s) != 0)
        return NULL;
    node *n = inner(p);
    if (n == NULL || expect(p, T_RPAREN, "a closing parenthesis is missing here") != 0)
        return NULL;
    p->depth--;
    return n;
}

static node *read_any(struct parser *p);

static node *
read_operand(struct parser *p)
{
    return p->s.tok.kind == T_LPAREN ? read_parens(p, read_any) : read_test(p);
}

static node *
read_all(struct parser *p)
{
    return read_chain(p, PATTERN_AND, "AND", read_operand);
}

static node *
read_any(struct parser *p)
{
    return read_chain(p, PATTERN_OR, "OR", read_all);
}

/* --- observations --- */

static struct pattern_const *
read_amount(struct parser *p)
{
    struct pattern_const *c = take(p, sizeof(*c));
    return c != NULL && read_const(p, c) == 0 ? c : NULL;
}

/* A time; STIX 2.0 wrote it without the t. */
static struct pattern_const *
read_time(struct parser *p)
{
    if (p->s.tok.kind == T_STRING) {
        defect(p, RULE_TIME_PREFIX, p->s.tok.pos);
        p->s.tok.kind = T_TIME;
    }
    if (p->s.tok.kind != T_TIME) {
        fail(p, ERR_SYNTAX, p->s.tok.pos, "START and STOP need a time");
        return NULL;
    }
    return read_amount(p);
}

/* The keyword is in p->s.tok, and is one of the three. */
static node *
read_qualifier(struct parser *p, enum pattern_kind kind, node *inner)
{
    node *n = new_node(p, kind, p->s.tok.pos);

    if (n == NULL || pattern_next(&p->s) != 0)
        return NULL;
    n->child = inner;
    if (kind == PATTERN_START_STOP) {
        n->amount = read_time(p);
        if (n->amount == NULL || expect_keyword(p, "STOP", "START needs a STOP") != 0)
            return NULL;
        n->stop = read_time(p);
        return n->stop != NULL ? n : NULL;
    }
    if (p->s.tok.kind != T_NUMBER)
        return fail(p, ERR_SYNTAX, p->s.tok.pos, "a number is missing here");
    n->amount = read_amount(p);
    if (n->amount == NULL)
        return NULL;
    if (kind == PATTERN_REPEATS)
        return expect_keyword(p, "TIMES", "REPEATS needs TIMES") == 0 ? n : NULL;
    return expect_keyword(p, "SECONDS", "WITHIN needs SECONDS") == 0 ? n : NULL;
}

static node *read_followed(struct parser *p);

static node *
read_qualified(struct parser *p)
{
    unsigned seen = 0, count = 0;
    node *n;

    if (p->s.tok.kind == T_LPAREN) {
        n = read_parens(p, read_followed);
    } else {
        n = new_node(p, PATTERN_OBSERVATION, p->s.tok.pos);
        if (n == NULL || expect(p, T_LBRACK, "an opening bracket is missing here") != 0)
            return NULL;
        n->child = read_any(p);
        if (n->child == NULL || expect(p, T_RBRACK, "a closing bracket is missing here") != 0)
            return NULL;
    }
    while (n != NULL) {
        enum pattern_kind kind = is_keyword(p, "REPEATS")  ? PATTERN_REPEATS
                                 : is_keyword(p, "WITHIN") ? PATTERN_WITHIN
                                 : is_keyword(p, "START")  ? PATTERN_START_STOP
                                                           : PATTERN_OBSERVATION;
        if (kind == PATTERN_OBSERVATION)
            break;
        if (++count > PATTERN_QUALIFIERS_MAX) /* the tree's depth is bounded */
            return fail(p, ERR_LIMIT, p->s.tok.pos, "too many qualifiers behind one expression");
        if ((seen & 1u << kind) != 0)
            defect(p, RULE_QUALIFIER_TWICE, p->s.tok.pos);
        seen |= 1u << kind;
        n = read_qualifier(p, kind, n);
    }
    return n;
}

static node *
read_and(struct parser *p)
{
    return read_chain(p, PATTERN_OBS_AND, "AND", read_qualified);
}

static node *
read_or(struct parser *p)
{
    return read_chain(p, PATTERN_OBS_OR, "OR", read_and);
}

static node *
read_followed(struct parser *p)
{
    return read_chain(p, PATTERN_FOLLOWEDBY, "FOLLOWEDBY", read_or);
}

int
pattern_read(struct span text, struct arena *a, const struct pattern **out, struct err *e)
{
    struct arena_mark start = arena_mark(a);
    struct parser p = {.s = {.e = e}, .a = a, .defects = {.a = a}};
    size_t bad;

    if (text.n > PATTERN_TEXT_MAX)
        return err_set_at(e, ERR_LIMIT, PATTERN_TEXT_MAX, "the pattern is too long");
    if (!utf8_valid(text, &bad))
        return err_set_at(e, ERR_ENCODING, bad, "the pattern is not UTF-8");
    struct pattern *result = take(&p, sizeof(*result));
    char *copy = result != NULL ? take(&p, text.n + 1) : NULL;
    if (copy == NULL)
        goto failed;
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    p.s.in = span_from(copy, text.n);

    if (pattern_next(&p.s) != 0)
        goto failed;
    const node *root = read_followed(&p);
    if (root == NULL || expect(&p, T_END, "something follows after the end of the pattern") != 0)
        goto failed;
    assert(p.depth == 0);
    pattern_check_tree(root, &p.defects);
    if (p.defects.failed) {
        fail(&p, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, 0, "no memory for the pattern");
        goto failed;
    }
    *result = (struct pattern){.root = root,
                               .tests = p.first,
                               .test_count = p.tests,
                               .defects = p.defects.list,
                               .defect_count = p.defects.kept,
                               .defects_found = p.defects.found};
    *out = result;
    return 0;
failed:
    if (!arena_full(a)) /* else it stays full, so that the caller can tell the two limits apart */
        arena_rewind(a, start);
    return -1;
}
