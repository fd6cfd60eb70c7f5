/* Tokens out of the text of a pattern. */
#include "pattern_scan.h"

#include <string.h>
#include "utf8.h"

bool
pattern_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool
pattern_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_word(char c)
{
    return pattern_is_letter(c) || pattern_is_digit(c) || c == '-';
}

/* Unicode's WSpace=Y (section 9.4). */
static bool
is_space(uint32_t cp)
{
    return (cp >= 9 && cp <= 13) || cp == ' ' || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
           cp == 0x205f || cp == 0x3000;
}

static void
skip_space(struct pattern_scanner *p)
{
    while (p->pos < p->in.n) {
        if (p->in.p[p->pos] == ' ') {
            p->pos++;
            continue;
        }
        struct span rest = span_part(p->in, p->pos, p->in.n);
        if (!is_space(utf8_next(&rest)))
            return;
        p->pos = p->in.n - rest.n;
    }
}

/* From the opening quote; the text between the quotes.  Only strings have escapes. */
static int
scan_quoted(struct pattern_scanner *p, size_t quote, enum token_kind kind)
{
    struct pattern_token *t = &p->tok;

    t->kind = kind;
    t->escapes = false;
    for (size_t i = quote + 1; i < p->in.n; i++) {
        char c = p->in.p[i];
        if (c == '\\' && kind == T_STRING) {
            t->escapes = true;
            i++;
        } else if (c == '\'') {
            t->text = span_part(p->in, quote + 1, i - quote - 1);
            p->pos = i + 1;
            return 0;
        }
    }
    return err_set_at(p->e, ERR_SYNTAX, quote, "a constant has no closing apostrophe");
}

static int
scan_number(struct pattern_scanner *p)
{
    size_t i = p->pos;

    if (p->in.p[i] == '+' || p->in.p[i] == '-')
        i++;
    size_t digits = i;
    while (i < p->in.n && pattern_is_digit(p->in.p[i]))
        i++;
    bool whole = i > digits;
    if (i < p->in.n && p->in.p[i] == '.') {
        size_t dot = i++;
        while (i < p->in.n && pattern_is_digit(p->in.p[i]))
            i++;
        if (i == dot + 1)
            return err_set_at(p->e, ERR_SYNTAX, p->pos, "a number has no digits after its point");
    } else if (!whole) {
        return err_set_at(p->e, ERR_SYNTAX, p->pos, "a sign without a number");
    }
    if (i < p->in.n && is_word(p->in.p[i]))
        return err_set_at(p->e, ERR_SYNTAX, p->pos, "not a number, and not a name");
    p->tok.kind = T_NUMBER;
    p->tok.text = span_part(p->in, p->pos, i - p->pos);
    p->pos = i;
    return 0;
}

static int
scan_word(struct pattern_scanner *p)
{
    size_t i = p->pos;
    char c = p->in.p[i];

    if (i + 1 < p->in.n && p->in.p[i + 1] == '\'' && (c == 'b' || c == 'h' || c == 't'))
        return scan_quoted(p, i + 1, c == 'b' ? T_BINARY : c == 'h' ? T_HEX : T_TIME);
    while (i < p->in.n && is_word(p->in.p[i]))
        i++;
    p->tok.kind = T_WORD;
    p->tok.text = span_part(p->in, p->pos, i - p->pos);
    p->pos = i;
    return 0;
}

static int
scan_operator(struct pattern_scanner *p)
{
    static const struct {
        const char *text;
        enum pattern_op op;
    } ops[] = {
        {"==", PATTERN_EQ}, {"=", PATTERN_EQ},  {"!=", PATTERN_NE}, {"<>", PATTERN_NE},
        {"<=", PATTERN_LE}, {">=", PATTERN_GE}, {"<", PATTERN_LT},  {">", PATTERN_GT},
    };
    struct span rest = span_part(p->in, p->pos, 2);

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (span_starts(rest, ops[i].text)) {
            p->tok.kind = T_OP;
            p->tok.op = ops[i].op;
            p->pos += strlen(ops[i].text);
            return 0;
        }
    }
    return err_set_at(p->e, ERR_SYNTAX, p->pos, "a character that has no meaning in a pattern");
}

int
pattern_next(struct pattern_scanner *p)
{
    static const char signs[] = "[]():.,*";
    static const enum token_kind kinds[] = {T_LBRACK, T_RBRACK, T_LPAREN, T_RPAREN,
                                            T_COLON,  T_DOT,    T_COMMA,  T_STAR};

    skip_space(p);
    p->tok.pos = p->pos;
    p->tok.text = (struct span){NULL, 0};
    if (p->pos == p->in.n) {
        p->tok.kind = T_END;
        return 0;
    }
    char c = p->in.p[p->pos];
    bool digit_next = p->pos + 1 < p->in.n && pattern_is_digit(p->in.p[p->pos + 1]);
    if (pattern_is_letter(c))
        return scan_word(p);
    if (pattern_is_digit(c) || c == '+' || c == '-' || (c == '.' && digit_next))
        return scan_number(p);
    if (c == '\'')
        return scan_quoted(p, p->pos, T_STRING);
    const char *at = c != '\0' ? strchr(signs, c) : NULL;
    if (at != NULL) {
        p->tok.kind = kinds[at - signs];
        p->pos++;
        return 0;
    }
    return scan_operator(p);
}
