/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <sys/types.h>

/* Executes a command in a session of its own, so that keys of the terminal do not reach it, with
 * these descriptors, none of them below 3, as its standard ones and no others. Fails with
 * %PROCFUN_ERROR_ENGINE. */
gboolean spawn_command (const char *const *argv, const int streams[3], pid_t *pid, GError **error);
