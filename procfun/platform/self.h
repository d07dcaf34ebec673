/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The way in which this process was started. */

/* All arguments, the name of the program among them, as they were at the start. */
char **self_read_command_line (void);

/* (nullable): working directory at the start, if it is another one now */
const char *self_get_start_folder (void);

/* Whether the dynamic loader was executed, with the program as its argument. Then there is no file
 * that could be executed again. */
gboolean self_is_run_by_loader (void);

/* Whether this is an interpreter that had its script from standard input, or from a person. */
gboolean self_reads_standard_input (void);

/* A path that executes the program that this process runs, even when its file was replaced or
 * removed, or is out of reach by now. @directly: by this process, and not by one that it executes
 * first. */
char *self_get_executable (gboolean directly);

/* Whether @function, which is called @name, is in the program itself, where libraries cannot see
 * it.
 */
gboolean self_hides (const char *name, gconstpointer function);
