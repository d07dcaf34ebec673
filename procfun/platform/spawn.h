/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <sys/types.h>

/* Executes a command in a session of its own, so that keys of the terminal do not reach it, with
 * these descriptors and no others. @stream: its standard input and output. Fails with
 * %PROCFUN_ERROR_ENGINE. */
gboolean spawn_command (const char *const *argv, int stream, int errors, pid_t *pid,
                        GError **error);
