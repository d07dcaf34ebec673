/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What this process was started as. */

/* All arguments, the name of the program among them. */
char **self_read_command_line (void);

/* A path that executes the program that this process runs, even when its file was replaced or
 * removed, or is out of reach by now. @directly: by this process, and not by one that it executes
 * first. */
char *self_get_executable (gboolean directly);
