/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-registry.h"
#include "procfun/wire/channel.h"

/* What runs in a child: calls that come over the channel which the caller left. */
typedef struct _Server Server;

/* Where it finds the functions. */
typedef struct
{
  const char *path;          /* (nullable): of the library that defines them; NULL: the program */
  ProcfunRegistry *registry; /* (nullable): they were registered here at run time */

  const char *name;      /* (nullable): of the one that it was started for */
  const char *hash;      /* likewise */
  const GError *why;     /* (nullable): there are none */
  const char *arguments; /* (nullable): as JSON, from the command line */
} ServerOptions;

/* In a process that has just begun. @options and what is in it stay the caller's, and must stay. */
Server *server_new (const ServerOptions *options);

/* What the caller sends first. FALSE: it was answered with an error. */
gboolean server_handle_setup (Server *self, Channel *channel, const Frame *frame);

/* Tells the caller who this is. */
void server_say_hello (Server *self, Channel *channel);

/* So that nothing has to be looked up, loaded or bound after a fork. */
void server_prepare_to_fork (Server *self);

/* Serves over SETUP_CHANNEL_FD, and ends this process when the caller has no more calls, or has had
 * none for @idle milliseconds; -1: any time. */
void server_run (Server *self, int idle) G_GNUC_NORETURN;

/* The same after it has said hello, for a process that was executed. */
void server_start (Server *self) G_GNUC_NORETURN;
