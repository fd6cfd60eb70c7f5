/*
 * stix/stix_id.h - STIX identifiers: "type--uuid" read, and the deterministic ones of SCOs made.
 */
#ifndef JAGA_STIX_STIX_ID_H
#define JAGA_STIX_STIX_ID_H

#include <stdbool.h>
#include "err.h"
#include "json.h"
#include "span.h"
#include "uuid.h"

#define STIX_TYPE_MAX 250 /* characters of a type's name, STIX 2.1 section 3.1 */
#define STIX_ID_MAX   (STIX_TYPE_MAX + 2 + UUID_TEXT)

struct stix_id {
    struct span text; /* the whole, as written */
    struct span type; /* the part before "--" */
    struct uuid uuid;
    bool lower; /* the UUID was written in lower case, as RFC 9562 section 4 prints it */
};

/* STIX 2.1 section 2.9: a usable type's name, "--", a UUID of 36 characters (either case), nothing
 * after.  Version and variant bits are stix_check's business: an id that breaks them still names
 * its object. */
bool stix_id_read(struct span s, struct stix_id *out);

/* Whether s can name a type at all: 1 to STIX_TYPE_MAX characters of a-z, 0-9, '-' and (which the
 * standard forbids, but which is in use) '_', no "--".  Stricter rules are stix_check's. */
bool stix_type_usable(struct span s);

bool stix_id_is_marking(struct span id);   /* an id of a marking-definition, by its prefix */
bool stix_id_is_extension(struct span id); /* of an extension-definition */

/* The deterministic id of the SCO o (STIX 2.1 section 3.4): UUIDv5 over the canonical form of the
 * contributing properties that are present.  1: *out is set.  0: there is none, as o is no
 * standard SCO, or has no contributing property (a random UUIDv4 is right then).  -1: out of
 * memory.  o itself is not checked; a property of a wrong type contributes as it stands. */
int stix_sco_uuid(const struct json *o, struct uuid *out, struct err *e);

#endif
