/*
 * intake/intake_msg.h - an intake_result as a message between processes.
 *
 * The receiver treats it as if the sender had been taken over: each length is checked, each list
 * bounded, no text but UTF-8 gets through, nothing stands behind the end.  The hash is not sent:
 * intake_decode computes it.  Whether the bytes are what the rest says, the receiver finds out
 * from the bytes alone (stix_facts_read); rows serve search alone.
 */
#ifndef JAGA_INTAKE_INTAKE_MSG_H
#define JAGA_INTAKE_INTAKE_MSG_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "intake.h"
#include "span.h"

/* Bytes of an encoded result: an object of JSON_TEXT_MAX and what it is found by.  Rows that do not
 * fit are left out, trigrams first, and found.cut says so.  Texts are not sent: their trigrams are.
 */
#define INTAKE_MSG_MAX ((17u << 20) - (128u << 10))

/* Appends to out; out->failed tells that memory or out's maximum is reached. */
void intake_encode(const struct intake_result *r, struct buf *out);

/* Lists live in a, spans borrow from message.  ERR_PROTOCOL for anything that intake_encode would
 * not have written. */
int intake_decode(struct span message, struct arena *a, struct intake_result *out, struct err *e);

#endif
