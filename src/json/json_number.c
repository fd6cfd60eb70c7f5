/* Numbers: JSON's grammar, and ECMAScript's way to print a double. */
#include "json.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include "json_room.h"
#include "simd.h"

#define INT_EXACT   9007199254740991.0 /* 2^53 - 1: up to here each integer is a double */
#define FAST_DIGITS 15                 /* decimal digits that always lie below it */

/* RFC 8259 section 6.  False: no number. */
static bool
grammar(struct span s, bool *integer)
{
    size_t i = 0;
    size_t from;

    *integer = true;
    if (i < s.n && s.p[i] == '-')
        i++;
    from = i;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    if (i == from || (s.p[from] == '0' && i - from > 1))
        return false;
    if (i < s.n && s.p[i] == '.') {
        *integer = false;
        from = ++i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        *integer = false;
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        from = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    return i == s.n;
}

/* Most numbers are short integers, and need no conversion that is correct to half a unit. */
static bool
short_integer(struct span s, double *out)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    size_t i = minus;
    int64_t v = 0;

    if (s.n <= i || s.n - i > FAST_DIGITS || (s.p[i] == '0' && s.n - i > 1))
        return false;
    for (; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    *out = minus ? -(double)v : (double)v;
    return true;
}

enum number_result
number_read(struct span s, double *out)
{
    bool integer;
    double v;

    if (short_integer(s, out))
        return NUMBER_OK;
    if (!grammar(s, &integer))
        return NUMBER_SYNTAX;
    switch (simd_double_read(s.p, s.n, &v)) {
    case 0:
        break;
    case 1:
        return NUMBER_TOO_LARGE;
    default:
        return NUMBER_SYNTAX;
    }
    *out = v;
    if (integer && fabs(v) > INT_EXACT) {
        /* Two parsers could take such an integer for different values, unless it is the very text
         * that stands for this double. */
        char text[JSON_NUMBER_MAX];
        size_t n = json_number_print(v, text);

        if (!span_eq(s, span_from(text, n)))
            return NUMBER_INEXACT;
    }
    return NUMBER_OK;
}

bool
json_number_read(struct span s, double *out)
{
    double v;

    switch (number_read(s, &v)) {
    case NUMBER_OK:
    case NUMBER_INEXACT: /* a number all the same: the rule is the document's, not the grammar's */
        *out = v;
        return true;
    default:
        return false;
    }
}

static size_t
print_integer(uint64_t v, char *out)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

/* The digits of a text like "-1.25e-07" without sign and point; *n as in ECMAScript: the value is
 * 0.DIGITS times ten to the n. */
static size_t
take_apart(const char *text, size_t len, char digits[JSON_NUMBER_MAX], int *n)
{
    size_t k = 0;
    size_t i = 0;
    int exponent = 0;
    bool minus = false;

    for (; i < len && text[i] != 'e'; i++)
        if (text[i] >= '0' && text[i] <= '9')
            digits[k++] = text[i];
    for (i++; i < len; i++) {
        if (text[i] == '-')
            minus = true;
        else if (text[i] != '+')
            exponent = exponent * 10 + (text[i] - '0');
    }
    *n = (minus ? -exponent : exponent) + 1;
    return k;
}

/* Number::toString of ECMAScript (ECMA-262, 6.1.6.1.20) with radix 10. */
size_t
json_number_print(double v, char out[JSON_NUMBER_MAX])
{
    char text[JSON_NUMBER_MAX];
    char digits[JSON_NUMBER_MAX];
    char *p = out;
    size_t k;
    int n;

    assert(isfinite(v));
    if (v == 0) { /* and -0 */
        *p = '0';
        return 1;
    }
    if (v < 0) {
        *p++ = '-';
        v = -v;
    }
    if (v <= INT_EXACT && v == floor(v))
        return (size_t)(p - out) + print_integer((uint64_t)v, p);
    k = take_apart(text, simd_double_print(v, text), digits, &n);
    if (n > 21 || n <= -6) {
        *p++ = digits[0];
        if (k > 1) {
            *p++ = '.';
            memcpy(p, digits + 1, k - 1);
            p += k - 1;
        }
        *p++ = 'e';
        *p++ = n > 0 ? '+' : '-';
        p += print_integer((uint64_t)(n > 0 ? n - 1 : 1 - n), p);
    } else if (n <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = n; i < 0; i++)
            *p++ = '0';
        memcpy(p, digits, k);
        p += k;
    } else {
        for (size_t i = 0; i < k || i < (size_t)n; i++) {
            if (i == (size_t)n)
                *p++ = '.';
            *p++ = i < k ? digits[i] : '0';
        }
    }
    return (size_t)(p - out);
}
