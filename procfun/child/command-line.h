/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

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
 * by a function of a higher room. @path and @slots as of remote/host-serve.h. */
typedef void (*CommandLineHostFunc) (int in_fd, int out_fd, const char *path, guint slots);
void command_line_set_host (CommandLineHostFunc func);

/* Answers, and ends the process: with 0; with 1 when the function failed, 2 when it could not be
 * called, 3 when it ended the process. @path: (nullable) of a library, NULL for the program. */
void command_line_answer (const char *path) G_GNUC_NORETURN;

/* The arguments of a function as a user gave them: JSON, "-" for the content of stdin, or NULL for
 * none. (transfer full) */
GBytes *command_line_read_json (const char *text, GError **error);
