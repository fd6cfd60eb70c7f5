/*
 * node/folder.h - the data folder: what lies where, who may use it now.
 *
 *   jaga.conf          the configuration
 *   data/              the main store (writer; readers read)
 *   auth/              verifiers (auth)
 *   tls/               certificate and key (parent)
 *   sign/              the signing key and what was signed (signer); in no backup
 *   run/               sockets and locks of what runs now
 *
 * Everything is the owner's alone (modes 0700 and 0600).  run/lock is held by the family that
 * runs; run/users is held shared by each command that uses it, so that a family which a command
 * has started for itself does not end under another one.
 */
#ifndef JAGA_NODE_FOLDER_H
#define JAGA_NODE_FOLDER_H

#include <stdbool.h>
#include "buf.h"
#include "config.h"
#include "err.h"

#define FOLDER_STORE   "data/store.db"
#define FOLDER_AUTH    "auth/auth.db"
#define FOLDER_CONFIG  "jaga.conf"
#define FOLDER_CERT    "tls/cert.pem"
#define FOLDER_KEY     "tls/key.pem"
#define FOLDER_SIGN    "sign"
#define FOLDER_LOCK    "run/lock"
#define FOLDER_USERS   "run/users"
#define FOLDER_WRITING "run/writing"
#define FOLDER_WRITER  "run/writer.sock"
#define FOLDER_READER  "run/reader.sock"
#define FOLDER_SIGNIN  "run/auth.sock"

/* Makes the folder and what is in it; ERR_CONFLICT when a node is there already. */
int folder_create(const char *dir, struct err *e);
/* Makes dir the current directory, checks that it is a node's and that nobody else may read it. */
int folder_enter(const char *dir, struct err *e);
int folder_read_config(struct config *c, struct err *e);
int folder_write_config(const struct config *c, struct err *e);
/* A whole file of at most max bytes. */
int folder_read_file(const char *path, size_t max, struct buf *out, struct err *e);
/* Written to a temporary file, synced, renamed: a reader never sees half of it.  Mode 0600. */
int folder_write_file(const char *path, struct span text, struct err *e);
/* Renames, or copies where the two are on different file systems; synced.  ERR_CONFLICT: to is
 * there already. */
int folder_move_file(const char *from, const char *to, struct err *e);
/* Takes a lock on the file at path (made when absent).  The descriptor holds it; -1 and ERR_BUSY
 * when another has it and wait is false. */
int folder_lock(const char *path, bool shared, bool wait, struct err *e);

#endif
