/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-registry.h"

/* Questions that every program with functions answers, before its main() and instead of it:
 *
 *   PROCFUN_COMMAND_LINE=1 PROGRAM --procfun-list
 *   PROCFUN_COMMAND_LINE=1 PROGRAM --procfun-call=FUNCTION-OR-HASH [JSON|-]
 *
 * procfun-worker answers them for a library, whose path is the second argument. */
#define COMMAND_LINE_VARIABLE "PROCFUN_COMMAND_LINE"
#define COMMAND_LINE_LIST "--procfun-list"
#define COMMAND_LINE_CALL_PREFIX "--procfun-call="
#define COMMAND_LINE_HOST "--procfun-host"
#define COMMAND_LINE_SLOTS_PREFIX "--slots="

/* Whether this process was asked so: by its first argument and the variable, and not in a setuid
 * program. */
gboolean command_line_is_asked (void);

/* Sends the output of the program to stderr from here on, so that stdout has the answer alone. */
void command_line_begin (void);

/* How a program becomes a host, which takes calls through these descriptors until its caller goes:
 * by a function of a higher room. The others are as of remote/host-serve.h. */
typedef void (*CommandLineHostFunc) (int in_fd, int out_fd, const char *path,
                                     ProcfunRegistry *registry, guint slots);
void command_line_set_host (CommandLineHostFunc func);

/* Whether a program that calls procfun_registry_serve() is to be a host; and makes it one. */
gboolean command_line_is_host_in_main (void);
void command_line_be_host_in_main (ProcfunRegistry *registry) G_GNUC_NORETURN;

/* Answers, and ends the process: with 0; with 1 when the function failed, 2 when it could not be
 * called, 3 when it ended the process. @path: (nullable) of a library, NULL for the program. */
void command_line_answer (const char *path) G_GNUC_NORETURN;

/* The arguments of a function as a user gave them: JSON, "-" for the content of stdin, or NULL for
 * none. (transfer full) */
GBytes *command_line_read_json (const char *text, GError **error);
