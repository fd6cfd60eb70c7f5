/*
 * node/signing.h - the writer's side of signing: asks the signer, and waits a bounded time.
 *
 * Where no signer is there, or it does not answer, nothing is signed: what was said stands and is
 * signed when it is back.
 */
#ifndef JAGA_NODE_SIGNING_H
#define JAGA_NODE_SIGNING_H

#include <stdbool.h>
#include "among.h"
#include "buf.h"
#include "err.h"
#include "sign.h"

struct signing;

struct signing *signing_new(void);
void signing_free(struct signing *s);
/* Takes over fd: the signer is there (again). */
void signing_link(struct signing *s, int fd);
bool signing_there(const struct signing *s);
/* What exchange_sign asks. */
const struct exchange_signer *signing_table(const struct signing *s);
/* The signer's key; -1: it is not there. */
int signing_key(struct signing *s, struct sign_public *out, struct err *e);

#endif
