/*
 * api/gzip.h - bodies in the gzip coding (RFC 1952, RFC 9110 section 8.4.1.3), both ways.
 *
 * A page of STIX takes an eighth of its bytes in it, which is what counts on a bad line.
 */
#ifndef JAGA_API_GZIP_H
#define JAGA_API_GZIP_H

#include <stdbool.h>
#include "buf.h"
#include "err.h"
#include "span.h"

#define GZIP_LEAST 1024u        /* bytes: a shorter body goes as it is */
#define GZIP_MOST  (512u << 10) /* a longer one would hold up the others for milliseconds */

/* Accept-Encoding: whether gzip is welcome (named, or by "*", with a weight over 0).  An absent
 * header does not ask for it. */
bool gzip_welcome(struct span accept_encoding);
/* Content-Encoding: *gzip is set.  False: a coding that is not understood. */
bool gzip_understood(struct span content_encoding, bool *gzip);

/* Appends the coded bytes to out.  False: no memory, out is not to be used.
 * Whoever sees the lengths of coded pages and can have text of his own put into them could guess at
 * what stands beside it; a comment of random length in the head blurs what he sees. */
bool gzip_put(struct span plain, struct buf *out);

struct gunzip;
struct gunzip *gunzip_new(void); /* NULL when memory is out */
void gunzip_free(struct gunzip *g);
/* Takes from the front of *in and appends to out (which is fixed) until one is used up.  -1: not
 * gzip, damaged, or no memory. */
int gunzip_step(struct gunzip *g, struct span *in, struct buf *out, struct err *e);
bool gunzip_whole(const struct gunzip *g); /* it has ended where it may end */

#endif
