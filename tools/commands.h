/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The exit statuses of the tool, which procfun(1) documents. */
typedef enum
{
  STATUS_DONE = 0,
  STATUS_FUNCTION_FAILED = 1, /* with an error of its own */
  STATUS_USAGE = 2,   /* the function was not called, because something is wrong with the command */
  STATUS_CRASHED = 3, /* the function ended its process, by a crash or an exit */
  STATUS_LIMIT = 4,   /* a limit or timeout ended it */
  STATUS_SIGNAL = 128 /* and the number of a signal, by which somebody ended the tool */
} Status;

/* Each command gets its own name as argv[0], and gives an exit status. */
int command_bench (int argc, char **argv);
int command_call (int argc, char **argv);
int command_engine (int argc, char **argv);
int command_hosts (int argc, char **argv);
int command_list (int argc, char **argv);
int command_map (int argc, char **argv);
int command_monitor (int argc, char **argv);
int command_worker (int argc, char **argv);

/* Reads the options in front of and between the arguments, of which there must be @min to @max;
 * @usage names them, and
 * @description says more. FALSE when something is wrong, which is printed. --help and --version end
 * the process.
 */
gboolean command_parse (int *argc, char ***argv, const GOptionEntry *entries, const char *usage,
                        const char *description, int min, int max);

/* “procfun 1.2.3” */
Status command_print_version (void);

/* Prints it, and gives @status back. */
int command_fail (const GError *error, Status status);

/* Prints a line to stdout. FALSE when it could not be written, which is printed, too. */
gboolean command_print (const char *text, gsize size);
