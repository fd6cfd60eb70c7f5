/*
 * pattern/pattern_scan.h - the tokens of a pattern; for pattern_read.c alone.
 */
#ifndef JAGA_PATTERN_PATTERN_SCAN_H
#define JAGA_PATTERN_PATTERN_SCAN_H

#include "err.h"
#include "pattern.h"

enum token_kind {
    T_END,
    T_LBRACK,
    T_RBRACK,
    T_LPAREN,
    T_RPAREN,
    T_COLON,
    T_DOT,
    T_COMMA,
    T_STAR,
    T_OP,     /* a comparison written in signs */
    T_STRING, /* text: between the quotes, as written */
    T_BINARY,
    T_HEX,
    T_TIME,
    T_NUMBER,
    T_WORD
};

struct pattern_token {
    enum token_kind kind;
    enum pattern_op op;
    size_t pos;
    struct span text;
    bool escapes; /* a string with a backslash in it */
};

struct pattern_scanner {
    struct span in; /* valid UTF-8 */
    size_t pos;
    struct pattern_token tok; /* the one read last */
    struct err *e;
};

/* Reads the next token into p->tok; -1: there is none that could stand in a pattern. */
int pattern_next(struct pattern_scanner *p);

bool pattern_is_digit(char c);
bool pattern_is_letter(char c); /* of ASCII, and '_': what an unquoted name begins with */

#endif
