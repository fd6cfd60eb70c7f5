/*
 * pattern/pattern_impl.h - what the reader of patterns shares with its checks; for pattern_*.c
 * alone.
 */
#ifndef JAGA_PATTERN_PATTERN_IMPL_H
#define JAGA_PATTERN_PATTERN_IMPL_H

#include "pattern.h"

/* Rules that a readable pattern can break; their texts stand in pattern_check.c. */
enum pattern_rule {
    RULE_KEYWORD_CASE,
    RULE_UNQUOTED,
    RULE_ESCAPE,
    RULE_PLUS,
    RULE_NUMBER,
    RULE_RANGE,
    RULE_HEX,
    RULE_BASE64,
    RULE_TIMESTAMP,
    RULE_TIME_PREFIX,
    RULE_INDEX,
    RULE_TYPE_NAME,
    RULE_AND_TYPES,
    RULE_SET_TYPES,
    RULE_SET_EMPTY,
    RULE_OPERAND,
    RULE_ORDER_BOOL,
    RULE_NETWORK,
    RULE_NETWORK_PATH,
    RULE_REGEX,
    RULE_REGEX_LONG,
    RULE_WITHIN,
    RULE_REPEATS,
    RULE_START_STOP,
    RULE_QUALIFIER_TWICE,
    RULE_HASH,
    RULE_HASH_NAME,
    RULE_VALID_FROM,
    RULE_VALID_UNTIL,
    RULE_COUNT
};

struct defect_list {
    struct arena *a;
    struct pattern_defect *list; /* PATTERN_DEFECTS_MAX, taken with the first */
    uint32_t kept, found;
    bool failed; /* out of memory */
};

void pattern_defect_add(struct defect_list *d, enum pattern_rule rule, size_t pos);

/* The checks that need the whole tree; the reader reports what concerns spelling. */
void pattern_check_tree(const struct pattern_node *root, struct defect_list *d);

bool pattern_is_keyword(struct span word);    /* as the standard spells it */
bool pattern_is_identifier(struct span name); /* needs no quotes */

#endif
