/* stix/stix_table.h - short names for the lines of the tables; included by those files alone. */
#ifndef JAGA_STIX_STIX_TABLE_H
#define JAGA_STIX_STIX_TABLE_H

#define COUNT(a) ((uint16_t)(sizeof(a) / sizeof((a)[0])))

#define OPT            0
#define REQ            STIX_F_REQUIRED
#define LIST           STIX_F_LIST
#define DEPRECATED     STIX_F_DEPRECATED
#define FORBIDDEN      STIX_F_FORBIDDEN
#define NOT_APPLICABLE STIX_F_NOT_APPLICABLE
#define DONE           STIX_F_DONE

#define LINE(n, k, f)                                                                              \
    {                                                                                              \
        .name = (n), .len = sizeof(n) - 1, .kind = (k), .flags = (f)                               \
    }
#define LINE_OF(n, k, f, m, v)                                                                     \
    {                                                                                              \
        .name = (n), .len = sizeof(n) - 1, .kind = (k), .flags = (f), .of = {.m = (v) }            \
    }

#define ANY(n, f)        LINE(n, STIX_K_ANY, f)
#define STR(n, f)        LINE(n, STIX_K_STRING, f)
#define BOOL(n, f)       LINE(n, STIX_K_BOOL, f)
#define TIME(n, f)       LINE(n, STIX_K_TIME, f)
#define TIME_MS(n, f)    LINE(n, STIX_K_TIME_MS, f)
#define BINARY(n, f)     LINE(n, STIX_K_BINARY, f)
#define HEX(n, f)        LINE(n, STIX_K_HEX, f)
#define HASHES(n, f)     LINE(n, STIX_K_HASHES, f)
#define EXTENSIONS(n, f) LINE(n, STIX_K_EXTENSIONS, f)
#define CONTAINER(n, f)  LINE(n, STIX_K_CONTAINER, f)
#define INT(n, f, r)     LINE_OF(n, STIX_K_INT, f, range, r)
#define NUM(n, f, r)     LINE_OF(n, STIX_K_NUMBER, f, range, r)
#define REF(n, f, t)     LINE_OF(n, STIX_K_REF, f, types, t)
#define WORD(n, f, v)    LINE_OF(n, STIX_K_VOCAB, f, vocab, v)
#define SYNTAX(n, f, s)  LINE_OF(n, STIX_K_SYNTAX, f, syntax, s)
#define DICT(n, f, d)    LINE_OF(n, STIX_K_DICT, f, dict, d)
#define SHAPE(n, f, s)   LINE_OF(n, STIX_K_SHAPE, f, shape, s)

#endif
