/* store/store_owed.h - bytes of entries that came later.  Within this room only. */
#ifndef JAGA_STORE_STORE_OWED_H
#define JAGA_STORE_STORE_OWED_H

#include "store_stream.h"

/* Whether a row is what its entry owes: ERR_MISSING, ERR_CONFLICT. */
int owed_check(struct store *s, const struct store_row *r, struct err *e);
/* It is publication p now; where it stands. */
int owed_settle(struct store *s, const struct store_row *r, uint64_t p, struct stream_place *out,
                struct err *e);

#endif
