/*
 * net/tls_cert.h - the node's TLS certificate: made here and pinned by its fingerprint, or the
 * operator's own.
 */
#ifndef JAGA_NET_TLS_CERT_H
#define JAGA_NET_TLS_CERT_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "err.h"
#include "span.h"

#define TLS_PEM_MAX     (256u << 10) /* bytes: a key, or a chain of certificates */
#define TLS_FINGERPRINT 96           /* bytes: "AA:BB:..." of SHA-256 and a NUL */

/* Ten years.  A certificate signed by itself is trusted because somebody compared its fingerprint
 * once; to expire would gain nothing (there is no authority to ask again) and would teach people
 * to click warnings away.  A key that is lost is replaced by making a new one. */
#define TLS_SELF_SIGNED_DAYS 3650

/* Makes an ECDSA P-256 key and a certificate for localhost, 127.0.0.1, ::1 and the hosts given (a
 * name or an address each; empty ones and "any" addresses are left out).  PEM is appended to both;
 * the caller wipes the key. */
int tls_cert_make(const struct span *hosts, size_t n, int64_t now_us, struct buf *cert_pem,
                  struct buf *key_pem, struct err *e);

struct tls_cert_info {
    char
        fingerprint[TLS_FINGERPRINT]; /* SHA-256 of the first certificate, upper-case hex, colons */
    int64_t days_left;                /* whole days until it ends; negative: ended */
    bool self_signed;
};

/* Reads a certificate chain and its key (PEM) and checks that they belong together and that the key
 * is no weaker than GnuTLS's medium level: ERR_SYNTAX, ERR_RULE.  A certificate that has ended is
 * no error here; the caller warns by days_left.  key_pem may be empty: then only the chain is read.
 */
int tls_cert_read(struct span cert_pem, struct span key_pem, int64_t now_us,
                  struct tls_cert_info *out, struct err *e);

#endif
