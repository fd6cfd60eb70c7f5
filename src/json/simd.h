/*
 * json/simd.h - what json.c takes from C++: simdjson's first stage, and numbers to and from text.
 *
 * Private to this room.  simdjson's first stage checks the whole text's UTF-8, that every string
 * ends and holds no control character, and lists where tokens start, at several bytes a cycle.
 * What the tokens mean is read in json.c: simdjson's own second stage keeps neither a number's text
 * nor a value's position, refuses integers that RFC 8785 prints, and lets lone surrogates pass.
 */
#ifndef JAGA_JSON_SIMD_H
#define JAGA_JSON_SIMD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct simd;

enum simd_result {
    SIMD_OK,
    SIMD_MEMORY,
    SIMD_EMPTY,    /* nothing but white space */
    SIMD_UTF8,     /* not UTF-8 */
    SIMD_CONTROL,  /* a control character within a string */
    SIMD_UNCLOSED, /* the last string does not end */
    SIMD_OTHER
};

struct simd *simd_new(void);
void simd_free(struct simd *s);

/* The positions of all tokens of text: each of {}[]:, and the first byte of each string, number or
 * word.  The list is simd's own, valid until the next call, and goes on with n once more behind
 * its end.  Nothing beyond text[n - 1] is read. */
enum simd_result simd_index(struct simd *s, const char *text, size_t n, const uint32_t **at,
                            size_t *count);

/* Gives back what a large text made it take. */
void simd_shrink(struct simd *s);

/* The double nearest to text, which must be of JSON's number grammar: 0; 1 beyond a double; -1 not
 * a number.  What is too small for a double is 0, as ECMAScript reads it. */
int simd_double_read(const char *text, size_t n, double *out);

/* The shortest digits that read back as v, in scientific form ("1.25e-07"): their length.  out has
 * room for 32. */
size_t simd_double_print(double v, char *out);

#ifdef __cplusplus
}
#endif
#endif
