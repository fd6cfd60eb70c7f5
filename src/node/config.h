/*
 * node/config.h - the node's settings: one table that the parser, the check, the printout and the
 * manual come from.
 *
 * The file is DIR/jaga.conf: a name, white space and a value a line; "#" begins a comment.  It is
 * read once, by the parent or by a command, checked as a whole, and handed on as values.
 */
#ifndef JAGA_NODE_CONFIG_H
#define JAGA_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "err.h"
#include "log.h"
#include "span.h"

#define CONFIG_FILE_MAX    (64u << 10) /* bytes of the file */
#define CONFIG_TEXT_MAX    256         /* bytes of one value */
#define CONFIG_LISTEN_MAX  4           /* listeners; each has a front process of its own */
#define CONFIG_READERS_MAX 8

struct config {
    char name[CONFIG_TEXT_MAX];    /* the team's name */
    char country[CONFIG_TEXT_MAX]; /* ISO 3166-1 alpha-2 */
    char contact[CONFIG_TEXT_MAX]; /* shown on the first page and in TAXII discovery */
    char listen[CONFIG_LISTEN_MAX][CONFIG_TEXT_MAX]; /* "ADDR:PORT", IPv6 in brackets;
                                                      * the ceiling is kept apart */
    uint8_t ceiling[CONFIG_LISTEN_MAX]; /* enum tlp: the strictest label of that listener */
    unsigned listen_n;
    char certificate[CONFIG_TEXT_MAX]; /* PEM; empty: DIR/tls/cert.pem, made at init */
    char key[CONFIG_TEXT_MAX];
    int64_t readers;
    int64_t writer_cache_mib;
    int64_t reader_cache_mib;
    int64_t max_content_mib; /* the longest body of a POST; TAXII's max_content_length */
    int64_t connections;
    int64_t page_objects; /* objects of a page where the client sets no limit */
    enum log_level log;
};

enum config_type {
    CONFIG_TEXT,
    CONFIG_LISTEN, /* may be given several times */
    CONFIG_COUNTRY,
    CONFIG_INT,
    CONFIG_LOG
};

struct config_entry {
    const char *name;
    enum config_type type;
    const char *unit; /* "" where there is none */
    int64_t least, most;
    const char *preset; /* the default, as it would be written */
    const char *help;   /* one line */
    size_t offset;      /* in struct config */
};

extern const struct config_entry config_table[];
extern const size_t config_count;

void config_preset(struct config *c);
/* Reads text over the presets.  On failure *c is untouched and e->place is "line N: NAME". */
int config_read(struct span text, struct config *c, struct err *e);
/* One value, as if it stood in the file. */
int config_set(struct config *c, struct span name, struct span value, struct err *e);
/* The whole configuration as a file; with comments, each entry's help above it. */
void config_print(const struct config *c, bool comments, struct buf *out);

/* "ADDR:PORT" taken apart; ADDR without brackets.  What stands behind a space is passed over. */
bool config_listen_parts(struct span text, char addr[64], uint16_t *port);

#endif
