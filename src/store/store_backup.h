/*
 * store/store_backup.h - a copy while work goes on, and what a restore has to do.
 *
 * Erased positions are kept beside the database too, in FILE.erased, outside every backup: what was
 * withdrawn stays withdrawn when an older copy comes back.
 */
#ifndef JAGA_STORE_STORE_BACKUP_H
#define JAGA_STORE_STORE_BACKUP_H

#include "store.h"

/* Copies the database to a new file, synced.  ERR_CONFLICT: there is one already. */
int store_backup(struct store *s, const char *to, void (*progress)(int done, int total, void *arg),
                 void *arg, struct err *e);

/* No process has the store open.  Checks the copy, puts it in place of path by rename, applies the
 * erased positions that stand beside path, and begins a new incarnation of every stream, since what
 * was said after the backup may be known elsewhere.  *erased counts those applied. */
int store_restore(const char *from, const char *path, const struct store_options *o,
                  uint64_t *erased, struct err *e);

/* What store_restore would do, tried on a copy beside path that is removed again: *publications in
 * the backup, *erased as above. */
int store_restore_try(const char *from, const char *path, const struct store_options *o,
                      uint64_t *publications, uint64_t *erased, struct err *e);

#endif
