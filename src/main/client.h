/*
 * main/client.h - the command line's way to the node's processes.
 *
 * Connects to the sockets in the data folder; where no node runs, it starts the processes for the
 * length of the command.
 */
#ifndef JAGA_MAIN_CLIENT_H
#define JAGA_MAIN_CLIENT_H

#include <stdbool.h>
#include "arena.h"
#include "ask.h"
#include "auth_msg.h"
#include "buf.h"
#include "command.h"
#include "config.h"
#include "err.h"
#include "json.h"
#include "tell.h"

struct client;

/* The data folder that the command line, else the environment, names. */
const char *data_dir(const struct session *s);

/* Enters the data folder of s and connects.  NULL: e says why. */
struct client *client_open(const struct session *s, struct err *e);
void client_close(struct client *c);
const struct config *client_config(const struct client *c);
bool client_started(const struct client *c); /* the processes are ours, no node was running */

/* One question, its answer read as JSON into the client's arena (until the next call of any of
 * these).  q->as and q->exercise are filled from the session.  NULL: e holds the answer's error. */
const struct json *client_ask(struct client *c, struct ask *q, struct err *e);
/* The same, the body as it came. */
int client_ask_raw(struct client *c, struct ask *q, struct answer *out, struct err *e);

/* What is said to the writer, with its answer. */
const struct json *client_tell(struct client *c, const struct tell *t, struct err *e);
/* The writer's socket, for a child that sends objects itself; frames of others wait meanwhile. */
int client_writer_fd(struct client *c, struct err *e);

const struct json *client_auth(struct client *c, const struct auth_msg *m, struct err *e);
/* The last answer as it came. */
struct span client_body(const struct client *c);

#endif
