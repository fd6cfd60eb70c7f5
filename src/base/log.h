/*
 * base/log.h - one line for each event: time, level, process, what, key=value.
 *
 * Text from outside is escaped here.  No secrets, no restricted content: callers pass ids and
 * numbers.  The logger takes its level and its file descriptor as arguments and knows nobody.
 */
#ifndef JAGA_BASE_LOG_H
#define JAGA_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "span.h"

enum log_level {
    LOG_ERROR, /* someone must act */
    LOG_WARN,
    LOG_INFO, /* what happened */
    LOG_DEBUG
};

struct log {
    int fd; /* -1: silent */
    enum log_level level;
    char who[16]; /* "parent", "front", ... */
};

struct log_field {
    const char *key; /* NULL ends a list */
    enum { LOG_F_SPAN, LOG_F_INT, LOG_F_STR } kind;
    struct span span;
    int64_t num;
};

#define LOG_S(k, s) ((struct log_field){.key = (k), .kind = LOG_F_SPAN, .span = (s)})
#define LOG_T(k, s) ((struct log_field){.key = (k), .kind = LOG_F_STR, .span = span_of(s)})
#define LOG_N(k, v) ((struct log_field){.key = (k), .kind = LOG_F_INT, .num = (int64_t)(v)})
#define LOG_END     ((struct log_field){.key = 0})
/* log_line(&log, LOG_INFO, "started", LOG_N("pid", pid)) */
#define log_line(l, lev, what, ...)                                                                \
    log_fields((l), (lev), (what), (const struct log_field[]){LOG_END, ##__VA_ARGS__, LOG_END} + 1)

void log_fields(const struct log *l, enum log_level level, const char *what,
                const struct log_field *fields);
void log_err(const struct log *l, enum log_level level, const char *what, const struct err *e);

#endif
