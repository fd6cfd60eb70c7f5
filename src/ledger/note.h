/*
 * ledger/note.h - signed notes (C2SP signed-note): a text, and lines of who signed it.
 *
 *   TEXT, which ends with a line feed
 *                                        (an empty line)
 *   — NAME BASE64(key id || signature)   (one line for each signature)
 *
 * A key id is the first four bytes of SHA-256(NAME || 0x0A || 0x01 || public key).  The text and
 * nothing else is signed.  Lines of keys that are not asked for are passed over, whatever their
 * kind, so a witness may add its own; the first line of a known name and key id decides, and a
 * second one can neither save nor spoil the note.
 */
#ifndef JAGA_LEDGER_NOTE_H
#define JAGA_LEDGER_NOTE_H

#include <stddef.h>
#include <stdint.h>
#include "buf.h"
#include "err.h"
#include "sign.h"
#include "span.h"

#define NOTE_LINES_MAX    16u   /* what every verifier must take, by that page */
#define NOTE_NAME_MAX     255u  /* bytes of a name */
#define NOTE_KEY_ID_BYTES 4     /* of a key id */
#define NOTE_LINE_MAX     8192u /* bytes of a line; post-quantum signatures have up to 5 kB */
#define NOTE_MAX          (192u << 10) /* bytes of a note: 16 such lines and a text */

struct note_line {
    struct span name;
    uint8_t key_id[NOTE_KEY_ID_BYTES];
    struct span base64; /* of key id and signature, as it stands: strict, at least 5 bytes */
};

struct note {
    struct span text; /* with its last line feed */
    size_t n;         /* lines, at least 1 */
    struct note_line line[NOTE_LINES_MAX];
};

enum note_verdict {
    NOTE_UNSIGNED, /* no line of that name and key */
    NOTE_FALSE,    /* there is one, and its signature is not of this text */
    NOTE_SIGNED
};

void note_key_id(struct span name, const struct sign_public *public,
                 uint8_t out[NOTE_KEY_ID_BYTES]);

/* Whether a note can have that text (UTF-8, not empty, no control characters but line feeds, ends
 * with one); 0, or -1 with ERR_ENCODING, ERR_SYNTAX or ERR_LIMIT at the position. */
int note_text_check(struct span text, struct err *e);
/* ... and a key that name: UTF-8, 1 to NOTE_NAME_MAX bytes, no white space of Unicode's, no plus,
 * no control characters. */
int note_name_check(struct span name, struct err *e);

/* Text, empty line and one line of signature, appended to out.  The signature is not checked. */
int note_put(struct span text, struct span name, const struct sign_public *public,
             const struct signature *s, struct buf *out, struct err *e);
/* One more line to a note that stands in out from its start. */
int note_line(struct span name, const struct sign_public *public, const struct signature *s,
              struct buf *out, struct err *e);

/* Spans point into s.  Anything but the form above, to the byte, is refused: ERR_SYNTAX,
 * ERR_ENCODING or ERR_LIMIT at the position. */
int note_read(struct span s, struct note *out, struct err *e);

/* Whether that name signed it with that key; the signature in *sig where it did (NULL: not
 * wanted). */
enum note_verdict note_verify(const struct note *n, struct span name,
                              const struct sign_public *public, struct signature *sig);

#endif
