/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Environment variables for settings that the program leaves open. A program with more rights than
 * its user ignores them. */

/* TRUE: this program has more rights than its user. */
gboolean environment_is_secure (void);

/* (nullable) */
const char *environment_get (const char *name);

/* PROCFUN_TIMEOUT, read once: in µs; 0: none. */
gint64 environment_get_timeout (void);
