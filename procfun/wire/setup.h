/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-limits.h"
#include <gio/gio.h>

/* How a child is started and told what it is for: the command line that it is recognised by, and
 * the frame that the caller sends first. */

/* The argument PREFIX HASH, the function's name and, by request, the arguments as JSON. Functions
 * of macros are served before main(), by the first argument alone; functions registered at run time
 * once main() has registered them, by an argument behind all of the program's own. */
#define SETUP_ARGUMENT_PREFIX "--procfun-serve="
#define SETUP_MAIN_ARGUMENT_PREFIX "--procfun-serve-in-main="

/* Begins, behind the arguments of a program that calls procfun_registry_serve(), those that make a
 * host of it. */
#define SETUP_HOST_IN_MAIN "--procfun-host-in-main"

/* In place of a hash: the process is to fork others. */
#define SETUP_ZYGOTE "zygote"

/* Descriptors that the caller leaves to a child: for frames, for the sign that the caller lives,
 * and for the report of a crash. */
#define SETUP_CHANNEL_FD 3
#define SETUP_LIFELINE_FD 4
#define SETUP_REPORT_FD 5

/* Calls may be nested so deep. */
#define SETUP_MAX_DEPTH 8

/* Default of a process that is not told otherwise. */
#define SETUP_ARENA_IDLE_MS 10000

typedef struct
{
  const char *codec;
  const char
      *identity; /* of the module that the caller found the function in: see platform/module.h */
  guint depth;   /* of the child: 1 for a call of the program */
  gboolean arguments_on_command_line;
  guint64 max_payload; /* in bytes */
  guint arena_idle;    /* time without a frame, in ms, after which it gives back the memory that it
                          shares with the caller; 0: never */
  ProcfunLimits *limits; /* (nullable) */
  GVariant *context;     /* (nullable): see platform/launch-context-apply.h */
  const char *locale;    /* of messages: see base/intl.h */
  const char *folder;    /* (nullable): where the caller is, if the child is elsewhere */
  const char *name;      /* of the function, for messages: a forked process hears it only now */
} Setup;

void setup_clear (Setup *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Setup, setup_clear)

GBytes *setup_to_bytes (const Setup *self);

/* The strings live as long as *@holder, which the caller unrefs. */
gboolean setup_from_bytes (Setup *self, GBytes *bytes, GVariant **holder, GError **error);
