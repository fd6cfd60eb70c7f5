/*
 * base/err.h - what went wrong, in a struct that the caller owns.
 *
 * A function that can fail returns 0 or -1 (or a pointer or NULL) and fills a caller's struct err.
 * Whoever finds the error describes it; those above pass it on or add the place.  Library code
 * never prints, never exits.  The door that answers (HTTP, command line, log) turns the code into
 * a status once, in one table.
 */
#ifndef JAGA_BASE_ERR_H
#define JAGA_BASE_ERR_H

#include <stddef.h>

enum err_code {
    ERR_NONE = 0,
    ERR_MEMORY,   /* an allocation failed */
    ERR_LIMIT,    /* larger, deeper or more than a named limit allows */
    ERR_ENCODING, /* not UTF-8, lone surrogate, bad escape */
    ERR_SYNTAX,   /* not of the grammar */
    ERR_DUPLICATE,
    ERR_TYPE,     /* a value of another type than the rule asks for */
    ERR_RANGE,    /* a value out of its range */
    ERR_RULE,     /* a rule of a standard or of the policy is broken */
    ERR_MISSING,  /* no such thing, or none that the caller may see: never told apart */
    ERR_DENIED,   /* the caller may not do this to a thing that it sees */
    ERR_AUTH,     /* not logged in, or the login failed */
    ERR_CONFLICT, /* the state has changed, or forbids the act */
    ERR_BUSY,     /* try again later */
    ERR_FULL,     /* disk or quota */
    ERR_IO,       /* a system call failed; sys holds errno */
    ERR_PROTOCOL, /* a sibling process or peer broke the message format */
    ERR_CORRUPT,  /* what is stored does not match its own checksums */
    ERR_USAGE,    /* the command line or configuration is wrong */
    ERR_INTERNAL  /* an invariant of this program is broken */
};

#define ERR_PLACE_MAX 160 /* bytes of place kept, with the final NUL; longer ones are cut */

struct err {
    enum err_code code;
    int sys;                   /* errno where a system call failed, else 0 */
    size_t pos;                /* byte position in the input, where that means something */
    const char *text;          /* constant text, never NULL once code is set */
    char place[ERR_PLACE_MAX]; /* JSON pointer, path, key ...; "" if none; always valid UTF-8 */
};

#define ERR_INIT ((struct err){.text = ""})

/* Sets *e and returns -1, so that "return err_set(...)" reads well.  e may be NULL. */
int err_set(struct err *e, enum err_code code, const char *text);

/* The same with a byte position. */
int err_set_at(struct err *e, enum err_code code, size_t pos, const char *text);

/* The same with errno kept in sys. */
int err_set_sys(struct err *e, int sys, const char *text);

/* Puts a place on an error that has none yet (the finder knows best).  Always returns -1. */
int err_place(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The name of a code in lower case: "memory", "limit", ... */
const char *err_name(enum err_code code);

/* One line for people, "TEXT at PLACE (byte POS): STRERROR", into out; never longer than n - 1. */
void err_line(const struct err *e, char *out, size_t n);

#endif
