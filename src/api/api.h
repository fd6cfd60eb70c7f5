/*
 * api/api.h - the HTTP service of a node: TAXII 2.1 and plain pages for a browser.
 *
 * It turns requests into logins, questions and tells through a struct backend (backend.h), and
 * their outcomes into answers.  It opens nothing, keeps no object, and knows of rights only what
 * the other processes answer.
 */
#ifndef JAGA_API_API_H
#define JAGA_API_API_H

#include <stdint.h>
#include "backend.h"
#include "clock.h"
#include "err.h"
#include "http.h"
#include "log.h"
#include "span.h"

struct api;

struct api_options {
    const char *name, *country, *contact; /* borrowed while the service lives */
    const char *fingerprint;              /* of the certificate: shown on the first page */
    uint64_t max_content;                 /* bytes of a POST */
    unsigned page_objects;                /* of a page where the client sets no limit */
    const struct clock *clock;            /* NULL: the machine's */
    const struct log *log;                /* borrowed */
};

/* b is borrowed.  The caller hands b's outcomes to api_events, and api_handler's table with the
 * returned service as ctx to http_new. */
struct api *api_new(const struct api_options *o, const struct backend *b, struct err *e);
/* After the server has ended: no request is under way. */
void api_free(struct api *a);
const struct http_handler *api_handler(void);
const struct backend_events *api_events(void); /* ctx: the service */

#endif
