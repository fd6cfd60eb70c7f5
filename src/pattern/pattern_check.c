/* What a readable pattern can break, and the checks that need its tree. */
#include <string.h>
#include "pattern_impl.h"
#include "value.h"

#define S(n) "STIX 2.1 section " n

static const struct {
    enum stix_severity severity;
    const char *rule, *clause, *text;
} rules[RULE_COUNT] = {
    [RULE_KEYWORD_CASE] = {STIX_MUST, "pattern-keyword", S("9.6"),
                           "a keyword is not written as the "
                           "standard has it, in capitals"},
    [RULE_UNQUOTED] = {STIX_MUST, "pattern-unquoted", S("9.7"),
                       "a property name with a hyphen is not in apostrophes"},
    [RULE_ESCAPE] = {STIX_MUST, "pattern-escape", S("9.2"),
                     "a backslash stands before something else than a backslash or an apostrophe"},
    [RULE_PLUS] = {STIX_MUST, "pattern-plus", S("9.2"), "a number has a plus sign"},
    [RULE_NUMBER] = {STIX_MUST, "pattern-number", S("9.2"), "a number begins with a zero too many"},
    [RULE_RANGE] = {STIX_MUST, "pattern-range", S("2.8"), "a number is out of range"},
    [RULE_HEX] = {STIX_MUST, "pattern-hex", S("9.2"),
                  "a hex constant is not an even number of digits 0 to 9 and a to f"},
    [RULE_BASE64] = {STIX_MUST, "pattern-base64", S("9.2"), "a binary constant is not base64"},
    [RULE_TIMESTAMP] = {STIX_MUST, "pattern-timestamp", S("9.2"), "a constant is no timestamp"},
    [RULE_TIME_PREFIX] = {STIX_MUST, "pattern-time-type", S("9.5.1"),
                          "START and STOP take timestamps, t'...', and no strings"},
    [RULE_INDEX] = {STIX_MUST, "pattern-index", S("9.7.2"),
                    "a list index is no whole number from 0 on"},
    [RULE_TYPE_NAME] = {STIX_MUST, "pattern-type", S("9.7"), "not the name of an object type"},
    [RULE_AND_TYPES] = {STIX_MUST, "pattern-and-types", S("9.5"),
                        "AND joins comparisons that no one object can satisfy: of different types"},
    [RULE_SET_TYPES] = {STIX_MUST, "pattern-set-types", S("9.6.1"),
                        "the constants of an IN list are of different types"},
    [RULE_SET_EMPTY] = {STIX_SHOULD, "pattern-set-empty", S("9.6.1"), "an IN list is empty"},
    [RULE_OPERAND] = {STIX_MUST, "pattern-operand", S("9.6.1"),
                      "LIKE, MATCHES, ISSUBSET and ISSUPERSET need a string"},
    [RULE_ORDER_BOOL] = {STIX_MUST, "pattern-order", S("9.6.1"),
                         "true and false are not greater or less than anything"},
    [RULE_NETWORK] = {STIX_MUST, "pattern-network", S("9.6.1"),
                      "ISSUBSET and ISSUPERSET need an address or a network in CIDR form"},
    [RULE_NETWORK_PATH] = {STIX_MUST, "pattern-network-path", S("9.6.1"),
                           "ISSUBSET and ISSUPERSET need the value of an ipv4-addr or ipv6-addr"},
    [RULE_REGEX] = {STIX_MUST, "pattern-regex", S("9.6.1"),
                    "a regular expression is not well-formed"},
    [RULE_REGEX_LONG] = {STIX_SHOULD, "pattern-regex-long", S("9.6.1"),
                         "a regular expression is too long to be checked"},
    [RULE_WITHIN] = {STIX_MUST, "pattern-within", S("9.5.1"), "WITHIN needs a positive number"},
    [RULE_REPEATS] = {STIX_MUST, "pattern-repeats", S("9.5.1"),
                      "REPEATS needs a positive whole number"},
    [RULE_START_STOP] = {STIX_SHOULD, "pattern-start-stop", S("9.5.1"),
                         "STOP is not after START: nothing can match"},
    [RULE_QUALIFIER_TWICE] = {STIX_MUST, "pattern-qualifier-twice", S("9.5.1"),
                              "an observation expression has two qualifiers of one type"},
    [RULE_HASH] = {STIX_MUST, "pattern-hash", S("10.7"),
                   "a hash has not the length or the digits of its algorithm"},
    [RULE_HASH_NAME] = {STIX_SHOULD, "pattern-hash-name", S("10.7"),
                        "not the standard's name of the hash algorithm"},
    [RULE_VALID_FROM] = {STIX_SHOULD, "pattern-valid-from", S("9.5.1"),
                         "START is before the indicator's valid_from"},
    [RULE_VALID_UNTIL] = {STIX_SHOULD, "pattern-valid-until", S("9.5.1"),
                          "STOP is after the indicator's valid_until"},
};

static struct pattern_defect
defect_of(enum pattern_rule rule, size_t pos)
{
    return (struct pattern_defect){.severity = rules[rule].severity,
                                   .pos = (uint32_t)pos,
                                   .rule = rules[rule].rule,
                                   .clause = rules[rule].clause,
                                   .text = rules[rule].text};
}

void
pattern_defect_add(struct defect_list *d, enum pattern_rule rule, size_t pos)
{
    d->found++;
    if (d->list == NULL)
        d->list = arena_zero(d->a, PATTERN_DEFECTS_MAX, sizeof(*d->list));
    if (d->list == NULL)
        d->failed = true;
    else if (d->kept < PATTERN_DEFECTS_MAX)
        d->list[d->kept++] = defect_of(rule, pos);
}

/* --- regular expressions --- */

/* A quantifier in braces, from the "{"; the index behind it, or i where it is plain text (as PCRE
 * takes it), or 0 where its bounds are impossible. */
static size_t
braces(struct span s, size_t i)
{
    unsigned long bound[2] = {0, 0};
    size_t k = i + 1, digits = 0;
    int which = 0;

    for (; k < s.n && s.p[k] != '}'; k++) {
        if (s.p[k] == ',' && which == 0 && digits > 0) {
            which = 1;
            digits = 0;
        } else if (s.p[k] >= '0' && s.p[k] <= '9' && digits < 6) {
            bound[which] = 10 * bound[which] + (unsigned long)(s.p[k] - '0');
            digits++;
        } else {
            return i;
        }
    }
    if (k == s.n || (digits == 0 && which == 0))
        return i;
    bool open_end = which == 1 && digits == 0;
    if (bound[0] > 65535 || bound[1] > 65535 || (which == 1 && !open_end && bound[1] < bound[0]))
        return 0;
    return k + 1;
}

/* From the "[": the index behind the "]", or 0. */
static size_t
char_class(struct span s, size_t i)
{
    i++;
    if (i < s.n && s.p[i] == '^')
        i++;
    if (i < s.n && s.p[i] == ']') /* first in a class it stands for itself */
        i++;
    for (; i < s.n; i++) {
        if (s.p[i] == '\\') {
            i++;
        } else if (s.p[i] == '[' && i + 1 < s.n && s.p[i + 1] == ':') {
            struct span rest = span_part(s, i + 2, s.n);
            ptrdiff_t end = span_find_span(rest, SPAN(":]"));
            if (end >= 0 && end < 12)
                i += 2 + (size_t)end + 1;
        } else if (s.p[i] == ']') {
            return i + 1;
        }
    }
    return 0;
}

/* Whether s could be a regular expression of PCRE: brackets closed, quantifiers with something to
 * repeat.  One pass, no engine: what it lets through may still be refused by one. */
static bool
regex_ok(struct span s)
{
    size_t depth = 0;
    bool atom = false; /* something stands before that can be repeated */

    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        if (c == '\\') {
            if (++i == s.n)
                return false;
            if (s.p[i] == 'Q') { /* literal text to \E or the end */
                ptrdiff_t end = span_find_span(span_part(s, i, s.n), SPAN("\\E"));
                if (end < 0)
                    return depth == 0;
                i += (size_t)end + 1;
            }
            i++;
            atom = true;
        } else if (c == '[') {
            i = char_class(s, i);
            if (i == 0)
                return false;
            atom = true;
        } else if (c == '(') {
            depth++;
            i++;
            atom = false;
            if (i < s.n && s.p[i] == '?') /* (?:, (?=, (?i) ...: the ? is no quantifier */
                i++;
            else if (i < s.n && s.p[i] == '*') /* (*VERB) */
                i++;
        } else if (c == ')') {
            if (depth-- == 0)
                return false;
            i++;
            atom = true;
        } else if (c == '*' || c == '+' || c == '?' || c == '{') {
            size_t end = c == '{' ? braces(s, i) : i + 1;
            if (end == 0)
                return false;
            if (c == '{' && end == i) {
                atom = true; /* plain text */
                i++;
                continue;
            }
            if (!atom)
                return false;
            i = end;
            if (i < s.n && (s.p[i] == '?' || s.p[i] == '+')) /* lazy, possessive */
                i++;
            atom = false;
        } else {
            atom = c != '|';
            i++;
        }
    }
    return depth == 0;
}

/* --- hashes --- */

static const struct {
    const char *name;
    unsigned digits; /* 0: no fixed number, a text of its own */
    bool standard;   /* in hash-algorithm-ov */
} algorithms[] = {
    {"MD5", 32, true},      {"SHA-1", 40, true},     {"SHA-256", 64, true}, {"SHA-512", 128, true},
    {"SHA3-256", 64, true}, {"SHA3-512", 128, true}, {"SSDEEP", 0, true},   {"TLSH", 0, true},
    {"SHA-224", 56, false}, {"SHA-384", 96, false},
};

/* Equal without case, '-' and '_': "sha256", "SHA_256". */
static bool
same_algorithm(struct span a, const char *b)
{
    size_t i = 0;

    for (; *b != '\0'; b++) {
        if (*b == '-')
            continue;
        while (i < a.n && (a.p[i] == '-' || a.p[i] == '_'))
            i++;
        if (i == a.n || !span_eq_nocase(span_part(a, i, 1), span_from(b, 1)))
            return false;
        i++;
    }
    return i == a.n;
}

static void
check_hash(const struct pattern_test *t, size_t pos, struct defect_list *d)
{
    const struct pattern_step *last = &t->steps[t->step_count - 1];

    if (t->step_count < 2 || last->kind != PATTERN_NAME || last[-1].kind != PATTERN_NAME ||
        !span_is(last[-1].name, "hashes"))
        return;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (!same_algorithm(last->name, algorithms[i].name))
            continue;
        /* The standard itself writes both ssdeep and SSDEEP (9.7.3, 10.7). */
        if (!span_is(last->name, algorithms[i].name) && !span_is(last->name, "ssdeep"))
            pattern_defect_add(d, RULE_HASH_NAME, pos);
        if (t->op != PATTERN_EQ && t->op != PATTERN_NE && t->op != PATTERN_IN)
            return;
        for (uint32_t k = 0; k < t->const_count; k++) {
            const struct pattern_const *c = &t->consts[k];
            struct value v;
            if (c->kind != PATTERN_STRING || algorithms[i].digits == 0)
                continue;
            if (c->text.n != algorithms[i].digits || !value_read(VALUE_HASH, c->text, &v))
                pattern_defect_add(d, RULE_HASH, c->pos);
        }
        return;
    }
    pattern_defect_add(d, RULE_HASH_NAME, pos);
}

/* --- comparisons --- */

static void
check_network(const struct pattern_test *t, size_t pos, struct defect_list *d)
{
    const struct pattern_step *last = &t->steps[t->step_count - 1];
    struct value v;

    if (last->kind != PATTERN_NAME || !span_is(last->name, "value"))
        pattern_defect_add(d, RULE_NETWORK_PATH, pos);
    else if (t->step_count == 1 && !span_is(t->type, "ipv4-addr") && !span_is(t->type, "ipv6-addr"))
        pattern_defect_add(d, RULE_NETWORK_PATH, pos);
    if (t->consts[0].kind == PATTERN_STRING && !value_read(VALUE_IPV4, t->consts[0].text, &v) &&
        !value_read(VALUE_IPV6, t->consts[0].text, &v))
        pattern_defect_add(d, RULE_NETWORK, t->consts[0].pos);
}

static void
check_set(const struct pattern_test *t, size_t pos, struct defect_list *d)
{
    if (t->const_count == 0)
        pattern_defect_add(d, RULE_SET_EMPTY, pos);
    for (uint32_t k = 1; k < t->const_count; k++) {
        if (t->consts[k].kind != t->consts[0].kind) {
            pattern_defect_add(d, RULE_SET_TYPES, t->consts[k].pos);
            return;
        }
    }
}

static void
check_test(const struct pattern_node *n, struct defect_list *d)
{
    const struct pattern_test *t = n->test;

    check_hash(t, n->pos, d);
    switch (t->op) {
    case PATTERN_GT:
    case PATTERN_LT:
    case PATTERN_GE:
    case PATTERN_LE:
        if (t->consts[0].kind == PATTERN_BOOL)
            pattern_defect_add(d, RULE_ORDER_BOOL, t->consts[0].pos);
        break;
    case PATTERN_IN:
        check_set(t, n->pos, d);
        break;
    case PATTERN_LIKE:
    case PATTERN_MATCHES:
    case PATTERN_ISSUBSET:
    case PATTERN_ISSUPERSET:
        if (t->consts[0].kind != PATTERN_STRING)
            pattern_defect_add(d, RULE_OPERAND, t->consts[0].pos);
        else if (t->op == PATTERN_MATCHES && t->consts[0].text.n > PATTERN_REGEX_MAX)
            pattern_defect_add(d, RULE_REGEX_LONG, t->consts[0].pos);
        else if (t->op == PATTERN_MATCHES && !regex_ok(t->consts[0].text))
            pattern_defect_add(d, RULE_REGEX, t->consts[0].pos);
        if (t->op == PATTERN_ISSUBSET || t->op == PATTERN_ISSUPERSET)
            check_network(t, n->pos, d);
        break;
    default:
        break;
    }
}

/* Types with which a comparison expression can be true; any when there are too many to follow,
 * which no honest pattern has. */
#define TYPES_MAX 16
struct types {
    struct span t[TYPES_MAX];
    size_t n;
    bool any;
};

static bool
has_type(const struct types *s, struct span t)
{
    for (size_t i = 0; i < s->n; i++) {
        if (span_eq(s->t[i], t))
            return true;
    }
    return false;
}

static void
types_or(struct types *into, const struct types *more)
{
    into->any = into->any || more->any;
    for (size_t i = 0; i < more->n && !into->any; i++) {
        if (has_type(into, more->t[i]))
            continue;
        if (into->n == TYPES_MAX)
            into->any = true;
        else
            into->t[into->n++] = more->t[i];
    }
}

static void
types_and(struct types *into, const struct types *more)
{
    size_t n = 0;

    if (more->any)
        return;
    if (into->any) {
        *into = *more;
        return;
    }
    for (size_t i = 0; i < into->n; i++) {
        if (has_type(more, into->t[i]))
            into->t[n++] = into->t[i];
    }
    into->n = n;
}

static void
check_comparison(const struct pattern_node *n, struct types *out, struct defect_list *d)
{
    struct types one;
    bool told = false;

    if (n->kind == PATTERN_TEST) {
        check_test(n, d);
        *out = (struct types){.t = {n->test->type}, .n = 1};
        return;
    }
    *out = (struct types){.any = n->kind == PATTERN_AND};
    for (const struct pattern_node *c = n->child; c != NULL; c = c->next) {
        check_comparison(c, &one, d);
        if (n->kind == PATTERN_OR) {
            types_or(out, &one);
            continue;
        }
        types_and(out, &one);
        if (!out->any && out->n == 0 && !told) {
            pattern_defect_add(d, RULE_AND_TYPES, c->pos);
            told = true;
        }
    }
    if (told) /* one fault, told once */
        out->any = true;
}

/* --- qualifiers --- */

static void
check_qualifier(const struct pattern_node *n, struct defect_list *d)
{
    const struct pattern_const *x = n->amount;

    if (n->kind == PATTERN_REPEATS && (x->kind != PATTERN_INT || x->integer < 1))
        pattern_defect_add(d, RULE_REPEATS, x->pos);
    if (n->kind == PATTERN_WITHIN && !(x->number > 0))
        pattern_defect_add(d, RULE_WITHIN, x->pos);
    if (n->kind == PATTERN_START_STOP && !x->broken && !n->stop->broken &&
        instant_cmp(n->stop->at, x->at) <= 0)
        pattern_defect_add(d, RULE_START_STOP, n->pos);
}

static void
check_observations(const struct pattern_node *n, struct defect_list *d)
{
    struct types types;

    if (n->kind == PATTERN_OBSERVATION) {
        check_comparison(n->child, &types, d);
        return;
    }
    if (n->amount != NULL)
        check_qualifier(n, d);
    for (const struct pattern_node *c = n->child; c != NULL; c = c->next)
        check_observations(c, d);
}

void
pattern_check_tree(const struct pattern_node *root, struct defect_list *d)
{
    check_observations(root, d);
}

/* --- of an indicator --- */

struct window {
    struct instant from, until;
    bool has_from, has_until;
};

static void
check_window(const struct pattern_node *n, const struct window *w, struct defect_list *d)
{
    if (n->kind == PATTERN_OBSERVATION)
        return;
    if (n->kind == PATTERN_START_STOP) {
        if (w->has_from && !n->amount->broken && instant_cmp(n->amount->at, w->from) < 0)
            pattern_defect_add(d, RULE_VALID_FROM, n->amount->pos);
        if (w->has_until && !n->stop->broken && instant_cmp(n->stop->at, w->until) > 0)
            pattern_defect_add(d, RULE_VALID_UNTIL, n->stop->pos);
    }
    for (const struct pattern_node *c = n->child; c != NULL; c = c->next)
        check_window(c, w, d);
}

static int
report(const struct pattern_defect *d, struct arena *a, struct stix_report *r, struct err *e)
{
    const char *text = arena_printf(a, "%s (byte %u of the pattern)", d->text, d->pos);

    if (text == NULL)
        return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no memory for a report");
    return stix_report_add(r, a,
                           (struct stix_defect){.severity = d->severity,
                                                .rule = d->rule,
                                                .clause = d->clause,
                                                .pointer = "/pattern",
                                                .text = text},
                           e);
}

int
pattern_check(const struct json *indicator, struct arena *a, struct stix_report *r,
              const struct pattern **out, struct err *e)
{
    const struct json *text = json_get(indicator, "pattern");
    const struct pattern *p;
    struct err why = ERR_INIT;

    *out = NULL;
    if (!span_is(json_text(indicator, "pattern_type"), "stix") || text == NULL ||
        text->type != JSON_STRING)
        return 0;
    if (pattern_read(text->text, a, &p, &why) != 0) {
        if (why.code == ERR_MEMORY || arena_full(a)) {
            if (e != NULL)
                *e = why;
            return -1;
        }
        struct pattern_defect d = {.severity = STIX_MUST,
                                   .pos = (uint32_t)why.pos,
                                   .rule =
                                       why.code == ERR_LIMIT ? "pattern-limit" : "pattern-syntax",
                                   .clause = S("9.4"),
                                   .text = why.text};
        return report(&d, a, r, e);
    }
    for (uint32_t i = 0; i < p->defect_count; i++) {
        if (report(&p->defects[i], a, r, e) != 0)
            return -1;
    }
    struct window w = {0};
    struct defect_list late = {.a = a};
    unsigned digits;
    w.has_from = instant_read(json_text(indicator, "valid_from"), false, &w.from, &digits);
    w.has_until = instant_read(json_text(indicator, "valid_until"), false, &w.until, &digits);
    check_window(p->root, &w, &late);
    if (late.failed)
        return err_set(e, arena_full(a) ? ERR_LIMIT : ERR_MEMORY, "no memory for a report");
    for (uint32_t i = 0; i < late.kept; i++) {
        if (report(&late.list[i], a, r, e) != 0)
            return -1;
    }
    *out = p;
    return 0;
}
